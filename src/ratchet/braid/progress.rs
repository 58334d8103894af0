//! How far an exchange is: what every state of it speaks of.

use super::code::Conflict;

/// How far an object is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Index of the next symbol; it goes round.
    pub(crate) next: u16,
    /// Symbols of the object that the present sending chain has carried.
    pub(crate) placed: u8,
}

/// What symbols make of a state that waits for an object.
pub(crate) enum Progress<S, T> {
    /// It still waits.
    Waiting(S),
    /// The object is complete: the state behind it.
    Complete(T),
}

/// Why an exchange cannot go on. The text that came with it was read all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breach;

impl From<Conflict> for Breach {
    fn from(_: Conflict) -> Self {
        Self
    }
}

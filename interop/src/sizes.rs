//! Bytes on the wire and bytes of state, as they are.

use crate::library::{Library, read_in_reverse};
use crate::olm::Vodozemac;
use crate::ours::Subrosa;
use crate::work::LONG_REVERSED;

/// Bytes of a text whose messages are counted.
const TEXT: [u8; 64] = [b'x'; 64];

/// What is counted of one library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// An ordinary message of 64 bytes.
    pub ordinary: usize,
    /// A first message of 64 bytes.
    pub first: usize,
    /// A state that has sent and read one message, encrypted for a store.
    pub state: usize,
    /// How many of 1,000 messages are read if they come in reverse.
    pub read_in_reverse: usize,
}

impl Sizes {
    fn of<L: Library>() -> Self {
        let (mut end, mut peer) = L::pair();
        let ordinary = L::seal(&mut end, &TEXT);
        let text = L::open(&mut peer, &ordinary);
        assert_eq!(text.as_deref(), Some(TEXT.as_slice()), "{}", L::NAME);
        let (mut responder, bundles) = L::responder(1);
        let first = L::begin(&mut L::initiator(), &bundles[0], &TEXT);
        assert_eq!(L::accept(&mut responder, &first), TEXT, "{}", L::NAME);
        Self {
            ordinary: L::length(&ordinary),
            first: L::length(&first),
            state: L::export(&L::pair().0).len(),
            read_in_reverse: read_in_reverse::<L>(LONG_REVERSED),
        }
    }

    /// subrosa's and vodozemac's.
    #[must_use]
    pub fn count() -> [Self; 2] {
        [Self::of::<Subrosa>(), Self::of::<Vodozemac>()]
    }

    /// Bytes beyond the text, of an ordinary and a first message.
    #[must_use]
    pub const fn added(&self) -> [usize; 2] {
        let text = TEXT.len();
        [
            self.ordinary.saturating_sub(text),
            self.first.saturating_sub(text),
        ]
    }
}

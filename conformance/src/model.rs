//! SPEC.md §§6 to 12, 20.1 and 21, and what §19 encodes, once more, over the primitives and the reader of §4 alone: plain fields, in
//! the order of the text, slow and without protection. [`mls`] is RFC 9420 in the same way.
//!
//! The generator holds against it what the library gave, value by value and state by state, so that no vector rests
//! on one program only. With it, it also makes what the library would never make.

pub mod account;
pub mod agreement;
pub mod blob;
pub mod braid;
pub mod conversation;
pub mod device;
pub mod file;
pub mod formula;
pub mod keccak;
pub mod mls;
pub mod pack;
pub mod prekeys;
pub mod ratchet;
pub mod stored;
pub mod symbols;
pub mod values;

use crate::op::Refusal;

/// A result, or the name of an error of SPEC.md §14.
pub type Answer<T> = Result<T, Refusal>;

/// The error `name`.
#[must_use]
pub fn error(name: &str) -> Refusal {
    Refusal::Error(name.to_owned())
}

/// Nothing if `holds`, else the error `name`.
///
/// # Errors
/// That one.
pub fn require(holds: bool, name: &str) -> Answer<()> {
    match holds {
        true => Ok(()),
        false => Err(error(name)),
    }
}

/// The first `N` bytes of `bytes`.
///
/// # Errors
/// `Malformed` if there are fewer.
pub fn array<const N: usize>(bytes: &[u8]) -> Answer<[u8; N]> {
    bytes.first_chunk().copied().ok_or(error("Malformed"))
}

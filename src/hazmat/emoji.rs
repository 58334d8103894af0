//! The comparison of emoji (SPEC §6.6) with r given.

use super::Given;
use crate::identity::{EmojiInitiator, EmojiResponder, Error, Fingerprint};

/// [`EmojiInitiator::start`] with `r_A` given.
///
/// # Errors
/// [`Error::Rng`] if the value is missing or has another length.
pub fn start(
    own: &Fingerprint,
    peer: &Fingerprint,
    given: &mut Given,
) -> Result<(EmojiInitiator, [u8; 32]), Error> {
    EmojiInitiator::start_with(own, peer, given)
}

/// [`EmojiResponder::answer`] with `r_B` given.
///
/// # Errors
/// [`Error::Rng`] if the value is missing or has another length.
pub fn answer(
    own: &Fingerprint,
    peer: &Fingerprint,
    commit: [u8; 32],
    given: &mut Given,
) -> Result<(EmojiResponder, [u8; 32]), Error> {
    EmojiResponder::answer_with(own, peer, commit, given)
}

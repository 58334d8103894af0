//! Why a message could not be sealed or opened.

use core::fmt;

use crate::{crypto, padding, wire};

/// Why a message could not be sealed or opened. For the local app only (SPEC §14.2-R2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Not a frame, or a header that does not open under the key that its tag names, or content of the wrong form.
    Malformed,
    /// The message was read before, or its key was given up.
    Duplicate,
    /// More than 2,000 numbers were skipped.
    GapTooLarge,
    /// Two copies of one side exist: a number, a chain or a body contradicts what was seen.
    Forked,
    /// 2^20 messages without an answer.
    ChainExhausted,
    /// The state cannot send.
    ReceiveOnly,
    /// The text is longer than [`TEXT_MAX`](super::TEXT_MAX).
    TooLong,
    /// The caller's random number generator failed.
    Rng,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the message is malformed",
            Self::Duplicate => "the message was read before",
            Self::GapTooLarge => "too many messages are missing",
            Self::Forked => "the message contradicts the conversation",
            Self::ChainExhausted => "the chain has no further number",
            Self::ReceiveOnly => "the state is receive-only",
            Self::TooLong => "the text is too long",
            Self::Rng => "the random number generator failed",
        })
    }
}

impl core::error::Error for Error {}

impl From<crypto::Error> for Error {
    fn from(error: crypto::Error) -> Self {
        match error {
            crypto::Error::Rng => Self::Rng,
            crypto::Error::TooLong => Self::TooLong,
            _ => Self::Malformed,
        }
    }
}

impl From<wire::Error> for Error {
    fn from(_: wire::Error) -> Self {
        Self::Malformed
    }
}

impl From<padding::BadPadding> for Error {
    fn from(_: padding::BadPadding) -> Self {
        Self::Malformed
    }
}

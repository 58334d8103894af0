//! Why a file is refused.

use core::fmt;

use crate::{crypto, wire};

/// Why a file is refused. Whoever gives out what was opened before it must say so to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The key, the context or the first 56 bytes are not those of this file. Nothing of it was opened.
    Commitment,
    /// A chunk is altered, or stands in another place or file.
    Chunk,
    /// The file ends before its last chunk, or within its first 56 bytes.
    Truncated,
    /// The proof is not one of these pieces of this blob.
    Proof,
    /// The bytes are not the blob that the id names.
    Id,
    /// What stands behind the text is not zero.
    Padding,
    /// A chunk that was sealed before would now be another one: the text is no longer what it was.
    Altered,
    /// The app does not want this type or this size.
    NotAdmitted,
    /// A version that this release does not know.
    UnknownVersion,
    /// More chunks than a file may have.
    TooLong,
    /// The file is at its end: nothing can be added to it.
    Ended,
    /// The file has no such place.
    OutOfRange,
    /// Bytes that are no encoding of what they should be, or a value that its field does not allow.
    Malformed,
    /// The caller's random number generator failed.
    Rng,
}

impl Error {
    /// The number of this error in logs and in other languages (SPEC §14.4). No release gives it to another one.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Commitment => 501,
            Self::Chunk => 502,
            Self::Truncated => 503,
            Self::Proof => 504,
            Self::Id => 505,
            Self::Padding => 506,
            Self::Altered => 507,
            Self::NotAdmitted => 508,
            Self::UnknownVersion => 509,
            Self::TooLong => 510,
            Self::Ended => 511,
            Self::OutOfRange => 512,
            Self::Malformed => 513,
            // That of a conversation's.
            Self::Rng => 220,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commitment => "the key or the context is not that of this file",
            Self::Chunk => "a piece of the file is altered or out of place",
            Self::Truncated => "the end of the file is missing",
            Self::Proof => "the proof does not hold",
            Self::Id => "the bytes are not those that the id names",
            Self::Padding => "the padding is malformed",
            Self::Altered => "the text was altered since it was sealed",
            Self::NotAdmitted => "the app does not admit this file",
            Self::UnknownVersion => "the version is not known",
            Self::TooLong => "the file is too long",
            Self::Ended => "the file is at its end",
            Self::OutOfRange => "the file has no such place",
            Self::Malformed => "the bytes are malformed",
            Self::Rng => "the random number generator failed",
        })
    }
}

impl core::error::Error for Error {}

impl From<wire::Error> for Error {
    fn from(_: wire::Error) -> Self {
        Self::Malformed
    }
}

impl From<crypto::Error> for Error {
    fn from(error: crypto::Error) -> Self {
        match error {
            crypto::Error::Rng => Self::Rng,
            crypto::Error::TooLong => Self::TooLong,
            _ => Self::Chunk,
        }
    }
}

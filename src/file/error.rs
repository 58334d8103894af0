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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commitment => "the key or the context is not that of this file",
            Self::Chunk => "a piece of the file is altered or out of place",
            Self::Truncated => "the end of the file is missing",
            Self::Proof => "the proof does not hold",
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

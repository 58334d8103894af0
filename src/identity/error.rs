//! Why an identity was refused.

use core::fmt;

use crate::{crypto, wire};

/// Why an identity was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An address is empty or longer than 47 bytes, or a key is not valid.
    Malformed,
    /// `sig_id` does not hold (SPEC §6.2-R2).
    BadSignature,
    /// The caller's random number generator failed.
    Rng,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the identity is malformed",
            Self::BadSignature => "the identity's signature is not valid",
            Self::Rng => "the random number generator failed",
        })
    }
}

impl core::error::Error for Error {}

impl From<crypto::Error> for Error {
    fn from(error: crypto::Error) -> Self {
        match error {
            crypto::Error::Rng => Self::Rng,
            crypto::Error::BadSignature => Self::BadSignature,
            _ => Self::Malformed,
        }
    }
}

impl From<wire::Error> for Error {
    fn from(_: wire::Error) -> Self {
        Self::Malformed
    }
}

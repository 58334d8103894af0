//! What a primitive can refuse.

use core::fmt;

/// Why a primitive refused. Which byte was at fault is never said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A Diffie-Hellman result was all zero: the peer's point has small order (SPEC §3.3-R3).
    NonContributory,
    /// A public key is not a canonical encoding, has a torsion component where none may be, or fails the
    /// modulus check of FIPS 203 §7.2.
    InvalidKey,
    /// A signature does not satisfy the acceptance rule of SPEC §3.4.
    BadSignature,
    /// An authenticated decryption failed.
    Decryption,
    /// An input or output is longer than the primitive allows.
    TooLong,
    /// The caller's random number generator failed.
    Rng,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonContributory => "the Diffie-Hellman result is all zero",
            Self::InvalidKey => "the public key is not valid",
            Self::BadSignature => "the signature is not valid",
            Self::Decryption => "decryption failed",
            Self::TooLong => "the input is too long for the primitive",
            Self::Rng => "the random number generator failed",
        })
    }
}

impl core::error::Error for Error {}

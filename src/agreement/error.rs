//! Why an agreement failed.

use core::fmt;

use crate::{crypto, identity, wire};

/// Why an agreement failed. For the local app only: towards the network all are one (SPEC §14.2-R2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Not an encoding, an invalid key, or a decryption that failed.
    Malformed,
    /// A suite other than 1.
    UnknownVersion,
    /// The identity's or a prekey's signature does not hold.
    BadSignature,
    /// The identity shares a key with the device's own.
    OwnIdentity,
    /// A prekey of the bundle has expired.
    StaleBundle,
    /// A private prekey that the message needs is no longer there.
    PrekeyGone,
    /// The message that begins this conversation was processed before.
    ReplayedFirst,
    /// The signed prekey has taken as many first messages as it may: rotate.
    ReplayRecordFull,
    /// No prekey id is left, or as many one-time keys are held as may be.
    PrekeysExhausted,
    /// The caller's random number generator failed.
    Rng,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the agreement is malformed",
            Self::UnknownVersion => "the suite is not known",
            Self::BadSignature => "a signature of the agreement is not valid",
            Self::OwnIdentity => "the peer has a key of this device",
            Self::StaleBundle => "the bundle has expired",
            Self::PrekeyGone => "a private prekey is no longer there",
            Self::ReplayedFirst => "the first message was processed before",
            Self::ReplayRecordFull => {
                "the signed prekey has taken as many first messages as it may"
            }
            Self::PrekeysExhausted => "no further prekey can be made",
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

impl From<identity::Error> for Error {
    fn from(error: identity::Error) -> Self {
        match error {
            identity::Error::Rng => Self::Rng,
            identity::Error::UnknownVersion => Self::UnknownVersion,
            identity::Error::BadSignature => Self::BadSignature,
            _ => Self::Malformed,
        }
    }
}

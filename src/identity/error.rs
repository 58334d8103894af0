//! Why an identity, a device list or a comparison was refused.

use core::fmt;

use crate::{crypto, wire};

/// Why an identity, a device list or a comparison was refused (SPEC §14.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An address is empty or longer than 47 bytes, a key is not valid, or a list or a scanned text is none.
    Malformed,
    /// A device list or a scanned text of a version that this release does not know.
    UnknownVersion,
    /// `sig_id` (SPEC §6.2-R2) or a signature of a list (§6.4-R3) does not hold, or is that of a replaced key (§6.4-R8).
    BadSignature,
    /// The list is another account's (SPEC §6.4-R4, R5).
    OtherAccount,
    /// Two lists of one account contradict each other (SPEC §6.4-R6, R7).
    Equivocation,
    /// A newer list of the account is known (SPEC §6.4-R6).
    OldList,
    /// Lists between the known one and this one are missing (SPEC §6.4-R7).
    MissingLists,
    /// What was revealed is not what was committed to (SPEC §6.6): somebody stands between the two.
    BadCommitment,
    /// The private key is not the one whose public half the list has.
    WrongKey,
    /// A key that is to be added is in the list already, or two new ones are the same.
    KeyInUse,
    /// The list has no device with this id.
    UnknownDevice,
    /// The list has 32 devices already.
    TooManyDevices,
    /// The keys of the account were replaced 15 times already.
    TooManyKeys,
    /// The account has given out its last device id, or made its last list.
    Exhausted,
    /// The caller's random number generator failed.
    Rng,
}

impl Error {
    /// The number of this error in logs and in other languages (SPEC §14.4). No release gives it to another one.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Malformed => 301,
            Self::UnknownVersion => 302,
            Self::BadSignature => 303,
            Self::OtherAccount => 304,
            Self::Equivocation => 305,
            Self::OldList => 306,
            Self::MissingLists => 307,
            Self::BadCommitment => 308,
            Self::WrongKey => 309,
            Self::KeyInUse => 310,
            Self::UnknownDevice => 311,
            Self::TooManyDevices => 312,
            Self::TooManyKeys => 313,
            Self::Exhausted => 314,
            // That of a conversation's.
            Self::Rng => 220,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the identity is malformed",
            Self::UnknownVersion => "the version of the device list or of the code is not known",
            Self::BadSignature => "the identity's signature is not valid",
            Self::OtherAccount => "the device list is another account's",
            Self::Equivocation => "two device lists of the account contradict each other",
            Self::OldList => "a newer device list of the account is known",
            Self::MissingLists => "device lists before this one are missing",
            Self::BadCommitment => "what was revealed is not what was committed to",
            Self::WrongKey => "the private key is not that of the account",
            Self::KeyInUse => "the key is in the device list already",
            Self::UnknownDevice => "the account has no such device",
            Self::TooManyDevices => "the account has as many devices as it may",
            Self::TooManyKeys => "the account's keys were replaced as often as they may be",
            Self::Exhausted => "the account has no further device id or list",
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

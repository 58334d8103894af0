//! Why a call of a device failed: nothing was changed, and nothing given out (SPEC §19.7).

use core::fmt;

use super::store::Unreadable;
use crate::{agreement, identity, mls, session};

/// Why a call failed. But for [`Unknown`](Self::Unknown), store and device are what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// What a conversation, the prekeys or a stored value refused.
    Session(session::Error),
    /// What was wrong with a device list, or with a request to be on it.
    Identity(identity::Error),
    /// What a group refused.
    Group(mls::Error),
    /// No device list of the account is known: fetch it and call `update_list`.
    UnknownAccount,
    /// The account's keys are others than the user agreed to: ask, then call `approve`.
    KeyChanged,
    /// Some device has no conversation to send in: see `unreached`, fetch its bundle and call `begin`.
    Unreached,
    /// This device is not on its account's device list, or has not seen it.
    NotLinked,
    /// This device does not hold the account's key.
    NotPrimary,
    /// This device was set back: fetch the account's newest device list and call `update_list` before signing another.
    ListDue,
    /// The app's name of a message is empty or longer than 64 bytes.
    ClientId,
    /// Nothing is stored under this name.
    NotFound,
    /// The store holds a device.
    Occupied,
    /// The store holds no device.
    Empty,
    /// The store is older than the app's own count says: call `restore`, not `open`.
    RolledBack,
    /// Another process has changed the store meanwhile. The device has caught up: call again.
    Stale,
    /// The store has stored nothing.
    Failed,
    /// The store cannot be read.
    Unreadable,
    /// Whether the last change was stored is not known. Nothing of it was given out. Call `reopen`, or, if the store can no
    /// longer be used, `reopen_with` another one on the same file.
    Unknown,
    /// This device was set back since the group's epoch began: change the group before sending to it.
    GroupSetBack,
}

impl Error {
    /// The number of this error in logs and in other languages (SPEC §14.4). No release gives it to another one.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Session(error) => error.code(),
            Self::Identity(error) => error.code(),
            Self::Group(error) => error.code(),
            Self::UnknownAccount => 101,
            Self::KeyChanged => 102,
            Self::Unreached => 103,
            Self::NotLinked => 104,
            Self::NotPrimary => 105,
            Self::ListDue => 106,
            Self::ClientId => 107,
            Self::NotFound => 108,
            Self::Occupied => 109,
            Self::Empty => 110,
            Self::RolledBack => 111,
            Self::Stale => 112,
            Self::Failed => 113,
            Self::Unreadable => 114,
            Self::Unknown => 115,
            Self::GroupSetBack => 116,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(error) => return error.fmt(f),
            Self::Identity(error) => return error.fmt(f),
            Self::Group(error) => return error.fmt(f),
            Self::UnknownAccount => "no device list of the account is known",
            Self::KeyChanged => "the user has not agreed to the account's new keys",
            Self::Unreached => "a device has no conversation to send in",
            Self::NotLinked => "this device is not on its account's list",
            Self::NotPrimary => "this device does not hold the account's key",
            Self::ListDue => "the account's newest device list is to be fetched first",
            Self::ClientId => "the name of the message is empty or too long",
            Self::NotFound => "nothing is stored under this name",
            Self::Occupied => "the store holds a device",
            Self::Empty => "the store holds no device",
            Self::RolledBack => "the store is older than it was",
            Self::Stale => "the store was changed by another process",
            Self::Failed => "the store has stored nothing",
            Self::Unreadable => "the store cannot be read",
            Self::Unknown => "whether the last change was stored is not known",
            Self::GroupSetBack => "the device was set back, and the group is to be changed first",
        })
    }
}

impl core::error::Error for Error {}

impl From<session::Error> for Error {
    fn from(error: session::Error) -> Self {
        Self::Session(error)
    }
}

impl From<agreement::Error> for Error {
    fn from(error: agreement::Error) -> Self {
        Self::Session(error.into())
    }
}

impl From<identity::Error> for Error {
    fn from(error: identity::Error) -> Self {
        match error {
            identity::Error::Rng => Self::Session(session::Error::Rng),
            error => Self::Identity(error),
        }
    }
}

impl From<mls::Error> for Error {
    fn from(error: mls::Error) -> Self {
        match error {
            mls::Error::Rng => Self::Session(session::Error::Rng),
            mls::Error::Integrity => Self::Session(session::Error::Integrity),
            error => Self::Group(error),
        }
    }
}

impl From<Unreadable> for Error {
    fn from(_: Unreadable) -> Self {
        Self::Unreadable
    }
}

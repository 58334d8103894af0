//! Why a link, a manifest or an update is refused.

use core::fmt;

use crate::{crypto, wire};

/// Why a link, a manifest or an update is refused (SPEC §21.8). Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The file is no manifest of this link's pack: altered, cut, or sealed for something else.
    Integrity,
    /// The text is no link, or the bytes are no manifest or nothing that was stored; or a text is empty that may not be.
    Malformed,
    /// A link, a manifest or stored bytes of a version that this release does not know.
    UnknownVersion,
    /// The manifest is not by the author whom the link names, or who published the version that is held.
    OtherKey,
    /// The author's signature does not hold.
    BadSignature,
    /// The manifest is another pack's.
    OtherPack,
    /// The author has signed two histories of the pack.
    Fork,
    /// The manifest is older than the one that is held.
    Rollback,
    /// More stickers, emoji or bytes than a pack may have.
    TooLong,
    /// Two stickers have the same key: who is sent one could read the other.
    KeyInUse,
    /// The pack had its last version.
    Exhausted,
    /// The caller's random number generator failed.
    Rng,
}

impl Error {
    /// The number of this error in logs and in other languages (SPEC §14.4). No release gives it to another one.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Integrity => 601,
            Self::Malformed => 602,
            Self::UnknownVersion => 603,
            Self::OtherKey => 604,
            Self::BadSignature => 605,
            Self::OtherPack => 606,
            Self::Fork => 607,
            Self::Rollback => 608,
            Self::TooLong => 609,
            Self::KeyInUse => 610,
            Self::Exhausted => 611,
            // That of a conversation's.
            Self::Rng => 220,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integrity => "the file is no manifest of this pack",
            Self::Malformed => "the link, manifest or record is malformed",
            Self::UnknownVersion => "the version of the link, manifest or record is not known",
            Self::OtherKey => "the manifest is by another author",
            Self::BadSignature => "the author's signature is not valid",
            Self::OtherPack => "the manifest is another pack's",
            Self::Fork => "the author has signed two histories of the pack",
            Self::Rollback => "a newer manifest of the pack is known",
            Self::TooLong => "the pack has more than a pack may have",
            Self::KeyInUse => "two stickers have the same key",
            Self::Exhausted => "the pack has had its last version",
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
            crypto::Error::BadSignature => Self::BadSignature,
            crypto::Error::TooLong => Self::TooLong,
            _ => Self::Malformed,
        }
    }
}

//! Why a message was refused, and what the app should do about it (SPEC §14).

use core::fmt;

use crate::{agreement, envelope, identity, ratchet, state};

/// Why something was refused.
///
/// For the local app only: nothing of the variant is ever told to the other side or to the server, and towards
/// them every refusal is the same (SPEC §14.2-R2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Not a message, or not one that any honest sender makes.
    Malformed,
    /// Made by a version of the protocol that this release does not speak.
    UnknownVersion,
    /// A kind of message that this release does not know.
    UnknownKind,
    /// The message was read before.
    Duplicate,
    /// The message that begins a conversation was processed before.
    ReplayedFirst,
    /// No state of the conversation has a key for the message; or there is none to send in.
    NoSession,
    /// Over 2,000 messages are missing before this one.
    GapTooLarge,
    /// The message contradicts the conversation: one side exists twice, or was set back to an older state.
    Forked,
    /// 2^20 messages without an answer.
    ChainExhausted,
    /// The first message was repeated without an answer for 30 days, or until a key of the peer's bundle ended.
    Unanswered,
    /// A private prekey that the message needs is no longer there.
    PrekeyGone,
    /// The bundle has expired.
    StaleBundle,
    /// A signature in the bundle or the first message does not hold.
    BadSignature,
    /// The signed prekey has taken as many first messages as it may.
    ReplayRecordFull,
    /// No prekey id is left, or as many one-time keys are held as may be.
    PrekeysExhausted,
    /// The address has another identity than the one the conversation is pinned to.
    IdentityChanged,
    /// The peer's identity has a key of this device.
    OwnIdentity,
    /// The text or the key of a stored value is too long.
    TooLong,
    /// A stored state is not intact, or belongs elsewhere.
    Integrity,
    /// The caller's random number generator failed.
    Rng,
}

/// What the app should do about a refusal or an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Drop the message; no honest message is lost by it.
    Drop,
    /// Ask the peer to send again, at most once a minute, and never in answer to a first message.
    AskAgain,
    /// Begin the conversation anew at the next send: fetch a bundle and call
    /// [`Conversation::begin`](super::Conversation::begin).
    BeginAnew,
    /// Fetch a fresh bundle of the peer and try again.
    FetchBundle,
    /// Rotate this device's prekeys, publish them, and let the peer begin anew.
    RotatePrekeys,
    /// Tell the user, and go on only with the user's consent.
    AskUser,
    /// A fault on this device: nothing was changed; mend it and call again.
    Local,
}

impl Error {
    /// The number of this error in logs and in other languages (SPEC §14.4). No release gives it to another one.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Malformed => 201,
            Self::UnknownVersion => 202,
            Self::UnknownKind => 203,
            Self::Duplicate => 204,
            Self::ReplayedFirst => 205,
            Self::NoSession => 206,
            Self::GapTooLarge => 207,
            Self::Forked => 208,
            Self::ChainExhausted => 209,
            Self::Unanswered => 210,
            Self::PrekeyGone => 211,
            Self::StaleBundle => 212,
            Self::BadSignature => 213,
            Self::ReplayRecordFull => 214,
            Self::PrekeysExhausted => 215,
            Self::IdentityChanged => 216,
            Self::OwnIdentity => 217,
            Self::TooLong => 218,
            Self::Integrity => 219,
            Self::Rng => 220,
        }
    }

    /// What the app should do (SPEC §14.1).
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Malformed
            | Self::UnknownVersion
            | Self::UnknownKind
            | Self::Duplicate
            | Self::ReplayedFirst
            | Self::OwnIdentity => Action::Drop,
            Self::NoSession => Action::AskAgain,
            Self::GapTooLarge | Self::Forked | Self::ChainExhausted | Self::Unanswered => {
                Action::BeginAnew
            }
            Self::StaleBundle | Self::BadSignature => Action::FetchBundle,
            Self::PrekeyGone | Self::ReplayRecordFull | Self::PrekeysExhausted => {
                Action::RotatePrekeys
            }
            Self::IdentityChanged => Action::AskUser,
            Self::TooLong | Self::Integrity | Self::Rng => Action::Local,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the message is malformed",
            Self::UnknownVersion => "the version is not known",
            Self::UnknownKind => "the kind of the message is not known",
            Self::Duplicate => "the message was read before",
            Self::ReplayedFirst => "the first message was processed before",
            Self::NoSession => "no state of the conversation has a key for this",
            Self::GapTooLarge => "too many messages are missing",
            Self::Forked => "the message contradicts the conversation",
            Self::ChainExhausted => "the chain has no further number",
            Self::Unanswered => "the conversation was not answered for too long",
            Self::PrekeyGone => "a private prekey is no longer there",
            Self::StaleBundle => "the bundle has expired",
            Self::BadSignature => "a signature is not valid",
            Self::ReplayRecordFull => {
                "the signed prekey has taken as many first messages as it may"
            }
            Self::PrekeysExhausted => "no further prekey can be made",
            Self::IdentityChanged => "the address has another identity than the pinned one",
            Self::OwnIdentity => "the peer has a key of this device",
            Self::TooLong => "the text or store key is too long",
            Self::Integrity => "the stored state is not intact",
            Self::Rng => "the random number generator failed",
        })
    }
}

impl core::error::Error for Error {}

impl From<envelope::Error> for Error {
    fn from(error: envelope::Error) -> Self {
        match error {
            envelope::Error::Malformed => Self::Malformed,
            envelope::Error::UnknownVersion => Self::UnknownVersion,
            envelope::Error::UnknownKind => Self::UnknownKind,
        }
    }
}

impl From<identity::Error> for Error {
    fn from(error: identity::Error) -> Self {
        match error {
            identity::Error::UnknownVersion => Self::UnknownVersion,
            identity::Error::BadSignature => Self::BadSignature,
            identity::Error::Rng => Self::Rng,
            // What is said of device lists and comparisons only does not come up in a conversation.
            _ => Self::Malformed,
        }
    }
}

impl From<agreement::Error> for Error {
    fn from(error: agreement::Error) -> Self {
        match error {
            agreement::Error::Malformed => Self::Malformed,
            agreement::Error::UnknownVersion => Self::UnknownVersion,
            agreement::Error::BadSignature => Self::BadSignature,
            agreement::Error::OwnIdentity => Self::OwnIdentity,
            agreement::Error::StaleBundle => Self::StaleBundle,
            agreement::Error::PrekeyGone => Self::PrekeyGone,
            agreement::Error::ReplayedFirst => Self::ReplayedFirst,
            agreement::Error::ReplayRecordFull => Self::ReplayRecordFull,
            agreement::Error::PrekeysExhausted => Self::PrekeysExhausted,
            agreement::Error::Rng => Self::Rng,
        }
    }
}

impl From<ratchet::Error> for Error {
    fn from(error: ratchet::Error) -> Self {
        match error {
            ratchet::Error::Malformed => Self::Malformed,
            ratchet::Error::Duplicate => Self::Duplicate,
            ratchet::Error::GapTooLarge => Self::GapTooLarge,
            ratchet::Error::Forked => Self::Forked,
            ratchet::Error::ChainExhausted => Self::ChainExhausted,
            ratchet::Error::ReceiveOnly => Self::NoSession,
            ratchet::Error::TooLong => Self::TooLong,
            ratchet::Error::Rng => Self::Rng,
        }
    }
}

impl From<state::Error> for Error {
    fn from(error: state::Error) -> Self {
        match error {
            state::Error::Integrity => Self::Integrity,
            state::Error::UnknownVersion => Self::UnknownVersion,
            state::Error::TooLong => Self::TooLong,
            state::Error::Rng => Self::Rng,
        }
    }
}

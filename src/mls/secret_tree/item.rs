//! Which records an epoch's message keys have (SPEC §22.6).

use crate::mls::framing::ContentType;
use crate::mls::math::LeafIndex;

/// Which of a sender's two ratchets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::mls) enum RatchetKind {
    Handshake,
    Application,
}

impl From<ContentType> for RatchetKind {
    fn from(content_type: ContentType) -> Self {
        match content_type {
            ContentType::Application => Self::Application,
            ContentType::Proposal | ContentType::Commit => Self::Handshake,
        }
    }
}

/// Skipped keys in one record.
const PAGE: u32 = 8;

/// The record that has the key at this position.
pub(super) const fn page_of(position: u32) -> u32 {
    position / PAGE
}

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::mls) enum Item {
    /// The encryption secret, or who was reached first.
    Root,
    /// A sender's ratchets, without their skipped keys.
    Sender(LeafIndex),
    /// What lies beside a sender's path.
    Path(LeafIndex),
    /// Keys that were skipped.
    Skipped(LeafIndex, RatchetKind, u32),
}

impl RatchetKind {
    /// Its number in names of records.
    pub(in crate::mls) const fn number(self) -> u8 {
        match self {
            Self::Handshake => 0,
            Self::Application => 1,
        }
    }
}

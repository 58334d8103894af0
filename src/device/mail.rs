//! What goes in and out of a device: messages received, and messages sealed.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroize;

use super::group_id::GroupId;
use crate::identity::{AccountId, Address};
use crate::session::Opened;

/// What a received message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A message to this account.
    Message,
    /// A copy of what another device of this account sent.
    Copy {
        /// To whom it was sent.
        to: AccountId,
    },
    /// A message to a group that this device is a member of.
    Group {
        /// Which one.
        group: GroupId,
    },
    /// Made by a later version: the whole body, for the release that can read it.
    Unknown,
}

/// What was odd about a message. Its text is genuine all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// The peer's device was set back to an older state of itself, or exists twice (SPEC §9.5-R3).
    pub forked: bool,
    /// Over 2,000 messages before it are missing, and were given up.
    pub gap_dropped: bool,
    /// The post-quantum exchange went wrong: no new secrets come of it until the conversation is begun anew.
    pub pq_broken: bool,
    /// It came in a state that no longer sends.
    pub old_state: bool,
}

impl Notices {
    pub(super) const fn of(opened: &Opened) -> Self {
        Self {
            forked: opened.forked,
            gap_dropped: opened.gap_dropped,
            pq_broken: opened.pq_broken,
            old_state: opened.old_state,
        }
    }

    pub(super) fn to_bits(self) -> u8 {
        let Self {
            forked,
            gap_dropped,
            pq_broken,
            old_state,
        } = self;
        u8::from(forked)
            | u8::from(gap_dropped) << 1
            | u8::from(pq_broken) << 2
            | u8::from(old_state) << 3
    }

    pub(super) const fn from_bits(bits: u8) -> Option<Self> {
        if bits > 0x0f {
            return None;
        }
        Some(Self {
            forked: bits & 1 != 0,
            gap_dropped: bits & 2 != 0,
            pq_broken: bits & 4 != 0,
            old_state: bits & 8 != 0,
        })
    }
}

/// A message received. It is given out again after a crash until the app says that it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// Names it in this device's inbox; grows with every message.
    pub id: u64,
    /// The device that sealed it.
    pub from: Address,
    /// When this device opened it, Unix milliseconds.
    pub received_at: u64,
    /// What it is.
    pub content: Content,
    /// The text.
    pub text: Vec<u8>,
    /// What was odd about it.
    pub notices: Notices,
}

impl Received {
    /// The account that sealed it.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        AccountId::of(&self.from).map(|(account, _)| account)
    }

    /// Overwrites the text, of a message that nobody gets.
    pub(super) fn forget(&mut self) {
        self.text.zeroize();
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            from,
            received_at,
            content,
            text,
            notices,
        } = self;
        f.debug_struct("Received")
            .field("id", id)
            .field("from", from)
            .field("received_at", received_at)
            .field("content", content)
            .field("text", &format_args!("{} bytes", text.len()))
            .field("notices", notices)
            .finish()
    }
}

/// One copy of a message, sealed for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The device that it is for.
    pub to: Address,
    /// What the server carries: the same bytes however often it is asked for.
    pub message: Vec<u8>,
}

/// A message to be sent.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The app's own name of it, 1 to 64 bytes. Sending under a name that is still in the outbox gives the same bytes.
    pub id: &'a [u8],
    /// To whom; one's own account for a note to one's own other devices.
    pub to: AccountId,
    /// The text, at most [`TEXT_MAX`](super::TEXT_MAX) bytes.
    pub text: &'a [u8],
    /// Send although some device cannot be reached.
    pub partial: bool,
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            to,
            text,
            partial,
        } = self;
        f.debug_struct("Outgoing")
            .field("id", &format_args!("\"{}\"", id.escape_ascii()))
            .field("to", to)
            .field("text", &format_args!("{} bytes", text.len()))
            .field("partial", partial)
            .finish()
    }
}

/// A message in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The app's own name of it.
    pub id: Vec<u8>,
    /// To whom.
    pub to: AccountId,
    /// One copy for every device that it was sealed for.
    pub copies: Vec<Sealed>,
}

//! What goes in and out of a group of devices.

use alloc::vec::Vec;
use core::fmt;

use super::Error;
use super::group_id::GroupId;
use super::mail::Received;
use crate::identity::{AccountId, Address};

/// A message to a group.
#[derive(Clone, Copy)]
pub struct GroupOutgoing<'a> {
    /// The app's own name of it, 1 to 64 bytes. Sending under a name that is still in the outbox gives the same bytes.
    pub id: &'a [u8],
    /// The group.
    pub group: GroupId,
    /// The text, at most [`TEXT_MAX`](super::TEXT_MAX) bytes.
    pub text: &'a [u8],
}

impl fmt::Debug for GroupOutgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupOutgoing")
            .field("id", &format_args!("\"{}\"", self.id.escape_ascii()))
            .field("group", &self.group)
            .field("text", &format_args!("{} bytes", self.text.len()))
            .finish()
    }
}

/// A change of a group: what was proposed in the epoch, and this. Without anything it gives this device new keys.
#[derive(Clone, Copy, Debug)]
pub struct GroupChange<'a> {
    /// The app's own name of it, 1 to 64 bytes, as of a message.
    pub id: &'a [u8],
    /// The group.
    pub group: GroupId,
    /// Key packages of devices that become members.
    pub add: &'a [&'a [u8]],
    /// Devices that are members and shall not be.
    pub remove: &'a [Address],
}

/// What a message to a group is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupContent {
    /// A text.
    Message,
    /// A proposal, such as that of a device that leaves.
    Proposal,
    /// A commit: the group changes once the delivery service has taken it, and no other commit of the same epoch.
    Commit {
        /// For those who are added, to be delivered once the commit was taken.
        welcome: Option<Vec<u8>>,
        /// Who they are: those whom others have proposed to add as well.
        added: Vec<Address>,
    },
}

/// A message to a group, in the outbox until the app says what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSent {
    /// The app's own name of it.
    pub id: Vec<u8>,
    /// The group.
    pub group: GroupId,
    /// What the delivery service carries to all members: the same bytes however often it is asked for.
    pub message: Vec<u8>,
    /// What it is.
    pub content: GroupContent,
}

/// Key packages for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKeyPackages {
    /// Handed out when no other is left; replaces the one that the server has, if there is one here.
    pub last_resort: Option<Vec<u8>>,
    /// Each is handed out once.
    pub one_time: Vec<Vec<u8>>,
}

/// What happened in groups.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupEvent {
    /// A message was read. It stays in the inbox until the app calls `read`.
    Message(Received),
    /// This device became a member.
    Joined {
        /// Of which group.
        group: GroupId,
    },
    /// A commit was taken: the group is in its next epoch.
    Changed {
        /// Which group.
        group: GroupId,
        /// The epoch.
        epoch: u64,
        /// Whose commit it was.
        by: Address,
        /// Who became a member.
        added: Vec<Address>,
        /// Who is no member any more.
        removed: Vec<Address>,
    },
    /// A proposal waits to be committed, by any member.
    Proposed {
        /// In which group.
        group: GroupId,
        /// Whose it is.
        by: Address,
    },
    /// This device is no member any more. What it has of the group stays until `forget_group`.
    Left {
        /// Of which group.
        group: GroupId,
    },
    /// The message is of an epoch to come. It is *not* dealt with: hand it in again after the commits that are missing.
    Early {
        /// Which one of those handed in.
        message: usize,
        /// In which group.
        group: GroupId,
    },
    /// Device lists are not known that the message needs, or one before it in its group. It is *not* dealt with: fetch them,
    /// call `update_list`, and hand the message in again.
    ListsNeeded {
        /// Which one of those handed in.
        message: usize,
        /// The accounts.
        accounts: Vec<AccountId>,
    },
    /// A message was refused. It is dealt with: the server need not keep it.
    Rejected {
        /// Which one of those handed in.
        message: usize,
        /// In which group, if it is one of this device's.
        group: Option<GroupId>,
        /// Why, for the local app only.
        error: Error,
    },
}

//! Messages that were sealed.

use alloc::vec::Vec;

use subrosa::Address;
use subrosa::device::{GroupContent, GroupSent, Sent};

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::{Status, subrosa_status};
use crate::value::{SUBROSA_ACCOUNT, SUBROSA_GROUP, subrosa_address, subrosa_bytes};

/// To the devices of an account.
pub const SUBROSA_SENT_ACCOUNT: i32 = 1;
/// To the members of a group.
pub const SUBROSA_SENT_GROUP: i32 = 2;
/// A proposal, such as that of a device that leaves its group.
pub const SUBROSA_SENT_PROPOSAL: i32 = 3;
/// A change of a group.
pub const SUBROSA_SENT_CHANGE: i32 = 4;

/// Messages that were sealed.
pub enum subrosa_outbox {
    /// One, for which nothing more is allocated.
    One([Sent; 1]),
    /// Any number.
    Many(Vec<Sent>),
    /// One to a group.
    Group([GroupSent; 1]),
    /// Any number to groups.
    Groups(Vec<GroupSent>),
}

/// One of them.
enum Message<'a> {
    Account(&'a Sent),
    Group(&'a GroupSent),
}

impl subrosa_outbox {
    /// Those to accounts and those to groups: of one of the two there are none.
    fn messages(&self) -> (&[Sent], &[GroupSent]) {
        match self {
            Self::One(sent) => (sent, &[]),
            Self::Many(sent) => (sent, &[]),
            Self::Group(sent) => (&[], sent),
            Self::Groups(sent) => (&[], sent),
        }
    }

    fn len(&self) -> usize {
        let (to_accounts, to_groups) = self.messages();
        to_accounts.len().saturating_add(to_groups.len())
    }

    fn message(&self, index: usize) -> Result<Message<'_>, Status> {
        let (to_accounts, to_groups) = self.messages();
        let to_account = to_accounts.get(index).map(Message::Account);
        to_account
            .or_else(|| to_groups.get(index).map(Message::Group))
            .ok_or(Status::RANGE)
    }
}

impl Message<'_> {
    fn read(&self) -> subrosa_sent {
        let new = subrosa_sent {
            struct_size: size_of::<subrosa_sent>(),
            id: subrosa_bytes::NONE,
            to: [0; SUBROSA_ACCOUNT],
            copies: 0,
            // Of a later version of the device than this interface: a message of no kind.
            kind: 0,
            group: [0; SUBROSA_GROUP],
        };
        match self {
            Self::Account(sent) => subrosa_sent {
                id: subrosa_bytes::of(&sent.id),
                to: *sent.to.as_bytes(),
                copies: sent.copies.len(),
                kind: SUBROSA_SENT_ACCOUNT,
                ..new
            },
            Self::Group(sent) => subrosa_sent {
                id: subrosa_bytes::of(&sent.id),
                copies: invited(sent).1.len().saturating_add(1),
                kind: match sent.content {
                    GroupContent::Message => SUBROSA_SENT_GROUP,
                    GroupContent::Proposal => SUBROSA_SENT_PROPOSAL,
                    GroupContent::Commit { .. } => SUBROSA_SENT_CHANGE,
                    _ => new.kind,
                },
                group: *sent.group.as_bytes(),
                ..new
            },
        }
    }

    fn copy(&self, number: usize) -> Result<subrosa_copy, Status> {
        let (to, message) = match (self, number.checked_sub(1)) {
            (Self::Account(sent), _) => {
                let copy = sent.copies.get(number).ok_or(Status::RANGE)?;
                (subrosa_address::of(&copy.to), &copy.message)
            }
            (Self::Group(sent), None) => (subrosa_address::NONE, &sent.message),
            (Self::Group(sent), Some(place)) => {
                let (welcome, added) = invited(sent);
                let to = added.get(place).ok_or(Status::RANGE)?;
                (subrosa_address::of(to), welcome.ok_or(Status::RANGE)?)
            }
        };
        Ok(subrosa_copy {
            struct_size: size_of::<subrosa_copy>(),
            to,
            message: subrosa_bytes::of(message),
        })
    }
}

/// The Welcome of a change, and for whom it is.
fn invited(sent: &GroupSent) -> (Option<&Vec<u8>>, &[Address]) {
    match &sent.content {
        GroupContent::Commit {
            welcome: Some(welcome),
            added,
        } => (Some(welcome), added),
        _ => (None, &[]),
    }
}

impl Object for subrosa_outbox {
    const KIND: usize = 5;
}

/// A message.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_sent {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// The app's own name of it.
    pub id: subrosa_bytes,
    /// To whom.
    pub to: [u8; SUBROSA_ACCOUNT],
    /// How many copies there are.
    pub copies: usize,
    /// `SUBROSA_SENT_…`
    pub kind: i32,
    /// To which group.
    pub group: [u8; SUBROSA_GROUP],
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_sent {}

/// A copy of a message.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_copy {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// The device that it is for; none: for all members of a group.
    pub to: subrosa_address,
    /// What the server carries.
    pub message: subrosa_bytes,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_copy {}

/// How many messages there are.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_outbox_count(outbox: *const subrosa_outbox) -> usize {
    handle::shared(outbox).map_or(0, |outbox| outbox.len())
}

/// A message.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_outbox_get(
    outbox: *const subrosa_outbox,
    index: usize,
    sent: *mut subrosa_sent,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(sent) }?;
        let outbox = handle::shared(outbox)?;
        to.write(outbox.message(index)?.read());
        Ok(())
    })
}

/// A copy of a message.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_outbox_copy(
    outbox: *const subrosa_outbox,
    index: usize,
    copy: usize,
    sealed: *mut subrosa_copy,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(sealed) }?;
        let outbox = handle::shared(outbox)?;
        to.write(outbox.message(index)?.copy(copy)?);
        Ok(())
    })
}

/// Frees them.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_outbox_free(outbox: *mut subrosa_outbox) -> subrosa_status {
    call(|| handle::free(outbox))
}

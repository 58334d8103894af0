//! What happened.

use alloc::vec::Vec;

use subrosa::device::{Content, Event, GroupEvent, Notices, Received};
use zeroize::Zeroize;

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::{SUBROSA_OK, Status, action, subrosa_action, subrosa_status};
use crate::value::{SUBROSA_ACCOUNT, SUBROSA_GROUP, subrosa_address, subrosa_bytes};

mod groups;

pub use groups::*;

/// A message was read.
pub const SUBROSA_EVENT_MESSAGE: i32 = 1;
/// A message was refused.
pub const SUBROSA_EVENT_REJECTED: i32 = 2;
/// A message of a device on no known list.
pub const SUBROSA_EVENT_LIST_NEEDED: i32 = 3;
/// Somebody has seen a newer list.
pub const SUBROSA_EVENT_LIST_BEHIND: i32 = 4;
/// Somebody was shown another list of the same version.
pub const SUBROSA_EVENT_EQUIVOCATION: i32 = 5;
/// A device was added to an account.
pub const SUBROSA_EVENT_DEVICE_ADDED: i32 = 6;
/// A device was removed from its account.
pub const SUBROSA_EVENT_DEVICE_REMOVED: i32 = 7;
/// The account's keys were replaced.
pub const SUBROSA_EVENT_KEY_CHANGED: i32 = 8;
/// This device is no longer on its account's list.
pub const SUBROSA_EVENT_UNLINKED: i32 = 9;
/// The conversation is to be begun anew.
pub const SUBROSA_EVENT_BEGIN_ANEW: i32 = 10;
/// The device exists twice, or was set back.
pub const SUBROSA_EVENT_FORK_SUSPECTED: i32 = 11;

/// A message to this account.
pub const SUBROSA_CONTENT_MESSAGE: i32 = 1;
/// A copy of what another device of this account sent.
pub const SUBROSA_CONTENT_COPY: i32 = 2;
/// Made by a later version.
pub const SUBROSA_CONTENT_UNKNOWN: i32 = 3;
/// A message to a group.
pub const SUBROSA_CONTENT_GROUP: i32 = 4;

/// The peer's device was set back, or exists twice.
pub const SUBROSA_NOTICE_FORKED: u32 = 1;
/// Messages before it are missing, and were given up.
pub const SUBROSA_NOTICE_GAP_DROPPED: u32 = 2;
/// The post-quantum exchange went wrong.
pub const SUBROSA_NOTICE_PQ_BROKEN: u32 = 4;
/// It came in a state that no longer sends.
pub const SUBROSA_NOTICE_OLD_STATE: u32 = 8;

/// No envelope.
pub const SUBROSA_NO_ENVELOPE: usize = usize::MAX;

/// What happened, in order.
pub enum subrosa_events {
    /// Between devices.
    Devices(Vec<Event>),
    /// In groups.
    Groups(Vec<InGroup>),
}

impl Object for subrosa_events {
    const KIND: usize = 6;
}

impl subrosa_events {
    /// Messages of the inbox.
    pub(crate) fn messages(received: Vec<Received>) -> Self {
        Self::Devices(received.into_iter().map(Event::Message).collect())
    }

    /// What happened in groups.
    pub(crate) fn of_groups(events: Vec<GroupEvent>) -> Self {
        Self::Groups(groups::told(events))
    }

    fn len(&self) -> usize {
        match self {
            Self::Devices(events) => events.len(),
            Self::Groups(events) => events.len(),
        }
    }

    fn get(&self, index: usize) -> Option<subrosa_event> {
        match self {
            Self::Devices(events) => events.get(index).map(subrosa_event::of),
            Self::Groups(events) => events.get(index).map(subrosa_event::of_group),
        }
    }
}

impl Drop for subrosa_events {
    fn drop(&mut self) {
        match self {
            Self::Devices(events) => {
                for event in events {
                    if let Event::Message(received) = event {
                        received.text.zeroize();
                    }
                }
            }
            Self::Groups(events) => {
                for event in events {
                    if let InGroup::Event(GroupEvent::Message(received)) = event {
                        received.text.zeroize();
                    }
                }
            }
        }
    }
}

/// An event.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_event {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// `SUBROSA_EVENT_…`
    pub kind: i32,
    /// Why a message was refused.
    pub status: subrosa_status,
    /// What to do.
    pub action: subrosa_action,
    /// What a message is.
    pub content: i32,
    /// What was odd about a message.
    pub notices: u32,
    /// Of whom.
    pub address: subrosa_address,
    /// Which of the envelopes or messages that were handed in.
    pub envelope: usize,
    /// The version of a list that was seen.
    pub version: u64,
    /// The name of a message in the inbox.
    pub id: u64,
    /// When a message was read.
    pub received_at: u64,
    /// To whom a copy was sent.
    pub to: [u8; SUBROSA_ACCOUNT],
    /// The text of a message.
    pub text: subrosa_bytes,
    /// In which group.
    pub group: [u8; SUBROSA_GROUP],
    /// The epoch of a group.
    pub epoch: u64,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_event {}

impl subrosa_event {
    const fn new(kind: i32, address: subrosa_address) -> Self {
        Self {
            struct_size: size_of::<Self>(),
            kind,
            status: SUBROSA_OK,
            action: 0,
            content: 0,
            notices: 0,
            address,
            envelope: SUBROSA_NO_ENVELOPE,
            version: 0,
            id: 0,
            received_at: 0,
            to: [0; SUBROSA_ACCOUNT],
            text: subrosa_bytes::NONE,
            group: [0; SUBROSA_GROUP],
            epoch: 0,
        }
    }

    fn of_message(received: &Received) -> Self {
        let new = Self::new(SUBROSA_EVENT_MESSAGE, subrosa_address::of(&received.from));
        let (content, to, group) = match received.content {
            Content::Message => (SUBROSA_CONTENT_MESSAGE, new.to, new.group),
            Content::Copy { to } => (SUBROSA_CONTENT_COPY, *to.as_bytes(), new.group),
            Content::Group { group } => (SUBROSA_CONTENT_GROUP, new.to, *group.as_bytes()),
            _ => (SUBROSA_CONTENT_UNKNOWN, new.to, new.group),
        };
        Self {
            content,
            to,
            group,
            notices: notices(received.notices),
            id: received.id,
            received_at: received.received_at,
            text: subrosa_bytes::of(&received.text),
            ..new
        }
    }

    fn of(event: &Event) -> Self {
        let of_account = subrosa_address::of_account;
        match event {
            Event::Message(received) => Self::of_message(received),
            Event::Rejected {
                envelope,
                from,
                error,
                action: what,
            } => Self {
                envelope: *envelope,
                status: Status::from(*error).0,
                action: action(*what),
                ..Self::new(
                    SUBROSA_EVENT_REJECTED,
                    from.as_ref()
                        .map_or(subrosa_address::NONE, subrosa_address::of),
                )
            },
            Event::ListNeeded { envelope, account } => Self {
                envelope: *envelope,
                ..Self::new(SUBROSA_EVENT_LIST_NEEDED, of_account(account))
            },
            Event::ListBehind { account, version } => Self {
                version: *version,
                ..Self::new(SUBROSA_EVENT_LIST_BEHIND, of_account(account))
            },
            Event::Equivocation { account } => {
                Self::new(SUBROSA_EVENT_EQUIVOCATION, of_account(account))
            }
            Event::DeviceAdded(address) => {
                Self::new(SUBROSA_EVENT_DEVICE_ADDED, subrosa_address::of(address))
            }
            Event::DeviceRemoved(address) => {
                Self::new(SUBROSA_EVENT_DEVICE_REMOVED, subrosa_address::of(address))
            }
            Event::KeyChanged { account } => {
                Self::new(SUBROSA_EVENT_KEY_CHANGED, of_account(account))
            }
            Event::Unlinked => Self::new(SUBROSA_EVENT_UNLINKED, subrosa_address::NONE),
            Event::BeginAnew(address) => {
                Self::new(SUBROSA_EVENT_BEGIN_ANEW, subrosa_address::of(address))
            }
            Event::ForkSuspected(address) => {
                Self::new(SUBROSA_EVENT_FORK_SUSPECTED, subrosa_address::of(address))
            }
            // Of a later version of the device than this interface: an event of no kind.
            _ => Self::new(0, subrosa_address::NONE),
        }
    }
}

fn notices(notices: Notices) -> u32 {
    [
        (notices.forked, SUBROSA_NOTICE_FORKED),
        (notices.gap_dropped, SUBROSA_NOTICE_GAP_DROPPED),
        (notices.pq_broken, SUBROSA_NOTICE_PQ_BROKEN),
        (notices.old_state, SUBROSA_NOTICE_OLD_STATE),
    ]
    .into_iter()
    .filter(|(there, _)| *there)
    .fold(0, |bits, (_, bit)| bits | bit)
}

/// How many events there are.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_events_count(events: *const subrosa_events) -> usize {
    handle::shared(events).map_or(0, |events| events.len())
}

/// An event.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_events_get(
    events: *const subrosa_events,
    index: usize,
    event: *mut subrosa_event,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(event) }?;
        let events = handle::shared(events)?;
        to.write(events.get(index).ok_or(Status::RANGE)?);
        Ok(())
    })
}

/// Frees them, and overwrites the texts.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_events_free(events: *mut subrosa_events) -> subrosa_status {
    call(|| handle::free(events))
}

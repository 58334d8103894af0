//! What happened in groups: each device and each account that something happened to is an event of its own.

use alloc::vec::Vec;

use subrosa::Address;
use subrosa::device::{GroupEvent, GroupId};
use subrosa::identity::AccountId;

use crate::status::{Status, subrosa_status_action};
use crate::value::subrosa_address;

use super::*;

/// This device became a member of a group.
pub const SUBROSA_EVENT_GROUP_JOINED: i32 = 12;
/// A change was taken.
pub const SUBROSA_EVENT_GROUP_CHANGED: i32 = 13;
/// A device became a member.
pub const SUBROSA_EVENT_GROUP_ADDED: i32 = 14;
/// A device is no member any more.
pub const SUBROSA_EVENT_GROUP_REMOVED: i32 = 15;
/// A proposal waits for a change.
pub const SUBROSA_EVENT_GROUP_PROPOSED: i32 = 16;
/// This device is no member any more.
pub const SUBROSA_EVENT_GROUP_LEFT: i32 = 17;
/// A message of an epoch to come.
pub const SUBROSA_EVENT_GROUP_EARLY: i32 = 18;

/// What happened in a group, as one event of this interface.
pub enum InGroup {
    /// An event with one device or none.
    Event(GroupEvent),
    /// A change, without those whom it adds and removes.
    Changed {
        /// Of which group.
        group: GroupId,
        /// Its epoch.
        epoch: u64,
        /// Whose change it was.
        by: Address,
    },
    /// A device became a member.
    Added(GroupId, Address),
    /// A device is no member any more.
    Removed(GroupId, Address),
    /// A message waits for an account's device lists.
    ListNeeded(usize, AccountId),
}

/// Events of a call.
pub(super) fn told(events: Vec<GroupEvent>) -> Vec<InGroup> {
    let mut told = Vec::with_capacity(events.len());
    for event in events {
        match event {
            GroupEvent::Changed {
                group,
                epoch,
                by,
                added,
                removed,
            } => {
                told.push(InGroup::Changed { group, epoch, by });
                let removed = removed.into_iter();
                told.extend(removed.map(|address| InGroup::Removed(group, address)));
                let added = added.into_iter();
                told.extend(added.map(|address| InGroup::Added(group, address)));
            }
            GroupEvent::ListsNeeded { message, accounts } => {
                let accounts = accounts.into_iter();
                told.extend(accounts.map(|account| InGroup::ListNeeded(message, account)));
            }
            event => told.push(InGroup::Event(event)),
        }
    }
    told
}

impl subrosa_event {
    /// An event of this group.
    fn in_group(kind: i32, group: &GroupId, address: subrosa_address) -> Self {
        Self {
            group: *group.as_bytes(),
            ..Self::new(kind, address)
        }
    }

    pub(super) fn of_group(told: &InGroup) -> Self {
        let (new, of, nobody) = (Self::in_group, subrosa_address::of, subrosa_address::NONE);
        match told {
            InGroup::Changed { group, epoch, by } => Self {
                epoch: *epoch,
                ..new(SUBROSA_EVENT_GROUP_CHANGED, group, of(by))
            },
            InGroup::Added(group, address) => new(SUBROSA_EVENT_GROUP_ADDED, group, of(address)),
            InGroup::Removed(group, address) => {
                new(SUBROSA_EVENT_GROUP_REMOVED, group, of(address))
            }
            InGroup::ListNeeded(message, account) => Self {
                envelope: *message,
                ..Self::new(
                    SUBROSA_EVENT_LIST_NEEDED,
                    subrosa_address::of_account(account),
                )
            },
            InGroup::Event(event) => match event {
                GroupEvent::Message(received) => Self::of_message(received),
                GroupEvent::Joined { group } => new(SUBROSA_EVENT_GROUP_JOINED, group, nobody),
                GroupEvent::Proposed { group, by } => {
                    new(SUBROSA_EVENT_GROUP_PROPOSED, group, of(by))
                }
                GroupEvent::Left { group } => new(SUBROSA_EVENT_GROUP_LEFT, group, nobody),
                GroupEvent::Early { message, group } => Self {
                    envelope: *message,
                    ..new(SUBROSA_EVENT_GROUP_EARLY, group, nobody)
                },
                GroupEvent::Rejected {
                    message,
                    group,
                    error,
                } => {
                    let status = Status::from(*error).0;
                    let group = group.unwrap_or(GroupId::from_bytes([0; SUBROSA_GROUP]));
                    Self {
                        envelope: *message,
                        status,
                        action: subrosa_status_action(status),
                        ..new(SUBROSA_EVENT_REJECTED, &group, nobody)
                    }
                }
                // Of a later version of the device than this interface: an event of no kind.
                _ => Self::new(0, nobody),
            },
        }
    }
}

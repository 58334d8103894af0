//! What a device tells its app.

use super::mail::Received;
use crate::identity::{AccountId, Address};
use crate::session;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message was read. It stays in the inbox until the app calls `read`.
    Message(Received),
    /// A message was refused. It is dealt with: the server need not keep it.
    Rejected {
        /// Which one of those handed in.
        envelope: usize,
        /// In whose conversation, if it has one.
        from: Option<Address>,
        /// Why, for the local app only.
        error: session::Error,
        /// What to do.
        action: session::Action,
    },
    /// A first message of a device that no known list has. It is *not* dealt with: fetch the account's device list, call
    /// `update_list`, hand the message in again, and only then let the server forget it. If the newest list does not
    /// have the device either, call `refuse`.
    ListNeeded {
        /// Which one of those handed in.
        envelope: usize,
        /// The account that the sender claims.
        account: AccountId,
    },
    /// Somebody has seen a newer device list of the account than this device: fetch it, and wonder if the server has none.
    ListBehind {
        /// Whose list.
        account: AccountId,
        /// The version that was seen.
        version: u64,
    },
    /// Somebody was shown another device list of the same version: the account's key is misused, or was stolen.
    Equivocation {
        /// Whose list.
        account: AccountId,
    },
    /// A device was added to an account.
    DeviceAdded(Address),
    /// A device was taken off its account's list; the conversation with it is deleted.
    DeviceRemoved(Address),
    /// The account's keys were replaced with its recovery key. Nothing is sent to it before `approve`.
    KeyChanged {
        /// Whose keys.
        account: AccountId,
    },
    /// This device is no longer on its account's list.
    Unlinked,
    /// The conversation is to be begun anew: `unreached` lists the device from now on.
    BeginAnew(Address),
    /// The device exists twice, or was set back to an older state of itself.
    ForkSuspected(Address),
}

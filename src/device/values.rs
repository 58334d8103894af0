//! What a device stores beside its identity and its prekeys (SPEC §19.4): one file a kind of value.

mod account;
mod group;
mod group_outbox;
mod inbox;
mod index;
mod key_packages;
mod outbox;
mod peer;
mod root;

pub(super) use account::{Account, AccountSeed};
pub(super) use group::{GroupEntry, GroupList, GroupRecord};
pub(super) use group_outbox::GroupOutboxEntry;
pub(super) use inbox::{InboxEntry, SEQUENCE};
pub(super) use index::{Index, Indexed};
pub(super) use key_packages::{HeldKeyPackage, HeldKeyPackages};
pub(super) use outbox::{OutboxEntry, OutboxOrder};
pub(super) use peer::Peer;
pub(super) use root::{Ids, Root};

use crate::session::Error;
use crate::wire;

/// What stands in for the reader's errors: a stored value that is not what it was.
fn integrity(_: wire::Error) -> Error {
    Error::Integrity
}

//! Messages to groups that were made and not yet acknowledged.

use alloc::vec::Vec;

use crate::crypto::TryCryptoRng;
use crate::device::batch::Batch;
use crate::device::group_id::GroupId;
use crate::device::group_mail::{GroupContent, GroupSent};
use crate::device::limits::CLIENT_ID_MAX;
use crate::device::store::Store;
use crate::device::values::{GroupOutboxEntry, OutboxEntry, OutboxOrder};
use crate::device::{Device, Error};
use crate::memory;

impl<S: Store> Device<S> {
    /// A message to a group that was made and not yet acknowledged by [`group_sent`](Self::group_sent): the same bytes every
    /// time.
    ///
    /// # Errors
    /// Those of the store.
    pub fn retry_group<R: TryCryptoRng + ?Sized>(
        &mut self,
        id: &[u8],
        rng: &mut R,
    ) -> Result<Option<GroupSent>, Error> {
        self.transact(rng, |batch| batch.group_entry(id))
    }

    /// Up to `count` messages to groups that were made and not yet acknowledged, oldest first, from position `from` on; with
    /// the position to go on from. Positions are those of [`outbox`](Self::outbox).
    ///
    /// # Errors
    /// Those of the store.
    pub fn group_outbox<R: TryCryptoRng + ?Sized>(
        &mut self,
        from: u64,
        count: usize,
        rng: &mut R,
    ) -> Result<(Vec<GroupSent>, u64), Error> {
        self.transact(rng, |batch| {
            batch.list_outbox(from, count, Batch::group_entry)
        })
    }

    /// The delivery service has taken these messages: they leave the outbox. A commit leaves it by itself, when it or another
    /// one has come back by `receive_groups`.
    ///
    /// # Errors
    /// Those of the store and of the generator. A name that is not there, or is that of a commit, is no error.
    pub fn group_sent<R: TryCryptoRng + ?Sized>(
        &mut self,
        ids: &[&[u8]],
        rng: &mut R,
    ) -> Result<(), Error> {
        self.transact(rng, |batch| {
            for id in ids {
                let entry = batch.read::<GroupOutboxEntry>(id)?;
                let commit =
                    entry.is_some_and(|entry| matches!(entry.content, GroupContent::Commit { .. }));
                if !commit {
                    batch.drop_outbox_entry(id)?;
                }
            }
            Ok(())
        })
    }
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// What the outbox has for groups under a name.
    pub(super) fn group_entry(&mut self, id: &[u8]) -> Result<Option<GroupSent>, Error> {
        let entry = self.read::<GroupOutboxEntry>(id)?;
        Ok(entry.map(|entry| entry.sent(id)))
    }

    /// A name that a message may have: of what is there under it, if anything is.
    pub(super) fn named(&mut self, id: &[u8], group: &GroupId) -> Result<Option<GroupSent>, Error> {
        if id.is_empty() || id.len() > CLIENT_ID_MAX || self.exists::<OutboxEntry>(id)? {
            return Err(Error::ClientId);
        }
        let sent = self.group_entry(id)?;
        match sent {
            Some(sent) if sent.group != *group => Err(Error::ClientId),
            sent => Ok(sent),
        }
    }

    /// Puts a message into the outbox.
    pub(super) fn put_group_entry(
        &mut self,
        id: &[u8],
        group: GroupId,
        message: Vec<u8>,
        content: GroupContent,
    ) -> Result<GroupSent, Error> {
        let order = self.root.outbox.take()?;
        let entry = GroupOutboxEntry {
            order,
            group,
            message,
            content,
        };
        self.put(id, &entry)?;
        self.put(&order.to_be_bytes(), &OutboxOrder(memory::copied(id)))?;
        Ok(entry.sent(id))
    }

    /// Takes a message out of the outbox, if it is there.
    pub(super) fn drop_outbox_entry(&mut self, id: &[u8]) -> Result<(), Error> {
        if let Some(entry) = self.read::<GroupOutboxEntry>(id)? {
            self.delete::<GroupOutboxEntry>(id);
            self.delete::<OutboxOrder>(&entry.order.to_be_bytes());
            let outbox = self.root.outbox;
            self.root.outbox = self.move_up::<OutboxOrder>(outbox)?;
        }
        Ok(())
    }
}

//! Inbox and outbox: what survives a crash until the app has acknowledged it.

use alloc::vec::Vec;

use super::batch::Batch;
use super::mail::{Received, Sent};
use super::store::Store;
use super::values::{Ids, InboxEntry, OutboxEntry, OutboxOrder, SEQUENCE};
use super::{Device, Error};
use crate::crypto::TryCryptoRng;
use crate::memory;
use crate::session::Encoding;

impl<S: Store> Device<S> {
    /// Up to `count` messages that were received and not yet [`read`](Self::read), from the id `from` on, oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub fn inbox<R: TryCryptoRng + ?Sized>(
        &mut self,
        from: u64,
        count: usize,
        rng: &mut R,
    ) -> Result<Vec<Received>, Error> {
        let mut received = Vec::new();
        let read = self.transact(rng, |batch| {
            let ids = batch.root.inbox;
            let mut sequence = (from & SEQUENCE).max(ids.first);
            while sequence < ids.next && received.len() < count {
                if let Some(entry) = batch.read::<InboxEntry>(&sequence.to_be_bytes())? {
                    memory::push(&mut received, entry.received(sequence));
                }
                sequence = sequence.saturating_add(1);
            }
            Ok(())
        });
        if read.is_err() {
            received.iter_mut().for_each(Received::forget);
        }
        read.map(|()| received)
    }

    /// The app has these messages: they are not given out again.
    ///
    /// # Errors
    /// Those of the store and of the generator. An id that is not there is no error.
    pub fn read<R: TryCryptoRng + ?Sized>(
        &mut self,
        ids: &[u64],
        rng: &mut R,
    ) -> Result<(), Error> {
        self.transact(rng, |batch| {
            for id in ids {
                let sequence = id & SEQUENCE;
                let name = sequence.to_be_bytes();
                // Before a backup was restored, the same place may have had another message.
                if batch
                    .read::<InboxEntry>(&name)?
                    .is_some_and(|entry| entry.id(sequence) == *id)
                {
                    batch.delete::<InboxEntry>(&name);
                }
            }
            let inbox = batch.root.inbox;
            batch.root.inbox = batch.move_up::<InboxEntry>(inbox)?;
            Ok(())
        })
    }

    /// A message that was sealed and not yet acknowledged by [`sent`](Self::sent): the same bytes every time.
    ///
    /// # Errors
    /// Those of the store.
    pub fn retry<R: TryCryptoRng + ?Sized>(
        &mut self,
        id: &[u8],
        rng: &mut R,
    ) -> Result<Option<Sent>, Error> {
        self.transact(rng, |batch| batch.outbox_entry(id))
    }

    /// Up to `count` messages that were sealed and not yet acknowledged, oldest first, from position `from` on; with the
    /// position to go on from.
    ///
    /// # Errors
    /// Those of the store.
    pub fn outbox<R: TryCryptoRng + ?Sized>(
        &mut self,
        from: u64,
        count: usize,
        rng: &mut R,
    ) -> Result<(Vec<Sent>, u64), Error> {
        self.transact(rng, |batch| {
            batch.list_outbox(from, count, Batch::outbox_entry)
        })
    }

    /// The server has taken every copy of these messages: they leave the outbox.
    ///
    /// # Errors
    /// Those of the store and of the generator. A name that is not there is no error.
    pub fn sent<R: TryCryptoRng + ?Sized>(
        &mut self,
        ids: &[&[u8]],
        rng: &mut R,
    ) -> Result<(), Error> {
        self.transact(rng, |batch| {
            for id in ids {
                if let Some(entry) = batch.read::<OutboxEntry>(id)? {
                    batch.delete::<OutboxEntry>(id);
                    batch.delete::<OutboxOrder>(&entry.order.to_be_bytes());
                }
            }
            let outbox = batch.root.outbox;
            batch.root.outbox = batch.move_up::<OutboxOrder>(outbox)?;
            Ok(())
        })
    }
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// Up to `count` messages of the outbox, of those for which `entry` finds one under the name, from a position on; with the
    /// position to go on from.
    pub(super) fn list_outbox<T>(
        &mut self,
        from: u64,
        count: usize,
        mut entry: impl FnMut(&mut Self, &[u8]) -> Result<Option<T>, Error>,
    ) -> Result<(Vec<T>, u64), Error> {
        let ids = self.root.outbox;
        let mut sent = Vec::new();
        let mut position = from.max(ids.first);
        while position < ids.next && sent.len() < count {
            if let Some(OutboxOrder(id)) = self.read(&position.to_be_bytes())?
                && let Some(entry) = entry(self, &id)?
            {
                memory::push(&mut sent, entry);
            }
            position = position.saturating_add(1);
        }
        Ok((sent, position))
    }

    /// Puts a message that was read into the inbox, and gives it for the app.
    pub(super) fn put_inbox(&mut self, entry: &InboxEntry) -> Result<Received, Error> {
        let sequence = self.root.inbox.take()?;
        self.put(&sequence.to_be_bytes(), entry)?;
        Ok(entry.received(sequence))
    }

    /// Moves the first id up to the first entry that is there. Each is passed once.
    pub(super) fn move_up<T: Encoding>(&mut self, mut ids: Ids) -> Result<Ids, Error> {
        while ids.first < ids.next && !self.exists::<T>(&ids.first.to_be_bytes())? {
            ids.first = ids.first.saturating_add(1);
        }
        Ok(ids)
    }

    /// What the outbox has under a name.
    pub(super) fn outbox_entry(&mut self, id: &[u8]) -> Result<Option<Sent>, Error> {
        Ok(self.read::<OutboxEntry>(id)?.map(|entry| Sent {
            id: memory::copied(id),
            to: entry.to,
            copies: entry.copies,
        }))
    }
}

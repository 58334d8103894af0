//! Groups of devices: MLS (RFC 9420), whose members are devices of accounts (SPEC §19.9).
//!
//! ```text
//! one's own change:   change_group ──► outbox ──► delivery service ──► receive_groups (one's own commit comes back)
//!                                                       │
//!                                                       └─ another commit was taken: receive_groups, and the change is gone
//! ```
//!
//! Of all commits of an epoch the delivery service takes one, and gives it to all members in the same order.

mod change;
mod credentials;
mod key_packages;
mod outbox;
mod receive;
mod time;

use alloc::vec::Vec;

use super::batch::Batch;
use super::group_id::GroupId;
use super::store::Store;
use super::values::{GroupEntry, GroupList};
use super::{Device, Error};
use crate::crypto::TryCryptoRng;
use crate::crypto::hedge::fresh;
use crate::identity::Address;
use crate::memory;
use crate::mls::{Extensions, Founder, Lifetime, Member};
use crate::session;

use super::limits::KEY_PACKAGE_LIFETIME;
use credentials::{SUITE, address_of, client, signer};
use time::seconds;

impl<S: Store> Device<S> {
    /// Makes a group with this device as its only member.
    ///
    /// # Errors
    /// [`Error::NotLinked`]; those of the store and of the generator.
    pub fn create_group<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: u64,
        rng: &mut R,
    ) -> Result<GroupId, Error> {
        self.transact(rng, |batch| {
            batch.own_account()?;
            let random = fresh(batch.rng).map_err(|_| Error::Session(session::Error::Rng))?;
            let id = GroupId::from_bytes(*random.expose());
            let founder = Founder {
                signer: signer(batch.identity)?,
                client: client(batch.identity),
                lifetime: Lifetime::from_now(seconds(now), KEY_PACKAGE_LIFETIME),
            };
            let extensions = Extensions::new();
            let member = Member::create(SUITE, id.as_bytes(), extensions, founder, batch.rng)?;
            batch.enter_group(id, member)?;
            Ok(id)
        })
    }

    /// Every group that this device has something of, the one that was entered last first.
    ///
    /// # Errors
    /// Those of the store.
    pub fn groups<R: TryCryptoRng + ?Sized>(&mut self, rng: &mut R) -> Result<Vec<GroupId>, Error> {
        self.transact(rng, |batch| {
            let mut all = Vec::new();
            let mut next = batch.read::<GroupList>(&[])?.unwrap_or_default().first;
            while let Some(id) = next {
                memory::push(&mut all, id);
                next = batch.entry(&id)?.next;
            }
            Ok(all)
        })
    }

    /// The members of a group, in the order of their places, this device included.
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the store.
    pub fn group_members<R: TryCryptoRng + ?Sized>(
        &mut self,
        group: &GroupId,
        rng: &mut R,
    ) -> Result<Vec<Address>, Error> {
        self.transact(rng, |batch| {
            let mut members = Vec::new();
            for (_, leaf) in batch.group(group)?.member.leaves() {
                if let Some(address) = address_of(&leaf.credential) {
                    memory::push(&mut members, address);
                }
            }
            Ok(members)
        })
    }

    /// The epoch of a group, and its authenticator: members that compare it know that they are in the same group, and
    /// nobody between them (RFC 9420 §8.7).
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the store.
    pub fn group_epoch<R: TryCryptoRng + ?Sized>(
        &mut self,
        group: &GroupId,
        rng: &mut R,
    ) -> Result<(u64, [u8; 32]), Error> {
        self.transact(rng, |batch| {
            let member = &batch.group(group)?.member;
            Ok((member.epoch(), *member.epoch_authenticator()))
        })
    }

    /// Deletes everything that is known of a group. To the other members this device stays one of them, unless it was
    /// removed: see [`leave_group`](Self::leave_group). What is in the inbox stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], and those of the store and of the generator.
    pub fn forget_group<R: TryCryptoRng + ?Sized>(
        &mut self,
        group: &GroupId,
        rng: &mut R,
    ) -> Result<(), Error> {
        self.transact(rng, |batch| {
            let entry = batch.group(group)?.entry.clone();
            batch.drop_outbox_entry(&entry.commit)?;
            match entry.previous {
                Some(previous) => {
                    batch.change_entry(&previous, |other| other.next = entry.next)?;
                }
                None => batch.put(&[], &GroupList { first: entry.next })?,
            }
            if let Some(next) = entry.next {
                batch.change_entry(&next, |other| other.previous = entry.previous)?;
            }
            batch.delete_group(group)
        })
    }
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// A group's entry, whether or not the group is in memory.
    fn entry(&mut self, id: &GroupId) -> Result<GroupEntry, Error> {
        if let Some(group) = self.open_group(id) {
            return Ok(group.entry.clone());
        }
        self.read::<GroupEntry>(id.as_bytes())?
            .ok_or(Error::Session(session::Error::Integrity))
    }

    fn change_entry(
        &mut self,
        id: &GroupId,
        change: impl FnOnce(&mut GroupEntry),
    ) -> Result<(), Error> {
        if let Some(group) = self.open_group(id) {
            change(&mut group.entry);
            group.entry_changed = true;
            return Ok(());
        }
        let mut entry = self.entry(id)?;
        change(&mut entry);
        self.put(id.as_bytes(), &entry)
    }

    /// Puts a group in front of all others.
    fn enter_group(&mut self, id: GroupId, member: Member) -> Result<(), Error> {
        let list = self.read::<GroupList>(&[])?.unwrap_or_default();
        if let Some(first) = list.first {
            self.change_entry(&first, |entry| entry.previous = Some(id))?;
        }
        self.put(&[], &GroupList { first: Some(id) })?;
        let entry = GroupEntry {
            incarnation: self.root.incarnation,
            previous: None,
            next: list.first,
            commit: Vec::new(),
        };
        self.insert_group(id, entry, member);
        Ok(())
    }

    /// Whether this device has something of a group.
    fn has_group(&mut self, id: &GroupId) -> Result<bool, Error> {
        Ok(self.open_group(id).is_some() || self.exists::<GroupEntry>(id.as_bytes())?)
    }
}

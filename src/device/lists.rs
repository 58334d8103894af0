//! Accounts and their devices: lists learned, and one's own.

use alloc::vec::Vec;

use super::batch::Batch;
use super::body::{View, Views};
use super::event::Event;
use super::store::Store;
use super::values::{Account, AccountSeed};
use super::{Device, Error};
use crate::crypto::TryCryptoRng;
use crate::identity::{
    self, AccountId, AccountSecret, Address, DeviceList, Fingerprint, RecoverySecret,
    SignedIdentity,
};
use crate::memory;
use crate::wire::{Reader, Writer};

impl<S: Store> Device<S> {
    /// Takes in device lists of an account, one's own included, as the server has them: one for each version from the
    /// known one on, or any one of an account that is new. All of them, or none.
    ///
    /// # Errors
    /// [`Error::Identity`]: a list does not hold, or not after the one before (SPEC §6.4). [`identity::Error::OldList`],
    /// [`identity::Error::MissingLists`] and [`identity::Error::Equivocation`] are for the user to know.
    pub fn update_list<R: TryCryptoRng + ?Sized>(
        &mut self,
        account: &AccountId,
        lists: &[&[u8]],
        now: u64,
        rng: &mut R,
    ) -> Result<Vec<Event>, Error> {
        self.transact(rng, |batch| {
            let mut events = Vec::new();
            for list in lists {
                let list = DeviceList::parse(list)?;
                list.require_account(account)?;
                batch.learn(list, now, &mut events)?;
            }
            Ok(events)
        })
    }

    /// The newest device list known of an account, one's own included.
    ///
    /// # Errors
    /// Those of the store.
    pub fn list<R: TryCryptoRng + ?Sized>(
        &mut self,
        account: &AccountId,
        rng: &mut R,
    ) -> Result<Option<DeviceList>, Error> {
        self.transact(rng, |batch| {
            Ok(batch.account(account)?.map(|account| account.list.clone()))
        })
    }

    /// The user agrees to the present keys of the account.
    ///
    /// # Errors
    /// [`Error::UnknownAccount`], and those of the store and of the generator.
    pub fn approve<R: TryCryptoRng + ?Sized>(
        &mut self,
        account: &AccountId,
        rng: &mut R,
    ) -> Result<(), Error> {
        self.transact(rng, |batch| {
            let known = batch.account(account)?.ok_or(Error::UnknownAccount)?;
            let mut known = known.clone();
            known.approve();
            batch.set_account(*account, Some(known));
            Ok(())
        })
    }

    /// Deletes everything that is known of an account and every conversation with it. What is in inbox and outbox stays.
    ///
    /// # Errors
    /// Those of the store and of the generator; one's own account is [`Error::NotFound`].
    pub fn forget<R: TryCryptoRng + ?Sized>(
        &mut self,
        account: &AccountId,
        now: u64,
        rng: &mut R,
    ) -> Result<(), Error> {
        self.transact(rng, |batch| {
            if batch.own()?.0 == *account {
                return Err(Error::NotFound);
            }
            let Some(known) = batch.account(account)?.cloned() else {
                return Ok(());
            };
            for device in known.list.devices() {
                batch.delete_peer(&account.device(device.id()), now)?;
            }
            batch.set_account(*account, None);
            Ok(())
        })
    }

    /// The fingerprints of one's own account and of another, to be compared (SPEC §6.5).
    ///
    /// # Errors
    /// [`Error::UnknownAccount`], [`Error::NotLinked`], and those of the store.
    pub fn fingerprints<R: TryCryptoRng + ?Sized>(
        &mut self,
        account: &AccountId,
        rng: &mut R,
    ) -> Result<(Fingerprint, Fingerprint), Error> {
        self.transact(rng, |batch| {
            let own = Fingerprint::of(&batch.own_account()?.list);
            let known = batch.account(account)?.ok_or(Error::UnknownAccount)?;
            Ok((own, Fingerprint::of(&known.list)))
        })
    }

    /// What the primary needs to put this device on the list: `vec(address) || IKs || IKd || sig_id`. It must reach the
    /// primary over a way that its user trusts, such as a camera.
    #[must_use]
    pub fn link_request(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.address().write(&mut writer);
        self.identity.write_signed(&mut writer);
        writer.into_bytes()
    }

    /// On the primary: puts a device on the account's list, and gives the new list, to be published.
    ///
    /// # Errors
    /// [`Error::NotPrimary`], [`Error::ListDue`]; [`Error::Identity`] for a request that does not hold, is for another
    /// account or for another id than the next; those of the store and of the generator.
    pub fn link<R: TryCryptoRng + ?Sized>(
        &mut self,
        request: &[u8],
        rng: &mut R,
    ) -> Result<DeviceList, Error> {
        self.transact(rng, |batch| {
            let mut reader = Reader::new(request);
            let address = Address::read(&mut reader).map_err(identity::Error::from)?;
            let claimed = SignedIdentity::read(&mut reader).map_err(identity::Error::from)?;
            reader.finish().map_err(identity::Error::from)?;
            let keys = claimed.verify()?.keys;
            let (own, secret) = batch.primary()?;
            if address != own.list.account_id().device(own.list.next_id()) {
                return Err(identity::Error::OtherAccount.into());
            }
            let list = own.list.with_device(&keys, &secret)?;
            batch.set_own_list(list.clone());
            Ok(list)
        })
    }

    /// On the primary: takes a device off the account's list, and gives the new list, to be published.
    ///
    /// # Errors
    /// [`Error::NotPrimary`], [`Error::ListDue`], [`Error::NotFound`] if no such device is on it; those of the store and
    /// of the generator.
    pub fn unlink<R: TryCryptoRng + ?Sized>(
        &mut self,
        id: u32,
        now: u64,
        rng: &mut R,
    ) -> Result<DeviceList, Error> {
        self.transact(rng, |batch| {
            let (own, secret) = batch.primary()?;
            if own.list.device(id).is_none() {
                return Err(Error::NotFound);
            }
            let list = own.list.without_device(id, &secret)?;
            let address = list.account_id().device(id);
            batch.set_own_list(list.clone());
            batch.delete_peer(&address, now)?;
            Ok(list)
        })
    }

    /// With the recovery key: replaces the account's keys, takes devices off the list, and makes this device the primary.
    /// Give the new recovery key to its owner, and publish the list.
    ///
    /// # Errors
    /// [`Error::Identity`] for another recovery key, [`Error::NotLinked`], [`Error::ListDue`]; those of the store and of
    /// the generator.
    pub fn replace_keys<R: TryCryptoRng + ?Sized>(
        &mut self,
        recovery: &RecoverySecret,
        remove: &[u32],
        now: u64,
        rng: &mut R,
    ) -> Result<(DeviceList, RecoverySecret), Error> {
        self.transact(rng, |batch| {
            let own = batch.own_account()?.clone();
            if batch.root.list_due {
                return Err(Error::ListDue);
            }
            let secret = AccountSecret::generate(batch.rng)?;
            let next = RecoverySecret::generate(batch.rng)?;
            let keep = |id: u32| !remove.contains(&id);
            let list = own.list.with_keys(recovery, &secret, &next, keep, None)?;
            batch.put(&[], &AccountSeed(secret.seed()))?;
            batch.set_own_list(list.clone());
            let account = *list.account_id();
            for id in remove {
                batch.delete_peer(&account.device(*id), now)?;
            }
            Ok((list, next))
        })
    }
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// One's own account.
    pub(super) fn own_account(&mut self) -> Result<&Account, Error> {
        let (account, id) = self.own()?;
        self.account(&account)?
            .filter(|own| own.list.device(id).is_some())
            .ok_or(Error::NotLinked)
    }

    /// One's own account with its private key.
    fn primary(&mut self) -> Result<(Account, AccountSecret), Error> {
        let own = self.own_account()?.clone();
        let AccountSeed(seed) = self.read(&[])?.ok_or(Error::NotPrimary)?;
        let secret = AccountSecret::from_seed(&seed);
        if secret.verifying_key() != *own.list.keys().account_key() {
            return Err(Error::NotPrimary);
        }
        if self.root.list_due {
            return Err(Error::ListDue);
        }
        Ok((own, secret))
    }

    fn set_own_list(&mut self, list: DeviceList) {
        self.set_account(*list.account_id(), Some(Account::new(list)));
    }

    /// SPEC §6.4-R5 to R8, and what follows from the changes.
    fn learn(&mut self, list: DeviceList, now: u64, events: &mut Vec<Event>) -> Result<(), Error> {
        let account = *list.account_id();
        let (own, own_id) = self.own()?;
        if account == own {
            self.root.list_due = false;
        }
        let Some(known) = self.account(&account)?.cloned() else {
            self.set_account(account, Some(Account::new(list)));
            return Ok(());
        };
        let Some(change) = known.list.succession(&list)? else {
            return Ok(());
        };
        for id in &change.removed {
            let address = account.device(*id);
            self.delete_peer(&address, now)?;
            memory::push(
                events,
                if account == own && *id == own_id {
                    Event::Unlinked
                } else {
                    Event::DeviceRemoved(address)
                },
            );
        }
        for id in &change.added {
            memory::push(events, Event::DeviceAdded(account.device(*id)));
        }
        if change.keys_changed {
            memory::push(events, Event::KeyChanged { account });
        }
        self.set_account(
            account,
            Some(Account {
                approved: known.approved,
                list,
            }),
        );
        Ok(())
    }

    /// Holds what a message says about device lists against what is known (SPEC §19.1-R4).
    pub(super) fn compare(
        &mut self,
        views: &Views,
        sender: &AccountId,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let own = self.own()?.0;
        for (account, seen) in [(*sender, &views.sender), (own, &views.receiver)] {
            let Some(known) = self.account(&account)? else {
                continue;
            };
            let list = &known.list;
            let differs = (seen.version == list.version() && *seen != View::of(list))
                || (seen.version.saturating_add(1) == list.version()
                    && seen.version > 0
                    && seen.hash != *list.prev_hash());
            if differs {
                memory::push(events, Event::Equivocation { account });
            } else if seen.version > list.version() {
                let version = seen.version;
                memory::push(events, Event::ListBehind { account, version });
            }
        }
        Ok(())
    }
}

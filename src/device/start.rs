//! How a device comes to be: created, linked, recovered, opened, restored.

use super::batch::Batch;
use super::keys::Keys;
use super::open_groups::OpenGroups;
use super::store::Store;
use super::values::{Account, AccountSeed, Root};
use super::{Device, Error, read_root};
use crate::agreement::Prekeys;
use crate::crypto::TryCryptoRng;
use crate::crypto::hedge::fresh;
use crate::identity::{
    AccountId, AccountKeys, AccountSecret, DeviceIdentity, DeviceList, RecoverySecret,
};
use crate::session::{self, Encoding};
use crate::state::AppKey;

impl<S: Store> Device<S> {
    /// Makes a new account with this device as its first and primary one. Show the recovery key's seed to its owner and
    /// forget it: nobody else can replace the account's keys.
    ///
    /// # Errors
    /// [`Error::Occupied`] if the store holds a device; errors of the store and of the generator.
    pub fn create<R: TryCryptoRng + ?Sized>(
        store: S,
        app_key: AppKey,
        now: u64,
        rng: &mut R,
    ) -> Result<(Self, RecoverySecret), Error> {
        let account = AccountSecret::generate(rng)?;
        let recovery = RecoverySecret::generate(rng)?;
        let id = AccountKeys::new(&account, &recovery).account_id();
        let identity = DeviceIdentity::generate(id.device(1), rng)?;
        let list = DeviceList::first(&account, &recovery, identity.public().keys())?;
        let own = Some((list, account));
        let device = Self::begin_life(store, app_key, identity, own, now, rng)?;
        Ok((device, recovery))
    }

    /// Makes a device that is to be linked: the primary says which account it is, and which id is next. It can do nothing
    /// before the primary has put it on the list ([`link_request`](Self::link_request)) and the list was taken in
    /// ([`update_list`](Self::update_list)).
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_linked<R: TryCryptoRng + ?Sized>(
        store: S,
        app_key: AppKey,
        account: &AccountId,
        id: u32,
        now: u64,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let identity = DeviceIdentity::generate(account.device(id), rng)?;
        Self::begin_life(store, app_key, identity, None, now, rng)
    }

    /// Makes a device for an account whose primary was lost, with the account's newest device list and its recovery key.
    /// The account's keys are replaced, all other devices taken off the list, and this device is its primary: give the
    /// new recovery key to its owner, and publish the new list.
    ///
    /// # Errors
    /// [`Error::Identity`] if the list or the recovery key is not right; as [`create`](Self::create).
    pub fn recover<R: TryCryptoRng + ?Sized>(
        store: S,
        app_key: AppKey,
        list: &DeviceList,
        recovery: &RecoverySecret,
        now: u64,
        rng: &mut R,
    ) -> Result<(Self, RecoverySecret), Error> {
        let account = AccountSecret::generate(rng)?;
        let next_recovery = RecoverySecret::generate(rng)?;
        let address = list.account_id().device(list.next_id());
        let identity = DeviceIdentity::generate(address, rng)?;
        let list = list.with_keys(
            recovery,
            &account,
            &next_recovery,
            |_| false,
            Some(identity.public().keys()),
        )?;
        let own = Some((list, account));
        let device = Self::begin_life(store, app_key, identity, own, now, rng)?;
        Ok((device, next_recovery))
    }

    /// The first commit of a device.
    fn begin_life<R: TryCryptoRng + ?Sized>(
        mut store: S,
        app_key: AppKey,
        identity: DeviceIdentity,
        own: Option<(DeviceList, AccountSecret)>,
        now: u64,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let keys = Keys::new(app_key);
        if store.get(&keys.derive(Root::KIND, &[]))?.is_some() {
            return Err(Error::Occupied);
        }
        let root = Root {
            publish_due: true,
            ..Root::default()
        };
        let prekeys = Prekeys::generate(&identity, now, rng)?;
        let mut batch = Batch::new(
            &mut store,
            &keys,
            &identity,
            rng,
            0,
            root,
            OpenGroups::default(),
        );
        batch.set_prekeys(prekeys);
        batch.put(&[], &identity)?;
        if let Some((list, account)) = own {
            batch.set_account(*list.account_id(), Some(Account::new(list)));
            batch.put(&[], &AccountSeed(account.seed()))?;
        }
        let (root, groups) = match batch.commit() {
            Err(Error::Stale) => return Err(Error::Occupied),
            committed => committed?,
        };
        let root = root.ok_or(Error::Failed)?;
        Ok(Self {
            store,
            keys,
            identity,
            root,
            generation: 1,
            groups,
            unknown: false,
        })
    }

    /// Opens the device that the store holds. `anchor` is the generation that the app has counted elsewhere
    /// ([`generation`](Self::generation)), where a restored backup does not reach, if it does that.
    ///
    /// Never open a store that was restored from a backup, or that may have lost commits: [`restore`](Self::restore) it.
    ///
    /// # Errors
    /// [`Error::Empty`], also for another key, under which everything lies elsewhere; [`Error::RolledBack`];
    /// [`Error::Session`] with [`session::Error::Integrity`] for a store that is not intact; [`Error::Unreadable`].
    pub fn open(mut store: S, app_key: AppKey, anchor: Option<u64>) -> Result<Self, Error> {
        let keys = Keys::new(app_key);
        let (generation, root) = read_root(&mut store, &keys)?;
        if anchor.is_some_and(|anchor| generation < anchor) {
            return Err(Error::RolledBack);
        }
        let key = keys.derive(DeviceIdentity::KIND, &[]);
        let stored = store.get(&key)?;
        let stored = stored.ok_or(Error::Session(session::Error::Integrity))?;
        let (_, identity) = super::unseal(&stored, &keys, &key)?;
        Ok(Self {
            store,
            keys,
            identity,
            root,
            generation,
            groups: OpenGroups::default(),
            unknown: false,
        })
    }

    /// Opens the device of a store that was set back: a restored backup, a copied machine, commits that were lost
    /// (SPEC §19.6). No conversation sends before it is begun anew, no one-time prekey is held any more, and the other
    /// prekeys are replaced: publish them, and fetch the account's own device list.
    ///
    /// # Errors
    /// As [`open`](Self::open), and those of the store and of the generator.
    pub fn restore<R: TryCryptoRng + ?Sized>(
        store: S,
        app_key: AppKey,
        now: u64,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let mut device = Self::open(store, app_key, None)?;
        device.transact(rng, |batch| {
            let overflow = Error::Session(session::Error::Integrity);
            // At random, so that one backup that is restored twice becomes two devices (SPEC §19.6-R1).
            let [more, ..] = *fresh(batch.rng)
                .map_err(|_| Error::Session(session::Error::Rng))?
                .expose();
            let root = &mut batch.root;
            let step = u16::from(more).saturating_add(1);
            root.incarnation = root.incarnation.checked_add(step).ok_or(overflow)?;
            root.publish_due = true;
            root.published_at = 0;
            root.list_due = true;
            batch.restart_prekeys(now)
        })?;
        Ok(device)
    }
}

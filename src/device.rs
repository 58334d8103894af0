//! Floor 4: one device of one account, over a store (SPEC §19).
//!
//! ```text
//!               send                                              receive
//!   text ──► conversations ──► copies, outbox          envelopes ──► conversations ──► events, inbox
//!                    │                                                     │
//!                    └───────────────► one commit ◄────────────────────────┘
//!                                          │
//!                    what was sealed or read is given out only now
//! ```

mod batch;
mod body;
mod boxes;
mod error;
mod event;
mod group_id;
mod group_mail;
mod groups;
#[cfg(feature = "hazmat")]
#[cfg_attr(docsrs, doc(cfg(feature = "hazmat")))]
pub mod hazmat;
mod keys;
pub mod limits;
mod lists;
mod mail;
mod open_groups;
mod prekeys;
mod receive;
mod send;
mod start;
pub mod store;
mod values;

pub use error::Error;
pub use event::Event;
pub use group_id::GroupId;
pub use group_mail::{
    GroupChange, GroupContent, GroupEvent, GroupOutgoing, GroupSent, PublishedKeyPackages,
};
pub use mail::{Content, Notices, Outgoing, Received, Sealed, Sent};
pub use prekeys::Published;
pub use send::Begun;
pub use store::{Commit, MemoryStore, Store};

use core::fmt;

use batch::{Batch, unseal};
use keys::Keys;
use open_groups::OpenGroups;
use values::Root;

use crate::crypto::TryCryptoRng;
use crate::identity::{AccountId, Address, DeviceIdentity};
use crate::session::Encoding;

/// Longest text, bytes.
pub const TEXT_MAX: usize = crate::ratchet::TEXT_MAX - body::OVERHEAD;

/// One device of one account.
///
/// It holds its identity and a few counters; everything else stays in the store and is read when it is needed. Each
/// call that changes something ends in one commit and gives out nothing before. After [`Error::Stale`] the device has
/// caught up, and the same call is made again:
///
/// ```
/// # use subrosa::device::{Device, Error, Event, MemoryStore};
/// # fn receive(device: &mut Device<MemoryStore>, envelopes: &[&[u8]], now: u64) -> Result<Vec<Event>, Error> {
/// loop {
///     match device.receive(envelopes, now, &mut subrosa::os_rng()) {
///         Err(Error::Stale) => continue,
///         result => return result,
///     }
/// }
/// # }
/// ```
pub struct Device<S> {
    store: S,
    keys: Keys,
    identity: DeviceIdentity,
    root: Root,
    generation: u64,
    groups: OpenGroups,
    /// Whether the last commit was stored is not known.
    unknown: bool,
}

impl<S: Store> Device<S> {
    /// Where this device is reached.
    #[must_use]
    pub const fn address(&self) -> &Address {
        self.identity.public().address()
    }

    /// The account that this device belongs to.
    ///
    /// # Errors
    /// None: the address of a device is made from its account.
    pub fn account(&self) -> Result<AccountId, Error> {
        Ok(self.own()?.0)
    }

    /// The identity.
    #[must_use]
    pub const fn identity(&self) -> &DeviceIdentity {
        &self.identity
    }

    /// The store's generation, for an app that counts it elsewhere as well: see [`open`](Self::open).
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Gives back the store.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    fn own(&self) -> Result<(AccountId, u32), Error> {
        AccountId::of(self.address()).ok_or(Error::Empty)
    }

    /// Runs one call: reads and changes on a batch, then one commit. On an error nothing is changed.
    fn transact<T, R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        work: impl FnOnce(&mut Batch<'_, S, R>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.unknown {
            return Err(Error::Unknown);
        }
        let mut batch = Batch::new(
            &mut self.store,
            &self.keys,
            &self.identity,
            rng,
            self.generation,
            self.root.clone(),
            core::mem::take(&mut self.groups),
        );
        let result = match work(&mut batch) {
            Ok(value) => batch.commit().map(|stored| (value, stored)),
            // What was refused by what another process has changed meanwhile is not refused.
            Err(error) => {
                let confirmed = batch.confirm();
                if confirmed.is_ok() {
                    self.groups = batch.into_groups();
                }
                confirmed.and(Err(error))
            }
        };
        match result {
            Ok((value, (root, groups))) => {
                self.groups = groups;
                if let Some(root) = root {
                    self.root = root;
                    self.generation = self.generation.saturating_add(1);
                }
                Ok(value)
            }
            Err(Error::Stale) => {
                self.refresh()?;
                Err(Error::Stale)
            }
            Err(error) => {
                self.unknown = error == Error::Unknown;
                Err(error)
            }
        }
    }

    /// Reads the root again.
    fn refresh(&mut self) -> Result<(), Error> {
        let (generation, root) = read_root(&mut self.store, &self.keys)?;
        self.generation = generation;
        self.root = root;
        self.groups = OpenGroups::default();
        Ok(())
    }

    /// After [`Error::Unknown`]: finds out what is stored, and goes on from there. Look into outbox and inbox for what the
    /// failed call left; what it should have received may be handed in again.
    ///
    /// # Errors
    /// [`Error::RolledBack`] if the store has lost more than that call; [`Error::Unreadable`], [`Error::Session`] if it
    /// is not intact: the device stays as it is.
    pub fn reopen(&mut self) -> Result<(), Error> {
        let (generation, root) = read_root(&mut self.store, &self.keys)?;
        if generation < self.generation {
            return Err(Error::RolledBack);
        }
        self.generation = generation;
        self.root = root;
        self.groups = OpenGroups::default();
        self.unknown = false;
        Ok(())
    }

    /// The same with a store that was opened anew, where the old one answers nothing any more.
    ///
    /// # Errors
    /// As [`reopen`](Self::reopen): the device keeps its old store.
    pub fn reopen_with(&mut self, store: S) -> Result<(), Error> {
        let old = core::mem::replace(&mut self.store, store);
        let reopened = self.reopen();
        if reopened.is_err() {
            self.store = old;
        }
        reopened
    }
}

/// The root and its generation.
fn read_root<S: Store>(store: &mut S, keys: &Keys) -> Result<(u64, Root), Error> {
    let key = keys.derive(Root::KIND, &[]);
    let stored = store.get(&key)?.ok_or(Error::Empty)?;
    unseal(&stored, keys, &key)
}

impl<S> fmt::Debug for Device<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            store: _,
            keys: _,
            identity,
            root: _,
            generation,
            groups: _,
            unknown,
        } = self;
        f.debug_struct("Device")
            .field("identity", identity)
            .field("generation", generation)
            .field("unknown", unknown)
            .finish_non_exhaustive()
    }
}

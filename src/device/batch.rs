//! What one call reads and changes: everything is worked on here, and stored in one commit at its end.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Error;
use super::group_id::GroupId;
use super::keys::Keys;
use super::limits::INDEXED;
use super::open_groups::{OpenGroup, OpenGroups};
use super::store::{Commit, Key, Store};
use super::values::{Account, GroupEntry, GroupRecord, Index, Indexed, Peer, Root};
use crate::agreement::Prekeys;
use crate::crypto::TryCryptoRng;
use crate::crypto::hedge::Hedged;
use crate::identity::{AccountId, Address, DeviceIdentity, Identity};
use crate::memory;
use crate::mls::{Member, RecordName};
use crate::session::{self, Conversation, Encoding, Incoming, export_with, import};
use crate::state::Slot;
use crate::wire::Writer;

/// Bytes of the generation in front of every value.
const GENERATION: usize = 8;

/// A value as it was read, and as it is to be stored.
struct Loaded<T> {
    /// `None`: nothing is stored.
    value: Option<T>,
    changed: bool,
}

impl<T> Loaded<T> {
    const fn read(value: Option<T>) -> Self {
        Self {
            value,
            changed: false,
        }
    }
}

/// A conversation with the names under which the index has it.
pub(super) struct LoadedPeer {
    pub(super) peer: Peer,
    names: Vec<Indexed>,
}

fn names(peer: &Peer) -> Vec<Indexed> {
    let tags = peer.conversation.tags().copied().map(Indexed::Tag);
    let first = peer.conversation.first_ids().copied().map(Indexed::First);
    tags.chain(first).collect()
}

/// The work of one call.
pub(super) struct Batch<'a, S, R: ?Sized> {
    store: &'a mut S,
    keys: &'a Keys,
    pub(super) identity: &'a DeviceIdentity,
    pub(super) rng: &'a mut R,
    base: u64,
    pub(super) root: Root,
    root_before: Root,
    prekeys: Option<Loaded<Prekeys>>,
    peers: BTreeMap<Address, Loaded<LoadedPeer>>,
    accounts: BTreeMap<AccountId, Loaded<Account>>,
    index: BTreeMap<Indexed, Loaded<Index>>,
    groups: OpenGroups,
    /// Values that are not worked on.
    others: BTreeMap<Key, Option<Vec<u8>>>,
}

impl<'a, S: Store, R: TryCryptoRng + ?Sized> Batch<'a, S, R> {
    pub(super) fn new(
        store: &'a mut S,
        keys: &'a Keys,
        identity: &'a DeviceIdentity,
        rng: &'a mut R,
        base: u64,
        root: Root,
        groups: OpenGroups,
    ) -> Self {
        Self {
            store,
            keys,
            identity,
            rng,
            base,
            root_before: root.clone(),
            root,
            prekeys: None,
            peers: BTreeMap::new(),
            accounts: BTreeMap::new(),
            index: BTreeMap::new(),
            groups,
            others: BTreeMap::new(),
        }
    }

    /// This device's account and its id there.
    pub(super) fn own(&self) -> Result<(AccountId, u32), Error> {
        AccountId::of(self.identity.public().address())
            .ok_or(Error::Session(session::Error::Integrity))
    }

    /// The private prekeys.
    pub(super) fn prekeys(&mut self) -> Result<&mut Prekeys, Error> {
        if self.prekeys.is_none() {
            let read = self.read::<Prekeys>(&[])?;
            self.prekeys = Some(Loaded::read(read));
        }
        self.prekeys
            .as_mut()
            .and_then(|loaded| loaded.value.as_mut())
            .ok_or(Error::Session(session::Error::Integrity))
    }

    /// The private prekeys, and the generator to change them with.
    pub(super) fn prekeys_and_rng(&mut self) -> Result<(&mut Prekeys, &mut R), Error> {
        self.prekeys()?;
        match self.prekeys.as_mut().map(|loaded| loaded.value.as_mut()) {
            Some(Some(prekeys)) => Ok((prekeys, self.rng)),
            _ => Err(Error::Session(session::Error::Integrity)),
        }
    }

    pub(super) fn prekeys_changed(&mut self) {
        if let Some(loaded) = &mut self.prekeys {
            loaded.changed = true;
        }
    }

    /// Sets the first prekeys of a device.
    pub(super) fn set_prekeys(&mut self, prekeys: Prekeys) {
        self.prekeys = Some(Loaded {
            value: Some(prekeys),
            changed: true,
        });
    }

    /// What is known of an account.
    pub(super) fn account(&mut self, id: &AccountId) -> Result<Option<&Account>, Error> {
        if !self.accounts.contains_key(id) {
            let read = self.read::<Account>(id.as_bytes())?;
            self.accounts.insert(*id, Loaded::read(read));
        }
        Ok(self
            .accounts
            .get(id)
            .and_then(|loaded| loaded.value.as_ref()))
    }

    /// Stores what is known of an account, or deletes it.
    pub(super) fn set_account(&mut self, id: AccountId, account: Option<Account>) {
        self.accounts.insert(
            id,
            Loaded {
                value: account,
                changed: true,
            },
        );
    }

    /// Takes a conversation out of the batch, to be worked on; what is not put back is lost with the batch.
    pub(super) fn take_peer(
        &mut self,
        address: &Address,
        now: u64,
    ) -> Result<Option<LoadedPeer>, Error> {
        if let Some(loaded) = self.peers.get_mut(address) {
            // What was changed before stays to be stored.
            return Ok(loaded.value.take());
        }
        let read = self.read::<Peer>(address.as_bytes())?.map(|mut peer| {
            let names = names(&peer);
            if peer.incarnation != self.root.incarnation {
                // SPEC §19.6-R2
                peer.conversation.stop_sending(now);
                peer.incarnation = self.root.incarnation;
            }
            LoadedPeer { peer, names }
        });
        self.peers.insert(*address, Loaded::read(None));
        Ok(read)
    }

    /// Puts a conversation back as it was.
    pub(super) fn put_back(&mut self, address: Address, peer: LoadedPeer) {
        let loaded = self
            .peers
            .entry(address)
            .or_insert_with(|| Loaded::read(None));
        loaded.value = Some(peer);
    }

    /// Puts a conversation back to be stored, with its names in the index.
    pub(super) fn put_peer(&mut self, address: Address, mut peer: LoadedPeer) -> Result<(), Error> {
        let after = names(&peer.peer);
        self.rename(&address, &peer.names, &after)?;
        peer.names = after;
        self.peers.insert(
            address,
            Loaded {
                value: Some(peer),
                changed: true,
            },
        );
        Ok(())
    }

    /// Takes a conversation out of the batch, or a new one that is pinned to this identity.
    pub(super) fn take_or_new_peer(
        &mut self,
        identity: Identity,
        now: u64,
    ) -> Result<LoadedPeer, Error> {
        let taken = self.take_peer(identity.address(), now)?;
        let incarnation = self.root.incarnation;
        Ok(taken.unwrap_or_else(|| LoadedPeer {
            peer: Peer::new(incarnation, Conversation::new(identity)),
            names: Vec::new(),
        }))
    }

    /// Deletes a conversation and its names. One that is not intact goes, too; its names then lead nowhere.
    pub(super) fn delete_peer(&mut self, address: &Address, now: u64) -> Result<(), Error> {
        let names = match self.take_peer(address, now) {
            Ok(Some(peer)) => peer.names,
            Ok(None) => return Ok(()),
            Err(Error::Session(session::Error::Integrity)) => Vec::new(),
            Err(error) => return Err(error),
        };
        self.rename(address, &names, &[])?;
        self.peers.insert(
            *address,
            Loaded {
                value: None,
                changed: true,
            },
        );
        Ok(())
    }

    /// The conversations that a message may belong to.
    pub(super) fn find(&mut self, incoming: &Incoming<'_>) -> Result<Vec<Address>, Error> {
        let name = match incoming.first_id() {
            Some(id) => Indexed::First(id),
            None => Indexed::Tag(*incoming.tag()),
        };
        Ok(self
            .index(name)?
            .value
            .as_ref()
            .map(|index| index.addresses.clone())
            .unwrap_or_default())
    }

    fn index(&mut self, name: Indexed) -> Result<&mut Loaded<Index>, Error> {
        if !self.index.contains_key(&name) {
            let read = self.read::<Index>(name.as_bytes())?;
            self.index.insert(name, Loaded::read(read));
        }
        Ok(self.index.entry(name).or_insert_with(|| Loaded::read(None)))
    }

    fn rename(
        &mut self,
        address: &Address,
        before: &[Indexed],
        after: &[Indexed],
    ) -> Result<(), Error> {
        for name in before.iter().filter(|name| !after.contains(name)) {
            let loaded = self.index(*name)?;
            if let Some(index) = &mut loaded.value {
                index.addresses.retain(|other| other != address);
                if index.addresses.is_empty() {
                    loaded.value = None;
                }
                loaded.changed = true;
            }
        }
        for name in after.iter().filter(|name| !before.contains(name)) {
            let loaded = self.index(*name)?;
            let addresses = &mut loaded.value.get_or_insert_default().addresses;
            if !addresses.contains(address) && addresses.len() < INDEXED {
                memory::push(addresses, *address);
                loaded.changed = true;
            }
        }
        Ok(())
    }

    /// A group that this device is in, or was.
    pub(super) fn group(&mut self, id: &GroupId) -> Result<&mut OpenGroup, Error> {
        if !self.groups.contains(id) {
            let entry = self.read::<GroupEntry>(id.as_bytes())?;
            let entry = entry.ok_or(Error::NotFound)?;
            let member = Member::load(|name| {
                let read = self.read::<GroupRecord>(&record_name(id, name));
                Ok::<_, Error>(read?.map(|GroupRecord(content)| content))
            })?;
            self.groups.insert(*id, entry, member);
        }
        self.groups.get(id).ok_or(Error::NotFound)
    }

    /// A group, if it is in memory.
    pub(super) fn open_group(&mut self, id: &GroupId) -> Option<&mut OpenGroup> {
        self.groups.get(id)
    }

    /// A group to be changed.
    pub(super) fn group_mut(&mut self, id: &GroupId) -> Result<&mut OpenGroup, Error> {
        let group = self.group(id)?;
        group.changed = true;
        Ok(group)
    }

    /// A group to be changed, and the generator to change it with.
    pub(super) fn group_and_rng(
        &mut self,
        id: &GroupId,
    ) -> Result<(&mut OpenGroup, &mut R), Error> {
        self.group_mut(id)?;
        let group = self.groups.get(id).ok_or(Error::NotFound)?;
        Ok((group, self.rng))
    }

    /// A group that is new.
    pub(super) fn insert_group(&mut self, id: GroupId, entry: GroupEntry, member: Member) {
        self.groups.insert(id, entry, member);
        if let Some(group) = self.groups.get(&id) {
            group.changed = true;
            group.entry_changed = true;
        }
    }

    /// Deletes a group, with all that is stored of it.
    pub(super) fn delete_group(&mut self, id: &GroupId) -> Result<(), Error> {
        self.group(id)?;
        let Some(group) = self.groups.remove(id) else {
            return Ok(());
        };
        for name in group.member.records() {
            self.delete::<GroupRecord>(&record_name(id, &name));
        }
        self.delete::<GroupEntry>(id.as_bytes());
        Ok(())
    }

    /// What has changed of the groups, as values that are not worked on any more.
    fn put_groups(&mut self, groups: &mut OpenGroups) -> Result<(), Error> {
        for (id, group) in groups.iter_mut() {
            if group.entry_changed {
                self.put(id.as_bytes(), &group.entry)?;
            }
            if group.changed {
                let changes = group.member.changes()?;
                for (name, content) in changes.puts {
                    self.put(&record_name(id, &name), &GroupRecord(content))?;
                }
                for name in changes.deletes {
                    self.delete::<GroupRecord>(&record_name(id, &name));
                }
            }
        }
        Ok(())
    }

    /// The groups in memory that are as they are stored, of a batch that is not.
    pub(super) fn into_groups(mut self) -> OpenGroups {
        self.groups.let_go();
        self.groups
    }

    /// Reads a value.
    pub(super) fn read<T: Encoding>(&mut self, name: &[u8]) -> Result<Option<T>, Error> {
        let key = self.keys.derive(T::KIND, name);
        let stored = match self.others.get(&key) {
            Some(written) => written.clone(),
            None => self.store.get(&key)?,
        };
        let Some(stored) = stored else {
            return Ok(None);
        };
        let (generation, value) = unseal(&stored, self.keys, &key)?;
        // One more, if it was written in this batch.
        if generation > self.base && !self.others.contains_key(&key) {
            return Err(Error::Stale);
        }
        Ok(Some(value))
    }

    /// Whether there is such a value.
    pub(super) fn exists<T: Encoding>(&mut self, name: &[u8]) -> Result<bool, Error> {
        let key = self.keys.derive(T::KIND, name);
        Ok(match self.others.get(&key) {
            Some(written) => written.is_some(),
            None => self.store.get(&key)?.is_some(),
        })
    }

    /// Stores a value that is not worked on in this batch.
    pub(super) fn put<T: Encoding>(&mut self, name: &[u8], value: &T) -> Result<(), Error> {
        let key = self.keys.derive(T::KIND, name);
        let sealed = self.seal(&key, value)?;
        self.others.insert(key, Some(sealed));
        Ok(())
    }

    /// Deletes a value that is not worked on in this batch.
    pub(super) fn delete<T: Encoding>(&mut self, name: &[u8]) {
        let key = self.keys.derive(T::KIND, name);
        self.others.insert(key, None);
    }

    /// `u64 generation || container` (SPEC §19.3).
    fn seal<T: Encoding>(&mut self, key: &Key, value: &T) -> Result<Vec<u8>, Error> {
        let generation = self.base.checked_add(1).ok_or(Error::Failed)?;
        let slot = Slot {
            store_key: key,
            generation,
        };
        let entropy = &mut Hedged::new(self.identity.hedge(), self.rng);
        let exported = export_with(value, slot, &self.keys.app, entropy)?;
        let mut writer = Writer::with_capacity(exported.len().saturating_add(GENERATION));
        writer.u64(generation).bytes(&exported);
        Ok(writer.into_bytes())
    }

    /// Whether the store is still of the generation that this batch has read.
    pub(super) fn confirm(&mut self) -> Result<(), Error> {
        let key = self.keys.derive(Root::KIND, &[]);
        let stored = self.store.get(&key)?;
        match stored.as_deref().and_then(generation) {
            Some(generation) if generation == self.base => Ok(()),
            _ => Err(Error::Stale),
        }
    }

    /// Stores all that was changed, and the root; `None` if nothing was, and nobody else changed anything either. Gives the
    /// groups that are in memory.
    pub(super) fn commit(mut self) -> Result<(Option<Root>, OpenGroups), Error> {
        let mut groups = core::mem::take(&mut self.groups);
        self.put_groups(&mut groups)?;
        let root = self.commit_values()?;
        groups.were_stored();
        Ok((root, groups))
    }

    fn commit_values(mut self) -> Result<Option<Root>, Error> {
        let mut puts = Vec::new();
        let mut deletes = Vec::new();
        let mut sort = |key: Key, value: Option<Vec<u8>>| match value {
            Some(value) => puts.push((key, value)),
            None => deletes.push(key),
        };
        for (key, value) in core::mem::take(&mut self.others) {
            sort(key, value);
        }
        if let Some(Loaded {
            value,
            changed: true,
        }) = self.prekeys.take()
        {
            let (key, value) = self.stored(&[], value.as_ref())?;
            sort(key, value);
        }
        for (address, loaded) in changed(core::mem::take(&mut self.peers)) {
            let peer = loaded.as_ref().map(|loaded| &loaded.peer);
            let (key, value) = self.stored(address.as_bytes(), peer)?;
            sort(key, value);
        }
        for (id, account) in changed(core::mem::take(&mut self.accounts)) {
            let (key, value) = self.stored(id.as_bytes(), account.as_ref())?;
            sort(key, value);
        }
        for (name, index) in changed(core::mem::take(&mut self.index)) {
            let (key, value) = self.stored(name.as_bytes(), index.as_ref())?;
            sort(key, value);
        }
        if puts.is_empty() && deletes.is_empty() && self.root == self.root_before {
            self.confirm()?;
            return Ok(None);
        }
        let root = self.root.clone();
        let (key, value) = self.stored(&[], Some(&root))?;
        puts.extend(value.map(|value| (key, value)));
        match self.store.commit(self.base, &puts, &deletes) {
            Commit::Committed => Ok(Some(root)),
            Commit::Stale => Err(Error::Stale),
            Commit::Failed => Err(Error::Failed),
            Commit::Unknown => Err(Error::Unknown),
        }
    }

    fn stored<T: Encoding>(
        &mut self,
        name: &[u8],
        value: Option<&T>,
    ) -> Result<(Key, Option<Vec<u8>>), Error> {
        let key = self.keys.derive(T::KIND, name);
        let sealed = value.map(|value| self.seal(&key, value)).transpose()?;
        Ok((key, sealed))
    }
}

/// `group id || record name` (SPEC §19.4).
fn record_name(id: &GroupId, name: &RecordName) -> Vec<u8> {
    let mut whole = memory::copied(id.as_bytes());
    memory::extend(&mut whole, name.as_bytes());
    whole
}

fn changed<K, T>(values: BTreeMap<K, Loaded<T>>) -> impl Iterator<Item = (K, Option<T>)> {
    values
        .into_iter()
        .filter(|(_, loaded)| loaded.changed)
        .map(|(key, loaded)| (key, loaded.value))
}

/// The generation in front of a value.
fn generation(stored: &[u8]) -> Option<u64> {
    stored.first_chunk().copied().map(u64::from_be_bytes)
}

/// Takes a stored value apart.
pub(super) fn unseal<T: Encoding>(
    stored: &[u8],
    keys: &Keys,
    key: &Key,
) -> Result<(u64, T), Error> {
    let integrity = Error::Session(session::Error::Integrity);
    let generation = generation(stored).ok_or(integrity)?;
    let exported = stored.get(GENERATION..).ok_or(integrity)?;
    let slot = Slot {
        store_key: key,
        generation,
    };
    Ok((generation, import(exported, slot, &keys.app)?))
}

//! What the account key signs (SPEC §6.4): the form of a list, without its signature.

use alloc::vec::Vec;

use super::super::IdentityKeys;
use super::super::account::{AccountId, AccountKeys};
use super::super::error::Error;
use super::super::limits::{DEVICE_LIST_MAX, DEVICES_MAX, ENTRIES_MAX};
use crate::crypto::dh::DhPublic;
use crate::crypto::labels;
use crate::crypto::sign::{Signature, VerifyingKey};
use crate::memory;
use crate::wire::{Reader, Writer};

/// The version of the encoding.
const VERSION: u8 = 1;

/// What a first list has in the place of the hash of the one before.
const NO_HASH: [u8; 32] = [0; 32];

/// A device as the account lists it: that these are its keys, the account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    id: u32,
    keys: IdentityKeys,
}

impl ListedDevice {
    pub(super) const fn new(id: u32, keys: IdentityKeys) -> Self {
        Self { id, keys }
    }

    /// The id, not 0. No other device of the account ever has it.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The identity keys that a device at this address must have.
    #[must_use]
    pub const fn keys(&self) -> &IdentityKeys {
        &self.keys
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let id = reader.u32()?;
        let signing = VerifyingKey(*reader.array()?);
        let dh = DhPublic::from_bytes(reader.array()?)?;
        Ok(Self::new(id, IdentityKeys::from_pinned(signing, dh)))
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .u32(self.id)
            .bytes(self.keys.signing_key().as_bytes())
            .bytes(self.keys.dh_key().as_bytes());
    }
}

/// An entry that replaced another one, with the signature of that one's recovery key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replacement {
    pub(super) keys: AccountKeys,
    pub(super) signature: Signature,
}

/// What the recovery key of entry `index - 1` signs: `L("account key") || account_id || u8 index || entry`.
pub(super) fn replacement(account_id: &AccountId, index: u8, keys: &AccountKeys) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .bytes(labels::ACCOUNT_KEY)
        .bytes(account_id.as_bytes())
        .u8(index);
    keys.write(&mut writer);
    writer.into_bytes()
}

/// What the account key signs: `L("devices") || content`.
pub(super) fn signed(content: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(DEVICE_LIST_MAX);
    writer.bytes(labels::DEVICES).bytes(content);
    writer.into_bytes()
}

/// `content`. Its form is right (R1, R2); its signatures may be anything.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Entry 0.
    pub(super) first: AccountKeys,
    /// Entries 1 to n - 1.
    pub(super) replacements: Vec<Replacement>,
    pub(super) version: u64,
    pub(super) prev_hash: [u8; 32],
    pub(super) next_id: u32,
    pub(super) devices: Vec<ListedDevice>,
}

impl Clone for Content {
    fn clone(&self) -> Self {
        Self {
            first: self.first,
            replacements: memory::copied(&self.replacements),
            version: self.version,
            prev_hash: self.prev_hash,
            next_id: self.next_id,
            devices: memory::copied(&self.devices),
        }
    }
}

/// SPEC §6.4-R1: the first byte comes before everything else.
pub(super) fn require_version(bytes: &[u8]) -> Result<(), Error> {
    match bytes.first() {
        None => Err(Error::Malformed),
        Some(&VERSION) => Ok(()),
        Some(_) => Err(Error::UnknownVersion),
    }
}

impl Content {
    /// The content of a first list.
    pub(super) const fn first(keys: AccountKeys) -> Self {
        Self {
            first: keys,
            replacements: Vec::new(),
            version: 1,
            prev_hash: NO_HASH,
            next_id: 1,
            devices: Vec::new(),
        }
    }

    /// SPEC §6.4-R1 and R2.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        require_version(reader.take(1)?)?;
        let entries = usize::from(reader.u8()?);
        if !(1..=ENTRIES_MAX).contains(&entries) {
            return Err(Error::Malformed);
        }
        let mut content = Self::first(AccountKeys::read(&mut reader)?);
        for _ in 1..entries {
            let keys = AccountKeys::read(&mut reader)?;
            let signature = Signature(*reader.array()?);
            memory::push(&mut content.replacements, Replacement { keys, signature });
        }
        content.version = reader.u64()?;
        content.prev_hash = *reader.array()?;
        content.next_id = reader.u32()?;
        let devices = reader.vector_length()?;
        if devices > DEVICES_MAX {
            return Err(Error::Malformed);
        }
        for _ in 0..devices {
            memory::push(&mut content.devices, ListedDevice::read(&mut reader)?);
        }
        reader.finish()?;
        if content.is_numbered() && content.keys_are_distinct() {
            Ok(content)
        } else {
            Err(Error::Malformed)
        }
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, Error> {
        let mut writer = Writer::with_capacity(DEVICE_LIST_MAX);
        let entries = u8::try_from(self.replacements.len().saturating_add(1));
        writer
            .u8(VERSION)
            .u8(entries.map_err(|_| Error::TooManyKeys)?);
        self.first.write(&mut writer);
        for later in &self.replacements {
            later.keys.write(&mut writer);
            writer.bytes(&later.signature.0);
        }
        writer
            .u64(self.version)
            .bytes(&self.prev_hash)
            .u32(self.next_id)
            .vector_length(self.devices.len())?;
        for device in &self.devices {
            device.write(&mut writer);
        }
        Ok(writer.into_bytes())
    }

    /// SPEC §6.4-R2: version and hash fit each other, ids ascend between 0 and `next_id`.
    fn is_numbered(&self) -> bool {
        let is_first = self.version == 1;
        let mut ids = self.devices.iter().map(ListedDevice::id);
        let mut last = 0;
        self.version >= 1
            && is_first == (self.prev_hash == NO_HASH)
            && (!is_first || self.replacements.is_empty())
            && ids.all(|id| core::mem::replace(&mut last, id) < id)
            && last < self.next_id
    }

    /// SPEC §6.4-R2: no key that signs occurs twice, nor one of the key agreement.
    pub(super) fn keys_are_distinct(&self) -> bool {
        let (mut signing, mut dh) = (Vec::new(), Vec::new());
        for keys in self.entries() {
            memory::extend(&mut signing, &[*keys.account_key(), *keys.recovery_key()]);
        }
        for device in &self.devices {
            memory::push(&mut signing, *device.keys.signing_key());
            memory::push(&mut dh, *device.keys.dh_key());
        }
        are_distinct(&signing) && are_distinct(&dh)
    }

    /// Every entry, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &AccountKeys> {
        let later = self.replacements.iter().map(|later| &later.keys);
        core::iter::once(&self.first).chain(later)
    }

    /// The last entry.
    pub(super) fn keys(&self) -> &AccountKeys {
        self.replacements
            .last()
            .map_or(&self.first, |last| &last.keys)
    }

    /// The account id that follows from entry 0.
    pub(super) fn account_id(&self) -> AccountId {
        self.first.account_id()
    }

    /// SPEC §6.4-R3: each entry is signed by the recovery key of the one before.
    pub(super) fn verify_replacements(&self, account_id: &AccountId) -> Result<(), Error> {
        let later = (1..=u8::MAX).zip(&self.replacements);
        for (before, (index, later)) in self.entries().zip(later) {
            let signed = replacement(account_id, index, &later.keys);
            before.recovery_key().verify(&signed, &later.signature)?;
        }
        Ok(())
    }
}

fn are_distinct<T: PartialEq>(mut values: &[T]) -> bool {
    while let Some((first, rest)) = values.split_first() {
        if rest.contains(first) {
            return false;
        }
        values = rest;
    }
    true
}

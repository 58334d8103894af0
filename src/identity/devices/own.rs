//! The lists that an account makes itself (SPEC §6.4): each from the one before, signed with the account key.

use super::super::IdentityKeys;
use super::super::account::{AccountKeys, AccountSecret, RecoverySecret};
use super::super::error::Error;
use super::super::limits::{DEVICES_MAX, ENTRIES_MAX};
use super::DeviceList;
use super::content::{Content, ListedDevice, Replacement, replacement, signed};
use crate::crypto::hash::sha256;
use crate::crypto::labels;
use crate::memory;
use crate::wire::Writer;

impl DeviceList {
    /// The first list of a new account. `device` is its device 1.
    ///
    /// # Errors
    /// [`Error::KeyInUse`] if two of the three signing keys are the same.
    pub fn first(
        account: &AccountSecret,
        recovery: &RecoverySecret,
        device: &IdentityKeys,
    ) -> Result<Self, Error> {
        let mut content = Content::first(AccountKeys::new(account, recovery));
        content.add(device)?;
        Self::sign(content, account)
    }

    /// The next list, with one device more. It gets [`next_id`](Self::next_id).
    ///
    /// # Errors
    /// [`Error::WrongKey`] if `account` is not the account's present key, [`Error::TooManyDevices`],
    /// [`Error::Exhausted`], [`Error::KeyInUse`].
    pub fn with_device(
        &self,
        device: &IdentityKeys,
        account: &AccountSecret,
    ) -> Result<Self, Error> {
        self.require_account_secret(account)?;
        let mut content = self.next()?;
        content.add(device)?;
        Self::sign(content, account)
    }

    /// The next list, without the device `id`. Nothing forbids to remove the last one: that closes the account.
    ///
    /// # Errors
    /// [`Error::WrongKey`] if `account` is not the account's present key, [`Error::UnknownDevice`],
    /// [`Error::Exhausted`].
    pub fn without_device(&self, id: u32, account: &AccountSecret) -> Result<Self, Error> {
        self.require_account_secret(account)?;
        if self.device(id).is_none() {
            return Err(Error::UnknownDevice);
        }
        let mut content = self.next()?;
        memory::retain(&mut content.devices, |device| device.id() != id);
        Self::sign(content, account)
    }

    /// The next list, with new keys of the account: `account` and `next_recovery` replace both. `recovery` is the
    /// present recovery key; the account key, which may be lost or stolen, is not needed. Of the devices, those stay
    /// that `keep` names by their ids, and `added` joins them: one list puts a new primary in the place of a lost one.
    ///
    /// # Errors
    /// [`Error::WrongKey`] if `recovery` is not the account's present recovery key, [`Error::TooManyKeys`],
    /// [`Error::TooManyDevices`], [`Error::Exhausted`], [`Error::KeyInUse`].
    pub fn with_keys(
        &self,
        recovery: &RecoverySecret,
        account: &AccountSecret,
        next_recovery: &RecoverySecret,
        keep: impl Fn(u32) -> bool,
        added: Option<&IdentityKeys>,
    ) -> Result<Self, Error> {
        if recovery.verifying_key() != *self.keys().recovery_key() {
            return Err(Error::WrongKey);
        }
        if self.entries() >= ENTRIES_MAX {
            return Err(Error::TooManyKeys);
        }
        let mut content = self.next()?;
        let index = u8::try_from(self.entries()).map_err(|_| Error::TooManyKeys)?;
        let keys = AccountKeys::new(account, next_recovery);
        let signature = recovery.sign(&replacement(&self.account_id, index, &keys))?;
        memory::push(&mut content.replacements, Replacement { keys, signature });
        memory::retain(&mut content.devices, |device| keep(device.id()));
        if let Some(device) = added {
            content.add(device)?;
        }
        Self::sign(content, account)
    }

    fn require_account_secret(&self, account: &AccountSecret) -> Result<(), Error> {
        if account.verifying_key() == *self.keys().account_key() {
            Ok(())
        } else {
            Err(Error::WrongKey)
        }
    }

    /// The same keys and devices, one version later.
    fn next(&self) -> Result<Content, Error> {
        let mut content = self.content.clone();
        content.version = self.version().checked_add(1).ok_or(Error::Exhausted)?;
        content.prev_hash = self.hash;
        Ok(content)
    }

    /// Signs `content` with the account key of its last entry.
    fn sign(content: Content, account: &AccountSecret) -> Result<Self, Error> {
        // SPEC §6.4-R2: what others would refuse is not made.
        if !content.keys_are_distinct() {
            return Err(Error::KeyInUse);
        }
        let bytes = content.write()?;
        let signature = account.sign(&signed(&bytes))?;
        let hash = sha256(&[labels::DEVICES, &bytes]);
        let mut writer = Writer::append_to(bytes);
        writer.bytes(&signature.0);
        Ok(Self {
            account_id: content.account_id(),
            content,
            hash,
            bytes: writer.into_bytes(),
        })
    }
}

impl Content {
    /// Adds a device under the next id.
    fn add(&mut self, keys: &IdentityKeys) -> Result<(), Error> {
        if self.devices.len() >= DEVICES_MAX {
            return Err(Error::TooManyDevices);
        }
        let id = self.next_id;
        self.next_id = id.checked_add(1).ok_or(Error::Exhausted)?;
        memory::push(&mut self.devices, ListedDevice::new(id, *keys));
        Ok(())
    }
}

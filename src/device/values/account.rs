//! What is kept about an account, and the private half of one's own.

use super::integrity;
use crate::crypto::Secret;
use crate::identity::DeviceList;
use crate::identity::limits::DEVICE_LIST_MAX;
use crate::session::{Encoding, Error};
use crate::wire::{Reader, Writer};

/// An account: its newest device list, and which of its keys the user has agreed to.
#[derive(Clone)]
pub(in crate::device) struct Account {
    /// As many of the account's entries, from the first on.
    pub(in crate::device) approved: u8,
    pub(in crate::device) list: DeviceList,
}

impl Account {
    /// An account whose present keys the user agrees to.
    pub(in crate::device) fn new(list: DeviceList) -> Self {
        let mut account = Self { approved: 0, list };
        account.approve();
        account
    }

    /// Whether the user has agreed to the keys that the account has now.
    pub(in crate::device) fn is_approved(&self) -> bool {
        usize::from(self.approved) >= self.list.entries()
    }

    /// Takes note that the user agrees to the present keys.
    pub(in crate::device) fn approve(&mut self) {
        self.approved = u8::try_from(self.list.entries()).unwrap_or(u8::MAX);
    }
}

impl Encoding for Account {
    const KIND: u16 = 6;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer
            .u8(self.approved)
            .vector(self.list.as_bytes())
            .map_err(integrity)?;
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let approved = reader.u8().map_err(integrity)?;
        let list = reader.vector(DEVICE_LIST_MAX).map_err(integrity)?;
        let account = Self {
            approved,
            list: DeviceList::from_trusted(list).map_err(|_| Error::Integrity)?,
        };
        if approved == 0 || usize::from(approved) > account.list.entries() {
            return Err(Error::Integrity);
        }
        Ok(account)
    }

    fn size_hint(&self) -> usize {
        self.list.as_bytes().len().saturating_add(5)
    }
}

/// The seed of one's own account key: on the primary only.
pub(in crate::device) struct AccountSeed(pub(in crate::device) Secret<32>);

impl Encoding for AccountSeed {
    const KIND: u16 = 11;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.bytes(self.0.expose());
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self(Secret::new(*reader.array().map_err(integrity)?)))
    }

    fn size_hint(&self) -> usize {
        32
    }
}

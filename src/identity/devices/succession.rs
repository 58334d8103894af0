//! A list held against the one that is known (SPEC §6.4-R5 to R8).

use alloc::vec::Vec;

use super::super::error::Error;
use super::DeviceList;
use crate::memory;

/// What is different in a list that follows another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Ids of the devices that are new, ascending.
    pub added: Vec<u32>,
    /// Ids of the devices that are gone, ascending.
    pub removed: Vec<u32>,
    /// The keys of the account were replaced: its owner lost the primary device, or somebody has the recovery key. The
    /// user is told, and the fingerprint is another one.
    pub keys_changed: bool,
}

impl DeviceList {
    /// Holds `next` against this list, which is known: what changed, or nothing if it is the same list. Changes
    /// nothing itself.
    ///
    /// # Errors
    /// [`Error::OtherAccount`], [`Error::Equivocation`], [`Error::OldList`], [`Error::MissingLists`],
    /// [`Error::BadSignature`], [`Error::Malformed`], in the order of SPEC §6.4-R5 to R8.
    pub fn succession(&self, next: &Self) -> Result<Option<Change>, Error> {
        // SPEC §6.4-R5
        next.require_account(&self.account_id)?;
        // SPEC §6.4-R6
        if next.version() < self.version() {
            return Err(Error::OldList);
        }
        if next.version() == self.version() {
            return if next.hash == self.hash {
                Ok(None)
            } else {
                Err(Error::Equivocation)
            };
        }
        // SPEC §6.4-R7
        if self.version().checked_add(1) != Some(next.version()) {
            return Err(Error::MissingLists);
        }
        if next.content.prev_hash != self.hash {
            return Err(Error::Equivocation);
        }
        self.require_heir(next)?;
        Ok(Some(self.change(next)))
    }

    /// SPEC §6.4-R8.
    fn require_heir(&self, next: &Self) -> Result<(), Error> {
        let (known, new) = (&self.content, &next.content);
        if new.first != known.first || !new.replacements.starts_with(&known.replacements) {
            return Err(Error::BadSignature);
        }
        let keeps_ids = new
            .devices
            .iter()
            .all(|device| match self.device(device.id()) {
                Some(same) => same == device,
                None => device.id() >= known.next_id,
            });
        if new.next_id < known.next_id || !keeps_ids {
            return Err(Error::Malformed);
        }
        Ok(())
    }

    fn change(&self, next: &Self) -> Change {
        Change {
            added: next.missing_in(self),
            removed: self.missing_in(next),
            keys_changed: next.entries() > self.entries(),
        }
    }

    /// Ids that `other` does not have.
    fn missing_in(&self, other: &Self) -> Vec<u32> {
        let mut ids = Vec::new();
        for device in self.devices() {
            if other.device(device.id()).is_none() {
                memory::push(&mut ids, device.id());
            }
        }
        ids
    }
}

//! The names of a stored member's records (SPEC §22.6).

use alloc::vec::Vec;

use crate::memory;
use crate::mls::secret_tree::{Item, SecretTree};
use crate::mls::tree::PageName;
use crate::wire::Writer;

/// The name of a record among those of its group: a kind, and what tells it from others of the kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName(Vec<u8>);

impl RecordName {
    /// Its bytes, at most 33.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn of(kind: u8, write: impl FnOnce(&mut Writer)) -> Self {
        let mut writer = Writer::with_capacity(33);
        writer.u8(kind);
        write(&mut writer);
        Self(writer.into_bytes())
    }

    pub(super) fn head() -> Self {
        Self::of(0, |_| {})
    }

    pub(super) fn pending() -> Self {
        Self::of(1, |_| {})
    }

    pub(super) fn counts() -> Self {
        Self::of(2, |_| {})
    }

    pub(super) fn proposal(number: u16) -> Self {
        Self::of(3, |name| {
            name.u16(number);
        })
    }

    pub(super) fn update(number: u16) -> Self {
        Self::of(4, |name| {
            name.u16(number);
        })
    }

    pub(super) fn past(epoch: u64) -> Self {
        Self::of(5, |name| {
            name.u64(epoch);
        })
    }

    /// A record of an epoch's message keys.
    pub(super) fn keys(epoch: u64, item: Item) -> Self {
        match item {
            Item::Root => Self::of(6, |name| {
                name.u64(epoch);
            }),
            Item::Sender(leaf) => Self::of(7, |name| {
                name.u64(epoch).u32(leaf.0);
            }),
            Item::Path(leaf) => Self::of(8, |name| {
                name.u64(epoch).u32(leaf.0);
            }),
            Item::Skipped(leaf, kind, page) => Self::of(9, |name| {
                name.u64(epoch).u32(leaf.0).u8(kind.number()).u32(page);
            }),
        }
    }

    pub(super) fn page(page: &PageName) -> Self {
        Self::of(10, |name| {
            name.bytes(page);
        })
    }
}

/// The names of an epoch's message keys.
pub(super) fn push_keys(names: &mut Vec<RecordName>, epoch: u64, keys: &SecretTree) {
    for item in keys.items() {
        memory::push(names, RecordName::keys(epoch, item));
    }
}

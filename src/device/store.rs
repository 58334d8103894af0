//! Where a device keeps its state (SPEC §19.2): values by key, and a whole batch of changes at once or not at all.

use alloc::vec::Vec;
use core::fmt;

mod memory;

pub use memory::MemoryStore;

/// Bytes of a key.
pub const KEY: usize = 16;

/// The key of a value: derived, so that it says nothing of what is stored.
pub type Key = [u8; KEY];

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Commit {
    /// All of it is stored for good; the generation is one more than it was.
    Committed,
    /// Nothing is stored: the store is of another generation than the batch was based on.
    Stale,
    /// Nothing is stored.
    Failed,
    /// All of it may be stored, or nothing: only who opens the store again learns which.
    Unknown,
}

/// The store cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store cannot be read")
    }
}

impl core::error::Error for Unreadable {}

/// A store of one device.
///
/// It has a *generation*: 0 while it is empty, and one more with each commit. Several processes may hold one store:
/// of two commits based on the same generation one is [`Commit::Stale`]. The values are encrypted; the store need not
/// keep anything secret, and learns neither contacts nor contents.
pub trait Store {
    /// The value stored under `key`.
    ///
    /// # Errors
    /// [`Unreadable`]: it is not known whether there is one.
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable>;

    /// Stores `puts` and removes `deletes`, all of it or nothing, if the store's generation is `base`. No key occurs
    /// twice. A key to be removed need not be there.
    ///
    /// What this call says was [`Commit::Committed`] survives whatever happens to the process, and to the machine.
    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit;
}

impl<S: Store + ?Sized> Store for &mut S {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        (**self).get(key)
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        (**self).commit(base, puts, deletes)
    }
}

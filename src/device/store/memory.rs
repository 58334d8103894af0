//! A store that is gone with the process: for tests, and for whoever keeps nothing.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Commit, Key, Store, Unreadable};

/// Values in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore {
    generation: u64,
    values: BTreeMap<Key, Vec<u8>>,
}

impl MemoryStore {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            generation: 0,
            values: BTreeMap::new(),
        }
    }

    /// How many commits there were.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Every value, by ascending key.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &[u8])> {
        self.values
            .iter()
            .map(|(key, value)| (key, value.as_slice()))
    }
}

impl Store for MemoryStore {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        Ok(self.values.get(key).cloned())
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        if base != self.generation {
            return Commit::Stale;
        }
        let Some(next) = base.checked_add(1) else {
            return Commit::Failed;
        };
        for key in deletes {
            self.values.remove(key);
        }
        for (key, value) in puts {
            self.values.insert(*key, value.clone());
        }
        self.generation = next;
        Commit::Committed
    }
}

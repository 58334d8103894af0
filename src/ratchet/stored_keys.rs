//! Message keys kept for messages that have not arrived, in ascending order of their numbers (SPEC §9.5).

use alloc::vec::Vec;

use super::MessageKey;
use crate::memory;

/// The key of message `number` of a chain.
pub(crate) struct StoredKey {
    pub(crate) number: u32,
    pub(crate) key: MessageKey,
}

/// Keys by ascending number. No key's bytes stay behind in memory that is given back: keys are overwritten where
/// they lie, and growing copies them before the old memory is overwritten.
#[derive(Default)]
pub(crate) struct StoredKeys(Vec<StoredKey>);

impl StoredKeys {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &StoredKey> {
        self.0.iter()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&MessageKey> {
        let position = self.position(number)?;
        self.0.get(position).map(|stored| &stored.key)
    }

    /// Adds keys whose numbers are all above those held.
    pub(crate) fn append(&mut self, new: Self) {
        if new.is_empty() {
            return;
        }
        if self.is_empty() {
            *self = new;
            return;
        }
        let mut new = new.0;
        memory::append(&mut self.0, &mut new);
    }

    /// For keys that are computed in ascending order into room that was made before.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(memory::with_capacity(capacity))
    }

    /// Adds one key; the caller made room for it.
    pub(crate) fn push(&mut self, number: u32, key: MessageKey) {
        memory::push(&mut self.0, StoredKey { number, key });
    }

    pub(crate) fn remove(&mut self, number: u32) {
        if let Some(position) = self.position(number)
            && let Some(tail) = self.0.get_mut(position..)
            && !tail.is_empty()
        {
            // The key moves to the end and is overwritten there.
            tail.rotate_left(1);
            self.0.truncate(self.0.len().saturating_sub(1));
        }
        self.release();
    }

    pub(crate) fn forget_first(&mut self, count: usize) {
        let count = count.min(self.len());
        self.0.rotate_left(count);
        self.0.truncate(self.0.len().saturating_sub(count));
        self.release();
    }

    /// Gives the memory back when the last key is gone.
    fn release(&mut self) {
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
    }

    fn position(&self, number: u32) -> Option<usize> {
        self.0
            .binary_search_by_key(&number, |stored| stored.number)
            .ok()
    }
}

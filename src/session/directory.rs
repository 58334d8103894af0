//! Finds the conversation of a message with one look-up, whatever is stored (SPEC §11.1).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::limits::HEADER_TRIALS;
use super::{Conversation, Incoming};
use crate::memory;
use crate::ratchet::TAG;

/// An index from tags and first ids to conversations, in memory.
///
/// `K` is the app's own name of a conversation. Call [`update`](Self::update) after every change of one. An app
/// with a database keeps the same two tables there, changed in the commit that stores the conversation.
#[derive(Debug)]
pub struct Directory<K> {
    /// Almost always one conversation a tag; two where tags of 64 bits are equal by chance.
    by_tag: BTreeMap<[u8; TAG], Vec<K>>,
    by_first: BTreeMap<[u8; 16], K>,
    entries: BTreeMap<K, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    tags: Vec<[u8; TAG]>,
    first_ids: Vec<[u8; 16]>,
}

impl<K> Default for Directory<K> {
    fn default() -> Self {
        Self {
            by_tag: BTreeMap::new(),
            by_first: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Directory<K> {
    /// Empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The conversations that may have the key of `message`, at most two; for a first message the one that it
    /// repeats. Empty: the message is nobody's, or a first message for
    /// [`StagedFirst::stage`](super::StagedFirst::stage).
    pub fn find<'a>(&'a self, message: &Incoming<'_>) -> impl Iterator<Item = &'a K> {
        let by_first = message
            .first_id()
            .and_then(|first_id| self.by_first.get(&first_id));
        let by_tag = match message.first_id() {
            Some(_) => None,
            None => self.by_tag.get(message.tag()),
        };
        by_first
            .into_iter()
            .chain(by_tag.into_iter().flatten())
            .take(HEADER_TRIALS)
    }

    /// Takes over the present tags of a conversation.
    pub fn update(&mut self, key: &K, conversation: &Conversation) {
        let unchanged = self.entries.get(key).is_some_and(|entry| {
            entry.tags.iter().eq(conversation.tags())
                && entry.first_ids.iter().eq(conversation.first_ids())
        });
        if unchanged {
            return;
        }
        self.remove(key);
        let entry = Entry {
            tags: conversation.tags().copied().collect(),
            first_ids: conversation.first_ids().copied().collect(),
        };
        for tag in &entry.tags {
            let keys = self.by_tag.entry(*tag).or_default();
            if !keys.contains(key) {
                memory::push(keys, key.clone());
            }
        }
        for first_id in &entry.first_ids {
            self.by_first.insert(*first_id, key.clone());
        }
        self.entries.insert(key.clone(), entry);
    }

    /// Forgets a conversation.
    pub fn remove(&mut self, key: &K) {
        let Some(entry) = self.entries.remove(key) else {
            return;
        };
        for tag in entry.tags {
            if let Some(keys) = self.by_tag.get_mut(&tag) {
                keys.retain(|other| other != key);
                if keys.is_empty() {
                    self.by_tag.remove(&tag);
                }
            }
        }
        for first_id in entry.first_ids {
            if self.by_first.get(&first_id) == Some(key) {
                self.by_first.remove(&first_id);
            }
        }
    }
}

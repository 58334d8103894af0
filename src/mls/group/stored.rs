//! Storing a member (SPEC §22.6): what changed since it was stored last, as small records, and the way back.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::member::Member;
use super::record::{self, Content, Records};
use super::record_name::{RecordName, push_keys};
use super::snapshot::Snapshot;
use crate::crypto::hash::sha256;
use crate::memory;
use crate::mls::error::Error;
use crate::mls::secret_tree::SecretTree;
use crate::mls::tree::RatchetTree;

/// What is to be stored, all of it or nothing: a few hundred bytes after a message, and after a commit as many records of the
/// tree as lie on the way from what it changes to the root.
#[derive(Default)]
pub struct Changes {
    /// Records that are new, or have another content. The contents are secret.
    pub puts: Vec<(RecordName, Content)>,
    /// Records that are to be deleted. One that is not there is no error.
    pub deletes: Vec<RecordName>,
}

impl Changes {
    fn put(&mut self, name: RecordName, content: Content) {
        memory::push(&mut self.puts, (name, content));
    }

    fn delete(&mut self, name: RecordName) {
        memory::push(&mut self.deletes, name);
    }

    fn keys(&mut self, epoch: u64, keys: &SecretTree) {
        for item in keys.changed() {
            let name = RecordName::keys(epoch, *item);
            match keys.record(*item) {
                Some(content) => self.put(name, content),
                None => self.delete(name),
            }
        }
    }

    /// No name is in both lists, and none is there twice.
    fn tidy(&mut self) {
        self.puts
            .sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        self.puts.dedup_by(|(one, _), (other, _)| one == other);
        self.deletes.sort_unstable();
        self.deletes.dedup();
        let puts = &self.puts;
        memory::retain(&mut self.deletes, |name| {
            puts.binary_search_by(|(put, _)| put.cmp(name)).is_err()
        });
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { puts, deletes } = self;
        f.debug_struct("Changes")
            .field("puts", &puts.len())
            .field("deletes", &deletes.len())
            .finish()
    }
}

fn count<T>(values: &[T]) -> u16 {
    u16::try_from(values.len()).unwrap_or(u16::MAX)
}

impl Member {
    /// What has changed since the member was stored last; all of it, the first time. It stays so until
    /// [`were_stored`](Self::were_stored).
    ///
    /// The contents are to be encrypted, and stored with the names of the group in one commit: see
    /// [`Device`](crate::device::Device), which does so.
    ///
    /// # Errors
    /// [`Error::Malformed`] over 2^30 bytes.
    pub fn changes(&self) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        let stored = self.stored.as_ref();
        let head = record::head(self)?;
        if stored.is_none_or(|stored| stored.head != sha256(&[&head])) {
            changes.put(RecordName::head(), head);
        }
        changes.keys(self.epoch(), &self.epoch.messages);
        for past in &self.past {
            let epoch = past.context.epoch;
            if stored.is_none_or(|stored| !stored.past.contains(&epoch)) {
                changes.put(RecordName::past(epoch), record::past(past)?);
            }
            changes.keys(epoch, &past.messages);
        }
        for past in stored.map_or(&[][..], |stored| &stored.past) {
            if self.past.iter().all(|held| held.context.epoch != *past) {
                changes.delete(RecordName::past(*past));
            }
        }
        for name in &self.dropped {
            changes.delete(name.clone());
        }
        self.pending_changes(&mut changes)?;
        self.kept_changes(&mut changes)?;
        self.tree_changes(&mut changes)?;
        changes.tidy();
        Ok(changes)
    }

    fn pending_changes(&self, changes: &mut Changes) -> Result<(), Error> {
        let before = self.stored.as_ref().and_then(|stored| stored.pending);
        match (&self.pending, before) {
            (None, None) => {}
            (None, Some(_)) => changes.delete(RecordName::pending()),
            (Some(pending), before) => {
                if Some(pending.message) != before {
                    changes.put(RecordName::pending(), record::pending(pending)?);
                }
            }
        }
        Ok(())
    }

    fn kept_changes(&self, changes: &mut Changes) -> Result<(), Error> {
        let now = (self.cleared, count(&self.kept), count(&self.updates));
        let stored = self.stored.as_ref().map(|stored| stored.kept);
        if stored == Some(now) {
            return Ok(());
        }
        let before = stored.unwrap_or_default();
        let (_, proposals, updates) = now;
        changes.put(RecordName::counts(), record::counts(proposals, updates)?);
        // Those that were there before the others were let go of are others.
        let (from, from_update) = match before {
            (cleared, proposals, updates) if cleared == self.cleared => (proposals, updates),
            _ => (0, 0),
        };
        for (kept, number) in self.kept.iter().zip(0u16..).skip(from.into()) {
            changes.put(RecordName::proposal(number), record::proposal(kept)?);
        }
        for (update, number) in self.updates.iter().zip(0u16..).skip(from_update.into()) {
            changes.put(RecordName::update(number), record::update(update)?);
        }
        for number in proposals..before.1 {
            changes.delete(RecordName::proposal(number));
        }
        for number in updates..before.2 {
            changes.delete(RecordName::update(number));
        }
        Ok(())
    }

    /// The trees of all epochs.
    fn trees(&self) -> Vec<&RatchetTree> {
        let mut trees = Vec::new();
        memory::push(&mut trees, &self.epoch.tree);
        if let Some(pending) = &self.pending {
            memory::push(&mut trees, &pending.next.epoch.tree);
        }
        for past in &self.past {
            memory::push(&mut trees, &past.tree);
        }
        trees
    }

    fn tree_changes(&self, changes: &mut Changes) -> Result<(), Error> {
        let now = self.trees();
        let mut before = Vec::new();
        for tree in self.stored.iter().flat_map(|stored| &stored.trees) {
            memory::push(&mut before, tree);
        }
        for tree in &now {
            for (name, top) in tree.pages_beyond(&before) {
                let content = Content::new(tree.encode_page(top)?);
                changes.put(RecordName::page(&name), content);
            }
        }
        for tree in &before {
            for (name, _) in tree.pages_beyond(&now) {
                changes.delete(RecordName::page(&name));
            }
        }
        Ok(())
    }

    /// [`changes`](Self::changes), of a member that has not changed since, are stored.
    ///
    /// # Errors
    /// None, if `changes` had none.
    pub fn were_stored(&mut self) -> Result<(), Error> {
        let mut trees = Vec::new();
        for tree in self.trees() {
            memory::push(&mut trees, tree.clone());
        }
        let mut past = memory::with_capacity(self.past.len());
        for epoch in &self.past {
            memory::push(&mut past, epoch.context.epoch);
        }
        self.stored = Some(Box::new(Snapshot {
            head: sha256(&[&record::head(self)?]),
            trees,
            past,
            pending: self.pending.as_ref().map(|pending| pending.message),
            kept: (self.cleared, count(&self.kept), count(&self.updates)),
        }));
        self.epoch.messages.were_stored();
        for past in &mut self.past {
            past.messages.were_stored();
        }
        memory::clear(&mut self.dropped);
        Ok(())
    }

    /// All that the member is becomes something to be stored: for another store.
    pub fn store_anew(&mut self) {
        self.stored = None;
        memory::clear(&mut self.dropped);
        self.epoch.messages.store_anew();
        for past in &mut self.past {
            past.messages.store_anew();
        }
    }

    /// The member whose records `read` gives, by their names: none where there is none.
    ///
    /// # Errors
    /// [`Error::Integrity`] if a record is missing or not what it was; [`Error::UnknownVersion`] of a later release; those
    /// of `read`.
    pub fn load<E: From<Error>>(
        read: impl FnMut(&RecordName) -> Result<Option<Content>, E>,
    ) -> Result<Self, E> {
        let mut member = Records(read).member()?;
        member.were_stored()?;
        Ok(member)
    }

    /// Every record that the member has or had when it was stored last: what is to be deleted when the group is.
    #[must_use]
    pub fn records(&self) -> Vec<RecordName> {
        let mut names = Vec::new();
        for name in [
            RecordName::head(),
            RecordName::pending(),
            RecordName::counts(),
        ] {
            memory::push(&mut names, name);
        }
        for number in 0..count(&self.kept) {
            memory::push(&mut names, RecordName::proposal(number));
        }
        for number in 0..count(&self.updates) {
            memory::push(&mut names, RecordName::update(number));
        }
        push_keys(&mut names, self.epoch(), &self.epoch.messages);
        for past in &self.past {
            memory::push(&mut names, RecordName::past(past.context.epoch));
            push_keys(&mut names, past.context.epoch, &past.messages);
        }
        let mut trees = self.trees();
        if let Some(stored) = &self.stored {
            let (_, proposals, updates) = stored.kept;
            for number in 0..proposals {
                memory::push(&mut names, RecordName::proposal(number));
            }
            for number in 0..updates {
                memory::push(&mut names, RecordName::update(number));
            }
            for past in &stored.past {
                memory::push(&mut names, RecordName::past(*past));
            }
            for tree in &stored.trees {
                memory::push(&mut trees, tree);
            }
        }
        for tree in trees {
            for (name, _) in tree.pages_beyond(&[]) {
                memory::push(&mut names, RecordName::page(&name));
            }
        }
        for name in &self.dropped {
            memory::push(&mut names, name.clone());
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}

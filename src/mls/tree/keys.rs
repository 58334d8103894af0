//! Which public keys a tree has (RFC 9420 §7.3: none twice): a trie over their hashes, shared between copies of the tree, and
//! what a copy has changed since.
//!
//! A commit exchanges two keys on each level. To copy the branches of the trie above all of them costs more than everything
//! else that it does to the tree; the changes of some commits together cost little more than those of one.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::crypto::hash::sha256;
use crate::memory;

/// What a key is for: the same bytes may be a key of each kind.
#[derive(Clone, Copy)]
pub(super) enum KeyKind {
    Encryption,
    Signature,
}

/// Half of a hash. That another key has the same one takes 2^128 tries to make for a given key, and 2^64 to make with a
/// key of one's own, who then is refused.
type KeyHash = [u8; 16];

const CHILDREN: usize = 16;

/// Changes beside a trie that others have as well, before it is copied.
const CHANGES: usize = 256;

/// A set of public keys.
#[derive(Clone, Default)]
pub(super) struct Keys {
    trie: Arc<Trie>,
    /// Whether a key is there now, of those of which the trie says otherwise, in their order.
    changes: Vec<(KeyHash, bool)>,
}

fn hash(kind: KeyKind, key: &[u8]) -> KeyHash {
    let kind = match kind {
        KeyKind::Encryption => 0,
        KeyKind::Signature => 1,
    };
    let hash = sha256(&[&[kind], key]);
    hash.first_chunk().copied().unwrap_or_default()
}

impl Keys {
    /// Puts a key in. False if it is there already.
    pub(super) fn insert(&mut self, kind: KeyKind, key: &[u8]) -> bool {
        self.set(hash(kind, key), true)
    }

    /// Takes a key out, if it is there.
    pub(super) fn remove(&mut self, kind: KeyKind, key: &[u8]) {
        self.set(hash(kind, key), false);
    }

    /// Whether a key is there.
    pub(super) fn contains(&self, kind: KeyKind, key: &[u8]) -> bool {
        let hash = hash(kind, key);
        match self.change(&hash) {
            Ok(_) => !self.trie.contains(&hash),
            Err(_) => self.trie.contains(&hash),
        }
    }

    fn change(&self, hash: &KeyHash) -> Result<usize, usize> {
        self.changes.binary_search_by(|(held, _)| held.cmp(hash))
    }

    /// Puts a key in or takes it out. False if there is nothing to do.
    fn set(&mut self, hash: KeyHash, there: bool) -> bool {
        if self.changes.is_empty()
            && let Some(own) = Arc::get_mut(&mut self.trie)
        {
            return own.set(hash, there);
        }
        let place = self.change(&hash);
        if (self.trie.contains(&hash) == there) == place.is_err() {
            return false;
        }
        match place {
            Ok(place) => memory::remove(&mut self.changes, place),
            Err(place) => memory::insert(&mut self.changes, place, (hash, there)),
        }
        if self.changes.len() > CHANGES {
            let trie = Arc::make_mut(&mut self.trie);
            for (hash, there) in &self.changes {
                trie.set(*hash, *there);
            }
            self.changes = Vec::new();
        }
        true
    }
}

/// A trie whose branches are shared between copies until one of them changes what is below.
#[derive(Clone, Default)]
struct Trie(Slot);

#[derive(Clone, Default)]
enum Slot {
    #[default]
    Empty,
    One(KeyHash),
    Many(Arc<[Slot; CHILDREN]>),
}

/// Which child of a branch at this depth leads to a hash.
fn child(hash: &KeyHash, depth: usize) -> usize {
    let byte = hash.get(depth / 2).copied().unwrap_or_default();
    usize::from(if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })
}

impl Trie {
    fn set(&mut self, hash: KeyHash, there: bool) -> bool {
        if there {
            self.insert(hash)
        } else {
            self.remove(&hash)
        }
    }

    /// False if it is there already.
    fn insert(&mut self, hash: KeyHash) -> bool {
        let mut slot = &mut self.0;
        let mut depth = 0usize;
        loop {
            match slot {
                Slot::Empty => {
                    *slot = Slot::One(hash);
                    return true;
                }
                Slot::One(held) if *held == hash => return false,
                Slot::One(held) => {
                    let held = *held;
                    let mut children: [Slot; CHILDREN] = Default::default();
                    if let Some(place) = children.get_mut(child(&held, depth)) {
                        *place = Slot::One(held);
                    }
                    *slot = Slot::Many(Arc::new(children));
                }
                Slot::Many(children) => {
                    let Some(next) = Arc::make_mut(children).get_mut(child(&hash, depth)) else {
                        return false;
                    };
                    slot = next;
                    depth = depth.saturating_add(1);
                }
            }
        }
    }

    /// False if it is not there. A branch stays where it is, for the next keys that come.
    fn remove(&mut self, hash: &KeyHash) -> bool {
        let mut slot = &mut self.0;
        let mut depth = 0usize;
        loop {
            match slot {
                Slot::One(held) if held == hash => {
                    *slot = Slot::Empty;
                    return true;
                }
                Slot::Empty | Slot::One(_) => return false,
                Slot::Many(children) => {
                    let Some(next) = Arc::make_mut(children).get_mut(child(hash, depth)) else {
                        return false;
                    };
                    slot = next;
                    depth = depth.saturating_add(1);
                }
            }
        }
    }

    fn contains(&self, hash: &KeyHash) -> bool {
        let mut slot = &self.0;
        let mut depth = 0usize;
        loop {
            match slot {
                Slot::Empty => return false,
                Slot::One(held) => return held == hash,
                Slot::Many(children) => {
                    let Some(next) = children.get(child(hash, depth)) else {
                        return false;
                    };
                    slot = next;
                    depth = depth.saturating_add(1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, VecDeque};
    use std::vec::Vec;

    use super::*;

    fn same(keys: &Keys, plain: &BTreeSet<[u8; 4]>) {
        for number in 0..4_096u32 {
            let key = number.to_be_bytes();
            assert_eq!(
                keys.contains(KeyKind::Encryption, &key),
                plain.contains(&key)
            );
        }
        let there = keys.changes.iter();
        assert!(there.clone().is_sorted_by(|one, next| one.0 < next.0));
        assert!(
            there
                .clone()
                .all(|(hash, there)| keys.trie.contains(hash) != *there)
        );
        assert!(keys.changes.len() <= CHANGES);
    }

    /// A multiplicative walk: puts in, takes out and asks in no order, of a set whose copies live on for a while, or of one
    /// that has none.
    fn walk(copied: impl Fn(u32) -> bool) -> Vec<usize> {
        let mut keys = Keys::default();
        let mut plain = BTreeSet::new();
        let mut copies = VecDeque::new();
        let mut changes = Vec::new();
        let mut state = 1u32;
        for step in 0..20_000u32 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (state >> 20).to_be_bytes();
            if copied(step) {
                copies.push_back((keys.clone(), plain.clone()));
            }
            if state & 0x400 == 0 {
                assert_eq!(keys.insert(KeyKind::Encryption, &key), plain.insert(key));
            } else {
                keys.remove(KeyKind::Encryption, &key);
                plain.remove(&key);
            }
            assert!(
                !keys.contains(KeyKind::Signature, &key),
                "the kinds are apart"
            );
            changes.push(keys.changes.len());
            if step % 1_000 == 0 {
                same(&keys, &plain);
            }
            if copies.len() > 3
                && let Some((keys, plain)) = copies.pop_front()
            {
                same(&keys, &plain);
            }
        }
        same(&keys, &plain);
        assert!(plain.len() > 1_000);
        changes
    }

    #[test]
    fn it_is_a_set_without_copies() {
        let changes = walk(|_| false);
        assert!(changes.iter().all(|changes| *changes == 0));
    }

    #[test]
    fn it_is_a_set_with_copies() {
        let changes = walk(|step| step % 31 == 0);
        assert!(
            changes.contains(&CHANGES),
            "the changes were put into the trie"
        );
        assert!(changes.iter().skip(CHANGES).any(|changes| *changes == 0));
    }
}

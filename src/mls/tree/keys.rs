//! Which public keys a tree has (RFC 9420 §7.3: none twice): a trie over their hashes, shared between copies of the tree.

use alloc::sync::Arc;

use crate::crypto::hash::sha256;

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

/// A set of public keys.
#[derive(Clone, Default)]
pub(super) struct Keys {
    root: Slot,
    length: usize,
}

#[derive(Clone, Default)]
enum Slot {
    #[default]
    Empty,
    One(KeyHash),
    Many(Arc<[Slot; CHILDREN]>),
}

fn hash(kind: KeyKind, key: &[u8]) -> KeyHash {
    let kind = match kind {
        KeyKind::Encryption => 0,
        KeyKind::Signature => 1,
    };
    let hash = sha256(&[&[kind], key]);
    hash.first_chunk().copied().unwrap_or_default()
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

impl Keys {
    /// Puts a key in. False if it is there already.
    pub(super) fn insert(&mut self, kind: KeyKind, key: &[u8]) -> bool {
        let hash = hash(kind, key);
        let mut slot = &mut self.root;
        let mut depth = 0usize;
        loop {
            match slot {
                Slot::Empty => {
                    *slot = Slot::One(hash);
                    self.length = self.length.saturating_add(1);
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

    /// Takes a key out, if it is there. A branch stays where it is, for the next keys that come.
    pub(super) fn remove(&mut self, kind: KeyKind, key: &[u8]) {
        let hash = hash(kind, key);
        let mut slot = &mut self.root;
        let mut depth = 0usize;
        loop {
            match slot {
                Slot::One(held) if *held == hash => {
                    *slot = Slot::Empty;
                    self.length = self.length.saturating_sub(1);
                    return;
                }
                Slot::Empty | Slot::One(_) => return,
                Slot::Many(children) => {
                    let Some(next) = Arc::make_mut(children).get_mut(child(&hash, depth)) else {
                        return;
                    };
                    slot = next;
                    depth = depth.saturating_add(1);
                }
            }
        }
    }

    /// Whether a key is there.
    pub(super) fn contains(&self, kind: KeyKind, key: &[u8]) -> bool {
        let hash = hash(kind, key);
        let mut slot = &self.root;
        let mut depth = 0usize;
        loop {
            match slot {
                Slot::Empty => return false,
                Slot::One(held) => return *held == hash,
                Slot::Many(children) => {
                    let Some(next) = children.get(child(&hash, depth)) else {
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
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_a_set() {
        let mut keys = Keys::default();
        let mut plain = BTreeSet::new();
        // A multiplicative walk: puts in, takes out and asks in no order.
        let mut state = 1u32;
        for step in 0..20_000u32 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (state >> 20).to_be_bytes();
            let before = keys.clone();
            if state & 0x400 == 0 {
                assert_eq!(keys.insert(KeyKind::Encryption, &key), plain.insert(key));
            } else {
                keys.remove(KeyKind::Encryption, &key);
                plain.remove(&key);
            }
            assert_eq!(keys.length, plain.len());
            assert!(
                !keys.contains(KeyKind::Signature, &key),
                "the kinds are apart"
            );
            if step % 1_000 == 0 {
                for number in 0..4_096u32 {
                    let key = number.to_be_bytes();
                    assert_eq!(
                        keys.contains(KeyKind::Encryption, &key),
                        plain.contains(&key)
                    );
                }
                assert!(before.length.abs_diff(keys.length) <= 1);
            }
        }
        assert!(plain.len() > 1_000);
    }
}

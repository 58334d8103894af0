//! Which of the proposals of an epoch a commit takes, where they may not all stand together (RFC 9420 §12.2; SPEC
//! §22.3-R5).

use alloc::vec::Vec;

use super::member::Kept;
use crate::memory;
use crate::mls::framing::Sender;
use crate::mls::math::LeafIndex;
use crate::mls::proposal::Proposal;
use crate::mls::psk::PreSharedKeyId;

/// What was chosen so far.
#[derive(Default)]
struct Chosen<'a> {
    removed: Vec<LeafIndex>,
    updated: Vec<LeafIndex>,
    /// Signature keys of those who are added, in their order: a commit may add very many.
    added: Vec<&'a [u8]>,
    psks: Vec<&'a PreSharedKeyId>,
    extensions: bool,
}

impl<'a> Chosen<'a> {
    /// Whether a proposal may stand with those that were chosen; then it is one of them.
    fn take(&mut self, sender: Option<LeafIndex>, proposal: &'a Proposal) -> bool {
        match proposal {
            Proposal::Remove(leaf) => put(&mut self.removed, *leaf),
            Proposal::Update(_) => sender
                .is_some_and(|leaf| !self.removed.contains(&leaf) && put(&mut self.updated, leaf)),
            Proposal::Add(key_package) => {
                let key = key_package.leaf_node.signature_key.0.as_slice();
                let place = self.added.binary_search(&key);
                if let Err(place) = place {
                    memory::insert(&mut self.added, place, key);
                }
                place.is_err()
            }
            Proposal::PreSharedKey(id) => put(&mut self.psks, id),
            Proposal::GroupContextExtensions(_) => !core::mem::replace(&mut self.extensions, true),
            Proposal::ReInit(_) | Proposal::ExternalInit(_) => false,
            Proposal::Other(..) => true,
        }
    }
}

/// Puts a value in. False if it is there already.
fn put<T: PartialEq>(values: &mut Vec<T>, value: T) -> bool {
    let new = !values.contains(&value);
    if new {
        memory::push(values, value);
    }
    new
}

/// The proposals that are taken, in the order in which they came. The newest is preferred, and a remove to everything.
pub(super) fn select<'a>(
    kept: &'a [Kept],
    own: LeafIndex,
    by_value: &'a [Proposal],
) -> Vec<&'a Kept> {
    let mut all = Vec::new();
    if let ([only], []) = (kept, by_value)
        && matches!(only.proposal, Proposal::ReInit(_))
    {
        memory::push(&mut all, only);
        return all;
    }
    if kept.is_empty() {
        return all;
    }
    let mut chosen = Chosen::default();
    for proposal in by_value {
        chosen.take(None, proposal);
    }
    // Neither may a commit remove its committer, nor have an update of it: its path does as much.
    let mut taken = memory::with_capacity(kept.len());
    for kept in kept {
        let of_oneself = match &kept.proposal {
            Proposal::Remove(leaf) => *leaf == own,
            Proposal::Update(_) => kept.sender == Sender::Member(own),
            _ => false,
        };
        memory::push(&mut taken, (kept, of_oneself, false));
    }
    for first in [true, false] {
        for (kept, of_oneself, taken) in taken.iter_mut().rev() {
            let is_remove = matches!(kept.proposal, Proposal::Remove(_));
            if is_remove == first && !*of_oneself {
                let sender = match kept.sender {
                    Sender::Member(leaf) => Some(leaf),
                    _ => None,
                };
                *taken = chosen.take(sender, &kept.proposal);
            }
        }
    }
    for (kept, _, taken) in taken {
        if taken {
            memory::push(&mut all, kept);
        }
    }
    all
}

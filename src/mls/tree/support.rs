//! What all members support, counted: a leaf that comes or goes changes the counts, and no question scans the leaves.

use alloc::vec::Vec;

use crate::memory;
use crate::mls::leaf_node::LeafNode;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::mls) enum Kind {
    /// Members whose capabilities list the extension.
    Extension,
    /// Members whose capabilities list the proposal.
    Proposal,
    /// Members whose capabilities list the credential.
    Credential,
    /// Members that have such a credential.
    InUse,
}

/// Counts over the capabilities of all members.
#[derive(Clone, Default)]
pub(super) struct Support {
    members: u32,
    /// In the order of kind and value; none is zero.
    counts: Vec<(Kind, u16, u32)>,
}

/// Each value of the lists of a leaf once.
fn values(leaf: &LeafNode) -> Vec<(Kind, u16)> {
    let capabilities = &leaf.capabilities;
    let room = capabilities.extensions.len();
    let room = room.saturating_add(capabilities.proposals.len());
    let room = room.saturating_add(capabilities.credentials.len());
    let mut values = memory::with_capacity(room.saturating_add(1));
    for extension in &capabilities.extensions {
        memory::push(&mut values, (Kind::Extension, extension.0));
    }
    for proposal in &capabilities.proposals {
        memory::push(&mut values, (Kind::Proposal, proposal.0));
    }
    for credential in &capabilities.credentials {
        memory::push(&mut values, (Kind::Credential, credential.0));
    }
    let own = leaf.credential.credential_type();
    memory::push(&mut values, (Kind::InUse, own.0));
    values.sort_unstable();
    values.dedup();
    values
}

impl Support {
    pub(super) fn add(&mut self, leaf: &LeafNode) {
        self.members = self.members.saturating_add(1);
        for (kind, value) in values(leaf) {
            match self.find(kind, value) {
                Ok(place) => {
                    if let Some((_, _, count)) = self.counts.get_mut(place) {
                        *count = count.saturating_add(1);
                    }
                }
                Err(place) => memory::insert(&mut self.counts, place, (kind, value, 1)),
            }
        }
    }

    pub(super) fn remove(&mut self, leaf: &LeafNode) {
        self.members = self.members.saturating_sub(1);
        for (kind, value) in values(leaf) {
            if let Ok(place) = self.find(kind, value)
                && let Some((_, _, count)) = self.counts.get_mut(place)
            {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    memory::remove(&mut self.counts, place);
                }
            }
        }
    }

    fn find(&self, kind: Kind, value: u16) -> Result<usize, usize> {
        self.counts
            .binary_search_by_key(&(kind, value), |(kind, value, _)| (*kind, *value))
    }

    /// Whether every member has it.
    pub(super) fn by_everybody(&self, kind: Kind, value: u16) -> bool {
        let place = self.find(kind, value);
        let count = place.ok().and_then(|place| self.counts.get(place));
        count.map_or(0, |(_, _, count)| *count) == self.members
    }

    /// The types of the credentials that members have.
    pub(super) fn credentials_in_use(&self) -> impl Iterator<Item = u16> {
        let in_use = self.counts.iter();
        in_use.filter_map(|(kind, value, _)| (*kind == Kind::InUse).then_some(*value))
    }
}

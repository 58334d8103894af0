//! Parent hashes (RFC 9420 §7.9): who put a key into the tree signed to whom its private half was sent.
//!
//! ```text
//!         P        parent hash of P, with copath child S:
//!       /   \        H(P.encryption_key, P.parent_hash, original tree hash of S)
//!      C     S     D, below C or C itself, was set with P: it has that hash
//!      :
//!      D
//! ```

use alloc::vec::Vec;

use super::node::{Node, ParentNode};
use super::ratchet_tree::RatchetTree;
use crate::crypto::hash::{HASH, sha256};
use crate::mls::error::{Error, Rule};
use crate::mls::leaf_node::LeafNodeSource;
use crate::mls::math::NodeIndex;
use crate::wire::{self, Writer};

/// `ParentHashInput`'s hash.
pub(super) fn parent_hash(
    encryption_key: &[u8],
    parent_hash: &[u8],
    sibling: &[u8; HASH],
) -> Result<[u8; HASH], wire::Error> {
    let mut writer = Writer::with_capacity(160);
    writer
        .vector(encryption_key)?
        .vector(parent_hash)?
        .vector(sibling)?;
    Ok(sha256(&[writer.as_bytes()]))
}

/// Which of the leaves, in their order, are below a node.
fn below(leaves: &[u32], node: NodeIndex) -> &[u32] {
    let (first, last) = node.leaves();
    let from = leaves.partition_point(|leaf| *leaf < first.0);
    let to = leaves.partition_point(|leaf| *leaf <= last.0);
    leaves.get(from..to).unwrap_or_default()
}

impl RatchetTree {
    /// RFC 9420 §7.9.2: every parent is parent-hash valid, by exactly one chain. All hashes of the tree are known.
    pub(super) fn verify_parent_hashes(&self) -> Result<(), Error> {
        for index in (1..self.size().nodes()).step_by(2) {
            let node = NodeIndex(index);
            if let Some(parent) = self.parent_node(node) {
                let (left, right) = node.children().ok_or(Rule::TreeShape)?;
                let by_left = self.chained(parent, left, right)?;
                let by_right = self.chained(parent, right, left)?;
                if by_left == by_right {
                    return Err(Rule::ParentHash.into());
                }
            }
        }
        Ok(())
    }

    /// Whether a node D below `child` has the parent hash of `parent` with `sibling`, and whether it may.
    fn chained(
        &self,
        parent: &ParentNode,
        child: NodeIndex,
        sibling: NodeIndex,
    ) -> Result<bool, Error> {
        let unmerged = below(&parent.unmerged_leaves, child);
        // D and the unmerged leaves: one more would be one too many.
        let resolution = self.resolution(child, unmerged.len().saturating_add(2));
        let mut others = Vec::new();
        let mut found = None;
        for node in resolution {
            let is_unmerged = node
                .leaf()
                .is_some_and(|leaf| unmerged.binary_search(&leaf.0).is_ok());
            if is_unmerged {
                crate::memory::push(&mut others, node);
            } else if found.replace(node).is_some() {
                return Ok(false);
            }
        }
        let Some(found) = found else {
            return Ok(false);
        };
        if others.len() != unmerged.len() {
            return Ok(false);
        }
        let held = match self.node(found) {
            Node::Parent(held) => &held.parent_hash,
            Node::Leaf(leaf) => match &leaf.source {
                LeafNodeSource::Commit(held) => held,
                LeafNodeSource::KeyPackage(_) | LeafNodeSource::Update => return Ok(false),
            },
            Node::Blank => return Ok(false),
        };
        let original = self.hash_without(sibling, &parent.unmerged_leaves)?;
        let expected = parent_hash(&parent.encryption_key, &parent.parent_hash, &original)?;
        Ok(held.as_slice() == expected)
    }
}

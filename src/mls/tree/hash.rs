//! Tree hashes (RFC 9420 §7.8): kept beside each node, and computed again where something below has changed.

use alloc::sync::Arc;

use super::node::{Node, ParentNode};
use super::ratchet_tree::RatchetTree;
use crate::crypto::hash::{HASH, sha256};
use crate::mls::codec::write_optional;
use crate::mls::leaf_node::LeafNode;
use crate::mls::math::{LeafIndex, NodeIndex};
use crate::wire::{self, Writer};

/// `LeafNodeHashInput`'s hash.
pub(super) fn leaf_hash(
    index: LeafIndex,
    leaf: Option<&LeafNode>,
) -> Result<[u8; HASH], wire::Error> {
    let mut writer = Writer::with_capacity(512);
    writer.u8(1).u32(index.0);
    write_optional(leaf, &mut writer)?;
    Ok(sha256(&[writer.as_bytes()]))
}

/// `ParentNodeHashInput`'s hash.
pub(super) fn parent_hash(
    parent: Option<&ParentNode>,
    left: &[u8; HASH],
    right: &[u8; HASH],
) -> Result<[u8; HASH], wire::Error> {
    let mut writer = Writer::with_capacity(256);
    writer.u8(2);
    write_optional(parent, &mut writer)?;
    writer.vector(left)?.vector(right)?;
    Ok(sha256(&[writer.as_bytes()]))
}

impl RatchetTree {
    /// The hash of the whole tree.
    pub(in crate::mls) fn tree_hash(&mut self) -> Result<[u8; HASH], wire::Error> {
        self.hash(self.size().root())
    }

    /// The hash of what is below a node, and the node.
    pub(in crate::mls) fn hash(&mut self, node: NodeIndex) -> Result<[u8; HASH], wire::Error> {
        if let Some(known) = self.record(node).and_then(|record| record.hash) {
            return Ok(known);
        }
        let hash = match (node.children(), node.leaf()) {
            (Some((left, right)), _) => {
                let (left, right) = (self.hash(left)?, self.hash(right)?);
                parent_hash(self.parent_node(node).map(Arc::as_ref), &left, &right)?
            }
            (None, Some(leaf)) => leaf_hash(leaf, self.leaf(leaf).map(Arc::as_ref))?,
            (None, None) => return Err(wire::Error::Value),
        };
        if let Some(record) = self.record_mut(node) {
            record.hash = Some(hash);
        }
        Ok(hash)
    }

    /// The hash of what is below a node, with these leaves blank and in no list of unmerged ones (RFC 9420 §7.9: "original
    /// tree hash"). They are in their order, and all hashes of the tree are known.
    pub(super) fn hash_without(
        &self,
        node: NodeIndex,
        without: &[u32],
    ) -> Result<[u8; HASH], wire::Error> {
        let (first, last) = node.leaves();
        let from = without.partition_point(|leaf| *leaf < first.0);
        let to = without.partition_point(|leaf| *leaf <= last.0);
        let below = without.get(from..to).unwrap_or_default();
        if below.is_empty() {
            let known = self.record(node).and_then(|record| record.hash);
            return known.ok_or(wire::Error::Value);
        }
        match (node.children(), node.leaf(), self.node(node)) {
            (Some((left, right)), _, own) => {
                let left = self.hash_without(left, below)?;
                let right = self.hash_without(right, below)?;
                match own {
                    Node::Parent(own) => {
                        let mut original = ParentNode::clone(own);
                        crate::memory::retain(&mut original.unmerged_leaves, |leaf| {
                            below.binary_search(leaf).is_err()
                        });
                        parent_hash(Some(&original), &left, &right)
                    }
                    _ => parent_hash(None, &left, &right),
                }
            }
            (None, Some(leaf), _) => leaf_hash(leaf, None),
            (None, None, _) => Err(wire::Error::Value),
        }
    }
}

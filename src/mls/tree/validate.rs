//! Whether a tree that was received may be one's own (RFC 9420 §§7.3, 7.9.2, 12.4.3.1).

#[cfg(feature = "hazmat")]
use alloc::vec::Vec;

use super::ratchet_tree::RatchetTree;
use super::support::Kind;
#[cfg(feature = "hazmat")]
use crate::crypto::hash::HASH;
use crate::crypto::sign::Batch;
#[cfg(feature = "hazmat")]
use crate::memory;
use crate::mls::context::GroupContext;
use crate::mls::error::{Error, Rule};
use crate::mls::leaf_node::{Place, Validity};
use crate::mls::math::{LeafIndex, NodeIndex};
use crate::mls::suite::{Scheme, Suite};

impl RatchetTree {
    /// Everything of a tree that who joins has to check, but for what the app decides.
    pub(in crate::mls) fn validate(
        &mut self,
        suite: &Suite,
        context: &GroupContext,
        validity: Option<Validity>,
    ) -> Result<(), Error> {
        if self.tree_hash()?.as_slice() != context.tree_hash {
            return Err(Rule::TreeHash.into());
        }
        let required = context.extensions.required_capabilities()?;
        for (_, leaf) in self.leaves() {
            leaf.require(suite, &required, &context.extensions)?;
            if let Some(validity) = validity {
                leaf.require_lifetime(validity)?;
            }
        }
        self.require_credentials()?;
        self.validate_structure(suite)?;
        self.verify_signatures(suite, &context.group_id)
    }

    /// RFC 9420 §7.3: every member supports every credential in use.
    pub(in crate::mls) fn require_credentials(&self) -> Result<(), Error> {
        let mut in_use = self.credentials_in_use();
        if in_use.all(|credential| self.supported_by_everybody(Kind::Credential, credential)) {
            Ok(())
        } else {
            Err(Rule::LeafCredential.into())
        }
    }

    /// Parents: their keys, their unmerged leaves, their parent hashes.
    pub(in crate::mls) fn validate_structure(&mut self, suite: &Suite) -> Result<(), Error> {
        self.tree_hash()?;
        for index in (1..self.size().nodes()).step_by(2) {
            let node = NodeIndex(index);
            if let Some(parent) = self.parent_node(node) {
                suite.hpke.kem.check_public_key(&parent.encryption_key)?;
                self.validate_unmerged(node, &parent.unmerged_leaves)?;
            }
        }
        self.verify_parent_hashes()
    }

    /// RFC 9420 §12.4.3.1: each unmerged leaf is a member below, and unmerged in every parent on the way.
    fn validate_unmerged(&self, node: NodeIndex, unmerged: &[u32]) -> Result<(), Error> {
        let ascending = unmerged.is_sorted_by(|one, next| one < next);
        let hold = ascending
            && unmerged.iter().map(|leaf| LeafIndex(*leaf)).all(|leaf| {
                node.covers(leaf)
                    && self.leaf(leaf).is_some()
                    && self
                        .size()
                        .direct_path(leaf.node())
                        .take_while(|(above, _)| *above != node)
                        .filter_map(|(above, _)| self.parent_node(above))
                        .all(|above| above.unmerged_leaves.binary_search(&leaf.0).is_ok())
            });
        if hold {
            Ok(())
        } else {
            Err(Rule::UnmergedLeaves.into())
        }
    }

    /// The signatures of all leaves, those of Ed25519 together.
    pub(in crate::mls) fn verify_signatures(
        &self,
        suite: &Suite,
        group_id: &[u8],
    ) -> Result<(), Error> {
        let place = |leaf| Place { group_id, leaf };
        match suite.scheme {
            Scheme::EcdsaP256 => {
                for (index, leaf) in self.leaves() {
                    leaf.verify(suite, place(index))?;
                }
                Ok(())
            }
            Scheme::Ed25519 => {
                let mut batch = Batch::new();
                for (index, leaf) in self.leaves() {
                    leaf.add_to(&mut batch, place(index))?;
                }
                batch.verify().map_err(|_| Rule::LeafSignature.into())
            }
        }
    }

    /// The tree hash of every node, in their order.
    #[cfg(feature = "hazmat")]
    pub(in crate::mls) fn all_hashes(&mut self) -> Result<Vec<[u8; HASH]>, Error> {
        let mut hashes = Vec::new();
        for index in 0..self.size().nodes() {
            let hash = self.hash(NodeIndex(index))?;
            memory::push(&mut hashes, hash);
        }
        Ok(hashes)
    }

    /// The resolution of every node, in their order.
    #[cfg(feature = "hazmat")]
    pub(in crate::mls) fn all_resolutions(&self) -> Vec<Vec<NodeIndex>> {
        let mut resolutions = Vec::new();
        for index in 0..self.size().nodes() {
            memory::push(
                &mut resolutions,
                self.resolution(NodeIndex(index), usize::MAX),
            );
        }
        resolutions
    }
}

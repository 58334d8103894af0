//! Update paths (RFC 9420 §§7.4 to 7.6): a committer's new keys, each sent to the subgroup that is to have it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::node::ParentNode;
use super::parent_hash::parent_hash;
use super::private::{PrivateTree, next_path_secret, node_key};
use super::ratchet_tree::RatchetTree;
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::crypto::hpke::{Info, KeyPair};
use crate::memory;
use crate::mls::commit::{HpkeCiphertext, UpdatePath, UpdatePathNode};
use crate::mls::error::{Error, Rule};
use crate::mls::labels::encrypt;
use crate::mls::leaf_node::{LeafNode, LeafNodeSource, Place};
use crate::mls::math::{LeafIndex, NodeIndex};
use crate::mls::signature::Signer;
use crate::mls::suite::Suite;

/// A path of one's own: its keys are in the tree, its secrets wait to be encrypted under the new context.
pub(in crate::mls) struct SentPath {
    leaf_node: LeafNode,
    nodes: Vec<SentNode>,
    /// `path_secret[n+1]`.
    pub(in crate::mls) commit_secret: Secret<HASH>,
    pub(in crate::mls) private: PrivateTree,
}

struct SentNode {
    node: NodeIndex,
    copath: NodeIndex,
    path_secret: Secret<HASH>,
    public: Vec<u8>,
}

/// The secrets of a new path.
pub(in crate::mls) struct PathSecrets {
    /// The leaf's new key.
    pub(in crate::mls) leaf_key: KeyPair,
    /// `path_secret[0]`.
    pub(in crate::mls) first: Secret<HASH>,
}

impl RatchetTree {
    /// Puts new public keys on a member's filtered direct path, blanks the rest of the direct path, and gives the parent hash
    /// of its leaf (RFC 9420 §7.5).
    fn set_path(
        &mut self,
        leaf: LeafIndex,
        path: &[(NodeIndex, NodeIndex)],
        keys: &[&[u8]],
    ) -> Result<Vec<u8>, Error> {
        let mut filtered = path.iter().peekable();
        for (node, _) in self.size().direct_path(leaf.node()) {
            // Those of the filtered path are replaced below.
            if filtered.next_if(|(next, _)| *next == node).is_none() {
                self.set_parent(node, None)?;
            }
        }
        let mut above: Vec<u8> = Vec::new();
        for ((node, copath), key) in path.iter().zip(keys).rev() {
            let sibling = self.hash(*copath)?;
            let hash = parent_hash(key, &above, &sibling)?;
            let parent = ParentNode {
                encryption_key: memory::copied(key),
                parent_hash: above,
                unmerged_leaves: Vec::new(),
            };
            self.set_parent(*node, Some(parent))?;
            above = memory::copied(&hash);
        }
        Ok(above)
    }

    /// Makes a new path for `leaf`, and puts it into the tree. `leaf_node` is what becomes of the member's leaf: its
    /// encryption key, source and signature are made here.
    pub(in crate::mls) fn make_path(
        &mut self,
        suite: &Suite,
        place: Place<'_>,
        mut leaf_node: LeafNode,
        secrets: PathSecrets,
        signer: &Signer,
    ) -> Result<SentPath, Error> {
        let leaf = place.leaf;
        let path = self.filtered_path(leaf);
        let mut private = PrivateTree::new(leaf, secrets.leaf_key);
        let mut nodes = memory::with_capacity(path.len());
        let mut path_secret = secrets.first;
        for (node, copath) in &path {
            let key = node_key(suite, &path_secret)?;
            let public = memory::copied(key.public());
            let next = next_path_secret(&path_secret)?;
            private.set(*node, key);
            let sent = SentNode {
                node: *node,
                copath: *copath,
                path_secret,
                public,
            };
            memory::push(&mut nodes, sent);
            path_secret = next;
        }
        let mut keys = memory::with_capacity(nodes.len());
        for sent in &nodes {
            memory::push(&mut keys, sent.public.as_slice());
        }
        let parent_hash = self.set_path(leaf, &path, &keys)?;
        leaf_node.encryption_key = memory::copied(private.leaf_key.public());
        leaf_node.source = LeafNodeSource::Commit(parent_hash);
        leaf_node.sign(place, signer)?;
        self.set_leaf(leaf, Some(Arc::new(leaf_node.clone())))?;
        Ok(SentPath {
            leaf_node,
            nodes,
            commit_secret: path_secret,
            private,
        })
    }

    /// Puts the path of another member's commit into the tree (RFC 9420 §7.5, §12.4.2). Its leaf was validated.
    pub(in crate::mls) fn apply_path(
        &mut self,
        leaf: LeafIndex,
        path: &UpdatePath,
    ) -> Result<(), Error> {
        let filtered = self.filtered_path(leaf);
        if filtered.len() != path.nodes.len() {
            return Err(Rule::PathLength.into());
        }
        let mut keys = memory::with_capacity(path.nodes.len());
        for node in &path.nodes {
            // RFC 9420 §12.4.2: not in the tree before, whatever the path blanks.
            if self.has_encryption_key(&node.encryption_key) {
                return Err(Rule::PathKey.into());
            }
            memory::push(&mut keys, node.encryption_key.as_slice());
        }
        let expected = self.set_path(leaf, &filtered, &keys)?;
        match &path.leaf_node.source {
            LeafNodeSource::Commit(held) if *held == expected => {}
            LeafNodeSource::Commit(_) => return Err(Rule::ParentHash.into()),
            LeafNodeSource::KeyPackage(_) | LeafNodeSource::Update => {
                return Err(Rule::LeafSource.into());
            }
        }
        self.set_leaf(leaf, Some(Arc::new(path.leaf_node.clone())))
    }

    /// The nodes that a path secret is encrypted to: the resolution of the copath but for the leaves that are new in this
    /// commit, which are in their order.
    fn recipients(&self, copath: NodeIndex, new: &[LeafIndex]) -> Vec<NodeIndex> {
        let mut resolution = self.resolution(copath, usize::MAX);
        if !new.is_empty() {
            memory::retain(&mut resolution, |node| {
                node.leaf()
                    .is_none_or(|leaf| new.binary_search(&leaf).is_err())
            });
        }
        resolution
    }
}

impl SentPath {
    /// The path secret of the lowest node above both its committer and a new member.
    pub(in crate::mls) fn secret_for(&self, new: LeafIndex) -> Option<&Secret<HASH>> {
        let mut nodes = self.nodes.iter();
        let sent = nodes.find(|sent| sent.node.covers(new))?;
        Some(&sent.path_secret)
    }

    /// Puts another leaf into the path, and into the tree as far as it may have it: the committer is hostile.
    #[cfg(feature = "hazmat")]
    pub(in crate::mls) fn replace_leaf(&mut self, tree: &mut RatchetTree, leaf_node: LeafNode) {
        let mut with = tree.clone();
        let new = Some(Arc::new(leaf_node.clone()));
        if with.set_leaf(self.private.leaf, new).is_ok() {
            *tree = with;
        }
        self.leaf_node = leaf_node;
    }

    /// The leaf as it will stand in the path.
    #[cfg(feature = "hazmat")]
    pub(in crate::mls) const fn leaf_node(&self) -> &LeafNode {
        &self.leaf_node
    }

    /// Encrypts the path secrets under the new context, encoded, with randomness for each of the ephemeral keys; gives the path
    /// and the private keys of the new tree.
    pub(in crate::mls) fn encrypt(
        self,
        suite: &Suite,
        tree: &RatchetTree,
        context: &[u8],
        new: &[LeafIndex],
        mut random: impl FnMut() -> Result<Secret<32>, Error>,
    ) -> Result<(UpdatePath, PrivateTree), Error> {
        let info: Info = suite.encrypt_info(encrypt::UPDATE_PATH_NODE, context)?;
        let mut nodes = memory::with_capacity(self.nodes.len());
        for sent in &self.nodes {
            let recipients = tree.recipients(sent.copath, new);
            let mut encrypted = memory::with_capacity(recipients.len());
            for recipient in recipients {
                let key = tree.encryption_key(recipient).ok_or(Error::InvalidKey)?;
                let sealed = suite.encrypt(key, &info, sent.path_secret.expose(), &random()?)?;
                let sealed = HpkeCiphertext {
                    kem_output: sealed.kem_output,
                    ciphertext: sealed.ciphertext,
                };
                memory::push(&mut encrypted, sealed);
            }
            let node = UpdatePathNode {
                encryption_key: sent.public.clone(),
                encrypted_path_secret: encrypted,
            };
            memory::push(&mut nodes, node);
        }
        let path = UpdatePath {
            leaf_node: self.leaf_node,
            nodes,
        };
        Ok((path, self.private))
    }
}

/// Who takes a path secret out of another member's commit.
pub(in crate::mls) struct Recipient<'a> {
    pub(in crate::mls) suite: &'a Suite,
    /// With the path in it.
    pub(in crate::mls) tree: &'a RatchetTree,
    /// The new context, encoded.
    pub(in crate::mls) context: &'a [u8],
    /// Who is new in this commit, in their order.
    pub(in crate::mls) new: &'a [LeafIndex],
}

impl Recipient<'_> {
    /// Checks that the path has one ciphertext for each recipient; decrypts the path secret that is one's own, takes the keys
    /// above, and gives the path secret and the commit secret (RFC 9420 §7.5).
    pub(in crate::mls) fn take(
        &self,
        sender: LeafIndex,
        path: &UpdatePath,
        private: &mut PrivateTree,
    ) -> Result<(Secret<HASH>, Secret<HASH>), Error> {
        let filtered = self.tree.filtered_path(sender);
        if filtered.len() != path.nodes.len() {
            return Err(Rule::PathLength.into());
        }
        let mut own = None;
        for (level, ((_, copath), node)) in filtered.iter().zip(&path.nodes).enumerate() {
            let recipients = self.tree.recipients(*copath, self.new);
            if recipients.len() != node.encrypted_path_secret.len() {
                return Err(Rule::PathLength.into());
            }
            if copath.covers(private.leaf) {
                let mut sealed = recipients.iter().zip(&node.encrypted_path_secret);
                own = sealed
                    .find_map(|(node, sealed)| Some((private.key(*node)?, sealed)))
                    .map(|(key, sealed)| (level, key, sealed));
            }
        }
        let (level, key, sealed) = own.ok_or(Error::Decryption)?;
        let info = self
            .suite
            .encrypt_info(encrypt::UPDATE_PATH_NODE, self.context)?;
        let text = self
            .suite
            .decrypt(key, &info, &sealed.kem_output, &sealed.ciphertext)?;
        let secret = text.as_slice().try_into().map_err(|_| Error::Decryption)?;
        let secret = Secret::<HASH>::new(secret);
        let first = secret.duplicate();
        let nodes = filtered.iter().skip(level).map(|(node, _)| *node);
        let commit_secret =
            private.take_path(self.suite, self.tree, nodes, secret, Rule::PathSecret)?;
        Ok((first, commit_secret))
    }
}

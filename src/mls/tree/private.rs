//! The private keys that a member has: its leaf's, and those of subgroups that it is in.

use alloc::vec::Vec;

use super::ratchet_tree::RatchetTree;
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::crypto::hpke::KeyPair;
use crate::memory;
use crate::mls::error::{Error, Rule};
use crate::mls::labels::derive;
use crate::mls::math::{LeafIndex, NodeIndex};
use crate::mls::suite::{Prk, Suite};
use crate::wire::{Reader, Writer};

/// A member's private keys of the tree.
pub(in crate::mls) struct PrivateTree {
    pub(in crate::mls) leaf: LeafIndex,
    pub(in crate::mls) leaf_key: KeyPair,
    /// Of parents above the leaf, the lowest first.
    parents: Vec<(NodeIndex, KeyPair)>,
}

/// The key pair of a node with this path secret (RFC 9420 §7.4).
pub(super) fn node_key(suite: &Suite, path_secret: &Secret<HASH>) -> Result<KeyPair, Error> {
    let node_secret = Prk::new(path_secret).derive(derive::NODE)?;
    Ok(suite.hpke.kem.derive_key_pair(node_secret.expose())?)
}

/// The path secret of the next node above.
pub(super) fn next_path_secret(path_secret: &Secret<HASH>) -> Result<Secret<HASH>, Error> {
    Prk::new(path_secret).derive(derive::PATH)
}

impl PrivateTree {
    pub(in crate::mls) const fn new(leaf: LeafIndex, leaf_key: KeyPair) -> Self {
        Self {
            leaf,
            leaf_key,
            parents: Vec::new(),
        }
    }

    /// A second instance.
    pub(in crate::mls) fn duplicate(&self) -> Self {
        let mut parents = memory::with_capacity(self.parents.len());
        for (node, key) in &self.parents {
            memory::push(&mut parents, (*node, key.duplicate()));
        }
        Self {
            leaf: self.leaf,
            leaf_key: self.leaf_key.duplicate(),
            parents,
        }
    }

    /// The key of a node, if it is there.
    pub(super) fn key(&self, node: NodeIndex) -> Option<&KeyPair> {
        if node == self.leaf.node() {
            return Some(&self.leaf_key);
        }
        let mut parents = self.parents.iter();
        let (_, key) = parents.find(|(held, _)| *held == node)?;
        Some(key)
    }

    /// Every key that is held.
    #[cfg(feature = "hazmat")]
    pub(in crate::mls) fn keys(&self) -> impl Iterator<Item = &KeyPair> {
        core::iter::once(&self.leaf_key).chain(self.parents.iter().map(|(_, key)| key))
    }

    /// Puts the key of a node in.
    pub(super) fn set(&mut self, node: NodeIndex, key: KeyPair) {
        memory::retain(&mut self.parents, |(held, _)| *held != node);
        let place = self
            .parents
            .partition_point(|(held, _)| held.level() < node.level());
        memory::insert(&mut self.parents, place, (node, key));
    }

    /// Lets go of keys that are not in the tree any more.
    pub(in crate::mls) fn prune(&mut self, tree: &RatchetTree) {
        memory::retain(&mut self.parents, |(node, key)| {
            tree.encryption_key(*node) == Some(key.public())
        });
    }

    /// Takes the keys from the path secret of `from` on upward: of every node above that is in `path`, or, with a Welcome,
    /// of every node above that is not blank. Each has to be the one of the tree. Gives the commit secret.
    pub(super) fn take_path(
        &mut self,
        suite: &Suite,
        tree: &RatchetTree,
        nodes: impl Iterator<Item = NodeIndex>,
        path_secret: Secret<HASH>,
        broken: Rule,
    ) -> Result<Secret<HASH>, Error> {
        let mut secret = path_secret;
        for node in nodes {
            let key = node_key(suite, &secret)?;
            if tree.encryption_key(node) != Some(key.public()) {
                return Err(broken.into());
            }
            self.set(node, key);
            secret = next_path_secret(&secret)?;
        }
        Ok(secret)
    }

    /// Takes the key of one node from its path secret; it has to be the one of the tree.
    #[cfg(feature = "hazmat")]
    pub(in crate::mls) fn take_one(
        &mut self,
        suite: &Suite,
        tree: &RatchetTree,
        node: NodeIndex,
        path_secret: Secret<HASH>,
    ) -> Result<(), Error> {
        let nodes = core::iter::once(node);
        self.take_path(suite, tree, nodes, path_secret, Rule::PathSecret)?;
        Ok(())
    }

    /// Takes the keys that a Welcome's path secret gives (RFC 9420 §12.4.3.1): of the lowest node above both, and of all
    /// parents above it.
    pub(in crate::mls) fn take_welcome(
        &mut self,
        suite: &Suite,
        tree: &RatchetTree,
        committer: LeafIndex,
        path_secret: Secret<HASH>,
    ) -> Result<(), Error> {
        let common = NodeIndex::common_ancestor(self.leaf, committer);
        let nodes = core::iter::once(common).chain(
            tree.size()
                .direct_path(common)
                .map(|(node, _)| node)
                .filter(|node| tree.parent_node(*node).is_some()),
        );
        self.take_path(suite, tree, nodes, path_secret, Rule::WelcomeSecret)?;
        Ok(())
    }

    /// Its stored form: `u32 leaf || secret || u8 count || (u8 level || secret)*` (SPEC §22.6.2).
    pub(in crate::mls) fn write(&self, writer: &mut Writer) {
        writer
            .u32(self.leaf.0)
            .bytes(self.leaf_key.secret().expose())
            .u8(u8::try_from(self.parents.len()).unwrap_or(u8::MAX));
        for (node, key) in &self.parents {
            let level = u8::try_from(node.level()).unwrap_or(u8::MAX);
            writer.u8(level).bytes(key.secret().expose());
        }
    }

    /// Reads it; every key has to be that of the tree.
    pub(in crate::mls) fn read(
        suite: &Suite,
        tree: &RatchetTree,
        reader: &mut Reader<'_>,
    ) -> Result<Self, Error> {
        let leaf = LeafIndex(reader.u32()?);
        let key = |reader: &mut Reader<'_>, node| {
            let key = suite.hpke.kem.key_pair(&Secret::new(*reader.array()?))?;
            if tree.encryption_key(node) == Some(key.public()) {
                Ok(key)
            } else {
                Err(Error::Integrity)
            }
        };
        let mut private = Self::new(leaf, key(reader, leaf.node())?);
        let mut path = tree.size().direct_path(leaf.node());
        for _ in 0..reader.u8()? {
            let level = u32::from(reader.u8()?);
            let (node, _) = path
                .find(|(node, _)| node.level() == level)
                .ok_or(Error::Integrity)?;
            let key = key(reader, node)?;
            memory::push(&mut private.parents, (node, key));
        }
        Ok(private)
    }
}

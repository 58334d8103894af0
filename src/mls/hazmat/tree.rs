//! Ratchet trees by themselves (RFC 9420 §7).

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Bytes, bytes, secret};
use crate::crypto::Secret;
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::commit::UpdatePath;
use crate::mls::context::GroupContext;
use crate::mls::error::{Error, Rule};
use crate::mls::leaf_node::Place;
use crate::mls::math::{LeafIndex, NodeIndex};
use crate::mls::proposal::Proposal;
use crate::mls::signature::Signer;
use crate::mls::suite::{CipherSuite, Prk, Suite};
use crate::mls::tree::{PathSecrets, PrivateTree, RatchetTree, Recipient, SentPath};

/// A ratchet tree by itself.
#[derive(Clone)]
pub struct Tree(pub(in crate::mls::hazmat) RatchetTree);

impl Tree {
    /// Reads a `ratchet_tree`.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Invalid`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self(RatchetTree::decode(bytes)?))
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        Ok(self.0.encode()?)
    }

    /// The tree hash of every node.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn hashes(&mut self) -> Result<Vec<[u8; 32]>, Error> {
        self.0.all_hashes()
    }

    /// The tree hash.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn hash(&mut self) -> Result<[u8; 32], Error> {
        Ok(self.0.tree_hash()?)
    }

    /// The resolution of every node.
    #[must_use]
    pub fn resolutions(&self) -> Vec<Vec<NodeIndex>> {
        self.0.all_resolutions()
    }

    /// Members that are no blank leaves.
    #[must_use]
    pub fn members(&self) -> Vec<LeafIndex> {
        let mut members = Vec::new();
        for (leaf, _) in self.0.leaves() {
            memory::push(&mut members, leaf);
        }
        members
    }

    /// Parent hashes, unmerged leaves and the signatures of all leaves, as who joins checks them.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn verify(&mut self, cipher_suite: CipherSuite, group_id: &[u8]) -> Result<(), Error> {
        let suite = Suite::of(cipher_suite)?;
        self.0.validate_structure(suite)?;
        self.0.verify_signatures(suite, group_id)
    }

    /// Applies an Add, an Update or a Remove of a sender.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Invalid`].
    pub fn apply(&mut self, proposal: &[u8], sender: LeafIndex) -> Result<(), Error> {
        match Proposal::from_bytes(proposal)? {
            Proposal::Add(key_package) => {
                self.0.add(Arc::new(key_package.leaf_node))?;
            }
            Proposal::Update(leaf_node) => self.0.update(sender, Arc::from(leaf_node))?,
            Proposal::Remove(leaf) => {
                self.0.remove(leaf)?;
                self.0.shrink()?;
            }
            _ => return Err(Error::Malformed),
        }
        Ok(())
    }

    /// Puts the path of a commit in, and gives the tree hash after it.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn apply_path(&mut self, sender: LeafIndex, path: &[u8]) -> Result<[u8; 32], Error> {
        self.0.apply_path(sender, &UpdatePath::from_bytes(path)?)?;
        Ok(self.0.tree_hash()?)
    }

    /// Makes a new path for a member; puts it in. Gives the path and the commit secret.
    ///
    /// # Errors
    /// [`Error::UnknownSender`], [`Error::UnsupportedSuite`].
    pub fn make_path(
        &mut self,
        context: &GroupContext,
        sender: LeafIndex,
        signer: &Signer,
        random: [u8; 32],
    ) -> Result<(Vec<u8>, Bytes), Error> {
        let suite = Suite::of(context.cipher_suite)?;
        let random = Secret::new(random);
        let sent = new_path(
            &mut self.0,
            suite,
            &context.group_id,
            sender,
            signer,
            &random,
        )?;
        let commit_secret = bytes(&sent.commit_secret);
        let mut context = context.clone();
        context.tree_hash = memory::copied(&self.0.tree_hash()?);
        let mut number = 0u32;
        let draw = || {
            number = number.saturating_add(1);
            Prk::new(&random).expand(b"encryption", &number.to_be_bytes())
        };
        let (path, _) = sent.encrypt(suite, &self.0, &context.to_bytes()?, &[], draw)?;
        Ok((path.to_bytes()?, commit_secret))
    }
}

/// Puts a new path of a member into a tree.
pub(super) fn new_path(
    tree: &mut RatchetTree,
    suite: &Suite,
    group_id: &[u8],
    leaf: LeafIndex,
    signer: &Signer,
    random: &Secret<32>,
) -> Result<SentPath, Error> {
    let leaf_node = tree.leaf(leaf).ok_or(Error::UnknownSender)?;
    let leaf_node = leaf_node.as_ref().clone();
    let secrets = PathSecrets {
        leaf_key: suite.hpke.kem.derive_key_pair(random.expose())?,
        first: Prk::new(random).derive(b"path")?,
    };
    let place = Place { group_id, leaf };
    tree.make_path(suite, place, leaf_node, secrets, signer)
}

/// The private keys that a member has of a tree.
pub struct TreeKeys {
    suite: &'static Suite,
    private: PrivateTree,
}

impl TreeKeys {
    /// The leaf's private key, and path secrets of nodes above it. Each key has to be the one of the tree.
    ///
    /// # Errors
    /// [`Error::Invalid`] if one is not; [`Error::InvalidKey`].
    pub fn new(
        cipher_suite: CipherSuite,
        tree: &Tree,
        leaf: LeafIndex,
        leaf_private: &[u8],
        path_secrets: &[(NodeIndex, Vec<u8>)],
    ) -> Result<Self, Error> {
        let suite = Suite::of(cipher_suite)?;
        let key = suite.hpke.kem.key_pair(&secret(leaf_private)?)?;
        let leaf_node = tree.0.leaf(leaf).ok_or(Error::UnknownSender)?;
        if leaf_node.encryption_key != key.public() {
            return Err(Rule::PathSecret.into());
        }
        let mut private = PrivateTree::new(leaf, key);
        for (node, path_secret) in path_secrets {
            private.take_one(suite, &tree.0, *node, secret(path_secret)?)?;
        }
        Ok(Self { suite, private })
    }

    /// Takes its path secret out of a path that was put into `after`; gives the path secret and the commit secret.
    ///
    /// # Errors
    /// [`Error::Decryption`], [`Error::Invalid`].
    pub fn take(
        &self,
        after: &mut Tree,
        context: &GroupContext,
        sender: LeafIndex,
        path: &[u8],
    ) -> Result<(Bytes, Bytes), Error> {
        let mut context = context.clone();
        context.tree_hash = memory::copied(&after.0.tree_hash()?);
        let recipient = Recipient {
            suite: self.suite,
            tree: &after.0,
            context: &context.to_bytes()?,
            new: &[],
        };
        let mut private = self.private.duplicate();
        let path = UpdatePath::from_bytes(path)?;
        let (path_secret, commit_secret) = recipient.take(sender, &path, &mut private)?;
        Ok((bytes(&path_secret), bytes(&commit_secret)))
    }
}

//! A large group at once: the tree as a long history leaves it, and a Welcome to it, without the messages in between.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::tree::new_path;
use crate::crypto::Secret;
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::context::GroupContext;
use crate::mls::error::{Error, Rule};
use crate::mls::extension::{ExtensionType, Extensions};
use crate::mls::group_info::GroupInfo;
use crate::mls::key_package::KeyPackage;
use crate::mls::labels::encrypt;
use crate::mls::leaf_node::LeafNode;
use crate::mls::math::LeafIndex;
use crate::mls::message::Message;
use crate::mls::schedule::Joiner;
use crate::mls::signature::Signer;
use crate::mls::suite::{self, CipherSuite, Prk, Suite};
use crate::mls::tree::{RatchetTree, SentPath};
use crate::mls::welcome::{GroupSecrets, Welcome, encrypt_group_info, encrypt_secrets};

/// A group of which only the tree has a history. Who is invited joins it as any other group; from then on it is one.
pub struct History {
    suite: &'static Suite,
    group_id: Vec<u8>,
    tree: RatchetTree,
    epoch: u64,
    /// The last committer and its path.
    last: Option<(LeafIndex, SentPath)>,
}

impl History {
    /// A group of these members, one beside the other: no parent has a key.
    ///
    /// # Errors
    /// [`Error::UnsupportedSuite`]; [`Error::Invalid`] if a key is there twice, or nobody is.
    pub fn new(
        cipher_suite: CipherSuite,
        group_id: &[u8],
        members: Vec<LeafNode>,
    ) -> Result<Self, Error> {
        let mut members = members.into_iter().map(Arc::new);
        let mut tree = RatchetTree::new(members.next().ok_or(Rule::TreeShape)?)?;
        for leaf in members {
            tree.add(leaf)?;
        }
        Ok(Self {
            suite: Suite::of(cipher_suite)?,
            group_id: memory::copied(group_id),
            tree,
            epoch: 0,
            last: None,
        })
    }

    /// Makes of the tree what a commit makes of it in which a member only changes its own keys. Nothing is encrypted, and
    /// nobody learns the secrets of the path.
    ///
    /// # Errors
    /// [`Error::UnknownSender`].
    pub fn commit(
        &mut self,
        committer: LeafIndex,
        signer: &Signer,
        random: [u8; 32],
    ) -> Result<(), Error> {
        let random = Secret::new(random);
        let (suite, group_id) = (self.suite, &self.group_id);
        let path = new_path(&mut self.tree, suite, group_id, committer, signer, &random)?;
        self.epoch = self.epoch.saturating_add(1);
        self.last = Some((committer, path));
        Ok(())
    }

    /// A Welcome with the tree, as if the last commit had added members whose leaves are in the tree already. The signer is its
    /// committer. They have the keys of the nodes that are above them and above the committer, as from any Welcome.
    ///
    /// # Errors
    /// [`Error::UnknownSender`] if there was no commit; [`Error::InvalidKey`].
    pub fn welcome(
        &mut self,
        signer: &Signer,
        random: [u8; 32],
        invited: &[(LeafIndex, &KeyPackage)],
    ) -> Result<Vec<u8>, Error> {
        let (committer, path) = self.last.as_ref().ok_or(Error::UnknownSender)?;
        let random = Prk::new(&Secret::new(random));
        let confirmed = random.derive(b"transcript")?;
        let context = GroupContext {
            cipher_suite: self.suite.id,
            group_id: self.group_id.clone(),
            epoch: self.epoch,
            tree_hash: memory::copied(&self.tree.tree_hash()?),
            confirmed_transcript_hash: memory::copied(confirmed.expose()),
            extensions: Extensions::new(),
        };
        let joiner = Joiner::new(random.derive(b"joiner")?, &Secret::zero());
        let epoch = joiner.epoch(&context.to_bytes()?)?;
        let tag = suite::mac(&epoch.confirmation, &[confirmed.expose()]);
        let tree = Extensions::new().with(ExtensionType::RATCHET_TREE, self.tree.encode()?);
        let tag = memory::copied(&tag);
        let info = GroupInfo::sign(context, tree, tag, *committer, signer)?;
        let encrypted = encrypt_group_info(self.suite, &joiner.welcome_secret()?, &info)?;
        let context = self.suite.encrypt_info(encrypt::WELCOME, &encrypted)?;
        let mut secrets = memory::with_capacity(invited.len());
        for (leaf, key_package) in invited {
            let group_secrets = GroupSecrets {
                joiner_secret: joiner.joiner_secret().duplicate(),
                path_secret: path.secret_for(*leaf).map(Secret::duplicate),
                psks: Vec::new(),
            };
            let ephemeral = random.expand(b"welcome", &leaf.0.to_be_bytes())?;
            let (suite, info) = (self.suite, &context);
            let sealed = encrypt_secrets(suite, info, key_package, &group_secrets, &ephemeral)?;
            memory::push(&mut secrets, sealed);
        }
        let welcome = Welcome {
            cipher_suite: self.suite.id,
            secrets,
            encrypted_group_info: encrypted,
        };
        Message::Welcome(welcome).encode()
    }
}

//! What a member has in one epoch, and what it keeps of those before.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::mls::codec::Codec;
use crate::mls::context::{GroupContext, confirmed_transcript_hash, interim_transcript_hash};
use crate::mls::error::Error;
use crate::mls::schedule::{EpochSecrets, Joiner};
use crate::mls::secret_tree::SecretTree;
use crate::mls::suite::{self, Suite};
use crate::mls::tree::{PrivateTree, RatchetTree};

/// An epoch of a group, whole.
pub(super) struct Epoch {
    pub(super) context: GroupContext,
    pub(super) tree: RatchetTree,
    pub(super) private: PrivateTree,
    pub(super) secrets: Box<EpochSecrets>,
    pub(super) messages: SecretTree,
    pub(super) interim_transcript_hash: [u8; HASH],
    pub(super) confirmation_tag: Vec<u8>,
}

/// What is kept of an epoch that is over, so that late messages of the app can be read.
pub(super) struct PastEpoch {
    pub(super) context: GroupContext,
    pub(super) tree: RatchetTree,
    pub(super) sender_data: Secret<HASH>,
    pub(super) messages: SecretTree,
}

/// What goes into the next epoch's keys.
pub(super) struct Inputs<'a> {
    pub(super) init_secret: &'a Secret<HASH>,
    pub(super) commit_secret: &'a Secret<HASH>,
    pub(super) psk_secret: &'a Secret<HASH>,
}

/// An epoch that a commit begins, before its confirmation tag is known or checked.
pub(super) struct Begun {
    pub(super) context: GroupContext,
    pub(super) joiner: Joiner,
    pub(super) secrets: Box<EpochSecrets>,
    pub(super) confirmation_tag: [u8; HASH],
}

impl Begun {
    /// `context` is the provisional one: the new tree and extensions, the old transcript. `transcript` is the commit's part of
    /// the transcript (RFC 9420 §8.2).
    pub(super) fn new(
        mut context: GroupContext,
        interim: &[u8; HASH],
        transcript: &[u8],
        inputs: &Inputs<'_>,
    ) -> Result<Self, Error> {
        let confirmed = confirmed_transcript_hash(interim, transcript);
        context.confirmed_transcript_hash = crate::memory::copied(&confirmed);
        let encoded = context.to_bytes()?;
        let joiner = Joiner::advance(
            inputs.init_secret,
            inputs.commit_secret,
            inputs.psk_secret,
            &encoded,
        )?;
        let secrets = joiner.epoch(&encoded)?;
        let confirmation_tag = suite::mac(&secrets.confirmation, &[&confirmed]);
        Ok(Self {
            context,
            joiner,
            secrets,
            confirmation_tag,
        })
    }

    /// The epoch, with its tree.
    pub(super) fn finish(
        self,
        suite: &Suite,
        tree: RatchetTree,
        private: PrivateTree,
    ) -> Result<(Epoch, Joiner), Error> {
        let epoch = Epoch::new(
            suite,
            self.context,
            tree,
            private,
            self.secrets,
            crate::memory::copied(&self.confirmation_tag),
        )?;
        Ok((epoch, self.joiner))
    }
}

impl Epoch {
    pub(super) fn new(
        suite: &Suite,
        context: GroupContext,
        tree: RatchetTree,
        mut private: PrivateTree,
        secrets: Box<EpochSecrets>,
        confirmation_tag: Vec<u8>,
    ) -> Result<Self, Error> {
        let interim_transcript_hash =
            interim_transcript_hash(&context.confirmed_transcript_hash, &confirmation_tag)?;
        private.prune(&tree);
        let encryption = secrets.encryption.duplicate();
        Ok(Self {
            messages: SecretTree::new(suite.aead(), tree.size(), encryption),
            context,
            tree,
            private,
            secrets: secrets.without_encryption(),
            interim_transcript_hash,
            confirmation_tag,
        })
    }

    /// What is kept of it. A secret that is moved out of a box stays in the memory that is freed: all of them end where they are.
    pub(super) fn over(self: Box<Self>) -> PastEpoch {
        PastEpoch {
            sender_data: self.secrets.sender_data.duplicate(),
            context: self.context,
            tree: self.tree,
            messages: self.messages,
        }
    }
}

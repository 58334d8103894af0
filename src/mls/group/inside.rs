//! What a member knows, in the open: for `hazmat`.

use super::member::Member;
use crate::crypto::hash::HASH;
use crate::mls::schedule::EpochSecrets;
use crate::mls::secret_tree::SecretTree;
use crate::mls::signature::Signer;
use crate::mls::suite::Suite;
use crate::mls::tree::{PrivateTree, RatchetTree};

/// What a member knows of its present epoch.
#[derive(Clone, Copy)]
pub(in crate::mls) struct Inside<'a> {
    pub(in crate::mls) suite: &'static Suite,
    pub(in crate::mls) signer: &'a Signer,
    pub(in crate::mls) tree: &'a RatchetTree,
    pub(in crate::mls) private: &'a PrivateTree,
    pub(in crate::mls) secrets: &'a EpochSecrets,
    pub(in crate::mls) messages: &'a SecretTree,
    pub(in crate::mls) interim_transcript_hash: &'a [u8; HASH],
    pub(in crate::mls) confirmation_tag: &'a [u8],
}

impl Member {
    pub(in crate::mls) fn inside(&self) -> Inside<'_> {
        Inside {
            suite: self.suite,
            signer: &self.signer,
            tree: &self.epoch.tree,
            private: &self.epoch.private,
            secrets: &self.epoch.secrets,
            messages: &self.epoch.messages,
            interim_transcript_hash: &self.epoch.interim_transcript_hash,
            confirmation_tag: &self.epoch.confirmation_tag,
        }
    }
}

//! A new group (RFC 9420 §11): of one member, or in another one's place (§11.2), or of some of another one's members (§11.3).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::build::CommitMessages;
use super::epoch::Epoch;
use super::member::Member;
use crate::crypto::hedge::Hedge;
use crate::crypto::labels::purpose;
use crate::crypto::{Secret, TryCryptoRng};
use crate::memory;
use crate::mls::context::GroupContext;
use crate::mls::error::{Error, Rule};
use crate::mls::extension::Extensions;
use crate::mls::key_package::{Client, KeyPackage};
use crate::mls::leaf_node::{LeafNode, LeafNodeSource, Lifetime, Place};
use crate::mls::math::LeafIndex;
use crate::mls::psk::{Psk, PskSource, ResumptionUsage};
use crate::mls::schedule::EpochSecrets;
use crate::mls::signature::Signer;
use crate::mls::suite::{self, CipherSuite, Suite};
use crate::mls::tree::{PrivateTree, RatchetTree};

/// Who begins a group.
#[derive(Debug)]
pub struct Founder {
    /// One's own signature key.
    pub signer: Signer,
    /// What one says of oneself.
    pub client: Client,
    /// How long one's leaf is good for.
    pub lifetime: Lifetime,
}

impl Member {
    /// A group of one member, who adds the others by commits.
    ///
    /// # Errors
    /// [`Error::UnsupportedSuite`]; [`Error::InvalidKey`] if its key is of another suite; [`Error::Invalid`] if the client does
    /// not support what the group requires; [`Error::Rng`].
    pub fn create(
        cipher_suite: CipherSuite,
        group_id: &[u8],
        extensions: Extensions,
        founder: Founder,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Self, Error> {
        let suite = Suite::of(cipher_suite)?;
        let Founder {
            signer,
            client,
            lifetime,
        } = founder;
        signer.require(suite)?;
        extensions.require_unique()?;
        let mut random = Secret::<64>::zero();
        Hedge::of(&signer.secret()).fill(
            purpose::MLS_STEP,
            &[group_id, b"create"],
            random.expose_mut(),
            rng,
        )?;
        let (leaf_random, epoch_secret) = random
            .expose()
            .split_first_chunk::<32>()
            .ok_or(Error::TooLong)?;
        let epoch_secret = epoch_secret.first_chunk::<32>().ok_or(Error::TooLong)?;
        let key = suite.hpke.kem.derive_key_pair(leaf_random)?;
        let mut leaf_node = LeafNode {
            encryption_key: memory::copied(key.public()),
            signature_key: signer.public().clone(),
            credential: client.credential,
            capabilities: client.capabilities,
            source: LeafNodeSource::KeyPackage(lifetime),
            extensions: client.extensions,
            signature: Vec::new(),
        };
        let required = extensions.required_capabilities()?;
        leaf_node.require(suite, &required, &extensions)?;
        let place = Place {
            group_id,
            leaf: LeafIndex(0),
        };
        leaf_node.sign(place, &signer)?;
        let mut tree = RatchetTree::new(Arc::new(leaf_node))?;
        let context = GroupContext {
            cipher_suite,
            group_id: memory::copied(group_id),
            epoch: 0,
            tree_hash: memory::copied(&tree.tree_hash()?),
            confirmed_transcript_hash: Vec::new(),
            extensions,
        };
        let secrets = EpochSecrets::new(&Secret::new(*epoch_secret))?;
        let confirmation_tag = suite::mac(&secrets.confirmation, &[]);
        let epoch = Epoch::new(
            suite,
            context,
            tree,
            PrivateTree::new(LeafIndex(0), key),
            secrets,
            memory::copied(&confirmation_tag),
        )?;
        Ok(Self::new(suite, Arc::new(signer), Box::new(epoch)))
    }

    /// The group that takes this one's place, as the last commit said (RFC 9420 §11.2): its first commit adds all the
    /// others, whose key packages these are. They are as many as the old members but one.
    ///
    /// # Errors
    /// [`Error::Invalid`] with [`Rule::ReInitMismatch`] if the group was not reinitialized, or not for so many; and as
    /// for [`create`](Self::create) and a commit.
    pub fn reinitialize(
        &self,
        founder: Founder,
        others: Vec<KeyPackage>,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Self, CommitMessages), Error> {
        let reinit = self.reinitialized().ok_or(Rule::ReInitMismatch)?;
        if u32::try_from(others.len()).ok() != self.members().checked_sub(1) {
            return Err(Rule::ReInitMismatch.into());
        }
        let new = Self::create(
            reinit.cipher_suite,
            &reinit.group_id,
            reinit.extensions.clone(),
            founder,
            rng,
        )?;
        self.first_commit(new, ResumptionUsage::ReInit, others, now, rng)
    }

    /// A group of some of this one's members (RFC 9420 §11.3), whose key packages these are, and oneself.
    ///
    /// # Errors
    /// As for [`create`](Self::create) and a commit.
    pub fn branch(
        &self,
        group_id: &[u8],
        founder: Founder,
        others: Vec<KeyPackage>,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Self, CommitMessages), Error> {
        let new = Self::create(
            self.cipher_suite(),
            group_id,
            self.context().extensions.clone(),
            founder,
            rng,
        )?;
        self.first_commit(new, ResumptionUsage::Branch, others, now, rng)
    }

    /// Adds the others to a group that stands on this one, and goes on to its first epoch.
    fn first_commit(
        &self,
        mut new: Self,
        usage: ResumptionUsage,
        others: Vec<KeyPackage>,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Self, CommitMessages), Error> {
        let psk = Psk::Resumption {
            usage,
            group_id: memory::copied(self.group_id()),
            epoch: self.epoch(),
        };
        let mut commit = new.commit().psk(psk);
        commit.initial = true;
        for key_package in others {
            commit = commit.add_client(key_package);
        }
        let messages = commit.build(&OfGroup(self), now, rng)?;
        new.merge_pending()?;
        Ok((new, messages))
    }
}

/// The resumption secrets of another group.
pub(super) struct OfGroup<'a>(pub(super) &'a Member);

impl PskSource for OfGroup<'_> {
    fn psk(&self, psk: &Psk) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        self.0.psk(psk, &crate::mls::psk::NoPsks).ok()
    }
}

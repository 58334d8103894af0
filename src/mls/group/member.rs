//! A member of a group, and what may be asked of it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::epoch::{Epoch, PastEpoch};
use super::record_name::{RecordName, push_keys};
use super::snapshot::Snapshot;
use super::speakers::Speakers;
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::crypto::hedge::Hedge;
use crate::crypto::hpke::KeyPair;
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::context::GroupContext;
use crate::mls::error::{Error, Rule};
use crate::mls::extension::{ExtensionType, Extensions};
use crate::mls::framing::Sender;
use crate::mls::group_info::GroupInfo;
use crate::mls::leaf_node::{LeafNode, Validity};
use crate::mls::limits::{LIFETIME_MAX, PAST_EPOCHS, PROPOSALS_MAX, RESUMPTION_EPOCHS};
use crate::mls::math::LeafIndex;
use crate::mls::message::Message;
use crate::mls::proposal::{Proposal, ProposalRef, ReInit};
use crate::mls::psk::{PreSharedKeyId, Psk, PskSource, psk_secret};
use crate::mls::signature::Signer;
use crate::mls::suite::{self, CipherSuite, Suite};
use crate::wire::Writer;

/// A proposal of this epoch, received or sent.
pub(super) struct Kept {
    pub(super) reference: ProposalRef,
    pub(super) sender: Sender,
    pub(super) proposal: Proposal,
}

/// The private half of an update that was proposed, until somebody commits it.
pub(super) struct ProposedUpdate {
    pub(super) encryption_key: KeyPair,
    pub(super) signer: Option<Arc<Signer>>,
}

/// The next epoch of a group, and what else changes with it.
pub(super) struct Next {
    pub(super) epoch: Box<Epoch>,
    /// A new signature key of one's own.
    pub(super) signer: Option<Arc<Signer>>,
    pub(super) reinit: Option<ReInit>,
}

/// A commit of one's own that nobody has confirmed yet.
pub(super) struct Pending {
    /// The hash of the message, by which it is recognized.
    pub(super) message: [u8; HASH],
    pub(super) next: Next,
}

/// Whether anything can still be sent.
pub(super) enum Life {
    Active,
    Removed,
    Reinitialized(ReInit),
}

/// A full member of a group.
pub struct Member {
    pub(super) suite: &'static Suite,
    pub(super) signer: Arc<Signer>,
    pub(super) epoch: Box<Epoch>,
    /// The newest last.
    pub(super) past: Vec<PastEpoch>,
    /// `resumption_psk` of the last epochs, the newest last.
    pub(super) resumption: Vec<(u64, Secret<HASH>)>,
    pub(super) kept: Vec<Kept>,
    pub(super) updates: Vec<ProposedUpdate>,
    // In a box, as what is not there often would have as many bytes of whatever lay on the stack before.
    pub(super) pending: Option<Box<Pending>>,
    pub(super) life: Life,
    pub(super) speakers: Speakers,
    /// Of this epoch.
    pub(super) hedge: Hedge,
    pub(super) past_epochs: usize,
    pub(super) longest_lifetime: u64,
    /// How often the proposals of an epoch were let go of.
    pub(super) cleared: u64,
    /// What is stored of the member, if it is.
    pub(super) stored: Option<Box<Snapshot>>,
    /// Records of epochs that were let go of since.
    pub(super) dropped: Vec<RecordName>,
}

impl Member {
    pub(super) fn new(suite: &'static Suite, signer: Arc<Signer>, epoch: Box<Epoch>) -> Self {
        let mut resumption = Vec::new();
        let now = (epoch.context.epoch, epoch.secrets.resumption.duplicate());
        memory::push(&mut resumption, now);
        Self {
            suite,
            hedge: hedge(&epoch, &signer),
            signer,
            epoch,
            past: Vec::new(),
            resumption,
            kept: Vec::new(),
            updates: Vec::new(),
            pending: None,
            life: Life::Active,
            speakers: Speakers::default(),
            past_epochs: PAST_EPOCHS,
            longest_lifetime: LIFETIME_MAX,
            cleared: 0,
            stored: None,
            dropped: Vec::new(),
        }
    }

    /// What all members of the epoch agree on.
    #[must_use]
    pub fn context(&self) -> &GroupContext {
        &self.epoch.context
    }

    /// The group's id.
    #[must_use]
    pub fn group_id(&self) -> &[u8] {
        &self.epoch.context.group_id
    }

    /// The number of the epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.context.epoch
    }

    /// The cipher suite.
    #[must_use]
    pub fn cipher_suite(&self) -> CipherSuite {
        self.suite.id
    }

    /// One's own place.
    #[must_use]
    pub fn leaf(&self) -> LeafIndex {
        self.epoch.private.leaf
    }

    /// How many members there are.
    #[must_use]
    pub fn members(&self) -> u32 {
        self.epoch.tree.members()
    }

    /// Every member's place and leaf, in their order.
    pub fn leaves(&self) -> impl Iterator<Item = (LeafIndex, &LeafNode)> {
        self.epoch
            .tree
            .leaves()
            .map(|(index, leaf)| (index, leaf.as_ref()))
    }

    /// A member's leaf.
    #[must_use]
    pub fn leaf_node(&self, leaf: LeafIndex) -> Option<&LeafNode> {
        self.epoch.tree.leaf(leaf).map(Arc::as_ref)
    }

    /// A member's leaf in an epoch of which messages can be read.
    #[must_use]
    pub fn leaf_node_in(&self, epoch: u64, leaf: LeafIndex) -> Option<&LeafNode> {
        if epoch == self.epoch() {
            return self.leaf_node(leaf);
        }
        let mut past = self.past.iter();
        let past = past.find(|past| past.context.epoch == epoch)?;
        past.tree.leaf(leaf).map(Arc::as_ref)
    }

    /// What shows two members that they are in the same epoch of the same group, and nobody between them
    /// (RFC 9420 §8.7).
    #[must_use]
    pub fn epoch_authenticator(&self) -> &[u8; HASH] {
        self.epoch.secrets.authenticator.expose()
    }

    /// A secret for the app, of this epoch (RFC 9420 §8.5).
    ///
    /// # Errors
    /// [`Error::TooLong`] over 8,160 bytes, or if the label is longer than 55.
    pub fn export_secret(
        &self,
        label: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut out = Vec::new();
        memory::lengthen(&mut out, length.min(1 << 16));
        if out.len() < length {
            return Err(Error::TooLong);
        }
        let mut out = Zeroizing::new(out);
        suite::export(&self.epoch.secrets.exporter, label, context, &mut out)?;
        Ok(out)
    }

    /// The whole tree, as `ratchet_tree` has it (RFC 9420 §12.4.3.3).
    ///
    /// # Errors
    /// [`Error::Malformed`] over 2^30 bytes.
    pub fn ratchet_tree(&self) -> Result<Vec<u8>, Error> {
        Ok(self.epoch.tree.encode()?)
    }

    /// How many past epochs of messages stay readable: those before are let go of at once.
    pub fn keep_past_epochs(&mut self, epochs: usize) {
        self.past_epochs = epochs;
        self.forget_past();
    }

    /// How many seconds the lifetime of a key package may span, if not [`LIFETIME_MAX`].
    pub const fn allow_lifetimes_of(&mut self, seconds: u64) {
        self.longest_lifetime = seconds;
    }

    pub(super) const fn validity(&self, now: u64) -> Validity {
        Validity {
            now,
            longest: self.longest_lifetime,
        }
    }

    fn forget_past(&mut self) {
        let over = self.past.len().saturating_sub(self.past_epochs);
        if self.stored.is_some() {
            for past in self.past.iter().take(over) {
                push_keys(&mut self.dropped, past.context.epoch, &past.messages);
            }
        }
        let mut places = 0..over;
        memory::retain(&mut self.past, |_| places.next().is_none());
        let over = self.resumption.len().saturating_sub(RESUMPTION_EPOCHS);
        let mut places = 0..over;
        memory::retain(&mut self.resumption, |_| places.next().is_none());
    }

    /// The group that takes this one's place, once a commit has said so.
    #[must_use]
    pub const fn reinitialized(&self) -> Option<&ReInit> {
        match &self.life {
            Life::Reinitialized(reinit) => Some(reinit),
            Life::Active | Life::Removed => None,
        }
    }

    /// Whether one was removed.
    #[must_use]
    pub const fn is_removed(&self) -> bool {
        matches!(self.life, Life::Removed)
    }

    pub(super) fn require_active(&self) -> Result<(), Error> {
        match self.life {
            Life::Active => Ok(()),
            Life::Removed | Life::Reinitialized(_) => Err(Error::Over),
        }
    }

    /// The proposals of this epoch that were received or sent, with who sent each.
    pub fn proposals(&self) -> impl Iterator<Item = (Sender, &Proposal)> {
        self.kept.iter().map(|kept| (kept.sender, &kept.proposal))
    }

    /// Lets go of all proposals of this epoch. A commit of somebody else that has them cannot be processed then.
    pub fn clear_proposals(&mut self) {
        self.cleared = self.cleared.saturating_add(1);
        memory::clear(&mut self.kept);
        memory::clear(&mut self.updates);
    }

    pub(super) fn keep(&mut self, kept: Kept) -> Result<(), Error> {
        let mut known = self.kept.iter();
        if known.any(|other| other.reference == kept.reference) {
            return Ok(());
        }
        if self.kept.len() >= PROPOSALS_MAX {
            return Err(Error::TooManyProposals);
        }
        memory::push(&mut self.kept, kept);
        Ok(())
    }

    /// Whether a commit of one's own waits.
    #[must_use]
    pub const fn has_pending_commit(&self) -> bool {
        self.pending.is_some()
    }

    /// Whom one's own commit that waits adds, by their places after it, and whom it removes, by those before.
    #[must_use]
    pub fn pending_members(&self) -> (Vec<LeafIndex>, Vec<LeafIndex>) {
        let Some(pending) = &self.pending else {
            return (Vec::new(), Vec::new());
        };
        let (before, after) = (&self.epoch.tree, &pending.next.epoch.tree);
        (after.members_beyond(before), before.members_beyond(after))
    }

    /// Goes on to the epoch of one's own commit, once the delivery service has taken it.
    ///
    /// # Errors
    /// [`Error::NoCommitWaits`].
    pub fn merge_pending(&mut self) -> Result<(), Error> {
        let pending = self.pending.take().ok_or(Error::NoCommitWaits)?;
        self.go_on(pending.next);
        Ok(())
    }

    /// Lets go of one's own commit, as another one was taken. What it should have done can be committed again by
    /// [`commit`](Self::commit), in the next epoch.
    pub fn clear_pending(&mut self) {
        self.pending = None;
    }

    /// The next epoch becomes the present one.
    pub(super) fn go_on(&mut self, next: Next) {
        let Next {
            epoch,
            signer,
            reinit,
        } = next;
        let over = core::mem::replace(&mut self.epoch, epoch);
        memory::push(&mut self.past, over.over());
        let resumption = (
            self.epoch.context.epoch,
            self.epoch.secrets.resumption.duplicate(),
        );
        memory::push(&mut self.resumption, resumption);
        self.forget_past();
        if let Some(signer) = signer {
            self.signer = signer;
        }
        self.hedge = hedge(&self.epoch, &self.signer);
        if let Some(reinit) = reinit {
            self.life = Life::Reinitialized(reinit);
        }
        self.clear_proposals();
        self.pending = None;
    }

    /// What somebody has to know to join, with the tree and the public key for external commits if they are wanted
    /// (RFC 9420 §12.4.3.2).
    ///
    /// # Errors
    /// [`Error::Over`]; [`Error::Malformed`] over 2^30 bytes.
    pub fn group_info(&self, with_tree: bool, external_pub: bool) -> Result<Vec<u8>, Error> {
        self.require_active()?;
        let info = group_info(
            self.suite,
            &self.epoch,
            &self.signer,
            with_tree,
            external_pub,
        )?;
        Message::GroupInfo(info).encode()
    }

    /// The pre-shared keys of a commit, combined (RFC 9420 §8.4): those of this group by itself, others from the app.
    pub(super) fn psk_secret(
        &self,
        ids: &[PreSharedKeyId],
        source: &impl PskSource,
    ) -> Result<Secret<HASH>, Error> {
        let mut keys = memory::with_capacity(ids.len());
        for id in ids {
            memory::push(&mut keys, self.psk(&id.psk, source)?);
        }
        psk_secret(ids.iter().zip(keys.iter().map(|key| key.as_slice())))
    }

    /// One pre-shared key.
    pub(super) fn psk(
        &self,
        psk: &Psk,
        source: &impl PskSource,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        if let Psk::Resumption {
            group_id, epoch, ..
        } = psk
            && group_id == self.group_id()
        {
            let mut held = self.resumption.iter();
            let (_, secret) = held
                .find(|(held, _)| held == epoch)
                .ok_or(Error::UnknownPsk)?;
            return Ok(Zeroizing::new(memory::copied(secret.expose())));
        }
        source.psk(psk).ok_or(Error::UnknownPsk)
    }
}

/// What mixes a member's secrets of an epoch into the caller's randomness.
fn hedge(epoch: &Epoch, signer: &Signer) -> Hedge {
    let secret = suite::mac(&epoch.secrets.init, &[signer.secret().expose()]);
    Hedge::of(&Secret::new(secret))
}

/// `GroupInfo` of an epoch.
pub(super) fn group_info(
    suite: &Suite,
    epoch: &Epoch,
    signer: &Signer,
    with_tree: bool,
    external_pub: bool,
) -> Result<GroupInfo, Error> {
    let mut extensions = Extensions::new();
    if with_tree {
        extensions = extensions.with(ExtensionType::RATCHET_TREE, epoch.tree.encode()?);
    }
    if external_pub {
        let pair = epoch.secrets.external_key_pair(suite)?;
        let mut key = Writer::new();
        memory::copied(pair.public()).write(&mut key)?;
        extensions = extensions.with(ExtensionType::EXTERNAL_PUB, key.into_bytes());
    }
    GroupInfo::sign(
        epoch.context.clone(),
        extensions,
        epoch.confirmation_tag.clone(),
        epoch.private.leaf,
        signer,
    )
}

/// The tree that a group's information has, or the one that came otherwise.
pub(super) fn tree_of(info: &GroupInfo, given: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let tree = info.extensions.find(ExtensionType::RATCHET_TREE).or(given);
    Ok(memory::copied(tree.ok_or(Rule::TreeMissing)?))
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("context", self.context())
            .field("leaf", &self.leaf())
            .finish_non_exhaustive()
    }
}

//! Messages that a member sends: data of the app, and proposals.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use zeroize::Zeroize;

use super::changes::place;
use super::member::{Kept, Member, ProposedUpdate};
use crate::crypto::labels::purpose;
use crate::crypto::{Secret, TryCryptoRng};
use crate::memory;
use crate::mls::capabilities::MLS10;
use crate::mls::error::{Error, Rule};
use crate::mls::extension::Extensions;
use crate::mls::framing::{
    AuthenticatedContent, Content, FramedContent, Plain, PrivateMessage, PublicMessage, Sender,
    SenderData, WireFormat,
};
use crate::mls::key_package::{Client, KeyPackage};
use crate::mls::leaf_node::{LeafNode, LeafNodeSource};
use crate::mls::math::LeafIndex;
use crate::mls::message::Message;
use crate::mls::proposal::{Proposal, ReInit};
use crate::mls::psk::{PreSharedKeyId, Psk};
use crate::mls::secret_tree::{RatchetKind, Step};
use crate::mls::signature::Signer;
use crate::mls::suite::CipherSuite;

/// A message that was made, and the step that its key takes if it is encrypted.
pub(super) struct Made {
    pub(super) message: Vec<u8>,
    pub(super) step: Option<Step>,
}

/// Bytes that a message's text is a multiple of, with its padding: lengths say less.
const PADDING: usize = 64;

impl Member {
    /// Encrypts data of the app for the group. `authenticated_data` goes along in the clear.
    ///
    /// # Errors
    /// [`Error::Over`]; [`Error::ProposalsWait`] (RFC 9420 §12.4); [`Error::RatchetExhausted`]; [`Error::Rng`].
    pub fn seal(
        &mut self,
        data: &[u8],
        authenticated_data: &[u8],
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        self.require_active()?;
        if !self.kept.is_empty() {
            return Err(Error::ProposalsWait);
        }
        let content = Content::Application(memory::copied(data));
        let content = self.framed(content, authenticated_data);
        let mut signed = self.sign(WireFormat::PrivateMessage, content)?;
        let encrypted = self.encrypt(&signed, rng);
        if let Content::Application(data) = &mut signed.content.content {
            data.zeroize();
        }
        let (message, step) = encrypted?;
        let message = Message::Private(message).encode()?;
        self.epoch.messages.take(step)?;
        Ok(message)
    }

    /// Proposes that a client becomes a member.
    ///
    /// # Errors
    /// [`Error::Over`], [`Error::Invalid`], [`Error::Rng`]; [`Error::TooManyProposals`].
    pub fn propose_add(
        &mut self,
        key_package: KeyPackage,
        wire_format: WireFormat,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        key_package.verify(self.suite, self.validity(now))?;
        self.propose(Proposal::Add(Box::new(key_package)), wire_format, rng)
    }

    /// Proposes that one's own leaf gets a new key, and what else is given.
    ///
    /// # Errors
    /// As for [`propose_add`](Self::propose_add); [`Error::InvalidKey`] if `signer` is of another suite.
    pub fn propose_update(
        &mut self,
        client: Option<Client>,
        signer: Option<Signer>,
        wire_format: WireFormat,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        self.require_active()?;
        let signer = signer.map(Arc::new);
        let random = self.random::<32>(b"update", rng)?;
        let encryption_key = self.suite.hpke.kem.derive_key_pair(random.expose())?;
        let mut leaf_node = self.successor(client, signer.as_deref())?;
        leaf_node.encryption_key = memory::copied(encryption_key.public());
        leaf_node.source = LeafNodeSource::Update;
        let with = signer.as_deref().unwrap_or(&self.signer);
        leaf_node.sign(place(self.context(), self.leaf()), with)?;
        let message = self.propose(Proposal::Update(Box::new(leaf_node)), wire_format, rng)?;
        let update = ProposedUpdate {
            encryption_key,
            signer,
        };
        memory::push(&mut self.updates, update);
        Ok(message)
    }

    /// Proposes that a member is removed.
    ///
    /// # Errors
    /// As for [`propose_add`](Self::propose_add).
    pub fn propose_remove(
        &mut self,
        leaf: LeafIndex,
        wire_format: WireFormat,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        if self.epoch.tree.leaf(leaf).is_none() {
            return Err(Rule::RemoveOfNobody.into());
        }
        self.propose(Proposal::Remove(leaf), wire_format, rng)
    }

    /// Proposes that a pre-shared key goes into the next epoch's keys.
    ///
    /// # Errors
    /// As for [`propose_add`](Self::propose_add).
    pub fn propose_psk(
        &mut self,
        psk: Psk,
        wire_format: WireFormat,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        let id = self.psk_id(psk, rng)?;
        self.propose(Proposal::PreSharedKey(id), wire_format, rng)
    }

    /// Proposes that the group's extensions are replaced by these.
    ///
    /// # Errors
    /// As for [`propose_add`](Self::propose_add).
    pub fn propose_extensions(
        &mut self,
        extensions: Extensions,
        wire_format: WireFormat,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        extensions.require_unique()?;
        self.propose(
            Proposal::GroupContextExtensions(extensions),
            wire_format,
            rng,
        )
    }

    /// Proposes that another group takes this one's place.
    ///
    /// # Errors
    /// As for [`propose_add`](Self::propose_add); [`Error::UnsupportedSuite`].
    pub fn propose_reinit(
        &mut self,
        group_id: &[u8],
        cipher_suite: CipherSuite,
        extensions: Extensions,
        wire_format: WireFormat,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        let reinit = ReInit {
            group_id: memory::copied(group_id),
            version: MLS10,
            cipher_suite,
            extensions,
        };
        self.propose(Proposal::ReInit(reinit), wire_format, rng)
    }

    /// Sends a proposal, and keeps it.
    fn propose(
        &mut self,
        proposal: Proposal,
        wire_format: WireFormat,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        self.require_active()?;
        let content = self.framed(Content::Proposal(proposal.clone()), &[]);
        let signed = self.sign(wire_format, content)?;
        let kept = Kept {
            reference: signed.proposal_reference()?,
            sender: Sender::Member(self.leaf()),
            proposal,
        };
        let made = self.protect(signed, rng)?;
        self.keep(kept)?;
        if let Some(step) = made.step {
            self.epoch.messages.take(step)?;
        }
        Ok(made.message)
    }

    /// A pre-shared key with a new nonce (RFC 9420 §8.4).
    pub(super) fn psk_id(
        &self,
        psk: Psk,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<PreSharedKeyId, Error> {
        let nonce = self.random::<32>(b"psk nonce", rng)?;
        Ok(PreSharedKeyId {
            psk,
            nonce: memory::copied(nonce.expose()),
        })
    }

    /// Random bytes of this epoch.
    pub(super) fn random<const N: usize>(
        &self,
        what: &[u8],
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Secret<N>, Error> {
        let mut random = Secret::zero();
        let epoch = self.epoch().to_be_bytes();
        let context = [self.group_id(), &epoch, what];
        self.hedge
            .fill(purpose::MLS_STEP, &context, random.expose_mut(), rng)?;
        Ok(random)
    }

    /// What becomes of one's own leaf: its keys, source and signature are still those of the old one.
    pub(super) fn successor(
        &self,
        client: Option<Client>,
        signer: Option<&Signer>,
    ) -> Result<LeafNode, Error> {
        let own = self.epoch.tree.leaf(self.leaf()).ok_or(Error::Over)?;
        let mut leaf_node = own.as_ref().clone();
        if let Some(client) = client {
            leaf_node.credential = client.credential;
            leaf_node.capabilities = client.capabilities;
            leaf_node.extensions = client.extensions;
        }
        if let Some(signer) = signer {
            signer.require(self.suite)?;
            leaf_node.signature_key = signer.public().clone();
        }
        let extensions = &self.context().extensions;
        leaf_node.require(self.suite, &extensions.required_capabilities()?, extensions)?;
        Ok(leaf_node)
    }

    /// A content of this member in this epoch.
    pub(super) fn framed(&self, content: Content, authenticated_data: &[u8]) -> FramedContent {
        FramedContent {
            group_id: self.context().group_id.clone(),
            epoch: self.epoch(),
            sender: Sender::Member(self.leaf()),
            authenticated_data: memory::copied(authenticated_data),
            content,
        }
    }

    pub(super) fn sign(
        &self,
        wire_format: WireFormat,
        content: FramedContent,
    ) -> Result<AuthenticatedContent, Error> {
        AuthenticatedContent::sign(wire_format, content, self.context(), &self.signer)
    }

    /// Protects what was signed, as it was signed to be.
    pub(super) fn protect(
        &self,
        signed: AuthenticatedContent,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Made, Error> {
        match signed.wire_format {
            WireFormat::PublicMessage => {
                let key = &self.epoch.secrets.membership;
                let message = PublicMessage::protect(signed, key, self.context())?;
                Ok(Made {
                    message: Message::Public(message).encode()?,
                    step: None,
                })
            }
            WireFormat::PrivateMessage => {
                let (message, step) = self.encrypt(&signed, rng)?;
                Ok(Made {
                    message: Message::Private(message).encode()?,
                    step: Some(step),
                })
            }
        }
    }

    /// Encrypts what was signed with the next key of one's own ratchet.
    fn encrypt(
        &self,
        signed: &AuthenticatedContent,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(PrivateMessage, Step), Error> {
        let messages = &self.epoch.messages;
        let leaf = self.leaf();
        let kind: RatchetKind = signed.content.content.content_type().into();
        let generation = messages.next_generation(leaf, kind);
        let (key, step) = messages.find(leaf, kind, generation)?;
        let mut reuse_guard = [0; 4];
        let epoch = self.epoch().to_be_bytes();
        // Two copies of one state, generator and all, mask the nonces of different messages differently.
        let signature = signed.auth.signature.as_slice();
        let context = [self.group_id(), &epoch, b"reuse guard", signature];
        self.hedge
            .fill(purpose::MLS_STEP, &context, &mut reuse_guard, rng)?;
        let sender = SenderData {
            leaf,
            generation,
            reuse_guard,
        };
        let length = match &signed.content.content {
            Content::Application(data) => data.len(),
            // What others propose and commit is seen by its length anyway.
            Content::Proposal(_) | Content::Commit(_) => 0,
        };
        let over = length.checked_rem(PADDING).unwrap_or_default();
        let plain = Plain {
            signed,
            padding: PADDING
                .saturating_sub(over)
                .checked_rem(PADDING)
                .unwrap_or_default(),
        };
        let message = PrivateMessage::protect(
            plain,
            self.suite.aead(),
            &self.epoch.secrets.sender_data,
            sender,
            (&key.key, &key.nonce),
        )?;
        Ok((message, step))
    }
}

//! A hostile member: it knows what a member knows, and keeps no rule.
//!
//! ```text
//! Insider ── framed, sign ──> AuthenticatedContent ── public, private ──> message
//!    │
//!    └─ commit ──> Forgery ── propose, refer, path ── finish ──> Forged ── group_info, welcome
//! ```

use alloc::vec::Vec;

use super::tree::Tree;
use super::{Bytes, bytes, front};
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::memory;
use crate::mls::error::Error;
use crate::mls::framing::{
    AuthenticatedContent, Content, ContentType, FramedContent, Plain, PrivateMessage,
    PublicMessage, Sender, SenderData, WireFormat,
};
use crate::mls::group::{Inside, Member};
use crate::mls::math::LeafIndex;
use crate::mls::message::Message;
use crate::mls::proposal::ProposalRef;
use crate::mls::secret_tree::Step;
use crate::mls::signature::Signer;

mod forgery;
mod invitation;

pub use forgery::{Forged, Forgery};
pub use invitation::Invitation;

/// A member that keeps no rule.
pub struct Insider<'a> {
    member: &'a Member,
    inside: Inside<'a>,
}

/// As whom, and with which key, a message is encrypted.
#[derive(Clone, Copy, Debug)]
pub struct SentAs {
    /// The sender that it names.
    pub leaf: LeafIndex,
    /// Its key; the next one of the sender, as far as the member knows, unless it is given.
    pub generation: Option<u32>,
    /// What is mixed into the nonce.
    pub reuse_guard: [u8; 4],
}

impl<'a> Insider<'a> {
    /// What this member knows.
    #[must_use]
    pub fn new(member: &'a Member) -> Self {
        Self {
            member,
            inside: member.inside(),
        }
    }

    /// Its signature key.
    #[must_use]
    pub const fn signer(&self) -> &'a Signer {
        self.inside.signer
    }

    /// Its ratchet tree.
    #[must_use]
    pub fn tree(&self) -> Tree {
        Tree(self.inside.tree.clone())
    }

    /// The confirmation tag of the commit that began the epoch.
    #[must_use]
    pub const fn confirmation_tag(&self) -> &'a [u8] {
        self.inside.confirmation_tag
    }

    /// The secrets of the epoch (RFC 9420 §8) that a member holds, by their names.
    #[must_use]
    pub fn secrets(&self) -> Vec<(&'static str, Bytes)> {
        let secrets = self.inside.secrets;
        let mut named = Vec::new();
        for (name, secret) in [
            ("init_secret", &secrets.init),
            ("sender_data_secret", &secrets.sender_data),
            ("exporter_secret", &secrets.exporter),
            ("external_secret", &secrets.external),
            ("confirmation_key", &secrets.confirmation),
            ("membership_key", &secrets.membership),
            ("resumption_psk", &secrets.resumption),
            ("epoch_authenticator", &secrets.authenticator),
        ] {
            memory::push(&mut named, (name, bytes(secret)));
        }
        named
    }

    /// The private keys of its tree, and the secrets of the messages' keys, as far as it has them.
    #[must_use]
    pub fn held(&self) -> Vec<Bytes> {
        let mut held = Vec::new();
        for key in self.inside.private.keys() {
            memory::push(&mut held, bytes(&key.secret()));
        }
        for secret in self.inside.messages.secrets() {
            memory::push(&mut held, bytes(secret));
        }
        held
    }

    /// Key and nonce of a message, the reuse guard in it.
    ///
    /// # Errors
    /// As for [`private`](Self::private).
    pub fn message_key(
        &self,
        content_type: ContentType,
        sent_as: SentAs,
    ) -> Result<(Bytes, Bytes), Error> {
        let (sender, (key, nonce)) = self.keys(content_type, sent_as)?;
        let length = self.inside.suite.aead().key_length();
        Ok((front(&key, length), bytes(&sender.nonce(&nonce))))
    }

    /// A content of this member in this epoch, to be changed at will.
    #[must_use]
    pub fn framed(&self, content: Content) -> FramedContent {
        let context = self.member.context();
        FramedContent {
            group_id: context.group_id.clone(),
            epoch: context.epoch,
            sender: Sender::Member(self.member.leaf()),
            authenticated_data: Vec::new(),
            content,
        }
    }

    /// Signs any content with any key; a commit's confirmation tag is zeros.
    ///
    /// # Errors
    /// [`Error::Malformed`] if a field is longer than the encoding allows.
    pub fn sign(
        &self,
        wire_format: WireFormat,
        content: FramedContent,
        signer: &Signer,
    ) -> Result<AuthenticatedContent, Error> {
        let commit = matches!(content.content, Content::Commit(_));
        let context = self.member.context();
        let mut signed = AuthenticatedContent::sign(wire_format, content, context, signer)?;
        signed.auth.confirmation_tag = commit.then(|| memory::copied(&[0; HASH]));
        Ok(signed)
    }

    /// `ProposalRef` of a proposal that was signed.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn reference(&self, signed: &AuthenticatedContent) -> Result<ProposalRef, Error> {
        signed.proposal_reference()
    }

    /// In the clear; what names a member as its sender has a membership tag that holds.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn public(&self, signed: AuthenticatedContent) -> Result<Vec<u8>, Error> {
        let key = &self.inside.secrets.membership;
        let tag = signed.membership_tag(key, self.member.context())?;
        let from_member = matches!(signed.content.sender, Sender::Member(_));
        Message::Public(PublicMessage {
            membership_tag: from_member.then(|| memory::copied(&tag)),
            content: signed.content,
            auth: signed.auth,
        })
        .encode()
    }

    /// Encrypted, in anybody's name, with so many zeros behind it.
    ///
    /// # Errors
    /// [`Error::UnknownSender`], [`Error::GenerationUsed`], [`Error::GenerationTooFar`].
    pub fn private(
        &self,
        signed: &AuthenticatedContent,
        sent_as: SentAs,
        padding: usize,
    ) -> Result<Vec<u8>, Error> {
        let content_type = signed.content.content.content_type();
        let (sender, (key, nonce)) = self.keys(content_type, sent_as)?;
        let message = PrivateMessage::protect(
            Plain { signed, padding },
            self.inside.suite.aead(),
            &self.inside.secrets.sender_data,
            sender,
            (&key, &nonce),
        )?;
        Message::Private(message).encode()
    }

    /// Encrypted, in anybody's name: any bytes in the place of `PrivateMessageContent`.
    ///
    /// # Errors
    /// As for [`private`](Self::private).
    pub fn private_text(
        &self,
        content_type: ContentType,
        authenticated_data: &[u8],
        text: &[u8],
        sent_as: SentAs,
    ) -> Result<Vec<u8>, Error> {
        let (sender, (key, nonce)) = self.keys(content_type, sent_as)?;
        let header = PrivateMessage {
            group_id: self.member.context().group_id.clone(),
            epoch: self.member.epoch(),
            content_type,
            authenticated_data: memory::copied(authenticated_data),
            encrypted_sender_data: Vec::new(),
            ciphertext: Vec::new(),
        };
        let message = header.seal(
            memory::copied(text),
            self.inside.suite.aead(),
            &self.inside.secrets.sender_data,
            sender,
            (&key, &nonce),
        )?;
        Message::Private(message).encode()
    }

    /// Key and nonce of a message, and what it says of them.
    fn keys(
        &self,
        content_type: ContentType,
        sent_as: SentAs,
    ) -> Result<(SenderData, (Secret<32>, Secret<12>)), Error> {
        let messages = self.inside.messages;
        let kind = content_type.into();
        let leaf = sent_as.leaf;
        let next = messages.next_generation(leaf, kind);
        let sender = SenderData {
            leaf,
            generation: sent_as.generation.unwrap_or(next),
            reuse_guard: sent_as.reuse_guard,
        };
        let (key, _): (_, Step) = messages.find(leaf, kind, sender.generation)?;
        Ok((sender, (key.key, key.nonce)))
    }

    /// Begins a commit: nothing in it, sent in the clear.
    #[must_use]
    pub fn commit(&self) -> Forgery<'a> {
        Forgery::new(self.inside, self.member)
    }
}

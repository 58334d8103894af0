//! Messages of an epoch whose secrets are given (RFC 9420 §§6, 9).

use alloc::vec::Vec;

use super::{Bytes, bytes, front, secret};
use crate::crypto::Secret;
use crate::memory;
use crate::mls::context::GroupContext;
use crate::mls::error::Error;
use crate::mls::framing::{
    AuthenticatedContent, Content, FramedContent, Plain, PrivateMessage, PublicMessage, Sender,
    SenderData, WireFormat,
};
use crate::mls::math::{LeafIndex, TreeSize};
use crate::mls::message::Message;
use crate::mls::secret_tree::{RatchetKind, SecretTree};
use crate::mls::signature::Signer;
use crate::mls::suite::{CipherSuite, Suite};

/// The keys of an epoch's messages (RFC 9420 §9).
pub struct MessageKeys {
    suite: &'static Suite,
    tree: SecretTree,
}

impl MessageKeys {
    /// Of a group with so many leaves, blank ones included.
    ///
    /// # Errors
    /// [`Error::UnsupportedSuite`], [`Error::GroupFull`].
    pub fn new(
        cipher_suite: CipherSuite,
        leaves: u32,
        encryption_secret: &[u8],
    ) -> Result<Self, Error> {
        let suite = Suite::of(cipher_suite)?;
        let size = TreeSize::for_leaves(leaves).ok_or(Error::GroupFull)?;
        Ok(Self {
            suite,
            tree: SecretTree::new(suite.aead(), size, secret(encryption_secret)?),
        })
    }

    /// Takes the key and the nonce of a generation.
    ///
    /// # Errors
    /// [`Error::GenerationUsed`], [`Error::GenerationTooFar`], [`Error::RatchetExhausted`], [`Error::UnknownSender`].
    pub fn take(
        &mut self,
        leaf: LeafIndex,
        handshake: bool,
        generation: u32,
    ) -> Result<(Bytes, Bytes), Error> {
        let kind = if handshake {
            RatchetKind::Handshake
        } else {
            RatchetKind::Application
        };
        let (key, step) = self.tree.find(leaf, kind, generation)?;
        self.tree.take(step)?;
        let length = self.suite.aead().key_length();
        Ok((front(&key.key, length), bytes(&key.nonce)))
    }
}

/// Messages of one sender of a group whose secrets are given (RFC 9420 §6).
pub struct Protection {
    /// What is signed along.
    pub context: GroupContext,
    /// `membership_key`.
    pub membership_key: [u8; 32],
    /// `sender_data_secret`.
    pub sender_data_secret: [u8; 32],
    /// The sender.
    pub sender: LeafIndex,
    /// Its key.
    pub signer: Signer,
}

impl Protection {
    fn signed(
        &self,
        wire_format: WireFormat,
        content: Content,
    ) -> Result<AuthenticatedContent, Error> {
        let commit = matches!(content, Content::Commit(_));
        let content = FramedContent {
            group_id: self.context.group_id.clone(),
            epoch: self.context.epoch,
            sender: Sender::Member(self.sender),
            authenticated_data: Vec::new(),
            content,
        };
        let mut signed =
            AuthenticatedContent::sign(wire_format, content, &self.context, &self.signer)?;
        if commit {
            signed.auth.confirmation_tag = Some(memory::copied(&[0; 32]));
        }
        Ok(signed)
    }

    /// A `PublicMessage`.
    ///
    /// # Errors
    /// [`Error::Invalid`]: data of the app is not sent in the clear.
    pub fn protect_public(&self, content: Content) -> Result<Vec<u8>, Error> {
        let signed = self.signed(WireFormat::PublicMessage, content)?;
        let key = Secret::new(self.membership_key);
        let message = PublicMessage::protect(signed, &key, &self.context)?;
        Message::Public(message).encode()
    }

    /// A `PrivateMessage` with a key of the given generation.
    ///
    /// # Errors
    /// As for [`MessageKeys::take`].
    pub fn protect_private(
        &self,
        content: Content,
        keys: &MessageKeys,
        generation: u32,
        reuse_guard: [u8; 4],
        padding: usize,
    ) -> Result<Vec<u8>, Error> {
        let signed = self.signed(WireFormat::PrivateMessage, content)?;
        let kind = signed.content.content.content_type().into();
        let (key, _) = keys.tree.find(self.sender, kind, generation)?;
        let sender = SenderData {
            leaf: self.sender,
            generation,
            reuse_guard,
        };
        let message = PrivateMessage::protect(
            Plain {
                signed: &signed,
                padding,
            },
            keys.suite.aead(),
            &Secret::new(self.sender_data_secret),
            sender,
            (&key.key, &key.nonce),
        )?;
        Message::Private(message).encode()
    }

    /// The content of either, its signature and membership tag verified.
    ///
    /// # Errors
    /// As a member would refuse it.
    pub fn unprotect(&self, message: &[u8], keys: &MessageKeys) -> Result<Content, Error> {
        let suite = keys.suite;
        let received = match Message::decode(message)? {
            Message::Public(message) => {
                message.unprotect(&Secret::new(self.membership_key), &self.context)?
            }
            Message::Private(message) => {
                let sender =
                    message.sender_data(suite.aead(), &Secret::new(self.sender_data_secret))?;
                let kind = message.content_type.into();
                let (key, _) = keys.tree.find(sender.leaf, kind, sender.generation)?;
                message.unprotect(suite.aead(), sender, (&key.key, &key.nonce))?
            }
            _ => return Err(Error::Malformed),
        };
        if received.content.sender != Sender::Member(self.sender) {
            return Err(Error::UnknownSender);
        }
        received.verify(suite, &self.context, self.signer.public())?;
        Ok(received.content.content)
    }
}

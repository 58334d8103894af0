//! Messages that are encrypted (RFC 9420 §6.3).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{
    AuthData, AuthenticatedContent, Content, ContentType, FramedContent, Sender, WireFormat,
};
use crate::crypto::Secret;
use crate::crypto::aead::{NONCE, TAG};
use crate::crypto::hash::HASH;
use crate::crypto::hpke::Aead;
use crate::memory;
use crate::mls::codec::{Codec, read_bytes};
use crate::mls::error::{Error, Rule};
use crate::mls::labels::derive;
use crate::mls::math::LeafIndex;
use crate::mls::suite::Prk;
use crate::wire::{self, Reader, Writer};

/// A message that only members can read, and of which they alone see who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateMessage {
    /// The group's id.
    pub group_id: Vec<u8>,
    /// The epoch in which it was sent.
    pub epoch: u64,
    /// What it has.
    pub content_type: ContentType,
    /// The app's data that is authenticated, and not encrypted.
    pub authenticated_data: Vec<u8>,
    /// The sender and its key's generation, encrypted.
    pub encrypted_sender_data: Vec<u8>,
    /// The content, encrypted.
    pub ciphertext: Vec<u8>,
}

impl Codec for PrivateMessage {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            group_id: read_bytes(reader)?,
            epoch: reader.u64()?,
            content_type: Codec::read(reader)?,
            authenticated_data: read_bytes(reader)?,
            encrypted_sender_data: read_bytes(reader)?,
            ciphertext: read_bytes(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.vector(&self.group_id)?.u64(self.epoch);
        self.content_type.write(writer)?;
        self.authenticated_data.write(writer)?;
        self.encrypted_sender_data.write(writer)?;
        self.ciphertext.write(writer)
    }
}

/// Who sent an encrypted message, and which key it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mls) struct SenderData {
    pub(in crate::mls) leaf: LeafIndex,
    pub(in crate::mls) generation: u32,
    pub(in crate::mls) reuse_guard: [u8; 4],
}

/// Bytes of `SenderData`.
const SENDER_DATA: usize = 12;

impl SenderData {
    fn encode(self) -> [u8; SENDER_DATA] {
        let ([a, b, c, d], [e, f, g, h], [i, j, k, l]) = (
            self.leaf.0.to_be_bytes(),
            self.generation.to_be_bytes(),
            self.reuse_guard,
        );
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    fn decode(bytes: &[u8]) -> Result<Self, wire::Error> {
        let mut reader = Reader::new(bytes);
        let data = Self {
            leaf: LeafIndex(reader.u32()?),
            generation: reader.u32()?,
            reuse_guard: *reader.array()?,
        };
        reader.finish()?;
        Ok(data)
    }

    /// The nonce of the ratchet, its first four bytes combined with the guard (RFC 9420 §6.3.1).
    pub(in crate::mls) fn nonce(&self, nonce: &Secret<NONCE>) -> Secret<NONCE> {
        let mut guarded = nonce.duplicate();
        for (byte, guard) in guarded.expose_mut().iter_mut().zip(self.reuse_guard) {
            *byte ^= guard;
        }
        guarded
    }
}

/// Key and nonce of the sender data of a ciphertext (RFC 9420 §6.3.2).
pub(in crate::mls) fn sender_data_key(
    aead: Aead,
    sender_data_secret: &Secret<HASH>,
    ciphertext: &[u8],
) -> Result<(Secret<32>, Secret<NONCE>), Error> {
    let sample = ciphertext.get(..HASH).unwrap_or(ciphertext);
    let secret = Prk::new(sender_data_secret);
    Ok((
        secret.key(aead, derive::KEY, sample)?,
        secret.expand(derive::NONCE, sample)?,
    ))
}

/// A message before encryption.
pub(in crate::mls) struct Plain<'a> {
    pub(in crate::mls) signed: &'a AuthenticatedContent,
    /// Zero bytes behind it.
    pub(in crate::mls) padding: usize,
}

impl PrivateMessage {
    /// Encrypts a content that was signed as such, with a key of the sender's ratchet.
    pub(in crate::mls) fn protect(
        plain: Plain<'_>,
        aead: Aead,
        sender_data_secret: &Secret<HASH>,
        sender: SenderData,
        (key, nonce): (&Secret<32>, &Secret<NONCE>),
    ) -> Result<Self, Error> {
        let AuthenticatedContent { content, auth, .. } = plain.signed;
        let message = Self {
            group_id: content.group_id.clone(),
            epoch: content.epoch,
            content_type: content.content.content_type(),
            authenticated_data: content.authenticated_data.clone(),
            encrypted_sender_data: Vec::new(),
            ciphertext: Vec::new(),
        };
        let mut writer = Writer::with_capacity(plain.padding.saturating_add(1024));
        content.content.write(&mut writer)?;
        auth.write(&mut writer)?;
        let mut text = writer.into_bytes();
        let length = text.len().saturating_add(plain.padding);
        memory::lengthen(&mut text, length);
        message.seal(text, aead, sender_data_secret, sender, (key, nonce))
    }

    /// Encrypts a text, padding and all, under what the message says in the clear.
    pub(in crate::mls) fn seal(
        mut self,
        mut text: Vec<u8>,
        aead: Aead,
        sender_data_secret: &Secret<HASH>,
        sender: SenderData,
        (key, nonce): (&Secret<32>, &Secret<NONCE>),
    ) -> Result<Self, Error> {
        // Not to be seen once more in memory: what is encrypted is encrypted in place.
        let nonce = sender.nonce(nonce);
        let tag = aead.seal(key, nonce.expose(), &self.content_aad()?, &mut text)?;
        memory::extend(&mut text, &tag);
        self.ciphertext = text;
        let (key, nonce) = sender_data_key(aead, sender_data_secret, &self.ciphertext)?;
        let mut sealed = memory::with_capacity(SENDER_DATA.saturating_add(TAG));
        memory::extend(&mut sealed, &sender.encode());
        let tag = aead.seal(&key, nonce.expose(), &self.sender_aad()?, &mut sealed)?;
        memory::extend(&mut sealed, &tag);
        self.encrypted_sender_data = sealed;
        Ok(self)
    }

    /// Who sent it.
    pub(in crate::mls) fn sender_data(
        &self,
        aead: Aead,
        sender_data_secret: &Secret<HASH>,
    ) -> Result<SenderData, Error> {
        let (key, nonce) = sender_data_key(aead, sender_data_secret, &self.ciphertext)?;
        let aad = self.sender_aad()?;
        let data = aead.open(&key, nonce.expose(), &aad, &self.encrypted_sender_data)?;
        Ok(SenderData::decode(&data)?)
    }

    /// Decrypts it with the key of the sender's ratchet. The signature is still to be verified.
    pub(in crate::mls) fn unprotect(
        self,
        aead: Aead,
        sender: SenderData,
        (key, nonce): (&Secret<32>, &Secret<NONCE>),
    ) -> Result<AuthenticatedContent, Error> {
        let text: Zeroizing<Vec<u8>> = aead.open(
            key,
            sender.nonce(nonce).expose(),
            &self.content_aad()?,
            &self.ciphertext,
        )?;
        let mut reader = Reader::new(&text);
        let content = Content::read(self.content_type, &mut reader)?;
        let auth = AuthData::read(self.content_type, &mut reader)?;
        if reader.rest().iter().any(|byte| *byte != 0) {
            return Err(Rule::Padding.into());
        }
        Ok(AuthenticatedContent {
            wire_format: WireFormat::PrivateMessage,
            content: FramedContent {
                group_id: self.group_id,
                epoch: self.epoch,
                sender: Sender::Member(sender.leaf),
                authenticated_data: self.authenticated_data,
                content,
            },
            auth,
        })
    }

    /// `SenderDataAAD`.
    fn sender_aad(&self) -> Result<Vec<u8>, wire::Error> {
        let mut writer = Writer::with_capacity(self.group_id.len().saturating_add(16));
        writer.vector(&self.group_id)?.u64(self.epoch);
        self.content_type.write(&mut writer)?;
        Ok(writer.into_bytes())
    }

    /// `PrivateContentAAD`.
    fn content_aad(&self) -> Result<Vec<u8>, wire::Error> {
        let mut writer = Writer::append_to(self.sender_aad()?);
        self.authenticated_data.write(&mut writer)?;
        Ok(writer.into_bytes())
    }
}

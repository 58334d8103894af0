//! What a client has to know of a group to join it (RFC 9420 §12.4.3).

use alloc::vec::Vec;

use super::codec::{Codec, read_bytes};
use super::context::GroupContext;
use super::error::Error;
use super::extension::Extensions;
use super::labels::sign;
use super::math::LeafIndex;
use super::signature::{SignaturePublicKey, Signer};
use super::suite::Suite;
use crate::wire::{self, Reader, Writer};

/// A group's state, signed by a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupInfo {
    /// What all members agree on.
    pub group_context: GroupContext,
    /// Extensions for who joins: the ratchet tree, the public key for external commits.
    pub extensions: Extensions,
    /// The confirmation tag of the commit that began the epoch.
    pub confirmation_tag: Vec<u8>,
    /// The member that signed.
    pub signer: LeafIndex,
    /// Its signature.
    pub signature: Vec<u8>,
}

impl GroupInfo {
    fn write_unsigned(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.group_context.write(writer)?;
        self.extensions.write(writer)?;
        self.confirmation_tag.write(writer)?;
        self.signer.0.write(writer)
    }

    /// `GroupInfoTBS`.
    fn signed_bytes(&self) -> Result<Vec<u8>, wire::Error> {
        let mut writer = Writer::with_capacity(1024);
        self.write_unsigned(&mut writer)?;
        Ok(writer.into_bytes())
    }

    /// Signs it.
    pub(super) fn sign(
        group_context: GroupContext,
        extensions: Extensions,
        confirmation_tag: Vec<u8>,
        signer: LeafIndex,
        key: &Signer,
    ) -> Result<Self, Error> {
        let mut info = Self {
            group_context,
            extensions,
            confirmation_tag,
            signer,
            signature: Vec::new(),
        };
        info.signature = key.sign(sign::GROUP_INFO, &info.signed_bytes()?)?;
        Ok(info)
    }

    /// Verifies the signature with the key of the signer's leaf.
    pub(super) fn verify(&self, suite: &Suite, key: &SignaturePublicKey) -> Result<(), Error> {
        let content = self.signed_bytes()?;
        key.verify(suite, sign::GROUP_INFO, &content, &self.signature)
            .map_err(|_| Error::BadSignature)
    }
}

impl Codec for GroupInfo {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            group_context: Codec::read(reader)?,
            extensions: Codec::read(reader)?,
            confirmation_tag: read_bytes(reader)?,
            signer: LeafIndex(reader.u32()?),
            signature: read_bytes(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.write_unsigned(writer)?;
        self.signature.write(writer)
    }
}

//! Messages that are signed and not encrypted (RFC 9420 §6.2).

use alloc::vec::Vec;

use super::{AuthData, AuthenticatedContent, Content, FramedContent, Sender, WireFormat};
use crate::crypto::hash::HASH;
use crate::crypto::{Secret, secret};
use crate::memory;
use crate::mls::codec::{Codec, read_bytes};
use crate::mls::context::GroupContext;
use crate::mls::error::{Error, Rule};
use crate::wire::{self, Reader, Writer};

/// A message that is signed and not encrypted; a member's has a tag that only members can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicMessage {
    /// What is sent.
    pub content: FramedContent,
    /// The signature, and a commit's confirmation tag.
    pub auth: AuthData,
    /// A member's tag.
    pub membership_tag: Option<Vec<u8>>,
}

impl PublicMessage {
    /// Protects a content that was signed as such.
    pub(in crate::mls) fn protect(
        signed: AuthenticatedContent,
        membership_key: &Secret<HASH>,
        context: &GroupContext,
    ) -> Result<Self, Error> {
        if matches!(signed.content.content, Content::Application(_)) {
            return Err(Rule::ApplicationInClear.into());
        }
        let membership_tag = match signed.content.sender {
            Sender::Member(_) => Some(memory::copied(
                &signed.membership_tag(membership_key, context)?,
            )),
            _ => None,
        };
        Ok(Self {
            content: signed.content,
            auth: signed.auth,
            membership_tag,
        })
    }

    /// Checks the membership tag. The signature is still to be verified.
    pub(in crate::mls) fn unprotect(
        self,
        membership_key: &Secret<HASH>,
        context: &GroupContext,
    ) -> Result<AuthenticatedContent, Error> {
        let Self {
            content,
            auth,
            membership_tag,
        } = self;
        let received = AuthenticatedContent {
            wire_format: WireFormat::PublicMessage,
            content,
            auth,
        };
        if matches!(received.content.content, Content::Application(_)) {
            return Err(Rule::ApplicationInClear.into());
        }
        if let Some(tag) = membership_tag {
            let expected = received.membership_tag(membership_key, context)?;
            if !secret::equal(&expected, &tag) {
                return Err(Error::BadTag);
            }
        }
        Ok(received)
    }
}

impl Codec for PublicMessage {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let content = FramedContent::read(reader)?;
        let auth = AuthData::read(content.content.content_type(), reader)?;
        let membership_tag = match content.sender {
            Sender::Member(_) => Some(read_bytes(reader)?),
            _ => None,
        };
        Ok(Self {
            content,
            auth,
            membership_tag,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.content.write(writer)?;
        self.auth.write(writer)?;
        match &self.membership_tag {
            Some(tag) => tag.write(writer),
            None => Ok(()),
        }
    }
}

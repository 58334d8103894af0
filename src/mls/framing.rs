//! Messages: what is signed, and by whom (RFC 9420 §6).
//!
//! ```text
//!                 FramedContent ── signed ──> AuthenticatedContent
//!                                                │            │
//!                                      membership tag      encrypted
//!                                                V            V
//!                                         PublicMessage  PrivateMessage
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::codec::{Codec, read_bytes};
use super::commit::Commit;
use super::context::GroupContext;
use super::error::{Error, Rule};
use super::labels::{reference, sign};
use super::math::LeafIndex;
use super::proposal::{Proposal, ProposalRef};
use super::signature::{ReadyKey, SignaturePublicKey, Signer};
use super::suite::{self, Suite};
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::wire::{self, Reader, Writer};

mod private;
mod public;

pub use private::PrivateMessage;
#[cfg(feature = "hazmat")]
pub(super) use private::sender_data_key;
pub(super) use private::{Plain, SenderData};
pub use public::PublicMessage;

/// How a message is protected (RFC 9420 §17.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFormat {
    /// Signed, and shown to belong to a member.
    PublicMessage,
    /// Signed and encrypted.
    PrivateMessage,
}

impl Codec for WireFormat {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        match reader.u16()? {
            1 => Ok(Self::PublicMessage),
            2 => Ok(Self::PrivateMessage),
            _ => Err(wire::Error::Value),
        }
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.u16(match self {
            Self::PublicMessage => 1,
            Self::PrivateMessage => 2,
        });
        Ok(())
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A member, by its leaf.
    Member(LeafIndex),
    /// One of the group's external senders, by its place in the list of them.
    External(u32),
    /// A client that asks to be added.
    NewMemberProposal,
    /// A client that adds itself.
    NewMemberCommit,
}

impl Codec for Sender {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(match reader.u8()? {
            1 => Self::Member(LeafIndex(reader.u32()?)),
            2 => Self::External(reader.u32()?),
            3 => Self::NewMemberProposal,
            4 => Self::NewMemberCommit,
            _ => return Err(wire::Error::Value),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        match self {
            Self::Member(leaf) => writer.u8(1).u32(leaf.0),
            Self::External(index) => writer.u8(2).u32(*index),
            Self::NewMemberProposal => writer.u8(3),
            Self::NewMemberCommit => writer.u8(4),
        };
        Ok(())
    }
}

/// The kind of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// The app's data.
    Application,
    /// A proposal.
    Proposal,
    /// A commit.
    Commit,
}

impl Codec for ContentType {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        match reader.u8()? {
            1 => Ok(Self::Application),
            2 => Ok(Self::Proposal),
            3 => Ok(Self::Commit),
            _ => Err(wire::Error::Value),
        }
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.u8(match self {
            Self::Application => 1,
            Self::Proposal => 2,
            Self::Commit => 3,
        });
        Ok(())
    }
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The app's data.
    Application(Vec<u8>),
    /// A proposal.
    Proposal(Proposal),
    /// A commit.
    Commit(Box<Commit>),
}

impl Content {
    /// Its kind.
    #[must_use]
    pub const fn content_type(&self) -> ContentType {
        match self {
            Self::Application(_) => ContentType::Application,
            Self::Proposal(_) => ContentType::Proposal,
            Self::Commit(_) => ContentType::Commit,
        }
    }

    fn read(content_type: ContentType, reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(match content_type {
            ContentType::Application => Self::Application(read_bytes(reader)?),
            ContentType::Proposal => Self::Proposal(Codec::read(reader)?),
            ContentType::Commit => Self::Commit(Box::new(Codec::read(reader)?)),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        match self {
            Self::Application(data) => data.write(writer),
            Self::Proposal(proposal) => proposal.write(writer),
            Self::Commit(commit) => commit.write(writer),
        }
    }
}

/// A content with its group, epoch and sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FramedContent {
    /// The group's id.
    pub group_id: Vec<u8>,
    /// The epoch in which it is sent.
    pub epoch: u64,
    /// Who sends it.
    pub sender: Sender,
    /// The app's data that is authenticated, and not encrypted.
    pub authenticated_data: Vec<u8>,
    /// The content.
    pub content: Content,
}

impl Codec for FramedContent {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let group_id = read_bytes(reader)?;
        let epoch = reader.u64()?;
        let sender = Codec::read(reader)?;
        let authenticated_data = read_bytes(reader)?;
        let content_type = ContentType::read(reader)?;
        Ok(Self {
            group_id,
            epoch,
            sender,
            authenticated_data,
            content: Content::read(content_type, reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.vector(&self.group_id)?.u64(self.epoch);
        self.sender.write(writer)?;
        self.authenticated_data.write(writer)?;
        self.content.content_type().write(writer)?;
        self.content.write(writer)
    }
}

/// `FramedContentAuthData`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthData {
    /// The sender's signature.
    pub signature: Vec<u8>,
    /// Of a commit: that the committer is in the new epoch.
    pub confirmation_tag: Option<Vec<u8>>,
}

impl AuthData {
    fn read(content_type: ContentType, reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            signature: read_bytes(reader)?,
            confirmation_tag: match content_type {
                ContentType::Commit => Some(read_bytes(reader)?),
                ContentType::Application | ContentType::Proposal => None,
            },
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.signature.write(writer)?;
        match &self.confirmation_tag {
            Some(tag) => tag.write(writer),
            None => Ok(()),
        }
    }
}

/// A content that was signed, as it is hashed: what a proposal's reference and the transcript stand on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatedContent {
    /// How it was sent.
    pub wire_format: WireFormat,
    /// What was sent.
    pub content: FramedContent,
    /// The signature, and a commit's confirmation tag.
    pub auth: AuthData,
}

impl AuthenticatedContent {
    /// Signs a content; the confirmation tag of a commit comes later.
    pub(super) fn sign(
        wire_format: WireFormat,
        content: FramedContent,
        context: &GroupContext,
        signer: &Signer,
    ) -> Result<Self, Error> {
        let signed = Zeroizing::new(signed_bytes(wire_format, &content, context)?);
        let auth = AuthData {
            signature: signer.sign(sign::FRAMED_CONTENT, &signed)?,
            confirmation_tag: None,
        };
        Ok(Self {
            wire_format,
            content,
            auth,
        })
    }

    /// Verifies the signature with the key of the sender.
    pub(super) fn verify(
        &self,
        suite: &Suite,
        context: &GroupContext,
        key: &SignaturePublicKey,
    ) -> Result<(), Error> {
        let ready = ReadyKey::new(suite, key).map_err(|_| Error::BadSignature)?;
        self.verify_ready(context, &ready)
    }

    /// [`verify`](Self::verify) with a key that was taken apart.
    pub(super) fn verify_ready(&self, context: &GroupContext, key: &ReadyKey) -> Result<(), Error> {
        let signed = Zeroizing::new(signed_bytes(self.wire_format, &self.content, context)?);
        key.verify(sign::FRAMED_CONTENT, &signed, &self.auth.signature)
            .map_err(|_| Error::BadSignature)
    }

    /// RFC 9420 §6.1: what a sender of each kind may send.
    pub(super) fn require_sender(&self) -> Result<(), Error> {
        let may = match (&self.content.sender, &self.content.content) {
            (Sender::Member(_), _) => true,
            (Sender::External(_), Content::Proposal(proposal)) => {
                // RFC 9420 §12.1.8.
                let allowed = matches!(
                    proposal,
                    Proposal::Add(_)
                        | Proposal::Remove(_)
                        | Proposal::PreSharedKey(_)
                        | Proposal::ReInit(_)
                        | Proposal::GroupContextExtensions(_)
                );
                if !allowed {
                    return Err(Rule::ExternalProposalType.into());
                }
                true
            }
            (Sender::NewMemberProposal, Content::Proposal(Proposal::Add(_))) => true,
            (Sender::NewMemberCommit, Content::Commit(_)) => true,
            _ => false,
        };
        if may {
            Ok(())
        } else {
            Err(Rule::SenderContent.into())
        }
    }

    /// `ConfirmedTranscriptHashInput` (RFC 9420 §8.2).
    pub(super) fn transcript_input(&self) -> Result<Vec<u8>, wire::Error> {
        let mut writer = Writer::with_capacity(1024);
        self.wire_format.write(&mut writer)?;
        self.content.write(&mut writer)?;
        self.auth.signature.write(&mut writer)?;
        Ok(writer.into_bytes())
    }

    /// `ProposalRef` (RFC 9420 §5.2).
    pub(super) fn proposal_reference(&self) -> Result<ProposalRef, Error> {
        let hash = suite::reference(reference::PROPOSAL, &self.to_bytes()?)?;
        Ok(ProposalRef(hash))
    }

    /// `AuthenticatedContentTBM`'s MAC (RFC 9420 §6.2).
    pub(super) fn membership_tag(
        &self,
        membership_key: &Secret<HASH>,
        context: &GroupContext,
    ) -> Result<[u8; HASH], Error> {
        let signed = signed_bytes(self.wire_format, &self.content, context)?;
        let mut writer = Writer::append_to(signed);
        self.auth.write(&mut writer)?;
        Ok(suite::mac(membership_key, &[writer.as_bytes()]))
    }
}

impl Codec for AuthenticatedContent {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let wire_format = Codec::read(reader)?;
        let content = FramedContent::read(reader)?;
        let auth = AuthData::read(content.content.content_type(), reader)?;
        Ok(Self {
            wire_format,
            content,
            auth,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.wire_format.write(writer)?;
        self.content.write(writer)?;
        self.auth.write(writer)
    }
}

/// `FramedContentTBS` (RFC 9420 §6.1).
fn signed_bytes(
    wire_format: WireFormat,
    content: &FramedContent,
    context: &GroupContext,
) -> Result<Vec<u8>, wire::Error> {
    let mut writer = Writer::with_capacity(1024);
    writer.u16(super::capabilities::MLS10);
    wire_format.write(&mut writer)?;
    content.write(&mut writer)?;
    match content.sender {
        Sender::Member(_) | Sender::NewMemberCommit => context.write(&mut writer)?,
        Sender::External(_) | Sender::NewMemberProposal => {}
    }
    Ok(writer.into_bytes())
}

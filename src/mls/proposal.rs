//! Proposals (RFC 9420 §12.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::codec::{Codec, read_bytes};
use super::extension::{Extensions, ProposalType};
use super::key_package::KeyPackage;
use super::leaf_node::LeafNode;
use super::math::LeafIndex;
use super::psk::PreSharedKeyId;
use super::suite::CipherSuite;
use crate::crypto::hash::HASH;
use crate::wire::{self, Reader, VECTOR_MAX, Writer};

/// The group that is to take a group's place (RFC 9420 §12.1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReInit {
    /// Its id.
    pub group_id: Vec<u8>,
    /// Its protocol version.
    pub version: u16,
    /// Its cipher suite.
    pub cipher_suite: CipherSuite,
    /// Its extensions.
    pub extensions: Extensions,
}

/// A change that somebody proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    /// A client becomes a member.
    Add(Box<KeyPackage>),
    /// The sender's leaf is replaced.
    Update(Box<LeafNode>),
    /// A member is removed.
    Remove(LeafIndex),
    /// A pre-shared key goes into the next epoch's keys.
    PreSharedKey(PreSharedKeyId),
    /// The group ends, and another one takes its place.
    ReInit(ReInit),
    /// The next epoch's keys come from the group's external key: only in external commits. The KEM's output.
    ExternalInit(Vec<u8>),
    /// The group's extensions are replaced.
    GroupContextExtensions(Extensions),
    /// A proposal of a type that this library does not know, in one vector, as such proposals are to be encoded.
    Other(ProposalType, Vec<u8>),
}

impl Proposal {
    /// Its type.
    #[must_use]
    pub const fn proposal_type(&self) -> ProposalType {
        match self {
            Self::Add(_) => ProposalType(1),
            Self::Update(_) => ProposalType(2),
            Self::Remove(_) => ProposalType(3),
            Self::PreSharedKey(_) => ProposalType(4),
            Self::ReInit(_) => ProposalType(5),
            Self::ExternalInit(_) => ProposalType(6),
            Self::GroupContextExtensions(_) => ProposalType(7),
            Self::Other(proposal_type, _) => *proposal_type,
        }
    }

    /// RFC 9420 §12.4: whether a commit of it needs a path. Of proposals that are not known it is assumed.
    pub(super) const fn requires_path(&self) -> bool {
        !matches!(self, Self::Add(_) | Self::PreSharedKey(_) | Self::ReInit(_))
    }
}

impl Codec for Proposal {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(match reader.u16()? {
            1 => Self::Add(Box::new(Codec::read(reader)?)),
            2 => Self::Update(Box::new(Codec::read(reader)?)),
            3 => Self::Remove(LeafIndex(reader.u32()?)),
            4 => Self::PreSharedKey(Codec::read(reader)?),
            5 => Self::ReInit(ReInit {
                group_id: read_bytes(reader)?,
                version: reader.u16()?,
                cipher_suite: Codec::read(reader)?,
                extensions: Codec::read(reader)?,
            }),
            6 => Self::ExternalInit(read_bytes(reader)?),
            7 => Self::GroupContextExtensions(Codec::read(reader)?),
            other => Self::Other(ProposalType(other), read_bytes(reader)?),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.proposal_type().write(writer)?;
        match self {
            Self::Add(key_package) => key_package.write(writer),
            Self::Update(leaf_node) => leaf_node.write(writer),
            Self::Remove(removed) => removed.0.write(writer),
            Self::PreSharedKey(id) => id.write(writer),
            Self::ReInit(reinit) => {
                writer.vector(&reinit.group_id)?.u16(reinit.version);
                reinit.cipher_suite.write(writer)?;
                reinit.extensions.write(writer)
            }
            Self::ExternalInit(bytes) | Self::Other(_, bytes) => bytes.write(writer),
            Self::GroupContextExtensions(extensions) => extensions.write(writer),
        }
    }
}

/// The hash by which a commit names a proposal (RFC 9420 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalRef(pub [u8; HASH]);

/// A proposal of a commit, itself or by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProposalOrRef {
    /// Itself.
    Proposal(Proposal),
    /// By its hash.
    Reference(ProposalRef),
}

impl Codec for ProposalOrRef {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(match reader.u8()? {
            1 => Self::Proposal(Codec::read(reader)?),
            2 => {
                let reference = reader.vector(VECTOR_MAX)?;
                let hash = reference.try_into().map_err(|_| wire::Error::Value)?;
                Self::Reference(ProposalRef(hash))
            }
            _ => return Err(wire::Error::Value),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        match self {
            Self::Proposal(proposal) => {
                writer.u8(1);
                proposal.write(writer)
            }
            Self::Reference(reference) => {
                writer.u8(2).vector(&reference.0)?;
                Ok(())
            }
        }
    }
}

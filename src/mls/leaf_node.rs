//! Leaf nodes: a member's appearance in a group (RFC 9420 §§7.2, 7.3).

use alloc::vec::Vec;

use super::capabilities::Capabilities;
use super::codec::{Codec, read_bytes};
use super::credential::Credential;
use super::error::{Error, Rule};
use super::extension::{Extensions, RequiredCapabilities};
use super::labels::sign;
use super::limits::CLOCK_SKEW;
use super::math::LeafIndex;
use super::signature::{SignaturePublicKey, Signer};
use super::suite::{Suite, sign_content};
use crate::crypto::sign::Batch;
use crate::wire::{self, Reader, Writer};

/// From when to when a key package may be used, in seconds since 1970, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// The first second.
    pub not_before: u64,
    /// The last second.
    pub not_after: u64,
}

impl Lifetime {
    /// From an hour before `now`, for clocks that are behind, to `seconds` after it.
    #[must_use]
    pub const fn from_now(now: u64, seconds: u64) -> Self {
        Self {
            not_before: now.saturating_sub(CLOCK_SKEW),
            not_after: now.saturating_add(seconds),
        }
    }

    /// Whether the present is within it, and it is not longer than it may be (RFC 9420 §7.2).
    pub(super) const fn holds(&self, validity: Validity) -> bool {
        self.not_before <= validity.now
            && validity.now <= self.not_after
            && self.not_after.wrapping_sub(self.not_before) <= validity.longest
    }
}

/// When it is, and how long a lifetime may be.
#[derive(Clone, Copy)]
pub(super) struct Validity {
    pub(super) now: u64,
    pub(super) longest: u64,
}

/// How a leaf came into the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeafNodeSource {
    /// By a key package.
    KeyPackage(Lifetime),
    /// By an Update proposal.
    Update,
    /// By a commit's path; with the parent hash.
    Commit(Vec<u8>),
}

/// A member's appearance in a group, signed by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafNode {
    /// The public key that path secrets are encrypted to.
    pub encryption_key: Vec<u8>,
    /// The public key that the member's messages are verified with.
    pub signature_key: SignaturePublicKey,
    /// Who the member says that it is.
    pub credential: Credential,
    /// What it supports.
    pub capabilities: Capabilities,
    /// How it came here.
    pub source: LeafNodeSource,
    /// Its extensions.
    pub extensions: Extensions,
    /// Its signature.
    pub signature: Vec<u8>,
}

/// Where a leaf stands, as its signature says it: nowhere yet in a key package.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) group_id: &'a [u8],
    pub(super) leaf: LeafIndex,
}

impl LeafNode {
    fn write_unsigned(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.encryption_key.write(writer)?;
        self.signature_key.write(writer)?;
        self.credential.write(writer)?;
        self.capabilities.write(writer)?;
        match &self.source {
            LeafNodeSource::KeyPackage(lifetime) => {
                writer
                    .u8(1)
                    .u64(lifetime.not_before)
                    .u64(lifetime.not_after);
            }
            LeafNodeSource::Update => {
                writer.u8(2);
            }
            LeafNodeSource::Commit(parent_hash) => {
                writer.u8(3).vector(parent_hash)?;
            }
        }
        self.extensions.write(writer)
    }

    /// `LeafNodeTBS`.
    pub(super) fn signed_bytes(&self, place: Place<'_>) -> Result<Vec<u8>, wire::Error> {
        let mut writer = Writer::with_capacity(512);
        self.write_unsigned(&mut writer)?;
        match self.source {
            LeafNodeSource::KeyPackage(_) => {}
            LeafNodeSource::Update | LeafNodeSource::Commit(_) => {
                writer.vector(place.group_id)?.u32(place.leaf.0);
            }
        }
        Ok(writer.into_bytes())
    }

    /// Signs it anew.
    pub(super) fn sign(&mut self, place: Place<'_>, signer: &Signer) -> Result<(), Error> {
        self.signature = signer.sign(sign::LEAF_NODE, &self.signed_bytes(place)?)?;
        Ok(())
    }

    /// RFC 9420 §7.3: the signature holds.
    pub(super) fn verify(&self, suite: &Suite, place: Place<'_>) -> Result<(), Error> {
        let content = self.signed_bytes(place)?;
        self.signature_key
            .verify(suite, sign::LEAF_NODE, &content, &self.signature)
            .map_err(|_| Rule::LeafSignature.into())
    }

    /// Puts the signature, of Ed25519, to others that are verified with it.
    pub(super) fn add_to(&self, batch: &mut Batch, place: Place<'_>) -> Result<(), Error> {
        let content = sign_content(sign::LEAF_NODE, &self.signed_bytes(place)?)?;
        self.signature_key
            .add_to(batch, &content, &self.signature)
            .map_err(|_| Rule::LeafSignature.into())
    }

    /// RFC 9420 §7.3, all that needs neither the signature nor the other members: keys of the suite, extensions and
    /// credential listed, what the group requires supported.
    pub(super) fn require(
        &self,
        suite: &Suite,
        required: &RequiredCapabilities,
        group: &Extensions,
    ) -> Result<(), Error> {
        self.require_alone(suite)?;
        self.capabilities.require(suite.id, required, group)
    }

    /// What can be asked of a leaf before its group is known.
    pub(super) fn require_alone(&self, suite: &Suite) -> Result<(), Error> {
        suite.hpke.kem.check_public_key(&self.encryption_key)?;
        self.extensions.require_unique()?;
        self.capabilities
            .require_own(&self.extensions, &self.credential)
    }

    /// RFC 9420 §7.3: the lifetime, where there is one.
    pub(super) fn require_lifetime(&self, validity: Validity) -> Result<(), Error> {
        match &self.source {
            LeafNodeSource::KeyPackage(lifetime) if !lifetime.holds(validity) => {
                Err(Rule::LeafLifetime.into())
            }
            _ => Ok(()),
        }
    }
}

impl Codec for LeafNode {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            encryption_key: read_bytes(reader)?,
            signature_key: Codec::read(reader)?,
            credential: Codec::read(reader)?,
            capabilities: Codec::read(reader)?,
            source: match reader.u8()? {
                1 => LeafNodeSource::KeyPackage(Lifetime {
                    not_before: reader.u64()?,
                    not_after: reader.u64()?,
                }),
                2 => LeafNodeSource::Update,
                3 => LeafNodeSource::Commit(read_bytes(reader)?),
                _ => return Err(wire::Error::Value),
            },
            extensions: Codec::read(reader)?,
            signature: read_bytes(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.write_unsigned(writer)?;
        self.signature.write(writer)
    }
}

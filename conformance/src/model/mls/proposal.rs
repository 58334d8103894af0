//! Proposals (§12.1).

use super::client::{KeyPackage, Leaf};
use super::{Extensions, Hash, extensions, vector};

/// `PreSharedKeyID`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PskId {
    /// One of the app's: its name, and the nonce.
    External(Vec<u8>, Vec<u8>),
    /// A resumption secret: usage, group, epoch, and the nonce.
    Resumption(u8, Vec<u8>, u64, Vec<u8>),
}

impl PskId {
    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::External(id, nonce) => [vec![1], vector(id), vector(nonce)].concat(),
            Self::Resumption(usage, group, epoch, nonce) => [
                vec![2, *usage],
                vector(group),
                epoch.to_be_bytes().to_vec(),
                vector(nonce),
            ]
            .concat(),
        }
    }
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    /// `Add`
    Add(Box<KeyPackage>),
    /// `Update`
    Update(Box<Leaf>),
    /// `Remove`
    Remove(u32),
    /// `PreSharedKey`, and the key.
    Psk(PskId, Vec<u8>),
    /// `ReInit`: group, version, suite, extensions.
    ReInit(Vec<u8>, u16, u16, Extensions),
    /// `ExternalInit`
    ExternalInit(Vec<u8>),
    /// `GroupContextExtensions`
    Extensions(Extensions),
    /// One of another type.
    Other(u16, Vec<u8>),
}

impl Proposal {
    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (kind, body): (u16, Vec<u8>) = match self {
            Self::Add(package) => (1, package.encode()),
            Self::Update(leaf) => (2, leaf.encode()),
            Self::Remove(leaf) => (3, leaf.to_be_bytes().to_vec()),
            Self::Psk(id, _) => (4, id.encode()),
            Self::ReInit(group, version, suite, all) => (
                5,
                [
                    vector(group),
                    version.to_be_bytes().to_vec(),
                    suite.to_be_bytes().to_vec(),
                    extensions(all),
                ]
                .concat(),
            ),
            Self::ExternalInit(kem_output) => (6, vector(kem_output)),
            Self::Extensions(all) => (7, extensions(all)),
            Self::Other(kind, data) => (*kind, vector(data)),
        };
        [kind.to_be_bytes().to_vec(), body].concat()
    }
}

/// A proposal as a commit has it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The proposal.
    pub proposal: Proposal,
    /// Whose leaf an update replaces.
    pub sender: u32,
    /// Its reference, if it stands by that.
    pub reference: Option<Hash>,
}

impl Listed {
    /// One that stands there itself.
    #[must_use]
    pub const fn value(proposal: Proposal) -> Self {
        Self {
            proposal,
            sender: u32::MAX,
            reference: None,
        }
    }

    /// `ProposalOrRef`
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match &self.reference {
            None => [vec![1], self.proposal.encode()].concat(),
            Some(reference) => [vec![2], vector(reference)].concat(),
        }
    }
}

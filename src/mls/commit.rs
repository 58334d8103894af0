//! Commits and the paths in them (RFC 9420 §§7.6, 12.4).

use alloc::vec::Vec;

use super::codec::{Codec, read_bytes, read_list, read_optional, write_list, write_optional};
use super::leaf_node::LeafNode;
use super::proposal::ProposalOrRef;
use crate::wire::{self, Reader, Writer};

/// What `EncryptWithLabel` gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HpkeCiphertext {
    /// The KEM's output.
    pub kem_output: Vec<u8>,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

impl Codec for HpkeCiphertext {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            kem_output: read_bytes(reader)?,
            ciphertext: read_bytes(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.kem_output.write(writer)?;
        self.ciphertext.write(writer)
    }
}

/// A node of a path: its new public key, and its path secret for everybody below its other child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatePathNode {
    /// The public key.
    pub encryption_key: Vec<u8>,
    /// The path secret, once for each node of the resolution of the copath.
    pub encrypted_path_secret: Vec<HpkeCiphertext>,
}

impl Codec for UpdatePathNode {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            encryption_key: read_bytes(reader)?,
            encrypted_path_secret: read_list(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.encryption_key.write(writer)?;
        write_list(&self.encrypted_path_secret, writer)
    }
}

/// The committer's new leaf, and the nodes of its filtered direct path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatePath {
    /// The leaf.
    pub leaf_node: LeafNode,
    /// The nodes, the lowest first.
    pub nodes: Vec<UpdatePathNode>,
}

impl Codec for UpdatePath {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            leaf_node: Codec::read(reader)?,
            nodes: read_list(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.leaf_node.write(writer)?;
        write_list(&self.nodes, writer)
    }
}

/// A commit: what changes, and the committer's new path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The proposals, by value and by reference.
    pub proposals: Vec<ProposalOrRef>,
    /// The path, if there is one.
    pub path: Option<UpdatePath>,
}

impl Codec for Commit {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            proposals: read_list(reader)?,
            path: read_optional(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        write_list(&self.proposals, writer)?;
        write_optional(self.path.as_ref(), writer)
    }
}

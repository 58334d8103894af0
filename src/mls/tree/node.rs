//! The nodes of a ratchet tree (RFC 9420 §§7.1, 12.4.3.3).

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::crypto::hash::HASH;
use crate::mls::codec::{Codec, read_bytes, read_list, write_list};
use crate::mls::leaf_node::LeafNode;
use crate::wire::{Error, Reader, Writer};

/// A subgroup: everybody below, but for the unmerged leaves, has the private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mls) struct ParentNode {
    pub(super) encryption_key: Vec<u8>,
    pub(super) parent_hash: Vec<u8>,
    /// Leaves below that do not have the private key yet, in their order.
    pub(super) unmerged_leaves: Vec<u32>,
}

impl Codec for ParentNode {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            encryption_key: read_bytes(reader)?,
            parent_hash: read_bytes(reader)?,
            unmerged_leaves: read_list(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        self.encryption_key.write(writer)?;
        self.parent_hash.write(writer)?;
        write_list(&self.unmerged_leaves, writer)
    }
}

/// A node, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::mls) enum Node {
    #[default]
    Blank,
    Leaf(Arc<LeafNode>),
    Parent(Arc<ParentNode>),
}

/// `optional<Node>`.
impl Codec for Node {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        if !reader.flag()? {
            return Ok(Self::Blank);
        }
        Ok(match reader.u8()? {
            1 => Self::Leaf(Arc::new(Codec::read(reader)?)),
            2 => Self::Parent(Arc::new(Codec::read(reader)?)),
            _ => return Err(Error::Value),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.flag(*self != Self::Blank);
        match self {
            Self::Blank => Ok(()),
            Self::Leaf(leaf) => {
                writer.u8(1);
                leaf.write(writer)
            }
            Self::Parent(parent) => {
                writer.u8(2);
                parent.write(writer)
            }
        }
    }
}

/// A node with what is known of all that is below it.
#[derive(Clone, Default)]
pub(super) struct Record {
    pub(super) node: Node,
    /// The tree hash, unless something below has changed since; then those above have none either.
    pub(super) hash: Option<[u8; HASH]>,
    /// Leaves below that are not blank.
    pub(super) members: u32,
}

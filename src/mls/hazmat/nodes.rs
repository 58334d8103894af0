//! Ratchet trees as lists of nodes, whatever they say.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::mls::codec::{Codec, read_bytes, read_list, write_list};
use crate::mls::error::Error;
use crate::mls::leaf_node::LeafNode;
use crate::wire::{self, Reader, Writer};

/// `optional<Node>` (RFC 9420 §12.4.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeNode {
    /// No node.
    Blank,
    /// A leaf.
    Leaf(Box<LeafNode>),
    /// A parent.
    Parent {
        /// Its public key.
        encryption_key: Vec<u8>,
        /// The hash of the parent with which it was set.
        parent_hash: Vec<u8>,
        /// Leaves below that do not have its private key.
        unmerged_leaves: Vec<u32>,
    },
}

impl Codec for TreeNode {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        if !reader.flag()? {
            return Ok(Self::Blank);
        }
        Ok(match reader.u8()? {
            1 => Self::Leaf(Box::new(Codec::read(reader)?)),
            2 => Self::Parent {
                encryption_key: read_bytes(reader)?,
                parent_hash: read_bytes(reader)?,
                unmerged_leaves: read_list(reader)?,
            },
            _ => return Err(wire::Error::Value),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        match self {
            Self::Blank => {
                writer.u8(0);
                Ok(())
            }
            Self::Leaf(leaf) => {
                writer.u8(1).u8(1);
                leaf.write(writer)
            }
            Self::Parent {
                encryption_key,
                parent_hash,
                unmerged_leaves,
            } => {
                writer
                    .u8(1)
                    .u8(2)
                    .vector(encryption_key)?
                    .vector(parent_hash)?;
                write_list(unmerged_leaves, writer)
            }
        }
    }
}

/// The nodes of a `ratchet_tree`, in their order.
///
/// # Errors
/// [`Error::Malformed`].
pub fn read_nodes(ratchet_tree: &[u8]) -> Result<Vec<TreeNode>, Error> {
    let mut reader = Reader::new(ratchet_tree);
    let nodes = read_list(&mut reader)?;
    reader.finish()?;
    Ok(nodes)
}

/// A `ratchet_tree` of these nodes.
///
/// # Errors
/// [`Error::Malformed`] over 2^30 bytes.
pub fn write_nodes(nodes: &[TreeNode]) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::new();
    write_list(nodes, &mut writer)?;
    Ok(writer.into_bytes())
}

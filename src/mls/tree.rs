//! The ratchet tree (RFC 9420 §§4, 7): who is a member, and the keys of every subgroup.
//!
//! A tree is a value that shares what it does not change with the value that it was copied from: to stage a commit is to
//! change a copy, and costs what the commit changes. Hashes, counts of members and all indexes are kept beside the nodes,
//! and no change looks at more than its path to the root.

mod hash;
mod keys;
mod node;
mod paged;
mod parent_hash;
mod path;
mod private;
mod ratchet_tree;
mod stored;
mod support;
mod validate;

#[cfg(feature = "hazmat")]
pub(super) use node::Node;
#[cfg(feature = "hazmat")]
pub(super) use path::SentPath;
pub(super) use path::{PathSecrets, Recipient};
pub(super) use private::PrivateTree;
pub(super) use ratchet_tree::RatchetTree;
pub(super) use stored::PageName;
pub(super) use support::Kind;

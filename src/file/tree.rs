//! The SHA-256 tree over a blob, and the name that it gives the blob (SPEC §20.2).
//!
//! ```text
//!   leaf k      = SHA-256(0x00 || sealed chunk k)                            16,400 bytes, the last one fewer
//!   inner node  = SHA-256(0x01 || left || right)                             RFC 6962 §2.1
//!   id          = SHA-256(L("blob") || u64 stored length || header 56 || root)
//!
//!                    root                      a proof of chunks 2 and 3 of 7: the header, and the nodes marked +
//!             ┌───────┴────────┐
//!           (2,0)           ┌──┴───┐
//!         ┌───┴───┐        +│      │
//!      +(1,0)   (1,1)     (1,2)    │
//!       ┌┴┐      ┌┴┐       ┌┴┐     │+
//!       0 1      2 3       4 5     6           node (level, index)
//! ```
//!
//! [`TreeHasher`] and [`BlobHasher`] make the id, with memory for some forty hashes: whoever stores a blob needs no key for
//! it. [`ProofNodes`] says which nodes prove a run of chunks, and [`RangeVerifier`] checks such a run, from whatever server
//! it came. A proof holds only nodes that are stored as they are: a server hashes nothing to give one.

mod hasher;
mod node;
mod proof;
mod shape;
mod verify;

pub use hasher::{BlobHasher, Hash, TreeHasher, leaf_hash};
pub use node::{Node, stored_nodes};
pub use proof::{ProofNodes, proof_len, prove};
pub use shape::Shape;
pub use verify::{RangeVerifier, Verified};

#[cfg(test)]
mod tests;

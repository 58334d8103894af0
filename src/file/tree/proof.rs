//! The nodes that prove a run of leaves.

use alloc::vec::Vec;
use core::ops::Range;

use super::super::Error;
use super::super::chunk::HEADER;
use super::hasher::Hash;
use super::{Node, Shape};
use crate::memory;

/// The nodes of a proof, from left to right: the largest that have only leaves left of the run, then the largest that have
/// only leaves right of it.
#[derive(Clone, Debug)]
pub struct ProofNodes {
    /// Leaves in front of the run.
    before: u64,
    /// Level below which its nodes are still to come.
    level: u32,
    /// The first leaf of the next node behind the run.
    next: u64,
    leaves: u64,
}

impl ProofNodes {
    /// For these leaves of a blob.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if there are no such leaves, or none is asked for.
    pub fn new(shape: &Shape, leaves: &Range<u64>) -> Result<Self, Error> {
        shape.place(leaves)?;
        Ok(Self {
            before: leaves.start,
            level: u64::BITS,
            next: leaves.end,
            leaves: shape.leaves(),
        })
    }

    /// The next node left of the run.
    pub(super) fn left(&mut self) -> Option<Node> {
        let left = match self.level {
            u64::BITS => self.before,
            level => self.before & (1u64 << level).saturating_sub(1),
        };
        self.level = left.checked_ilog2()?;
        Some(Node {
            level: self.level,
            index: (self.before >> self.level) ^ 1,
        })
    }

    /// The next node right of the run.
    pub(super) fn right(&mut self) -> Option<Node> {
        let room = self.leaves.saturating_sub(self.next).checked_ilog2()?;
        let level = self.next.trailing_zeros().min(room);
        let index = self.next >> level;
        self.next = self.next.saturating_add(1 << level);
        Some(Node { level, index })
    }
}

impl Iterator for ProofNodes {
    type Item = Node;

    fn next(&mut self) -> Option<Node> {
        self.left().or_else(|| self.right())
    }
}

/// Bytes of the proof of these leaves: header and nodes.
///
/// # Errors
/// As [`ProofNodes::new`].
pub fn proof_len(shape: &Shape, leaves: &Range<u64>) -> Result<usize, Error> {
    let nodes = ProofNodes::new(shape, leaves)?.count();
    Ok(nodes
        .saturating_mul(size_of::<Hash>())
        .saturating_add(HEADER))
}

/// The proof of these leaves, from the blob's header and its nodes, which `stored` looks up: the header, then the nodes.
///
/// # Errors
/// As [`ProofNodes::new`], and what `stored` answers.
pub fn prove<E: From<Error>>(
    shape: &Shape,
    leaves: &Range<u64>,
    header: &[u8; HEADER],
    mut stored: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<u8>, E> {
    let mut proof = memory::with_capacity(proof_len(shape, leaves)?);
    memory::extend(&mut proof, header);
    for node in ProofNodes::new(shape, leaves)? {
        memory::extend(&mut proof, &stored(node)?);
    }
    Ok(proof)
}

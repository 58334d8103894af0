//! Checking a run of leaves that came from anywhere.

use core::ops::Range;

use super::super::Error;
use super::super::blob::BlobId;
use super::super::chunk::HEADER;
use super::Shape;
use super::hasher::{Hash, LeafHasher, TreeHasher};
use super::proof::{ProofNodes, proof_len};

/// Checks that bytes are those of a run of leaves of the blob that an id names, knowing only the id and the length of the
/// blob; has memory for some forty hashes, whatever the length of the run.
///
/// It takes bytes in pieces of any length ([`feed`](Self::feed)), or leaves ([`push`](Self::push)). Nothing about them is
/// known before [`finish`](Self::finish) has said so.
#[derive(Clone)]
pub struct RangeVerifier<'a> {
    id: BlobId,
    shape: Shape,
    leaves: Range<u64>,
    header: &'a [u8; HEADER],
    /// What the proof has of the nodes behind the run.
    behind: &'a [Hash],
    nodes: ProofNodes,
    leaf: LeafHasher,
    tree: TreeHasher,
}

impl<'a> RangeVerifier<'a> {
    /// For these leaves, with a proof as [`prove`](super::prove) makes it.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::TooLong`]: no blob has this length; [`Error::OutOfRange`]: it has no such leaves, or
    /// none is asked for; [`Error::Proof`] if the proof has another length.
    pub fn new(
        id: BlobId,
        stored_len: u64,
        leaves: Range<u64>,
        proof: &'a [u8],
    ) -> Result<Self, Error> {
        let shape = Shape::new(stored_len)?;
        if proof_len(&shape, &leaves)? != proof.len() {
            return Err(Error::Proof);
        }
        let (header, hashes) = proof.split_first_chunk().ok_or(Error::Proof)?;
        let mut hashes = hashes.as_chunks().0;
        let mut nodes = ProofNodes::new(&shape, &leaves)?;
        let mut tree = TreeHasher::new();
        while let Some(node) = nodes.left() {
            let (hash, rest) = hashes.split_first().ok_or(Error::Proof)?;
            tree.push_node(node.level, hash)?;
            hashes = rest;
        }
        Ok(Self {
            id,
            shape,
            leaves,
            header,
            behind: hashes,
            nodes,
            leaf: LeafHasher::new(),
            tree,
        })
    }

    /// Takes the next bytes of the run.
    ///
    /// # Errors
    /// [`Error::Ended`] for bytes behind the run.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let leaf = self.tree.leaves();
            if leaf >= self.leaves.end {
                return Err(Error::Ended);
            }
            let place = self.shape.place(&(leaf..leaf.saturating_add(1)))?;
            let length = place.end.saturating_sub(place.start);
            let length = usize::try_from(length).map_err(|_| Error::TooLong)?;
            if let Some(hash) = self.leaf.feed(&mut bytes, length) {
                self.tree.push(&hash)?;
            }
        }
        Ok(())
    }

    /// Takes the next leaf of the run, of a chunk that is checked against it later.
    ///
    /// # Errors
    /// [`Error::Ended`] for a leaf behind the run; [`Error::Truncated`] in the middle of one.
    pub fn push(&mut self, leaf: &Hash) -> Result<(), Error> {
        if !self.leaf.is_empty() {
            return Err(Error::Truncated);
        }
        if self.tree.leaves() >= self.leaves.end {
            return Err(Error::Ended);
        }
        self.tree.push(leaf).map(|_| ())
    }

    /// Whether all of it was genuine, the header in the proof included.
    ///
    /// # Errors
    /// [`Error::Truncated`] if the run is not whole; [`Error::Proof`].
    pub fn finish(mut self) -> Result<Verified, Error> {
        if self.tree.leaves() != self.leaves.end || !self.leaf.is_empty() {
            return Err(Error::Truncated);
        }
        for hash in self.behind {
            let node = self.nodes.right().ok_or(Error::Proof)?;
            self.tree.push_node(node.level, hash)?;
        }
        if self.tree.id(self.header, self.shape.stored_len())? != self.id {
            return Err(Error::Proof);
        }
        Ok(Verified {
            header: *self.header,
            leaves: self.leaves,
        })
    }
}

/// What a [`RangeVerifier`] has found to be genuine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    header: [u8; HEADER],
    leaves: Range<u64>,
}

impl Verified {
    /// The first bytes of the blob.
    #[must_use]
    pub const fn header(&self) -> &[u8; HEADER] {
        &self.header
    }

    /// Which leaves were checked.
    #[must_use]
    pub const fn leaves(&self) -> &Range<u64> {
        &self.leaves
    }
}

//! From leaves, or from the bytes of a blob, to its id.

use super::super::blob::BlobId;
use super::super::chunk::{HEADER, SEALED_CHUNK};
use super::super::limits::{CHUNKS_MAX, LEVELS_MAX};
use super::Shape;
use crate::crypto::hash::{Hashing, sha256};
use crate::crypto::labels;
use crate::file::Error;

/// The hash of a node.
pub type Hash = [u8; 32];

/// In front of what a leaf is the hash of (RFC 6962 §2.1).
const LEAF: &[u8] = &[0];
/// In front of what an inner node is the hash of.
const INNER: &[u8] = &[1];
/// Levels of a tree, that of the leaves included.
const LEVELS: usize = LEVELS_MAX as usize + 1;

/// The leaf of a whole sealed chunk.
#[must_use]
pub fn leaf_hash(chunk: &[u8]) -> Hash {
    sha256(&[LEAF, chunk])
}

/// Hashes a tree from its leaves, and keeps one node a level.
#[derive(Clone)]
pub struct TreeHasher {
    leaves: u64,
    /// The node at level l holds if bit l of `leaves` is set: together they have all leaves below them.
    peaks: [Hash; LEVELS],
    /// What the last leaf completed.
    completed: [Hash; LEVELS],
    count: usize,
}

impl TreeHasher {
    /// A tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            leaves: 0,
            peaks: [[0; 32]; LEVELS],
            completed: [[0; 32]; LEVELS],
            count: 0,
        }
    }

    /// How many leaves it has.
    #[must_use]
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Adds a leaf, and gives the nodes that are now there for good, in the order of [`Node::place`](super::Node::place):
    /// itself, and every node whose last leaf it is. Whoever appends them to a file can prove every run of leaves later.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn push(&mut self, leaf: &Hash) -> Result<&[Hash], Error> {
        self.push_node(0, leaf)?;
        Ok(self.completed())
    }

    /// The nodes that the last leaf completed.
    #[must_use]
    pub fn completed(&self) -> &[Hash] {
        self.completed.get(..self.count).unwrap_or_default()
    }

    /// Adds a node that stands behind those that are there: their number is a multiple of its leaves.
    pub(super) fn push_node(&mut self, level: u32, hash: &Hash) -> Result<(), Error> {
        let leaves = 1u64.checked_shl(level).ok_or(Error::TooLong)?;
        let leaves = self.leaves.saturating_add(leaves);
        if leaves > CHUNKS_MAX {
            return Err(Error::TooLong);
        }
        let mut node = *hash;
        self.count = 0;
        let levels = (0..).zip(&mut self.peaks).skip_while(|(at, _)| *at < level);
        for ((at, peak), complete) in levels.zip(&mut self.completed) {
            *complete = node;
            self.count = self.count.saturating_add(1);
            if self.leaves & (1 << at) == 0 {
                *peak = node;
                break;
            }
            node = inner(peak, &node);
        }
        self.leaves = leaves;
        Ok(())
    }

    /// The root (RFC 6962 §2.1); nothing if there is no leaf.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        let levels = (0..).zip(&self.peaks);
        let mut peaks = levels.filter(|(at, _)| self.leaves & (1u64 << *at) != 0);
        let (_, last) = peaks.next()?;
        Some(peaks.fold(*last, |right, (_, left)| inner(left, &right)))
    }

    /// The id of a blob with these leaves, this header and so many bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::TooLong`]: a blob of this length has not so many leaves.
    pub fn id(&self, header: &[u8; HEADER], stored_len: u64) -> Result<BlobId, Error> {
        let wanted = Shape::new(stored_len)?.leaves();
        match self.root() {
            Some(root) if self.leaves == wanted => Ok(BlobId::from_bytes(sha256(&[
                labels::BLOB,
                &stored_len.to_be_bytes(),
                header,
                &root,
            ]))),
            _ if self.leaves > wanted => Err(Error::TooLong),
            _ => Err(Error::Truncated),
        }
    }
}

impl Default for TreeHasher {
    fn default() -> Self {
        Self::new()
    }
}

fn inner(left: &Hash, right: &Hash) -> Hash {
    sha256(&[INNER, left, right])
}

/// The leaf of a chunk that comes in pieces.
#[derive(Clone)]
pub(super) struct LeafHasher {
    hashing: Hashing,
    filled: usize,
}

impl LeafHasher {
    pub fn new() -> Self {
        let mut hashing = Hashing::new();
        hashing.update(LEAF);
        Self { hashing, filled: 0 }
    }

    /// Whether the next byte is the first.
    pub const fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Takes bytes from the front of `bytes` until the leaf has `length`, and gives it then.
    pub fn feed(&mut self, bytes: &mut &[u8], length: usize) -> Option<Hash> {
        let room = length.saturating_sub(self.filled).min(bytes.len());
        let (front, rest) = bytes.split_at_checked(room).unwrap_or_default();
        self.hashing.update(front);
        self.filled = self.filled.saturating_add(room);
        *bytes = rest;
        (self.filled >= length).then(|| self.finish())
    }

    /// The leaf, as short as it is; the next one begins.
    pub fn finish(&mut self) -> Hash {
        core::mem::replace(self, Self::new()).hashing.finish()
    }
}

/// Finds the id of a blob from its bytes, which come in pieces of any length: what a server does with an upload.
///
/// ```
/// # use subrosa::file::{BlobId, Error};
/// # use subrosa::file::tree::BlobHasher;
/// # fn name(mut blob: &[u8], nodes: &mut Vec<[u8; 32]>) -> Result<BlobId, Error> {
/// let mut hasher = BlobHasher::new();
/// while let Some(completed) = hasher.feed(&mut blob)? {
///     nodes.extend_from_slice(completed);
/// }
/// let (id, completed) = hasher.finish()?;
/// nodes.extend_from_slice(completed);
/// # Ok(id)
/// # }
/// ```
#[derive(Clone)]
pub struct BlobHasher {
    header: [u8; HEADER],
    /// Bytes so far.
    length: u64,
    leaf: LeafHasher,
    tree: TreeHasher,
}

impl BlobHasher {
    /// In front of the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self {
            header: [0; HEADER],
            length: 0,
            leaf: LeafHasher::new(),
            tree: TreeHasher::new(),
        }
    }

    /// Takes bytes from the front of `blob` until a leaf is whole, and gives the nodes that it completes (see
    /// [`TreeHasher::push`]); or takes all of them.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn feed(&mut self, blob: &mut &[u8]) -> Result<Option<&[Hash]>, Error> {
        let before = blob.len();
        let free = usize::try_from(self.length).unwrap_or(HEADER);
        for to in self.header.iter_mut().skip(free) {
            let Some((first, rest)) = blob.split_first() else {
                break;
            };
            *to = *first;
            *blob = rest;
        }
        let leaf = self.leaf.feed(blob, SEALED_CHUNK);
        let taken = before.saturating_sub(blob.len());
        self.length = self.length.saturating_add(taken as u64);
        match leaf {
            Some(leaf) => self.tree.push(&leaf).map(Some),
            None => Ok(None),
        }
    }

    /// The blob has no further byte: its id, and the nodes that the last leaf completes.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::TooLong`]: no blob has this length.
    pub fn finish(&mut self) -> Result<(BlobId, &[Hash]), Error> {
        Shape::new(self.length)?;
        if !self.leaf.is_empty() {
            let leaf = self.leaf.finish();
            self.tree.push(&leaf)?;
        }
        let id = self.tree.id(&self.header, self.length)?;
        Ok((id, self.tree.completed()))
    }
}

impl Default for BlobHasher {
    fn default() -> Self {
        Self::new()
    }
}

//! What the length of a blob says about its tree.

use core::ops::Range;

use super::super::Error;
use super::super::chunk::{CHUNK_BITS, HEADER, SEALED_CHUNK, text_len};

/// How a blob of a certain length is cut into leaves: leaf k is its chunk k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    stored: u64,
    leaves: u64,
}

impl Shape {
    /// Of a blob of so many bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::TooLong`]: no blob has this length.
    pub const fn new(stored_len: u64) -> Result<Self, Error> {
        match text_len(stored_len) {
            Ok(text) => Ok(Self {
                stored: stored_len,
                leaves: (text >> CHUNK_BITS).saturating_add(1),
            }),
            Err(error) => Err(error),
        }
    }

    /// Bytes of the blob.
    #[must_use]
    pub const fn stored_len(&self) -> u64 {
        self.stored
    }

    /// How many leaves there are: at least one.
    #[must_use]
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Where leaves lie in the blob.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if there are no such leaves, or none is asked for.
    pub const fn place(&self, leaves: &Range<u64>) -> Result<Range<u64>, Error> {
        if leaves.start >= leaves.end || leaves.end > self.leaves {
            return Err(Error::OutOfRange);
        }
        Ok(Range {
            start: begin(leaves.start),
            end: if leaves.end < self.leaves {
                begin(leaves.end)
            } else {
                self.stored
            },
        })
    }
}

/// Where a leaf begins, if there is one.
const fn begin(leaf: u64) -> u64 {
    leaf.saturating_mul(SEALED_CHUNK as u64)
        .saturating_add(HEADER as u64)
}

//! Opening any piece of a file.

use core::fmt;
use core::ops::Range;

use super::Error;
use super::chunk::{CHUNK, CHUNK_BITS, Chunks, FileKey, HEADER, SEALED_CHUNK, text_len};
use super::open::begin;

/// The bits of a place in the text that are the place in its chunk.
const IN_CHUNK: u64 = CHUNK as u64 - 1;

/// Opens single chunks of a sealed file, in any order: what to fetch for a piece of the text, and the text of what was
/// fetched.
///
/// A chunk's tag says that it is this chunk of this file. How long the file is, only its last chunk says
/// ([`open_last`](Self::open_last)): until then a truncated file looks shorter, and nothing else.
pub struct Pieces {
    chunks: Chunks,
    text: u64,
}

impl Pieces {
    /// Of a file with these first [`HEADER`] bytes, and so many bytes in all.
    ///
    /// # Errors
    /// [`Error::Commitment`]; [`Error::Truncated`], [`Error::TooLong`] if no file has this length.
    pub fn new(
        key: &FileKey,
        context: &[u8],
        header: &[u8; HEADER],
        sealed_len: u64,
    ) -> Result<Self, Error> {
        let text = text_len(sealed_len)?;
        let chunks = begin(key, context, header)?;
        Ok(Self { chunks, text })
    }

    /// Bytes of the text, if the file is whole.
    #[must_use]
    pub const fn text_len(&self) -> u64 {
        self.text
    }

    /// How many chunks the file has, if it is whole: at least one.
    #[must_use]
    pub const fn chunks(&self) -> u64 {
        (self.text >> CHUNK_BITS).saturating_add(1)
    }

    /// The chunks that a piece of the text lies in: their numbers. The end of the text lies in the last one.
    #[must_use]
    pub const fn chunks_of(&self, text: &Range<u64>) -> Range<u64> {
        let first = text.start >> CHUNK_BITS;
        let end = text.end.div_ceil(CHUNK as u64);
        let chunks = self.chunks();
        Range {
            start: if first < chunks { first } else { chunks },
            end: if end < chunks { end } else { chunks },
        }
    }

    /// Where a chunk lies in the sealed file.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub const fn place(&self, number: u64) -> Result<Range<u64>, Error> {
        if number >= self.chunks() {
            return Err(Error::OutOfRange);
        }
        let start = number
            .saturating_mul(SEALED_CHUNK as u64)
            .saturating_add(HEADER as u64);
        Ok(Range {
            start,
            end: start.saturating_add(self.sealed(number)),
        })
    }

    /// Bytes of a sealed chunk.
    const fn sealed(&self, number: u64) -> u64 {
        if number.saturating_add(1) < self.chunks() {
            return SEALED_CHUNK as u64;
        }
        (self.text & IN_CHUNK).saturating_add((SEALED_CHUNK - CHUNK) as u64)
    }

    /// Opens a chunk in place and gives its text. Where it does not open, its text is all zero then.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], [`Error::Truncated`] if these are not as many bytes as the chunk has, [`Error::Chunk`].
    pub fn open<'a>(&self, number: u64, sealed: &'a mut [u8]) -> Result<&'a [u8], Error> {
        if number >= self.chunks() {
            return Err(Error::OutOfRange);
        }
        if u64::try_from(sealed.len()) != Ok(self.sealed(number)) {
            return Err(Error::Truncated);
        }
        self.chunks.open(number, sealed).map(|text| &*text)
    }

    /// Opens the last chunk: the file is as long as it says.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_last<'a>(&self, sealed: &'a mut [u8]) -> Result<&'a [u8], Error> {
        self.open(self.chunks().saturating_sub(1), sealed)
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces")
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

//! A blob, from its first byte to its last (SPEC §20.2).

use core::fmt;

use super::Error;
use super::blob::{Blob, BlobId, CONTEXT};
use super::open::Opener;
use super::tree::BlobHasher;
use crate::padding;

/// Opens a blob: takes its bytes in pieces of any length, gives out the text of chunks, and has memory for one.
///
/// What is given out was sealed with the blob's key, at this place. That it is the blob which the id names, and all of it,
/// [`finish`](Self::finish) says and nothing before: who must know at once checks the bytes with a
/// [`RangeVerifier`](super::tree::RangeVerifier) first. A refusal is for good.
pub struct BlobOpener {
    opener: Opener,
    hasher: BlobHasher,
    id: BlobId,
    /// Bytes of the text, and of the blob, that are still to come.
    text: u64,
    stored: u64,
    failed: Option<Error>,
}

impl BlobOpener {
    pub(super) fn new(blob: &Blob) -> Self {
        Self {
            opener: Opener::new(blob.key.duplicate(), CONTEXT),
            hasher: BlobHasher::new(),
            id: blob.id,
            text: blob.text_len(),
            stored: blob.stored_len(),
            failed: None,
        }
    }

    /// Takes bytes of the blob from the front of `stored` until a chunk is whole, and gives its text, of which there is none
    /// if all of it is padding; or takes all of them.
    ///
    /// # Errors
    /// [`Error::Commitment`], [`Error::Chunk`], [`Error::Padding`]; [`Error::Ended`] for bytes behind the end.
    pub fn feed(&mut self, stored: &mut &[u8]) -> Result<Option<&[u8]>, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let before = *stored;
        let opened = self.opener.feed(stored);
        let taken = before.len().saturating_sub(stored.len());
        let taken = before.get(..taken).unwrap_or_default();
        let counted = count(&mut self.hasher, &mut self.stored, taken);
        let text = counted.and(opened).and_then(|chunk| match chunk {
            Some(chunk) => cut(chunk, &mut self.text).map(Some),
            None => Ok(None),
        });
        self.failed = text.err();
        text
    }

    /// The blob has no further byte: gives the text of its last chunk, if it has any. The blob is the one that its id names,
    /// and whole.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::Chunk`], [`Error::Padding`], [`Error::Id`]; [`Error::Ended`] if it was finished
    /// before.
    pub fn finish(&mut self) -> Result<&[u8], Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let text = match (self.opener.finish(), self.stored) {
            (Ok(chunk), 0) => cut(chunk, &mut self.text),
            (Ok(_), _) => Err(Error::Truncated),
            (Err(error), _) => Err(error),
        };
        let id = self.hasher.finish().map(|(id, _)| id);
        let text = text.and_then(|text| match id? == self.id {
            true => Ok(text),
            false => Err(Error::Id),
        });
        self.failed = text.err().or(Some(Error::Ended));
        text
    }
}

/// Takes note of bytes of the blob.
fn count(hasher: &mut BlobHasher, left: &mut u64, mut taken: &[u8]) -> Result<(), Error> {
    *left = left.checked_sub(taken.len() as u64).ok_or(Error::Ended)?;
    while hasher.feed(&mut taken)?.is_some() {}
    Ok(())
}

/// The front of a chunk that is text; behind it, it is zero.
fn cut<'a>(chunk: &'a [u8], left: &mut u64) -> Result<&'a [u8], Error> {
    let length = usize::try_from(*left).unwrap_or(usize::MAX);
    let length = length.min(chunk.len());
    let (text, zeros) = chunk.split_at_checked(length).unwrap_or_default();
    padding::require_zeros(zeros).map_err(|_| Error::Padding)?;
    *left = left.saturating_sub(length as u64);
    Ok(text)
}

impl fmt::Debug for BlobOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobOpener")
            .field("id", &self.id)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

//! Blobs: each thread seals chunks and hashes them, and the calling one puts the leaves into the tree.

use core::num::NonZeroUsize;
use std::io::{self, Read};

use super::{seal_chunk, workers};
use crate::file::blob::{Blob, padded_len};
use crate::file::blob_sealer::{BlobSealer, SealedChunk};
use crate::file::chunk::CHUNK;
use crate::file::error::Error;
use crate::file::io::stream;
use crate::file::tree::{Hash, leaf_hash};

/// Seals what `text` gives, to its end, as the text of a blob, or as what is left of it, and gives each chunk to `give`, in their
/// order: what [`BlobSealer::feed`] and [`BlobSealer::finish`] would give. What has to be written down before a chunk leaves is
/// written by `give`.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use subrosa::file::{BlobSealer, MediaType, Record, parallel};
///
/// let threads = std::thread::available_parallelism()?;
/// let record = Record::new(MediaType::new("video/mp4")?, b"", &mut subrosa::os_rng())?;
/// let film = vec![7; 1_000_000];
/// let mut stored = Vec::new();
/// let blob = parallel::seal_blob(BlobSealer::new(record), &film[..], threads, |chunk| {
///     stored.extend_from_slice(chunk.header());
///     stored.extend_from_slice(chunk.bytes());
///     Ok(())
/// })?;
/// assert_eq!(blob.stored_len(), stored.len() as u64);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of `text`, once all chunks that were whole before are given, and those of `give`: a record that was exported resumes
/// the blob. In an [`io::Error`], those of [`BlobSealer::feed`].
pub fn seal_blob<L: ExactSizeIterator<Item = Hash>>(
    sealer: BlobSealer<L>,
    text: impl Read,
    threads: NonZeroUsize,
    mut give: impl FnMut(SealedChunk<'_>) -> io::Result<()>,
) -> io::Result<Blob> {
    let mut parts = sealer.into_parts()?;
    let mut text = Padded {
        text,
        length: parts.length,
        zeros: None,
    };
    // The keys come from the text of the first chunk.
    stream::fill(&mut parts.buffer, CHUNK, &mut text)?;
    let (begun, front) = parts.begin();
    let mut all = front.chain(&mut text);
    let first = begun.ledger.next();
    workers::run(
        threads,
        |row| row.fill(CHUNK, &mut all),
        |row| {
            row.each(|number, buffer| {
                seal_chunk(begun.chunks, number.saturating_add(first), buffer)?;
                Ok(leaf_hash(buffer.front(buffer.filled())))
            });
        },
        |row| {
            row.give(|chunk, leaf| {
                begun.ledger.enter(leaf)?;
                give(begun.ledger.last(begun.header, chunk)?)
            })
        },
    )?;
    Ok(begun.ledger.blob(begun.record, begun.header, text.length)?)
}

/// A text, and behind it the zeros that a blob hides its length with (SPEC §20.2).
struct Padded<R> {
    text: R,
    /// Bytes of the text so far.
    length: u64,
    /// How many zeros are left, once the text has ended.
    zeros: Option<u64>,
}

impl<R: Read> Read for Padded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let zeros = match self.zeros {
            Some(zeros) => zeros,
            None => {
                let count = stream::read(&mut self.text, into)?;
                self.length = self.length.saturating_add(count as u64);
                let padded = padded_len(self.length).ok_or(Error::TooLong)?;
                if count > 0 || into.is_empty() {
                    return Ok(count);
                }
                padded.saturating_sub(self.length)
            }
        };
        let most = usize::try_from(zeros).unwrap_or(usize::MAX);
        let count = into.len().min(most);
        into.get_mut(..count).unwrap_or_default().fill(0);
        self.zeros = Some(zeros.saturating_sub(count as u64));
        Ok(count)
    }
}

#[cfg(test)]
mod tests;

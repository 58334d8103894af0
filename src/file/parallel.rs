//! Sealing and opening with several threads, from one stream to another.
//!
//! The bytes are those of [`Sealer`](super::Sealer), [`Opener`](super::Opener) and [`BlobSealer`](super::BlobSealer), and so are
//! the refusals: what stands in front of the first chunk that is refused is given out, and nothing behind it. The calling thread
//! reads and writes, and is one of those that work. Each thread holds up to eight chunks, 131,200 bytes; files that are shorter
//! take fewer.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use subrosa::file::{FileKey, parallel};
//!
//! let threads = std::thread::available_parallelism()?;
//! let rng = &mut subrosa::os_rng();
//! let key = FileKey::generate(rng)?;
//! let film = vec![7; 1_000_000];
//! let mut sealed = Vec::new();
//! parallel::seal(&film[..], &mut sealed, &key, b"where it belongs", threads, rng)?;
//! let mut text = Vec::new();
//! parallel::open(&sealed[..], &mut text, &key, b"where it belongs", threads)?;
//! assert!(text == film);
//! # Ok(())
//! # }
//! ```

use core::num::NonZeroUsize;
use std::io::{self, Read, Write};

use super::buffer::Buffer;
use super::chunk::{CHUNK, Chunks, FileKey, HEADER, SALT, SEALED_CHUNK};
use super::io::stream;
use super::limits::CHUNKS_MAX;
use super::{Error, open as opener, seal as sealer};
use crate::crypto::TryCryptoRng;
use crate::crypto::aead::TAG;

mod blob;
mod workers;

pub use blob::seal_blob;

/// Seals what `text` gives, to its end, writes the file to `to`, and flushes it. `context` says where the file belongs: it is
/// opened with the same one only. Gives the length of the text.
///
/// # Errors
/// Those of the streams: what was written is a truncated file, and all is to be done again. [`Error::Rng`],
/// [`Error::TooLong`], in an [`io::Error`].
pub fn seal(
    text: impl Read,
    to: impl Write,
    key: &FileKey,
    context: &[u8],
    threads: NonZeroUsize,
    rng: &mut (impl TryCryptoRng + ?Sized),
) -> io::Result<u64> {
    seal_with_salt(text, to, key, context, threads, &sealer::salt(rng)?)
}

fn seal_with_salt(
    mut text: impl Read,
    mut to: impl Write,
    key: &FileKey,
    context: &[u8],
    threads: NonZeroUsize,
    salt: &[u8; SALT],
) -> io::Result<u64> {
    let (chunks, header) = sealer::begin(key, context, salt);
    stream::write_all(&mut to, &header)?;
    let mut length: u64 = 0;
    workers::run(
        threads,
        |row| {
            let filled = row.fill(CHUNK, &mut text);
            length = length.saturating_add(row.bytes());
            filled
        },
        |row| row.each(|number, buffer| seal_chunk(&chunks, number, buffer)),
        |row| row.write(&mut to),
    )?;
    stream::uninterrupted(|| to.flush())?;
    Ok(length)
}

fn seal_chunk(chunks: &Chunks, number: u64, buffer: &mut Buffer) -> Result<(), Error> {
    // SPEC §20.1-R5: the last chunk, which is shorter, needs a number, too.
    if buffer.filled() == CHUNK && number >= CHUNKS_MAX - 1 {
        return Err(Error::TooLong);
    }
    let length = buffer.take_filled().saturating_add(TAG);
    chunks.seal(number, buffer.front_mut(length))?;
    buffer.add(length);
    Ok(())
}

/// Opens what `sealed` gives, to its end, writes the text to `to`, and flushes it. Gives the length of the text.
///
/// # Errors
/// Those of the streams; in an [`io::Error`], [`Error::Commitment`], before anything was written, [`Error::Chunk`],
/// [`Error::Truncated`], [`Error::TooLong`]: what was written is genuine, and not the whole text.
pub fn open(
    mut sealed: impl Read,
    mut to: impl Write,
    key: &FileKey,
    context: &[u8],
    threads: NonZeroUsize,
) -> io::Result<u64> {
    let mut header = Buffer::new();
    if !stream::fill(&mut header, HEADER, &mut sealed)? {
        return Err(Error::Truncated.into());
    }
    let chunks = opener::begin(key, context, header.front(HEADER))?;
    drop(header);
    let mut length: u64 = 0;
    workers::run(
        threads,
        |row| row.fill(SEALED_CHUNK, &mut sealed),
        |row| row.each(|number, buffer| open_chunk(&chunks, number, buffer)),
        |row| {
            length = length.saturating_add(row.bytes());
            row.write(&mut to)
        },
    )?;
    stream::uninterrupted(|| to.flush())?;
    Ok(length)
}

fn open_chunk(chunks: &Chunks, number: u64, buffer: &mut Buffer) -> Result<(), Error> {
    let length = buffer.take_filled();
    let text = chunks.open(number, buffer.front_mut(length))?.len();
    buffer.add(text);
    Ok(())
}

#[cfg(test)]
mod tests;

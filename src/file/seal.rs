//! Sealing a file, from its first byte to its last.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroize;

use super::Error;
use super::chunk::{CHUNK, Chunks, FileKey, HEADER, SALT, SEALED_CHUNK};
use crate::crypto::aead::TAG;
use crate::crypto::{TryCryptoRng, hedge};
use crate::memory;

/// Seals a file: takes its text in pieces of any length, gives out sealed chunks, and has memory for one.
///
/// ```
/// # use subrosa::file::{FileKey, Sealer};
/// # fn main() -> Result<(), subrosa::file::Error> {
/// let rng = &mut subrosa::os_rng();
/// let key = FileKey::generate(rng)?;
/// let (mut sealer, header) = Sealer::new(&key, b"where it belongs", rng)?;
/// let mut sealed = header.to_vec();
/// let mut text: &[u8] = &[0; 40_000];
/// while let Some(chunk) = sealer.feed(&mut text)? {
///     sealed.extend_from_slice(chunk);
/// }
/// sealed.extend_from_slice(sealer.finish()?);
/// # Ok(())
/// # }
/// ```
pub struct Sealer {
    chunks: Chunks,
    /// The number of the next chunk.
    next: u64,
    /// The text of the next chunk as far as it is there, or the chunk that was given out last.
    buffer: Vec<u8>,
    /// Bytes of text in the buffer.
    filled: usize,
    /// No further text is taken.
    ended: bool,
}

impl Sealer {
    /// Begins a file, and gives its first [`HEADER`] bytes. `context` says where the file belongs: it is opened with the
    /// same one only.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn new(
        key: &FileKey,
        context: &[u8],
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Self, [u8; HEADER]), Error> {
        let random = hedge::fresh(rng)?;
        let mut salt = [0; SALT];
        for (to, from) in salt.iter_mut().zip(random.expose()) {
            *to = *from;
        }
        Ok(Self::with_salt(key, context, &salt))
    }

    /// The same with a salt that the caller has drawn, and that no other file has under this key.
    pub(crate) fn with_salt(
        key: &FileKey,
        context: &[u8],
        salt: &[u8; SALT],
    ) -> (Self, [u8; HEADER]) {
        let (chunks, commitment) = Chunks::derive(key, context, salt);
        let mut header = [0; HEADER];
        let bytes = salt.iter().chain(commitment.expose());
        for (to, from) in header.iter_mut().zip(bytes) {
            *to = *from;
        }
        let mut buffer = memory::with_capacity(SEALED_CHUNK);
        memory::lengthen(&mut buffer, SEALED_CHUNK);
        let sealer = Self {
            chunks,
            next: 0,
            buffer,
            filled: 0,
            ended: false,
        };
        (sealer, header)
    }

    /// Goes on with this number: nobody seals 4 PiB in a test.
    #[cfg(test)]
    pub(super) const fn set_next(&mut self, number: u64) {
        self.next = number;
    }

    /// Takes text from the front of `text` until a chunk is whole, and gives the chunk; or takes all of it.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Ended`]: nothing was taken.
    pub fn feed(&mut self, text: &mut &[u8]) -> Result<Option<&[u8]>, Error> {
        if self.ended {
            return Err(Error::Ended);
        }
        let room = CHUNK.saturating_sub(self.filled).min(text.len());
        let (front, rest) = text.split_at_checked(room).unwrap_or_default();
        if self.filled.saturating_add(room) == CHUNK && self.next >= super::limits::CHUNKS_MAX - 1 {
            return Err(Error::TooLong);
        }
        let end = self.filled.saturating_add(room);
        if let Some(free) = self.buffer.get_mut(self.filled..end) {
            free.copy_from_slice(front);
        }
        self.filled = end;
        *text = rest;
        if self.filled < CHUNK {
            return Ok(None);
        }
        self.seal().map(Some)
    }

    /// Seals what is in the buffer as the next chunk.
    fn seal(&mut self) -> Result<&[u8], Error> {
        let filled = core::mem::take(&mut self.filled);
        let sealed = self.buffer.get_mut(..filled.saturating_add(TAG));
        let (text, tag) = sealed
            .and_then(|sealed| sealed.split_last_chunk_mut::<TAG>())
            .ok_or(Error::Ended)?;
        *tag = self.chunks.seal(self.next, text)?;
        self.next = self.next.saturating_add(1);
        Ok(self
            .buffer
            .get(..filled.saturating_add(TAG))
            .unwrap_or_default())
    }

    /// Ends the file, and gives its last chunk.
    ///
    /// # Errors
    /// [`Error::Ended`].
    pub fn finish(&mut self) -> Result<&[u8], Error> {
        if self.ended {
            return Err(Error::Ended);
        }
        self.ended = true;
        self.seal()
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("next", &self.next)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

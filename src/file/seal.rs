//! Sealing a file, from its first byte to its last.

use core::fmt;

use super::Error;
use super::buffer::Buffer;
use super::chunk::{CHUNK, Chunks, FileKey, HEADER, SALT, SEALED_CHUNK};
use crate::crypto::aead::TAG;
use crate::crypto::{TryCryptoRng, hedge};

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
    buffer: Buffer,
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
        Ok(Self::with_salt(key, context, &salt(rng)?))
    }

    /// The same with a salt that the caller has drawn, and that no other file has under this key.
    pub(crate) fn with_salt(
        key: &FileKey,
        context: &[u8],
        salt: &[u8; SALT],
    ) -> (Self, [u8; HEADER]) {
        let (chunks, header) = begin(key, context, salt);
        let sealer = Self {
            chunks,
            next: 0,
            buffer: Buffer::new(),
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
        let filled = self.buffer.filled();
        let whole = filled.saturating_add(self.buffer.room(CHUNK, text)) == CHUNK;
        // The last chunk, which is shorter, needs a number, too.
        if whole && self.next >= super::limits::CHUNKS_MAX - 1 {
            return Err(Error::TooLong);
        }
        // A chunk that lies there in one piece is sealed from where it is: a copy costs a tenth of that.
        if filled == 0
            && let Some((chunk, rest)) = text.split_at_checked(CHUNK)
        {
            *text = rest;
            return self.seal_from(chunk).map(Some);
        }
        if !self.buffer.fill(text, CHUNK) {
            return Ok(None);
        }
        self.seal().map(Some)
    }

    /// Seals `text` as the next chunk.
    fn seal_from(&mut self, text: &[u8]) -> Result<&[u8], Error> {
        let chunk = self.buffer.front_mut(SEALED_CHUNK);
        self.chunks.seal_into(self.next, text, chunk)?;
        self.next = self.next.saturating_add(1);
        Ok(self.buffer.front(SEALED_CHUNK))
    }

    /// The chunk that was given out last, which has this length, as long as no text was taken since.
    #[cfg(feature = "std")]
    pub(super) fn given(&self, length: usize) -> &[u8] {
        self.buffer.front(length)
    }

    /// Seals what is in the buffer as the next chunk.
    fn seal(&mut self) -> Result<&[u8], Error> {
        let length = self.buffer.take_filled().saturating_add(TAG);
        let chunk = self.buffer.front_mut(length);
        self.chunks.seal(self.next, chunk)?;
        self.next = self.next.saturating_add(1);
        Ok(self.buffer.front(length))
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

/// A salt that no other file has.
pub(super) fn salt(rng: &mut (impl TryCryptoRng + ?Sized)) -> Result<[u8; SALT], Error> {
    let random = hedge::fresh(rng)?;
    let mut salt = [0; SALT];
    for (to, from) in salt.iter_mut().zip(random.expose()) {
        *to = *from;
    }
    Ok(salt)
}

/// The keys of a file, and its header, which commits to them.
pub(super) fn begin(key: &FileKey, context: &[u8], salt: &[u8; SALT]) -> (Chunks, [u8; HEADER]) {
    let (chunks, commitment) = Chunks::derive(key, context, salt);
    let mut header = [0; HEADER];
    let bytes = salt.iter().chain(commitment.expose());
    for (to, from) in header.iter_mut().zip(bytes) {
        *to = *from;
    }
    (chunks, header)
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("next", &self.next)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

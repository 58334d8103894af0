//! Opening a file, from its first byte to its last.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::Error;
use super::buffer::Buffer;
use super::chunk::{CHUNK, Chunks, FileKey, HEADER, SALT, SEALED_CHUNK};
use crate::crypto::Secret;
use crate::memory;

/// Opens a file: takes its bytes in pieces of any length, gives out the text of chunks, and has memory for one.
///
/// Nothing is given out that a chunk's tag has not vouched for. Whether the file is whole, [`finish`](Self::finish) says,
/// and nothing before. A refusal is for good.
///
/// ```
/// # use subrosa::file::{Error, FileKey, Opener};
/// # fn read(key: FileKey, mut sealed: &[u8]) -> Result<Vec<u8>, Error> {
/// let mut opener = Opener::new(key, b"where it belongs");
/// let mut text = Vec::new();
/// while let Some(chunk) = opener.feed(&mut sealed)? {
///     text.extend_from_slice(chunk);
/// }
/// text.extend_from_slice(opener.finish()?);
/// # Ok(text)
/// # }
/// ```
pub struct Opener {
    state: State,
    /// The bytes of the next chunk, or of the header, as far as they are there.
    buffer: Buffer,
}

enum State {
    /// In the header.
    Header { key: FileKey, context: Vec<u8> },
    /// In front of the chunk with this number.
    Chunks { chunks: Box<Chunks>, next: u64 },
    /// At the end.
    Ended,
    /// Refused.
    Failed(Error),
}

impl Opener {
    /// Begins to open a file.
    #[must_use]
    pub fn new(key: FileKey, context: &[u8]) -> Self {
        let context = memory::copied(context);
        Self {
            state: State::Header { key, context },
            buffer: Buffer::new(),
        }
    }

    /// Takes bytes of the file from the front of `sealed` until a chunk is whole, and gives its text; or takes all of them.
    ///
    /// # Errors
    /// [`Error::Commitment`], [`Error::Chunk`], [`Error::TooLong`]; [`Error::Ended`] for bytes behind the end.
    pub fn feed(&mut self, sealed: &mut &[u8]) -> Result<Option<&[u8]>, Error> {
        if let State::Header { .. } = &self.state {
            if !self.buffer.fill(sealed, HEADER) {
                return Ok(None);
            }
            self.begin()?;
        }
        match &self.state {
            State::Failed(error) => return Err(*error),
            State::Ended => return Err(self.fail(Error::Ended)),
            _ => {}
        }
        // A chunk that lies there in one piece is opened from where it is: a copy costs a tenth of that.
        if self.buffer.filled() == 0
            && let Some((chunk, rest)) = sealed.split_at_checked(SEALED_CHUNK)
        {
            *sealed = rest;
            return self.open_from(chunk).map(Some);
        }
        if !self.buffer.fill(sealed, SEALED_CHUNK) {
            return Ok(None);
        }
        self.open().map(Some)
    }

    /// Where the next bytes of the file go, for whoever can put them there; never nothing.
    #[cfg(feature = "std")]
    pub(super) fn free(&mut self) -> Result<&mut [u8], Error> {
        match &self.state {
            State::Header { .. } => Ok(self.buffer.free(HEADER)),
            State::Chunks { .. } => Ok(self.buffer.free(SEALED_CHUNK)),
            State::Ended => Err(self.fail(Error::Ended)),
            State::Failed(error) => Err(*error),
        }
    }

    /// So many bytes were put in front of what was [`free`](Self::free): the length of the text of a chunk, if that makes
    /// one whole.
    #[cfg(feature = "std")]
    pub(super) fn add(&mut self, more: usize) -> Result<Option<usize>, Error> {
        self.buffer.add(more);
        match &self.state {
            State::Header { .. } if self.buffer.filled() >= HEADER => {
                self.begin()?;
                Ok(None)
            }
            State::Chunks { .. } if self.buffer.filled() >= SEALED_CHUNK => {
                self.open().map(|text| Some(text.len()))
            }
            _ => Ok(None),
        }
    }

    /// The text that was given out last, which has this length, as long as no byte was taken since.
    #[cfg(feature = "std")]
    pub(super) fn given(&self, length: usize) -> &[u8] {
        self.buffer.front(length)
    }

    /// Checks the header, which is whole.
    fn begin(&mut self) -> Result<(), Error> {
        let State::Header { key, context } = &self.state else {
            return Ok(());
        };
        let begun = begin(key, context, self.buffer.front(HEADER));
        self.buffer.take_filled();
        match begun {
            Ok(chunks) => {
                let chunks = Box::new(chunks);
                self.state = State::Chunks { chunks, next: 0 };
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Opens the chunk that is in the buffer.
    fn open(&mut self) -> Result<&[u8], Error> {
        let length = self.buffer.take_filled();
        let State::Chunks { chunks, next } = &mut self.state else {
            return Err(Error::Ended);
        };
        match chunks.open(*next, self.buffer.front_mut(length)) {
            Ok(text) => {
                *next = next.saturating_add(1);
                Ok(text)
            }
            Err(error) => {
                self.state = State::Failed(error);
                Err(error)
            }
        }
    }

    /// Opens a whole chunk that is not in the buffer.
    fn open_from(&mut self, chunk: &[u8]) -> Result<&[u8], Error> {
        let State::Chunks { chunks, next } = &mut self.state else {
            return Err(Error::Ended);
        };
        match chunks.open_into(*next, chunk, self.buffer.front_mut(CHUNK)) {
            Ok(()) => {
                *next = next.saturating_add(1);
                Ok(self.buffer.front(CHUNK))
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        self.state = State::Failed(error);
        error
    }

    /// The file has no further byte: gives the text of its last chunk, which may be empty. The file is whole.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::Chunk`]; [`Error::Ended`] if it was finished before.
    pub fn finish(&mut self) -> Result<&[u8], Error> {
        match &self.state {
            State::Failed(error) => return Err(*error),
            State::Header { .. } => return Err(self.fail(Error::Truncated)),
            State::Ended => return Err(self.fail(Error::Ended)),
            State::Chunks { .. } => {}
        }
        let text = self.open()?.len();
        self.state = State::Ended;
        Ok(self.buffer.front(text))
    }
}

/// The keys of a file, if its header commits to them.
pub(super) fn begin(key: &FileKey, context: &[u8], header: &[u8]) -> Result<Chunks, Error> {
    let (salt, committed) = header.split_first_chunk::<SALT>().ok_or(Error::Truncated)?;
    let (chunks, commitment) = Chunks::derive(key, context, salt);
    let committed: &[u8; 32] = committed.try_into().map_err(|_| Error::Truncated)?;
    if Secret::new(*committed) != commitment {
        return Err(Error::Commitment);
    }
    Ok(chunks)
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Header { .. } => "in the header",
            State::Chunks { .. } => "in the chunks",
            State::Ended => "at the end",
            State::Failed(_) => "refused",
        };
        f.debug_struct("Opener")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

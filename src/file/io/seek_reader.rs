//! Reading what was opened, at any place.

use core::fmt;
use std::io::{self, BufRead, Read, Seek, SeekFrom};

use super::stream;
use crate::file::buffer::Buffer;
use crate::file::chunk::CHUNK_BITS;
use crate::file::{Error, FileKey, HEADER, Pieces};

/// Opens the chunks of `R` that the text asked for lies in, and no others. Memory for one chunk.
///
/// What it gives out is genuine. Where the text ends, only the last chunk says (SPEC §20.1-R6): it is opened before
/// anything that depends on it, and a truncated file is refused there. A refusal is for good; after an error of `R` it
/// can be read on.
pub struct SeekReader<R> {
    inner: R,
    pieces: Pieces,
    /// The text of the chunk that was opened last.
    buffer: Buffer,
    held: Option<Held>,
    /// Where the next byte is read.
    position: u64,
    /// The last chunk was opened: the text is as long as the length of the file says.
    whole: bool,
    refused: Option<Error>,
}

#[derive(Clone, Copy)]
struct Held {
    number: u64,
    length: usize,
}

impl<R: Read + Seek> SeekReader<R> {
    /// Opens a file that begins at place 0 of `R` and ends where `R` does, and reads its first [`HEADER`] bytes.
    ///
    /// # Errors
    /// Those of `R`; [`Error::Commitment`], [`Error::Truncated`], [`Error::TooLong`], in an [`io::Error`].
    pub fn new(mut inner: R, key: &FileKey, context: &[u8]) -> io::Result<Self> {
        let length = stream::uninterrupted(|| inner.seek(SeekFrom::End(0)))?;
        stream::uninterrupted(|| inner.seek(SeekFrom::Start(0)))?;
        let mut buffer = Buffer::new();
        if !stream::fill(&mut buffer, HEADER, &mut inner)? {
            return Err(Error::Truncated.into());
        }
        let header = buffer.front(HEADER).first_chunk();
        let pieces = Pieces::new(key, context, header.ok_or(Error::Truncated)?, length)?;
        Ok(Self {
            inner,
            pieces,
            buffer,
            held: None,
            position: 0,
            whole: false,
            refused: None,
        })
    }

    /// Bytes of the text; opens the last chunk if that was not done before.
    ///
    /// # Errors
    /// Those of `R`; [`Error::Truncated`], [`Error::Chunk`], in an [`io::Error`].
    pub fn text_len(&mut self) -> io::Result<u64> {
        self.allowed()?;
        if !self.whole {
            self.chunk(self.last())?;
        }
        Ok(self.pieces.text_len())
    }

    /// Reads the text from `offset` on, until `into` is full or the text ends; how many bytes that is. Where
    /// [`read`](Read::read) goes on stays as it was.
    ///
    /// # Errors
    /// Those of `R`; [`Error::Truncated`], [`Error::Chunk`], in an [`io::Error`].
    pub fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.allowed()?;
        let (mut offset, mut rest) = (offset, into);
        let mut total: usize = 0;
        while !rest.is_empty() {
            let count = self.text_at(offset)?.read(rest)?;
            if count == 0 {
                break;
            }
            rest = rest.split_at_mut_checked(count).unwrap_or_default().1;
            total = total.saturating_add(count);
            offset = offset.saturating_add(count as u64);
        }
        Ok(total)
    }

    /// Gives back what was read from, at whatever place it is.
    pub fn into_inner(self) -> R {
        self.inner
    }

    fn allowed(&self) -> Result<(), Error> {
        self.refused.map_or(Ok(()), Err)
    }

    const fn last(&self) -> u64 {
        self.pieces.chunks().saturating_sub(1)
    }

    /// The text from `offset` to the end of its chunk; nothing behind the end, which was then shown to be the end.
    fn text_at(&mut self, offset: u64) -> io::Result<&[u8]> {
        let number = (offset >> CHUNK_BITS).min(self.last());
        let skipped = offset.saturating_sub(number << CHUNK_BITS);
        let text = self.chunk(number)?;
        let text = usize::try_from(skipped).ok().and_then(|at| text.get(at..));
        Ok(text.unwrap_or_default())
    }

    /// The text of a chunk.
    fn chunk(&mut self, number: u64) -> io::Result<&[u8]> {
        self.allowed()?;
        let length = match self.held {
            Some(held) if held.number == number => held.length,
            _ => self.fetch(number)?,
        };
        Ok(self.buffer.front(length))
    }

    /// Reads and opens a chunk; the length of its text.
    fn fetch(&mut self, number: u64) -> io::Result<usize> {
        let place = self.pieces.place(number)?;
        let sealed = usize::try_from(place.end.saturating_sub(place.start));
        let sealed = sealed.map_err(|_| Error::OutOfRange)?;
        self.held = None;
        self.buffer.take_filled();
        stream::uninterrupted(|| self.inner.seek(SeekFrom::Start(place.start)))?;
        let opened = if stream::fill(&mut self.buffer, sealed, &mut self.inner)? {
            self.pieces.open(number, self.buffer.front_mut(sealed))
        } else {
            Err(Error::Truncated)
        };
        match opened.map(<[u8]>::len) {
            Ok(length) => {
                self.held = Some(Held { number, length });
                self.whole |= number == self.last();
                Ok(length)
            }
            Err(error) => {
                self.refused = Some(error);
                Err(error.into())
            }
        }
    }
}

impl<R: Read + Seek> BufRead for SeekReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.text_at(self.position)
    }

    fn consume(&mut self, count: usize) {
        self.position = self.position.saturating_add(count as u64);
    }
}

impl<R: Read + Seek> Read for SeekReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for SeekReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.allowed()?;
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.text_len()?.checked_add_signed(by),
        };
        self.position = position.ok_or(Error::OutOfRange)?;
        Ok(self.position)
    }
}

impl<R> fmt::Debug for SeekReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeekReader")
            .field("pieces", &self.pieces)
            .field("position", &self.position)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

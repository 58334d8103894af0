//! Reading what was opened, from the first byte to the last.

use core::fmt;
use core::ops::Range;
use std::io::{self, BufRead, Read};

use super::stream;
use crate::file::{FileKey, Opener};

/// Opens what it reads from `R`, and gives out the text. Memory for one chunk.
///
/// What it has given out is genuine. That it was the whole text, the end says: 0 bytes, and no error. A refusal is for
/// good; after an error of `R` it can be read on.
pub struct Reader<R> {
    inner: R,
    opener: Opener,
    /// The part of the text that was opened last and was not read yet.
    left: Range<usize>,
    /// All text was opened.
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Begins to open a file. Nothing is read yet.
    pub fn new(inner: R, key: FileKey, context: &[u8]) -> Self {
        Self {
            inner,
            opener: Opener::new(key, context),
            left: 0..0,
            ended: false,
        }
    }

    /// Gives back what was read from, at whatever place it is.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

/// The text chunk by chunk, without a copy.
impl<R: Read> BufRead for Reader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.left.is_empty() && !self.ended {
            let count = stream::read(&mut self.inner, self.opener.free()?)?;
            let opened = if count == 0 {
                let last = self.opener.finish()?.len();
                self.ended = true;
                Some(last)
            } else {
                self.opener.add(count)?
            };
            self.left = 0..opened.unwrap_or(0);
        }
        let text = self.opener.given(self.left.end);
        Ok(text.get(self.left.clone()).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        let start = self.left.start.saturating_add(count);
        self.left.start = start.min(self.left.end);
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("opener", &self.opener)
            .finish_non_exhaustive()
    }
}

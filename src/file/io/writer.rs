//! Sealing what is written.

use core::fmt;
use core::ops::Range;
use std::io::{self, Write};

use super::stream;
use crate::crypto::TryCryptoRng;
use crate::file::{FileKey, HEADER, Sealer};

/// Seals what is written to it, and writes that to `W`. Memory for one chunk.
///
/// The file ends with [`finish`](Self::finish). One that was dropped before is truncated, and whoever opens it is told so.
pub struct Writer<W> {
    inner: W,
    sealer: Sealer,
    header: [u8; HEADER],
    /// What has to be written before more can be sealed.
    sealed: Sealed,
    /// The part of it that was not written yet.
    left: Range<usize>,
    /// The last chunk is sealed.
    ended: bool,
}

enum Sealed {
    Header,
    /// The chunk that the sealer gave out last.
    Chunk,
}

impl<W: Write> Writer<W> {
    /// Begins a file. `context` says where it belongs: it is opened with the same one only. Nothing is written yet.
    ///
    /// # Errors
    /// [`Error::Rng`](crate::file::Error::Rng), in an [`io::Error`].
    pub fn new(
        inner: W,
        key: &FileKey,
        context: &[u8],
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> io::Result<Self> {
        Ok(Self::begun(inner, Sealer::new(key, context, rng)?))
    }

    /// Goes on with a file that was begun, and has no text yet.
    pub(super) fn begun(inner: W, (sealer, header): (Sealer, [u8; HEADER])) -> Self {
        Self {
            inner,
            sealer,
            header,
            sealed: Sealed::Header,
            left: 0..HEADER,
            ended: false,
        }
    }

    /// What is written to.
    pub const fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Ends the file and gives back what was written to, flushed.
    ///
    /// # Errors
    /// Those of `W`. Whoever wants to repeat what failed calls [`try_finish`](Self::try_finish) first.
    pub fn finish(mut self) -> io::Result<W> {
        self.try_finish()?;
        Ok(self.inner)
    }

    /// Ends the file. After an error it can be called again, and after a success, too.
    ///
    /// # Errors
    /// Those of `W`.
    pub fn try_finish(&mut self) -> io::Result<()> {
        self.write_sealed()?;
        if !self.ended {
            let length = self.sealer.finish()?.len();
            self.ended = true;
            self.has_sealed(length);
        }
        self.flush()
    }

    fn has_sealed(&mut self, length: usize) {
        self.sealed = Sealed::Chunk;
        self.left = 0..length;
    }

    /// Writes what is left of what was sealed.
    fn write_sealed(&mut self) -> io::Result<()> {
        while !self.left.is_empty() {
            let bytes = match self.sealed {
                Sealed::Header => &self.header,
                Sealed::Chunk => self.sealer.given(self.left.end),
            };
            let left = bytes.get(self.left.clone()).unwrap_or_default();
            let count = stream::write(&mut self.inner, left)?;
            self.left.start = self.left.start.saturating_add(count);
        }
        Ok(())
    }
}

/// On an error nothing of the text was accepted. What was accepted is written with a later call, whole chunks at a time.
impl<W: Write> Write for Writer<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.write_sealed()?;
        let mut rest = text;
        if let Some(length) = self.sealer.feed(&mut rest)?.map(<[u8]>::len) {
            self.has_sealed(length);
        }
        Ok(text.len().saturating_sub(rest.len()))
    }

    /// Writes the chunks that are whole: one that is not stays where it is, or the file would end with it.
    fn flush(&mut self) -> io::Result<()> {
        self.write_sealed()?;
        stream::uninterrupted(|| self.inner.flush())
    }
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("sealer", &self.sealer)
            .finish_non_exhaustive()
    }
}

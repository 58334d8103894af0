//! Reading a sealed file at any place.

use alloc::vec::Vec;
use core::ffi::c_void;

use subrosa::file::{CHUNK, Error, HEADER, Pieces, SEALED_CHUNK};
use zeroize::Zeroizing;

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::{Status, subrosa_status};

use super::opener::file_key;

/// Where the bytes of a sealed file lie.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_source {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// What `read` is called with.
    pub context: *mut c_void,
    /// Copies bytes and returns 0.
    pub read: Option<
        unsafe extern "C" fn(context: *mut c_void, offset: u64, out: *mut u8, len: usize) -> i32,
    >,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_source {}

/// The functions of a source.
struct Source {
    context: *mut c_void,
    read: unsafe extern "C" fn(context: *mut c_void, offset: u64, out: *mut u8, len: usize) -> i32,
}

// SAFETY: a reader calls it during its own calls only, one at a time; the header says that they may come from any thread.
unsafe impl Send for Source {}
// SAFETY: nothing is done with a shared source.
unsafe impl Sync for Source {}

impl Source {
    fn new(source: &subrosa_source) -> Result<Self, Status> {
        Ok(Self {
            context: source.context,
            read: source.read.ok_or(Status::ARGUMENT)?,
        })
    }

    /// Fills `out` with the bytes from `offset` on.
    fn fill(&self, offset: u64, out: &mut [u8]) -> Result<(), Status> {
        // SAFETY: `out` may be written; the rest is the promise of who made the structure.
        let status = unsafe { (self.read)(self.context, offset, out.as_mut_ptr(), out.len()) };
        match status {
            0 => Ok(()),
            _ => Err(Status::SOURCE),
        }
    }
}

/// A sealed file that is read at any place. Memory for one chunk.
pub struct subrosa_reader {
    source: Source,
    pieces: Pieces,
    /// The text of the chunk that was opened last, whose number and length stand in `held`.
    chunk: Zeroizing<Vec<u8>>,
    held: Option<(u64, usize)>,
    /// The last chunk was opened: the text is as long as the length of the file says.
    whole: bool,
    refused: Option<Error>,
}

impl Object for subrosa_reader {
    const KIND: usize = 11;
}

impl subrosa_reader {
    const fn last(&self) -> u64 {
        self.pieces.chunks().saturating_sub(1)
    }

    /// The text from `offset` to the end of its chunk; nothing behind the end, which was then shown to be the end.
    fn text_at(&mut self, offset: u64) -> Result<&[u8], Status> {
        const BITS: u32 = CHUNK.ilog2();
        let number = (offset >> BITS).min(self.last());
        let skipped = offset.saturating_sub(number << BITS);
        let text = self.chunk(number)?;
        let text = usize::try_from(skipped).ok().and_then(|at| text.get(at..));
        Ok(text.unwrap_or_default())
    }

    /// The text of a chunk.
    fn chunk(&mut self, number: u64) -> Result<&[u8], Status> {
        if let Some(error) = self.refused {
            return Err(error.into());
        }
        let length = match self.held {
            Some((held, length)) if held == number => length,
            _ => self.fetch(number)?,
        };
        Ok(self.chunk.get(..length).unwrap_or_default())
    }

    /// Reads and opens a chunk; the length of its text.
    fn fetch(&mut self, number: u64) -> Result<usize, Status> {
        let place = self.pieces.place(number)?;
        let length = usize::try_from(place.end.saturating_sub(place.start));
        let room = length.ok().and_then(|length| self.chunk.get_mut(..length));
        let sealed = room.ok_or(Status::INTERNAL)?;
        self.held = None;
        self.source.fill(place.start, sealed)?;
        match self.pieces.open(number, sealed).map(<[u8]>::len) {
            Ok(length) => {
                self.held = Some((number, length));
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

/// Begins to read a sealed file.
///
/// # Safety
/// As the [crate](crate#safety); the function keeps what the header says of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_reader_open(
    source: *const subrosa_source,
    sealed_len: u64,
    key: *const u8,
    context: *const u8,
    len: usize,
    reader: *mut *mut subrosa_reader,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(reader) }?;
        // SAFETY: the caller's promise.
        let source = unsafe { args::structure(source) }?;
        let source = Source::new(&source)?;
        // SAFETY: the caller's promise.
        let key = unsafe { file_key(key) }?;
        // SAFETY: the caller's promise.
        let context = unsafe { args::list(context, len) }?;
        let reserved = handle::reserve()?;
        // No file has another length: nothing is read of it then.
        subrosa::file::text_len(sealed_len)?;
        let mut header = [0; HEADER];
        source.fill(0, &mut header)?;
        let pieces = Pieces::new(&key, context, &header, sealed_len)?;
        let mut chunk = Zeroizing::new(Vec::new());
        chunk.resize(SEALED_CHUNK, 0);
        to.write(reserved.fill(subrosa_reader {
            source,
            pieces,
            chunk,
            held: None,
            whole: false,
            refused: None,
        }));
        Ok(())
    })
}

/// Bytes of the text.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_reader_len(
    reader: *mut subrosa_reader,
    len: *mut u64,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(len) }?;
        let mut reader = handle::exclusive(reader)?;
        if !reader.whole {
            let last = reader.last();
            reader.chunk(last)?;
        }
        to.write(reader.pieces.text_len());
        Ok(())
    })
}

/// Reads the text at a place.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_reader_read(
    reader: *mut subrosa_reader,
    offset: u64,
    text: *mut u8,
    len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let mut buffer = unsafe { args::buffer(text, len) }?;
        let mut reader = handle::exclusive(reader)?;
        let mut filled: usize = 0;
        while filled < buffer.room() {
            let at = offset.saturating_add(filled as u64);
            match reader.text_at(at) {
                Ok([]) => break,
                Ok(text) => filled = buffer.put(filled, text),
                Err(status) => {
                    buffer.clear(filled);
                    return Err(status);
                }
            }
        }
        buffer.end(filled);
        Ok(())
    })
}

/// Frees a reader.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_reader_free(reader: *mut subrosa_reader) -> subrosa_status {
    call(|| handle::free(reader))
}

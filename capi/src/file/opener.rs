//! Opening, from the first byte to the last.

use alloc::boxed::Box;

use subrosa::crypto::Secret;
use subrosa::file::{BlobOpener, Error, FileKey, Opener};

use crate::args;
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::subrosa_status;

use super::SUBROSA_OPEN_ROOM;
use super::blob::subrosa_blob;

/// Something that is being opened.
pub struct subrosa_opener(Opening);

/// As what.
enum Opening {
    File(Opener),
    Blob(Box<BlobOpener>),
}

impl Object for subrosa_opener {
    const KIND: usize = 10;
}

impl Opening {
    fn push(&mut self, sealed: &mut &[u8]) -> Result<&[u8], Error> {
        let text = match self {
            Self::File(opener) => opener.feed(sealed),
            Self::Blob(opener) => opener.feed(sealed),
        };
        text.map(Option::unwrap_or_default)
    }

    fn finish(&mut self) -> Result<&[u8], Error> {
        match self {
            Self::File(opener) => opener.finish(),
            Self::Blob(opener) => opener.finish(),
        }
    }
}

/// The key whose bytes are at `key`.
///
/// # Safety
/// As the [crate](crate#safety).
pub(super) unsafe fn file_key(key: *const u8) -> Result<FileKey, crate::status::Status> {
    // SAFETY: the caller's promise.
    let key = unsafe { args::array(key) }?;
    Ok(FileKey::from_bytes(Secret::new(*key)))
}

/// Begins to open a sealed file.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_opener_file(
    key: *const u8,
    context: *const u8,
    len: usize,
    opener: *mut *mut subrosa_opener,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(opener) }?;
        // SAFETY: the caller's promise.
        let key = unsafe { file_key(key) }?;
        // SAFETY: the caller's promise.
        let context = unsafe { args::list(context, len) }?;
        let reserved = handle::reserve()?;
        let opener = Opening::File(Opener::new(key, context));
        to.write(reserved.fill(subrosa_opener(opener)));
        Ok(())
    })
}

/// Begins to open a blob.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_opener_blob(
    blob: *const subrosa_blob,
    opener: *mut *mut subrosa_opener,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(opener) }?;
        let blob = handle::shared(blob)?;
        let reserved = handle::reserve()?;
        let opener = Opening::Blob(Box::new(blob.fetch()?.opener()));
        to.write(reserved.fill(subrosa_opener(opener)));
        Ok(())
    })
}

/// Takes bytes until a chunk is whole.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_opener_push(
    opener: *mut subrosa_opener,
    sealed: *const u8,
    len: usize,
    taken: *mut usize,
    text: *mut u8,
    text_len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let taken_to = unsafe { args::out(taken) }?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(text, text_len) }?;
        // SAFETY: the caller's promise.
        let mut rest = unsafe { args::list(sealed, len) }?;
        let mut opener = handle::exclusive(opener)?;
        let buffer = buffer.require(SUBROSA_OPEN_ROOM)?;
        let text = opener.0.push(&mut rest)?;
        let taken = len.saturating_sub(rest.len());
        buffer.write(text)?;
        taken_to.write(taken);
        Ok(())
    })
}

/// There is no further byte: gives the last text, and says whether all of it was there.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_opener_finish(
    opener: *mut subrosa_opener,
    text: *mut u8,
    text_len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(text, text_len) }?;
        let mut opener = handle::exclusive(opener)?;
        let buffer = buffer.require(SUBROSA_OPEN_ROOM)?;
        buffer.write(opener.0.finish()?)
    })
}

/// Frees an opener.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_opener_free(opener: *mut subrosa_opener) -> subrosa_status {
    call(|| handle::free(opener))
}

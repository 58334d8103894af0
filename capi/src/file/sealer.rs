//! Sealing, from the first byte to the last.

use alloc::boxed::Box;

use subrosa::file::{BlobSealer, Error, HEADER, Record, SealedChunk, Sealer};

use crate::args;
use crate::call::call;
use crate::handle::{self, Object};
use crate::rng::{Rng, subrosa_rng};
use crate::status::{Status, subrosa_status};

use super::blob::{media_type, subrosa_blob};
use super::{SUBROSA_FILE_KEY, SUBROSA_SEAL_ROOM};

/// Something that is being sealed.
pub struct subrosa_sealer(Sealing);

/// As what.
enum Sealing {
    File(Box<File>),
    Blob(Box<BlobSealer>),
}

struct File {
    sealer: Sealer,
    header: [u8; HEADER],
    /// The header was given out.
    begun: bool,
    /// The last chunk was given out.
    ended: bool,
}

impl Object for subrosa_sealer {
    const KIND: usize = 9;
}

/// What is given out at once: a header, if it is the first time, and a chunk.
type Parts<'a> = [&'a [u8]; 2];

impl Sealing {
    fn push(&mut self, text: &mut &[u8]) -> Result<Parts<'_>, Error> {
        match self {
            Self::File(file) => {
                let File {
                    sealer,
                    header,
                    begun,
                    ..
                } = &mut **file;
                let chunk = sealer.feed(text)?;
                Ok(chunk.map_or([&[], &[]], |chunk| [once(header, begun), chunk]))
            }
            Self::Blob(sealer) => Ok(parts(sealer.feed(text)?)),
        }
    }

    fn finish(&mut self) -> Result<Parts<'_>, Error> {
        match self {
            Self::File(file) if file.ended => Ok([&[], &[]]),
            Self::File(file) => {
                let File {
                    sealer,
                    header,
                    begun,
                    ended,
                } = &mut **file;
                let chunk = sealer.finish()?;
                *ended = true;
                Ok([once(header, begun), chunk])
            }
            Self::Blob(sealer) => Ok(parts(sealer.finish()?)),
        }
    }
}

/// The header, unless it was given out.
fn once<'a>(header: &'a [u8; HEADER], begun: &mut bool) -> &'a [u8] {
    match core::mem::replace(begun, true) {
        true => &[],
        false => header,
    }
}

fn parts(chunk: Option<SealedChunk<'_>>) -> Parts<'_> {
    chunk.map_or([&[], &[]], |chunk| [chunk.header(), chunk.bytes()])
}

/// Begins a sealed file, with a new key.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_sealer_file(
    context: *const u8,
    len: usize,
    rng: *const subrosa_rng,
    sealer: *mut *mut subrosa_sealer,
    key: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(sealer) }?;
        // SAFETY: the caller's promise.
        let key_to = unsafe { args::out_array::<SUBROSA_FILE_KEY>(key) }?;
        // SAFETY: the caller's promise.
        let context = unsafe { args::list(context, len) }?;
        // SAFETY: the caller's promise.
        let mut rng = unsafe { Rng::new(rng) }?;
        let reserved = handle::reserve()?;
        let key = subrosa::file::FileKey::generate(&mut rng)?;
        let (sealer, header) = Sealer::new(&key, context, &mut rng)?;
        let file = File {
            sealer,
            header,
            begun: false,
            ended: false,
        };
        to.write(reserved.fill(subrosa_sealer(Sealing::File(Box::new(file)))));
        key_to.write(*key.expose());
        Ok(())
    })
}

/// Begins a blob.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_sealer_blob(
    media_type: *const u8,
    media_type_len: usize,
    apart: *const u8,
    apart_len: usize,
    rng: *const subrosa_rng,
    sealer: *mut *mut subrosa_sealer,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(sealer) }?;
        // SAFETY: the caller's promise.
        let name = unsafe { args::list(media_type, media_type_len) }?;
        // SAFETY: the caller's promise.
        let apart = unsafe { args::list(apart, apart_len) }?;
        // SAFETY: the caller's promise.
        let mut rng = unsafe { Rng::new(rng) }?;
        let reserved = handle::reserve()?;
        let record = Record::new(self::media_type(name)?, apart, &mut rng)?;
        let sealer = Box::new(BlobSealer::new(record));
        to.write(reserved.fill(subrosa_sealer(Sealing::Blob(sealer))));
        Ok(())
    })
}

/// Takes text until a chunk is whole.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_sealer_push(
    sealer: *mut subrosa_sealer,
    text: *const u8,
    len: usize,
    taken: *mut usize,
    sealed: *mut u8,
    sealed_len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let taken_to = unsafe { args::out(taken) }?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(sealed, sealed_len) }?;
        // SAFETY: the caller's promise.
        let mut rest = unsafe { args::list(text, len) }?;
        let mut sealer = handle::exclusive(sealer)?;
        let buffer = buffer.require(SUBROSA_SEAL_ROOM)?;
        let parts = sealer.0.push(&mut rest)?;
        let taken = len.saturating_sub(rest.len());
        buffer.write_parts(parts)?;
        taken_to.write(taken);
        Ok(())
    })
}

/// The text has ended: gives what is left, a chunk a call.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_sealer_finish(
    sealer: *mut subrosa_sealer,
    sealed: *mut u8,
    sealed_len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(sealed, sealed_len) }?;
        let mut sealer = handle::exclusive(sealer)?;
        let buffer = buffer.require(SUBROSA_SEAL_ROOM)?;
        buffer.write_parts(sealer.0.finish()?)
    })
}

/// The blob that was sealed.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_sealer_result(
    sealer: *const subrosa_sealer,
    blob: *mut *mut subrosa_blob,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(blob) }?;
        let sealer = handle::shared(sealer)?;
        let reserved = handle::reserve()?;
        let Sealing::Blob(sealer) = &sealer.0 else {
            return Err(Status::STEP);
        };
        to.write(reserved.fill(subrosa_blob::own(sealer.blob()?)));
        Ok(())
    })
}

/// Frees a sealer.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_sealer_free(sealer: *mut subrosa_sealer) -> subrosa_status {
    call(|| handle::free(sealer))
}

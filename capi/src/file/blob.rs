//! Blobs: what a descriptor, a pack or a sealer says of one, and whether the app wants it.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicBool, Ordering};

use subrosa::file::{Blob, Descriptor, Error, Fetch, Inline, MediaType, Thumbnail};

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::{Status, subrosa_status};
use crate::value::subrosa_bytes;

use super::{SUBROSA_BLOB_ID, SUBROSA_FILE_KEY};

/// No thumbnail.
pub const SUBROSA_THUMBNAIL_NONE: i32 = 0;
/// A thumbnail in the descriptor itself.
pub const SUBROSA_THUMBNAIL_INLINE: i32 = 1;
/// A thumbnail that is a blob of its own.
pub const SUBROSA_THUMBNAIL_BLOB: i32 = 2;

/// A blob: where it is found, its key, and what it holds.
pub struct subrosa_blob {
    blob: Blob,
    thumbnail: Small,
    /// The app has agreed to fetch it. It is set while others may read.
    admitted: AtomicBool,
}

/// A thumbnail. None of them takes the room of another: what no variant writes to would be whatever lay there before, and on
/// the stack that may be a key.
enum Small {
    None,
    Inline(Box<Inline>),
    Blob(Box<Blob>),
}

impl Object for subrosa_blob {
    const KIND: usize = 12;
}

impl subrosa_blob {
    /// One that this app has sealed.
    pub(super) const fn own(blob: Blob) -> Self {
        Self {
            blob,
            thumbnail: Small::None,
            admitted: AtomicBool::new(true),
        }
    }

    /// One of which somebody else says something.
    pub(crate) const fn offered(blob: Blob) -> Self {
        Self {
            blob,
            thumbnail: Small::None,
            admitted: AtomicBool::new(false),
        }
    }

    /// The blob once more.
    pub(crate) const fn duplicate(&self) -> Blob {
        self.blob.duplicate()
    }

    /// What it is found and opened with, if the app has agreed to it.
    pub(super) fn fetch(&self) -> Result<Fetch<'_>, Error> {
        self.blob.admit(|_| self.admitted.load(Ordering::Acquire))
    }
}

/// The media type with this name.
pub(super) fn media_type(name: &[u8]) -> Result<MediaType, Error> {
    let name = core::str::from_utf8(name).map_err(|_| Error::Malformed)?;
    MediaType::new(name)
}

/// What is said of a blob.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_blob_info {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// `SUBROSA_THUMBNAIL_…`
    pub thumbnail: i32,
    /// Bytes of the text.
    pub text_len: u64,
    /// Bytes that the server stores.
    pub stored_len: u64,
    /// What it is.
    pub media_type: subrosa_bytes,
    /// What an inline thumbnail is.
    pub thumbnail_type: subrosa_bytes,
    /// The inline thumbnail.
    pub thumbnail_bytes: subrosa_bytes,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_blob_info {}

/// A small picture of a file.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_thumbnail {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// What `bytes` are.
    pub media_type: subrosa_bytes,
    /// The picture.
    pub bytes: subrosa_bytes,
    /// Or a blob that is the picture.
    pub blob: *const subrosa_blob,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_thumbnail {}

/// The thumbnail that C has handed in; none for NULL.
///
/// # Safety
/// As the [crate](crate#safety).
unsafe fn thumbnail(thumbnail: *const subrosa_thumbnail) -> Result<Thumbnail, Status> {
    if thumbnail.is_null() {
        return Ok(Thumbnail::None);
    }
    // SAFETY: the caller's promise.
    let given = unsafe { args::structure(thumbnail) }?;
    // SAFETY: the caller's promise.
    let name = unsafe { args::list(given.media_type.data, given.media_type.len) }?;
    // SAFETY: the caller's promise.
    let bytes = unsafe { args::list(given.bytes.data, given.bytes.len) }?;
    if given.blob.is_null() {
        return Ok(Thumbnail::Inline(Inline::new(media_type(name)?, bytes)?));
    }
    if !name.is_empty() || !bytes.is_empty() {
        return Err(Status::ARGUMENT);
    }
    Ok(Thumbnail::Blob(handle::shared(given.blob)?.duplicate()))
}

/// Reads a descriptor.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_blob_parse(
    descriptor: *const u8,
    len: usize,
    blob: *mut *mut subrosa_blob,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(blob) }?;
        // SAFETY: the caller's promise.
        let descriptor = unsafe { args::list(descriptor, len) }?;
        let reserved = handle::reserve()?;
        let Descriptor { blob, thumbnail } = Descriptor::parse(descriptor)?;
        let mut blob = subrosa_blob::offered(blob);
        blob.thumbnail = match thumbnail {
            Thumbnail::None => Small::None,
            Thumbnail::Inline(inline) => Small::Inline(Box::new(inline)),
            Thumbnail::Blob(blob) => Small::Blob(Box::new(blob)),
        };
        to.write(reserved.fill(blob));
        Ok(())
    })
}

/// What is said of a blob.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_blob_read(
    blob: *const subrosa_blob,
    info: *mut subrosa_blob_info,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(info) }?;
        let blob = handle::shared(blob)?;
        let none = subrosa_bytes::NONE;
        let (thumbnail, thumbnail_type, thumbnail_bytes) = match &blob.thumbnail {
            Small::None => (SUBROSA_THUMBNAIL_NONE, none, none),
            Small::Inline(inline) => (
                SUBROSA_THUMBNAIL_INLINE,
                subrosa_bytes::of(inline.media_type().as_str().as_bytes()),
                subrosa_bytes::of(inline.bytes()),
            ),
            Small::Blob(_) => (SUBROSA_THUMBNAIL_BLOB, none, none),
        };
        to.write(subrosa_blob_info {
            struct_size: size_of::<subrosa_blob_info>(),
            thumbnail,
            text_len: blob.blob.text_len(),
            stored_len: blob.blob.stored_len(),
            media_type: subrosa_bytes::of(blob.blob.media_type().as_str().as_bytes()),
            thumbnail_type,
            thumbnail_bytes,
        });
        Ok(())
    })
}

/// The thumbnail that is a blob of its own.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_blob_thumbnail(
    blob: *const subrosa_blob,
    thumbnail: *mut *mut subrosa_blob,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(thumbnail) }?;
        let blob = handle::shared(blob)?;
        let reserved = handle::reserve()?;
        let Small::Blob(thumbnail) = &blob.thumbnail else {
            return Err(Status::RANGE);
        };
        to.write(reserved.fill(subrosa_blob::offered(thumbnail.duplicate())));
        Ok(())
    })
}

/// Whether a media type is one of those that the app takes: `type/subtype`, or `type/` for all of them.
fn is_allowed(media_type: &str, allowed: &[u8]) -> bool {
    match allowed.last() {
        Some(b'/') => media_type.as_bytes().starts_with(allowed),
        _ => media_type.as_bytes() == allowed,
    }
}

/// The app agrees to fetch a blob, if it is none that is too long or of another type.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_blob_admit(
    blob: *const subrosa_blob,
    longest: u64,
    types: *const subrosa_bytes,
    count: usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let types = unsafe { args::bytes(types, count) }?;
        let blob = handle::shared(blob)?;
        blob.blob.admit(|offer| {
            let name = offer.media_type.as_str();
            offer.text_len <= longest && types.iter().any(|allowed| is_allowed(name, allowed))
        })?;
        blob.admitted.store(true, Ordering::Release);
        Ok(())
    })
}

/// What a blob is found and opened with.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_blob_id(
    blob: *const subrosa_blob,
    id: *mut u8,
    key: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let id_to = unsafe { args::out_array::<SUBROSA_BLOB_ID>(id) }?;
        // SAFETY: the caller's promise.
        let key_to = unsafe { args::out_or_null(key.cast::<[u8; SUBROSA_FILE_KEY]>()) }?;
        let blob = handle::shared(blob)?;
        let fetch = blob.fetch()?;
        id_to.write(*fetch.id().as_bytes());
        if let Some(key_to) = key_to {
            key_to.write(*fetch.key().expose());
        }
        Ok(())
    })
}

/// What a message carries.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_blob_descriptor(
    blob: *const subrosa_blob,
    thumbnail: *const subrosa_thumbnail,
    descriptor: *mut u8,
    len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(descriptor, len) }?;
        // SAFETY: the caller's promise.
        let thumbnail = unsafe { self::thumbnail(thumbnail) }?;
        let blob = handle::shared(blob)?.duplicate();
        let descriptor = Descriptor { blob, thumbnail };
        buffer.write(&descriptor.to_bytes()?)
    })
}

/// Frees a blob.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_blob_free(blob: *mut subrosa_blob) -> subrosa_status {
    call(|| handle::free(blob))
}

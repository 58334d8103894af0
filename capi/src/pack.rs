//! Sticker packs: made, shared by link, opened.

use alloc::vec::Vec;

use subrosa::file::pack::{AUTHOR, Author, Contents, Error, HELD, Held, Link, Manifest, Sticker};
use subrosa::file::pack::{Update, limits};

use crate::args::{self, Structure};
use crate::call::call;
use crate::file::subrosa_blob;
use crate::handle::{self, Object};
use crate::rng::{Rng, subrosa_rng};
use crate::status::{Status, subrosa_status};
use crate::value::subrosa_bytes;

/// Bytes of a pack's id.
pub const SUBROSA_PACK_ID: usize = 32;
/// Bytes of what an author keeps secret.
pub const SUBROSA_AUTHOR: usize = 65;
/// Bytes of an author's public key.
pub const SUBROSA_AUTHOR_KEY: usize = 32;
/// Bytes of what says which version of a pack somebody has.
pub const SUBROSA_HELD: usize = 105;
/// Bytes of a link behind its address.
pub const SUBROSA_LINK_BEHIND: usize = 90;
/// Longest manifest, bytes.
pub const SUBROSA_MANIFEST_MAX: usize = 180_472;
/// Stickers of a pack.
pub const SUBROSA_STICKERS_MAX: usize = 120;

const _: () = assert!(SUBROSA_AUTHOR == AUTHOR);
const _: () = assert!(SUBROSA_HELD == HELD);
const _: () = assert!(SUBROSA_MANIFEST_MAX as u64 == limits::SEALED_MAX);
const _: () = assert!(SUBROSA_STICKERS_MAX == limits::STICKERS_MAX);

/// A version of a pack, opened and checked.
pub struct subrosa_pack(Manifest);

impl Object for subrosa_pack {
    const KIND: usize = 13;
}

impl subrosa_pack {
    fn sticker(&self, index: usize) -> Result<&Sticker, Status> {
        self.0.contents().stickers().get(index).ok_or(Status::RANGE)
    }
}

/// A sticker that goes into a pack.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_sticker {
    /// What shows it.
    pub blob: *const subrosa_blob,
    /// What it stands for.
    pub emoji: *const subrosa_bytes,
    /// How many those are.
    pub count: usize,
}

/// What an author puts into a pack.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_contents {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// What the pack is called.
    pub title: subrosa_bytes,
    /// What its author is called.
    pub name: subrosa_bytes,
    /// The stickers.
    pub stickers: *const subrosa_sticker,
    /// How many those are.
    pub count: usize,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_contents {}

/// What is in a pack.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_pack_info {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// What the pack is called.
    pub title: subrosa_bytes,
    /// What its author is called, as the author says.
    pub name: subrosa_bytes,
    /// How many stickers.
    pub stickers: usize,
    /// Which version this is.
    pub version: u64,
    /// Where the server keeps it.
    pub id: [u8; SUBROSA_PACK_ID],
    /// The author's public key.
    pub author_key: [u8; SUBROSA_AUTHOR_KEY],
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_pack_info {}

/// Bytes that should be UTF-8.
fn text(bytes: &[u8]) -> Result<&str, Error> {
    core::str::from_utf8(bytes).map_err(|_| Error::Malformed)
}

/// The author whose stored form is at `author`.
///
/// # Safety
/// As the [crate](crate#safety).
unsafe fn author(author: *const u8) -> Result<Author, Status> {
    // SAFETY: the caller's promise.
    let bytes: &[u8; SUBROSA_AUTHOR] = unsafe { args::array(author) }?;
    Ok(Author::decode(bytes)?)
}

/// What is held, if anything is.
///
/// # Safety
/// As the [crate](crate#safety).
unsafe fn held(held: *const u8) -> Result<Option<Held>, Status> {
    if held.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let bytes: &[u8; SUBROSA_HELD] = unsafe { args::array(held) }?;
    Ok(Some(Held::decode(bytes)?))
}

/// The stored form of what is held.
fn encode(held: &Held) -> Result<[u8; SUBROSA_HELD], Status> {
    let bytes = held.encode();
    bytes.try_into().map_err(|_| Status::INTERNAL)
}

/// What the author puts into the pack.
///
/// # Safety
/// As the [crate](crate#safety).
unsafe fn contents(contents: *const subrosa_contents) -> Result<Contents, Status> {
    // SAFETY: the caller's promise.
    let given = unsafe { args::structure(contents) }?;
    // SAFETY: the caller's promise.
    let title = unsafe { args::list(given.title.data, given.title.len) }?;
    // SAFETY: the caller's promise.
    let name = unsafe { args::list(given.name.data, given.name.len) }?;
    // SAFETY: the caller's promise.
    let stickers = unsafe { args::list(given.stickers, given.count) }?;
    if stickers.len() > SUBROSA_STICKERS_MAX {
        return Err(Error::TooLong.into());
    }
    // Room for all of them: one that grows would leave keys behind.
    let mut made = Vec::with_capacity(stickers.len());
    for sticker in stickers {
        // SAFETY: the caller's promise.
        let emoji = unsafe { args::bytes(sticker.emoji, sticker.count) }?;
        let emoji: Vec<&str> = emoji.into_iter().map(text).collect::<Result<_, _>>()?;
        let blob = handle::shared(sticker.blob)?.duplicate();
        made.push(Sticker::new(&emoji, blob)?);
    }
    Ok(Contents::new(text(title)?, text(name)?, made)?)
}

/// Makes the author of a new pack.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_pack_create(
    rng: *const subrosa_rng,
    author: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_array::<SUBROSA_AUTHOR>(author) }?;
        // SAFETY: the caller's promise.
        let mut rng = unsafe { Rng::new(rng) }?;
        let author = Author::generate(&mut rng)?;
        to.write(*author.encode().expose());
        Ok(())
    })
}

/// The link that shares a pack.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_pack_link(
    author: *const u8,
    address: *const u8,
    address_len: usize,
    link: *mut u8,
    len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(link, len) }?;
        // SAFETY: the caller's promise.
        let author = unsafe { self::author(author) }?;
        // SAFETY: the caller's promise.
        let address = unsafe { args::list(address, address_len) }?;
        let link = author.link().to_text(text(address)?)?;
        buffer.write(link.as_bytes())
    })
}

/// Makes the next version of a pack.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_pack_publish(
    author: *const u8,
    held: *const u8,
    version: u64,
    contents: *const subrosa_contents,
    rng: *const subrosa_rng,
    manifest: *mut u8,
    len: *mut usize,
    next_held: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let held_to = unsafe { args::out_array::<SUBROSA_HELD>(next_held) }?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(manifest, len) }?;
        // SAFETY: the caller's promise.
        let author = unsafe { self::author(author) }?;
        // SAFETY: the caller's promise.
        let held = unsafe { self::held(held) }?;
        // SAFETY: the caller's promise.
        let contents = unsafe { self::contents(contents) }?;
        // SAFETY: the caller's promise.
        let mut rng = unsafe { Rng::new(rng) }?;
        let (manifest, next) = match version {
            0 => author.publish(&contents, held.as_ref(), &mut rng),
            _ => author.publish_version(version, &contents, held.as_ref(), &mut rng),
        }?;
        let next = encode(&next)?;
        buffer.write(&manifest)?;
        held_to.write(next);
        Ok(())
    })
}

/// Where the manifest of a link's pack is found.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_pack_find(
    link: *const u8,
    len: usize,
    id: *mut u8,
    address_len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_array::<SUBROSA_PACK_ID>(id) }?;
        // SAFETY: the caller's promise.
        let address_to = unsafe { args::out_or_null(address_len) }?;
        // SAFETY: the caller's promise.
        let link = unsafe { args::list(link, len) }?;
        let (address, link) = Link::parse(text(link)?)?;
        let address_len = address.len();
        to.write(*link.pack_id().as_bytes());
        if let Some(address_to) = address_to {
            address_to.write(address_len);
        }
        Ok(())
    })
}

/// Opens a manifest, and holds it against the version that is held.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_pack_open(
    link: *const u8,
    link_len: usize,
    manifest: *const u8,
    len: usize,
    held: *const u8,
    pack: *mut *mut subrosa_pack,
    next_held: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(pack) }?;
        // SAFETY: the caller's promise.
        let held_to = unsafe { args::out_array::<SUBROSA_HELD>(next_held) }?;
        // SAFETY: the caller's promise.
        let link = unsafe { args::list(link, link_len) }?;
        // SAFETY: the caller's promise.
        let sealed = unsafe { args::list(manifest, len) }?;
        // SAFETY: the caller's promise.
        let held = unsafe { self::held(held) }?;
        let reserved = handle::reserve()?;
        let (_, link) = Link::parse(text(link)?)?;
        let manifest = link.open(sealed)?;
        let next = match held {
            None => Held::new(&manifest),
            Some(held) => match held.update(&manifest)? {
                Update::Unchanged => held,
                Update::Newer(newer) => newer,
            },
        };
        let next = encode(&next)?;
        to.write(reserved.fill(subrosa_pack(manifest)));
        held_to.write(next);
        Ok(())
    })
}

/// What is in a pack.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_pack_read(
    pack: *const subrosa_pack,
    info: *mut subrosa_pack_info,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(info) }?;
        let pack = handle::shared(pack)?;
        let contents = pack.0.contents();
        to.write(subrosa_pack_info {
            struct_size: size_of::<subrosa_pack_info>(),
            title: subrosa_bytes::of(contents.title().as_bytes()),
            name: subrosa_bytes::of(contents.name().as_bytes()),
            stickers: contents.stickers().len(),
            version: pack.0.version(),
            id: *pack.0.pack_id().as_bytes(),
            author_key: *pack.0.author_key().as_bytes(),
        });
        Ok(())
    })
}

/// A sticker: how many emoji it stands for, and its blob.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_pack_sticker(
    pack: *const subrosa_pack,
    index: usize,
    emoji: *mut usize,
    blob: *mut *mut subrosa_blob,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let emoji_to = unsafe { args::out_or_null(emoji) }?;
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(blob) }?;
        let pack = handle::shared(pack)?;
        let reserved = handle::reserve()?;
        let sticker = pack.sticker(index)?;
        let blob = subrosa_blob::offered(sticker.blob().duplicate());
        to.write(reserved.fill(blob));
        if let Some(emoji_to) = emoji_to {
            emoji_to.write(sticker.emoji().count());
        }
        Ok(())
    })
}

/// An emoji of a sticker.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_pack_emoji(
    pack: *const subrosa_pack,
    sticker: usize,
    index: usize,
    emoji: *mut subrosa_bytes,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(emoji) }?;
        let pack = handle::shared(pack)?;
        let emoji = pack.sticker(sticker)?.emoji().nth(index);
        to.write(subrosa_bytes::of(emoji.ok_or(Status::RANGE)?.as_bytes()));
        Ok(())
    })
}

/// Frees a pack.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_pack_free(pack: *mut subrosa_pack) -> subrosa_status {
    call(|| handle::free(pack))
}

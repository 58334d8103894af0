//! Files, blobs and packs. Each function is a few calls of the interface; the proofs are those of a server, which needs none
//! of it.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ops::Range;
use std::ptr::{null, null_mut};
use std::rc::Rc;

use subrosa::file::Error;
use subrosa::file::tree::{BlobHasher, Shape, prove};
use subrosa_capi::file::*;
use subrosa_capi::pack::*;
use subrosa_capi::status::*;

use super::{shown, sized, view, views};
use crate::ok;

pub const CONTEXT: &[u8] = b"where it belongs";
pub const ADDRESS: &[u8] = b"https://example.org/pack";

/// A text of which no two chunks are the same.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at ^ at >> 7 ^ at >> 14) as u8).collect()
}

/// Where a sealed file lies. What moves is a count of owners: C's pointers to it stay good.
pub struct Bytes {
    pub bytes: RefCell<Vec<u8>>,
    pub reads: Cell<usize>,
    /// The reads that fail.
    pub fails: Cell<bool>,
    /// What it does besides.
    pub hook: RefCell<Option<Box<dyn Fn()>>>,
}

impl Bytes {
    pub fn new(bytes: Vec<u8>) -> Rc<Self> {
        Rc::new(Self {
            bytes: RefCell::new(bytes),
            reads: Cell::new(0),
            fails: Cell::new(false),
            hook: RefCell::new(None),
        })
    }

    pub fn source(&self) -> subrosa_source {
        subrosa_source {
            struct_size: size_of::<subrosa_source>(),
            context: std::ptr::from_ref(self).cast_mut().cast(),
            read: Some(read),
        }
    }
}

unsafe extern "C" fn read(context: *mut c_void, offset: u64, out: *mut u8, len: usize) -> i32 {
    let source = unsafe { &*context.cast::<Bytes>() };
    source.reads.set(source.reads.get() + 1);
    if let Some(hook) = &*source.hook.borrow() {
        hook();
    }
    let bytes = source.bytes.borrow();
    let start = usize::try_from(offset).unwrap();
    match bytes.get(start..start + len) {
        Some(part) if !source.fails.get() => {
            unsafe { out.copy_from_nonoverlapping(part.as_ptr(), len) };
            0
        }
        _ => 1,
    }
}

sized!(new_blob_info, subrosa_blob_info);
sized!(new_thumbnail, subrosa_thumbnail);
sized!(new_piece, subrosa_piece);
sized!(new_contents, subrosa_contents);
sized!(new_pack_info, subrosa_pack_info);

/// A sealer or an opener with its function that takes bytes.
type Push<T> = unsafe extern "C" fn(
    *mut T,
    *const u8,
    usize,
    *mut usize,
    *mut u8,
    *mut usize,
) -> subrosa_status;

/// Everything that comes of these bytes, handed in so many at a time.
fn push<T>(
    object: *mut T,
    call: Push<T>,
    bytes: &[u8],
    step: usize,
    given: &mut Vec<u8>,
) -> subrosa_status {
    for mut rest in bytes.chunks(step) {
        while !rest.is_empty() {
            let mut out = [0; SUBROSA_SEAL_ROOM];
            let (mut taken, mut len) = (0, out.len());
            let status = unsafe {
                let to = out.as_mut_ptr();
                call(object, rest.as_ptr(), rest.len(), &mut taken, to, &mut len)
            };
            if status != SUBROSA_OK {
                assert_eq!((taken, len), (0, out.len()));
                assert_eq!(out, [0; SUBROSA_SEAL_ROOM]);
                return status;
            }
            assert!(taken > 0);
            given.extend(&out[..len]);
            rest = &rest[taken..];
        }
    }
    SUBROSA_OK
}

pub fn sealer_push(
    sealer: *mut subrosa_sealer,
    text: &[u8],
    step: usize,
    sealed: &mut Vec<u8>,
) -> subrosa_status {
    push(sealer, subrosa_sealer_push, text, step, sealed)
}

/// Gives what a sealer has left.
pub fn sealer_finish(sealer: *mut subrosa_sealer, sealed: &mut Vec<u8>) {
    loop {
        let mut out = [0; SUBROSA_SEAL_ROOM];
        let mut len = out.len();
        ok!(unsafe { subrosa_sealer_finish(sealer, out.as_mut_ptr(), &mut len) });
        if len == 0 {
            break;
        }
        sealed.extend(&out[..len]);
    }
}

pub fn sealer_file(context: &[u8]) -> (*mut subrosa_sealer, [u8; 32]) {
    let (mut sealer, mut key) = (null_mut(), [0; SUBROSA_FILE_KEY]);
    let (context, len) = (context.as_ptr(), context.len());
    ok!(unsafe { subrosa_sealer_file(context, len, null(), &mut sealer, key.as_mut_ptr()) });
    (sealer, key)
}

pub fn sealer_blob(media_type: &[u8]) -> *mut subrosa_sealer {
    let mut sealer = null_mut();
    let (name, len) = (media_type.as_ptr(), media_type.len());
    ok!(unsafe { subrosa_sealer_blob(name, len, null(), 0, null(), &mut sealer) });
    sealer
}

/// A sealed file and its key.
pub fn seal_file(text: &[u8], step: usize) -> (Vec<u8>, [u8; 32]) {
    let (sealer, key) = sealer_file(CONTEXT);
    let mut sealed = Vec::new();
    ok!(sealer_push(sealer, text, step, &mut sealed));
    sealer_finish(sealer, &mut sealed);
    ok!(subrosa_sealer_free(sealer));
    (sealed, key)
}

/// A stored blob, and what it is found and opened with.
pub fn seal_blob(media_type: &[u8], text: &[u8]) -> (Vec<u8>, *mut subrosa_blob) {
    let (sealer, mut stored, mut blob) = (sealer_blob(media_type), Vec::new(), null_mut());
    ok!(sealer_push(sealer, text, 5_000, &mut stored));
    sealer_finish(sealer, &mut stored);
    ok!(unsafe { subrosa_sealer_result(sealer, &mut blob) });
    ok!(subrosa_sealer_free(sealer));
    (stored, blob)
}

pub fn opener_file(key: &[u8; 32], context: &[u8]) -> *mut subrosa_opener {
    let mut opener = null_mut();
    let (context, len) = (context.as_ptr(), context.len());
    ok!(unsafe { subrosa_opener_file(key.as_ptr(), context, len, &mut opener) });
    opener
}

pub fn opener_blob(blob: *mut subrosa_blob) -> *mut subrosa_opener {
    let mut opener = null_mut();
    ok!(unsafe { subrosa_opener_blob(blob, &mut opener) });
    opener
}

/// The text, or why it was refused and what was given out before; the opener is freed.
pub fn opened(
    opener: *mut subrosa_opener,
    sealed: &[u8],
    step: usize,
) -> Result<Vec<u8>, (subrosa_status, Vec<u8>)> {
    let mut text = Vec::new();
    let mut status = push(opener, subrosa_opener_push, sealed, step, &mut text);
    let (mut out, mut len) = ([0; SUBROSA_OPEN_ROOM], SUBROSA_OPEN_ROOM);
    let finished = unsafe { subrosa_opener_finish(opener, out.as_mut_ptr(), &mut len) };
    if status == SUBROSA_OK {
        status = finished;
    } else {
        assert_eq!(status, finished, "it refuses for good");
    }
    ok!(subrosa_opener_free(opener));
    if status != SUBROSA_OK {
        assert_eq!((len, out), (SUBROSA_OPEN_ROOM, [0; SUBROSA_OPEN_ROOM]));
        return Err((status, text));
    }
    text.extend(&out[..len]);
    Ok(text)
}

pub fn blob_info(blob: *mut subrosa_blob) -> subrosa_blob_info {
    let mut info = new_blob_info();
    ok!(unsafe { subrosa_blob_read(blob, &mut info) });
    info
}

pub fn parse(descriptor: &[u8]) -> Result<*mut subrosa_blob, subrosa_status> {
    let mut blob = null_mut();
    let status = unsafe { subrosa_blob_parse(descriptor.as_ptr(), descriptor.len(), &mut blob) };
    assert_eq!(blob.is_null(), status != SUBROSA_OK);
    if status == SUBROSA_OK {
        Ok(blob)
    } else {
        Err(status)
    }
}

/// What a message carries, with this thumbnail.
pub fn descriptor(
    blob: *mut subrosa_blob,
    thumbnail: Option<&subrosa_thumbnail>,
) -> Result<Vec<u8>, subrosa_status> {
    let (mut bytes, mut len) = (vec![0; SUBROSA_DESCRIPTOR_MAX], SUBROSA_DESCRIPTOR_MAX);
    let thumbnail = thumbnail.map_or(null(), std::ptr::from_ref);
    match unsafe { subrosa_blob_descriptor(blob, thumbnail, bytes.as_mut_ptr(), &mut len) } {
        SUBROSA_OK => Ok(bytes[..len].to_vec()),
        status => {
            assert_eq!(bytes, vec![0; SUBROSA_DESCRIPTOR_MAX]);
            Err(status)
        }
    }
}

pub fn admit(blob: *mut subrosa_blob, longest: u64, types: &[&[u8]]) -> subrosa_status {
    let types = views(types);
    unsafe { subrosa_blob_admit(blob, longest, types.as_ptr(), types.len()) }
}

/// Id and key.
pub fn id_and_key(blob: *mut subrosa_blob) -> Result<[[u8; 32]; 2], subrosa_status> {
    let (mut id, mut key) = ([0; 32], [0; 32]);
    match unsafe { subrosa_blob_id(blob, id.as_mut_ptr(), key.as_mut_ptr()) } {
        SUBROSA_OK => Ok([id, key]),
        status => {
            assert_eq!((id, key), ([0; 32], [0; 32]));
            Err(status)
        }
    }
}

/// The id of what a server has, and the proof that it gives of these leaves.
pub fn proof(stored: &[u8], leaves: Range<u64>) -> ([u8; 32], Vec<u8>) {
    let (mut hasher, mut rest, mut nodes) = (BlobHasher::new(), stored, Vec::new());
    while let Some(completed) = hasher.feed(&mut rest).unwrap() {
        nodes.extend_from_slice(completed);
    }
    let (id, completed) = hasher.finish().unwrap();
    nodes.extend_from_slice(completed);
    let shape = Shape::new(stored.len() as u64).unwrap();
    let header = stored.first_chunk().unwrap();
    let node = |node: subrosa::file::tree::Node| Ok::<_, Error>(nodes[node.place() as usize]);
    (
        *id.as_bytes(),
        prove(&shape, &leaves, header, node).unwrap(),
    )
}

/// What is to be fetched of a blob for a piece of the text: bytes and proof.
pub fn fetched(stored: &[u8], piece: &subrosa_piece) -> (Vec<u8>, Vec<u8>) {
    let (start, end) = (piece.offset as usize, (piece.offset + piece.len) as usize);
    let (_, proof) = proof(stored, piece.leaf..piece.leaf + piece.leaves);
    assert_eq!(proof.len(), piece.proof_len);
    (stored[start..end].to_vec(), proof)
}

pub fn author() -> [u8; SUBROSA_AUTHOR] {
    let mut author = [0; SUBROSA_AUTHOR];
    ok!(unsafe { subrosa_pack_create(null(), author.as_mut_ptr()) });
    author
}

pub fn link(author: &[u8; SUBROSA_AUTHOR]) -> Vec<u8> {
    let mut link = vec![0; ADDRESS.len() + SUBROSA_LINK_BEHIND];
    let mut len = link.len();
    let (address, address_len) = (ADDRESS.as_ptr(), ADDRESS.len());
    ok!(unsafe {
        subrosa_pack_link(
            author.as_ptr(),
            address,
            address_len,
            link.as_mut_ptr(),
            &mut len,
        )
    });
    assert_eq!(len, link.len());
    link
}

/// Blobs with what they stand for.
pub type Stickers<'a> = &'a [(*mut subrosa_blob, &'a [&'a [u8]])];

/// A version of a pack: the manifest, and what is held of it.
pub fn publish_pack(
    author: &[u8; SUBROSA_AUTHOR],
    held: Option<&[u8; SUBROSA_HELD]>,
    version: u64,
    title: &[u8],
    stickers: Stickers<'_>,
) -> Result<(Vec<u8>, [u8; SUBROSA_HELD]), subrosa_status> {
    let emoji: Vec<_> = stickers.iter().map(|(_, emoji)| views(emoji)).collect();
    let rows = stickers.iter().zip(&emoji);
    let rows = rows.map(|((blob, _), emoji)| subrosa_sticker {
        blob: *blob,
        emoji: emoji.as_ptr(),
        count: emoji.len(),
    });
    let rows: Vec<_> = rows.collect();
    let contents = subrosa_contents {
        title: view(title),
        name: view(b"Bob"),
        stickers: rows.as_ptr(),
        count: rows.len(),
        ..new_contents()
    };
    let (mut manifest, mut len) = (vec![0; SUBROSA_MANIFEST_MAX], SUBROSA_MANIFEST_MAX);
    let mut next = [0; SUBROSA_HELD];
    let status = unsafe {
        subrosa_pack_publish(
            author.as_ptr(),
            held.map_or(null(), |held| held.as_ptr()),
            version,
            &contents,
            null(),
            manifest.as_mut_ptr(),
            &mut len,
            next.as_mut_ptr(),
        )
    };
    if status != SUBROSA_OK {
        assert!(manifest.iter().all(|byte| *byte == 0));
        assert_eq!((len, next), (SUBROSA_MANIFEST_MAX, [0; SUBROSA_HELD]));
        return Err(status);
    }
    manifest.truncate(len);
    Ok((manifest, next))
}

/// A version of a pack as somebody with the link has it.
pub fn open_pack(
    link: &[u8],
    manifest: &[u8],
    held: Option<&[u8; SUBROSA_HELD]>,
) -> Result<(*mut subrosa_pack, [u8; SUBROSA_HELD]), subrosa_status> {
    let (mut pack, mut next) = (null_mut(), [0; SUBROSA_HELD]);
    let status = unsafe {
        subrosa_pack_open(
            link.as_ptr(),
            link.len(),
            manifest.as_ptr(),
            manifest.len(),
            held.map_or(null(), |held| held.as_ptr()),
            &mut pack,
            next.as_mut_ptr(),
        )
    };
    if status != SUBROSA_OK {
        assert!(pack.is_null());
        assert_eq!(next, [0; SUBROSA_HELD]);
        return Err(status);
    }
    Ok((pack, next))
}

pub fn pack_info(pack: *mut subrosa_pack) -> (Vec<u8>, Vec<u8>, subrosa_pack_info) {
    let mut info = new_pack_info();
    ok!(unsafe { subrosa_pack_read(pack, &mut info) });
    (shown(info.title), shown(info.name), info)
}

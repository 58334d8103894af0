//! Pieces of a blob: what to fetch for one, and whether what came is genuine.

use core::ops::Range;

use subrosa::file::BlobId;
use subrosa::file::tree::{RangeVerifier, Shape, proof_len};
use zeroize::Zeroizing;

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle;
use crate::status::{Status, subrosa_status};

use super::blob::subrosa_blob;

/// What is fetched for a piece of a blob.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_piece {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// Bytes of the proof.
    pub proof_len: usize,
    /// The first leaf.
    pub leaf: u64,
    /// How many leaves.
    pub leaves: u64,
    /// Where they begin in the blob.
    pub offset: u64,
    /// How many bytes they are.
    pub len: u64,
    /// Bytes of the text that was asked for.
    pub text_len: u64,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_piece {}

const fn range(start: u64, length: u64) -> Range<u64> {
    Range {
        start,
        end: start.saturating_add(length),
    }
}

const fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

/// What to fetch for a piece of the text.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_blob_piece(
    blob: *const subrosa_blob,
    offset: u64,
    len: u64,
    piece: *mut subrosa_piece,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(piece) }?;
        let blob = handle::shared(blob)?;
        let piece = blob.fetch()?.pieces().piece(&range(offset, len))?;
        to.write(subrosa_piece {
            struct_size: size_of::<subrosa_piece>(),
            proof_len: piece.proof_len(),
            leaf: piece.leaves().start,
            leaves: length(piece.leaves()),
            offset: piece.place().start,
            len: length(piece.place()),
            text_len: length(piece.text()),
        });
        Ok(())
    })
}

/// Checks what was fetched for a piece of the text, and opens it.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_blob_open_piece(
    blob: *const subrosa_blob,
    offset: u64,
    len: u64,
    stored: *const u8,
    stored_len: usize,
    proof: *const u8,
    proof_len: usize,
    text: *mut u8,
    text_len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(text, text_len) }?;
        // SAFETY: the caller's promise.
        let stored = unsafe { args::list(stored, stored_len) }?;
        // SAFETY: the caller's promise.
        let proof = unsafe { args::list(proof, proof_len) }?;
        let blob = handle::shared(blob)?;
        let mut pieces = blob.fetch()?.pieces();
        let piece = pieces.piece(&range(offset, len))?;
        // More than there is room for in this process is more than there is room for in the buffer.
        let needed = usize::try_from(length(piece.text())).unwrap_or(usize::MAX);
        let mut buffer = buffer.require(needed)?;
        let mut opened = Zeroizing::new(stored.to_vec());
        let mut filled = 0;
        for text in pieces.open(&piece, &mut opened, proof)? {
            filled = buffer.put(filled, text);
        }
        buffer.end(filled);
        Ok(())
    })
}

/// Where leaves lie in a blob.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_piece_of_leaves(
    stored_len: u64,
    leaf: u64,
    leaves: u64,
    piece: *mut subrosa_piece,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(piece) }?;
        let shape = Shape::new(stored_len)?;
        let run = range(leaf, leaves);
        let place = shape.place(&run)?;
        to.write(subrosa_piece {
            struct_size: size_of::<subrosa_piece>(),
            proof_len: proof_len(&shape, &run)?,
            leaf,
            leaves,
            offset: place.start,
            len: length(&place),
            text_len: 0,
        });
        Ok(())
    })
}

/// Checks leaves of a blob without its key.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_piece_verify(
    id: *const u8,
    stored_len: u64,
    leaf: u64,
    leaves: u64,
    stored: *const u8,
    len: usize,
    proof: *const u8,
    proof_len: usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let id = BlobId::from_bytes(*unsafe { args::array(id) }?);
        // SAFETY: the caller's promise.
        let stored = unsafe { args::list(stored, len) }?;
        // SAFETY: the caller's promise.
        let proof = unsafe { args::list(proof, proof_len) }?;
        let verify = || {
            let mut verifier = RangeVerifier::new(id, stored_len, range(leaf, leaves), proof)?;
            verifier.feed(stored)?;
            verifier.finish()
        };
        verify().map(drop).map_err(Status::from)
    })
}

//! What an app may fetch, and any piece of it (SPEC §20.2, §20.3).

use alloc::boxed::Box;
use core::fmt;
use core::ops::Range;

use zeroize::Zeroize;

use super::Error;
use super::blob::{Blob, BlobId, CONTEXT, MediaType};
use super::blob_opener::BlobOpener;
use super::chunk::{CHUNK, CHUNK_BITS, Chunks, FileKey, HEADER, SEALED_CHUNK};
use super::open::begin;
use super::tree::{RangeVerifier, Shape, proof_len};
use crate::padding;

/// The bits of a place in the text that are the place in its chunk.
const IN_CHUNK: u64 = CHUNK as u64 - 1;

/// What a sender says about a blob, for the app to decide whether it wants it. It is a claim: nothing of the blob is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Bytes of the text.
    pub text_len: u64,
    /// Bytes to be fetched for all of it.
    pub stored_len: u64,
    /// What it is.
    pub media_type: MediaType,
}

impl Blob {
    /// Lets the app decide, by type and size, before anything can be fetched: what a blob is found and opened with is
    /// reached through here and no other way.
    ///
    /// # Errors
    /// [`Error::NotAdmitted`] if `allow` says no.
    pub fn admit(&self, allow: impl FnOnce(&Offer) -> bool) -> Result<Fetch<'_>, Error> {
        let offer = Offer {
            text_len: self.text_len(),
            stored_len: self.stored_len(),
            media_type: self.media_type,
        };
        let shape = Shape::new(offer.stored_len)?;
        match allow(&offer) {
            true => Ok(Fetch { blob: self, shape }),
            false => Err(Error::NotAdmitted),
        }
    }
}

/// A blob that the app wants.
#[derive(Clone, Copy)]
pub struct Fetch<'a> {
    blob: &'a Blob,
    shape: Shape,
}

impl<'a> Fetch<'a> {
    /// What it is found by.
    #[must_use]
    pub const fn id(&self) -> BlobId {
        self.blob.id
    }

    /// What it is opened with.
    #[must_use]
    pub const fn key(&self) -> &'a FileKey {
        &self.blob.key
    }

    /// The blob.
    #[must_use]
    pub const fn blob(&self) -> &'a Blob {
        self.blob
    }

    /// How long it is, and how it is cut into leaves.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// To open all of it, from front to end.
    #[must_use]
    pub fn opener(&self) -> BlobOpener {
        BlobOpener::new(self.blob)
    }

    /// To check leaves of it, without opening them.
    ///
    /// # Errors
    /// As [`RangeVerifier::new`].
    pub fn verifier<'p>(
        &self,
        leaves: Range<u64>,
        proof: &'p [u8],
    ) -> Result<RangeVerifier<'p>, Error> {
        RangeVerifier::new(self.blob.id, self.shape.stored_len(), leaves, proof)
    }

    /// To open any piece of it.
    #[must_use]
    pub const fn pieces(&self) -> BlobPieces<'a> {
        BlobPieces {
            blob: self.blob,
            shape: self.shape,
            keys: None,
        }
    }
}

impl fmt::Debug for Fetch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fetch").field(self.blob).finish()
    }
}

/// Opens pieces of a blob, in any order, each checked against the id before anything of it is opened.
pub struct BlobPieces<'a> {
    blob: &'a Blob,
    shape: Shape,
    /// The header that the last proof had, and its keys.
    keys: Option<([u8; HEADER], Box<Chunks>)>,
}

/// What is fetched for a piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    text: Range<u64>,
    leaves: Range<u64>,
    place: Range<u64>,
    proof_len: usize,
}

impl Piece {
    /// The piece of the text, as far as there is text.
    #[must_use]
    pub const fn text(&self) -> &Range<u64> {
        &self.text
    }

    /// The bytes of the blob to fetch.
    #[must_use]
    pub const fn place(&self) -> &Range<u64> {
        &self.place
    }

    /// The leaves that these bytes are, whose proof is to be fetched.
    #[must_use]
    pub const fn leaves(&self) -> &Range<u64> {
        &self.leaves
    }

    /// Bytes of that proof.
    #[must_use]
    pub const fn proof_len(&self) -> usize {
        self.proof_len
    }
}

impl BlobPieces<'_> {
    /// What to fetch for a piece of the text.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if there is no text, or none is asked for.
    pub fn piece(&self, text: &Range<u64>) -> Result<Piece, Error> {
        let text = text.start..text.end.min(self.blob.text_len());
        if text.start >= text.end {
            return Err(Error::OutOfRange);
        }
        let leaves = text.start >> CHUNK_BITS..text.end.div_ceil(CHUNK as u64);
        self.piece_of(text, leaves)
    }

    /// What to fetch for a run of leaves: all the text in them, perhaps none. Whoever opens all of a blob in runs opens
    /// those behind the text, too, which are padding.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if there are no such leaves, or none is asked for.
    pub fn run(&self, leaves: Range<u64>) -> Result<Piece, Error> {
        let place = |leaf: u64| {
            let place = leaf.saturating_mul(CHUNK as u64);
            place.min(self.blob.text_len())
        };
        self.piece_of(place(leaves.start)..place(leaves.end), leaves)
    }

    fn piece_of(&self, text: Range<u64>, leaves: Range<u64>) -> Result<Piece, Error> {
        let place = self.shape.place(&leaves)?;
        let proof_len = proof_len(&self.shape, &leaves)?;
        Ok(Piece {
            text,
            leaves,
            place,
            proof_len,
        })
    }

    /// Checks the bytes of a piece, opens them in place, and gives its text, chunk by chunk. On failure the bytes are
    /// overwritten or what they were.
    ///
    /// # Errors
    /// [`Error::Truncated`] if it is not as many bytes as the piece has; [`Error::Proof`]; and what only the blob's maker
    /// can have done: [`Error::Commitment`], [`Error::Chunk`], [`Error::Padding`].
    pub fn open<'a>(
        &mut self,
        piece: &Piece,
        stored: &'a mut [u8],
        proof: &[u8],
    ) -> Result<Texts<'a>, Error> {
        let place = piece.place.end.saturating_sub(piece.place.start);
        if u64::try_from(stored.len()) != Ok(place) {
            return Err(Error::Truncated);
        }
        let (id, length) = (self.blob.id, self.shape.stored_len());
        let mut verifier = RangeVerifier::new(id, length, piece.leaves.clone(), proof)?;
        verifier.feed(stored)?;
        let verified = verifier.finish()?;
        let text_len = self.blob.text_len();
        let chunks = self.keys(verified.header())?;
        for (number, chunk) in piece.leaves.clone().zip(stored.chunks_mut(SEALED_CHUNK)) {
            let opened = chunks.open(number, chunk);
            let padded = opened.and_then(|text| require_padding(text_len, number, text));
            if let Err(error) = padded {
                stored.zeroize();
                return Err(error);
            }
        }
        let skip = piece.text.start & IN_CHUNK;
        Ok(Texts {
            rest: stored,
            skip: usize::try_from(skip).map_err(|_| Error::OutOfRange)?,
            left: piece.text.end.saturating_sub(piece.text.start),
        })
    }

    /// The keys of the blob, whose header was checked.
    fn keys(&mut self, header: &[u8; HEADER]) -> Result<&Chunks, Error> {
        if !matches!(&self.keys, Some((known, _)) if known == header) {
            let chunks = begin(&self.blob.key, CONTEXT, header)?;
            self.keys = Some((*header, Box::new(chunks)));
        }
        match &self.keys {
            Some((_, chunks)) => Ok(chunks),
            None => Err(Error::Commitment),
        }
    }
}

impl fmt::Debug for BlobPieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlobPieces").field(self.blob).finish()
    }
}

/// SPEC §20.2-R7: what stands behind the text in a chunk is zero.
fn require_padding(text_len: u64, number: u64, chunk: &[u8]) -> Result<(), Error> {
    let text = text_len.saturating_sub(number.saturating_mul(CHUNK as u64));
    let text = usize::try_from(text).unwrap_or(usize::MAX);
    let zeros = chunk.get(text..).unwrap_or_default();
    padding::require_zeros(zeros).map_err(|_| Error::Padding)
}

/// The text of a piece: the parts that lie in one chunk each, in their order.
pub struct Texts<'a> {
    /// Chunks, opened in place.
    rest: &'a [u8],
    /// Bytes of the first one in front of the piece.
    skip: usize,
    /// Bytes of the piece to come.
    left: u64,
}

impl<'a> Iterator for Texts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        let (chunk, rest) = self
            .rest
            .split_at_checked(SEALED_CHUNK)
            .unwrap_or((self.rest, &[]));
        let chunk = chunk.get(..CHUNK.min(chunk.len())).unwrap_or_default();
        let text = chunk.get(self.skip..).unwrap_or_default();
        let length = usize::try_from(self.left).unwrap_or(usize::MAX);
        let text = text.get(..length.min(text.len())).unwrap_or_default();
        self.rest = rest;
        self.skip = 0;
        self.left = self.left.saturating_sub(text.len() as u64);
        if text.is_empty() {
            self.left = 0;
            return None;
        }
        Some(text)
    }
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

//! `MSG'`: tag, salt, encrypted header, body (SPEC §8.2).
//!
//! ```text
//! tag 8 || salt 16 || ench 60 || body 208..2^20
//! ```

use super::Error;
use super::keys::{SALT, TAG};
use super::limits::{BODY_MAX, BODY_MIN};
use crate::crypto::aead;
use crate::padding::is_padded_length;
use crate::wire::Reader;

/// Bytes of a header: `DHs 32 || N u32 || PN u32 || pq_epoch u32`.
pub const HEADER: usize = 44;

/// Bytes of an encrypted header.
pub(crate) const ENCRYPTED_HEADER: usize = HEADER + aead::TAG;

/// Bytes that a frame adds to the padded text; an ordinary message adds two more for the envelope.
pub const FRAME_OVERHEAD: usize = TAG + SALT + ENCRYPTED_HEADER + aead::TAG;

/// Longest text: what fits the largest padded length with its four bytes of length and one of the Braid.
pub const TEXT_MAX: usize = 1_032_187;

/// A frame's parts; nothing is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    pub(crate) tag: &'a [u8; TAG],
    pub(crate) salt: &'a [u8; SALT],
    pub(crate) header: &'a [u8; ENCRYPTED_HEADER],
    /// Ciphertext and tag.
    pub(crate) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Splits everything that is left of `reader` (SPEC §8.2-R1).
    ///
    /// # Errors
    /// [`Error::Malformed`], also for a body of a length that padding never gives.
    pub fn read(mut reader: Reader<'a>) -> Result<Self, Error> {
        let frame = Self {
            tag: reader.array()?,
            salt: reader.array()?,
            header: reader.array()?,
            body: reader.rest(),
        };
        let length = frame.body.len();
        if !(BODY_MIN..=BODY_MAX).contains(&length)
            || !is_padded_length(length.saturating_sub(aead::TAG))
        {
            return Err(Error::Malformed);
        }
        Ok(frame)
    }

    /// The tag that names the header key.
    #[must_use]
    pub const fn tag(&self) -> &'a [u8; TAG] {
        self.tag
    }
}

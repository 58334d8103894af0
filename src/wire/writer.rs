//! Appends values to a byte string.

use alloc::vec::Vec;

use super::{Error, VECTOR_MAX, header_length};
use crate::memory;

/// A byte string under construction.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Empty, with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: memory::with_capacity(capacity),
        }
    }

    /// Continues behind `bytes`.
    #[must_use]
    pub const fn append_to(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What was written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `opaque x[n]`.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        memory::extend(&mut self.bytes, bytes);
        self
    }

    /// `uint8`.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// `uint16`.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// `uint32`.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// `uint64`.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// One byte 0 or 1.
    pub fn flag(&mut self, value: bool) -> &mut Self {
        self.u8(u8::from(value))
    }

    /// The length in front of a variable vector, in its shortest form.
    ///
    /// # Errors
    /// [`Error::TooLong`] over 2^30 - 1; nothing is written.
    pub fn vector_length(&mut self, length: usize) -> Result<&mut Self, Error> {
        if length > VECTOR_MAX {
            return Err(Error::TooLong);
        }
        let length = u32::try_from(length).map_err(|_| Error::TooLong)?;
        let [first, second, third, last] = length.to_be_bytes();
        Ok(match length {
            0..0x40 => self.u8(last),
            0x40..0x4000 => self.bytes(&[third | 0x40, last]),
            _ => self.bytes(&[first | 0x80, second, third, last]),
        })
    }

    /// `opaque x<V>`.
    ///
    /// # Errors
    /// [`Error::TooLong`] over 2^30 - 1 bytes; nothing is written.
    pub fn vector(&mut self, bytes: &[u8]) -> Result<&mut Self, Error> {
        Ok(self.vector_length(bytes.len())?.bytes(bytes))
    }

    /// `opaque x<V>` of what `write` gives.
    ///
    /// # Errors
    /// Those of `write`, and [`Error::TooLong`] over 2^30 - 1 bytes; what was written up to there stays.
    pub fn nested(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<&mut Self, Error> {
        let start = self.bytes.len();
        write(self)?;
        // The length is known now: written behind, and moved to the front.
        let length = self.bytes.len().saturating_sub(start);
        self.vector_length(length)?;
        let header = header_length(length);
        if let Some(whole) = self.bytes.get_mut(start..)
            && header <= whole.len()
        {
            whole.rotate_right(header);
        }
        Ok(self)
    }
}

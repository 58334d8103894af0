//! Reads values off the front of a byte string.

use super::Error;

/// What is left to read.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the front of `input`.
    #[must_use]
    pub const fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// The bytes not yet read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Ends the value (SPEC §4-R3).
    ///
    /// # Errors
    /// [`Error::Trailing`] if anything is left.
    pub const fn finish(self) -> Result<(), Error> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::Trailing)
        }
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// `opaque x[N]`.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// `uint8`.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn u8(&mut self) -> Result<u8, Error> {
        self.array().map(|bytes| u8::from_be_bytes(*bytes))
    }

    /// `uint16`.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// `uint32`.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// `uint64`.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// A byte that is 0 or 1: the presence of an optional value, or a flag.
    ///
    /// # Errors
    /// [`Error::Truncated`]; [`Error::Value`] for any other byte.
    pub fn flag(&mut self) -> Result<bool, Error> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Error::Value),
        }
    }

    /// The length in front of a variable vector (RFC 9420 §2.1.2), in its shortest form only (SPEC §4-R2).
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::Length`].
    pub fn vector_length(&mut self) -> Result<usize, Error> {
        let first = *self.rest.first().ok_or(Error::Truncated)?;
        let (length, least) = match first >> 6 {
            0 => (u32::from(self.u8()?), 0),
            1 => (u32::from(self.u16()? & 0x3fff), 1 << 6),
            2 => (self.u32()? & 0x3fff_ffff, 1 << 14),
            _ => return Err(Error::Length),
        };
        if length < least {
            return Err(Error::Length);
        }
        usize::try_from(length).map_err(|_| Error::TooLong)
    }

    /// `opaque x<V>` of at most `max` bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::Length`], [`Error::TooLong`].
    pub fn vector(&mut self, max: usize) -> Result<&'a [u8], Error> {
        let length = self.vector_length()?;
        if length > max {
            return Err(Error::TooLong);
        }
        self.take(length)
    }
}

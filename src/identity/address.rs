//! Where a device is reached: bytes that only the app understands (SPEC §6.1).

use core::fmt;

use super::error::Error;
use crate::wire::{self, Reader, Writer};

/// Longest address. 47 bytes hold a 32-byte account hash and a device number, and keep the encrypted identity of
/// a first message at 184 bytes.
pub const ADDRESS_MAX: usize = 47;

/// An address: 1 to 47 bytes, opaque to the library, bound into every agreement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    length: u8,
    /// Zero behind `length`.
    bytes: [u8; ADDRESS_MAX],
}

impl Address {
    /// Takes 1 to 47 bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] for any other length.
    pub fn new(address: &[u8]) -> Result<Self, Error> {
        if address.is_empty() || address.len() > ADDRESS_MAX {
            return Err(Error::Malformed);
        }
        let mut bytes = [0; ADDRESS_MAX];
        for (to, from) in bytes.iter_mut().zip(address) {
            *to = *from;
        }
        Ok(Self {
            length: u8::try_from(address.len()).map_err(|_| Error::Malformed)?,
            bytes,
        })
    }

    /// An address of a length that is known to be allowed.
    pub(super) fn of_length<const N: usize>(address: [u8; N]) -> Self {
        const { assert!(N >= 1 && N <= ADDRESS_MAX) };
        let mut bytes = [0; ADDRESS_MAX];
        for (to, from) in bytes.iter_mut().zip(address) {
            *to = from;
        }
        Self {
            length: const { N as u8 },
            bytes,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or(&self.bytes)
    }

    /// The length, 1 to 47, and the bytes filled up with zeros.
    pub(crate) const fn padded(&self) -> (u8, &[u8; ADDRESS_MAX]) {
        (self.length, &self.bytes)
    }

    /// Reads `vec(address)`.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Self::new(reader.vector(ADDRESS_MAX)?).map_err(|_| wire::Error::Value)
    }

    /// Writes `vec(address)`.
    pub(crate) fn write(&self, writer: &mut Writer) {
        // At most 47 bytes: one byte of length.
        writer.u8(self.length).bytes(self.as_bytes());
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address(\"{}\")", self.as_bytes().escape_ascii())
    }
}

//! Floor 0: the TLS presentation language as RFC 9420 §2.1 profiles it (SPEC §4).
//!
//! One encoding for every value: integers big-endian, variable vectors with the shortest possible length
//! (RFC 9420 §2.1.2), optional values behind one byte 0 or 1. Whatever [`Reader`] accepts, [`Writer`] gives back
//! byte for byte; nothing is allocated beyond the input.

use core::fmt;

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;

/// Longest variable vector: 2^30 - 1 bytes (RFC 9420 §2.1.2).
pub const VECTOR_MAX: usize = (1 << 30) - 1;

/// Bytes of the length in front of a variable vector of `length` bytes.
#[must_use]
pub const fn header_length(length: usize) -> usize {
    match length {
        0..0x40 => 1,
        0x40..0x4000 => 2,
        _ => 4,
    }
}

/// Why bytes are not an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The input ends before the value does.
    Truncated,
    /// Bytes are left over behind the value.
    Trailing,
    /// A vector length is written longer than necessary, or with the reserved prefix 0b11.
    Length,
    /// A vector is longer than the encoding or the caller allows.
    TooLong,
    /// A value outside of what the field allows.
    Value,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the input ends before the value does",
            Self::Trailing => "bytes are left over behind the value",
            Self::Length => "a vector length is not in its shortest form",
            Self::TooLong => "a vector is too long",
            Self::Value => "a value is out of range",
        })
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests;

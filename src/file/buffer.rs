//! The one chunk that is held, as far as it is there.

use alloc::vec::Vec;

use zeroize::Zeroize;

use super::chunk::SEALED_CHUNK;
use crate::memory;

/// Room for a sealed chunk, overwritten when it is dropped.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Bytes that were taken since the last [`take_filled`](Self::take_filled).
    filled: usize,
}

impl Buffer {
    pub fn new() -> Self {
        let mut bytes = memory::with_capacity(SEALED_CHUNK);
        memory::lengthen(&mut bytes, SEALED_CHUNK);
        Self { bytes, filled: 0 }
    }

    /// How many bytes [`fill`](Self::fill) would take.
    pub fn room(&self, wanted: usize, from: &[u8]) -> usize {
        wanted.saturating_sub(self.filled).min(from.len())
    }

    /// Takes bytes from the front of `from` until `wanted` are there; whether they are.
    pub fn fill(&mut self, from: &mut &[u8], wanted: usize) -> bool {
        let room = self.room(wanted, from);
        let free = self.bytes.get_mut(self.filled..).unwrap_or_default();
        // Both of one length, which the compiler sees, too.
        if let Some(free) = free.get_mut(..room)
            && let Some((front, rest)) = from.split_at_checked(room)
        {
            free.copy_from_slice(front);
            *from = rest;
        }
        self.filled = self.filled.saturating_add(room);
        self.filled >= wanted
    }

    /// Where the next bytes go, until `wanted` are there.
    #[cfg(feature = "std")]
    pub fn free(&mut self, wanted: usize) -> &mut [u8] {
        let free = self.bytes.get_mut(self.filled..wanted);
        free.unwrap_or_default()
    }

    /// So many bytes were put in front of what was [`free`](Self::free).
    #[cfg(feature = "std")]
    pub const fn add(&mut self, more: usize) {
        self.filled = self.filled.saturating_add(more);
    }

    /// Puts zeros behind what is there, at most so many, until `wanted` bytes are there; how many it put.
    pub fn fill_zeros(&mut self, zeros: u64, wanted: usize) -> usize {
        let zeros = usize::try_from(zeros).unwrap_or(usize::MAX);
        let room = wanted.saturating_sub(self.filled).min(zeros);
        let end = self.filled.saturating_add(room);
        if let Some(free) = self.bytes.get_mut(self.filled..end) {
            free.fill(0);
        }
        self.filled = end;
        room
    }

    /// How many bytes are there.
    pub const fn filled(&self) -> usize {
        self.filled
    }

    /// The same; from now on none are.
    pub const fn take_filled(&mut self) -> usize {
        core::mem::replace(&mut self.filled, 0)
    }

    /// The first bytes, whatever they are.
    pub fn front(&self, length: usize) -> &[u8] {
        self.bytes.get(..length).unwrap_or_default()
    }

    /// The first bytes, to be sealed or opened in place.
    pub fn front_mut(&mut self, length: usize) -> &mut [u8] {
        self.bytes.get_mut(..length).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

//! What C hands in and takes out: pointers that are checked before they are used.
//!
//! References to inputs end before the first output is written, so that an output may lie where an input lay.

use alloc::vec::Vec;
use core::slice;

use crate::status::Status;
use crate::value::subrosa_bytes;

/// `len` values. NULL is fine for none.
///
/// # Safety
/// As the [crate](crate#safety). Nothing of `'a` outlives the call that C made.
pub unsafe fn list<'a, T>(data: *const T, len: usize) -> Result<&'a [T], Status> {
    let fits = len.checked_mul(size_of::<T>());
    if fits.is_none_or(|bytes| bytes > isize::MAX.unsigned_abs()) {
        return Err(Status::ARGUMENT);
    }
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() || !data.is_aligned() {
        return Err(Status::ARGUMENT);
    }
    // SAFETY: not NULL, aligned, of a length that can be; the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

/// `len` slices of bytes.
///
/// # Safety
/// As [`list`].
pub unsafe fn bytes<'a>(data: *const subrosa_bytes, len: usize) -> Result<Vec<&'a [u8]>, Status> {
    // SAFETY: the caller's promise.
    let views: &[subrosa_bytes] = unsafe { list(data, len) }?;
    views
        .iter()
        // SAFETY: the caller's promise, for every view.
        .map(|view| unsafe { list(view.data, view.len) })
        .collect()
}

/// Exactly `N` bytes.
///
/// # Safety
/// As [`list`].
pub unsafe fn array<'a, const N: usize>(data: *const u8) -> Result<&'a [u8; N], Status> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { list(data, N) }?;
    bytes.try_into().map_err(|_| Status::ARGUMENT)
}

/// One value.
///
/// # Safety
/// As [`list`].
pub unsafe fn value<T: Copy>(data: *const T) -> Result<T, Status> {
    // SAFETY: the caller's promise.
    let values = unsafe { list(data, 1) }?;
    values.first().copied().ok_or(Status::ARGUMENT)
}

/// A structure that begins with its own size.
///
/// # Safety
/// Every structure of this type begins with a `usize`, its `struct_size`.
pub unsafe trait Structure: Copy {}

/// A structure that begins with its size, which is the one that this library knows.
///
/// # Safety
/// As [`list`], for as many bytes as the structure says.
pub unsafe fn structure<T: Structure>(data: *const T) -> Result<T, Status> {
    // SAFETY: a structure begins with its size.
    let size = unsafe { value(data.cast::<usize>()) }?;
    if size != size_of::<T>() {
        return Err(Status::ARGUMENT);
    }
    // SAFETY: the caller says that it is whole.
    unsafe { value(data) }
}

/// Where a value goes.
#[must_use]
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Writes it.
    pub fn write(self, value: T) {
        // SAFETY: `out` has checked the pointer; that it may be written is the caller's promise.
        unsafe { self.0.write(value) }
    }
}

/// Where a value goes.
///
/// # Safety
/// As the [crate](crate#safety).
pub unsafe fn out<T>(to: *mut T) -> Result<Out<T>, Status> {
    if to.is_null() || !to.is_aligned() {
        return Err(Status::ARGUMENT);
    }
    Ok(Out(to))
}

/// Where a value goes that nobody may want.
///
/// # Safety
/// As [`out`].
pub unsafe fn out_or_null<T>(to: *mut T) -> Result<Option<Out<T>>, Status> {
    if to.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { out(to) }.map(Some)
}

/// Where exactly `N` bytes go.
///
/// # Safety
/// As [`out`].
pub unsafe fn out_array<const N: usize>(to: *mut u8) -> Result<Out<[u8; N]>, Status> {
    // SAFETY: the caller's promise.
    unsafe { out(to.cast()) }
}

/// Where a structure goes that begins with its size, which is the one that this library knows.
///
/// # Safety
/// As [`out`].
pub unsafe fn out_structure<T: Structure>(to: *mut T) -> Result<Out<T>, Status> {
    // SAFETY: a structure begins with its size, and the caller has set it.
    let size = unsafe { value(to.cast::<usize>().cast_const()) }?;
    if size != size_of::<T>() {
        return Err(Status::ARGUMENT);
    }
    // SAFETY: the caller's promise.
    unsafe { out(to) }
}

/// Room for bytes whose number the library says.
pub struct Buffer {
    to: *mut u8,
    room: usize,
    len: Out<usize>,
}

/// Room for bytes: `*len` of them, which becomes the number of those that were written or are needed.
///
/// # Safety
/// As [`out`]. NULL is fine for no room.
pub unsafe fn buffer(to: *mut u8, len: *mut usize) -> Result<Buffer, Status> {
    // SAFETY: the caller's promise.
    let room = unsafe { value(len.cast_const()) }?;
    if room > isize::MAX.unsigned_abs() || (to.is_null() && room > 0) {
        return Err(Status::ARGUMENT);
    }
    // SAFETY: the caller's promise.
    let len = unsafe { out(len) }?;
    Ok(Buffer { to, room, len })
}

impl Buffer {
    /// How many bytes there is room for.
    pub const fn room(&self) -> usize {
        self.room
    }

    /// Fails if there is no room for so many bytes, and says that it takes so many.
    pub fn require(self, needed: usize) -> Result<Self, Status> {
        if self.room < needed {
            self.len.write(needed);
            return Err(Status::BUFFER);
        }
        Ok(self)
    }

    /// Copies the bytes if there is room for them.
    pub fn write(self, bytes: &[u8]) -> Result<(), Status> {
        self.write_parts([bytes, &[]])
    }

    /// Copies bytes and those that follow them if there is room for all.
    pub fn write_parts(self, parts: [&[u8]; 2]) -> Result<(), Status> {
        let [front, behind] = parts;
        let mut buffer = self.require(front.len().saturating_add(behind.len()))?;
        let filled = buffer.put(0, front);
        let filled = buffer.put(filled, behind);
        buffer.end(filled);
        Ok(())
    }

    /// Copies bytes behind the first `filled`, as many as there is room for; how many there are then.
    pub fn put(&mut self, filled: usize, bytes: &[u8]) -> usize {
        let room = self.room.saturating_sub(filled).min(bytes.len());
        if room > 0 {
            let to = self.to.wrapping_add(filled);
            // SAFETY: within the room, which is not the library's own memory, where `bytes` are.
            unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), room) }
        }
        filled.saturating_add(room)
    }

    /// Overwrites the first `filled` bytes, of which nothing is given out.
    pub fn clear(self, filled: usize) {
        let filled = filled.min(self.room);
        if filled > 0 {
            // SAFETY: within the room.
            unsafe { self.to.write_bytes(0, filled) }
        }
    }

    /// Says how many bytes were put there.
    pub fn end(self, filled: usize) {
        self.len.write(filled);
    }
}

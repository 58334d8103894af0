//! Memory of a C program, reached through nothing but pointers.

use std::cell::UnsafeCell;
use std::rc::Rc;

/// So many bytes.
pub const ROOM: usize = 2048;

/// Zeros, aligned for every type.
#[repr(C, align(16))]
pub struct Mem(UnsafeCell<[u8; ROOM]>);

impl Mem {
    pub fn new() -> Rc<Self> {
        Rc::new(Self(UnsafeCell::new([0; ROOM])))
    }

    /// Memory that begins with these bytes.
    pub fn with(bytes: &[u8]) -> Rc<Self> {
        let mem = Self::new();
        mem.put(0, bytes);
        mem
    }

    /// The address of this byte.
    pub fn at<T>(&self, offset: usize) -> *mut T {
        assert!(offset + size_of::<T>() <= ROOM);
        unsafe { self.0.get().cast::<u8>().add(offset) }.cast()
    }

    pub fn put(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= ROOM);
        let to = unsafe { self.0.get().cast::<u8>().add(offset) };
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) }
    }

    pub fn take(&self, offset: usize, len: usize) -> Vec<u8> {
        assert!(offset + len <= ROOM);
        let from = unsafe { self.0.get().cast::<u8>().add(offset) };
        (0..len).map(|at| unsafe { from.add(at).read() }).collect()
    }

    /// A value that was written.
    pub fn read<T: Copy>(&self, offset: usize) -> T {
        unsafe { self.at::<T>(offset).read() }
    }
}

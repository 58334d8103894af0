//! Where a bare build takes its memory from.

use core::ffi::c_void;

use crate::args::{self, Structure};
use crate::call::call;
#[cfg(feature = "std")]
use crate::status::Status;
use crate::status::subrosa_status;

/// Where memory comes from.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_allocator {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// What the functions are called with.
    pub context: *mut c_void,
    /// Gives memory, or NULL.
    pub allocate: Option<
        unsafe extern "C" fn(context: *mut c_void, size: usize, align: usize) -> *mut c_void,
    >,
    /// Takes memory back.
    pub release: Option<
        unsafe extern "C" fn(context: *mut c_void, memory: *mut c_void, size: usize, align: usize),
    >,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_allocator {}

/// Says where memory comes from, before any was taken.
///
/// # Safety
/// As the [crate](crate#safety); the functions keep what the header says of them, for as long as the program runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_set_allocator(
    allocator: *const subrosa_allocator,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let allocator = unsafe { args::structure(allocator) }?;
        set(&allocator)
    })
}

#[cfg(feature = "std")]
fn set(allocator: &subrosa_allocator) -> Result<(), Status> {
    let whole = allocator.allocate.is_some() && allocator.release.is_some();
    Err(if whole {
        Status::UNSUPPORTED
    } else {
        Status::ARGUMENT
    })
}

#[cfg(not(feature = "std"))]
use crate::bare::set;

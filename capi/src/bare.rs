//! What Rust's standard library does otherwise: memory, and the end of the program.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::panic::PanicInfo;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::memory::subrosa_allocator;
use crate::status::Status;

unsafe extern "C" {
    fn abort() -> !;
    fn malloc(size: usize) -> *mut c_void;
    fn posix_memalign(memory: *mut *mut c_void, align: usize, size: usize) -> c_int;
    fn free(memory: *mut c_void);
}

/// No panic is linked that can be reached; if one is, it ends the program.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: it only ends the program.
    unsafe { abort() }
}

/// No memory was taken yet, and no allocator was set.
const UNUSED: usize = 0;
/// An allocator is being set.
const SETTING: usize = 1;
/// Memory comes from `malloc`.
const SYSTEM: usize = 2;
/// Memory comes from the host's functions.
const HOST: usize = 3;

/// The memory of the host, or of `malloc`.
struct Host {
    from: AtomicUsize,
    allocator: UnsafeCell<Option<subrosa_allocator>>,
}

// SAFETY: `allocator` is written by the one call that moves `from` from UNUSED to SETTING, and read once it is HOST.
unsafe impl Sync for Host {}

#[global_allocator]
static HOST_MEMORY: Host = Host {
    from: AtomicUsize::new(UNUSED),
    allocator: UnsafeCell::new(None),
};

/// Sets the host's functions, once, before any memory was taken.
pub fn set(allocator: &subrosa_allocator) -> Result<(), Status> {
    if allocator.allocate.is_none() || allocator.release.is_none() {
        return Err(Status::ARGUMENT);
    }
    let from = &HOST_MEMORY.from;
    let order = Ordering::Acquire;
    if from
        .compare_exchange(UNUSED, SETTING, order, order)
        .is_err()
    {
        return Err(Status::BUSY);
    }
    // SAFETY: this call alone has moved it to SETTING.
    unsafe { *HOST_MEMORY.allocator.get() = Some(*allocator) };
    from.store(HOST, Ordering::Release);
    Ok(())
}

impl Host {
    /// The host's functions, unless memory comes from `malloc`, which from now on it does.
    fn host(&self) -> Option<&subrosa_allocator> {
        let order = Ordering::Acquire;
        let from = self.from.compare_exchange(UNUSED, SYSTEM, order, order);
        match from {
            Err(HOST) => {
                // SAFETY: it was set, and is not changed again.
                let allocator = unsafe { &*self.allocator.get() };
                allocator.as_ref()
            }
            // The header says: once, before every other call.
            _ => None,
        }
    }
}

/// What `malloc` aligns to on every system that has it.
const MALLOC_ALIGN: usize = 2 * size_of::<usize>();

// SAFETY: memory of the size and the alignment that is asked for, from functions that promise just that.
unsafe impl GlobalAlloc for Host {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(subrosa_allocator {
            context,
            allocate: Some(allocate),
            ..
        }) = self.host()
        {
            // SAFETY: the host's promise.
            return unsafe { allocate(*context, layout.size(), layout.align()) }.cast();
        }
        if layout.align() <= MALLOC_ALIGN {
            // SAFETY: any size is fine.
            return unsafe { malloc(layout.size()) }.cast();
        }
        let mut memory = ptr::null_mut();
        // SAFETY: a power of two, and a multiple of a pointer's size as it is greater than two of them.
        let status = unsafe { posix_memalign(&raw mut memory, layout.align(), layout.size()) };
        if status == 0 {
            memory.cast()
        } else {
            ptr::null_mut()
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if let Some(subrosa_allocator {
            context,
            release: Some(release),
            ..
        }) = self.host()
        {
            // SAFETY: `allocate` gave it.
            return unsafe { release(*context, memory.cast(), layout.size(), layout.align()) };
        }
        // SAFETY: `malloc` or `posix_memalign` gave it.
        unsafe { free(memory.cast()) }
    }
}

//! Where randomness comes from.

use core::ffi::c_void;
use core::fmt;

use rand_core::{TryCryptoRng, TryRng};

use crate::args::{self, Structure};
use crate::status::Status;

/// A source of randomness.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_rng {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// What `fill` is called with.
    pub context: *mut c_void,
    /// Fills memory with random bytes and returns 0.
    pub fill: Option<unsafe extern "C" fn(context: *mut c_void, out: *mut u8, len: usize) -> i32>,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_rng {}

/// The generator of a device.
pub enum Rng {
    /// The operating system's.
    #[cfg(feature = "os-rng")]
    Os,
    /// The app's.
    Custom {
        /// What `fill` is called with.
        context: *mut c_void,
        /// Fills memory with random bytes and returns 0.
        fill: unsafe extern "C" fn(context: *mut c_void, out: *mut u8, len: usize) -> i32,
    },
}

// SAFETY: a device calls its generator during its own calls only, one at a time; the header says that they may come from
// any thread.
unsafe impl Send for Rng {}
// SAFETY: nothing is done with a shared generator.
unsafe impl Sync for Rng {}

impl Rng {
    /// The generator that C has handed in, or the operating system's for NULL.
    ///
    /// # Safety
    /// As the [crate](crate#safety).
    pub unsafe fn new(rng: *const subrosa_rng) -> Result<Self, Status> {
        if rng.is_null() {
            #[cfg(feature = "os-rng")]
            return Ok(Self::Os);
            #[cfg(not(feature = "os-rng"))]
            return Err(Status::UNSUPPORTED);
        }
        // SAFETY: the caller's promise.
        let rng = unsafe { args::structure(rng) }?;
        let fill = rng.fill.ok_or(Status::ARGUMENT)?;
        Ok(Self::Custom {
            context: rng.context,
            fill,
        })
    }
}

/// The generator gave nothing.
#[derive(Debug)]
pub struct Dry;

impl fmt::Display for Dry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the generator gave nothing")
    }
}

impl core::error::Error for Dry {}

impl TryRng for Rng {
    type Error = Dry;

    fn try_next_u32(&mut self) -> Result<u32, Dry> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Dry> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Dry> {
        match self {
            #[cfg(feature = "os-rng")]
            Self::Os => getrandom::fill(bytes).map_err(|_| Dry),
            Self::Custom { context, fill } => {
                // SAFETY: `bytes` may be written; the rest is the promise of who made the structure.
                let status = unsafe { fill(*context, bytes.as_mut_ptr(), bytes.len()) };
                if status == 0 { Ok(()) } else { Err(Dry) }
            }
        }
    }
}

impl TryCryptoRng for Rng {}

//! The last thing between Rust and C.

use crate::status::{Status, subrosa_status};

/// Runs the work of one function. A panic, which is a fault of the library, becomes a status: it must not reach C.
#[cfg(feature = "std")]
pub fn call(work: impl FnOnce() -> Result<(), Status>) -> subrosa_status {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    // What the panic left half done is out of reach: its handle was spoilt (`handle::Exclusive`).
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Status::number(result),
        Err(_) => Status::INTERNAL.0,
    }
}

/// Runs the work of one function. A panic aborts.
#[cfg(not(feature = "std"))]
pub fn call(work: impl FnOnce() -> Result<(), Status>) -> subrosa_status {
    Status::number(work())
}

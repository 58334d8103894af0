//! What only a program on an operating system has: its random number generator and its clock.

use std::time::{SystemTime, UNIX_EPOCH};

pub use getrandom::SysRng;

/// The operating system's random number generator.
#[must_use]
pub const fn os_rng() -> SysRng {
    SysRng
}

/// The system clock, Unix milliseconds; 0 before 1970.
#[must_use]
pub fn system_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok())
        .unwrap_or(0)
}

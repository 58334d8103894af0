//! What only a program on an operating system has: its random number generator, its clock, its input and output.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

pub use getrandom::SysRng;

use crate::session::{Action, Error};

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

/// A refusal among the errors of files and sockets: invalid data, or, for a local fault, another error.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.action() {
            Action::Local => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

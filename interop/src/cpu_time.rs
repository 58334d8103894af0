//! What is measured: the CPU time of the thread.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time that this thread has used so far.
#[must_use]
pub fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// CPU time that this thread has used since.
#[must_use]
pub fn since(start: Duration) -> Duration {
    now().saturating_sub(start)
}

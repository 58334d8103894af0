//! What is measured: the CPU time of the thread, or, where a peer has several, of the process.

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

/// CPU time that all threads of this process have used so far.
#[must_use]
pub fn of_process() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

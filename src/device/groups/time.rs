//! Clocks: a device counts milliseconds, MLS seconds.

/// Seconds since 1970, from milliseconds.
pub(super) const fn seconds(now: u64) -> u64 {
    now / 1_000
}

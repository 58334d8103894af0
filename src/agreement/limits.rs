//! Every bound of key agreement, with its reason.

/// The only suite: X25519, ML-KEM-768, SHA-256, AES-256-GCM. Another one would be another version byte.
pub const SUITE: u16 = 1;

/// Longest bundle accepted: five times what one takes, so that nobody stores a megabyte as a bundle.
pub const BUNDLE_MAX: usize = 8 * 1024;

const DAY: u64 = 24 * 60 * 60 * 1000;

/// How long a signed prekey and its last-resort KEM key are the newest, in milliseconds: seven days bound what
/// the theft of the pair reveals and for how long it allows impersonation.
pub const ROTATION: u64 = 7 * DAY;

/// How long replaced private halves are kept for messages under way, in milliseconds.
pub const GRACE: u64 = 30 * DAY;

/// How long a published key may be used, in milliseconds, from its making: a device that slept through a rotation
/// and a whole grace can still be written to.
pub const VALIDITY: u64 = ROTATION + GRACE;

/// First messages remembered for one signed prekey, 16 bytes each: 128 kB. Beyond it the app rotates.
pub const REPLAY_RECORDS: usize = 8_192;

/// One-time keys held of one sort: what one upload of bundles (0.8 MB) can carry, and what a server that
/// claims to have none can make a device hold.
pub const ONE_TIME_KEYS: usize = 500;

/// Generations of signed prekeys held. Rotations every week with 30 days of grace hold six; more come only from
/// rotations forced by full replay records, and drop the oldest.
pub const GENERATIONS: usize = 16;

/// Greatest `created_at`, Unix milliseconds: the year 10889. A peer that claims more is refused, so that a
/// successor's time can always be written.
pub const CREATED_AT_MAX: u64 = (1 << 48) - 1;

/// Ids left out when a device was set back to an older state of itself: more than it can have given out since, so that
/// none is given twice.
pub const LEFT_OUT: u32 = 1 << 20;

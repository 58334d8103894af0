//! Every bound of groups, with its reason.

/// Leaves of a tree: members and free places. Five times the groups that this library is built for; the tree of so many
/// is some 300 MB.
pub const LEAVES_MAX: u32 = 1 << 20;

/// Generations that one message may skip in a sender's ratchet, and 1.5 ms of work (RFC 9420 §15.3).
pub const FORWARD_MAX: u32 = 2_000;

/// Of how many generations that were skipped last in one ratchet the keys are held; the oldest go first.
pub const SKIPPED_MAX: usize = 2_000;

/// Past epochs of which messages stay readable, unless the app says otherwise.
pub const PAST_EPOCHS: usize = 3;

/// Epochs whose resumption secrets are held (RFC 9420 §8.6), the present one included.
pub const RESUMPTION_EPOCHS: usize = 8;

/// Proposals of one epoch that are held: those of a group of ten thousand in which every tenth member updates.
pub const PROPOSALS_MAX: usize = 1_024;

/// Values in each list of a leaf's capabilities. Registries have some dozen each; what a list costs is counted for the
/// whole group.
pub const CAPABILITIES_MAX: usize = 256;

/// Seconds that the lifetime of a key package may span (RFC 9420 §7.2), unless the app says otherwise: a year, a leap day and
/// a day.
pub const LIFETIME_MAX: u64 = 367 * 86_400;

/// Seconds that the clocks of two devices may differ where a lifetime begins.
pub const CLOCK_SKEW: u64 = 3_600;

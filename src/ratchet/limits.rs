//! Every bound of the ratchet, with its reason.

/// Numbers that one message may skip in a chain: what a phone misses in a lossy day, and 0.6 ms of work.
pub const GAP_MAX: u32 = 2_000;

/// Messages in one chain. A peer that never answers for a million messages must begin anew.
pub const CHAIN_MAX: u32 = 1 << 20;

/// Smallest body: 192 bytes of padded text and a tag.
pub const BODY_MIN: usize = 208;

/// Longest body. Whatever is longer travels as a file.
pub const BODY_MAX: usize = 1 << 20;

/// Longest padded content.
pub const PADDED_MAX: usize = BODY_MAX - 16;

/// Epochs of which a direction's seed is held: a chain may be two behind the newest.
pub const EPOCHS: usize = 3;

/// Last epoch of the Braid; its successor would not fit beside a frame's delta.
pub const EPOCH_MAX: u32 = u32::MAX - 1;

/// Last numbers of a receiving chain of which four bytes of salt are kept, to tell a repeated message from a
/// number used twice.
pub const WINDOW: u32 = 32;

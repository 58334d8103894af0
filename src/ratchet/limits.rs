//! Every bound of the ratchet, with its reason.

/// Numbers that one message may skip in a chain: what a phone misses in a lossy day, and 0.6 ms of work.
pub const GAP_MAX: u32 = 2_000;

/// Messages in one chain. A peer that never answers for a million messages must begin anew.
pub const CHAIN_MAX: u32 = 1 << 20;

/// Smallest body: 192 bytes of padded text and a tag.
pub const BODY_MIN: usize = 208;

/// Longest body. Whatever is longer travels as a file.
pub const BODY_MAX: usize = 1 << 20;

/// Last numbers of a receiving chain of which four bytes of salt are kept, to tell a repeated message from a
/// number used twice.
pub const WINDOW: u32 = 32;

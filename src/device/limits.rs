//! Every bound of a device, with its reason.

/// Longest name that an app gives a message it sends: a UUID as text fits twice.
pub const CLIENT_ID_MAX: usize = 64;

/// Conversations that one tag names: more than one only where tags of 64 bits are equal by chance.
pub const INDEXED: usize = crate::session::limits::HEADER_TRIALS;

/// How often somebody else's messages can make a device publish its prekeys, milliseconds (SPEC §14.1-R1).
pub const REPUBLISH: u64 = 60 * 1000;

/// Chains in which the device lists are told anew after either changed: the one that the change came in the middle of,
/// and a whole one.
pub const TELLING: u8 = 2;

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

/// Groups that are kept in memory: those of a user who looks at a few at a time. A group of ten thousand takes some 10 MB.
pub const GROUPS_OPEN: usize = 16;

/// Key packages that others may use, the one of last resort and its predecessor included.
pub const KEY_PACKAGES: usize = 128;

/// How long a key package may be used, seconds: as long as somebody may be without a connection and still be added.
pub const KEY_PACKAGE_LIFETIME: u64 = 90 * 86_400;

/// How long the key package of last resort stays the newest, seconds.
pub const LAST_RESORT_LIFETIME: u64 = 30 * 86_400;

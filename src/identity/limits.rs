//! Every limit of accounts (SPEC §13), each with its reason.

use crate::crypto::sign::{SIGNATURE, VERIFYING_KEY};

/// Entries of an account: its first keys, and those that replaced them. Each is 128 bytes of every later list and one
/// signature to check; an account loses its primary device a few times in its life.
pub const ENTRIES_MAX: usize = 16;

/// Devices of an account. A message to an account is sealed once for each.
pub const DEVICES_MAX: usize = 32;

/// Bytes of an entry.
const ENTRY: usize = 2 * VERIFYING_KEY;

/// Bytes of a device in a list: its id and its two keys.
const DEVICE: usize = 4 + 2 * 32;

/// Longest device list: what follows from the other two limits.
pub const DEVICE_LIST_MAX: usize = 2
    + ENTRY
    + (ENTRIES_MAX - 1) * (ENTRY + SIGNATURE)
    + (8 + 32 + 4 + 1)
    + DEVICES_MAX * DEVICE
    + SIGNATURE;

//! What of a member is stored, so that what has changed since can be told.

use alloc::vec::Vec;

use crate::crypto::hash::HASH;
use crate::mls::tree::RatchetTree;

/// What is stored.
pub(super) struct Snapshot {
    pub(super) head: [u8; HASH],
    /// Of every epoch that is stored: the present one, those past, the one of a commit that waits.
    pub(super) trees: Vec<RatchetTree>,
    pub(super) past: Vec<u64>,
    /// The hash of the message of the commit that waits.
    pub(super) pending: Option<[u8; HASH]>,
    /// Which proposals: how often they were let go of before, and how many there are.
    pub(super) kept: (u64, u16, u16),
}

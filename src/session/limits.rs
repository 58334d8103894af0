//! Every bound of a conversation, with its reason.

const DAY: u64 = 24 * 60 * 60 * 1000;

/// States of one conversation: one sends; three more cover both sides beginning at once, twice.
pub const STATES: usize = 4;

/// Message keys held for messages that have not arrived, over all states of a conversation: 72 kB.
pub const STORED_KEYS: usize = 2_000;

/// Closed chains over all states of a conversation.
pub const CLOSED_CHAINS: usize = 16;

/// Closed chains without keys among them. They only tell a repeated message from one that nobody can read; with
/// three, a conversation at rest takes less than 1,000 bytes, exported.
pub const SPENT_CHAINS: usize = 3;

/// Header keys tried for one message: two only where two tags are equal by chance.
pub const HEADER_TRIALS: usize = 2;

/// A receive-only state that was not used for so long is deleted, milliseconds.
pub const RECEIVE_ONLY: u64 = 30 * DAY;

/// How long an initiator repeats its first message's prefix without an answer, milliseconds, if no key of the bundle
/// ends before: a responder that rotates when it should keeps the private halves as long.
pub const UNANSWERED: u64 = 30 * DAY;

/// Messages in a receive-only state are expected while both sides change over, not later, milliseconds.
pub const CHANGEOVER: u64 = DAY;

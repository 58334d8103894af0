//! The works that are measured in both libraries: each is a group of the bench `pairwise` and a row of the table.

/// Everything from a bundle to the first message.
pub const INITIATOR: &str = "first message, initiator";
/// Everything from the first message to its text.
pub const RESPONDER: &str = "first message, responder";
/// Seal and open in one chain, with the sizes of text.
pub const IN_CHAIN: [(&str, usize); 3] = [
    ("seal and open 64 B in one chain", 64),
    ("seal and open 1 KiB in one chain", 1024),
    ("seal and open 64 KiB in one chain", 65_536),
];
/// A message that begins a new chain, sealed and opened; the text has 64 bytes.
pub const TURN: &str = "a ratchet turn: seal and open 64 B in a new chain";
/// So many messages in reverse as both libraries read.
pub const REVERSE: &str = "41 messages opened in reverse, each";
/// The messages of that.
pub const REVERSED: usize = 41;
/// So many as one of them reads.
pub const LONG_REVERSE: &str = "1,000 messages opened in reverse, each";
/// The messages of that.
pub const LONG_REVERSED: usize = 1_000;
/// A state encrypted for the app's store.
pub const EXPORT: &str = "state encrypted for a store";
/// The same read.
pub const IMPORT: &str = "state read from a store";

/// All that both libraries do.
pub const BOTH: [&str; 9] = [
    INITIATOR,
    RESPONDER,
    IN_CHAIN[0].0,
    IN_CHAIN[1].0,
    IN_CHAIN[2].0,
    TURN,
    REVERSE,
    EXPORT,
    IMPORT,
];

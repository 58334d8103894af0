//! Figures of a peer that cannot be built from the registry: libsignal 0.101 (PQXDH, SPQR, stores in memory).
//!
//! Quoted: measured elsewhere, on another day, and no claim of this repository is checked against them. Times stand beside
//! those of vodozemac 0.11.1 from the same run, so that a ratio can be compared with one that is measured here.

/// What a table says of them.
pub const LABEL: &str = "libsignal 0.101, quoted";

/// Times of one work in that run, microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Quoted {
    /// libsignal's.
    pub libsignal: f64,
    /// vodozemac's.
    pub vodozemac: f64,
}

impl Quoted {
    /// How many times as long as vodozemac libsignal takes.
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.libsignal / self.vodozemac
    }
}

/// From a bundle to the first message.
pub const INITIATOR: Quoted = Quoted {
    libsignal: 465.0,
    vodozemac: 191.0,
};

/// From the first message to its text.
pub const RESPONDER: Quoted = Quoted {
    libsignal: 442.0,
    vodozemac: 165.0,
};

/// Both of them.
pub const FIRST_MESSAGE: Quoted = Quoted {
    libsignal: 907.0,
    vodozemac: 356.0,
};

/// Encrypt and decrypt 64 B and 1 KiB in one chain.
pub const IN_CHAIN: [Option<Quoted>; 3] = [
    Some(Quoted {
        libsignal: 15.5 + 12.3,
        vodozemac: 17.1 + 2.0,
    }),
    Some(Quoted {
        libsignal: 17.6 + 13.2,
        vodozemac: 18.9 + 2.9,
    }),
    None,
];

/// Two messages, two ratchet turns.
pub const TURN: Quoted = Quoted {
    libsignal: 311.0,
    vodozemac: 250.0,
};

/// Each of 1,000 messages in reverse, all of which libsignal reads, microseconds.
pub const LONG_REVERSE: f64 = 83.0;

/// Bytes that a message adds to its text: an ordinary one and a first one.
pub const ADDED: [u32; 2] = [105, 1_772];

/// Bytes of a state, not encrypted.
pub const STATE: u32 = 4_300;

//! Counts calls of primitives, so that tests can show what a message costs without timing it.

use std::cell::Cell;

/// A primitive whose calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Dh,
    DhKey,
    KemKey,
    Encapsulate,
    EncapsulateFirst,
    Decapsulate,
    Sign,
    Verify,
    Seal,
    Open,
    Hmac,
    Hash,
}

const KINDS: usize = 12;

std::thread_local! {
    static COUNTS: Cell<[u64; KINDS]> = const { Cell::new([0; KINDS]) };
    static HASHED: Cell<u64> = const { Cell::new(0) };
    static OPENED: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn bump(op: Op) {
    COUNTS.with(|counts| {
        let mut now = counts.get();
        now[op as usize] += 1;
        counts.set(now);
    });
}

/// Adds to the bytes that went through SHA-256 outside HMAC.
pub(crate) fn hashed(bytes: usize) {
    HASHED.with(|total| total.set(total.get() + bytes as u64));
}

/// Adds to the bytes that went into an authenticated decryption.
pub(crate) fn opened(bytes: usize) {
    OPENED.with(|total| total.set(total.get() + bytes as u64));
}

/// What a closure cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    counts: [u64; KINDS],
    pub(crate) hashed_bytes: u64,
    pub(crate) opened_bytes: u64,
}

impl Cost {
    pub(crate) fn of(&self, op: Op) -> u64 {
        self.counts[op as usize]
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Runs `work` and returns its result with the primitive calls that it made in this thread.
pub(crate) fn cost<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let before = (COUNTS.get(), HASHED.get(), OPENED.get());
    let result = work();
    let after = COUNTS.get();
    let mut counts = [0; KINDS];
    for (index, count) in counts.iter_mut().enumerate() {
        *count = after[index] - before.0[index];
    }
    let cost = Cost {
        counts,
        hashed_bytes: HASHED.get() - before.1,
        opened_bytes: OPENED.get() - before.2,
    };
    (result, cost)
}

//! What the benches share: sizes of text, bursts, and messages made beforehand.
#![allow(dead_code, reason = "not every bench uses everything")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use subrosa::{Conversation, Incoming};

use crate::common::{NOW, pair};

/// Sizes of text: a short message, a long one, a small file.
pub const SIZES: [(&str, usize); 3] = [("64 B", 64), ("1 KiB", 1024), ("64 KiB", 65_536)];

/// Messages in one chain before a bench begins another conversation.
pub const BURST: u64 = 1_000;

/// Times `work` on fresh values, each for up to `most` iterations; what `prepare` does is not timed.
pub fn bursts<T>(
    iterations: u64,
    most: u64,
    mut prepare: impl FnMut(u64) -> T,
    mut work: impl FnMut(T),
) -> Duration {
    let mut total = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let burst = left.min(most);
        let prepared = prepare(burst);
        let start = Instant::now();
        work(prepared);
        total += start.elapsed();
        left -= burst;
    }
    total
}

pub fn read(conversation: &mut Conversation, message: &[u8]) {
    let incoming = Incoming::parse(black_box(message)).unwrap();
    black_box(conversation.open(&incoming, NOW).unwrap());
}

/// A receiver and `count` messages of one chain for it.
pub fn sent(count: u64, text: &[u8]) -> (Conversation, Vec<Vec<u8>>) {
    let (mut alice, mut at_alice, _, at_bob) = pair(1);
    let messages = (0..count)
        .map(|_| alice.seal(&mut at_alice, text, NOW))
        .collect();
    (at_bob, messages)
}

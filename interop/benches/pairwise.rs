//! The same work in subrosa and in vodozemac (Olm), in one process and one run: `cargo bench -p subrosa-interop`.
//!
//! subrosa's messages have encrypted headers, padding and post-quantum agreement; vodozemac's have none of them.

#[path = "../../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use common::{Device, NOW, pair};
use criterion::{Criterion, criterion_group, criterion_main};
use subrosa::{Bundle, Conversation, Incoming, StagedFirst};
use vodozemac::olm::{
    Account, InboundCreationResult, OlmMessage, Session, SessionConfig, SessionCreationError,
};

/// Messages in one chain before the next pair is made.
const BURST: u64 = 1_000;
const TEXT: [u8; 64] = [b'x'; 64];

fn bursts<T>(
    iterations: u64,
    mut prepare: impl FnMut() -> T,
    mut work: impl FnMut(&mut T, u64),
) -> Duration {
    let mut total = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let burst = left.min(BURST);
        let mut prepared = prepare();
        let start = Instant::now();
        work(&mut prepared, burst);
        total += start.elapsed();
        left -= burst;
    }
    total
}

fn read(conversation: &mut Conversation, message: &[u8]) {
    let incoming = Incoming::parse(message).unwrap();
    black_box(conversation.open(&incoming, NOW).unwrap());
}

/// A published vodozemac account and what an initiator needs of it.
struct Published {
    account: Account,
}

impl Published {
    fn new() -> Self {
        let mut account = Account::new();
        account.generate_one_time_keys(1);
        Self { account }
    }

    fn outbound(&self, initiator: &Account) -> Result<Session, SessionCreationError> {
        let one_time = *self.account.one_time_keys().values().next().unwrap();
        initiator.create_outbound_session(
            SessionConfig::version_1(),
            self.account.curve25519_key(),
            one_time,
        )
    }

    fn inbound(&mut self, initiator: &Account, message: &OlmMessage) -> InboundCreationResult {
        let OlmMessage::PreKey(message) = message else {
            panic!("the first message carries the agreement");
        };
        self.account
            .create_inbound_session(
                SessionConfig::version_1(),
                initiator.curve25519_key(),
                message,
            )
            .unwrap()
    }
}

fn olm_pair() -> (Session, Session) {
    let alice = Account::new();
    let mut bob = Published::new();
    let mut at_alice = bob.outbound(&alice).unwrap();
    let first = at_alice.encrypt(TEXT).unwrap();
    let mut at_bob = bob.inbound(&alice, &first).session;
    let answer = at_bob.encrypt(TEXT).unwrap();
    at_alice.decrypt(&answer).unwrap();
    (at_alice, at_bob)
}

fn in_chain(c: &mut Criterion) {
    let mut group = c.benchmark_group("seal + open 64 B in one chain");
    group.bench_function("subrosa", |b| {
        b.iter_custom(|iterations| {
            bursts(
                iterations,
                || pair(1),
                |(alice, at_alice, _, at_bob), burst| {
                    for _ in 0..burst {
                        let message = alice.seal(at_alice, black_box(&TEXT), NOW);
                        read(at_bob, &message);
                    }
                },
            )
        });
    });
    group.bench_function("subrosa, randomness from the operating system", |b| {
        b.iter_custom(|iterations| {
            bursts(
                iterations,
                || pair(1),
                |(alice, at_alice, _, at_bob), burst| {
                    for _ in 0..burst {
                        let message = at_alice
                            .seal(
                                &alice.identity,
                                black_box(&TEXT),
                                NOW,
                                &mut subrosa::os_rng(),
                            )
                            .unwrap();
                        read(at_bob, &message);
                    }
                },
            )
        });
    });
    group.bench_function("vodozemac", |b| {
        b.iter_custom(|iterations| {
            bursts(iterations, olm_pair, |(at_alice, at_bob), burst| {
                for _ in 0..burst {
                    let message = at_alice.encrypt(black_box(TEXT)).unwrap();
                    black_box(at_bob.decrypt(&message).unwrap());
                }
            })
        });
    });
    group.finish();
}

fn turns(c: &mut Criterion) {
    let mut group = c.benchmark_group("two messages, two ratchet turns");
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(2);
    group.bench_function("subrosa", |b| {
        b.iter(|| {
            let message = alice.seal(&mut at_alice, black_box(&TEXT), NOW);
            read(&mut at_bob, &message);
            let message = bob.seal(&mut at_bob, black_box(&TEXT), NOW);
            read(&mut at_alice, &message);
        });
    });
    let (mut at_alice, mut at_bob) = olm_pair();
    group.bench_function("vodozemac", |b| {
        b.iter(|| {
            let message = at_alice.encrypt(black_box(TEXT)).unwrap();
            black_box(at_bob.decrypt(&message).unwrap());
            let message = at_bob.encrypt(black_box(TEXT)).unwrap();
            black_box(at_alice.decrypt(&message).unwrap());
        });
    });
    group.finish();
}

fn first_message(c: &mut Criterion) {
    let mut group = c.benchmark_group("first message, both sides");
    let mut alice = Device::new("alice", 3);
    let mut bob = Device::new("bob", 4);
    let bundle = bob
        .prekeys
        .replenish(&bob.identity, 1, NOW, &mut bob.rng)
        .unwrap()
        .remove(0);
    group.bench_function(
        "subrosa (with ML-KEM-768 and four signatures checked)",
        |b| {
            b.iter(|| {
                let bundle = Bundle::parse(black_box(&bundle))
                    .unwrap()
                    .verify(NOW)
                    .unwrap();
                let mut at_alice = Conversation::new(*bundle.identity());
                at_alice
                    .begin(&alice.identity, &bundle, NOW, &mut alice.rng)
                    .unwrap();
                let message = alice.seal(&mut at_alice, &TEXT, NOW);
                let incoming = Incoming::parse(&message).unwrap();
                StagedFirst::stage(&incoming, &bob.identity, &bob.prekeys, NOW).unwrap()
            });
        },
    );
    group.bench_function("vodozemac (classical)", |b| {
        b.iter_custom(|iterations| {
            let alice = Account::new();
            let mut total = Duration::ZERO;
            for _ in 0..iterations {
                let mut bob = Published::new();
                let start = Instant::now();
                let mut at_alice = bob.outbound(&alice).unwrap();
                let message = at_alice.encrypt(black_box(TEXT)).unwrap();
                black_box(bob.inbound(&alice, &message));
                total += start.elapsed();
            }
            total
        });
    });
    group.finish();
}

fn reverse(c: &mut Criterion) {
    // vodozemac keeps 40 message keys: of 1,000 messages in reverse it reads 41.
    c.bench_function("one of 1,000 messages opened in reverse/subrosa", |b| {
        b.iter_custom(|iterations| {
            let mut total = Duration::ZERO;
            let mut left = iterations;
            while left > 0 {
                let (mut alice, mut at_alice, _, mut at_bob) = pair(1);
                let messages: Vec<_> = (0..BURST)
                    .map(|_| alice.seal(&mut at_alice, &TEXT, NOW))
                    .collect();
                let start = Instant::now();
                for message in messages.iter().rev() {
                    read(&mut at_bob, message);
                }
                // Always whole bursts: the mean of one message.
                let counted = left.min(BURST);
                total += start.elapsed().mul_f64(counted as f64 / BURST as f64);
                left -= counted;
            }
            total
        });
    });
}

criterion_group!(benches, in_chain, turns, first_message, reverse);
criterion_main!(benches);

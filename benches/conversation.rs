//! What a conversation costs: `cargo bench -p subrosa`. Beside its peers: `cargo bench -p subrosa-interop`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use common::{APP_KEY, Device, NOW, SLOT, SeededRng, pair, snapshot};
use criterion::{Criterion, criterion_group, criterion_main};
use subrosa::{AppKey, Bundle, Conversation, Incoming, Prekeys, StagedFirst, export, import};

/// Sizes of text: a short message, a long one, a small file.
const SIZES: [(&str, usize); 3] = [("64 B", 64), ("1 KiB", 1024), ("64 KiB", 65_536)];

/// Messages in one chain before a bench begins another conversation.
const BURST: u64 = 1_000;

/// Times `work` on fresh conversations, each with up to [`BURST`] messages; what `prepare` does is not timed.
fn timed<T>(
    iterations: u64,
    mut prepare: impl FnMut(u64) -> T,
    mut work: impl FnMut(T),
) -> Duration {
    let mut total = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let burst = left.min(BURST);
        let prepared = prepare(burst);
        let start = Instant::now();
        work(prepared);
        total += start.elapsed();
        left -= burst;
    }
    total
}

fn read(conversation: &mut Conversation, message: &[u8]) {
    let incoming = Incoming::parse(black_box(message)).unwrap();
    black_box(conversation.open(&incoming, NOW).unwrap());
}

fn in_chain(c: &mut Criterion) {
    let mut group = c.benchmark_group("in one chain");
    for (name, size) in SIZES {
        let text = vec![b'x'; size];
        group.bench_function(format!("seal {name}"), |b| {
            b.iter_custom(|iterations| {
                timed(
                    iterations,
                    |burst| (pair(1), burst),
                    |((mut alice, mut at_alice, ..), burst)| {
                        for _ in 0..burst {
                            black_box(alice.seal(&mut at_alice, black_box(&text), NOW));
                        }
                    },
                )
            });
        });
        group.bench_function(format!("open {name}"), |b| {
            b.iter_custom(|iterations| {
                timed(
                    iterations,
                    |burst| sent(burst, &text),
                    |(mut at_bob, messages)| {
                        for message in &messages {
                            read(&mut at_bob, message);
                        }
                    },
                )
            });
        });
        group.bench_function(format!("seal + open {name}"), |b| {
            b.iter_custom(|iterations| {
                timed(
                    iterations,
                    |burst| (pair(1), burst),
                    |((mut alice, mut at_alice, _, mut at_bob), burst)| {
                        for _ in 0..burst {
                            let message = alice.seal(&mut at_alice, black_box(&text), NOW);
                            read(&mut at_bob, &message);
                        }
                    },
                )
            });
        });
    }
    group.bench_function("open in reverse 64 B", |b| {
        b.iter_custom(|iterations| {
            timed(
                iterations,
                |burst| sent(burst, &[b'x'; 64]),
                |(mut at_bob, messages)| {
                    for message in messages.iter().rev() {
                        read(&mut at_bob, message);
                    }
                },
            )
        });
    });
    group.finish();
}

/// What the Braid costs where it works: symbols in every message, and a whole exchange.
fn braid(c: &mut Criterion) {
    /// Messages of a new chain that all carry symbols of the encapsulation key.
    const WITH_SYMBOLS: u64 = 20;
    let mut group = c.benchmark_group("the Braid");
    group.bench_function("seal + open 64 B, with symbols in each message", |b| {
        b.iter_custom(|iterations| {
            let mut total = Duration::ZERO;
            let mut left = iterations;
            while left > 0 {
                let burst = left.min(WITH_SYMBOLS);
                let (mut alice, mut at_alice, _, mut at_bob) = pair(1);
                let start = Instant::now();
                for _ in 0..burst {
                    let message = alice.seal(&mut at_alice, black_box(&[b'x'; 64]), NOW);
                    read(&mut at_bob, &message);
                }
                total += start.elapsed();
                left -= burst;
            }
            total
        });
    });
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(2);
    group.bench_function("an epoch of a talk in turns, 40 B", |b| {
        b.iter(|| {
            let epoch = at_alice.pq_epoch();
            while at_alice.pq_epoch() == epoch {
                let message = alice.seal(&mut at_alice, black_box(&[b'x'; 40]), NOW);
                read(&mut at_bob, &message);
                let message = bob.seal(&mut at_bob, black_box(&[b'x'; 40]), NOW);
                read(&mut at_alice, &message);
            }
        });
    });
    group.finish();
}

/// A receiver and `count` messages of one chain for it.
fn sent(count: u64, text: &[u8]) -> (Conversation, Vec<Vec<u8>>) {
    let (mut alice, mut at_alice, _, at_bob) = pair(1);
    let messages = (0..count)
        .map(|_| alice.seal(&mut at_alice, text, NOW))
        .collect();
    (at_bob, messages)
}

fn turns(c: &mut Criterion) {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(2);
    c.bench_function("two messages, two ratchet turns", |b| {
        b.iter(|| {
            let message = alice.seal(&mut at_alice, black_box(&[b'x'; 64]), NOW);
            read(&mut at_bob, &message);
            let message = bob.seal(&mut at_bob, black_box(&[b'x'; 64]), NOW);
            read(&mut at_alice, &message);
        });
    });
}

fn first_message(c: &mut Criterion) {
    let mut alice = Device::new("alice", 3);
    let mut bob = Device::new("bob", 4);
    let bundle = bob
        .prekeys
        .replenish(&bob.identity, 1, NOW, &mut bob.rng)
        .unwrap()
        .remove(0);
    let mut group = c.benchmark_group("first message");
    let mut begin = || {
        let bundle = Bundle::parse(black_box(&bundle))
            .unwrap()
            .verify(NOW)
            .unwrap();
        let mut at_alice = Conversation::new(*bundle.identity());
        at_alice
            .begin(&alice.identity, &bundle, NOW, &mut alice.rng)
            .unwrap();
        at_alice
            .seal(&alice.identity, &[b'x'; 64], NOW, &mut alice.rng)
            .unwrap()
    };
    let message = begin();
    group.bench_function("initiator: check the bundle, begin, seal", |b| {
        b.iter(&mut begin)
    });
    group.bench_function("responder: stage", |b| {
        b.iter(|| {
            let incoming = Incoming::parse(black_box(&message)).unwrap();
            StagedFirst::stage(&incoming, &bob.identity, &bob.prekeys, NOW).unwrap()
        });
    });
    group.finish();
    c.bench_function("100 one-time bundles", |b| {
        b.iter_custom(|iterations| {
            let mut total = Duration::ZERO;
            for _ in 0..iterations {
                let mut prekeys = Prekeys::generate(&bob.identity, NOW, &mut bob.rng).unwrap();
                let start = Instant::now();
                black_box(
                    prekeys
                        .replenish(&bob.identity, 100, NOW, &mut bob.rng)
                        .unwrap(),
                );
                total += start.elapsed();
            }
            total
        });
    });
}

fn stored(c: &mut Criterion) {
    let (alice, at_alice, ..) = pair(5);
    let key = AppKey::new(APP_KEY);
    let mut rng = SeededRng(6);
    let exported = snapshot(&at_alice, &alice.identity);
    let mut group = c.benchmark_group("stored conversation");
    group.bench_function("export", |b| {
        b.iter(|| export(&at_alice, &alice.identity, SLOT, &key, &mut rng).unwrap());
    });
    group.bench_function("import", |b| {
        b.iter(|| import::<Conversation>(black_box(&exported), SLOT, &key).unwrap());
    });
    group.finish();
}

criterion_group!(benches, in_chain, braid, turns, first_message, stored);
criterion_main!(benches);

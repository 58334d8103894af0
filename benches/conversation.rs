//! What a conversation costs: `cargo bench -p subrosa --bench conversation`. Beside a peer:
//! `cargo run --release -p subrosa-interop`.

#[path = "../tests/common/mod.rs"]
mod common;
mod kit;

use std::hint::black_box;

use common::{NOW, pair};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use kit::{BURST, SIZES, bursts, read, sent};

fn in_chain(c: &mut Criterion) {
    let mut group = c.benchmark_group("in one chain");
    for (name, size) in SIZES {
        let text = vec![b'x'; size];
        group.bench_function(format!("seal {name}"), |b| {
            b.iter_custom(|iterations| {
                bursts(
                    iterations,
                    BURST,
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
                bursts(
                    iterations,
                    BURST,
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
                bursts(
                    iterations,
                    BURST,
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
    group.bench_function("1,000 opened in reverse, 64 B", |b| {
        b.iter_batched(
            || sent(1_000, &[b'x'; 64]),
            |(mut at_bob, messages)| {
                for message in messages.iter().rev() {
                    read(&mut at_bob, message);
                }
                at_bob
            },
            BatchSize::PerIteration,
        );
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
            bursts(
                iterations,
                WITH_SYMBOLS,
                |burst| (pair(1), burst),
                |((mut alice, mut at_alice, _, mut at_bob), burst)| {
                    for _ in 0..burst {
                        let message = alice.seal(&mut at_alice, black_box(&[b'x'; 64]), NOW);
                        read(&mut at_bob, &message);
                    }
                },
            )
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

criterion_group!(benches, in_chain, braid, turns);
criterion_main!(benches);

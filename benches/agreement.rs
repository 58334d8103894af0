//! What it costs to begin: prekeys, bundles, the agreement alone, and first messages:
//! `cargo bench -p subrosa --bench agreement`.

#[path = "../tests/common/mod.rs"]
mod common;
mod kit;

use std::hint::black_box;

use common::{Device, NOW, SeededRng};
use criterion::{Criterion, criterion_group, criterion_main};
use kit::bursts;
use subrosa::agreement::{FirstPrefix, initiate, respond};
use subrosa::crypto::Secret;
use subrosa::crypto::hedge::{Hedge, Hedged};
use subrosa::envelope::ENVELOPE;
use subrosa::wire::Reader;
use subrosa::{
    Address, Bundle, Conversation, DeviceIdentity, Incoming, Prekeys, StagedFirst, VerifiedBundle,
};

/// One-time bundles in one set of prekeys.
const BUNDLES: u64 = 100;

fn verified(bundle: &[u8]) -> VerifiedBundle {
    let bundle = Bundle::parse(black_box(bundle)).unwrap();
    bundle.verify(NOW).unwrap()
}

fn begun(alice: &mut Device, bundle: &VerifiedBundle) -> Vec<u8> {
    let mut at_alice = Conversation::new(*bundle.identity());
    at_alice
        .begin(&alice.identity, bundle, NOW, &mut alice.rng)
        .unwrap();
    alice.seal(&mut at_alice, &[b'x'; 64], NOW)
}

/// Fresh prekeys of a device, and bundles of them.
fn published(device: &DeviceIdentity, count: u64, rng: &mut SeededRng) -> (Prekeys, Vec<Vec<u8>>) {
    let mut prekeys = Prekeys::generate(device, NOW, rng).unwrap();
    let count = usize::try_from(count).unwrap();
    let bundles = prekeys.replenish(device, count, NOW, rng).unwrap();
    (prekeys, bundles)
}

fn bundles(c: &mut Criterion) {
    let bob = Device::new("bob", 1).identity;
    let mut rng = SeededRng(2);
    let mut group = c.benchmark_group("bundle");
    group.bench_function("a device's identity", |b| {
        b.iter(|| {
            let address = Address::new(black_box(b"bob")).unwrap();
            DeviceIdentity::generate(address, &mut rng).unwrap()
        });
    });
    group.bench_function("prekeys: signed and last-resort", |b| {
        b.iter(|| Prekeys::generate(&bob, NOW, &mut rng).unwrap());
    });
    group.bench_function("make one of 100 one-time bundles", |b| {
        b.iter_custom(|iterations| {
            bursts(
                iterations,
                BUNDLES,
                |count| {
                    let prekeys = Prekeys::generate(&bob, NOW, &mut rng).unwrap();
                    (prekeys, usize::try_from(count).unwrap())
                },
                |(mut prekeys, count)| {
                    let mut rng = SeededRng(3);
                    let bundles = prekeys.replenish(&bob, count, NOW, &mut rng);
                    black_box(bundles.unwrap());
                },
            )
        });
    });
    let (_, bundles) = published(&bob, 1, &mut rng);
    group.bench_function("parse", |b| {
        b.iter(|| Bundle::parse(black_box(&bundles[0])).unwrap());
    });
    group.bench_function("parse and verify", |b| b.iter(|| verified(&bundles[0])));
    group.finish();
}

/// PQXDH with the hidden initiator (SPEC §7.3, §7.4), without the ratchet that follows.
fn agreement(c: &mut Criterion) {
    let mut alice = Device::new("alice", 1);
    let mut bob = Device::new("bob", 2);
    let bundle = bob.bundle(NOW);
    let hedge = Hedge::new(&Secret::new([1; 32]), &Secret::new([2; 32]));
    let message = begun(&mut alice, &bundle);
    let mut group = c.benchmark_group("agreement alone");
    group.bench_function("initiator", |b| {
        let mut entropy = Hedged::new(&hedge, &mut alice.rng);
        b.iter(|| initiate(&alice.identity, black_box(&bundle), NOW, &mut entropy).unwrap());
    });
    group.bench_function("responder", |b| {
        b.iter(|| {
            let mut reader = Reader::new(black_box(&message[ENVELOPE..]));
            let first = FirstPrefix::read(&mut reader).unwrap();
            respond(&bob.identity, &bob.prekeys, &first, NOW).unwrap()
        });
    });
    group.finish();
}

fn first_message(c: &mut Criterion) {
    let mut alice = Device::new("alice", 3);
    let bob = Device::new("bob", 4).identity;
    let mut rng = SeededRng(5);
    let (_, bundles) = published(&bob, 1, &mut rng);
    let mut group = c.benchmark_group("first message");
    group.bench_function("initiator: check the bundle, begin, seal", |b| {
        b.iter(|| begun(&mut alice, &verified(&bundles[0])));
    });
    group.bench_function("responder: stage, accept", |b| {
        b.iter_custom(|iterations| {
            bursts(
                iterations,
                BUNDLES,
                |count| {
                    let (prekeys, bundles) = published(&bob, count, &mut rng);
                    let messages: Vec<_> = { bundles.iter() }
                        .map(|bundle| begun(&mut alice, &verified(bundle)))
                        .collect();
                    (prekeys, messages)
                },
                |(mut prekeys, messages)| {
                    for message in &messages {
                        let incoming = Incoming::parse(black_box(message)).unwrap();
                        let staged = StagedFirst::stage(&incoming, &bob, &prekeys, NOW).unwrap();
                        let mut at_bob = Conversation::new(*staged.peer());
                        black_box(staged.accept(&mut at_bob, &mut prekeys, NOW).unwrap());
                    }
                },
            )
        });
    });
    group.finish();
}

criterion_group!(benches, bundles, agreement, first_message);
criterion_main!(benches);

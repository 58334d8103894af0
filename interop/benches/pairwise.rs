//! The same work in subrosa and in vodozemac (Olm), one after the other, in one process and one run.
//! `cargo run --release -p subrosa-interop` runs this several times and prints the table.

#[path = "kit/cpu.rs"]
mod cpu;

use std::hint::black_box;
use std::time::Duration;

use cpu::CpuTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use subrosa_interop::cpu_time;
use subrosa_interop::library::{Library, sent};
use subrosa_interop::olm::Vodozemac;
use subrosa_interop::ours::Subrosa;
use subrosa_interop::work;

type Group<'a> = BenchmarkGroup<'a, CpuTime>;

/// Messages in one chain before the next pair is made.
const BURST: u64 = 1_000;

/// One-time keys of a responder.
const BUNDLES: u64 = 20;

const TEXT: [u8; 64] = [b'x'; 64];

/// Times `work` on fresh values, each for up to `most` iterations; what `prepare` does is not timed.
fn bursts<T>(
    iterations: u64,
    most: u64,
    mut prepare: impl FnMut(usize) -> T,
    mut work: impl FnMut(&mut T, usize),
) -> Duration {
    let mut total = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let burst = left.min(most);
        let count = usize::try_from(burst).unwrap();
        let mut prepared = prepare(count);
        let start = cpu_time::now();
        work(&mut prepared, count);
        total += cpu_time::since(start);
        left -= burst;
    }
    total
}

fn initiator<L: Library>(group: &mut Group<'_>) {
    let mut initiator = L::initiator();
    let (_, bundles) = L::responder(1);
    group.bench_function(L::NAME, |b| {
        b.iter(|| L::begin(&mut initiator, black_box(&bundles[0]), &TEXT));
    });
}

fn responder<L: Library>(group: &mut Group<'_>) {
    let mut initiator = L::initiator();
    group.bench_function(L::NAME, |b| {
        b.iter_custom(|iterations| {
            bursts(
                iterations,
                BUNDLES,
                |count| {
                    let (responder, bundles) = L::responder(count);
                    let messages: Vec<_> = { bundles.iter() }
                        .map(|bundle| L::begin(&mut initiator, bundle, &TEXT))
                        .collect();
                    (responder, messages)
                },
                |(responder, messages), _| {
                    for message in messages {
                        black_box(L::accept(responder, black_box(message)));
                    }
                },
            )
        });
    });
}

fn in_chain<L: Library>(group: &mut Group<'_>, size: usize) {
    let text = vec![b'x'; size];
    group.bench_function(L::NAME, |b| {
        b.iter_custom(|iterations| {
            bursts(
                iterations,
                BURST,
                |_| L::pair(),
                |(sender, receiver), count| {
                    for _ in 0..count {
                        let message = L::seal(sender, black_box(&text));
                        black_box(L::open(receiver, &message).unwrap());
                    }
                },
            )
        });
    });
}

/// Both sides in turn, on one conversation that goes on and on.
fn turn<L: Library>(group: &mut Group<'_>) {
    let (mut speaker, mut listener) = L::pair();
    group.bench_function(L::NAME, |b| {
        b.iter(|| {
            let message = L::seal(&mut speaker, black_box(&TEXT));
            black_box(L::open(&mut listener, &message).unwrap());
            std::mem::swap(&mut speaker, &mut listener);
        });
    });
}

/// The mean of one message.
fn reverse<L: Library>(group: &mut Group<'_>, count: usize) {
    group.bench_function(L::NAME, |b| {
        b.iter_custom(|iterations| {
            let (mut total, mut messages_read) = (Duration::ZERO, 0);
            // Whole bursts only: the last message, opened first, costs more than all others.
            while messages_read < iterations {
                let (mut receiver, messages) = sent::<L>(count, &TEXT);
                let start = cpu_time::now();
                for message in messages.iter().rev() {
                    black_box(L::open(&mut receiver, message).unwrap());
                }
                total += cpu_time::since(start);
                messages_read += count as u64;
            }
            total.mul_f64(iterations as f64 / messages_read as f64)
        });
    });
}

fn export<L: Library>(group: &mut Group<'_>) {
    let (end, _) = L::pair();
    group.bench_function(L::NAME, |b| b.iter(|| L::export(black_box(&end))));
}

fn import<L: Library>(group: &mut Group<'_>) {
    let (end, _) = L::pair();
    let exported = L::export(&end);
    group.bench_function(L::NAME, |b| {
        b.iter(|| L::import(black_box(&exported)));
    });
}

fn both(c: &mut Criterion<CpuTime>) {
    let mut measure =
        |name: &str, ours: &dyn Fn(&mut Group<'_>), theirs: &dyn Fn(&mut Group<'_>)| {
            let mut group = c.benchmark_group(name);
            ours(&mut group);
            theirs(&mut group);
            group.finish();
        };
    measure(
        work::INITIATOR,
        &initiator::<Subrosa>,
        &initiator::<Vodozemac>,
    );
    measure(
        work::RESPONDER,
        &responder::<Subrosa>,
        &responder::<Vodozemac>,
    );
    for (name, size) in work::IN_CHAIN {
        measure(name, &|group| in_chain::<Subrosa>(group, size), &|group| {
            in_chain::<Vodozemac>(group, size)
        });
    }
    measure(work::TURN, &turn::<Subrosa>, &turn::<Vodozemac>);
    measure(
        work::REVERSE,
        &|group| reverse::<Subrosa>(group, work::REVERSED),
        &|group| reverse::<Vodozemac>(group, work::REVERSED),
    );
    // vodozemac loses most of them.
    measure(
        work::LONG_REVERSE,
        &|group| reverse::<Subrosa>(group, work::LONG_REVERSED),
        &|_| (),
    );
    measure(work::EXPORT, &export::<Subrosa>, &export::<Vodozemac>);
    measure(work::IMPORT, &import::<Subrosa>, &import::<Vodozemac>);
}

fn short_rounds() -> Criterion<CpuTime> {
    Criterion::default()
        .with_measurement(CpuTime)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_500))
        .sample_size(30)
}

criterion_group! {
    name = benches;
    config = short_rounds();
    targets = both
}
criterion_main!(benches);

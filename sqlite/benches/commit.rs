//! What a commit costs, and a look-up: values of 2,500 bytes, as long as those of a conversation get.
//!
//! The file is made where temporary files are, or in the folder that `SUBROSA_BENCH_FOLDER` names: what waiting for the
//! disk takes is a property of that disk. `cargo bench -p subrosa-sqlite -- 'get'` runs the look-ups alone.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use subrosa::device::store::{Commit, Key, Store};
use subrosa_sqlite::{Durability, Opened, SqliteStore};

const VALUE: usize = 2_500;
const BOOT: [u8; 16] = [1; 16];

/// A store with values in it, removed with its value.
struct Stored {
    store: Option<SqliteStore>,
    folder: PathBuf,
    values: u64,
    generation: u64,
    next: u64,
}

impl Stored {
    fn new(durability: Durability, values: u64) -> Self {
        let place = env::var_os("SUBROSA_BENCH_FOLDER").map_or_else(env::temp_dir, PathBuf::from);
        let folder = place.join(format!("subrosa-bench-{}", process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let mut stored = Self {
            store: None,
            folder,
            values,
            generation: 0,
            next: 0,
        };
        // It is filled without waiting for the disk.
        stored.open(Durability::Normal { boot: BOOT });
        for from in (0..values).step_by(1_000) {
            let puts: Vec<_> = (from..values.min(from + 1_000))
                .map(|n| (key(n), value(n)))
                .collect();
            stored.commit(&puts);
        }
        drop(stored.store.take());
        stored.open(durability);
        stored
    }

    fn open(&mut self, durability: Durability) {
        match SqliteStore::open(self.folder.join("store"), durability) {
            Ok(Opened::Whole(store)) => self.store = Some(store),
            other => panic!("{other:?}"),
        }
    }

    fn store(&mut self) -> &mut SqliteStore {
        self.store.as_mut().expect("it was opened")
    }

    /// A key among those that are stored, another each time.
    fn key(&mut self) -> Key {
        self.next = self.next.wrapping_add(0x9e37_79b9_7f4a_7c15);
        key(self.next % self.values)
    }

    fn puts(&mut self, number: usize) -> Vec<(Key, Vec<u8>)> {
        let mut puts: Vec<_> = (0..number)
            .map(|_| (self.key(), value(self.next)))
            .collect();
        puts.sort();
        puts.dedup_by_key(|(key, _)| *key);
        puts
    }

    fn commit(&mut self, puts: &[(Key, Vec<u8>)]) {
        let generation = self.generation;
        let outcome = self.store().commit(generation, puts, &[]);
        assert_eq!(outcome, Commit::Committed);
        self.generation += 1;
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        drop(self.store.take());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Keys are as random as derived ones.
fn key(number: u64) -> Key {
    let mixed = u128::from(number).wrapping_mul(0xda94_2042_e4dd_58b5_a3b1_9ac6_4d3a_1e2f);
    (mixed ^ (mixed >> 64)).to_le_bytes()
}

fn value(number: u64) -> Vec<u8> {
    number
        .to_le_bytes()
        .into_iter()
        .cycle()
        .take(VALUE)
        .collect()
}

fn commit(c: &mut Criterion) {
    let mut group = c.benchmark_group("commit among 10,000");
    for (name, durability) in [
        ("full", Durability::Full),
        ("normal", Durability::Normal { boot: BOOT }),
    ] {
        let mut stored = Stored::new(durability, 10_000);
        for number in [1, 100] {
            group.throughput(Throughput::Elements(number));
            group.bench_with_input(BenchmarkId::new(name, number), &number, |b, number| {
                let number = usize::try_from(*number).expect("it fits");
                b.iter(|| {
                    let puts = stored.puts(number);
                    stored.commit(&puts);
                });
            });
        }
    }
}

fn get(c: &mut Criterion) {
    let mut group = c.benchmark_group("get");
    for values in [10, 1_000, 100_000] {
        let mut stored = Stored::new(Durability::Full, values);
        group.bench_function(BenchmarkId::new("one of", values), |b| {
            b.iter(|| {
                let key = stored.key();
                let value = stored.store().get(&key);
                assert!(value.is_ok_and(|value| value.is_some_and(|value| value.len() == VALUE)));
            });
        });
    }
}

fn open(c: &mut Criterion) {
    let mut stored = Stored::new(Durability::Full, 1_000);
    c.bench_function("open and close, 1,000 values", |b| {
        b.iter(|| {
            drop(stored.store.take());
            stored.open(Durability::Full);
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = commit, get, open
}
criterion_main!(benches);

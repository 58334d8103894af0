//! What a conversation costs that is stored: export and import, and a message among 10, 1,000 and 100,000 stored
//! conversations: `cargo bench -p subrosa --bench stored`.
//!
//! 100,000 conversations are made one by one, on all cores, in a minute or two and 600 MB, only where their bench is
//! selected: `-- 'among (10|1,000) '` leaves them out.

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::{BTreeSet, HashMap};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{APP_KEY, Device, NOW, SLOT, SeededRng, open, pair, snapshot};
use criterion::{Criterion, criterion_group, criterion_main};
use subrosa::{AppKey, Conversation, DeviceIdentity, Directory, Incoming, Slot, export, import};

/// How many conversations are stored.
const STORED: [(&str, usize); 3] = [("10", 10), ("1,000", 1_000), ("100,000", 100_000)];

/// Messages between two moments at which the store is made what it was.
const BURST: usize = 1_000;

fn alone(c: &mut Criterion) {
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

/// What Bob's device keeps of one conversation, and two messages that it may get next.
struct Kept {
    exported: Vec<u8>,
    /// Of the chain that Bob reads.
    in_chain: Vec<u8>,
    /// The first one of a new chain: a ratchet turn, and other tags.
    turning: Vec<u8>,
}

/// Which of the two arrives.
type Pick = fn(&Kept) -> &Vec<u8>;

/// The conversation `name` between a device of its own and Bob's, two chains of each side old.
fn kept(name: u32, bob: &mut Device, key: &AppKey) -> Kept {
    let mut alice = Device::new(&format!("alice {name}"), u64::from(name) + 1_000);
    let mut at_alice = alice.begin(bob, NOW);
    let first = alice.seal(&mut at_alice, b"hello", NOW);
    let (mut at_bob, _) = bob.accept(&first, NOW);
    let answer = bob.seal(&mut at_bob, b"hi", NOW);
    open(&mut at_alice, &answer, NOW).unwrap();
    let second = alice.seal(&mut at_alice, b"how are you?", NOW);
    open(&mut at_bob, &second, NOW).unwrap();
    let answer = bob.seal(&mut at_bob, b"well", NOW);

    // Alice goes on twice: once before she reads the answer, once after.
    let stored = snapshot(&at_alice, &alice.identity);
    let in_chain = alice.seal(&mut at_alice, &[b'x'; 64], NOW);
    let mut at_alice: Conversation = import(&stored, SLOT, &AppKey::new(APP_KEY)).unwrap();
    open(&mut at_alice, &answer, NOW).unwrap();
    let turning = alice.seal(&mut at_alice, &[b'x'; 64], NOW);
    let exported = export(
        &at_bob,
        &bob.identity,
        slot(&name.to_be_bytes()),
        key,
        &mut bob.rng,
    );
    Kept {
        exported: exported.unwrap(),
        in_chain,
        turning,
    }
}

const fn slot(store_key: &[u8]) -> Slot<'_> {
    Slot {
        store_key,
        generation: 1,
    }
}

/// Bob's device with its store: exported states by name, and the directory over them.
struct Room {
    bob: DeviceIdentity,
    key: AppKey,
    all: Vec<Kept>,
    store: HashMap<u32, Vec<u8>>,
    directory: Directory<u32>,
    rng: SeededRng,
}

impl Room {
    /// As many conversations, each with another device, made on all cores.
    fn new(count: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let done = AtomicUsize::new(0);
        let names: Vec<u32> = (0..).take(count).collect();
        let mut all = Vec::with_capacity(count);
        std::thread::scope(|scope| {
            let shares: Vec<_> = names
                .chunks(count.div_ceil(cores))
                .map(|share| {
                    scope.spawn(|| {
                        // Bob's identity is the same on all cores; prekeys and randomness are not.
                        let mut bob = Device::new("bob", 7);
                        bob.rng = SeededRng(u64::from(share[0]));
                        let key = AppKey::new(APP_KEY);
                        let make = |name: &u32| {
                            let kept = kept(*name, &mut bob, &key);
                            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                            if done.is_multiple_of(10_000) {
                                eprintln!("{done} of {count} conversations made");
                            }
                            kept
                        };
                        share.iter().map(make).collect::<Vec<_>>()
                    })
                })
                .collect();
            for share in shares {
                all.extend(share.join().unwrap());
            }
        });
        let mut room = Self {
            bob: Device::new("bob", 7).identity,
            key: AppKey::new(APP_KEY),
            all,
            store: HashMap::new(),
            directory: Directory::new(),
            rng: SeededRng(8),
        };
        for name in names {
            room.put_back(name);
        }
        room
    }

    /// Makes the stored state of a conversation what it was in the beginning.
    fn put_back(&mut self, name: u32) {
        let exported = &self.all[name as usize].exported;
        let conversation = import(exported, slot(&name.to_be_bytes()), &self.key).unwrap();
        self.directory.update(&name, &conversation);
        self.store.insert(name, exported.clone());
    }

    /// Names drawn at random, none of them twice.
    fn draw(&mut self, count: usize) -> Vec<u32> {
        let mut drawn = BTreeSet::new();
        while drawn.len() < count {
            drawn.insert(self.rng.below(self.all.len() as u64) as u32);
        }
        // In an order that is not theirs.
        let mut drawn: Vec<u32> = drawn.into_iter().collect();
        for last in (1..drawn.len()).rev() {
            drawn.swap(last, self.rng.below(last as u64 + 1) as usize);
        }
        drawn
    }

    /// A message arrives: whose is it, what does it say, and all is stored again. Returns whose it was.
    fn receive(&mut self, message: &[u8]) -> u32 {
        let incoming = Incoming::parse(black_box(message)).unwrap();
        let name = *self.directory.find(&incoming).next().unwrap();
        let key = name.to_be_bytes();
        let stored = &self.store[&name];
        let mut conversation: Conversation = import(stored, slot(&key), &self.key).unwrap();
        black_box(conversation.open(&incoming, NOW).unwrap());
        self.directory.update(&name, &conversation);
        let exported = export(
            &conversation,
            &self.bob,
            slot(&key),
            &self.key,
            &mut self.rng,
        );
        self.store.insert(name, exported.unwrap());
        name
    }
}

fn among(c: &mut Criterion) {
    for (written, count) in STORED {
        let mut group =
            c.benchmark_group(format!("a message among {written} stored conversations"));
        let mut room = None;
        let kinds: [(&str, Pick); 2] = [
            ("in a chain", |kept| &kept.in_chain),
            ("a ratchet turn", |kept| &kept.turning),
        ];
        for (kind, message) in kinds {
            group.bench_function(kind, |b| {
                let room = room.get_or_insert_with(|| Room::new(count));
                b.iter_custom(|iterations| time(room, iterations, message));
            });
        }
        group.finish();
    }
}

/// Times messages for conversations drawn at random. After each burst the store is what it was, so that every message
/// meets its conversation at the same point of its life, however few there are.
fn time(room: &mut Room, iterations: u64, message: Pick) -> Duration {
    let most = BURST.min(room.all.len());
    let mut total = Duration::ZERO;
    let mut left = usize::try_from(iterations).unwrap();
    while left > 0 {
        let drawn = room.draw(left.min(most));
        let arriving: Vec<_> = { drawn.iter() }
            .map(|name| message(&room.all[*name as usize]).clone())
            .collect();
        let start = Instant::now();
        for (message, name) in arriving.iter().zip(&drawn) {
            assert_eq!(room.receive(message), *name);
        }
        total += start.elapsed();
        left -= drawn.len();
        for name in drawn {
            room.put_back(name);
        }
    }
    total
}

criterion_group!(benches, alone, among);
criterion_main!(benches);

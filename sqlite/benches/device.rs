//! What a device costs over a file that waits for the disk: batches of a hundred messages received and acknowledged, among 10
//! to 100,000 stored conversations, and the opening of a device with 1,000.
//!
//! Ten conversations are real and have the messages; the others are as many values of their length as they would take,
//! under keys that nobody asks for. The file is made where temporary files are, or in the folder that
//! `SUBROSA_BENCH_FOLDER` names. `cargo bench -p subrosa-sqlite --bench device -- 'open'` runs the opening alone.

#[path = "../../tests/common/mod.rs"]
mod common;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use subrosa::device::store::{Commit, Key, Unreadable};
use subrosa::device::{Event, MemoryStore, Outgoing, Store};
use subrosa::identity::AccountId;
use subrosa::{AppKey, Device};
use subrosa_sqlite::{Durability, Opened, SqliteStore};

use common::server::{self, Server};
use common::{NOW, SeededRng};

const KEY: [u8; 32] = [4; 32];

/// Conversations in which messages arrive.
const TALKING: usize = 10;

/// Messages received in one call.
const BATCH: usize = 100;

/// What one conversation takes besides: its value, four tags, its account.
const VALUES: [usize; 6] = [2_600, 170, 170, 170, 170, 360];

/// A file that was filled before the device was made, which therefore counts its commits from there.
struct Filled {
    store: SqliteStore,
    commits: u64,
}

impl Store for Filled {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        self.store.get(key)
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        self.store.commit(base + self.commits, puts, deletes)
    }
}

/// Who writes to the device.
struct Peer {
    device: Device<MemoryStore>,
    next: u64,
}

/// A device with conversations, in a folder that goes with it.
struct Place {
    folder: PathBuf,
    device: Device<Filled>,
    server: Server,
    rng: SeededRng,
    peers: Vec<Peer>,
    account: AccountId,
}

fn open_file(folder: &std::path::Path, durability: Durability) -> SqliteStore {
    match SqliteStore::open(folder.join("store"), durability) {
        Ok(Opened::Whole(store)) => store,
        other => panic!("{other:?}"),
    }
}

/// Fills a file with what so many conversations take; how many commits that was.
fn fill(folder: &std::path::Path, conversations: usize) -> u64 {
    const AT_ONCE: usize = 500;
    // Without waiting for the disk; closed, it is on it.
    let mut store = open_file(folder, Durability::Normal { boot: [1; 16] });
    let mut rng = SeededRng(1);
    let mut commits = 0;
    for from in (0..conversations).step_by(AT_ONCE) {
        let count = AT_ONCE.min(conversations - from);
        let mut puts = Vec::new();
        for length in VALUES.repeat(count) {
            let mut key = [0; 16];
            for half in key.chunks_mut(8) {
                half.copy_from_slice(&rng.next().to_be_bytes());
            }
            puts.push((key, vec![7; length]));
        }
        assert_eq!(store.commit(commits, &puts, &[]), Commit::Committed);
        commits += 1;
    }
    store.close().unwrap();
    commits
}

impl Place {
    fn new(conversations: usize) -> Self {
        let place = env::var_os("SUBROSA_BENCH_FOLDER").map_or_else(env::temp_dir, PathBuf::from);
        let folder = place.join(format!("subrosa-device-{}-{conversations}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let commits = fill(&folder, conversations - TALKING);
        let store = open_file(&folder, Durability::Full);
        let (mut server, mut rng) = (Server::default(), SeededRng(2));
        let store = Filled { store, commits };
        let device = server::register(&mut server, store, KEY, NOW, &mut rng).0;
        let account = device.account().unwrap();
        let mut place = Self {
            folder,
            device,
            server,
            rng,
            peers: Vec::new(),
            account,
        };
        for _ in 0..TALKING {
            let store = MemoryStore::new();
            let device = server::register(&mut place.server, store, KEY, NOW, &mut place.rng).0;
            place.peers.push(Peer { device, next: 0 });
        }
        // Each has written and was answered: what follows are ordinary messages.
        let envelopes = place.envelopes();
        place.receive(&envelopes);
        place.answer();
        place
    }

    /// A hundred messages that were not received, of all who talk, a tenth of them each.
    fn envelopes(&mut self) -> Vec<Vec<u8>> {
        let mut envelopes = Vec::new();
        for peer in &mut self.peers {
            for _ in 0..BATCH / TALKING {
                peer.next += 1;
                let id = peer.next.to_be_bytes();
                let (server, rng) = (&mut self.server, &mut self.rng);
                let text = [b'x'; 60];
                let sent = server::send(
                    server,
                    &mut peer.device,
                    &self.account,
                    &id,
                    &text,
                    NOW,
                    rng,
                );
                envelopes.push(sent.unwrap().copies[0].message.clone());
            }
        }
        self.server.queues.clear();
        envelopes
    }

    /// The device writes to each who talks, so that their next messages begin a chain.
    fn answer(&mut self) {
        for peer in &mut self.peers {
            peer.next += 1;
            let id = peer.next.to_be_bytes();
            let message = Outgoing {
                id: &id,
                to: peer.device.account().unwrap(),
                text: b"answer",
                partial: false,
            };
            let (server, rng) = (&mut self.server, &mut self.rng);
            let to = peer.device.account().unwrap();
            server::send(
                server,
                &mut self.device,
                &to,
                message.id,
                message.text,
                NOW,
                rng,
            )
            .unwrap();
            let events = server::receive(server, &mut peer.device, NOW, rng).unwrap();
            assert_eq!(server::messages(&mut peer.device, &events, rng).len(), 1);
        }
    }

    /// The time of one call that reads them, and of one that acknowledges them.
    fn receive(&mut self, envelopes: &[Vec<u8>]) -> [Duration; 2] {
        let (server, rng) = (&mut self.server, &mut self.rng);
        for peer in &self.peers {
            let account = peer.device.account().unwrap();
            if self.device.list(&account, rng).unwrap().is_none() {
                server::catch_up(server, &mut self.device, &account, NOW, rng).unwrap();
            }
        }
        let envelopes: Vec<_> = envelopes.iter().map(Vec::as_slice).collect();
        let begun = Instant::now();
        let events = self.device.receive(&envelopes, NOW, rng).unwrap();
        let received = begun.elapsed();
        let ids: Vec<_> = events
            .iter()
            .map(|event| match event {
                Event::Message(received) => received.id,
                event => panic!("{event:?}"),
            })
            .collect();
        assert_eq!(ids.len(), BATCH);
        let begun = Instant::now();
        self.device.read(&ids, rng).unwrap();
        [received, begun.elapsed()]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A hundred messages among so many conversations.
fn receive(c: &mut Criterion) {
    let mut group = c.benchmark_group("a hundred messages");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(BATCH as u64));
    for conversations in [10, 1_000, 100_000] {
        let mut place = None;
        let mut bench = |what: &str, turn: bool, part: usize| {
            group.bench_function(BenchmarkId::new(what, conversations), |b| {
                let place = place.get_or_insert_with(|| Place::new(conversations));
                b.iter_custom(|rounds| {
                    (0..rounds)
                        .map(|_| {
                            if turn {
                                place.answer();
                            }
                            let envelopes = place.envelopes();
                            place.receive(&envelopes)[part]
                        })
                        .sum()
                });
            });
        };
        bench("received in ten chains, among", false, 0);
        bench("received in ten new chains, among", true, 0);
        bench("acknowledged, among", false, 1);
    }
    group.finish();
}

fn open(c: &mut Criterion) {
    let mut group = c.benchmark_group("a device with 1,000 conversations");
    group.sample_size(10);
    let mut place = None;
    group.bench_function("is opened", |b| {
        let place = place.get_or_insert_with(|| Place::new(1_000));
        let expected = place.device.generation();
        b.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| {
                    let begun = Instant::now();
                    let store = open_file(&place.folder, Durability::Full);
                    let filled = Filled { store, commits: 0 };
                    let device = Device::open(filled, AppKey::new(KEY), None).unwrap();
                    let time = begun.elapsed();
                    assert_eq!(device.generation(), expected);
                    time
                })
                .sum()
        });
    });
    group.finish();
}

criterion_group!(benches, receive, open);
criterion_main!(benches);

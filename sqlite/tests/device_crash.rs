//! A device over a real file loses nothing and shows nothing twice, whatever ends its process or its machine.
//!
//! `cuts`: power is lost in the middle of a commit: the log is cut at every frame of it, and inside of frames. `ends`: a
//! process, which is this program run again, ends before and after every single step of its store.

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "crash/folder.rs"]
mod folder;

mod device_crash {
    pub mod cuts;
    pub mod ends;
}

use common::server::{self, Server};
use common::{NOW, SeededRng};
use subrosa::device::{Event, MemoryStore, Store};
use subrosa::{AppKey, Device, Incoming};
use subrosa_sqlite::{Durability, Opened, SqliteStore};

use folder::{Files, Folder};

const KEY: [u8; 32] = [5; 32];

/// Opens the file: nothing of it may be missing.
fn open_file(folder: &Folder) -> SqliteStore {
    match SqliteStore::open(folder.file(), Durability::Full) {
        Ok(Opened::Whole(store)) => store,
        other => panic!("{other:?}"),
    }
}

fn open<S: Store>(store: S) -> Device<S> {
    Device::open(store, AppKey::new(KEY), None).unwrap()
}

/// Alice in memory, and Bob in a file; they have written to each other.
fn pair(
    seed: u64,
) -> (
    Server,
    SeededRng,
    Device<MemoryStore>,
    Device<SqliteStore>,
    Folder,
) {
    let (mut server, mut rng, folder) = (Server::default(), SeededRng(seed), Folder::new());
    let mut alice = server::register(&mut server, MemoryStore::new(), KEY, NOW, &mut rng).0;
    let mut bob = server::register(&mut server, open_file(&folder), KEY, NOW, &mut rng).0;
    let (to_alice, to_bob) = (alice.account().unwrap(), bob.account().unwrap());
    let (server_, rng_) = (&mut server, &mut rng);
    server::send(server_, &mut alice, &to_bob, b"hello", b"hello", NOW, rng_).unwrap();
    let events = server::receive(server_, &mut bob, NOW, rng_).unwrap();
    server::messages(&mut bob, &events, rng_);
    server::send(server_, &mut bob, &to_alice, b"hi", b"hi", NOW, rng_).unwrap();
    let events = server::receive(server_, &mut alice, NOW, rng_).unwrap();
    server::messages(&mut alice, &events, rng_);
    (server, rng, alice, bob, folder)
}

/// The header key's name and the salt of a message: what must never be the same for two.
fn tag_and_salt(message: &[u8]) -> ([u8; 8], [u8; 16]) {
    let incoming = Incoming::parse(message).unwrap();
    let at = match incoming.first_id() {
        Some(_) => subrosa::agreement::PREFIX,
        None => 2,
    };
    (*incoming.tag(), message[at + 8..][..16].try_into().unwrap())
}

/// The texts of events that are messages, and how many were duplicates.
fn texts(events: &[Event]) -> (Vec<(u64, Vec<u8>)>, usize) {
    let mut texts = Vec::new();
    let mut duplicates = 0;
    for event in events {
        match event {
            Event::Message(received) => texts.push((received.id, received.text.clone())),
            Event::Rejected {
                error: subrosa::session::Error::Duplicate,
                ..
            } => duplicates += 1,
            event => panic!("{event:?}"),
        }
    }
    (texts, duplicates)
}

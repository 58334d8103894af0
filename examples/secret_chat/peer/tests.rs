//! Two peers over a bad network without a process or a socket, and crashes between any two steps.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, process};

use subrosa::Address;

use super::*;
use crate::dice::Dice;

/// A directory that is gone in the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("secret_chat-test-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bundles and mailboxes.
#[derive(Default)]
struct Exchange {
    bundles: HashMap<Vec<u8>, VecDeque<Vec<u8>>>,
    last_resorts: HashMap<Vec<u8>, Vec<u8>>,
    mailboxes: HashMap<Vec<u8>, Vec<Vec<u8>>>,
}

/// A peer with its directory, and what came out of it.
struct Side {
    name: &'static str,
    other: &'static str,
    directory: Directory,
    store: Store,
    peer: Peer,
    answers: Vec<Packet>,
    listening: bool,
    shown: Vec<Vec<u8>>,
    told: Vec<Record>,
}

fn open(name: &str, other: &str, directory: &Directory, shown: usize, now: Now) -> (Store, Peer) {
    let address = |name: &str| Address::new(name.as_bytes()).unwrap();
    let (store, loaded) = Store::open(&directory.0).unwrap();
    let mut peer = Peer::new(loaded, address(name), address(other), now).unwrap();
    peer.resume(u32::try_from(shown).unwrap()).unwrap();
    peer.connected();
    (store, peer)
}

impl Side {
    fn new(name: &'static str, other: &'static str, test: &str, now: Now) -> Self {
        let directory = Directory::new(&format!("{test}-{name}"));
        let (store, peer) = open(name, other, &directory, 0, now);
        Self {
            name,
            other,
            directory,
            store,
            peer,
            answers: Vec::new(),
            listening: false,
            shown: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Everything that is not stored is gone.
    fn crash(&mut self, now: Now) {
        let shown = self.shown.len();
        (self.store, self.peer) = open(self.name, self.other, &self.directory, shown, now);
        self.answers.clear();
        self.listening = false;
    }

    /// Reads, works and commits; what may leave then.
    fn step(&mut self, exchange: &mut Exchange, now: Now) -> Vec<Release> {
        for packet in std::mem::take(&mut self.answers) {
            self.peer.receive(packet, now).unwrap();
        }
        if self.listening {
            let mailbox = exchange.mailboxes.remove(self.name.as_bytes());
            for message in mailbox.unwrap_or_default() {
                self.peer.receive(Packet::Deliver { message }, now).unwrap();
            }
        }
        self.peer.work(now).unwrap();
        if self.peer.has_changed() {
            self.peer.commit(&mut self.store).unwrap();
        }
        self.peer.releases()
    }

    fn release(&mut self, releases: Vec<Release>, exchange: &mut Exchange, bad: &mut Dice) {
        for release in releases {
            match release {
                Release::Show(Record::Line {
                    number, content, ..
                }) => {
                    assert_eq!(number, self.shown.len() as u64, "in order, and once");
                    self.shown.push(content);
                }
                Release::Show(record) => self.told.push(record),
                Release::Send(packet) => self.send(packet, exchange, bad),
            }
        }
    }

    fn send(&mut self, packet: Packet, exchange: &mut Exchange, bad: &mut Dice) {
        let own = self.name.as_bytes().to_vec();
        match packet {
            Packet::Hello { address } => {
                assert_eq!(address, own);
                let left = exchange.bundles.get(&own).map_or(0, VecDeque::len);
                self.answers.push(Packet::Welcome {
                    one_time_left: u32::try_from(left).unwrap(),
                });
            }
            Packet::Publish {
                one_time: true,
                bundle,
            } => {
                exchange.bundles.entry(own).or_default().push_back(bundle);
            }
            Packet::Publish { bundle, .. } => {
                exchange.last_resorts.insert(own, bundle);
            }
            Packet::Fetch { address } => {
                let one_time = exchange.bundles.entry(address.clone()).or_default();
                let bundle = one_time.pop_front();
                let bundle = bundle.or_else(|| exchange.last_resorts.get(&address).cloned());
                self.answers.push(Packet::Bundle { bundle });
            }
            Packet::Listen => self.listening = true,
            Packet::Send { mailbox, message } => {
                let mailbox = exchange.mailboxes.entry(mailbox).or_default();
                if bad.percent(10) {
                    return;
                }
                for _ in 0..1 + bad.below(10) / 9 {
                    let place = mailbox.len() - bad.below(5).min(mailbox.len() as u64) as usize;
                    mailbox.insert(place, message.clone());
                }
            }
            Packet::Welcome { .. } | Packet::Bundle { .. } | Packet::Deliver { .. } => {
                panic!("only a relay says this")
            }
        }
    }

    fn tells(&self, kind: fn(&Record) -> bool) -> bool {
        self.told.iter().any(kind)
    }
}

/// A clock that only the test moves.
struct Clock(Now);

impl Clock {
    fn new() -> Self {
        Self(Now::read())
    }

    fn tick(&mut self) -> Now {
        self.0.unix_millis += 50;
        self.0.instant += Duration::from_millis(50);
        self.0
    }
}

fn line(name: &str, number: usize) -> Vec<u8> {
    format!("{name} says line {number}").into_bytes()
}

#[test]
fn crashes_between_any_two_steps_lose_nothing_and_show_nothing_twice() {
    const LINES: usize = 40;
    for seed in 0..3 {
        let mut bad = Dice(seed);
        let mut clock = Clock::new();
        let mut exchange = Exchange::default();
        let test = format!("crash{seed}");
        let mut sides = [
            Side::new("alice", "bob", &test, clock.0),
            Side::new("bob", "alice", &test, clock.0),
        ];
        let mut crashes = 0;
        let mut rounds = 0;
        while sides.iter().any(|side| side.shown.len() < LINES) {
            rounds += 1;
            assert!(rounds < 2_000, "no end in sight");
            for side in &mut sides {
                let now = clock.tick();
                while side.peer.outbox().len() < 5 && (side.peer.outbox().next() as usize) < LINES {
                    let number = side.peer.outbox().next() as usize;
                    side.peer.say(line(side.name, number));
                }
                if bad.percent(5) {
                    // Before the commit: what was said and read in memory only.
                    crashes += 1;
                    side.crash(now);
                    continue;
                }
                let mut releases = side.step(&mut exchange, now);
                if bad.percent(10) {
                    // After the commit, and somewhere in what follows it.
                    crashes += 1;
                    let released = bad.below(releases.len() as u64 + 1) as usize;
                    releases.truncate(released);
                    side.release(releases, &mut exchange, &mut bad);
                    side.crash(now);
                    continue;
                }
                side.release(releases, &mut exchange, &mut bad);
                if bad.percent(30) {
                    let shown = u32::try_from(side.shown.len()).unwrap();
                    side.peer.confirm(shown);
                }
            }
        }
        assert!(crashes > 0);
        for (side, other) in [(&sides[0], "bob"), (&sides[1], "alice")] {
            let written: Vec<_> = (0..LINES).map(|number| line(other, number)).collect();
            assert_eq!(side.shown, written);
            let counts = side.peer.counts();
            assert_eq!(counts.of("refused:Forked") + counts.of("opened_forked"), 0);
        }
    }
}

/// Both sides, until nothing more happens.
fn talk(sides: &mut [&mut Side], exchange: &mut Exchange, clock: &mut Clock) {
    for _ in 0..40 {
        for side in &mut *sides {
            let now = clock.tick();
            let releases = side.step(exchange, now);
            side.release(releases, exchange, &mut Dice(1));
        }
    }
}

#[test]
fn other_keys_under_the_same_name_are_told_and_not_read() {
    let (mut clock, mut exchange) = (Clock::new(), Exchange::default());
    let mut alice = Side::new("alice", "bob", "changed", clock.0);
    let mut bob = Side::new("bob", "alice", "changed", clock.0);
    bob.peer.say(b"it is me".to_vec());
    talk(&mut [&mut alice, &mut bob], &mut exchange, &mut clock);
    assert_eq!(alice.shown, [b"it is me"]);
    assert!(alice.tells(|record| matches!(record, Record::Contact { .. })));

    let mut mallory = Side::new("bob", "alice", "changed-later", clock.0);
    mallory.peer.say(b"it is still me".to_vec());
    talk(&mut [&mut alice, &mut mallory], &mut exchange, &mut clock);
    assert_eq!(alice.shown, [b"it is me"]);
    let changed = alice
        .told
        .iter()
        .filter(|record| matches!(record, Record::Changed { .. }));
    assert_eq!(changed.count(), 1);
    assert_eq!(alice.peer.pinned(), Some(bob.peer.own()));

    alice.told.clear();
    bob.crash(clock.0);
    bob.peer.say(b"now it is me again".to_vec());
    talk(&mut [&mut alice, &mut bob], &mut exchange, &mut clock);
    assert_eq!(alice.shown[1..], [b"now it is me again"]);
}

#[test]
fn a_bundle_of_somebody_else_is_not_the_peer() {
    let (mut clock, mut exchange) = (Clock::new(), Exchange::default());
    let mut alice = Side::new("alice", "bob", "stranger", clock.0);
    let mut carol = Side::new("carol", "alice", "stranger", clock.0);
    talk(&mut [&mut carol], &mut exchange, &mut clock);
    let bundle = exchange.last_resorts[&b"carol"[..]].clone();
    exchange.last_resorts.insert(b"bob".to_vec(), bundle);
    alice.peer.say(b"for bob only".to_vec());
    talk(&mut [&mut alice], &mut exchange, &mut clock);
    assert!(alice.tells(|record| matches!(record, Record::Stranger { .. })));
    assert_eq!(alice.peer.pinned(), None);
    assert!(exchange.mailboxes.is_empty());
    assert!(!alice.listening);
}

#[test]
fn rubbish_is_refused_and_counted() {
    let (mut clock, mut exchange) = (Clock::new(), Exchange::default());
    let mut alice = Side::new("alice", "bob", "rubbish", clock.0);
    let mut bob = Side::new("bob", "alice", "rubbish", clock.0);
    talk(&mut [&mut alice, &mut bob], &mut exchange, &mut clock);
    for message in [&b""[..], b"hello", &[0; 300], &[0xff; 2_000]] {
        let mailbox = exchange.mailboxes.entry(b"alice".to_vec()).or_default();
        mailbox.push(message.to_vec());
    }
    bob.peer.say(b"hello".to_vec());
    talk(&mut [&mut alice, &mut bob], &mut exchange, &mut clock);
    assert_eq!(alice.shown, [b"hello"]);
    let counts = alice.peer.counts().iter();
    let refused =
        counts.filter(|(name, _)| name.starts_with("refused:") && *name != "refused:Duplicate");
    assert_eq!(refused.map(|(_, count)| count).sum::<u64>(), 4);
}

//! Devices over a bad network without a process or a socket, and crashes between any two steps.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, process};

use super::*;
use crate::dice::Dice;
use crate::store;

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

/// What a relay holds.
#[derive(Default)]
struct Exchange {
    bundles: HashMap<Vec<u8>, VecDeque<Vec<u8>>>,
    last_resorts: HashMap<Vec<u8>, Vec<u8>>,
    lists: HashMap<[u8; 32], BTreeMap<u64, Vec<u8>>>,
    mailboxes: HashMap<Vec<u8>, Vec<Vec<u8>>>,
}

/// A device with its directory, and what came out of it.
struct Side {
    directory: Directory,
    other: AccountId,
    /// `None` while it is being opened: a store is closed before it is opened again.
    peer: Option<Peer>,
    answers: Vec<Packet>,
    listening: bool,
    progress: Progress,
    shown: BTreeMap<Address, Vec<Vec<u8>>>,
    told: Vec<Record>,
}

impl Side {
    fn new(directory: Directory, other: AccountId, now: Now) -> Self {
        let mut side = Self {
            directory,
            other,
            peer: None,
            answers: Vec::new(),
            listening: false,
            progress: Progress::default(),
            shown: BTreeMap::new(),
            told: Vec::new(),
        };
        side.crash(now);
        side
    }

    fn peer(&mut self) -> &mut Peer {
        self.peer.as_mut().unwrap()
    }

    /// Everything that is not stored is gone.
    fn crash(&mut self, now: Now) {
        self.peer = None;
        let (device, clock) = store::open(&self.directory.0, None).unwrap();
        let mut peer = Peer::new(device, clock, self.other, &self.progress, now).unwrap();
        peer.connected();
        self.peer = Some(peer);
        self.answers.clear();
        self.listening = false;
    }

    /// Hands in what there is; what may leave then.
    fn step(&mut self, exchange: &mut Exchange, now: Now) -> Vec<Release> {
        let answers = std::mem::take(&mut self.answers);
        let own = self.peer().address().as_bytes().to_vec();
        for packet in answers {
            self.peer().receive(packet, now).unwrap();
        }
        if self.listening {
            for message in exchange.mailboxes.remove(&own).unwrap_or_default() {
                self.peer()
                    .receive(Packet::Deliver { message }, now)
                    .unwrap();
            }
        }
        self.peer().work(now).unwrap();
        self.peer().releases()
    }

    fn release(&mut self, releases: Vec<Release>, exchange: &mut Exchange, bad: &mut Dice) {
        for release in releases {
            match release {
                Release::Show(Record::Line {
                    from,
                    number,
                    content,
                }) => {
                    let from = Address::new(&from).unwrap();
                    let shown = self.shown.entry(from).or_default();
                    assert_eq!(number, shown.len() as u64, "in order, and once");
                    shown.push(content);
                    let read = u32::try_from(shown.len()).unwrap();
                    self.progress.read.insert(from, read);
                }
                Release::Show(Record::Sent { number, .. }) => {
                    let written = u32::try_from(number).unwrap() + 1;
                    self.progress.written = self.progress.written.max(written);
                }
                Release::Show(record) => self.told.push(record),
                Release::Send(packet) => self.send(packet, exchange, bad),
            }
        }
    }

    fn send(&mut self, packet: Packet, exchange: &mut Exchange, bad: &mut Dice) {
        let own = self.peer().address().as_bytes().to_vec();
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
            } => exchange.bundles.entry(own).or_default().push_back(bundle),
            Packet::Publish { bundle, .. } => {
                exchange.last_resorts.insert(own, bundle);
            }
            Packet::PublishList {
                account,
                version,
                list,
            } => {
                exchange
                    .lists
                    .entry(account)
                    .or_default()
                    .insert(version, list);
            }
            Packet::FetchLists { account, known } => {
                let lists = exchange.lists.get(&account).cloned().unwrap_or_default();
                let lists = lists.into_iter();
                let above = lists.filter(|(version, _)| known.is_none_or(|known| *version > known));
                let mut lists: Vec<_> = above.map(|(_, list)| list).collect();
                if known.is_none() {
                    lists.drain(..lists.len().saturating_sub(1));
                }
                self.answers.push(Packet::Lists { account, lists });
            }
            Packet::Fetch { address } => {
                let one_time = exchange.bundles.entry(address.clone()).or_default();
                let bundle = one_time.pop_front();
                let bundle = bundle.or_else(|| exchange.last_resorts.get(&address).cloned());
                self.answers.push(Packet::Bundle { address, bundle });
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
            Packet::Welcome { .. }
            | Packet::Bundle { .. }
            | Packet::Lists { .. }
            | Packet::Deliver { .. } => panic!("only a relay says this"),
        }
    }

    fn tells(&self, kind: fn(&Record) -> bool) -> bool {
        self.told.iter().any(kind)
    }

    fn counted(&self, kind: fn(&str) -> bool) -> u64 {
        let counts = self.told.iter().filter_map(|record| match record {
            Record::Count { name, count } if kind(name) => Some(count),
            _ => None,
        });
        counts.sum()
    }

    fn confirm(&mut self) {
        for (from, shown) in self.progress.read.clone() {
            self.peer().confirm(&from, shown);
        }
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

/// Alice with a telephone and a laptop, and Bob.
fn three(test: &str, now: Now) -> [Side; 3] {
    let directories =
        ["alice", "laptop", "bob"].map(|name| Directory::new(&format!("{test}-{name}")));
    let [alice, laptop, bob] = &directories;
    let (mut telephone, _) = store::open(&alice.0, None).unwrap();
    let account = telephone.account().unwrap();
    let (linked, _) = store::open(&laptop.0, Some((account, 2))).unwrap();
    telephone
        .link(&linked.link_request(), &mut os_rng())
        .unwrap();
    let other = store::open(&bob.0, None).unwrap().0.account().unwrap();
    drop((telephone, linked));
    let mut others = [other, other, account].into_iter();
    directories.map(|directory| Side::new(directory, others.next().unwrap(), now))
}

fn line(writer: usize, number: usize) -> Vec<u8> {
    format!("writer {writer} says line {number}").into_bytes()
}

#[test]
fn crashes_between_any_two_steps_lose_nothing_and_show_nothing_twice() {
    const LINES: usize = 30;
    const LAPTOP: usize = 1;
    for seed in 0..2 {
        let mut bad = Dice(seed);
        let mut clock = Clock::new();
        let mut exchange = Exchange::default();
        let mut sides = three(&format!("crash{seed}"), clock.0);
        let [alice, _, bob] = sides.each_mut().map(|side| *side.peer().address());
        let to_read = [vec![(bob, 2)], vec![(alice, 0), (bob, 2)], vec![(alice, 0)]];
        let is_complete = |sides: &[Side; 3]| {
            sides.iter().zip(&to_read).all(|(side, to_read)| {
                let has_read = |from| side.shown.get(from).map_or(0, Vec::len) >= LINES;
                to_read.iter().all(|(from, _)| has_read(from))
            })
        };
        let (mut crashes, mut rounds) = (0, 0);
        while !is_complete(&sides) {
            rounds += 1;
            assert!(rounds < 3_000, "no end in sight");
            for (place, side) in sides.iter_mut().enumerate() {
                let now = clock.tick();
                while place != LAPTOP && side.peer().undelivered() < 5 && side.peer().said() < LINES
                {
                    let number = side.peer().said();
                    side.peer().say(line(place, number));
                }
                let mut releases = side.step(&mut exchange, now);
                if bad.percent(10) {
                    // Somewhere in what follows what was stored.
                    crashes += 1;
                    let released = bad.below(releases.len() as u64 + 1) as usize;
                    releases.truncate(released);
                    side.release(releases, &mut exchange, &mut bad);
                    side.crash(now);
                    continue;
                }
                side.release(releases, &mut exchange, &mut bad);
                if bad.percent(30) {
                    side.confirm();
                    side.peer().tidy(0).unwrap();
                }
            }
        }
        assert!(crashes > 0);
        for (side, to_read) in sides.iter().zip(&to_read) {
            for (from, writer) in to_read {
                let written: Vec<_> = (0..LINES).map(|number| line(*writer, number)).collect();
                assert_eq!(side.shown[from], written);
            }
            let forks = side.counted(|name| matches!(name, "forks" | "refused:Forked"));
            assert_eq!(forks, 0);
        }
    }
}

/// All sides, until nothing more happens.
fn talk(sides: &mut [&mut Side], exchange: &mut Exchange, clock: &mut Clock) {
    for _ in 0..30 {
        for side in &mut *sides {
            let now = clock.tick();
            let releases = side.step(exchange, now);
            side.release(releases, exchange, &mut Dice(1));
        }
    }
}

fn shown_by(side: &Side) -> Vec<&[u8]> {
    side.shown.values().flatten().map(Vec::as_slice).collect()
}

#[test]
fn a_line_that_was_stored_and_never_sent_keeps_its_number() {
    let (mut clock, mut exchange) = (Clock::new(), Exchange::default());
    let [mut alice, mut laptop, mut bob] = three("stored", clock.0);
    alice.peer().say(b"one".to_vec());
    talk(
        &mut [&mut alice, &mut laptop, &mut bob],
        &mut exchange,
        &mut clock,
    );
    alice.peer().say(b"two".to_vec());
    let now = clock.tick();
    drop(alice.step(&mut exchange, now));
    alice.crash(now);
    alice.peer().say(b"three".to_vec());
    talk(
        &mut [&mut alice, &mut laptop, &mut bob],
        &mut exchange,
        &mut clock,
    );
    for side in [&bob, &laptop] {
        assert_eq!(shown_by(side), [&b"one"[..], b"two", b"three"]);
    }
}

#[test]
fn somebody_else_is_not_read() {
    let (mut clock, mut exchange) = (Clock::new(), Exchange::default());
    let [mut alice, mut laptop, mut bob] = three("stranger", clock.0);
    bob.peer().say(b"it is me".to_vec());
    talk(
        &mut [&mut alice, &mut laptop, &mut bob],
        &mut exchange,
        &mut clock,
    );
    for side in [&alice, &laptop] {
        assert_eq!(shown_by(side), [b"it is me"]);
        assert!(side.tells(|record| matches!(record, Record::Contact { .. })));
    }
    let account = alice.peer().accounts().0.to_owned();
    let mut carol = Side::new(Directory::new("stranger-carol"), account, clock.0);
    carol.peer().say(b"it is me, too".to_vec());
    talk(&mut [&mut alice, &mut carol], &mut exchange, &mut clock);
    assert_eq!(shown_by(&alice), [b"it is me"]);
    assert!(alice.tells(|record| matches!(record, Record::Stranger { .. })));
    assert_eq!(carol.peer().undelivered(), 1);
}

#[test]
fn lists_and_bundles_of_somebody_else_are_refused() {
    let (mut clock, mut exchange) = (Clock::new(), Exchange::default());
    let [mut alice, mut laptop, mut bob] = three("other", clock.0);
    let [mut carol, _, _] = three("other-carol", clock.0);
    talk(&mut [&mut carol, &mut bob], &mut exchange, &mut clock);
    // What the relay has of Carol, it hands out as Bob's.
    let [bobs, carols] = [&mut bob, &mut carol].map(|side| *side.peer().accounts().0.as_bytes());
    let genuine = exchange.lists.insert(bobs, exchange.lists[&carols].clone());
    alice.peer().say(b"for bob only".to_vec());
    talk(&mut [&mut alice, &mut laptop], &mut exchange, &mut clock);
    assert!(alice.counted(|name| name == "lists_refused") > 0);
    exchange.lists.insert(bobs, genuine.unwrap());
    let [bobs, carols] =
        [&mut bob, &mut carol].map(|side| side.peer().address().as_bytes().to_vec());
    let genuine = exchange
        .last_resorts
        .insert(bobs.clone(), exchange.last_resorts[&carols].clone());
    let one_time = exchange.bundles.remove(&bobs);
    talk(&mut [&mut alice, &mut laptop], &mut exchange, &mut clock);
    assert!(!exchange.mailboxes.contains_key(&bobs));
    assert_eq!(alice.peer().undelivered(), 1);
    exchange.last_resorts.insert(bobs.clone(), genuine.unwrap());
    exchange.bundles.insert(bobs, one_time.unwrap());
    // The pauses between the questions have become long.
    clock.0.instant += Duration::from_secs(10);
    talk(
        &mut [&mut alice, &mut laptop, &mut bob],
        &mut exchange,
        &mut clock,
    );
    assert_eq!(shown_by(&bob), [b"for bob only"]);
    assert_eq!(shown_by(&laptop), [b"for bob only"]);
}

#[test]
fn rubbish_is_refused_and_counted() {
    let (mut clock, mut exchange) = (Clock::new(), Exchange::default());
    let [mut alice, mut laptop, mut bob] = three("rubbish", clock.0);
    talk(
        &mut [&mut alice, &mut laptop, &mut bob],
        &mut exchange,
        &mut clock,
    );
    let own = alice.peer().address().as_bytes().to_vec();
    for message in [&b""[..], b"hello", &[0; 300], &[0xff; 2_000]] {
        let mailbox = exchange.mailboxes.entry(own.clone()).or_default();
        mailbox.push(message.to_vec());
    }
    bob.peer().say(b"hello".to_vec());
    talk(
        &mut [&mut alice, &mut laptop, &mut bob],
        &mut exchange,
        &mut clock,
    );
    assert_eq!(shown_by(&alice), [b"hello"]);
    let refused = alice.counted(|name| name.starts_with("refused:") && name != "refused:Duplicate");
    assert_eq!(refused, 4);
}

//! A store that fails, that does not know, and processes that end at any commit: nothing that was accepted is lost, and
//! nothing is shown again after it was acknowledged (SPEC §19.2, §19.5).
//!
//! Four devices of three accounts talk. Each device is open in two processes at once, an app and its notification
//! extension, over one store. At every commit the store does what a seed says, and so does the process.

mod common;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use common::server::{self, Server};
use common::{NOW, SeededRng};
use subrosa::device::store::{Key, Unreadable};
use subrosa::device::{Commit, Content, Error, Event, MemoryStore, Outgoing, Sent, Store};
use subrosa::identity::AccountId;
use subrosa::session::Error as Refused;
use subrosa::{Address, AppKey, Device, Incoming};

const KEY: [u8; 32] = [3; 32];

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Nothing is stored, and the store says so.
    Failed,
    /// The store does not know, and it is stored.
    UnknownStored,
    /// The store does not know, and nothing is stored.
    UnknownLost,
    /// The process ends before anything is stored.
    CrashBefore,
    /// The process ends after all is stored, and nobody hears of it.
    CrashAfter,
}

const FATES: [Fate; 5] = [
    Fate::Failed,
    Fate::UnknownStored,
    Fate::UnknownLost,
    Fate::CrashBefore,
    Fate::CrashAfter,
];

/// The store of one device, whoever has opened it.
#[derive(Default)]
struct Disk {
    values: MemoryStore,
    /// Of the next commit.
    fate: Option<Fate>,
    faults: BTreeMap<Fate, u64>,
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Disk>>);

impl Store for Shared {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        self.0.borrow_mut().values.get(key)
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        let disk = &mut *self.0.borrow_mut();
        if base != disk.values.generation() {
            return Commit::Stale;
        }
        let Some(fate) = disk.fate.take() else {
            return disk.values.commit(base, puts, deletes);
        };
        *disk.faults.entry(fate).or_default() += 1;
        if matches!(fate, Fate::UnknownStored | Fate::CrashAfter) {
            let _ = disk.values.commit(base, puts, deletes);
        }
        match fate {
            Fate::Failed => Commit::Failed,
            _ => Commit::Unknown,
        }
    }
}

/// One device: what it stores, and the two processes that have it open.
struct Place {
    disk: Shared,
    processes: [Device<Shared>; 2],
    address: Address,
    account: AccountId,
    /// Messages that the app has asked to be sent and has no word of.
    wanted: Vec<(AccountId, Vec<u8>)>,
    /// Ids of messages that were shown, and whether they were acknowledged.
    shown: BTreeMap<u64, bool>,
    /// Texts that were shown: how often under a new id.
    texts: BTreeMap<Vec<u8>, u32>,
    /// Salt and tag of every message that left the device.
    sealed: BTreeMap<([u8; 8], [u8; 16]), Vec<u8>>,
}

struct World {
    server: Server,
    rng: SeededRng,
    places: Vec<Place>,
    now: u64,
    next: u64,
    stale: u64,
    /// Texts and the devices that have to show them.
    due: BTreeMap<Vec<u8>, BTreeSet<Address>>,
}

fn open(disk: &Shared) -> Device<Shared> {
    Device::open(disk.clone(), AppKey::new(KEY), None).unwrap()
}

fn place(disk: Shared, device: Device<Shared>) -> Place {
    Place {
        address: *device.address(),
        account: device.account().unwrap(),
        processes: [device, open(&disk)],
        disk,
        wanted: Vec::new(),
        shown: BTreeMap::new(),
        texts: BTreeMap::new(),
        sealed: BTreeMap::new(),
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let (mut server, mut rng) = (Server::default(), SeededRng(seed));
        let disks: [Shared; 4] = Default::default();
        let [first, second, third, fourth] = disks.clone();
        let mut alice = server::register(&mut server, first, KEY, NOW, &mut rng).0;
        let laptop = server::link(&mut server, &mut alice, fourth, KEY, NOW, &mut rng);
        let bob = server::register(&mut server, second, KEY, NOW, &mut rng).0;
        let carol = server::register(&mut server, third, KEY, NOW, &mut rng).0;
        let devices = [alice, bob, carol, laptop];
        let places = disks.into_iter().zip(devices);
        Self {
            places: places.map(|(disk, device)| place(disk, device)).collect(),
            server,
            rng,
            now: NOW,
            next: 0,
            stale: 0,
            due: BTreeMap::new(),
        }
    }

    /// One call of one process of a device. Whatever goes wrong, the process goes on or begins again, and what the call
    /// did is found out from what is stored: `None`.
    fn call<T>(
        &mut self,
        at: usize,
        faulty: bool,
        call: impl FnOnce(&mut Device<Shared>, u64, &mut SeededRng) -> Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        let which = self.rng.below(2) as usize;
        let fate = (faulty && self.rng.percent(60)).then(|| FATES[self.rng.below(5) as usize]);
        let place = &mut self.places[at];
        let before = place.disk.0.borrow().values.clone();
        place.disk.0.borrow_mut().fate = fate;
        let process = &mut place.processes[which];
        let result = call(process, self.now, &mut self.rng);
        let met = place.disk.0.borrow_mut().fate.take().is_none();
        match (&result, fate.filter(|_| met)) {
            (Ok(_), None) => return Some(result),
            (Ok(_), Some(fate)) => panic!("{fate:?}, and the call succeeded"),
            (Err(Error::Stale), _) => {
                self.stale += 1;
                assert_eq!(place.disk.0.borrow().values, before);
            }
            (Err(error), Some(Fate::Failed)) => {
                assert_eq!(*error, Error::Failed);
                assert_eq!(place.disk.0.borrow().values, before);
            }
            (Err(error), Some(fate)) => {
                assert_eq!(*error, Error::Unknown, "{fate:?}");
                // Nothing is done before it is known what is stored.
                let again = process.receive(&[], self.now, &mut self.rng);
                assert_eq!(again, Err(Error::Unknown));
                if matches!(fate, Fate::UnknownStored | Fate::UnknownLost) {
                    if self.rng.percent(50) {
                        process.reopen().unwrap();
                    } else {
                        process.reopen_with(place.disk.clone()).unwrap();
                    }
                } else {
                    *process = open(&place.disk);
                }
            }
            (Err(_), None) => return Some(result),
        }
        None
    }

    /// The app wants something sent.
    fn want(&mut self, at: usize) {
        let to = self.places[self.rng.below(4) as usize].account;
        self.next += 1;
        let text = format!("message {}", self.next).into_bytes();
        self.places[at].wanted.push((to, text));
    }

    /// Sends what is wanted first, with lists and bundles that are missing.
    fn send(&mut self, at: usize, faulty: bool) {
        let Some((to, text)) = self.places[at].wanted.first().cloned() else {
            return;
        };
        let message = Outgoing {
            id: &text,
            to,
            text: &text,
            partial: false,
        };
        let sent = self.call(at, faulty, |device, now, rng| {
            device.send(&message, now, rng)
        });
        match sent {
            Some(Ok(sent)) => self.sealed(at, &sent),
            Some(Err(Error::UnknownAccount)) => self.catch_up(at, to, faulty),
            Some(Err(Error::Unreached)) => self.begin(at, to, faulty),
            Some(Err(error)) => panic!("{error:?}"),
            None => {}
        }
    }

    fn sealed(&mut self, at: usize, sent: &Sent) {
        self.places[at].wanted.retain(|(_, text)| *text != sent.id);
        let due: BTreeSet<_> = sent.copies.iter().map(|copy| copy.to).collect();
        let known = self
            .due
            .entry(sent.id.clone())
            .or_insert_with(|| due.clone());
        assert_eq!(*known, due);
    }

    fn catch_up(&mut self, at: usize, account: AccountId, faulty: bool) {
        let lists: Vec<_> = self.server.lists_above(&account, Some(0));
        let lists: Vec<_> = lists.into_iter().map(<[u8]>::to_vec).collect();
        let lists: Vec<_> = lists.iter().map(Vec::as_slice).collect();
        let learned = self.call(at, faulty, |device, now, rng| {
            // All of them where none is known; else the newest is unchanged.
            let known = device.list(&account, rng)?.map(|list| list.version());
            let from = known.unwrap_or(0) as usize;
            device.update_list(&account, &lists[from..], now, rng)
        });
        if let Some(Err(error)) = learned {
            panic!("{error:?}");
        }
    }

    fn begin(&mut self, at: usize, to: AccountId, faulty: bool) {
        let unreached = self.call(at, false, |device, now, rng| {
            device.unreached(&to, now, rng)
        });
        let Some(Ok(unreached)) = unreached else {
            return;
        };
        let bundles = unreached.iter().map(|address| self.server.bundle(address));
        let bundles: Vec<_> = bundles.map(Option::unwrap).collect();
        let bundles: Vec<_> = bundles.iter().map(Vec::as_slice).collect();
        let begun = self.call(at, faulty, |device, now, rng| {
            device.begin(&bundles, now, rng)
        });
        if let Some(begun) = begun {
            for begun in begun.unwrap() {
                begun.unwrap();
            }
        }
    }

    /// Hands everything in the outbox to the server, and then says so.
    fn flush(&mut self, at: usize, faulty: bool) {
        let outbox = self.call(at, false, |device, _, rng| {
            device.outbox(0, usize::MAX, rng)
        });
        let Some(Ok((outbox, _))) = outbox else {
            return;
        };
        for sent in &outbox {
            for copy in &sent.copies {
                let incoming = Incoming::parse(&copy.message).unwrap();
                let at_salt = prefix(&incoming) + 8;
                let salt = copy.message[at_salt..][..16].try_into().unwrap();
                let known = self.places[at]
                    .sealed
                    .entry((*incoming.tag(), salt))
                    .or_insert_with(|| copy.message.clone());
                assert_eq!(*known, copy.message, "one key and nonce, two messages");
            }
            self.server.send(sent);
        }
        // Some of it, so that it is sent twice now and then.
        let keep = self.rng.below(outbox.len() as u64 + 1) as usize;
        for sent in &outbox[keep..] {
            // What lies in the outbox was sealed, whether or not somebody heard of it: it is not sealed again.
            self.sealed(at, sent);
        }
        let ids: Vec<_> = outbox[keep..].iter().map(|sent| &*sent.id).collect();
        if let Some(done) = self.call(at, faulty, |device, _, rng| device.sent(&ids, rng)) {
            done.unwrap();
        }
    }

    /// Hands in some of what the server has; it forgets them once the call has succeeded.
    fn receive(&mut self, at: usize, faulty: bool) {
        let address = self.places[at].address;
        let count = self.rng.below(8) as usize + 1;
        let queue = self.server.queues.entry(address).or_default();
        let waiting: Vec<_> = queue.iter().take(count).cloned().collect();
        let envelopes: Vec<_> = waiting.iter().map(Vec::as_slice).collect();
        let events = self.call(at, faulty, |device, now, rng| {
            device.receive(&envelopes, now, rng)
        });
        let Some(events) = events else {
            return;
        };
        let mut keep = Vec::new();
        for event in events.unwrap() {
            match event {
                Event::Message(received) => {
                    self.show(at, received.id, received.text, received.content)
                }
                Event::ListNeeded { envelope, account } => {
                    keep.push(waiting[envelope].clone());
                    self.catch_up(at, account, false);
                }
                // Handed in before, by a call that nobody heard of. (SPEC §14.1-R3: late, it is nobody's.)
                Event::Rejected { error, .. } => assert!(
                    matches!(
                        error,
                        Refused::Duplicate | Refused::NoSession | Refused::PrekeyGone
                    ),
                    "{error:?}"
                ),
                event => panic!("{event:?}"),
            }
        }
        let queue = self.server.queues.entry(address).or_default();
        queue.drain(..waiting.len());
        queue.extend(keep);
    }

    fn show(&mut self, at: usize, id: u64, text: Vec<u8>, content: Content) {
        let place = &mut self.places[at];
        let due = self.due.get(&text);
        match place.shown.get(&id) {
            // Shown again, because nobody said that it was read.
            Some(read) => assert!(!read, "shown after it was acknowledged"),
            None => {
                place.shown.insert(id, false);
                *place.texts.entry(text).or_default() += 1;
            }
        }
        // Sent by a call whose success nobody heard of, or due here.
        assert!(due.is_none_or(|due| due.contains(&place.address)));
        assert_ne!(content, Content::Unknown);
    }

    /// The app looks into the inbox, and acknowledges some of it.
    fn read(&mut self, at: usize, faulty: bool) {
        let inbox = self.call(at, false, |device, _, rng| device.inbox(0, usize::MAX, rng));
        let Some(Ok(inbox)) = inbox else {
            return;
        };
        let mut ids = Vec::new();
        for received in inbox {
            self.show(at, received.id, received.text, received.content);
            if self.rng.percent(70) {
                ids.push(received.id);
            }
        }
        let read = self.call(at, faulty, |device, _, rng| device.read(&ids, rng));
        if let Some(read) = read {
            read.unwrap();
            for id in ids {
                self.places[at].shown.insert(id, true);
            }
        }
    }

    /// Bundles that were made and not heard of are lost; others are made.
    fn publish(&mut self, at: usize, faulty: bool) {
        let published = self.call(at, faulty, |device, now, rng| device.publish(2, now, rng));
        if let Some(published) = published {
            let address = self.places[at].address;
            self.server.publish(&address, published.unwrap());
        }
    }

    fn step(&mut self, faulty: bool) {
        let at = self.rng.below(4) as usize;
        self.now += self.rng.below(60_000);
        match self.rng.below(100) {
            0..25 => self.want(at),
            25..50 => self.send(at, faulty),
            50..65 => self.flush(at, faulty),
            65..85 => self.receive(at, faulty),
            85..97 => self.read(at, faulty),
            _ => self.publish(at, faulty),
        }
    }

    /// Nothing goes wrong any more: everything arrives.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let idle = self.places.iter().all(|place| {
                place.wanted.is_empty()
                    && self
                        .server
                        .queues
                        .get(&place.address)
                        .is_none_or(|queue| queue.is_empty())
            });
            for at in 0..4 {
                self.send(at, false);
                self.flush(at, false);
                self.receive(at, false);
                self.read(at, false);
            }
            if idle && (0..4).all(|at| self.is_empty(at)) {
                return;
            }
        }
        panic!("it does not end");
    }

    /// Whether everything was acknowledged, which is so also where nobody heard of it.
    fn is_empty(&mut self, at: usize) -> bool {
        let process = &mut self.places[at].processes[0];
        loop {
            let inbox = process.inbox(0, 1, &mut self.rng);
            let outbox = process.outbox(0, 1, &mut self.rng);
            match (inbox, outbox) {
                (Err(Error::Stale), _) | (_, Err(Error::Stale)) => {}
                (inbox, outbox) => {
                    return inbox.unwrap().is_empty() && outbox.unwrap().0.is_empty();
                }
            }
        }
    }
}

/// Where the ordinary part of a message begins.
fn prefix(incoming: &Incoming<'_>) -> usize {
    match incoming.first_id() {
        Some(_) => subrosa::agreement::PREFIX,
        None => 2,
    }
}

/// How many commits go wrong; each is a crash point.
const FAULTS: u64 = 10_000;

#[test]
fn attack_s2_every_commit_may_fail_or_be_unknown_and_every_process_end() {
    let mut faults = BTreeMap::new();
    let mut stale = 0;
    let mut seed = 0;
    let mut messages = 0;
    while faults.values().sum::<u64>() < FAULTS {
        let mut world = World::new(seed);
        for _ in 0..4_000 {
            world.step(true);
        }
        world.settle();
        for (text, due) in &world.due {
            for place in &world.places {
                let times = place.texts.get(text).copied().unwrap_or(0);
                let expected = u32::from(due.contains(&place.address));
                assert_eq!(times, expected, "{}", text.escape_ascii());
            }
        }
        messages += world.due.len();
        assert_eq!(
            world.due.len() as u64,
            world.next,
            "all that was wanted was sent"
        );
        stale += world.stale;
        for place in &world.places {
            for (fate, count) in &place.disk.0.borrow().faults {
                *faults.entry(*fate).or_default() += count;
            }
        }
        seed += 1;
    }
    println!("{seed} worlds, {messages} messages, {stale} stale calls, faults {faults:?}");
    assert!(stale > 100, "two processes met");
    assert_eq!(faults.len(), FATES.len());
}

//! What must fail at a device and its store: each test is named after the attack's id.

mod common;

use std::collections::BTreeSet;

use common::server::{Server, catch_up, link, messages, publish, receive, register, send};
use common::{DAY, NOW, SeededRng};
use subrosa::device::store::{Key, Unreadable};
use subrosa::device::{Commit, Error, Event, MemoryStore, Outgoing, Store};
use subrosa::identity::{self, AccountId};
use subrosa::session::{self, Action};
use subrosa::{AppKey, Bundle, Device, DeviceIdentity, Incoming};

const KEY: [u8; 32] = [9; 32];

fn new(server: &mut Server, rng: &mut SeededRng) -> Device<MemoryStore> {
    register(server, MemoryStore::new(), KEY, NOW, rng).0
}

fn open<S: Store>(store: S) -> Result<Device<S>, Error> {
    Device::open(store, AppKey::new(KEY), None)
}

fn account<S: Store>(device: &Device<S>) -> AccountId {
    device.account().unwrap()
}

/// Alice and Bob, who have written to each other, and what Alice's next message is.
fn pair(
    server: &mut Server,
    rng: &mut SeededRng,
) -> (Device<MemoryStore>, Device<MemoryStore>, Vec<u8>) {
    let mut alice = new(server, rng);
    let mut bob = new(server, rng);
    for (round, id) in [b"a", b"b"].into_iter().enumerate() {
        let now = NOW + round as u64;
        let (to_alice, to_bob) = (account(&alice), account(&bob));
        send(server, &mut alice, &to_bob, id, b"there", now, rng).unwrap();
        let events = receive(server, &mut bob, now, rng).unwrap();
        assert_eq!(messages(&mut bob, &events, rng).len(), 1);
        send(server, &mut bob, &to_alice, id, b"back", now, rng).unwrap();
        let events = receive(server, &mut alice, now, rng).unwrap();
        assert_eq!(messages(&mut alice, &events, rng).len(), 1);
    }
    let to_bob = account(&bob);
    let sent = send(server, &mut alice, &to_bob, b"next", b"next", NOW, rng).unwrap();
    server.queues.clear();
    (alice, bob, sent.copies[0].message.clone())
}

/// A store whose values somebody else can change.
#[derive(Clone)]
struct Altered {
    values: MemoryStore,
    /// What is read instead.
    instead: Vec<(Key, Vec<u8>)>,
}

impl Store for Altered {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        let found = self.instead.iter().find(|(altered, _)| altered == key);
        match found {
            Some((_, value)) => Ok(Some(value.clone())),
            None => self.values.get(key),
        }
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        self.values.commit(base, puts, deletes)
    }
}

/// Opens the store and reads Alice's next message: what goes wrong.
fn read_next<S: Store>(store: S, next: &[u8], rng: &mut SeededRng) -> Result<Vec<Event>, Error> {
    open(store)?.receive(&[next], NOW, rng)
}

fn is_text(events: &[Event], text: &[u8]) -> bool {
    matches!(events, [Event::Message(received)] if received.text == text)
}

#[test]
fn attack_s3_two_copies_of_a_device_use_no_key_and_nonce_twice() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(1));
    let (alice, bob, _) = pair(server, rng);
    let to = account(&bob);
    let store = alice.into_store();
    let mut seen = BTreeSet::new();
    // The generator is copied with the device.
    for copy in 0..8u8 {
        let mut twin = open(store.clone()).unwrap();
        let rng = &mut SeededRng(77);
        for n in 0..4u8 {
            let message = Outgoing {
                id: &[n],
                to,
                text: &[copy, n],
                partial: false,
            };
            let sent = twin.send(&message, NOW, rng).unwrap();
            let [copy] = &sent.copies[..] else {
                panic!("one device")
            };
            let tag: [u8; 8] = *Incoming::parse(&copy.message).unwrap().tag();
            let salt: [u8; 16] = copy.message[10..26].try_into().unwrap();
            assert!(seen.insert((tag, salt)), "copy {copy:?}, message {n}");
        }
    }
}

#[test]
fn attack_s3_restored_backup_sends_only_what_is_begun_anew() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(2));
    let (alice, mut bob, _) = pair(server, rng);
    let (to_alice, to_bob) = (account(&alice), account(&bob));
    let backup = alice.into_store();
    let mut alice = open(backup.clone()).unwrap();
    send(server, &mut alice, &to_bob, b"later", b"later", NOW, rng).unwrap();
    receive(server, &mut bob, NOW, rng).unwrap();
    assert_eq!(
        Device::open(backup.clone(), AppKey::new(KEY), Some(alice.generation())).err(),
        Some(Error::RolledBack)
    );

    let mut alice = Device::restore(backup, AppKey::new(KEY), NOW, rng).unwrap();
    let message = Outgoing {
        id: b"anew",
        to: to_bob,
        text: b"anew",
        partial: true,
    };
    // Not even in part: nothing that was begun before sends.
    assert_eq!(alice.send(&message, NOW, rng), Err(Error::Unreached));
    let sent = send(server, &mut alice, &to_bob, b"anew", b"anew", NOW, rng).unwrap();
    assert!(
        Incoming::parse(&sent.copies[0].message)
            .unwrap()
            .first_id()
            .is_some()
    );
    let events = receive(server, &mut bob, NOW, rng).unwrap();
    assert!(
        messages(&mut bob, &events, rng)
            .iter()
            .any(|read| read.text == b"anew")
    );
    // And the peer's answer arrives: the conversation is whole again.
    send(server, &mut bob, &to_alice, b"whole", b"whole", NOW, rng).unwrap();
    let events = receive(server, &mut alice, NOW, rng).unwrap();
    assert!(
        messages(&mut alice, &events, rng)
            .iter()
            .any(|read| read.text == b"whole")
    );
    // Its list is not known to be the newest, so it signs no other one.
    assert_eq!(alice.unlink(1, NOW, rng).err(), Some(Error::ListDue));
    let list = server.lists[&to_alice][0].clone();
    alice.update_list(&to_alice, &[&list], NOW, rng).unwrap();
    assert_eq!(alice.unlink(7, NOW, rng).err(), Some(Error::NotFound));
}

#[test]
fn attack_s4_every_value_altered_cut_or_foreign() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(3));
    let (_, bob, next) = pair(server, rng);
    let store = bob.into_store();
    let other = new(server, rng).into_store();
    let mut used = 0;
    for (key, value) in store.iter() {
        let altered = |value: Vec<u8>| Altered {
            values: store.clone(),
            instead: vec![(*key, value)],
        };
        let mut wrong = Vec::new();
        // The generation, magic and kind, version, salt, commitment, the first and last byte of the ciphertext, the tag.
        for at in [
            0,
            7,
            8,
            13,
            15,
            16,
            48,
            80,
            value.len() - 17,
            value.len() - 1,
        ] {
            let mut value = value.to_vec();
            value[at] ^= 1;
            wrong.push(value);
        }
        for length in [0, 7, 8, 50, value.len() - 1] {
            wrong.push(value[..length].to_vec());
        }
        wrong.push([value, &[0]].concat());
        let foreign = other.iter().map(|(_, value)| value.to_vec());
        wrong.extend(foreign.take(3));
        let whole = read_next(altered(value.to_vec()), &next, rng).unwrap();
        assert!(is_text(&whole, b"next"), "{whole:?}");
        for value in wrong {
            let mut attacked = altered(value);
            match read_next(&mut attacked, &next, rng) {
                Err(error) => {
                    used += 1;
                    assert!(
                        matches!(
                            error,
                            Error::Stale
                                | Error::Session(
                                    session::Error::Integrity | session::Error::UnknownVersion
                                )
                        ),
                        "{error:?}"
                    );
                    // Nothing was stored, and with the value as it was, everything works.
                    assert_eq!(attacked.values, store);
                }
                // Values that this message does not need.
                Ok(events) => assert!(is_text(&events, b"next"), "{events:?}"),
            }
        }
    }
    assert!(used > 50, "root, identity, index, conversation: {used}");
    assert_eq!(
        Device::open(store.clone(), AppKey::new([1; 32]), None).err(),
        Some(Error::Empty),
        "under another key nothing is found"
    );
}

#[test]
fn attack_s4_a_conversation_that_is_not_intact_can_be_forgotten() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(14));
    let (alice, bob, next) = pair(server, rng);
    let to_alice = account(&alice);
    let store = bob.into_store();
    // The longest value is the prekeys, the next one the conversation.
    let mut values: Vec<_> = store.iter().collect();
    values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    let (key, value) = values[1];
    let mut value = value.to_vec();
    *value.last_mut().unwrap() ^= 1;
    let mut bob = open(Altered {
        values: store.clone(),
        instead: vec![(*key, value)],
    })
    .unwrap();
    let integrity = Error::Session(session::Error::Integrity);
    assert_eq!(bob.receive(&[&next], NOW, rng), Err(integrity));
    bob.forget(&to_alice, NOW, rng).unwrap();
    let after = bob.into_store();
    assert!(after.values.iter().all(|(stored, _)| stored != key));
    let events = open(after.values)
        .unwrap()
        .receive(&[&next], NOW, rng)
        .unwrap();
    assert!(
        matches!(
            &events[..],
            [Event::Rejected {
                error: session::Error::NoSession,
                ..
            }]
        ),
        "{events:?}"
    );
}

#[test]
fn attack_s5_values_swapped_within_a_store_and_between_stores() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(4));
    let (_, bob, next) = pair(server, rng);
    let store = bob.into_store();
    let values: Vec<_> = store
        .iter()
        .map(|(key, value)| (*key, value.to_vec()))
        .collect();
    let mut refused = 0;
    for (at, _) in &values {
        for (from, value) in values.iter().filter(|(from, _)| from != at) {
            let mut attacked = Altered {
                values: store.clone(),
                instead: vec![(*at, value.clone())],
            };
            match read_next(&mut attacked, &next, rng) {
                Ok(events) => assert!(is_text(&events, b"next"), "{from:?} at {at:?}: {events:?}"),
                Err(error) => {
                    refused += 1;
                    let integrity = Error::Session(session::Error::Integrity);
                    assert!([integrity, Error::Stale].contains(&error), "{error:?}");
                    assert_eq!(attacked.values, store);
                }
            }
        }
    }
    assert!(refused > 3 * (values.len() - 1), "{refused}");
}

#[test]
fn attack_s6_two_processes_on_one_store() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(5));
    let (_, bob, next) = pair(server, rng);
    let store = std::rc::Rc::new(std::cell::RefCell::new(bob.into_store()));
    #[derive(Clone)]
    struct Both(std::rc::Rc<std::cell::RefCell<MemoryStore>>);
    impl Store for Both {
        fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
            self.0.borrow_mut().get(key)
        }
        fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
            self.0.borrow_mut().commit(base, puts, deletes)
        }
    }
    let mut app = open(Both(store.clone())).unwrap();
    let mut extension = open(Both(store.clone())).unwrap();
    let read = app.receive(&[&next], NOW, rng).unwrap();
    assert!(is_text(&read, b"next"));
    let after = store.borrow().clone();
    // The extension still thinks of the generation before. It changes nothing, and says nothing of the message.
    assert_eq!(extension.receive(&[&next], NOW, rng), Err(Error::Stale));
    assert_eq!(*store.borrow(), after);
    let again = extension.receive(&[&next], NOW, rng).unwrap();
    assert!(
        matches!(
            &again[..],
            [Event::Rejected {
                error: session::Error::Duplicate,
                ..
            }]
        ),
        "{again:?}"
    );
    // What was read by one is in the inbox of both; what one acknowledged, is for both.
    let inbox = extension.inbox(0, 10, rng).unwrap();
    assert_eq!(inbox.len(), 1);
    extension.read(&[inbox[0].id], rng).unwrap();
    assert_eq!(app.inbox(0, 10, rng), Err(Error::Stale));
    assert_eq!(app.inbox(0, 10, rng), Ok(Vec::new()));
    // A view that is too old refuses nothing for good either: not even junk.
    extension.publish(1, NOW, rng).unwrap();
    assert_eq!(app.receive(&[b"junk"], NOW, rng), Err(Error::Stale));
    assert_eq!(app.receive(&[b"junk"], NOW, rng).unwrap().len(), 1);
}

#[test]
fn attack_s7_nothing_is_given_out_that_is_not_stored() {
    /// A store on a full disk.
    struct Full(MemoryStore);
    impl Store for Full {
        fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
            self.0.get(key)
        }
        fn commit(&mut self, _: u64, _: &[(Key, Vec<u8>)], _: &[Key]) -> Commit {
            Commit::Failed
        }
    }
    let (server, rng) = (&mut Server::default(), &mut SeededRng(6));
    let (alice, bob, next) = pair(server, rng);
    let to = account(&bob);
    let mut full = open(Full(alice.into_store())).unwrap();
    let message = Outgoing {
        id: b"1",
        to,
        text: b"text",
        partial: false,
    };
    assert_eq!(full.send(&message, NOW, rng), Err(Error::Failed));
    assert_eq!(full.publish(1, NOW, rng), Err(Error::Failed));
    assert_eq!(full.retry(b"1", rng), Ok(None));
    let mut full = open(Full(bob.into_store())).unwrap();
    assert_eq!(full.receive(&[&next], NOW, rng), Err(Error::Failed));
    assert_eq!(full.inbox(0, 10, rng), Ok(Vec::new()));
    // With room again, the same message is read.
    let events = read_next(full.into_store().0, &next, rng).unwrap();
    assert!(is_text(&events, b"next"));
}

#[test]
fn attack_s8_a_value_of_a_newer_release_is_not_touched() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(7));
    let (_, bob, next) = pair(server, rng);
    let store = bob.into_store();
    let mut refused = 0;
    for (key, value) in store.iter() {
        let mut newer = value.to_vec();
        // u64 generation || "SRS1" || u16 kind || u16 version
        newer[15] = 2;
        let mut attacked = Altered {
            values: store.clone(),
            instead: vec![(*key, newer)],
        };
        if let Err(error) = read_next(&mut attacked, &next, rng) {
            assert_eq!(error, Error::Session(session::Error::UnknownVersion));
            refused += 1;
        }
    }
    assert!(
        refused >= 4,
        "root, identity, index, conversation: {refused}"
    );
}

#[test]
fn attack_h8_no_message_id_is_given_twice_after_a_backup() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(16));
    let (_, bob, next) = pair(server, rng);
    let backup = bob.into_store();
    let mut ids = BTreeSet::new();
    let mut read = |mut device: Device<MemoryStore>, rng: &mut SeededRng| {
        let events = device.receive(&[&next], NOW, rng).unwrap();
        let [Event::Message(received)] = &events[..] else {
            panic!("{events:?}");
        };
        assert!(ids.insert(received.id), "{}", received.id);
    };
    read(open(backup.clone()).unwrap(), rng);
    for _ in 0..3 {
        let restored = Device::restore(backup.clone(), AppKey::new(KEY), NOW, rng).unwrap();
        read(restored, rng);
    }
}

#[test]
fn attack_h8_no_prekey_id_is_given_twice_after_a_backup() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(8));
    let mut alice = new(server, rng);
    let mut ids = BTreeSet::new();
    let mut collect = |published: &[Vec<u8>]| {
        for bundle in published {
            Bundle::parse(bundle).unwrap().verify(NOW).unwrap();
            // SPEC §7.2: a bundle ends with u32 opk.id || OPK 32.
            let id: [u8; 4] = bundle[bundle.len() - 36..][..4].try_into().unwrap();
            assert!(ids.insert(id), "{id:?}");
        }
    };
    collect(&alice.publish(10, NOW, rng).unwrap().one_time);
    let backup = alice.into_store();
    let mut alice = open(backup.clone()).unwrap();
    collect(&alice.publish(100, NOW, rng).unwrap().one_time);
    let mut alice = Device::restore(backup.clone(), AppKey::new(KEY), NOW, rng).unwrap();
    collect(&alice.publish(100, NOW, rng).unwrap().one_time);
    // The same backup once more, and a backup of what was restored.
    let mut again = Device::restore(backup.clone(), AppKey::new(KEY), NOW, rng).unwrap();
    collect(&again.publish(100, NOW, rng).unwrap().one_time);
    let mut alice = Device::restore(alice.into_store(), AppKey::new(KEY), NOW, rng).unwrap();
    collect(&alice.publish(100, NOW, rng).unwrap().one_time);
}

#[test]
fn attack_h5_a_bundle_or_first_message_under_somebody_elses_address() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(9));
    let mut alice = new(server, rng);
    let mut bob = new(server, rng);
    let (to_alice, to_bob) = (account(&alice), account(&bob));
    catch_up(server, &mut alice, &to_bob, NOW, rng).unwrap();
    catch_up(server, &mut bob, &to_alice, NOW, rng).unwrap();

    // Mallory has keys of her own, and says that they are at Bob's address.
    let mallory = DeviceIdentity::generate(*bob.address(), rng).unwrap();
    let prekeys = subrosa::Prekeys::generate(&mallory, NOW, rng).unwrap();
    let bundle = prekeys.last_resort_bundle(&mallory).unwrap();
    let begun = alice.begin(&[&bundle], NOW, rng).unwrap();
    assert_eq!(
        begun,
        [Err(Error::Session(session::Error::IdentityChanged))]
    );

    // And writes to Alice from there.
    let bundle = server.bundle(alice.address()).unwrap();
    let bundle = Bundle::parse(&bundle).unwrap().verify(NOW).unwrap();
    let mut conversation = subrosa::Conversation::new(*alice.identity().public());
    conversation.begin(&mallory, &bundle, NOW, rng).unwrap();
    let forged = conversation
        .seal(&mallory, b"\x10it is Bob", NOW, rng)
        .unwrap();
    let events = alice.receive(&[&forged], NOW, rng).unwrap();
    let refused = Event::Rejected {
        envelope: 0,
        from: Some(*bob.address()),
        error: session::Error::IdentityChanged,
        action: Action::AskUser,
    };
    assert_eq!(events, [refused]);
    // The genuine Bob is not touched by it.
    send(server, &mut bob, &to_alice, b"1", b"it is me", NOW, rng).unwrap();
    let events = receive(server, &mut alice, NOW, rng).unwrap();
    assert!(is_text(&events, b"it is me"), "{events:?}");
}

#[test]
fn attack_h13_nothing_is_sent_to_replaced_account_keys_unasked() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(10));
    let mut alice = new(server, rng);
    let (mut bob, recovery) = register(server, MemoryStore::new(), KEY, NOW, rng);
    let (to_alice, to_bob) = (account(&alice), account(&bob));
    send(server, &mut alice, &to_bob, b"1", b"before", NOW, rng).unwrap();
    receive(server, &mut bob, NOW, rng).unwrap();
    let before = alice.fingerprints(&to_bob, rng).unwrap();

    // Bob loses the device, and comes back with the recovery key.
    let list = bob.list(&to_bob, rng).unwrap().unwrap();
    let store = MemoryStore::new();
    let key = AppKey::new(KEY);
    let wrong = Device::recover(
        store.clone(),
        AppKey::new(KEY),
        &list,
        &other_recovery(rng),
        NOW,
        rng,
    );
    assert_eq!(
        wrong.err(),
        Some(Error::Identity(identity::Error::WrongKey))
    );
    let (mut again, _) = Device::recover(store, key, &list, &recovery, NOW, rng).unwrap();
    let list = again.list(&to_bob, rng).unwrap().unwrap();
    server.publish_list(&list);
    publish(server, &mut again, 5, NOW, rng);

    let events = catch_up(server, &mut alice, &to_bob, NOW, rng).unwrap();
    let expected = [
        Event::DeviceRemoved(*bob.address()),
        Event::DeviceAdded(*again.address()),
        Event::KeyChanged { account: to_bob },
    ];
    assert_eq!(events, expected);
    assert_ne!(alice.fingerprints(&to_bob, rng).unwrap(), before);
    let message = Outgoing {
        id: b"2",
        to: to_bob,
        text: b"after",
        partial: true,
    };
    let bundle = server.bundle(again.address()).unwrap();
    assert_eq!(alice.send(&message, NOW, rng), Err(Error::KeyChanged));
    assert_eq!(alice.unreached(&to_bob, NOW, rng), Err(Error::KeyChanged));
    assert_eq!(
        alice.begin(&[&bundle], NOW, rng).unwrap(),
        [Err(Error::KeyChanged)]
    );
    alice.approve(&to_bob, rng).unwrap();
    send(server, &mut alice, &to_bob, b"2", b"after", NOW, rng).unwrap();
    let events = receive(server, &mut again, NOW, rng).unwrap();
    assert_eq!(messages(&mut again, &events, rng)[0].text, b"after");
    // What the lost device still sends is nobody's.
    send(server, &mut bob, &to_alice, b"3", b"stolen", NOW, rng).unwrap();
    let events = receive(server, &mut alice, NOW, rng).unwrap();
    assert_eq!(messages(&mut alice, &events, rng), [], "{events:?}");
}

fn other_recovery(rng: &mut SeededRng) -> identity::RecoverySecret {
    identity::RecoverySecret::generate(rng).unwrap()
}

#[test]
fn attack_h13_a_list_that_others_were_shown_is_noticed() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(11));
    let (mut alice, mut bob, _) = pair(server, rng);
    let (to_alice, to_bob) = (account(&alice), account(&bob));
    // A thief has a copy of Bob's primary, and the server's help: Alice is shown a list with one device more.
    let mut thief = open(bob.into_store()).unwrap();
    let store = thief.into_store();
    bob = open(store.clone()).unwrap();
    thief = open(store).unwrap();
    let ghost = Device::create_linked(MemoryStore::new(), AppKey::new(KEY), &to_bob, 2, NOW, rng);
    let shown_to_alice = thief.link(&ghost.unwrap().link_request(), rng).unwrap();
    let tablet = Device::create_linked(MemoryStore::new(), AppKey::new(KEY), &to_bob, 2, NOW, rng);
    let shown_to_bob = bob.link(&tablet.unwrap().link_request(), rng).unwrap();
    assert_eq!(shown_to_alice.version(), shown_to_bob.version());
    alice
        .update_list(&to_bob, &[shown_to_alice.as_bytes()], NOW, rng)
        .unwrap();
    // The two lists cannot both be taken in.
    assert_eq!(
        alice.update_list(&to_bob, &[shown_to_bob.as_bytes()], NOW, rng),
        Err(Error::Identity(identity::Error::Equivocation))
    );
    // And each side hears of it with the next message, whoever sends it.
    let message = Outgoing {
        id: b"x",
        to: to_alice,
        text: b"text",
        partial: true,
    };
    let sent = bob.send(&message, NOW, rng).unwrap();
    server.send(&sent);
    let events = receive(server, &mut alice, NOW, rng).unwrap();
    assert!(
        events.contains(&Event::Equivocation { account: to_bob }),
        "{events:?}"
    );
    let message = Outgoing {
        id: b"y",
        to: to_bob,
        text: b"text",
        partial: true,
    };
    let sent = alice.send(&message, NOW, rng).unwrap();
    server.send(&sent);
    let events = receive(server, &mut bob, NOW, rng).unwrap();
    assert!(
        events.contains(&Event::Equivocation { account: to_bob }),
        "{events:?}"
    );
}

#[test]
fn attack_h13_a_list_that_is_withheld_is_noticed() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(12));
    let (mut alice, mut bob, _) = pair(server, rng);
    let (to_alice, to_bob) = (account(&alice), account(&bob));
    let laptop = link(server, &mut bob, MemoryStore::new(), KEY, NOW, rng);
    server.queues.clear();
    send(server, &mut bob, &to_alice, b"x", b"text", NOW, rng).unwrap();
    let events = receive(server, &mut alice, NOW, rng).unwrap();
    let behind = Event::ListBehind {
        account: to_bob,
        version: 2,
    };
    assert!(events.contains(&behind), "{events:?}");
    let events = catch_up(server, &mut alice, &to_bob, NOW, rng).unwrap();
    assert_eq!(events, [Event::DeviceAdded(*laptop.address())]);
    // Older lists are refused from now on; the newest is no news.
    let lists: Vec<_> = server.lists_above(&to_bob, Some(0));
    assert_eq!(
        alice.update_list(&to_bob, &lists, NOW, rng),
        Err(Error::Identity(identity::Error::OldList))
    );
    assert_eq!(
        alice.update_list(&to_bob, &lists[1..], NOW, rng),
        Ok(Vec::new())
    );
    // Told in the rest of the chain that the change came in, and in one whole chain that was answered.
    for (round, id) in (0..3u8).map(|round| (round, [round])) {
        send(server, &mut alice, &to_bob, &id, b"text", NOW, rng).unwrap();
        receive(server, &mut bob, NOW, rng).unwrap();
        let sent = send(server, &mut bob, &to_alice, &id, &[b'x'; 150], NOW, rng).unwrap();
        let to_alice = sent.copies.iter().find(|copy| copy.to == *alice.address());
        // 150 bytes alone fit into 192, with two views they do not.
        let length = to_alice.unwrap().message.len() - 102;
        assert_eq!(length, if round == 0 { 256 } else { 192 }, "{round}");
        receive(server, &mut alice, NOW + DAY, rng).unwrap();
    }
}

#[test]
fn attack_h13_a_removed_device_neither_reads_nor_writes() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(13));
    let (mut alice, mut bob, _) = pair(server, rng);
    let (to_alice, to_bob) = (account(&alice), account(&bob));
    let mut laptop = link(server, &mut bob, MemoryStore::new(), KEY, NOW, rng);
    catch_up(server, &mut alice, &to_bob, NOW, rng).unwrap();
    send(server, &mut alice, &to_bob, b"1", b"both", NOW, rng).unwrap();
    let events = receive(server, &mut laptop, NOW, rng).unwrap();
    assert_eq!(messages(&mut laptop, &events, rng).len(), 1);
    send(
        server,
        &mut laptop,
        &to_alice,
        b"2",
        b"from the laptop",
        NOW,
        rng,
    )
    .unwrap();
    let events = receive(server, &mut alice, NOW, rng).unwrap();
    assert_eq!(messages(&mut alice, &events, rng).len(), 1);

    let list = bob.unlink(2, NOW, rng).unwrap();
    server.publish_list(&list);
    let events = catch_up(server, &mut alice, &to_bob, NOW, rng).unwrap();
    assert_eq!(events, [Event::DeviceRemoved(*laptop.address())]);
    let sent = send(server, &mut alice, &to_bob, b"3", b"one", NOW, rng).unwrap();
    assert_eq!(sent.copies.len(), 1);
    // It does not know yet; what it writes is not read.
    send(
        server,
        &mut laptop,
        &to_alice,
        b"4",
        b"still here",
        NOW,
        rng,
    )
    .unwrap();
    let events = receive(server, &mut alice, NOW, rng).unwrap();
    assert_eq!(messages(&mut alice, &events, rng), [], "{events:?}");
    let events = catch_up(server, &mut laptop, &to_bob, NOW, rng).unwrap();
    assert_eq!(events, [Event::Unlinked]);
    let refused = send(server, &mut laptop, &to_alice, b"5", b"?", NOW, rng);
    assert_eq!(refused.err(), Some(Error::NotLinked));
    // Nor does its id come again.
    let again = link(server, &mut bob, MemoryStore::new(), KEY, NOW, rng);
    assert_eq!(*again.address(), to_bob.device(3));
}

#[test]
fn attack_r3_a_first_message_that_is_too_far_ahead_is_dropped() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(15));
    let mut alice = new(server, rng);
    let mut bob = new(server, rng);
    let to_bob = account(&bob);
    catch_up(server, &mut bob, &account(&alice), NOW, rng).unwrap();
    let mut last = Vec::new();
    for n in 0..=2_001u32 {
        let id = n.to_be_bytes();
        let sent = send(server, &mut alice, &to_bob, &id, b"text", NOW, rng).unwrap();
        last = sent.copies[0].message.clone();
    }
    let store = bob.into_store();
    let mut bob = open(store.clone()).unwrap();
    let dropped = Event::Rejected {
        envelope: 0,
        from: None,
        error: session::Error::GapTooLarge,
        action: Action::Drop,
    };
    assert_eq!(bob.receive(&[&last], NOW, rng).unwrap(), [dropped]);
    assert_eq!(bob.into_store(), store);
}

//! Devices of accounts talk through a server: the ordinary course, and what each rule of SPEC §19 says.

mod common;

use common::server::{Server, catch_up, link, messages, publish, receive, register, send};
use common::{DAY, NOW, SeededRng};
use subrosa::AppKey;
use subrosa::Device;
use subrosa::device::{Content, Error, Event, MemoryStore, Outgoing, Received};
use subrosa::session;

const KEY: [u8; 32] = [7; 32];

fn new(server: &mut Server, rng: &mut SeededRng) -> Device<MemoryStore> {
    register(server, MemoryStore::new(), KEY, NOW, rng).0
}

#[test]
fn accounts_of_two_devices_talk() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(1));
    let mut alice = new(server, rng);
    let mut laptop = link(server, &mut alice, MemoryStore::new(), KEY, NOW, rng);
    let mut bob = new(server, rng);
    let mut tablet = link(server, &mut bob, MemoryStore::new(), KEY, NOW, rng);
    let [to_alice, to_bob] = [&alice, &bob].map(|device| device.account().unwrap());

    for round in 0..5u8 {
        let sent = send(server, &mut alice, &to_bob, &[1, round], &[round], NOW, rng).unwrap();
        assert_eq!(sent.copies.len(), 3, "bob's two devices and the laptop");
        for device in [&mut bob, &mut tablet] {
            let events = receive(server, device, NOW, rng).unwrap();
            let read = messages(device, &events, rng);
            assert_eq!(read.len(), 1, "{events:?}");
            assert_eq!(read[0].text, [round]);
            assert_eq!(read[0].from, *alice.address());
            assert_eq!(read[0].content, Content::Message);
        }
        let events = receive(server, &mut laptop, NOW, rng).unwrap();
        let read = messages(&mut laptop, &events, rng);
        assert_eq!(read.len(), 1, "{events:?}");
        assert_eq!(read[0].content, Content::Copy { to: to_bob });

        send(
            server,
            &mut tablet,
            &to_alice,
            &[2, round],
            b"answer",
            NOW,
            rng,
        )
        .unwrap();
        for device in [&mut alice, &mut laptop] {
            let events = receive(server, device, NOW, rng).unwrap();
            assert_eq!(messages(device, &events, rng)[0].text, b"answer");
        }
        receive(server, &mut bob, NOW, rng).unwrap();
    }
    // Every entry was acknowledged: what is stored is what conversations need.
    assert_eq!(alice.inbox(0, 100, rng).unwrap(), []);
    assert_eq!(alice.outbox(0, 100, rng).unwrap().0, []);
    assert_eq!(
        bob.inbox(0, 100, rng).unwrap().len(),
        5,
        "copies not read yet"
    );
}

#[test]
fn a_message_stays_until_it_is_acknowledged() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(2));
    let mut alice = new(server, rng);
    let mut bob = new(server, rng);
    let to = bob.account().unwrap();
    let message = Outgoing {
        id: b"one",
        to,
        text: b"text",
        partial: false,
    };
    catch_up(server, &mut alice, &to, NOW, rng).unwrap();
    assert_eq!(alice.send(&message, NOW, rng), Err(Error::Unreached));
    let bundle = server.bundle(bob.address()).unwrap();
    alice.begin(&[&bundle], NOW, rng).unwrap()[0].unwrap();
    let sent = alice.send(&message, NOW, rng).unwrap();
    // The same name gives the same bytes, in this process and in the next.
    assert_eq!(alice.send(&message, NOW, rng), Ok(sent.clone()));
    let mut alice = Device::open(alice.into_store(), AppKey::new(KEY), None).unwrap();
    assert_eq!(alice.retry(b"one", rng), Ok(Some(sent.clone())));
    assert_eq!(
        alice.outbox(0, 10, rng).unwrap().0,
        std::slice::from_ref(&sent)
    );
    alice.sent(&[b"one"], rng).unwrap();
    assert_eq!(alice.retry(b"one", rng), Ok(None));

    server.send(&sent);
    let events = receive(server, &mut bob, NOW, rng).unwrap();
    let [Event::Message(received)] = &events[..] else {
        panic!("{events:?}");
    };
    let mut bob = Device::open(bob.into_store(), AppKey::new(KEY), None).unwrap();
    assert_eq!(
        bob.inbox(0, 10, rng).unwrap(),
        std::slice::from_ref(received)
    );
    bob.read(&[received.id], rng).unwrap();
    assert_eq!(bob.inbox(0, 10, rng).unwrap(), []);
    // A repeat of the network is not shown again.
    let again = bob.receive(&[&sent.copies[0].message], NOW, rng).unwrap();
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
}

#[test]
fn a_day_old_backup_is_restored() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(3));
    let mut alice = new(server, rng);
    let mut bob = new(server, rng);
    let [to_alice, to_bob] = [&alice, &bob].map(|device| device.account().unwrap());
    send(server, &mut alice, &to_bob, b"1", b"before", NOW, rng).unwrap();
    receive(server, &mut bob, NOW, rng).unwrap();
    let backup = bob.into_store();
    // On its way while the rest happens.
    let late = send(server, &mut alice, &to_bob, b"late", b"under way", NOW, rng).unwrap();
    server.queues.clear();
    let mut bob = Device::open(backup.clone(), AppKey::new(KEY), None).unwrap();
    send(server, &mut bob, &to_alice, b"2", b"answer", NOW, rng).unwrap();
    receive(server, &mut alice, NOW, rng).unwrap();
    let anchor = bob.generation();

    let opened = Device::open(backup.clone(), AppKey::new(KEY), Some(anchor));
    assert_eq!(opened.err(), Some(Error::RolledBack));
    let mut bob = Device::restore(backup, AppKey::new(KEY), NOW + DAY, rng).unwrap();
    assert_eq!(
        bob.unreached(&to_alice, NOW + DAY, rng).unwrap(),
        [*alice.address()]
    );
    assert!(bob.publish_due(NOW + DAY, rng).unwrap());
    publish(server, &mut bob, 5, NOW + DAY, rng);
    // What was under way is read in the old state. What answers to the lost answer is not.
    send(
        server,
        &mut alice,
        &to_bob,
        b"3",
        b"too late",
        NOW + DAY,
        rng,
    )
    .unwrap();
    server.send(&late);
    let events = receive(server, &mut bob, NOW + DAY, rng).unwrap();
    let read = messages(&mut bob, &events, rng);
    assert_eq!(read.len(), 1, "{events:?}");
    assert_eq!(read[0].text, b"under way");
    assert!(read[0].notices.old_state);
    let forked = Event::Rejected {
        envelope: 0,
        from: Some(*alice.address()),
        error: session::Error::Forked,
        action: session::Action::BeginAnew,
    };
    assert!(events.contains(&forked), "{events:?}");
    send(server, &mut bob, &to_alice, b"4", b"anew", NOW + DAY, rng).unwrap();
    let events = receive(server, &mut alice, NOW + DAY, rng).unwrap();
    assert_eq!(
        messages(&mut alice, &events, rng)[0].text,
        b"anew",
        "{events:?}"
    );
}

#[test]
fn what_was_under_way_does_not_begin_anew_twice() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(3));
    let mut alice = new(server, rng);
    let mut bob = new(server, rng);
    let [to_alice, to_bob] = [&alice, &bob].map(|device| device.account().unwrap());
    send(server, &mut alice, &to_bob, b"1", b"before", NOW, rng).unwrap();
    receive(server, &mut bob, NOW, rng).unwrap();
    let backup = bob.into_store();
    let mut bob = Device::open(backup.clone(), AppKey::new(KEY), None).unwrap();
    send(server, &mut bob, &to_alice, b"2", b"lost", NOW, rng).unwrap();
    receive(server, &mut alice, NOW, rng).unwrap();
    // These answer to what the backup does not know.
    for id in [b"3", b"4"] {
        send(server, &mut alice, &to_bob, id, b"under way", NOW, rng).unwrap();
    }
    let under_way = server.queues.remove(bob.address()).unwrap();

    let mut bob = Device::restore(backup, AppKey::new(KEY), NOW, rng).unwrap();
    publish(server, &mut bob, 5, NOW, rng);
    for (id, envelope) in [b"5", b"6"].into_iter().zip(&under_way) {
        send(server, &mut bob, &to_alice, id, b"anew", NOW, rng).unwrap();
        let events = bob.receive(&[envelope], NOW, rng).unwrap();
        let fork = Event::ForkSuspected(*alice.address());
        let refused = Event::Rejected {
            envelope: 0,
            from: Some(*alice.address()),
            error: session::Error::Forked,
            action: session::Action::BeginAnew,
        };
        assert_eq!(events, [fork, refused]);
        assert_eq!(bob.unreached(&to_alice, NOW, rng).unwrap(), []);
    }
    // Nor does it once the new conversation is answered.
    receive(server, &mut alice, NOW, rng).unwrap();
    send(server, &mut alice, &to_bob, b"7", b"answer", NOW, rng).unwrap();
    let events = receive(server, &mut bob, NOW, rng).unwrap();
    assert_eq!(messages(&mut bob, &events, rng)[0].text, b"answer");
    bob.receive(&[&under_way[0]], NOW, rng).unwrap();
    assert_eq!(bob.unreached(&to_alice, NOW, rng).unwrap(), []);
}

#[test]
fn every_call_is_one_commit_or_none() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(4));
    let mut alice = new(server, rng);
    let mut bob = new(server, rng);
    let _tablet = link(server, &mut bob, MemoryStore::new(), KEY, NOW, rng);
    let to = bob.account().unwrap();
    let lists: Vec<_> = server
        .lists_above(&to, Some(0))
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect();
    let lists: Vec<_> = lists.iter().map(Vec::as_slice).collect();
    let bundles: Vec<_> = [1, 2]
        .map(|id| server.bundle(&to.device(id)).unwrap())
        .into();
    let bundles: Vec<_> = bundles.iter().map(Vec::as_slice).collect();
    let mut before = alice.generation();
    let mut one_more = |device: &Device<MemoryStore>, commits: u64| {
        assert_eq!(device.generation(), before + commits);
        before = device.generation();
    };
    alice.update_list(&to, &lists, NOW, rng).unwrap();
    one_more(&alice, 1);
    alice.update_list(&to, &lists[1..], NOW, rng).unwrap();
    one_more(&alice, 0);
    alice.begin(&bundles, NOW, rng).unwrap();
    one_more(&alice, 1);
    let mut envelopes = Vec::new();
    for n in 0..10u8 {
        let message = Outgoing {
            id: &[n],
            to,
            text: &[n],
            partial: false,
        };
        let sent = alice.send(&message, NOW, rng).unwrap();
        one_more(&alice, 1);
        alice.send(&message, NOW, rng).unwrap();
        one_more(&alice, 0);
        assert_eq!(sent.copies.len(), 2);
        envelopes.push(sent.copies[0].message.clone());
    }
    alice.sent(&[&[0], &[1], &[2]], rng).unwrap();
    one_more(&alice, 1);
    alice.publish(10, NOW, rng).unwrap();
    one_more(&alice, 1);
    alice.unreached(&to, NOW, rng).unwrap();
    alice.outbox(0, 10, rng).unwrap();
    one_more(&alice, 0);

    catch_up(server, &mut bob, &alice.account().unwrap(), NOW, rng).unwrap();
    let before = bob.generation();
    let envelopes: Vec<_> = envelopes.iter().map(Vec::as_slice).collect();
    let events = bob.receive(&envelopes, NOW, rng).unwrap();
    assert_eq!(bob.generation(), before + 1, "ten messages, one commit");
    let ids: Vec<_> = messages_of(&events).map(|received| received.id).collect();
    assert_eq!(ids.len(), 10);
    // Refused, every one, and nothing is written for it.
    bob.receive(&envelopes, NOW, rng).unwrap();
    bob.receive(&[b"junk", &[1; 500]], NOW, rng).unwrap();
    assert_eq!(bob.generation(), before + 1);
    bob.read(&ids, rng).unwrap();
    assert_eq!(bob.generation(), before + 2);
}

fn messages_of(events: &[Event]) -> impl Iterator<Item = &Received> {
    events.iter().filter_map(|event| match event {
        Event::Message(received) => Some(received),
        _ => None,
    })
}

#[test]
fn the_store_names_neither_accounts_nor_texts() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(5));
    let mut alice = new(server, rng);
    let mut bob = new(server, rng);
    let to_bob = bob.account().unwrap();
    let text = b"a text that nobody else reads";
    send(server, &mut alice, &to_bob, b"name of it", text, NOW, rng).unwrap();
    let events = receive(server, &mut bob, NOW, rng).unwrap();
    assert_eq!(messages_of(&events).count(), 1);
    let list = alice.list(&to_bob, rng).unwrap().unwrap();
    let identity = *bob.identity().public().keys().signing_key();
    let to_alice = alice.account().unwrap();
    for device in [alice, bob] {
        let store = device.into_store();
        let stored: Vec<u8> = store
            .iter()
            .flat_map(|(key, value)| [key, value].concat())
            .collect();
        let needles: [&[u8]; 6] = [
            to_alice.as_bytes(),
            to_bob.as_bytes(),
            identity.as_bytes(),
            list.keys().account_key().as_bytes(),
            b"name of it",
            text,
        ];
        for needle in needles {
            let found = stored.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{}", needle.escape_ascii());
        }
    }
}

#[test]
fn a_missing_prekey_asks_for_others_once_a_minute_whatever_the_clock_does() {
    let (server, rng) = (&mut Server::default(), &mut SeededRng(6));
    let mut alice = new(server, rng);
    let bob = new(server, rng);
    let to_bob = bob.account().unwrap();
    let sent = send(server, &mut alice, &to_bob, b"1", b"text", NOW, rng).unwrap();
    let envelope = &sent.copies[0].message;
    // The backup knows the prekey, and what was restored from it does not.
    let mut bob = Device::restore(bob.into_store(), AppKey::new(KEY), NOW, rng).unwrap();
    assert!(bob.publish_due(NOW, rng).unwrap());
    assert!(bob.publish(1, NOW, rng).unwrap().replaces);
    assert!(!bob.publish(1, NOW, rng).unwrap().replaces);
    assert!(!bob.publish_due(NOW, rng).unwrap());
    let gone = Event::Rejected {
        envelope: 0,
        from: None,
        error: session::Error::PrekeyGone,
        action: session::Action::RotatePrekeys,
    };
    assert_eq!(bob.receive(&[envelope], NOW, rng).unwrap(), [gone]);
    assert!(!bob.publish_due(NOW + 59_999, rng).unwrap());
    assert!(bob.publish_due(NOW + 60_000, rng).unwrap());
    assert!(bob.publish_due(NOW - 1, rng).unwrap());
    // With the next generation everything is replaced.
    assert!(bob.publish(1, NOW + 8 * DAY, rng).unwrap().replaces);
}

#[test]
fn what_is_late_when_a_conversation_is_begun_anew_does_not_ask_for_it_again() {
    const HOUR: u64 = DAY / 24;
    let (server, rng) = (&mut Server::default(), &mut SeededRng(8));
    let mut alice = new(server, rng);
    let mut bob = new(server, rng);
    let [to_alice, to_bob] = [&alice, &bob].map(|device| device.account().unwrap());
    send(server, &mut alice, &to_bob, b"1", b"first", NOW, rng).unwrap();
    receive(server, &mut bob, NOW, rng).unwrap();
    let late: Vec<_> = (0..5u8)
        .map(|n| send(server, &mut alice, &to_bob, &[n], b"late", NOW, rng).unwrap())
        .collect();
    server.queues.clear();
    let mut bob = Device::restore(bob.into_store(), AppKey::new(KEY), NOW, rng).unwrap();
    publish(server, &mut bob, 5, NOW, rng);
    send(server, &mut bob, &to_alice, b"2", b"anew", NOW, rng).unwrap();
    server.queues.clear();
    // A day later Alice still writes in the old state: the second such message says to begin anew.
    let mut now = NOW + 25 * HOUR;
    let arrives = |bob: &mut Device<MemoryStore>, n: usize, now: u64, rng: &mut SeededRng| {
        let events = bob
            .receive(&[&late[n].copies[0].message], now, rng)
            .unwrap();
        assert_eq!(messages_of(&events).count(), 1, "{events:?}");
        events.contains(&Event::BeginAnew(*alice.address()))
    };
    assert!(!arrives(&mut bob, 0, now, rng));
    assert!(arrives(&mut bob, 1, now, rng));
    send(server, &mut bob, &to_alice, b"3", b"once more", now, rng).unwrap();
    // It was done: the next ones are only read.
    now += HOUR;
    assert!(!arrives(&mut bob, 2, now, rng));
    assert_eq!(bob.unreached(&to_alice, now, rng).unwrap(), []);
    // But if she has not heard of it for a day, it is done again.
    now += DAY;
    assert!(arrives(&mut bob, 3, now, rng));
    assert_eq!(
        bob.unreached(&to_alice, now, rng).unwrap(),
        [to_alice.device(1)]
    );
}

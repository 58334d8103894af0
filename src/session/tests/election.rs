//! Which state of a conversation sends (SPEC §11.3), and how long the others read.

use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

use super::kit::*;
use crate::agreement::Prekeys;
use crate::agreement::limits::{CREATED_AT_MAX, VALIDITY};
use crate::ratchet::Turn;
use crate::session::conversation::{Origin, Standing};
use crate::session::limits::{CHANGEOVER, RECEIVE_ONLY, STATES, UNANSWERED};
use crate::session::{Action, Conversation, Error, Opened};

/// As an app does it: a first message that no state knows is staged and accepted.
fn receive(
    device: &mut Device,
    conversation: &mut Conversation,
    message: &[u8],
    now: u64,
) -> Result<Opened, Error> {
    match open_at(conversation, message, now) {
        Err(Error::NoSession) if message[1] == 1 => device.accept_into(conversation, message, now),
        other => other,
    }
}

fn times(conversation: &Conversation) -> Vec<u64> {
    let states = conversation.states.iter();
    states.map(|state| state.created_at).collect()
}

/// At most one state sends, and it is the last one.
#[track_caller]
fn assert_elected(conversation: &Conversation) {
    let last = conversation.states.len() - 1;
    for (position, state) in conversation.states.iter().enumerate() {
        let sends = matches!(state.standing, Standing::Sending);
        assert_eq!(sends, position == last, "{position}");
        assert_eq!(state.ratchet.can_send(), sends, "{position}");
    }
    assert!(conversation.states.is_sorted_by(|a, b| a.rank() < b.rank()));
}

/// One side in the exhaustive run.
struct Side {
    device: Device,
    conversation: Conversation,
    now: u64,
    unsent: Vec<&'static str>,
    /// Texts read, in order.
    read: Vec<String>,
}

impl Side {
    fn new(
        device: Device,
        conversation: Conversation,
        now: u64,
        unsent: [&'static str; 2],
    ) -> Self {
        Self {
            conversation,
            device,
            now,
            unsent: unsent.to_vec(),
            read: Vec::new(),
        }
    }

    fn duplicate(&self) -> Self {
        Self {
            device: Device {
                identity: copy(&self.device.identity),
                prekeys: copy::<Prekeys>(&self.device.prekeys),
                rng: self.device.rng.clone(),
            },
            conversation: copy(&self.conversation),
            now: self.now,
            unsent: self.unsent.clone(),
            read: self.read.clone(),
        }
    }

    fn send(&mut self, text: &str, peer: &mut Self) -> Vec<u8> {
        if !self.conversation.can_send() {
            let (device, now) = (&mut self.device, self.now);
            device.begin(&mut self.conversation, &mut peer.device, now);
        }
        self.device
            .try_seal(&mut self.conversation, text.as_bytes(), self.now)
            .unwrap()
    }

    fn receive(&mut self, message: &[u8]) -> Opened {
        let opened = receive(&mut self.device, &mut self.conversation, message, self.now).unwrap();
        self.read
            .push(String::from_utf8(opened.text.clone()).unwrap());
        assert_elected(&self.conversation);
        opened
    }
}

/// Both sides, and the messages under way: (to Bob, message).
struct World {
    sides: [Side; 2],
    network: Vec<(usize, Vec<u8>)>,
}

impl World {
    fn duplicate(&self) -> Self {
        let [alice, bob] = &self.sides;
        Self {
            sides: [alice.duplicate(), bob.duplicate()],
            network: self.network.clone(),
        }
    }

    fn send(&mut self, from: usize) {
        let [alice, bob] = &mut self.sides;
        let (side, peer) = if from == 0 {
            (alice, bob)
        } else {
            (bob, alice)
        };
        let text = side.unsent.remove(0);
        let message = side.send(text, peer);
        self.network.push((1 - from, message));
    }

    /// Every order of what is left to do.
    fn explore(self, ends: &mut BTreeMap<usize, usize>) {
        let mut left = false;
        for from in 0..2 {
            if !self.sides[from].unsent.is_empty() {
                let mut next = self.duplicate();
                next.send(from);
                next.explore(ends);
                left = true;
            }
        }
        for position in 0..self.network.len() {
            let mut next = self.duplicate();
            let (to, message) = next.network.remove(position);
            next.sides[to].receive(&message);
            next.explore(ends);
            left = true;
        }
        if !left {
            self.settle(ends);
        }
    }

    /// Everything is delivered: within one round trip both send in one and the same state.
    fn settle(mut self, ends: &mut BTreeMap<usize, usize>) {
        for (reader, texts) in [(0, ["b1", "b2"]), (1, ["a1", "a2"])] {
            let mut read = self.sides[reader].read.clone();
            read.sort();
            assert_eq!(read, texts, "each text once");
        }
        let [alice, bob] = &mut self.sides;
        for _ in 0..2 {
            let message = alice.send("ping", bob);
            assert!(!bob.receive(&message).old_state);
            let message = bob.send("pong", alice);
            assert!(!alice.receive(&message).old_state);
        }
        let one = sending_sessions(&alice.conversation);
        assert_eq!(one.len(), 1);
        assert_eq!(one, sending_sessions(&bob.conversation));
        assert!(alice.conversation.is_answered() && bob.conversation.is_answered());
        *ends.entry(alice.conversation.states.len()).or_default() += 1;
    }
}

/// Both begin at once, two messages each; every order of sending and delivery, with clocks equal and apart.
#[test]
fn attack_h11_simultaneous_initiation() {
    for (seed, ahead) in [(700, 0), (702, 1)] {
        let (alice, bob) = (Device::new("alice", seed), Device::new("bob", seed + 1));
        let (at_alice, at_bob) = (alice.pin(&bob), bob.pin(&alice));
        let world = World {
            sides: [
                Side::new(alice, at_alice, NOW + ahead, ["a1", "a2"]),
                Side::new(bob, at_bob, NOW, ["b1", "b2"]),
            ],
            network: Vec::new(),
        };
        let mut ends = BTreeMap::new();
        world.explore(&mut ends);
        // Orders in which one side had read before it wrote, and orders in which both began.
        assert!(ends[&1] > 10 && ends[&2] > 100, "{ends:?}");
        assert_eq!(ends.len(), 2);
    }
}

/// Of two states with the same time the one with the lower session id sends, whoever began it.
#[test]
fn equal_times_are_decided_by_the_session_id() {
    let mut winners = [0, 0];
    for seed in 0..12 {
        let mut alice = Device::new("alice", 800 + 2 * seed);
        let mut bob = Device::new("bob", 801 + 2 * seed);
        let (mut at_alice, mut at_bob) = (alice.pin(&bob), bob.pin(&alice));
        alice.begin(&mut at_alice, &mut bob, NOW);
        bob.begin(&mut at_bob, &mut alice, NOW);
        let (from_alice, from_bob) = (alice.seal(&mut at_alice, b"a"), bob.seal(&mut at_bob, b"b"));
        let sessions = [sending_sessions(&at_alice)[0], sending_sessions(&at_bob)[0]];
        receive(&mut alice, &mut at_alice, &from_bob, NOW).unwrap();
        receive(&mut bob, &mut at_bob, &from_alice, NOW).unwrap();
        let lower = *sessions.iter().min().unwrap();
        assert_eq!(sending_sessions(&at_alice), [lower]);
        assert_eq!(sending_sessions(&at_bob), [lower]);
        winners[usize::from(sessions[1] == lower)] += 1;
    }
    assert!(winners[0] > 0 && winners[1] > 0, "{winners:?}");
}

/// First messages of three beginnings arrive in every order: the newest sends, and no later arrival of an old one
/// takes that from it.
#[test]
fn the_newest_state_sends_whatever_the_order_of_arrival() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let mut alice = Device::new("alice", 830);
        let mut bob = Device::new("bob", 831);
        let (mut at_alice, mut at_bob) = (alice.pin(&bob), bob.pin(&alice));
        let first: Vec<_> = (0..3)
            .map(|round| {
                alice.begin(&mut at_alice, &mut bob, NOW + round);
                alice.seal(&mut at_alice, b"text")
            })
            .collect();
        let mut newest = None;
        for position in order {
            let opened = receive(&mut bob, &mut at_bob, &first[position], NOW).unwrap();
            let is_newest = newest.is_none_or(|newest| position > newest);
            assert_eq!(opened.old_state, !is_newest);
            assert_eq!(opened.action, Action::Nothing);
            newest = newest.max(Some(position));
            assert_elected(&at_bob);
            let sends = at_bob.states.last().unwrap().created_at;
            assert_eq!(sends, NOW + newest.unwrap() as u64);
        }
        let answer = bob.seal(&mut at_bob, b"answer");
        assert_eq!(read(&mut at_alice, &answer), b"answer");
        assert_eq!(sending_sessions(&at_alice), sending_sessions(&at_bob));
    }
}

/// A clock set back does not strand a conversation: a new state is always the newest.
#[test]
fn a_clock_set_back_still_begins_the_newest_state() {
    let mut pair = pair(840);
    let bundle = pair.bob.last_resort_bundle(NOW);
    for (now, expected) in [
        (NOW + 10, NOW + 10),
        (NOW, NOW + 11),
        (0, NOW + 12),
        (NOW + 20, NOW + 20),
        (NOW + 20, NOW + 21),
    ] {
        pair.at_alice
            .begin(&pair.alice.identity, &bundle, now, &mut pair.alice.rng)
            .unwrap();
        assert_eq!(times(&pair.at_alice).last(), Some(&expected));
        assert_elected(&pair.at_alice);
    }
}

/// The peer's clock is far ahead: what we begin after that outranks it all the same, on both sides.
#[test]
fn a_state_begun_later_outranks_a_peer_whose_clock_is_ahead() {
    let mut pair = pair(850);
    let ahead = NOW + 20 * DAY;
    let bundle = pair.alice.bundle(ahead);
    pair.at_bob
        .begin(&pair.bob.identity, &bundle, ahead, &mut pair.bob.rng)
        .unwrap();
    let first = pair
        .bob
        .try_seal(&mut pair.at_bob, b"from the future", ahead)
        .unwrap();
    receive(&mut pair.alice, &mut pair.at_alice, &first, NOW).unwrap();
    pair.alice.begin(&mut pair.at_alice, &mut pair.bob, NOW);
    assert_eq!(times(&pair.at_alice).last(), Some(&(ahead + 1)));
    let first = pair.alice.seal(&mut pair.at_alice, b"anew");
    let opened = receive(&mut pair.bob, &mut pair.at_bob, &first, ahead).unwrap();
    assert!(!opened.old_state);
    assert_eq!(
        sending_sessions(&pair.at_alice),
        sending_sessions(&pair.at_bob)
    );
}

/// A state that no longer sends keeps nothing that sending needs.
#[test]
fn attack_r18_receive_only_state_forgets_how_to_send() {
    // Unanswered, in the midst of a chain, and where the next chain would be ours.
    let mut alice = Device::new("alice", 860);
    let mut bob = Device::new("bob", 861);
    let mut at_alice = alice.pin(&bob);
    alice.begin(&mut at_alice, &mut bob, NOW);
    alice.seal(&mut at_alice, b"text");
    let mut theirs = pair(862);
    theirs.alice_says(b"text");
    let ours = pair(864);
    for (mut alice, mut at_alice, mut bob) in [
        (alice, at_alice, bob),
        (theirs.alice, theirs.at_alice, theirs.bob),
        (ours.alice, ours.at_alice, ours.bob),
    ] {
        let mut gone: Vec<Vec<u8>> = Vec::new();
        if let Origin::Initiator {
            unanswered: Some(unanswered),
        } = &at_alice.states[0].origin
        {
            gone.push(unanswered.prefix.to_vec());
        }
        match &ratchet(&at_alice).turn {
            Turn::Theirs {
                sending: Some(chain),
                ..
            } => gone.extend([
                chain.header_key.expose().to_vec(),
                chain.next_header_key.expose().to_vec(),
                chain.chain_keys.classical.expose().to_vec(),
                chain.chain_keys.quantum.expose().to_vec(),
            ]),
            Turn::Ours {
                root,
                next_header_key,
                ..
            } => gone.extend([root.expose().to_vec(), next_header_key.expose().to_vec()]),
            _ => panic!("the state sends"),
        }
        for secret in &gone {
            assert!(contains(&encoding(&at_alice), secret));
        }
        alice.begin(&mut at_alice, &mut bob, NOW + 1);
        let encoded = encoding(&at_alice);
        for secret in &gone {
            assert!(!contains(&encoded, secret));
        }
        assert_elected(&copy(&at_alice));
    }
}

/// Old and new state of a conversation, Alice having begun anew at `NOW`.
fn begun_anew(seed: u64) -> Pair {
    let mut pair = pair(seed);
    pair.alice.begin(&mut pair.at_alice, &mut pair.bob, NOW);
    assert_eq!(pair.at_alice.states.len(), 2);
    pair
}

/// Read in for thirty days after its last use, then gone, by the clock of each call.
#[test]
fn a_receive_only_state_ends_thirty_days_after_its_last_use() {
    let mut pair = begun_anew(870);
    let messages: Vec<_> = (0..4)
        .map(|_| pair.bob.seal(&mut pair.at_bob, b"old"))
        .collect();
    let mut at_alice = copy(&pair.at_alice);
    assert_eq!(
        refused_at(&mut at_alice, &messages[0], NOW + RECEIVE_ONLY),
        Error::NoSession
    );
    let opened = open_at(&mut at_alice, &messages[0], NOW + RECEIVE_ONLY - 1).unwrap();
    assert!(opened.old_state);
    // Used: thirty days more.
    let used = NOW + RECEIVE_ONLY - 1;
    at_alice = copy(&at_alice);
    assert!(open_at(&mut at_alice, &messages[1], used + RECEIVE_ONLY - 1).is_ok());
    // A clock set back does not shorten that.
    let used = used + RECEIVE_ONLY - 1;
    assert!(open_at(&mut at_alice, &messages[2], NOW).is_ok());
    assert_eq!(at_alice.states.len(), 2);
    at_alice.expire(used + RECEIVE_ONLY - 1);
    assert_eq!(at_alice.states.len(), 2);
    // The state that sends has no end, and the other is not promoted by it.
    at_alice.expire(used + RECEIVE_ONLY);
    assert_eq!(at_alice.states.len(), 1);
    assert_elected(&at_alice);
    assert_eq!(
        refused_at(&mut at_alice, &messages[3], NOW),
        Error::NoSession
    );
}

/// One message more than a day after the change-over may have been under way; from the second on the advice is to
/// begin anew.
#[test]
fn the_second_late_message_in_an_old_state_advises_to_begin_anew() {
    let mut pair = begun_anew(880);
    let messages: Vec<_> = (0..8)
        .map(|_| pair.bob.seal(&mut pair.at_bob, b"old"))
        .collect();
    let late = NOW + CHANGEOVER + 1;
    for (message, now, advice) in [
        (0, NOW, Action::Nothing),
        (1, NOW + 1, Action::Nothing),
        (2, NOW + CHANGEOVER, Action::Nothing),
        (3, NOW + CHANGEOVER, Action::Nothing),
        (4, late, Action::Nothing),
        // Within the day again, by a clock that was set back.
        (5, NOW, Action::Nothing),
        (6, late, Action::BeginAnew),
        (7, late + DAY, Action::BeginAnew),
    ] {
        pair.at_alice = copy(&pair.at_alice);
        let opened = open_at(&mut pair.at_alice, &messages[message], now).unwrap();
        assert!(opened.old_state && !opened.forked);
        assert_eq!(opened.action, advice, "{message}");
    }
    // It stays a receive-only state.
    assert_elected(&pair.at_alice);
}

/// Five beginnings: the lowest goes, whichever of the five it is, and no other takes its turn.
#[test]
fn attack_r4_fifth_state_deletes_the_lowest() {
    for missing in 0..5u64 {
        let mut alice = Device::new("alice", 890);
        let mut bob = Device::new("bob", 891);
        let (mut at_alice, mut at_bob) = (alice.pin(&bob), bob.pin(&alice));
        let first: Vec<_> = (0..5)
            .map(|round| {
                alice.begin(&mut at_alice, &mut bob, NOW + round);
                alice.seal(&mut at_alice, b"text")
            })
            .collect();
        let all: Vec<_> = (NOW + 1..NOW + 5).collect();
        assert_eq!(times(&at_alice), all);
        // Bob gets one of them last.
        for round in (0..5).filter(|round| *round != missing) {
            receive(&mut bob, &mut at_bob, &first[round as usize], NOW).unwrap();
        }
        assert_eq!(at_bob.states.len(), STATES);
        let opened = receive(&mut bob, &mut at_bob, &first[missing as usize], NOW).unwrap();
        assert_eq!(opened.text, b"text");
        assert_eq!(opened.old_state, missing != 4);
        assert_eq!(times(&at_bob), all, "{missing}");
        assert_elected(&at_bob);
        assert_eq!(sending_sessions(&at_alice), sending_sessions(&at_bob));
        // The one that went is no conversation any more, and no new one.
        let before = encoding(&bob.prekeys);
        assert_eq!(refused(&mut at_bob, &first[0]), Error::NoSession);
        assert_eq!(bob.stage(&first[0], NOW).err(), Some(Error::PrekeyGone));
        assert!(encoding(&bob.prekeys) == before);
    }
}

/// Whatever becomes of the state that sends, no other one takes its place.
#[test]
fn attack_s3_old_state_is_never_promoted() {
    let mut pair = begun_anew(900);
    let message = pair.bob.seal(&mut pair.at_bob, b"old");
    // As if the newest state had been lost.
    pair.at_alice.states.pop();
    let mut at_alice = copy(&pair.at_alice);
    assert!(!at_alice.can_send());
    let opened = open_at(&mut at_alice, &message, NOW).unwrap();
    assert!(opened.old_state);
    let before = encoding(&at_alice);
    assert_eq!(
        pair.alice.try_seal(&mut at_alice, b"text", NOW),
        Err(Error::NoSession)
    );
    assert!(encoding(&at_alice) == before);
    // Beginning anew sends, and outranks what was lost.
    pair.alice.begin(&mut at_alice, &mut pair.bob, NOW);
    assert_eq!(times(&at_alice).last(), Some(&(NOW + 2)));
    let first = pair.alice.seal(&mut at_alice, b"anew");
    let opened = receive(&mut pair.bob, &mut pair.at_bob, &first, NOW).unwrap();
    assert!(!opened.old_state);
}

/// An initiator repeats its prefix for thirty days, if the bundle's keys last as long.
#[test]
fn unanswered_for_thirty_days() {
    let mut alice = Device::new("alice", 910);
    let mut bob = Device::new("bob", 911);
    let (mut at_alice, mut at_bob) = (alice.pin(&bob), bob.pin(&alice));
    alice.begin(&mut at_alice, &mut bob, NOW);
    let end = NOW + UNANSWERED;
    let last = alice.try_seal(&mut at_alice, b"last", end).unwrap();
    let before = encoding(&at_alice);
    for now in [end + 1, end + DAY, u64::MAX] {
        assert_eq!(
            alice.try_seal(&mut at_alice, b"text", now),
            Err(Error::Unanswered)
        );
    }
    assert!(encoding(&at_alice) == before);
    // The responder still reads the last one, and with its answer the limit is gone.
    receive(&mut bob, &mut at_bob, &last, end).unwrap();
    let answer = bob.try_seal(&mut at_bob, b"answer", end + DAY).unwrap();
    assert!(open_at(&mut at_alice, &answer, end + DAY).is_ok());
    assert!(at_alice.is_answered());
    let message = alice.try_seal(&mut at_alice, b"text", end + 400 * DAY);
    assert_eq!(message.unwrap()[1], 2);
}

/// The end of either key of the bundle ends the repeating of the prefix: the responder may delete what reads it.
/// The clock of the beginning counts, not `created_at`.
#[test]
fn unanswered_until_a_prekey_ends() {
    let mut bob = Device::new("bob", 913);
    let (early, late) = (bob.bundle(NOW + 5 * DAY), bob.bundle(NOW + 20 * DAY));
    // The clock was ahead when the signed prekey was made: the one-time KEM key ends first.
    bob.prekeys
        .rotate(&bob.identity, NOW + 6 * DAY, &mut bob.rng)
        .unwrap();
    let kem_first = bob.bundle(NOW);
    let last_resort = bob.last_resort_bundle(NOW);
    for (bundle, begun, end) in [
        (&early, NOW + 5 * DAY, NOW + 35 * DAY),
        (&early, NOW + 7 * DAY, NOW + VALIDITY),
        (&early, NOW + 8 * DAY, NOW + VALIDITY),
        (&late, NOW + 20 * DAY, NOW + VALIDITY),
        (&kem_first, NOW + 6 * DAY, NOW + 36 * DAY),
        (&kem_first, NOW + 12 * DAY, NOW + VALIDITY),
        (&kem_first, NOW + VALIDITY - 1, NOW + VALIDITY),
        (&last_resort, NOW + 12 * DAY, NOW + 42 * DAY),
        (&last_resort, NOW + 14 * DAY, NOW + 6 * DAY + VALIDITY),
    ] {
        for last_created_at in [0, NOW + 90 * DAY] {
            let mut alice = Device::new("alice", 914);
            let mut at_alice = alice.pin(&bob);
            at_alice.last_created_at = last_created_at;
            at_alice
                .begin(&alice.identity, bundle, begun, &mut alice.rng)
                .unwrap();
            // The deadline is part of what is stored.
            let mut at_alice = copy(&at_alice);
            assert!(alice.try_seal(&mut at_alice, b"text", begun).is_ok());
            assert!(alice.try_seal(&mut at_alice, b"text", end).is_ok());
            let before = encoding(&at_alice);
            let over = alice.try_seal(&mut at_alice, b"text", end + 1);
            assert_eq!(over, Err(Error::Unanswered));
            assert!(encoding(&at_alice) == before);
            assert!(alice.try_seal(&mut at_alice, b"text", end).is_ok());
        }
    }
}

/// At the end of time there is no overflow.
#[test]
fn unanswered_at_the_end_of_time() {
    let mut alice = Device::new("alice", 915);
    let mut bob = Device::new("bob", 916);
    let now = u64::MAX - DAY;
    bob.prekeys
        .rotate(&bob.identity, now, &mut bob.rng)
        .unwrap();
    let mut at_alice = alice.pin(&bob);
    alice.begin(&mut at_alice, &mut bob, now);
    assert!(alice.try_seal(&mut at_alice, b"text", u64::MAX).is_ok());
}

/// A peer has claimed the greatest time that there is. Nothing outranks it any more but a lower session id; both
/// sides still agree on one state, and talk in it.
#[test]
fn attack_h11_greatest_time_claimed_by_the_peer() {
    let mut pair = pair(920);
    pair.at_alice.last_created_at = CREATED_AT_MAX - 1;
    let mut lost = 0;
    for _ in 0..8 {
        pair.alice.begin(&mut pair.at_alice, &mut pair.bob, NOW);
        assert_eq!(times(&pair.at_alice).last(), Some(&CREATED_AT_MAX));
        let message = pair.alice.seal(&mut pair.at_alice, b"text");
        receive(&mut pair.bob, &mut pair.at_bob, &message, NOW).unwrap();
        pair.bob.begin(&mut pair.at_bob, &mut pair.alice, NOW);
        let message = pair.bob.seal(&mut pair.at_bob, b"text");
        lost += usize::from(message[1] == 2);
        receive(&mut pair.alice, &mut pair.at_alice, &message, NOW).unwrap();
        assert_eq!(
            sending_sessions(&pair.at_alice),
            sending_sessions(&pair.at_bob)
        );
        pair.at_alice = copy(&pair.at_alice);
        pair.at_bob = copy(&pair.at_bob);
    }
    assert!(lost > 0, "a new state always won");
    pair.alice_says(b"text");
    pair.bob_says(b"text");
}

/// A conversation in which nothing was said has no state to send in.
#[test]
fn nothing_to_send_in_before_the_beginning() {
    let mut alice = Device::new("alice", 930);
    let bob = Device::new("bob", 931);
    let mut at_alice = alice.pin(&bob);
    let before = encoding(&at_alice);
    assert_eq!(
        alice.try_seal(&mut at_alice, b"text", NOW),
        Err(Error::NoSession)
    );
    assert_eq!(refused(&mut at_alice, &[]), Error::Malformed);
    assert!(encoding(&at_alice) == before);
}

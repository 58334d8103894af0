//! When one side exists twice: `Duplicate` or `Forked` (SPEC §9.4-R6, §9.5).

use std::vec::Vec;

use super::kit::*;
use crate::ratchet::Turn;
use crate::ratchet::limits::WINDOW;
use crate::session::{Action, Conversation, Error};

/// Alice's chain of `count` messages, all read by Bob; message N with another salt is what a copy of Alice sends.
struct Chain {
    pair: Pair,
    sent: Vec<Vec<u8>>,
    copies: Vec<Forge>,
}

impl Chain {
    fn begin(seed: u64) -> Self {
        Self {
            pair: pair(seed),
            sent: Vec::new(),
            copies: Vec::new(),
        }
    }

    /// Alice seals `count` messages, without Bob reading them.
    fn seal(&mut self, count: usize) -> &mut Self {
        for _ in 0..count {
            if matches!(ratchet(&self.pair.at_alice).turn, Turn::Ours { .. }) {
                // The chain begins with its first message; its keys are those of a moment before.
                let message = self.pair.alice.seal(&mut self.pair.at_alice, b"genuine");
                let taken = Taken::new(&message, ratchet(&self.pair.at_alice).session_id);
                let mut forge = Forge::next(&self.pair.at_alice);
                forge.number = 0;
                let header = taken.header(&forge.header_key).unwrap();
                let Turn::Theirs { root, own, .. } = &ratchet(&self.pair.at_bob).turn else {
                    panic!("Bob answered last");
                };
                let step = root.step(&own.agree(&header.public).unwrap());
                let seeds = ratchet(&self.pair.at_bob).quantum.peer().unwrap();
                let (quantum, _) = seeds.open(header.epoch).unwrap();
                let keys = [*step.chain_key.expose(), *quantum.expose()];
                forge.message_key = message_key(&keys, 0);
                self.sent.push(message);
                self.copies.push(forge);
            } else {
                self.copies.push(Forge::next(&self.pair.at_alice));
                let message = self.pair.alice.seal(&mut self.pair.at_alice, b"genuine");
                self.sent.push(message);
            }
        }
        self
    }

    #[track_caller]
    fn read(&mut self, numbers: impl IntoIterator<Item = usize>) -> &mut Self {
        for number in numbers {
            assert_eq!(
                read(&mut self.pair.at_bob, &self.sent[number]),
                b"genuine",
                "{number}"
            );
        }
        self
    }

    /// What Bob says to the message as it was sent, and to that of a copy of Alice.
    #[track_caller]
    fn expect(&mut self, number: usize, again: Error, copy: Error) -> &mut Self {
        let conversation = &mut self.pair.at_bob;
        assert_eq!(refused(conversation, &self.sent[number]), again, "{number}");
        let forged = self.copies[number].seal();
        assert_eq!(refused(conversation, &forged), copy, "copy of {number}");
        self
    }
}

use Error::{Duplicate, Forked};

/// A message read, and another one with its number: among the last 32 numbers it is told apart, before that it cannot be.
#[test]
fn attack_r5_repeated_number_in_and_out_of_the_window() {
    let mut chain = Chain::begin(200);
    chain.seal(1).read([0]).expect(0, Duplicate, Forked);
    chain.seal(39).read(1..40);
    for number in 0..8 {
        chain.expect(number, Duplicate, Duplicate);
    }
    for number in 8..40 {
        chain.expect(number, Duplicate, Forked);
    }
    // Through storage nothing changes.
    chain.pair.at_bob = copy(&chain.pair.at_bob);
    chain.expect(7, Duplicate, Duplicate);
    chain.expect(8, Duplicate, Forked);
    chain.seal(1).read([40]);
    chain.expect(8, Duplicate, Duplicate);
    chain.expect(9, Duplicate, Forked);
}

/// A late message outside the window does not write into the slot of a newer number.
#[test]
fn attack_r5_late_message_leaves_the_slots_of_newer_numbers() {
    let mut chain = Chain::begin(210);
    let window = WINDOW as usize;
    chain.seal(window + 8).read(1..window);
    // Number 0 at Nr = 32: the oldest number that has a slot.
    let mut edge = copy(&chain.pair.at_bob);
    assert_eq!(read(&mut edge, &chain.sent[0]), b"genuine");
    assert_eq!(refused(&mut edge, &chain.sent[0]), Duplicate);
    assert_eq!(refused(&mut edge, &chain.copies[0].seal()), Forked);
    // At Nr = 33 slot 0 is that of number 32.
    chain.read([window]).read([0]);
    chain.expect(0, Duplicate, Duplicate);
    chain.expect(window, Duplicate, Forked);
    chain.read(window + 1..window + 8);
    chain.expect(window, Duplicate, Forked);
}

/// A late message within the window is told apart from then on.
#[test]
fn attack_r5_late_message_within_the_window() {
    let mut chain = Chain::begin(220);
    chain.seal(20).read([0, 1, 2, 19]);
    chain.read([10]).expect(10, Duplicate, Forked);
    // A number that is still stored is read once, whoever of the two copies comes first.
    let mut other = copy(&chain.pair.at_bob);
    assert_eq!(read(&mut other, &chain.copies[11].seal()), b"forged");
    assert_eq!(refused(&mut other, &chain.sent[11]), Forked);
    chain.read([11]).expect(11, Duplicate, Forked);
}

/// A jump empties the slots of the numbers that it skips, and over 32 numbers all of them.
#[test]
fn attack_r5_jump_empties_the_slots() {
    let mut chain = Chain::begin(230);
    chain.seal(120).read(0..40).read([45]);
    // Nr = 46: 14..40 and 45 are in the window, read; 40..45 are stored.
    for number in 0..14 {
        chain.expect(number, Duplicate, Duplicate);
    }
    for number in (14..40).chain([45]) {
        chain.expect(number, Duplicate, Forked);
    }
    chain.read([100]);
    for number in (0..40).chain([45]) {
        chain.expect(number, Duplicate, Duplicate);
    }
    chain.expect(100, Duplicate, Forked);
    chain.read(40..45).read(46..100).read(101..120);
    for number in 0..88 {
        chain.expect(number, Duplicate, Duplicate);
    }
    for number in 88..120 {
        chain.expect(number, Duplicate, Forked);
    }
}

/// A closed chain reads its stored keys and nothing else.
#[test]
fn attack_r5_closed_chain() {
    let mut chain = Chain::begin(240);
    chain.seal(6).read([0, 1, 4]);
    chain.pair.bob_says(b"your turn");
    chain.pair.alice_says(b"new chain");
    for number in [0, 1, 4] {
        chain.expect(number, Duplicate, Duplicate);
    }
    // Beyond PN: a number that the sender said it had not used.
    let mut beyond = chain.copies[5].clone();
    beyond.number = 6;
    assert_eq!(refused(&mut chain.pair.at_bob, &beyond.seal()), Duplicate);
    chain.read([2]).expect(2, Duplicate, Duplicate);
    chain.pair.at_bob = copy(&chain.pair.at_bob);
    chain.read([3, 5]);
    for number in 0..6 {
        chain.expect(number, Duplicate, Duplicate);
    }
}

/// Alice is set back in the midst of a chain and goes on: her next chain counts fewer messages than Bob has read. The
/// text arrives, with the advice to begin anew; what was stored of the old chain stays readable.
#[test]
fn attack_s3_sender_set_back_counts_too_few() {
    let mut pair = pair(250);
    pair.alice_says(b"0");
    pair.alice_says(b"1");
    let old = copy(&pair.at_alice);
    let late = pair.alice.seal(&mut pair.at_alice, b"2");
    pair.alice_says(b"3");
    pair.at_alice = old;
    pair.bob_says(b"your turn");
    let message = pair.alice.seal(&mut pair.at_alice, b"after the restore");
    assert_eq!(sending(&pair.at_alice).previous_count, 2);
    let opened = open_at(&mut pair.at_bob, &message, NOW).unwrap();
    assert_eq!(opened.text, b"after the restore");
    assert!(opened.forked && !opened.gap_dropped && !opened.old_state);
    assert_eq!(opened.action, Action::BeginAnew);
    assert_eq!(read(&mut pair.at_bob, &late), b"2");
    // The next turns are in order again.
    pair.bob_says(b"answer");
    pair.alice_says(b"text");
}

/// PN equal to what was read closes without keys; over 2,000 missing, nothing is stored, and the text arrives.
#[test]
fn closing_stores_what_is_owed_up_to_the_bound() {
    for (missing, stored, dropped) in [
        (0, 0, false),
        (1, 1, false),
        (2_000, 2_000, false),
        (2_001, 0, true),
        (100_000, 0, true),
    ] {
        let mut pair = pair(260);
        pair.alice_says(b"0");
        let keys = Forge::next(&pair.at_alice);
        sending_mut(&mut pair.at_alice).number += missing;
        pair.bob_says(b"your turn");
        let message = pair.alice.seal(&mut pair.at_alice, b"new chain");
        let opened = open_at(&mut pair.at_bob, &message, NOW).unwrap();
        assert_eq!(opened.text, b"new chain");
        assert_eq!((opened.forked, opened.gap_dropped), (false, dropped));
        assert_eq!(opened.action, Action::Nothing);
        assert_eq!(ratchet(&pair.at_bob).stored_keys(), stored, "{missing}");
        if stored > 0 {
            assert_eq!(read(&mut pair.at_bob, &keys.seal()), b"forged");
        }
        assert_eq!(refused(&mut pair.at_bob, &keys.seal()), Duplicate);
    }
}

/// The largest PN that a chain can have is a gap; a larger one is none that an honest sender writes. With it, keys of
/// numbers beyond the end of a chain would be kept, and the state could not be read again.
#[test]
fn attack_r3_previous_count_out_of_range() {
    for (previous_count, accepted) in [
        (1 << 20, true),
        ((1 << 20) + 1, false),
        (1 << 31, false),
        (u32::MAX, false),
    ] {
        let mut pair = pair(270);
        pair.alice_says(b"0");
        pair.bob_says(b"your turn");
        let (mut forge, _) = Forge::new_chain(&pair.at_alice, [7; 32]);
        forge.previous_count = previous_count;
        if !accepted {
            assert_eq!(refused(&mut pair.at_bob, &forge.seal()), Error::Malformed);
            pair.alice_says(b"genuine");
            continue;
        }
        let opened = open_at(&mut pair.at_bob, &forge.seal(), NOW).unwrap();
        assert!(opened.gap_dropped && !opened.forked);
        assert_eq!(ratchet(&pair.at_bob).stored_keys(), 0);
        let _: Conversation = copy(&pair.at_bob);
    }
}

/// The peer answers to a key of ours that this copy of us never made: the copy is told, and its state stays.
#[test]
fn attack_s3_we_are_the_copy() {
    let mut pair = pair(280);
    let mut restored = copy(&pair.at_alice);
    assert!(matches!(ratchet(&restored).turn, Turn::Ours { .. }));
    pair.alice_says(b"with a new key");
    let answer = pair.bob.seal(&mut pair.at_bob, b"to the new key");
    assert_eq!(refused(&mut restored, &answer), Forked);
    assert_eq!(Forked.action(), Action::BeginAnew);
    assert_eq!(read(&mut pair.at_alice, &answer), b"to the new key");
    // Set back further, the copy does not even know the chain.
    pair.alice_says(b"and another");
    let answer = pair.bob.seal(&mut pair.at_bob, b"later");
    assert_eq!(refused(&mut restored, &answer), Error::NoSession);
    assert_eq!(read(&mut pair.at_alice, &answer), b"later");
}

/// The copy has sent with a key of its own: the answer to the other key opens its header and no body.
#[test]
fn attack_s3_answer_to_the_other_copy() {
    let mut pair = pair(290);
    let mut restored = copy(&pair.at_alice);
    pair.alice_says(b"one");
    let message = pair.alice.seal(&mut restored, b"other");
    assert_eq!(refused(&mut pair.at_bob, &message), Forked);
    let answer = pair.bob.seal(&mut pair.at_bob, b"to one");
    assert_eq!(refused(&mut restored, &answer), Forked);
    assert_eq!(read(&mut pair.at_alice, &answer), b"to one");
}

/// Two copies of Alice that begin a chain each: Bob reads the one that comes first.
#[test]
fn attack_s3_two_chains_with_one_header_key() {
    let mut pair = pair(300);
    let mut twin = copy(&pair.at_alice);
    let one: Vec<_> = (0..3)
        .map(|_| pair.alice.seal(&mut pair.at_alice, b"one"))
        .collect();
    let two: Vec<_> = (0..3).map(|_| pair.alice.seal(&mut twin, b"two")).collect();
    assert_eq!(one[0][2..10], two[0][2..10], "one header key, one tag");
    assert_eq!(read(&mut pair.at_bob, &two[1]), b"two");
    for message in &one {
        assert_eq!(refused(&mut pair.at_bob, message), Forked);
    }
    assert_eq!(read(&mut pair.at_bob, &two[0]), b"two");
    assert_eq!(read(&mut pair.at_bob, &two[2]), b"two");
    assert_eq!(refused(&mut pair.at_bob, &two[2]), Duplicate);
}

/// A generator that gives the same bytes for ever: every chain still begins with a key of its own, in one conversation
/// and in two that were begun with the same signed prekey.
#[test]
fn attack_p15_repeating_generator_repeats_no_ratchet_key() {
    let Pair {
        alice,
        mut at_alice,
        mut bob,
        mut at_bob,
    } = pair(310);
    let mut seen = Vec::new();
    for bundle in [
        bob.bundle(NOW),
        bob.bundle(NOW),
        bob.last_resort_bundle(NOW),
    ] {
        let mut conversation = alice.pin(&bob);
        conversation
            .begin(&alice.identity, &bundle, NOW, &mut Stuck)
            .unwrap();
        seen.push(Forge::next(&conversation).public);
    }
    for _ in 0..20 {
        let message = at_alice
            .seal(&alice.identity, b"text", NOW, &mut Stuck)
            .unwrap();
        assert_eq!(read(&mut at_bob, &message), b"text");
        seen.push(Forge::next(&at_alice).public);
        let message = at_bob
            .seal(&bob.identity, b"text", NOW, &mut Stuck)
            .unwrap();
        assert_eq!(read(&mut at_alice, &message), b"text");
        seen.push(Forge::next(&at_bob).public);
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

//! What one peer can make us hold.

use std::vec::Vec;

use super::kit::*;
use crate::ratchet::Turn;
use crate::session::limits::{CLOSED_CHAINS, SPENT_CHAINS, STATES, STORED_KEYS};
use crate::session::{Conversation, Error};
use crate::state::OVERHEAD;

/// Every bound of SPEC §15 on one conversation.
#[track_caller]
fn assert_bounded(conversation: &Conversation) -> usize {
    let ratchets = || conversation.states.iter().map(|state| &state.ratchet);
    let stored: usize = ratchets().map(|ratchet| ratchet.stored_keys()).sum();
    let closed = || ratchets().flat_map(|ratchet| &ratchet.closed);
    let spent = closed().filter(|chain| chain.is_spent()).count();
    assert!(stored <= STORED_KEYS && STORED_KEYS == 2_000, "{stored}");
    assert!(closed().count() <= CLOSED_CHAINS && CLOSED_CHAINS == 16);
    assert!(spent <= SPENT_CHAINS);
    assert!(conversation.states.len() <= STATES && STATES == 4);
    assert!(conversation.tags().count() <= 24);
    let exported = encoding(conversation).len() + OVERHEAD;
    assert!(exported <= 96_000, "{exported}");
    stored
}

/// A first message is staged and accepted, or read as the repetition that it is.
fn receive(device: &mut Device, conversation: &mut Conversation, message: &[u8], now: u64) {
    let opened = match open_at(conversation, message, now) {
        Err(Error::NoSession) => device.accept_into(conversation, message, now),
        other => other,
    };
    opened.unwrap();
}

/// Thousands of jumps, in a chain, over chains, and over states; late messages between them.
#[test]
fn attack_r4_hoard_of_skipped_keys() {
    let mut pair = pair(600);
    let mut rng = SeededRng(601);
    let mut now = NOW;
    let mut jumps = 0;
    let mut most = 0;
    let mut late: Vec<Vec<u8>> = Vec::new();
    let mut read_late = 0;
    for round in 0..3_000 {
        if rng.below(150) == 0 {
            now += 1;
            pair.alice.begin(&mut pair.at_alice, &mut pair.bob, now);
            if rng.below(2) == 0 {
                jump(&mut pair.at_alice, rng.below(2_001) as u32);
            }
            let first = pair.alice.seal(&mut pair.at_alice, b"first");
            receive(&mut pair.bob, &mut pair.at_bob, &first, now);
        } else if rng.below(4) == 0 {
            // Bob answers, and Alice begins a chain, with a lie about the one before.
            let answer = pair.bob.seal(&mut pair.at_bob, b"answer");
            open_at(&mut pair.at_alice, &answer, now).unwrap();
            if let Turn::Ours { previous_count, .. } = &mut ratchet_mut(&mut pair.at_alice).turn {
                *previous_count += [0, 1, 10, 2_000][rng.below(4) as usize];
            }
            late.push(pair.alice.seal(&mut pair.at_alice, b"late"));
        }
        if matches!(ratchet(&pair.at_alice).turn, Turn::Theirs { .. }) {
            let far = [1, 2, 7, 100, 1_999];
            jump(&mut pair.at_alice, far[rng.below(5) as usize]);
            jumps += 1;
            if rng.below(10) == 0 && sending(&pair.at_alice).number < 1_999 {
                late.push(pair.alice.seal(&mut pair.at_alice, b"late"));
            }
        }
        let message = pair.alice.seal(&mut pair.at_alice, b"honest");
        let opened = open_at(&mut pair.at_bob, &message, now);
        assert_eq!(opened.unwrap().text, b"honest", "{round}");
        if rng.below(3) == 0 && !late.is_empty() {
            let message = late.swap_remove(rng.below(late.len() as u64) as usize);
            match open_at(&mut pair.at_bob, &message, now) {
                Ok(opened) => {
                    assert_eq!(opened.text, b"late");
                    read_late += 1;
                }
                // Its key was given up.
                Err(Error::Duplicate | Error::NoSession) => {}
                Err(error) => panic!("{round}: {error:?}"),
            }
        }
        most = most.max(assert_bounded(&pair.at_bob));
        assert_bounded(&pair.at_alice);
        if round % 100 == 0 {
            pair.at_bob = copy(&pair.at_bob);
        }
    }
    assert!(jumps > 2_000 && read_late > 50, "{jumps} {read_late}");
    assert_eq!(most, STORED_KEYS, "the bound was never reached");
    // And after it all, both sides talk.
    pair.bob_says(b"still there?");
    pair.alice_says(b"yes");
}

/// The numbers whose keys a chain holds.
fn numbers(conversation: &Conversation) -> Vec<Vec<u32>> {
    let ratchet = ratchet(conversation);
    let closed = ratchet.closed.iter().map(|chain| &chain.keys);
    let open = ratchet.receiving.iter().map(|chain| &chain.keys);
    closed
        .chain(open)
        .map(|keys| keys.iter().map(|stored| stored.number).collect())
        .collect()
}

/// The oldest keys go first: those of the oldest chain, and of a chain the lowest numbers.
#[test]
fn attack_r4_oldest_keys_go_first() {
    let mut pair = pair(610);
    pair.alice_says(b"0");
    let early = Forge::next(&pair.at_alice);
    jump(&mut pair.at_alice, 1_500);
    pair.alice_says(b"1501");
    pair.bob_says(b"your turn");
    pair.alice_says(b"new chain");
    let second = Forge::next(&pair.at_alice);
    jump(&mut pair.at_alice, 500);
    pair.alice_says(b"501");
    let all = |from: u32, to: u32| (from..to).collect::<Vec<_>>();
    let mut held = numbers(&pair.at_bob);
    held.remove(0);
    assert_eq!(held, [all(1, 1_501), all(1, 501)]);
    jump(&mut pair.at_alice, 700);
    pair.alice_says(b"1202");
    let mut held = numbers(&pair.at_bob);
    held.remove(0);
    let new = [all(1, 501), all(502, 1_202)].concat();
    assert_eq!(held, [all(701, 1_501), new]);
    // A number whose key was given up is gone for good, and another one next to it is not.
    assert_eq!(refused(&mut pair.at_bob, &early.seal()), Error::Duplicate);
    assert_eq!(read(&mut pair.at_bob, &second.seal()), b"forged");
    // Up to a whole chain.
    jump(&mut pair.at_alice, 2_000);
    pair.alice_says(b"3203");
    assert_eq!(numbers(&pair.at_bob).last().unwrap().len(), 2_000);
    assert_eq!(assert_bounded(&pair.at_bob), 2_000);
    assert_eq!(refused(&mut pair.at_bob, &second.seal()), Error::Duplicate);
    pair.bob_says(b"your turn");
    pair.alice_says(b"text");
}

/// A key that was given up within the last 32 numbers: no slot says otherwise, so it is a duplicate; not even the slot
/// of the number 32 before it, which was read.
#[test]
fn attack_r4_given_up_key_within_the_window() {
    let mut pair = pair(620);
    for _ in 0..40 {
        pair.alice_says(b"text");
    }
    let missed = Forge::next(&pair.at_alice);
    assert_eq!(missed.number, 40);
    jump(&mut pair.at_alice, 1);
    pair.alice_says(b"41");
    pair.at_bob.states[0].ratchet.forget_keys(1);
    assert_eq!(refused(&mut pair.at_bob, &missed.seal()), Error::Duplicate);
    pair.alice_says(b"42");
}

/// Sixteen closed chains, the oldest go first; those without keys before them.
#[test]
fn attack_r4_closed_chains() {
    let mut pair = pair(630);
    let mut late = Vec::new();
    for round in 0..24u32 {
        pair.alice_says(b"text");
        let missed = pair.alice.seal(&mut pair.at_alice, b"missed");
        if round % 4 == 3 {
            // Nothing is missing of this chain.
            assert_eq!(read(&mut pair.at_bob, &missed), b"missed");
        } else {
            late.push(missed);
        }
        pair.alice_says(b"text");
        pair.bob_says(b"your turn");
        assert_bounded(&pair.at_bob);
    }
    // 18 chains with a key and 6 without: the sixteen newest with keys are left, the last one of them open.
    let held = numbers(&pair.at_bob);
    assert_eq!(held.len(), CLOSED_CHAINS + 1);
    let gone = late.len() + 1 - held.iter().filter(|chain| !chain.is_empty()).count();
    for (position, missed) in late.iter().enumerate() {
        if position + 1 < gone {
            assert_eq!(
                refused(&mut pair.at_bob, missed),
                Error::NoSession,
                "{position}"
            );
        }
    }
    for missed in late.iter().rev().take(10) {
        assert_eq!(read(&mut pair.at_bob, missed), b"missed");
        assert_bounded(&pair.at_bob);
    }
    pair.alice_says(b"text");
}

/// A repeated message of a chain that left no keys behind is known for three chains; then nobody's.
#[test]
fn attack_r5_spent_chains() {
    let mut pair = pair(640);
    let mut sent = Vec::new();
    for _ in 0..8 {
        sent.push(pair.alice_says(b"text"));
        pair.bob_says(b"your turn");
    }
    // The last one is in the present chain; before it three closed ones.
    for (back, message) in sent.iter().rev().enumerate() {
        let expected = if back <= SPENT_CHAINS {
            Error::Duplicate
        } else {
            Error::NoSession
        };
        assert_eq!(refused(&mut pair.at_bob, message), expected, "{back}");
    }
    pair.alice_says(b"text");
}

/// A conversation at rest: one state, everything read. In every state of the Braid, however far its objects have come,
/// it takes at most 2,700 bytes (SPEC §12.5), and the Braid 1,500 of them (§12.4).
#[test]
fn a_conversation_at_rest_is_small_in_every_state_of_the_braid() {
    let mut most = [[0; 2]; 12];
    let mut epochs = 0;
    let mut look = |conversation: &Conversation| {
        let braid = braid(conversation);
        epochs = epochs.max(braid.epoch);
        let exported = encoding(conversation).len() + OVERHEAD;
        let most = &mut most[usize::from(braid.state)];
        *most = [most[0].max(exported), most[1].max(braid.stored)];
    };
    for (seed, slack) in [(650, 1), (652, 5), (654, 11)] {
        let mut pair = pair(seed);
        let mut rng = SeededRng(seed);
        // A text that leaves room for so many symbols.
        let text = std::vec![b'x'; 192 - 2 - 1 - 3 - 16 * slack];
        for _ in 0..120 {
            for _ in 0..1 + rng.below(24) {
                pair.alice_says(&text);
                look(&pair.at_alice);
                look(&pair.at_bob);
            }
            for _ in 0..1 + rng.below(24) {
                pair.bob_says(&text);
                look(&pair.at_alice);
                look(&pair.at_bob);
            }
        }
    }
    for (state, [exported, stored]) in most.iter().enumerate().take(11) {
        assert!(*exported > 0, "state {state} was not seen");
        assert!(*exported <= 2_700, "state {state}: {exported}");
        assert!(*stored <= 1_500, "state {state}: {stored}");
    }
    assert!(epochs > 20, "{epochs}");
    // The bounds are near what is taken: an almost complete ek.
    assert!(most[7][1] > 1_450 && most[9][1] > 1_450, "{most:?}");
    assert_eq!(most[11], [0; 2], "an honest exchange broke");
}

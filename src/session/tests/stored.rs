//! Stored conversations that no sequence of calls leads to (SPEC §12.4, §12.5).

use std::vec;
use std::vec::Vec;

use super::kit::*;
use crate::agreement::limits::CREATED_AT_MAX;
use crate::agreement::{PREFIX, Prekeys};
use crate::crypto::Secret;
use crate::identity::DeviceIdentity;
use crate::ratchet::limits::CHAIN_MAX;
use crate::ratchet::{ClosedChain, HeaderKey, MessageKey, Quantum, Turn};
use crate::session::conversation::{Origin, Standing, Unanswered};
use crate::session::{Conversation, Error, stored};

/// Alice with an old state and a new one that is not yet answered; skipped keys, a closed chain, a window.
fn rich() -> Pair {
    let mut pair = pair(1_200);
    pair.bob.seal(&mut pair.at_bob, b"skipped");
    pair.bob_says(b"text");
    pair.alice_says(b"text");
    pair.bob_says(b"text");
    pair.bob.seal(&mut pair.at_bob, b"skipped");
    for _ in 0..5 {
        pair.bob_says(b"text");
    }
    pair.alice_says(b"text");
    pair.alice.begin(&mut pair.at_alice, &mut pair.bob, NOW);
    pair
}

fn decode(conversation: &Conversation) -> Option<Error> {
    stored::decode::<Conversation>(&encoding(conversation)).err()
}

/// A closed chain that holds the keys of `numbers`.
fn closed(numbers: impl IntoIterator<Item = u32>, like: &Conversation) -> ClosedChain {
    let mut chain = ClosedChain {
        header_key: HeaderKey::new(Secret::new([2; 32])),
        public: like.states[0].ratchet.peer_public,
        epoch: 0,
        keys: Default::default(),
    };
    for number in numbers {
        let key = MessageKey::new(Secret::new([1; 32]));
        chain.keys.push(number, key);
    }
    chain
}

/// The prefix of the state that is not yet answered, with one byte set.
fn with_prefix(conversation: &mut Conversation, place: usize, byte: u8) {
    let Origin::Initiator {
        unanswered: Some(Unanswered { prefix, .. }),
    } = &mut conversation.states[1].origin
    else {
        panic!("no prefix");
    };
    assert!(prefix[place] != byte);
    prefix[place] = byte;
}

#[test]
fn attack_s4_states_that_no_call_leads_to() {
    let pair = rich();
    assert_eq!(decode(&pair.at_alice), None);
    assert_eq!(pair.at_alice.states.len(), 2);
    type Alter = fn(&mut Conversation);
    let cases: Vec<(&str, Alter)> = vec![
        ("time below that of a state", |c| {
            c.last_created_at = NOW - 1
        }),
        ("time above the greatest", |c| {
            c.last_created_at = CREATED_AT_MAX + 1;
        }),
        ("order of the states", |c| c.states.reverse()),
        ("one state twice", |c| {
            let again = copy(c).states.remove(0);
            c.states.insert(0, again);
        }),
        ("a lower state that sends", |c| {
            c.states[0].standing = Standing::Sending;
        }),
        ("the sender as a reader", |c| {
            c.states[1].standing = Standing::ReceiveOnly {
                since: NOW,
                last_used: NOW,
                late: false,
            };
        }),
        ("a sender without a chain", |c| {
            c.states[1].ratchet.stop_sending();
        }),
        ("a reader with a prefix", |c| {
            c.states[0].origin = Origin::Initiator {
                unanswered: Some(Unanswered {
                    prefix: [0; PREFIX].into(),
                    deadline: NOW,
                }),
            };
        }),
        ("a prefix of another version", |c| with_prefix(c, 0, 0)),
        ("a prefix of another kind", |c| with_prefix(c, 1, 2)),
        ("a prefix of another suite", |c| with_prefix(c, 3, 2)),
        ("a prefix with a flag that is none", |c| {
            with_prefix(c, 12, 2)
        }),
        ("an unanswered sender without a prefix", |c| {
            c.states[1].origin = Origin::Initiator { unanswered: None };
        }),
        ("an answered sender with a prefix", |c| {
            c.states[1].ratchet.receiving = copy(c).states[0].ratchet.receiving.take();
        }),
        ("a responder that read nothing", |c| {
            c.states[1].origin = Origin::Responder {
                first_id: [0; 16],
                prefix_hash: [0; 16],
            };
        }),
        ("closed chains without a present one", |c| {
            let chain = closed([1], c);
            c.states[1].ratchet.closed.push(chain);
        }),
        ("the end without a beginning", |c| {
            c.states[0].ratchet.receiving = None;
            c.states[0].ratchet.closed.clear();
            c.states[0].ratchet.turn = Turn::Ended;
            c.states[0].ratchet.quantum = Quantum::Ended;
        }),
        ("2,001 keys in one chain", |c| {
            let chain = closed(0..2_001, c);
            c.states[0].ratchet.closed.push(chain);
        }),
        ("2,001 keys in two states", |c| {
            let (one, two) = (closed(0..1_000, c), closed(0..1_001, c));
            c.states[0].ratchet.closed.extend([one, two]);
        }),
        ("17 closed chains", |c| {
            while c.states[0].ratchet.closed.len() < 17 {
                let chain = closed([1], c);
                c.states[0].ratchet.closed.push(chain);
            }
        }),
        ("4 spent chains", |c| {
            c.states[0].ratchet.closed.clear();
            for _ in 0..4 {
                let chain = closed([], c);
                c.states[0].ratchet.closed.push(chain);
            }
        }),
        ("keys out of order", |c| {
            let chain = closed([2, 1], c);
            c.states[0].ratchet.closed.push(chain);
        }),
        ("one key twice", |c| {
            let chain = closed([2, 2], c);
            c.states[0].ratchet.closed.push(chain);
        }),
        ("a number beyond a chain", |c| {
            let chain = closed([CHAIN_MAX], c);
            c.states[0].ratchet.closed.push(chain);
        }),
        ("a key that is still to come", |c| {
            let chain = c.states[0].ratchet.receiving.as_mut().unwrap();
            let number = chain.number;
            chain
                .keys
                .push(number, MessageKey::new(Secret::new([1; 32])));
        }),
        ("a chain without a message", |c| {
            c.states[0].ratchet.receiving.as_mut().unwrap().number = 0;
        }),
        ("a chain beyond its end", |c| {
            c.states[0].ratchet.receiving.as_mut().unwrap().number = CHAIN_MAX + 1;
        }),
        ("a slot of a number to come", |c| {
            let chain = c.states[0].ratchet.receiving.as_mut().unwrap();
            chain.window.filled = 1 << chain.number;
        }),
        ("a PN beyond a chain", |c| {
            sending_mut(c).previous_count = CHAIN_MAX + 1;
        }),
    ];
    for (name, alter) in cases {
        let mut altered = copy(&pair.at_alice);
        alter(&mut altered);
        assert_eq!(decode(&altered), Some(Error::Integrity), "{name}");
    }
    // And what does fit, fits.
    let mut fits = copy(&pair.at_alice);
    let chain = closed(0..1_998, &fits);
    fits.states[0].ratchet.closed.push(chain);
    assert_eq!(decode(&fits), None);
}

/// A fifth state, as bytes.
#[test]
fn attack_s4_fifth_state_in_the_encoding() {
    let mut pair = pair(1_210);
    for round in 1..4 {
        pair.alice
            .begin(&mut pair.at_alice, &mut pair.bob, NOW + round);
    }
    assert_eq!(decode(&pair.at_alice), None);
    let mut extra = copy(&pair.at_alice).states.remove(0);
    extra.created_at -= 1;
    pair.at_alice.states.insert(0, extra);
    assert_eq!(pair.at_alice.states.len(), 5);
    assert_eq!(decode(&pair.at_alice), Some(Error::Integrity));
}

/// Every bit of every plaintext encoding: refused, or another state with exactly this encoding.
#[test]
fn attack_s4_every_bit_of_a_plaintext() {
    fn run<T: stored::Stored>(value: &T) -> (usize, usize) {
        let genuine = encoding(value);
        let mut counts = (0, 0);
        for bit in 0..genuine.len() * 8 {
            let mut altered = genuine.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            match stored::decode::<T>(&altered) {
                Ok(other) => {
                    assert!(encoding(&other) == altered, "{bit}");
                    counts.0 += 1;
                }
                Err(error) => {
                    assert_eq!(error, Error::Integrity, "{bit}");
                    counts.1 += 1;
                }
            }
        }
        for length in 0..genuine.len() {
            let cut = stored::decode::<T>(&genuine[..length]);
            assert_eq!(cut.err(), Some(Error::Integrity), "{length}");
        }
        let longer = [genuine.as_slice(), &[0]].concat();
        assert_eq!(stored::decode::<T>(&longer).err(), Some(Error::Integrity));
        counts
    }
    let mut pair = rich();
    pair.bob.bundle(NOW);
    // Keys are any bytes; counts, flags, orders and public keys are not.
    let (accepted, refused) = run::<Conversation>(&pair.at_alice);
    assert!(accepted > 1_000 && refused > 100, "{accepted} {refused}");
    let (accepted, refused) = run::<Prekeys>(&pair.bob.prekeys);
    assert!(accepted > 1_000 && refused > 50, "{accepted} {refused}");
    let (accepted, refused) = run::<DeviceIdentity>(&pair.bob.identity);
    assert!(accepted > 500 && refused > 0, "{accepted} {refused}");
}

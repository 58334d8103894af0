//! Two header keys with the same tag of 64 bits: what chance does once in a universe, and a test at will.

use std::vec::Vec;

use super::kit::*;
use crate::crypto::Secret;
use crate::crypto::count::{Op, cost};
use crate::ratchet::{ClosedChain, HeaderKey};
use crate::session::{Conversation, Directory, Error, Incoming};

/// The tag of Alice's present chain.
fn tag_of(conversation: &Conversation) -> [u8; 8] {
    *sending(conversation).header_key.tag()
}

/// A header key that nobody has, with `tag`.
fn decoy(seed: u8, tag: [u8; 8]) -> HeaderKey {
    HeaderKey::with_tag(Secret::new([seed; 32]), tag)
}

/// Puts `count` closed chains with `tag` behind those of a state.
fn add_closed(conversation: &mut Conversation, tag: [u8; 8], count: u8) {
    let ratchet = ratchet_mut(conversation);
    let public = ratchet.peer_public;
    for seed in 0..count {
        let keys = Default::default();
        ratchet.closed.push(ClosedChain {
            header_key: decoy(seed, tag),
            public,
            epoch: 0,
            keys,
        });
    }
}

fn trials(conversation: &mut Conversation, message: &[u8]) -> (Result<Vec<u8>, Error>, u64) {
    let before = encoding(conversation);
    let (result, cost) = cost(|| open_at(conversation, message, NOW));
    assert!(result.is_ok() || encoding(conversation) == before);
    let bodies = u64::from(result.is_ok());
    assert_eq!(cost.of(Op::Hash), 1);
    (result.map(|opened| opened.text), cost.of(Op::Open) - bodies)
}

#[test]
fn attack_r15_two_tags_of_one_state_collide() {
    let mut pair = pair(400);
    pair.alice_says(b"text");
    let tag = tag_of(&pair.at_alice);
    // The decoy stands behind the right chain, and before it.
    add_closed(&mut pair.at_bob, tag, 1);
    let message = pair.alice.seal(&mut pair.at_alice, b"first trial");
    assert_eq!(
        trials(&mut pair.at_bob, &message),
        (Ok(b"first trial".to_vec()), 1)
    );
    let junk = {
        let mut message = pair.alice.seal(&mut pair.at_alice, b"second trial");
        message[200] ^= 1;
        message
    };
    assert_eq!(trials(&mut pair.at_bob, &junk), (Err(Error::Malformed), 2));
    let mut genuine = junk;
    genuine[200] ^= 1;
    assert_eq!(
        trials(&mut pair.at_bob, &genuine),
        (Ok(b"second trial".to_vec()), 1)
    );
}

/// The right key is tried second.
#[test]
fn attack_r15_second_header_trial() {
    let mut pair = pair(410);
    pair.alice_says(b"text");
    pair.bob_says(b"your turn");
    let message = pair.alice.seal(&mut pair.at_alice, b"new chain");
    let ratchet = ratchet_mut(&mut pair.at_bob);
    let tag = *ratchet.next_header_key.tag();
    let receiving = ratchet.receiving.as_mut().unwrap();
    let key = receiving.header_key.duplicate();
    receiving.header_key = HeaderKey::with_tag(Secret::new(*key.expose()), tag);
    assert_eq!(
        trials(&mut pair.at_bob, &message),
        (Ok(b"new chain".to_vec()), 2)
    );
}

/// Whatever collides, there are two trials and no more.
#[test]
fn attack_r15_no_third_header_trial() {
    let mut pair = pair(420);
    pair.alice_says(b"text");
    let tag = tag_of(&pair.at_alice);
    add_closed(&mut pair.at_bob, tag, 10);
    let mut junk = pair.alice.seal(&mut pair.at_alice, b"text");
    junk[100] ^= 1;
    assert_eq!(trials(&mut pair.at_bob, &junk), (Err(Error::Malformed), 2));
    junk[100] ^= 1;
    assert_eq!(trials(&mut pair.at_bob, &junk).0, Ok(b"text".to_vec()));
    // Where the key of a message stands third, it is not reached: the price of the bound.
    let late = pair.alice.seal(&mut pair.at_alice, b"third");
    let ratchet = ratchet_mut(&mut pair.at_bob);
    let key = ratchet.receiving.as_mut().unwrap();
    key.header_key = decoy(99, tag);
    assert_eq!(trials(&mut pair.at_bob, &late), (Err(Error::Malformed), 2));
}

/// Two states of one conversation.
#[test]
fn attack_r15_two_states_collide() {
    let mut pair = pair(430);
    let old = pair.alice.seal(&mut pair.at_alice, b"in the old state");
    pair.alice.begin(&mut pair.at_alice, &mut pair.bob, NOW + 1);
    let first = pair.alice.seal(&mut pair.at_alice, b"in the new state");
    let opened = pair.bob.accept_into(&mut pair.at_bob, &first, NOW + 1);
    assert_eq!(opened.unwrap().text, b"in the new state");
    assert_eq!(pair.at_bob.states.len(), 2);
    // The new state's next header key gets the tag of the old one's.
    let tag = *pair.at_bob.states[0].ratchet.next_header_key.tag();
    pair.at_bob.states[1].ratchet.next_header_key = decoy(1, tag);
    let mut reversed = copy(&pair.at_bob);
    reversed.states[1].ratchet.next_header_key = decoy(1, tag);
    reversed.states.reverse();
    let opened = open_at(&mut pair.at_bob, &old, NOW + 1).unwrap();
    assert_eq!(opened.text, b"in the old state");
    assert!(opened.old_state);
    assert_eq!(
        trials(&mut reversed, &old),
        (Ok(b"in the old state".to_vec()), 2)
    );
}

/// Two conversations: the directory names both, and one of them reads.
#[test]
fn attack_r15_two_conversations_collide() {
    let mut pair = pair(440);
    pair.alice_says(b"text");
    let tag = tag_of(&pair.at_alice);
    let mut others: Vec<_> = (0..3u8)
        .map(|seed| {
            let mut other = copy(&pair.at_bob);
            let ratchet = ratchet_mut(&mut other);
            ratchet.receiving.as_mut().unwrap().header_key = decoy(seed, tag);
            other
        })
        .collect();
    let mut directory = Directory::new();
    directory.update(&1, &others[0]);
    directory.update(&2, &pair.at_bob);
    let message = pair.alice.seal(&mut pair.at_alice, b"whose");
    let incoming = Incoming::parse(&message).unwrap();
    assert_eq!(
        directory.find(&incoming).copied().collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(trials(&mut others[0], &message), (Err(Error::Malformed), 1));
    assert_eq!(
        trials(&mut pair.at_bob, &message),
        (Ok(b"whose".to_vec()), 1)
    );
    directory.update(&3, &others[1]);
    directory.update(&4, &others[2]);
    assert_eq!(directory.find(&incoming).count(), 2);
    // When the other one moves on, or is forgotten, one is left.
    directory.remove(&1);
    directory.remove(&3);
    directory.remove(&4);
    assert_eq!(directory.find(&incoming).copied().collect::<Vec<_>>(), [2]);
    directory.remove(&2);
    assert_eq!(directory.find(&incoming).count(), 0);
}

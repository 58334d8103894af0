//! A peer who has all keys of the conversation and does not keep to the protocol.

use std::format;
use std::vec;
use std::vec::Vec;

use super::kit::*;
use crate::crypto::count::{Op, cost};
use crate::crypto::dh::{DhKeyPair, DhPublic};
use crate::crypto::{Secret, aead};
use crate::padding::is_padded_length;
use crate::ratchet::Turn;
use crate::ratchet::limits::{CHAIN_MAX, GAP_MAX};
use crate::session::{Conversation, Error};

/// Alice in the midst of a chain of which Bob has read 3, and he owes no answer.
fn chain_of_three(seed: u64) -> Pair {
    let mut pair = pair(seed);
    for text in [b"0", b"1", b"2"] {
        pair.alice_says(text);
    }
    pair
}

/// X25519 keys that no honest peer sends: of small order (RFC 7748 §6.1), or not canonical.
fn hostile_keys() -> Vec<([u8; 32], &'static str)> {
    let number = |low: u8, rest: u8, high: u8| {
        let mut bytes = [rest; 32];
        bytes[0] = low;
        bytes[31] = high;
        bytes
    };
    let order_8 = [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ];
    let order_8_too = [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ];
    vec![
        ([0; 32], "zero"),
        (number(1, 0, 0), "one"),
        (order_8, "order 8"),
        (order_8_too, "order 8, the other"),
        (number(0xec, 0xff, 0x7f), "p - 1"),
        (number(0xed, 0xff, 0x7f), "p"),
        (number(0xee, 0xff, 0x7f), "p + 1"),
        (number(0xff, 0xff, 0x7f), "2^255 - 1"),
        (number(0, 0, 0x80), "zero and bit 255"),
        (number(9, 0, 0x80), "nine and bit 255"),
        ([0xff; 32], "all ones"),
    ]
}

#[test]
fn the_forger_seals_as_the_library_does() {
    let mut pair = chain_of_three(1);
    let message = Forge::next(&pair.at_alice).seal();
    jump(&mut pair.at_alice, 1);
    assert_eq!(read(&mut pair.at_bob, &message), b"forged");
    pair.bob_says(b"your turn");
    let (forge, _) = Forge::new_chain(&pair.at_alice, [9; 32]);
    assert_eq!(read(&mut pair.at_bob, &forge.seal()), b"forged");
}

/// Numbers out of reach, in the present chain, in a new chain, and in a first message. The header is opened, which
/// takes one trial; no key is derived after that.
#[test]
fn attack_r3_skip_bomb_authenticated() {
    let too_far = |received: u32| {
        [
            (received + GAP_MAX + 1, Error::GapTooLarge),
            (CHAIN_MAX - 1, Error::GapTooLarge),
            (CHAIN_MAX, Error::ChainExhausted),
            (1 << 31, Error::ChainExhausted),
            (u32::MAX, Error::ChainExhausted),
        ]
    };
    let refuse = |conversation: &mut Conversation, message: &[u8], error: Error, what: &str| {
        let before = encoding(conversation);
        let (found, cost) = cost(|| open_at(conversation, message, NOW).err());
        assert_eq!(found, Some(error), "{what}");
        assert!(
            encoding(conversation) == before,
            "{what}: the state changed"
        );
        assert_eq!(
            (cost.of(Op::Open), cost.of(Op::Hash), cost.of(Op::Hmac)),
            (1, 1, 2),
            "{what}"
        );
        assert_eq!(cost.total(), 4, "{what}");
        assert_eq!(cost.opened_bytes, 44, "{what}");
    };

    // In the present chain.
    let mut pair = chain_of_three(10);
    let received = sending(&pair.at_alice).number;
    for (number, error) in too_far(received) {
        let mut forge = Forge::next(&pair.at_alice);
        forge.number = number;
        refuse(
            &mut pair.at_bob,
            &forge.seal(),
            error,
            &format!("present chain, {number}"),
        );
    }
    // As far as allowed: 2,000 keys are kept.
    let mut copy = copy(&pair.at_bob);
    let farthest = Forge::ahead(&pair.at_alice, GAP_MAX).seal();
    assert_eq!(read(&mut copy, &farthest), b"forged");
    assert_eq!(ratchet(&copy).stored_keys(), 2_000);

    // In a new chain, whatever it says about the one before: those keys are not derived either.
    pair.bob_says(b"your turn");
    for (number, error) in too_far(0) {
        for previous_count in [0, received, received + GAP_MAX, CHAIN_MAX] {
            let (mut forge, _) = Forge::new_chain(&pair.at_alice, [3; 32]);
            forge.number = number;
            forge.previous_count = previous_count;
            refuse(
                &mut pair.at_bob,
                &forge.seal(),
                error,
                &format!("new chain, {number}, PN {previous_count}"),
            );
        }
    }
    pair.alice_says(b"genuine");

    // In a first message: the agreement was paid for, the ratchet step is not.
    let mut dave = Device::new("dave", 17);
    let mut at_dave = dave.pin(&pair.bob);
    dave.begin(&mut at_dave, &mut pair.bob, NOW);
    let before = encoding(&pair.bob.prekeys);
    for (number, error) in too_far(0) {
        let mut forge = Forge::next(&at_dave);
        forge.number = number;
        let message = forge.seal();
        let (found, cost) = cost(|| pair.bob.stage(&message, NOW).err());
        assert_eq!(found, Some(error), "first message, {number}");
        assert_eq!(cost.of(Op::Dh), 4, "first message, {number}");
        assert!(cost.of(Op::Hmac) < 20, "first message, {number}");
    }
    assert!(encoding(&pair.bob.prekeys) == before);
    let message = dave.seal(&mut at_dave, b"genuine");
    let mut with_dave = pair.bob.pin(&dave);
    let opened = pair.bob.accept_into(&mut with_dave, &message, NOW);
    assert_eq!(opened.unwrap().text, b"genuine");
}

/// The same numbers from somebody without the header key: they are never read.
#[test]
fn attack_r3_skip_bomb_unauthenticated() {
    let mut pair = chain_of_three(20);
    let genuine = pair.alice.seal(&mut pair.at_alice, b"genuine");
    for number in [GAP_MAX + 1, 1 << 31, u32::MAX] {
        let mut forge = Forge::next(&pair.at_alice);
        forge.number = number;
        forge.header_key = [0x77; 32];
        let mut message = forge.seal();
        let before = encoding(&pair.at_bob);
        let (error, none) = cost(|| open_at(&mut pair.at_bob, &message, NOW).err());
        assert_eq!(error, Some(Error::NoSession));
        assert_eq!(none.total(), 0);
        // With a stolen tag: one header trial.
        message[2..10].copy_from_slice(&genuine[2..10]);
        let (error, one) = cost(|| open_at(&mut pair.at_bob, &message, NOW).err());
        assert_eq!(error, Some(Error::Malformed));
        assert_eq!((one.of(Op::Open), one.of(Op::Hash)), (1, 1));
        assert_eq!((one.of(Op::Hmac), one.total()), (2, 4));
        assert!(encoding(&pair.at_bob) == before);
    }
    assert_eq!(read(&mut pair.at_bob, &genuine), b"genuine");
}

/// What a body may be, under keys that the peer really has.
#[test]
fn attack_r8_bodies_that_no_sender_makes() {
    let mut pair = chain_of_three(30);
    let forge = Forge::next(&pair.at_alice);
    let with = |body: Vec<u8>| {
        let mut forge = forge.clone();
        forge.body = body;
        forge.seal()
    };
    let resized = |content: &[u8], length: usize| {
        let mut body = content.to_vec();
        body.resize(length, 0);
        body
    };

    // A length in front of the text that is not the shortest, reserved, or beyond the end.
    let lengths: [&[u8]; 11] = [
        &[0x40, 0x00],
        &[0x40, 0x06],
        &[0x40, 0x3f],
        &[0x80, 0x00, 0x00, 0x06],
        &[0x80, 0x00, 0x3f, 0xff],
        &[0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06],
        &[0xff, 0xff, 0xff, 0xff],
        &[0x40, 0xbf],
        &[0x40, 0xc0],
        &[0xbf, 0xff, 0xff, 0xff],
        &[0x80, 0x00, 0x40, 0x00],
    ];
    for length in lengths {
        let message = with(resized(length, 192));
        assert_eq!(
            refused(&mut pair.at_bob, &message),
            Error::Malformed,
            "{length:x?}"
        );
    }
    // Non-zero padding, at every position; the first one is the Braid's, and none of these is a frame.
    for position in 7..192 {
        for value in [1, 0x80, 0xff] {
            let mut body = padded(b"forged", 192);
            body[position] = value;
            assert_eq!(
                refused(&mut pair.at_bob, &with(body)),
                Error::Malformed,
                "{position}"
            );
        }
    }
    // Lengths that padding never gives, the empty body and lengths without a tag among them.
    let mut wrong = 0;
    for length in (0..1_200).chain([2_047, 2_049, 4_097, 65_537, 1_032_191, 1_032_193]) {
        let message = with(resized(b"\x06forged", length));
        if length >= 192 && is_padded_length(length) {
            // Longer than the text needs: a sender may do that.
            let mut copy = copy(&pair.at_bob);
            assert_eq!(read(&mut copy, &message), b"forged", "{length}");
        } else {
            wrong += 1;
            let error = if length < 7 {
                let short = with(vec![0; length]);
                refused(&mut pair.at_bob, &short)
            } else {
                refused(&mut pair.at_bob, &message)
            };
            assert_eq!(error, Error::Malformed, "{length}");
        }
    }
    assert!(wrong > 1_190);
    // Too long for a message at all: the next padded length above the greatest.
    let length = 1 << 20;
    assert!(is_padded_length(length));
    assert_eq!(
        refused(&mut pair.at_bob, &with(resized(b"\x06forged", length))),
        Error::Malformed
    );
    // No padding at all; and no room for the Braid's byte.
    let full = [&[0x40, 0xbd][..], &[7; 189], &[0]].concat();
    let mut copy = copy(&pair.at_bob);
    assert_eq!(read(&mut copy, &with(full)), [7; 189]);
    let too_full = [&[0x40, 0xbe][..], &[7; 190]].concat();
    assert_eq!(refused(&mut pair.at_bob, &with(too_full)), Error::Malformed);
    pair.alice_says(b"genuine");
}

/// A body of a bad form in a message that begins a chain, or that was stored: the chain does not move, the key stays.
#[test]
fn attack_r8_malformed_body_moves_nothing() {
    let mut pair = chain_of_three(40);
    // Of a skipped message.
    let mut skipped = Forge::next(&pair.at_alice);
    let late = pair.alice.seal(&mut pair.at_alice, b"late");
    pair.alice_says(b"next");
    skipped.body[100] = 1;
    assert_eq!(refused(&mut pair.at_bob, &skipped.seal()), Error::Malformed);
    // Of a new chain.
    pair.bob_says(b"your turn");
    let (mut forge, _) = Forge::new_chain(&pair.at_alice, [4; 32]);
    forge.body[100] = 1;
    assert_eq!(refused(&mut pair.at_bob, &forge.seal()), Error::Malformed);
    // Of a closed chain.
    pair.alice_says(b"new chain");
    assert_eq!(refused(&mut pair.at_bob, &skipped.seal()), Error::Malformed);
    assert_eq!(read(&mut pair.at_bob, &late), b"late");
    assert_eq!(refused(&mut pair.at_bob, &skipped.seal()), Error::Duplicate);
}

/// A body that does not open under the key of its header: two senders have the header key.
#[test]
fn attack_r8_body_under_another_key() {
    let mut pair = chain_of_three(50);
    let mut forge = Forge::next(&pair.at_alice);
    forge.message_key[0] ^= 1;
    assert_eq!(refused(&mut pair.at_bob, &forge.seal()), Error::Forked);
    let mut ahead = Forge::ahead(&pair.at_alice, 5);
    ahead.message_key[0] ^= 1;
    assert_eq!(refused(&mut pair.at_bob, &ahead.seal()), Error::Forked);
    // A body of the right key, but for another header.
    let other = Forge::ahead(&pair.at_alice, 1).seal();
    let mut spliced = Forge::next(&pair.at_alice);
    spliced.previous_count += 1;
    spliced.message_key = Forge::ahead(&pair.at_alice, 1).message_key;
    assert_eq!(refused(&mut pair.at_bob, &spliced.seal()), Error::Forked);
    assert_eq!(read(&mut pair.at_bob, &other), b"forged");
    jump(&mut pair.at_alice, 2);
    pair.bob_says(b"your turn");
    let (mut forge, _) = Forge::new_chain(&pair.at_alice, [4; 32]);
    forge.message_key[0] ^= 1;
    assert_eq!(refused(&mut pair.at_bob, &forge.seal()), Error::Forked);
    pair.alice_says(b"genuine");
}

#[test]
fn attack_r10_new_ratchet_key_hostile() {
    let mut pair = chain_of_three(60);
    pair.bob_says(b"your turn");
    for (key, name) in hostile_keys() {
        let (mut forge, _) = Forge::new_chain(&pair.at_alice, [5; 32]);
        forge.public = key;
        let (error, cost) = cost(|| refused(&mut pair.at_bob, &forge.seal()));
        assert_eq!(error, Error::Malformed, "{name}");
        let canonical = DhPublic::from_bytes(&key).is_ok();
        assert_eq!(cost.of(Op::Dh), u64::from(canonical), "{name}");
    }
    // The key of the chain before, and Bob's own.
    let last = *ratchet(&pair.at_bob).peer_public.as_bytes();
    let Turn::Theirs { own, .. } = &ratchet(&pair.at_bob).turn else {
        panic!("Bob answered last");
    };
    let own = *own.public().as_bytes();
    for (key, name) in [(last, "old"), (own, "own")] {
        let (mut forge, _) = Forge::new_chain(&pair.at_alice, [5; 32]);
        forge.public = key;
        assert_eq!(
            refused(&mut pair.at_bob, &forge.seal()),
            Error::Malformed,
            "{name}"
        );
    }
    pair.alice_says(b"genuine");
}

/// The very key pair of the chain before: the peer can even make the keys, and is refused all the same.
#[test]
fn attack_r10_old_ratchet_key_with_its_keys() {
    let mut pair = chain_of_three(70);
    let Turn::Theirs { own, .. } = &ratchet(&pair.at_alice).turn else {
        panic!("Alice wrote last");
    };
    let secret = *own.secret().expose();
    pair.bob_says(b"your turn");
    let (forge, _) = Forge::new_chain(&pair.at_alice, secret);
    assert_eq!(forge.public, *ratchet(&pair.at_bob).peer_public.as_bytes());
    assert_eq!(refused(&mut pair.at_bob, &forge.seal()), Error::Malformed);
    pair.alice_says(b"genuine");
}

/// Another key in the present chain, or in a closed one.
#[test]
fn attack_r10_key_change_within_a_chain() {
    let mut pair = chain_of_three(80);
    let mut closed = Forge::next(&pair.at_alice);
    let late = pair.alice.seal(&mut pair.at_alice, b"late");
    pair.alice_says(b"last");
    let mut forge = Forge::next(&pair.at_alice);
    forge.public = *DhKeyPair::from_secret(Secret::new([6; 32]))
        .public()
        .as_bytes();
    assert_eq!(refused(&mut pair.at_bob, &forge.seal()), Error::Forked);
    forge.public = [0xff; 32];
    assert_eq!(refused(&mut pair.at_bob, &forge.seal()), Error::Malformed);
    pair.bob_says(b"your turn");
    pair.alice_says(b"new chain");
    closed.public = *DhKeyPair::from_secret(Secret::new([6; 32]))
        .public()
        .as_bytes();
    assert_eq!(refused(&mut pair.at_bob, &closed.seal()), Error::Forked);
    assert_eq!(read(&mut pair.at_bob, &late), b"late");
}

/// The first message's own ratchet key: as hostile as any, or the responder's signed prekey.
#[test]
fn attack_r10_first_ratchet_key_hostile() {
    let mut alice = Device::new("alice", 90);
    let mut bob = Device::new("bob", 91);
    let mut at_alice = alice.pin(&bob);
    alice.begin(&mut at_alice, &mut bob, NOW);
    let before = encoding(&bob.prekeys);
    let prekey = *ratchet(&at_alice).peer_public.as_bytes();
    for (key, name) in hostile_keys().into_iter().chain([(prekey, "prekey")]) {
        let mut forge = Forge::next(&at_alice);
        forge.public = key;
        let error = bob.stage(&forge.seal(), NOW).err();
        assert_eq!(error, Some(Error::Malformed), "{name}");
        assert!(encoding(&bob.prekeys) == before, "{name}");
    }
    let message = alice.seal(&mut at_alice, b"genuine");
    let mut at_bob = bob.pin(&alice);
    let opened = bob.accept_into(&mut at_bob, &message, NOW).unwrap();
    assert_eq!(opened.text, b"genuine");
}

/// A first message whose agreement and header hold, and whose body does not: there is no conversation yet that it could
/// contradict, and nothing for the app to do about it.
#[test]
fn attack_r8_first_message_with_a_hostile_body() {
    let mut alice = Device::new("alice", 95);
    let mut bob = Device::new("bob", 96);
    let mut at_alice = alice.pin(&bob);
    alice.begin(&mut at_alice, &mut bob, NOW);
    let before = encoding(&bob.prekeys);
    let mut other_key = Forge::next(&at_alice);
    other_key.message_key[0] ^= 1;
    let mut padding = Forge::next(&at_alice);
    padding.body[191] = 1;
    let mut length = Forge::next(&at_alice);
    length.body[..2].copy_from_slice(&[0x40, 0x06]);
    for forge in [other_key, padding, length] {
        assert_eq!(bob.stage(&forge.seal(), NOW).err(), Some(Error::Malformed));
        assert!(encoding(&bob.prekeys) == before);
    }
    let message = alice.seal(&mut at_alice, b"genuine");
    let mut at_bob = bob.pin(&alice);
    let opened = bob.accept_into(&mut at_bob, &message, NOW).unwrap();
    assert_eq!(opened.text, b"genuine");
}

/// The last number of a chain is sealed and read; there is none after it, and an answer begins the next chain.
#[test]
fn attack_r11_chain_at_its_end() {
    let mut pair = chain_of_three(100);
    // As if 2^20 - 1 messages had been sent and read.
    sending_mut(&mut pair.at_alice).number = CHAIN_MAX - 1;
    ratchet_mut(&mut pair.at_bob)
        .receiving
        .as_mut()
        .unwrap()
        .number = CHAIN_MAX - 1;
    pair.at_alice = copy(&pair.at_alice);
    pair.at_bob = copy(&pair.at_bob);

    let beyond = {
        let mut forge = Forge::ahead(&pair.at_alice, 1);
        assert_eq!(forge.number, CHAIN_MAX);
        forge.body = padded(b"beyond", 192);
        forge.seal()
    };
    assert_eq!(refused(&mut pair.at_bob, &beyond), Error::ChainExhausted);
    let last = pair.alice_says(b"the last one");
    let before = encoding(&pair.at_alice);
    for _ in 0..3 {
        assert_eq!(
            pair.alice.try_seal(&mut pair.at_alice, b"one more", NOW),
            Err(Error::ChainExhausted)
        );
    }
    assert!(encoding(&pair.at_alice) == before);
    pair.at_alice = copy(&pair.at_alice);
    pair.at_bob = copy(&pair.at_bob);
    assert_eq!(refused(&mut pair.at_bob, &beyond), Error::ChainExhausted);
    assert_eq!(refused(&mut pair.at_bob, &last), Error::Duplicate);
    pair.bob_says(b"an answer");
    let message = pair.alice_says(b"goes on");
    assert!(message.len() == 294);
    assert_eq!(sending(&pair.at_alice).previous_count, CHAIN_MAX);
    pair.at_alice = copy(&pair.at_alice);
}

/// A count beyond 2^20 is no state that a sequence of calls leads to.
#[test]
fn attack_p12_counter_beyond_its_limit_is_not_imported() {
    let mut pair = chain_of_three(110);
    for number in [CHAIN_MAX + 1, u32::MAX] {
        let good = sending(&pair.at_alice).number;
        sending_mut(&mut pair.at_alice).number = number;
        let encoded = encoding(&pair.at_alice);
        assert_eq!(
            crate::session::stored::decode::<Conversation>(&encoded).err(),
            Some(Error::Integrity)
        );
        // And where it is in memory, nothing wraps.
        assert_eq!(
            pair.alice.try_seal(&mut pair.at_alice, b"text", NOW),
            Err(Error::ChainExhausted)
        );
        sending_mut(&mut pair.at_alice).number = good;
    }
    pair.alice_says(b"genuine");
}

/// The greatest text, and one byte more.
#[test]
fn attack_r9_text_at_its_limit() {
    use crate::ratchet::TEXT_MAX;
    let mut pair = chain_of_three(120);
    let text = vec![0x61; TEXT_MAX];
    let message = pair.alice_says(&text);
    assert_eq!(message.len(), 1_032_192 + aead::TAG + 86);
    let before = encoding(&pair.at_alice);
    assert_eq!(
        pair.alice
            .try_seal(&mut pair.at_alice, &vec![0; TEXT_MAX + 1], NOW),
        Err(Error::TooLong)
    );
    assert!(encoding(&pair.at_alice) == before);
    pair.bob_says(b"your turn");
    // Nor where the message would begin a chain.
    let before = encoding(&pair.at_alice);
    assert_eq!(
        pair.alice
            .try_seal(&mut pair.at_alice, &vec![0; TEXT_MAX + 1], NOW),
        Err(Error::TooLong)
    );
    assert!(encoding(&pair.at_alice) == before);
    pair.alice_says(b"genuine");
}

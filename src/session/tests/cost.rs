//! What a message costs that is not for us: counted in calls of primitives, whatever is stored.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::kit::*;
use crate::crypto::Secret;
use crate::crypto::count::{Cost, Op, cost};
use crate::ratchet::HeaderKey;
use crate::session::{Conversation, Directory, Error, Incoming};

/// A directory that names `count` conversations, `conversation` among them as number 0.
fn directory(conversation: &Conversation, count: u64) -> Directory<u64> {
    let mut rng = SeededRng(count);
    let mut directory = Directory::new();
    let mut other = copy(conversation);
    for key in 1..count {
        // The same conversation under other header keys: another one, as far as a directory can tell.
        let ratchet = ratchet_mut(&mut other);
        ratchet.next_header_key = HeaderKey::new(Secret::new(rng.bytes()));
        ratchet.receiving.as_mut().unwrap().header_key = HeaderKey::new(Secret::new(rng.bytes()));
        directory.update(&key, &other);
    }
    directory.update(&0, conversation);
    directory
}

/// Finds the conversation of a message and opens it, as an app does.
fn receive(
    message: &[u8],
    directory: &Directory<u64>,
    conversation: &mut Conversation,
) -> (Result<Vec<u8>, Error>, Cost) {
    cost(|| {
        let incoming = Incoming::parse(message)?;
        let found: Vec<u64> = directory.find(&incoming).copied().collect();
        match found.as_slice() {
            [] => Err(Error::NoSession),
            [0] => conversation.open(&incoming, NOW).map(|opened| opened.text),
            other => panic!("{other:?}"),
        }
    })
}

/// Garbage of every kind, with what it must cost: (name, message, error, header trials).
fn garbage(genuine: &[u8], first: &[u8]) -> Vec<(String, Vec<u8>, Error, u64)> {
    let mut rng = SeededRng(77);
    let mut cases = Vec::new();
    let mut case = |name: &str, message: Vec<u8>, error, trials| {
        cases.push((String::from(name), message, error, trials));
    };
    for (bytes, length) in [(0, 0), (1, 1), (2, 2), (81, 81), (293, 293), (295, 295)] {
        let mut message = [&[1, 2][..], &rng.bytes::<400>()].concat();
        message.truncate(bytes);
        case(&format!("{length} bytes"), message, Error::Malformed, 0);
    }
    for length in [192, 256, 1024, 1 << 16, 1_032_192] {
        let mut message = [1, 2].to_vec();
        message.extend(core::iter::repeat_with(|| rng.next() as u8).take(84 + length + 16));
        case(
            &format!("unknown tag, {length}"),
            message.clone(),
            Error::NoSession,
            0,
        );
        message[2..10].copy_from_slice(&genuine[2..10]);
        case(
            &format!("stolen tag, {length}"),
            message,
            Error::Malformed,
            1,
        );
    }
    for version in [0, 2, 255] {
        let mut message = genuine.to_vec();
        message[0] = version;
        case("version", message, Error::UnknownVersion, 0);
    }
    for kind in [0, 3, 255] {
        let mut message = genuine.to_vec();
        message[1] = kind;
        case("kind", message, Error::UnknownKind, 0);
    }
    for byte in [10, 30, 70, 90, 200, 289, 293] {
        let mut message = genuine.to_vec();
        message[byte] ^= 0x10;
        case(&format!("altered at {byte}"), message, Error::Malformed, 1);
    }
    let mut suite = first.to_vec();
    suite[3] = 9;
    case("suite", suite, Error::UnknownVersion, 0);
    cases
}

#[test]
fn attack_r15_garbage_costs_the_same_whatever_is_stored() {
    let mut pair = pair(500);
    let mut elsewhere = super::kit::pair(510);
    let first = {
        let (alice, bob) = (&mut elsewhere.alice, &mut elsewhere.bob);
        let mut conversation = alice.pin(bob);
        alice.begin(&mut conversation, bob, NOW);
        alice.seal(&mut conversation, b"text")
    };
    let genuine = pair.alice.seal(&mut pair.at_alice, b"genuine");
    let few = directory(&pair.at_bob, 10);
    let many = directory(&pair.at_bob, 100_000);
    let before = encoding(&pair.at_bob);
    for (name, message, error, trials) in garbage(&genuine, &first) {
        let (result, cost) = receive(&message, &few, &mut pair.at_bob);
        let (same, with_many) = receive(&message, &many, &mut pair.at_bob);
        assert_eq!(result, Err(error), "{name}");
        assert_eq!(same, result, "{name}");
        assert_eq!(cost, with_many, "{name}");
        assert!(encoding(&pair.at_bob) == before, "{name}");
        // One Open of 44 bytes, one Hash of the body, and the two HMACs of one Expand of 44 bytes: or nothing.
        assert_eq!(cost.of(Op::Open), trials, "{name}");
        assert_eq!(cost.of(Op::Hash), trials, "{name}");
        assert_eq!(cost.of(Op::Hmac), 2 * trials, "{name}");
        assert_eq!(cost.total(), 4 * trials, "{name}");
        assert_eq!(cost.opened_bytes, 44 * trials, "{name}");
        let body = message.len().saturating_sub(86) as u64;
        assert_eq!(cost.hashed_bytes, body * trials, "{name}");
    }
    // A first message that nobody knows: its name is hashed, once for each table.
    let (result, cost) = receive(&first, &few, &mut pair.at_bob);
    let (_, with_many) = receive(&first, &many, &mut pair.at_bob);
    assert_eq!(result, Err(Error::NoSession));
    assert_eq!(cost, with_many);
    assert!(cost.of(Op::Hash) <= 2);
    assert_eq!(cost.total(), cost.of(Op::Hash));
    assert!(cost.hashed_bytes <= 64);

    let (result, _) = receive(&genuine, &many, &mut pair.at_bob);
    assert_eq!(result, Ok(b"genuine".to_vec()));
}

/// A junk first message: nothing for one that names prekeys we do not have, else one decapsulation and at most four
/// Diffie-Hellman operations.
#[test]
fn attack_r15_junk_first_message() {
    let mut alice = Device::new("alice", 520);
    let mut bob = Device::new("bob", 521);
    let mut at_alice = alice.pin(&bob);
    alice.begin(&mut at_alice, &mut bob, NOW);
    let genuine = alice.seal(&mut at_alice, b"genuine");
    let before = encoding(&bob.prekeys);
    let stage = |message: &[u8], error: Error| {
        let (found, cost) = cost(|| bob.stage(message, NOW).err());
        assert_eq!(found, Some(error));
        assert!(encoding(&bob.prekeys) == before);
        cost
    };
    for at in [7, 11, 16] {
        let mut junk = genuine.clone();
        junk[at] ^= 0x55;
        let cost = stage(&junk, Error::PrekeyGone);
        assert_eq!(cost.total(), cost.of(Op::Hash));
        assert!(cost.hashed_bytes <= 64);
    }
    // EK, CT, encid: the agreement is computed, and its first decryption fails.
    for at in [20, 60, 1_136, 1_137, 1_336] {
        let mut junk = genuine.clone();
        junk[at] ^= 1;
        let cost = stage(&junk, Error::Malformed);
        assert_eq!((cost.of(Op::Decapsulate), cost.of(Op::KemKey)), (1, 1));
        assert!(cost.of(Op::Dh) <= 4 && cost.of(Op::DhKey) <= 1);
        assert_eq!((cost.of(Op::Open), cost.opened_bytes), (1, 184));
        assert_eq!((cost.of(Op::Verify), cost.of(Op::Sign)), (0, 0));
        assert!(cost.of(Op::Hmac) < 5);
    }
    // The genuine prefix with a junk frame: one decryption more, and no ratchet step.
    for at in [1_340, 1_350, 1_400, 1_628] {
        let mut junk = genuine.clone();
        junk[at] ^= 1;
        let cost = stage(&junk, Error::Malformed);
        assert_eq!(cost.of(Op::Decapsulate), 1);
        assert_eq!((cost.of(Op::Dh), cost.of(Op::Verify)), (4, 1));
        assert!(cost.of(Op::Open) <= 2);
        assert!(cost.of(Op::Hmac) < 20);
    }
    let mut at_bob = bob.pin(&alice);
    let opened = bob.accept_into(&mut at_bob, &genuine, NOW).unwrap();
    assert_eq!(opened.text, b"genuine");

    // The same junk once the conversation is known: no agreement any more.
    let known = encoding(&at_bob);
    for (at, error, trials) in [
        (20, Error::NoSession, 0),
        (60, Error::Malformed, 0),
        (1_200, Error::Malformed, 0),
        (1_340, Error::NoSession, 0),
        (1_350, Error::Malformed, 1),
        (1_628, Error::Malformed, 1),
    ] {
        let mut junk = genuine.clone();
        junk[at] ^= 1;
        let (found, cost) = cost(|| open_at(&mut at_bob, &junk, NOW).err());
        assert_eq!(found, Some(error), "{at}");
        assert_eq!(cost.of(Op::Open), trials, "{at}");
        assert_eq!(cost.of(Op::Dh) + cost.of(Op::Decapsulate), 0, "{at}");
        assert!(cost.of(Op::Hash) <= 3 && cost.of(Op::Hmac) <= 2, "{at}");
        assert!(encoding(&at_bob) == known, "{at}");
    }
}

/// A genuine message: what it costs in the chain, and where it begins one.
#[test]
fn a_genuine_message_costs_what_the_specification_says() {
    let mut pair = pair(530);
    pair.alice_says(b"text");
    let message = pair.alice.seal(&mut pair.at_alice, b"text");
    let (text, in_chain) = cost(|| read(&mut copy(&pair.at_bob), &message));
    assert_eq!(text, b"text");
    assert_eq!((in_chain.of(Op::Dh), in_chain.of(Op::Open)), (0, 2));
    read(&mut pair.at_bob, &message);
    pair.bob_says(b"text");
    let message = pair.alice.seal(&mut pair.at_alice, b"text");
    let (result, step) = cost(|| open_at(&mut pair.at_bob, &message, NOW));
    assert_eq!(result.unwrap().text, b"text");
    assert_eq!((step.of(Op::Dh), step.of(Op::Open)), (1, 2));
    assert_eq!(step.of(Op::DhKey), 0);
}

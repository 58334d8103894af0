//! Generators that fail, die or repeat, at each of the draws that the Braid adds (SPEC §3.6-R2).

use std::collections::BTreeMap;
use std::fmt;
use std::vec;
use std::vec::Vec;

use super::kit::*;
use crate::crypto::{TryCryptoRng, TryRng};
use crate::ratchet::Turn;
use crate::session::{Conversation, Error};

/// Works `left` times, then fails for ever.
struct Failing {
    rng: SeededRng,
    left: usize,
}

#[derive(Debug)]
struct Dead;

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dead")
    }
}

impl core::error::Error for Dead {}

impl TryRng for Failing {
    type Error = Dead;

    fn try_next_u32(&mut self) -> Result<u32, Dead> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Dead> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Dead> {
        self.left = self.left.checked_sub(1).ok_or(Dead)?;
        let Ok(()) = self.rng.try_fill_bytes(dst);
        Ok(())
    }
}

impl TryCryptoRng for Failing {}

/// A text that leaves room for a few symbols, or for none and 256 bytes short of the next length.
fn text(rng: &mut SeededRng) -> Vec<u8> {
    vec![b'x'; 205 + rng.below(48) as usize]
}

/// Before each of many messages, the generator fails at each of its calls: the state stays, and the next call seals.
/// Every number of draws occurs, in every state of the Braid that draws.
#[test]
fn attack_p15_generator_fails_at_every_draw_of_a_seal() {
    let mut pair = pair(2_200);
    let mut rng = SeededRng(2_201);
    // (begins a chain, state of the Braid, draws): how often.
    let mut seen: BTreeMap<(bool, u8, usize), u32> = BTreeMap::new();
    for round in 0..3_000 {
        let bob = round % 8 >= 4;
        let (device, conversation, reader) = if bob {
            (&mut pair.bob, &mut pair.at_bob, &mut pair.at_alice)
        } else {
            (&mut pair.alice, &mut pair.at_alice, &mut pair.at_bob)
        };
        let text = text(&mut rng);
        let begins = matches!(ratchet(conversation).turn, Turn::Ours { .. });
        let state = braid(conversation).state;
        let before = encoding(conversation);
        let mut left = 0;
        let message = loop {
            let mut failing = Failing {
                rng: SeededRng(round),
                left,
            };
            let sealed = conversation.seal(&device.identity, &text, NOW, &mut failing);
            if let Ok(message) = sealed {
                break message;
            }
            assert_eq!(sealed, Err(Error::Rng));
            assert!(encoding(conversation) == before, "{begins} {state} {left}");
            left += 1;
        };
        *seen.entry((begins, state, left)).or_default() += 1;
        assert_eq!(read(reader, &message), text);
    }
    for ((begins, state, draws), count) in &seen {
        // A ratchet key, a seed or m, r32.
        let most = 1 + usize::from(*begins) + usize::from(matches!(state, 0 | 6));
        // Without room for a symbol nothing of the Braid is drawn.
        let least = 1 + usize::from(*begins);
        assert!((least..=most).contains(draws), "{seen:?}");
        assert!(*count > 0);
    }
    for key in [
        (true, 0, 3),
        (true, 6, 3),
        (false, 0, 2),
        (false, 6, 2),
        (true, 7, 2),
        (false, 7, 1),
    ] {
        assert!(seen.contains_key(&key), "{key:?} of {seen:?}");
    }
}

/// Salt and body of a message. Key and nonce of the body follow from message key and salt, those of the header from
/// header key and salt; all copies of one state have the same keys for a number.
fn parts(message: &[u8]) -> ([u8; 24], Vec<u8>) {
    (message[2..26].try_into().unwrap(), message[26..].to_vec())
}

/// Two copies and a generator that is stuck. Over several chains and all draws of the Braid they seal other texts, or
/// the same ones with other symbols behind them: no salt stands with two bodies, also not across numbers.
#[test]
fn attack_p15_stuck_generator_in_two_copies() {
    let mut pair = pair(2_210);
    let mut rng = SeededRng(2_211);
    let mut salts: BTreeMap<[u8; 24], Vec<u8>> = BTreeMap::new();
    let (mut same, mut other) = (0, 0);
    let mut states = [false; 12];
    for round in 0..60 {
        let mut twin = copy(&pair.at_alice);
        for number in 0..6u64 {
            states[usize::from(braid(&pair.at_alice).state)] = true;
            let mine = text(&mut rng);
            let its = match rng.below(3) {
                0 => mine.clone(),
                1 => vec![b'y'; mine.len()],
                _ => text(&mut rng),
            };
            let seal = |conversation: &mut Conversation, text: &[u8]| {
                conversation
                    .seal(&pair.alice.identity, text, NOW, &mut Stuck)
                    .unwrap()
            };
            let one = seal(&mut pair.at_alice, &mine);
            let two = seal(&mut twin, &its);
            assert_eq!(read(&mut pair.at_bob, &one), mine, "{round} {number}");
            for message in [&one, &two] {
                let (salt, rest) = parts(message);
                let first = salts.entry(salt).or_insert_with(|| rest.clone());
                assert!(*first == rest, "one salt, two messages");
            }
            if one == two {
                same += 1;
            } else {
                other += 1;
                let error = refused(&mut pair.at_bob, &two);
                assert_eq!(error, Error::Forked);
            }
        }
        for _ in 0..1 + rng.below(6) {
            let answer = text(&mut rng);
            let message = pair
                .at_bob
                .seal(&pair.bob.identity, &answer, NOW, &mut Stuck)
                .unwrap();
            assert_eq!(read(&mut pair.at_alice, &message), answer);
        }
    }
    assert!(same > 20 && other > 100, "{same} {other}");
    assert_eq!(salts.len(), same + 2 * other);
    // Both draws of the Braid were made by the stuck generator.
    assert!(states[0] && states[6], "{states:?}");
    assert!(braid(&pair.at_alice).epoch > 5);
}

/// A stuck generator repeats neither the seed of a key pair nor m: what they are for is in their context.
#[test]
fn attack_p15_stuck_generator_repeats_no_draw_of_the_braid() {
    let mut pair = pair(2_220);
    let mut drawn: Vec<[u8; 32]> = Vec::new();
    let mut epochs = 0;
    for _ in 0..150 {
        for side in 0..2 {
            let (from, at_from, at_to) = if side == 0 {
                (&pair.alice, &mut pair.at_alice, &mut pair.at_bob)
            } else {
                (&pair.bob, &mut pair.at_bob, &mut pair.at_alice)
            };
            let before = braid(at_from).state;
            let message = at_from
                .seal(&from.identity, b"text", NOW, &mut Stuck)
                .unwrap();
            let after = braid(at_from);
            if (before, after.state) == (0, 1) || (before, after.state) == (6, 7) {
                drawn.extend(&after.secrets()[3..]);
                epochs = after.epoch;
            }
            assert_eq!(read(at_to, &message), b"text");
        }
    }
    assert!(epochs > 10, "{epochs}");
    assert!(drawn.len() > 20, "{}", drawn.len());
    let all = drawn.len();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), all);
}

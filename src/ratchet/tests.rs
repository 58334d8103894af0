//! The small parts of the ratchet against models of them; attacks on the whole: `session::tests`.

use std::collections::BTreeMap;
use std::vec::Vec;

use super::chain::{Window, require_reach};
use super::limits::{CHAIN_MAX, GAP_MAX, WINDOW};
use super::stored_keys::StoredKeys;
use super::*;
use crate::crypto::aead;
use crate::crypto::count::{Op, cost};
use crate::crypto::hash::sha256;
use crate::wire::Reader;

fn secret(number: u32) -> Secret<32> {
    Secret::new(sha256(&[&number.to_be_bytes()]))
}

fn chain_keys() -> ChainKeys {
    ChainKeys {
        classical: ChainKey::new(secret(2)),
        quantum: ChainKey::new(secret(3)),
    }
}

/// A number below `bound` that follows from `seed`.
fn below(seed: &mut u32, bound: u32) -> u32 {
    let hash = sha256(&[&seed.to_be_bytes(), b"below"]);
    *seed += 1;
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % bound
}

#[test]
fn stored_keys_behave_like_a_map() {
    let mut seed = 0;
    let mut keys = StoredKeys::new();
    let mut model = BTreeMap::new();
    let mut next = 0;
    for _ in 0..2_000 {
        match below(&mut seed, 4) {
            0 => {
                let count = below(&mut seed, 6);
                let mut new = StoredKeys::with_capacity(count as usize);
                for _ in 0..count {
                    next += 1 + below(&mut seed, 3);
                    new.push(next, MessageKey::new(secret(next)));
                    model.insert(next, secret(next));
                }
                keys.append(new);
            }
            1 => {
                let count = below(&mut seed, 3) as usize;
                keys.forget_first(count);
                for _ in 0..count {
                    model.pop_first();
                }
            }
            _ => {
                let number = below(&mut seed, next + 2);
                let found = keys.get(number).map(|key| *key.expose());
                assert_eq!(found, model.get(&number).map(|key| *key.expose()));
                keys.remove(number);
                model.remove(&number);
                assert!(keys.get(number).is_none());
            }
        }
        let held: Vec<_> = keys
            .iter()
            .map(|stored| (stored.number, *stored.key.expose()))
            .collect();
        let expected: Vec<_> = model
            .iter()
            .map(|(number, key)| (*number, *key.expose()))
            .collect();
        assert_eq!(held, expected);
        assert_eq!(keys.len(), model.len());
        assert_eq!(keys.is_empty(), model.is_empty());
    }
    keys.forget_first(usize::MAX);
    assert!(keys.is_empty());
}

/// A chain that a peer with two copies uses as it likes: the window says what a list of everything read would say of
/// the last 32 numbers.
#[test]
fn attack_r5_window_against_a_list_of_everything() {
    let salt = |number: u32, copy: u8| {
        let mut salt = [copy; 16];
        salt[..4].copy_from_slice(&sha256(&[&number.to_be_bytes(), &[copy]])[..4]);
        salt
    };
    for run in 0..20 {
        let mut seed = run * 100_000;
        let mut chain = ReceivingChain::begin(HeaderKey::new(secret(1)), chain_keys(), 0);
        let mut read: BTreeMap<u32, u8> = BTreeMap::new();
        for _ in 0..300 {
            let copy = below(&mut seed, 2) as u8;
            let stored: Vec<u32> = chain.keys.iter().map(|stored| stored.number).collect();
            if below(&mut seed, 3) == 0 && !stored.is_empty() {
                let number = stored[below(&mut seed, stored.len() as u32) as usize];
                chain.use_stored(number, &salt(number, copy));
                // Out of the window it leaves no mark.
                if chain.number - number <= WINDOW {
                    read.insert(number, copy);
                }
            } else {
                let jump = [0, 0, 0, 1, 5, 31, 32, 33, 70][below(&mut seed, 9) as usize];
                let number = chain.number + jump;
                let skip = chain.skip_to(number);
                let (_, next) = skip.chain_keys.step();
                chain.advance(skip, next, number, &salt(number, copy));
                read.insert(number, copy);
            }
            let held = |number| chain.keys.get(number).is_some();
            for number in chain.number.saturating_sub(80)..chain.number {
                if held(number) {
                    continue;
                }
                for copy in [0, 1] {
                    let recent = chain.number - number <= WINDOW;
                    let expected = match read.get(&number) {
                        Some(first) if recent && *first != copy => Error::Forked,
                        _ => Error::Duplicate,
                    };
                    let found = chain
                        .window
                        .judge(number, chain.number, &salt(number, copy));
                    assert_eq!(found, expected, "{number} of {}", chain.number);
                }
            }
        }
    }
    assert_eq!(Window::new().judge(0, 1, &[0; 16]), Error::Duplicate);
}

#[test]
fn attack_r3_reach_of_a_chain() {
    for received in [
        0,
        1,
        5_000,
        CHAIN_MAX - GAP_MAX - 1,
        CHAIN_MAX - 1,
        CHAIN_MAX,
    ] {
        for number in [
            0,
            received,
            received + GAP_MAX,
            received + GAP_MAX + 1,
            CHAIN_MAX - 1,
            CHAIN_MAX,
            CHAIN_MAX + 1,
            1 << 31,
            u32::MAX,
        ] {
            let expected = if number >= 1 << 20 {
                Err(Error::ChainExhausted)
            } else if i64::from(number) - i64::from(received) > 2_000 {
                Err(Error::GapTooLarge)
            } else {
                Ok(())
            };
            assert_eq!(require_reach(number, received), expected);
        }
    }
}

/// Five HMACs a skipped number, two of each half and one that joins them, and never more than 2,000 numbers, whatever is asked for.
#[test]
fn attack_r3_work_of_a_skip() {
    let chain = ReceivingChain::begin(HeaderKey::new(secret(1)), chain_keys(), 0);
    for (number, keys) in [
        (0, 0),
        (1, 1),
        (2_000, 2_000),
        (2_001, 2_000),
        (u32::MAX, 2_000),
    ] {
        let (skip, cost) = cost(|| chain.skip_to(number));
        assert_eq!(skip.skipped.len(), keys);
        assert_eq!(cost.of(Op::Hmac), 5 * keys as u64);
        assert_eq!(cost.total(), cost.of(Op::Hmac));
    }
    assert_eq!(chain.number, 0);
    assert!(chain.keys.is_empty());
}

/// No two keys of a chain, of a root step or of a message are the same, and none follows from a label's misuse.
#[test]
fn every_derived_key_is_another_one() {
    let mut all = Vec::new();
    let root = RootKey::new(secret(1)).step(&secret(2));
    all.push(*root.root.expose());
    all.push(*root.next_header_key.expose());
    let mut keys = ChainKeys {
        classical: root.chain_key,
        quantum: ChainKey::new(secret(4)),
    };
    for _ in 0..100 {
        all.push(*keys.classical.expose());
        all.push(*keys.quantum.expose());
        let (key, next) = keys.step();
        all.push(*key.expose());
        for salt in [[0; 16], [1; 16]] {
            all.push(*key.prepare().body(&salt).key.expose());
            all.push(*HeaderKey::new(secret(3)).header(&salt).key.expose());
        }
        keys = next;
    }
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    // The header key's two are the same in each round.
    assert_eq!(all.len(), count - 2 * 99);
}

#[test]
fn a_frame_adds_its_overhead_to_the_padded_text() {
    let bytes = [0; FRAME_OVERHEAD + 192];
    let frame = Frame::read(Reader::new(&bytes)).unwrap();
    assert_eq!(frame.body.len(), 192 + aead::TAG);
    let short = &bytes[1..];
    assert_eq!(Frame::read(Reader::new(short)), Err(Error::Malformed));
}

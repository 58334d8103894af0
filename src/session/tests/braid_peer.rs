//! A peer who has all keys of the conversation, and sends what it likes as the Braid (SPEC §10.7).
//!
//! Bob is attacked in every state. Whatever Alice puts behind a text, the text is read; then either nothing of Bob's
//! Braid has changed, or it has taken a step that an honest peer could have caused, or it is broken, and says so.

use std::vec;
use std::vec::Vec;

use super::kit::*;
use crate::crypto::Secret;
use crate::crypto::hedge::Hedged;
use crate::padding::padded_length;
use crate::ratchet::braid::authenticator::Authenticator;
use crate::ratchet::braid::code::write_run;
use crate::ratchet::{Quantum, Turn};
use crate::session::{Action, Conversation, Error, Opened};
use crate::wire::Reader;

const HDR: u8 = 1;
const EK: u8 = 2;
const CT1: u8 = 3;
const CT2: u8 = 4;

const BROKEN: u8 = 11;

type Symbol = [u8; 16];

/// A frame as its sender writes it.
#[derive(Clone)]
struct Hostile {
    kind: u8,
    ack: bool,
    delta: bool,
    first: u16,
    symbols: Vec<Symbol>,
}

impl Hostile {
    fn run(kind: u8, first: u16, symbols: Vec<Symbol>) -> Self {
        Self {
            kind,
            ack: false,
            delta: false,
            first,
            symbols,
        }
    }

    /// The symbols from `first` on of an object.
    fn object(kind: u8, object: &[u8], first: u16, count: usize) -> Self {
        let mut bytes = vec![0; 16 * count];
        write_run(object, first, &mut bytes);
        Self::run(kind, first, bytes.as_chunks().0.to_vec())
    }

    fn ack() -> Self {
        Self {
            ack: true,
            ..Self::run(0, 0, Vec::new())
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.kind << 5 | u8::from(self.ack) << 4 | u8::from(self.delta) << 3];
        if self.kind != 0 {
            bytes.extend(self.first.to_be_bytes());
            bytes.push(u8::try_from(self.symbols.len()).unwrap());
            bytes.extend(self.symbols.as_flattened());
        }
        bytes
    }
}

fn random(rng: &mut SeededRng, count: usize) -> Vec<Symbol> {
    (0..count).map(|_| rng.bytes()).collect()
}

/// Alice attacks Bob.
struct Attack {
    pair: Pair,
    /// Alice's chain, which she goes on with whatever Bob answers.
    chain: Forge,
    keys: Halves,
    rng: SeededRng,
}

impl Attack {
    /// Bob in a state of the Braid in an epoch of at least `epoch`, Alice in a chain of the epoch before.
    fn on(state: u8, epoch: u32, seed: u64) -> Self {
        Self::once(seed, |pair| {
            let at_bob = braid(&pair.at_bob);
            let chain = sending(&pair.at_alice).epoch;
            at_bob.state == state && at_bob.epoch >= epoch && chain + 1 == at_bob.epoch
        })
    }

    /// The first moment of a conversation, behind a message of Alice's, that is like that.
    fn once(seed: u64, is_so: impl Fn(&Pair) -> bool) -> Self {
        let mut pair = pair(seed);
        let mut rng = SeededRng(seed);
        for _ in 0..2_000 {
            for _ in 0..=rng.below(3) {
                pair.bob_says(&vec![b'b'; 150 + rng.below(20) as usize]);
            }
            for _ in 0..=rng.below(3) {
                pair.alice_says(&vec![b'a'; 150 + rng.below(20) as usize]);
                if is_so(&pair) {
                    return Self::by(pair, rng);
                }
            }
        }
        panic!("it never came");
    }

    fn by(pair: Pair, rng: SeededRng) -> Self {
        Self {
            chain: Forge::next(&pair.at_alice),
            keys: halves(&sending(&pair.at_alice).chain_keys),
            pair,
            rng,
        }
    }

    /// The next message of Alice's chain, with `frame` behind a text: it is read, and Bob's state can be stored.
    #[track_caller]
    fn sends(&mut self, frame: &Hostile) -> Opened {
        let frame = frame.bytes();
        let length = padded_length(5 + frame.len()).unwrap();
        self.chain.body = framed(b"text", &frame, length);
        let opened = open_at(&mut self.pair.at_bob, &self.chain.seal(), NOW).unwrap();
        assert_eq!(opened.text, b"text");
        assert!(!opened.forked && !opened.gap_dropped && !opened.old_state);
        let expected = if opened.pq_broken {
            Action::BeginAnew
        } else {
            Action::Nothing
        };
        assert_eq!(opened.action, expected);
        let view = braid(&self.pair.at_bob);
        assert!(view.stored <= 1_500);
        assert!(!opened.pq_broken || view.state == BROKEN);
        self.pair.at_bob = copy(&self.pair.at_bob);
        self.steps_on();
        opened
    }

    fn steps_on(&mut self) {
        if sending_number(&self.pair.at_alice) == Some(self.chain.number) {
            jump(&mut self.pair.at_alice, 1);
        }
        self.chain.number += 1;
        if let Turn::Ours { previous_count, .. } = &mut ratchet_mut(&mut self.pair.at_alice).turn {
            *previous_count = self.chain.number;
        }
        self.keys = next_halves(&self.keys);
        self.chain.message_key = message_key(&self.keys, 0);
    }

    /// As [`sends`](Self::sends); nothing of the Braid has changed.
    #[track_caller]
    fn is_ignored(&mut self, frame: &Hostile) {
        let before = stored_braid(&self.pair.at_bob);
        assert!(!self.sends(frame).pq_broken);
        assert!(stored_braid(&self.pair.at_bob) == before);
    }

    /// As [`sends`](Self::sends); the Braid is broken, with the epoch that it had.
    #[track_caller]
    fn breaks(&mut self, frame: &Hostile) {
        let before = braid(&self.pair.at_bob);
        let seeds = seeds(&self.pair.at_bob);
        assert_ne!(before.state, BROKEN);
        assert!(self.sends(frame).pq_broken);
        let after = braid(&self.pair.at_bob);
        assert_eq!((after.state, after.epoch), (BROKEN, before.epoch));
        // The keys there are stay in use; everything of the exchange is gone.
        assert!(seeds == self::seeds(&self.pair.at_bob));
        let held = encoding(&self.pair.at_bob);
        for secret in before.secrets() {
            assert!(!contains(&held, &secret));
        }
    }

    fn says_at_bob(&mut self) -> Vec<u8> {
        self.pair.bob.seal(&mut self.pair.at_bob, b"by Bob")
    }
}

fn sending_number(conversation: &Conversation) -> Option<u32> {
    match &ratchet(conversation).turn {
        Turn::Theirs {
            sending: Some(chain),
            ..
        } => Some(chain.number),
        _ => None,
    }
}

/// The Braid as it is stored.
fn stored_braid(conversation: &Conversation) -> Vec<u8> {
    let view = braid(conversation);
    let head = [&[view.state][..], &view.epoch.to_be_bytes()].concat();
    [head, view.roots.as_flattened().to_vec(), view.fields].concat()
}

fn seeds(conversation: &Conversation) -> Vec<[u8; 32]> {
    let Quantum::Whole { own, peer, .. } = &ratchet(conversation).quantum else {
        panic!("the state sends");
    };
    own.iter()
        .chain(peer.iter())
        .map(|seed| *seed.expose())
        .collect()
}

/// The type that a state waits for, and the symbols of it that give the object.
fn awaited(state: u8) -> Option<(u8, usize)> {
    match state {
        5 => Some((HDR, 6)),
        7 | 9 => Some((EK, 72)),
        1 | 2 => Some((CT1, 60)),
        3 | 4 => Some((CT2, 10)),
        _ => None,
    }
}

/// The symbols that a state holds.
fn held(conversation: &Conversation) -> Vec<(u16, Symbol)> {
    let view = braid(conversation);
    let at = match view.state {
        2 => 64,
        4 => 64 + 960,
        5 => 0,
        7 | 9 => 96,
        _ => return Vec::new(),
    };
    let mut reader = Reader::new(&view.fields[at..]);
    let count = reader.vector_length().unwrap();
    (0..count)
        .map(|_| (reader.u16().unwrap(), *reader.array().unwrap()))
        .collect()
}

/// After it all: texts go both ways, for as long as one likes; and a conversation begun anew heals again.
#[track_caller]
fn goes_on(mut pair: Pair) {
    for round in 0..6 {
        pair.bob_says(b"still there?");
        pair.alice_says(b"yes");
        if round == 2 {
            pair.at_alice = copy(&pair.at_alice);
            pair.at_bob = copy(&pair.at_bob);
        }
    }
    assert_eq!(braid(&pair.at_bob).state, BROKEN);
    pair.bob.begin(&mut pair.at_bob, &mut pair.alice, NOW);
    let first = pair.bob.seal(&mut pair.at_bob, b"anew");
    let opened = pair.alice.accept_into(&mut pair.at_alice, &first, NOW);
    assert_eq!(opened.unwrap().text, b"anew");
    for _ in 0..60 {
        pair.alice_says(b"text");
        pair.bob_says(b"text");
    }
    for conversation in [&pair.at_alice, &pair.at_bob] {
        let view = braid(conversation);
        assert!(view.state != BROKEN && view.epoch >= 3);
    }
}

/// An index that is held already, with another value. With the same value it is no news.
#[test]
fn attack_r12_conflicting_symbol() {
    for state in [2, 4, 5, 7, 9] {
        let mut attack = Attack::on(state, 3, 3_000 + u64::from(state));
        let (kind, _) = awaited(state).unwrap();
        if held(&attack.pair.at_bob).is_empty() {
            let symbols = random(&mut attack.rng, 2);
            assert!(!attack.sends(&Hostile::run(kind, 7_000, symbols)).pq_broken);
        }
        let held = held(&attack.pair.at_bob);
        for (index, symbol) in &held {
            attack.is_ignored(&Hostile::run(kind, *index, vec![*symbol]));
        }
        let (index, mut symbol) = held[held.len() / 2];
        symbol[15] ^= 1;
        attack.breaks(&Hostile::run(kind, index, vec![symbol]));
        goes_on(attack.pair);
    }
}

/// Symbols enough, of nothing: hdr with a wrong MAC, ek of another header, ct2 with a wrong MAC. Of ct1 nobody can say
/// so; the MAC of ct2 covers it.
#[test]
fn attack_r12_objects_that_do_not_fit() {
    for (state, first) in [
        (5, 100),
        (5, 60_000),
        (7, 100),
        (9, 100),
        (3, 0),
        (4, 50),
        (4, 65_525),
    ] {
        let mut attack = Attack::on(state, 3, 3_020 + u64::from(state));
        let (kind, needed) = awaited(state).unwrap();
        let missing = needed - held(&attack.pair.at_bob).len();
        // None of these indices was sent by the honest Alice, but for those of an object not yet begun.
        let mut symbols = random(&mut attack.rng, missing);
        let last = symbols.pop().unwrap();
        if !symbols.is_empty() {
            let frame = Hostile::run(kind, first, symbols);
            assert!(!attack.sends(&frame).pq_broken, "{state}");
        }
        let at = first + u16::try_from(missing).unwrap() - 1;
        attack.breaks(&Hostile::run(kind, at, vec![last]));
        goes_on(attack.pair);
    }
    for state in [1, 2] {
        let mut attack = Attack::on(state, 3, 3_040 + u64::from(state));
        let symbols = random(&mut attack.rng, 60);
        assert!(!attack.sends(&Hostile::run(CT1, 100, symbols)).pq_broken);
        assert_eq!(braid(&attack.pair.at_bob).state, 3);
        let symbols = random(&mut attack.rng, 10);
        attack.breaks(&Hostile::run(CT2, 0, symbols));
        goes_on(attack.pair);
    }
}

/// A header that is authenticated, and a key that is the header's: what is wrong with the key is found all the same.
#[test]
fn attack_r12_encapsulation_key_out_of_range() {
    // A coefficient of q or more, first or last; all of them; and one that is in range.
    let at = |place: usize, value: u16| {
        let mut vector = vec![0; 1152];
        // Two coefficients of twelve bits in three bytes, little-endian (FIPS 203, algorithm 5).
        let bits = u32::from(value) << (12 * (place % 2));
        let bytes = bits.to_le_bytes();
        vector[place / 2 * 3..][..3].copy_from_slice(&bytes[..3]);
        vector
    };
    for (vector, fits) in [
        (at(0, 3_328), true),
        (at(767, 3_328), true),
        (at(0, 3_329), false),
        (at(767, 3_329), false),
        (at(300, 4_095), false),
        (vec![0xff; 1152], false),
    ] {
        // Alice has completed the epoch before in the chain that goes on, and sent nothing of this one.
        let mut attack = Attack::once(3_060, |pair| {
            let chain = sending(&pair.at_alice).epoch;
            let at_bob = braid(&pair.at_bob);
            at_bob.state == 5 && chain + 2 == at_bob.epoch && held(&pair.at_bob).is_empty()
        });
        let view = braid(&attack.pair.at_bob);
        let seed = [9; 32];
        let hash = libcrux_sha3::sha256(&[&vector[..], &seed].concat());
        let [_, root, mac] = view.roots.as_slice().try_into().unwrap();
        let authenticator = Authenticator {
            root: Secret::new(root),
            mac: Secret::new(mac),
        };
        let mac = authenticator.header(view.epoch, &seed, &hash);
        let header = [seed, hash, mac].concat();
        let sends = |attack: &mut Attack, kind, object: &[u8], first, count| {
            attack.sends(&Hostile {
                delta: true,
                ..Hostile::object(kind, object, first, count)
            })
        };
        assert!(!sends(&mut attack, HDR, &header, 3, 6).pq_broken);
        assert_eq!(braid(&attack.pair.at_bob).state, 6);
        attack.says_at_bob();
        assert_eq!(braid(&attack.pair.at_bob).state, 7);
        assert!(!sends(&mut attack, EK, &vector, 20, 71).pq_broken);
        assert_eq!(braid(&attack.pair.at_bob).state, 7);
        let last = Hostile {
            delta: true,
            ..Hostile::object(EK, &vector, 900, 1)
        };
        if fits {
            assert!(!attack.sends(&last).pq_broken);
            assert_eq!(braid(&attack.pair.at_bob).state, 8);
        } else {
            attack.breaks(&last);
        }
    }
}

/// Epochs below the own one are old news, also with all that they could bring. The next one comes only behind ct2.
#[test]
fn attack_r12_epochs_above_and_below() {
    for state in 0..=10 {
        let mut attack = Attack::on(state, 3, 3_080 + u64::from(state));
        assert_eq!(attack.chain.epoch + 1, braid(&attack.pair.at_bob).epoch);
        // A frame of the next epoch, with or without symbols.
        let above = Hostile {
            delta: true,
            ..Hostile::ack()
        };
        if state == 10 {
            let epoch = braid(&attack.pair.at_bob).epoch;
            assert!(!attack.sends(&above).pq_broken);
            let view = braid(&attack.pair.at_bob);
            assert_eq!((view.state, view.epoch), (0, epoch + 1));
            // In the new epoch, frames of the one before.
            for kind in [HDR, EK, CT1, CT2] {
                let symbols = random(&mut attack.rng, 80);
                attack.is_ignored(&Hostile::run(kind, 0, symbols));
            }
            attack.is_ignored(&Hostile::ack());
        } else {
            attack.breaks(&above);
            // And nothing mends it.
            for delta in [false, true] {
                for kind in [HDR, EK, CT1, CT2] {
                    let symbols = random(&mut attack.rng, 80);
                    attack.is_ignored(&Hostile {
                        delta,
                        ack: true,
                        ..Hostile::run(kind, 0, symbols)
                    });
                }
            }
            goes_on(attack.pair);
        }
    }
}

/// Symbols of a type that the state does not wait for, and an ack that it does not wait for.
#[test]
fn attack_r12_foreign_types() {
    for state in 0..=10 {
        let mut attack = Attack::on(state, 3, 3_110 + u64::from(state));
        let expected = awaited(state).map(|(kind, _)| kind);
        for kind in [HDR, EK, CT1, CT2] {
            if Some(kind) != expected {
                for first in [0, 40, 65_281] {
                    let symbols = random(&mut attack.rng, 255);
                    attack.is_ignored(&Hostile::run(kind, first, symbols));
                }
            }
        }
        if !matches!(state, 7 | 8) {
            attack.is_ignored(&Hostile::ack());
        }
    }
}

/// 255 symbols in each message, up to the last index there is, and in the order that takes the most room.
#[test]
fn attack_r12_flood_of_symbols() {
    for state in 0..=10 {
        let mut attack = Attack::on(state, 3, 3_130 + u64::from(state));
        let mut broke = false;
        for number in (0..257u32).rev() {
            let kind = 1 + (number % 4) as u8;
            let (kind, _) = awaited(braid(&attack.pair.at_bob).state).unwrap_or((kind, 0));
            let symbols = random(&mut attack.rng, 255);
            let first = u16::try_from(number * 255).unwrap();
            broke |= attack.sends(&Hostile::run(kind, first, symbols)).pq_broken;
        }
        // Every state that waits for something was given enough of it.
        assert_eq!(broke, awaited(state).is_some(), "{state}");
        if broke {
            goes_on(attack.pair);
        }
    }
}

/// One symbol a message, each of another object: the decoder holds less than the object needs, for ever.
#[test]
fn attack_r12_repeated_symbol_fills_nothing() {
    for state in [2, 4, 5, 7, 9] {
        let mut attack = Attack::on(state, 3, 3_150 + u64::from(state));
        let (kind, needed) = awaited(state).unwrap();
        let symbol = random(&mut attack.rng, 1);
        let before = held(&attack.pair.at_bob).len();
        for _ in 0..300 {
            let frame = Hostile::run(kind, 9_000, symbol.clone());
            assert!(!attack.sends(&frame).pq_broken);
        }
        let after = held(&attack.pair.at_bob).len();
        assert!(after == before + 1 && after <= needed);
    }
}

/// Both sides' cursors at the end of the indices: they go round, and the exchange completes.
#[test]
fn attack_r12_run_to_the_wrap() {
    for state in [1, 2, 3, 7, 8, 10] {
        let mut attack = Attack::on(state, 3, 3_170 + u64::from(state));
        let conversation = &mut attack.pair.at_bob;
        let view = braid(conversation);
        let mut bytes = encoding(conversation);
        let last_root = view.roots[2];
        let at = bytes.windows(32).position(|window| window == last_root);
        let cursor = at.unwrap() + 32 + 1 + view.fields.len() - 3;
        bytes[cursor..cursor + 2].copy_from_slice(&65_533u16.to_be_bytes());
        *conversation = crate::session::stored::decode(&bytes).unwrap();
        for _ in 0..100 {
            attack.pair.bob_says(b"text");
            attack.pair.alice_says(b"text");
        }
        let view_after = braid(&attack.pair.at_bob);
        assert!(view_after.epoch > view.epoch + 1 && view_after.state != BROKEN);
    }
}

/// Alice stays in one chain while she takes all that Bob sends: the second epoch within one chain of Bob's breaks.
#[test]
fn attack_r12_two_epochs_within_one_chain() {
    let mut attack = Attack::on(10, 3, 3_190);
    let begun = braid(&attack.pair.at_bob).epoch;
    assert_eq!(attack.chain.epoch + 1, begun);
    let mut states = Vec::new();
    for _ in 0..200 {
        // Bob's chain never ends, since Alice begins none; she reads it, and her Braid goes on.
        let message = attack.says_at_bob();
        assert_eq!(sending(&attack.pair.at_bob).epoch, begun - 1);
        read(&mut attack.pair.at_alice, &message);
        let frame = frame_of(&mut attack.pair, attack.chain.epoch);
        attack.chain.body = framed(b"text", &frame, 1024);
        let opened = open_at(&mut attack.pair.at_bob, &attack.chain.seal(), NOW).unwrap();
        assert_eq!(opened.text, b"text");
        attack.steps_on();
        let view = braid(&attack.pair.at_bob);
        if states.last() != Some(&(view.state, view.epoch)) {
            states.push((view.state, view.epoch));
        }
        if opened.pq_broken {
            break;
        }
    }
    // One epoch more than that of the chain and its delta: all of it but the last step.
    let next = begun + 1;
    assert_eq!(states.last(), Some(&(BROKEN, next)), "{states:?}");
    assert!(
        states.contains(&(0, next)) && states.contains(&(3, next)),
        "{states:?}"
    );
    let Quantum::Whole { own, .. } = &ratchet(&attack.pair.at_bob).quantum else {
        panic!("the state sends");
    };
    assert_eq!(own.last(), begun);
    goes_on(attack.pair);
}

/// What Alice's Braid would send, in a chain of another epoch than her own next one.
fn frame_of(pair: &mut Pair, chain: u32) -> Vec<u8> {
    let Quantum::Whole { own, peer, braid } = &mut ratchet_mut(&mut pair.at_alice).quantum else {
        panic!("the state sends");
    };
    let mut entropy = Hedged::new(pair.alice.identity.hedge(), &mut pair.alice.rng);
    let placement = braid.place(600, &mut entropy).unwrap();
    braid.prepare();
    let outgoing = braid.outgoing(&placement, braid.chain_epoch() > chain);
    let mut frame = vec![0; 1 + 3 + 16 * 26];
    outgoing.write(&mut frame);
    assert!(placement.padded == 1024);
    if let Some(emitted) = braid.placed(placement) {
        let (ours, theirs) = braid.directions(emitted);
        own.push(ours);
        peer.push(theirs);
    }
    frame
}

/// What is no frame is no message: refused in every place, and nothing changes, not even the numbers.
#[test]
fn attack_r12_malformed_frames() {
    let run = |kind: u8, first: u16, count: u8, bytes: usize| {
        let [high, low] = first.to_be_bytes();
        [&[kind << 5, high, low, count][..], &vec![7; bytes]].concat()
    };
    let mut frames: Vec<Vec<u8>> = vec![
        run(1, 0, 0, 0),
        run(4, 65_535, 0, 16),
        run(1, 65_535, 2, 32),
        run(2, 65_282, 255, 4_080),
        // Cut off by the end of the body.
        run(3, 0, 255, 100),
        run(1, 0, 2, 31),
        run(2, 0, 1, 15),
        vec![1 << 5],
        vec![1 << 5, 0, 0],
    ];
    frames.extend((5..=7).map(|kind| run(kind, 0, 1, 16)));
    frames.extend((1..8).flat_map(|low| [vec![low], vec![0x18 | low]]));
    let fill = |frame: &[u8]| {
        // The whole body, so that no padding stands in for what is missing.
        let length = padded_length(40 + frame.len()).unwrap();
        let mut text = vec![b'x'; length - frame.len() - 2];
        if text.len() < 64 {
            text.pop();
        }
        let head = (0x4000 | u16::try_from(text.len()).unwrap()).to_be_bytes();
        [&head, &text[..], frame].concat()
    };
    for frame in &frames {
        let mut attack = Attack::on(7, 3, 3_200);
        let body = fill(frame);
        let mut present = Forge::next(&attack.pair.at_alice);
        present.body = body.clone();
        assert_eq!(
            refused(&mut attack.pair.at_bob, &present.seal()),
            Error::Malformed
        );
        // A stored number.
        attack.pair.alice.seal(&mut attack.pair.at_alice, b"late");
        attack.pair.alice_says(b"next");
        assert_eq!(
            refused(&mut attack.pair.at_bob, &present.seal()),
            Error::Malformed
        );
        // A new chain.
        attack.pair.bob_says(b"your turn");
        let (mut begun, _) = Forge::new_chain(&attack.pair.at_alice, [4; 32]);
        begun.body = body.clone();
        assert_eq!(
            refused(&mut attack.pair.at_bob, &begun.seal()),
            Error::Malformed
        );
        attack.pair.alice_says(b"genuine");
        // A first message.
        let mut carol = Device::new("carol", 3_210);
        let mut at_carol = carol.pin(&attack.pair.bob);
        carol.begin(&mut at_carol, &mut attack.pair.bob, NOW);
        let mut first = Forge::next(&at_carol);
        first.body = body;
        let before = encoding(&attack.pair.bob.prekeys);
        let error = attack.pair.bob.stage(&first.seal(), NOW).err();
        assert_eq!(error, Some(Error::Malformed));
        assert!(encoding(&attack.pair.bob.prekeys) == before);
    }
    // The same bytes as one symbol of a frame that holds are no fault of the message.
    let mut attack = Attack::on(5, 3, 3_220);
    attack.sends(&Hostile::run(HDR, 65_535, vec![[7; 16]]));
}

/// All that one peer can make a conversation hold, at once: four states, 2,000 keys, sixteen closed chains, full
/// windows, and a decoder that lacks one symbol of the longest object.
#[test]
fn attack_r4_most_that_arrives_is_bounded() {
    let mut pair = pair(3_300);
    let mut now = NOW;
    // Three states that only read, each with four closed chains that owe keys, and a full window.
    for _ in 0..3 {
        for _ in 0..4 {
            jump_and_fill(&mut pair, 100, now);
            let answer = pair.bob.seal(&mut pair.at_bob, b"your turn");
            open_at(&mut pair.at_alice, &answer, now).unwrap();
        }
        jump_and_fill(&mut pair, 10, now);
        now += 1;
        pair.alice.begin(&mut pair.at_alice, &mut pair.bob, now);
        let first = pair.alice.seal(&mut pair.at_alice, b"first");
        let opened = pair.bob.accept_into(&mut pair.at_bob, &first, now);
        assert_eq!(opened.unwrap().text, b"first");
    }
    // The same in the state that sends, until Bob has Alice's header and waits for ek.
    for _ in 0..4 {
        jump_and_fill(&mut pair, 100, now);
        pair.bob_says(b"your turn");
    }
    pair.alice_says(b"text");
    for _ in 0..500 {
        if matches!(braid(&pair.at_bob).state, 7 | 9) {
            break;
        }
        pair.bob_says(b"text");
        pair.alice_says(b"text");
    }
    let address = pair.at_bob.peer().address().as_bytes().len();
    let mut attack = Attack::by(pair, SeededRng(3_301));
    assert!(matches!(braid(&attack.pair.at_bob).state, 7 | 9));
    for _ in 0..500 {
        attack.steps_on();
    }
    for _ in 0..32 {
        attack.sends(&Hostile::run(0, 0, Vec::new()));
    }
    let missing = 71 - held(&attack.pair.at_bob).len();
    let delta = braid(&attack.pair.at_bob).epoch - 1 > attack.chain.epoch;
    let symbols = random(&mut attack.rng, missing);
    attack.sends(&Hostile {
        delta,
        ..Hostile::run(EK, 30_000, symbols)
    });
    assert_eq!(held(&attack.pair.at_bob).len(), 71);

    let conversation = &attack.pair.at_bob;
    assert_eq!(conversation.states.len(), 4);
    let ratchets = || conversation.states.iter().map(|state| &state.ratchet);
    let keys: usize = ratchets().map(|ratchet| ratchet.stored_keys()).sum();
    let closed: usize = ratchets().map(|ratchet| ratchet.closed.len()).sum();
    let windows: u32 = ratchets()
        .flat_map(|ratchet| &ratchet.receiving)
        .map(|chain| chain.window.filled.count_ones())
        .sum();
    assert_eq!((keys, closed), (2_000, 16));
    assert_eq!(windows, 4 * 32);
    let exported = encoding(conversation).len() + crate::state::OVERHEAD;
    // A longer address is all that could be added.
    assert!(exported + 47 - address <= 96_000, "{exported}");
    assert!(exported > 76_000, "{exported}");
    // And both talk on; Alice's Braid is not that of the symbols that Bob has.
    let mut pair = attack.pair;
    for _ in 0..3 {
        pair.bob_says(b"text");
        let message = pair.alice.seal(&mut pair.at_alice, b"text");
        assert_eq!(
            open_at(&mut pair.at_bob, &message, NOW).unwrap().text,
            b"text"
        );
    }
}

/// Alice skips so many numbers, and Bob reads 32 messages in a row.
fn jump_and_fill(pair: &mut Pair, count: u32, now: u64) {
    for number in 0..33 {
        if number == 1 {
            jump(&mut pair.at_alice, count);
        }
        let message = pair.alice.seal(&mut pair.at_alice, &[b'x'; 185]);
        open_at(&mut pair.at_bob, &message, now).unwrap();
    }
}

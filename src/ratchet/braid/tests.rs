//! Two exchanges against each other: whatever the line does, both sides emit the same secrets in the same epochs.

use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::code::SYMBOL;
use super::*;
use crate::crypto::dh::{DhKeyPair, DhPoint};
use crate::crypto::hash::sha256;
use crate::crypto::{self, SharedSecret};
use crate::envelope::Kind;
use crate::ratchet::{Bounds, Frame as Message, Quantum, Ratchet, content_length};
use crate::wire::{Reader, Writer};

/// Different values for ever, from a seed.
struct Counted(u64);

impl Counted {
    fn next<const N: usize>(&mut self) -> Secret<N> {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sha256(&[&self.0.to_be_bytes()])[..chunk.len()]);
        }
        Secret::new(bytes)
    }
}

impl Entropy for Counted {
    fn derive<const N: usize>(
        &mut self,
        _: &'static [u8],
        _: &[&[u8]],
    ) -> Result<Secret<N>, crypto::Error> {
        Ok(self.next())
    }

    fn fresh(&mut self) -> Result<Secret<32>, crypto::Error> {
        Ok(self.next())
    }
}

/// A side of an exchange without a ratchet around it: each message begins a chain.
struct Side {
    braid: Braid,
    entropy: Counted,
    /// `S_a` and `S_b` of each epoch.
    emitted: BTreeMap<u32, [[u8; 32]; 2]>,
}

/// A frame on its way.
#[derive(Clone)]
struct Sent {
    epoch: u32,
    bytes: Vec<u8>,
}

impl Side {
    fn pair() -> [Self; 2] {
        let secret = Secret::new([7; 32]);
        [true, false].map(|initiator| {
            let (root, _) = EpochRoot::start(&secret);
            Self {
                braid: Braid::start(root, &secret, initiator),
                entropy: Counted(u64::from(initiator) << 32),
                emitted: BTreeMap::new(),
            }
        })
    }

    fn send(&mut self, text: usize) -> Sent {
        self.braid.end_chain();
        let content = content_length(&vec![0; text]);
        let placement = self.braid.place(content, &mut self.entropy).unwrap();
        self.braid.prepare();
        let mut bytes = vec![0; placement.padded - content + FRAME_MIN];
        let epoch = self.braid.epoch();
        self.braid.outgoing(&placement, false).write(&mut bytes);
        if let Some(seeds) = self.braid.placed(placement) {
            self.emit(epoch, &seeds);
        }
        Sent { epoch, bytes }
    }

    /// Whether the exchange goes on.
    fn receive(&mut self, sent: &Sent) -> bool {
        let frame = Frame::read(&mut Reader::new(&sent.bytes)).unwrap();
        let epoch = self.braid.epoch();
        match self.braid.receive(sent.epoch, &frame, u32::MAX) {
            Outcome::Quiet => true,
            Outcome::Emitted(seeds) => {
                self.emit(epoch, &seeds);
                true
            }
            Outcome::Broke => false,
        }
    }

    fn emit(&mut self, epoch: u32, seeds: &EpochSeeds) {
        let seeds = [*seeds.initiator.expose(), *seeds.responder.expose()];
        let before = self.emitted.insert(epoch, seeds);
        assert!(before.is_none(), "epoch {epoch} was emitted twice");
    }

    fn encoded(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.braid.write(&mut writer).unwrap();
        writer.into_bytes()
    }

    /// Through its stored form.
    fn restart(&mut self) {
        let bytes = self.encoded();
        assert!(bytes.len() <= 1_500);
        let mut reader = Reader::new(&bytes);
        self.braid = Braid::read(&mut reader).unwrap();
        reader.finish().unwrap();
        assert_eq!(self.encoded(), bytes);
    }
}

/// Every epoch that both have emitted is the same for both; none is missing, and they are at most one apart.
fn assert_agreed(sides: &[Side; 2]) {
    let [a, b] = sides;
    for (epoch, seeds) in &a.emitted {
        if let Some(other) = b.emitted.get(epoch) {
            assert_eq!(seeds, other, "epoch {epoch}");
        }
    }
    for side in sides {
        let epochs: Vec<u32> = side.emitted.keys().copied().collect();
        let expected: Vec<u32> = (1..).take(epochs.len()).collect();
        assert_eq!(epochs, expected);
    }
    assert!(a.emitted.len().abs_diff(b.emitted.len()) <= 1);
    assert!(a.braid.epoch().abs_diff(b.braid.epoch()) <= 1);
}

/// From here on everything arrives: two more epochs complete.
fn complete(sides: &mut [Side; 2]) {
    let target = sides[0].braid.epoch().max(sides[1].braid.epoch()) + 2;
    for _ in 0..200 {
        for from in [0, 1] {
            let sent = sides[from].send(40);
            assert!(sides[1 - from].receive(&sent));
        }
        if sides.iter().all(|side| side.braid.epoch() >= target) {
            return;
        }
    }
    panic!("the exchange has stopped");
}

/// `PROPTEST_CASES` goes first, as it does where nothing is said.
fn cases(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: asked.and_then(|asked| asked.parse().ok()).unwrap_or(cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(48))]

    /// Frames are lost, repeated at any later time, and overtake each other; frames of past epochs and symbols of
    /// objects that nobody waits for are thrown in; both sides are stored and loaded. Nothing of it breaks the exchange,
    /// and the secrets are the same.
    #[test]
    fn attack_r12_any_order_any_repetition(steps in proptest::collection::vec(any::<[u8; 4]>(), 0..400)) {
        let mut sides = Side::pair();
        let mut line: [Vec<Sent>; 2] = [Vec::new(), Vec::new()];
        for [action, choice, length, noise] in steps {
            let side = usize::from(choice & 1);
            match action % 8 {
                0..=2 => {
                    let sent = sides[side].send(usize::from(length) * 2);
                    line[1 - side].push(sent);
                }
                3..=5 => {
                    // Nothing leaves the line: any of these may come again.
                    let count = line[side].len();
                    if count > 0 {
                        let back = usize::from(noise) % count.min(12);
                        let sent = line[side][count - 1 - back].clone();
                        prop_assert!(sides[side].receive(&sent));
                    }
                }
                6 => {
                    let own = sides[side].braid.epoch();
                    let awaited = match &sides[side].braid {
                        Braid::Live(live) => live.state.awaits(),
                        Braid::Broken { .. } => None,
                    };
                    let number = 1 + length % 4;
                    let foreign = Object::from_number(number) != awaited;
                    let epoch = if foreign { own } else { own - 1 };
                    let mut bytes = vec![number << 5, 0, noise, 2];
                    bytes.resize(4 + 2 * SYMBOL, noise);
                    let before = sides[side].encoded();
                    let sent = Sent { epoch, bytes };
                    prop_assert!(sides[side].receive(&sent));
                    prop_assert_eq!(sides[side].encoded(), before);
                }
                _ => sides[side].restart(),
            }
            assert_agreed(&sides);
        }
        complete(&mut sides);
        assert_agreed(&sides);
    }
}

/// What the ratchet around an exchange says of it.
struct Half {
    ratchet: Ratchet,
    entropy: Counted,
    /// `S` of our direction and of the peer's, as each epoch was taken in.
    emitted: BTreeMap<u32, [[u8; 32]; 2]>,
}

const ENVELOPE: [u8; 2] = Kind::Message.header();

impl Half {
    fn pair() -> [Self; 2] {
        let shared = || SharedSecret::new(Secret::new([3; 32]), [4; 32]);
        let signed = DhKeyPair::from_secret(Secret::new([5; 32]));
        let half = |ratchet, seed| Self {
            ratchet,
            entropy: Counted(seed),
            emitted: BTreeMap::new(),
        };
        let point = DhPoint::new(signed.public());
        let alice =
            Ratchet::initiate(&shared(), *signed.public(), &point, &mut Counted(9)).unwrap();
        let mut alice = half(alice, 1 << 40);
        let first = alice.seal(10);
        let message = Message::read(Reader::new(&first[2..])).unwrap();
        let (bob, _) = Ratchet::respond(&shared(), &signed, ENVELOPE, &message).unwrap();
        [alice, half(bob, 1 << 41)]
    }

    fn seal(&mut self, length: usize) -> Vec<u8> {
        let text = vec![b'x'; length];
        let message = self
            .ratchet
            .seal(&ENVELOPE, &text, &mut self.entropy)
            .unwrap();
        self.note();
        message
    }

    /// Whether the message was read; one that was is never read again.
    fn open(&mut self, message: &[u8]) -> bool {
        let frame = Message::read(Reader::new(&message[2..])).unwrap();
        let found = self.ratchet.tags().find(|(_, tag)| *tag == frame.tag());
        let Some((candidate, _)) = found else {
            return false;
        };
        let hash = sha256(&[frame.body]);
        let header = self
            .ratchet
            .open_header(candidate, ENVELOPE, &frame, &hash)
            .unwrap()
            .unwrap();
        let Ok(opening) = self.ratchet.open(candidate, &header, ENVELOPE, &frame) else {
            return false;
        };
        assert!(!opening.notices.pq_broken && !opening.notices.forked);
        self.note();
        true
    }

    fn note(&mut self) {
        let Quantum::Whole { own, peer, .. } = &self.ratchet.quantum else {
            panic!("the state sends");
        };
        assert_eq!(own.last(), peer.last());
        let last = |seeds: &crate::ratchet::epochs::Seeds| *seeds.iter().last().unwrap().expose();
        self.emitted
            .entry(own.last())
            .or_insert_with(|| [last(own), last(peer)]);
    }

    fn epoch(&self) -> u32 {
        self.ratchet.pq_epoch().unwrap()
    }

    fn restart(&mut self) {
        let mut writer = Writer::new();
        self.ratchet.write(&mut writer).unwrap();
        let bounds = Bounds {
            closed_chains: usize::MAX,
            stored_keys: usize::MAX,
        };
        let bytes = writer.into_bytes();
        self.ratchet = Ratchet::read(&mut Reader::new(&bytes), bounds).unwrap();
    }
}

proptest! {
    #![proptest_config(cases(24))]

    /// The same inside the ratchet, where a chain's epoch has to be known before its first frame: loss, reordering,
    /// repetition, one-sided talk, restarts. Every message that arrives is read.
    #[test]
    fn both_sides_of_a_ratchet_emit_the_same_secrets(
        steps in proptest::collection::vec(any::<[u8; 4]>(), 0..300),
        share in 1..=255u8,
    ) {
        let mut halves = Half::pair();
        let mut line: [Vec<(Vec<u8>, bool)>; 2] = [Vec::new(), Vec::new()];
        for [action, choice, length, noise] in steps {
            let side = usize::from(choice > share);
            match action % 8 {
                0..=3 => {
                    let message = halves[side].seal(usize::from(length));
                    // One in four is lost.
                    if noise % 4 != 0 {
                        line[1 - side].push((message, false));
                    }
                }
                4..=6 => {
                    let side = usize::from(choice & 1);
                    let count = line[side].len();
                    if count > 0 {
                        let back = usize::from(noise) % count.min(8);
                        let (message, read) = &mut line[side][count - 1 - back];
                        // Repeated it is refused.
                        prop_assert_eq!(halves[side].open(message), !*read);
                        *read = true;
                    }
                }
                _ => halves[side].restart(),
            }
        }
        // The epochs of both are the same from here on, too.
        let target = halves[0].epoch().max(halves[1].epoch()) + 2;
        for _ in 0..200 {
            for from in [0, 1] {
                let message = halves[from].seal(40);
                prop_assert!(halves[1 - from].open(&message));
            }
        }
        prop_assert!(halves.iter().all(|half| half.epoch() >= target));
        let [a, b] = &halves;
        let mut common = 0;
        // In epoch 0 the chains' steps had begun before anybody looked.
        for (epoch, [own, peer]) in a.emitted.range(1..) {
            if let Some(other) = b.emitted.get(epoch) {
                prop_assert_eq!([peer, own], [&other[0], &other[1]], "epoch {}", epoch);
                common += 1;
            }
        }
        prop_assert!(common >= 2);
    }
}

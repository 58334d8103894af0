//! A thief copies the whole state of one side and reads along (SPEC §16.2).

use std::vec::Vec;

use super::kit::*;
use crate::crypto::Secret;
use crate::crypto::dh::{DhKeyPair, DhPublic};
use crate::crypto::hash::HmacKey;
use crate::ratchet::{Quantum, Ratchet, Turn};
use crate::session::{Conversation, Error};

/// What a thief knows, and works out from what it sees. It tries every combination of keys.
///
/// It is told everything of the post-quantum half for ever ([`tell`](Self::tell)), so that what heals here is the
/// classical half alone.
struct Thief {
    session_id: [u8; 32],
    roots: Vec<[u8; 32]>,
    secrets: Vec<DhKeyPair>,
    publics: Vec<DhPublic>,
    header_keys: Vec<[u8; 32]>,
    /// `CK` with the number of its first message.
    chain_keys: Vec<([u8; 32], u32)>,
    /// `PCK` likewise.
    quantum_keys: Vec<([u8; 32], u32)>,
    message_keys: Vec<[u8; 32]>,
}

/// What the thief made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sees {
    /// The text.
    Text,
    /// The header alone: a ratchet key and numbers.
    Header,
    Nothing,
}

impl Thief {
    /// Takes everything that `conversation` holds, through its encoding.
    fn new(conversation: &Conversation) -> Self {
        let conversation = copy(conversation);
        let stolen: &Ratchet = ratchet(&conversation);
        let mut thief = Self {
            session_id: stolen.session_id,
            roots: Vec::new(),
            secrets: Vec::new(),
            publics: Vec::from([stolen.peer_public]),
            header_keys: Vec::from([*stolen.next_header_key.expose()]),
            chain_keys: Vec::new(),
            quantum_keys: Vec::new(),
            message_keys: Vec::new(),
        };
        match &stolen.turn {
            Turn::Theirs { own, root, sending } => {
                thief.roots.push(*root.expose());
                thief
                    .secrets
                    .push(DhKeyPair::from_secret(Secret::new(*own.secret().expose())));
                let chain = sending.as_ref().unwrap();
                thief.header_keys.push(*chain.header_key.expose());
                thief.header_keys.push(*chain.next_header_key.expose());
                thief
                    .chain_keys
                    .push((*chain.chain_keys.classical.expose(), chain.number));
            }
            Turn::Ours {
                root,
                next_header_key,
                ..
            } => {
                thief.roots.push(*root.expose());
                thief.header_keys.push(*next_header_key.expose());
            }
            Turn::Ended => panic!("the state sends"),
        }
        if let Some(chain) = &stolen.receiving {
            thief.header_keys.push(*chain.header_key.expose());
            thief
                .chain_keys
                .push((*chain.chain_keys.classical.expose(), chain.number));
            let keys = chain.keys.iter().map(|stored| *stored.key.expose());
            thief.message_keys.extend(keys);
        }
        for chain in &stolen.closed {
            thief.header_keys.push(*chain.header_key.expose());
            let keys = chain.keys.iter().map(|stored| *stored.key.expose());
            thief.message_keys.extend(keys);
        }
        thief
    }

    /// The post-quantum half of both sides, as it is now.
    fn tell(&mut self, pair: &Pair) {
        for conversation in [&pair.at_alice, &pair.at_bob] {
            let ratchet = ratchet(conversation);
            let Quantum::Whole { own, peer, .. } = &ratchet.quantum else {
                panic!("the state sends");
            };
            for seed in own.iter().chain(peer.iter()) {
                let first = *HmacKey::new(seed.expose()).mac(&[&[1]]).expose();
                self.quantum_keys.push((first, 0));
            }
            if let Turn::Theirs {
                sending: Some(chain),
                ..
            } = &ratchet.turn
            {
                let key = *chain.chain_keys.quantum.expose();
                self.quantum_keys.push((key, chain.number));
            }
        }
        self.quantum_keys.sort_unstable();
        self.quantum_keys.dedup();
    }

    fn alice_says(&mut self, pair: &mut Pair, text: &[u8]) -> Sees {
        self.tell(pair);
        let message = pair.alice_says(text);
        self.tell(pair);
        self.look(&message)
    }

    fn bob_says(&mut self, pair: &mut Pair, text: &[u8]) -> (Vec<u8>, Sees) {
        self.tell(pair);
        let message = pair.bob_says(text);
        self.tell(pair);
        let sees = self.look(&message);
        (message, sees)
    }

    /// Whether `classical` is the `CK` of this very message.
    fn reads(&self, taken: &Taken<'_>, header: &TakenHeader, classical: [u8; 32]) -> bool {
        self.quantum_keys
            .iter()
            .filter(|(_, first)| *first <= header.number)
            .any(|(key, first)| {
                let quantum = chain_key(*key, header.number - first);
                let key = message_key(&[classical, quantum], 0);
                taken.body(header, &key).is_some()
            })
    }

    fn look(&mut self, message: &[u8]) -> Sees {
        let taken = Taken::new(message, self.session_id);
        let Some(header) = self.header_keys.iter().find_map(|key| taken.header(key)) else {
            return Sees::Nothing;
        };
        if !self.publics.contains(&header.public) {
            self.publics.push(header.public);
        }
        let mut chains = self
            .chain_keys
            .iter()
            .filter(|(_, first)| *first <= header.number)
            .map(|(key, first)| chain_key(*key, header.number - first));
        let mut stored = self.message_keys.iter();
        if stored.any(|key| taken.body(&header, key).is_some())
            || chains.any(|key| self.reads(&taken, &header, key))
        {
            return Sees::Text;
        }
        // A step of each root key with each private key that it has and each public key that it has seen.
        for root in &self.roots {
            for secret in &self.secrets {
                for public in &self.publics {
                    let Ok(shared) = secret.agree(public) else {
                        continue;
                    };
                    let step = root_key(root).step(&shared);
                    let first = *step.chain_key.expose();
                    if self.reads(&taken, &header, chain_key(first, header.number)) {
                        self.roots.push(*step.root.expose());
                        self.header_keys.push(*step.next_header_key.expose());
                        self.chain_keys.push((first, 0));
                        return Sees::Text;
                    }
                }
            }
        }
        Sees::Header
    }
}

/// One half of a chain's keys, `ahead` steps on.
fn chain_key(mut key: [u8; 32], ahead: u32) -> [u8; 32] {
    for _ in 0..ahead {
        key = *HmacKey::new(&key).mac(&[&[2]]).expose();
    }
    key
}

/// A state stolen from Alice while she waits for an answer.
///
/// The thief reads the rest of Alice's chain, the rest of Bob's chain, and the chain in which Bob answers. It is healed
/// by **Alice's next ratchet turn**: the first message that she seals after she has read that answer begins a chain
/// with a key drawn after the theft, and from that message on the thief reads none of hers. Bob's chain stays readable
/// until he has read one message of Alice's new chain and answers: nothing of that answer or of anything later is
/// read, in either direction. Headers (ratchet keys and counters, no text) stay visible for these two healing chains,
/// one of each side, and no longer: the chains after them have header keys that the thief cannot make.
#[test]
fn attack_r19_thief_of_a_state_that_waits() {
    let mut pair = pair(1_100);
    let early = pair.alice_says(b"before the theft");
    pair.bob_says(b"before the theft");
    let present = pair.alice_says(b"before the theft");
    let mut thief = Thief::new(&pair.at_alice);
    let mut twin = copy(&pair.at_alice);
    assert!(matches!(ratchet(&twin).turn, Turn::Theirs { .. }));

    // What was said before: the keys are gone, but for the header key of the present chain.
    assert_eq!(thief.look(&early), Sees::Nothing);
    assert_eq!(thief.look(&present), Sees::Header);
    // Alice goes on in her chain: read.
    for _ in 0..3 {
        assert_eq!(thief.alice_says(&mut pair, b"same chain"), Sees::Text);
    }
    // Bob answers to the stolen key: read, by the twin as well, which is a whole copy of Alice.
    for _ in 0..3 {
        let (message, sees) = thief.bob_says(&mut pair, b"to the stolen key");
        assert_eq!(sees, Sees::Text);
        assert_eq!(read(&mut twin, &message), b"to the stolen key");
    }
    heals(&mut pair, &mut thief, &mut twin);
}

/// A state stolen from Alice when the next chain is hers to begin.
///
/// The thief reads what is left of Bob's chain. It is healed by **Alice's next message**: that one begins a chain with
/// a key drawn after the theft. For Bob's side the healing is, as ever, his first message after he has read that one.
#[test]
fn attack_r19_thief_of_a_state_whose_turn_it_is() {
    let mut pair = pair(1_110);
    pair.alice_says(b"text");
    pair.bob_says(b"text");
    let mut thief = Thief::new(&pair.at_alice);
    let mut twin = copy(&pair.at_alice);
    assert!(matches!(ratchet(&twin).turn, Turn::Ours { .. }));
    for _ in 0..3 {
        let (message, sees) = thief.bob_says(&mut pair, b"rest of the chain");
        assert_eq!(sees, Sees::Text);
        assert_eq!(read(&mut twin, &message), b"rest of the chain");
    }
    heals(&mut pair, &mut thief, &mut twin);
}

/// Alice's turn, and everything after it.
#[track_caller]
fn heals(pair: &mut Pair, thief: &mut Thief, twin: &mut Conversation) {
    assert!(matches!(ratchet(&pair.at_alice).turn, Turn::Ours { .. }));
    // Alice's healing chain: headers only.
    thief.tell(pair);
    let healing = pair.alice.seal(&mut pair.at_alice, b"healing");
    thief.tell(pair);
    assert_eq!(thief.look(&healing), Sees::Header);
    // Bob has not read it yet: his chain is still the old one.
    let (message, sees) = thief.bob_says(pair, b"not yet healed");
    assert_eq!(sees, Sees::Text);
    assert_eq!(read(twin, &message), b"not yet healed");
    assert_eq!(read(&mut pair.at_bob, &healing), b"healing");
    assert_eq!(thief.alice_says(pair, b"healing"), Sees::Header);
    // Bob's healing chain: headers only; the twin is told that it is the copy.
    for _ in 0..3 {
        let (message, sees) = thief.bob_says(pair, b"healed");
        assert_eq!(sees, Sees::Header);
        assert_eq!(refused(twin, &message), Error::Forked);
    }
    // From then on: nothing at all.
    for _ in 0..5 {
        assert_eq!(thief.alice_says(pair, b"healed"), Sees::Nothing);
        assert_eq!(thief.alice_says(pair, b"healed"), Sees::Nothing);
        let (message, sees) = thief.bob_says(pair, b"healed");
        assert_eq!(sees, Sees::Nothing);
        assert_eq!(refused(twin, &message), Error::NoSession);
    }
}

/// A conversation begun anew is healed at once: no key of the old state helps.
#[test]
fn attack_r19_beginning_anew_heals_at_once() {
    let mut pair = pair(1_120);
    let mut thief = Thief::new(&pair.at_alice);
    let mut twin = copy(&pair.at_alice);
    pair.alice.begin(&mut pair.at_alice, &mut pair.bob, NOW);
    let first = pair.alice.seal(&mut pair.at_alice, b"anew");
    assert_eq!(refused(&mut twin, &first), Error::NoSession);
    pair.bob.accept_into(&mut pair.at_bob, &first, NOW).unwrap();
    thief.session_id = ratchet(&pair.at_alice).session_id;
    for _ in 0..3 {
        let (message, sees) = thief.bob_says(&mut pair, b"healed");
        assert_eq!(sees, Sees::Nothing);
        assert_eq!(refused(&mut twin, &message), Error::NoSession);
        assert_eq!(thief.alice_says(&mut pair, b"healed"), Sees::Nothing);
    }
}

/// The thief also writes in Alice's name. Whoever of the two comes first is read; the other one is told apart, and
/// Alice cannot be talked into the thief's chain.
#[test]
fn attack_r19_active_thief() {
    let mut pair = pair(1_130);
    let mut twin = copy(&pair.at_alice);
    let mut rng = SeededRng(9);
    let forged = twin
        .seal(&pair.alice.identity, b"by the thief", NOW, &mut rng)
        .unwrap();
    assert_eq!(read(&mut pair.at_bob, &forged), b"by the thief");
    let genuine = pair.alice.seal(&mut pair.at_alice, b"by Alice");
    assert_eq!(refused(&mut pair.at_bob, &genuine), Error::Forked);
    let to_the_thief = pair.bob.seal(&mut pair.at_bob, b"to the thief");
    assert_eq!(read(&mut twin, &to_the_thief), b"to the thief");
    assert_eq!(refused(&mut pair.at_alice, &to_the_thief), Error::Forked);
    // Both are advised to begin anew; the new state outranks, and the thief is out.
    pair.alice.begin(&mut pair.at_alice, &mut pair.bob, NOW);
    let first = pair.alice.seal(&mut pair.at_alice, b"anew");
    pair.bob.accept_into(&mut pair.at_bob, &first, NOW).unwrap();
    let answer = pair.bob_says(b"healed");
    assert_eq!(refused(&mut twin, &answer), Error::NoSession);
    // What the thief still sends arrives in an old state, and says so.
    let forged = twin
        .seal(&pair.alice.identity, b"again", NOW, &mut rng)
        .unwrap();
    let opened = open_at(&mut pair.at_bob, &forged, NOW).unwrap();
    assert!(opened.old_state);
}

//! Two devices, a forger who has a conversation's sending keys, and what a test asks of a state.

use std::convert::Infallible;
use std::vec;
use std::vec::Vec;

use crate::agreement::{Bundle, Prekeys, VerifiedBundle};
use crate::crypto::aead::Aes256Gcm;
use crate::crypto::dh::{DhKeyPair, DhPublic};
use crate::crypto::hash::{expand, sha256};
use crate::crypto::{Secret, TryCryptoRng, TryRng, labels};
use crate::identity::{Address, DeviceIdentity};
use crate::ratchet::{ChainKey, ChainKeys, Quantum, Ratchet, RootKey, SendingChain, Turn};
use crate::session::conversation::{Origin, Standing};
use crate::session::{Conversation, Error, Incoming, Opened, StagedFirst, stored};
use crate::wire::Writer;

/// Unix milliseconds at which tests begin: 2026-01-01.
pub const NOW: u64 = 1_767_225_600_000;
pub const DAY: u64 = 24 * 60 * 60 * 1000;

/// SplitMix64.
#[derive(Clone)]
pub struct SeededRng(pub u64);

impl SeededRng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let Ok(()) = self.try_fill_bytes(&mut bytes);
        bytes
    }
}

impl TryRng for SeededRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for SeededRng {}

/// A generator that has died without a word: the same bytes for ever.
pub struct Stuck;

impl TryRng for Stuck {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Stuck {}

pub struct Device {
    pub identity: DeviceIdentity,
    pub prekeys: Prekeys,
    pub rng: SeededRng,
}

impl Device {
    pub fn new(name: &str, seed: u64) -> Self {
        let mut rng = SeededRng(seed);
        let address = Address::new(name.as_bytes()).unwrap();
        let identity = DeviceIdentity::generate(address, &mut rng).unwrap();
        let prekeys = Prekeys::generate(&identity, NOW, &mut rng).unwrap();
        Self {
            identity,
            prekeys,
            rng,
        }
    }

    pub fn bundle(&mut self, now: u64) -> VerifiedBundle {
        let bundles = self
            .prekeys
            .replenish(&self.identity, 1, now, &mut self.rng)
            .unwrap();
        Bundle::parse(&bundles[0]).unwrap().verify(now).unwrap()
    }

    pub fn last_resort_bundle(&self, now: u64) -> VerifiedBundle {
        let bundle = self.prekeys.last_resort_bundle(&self.identity).unwrap();
        Bundle::parse(&bundle).unwrap().verify(now).unwrap()
    }

    /// A conversation with `peer`, in which nothing was said.
    pub fn pin(&self, peer: &Self) -> Conversation {
        let _ = self;
        Conversation::new(*peer.identity.public())
    }

    pub fn begin(&mut self, conversation: &mut Conversation, peer: &mut Self, now: u64) {
        let bundle = peer.bundle(now);
        conversation
            .begin(&self.identity, &bundle, now, &mut self.rng)
            .unwrap();
    }

    #[track_caller]
    pub fn seal(&mut self, conversation: &mut Conversation, text: &[u8]) -> Vec<u8> {
        self.try_seal(conversation, text, NOW).unwrap()
    }

    pub fn try_seal(
        &mut self,
        conversation: &mut Conversation,
        text: &[u8],
        now: u64,
    ) -> Result<Vec<u8>, Error> {
        conversation.seal(&self.identity, text, now, &mut self.rng)
    }

    /// Stages a first message.
    pub fn stage(&self, message: &[u8], now: u64) -> Result<StagedFirst, Error> {
        let incoming = Incoming::parse(message)?;
        StagedFirst::stage(&incoming, &self.identity, &self.prekeys, now)
    }

    /// Stages a first message and accepts it into `conversation`.
    pub fn accept_into(
        &mut self,
        conversation: &mut Conversation,
        message: &[u8],
        now: u64,
    ) -> Result<Opened, Error> {
        self.stage(message, now)?
            .accept(conversation, &mut self.prekeys, now)
    }
}

/// Two devices that have answered each other once. Alice is in [`Turn::Ours`], Bob in [`Turn::Theirs`].
pub struct Pair {
    pub alice: Device,
    pub at_alice: Conversation,
    pub bob: Device,
    pub at_bob: Conversation,
}

pub fn pair(seed: u64) -> Pair {
    let mut alice = Device::new("alice", seed);
    let mut bob = Device::new("bob", seed + 1);
    let mut at_alice = alice.pin(&bob);
    let mut at_bob = bob.pin(&alice);
    alice.begin(&mut at_alice, &mut bob, NOW);
    let first = alice.seal(&mut at_alice, b"hello");
    bob.accept_into(&mut at_bob, &first, NOW).unwrap();
    let answer = bob.seal(&mut at_bob, b"hi");
    assert_eq!(read(&mut at_alice, &answer), b"hi");
    Pair {
        alice,
        at_alice,
        bob,
        at_bob,
    }
}

impl Pair {
    /// Alice sends, Bob reads: now Alice is in [`Turn::Theirs`], Bob in [`Turn::Ours`].
    #[track_caller]
    pub fn alice_says(&mut self, text: &[u8]) -> Vec<u8> {
        let message = self.alice.seal(&mut self.at_alice, text);
        assert_eq!(read(&mut self.at_bob, &message), text);
        message
    }

    #[track_caller]
    pub fn bob_says(&mut self, text: &[u8]) -> Vec<u8> {
        let message = self.bob.seal(&mut self.at_bob, text);
        assert_eq!(read(&mut self.at_alice, &message), text);
        message
    }
}

pub fn open_at(conversation: &mut Conversation, message: &[u8], now: u64) -> Result<Opened, Error> {
    conversation.open(&Incoming::parse(message)?, now)
}

/// The text of a message that must open, with nothing to say about it.
#[track_caller]
pub fn read(conversation: &mut Conversation, message: &[u8]) -> Vec<u8> {
    let opened = open_at(conversation, message, NOW).unwrap();
    assert!(!opened.forked && !opened.gap_dropped && !opened.pq_broken && !opened.old_state);
    opened.text
}

/// The error of a message that must not open, and that must leave no trace.
#[track_caller]
pub fn refused(conversation: &mut Conversation, message: &[u8]) -> Error {
    refused_at(conversation, message, NOW)
}

#[track_caller]
pub fn refused_at(conversation: &mut Conversation, message: &[u8], now: u64) -> Error {
    let before = encoding(conversation);
    let error = open_at(conversation, message, now).expect_err("the message was opened");
    assert!(encoding(conversation) == before, "the state changed");
    error
}

/// The plaintext encoding.
pub fn encoding<T: stored::Stored>(value: &T) -> Vec<u8> {
    stored::encode(value).unwrap().to_vec()
}

/// A second instance of the same state, through its encoding.
pub fn copy<T: stored::Stored>(value: &T) -> T {
    stored::decode(&encoding(value)).unwrap()
}

/// Whether `needle` is part of `haystack`.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// The ratchet of the state with the highest rank.
pub fn ratchet(conversation: &Conversation) -> &Ratchet {
    &conversation.states.last().unwrap().ratchet
}

pub fn ratchet_mut(conversation: &mut Conversation) -> &mut Ratchet {
    &mut conversation.states.last_mut().unwrap().ratchet
}

pub fn sending(conversation: &Conversation) -> &SendingChain {
    match &ratchet(conversation).turn {
        Turn::Theirs {
            sending: Some(chain),
            ..
        } => chain,
        _ => panic!("no sending chain"),
    }
}

pub fn sending_mut(conversation: &mut Conversation) -> &mut SendingChain {
    match &mut ratchet_mut(conversation).turn {
        Turn::Theirs {
            sending: Some(chain),
            ..
        } => chain,
        _ => panic!("no sending chain"),
    }
}

/// The session ids of the states that send.
pub fn sending_sessions(conversation: &Conversation) -> Vec<[u8; 32]> {
    conversation
        .states
        .iter()
        .filter(|state| matches!(state.standing, Standing::Sending))
        .map(|state| state.ratchet.session_id)
        .collect()
}

/// The sender throws away the keys of its next `count` messages.
pub fn jump(conversation: &mut Conversation, count: u32) {
    let chain = sending_mut(conversation);
    for _ in 0..count {
        chain.chain_keys = chain.chain_keys.step().1;
    }
    chain.number += count;
}

/// `vec(text)`, a frame of the Braid that says nothing, and zeros up to `length`.
pub fn padded(text: &[u8], length: usize) -> Vec<u8> {
    framed(text, &[0], length)
}

/// `vec(text)`, `frame`, and zeros up to `length`.
pub fn framed(text: &[u8], frame: &[u8], length: usize) -> Vec<u8> {
    assert!(text.len() < 64);
    let mut body = vec![text.len() as u8];
    body.extend_from_slice(text);
    body.extend_from_slice(frame);
    assert!(body.len() <= length);
    body.resize(length, 0);
    body
}

/// `CK` and `PCK`.
pub type Halves = [[u8; 32]; 2];

pub fn halves(keys: &ChainKeys) -> Halves {
    [*keys.classical.expose(), *keys.quantum.expose()]
}

/// The Braid's stored form taken apart (SPEC §12.4).
pub struct BraidView {
    pub state: u8,
    pub epoch: u32,
    /// PQROOT, AR, AM; nothing in Broken.
    pub roots: Vec<[u8; 32]>,
    /// The whole of it.
    pub stored: usize,
    /// What only this state has.
    pub fields: Vec<u8>,
}

impl BraidView {
    /// What no one may have later: PQROOT, AR and AM; the seed of a key pair, or m.
    pub fn secrets(&self) -> Vec<[u8; 32]> {
        let drawn = match self.state {
            1..=4 => &self.fields[..64],
            7 | 9 => &self.fields[64..96],
            _ => &[],
        };
        [self.roots.as_slice(), drawn.as_chunks().0].concat()
    }
}

pub fn braid(conversation: &Conversation) -> BraidView {
    braid_of(ratchet(conversation))
}

pub fn braid_of(ratchet: &Ratchet) -> BraidView {
    let Quantum::Whole { braid, .. } = &ratchet.quantum else {
        panic!("not a sender");
    };
    let mut writer = Writer::new();
    braid.write(&mut writer).unwrap();
    let bytes = writer.into_bytes();
    let (head, rest) = bytes.split_at(5);
    let (roots, rest) = rest.split_at(rest.len().min(96));
    // One flag between: whether the last message found no room.
    let fields = rest.get(1..).unwrap_or_default();
    BraidView {
        state: head[0],
        epoch: u32::from_be_bytes(head[1..].try_into().unwrap()),
        roots: roots.as_chunks().0.to_vec(),
        stored: bytes.len(),
        fields: fields.to_vec(),
    }
}

fn joined([classical, quantum]: &Halves) -> ChainKeys {
    ChainKeys {
        classical: ChainKey::new(Secret::new(*classical)),
        quantum: ChainKey::new(Secret::new(*quantum)),
    }
}

/// A message made by hand from keys that only the two sides have.
#[derive(Clone)]
pub struct Forge {
    pub prefix: Vec<u8>,
    pub session_id: [u8; 32],
    pub header_key: [u8; 32],
    pub message_key: [u8; 32],
    pub public: [u8; 32],
    pub number: u32,
    pub previous_count: u32,
    pub epoch: u32,
    pub salt: [u8; 16],
    /// Padded.
    pub body: Vec<u8>,
}

impl Forge {
    /// What the sender would seal after `ahead` more messages of its present chain.
    pub fn ahead(conversation: &Conversation, ahead: u32) -> Self {
        let state = conversation.states.last().unwrap();
        let Turn::Theirs {
            own,
            sending: Some(chain),
            ..
        } = &state.ratchet.turn
        else {
            panic!("no sending chain");
        };
        let prefix = match &state.origin {
            Origin::Initiator {
                unanswered: Some(unanswered),
            } => unanswered.prefix.to_vec(),
            _ => vec![1, 2],
        };
        Self {
            prefix,
            session_id: state.ratchet.session_id,
            header_key: *chain.header_key.expose(),
            message_key: message_key(&halves(&chain.chain_keys), ahead),
            public: *own.public().as_bytes(),
            number: chain.number + ahead,
            previous_count: chain.previous_count,
            epoch: chain.epoch,
            salt: [0x5a; 16],
            body: padded(b"forged", 192),
        }
    }

    /// The present message of the sender.
    pub fn next(conversation: &Conversation) -> Self {
        Self::ahead(conversation, 0)
    }

    /// A new chain of a sender whose turn it is, with the private key `secret`: message 0, and the chain's keys.
    pub fn new_chain(conversation: &Conversation, secret: [u8; 32]) -> (Self, Halves) {
        let ratchet = ratchet(conversation);
        let Turn::Ours {
            root,
            next_header_key,
            previous_count,
        } = &ratchet.turn
        else {
            panic!("not the sender's turn");
        };
        let own = DhKeyPair::from_secret(Secret::new(secret));
        let step = root.step(&own.agree(&ratchet.peer_public).unwrap());
        let Quantum::Whole {
            own: seeds, braid, ..
        } = &ratchet.quantum
        else {
            panic!("not a sender");
        };
        let (quantum, _) = seeds.open(braid.chain_epoch()).unwrap();
        let keys = [*step.chain_key.expose(), *quantum.expose()];
        let forge = Self {
            prefix: vec![1, 2],
            session_id: ratchet.session_id,
            header_key: *next_header_key.expose(),
            message_key: message_key(&keys, 0),
            public: *own.public().as_bytes(),
            number: 0,
            previous_count: *previous_count,
            epoch: braid.chain_epoch(),
            salt: [0x5a; 16],
            body: padded(b"forged", 192),
        };
        (forge, keys)
    }

    pub fn header(&self) -> [u8; 44] {
        [
            &self.public[..],
            &self.number.to_be_bytes(),
            &self.previous_count.to_be_bytes(),
            &self.epoch.to_be_bytes(),
        ]
        .concat()
        .try_into()
        .unwrap()
    }

    /// Sealed as SPEC §9.3 has it.
    pub fn seal(&self) -> Vec<u8> {
        let envelope = &self.prefix[..2];
        let header = self.header();
        let associated = [&self.session_id, envelope, &self.salt, &header].concat();
        let (key, nonce) = key_nonce(&self.message_key, labels::BODY, &self.salt);
        let mut body = self.body.clone();
        let tag = Aes256Gcm::seal(&key, &nonce, &associated, &mut body).unwrap();
        body.extend_from_slice(&tag);

        let name: Secret<8> = expand(&self.header_key, &[labels::TAG]);
        let associated = [
            &self.session_id,
            envelope,
            name.expose(),
            &self.salt,
            &sha256(&[&body]),
        ]
        .concat();
        let (key, nonce) = key_nonce(&self.header_key, labels::HEAD, &self.salt);
        let mut encrypted = header;
        let tag = Aes256Gcm::seal(&key, &nonce, &associated, &mut encrypted).unwrap();
        [
            &self.prefix,
            &name.expose()[..],
            &self.salt,
            &encrypted,
            &tag,
            &body,
        ]
        .concat()
    }
}

/// The keys of a chain one message on.
pub fn next_halves(keys: &Halves) -> Halves {
    halves(&joined(keys).step().1)
}

/// The message key `ahead` steps behind the keys of a chain.
pub fn message_key(keys: &Halves, ahead: u32) -> [u8; 32] {
    let mut keys = joined(keys);
    for _ in 0..ahead {
        keys = keys.step().1;
    }
    *keys.step().0.expose()
}

fn key_nonce(key: &[u8; 32], label: &[u8], salt: &[u8]) -> ([u8; 32], [u8; 12]) {
    let okm: Secret<44> = expand(key, &[label, salt]);
    let (key, nonce) = okm.expose().split_at(32);
    (key.try_into().unwrap(), nonce.try_into().unwrap())
}

/// An ordinary message taken apart by somebody who tries keys.
pub struct Taken<'a> {
    message: &'a [u8],
    frame: &'a [u8],
    session_id: [u8; 32],
}

/// What a header says.
#[derive(Clone, Copy)]
pub struct TakenHeader {
    bytes: [u8; 44],
    pub public: DhPublic,
    pub number: u32,
    pub epoch: u32,
}

impl<'a> Taken<'a> {
    pub fn new(message: &'a [u8], session_id: [u8; 32]) -> Self {
        assert_eq!(message[1], 2, "an ordinary message");
        Self {
            message,
            frame: &message[2..],
            session_id,
        }
    }

    pub fn header(&self, header_key: &[u8; 32]) -> Option<TakenHeader> {
        let (tag, salt, body) = (&self.frame[..8], &self.frame[8..24], &self.frame[84..]);
        let associated = [
            &self.session_id,
            &self.message[..2],
            tag,
            salt,
            &sha256(&[body]),
        ]
        .concat();
        let (key, nonce) = key_nonce(header_key, labels::HEAD, salt);
        let mut bytes: [u8; 44] = self.frame[24..68].try_into().unwrap();
        let tag = self.frame[68..84].try_into().unwrap();
        Aes256Gcm::open(&key, &nonce, &associated, &mut bytes, tag).ok()?;
        Some(TakenHeader {
            bytes,
            public: DhPublic::from_bytes(bytes[..32].try_into().unwrap()).unwrap(),
            number: u32::from_be_bytes(bytes[32..36].try_into().unwrap()),
            epoch: u32::from_be_bytes(bytes[40..].try_into().unwrap()),
        })
    }

    /// The padded text.
    pub fn body(&self, header: &TakenHeader, message_key: &[u8; 32]) -> Option<Vec<u8>> {
        let salt = &self.frame[8..24];
        let associated = [
            &self.session_id,
            &self.message[..2],
            salt,
            &header.bytes[..],
        ]
        .concat();
        let (key, nonce) = key_nonce(message_key, labels::BODY, salt);
        let (text, tag) = self.frame[84..].split_last_chunk::<16>().unwrap();
        let mut text = text.to_vec();
        Aes256Gcm::open(&key, &nonce, &associated, &mut text, tag).ok()?;
        Some(text)
    }
}

/// A root key that a thief has.
pub fn root_key(bytes: &[u8; 32]) -> RootKey {
    RootKey::new(Secret::new(*bytes))
}

//! Target `hostile_peer`: a peer that has all keys of the conversation, and says with them what it likes.
//!
//! The peer is the library itself: it seals a message, and from its stored state before and after come the keys of that
//! message. Under these keys others are made, with any header and any content, and the honest side gets them.

use subrosa::agreement::PREFIX;
use subrosa::crypto::Secret;
use subrosa::crypto::aead::Aes256Gcm;
use subrosa::crypto::dh::{DhKeyPair, DhPublic};
use subrosa::crypto::hash::{HmacKey, sha256};
use subrosa::envelope::Kind;
use subrosa::hazmat::{self, MessageParts, braid};
use subrosa::padding::padded_length;
use subrosa::wire::{Reader, Writer};
use subrosa::{Conversation, Error, Incoming, StagedFirst};

use super::common::{Device, NOW, pair};
use super::script::Script;

/// Steps of one input.
const STEPS: usize = 24;
/// Steps of a chain that one input may take, all together: enough to pass the limit of a gap once.
const CHAIN_STEPS: u32 = 2_100;
/// SPEC §13: what a conversation takes, exported, whatever arrives; 76 bytes of it are the container.
const CEILING: usize = 96_000 - 76;

/// The turn of a stored state (SPEC §12.4).
enum Turn {
    Theirs {
        secret: [u8; 32],
        public: [u8; 32],
        chain: [u8; 32],
        quantum_chain: [u8; 32],
        header_key: [u8; 32],
        epoch: u32,
        number: u32,
        previous_count: u32,
    },
    Ours {
        root: [u8; 32],
        next_header_key: [u8; 32],
    },
}

/// The front of the only state of a conversation, as it is stored (SPEC §12.4, §12.5).
struct Stored {
    session_id: [u8; 32],
    peer_key: [u8; 32],
    turn: Turn,
    /// Of our own direction, up to `last`.
    seeds: Vec<[u8; 32]>,
    last: u32,
}

impl Stored {
    /// `None` for a conversation that has not one state alone, or one that does not send.
    fn read(plaintext: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(plaintext);
        reader.vector(47).ok()?;
        reader.take(64).ok()?;
        reader.take(8).ok()?;
        if reader.vector_length().ok()? != 1 {
            return None;
        }
        reader.take(8).ok()?;
        match reader.u8().ok()? {
            0 => reader.take(8 + PREFIX).ok()?,
            1 => &[],
            _ => reader.take(32).ok()?,
        };
        if reader.u8().ok()? != 0 {
            return None;
        }
        let session_id = *reader.array().ok()?;
        let peer_key = *reader.array().ok()?;
        reader.take(32).ok()?;
        let turn = match reader.u8().ok()? {
            0 => {
                let secret = *reader.array().ok()?;
                let public = *reader.array().ok()?;
                reader.take(32).ok()?;
                if !reader.flag().ok()? {
                    return None;
                }
                let header_key = *reader.array().ok()?;
                reader.take(32).ok()?;
                Turn::Theirs {
                    secret,
                    public,
                    header_key,
                    chain: *reader.array().ok()?,
                    quantum_chain: *reader.array().ok()?,
                    epoch: reader.u32().ok()?,
                    number: reader.u32().ok()?,
                    previous_count: reader.u32().ok()?,
                }
            }
            _ => {
                let root = *reader.array().ok()?;
                let next_header_key = *reader.array().ok()?;
                reader.take(4).ok()?;
                Turn::Ours {
                    root,
                    next_header_key,
                }
            }
        };
        let last = reader.u32().ok()?;
        let theirs = reader.vector_length().ok()?;
        reader.take(32 * theirs).ok()?;
        let own = reader.vector_length().ok()?;
        let seeds = (0..own).map(|_| reader.array().copied());
        Some(Self {
            session_id,
            peer_key,
            turn,
            seeds: seeds.collect::<Result<_, _>>().ok()?,
            last,
        })
    }
}

/// The keys and the header of one message that the peer has sealed.
struct Keys {
    session_id: [u8; 32],
    header_key: [u8; 32],
    chain: [u8; 32],
    quantum_chain: [u8; 32],
    /// The ratchet key of the header.
    public: [u8; 32],
    number: u32,
    previous_count: u32,
    epoch: u32,
}

impl Keys {
    /// Those of the message that was sealed between two stored states.
    fn of(before: &Stored, after: &Stored) -> Option<Self> {
        let Turn::Theirs {
            secret,
            public,
            header_key,
            epoch,
            number,
            previous_count,
            ..
        } = after.turn
        else {
            return None;
        };
        let (chain, quantum_chain) = match &before.turn {
            Turn::Theirs {
                chain,
                quantum_chain,
                ..
            } => (*chain, *quantum_chain),
            // SPEC §9.2-R3, §10.1-R1: the message has begun a chain.
            Turn::Ours {
                root,
                next_header_key,
            } => {
                assert_eq!(*next_header_key, header_key);
                let own = DhKeyPair::from_secret(Secret::new(secret));
                let dh = own.agree(&DhPublic::from_bytes(&before.peer_key).ok()?);
                let [_, chain, _] = hazmat::root_step(*root, *dh.ok()?.expose());
                let from_last = usize::try_from(before.last.checked_sub(epoch)?).ok()?;
                let at = before.seeds.len().checked_sub(1 + from_last);
                // An epoch that the message itself has taken in has no seed before it.
                let seed = before.seeds.get(at?)?;
                (chain, *HmacKey::new(seed).mac(&[&[1]]).expose())
            }
        };
        Some(Self {
            session_id: after.session_id,
            header_key,
            chain,
            quantum_chain,
            public,
            number: number.checked_sub(1)?,
            previous_count,
            epoch,
        })
    }

    /// The message key that stands `ahead` behind this message's own.
    fn message_key(&self, ahead: u32) -> [u8; 32] {
        let (mut chain, mut quantum) = (self.chain, self.quantum_chain);
        for _ in 0..ahead {
            [_, chain, quantum] = hazmat::chain_step(chain, quantum);
        }
        hazmat::chain_step(chain, quantum)[0]
    }

    /// A message of any header and content, under these keys (SPEC §9.3).
    fn craft(&self, prefix: &[u8], key: [u8; 32], header: &[u8; 44], content: &[u8]) -> Vec<u8> {
        let parts = MessageParts {
            session_id: self.session_id,
            header_key: self.header_key,
            message_key: key,
            ratchet_key: [9; 32],
            number: 0,
            previous_count: 0,
            epoch: 0,
        };
        // For its salt, and the keys that follow from it.
        let frame = braid::FrameParts::default();
        let trace = hazmat::seal_message(&parts, prefix, b"", &frame, 192, [7; 32]).unwrap();
        let envelope = &prefix[..2];
        let (key, nonce) = &trace.body_key;
        let ad = [&self.session_id[..], envelope, &trace.salt, header].concat();
        let mut body = content.to_vec();
        let tag = Aes256Gcm::seal(key, nonce, &ad, &mut body).unwrap();
        body.extend(tag);
        let tag = hazmat::tag(self.header_key);
        let hash = sha256(&[&body]);
        let (key, nonce) = &trace.header_key;
        let ad = [&self.session_id[..], envelope, &tag, &trace.salt, &hash].concat();
        let mut header = *header;
        let header_tag = Aes256Gcm::seal(key, nonce, &ad, &mut header).unwrap();
        [prefix, &tag, &trace.salt, &header, &header_tag, &body].concat()
    }
}

/// The honest side, and the one who is not.
struct Talk {
    victim: Device,
    at_victim: Conversation,
    peer: Device,
    at_peer: Conversation,
    /// Steps of chains that are left.
    chain_steps: u32,
    now: u64,
}

/// Authentic messages of any header and content, from a peer whose own state is altered as well: whatever is refused
/// changes nothing, whatever is read leaves a state that is within its limits, is stored and read back, and can send.
pub fn hostile_peer(data: &[u8]) {
    let mut script = Script::new(data);
    let (alice, at_alice, bob, at_bob) = pair(900);
    let (peer, at_peer, victim, at_victim) = match script.u8() % 2 {
        0 => (alice, at_alice, bob, at_bob),
        _ => (bob, at_bob, alice, at_alice),
    };
    let mut talk = Talk {
        victim,
        at_victim,
        peer,
        at_peer,
        chain_steps: CHAIN_STEPS,
        now: NOW,
    };
    for _ in 0..STEPS {
        if script.is_empty() {
            break;
        }
        talk.now += 1;
        talk.step(&mut script);
    }
    talk.end();
}

impl Talk {
    fn step(&mut self, script: &mut Script<'_>) {
        match script.u8() % 8 {
            // Some honest talk, in which the Braid goes on.
            0 => {
                for _ in 0..=script.below(12) {
                    self.answer();
                    if let Some(message) = self.seal(script) {
                        let _: Result<(), Error> = self.deliver(&message, None);
                    }
                }
            }
            1 => self.answer(),
            // The peer's own state, altered where its encoding allows it.
            2 => self.alter(script),
            3 => self.begin_anew(script.u8()),
            _ => self.forge(script),
        }
    }

    /// The honest side writes; the peer reads it if it can.
    fn answer(&mut self) {
        let Some(message) = self.victim_seals(b"answer") else {
            return;
        };
        let incoming = Incoming::parse(&message).unwrap();
        let opened = self.at_peer.open(&incoming, self.now);
        if opened.is_err() && incoming.first_id().is_some() {
            let staged =
                StagedFirst::stage(&incoming, &self.peer.identity, &self.peer.prekeys, self.now);
            if let Ok(staged) = staged {
                let mut conversation = Conversation::new(*staged.peer());
                let accepted = staged.accept(&mut conversation, &mut self.peer.prekeys, self.now);
                if accepted.is_ok() {
                    self.at_peer = conversation;
                }
            }
        }
    }

    /// The honest side can send, always.
    fn victim_seals(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        assert!(self.at_victim.can_send());
        let Device { identity, rng, .. } = &mut self.victim;
        let before = hazmat::encode(&self.at_victim).unwrap();
        match self.at_victim.seal(identity, text, self.now, rng) {
            Ok(message) => Some(message),
            // Its own agreement is not answered, and its chain is not that long.
            Err(error) => {
                assert_eq!(error, Error::Unanswered);
                assert_eq!(hazmat::encode(&self.at_victim).unwrap(), before);
                None
            }
        }
    }

    fn seal(&mut self, script: &mut Script<'_>) -> Option<Vec<u8>> {
        let text = vec![b'x'; usize::from(script.u8())];
        let Device { identity, rng, .. } = &mut self.peer;
        self.at_peer.seal(identity, &text, self.now, rng).ok()
    }

    /// A message comes to the honest side. With `text` it is expected to be read, if it is, as that text.
    fn deliver(&mut self, message: &[u8], text: Option<&[u8]>) -> Result<(), Error> {
        let incoming = Incoming::parse(message)?;
        let before = hazmat::encode(&self.at_victim).unwrap();
        let mut opened = self.at_victim.open(&incoming, self.now);
        if opened.as_ref().err() == Some(&Error::NoSession) && incoming.first_id().is_some() {
            let Device {
                identity, prekeys, ..
            } = &mut self.victim;
            let held = hazmat::encode(prekeys).unwrap();
            let staged = StagedFirst::stage(&incoming, identity, prekeys, self.now);
            assert_eq!(hazmat::encode(prekeys).unwrap(), held);
            opened = staged.and_then(|staged| {
                assert_eq!(staged.peer(), self.peer.identity.public());
                staged.accept(&mut self.at_victim, prekeys, self.now)
            });
        }
        let after = hazmat::encode(&self.at_victim).unwrap();
        match opened {
            Ok(opened) => assert!(text.is_none_or(|text| text == opened.text)),
            Err(error) => {
                assert_eq!(after, before, "{error:?}");
                assert!(matches!(
                    error,
                    Error::Malformed
                        | Error::Duplicate
                        | Error::ReplayedFirst
                        | Error::NoSession
                        | Error::GapTooLarge
                        | Error::Forked
                        | Error::ChainExhausted
                        | Error::PrekeyGone
                ));
                return Err(error);
            }
        }
        assert!(after.len() < CEILING, "{}", after.len());
        assert!(self.at_victim.tags().count() <= 24);
        let again: Conversation = hazmat::decode(&after).expect("what was written is read");
        assert_eq!(hazmat::encode(&again).unwrap(), after);
        Ok(())
    }

    /// The peer seals a message; in its place go others under the same keys, and then perhaps the genuine one.
    fn forge(&mut self, script: &mut Script<'_>) {
        let Some(before) = Stored::read(&hazmat::encode(&self.at_peer).unwrap()) else {
            return;
        };
        let Some(genuine) = self.seal(script) else {
            return;
        };
        let after = Stored::read(&hazmat::encode(&self.at_peer).unwrap());
        let Some(keys) = after.and_then(|after| Keys::of(&before, &after)) else {
            let _: Result<(), Error> = self.deliver(&genuine, None);
            return;
        };
        let prefix = if genuine[1] == Kind::First.byte() {
            &genuine[..PREFIX]
        } else {
            &genuine[..2]
        };
        for _ in 0..=script.below(3) {
            let ahead = wild(script, 0).min(2_050).min(self.chain_steps);
            self.chain_steps -= ahead;
            let key = keys.message_key(ahead);
            let (header, honest) = self.header(script, &keys, ahead);
            let text = vec![b'w'; usize::from(script.u8())];
            let content = content(script, &text);
            let message = keys.craft(prefix, key, &header, &content.0);
            let opened = self.deliver(&message, content.1.then_some(text.as_slice()));
            if opened.is_err() && honest && content.1 && ahead == 0 {
                // Nothing is wrong with it: the genuine one is not read either.
                let state = hazmat::encode(&self.at_victim).unwrap();
                let mut copy: Conversation = hazmat::decode(&state).unwrap();
                let incoming = Incoming::parse(&genuine).unwrap();
                let genuine = copy.open(&incoming, self.now);
                assert!(genuine.is_err(), "only the forged one: {opened:?}");
            }
        }
        if script.u8().is_multiple_of(2) {
            let _: Result<(), Error> = self.deliver(&genuine, None);
        }
    }

    /// A header, and whether it is the one that belongs to the key.
    fn header(&self, script: &mut Script<'_>, keys: &Keys, ahead: u32) -> ([u8; 44], bool) {
        let number = keys.number.saturating_add(ahead);
        let mut honest = true;
        let mut alter = |script: &mut Script<'_>, value| match script.u8() {
            0..=159 => value,
            _ => {
                honest = false;
                wild(script, value)
            }
        };
        let number = alter(script, number);
        let previous_count = alter(script, keys.previous_count);
        let epoch = alter(script, keys.epoch);
        let public: [u8; 32] = match script.u8() {
            0..=159 => keys.public,
            choice => {
                honest = false;
                match choice % 6 {
                    // The identity, points of small order, the honest side's own keys, any bytes.
                    0 => [0; 32],
                    1 => {
                        let mut one = [0; 32];
                        one[0] = 1;
                        one
                    }
                    2 => *self.victim.identity.public().keys().dh_key().as_bytes(),
                    3 => self.ratchet_keys(0),
                    4 => self.ratchet_keys(1),
                    _ => {
                        let mut bytes = [0; 32];
                        for (to, from) in bytes.iter_mut().zip(script.take(32)) {
                            *to = *from;
                        }
                        bytes
                    }
                }
            }
        };
        let mut writer = Writer::new();
        writer.bytes(&public).u32(number);
        writer.u32(previous_count).u32(epoch);
        let bytes = writer.into_bytes();
        (bytes.try_into().expect("44 bytes"), honest)
    }

    /// The ratchet key that the honest side has of the peer, or its own one.
    fn ratchet_keys(&self, which: u8) -> [u8; 32] {
        let plaintext = hazmat::encode(&self.at_victim).unwrap();
        match Stored::read(&plaintext) {
            Some(Stored { peer_key, .. }) if which == 0 => peer_key,
            Some(Stored {
                turn: Turn::Theirs { public, .. },
                ..
            }) => public,
            _ => [5; 32],
        }
    }

    /// Some bytes of the peer's stored state are others. If it still is one, the peer goes on with it.
    fn alter(&mut self, script: &mut Script<'_>) {
        let mut plaintext = hazmat::encode(&self.at_peer).unwrap();
        for _ in 0..=script.below(4) {
            let at = script.u16() % plaintext.len();
            let new = script.take(1 + at % 4);
            for (to, from) in plaintext[at..].iter_mut().zip(new) {
                *to = *from;
            }
        }
        if let Ok(altered) = hazmat::decode::<Conversation>(&plaintext)
            && altered.peer() == self.at_peer.peer()
        {
            self.at_peer = altered;
        }
    }

    /// The peer begins anew, from a time of its own choice.
    fn begin_anew(&mut self, when: u8) {
        let mut plaintext =
            hazmat::encode(&Conversation::new(*self.victim.identity.public())).unwrap();
        // `last_created_at` and an empty list end an empty conversation.
        let at = plaintext.len() - 9;
        let last = match when % 4 {
            0 => 0,
            1 => self.now - 1,
            2 => self.now + (1 << (when / 8)),
            _ => (1 << 48) - 1 - u64::from(when / 4),
        };
        plaintext[at..at + 8].copy_from_slice(&last.to_be_bytes());
        self.at_peer = hazmat::decode(&plaintext).expect("an empty conversation");
        let bundle = if when < 128 {
            self.victim.bundle(self.now)
        } else {
            self.victim.last_resort_bundle(self.now)
        };
        let Device { identity, rng, .. } = &mut self.peer;
        self.at_peer
            .begin(identity, &bundle, self.now, rng)
            .expect("the bundle is good");
    }

    /// The honest side begins anew with an honest device at the peer's place; only a state of the last possible
    /// `created_at` is in the way (SPEC §16.2).
    fn end(&mut self) {
        self.now += 1;
        let _: Option<Vec<u8>> = self.victim_seals(b"still here");
        let bundle = self.peer.bundle(self.now);
        let Device { identity, rng, .. } = &mut self.victim;
        self.at_victim
            .begin(identity, &bundle, self.now, rng)
            .unwrap();
        let plaintext = hazmat::encode(&self.at_victim).unwrap();
        let at = plaintext.len().min(1 + usize::from(plaintext[0]) + 64);
        let last = Reader::new(&plaintext[at..]).u64().unwrap();
        let message = self.victim_seals(b"begin");
        if last == (1 << 48) - 1 {
            return;
        }
        let message = message.expect("the agreement was just made");
        let (mut conversation, text) = self.peer.accept(&message, self.now);
        assert_eq!(text, b"begin");
        let answer = self.peer.seal(&mut conversation, b"good", self.now);
        self.deliver(&answer, Some(b"good")).unwrap();
        assert!(self.at_victim.is_answered());
    }
}

/// A number near `value`, near a limit, or any.
fn wild(script: &mut Script<'_>, value: u32) -> u32 {
    let near = u32::from(script.u8());
    match near % 16 {
        0..=5 => value,
        6 => value.saturating_add(1),
        7 => value.saturating_sub(1),
        8 => value.saturating_add(near),
        9 => value.saturating_add(1_999 + near / 64),
        10 => (1 << 20) - 2 + near / 64,
        11 => u32::MAX - near / 64,
        12 => near,
        13 => value.saturating_add(2_000 * (near / 64)),
        _ => (script.u16() as u32) << 16 | script.u16() as u32,
    }
}

/// What stands in a body, and whether it is `vec(text)`, a frame and zeros.
fn content(script: &mut Script<'_>, text: &[u8]) -> (Vec<u8>, bool) {
    let mut writer = Writer::new();
    writer.vector(text).expect("a short text");
    let mut bytes = writer.into_bytes();
    let mut honest = true;
    match script.u8() % 4 {
        0 => bytes.push(script.u8() & 0b0001_1000),
        // Symbols of an object that is none, or of one that could be.
        kind @ 1..=2 => {
            let number = 1 + script.u8() % 4;
            let flags = script.u8() & 0b0001_1000;
            let first = if kind == 1 { 0 } else { script.u16() as u16 };
            let count = script.u8().clamp(1, 80);
            let last = u32::from(first) + u32::from(count);
            honest = last <= 1 << 16;
            let fill = script.u8();
            bytes.push(number << 5 | flags);
            bytes.extend(first.to_be_bytes());
            bytes.push(count);
            let object = vec![fill; [96, 1152, 960, 160][usize::from(number) - 1]];
            if honest {
                bytes.extend(braid::symbols(&object, first, count));
            }
        }
        _ => {
            honest = false;
            let length = script.u16() % 300;
            bytes.extend(script.take(length));
        }
    }
    let mut padded = padded_length(bytes.len()).expect("a short content");
    // Longer than need be, or with something in the padding.
    for _ in 0..script.below(3) {
        padded = padded_length(padded + 1).expect("a short content");
    }
    bytes.resize(padded, 0);
    if script.u8() > 223 {
        let at = script.u16() % bytes.len();
        bytes[at] ^= script.u8();
        honest = false;
    }
    (bytes, honest)
}

/// Every step alone, at several points of an honest talk, from both sides.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut rng = super::common::SeededRng(950);
    let mut seeds = vec![Vec::new()];
    let steps: [&[u8]; 11] = [
        &[4, 10, 0],
        &[5, 10, 0, 8, 0, 0, 0, 0, 20, 0, 0],
        &[5, 10, 0, 9, 0, 0, 0, 0, 20, 0, 0],
        &[5, 10, 0, 0, 200, 10, 0, 0, 0, 20, 0, 0],
        &[5, 10, 0, 0, 0, 200, 9, 0, 0, 20, 0, 0],
        &[5, 10, 0, 0, 0, 0, 200, 6, 0, 20, 0, 0],
        &[6, 10, 0, 0, 0, 0, 0, 162, 20, 0, 0],
        &[6, 10, 0, 0, 0, 0, 0, 0, 20, 1, 0, 0, 9, 7],
        &[6, 10, 0, 0, 0, 0, 0, 0, 20, 2, 2, 8, 1, 0, 40, 7],
        &[6, 10, 0, 0, 0, 0, 0, 0, 20, 0, 0, 2, 255, 0, 190, 1],
        &[2, 0, 1, 0, 255, 255, 3, 7, 0, 4],
    ];
    for side in [0, 1] {
        for honest in [0, 9] {
            for step in steps {
                seeds.push([&[side, 0, honest][..], step, step, &[1], step].concat());
            }
        }
        for when in [0, 1, 90, 3, 131] {
            seeds.push([side, 3, when, 4, 10, 0, 1, 4, 10, 1].to_vec());
        }
        for _ in 0..6 {
            let bytes = (0..160).map(|_| rng.below(256) as u8);
            seeds.push([side].into_iter().chain(bytes).collect());
        }
    }
    seeds
}

//! Whether the time of a refusal tells where a forgery differs: `cargo bench -p subrosa --features hazmat --bench rejects`.
//!
//! Two classes of input, drawn at random for each run, are timed one by one and compared by Welch's t, as dudect does
//! (Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?", DATE 2017): over all times, and over the
//! fastest part of them at nine bounds; the largest |t| counts. Below 4.5 is what equal classes give. Nothing is
//! asserted: a busy machine makes noise, and a quiet one proves nothing about others.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/freed_memory/sending.rs"]
mod sending;
#[path = "../tests/freed_memory/stored.rs"]
mod stored;

use std::hint::black_box;
use std::time::Instant;

use common::{APP_KEY, Device, NOW, SLOT, SeededRng, snapshot};
use subrosa::crypto::aead::Aes256Gcm;
use subrosa::crypto::hash::{expand, sha256};
use subrosa::crypto::labels;
use subrosa::{AppKey, Conversation, Incoming, hazmat, import};

/// Times of each class.
const RUNS: usize = 100_000;

/// Above this, classes differ beyond doubt.
const CERTAIN: f64 = 10.0;
/// Below this, nothing is seen.
const NOTHING: f64 = 4.5;

/// Places in a message of the envelope's kind 2 (SPEC §8).
const TAG: usize = 2;
const SALT: usize = TAG + 8;
const HEADER: usize = SALT + 16;
const HEADER_TAG: usize = HEADER + 44;
const BODY: usize = HEADER_TAG + 16;

/// Two inputs of the same length.
type Classes = [Vec<u8>; 2];

fn main() {
    let scene = Scene::new();
    let mut rng = SeededRng(7);
    println!("{RUNS} runs a class; the largest |t| of ten crops\n");
    let mut verdict = |name: &str, classes: Classes, refuse: &mut dyn FnMut(&[u8])| {
        let (t, mean) = compare(&classes, refuse, &mut rng);
        let words = match t.abs() {
            t if t < NOTHING => "no difference seen",
            t if t < CERTAIN => "unclear: run it again on a quiet machine",
            _ => "DIFFERENT",
        };
        println!("{name:<64} {mean:>7.0} ns  |t| {:>8.2}  {words}", t.abs());
    };

    let message = &scene.message;
    let mut at_bob = scene.at_bob();
    let mut refuse = |message: &[u8]| {
        let incoming = Incoming::parse(message).unwrap();
        assert!(at_bob.open(&incoming, NOW).is_err());
    };
    let cases: [(&str, Classes); 6] = [
        (
            "one message twice (nothing to tell apart)",
            [flipped(message, HEADER_TAG), flipped(message, HEADER_TAG)],
        ),
        (
            "a chain's tag that nobody has: first byte, last byte",
            [flipped(message, TAG), flipped(message, TAG + 7)],
        ),
        (
            "a forged tag of the header: first byte, last byte",
            [flipped(message, HEADER_TAG), flipped(message, BODY - 1)],
        ),
        (
            "a forged header: first byte, last byte",
            [flipped(message, HEADER), flipped(message, HEADER_TAG - 1)],
        ),
        (
            "the peer's wrong tag of the body: first byte, last byte",
            [16, 1].map(|from_end| scene.wrong_body_tag(message.len() - from_end)),
        ),
        (
            "the peer's wrong padding: first byte, last byte",
            scene.wrong_paddings(),
        ),
    ];
    for (name, classes) in cases {
        verdict(name, classes, &mut refuse);
    }

    let exported = &scene.exported;
    let key = AppKey::new(APP_KEY);
    let mut refuse =
        |exported: &[u8]| assert!(import::<Conversation>(exported, SLOT, &key).is_err());
    // "SRS1", kind, version and salt are in front of the commitment.
    let cases: [(&str, Classes); 2] = [
        (
            "a stored state's commitment: first byte, last byte",
            [flipped(exported, 40), flipped(exported, 71)],
        ),
        (
            "a stored state's tag: first byte, last byte",
            [16, 1].map(|from_end| flipped(exported, exported.len() - from_end)),
        ),
    ];
    for (name, classes) in cases {
        verdict(name, classes, &mut refuse);
    }

    // What a difference looks like: a comparison that ends at the first byte that differs, beside a refusal.
    let tag = sha256(&[b"tag"]);
    let mut early = |forged: &[u8]| {
        refuse(exported.get(..88).unwrap_or_default());
        let equal = forged.iter().zip(&tag).all(|(a, b)| black_box(a == b));
        assert!(!black_box(equal));
    };
    verdict(
        "planted: 32 bytes compared to the first that differs",
        [flipped(&tag, 0), flipped(&tag, 31)],
        &mut early,
    );
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[at] ^= 1;
    flipped
}

/// Welch's t, the largest of its crops, and the mean in nanoseconds.
fn compare(classes: &Classes, work: &mut dyn FnMut(&[u8]), rng: &mut SeededRng) -> (f64, f64) {
    let mut times = [const { Vec::new() }; 2];
    let mut input = classes[0].clone();
    // The first tenth warms up.
    for run in 0..RUNS * 22 / 10 {
        let class = (rng.next() >> 63) as usize;
        // Both classes lie in the same place.
        input.copy_from_slice(black_box(&classes[class]));
        let start = Instant::now();
        work(black_box(&input));
        let time = start.elapsed().as_nanos() as f64;
        if run >= RUNS * 2 / 10 {
            times[class].push(time);
        }
    }
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let bounds = (1..10).map(|tenth| all[all.len() * tenth / 10]);
    let t = bounds
        .chain([f64::INFINITY])
        .map(|bound| welch(&times, bound))
        .fold(
            0.0,
            |most: f64, t| if t.abs() > most.abs() { t } else { most },
        );
    (t, all.iter().sum::<f64>() / all.len() as f64)
}

/// Of the times up to `bound`.
fn welch(times: &[Vec<f64>; 2], bound: f64) -> f64 {
    let [a, b] = times.each_ref().map(|times| {
        let kept = times.iter().filter(|time| **time <= bound);
        let count = kept.clone().count() as f64;
        let mean = kept.clone().sum::<f64>() / count;
        let squares: f64 = kept.map(|time| (time - mean) * (time - mean)).sum();
        (mean, squares / (count - 1.0) / count)
    });
    let error = (a.1 + b.1).sqrt();
    if error > 0.0 {
        (a.0 - b.0) / error
    } else {
        0.0
    }
}

/// A message that Bob would read, and all that it takes to forge it: what the peer has, and nobody else.
struct Scene {
    bob: Vec<u8>,
    message: Vec<u8>,
    exported: Vec<u8>,
    session_id: [u8; 32],
    header_key: [u8; 32],
    message_key: [u8; 32],
}

impl Scene {
    fn new() -> Self {
        let (mut alice, mut bob) = (Device::new("alice", 1), Device::new("bob", 2));
        let mut at_alice = alice.begin(&mut bob, NOW);
        let first = alice.seal(&mut at_alice, b"hello", NOW);
        let trace = hazmat::respond(&bob.identity, &bob.prekeys, &first, NOW).unwrap();
        let (mut at_bob, _) = bob.accept(&first, NOW);
        let answer = bob.seal(&mut at_bob, b"hi", NOW);
        common::open(&mut at_alice, &answer, NOW).unwrap();
        // A new chain, and so many messages that the Braid leaves the padding to zeros.
        for _ in 0..60 {
            let message = alice.seal(&mut at_alice, &[b'x'; 64], NOW);
            common::open(&mut at_bob, &message, NOW).unwrap();
        }

        let encoded = hazmat::encode(&at_alice).unwrap();
        let [header_key, classical, quantum] = sending::sending_chain(&encoded).unwrap();
        let [message_key, ..] = hazmat::chain_step(classical, quantum);
        let scene = Self {
            bob: hazmat::encode(&at_bob).unwrap(),
            message: alice.seal(&mut at_alice, &[b'x'; 64], NOW),
            exported: snapshot(&at_bob, &bob.identity),
            session_id: trace.values.session_id,
            header_key,
            message_key,
        };
        // What is forged without a fault is read: a refusal is for the fault.
        let body = scene.open_body();
        let honest = scene.with_body(&body);
        assert_eq!(
            common::open(&mut scene.at_bob(), &honest, NOW).unwrap(),
            [b'x'; 64]
        );
        scene
    }

    fn at_bob(&self) -> Conversation {
        hazmat::decode(&self.bob).unwrap()
    }

    fn wrong_body_tag(&self, at: usize) -> Vec<u8> {
        self.with_header(flipped(&self.message, at))
    }

    fn wrong_paddings(&self) -> Classes {
        let body = self.open_body();
        let last = body.len() - 1;
        // Behind the text stands the byte of an empty frame.
        let text_end = body.iter().rposition(|byte| *byte == b'x').unwrap() + 1;
        let padding = text_end + 1;
        assert!(last - padding > 16);
        [padding, last].map(|at| self.with_body(&flipped(&body, at)))
    }

    fn open_body(&self) -> Vec<u8> {
        let (key, nonce) = self.body_key();
        let (text, tag) = self.message[BODY..].split_last_chunk().unwrap();
        let mut text = text.to_vec();
        Aes256Gcm::open(&key, &nonce, &self.body_ad(), &mut text, tag).unwrap();
        text
    }

    /// The message with another padded text.
    fn with_body(&self, body: &[u8]) -> Vec<u8> {
        let (key, nonce) = self.body_key();
        let mut text = body.to_vec();
        let tag = Aes256Gcm::seal(&key, &nonce, &self.body_ad(), &mut text).unwrap();
        self.with_header([&self.message[..BODY], &text, &tag].concat())
    }

    /// The message with a header that fits its body.
    fn with_header(&self, mut message: Vec<u8>) -> Vec<u8> {
        let (key, nonce) = split(&self.header_key, labels::HEAD, self.salt());
        let mut header = self.header();
        let ad = self.header_ad(&message[BODY..]);
        let tag = Aes256Gcm::seal(&key, &nonce, &ad, &mut header).unwrap();
        message[HEADER..HEADER_TAG].copy_from_slice(&header);
        message[HEADER_TAG..BODY].copy_from_slice(&tag);
        message
    }

    fn header(&self) -> Vec<u8> {
        let (key, nonce) = split(&self.header_key, labels::HEAD, self.salt());
        let mut header = self.message[HEADER..HEADER_TAG].to_vec();
        let tag = self.message[HEADER_TAG..BODY].try_into().unwrap();
        let ad = self.header_ad(&self.message[BODY..]);
        Aes256Gcm::open(&key, &nonce, &ad, &mut header, tag).unwrap();
        header
    }

    fn header_ad(&self, body: &[u8]) -> Vec<u8> {
        [&self.session_id, &self.message[..HEADER], &sha256(&[body])].concat()
    }

    fn body_key(&self) -> ([u8; 32], [u8; 12]) {
        split(&self.message_key, labels::BODY, self.salt())
    }

    fn body_ad(&self) -> Vec<u8> {
        [
            &self.session_id,
            &self.message[..TAG],
            self.salt(),
            &self.header(),
        ]
        .concat()
    }

    fn salt(&self) -> &[u8] {
        &self.message[SALT..HEADER]
    }
}

/// The key and nonce of one encryption (SPEC §9.3).
fn split(key: &[u8; 32], label: &[u8], salt: &[u8]) -> ([u8; 32], [u8; 12]) {
    let okm = expand::<44>(key, &[label, salt]);
    let (key, nonce) = okm.expose().split_at(32);
    (key.try_into().unwrap(), nonce.try_into().unwrap())
}

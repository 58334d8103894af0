//! The feature `fast`, held against the crates that compute without it: sealing, opening and refusing, X25519, Ed25519 keys and
//! signatures.
//!
//! A million random inputs of each kind, on all cores, and what it takes (six minutes of CPU time):
//! `cargo test --release --features fast --test fast_backend -- --ignored --nocapture`

mod common;

use std::fmt::Debug;
use std::num::NonZeroU64;
use std::thread;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use common::SeededRng;
use ed25519_dalek::Signer;
use subrosa::crypto::aead::ReadyAes256Gcm;
use subrosa::crypto::dh::{DhKeyPair, DhPublic};
use subrosa::crypto::sign::SigningKey;
use subrosa::crypto::{Error, Secret, TryRng as _};

const MILLION: u64 = 1_000_000;

fn bytes<const N: usize>(rng: &mut SeededRng) -> [u8; N] {
    let mut bytes = [0; N];
    let Ok(()) = rng.try_fill_bytes(&mut bytes);
    bytes
}

/// Whether this machine computes otherwise at all: else nothing is shown.
fn is_compared() -> bool {
    #[cfg(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little")
    ))]
    let supported = graviola::util::is_cpu_supported();
    #[cfg(not(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little")
    )))]
    let supported = false;
    if !supported {
        println!("NOT RUN: on this processor the feature changes nothing");
    }
    supported
}

/// A kind of work: from 96 random bytes to what comes out, once by the library and once by other crates.
struct Work {
    name: &'static str,
    ours: fn(&[u8; 96]) -> Vec<u8>,
    theirs: fn(&[u8; 96]) -> Vec<u8>,
}

const WORKS: [Work; 4] = [
    Work {
        name: "sealed, opened and refused",
        ours: |input| sealed(input, our_gcm),
        theirs: |input| sealed(input, their_gcm),
    },
    Work {
        name: "X25519 public keys",
        ours: |input| our_pair(input).public().as_bytes().to_vec(),
        theirs: |input| {
            let base = x25519_dalek::X25519_BASEPOINT_BYTES;
            x25519_dalek::x25519(part(input, 0), base).to_vec()
        },
    },
    Work {
        name: "X25519 agreements",
        ours: |input| match our_pair(input).agree(&public(input)) {
            Ok(shared) => shared.expose().to_vec(),
            Err(error) => {
                assert_eq!(error, Error::NonContributory);
                vec![0; 32]
            }
        },
        theirs: |input| x25519_dalek::x25519(part(input, 0), *public(input).as_bytes()).to_vec(),
    },
    Work {
        name: "Ed25519 keys and signatures",
        ours: |input| {
            let key = SigningKey::from_seed(&Secret::new(part(input, 0)));
            let signature = key.sign(message(input)).unwrap();
            key.verifying_key()
                .verify(message(input), &signature)
                .unwrap();
            [&key.verifying_key().0[..], &signature.0].concat()
        },
        theirs: |input| {
            let key = ed25519_dalek::SigningKey::from_bytes(&part(input, 0));
            let signature = key.sign(message(input)).to_bytes();
            [&key.verifying_key().to_bytes()[..], &signature].concat()
        },
    },
];

fn part(input: &[u8; 96], number: usize) -> [u8; 32] {
    input[number * 32..][..32].try_into().unwrap()
}

fn our_pair(input: &[u8; 96]) -> DhKeyPair {
    DhKeyPair::from_secret(Secret::new(part(input, 0)))
}

/// About half of them are on the twist of the curve.
fn public(input: &[u8; 96]) -> DhPublic {
    let mut bytes = part(input, 1);
    bytes[31] &= 0x7f;
    // One in 2^250 is p or more.
    DhPublic::from_bytes(&bytes).unwrap()
}

/// Up to 64 bytes.
fn message(input: &[u8; 96]) -> &[u8] {
    &input[32..][..usize::from(input[0]) % 65]
}

type Gcm = fn(&[u8; 32], &[u8; 12], &[u8], &[u8; 16]) -> (Vec<u8>, [u8; 16], Option<Vec<u8>>);

/// The sealed text, its tag, and what comes out when as many bytes are opened under the tag that is given.
fn our_gcm(
    key: &[u8; 32],
    nonce: &[u8; 12],
    text: &[u8],
    tag: &[u8; 16],
) -> (Vec<u8>, [u8; 16], Option<Vec<u8>>) {
    let gcm = ReadyAes256Gcm::new(key);
    let mut sealed = text.to_vec();
    let made = gcm.seal(nonce, &mut sealed).unwrap();
    let mut into = vec![1; text.len()];
    assert_eq!(gcm.seal_into(nonce, text, &mut into), Ok(made));
    assert_eq!(into, sealed);
    let mut opened = text.to_vec();
    let refused = gcm.open(nonce, &mut opened, tag);
    assert_eq!(gcm.open_into(nonce, text, &mut into, tag), refused);
    let given = refused.is_ok().then(|| {
        assert_eq!(into, opened);
        into
    });
    assert!(given.is_some() || opened.iter().all(|byte| *byte == 0));
    (sealed, made, given)
}

fn their_gcm(
    key: &[u8; 32],
    nonce: &[u8; 12],
    text: &[u8],
    tag: &[u8; 16],
) -> (Vec<u8>, [u8; 16], Option<Vec<u8>>) {
    let gcm = Aes256Gcm::new(key.into());
    let [mut sealed, mut opened] = [text.to_vec(), text.to_vec()];
    let made = gcm.encrypt_inout_detached(nonce.into(), b"", sealed.as_mut_slice().into());
    let given =
        gcm.decrypt_inout_detached(nonce.into(), b"", opened.as_mut_slice().into(), tag.into());
    (
        sealed,
        made.unwrap().into(),
        given.is_ok().then_some(opened),
    )
}

/// Seals a text of up to a chunk of a file, opens what was sealed, and tries to open it with one bit changed.
fn sealed(input: &[u8; 96], gcm: Gcm) -> Vec<u8> {
    let (key, nonce) = (part(input, 0), input[32..].first_chunk().unwrap());
    let length = u16::from_le_bytes([input[44], input[45]]) >> 2 >> (input[46] % 11);
    let mut text = vec![0; usize::from(length)];
    let Ok(()) = SeededRng(u64::from(input[47])).try_fill_bytes(&mut text);
    let (sealed, tag, _) = gcm(&key, nonce, &text, &[0; 16]);
    let (_, _, opened) = gcm(&key, nonce, &sealed, &tag);
    assert_eq!(opened, Some(text));
    let (mut altered, mut other) = (sealed.clone(), tag);
    let bit = usize::from(u16::from_le_bytes([input[48], input[49]])) % (sealed.len() * 8 + 128);
    match altered.get_mut(bit / 8) {
        Some(byte) => *byte ^= 1 << (bit % 8),
        None => other[bit / 8 - sealed.len()] ^= 1 << (bit % 8),
    }
    let (_, _, refused) = gcm(&key, nonce, &altered, &other);
    assert_eq!(refused, None);
    [sealed, tag.to_vec()].concat()
}

/// How many results differ, of so many.
fn compare<T: PartialEq + Debug>(
    ours: impl Fn(&[u8; 96]) -> T,
    theirs: impl Fn(&[u8; 96]) -> T,
    count: u64,
    mut rng: SeededRng,
) -> u64 {
    let inputs = (0..count).map(|_| bytes(&mut rng));
    let different = inputs.filter(|input| ours(input) != theirs(input));
    different
        .inspect(|input| println!("differs: {input:02x?}"))
        .count() as u64
}

#[test]
fn the_results_are_the_same() {
    if !is_compared() {
        return;
    }
    for work in &WORKS {
        let different = compare(work.ours, work.theirs, 500, SeededRng(1));
        assert_eq!(different, 0, "{}", work.name);
    }
}

#[test]
#[ignore = "six minutes of CPU time: cargo test --release --features fast --test fast_backend -- --ignored --nocapture"]
fn a_million_results_are_the_same() {
    assert!(is_compared());
    let cores = thread::available_parallelism().map_or(NonZeroU64::MIN, |cores| {
        NonZeroU64::try_from(cores).unwrap_or(NonZeroU64::MIN)
    });
    for work in &WORKS {
        let different: u64 = thread::scope(|scope| {
            let shares: Vec<_> = (0..cores.get())
                .map(|core| {
                    let share = MILLION / cores + u64::from(core < MILLION % cores);
                    let rng = SeededRng(subrosa::os_rng().try_next_u64().unwrap());
                    scope.spawn(move || compare(work.ours, work.theirs, share, rng))
                })
                .collect();
            shares.into_iter().map(|share| share.join().unwrap()).sum()
        });
        println!("{}: {MILLION} random inputs, {different} differ", work.name);
        assert_eq!(different, 0);
    }
}

/// One result in some hundred is wrong by a bit: it is found, in each kind of work.
#[test]
fn the_comparison_finds_what_is_wrong() {
    for work in &WORKS {
        let wrong = |input: &[u8; 96]| {
            let mut result = (work.ours)(input);
            if input[95] == 7 {
                result[usize::from(input[94]) % 16] ^= 1;
            }
            result
        };
        let different = compare(wrong, work.theirs, 1_500, SeededRng(2));
        assert!((1..20).contains(&different), "{}: {different}", work.name);
    }
}

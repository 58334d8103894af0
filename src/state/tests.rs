//! Attacks on the container itself; on what is stored in it: `tests/attacks_state.rs`.

use std::vec::Vec;

use super::*;
use crate::crypto::hash::sha256;

const FORMAT: Format = Format {
    kind: 7,
    version: 3,
};

const SLOT: Slot<'static> = Slot {
    store_key: b"key",
    generation: 5,
};

/// A generator that always gives the same, hedged or not: the context decides.
struct Stuck;

impl Entropy for Stuck {
    fn derive<const N: usize>(
        &mut self,
        purpose: &'static [u8],
        context: &[&[u8]],
    ) -> Result<Secret<N>, crypto::Error> {
        let mut secret = Secret::zero();
        let parts: Vec<&[u8]> = [purpose]
            .into_iter()
            .chain(context.iter().copied())
            .collect();
        secret.expose_mut().copy_from_slice(&sha256(&parts)[..N]);
        Ok(secret)
    }

    fn fresh(&mut self) -> Result<Secret<32>, crypto::Error> {
        Ok(Secret::new([0; 32]))
    }
}

struct Broken;

impl Entropy for Broken {
    fn derive<const N: usize>(
        &mut self,
        _: &'static [u8],
        _: &[&[u8]],
    ) -> Result<Secret<N>, crypto::Error> {
        Err(crypto::Error::Rng)
    }

    fn fresh(&mut self) -> Result<Secret<32>, crypto::Error> {
        Err(crypto::Error::Rng)
    }
}

fn key() -> AppKey {
    AppKey::new([9; 32])
}

fn sealed(plaintext: &[u8]) -> Vec<u8> {
    seal(FORMAT, SLOT, plaintext, &key(), &mut Stuck).unwrap()
}

#[test]
fn attack_s4_every_altered_bit() {
    let genuine = sealed(b"a state");
    assert_eq!(genuine.len(), OVERHEAD + 7);
    for bit in 0..genuine.len() * 8 {
        let mut altered = genuine.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            6 | 7 => Error::UnknownVersion,
            _ => Error::Integrity,
        };
        assert_eq!(
            open(FORMAT, SLOT, &altered, &key()).err(),
            Some(expected),
            "{bit}"
        );
    }
    for length in 0..genuine.len() {
        assert_eq!(
            open(FORMAT, SLOT, &genuine[..length], &key()).err(),
            Some(Error::Integrity),
            "{length}"
        );
    }
    let opened = open(FORMAT, SLOT, &genuine, &key()).unwrap();
    assert_eq!(opened.as_slice(), b"a state");
}

/// A container re-sealed by somebody with the key, but for another kind, version, slot, generation or key.
#[test]
fn attack_s5_foreign_container() {
    let genuine = sealed(b"a state");
    for (kind, version, error) in [
        (7, 2, Error::UnknownVersion),
        (7, 4, Error::UnknownVersion),
        (6, 3, Error::Integrity),
        (0, 3, Error::Integrity),
        (0x0700, 3, Error::Integrity),
    ] {
        let other = seal(
            Format { kind, version },
            SLOT,
            b"a state",
            &key(),
            &mut Stuck,
        )
        .unwrap();
        assert_eq!(open(FORMAT, SLOT, &other, &key()).err(), Some(error));
        // With the header of the right one in front: the keys are those of the other format.
        let spliced = [&genuine[..8], &other[8..]].concat();
        assert_eq!(
            open(FORMAT, SLOT, &spliced, &key()).err(),
            Some(Error::Integrity)
        );
    }
    for (store_key, generation) in [
        (&b"key"[..], 4),
        (b"key", 6),
        (b"key", u64::MAX),
        (b"kex", 5),
        (b"ke", 5),
        (b"key\0", 5),
        (b"", 5),
    ] {
        let slot = Slot {
            store_key,
            generation,
        };
        assert_eq!(
            open(FORMAT, slot, &genuine, &key()).err(),
            Some(Error::Integrity)
        );
    }
    assert_eq!(
        open(FORMAT, SLOT, &genuine, &AppKey::new([8; 32])).err(),
        Some(Error::Integrity)
    );
    assert!(open(FORMAT, SLOT, &genuine, &key()).is_ok());
}

/// The commitment is looked at before anything is decrypted: a container that opens under two keys is not possible to
/// offer.
#[test]
fn attack_f3_commitment_comes_first() {
    use crate::crypto::count::{Op, cost};
    let genuine = sealed(b"a state");
    let (result, wrong_key) = cost(|| open(FORMAT, SLOT, &genuine, &AppKey::new([8; 32])));
    assert_eq!(result.err(), Some(Error::Integrity));
    assert_eq!(wrong_key.of(Op::Open), 0);
    let (result, right) = cost(|| open(FORMAT, SLOT, &genuine, &key()));
    assert!(result.is_ok());
    assert_eq!(right.of(Op::Open), 1);
    // Each of its 32 bytes counts.
    for byte in 40..72 {
        let mut altered = genuine.clone();
        altered[byte] ^= 0x80;
        let (result, none) = cost(|| open(FORMAT, SLOT, &altered, &key()));
        assert_eq!(result.err(), Some(Error::Integrity));
        assert_eq!(none.of(Op::Open), 0);
    }
}

/// A generator that repeats: no two exports that differ in anything share a salt, and so a key and nonce.
#[test]
fn attack_p15_repeating_generator_repeats_no_key() {
    let seal = |format, slot, plaintext: &[u8]| {
        super::seal(format, slot, plaintext, &key(), &mut Stuck).unwrap()
    };
    let slot = |store_key, generation| Slot {
        store_key,
        generation,
    };
    let other_kind = Format { kind: 8, ..FORMAT };
    let exports = [
        seal(FORMAT, SLOT, b"a state"),
        seal(FORMAT, SLOT, b"b state"),
        seal(FORMAT, slot(b"key", 6), b"a state"),
        seal(FORMAT, slot(b"kez", 5), b"a state"),
        seal(FORMAT, slot(b"", 5), b"a state"),
        seal(other_kind, SLOT, b"a state"),
    ];
    for (position, one) in exports.iter().enumerate() {
        for two in &exports[..position] {
            assert_ne!(one[8..40], two[8..40], "a salt repeats");
        }
    }
    assert_eq!(exports[0], sealed(b"a state"));
}

#[test]
fn store_key_and_generator_at_their_limits() {
    let long = [1; 1025];
    for (length, expected) in [(1024, None), (1025, Some(Error::TooLong))] {
        let slot = Slot {
            store_key: &long[..length],
            generation: 0,
        };
        let result = seal(FORMAT, slot, b"a state", &key(), &mut Stuck);
        assert_eq!(result.err(), expected);
    }
    assert_eq!(
        seal(FORMAT, SLOT, b"a state", &key(), &mut Broken).err(),
        Some(Error::Rng)
    );
}

use std::vec;
use std::vec::Vec;

use super::hash::{HASH, HmacKey, sha256};
use super::kem::{self, KEM_CT1, KEM_CT2, KEM_SEED, KEM_VECTOR, KemKeyPair, KemPublic};
use super::{Error, Secret, labels};

/// Bytes that differ with each label and number.
fn sample(label: &str, number: u32) -> [u8; 32] {
    sha256(&[label.as_bytes(), &number.to_be_bytes()])
}

fn kem_pair(number: u32) -> KemKeyPair {
    let mut seed = [0; KEM_SEED];
    seed[..32].copy_from_slice(&sample("d", number));
    seed[32..].copy_from_slice(&sample("z", number));
    KemKeyPair::from_seed(&Secret::new(seed))
}

#[test]
fn a_ciphertext_in_two_parts_is_the_one_of_the_whole_key() {
    for number in 0..200 {
        let pair = kem_pair(number);
        let m = Secret::new(sample("m", number));
        let (ct1, first) = kem::encapsulate_first(pair.public().seed(), &pair.public_hash(), &m);
        let (whole, shared) = pair.public().encapsulate(&m);
        assert_eq!(ct1[..], whole[..KEM_CT1]);
        assert!(first == shared && first != m);

        let ct2: [u8; KEM_CT2] = *whole.last_chunk().unwrap();
        let joined = [&ct1[..], &ct2].concat().try_into().unwrap();
        assert!(pair.decapsulate(&joined) == first);
    }
}

#[test]
fn a_first_part_belongs_to_its_seed_hash_and_randomness() {
    let pair = kem_pair(0);
    let (seed, hash) = (*pair.public().seed(), pair.public_hash());
    let m = Secret::new(sample("m", 0));
    let (ct1, shared) = kem::encapsulate_first(&seed, &hash, &m);
    let other = sample("other", 0);
    // The secret is G(m || hash); the seed decides only on the ciphertext.
    let (other_ct1, same) = kem::encapsulate_first(&other, &hash, &m);
    assert!(other_ct1 != ct1 && same == shared);
    for (hash, m) in [(&other, &m), (&hash, &Secret::new(other))] {
        let (other_ct1, other_shared) = kem::encapsulate_first(&seed, hash, m);
        assert!(other_ct1 != ct1 && other_shared != shared);
    }
}

#[test]
fn a_key_in_two_parts_is_joined_only_if_the_hash_is_that_of_both() {
    for number in 0..50 {
        let pair = kem_pair(number);
        let (vector, seed) = (*pair.public().vector(), *pair.public().seed());
        let hash = pair.public_hash();
        let joined = KemPublic::from_parts(&vector, &seed, &hash).unwrap();
        assert!(joined == *pair.public());
        assert_eq!(joined.as_bytes()[..], [&vector[..], &seed].concat());

        for byte in (0..KEM_VECTOR).step_by(97) {
            let mut flipped = vector;
            flipped[byte] ^= 1 << (number % 8);
            let refused = KemPublic::from_parts(&flipped, &seed, &hash);
            assert_eq!(refused.err(), Some(Error::InvalidKey));
        }
        for byte in 0..32 {
            let mut flipped = seed;
            flipped[byte] ^= 1 << (number % 8);
            let refused = KemPublic::from_parts(&vector, &flipped, &hash);
            assert_eq!(refused.err(), Some(Error::InvalidKey));
            let mut flipped = hash;
            flipped[byte] ^= 1 << (number % 8);
            let refused = KemPublic::from_parts(&vector, &seed, &flipped);
            assert_eq!(refused.err(), Some(Error::InvalidKey));
        }
    }
}

/// FIPS 203 §7.2. The hashes are SHA3-256 of exactly these bytes, so that only the modulus check is left to refuse.
#[test]
fn a_coefficient_that_is_not_reduced_is_refused_under_its_own_hash() {
    let cases: [(u16, &str, bool); 2] = [
        (
            3328,
            "b12efa19d827a5f1f470e2968084c63d90e5a7169ce05082b1e3563feae9842c",
            true,
        ),
        (
            3329,
            "73cbfe1f3cf47577dc8ba1b2267cc6c5beda8adfe9134ef31aa3f8e88508b2e5",
            false,
        ),
    ];
    let seed = [7; 32];
    for (coefficient, hash, accepted) in cases {
        // All coefficients are 0, except for the first.
        let mut vector = [0; KEM_VECTOR];
        vector[..2].copy_from_slice(&coefficient.to_le_bytes());
        let hash = hex::decode(hash).unwrap().try_into().unwrap();
        let joined = KemPublic::from_parts(&vector, &seed, &hash);
        assert_eq!(joined.is_ok(), accepted, "{coefficient}");
        assert_eq!(joined.err(), (!accepted).then_some(Error::InvalidKey));
    }
}

#[test]
fn expand_gives_255_blocks_and_no_more() {
    let key = HmacKey::new(b"key");
    let mut longest = vec![0; 255 * HASH];
    key.expand(&[b"in", b"fo"], &mut longest).unwrap();
    let mut previous = Vec::new();
    for (counter, block) in (1..=255).zip(longest.chunks(HASH)) {
        let expected = key.mac(&[&previous, b"info", &[counter]]);
        assert_eq!(block, expected.expose());
        previous = block.to_vec();
    }
    for length in [0, 1, 31, 32, 33, 8159] {
        let mut shorter = vec![0; length];
        key.expand(&[b"info"], &mut shorter).unwrap();
        assert_eq!(shorter, longest[..length]);
    }
    let mut untouched = vec![7; 255 * HASH + 1];
    assert_eq!(key.expand(&[], &mut untouched), Err(Error::TooLong));
    assert!(untouched.iter().all(|byte| *byte == 7));
}

#[test]
fn no_label_is_a_prefix_of_another() {
    for (name, label) in labels::ALL {
        assert!(
            label.starts_with(b"subrosa/1 ") && label.ends_with(b"\0"),
            "{name}"
        );
        for (other, longer) in labels::ALL {
            assert!(
                name == other || !longer.starts_with(label),
                "{name}, {other}"
            );
        }
    }
    for (index, purpose) in labels::purpose::ALL.iter().enumerate() {
        assert!(!labels::purpose::ALL[..index].contains(purpose));
    }
}

use std::vec;
use std::vec::Vec;

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar};
use ed25519_dalek::Verifier as _;
use sha2::{Digest, Sha512};

use super::dh::{DhKeyPair, DhPoint, DhPublic};
use super::hash::{HASH, HmacKey, sha256};
use super::kem::{self, KEM_CT1, KEM_CT2, KEM_SEED, KEM_VECTOR, KemKeyPair, KemPublic};
use super::sign::{SMALL_ORDER, Signature, SigningKey, VerifyingKey};
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

/// Agrees by the ladder of RFC 7748 §5, and compares.
fn agrees_as_the_ladder(secret: [u8; 32], u: [u8; 32]) {
    let pair = DhKeyPair::from_secret(Secret::new(secret));
    assert_eq!(
        *pair.public().as_bytes(),
        x25519_dalek::x25519(secret, x25519_dalek::X25519_BASEPOINT_BYTES)
    );
    let public = DhPublic::from_bytes(&u).unwrap();
    let expected = match x25519_dalek::x25519(secret, u) {
        zero if zero == [0; 32] => None,
        shared => Some(shared),
    };
    let point = DhPoint::new(&public);
    for agreed in [pair.agree(&public), pair.agree_at(&point)] {
        match agreed {
            Ok(shared) => assert_eq!(Some(*shared.expose()), expected, "{u:02x?}"),
            Err(error) => {
                assert_eq!(error, Error::NonContributory);
                assert_eq!(expected, None, "{u:02x?}");
            }
        }
    }
}

/// A u-coordinate below p, from 32 bytes.
fn reduced(bytes: [u8; 32]) -> [u8; 32] {
    let mut bytes = bytes;
    bytes[31] &= 0x7f;
    // Any value of p and above becomes a small one; 0 among them.
    if DhPublic::from_bytes(&bytes).is_err() {
        bytes = [0; 32];
    }
    bytes
}

#[test]
fn agreement_is_the_ladder_for_keys_on_the_curve_and_on_its_twist() {
    let mut on_the_curve = 0;
    for number in 0..10_000 {
        let u = reduced(sample("u", number));
        on_the_curve += u32::from(MontgomeryPoint(u).to_edwards(0).is_some());
        agrees_as_the_ladder(sample("secret", number), u);
    }
    assert!((4_000..6_000).contains(&on_the_curve), "{on_the_curve}");
}

#[test]
fn agreement_is_the_ladder_for_keys_with_torsion_and_of_small_order() {
    for number in 0..100 {
        let honest = EdwardsPoint::mul_base_clamped(sample("point", number));
        for torsion in EIGHT_TORSION {
            for point in [torsion, honest + torsion] {
                agrees_as_the_ladder(sample("secret", number), point.to_montgomery().0);
            }
        }
    }
}

#[test]
fn agreement_is_the_ladder_at_both_ends_of_the_field_and_of_the_scalars() {
    for number in 0..=255 {
        let mut lowest = [0; 32];
        lowest[0] = number;
        // From p - 1 downward.
        let mut highest = [0xff; 32];
        highest[0] = 0xec_u8.wrapping_sub(number);
        highest[1] = if number > 0xec { 0xfe } else { 0xff };
        highest[31] = 0x7f;
        for secret in [[0; 32], [0xff; 32], sample("secret", number.into())] {
            agrees_as_the_ladder(secret, lowest);
            agrees_as_the_ladder(secret, highest);
        }
    }
}

#[test]
fn the_small_orders_are_those_of_the_curve() {
    let mut found = Vec::new();
    for point in EIGHT_TORSION {
        let mut y = point.compress().0;
        y[31] &= 0x7f;
        assert!(SMALL_ORDER.contains(&y), "{y:02x?}");
        found.push(y);
    }
    assert!(SMALL_ORDER.iter().all(|y| found.contains(y)));
}

/// The rule of SPEC §3.4 once more, from another function of the crate below.
fn strictly(key: &VerifyingKey, message: &[u8], signature: &Signature) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    ed25519_dalek::VerifyingKey::from_bytes(key.as_bytes())
        .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

#[test]
fn a_flipped_bit_in_a_signature_or_its_key_is_refused() {
    for number in 0..20 {
        let key = SigningKey::from_seed(&Secret::new(sample("seed", number)));
        let message = sample("message", number);
        let signature = key.sign(&message).unwrap();
        let public = key.verifying_key();
        assert_eq!(public.verify(&message, &signature), Ok(()));
        for bit in 0..512 {
            let mut other = signature;
            other.0[bit / 8] ^= 1 << (bit % 8);
            let refused = public.verify(&message, &other);
            assert_eq!(refused, Err(Error::BadSignature));
        }
        for bit in 0..256 {
            let mut other = public;
            other.0[bit / 8] ^= 1 << (bit % 8);
            let refused = other.verify(&message, &signature);
            assert_eq!(refused, Err(Error::BadSignature));
        }
    }
}

/// An owner of a key with torsion in it makes signatures whose R has small order. The equation holds for one in eight.
#[test]
fn signatures_with_a_point_of_small_order_are_refused_though_the_equation_holds() {
    let mut equation_holds = 0;
    for number in 0..40 {
        let secret = Scalar::from_bytes_mod_order(sample("scalar", number));
        for torsion in EIGHT_TORSION {
            let key = (EdwardsPoint::mul_base(&secret) + torsion).compress().0;
            for r in EIGHT_TORSION {
                let r = r.compress().0;
                let message = sample("message", number);
                let challenge = challenge(&r, &key, &message);
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&r);
                signature[32..].copy_from_slice((challenge * secret).as_bytes());
                let plain = ed25519_dalek::VerifyingKey::from_bytes(&key).unwrap();
                let plain_signature = ed25519_dalek::Signature::from_bytes(&signature);
                equation_holds += u32::from(plain.verify(&message, &plain_signature).is_ok());

                let (key, signature) = (VerifyingKey(key), Signature(signature));
                assert!(!strictly(&key, &message, &signature));
                let refused = key.verify(&message, &signature);
                assert_eq!(refused, Err(Error::BadSignature));
            }
        }
    }
    assert!(equation_holds > 100, "{equation_holds}");
}

/// SHA-512(R || A || M) modulo the group order (RFC 8032 §5.1.7).
fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key)
        .chain_update(message)
        .finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

/// A key with torsion, and honest signatures of it: accepted exactly where the stricter function accepts.
#[test]
fn verification_is_the_strict_one_for_keys_with_torsion() {
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..100 {
        let secret = Scalar::from_bytes_mod_order(sample("scalar", number));
        let nonce = Scalar::from_bytes_mod_order(sample("nonce", number));
        let message = sample("message", number);
        for torsion in EIGHT_TORSION {
            let key = (EdwardsPoint::mul_base(&secret) + torsion).compress().0;
            let r = (EdwardsPoint::mul_base(&nonce)).compress().0;
            let s = nonce + challenge(&r, &key, &message) * secret;
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&r);
            signature[32..].copy_from_slice(s.as_bytes());
            let (key, signature) = (VerifyingKey(key), Signature(signature));
            let ours = key.verify(&message, &signature).is_ok();
            assert_eq!(ours, strictly(&key, &message, &signature));
            *(if ours { &mut accepted } else { &mut refused }) += 1;
        }
    }
    assert!(accepted > 100 && refused > 100, "{accepted}, {refused}");
}

#[test]
fn only_points_of_prime_order_stand_for_an_identity() {
    for number in 0..200 {
        let honest = EdwardsPoint::mul_base_clamped(sample("point", number));
        for torsion in EIGHT_TORSION {
            for point in [torsion, honest + torsion] {
                let public = DhPublic::from_bytes(&point.to_montgomery().0).unwrap();
                let prime_order = point.is_torsion_free() && !point.is_small_order();
                assert_eq!(public.require_prime_order().is_ok(), prime_order);
            }
        }
        let public = DhPublic::from_bytes(&reduced(sample("u", number))).unwrap();
        let point = MontgomeryPoint(*public.as_bytes()).to_edwards(0);
        let prime_order = point.is_some_and(|point| point.is_torsion_free());
        assert_eq!(public.require_prime_order().is_ok(), prime_order);
    }
}

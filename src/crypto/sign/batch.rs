//! Many signatures verified together, and accepted exactly where each alone would be (SPEC §3.4-R3).
//!
//! A signature `(R, s)` of `A` holds where `E = R + kA - sB` is the identity. Let `z` and `c` be hashes of the whole batch:
//!
//! * `sum(z E)` is the identity: unless a chance of 2^-128 fails, every `E` then lies in the torsion subgroup, of order 8.
//! * `Q = R + (k mod 8) A` has the torsion of `E`, since `B` has none. Of 128 subsets of the batch, chosen by the bits of
//!   `c`, the sum of all `Q` is free of torsion: one `E` with torsion is seen by each subset with a chance of a half at
//!   least. So no `E` has any, and each is the identity.
//!
//! A batch checked by the first equation alone accepts pairs of signatures whose torsion cancels out, which differ from
//! implementation to implementation; here they are refused, as alone.

use alloc::vec::Vec;
use core::ops::{Add, Mul, Neg};

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity, VartimeMultiscalarMul};
use sha2::{Digest, Sha512};

use super::{Signature, VerifyingKey};
use crate::crypto::hash::sha256;
use crate::crypto::{Error, counted};
use crate::memory;

/// Subsets whose torsion is looked at.
const SUBSETS: usize = 128;

/// From how many signatures on it pays to verify them together.
const WORTH: usize = 128;

/// From how many on sums are kept for each byte of `c`, rather than for each half of one.
const MANY: usize = 1024;

struct Item {
    key: VerifyingKey,
    signature: Signature,
    /// `k`: SHA-512 of R, A and the message, modulo the order.
    challenge: Scalar,
}

/// Signatures that are to be verified together.
#[derive(Default)]
pub struct Batch {
    items: Vec<Item>,
}

/// An item taken apart.
struct Parts {
    r: EdwardsPoint,
    a: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

impl Item {
    /// What each signature is asked alone: canonical `A`, `R` and `s`, and no point of small order (SPEC §3.4).
    fn parts(&self) -> Result<Parts, Error> {
        self.key.require_canonical()?;
        let (r, s) = self
            .signature
            .0
            .split_first_chunk::<32>()
            .ok_or(Error::BadSignature)?;
        VerifyingKey(*r).require_canonical()?;
        if self.signature.has_small_order_point() {
            return Err(Error::BadSignature);
        }
        let s = s.first_chunk::<32>().ok_or(Error::BadSignature)?;
        let s = Option::from(Scalar::from_canonical_bytes(*s)).ok_or(Error::BadSignature)?;
        let a = decompress(&self.key.0)?;
        if a.is_small_order() {
            return Err(Error::BadSignature);
        }
        Ok(Parts {
            r: decompress(r)?,
            a,
            s,
            k: self.challenge,
        })
    }
}

fn decompress(bytes: &[u8; 32]) -> Result<EdwardsPoint, Error> {
    CompressedEdwardsY(*bytes)
        .decompress()
        .ok_or(Error::BadSignature)
}

impl Batch {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { items: Vec::new() }
    }

    /// Adds a signature. The message is hashed and not kept.
    pub fn add(&mut self, key: VerifyingKey, message: &[u8], signature: Signature) {
        let mut hash = Sha512::new();
        Digest::update(
            &mut hash,
            signature.0.first_chunk::<32>().unwrap_or(&[0; 32]),
        );
        Digest::update(&mut hash, key.0);
        Digest::update(&mut hash, message);
        let item = Item {
            key,
            signature,
            challenge: Scalar::from_bytes_mod_order_wide(&hash.finalize().into()),
        };
        memory::push(&mut self.items, item);
    }

    /// Verifies all of them.
    ///
    /// # Errors
    /// [`Error::BadSignature`] if one does not hold, whichever and why.
    pub fn verify(self) -> Result<(), Error> {
        let mut parts = memory::with_capacity(self.items.len());
        for item in &self.items {
            counted!(Verify);
            memory::push(&mut parts, item.parts()?);
        }
        if parts.len() < WORTH {
            return parts.iter().try_for_each(alone);
        }
        let weights = self.weights();
        sum_is_identity(&parts, &weights)?;
        if parts.len() < MANY {
            free_of_torsion::<4>(&parts, &weights)
        } else {
            free_of_torsion::<8>(&parts, &weights)
        }
    }

    /// `z` and `c` of every signature: 16 bytes each, of a hash of the batch and its place in it.
    fn weights(&self) -> Vec<[u8; 32]> {
        let mut hash = Sha512::new();
        for item in &self.items {
            Digest::update(&mut hash, item.key.0);
            Digest::update(&mut hash, item.signature.0);
            Digest::update(&mut hash, item.challenge.as_bytes());
        }
        let seed: [u8; 64] = hash.finalize().into();
        let mut weights = memory::with_capacity(self.items.len());
        for (place, _) in (0u64..).zip(&self.items) {
            memory::push(&mut weights, sha256(&[&seed, &place.to_be_bytes()]));
        }
        weights
    }
}

/// One signature, as its parts: `R = sB - kA`, point by point.
fn alone(parts: &Parts) -> Result<(), Error> {
    let expected =
        EdwardsPoint::vartime_double_scalar_mul_basepoint(&parts.k.neg(), &parts.a, &parts.s);
    if expected.compress() == parts.r.compress() {
        Ok(())
    } else {
        Err(Error::BadSignature)
    }
}

/// `z` of a weight.
fn z(weight: &[u8; 32]) -> Scalar {
    let (front, _) = weight.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    Scalar::from(u128::from_le_bytes(*front))
}

fn sum_is_identity(parts: &[Parts], weights: &[[u8; 32]]) -> Result<(), Error> {
    let base = parts.iter().zip(weights);
    let base: Scalar = base.map(|(parts, weight)| z(weight).mul(parts.s)).sum();
    let r = parts.iter().zip(weights);
    let a = parts.iter().zip(weights);
    let scalars = core::iter::once(base.neg())
        .chain(r.map(|(_, weight)| z(weight)))
        .chain(a.map(|(parts, weight)| z(weight).mul(parts.k)));
    let points = core::iter::once(ED25519_BASEPOINT_POINT)
        .chain(parts.iter().map(|parts| parts.r))
        .chain(parts.iter().map(|parts| parts.a));
    let sum = EdwardsPoint::vartime_multiscalar_mul(scalars, points);
    if sum.is_identity() {
        Ok(())
    } else {
        Err(Error::BadSignature)
    }
}

/// Sums over the subsets, by windows of `BITS` bits of `c`: every `Q` is added once a window to the sum for its value there;
/// a subset is the sum of those whose value has its bit.
fn free_of_torsion<const BITS: usize>(parts: &[Parts], weights: &[[u8; 32]]) -> Result<(), Error> {
    let mut sums = memory::with_capacity(1 << BITS);
    let mut points = memory::with_capacity(parts.len());
    for parts in parts {
        memory::push(&mut points, parts.r.add(multiple_below_8(parts)));
    }
    for window in (0..SUBSETS).step_by(BITS) {
        sums.clear();
        sums.resize(1 << BITS, EdwardsPoint::identity());
        for (point, weight) in points.iter().zip(weights) {
            if let Some(sum) = sums.get_mut(value::<BITS>(weight, window)) {
                *sum = (*sum).add(point);
            }
        }
        for bit in 0..BITS {
            let subset = sums.iter().enumerate();
            let subset = subset.filter(|(value, _)| value >> bit & 1 == 1);
            let sum: EdwardsPoint = subset.map(|(_, sum)| sum).sum();
            if !sum.is_torsion_free() {
                return Err(Error::BadSignature);
            }
        }
    }
    Ok(())
}

/// The bits of `c` in the window that begins at a bit.
fn value<const BITS: usize>(weight: &[u8; 32], window: usize) -> usize {
    let c = weight.get(16..).unwrap_or_default();
    let byte = c.get(window >> 3).copied().map_or(0, usize::from);
    match (BITS, window & 4) {
        (8, _) => byte,
        (_, 0) => byte & 15,
        _ => byte >> 4,
    }
}

/// `(k mod 8) A`.
fn multiple_below_8(parts: &Parts) -> EdwardsPoint {
    let low = parts.k.as_bytes().first().copied().unwrap_or_default();
    let mut multiple = EdwardsPoint::identity();
    for bit in [4, 2, 1] {
        multiple = multiple.add(multiple);
        if low & bit != 0 {
            multiple = multiple.add(parts.a);
        }
    }
    multiple
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use curve25519_dalek::constants::EIGHT_TORSION;

    use super::*;
    use crate::crypto::Secret;
    use crate::crypto::sign::SigningKey;

    fn signed(number: u32) -> (VerifyingKey, Vec<u8>, Signature) {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let key = SigningKey::from_seed(&Secret::new(seed));
        let message = number.to_le_bytes().repeat(9);
        let signature = key.sign(&message).unwrap();
        (key.verifying_key(), message, signature)
    }

    fn verify(items: &[(VerifyingKey, Vec<u8>, Signature)]) -> Result<(), Error> {
        let mut batch = Batch::new();
        for (key, message, signature) in items {
            batch.add(*key, message, *signature);
        }
        batch.verify()
    }

    /// A signature whose `R` has torsion: what only who has the private key can make, and each alone is refused.
    fn with_torsion(number: u32, torsion: usize) -> (VerifyingKey, Vec<u8>, Signature) {
        let (key, message, _) = signed(number);
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let expanded: [u8; 64] = Sha512::digest(seed).into();
        let secret = Scalar::from_bytes_mod_order(curve25519_dalek::scalar::clamp_integer(
            *expanded.first_chunk().unwrap(),
        ));
        let nonce = Scalar::from(u64::from(number) + 99);
        let r = EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[torsion];
        let r = r.compress();
        let mut hash = Sha512::new();
        Digest::update(&mut hash, r.0);
        Digest::update(&mut hash, key.0);
        Digest::update(&mut hash, &message);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let s = nonce + k * secret;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&r.0);
        signature[32..].copy_from_slice(s.as_bytes());
        (key, message, Signature(signature))
    }

    #[test]
    fn what_holds_is_accepted_in_batches_of_every_kind() {
        let all: Vec<_> = (0..1_100).map(signed).collect();
        for size in [0, 1, 2, WORTH - 1, WORTH, 300, MANY, 1_100] {
            assert_eq!(verify(&all[..size]), Ok(()), "{size}");
        }
    }

    #[test]
    fn one_that_does_not_hold_is_found_wherever_it_is() {
        let all: Vec<_> = (0..MANY as u32).map(signed).collect();
        for size in [3, WORTH, MANY] {
            for place in [0, size / 2, size - 1] {
                for (byte, bit) in [(0, 1), (31, 0x40), (32, 1), (63, 0x10), (63, 0xe0)] {
                    let mut items = all[..size].to_vec();
                    items[place].2.0[byte] ^= bit;
                    assert_eq!(verify(&items), Err(Error::BadSignature));
                }
                let mut items = all[..size].to_vec();
                items[place].1.push(0);
                assert_eq!(verify(&items), Err(Error::BadSignature));
                let mut items = all[..size].to_vec();
                items[place].0 = all[(place + 1) % size].0;
                assert_eq!(verify(&items), Err(Error::BadSignature));
            }
        }
    }

    /// Torsion that cancels out in the sum, as one who has both keys can arrange it: refused as each is alone.
    #[test]
    fn attack_p4_torsion_that_cancels_out() {
        let honest: Vec<_> = (1_000..1_000 + WORTH as u32).map(signed).collect();
        for torsion in 0..8 {
            let pair = [with_torsion(1, torsion), with_torsion(2, (8 - torsion) % 8)];
            let alone = pair.each_ref().map(|(key, message, signature)| {
                let held = key.verify(message, signature);
                assert_eq!(verify(&[(*key, message.clone(), *signature)]), held);
                held
            });
            let expected = alone[0].and(alone[1]);
            assert_eq!(expected.is_ok(), torsion == 0);
            // Many times the same pair, so that some weights would cancel.
            for times in 1..40 {
                let mut items = honest.clone();
                for _ in 0..times {
                    items.extend(pair.iter().cloned());
                }
                assert_eq!(verify(&items), expected, "{torsion} {times}");
            }
        }
    }

    /// The order of the torsion group, which is where `Q` stands for `E`.
    #[test]
    fn the_challenge_counts_modulo_8() {
        for number in 0..64u64 {
            let a = EdwardsPoint::mul_base(&Scalar::from(number + 5)) + EIGHT_TORSION[3];
            let parts = Parts {
                r: EdwardsPoint::identity(),
                a,
                s: Scalar::ZERO,
                k: Scalar::from(number),
            };
            let difference = multiple_below_8(&parts) - a * Scalar::from(number);
            assert!(difference.is_torsion_free());
            assert_eq!(multiple_below_8(&parts), a * Scalar::from(number % 8));
        }
    }
}

//! Many signatures verified together, and accepted exactly where each alone would be (SPEC §3.4-R3).
//!
//! A signature `(R, s)` of `A` holds where `E = R + kA - sB` is the identity. Let `z` be 128 bits for each signature, of a hash
//! of the whole batch, and `m` a small number for which `k - m` is a multiple of 8. Then `Q = R + mA` has the torsion of `E`,
//! since `B` has none. For each of the 128 bits, `T` is the sum of the `Q` of those signatures whose `z` has it.
//!
//! * No `T` has torsion: one `E` with torsion is seen by each of them with a chance of a half at least. So no `E` has any.
//! * `sum(z E)`, which is `sum(2^bit T) + sum(z (k - m) A) - sum(z s) B`, has torsion only: unless a chance of 2^-128 fails,
//!   every `E` then has nothing else, and with the above is the identity. It is not asked to be the identity itself: a number
//!   that a point is multiplied by is taken modulo the order of `B`, which moves the torsion that a key may have.
//!
//! A batch checked by the second equation alone accepts pairs of signatures whose torsion cancels out, which differ from
//! implementation to implementation; here they are refused, as alone.

use alloc::vec::Vec;
use core::mem;
use core::ops::{Add, Mul, Neg};

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, VartimeMultiscalarMul};
use sha2::{Digest, Sha512};

use super::{Signature, VerifyingKey, has_small_order};
use crate::crypto::hash::sha256;
use crate::crypto::{Error, counted};
use crate::memory;

/// Bits of a `z` that are looked at together: every `Q` is added once for each such window, to the sum for its value there. The
/// sums are themselves added up; of few signatures there are to be few.
const fn window(signatures: usize) -> u32 {
    match signatures {
        0..1_000 => 6,
        1_000..8_000 => 8,
        _ => 10,
    }
}

/// From how many signatures on it pays to verify them together.
const WORTH: usize = 256;

/// How many are verified together at most: 800 bytes of memory each.
const MOST: usize = 1 << 14;

struct Item {
    key: VerifyingKey,
    signature: Signature,
    /// `k`: SHA-512 of R, A and the message, modulo the order.
    challenge: Scalar,
}

/// Signatures that are to be verified together. Those of one key cost less one behind the other.
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
    /// Whether the item before has the same key.
    same_key: bool,
}

impl Item {
    /// What each signature is asked alone: canonical `A`, `R` and `s`, and no point of small order (SPEC §3.4).
    fn parts(&self, before: Option<(&Self, &Parts)>) -> Result<Parts, Error> {
        let (r, s) = self
            .signature
            .0
            .split_first_chunk::<32>()
            .ok_or(Error::BadSignature)?;
        let s = s.first_chunk::<32>().ok_or(Error::BadSignature)?;
        let s = Option::from(Scalar::from_canonical_bytes(*s)).ok_or(Error::BadSignature)?;
        let known = before.filter(|(item, _)| item.key == self.key);
        Ok(Parts {
            r: point(r)?,
            a: match known {
                Some((_, parts)) => parts.a,
                None => point(&self.key.0)?,
            },
            s,
            k: self.challenge,
            same_key: known.is_some(),
        })
    }
}

/// A point in its canonical encoding that is not of small order.
fn point(bytes: &[u8; 32]) -> Result<EdwardsPoint, Error> {
    VerifyingKey(*bytes).require_canonical()?;
    if has_small_order(bytes) {
        return Err(Error::BadSignature);
    }
    let point = CompressedEdwardsY(*bytes).decompress();
    point.ok_or(Error::BadSignature)
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
        self.items.chunks(MOST).try_for_each(together)
    }
}

/// A batch that is not too large.
fn together(items: &[Item]) -> Result<(), Error> {
    let mut all: Vec<Parts> = memory::with_capacity(items.len());
    let mut before = None;
    for item in items {
        counted!(Verify);
        let parts = item.parts(before.zip(all.last()))?;
        memory::push(&mut all, parts);
        before = Some(item);
    }
    if all.len() < WORTH {
        return all.iter().try_for_each(alone);
    }
    let weights = weights(items);
    let sum = without_torsion(&all, &weights)?;
    vanishes(&all, &weights, sum)
}

/// `z` of every signature: of a hash of the batch, and its place in it.
fn weights(items: &[Item]) -> Vec<u128> {
    let mut hash = Sha512::new();
    for item in items {
        Digest::update(&mut hash, item.key.0);
        Digest::update(&mut hash, item.signature.0);
        Digest::update(&mut hash, item.challenge.as_bytes());
    }
    let seed: [u8; 64] = hash.finalize().into();
    let mut weights = memory::with_capacity(items.len());
    for (place, _) in (0u64..).zip(items) {
        let hash = sha256(&[&seed, &place.to_be_bytes()]);
        let weight = hash.first_chunk().copied().unwrap_or_default();
        memory::push(&mut weights, u128::from_le_bytes(weight));
    }
    weights
}

/// One signature, as its parts: `R = sB - kA`, point by point.
fn alone(parts: &Parts) -> Result<(), Error> {
    // Not the number is negated: it is taken modulo the order of B, and A may have torsion.
    let (k, minus_a) = (&parts.k, parts.a.neg());
    let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(k, &minus_a, &parts.s);
    if expected.compress() == parts.r.compress() {
        Ok(())
    } else {
        Err(Error::BadSignature)
    }
}

/// `sum(2^bit T)`, if no `T` has torsion.
fn without_torsion(all: &[Parts], weights: &[u128]) -> Result<EdwardsPoint, Error> {
    let mut points = memory::with_capacity(all.len());
    for parts in all {
        memory::push(&mut points, parts.q());
    }
    let window = window(all.len());
    let mut sums = memory::with_capacity(1usize.unbounded_shl(window));
    let mut total = EdwardsPoint::identity();
    // The highest window first. All bits are in one of them.
    let mut above = u128::BITS;
    while let Some(bits) = above.checked_sub(1).and_then(|top| top.checked_rem(window)) {
        let bits = bits.saturating_add(1);
        above = above.saturating_sub(bits);
        let mask = u128::MAX.unbounded_shr(u128::BITS.saturating_sub(bits));
        sums.clear();
        sums.resize(1usize.unbounded_shl(bits), EdwardsPoint::identity());
        for (point, weight) in points.iter().zip(weights) {
            let value = weight.unbounded_shr(above) & mask;
            let sum = usize::try_from(value).ok();
            if let Some(sum) = sum.and_then(|value| sums.get_mut(value)) {
                *sum = (*sum).add(point);
            }
        }
        // The highest bit parts the values into halves; behind it, it does not matter any more.
        let mut values = sums.as_mut_slice();
        for _ in 0..bits {
            let half = values.len() / 2;
            let halves = mem::take(&mut values).split_at_mut_checked(half);
            let (without, with) = halves.unwrap_or_default();
            let t: EdwardsPoint = with.iter().sum();
            if !t.is_torsion_free() {
                return Err(Error::BadSignature);
            }
            total = total.add(total).add(t);
            for (sum, other) in without.iter_mut().zip(with) {
                *sum = (*sum).add(&*other);
            }
            values = without;
        }
    }
    Ok(total)
}

/// Whether `sum + sum(z (k - m) A) - sum(z s) B` has torsion only.
fn vanishes(all: &[Parts], weights: &[u128], sum: EdwardsPoint) -> Result<(), Error> {
    let room = all.len().saturating_add(1);
    let mut scalars: Vec<Scalar> = memory::with_capacity(room);
    let mut points: Vec<EdwardsPoint> = memory::with_capacity(room);
    let mut base = Scalar::ZERO;
    for (parts, weight) in all.iter().zip(weights) {
        let z = Scalar::from(*weight);
        base = base.add(z.mul(parts.s));
        let scalar = z.mul(parts.k_minus_m());
        match scalars.last_mut() {
            Some(last) if parts.same_key => *last = (*last).add(scalar),
            _ => {
                memory::push(&mut scalars, scalar);
                memory::push(&mut points, parts.a);
            }
        }
    }
    memory::push(&mut scalars, base.neg());
    memory::push(&mut points, ED25519_BASEPOINT_POINT);
    let rest = EdwardsPoint::vartime_multiscalar_mul(scalars, points);
    if sum.add(rest).is_small_order() {
        Ok(())
    } else {
        Err(Error::BadSignature)
    }
}

impl Parts {
    /// `k` modulo 8. `m` is that, or, above 4, 8 less.
    fn k_below_8(&self) -> u8 {
        self.k.as_bytes().first().copied().unwrap_or_default() & 7
    }

    fn k_minus_m(&self) -> Scalar {
        let low = self.k_below_8();
        match low {
            0..=4 => self.k.add(Scalar::from(u128::from(low)).neg()),
            _ => self.k.add(Scalar::from(u128::from(8u8.wrapping_sub(low)))),
        }
    }

    /// `R + mA`.
    fn q(&self) -> EdwardsPoint {
        let Self { r, a, .. } = *self;
        let twice = || a.add(a);
        match self.k_below_8() {
            0 => r,
            1 => r.add(a),
            2 => r.add(twice()),
            3 => r.add(twice()).add(a),
            4 => r.add(twice()).add(twice()),
            5 => r.add(twice().add(a).neg()),
            6 => r.add(twice().neg()),
            _ => r.add(a.neg()),
        }
    }
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

    /// A signature whose `R` and whose key have torsion, each so many times the point of order 8: what only who has the private key
    /// can make.
    fn with_torsion(number: u32, of_r: usize, of_key: usize) -> (VerifyingKey, Vec<u8>, Signature) {
        let (_, message, _) = signed(number);
        let secret = Scalar::from(u64::from(number) + 1_234_567);
        let key = EdwardsPoint::mul_base(&secret) + EIGHT_TORSION[of_key];
        let key = VerifyingKey(key.compress().0);
        let nonce = Scalar::from(u64::from(number) + 99);
        let r = EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[of_r];
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
        for size in [0, 1, 2, WORTH - 1, WORTH, WORTH + 1, 999, 1_000, 1_100] {
            assert_eq!(verify(&all[..size]), Ok(()), "{size}");
        }
    }

    #[test]
    fn one_that_does_not_hold_is_found_wherever_it_is() {
        let all: Vec<_> = (0..1_000).map(signed).collect();
        for size in [3, WORTH, 1_000] {
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

    /// More than one batch, the last of them small or large.
    #[test]
    fn more_than_are_verified_together() {
        let mut items: Vec<_> = (0..(MOST + WORTH) as u32).map(signed).collect();
        assert_eq!(verify(&items), Ok(()));
        for (length, place) in [
            (MOST + WORTH, MOST - 1),
            (MOST + WORTH, MOST + 1),
            (MOST + 1, MOST),
        ] {
            items.truncate(length);
            items[place].2.0[33] ^= 1;
            assert_eq!(verify(&items), Err(Error::BadSignature), "{length} {place}");
            items[place].2.0[33] ^= 1;
        }
    }

    /// Torsion that cancels out in the sum, as one who has both keys can arrange it: refused as each is alone.
    #[test]
    fn attack_p4_torsion_that_cancels_out() {
        let honest: Vec<_> = (1_000..1_000 + WORTH as u32).map(signed).collect();
        for torsion in 0..8 {
            let pair = [
                with_torsion(1, torsion, 0),
                with_torsion(2, (8 - torsion) % 8, 0),
            ];
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

    /// A key with torsion is one, and its signatures hold where their torsion is that of `kA`: by chance, for one in eight.
    #[test]
    fn keys_with_torsion_are_keys() {
        let honest: Vec<_> = (1_000..1_000 + WORTH as u32).map(signed).collect();
        let mut held = 0;
        for number in 0..64 {
            let (key, message, signature) = with_torsion(number, 3, 1 + number as usize % 7);
            let expected = key.verify(&message, &signature);
            held += usize::from(expected.is_ok());
            let one = [(key, message, signature)];
            assert_eq!(verify(&one), expected, "{number} alone");
            let many = [&honest[..], &one, &one].concat();
            assert_eq!(verify(&many), expected, "{number} with others");
        }
        assert!((4..24).contains(&held), "{held}");
    }

    /// One behind the other, and with others between.
    #[test]
    fn many_signatures_of_one_key() {
        let key = SigningKey::from_seed(&Secret::new([3; 32]));
        let mut items: Vec<_> = (0..400u32)
            .map(|number| match number % 7 {
                0 => signed(number),
                _ => {
                    let message = number.to_be_bytes().to_vec();
                    let signature = key.sign(&message).unwrap();
                    (key.verifying_key(), message, signature)
                }
            })
            .collect();
        assert_eq!(verify(&items), Ok(()));
        for place in [1, 2, 399] {
            let whole = items[place].clone();
            items[place].2.0[40] ^= 1;
            assert_eq!(verify(&items), Err(Error::BadSignature));
            items[place] = whole;
        }
        // Two that are exchanged hold no more.
        let (one, other) = (items[1].2, items[2].2);
        (items[1].2, items[2].2) = (other, one);
        assert_eq!(verify(&items), Err(Error::BadSignature));
    }

    /// The order of the torsion group, which is where `Q` stands for `E`.
    #[test]
    fn the_challenge_counts_modulo_8() {
        for number in 0..64u64 {
            let parts = Parts {
                r: EdwardsPoint::mul_base(&Scalar::from(77u64)),
                a: EdwardsPoint::mul_base(&Scalar::from(number + 5)) + EIGHT_TORSION[3],
                s: Scalar::ZERO,
                k: Scalar::from(number),
                same_key: false,
            };
            let all = parts.r + parts.a * parts.k;
            assert!((parts.q() - all).is_torsion_free());
            assert_eq!(
                (parts.q() + parts.a * parts.k_minus_m() - all).mul_by_cofactor(),
                EdwardsPoint::identity()
            );
        }
    }
}

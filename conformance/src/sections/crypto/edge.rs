//! Points, keys and signatures that no honest implementation makes.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use curve25519_dalek::traits::IsIdentity;
use sha2::{Digest, Sha512};

/// The order L of the base point, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Changes the first and the last byte.
pub(in crate::sections) fn map_ends(
    mut bytes: [u8; 32],
    map: impl Fn(u8, u8) -> (u8, u8),
) -> [u8; 32] {
    let [first, .., last] = &mut bytes;
    (*first, *last) = map(*first, *last);
    bytes
}

/// Sets bit 255.
pub(in crate::sections) fn with_high_bit(bytes: [u8; 32]) -> [u8; 32] {
    map_ends(bytes, |first, last| (first, last | 0x80))
}

/// A small field element.
pub(in crate::sections) fn small(value: u8) -> [u8; 32] {
    map_ends([0; 32], |_, last| (value, last))
}

/// p + `offset`, not reduced; at most p + 18 fits 255 bits.
pub(in crate::sections) fn p_plus(offset: u8) -> [u8; 32] {
    map_ends([0xff; 32], |_, _| (0xed_u8.saturating_add(offset), 0x7f))
}

/// p - `offset`.
pub(in crate::sections) fn p_minus(offset: u8) -> [u8; 32] {
    map_ends([0xff; 32], |_, _| (0xed_u8.saturating_sub(offset), 0x7f))
}

/// Hex of a point on the Montgomery curve.
pub(in crate::sections) fn hex_of(point: &MontgomeryPoint) -> String {
    hex::encode(point.to_bytes())
}

/// The five canonical encodings whose X25519 results are all zero: four points of the curve, one of the twist.
pub(in crate::sections) fn small_order() -> Vec<(&'static str, [u8; 32])> {
    let mut points = vec![("0", small(0)), ("1", small(1)), ("p-minus-1", p_minus(1))];
    let names = ["order-8-a", "order-8-b"];
    for (name, torsion) in names
        .into_iter()
        .zip(EIGHT_TORSION.iter().skip(1).step_by(2))
    {
        points.push((name, torsion.to_montgomery().to_bytes()));
    }
    points
}

/// The multiple of the base point by these bytes modulo L.
pub(in crate::sections) fn point(bytes: &[u8; 32]) -> EdwardsPoint {
    EdwardsPoint::mul_base(&Scalar::from_bytes_mod_order(*bytes))
}

/// The six encodings of points of small order that are not canonical: y = p or p + 1 for 0 or 1, and x = 0 with the
/// sign bit set.
pub(in crate::sections) fn not_canonical() -> [(&'static str, [u8; 32]); 6] {
    [
        ("y-1-sign", with_high_bit(small(1))),
        ("y-p-minus-1-sign", with_high_bit(p_minus(1))),
        ("y-p", p_plus(0)),
        ("y-p-sign", with_high_bit(p_plus(0))),
        ("y-p-plus-1", p_plus(1)),
        ("y-p-plus-1-sign", with_high_bit(p_plus(1))),
    ]
}

/// The point that lenient implementations read from these bytes.
pub(in crate::sections) fn lenient(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*bytes).decompress()
}

/// Bytes that are the y of no point.
pub(in crate::sections) fn no_point() -> Option<[u8; 32]> {
    (2..=255).map(small).find(|bytes| lenient(bytes).is_none())
}

/// `SHA-512(R || A || message)`: modulo L, as the equation uses it, and its lowest byte before that.
pub(in crate::sections) struct Challenge {
    pub(in crate::sections) k: Scalar,
    pub(in crate::sections) unreduced: u8,
}

fn challenge(r: &[u8; 32], public: &[u8; 32], message: &[u8]) -> Challenge {
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(public)
        .chain_update(message)
        .finalize();
    Challenge {
        k: Scalar::from_bytes_mod_order_wide(&hash.into()),
        unreduced: hash.first().copied().unwrap_or_default(),
    }
}

/// A public key, a message and a signature.
pub(in crate::sections) struct Forgery {
    pub(in crate::sections) public: [u8; 32],
    pub(in crate::sections) message: Vec<u8>,
    pub(in crate::sections) signature: [u8; 64],
}

/// Makes Ed25519 signatures from their parts: the scalars of A and R, to which points of small order are added.
pub(in crate::sections) struct Forger {
    pub(in crate::sections) scalar: Scalar,
    pub(in crate::sections) nonce: Scalar,
}

impl Forger {
    pub(in crate::sections) fn new(scalar: &[u8; 32], nonce: &[u8; 32]) -> Self {
        Self {
            scalar: Scalar::from_bytes_mod_order(*scalar),
            nonce: Scalar::from_bytes_mod_order(*nonce),
        }
    }

    /// A signature under `A + key_torsion` with `R + nonce_torsion`, for the first message whose challenge `wanted`
    /// takes and that leaves of `nonce_torsion + k key_torsion` nothing, so that the cofactorless equation holds, or
    /// a `residue`, so that only the cofactored one does.
    pub(in crate::sections) fn mixed(
        &self,
        key_torsion: EdwardsPoint,
        nonce_torsion: EdwardsPoint,
        residue: bool,
        wanted: impl Fn(&Challenge) -> bool,
    ) -> Option<Forgery> {
        let public = EdwardsPoint::mul_base(&self.scalar) + key_torsion;
        let r = EdwardsPoint::mul_base(&self.nonce) + nonce_torsion;
        self.encoded(public.compress().0, r.compress().0, |challenge| {
            let rest = nonce_torsion + challenge.k * key_torsion;
            rest.is_identity() != residue && wanted(challenge)
        })
    }

    /// A signature whose key and R are these bytes, for the first message whose challenge `wanted` takes.
    pub(in crate::sections) fn encoded(
        &self,
        public: [u8; 32],
        r: [u8; 32],
        wanted: impl Fn(&Challenge) -> bool,
    ) -> Option<Forgery> {
        (0u32..10_000).find_map(|attempt| {
            let message = format!("subrosa edge case {attempt}").into_bytes();
            let challenge = challenge(&r, &public, &message);
            if !wanted(&challenge) {
                return None;
            }
            let s = self.nonce + challenge.k * self.scalar;
            let signature = join(&r, s.as_bytes());
            Some(Forgery {
                public,
                message,
                signature,
            })
        })
    }
}

/// The signature of `message` by the key of `seed` with another nonce than RFC 8032 derives: it holds all the same.
pub(in crate::sections) fn sign_with_nonce(
    seed: &[u8; 32],
    nonce: &[u8; 32],
    message: &[u8],
) -> [u8; 64] {
    let hash = Sha512::digest(seed);
    let scalar = clamp_integer(hash.first_chunk().copied().unwrap_or_default());
    let forger = Forger::new(&scalar, nonce);
    let public = EdwardsPoint::mul_base(&forger.scalar).compress().0;
    let r = EdwardsPoint::mul_base(&forger.nonce).compress().0;
    let s = forger.nonce + challenge(&r, &public, message).k * forger.scalar;
    join(&r, s.as_bytes())
}

/// R and S in one signature.
pub(in crate::sections) fn join(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    let mut signature = [0; 64];
    for (to, from) in signature.iter_mut().zip(r.iter().chain(s)) {
        *to = *from;
    }
    signature
}

/// The signature with S + `times` L in place of S, where that fits 256 bits.
pub(in crate::sections) fn add_order(signature: &[u8; 64], times: usize) -> Option<[u8; 64]> {
    let mut changed = *signature;
    for _ in 0..times {
        let mut carry = 0u16;
        for (byte, addend) in changed.iter_mut().skip(32).zip(ORDER) {
            let sum = u16::from(*byte)
                .saturating_add(addend.into())
                .saturating_add(carry);
            *byte = sum.to_le_bytes().first().copied().unwrap_or_default();
            carry = sum >> 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(changed)
}

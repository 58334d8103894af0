//! Ed25519 (RFC 8032) with one acceptance rule (SPEC §3.4): canonical `S`, `A` and `R`; small-order `A` and `R`
//! refused; the cofactorless equation.

use core::fmt;

use ed25519_dalek::Verifier as _;

use super::backend::Signer;
use super::hex::write_hex;
use super::{Error, Secret, counted};

mod batch;

pub use batch::Batch;

/// Bytes of a verifying key.
pub const VERIFYING_KEY: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// A signature, not yet verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub [u8; SIGNATURE]);

impl Signature {
    /// SPEC §3.4: whether R is the canonical encoding of a point of small order.
    fn has_small_order_point(&self) -> bool {
        has_small_order(self.0.first_chunk::<32>().unwrap_or(&[0; 32]))
    }
}

/// Whether a point in its canonical encoding is of small order.
fn has_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        // The sign of x.
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&y)
}

/// A signing key. The verifying key is always its own: no call takes one beside it.
pub struct SigningKey(Signer);

impl SigningKey {
    /// Expands the 32-byte seed of RFC 8032 §5.1.5.
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        counted!(DhKey);
        Self(Signer::new(seed))
    }

    /// The seed.
    pub(crate) fn seed(&self) -> Secret<32> {
        self.0.seed()
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.public())
    }

    /// Signs `message`, which begins with a label.
    ///
    /// # Errors
    /// [`Error::TooLong`] is kept for backends that can refuse a message; the one in use never does.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        counted!(Sign);
        self.0.sign(message).map(Signature)
    }
}

/// A verifying key as 32 bytes; whether they are a key is decided with each signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey(pub [u8; VERIFYING_KEY]);

impl VerifyingKey {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; VERIFYING_KEY] {
        &self.0
    }

    /// Verifies by the rule of SPEC §3.4. For a key of several signatures, [`Verifier`] is faster.
    ///
    /// # Errors
    /// [`Error::BadSignature`], whatever the reason.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        Verifier::new(self)?.verify(message, signature)
    }

    /// SPEC §3.4-R2: y below p. (A point with x = 0 and the sign bit set has small order and is refused as such.)
    fn require_canonical(&self) -> Result<(), Error> {
        let [first, middle @ .., last] = &self.0;
        let at_least_p =
            *last & 0x7f == 0x7f && *first >= 0xed && middle.iter().all(|byte| *byte == 0xff);
        if at_least_p {
            return Err(Error::BadSignature);
        }
        Ok(())
    }
}

/// A verifying key that is one: canonical, on the curve, not of small order. A signature of it costs one point less to
/// decompress.
pub struct Verifier(ed25519_dalek::VerifyingKey);

impl Verifier {
    /// Checks the key by the rule of SPEC §3.4.
    ///
    /// # Errors
    /// [`Error::BadSignature`]: no signature of such a key is accepted.
    pub fn new(key: &VerifyingKey) -> Result<Self, Error> {
        key.require_canonical()?;
        if has_small_order(&key.0) {
            return Err(Error::BadSignature);
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key.0);
        Ok(Self(key.map_err(|_| Error::BadSignature)?))
    }

    /// Verifies by the rule of SPEC §3.4.
    ///
    /// # Errors
    /// [`Error::BadSignature`], whatever the reason.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        counted!(Verify);
        if signature.has_small_order_point() {
            return Err(Error::BadSignature);
        }
        // Refuses S >= L. It compares R as bytes with the encoding of the point that it should be, and so refuses any
        // encoding that is not canonical, without taking it apart.
        self.0
            .verify(message, &ed25519_dalek::Signature::from_bytes(&signature.0))
            .map_err(|_| Error::BadSignature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, "VerifyingKey", &self.0)
    }
}

/// The y-coordinates of the eight points whose order divides 8: 1 and -1, 0 (twice), and those of order 8 (twice each).
pub(crate) const SMALL_ORDER: [[u8; 32]; 5] = [
    [
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

//! RustCrypto's AES-GCM and the curves of the dalek project: Rust for every machine, which use what the processor has.

use aes_gcm::KeyInit;
use aes_gcm::aead::{AeadInOut, inout::InOutBuf};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

use crate::crypto::error::Error;
use crate::crypto::secret::Secret;

/// AES-256-GCM without associated data.
pub struct Gcm(aes_gcm::Aes256Gcm);

impl Gcm {
    pub fn new(key: &[u8; 32]) -> Self {
        Self(aes_gcm::Aes256Gcm::new(key.into()))
    }

    pub fn seal(&self, nonce: &[u8; 12], text: &mut [u8]) -> Result<[u8; 16], Error> {
        self.seal_both(nonce, InOutBuf::from(text))
    }

    pub fn seal_into(
        &self,
        nonce: &[u8; 12],
        text: &[u8],
        to: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        let both = InOutBuf::new(text, to).map_err(|_| Error::TooLong)?;
        self.seal_both(nonce, both)
    }

    fn seal_both(&self, nonce: &[u8; 12], both: InOutBuf<'_, '_, u8>) -> Result<[u8; 16], Error> {
        self.0
            .encrypt_inout_detached(nonce.into(), &[], both)
            .map(Into::into)
            .map_err(|_| Error::TooLong)
    }

    pub fn open(&self, nonce: &[u8; 12], text: &mut [u8], tag: &[u8; 16]) -> Result<(), Error> {
        let both = InOutBuf::from(&mut *text);
        let opened = self
            .0
            .decrypt_inout_detached(nonce.into(), &[], both, tag.into());
        opened.map_err(|_| {
            text.fill(0);
            Error::Decryption
        })
    }

    pub fn open_into(
        &self,
        nonce: &[u8; 12],
        sealed: &[u8],
        to: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        let both = InOutBuf::new(sealed, to).map_err(|_| Error::Decryption)?;
        let opened = self
            .0
            .decrypt_inout_detached(nonce.into(), &[], both, tag.into());
        opened.map_err(|_| {
            to.fill(0);
            Error::Decryption
        })
    }
}

/// The public half of a private key of X25519.
pub fn public_key(secret: &Secret<32>) -> [u8; 32] {
    EdwardsPoint::mul_base_clamped(*secret.expose())
        .to_montgomery()
        .to_bytes()
}

/// A public key of X25519 in the form in which it is multiplied. It gives what the ladder of RFC 7748 §5 gives, bit for bit,
/// for every key (SPEC §3.3). A key on the curve takes half the time of the ladder; one on its twist, as no honest device
/// makes it, takes the ladder. Which of the two is public; the private key meets constant time on both.
#[derive(Clone)]
pub enum Point {
    /// One of the two points of the twisted Edwards form (RFC 7748 §4.1) that the u-coordinate stands for. The other
    /// one is its negative, whose multiples have the same u-coordinates.
    ///
    /// `mul_clamped` multiplies by the clamped integer itself, with complete formulas, and does not reduce it modulo the
    /// order of the base point. A multiple of 8 lets go of any torsion in the point, as the ladder does, and a point of
    /// small order becomes the identity, whose u-coordinate `to_montgomery` gives as 0, as the ladder does.
    Curve(EdwardsPoint),
    Twist(MontgomeryPoint),
}

impl Point {
    pub fn new(public: &[u8; 32]) -> Self {
        let point = MontgomeryPoint(*public);
        match point.to_edwards(0) {
            Some(point) => Self::Curve(point),
            None => Self::Twist(point),
        }
    }

    /// What the ladder gives, which is all zero for a point of small order.
    pub fn multiply(&self, secret: &Secret<32>) -> Secret<32> {
        let secret = secret.expose();
        let shared = Zeroizing::new(match self {
            Self::Curve(point) => Zeroizing::new(point.mul_clamped(*secret)).to_montgomery(),
            Self::Twist(point) => point.mul_clamped(*secret),
        });
        Secret::new(shared.to_bytes())
    }

    /// Whether it is in the prime-order subgroup of the curve, and not its identity.
    pub fn has_prime_order(&self) -> bool {
        match self {
            Self::Curve(point) => point.is_torsion_free() && !point.is_small_order(),
            Self::Twist(_) => false,
        }
    }
}

/// A private key of Ed25519.
pub struct Signer(ed25519_dalek::SigningKey);

impl Signer {
    pub fn new(seed: &Secret<32>) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed.expose()))
    }

    pub fn seed(&self) -> Secret<32> {
        Secret::new(self.0.to_bytes())
    }

    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
        let signature = self.0.try_sign(message).map_err(|_| Error::TooLong)?;
        Ok(signature.to_bytes())
    }
}

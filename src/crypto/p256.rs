//! NIST P-256: ECDH (SP 800-56A §5.7.1.2) and deterministic ECDSA with SHA-256 (FIPS 186-5, RFC 6979), as cipher suite 2 of
//! RFC 9420 asks for them. Public keys are uncompressed points, signatures DER (RFC 8446 §4.2.8.2, RFC 9420 §5.1.2).

use core::fmt;

use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{self, DerSignature};
use p256::elliptic_curve::ecdh::diffie_hellman;

use super::hex::write_hex;
use super::{Error, Secret, counted};

/// Bytes of a public key: 4, then both coordinates.
pub const PUBLIC_KEY: usize = 65;
/// Bytes of a private key.
pub const PRIVATE_KEY: usize = 32;

/// A point on the curve, not the one at infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    point: p256::PublicKey,
    bytes: [u8; PUBLIC_KEY],
}

impl PublicKey {
    /// Parses an uncompressed point.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] for any other form, and for what is not on the curve.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: &[u8; PUBLIC_KEY] = bytes.try_into().map_err(|_| Error::InvalidKey)?;
        if bytes.first() != Some(&4) {
            return Err(Error::InvalidKey);
        }
        let point = p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| Error::InvalidKey)?;
        Ok(Self {
            point,
            bytes: *bytes,
        })
    }

    fn of(point: p256::PublicKey) -> Self {
        let encoded = ecdsa::VerifyingKey::from(&point).to_sec1_point(false);
        let mut bytes = [0; PUBLIC_KEY];
        for (to, from) in bytes.iter_mut().zip(encoded.as_bytes()) {
            *to = *from;
        }
        Self { point, bytes }
    }

    /// The uncompressed point.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; PUBLIC_KEY] {
        &self.bytes
    }

    /// Verifies an ECDSA signature over SHA-256 of `message`. Of each signature there are two, `s` and `n - s`, and both
    /// are accepted, as the standard has it.
    ///
    /// # Errors
    /// [`Error::BadSignature`], whatever the reason: not DER, out of range, or not of this key and message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        counted!(Verify);
        let signature = DerSignature::from_bytes(signature).map_err(|_| Error::BadSignature)?;
        ecdsa::VerifyingKey::from(&self.point)
            .verify(message, &signature)
            .map_err(|_| Error::BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, "PublicKey", &self.bytes)
    }
}

/// A private key with its public half, for agreement or for signatures, never for both.
pub struct KeyPair {
    secret: p256::SecretKey,
    public: PublicKey,
}

impl KeyPair {
    /// The key with this private half, a number from 1 to n - 1, big-endian.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] for any other number.
    pub fn from_secret(secret: &Secret<PRIVATE_KEY>) -> Result<Self, Error> {
        counted!(DhKey);
        let secret = p256::SecretKey::from_slice(secret.expose()).map_err(|_| Error::InvalidKey)?;
        let public = PublicKey::of(secret.public_key());
        Ok(Self { secret, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The private half.
    pub(crate) fn secret(&self) -> Secret<PRIVATE_KEY> {
        Secret::new(self.secret.to_bytes().into())
    }

    /// A second instance.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            secret: self.secret.clone(),
            public: self.public,
        }
    }

    /// The x-coordinate of the shared point.
    #[must_use]
    pub fn agree(&self, peer: &PublicKey) -> Secret<32> {
        counted!(Dh);
        let shared = diffie_hellman(self.secret.to_nonzero_scalar(), peer.point.as_affine());
        Secret::new((*shared.raw_secret_bytes()).into())
    }

    /// Signs SHA-256 of `message`; the nonce is that of RFC 6979. DER, of at most 72 bytes, goes to `write`.
    ///
    /// # Errors
    /// [`Error::TooLong`] is kept for backends that can refuse a message; the one in use never does.
    pub fn sign<T>(&self, message: &[u8], write: impl FnOnce(&[u8]) -> T) -> Result<T, Error> {
        counted!(Sign);
        let key = ecdsa::SigningKey::from(&self.secret);
        let signature: DerSignature = key.try_sign(message).map_err(|_| Error::TooLong)?;
        Ok(write(signature.as_bytes()))
    }
}

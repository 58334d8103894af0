//! Ed25519 (RFC 8032) with one acceptance rule (SPEC §3.4): canonical `S`, `A` and `R`; small-order `A` and `R`
//! refused; the cofactorless equation.

use core::fmt;

use ed25519_dalek::Signer;

use super::{Error, Secret, counted};

/// Bytes of a verifying key.
pub const VERIFYING_KEY: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// A signature, not yet verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub [u8; SIGNATURE]);

/// A signing key. The verifying key is always its own: no call takes one beside it.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Expands the 32-byte seed of RFC 8032 §5.1.5.
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        counted!(DhKey);
        Self(ed25519_dalek::SigningKey::from_bytes(seed.expose()))
    }

    /// The seed.
    pub(crate) fn seed(&self) -> Secret<32> {
        Secret::new(self.0.to_bytes())
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `message`, which begins with a label.
    ///
    /// # Errors
    /// [`Error::TooLong`] is kept for backends that can refuse a message; the one in use never does.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        counted!(Sign);
        let signature = self.0.try_sign(message).map_err(|_| Error::TooLong)?;
        Ok(Signature(signature.to_bytes()))
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

    /// Verifies by the rule of SPEC §3.4.
    ///
    /// # Errors
    /// [`Error::BadSignature`], whatever the reason.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        counted!(Verify);
        self.require_canonical()?;
        let key =
            ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(|_| Error::BadSignature)?;
        // Refuses S >= L, an R that is not canonical, and A or R of small order.
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0))
            .map_err(|_| Error::BadSignature)
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

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey(")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

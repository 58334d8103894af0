//! In the place of `src/crypto/sign.rs`: a signature is a digest of the verifying key and the message. Anybody can make
//! one; what was changed in between does not fit it.

use core::fmt;

use super::hash::mix::digest;
use super::{Error, Secret, counted};

/// Bytes of a verifying key.
pub const VERIFYING_KEY: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// A signature, not yet verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub [u8; SIGNATURE]);

/// A signing key.
pub struct SigningKey(Secret<32>);

impl SigningKey {
    /// Takes over the seed.
    #[must_use]
    pub const fn from_seed(seed: &Secret<32>) -> Self {
        counted!(DhKey);
        Self(seed.duplicate())
    }

    /// The seed.
    pub(crate) const fn seed(&self) -> Secret<32> {
        self.0.duplicate()
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(digest(&[self.0.expose()]))
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// None.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        counted!(Sign);
        Ok(self.verifying_key().signature(message))
    }
}

/// A verifying key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey(pub [u8; VERIFYING_KEY]);

impl VerifyingKey {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; VERIFYING_KEY] {
        &self.0
    }

    /// Compares the signature with the one that it should be.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        Verifier::new(self)?.verify(message, signature)
    }

    fn signature(&self, message: &[u8]) -> Signature {
        Signature(digest(&[&self.0, message]))
    }
}

/// A verifying key that is one; all zero stands for those that are none.
pub struct Verifier(VerifyingKey);

impl Verifier {
    /// Checks the key.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn new(key: &VerifyingKey) -> Result<Self, Error> {
        if key.0 == [0; VERIFYING_KEY] {
            return Err(Error::BadSignature);
        }
        Ok(Self(*key))
    }

    /// Compares the signature with the one that it should be.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        counted!(Verify);
        if self.0.signature(message) == *signature {
            Ok(())
        } else {
            Err(Error::BadSignature)
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({:02x?})", self.0)
    }
}

/// Signatures that are verified together: one after the other.
#[derive(Default)]
pub struct Batch {
    held: Option<Error>,
}

impl Batch {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { held: None }
    }

    /// Adds a signature.
    pub fn add(&mut self, key: VerifyingKey, message: &[u8], signature: Signature) {
        self.held = self.held.or(key.verify(message, &signature).err());
    }

    /// Verifies all of them.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn verify(self) -> Result<(), Error> {
        self.held.map_or(Ok(()), Err)
    }
}

//! Signature keys of a suite's scheme, and signatures under a label (RFC 9420 §5.1.2).

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::codec::Codec;
use super::error::Error;
use super::suite::{CipherSuite, Scheme, Suite, sign_content};
use crate::crypto::hedge::fresh;
use crate::crypto::{Secret, TryCryptoRng, p256, sign};
use crate::memory;
use crate::wire::{self, Reader, Writer};

/// Bytes of a `SignaturePublicKey`, not yet known to be a key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignaturePublicKey(pub Vec<u8>);

/// A public key, taken apart for several signatures.
pub(super) enum ReadyKey {
    Ed25519(sign::Verifier),
    EcdsaP256(p256::PublicKey),
}

impl ReadyKey {
    pub(super) fn new(suite: &Suite, key: &SignaturePublicKey) -> Result<Self, Error> {
        Ok(match suite.scheme {
            Scheme::Ed25519 => {
                let key = key.0.as_slice().try_into().map_err(|_| Error::InvalidKey)?;
                Self::Ed25519(sign::Verifier::new(&sign::VerifyingKey(key))?)
            }
            Scheme::EcdsaP256 => Self::EcdsaP256(p256::PublicKey::from_bytes(&key.0)?),
        })
    }

    /// `VerifyWithLabel`.
    pub(super) fn verify(
        &self,
        label: &[u8],
        content: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let content = Zeroizing::new(sign_content(label, content)?);
        match self {
            Self::Ed25519(key) => {
                let signature = signature.try_into().map_err(|_| Error::BadSignature)?;
                key.verify(&content, &sign::Signature(signature))?;
            }
            Self::EcdsaP256(key) => key.verify(&content, signature)?,
        }
        Ok(())
    }
}

impl SignaturePublicKey {
    /// `VerifyWithLabel`.
    pub(super) fn verify(
        &self,
        suite: &Suite,
        label: &[u8],
        content: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        ReadyKey::new(suite, self)?.verify(label, content, signature)
    }
}

impl SignaturePublicKey {
    /// Puts an Ed25519 signature over `content`, which has its label, to others that are verified with it.
    pub(super) fn add_to(
        &self,
        batch: &mut sign::Batch,
        content: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let key = self
            .0
            .as_slice()
            .try_into()
            .map_err(|_| Error::InvalidKey)?;
        let signature = signature.try_into().map_err(|_| Error::BadSignature)?;
        batch.add(sign::VerifyingKey(key), content, sign::Signature(signature));
        Ok(())
    }
}

impl fmt::Debug for SignaturePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::crypto::hex::write_hex(f, "SignaturePublicKey", &self.0)
    }
}

impl Codec for SignaturePublicKey {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self(Vec::read(reader)?))
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.0.write(writer)
    }
}

/// A private signature key, kept ready, with its public half.
pub struct Signer {
    key: Key,
    public: SignaturePublicKey,
}

enum Key {
    Ed25519(sign::SigningKey),
    EcdsaP256(p256::KeyPair),
}

impl Signer {
    /// A new key for groups of this suite.
    ///
    /// # Errors
    /// [`Error::UnsupportedSuite`], [`Error::Rng`].
    pub fn generate(
        suite: CipherSuite,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Self, Error> {
        let secret = fresh(rng)?;
        match Suite::of(suite)?.scheme {
            Scheme::Ed25519 => Self::from_secret(suite, &secret),
            // Of 2^32 strings one is no key; HPKE's derivation passes over it.
            Scheme::EcdsaP256 => {
                let pair = crate::crypto::hpke::Kem::P256.derive_key_pair(secret.expose())?;
                Self::from_secret(suite, &pair.secret())
            }
        }
    }

    /// The key with this private half: the seed of Ed25519, or P-256's number, big-endian.
    ///
    /// # Errors
    /// [`Error::UnsupportedSuite`]; [`Error::InvalidKey`] if the number is out of range.
    pub fn from_secret(suite: CipherSuite, secret: &Secret<32>) -> Result<Self, Error> {
        Ok(match Suite::of(suite)?.scheme {
            Scheme::Ed25519 => {
                let key = sign::SigningKey::from_seed(secret);
                Self {
                    public: SignaturePublicKey(memory::copied(key.verifying_key().as_bytes())),
                    key: Key::Ed25519(key),
                }
            }
            Scheme::EcdsaP256 => {
                let pair = p256::KeyPair::from_secret(secret)?;
                Self {
                    public: SignaturePublicKey(memory::copied(pair.public().as_bytes())),
                    key: Key::EcdsaP256(pair),
                }
            }
        })
    }

    /// The private half, from which the key can be made again.
    #[must_use]
    pub fn secret(&self) -> Secret<32> {
        match &self.key {
            Key::Ed25519(key) => key.seed(),
            Key::EcdsaP256(pair) => pair.secret(),
        }
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &SignaturePublicKey {
        &self.public
    }

    /// Whether the key signs in groups of this suite.
    pub(super) fn require(&self, suite: &Suite) -> Result<(), Error> {
        match (&self.key, suite.scheme) {
            (Key::Ed25519(_), Scheme::Ed25519) | (Key::EcdsaP256(_), Scheme::EcdsaP256) => Ok(()),
            _ => Err(Error::InvalidKey),
        }
    }

    /// `SignWithLabel`.
    pub(super) fn sign(&self, label: &[u8], content: &[u8]) -> Result<Vec<u8>, Error> {
        let content = Zeroizing::new(sign_content(label, content)?);
        Ok(match &self.key {
            Key::Ed25519(key) => memory::copied(&key.sign(&content)?.0),
            Key::EcdsaP256(pair) => pair.sign(&content, memory::copied)?,
        })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, public } = self;
        f.debug_struct("Signer")
            .field("public", public)
            .finish_non_exhaustive()
    }
}

//! graviola, where the processor has what it needs, and [`portable`] where it has not.
//!
//! It is chosen because it needs nothing but the Rust compiler (its assembler is inline), so that whoever can build this
//! library can build it with the feature, for a phone as well; and because its curve arithmetic is that of s2n-bignum, which
//! is proved correct and runs in aws-lc, too.
//!
//! What a call of it panics on is excluded before: a processor without the instructions, and a key of another length.

use alloc::boxed::Box;

use graviola::aead::AesGcm;
use graviola::key_agreement::x25519::{PublicKey, StaticPrivateKey};
use graviola::signing::eddsa::Ed25519SigningKey;
use graviola::util::is_cpu_supported;

use super::portable;
use crate::crypto::error::Error;
use crate::crypto::secret::Secret;

/// Longest text (NIST SP 800-38D §5.2.1.1: 2^39 - 256 bits), which is not checked below.
const TEXT_MAX: u64 = (1 << 36) - 32;

fn is_too_long(text: &[u8]) -> bool {
    text.len() as u64 > TEXT_MAX
}

/// AES-256-GCM without associated data.
pub enum Gcm {
    Fast(Box<AesGcm>),
    Portable(Box<portable::Gcm>),
}

impl Gcm {
    pub fn new(key: &[u8; 32]) -> Self {
        Self::on(is_cpu_supported(), key)
    }

    fn on(supported: bool, key: &[u8; 32]) -> Self {
        if supported {
            Self::Fast(Box::new(AesGcm::new(key)))
        } else {
            Self::Portable(Box::new(portable::Gcm::new(key)))
        }
    }

    pub fn seal(&self, nonce: &[u8; 12], text: &mut [u8]) -> Result<[u8; 16], Error> {
        match self {
            Self::Portable(gcm) => gcm.seal(nonce, text),
            Self::Fast(_) if is_too_long(text) => Err(Error::TooLong),
            Self::Fast(gcm) => {
                let mut tag = [0; 16];
                gcm.encrypt(nonce, &[], text, &mut tag);
                Ok(tag)
            }
        }
    }

    pub fn seal_into(
        &self,
        nonce: &[u8; 12],
        text: &[u8],
        to: &mut [u8],
    ) -> Result<[u8; 16], Error> {
        if let Self::Portable(gcm) = self {
            return gcm.seal_into(nonce, text, to);
        }
        if text.len() != to.len() || is_too_long(text) {
            return Err(Error::TooLong);
        }
        to.copy_from_slice(text);
        self.seal(nonce, to)
    }

    pub fn open(&self, nonce: &[u8; 12], text: &mut [u8], tag: &[u8; 16]) -> Result<(), Error> {
        match self {
            Self::Portable(gcm) => gcm.open(nonce, text, tag),
            Self::Fast(_) if is_too_long(text) => Err(Error::Decryption),
            // It decrypts before it compares the tag, and overwrites what it was given if that is another one.
            Self::Fast(gcm) => gcm
                .decrypt(nonce, &[], text, tag)
                .map_err(|_| Error::Decryption),
        }
    }

    pub fn open_into(
        &self,
        nonce: &[u8; 12],
        sealed: &[u8],
        to: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Error> {
        match self {
            Self::Portable(gcm) => gcm.open_into(nonce, sealed, to, tag),
            Self::Fast(_) if sealed.len() != to.len() || is_too_long(sealed) => {
                Err(Error::Decryption)
            }
            Self::Fast(_) => {
                to.copy_from_slice(sealed);
                self.open(nonce, to, tag)
            }
        }
    }
}

/// The public half of a private key of X25519.
pub fn public_key(secret: &Secret<32>) -> [u8; 32] {
    if !is_cpu_supported() {
        return portable::public_key(secret);
    }
    StaticPrivateKey::from_array(secret.expose())
        .public_key()
        .as_bytes()
}

/// A public key of X25519. The ladder takes it as it is.
#[derive(Clone)]
pub enum Point {
    Fast([u8; 32]),
    Portable(portable::Point),
}

impl Point {
    pub fn new(public: &[u8; 32]) -> Self {
        Self::on(is_cpu_supported(), public)
    }

    fn on(supported: bool, public: &[u8; 32]) -> Self {
        if supported {
            Self::Fast(*public)
        } else {
            Self::Portable(portable::Point::new(public))
        }
    }

    pub fn multiply(&self, secret: &Secret<32>) -> Secret<32> {
        match self {
            Self::Portable(point) => point.multiply(secret),
            Self::Fast(public) => {
                let secret = StaticPrivateKey::from_array(secret.expose());
                // It refuses nothing but an all-zero result: SPEC §3.3-R3 is applied above, for both.
                let shared = secret.diffie_hellman(&PublicKey::from_array(public));
                shared.map_or(Secret::zero(), |shared| Secret::new(shared.0))
            }
        }
    }

    pub fn has_prime_order(&self) -> bool {
        match self {
            Self::Portable(point) => point.has_prime_order(),
            Self::Fast(public) => portable::Point::new(public).has_prime_order(),
        }
    }
}

/// A private key of Ed25519.
pub enum Signer {
    Fast {
        key: Ed25519SigningKey,
        seed: Secret<32>,
    },
    Portable(portable::Signer),
}

impl Signer {
    pub fn new(seed: &Secret<32>) -> Self {
        Self::on(is_cpu_supported(), seed)
    }

    fn on(supported: bool, seed: &Secret<32>) -> Self {
        let key = supported.then(|| Ed25519SigningKey::from_bytes(seed.expose()));
        match key {
            Some(Ok(key)) => Self::Fast {
                key,
                seed: seed.duplicate(),
            },
            _ => Self::Portable(portable::Signer::new(seed)),
        }
    }

    pub fn seed(&self) -> Secret<32> {
        match self {
            Self::Portable(signer) => signer.seed(),
            Self::Fast { seed, .. } => seed.duplicate(),
        }
    }

    pub fn public(&self) -> [u8; 32] {
        match self {
            Self::Portable(signer) => signer.public(),
            Self::Fast { key, .. } => key.public_key().as_bytes(),
        }
    }

    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
        match self {
            Self::Portable(signer) => signer.sign(message),
            Self::Fast { key, .. } => Ok(key.sign(message)),
        }
    }
}

#[cfg(test)]
mod tests;

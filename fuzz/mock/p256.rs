//! In the place of `src/crypto/p256.rs`: the numbers of `dh` in the dress of points, and signatures that are digests.

use core::fmt;

use super::dh::{DhKeyPair, DhPublic};
use super::hash::mix::digest;
use super::{Error, Secret, counted};

/// Bytes of a public key.
pub const PUBLIC_KEY: usize = 65;
/// Bytes of a private key.
pub const PRIVATE_KEY: usize = 32;

/// A public key: 4, a number, and zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    number: DhPublic,
    bytes: [u8; PUBLIC_KEY],
}

impl PublicKey {
    /// Parses one.
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: &[u8; PUBLIC_KEY] = bytes.try_into().map_err(|_| Error::InvalidKey)?;
        let (first, rest) = bytes.split_first().ok_or(Error::InvalidKey)?;
        let (number, zeros) = rest.split_first_chunk().ok_or(Error::InvalidKey)?;
        if *first != 4 || zeros.iter().any(|byte| *byte != 0) {
            return Err(Error::InvalidKey);
        }
        Ok(Self {
            number: DhPublic::from_bytes(number)?,
            bytes: *bytes,
        })
    }

    fn of(number: DhPublic) -> Self {
        let mut bytes = [0; PUBLIC_KEY];
        let whole = core::iter::once(&4).chain(number.as_bytes());
        for (to, from) in bytes.iter_mut().zip(whole) {
            *to = *from;
        }
        Self { number, bytes }
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; PUBLIC_KEY] {
        &self.bytes
    }

    /// Whether a signature is the digest of the key and the message.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        counted!(Verify);
        if self.signature(message) == signature {
            Ok(())
        } else {
            Err(Error::BadSignature)
        }
    }

    fn signature(&self, message: &[u8]) -> [u8; 64] {
        digest(&[b"p256", &self.bytes, message])
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::hex::write_hex(f, "PublicKey", &self.bytes)
    }
}

/// A private key with its public half.
pub struct KeyPair {
    pair: DhKeyPair,
    public: PublicKey,
}

impl KeyPair {
    /// The key with this private half.
    ///
    /// # Errors
    /// None.
    pub fn from_secret(secret: &Secret<PRIVATE_KEY>) -> Result<Self, Error> {
        let pair = DhKeyPair::from_secret(secret.duplicate());
        let public = PublicKey::of(*pair.public());
        Ok(Self { pair, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The private half.
    pub(crate) fn secret(&self) -> Secret<PRIVATE_KEY> {
        self.pair.secret().duplicate()
    }

    /// A second instance.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            pair: self.pair.duplicate(),
            public: self.public,
        }
    }

    /// The shared number; zero where there is none.
    #[must_use]
    pub fn agree(&self, peer: &PublicKey) -> Secret<32> {
        self.pair
            .agree(&peer.number)
            .unwrap_or_else(|_| Secret::new([0; 32]))
    }

    /// Signs.
    ///
    /// # Errors
    /// None.
    pub fn sign<T>(&self, message: &[u8], write: impl FnOnce(&[u8]) -> T) -> Result<T, Error> {
        counted!(Sign);
        Ok(write(&self.public.signature(message)))
    }
}

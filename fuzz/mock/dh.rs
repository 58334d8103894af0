//! In the place of `src/crypto/dh.rs`: four numbers modulo 2^64 instead of a curve. The public key is the secret times
//! a constant, the result of two keys the product of all three: the same for both sides.

use core::fmt;

use super::{Error, Secret, counted};

/// Bytes of a public key, a private key and a result.
pub const DH: usize = 32;

/// Odd, so that an odd secret has an odd public key.
const BASE: u64 = 0xbf58_476d_1ce4_e5b9;

/// A public key in its only accepted encoding: as a number of 255 bits, below 2^255 - 19.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DhPublic([u8; DH]);

impl DhPublic {
    /// Parses a peer's key, by the rule of the real one.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] for any encoding that is not canonical.
    pub fn from_bytes(bytes: &[u8; DH]) -> Result<Self, Error> {
        let [first, middle @ .., last] = bytes;
        let at_least_p = *last == 0x7f && *first >= 0xed && middle.iter().all(|byte| *byte == 0xff);
        if *last > 0x7f || at_least_p {
            return Err(Error::InvalidKey);
        }
        Ok(Self(*bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; DH] {
        &self.0
    }

    /// [`DhPoint::require_prime_order`].
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub fn require_prime_order(&self) -> Result<(), Error> {
        DhPoint::new(self).require_prime_order()
    }
}

impl fmt::Debug for DhPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DhPublic({:02x?})", self.0)
    }
}

/// A key pair.
pub struct DhKeyPair {
    secret: Secret<DH>,
    public: DhPublic,
}

impl DhKeyPair {
    /// Computes the public half of `secret`.
    #[must_use]
    pub fn from_secret(secret: Secret<DH>) -> Self {
        counted!(DhKey);
        let [a, b, c, _] = numbers(secret.expose());
        let public = [a | 1, b | 1, c | 1, 0].map(|number| number.wrapping_mul(BASE));
        Self {
            secret,
            public: DhPublic(bytes(public)),
        }
    }

    /// Joins halves that were stored together.
    pub(crate) const fn from_stored(secret: Secret<DH>, public: DhPublic) -> Self {
        Self { secret, public }
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &DhPublic {
        &self.public
    }

    /// The private half.
    pub(crate) const fn secret(&self) -> &Secret<DH> {
        &self.secret
    }

    /// A second instance.
    pub(crate) const fn duplicate(&self) -> Self {
        Self {
            secret: self.secret.duplicate(),
            public: self.public,
        }
    }

    /// What both sides get.
    ///
    /// # Errors
    /// [`Error::NonContributory`] if it is all zero.
    pub fn agree(&self, peer: &DhPublic) -> Result<Secret<DH>, Error> {
        self.agree_at(&DhPoint::new(peer))
    }

    /// What both sides get.
    ///
    /// # Errors
    /// [`Error::NonContributory`] if it is all zero.
    pub fn agree_at(&self, peer: &DhPoint) -> Result<Secret<DH>, Error> {
        counted!(Dh);
        let [a, b, c, _] = numbers(self.secret.expose());
        let [x, y, z, w] = peer.0;
        let own = [a | 1, b | 1, c | 1, 1];
        let shared = bytes(
            [x, y, z, w]
                .into_iter()
                .zip(own)
                .map(|(to, by)| to.wrapping_mul(by)),
        );
        if shared == [0; DH] {
            return Err(Error::NonContributory);
        }
        Ok(Secret::new(shared))
    }
}

/// A public key as numbers.
#[derive(Clone)]
pub struct DhPoint([u64; 4]);

impl DhPoint {
    /// Takes a key apart.
    #[must_use]
    pub const fn new(public: &DhPublic) -> Self {
        Self(numbers(&public.0))
    }

    /// Refuses what no secret leads to.
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub const fn require_prime_order(&self) -> Result<(), Error> {
        match self.0 {
            [a, b, c, 0] if a & b & c & 1 == 1 => Ok(()),
            _ => Err(Error::InvalidKey),
        }
    }
}

const fn numbers(bytes: &[u8; DH]) -> [u64; 4] {
    let mut numbers = [0; 4];
    let (words, _) = bytes.as_chunks::<8>();
    let mut index = 0;
    while index < 4 {
        numbers[index] = u64::from_le_bytes(words[index]);
        index += 1;
    }
    numbers
}

fn bytes(numbers: impl IntoIterator<Item = u64>) -> [u8; DH] {
    let mut bytes = [0; DH];
    for (chunk, number) in bytes.chunks_exact_mut(8).zip(numbers) {
        chunk.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

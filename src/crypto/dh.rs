//! X25519 (RFC 7748) with canonical public keys and contributory results (SPEC §3.3).

use core::fmt;

use super::backend::{Point, public_key};
use super::hex::write_hex;
use super::{Error, Secret, counted};

/// Bytes of a public key, a private key and a result.
pub const DH: usize = 32;

/// An X25519 public key in its only accepted encoding: bit 255 clear, below 2^255 - 19.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DhPublic([u8; DH]);

impl DhPublic {
    /// Parses a peer's key (SPEC §3.3-R1).
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

    /// The 32 bytes of RFC 7748 §5.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; DH] {
        &self.0
    }

    /// [`DhPoint::require_prime_order`] of a key that is not needed prepared.
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub fn require_prime_order(&self) -> Result<(), Error> {
        DhPoint::new(self).require_prime_order()
    }
}

impl fmt::Debug for DhPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, "DhPublic", &self.0)
    }
}

/// An X25519 key pair. The private half is the 32 bytes as they were drawn; clamping happens in use.
pub struct DhKeyPair {
    secret: Secret<DH>,
    public: DhPublic,
}

impl DhKeyPair {
    /// Computes the public half of `secret`.
    #[must_use]
    pub fn from_secret(secret: Secret<DH>) -> Self {
        counted!(DhKey);
        let public = DhPublic(public_key(&secret));
        Self { secret, public }
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

    /// A second instance, for a key that plays two roles.
    pub(crate) const fn duplicate(&self) -> Self {
        Self {
            secret: self.secret.duplicate(),
            public: self.public,
        }
    }

    /// `X25519(self, peer)`. For a key of several agreements, [`agree_at`](Self::agree_at) is faster.
    ///
    /// # Errors
    /// [`Error::NonContributory`] if the result is all zero (SPEC §3.3-R3).
    pub fn agree(&self, peer: &DhPublic) -> Result<Secret<DH>, Error> {
        self.agree_at(&DhPoint::new(peer))
    }

    /// `X25519(self, peer)` with a prepared key.
    ///
    /// # Errors
    /// [`Error::NonContributory`] if the result is all zero (SPEC §3.3-R3).
    pub fn agree_at(&self, peer: &DhPoint) -> Result<Secret<DH>, Error> {
        counted!(Dh);
        let shared = peer.0.multiply(&self.secret);
        if shared == Secret::zero() {
            return Err(Error::NonContributory);
        }
        Ok(shared)
    }
}

/// A public key in the form in which it is multiplied. It gives what the ladder of RFC 7748 §5 gives, bit for bit, for
/// every key (SPEC §3.3).
#[derive(Clone)]
pub struct DhPoint(Point);

impl DhPoint {
    /// Prepares a key: about a third of an agreement, with the feature `fast` nothing.
    #[must_use]
    pub fn new(public: &DhPublic) -> Self {
        Self(Point::new(&public.0))
    }

    /// Refuses a key that is not in the prime-order subgroup of the curve: what an honest device never makes,
    /// and what has other encodings with the same results (SPEC §3.3-R2). For keys that stand for an identity.
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub fn require_prime_order(&self) -> Result<(), Error> {
        if self.0.has_prime_order() {
            return Ok(());
        }
        Err(Error::InvalidKey)
    }
}

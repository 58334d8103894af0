//! X25519 (RFC 7748) with canonical public keys and contributory results (SPEC §3.3).

use core::fmt;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::traits::IsIdentity;
use zeroize::Zeroizing;

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
        let public = EdwardsPoint::mul_base_clamped(*secret.expose()).to_montgomery();
        Self {
            secret,
            public: DhPublic(public.to_bytes()),
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
        let secret = self.secret.expose();
        let shared = Zeroizing::new(match peer.0 {
            Place::Curve(point) => Zeroizing::new(point.mul_clamped(*secret)).to_montgomery(),
            Place::Twist(point) => point.mul_clamped(*secret),
        });
        // The identity is all zero.
        if shared.is_identity() {
            return Err(Error::NonContributory);
        }
        Ok(Secret::new(shared.to_bytes()))
    }
}

/// A public key in the form in which it is multiplied. It gives what the ladder of RFC 7748 §5 gives, bit for bit, for
/// every key (SPEC §3.3). A key on the curve takes half the time of the ladder; one on its twist, as no honest device
/// makes it, takes the ladder.
#[derive(Clone)]
pub struct DhPoint(Place);

/// Which of the two is public; the private key meets constant time on both.
#[derive(Clone)]
enum Place {
    /// One of the two points of the twisted Edwards form (RFC 7748 §4.1) that the u-coordinate stands for. The other
    /// one is its negative, whose multiples have the same u-coordinates.
    ///
    /// `mul_clamped` multiplies by the clamped integer itself, with complete formulas, and does not reduce it modulo the
    /// order of the base point. A multiple of 8 lets go of any torsion in the point, as the ladder does, and a point of
    /// small order becomes the identity, whose u-coordinate `to_montgomery` gives as 0, as the ladder does.
    Curve(EdwardsPoint),
    Twist(MontgomeryPoint),
}

impl DhPoint {
    /// Prepares a key: about a third of an agreement.
    #[must_use]
    pub fn new(public: &DhPublic) -> Self {
        let point = MontgomeryPoint(public.0);
        Self(match point.to_edwards(0) {
            Some(point) => Place::Curve(point),
            None => Place::Twist(point),
        })
    }

    /// Refuses a key that is not in the prime-order subgroup of the curve: what an honest device never makes,
    /// and what has other encodings with the same results (SPEC §3.3-R2). For keys that stand for an identity.
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub fn require_prime_order(&self) -> Result<(), Error> {
        match &self.0 {
            Place::Curve(point) if point.is_torsion_free() && !point.is_small_order() => Ok(()),
            _ => Err(Error::InvalidKey),
        }
    }
}

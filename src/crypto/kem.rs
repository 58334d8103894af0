//! ML-KEM-768 (FIPS 203; SPEC §3.7). The only file that names the crate behind it.

use alloc::boxed::Box;

use libcrux_ml_kem::mlkem768;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, Secret, counted};

/// Bytes of an encapsulation key.
pub const KEM_PUBLIC: usize = 1184;
/// Bytes of a ciphertext.
pub const KEM_CIPHERTEXT: usize = 1088;
/// Bytes of a seed (d, z), the only stored form of a private key.
pub const KEM_SEED: usize = 64;
/// Bytes of an expanded decapsulation key.
const KEM_PRIVATE: usize = 2400;

/// An encapsulation key that passed the modulus check of FIPS 203 §7.2.
#[derive(Clone, PartialEq, Eq)]
pub struct KemPublic(Box<[u8; KEM_PUBLIC]>);

impl KemPublic {
    /// Parses a peer's key (SPEC §3.7-R1).
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if a coefficient is not reduced modulo q.
    pub fn from_bytes(bytes: &[u8; KEM_PUBLIC]) -> Result<Self, Error> {
        if !mlkem768::validate_public_key(&bytes.into()) {
            return Err(Error::InvalidKey);
        }
        Ok(Self(Box::new(*bytes)))
    }

    /// The 1,184 bytes of FIPS 203.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEM_PUBLIC] {
        &self.0
    }

    /// ML-KEM.Encaps_internal: the ciphertext and the shared secret of the 32 random bytes `m`.
    #[must_use]
    pub fn encapsulate(&self, m: &Secret<32>) -> (Box<[u8; KEM_CIPHERTEXT]>, Secret<32>) {
        counted!(Encapsulate);
        let (ciphertext, shared) = mlkem768::encapsulate(&(&*self.0).into(), *m.expose());
        let shared = Zeroizing::new(shared);
        (Box::new(*ciphertext.as_slice()), Secret::new(*shared))
    }
}

/// A KEM key pair, expanded for use. What is stored is the 64-byte seed (d, z), never this.
pub struct KemKeyPair {
    private: Box<Secret<KEM_PRIVATE>>,
    public: KemPublic,
}

impl KemKeyPair {
    /// ML-KEM.KeyGen_internal(d, z) with the seed d || z.
    #[must_use]
    pub fn from_seed(seed: &Secret<KEM_SEED>) -> Self {
        counted!(KemKey);
        let (private, public) = mlkem768::generate_key_pair(*seed.expose()).into_parts();
        let mut bytes = Box::new(Secret::zero());
        bytes.expose_mut().copy_from_slice(private.as_slice());
        <[u8; KEM_PRIVATE]>::from(private).zeroize();
        Self {
            private: bytes,
            public: KemPublic(Box::new(*public.as_slice())),
        }
    }

    /// The encapsulation key.
    #[must_use]
    pub const fn public(&self) -> &KemPublic {
        &self.public
    }

    /// ML-KEM.Decaps: a ciphertext that was not made for this key gives a secret that nobody else has
    /// (implicit rejection), never an error.
    #[must_use]
    pub fn decapsulate(&self, ciphertext: &[u8; KEM_CIPHERTEXT]) -> Secret<32> {
        counted!(Decapsulate);
        let private = self.private.expose().into();
        let shared = Zeroizing::new(mlkem768::decapsulate(&private, &ciphertext.into()));
        <[u8; KEM_PRIVATE]>::from(private).zeroize();
        Secret::new(*shared)
    }
}

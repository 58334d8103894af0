//! ML-KEM-768 (FIPS 203; SPEC §3.7). The only file that names the crate behind it.

use alloc::boxed::Box;

use libcrux_ml_kem::mlkem768::{self, incremental};
use zeroize::{Zeroize, Zeroizing};

use super::{Error, Secret, counted};

/// Bytes of an encapsulation key.
pub const KEM_PUBLIC: usize = 1184;
/// Bytes of an encapsulation key without the 32-byte seed of its matrix, which comes last.
pub const KEM_VECTOR: usize = 1152;
/// Bytes of a ciphertext.
pub const KEM_CIPHERTEXT: usize = 1088;
/// Bytes of the first part of a ciphertext (`c1` of FIPS 203 §5.2), for which the vector need not be known.
pub const KEM_CT1: usize = 960;
/// Bytes of the second part of a ciphertext (`c2`).
pub const KEM_CT2: usize = 128;
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

    /// Joins a key that came in two parts, of which `hash` was known before: SHA3-256 of the whole key.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if the parts are not those of `hash`, or a coefficient is not reduced modulo q.
    pub fn from_parts(
        vector: &[u8; KEM_VECTOR],
        seed: &[u8; 32],
        hash: &[u8; 32],
    ) -> Result<Self, Error> {
        incremental::validate_pk_bytes([*seed, *hash].as_flattened(), vector)
            .map_err(|_| Error::InvalidKey)?;
        let mut bytes = Box::new([0; KEM_PUBLIC]);
        for (to, from) in bytes.iter_mut().zip(vector.iter().chain(seed)) {
            *to = *from;
        }
        Ok(Self(bytes))
    }

    /// The first 1,152 bytes: the encoded vector.
    #[must_use]
    pub fn vector(&self) -> &[u8; KEM_VECTOR] {
        // A key is longer than that.
        self.0.first_chunk().unwrap_or(&[0; KEM_VECTOR])
    }

    /// The last 32 bytes: the seed of the matrix.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        // A key is longer than that.
        self.0.last_chunk().unwrap_or(&[0; 32])
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

/// ML-KEM.Encaps_internal of `m` as far as it goes without the vector of the key: the first 960 bytes of the ciphertext
/// and the shared secret, from the seed of the matrix and SHA3-256 of the whole key. As soon as the whole key is there,
/// [`KemPublic::encapsulate`] of the same `m` gives the rest.
#[must_use]
pub fn encapsulate_first(
    ek_seed: &[u8; 32],
    ek_hash: &[u8; 32],
    m: &Secret<32>,
) -> (Box<[u8; KEM_CT1]>, Secret<32>) {
    counted!(EncapsulateFirst);
    let mut ct1 = Box::new([0; KEM_CT1]);
    let mut shared = m.duplicate();
    let mut state = Box::new(Secret::<{ incremental::encaps_state_len() }>::zero());
    // Fails only on other lengths. Even then nothing would be known to others: zeros went out, and the secret is `m`.
    if let Ok(first) = incremental::encapsulate1(
        [*ek_seed, *ek_hash].as_flattened(),
        *m.expose(),
        state.expose_mut(),
        shared.expose_mut(),
    ) {
        *ct1 = first.value;
    }
    (ct1, shared)
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

    /// SHA3-256 of the encapsulation key, which the expanded private key contains: dk_PKE || ek || H(ek) || z
    /// (FIPS 203 §7.1).
    #[must_use]
    pub fn public_hash(&self) -> [u8; 32] {
        let end = self.private.expose().last_chunk::<64>();
        // A private key is longer than that.
        *end.and_then(|end| end.first_chunk()).unwrap_or(&[0; 32])
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

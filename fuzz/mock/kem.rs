//! In the place of `src/crypto/kem.rs`: bytes of the right lengths and of the right dependence on each other. A
//! ciphertext carries `m` in the open; one that was made for another key, or changed, gives a secret of its own.

use alloc::boxed::Box;

use super::hash::mix::{digest, mix, spread};
use super::{Error, Secret, counted};

/// Bytes of an encapsulation key.
pub const KEM_PUBLIC: usize = 1184;
/// Bytes of an encapsulation key without the 32-byte seed of its matrix, which comes last.
pub const KEM_VECTOR: usize = 1152;
/// Bytes of a ciphertext.
pub const KEM_CIPHERTEXT: usize = 1088;
/// Bytes of the first part of a ciphertext, for which the vector need not be known.
pub const KEM_CT1: usize = 960;
/// Bytes of the second part of a ciphertext.
pub const KEM_CT2: usize = 128;
/// Bytes of a seed, the only stored form of a private key.
pub const KEM_SEED: usize = 64;

/// An encapsulation key that passed the modulus check of FIPS 203 §7.2.
#[derive(Clone, PartialEq, Eq)]
pub struct KemPublic(Box<[u8; KEM_PUBLIC]>);

impl KemPublic {
    /// Parses a peer's key, by the rule of the real one.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if a coefficient is not reduced modulo q.
    pub fn from_bytes(bytes: &[u8; KEM_PUBLIC]) -> Result<Self, Error> {
        let (triples, _) = bytes[..KEM_VECTOR].as_chunks::<3>();
        for [low, middle, high] in triples {
            let first = u16::from(*low) | u16::from(*middle & 15) << 8;
            let second = u16::from(*middle >> 4) | u16::from(*high) << 4;
            if first >= 3329 || second >= 3329 {
                return Err(Error::InvalidKey);
            }
        }
        Ok(Self(Box::new(*bytes)))
    }

    /// Joins a key that came in two parts, of which `hash` was known before.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if the parts are not those of `hash`, or a coefficient is not reduced modulo q.
    pub fn from_parts(
        vector: &[u8; KEM_VECTOR],
        seed: &[u8; 32],
        hash: &[u8; 32],
    ) -> Result<Self, Error> {
        let mut bytes = [0; KEM_PUBLIC];
        let (front, back) = bytes.split_at_mut(KEM_VECTOR);
        front.copy_from_slice(vector);
        back.copy_from_slice(seed);
        if public_hash(&bytes) != *hash {
            return Err(Error::InvalidKey);
        }
        Self::from_bytes(&bytes)
    }

    /// The first 1,152 bytes.
    #[must_use]
    pub fn vector(&self) -> &[u8; KEM_VECTOR] {
        self.0.first_chunk().unwrap_or(&[0; KEM_VECTOR])
    }

    /// The last 32 bytes.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        self.0.last_chunk().unwrap_or(&[0; 32])
    }

    /// The 1,184 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEM_PUBLIC] {
        &self.0
    }

    /// The ciphertext and the shared secret of the 32 bytes `m`.
    #[must_use]
    pub fn encapsulate(&self, m: &Secret<32>) -> (Box<[u8; KEM_CIPHERTEXT]>, Secret<32>) {
        counted!(Encapsulate);
        let (ct1, shared) = first_part(self.seed(), &public_hash(&self.0), m.expose());
        let mut ciphertext = Box::new([0; KEM_CIPHERTEXT]);
        let (front, back) = ciphertext.split_at_mut(KEM_CT1);
        front.copy_from_slice(ct1.as_slice());
        spread(mix(&[self.as_bytes(), m.expose()]), back);
        (ciphertext, shared)
    }
}

/// The first 960 bytes of the ciphertext, and the shared secret.
#[must_use]
pub fn encapsulate_first(
    ek_seed: &[u8; 32],
    ek_hash: &[u8; 32],
    m: &Secret<32>,
) -> (Box<[u8; KEM_CT1]>, Secret<32>) {
    counted!(EncapsulateFirst);
    first_part(ek_seed, ek_hash, m.expose())
}

/// `m`, then bytes that follow from it and the key.
fn first_part(
    ek_seed: &[u8; 32],
    ek_hash: &[u8; 32],
    m: &[u8; 32],
) -> (Box<[u8; KEM_CT1]>, Secret<32>) {
    let mut ct1 = Box::new([0; KEM_CT1]);
    let (front, back) = ct1.split_at_mut(32);
    front.copy_from_slice(m);
    spread(mix(&[ek_seed, ek_hash, m]), back);
    (ct1, Secret::new(digest(&[b"shared", ek_hash, m])))
}

fn public_hash(bytes: &[u8; KEM_PUBLIC]) -> [u8; 32] {
    digest(&[b"public", bytes])
}

/// A key pair.
pub struct KemKeyPair {
    seed: Secret<KEM_SEED>,
    public: KemPublic,
}

impl KemKeyPair {
    /// The pair of `seed`.
    #[must_use]
    pub fn from_seed(seed: &Secret<KEM_SEED>) -> Self {
        counted!(KemKey);
        let mut bytes = Box::new([0; KEM_PUBLIC]);
        spread(mix(&[seed.expose()]), bytes.as_mut_slice());
        // Coefficients below 2048.
        for byte in bytes.iter_mut() {
            *byte &= 0x77;
        }
        Self {
            seed: seed.duplicate(),
            public: KemPublic(bytes),
        }
    }

    /// The encapsulation key.
    #[must_use]
    pub const fn public(&self) -> &KemPublic {
        &self.public
    }

    /// What stands for SHA3-256 of the encapsulation key.
    #[must_use]
    pub fn public_hash(&self) -> [u8; 32] {
        public_hash(&self.public.0)
    }

    /// The shared secret; of a ciphertext that was not made for this key, a secret of its own.
    #[must_use]
    pub fn decapsulate(&self, ciphertext: &[u8; KEM_CIPHERTEXT]) -> Secret<32> {
        counted!(Decapsulate);
        let m = Secret::new(*ciphertext.first_chunk().unwrap_or(&[0; 32]));
        let (own, shared) = self.public.encapsulate(&m);
        if *own == *ciphertext {
            return shared;
        }
        Secret::new(digest(&[b"rejected", self.seed.expose(), ciphertext]))
    }
}

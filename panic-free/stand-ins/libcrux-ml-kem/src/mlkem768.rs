//! ML-KEM-768.

use core::hint::black_box;

pub mod incremental;

macro_rules! bytes {
    ($name:ident, $size:literal) => {
        pub struct $name([u8; $size]);

        impl $name {
            pub fn as_slice(&self) -> &[u8; $size] {
                &self.0
            }
        }

        impl From<&[u8; $size]> for $name {
            fn from(bytes: &[u8; $size]) -> Self {
                Self(*bytes)
            }
        }

        impl From<$name> for [u8; $size] {
            fn from(bytes: $name) -> Self {
                bytes.0
            }
        }
    };
}

bytes!(MlKem768PublicKey, 1184);
bytes!(MlKem768PrivateKey, 2400);
bytes!(MlKem768Ciphertext, 1088);

pub struct MlKem768KeyPair(MlKem768PrivateKey, MlKem768PublicKey);

impl MlKem768KeyPair {
    pub fn into_parts(self) -> (MlKem768PrivateKey, MlKem768PublicKey) {
        (self.0, self.1)
    }
}

pub fn validate_public_key(key: &MlKem768PublicKey) -> bool {
    black_box(&key.0);
    black_box(true)
}

pub fn generate_key_pair(seed: [u8; 64]) -> MlKem768KeyPair {
    black_box(seed);
    black_box(MlKem768KeyPair(
        MlKem768PrivateKey([0; 2400]),
        MlKem768PublicKey([0; 1184]),
    ))
}

pub fn encapsulate(key: &MlKem768PublicKey, m: [u8; 32]) -> (MlKem768Ciphertext, [u8; 32]) {
    black_box((&key.0, m));
    black_box((MlKem768Ciphertext([0; 1088]), [0; 32]))
}

pub fn decapsulate(key: &MlKem768PrivateKey, ciphertext: &MlKem768Ciphertext) -> [u8; 32] {
    black_box((&key.0, &ciphertext.0));
    black_box([0; 32])
}

//! Floor 0: the primitives, and the only module that names a primitive's crate (SPEC §3).
//!
//! Everything above speaks of [`dh`], [`kem`], [`sign`], [`aead`], [`hash`], [`hpke`] and [`hedge`]; a faster or
//! hardware-backed primitive is swapped in here (`backend`) and nowhere else, and must be bit-equal.

#[cfg(not(feature = "mock-crypto"))]
pub mod aead;
#[cfg(not(feature = "mock-crypto"))]
mod backend;
#[cfg(test)]
pub(crate) mod count;
#[cfg(not(feature = "mock-crypto"))]
pub mod dh;
#[cfg(not(feature = "mock-crypto"))]
pub mod hash;
#[cfg(not(feature = "mock-crypto"))]
pub mod hash512;
pub mod hedge;
pub(crate) mod hex;
pub mod hpke;
#[cfg(not(feature = "mock-crypto"))]
pub mod kem;
pub mod labels;
#[cfg(not(feature = "mock-crypto"))]
pub mod p256;
pub mod secret;
#[cfg(not(feature = "mock-crypto"))]
pub mod sign;

mod error;

// Stand-ins for fuzzing behind the encryption. This package has no such feature, and cannot get one: the manifest of
// another package, in `fuzz/mock`, compiles the same sources with it (`tests/architecture.rs` proves it).
#[cfg(feature = "mock-crypto")]
#[path = "../fuzz/mock/aead.rs"]
pub mod aead;
#[cfg(feature = "mock-crypto")]
#[path = "../fuzz/mock/dh.rs"]
pub mod dh;
#[cfg(feature = "mock-crypto")]
#[path = "../fuzz/mock/hash.rs"]
pub mod hash;
#[cfg(feature = "mock-crypto")]
#[path = "../fuzz/mock/hash512.rs"]
pub mod hash512;
#[cfg(feature = "mock-crypto")]
#[path = "../fuzz/mock/kem.rs"]
pub mod kem;
#[cfg(feature = "mock-crypto")]
#[path = "../fuzz/mock/p256.rs"]
pub mod p256;
#[cfg(feature = "mock-crypto")]
#[path = "../fuzz/mock/sign.rs"]
pub mod sign;

pub use error::Error;
pub use rand_core::{CryptoRng, TryCryptoRng, TryRng};
pub use secret::{Secret, SharedSecret};

/// Counts a call of a primitive in this thread; nothing at all outside this crate's own tests.
macro_rules! counted {
    ($op:ident) => {
        #[cfg(test)]
        $crate::crypto::count::bump($crate::crypto::count::Op::$op);
    };
}
pub(crate) use counted;

#[cfg(test)]
mod tests;

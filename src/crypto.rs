//! Floor 0: the primitives, and the only module that names a primitive's crate (SPEC §3).
//!
//! Everything above speaks of [`dh`], [`kem`], [`sign`], [`aead`], [`hash`] and [`hedge`]; a faster or
//! hardware-backed primitive is swapped in here and nowhere else, and must be bit-equal.

pub mod aead;
#[cfg(test)]
pub(crate) mod count;
pub mod dh;
pub mod hash;
pub mod hedge;
pub mod kem;
pub mod labels;
pub mod secret;
pub mod sign;

mod error;

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

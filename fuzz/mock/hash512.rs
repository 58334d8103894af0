//! In the place of `src/crypto/hash512.rs`: digests of 64 bits, spread.

use super::Secret;
use super::hash::mix::{mix_joined, spread};

/// Stands in for HKDF-Expand-SHA-512.
#[must_use]
pub fn expand<const N: usize>(key: &[u8; 32], info: &[&[u8]]) -> Secret<N> {
    let mut secret = Secret::zero();
    spread(
        mix_joined(super::hash::mix::mix(&[key]), info),
        secret.expose_mut(),
    );
    secret
}

//! HKDF-Expand with SHA-512 (RFC 5869 §2.3, RFC 2104, FIPS 180-4; SPEC §3.2): what derives the keys of a file.
//!
//! Two MACs a file: nothing here is made to be quick.

use sha2::{Digest, Sha512};
use zeroize::optimization_barrier;

use super::Secret;

/// Bytes of a SHA-512 hash.
const HASH: usize = 64;
/// Bytes of a block of SHA-512.
const BLOCK: usize = 128;
/// Longest output of HKDF-Expand (RFC 5869 §2.3).
const EXPAND_MAX: usize = 255 * HASH;

/// The key of an HMAC, padded to a block.
struct Padded([u8; BLOCK]);

impl Padded {
    fn new(key: &[u8; 32]) -> Self {
        let mut block = [0; BLOCK];
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Self(block)
    }

    /// `HMAC(key, previous || info || counter)`.
    fn mac(&mut self, previous: &[u8], info: &[&[u8]], counter: u8) -> Secret<HASH> {
        let mut inner = Sha512::new();
        inner.update(self.masked(0x36));
        inner.update(previous);
        for part in info {
            inner.update(part);
        }
        inner.update([counter]);
        let inner = Secret::<HASH>::new(inner.finalize().into());
        let mut outer = Sha512::new();
        outer.update(self.masked(0x36 ^ 0x5c));
        outer.update(inner.expose());
        self.masked(0x5c);
        Secret::new(outer.finalize().into())
    }

    /// Changes the block by exclusive or with a byte.
    fn masked(&mut self, mask: u8) -> &[u8; BLOCK] {
        self.0.iter_mut().for_each(|byte| *byte ^= mask);
        &self.0
    }
}

impl Drop for Padded {
    fn drop(&mut self) {
        self.0 = [0; BLOCK];
        optimization_barrier(&self.0);
    }
}

/// HKDF-Expand-SHA-512 of a key that is used once.
#[must_use]
pub fn expand<const N: usize>(key: &[u8; 32], info: &[&[u8]]) -> Secret<N> {
    const { assert!(N <= EXPAND_MAX) };
    let mut key = Padded::new(key);
    let mut output = Secret::<N>::zero();
    let mut previous: Option<Secret<HASH>> = None;
    for (block, counter) in output.expose_mut().chunks_mut(HASH).zip(1u8..=u8::MAX) {
        let before = previous.as_ref().map(|mac| mac.expose().as_slice());
        let mac = key.mac(before.unwrap_or_default(), info, counter);
        for (to, from) in block.iter_mut().zip(mac.expose()) {
            *to = *from;
        }
        previous = Some(mac);
    }
    output
}

//! SHA-256, HMAC-SHA-256 and HKDF-SHA-256 (FIPS 180-4, RFC 2104, RFC 5869; SPEC §3.2).
//!
//! HMAC stands here on the compression function of `sha2`, not on a crate of its own: a message takes some ten
//! MACs of one or two blocks each, and generic buffering costs as much as the blocks. Both halves of a key are
//! absorbed once; a MAC then costs its blocks and nothing is allocated.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use zeroize::optimization_barrier;

use super::{Error, Secret, counted};

/// Bytes of a SHA-256 hash.
pub const HASH: usize = 32;

/// Longest output of HKDF-Expand (RFC 5869 §2.3).
const EXPAND_MAX: usize = 255 * HASH;

/// `H`: SHA-256 of the parts, one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; HASH] {
    counted!(Hash);
    let mut hash = Sha256::new();
    for part in parts {
        #[cfg(test)]
        super::count::hashed(part.len());
        Digest::update(&mut hash, part);
    }
    hash.finalize().into()
}

/// SHA-256 of what comes piece by piece: of what is public, for nothing of it is overwritten.
#[derive(Clone)]
pub struct Hashing(Sha256);

impl Hashing {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Sha256::new())
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        #[cfg(test)]
        super::count::hashed(bytes.len());
        Digest::update(&mut self.0, bytes);
    }

    /// The hash of all that was taken.
    #[must_use]
    pub fn finish(self) -> [u8; HASH] {
        counted!(Hash);
        self.0.finalize().into()
    }
}

impl Default for Hashing {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// The state that SHA-256 begins with (FIPS 180-4 §5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// SHA-256 continued from the state behind its first block, which was a padded key.
struct Keyed {
    state: [u32; 8],
    block: [u8; BLOCK],
    /// Bytes of `block` in use, below [`BLOCK`].
    filled: usize,
    /// Bytes in all, the key's block included.
    length: u64,
}

impl Keyed {
    const fn behind(state: [u32; 8]) -> Self {
        Self {
            state,
            block: [0; BLOCK],
            filled: 0,
            length: BLOCK as u64,
        }
    }

    fn update(&mut self, mut input: &[u8]) {
        self.length = self.length.wrapping_add(input.len() as u64);
        if self.filled > 0 {
            let room = BLOCK.saturating_sub(self.filled).min(input.len());
            let (front, rest) = input.split_at_checked(room).unwrap_or_default();
            self.append(front);
            input = rest;
            if self.filled == BLOCK {
                compress256(&mut self.state, core::slice::from_ref(&self.block));
                self.filled = 0;
            }
        }
        let (blocks, rest) = input.as_chunks::<BLOCK>();
        if !blocks.is_empty() {
            compress256(&mut self.state, blocks);
        }
        self.append(rest);
    }

    /// Copies into the block what fits by the caller's count.
    fn append(&mut self, bytes: &[u8]) {
        if let Some((front, _)) = self
            .block
            .get_mut(self.filled..)
            .and_then(|free| free.split_at_mut_checked(bytes.len()))
        {
            front.copy_from_slice(bytes);
            self.filled = self.filled.saturating_add(bytes.len());
        }
    }

    /// Padding and length (FIPS 180-4 §5.1.1); the state is the hash.
    fn finish(&mut self) {
        let bits = self.length.wrapping_mul(8);
        if let Some((end, zeros)) = self
            .block
            .get_mut(self.filled..)
            .and_then(<[u8]>::split_first_mut)
        {
            *end = 0x80;
            zeros.fill(0);
        }
        if self.filled >= BLOCK - 8 {
            compress256(&mut self.state, core::slice::from_ref(&self.block));
            self.block.fill(0);
        }
        if let Some(end) = self.block.last_chunk_mut() {
            *end = bits.to_be_bytes();
        }
        compress256(&mut self.state, core::slice::from_ref(&self.block));
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        self.state = [0; 8];
        self.block = [0; BLOCK];
        optimization_barrier(self);
    }
}

/// A key for HMAC and HKDF-Expand, with its inner and outer block already absorbed.
pub struct HmacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl HmacKey {
    /// Any length is allowed; over 64 bytes the key is hashed first (RFC 2104 §2).
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut block = Secret::<BLOCK>::zero();
        let block = block.expose_mut();
        let hashed;
        let key = if key.len() > BLOCK {
            hashed = Secret::new(sha256(&[key]));
            hashed.expose().as_slice()
        } else {
            key
        };
        // At most 64 bytes, as the hash above sees to.
        if let Some(front) = block.get_mut(..key.len()) {
            front.copy_from_slice(key);
        }
        let mut keys = Self {
            inner: INITIAL,
            outer: INITIAL,
        };
        block.iter_mut().for_each(|byte| *byte ^= 0x36);
        compress256(&mut keys.inner, core::slice::from_ref(block));
        block.iter_mut().for_each(|byte| *byte ^= 0x36 ^ 0x5c);
        compress256(&mut keys.outer, core::slice::from_ref(block));
        keys
    }

    /// A second instance of the same key.
    pub(crate) const fn duplicate(&self) -> Self {
        Self {
            inner: self.inner,
            outer: self.outer,
        }
    }

    /// `HMAC(key, parts)`.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> Secret<HASH> {
        counted!(Hmac);
        let mut inner = Keyed::behind(self.inner);
        for part in parts {
            inner.update(part);
        }
        self.finish(inner)
    }

    /// The outer hash over what the inner one gives: one block, its padding known.
    fn finish(&self, mut inner: Keyed) -> Secret<HASH> {
        inner.finish();
        let mut outer = Keyed::behind(self.outer);
        for (to, word) in outer
            .block
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .zip(inner.state)
        {
            *to = word.to_be_bytes();
        }
        outer.filled = HASH;
        outer.length = (BLOCK + HASH) as u64;
        outer.finish();
        let mut hash = Secret::zero();
        let words = hash.expose_mut().as_chunks_mut::<4>().0;
        for (to, word) in words.iter_mut().zip(outer.state) {
            *to = word.to_be_bytes();
        }
        hash
    }

    /// HKDF-Expand with this key as the PRK: fills `out` (at most 8,160 bytes).
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn expand(&self, info: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
        if out.len() > EXPAND_MAX {
            return Err(Error::TooLong);
        }
        let mut previous: Option<Secret<HASH>> = None;
        for (block, counter) in out.chunks_mut(HASH).zip(1u8..=u8::MAX) {
            counted!(Hmac);
            let mut inner = Keyed::behind(self.inner);
            if let Some(previous) = &previous {
                inner.update(previous.expose());
            }
            for part in info {
                inner.update(part);
            }
            inner.update(&[counter]);
            let output = self.finish(inner);
            // The last block may be short.
            if let Some(front) = output.expose().get(..block.len()) {
                block.copy_from_slice(front);
            }
            previous = Some(output);
        }
        Ok(())
    }

    /// [`expand`](Self::expand) into a new secret of a length known to be allowed.
    #[must_use]
    pub(crate) fn expand_secret<const N: usize>(&self, info: &[&[u8]]) -> Secret<N> {
        const { assert!(N <= EXPAND_MAX) };
        let mut secret = Secret::zero();
        // The length was checked at compile time; nothing else can fail.
        let _ = self.expand(info, secret.expose_mut());
        secret
    }
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        self.inner = [0; 8];
        self.outer = [0; 8];
        optimization_barrier(self);
    }
}

/// HKDF-Extract: the PRK as a secret.
#[must_use]
pub fn extract(salt: &[u8], ikm: &[&[u8]]) -> Secret<HASH> {
    HmacKey::new(salt).mac(ikm)
}

/// HKDF-Expand of a key that is used once.
#[must_use]
pub fn expand<const N: usize>(key: &[u8], info: &[&[u8]]) -> Secret<N> {
    HmacKey::new(key).expand_secret(info)
}

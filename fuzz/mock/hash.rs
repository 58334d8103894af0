//! In the place of `src/crypto/hash.rs`: digests of 64 bits, spread to the lengths of the real ones.

use super::{Error, Secret, counted};

#[path = "mix.rs"]
pub(super) mod mix;
use mix::{Joined, mix, mix_joined, spread};

/// Bytes of a hash.
pub const HASH: usize = 32;

/// Longest output of `expand`.
const EXPAND_MAX: usize = 255 * HASH;

/// The parts, one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; HASH] {
    counted!(Hash);
    bytes(mix_joined(0, parts))
}

/// The same of parts that come one by one.
#[derive(Clone)]
pub struct Hashing(Joined);

impl Hashing {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Joined::new(0))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that was taken.
    #[must_use]
    pub fn finish(self) -> [u8; HASH] {
        counted!(Hash);
        bytes(self.0.finish())
    }
}

impl Default for Hashing {
    fn default() -> Self {
        Self::new()
    }
}

fn bytes<const N: usize>(seed: u64) -> [u8; N] {
    let mut out = [0; N];
    spread(seed, &mut out);
    out
}

/// A key.
pub struct HmacKey(u64);

impl HmacKey {
    /// Any length is allowed. Zeros behind a key make no difference, as with HMAC.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let zeros = key.iter().rev().take_while(|byte| **byte == 0).count();
        Self(mix(&[&key[..key.len() - zeros]]))
    }

    /// A second instance.
    pub(crate) const fn duplicate(&self) -> Self {
        Self(self.0)
    }

    /// The digest of key and parts.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> Secret<HASH> {
        counted!(Hmac);
        Secret::new(bytes(mix_joined(self.0, parts)))
    }

    /// Fills `out` (at most 8,160 bytes).
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn expand(&self, info: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
        if out.len() > EXPAND_MAX {
            return Err(Error::TooLong);
        }
        spread(mix_joined(!self.0, info), out);
        Ok(())
    }

    /// [`expand`](Self::expand) into a new secret of a length known to be allowed.
    #[must_use]
    pub(crate) fn expand_secret<const N: usize>(&self, info: &[&[u8]]) -> Secret<N> {
        const { assert!(N <= EXPAND_MAX) };
        let mut secret = Secret::zero();
        let _ = self.expand(info, secret.expose_mut());
        secret
    }
}

/// The digest of both.
#[must_use]
pub fn extract(salt: &[u8], ikm: &[&[u8]]) -> Secret<HASH> {
    HmacKey::new(salt).mac(ikm)
}

/// A key that is used once.
#[must_use]
pub fn expand<const N: usize>(key: &[u8], info: &[&[u8]]) -> Secret<N> {
    HmacKey::new(key).expand_secret(info)
}

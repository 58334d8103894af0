//! SHA-256, HMAC-SHA-256 and HKDF-SHA-256 (FIPS 180-4, RFC 2104, RFC 5869; SPEC §3.2).

use hmac::Hmac;
use hmac::digest::{Digest, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

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

/// A key for HMAC and HKDF-Expand, with the key's two blocks already absorbed: each use costs only its message.
pub struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    /// Any length is allowed; over 64 bytes the key is hashed first (RFC 2104 §2).
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0u8; 64]);
        let hashed;
        let key = if key.len() > block.len() {
            hashed = Zeroizing::new(sha256(&[key]));
            hashed.as_slice()
        } else {
            key
        };
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        let block: &[u8; 64] = &block;
        Self(Hmac::new(block.into()))
    }

    /// `HMAC(key, parts)`.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> Secret<HASH> {
        counted!(Hmac);
        let mut mac = self.0.clone();
        for part in parts {
            Mac::update(&mut mac, part);
        }
        let mut output = mac.finalize().into_bytes();
        let mut secret = Secret::zero();
        secret.expose_mut().copy_from_slice(&output);
        output.as_mut_slice().zeroize();
        secret
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
        for (block, counter) in out.chunks_mut(HASH).zip(1u8..) {
            counted!(Hmac);
            let mut mac = self.0.clone();
            if let Some(previous) = &previous {
                Mac::update(&mut mac, previous.expose());
            }
            for part in info {
                Mac::update(&mut mac, part);
            }
            Mac::update(&mut mac, &[counter]);
            let mut output = mac.finalize().into_bytes();
            for (to, from) in block.iter_mut().zip(output.iter()) {
                *to = *from;
            }
            let mut next = Secret::zero();
            next.expose_mut().copy_from_slice(&output);
            output.as_mut_slice().zeroize();
            previous = Some(next);
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

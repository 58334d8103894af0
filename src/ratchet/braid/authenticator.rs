//! Binds every exchange to the ones before it (ML-KEM Braid, "Authenticator"; SPEC §10.2).
//!
//! The derivations are those of Signal's document, under a name of our own; they carry no label of SPEC §3.1.

use super::object::MAC;
use crate::crypto::Secret;
use crate::crypto::hash::{HmacKey, expand, extract};
use crate::crypto::secret::equal;
use crate::ratchet::keys::split;

/// `P`
const PROTOCOL: &[u8] = b"Subrosa_1_MLKEM768";
const UPDATE: &[u8] = b":Authenticator Update";
const EPOCH_KEY: &[u8] = b":SCKA Key";
const HEADER: &[u8] = b":ekheader";
const CIPHERTEXT: &[u8] = b":ciphertext";

/// `secret_e = Expand(Extract(Z, SS), P || ":SCKA Key" || u64 e, 32)`.
pub(crate) fn epoch_secret(epoch: u32, shared: &Secret<32>) -> Secret<32> {
    let prk = extract(&[0; 32], &[shared.expose()]);
    expand(prk.expose(), &[PROTOCOL, EPOCH_KEY, &wide(epoch)])
}

/// `AR` and `AM`.
pub(crate) struct Authenticator {
    pub(crate) root: Secret<32>,
    pub(crate) mac: Secret<32>,
}

impl Authenticator {
    /// `update(1, BA)` of an authenticator that is all zero.
    pub(crate) fn start(key: &Secret<32>) -> Self {
        Self::derive(&Secret::zero(), 1, key)
    }

    /// `update(e, k)`: `AR' || AM' = Expand(Extract(Z, AR || k), P || ":Authenticator Update" || u64 e, 64)`.
    pub(crate) fn update(&self, epoch: u32, key: &Secret<32>) -> Self {
        Self::derive(&self.root, epoch, key)
    }

    fn derive(root: &Secret<32>, epoch: u32, key: &Secret<32>) -> Self {
        let prk = extract(&[0; 32], &[root.expose(), key.expose()]);
        let okm: Secret<64> = expand(prk.expose(), &[PROTOCOL, UPDATE, &wide(epoch)]);
        let [root, mac] = split(&okm);
        Self { root, mac }
    }

    /// The MAC of `hdr`.
    pub(crate) fn header(&self, epoch: u32, seed: &[u8; 32], hash: &[u8; 32]) -> [u8; MAC] {
        self.tag(&[PROTOCOL, HEADER, &wide(epoch), seed, hash])
    }

    /// The MAC of a ciphertext.
    pub(crate) fn ciphertext(&self, epoch: u32, ciphertext: &[&[u8]; 2]) -> [u8; MAC] {
        let [first, second] = ciphertext;
        self.tag(&[PROTOCOL, CIPHERTEXT, &wide(epoch), first, second])
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; MAC] {
        *HmacKey::new(self.mac.expose()).mac(parts).expose()
    }
}

/// Compares MACs in constant time.
pub(crate) fn fits(expected: &[u8; MAC], received: &[u8; MAC]) -> bool {
    equal(expected, received)
}

fn wide(epoch: u32) -> [u8; 8] {
    u64::from(epoch).to_be_bytes()
}

//! SPEC §20.1 from primitives, all in memory.

use alloc::vec::Vec;

use sha2::{Digest, Sha512};
use subrosa::crypto::aead::Aes256Gcm;

/// Chunk key, base nonce and commitment.
#[must_use]
pub fn derive(key: &[u8; 32], context: &[u8], salt: &[u8]) -> ([u8; 32], [u8; 12], [u8; 32]) {
    let info = [
        b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0",
        salt,
        context,
    ]
    .concat();
    let first = hmac(key, &[&info[..], &[1]].concat());
    let second = hmac(key, &[&first[..], &info, &[2]].concat());
    let okm = [first, second].concat();
    let part = |from: usize, to: usize| okm.get(from..to).unwrap_or_default().to_vec();
    (
        part(0, 32).try_into().unwrap_or_default(),
        part(32, 44).try_into().unwrap_or_default(),
        part(44, 76).try_into().unwrap_or_default(),
    )
}

/// HMAC-SHA-512 (RFC 2104) with a key shorter than a block.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 64] {
    let pad = |mask: u8| -> Vec<u8> {
        let padded = key.iter().copied().chain(core::iter::repeat(0)).take(128);
        padded.map(|byte| byte ^ mask).collect()
    };
    let inner = Sha512::digest([pad(0x36), message.to_vec()].concat());
    Sha512::digest([pad(0x5c), inner.to_vec()].concat()).into()
}

/// The sealed file.
#[must_use]
pub fn seal(key: &[u8; 32], context: &[u8], salt: &[u8], text: &[u8]) -> Vec<u8> {
    let (key, base, commitment) = derive(key, context, salt);
    let mut file = [salt, &commitment].concat();
    let chunks = text.len() / 16_384 + 1;
    for number in 0..chunks {
        let start = number * 16_384;
        let mut chunk = text.get(start..).unwrap_or_default().to_vec();
        chunk.truncate(16_384);
        let counter = (number as u128).to_be_bytes();
        let mut nonce = base;
        for (byte, count) in nonce.iter_mut().zip(counter.iter().skip(4)) {
            *byte ^= count;
        }
        let tag = Aes256Gcm::seal(&key, &nonce, &[], &mut chunk).unwrap_or_default();
        file.extend(chunk);
        file.extend(tag);
    }
    file
}

//! A nonce has 12 bytes: no other length is an input.

use subrosa::crypto::aead::{Aes128Gcm, Aes256Gcm, ChaCha20Poly1305};

fn main() {
    let _ = Aes256Gcm::open(&[0; 32], &[0u8; 0], &[], &mut [], &[0; 16]);
    let _ = Aes256Gcm::seal(&[0; 32], &[0u8; 8], &[], &mut []);
    let _ = Aes256Gcm::open(&[0; 32], &[0u8; 11], &[], &mut [], &[0; 16]);
    let _ = Aes256Gcm::seal(&[0; 32], &[0u8; 13], &[], &mut []);
    let _ = Aes256Gcm::open(&[0; 32], &[0u8; 16], &[], &mut [], &[0; 16]);
    let _ = Aes256Gcm::seal(&[0; 32], &[0u8; 24], &[], &mut []);
    let _ = Aes128Gcm::open(&[0; 16], &[0u8; 0], &[], &mut [], &[0; 16]);
    let _ = Aes128Gcm::seal(&[0; 16], &[0u8; 8], &[], &mut []);
    let _ = Aes128Gcm::open(&[0; 16], &[0u8; 11], &[], &mut [], &[0; 16]);
    let _ = Aes128Gcm::seal(&[0; 16], &[0u8; 13], &[], &mut []);
    let _ = Aes128Gcm::open(&[0; 16], &[0u8; 16], &[], &mut [], &[0; 16]);
    let _ = Aes128Gcm::seal(&[0; 16], &[0u8; 24], &[], &mut []);
    let _ = ChaCha20Poly1305::open(&[0; 32], &[0u8; 0], &[], &mut [], &[0; 16]);
    let _ = ChaCha20Poly1305::seal(&[0; 32], &[0u8; 8], &[], &mut []);
    let _ = ChaCha20Poly1305::open(&[0; 32], &[0u8; 11], &[], &mut [], &[0; 16]);
    let _ = ChaCha20Poly1305::seal(&[0; 32], &[0u8; 13], &[], &mut []);
    let _ = ChaCha20Poly1305::open(&[0; 32], &[0u8; 16], &[], &mut [], &[0; 16]);
    let _ = ChaCha20Poly1305::seal(&[0; 32], &[0u8; 24], &[], &mut []);
}

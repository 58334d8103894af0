//! A tag has 16 bytes: no other length is an input.

use subrosa::crypto::aead::Aes256Gcm;

fn main() {
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 0]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 1]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 2]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 3]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 4]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 5]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 6]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 7]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 8]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 9]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 10]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 11]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 12]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 13]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 14]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 15]);
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], &[0u8; 17]);
}

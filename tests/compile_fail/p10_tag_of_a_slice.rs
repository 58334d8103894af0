//! A tag is no slice, of whatever length.

use subrosa::crypto::aead::{Aes128Gcm, Aes256Gcm, ChaCha20Poly1305};

fn main() {
    let tag: &[u8] = &[0; 16];
    let _ = Aes256Gcm::open(&[0; 32], &[0; 12], &[], &mut [], tag);
    let _ = Aes128Gcm::open(&[0; 16], &[0; 12], &[], &mut [], tag);
    let _ = ChaCha20Poly1305::open(&[0; 32], &[0; 12], &[], &mut [], tag);
}

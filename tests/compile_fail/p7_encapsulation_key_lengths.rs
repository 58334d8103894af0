//! An encapsulation key has 1,184 bytes.

use subrosa::crypto::kem::KemPublic;

fn main() {
    let _ = KemPublic::from_bytes(&[0; 0]);
    let _ = KemPublic::from_bytes(&[0; 1183]);
    let _ = KemPublic::from_bytes(&[0; 1185]);
    let _ = KemPublic::from_bytes(&[0u8; 1184][..]);
}

//! A decapsulation key comes as its 64-byte seed; the 2,400 bytes, whose parts might not fit each other, are no input.

use subrosa::crypto::Secret;
use subrosa::crypto::kem::KemKeyPair;

fn main() {
    let _ = KemKeyPair::from_seed(&Secret::new([0; 2400]));
    let _ = KemKeyPair::from_seed(&Secret::new([0; 32]));
    let _ = KemKeyPair::from_seed(&[0u8; 2400]);
}

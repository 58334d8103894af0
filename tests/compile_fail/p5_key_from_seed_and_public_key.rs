//! A signing key is made from its seed alone, and a key pair from its private half.

use subrosa::crypto::Secret;
use subrosa::crypto::dh::{DhKeyPair, DhPublic};
use subrosa::crypto::sign::{SigningKey, VerifyingKey};

fn main() {
    let _ = SigningKey::from_seed(&Secret::new([1; 32]), &VerifyingKey([2; 32]));
    let _ = SigningKey::from_seed(&Secret::new([1; 64]));
    let public = DhPublic::from_bytes(&[9; 32]).unwrap();
    let _ = DhKeyPair::from_secret(Secret::new([1; 32]), public);
}

//! What joins halves that were stored together is not for users.

use subrosa::crypto::Secret;
use subrosa::crypto::dh::{DhKeyPair, DhPublic};
use subrosa::crypto::sign::SigningKey;

fn main() {
    let public = DhPublic::from_bytes(&[9; 32]).unwrap();
    let _ = DhKeyPair::from_stored(Secret::new([1; 32]), public);
    let key = SigningKey::from_seed(&Secret::new([1; 32]));
    let _ = key.0;
}

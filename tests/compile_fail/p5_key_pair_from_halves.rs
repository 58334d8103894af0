//! A key pair is not put together from its halves.

use subrosa::crypto::Secret;
use subrosa::crypto::dh::{DhKeyPair, DhPublic};

fn main() {
    let public = DhPublic::from_bytes(&[9; 32]).unwrap();
    let _ = DhKeyPair {
        secret: Secret::new([1; 32]),
        public,
    };
}

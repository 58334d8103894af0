//! A KEM key pair is not put together from its halves.

use subrosa::crypto::Secret;
use subrosa::crypto::kem::KemKeyPair;

fn main() {
    let pair = KemKeyPair::from_seed(&Secret::new([0; 64]));
    let other = KemKeyPair::from_seed(&Secret::new([1; 64]));
    let _ = KemKeyPair {
        public: pair.public().clone(),
        ..other
    };
}

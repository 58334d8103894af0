//! The expanded private half of a KEM key pair is not given out.

use subrosa::crypto::Secret;
use subrosa::crypto::kem::KemKeyPair;

fn main() {
    let pair = KemKeyPair::from_seed(&Secret::new([0; 64]));
    let _ = &pair.private;
}

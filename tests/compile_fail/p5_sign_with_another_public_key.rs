//! A signature is never made under a public key of choice (RUSTSEC-2022-0093).

use subrosa::crypto::Secret;
use subrosa::crypto::sign::SigningKey;

fn main() {
    let key = SigningKey::from_seed(&Secret::new([1; 32]));
    let other = SigningKey::from_seed(&Secret::new([2; 32])).verifying_key();
    let _ = SigningKey::sign(&key, b"message", &other);
}

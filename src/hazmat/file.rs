//! Files with a salt that is given (SPEC §20.1).

use alloc::vec::Vec;

use crate::crypto::Secret;
use crate::file::{Derived, FileKey, HEADER, SALT, Sealer};

/// Begins a file with this salt, which no other file may have under its key, and gives its header.
#[must_use]
pub fn sealer(key: &FileKey, context: &[u8], salt: &[u8; SALT]) -> (Sealer, [u8; HEADER]) {
    Sealer::with_salt(key, context, salt)
}

/// What a file is sealed with: the chunk key, the base nonce, the commitment.
#[must_use]
pub fn derived(key: &FileKey, context: &[u8], salt: &[u8; SALT]) -> [Vec<u8>; 3] {
    let Derived {
        key,
        base,
        commitment,
    } = Derived::new(key, context, salt);
    [bytes(&key), bytes(&base), bytes(&commitment)]
}

fn bytes<const N: usize>(secret: &Secret<N>) -> Vec<u8> {
    crate::memory::copied(secret.expose())
}

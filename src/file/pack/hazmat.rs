//! What `hazmat::pack` gives out.

use alloc::vec::Vec;

pub(crate) use super::author::next_version;
use super::error::Error;
use super::link::Link;
use crate::memory;

/// The pack secret, the hash of the author's public key, and the manifest key.
pub(crate) fn secrets(link: &Link) -> [[u8; 32]; 3] {
    let (secret, author) = link.parts();
    [*secret.expose(), *author, *secret.manifest_key().expose()]
}

/// The text of a manifest, of which nothing is checked but that it was sealed with this link.
pub(crate) fn text(link: &Link, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let (secret, _) = link.parts();
    Ok(memory::copied(&secret.open(sealed)?))
}

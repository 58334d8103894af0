//! Sticker packs with a salt that is given, and what is inside of links and manifests (SPEC §21).

use alloc::vec::Vec;

use super::Given;
use crate::file::pack::{Author, Contents, Error, Held, Link, hazmat};

/// The pack secret, the hash of the author's public key, and the manifest key.
#[must_use]
pub fn secrets(link: &Link) -> [[u8; 32]; 3] {
    hazmat::secrets(link)
}

/// The text of a manifest, of which nothing is checked but that it was sealed with this link.
///
/// # Errors
/// [`Error::Malformed`], [`Error::Integrity`].
pub fn text(link: &Link, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    hazmat::text(link, sealed)
}

/// A version of a pack with a salt that is given, and that no other has.
///
/// # Errors
/// As [`Author::publish_version`]; [`Error::Rng`] without a salt of 24 bytes.
pub fn publish(
    author: &Author,
    version: u64,
    contents: &Contents,
    held: Option<&Held>,
    salt: &mut Given,
) -> Result<(Vec<u8>, Held), Error> {
    author.publish_with(version, contents, held, salt)
}

/// The next version of a pack, in the same way.
///
/// # Errors
/// As [`Author::publish`]; [`Error::Rng`] without a salt of 24 bytes.
pub fn publish_next(
    author: &Author,
    contents: &Contents,
    held: Option<&Held>,
    salt: &mut Given,
) -> Result<(Vec<u8>, Held), Error> {
    publish(author, hazmat::next_version(held)?, contents, held, salt)
}

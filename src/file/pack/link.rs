//! The link that shares a pack.

use alloc::string::String;
use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::Error;
use super::manifest::Manifest;
use super::secret::{PackId, PackSecret};
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::memory;

/// What stands between the app's address and the secret.
const VERSION: &str = "v1.";

/// Bytes of a link: the pack secret, and the hash of the author's key.
const BYTES: usize = 32 + HASH;

/// Characters that encode them: four for three bytes, two for the last one.
const CHARACTERS: usize = BYTES / 3 * 4 + 2;

/// Characters of the `#` and what stands behind it.
const BEHIND: usize = 1 + VERSION.len() + CHARACTERS;

/// What finds a pack's manifest, opens it, and knows its author: `https://…#v1.…`.
///
/// Who has the link can read the pack and every later version of it; nobody but the author can make one. Behind the `#`
/// stands what no browser sends to a server, so that an address that belongs to the app learns nothing of it.
pub struct Link {
    secret: PackSecret,
    /// The hash of the author's public key.
    author: [u8; HASH],
}

impl Link {
    pub(super) const fn new(secret: PackSecret, author: [u8; HASH]) -> Self {
        Self { secret, author }
    }

    /// Takes a link apart: the address in front of the first `#`, which is any text, and the link itself.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::Malformed`].
    pub fn parse(text: &str) -> Result<(&str, Self), Error> {
        // SPEC §21.4-R1
        let (address, fragment) = text.split_once('#').ok_or(Error::Malformed)?;
        // SPEC §21.4-R2
        let Some(encoded) = fragment.strip_prefix(VERSION) else {
            return Err(if has_version(fragment) {
                Error::UnknownVersion
            } else {
                Error::Malformed
            });
        };
        // SPEC §21.4-R3
        if encoded.len() != CHARACTERS {
            return Err(Error::Malformed);
        }
        let mut bytes = Secret::<BYTES>::zero();
        Base64UrlUnpadded::decode(encoded, bytes.expose_mut()).map_err(|_| Error::Malformed)?;
        let (secret, author) = bytes.expose().split_first_chunk().ok_or(Error::Malformed)?;
        let secret = PackSecret::new(Secret::new(*secret));
        let author = author.try_into().map_err(|_| Error::Malformed)?;
        Ok((address, Self::new(secret, author)))
    }

    /// The link behind an address of the app's, `https://example.org/pack` for instance.
    ///
    /// # Errors
    /// [`Error::Malformed`] for an address that has a `#` itself.
    pub fn to_text(&self, address: &str) -> Result<Zeroizing<String>, Error> {
        if address.contains('#') {
            return Err(Error::Malformed);
        }
        let mut bytes = Secret::<BYTES>::zero();
        let (secret, author) = self.parts();
        let parts = secret.expose().iter().chain(author);
        for (to, from) in bytes.expose_mut().iter_mut().zip(parts) {
            *to = *from;
        }
        let mut encoded = Zeroizing::new([0; CHARACTERS]);
        let encoded = Base64UrlUnpadded::encode(bytes.expose(), encoded.as_mut_slice())
            .map_err(|_| Error::Malformed)?;
        let mut text = memory::with_capacity(address.len().saturating_add(BEHIND));
        for part in [address, "#", VERSION, encoded] {
            memory::extend(&mut text, part.as_bytes());
        }
        String::from_utf8(text)
            .map(Zeroizing::new)
            .map_err(|_| Error::Malformed)
    }

    /// Where the server keeps the manifest.
    #[must_use]
    pub fn pack_id(&self) -> PackId {
        self.secret.pack_id()
    }

    /// Opens a manifest, as the server has it, and checks it whole. Whether it may take the place of one that is held
    /// already, [`Held::update`](super::Held::update) says.
    ///
    /// # Errors
    /// [`Error::Integrity`], [`Error::Malformed`], [`Error::UnknownVersion`], [`Error::OtherKey`],
    /// [`Error::BadSignature`], [`Error::OtherPack`].
    pub fn open(&self, sealed: &[u8]) -> Result<Manifest, Error> {
        let text = self.secret.open(sealed)?;
        Manifest::read(&text, self.pack_id(), &self.author)
    }

    /// The pack secret, and the hash of the author's public key.
    pub(super) const fn parts(&self) -> (&PackSecret, &[u8; HASH]) {
        (&self.secret, &self.author)
    }
}

/// Whether a fragment begins as a link of some version: `v`, a decimal number that does not begin with 0, a dot.
fn has_version(fragment: &str) -> bool {
    let number = fragment
        .strip_prefix('v')
        .and_then(|rest| rest.split_once('.'))
        .map(|(number, _)| number.as_bytes());
    number.is_some_and(|number| {
        number.first().is_some_and(|first| *first != b'0') && number.iter().all(u8::is_ascii_digit)
    })
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

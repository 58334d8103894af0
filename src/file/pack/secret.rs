//! What a pack's secret gives: where its manifest lies, and what opens it.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::Error;
use super::limits::{PADDED_MAX, SEALED_MAX};
use crate::crypto::hash::{HASH, HmacKey};
use crate::crypto::hex::write_hex;
use crate::crypto::{Secret, labels};
use crate::file::chunk::{FileKey, SALT, sealed_len, text_len};
use crate::file::open::Opener;
use crate::file::seal::Sealer;
use crate::memory;

/// The name under which the server keeps a pack's manifest. It opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackId([u8; HASH]);

impl PackId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; HASH]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH] {
        &self.0
    }
}

impl fmt::Debug for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, "PackId", &self.0)
    }
}

/// 32 random bytes, which no two packs share: who has them finds and reads the manifest.
pub(super) struct PackSecret(Secret<32>);

impl PackSecret {
    pub const fn new(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// A second instance of the same secret: the author's, and the one in the author's links.
    pub const fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }

    /// `pack_id`.
    pub fn pack_id(&self) -> PackId {
        let key = HmacKey::new(self.expose());
        PackId(*key.expand_secret(&[labels::PACK_ID]).expose())
    }

    /// `manifest_key`.
    pub fn manifest_key(&self) -> FileKey {
        let key = HmacKey::new(self.expose());
        FileKey::from_bytes(key.expand_secret(&[labels::PACK_MANIFEST]))
    }

    /// The context of the manifest's file: it is sealed for this pack and for nothing else.
    fn context(&self) -> Vec<u8> {
        let mut context = memory::copied(labels::PACK_FILE);
        memory::extend(&mut context, self.pack_id().as_bytes());
        context
    }

    /// Seals the text of a manifest. No two texts have the same salt.
    pub fn seal(&self, text: &[u8], salt: &[u8; SALT]) -> Result<Vec<u8>, Error> {
        let length = u64::try_from(text.len()).ok().and_then(sealed_len);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let mut sealed = memory::with_capacity(length.ok_or(Error::TooLong)?);
        let (mut sealer, header) = Sealer::with_salt(&self.manifest_key(), &self.context(), salt);
        memory::extend(&mut sealed, &header);
        let mut rest = text;
        while let Some(chunk) = sealer.feed(&mut rest).map_err(|_| Error::TooLong)? {
            memory::extend(&mut sealed, chunk);
        }
        memory::extend(&mut sealed, sealer.finish().map_err(|_| Error::TooLong)?);
        Ok(sealed)
    }

    /// The text of a manifest.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        // SPEC §21.3-R1
        let length = u64::try_from(sealed.len()).map_err(|_| Error::Malformed)?;
        if length > SEALED_MAX {
            return Err(Error::Malformed);
        }
        let length = text_len(length).map_err(|_| Error::Integrity)?;
        let length = usize::try_from(length).map_err(|_| Error::Malformed)?;
        let mut text = Zeroizing::new(memory::with_capacity(length.min(PADDED_MAX)));
        // SPEC §21.3-R2
        let mut opener = Opener::new(self.manifest_key(), &self.context());
        let mut rest = sealed;
        while let Some(chunk) = opener.feed(&mut rest).map_err(|_| Error::Integrity)? {
            memory::extend(&mut text, chunk);
        }
        memory::extend(&mut text, opener.finish().map_err(|_| Error::Integrity)?);
        Ok(text)
    }
}

//! Which version of a pack somebody has.

use alloc::vec::Vec;

use super::Error;
use super::manifest::Manifest;
use super::secret::PackId;
use crate::crypto::hash::HASH;
use crate::crypto::sign::VerifyingKey;
use crate::wire::{Reader, Writer};

/// The version of the stored form.
const VERSION: u8 = 1;

/// Bytes of the stored form.
pub const HELD: usize = 1 + HASH + 32 + 8 + HASH;

/// Which version of a pack somebody has: what is kept beside the link, so that a server can give out neither an older one
/// nor one of another history. It holds no secret, and must not be altered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pack: PackId,
    author_key: VerifyingKey,
    version: u64,
    hash: [u8; HASH],
}

/// What a manifest is to who holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a newer version is held from now on"]
pub enum Update {
    /// The same one.
    Unchanged,
    /// A newer one: this is held from now on.
    Newer(Held),
}

impl Held {
    /// The first that somebody has of a pack: any version will do.
    #[must_use]
    pub const fn new(manifest: &Manifest) -> Self {
        Self::of(
            *manifest.pack_id(),
            *manifest.author_key(),
            manifest.version(),
            *manifest.hash(),
        )
    }

    pub(super) const fn of(
        pack: PackId,
        author_key: VerifyingKey,
        version: u64,
        hash: [u8; HASH],
    ) -> Self {
        Self {
            pack,
            author_key,
            version,
            hash,
        }
    }

    /// Whether a manifest may take the place of the one that is held.
    ///
    /// # Errors
    /// [`Error::OtherPack`], [`Error::OtherKey`], [`Error::Rollback`], [`Error::Fork`]. What is held stays held.
    pub fn update(&self, manifest: &Manifest) -> Result<Update, Error> {
        // SPEC §21.5-R1
        self.require_same(manifest.pack_id(), manifest.author_key())?;
        // SPEC §21.5-R2
        if manifest.version() < self.version {
            return Err(Error::Rollback);
        }
        if manifest.version() == self.version {
            return match *manifest.hash() == self.hash {
                true => Ok(Update::Unchanged),
                false => Err(Error::Fork),
            };
        }
        // SPEC §21.5-R3
        let is_next = self.version.checked_add(1) == Some(manifest.version());
        if is_next && *manifest.previous() != self.hash {
            return Err(Error::Fork);
        }
        Ok(Update::Newer(Self::new(manifest)))
    }

    /// That it is of this pack, by this author.
    pub(super) fn require_same(
        &self,
        pack: &PackId,
        author_key: &VerifyingKey,
    ) -> Result<(), Error> {
        if self.pack != *pack {
            return Err(Error::OtherPack);
        }
        if self.author_key != *author_key {
            return Err(Error::OtherKey);
        }
        Ok(())
    }

    /// The pack.
    #[must_use]
    pub const fn pack_id(&self) -> &PackId {
        &self.pack
    }

    /// The author's public key.
    #[must_use]
    pub const fn author_key(&self) -> &VerifyingKey {
        &self.author_key
    }

    /// The version of the manifest.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The hash of the manifest.
    #[must_use]
    pub const fn hash(&self) -> &[u8; HASH] {
        &self.hash
    }

    /// The stored form: `u8 1 || pack_id || author_key || u64 version || hash`, [`HELD`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            pack,
            author_key,
            version,
            hash,
        } = self;
        let mut writer = Writer::with_capacity(HELD);
        writer
            .u8(VERSION)
            .bytes(pack.as_bytes())
            .bytes(author_key.as_bytes())
            .u64(*version)
            .bytes(hash);
        writer.into_bytes()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        // SPEC §21.5-R5
        if reader.u8()? != VERSION {
            return Err(Error::UnknownVersion);
        }
        let held = Self {
            pack: PackId::from_bytes(*reader.array()?),
            author_key: VerifyingKey(*reader.array()?),
            version: reader.u64()?,
            hash: *reader.array()?,
        };
        reader.finish()?;
        if held.version == 0 {
            return Err(Error::Malformed);
        }
        Ok(held)
    }
}

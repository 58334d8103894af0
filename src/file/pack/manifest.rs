//! A manifest: what is in a pack, signed by its author.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::Error;
use super::contents::Contents;
use super::limits::{CONTENT_MAX, PADDED_MAX};
use super::secret::PackId;
use crate::crypto::hash::{HASH, sha256};
use crate::crypto::labels;
use crate::crypto::secret::equal;
use crate::crypto::sign::{Signature, SigningKey, VerifyingKey};
use crate::memory;
use crate::padding::{padded_length, require_zeros};
use crate::wire::{Reader, Writer};

/// The version of a manifest's format.
const VERSION: u8 = 1;

/// What the first manifest of a pack has in place of the hash of the one before.
pub(super) const NO_PREVIOUS: [u8; HASH] = [0; HASH];

/// The hash of an author's public key, as a link has it.
pub(super) fn key_hash(author_key: &VerifyingKey) -> [u8; HASH] {
    sha256(&[labels::PACK_KEY, author_key.as_bytes()])
}

/// One version of a pack, in which every rule of SPEC §21.3 holds: its author has signed it for this pack.
pub struct Manifest {
    pack: PackId,
    author_key: VerifyingKey,
    version: u64,
    previous: [u8; HASH],
    hash: [u8; HASH],
    contents: Contents,
}

impl Manifest {
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

    /// 1 for the first, and higher with each that follows.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The hash of the manifest that it followed; zeros for the first.
    #[must_use]
    pub const fn previous(&self) -> &[u8; HASH] {
        &self.previous
    }

    /// The hash of this one.
    #[must_use]
    pub const fn hash(&self) -> &[u8; HASH] {
        &self.hash
    }

    /// What is in the pack.
    #[must_use]
    pub const fn contents(&self) -> &Contents {
        &self.contents
    }

    /// The same, to make the next version of it.
    #[must_use]
    pub fn into_contents(self) -> Contents {
        self.contents
    }

    /// Reads the text of a manifest that was opened with the keys of `pack`, and whose author's key has this hash.
    pub(super) fn read(text: &[u8], pack: PackId, author: &[u8; HASH]) -> Result<Self, Error> {
        let mut reader = Reader::new(text);
        // SPEC §21.3-R3
        if reader.u8()? != VERSION {
            return Err(Error::UnknownVersion);
        }
        let author_key = VerifyingKey(*reader.array()?);
        let signature = Signature(*reader.array()?);
        let content = reader.vector(CONTENT_MAX)?;
        // SPEC §21.3-R4
        let padding = reader.rest();
        let shortest = text.len().checked_sub(padding.len());
        if shortest.and_then(padded_length) != Some(text.len()) {
            return Err(Error::Malformed);
        }
        require_zeros(padding).map_err(|_| Error::Malformed)?;
        // SPEC §21.3-R5
        if !equal(&key_hash(&author_key), author) {
            return Err(Error::OtherKey);
        }
        // SPEC §21.3-R6
        let signed = signed(&author_key, content);
        author_key.verify(&signed, &signature)?;
        Self::read_content(content, pack, author_key, sha256(&[&signed]))
    }

    /// What the author has signed.
    fn read_content(
        content: &[u8],
        pack: PackId,
        author_key: VerifyingKey,
        hash: [u8; HASH],
    ) -> Result<Self, Error> {
        let mut reader = Reader::new(content);
        // SPEC §21.3-R7
        if reader.array()? != pack.as_bytes() {
            return Err(Error::OtherPack);
        }
        // SPEC §21.3-R8
        let version = reader.u64()?;
        let previous = *reader.array()?;
        if version == 0 || (version == 1) != (previous == NO_PREVIOUS) {
            return Err(Error::Malformed);
        }
        // SPEC §21.3-R9
        let contents = Contents::read(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            pack,
            author_key,
            version,
            previous,
            hash,
            contents,
        })
    }
}

/// What an author signs.
pub(super) struct Unsigned<'a> {
    pub pack: PackId,
    pub version: u64,
    pub previous: [u8; HASH],
    pub contents: &'a Contents,
}

impl Unsigned<'_> {
    /// The padded text of the manifest, and its hash.
    pub fn sign(&self, key: &SigningKey) -> Result<(Zeroizing<Vec<u8>>, [u8; HASH]), Error> {
        let author_key = key.verifying_key();
        let content = self.content()?;
        let signed = signed(&author_key, &content);
        let mut writer = Writer::with_capacity(PADDED_MAX);
        writer
            .u8(VERSION)
            .bytes(author_key.as_bytes())
            .bytes(&key.sign(&signed)?.0)
            .vector(&content)?;
        let mut text = Zeroizing::new(writer.into_bytes());
        let padded = padded_length(text.len()).ok_or(Error::TooLong)?;
        memory::lengthen(&mut text, padded);
        Ok((text, sha256(&[&signed])))
    }

    fn content(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut writer = Writer::new();
        writer
            .bytes(self.pack.as_bytes())
            .u64(self.version)
            .bytes(&self.previous);
        self.contents.write(&mut writer)?;
        Ok(Zeroizing::new(writer.into_bytes()))
    }
}

/// `L("pack") || u8 1 || author_key || content`: what is signed, and what is hashed.
fn signed(author_key: &VerifyingKey, content: &[u8]) -> Zeroizing<Vec<u8>> {
    let head = labels::PACK.len().saturating_add(1 + HASH);
    let mut signed = memory::with_capacity(head.saturating_add(content.len()));
    for part in [labels::PACK, &[VERSION], author_key.as_bytes(), content] {
        memory::extend(&mut signed, part);
    }
    Zeroizing::new(signed)
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("pack", &self.pack)
            .field("version", &self.version)
            .field("contents", &self.contents)
            .finish_non_exhaustive()
    }
}

//! What names a blob and opens it: the part that a message's descriptor and a pack's manifest have in common.

use core::fmt;

use super::Error;
use super::chunk::{FileKey, sealed_len};
use super::limits::{MEDIA_TYPE_MAX, TEXT_MAX};
use crate::crypto::hex::write_hex;
use crate::crypto::{Secret, labels};
use crate::padding;
use crate::wire::{self, Reader, Writer};

/// The context that blobs are sealed with (SPEC §20.2).
pub(super) const CONTEXT: &[u8] = labels::BLOB;

/// The name of a blob on any server: what its bytes hash to (SPEC §20.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId([u8; 32]);

impl BlobId {
    /// The name with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, "BlobId", &self.0)
    }
}

/// A media type (RFC 6838 §4.2) without parameters: `image/webp`. Lower case, so that there is one way to write each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MediaType {
    length: u8,
    /// Zero behind `length`.
    bytes: [u8; MEDIA_TYPE_MAX],
}

impl MediaType {
    /// Takes `type/subtype`, each of 1 to 63 characters of `a-z 0-9 ! # $ & - ^ _ . +`, the first a letter or a digit.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything else.
    pub fn new(name: &str) -> Result<Self, Error> {
        let (kind, subtype) = name.split_once('/').ok_or(Error::Malformed)?;
        if !is_restricted_name(kind.as_bytes()) || !is_restricted_name(subtype.as_bytes()) {
            return Err(Error::Malformed);
        }
        let mut bytes = [0; MEDIA_TYPE_MAX];
        for (to, from) in bytes.iter_mut().zip(name.as_bytes()) {
            *to = *from;
        }
        Ok(Self {
            length: u8::try_from(name.len()).map_err(|_| Error::Malformed)?,
            bytes,
        })
    }

    /// `type/subtype`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length));
        core::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }

    /// Reads what [`write`](Self::write) writes.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        core::str::from_utf8(reader.vector(MEDIA_TYPE_MAX)?)
            .ok()
            .and_then(|name| Self::new(name).ok())
            .ok_or(wire::Error::Value)
    }

    /// `opaque media_type<V>`
    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.vector(self.as_str().as_bytes())?;
        Ok(())
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaType({})", self.as_str())
    }
}

/// RFC 6838 §4.2 `restricted-name`, of at most 63 characters and without capitals.
fn is_restricted_name(name: &[u8]) -> bool {
    const PART_MAX: usize = (MEDIA_TYPE_MAX - 1) / 2;
    let starts = name.first().is_some_and(u8::is_ascii_alphanumeric);
    let allowed = |byte: &u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&-^_.+".contains(byte)
    };
    starts && name.len() <= PART_MAX && name.iter().all(allowed)
}

/// A blob that can be read: where it is found, its key, and what it holds.
///
/// Whoever has it can read the blob. What it is found by, and what opens it, is reached through
/// [`admit`](Self::admit). It is passed on as it is ([`duplicate`](Self::duplicate)) to forward the file: the server stores
/// one copy, and sees that two people fetch the same. A forward that nobody can link seals the text again, with a new
/// [`Record`](super::Record): the two blobs have nothing in common but their length.
pub struct Blob {
    /// What its bytes hash to.
    pub(super) id: BlobId,
    /// What it is sealed with.
    pub(super) key: FileKey,
    /// Bytes of the text, without padding.
    length: u64,
    /// What the sender says it is.
    pub(super) media_type: MediaType,
}

impl Blob {
    /// A blob of this text, which is `length` bytes without padding.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn new(
        id: BlobId,
        key: FileKey,
        length: u64,
        media_type: MediaType,
    ) -> Result<Self, Error> {
        if stored_len(length).is_none() {
            return Err(Error::TooLong);
        }
        Ok(Self {
            id,
            key,
            length,
            media_type,
        })
    }

    /// The same blob once more, to be sent on.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self {
            id: self.id,
            key: self.key.duplicate(),
            length: self.length,
            media_type: self.media_type,
        }
    }

    /// What the sender says it is.
    #[must_use]
    pub const fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// Bytes of the text, without padding.
    #[must_use]
    pub const fn text_len(&self) -> u64 {
        self.length
    }

    /// Bytes of the blob, as the server stores it.
    #[must_use]
    pub fn stored_len(&self) -> u64 {
        // `new` has refused a length that has none.
        stored_len(self.length).unwrap_or_default()
    }

    /// Reads what [`write`](Self::write) writes.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let id = BlobId::from_bytes(*reader.array()?);
        let key = FileKey::from_bytes(Secret::new(*reader.array()?));
        let length = reader.u64()?;
        let media_type = MediaType::read(reader)?;
        Self::new(id, key, length, media_type).map_err(|_| wire::Error::Value)
    }

    /// `opaque id[32]; opaque key[32]; uint64 length; opaque media_type<V>` (SPEC §20.3).
    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer
            .bytes(self.id.as_bytes())
            .bytes(self.key.expose())
            .u64(self.length);
        self.media_type.write(writer)
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("id", &self.id)
            .field("length", &self.length)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

/// Bytes of the text with its padding (SPEC §20.2); nothing for a text that is too long.
#[must_use]
pub fn padded_len(text: u64) -> Option<u64> {
    padding::padded_file_length(text).filter(|padded| *padded <= TEXT_MAX)
}

/// Bytes of the blob that a text of this length is stored as; nothing for a text that is too long.
#[must_use]
pub fn stored_len(text: u64) -> Option<u64> {
    padded_len(text).and_then(sealed_len)
}

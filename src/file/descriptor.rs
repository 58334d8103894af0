//! What travels in a message: a blob, and perhaps a small picture of it (SPEC §20.3).

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::Error;
use super::blob::{Blob, MediaType};
use super::limits::{DESCRIPTOR_MAX, THUMBNAIL_MAX};
use crate::memory;
use crate::wire::{self, Reader, Writer};

/// The version of the encoding.
const VERSION: u8 = 1;

const NONE: u8 = 0;
const INLINE: u8 = 1;
const BLOB: u8 = 2;

/// A file in a message. It has no name and no path: an app that wants one says it in its own words, and nothing here ever
/// takes it for a place.
pub struct Descriptor {
    /// The file.
    pub blob: Blob,
    /// A small picture of it.
    pub thumbnail: Thumbnail,
}

/// A small picture of a file, of which the library looks at no byte.
pub enum Thumbnail {
    /// None.
    None,
    /// In the message itself.
    Inline(Inline),
    /// A blob of its own, which is admitted like any other.
    Blob(Blob),
}

/// A thumbnail in the message itself.
pub struct Inline {
    media_type: MediaType,
    bytes: Zeroizing<Vec<u8>>,
}

impl Inline {
    /// With a copy of these bytes.
    ///
    /// # Errors
    /// [`Error::TooLong`] over [`THUMBNAIL_MAX`] bytes, [`Error::Malformed`] without any.
    pub fn new(media_type: MediaType, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Err(Error::Malformed);
        }
        if bytes.len() > THUMBNAIL_MAX {
            return Err(Error::TooLong);
        }
        let bytes = Zeroizing::new(memory::copied(bytes));
        Ok(Self { media_type, bytes })
    }

    /// What the sender says it is.
    #[must_use]
    pub const fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The bytes: of whatever the sender wrote.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Descriptor {
    /// Reads what [`to_bytes`](Self::to_bytes) gives: whatever is accepted is the one encoding of what it says.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::TooLong`] over [`DESCRIPTOR_MAX`] bytes, [`Error::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.first().is_some_and(|version| *version != VERSION) {
            return Err(Error::UnknownVersion);
        }
        if bytes.len() > DESCRIPTOR_MAX {
            return Err(Error::TooLong);
        }
        let mut reader = Reader::new(bytes);
        reader.u8()?;
        let blob = Blob::read(&mut reader)?;
        let thumbnail = match reader.u8()? {
            NONE => Thumbnail::None,
            INLINE => {
                let media_type = MediaType::read(&mut reader)?;
                let bytes = reader.vector(THUMBNAIL_MAX)?;
                Thumbnail::Inline(Inline::new(media_type, bytes)?)
            }
            BLOB => Thumbnail::Blob(Blob::read(&mut reader)?),
            _ => return Err(Error::Malformed),
        };
        reader.finish()?;
        Ok(Self { blob, thumbnail })
    }

    /// `uint8 version = 1; Blob blob; Thumbnail thumbnail` (SPEC §20.3). It opens the file: it belongs into a sealed message.
    ///
    /// # Errors
    /// None for a descriptor that there is.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut writer = Writer::with_capacity(DESCRIPTOR_MAX.saturating_sub(THUMBNAIL_MAX));
        match self.write(&mut writer) {
            Ok(()) => Ok(Zeroizing::new(writer.into_bytes())),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.u8(VERSION);
        self.blob.write(writer)?;
        match &self.thumbnail {
            Thumbnail::None => {
                writer.u8(NONE);
            }
            Thumbnail::Inline(inline) => {
                writer.u8(INLINE);
                inline.media_type.write(writer)?;
                writer.vector(&inline.bytes)?;
            }
            Thumbnail::Blob(blob) => {
                writer.u8(BLOB);
                blob.write(writer)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Descriptor")
            .field("blob", &self.blob)
            .field("thumbnail", &self.thumbnail)
            .finish()
    }
}

impl fmt::Debug for Thumbnail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Inline(inline) => inline.fmt(f),
            Self::Blob(blob) => blob.fmt(f),
        }
    }
}

impl fmt::Debug for Inline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inline")
            .field("media_type", &self.media_type)
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

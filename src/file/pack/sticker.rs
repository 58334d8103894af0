//! One sticker: the emoji that it stands for, and the blob that shows it.

use alloc::vec::Vec;
use core::fmt;

use super::Error;
use super::limits::{EMOJI_BYTES_MAX, EMOJI_MAX, STICKER_MAX};
use crate::file::blob::Blob;
use crate::file::descriptor::{Descriptor, Thumbnail};
use crate::memory;
use crate::wire::{Reader, Writer};

/// A sticker: the emoji that it stands for, and the blob that shows it.
///
/// Its blob has a key of its own: a message that carries the blob opens this sticker, no other, and not the pack.
pub struct Sticker {
    emoji: Vec<Emoji>,
    blob: Blob,
}

/// 1 to 63 bytes of UTF-8. Which of them are an emoji changes every year, and is for who shows them to say.
#[derive(Clone, Copy)]
struct Emoji {
    length: u8,
    /// Zero behind `length`.
    bytes: [u8; EMOJI_BYTES_MAX],
}

impl Emoji {
    fn new(text: &str) -> Result<Self, Error> {
        let length = u8::try_from(text.len()).map_err(|_| Error::TooLong)?;
        let mut bytes = [0; EMOJI_BYTES_MAX];
        let front = bytes.get_mut(..text.len()).ok_or(Error::TooLong)?;
        front.copy_from_slice(text.as_bytes());
        if text.is_empty() {
            return Err(Error::Malformed);
        }
        Ok(Self { length, bytes })
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length));
        core::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }
}

impl Sticker {
    /// A sticker of 1 to 20 emoji, each of 1 to 63 bytes, and a blob of at most 512 KiB.
    ///
    /// The blob has a new key ([`FileKey::generate`](crate::file::FileKey::generate)), which no other sticker has.
    ///
    /// # Errors
    /// [`Error::TooLong`]; [`Error::Malformed`] without emoji, or with an empty one.
    pub fn new(emoji: &[&str], blob: Blob) -> Result<Self, Error> {
        let mut checked = Vec::new();
        for text in emoji {
            memory::push(&mut checked, Emoji::new(text)?);
        }
        Self::of(checked, blob)
    }

    fn of(emoji: Vec<Emoji>, blob: Blob) -> Result<Self, Error> {
        if emoji.len() > EMOJI_MAX || blob.text_len() > STICKER_MAX {
            return Err(Error::TooLong);
        }
        if emoji.is_empty() {
            return Err(Error::Malformed);
        }
        Ok(Self { emoji, blob })
    }

    /// What it stands for, in the author's order.
    pub fn emoji(&self) -> impl Iterator<Item = &str> {
        self.emoji.iter().map(Emoji::as_str)
    }

    /// What shows it: to be fetched, and to be sent.
    #[must_use]
    pub const fn blob(&self) -> &Blob {
        &self.blob
    }

    /// What shows it, to stand under other emoji in the next version: what the server has of it stays what it is.
    #[must_use]
    pub fn into_blob(self) -> Blob {
        self.blob
    }

    /// What a message carries that sends this sticker: its blob, and nothing of the pack.
    #[must_use]
    pub const fn descriptor(&self) -> Descriptor {
        Descriptor {
            blob: self.blob.duplicate(),
            thumbnail: Thumbnail::None,
        }
    }

    /// SPEC §21.3-R9.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let count = reader.vector_length()?;
        if count > EMOJI_MAX {
            return Err(Error::Malformed);
        }
        let mut emoji = Vec::new();
        for _ in 0..count {
            let text = core::str::from_utf8(reader.vector(EMOJI_BYTES_MAX)?);
            let text = text.map_err(|_| Error::Malformed)?;
            memory::push(&mut emoji, Emoji::new(text)?);
        }
        Self::of(emoji, Blob::read(reader)?).map_err(|_| Error::Malformed)
    }

    /// `list<1..20>: opaque emoji<1..63>; blob` (SPEC §21.2).
    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.vector_length(self.emoji.len())?;
        for emoji in self.emoji() {
            writer.vector(emoji.as_bytes())?;
        }
        Ok(self.blob.write(writer)?)
    }
}

impl fmt::Debug for Sticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { emoji, blob } = self;
        let texts = emoji.len();
        f.debug_struct("Sticker")
            .field("emoji", &texts)
            .field("blob", blob)
            .finish()
    }
}

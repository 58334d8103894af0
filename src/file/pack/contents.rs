//! What an author puts into a pack.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Error;
use super::limits::{NAME_MAX, STICKERS_MAX, TITLE_MAX};
use super::sticker::Sticker;
use crate::crypto::secret::equal;
use crate::memory;
use crate::wire::{Reader, Writer};

/// Title, author's name and stickers of a pack, within their limits.
///
/// What the texts say, how they are shown, and whether a name is anybody's, is the app's to judge: they are any UTF-8.
pub struct Contents {
    title: String,
    name: String,
    stickers: Vec<Sticker>,
}

impl Contents {
    /// A title of 1 to 256 bytes, a name of up to 256, perhaps none, and up to 120 stickers, of which no two have the same
    /// key.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::KeyInUse`]; [`Error::Malformed`] without a title.
    pub fn new(title: &str, name: &str, stickers: Vec<Sticker>) -> Result<Self, Error> {
        let too_long = title.len() > TITLE_MAX || name.len() > NAME_MAX;
        if too_long || stickers.len() > STICKERS_MAX {
            return Err(Error::TooLong);
        }
        if title.is_empty() {
            return Err(Error::Malformed);
        }
        if shares_a_key(&stickers) {
            return Err(Error::KeyInUse);
        }
        Ok(Self {
            title: text(title.as_bytes())?,
            name: text(name.as_bytes())?,
            stickers,
        })
    }

    /// What the pack is called.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What its author is called, as the author says; perhaps empty.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stickers, in the author's order.
    #[must_use]
    pub fn stickers(&self) -> &[Sticker] {
        &self.stickers
    }

    /// The stickers, to be put together anew.
    #[must_use]
    pub fn into_stickers(self) -> Vec<Sticker> {
        self.stickers
    }

    /// SPEC §21.3-R9.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let title = core::str::from_utf8(reader.vector(TITLE_MAX)?);
        let name = core::str::from_utf8(reader.vector(NAME_MAX)?);
        let count = reader.vector_length()?;
        if count > STICKERS_MAX {
            return Err(Error::Malformed);
        }
        let mut stickers = Vec::new();
        for _ in 0..count {
            memory::push(&mut stickers, Sticker::read(reader)?);
        }
        let title = title.map_err(|_| Error::Malformed)?;
        let name = name.map_err(|_| Error::Malformed)?;
        Self::new(title, name, stickers).map_err(|_| Error::Malformed)
    }

    /// `opaque title<1..256>; opaque name<0..256>; list<0..120>: sticker` (SPEC §21.2).
    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer
            .vector(self.title.as_bytes())?
            .vector(self.name.as_bytes())?
            .vector_length(self.stickers.len())?;
        for sticker in &self.stickers {
            sticker.write(writer)?;
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Result<String, Error> {
    String::from_utf8(memory::copied(bytes)).map_err(|_| Error::Malformed)
}

/// Whether two have the same key. Every two are compared, in constant time: at most 7,140 comparisons.
fn shares_a_key(stickers: &[Sticker]) -> bool {
    let mut shared = false;
    let mut rest = stickers;
    while let Some((sticker, others)) = rest.split_first() {
        let key = sticker.blob().key.expose();
        for other in others {
            shared |= equal(key, other.blob().key.expose());
        }
        rest = others;
    }
    shared
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents")
            .field("title", &self.title)
            .field("name", &self.name)
            .field("stickers", &self.stickers)
            .finish()
    }
}

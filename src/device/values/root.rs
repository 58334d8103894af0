//! What changes with every commit.

use super::integrity;
use crate::session::{Encoding, Error};
use crate::wire::{Reader, Writer};

/// The root: in every commit, so that its generation is the store's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::device) struct Root {
    /// How often the device was set back to an older state of itself.
    pub(in crate::device) incarnation: u16,
    /// Every entry of the inbox has an id from `first` on and below `next`.
    pub(in crate::device) inbox: Ids,
    /// The same for the outbox.
    pub(in crate::device) outbox: Ids,
    /// Prekeys are to be published: something asked for it that the clock does not tell.
    pub(in crate::device) publish_due: bool,
    /// The account's newest device list is to be fetched before this device signs another.
    pub(in crate::device) list_due: bool,
    /// When prekeys were published last, Unix milliseconds.
    pub(in crate::device) published_at: u64,
}

/// Above every id: 48 bits, so that an incarnation fits in front.
const IDS_MAX: u64 = 1 << 48;

/// Ids that grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::device) struct Ids {
    pub(in crate::device) first: u64,
    pub(in crate::device) next: u64,
}

impl Ids {
    /// The next id.
    pub(in crate::device) fn take(&mut self) -> Result<u64, Error> {
        let id = self.next;
        self.next = id
            .checked_add(1)
            .filter(|next| *next <= IDS_MAX)
            .ok_or(Error::Integrity)?;
        Ok(id)
    }

    fn write(self, writer: &mut Writer) {
        writer.u64(self.first).u64(self.next);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let ids = Self {
            first: reader.u64().map_err(integrity)?,
            next: reader.u64().map_err(integrity)?,
        };
        if ids.first > ids.next || ids.next > IDS_MAX {
            return Err(Error::Integrity);
        }
        Ok(ids)
    }
}

impl Encoding for Root {
    const KIND: u16 = 4;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.u16(self.incarnation);
        self.inbox.write(writer);
        self.outbox.write(writer);
        writer
            .flag(self.publish_due)
            .flag(self.list_due)
            .u64(self.published_at);
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            incarnation: reader.u16().map_err(integrity)?,
            inbox: Ids::read(reader)?,
            outbox: Ids::read(reader)?,
            publish_due: reader.flag().map_err(integrity)?,
            list_due: reader.flag().map_err(integrity)?,
            published_at: reader.u64().map_err(integrity)?,
        })
    }

    fn size_hint(&self) -> usize {
        52
    }
}

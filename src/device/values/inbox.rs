//! What was received and not yet acknowledged by the app.

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::integrity;
use crate::device::group_id::GroupId;
use crate::device::mail::{Content, Notices, Received};
use crate::identity::{AccountId, Address};
use crate::memory;
use crate::session::{Encoding, Error};
use crate::wire::{Reader, Writer};

const MESSAGE: u8 = 0;
const COPY: u8 = 1;
const UNKNOWN: u8 = 2;
const GROUP: u8 = 3;

/// The part of a message's id that says where it lies; above it, the incarnation of the device that received it.
pub(in crate::device) const SEQUENCE: u64 = (1 << 48) - 1;

/// One message that was received.
pub(in crate::device) struct InboxEntry {
    /// Of this device, when it received the message.
    pub(in crate::device) incarnation: u16,
    pub(in crate::device) from: Address,
    /// Unix milliseconds.
    pub(in crate::device) received_at: u64,
    pub(in crate::device) notices: Notices,
    pub(in crate::device) content: Content,
    pub(in crate::device) text: Zeroizing<Vec<u8>>,
}

impl InboxEntry {
    /// The id of the message that lies at `sequence`: another one after a backup was restored.
    pub(in crate::device) fn id(&self, sequence: u64) -> u64 {
        u64::from(self.incarnation) << 48 | sequence
    }

    /// The message for the app.
    pub(in crate::device) fn received(&self, sequence: u64) -> Received {
        Received {
            id: self.id(sequence),
            from: self.from,
            received_at: self.received_at,
            content: self.content,
            text: memory::copied(&self.text),
            notices: self.notices,
        }
    }
}

impl Encoding for InboxEntry {
    const KIND: u16 = 10;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.u16(self.incarnation);
        self.from.write(writer);
        writer.u64(self.received_at).u8(self.notices.to_bits());
        match &self.content {
            Content::Message => writer.u8(MESSAGE),
            Content::Copy { to } => writer.u8(COPY).bytes(to.as_bytes()),
            Content::Unknown => writer.u8(UNKNOWN),
            Content::Group { group } => writer.u8(GROUP).bytes(group.as_bytes()),
        };
        writer.bytes(&self.text);
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let incarnation = reader.u16().map_err(integrity)?;
        let from = Address::read(reader).map_err(integrity)?;
        let received_at = reader.u64().map_err(integrity)?;
        let notices = reader.u8().map_err(integrity)?;
        let notices = Notices::from_bits(notices).ok_or(Error::Integrity)?;
        let content = match reader.u8().map_err(integrity)? {
            MESSAGE => Content::Message,
            COPY => Content::Copy {
                to: AccountId::from_bytes(*reader.array().map_err(integrity)?),
            },
            UNKNOWN => Content::Unknown,
            GROUP => Content::Group {
                group: GroupId::from_bytes(*reader.array().map_err(integrity)?),
            },
            _ => return Err(Error::Integrity),
        };
        let length = reader.rest().len();
        let text = reader.take(length).map_err(integrity)?;
        Ok(Self {
            incarnation,
            from,
            received_at,
            notices,
            content,
            text: Zeroizing::new(memory::copied(text)),
        })
    }

    fn size_hint(&self) -> usize {
        self.text.len().saturating_add(90)
    }
}

//! What is kept about one device of somebody.

use super::integrity;
use crate::device::limits::TELLING;
use crate::session::{Conversation, Encoding, Error};
use crate::wire::{Reader, Writer};

/// The conversation with one device, and what belongs to it.
pub(in crate::device) struct Peer {
    /// The incarnation of this device in which the conversation was stored last.
    pub(in crate::device) incarnation: u16,
    /// The next message waits for a conversation begun anew.
    pub(in crate::device) begin_anew: bool,
    /// In so many chains the device lists are still told.
    pub(in crate::device) telling: u8,
    /// The versions of our device list and of theirs that were told last; 0 before any.
    pub(in crate::device) told: [u64; 2],
    pub(in crate::device) conversation: Conversation,
}

impl Peer {
    pub(in crate::device) const fn new(incarnation: u16, conversation: Conversation) -> Self {
        Self {
            incarnation,
            begin_anew: false,
            telling: TELLING,
            told: [0; 2],
            conversation,
        }
    }
}

impl Encoding for Peer {
    const KIND: u16 = 5;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        let [own, theirs] = self.told;
        writer
            .u16(self.incarnation)
            .flag(self.begin_anew)
            .u8(self.telling)
            .u64(own)
            .u64(theirs);
        self.conversation.write(writer)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let peer = Self {
            incarnation: reader.u16().map_err(integrity)?,
            begin_anew: reader.flag().map_err(integrity)?,
            telling: reader.u8().map_err(integrity)?,
            told: [
                reader.u64().map_err(integrity)?,
                reader.u64().map_err(integrity)?,
            ],
            conversation: Conversation::read(reader)?,
        };
        if peer.telling > TELLING {
            return Err(Error::Integrity);
        }
        Ok(peer)
    }

    fn size_hint(&self) -> usize {
        self.conversation.size_hint().saturating_add(20)
    }
}

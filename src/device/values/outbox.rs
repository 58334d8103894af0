//! What was sealed and not yet acknowledged by the app.

use alloc::vec::Vec;

use super::integrity;
use crate::device::limits::CLIENT_ID_MAX;
use crate::device::mail::Sealed;
use crate::identity::limits::DEVICES_MAX;
use crate::identity::{AccountId, Address};
use crate::memory;
use crate::session::{Encoding, Error};
use crate::wire::{Reader, Writer};

/// Longest sealed message: far above 2^20 bytes with a prefix.
const SEALED_MAX: usize = 1 << 21;

/// Copies of one message: to every device of the account and to one's own others.
const COPIES: usize = 2 * DEVICES_MAX;

/// One message in all its copies, exactly as they were sealed.
pub(in crate::device) struct OutboxEntry {
    pub(in crate::device) order: u64,
    pub(in crate::device) to: AccountId,
    pub(in crate::device) copies: Vec<Sealed>,
}

impl Encoding for OutboxEntry {
    const KIND: u16 = 8;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer
            .u64(self.order)
            .bytes(self.to.as_bytes())
            .vector_length(self.copies.len())
            .map_err(integrity)?;
        for copy in &self.copies {
            copy.to.write(writer);
            writer.vector(&copy.message).map_err(integrity)?;
        }
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let order = reader.u64().map_err(integrity)?;
        let to = AccountId::from_bytes(*reader.array().map_err(integrity)?);
        let count = reader.vector_length().map_err(integrity)?;
        if count > COPIES {
            return Err(Error::Integrity);
        }
        let mut copies = memory::with_capacity(count);
        for _ in 0..count {
            let copy = Sealed {
                to: Address::read(reader).map_err(integrity)?,
                message: memory::copied(reader.vector(SEALED_MAX).map_err(integrity)?),
            };
            memory::push(&mut copies, copy);
        }
        Ok(Self { order, to, copies })
    }

    fn size_hint(&self) -> usize {
        self.copies
            .iter()
            .map(|copy| copy.message.len().saturating_add(52))
            .fold(44, usize::saturating_add)
    }
}

/// The app's name of the message that was sealed as the n-th.
pub(in crate::device) struct OutboxOrder(pub(in crate::device) Vec<u8>);

impl Encoding for OutboxOrder {
    const KIND: u16 = 9;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.vector(&self.0).map_err(integrity)?;
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let id = reader.vector(CLIENT_ID_MAX).map_err(integrity)?;
        if id.is_empty() {
            return Err(Error::Integrity);
        }
        Ok(Self(memory::copied(id)))
    }

    fn size_hint(&self) -> usize {
        self.0.len().saturating_add(2)
    }
}

//! The two tables of SPEC §11.1: from the tag of a message, or the id of a first one, to conversations.

use alloc::vec::Vec;

use super::integrity;
use crate::device::limits::INDEXED;
use crate::identity::Address;
use crate::memory;
use crate::ratchet::TAG;
use crate::session::{Encoding, Error};
use crate::wire::{Reader, Writer};

/// What a message names its conversation by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::device) enum Indexed {
    Tag([u8; TAG]),
    First([u8; 16]),
}

impl Indexed {
    pub(in crate::device) const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Tag(tag) => tag,
            Self::First(id) => id,
        }
    }
}

/// Whose conversations it names.
#[derive(Debug, Default)]
pub(in crate::device) struct Index {
    pub(in crate::device) addresses: Vec<Address>,
}

impl Encoding for Index {
    const KIND: u16 = 7;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer
            .vector_length(self.addresses.len())
            .map_err(integrity)?;
        for address in &self.addresses {
            address.write(writer);
        }
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let count = reader.vector_length().map_err(integrity)?;
        if count == 0 || count > INDEXED {
            return Err(Error::Integrity);
        }
        let mut addresses = memory::with_capacity(count);
        for _ in 0..count {
            memory::push(&mut addresses, Address::read(reader).map_err(integrity)?);
        }
        Ok(Self { addresses })
    }

    fn size_hint(&self) -> usize {
        self.addresses.len().saturating_mul(48).saturating_add(1)
    }
}

//! What is stored of a group of devices: its entry in the list of groups, and the records of its member.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::integrity;
use crate::device::group_id::GroupId;
use crate::device::limits::CLIENT_ID_MAX;
use crate::memory;
use crate::session::{Encoding, Error};
use crate::wire::{Reader, Writer};

fn write_id(id: Option<GroupId>, writer: &mut Writer) {
    writer.flag(id.is_some());
    if let Some(id) = id {
        writer.bytes(id.as_bytes());
    }
}

fn read_id(reader: &mut Reader<'_>) -> Result<Option<GroupId>, Error> {
    if !reader.flag().map_err(integrity)? {
        return Ok(None);
    }
    let bytes = *reader.array().map_err(integrity)?;
    Ok(Some(GroupId::from_bytes(bytes)))
}

/// A group's place in the list of all groups, and what the device adds to the member.
#[derive(Clone, Default)]
pub(in crate::device) struct GroupEntry {
    /// Of this device, when the epoch began that it sends in.
    pub(in crate::device) incarnation: u16,
    pub(in crate::device) previous: Option<GroupId>,
    pub(in crate::device) next: Option<GroupId>,
    /// The app's name of the commit that waits; empty if none does.
    pub(in crate::device) commit: Vec<u8>,
}

impl Encoding for GroupEntry {
    const KIND: u16 = 12;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.u16(self.incarnation);
        write_id(self.previous, writer);
        write_id(self.next, writer);
        writer.vector(&self.commit).map_err(integrity)?;
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            incarnation: reader.u16().map_err(integrity)?,
            previous: read_id(reader)?,
            next: read_id(reader)?,
            commit: memory::copied(reader.vector(CLIENT_ID_MAX).map_err(integrity)?),
        })
    }

    fn size_hint(&self) -> usize {
        self.commit.len().saturating_add(70)
    }
}

/// A record of a group's member (SPEC §22.6).
pub(in crate::device) struct GroupRecord(pub(in crate::device) Zeroizing<Vec<u8>>);

impl Encoding for GroupRecord {
    const KIND: u16 = 13;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.bytes(&self.0);
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let length = reader.rest().len();
        let bytes = reader.take(length).map_err(integrity)?;
        Ok(Self(Zeroizing::new(memory::copied(bytes))))
    }

    fn size_hint(&self) -> usize {
        self.0.len()
    }
}

/// The first of all groups.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::device) struct GroupList {
    pub(in crate::device) first: Option<GroupId>,
}

impl Encoding for GroupList {
    const KIND: u16 = 14;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        write_id(self.first, writer);
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            first: read_id(reader)?,
        })
    }

    fn size_hint(&self) -> usize {
        33
    }
}

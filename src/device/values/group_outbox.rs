//! What was made for a group and not yet acknowledged by the app.

use alloc::vec::Vec;

use super::integrity;
use crate::device::group_id::GroupId;
use crate::device::group_mail::{GroupContent, GroupSent};
use crate::identity::Address;
use crate::memory;
use crate::session::{Encoding, Error};
use crate::wire::{Reader, VECTOR_MAX, Writer};

const MESSAGE: u8 = 0;
const PROPOSAL: u8 = 1;
const COMMIT: u8 = 2;

/// One message to a group, exactly as it was made. Its name is the app's.
pub(in crate::device) struct GroupOutboxEntry {
    pub(in crate::device) order: u64,
    pub(in crate::device) group: GroupId,
    pub(in crate::device) message: Vec<u8>,
    pub(in crate::device) content: GroupContent,
}

impl GroupOutboxEntry {
    /// The message for the app.
    pub(in crate::device) fn sent(self, id: &[u8]) -> GroupSent {
        GroupSent {
            id: memory::copied(id),
            group: self.group,
            message: self.message,
            content: self.content,
        }
    }
}

impl Encoding for GroupOutboxEntry {
    const KIND: u16 = 16;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer
            .u64(self.order)
            .bytes(self.group.as_bytes())
            .vector(&self.message)
            .map_err(integrity)?;
        match &self.content {
            GroupContent::Message => {
                writer.u8(MESSAGE);
            }
            GroupContent::Proposal => {
                writer.u8(PROPOSAL);
            }
            GroupContent::Commit { welcome, added } => {
                writer.u8(COMMIT).flag(welcome.is_some());
                if let Some(welcome) = welcome {
                    writer.vector(welcome).map_err(integrity)?;
                }
                writer.vector_length(added.len()).map_err(integrity)?;
                for address in added {
                    address.write(writer);
                }
            }
        }
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            order: reader.u64().map_err(integrity)?,
            group: GroupId::from_bytes(*reader.array().map_err(integrity)?),
            message: memory::copied(reader.vector(VECTOR_MAX).map_err(integrity)?),
            content: match reader.u8().map_err(integrity)? {
                MESSAGE => GroupContent::Message,
                PROPOSAL => GroupContent::Proposal,
                COMMIT => read_commit(reader)?,
                _ => return Err(Error::Integrity),
            },
        })
    }

    fn size_hint(&self) -> usize {
        let commit = match &self.content {
            GroupContent::Commit { welcome, added } => welcome
                .as_ref()
                .map_or(0, Vec::len)
                .saturating_add(added.len().saturating_mul(40)),
            GroupContent::Message | GroupContent::Proposal => 0,
        };
        self.message.len().saturating_add(commit).saturating_add(64)
    }
}

fn read_commit(reader: &mut Reader<'_>) -> Result<GroupContent, Error> {
    let welcome = if reader.flag().map_err(integrity)? {
        Some(memory::copied(
            reader.vector(VECTOR_MAX).map_err(integrity)?,
        ))
    } else {
        None
    };
    let count = reader.vector_length().map_err(integrity)?;
    let mut added = Vec::new();
    for _ in 0..count {
        memory::push(&mut added, Address::read(reader).map_err(integrity)?);
    }
    Ok(GroupContent::Commit { welcome, added })
}

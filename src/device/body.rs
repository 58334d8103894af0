//! What devices seal for each other: the app's text behind a head, and now and then both device lists' versions and
//! hashes (SPEC §19.1).
//!
//! ```text
//! body    = u8 head || [ view of the sender's list || view of the receiver's list ] || content
//! view    = u64 version || hash 32
//! head    = 0x10 | 0x08 if the views are there | kind
//! content = text                       kind 0
//!         | account id 32 || text      kind 1: a copy of what the sender sent to that account
//! ```

use alloc::vec::Vec;

use super::mail::Content;
use crate::identity::{AccountId, DeviceList};
use crate::wire::{self, Reader, Writer};

const VERSION: u8 = 0x10;
const VIEWS: u8 = 0x08;
const MESSAGE: u8 = 0;
const COPY: u8 = 1;

/// Most that a body adds to a text: head, two views, an account id.
pub const OVERHEAD: usize = 1 + 2 * 40 + 32;

/// A device list as somebody knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) version: u64,
    pub(super) hash: [u8; 32],
}

impl View {
    pub(super) const fn of(list: &DeviceList) -> Self {
        Self {
            version: list.version(),
            hash: *list.hash(),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.u64(self.version).bytes(&self.hash);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            version: reader.u64()?,
            hash: *reader.array()?,
        })
    }
}

/// The views of a body: the sender's list, then the receiver's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Views {
    pub(super) sender: View,
    pub(super) receiver: View,
}

/// A body, taken apart.
pub(super) struct Body<'a> {
    pub(super) views: Option<Views>,
    pub(super) content: Content,
    pub(super) text: &'a [u8],
}

impl<'a> Body<'a> {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(self.text.len().saturating_add(OVERHEAD));
        let kind = match self.content {
            Content::Copy { .. } => COPY,
            Content::Message | Content::Group { .. } | Content::Unknown => MESSAGE,
        };
        let views = if self.views.is_some() { VIEWS } else { 0 };
        writer.u8(VERSION | views | kind);
        if let Some(views) = &self.views {
            views.sender.write(&mut writer);
            views.receiver.write(&mut writer);
        }
        if let Content::Copy { to } = &self.content {
            writer.bytes(to.as_bytes());
        }
        writer.bytes(self.text);
        writer.into_bytes()
    }

    /// Total: what a later version makes is kept whole as [`Content::Unknown`].
    ///
    /// # Errors
    /// A body that ends early.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, wire::Error> {
        let mut reader = Reader::new(body);
        let head = reader.u8()?;
        let kind = head & !(VERSION | VIEWS);
        if head & VERSION == 0 || kind > COPY {
            return Ok(Self {
                views: None,
                content: Content::Unknown,
                text: body,
            });
        }
        let views = if head & VIEWS == 0 {
            None
        } else {
            Some(Views {
                sender: View::read(&mut reader)?,
                receiver: View::read(&mut reader)?,
            })
        };
        let content = if kind == COPY {
            Content::Copy {
                to: AccountId::from_bytes(*reader.array()?),
            }
        } else {
            Content::Message
        };
        Ok(Self {
            views,
            content,
            text: reader.rest(),
        })
    }
}

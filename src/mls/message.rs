//! Everything that travels: `MLSMessage` (RFC 9420 §6).

use alloc::vec::Vec;

use super::capabilities::MLS10;
use super::codec::Codec;
use super::error::Error;
use super::framing::{PrivateMessage, PublicMessage};
use super::group_info::GroupInfo;
use super::key_package::KeyPackage;
use super::welcome::Welcome;
use crate::wire::{self, Reader, Writer};

/// A message as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A handshake message that is not encrypted.
    Public(PublicMessage),
    /// An encrypted message.
    Private(PrivateMessage),
    /// For new members.
    Welcome(Welcome),
    /// For those who want to join.
    GroupInfo(GroupInfo),
    /// Of a client that may be added.
    KeyPackage(KeyPackage),
}

impl Message {
    /// Reads a message that takes all of `bytes`.
    ///
    /// # Errors
    /// [`Error::UnsupportedVersion`], [`Error::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        if Reader::new(bytes).u16()? != MLS10 {
            return Err(Error::UnsupportedVersion);
        }
        Ok(Self::from_bytes(bytes)?)
    }

    /// Its encoding.
    ///
    /// # Errors
    /// [`Error::Malformed`] if a field is longer than the encoding allows.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        Ok(self.to_bytes()?)
    }
}

impl Codec for Message {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        if reader.u16()? != MLS10 {
            return Err(wire::Error::Value);
        }
        Ok(match reader.u16()? {
            1 => Self::Public(Codec::read(reader)?),
            2 => Self::Private(Codec::read(reader)?),
            3 => Self::Welcome(Codec::read(reader)?),
            4 => Self::GroupInfo(Codec::read(reader)?),
            5 => Self::KeyPackage(Codec::read(reader)?),
            _ => return Err(wire::Error::Value),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.u16(MLS10);
        match self {
            Self::Public(message) => {
                writer.u16(1);
                message.write(writer)
            }
            Self::Private(message) => {
                writer.u16(2);
                message.write(writer)
            }
            Self::Welcome(welcome) => {
                writer.u16(3);
                welcome.write(writer)
            }
            Self::GroupInfo(info) => {
                writer.u16(4);
                info.write(writer)
            }
            Self::KeyPackage(key_package) => {
                writer.u16(5);
                key_package.write(writer)
            }
        }
    }
}

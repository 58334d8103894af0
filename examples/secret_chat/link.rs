//! What travels between a peer and the relay, over TCP: packets, each behind its length.
//!
//! ```text
//! peer  ── Hello (my address) ──────────► relay       whose mailbox this connection may ask for
//! peer  ◄── Welcome (bundles left) ────── relay
//! peer  ── Publish (bundle) ────────────► relay       one-time bundles are handed out once,
//! peer  ── Fetch (address) ─────────────► relay       the last-resort bundle whenever none is left
//! peer  ◄── Bundle ────────────────────── relay
//! peer  ── PublishList (account) ───────► relay       a list of the account's devices, and each that follows it
//! peer  ── FetchLists (account) ────────► relay       those above the version that is known; else the newest
//! peer  ◄── Lists ─────────────────────── relay
//! peer  ── Listen ──────────────────────► relay       from now on, and what waited until now
//! peer  ── Send (mailbox, message) ─────► relay
//! peer  ◄── Deliver (message) ─────────── relay
//! ```
//! The mailbox of a message is the recipient's address: the relay learns who receives how much and when, and, since
//! the sender's connection has said `Hello`, from whom. Of the message itself it learns the length; kind and tag are
//! in the clear, and mean nothing to it. Nothing of this is authenticated: whatever the relay does with it, the worst
//! that comes of it is silence, because an account is the hash of its keys, and they sign its list of devices.

use std::io::{self, ErrorKind, Read, Write};

use subrosa::wire::{Reader, Writer};

use crate::limits::PACKET_MAX;

#[derive(Debug, PartialEq, Eq)]
pub enum Packet {
    Hello {
        address: Vec<u8>,
    },
    Welcome {
        one_time_left: u32,
    },
    Publish {
        one_time: bool,
        bundle: Vec<u8>,
    },
    Fetch {
        address: Vec<u8>,
    },
    Bundle {
        address: Vec<u8>,
        bundle: Option<Vec<u8>>,
    },
    PublishList {
        account: [u8; 32],
        version: u64,
        list: Vec<u8>,
    },
    FetchLists {
        account: [u8; 32],
        known: Option<u64>,
    },
    Lists {
        account: [u8; 32],
        lists: Vec<Vec<u8>>,
    },
    Listen,
    Send {
        mailbox: Vec<u8>,
        message: Vec<u8>,
    },
    Deliver {
        message: Vec<u8>,
    },
}

impl Packet {
    pub fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        let body = self.encode().map_err(invalid)?;
        let length = u32::try_from(body.len()).map_err(invalid)?;
        stream.write_all(&[&length.to_be_bytes(), body.as_slice()].concat())
    }

    /// `None` where the stream ends between two packets.
    pub fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let mut length = [0; 4];
        match stream.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(invalid)?;
        if length > PACKET_MAX {
            return Err(invalid("the packet is too long"));
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Self::decode(&body).map(Some).map_err(invalid)
    }

    fn encode(&self) -> Result<Vec<u8>, subrosa::wire::Error> {
        let mut writer = Writer::new();
        match self {
            Self::Hello { address } => writer.u8(1).vector(address)?,
            Self::Welcome { one_time_left } => writer.u8(2).u32(*one_time_left),
            Self::Publish { one_time, bundle } => writer.u8(3).flag(*one_time).vector(bundle)?,
            Self::Fetch { address } => writer.u8(4).vector(address)?,
            Self::Bundle { address, bundle } => {
                writer.u8(5).vector(address)?.flag(bundle.is_some());
                writer.vector(bundle.as_deref().unwrap_or_default())?
            }
            Self::PublishList {
                account,
                version,
                list,
            } => writer.u8(9).bytes(account).u64(*version).vector(list)?,
            Self::FetchLists { account, known } => {
                writer.u8(10).bytes(account).flag(known.is_some());
                writer.u64(known.unwrap_or_default())
            }
            Self::Lists { account, lists } => {
                writer.u8(11).bytes(account);
                for list in lists {
                    writer.vector(list)?;
                }
                &mut writer
            }
            Self::Listen => writer.u8(6),
            Self::Send { mailbox, message } => writer.u8(7).vector(mailbox)?.vector(message)?,
            Self::Deliver { message } => writer.u8(8).vector(message)?,
        };
        Ok(writer.into_bytes())
    }

    fn decode(body: &[u8]) -> Result<Self, subrosa::wire::Error> {
        let mut reader = Reader::new(body);
        let kind = reader.u8()?;
        let mut vector = || reader.vector(PACKET_MAX).map(<[u8]>::to_vec);
        let packet = match kind {
            1 => Self::Hello { address: vector()? },
            2 => Self::Welcome {
                one_time_left: reader.u32()?,
            },
            3 => Self::Publish {
                one_time: reader.flag()?,
                bundle: reader.vector(PACKET_MAX)?.to_vec(),
            },
            4 => Self::Fetch { address: vector()? },
            5 => {
                let address = vector()?;
                let is_there = reader.flag()?;
                let bundle = reader.vector(PACKET_MAX)?.to_vec();
                Self::Bundle {
                    address,
                    bundle: is_there.then_some(bundle),
                }
            }
            9 => Self::PublishList {
                account: *reader.array()?,
                version: reader.u64()?,
                list: reader.vector(PACKET_MAX)?.to_vec(),
            },
            10 => {
                let account = *reader.array()?;
                let is_known = reader.flag()?;
                let version = reader.u64()?;
                Self::FetchLists {
                    account,
                    known: is_known.then_some(version),
                }
            }
            11 => {
                let account = *reader.array()?;
                let mut lists = Vec::new();
                while !reader.rest().is_empty() {
                    lists.push(reader.vector(PACKET_MAX)?.to_vec());
                }
                Self::Lists { account, lists }
            }
            6 => Self::Listen,
            7 => Self::Send {
                mailbox: vector()?,
                message: vector()?,
            },
            8 => Self::Deliver { message: vector()? },
            _ => return Err(subrosa::wire::Error::Value),
        };
        reader.finish()?;
        Ok(packet)
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_they_were_written() {
        let packets = [
            Packet::Hello {
                address: b"alice".to_vec(),
            },
            Packet::Welcome { one_time_left: 3 },
            Packet::Publish {
                one_time: true,
                bundle: vec![1; 1_600],
            },
            Packet::Fetch {
                address: b"bob".to_vec(),
            },
            Packet::Bundle {
                address: b"bob".to_vec(),
                bundle: None,
            },
            Packet::Bundle {
                address: b"bob".to_vec(),
                bundle: Some(vec![2; 1_600]),
            },
            Packet::PublishList {
                account: [5; 32],
                version: 2,
                list: vec![6; 300],
            },
            Packet::FetchLists {
                account: [5; 32],
                known: None,
            },
            Packet::FetchLists {
                account: [5; 32],
                known: Some(1),
            },
            Packet::Lists {
                account: [5; 32],
                lists: vec![vec![6; 300], vec![7; 400]],
            },
            Packet::Listen,
            Packet::Send {
                mailbox: b"bob".to_vec(),
                message: vec![3; 70_000],
            },
            Packet::Deliver { message: vec![4] },
        ];
        let mut stream = Vec::new();
        for packet in &packets {
            packet.write(&mut stream).unwrap();
        }
        let mut stream = stream.as_slice();
        for packet in packets {
            assert_eq!(Packet::read(&mut stream).unwrap(), Some(packet));
        }
        assert_eq!(Packet::read(&mut stream).unwrap(), None);
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for stream in [
            &[0, 0, 0, 0][..],
            &[0, 0, 0, 1, 9],
            &[0, 0, 0, 2, 6, 0],
            &[0, 0, 0, 5, 6],
            &[0xff; 4],
        ] {
            assert!(Packet::read(&mut &*stream).is_err(), "{stream:?}");
        }
    }
}

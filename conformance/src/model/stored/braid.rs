//! The layout of the epochs and of the Braid (SPEC.md §12.4).

use subrosa::wire::{Error, Reader};

use super::{Layout, Read, list, write_list};
use crate::model::formula::Bytes32;
use crate::model::symbols::Symbol;

/// `epochs`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epochs {
    /// `E`
    pub e: u32,
    /// `S` of the peer's direction, by ascending epoch up to E.
    pub peer: Vec<Bytes32>,
    /// What a state that can send has besides.
    pub own: Option<Own>,
}

/// The part of a state that can send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// `S` of our direction.
    pub seeds: Vec<Bytes32>,
    /// The Braid.
    pub braid: Braid,
}

/// The Braid of one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Braid {
    /// Our own epoch.
    pub epoch: u32,
    /// Nothing in Broken.
    pub live: Option<Live>,
}

/// What every state but Broken holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// `PQROOT`
    pub pqroot: Bytes32,
    /// `AR`
    pub ar: Bytes32,
    /// `AM`
    pub am: Bytes32,
    /// `starved`
    pub starved: bool,
    /// The state with its fields.
    pub phase: Phase,
}

/// The states of §10.5 but Broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// State 0.
    KeysUnsampled,
    /// State 1.
    KeysSampled {
        /// `d || z`
        seed: [u8; 64],
        /// `hdr`
        hdr: [u8; 96],
        /// How far the object is sent.
        cursor: Cursor,
    },
    /// State 2.
    HeaderSent {
        /// `d || z`
        seed: [u8; 64],
        /// Symbols of `ct1`.
        ct1: Vec<Symbol>,
        /// How far the object is sent.
        cursor: Cursor,
    },
    /// State 3.
    Ct1Received {
        /// `d || z`
        seed: [u8; 64],
        /// `ct1`
        ct1: [u8; 960],
        /// How far the object is sent.
        cursor: Cursor,
    },
    /// State 4.
    EkSentCt1Received {
        /// `d || z`
        seed: [u8; 64],
        /// `ct1`
        ct1: [u8; 960],
        /// Symbols of `ct2`.
        ct2: Vec<Symbol>,
    },
    /// State 5.
    NoHeaderReceived {
        /// Symbols of `hdr`.
        hdr: Vec<Symbol>,
    },
    /// State 6.
    HeaderReceived {
        /// `ek_seed`
        ek_seed: Bytes32,
        /// `H3(ek)`
        h3: Bytes32,
    },
    /// State 7.
    Ct1Sampled {
        /// `ek_seed`
        ek_seed: Bytes32,
        /// `H3(ek)`
        h3: Bytes32,
        /// `m`
        m: Bytes32,
        /// Symbols of `ek`.
        ek: Vec<Symbol>,
        /// How far the object is sent.
        cursor: Cursor,
    },
    /// State 8.
    EkReceivedCt1Sampled {
        /// `ct1`
        ct1: [u8; 960],
        /// `ct2` with its MAC.
        ct2: [u8; 160],
        /// How far the object is sent.
        cursor: Cursor,
    },
    /// State 9.
    Ct1Acknowledged {
        /// `ek_seed`
        ek_seed: Bytes32,
        /// `H3(ek)`
        h3: Bytes32,
        /// `m`
        m: Bytes32,
        /// Symbols of `ek`.
        ek: Vec<Symbol>,
    },
    /// State 10.
    Ct2Sampled {
        /// `ct2` with its MAC.
        ct2: [u8; 160],
        /// How far the object is sent.
        cursor: Cursor,
    },
}

/// `cursor`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The index of the next symbol.
    pub next: u16,
    /// How many symbols were placed in the present sending chain.
    pub placed: u8,
}

impl Phase {
    /// The number of the state.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Self::KeysUnsampled => 0,
            Self::KeysSampled { .. } => 1,
            Self::HeaderSent { .. } => 2,
            Self::Ct1Received { .. } => 3,
            Self::EkSentCt1Received { .. } => 4,
            Self::NoHeaderReceived { .. } => 5,
            Self::HeaderReceived { .. } => 6,
            Self::Ct1Sampled { .. } => 7,
            Self::EkReceivedCt1Sampled { .. } => 8,
            Self::Ct1Acknowledged { .. } => 9,
            Self::Ct2Sampled { .. } => 10,
        }
    }

    /// The cursor, if the state has one.
    pub const fn cursor_mut(&mut self) -> Option<&mut Cursor> {
        match self {
            Self::KeysSampled { cursor, .. }
            | Self::HeaderSent { cursor, .. }
            | Self::Ct1Received { cursor, .. }
            | Self::Ct1Sampled { cursor, .. }
            | Self::EkReceivedCt1Sampled { cursor, .. }
            | Self::Ct2Sampled { cursor, .. } => Some(cursor),
            _ => None,
        }
    }
}

/// The number of Broken.
const BROKEN: u8 = 11;

impl Epochs {
    /// Reads the epochs of a state that can send, or cannot.
    pub(super) fn read(reader: &mut Reader<'_>, can_send: bool) -> Read<Self> {
        let (e, peer) = (reader.u32()?, list(reader, Bytes32::fields)?);
        let own = match can_send {
            true => Some(Own {
                seeds: list(reader, Bytes32::fields)?,
                braid: Braid::fields(reader)?,
            }),
            false => None,
        };
        Ok(Self { e, peer, own })
    }

    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.e.to_be_bytes());
        write_list(&self.peer, out);
        if let Some(own) = &self.own {
            write_list(&own.seeds, out);
            own.braid.write(out);
        }
    }
}

impl Layout for Symbol {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok((reader.u16()?, *reader.array()?))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_be_bytes());
        out.extend(self.1);
    }
}

impl Layout for Cursor {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            next: reader.u16()?,
            placed: reader.u8()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.next.to_be_bytes());
        out.push(self.placed);
    }
}

impl Layout for Braid {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let (number, epoch) = (reader.u8()?, reader.u32()?);
        let live = match number {
            BROKEN => None,
            number => Some(Live {
                pqroot: *reader.array()?,
                ar: *reader.array()?,
                am: *reader.array()?,
                starved: reader.flag()?,
                phase: Phase::read(number, reader)?,
            }),
        };
        Ok(Self { epoch, live })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(
            self.live
                .as_ref()
                .map_or(BROKEN, |live| live.phase.number()),
        );
        out.extend(self.epoch.to_be_bytes());
        if let Some(live) = &self.live {
            out.extend([live.pqroot, live.ar, live.am].as_flattened());
            out.push(live.starved.into());
            live.phase.write(out);
        }
    }
}

impl Phase {
    fn read(number: u8, reader: &mut Reader<'_>) -> Read<Self> {
        Ok(match number {
            0 => Self::KeysUnsampled,
            1 => Self::KeysSampled {
                seed: *reader.array()?,
                hdr: *reader.array()?,
                cursor: Cursor::fields(reader)?,
            },
            2 => Self::HeaderSent {
                seed: *reader.array()?,
                ct1: list(reader, Symbol::fields)?,
                cursor: Cursor::fields(reader)?,
            },
            3 => Self::Ct1Received {
                seed: *reader.array()?,
                ct1: *reader.array()?,
                cursor: Cursor::fields(reader)?,
            },
            4 => Self::EkSentCt1Received {
                seed: *reader.array()?,
                ct1: *reader.array()?,
                ct2: list(reader, Symbol::fields)?,
            },
            5 => Self::NoHeaderReceived {
                hdr: list(reader, Symbol::fields)?,
            },
            6 => Self::HeaderReceived {
                ek_seed: *reader.array()?,
                h3: *reader.array()?,
            },
            7 => Self::Ct1Sampled {
                ek_seed: *reader.array()?,
                h3: *reader.array()?,
                m: *reader.array()?,
                ek: list(reader, Symbol::fields)?,
                cursor: Cursor::fields(reader)?,
            },
            8 => Self::EkReceivedCt1Sampled {
                ct1: *reader.array()?,
                ct2: *reader.array()?,
                cursor: Cursor::fields(reader)?,
            },
            9 => Self::Ct1Acknowledged {
                ek_seed: *reader.array()?,
                h3: *reader.array()?,
                m: *reader.array()?,
                ek: list(reader, Symbol::fields)?,
            },
            10 => Self::Ct2Sampled {
                ct2: *reader.array()?,
                cursor: Cursor::fields(reader)?,
            },
            _ => return Err(Error::Value),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::KeysUnsampled => {}
            Self::KeysSampled { seed, hdr, cursor } => {
                out.extend(seed);
                out.extend(hdr);
                cursor.write(out);
            }
            Self::HeaderSent { seed, ct1, cursor } => {
                out.extend(seed);
                write_list(ct1, out);
                cursor.write(out);
            }
            Self::Ct1Received { seed, ct1, cursor } => {
                out.extend(seed);
                out.extend(ct1);
                cursor.write(out);
            }
            Self::EkSentCt1Received { seed, ct1, ct2 } => {
                out.extend(seed);
                out.extend(ct1);
                write_list(ct2, out);
            }
            Self::NoHeaderReceived { hdr } => write_list(hdr, out),
            Self::HeaderReceived { ek_seed, h3 } => out.extend([*ek_seed, *h3].as_flattened()),
            Self::Ct1Sampled {
                ek_seed,
                h3,
                m,
                ek,
                cursor,
            } => {
                out.extend([*ek_seed, *h3, *m].as_flattened());
                write_list(ek, out);
                cursor.write(out);
            }
            Self::EkReceivedCt1Sampled { ct1, ct2, cursor } => {
                out.extend(ct1);
                out.extend(ct2);
                cursor.write(out);
            }
            Self::Ct1Acknowledged { ek_seed, h3, m, ek } => {
                out.extend([*ek_seed, *h3, *m].as_flattened());
                write_list(ek, out);
            }
            Self::Ct2Sampled { ct2, cursor } => {
                out.extend(ct2);
                cursor.write(out);
            }
        }
    }
}

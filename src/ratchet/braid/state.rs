//! The stored form of the Braid (SPEC §12.4): seeds and public parts only.

use alloc::boxed::Box;

use super::authenticator::Authenticator;
use super::code::{Decoder, SYMBOL};
use super::ct_side::{
    Ct1Acknowledged, Ct1Sampled, Ct2Sampled, EkReceivedCt1Sampled, FirstPart, HeaderReceived,
    KeyHeader, NoHeaderReceived,
};
use super::ek_side::{
    Ct1Received, EkSentCt1Received, HeaderSent, KeyVector, KeysSampled, KeysUnsampled,
};
use super::object::Object;
use super::progress::Cursor;
use super::{Braid, Live, State};
use crate::ratchet::Error;
use crate::ratchet::epochs::EpochRoot;
use crate::ratchet::keys::read_secret;
use crate::ratchet::limits::EPOCH_MAX;
use crate::wire::{Reader, Writer};

const KEYS_UNSAMPLED: u8 = 0;
const KEYS_SAMPLED: u8 = 1;
const HEADER_SENT: u8 = 2;
const CT1_RECEIVED: u8 = 3;
const EK_SENT_CT1_RECEIVED: u8 = 4;
const NO_HEADER_RECEIVED: u8 = 5;
const HEADER_RECEIVED: u8 = 6;
const CT1_SAMPLED: u8 = 7;
const EK_RECEIVED_CT1_SAMPLED: u8 = 8;
const CT1_ACKNOWLEDGED: u8 = 9;
const CT2_SAMPLED: u8 = 10;
const BROKEN: u8 = 11;

impl Braid {
    pub(crate) fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        match self {
            Self::Broken { epoch } => {
                writer.u8(BROKEN).u32(*epoch);
                Ok(())
            }
            Self::Live(live) => live.write(writer),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let number = reader.u8()?;
        let epoch = reader.u32()?;
        if !(1..=EPOCH_MAX).contains(&epoch) {
            return Err(Error::Malformed);
        }
        if number == BROKEN {
            return Ok(Self::Broken { epoch });
        }
        Ok(Self::Live(Live {
            epoch,
            root: EpochRoot::new(read_secret(reader)?),
            authenticator: Authenticator {
                root: read_secret(reader)?,
                mac: read_secret(reader)?,
            },
            starved: reader.flag()?,
            state: State::read(number, reader)?,
        }))
    }

    /// Whether `E` is what the state says of it, and `placed` is 0 while no chain is being sent (SPEC §12.4-R4).
    pub(crate) fn fits(&self, emitted: u32, in_chain: bool) -> bool {
        let own = self.epoch();
        match self {
            Self::Broken { .. } => emitted == own || Some(emitted) == own.checked_sub(1),
            Self::Live(live) => {
                let expected = if live.state.has_emitted() {
                    Some(own)
                } else {
                    own.checked_sub(1)
                };
                let placed = live.state.cursor().map_or(0, |cursor| cursor.placed);
                Some(emitted) == expected && (in_chain || placed == 0)
            }
        }
    }
}

impl Live {
    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer
            .u8(self.state.number())
            .u32(self.epoch)
            .bytes(self.root.expose())
            .bytes(self.authenticator.root.expose())
            .bytes(self.authenticator.mac.expose())
            .flag(self.starved);
        match &self.state {
            State::KeysUnsampled(KeysUnsampled) => {}
            State::KeysSampled(state) => {
                writer.bytes(state.seed.expose()).bytes(&state.header);
            }
            State::HeaderSent(state) => {
                writer.bytes(state.seed.expose());
                state.ct1.write(writer)?;
            }
            State::Ct1Received(state) => {
                writer
                    .bytes(state.seed.expose())
                    .bytes(state.ct1.as_slice());
            }
            State::EkSentCt1Received(state) => {
                writer
                    .bytes(state.seed.expose())
                    .bytes(state.ct1.as_slice());
                state.ct2.write(writer)?;
            }
            State::NoHeaderReceived(state) => state.header.write(writer)?,
            State::HeaderReceived(state) => state.key.write(writer),
            State::Ct1Sampled(state) => {
                state.key.write(writer);
                writer.bytes(state.m.expose());
                state.vector.write(writer)?;
            }
            State::EkReceivedCt1Sampled(state) => {
                writer
                    .bytes(state.ct1.as_slice())
                    .bytes(state.ct2.as_slice());
            }
            State::Ct1Acknowledged(state) => {
                state.key.write(writer);
                writer.bytes(state.m.expose());
                state.vector.write(writer)?;
            }
            State::Ct2Sampled(state) => {
                writer.bytes(state.ct2.as_slice());
            }
        }
        if let Some(cursor) = self.state.cursor() {
            writer.u16(cursor.next).u8(cursor.placed);
        }
        Ok(())
    }
}

impl State {
    const fn number(&self) -> u8 {
        match self {
            Self::KeysUnsampled(_) => KEYS_UNSAMPLED,
            Self::KeysSampled(_) => KEYS_SAMPLED,
            Self::HeaderSent(_) => HEADER_SENT,
            Self::Ct1Received(_) => CT1_RECEIVED,
            Self::EkSentCt1Received(_) => EK_SENT_CT1_RECEIVED,
            Self::NoHeaderReceived(_) => NO_HEADER_RECEIVED,
            Self::HeaderReceived(_) => HEADER_RECEIVED,
            Self::Ct1Sampled(_) => CT1_SAMPLED,
            Self::EkReceivedCt1Sampled(_) => EK_RECEIVED_CT1_SAMPLED,
            Self::Ct1Acknowledged(_) => CT1_ACKNOWLEDGED,
            Self::Ct2Sampled(_) => CT2_SAMPLED,
        }
    }

    fn read(number: u8, reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(match number {
            KEYS_UNSAMPLED => Self::KeysUnsampled(KeysUnsampled),
            KEYS_SAMPLED => Self::KeysSampled(KeysSampled {
                seed: read_secret(reader)?,
                header: *reader.array()?,
                cursor: Cursor::read(reader, Object::Header)?,
            }),
            HEADER_SENT => Self::HeaderSent(HeaderSent {
                seed: read_secret(reader)?,
                vector: KeyVector::default(),
                // The first symbol led here.
                ct1: Decoder::read(reader, Object::Ct1, 1)?,
                cursor: Cursor::read(reader, Object::Vector)?,
            }),
            CT1_RECEIVED => Self::Ct1Received(Ct1Received {
                seed: read_secret(reader)?,
                vector: KeyVector::default(),
                ct1: boxed(reader)?,
                cursor: Cursor::read(reader, Object::Vector)?,
            }),
            EK_SENT_CT1_RECEIVED => Self::EkSentCt1Received(EkSentCt1Received {
                seed: read_secret(reader)?,
                ct1: boxed(reader)?,
                ct2: Decoder::read(reader, Object::Ct2, 1)?,
            }),
            NO_HEADER_RECEIVED => Self::NoHeaderReceived(NoHeaderReceived {
                header: Decoder::read(reader, Object::Header, 0)?,
            }),
            HEADER_RECEIVED => Self::HeaderReceived(HeaderReceived {
                key: KeyHeader::read(reader)?,
            }),
            CT1_SAMPLED => Self::Ct1Sampled(Ct1Sampled {
                key: KeyHeader::read(reader)?,
                m: read_secret(reader)?,
                ct1: FirstPart::default(),
                vector: Decoder::read(reader, Object::Vector, 0)?,
                cursor: Cursor::read(reader, Object::Ct1)?,
            }),
            EK_RECEIVED_CT1_SAMPLED => Self::EkReceivedCt1Sampled(EkReceivedCt1Sampled {
                ct1: boxed(reader)?,
                ct2: boxed(reader)?,
                cursor: Cursor::read(reader, Object::Ct1)?,
            }),
            CT1_ACKNOWLEDGED => Self::Ct1Acknowledged(Ct1Acknowledged {
                key: KeyHeader::read(reader)?,
                m: read_secret(reader)?,
                vector: Decoder::read(reader, Object::Vector, 0)?,
            }),
            CT2_SAMPLED => Self::Ct2Sampled(Ct2Sampled {
                ct2: boxed(reader)?,
                cursor: Cursor::read(reader, Object::Ct2)?,
            }),
            _ => return Err(Error::Malformed),
        })
    }
}

impl KeyHeader {
    fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.seed).bytes(&self.hash);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            seed: *reader.array()?,
            hash: *reader.array()?,
        })
    }
}

impl Cursor {
    fn read(reader: &mut Reader<'_>, object: Object) -> Result<Self, Error> {
        let cursor = Self {
            next: reader.u16()?,
            placed: reader.u8()?,
        };
        if cursor.placed > object.most_in_a_chain() {
            return Err(Error::Malformed);
        }
        Ok(cursor)
    }
}

impl Decoder {
    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.vector_length(self.len())?;
        for (index, symbol) in self.iter() {
            writer.u16(index).bytes(symbol);
        }
        Ok(())
    }

    /// Indices ascend; what is complete is stored as what it is, not as symbols.
    fn read(reader: &mut Reader<'_>, object: Object, least: usize) -> Result<Self, Error> {
        let needed = usize::from(object.symbols());
        let count = reader.vector_length()?;
        if count < least || count >= needed {
            return Err(Error::Malformed);
        }
        let mut decoder = Self::new(needed);
        let mut above = 0;
        for _ in 0..count {
            let index = reader.u16()?;
            if u32::from(index) < above {
                return Err(Error::Malformed);
            }
            above = u32::from(index).saturating_add(1);
            let symbol: &[u8; SYMBOL] = reader.array()?;
            decoder
                .insert(index, symbol)
                .map_err(|_| Error::Malformed)?;
        }
        Ok(decoder)
    }
}

fn boxed<const N: usize>(reader: &mut Reader<'_>) -> Result<Box<[u8; N]>, Error> {
    Ok(Box::new(*reader.array()?))
}

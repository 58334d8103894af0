//! What stands inside the encrypted texts: lines, and reports about lines.
//!
//! ```text
//! line    1 || number u32 || content
//! report  2 || ( vec(address of the writer) || end u32 || n u16 || missing u32 * n ) *     ascending, all below `end`
//! ```
//!
//! A report says for every device that writes: of its lines below `end` these are missing, all others are stored here. So
//! one report is both the acknowledgement and the question for what was lost, and a later report replaces every earlier
//! one. What is asked for is sent again as it is in the outbox: the same bytes, which whoever has them already refuses.

use subrosa::Address;
use subrosa::identity::ADDRESS_MAX;
use subrosa::wire::{self, Reader, Writer};

const LINE: u8 = 1;
const REPORT: u8 = 2;

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Line(Line),
    Report(Vec<(Address, Heard)>),
}

/// One line of what somebody says. Numbers begin at 0, without gaps, for each device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub number: u32,
    pub content: Vec<u8>,
}

/// Which lines of one device were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub end: u32,
    pub missing: Vec<u32>,
}

impl Text {
    pub fn encode(&self) -> Result<Vec<u8>, wire::Error> {
        let mut writer = Writer::new();
        match self {
            Self::Line(Line { number, content }) => {
                writer.u8(LINE).u32(*number).bytes(content);
            }
            Self::Report(heard) => {
                writer.u8(REPORT);
                for (address, Heard { end, missing }) in heard {
                    let count = u16::try_from(missing.len()).map_err(|_| wire::Error::TooLong)?;
                    writer.vector(address.as_bytes())?.u32(*end).u16(count);
                    for number in missing {
                        writer.u32(*number);
                    }
                }
            }
        }
        Ok(writer.into_bytes())
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, wire::Error> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            LINE => Ok(Self::Line(Line {
                number: reader.u32()?,
                content: reader.rest().to_vec(),
            })),
            REPORT => {
                let mut heard = Vec::new();
                while !reader.rest().is_empty() {
                    let address = Address::new(reader.vector(ADDRESS_MAX)?);
                    let address = address.map_err(|_| wire::Error::Value)?;
                    heard.push((address, Heard::read(&mut reader)?));
                }
                Ok(Self::Report(heard))
            }
            _ => Err(wire::Error::Value),
        }
    }
}

impl Heard {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let end = reader.u32()?;
        let mut missing = Vec::new();
        for _ in 0..reader.u16()? {
            let number = reader.u32()?;
            let ascending = missing.last().is_none_or(|last| *last < number);
            if !ascending || number >= end {
                return Err(wire::Error::Value);
            }
            missing.push(number);
        }
        Ok(Self { end, missing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_as_they_were_encoded() {
        let heard = |end, missing: &[u32]| Heard {
            end,
            missing: missing.to_vec(),
        };
        let address = |name: &str| Address::new(name.as_bytes()).unwrap();
        for text in [
            Text::Line(Line {
                number: 7,
                content: b"hello".to_vec(),
            }),
            Text::Line(Line {
                number: u32::MAX,
                content: Vec::new(),
            }),
            Text::Report(Vec::new()),
            Text::Report(vec![
                (address("alice"), heard(10, &[0, 3, 9])),
                (address("bob"), heard(0, &[])),
            ]),
        ] {
            assert_eq!(Text::decode(&text.encode().unwrap()), Ok(text));
        }
    }

    #[test]
    fn what_no_peer_writes_is_refused() {
        for bytes in [
            &[][..],
            &[0],
            &[3, 0, 0, 0, 0],
            &[LINE, 0, 0],
            &[REPORT, 1],
            &[REPORT, 1, b'a', 0, 0, 0, 5, 0],
            &[REPORT, 0, 0, 0, 0, 5, 0, 0],
            &[REPORT, 1, b'a', 0, 0, 0, 5, 0, 1, 0, 0, 0, 5],
            &[REPORT, 1, b'a', 0, 0, 0, 5, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2],
        ] {
            assert!(Text::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}

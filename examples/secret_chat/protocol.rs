//! What stands inside the encrypted texts: lines, and reports about lines.
//!
//! ```text
//! line    1 || number u32 || content
//! report  2 || end u32 || missing u32 * n        ascending, all below `end`
//! ```
//!
//! A report says: of your lines below `end` these are missing, all others are stored here. So one report is both the
//! acknowledgement and the question for what was lost, and a later report replaces every earlier one. A line that is
//! asked for is sealed anew: the same plaintext under another message key, for the network a message like any other.

use subrosa::wire::{self, Reader, Writer};

const LINE: u8 = 1;
const REPORT: u8 = 2;

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Line(Line),
    Report(Report),
}

/// One line of what somebody says. Numbers begin at 0, without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub number: u32,
    pub content: Vec<u8>,
}

/// Which lines were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub end: u32,
    pub missing: Vec<u32>,
}

impl Text {
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        match self {
            Self::Line(Line { number, content }) => {
                writer.u8(LINE).u32(*number).bytes(content);
            }
            Self::Report(Report { end, missing }) => {
                writer.u8(REPORT).u32(*end);
                for number in missing {
                    writer.u32(*number);
                }
            }
        }
        writer.into_bytes()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, wire::Error> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            LINE => Ok(Self::Line(Line {
                number: reader.u32()?,
                content: reader.rest().to_vec(),
            })),
            REPORT => {
                let end = reader.u32()?;
                let mut missing = Vec::new();
                while !reader.rest().is_empty() {
                    let number = reader.u32()?;
                    let ascending = missing.last().is_none_or(|last| *last < number);
                    if !ascending || number >= end {
                        return Err(wire::Error::Value);
                    }
                    missing.push(number);
                }
                Ok(Self::Report(Report { end, missing }))
            }
            _ => Err(wire::Error::Value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_as_they_were_encoded() {
        for text in [
            Text::Line(Line {
                number: 7,
                content: b"hello".to_vec(),
            }),
            Text::Line(Line {
                number: u32::MAX,
                content: Vec::new(),
            }),
            Text::Report(Report {
                end: 0,
                missing: Vec::new(),
            }),
            Text::Report(Report {
                end: 10,
                missing: vec![0, 3, 9],
            }),
        ] {
            assert_eq!(Text::decode(&text.encode()), Ok(text));
        }
    }

    #[test]
    fn what_no_peer_writes_is_refused() {
        for bytes in [
            &[][..],
            &[0],
            &[3, 0, 0, 0, 0],
            &[LINE, 0, 0],
            &[REPORT, 0, 0, 0, 5, 0],
            &[REPORT, 0, 0, 0, 5, 0, 0, 0, 5],
            &[REPORT, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, 2],
        ] {
            assert!(Text::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}

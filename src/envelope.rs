//! Floor 1: the outermost framing of every message: version, kind, body (SPEC §8.1).

use core::fmt;

/// The version of the wire format. (0 was a draft without the post-quantum ratchet, never released.)
pub const VERSION: u8 = 1;

/// Bytes in front of the body.
pub const ENVELOPE: usize = 2;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message that carries a key agreement: `FIRST`.
    First,
    /// An ordinary message: `MSG`.
    Message,
}

impl Kind {
    /// The byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Message => 2,
        }
    }

    /// Version and kind, the first two bytes of a message, which every associated data repeats.
    #[must_use]
    pub const fn header(self) -> [u8; ENVELOPE] {
        [VERSION, self.byte()]
    }
}

/// Why an envelope was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Shorter than two bytes.
    Malformed,
    /// Another version.
    UnknownVersion,
    /// Another kind.
    UnknownKind,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the envelope is malformed",
            Self::UnknownVersion => "the version of the message is not known",
            Self::UnknownKind => "the kind of the message is not known",
        })
    }
}

impl core::error::Error for Error {}

/// A message split into its framing and its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// What it is.
    pub kind: Kind,
    /// Everything behind the two bytes.
    pub body: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Splits `message` (SPEC §8.1-R1).
    ///
    /// # Errors
    /// Every variant of [`Error`].
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let ([version, kind], body) = message.split_first_chunk().ok_or(Error::Malformed)?;
        if *version != VERSION {
            return Err(Error::UnknownVersion);
        }
        let kind = match kind {
            1 => Kind::First,
            2 => Kind::Message,
            _ => return Err(Error::UnknownKind),
        };
        Ok(Self { kind, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_version_and_these_kinds() {
        for version in 0..=u8::MAX {
            for kind in 0..=u8::MAX {
                let message = [version, kind, 7];
                let parsed = Envelope::parse(&message);
                match (version, kind) {
                    (VERSION, 1 | 2) => {
                        let envelope = parsed.unwrap();
                        assert_eq!(envelope.kind.header(), [version, kind]);
                        assert_eq!(envelope.body, [7]);
                    }
                    (VERSION, _) => assert_eq!(parsed, Err(Error::UnknownKind)),
                    _ => assert_eq!(parsed, Err(Error::UnknownVersion)),
                }
            }
        }
        assert_eq!(Envelope::parse(&[]), Err(Error::Malformed));
        assert_eq!(Envelope::parse(&[VERSION]), Err(Error::Malformed));
    }
}

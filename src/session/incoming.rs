//! A message from the network, split into its parts (SPEC §8).

use super::Error;
use crate::agreement::{FirstPrefix, PREFIX};
use crate::crypto::hash::sha256;
use crate::envelope::{ENVELOPE, Envelope, Kind};
use crate::ratchet::{Frame, TAG};
use crate::wire::Reader;

/// A message as it arrives. Its form holds; nothing is authenticated, and nothing was looked up.
pub struct Incoming<'a> {
    pub(super) kind: Kind,
    pub(super) first: Option<First<'a>>,
    pub(super) frame: Frame<'a>,
}

/// What a first message carries in front of its ordinary part.
pub(super) struct First<'a> {
    pub(super) prefix: FirstPrefix<'a>,
    bytes: &'a [u8; PREFIX],
}

impl First<'_> {
    /// `H(prefix)[..16]`: the same for every message that repeats the prefix.
    pub(super) fn hash(&self) -> [u8; 16] {
        let mut hash = [0; 16];
        for (to, from) in hash.iter_mut().zip(sha256(&[self.bytes])) {
            *to = from;
        }
        hash
    }
}

impl<'a> Incoming<'a> {
    /// Parses `message`.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::UnknownKind`], [`Error::Malformed`].
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let envelope = Envelope::parse(message)?;
        let mut reader = Reader::new(envelope.body);
        let first = match envelope.kind {
            Kind::Message => None,
            Kind::First => Some(First {
                prefix: FirstPrefix::read(&mut reader)?,
                bytes: message.first_chunk().ok_or(Error::Malformed)?,
            }),
        };
        Ok(Self {
            kind: envelope.kind,
            first,
            frame: Frame::read(reader)?,
        })
    }

    /// The tag that names the conversation, its state and its chain.
    #[must_use]
    pub const fn tag(&self) -> &'a [u8; TAG] {
        self.frame.tag()
    }

    /// `H(EK)[..16]` of a first message: names the conversation that it repeats, if there is one.
    #[must_use]
    pub fn first_id(&self) -> Option<[u8; 16]> {
        self.first.as_ref().map(|first| first.prefix.first_id())
    }

    pub(super) const fn envelope(&self) -> [u8; ENVELOPE] {
        self.kind.header()
    }
}

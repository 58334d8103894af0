//! One message under known keys: sealed body first, header second; opened the other way round (SPEC §9.3, §9.4).

use alloc::vec::Vec;
use core::ops::Range;

use zeroize::Zeroizing;

use super::braid::{self, FRAME_MIN, Outgoing};
use super::frame::{ENCRYPTED_HEADER, FRAME_OVERHEAD, Frame, HEADER, TEXT_MAX};
use super::keys::{SALT, TAG};
use super::limits::CHAIN_MAX;
use super::{Error, HeaderKey, MessageKey};
use crate::crypto::aead::{self, Aes256Gcm};
use crate::crypto::dh::DhPublic;
use crate::crypto::{Secret, hash};
use crate::envelope::ENVELOPE;
use crate::memory;
use crate::padding::require_zeros;
use crate::wire::{Reader, Writer, header_length};

/// `hp = DHs || N || PN || pq_epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The sender's ratchet key.
    pub(crate) public: DhPublic,
    /// Number of the message in its chain.
    pub(crate) number: u32,
    /// Messages in the sender's previous chain.
    pub(crate) previous_count: u32,
    /// The epoch of the chain.
    pub(crate) epoch: u32,
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let rest = put(&mut bytes, self.public.as_bytes());
        let rest = put(rest, &self.number.to_be_bytes());
        let rest = put(rest, &self.previous_count.to_be_bytes());
        put(rest, &self.epoch.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; HEADER]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let header = Self {
            public: DhPublic::from_bytes(reader.array()?)?,
            number: reader.u32()?,
            previous_count: reader.u32()?,
            epoch: reader.u32()?,
        };
        reader.finish()?;
        // No chain is longer; a key with a higher number could not be stored.
        if header.previous_count > CHAIN_MAX {
            return Err(Error::Malformed);
        }
        Ok(header)
    }
}

/// What a message is bound to besides its own bytes.
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    pub(crate) session_id: &'a [u8; 32],
    /// Version and kind.
    pub(crate) envelope: [u8; ENVELOPE],
}

const BODY_AD: usize = 32 + ENVELOPE + SALT + HEADER;
const HEADER_AD: usize = 32 + ENVELOPE + TAG + SALT + hash::HASH;

impl Binding<'_> {
    /// `sid || version || kind || salt || hp`.
    fn body(&self, salt: &[u8; SALT], header: &[u8; HEADER]) -> [u8; BODY_AD] {
        let mut bytes = [0; BODY_AD];
        let rest = put(&mut bytes, self.session_id);
        let rest = put(rest, &self.envelope);
        let rest = put(rest, salt);
        put(rest, header);
        bytes
    }

    /// `sid || version || kind || tag || salt || H(body)`.
    fn header(
        &self,
        tag: &[u8; TAG],
        salt: &[u8; SALT],
        body_hash: &[u8; hash::HASH],
    ) -> [u8; HEADER_AD] {
        let mut bytes = [0; HEADER_AD];
        let rest = put(&mut bytes, self.session_id);
        let rest = put(rest, &self.envelope);
        let rest = put(rest, tag);
        let rest = put(rest, salt);
        put(rest, body_hash);
        bytes
    }
}

/// Writes `from` to the front of `to` and gives what is behind it; the sizes are those of the constants above.
fn put<'a, const N: usize>(to: &'a mut [u8], from: &[u8; N]) -> &'a mut [u8] {
    match to.split_first_chunk_mut() {
        Some((front, rest)) => {
            *front = *from;
            rest
        }
        None => &mut [],
    }
}

/// What a message says.
#[derive(Clone, Copy)]
pub(crate) struct Content<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) frame: Outgoing<'a>,
    /// Length of both with their padding.
    pub(crate) padded: usize,
}

/// Bytes of `vec(text)` and of the shortest frame.
pub(crate) const fn content_length(text: &[u8]) -> usize {
    header_length(text.len())
        .saturating_add(text.len())
        .saturating_add(FRAME_MIN)
}

impl Content<'_> {
    /// Length without padding.
    #[cfg(feature = "hazmat")]
    pub(crate) const fn shortest(&self) -> usize {
        content_length(self.text)
            .saturating_add(self.frame.length())
            .saturating_sub(FRAME_MIN)
    }
}

/// Seals `content` behind `prefix` (SPEC §9.3). One allocation: the message.
pub(crate) fn seal(
    session_id: &[u8; 32],
    header_key: &HeaderKey,
    message_key: &MessageKey,
    header: Header,
    prefix: &[u8],
    content: Content<'_>,
    fresh: &Secret<32>,
) -> Result<Vec<u8>, Error> {
    let Content {
        text,
        frame,
        padded,
    } = content;
    if text.len() > TEXT_MAX {
        return Err(Error::TooLong);
    }
    let envelope = *prefix.first_chunk().ok_or(Error::Malformed)?;
    let binding = Binding {
        session_id,
        envelope,
    };
    let capacity = padded
        .checked_add(FRAME_OVERHEAD)
        .and_then(|frame| frame.checked_add(prefix.len()))
        .ok_or(Error::TooLong)?;
    let mut writer = Writer::with_capacity(capacity);
    writer
        .bytes(prefix)
        .bytes(header_key.tag())
        .bytes(&[0; SALT])
        .bytes(&[0; ENCRYPTED_HEADER]);
    let body_at = writer.as_bytes().len();
    writer.vector(text)?;
    let frame_at = writer.as_bytes().len();
    let mut message = Zeroizing::new(writer.into_bytes());
    memory::lengthen(&mut message, body_at.saturating_add(padded));
    if let Some(rest) = message.get_mut(frame_at..) {
        frame.write(rest);
    }

    let header = header.to_bytes();
    let (head, body) = message
        .split_at_mut_checked(body_at)
        .ok_or(Error::TooLong)?;
    let keys = message_key.prepare();
    let salt = keys.salt(fresh, &envelope, &header, body);
    let key = keys.body(&salt);
    let tag = Aes256Gcm::seal(
        key.key.expose(),
        key.nonce.expose(),
        &binding.body(&salt, &header),
        body,
    )?;

    let body_hash = hash::sha256(&[body, &tag]);
    let key = header_key.header(&salt);
    let mut encrypted = header;
    let header_tag = Aes256Gcm::seal(
        key.key.expose(),
        key.nonce.expose(),
        &binding.header(header_key.tag(), &salt, &body_hash),
        &mut encrypted,
    )?;
    let salt_at = head.len().saturating_sub(SALT + ENCRYPTED_HEADER);
    let rest = head.get_mut(salt_at..).unwrap_or_default();
    let rest = put(rest, &salt);
    let rest = put(rest, &encrypted);
    put(rest, &header_tag);
    // From here on the message holds nothing secret.
    let mut message = core::mem::take(&mut *message);
    memory::extend(&mut message, &tag);
    Ok(message)
}

/// Opens a header (SPEC §9.4-R2): the one decryption that an unauthenticated message can cause.
pub(crate) fn open_header(
    binding: Binding<'_>,
    header_key: &HeaderKey,
    frame: &Frame<'_>,
    body_hash: &[u8; hash::HASH],
) -> Option<Result<Header, Error>> {
    let (text, tag) = frame.header.split_first_chunk::<HEADER>()?;
    let mut header = *text;
    let key = header_key.header(frame.salt);
    Aes256Gcm::open(
        key.key.expose(),
        key.nonce.expose(),
        &binding.header(frame.tag, frame.salt, body_hash),
        &mut header,
        tag.first_chunk::<{ aead::TAG }>()?,
    )
    .ok()?;
    Some(Header::from_bytes(&header))
}

/// A body opened: text and frame, in one allocation.
pub(crate) struct OpenedBody {
    body: Zeroizing<Vec<u8>>,
    /// The frame begins where the text ends.
    text: Range<usize>,
}

impl OpenedBody {
    /// SPEC §9.4-R8: `vec(text)`, a frame, zeros.
    fn parse(body: Zeroizing<Vec<u8>>) -> Result<Self, Error> {
        let mut reader = Reader::new(&body);
        let length = reader.vector_length()?;
        let text_at = body.len().saturating_sub(reader.rest().len());
        reader.take(length)?;
        let frame_at = body.len().saturating_sub(reader.rest().len());
        braid::Frame::read(&mut reader)?;
        require_zeros(reader.rest())?;
        Ok(Self {
            body,
            text: text_at..frame_at,
        })
    }

    /// What came of the Braid; it was read before.
    pub(crate) fn frame(&self) -> Option<braid::Frame<'_>> {
        let mut reader = Reader::new(self.body.get(self.text.end..)?);
        braid::Frame::read(&mut reader).ok()
    }

    /// The frame's bytes.
    #[cfg(feature = "hazmat")]
    pub(crate) fn frame_bytes(&self) -> &[u8] {
        let bytes = self.body.get(self.text.end..).unwrap_or_default();
        let length = self.frame().map_or(0, |frame| frame.length());
        bytes.get(..length).unwrap_or_default()
    }

    /// The text alone, in the same memory.
    pub(crate) fn into_text(self) -> Vec<u8> {
        let Self { mut body, text } = self;
        let mut bytes = core::mem::take(&mut *body);
        bytes.truncate(text.end);
        bytes.drain(..text.start.min(bytes.len()));
        bytes
    }
}

/// Opens a body whose header was opened (SPEC §9.4-R8).
pub(crate) fn open_body(
    binding: Binding<'_>,
    message_key: &MessageKey,
    header: &Header,
    frame: &Frame<'_>,
) -> Result<OpenedBody, Error> {
    let (ciphertext, tag) = frame
        .body
        .split_last_chunk::<{ aead::TAG }>()
        .ok_or(Error::Malformed)?;
    let key = message_key.prepare().body(frame.salt);
    let mut body = Zeroizing::new(memory::copied(ciphertext));
    Aes256Gcm::open(
        key.key.expose(),
        key.nonce.expose(),
        &binding.body(frame.salt, &header.to_bytes()),
        &mut body,
        tag,
    )
    .map_err(|_| Error::Forked)?;
    OpenedBody::parse(body)
}

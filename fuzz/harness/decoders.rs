//! Targets `padding` and `decode_…`: every parser without a private key in the way. What is accepted is written again
//! and must be the same bytes; so nothing else decodes to the same value. Beside each parser stands its rule from the
//! specification, written down a second time: both decide alike on every input.

use std::sync::OnceLock;

use subrosa::agreement::{self, PREFIX};
use subrosa::crypto::aead::Aes256Gcm;
use subrosa::crypto::hash::sha256;
use subrosa::envelope::{Envelope, Kind};
use subrosa::hazmat::{self, MessageParts, MessageTrace, braid};
use subrosa::padding::{is_padded_length, padded_length, require_zeros};
use subrosa::session::Stored;
use subrosa::wire::Writer;
use subrosa::{Bundle, Conversation, DeviceIdentity, Error, Incoming, Prekeys};

use super::stored::{CONVERSATION, DEVICE, PREKEYS};

/// SPEC §5, by its definition: four lengths, then those whose lowest e - s bits are zero.
fn may_be_padded(length: u128) -> bool {
    if length <= 1024 {
        return matches!(length, 192 | 256 | 512 | 1024);
    }
    let e = length.ilog2();
    let s = e.ilog2() + 1;
    length.is_multiple_of(1 << (e - s))
}

/// A length of content, another one near it, and bytes of padding.
pub fn padding(data: &[u8]) {
    let mut number = [0; 8];
    for (to, from) in number.iter_mut().zip(data) {
        *to = *from;
    }
    let number = u64::from_be_bytes(number);
    let rest = data.get(8..).unwrap_or_default();
    for content in [number, number >> 32, number >> 42, number >> 52] {
        one_length(content as usize, rest.len());
    }
    assert_eq!(
        require_zeros(rest).is_ok(),
        rest.iter().all(|byte| *byte == 0)
    );
}

fn one_length(content: usize, step: usize) {
    assert_eq!(is_padded_length(content), may_be_padded(content as u128));
    let Some(padded) = padded_length(content) else {
        // The next one is beyond what a number holds.
        assert!(content > usize::MAX - (usize::MAX >> 6));
        return;
    };
    assert!(padded >= content && may_be_padded(padded as u128));
    assert!(content <= 1024 || (padded - content) as u128 * 100 <= content as u128 * 12);
    // Nothing between the two is a padded length, and what lies there is padded to the same.
    for between in [
        content.saturating_add(step % 4096),
        padded - (padded - content) / 2,
    ] {
        if (content..=padded).contains(&between) {
            assert_eq!(padded_length(between), Some(padded));
            assert_eq!(may_be_padded(between as u128), between == padded);
        }
    }
}

/// Takes fields off the front, as the tables of the specification list them.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self, count: usize) -> Option<u64> {
        let number = |sum, byte: &u8| sum << 8 | u64::from(*byte);
        Some(self.take(count)?.iter().fold(0, number))
    }

    /// A public key of X25519 (SPEC §3.3-R1).
    fn dh_key(&mut self) -> Option<&'a [u8]> {
        let key = self.take(32)?;
        let mut number: Vec<u8> = key.to_vec();
        number.reverse();
        let mut p = [0xff; 32];
        (p[0], p[31]) = (0x7f, 0xed);
        (number.as_slice() < p.as_slice()).then_some(key)
    }

    /// A flag: 0 or 1 (SPEC §4-R4).
    fn flag(&mut self) -> Option<bool> {
        let flag = self.number(1)?;
        (flag < 2).then_some(flag == 1)
    }
}

/// SPEC §7.2-R1, behind the suite. (What is wrong with the identity's own keys is found with its signature, §6.2.)
fn is_bundle(bytes: &[u8]) -> Option<()> {
    let mut fields = Fields(bytes);
    fields.take(2)?;
    let address = fields.number(1)?;
    // One byte of length: 47 is below 64.
    if !(1..=47).contains(&address) {
        return None;
    }
    fields.take(address as usize + 32 + 32 + 64 + 4)?;
    fields.dh_key()?;
    fields.take(8 + 64 + 4)?;
    fields.flag()?;
    fields.take(8)?;
    let key = fields.take(1184)?;
    // FIPS 203 §7.2: three bytes are two coefficients.
    for three in key[..1152].chunks(3) {
        let low = u16::from(three[0]) | u16::from(three[1] & 15) << 8;
        let high = u16::from(three[1]) >> 4 | u16::from(three[2]) << 4;
        if low >= 3329 || high >= 3329 {
            return None;
        }
    }
    fields.take(64)?;
    if fields.flag()? {
        if fields.number(4)? == 0 {
            return None;
        }
        fields.dh_key()?;
    }
    fields.0.is_empty().then_some(())
}

/// A bundle, by its form.
pub fn decode_bundle(data: &[u8]) {
    let parsed = Bundle::parse(data);
    let other_suite = (2..=8192).contains(&data.len()) && !data.starts_with(&[0, 1]);
    let expected = match is_bundle(data) {
        _ if other_suite => Err(agreement::Error::UnknownVersion),
        Some(()) if data.len() <= 8192 => Ok(data),
        _ => Err(agreement::Error::Malformed),
    };
    assert_eq!(
        parsed.as_ref().map(Bundle::as_bytes).map_err(|e| *e),
        expected
    );
}

/// SPEC §8.2-R1.
fn is_frame(frame: &[u8]) -> bool {
    let body = frame.len().saturating_sub(84);
    frame.len() >= 84 && (208..=1 << 20).contains(&body) && may_be_padded(body as u128 - 16)
}

/// SPEC §7.5-R1, behind envelope and suite; true for a prefix and a frame.
fn is_first(bytes: &[u8]) -> Option<bool> {
    let mut fields = Fields(bytes.get(4..)?);
    fields.take(8)?;
    let (has_one_time, id) = (fields.flag()?, fields.number(4)?);
    if has_one_time != (id != 0) {
        return None;
    }
    fields.dh_key()?;
    fields.take(1088 + 200)?;
    Some(is_frame(fields.0))
}

/// What a message is refused with, or its kind (SPEC §7.5-R1, §8.1-R1, §8.2-R1).
fn form(data: &[u8]) -> Result<Kind, Error> {
    match data {
        [] | [_] => Err(Error::Malformed),
        [version, ..] if *version != 1 => Err(Error::UnknownVersion),
        [_, 1, high, low, ..] if [*high, *low] != [0, 1] => Err(Error::UnknownVersion),
        [_, 1, ..] if is_first(data) == Some(true) => Ok(Kind::First),
        [_, 2, frame @ ..] if is_frame(frame) => Ok(Kind::Message),
        [_, 1 | 2, ..] => Err(Error::Malformed),
        _ => Err(Error::UnknownKind),
    }
}

/// Any message, taken apart and put together.
fn any_message(data: &[u8]) {
    let expected = form(data);
    assert_eq!(Incoming::parse(data).map(drop), expected.map(drop));
    let fields = match hazmat::parse(data) {
        Ok(fields) => fields,
        Err(error) => {
            assert_eq!(Err(error), expected);
            return;
        }
    };
    let kind = Envelope::parse(data)
        .expect("a message has an envelope")
        .kind;
    assert_eq!(Ok(kind), expected);
    let mut writer = Writer::new();
    writer.bytes(&kind.header());
    if let Some(prefix) = &fields.prefix {
        writer.u16(1).u32(prefix.signed_id).u32(prefix.kem_id);
        writer.flag(prefix.one_time_id.is_some());
        writer.u32(prefix.one_time_id.unwrap_or(0));
        writer.bytes(&prefix.ephemeral).bytes(&prefix.ciphertext);
        writer.bytes(&prefix.encrypted_identity);
        assert_eq!(writer.as_bytes().len(), PREFIX);
        assert_eq!(prefix.first_id, sha256(&[&prefix.ephemeral])[..16]);
    }
    writer.bytes(&fields.tag).bytes(&fields.salt);
    writer.bytes(&fields.encrypted_header).bytes(&fields.body);
    assert_eq!(writer.as_bytes(), data);
    let incoming = Incoming::parse(data).expect("both parse alike");
    assert_eq!(*incoming.tag(), fields.tag);
    let first_id = fields.prefix.map(|prefix| prefix.first_id);
    assert_eq!(incoming.first_id(), first_id);
}

/// A first message, by its form: the input is all that stands behind the two bytes of the envelope.
pub fn decode_first(data: &[u8]) {
    any_message(&[&Kind::First.header(), data].concat());
}

/// An ordinary message, in the same way.
pub fn decode_message(data: &[u8]) {
    any_message(&[&Kind::Message.header(), data].concat());
}

/// Keys that the harness gives to both sides, with what they make of one salt.
struct Known {
    parts: MessageParts,
    trace: MessageTrace,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let parts = MessageParts {
            session_id: [1; 32],
            header_key: [2; 32],
            message_key: [3; 32],
            ratchet_key: [4; 32],
            number: 0,
            previous_count: 0,
            epoch: 0,
        };
        let frame = braid::FrameParts::default();
        let header = Kind::Message.header();
        let trace = hazmat::seal_message(&parts, &header, b"", &frame, 192, [5; 32]).unwrap();
        Known { parts, trace }
    })
}

/// The message of these plaintexts, under keys that are known (SPEC §9.3).
fn sealed(header: &[u8], body: &[u8]) -> Vec<u8> {
    let Known { parts, trace } = known();
    let envelope = Kind::Message.header();
    let (key, nonce) = &trace.body_key;
    let ad = [&parts.session_id[..], &envelope, &trace.salt, header].concat();
    let mut body = body.to_vec();
    let body_tag = Aes256Gcm::seal(key, nonce, &ad, &mut body).unwrap();
    body.extend(body_tag);
    let tag = hazmat::tag(parts.header_key);
    let hash = sha256(&[&body]);
    let (key, nonce) = &trace.header_key;
    let ad = [&parts.session_id[..], &envelope, &tag, &trace.salt, &hash].concat();
    let mut header = header.to_vec();
    let header_tag = Aes256Gcm::seal(key, nonce, &ad, &mut header).unwrap();
    [
        &envelope[..],
        &tag,
        &trace.salt,
        &header,
        &header_tag,
        &body,
    ]
    .concat()
}

/// SPEC §9.4-R8: `vec(text)`, a frame, zeros; where text and frame lie.
fn content(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = Fields(body);
    let first = fields.number(1)?;
    let length = match first >> 6 {
        0 => first,
        1 => (first & 63) << 8 | fields.number(1)?,
        2 => (first & 63) << 24 | fields.number(3)?,
        _ => return None,
    };
    let shortest = [0, 64, 16_384][(first >> 6) as usize];
    if length < shortest {
        return None;
    }
    let text = fields.take(length as usize)?;
    let from = fields.0;
    let pq = fields.number(1)?;
    if pq & 7 != 0 || pq >> 5 > 4 {
        return None;
    }
    if pq >> 5 != 0 {
        let (first, count) = (fields.number(2)?, fields.number(1)?);
        if count == 0 || first + count > 1 << 16 {
            return None;
        }
        fields.take(16 * count as usize)?;
    }
    let frame = &from[..from.len() - fields.0.len()];
    let zeros = fields.0.iter().all(|byte| *byte == 0);
    zeros.then_some((text, frame))
}

/// Header and content of an authentic message: 44 bytes, then what stands in the body, without all of its padding.
pub fn decode_content(data: &[u8]) {
    let mut header = [0; 44];
    for (to, from) in header.iter_mut().zip(data) {
        *to = *from;
    }
    let mut body = data.get(44..).unwrap_or_default().to_vec();
    let Some(padded) = padded_length(body.len()).filter(|padded| *padded < 1 << 20) else {
        return;
    };
    body.resize(padded, 0);
    let message = sealed(&header, &body);
    let Known { parts, .. } = known();
    let opened = hazmat::open_message(
        parts.session_id,
        parts.header_key,
        parts.message_key,
        &message,
        2,
    );
    // SPEC §9.4-R2
    let mut fields = Fields(&header);
    let key = fields.dh_key();
    fields.take(4);
    let counted = fields.number(4).is_some_and(|count| count <= 1 << 20);
    let expected = key.filter(|_| counted).and_then(|_| content(&body));
    let Some((text, frame)) = expected else {
        assert_eq!(opened.map(drop), Err(Error::Malformed));
        return;
    };
    let opened = opened.expect("the content is one");
    assert_eq!(
        (opened.text.as_slice(), opened.frame.as_slice()),
        (text, frame)
    );
    let mut writer = Writer::new();
    writer.bytes(&opened.ratchet_key).u32(opened.number);
    writer.u32(opened.previous_count).u32(opened.epoch);
    assert_eq!(writer.as_bytes(), header);
    let mut writer = Writer::new();
    writer.vector(&opened.text).unwrap();
    writer.bytes(&opened.frame);
    let mut again = writer.into_bytes();
    assert!(again.len() <= body.len());
    again.resize(body.len(), 0);
    assert_eq!(again, body);
}

/// The plaintext of a stored state of the kind that the first byte says.
pub fn decode_state(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    match u16::from(kind % 4) {
        DEVICE => one_state::<DeviceIdentity>(bytes),
        PREKEYS => one_state::<Prekeys>(bytes),
        CONVERSATION => one_state::<Conversation>(bytes),
        // An encoding of one kind is none of another; a device's may be, being an address and any bytes.
        _ => {
            let read = [
                hazmat::decode::<Prekeys>(bytes).is_ok(),
                hazmat::decode::<Conversation>(bytes).is_ok(),
            ];
            assert!(read.iter().filter(|read| **read).count() <= 1);
        }
    }
}

fn one_state<T: Stored>(bytes: &[u8]) {
    match hazmat::decode::<T>(bytes) {
        Ok(value) => assert_eq!(hazmat::encode(&value).expect("it was read"), bytes),
        Err(error) => assert_eq!(error, Error::Integrity),
    }
}

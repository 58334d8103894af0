//! Sticker packs (SPEC.md §21).

use subrosa::padding::padded_length;
use subrosa::wire::{self, Reader};

use super::file;
use super::formula::{
    Bytes32, expand, hash, header, label, open_gcm, sign, vector, verifies, verifying_key,
};
use super::{Answer, array, error, require};
use crate::op::Refusal;

/// What an author keeps (§21.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The pack secret.
    pub secret: Bytes32,
    /// The seed of the signing key.
    pub seed: Bytes32,
}

impl Keys {
    /// `pack_id`
    #[must_use]
    pub fn pack_id(&self) -> Bytes32 {
        pack_id(&self.secret)
    }

    /// The author's public key.
    #[must_use]
    pub fn author_key(&self) -> Bytes32 {
        verifying_key(&self.seed)
    }

    /// `author_hash`
    #[must_use]
    pub fn author_hash(&self) -> Bytes32 {
        author_hash(&self.author_key())
    }

    /// The text of a manifest with any content, signed and padded (§21.2).
    ///
    /// # Errors
    /// None with the present primitives.
    pub fn text(&self, content: &[u8]) -> Answer<Vec<u8>> {
        let key = self.author_key();
        let signature = sign(&self.seed, &[&signed(&key, content)])?;
        Ok(padded(
            [&[1][..], &key, &signature, &vector(content)].concat(),
        ))
    }

    /// Any text, sealed as a manifest of this pack.
    #[must_use]
    pub fn seal(&self, salt: &[u8], text: &[u8]) -> Vec<u8> {
        file::seal(
            &manifest_key(&self.secret),
            &context(&self.secret),
            salt,
            text,
        )
    }
}

/// `pack_id` (§21.1).
#[must_use]
pub fn pack_id(secret: &Bytes32) -> Bytes32 {
    expand(secret, &[&label("pack id")])
}

/// `manifest_key` (§21.1).
#[must_use]
pub fn manifest_key(secret: &Bytes32) -> Bytes32 {
    expand(secret, &[&label("pack manifest")])
}

fn context(secret: &Bytes32) -> Vec<u8> {
    [&label("pack file")[..], &pack_id(secret)].concat()
}

/// `author_hash` (§21.1).
#[must_use]
pub fn author_hash(author_key: &Bytes32) -> Bytes32 {
    hash(&[&label("pack key"), author_key])
}

/// What an author signs, and what is hashed (§21.2).
fn signed(author_key: &Bytes32, content: &[u8]) -> Vec<u8> {
    [&label("pack")[..], &[1], author_key, content].concat()
}

/// `hash` of a manifest (§21.2).
#[must_use]
pub fn content_hash(author_key: &Bytes32, content: &[u8]) -> Bytes32 {
    hash(&[&signed(author_key, content)])
}

/// With zeros behind it (§5).
#[must_use]
pub fn padded(mut text: Vec<u8>) -> Vec<u8> {
    text.resize(padded_length(text.len()).unwrap_or(text.len()), 0);
    text
}

/// A sticker (§21.2), whose texts may be none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sticker {
    /// The emoji.
    pub emoji: Vec<Vec<u8>>,
    /// The blob's id.
    pub id: Bytes32,
    /// Its key.
    pub key: Bytes32,
    /// Bytes of its text.
    pub length: u64,
    /// Its media type.
    pub media_type: Vec<u8>,
}

/// The content of a manifest (§21.2), which may hold what no manifest may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// `pack_id`
    pub pack_id: Bytes32,
    /// `version`
    pub version: u64,
    /// `previous`
    pub previous: Bytes32,
    /// The title.
    pub title: Vec<u8>,
    /// The author's name.
    pub name: Vec<u8>,
    /// The stickers.
    pub stickers: Vec<Sticker>,
}

fn is_text(bytes: &[u8], least: usize, most: usize) -> bool {
    (least..=most).contains(&bytes.len()) && core::str::from_utf8(bytes).is_ok()
}

fn is_media_type(bytes: &[u8]) -> bool {
    let parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'/').collect();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let part = |part: &&[u8]| {
        let all = part.iter();
        part.len() <= 63
            && part.first().is_some_and(plain)
            && all
                .copied()
                .all(|byte| plain(&byte) || b"!#$&-^_.+".contains(&byte))
    };
    parts.len() == 2 && parts.iter().all(part)
}

impl Sticker {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = header(self.emoji.len());
        for emoji in &self.emoji {
            bytes.extend(vector(emoji));
        }
        bytes.extend(self.id);
        bytes.extend(self.key);
        bytes.extend(self.length.to_be_bytes());
        bytes.extend(vector(&self.media_type));
        bytes
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let count = reader.vector_length()?;
        let emoji: Result<Vec<Vec<u8>>, wire::Error> = (0..count.min(21))
            .map(|_| Ok(reader.vector(63)?.to_vec()))
            .collect();
        Ok(Self {
            emoji: emoji?,
            id: *reader.array()?,
            key: *reader.array()?,
            length: reader.u64()?,
            media_type: reader.vector(127)?.to_vec(),
        })
    }

    fn is_right(&self) -> bool {
        (1..=20).contains(&self.emoji.len())
            && self.emoji.iter().all(|emoji| is_text(emoji, 1, 63))
            && self.length <= 1 << 19
            && is_media_type(&self.media_type)
    }
}

impl Content {
    /// The bytes that are signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.pack_id.to_vec();
        bytes.extend(self.version.to_be_bytes());
        bytes.extend(self.previous);
        bytes.extend(vector(&self.title));
        bytes.extend(vector(&self.name));
        bytes.extend(header(self.stickers.len()));
        bytes.extend(self.stickers.iter().flat_map(Sticker::encode));
        bytes
    }

    fn read(content: &[u8]) -> Result<Self, wire::Error> {
        let mut reader = Reader::new(content);
        let mut fields = Self {
            pack_id: *reader.array()?,
            version: reader.u64()?,
            previous: *reader.array()?,
            title: reader.vector(256)?.to_vec(),
            name: reader.vector(256)?.to_vec(),
            stickers: Vec::new(),
        };
        for _ in 0..reader.vector_length()?.min(121) {
            fields.stickers.push(Sticker::read(&mut reader)?);
        }
        reader.finish()?;
        Ok(fields)
    }

    /// Whether two stickers have one key.
    fn repeats_a_key(&self) -> bool {
        let mut keys: Vec<Bytes32> = self.stickers.iter().map(|sticker| sticker.key).collect();
        keys.sort_unstable();
        keys.iter()
            .zip(keys.iter().skip(1))
            .any(|(one, next)| one == next)
    }

    /// §21.3-R8 and R9.
    fn is_right(&self) -> bool {
        let first = self.version == 1;
        self.version > 0
            && first == (self.previous == [0; 32])
            && is_text(&self.title, 1, 256)
            && is_text(&self.name, 0, 256)
            && self.stickers.len() <= 120
            && self.stickers.iter().all(Sticker::is_right)
            && !self.repeats_a_key()
    }

    /// §21.2-R2: what an author may not put together.
    ///
    /// # Errors
    /// `TooLong`, `Malformed`, `KeyInUse`.
    pub fn check(&self) -> Answer<()> {
        for sticker in &self.stickers {
            let emoji = &sticker.emoji;
            require(emoji.iter().all(|emoji| emoji.len() <= 63), "TooLong")?;
            require(emoji.iter().all(|emoji| !emoji.is_empty()), "Malformed")?;
            require(emoji.len() <= 20 && sticker.length <= 1 << 19, "TooLong")?;
            require(!emoji.is_empty(), "Malformed")?;
        }
        let long = self.title.len().max(self.name.len()) > 256;
        require(!long && self.stickers.len() <= 120, "TooLong")?;
        require(!self.title.is_empty(), "Malformed")?;
        require(!self.repeats_a_key(), "KeyInUse")
    }
}

/// A manifest that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The author's public key.
    pub author_key: Bytes32,
    /// `hash`
    pub hash: Bytes32,
    /// What is in it.
    pub content: Content,
}

/// The text of a sealed file (§20.1), with no reason if there is none.
fn unsealed(key: &Bytes32, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (salt, rest) = sealed.split_at_checked(24)?;
    let (commitment, chunks) = rest.split_at_checked(32)?;
    let (chunk_key, base, expected) = file::derive(key, context, salt);
    if commitment != expected || chunks.len() % 16_400 < 16 {
        return None;
    }
    let mut text = Vec::new();
    for (number, chunk) in (0u128..).zip(chunks.chunks(16_400)) {
        let counter = number.to_be_bytes();
        let mut nonce = base;
        for (byte, count) in nonce.iter_mut().zip(counter.iter().skip(4)) {
            *byte ^= count;
        }
        text.extend(open_gcm(&chunk_key, &nonce, chunk, &[])?);
    }
    Some(text)
}

/// §21.3: a manifest by the secret and the author's hash of a link.
///
/// # Errors
/// `Malformed`, `Integrity`, `UnknownVersion`, `OtherKey`, `BadSignature`, `OtherPack`.
pub fn open(secret: &Bytes32, author: &Bytes32, sealed: &[u8]) -> Answer<Opened> {
    require(sealed.len() <= 180_472, "Malformed")?;
    let text = unsealed(&manifest_key(secret), &context(secret), sealed);
    let text = text.ok_or(error("Integrity"))?;
    let mut reader = Reader::new(&text);
    require(!text.is_empty(), "Malformed")?;
    require(text.first() == Some(&1), "UnknownVersion")?;
    let (author_key, signature, content) = outer(&mut reader).map_err(|_| error("Malformed"))?;
    let used = text.len().saturating_sub(reader.rest().len());
    let unpadded = text.get(..used).unwrap_or_default().to_vec();
    require(padded(unpadded) == text, "Malformed")?;
    require(author_hash(&author_key) == *author, "OtherKey")?;
    let holds = verifies(&author_key, &[&signed(&author_key, content)], &signature);
    require(holds, "BadSignature")?;
    require(array(content)? == pack_id(secret), "OtherPack")?;
    let fields = Content::read(content).map_err(|_| error("Malformed"))?;
    require(fields.is_right(), "Malformed")?;
    Ok(Opened {
        author_key,
        hash: content_hash(&author_key, content),
        content: fields,
    })
}

fn outer<'a>(reader: &mut Reader<'a>) -> Result<(Bytes32, [u8; 64], &'a [u8]), wire::Error> {
    reader.u8()?;
    Ok((*reader.array()?, *reader.array()?, reader.vector(180_000)?))
}

/// What is held of a version (§21.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The pack.
    pub pack_id: Bytes32,
    /// The author's public key.
    pub author_key: Bytes32,
    /// The version.
    pub version: u64,
    /// The hash of the manifest.
    pub hash: Bytes32,
}

impl Held {
    /// What is held of a manifest that was opened.
    #[must_use]
    pub const fn of(opened: &Opened) -> Self {
        Self {
            pack_id: opened.content.pack_id,
            author_key: opened.author_key,
            version: opened.content.version,
            hash: opened.hash,
        }
    }

    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let version = self.version.to_be_bytes();
        [
            &[1],
            &self.pack_id[..],
            &self.author_key,
            &version,
            &self.hash,
        ]
        .concat()
    }

    /// §21.5-R5.
    ///
    /// # Errors
    /// `UnknownVersion`, `Malformed`.
    pub fn decode(bytes: &[u8]) -> Answer<Self> {
        require(!bytes.is_empty(), "Malformed")?;
        require(bytes.first() == Some(&1), "UnknownVersion")?;
        require(bytes.len() == 105, "Malformed")?;
        let part = |from: usize| array(bytes.get(from..).unwrap_or_default());
        let version = u64::from_be_bytes(array(bytes.get(65..).unwrap_or_default())?);
        require(version > 0, "Malformed")?;
        Ok(Self {
            pack_id: part(1)?,
            author_key: part(33)?,
            version,
            hash: part(73)?,
        })
    }

    fn require_same(&self, pack_id: &Bytes32, author_key: &Bytes32) -> Answer<()> {
        require(self.pack_id == *pack_id, "OtherPack")?;
        require(self.author_key == *author_key, "OtherKey")
    }

    /// §21.5-R1 to R3: what is held from now on, or nothing new.
    ///
    /// # Errors
    /// `OtherPack`, `OtherKey`, `Rollback`, `Fork`.
    pub fn update(&self, opened: &Opened) -> Answer<Option<Self>> {
        let next = Self::of(opened);
        self.require_same(&next.pack_id, &next.author_key)?;
        require(next.version >= self.version, "Rollback")?;
        if next.version == self.version {
            require(next.hash == self.hash, "Fork")?;
            return Ok(None);
        }
        let follows = opened.content.previous == self.hash;
        require(
            follows || next.version.wrapping_sub(self.version) > 1,
            "Fork",
        )?;
        Ok(Some(next))
    }
}

/// §21.2: a version that an author publishes, and what is held of it.
///
/// # Errors
/// `TooLong`, `Malformed`, `KeyInUse`, `Exhausted`, `OtherPack`, `OtherKey`, `Rollback`.
pub fn publish(
    keys: &Keys,
    content: &Content,
    version: Option<u64>,
    held: Option<Held>,
    salt: &[u8],
) -> Answer<(Vec<u8>, Held)> {
    content.check()?;
    let before = held.map_or(0, |held| held.version);
    let version = version.or(before.checked_add(1));
    let version = version.ok_or(error("Exhausted"))?;
    if let Some(held) = held {
        held.require_same(&keys.pack_id(), &keys.author_key())?;
    }
    let rises = version > before && (held.is_some() || version == 1);
    require(rises, "Rollback")?;
    let content = Content {
        pack_id: keys.pack_id(),
        version,
        previous: held.map_or([0; 32], |held| held.hash),
        ..content.clone()
    };
    let bytes = content.encode();
    let sealed = keys.seal(salt, &keys.text(&bytes)?);
    let held = Held {
        pack_id: keys.pack_id(),
        author_key: keys.author_key(),
        version,
        hash: content_hash(&keys.author_key(), &bytes),
    };
    Ok((sealed, held))
}

const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// base64url without padding (RFC 4648 §5), bit by bit.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let bits: Vec<u8> = bits.bytes().map(|bit| bit & 1).collect();
    let digit = |six: &[u8]| {
        let bits = six.iter().copied().chain([0; 5]).take(6);
        let value = bits.fold(0u8, |value, bit| value << 1 | bit);
        DIGITS
            .get(usize::from(value))
            .copied()
            .map_or('?', char::from)
    };
    bits.chunks(6).map(digit).collect()
}

/// A link (§21.4).
///
/// # Errors
/// `Malformed`.
pub fn link(address: &str, secret: &Bytes32, author: &Bytes32) -> Answer<String> {
    require(!address.contains('#'), "Malformed")?;
    let encoded = base64url(&[&secret[..], author].concat());
    Ok(format!("{address}#v1.{encoded}"))
}

/// §21.4-R1 to R3: address, pack secret, author's hash.
///
/// # Errors
/// `Malformed`, `UnknownVersion`.
pub fn parse_link(text: &str) -> Answer<(&str, Bytes32, Bytes32)> {
    let malformed: fn() -> Refusal = || error("Malformed");
    let (address, fragment) = text.split_once('#').ok_or_else(malformed)?;
    let rest = fragment.strip_prefix('v').ok_or_else(malformed)?;
    let (number, encoded) = rest.split_once('.').ok_or_else(malformed)?;
    let digits = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    require(digits && !number.starts_with('0'), "Malformed")?;
    require(number == "1", "UnknownVersion")?;
    let mut bits = Vec::new();
    for character in encoded.bytes() {
        let value = DIGITS.iter().position(|digit| *digit == character);
        let value = value.ok_or_else(malformed)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let bytes = bits.chunks_exact(8);
    let bytes: Vec<u8> = bytes
        .map(|bits| bits.iter().fold(0, |value, bit| value << 1 | *bit as u8))
        .collect();
    require(
        bytes.len() == 64 && base64url(&bytes) == encoded,
        "Malformed",
    )?;
    let (secret, author) = bytes.split_at(32);
    Ok((address, array(secret)?, array(author)?))
}

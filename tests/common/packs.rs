//! Manifests and links of packs as fields that may hold anything, and the rules of SPEC §21 written down a second time.

use subrosa::crypto::Secret;
use subrosa::crypto::hash::{expand, sha256};
use subrosa::crypto::sign::{Signature, SigningKey, VerifyingKey};
use subrosa::file::pack::{Author, Contents, Error, Link, Manifest, Sticker};
use subrosa::file::{Blob, BlobId, FileKey, MediaType, Sealer};
use subrosa::padding::padded_length;

use super::SeededRng;

/// A pack secret and an author's seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    pub secret: [u8; 32],
    pub seed: [u8; 32],
}

impl Keys {
    pub const fn new(number: u8) -> Self {
        Self {
            secret: [number; 32],
            seed: [number ^ 0x80; 32],
        }
    }

    pub fn author(&self) -> Author {
        Author::decode(&[&[1][..], &self.secret, &self.seed].concat()).unwrap()
    }

    pub fn link(&self) -> Link {
        self.author().link()
    }

    pub fn pack_id(&self) -> [u8; 32] {
        *expand(&self.secret, &[b"subrosa/1 pack id\0"]).expose()
    }

    pub fn manifest_key(&self) -> [u8; 32] {
        *expand(&self.secret, &[b"subrosa/1 pack manifest\0"]).expose()
    }

    fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(&Secret::new(self.seed))
    }

    pub fn author_key(&self) -> [u8; 32] {
        self.signing_key().verifying_key().0
    }

    pub fn author_hash(&self) -> [u8; 32] {
        sha256(&[b"subrosa/1 pack key\0", &self.author_key()])
    }

    /// What the author signs.
    fn signed(&self, content: &[u8]) -> Vec<u8> {
        [b"subrosa/1 pack\0\x01", &self.author_key()[..], content].concat()
    }

    pub fn hash(&self, content: &[u8]) -> [u8; 32] {
        sha256(&[&self.signed(content)])
    }

    /// The text of the manifest with this content, signed and padded.
    pub fn text(&self, content: &[u8]) -> Vec<u8> {
        let signature = self.signing_key().sign(&self.signed(content)).unwrap();
        padded([&[1][..], &self.author_key(), &signature.0, &vector(content)].concat())
    }

    /// Any text, sealed as a manifest of this pack.
    pub fn seal(&self, text: &[u8]) -> Vec<u8> {
        let key = FileKey::from_bytes(Secret::new(self.manifest_key()));
        let context = [b"subrosa/1 pack file\0", &self.pack_id()[..]].concat();
        seal(&key, &context, text)
    }

    pub fn sealed(&self, fields: &Fields) -> Vec<u8> {
        self.seal(&self.text(&fields.content()))
    }
}

/// Any text as a file.
pub fn seal(key: &FileKey, context: &[u8], mut text: &[u8]) -> Vec<u8> {
    let (mut sealer, header) = Sealer::new(key, context, &mut SeededRng(7)).unwrap();
    let mut sealed = header.to_vec();
    while let Some(chunk) = sealer.feed(&mut text).unwrap() {
        sealed.extend_from_slice(chunk);
    }
    sealed.extend_from_slice(sealer.finish().unwrap());
    sealed
}

/// With zeros behind it (SPEC §5).
pub fn padded(mut text: Vec<u8>) -> Vec<u8> {
    text.resize(padded_length(text.len()).unwrap(), 0);
    text
}

/// `vec(bytes)` (SPEC §4).
fn vector(bytes: &[u8]) -> Vec<u8> {
    [&header(bytes.len()), bytes].concat()
}

fn header(length: usize) -> Vec<u8> {
    match length {
        0..0x40 => vec![length as u8],
        0x40..0x4000 => (length as u16 | 0x4000).to_be_bytes().to_vec(),
        _ => (length as u32 | 0x8000_0000).to_be_bytes().to_vec(),
    }
}

/// A sticker of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub emoji: Vec<Vec<u8>>,
    pub id: [u8; 32],
    pub key: [u8; 32],
    pub length: u64,
    pub media_type: Vec<u8>,
}

impl Entry {
    pub fn new(number: u8) -> Self {
        Self {
            emoji: vec!["🦉".into(), "\u{1f3f4}\u{e0067}\u{e007f}".into()],
            id: sha256(&[&[number], b"id"]),
            key: sha256(&[&[number], b"key"]),
            length: 1000 * u64::from(number),
            media_type: b"image/webp".to_vec(),
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(header(self.emoji.len()));
        for emoji in &self.emoji {
            bytes.extend(vector(emoji));
        }
        bytes.extend(self.id);
        bytes.extend(self.key);
        bytes.extend(self.length.to_be_bytes());
        bytes.extend(vector(&self.media_type));
    }

    fn is_right(&self) -> bool {
        let emoji = &self.emoji;
        let right = |text: &Vec<u8>| (1..=63).contains(&text.len()) && is_text(text);
        (1..=20).contains(&emoji.len())
            && emoji.iter().all(right)
            && self.length <= 524_288
            && is_media_type(&self.media_type)
    }

    pub fn sticker(&self) -> Sticker {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let emoji: Vec<String> = self.emoji.iter().map(text).collect();
        let emoji: Vec<&str> = emoji.iter().map(String::as_str).collect();
        Sticker::new(&emoji, self.blob()).unwrap()
    }

    pub fn blob(&self) -> Blob {
        let media_type = std::str::from_utf8(&self.media_type).unwrap();
        Blob::new(
            BlobId::from_bytes(self.id),
            FileKey::from_bytes(Secret::new(self.key)),
            self.length,
            MediaType::new(media_type).unwrap(),
        )
        .unwrap()
    }

    fn of(sticker: &Sticker) -> Self {
        let blob = sticker.blob();
        let fetch = blob.admit(|_| true).unwrap();
        Self {
            emoji: sticker.emoji().map(|text| text.into()).collect(),
            id: *fetch.id().as_bytes(),
            key: *fetch.key().expose(),
            length: blob.text_len(),
            media_type: blob.media_type().as_str().into(),
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// RFC 6838 §4.2, as SPEC §20.3 takes it.
fn is_media_type(bytes: &[u8]) -> bool {
    let parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'/').collect();
    let plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    let part = |part: &&[u8]| {
        (1..=63).contains(&part.len())
            && plain(&part[0])
            && part
                .iter()
                .all(|byte| plain(byte) || b"!#$&-^_.+".contains(byte))
    };
    parts.len() == 2 && parts.iter().all(part)
}

/// The content of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    pub pack_id: [u8; 32],
    pub version: u64,
    pub previous: [u8; 32],
    pub title: Vec<u8>,
    pub name: Vec<u8>,
    pub stickers: Vec<Entry>,
}

impl Fields {
    /// The first version of a pack of so many stickers.
    pub fn first(keys: &Keys, stickers: u8) -> Self {
        Self {
            pack_id: keys.pack_id(),
            version: 1,
            previous: [0; 32],
            title: "Совы и owls".into(),
            name: "Bob".into(),
            stickers: (0..stickers).map(Entry::new).collect(),
        }
    }

    /// The version behind this one.
    pub fn next(&self, keys: &Keys) -> Self {
        Self {
            version: self.version.wrapping_add(1),
            previous: keys.hash(&self.content()),
            ..self.clone()
        }
    }

    pub fn content(&self) -> Vec<u8> {
        let mut bytes = self.pack_id.to_vec();
        bytes.extend(self.version.to_be_bytes());
        bytes.extend(self.previous);
        bytes.extend(vector(&self.title));
        bytes.extend(vector(&self.name));
        bytes.extend(header(self.stickers.len()));
        for sticker in &self.stickers {
            sticker.write(&mut bytes);
        }
        bytes
    }

    pub fn contents(&self) -> Contents {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let stickers = self.stickers.iter().map(Entry::sticker).collect();
        Contents::new(&text(&self.title), &text(&self.name), stickers).unwrap()
    }

    /// What the library has read.
    pub fn of(manifest: &Manifest) -> Self {
        let contents = manifest.contents();
        Self {
            pack_id: *manifest.pack_id().as_bytes(),
            version: manifest.version(),
            previous: *manifest.previous(),
            title: contents.title().into(),
            name: contents.name().into(),
            stickers: contents.stickers().iter().map(Entry::of).collect(),
        }
    }

    /// SPEC §21.2, by the form alone.
    fn read(reader: &mut Unread<'_>) -> Option<Self> {
        let mut fields = Self {
            pack_id: reader.array()?,
            version: u64::from_be_bytes(reader.array()?),
            previous: reader.array()?,
            title: reader.vector()?.to_vec(),
            name: reader.vector()?.to_vec(),
            stickers: Vec::new(),
        };
        for _ in 0..reader.header().filter(|count| *count <= 120)? {
            let mut emoji = Vec::new();
            for _ in 0..reader.header().filter(|count| *count <= 20)? {
                emoji.push(reader.vector()?.to_vec());
            }
            fields.stickers.push(Entry {
                emoji,
                id: reader.array()?,
                key: reader.array()?,
                length: u64::from_be_bytes(reader.array()?),
                media_type: reader.vector()?.to_vec(),
            });
        }
        reader.0.is_empty().then_some(fields)
    }

    /// SPEC §21.3-R8, R9.
    fn is_right(&self) -> bool {
        let mut keys: Vec<_> = self.stickers.iter().map(|sticker| sticker.key).collect();
        keys.sort_unstable();
        let numbered = match self.version {
            0 => false,
            1 => self.previous == [0; 32],
            _ => self.previous != [0; 32],
        };
        numbered
            && keys.windows(2).all(|two| two[0] != two[1])
            && (1..=256).contains(&self.title.len())
            && self.name.len() <= 256
            && is_text(&self.title)
            && is_text(&self.name)
            && self.stickers.iter().all(Entry::is_right)
    }
}

/// What was not read yet.
struct Unread<'a>(&'a [u8]);

impl<'a> Unread<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn header(&mut self) -> Option<usize> {
        let bytes = match self.0.first()? >> 6 {
            0 => 1,
            1 => 2,
            2 => 4,
            _ => return None,
        };
        let read = self.take(bytes)?;
        let number = read
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let number = number & ((1 << (8 * bytes - 2)) - 1);
        (header(number) == read).then_some(number)
    }

    fn vector(&mut self) -> Option<&'a [u8]> {
        let length = self.header()?;
        self.take(length)
    }
}

/// SPEC §21.3 behind the seal: what the text of a manifest holds, and its hash.
pub fn check(text: &[u8], keys: &Keys) -> Result<(Fields, [u8; 32]), Error> {
    let mut reader = Unread(text);
    match reader.take(1) {
        None => return Err(Error::Malformed),
        Some([1]) => {}
        Some(_) => return Err(Error::UnknownVersion),
    }
    let mut outer = || Some((reader.array::<32>()?, reader.array()?, reader.vector()?));
    let Some((key, signature, content)) = outer() else {
        return Err(Error::Malformed);
    };
    let shortest = text[..text.len() - reader.0.len()].to_vec();
    if padded(shortest) != text {
        return Err(Error::Malformed);
    }
    if key != keys.author_key() {
        return Err(Error::OtherKey);
    }
    let signature = Signature(signature);
    let holds = VerifyingKey(key).verify(&keys.signed(content), &signature);
    holds.map_err(|_| Error::BadSignature)?;
    if content.len() >= 32 && content[..32] != keys.pack_id() {
        return Err(Error::OtherPack);
    }
    let fields = Fields::read(&mut Unread(content)).filter(Fields::is_right);
    Ok((fields.ok_or(Error::Malformed)?, keys.hash(content)))
}

/// The characters of base64url, by value.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `base64url(bytes)`, without padding.
pub fn encoded(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let digit = |bits: &[u8]| {
        let value = (0..6).fold(0, |sum, bit| sum << 1 | bits.get(bit).unwrap_or(&0));
        DIGITS[usize::from(value)] as char
    };
    bits.chunks(6).map(digit).collect()
}

/// SPEC §21.4-R1 to R3: address, pack secret, hash of the author's key.
pub fn link(text: &str) -> Result<(&str, [u8; 32], [u8; 32]), Error> {
    let place = text.find('#').ok_or(Error::Malformed)?;
    let (address, fragment) = (&text[..place], &text[place + 1..]);
    let mut rest = fragment.strip_prefix('v').ok_or(Error::Malformed)?.chars();
    let number: String = rest.by_ref().take_while(|digit| *digit != '.').collect();
    // A dot was there exactly if more was taken than the number.
    let dotted = fragment.len() > 1 + number.len();
    let digits = number.chars().all(|digit| digit.is_ascii_digit());
    if !dotted || !digits || number.is_empty() || number.starts_with('0') {
        return Err(Error::Malformed);
    }
    if number != "1" {
        return Err(Error::UnknownVersion);
    }
    let text = rest.as_str();
    let mut bits = Vec::new();
    for character in text.bytes() {
        let value = DIGITS.iter().position(|digit| *digit == character);
        let value = value.ok_or(Error::Malformed)?;
        bits.extend((0..6).rev().map(|bit| (value >> bit & 1) as u8));
    }
    let bytes: Vec<u8> = bits
        .chunks_exact(8)
        .map(|bits| bits.iter().fold(0, |sum, bit| sum << 1 | bit))
        .collect();
    if bytes.len() != 64 || encoded(&bytes) != text {
        return Err(Error::Malformed);
    }
    let (secret, author) = bytes.split_at(32);
    Ok((
        address,
        secret.try_into().unwrap(),
        author.try_into().unwrap(),
    ))
}

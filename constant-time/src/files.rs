//! Files, blobs and sticker packs: each key from its first byte on, each text, and what travels of them.

use std::error::Error;

use subrosa::crypto::Secret;
use subrosa::file::pack::{Author, Contents, Held, Link, Manifest, Sticker, Update};
use subrosa::file::tree::{Hash, Node, TreeHasher, prove};
use subrosa::file::{
    Blob, BlobId, BlobSealer, CHUNK, Descriptor, Fetch, FileKey, HEADER, Interrupted, MediaType,
    Opener, Pieces, Record, SEALED_CHUNK, SealedChunk, Sealer, Thumbnail,
};
use subrosa::{AppKey, file};

use crate::scenarios::{Done, SLOT};
use crate::secret::{SecretRng, classify, is_secret, publish, text, watched};

/// Two chunks, the second one not whole.
const LENGTH: usize = CHUNK + 3_000;

/// A key that nothing is known of.
fn key(rng: &mut SecretRng) -> FileKey {
    FileKey::from_bytes(Secret::new(rng.bytes()))
}

/// A file by itself: sealed, opened, opened piece by piece, and refused for its salt, commitment, text and tag.
pub fn file() -> Done {
    let rng = &mut SecretRng(1);
    let key = watched(|| FileKey::generate(rng))?;
    let text = text(LENGTH);
    let (mut sealer, header) = watched(|| Sealer::new(&key, b"place", rng))?;
    let mut sealed = publish(header.to_vec());
    let (first, rest) = text.split_at(CHUNK);
    for mut piece in [first, &rest[..100], &rest[100..]] {
        if let Some(chunk) = watched(|| sealer.feed(&mut piece))? {
            sealed.extend(publish(chunk.to_vec()));
        }
    }
    sealed.extend(publish(watched(|| sealer.finish())?.to_vec()));
    assert_eq!(open(&key, &sealed)?, LENGTH);
    for at in [0, 30, HEADER, sealed.len() - 1] {
        let mut forged = sealed.clone();
        forged[at] ^= 1;
        if open(&key, &forged).is_ok() {
            return Err("it was opened".into());
        }
    }
    let (header, chunks) = sealed.split_first_chunk().ok_or("no header")?;
    let pieces = watched(|| Pieces::new(&key, b"place", header, sealed.len() as u64))?;
    let mut chunk = chunks[..SEALED_CHUNK].to_vec();
    assert!(is_secret(watched(|| pieces.open(0, &mut chunk))?));
    Ok(())
}

/// The length of the text.
fn open(key: &FileKey, sealed: &[u8]) -> Result<usize, Box<dyn Error>> {
    let same = FileKey::from_bytes(Secret::new(*key.expose()));
    let mut opener = watched(|| Opener::new(same, b"place"));
    let mut length = 0;
    for mut piece in sealed.chunks(9_000) {
        while let Some(chunk) = watched(|| opener.feed(&mut piece))? {
            assert!(is_secret(chunk));
            length += chunk.len();
        }
    }
    let last = watched(|| opener.finish())?;
    assert!(is_secret(last));
    Ok(length + last.len())
}

/// What the server gets of a blob.
struct Stored {
    bytes: Vec<u8>,
    leaves: Vec<Hash>,
}

impl Stored {
    fn take(&mut self, chunk: &SealedChunk<'_>) -> Done {
        // A header that was recorded has left before.
        let header = chunk.header().to_vec();
        self.bytes.extend(match is_secret(&header) {
            true => publish(header),
            false => header,
        });
        self.bytes.extend(publish(chunk.bytes().to_vec()));
        let leaf = publish(chunk.leaf().to_vec());
        self.leaves.push(leaf.try_into().map_err(|_| "no leaf")?);
        Ok(())
    }

    /// A node of the tree over the leaves.
    fn node(&self, node: Node) -> Result<Hash, file::Error> {
        let first = (node.index << node.level) as usize;
        let mut tree = TreeHasher::new();
        for leaf in &self.leaves[first..first + (1 << node.level)] {
            tree.push(leaf)?;
        }
        tree.root().ok_or(file::Error::OutOfRange)
    }

    fn header(&self) -> Result<&[u8; HEADER], Box<dyn Error>> {
        Ok(self.bytes.first_chunk().ok_or("no header")?)
    }
}

/// Seals a text, or what is left of it, and gives what leaves. Of the blob only the key is secret.
fn seal<L: ExactSizeIterator<Item = Hash>>(
    mut sealer: BlobSealer<L>,
    mut text: &[u8],
) -> Result<(Stored, Blob), Box<dyn Error>> {
    let mut stored = Stored {
        bytes: Vec::new(),
        leaves: Vec::new(),
    };
    while let Some(chunk) = watched(|| sealer.feed(&mut text))? {
        stored.take(&chunk)?;
    }
    while let Some(chunk) = watched(|| sealer.finish())? {
        stored.take(&chunk)?;
    }
    let blob = watched(|| sealer.blob())?;
    Ok((stored, sent(blob)?.blob))
}

/// A blob after it was sent.
fn sent(blob: Blob) -> Result<Descriptor, Box<dyn Error>> {
    let descriptor = Descriptor {
        blob,
        thumbnail: Thumbnail::None,
    };
    received(&watched(|| descriptor.to_bytes())?)
}

/// What a descriptor says, of which only the key is secret: behind the version and the id.
fn received(descriptor: &[u8]) -> Result<Descriptor, Box<dyn Error>> {
    let mut bytes = publish(descriptor.to_vec());
    classify(&mut bytes[33..65]);
    Ok(watched(|| Descriptor::parse(&bytes))?)
}

/// A blob: sealed, fetched whole and in pieces, and refused for its header, text and last tag.
pub fn blob() -> Done {
    let mut rng = SecretRng(2);
    let record = watched(|| Record::new(media_type()?, b"apart", &mut rng))?;
    let (stored, blob) = seal(BlobSealer::new(record), &text(LENGTH))?;
    let fetch = watched(|| blob.admit(|_| true))?;
    assert_eq!(fetched(&fetch, &stored.bytes)?, LENGTH);
    for at in [0, 30, HEADER, stored.bytes.len() - 1] {
        let mut forged = stored.bytes.clone();
        forged[at] ^= 1;
        if fetched(&fetch, &forged).is_ok() {
            return Err("it was opened".into());
        }
    }
    let mut pieces = fetch.pieces();
    let piece = watched(|| pieces.piece(&(CHUNK as u64..CHUNK as u64 + 50)))?;
    let proof = prove(fetch.shape(), piece.leaves(), stored.header()?, |node| {
        stored.node(node)
    })?;
    let place = piece.place().start as usize..piece.place().end as usize;
    let mut bytes = stored.bytes[place].to_vec();
    let texts = watched(|| pieces.open(&piece, &mut bytes, &proof))?;
    let texts: Vec<_> = watched(|| texts.collect());
    assert!(texts.iter().all(|text| is_secret(text)));
    assert_eq!(texts.concat().len(), 50);
    Ok(())
}

/// The length of the text.
fn fetched(fetch: &Fetch<'_>, stored: &[u8]) -> Result<usize, Box<dyn Error>> {
    let mut opener = watched(|| fetch.opener());
    let mut length = 0;
    for mut piece in stored.chunks(9_000) {
        while let Some(text) = watched(|| opener.feed(&mut piece))? {
            assert!(text.is_empty() || is_secret(text));
            length += text.len();
        }
    }
    Ok(length + watched(|| opener.finish())?.len())
}

/// An upload that is gone on with: at the first chunk, at the second, and with a text that is another one.
pub fn upload() -> Done {
    let mut rng = SecretRng(3);
    let app_key = AppKey::new(rng.bytes());
    let record = watched(|| Record::new(media_type()?, b"", &mut rng))?;
    let exported = publish(watched(|| record.export(SLOT, &app_key, &mut rng))?);
    let text_of_all = text(LENGTH);
    let (begun, _) = seal(BlobSealer::new(record), &text_of_all)?;
    let resumed = |from: u64| -> Result<_, Box<dyn Error>> {
        let record = watched(|| Interrupted::import(&exported, SLOT, &app_key))?;
        let (header, leaves) = (begun.header()?, begun.leaves.iter().copied());
        Ok(watched(|| {
            BlobSealer::resume(record, Some(header), leaves, from)
        })?)
    };
    for from in [0, 1] {
        let (again, _) = seal(resumed(from)?, &text_of_all[from as usize * CHUNK..])?;
        assert!(begun.bytes.ends_with(&again.bytes[..]));
    }
    let other = text(LENGTH - 1);
    match seal(resumed(1)?, &other[CHUNK..]) {
        Ok(_) => Err("another text was taken".into()),
        Err(_) => Ok(()),
    }
}

/// An author, stored; two versions of a pack.
pub fn pack_author() -> Done {
    let mut rng = SecretRng(4);
    let author = stored_author(&watched(|| Author::generate(&mut rng))?)?;
    versions(&author, &mut rng)?;
    Ok(())
}

/// A pack by its link: opened, updated, refused for its text and tag; a sticker of it, sent.
pub fn pack_opened() -> Done {
    let mut rng = SecretRng(5);
    let author = Author::generate(&mut rng)?;
    let [first, second] = versions(&author, &mut rng)?;
    let link = shared(&author)?;
    let held = Held::new(&opened(&link, &first)?);
    let held = Held::decode(&publish(held.encode()))?;
    let manifest = opened(&link, &second)?;
    let Update::Newer(_) = watched(|| held.update(&manifest))? else {
        return Err("it is not newer".into());
    };
    for at in [HEADER, second.len() - 1] {
        let mut forged = second.clone();
        forged[at] ^= 1;
        if opened(&link, &forged).is_ok() {
            return Err("it was opened".into());
        }
    }
    let contents = manifest.into_contents();
    let sticker = contents.stickers().first().ok_or("no sticker")?;
    received(&watched(|| sticker.descriptor().to_bytes())?)?;
    Ok(())
}

fn media_type() -> Result<MediaType, file::Error> {
    MediaType::new("image/webp")
}

fn contents(title: &str, rng: &mut SecretRng) -> Result<Contents, Box<dyn Error>> {
    let mut stickers = Vec::new();
    for number in 0..3 {
        let id = BlobId::from_bytes([number; 32]);
        let blob = Blob::new(id, key(rng), 5_000, media_type()?)?;
        stickers.push(watched(|| Sticker::new(&["🦉", "🌙"], blob))?);
    }
    Ok(watched(|| Contents::new(title, "Bob", stickers))?)
}

fn versions(author: &Author, rng: &mut SecretRng) -> Result<[Vec<u8>; 2], Box<dyn Error>> {
    let contents_of_first = contents("Owls", rng)?;
    let (first, held) = watched(|| author.publish(&contents_of_first, None, rng))?;
    let held = Held::decode(&publish(held.encode()))?;
    let contents_of_second = contents("Many owls", rng)?;
    let (second, _) = watched(|| author.publish(&contents_of_second, Some(&held), rng))?;
    Ok([publish(first), publish(second)])
}

fn stored_author(author: &Author) -> Result<Author, Box<dyn Error>> {
    let mut stored = publish(watched(|| author.encode()).expose().to_vec());
    // Behind the version.
    classify(&mut stored[1..]);
    Ok(watched(|| Author::decode(&stored))?)
}

/// The link as somebody has it: what stands for the secret is one, the hash of the author's key is none.
fn shared(author: &Author) -> Result<Link, Box<dyn Error>> {
    let text = watched(|| author.link().to_text("https://example.org/p"))?;
    let mut bytes = publish(text.as_bytes().to_vec());
    let secret = bytes.len() - 86..bytes.len() - 86 + 43;
    assert_eq!(bytes[secret.start - 4..secret.start], *b"#v1.");
    classify(&mut bytes[secret]);
    let text = String::from_utf8(bytes)?;
    let (_, link) = watched(|| Link::parse(&text))?;
    Ok(link)
}

fn opened(link: &Link, sealed: &[u8]) -> Result<Manifest, Box<dyn Error>> {
    Ok(watched(|| link.open(sealed))?)
}

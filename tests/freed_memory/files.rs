//! Files, blobs and packs: everything that is made, opened and kept of them.

use std::io::{Cursor, Read as _, Write as _};
use std::ops::Range;

use subrosa::crypto::{Secret, TryRng as _, labels};
use subrosa::file::io::{Reader, SeekReader, Writer};
use subrosa::file::pack::{Author, Contents, Held, Link, Sticker, Update};
use subrosa::file::tree::{Node, Shape, TreeHasher, prove};
use subrosa::file::{
    Blob, BlobSealer, CHUNK, Descriptor, Error, FileKey, HEADER, Inline, Interrupted, MediaType,
    Opener, Pieces, Record, SALT, SEALED_CHUNK, SealedChunk, Sealer, Thumbnail,
};
use subrosa::hazmat::{file as file_hazmat, pack as pack_hazmat};
use subrosa::{AppKey, TryCryptoRng};
use zeroize::Zeroizing;

use crate::Scene;
use crate::common::SLOT;

/// Two whole chunks and a part of one.
const LENGTH: usize = 2 * CHUNK + 5_000;

/// Where a file of its own belongs.
const PLACE: &[u8] = b"a drawer";

type Text = Zeroizing<Vec<u8>>;

/// What a blob is made into: its bytes, and the leaf of each chunk.
struct Made {
    stored: Vec<u8>,
    leaves: Vec<[u8; 32]>,
}

impl Made {
    fn new() -> Self {
        Self {
            stored: Vec::new(),
            leaves: Vec::new(),
        }
    }

    fn take(&mut self, chunk: &SealedChunk<'_>) {
        self.stored.extend_from_slice(chunk.header());
        self.stored.extend_from_slice(chunk.bytes());
        self.leaves.push(*chunk.leaf());
    }

    fn header(&self) -> &[u8; HEADER] {
        self.stored.first_chunk().unwrap()
    }
}

impl Scene {
    /// A text that nobody else has.
    fn text(&mut self) -> Text {
        let mut text = Zeroizing::new(vec![0; LENGTH]);
        let Ok(()) = self.rng.try_fill_bytes(&mut text);
        self.watch.add("the text of a file", &text);
        text
    }

    /// The keys of a file with this header.
    fn note_keys(&mut self, key: &FileKey, context: &[u8], header: &[u8]) {
        self.watch.aside(|needles| {
            needles.add("the key of a file", key.expose());
            let salt = header.first_chunk::<SALT>().unwrap();
            let [chunks, ..] = file_hazmat::derived(key, context, salt);
            needles.add("the key of a file's chunks", &chunks);
        });
    }

    fn note_record(&mut self, record: &Record) {
        self.watch.aside(|needles| {
            let encoded = file_hazmat::encode_record(record).unwrap();
            needles.add("the seed of a record", &encoded[..32]);
            let (key, _) = file_hazmat::record_keys(record, b"");
            needles.add("the key of a blob", &key);
        });
    }

    fn note_link(&mut self, link: &Link) {
        self.watch.aside(|needles| {
            let [secret, _, key] = pack_hazmat::secrets(link);
            needles.add("a pack secret", &secret);
            needles.add("a manifest key", &key);
            let text = link.to_text("").unwrap();
            // Behind `#v1.`: the characters that 30 of the 32 bytes become.
            needles.add("a link", &text.as_bytes()[4..44]);
        });
    }

    fn record(&mut self) -> Record {
        let media_type = MediaType::new("video/mp4").unwrap();
        let record = Record::new(media_type, b"", &mut self.rng()).unwrap();
        self.note_record(&record);
        record
    }

    fn app_key(&mut self) -> AppKey {
        let mut key = [0; 32];
        let Ok(()) = self.rng().try_fill_bytes(&mut key);
        AppKey::new(key)
    }

    /// A blob of one sticker, 5,000 bytes of a text.
    fn sticker(&mut self) -> Sticker {
        let text = self.text();
        let (_, blob) = blob(BlobSealer::new(self.record()), &text[..5_000]);
        Sticker::new(&["🦉", "🌙"], blob).unwrap()
    }
}

/// Feeds pieces of a length that is none of a chunk.
fn blob<L: ExactSizeIterator<Item = [u8; 32]>>(
    mut sealer: BlobSealer<L>,
    text: &[u8],
) -> (Made, Blob) {
    let mut made = Made::new();
    for mut piece in text.chunks(7_000) {
        while let Some(chunk) = sealer.feed(&mut piece).unwrap() {
            made.take(&chunk);
        }
    }
    while let Some(chunk) = sealer.finish().unwrap() {
        made.take(&chunk);
    }
    (made, sealer.blob().unwrap())
}

/// Files by themselves, through every way of sealing and opening them.
pub fn files(scene: &mut Scene) {
    scene.watch.step("a file");
    let text = scene.text();
    let key = FileKey::generate(&mut scene.rng()).unwrap();
    // Of its generator the salt is public.
    let (mut sealer, header) = Sealer::new(&key, PLACE, &mut scene.rng).unwrap();
    scene.note_keys(&key, PLACE, &header);
    let mut sealed = header.to_vec();
    // The first chunk from where it is, the others through the sealer's memory.
    let (first, rest) = text.split_at(CHUNK);
    for mut piece in [first].into_iter().chain(rest.chunks(7_000)) {
        while let Some(chunk) = sealer.feed(&mut piece).unwrap() {
            sealed.extend_from_slice(chunk);
        }
    }
    sealed.extend_from_slice(sealer.finish().unwrap());

    let same = || FileKey::from_bytes(Secret::new(*key.expose()));
    for pieces in [sealed.len(), 7_000] {
        let mut opener = Opener::new(same(), PLACE);
        let mut opened = 0;
        for mut piece in sealed.chunks(pieces) {
            while let Some(chunk) = opener.feed(&mut piece).unwrap() {
                opened += chunk.len();
            }
        }
        assert_eq!(opened + opener.finish().unwrap().len(), LENGTH);
    }
    scene.watch.step("a file that is refused");
    let mut forged = sealed.clone();
    *forged.last_mut().unwrap() ^= 1;
    let mut opener = Opener::new(same(), PLACE);
    let mut rest = &*forged;
    while opener.feed(&mut rest).unwrap().is_some() {}
    assert_eq!(opener.finish(), Err(Error::Chunk));

    scene.watch.step("pieces of a file");
    let pieces = Pieces::new(&key, PLACE, &header, sealed.len() as u64).unwrap();
    let mut chunk = Zeroizing::new(sealed[HEADER..HEADER + SEALED_CHUNK].to_vec());
    assert_eq!(pieces.open(0, &mut chunk).unwrap(), &text[..CHUNK]);

    scene.watch.step("adapters");
    let mut writer = Writer::new(Vec::new(), &key, PLACE, &mut scene.rng).unwrap();
    writer.write_all(&text).unwrap();
    let written = writer.finish().unwrap();
    scene.note_keys(&key, PLACE, &written);
    let mut read = Zeroizing::new(vec![0; LENGTH]);
    let mut reader = Reader::new(&*written, same(), PLACE);
    reader.read_exact(&mut read).unwrap();
    let mut reader = SeekReader::new(Cursor::new(&written), &key, PLACE).unwrap();
    assert_eq!(reader.read_at(9_000, &mut read[..500]).unwrap(), 500);

    #[cfg(feature = "threads")]
    {
        use subrosa::file::parallel::{open, seal};
        scene.watch.step("threads");
        let two = 2.try_into().unwrap();
        let mut written = Vec::new();
        // The key of its chunks is not looked for: the padding of the standard library's channels is whatever lay on the stack
        // before, and that is not overwritten.
        seal(&**text, &mut written, &key, PLACE, two, &mut scene.rng).unwrap();
        let read = open(&*written, &mut **read, &key, PLACE, two).unwrap();
        assert_eq!(read, LENGTH as u64);
    }
}

/// Blobs: sealed, interrupted and gone on with, described, fetched whole and in pieces, and refused.
pub fn blobs(scene: &mut Scene) {
    scene.watch.step("a blob");
    let text = scene.text();
    let record = scene.record();
    let app_key = scene.app_key();
    let exported = record.export(SLOT, &app_key, &mut scene.rng()).unwrap();
    let mut sealer = BlobSealer::new(record);
    let mut begun = Made::new();
    let mut front = &text[..CHUNK + 100];
    while let Some(chunk) = sealer.feed(&mut front).unwrap() {
        begun.take(&chunk);
    }
    drop(sealer);

    scene.watch.step("a blob gone on with");
    for from in [0, 1] {
        let record = Interrupted::import(&exported, SLOT, &app_key).unwrap();
        let leaves = begun.leaves.iter().copied();
        let sealer = BlobSealer::resume(record, Some(begun.header()), leaves, from).unwrap();
        blob(sealer, &text[from as usize * CHUNK..]);
    }
    let record = Interrupted::import(&exported, SLOT, &app_key).unwrap();
    let leaves = begun.leaves.iter().copied();
    let sealer = BlobSealer::resume(record, Some(begun.header()), leaves, 0).unwrap();
    let (made, blob) = blob(sealer, &text);

    scene.watch.step("a descriptor");
    let fetch = blob.admit(|_| true).unwrap();
    scene.note_keys(fetch.key(), labels::BLOB, made.header());
    let media_type = MediaType::new("image/webp").unwrap();
    let picture = &text[20..500];
    let descriptor = Descriptor {
        blob: blob.duplicate(),
        thumbnail: Thumbnail::Inline(Inline::new(media_type, picture).unwrap()),
    };
    let sent = descriptor.to_bytes().unwrap();
    let Thumbnail::Inline(inline) = Descriptor::parse(&sent).unwrap().thumbnail else {
        panic!("another thumbnail");
    };
    assert_eq!(inline.bytes(), picture);

    scene.watch.step("a blob opened");
    let mut opener = fetch.opener();
    for mut piece in made.stored.chunks(7_000) {
        while opener.feed(&mut piece).unwrap().is_some() {}
    }
    opener.finish().unwrap();

    scene.watch.step("a piece of a blob");
    let mut pieces = fetch.pieces();
    let piece = pieces.piece(&(CHUNK as u64 - 9..CHUNK as u64 + 9)).unwrap();
    let place = piece.place().start as usize..piece.place().end as usize;
    let proof = proof(&made, fetch.shape(), piece.leaves());
    let mut stored = Zeroizing::new(made.stored[place].to_vec());
    let opened: usize = pieces
        .open(&piece, &mut stored, &proof)
        .unwrap()
        .map(<[u8]>::len)
        .sum();
    assert_eq!(opened, 18);
}

fn proof(made: &Made, shape: &Shape, leaves: &Range<u64>) -> Vec<u8> {
    let node = |node: Node| {
        let first = (node.index << node.level) as usize;
        let mut tree = TreeHasher::new();
        for leaf in &made.leaves[first..first + (1 << node.level)] {
            tree.push(leaf)?;
        }
        Ok::<_, Error>(tree.root().expect("it has leaves"))
    };
    prove(shape, leaves, made.header(), node).unwrap()
}

/// Packs: published, stored, shared, opened, refused, and a sticker of one.
pub fn packs(scene: &mut Scene) {
    scene.watch.step("an author");
    let author = Author::generate(&mut scene.rng()).unwrap();
    let link = author.link();
    scene.note_link(&link);
    let stored = author.encode();
    let author = Author::decode(stored.expose()).unwrap();

    scene.watch.step("a manifest");
    let stickers = vec![scene.sticker(), scene.sticker()];
    let contents = Contents::new("Owls", "Bob", stickers).unwrap();
    let (first, held) = publish(&author, &contents, None, &mut scene.rng());
    scene.watch.step("the next manifest");
    // In its place: what is taken out of a vector leaves a copy there.
    let mut stickers = contents.into_stickers();
    stickers.truncate(1);
    let contents = Contents::new("An owl", "Bob", stickers).unwrap();
    let (next, _) = publish(&author, &contents, Some(&held), &mut scene.rng());

    scene.watch.step("a link");
    let text = link.to_text("https://example.org/p").unwrap();
    let (_, link) = Link::parse(&text).unwrap();
    let manifest = link.open(&first).unwrap();
    let held = Held::new(&manifest);
    let manifest = link.open(&next).unwrap();
    assert!(matches!(held.update(&manifest), Ok(Update::Newer(_))));

    scene.watch.step("a manifest that is refused");
    let mut forged = next;
    *forged.last_mut().unwrap() ^= 1;
    assert!(link.open(&forged).is_err());

    scene.watch.step("a sticker that is sent");
    let contents = manifest.into_contents();
    let sent = contents.stickers()[0].descriptor().to_bytes().unwrap();
    Descriptor::parse(&sent).unwrap();
}

fn publish(
    author: &Author,
    contents: &Contents,
    held: Option<&Held>,
    rng: &mut impl TryCryptoRng,
) -> (Vec<u8>, Held) {
    author.publish(contents, held, rng).unwrap()
}

//! Files, blobs and sticker packs (SPEC §20, §21).

use core::ops::Range;

use alloc::vec::Vec;
use subrosa::file::pack::{Author, Contents, Held, Link, Sticker};
use subrosa::file::tree::{
    BlobHasher, Hash, Node, RangeVerifier, Shape, TreeHasher, leaf_hash, proof_len, prove,
    stored_nodes,
};
use subrosa::file::{
    Blob, BlobId, BlobSealer, Descriptor, Error, FileKey, Inline, Interrupted, MediaType, Opener,
    Pieces, Record, Sealer, Thumbnail, padded_len, sealed_len, stored_len, text_len,
};

use crate::{Opaque, app_key, array, black_box, bytes, done, now, number, secret, slot};

fn text() -> &'static str {
    black_box("")
}

fn range() -> Range<u64> {
    now()..now()
}

fn key() -> FileKey {
    FileKey::from_bytes(secret())
}

fn media_type() -> Option<MediaType> {
    MediaType::new(text()).ok()
}

fn blob() -> Option<Blob> {
    let id = BlobId::from_bytes(array());
    Blob::new(id, key(), now(), media_type()?).ok()
}

/// A file, from front to end and piece by piece.
pub fn sealed() -> Option<()> {
    let rng = &mut Opaque;
    done((sealed_len(now()), text_len(now()).ok()));
    done(FileKey::generate(rng).map(|key| *key.expose()));
    let (mut sealer, header) = Sealer::new(&key(), bytes(), rng).ok()?;
    done(header);
    let mut rest = bytes();
    done(sealer.feed(&mut rest));
    done(sealer.finish());
    let mut opener = Opener::new(key(), bytes());
    done(opener.feed(&mut rest));
    done(opener.finish());
    let pieces = Pieces::new(&key(), bytes(), &array(), now()).ok()?;
    done((pieces.text_len(), pieces.chunks_of(&range())));
    done(pieces.place(now()));
    let mut chunk = array::<99>();
    let chunk = chunk.get_mut(..number()).unwrap_or_default();
    done(pieces.open(now(), chunk));
    done(pieces.open_last(chunk));
    Some(())
}

/// What hashes to a blob's id, and what proves leaves of it.
pub fn tree() -> Option<()> {
    done((padded_len(now()), stored_len(now()), stored_nodes(now())));
    done(leaf_hash(bytes()));
    let node = Node {
        level: black_box(0),
        index: now(),
    };
    done(node.place());
    let mut tree = TreeHasher::new();
    done(tree.push(&array()));
    done((tree.root(), tree.id(&array(), now())));
    let mut hasher = BlobHasher::new();
    let mut rest = bytes();
    done(hasher.feed(&mut rest));
    done(hasher.finish());
    let shape = Shape::new(now()).ok()?;
    done((shape.place(&range()), proof_len(&shape, &range())));
    let stored = |node: Node| black_box(Ok::<Hash, Error>([node.level as u8; 32]));
    done(prove(&shape, &range(), &array(), stored));
    let id = BlobId::from_bytes(array());
    let mut verifier = RangeVerifier::new(id, now(), range(), bytes()).ok()?;
    done(verifier.feed(bytes()));
    done(verifier.push(&array()));
    done(verifier.finish());
    Some(())
}

/// An upload, interrupted and gone on with.
pub fn upload() -> Option<()> {
    let rng = &mut Opaque;
    let record = Record::new(media_type()?, bytes(), rng).ok()?;
    done(record.export(slot(), &app_key(), rng));
    let mut sealer = BlobSealer::new(record);
    let mut rest = bytes();
    done(sealer.feed(&mut rest).map(|chunk| {
        let chunk = chunk?;
        done((chunk.number(), *chunk.leaf(), chunk.header(), chunk.bytes()));
        done(chunk.nodes());
        Some(())
    }));
    done(sealer.finish().is_ok());
    done((sealer.blob(), sealer.shape()));

    let record = Interrupted::import(bytes(), slot(), &app_key()).ok()?;
    let leaves = black_box([array(), array()]).into_iter();
    let mut sealer = BlobSealer::resume(record, Some(&array()), leaves, now()).ok()?;
    done(sealer.feed(&mut rest).is_ok());
    done(sealer.finish().is_ok());
    done((sealer.blob(), sealer.shape()));
    Some(())
}

/// What a message brings, whole and in pieces.
pub fn download() -> Option<()> {
    let descriptor = Descriptor::parse(bytes()).ok()?;
    done(descriptor.to_bytes());
    let descriptor = Descriptor {
        blob: blob()?,
        thumbnail: Thumbnail::Inline(Inline::new(media_type()?, bytes()).ok()?),
    };
    done(descriptor.to_bytes());
    done(descriptor.blob.media_type().as_str());
    let fetch = descriptor.blob.admit(|_| black_box(true)).ok()?;
    done((fetch.id(), fetch.shape()));
    done(fetch.verifier(range(), bytes()).is_ok());
    let mut opener = fetch.opener();
    let mut rest = bytes();
    done(opener.feed(&mut rest));
    done(opener.finish());
    let mut pieces = fetch.pieces();
    let mut stored = array::<99>();
    for piece in [pieces.piece(&range()).ok()?, pieces.run(range()).ok()?] {
        done((piece.text(), piece.place(), piece.leaves()));
        let stored = stored.get_mut(..number()).unwrap_or_default();
        for text in pieces.open(&piece, stored, bytes()).ok()? {
            done(text);
        }
    }
    Some(())
}

/// A pack, by its author and by who has the link.
pub fn pack() -> Option<()> {
    let rng = &mut Opaque;
    done(Author::generate(rng).map(|author| *author.encode().expose()));
    let author = Author::decode(bytes()).ok()?;
    let sticker = Sticker::new(&[text(), text()], blob()?).ok()?;
    done(sticker.descriptor().to_bytes());
    sticker.emoji().for_each(done);
    let mut stickers = Vec::new();
    stickers.try_reserve_exact(2).ok()?;
    stickers.extend(Some(sticker));
    let contents = Contents::new(text(), text(), stickers).ok()?;
    let held = Held::decode(bytes()).ok()?;
    done(author.publish(&contents, Some(&held), rng));
    done(author.publish(&contents, None, rng));
    done(author.publish_version(now(), &contents, Some(&held), rng));
    done(author.link().to_text(text()));
    done((author.pack_id(), held.encode()));

    let (address, link) = Link::parse(text()).ok()?;
    done((address, link.pack_id()));
    let manifest = link.open(bytes()).ok()?;
    done((Held::new(&manifest), held.update(&manifest)));
    let contents = manifest.into_contents();
    done((contents.title(), contents.name()));
    for sticker in contents.stickers() {
        sticker.emoji().for_each(done);
        done(sticker.blob().duplicate());
    }
    Some(())
}

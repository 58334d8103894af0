//! Blobs, opened whole and in pieces.

use std::vec;
use std::vec::Vec;

use super::{permutations, text};
use crate::crypto::Secret;
use crate::file::limits::TEXT_MAX;
use crate::file::tree::{BlobHasher, Hash, RangeVerifier, Shape, leaf_hash, proof_len, prove};
use crate::file::*;

const RANDOM: Secret<32> = Secret::new([6; 32]);

pub(super) fn media_type() -> MediaType {
    MediaType::new("video/mp4").unwrap()
}

pub(in crate::file) fn record(number: u8) -> Record {
    Record::from_random(media_type(), b"", &Secret::new([number; 32]))
}

/// A blob, with its bytes and its nodes.
pub(in crate::file) struct Made {
    pub blob: Blob,
    pub stored: Vec<u8>,
    pub nodes: Vec<Hash>,
}

impl Made {
    fn proof(&self, leaves: core::ops::Range<u64>) -> Vec<u8> {
        let header = self.stored.first_chunk().unwrap();
        let shape = Shape::new(self.blob.stored_len()).unwrap();
        let node = |node: tree::Node| Ok::<_, Error>(self.nodes[node.place() as usize]);
        prove(&shape, &leaves, header, node).unwrap()
    }

    fn place(&self, piece: &Piece) -> Vec<u8> {
        self.stored[piece.place().start as usize..piece.place().end as usize].to_vec()
    }
}

/// Fed in pieces of so many bytes.
pub(in crate::file) fn make<L: ExactSizeIterator<Item = Hash>>(
    mut sealer: BlobSealer<L>,
    text: &[u8],
    piece: usize,
) -> Result<Made, Error> {
    let (mut stored, mut nodes) = (Vec::new(), Vec::new());
    let mut take = |chunk: SealedChunk<'_>| {
        let chunks = (stored.len() as u64).saturating_sub(HEADER as u64) / SEALED_CHUNK as u64;
        if !stored.is_empty() {
            assert_eq!(chunk.number() % 1_000_000, chunk.number());
            assert!(chunk.header().is_empty() || chunks == 0);
        }
        assert_eq!(chunk.leaf(), &leaf_hash(chunk.bytes()));
        assert_eq!(chunk.nodes().first(), Some(chunk.leaf()));
        stored.extend_from_slice(chunk.header());
        stored.extend_from_slice(chunk.bytes());
        nodes.extend_from_slice(chunk.nodes());
    };
    for mut piece in text.chunks(piece) {
        while let Some(chunk) = sealer.feed(&mut piece)? {
            take(chunk);
        }
    }
    assert_eq!(sealer.blob().err(), Some(Error::Truncated));
    while let Some(chunk) = sealer.finish()? {
        take(chunk);
    }
    assert_eq!(sealer.feed(&mut &b"more"[..]).err(), Some(Error::Ended));
    assert!(sealer.finish().unwrap().is_none());
    let blob = sealer.blob()?;
    Ok(Made {
        blob,
        stored,
        nodes,
    })
}

pub(super) fn made(text: &[u8]) -> Made {
    make(BlobSealer::new(record(6)), text, 10_000).unwrap()
}

/// What was given out before the blob was refused, or all of it.
fn open(blob: &Blob, stored: &[u8], piece: usize) -> (Vec<u8>, Result<(), Error>) {
    let mut opener = blob.admit(|_| true).unwrap().opener();
    let mut text = Vec::new();
    for mut piece in stored.chunks(piece) {
        loop {
            match opener.feed(&mut piece) {
                Ok(Some(chunk)) => text.extend_from_slice(chunk),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(opener.feed(&mut &stored[..]), Err(error));
                    assert_eq!(opener.finish(), Err(error));
                    return (text, Err(error));
                }
            }
        }
    }
    let result = opener.finish().map(|last| text.extend_from_slice(last));
    let again = result.err().unwrap_or(Error::Ended);
    assert_eq!(opener.finish(), Err(again));
    assert_eq!(opener.feed(&mut &stored[..]), Err(again));
    (text, result)
}

const SIZES: [usize; 11] = [
    0,
    1,
    192,
    193,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK,
    3 * CHUNK - 1,
    5 * CHUNK + 77,
    // A chunk of padding alone.
    17 * CHUNK + 5,
];

#[test]
fn attack_f2_every_size_is_sealed_named_and_opened() {
    for size in SIZES {
        let text = text(size);
        let made = made(&text);
        assert_eq!(made.blob.text_len(), size as u64);
        assert_eq!(made.blob.stored_len(), made.stored.len() as u64);
        assert_eq!(stored_len(size as u64), Some(made.stored.len() as u64));
        assert_eq!(
            text_len(made.stored.len() as u64).ok(),
            padded_len(size as u64)
        );
        let mut hasher = BlobHasher::new();
        let mut rest = &made.stored[..];
        while hasher.feed(&mut rest).unwrap().is_some() {}
        assert_eq!(hasher.finish().unwrap().0, made.blob.id);
        for piece in [1, 999, SEALED_CHUNK, 1 << 20] {
            let other = make(BlobSealer::new(record(6)), &text, piece).unwrap();
            assert!(other.stored == made.stored && other.nodes == made.nodes);
            let (opened, result) = open(&made.blob, &made.stored, piece);
            assert_eq!(result, Ok(()));
            assert!(opened == text);
        }
    }
}

#[test]
fn padding_hides_the_length() {
    for text in [0u64, 1, 192, 193, 5000, 16_384, 1 << 20, (1 << 32) + 1] {
        let padded = padded_len(text).unwrap();
        assert_eq!(Some(padded), crate::padding::padded_file_length(text));
        assert_eq!(stored_len(text), sealed_len(padded));
        assert_eq!(padded_len(padded), Some(padded));
    }
    // The longest that is padded within the bound of a file.
    let longest = (1 << 52) - (1 << 45);
    assert_eq!(padded_len(longest), Some(longest));
    assert_eq!(padded_len(longest + 1), None);
    assert_eq!(padded_len(TEXT_MAX), None);
    assert_eq!(stored_len(u64::MAX), None);
    assert!(made(&text(5)).stored.len() == made(&text(192)).stored.len());
    let id = BlobId::from_bytes([0; 32]);
    let blob = |length| Blob::new(id, record(1).key(), length, media_type());
    assert_eq!(blob(longest + 1).err(), Some(Error::TooLong));
    assert!(blob(longest).is_ok());
}

/// What a blob's maker can lie about: what stands behind the text, and how long the text is.
#[test]
fn attack_f2_padding_that_is_not_zero() {
    for size in [10, CHUNK, 17 * CHUNK + 5] {
        let text = text(size);
        let padded = padded_len(size as u64).unwrap() as usize;
        for place in [size, (size + padded) / 2, padded - 1] {
            if padded == size {
                continue;
            }
            let mut lie = [&text[..], &vec![0; padded - size]].concat();
            lie[place] = 1;
            let lying = made(&lie);
            let blob = Blob::new(lying.blob.id, record(6).key(), size as u64, media_type());
            let blob = blob.unwrap();
            assert_eq!(blob.stored_len(), lying.blob.stored_len());
            let (opened, result) = open(&blob, &lying.stored, 5000);
            assert_eq!(result, Err(Error::Padding));
            assert!(text.starts_with(&opened));
        }
    }
}

/// A descriptor's length, type and id are claims: whole blobs that are not what it says are refused.
#[test]
fn attack_f6_another_size_than_was_said() {
    let made = made(&text(40_000));
    for length in [0, 39_999, 40_001, 36_864, 41_000, 100_000] {
        let id = made.blob.id;
        let blob = Blob::new(id, record(6).key(), length, media_type()).unwrap();
        let (opened, result) = open(&blob, &made.stored, 5000);
        // The padded length is all that the bytes can say: within it, a shorter text has letters behind it.
        let allowed = length > 40_000 && padded_len(length) == padded_len(40_000);
        assert_eq!(result.is_ok(), allowed, "{length} {result:?}");
        assert!(opened.len() as u64 <= length);
    }
    let mut other = *made.blob.id.as_bytes();
    other[3] ^= 1;
    let id = BlobId::from_bytes(other);
    let blob = Blob::new(id, record(6).key(), 40_000, media_type()).unwrap();
    let (opened, result) = open(&blob, &made.stored, 5000);
    assert_eq!(result, Err(Error::Id));
    // What was sealed with the key is given out before; the last chunk is not.
    assert_eq!(opened.len(), 2 * CHUNK);
}

#[test]
fn attack_f1_a_blob_that_is_cut_longer_or_altered() {
    let text = text(40_000);
    let made = made(&text);
    let stored = &made.stored;
    for cut in (0..stored.len()).step_by(1013) {
        let (opened, result) = open(&made.blob, &stored[..cut], 4000);
        assert!(matches!(result, Err(Error::Truncated | Error::Chunk)));
        assert!(text.starts_with(&opened));
    }
    let longer = [&stored[..], &[0]].concat();
    assert_eq!(open(&made.blob, &longer, 4000).1, Err(Error::Ended));
    for place in (0..stored.len()).step_by(509) {
        let mut altered = stored.clone();
        altered[place] ^= 4;
        let (opened, result) = open(&made.blob, &altered, 4000);
        let wanted = if place < HEADER {
            Error::Commitment
        } else {
            Error::Chunk
        };
        assert_eq!(result, Err(wanted));
        assert!(text.starts_with(&opened));
    }
    let foreign = self::make(BlobSealer::new(record(7)), &text, 4000).unwrap();
    let (opened, result) = open(&made.blob, &foreign.stored, 4000);
    assert_eq!((opened.len(), result), (0, Err(Error::Commitment)));
}

/// Whoever knows the key seals what he wants under it: it is not the blob that the id names.
#[test]
fn attack_f5_content_swapped_by_one_who_knows_the_key() {
    let made = made(&text(40_000));
    let other: Vec<u8> = text(40_000).iter().map(|byte| byte ^ 1).collect();
    let (mut sealer, header) = Sealer::with_salt(&made.blob.key, blob::CONTEXT, &[9; SALT]);
    let mut swapped = header.to_vec();
    let padded = [
        &other[..],
        &vec![0; padded_len(40_000).unwrap() as usize - 40_000],
    ]
    .concat();
    let mut rest = &padded[..];
    while let Some(chunk) = sealer.feed(&mut rest).unwrap() {
        swapped.extend_from_slice(chunk);
    }
    swapped.extend_from_slice(sealer.finish().unwrap());
    assert_eq!(open(&made.blob, &swapped, 4000).1, Err(Error::Id));
    // In pieces nothing of it is given out.
    let fetch = made.blob.admit(|_| true).unwrap();
    let mut pieces = fetch.pieces();
    let piece = pieces.piece(&(0..5)).unwrap();
    let place = piece.place().start as usize..piece.place().end as usize;
    for proof in [made.proof(0..1), {
        let mut proof = made.proof(0..1);
        proof[..HEADER].copy_from_slice(&header);
        proof
    }] {
        let mut bytes = swapped[place.clone()].to_vec();
        let refused = pieces.open(&piece, &mut bytes, &proof);
        assert_eq!(refused.err(), Some(Error::Proof));
        assert_eq!(bytes, &swapped[place.clone()]);
    }
}

#[test]
fn attack_f5_any_piece_alone() {
    for size in [1, 16, CHUNK, CHUNK + 1, 5 * CHUNK + 77, 17 * CHUNK + 5] {
        let text = text(size);
        let made = made(&text);
        let fetch = made.blob.admit(|_| true).unwrap();
        assert_eq!(
            (fetch.id(), fetch.blob().text_len()),
            (made.blob.id, size as u64)
        );
        let mut pieces = fetch.pieces();
        for start in [0, 1, 700, CHUNK - 1, CHUNK, 3 * CHUNK + 9, size - 1] {
            for length in [1, 4096, CHUNK, 2 * CHUNK + 1, usize::MAX >> 1] {
                let range = start as u64..(start + length) as u64;
                if start >= size {
                    assert_eq!(pieces.piece(&range), Err(Error::OutOfRange));
                    continue;
                }
                let piece = pieces.piece(&range).unwrap();
                let end = size.min(start + length);
                assert_eq!(piece.text(), &(start as u64..end as u64));
                let proof = made.proof(piece.leaves().clone());
                assert_eq!(piece.proof_len(), proof.len());
                let mut bytes = made.place(&piece);
                let opened = pieces.open(&piece, &mut bytes, &proof).unwrap();
                assert!(opened.collect::<Vec<_>>().concat() == text[start..end]);
                let whole = made.place(&piece);
                for place in [0, whole.len() / 2, whole.len() - 1] {
                    let mut altered = whole.clone();
                    altered[place] ^= 8;
                    let before = altered.clone();
                    let refused = pieces.open(&piece, &mut altered, &proof);
                    assert_eq!(refused.err(), Some(Error::Proof));
                    assert!(altered == before);
                }
                let mut whole = whole;
                let refused = pieces.open(&piece, &mut whole[1..], &proof);
                assert_eq!(refused.err(), Some(Error::Truncated));
                let refused = pieces.open(&piece, &mut whole, &proof[1..]);
                assert_eq!(refused.err(), Some(Error::Proof));
            }
        }
        let empty = core::ops::Range { start: 5, end: 5 };
        assert_eq!(pieces.piece(&empty), Err(Error::OutOfRange));
    }
    let nothing = made(b"");
    let fetch = nothing.blob.admit(|_| true).unwrap();
    assert_eq!(fetch.pieces().piece(&(0..1)), Err(Error::OutOfRange));
}

/// All of a blob in runs of leaves: its text, and, behind it, padding, which is looked at.
#[test]
fn attack_f5_a_blob_in_runs() {
    let mut refused_runs = 0;
    // The last one ends with a chunk of padding alone.
    for size in [0, 1, CHUNK, 5 * CHUNK + 77, 17 * CHUNK + 5] {
        let text = text(size);
        let made = made(&text);
        let fetch = made.blob.admit(|_| true).unwrap();
        let leaves = fetch.shape().leaves();
        let mut pieces = fetch.pieces();
        for step in [1, 2, 5, 100] {
            let mut all: Vec<u8> = Vec::new();
            for start in (0..leaves).step_by(step) {
                let run = start..leaves.min(start + step as u64);
                let piece = pieces.run(run.clone()).unwrap();
                assert_eq!(piece.leaves(), &run);
                assert_eq!(piece.text().start, all.len() as u64);
                let mut bytes = made.place(&piece);
                let texts = pieces.open(&piece, &mut bytes, &made.proof(run));
                all.extend(texts.unwrap().flatten());
                assert_eq!(piece.text().end, all.len() as u64);
            }
            assert!(all == text);
        }
        for none in [leaves..leaves + 1, 0..leaves + 1, 0..0, 0..u64::MAX] {
            assert_eq!(pieces.run(none), Err(Error::OutOfRange));
        }
        // Its maker says that it is shorter, to hide what is behind.
        let Some(said) = text.iter().rposition(|byte| *byte != 0) else {
            continue;
        };
        let said = said as u64;
        if stored_len(said) != stored_len(size as u64) {
            continue;
        }
        refused_runs += 1;
        let short = Blob::new(made.blob.id, record(6).key(), said, media_type()).unwrap();
        let fetch = short.admit(|_| true).unwrap();
        let mut pieces = fetch.pieces();
        let last = said / CHUNK as u64;
        for run in [last..last + 1, 0..leaves] {
            let piece = pieces.run(run.clone()).unwrap();
            let mut bytes = made.place(&piece);
            let refused = pieces.open(&piece, &mut bytes, &made.proof(run));
            assert_eq!(refused.err(), Some(Error::Padding));
            assert!(bytes.iter().all(|byte| *byte == 0));
        }
    }
    assert!(refused_runs > 1);
}

/// A maker can put under an id what does not open: then nothing of it is left in the caller's memory.
#[test]
fn attack_f5_a_piece_that_does_not_open() {
    let made = made(&text(40_000));
    let id = made.blob.id;
    let wrong = Blob::new(id, record(7).key(), 40_000, media_type()).unwrap();
    let fetch = wrong.admit(|_| true).unwrap();
    let mut pieces = fetch.pieces();
    let piece = pieces.piece(&(0..20_000)).unwrap();
    let proof = made.proof(0..2);
    let mut bytes = made.place(&piece);
    let refused = pieces.open(&piece, &mut bytes, &proof);
    assert_eq!(refused.err(), Some(Error::Commitment));
    // Genuine leaves of a blob whose second chunk is none of the key's.
    let mut stored = made.stored.clone();
    stored[HEADER + SEALED_CHUNK + 5] ^= 1;
    let mut hasher = BlobHasher::new();
    let (mut rest, mut nodes) = (&stored[..], Vec::new());
    while let Some(completed) = hasher.feed(&mut rest).unwrap() {
        nodes.extend_from_slice(completed);
    }
    let (id, completed) = hasher.finish().unwrap();
    nodes.extend_from_slice(completed);
    let blob = Blob::new(id, record(6).key(), 40_000, media_type()).unwrap();
    let broken = Made {
        blob,
        stored,
        nodes,
    };
    let fetch = broken.blob.admit(|_| true).unwrap();
    let mut pieces = fetch.pieces();
    let mut bytes = broken.place(&piece);
    let refused = pieces.open(&piece, &mut bytes, &broken.proof(0..2));
    assert_eq!(refused.err(), Some(Error::Chunk));
    assert!(bytes.iter().all(|byte| *byte == 0));
    assert_eq!(
        open(&broken.blob, &broken.stored, 4000).1,
        Err(Error::Chunk)
    );
}

/// 4 KiB of a film of 4 GiB: two chunks at most, and their proof.
#[test]
fn a_piece_of_a_long_film_is_read_with_little() {
    let film = Blob::new(
        BlobId::from_bytes([1; 32]),
        record(1).key(),
        4 << 30,
        media_type(),
    );
    let film = film.unwrap();
    let fetch = film.admit(|_| true).unwrap();
    let mut most = 0;
    for start in (0..(4u64 << 30) - 4096).step_by(0x3_1f2d) {
        let piece = fetch.pieces().piece(&(start..start + 4096)).unwrap();
        let read = piece.place().end - piece.place().start + piece.proof_len() as u64;
        most = most.max(read);
    }
    assert!((33_000..40_000).contains(&most), "{most}");
    let all = fetch.pieces().piece(&(0..u64::MAX)).unwrap();
    let leaves = fetch.shape().leaves();
    assert_eq!(proof_len(fetch.shape(), &(0..leaves)), Ok(HEADER));
    assert_eq!(all.text(), &(0..4 << 30));
}

/// All orders of six chunks, each of them twice or left out, and a foreign one: only the blob's own run holds.
#[test]
fn attack_f1_leaves_in_every_order() {
    let made = made(&text(5 * CHUNK + 9));
    let leaves: Vec<&[u8]> = made.stored[HEADER..].chunks(SEALED_CHUNK).collect();
    let count = leaves.len();
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let proof = made.proof(0..count as u64);
    let verify = |run: &[Hash]| {
        let length = made.stored.len() as u64;
        let mut verifier = RangeVerifier::new(made.blob.id, length, 0..count as u64, &proof)?;
        for leaf in run {
            verifier.push(leaf)?;
        }
        verifier.finish().map(|_| ())
    };
    assert_eq!(count, 6);
    let mut held = 0;
    for order in permutations(count) {
        let mut run: Vec<Hash> = order.iter().map(|leaf| hashes[*leaf]).collect();
        let wanted = if order.is_sorted() {
            Ok(())
        } else {
            Err(Error::Proof)
        };
        assert_eq!(verify(&run), wanted);
        held += usize::from(wanted.is_ok());
        for place in 0..count {
            let kept = run[place];
            run[place] = [9; 32];
            assert_eq!(verify(&run), Err(Error::Proof));
            run[place] = run[(place + 1) % count];
            assert_eq!(verify(&run), Err(Error::Proof));
            run[place] = kept;
        }
        assert_eq!(verify(&run[1..]), Err(Error::Truncated));
        run.push(hashes[0]);
        assert_eq!(verify(&run), Err(Error::Ended));
    }
    assert_eq!(held, 1);
}

#[test]
fn nothing_is_fetched_that_the_app_does_not_want() {
    let made = made(&text(1000));
    let mut asked = Vec::new();
    let refused = made.blob.admit(|offer| {
        asked.push(*offer);
        offer.stored_len < 1000
    });
    assert_eq!(refused.err(), Some(Error::NotAdmitted));
    let offer = Offer {
        text_len: 1000,
        stored_len: 1024 + 72,
        media_type: media_type(),
    };
    assert_eq!(asked, [offer]);
}

/// Another record, another key and salt: nothing of the two blobs is the same.
#[test]
fn a_forward_that_nobody_can_link() {
    let first = made(&text(20_000));
    let fetch = first.blob.admit(|_| true).unwrap();
    let mut opener = fetch.opener();
    let record = Record::from_random(*first.blob.media_type(), b"", &Secret::new([8; 32]));
    let mut sealer = BlobSealer::new(record);
    let mut again = Vec::new();
    let mut stored = &first.stored[..];
    while let Some(mut text) = opener.feed(&mut stored).unwrap() {
        while let Some(chunk) = sealer.feed(&mut text).unwrap() {
            again.extend_from_slice(&[chunk.header(), chunk.bytes()].concat());
        }
    }
    let mut text = opener.finish().unwrap();
    while let Some(chunk) = sealer.feed(&mut text).unwrap() {
        again.extend_from_slice(&[chunk.header(), chunk.bytes()].concat());
    }
    while let Some(chunk) = sealer.finish().unwrap() {
        again.extend_from_slice(&[chunk.header(), chunk.bytes()].concat());
    }
    let second = sealer.blob().unwrap();
    assert_ne!(
        (second.id, second.key.expose()),
        (first.blob.id, first.blob.key.expose())
    );
    assert_eq!(again.len(), first.stored.len());
    let (opened, result) = open(&second, &again, 4000);
    assert_eq!(result, Ok(()));
    assert!(opened == self::text(20_000));
    let same = again
        .iter()
        .zip(&first.stored)
        .filter(|(a, b)| a == b)
        .count();
    assert!(same * 100 < again.len());
}

/// Under a generator that repeats itself, texts that differ at the beginning or in what the app says of them do not share
/// key and salt.
#[test]
fn attack_f4_a_generator_that_repeats_itself() {
    let header = |apart: &[u8], text: &[u8]| {
        let record = Record::from_random(media_type(), apart, &RANDOM);
        let made = make(BlobSealer::new(record), text, 5000).unwrap();
        (*made.blob.key.expose(), made.stored[..HEADER].to_vec())
    };
    let long = text(40_000);
    let mut other = long.clone();
    other[CHUNK - 1] ^= 1;
    let one = header(b"", &long);
    let two = header(b"", &other);
    assert_eq!(one.0, two.0);
    assert_ne!(one.1[..SALT], two.1[..SALT]);
    // Of texts that differ later, the app has to tell.
    let mut other = long.clone();
    other[CHUNK] ^= 1;
    assert_eq!(one, header(b"", &other));
    let three = header(b"another", &other);
    assert_ne!(one.0, three.0);
    assert_ne!(one.1[..SALT], three.1[..SALT]);
}

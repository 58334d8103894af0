pub(super) mod blobs;
mod descriptors;
mod uploads;

use std::vec;
use std::vec::Vec;

use super::chunk::Derived;
use super::*;
use crate::crypto::Secret;

mod collision;

const CONTEXT: &[u8] = b"a test";

fn key(byte: u8) -> FileKey {
    FileKey::from_bytes(Secret::new([byte; 32]))
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place / 7 % 251) as u8).collect()
}

/// Sealed, fed in pieces of so many bytes.
fn seal(text: &[u8], piece: usize) -> Vec<u8> {
    let (mut sealer, header) = Sealer::with_salt(&key(1), CONTEXT, &[2; SALT]);
    let mut sealed = header.to_vec();
    for mut piece in text.chunks(piece) {
        while let Some(chunk) = sealer.feed(&mut piece).unwrap() {
            sealed.extend_from_slice(chunk);
        }
        assert!(piece.is_empty());
    }
    sealed.extend_from_slice(sealer.finish().unwrap());
    sealed
}

/// What was opened before the file was refused, or all of it; fed in pieces of so many bytes.
fn open_with(
    key: FileKey,
    context: &[u8],
    sealed: &[u8],
    piece: usize,
) -> (Vec<u8>, Result<(), Error>) {
    let mut opener = Opener::new(key, context);
    let mut text = Vec::new();
    for mut piece in sealed.chunks(piece) {
        loop {
            match opener.feed(&mut piece) {
                Ok(Some(chunk)) => text.extend_from_slice(chunk),
                Ok(None) => break,
                Err(error) => {
                    // For good, whatever comes.
                    assert_eq!(opener.feed(&mut &sealed[..0]), Err(error));
                    assert_eq!(opener.feed(&mut &sealed[..]), Err(error));
                    assert_eq!(opener.finish(), Err(error));
                    return (text, Err(error));
                }
            }
        }
    }
    match opener.finish() {
        Ok(chunk) => {
            text.extend_from_slice(chunk);
            (text, Ok(()))
        }
        Err(error) => {
            assert_eq!(opener.finish(), Err(error));
            assert_eq!(opener.feed(&mut &sealed[..]), Err(error));
            (text, Err(error))
        }
    }
}

fn open(sealed: &[u8], piece: usize) -> (Vec<u8>, Result<(), Error>) {
    open_with(key(1), CONTEXT, sealed, piece)
}

const SIZES: [usize; 9] = [
    0,
    1,
    15,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK,
    3 * CHUNK - 1,
    5 * CHUNK + 77,
];

#[test]
fn attack_f2_every_size_in_pieces_of_any_length() {
    for size in SIZES {
        let text = text(size);
        let sealed = seal(&text, usize::MAX >> 1);
        assert_eq!(Some(sealed.len() as u64), sealed_len(size as u64));
        assert_eq!(text_len(sealed.len() as u64), Ok(size as u64));
        for piece in [1, 13, CHUNK, SEALED_CHUNK, 40_000] {
            assert!(seal(&text, piece) == sealed);
            let (opened, result) = open(&sealed, piece);
            assert_eq!(result, Ok(()));
            assert!(opened == text);
        }
    }
}

#[test]
fn attack_f1_truncated_at_every_length() {
    let text = text(2 * CHUNK + 5);
    let sealed = seal(&text, 1000);
    let mut cuts: Vec<usize> = (0..sealed.len()).step_by(997).collect();
    for edge in [0, HEADER, HEADER + SEALED_CHUNK, HEADER + 2 * SEALED_CHUNK] {
        cuts.extend(edge.saturating_sub(17)..edge + 18);
    }
    for cut in cuts {
        let (opened, result) = open(&sealed[..cut], 777);
        assert!(
            matches!(result, Err(Error::Truncated | Error::Chunk)),
            "{cut}"
        );
        assert!(text.starts_with(&opened));
        let whole = cut.saturating_sub(HEADER) / SEALED_CHUNK * CHUNK;
        assert_eq!(opened.len(), whole);
    }
}

/// Every order of every choice of up to six chunks, with repetitions left out as with them: only the true one opens.
#[test]
fn attack_f1_chunks_in_every_order() {
    let text = text(5 * CHUNK + 9);
    let sealed = seal(&text, 4096);
    let (header, body) = sealed.split_at(HEADER);
    let chunks: Vec<&[u8]> = body.chunks(SEALED_CHUNK).collect();
    assert_eq!(chunks.len(), 6);
    let mut tried = 0;
    for order in permutations(6) {
        let places: &[&[usize]] = &[&order, &order[..5], &order[..3]];
        for order in places {
            let mut file = header.to_vec();
            for chunk in *order {
                file.extend_from_slice(chunks[*chunk]);
            }
            let true_prefix = order
                .iter()
                .zip(0..)
                .take_while(|(chunk, place)| **chunk == *place);
            let right = true_prefix.count();
            let (opened, result) = open(&file, 1 << 20);
            assert_eq!(result.is_ok(), right == 6, "{order:?}");
            assert!(text.starts_with(&opened));
            assert_eq!(opened.len().div_ceil(CHUNK), right);
            tried += 1;
        }
    }
    assert_eq!(tried, 3 * 720);
    // One twice, one left out, one of another file.
    let (mut sealer, _) = Sealer::with_salt(&key(1), CONTEXT, &[3; SALT]);
    let foreign = sealer.feed(&mut &text[..]).unwrap().unwrap().to_vec();
    for place in 0..6 {
        for (insert, remove) in [
            (Some(chunks[place]), 0),
            (None, 1),
            (Some(&foreign[..]), 1),
            (Some(&foreign[..]), 0),
        ] {
            let mut file = chunks.clone();
            file.splice(place..place + remove, insert);
            let file = [header, &file.concat()].concat();
            let (opened, result) = open(&file, 5000);
            assert!(result.is_err());
            assert!(text.starts_with(&opened));
        }
    }
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for smaller in permutations(n - 1) {
        for place in 0..=smaller.len() {
            let mut order = smaller.clone();
            order.insert(place, n - 1);
            all.push(order);
        }
    }
    all
}

#[test]
fn attack_f1_altered_bits() {
    let text = text(CHUNK + 100);
    let sealed = seal(&text, 4096);
    let places = (0..sealed.len())
        .step_by(331)
        .chain(0..HEADER)
        .chain(sealed.len() - 20..sealed.len());
    for place in places {
        let mut altered = sealed.clone();
        altered[place] ^= 1 << (place % 8);
        let (opened, result) = open(&altered, 3000);
        let (wanted, whole) = match place.checked_sub(HEADER) {
            None => (Error::Commitment, 0),
            Some(place) if place < SEALED_CHUNK => (Error::Chunk, 0),
            Some(_) => (Error::Chunk, CHUNK),
        };
        assert_eq!((result, opened.len()), (Err(wanted), whole));
    }
    for behind in [1, 16, SEALED_CHUNK] {
        let longer = [&sealed[..], &vec![0; behind]].concat();
        assert!(open(&longer, 3000).1.is_err());
    }
}

#[test]
fn attack_f3_another_key_or_context_opens_nothing() {
    let sealed = seal(&text(100), 100);
    for (key, context) in [(key(2), CONTEXT), (key(1), &b"another"[..]), (key(1), b"")] {
        assert_eq!(
            open_with(key, context, &sealed, 64),
            (vec![], Err(Error::Commitment))
        );
    }
}

#[test]
fn attack_f5_pieces_in_any_order() {
    for size in SIZES {
        let text = text(size);
        let sealed = seal(&text, 4096);
        let header = sealed.first_chunk().unwrap();
        let pieces = Pieces::new(&key(1), CONTEXT, header, sealed.len() as u64).unwrap();
        assert_eq!(pieces.text_len(), size as u64);
        let mut joined = Vec::new();
        for number in (0..pieces.chunks()).rev() {
            let place = pieces.place(number).unwrap();
            let mut chunk = sealed[place.start as usize..place.end as usize].to_vec();
            let before = chunk.clone();
            // In its own place only.
            for other in 0..pieces.chunks() {
                if other != number {
                    let mut wrong = before.clone();
                    let error = pieces.open(other, &mut wrong).unwrap_err();
                    let (text, tag) = wrong.split_at(wrong.len() - 16);
                    let gone = text.iter().all(|byte| *byte == 0) && before.ends_with(tag);
                    assert!(error == Error::Chunk && gone || error == Error::Truncated);
                    assert!(error == Error::Chunk || wrong == before);
                }
            }
            let opened = pieces.open(number, &mut chunk).unwrap().to_vec();
            joined.splice(0..0, opened);
        }
        assert!(joined == text);
        assert_eq!(pieces.place(pieces.chunks()), Err(Error::OutOfRange));
        assert_eq!(
            pieces.open(pieces.chunks(), &mut []),
            Err(Error::OutOfRange)
        );
        let mut last = sealed[pieces.place(pieces.chunks() - 1).unwrap().start as usize..].to_vec();
        assert!(text.ends_with(pieces.open_last(&mut last).unwrap()));
    }
    let pieces = |length| {
        let sealed = seal(&text(3 * CHUNK), 4096);
        let header = *sealed.first_chunk().unwrap();
        Pieces::new(&key(1), CONTEXT, &header, length)
    };
    let some = pieces(sealed_len(3 * CHUNK as u64).unwrap()).unwrap();
    assert_eq!(some.chunks_of(&(0..1)), 0..1);
    assert_eq!(some.chunks_of(&(CHUNK as u64 - 1..CHUNK as u64 + 1)), 0..2);
    assert_eq!(some.chunks_of(&(CHUNK as u64..2 * CHUNK as u64)), 1..2);
    assert_eq!(some.chunks_of(&(0..u64::MAX)), 0..4);
    assert_eq!(some.chunks_of(&(u64::MAX - 1..u64::MAX)), 4..4);
    // A truncated file looks shorter, until its last chunk is asked for.
    let sealed = seal(&text(3 * CHUNK), 4096);
    let shorter = pieces((HEADER + SEALED_CHUNK + 100) as u64).unwrap();
    let mut last = sealed[HEADER + SEALED_CHUNK..HEADER + SEALED_CHUNK + 100].to_vec();
    assert_eq!(shorter.open_last(&mut last).err(), Some(Error::Chunk));
}

#[test]
fn lengths_that_no_file_has() {
    for k in 0..3u64 {
        let full = 56 + k * 16_400;
        for length in full..full + 16 {
            assert_eq!(text_len(length), Err(Error::Truncated));
        }
        assert_eq!(text_len(full + 16), Ok(k * 16_384));
        assert_eq!(text_len(full + 16_399), Ok(k * 16_384 + 16_383));
    }
    for length in 0..56 {
        assert_eq!(text_len(length), Err(Error::Truncated));
    }
    assert_eq!(
        sealed_len(limits::TEXT_MAX),
        Some((1 << 52) - 1 + (16 << 38) + 56)
    );
    assert_eq!(sealed_len(limits::TEXT_MAX + 1), None);
    let longest = sealed_len(limits::TEXT_MAX).unwrap();
    assert_eq!(text_len(longest), Ok(limits::TEXT_MAX));
    assert_eq!(text_len(longest + 1), Err(Error::Truncated));
    assert_eq!(text_len(longest + 17), Err(Error::TooLong));
    assert_eq!(text_len(u64::MAX).err(), Some(Error::TooLong));
}

#[test]
fn a_file_ends_once() {
    let (mut sealer, _) = Sealer::with_salt(&key(1), CONTEXT, &[2; SALT]);
    assert_eq!(sealer.finish().unwrap().len(), 16);
    assert_eq!(sealer.finish(), Err(Error::Ended));
    assert_eq!(sealer.feed(&mut &b"more"[..]), Err(Error::Ended));
    let sealed = seal(b"text", 4);
    let mut opener = Opener::new(key(1), CONTEXT);
    assert_eq!(opener.feed(&mut &sealed[..]), Ok(None));
    assert_eq!(opener.finish().unwrap(), b"text");
    assert_eq!(opener.feed(&mut &sealed[..]), Err(Error::Ended));
    assert_eq!(opener.finish(), Err(Error::Ended));
}

/// The counter stands at the end of the nonce, and has a limit that the last chunk may just reach.
#[test]
fn chunks_are_numbered_to_the_limit() {
    let (mut sealer, _) = Sealer::with_salt(&key(1), CONTEXT, &[2; SALT]);
    sealer.set_next(limits::CHUNKS_MAX - 2);
    let text = text(2 * CHUNK);
    let mut rest = &text[..];
    assert!(sealer.feed(&mut rest).unwrap().is_some());
    assert_eq!(rest.len(), CHUNK);
    let before = rest;
    assert_eq!(sealer.feed(&mut rest), Err(Error::TooLong));
    assert_eq!(rest, before);
    assert_eq!(sealer.feed(&mut &rest[1..]), Ok(None));
    assert!(sealer.finish().is_ok());
}

//! Uploads that were interrupted.

use std::vec;
use std::vec::Vec;

use super::blobs::{make, media_type, record};
use super::text;
use crate::crypto::Secret;
use crate::file::tree::Hash;
use crate::file::*;
use crate::state::{self, AppKey, Slot};

/// What an app has written down: the header and the leaves of the chunks that may have left.
struct Log {
    header: [u8; HEADER],
    leaves: Vec<Hash>,
    chunks: Vec<Vec<u8>>,
}

fn log(text: &[u8]) -> (Blob, Log) {
    let made = make(BlobSealer::new(record(6)), text, 7000).unwrap();
    let chunks = made.stored[HEADER..].chunks(SEALED_CHUNK);
    let chunks: Vec<Vec<u8>> = chunks.map(<[u8]>::to_vec).collect();
    let log = Log {
        header: *made.stored.first_chunk().unwrap(),
        leaves: chunks.iter().map(|chunk| tree::leaf_hash(chunk)).collect(),
        chunks,
    };
    (made.blob, log)
}

type Resumed = Result<BlobSealer<std::vec::IntoIter<Hash>>, Error>;

/// The record and so many leaves are there.
fn resume(log: &Log, leaves: usize, from: u64) -> Resumed {
    let leaves = log.leaves[..leaves].to_vec();
    let header = (!leaves.is_empty()).then_some(&log.header);
    BlobSealer::resume(Interrupted(record(6)), header, leaves.into_iter(), from)
}

/// Interrupted anywhere, gone on with from anywhere before: the chunks that leave are those of the whole blob.
#[test]
fn attack_f4_an_upload_goes_on_where_it_was() {
    // The last one ends with a chunk of padding alone.
    for size in [0, 100, CHUNK, 3 * CHUNK + 5, 17 * CHUNK + 5] {
        let text = text(size);
        let (blob, log) = log(&text);
        for leaves in 0..=log.leaves.len() {
            for from in 0..=leaves.min(size / CHUNK) {
                let sealer = resume(&log, leaves, from as u64).unwrap();
                assert_eq!(sealer.text_len(), (from * CHUNK) as u64);
                let made = make(sealer, &text[from * CHUNK..], 9000).unwrap();
                assert_eq!(made.blob.id, blob.id);
                assert_eq!(made.blob.text_len(), size as u64);
                let header: &[u8] = if from == 0 { &log.header } else { &[] };
                let chunks = log.chunks[from..].concat();
                assert!(made.stored == [header, &chunks].concat());
            }
        }
    }
}

/// No nonce ever has two texts: a chunk that is recorded leaves again as it was, or not at all.
#[test]
fn attack_f4_an_upload_goes_on_with_altered_text() {
    let whole = text(3 * CHUNK + 5);
    let (_, log) = log(&whole);
    let count = log.leaves.len();
    for recorded in 1..=count {
        for from in 0..recorded as u64 {
            for altered in from as usize..recorded {
                let mut text = whole.clone();
                text[(altered * CHUNK + 3).min(3 * CHUNK + 4)] ^= 1;
                let mut sealer = resume(&log, recorded, from).unwrap();
                let mut rest = &text[from as usize * CHUNK..];
                let mut left = from as usize;
                let refused = loop {
                    match sealer.feed(&mut rest) {
                        Ok(Some(chunk)) => {
                            assert!(chunk.bytes() == log.chunks[left]);
                            left += 1;
                        }
                        Ok(None) => match sealer.finish() {
                            Ok(Some(chunk)) => assert!(chunk.bytes() == log.chunks[left]),
                            Ok(None) => panic!("it was not refused"),
                            Err(error) => break error,
                        },
                        Err(error) => break error,
                    }
                };
                assert_eq!((refused, left), (Error::Altered, altered));
                // For good.
                assert_eq!(sealer.feed(&mut &text[..]).err(), Some(Error::Altered));
                assert_eq!(sealer.finish().err(), Some(Error::Altered));
                assert_eq!(sealer.blob().err(), Some(Error::Altered));
                assert_eq!(sealer.shape().err(), Some(Error::Altered));
            }
        }
    }
    // A text that has become longer or shorter has another last chunk.
    for size in [3 * CHUNK, 3 * CHUNK + 4_000, 5 * CHUNK, 2 * CHUNK + 5] {
        let mut sealer = resume(&log, count, 2).unwrap();
        let text = text(size);
        let mut rest = &text[2 * CHUNK..];
        let mut result = sealer.feed(&mut rest).map(|_| ());
        while result.is_ok() {
            result = match sealer.finish() {
                Ok(Some(_)) => Ok(()),
                Ok(None) => panic!("{size}: it was not refused"),
                Err(error) => Err(error),
            };
        }
        assert_eq!(result, Err(Error::Altered), "{size}");
    }
}

/// Nothing was recorded: the first text decides on the salt, so that another one meets no nonce again.
#[test]
fn attack_f4_another_text_where_nothing_was_recorded() {
    let (_, log) = log(&text(40_000));
    let mut other = text(40_000);
    other[5] ^= 1;
    let made = make(resume(&log, 0, 0).unwrap(), &other, 5000).unwrap();
    assert_ne!(made.stored[..SALT], log.header[..SALT]);
}

#[test]
fn logs_that_do_not_fit() {
    let (_, log) = log(&text(40_000));
    assert_eq!(resume(&log, 2, 3).err(), Some(Error::OutOfRange));
    assert_eq!(resume(&log, 0, 1).err(), Some(Error::OutOfRange));
    let begin = |record, header: Option<[u8; HEADER]>| {
        let leaves = log.leaves.clone().into_iter();
        BlobSealer::resume(Interrupted(record), header.as_ref(), leaves, 0).err()
    };
    assert_eq!(begin(record(6), None), Some(Error::Truncated));
    assert_eq!(begin(record(7), Some(log.header)), Some(Error::Commitment));
    let mut altered = log.header;
    altered[0] ^= 1;
    assert_eq!(begin(record(6), Some(altered)), Some(Error::Commitment));
    // A file of leaves that ends before its length.
    struct Short(usize);
    impl Iterator for Short {
        type Item = Hash;
        fn next(&mut self) -> Option<Hash> {
            None
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (self.0, Some(self.0))
        }
    }
    impl ExactSizeIterator for Short {}
    let short =
        |from| BlobSealer::resume(Interrupted(record(6)), Some(&log.header), Short(2), from);
    assert_eq!(short(1).err(), Some(Error::Truncated));
    let text = text(40_000);
    let mut sealer = short(0).unwrap();
    assert_eq!(sealer.feed(&mut &text[..]).err(), Some(Error::Truncated));
    assert_eq!(sealer.feed(&mut &text[..]).err(), Some(Error::Truncated));
}

#[test]
fn a_record_is_stored_encrypted() {
    let slot = Slot {
        store_key: b"upload 1",
        generation: 3,
    };
    let app_key = AppKey::new([4; 32]);
    let rng = &mut crate::os_rng();
    let exported = record(6).export(slot, &app_key, rng).unwrap();
    let again = record(6).export(slot, &app_key, rng).unwrap();
    assert_ne!(exported, again);
    let text = text(40_000);
    let (blob, log) = log(&text);
    let interrupted = Interrupted::import(&exported, slot, &app_key).unwrap();
    assert_eq!(interrupted.media_type(), &media_type());
    let leaves = log.leaves[..2].iter().copied();
    let sealer = BlobSealer::resume(interrupted, Some(&log.header), leaves, 2).unwrap();
    assert_eq!(sealer.record().media_type(), &media_type());
    let made = make(sealer, &text[2 * CHUNK..], 5000).unwrap();
    assert_eq!(made.blob.id, blob.id);
    let refuse = |exported: &[u8], slot, key: [u8; 32]| {
        Interrupted::import(exported, slot, &AppKey::new(key)).unwrap_err()
    };
    let integrity = state::Error::Integrity;
    assert_eq!(refuse(&exported, slot, [5; 32]), integrity);
    let other = Slot {
        generation: 4,
        ..slot
    };
    assert_eq!(refuse(&exported, other, [4; 32]), integrity);
    for length in 0..exported.len() {
        assert_eq!(refuse(&exported[..length], slot, [4; 32]), integrity);
    }
    let mut newer = exported.clone();
    newer[7] = 2;
    assert_eq!(refuse(&newer, slot, [4; 32]), state::Error::UnknownVersion);
    // The plaintext has one encoding.
    let plaintext = record(6).encode().unwrap();
    assert_eq!(plaintext.len(), 32 + 1 + 9);
    assert_eq!(
        *Record::decode(&plaintext).unwrap().encode().unwrap(),
        *plaintext
    );
    assert!(Record::decode(&[&plaintext[..], &[0]].concat()).is_err());
    assert!(Record::decode(&plaintext[..41]).is_err());
    assert!(Record::decode(&[vec![1; 32], vec![0]].concat()).is_err());
}

#[test]
fn a_record_has_what_the_generator_and_the_app_gave() {
    let media_type = media_type();
    let rng = &mut crate::os_rng();
    let one = Record::new(media_type, b"", rng).unwrap();
    let two = Record::new(media_type, b"", rng).unwrap();
    assert_ne!(one.key().expose(), two.key().expose());
    let random = Secret::new([1; 32]);
    let key = |apart: &[u8]| {
        *Record::from_random(media_type, apart, &random)
            .key()
            .expose()
    };
    assert_eq!(key(b"a"), key(b"a"));
    assert_ne!(key(b"a"), key(b"b"));
    assert_ne!(one.salt(b"a"), one.salt(b"b"));
    assert_eq!(
        std::format!("{one:?}"),
        "Record { media_type: MediaType(video/mp4), .. }"
    );
}

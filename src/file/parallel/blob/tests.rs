use std::io::ErrorKind;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::file::limits::TEXT_MAX;
use crate::file::record::Interrupted;
use crate::file::tests::blobs::{Made, make, record};
use crate::file::{HEADER, SEALED_CHUNK};

const THREADS: [usize; 4] = [1, 2, 3, 8];

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place / 7 % 251) as u8).collect()
}

/// Gives up to so many bytes at a time, and after some fails.
struct Stream<'a> {
    bytes: &'a [u8],
    most: usize,
    left: usize,
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let most = into.len().min(self.most).min(self.left);
        let count = self.bytes.read(&mut into[..most])?;
        self.left -= count;
        Ok(count)
    }
}

/// What is given out in threads, and what comes of it.
fn seal<L: ExactSizeIterator<Item = Hash>>(
    sealer: BlobSealer<L>,
    text: impl Read,
    threads: usize,
) -> (Vec<u8>, Vec<Hash>, io::Result<Blob>) {
    let (mut stored, mut nodes, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    let threads = NonZeroUsize::new(threads).unwrap();
    let blob = seal_blob(sealer, text, threads, |chunk| {
        assert_eq!(chunk.leaf(), &leaf_hash(chunk.bytes()));
        assert_eq!(chunk.header().is_empty(), chunk.number() > 0);
        numbers.push(chunk.number());
        stored.extend_from_slice(chunk.header());
        stored.extend_from_slice(chunk.bytes());
        nodes.extend_from_slice(chunk.nodes());
        Ok(())
    });
    assert!(numbers.is_sorted_by(|one, next| one + 1 == *next));
    (stored, nodes, blob)
}

fn alone(text: &[u8]) -> Made {
    make(BlobSealer::new(record(6)), text, CHUNK).unwrap()
}

fn refusal(error: &io::Error) -> Option<Error> {
    error.get_ref()?.downcast_ref().copied()
}

#[test]
fn attack_f2_the_blob_is_that_of_one_thread() {
    let row = 4 * CHUNK;
    for edge in [CHUNK, row, 2 * row, 4 * row, 9 * row] {
        for size in [0, 1, 192, edge - 1, edge, edge + 1] {
            let text = text(size);
            let made = alone(&text);
            for (threads, most) in THREADS.into_iter().zip([usize::MAX, 4_099, 40_000, CHUNK]) {
                let left = usize::MAX;
                let bytes = &text;
                let from = Stream { bytes, most, left };
                let (stored, nodes, blob) = seal(BlobSealer::new(record(6)), from, threads);
                let blob = blob.unwrap();
                assert!(stored == made.stored && nodes == made.nodes, "{size}");
                assert_eq!(
                    (blob.id, blob.key.expose()),
                    (made.blob.id, made.blob.key.expose())
                );
                assert_eq!(blob.text_len(), size as u64);
                assert_eq!(blob.media_type(), made.blob.media_type());
            }
        }
    }
}

/// A text of which some was given to the sealer before, up to anywhere.
#[test]
fn a_blob_that_was_begun_is_gone_on_with() {
    let text = text(11 * CHUNK + 9);
    let made = alone(&text);
    for before in [1, CHUNK - 1, CHUNK, CHUNK + 5, 6 * CHUNK + 1, text.len()] {
        let mut sealer = BlobSealer::new(record(6));
        let mut all = Vec::new();
        let (mut front, back) = text.split_at(before);
        while let Some(chunk) = sealer.feed(&mut front).unwrap() {
            all.extend_from_slice(chunk.header());
            all.extend_from_slice(chunk.bytes());
        }
        let (stored, _, blob) = seal(sealer, back, 2);
        assert_eq!(blob.unwrap().id, made.blob.id);
        all.extend_from_slice(&stored);
        assert!(all == made.stored);
    }
}

/// Resumed anywhere, with the leaves that are written down: the chunks are those of the whole blob, or are refused.
#[test]
fn attack_f4_a_resumed_blob_is_the_same_or_refused() {
    let text = text(9 * CHUNK + 9);
    let made = alone(&text);
    let header = made.stored.first_chunk().unwrap();
    let leaves: Vec<_> = made.stored[HEADER..]
        .chunks(SEALED_CHUNK)
        .map(leaf_hash)
        .collect();
    for recorded in 1..=leaves.len() {
        for from in [0, recorded.min(9) / 2, recorded.min(9)] {
            let resumed = || {
                let leaves = leaves[..recorded].iter().copied();
                let interrupted = Interrupted(record(6));
                BlobSealer::resume(interrupted, Some(header), leaves, from as u64).unwrap()
            };
            let place = |chunk: usize| match chunk {
                0 => 0,
                _ => HEADER + chunk * SEALED_CHUNK,
            };
            let rest = &text[from * CHUNK..];
            let (stored, _, blob) = seal(resumed(), rest, 2);
            assert_eq!(blob.unwrap().id, made.blob.id);
            assert!(stored == made.stored[place(from)..]);

            // Each chunk in turn is another one.
            for altered in from..recorded {
                let mut rest = rest.to_vec();
                let byte = ((altered - from) * CHUNK + 3).min(rest.len() - 1);
                rest[byte] ^= 1;
                let (stored, _, blob) = seal(resumed(), &rest[..], 3);
                assert_eq!(refusal(&blob.unwrap_err()), Some(Error::Altered));
                assert!(stored == made.stored[place(from)..place(altered)]);
            }
        }
    }
}

/// Whole chunks that stand in front of the fault are given, and no part of one: the next chunk has its nonce to itself.
#[test]
fn attack_f4_a_stream_that_fails() {
    let text = text(10 * CHUNK + 9);
    let made = alone(&text);
    for left in (0..text.len()).step_by(5_003) {
        for (threads, most) in [(1, 4_000), (3, usize::MAX)] {
            let bytes = &text;
            let from = Stream { bytes, most, left };
            let (stored, _, blob) = seal(BlobSealer::new(record(6)), from, threads);
            assert_eq!(blob.unwrap_err().kind(), ErrorKind::ConnectionReset);
            let whole = match left / CHUNK {
                0 => 0,
                chunks => HEADER + chunks * SEALED_CHUNK,
            };
            assert!(stored == made.stored[..whole], "{left}");
        }
    }
    // Chunks that nobody takes.
    for last in [0, 1, 7, 10] {
        let mut given = 0;
        let threads = NonZeroUsize::new(2).unwrap();
        let blob = seal_blob(BlobSealer::new(record(6)), &text[..], threads, |chunk| {
            assert_eq!(chunk.number(), given);
            given += 1;
            match chunk.number() < last {
                true => Ok(()),
                false => Err(ErrorKind::StorageFull.into()),
            }
        });
        assert_eq!(blob.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(given, last + 1);
    }
}

#[test]
fn a_blob_that_has_ended_or_failed_has_no_further_text() {
    let mut sealer = BlobSealer::new(record(6));
    while sealer.finish().unwrap().is_some() {}
    let (stored, _, blob) = seal(sealer, &b"more"[..], 2);
    assert_eq!(refusal(&blob.unwrap_err()), Some(Error::Ended));
    assert!(stored.is_empty());

    let made = alone(&[7; 100]);
    let leaves = vec![[0; 32]].into_iter();
    let header = made.stored.first_chunk();
    let mut sealer = BlobSealer::resume(Interrupted(record(6)), header, leaves, 0).unwrap();
    assert_eq!(sealer.finish().err(), Some(Error::Altered));
    let (stored, _, blob) = seal(sealer, &b"more"[..], 2);
    assert_eq!(refusal(&blob.unwrap_err()), Some(Error::Altered));
    assert!(stored.is_empty());
}

/// SPEC §20.2: padded, it is no longer than a file may be.
#[test]
fn a_text_is_not_longer_than_the_longest() {
    let longest = TEXT_MAX + 1 - (1 << 45);
    for (length, refused) in [(longest - 1, None), (longest, Some(Error::TooLong))] {
        let (text, zeros) = (&b"x"[..], None);
        let mut padded = Padded {
            text,
            length,
            zeros,
        };
        let read = padded.read(&mut [0; 9]);
        assert_eq!(read.as_ref().err().and_then(refusal), refused);
        assert_eq!(read.is_ok(), refused.is_none());
    }
}

use std::io::{ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec;
use std::vec::Vec;

use super::*;
use crate::crypto::Secret;
use crate::file::{Opener, Sealer};

const CONTEXT: &[u8] = b"a test";

fn key(byte: u8) -> FileKey {
    FileKey::from_bytes(Secret::new([byte; 32]))
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place / 7 % 251) as u8).collect()
}

/// Sealed in one thread.
fn seal_alone(mut text: &[u8]) -> Vec<u8> {
    let (mut sealer, header) = Sealer::with_salt(&key(1), CONTEXT, &[2; SALT]);
    let mut sealed = header.to_vec();
    while let Some(chunk) = sealer.feed(&mut text).unwrap() {
        sealed.extend_from_slice(chunk);
    }
    sealed.extend_from_slice(sealer.finish().unwrap());
    sealed
}

/// What is given out in one thread, and why not more.
fn open_alone(key: FileKey, mut sealed: &[u8]) -> (Vec<u8>, Option<Error>) {
    let mut opener = Opener::new(key, CONTEXT);
    let mut text = Vec::new();
    loop {
        match opener.feed(&mut sealed) {
            Ok(Some(chunk)) => text.extend_from_slice(chunk),
            Ok(None) => break,
            Err(error) => return (text, Some(error)),
        }
    }
    match opener.finish() {
        Ok(chunk) => {
            text.extend_from_slice(chunk);
            (text, None)
        }
        Err(error) => (text, Some(error)),
    }
}

/// A stream that gives and takes up to so many bytes at a time, and after some has a fault.
struct Stream<'a> {
    bytes: &'a [u8],
    written: Vec<u8>,
    most: usize,
    left: usize,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Fails,
    Lies,
    Interrupted,
}

impl<'a> Stream<'a> {
    fn new(bytes: &'a [u8], most: usize, left: usize, fault: Fault) -> Self {
        let written = Vec::new();
        Self {
            bytes,
            written,
            most,
            left,
            fault,
        }
    }

    /// How many bytes pass, or what happens in place of that.
    fn pass(&mut self, room: usize) -> Result<usize, io::Result<usize>> {
        if self.left == 0 {
            return Err(match self.fault {
                Fault::Fails => Err(ErrorKind::ConnectionReset.into()),
                Fault::Lies => Ok(room + 1),
                Fault::Interrupted => {
                    self.left = usize::MAX;
                    Err(ErrorKind::Interrupted.into())
                }
            });
        }
        let count = room.min(self.most).min(self.left);
        self.left -= count;
        Ok(count)
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.pass(into.len().min(self.bytes.len())) {
            Ok(count) => self.bytes.read(&mut into[..count]),
            Err(Ok(_)) => Ok(into.len() + 1),
            Err(result) => result,
        }
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.pass(bytes.len()) {
            Ok(count) => self.written.write(&bytes[..count]),
            Err(result) => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn refusal(error: &io::Error) -> Option<Error> {
    error.get_ref()?.downcast_ref().copied()
}

const THREADS: [usize; 4] = [1, 2, 3, 8];

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

#[test]
fn the_bytes_are_those_of_one_thread() {
    let row = 4 * CHUNK;
    let edges = [CHUNK, row, 2 * row, 4 * row, 9 * row];
    let around = edges.into_iter().flat_map(|edge| edge - 1..=edge + 1);
    for size in [0, 1, 15].into_iter().chain(around) {
        let text = text(size);
        let sealed = seal_alone(&text);
        for (count, most) in THREADS.into_iter().zip([usize::MAX, 4_099, 40_000, CHUNK]) {
            let mut written = Stream::new(&[], most, usize::MAX, Fault::Fails);
            let from = Stream::new(&text, most, usize::MAX, Fault::Fails);
            let length = seal_with_salt(
                from,
                &mut written,
                &key(1),
                CONTEXT,
                threads(count),
                &[2; SALT],
            );
            assert_eq!(length.unwrap(), size as u64);
            assert!(written.written == sealed, "{size} {count}");

            let mut written = Stream::new(&[], most, usize::MAX, Fault::Fails);
            let from = Stream::new(&sealed, most, usize::MAX, Fault::Fails);
            let length = open(from, &mut written, &key(1), CONTEXT, threads(count));
            assert_eq!(length.unwrap(), size as u64);
            assert!(written.written == text, "{size} {count}");
        }
    }
}

#[test]
fn a_new_file_has_a_salt_of_its_own() {
    let rng = &mut crate::os_rng();
    let [one, other] = [0, 1].map(|_| {
        let mut sealed = Vec::new();
        seal(&b"text"[..], &mut sealed, &key(1), CONTEXT, threads(2), rng).unwrap();
        sealed
    });
    assert!(one[..SALT] != other[..SALT]);
    assert_eq!(open_alone(key(1), &one), (b"text".to_vec(), None));
}

/// Altered, cut and put together otherwise: the same text is given out as in one thread, and the same refusal follows.
#[test]
fn attack_f1_refusals_are_those_of_one_thread() {
    let sealed = seal_alone(&text(13 * CHUNK + 9));
    let chunk = |number: usize| HEADER + number * SEALED_CHUNK;
    let altered = |places: &[usize]| {
        let mut file = sealed.clone();
        for place in places {
            file[*place] ^= 4;
        }
        file
    };
    let mut files = vec![altered(&[0]), altered(&[50]), altered(&[])];
    for number in 0..14 {
        files.push(altered(&[chunk(number)]));
        // Two of them, in threads of their own: the first is what is said.
        files.push(altered(&[chunk(number), chunk(13) + 1]));
        files.push(sealed[..chunk(number)].to_vec());
        files.push(sealed[..chunk(number) + 15].to_vec());
        files.push(sealed[..chunk(number) + 20].to_vec());
        let mut both = altered(&[chunk(number / 2)]);
        both.truncate(chunk(number));
        files.push(both);
    }
    files.push([&sealed[..], &[0; 17]].concat());
    files.push([&sealed[..chunk(1)], &sealed[chunk(2)..]].concat());
    files.push(sealed[..30].to_vec());
    let mut refused = 0;
    for file in &files {
        let (text, error) = open_alone(key(1), file);
        for count in THREADS {
            let mut written = Vec::new();
            let result = open(&file[..], &mut written, &key(1), CONTEXT, threads(count));
            let result = result.as_ref().map_err(refusal);
            assert_eq!(result.err(), error.map(Some), "{count}");
            assert!(written == text);
        }
        refused += usize::from(error.is_some());
    }
    assert_eq!(refused, files.len() - 1);
    let mut written = Vec::new();
    let error = open(&sealed[..], &mut written, &key(2), CONTEXT, threads(2)).unwrap_err();
    assert_eq!(
        (refusal(&error), written.len()),
        (Some(Error::Commitment), 0)
    );
}

/// What stands in front of the fault comes out, and nothing hangs.
#[test]
fn streams_that_fail_lie_or_are_interrupted() {
    let text = text(10 * CHUNK + 9);
    let sealed = seal_alone(&text);
    for fault in [Fault::Fails, Fault::Lies, Fault::Interrupted] {
        for good in (0..sealed.len()).step_by(7_001) {
            for count in [1, 3] {
                let count = threads(count);
                let mut to = Vec::new();
                let from = Stream::new(&text, 5_000, good, fault);
                let result = seal_with_salt(from, &mut to, &key(1), CONTEXT, count, &[2; SALT]);
                assert_eq!(
                    result.is_ok(),
                    fault == Fault::Interrupted || good > text.len()
                );
                if result.is_err() {
                    assert!(to == sealed[..HEADER + good / CHUNK * SEALED_CHUNK]);
                }
                let mut to = Vec::new();
                let from = Stream::new(&sealed, 5_000, good, fault);
                let result = open(from, &mut to, &key(1), CONTEXT, count);
                assert_eq!(result.is_ok(), fault == Fault::Interrupted);
                if let Err(error) = result {
                    let whole = good.saturating_sub(HEADER) / SEALED_CHUNK;
                    assert!(to == text[..whole * CHUNK]);
                    assert_eq!(refusal(&error), None);
                }
                let mut to = Stream::new(&[], 5_000, good, fault);
                let result =
                    seal_with_salt(&text[..], &mut to, &key(1), CONTEXT, count, &[2; SALT]);
                assert_eq!(result.is_ok(), fault == Fault::Interrupted);
                let written = if result.is_ok() { sealed.len() } else { good };
                assert!(to.written == sealed[..written]);
                let good = good.min(text.len() - 1);
                let mut to = Stream::new(&[], 5_000, good, fault);
                let result = open(&sealed[..], &mut to, &key(1), CONTEXT, count);
                assert_eq!(result.is_ok(), fault == Fault::Interrupted);
                let written = if result.is_ok() { text.len() } else { good };
                assert!(to.written == text[..written]);
            }
        }
    }
}

/// SPEC §20.1-R5.
#[test]
fn chunks_are_numbered_to_the_limit() {
    let (chunks, _) = sealer::begin(&key(1), CONTEXT, &[2; SALT]);
    for (number, length, result) in [
        (CHUNKS_MAX - 2, CHUNK, Ok(())),
        (CHUNKS_MAX - 1, CHUNK, Err(Error::TooLong)),
        (CHUNKS_MAX - 1, CHUNK - 1, Ok(())),
        (CHUNKS_MAX, 0, Err(Error::TooLong)),
    ] {
        let mut buffer = Buffer::new();
        buffer.add(length);
        assert_eq!(seal_chunk(&chunks, number, &mut buffer), result);
    }
}

/// A panic in a thread, or in what the caller gave, is a panic of the caller, and the other threads end.
#[test]
fn panics_go_on_in_the_caller() {
    for count in THREADS {
        for at in [0, 5, 30] {
            let text = text(40 * CHUNK);
            let panics = catch_unwind(AssertUnwindSafe(|| {
                let mut from = &text[..];
                workers::run(
                    threads(count),
                    |row| row.fill(CHUNK, &mut from),
                    |row| {
                        row.each(|number, _| {
                            if number == at {
                                panic!("at {at}")
                            } else {
                                Ok(())
                            }
                        })
                    },
                    |_| Ok(()),
                )
            }));
            let panic = panics.unwrap_err();
            let message = panic.downcast_ref::<std::string::String>();
            assert_eq!(message, Some(&std::format!("at {at}")));
            let panics = catch_unwind(AssertUnwindSafe(|| {
                let mut from = &text[..];
                let mut rows = 0;
                workers::run(
                    threads(count),
                    |row| row.fill(CHUNK, &mut from),
                    |row| row.each(|_, _| Ok(())),
                    |_| {
                        rows += 1;
                        assert!(rows < at / 4 + 1, "at {at}");
                        Ok(())
                    },
                )
            }));
            assert!(panics.is_err());
        }
    }
}

/// However long the file is, and whichever thread is slow.
#[test]
fn rows_are_few_and_in_order() {
    for count in THREADS {
        let text = text(45 * CHUNK);
        let mut from = &text[..];
        let (filled, written) = (core::cell::Cell::new(0), core::cell::Cell::new(0));
        let mut seen = Vec::new();
        workers::run(
            threads(count),
            |row| {
                filled.set(filled.get() + 1);
                assert!(filled.get() - written.get() <= count * workers::ROWS);
                row.fill(CHUNK, &mut from)
            },
            |row| {
                row.each(|number, chunk| {
                    // Every second row takes its time.
                    if number % 8 == 0 {
                        std::thread::sleep(std::time::Duration::from_millis(2));
                    }
                    if let Some(byte) = chunk.front_mut(1).first_mut() {
                        *byte = number as u8;
                    }
                    Ok(())
                });
            },
            |row| {
                written.set(written.get() + 1);
                let mut bytes = Vec::new();
                row.write(&mut bytes)?;
                seen.extend(bytes.chunks(CHUNK).map(|chunk| chunk[0]));
                Ok(())
            },
        )
        .unwrap();
        // The last chunk is empty, and the row's last.
        assert_eq!(seen, (0..45).collect::<Vec<u8>>());
        assert_eq!(filled, written);
    }
}

use std::io::{BufRead, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::crypto::Secret;
use crate::file::{CHUNK, FileKey, HEADER, SALT, SEALED_CHUNK, Sealer, sealed_len};

const CONTEXT: &[u8] = b"a test";
/// As many bytes as are there.
const ALL: usize = usize::MAX;

fn key(byte: u8) -> FileKey {
    FileKey::from_bytes(Secret::new([byte; 32]))
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place / 7 % 251) as u8).collect()
}

fn begun() -> (Sealer, [u8; HEADER]) {
    Sealer::with_salt(&key(1), CONTEXT, &[2; SALT])
}

/// Sealed without the adapters.
fn seal(mut text: &[u8]) -> Vec<u8> {
    let (mut sealer, header) = begun();
    let mut sealed = header.to_vec();
    while let Some(chunk) = sealer.feed(&mut text).unwrap() {
        sealed.extend_from_slice(chunk);
    }
    sealed.extend_from_slice(sealer.finish().unwrap());
    sealed
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

/// What a stream does instead of what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Fails(ErrorKind),
    /// Claims one byte more than there was room for.
    Lies,
    /// Takes nothing, or gives nothing.
    Stops,
}

/// A stream that gives and takes a few bytes at a time, and has a fault at one of its calls or from there on.
struct Stream {
    bytes: Cursor<Vec<u8>>,
    most: usize,
    faulty: std::ops::Range<usize>,
    fault: Fault,
    calls: usize,
    read: usize,
}

impl Stream {
    fn new(bytes: &[u8], most: usize) -> Self {
        Self::faulty(bytes, most, 0..0, Fault::Stops)
    }

    fn faulty(bytes: &[u8], most: usize, faulty: std::ops::Range<usize>, fault: Fault) -> Self {
        Self {
            bytes: Cursor::new(bytes.to_vec()),
            most,
            faulty,
            fault,
            calls: 0,
            read: 0,
        }
    }

    fn was_faulty(&self) -> bool {
        self.calls > self.faulty.start
    }

    /// Whether the call is to go on; or what comes of it.
    fn call(&mut self, room: usize) -> Option<io::Result<usize>> {
        self.calls += 1;
        if !self.faulty.contains(&(self.calls - 1)) {
            return None;
        }
        Some(match self.fault {
            Fault::Fails(kind) => Err(kind.into()),
            Fault::Lies => Ok(room + 1),
            Fault::Stops => Ok(0),
        })
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = into.len();
        if let Some(result) = self.call(room) {
            return result;
        }
        let count = self.bytes.read(&mut into[..room.min(self.most)])?;
        self.read += count;
        Ok(count)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(result) = self.call(bytes.len()) {
            return result;
        }
        self.bytes.write(&bytes[..bytes.len().min(self.most)])
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.call(0) {
            Some(result) => result.map(|_| ()),
            None => Ok(()),
        }
    }
}

impl Seek for Stream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self.call(0) {
            Some(Err(error)) => Err(error),
            Some(Ok(lie)) => Ok(lie as u64),
            None => self.bytes.seek(to),
        }
    }
}

/// The refusal of a file that an error carries.
fn refusal(error: &io::Error) -> Option<Error> {
    error.get_ref()?.downcast_ref().copied()
}

/// Reads to the end in pieces; what was read, and why not more. Goes on after the first `repeats` errors.
fn read_on(reader: &mut impl Read, piece: usize, repeats: usize) -> (Vec<u8>, io::Result<()>) {
    let (mut text, mut errors) = (Vec::new(), 0);
    let mut buffer = vec![0; piece.min(3 * CHUNK)];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return (text, Ok(())),
            Ok(count) => text.extend_from_slice(&buffer[..count]),
            Err(_) if errors < repeats => errors += 1,
            Err(error) => return (text, Err(error)),
        }
    }
}

/// Writes in pieces and finishes, and goes on after the first `repeats` errors.
fn write_on(
    writer: &mut Writer<Stream>,
    text: &[u8],
    piece: usize,
    repeats: usize,
) -> io::Result<()> {
    let (mut rest, mut errors) = (text, 0);
    loop {
        let result = if rest.is_empty() {
            match writer.try_finish() {
                Ok(()) => return Ok(()),
                Err(error) => Err(error),
            }
        } else {
            writer.write(&rest[..rest.len().min(piece)])
        };
        match result {
            Ok(count) => rest = &rest[count..],
            Err(_) if errors < repeats => errors += 1,
            Err(error) => return Err(error),
        }
    }
}

#[test]
fn every_size_in_pieces_of_any_length() {
    for size in SIZES {
        let text = text(size);
        let sealed = seal(&text);
        for (piece, most) in [(1, ALL), (ALL, 1), (13, 4_099), (CHUNK, CHUNK), (ALL, ALL)] {
            let mut writer = Writer::begun(Stream::new(&[], most), begun());
            write_on(&mut writer, &text, piece, 0).unwrap();
            assert!(writer.finish().unwrap().bytes.into_inner() == sealed);

            let mut reader = Reader::new(Stream::new(&sealed, most), key(1), CONTEXT);
            let (read, result) = read_on(&mut reader, piece, 0);
            result.unwrap();
            assert!(read == text, "{size} {piece} {most}");
            assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the end stays");
            assert_eq!(reader.into_inner().read, sealed.len());

            let stream = Stream::new(&sealed, most);
            let mut reader = SeekReader::new(stream, &key(1), CONTEXT).unwrap();
            let (read, result) = read_on(&mut reader, piece, 0);
            result.unwrap();
            assert!(read == text, "{size} {piece} {most}");
            assert_eq!(reader.text_len().unwrap(), size as u64);
        }
    }
}

#[test]
fn a_new_file_is_opened_with_its_key_alone() {
    let rng = &mut crate::os_rng();
    let mut writer = Writer::new(Vec::new(), &key(1), CONTEXT, rng).unwrap();
    assert!(writer.get_ref().is_empty(), "nothing is written yet");
    writer.write_all(b"text").unwrap();
    let sealed = writer.finish().unwrap();
    let (read, result) = read_on(&mut Reader::new(&sealed[..], key(1), CONTEXT), ALL, 0);
    result.unwrap();
    assert_eq!(read, b"text");
    let mut reader = Reader::new(&sealed[..], key(2), CONTEXT);
    for _ in 0..3 {
        let error = reader.read(&mut [0; 9]).unwrap_err();
        assert_eq!(refusal(&error), Some(Error::Commitment));
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
    let error = SeekReader::new(Cursor::new(&sealed), &key(1), b"").unwrap_err();
    assert_eq!(refusal(&error), Some(Error::Commitment));
}

/// Interruptions are not seen; after any other error the same call is repeated, and nothing is lost.
#[test]
fn a_stream_that_fails_at_any_call() {
    let text = text(2 * CHUNK + 5);
    let sealed = seal(&text);
    for (kind, errors) in [
        (ErrorKind::Interrupted, 0),
        (ErrorKind::WouldBlock, 1),
        (ErrorKind::TimedOut, 3),
    ] {
        let stream = |bytes: &[u8], call: usize| {
            Stream::faulty(bytes, 5_000, call..call + errors.max(1), Fault::Fails(kind))
        };
        let mut writing = true;
        let mut calls = 0;
        while writing {
            let mut writer = Writer::begun(stream(&[], calls), begun());
            write_on(&mut writer, &text, 3_000, errors).unwrap();
            writing = writer.get_ref().was_faulty();
            assert!(*writer.get_ref().bytes.get_ref() == sealed);
            calls += 1;
        }
        assert!(calls > 8, "{calls} calls");

        let (mut reading, mut calls) = (true, 0);
        while reading {
            let mut reader = Reader::new(stream(&sealed, calls), key(1), CONTEXT);
            let (read, result) = read_on(&mut reader, 3_000, errors);
            result.unwrap();
            assert!(read == text);
            reading = reader.into_inner().was_faulty();
            calls += 1;
        }
        assert!(calls > 8, "{calls} calls");

        // The first three calls are those of `new`, which fails as a whole.
        for call in 0..3 {
            let reader = SeekReader::new(stream(&sealed, call), &key(1), CONTEXT);
            assert_eq!(reader.err().map(|error| error.kind()).is_some(), errors > 0);
        }
        let (mut reading, mut calls) = (true, 3);
        while reading {
            let stream = stream(&sealed, calls);
            let mut reader = SeekReader::new(stream, &key(1), CONTEXT).unwrap();
            let (read, result) = read_on(&mut reader, 3_000, errors);
            result.unwrap();
            assert!(read == text);
            reading = reader.into_inner().was_faulty();
            calls += 1;
        }
        assert!(calls > 8, "{calls} calls");
    }
}

/// From some call on nothing works any more, or one call lies: what was given out is genuine, and an error is seen.
#[test]
fn attack_f1_a_stream_that_lies_or_ends_at_any_call() {
    let text = text(2 * CHUNK + 5);
    let sealed = seal(&text);
    let faults = [
        Fault::Fails(ErrorKind::ConnectionReset),
        Fault::Lies,
        Fault::Stops,
    ];
    for fault in faults {
        for last in [1, ALL] {
            let stream = |bytes: &[u8], call: usize| {
                Stream::faulty(bytes, 5_000, call..last.max(call + 1), fault)
            };
            let mut call = 0;
            loop {
                let mut writer = Writer::begun(stream(&[], call), begun());
                let result = write_on(&mut writer, &text, ALL, 0);
                let written = writer.get_ref().bytes.get_ref();
                assert!(sealed.starts_with(written));
                if !writer.get_ref().was_faulty() {
                    break;
                }
                // Flushing gives no number that could be a lie.
                let flushed = written.len() == sealed.len() && !matches!(fault, Fault::Fails(_));
                assert_eq!(result.is_ok(), flushed);
                if fault == Fault::Stops && !flushed {
                    assert_eq!(result.unwrap_err().kind(), ErrorKind::WriteZero);
                }
                call += 1;
            }
            assert!(call > 8);

            let mut call = 0;
            loop {
                let mut reader = Reader::new(stream(&sealed, call), key(1), CONTEXT);
                let (read, result) = read_on(&mut reader, 3_000, 0);
                assert!(text.starts_with(&read));
                if let Some(error) = result.as_ref().err().and_then(refusal) {
                    // A cut within a chunk may be seen as either.
                    assert!(matches!(error, Error::Truncated | Error::Chunk));
                    for _ in 0..3 {
                        let again = reader.read(&mut [0; 9]).unwrap_err();
                        assert_eq!(refusal(&again), Some(error));
                    }
                }
                let inner = reader.into_inner();
                if !inner.was_faulty() {
                    break;
                }
                // The end that is found in its place is no fault.
                let at_end = fault == Fault::Stops && inner.read == sealed.len();
                assert_eq!(result.is_ok(), at_end, "{fault:?} at {call}");
                call += 1;
            }
            assert!(call > 8);

            let mut call = 0;
            loop {
                let reader = SeekReader::new(stream(&sealed, call), &key(1), CONTEXT);
                let Ok(mut reader) = reader else {
                    assert!(call < 3);
                    call += 1;
                    continue;
                };
                let (read, result) = read_on(&mut reader, 3_000, 0);
                assert!(text.starts_with(&read));
                if let Some(error) = result.as_ref().err().and_then(refusal) {
                    assert!(matches!(error, Error::Truncated | Error::Chunk));
                    for _ in 0..3 {
                        let again = reader.read_at(0, &mut []).unwrap_err();
                        assert_eq!(refusal(&again), Some(error));
                        let again = reader.seek(SeekFrom::Start(0)).unwrap_err();
                        assert_eq!(refusal(&again), Some(error));
                    }
                }
                let inner = reader.into_inner();
                if !inner.was_faulty() {
                    result.unwrap();
                    assert!(read == text);
                    break;
                }
                // A seek that only claims another place, and went nowhere, is noticed by what is read then: unless
                // the place was right.
                if result.is_ok() {
                    assert!(read == text, "{fault:?} at {call}");
                    assert!(!matches!(fault, Fault::Fails(_)));
                }
                call += 1;
            }
            assert!(call > 8);
        }
    }
}

#[test]
fn attack_f1_truncated_at_every_length() {
    let text = text(2 * CHUNK + 5);
    let sealed = seal(&text);
    let mut cuts: Vec<usize> = (0..sealed.len()).step_by(997).collect();
    for edge in [0, HEADER, HEADER + SEALED_CHUNK, HEADER + 2 * SEALED_CHUNK] {
        cuts.extend(edge.saturating_sub(17)..edge + 18);
    }
    for cut in cuts {
        let cut = &sealed[..cut];
        let mut reader = Reader::new(cut, key(1), CONTEXT);
        let (read, result) = read_on(&mut reader, 5_000, 0);
        assert!(text.starts_with(&read));
        let whole = cut.len().saturating_sub(HEADER) / SEALED_CHUNK * CHUNK;
        assert_eq!(read.len(), whole);
        let error = result.unwrap_err();
        let refused = refusal(&error).unwrap();
        assert!(matches!(refused, Error::Truncated | Error::Chunk));
        let kind = match refused {
            Error::Truncated => ErrorKind::UnexpectedEof,
            _ => ErrorKind::InvalidData,
        };
        assert_eq!(error.kind(), kind);
        let again = reader.fill_buf().unwrap_err();
        assert_eq!(refusal(&again), Some(refused));

        // Whoever asks for the end is refused, before and after reading what is there.
        for first in [SeekFrom::End(0), SeekFrom::End(-1), SeekFrom::Start(0)] {
            let Ok(mut reader) = SeekReader::new(Cursor::new(cut), &key(1), CONTEXT) else {
                assert!(cut.len() < HEADER || (cut.len() - HEADER) % SEALED_CHUNK < 16);
                continue;
            };
            if let SeekFrom::End(_) = first {
                assert!(reader.seek(first).is_err());
            } else {
                let (read, result) = read_on(&mut reader, 5_000, 0);
                assert!(text.starts_with(&read) && read.len() == whole);
                assert!(result.is_err());
            }
            let again = reader.seek(SeekFrom::Start(0)).unwrap_err();
            assert_eq!(refusal(&again), Some(Error::Chunk));
            assert!(reader.text_len().is_err());
        }
    }
}

#[test]
fn attack_f1_a_writer_that_was_dropped_leaves_a_truncated_file() {
    for size in SIZES {
        let mut written = Vec::new();
        let mut writer = Writer::begun(&mut written, begun());
        writer.write_all(&text(size)).unwrap();
        writer.flush().unwrap();
        drop(writer);
        // All whole chunks are there, and no end.
        assert_eq!(written.len(), HEADER + size / CHUNK * SEALED_CHUNK);
        let (read, result) = read_on(&mut Reader::new(&written[..], key(1), CONTEXT), ALL, 0);
        assert_eq!(read.len(), size / CHUNK * CHUNK);
        assert_eq!(refusal(&result.unwrap_err()), Some(Error::Truncated));
        let error = SeekReader::new(Cursor::new(written), &key(1), CONTEXT).unwrap_err();
        assert_eq!(refusal(&error), Some(Error::Truncated));
    }
}

#[test]
fn a_file_ends_once() {
    let mut writer = Writer::begun(Vec::new(), begun());
    writer.write_all(b"text").unwrap();
    writer.try_finish().unwrap();
    writer.try_finish().unwrap();
    writer.flush().unwrap();
    let error = writer.write(b"more").unwrap_err();
    assert_eq!(refusal(&error), Some(Error::Ended));
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(writer.finish().unwrap() == seal(b"text"));
}

/// SPEC §20.1-R6.
#[test]
fn attack_f5_only_the_chunks_that_are_needed_are_read() {
    let text = text(5 * CHUNK + 77);
    let sealed = seal(&text);
    let new = || SeekReader::new(Stream::new(&sealed, ALL), &key(1), CONTEXT).unwrap();
    let last = 77 + 16;
    for (offset, length, wanted) in [
        (0, 1, SEALED_CHUNK),
        (2 * CHUNK + 100, 4_096, SEALED_CHUNK),
        (2 * CHUNK - 1, 2, 2 * SEALED_CHUNK),
        (CHUNK, 3 * CHUNK, 3 * SEALED_CHUNK),
        (5 * CHUNK, 100, last),
        (5 * CHUNK + 77, 100, last),
        (ALL, 100, last),
        (100, 0, 0),
    ] {
        let mut reader = new();
        let mut into = vec![0; length];
        let count = reader.read_at(offset as u64, &mut into).unwrap();
        let part = text.get(offset..).unwrap_or_default();
        let part = &part[..part.len().min(length)];
        assert!(into[..count] == *part, "{offset}");
        // What was opened last is not read again.
        reader
            .read_at(offset as u64, &mut into[..1.min(length)])
            .unwrap();
        let read = reader.into_inner().read - HEADER;
        let again = if wanted > SEALED_CHUNK {
            SEALED_CHUNK
        } else {
            0
        };
        assert_eq!(read, wanted + again, "{offset}");
    }
    let mut reader = new();
    assert_eq!(
        reader.seek(SeekFrom::End(-7)).unwrap(),
        5 * CHUNK as u64 + 70
    );
    assert_eq!(reader.text_len().unwrap(), 5 * CHUNK as u64 + 77);
    assert_eq!(reader.into_inner().read, HEADER + last);
    // An altered chunk is refused, and the text of others was given out before.
    let mut altered = sealed.clone();
    altered[HEADER + SEALED_CHUNK + 5] ^= 1;
    let mut reader = SeekReader::new(Cursor::new(altered), &key(1), CONTEXT).unwrap();
    let mut into = [0xee; 100];
    assert_eq!(reader.read_at(0, &mut into).unwrap(), 100);
    let mut into = [0xee; 100];
    let error = reader.read_at(CHUNK as u64 - 10, &mut into).unwrap_err();
    assert_eq!(refusal(&error), Some(Error::Chunk));
    assert_eq!(into[..10], text[CHUNK - 10..CHUNK]);
    assert_eq!(into[10..], [0xee; 90], "nothing of what is altered");
    let error = reader.read_at(0, &mut into).unwrap_err();
    assert_eq!(refusal(&error), Some(Error::Chunk), "for good");
}

/// What is done with a reader.
#[derive(Clone, Debug)]
enum Deed {
    Read(usize),
    ReadAt(u64, usize),
    Start(u64),
    End(i64),
    Current(i64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let most = 4 * CHUNK as i64;
    let near = prop_oneof![
        0..most,
        (0..4i64, -2..3i64).prop_map(|(chunk, by)| (chunk * CHUNK as i64 + by).max(0))
    ];
    let deed = prop_oneof![
        (0..2 * CHUNK).prop_map(Deed::Read),
        (near.clone(), 0..2 * CHUNK).prop_map(|(at, count)| Deed::ReadAt(at as u64, count)),
        near.prop_map(|at| Deed::Start(at as u64)),
        (-most..CHUNK as i64).prop_map(Deed::End),
        (-most..most).prop_map(Deed::Current),
    ];
    prop::collection::vec(deed, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A sealed file reads like its text.
    #[test]
    fn reads_as_the_text_does(size in 0..4 * CHUNK, most in 1000..40_000usize, deeds in deeds()) {
        let text = text(size);
        let mut reader = SeekReader::new(Stream::new(&seal(&text), most), &key(1), CONTEXT).unwrap();
        let mut model = Cursor::new(&text[..]);
        for deed in deeds {
            let to = match deed {
                Deed::Read(count) => {
                    let (mut one, mut other) = (Vec::new(), Vec::new());
                    reader.by_ref().take(count as u64).read_to_end(&mut one).unwrap();
                    model.by_ref().take(count as u64).read_to_end(&mut other).unwrap();
                    prop_assert!(one == other);
                    continue;
                }
                Deed::ReadAt(at, count) => {
                    let mut into = vec![0; count];
                    let count = reader.read_at(at, &mut into).unwrap();
                    let part = usize::try_from(at).ok().and_then(|at| text.get(at..)).unwrap_or_default();
                    prop_assert!(into[..count] == part[..part.len().min(into.len())]);
                    continue;
                }
                Deed::Start(at) => SeekFrom::Start(at),
                Deed::End(by) => SeekFrom::End(by),
                Deed::Current(by) => SeekFrom::Current(by),
            };
            let (one, other) = (reader.seek(to), model.seek(to));
            prop_assert_eq!(one.as_ref().ok(), other.as_ref().ok());
            prop_assert_eq!(one.err().map(|error| error.kind()), other.err().map(|error| error.kind()));
            prop_assert_eq!(reader.stream_position().unwrap(), model.stream_position().unwrap());
        }
    }

    /// Whatever is written, and however it is read: the same as without the adapters.
    #[test]
    fn writes_as_the_sealer_does(pieces in prop::collection::vec(0..CHUNK + 3, 0..8), most in 1000..40_000usize) {
        let text = text(pieces.iter().sum());
        let mut writer = Writer::begun(Stream::new(&[], most), begun());
        let mut rest = &text[..];
        for piece in pieces {
            let (front, behind) = rest.split_at(piece);
            writer.write_all(front).unwrap();
            if piece % 3 == 0 {
                writer.flush().unwrap();
            }
            rest = behind;
        }
        let sealed = writer.finish().unwrap().bytes.into_inner();
        prop_assert_eq!(Some(sealed.len() as u64), sealed_len(text.len() as u64));
        prop_assert!(sealed == seal(&text));
        let mut reader = Reader::new(Stream::new(&sealed, most), key(1), CONTEXT);
        let (mut lines, mut read) = (0, Vec::new());
        while reader.read_until(17, &mut read).unwrap() > 0 {
            lines += 1;
        }
        prop_assert!(read == text);
        prop_assert!(lines <= text.len() / 7 + 1);
    }
}

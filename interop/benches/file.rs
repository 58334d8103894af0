//! Files beside a plain loop of AES-256-GCM over pieces of 16 KiB, and beside age (ChaCha20-Poly1305, pieces of 64 KiB), in
//! one process and one run: `cargo bench -p subrosa-interop --features age --bench file`
//!
//! With `--features age,fast` the library computes with its faster primitives, and the plain loop as it did: that is what one
//! thread gains. Blobs are sealed and hashed, each alone, both in one thread, and both in two.
//!
//! `SUBROSA_FILE_MIB` says how long the file in memory is, 64 MiB unless told otherwise, and `SUBROSA_DISK_MIB` how long the
//! one on disk is of which pieces are read, 256 MiB unless told otherwise.

#[path = "kit/cpu.rs"]
mod cpu;

use std::env;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::iter;
use std::num::NonZeroUsize;
use std::time::Duration;

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{Aes256Gcm, KeyInit};
use age::x25519::Identity;
use age::{Decryptor, Encryptor};
use cpu::CpuTime;
use criterion::measurement::{Measurement, WallTime};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use subrosa::crypto::Secret;
use subrosa::file::io::{Reader, SeekReader, Writer};
use subrosa::file::tree::BlobHasher;
use subrosa::file::{
    BlobSealer, CHUNK, FileKey, MediaType, Opener, Record, SealedChunk, Sealer, parallel,
};
use subrosa::os_rng;

const MIB: u64 = 1024 * 1024;
const CONTEXT: &[u8] = b"bench";
const TAG: usize = 16;

/// Bytes, as a variable says in MiB.
fn length(variable: &str, otherwise: u64) -> u64 {
    let said = env::var(variable).ok();
    said.map_or(otherwise, |said| said.parse().expect("a number of MiB")) * MIB
}

fn text() -> Vec<u8> {
    let length = usize::try_from(length("SUBROSA_FILE_MIB", 64)).expect("it fits memory");
    (0..length).map(|place| (place / 7 % 251) as u8).collect()
}

fn key() -> FileKey {
    FileKey::from_bytes(Secret::new([7; 32]))
}

/// A cipher and the nonces of one piece after the other.
fn plain() -> (Aes256Gcm, impl Iterator<Item = [u8; 12]>) {
    let nonces = (0u32..).map(|number| {
        let mut nonce = [0; 12];
        nonce[8..].copy_from_slice(&number.to_be_bytes());
        nonce
    });
    (Aes256Gcm::new(&[7; 32].into()), nonces)
}

/// The best that a loop can do: from the text into one piece that stays in the cache, without a copy.
fn plain_seal(text: &[u8]) {
    let (cipher, nonces) = plain();
    let mut sealed = [0; CHUNK + TAG];
    for (piece, nonce) in text.chunks(CHUNK).zip(nonces) {
        let (to, tag) = sealed[..piece.len() + TAG].split_at_mut(piece.len());
        let both = InOutBuf::new(piece, to).expect("as long");
        let made = cipher.encrypt_inout_detached(&nonce.into(), b"", both);
        tag.copy_from_slice(&made.expect("short enough"));
        black_box(&sealed);
    }
}

/// The plainest loop: the text itself is encrypted.
fn plain_seal_in_place(text: &mut [u8]) {
    let (cipher, nonces) = plain();
    for (piece, nonce) in text.chunks_mut(CHUNK).zip(nonces) {
        let made = cipher.encrypt_inout_detached(&nonce.into(), b"", piece.into());
        black_box(made.expect("short enough"));
    }
}

fn plain_sealed(text: &[u8]) -> Vec<u8> {
    let (cipher, nonces) = plain();
    let mut sealed = Vec::new();
    for (piece, nonce) in text.chunks(CHUNK).zip(nonces) {
        let mut piece = piece.to_vec();
        let tag = cipher.encrypt_inout_detached(&nonce.into(), b"", piece.as_mut_slice().into());
        sealed.extend_from_slice(&piece);
        sealed.extend_from_slice(&tag.expect("short enough"));
    }
    sealed
}

fn plain_open(sealed: &[u8]) {
    let (cipher, nonces) = plain();
    let mut text = [0; CHUNK];
    for (piece, nonce) in sealed.chunks(CHUNK + TAG).zip(nonces) {
        let (piece, tag) = piece.split_last_chunk::<TAG>().expect("a tag");
        let both = InOutBuf::new(piece, &mut text[..piece.len()]).expect("as long");
        let opened = cipher.decrypt_inout_detached(&nonce.into(), b"", both, tag.into());
        opened.expect("genuine");
        black_box(&text);
    }
}

fn seal(mut text: &[u8]) {
    let (mut sealer, header) = Sealer::new(&key(), CONTEXT, &mut os_rng()).unwrap();
    black_box(header);
    while let Some(chunk) = sealer.feed(&mut text).unwrap() {
        black_box(chunk);
    }
    black_box(sealer.finish().unwrap());
}

fn sealed(text: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &key(), CONTEXT, &mut os_rng()).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap()
}

fn open(mut sealed: &[u8]) {
    let mut opener = Opener::new(key(), CONTEXT);
    while let Some(chunk) = opener.feed(&mut sealed).unwrap() {
        black_box(chunk);
    }
    black_box(opener.finish().unwrap());
}

fn write(text: &[u8]) {
    let mut writer = Writer::new(io::sink(), &key(), CONTEXT, &mut os_rng()).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap();
}

/// Reads all in pieces of 64 KiB.
fn read(mut reader: impl Read) {
    let mut piece = [0; 64 * 1024];
    while reader.read(&mut piece).unwrap() > 0 {
        black_box(&piece);
    }
}

fn age_write<W: Write>(text: &[u8], to: W, identity: &Identity) -> W {
    let recipient = identity.to_public();
    let encryptor = Encryptor::with_recipients(iter::once(&recipient as _)).unwrap();
    let mut writer = encryptor.wrap_output(to).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap()
}

fn age_read(sealed: &[u8], identity: &Identity) {
    let decryptor = Decryptor::new(sealed).unwrap();
    read(decryptor.decrypt(iter::once(identity as _)).unwrap());
}

fn group<'a, M: Measurement>(
    c: &'a mut Criterion<M>,
    name: &str,
    bytes: usize,
) -> BenchmarkGroup<'a, M> {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    group
}

fn one_thread(c: &mut Criterion<CpuTime>) {
    let mut text = text();
    let identity = Identity::generate();
    let mut sealing = group(c, "seal a file", text.len());
    sealing.bench_function("plain loop", |b| b.iter(|| plain_seal(black_box(&text))));
    sealing.bench_function("Sealer", |b| b.iter(|| seal(black_box(&text))));
    sealing.bench_function("Writer", |b| b.iter(|| write(black_box(&text))));
    sealing.bench_function("age", |b| {
        b.iter(|| age_write(black_box(&text), io::sink(), &identity));
    });
    sealing.finish();
    let ours = sealed(&text);
    let plain = plain_sealed(&text);
    let ages = age_write(&text, Vec::new(), &identity);
    let mut opening = group(c, "open a file", text.len());
    opening.bench_function("plain loop", |b| b.iter(|| plain_open(black_box(&plain))));
    opening.bench_function("Opener", |b| b.iter(|| open(black_box(&ours))));
    opening.bench_function("Reader", |b| {
        b.iter(|| read(Reader::new(black_box(ours.as_slice()), key(), CONTEXT)));
    });
    opening.bench_function("age", |b| b.iter(|| age_read(black_box(&ages), &identity)));
    opening.finish();
    drop((ours, plain, ages));
    let mut in_place = group(c, "seal a file in place", text.len());
    in_place.bench_function("plain loop", |b| {
        b.iter(|| plain_seal_in_place(black_box(&mut text)));
    });
}

fn some_threads(c: &mut Criterion) {
    let text = text();
    let ours = sealed(&text);
    for (name, opens) in [
        ("seal a file in threads", false),
        ("open a file in threads", true),
    ] {
        let mut group = group(c, name, text.len());
        if opens {
            group.bench_function("Opener", |b| b.iter(|| open(black_box(&ours))));
        } else {
            group.bench_function("Sealer", |b| b.iter(|| seal(black_box(&text))));
        }
        for threads in [1, 2, 4].into_iter().filter_map(NonZeroUsize::new) {
            group.bench_function(threads.to_string(), |b| {
                b.iter(|| {
                    let to = io::sink();
                    let (key, rng) = (key(), &mut os_rng());
                    if opens {
                        parallel::open(black_box(&ours[..]), to, &key, CONTEXT, threads)
                    } else {
                        parallel::seal(black_box(&text[..]), to, &key, CONTEXT, threads, rng)
                    }
                });
            });
        }
        group.finish();
    }
}

fn blob_sealer() -> BlobSealer {
    let media_type = MediaType::new("video/mp4").unwrap();
    BlobSealer::new(Record::new(media_type, b"", &mut os_rng()).unwrap())
}

fn seal_blob(mut text: &[u8]) {
    let mut sealer = blob_sealer();
    while let Some(chunk) = sealer.feed(&mut text).unwrap() {
        black_box(chunk.bytes());
    }
    while let Some(chunk) = sealer.finish().unwrap() {
        black_box(chunk.bytes());
    }
    black_box(sealer.blob().unwrap());
}

fn hash_blob(mut stored: &[u8]) {
    let mut hasher = BlobHasher::new();
    while let Some(nodes) = hasher.feed(&mut stored).unwrap() {
        black_box(nodes);
    }
    black_box(hasher.finish().unwrap());
}

/// Each half of a blob's work alone, and both: in two threads as quick as the slower half, or nearly.
fn blobs(c: &mut Criterion) {
    let text = text();
    let mut stored = Vec::new();
    let keep = |chunk: SealedChunk<'_>| {
        stored.extend_from_slice(chunk.header());
        stored.extend_from_slice(chunk.bytes());
        Ok(())
    };
    parallel::seal_blob(blob_sealer(), &text[..], NonZeroUsize::MIN, keep).unwrap();
    let mut group = group(c, "seal a blob", text.len());
    group.bench_function("sealing alone", |b| b.iter(|| seal(black_box(&text))));
    group.bench_function("hashing alone", |b| {
        b.iter(|| hash_blob(black_box(&stored)))
    });
    group.bench_function("both", |b| b.iter(|| seal_blob(black_box(&text))));
    for threads in [1, 2].into_iter().filter_map(NonZeroUsize::new) {
        group.bench_function(format!("both, threads: {threads}"), |b| {
            b.iter(|| {
                parallel::seal_blob(blob_sealer(), black_box(&text[..]), threads, |chunk| {
                    black_box(chunk.bytes());
                    Ok(())
                })
            });
        });
    }
    group.finish();
}

/// A file, and how much was read of it.
struct Counted {
    file: File,
    bytes: usize,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        self.bytes += count;
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// From a file that the system keeps in its cache, as far as it fits.
fn pieces(c: &mut Criterion<CpuTime>) {
    const PIECE: usize = 4_096;
    let length = length("SUBROSA_DISK_MIB", 256);
    let mut file = tempfile::tempfile().unwrap();
    let mut writer = Writer::new(&mut file, &key(), CONTEXT, &mut os_rng()).unwrap();
    io::copy(&mut io::repeat(7).take(length), &mut writer).unwrap();
    writer.finish().unwrap();
    let counted = Counted { file, bytes: 0 };
    let mut reader = SeekReader::new(counted, &key(), CONTEXT).unwrap();
    assert_eq!(reader.text_len().unwrap(), length);
    // Steps that are no multiple of a chunk reach all places in one.
    let mut places =
        (0u64..).map(|step| step.wrapping_mul(2_654_435_761) % (length - PIECE as u64));
    let mut group = c.benchmark_group("a piece of a file");
    let mut into = [0; PIECE];
    let mut done = 0;
    group.bench_function("read_at, 4 KiB", |b| {
        b.iter(|| {
            let place = places.next().unwrap();
            assert_eq!(reader.read_at(place, &mut into).unwrap(), PIECE);
            done += 1;
            black_box(&into);
        });
    });
    // None if another benchmark was asked for.
    if let Some(mean) = reader.into_inner().bytes.checked_div(done) {
        println!("{length} bytes of text, {done} pieces of it: {mean} bytes read for each");
    }
    group.finish();
}

fn few<M: Measurement>(measurement: M) -> Criterion<M> {
    Criterion::default()
        .with_measurement(measurement)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(15)
}

criterion_group! {
    name = cpu;
    config = few(CpuTime);
    targets = one_thread, pieces
}
criterion_group! {
    name = wall;
    config = few(WallTime);
    targets = some_threads, blobs
}
criterion_main!(cpu, wall);

//! From a file to a blob in a folder, whatever happens in between.
//!
//! ```text
//! FILE.sealing/key      32 random bytes, which protect the record
//! FILE.sealing/record   a token of 16 bytes that names the incoming blob, and the exported `Record`
//! FILE.sealing/log      the header, and the leaf of each chunk that may have left
//! ```
//! The key stands beside what it encrypts, for want of a key store: a real app asks the operating system's.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use indicatif::ProgressBar;
use subrosa::crypto::TryRng;
use subrosa::file::tree::Hash;
use subrosa::file::{
    Blob, BlobSealer, Descriptor, HEADER, Interrupted, MediaType, Record, SealedChunk, Thumbnail,
};
use subrosa::state::Slot;
use subrosa::{AppKey, os_rng};

use crate::Result;
use crate::disk::{Disk, Stored, beside, replace};
use crate::folder::{Batch, Folder, Incoming};

/// Chunks that leave together: their leaves are brought to the disk in one go, a mebibyte of text at a time.
const BATCH: usize = 64;

const LEAF: usize = size_of::<Hash>();
const TOKEN: usize = 16;

/// Seals a file into a folder, or goes on with it, and has `print` give out the descriptor.
pub fn seal(
    file: &Path,
    kind: Option<MediaType>,
    folder: &Folder,
    disk: &impl Disk,
    bar: &ProgressBar,
    print: impl FnOnce(&Descriptor) -> Result<()>,
) -> Result<()> {
    let text = File::open(file)?;
    bar.set_length(text.metadata()?.len());
    let state = State::of(file);
    let (record, token) = state.record(kind, &text, disk)?;
    let (mut log, leaves) = state.log(disk)?;
    let header = leaves.header;
    // From the first chunk on, so that the text is compared with the whole log, not only with its end.
    let mut sealer = BlobSealer::resume(record, header.as_ref(), leaves, 0)?;
    let mut incoming = Incoming::open(folder, &token)?;
    let mut batch = Batch::default();
    let mut leave = |batch: &mut Batch| {
        // SPEC §20.4-R2: what is in the log is on the disk before the chunks leave.
        if log.put(disk, &batch.log)? {
            disk.sync(&log)?;
        }
        incoming.put(disk, batch)?;
        batch.clear();
        io::Result::Ok(())
    };
    let blob = each_chunk(&mut sealer, bar.wrap_read(text), |chunk| {
        batch.push(chunk);
        match batch.chunks {
            BATCH => leave(&mut batch),
            _ => Ok(()),
        }
    })?;
    leave(&mut batch)?;
    incoming.finish(disk, &blob.admit(|_| true)?.id())?;
    print(&Descriptor {
        blob,
        thumbnail: Thumbnail::None,
    })?;
    bar.finish();
    // Only now, because it was the only way to the descriptor.
    state.remove(disk)
}

/// Seals a text that is in memory, under a key of its own.
pub fn seal_small(text: &[u8], kind: MediaType, folder: &Folder, disk: &impl Disk) -> Result<Blob> {
    let mut sealer = BlobSealer::new(Record::new(kind, text, &mut os_rng())?);
    let mut incoming = Incoming::open(folder, &random()?)?;
    let mut batch = Batch::default();
    let blob = each_chunk(&mut sealer, text, |chunk| {
        batch.push(chunk);
        Ok(())
    })?;
    incoming.put(disk, &batch)?;
    incoming.finish(disk, &blob.admit(|_| true)?.id())?;
    Ok(blob)
}

/// Seals a text to its end.
fn each_chunk<L: ExactSizeIterator<Item = Hash>>(
    sealer: &mut BlobSealer<L>,
    mut text: impl Read,
    mut take: impl FnMut(&SealedChunk<'_>) -> io::Result<()>,
) -> Result<Blob> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let mut rest = match text.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => &buffer[..count],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        while let Some(chunk) = sealer.feed(&mut rest)? {
            take(&chunk)?;
        }
    }
    while let Some(chunk) = sealer.finish()? {
        take(&chunk)?;
    }
    Ok(sealer.blob()?)
}

/// What an upload keeps to be gone on with.
struct State {
    folder: PathBuf,
    key: PathBuf,
    record: PathBuf,
    log: PathBuf,
}

impl State {
    fn of(file: &Path) -> Self {
        let folder = beside(file, ".sealing");
        Self {
            key: folder.join("key"),
            record: folder.join("record"),
            log: folder.join("log"),
            folder,
        }
    }

    /// The record of this upload, a new one if there is none, as it is stored.
    fn record(
        &self,
        kind: Option<MediaType>,
        text: &File,
        disk: &impl Disk,
    ) -> Result<(Interrupted, [u8; TOKEN])> {
        if !self.record.try_exists()? {
            self.begin(kind, text, disk)?;
        }
        let key = fs::read(&self.key)?;
        let key = AppKey::new(key.try_into().map_err(|_| "the key of the record is cut")?);
        let stored = fs::read(&self.record)?;
        let (token, exported) = stored.split_first_chunk().ok_or("the record is cut")?;
        let record = Interrupted::import(exported, slot(token), &key)?;
        match kind {
            Some(kind) if kind != *record.media_type() => {
                Err(format!("it was begun as {}", record.media_type().as_str()).into())
            }
            _ => Ok((record, *token)),
        }
    }

    /// The record comes last: where it is, its key is, and no log of another one.
    fn begin(&self, kind: Option<MediaType>, text: &File, disk: &impl Disk) -> Result<()> {
        fs::create_dir_all(&self.folder)?;
        disk.remove(&self.log)?;
        let kind = match kind {
            Some(kind) => kind,
            None => MediaType::new("application/octet-stream")?,
        };
        let record = Record::new(kind, &apart(text)?, &mut os_rng())?;
        let (key, token) = (random()?, random()?);
        replace(disk, &self.key, &key, true)?;
        let exported = record.export(slot(&token), &AppKey::new(key), &mut os_rng())?;
        let stored = [&token[..], &exported].concat();
        Ok(replace(disk, &self.record, &stored, true)?)
    }

    /// The log, at its beginning, and what is in it; both without what was not written whole.
    fn log(&self, disk: &impl Disk) -> io::Result<(Stored, Leaves)> {
        let mut log = Stored::open(self.log.clone(), true)?;
        let length = log.len()?;
        let leaves = length.saturating_sub(HEADER as u64) / LEAF as u64;
        let whole = match leaves {
            0 => 0,
            _ => HEADER as u64 + leaves * LEAF as u64,
        };
        if whole != length {
            disk.set_len(&log, whole)?;
        }
        // What is compared with from now on must not vanish.
        disk.sync(&log)?;
        let mut header = None;
        if leaves > 0 {
            let mut bytes = [0; HEADER];
            log.read_exact(&mut bytes)?;
            header = Some(bytes);
        }
        log.seek(0)?;
        let mut file = BufReader::new(File::open(&self.log)?);
        file.seek(SeekFrom::Start(HEADER as u64))?;
        let left = usize::try_from(leaves).map_err(io::Error::other)?;
        Ok((log, Leaves { header, file, left }))
    }

    /// The record goes first: without it, the others are nothing.
    fn remove(&self, disk: &impl Disk) -> Result<()> {
        for path in [&self.record, &self.log, &self.key] {
            disk.remove(path)?;
        }
        Ok(fs::remove_dir(&self.folder)?)
    }
}

/// The leaves in a log, one after the other.
struct Leaves {
    header: Option<[u8; HEADER]>,
    file: BufReader<File>,
    left: usize,
}

impl Iterator for Leaves {
    type Item = Hash;

    fn next(&mut self) -> Option<Hash> {
        self.left = self.left.checked_sub(1)?;
        let mut leaf = [0; LEAF];
        // The sealer refuses to go on if one is missing.
        self.file.read_exact(&mut leaf).ok()?;
        Some(leaf)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Leaves {}

/// What tells a text from others: length and time.
fn apart(text: &File) -> io::Result<Vec<u8>> {
    let metadata = text.metadata()?;
    // A time that the system does not know, or before 1970, tells nothing.
    let time = metadata.modified().ok();
    let time = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = time.map_or(0, |time| time.as_nanos());
    Ok([
        &metadata.len().to_be_bytes()[..],
        &nanoseconds.to_be_bytes(),
    ]
    .concat())
}

fn slot(token: &[u8; TOKEN]) -> Slot<'_> {
    Slot {
        store_key: token,
        generation: 0,
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    os_rng().try_fill_bytes(&mut bytes)?;
    Ok(bytes)
}

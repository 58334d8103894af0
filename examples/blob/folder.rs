//! What a server keeps: a folder of blobs, nodes of their trees, and manifests of packs.
//!
//! ```text
//! ID.blob       a blob
//! ID.nodes      the nodes of its tree, in the order of SPEC §20.2: proofs are read from it, nothing is hashed for them
//! PACKID.pack   a manifest
//! ```
//! A file has such a name only when it is whole and on the disk; until then it is `incoming-…`.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use subrosa::file::tree::{self, Shape};
use subrosa::file::{BlobId, HEADER, SealedChunk};

use crate::Result;
use crate::disk::{Disk, Stored, replace};

/// Such a folder.
#[derive(Clone)]
pub struct Folder(PathBuf);

/// The name of a file in it, and of nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    pub id: [u8; 32],
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Blob,
    Nodes,
    Pack,
}

impl Name {
    pub fn new(id: &[u8; 32], kind: Kind) -> Self {
        Self { id: *id, kind }
    }

    /// Sixty-four lower-case hex digits, and one of the three endings.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, ending) = text.split_once('.')?;
        let kind = match ending {
            "blob" => Kind::Blob,
            "nodes" => Kind::Nodes,
            "pack" => Kind::Pack,
            _ => return None,
        };
        Some(Self {
            id: parse_id(id)?,
            kind,
        })
    }

    pub fn to_text(self) -> String {
        let ending = match self.kind {
            Kind::Blob => "blob",
            Kind::Nodes => "nodes",
            Kind::Pack => "pack",
        };
        format!("{}.{ending}", hex::encode(self.id))
    }
}

/// Sixty-four lower-case hex digits.
pub fn parse_id(text: &str) -> Option<[u8; 32]> {
    let mut id = [0; 32];
    hex::decode_to_slice(text, &mut id).ok()?;
    (hex::encode(id) == text).then_some(id)
}

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder, made if it is not there.
    pub fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self::new(path))
    }

    pub fn path(&self, name: Name) -> PathBuf {
        self.0.join(name.to_text())
    }

    pub fn open(&self, name: Name) -> io::Result<File> {
        File::open(self.path(name))
    }

    /// The proof of a run of leaves of a blob, from what is stored.
    pub fn prove(&self, id: &[u8; 32], leaves: &Range<u64>) -> Result<Vec<u8>> {
        let mut blob = self.open(Name::new(id, Kind::Blob))?;
        let mut nodes = self.open(Name::new(id, Kind::Nodes))?;
        let shape = Shape::new(blob.metadata()?.len())?;
        let mut header = [0; HEADER];
        blob.read_exact(&mut header)?;
        tree::prove(&shape, leaves, &header, |node| {
            let mut hash = [0; 32];
            nodes.seek(SeekFrom::Start(node.place() * 32))?;
            nodes.read_exact(&mut hash)?;
            Ok(hash)
        })
    }

    /// Removes what there is of uploads that nobody has gone on with for `age`; gives how many files that were. Who goes on with
    /// one later stores it from its beginning, the same bytes.
    pub fn forget_uploads(
        &self,
        disk: &impl Disk,
        now: SystemTime,
        age: Duration,
    ) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            if !name.to_str().is_some_and(Incoming::is_name) {
                continue;
            }
            // A time in the future is no age.
            let written = entry.metadata()?.modified()?;
            if now.duration_since(written).is_ok_and(|old| old > age) {
                disk.remove(&entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Keeps the manifest of a pack, in place of the one before.
    pub fn keep_pack(&self, disk: &impl Disk, id: &[u8; 32], manifest: &[u8]) -> io::Result<()> {
        replace(disk, &self.path(Name::new(id, Kind::Pack)), manifest, false)
    }
}

/// A blob that is on its way into a folder.
pub struct Incoming<'a> {
    folder: &'a Folder,
    blob: Stored,
    nodes: Stored,
}

/// In front of the token.
const INCOMING: &str = "incoming-";

impl Incoming<'_> {
    /// Whether a file of an upload is called so, and no other.
    fn is_name(name: &str) -> bool {
        let Some((token, "blob" | "nodes")) = name
            .strip_prefix(INCOMING)
            .and_then(|rest| rest.split_once('.'))
        else {
            return false;
        };
        let mut bytes = [0; 16];
        hex::decode_to_slice(token, &mut bytes).is_ok() && hex::encode(bytes) == token
    }
}

impl<'a> Incoming<'a> {
    /// The one with this token, from its beginning: what is there already is not written again.
    pub fn open(folder: &'a Folder, token: &[u8; 16]) -> io::Result<Self> {
        let path = |ending: &str| {
            let name = format!("{INCOMING}{}.{ending}", hex::encode(token));
            folder.0.join(name)
        };
        Ok(Self {
            folder,
            blob: Stored::open(path("blob"), false)?,
            nodes: Stored::open(path("nodes"), false)?,
        })
    }

    pub fn put(&mut self, disk: &impl Disk, batch: &Batch) -> io::Result<()> {
        self.blob.put(disk, &batch.bytes)?;
        self.nodes.put(disk, &batch.nodes).map(drop)
    }

    /// It is whole: it has its name now.
    pub fn finish(mut self, disk: &impl Disk, id: &BlobId) -> io::Result<()> {
        self.nodes.end(disk)?;
        self.blob.end(disk)?;
        // The blob last: where it is, its nodes are.
        for (stored, kind) in [(self.nodes, Kind::Nodes), (self.blob, Kind::Blob)] {
            let path = self.folder.path(Name::new(id.as_bytes(), kind));
            disk.rename(&stored.path, &path)?;
        }
        Ok(())
    }
}

/// Sealed chunks that leave together.
#[derive(Default)]
pub struct Batch {
    pub bytes: Vec<u8>,
    pub nodes: Vec<u8>,
    /// The header, if chunk 0 is among them, and the leaves.
    pub log: Vec<u8>,
    pub chunks: usize,
}

impl Batch {
    pub fn push(&mut self, chunk: &SealedChunk<'_>) {
        self.bytes.extend_from_slice(chunk.header());
        self.bytes.extend_from_slice(chunk.bytes());
        self.nodes.extend_from_slice(chunk.nodes().as_flattened());
        self.log.extend_from_slice(chunk.header());
        self.log.extend_from_slice(chunk.leaf());
        self.chunks += 1;
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.nodes.clear();
        self.log.clear();
        self.chunks = 0;
    }
}

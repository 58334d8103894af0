//! Where blobs and manifests come from. Nothing that it gives is trusted.

use std::ffi::OsStr;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use subrosa::file::pack::limits::SEALED_MAX;

use crate::Result;
use crate::folder::{Folder, Kind, Name};

mod web;

pub use web::Web;

/// A folder, or a server; or, in a test, one that fails or lies.
pub trait Source {
    /// Exactly these bytes of a blob, in place of what was in `into`.
    fn blob(&self, id: &[u8; 32], place: &Range<u64>, into: &mut Vec<u8>) -> Result<()>;

    /// The proof of a run of leaves, which has this length.
    fn proof(&self, id: &[u8; 32], leaves: &Range<u64>, length: usize) -> Result<Vec<u8>>;

    /// The manifest of a pack.
    fn pack(&self, id: &[u8; 32]) -> Result<Vec<u8>>;
}

/// The source that an argument names.
pub fn of(text: &OsStr) -> Box<dyn Source> {
    match text.to_str().filter(|text| text.starts_with("http://")) {
        Some(address) => Box::new(Web::new(address)),
        None => Box::new(Folder::new(Path::new(text))),
    }
}

impl Source for Folder {
    fn blob(&self, id: &[u8; 32], place: &Range<u64>, into: &mut Vec<u8>) -> Result<()> {
        let mut file = self.open(Name::new(id, Kind::Blob))?;
        file.seek(SeekFrom::Start(place.start))?;
        let length = place.end - place.start;
        exactly(file.take(length), length, into)
    }

    fn proof(&self, id: &[u8; 32], leaves: &Range<u64>, _length: usize) -> Result<Vec<u8>> {
        self.prove(id, leaves)
    }

    fn pack(&self, id: &[u8; 32]) -> Result<Vec<u8>> {
        at_most(self.open(Name::new(id, Kind::Pack))?, SEALED_MAX)
    }
}

/// All of a stream, which has to have this length.
fn exactly(stream: impl Read, length: u64, into: &mut Vec<u8>) -> Result<()> {
    into.clear();
    stream.take(length.saturating_add(1)).read_to_end(into)?;
    if into.len() as u64 != length {
        return Err(format!("the source gives other than {length} bytes").into());
    }
    Ok(())
}

/// All of a stream, which has at most this length.
fn at_most(stream: impl Read, length: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream
        .take(length.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > length {
        return Err(format!("the source gives more than {length} bytes").into());
    }
    Ok(bytes)
}

//! What anybody can check who has a blob and no key: a server, above all.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use indicatif::ProgressBar;
use subrosa::file::BlobId;
use subrosa::file::tree::{BlobHasher, Hash};

use crate::Result;
use crate::folder::{Folder, Kind, Name};

/// Compares a blob with the id that is its name, and its nodes with those that follow from it; tells its length.
pub fn verify(file: &Path, bar: &ProgressBar) -> Result<(BlobId, u64)> {
    let name = file
        .file_name()
        .and_then(|name| Name::parse(name.to_str()?));
    let Some(name) = name.filter(|name| name.kind == Kind::Blob) else {
        return Err("a blob is called by 64 hex digits and `.blob`".into());
    };
    let folder = Folder::new(file.parent().unwrap_or(Path::new("")));
    let mut nodes = BufReader::new(folder.open(Name::new(&name.id, Kind::Nodes))?);
    let blob = File::open(file)?;
    let length = blob.metadata()?.len();
    bar.set_length(length);
    let mut blob = bar.wrap_read(blob);
    let (mut hasher, mut buffer) = (BlobHasher::new(), vec![0; 1 << 16]);
    let mut good = true;
    loop {
        let mut rest = match blob.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => &buffer[..count],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        while let Some(completed) = hasher.feed(&mut rest)? {
            good &= begins_with(&mut nodes, completed)?;
        }
    }
    let (id, completed) = hasher.finish()?;
    if *id.as_bytes() != name.id {
        return Err("the blob is another than its name says".into());
    }
    if !good || !begins_with(&mut nodes, completed)? || nodes.read(&mut [0])? > 0 {
        return Err("the nodes are not those of the blob".into());
    }
    bar.finish();
    Ok((id, length))
}

/// Whether these are the next nodes.
fn begins_with(nodes: &mut impl Read, wanted: &[Hash]) -> Result<bool> {
    for hash in wanted {
        let mut found = [0; 32];
        match nodes.read_exact(&mut found) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            result => result?,
        }
        if found != *hash {
            return Ok(false);
        }
    }
    Ok(true)
}

//! From a blob that is elsewhere to a file, whatever happens in between.
//!
//! ```text
//! OUT.part          text, each piece of which was verified before it was written
//! OUT.part.leaves   the blob's id, and then how many of its leaves are in there for good, 8 bytes each time
//! ```

use std::path::Path;

use indicatif::ProgressBar;
use subrosa::file::{CHUNK, Fetch};

use crate::Result;
use crate::disk::{Disk, Stored, beside, content, replace};
use crate::source::Source;

/// Leaves that are fetched in one go: a mebibyte of text.
pub const RUN: u64 = 64;

const NOTE: usize = size_of::<u64>();

/// Fetches and opens a blob into a file, in place of whatever was there, or goes on with it.
pub fn open(
    fetch: &Fetch<'_>,
    source: &dyn Source,
    out: &Path,
    disk: &impl Disk,
    bar: &ProgressBar,
) -> Result<()> {
    let id = fetch.id();
    let mut part = Part::begin(fetch, out, disk)?;
    let mut pieces = fetch.pieces();
    let mut stored = Vec::new();
    bar.set_length(fetch.blob().text_len());
    // Padding is opened with the rest: who has opened all of a blob knows that it is the one.
    while part.leaves < fetch.shape().leaves() {
        let next = part.leaves.saturating_add(RUN).min(fetch.shape().leaves());
        let piece = pieces.run(part.leaves..next)?;
        source.blob(id.as_bytes(), piece.place(), &mut stored)?;
        let proof = source.proof(id.as_bytes(), piece.leaves(), piece.proof_len())?;
        for text in pieces.open(&piece, &mut stored, &proof)? {
            disk.write(&mut part.text, text)?;
        }
        part.note(next, disk)?;
        bar.set_position(piece.text().end);
    }
    part.finish(out, disk)?;
    bar.finish();
    Ok(())
}

/// What is there of a file.
struct Part {
    text: Stored,
    notes: Stored,
    /// How many leaves are in it.
    leaves: u64,
}

impl Part {
    fn begin(fetch: &Fetch<'_>, out: &Path, disk: &impl Disk) -> Result<Self> {
        let text = beside(out, ".part");
        let notes = beside(&text, ".leaves");
        let id = fetch.id();
        let text_of = |leaves: u64| {
            fetch
                .blob()
                .text_len()
                .min(leaves.saturating_mul(CHUNK as u64))
        };
        let known = content(&notes)?.unwrap_or_default();
        let mut text = Stored::open(text, false)?;
        let (noted, _) = known
            .strip_prefix(id.as_bytes())
            .unwrap_or_default()
            .as_chunks::<NOTE>();
        let leaves = noted.last().map_or(0, |last| u64::from_be_bytes(*last));
        let mut leaves = leaves.min(fetch.shape().leaves());
        let mut end = id.as_bytes().len() + noted.len() * NOTE;
        // Of another blob, or of one that has its name already: what is there counts for nothing.
        if noted.is_empty() || text.len()? < text_of(leaves) {
            replace(disk, &notes, id.as_bytes(), false)?;
            (leaves, end) = (0, id.as_bytes().len());
        }
        disk.set_len(&text, text_of(leaves))?;
        text.seek(text_of(leaves))?;
        let mut notes = Stored::open(notes, false)?;
        notes.seek(end as u64)?;
        Ok(Self {
            text,
            notes,
            leaves,
        })
    }

    /// So many leaves are in it now.
    fn note(&mut self, leaves: u64, disk: &impl Disk) -> Result<()> {
        disk.sync(&self.text)?;
        disk.write(&mut self.notes, &leaves.to_be_bytes())?;
        self.leaves = leaves;
        Ok(())
    }

    fn finish(self, out: &Path, disk: &impl Disk) -> Result<()> {
        disk.rename(&self.text.path, out)?;
        Ok(disk.remove(&self.notes.path)?)
    }
}

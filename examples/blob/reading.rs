//! Any piece of a blob that is elsewhere.

use std::io::Write;
use std::ops::Range;

use subrosa::file::{CHUNK, Fetch};

use crate::Result;
use crate::opening::RUN;
use crate::source::Source;

/// Writes a piece of the text; tells how long it was, as the text may end before, and how many bytes were fetched for it.
pub fn read(
    fetch: &Fetch<'_>,
    source: &dyn Source,
    text: &Range<u64>,
    out: &mut impl Write,
) -> Result<(u64, u64)> {
    let id = fetch.id();
    let mut pieces = fetch.pieces();
    let (mut stored, mut fetched) = (Vec::new(), 0);
    let end = text.end.min(fetch.blob().text_len());
    let mut at = text.start;
    loop {
        let next = (at / CHUNK as u64 + RUN)
            .saturating_mul(CHUNK as u64)
            .min(end);
        let piece = pieces.piece(&(at..next))?;
        source.blob(id.as_bytes(), piece.place(), &mut stored)?;
        let proof = source.proof(id.as_bytes(), piece.leaves(), piece.proof_len())?;
        fetched += (stored.len() + proof.len()) as u64;
        for text in pieces.open(&piece, &mut stored, &proof)? {
            out.write_all(text)?;
        }
        at = next;
        if at == end {
            out.flush()?;
            return Ok((end - text.start, fetched));
        }
    }
}

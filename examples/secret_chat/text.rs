//! The text of the demonstration: this repository's own specification, line by line.

const TEXT: &str = include_str!("../../SPEC.md");

pub const NAME: &str = "SPEC.md";

/// The first `limit` lines, each with its end: joined they are the text again.
pub fn lines(limit: usize) -> Vec<&'static [u8]> {
    let lines = TEXT.split_inclusive('\n').map(str::as_bytes);
    lines.take(limit).collect()
}

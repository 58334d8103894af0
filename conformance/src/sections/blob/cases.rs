//! The cases.

use crate::generate::Cases;
use crate::model::blob as model;

mod descriptors;
mod padding;
mod trees;
mod uploads;
mod wholes;

type Hash = [u8; 32];

/// Bytes of a chunk of text.
const CHUNK: usize = 16_384;
/// Bytes of a sealed one.
const SEALED: usize = 16_400;
/// Bytes in front of the first.
const HEADER: usize = 56;

pub(super) fn cases(cases: &mut Cases) {
    trees::trees(cases);
    trees::runs(cases);
    wholes::lengths(cases);
    uploads::records(cases);
    wholes::blobs(cases);
    uploads::resumed(cases);
    wholes::pieces(cases);
    padding::runs(cases);
    descriptors::descriptors(cases);
}

fn record(cases: &Cases) -> model::Record {
    model::Record::new(&cases.array("random"), b"apart", "video/mp4")
}

/// A text whose place can be told from its bytes, and that JSON holds shortly enough.
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place / 64 % 251) as u8).collect()
}

/// A blob by the model, and its descriptor.
fn made(cases: &mut Cases, record: &model::Record, text: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let made = record.seal(text);
    cases.made("a blob", made).unwrap_or_default()
}

//! Runs of a blob's chunks, and what stands behind its text in them.

use serde_json::{Value, json};

use super::{CHUNK, HEADER, Hash, SEALED, made, record, text};
use crate::generate::Cases;
use crate::model::blob as model;

/// A blob, and a descriptor of it that says another length.
struct Blob {
    stored: Vec<u8>,
    leaves: Vec<Hash>,
    descriptor: Vec<u8>,
    shorter: Vec<u8>,
}

impl Blob {
    /// With a text of this length, of which the last bytes are said to be padding.
    fn new(cases: &mut Cases, length: usize, less: usize) -> Self {
        let record = record(cases);
        let (stored, descriptor) = made(cases, &record, &text(length));
        let leaves = model::leaves(&stored);
        let header = stored.get(..HEADER).unwrap_or_default();
        let shorter = model::Blob {
            id: model::id(header, stored.len() as u64, &leaves),
            key: record.key(),
            length: (length - less) as u64,
            media_type: record.media_type,
        };
        Self {
            shorter: shorter.descriptor(&[0]),
            stored,
            leaves,
            descriptor,
        }
    }

    /// What is wanted, and the chunks of this run.
    fn input(&self, descriptor: &[u8], wanted: (u64, u64), run: (u64, u64)) -> Value {
        let header = self.stored.get(..HEADER).unwrap_or_default();
        let place = |leaf: u64| (HEADER + leaf as usize * SEALED).min(self.stored.len());
        let bytes = self.stored.get(place(run.0)..place(run.1));
        json!({
            "descriptor": hex::encode(descriptor),
            "from": wanted.0.to_string(),
            "to": wanted.1.to_string(),
            "bytes": hex::encode(bytes.unwrap_or_default()),
            "proof": hex::encode(model::proof(header, &self.leaves, run)),
        })
    }
}

pub(super) fn runs(cases: &mut Cases) {
    // The last chunk has 100 bytes of text and 1,948 of padding.
    let blob = Blob::new(cases, 2 * CHUNK + 100, 10);
    let last = (2, 3);
    let (first, length) = (2 * CHUNK as u64, 2 * CHUNK as u64 + 100);
    let input = blob.input(&blob.descriptor, last, last);
    let opened = cases.accept_digest("open-run-last", "open_run", "", input);
    let expected = text(2 * CHUNK + 100).split_off(2 * CHUNK);
    cases.same("open-run-last", opened.bytes("text"), expected);
    for (name, run) in [("none", (1, 1)), ("behind-the-end", (2, 4))] {
        let input = blob.input(&blob.descriptor, run, last);
        let id = format!("open-run-{name}");
        cases.refuse(&id, "open_run", "OutOfRange", "", input);
    }
    let comment = "The descriptor says ten bytes less: they are text where padding is.";
    let input = blob.input(&blob.shorter, last, last);
    cases.refuse(
        "open-run-text-in-the-padding",
        "open_run",
        "Padding",
        comment,
        input,
    );
    let comment = "The same, though of the chunk only text is wanted.";
    let input = blob.input(&blob.shorter, (first, length - 50), last);
    cases.refuse(
        "open-piece-text-in-the-padding",
        "open_piece",
        "Padding",
        comment,
        input,
    );

    // 67 chunks: 64 of text, one with a byte of it, one of padding alone, and the last, which is empty.
    let blob = Blob::new(cases, (1 << 20) + 1, 0);
    let input = blob.input(&blob.descriptor, (65, 67), (65, 67));
    let opened = cases.accept_digest("open-run-padding-alone", "open_run", "", input);
    cases.same("open-run-padding-alone", opened.bytes("text"), Vec::new());
    let blob = Blob::new(cases, (1 << 20) + CHUNK + 5, CHUNK + 4);
    let comment =
        "The descriptor says one byte more than a MiB: in chunk 65 there are five of text.";
    let input = blob.input(&blob.shorter, (65, 66), (65, 66));
    cases.refuse(
        "open-run-text-in-padding-alone",
        "open_run",
        "Padding",
        comment,
        input,
    );
}

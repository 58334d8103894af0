//! Blobs, opened whole and in pieces.

use serde_json::{Value, json};

use super::{CHUNK, HEADER, Hash, SEALED, made, record, text};
use crate::generate::Cases;
use crate::model::blob as model;

pub(super) fn lengths(cases: &mut Cases) {
    let longest = (1u64 << 52) - (1 << 45);
    for text in [
        0,
        1,
        192,
        193,
        1025,
        16_383,
        16_384,
        (1 << 20) + 1,
        (4 << 30) + 1,
        longest,
    ] {
        let id = format!("lengths-{text}");
        let answer = cases.accept(&id, "lengths", "", json!({"text": text.to_string()}));
        let padded = model::padded(text)
            .map(|padded| Value::from(padded.to_string()))
            .ok();
        cases.same(&id, answer.get("padded"), padded.as_ref());
    }
    for text in [longest + 1, (1 << 52) - 1, u64::MAX] {
        let id = format!("lengths-{text}");
        cases.refuse(
            &id,
            "lengths",
            "TooLong",
            "",
            json!({"text": text.to_string()}),
        );
    }
}

pub(super) fn blobs(cases: &mut Cases) {
    let record = record(cases);
    for length in [0, 1, 193, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5] {
        let text = text(length);
        let id = format!("seal-{length}");
        let input = json!({"record": hex::encode(record.encode()), "text": hex::encode(&text)});
        let answer = cases.accept_digest(&id, "seal", "", input);
        let (stored, descriptor) = made(cases, &record, &text);
        cases.same(&id, answer.bytes("stored"), stored.clone());
        cases.same(&id, answer.bytes("descriptor"), descriptor.clone());
        let id = format!("open-{length}");
        let opened = cases.accept_digest(&id, "open", "", opening(&descriptor, &stored));
        cases.same(&id, opened.bytes("text"), text);
        cases.same(&id, opened.get("refused"), Some(&Value::Null));
    }
    let text = text(CHUNK + 100);
    let (stored, descriptor) = made(cases, &record, &text);
    let altered = |place: usize| {
        let mut stored = stored.clone();
        if let Some(byte) = stored.get_mut(place) {
            *byte ^= 2;
        }
        stored
    };
    let claim = |length: usize, id: Option<Hash>| {
        let mut blob = model::Blob {
            id: [0; 32],
            key: record.key(),
            length: length as u64,
            media_type: record.media_type.clone(),
        };
        let leaves = model::leaves(&stored);
        let header = stored.get(..HEADER).unwrap_or_default();
        blob.id = id.unwrap_or_else(|| model::id(header, stored.len() as u64, &leaves));
        blob.descriptor(&[0])
    };
    let mut other = text.clone();
    if let Some(byte) = other.first_mut() {
        *byte ^= 1;
    }
    let other = made(cases, &record, &other).0;
    let refusals = [
        (
            "cut",
            descriptor.clone(),
            stored.get(..stored.len() - 1).unwrap_or_default().to_vec(),
            "Chunk",
        ),
        (
            "first-chunk-only",
            descriptor.clone(),
            stored.get(..HEADER + SEALED).unwrap_or_default().to_vec(),
            "Truncated",
        ),
        (
            "byte-more",
            descriptor.clone(),
            [&stored[..], &[0]].concat(),
            "Ended",
        ),
        (
            "altered-header",
            descriptor.clone(),
            altered(30),
            "Commitment",
        ),
        (
            "altered-chunk",
            descriptor.clone(),
            altered(HEADER),
            "Chunk",
        ),
        (
            "another-id",
            claim(CHUNK + 100, Some([7; 32])),
            stored.clone(),
            "Id",
        ),
        ("another-text", descriptor.clone(), other, "Id"),
        (
            "shorter-than-said",
            claim(20_000, None),
            stored.clone(),
            "Truncated",
        ),
        (
            "longer-than-said",
            claim(1000, None),
            stored.clone(),
            "Ended",
        ),
        (
            "text-in-the-padding",
            claim(CHUNK + 90, None),
            stored.clone(),
            "Padding",
        ),
    ];
    for (name, descriptor, stored, error) in refusals {
        let id = format!("open-{name}");
        let answer = cases.accept_digest(&id, "open", "", opening(&descriptor, &stored));
        cases.same(&id, answer.get("refused"), Some(&error.into()));
    }
}

fn opening(descriptor: &[u8], stored: &[u8]) -> Value {
    json!({"descriptor": hex::encode(descriptor), "stored": hex::encode(stored)})
}

pub(super) fn pieces(cases: &mut Cases) {
    let record = record(cases);
    let whole = text(2 * CHUNK + 100);
    let (stored, descriptor) = made(cases, &record, &whole);
    let header = stored.get(..HEADER).unwrap_or_default();
    let leaves = model::leaves(&stored);
    let wanted = |from: u64, to: u64| json!({"descriptor": hex::encode(&descriptor), "from": from.to_string(), "to": to.to_string()});
    let length = whole.len() as u64;
    let chunk = CHUNK as u64;
    for (from, to) in [
        (0, 1),
        (100, chunk + 1),
        (chunk, 2 * chunk),
        (chunk + 5, length),
        (0, u64::MAX),
        (length - 1, length),
    ] {
        let name = format!("{from}-{to}");
        let end = to.min(length);
        let run = (from / chunk, end.div_ceil(chunk));
        let place =
            HEADER + run.0 as usize * SEALED..(HEADER + run.1 as usize * SEALED).min(stored.len());
        let proof = model::proof(header, &leaves, run);
        let answer = cases.accept(&format!("piece-{name}"), "piece", "", wanted(from, to));
        for (field, value) in [
            ("first_leaf", run.0),
            ("end_leaf", run.1),
            ("first_byte", place.start as u64),
            ("end_byte", place.end as u64),
            ("proof", proof.len() as u64),
        ] {
            cases.same(&name, answer.get(field), Some(&value.to_string().into()));
        }
        let bytes = stored.get(place).unwrap_or_default();
        let input = with(wanted(from, to), bytes, &proof);
        let opened = cases.accept_digest(&format!("open-piece-{name}"), "open_piece", "", input);
        let wanted = whole.get(from as usize..end as usize).unwrap_or_default();
        cases.same(&name, opened.bytes("text").as_slice(), wanted);
    }
    for (name, from, to) in [
        ("empty", 7, 7),
        ("behind-the-end", length, length + 1),
        ("backwards", 9, 8),
    ] {
        cases.refuse(
            &format!("piece-{name}"),
            "piece",
            "OutOfRange",
            "",
            wanted(from, to),
        );
        let input = with(wanted(from, to), &[], &[]);
        cases.refuse(
            &format!("open-piece-{name}"),
            "open_piece",
            "OutOfRange",
            "",
            input,
        );
    }
    let first = stored.get(HEADER..HEADER + SEALED).unwrap_or_default();
    let second = stored
        .get(HEADER + SEALED..HEADER + 2 * SEALED)
        .unwrap_or_default();
    let proof = model::proof(header, &leaves, (0, 1));
    let another_proof = model::proof(header, &leaves, (1, 2));
    let mut altered = first.to_vec();
    if let Some(byte) = altered.get_mut(9000) {
        *byte ^= 1;
    }
    let shorter = first.get(1..).unwrap_or_default();
    for (name, bytes, proof, error) in [
        ("altered", &altered[..], &proof, "Proof"),
        ("another-chunk", second, &proof, "Proof"),
        ("proof-of-another-chunk", first, &another_proof, "Proof"),
        ("shorter", shorter, &proof, "Truncated"),
    ] {
        let input = with(wanted(0, 10), bytes, proof);
        cases.refuse(
            &format!("open-piece-{name}"),
            "open_piece",
            error,
            "",
            input,
        );
    }
    // What only a blob's maker can do: an id over chunks that do not open.
    let blob = |key: Hash, leaves: &[Hash]| {
        let blob = model::Blob {
            id: model::id(header, stored.len() as u64, leaves),
            key,
            length,
            media_type: record.media_type.clone(),
        };
        blob.descriptor(&[0])
    };
    let mut lying = leaves.clone();
    if let Some(leaf) = lying.first_mut() {
        *leaf = model::leaf(&altered);
    }
    for (name, descriptor, bytes, leaves, error) in [
        (
            "another-key",
            blob([3; 32], &leaves),
            first,
            &leaves,
            "Commitment",
        ),
        (
            "chunk-of-no-key",
            blob(record.key(), &lying),
            &altered,
            &lying,
            "Chunk",
        ),
    ] {
        let input = json!({
            "descriptor": hex::encode(descriptor),
            "from": "0",
            "to": "10",
            "bytes": hex::encode(bytes),
            "proof": hex::encode(model::proof(header, leaves, (0, 1))),
        });
        cases.refuse(
            &format!("open-piece-{name}"),
            "open_piece",
            error,
            "",
            input,
        );
    }
}

/// The same with what was fetched.
fn with(mut wanted: Value, bytes: &[u8], proof: &[u8]) -> Value {
    if let Some(input) = wanted.as_object_mut() {
        input.insert("bytes".to_owned(), hex::encode(bytes).into());
        input.insert("proof".to_owned(), hex::encode(proof).into());
    }
    wanted
}

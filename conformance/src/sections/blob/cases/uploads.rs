//! Records, and uploads that are resumed.

use serde_json::json;

use super::super::tree::in_hex;
use super::{CHUNK, HEADER, Hash, SEALED, made, record, text};
use crate::generate::Cases;
use crate::model::blob as model;
use crate::model::formula::Container;

pub(super) fn records(cases: &mut Cases) {
    for (name, apart, media_type, first) in [
        ("plain", &b""[..], "image/webp", &b"text"[..]),
        ("apart", b"40000 bytes", "image/webp", b"text"),
        ("another-text", b"", "image/webp", b"Text"),
        ("shortest-type", b"", "a/b", b""),
    ] {
        let id = format!("record-{name}");
        let random = cases.array("random");
        let input = json!({
            "random": hex::encode(random),
            "apart": hex::encode(apart),
            "media_type": media_type,
            "first": hex::encode(first),
        });
        let answer = cases.accept(&id, "record", "", input);
        let model = model::Record::new(&random, apart, media_type);
        cases.same(&id, answer.bytes("record"), model.encode());
        cases.same(&id, answer.bytes("key").as_slice(), &model.key());
        cases.same(&id, answer.bytes("salt"), model.salt(first));
    }
    let part = "a".repeat(64);
    for (name, media_type) in [
        ("empty", ""),
        ("no-subtype", "image/"),
        ("no-slash", "image"),
        ("capital", "image/WebP"),
        ("parameter", "text/plain; charset=utf-8"),
        ("path", "../image"),
        ("two-slashes", "a/b/c"),
        ("long-part", &format!("{part}/b")),
        ("not-ascii", "a/\u{e9}"),
    ] {
        let input = json!({
            "random": cases.hex("random", 32), "apart": "", "media_type": media_type, "first": "",
        });
        cases.refuse(&format!("record-{name}"), "record", "Malformed", "", input);
    }
    stored_records(cases);
}

fn stored_records(cases: &mut Cases) {
    let plaintext = record(cases).encode();
    let slot = json!({
        "store_key": hex::encode("upload"), "generation": "7", "app_key": cases.hex("app key", 32),
    });
    let with = |more: &[(&str, String)]| {
        let mut input = slot.clone();
        if let Some(input) = input.as_object_mut() {
            let more = more.iter().cloned();
            input.extend(more.map(|(name, value)| (name.to_owned(), value.into())));
        }
        input
    };
    let salt: Hash = cases.array("export salt");
    let salt_field = ("salt", hex::encode(salt));
    let input = with(&[("record", hex::encode(&plaintext)), salt_field.clone()]);
    let exported = cases
        .accept("export", "export", "", input)
        .bytes("exported");
    let container = Container {
        kind: 12,
        version: 1,
        store_key: b"upload".to_vec(),
        generation: 7,
        app_key: cases.array("app key"),
    };
    let made = |cases: &mut Cases, container: &Container, plaintext: &[u8]| {
        let sealed = container.seal(&salt, plaintext);
        cases
            .made("export", sealed)
            .map(|sealed| sealed.exported)
            .unwrap_or_default()
    };
    let model = made(cases, &container, &plaintext);
    cases.same("export", &exported, &model);
    for (name, plaintext) in [
        ("empty", vec![]),
        ("short", plaintext.get(..40).unwrap_or_default().to_vec()),
        ("byte-more", [&plaintext[..], &[0]].concat()),
        ("no-type", [&[1; 32][..], &[0]].concat()),
    ] {
        let input = with(&[("record", hex::encode(&plaintext)), salt_field.clone()]);
        cases.refuse(&format!("export-{name}"), "export", "Malformed", "", input);
        let exported = made(cases, &container, &plaintext);
        let input = with(&[("exported", hex::encode(exported))]);
        cases.refuse(&format!("import-{name}"), "import", "Integrity", "", input);
    }
    let input = with(&[("exported", hex::encode(&exported))]);
    let imported = cases.accept("import", "import", "", input);
    cases.same("import", imported.bytes("record"), plaintext.clone());
    let mut altered = exported.clone();
    if let Some(last) = altered.last_mut() {
        *last ^= 1;
    }
    let another = cases.hex("another app key", 32);
    for (name, input) in [
        ("altered", with(&[("exported", hex::encode(altered))])),
        (
            "generation",
            with(&[
                ("exported", hex::encode(&exported)),
                ("generation", "8".to_owned()),
            ]),
        ),
        (
            "app-key",
            with(&[("exported", hex::encode(&exported)), ("app_key", another)]),
        ),
    ] {
        cases.refuse(
            &format!("import-another-{name}"),
            "import",
            "Integrity",
            "",
            input,
        );
    }
    let other_kind = Container {
        kind: 11,
        ..container.clone()
    };
    let exported = made(cases, &other_kind, &plaintext);
    let input = with(&[("exported", hex::encode(exported))]);
    cases.refuse("import-another-kind", "import", "Integrity", "", input);
    let newer = Container {
        version: 2,
        ..container
    };
    let exported = made(cases, &newer, &plaintext);
    let input = with(&[("exported", hex::encode(exported))]);
    cases.refuse("import-newer", "import", "UnknownVersion", "", input);
}

pub(super) fn resumed(cases: &mut Cases) {
    let record = record(cases);
    let whole = text(2 * CHUNK + 100);
    let (stored, descriptor) = made(cases, &record, &whole);
    let (header, body) = stored.split_at(HEADER);
    let leaves = model::leaves(&stored);
    let input = |header: Option<&[u8]>, leaves: &[Hash], from: usize, text: &[u8]| {
        let rest = text.get(from * CHUNK..).unwrap_or_default();
        json!({
            "record": hex::encode(record.encode()),
            "header": header.map(hex::encode),
            "leaves": in_hex(leaves),
            "from": from.to_string(),
            "text": hex::encode(rest),
        })
    };
    for (recorded, from) in [(0, 0), (1, 0), (1, 1), (2, 1), (3, 2), (3, 0)] {
        let id = format!("resume-{recorded}-{from}");
        let log = leaves.get(..recorded).unwrap_or_default();
        let answer = cases.accept_digest(&id, "resume", "", input(Some(header), log, from, &whole));
        let rest = body.get(from * SEALED..).unwrap_or_default();
        let front = if from == 0 { header } else { &[] };
        cases.same(&id, answer.bytes("left"), [front, rest].concat());
        cases.same(&id, answer.bytes("descriptor"), descriptor.clone());
    }
    let mut altered = whole.clone();
    if let Some(byte) = altered.get_mut(CHUNK) {
        *byte ^= 1;
    }
    let longer = [&whole[..], &text(5000)].concat();
    let shorter = whole.get(..2 * CHUNK).unwrap_or_default().to_vec();
    for (name, recorded, from, text, left) in [
        ("altered-at-once", 2, 1, &altered, 0),
        ("altered-later", 3, 0, &altered, HEADER + SEALED),
        ("longer", 3, 2, &longer, 0),
        ("shorter", 3, 1, &shorter, SEALED),
    ] {
        let id = format!("resume-{name}");
        let log = leaves.get(..recorded).unwrap_or_default();
        let answer = cases.accept_digest(&id, "resume", "", input(Some(header), log, from, text));
        cases.same(&id, answer.get("refused"), Some(&"Altered".into()));
        cases.same(&id, answer.bytes("left").len(), left);
    }
    let id = "resume-altered-before-anything-was-recorded";
    let mut first = whole.clone();
    if let Some(byte) = first.first_mut() {
        *byte ^= 1;
    }
    let answer = cases.accept_digest(id, "resume", "another salt", input(None, &[], 0, &first));
    let (other, _) = made(cases, &record, &first);
    cases.same(id, answer.bytes("left"), other);
    let mut foreign = header.to_vec();
    if let Some(byte) = foreign.first_mut() {
        *byte ^= 1;
    }
    for (name, input, error) in [
        ("no-header", input(None, &leaves, 0, &whole), "Truncated"),
        (
            "another-header",
            input(Some(&foreign), &leaves, 0, &whole),
            "Commitment",
        ),
        (
            "behind-the-log",
            input(Some(header), &leaves, 4, &whole),
            "OutOfRange",
        ),
    ] {
        cases.refuse(&format!("resume-{name}"), "resume", error, "", input);
    }
}

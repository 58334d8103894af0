//! Descriptors.

use serde_json::json;

use crate::generate::Cases;
use crate::model::blob as model;
use crate::model::formula::vector;

pub(super) fn descriptors(cases: &mut Cases) {
    let part = "a".repeat(63);
    let blob = |media_type: &str, length: u64| model::Blob {
        id: [1; 32],
        key: [2; 32],
        length,
        media_type: media_type.as_bytes().to_vec(),
    };
    let plain = blob("video/mp4", 1 << 32);
    let inline = |media_type: &str, bytes: &[u8]| {
        let media_type = vector(media_type.as_bytes());
        [&[1][..], &media_type, &vector(bytes)].concat()
    };
    let with = |tail: &[u8]| json!({"descriptor": hex::encode(plain.descriptor(tail))});
    let of = |blob: model::Blob| json!({"descriptor": hex::encode(blob.descriptor(&[0]))});
    let longest = format!("{part}/{part}");
    let most = (1u64 << 52) - (1 << 45);
    let thumbnail = blob("image/webp", 5000);
    for (name, input) in [
        ("plain", with(&[0])),
        ("empty-file", of(blob("a/b", 0))),
        ("longest-file", of(blob("a/b", most))),
        ("longest-type", of(blob(&longest, 1))),
        ("inline", with(&inline("image/webp", b"picture"))),
        ("longest-inline", with(&inline("image/webp", &[9; 16_384]))),
        ("thumbnail", with(&[&[2][..], &thumbnail.encode()].concat())),
    ] {
        let id = format!("descriptor-{name}");
        let answer = cases.accept_digest(&id, "descriptor", "", input);
        let media_type = answer.get("blob").and_then(|blob| blob.get("media_type"));
        cases.same(&id, media_type.is_some(), true);
    }
    let bytes = plain.descriptor(&[0]);
    let front =
        |length: usize| json!({"descriptor": hex::encode(bytes.get(..length).unwrap_or_default())});
    let mut newer = bytes.clone();
    if let Some(version) = newer.first_mut() {
        *version = 2;
    }
    let mut long_form = bytes.clone();
    // The length of the media type in two bytes, where one does.
    long_form.splice(73..74, [0x40, 9]);
    let refusals = [
        ("empty", front(0), "Malformed"),
        ("version-only", front(1), "Malformed"),
        ("cut", front(bytes.len() - 1), "Malformed"),
        ("byte-more", with(&[0, 0]), "Malformed"),
        (
            "newer",
            json!({"descriptor": hex::encode(newer)}),
            "UnknownVersion",
        ),
        ("too-long", with(&inline(&longest, &[9; 16_600])), "TooLong"),
        (
            "long-form",
            json!({"descriptor": hex::encode(long_form)}),
            "Malformed",
        ),
        ("another-thumbnail", with(&[3]), "Malformed"),
        (
            "empty-inline",
            with(&inline("image/webp", b"")),
            "Malformed",
        ),
        (
            "long-inline",
            with(&inline("image/webp", &[9; 16_385])),
            "Malformed",
        ),
        (
            "inline-without-type",
            with(&inline("", b"picture")),
            "Malformed",
        ),
        ("file-too-long", of(blob("a/b", most + 1)), "Malformed"),
        ("type-in-capitals", of(blob("Video/mp4", 1)), "Malformed"),
        (
            "type-is-a-path",
            of(blob("../../etc/passwd", 1)),
            "Malformed",
        ),
        (
            "type-too-long",
            of(blob(&format!("{longest}a"), 1)),
            "Malformed",
        ),
        ("type-with-zero", of(blob("a/b\0", 1)), "Malformed"),
    ];
    for (name, input, error) in refusals {
        cases.refuse(
            &format!("descriptor-{name}"),
            "descriptor",
            error,
            "",
            input,
        );
    }
}

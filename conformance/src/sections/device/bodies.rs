//! SPEC §19.1: bodies.

use serde_json::{Value, json};

use super::shown;
use crate::generate::Cases;
use crate::model::formula::Bytes32;
use crate::model::values::{Body, Content, View};
use crate::op::Refusal;

/// Takes a body apart, both ways the same.
fn parse(cases: &mut Cases, id: &str, comment: &str, body: &[u8]) {
    let id = format!("parse-body-{id}");
    let input = json!({"body": hex::encode(body)});
    match Body::parse(body) {
        Ok(parsed) => {
            let answer = cases.accept(&id, "parse_body", comment, input);
            let (copy_to, unknown) = match parsed.content {
                Content::Message => (None, false),
                Content::Copy(to) => (Some(hex::encode(to)), false),
                Content::Unknown => (None, true),
            };
            let expected = json!({
                "views": shown(parsed.views), "copy_to": copy_to, "unknown": unknown, "text": hex::encode(parsed.text),
            });
            cases.same(&id, Value::Object(answer.out), expected);
        }
        Err(Refusal::Error(error)) => cases.refuse(&id, "parse_body", &error, comment, input),
        Err(other) => cases.fault(format!("{id}: {other:?}")),
    }
}

/// Writes a body both ways the same, and takes it apart again.
fn body(cases: &mut Cases, id: &str, comment: &str, body: &Body) -> Vec<u8> {
    let copy_to = match body.content {
        Content::Copy(to) => Some(hex::encode(to)),
        _ => None,
    };
    let input =
        json!({"views": shown(body.views), "copy_to": copy_to, "text": hex::encode(&body.text)});
    let id_written = format!("body-{id}");
    let answer = cases.accept(&id_written, "body", comment, input);
    let bytes = answer.bytes("body");
    cases.same(&id_written, &bytes, &body.encode());
    cases.same(&id_written, Body::parse(&bytes), Ok(body.clone()));
    parse(cases, id, comment, &bytes);
    bytes
}

pub(super) fn cases(cases: &mut Cases) {
    let view = |name: &str, version: u64| -> View { (version, cases.array(name)) };
    let views = [
        view("hash of sender", 3),
        view("hash of receiver", 0x0102_0304_0506_0708),
    ];
    let ends = [(0, [0; 32]), (u64::MAX, [0xff; 32])];
    let to: Bytes32 = cases.array("account id");
    for (id, comment, views, content) in [
        ("message", "", None, Content::Message),
        ("copy", "", None, Content::Copy(to)),
        ("views-message", "", Some(views), Content::Message),
        ("views-copy", "", Some(views), Content::Copy(to)),
        (
            "views-any",
            "Whatever the views are.",
            Some(ends),
            Content::Message,
        ),
    ] {
        let of = |text: &[u8]| Body {
            views,
            content,
            text: text.to_vec(),
        };
        let empty = body(cases, &format!("{id}-empty"), "An empty text.", &of(&[]));
        body(cases, id, comment, &of(b"Meet me sub rosa."));
        body(
            cases,
            &format!("{id}-like-a-head"),
            "A text that begins as a body does.",
            &of(&[0x19, 0, 0xff]),
        );
        if id == "views-any" {
            continue;
        }
        // In a version, a hash, the account id, and where each of them begins.
        let last = empty.len().saturating_sub(1);
        let lengths = [1, 8, 9, 40, 41, 48, 49, 80, 81];
        for length in lengths
            .into_iter()
            .filter(|length| *length < last)
            .chain([last])
        {
            let short = empty.get(..length).unwrap_or_default();
            let id = format!("{id}-truncated-{length}");
            if length > 0 {
                parse(cases, &id, "It ends early.", short);
            }
        }
    }
    parse(cases, "empty", "Not even a head.", &[]);
    let behind = [&views.map(|(_, hash)| hash).concat()[..], &to, b"text"].concat();
    for head in (0x00..=0x0f).chain(0x12..=0x17).chain(0x1a..=0x20).chain([
        0x30, 0x31, 0x38, 0x39, 0x50, 0x51, 0x58, 0x90, 0x91, 0x98, 0x99, 0xd0, 0xf8, 0xff,
    ]) {
        let comment = "A head of a later version.";
        let bytes = [&[head], &behind[..]].concat();
        parse(cases, &format!("unknown-{head:02x}"), comment, &bytes);
    }
    for head in [0x00, 0x1a, 0x31, 0xff] {
        let comment = "A head of a later version, and nothing behind it.";
        parse(
            cases,
            &format!("unknown-{head:02x}-alone"),
            comment,
            &[head],
        );
    }
}

//! SPEC §7.5-R1, §8: a message split into its fields.

use serde_json::{Value, json};
use subrosa::hazmat;

use super::Section;
use super::agreement::ID;
use super::crypto::edge;
use crate::generate::Cases;
use crate::model::agreement::PREFIX;
use crate::model::conversation::Incoming;
use crate::model::formula;
use crate::op::{Field, Input, Kind, Op, Output, Refusal, field, refused};

pub(super) const SECTION: Section = Section {
    name: "envelope",
    spec: "SPEC.md §8 and §7.5-R1",
    description: "FIRST and MSG split into their fields, and every message that is none.",
    ops: &[OPS],
    cases,
};

const PREFIX_FIELDS: &[Field] = &[
    field("spk_id", Kind::Integer(ID)),
    field("kem_id", Kind::Integer(ID)),
    field("opk_id", Kind::Nullable(&Kind::Integer(ID))),
    field("ek", Kind::HexOf(32)),
    field("ct", Kind::HexOf(1_088)),
    field("encid", Kind::HexOf(200)),
    field("first_id", Kind::HexOf(16)),
];

const OPS: &[Op] = &[
    Op {
        name: "envelope.parse",
        summary: "Splits a message. `prefix` is that of a FIRST, and `null` for a MSG; `first_id` is `H(EK)[..16]`.",
        input: &[field("message", Kind::Hex)],
        output: &[
            field("prefix", Kind::Nullable(&Kind::Object(PREFIX_FIELDS))),
            field("tag", Kind::HexOf(8)),
            field("salt", Kind::HexOf(16)),
            field("ench", Kind::HexOf(60)),
            field("body", Kind::Hex),
        ],
        trace: &[],
        errors: &["Malformed", "UnknownVersion", "UnknownKind"],
        run: parse,
    },
    Op {
        name: "envelope.body_length",
        summary: "Splits a MSG that is zero behind its first two bytes and has a body of so many bytes.",
        input: &[field("length", Kind::Integer(1 << 21))],
        output: &[],
        trace: &[],
        errors: &["Malformed"],
        run: |input| {
            hazmat::parse(&zeros(input.integer("length")?)).map_err(refused)?;
            Ok(Output::new())
        },
    },
];

fn parse(input: &Input<'_>) -> Result<Output, Refusal> {
    let fields = hazmat::parse(&input.bytes("message")?).map_err(refused)?;
    let prefix = fields.prefix.map(|prefix| {
        json!({
            "spk_id": prefix.signed_id,
            "kem_id": prefix.kem_id,
            "opk_id": prefix.one_time_id,
            "ek": hex::encode(prefix.ephemeral),
            "ct": hex::encode(prefix.ciphertext),
            "encid": hex::encode(prefix.encrypted_identity),
            "first_id": hex::encode(prefix.first_id),
        })
    });
    Ok(Output::new()
        .value("prefix", prefix)
        .hex("tag", fields.tag)
        .hex("salt", fields.salt)
        .hex("ench", fields.encrypted_header)
        .hex("body", fields.body))
}

/// Bytes of a MSG in front of its body.
const FRONT: usize = 2 + 8 + 16 + 60;

/// A MSG with a body of so many bytes, all zero.
fn zeros(body: usize) -> Vec<u8> {
    let mut message = vec![1, 2];
    message.resize(FRONT.saturating_add(body), 0);
    message
}

fn cases(cases: &mut Cases) {
    let frame = cases.bytes("frame", 8 + 16 + 60 + 208);
    let message = [&[1, 2][..], &frame].concat();
    let first = [&prefix(cases, true), &frame[..]].concat();
    let first_without = [&prefix(cases, false), &frame[..]].concat();
    parsed(cases, "message", None, "The shortest MSG.", &message);
    parsed(cases, "first", None, "The shortest FIRST.", &first);
    parsed(cases, "first-without-opk", None, "", &first_without);
    for padded in [256usize, 512, 1_024, 1_088, 10_240] {
        let frame = cases.bytes("frame", 8 + 16 + 60 + padded + 16);
        let message = [&[1, 2][..], &frame].concat();
        let id = format!("message-{padded}");
        parsed(cases, &id, None, "", &message);
    }
    envelopes(cases, &message, &first);
    lengths(cases, &message, &first);
    prefixes(cases, &first, &first_without);
}

/// A prefix whose fields hold anything.
fn prefix(cases: &Cases, opk: bool) -> Vec<u8> {
    let ek = formula::public(&cases.array("ek"));
    let opk_id = if opk { [1, 0, 0, 0, 11] } else { [0; 5] };
    let parts: [&[u8]; 6] = [
        &[1, 1, 0, 1],
        &[0, 0, 0, 7, 0, 0, 0, 12],
        &opk_id,
        &ek,
        &cases.bytes("ct", 1_088),
        &cases.bytes("encid", 200),
    ];
    parts.concat()
}

/// Adds a case; the model must judge alike.
fn parsed(cases: &mut Cases, id: &str, error: Option<&str>, comment: &str, message: &[u8]) {
    let id = format!("parse-{id}");
    let model = Incoming::parse(message);
    let input: Value = json!({"message": hex::encode(message)});
    let Some(error) = error else {
        let answer = cases.accept_digest(&id, "parse", comment, input);
        if let Some(model) = cases.made(&id, model) {
            let ek = model.prefix.map(|(prefix, _)| hex::encode(prefix.ek));
            let found = answer.get("prefix").and_then(|prefix| prefix.get("ek"));
            cases.same(&id, found.and_then(Value::as_str), ek.as_deref());
            let frame = model.frame;
            cases.same(&id, answer.bytes("tag"), frame.tag.to_vec());
            cases.same(&id, answer.bytes("salt"), frame.salt.to_vec());
            cases.same(&id, answer.bytes("ench"), frame.ench);
            cases.same(&id, answer.bytes("body"), frame.body);
        }
        return;
    };
    cases.same(&id, model.map(drop), Err(crate::model::error(error)));
    cases.refuse(&id, "parse", error, comment, input);
}

fn put(message: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    for (to, from) in message.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
    message
}

fn envelopes(cases: &mut Cases, message: &[u8], first: &[u8]) {
    parsed(cases, "empty", Some("Malformed"), "", &[]);
    for (id, byte) in [("version-0", 0), ("version-1", 1), ("version-255", 255)] {
        let comment = "One byte: there is no kind.";
        parsed(
            cases,
            &format!("only-{id}"),
            Some("Malformed"),
            comment,
            &[byte],
        );
    }
    for version in [0, 2, 127, 255] {
        let id = format!("version-{version}");
        let other = put(message, 0, &[version]);
        parsed(cases, &id, Some("UnknownVersion"), "", &other);
    }
    for kind in [0, 3, 4, 128, 255] {
        let id = format!("kind-{kind}");
        let other = put(message, 1, &[kind]);
        parsed(cases, &id, Some("UnknownKind"), "", &other);
    }
    let comment = "The version comes before the kind.";
    parsed(
        cases,
        "version-and-kind",
        Some("UnknownVersion"),
        comment,
        &[2, 0],
    );
    let comment = "The kind comes before everything behind it.";
    parsed(cases, "kind-alone", Some("UnknownKind"), comment, &[1, 3]);
    let comment = "A FIRST without its prefix.";
    parsed(
        cases,
        "message-as-first",
        Some("Malformed"),
        comment,
        &put(message, 1, &[1, 0, 1]),
    );
    let comment = "A FIRST taken for a MSG has a body of a length that no sender produces.";
    parsed(
        cases,
        "first-as-message",
        Some("Malformed"),
        comment,
        &put(first, 1, &[2]),
    );
}

fn lengths(cases: &mut Cases, message: &[u8], first: &[u8]) {
    for length in [2usize, 3, 10, 26, 86, 87, 292, 293] {
        let short = message.get(..length).unwrap_or_default();
        parsed(
            cases,
            &format!("message-truncated-{length}"),
            Some("Malformed"),
            "",
            short,
        );
    }
    let long = [message, &[0]].concat();
    parsed(cases, "message-trailing", Some("Malformed"), "", &long);
    let behind_suite = [
        2usize, 3, 4, 8, 12, 13, 17, 49, 1_137, 1_336, 1_337, 1_345, 1_361, 1_421, 1_628,
    ];
    for length in behind_suite {
        let short = first.get(..length).unwrap_or_default();
        parsed(
            cases,
            &format!("first-truncated-{length}"),
            Some("Malformed"),
            "",
            short,
        );
    }
    let long = [first, &[0]].concat();
    parsed(cases, "first-trailing", Some("Malformed"), "", &long);
    for length in [
        208u64, 272, 528, 1_040, 1_104, 1_168, 2_064, 2_192, 65_552, 67_600, 999_440, 1_032_208,
    ] {
        let id = format!("body-length-{length}");
        cases.accept(&id, "body_length", "", json!({"length": length}));
    }
    for length in [
        0u64, 1, 15, 16, 17, 192, 207, 209, 256, 271, 273, 512, 1_024, 1_041, 1_103, 1_105, 2_063,
        2_065, 65_553, 1_032_207, 1_032_209, 1_048_575, 1_048_576, 1_048_577,
    ] {
        let id = format!("body-length-{length}");
        let comment = "A length that no sender produces.";
        cases.refuse(
            &id,
            "body_length",
            "Malformed",
            comment,
            json!({"length": length}),
        );
    }
    for length in [1_048_592u64, 1_081_360] {
        let id = format!("body-length-{length}");
        let comment = "A padded length and a tag, and over 2^20 bytes.";
        cases.refuse(
            &id,
            "body_length",
            "Malformed",
            comment,
            json!({"length": length}),
        );
    }
}

fn prefixes(cases: &mut Cases, first: &[u8], without: &[u8]) {
    let high = first.get(48).copied().unwrap_or_default() | 0x80;
    let frame = first.get(PREFIX..).unwrap_or_default();
    let unknown = Some("UnknownVersion");
    let malformed = Some("Malformed");
    for (id, error, comment, message) in [
        ("suite-0", unknown, "", put(first, 2, &[0, 0])),
        ("suite-2", unknown, "", put(first, 2, &[0, 2])),
        ("suite-256", unknown, "", put(first, 2, &[1, 0])),
        (
            "suite-2-alone",
            unknown,
            "Another suite, whatever follows.",
            vec![1, 1, 0, 2],
        ),
        (
            "suite-2-flag-2",
            unknown,
            "Another suite, whatever follows.",
            put(&put(first, 2, &[0, 2]), 12, &[2]),
        ),
        (
            "has-opk-2",
            malformed,
            "A flag is 0 or 1.",
            put(first, 12, &[2]),
        ),
        (
            "has-opk-255",
            malformed,
            "A flag is 0 or 1.",
            put(first, 12, &[255]),
        ),
        (
            "has-opk-0",
            malformed,
            "opk.id without OPK.",
            put(first, 12, &[0]),
        ),
        (
            "opk-id-0",
            malformed,
            "OPK without opk.id.",
            put(first, 13, &[0; 4]),
        ),
        (
            "opk-id",
            malformed,
            "opk.id without OPK.",
            put(without, 16, &[1]),
        ),
        (
            "ek-p",
            malformed,
            "EK is not canonical.",
            put(first, 17, &edge::p_plus(0)),
        ),
        (
            "ek-p-plus-18",
            malformed,
            "EK is not canonical.",
            put(first, 17, &edge::p_plus(18)),
        ),
        (
            "ek-high-bit",
            malformed,
            "EK is not canonical.",
            put(first, 48, &[high]),
        ),
        (
            "no-prefix",
            malformed,
            "A frame behind the suite.",
            [&[1, 1, 0, 1][..], frame].concat(),
        ),
    ] {
        parsed(cases, &format!("first-{id}"), error, comment, &message);
    }
    let comment = "An EK of small order is canonical: it is refused when it is used (§3.3-R3).";
    for (name, point) in edge::small_order() {
        let message = put(first, 17, &point);
        parsed(
            cases,
            &format!("first-ek-small-order-{name}"),
            None,
            comment,
            &message,
        );
    }
    for (id, at) in [("spk-id", 4), ("kem-id", 8)] {
        for (value, bytes) in [("0", [0; 4]), ("max", [255; 4])] {
            let message = put(first, at, &bytes);
            let comment = "Any id is parsed; whether there is such a key is another question.";
            parsed(
                cases,
                &format!("first-{id}-{value}"),
                None,
                comment,
                &message,
            );
        }
    }
    parsed(
        cases,
        "first-opk-id-max",
        None,
        "",
        &put(first, 13, &[255; 4]),
    );
}

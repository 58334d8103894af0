//! SPEC §19: what a device seals, and what it stores.

use serde_json::{Value, json};
use subrosa::device::{Content, hazmat};
use subrosa::identity::AccountId;

use super::Section;
use crate::generate::Cases;
use crate::model::values;
use crate::op::{Field, Input, Kind, Op, Output, Refusal, field, refused};

mod bodies;
mod opened;
mod stored;

pub(super) const SECTION: Section = Section {
    name: "device",
    spec: "SPEC.md §19.1, §19.3, §19.4",
    description: "Bodies, written and taken apart; the keys of a store; the plaintext of every kind that only a device \
                  stores: values that are written again as the same bytes, and every breach of an encoding; whole \
                  values of a store.",
    ops: &[OPS],
    cases,
};

const U16: u64 = u16::MAX as u64;
const HASH: Kind = Kind::HexOf(32);

const VIEW: Kind = Kind::Object(&[field("version", Kind::Decimal), field("hash", HASH)]);

/// The views of a body: of the sender's list, and of the receiver's.
const VIEWS: Field = field(
    "views",
    Kind::Nullable(&Kind::Object(&[
        field("sender", VIEW),
        field("receiver", VIEW),
    ])),
);

/// To whom a copy was sent; `null` for what is none.
const COPY_TO: Field = field("copy_to", Kind::Nullable(&HASH));

const OPS: &[Op] = &[
    Op {
        name: "device.body",
        summary: "The body of a message (§19.1), or, if `copy_to` is an account id, of a copy.",
        input: &[VIEWS, COPY_TO, field("text", Kind::Hex)],
        output: &[field("body", Kind::Hex)],
        trace: &[],
        errors: &[],
        run: body,
    },
    Op {
        name: "device.parse_body",
        summary: "Takes a body apart (§19.1-R2). One of a later version is `unknown`, and the whole body is its text.",
        input: &[field("body", Kind::Hex)],
        output: &[
            VIEWS,
            COPY_TO,
            field("unknown", Kind::Bool),
            field("text", Kind::Hex),
        ],
        trace: &[],
        errors: &["Malformed"],
        run: parse_body,
    },
    Op {
        name: "device.store_key",
        summary: "The key of a value in the store (§19.3).",
        input: &[
            field("app_key", HASH),
            field("kind", Kind::Integer(U16)),
            field("name", Kind::Hex),
        ],
        output: &[field("key", Kind::HexOf(16))],
        trace: &[field("names", HASH)],
        errors: &[],
        run: store_key,
    },
    Op {
        name: "device.decode",
        summary: "Reads the plaintext of one of the kinds 4 to 11 (§19.4) and writes it again.",
        input: &[
            field("kind", Kind::Integer(11)),
            field("plaintext", Kind::Hex),
        ],
        output: &[field("plaintext", Kind::Hex)],
        trace: &[],
        errors: &["Integrity"],
        run: decode,
    },
    Op {
        name: "device.open",
        summary: "Opens a value of kinds 1, 2 and 4 to 11 as it lies in the store (§19.3).",
        input: &[
            field("app_key", HASH),
            field("kind", Kind::Integer(11)),
            field("name", Kind::Hex),
            field("value", Kind::Hex),
        ],
        output: &[
            field("generation", Kind::Decimal),
            field("plaintext", Kind::Hex),
        ],
        trace: &[],
        errors: &["Integrity", "UnknownVersion"],
        run: open,
    },
    Op {
        name: "device.message_id",
        summary: "The id of the received message whose inbox entry is `plaintext` and has this number (§19.4-R4).",
        input: &[
            field("plaintext", Kind::Hex),
            field("sequence", Kind::Decimal),
        ],
        output: &[field("id", Kind::Decimal)],
        trace: &[],
        errors: &[],
        run: |input| {
            let id = hazmat::message_id(&input.bytes("plaintext")?, input.integer("sequence")?);
            Ok(Output::new().value("id", id.map_err(refused)?.to_string()))
        },
    },
];

fn view(views: &Input<'_>, name: &str) -> Result<(u64, [u8; 32]), Refusal> {
    let view = views.object(name)?;
    Ok((view.integer("version")?, view.array("hash")?))
}

fn body(input: &Input<'_>) -> Result<Output, Refusal> {
    let views = input.nullable("views", |input, name| {
        let views = input.object(name)?;
        Ok([view(&views, "sender")?, view(&views, "receiver")?])
    })?;
    let to = input.nullable("copy_to", |input, name| input.array(name))?;
    let content = match to.map(AccountId::from_bytes) {
        Some(to) => Content::Copy { to },
        None => Content::Message,
    };
    let text = input.bytes("text")?;
    let body = hazmat::Body {
        views,
        content,
        text,
    };
    Ok(Output::new().hex("body", body.write()))
}

fn shown(views: Option<[(u64, [u8; 32]); 2]>) -> Value {
    let views = views.map(|views| {
        let [sender, receiver] = views.map(
            |(version, hash)| json!({"version": version.to_string(), "hash": hex::encode(hash)}),
        );
        json!({"sender": sender, "receiver": receiver})
    });
    views.unwrap_or_default()
}

fn parse_body(input: &Input<'_>) -> Result<Output, Refusal> {
    let body = hazmat::Body::parse(&input.bytes("body")?).map_err(refused)?;
    let copy_to = match &body.content {
        Content::Copy { to } => Some(hex::encode(to.as_bytes())),
        _ => None,
    };
    Ok(Output::new()
        .value("views", shown(body.views))
        .value("copy_to", copy_to)
        .value("unknown", body.content == Content::Unknown)
        .hex("text", body.text))
}

fn store_key(input: &Input<'_>) -> Result<Output, Refusal> {
    let app_key = input.array("app_key")?;
    let key = hazmat::store_key(&app_key, input.integer("kind")?, &input.bytes("name")?);
    // The step on the way, by the formula of SPEC §19.3.
    Ok(Output::new()
        .hex("key", key)
        .trace_hex("names", values::names(&app_key)))
}

fn decode(input: &Input<'_>) -> Result<Output, Refusal> {
    let kind = input.integer("kind")?;
    if !(4..=11).contains(&kind) {
        return Err(Refusal::Invalid(format!("kind: {kind} is none")));
    }
    let again = hazmat::rewrite(kind, &input.bytes("plaintext")?);
    Ok(Output::new().hex("plaintext", again.map_err(refused)?.as_slice()))
}

fn open(input: &Input<'_>) -> Result<Output, Refusal> {
    let opened = hazmat::open_value(
        &input.array("app_key")?,
        input.integer("kind")?,
        &input.bytes("name")?,
        &input.bytes("value")?,
    );
    let (generation, plaintext) = opened.map_err(refused)?;
    Ok(Output::new()
        .value("generation", generation.to_string())
        .hex("plaintext", plaintext.as_slice()))
}

fn cases(cases: &mut Cases) {
    bodies::cases(cases);
    opened::store_keys(cases);
    stored::cases(cases);
    opened::cases(cases);
}

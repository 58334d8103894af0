//! SPEC §7: prekeys, bundles, key agreement, replay.

use serde_json::{Value, json};
use subrosa::agreement::Prekeys;
use subrosa::hazmat::AgreementTrace;

use super::Section;
use crate::generate::{Answer, Cases};
use crate::model::agreement::{Agreement, Secrets};
use crate::op::{Field, Input, Kind, Output, Refusal, field};

mod bundle;
mod initiate;
mod prekeys;
mod respond;

pub(super) use prekeys::records;

pub(super) const SECTION: Section = Section {
    name: "agreement",
    spec: "SPEC.md §7",
    description: "The life of prekeys; bundles; an agreement from both sides, with every value on the way; and what is \
                  refused, in the order of the rules.",
    ops: &[prekeys::OPS, bundle::OPS, initiate::OPS, respond::OPS],
    cases,
};

fn cases(cases: &mut Cases) {
    prekeys::cases(cases);
    bundle::cases(cases);
    initiate::cases(cases);
    respond::cases(cases);
}

/// The time at which the cases play: 2026-01-01, in milliseconds.
pub(super) const NOW: u64 = 1_767_225_600_000;
/// The greatest id.
pub(super) const ID: u64 = u32::MAX as u64;

pub(super) const ADDRESS: Field = field("address", Kind::Hex);
pub(super) const SEED: Field = field("signing_seed", Kind::HexOf(32));
pub(super) const SECRET: Field = field("dh_secret", Kind::HexOf(32));

/// Every value of an agreement.
const TRACE: &[Field] = &[
    field("idpt", Kind::HexOf(184)),
    field("dh1", Kind::HexOf(32)),
    field("dh2", Kind::HexOf(32)),
    field("dh3", Kind::HexOf(32)),
    field("dh4", Kind::HexOf(32)),
    field("ss", Kind::HexOf(32)),
    field("th1", Kind::HexOf(32)),
    field("kid", Kind::HexOf(32)),
    field("encid", Kind::HexOf(200)),
];

/// A device with secrets of its own name.
pub(super) fn party(cases: &Cases, name: &str) -> Secrets {
    Secrets {
        address: name.as_bytes().to_vec(),
        seed: cases.array(&format!("{name} signing seed")),
        secret: cases.array(&format!("{name} dh secret")),
    }
}

/// The fields of `more`, with those that name a device in front.
pub(super) fn with_secrets(secrets: &Secrets, more: Value) -> Value {
    let mut fields = json!({
        "address": hex::encode(&secrets.address),
        "signing_seed": hex::encode(secrets.seed),
        "dh_secret": hex::encode(secrets.secret),
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}

/// The private prekeys of an input.
fn read_prekeys(input: &Input<'_>) -> Result<Prekeys, Refusal> {
    let plaintext = input.bytes("prekeys")?;
    subrosa::hazmat::decode(&plaintext).map_err(|why| Refusal::Invalid(format!("prekeys: {why}")))
}

/// `sid`, `sk` and every value on the way; `encid` stands in the prefix.
fn with_values(output: Output, values: &AgreementTrace, encid: &[u8]) -> Output {
    let mut output = output
        .hex("sid", values.session_id)
        .hex("sk", values.shared_key)
        .trace_hex("idpt", &values.identity_plaintext)
        .trace_hex("dh1", values.dh1)
        .trace_hex("dh2", values.dh2)
        .trace_hex("dh3", values.dh3);
    if let Some(dh4) = values.dh4 {
        output = output.trace_hex("dh4", dh4);
    }
    output
        .trace_hex("ss", values.ss)
        .trace_hex("th1", values.th1)
        .trace_hex("kid", values.identity_key)
        .trace_hex("encid", encid)
}

/// Holds every value that the library gave against the model's.
fn same_values(cases: &mut Cases, id: &str, found: &Answer, model: &Agreement) {
    let shares = &model.shares;
    let dh4 = shares.dh4.map(|dh4| dh4.to_vec()).unwrap_or_default();
    for (name, value) in [
        ("idpt", &model.idpt[..]),
        ("dh1", &shares.dh1),
        ("dh2", &shares.dh2),
        ("dh3", &shares.dh3),
        ("dh4", &dh4),
        ("ss", &shares.ss),
        ("th1", &model.th1),
        ("kid", &model.kid),
        ("encid", &model.encid),
        ("sid", &model.sid),
        ("sk", &model.sk),
    ] {
        cases.same(&format!("{id}: {name}"), &found.bytes(name)[..], value);
    }
}

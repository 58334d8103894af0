//! SPEC §3.1, §3.6: the labels, and the purposes of the hedged generator.

use serde_json::json;
use subrosa::crypto::labels;

use super::Section;
use crate::generate::Cases;
use crate::op::{Input, Kind, Op, Output, Refusal, field};

pub(super) const SECTION: Section = Section {
    name: "labels",
    spec: "SPEC.md §3.1, §3.6",
    description: "Every label of the pairwise protocol and every purpose of the hedged generator, as bytes.",
    ops: &[OPS],
    cases,
};

const OPS: &[Op] = &[
    Op {
        name: "labels.names",
        summary: "The names of all labels, in the order of SPEC §3.1.",
        input: &[],
        output: &[field("names", Kind::Texts)],
        trace: &[],
        errors: &[],
        run: |_| {
            let names: Vec<&str> = labels::ALL.iter().map(|(name, _)| *name).collect();
            Ok(Output::new().value("names", names))
        },
    },
    Op {
        name: "labels.label",
        summary: "`L(name)` of one of them.",
        input: &[field("name", Kind::Text)],
        output: &[field("label", Kind::Hex)],
        trace: &[],
        errors: &[],
        run: label,
    },
    Op {
        name: "labels.purposes",
        summary: "The purposes of the hedged generator, in the order of SPEC §3.6.",
        input: &[],
        output: &[field("purposes", Kind::Texts)],
        trace: &[],
        errors: &[],
        run: |_| Ok(Output::new().value("purposes", purposes())),
    },
    Op {
        name: "labels.purpose_info",
        summary: "`L(\"rand \") || purpose`: what the hedged generator expands with.",
        input: &[field("purpose", Kind::Text)],
        output: &[field("info", Kind::Hex)],
        trace: &[],
        errors: &[],
        run: purpose_info,
    },
];

fn label(input: &Input<'_>) -> Result<Output, Refusal> {
    let name = input.text("name")?;
    match labels::ALL.iter().find(|(known, _)| *known == name) {
        Some((_, label)) => Ok(Output::new().hex("label", label)),
        None => Err(Refusal::Invalid(format!("no label is called {name:?}"))),
    }
}

fn purpose_info(input: &Input<'_>) -> Result<Output, Refusal> {
    let purpose = purpose(input.text("purpose")?)?;
    Ok(Output::new().hex("info", [labels::RAND, purpose].concat()))
}

/// The purpose with this text.
pub(super) fn purpose(text: &str) -> Result<&'static [u8], Refusal> {
    labels::purpose::ALL
        .iter()
        .find(|purpose| **purpose == text.as_bytes())
        .copied()
        .ok_or_else(|| Refusal::Invalid(format!("no purpose is called {text:?}")))
}

/// The texts of all purposes.
pub(super) fn purposes() -> Vec<String> {
    labels::purpose::ALL
        .iter()
        .map(|purpose| String::from_utf8_lossy(purpose).into_owned())
        .collect()
}

fn cases(cases: &mut Cases) {
    cases.accept("names", "names", "", json!({}));
    for (name, _) in labels::ALL {
        cases.accept(
            &format!("label-{}", name.trim().replace(' ', "-")),
            "label",
            "",
            json!({"name": name}),
        );
    }
    cases.accept("purposes", "purposes", "", json!({}));
    for purpose in purposes() {
        let id = format!("purpose-{}", purpose.replace(' ', "-"));
        cases.accept(&id, "purpose_info", "", json!({"purpose": purpose}));
    }
}

//! SPEC §5: the lengths of a padded text, and its padding.

use serde_json::json;
use subrosa::padding;

use super::Section;
use crate::generate::Cases;
use crate::op::{Kind, Op, Output, Refusal, field, refused};

pub(super) const SECTION: Section = Section {
    name: "padding",
    spec: "SPEC.md §5",
    description: "The length that a text is padded to, the lengths that no sender produces, and padding that is not zero.",
    ops: &[OPS],
    cases,
};

/// Longest length in the cases: every platform can hold what it is padded to.
const MAX: u64 = 1 << 30;

const OPS: &[Op] = &[
    Op {
        name: "padding.padded_length",
        summary: "The length that so many bytes are padded to.",
        input: &[field("content", Kind::Integer(MAX))],
        output: &[field("length", Kind::Integer(MAX))],
        trace: &[],
        errors: &[],
        run: |input| {
            let length = padding::padded_length(input.integer("content")?)
                .ok_or(Refusal::Invalid("content: does not fit a usize".to_owned()))?;
            Ok(Output::new().value("length", length))
        },
    },
    Op {
        name: "padding.is_padded_length",
        summary: "Whether a sender ever produces this length.",
        input: &[field("length", Kind::Integer(MAX))],
        output: &[field("padded", Kind::Bool)],
        trace: &[],
        errors: &[],
        run: |input| {
            let padded = padding::is_padded_length(input.integer("length")?);
            Ok(Output::new().value("padded", padded))
        },
    },
    Op {
        name: "padding.require_zeros",
        summary: "Accepts the bytes behind the content.",
        input: &[field("padding", Kind::Hex)],
        output: &[],
        trace: &[],
        errors: &["BadPadding"],
        run: |input| {
            padding::require_zeros(&input.bytes("padding")?).map_err(refused)?;
            Ok(Output::new())
        },
    },
];

fn cases(cases: &mut Cases) {
    for content in [
        0u64,
        1,
        191,
        192,
        193,
        255,
        256,
        257,
        511,
        512,
        513,
        1_023,
        1_024,
        1_025,
        1_088,
        1_089,
        1_152,
        1_153,
        2_047,
        2_048,
        2_049,
        2_176,
        2_177,
        4_096,
        4_097,
        10_000,
        65_535,
        65_536,
        65_537,
        67_584,
        67_585,
        100_000,
        1_000_000,
        1_032_192,
        1_032_193,
        1_048_575,
        1_048_576,
        1_048_577,
        1_000_000_000,
        MAX,
    ] {
        cases.accept(
            &format!("padded-length-{content}"),
            "padded_length",
            "",
            json!({"content": content}),
        );
    }
    for length in [
        0u64, 1, 191, 192, 193, 255, 256, 300, 512, 1_024, 1_025, 1_088, 1_089, 1_152, 2_048,
        2_112, 2_176, 65_536, 65_537, 66_560, 67_584, 1_032_192, 1_048_576, 1_048_577, 1_081_344,
    ] {
        cases.accept(
            &format!("is-padded-length-{length}"),
            "is_padded_length",
            "",
            json!({"length": length}),
        );
    }
    for length in [0usize, 1, 100, 831] {
        cases.accept(
            &format!("zeros-{length}"),
            "require_zeros",
            "",
            json!({"padding": hex::encode(vec![0; length])}),
        );
    }
    for (id, padding) in [
        ("first", "01000000"),
        ("middle", "00800000"),
        ("last", "00000001"),
        ("only", "ff"),
        ("iso-7816", "80000000"),
        ("cancelling", "01ff0000"),
    ] {
        cases.refuse(
            &format!("not-zero-{id}"),
            "require_zeros",
            "BadPadding",
            "",
            json!({"padding": padding}),
        );
    }
}

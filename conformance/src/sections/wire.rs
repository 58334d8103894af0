//! SPEC §4: integers, flags and variable vectors.

use serde_json::json;
use subrosa::wire::{Error, Reader, VECTOR_MAX, Writer};

use super::Section;
use crate::generate::Cases;
use crate::op::{Input, Kind, Op, Output, Refusal, field, refused};

pub(super) const SECTION: Section = Section {
    name: "wire",
    spec: "SPEC.md §4",
    description: "Integers, flags and variable vectors: what is read, what is written, what is refused.",
    ops: &[OPS],
    cases,
};

const U32: u64 = u32::MAX as u64;

const OPS: &[Op] = &[
    Op {
        name: "wire.read_vector_length",
        summary: "Reads the length in front of a variable vector; nothing may be left over.",
        input: &[field("bytes", Kind::Hex)],
        output: &[field("length", Kind::Integer(VECTOR_MAX as u64))],
        trace: &[],
        errors: &["Truncated", "Trailing", "Length"],
        run: |input| {
            let length = read(input, |reader| reader.vector_length())?;
            Ok(Output::new().value("length", length))
        },
    },
    Op {
        name: "wire.write_vector_length",
        summary: "Writes the length in front of a variable vector.",
        input: &[field("length", Kind::Integer(U32))],
        output: &[field("bytes", Kind::Hex)],
        trace: &[],
        errors: &["TooLong"],
        run: |input| {
            let mut writer = Writer::new();
            writer
                .vector_length(input.integer("length")?)
                .map_err(refused)?;
            Ok(Output::new().hex("bytes", writer.into_bytes()))
        },
    },
    Op {
        name: "wire.read_vector",
        summary: "Reads a variable vector of at most `max` bytes; nothing may be left over.",
        input: &[
            field("bytes", Kind::Hex),
            field("max", Kind::Integer(VECTOR_MAX as u64)),
        ],
        output: &[field("value", Kind::Hex)],
        trace: &[],
        errors: &["Truncated", "Trailing", "Length", "TooLong"],
        run: |input| {
            let max = input.integer("max")?;
            let value = read(input, |reader| reader.vector(max).map(<[u8]>::to_vec))?;
            Ok(Output::new().hex("value", value))
        },
    },
    Op {
        name: "wire.write_vector",
        summary: "Writes a variable vector.",
        input: &[field("value", Kind::Hex)],
        output: &[field("bytes", Kind::Hex)],
        trace: &[],
        errors: &[],
        run: |input| {
            let mut writer = Writer::new();
            writer.vector(&input.bytes("value")?).map_err(refused)?;
            Ok(Output::new().hex("bytes", writer.into_bytes()))
        },
    },
    Op {
        name: "wire.read_integer",
        summary: "Reads an unsigned integer of 8, 16, 32 or 64 `bits`; nothing may be left over.",
        input: &[field("bytes", Kind::Hex), field("bits", Kind::Integer(64))],
        output: &[field("value", Kind::Decimal)],
        trace: &[],
        errors: &["Truncated", "Trailing"],
        run: read_integer,
    },
    Op {
        name: "wire.write_integer",
        summary: "Writes an unsigned integer of 8, 16, 32 or 64 `bits`.",
        input: &[
            field("value", Kind::Decimal),
            field("bits", Kind::Integer(64)),
        ],
        output: &[field("bytes", Kind::Hex)],
        trace: &[],
        errors: &[],
        run: write_integer,
    },
    Op {
        name: "wire.read_flag",
        summary: "Reads a byte that is 0 or 1; nothing may be left over.",
        input: &[field("bytes", Kind::Hex)],
        output: &[field("value", Kind::Bool)],
        trace: &[],
        errors: &["Truncated", "Trailing", "Value"],
        run: |input| Ok(Output::new().value("value", read(input, |reader| reader.flag())?)),
    },
    Op {
        name: "wire.write_flag",
        summary: "Writes a byte that is 0 or 1.",
        input: &[field("value", Kind::Bool)],
        output: &[field("bytes", Kind::Hex)],
        trace: &[],
        errors: &[],
        run: |input| {
            let mut writer = Writer::new();
            writer.flag(input.flag("value")?);
            Ok(Output::new().hex("bytes", writer.into_bytes()))
        },
    },
];

/// Reads one value from the field `bytes`, and the end behind it.
fn read<T>(
    input: &Input<'_>,
    value: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Refusal> {
    let bytes = input.bytes("bytes")?;
    let mut reader = Reader::new(&bytes);
    let value = value(&mut reader).map_err(refused)?;
    reader.finish().map_err(refused)?;
    Ok(value)
}

fn no_such_integer() -> Refusal {
    Refusal::Invalid("bits: none of 8, 16, 32, 64".to_owned())
}

fn read_integer(input: &Input<'_>) -> Result<Output, Refusal> {
    let value = match input.integer::<u64>("bits")? {
        8 => read(input, |reader| reader.u8())?.into(),
        16 => read(input, |reader| reader.u16())?.into(),
        32 => read(input, |reader| reader.u32())?.into(),
        64 => read(input, |reader| reader.u64())?,
        _ => return Err(no_such_integer()),
    };
    Ok(Output::new().value("value", value.to_string()))
}

fn write_integer(input: &Input<'_>) -> Result<Output, Refusal> {
    let mut writer = Writer::new();
    match input.integer::<u64>("bits")? {
        8 => writer.u8(input.integer("value")?),
        16 => writer.u16(input.integer("value")?),
        32 => writer.u32(input.integer("value")?),
        64 => writer.u64(input.integer("value")?),
        _ => return Err(no_such_integer()),
    };
    Ok(Output::new().hex("bytes", writer.into_bytes()))
}

fn cases(cases: &mut Cases) {
    lengths(cases);
    vectors(cases);
    integers_and_flags(cases);
}

fn lengths(cases: &mut Cases) {
    for length in [
        0,
        1,
        37,
        62,
        63,
        64,
        65,
        255,
        256,
        15_293,
        16_382,
        16_383,
        16_384,
        65_535,
        65_536,
        494_878_333,
        VECTOR_MAX - 1,
        VECTOR_MAX,
    ] {
        let written = cases.accept(
            &format!("write-length-{length}"),
            "write_vector_length",
            "The shortest form.",
            json!({"length": length}),
        );
        cases.accept(
            &format!("read-length-{length}"),
            "read_vector_length",
            "",
            json!({"bytes": written.get("bytes")}),
        );
    }
    for length in [1u64 << 30, U32] {
        cases.refuse(
            &format!("write-length-{length}"),
            "write_vector_length",
            "TooLong",
            "A length above 2^30 - 1 has no encoding.",
            json!({"length": length}),
        );
    }
    for bytes in [
        "4000", "4025", "403f", "80000000", "80000025", "8000003f", "80000040", "80003fff",
    ] {
        cases.refuse(
            &format!("read-length-not-shortest-{bytes}"),
            "read_vector_length",
            "Length",
            "RFC 9420 §2.1.2: a length that is not in its shortest form is refused.",
            json!({"bytes": bytes}),
        );
    }
    for bytes in [
        "c0",
        "ff",
        "c0000000",
        "ffffffff",
        "c000000000000000",
        "ffffffffffffffff",
    ] {
        cases.refuse(
            &format!("read-length-reserved-{bytes}"),
            "read_vector_length",
            "Length",
            "The prefix 0b11 is reserved, whatever follows.",
            json!({"bytes": bytes}),
        );
    }
    for bytes in ["", "40", "7f", "80", "8000", "800040", "bfffff"] {
        cases.refuse(
            &format!(
                "read-length-truncated-{}",
                if bytes.is_empty() { "empty" } else { bytes }
            ),
            "read_vector_length",
            "Truncated",
            "The input ends inside the length.",
            json!({"bytes": bytes}),
        );
    }
    for bytes in ["0000", "2500", "7bbd00", "8000400000"] {
        cases.refuse(
            &format!("read-length-trailing-{bytes}"),
            "read_vector_length",
            "Trailing",
            "A byte is left over.",
            json!({"bytes": bytes}),
        );
    }
}

fn vectors(cases: &mut Cases) {
    for length in [0usize, 1, 63, 64, 300, 16_383, 16_384] {
        let value = cases.hex(&format!("vector {length}"), length);
        if length > 1000 {
            cases.accept_digest(
                &format!("write-vector-{length}"),
                "write_vector",
                "",
                json!({"value": value}),
            );
            continue;
        }
        let written = cases.accept(
            &format!("write-vector-{length}"),
            "write_vector",
            "",
            json!({"value": value}),
        );
        cases.accept(
            &format!("read-vector-{length}"),
            "read_vector",
            "As long as allowed.",
            json!({"bytes": written.get("bytes"), "max": length}),
        );
    }
    for (id, error, comment, bytes, max) in [
        ("empty-input", "Truncated", "There is no length.", "", 10),
        (
            "truncated",
            "Truncated",
            "One byte of the value is missing.",
            "030102",
            10,
        ),
        (
            "no-value",
            "Truncated",
            "The whole value is missing.",
            "03",
            10,
        ),
        (
            "far-too-short",
            "Truncated",
            "2^30 - 1 bytes announced: nothing may be allocated for them.",
            "bfffffff00",
            VECTOR_MAX,
        ),
        (
            "above-limit",
            "TooLong",
            "One byte longer than the field allows.",
            "03010203",
            2,
        ),
        (
            "above-limit-and-truncated",
            "TooLong",
            "The limit is checked before the bytes are looked for.",
            "03",
            2,
        ),
        (
            "above-limit-of-none",
            "TooLong",
            "A field that must be empty.",
            "0100",
            0,
        ),
        (
            "trailing",
            "Trailing",
            "A byte behind the value.",
            "0301020304",
            10,
        ),
        (
            "trailing-empty",
            "Trailing",
            "A byte behind an empty value.",
            "0000",
            10,
        ),
        ("not-shortest", "Length", "", "4003010203", 10),
        ("not-shortest-four", "Length", "", "80000003010203", 10),
        ("reserved", "Length", "", "c3010203", 10),
    ] {
        cases.refuse(
            &format!("read-vector-{id}"),
            "read_vector",
            error,
            comment,
            json!({"bytes": bytes, "max": max}),
        );
    }
}

fn integers_and_flags(cases: &mut Cases) {
    for (bits, value) in [
        (8, 0u64),
        (8, 1),
        (8, 0xff),
        (16, 0x0102),
        (16, 0xffff),
        (32, 0x0102_0304),
        (32, 0xffff_ffff),
        (64, 0x0102_0304_0506_0708),
        (64, (1 << 53) + 1),
        (64, u64::MAX),
    ] {
        let written = cases.accept(
            &format!("write-u{bits}-{value}"),
            "write_integer",
            "",
            json!({"value": value.to_string(), "bits": bits}),
        );
        cases.accept(
            &format!("read-u{bits}-{value}"),
            "read_integer",
            "",
            json!({"bytes": written.get("bytes"), "bits": bits}),
        );
    }
    for (bits, short, long) in [
        (8, "", "0000"),
        (16, "00", "000000"),
        (32, "000000", "0000000000"),
        (64, "00000000000000", "000000000000000000"),
    ] {
        cases.refuse(
            &format!("read-u{bits}-truncated"),
            "read_integer",
            "Truncated",
            "",
            json!({"bytes": short, "bits": bits}),
        );
        cases.refuse(
            &format!("read-u{bits}-trailing"),
            "read_integer",
            "Trailing",
            "",
            json!({"bytes": long, "bits": bits}),
        );
    }
    for (value, bytes) in [(false, "00"), (true, "01")] {
        cases.accept(
            &format!("write-flag-{value}"),
            "write_flag",
            "",
            json!({"value": value}),
        );
        cases.accept(
            &format!("read-flag-{value}"),
            "read_flag",
            "",
            json!({"bytes": bytes}),
        );
    }
    for (id, error, bytes) in [
        ("two", "Value", "02"),
        ("255", "Value", "ff"),
        ("truncated", "Truncated", ""),
        ("trailing", "Trailing", "0100"),
    ] {
        cases.refuse(
            &format!("read-flag-{id}"),
            "read_flag",
            error,
            "",
            json!({"bytes": bytes}),
        );
    }
}

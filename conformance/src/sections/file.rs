//! SPEC §20: sealed files.

use serde_json::{Value, json};
use subrosa::crypto::Secret;
use subrosa::file::{
    CHUNK, Error, FileKey, HEADER, Opener, Pieces, SEALED_CHUNK, sealed_len, text_len,
};
use subrosa::hazmat;

use super::Section;
use crate::generate::Cases;
use crate::model;
use crate::op::{Input, Kind, Op, Output, Refusal, field, refused};

pub(super) const SECTION: Section = Section {
    name: "file",
    spec: "SPEC.md §20.1",
    description: "Sealed files: texts of every kind of length, opened from front to end and in pieces; everything that can \
                  be cut, swapped, repeated, added or altered.",
    ops: &[OPS],
    cases,
};

const KEY: Kind = Kind::HexOf(32);

const OPS: &[Op] = &[
    Op {
        name: "file.seal",
        summary: "Seals a text with a salt that is given.",
        input: &[
            field("key", KEY),
            field("context", Kind::Hex),
            field("salt", Kind::HexOf(24)),
            field("text", Kind::Hex),
        ],
        output: &[field("sealed", Kind::Hex)],
        trace: &[
            field("chunk_key", KEY),
            field("base_nonce", Kind::HexOf(12)),
            field("commitment", KEY),
        ],
        errors: &[],
        run: seal,
    },
    Op {
        name: "file.open",
        summary: "Opens a sealed file from front to end: the text that is given out, and why the rest of the file is refused, \
                  if it is.",
        input: &[
            field("key", KEY),
            field("context", Kind::Hex),
            field("sealed", Kind::Hex),
        ],
        output: &[
            field("text", Kind::Hex),
            field("refused", Kind::Nullable(&Kind::Text)),
        ],
        trace: &[],
        errors: &[],
        run: open,
    },
    Op {
        name: "file.open_chunk",
        summary: "Opens one chunk of a sealed file, without the others.",
        input: &[
            field("key", KEY),
            field("context", Kind::Hex),
            field("sealed", Kind::Hex),
            field("number", Kind::Decimal),
        ],
        output: &[field("text", Kind::Hex)],
        trace: &[],
        errors: &["Commitment", "Chunk", "Truncated", "OutOfRange"],
        run: open_chunk,
    },
    Op {
        name: "file.open_last",
        summary: "Opens the last chunk of a sealed file, which says how long its text is.",
        input: &[
            field("key", KEY),
            field("context", Kind::Hex),
            field("sealed", Kind::Hex),
        ],
        output: &[field("text", Kind::Hex), field("length", Kind::Decimal)],
        trace: &[],
        errors: &["Commitment", "Chunk", "Truncated"],
        run: open_last,
    },
    Op {
        name: "file.sealed_length",
        summary: "The length of a sealed file, from that of its text.",
        input: &[field("text", Kind::Decimal)],
        output: &[field("sealed", Kind::Decimal)],
        trace: &[],
        errors: &["TooLong"],
        run: |input| {
            let length = sealed_len(input.integer("text")?).ok_or(Error::TooLong);
            let length = length.map_err(refused)?;
            Ok(Output::new().value("sealed", length.to_string()))
        },
    },
    Op {
        name: "file.text_length",
        summary: "The length of the text of a sealed file, from that of the file, if it is whole.",
        input: &[field("sealed", Kind::Decimal)],
        output: &[field("text", Kind::Decimal)],
        trace: &[],
        errors: &["Truncated", "TooLong"],
        run: |input| {
            let length = text_len(input.integer("sealed")?).map_err(refused)?;
            Ok(Output::new().value("text", length.to_string()))
        },
    },
];

fn key(input: &Input<'_>) -> Result<FileKey, Refusal> {
    Ok(FileKey::from_bytes(Secret::new(input.array("key")?)))
}

fn seal(input: &Input<'_>) -> Result<Output, Refusal> {
    let (key, context) = (key(input)?, input.bytes("context")?);
    let salt = input.array("salt")?;
    let text = input.bytes("text")?;
    let (mut sealer, header) = hazmat::file::sealer(&key, &context, &salt);
    let mut sealed = header.to_vec();
    let mut rest = text.as_slice();
    while let Some(chunk) = sealer.feed(&mut rest).map_err(refused)? {
        sealed.extend_from_slice(chunk);
    }
    sealed.extend_from_slice(sealer.finish().map_err(refused)?);
    let [chunk_key, base, commitment] = hazmat::file::derived(&key, &context, &salt);
    Ok(Output::new()
        .hex("sealed", sealed)
        .trace_hex("chunk_key", chunk_key)
        .trace_hex("base_nonce", base)
        .trace_hex("commitment", commitment))
}

fn open(input: &Input<'_>) -> Result<Output, Refusal> {
    let mut opener = Opener::new(key(input)?, &input.bytes("context")?);
    let sealed = input.bytes("sealed")?;
    let mut text = Vec::new();
    let result = feed(&mut opener, &sealed, &mut text);
    let refused = match result {
        Ok(()) => Value::Null,
        Err(error) => format!("{error:?}").into(),
    };
    Ok(Output::new().hex("text", text).value("refused", refused))
}

fn feed(opener: &mut Opener, mut sealed: &[u8], text: &mut Vec<u8>) -> Result<(), Error> {
    while let Some(chunk) = opener.feed(&mut sealed)? {
        text.extend_from_slice(chunk);
    }
    text.extend_from_slice(opener.finish()?);
    Ok(())
}

/// The file's pieces, and its bytes.
fn pieces(input: &Input<'_>) -> Result<(Pieces, Vec<u8>), Refusal> {
    let sealed = input.bytes("sealed")?;
    let header: &[u8; HEADER] = sealed
        .first_chunk()
        .ok_or_else(|| refused(Error::Truncated))?;
    let pieces = Pieces::new(
        &key(input)?,
        &input.bytes("context")?,
        header,
        sealed.len() as u64,
    );
    Ok((pieces.map_err(refused)?, sealed))
}

/// One sealed chunk of them.
fn chunk(pieces: &Pieces, sealed: &[u8], number: u64) -> Result<Vec<u8>, Refusal> {
    let place = pieces.place(number).map_err(refused)?;
    let from = usize::try_from(place.start).unwrap_or(usize::MAX);
    let to = usize::try_from(place.end).unwrap_or(usize::MAX);
    Ok(sealed.get(from..to).unwrap_or_default().to_vec())
}

fn open_chunk(input: &Input<'_>) -> Result<Output, Refusal> {
    let (pieces, sealed) = pieces(input)?;
    let number = input.integer("number")?;
    let mut chunk = chunk(&pieces, &sealed, number)?;
    let text = pieces.open(number, &mut chunk).map_err(refused)?;
    Ok(Output::new().hex("text", text))
}

fn open_last(input: &Input<'_>) -> Result<Output, Refusal> {
    let (pieces, sealed) = pieces(input)?;
    let mut chunk = chunk(&pieces, &sealed, pieces.chunks().saturating_sub(1))?;
    let text = pieces.open_last(&mut chunk).map_err(refused)?;
    Ok(Output::new()
        .hex("text", text)
        .value("length", pieces.text_len().to_string()))
}

const CONTEXT: &str = "7375627273";

/// A text whose place can be told from its bytes, and that JSON holds shortly enough.
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place / 64 % 251) as u8).collect()
}

fn cases(cases: &mut Cases) {
    for length in [0, 1, 16, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5] {
        sealed(cases, &format!("{length}"), CONTEXT, length);
    }
    sealed(cases, "without-context", "", 10);
    sealed(cases, "long-context", &"c0".repeat(1000), 10);
    breaches(cases);
    lengths(cases);
}

/// A file of so many bytes, sealed, opened, and opened chunk by chunk.
fn sealed(cases: &mut Cases, name: &str, context: &str, length: usize) -> Vec<u8> {
    let key: [u8; 32] = cases.array("key");
    let salt = cases.bytes(&format!("salt {name}"), 24);
    let text = text(length);
    let answer = cases.accept_digest(
        &format!("seal-{name}"),
        "seal",
        "",
        json!({"key": hex::encode(key), "context": context, "salt": hex::encode(&salt), "text": hex::encode(&text)}),
    );
    let sealed = answer.bytes("sealed");
    let context_bytes = hex::decode(context).unwrap_or_default();
    let model = model::file::seal(&key, &context_bytes, &salt, &text);
    cases.same(&format!("seal-{name}"), &sealed, &model);
    let file = json!({"key": hex::encode(key), "context": context, "sealed": hex::encode(&sealed)});
    let opened = cases.accept_digest(&format!("open-{name}"), "open", "", file.clone());
    cases.same(&format!("open-{name}"), &opened.bytes("text"), &text);
    // Where one chunk is all, or one is empty, pieces are what is of interest.
    if ![0, 1, CHUNK, 2 * CHUNK + 5].contains(&length) {
        return sealed;
    }
    cases.accept_digest(&format!("open-last-{name}"), "open_last", "", file.clone());
    for number in 0..=length / CHUNK {
        let mut file = file.clone();
        if let Some(file) = file.as_object_mut() {
            file.insert("number".to_owned(), number.to_string().into());
        }
        let id = format!("open-chunk-{name}-{number}");
        let opened = cases.accept_digest(&id, "open_chunk", "", file);
        let part = text.chunks(CHUNK).nth(number).unwrap_or_default();
        cases.same(&id, opened.bytes("text").as_slice(), part);
    }
    sealed
}

/// Files that are cut, put together otherwise, or altered.
fn breaches(cases: &mut Cases) {
    let key = cases.hex("key", 32);
    let whole = sealed(cases, "whole", CONTEXT, 2 * CHUNK + 100);
    let (header, body) = whole.split_at(HEADER);
    let parts: Vec<&[u8]> = body.chunks(SEALED_CHUNK).collect();
    let [first, second, last] = parts.as_slice() else {
        return cases.fault("the file has not three chunks".to_owned());
    };
    let short = sealed(cases, "short", CONTEXT, CHUNK + 100);
    let other = {
        let salt = cases.bytes("another salt", 24);
        let key = cases.array("key");
        let context = hex::decode(CONTEXT).unwrap_or_default();
        model::file::seal(&key, &context, &salt, &text(CHUNK + 100))
    };
    let (foreign_header, foreign) = other.split_at(HEADER);
    let foreign = foreign.get(..SEALED_CHUNK).unwrap_or_default();
    let full = {
        // Sixteen KiB that end the file: a last chunk is shorter.
        let mut file = header.to_vec();
        file.extend_from_slice(first);
        file
    };
    let cut = |length: usize| short.get(..length).unwrap_or_default().to_vec();
    let altered = |place: usize| {
        let mut file = short.clone();
        if let Some(byte) = file.get_mut(place) {
            *byte ^= 0x40;
        }
        file
    };
    let join = |parts: &[&[u8]]| parts.concat();
    let refusals: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "no byte of the file"),
        ("half-a-header", cut(30), ""),
        ("header-only", cut(HEADER), ""),
        ("cut-in-the-first-tag", cut(HEADER + 15), ""),
        ("cut-behind-a-chunk", full, "all that is there is genuine"),
        ("cut-in-a-chunk", cut(HEADER + 1000), ""),
        ("cut-before-the-last-byte", cut(short.len() - 1), ""),
        ("swapped", join(&[header, second, first, last]), ""),
        ("repeated", join(&[header, first, first, second, last]), ""),
        ("left-out", join(&[header, first, last]), ""),
        ("last-twice", join(&[header, first, second, last, last]), ""),
        (
            "foreign-chunk",
            join(&[
                short.get(..HEADER).unwrap_or_default(),
                foreign,
                short.get(HEADER + SEALED_CHUNK..).unwrap_or_default(),
            ]),
            "of a file with the same key",
        ),
        (
            "foreign-header",
            join(&[foreign_header, short.get(HEADER..).unwrap_or_default()]),
            "of a file with the same key",
        ),
        ("byte-behind-the-end", join(&[&short, &[0]]), ""),
        ("altered-salt", altered(3), ""),
        ("altered-commitment", altered(55), ""),
        ("altered-first-chunk", altered(HEADER), ""),
        ("altered-first-tag", altered(HEADER + CHUNK + 2), ""),
        ("altered-last-chunk", altered(HEADER + SEALED_CHUNK + 9), ""),
        ("altered-last-tag", altered(short.len() - 1), ""),
    ];
    for (name, file, comment) in refusals {
        let input = json!({"key": key, "context": CONTEXT, "sealed": hex::encode(&file)});
        let answer = cases.accept_digest(name, "open", comment, input);
        if answer.get("refused").is_none_or(Value::is_null) {
            cases.fault(format!("{name}: it was not refused"));
        }
    }
    for (name, key, context) in [
        ("another-key", cases.hex("another key", 32), CONTEXT),
        ("another-context", key.clone(), "7375627274"),
        ("no-context", key.clone(), ""),
    ] {
        let input = json!({"key": key, "context": context, "sealed": hex::encode(&whole)});
        cases.refuse(
            &format!("last-{name}"),
            "open_last",
            "Commitment",
            "",
            input.clone(),
        );
        cases.accept(name, "open", "", input);
    }
    for (name, file, error) in [
        ("altered", altered(short.len() - 1), "Chunk"),
        ("cut", cut(HEADER + SEALED_CHUNK + 50), "Chunk"),
        (
            "cut-behind-a-chunk",
            cut(HEADER + SEALED_CHUNK),
            "Truncated",
        ),
        ("cut-in-the-header", cut(30), "Truncated"),
    ] {
        let input = json!({"key": key, "context": CONTEXT, "sealed": hex::encode(&file)});
        cases.refuse(&format!("last-{name}"), "open_last", error, "", input);
    }
    let input = json!({
        "key": cases.hex("another key", 32),
        "context": CONTEXT,
        "sealed": hex::encode(&short),
        "number": "0",
    });
    cases.refuse("chunk-another-key", "open_chunk", "Commitment", "", input);
    for (name, file, number, error) in [
        ("behind-the-end", short.clone(), 2u64, "OutOfRange"),
        ("far-behind-the-end", short.clone(), u64::MAX, "OutOfRange"),
        ("in-a-file-of-no-length", cut(HEADER + 15), 0, "Truncated"),
        (
            "another-chunk",
            join(&[header, second, first, last]),
            0,
            "Chunk",
        ),
        ("altered", altered(HEADER + SEALED_CHUNK), 1, "Chunk"),
        ("shortened", cut(HEADER + SEALED_CHUNK + 50), 1, "Chunk"),
    ] {
        let input = json!({"key": key, "context": CONTEXT, "sealed": hex::encode(&file), "number": number.to_string()});
        cases.refuse(&format!("chunk-{name}"), "open_chunk", error, "", input);
    }
}

fn lengths(cases: &mut Cases) {
    let longest = (1u64 << 52) - 1;
    for text in [0, 1, 16_383, 16_384, 16_385, 1 << 32, longest] {
        let id = format!("sealed-length-{text}");
        cases.accept(&id, "sealed_length", "", json!({"text": text.to_string()}));
    }
    for text in [longest + 1, u64::MAX] {
        let id = format!("sealed-length-{text}");
        let input = json!({"text": text.to_string()});
        cases.refuse(&id, "sealed_length", "TooLong", "", input);
    }
    let full = HEADER as u64 + (SEALED_CHUNK as u64) * 3;
    for sealed in [
        72,
        73,
        16_455,
        full + 16,
        full + 16_399,
        longest + (16 << 38) + 56,
    ] {
        let id = format!("text-length-{sealed}");
        cases.accept(
            &id,
            "text_length",
            "",
            json!({"sealed": sealed.to_string()}),
        );
    }
    for sealed in [0, 55, 56, 71, 16_456, full, full + 15] {
        let id = format!("text-length-{sealed}");
        let input = json!({"sealed": sealed.to_string()});
        cases.refuse(&id, "text_length", "Truncated", "", input);
    }
    for sealed in [longest + (16 << 38) + 56 + 17, u64::MAX - 1] {
        let id = format!("text-length-{sealed}");
        let input = json!({"sealed": sealed.to_string()});
        cases.refuse(&id, "text_length", "TooLong", "", input);
    }
}

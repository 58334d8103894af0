//! SPEC §3.2: SHA-256, HMAC-SHA-256, HKDF-SHA-256.

use serde_json::json;
use subrosa::crypto::hash::{HASH, HmacKey, extract, sha256};

use crate::generate::Cases;
use crate::op::{Kind, Op, Output, field, refused};

/// Longest output of HKDF-Expand (RFC 5869 §2.3).
const EXPAND_MAX: u64 = 255 * HASH as u64;

pub(super) const OPS: &[Op] = &[
    Op {
        name: "crypto.sha256",
        summary: "SHA-256.",
        input: &[field("message", Kind::Hex)],
        output: &[field("hash", Kind::HexOf(HASH))],
        trace: &[],
        errors: &[],
        run: |input| Ok(Output::new().hex("hash", sha256(&[&input.bytes("message")?]))),
    },
    Op {
        name: "crypto.hmac",
        summary: "HMAC-SHA-256.",
        input: &[field("key", Kind::Hex), field("message", Kind::Hex)],
        output: &[field("tag", Kind::HexOf(HASH))],
        trace: &[],
        errors: &[],
        run: |input| {
            let tag = HmacKey::new(&input.bytes("key")?).mac(&[&input.bytes("message")?]);
            Ok(Output::new().hex("tag", tag.expose()))
        },
    },
    Op {
        name: "crypto.hkdf_extract",
        summary: "HKDF-Extract.",
        input: &[field("salt", Kind::Hex), field("ikm", Kind::Hex)],
        output: &[field("prk", Kind::HexOf(HASH))],
        trace: &[],
        errors: &[],
        run: |input| {
            let prk = extract(&input.bytes("salt")?, &[&input.bytes("ikm")?]);
            Ok(Output::new().hex("prk", prk.expose()))
        },
    },
    Op {
        name: "crypto.hkdf_expand",
        summary: "HKDF-Expand to `length` bytes.",
        input: &[
            field("prk", Kind::Hex),
            field("info", Kind::Hex),
            field("length", Kind::Integer(0xffff)),
        ],
        output: &[field("okm", Kind::Hex)],
        trace: &[],
        errors: &["TooLong"],
        run: |input| {
            let mut okm = vec![0; input.integer("length")?];
            HmacKey::new(&input.bytes("prk")?)
                .expand(&[&input.bytes("info")?], &mut okm)
                .map_err(refused)?;
            Ok(Output::new().hex("okm", okm))
        },
    },
];

pub(super) fn cases(cases: &mut Cases) {
    for length in [0usize, 1, 55, 56, 64, 200] {
        let message = cases.hex("hash message", length);
        cases.accept(
            &format!("sha256-{length}"),
            "sha256",
            "",
            json!({"message": message}),
        );
    }
    for (key, message) in [
        (0usize, 0usize),
        (1, 3),
        (32, 50),
        (63, 64),
        (64, 64),
        (65, 64),
        (200, 10),
    ] {
        let (key_hex, text) = (
            cases.hex("hmac key", key),
            cases.hex("hmac message", message),
        );
        let comment = match key {
            65.. => "A key longer than a block is hashed first.",
            _ => "",
        };
        cases.accept(
            &format!("hmac-{key}-{message}"),
            "hmac",
            comment,
            json!({"key": key_hex, "message": text}),
        );
    }
    for (salt, ikm) in [(0usize, 32usize), (32, 32), (10, 0), (32, 160), (80, 32)] {
        let (salt_hex, text) = (cases.hex("salt", salt), cases.hex("ikm", ikm));
        cases.accept(
            &format!("hkdf-extract-{salt}-{ikm}"),
            "hkdf_extract",
            "",
            json!({"salt": salt_hex, "ikm": text}),
        );
    }
    let prk = cases.hex("prk", HASH);
    for (info, length) in [
        (0usize, 0u64),
        (0, 32),
        (10, 1),
        (10, 31),
        (10, 33),
        (40, 44),
        (40, 160),
        (200, 96),
    ] {
        let info_hex = cases.hex("info", info);
        cases.accept(
            &format!("hkdf-expand-{info}-{length}"),
            "hkdf_expand",
            "",
            json!({"prk": prk, "info": info_hex, "length": length}),
        );
    }
    cases.accept_digest(
        "hkdf-expand-longest",
        "hkdf_expand",
        "255 blocks are the most.",
        json!({"prk": prk, "info": "", "length": EXPAND_MAX}),
    );
    cases.refuse(
        "hkdf-expand-too-long",
        "hkdf_expand",
        "TooLong",
        "One byte more than 255 blocks.",
        json!({"prk": prk, "info": "", "length": EXPAND_MAX + 1}),
    );
}

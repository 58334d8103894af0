//! SPEC §3.7: ML-KEM-768.

use serde_json::{Value, json};
use subrosa::crypto::Secret;
use subrosa::crypto::kem::{KEM_CIPHERTEXT, KEM_PUBLIC, KEM_SEED, KemKeyPair, KemPublic};

use crate::generate::Cases;
use crate::op::{Input, Kind, Op, Output, Refusal, field, refused};

/// Coefficients of an encapsulation key, 12 bits each; a seed of 32 bytes follows them.
const COEFFICIENTS: usize = 768;
/// ML-KEM's modulus.
const Q: u16 = 3329;

pub(super) const OPS: &[Op] = &[
    Op {
        name: "crypto.mlkem768_keygen",
        summary: "The encapsulation key of a seed (d, z).",
        input: &[field("seed", Kind::HexOf(KEM_SEED))],
        output: &[field("ek", Kind::HexOf(KEM_PUBLIC))],
        trace: &[],
        errors: &[],
        run: |input| Ok(Output::new().hex("ek", key_pair(input)?.public().as_bytes())),
    },
    Op {
        name: "crypto.mlkem768_encapsulate",
        summary: "Parses an encapsulation key and encapsulates with the random bytes `m`.",
        input: &[
            field("ek", Kind::HexOf(KEM_PUBLIC)),
            field("m", Kind::HexOf(32)),
        ],
        output: &[
            field("ct", Kind::HexOf(KEM_CIPHERTEXT)),
            field("shared", Kind::HexOf(32)),
        ],
        trace: &[],
        errors: &["InvalidKey"],
        run: |input| {
            let ek = KemPublic::from_bytes(&input.array("ek")?).map_err(refused)?;
            let (ct, shared) = ek.encapsulate(&Secret::new(input.array("m")?));
            Ok(Output::new().hex("ct", *ct).hex("shared", shared.expose()))
        },
    },
    Op {
        name: "crypto.mlkem768_decapsulate",
        summary: "Decapsulates with the key of a seed; a ciphertext that is not its own gives another secret.",
        input: &[
            field("seed", Kind::HexOf(KEM_SEED)),
            field("ct", Kind::HexOf(KEM_CIPHERTEXT)),
        ],
        output: &[field("shared", Kind::HexOf(32))],
        trace: &[],
        errors: &[],
        run: |input| {
            let shared = key_pair(input)?.decapsulate(&input.array("ct")?);
            Ok(Output::new().hex("shared", shared.expose()))
        },
    },
];

fn key_pair(input: &Input<'_>) -> Result<KemKeyPair, Refusal> {
    Ok(KemKeyPair::from_seed(&Secret::new(input.array("seed")?)))
}

pub(super) fn cases(cases: &mut Cases) {
    let seed = cases.hex("mlkem seed 0", KEM_SEED);
    let keys = cases.accept(
        "mlkem768-keygen",
        "mlkem768_keygen",
        "",
        json!({"seed": seed}),
    );
    for index in 1..4 {
        let seed = cases.hex(&format!("mlkem seed {index}"), KEM_SEED);
        cases.accept_digest(
            &format!("mlkem768-keygen-{index}"),
            "mlkem768_keygen",
            "",
            json!({"seed": seed}),
        );
    }
    let ek = keys.get("ek").cloned().unwrap_or_default();
    let m = cases.hex("mlkem m 0", 32);
    let sealed = cases.accept(
        "mlkem768-encapsulate",
        "mlkem768_encapsulate",
        "",
        json!({"ek": ek, "m": m}),
    );
    for index in 1..3 {
        let m = cases.hex(&format!("mlkem m {index}"), 32);
        cases.accept_digest(
            &format!("mlkem768-encapsulate-{index}"),
            "mlkem768_encapsulate",
            "",
            json!({"ek": ek, "m": m}),
        );
    }
    let ct = sealed.get("ct").cloned().unwrap_or_default();
    cases.accept(
        "mlkem768-decapsulate",
        "mlkem768_decapsulate",
        "",
        json!({"seed": seed, "ct": ct}),
    );
    implicit_rejection(cases, &seed, &ct);
    modulus(cases, &ek, &m);
}

fn implicit_rejection(cases: &mut Cases, seed: &str, ct: &Value) {
    let other = cases.hex("mlkem seed 1", KEM_SEED);
    cases.accept(
        "mlkem768-decapsulate-other-key",
        "mlkem768_decapsulate",
        "A ciphertext for another key.",
        json!({"seed": other, "ct": ct}),
    );
    for (id, index) in [("first", 0), ("middle", 500), ("last", KEM_CIPHERTEXT - 1)] {
        cases.accept(
            &format!("mlkem768-decapsulate-flipped-{id}"),
            "mlkem768_decapsulate",
            "One bit differs: implicit rejection, no error.",
            json!({"seed": seed, "ct": flipped(ct, index)}),
        );
    }
    for (id, byte) in [("zeros", 0), ("ones", 0xff)] {
        cases.accept(
            &format!("mlkem768-decapsulate-{id}"),
            "mlkem768_decapsulate",
            "No ciphertext at all: implicit rejection, no error.",
            json!({"seed": seed, "ct": hex::encode([byte; KEM_CIPHERTEXT])}),
        );
    }
}

fn flipped(text: &Value, index: usize) -> String {
    let mut bytes = decoded(text);
    bytes
        .iter_mut()
        .skip(index)
        .take(1)
        .for_each(|byte| *byte ^= 1);
    hex::encode(bytes)
}

fn decoded(text: &Value) -> Vec<u8> {
    text.as_str()
        .and_then(|text| hex::decode(text).ok())
        .unwrap_or_default()
}

fn modulus(cases: &mut Cases, ek: &Value, m: &str) {
    for (id, index, value) in [
        ("first", 0, Q),
        ("second", 1, Q),
        ("middle", COEFFICIENTS / 2, 4095),
        ("last", COEFFICIENTS - 1, Q),
    ] {
        cases.refuse(
            &format!("mlkem768-encapsulate-modulus-{id}"),
            "mlkem768_encapsulate",
            "InvalidKey",
            "FIPS 203 §7.2: a coefficient of the key is not reduced modulo q.",
            json!({"ek": with_coefficient(ek, index, value), "m": m}),
        );
    }
    cases.accept_digest(
        "mlkem768-encapsulate-largest-coefficient",
        "mlkem768_encapsulate",
        "q - 1 is reduced.",
        json!({"ek": with_coefficient(ek, 0, Q - 1), "m": m}),
    );
}

/// The key with one of its 12-bit coefficients replaced.
fn with_coefficient(ek: &Value, index: usize, value: u16) -> String {
    let mut bytes = decoded(ek);
    let [low, high] = value.to_le_bytes();
    let pair = bytes.chunks_mut(3).nth(index / 2);
    if let Some([first, middle, last]) = pair {
        if index.is_multiple_of(2) {
            *first = low;
            *middle = (*middle & 0xf0) | high;
        } else {
            *middle = (*middle & 0x0f) | (low << 4);
            *last = (low >> 4) | (high << 4);
        }
    }
    hex::encode(bytes)
}

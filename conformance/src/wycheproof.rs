//! Wycheproof's files, as published, for the primitives of this library.
//!
//! What a file's parameter set asks for and the library's types cannot express (a nonce of 16 bytes, a truncated
//! signature) must be refused as no input at all, and is counted neither as passed nor as failed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use miniz_oxide::inflate::decompress_to_vec_zlib;
use serde::Deserialize;
use serde_json::Value;

use crate::report::{FileReport, Report};
use crate::step::{Expected, Step, read_json};
use crate::target::Target;

/// Makes the calls of one test of a group.
type Steps = fn(&Value, &Value) -> Result<Vec<Step>, String>;

/// The files that test primitives of this library.
const FILES: &[(&str, Steps)] = &[
    ("aes_gcm_test.json", aes_gcm),
    ("chacha20_poly1305_test.json", chacha20_poly1305),
    ("hkdf_sha256_test.json", hkdf),
    ("hmac_sha256_test.json", hmac),
    ("x25519_test.json", x25519),
    ("ed25519_test.json", ed25519),
    ("mlkem_768_test.json", mlkem_decapsulate),
    ("mlkem_768_encaps_test.json", mlkem_encapsulate),
    ("mlkem_768_keygen_seed_test.json", mlkem_keygen),
    (
        "c2sp_chunked_encryption_aes_256_gcm_test.json",
        chunked_encryption,
    ),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    number_of_tests: usize,
    test_groups: Vec<Value>,
}

/// Verifies the files of `folder`. Files that test other primitives are listed as skipped; one of ours that is
/// missing is a failure.
pub fn verify(folder: &Path, target: &mut dyn Target) -> Report {
    let mut report = Report::default();
    for (name, steps) in FILES {
        report.push(match read_json(&folder.join(name)) {
            Ok(vectors) => verify_file(name, &vectors, *steps, target),
            Err(why) => FileReport::unreadable(name, why),
        });
    }
    let entries = fs::read_dir(folder).into_iter().flatten();
    let others: BTreeSet<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".json") && FILES.iter().all(|(known, _)| known != name))
        .collect();
    for name in others {
        report.push(FileReport::skipped(
            &name,
            "not a primitive of this library",
        ));
    }
    report
}

fn verify_file(name: &str, vectors: &Vectors, steps: Steps, target: &mut dyn Target) -> FileReport {
    let mut report = FileReport::new(name);
    let mut tests = 0usize;
    for group in &vectors.test_groups {
        for test in group
            .get("tests")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            tests = tests.saturating_add(1);
            let id = format!("tcId {}", test.get("tcId").unwrap_or(&Value::Null));
            match steps(group, test) {
                Ok(steps) => report.add(&id, Step::run_all(&steps, target)),
                Err(why) => report.fail(format!("{id}: the vector is broken: {why}")),
            }
        }
    }
    if tests != vectors.number_of_tests || tests == 0 {
        report.fail(format!(
            "{tests} tests found, {} announced",
            vectors.number_of_tests
        ));
    }
    report
}

fn text<'a>(test: &'a Value, name: &str) -> Result<&'a str, String> {
    let text = test.get(name).and_then(Value::as_str);
    text.ok_or_else(|| format!("it has no text {name:?}"))
}

fn integer(test: &Value, name: &str) -> Result<u64, String> {
    let integer = test.get(name).and_then(Value::as_u64);
    integer.ok_or_else(|| format!("it has no integer {name:?}"))
}

/// Whether the result is `valid`; `acceptable` is only for X25519.
fn is_valid(test: &Value) -> Result<bool, String> {
    match text(test, "result")? {
        "valid" => Ok(true),
        "invalid" => Ok(false),
        other => Err(format!("its result is {other:?}")),
    }
}

fn has_flag(test: &Value, name: &str) -> bool {
    let flags = test.get("flags").and_then(Value::as_array);
    flags.into_iter().flatten().any(|flag| flag == name)
}

fn aes_gcm(group: &Value, test: &Value) -> Result<Vec<Step>, String> {
    match integer(group, "keySize")? {
        128 => aead(test, "crypto.aes128gcm_seal", "crypto.aes128gcm_open"),
        _ => aead(test, "crypto.aes256gcm_seal", "crypto.aes256gcm_open"),
    }
}

fn chacha20_poly1305(_: &Value, test: &Value) -> Result<Vec<Step>, String> {
    aead(
        test,
        "crypto.chacha20poly1305_seal",
        "crypto.chacha20poly1305_open",
    )
}

fn aead(test: &Value, seal: &'static str, open: &'static str) -> Result<Vec<Step>, String> {
    let [key, nonce, ad] = [text(test, "key")?, text(test, "iv")?, text(test, "aad")?];
    let [msg, ct, tag] = [text(test, "msg")?, text(test, "ct")?, text(test, "tag")?];
    let opened = |expected| {
        let input = [
            ("key", key),
            ("nonce", nonce),
            ("ad", ad),
            ("ciphertext", ct),
            ("tag", tag),
        ];
        Step::new(
            open,
            input.map(|(name, value)| (name, value.into())),
            expected,
        )
    };
    if !is_valid(test)? {
        return Ok(vec![opened(Expected::Error("Decryption"))]);
    }
    let input = [("key", key), ("nonce", nonce), ("ad", ad), ("text", msg)];
    let sealed = Step::new(
        seal,
        input.map(|(name, value)| (name, value.into())),
        Expected::out([("ciphertext", ct.into()), ("tag", tag.into())]),
    );
    Ok(vec![sealed, opened(Expected::out([("text", msg.into())]))])
}

fn hkdf(_: &Value, test: &Value) -> Result<Vec<Step>, String> {
    // HKDF is two operations here; the published value of the first is the second's input, so it is computed.
    let salt = hex::decode(text(test, "salt")?).map_err(|why| why.to_string())?;
    let ikm = hex::decode(text(test, "ikm")?).map_err(|why| why.to_string())?;
    let prk = hex::encode(subrosa::crypto::hash::extract(&salt, &[&ikm]).expose());
    let extract = Step::new(
        "crypto.hkdf_extract",
        [
            ("salt", text(test, "salt")?.into()),
            ("ikm", text(test, "ikm")?.into()),
        ],
        Expected::out([("prk", prk.as_str().into())]),
    );
    let expected = match is_valid(test)? {
        true => Expected::out([("okm", text(test, "okm")?.into())]),
        false => Expected::Error("TooLong"),
    };
    let expand = Step::new(
        "crypto.hkdf_expand",
        [
            ("prk", prk.into()),
            ("info", text(test, "info")?.into()),
            ("length", integer(test, "size")?.into()),
        ],
        expected,
    );
    Ok(vec![extract, expand])
}

fn hmac(group: &Value, test: &Value) -> Result<Vec<Step>, String> {
    let tag = text(test, "tag")?;
    let bits = integer(group, "tagSize")?;
    if u64::try_from(tag.len()).ok() != bits.checked_div(4) {
        return Err(format!("its tag is not of {bits} bits"));
    }
    Ok(vec![Step::new(
        "crypto.hmac",
        [
            ("key", text(test, "key")?.into()),
            ("message", text(test, "msg")?.into()),
        ],
        Expected::Prefix {
            field: "tag",
            hex: tag.to_owned(),
            equal: is_valid(test)?,
        },
    )])
}

/// SPEC §3.3: an encoding that is not canonical (bit 255 set, or not below p; among others everything that is flagged
/// `NonCanonicalPublic`) is `InvalidKey`; every other key with an all-zero result (`ZeroSharedSecret`, and every
/// `LowOrderPublic`) is `NonContributory`; all others give the shared secret, whether `valid` or `acceptable`.
fn x25519(_: &Value, test: &Value) -> Result<Vec<Step>, String> {
    let public = text(test, "public")?;
    let canonical = is_canonical(public)?;
    if canonical && has_flag(test, "NonCanonicalPublic") {
        return Err("a canonical key is flagged NonCanonicalPublic".to_owned());
    }
    let zero = has_flag(test, "ZeroSharedSecret");
    if zero != has_flag(test, "LowOrderPublic") {
        return Err("ZeroSharedSecret and LowOrderPublic do not come together".to_owned());
    }
    let expected = match text(test, "result")? {
        "valid" | "acceptable" if !canonical => Expected::Error("InvalidKey"),
        "valid" | "acceptable" if zero => Expected::Error("NonContributory"),
        "valid" | "acceptable" => Expected::out([("shared", text(test, "shared")?.into())]),
        other => return Err(format!("its result is {other:?}")),
    };
    Ok(vec![Step::new(
        "crypto.x25519_agree",
        [
            ("secret", text(test, "private")?.into()),
            ("public", public.into()),
        ],
        expected,
    )])
}

/// Whether the little-endian number is below 2^255 - 19.
fn is_canonical(public: &str) -> Result<bool, String> {
    let mut number = hex::decode(public).map_err(|why| why.to_string())?;
    number.reverse();
    let mut p = vec![0xff; 32];
    if let [first, .., last] = p.as_mut_slice() {
        (*first, *last) = (0x7f, 0xed);
    }
    Ok(number < p)
}

fn ed25519(group: &Value, test: &Value) -> Result<Vec<Step>, String> {
    let key = group.get("publicKey").ok_or("it has no publicKey")?;
    let expected = match is_valid(test)? {
        true => Expected::out([]),
        false => Expected::Error("BadSignature"),
    };
    Ok(vec![Step::new(
        "crypto.ed25519_verify",
        [
            ("public", text(key, "pk")?.into()),
            ("message", text(test, "msg")?.into()),
            ("signature", text(test, "sig")?.into()),
        ],
        expected,
    )])
}

fn mlkem_keygen(_: &Value, test: &Value) -> Result<Vec<Step>, String> {
    if !is_valid(test)? {
        return Err("a seed that is not valid".to_owned());
    }
    Ok(vec![keygen(test)?])
}

fn keygen(test: &Value) -> Result<Step, String> {
    Ok(Step::new(
        "crypto.mlkem768_keygen",
        [("seed", text(test, "seed")?.into())],
        Expected::out([("ek", text(test, "ek")?.into())]),
    ))
}

/// What is not valid has the wrong length, since no ciphertext of the right one is ever refused.
fn mlkem_decapsulate(_: &Value, test: &Value) -> Result<Vec<Step>, String> {
    let [seed, ct] = [text(test, "seed")?, text(test, "c")?];
    let decapsulate = |expected| {
        Step::new(
            "crypto.mlkem768_decapsulate",
            [("seed", seed.into()), ("ct", ct.into())],
            expected,
        )
    };
    if is_valid(test)? {
        let shared = Expected::out([("shared", text(test, "K")?.into())]);
        return Ok(vec![keygen(test)?, decapsulate(shared)]);
    }
    if seed.len() == 128 && ct.len() == 2176 {
        return Err("a ciphertext of the right length that is not valid".to_owned());
    }
    Ok(vec![decapsulate(Expected::Error("InvalidKey"))])
}

/// A key of the right length that is not valid fails the modulus check (`ModulusOverflow`, or without a flag).
fn mlkem_encapsulate(_: &Value, test: &Value) -> Result<Vec<Step>, String> {
    let expected = match is_valid(test)? {
        true => Expected::out([
            ("ct", text(test, "c")?.into()),
            ("shared", text(test, "K")?.into()),
        ]),
        false => Expected::Error("InvalidKey"),
    };
    Ok(vec![Step::new(
        "crypto.mlkem768_encapsulate",
        [
            ("ek", text(test, "ek")?.into()),
            ("m", text(test, "m")?.into()),
        ],
        expected,
    )])
}

/// SHA-512 of nothing.
const EMPTY_SHA512: &str = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                            47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

/// A sealed file, opened from front to end: what was given out before it was refused is what the vector says, so all of it
/// or the longest prefix that is genuine. Then its last chunk alone, as one who seeks from the end does.
fn chunked_encryption(_: &Value, test: &Value) -> Result<Vec<Step>, String> {
    let valid = is_valid(test)?;
    let known = test.get("msgSha512").is_some();
    if known != (valid || has_flag(test, "PartialPlaintext")) {
        return Err("it has a text, and is neither valid nor flagged PartialPlaintext".to_owned());
    }
    let (length, sha512) = if known {
        (integer(test, "msgLength")?, text(test, "msgSha512")?)
    } else {
        (0, EMPTY_SHA512)
    };
    let sealed = hex::encode(inflated(text(test, "ct")?)?);
    let input = || -> Result<_, String> {
        Ok([
            ("key", text(test, "key")?.into()),
            ("context", text(test, "ctx")?.into()),
            ("sealed", sealed.as_str().into()),
        ])
    };
    let opened = Expected::Opened {
        length,
        sha512: sha512.to_owned(),
        refused: !valid,
    };
    let last = if valid || has_flag(test, "ValidFinalChunk") {
        Expected::AnyOut
    } else {
        Expected::AnyError
    };
    Ok(vec![
        Step::new("file.open", input()?, opened),
        Step::new("file.open_last", input()?, last),
    ])
}

/// What is compressed by zlib (RFC 1950): in that file, every ciphertext.
fn inflated(hex: &str) -> Result<Vec<u8>, String> {
    let compressed = hex::decode(hex).map_err(|why| why.to_string())?;
    decompress_to_vec_zlib(&compressed).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_means_below_p() {
        let p_minus_1 = format!("ec{}7f", "ff".repeat(30));
        let p = format!("ed{}7f", "ff".repeat(30));
        let high_bit = format!("09{}80", "00".repeat(30));
        assert_eq!(is_canonical(&p_minus_1), Ok(true));
        assert_eq!(is_canonical(&p), Ok(false));
        assert_eq!(is_canonical(&high_bit), Ok(false));
        assert_eq!(is_canonical(&"00".repeat(32)), Ok(true));
        assert!(is_canonical("0").is_err());
    }
}

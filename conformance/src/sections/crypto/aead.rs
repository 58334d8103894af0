//! SPEC §3.5: AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305.

use serde_json::{Value, json};
use subrosa::crypto::aead::{Aes128Gcm, Aes256Gcm, ChaCha20Poly1305, NONCE, TAG};

use crate::generate::Cases;
use crate::op::{Kind, Op, Output, field, refused};

macro_rules! ops {
    ($($cipher:ident, $seal:literal, $open:literal;)*) => {
        &[$(
            Op {
                name: $seal,
                summary: "Encrypts; the tag stands apart from the ciphertext.",
                input: &[
                    field("key", Kind::HexOf($cipher::KEY)),
                    field("nonce", Kind::HexOf(NONCE)),
                    field("ad", Kind::Hex),
                    field("text", Kind::Hex),
                ],
                output: &[field("ciphertext", Kind::Hex), field("tag", Kind::HexOf(TAG))],
                trace: &[],
                errors: &[],
                run: |input| {
                    let mut text = input.bytes("text")?;
                    let tag = $cipher::seal(
                        &input.array("key")?,
                        &input.array("nonce")?,
                        &input.bytes("ad")?,
                        &mut text,
                    )
                    .map_err(refused)?;
                    Ok(Output::new().hex("ciphertext", text).hex("tag", tag))
                },
            },
            Op {
                name: $open,
                summary: "Decrypts.",
                input: &[
                    field("key", Kind::HexOf($cipher::KEY)),
                    field("nonce", Kind::HexOf(NONCE)),
                    field("ad", Kind::Hex),
                    field("ciphertext", Kind::Hex),
                    field("tag", Kind::HexOf(TAG)),
                ],
                output: &[field("text", Kind::Hex)],
                trace: &[],
                errors: &["Decryption"],
                run: |input| {
                    let mut text = input.bytes("ciphertext")?;
                    $cipher::open(
                        &input.array("key")?,
                        &input.array("nonce")?,
                        &input.bytes("ad")?,
                        &mut text,
                        &input.array("tag")?,
                    )
                    .map_err(refused)?;
                    Ok(Output::new().hex("text", text))
                },
            },
        )*]
    };
}

pub(super) const OPS: &[Op] = ops! {
    Aes256Gcm, "crypto.aes256gcm_seal", "crypto.aes256gcm_open";
    Aes128Gcm, "crypto.aes128gcm_seal", "crypto.aes128gcm_open";
    ChaCha20Poly1305, "crypto.chacha20poly1305_seal", "crypto.chacha20poly1305_open";
};

pub(super) fn cases(cases: &mut Cases) {
    for (cipher, key, lengths) in [
        (
            "aes256gcm",
            Aes256Gcm::KEY,
            &[(0usize, 0usize), (0, 20), (44, 100), (192, 64), (1000, 7)][..],
        ),
        ("aes128gcm", Aes128Gcm::KEY, &[(0, 0), (50, 20)]),
        (
            "chacha20poly1305",
            ChaCha20Poly1305::KEY,
            &[(0, 0), (50, 20)],
        ),
    ] {
        for (text, ad) in lengths {
            round_trip(cases, cipher, key, *text, *ad);
        }
    }
}

fn round_trip(cases: &mut Cases, cipher: &str, key: usize, text: usize, ad: usize) {
    let name = format!("{cipher} {text} {ad}");
    let bytes = |cases: &Cases, what: &str, length| cases.hex(&format!("{name} {what}"), length);
    let (key, nonce) = (bytes(cases, "key", key), bytes(cases, "nonce", NONCE));
    let (text, ad_hex) = (bytes(cases, "text", text), bytes(cases, "ad", ad));
    let id = format!("{cipher}-{}-{ad}", text.len() / 2);
    let sealed = cases.accept(
        &format!("{id}-seal"),
        &format!("{cipher}_seal"),
        "",
        json!({"key": key, "nonce": nonce, "ad": ad_hex, "text": text}),
    );
    let open = format!("{cipher}_open");
    let good = json!({
        "key": key, "nonce": nonce, "ad": ad_hex,
        "ciphertext": sealed.get("ciphertext"), "tag": sealed.get("tag"),
    });
    cases.accept(&format!("{id}-open"), &open, "", good.clone());
    for field in ["key", "nonce", "ad", "ciphertext", "tag"] {
        let Some(changed) = with_last_bit_flipped(&good, field) else {
            continue;
        };
        cases.refuse(
            &format!("{id}-open-other-{field}"),
            &open,
            "Decryption",
            "One bit differs.",
            changed,
        );
    }
}

/// `input` with the last bit of a field of bytes flipped; `None` if it is empty.
fn with_last_bit_flipped(input: &Value, field: &str) -> Option<Value> {
    let mut bytes = hex::decode(input.get(field)?.as_str()?).ok()?;
    *bytes.last_mut()? ^= 1;
    let mut changed = input.clone();
    *changed.get_mut(field)? = hex::encode(bytes).into();
    Some(changed)
}

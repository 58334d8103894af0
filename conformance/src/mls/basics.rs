//! `crypto-basics.json`: the labelled functions (RFC 9420 §§5.1, 5.2, 8).

use std::path::Path;

use serde::Deserialize;
use subrosa::crypto::Secret;
use subrosa::mls::hazmat::{
    decrypt_with_label, derive_secret, encrypt_with_label, expand_with_label, ref_hash,
    sign_with_label, verify_with_label,
};
use subrosa::mls::{CipherSuite, SignaturePublicKey, Signer};

use super::{Check, Hex, at, each, equal};
use crate::report::FileReport;

#[derive(Deserialize)]
struct Basics {
    cipher_suite: u16,
    ref_hash: RefHash,
    expand_with_label: Expand,
    derive_secret: Derive,
    derive_tree_secret: DeriveTree,
    sign_with_label: Sign,
    encrypt_with_label: Encrypt,
}

#[derive(Deserialize)]
struct RefHash {
    label: String,
    value: Hex,
    out: Hex,
}

#[derive(Deserialize)]
struct Expand {
    secret: Hex,
    label: String,
    context: Hex,
    length: u16,
    out: Hex,
}

#[derive(Deserialize)]
struct Derive {
    secret: Hex,
    label: String,
    out: Hex,
}

#[derive(Deserialize)]
struct DeriveTree {
    secret: Hex,
    label: String,
    generation: u32,
    length: u16,
    out: Hex,
}

#[derive(Deserialize)]
struct Sign {
    #[serde(rename = "priv")]
    private: Hex,
    #[serde(rename = "pub")]
    public: Hex,
    content: Hex,
    label: String,
    signature: Hex,
}

#[derive(Deserialize)]
struct Encrypt {
    #[serde(rename = "priv")]
    private: Hex,
    #[serde(rename = "pub")]
    public: Hex,
    label: String,
    context: Hex,
    plaintext: Hex,
    kem_output: Hex,
    ciphertext: Hex,
}

/// A private signature key as the files give it.
pub(super) fn signer(suite: CipherSuite, private: &[u8]) -> Result<Signer, String> {
    let private = private.try_into().map_err(|_| "private key: its length")?;
    Signer::from_secret(suite, &Secret::new(private)).map_err(at("private key"))
}

pub(super) fn crypto(path: &Path) -> FileReport {
    each(path, |case: &Basics| Some(case.cipher_suite), check)
}

fn check(case: &Basics) -> Check {
    let suite = CipherSuite(case.cipher_suite);
    let own = &case.ref_hash;
    let hash = ref_hash(own.label.as_bytes(), &own.value).map_err(at("ref_hash"))?;
    equal("ref_hash", &hash, &own.out)?;

    let own = &case.expand_with_label;
    let out = expand_with_label(&own.secret, own.label.as_bytes(), &own.context, own.length);
    equal("expand_with_label", &out.map_err(at("expand"))?, &own.out)?;

    let own = &case.derive_secret;
    let out = derive_secret(&own.secret, own.label.as_bytes());
    equal("derive_secret", &out.map_err(at("derive"))?, &own.out)?;

    let own = &case.derive_tree_secret;
    let generation = own.generation.to_be_bytes();
    let out = expand_with_label(&own.secret, own.label.as_bytes(), &generation, own.length);
    equal("derive_tree_secret", &out.map_err(at("tree"))?, &own.out)?;

    let own = &case.sign_with_label;
    let key = SignaturePublicKey(own.public.0.clone());
    let label = own.label.as_bytes();
    verify_with_label(suite, &key, label, &own.content, &own.signature)
        .map_err(at("sign_with_label"))?;
    let signer = signer(suite, &own.private)?;
    equal("public key", &signer.public().0, &key.0)?;
    let signature = sign_with_label(&signer, label, &own.content).map_err(at("sign"))?;
    verify_with_label(suite, &key, label, &own.content, &signature).map_err(at("own signature"))?;
    if verify_with_label(suite, &key, b"another label", &own.content, &signature).is_ok() {
        return Err("a signature holds under another label".to_owned());
    }

    let own = &case.encrypt_with_label;
    let label = own.label.as_bytes();
    let open = |kem_output: &[u8], ciphertext: &[u8]| {
        decrypt_with_label(
            suite,
            &own.private,
            label,
            &own.context,
            kem_output,
            ciphertext,
        )
        .map_err(at("decrypt_with_label"))
    };
    equal(
        "decrypt_with_label",
        &open(&own.kem_output, &own.ciphertext)?,
        &own.plaintext,
    )?;
    let (kem_output, ciphertext) = encrypt_with_label(
        suite,
        &own.public,
        label,
        &own.context,
        &own.plaintext,
        [case.cipher_suite.to_be_bytes()[1]; 32],
    )
    .map_err(at("encrypt_with_label"))?;
    equal(
        "one's own ciphertext",
        &open(&kem_output, &ciphertext)?,
        &own.plaintext,
    )
}

//! SPEC §6: addresses and signed identities.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use serde_json::{Value, json};
use subrosa::crypto::Secret;
use subrosa::{Address, DeviceIdentity, hazmat};

use super::Section;
use super::crypto::edge;
use crate::generate::Cases;
use crate::model::formula::{self, Bytes32};
use crate::op::{Input, Kind, Op, Output, Refusal, field, refused};

pub(super) const SECTION: Section = Section {
    name: "identity",
    spec: "SPEC.md §6",
    description: "Addresses; `IKs || IKd || sig_id` from its private halves; which of them are refused, and as what \
                  where two reasons apply.",
    ops: &[OPS],
    cases,
};

/// Bytes of `IKs || IKd || sig_id`.
const IDENTITY: usize = 128;

const OPS: &[Op] = &[
    Op {
        name: "identity.address",
        summary: "Accepts an address (§6.1).",
        input: &[field("address", Kind::Hex)],
        output: &[],
        trace: &[],
        errors: &["Malformed"],
        run: |input| {
            Address::new(&input.bytes("address")?).map_err(refused)?;
            Ok(Output::new())
        },
    },
    Op {
        name: "identity.sign",
        summary: "`IKs || IKd || sig_id` of a device with these private halves (§6.2).",
        input: &[
            field("signing_seed", Kind::HexOf(32)),
            field("dh_secret", Kind::HexOf(32)),
        ],
        output: &[field("identity", Kind::HexOf(IDENTITY))],
        trace: &[field("signed", Kind::Hex)],
        errors: &[],
        run: sign,
    },
    Op {
        name: "identity.verify",
        summary: "Verifies `IKs || IKd || sig_id` (§6.2-R1 to R3).",
        input: &[field("identity", Kind::Hex)],
        output: &[],
        trace: &[],
        errors: &["Malformed", "BadSignature"],
        run: |input| {
            hazmat::verify_identity(&input.bytes("identity")?).map_err(refused)?;
            Ok(Output::new())
        },
    },
];

/// The device with the secrets `address`, `signing_seed` and `dh_secret` of an input.
pub(super) fn device(input: &Input<'_>) -> Result<DeviceIdentity, Refusal> {
    with_address(input, &input.bytes("address")?)
}

fn with_address(input: &Input<'_>, address: &[u8]) -> Result<DeviceIdentity, Refusal> {
    let address = Address::new(address).map_err(refused)?;
    let seed = Secret::new(input.array("signing_seed")?);
    DeviceIdentity::from_secrets(address, &seed, Secret::new(input.array("dh_secret")?))
        .map_err(refused)
}

fn sign(input: &Input<'_>) -> Result<Output, Refusal> {
    // The address is no part of what is signed.
    let device = with_address(input, b"any")?;
    let keys = device.public().keys();
    let signed = [
        &formula::label("identity")[..],
        keys.signing_key().as_bytes(),
        keys.dh_key().as_bytes(),
    ];
    Ok(Output::new()
        .hex("identity", hazmat::signed_identity(&device))
        .trace_hex("signed", signed.concat()))
}

fn cases(cases: &mut Cases) {
    addresses(cases);
    let seed: Bytes32 = cases.array("seed");
    let secret: Bytes32 = cases.array("secret");
    let signed = cases.accept(
        "sign",
        "sign",
        "",
        json!({"signing_seed": hex::encode(seed), "dh_secret": hex::encode(secret)}),
    );
    let identity = signed.bytes("identity");
    let other_way = formula::signed_identity(&seed, &formula::public(&secret));
    cases.same("sign", Ok(identity.clone()), other_way);
    let clamped = edge::map_ends(secret, |first, last| (first ^ 0x07, last ^ 0xc0));
    let same = cases.accept(
        "sign-clamped-bits",
        "sign",
        "RFC 7748 §5: the clamped bits of IKd's private half do not matter. Ed25519 signatures are deterministic.",
        json!({"signing_seed": hex::encode(seed), "dh_secret": hex::encode(clamped)}),
    );
    cases.same(
        "sign-clamped-bits",
        same.bytes("identity"),
        identity.clone(),
    );
    verify(cases, "genuine", None, "", &identity);
    altered(cases, &identity);
    others(cases, &seed, &secret, &identity);
    refused_keys(cases, &seed, &secret);
}

fn addresses(cases: &mut Cases) {
    for (id, address) in [
        ("1", b"a".to_vec()),
        ("zero-byte", vec![0]),
        ("zeros", vec![0; 16]),
        ("not-utf-8", vec![0xff, 0xfe, 0x80]),
        ("47", cases.bytes("address", 47)),
    ] {
        cases.accept(
            &format!("address-{id}"),
            "address",
            "1 to 47 bytes, whatever they are.",
            json!({"address": hex::encode(address)}),
        );
    }
    for length in [0usize, 48, 64, 255, 256] {
        let address = cases.hex("address", length);
        cases.refuse(
            &format!("address-{length}"),
            "address",
            "Malformed",
            "",
            json!({"address": address}),
        );
    }
}

/// Adds a verification; the model must judge alike.
fn verify(cases: &mut Cases, id: &str, error: Option<&str>, comment: &str, identity: &[u8]) {
    let input: Value = json!({"identity": hex::encode(identity)});
    let judged = crate::model::agreement::verify_identity(identity).map(drop);
    cases.same(
        id,
        judged,
        error.map_or(Ok(()), |error| Err(crate::model::error(error))),
    );
    let id = format!("verify-{id}");
    match error {
        None => drop(cases.accept(&id, "verify", comment, input)),
        Some(error) => cases.refuse(&id, "verify", error, comment, input),
    }
}

fn flipped(identity: &[u8], byte: usize, bit: u32) -> Vec<u8> {
    let mut identity = identity.to_vec();
    for byte in identity.iter_mut().skip(byte).take(1) {
        *byte ^= 1u8.rotate_left(bit);
    }
    identity
}

fn altered(cases: &mut Cases, identity: &[u8]) {
    for (name, byte, bit) in [
        ("iks-first", 0, 0),
        ("iks-middle", 17, 3),
        ("iks-sign", 31, 7),
        ("ikd-first", 32, 0),
        ("ikd-middle", 47, 5),
        ("ikd-last", 63, 0),
        ("r-first", 64, 0),
        ("r-last", 95, 6),
        ("s-first", 96, 0),
        ("s-last", 127, 0),
    ] {
        verify(
            cases,
            &format!("flipped-{name}"),
            Some("BadSignature"),
            "One bit is another.",
            &flipped(identity, byte, bit),
        );
    }
    verify(
        cases,
        "flipped-ikd-high-bit",
        Some("Malformed"),
        "IKd is not canonical: that comes before the signature.",
        &flipped(identity, 63, 7),
    );
    for length in [0usize, 31, 32, 64, 127] {
        let short = identity.get(..length).unwrap_or_default();
        verify(
            cases,
            &format!("truncated-{length}"),
            Some("Malformed"),
            "",
            short,
        );
    }
    verify(
        cases,
        "trailing",
        Some("Malformed"),
        "",
        &[identity, &[0]].concat(),
    );
    let signature = identity.last_chunk::<64>().copied().unwrap_or([0; 64]);
    let keys = identity.get(..64).unwrap_or_default();
    let Some(malleated) = edge::add_order(&signature, 1) else {
        cases.fault("identity: S + L does not fit".to_owned());
        return;
    };
    verify(
        cases,
        "s-plus-order",
        Some("BadSignature"),
        "S + L: the same signature malleated.",
        &[keys, &malleated].concat(),
    );
}

/// Keys and signatures of several devices, mixed.
fn others(cases: &mut Cases, seed: &Bytes32, secret: &Bytes32, identity: &[u8]) {
    let other_seed: Bytes32 = cases.array("other seed");
    let other_ikd = formula::public(&cases.array("other secret"));
    let (iks, ikd) = (formula::verifying_key(seed), formula::public(secret));
    let other_iks = formula::verifying_key(&other_seed);
    let signature = identity.get(64..).unwrap_or_default();
    let label = formula::label("identity");
    let signed = |seed: &Bytes32, message: &[&[u8]]| {
        formula::sign(seed, message).map(|bytes| bytes.to_vec())
    };
    let list = [
        (
            "other-iks",
            "The signature of another device.",
            Ok([&other_iks, &ikd, signature].concat()),
        ),
        (
            "other-ikd",
            "The DH key of another device.",
            Ok([&iks, &other_ikd, signature].concat()),
        ),
        (
            "swapped",
            "IKd and IKs in the other order.",
            Ok([&ikd, &iks, signature].concat()),
        ),
        (
            "signed-by-other",
            "Another device claims our IKd, and signs it with its own key, under our IKs.",
            signed(&other_seed, &[&label, &iks, &ikd]).map(|by| [&iks, &ikd, &by[..]].concat()),
        ),
        (
            "signed-without-iks",
            "Signed by the right key, but without IKs in what is signed.",
            signed(seed, &[&label, &ikd]).map(|by| [&iks, &ikd, &by[..]].concat()),
        ),
        (
            "signed-without-label",
            "Signed by the right key without a label.",
            signed(seed, &[&iks, &ikd]).map(|by| [&iks, &ikd, &by[..]].concat()),
        ),
        (
            "signed-other-label",
            "Signed by the right key under the label of a prekey.",
            signed(seed, &[&formula::label("spk"), &iks, &ikd])
                .map(|by| [&iks, &ikd, &by[..]].concat()),
        ),
    ];
    for (id, comment, identity) in list {
        if let Some(identity) = cases.made(id, identity) {
            verify(cases, id, Some("BadSignature"), comment, &identity);
        }
    }
    let adopted = formula::signed_identity(&other_seed, &ikd);
    if let Some(adopted) = cases.made("adopted-ikd", adopted) {
        verify(
            cases,
            "adopted-ikd",
            None,
            "Another device adopts our IKd under its own IKs. That is a genuine identity as far as it goes; without \
             IKd's private half no agreement with it succeeds (§7.5-R6).",
            &adopted,
        );
    }
}

/// DH keys that are refused although IKs signed them.
fn refused_keys(cases: &mut Cases, seed: &Bytes32, secret: &Bytes32) {
    let mut keys: Vec<(String, Bytes32, &str)> = Vec::new();
    for offset in [0, 1, 18] {
        keys.push((
            format!("p-plus-{offset}"),
            edge::p_plus(offset),
            "Not canonical.",
        ));
    }
    let public = formula::public(secret);
    keys.push((
        "high-bit".to_owned(),
        edge::with_high_bit(public),
        "Not canonical.",
    ));
    for (name, point) in edge::small_order() {
        keys.push((format!("small-order-{name}"), point, "Of small order."));
    }
    for (name, point) in [("two", edge::small(2)), ("p-minus-3", edge::p_minus(3))] {
        keys.push((format!("twist-{name}"), point, "On the twist."));
    }
    let prime = edge::point(secret);
    for (index, torsion) in EIGHT_TORSION.iter().enumerate().skip(1) {
        let point = (prime + torsion).to_montgomery().to_bytes();
        let comment = "An honest key plus a point of small order: a second name for the same key.";
        keys.push((format!("torsion-{index}"), point, comment));
    }
    for (id, ikd, comment) in keys {
        let identity = formula::signed_identity(seed, &ikd);
        if let Some(identity) = cases.made(&id, identity) {
            verify(cases, &id, Some("Malformed"), comment, &identity);
        }
    }
    let torsion = EIGHT_TORSION.into_iter().nth(1).unwrap_or_default();
    let ikd = (prime + torsion).to_montgomery().to_bytes();
    if let Some(identity) = cases.made(
        "torsion-bad-signature",
        formula::signed_identity(seed, &ikd),
    ) {
        verify(
            cases,
            "torsion-bad-signature",
            Some("BadSignature"),
            "The signature (R2) comes before the order of IKd (R3).",
            &flipped(&identity, 100, 0),
        );
    }
    // A key of small order needs no private half: this signature holds by the equation alone.
    let nonce = edge::Forger::new(&[0; 32], &cases.array("small nonce")).nonce;
    let r = EdwardsPoint::mul_base(&nonce).compress().0;
    let iks = edge::small(1);
    let signature = edge::join(&r, nonce.as_bytes());
    verify(
        cases,
        "small-order-iks",
        Some("BadSignature"),
        "IKs is the neutral element: R = [S]B holds for every message.",
        &[&iks, &public, &signature[..]].concat(),
    );
}

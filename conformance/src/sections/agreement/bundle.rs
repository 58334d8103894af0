//! SPEC §7.2: bundles, made and verified.

use curve25519_dalek::constants::EIGHT_TORSION;
use serde_json::{Value, json};
use subrosa::Bundle;
use subrosa::hazmat::{self, BundleKeys};

use super::{ADDRESS, ID, NOW, SECRET, SEED, party, with_secrets};
use crate::generate::Cases;
use crate::model::agreement::{self as model, Encoded, Parts, Published, Secrets};
use crate::model::formula;
use crate::model::prekeys::DAY;
use crate::op::{Field, Input, Kind, Op, Output, Refusal, field, refused};
use crate::sections::crypto::edge;
use crate::sections::identity::device;

const SPK: &[Field] = &[
    field("id", Kind::Integer(ID)),
    field("secret", Kind::HexOf(32)),
    field("not_after", Kind::Decimal),
];
const KEM: &[Field] = &[
    field("id", Kind::Integer(ID)),
    field("seed", Kind::HexOf(64)),
    field("not_after", Kind::Decimal),
    field("last_resort", Kind::Bool),
];
const OPK: &[Field] = &[
    field("id", Kind::Integer(ID)),
    field("secret", Kind::HexOf(32)),
];

pub(super) const OPS: &[Op] = &[
    Op {
        name: "agreement.bundle",
        summary: "The bundle of a device with these prekeys. `spk_signed` and `kem_signed` are what the signatures sign.",
        input: &[
            ADDRESS,
            SEED,
            SECRET,
            field("spk", Kind::Object(SPK)),
            field("kem", Kind::Object(KEM)),
            field("opk", Kind::Nullable(&Kind::Object(OPK))),
        ],
        output: &[field("bundle", Kind::Hex)],
        trace: &[
            field("spk_signed", Kind::Hex),
            field("kem_signed", Kind::Hex),
        ],
        errors: &[],
        run: bundle,
    },
    Op {
        name: "agreement.verify_bundle",
        summary: "Parses and verifies a bundle at a time (§7.2-R1 to R4). `last_resort` says that it has neither an OPK \
                  nor a one-time KEM key.",
        input: &[field("bundle", Kind::Hex), field("now", Kind::Decimal)],
        output: &[
            ADDRESS,
            field("iks", Kind::HexOf(32)),
            field("ikd", Kind::HexOf(32)),
            field("last_resort", Kind::Bool),
        ],
        trace: &[],
        errors: &["Malformed", "UnknownVersion", "BadSignature", "StaleBundle"],
        run: |input| {
            let bundle = verified(input)?;
            let keys = bundle.identity().keys();
            Ok(Output::new()
                .hex("address", bundle.identity().address().as_bytes())
                .hex("iks", keys.signing_key().as_bytes())
                .hex("ikd", keys.dh_key().as_bytes())
                .value("last_resort", bundle.is_last_resort()))
        },
    },
];

/// The field `bundle` of an input, verified at its `now`.
pub(super) fn verified(input: &Input<'_>) -> Result<subrosa::VerifiedBundle, Refusal> {
    let bundle = Bundle::parse(&input.bytes("bundle")?).map_err(refused)?;
    bundle.verify(input.integer("now")?).map_err(refused)
}

fn bundle(input: &Input<'_>) -> Result<Output, Refusal> {
    let (spk, kem) = (input.object("spk")?, input.object("kem")?);
    let one_time = match input.nullable("opk", Input::object)? {
        None => None,
        Some(opk) => Some((opk.integer("id")?, opk.array("secret")?)),
    };
    let keys = BundleKeys {
        signed: (
            spk.integer("id")?,
            spk.array("secret")?,
            spk.integer("not_after")?,
        ),
        kem: (
            kem.integer("id")?,
            kem.array("seed")?,
            kem.integer("not_after")?,
            kem.flag("last_resort")?,
        ),
        one_time,
    };
    let trace = hazmat::bundle(&device(input)?, &keys).map_err(refused)?;
    Ok(Output::new()
        .hex("bundle", trace.bundle)
        .trace_hex("spk_signed", trace.signed_bytes)
        .trace_hex("kem_signed", trace.kem_bytes))
}

/// When the prekeys of the cases stop being valid.
const UNTIL: u64 = NOW + 37 * DAY;

/// The prekeys of a bundle of this name.
pub(super) fn published(cases: &Cases, last_resort: bool, opk: bool) -> Published {
    let (spk, seed) = super::prekeys::generation_secrets(cases, "bundle");
    Published {
        spk: (7, spk, UNTIL),
        kem: (if last_resort { 8 } else { 12 }, seed, UNTIL, last_resort),
        opk: opk.then(|| (11, cases.array("bundle opk"))),
    }
}

/// Every combination of OPK and KEM type, with a name for each.
pub(super) const COMBINATIONS: [(&str, bool, bool); 4] = [
    ("one-time", false, true),
    ("one-time-kem-only", false, false),
    ("opk-only", true, true),
    ("last-resort", true, false),
];

fn bundle_input(secrets: &Secrets, keys: &Published) -> Value {
    let (spk_id, spk, spk_until) = keys.spk;
    let (kem_id, seed, kem_until, last_resort) = keys.kem;
    let opk = keys
        .opk
        .map(|(id, secret)| json!({"id": id, "secret": hex::encode(secret)}));
    with_secrets(
        secrets,
        json!({
            "spk": {"id": spk_id, "secret": hex::encode(spk), "not_after": spk_until.to_string()},
            "kem": {"id": kem_id, "seed": hex::encode(seed), "not_after": kem_until.to_string(),
                    "last_resort": last_resort},
            "opk": opk,
        }),
    )
}

pub(super) fn cases(cases: &mut Cases) {
    let bob = party(cases, "bob");
    for (name, last_resort, opk) in COMBINATIONS {
        let keys = published(cases, last_resort, opk);
        let id = format!("bundle-{name}");
        let answer = cases.accept(&id, "bundle", "", bundle_input(&bob, &keys));
        let Some(model) = cases.made(&id, keys.bundle(&bob)) else {
            return;
        };
        cases.same(&id, answer.bytes("bundle"), model.bundle.clone());
        cases.same(&id, answer.bytes("spk_signed"), model.spk_signed.clone());
        cases.same(&id, answer.bytes("kem_signed"), model.kem_signed.clone());
        verify(cases, name, None, "", &model.bundle, NOW);
    }
    for (name, length) in [("1", 1), ("47", 47)] {
        let secrets = Secrets {
            address: cases.bytes("address", length),
            ..bob.clone()
        };
        let keys = published(cases, false, true);
        let id = format!("bundle-address-{name}");
        cases.accept(&id, "bundle", "", bundle_input(&secrets, &keys));
        if let Some(model) = cases.made(&id, keys.bundle(&secrets)) {
            verify(
                cases,
                &format!("address-{name}"),
                None,
                "",
                &model.bundle,
                NOW,
            );
        }
    }
    encodings(cases, &bob);
    keys(cases, &bob);
    signatures(cases, &bob);
    times(cases, &bob);
}

/// Adds a verification; the model must judge alike.
fn verify(
    cases: &mut Cases,
    id: &str,
    error: Option<&str>,
    comment: &str,
    bundle: &[u8],
    now: u64,
) {
    let judged = model::Bundle::verify(bundle, now).map(drop);
    let id = format!("verify-bundle-{id}");
    cases.same(
        &id,
        judged,
        error.map_or(Ok(()), |error| Err(crate::model::error(error))),
    );
    let input = json!({"bundle": hex::encode(bundle), "now": now.to_string()});
    match error {
        None => drop(cases.accept(&id, "verify_bundle", comment, input)),
        Some(error) => cases.refuse(&id, "verify_bundle", error, comment, input),
    }
}

/// The public parts of Bob's one-time bundle.
fn parts(cases: &Cases, bob: &Secrets) -> Option<Parts> {
    let keys = published(cases, false, true);
    let (spk_id, spk, spk_until) = keys.spk;
    let (kem_id, seed, kem_until, last_resort) = keys.kem;
    Some(Parts {
        address: bob.address.clone(),
        identity: formula::signed_identity(&bob.seed, &formula::public(&bob.secret)).ok()?,
        spk: (spk_id, formula::public(&spk), spk_until),
        kem: (kem_id, last_resort, kem_until, formula::kem_public(&seed)),
        opk: keys.opk.map(|(id, secret)| (id, formula::public(&secret))),
    })
}

/// Where the fields of such a bundle begin, with an address of three bytes.
mod at {
    pub(super) const ADDRESS: usize = 2;
    pub(super) const IKS: usize = 6;
    pub(super) const IKD: usize = 38;
    pub(super) const SIG_ID: usize = 70;
    pub(super) const SPK_ID: usize = 134;
    pub(super) const SPK: usize = 138;
    pub(super) const SPK_UNTIL: usize = 170;
    pub(super) const SPK_SIGNATURE: usize = 178;
    pub(super) const KEM_ID: usize = 242;
    pub(super) const LAST_RESORT: usize = 246;
    pub(super) const KEM_UNTIL: usize = 247;
    pub(super) const KEM: usize = 255;
    pub(super) const KEM_SIGNATURE: usize = 1439;
    pub(super) const HAS_OPK: usize = 1503;
    pub(super) const OPK_ID: usize = 1504;
    pub(super) const OPK: usize = 1508;
    pub(super) const END: usize = 1540;
}

fn with_byte(bundle: &[u8], at: usize, change: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut bundle = bundle.to_vec();
    for byte in bundle.iter_mut().skip(at).take(1) {
        *byte = change(*byte);
    }
    bundle
}

fn encodings(cases: &mut Cases, bob: &Secrets) {
    let encoded = parts(cases, bob).and_then(|parts| parts.sign(&bob.seed).ok());
    let Some(Encoded { bundle, .. }) = encoded else {
        cases.fault("bundle: no encoding".to_owned());
        return;
    };
    cases.same("bundle: length", bundle.len(), at::END);
    for (id, suite) in [
        ("0", [0, 0]),
        ("2", [0, 2]),
        ("256", [1, 0]),
        ("65535", [255, 255]),
    ] {
        let other = [&suite, bundle.get(2..).unwrap_or_default()].concat();
        verify(
            cases,
            &format!("suite-{id}"),
            Some("UnknownVersion"),
            "",
            &other,
            NOW,
        );
    }
    verify(
        cases,
        "suite-2-nothing-behind",
        Some("UnknownVersion"),
        "Another suite, whatever follows.",
        &[0, 2],
        NOW,
    );
    let long = |suite: u8, length: usize| {
        let mut long = with_byte(&bundle, 1, |_| suite);
        long.resize(length, 0);
        long
    };
    let comment = "Over 8,192 bytes: that comes before the suite.";
    verify(
        cases,
        "8193-bytes-suite-2",
        Some("Malformed"),
        comment,
        &long(2, 8_193),
        NOW,
    );
    verify(
        cases,
        "8192-bytes-suite-2",
        Some("UnknownVersion"),
        "",
        &long(2, 8_192),
        NOW,
    );
    verify(
        cases,
        "8192-bytes",
        Some("Malformed"),
        "Bytes left over.",
        &long(1, 8_192),
        NOW,
    );
    for length in [
        0,
        1,
        at::ADDRESS,
        at::ADDRESS + 2,
        at::IKS,
        at::IKD,
        at::SIG_ID,
        at::SPK_ID,
        at::SPK,
        at::SPK_UNTIL,
        at::SPK_SIGNATURE,
        at::KEM_ID,
        at::LAST_RESORT,
        at::KEM_UNTIL,
        at::KEM,
        at::KEM_SIGNATURE,
        at::HAS_OPK,
        at::OPK_ID,
        at::OPK,
        at::END - 1,
    ] {
        let short = bundle.get(..length).unwrap_or_default();
        verify(
            cases,
            &format!("truncated-{length}"),
            Some("Malformed"),
            "",
            short,
            NOW,
        );
    }
    verify(
        cases,
        "trailing",
        Some("Malformed"),
        "",
        &[&bundle[..], &[0]].concat(),
        NOW,
    );
    for (id, at) in [("last-resort", at::LAST_RESORT), ("has-opk", at::HAS_OPK)] {
        for flag in [2, 255] {
            let other = with_byte(&bundle, at, |_| flag);
            verify(
                cases,
                &format!("{id}-{flag}"),
                Some("Malformed"),
                "A flag is 0 or 1.",
                &other,
                NOW,
            );
        }
    }
    let without = with_byte(&bundle, at::HAS_OPK, |_| 0);
    let comment = "No OPK announced, and one behind it.";
    verify(
        cases,
        "surplus-opk",
        Some("Malformed"),
        comment,
        &without,
        NOW,
    );
    let (front, behind) = bundle.split_at_checked(at::ADDRESS + 1).unwrap_or_default();
    let long_form = [front.get(..2).unwrap_or_default(), &[0x40, 3], behind].concat();
    let comment = "The length of the address is not in its shortest form.";
    verify(
        cases,
        "address-long-form",
        Some("Malformed"),
        comment,
        &long_form,
        NOW,
    );
    for length in [0usize, 48, 64] {
        let mut parts = parts(cases, bob);
        if let Some(parts) = &mut parts {
            parts.address = cases.bytes("address", length);
        }
        signed(cases, bob, &format!("address-{length}"), "", parts);
    }
}

/// A bundle of these parts, signed by Bob, is malformed.
fn signed(cases: &mut Cases, bob: &Secrets, id: &str, comment: &str, parts: Option<Parts>) {
    let encoded = parts
        .ok_or(crate::model::error("Malformed"))
        .and_then(|parts| parts.sign(&bob.seed));
    if let Some(encoded) = cases.made(id, encoded) {
        verify(cases, id, Some("Malformed"), comment, &encoded.bundle, NOW);
    }
}

/// Keys that are none, although Bob signed them.
fn keys(cases: &mut Cases, bob: &Secrets) {
    let Some(good) = parts(cases, bob) else {
        return;
    };
    for (name, point) in [
        ("p", edge::p_plus(0)),
        ("high-bit", edge::with_high_bit(good.spk.1)),
    ] {
        let mut other = good.clone();
        other.spk.1 = point;
        signed(
            cases,
            bob,
            &format!("spk-{name}"),
            "SPK is not canonical.",
            Some(other),
        );
        let mut other = good.clone();
        other.opk = Some((11, point));
        signed(
            cases,
            bob,
            &format!("opk-{name}"),
            "OPK is not canonical.",
            Some(other),
        );
        let mut other = good.clone();
        other.identity = formula::signed_identity(&bob.seed, &point).unwrap_or_default();
        signed(
            cases,
            bob,
            &format!("ikd-{name}"),
            "IKd is not canonical.",
            Some(other),
        );
    }
    let mut other = good.clone();
    other.opk = other.opk.map(|(_, opk)| (0, opk));
    signed(cases, bob, "opk-id-0", "", Some(other));
    let mut other = good.clone();
    for byte in other.kem.3.iter_mut().take(3) {
        *byte = 0xff;
    }
    let comment = "A coefficient of the KEM key is not reduced modulo q.";
    signed(cases, bob, "kem-modulus", comment, Some(other));
    let torsion = EIGHT_TORSION.into_iter().nth(1).unwrap_or_default();
    let ikd = (edge::point(&bob.secret) + torsion)
        .to_montgomery()
        .to_bytes();
    let mut other = good.clone();
    other.identity = formula::signed_identity(&bob.seed, &ikd).unwrap_or_default();
    signed(
        cases,
        bob,
        "ikd-torsion",
        "IKd is not of prime order.",
        Some(other.clone()),
    );
    let Some(encoded) = cases.made("ikd-torsion", other.sign(&bob.seed)) else {
        return;
    };
    let forged = with_byte(&encoded.bundle, at::SPK_SIGNATURE, |byte| byte ^ 1);
    let comment = "The identity (R2) comes before the signatures of the prekeys (R3).";
    verify(
        cases,
        "ikd-torsion-bad-spk-signature",
        Some("Malformed"),
        comment,
        &forged,
        NOW,
    );
    for (name, point) in edge::small_order().into_iter().take(2) {
        let mut other = good.clone();
        other.spk.1 = point;
        if let Some(encoded) = cases.made("spk", other.sign(&bob.seed)) {
            let comment = "Canonical: an SPK of small order is refused in the agreement (§7.4-R2).";
            verify(
                cases,
                &format!("spk-small-order-{name}"),
                None,
                comment,
                &encoded.bundle,
                NOW,
            );
        }
    }
}

fn signatures(cases: &mut Cases, bob: &Secrets) {
    let Some(good) = parts(cases, bob) else {
        return;
    };
    let Some(Encoded { bundle, .. }) = cases.made("bundle", good.sign(&bob.seed)) else {
        return;
    };
    for (name, at) in [
        ("iks", at::IKS),
        ("ikd", at::IKD),
        ("sig-id", at::SIG_ID),
        ("spk-id", at::SPK_ID + 3),
        ("spk", at::SPK),
        ("spk-not-after", at::SPK_UNTIL + 7),
        ("spk-signature-r", at::SPK_SIGNATURE),
        ("spk-signature-s", at::SPK_SIGNATURE + 32),
        ("kem-id", at::KEM_ID + 3),
        ("last-resort", at::LAST_RESORT),
        ("kem-not-after", at::KEM_UNTIL + 7),
        ("kem-rho", at::KEM_SIGNATURE - 1),
        ("kem-signature-r", at::KEM_SIGNATURE),
        ("kem-signature-s", at::KEM_SIGNATURE + 32),
    ] {
        let other = with_byte(&bundle, at, |byte| byte ^ 1);
        let comment = "One bit is another.";
        verify(
            cases,
            &format!("flipped-{name}"),
            Some("BadSignature"),
            comment,
            &other,
            NOW,
        );
    }
    let other = with_byte(&bundle, at::OPK, |byte| byte ^ 1);
    let comment = "OPK is not signed: another one is found in the agreement, where Kid is another.";
    verify(cases, "other-opk", None, comment, &other, NOW);
    let other = with_byte(&bundle, at::ADDRESS + 1, |byte| byte ^ 1);
    let comment = "Nor is the address: whose identity belongs to it is the app's decision.";
    verify(cases, "other-address", None, comment, &other, NOW);

    let mallory = party(cases, "mallory");
    let by_mallory = cases.made("bundle", good.sign(&mallory.seed));
    if let Some(encoded) = by_mallory {
        let comment = "Prekeys signed by another device.";
        verify(
            cases,
            "signed-by-other",
            Some("BadSignature"),
            comment,
            &encoded.bundle,
            NOW,
        );
        let mixed = [
            bundle.get(..at::KEM_SIGNATURE).unwrap_or_default(),
            encoded.bundle.get(at::KEM_SIGNATURE..).unwrap_or_default(),
        ];
        let comment = "The KEM key signed by another device.";
        verify(
            cases,
            "kem-signed-by-other",
            Some("BadSignature"),
            comment,
            &mixed.concat(),
            NOW,
        );
    }
    // What is signed as one thing is not taken as another.
    let (spk_id, spk_until) = (good.spk.0.to_be_bytes(), good.spk.2.to_be_bytes());
    let iks = formula::verifying_key(&bob.seed);
    for (id, comment, message) in [
        (
            "spk-signed-as-kem",
            "SPK signed under the label of the KEM key.",
            [
                &formula::label("kem")[..],
                &iks,
                &[0, 1],
                &spk_id,
                &spk_until,
                &good.spk.1,
            ]
            .concat(),
        ),
        (
            "spk-signed-for-suite-2",
            "SPK signed for another suite.",
            [
                &formula::label("spk")[..],
                &iks,
                &[0, 2],
                &spk_id,
                &spk_until,
                &good.spk.1,
            ]
            .concat(),
        ),
        (
            "spk-signed-without-iks",
            "SPK signed without IKs.",
            [
                &formula::label("spk")[..],
                &[0, 1],
                &spk_id,
                &spk_until,
                &good.spk.1,
            ]
            .concat(),
        ),
    ] {
        let Some(signature) = cases.made(id, formula::sign(&bob.seed, &[&message])) else {
            continue;
        };
        let other = [
            bundle.get(..at::SPK_SIGNATURE).unwrap_or_default(),
            &signature,
            bundle.get(at::KEM_ID..).unwrap_or_default(),
        ];
        verify(
            cases,
            id,
            Some("BadSignature"),
            comment,
            &other.concat(),
            NOW,
        );
    }
}

fn times(cases: &mut Cases, bob: &Secrets) {
    let Some(good) = parts(cases, bob) else {
        return;
    };
    for (id, error, spk, kem, now) in [
        ("last-moment", None, UNTIL, UNTIL, UNTIL - 1),
        ("stale", Some("StaleBundle"), UNTIL, UNTIL, UNTIL),
        ("stale-spk", Some("StaleBundle"), NOW, UNTIL, NOW),
        ("stale-kem", Some("StaleBundle"), UNTIL, NOW, NOW),
        ("stale-always", Some("StaleBundle"), 0, 0, 0),
        ("never-stale", None, u64::MAX, u64::MAX, u64::MAX - 1),
        (
            "end-of-time",
            Some("StaleBundle"),
            u64::MAX,
            u64::MAX,
            u64::MAX,
        ),
    ] {
        let mut other = good.clone();
        (other.spk.2, other.kem.2) = (spk, kem);
        if let Some(encoded) = cases.made(id, other.sign(&bob.seed)) {
            verify(cases, id, error, "", &encoded.bundle, now);
            if id == "stale" {
                let forged = with_byte(&encoded.bundle, at::KEM_SIGNATURE, |byte| byte ^ 1);
                let comment = "The signatures (R3) come before the times (R4).";
                verify(
                    cases,
                    "stale-bad-signature",
                    Some("BadSignature"),
                    comment,
                    &forged,
                    now,
                );
            }
        }
    }
}

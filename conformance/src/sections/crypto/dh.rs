//! SPEC §3.3: X25519 with canonical keys and contributory results.

use curve25519_dalek::constants::EIGHT_TORSION;
use serde_json::json;
use subrosa::crypto::Secret;
use subrosa::crypto::dh::{DH, DhKeyPair, DhPublic};

use super::edge::{self, hex_of};
use crate::generate::Cases;
use crate::op::{Input, Kind, Op, Output, Refusal, field, refused};

pub(super) const OPS: &[Op] = &[
    Op {
        name: "crypto.x25519_public",
        summary: "The public key of a private key.",
        input: &[field("secret", Kind::HexOf(DH))],
        output: &[field("public", Kind::HexOf(DH))],
        trace: &[],
        errors: &[],
        run: |input| Ok(Output::new().hex("public", key_pair(input)?.public().as_bytes())),
    },
    Op {
        name: "crypto.x25519_agree",
        summary: "Parses a peer's key and computes X25519.",
        input: &[
            field("secret", Kind::HexOf(DH)),
            field("public", Kind::HexOf(DH)),
        ],
        output: &[field("shared", Kind::HexOf(DH))],
        trace: &[],
        errors: &["InvalidKey", "NonContributory"],
        run: |input| {
            let shared = key_pair(input)?.agree(&public(input)?).map_err(refused)?;
            Ok(Output::new().hex("shared", shared.expose()))
        },
    },
    Op {
        name: "crypto.x25519_require_prime_order",
        summary: "Parses a peer's key that stands for an identity.",
        input: &[field("public", Kind::HexOf(DH))],
        output: &[],
        trace: &[],
        errors: &["InvalidKey"],
        run: |input| {
            public(input)?.require_prime_order().map_err(refused)?;
            Ok(Output::new())
        },
    },
];

fn key_pair(input: &Input<'_>) -> Result<DhKeyPair, Refusal> {
    Ok(DhKeyPair::from_secret(Secret::new(input.array("secret")?)))
}

fn public(input: &Input<'_>) -> Result<DhPublic, Refusal> {
    DhPublic::from_bytes(&input.array("public")?).map_err(refused)
}

pub(super) fn cases(cases: &mut Cases) {
    let alice = cases.hex("x25519 alice", DH);
    let bob = cases.hex("x25519 bob", DH);
    let bob_public = cases.accept("x25519-public", "x25519_public", "", json!({"secret": bob}));
    let bob_public = bob_public.get("public").cloned().unwrap_or_default();
    let alice_public = cases.accept(
        "x25519-public-other",
        "x25519_public",
        "",
        json!({"secret": alice}),
    );
    cases.accept(
        "x25519-agree",
        "x25519_agree",
        "",
        json!({"secret": alice, "public": bob_public}),
    );
    cases.accept(
        "x25519-agree-other-side",
        "x25519_agree",
        "The same shared secret.",
        json!({"secret": bob, "public": alice_public.get("public")}),
    );
    clamping(cases, &bob_public.to_string());
    refused_points(cases, &alice);
    identities(cases, &bob_public);
}

/// A private key is clamped in use: its five clamped bits do not matter.
fn clamping(cases: &mut Cases, public: &str) {
    let public = public.trim_matches('"').to_owned();
    let drawn = cases.array::<DH>("x25519 clamped");
    let flipped = edge::map_ends(drawn, |first, last| (first ^ 0x07, last ^ 0xc0));
    for (id, secret) in [("as-drawn", drawn), ("bits-flipped", flipped)] {
        let secret = hex::encode(secret);
        let comment = "RFC 7748 §5: bits 0 to 2, 254 and 255 of the private key do not matter.";
        cases.accept(
            &format!("x25519-public-clamped-{id}"),
            "x25519_public",
            comment,
            json!({"secret": secret}),
        );
        cases.accept(
            &format!("x25519-agree-clamped-{id}"),
            "x25519_agree",
            comment,
            json!({"secret": secret, "public": public}),
        );
    }
}

fn refused_points(cases: &mut Cases, secret: &str) {
    for (name, point) in edge::small_order() {
        cases.refuse(
            &format!("x25519-agree-small-order-{name}"),
            "x25519_agree",
            "NonContributory",
            "The result is all zero, whatever the private key.",
            json!({"secret": secret, "public": hex::encode(point)}),
        );
        cases.refuse(
            &format!("x25519-agree-small-order-{name}-high-bit"),
            "x25519_agree",
            "InvalidKey",
            "Bit 255 is set: the encoding is refused before the point is looked at.",
            json!({"secret": secret, "public": hex::encode(edge::with_high_bit(point))}),
        );
        cases.refuse(
            &format!("x25519-identity-small-order-{name}"),
            "x25519_require_prime_order",
            "InvalidKey",
            "",
            json!({"public": hex::encode(point)}),
        );
    }
    for offset in 0..19 {
        let point = edge::p_plus(offset);
        for (suffix, point) in [("", point), ("-high-bit", edge::with_high_bit(point))] {
            cases.refuse(
                &format!("x25519-agree-p-plus-{offset}{suffix}"),
                "x25519_agree",
                "InvalidKey",
                "Not below p = 2^255 - 19.",
                json!({"secret": secret, "public": hex::encode(point)}),
            );
        }
    }
    for (id, point) in [
        ("p-minus-2", edge::p_minus(2)),
        ("p-minus-3", edge::p_minus(3)),
        ("nine", edge::small(9)),
        ("two", edge::small(2)),
        ("three", edge::small(3)),
    ] {
        cases.accept(
            &format!("x25519-agree-{id}"),
            "x25519_agree",
            "Canonical and not of small order, on the curve or on its twist: accepted for a key that is no identity.",
            json!({"secret": secret, "public": hex::encode(point)}),
        );
    }
}

fn identities(cases: &mut Cases, honest: &serde_json::Value) {
    cases.accept(
        "x25519-identity",
        "x25519_require_prime_order",
        "",
        json!({"public": honest}),
    );
    cases.accept(
        "x25519-identity-base-point",
        "x25519_require_prime_order",
        "",
        json!({"public": hex::encode(edge::small(9))}),
    );
    let secret = cases.hex("x25519 alice", DH);
    let prime = edge::point(&cases.array("x25519 torsion"));
    cases.accept(
        "x25519-agree-torsion-0",
        "x25519_agree",
        "The key without a torsion component.",
        json!({"secret": secret, "public": hex_of(&prime.to_montgomery())}),
    );
    for (index, torsion) in EIGHT_TORSION.iter().enumerate().skip(1) {
        let public = hex_of(&(prime + torsion).to_montgomery());
        cases.accept(
            &format!("x25519-agree-torsion-{index}"),
            "x25519_agree",
            "The key plus a point of small order: the same shared secret as without.",
            json!({"secret": secret, "public": public}),
        );
        cases.refuse(
            &format!("x25519-identity-torsion-{index}"),
            "x25519_require_prime_order",
            "InvalidKey",
            "An identity has one key only.",
            json!({"public": public}),
        );
    }
    for (id, point) in [("two", edge::small(2)), ("p-minus-3", edge::p_minus(3))] {
        cases.refuse(
            &format!("x25519-identity-twist-{id}"),
            "x25519_require_prime_order",
            "InvalidKey",
            "On the twist: no honest device makes it.",
            json!({"public": hex::encode(point)}),
        );
    }
    for (id, point) in [("p", edge::p_plus(0)), ("p-plus-18", edge::p_plus(18))] {
        cases.refuse(
            &format!("x25519-identity-{id}"),
            "x25519_require_prime_order",
            "InvalidKey",
            "Not canonical.",
            json!({"public": hex::encode(point)}),
        );
    }
}

//! SPEC §3.4: Ed25519 and what it accepts.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity};
use serde_json::{Value, json};
use subrosa::crypto::Secret;
use subrosa::crypto::sign::{SIGNATURE, Signature, SigningKey, VERIFYING_KEY, VerifyingKey};

use super::edge::{self, Challenge, Forger, Forgery};
use crate::generate::Cases;
use crate::op::{Input, Kind, Op, Output, Refusal, field, refused};

pub(super) const OPS: &[Op] = &[
    Op {
        name: "crypto.ed25519_public",
        summary: "The verifying key of a seed.",
        input: &[field("seed", Kind::HexOf(32))],
        output: &[field("public", Kind::HexOf(VERIFYING_KEY))],
        trace: &[],
        errors: &[],
        run: |input| Ok(Output::new().hex("public", key(input)?.verifying_key().as_bytes())),
    },
    Op {
        name: "crypto.ed25519_sign",
        summary: "Signs a message.",
        input: &[field("seed", Kind::HexOf(32)), field("message", Kind::Hex)],
        output: &[field("signature", Kind::HexOf(SIGNATURE))],
        trace: &[],
        errors: &[],
        run: |input| {
            let signature = key(input)?
                .sign(&input.bytes("message")?)
                .map_err(refused)?;
            Ok(Output::new().hex("signature", signature.0))
        },
    },
    Op {
        name: "crypto.ed25519_verify",
        summary: "Verifies a signature by the rule of SPEC §3.4.",
        input: &[
            field("public", Kind::HexOf(VERIFYING_KEY)),
            field("message", Kind::Hex),
            field("signature", Kind::HexOf(SIGNATURE)),
        ],
        output: &[],
        trace: &[],
        errors: &["BadSignature"],
        run: |input| {
            VerifyingKey(input.array("public")?)
                .verify(
                    &input.bytes("message")?,
                    &Signature(input.array("signature")?),
                )
                .map_err(refused)?;
            Ok(Output::new())
        },
    },
];

fn key(input: &Input<'_>) -> Result<SigningKey, Refusal> {
    Ok(SigningKey::from_seed(&Secret::new(input.array("seed")?)))
}

pub(super) fn cases(cases: &mut Cases) {
    let seed = cases.hex("ed25519 seed", 32);
    cases.accept(
        "ed25519-public",
        "ed25519_public",
        "",
        json!({"seed": seed}),
    );
    for length in [0usize, 1, 100, 1000] {
        let message = cases.hex("ed25519 message", length);
        cases.accept(
            &format!("ed25519-sign-{length}"),
            "ed25519_sign",
            "",
            json!({"seed": seed, "message": message}),
        );
    }
    let forger = Forger::new(
        &cases.array("ed25519 scalar"),
        &cases.array("ed25519 nonce"),
    );
    honest(cases, &forger);
    small_order_keys(cases, &forger);
    small_order_nonces(cases, &forger);
    mixed_order(cases, &forger);
    not_points(cases, &forger);
}

/// Adds a verification, which succeeds or not.
fn verify(cases: &mut Cases, id: &str, accepted: bool, comment: &str, forgery: Option<&Forgery>) {
    let Some(forgery) = forgery else {
        cases.fault(format!("{id}: no such signature was found"));
        return;
    };
    let id = format!("ed25519-verify-{id}");
    let input: Value = json!({
        "public": hex::encode(forgery.public),
        "message": hex::encode(&forgery.message),
        "signature": hex::encode(forgery.signature),
    });
    if accepted {
        cases.accept(&id, "ed25519_verify", comment, input);
    } else {
        cases.refuse(&id, "ed25519_verify", "BadSignature", comment, input);
    }
}

/// Any challenge will do.
const fn any(_: &Challenge) -> bool {
    true
}

fn honest(cases: &mut Cases, forger: &Forger) {
    let none = EdwardsPoint::identity();
    let Some(forgery) = forger.mixed(none, none, false, any) else {
        cases.fault("ed25519: no honest signature".to_owned());
        return;
    };
    verify(cases, "honest", true, "", Some(&forgery));
    let changed = |change: &dyn Fn(&mut Forgery)| {
        let mut forgery = Forgery {
            public: forgery.public,
            message: forgery.message.clone(),
            signature: forgery.signature,
        };
        change(&mut forgery);
        forgery
    };
    let flip = |index: usize| {
        changed(&|forgery| {
            forgery
                .signature
                .iter_mut()
                .skip(index)
                .take(1)
                .for_each(|byte| *byte ^= 1);
        })
    };
    verify(cases, "flipped-r", false, "", Some(&flip(0)));
    verify(cases, "flipped-s", false, "", Some(&flip(32)));
    let other = changed(&|forgery| forgery.message.push(0));
    verify(cases, "other-message", false, "", Some(&other));
    let other_key = cases.array("ed25519 other");
    let other = changed(&|forgery| forgery.public = edge::point(&other_key).compress().0);
    verify(cases, "other-key", false, "", Some(&other));
    for times in [1, 2, 8, 14] {
        let raised = edge::add_order(&forgery.signature, times);
        let raised = raised.map(|signature| changed(&|forgery| forgery.signature = signature));
        verify(
            cases,
            &format!("s-plus-{times}-order"),
            false,
            "S plus a multiple of L: the same signature malleated.",
            raised.as_ref(),
        );
    }
}

/// The equation holds for each of these; the key is refused.
fn small_order_keys(cases: &mut Cases, forger: &Forger) {
    let forger = Forger {
        scalar: Scalar::ZERO,
        nonce: forger.nonce,
    };
    let r = EdwardsPoint::mul_base(&forger.nonce).compress().0;
    for (index, torsion) in EIGHT_TORSION.into_iter().enumerate() {
        let forgery = forger.mixed(torsion, EdwardsPoint::identity(), false, any);
        verify(
            cases,
            &format!("small-order-key-{index}"),
            false,
            "A has small order: this signature needs no private key.",
            forgery.as_ref(),
        );
    }
    for (name, bytes) in edge::not_canonical() {
        let forgery = edge::lenient(&bytes).and_then(|point| {
            forger.encoded(bytes, r, |challenge| (challenge.k * point).is_identity())
        });
        verify(
            cases,
            &format!("small-order-key-{name}"),
            false,
            "A has small order in an encoding that is not canonical.",
            forgery.as_ref(),
        );
    }
}

fn small_order_nonces(cases: &mut Cases, forger: &Forger) {
    let forger = Forger {
        scalar: forger.scalar,
        nonce: Scalar::ZERO,
    };
    let eighth = EIGHT_TORSION.into_iter().nth(1).unwrap_or_default();
    let public = (EdwardsPoint::mul_base(&forger.scalar) + eighth)
        .compress()
        .0;
    let honest = forger.mixed(
        EdwardsPoint::identity(),
        EdwardsPoint::identity(),
        false,
        any,
    );
    verify(
        cases,
        "small-order-r-honest-key",
        false,
        "R is the neutral element under a key of prime order; the equation holds.",
        honest.as_ref(),
    );
    for (index, torsion) in EIGHT_TORSION.into_iter().enumerate() {
        let forgery = forger.mixed(eighth, torsion, false, any);
        verify(
            cases,
            &format!("small-order-r-{index}"),
            false,
            "R has small order; the equation holds.",
            forgery.as_ref(),
        );
        let forger = Forger {
            scalar: Scalar::ZERO,
            nonce: Scalar::ZERO,
        };
        let forgery = forger.mixed(eighth, torsion, false, any);
        verify(
            cases,
            &format!("small-order-both-{index}"),
            false,
            "A and R have small order and S = 0; the equation holds.",
            forgery.as_ref(),
        );
    }
    for (name, bytes) in edge::not_canonical() {
        let forgery = edge::lenient(&bytes).and_then(|point| {
            forger.encoded(public, bytes, |challenge| {
                (point + challenge.k * eighth).is_identity()
            })
        });
        verify(
            cases,
            &format!("small-order-r-{name}"),
            false,
            "R has small order in an encoding that is not canonical; the equation holds for the point.",
            forgery.as_ref(),
        );
    }
}

fn mixed_order(cases: &mut Cases, forger: &Forger) {
    let none = EdwardsPoint::identity();
    let eighth = EIGHT_TORSION.into_iter().nth(1).unwrap_or_default();
    let quarter = EIGHT_TORSION.into_iter().nth(2).unwrap_or_default();
    let half = EIGHT_TORSION.into_iter().nth(4).unwrap_or_default();
    for (id, key, nonce) in [
        ("key-order-8", eighth, none),
        ("key-order-4", quarter, none),
        ("key-order-2", half, none),
        ("both-order-8", eighth, eighth),
        ("both-order-4", quarter, quarter),
        ("both-order-2", half, half),
    ] {
        let kept = forger.mixed(key, nonce, false, any);
        verify(
            cases,
            &format!("mixed-{id}-no-residue"),
            true,
            "A, or A and R, of mixed order; the cofactorless equation holds.",
            kept.as_ref(),
        );
        let left = forger.mixed(key, nonce, true, any);
        verify(
            cases,
            &format!("mixed-{id}-residue"),
            false,
            "Only the cofactored equation holds.",
            left.as_ref(),
        );
    }
    for (id, nonce) in [("8", eighth), ("4", quarter), ("2", half)] {
        let left = forger.mixed(none, nonce, true, any);
        verify(
            cases,
            &format!("mixed-r-order-{id}"),
            false,
            "R of mixed order under a key of prime order: only the cofactored equation holds.",
            left.as_ref(),
        );
    }
    let kept = forger.mixed(eighth, none, false, |challenge| {
        challenge.unreduced % 8 != 0
    });
    verify(
        cases,
        "mixed-key-reduced",
        true,
        "The equation holds for the challenge modulo L, not for its 512 bits.",
        kept.as_ref(),
    );
    let left = forger.mixed(eighth, none, true, |challenge| challenge.unreduced % 8 == 0);
    verify(
        cases,
        "mixed-key-unreduced",
        false,
        "The equation holds for the challenge's 512 bits, not for its value modulo L.",
        left.as_ref(),
    );
}

fn not_points(cases: &mut Cases, forger: &Forger) {
    let public = EdwardsPoint::mul_base(&forger.scalar).compress().0;
    let r = EdwardsPoint::mul_base(&forger.nonce).compress().0;
    let bytes = edge::no_point();
    let forged_key = bytes.and_then(|bytes| forger.encoded(bytes, r, any));
    verify(
        cases,
        "key-no-point",
        false,
        "A is no point.",
        forged_key.as_ref(),
    );
    let forged_r = bytes.and_then(|bytes| forger.encoded(public, bytes, any));
    verify(
        cases,
        "r-no-point",
        false,
        "R is no point.",
        forged_r.as_ref(),
    );
}

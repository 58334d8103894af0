//! SPEC §7.3, §7.4: the side that begins.

use serde_json::{Value, json};
use subrosa::hazmat::{self, Given};

use super::bundle::{COMBINATIONS, published, verified};
use super::{ADDRESS, NOW, SECRET, SEED, TRACE, party, same_values, with_secrets, with_values};
use crate::generate::Cases;
use crate::model::agreement::{Bundle, Initiator, PREFIX, Parts, Secrets};
use crate::model::formula::{self, Bytes32};
use crate::op::{Input, Kind, Op, Output, Refusal, field, refused};
use crate::sections::crypto::edge;
use crate::sections::identity::device;

pub(super) const OPS: &[Op] = &[Op {
    name: "agreement.initiate",
    summary: "Verifies a bundle at `now` and begins an agreement, with EK's private half and m given.",
    input: &[
        ADDRESS,
        SEED,
        SECRET,
        field("bundle", Kind::Hex),
        field("now", Kind::Decimal),
        field("created_at", Kind::Decimal),
        field("ek", Kind::HexOf(32)),
        field("m", Kind::HexOf(32)),
    ],
    output: &[
        field("prefix", Kind::HexOf(PREFIX)),
        field("sid", Kind::HexOf(32)),
        field("sk", Kind::HexOf(32)),
    ],
    trace: TRACE,
    errors: &[
        "UnknownVersion",
        "Malformed",
        "BadSignature",
        "StaleBundle",
        "OwnIdentity",
    ],
    run: initiate,
}];

fn initiate(input: &Input<'_>) -> Result<Output, Refusal> {
    let bundle = verified(input)?;
    let mut given = Given::new([input.bytes("ek")?, input.bytes("m")?]);
    let created_at = input.integer("created_at")?;
    let (prefix, values) =
        hazmat::initiate(&device(input)?, &bundle, created_at, &mut given).map_err(refused)?;
    let encid = prefix.last_chunk::<200>().copied().unwrap_or([0; 200]);
    Ok(with_values(
        Output::new().hex("prefix", prefix),
        &values,
        &encid,
    ))
}

struct Case<'a> {
    id: &'a str,
    comment: &'a str,
    error: Option<&'a str>,
    secrets: &'a Secrets,
    bundle: &'a [u8],
    now: u64,
    created_at: u64,
}

/// Adds a case; the model must give the same.
fn add(cases: &mut Cases, case: &Case<'_>) {
    let ek: Bytes32 = cases.array(&format!("{} ek", case.id));
    let m: Bytes32 = cases.array(&format!("{} m", case.id));
    let id = format!("initiate-{}", case.id);
    let input: Value = with_secrets(
        case.secrets,
        json!({
            "bundle": hex::encode(case.bundle), "now": case.now.to_string(),
            "created_at": case.created_at.to_string(), "ek": hex::encode(ek), "m": hex::encode(m),
        }),
    );
    let model = Bundle::verify(case.bundle, case.now).and_then(|bundle| {
        Initiator::honest(case.secrets, &bundle, case.created_at, ek, m)?.initiate(&bundle)
    });
    match case.error {
        None => {
            let answer = cases.accept(&id, "initiate", case.comment, input);
            if let Some((prefix, agreement)) = cases.made(&id, model) {
                cases.same(&id, answer.bytes("prefix"), prefix);
                same_values(cases, &id, &answer, &agreement);
            }
        }
        Some(error) => {
            cases.same(&id, model.map(drop), Err(crate::model::error(error)));
            cases.refuse(&id, "initiate", error, case.comment, input);
        }
    }
}

pub(super) fn cases(cases: &mut Cases) {
    let alice = party(cases, "alice");
    let bob = party(cases, "bob");
    let plain =
        |cases: &mut Cases, id: &str, comment: &str, error, secrets: &Secrets, bundle: &[u8]| {
            let case = Case {
                id,
                comment,
                error,
                secrets,
                bundle,
                now: NOW,
                created_at: NOW,
            };
            add(cases, &case);
        };
    for (name, last_resort, opk) in COMBINATIONS {
        let keys = published(cases, last_resort, opk);
        if let Some(encoded) = cases.made(name, keys.bundle(&bob)) {
            plain(cases, name, "", None, &alice, &encoded.bundle);
        }
    }
    let keys = published(cases, false, true);
    let Some(encoded) = cases.made("initiate", keys.bundle(&bob)) else {
        return;
    };
    let bundle = encoded.bundle;
    for (id, created_at) in [("created-at-0", 0), ("created-at-max", (1 << 48) - 1)] {
        let case = Case {
            id,
            comment: "",
            error: None,
            secrets: &alice,
            bundle: &bundle,
            now: NOW,
            created_at,
        };
        add(cases, &case);
    }
    for length in [1usize, 47] {
        let secrets = Secrets {
            address: cases.bytes("address", length),
            ..alice.clone()
        };
        plain(
            cases,
            &format!("address-{length}"),
            "",
            None,
            &secrets,
            &bundle,
        );
    }
    let same_address = Secrets {
        address: bob.address.clone(),
        ..alice.clone()
    };
    let comment = "Two devices of one address.";
    plain(cases, "same-address", comment, None, &same_address, &bundle);
    let own = Some("OwnIdentity");
    plain(cases, "own-identity", "Our own bundle.", own, &bob, &bundle);
    let same_iks = Secrets {
        seed: bob.seed,
        ..alice.clone()
    };
    plain(
        cases,
        "own-iks",
        "A bundle with our IKs and another IKd.",
        own,
        &same_iks,
        &bundle,
    );
    let same_ikd = Secrets {
        secret: bob.secret,
        ..alice.clone()
    };
    plain(
        cases,
        "own-ikd",
        "A bundle with our IKd under another IKs.",
        own,
        &same_ikd,
        &bundle,
    );
    refused_bundles(cases, &bob, &bundle, plain);
}

fn refused_bundles(
    cases: &mut Cases,
    bob: &Secrets,
    bundle: &[u8],
    plain: impl Fn(&mut Cases, &str, &str, Option<&'static str>, &Secrets, &[u8]),
) {
    let alice = party(cases, "alice");
    let keys = published(cases, false, true);
    let (front, behind) = bundle.split_at_checked(2).unwrap_or_default();
    let suite = [&[0, 2], behind].concat();
    plain(cases, "suite-2", "", Some("UnknownVersion"), &alice, &suite);
    let trailing = [front, behind, &[0]].concat();
    plain(cases, "trailing", "", Some("Malformed"), &alice, &trailing);
    let mut forged = bundle.to_vec();
    for byte in forged.iter_mut().skip(178).take(1) {
        *byte ^= 1;
    }
    let comment = "Nothing is computed with a bundle that is not genuine.";
    plain(
        cases,
        "bad-signature",
        comment,
        Some("BadSignature"),
        &alice,
        &forged,
    );
    plain(
        cases,
        "own-identity-bad-signature",
        "The bundle is verified first.",
        Some("BadSignature"),
        bob,
        &forged,
    );
    let case = Case {
        id: "stale",
        comment: "",
        error: Some("StaleBundle"),
        secrets: &alice,
        bundle,
        now: keys.spk.2,
        created_at: NOW,
    };
    add(cases, &case);
    let identity = formula::signed_identity(&bob.seed, &formula::public(&bob.secret));
    let Some(identity) = cases.made("initiate", identity) else {
        return;
    };
    let parts = Parts {
        address: bob.address.clone(),
        identity,
        spk: (keys.spk.0, formula::public(&keys.spk.1), keys.spk.2),
        kem: (
            keys.kem.0,
            keys.kem.3,
            keys.kem.2,
            formula::kem_public(&keys.kem.1),
        ),
        opk: keys.opk.map(|(id, secret)| (id, formula::public(&secret))),
    };
    for (name, point) in edge::small_order() {
        let mut spk = parts.clone();
        spk.spk.1 = point;
        let mut opk = parts.clone();
        opk.opk = Some((11, point));
        for (key, parts) in [("spk", spk), ("opk", opk)] {
            if let Some(encoded) = cases.made("initiate", parts.sign(&bob.seed)) {
                let id = format!("{key}-small-order-{name}");
                let comment = "The result of X25519 is zero (§3.3-R3).";
                plain(
                    cases,
                    &id,
                    comment,
                    Some("Malformed"),
                    &alice,
                    &encoded.bundle,
                );
            }
        }
    }
}

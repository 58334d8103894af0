//! SPEC §7.5, §7.6: the side that answers.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use serde_json::{Value, json};
use subrosa::hazmat;

use super::prekeys::{generation_secrets, pair_secrets, records};
use super::{
    ADDRESS, ID, NOW, SECRET, SEED, TRACE, party, read_prekeys, same_values, with_secrets,
    with_values,
};
use crate::generate::Cases;
use crate::model::agreement::{self as model, Bundle, Initiator, PREFIX, Prefix, Secrets};
use crate::model::formula;
use crate::model::prekeys::DAY;
use crate::model::stored::{Layout, Prekeys};
use crate::op::{Input, Kind, Op, Output, Refusal, field, refused};
use crate::sections::crypto::edge;
use crate::sections::identity::device;

pub(super) const OPS: &[Op] = &[Op {
    name: "agreement.respond",
    summary: "Answers the agreement of a prefix (§7.5-R1, R3 to R6, without the frame). The first fields are the \
              initiator's; `kem_id` is the one-time KEM key that was used, `opk_id` the OPK.",
    input: &[
        ADDRESS,
        SEED,
        SECRET,
        field("prekeys", Kind::Hex),
        field("prefix", Kind::HexOf(PREFIX)),
        field("now", Kind::Decimal),
    ],
    output: &[
        field("peer", Kind::Hex),
        field("iks", Kind::HexOf(32)),
        field("ikd", Kind::HexOf(32)),
        field("created_at", Kind::Decimal),
        field("kem_id", Kind::Nullable(&Kind::Integer(ID))),
        field("opk_id", Kind::Nullable(&Kind::Integer(ID))),
        field("sid", Kind::HexOf(32)),
        field("sk", Kind::HexOf(32)),
    ],
    trace: TRACE,
    errors: &[
        "UnknownVersion",
        "UnknownKind",
        "Malformed",
        "PrekeyGone",
        "ReplayedFirst",
        "ReplayRecordFull",
        "BadSignature",
        "OwnIdentity",
    ],
    run: respond,
}];

fn respond(input: &Input<'_>) -> Result<Output, Refusal> {
    let prefix: [u8; PREFIX] = input.array("prefix")?;
    let prekeys = read_prekeys(input)?;
    let response = hazmat::respond(&device(input)?, &prekeys, &prefix, input.integer("now")?)
        .map_err(refused)?;
    let encid = prefix.last_chunk::<200>().copied().unwrap_or([0; 200]);
    let one_time = response.used.one_time();
    let prefix = hazmat::prefix(&prefix).map_err(refused)?;
    let output = Output::new()
        .hex("peer", response.address)
        .hex("iks", response.signing_key)
        .hex("ikd", response.dh_key)
        .value("created_at", response.created_at.to_string())
        .value("kem_id", one_time.kem.then_some(prefix.kem_id))
        .value("opk_id", prefix.one_time_id.filter(|_| one_time.dh));
    Ok(with_values(output, &response.values, &encid))
}

/// Bob, with two generations of prekeys (ids 1, 2 and 7, 8) and two pairs of one-time keys (3, 4 and 5, 6).
struct Bob {
    secrets: Secrets,
    prekeys: Prekeys,
}

/// When the first generation was replaced.
const REPLACED: u64 = NOW + 7 * DAY;
/// When the cases play.
const THEN: u64 = REPLACED + DAY;

impl Bob {
    fn new(cases: &Cases) -> Option<Self> {
        let secrets = party(cases, "bob");
        let (spk, kem) = generation_secrets(cases, "respond first");
        let mut prekeys = Prekeys::generate(NOW, spk, kem).ok()?;
        let pairs = [
            pair_secrets(cases, "respond a"),
            pair_secrets(cases, "respond b"),
        ];
        prekeys.replenish(&secrets, NOW, &pairs).ok()?;
        let (spk, kem) = generation_secrets(cases, "respond second");
        prekeys.rotate(REPLACED, spk, kem).ok()?;
        Some(Self { secrets, prekeys })
    }

    /// A bundle of Bob's with the keys of these ids.
    fn bundle(&self, spk_id: u32, kem_id: u32, opk_id: Option<u32>) -> Option<Bundle> {
        let Prekeys {
            generations,
            opks,
            kems,
            ..
        } = &self.prekeys;
        let spk = generations.iter().find(|old| old.spk_id == spk_id)?.spk;
        let one_time = kems
            .iter()
            .find(|key| key.id == kem_id)
            .map(|key| key.secret);
        let last_resort = generations
            .iter()
            .find(|old| old.kem_id == kem_id)
            .map(|old| old.kem);
        let opk = match opk_id {
            None => None,
            Some(id) => Some((
                id,
                formula::public(&opks.iter().find(|key| key.id == id)?.secret),
            )),
        };
        Some(Bundle {
            identity: self.secrets.identity(),
            spk: (spk_id, formula::public(&spk)),
            kem: (
                kem_id,
                one_time.is_none(),
                formula::kem_public(&one_time.or(last_resort)?),
            ),
            opk,
            not_after: None,
        })
    }
}

/// One case: the prefix, when it arrives, and at which prekeys.
struct Case<'a> {
    id: &'a str,
    comment: &'a str,
    error: Option<&'a str>,
    prekeys: &'a Prekeys,
    prefix: &'a [u8],
    now: u64,
}

/// The responder's view by the model.
fn judged(bob: &Secrets, case: &Case<'_>) -> Result<model::Response, Refusal> {
    match case.prefix {
        [1, 1, ..] => model::respond(bob, case.prekeys, &Prefix::parse(case.prefix)?, case.now),
        [1, 2, ..] => Err(crate::model::error("Malformed")),
        [1, ..] => Err(crate::model::error("UnknownKind")),
        _ => Err(crate::model::error("UnknownVersion")),
    }
}

/// Adds a case; the model must give the same.
fn add(cases: &mut Cases, bob: &Secrets, case: &Case<'_>) -> Option<model::Agreement> {
    let id = format!("respond-{}", case.id);
    let input: Value = with_secrets(
        bob,
        json!({
            "prekeys": hex::encode(case.prekeys.encode()), "prefix": hex::encode(case.prefix),
            "now": case.now.to_string(),
        }),
    );
    let judged = judged(bob, case);
    if let Some(error) = case.error {
        cases.same(&id, judged.map(drop), Err(crate::model::error(error)));
        cases.refuse(&id, "respond", error, case.comment, input);
        return None;
    }
    let answer = cases.accept(&id, "respond", case.comment, input);
    let response = cases.made(&id, judged)?;
    same_values(cases, &id, &answer, &response.agreement);
    let peer = &response.peer;
    cases.same(&id, answer.bytes("peer"), peer.address.clone());
    cases.same(&id, answer.bytes("iks"), peer.iks.to_vec());
    cases.same(&id, answer.bytes("ikd"), peer.ikd.to_vec());
    let created_at = json!(response.created_at.to_string());
    cases.same(&id, answer.get("created_at"), Some(&created_at));
    cases.same(
        &id,
        answer.get("kem_id"),
        Some(&json!(response.used.kem_id)),
    );
    cases.same(
        &id,
        answer.get("opk_id"),
        Some(&json!(response.used.opk_id)),
    );
    Some(response.agreement)
}

pub(super) fn cases(cases: &mut Cases) {
    let Some(bob) = Bob::new(cases) else {
        cases.fault("respond: there is no Bob".to_owned());
        return;
    };
    genuine(cases, &bob);
    gone(cases, &bob);
    replayed(cases, &bob);
    altered(cases, &bob);
    hostile(cases, &bob);
}

/// An honest initiator for a bundle.
fn honest(cases: &Cases, name: &str, bundle: &Bundle) -> Option<Initiator> {
    let alice = party(cases, "alice");
    let ek = cases.array(&format!("respond {name} ek"));
    let m = cases.array(&format!("respond {name} m"));
    Initiator::honest(&alice, bundle, THEN, ek, m).ok()
}

/// The prefix of an initiator for a bundle with these ids, and the initiator's values.
fn prefix_of(
    cases: &mut Cases,
    bob: &Bob,
    name: &str,
    (spk, kem, opk): (u32, u32, Option<u32>),
    change: impl FnOnce(&mut Initiator),
) -> Option<(Vec<u8>, model::Agreement)> {
    let made = bob.bundle(spk, kem, opk).and_then(|bundle| {
        let mut initiator = honest(cases, name, &bundle)?;
        change(&mut initiator);
        initiator.initiate(&bundle).ok()
    });
    if made.is_none() {
        cases.fault(format!("respond-{name}: no prefix"));
    }
    made
}

fn genuine(cases: &mut Cases, bob: &Bob) {
    for (id, comment, ids) in [
        ("one-time", "A one-time OPK and KEM key.", (7, 4, Some(3))),
        ("one-time-kem-only", "No OPK.", (7, 4, None)),
        (
            "opk-only",
            "The last-resort KEM key with an OPK.",
            (7, 8, Some(3)),
        ),
        ("last-resort", "Neither.", (7, 8, None)),
        ("replaced", "A generation in its grace.", (1, 2, None)),
        (
            "replaced-one-time",
            "A one-time bundle from before the rotation.",
            (1, 6, Some(5)),
        ),
        (
            "kem-of-other-generation",
            "SPK of one generation, the last-resort KEM key of another.",
            (7, 2, None),
        ),
        (
            "mixed-pair",
            "OPK and KEM key of two different bundles.",
            (7, 6, Some(3)),
        ),
    ] {
        if let Some((prefix, initiated)) = prefix_of(cases, bob, id, ids, |_| ()) {
            let case = Case {
                id,
                comment,
                error: None,
                prekeys: &bob.prekeys,
                prefix: &prefix,
                now: THEN,
            };
            let responded = add(cases, &bob.secrets, &case);
            cases.same(
                &format!("respond-{id}: both sides"),
                responded,
                Some(initiated),
            );
        }
    }
    for (id, ids, now) in [
        ("grace-last-moment", (1, 2, None), REPLACED + 30 * DAY - 1),
        ("one-time-last-moment", (7, 4, Some(3)), NOW + 67 * DAY - 1),
        ("clock-set-back", (7, 8, None), 0),
    ] {
        if let Some((prefix, _)) = prefix_of(cases, bob, id, ids, |_| ()) {
            let case = Case {
                id,
                comment: "",
                error: None,
                prekeys: &bob.prekeys,
                prefix: &prefix,
                now,
            };
            add(cases, &bob.secrets, &case);
        }
    }
    let alice = party(cases, "alice");
    for length in [1usize, 47] {
        let secrets = Secrets {
            address: cases.bytes("address", length),
            ..alice.clone()
        };
        let id = format!("address-{length}");
        let idpt = secrets
            .identity_plaintext((1 << 48) - 1)
            .unwrap_or_default();
        let made = prefix_of(cases, bob, &id, (7, 4, Some(3)), |initiator| {
            initiator.idpt = idpt
        });
        if let Some((prefix, _)) = made {
            let case = Case {
                id: &id,
                comment: "With the greatest created_at.",
                error: None,
                prekeys: &bob.prekeys,
                prefix: &prefix,
                now: THEN,
            };
            add(cases, &bob.secrets, &case);
        }
    }
    let torsion = EIGHT_TORSION.into_iter().nth(1).unwrap_or_default();
    let made = prefix_of(cases, bob, "ek-torsion", (7, 4, Some(3)), |initiator| {
        let point = EdwardsPoint::mul_base_clamped(initiator.ek) + torsion;
        initiator.sent_ek = point.to_montgomery().to_bytes();
    });
    if let Some((prefix, initiated)) = made {
        let case = Case {
            id: "ek-torsion",
            comment: "EK of mixed order is another encoding in th1 and nothing else: only keys that stand for an \
                      identity must be of prime order.",
            error: None,
            prekeys: &bob.prekeys,
            prefix: &prefix,
            now: THEN,
        };
        let responded = add(cases, &bob.secrets, &case);
        cases.same("respond-ek-torsion: both sides", responded, Some(initiated));
    }
    let secret = cases.array("respond impersonator");
    let made = prefix_of(cases, bob, "impersonation", (7, 4, Some(3)), |initiator| {
        initiator.secret = secret
    });
    if let Some((prefix, initiated)) = made {
        let case = Case {
            id: "impersonation",
            comment: "Who has not IKd's private half of the identity in encid has another SK: the frame does not open.",
            error: None,
            prekeys: &bob.prekeys,
            prefix: &prefix,
            now: THEN,
        };
        let responded = add(cases, &bob.secrets, &case);
        let keys = responded.map(|values| (values.sid == initiated.sid, values.sk == initiated.sk));
        cases.same(
            "respond-impersonation: same sid, other SK",
            keys,
            Some((true, false)),
        );
    }
}

fn gone(cases: &mut Cases, bob: &Bob) {
    let Some((prefix, _)) = prefix_of(cases, bob, "gone", (7, 4, Some(3)), |_| ()) else {
        return;
    };
    for (id, comment, at, value) in [
        ("no-spk", "spk.id is nobody's.", 4, 9),
        ("spk-id-0", "spk.id is nobody's.", 4, 0),
        ("spk-names-kem", "spk.id is that of a KEM key.", 4, 8),
        ("no-kem", "kem.id is nobody's.", 8, 9),
        ("kem-names-spk", "kem.id is that of an SPK.", 8, 7),
        ("kem-names-opk", "kem.id is that of an OPK.", 8, 3),
        ("no-opk", "opk.id is nobody's.", 13, 9),
        ("opk-names-kem", "opk.id is that of a KEM key.", 13, 4),
        ("opk-names-spk", "opk.id is that of an SPK.", 13, 7),
    ] {
        let prefix = put(&prefix, at, &u32::to_be_bytes(value));
        let case = Case {
            id: &format!("gone-{id}"),
            comment,
            error: Some("PrekeyGone"),
            prekeys: &bob.prekeys,
            prefix: &prefix,
            now: THEN,
        };
        add(cases, &bob.secrets, &case);
    }
    for (id, comment, ids, now) in [
        (
            "spk-expired",
            "30 days after its successor was made.",
            (1, 4, Some(3)),
            REPLACED + 30 * DAY,
        ),
        (
            "last-resort-kem-expired",
            "The KEM key of that generation.",
            (7, 2, None),
            REPLACED + 30 * DAY,
        ),
        (
            "kem-expired",
            "37 + 30 days after it was made.",
            (7, 4, None),
            NOW + 67 * DAY,
        ),
        (
            "opk-expired",
            "37 + 30 days after it was made.",
            (7, 8, Some(3)),
            NOW + 67 * DAY,
        ),
    ] {
        if let Some((prefix, _)) = prefix_of(cases, bob, id, ids, |_| ()) {
            let case = Case {
                id: &format!("gone-{id}"),
                comment,
                error: Some("PrekeyGone"),
                prekeys: &bob.prekeys,
                prefix: &prefix,
                now,
            };
            add(cases, &bob.secrets, &case);
        }
    }
}

fn replayed(cases: &mut Cases, bob: &Bob) {
    let id = "replayed";
    let Some((prefix, _)) = prefix_of(cases, bob, id, (7, 8, None), |_| ()) else {
        return;
    };
    let Some((with_opk, _)) = prefix_of(cases, bob, id, (7, 8, Some(3)), |_| ()) else {
        return;
    };
    let Some((with_kem, _)) = prefix_of(cases, bob, id, (7, 4, None), |_| ()) else {
        return;
    };
    let Some((replaced, _)) = prefix_of(cases, bob, id, (1, 8, None), |_| ()) else {
        return;
    };
    let first_id = Prefix::parse(&prefix).and_then(|prefix| prefix.first_id());
    let first_id = cases.made(id, first_id).unwrap_or_default();
    let mut recorded = bob.prekeys.clone();
    let mut full = bob.prekeys.clone();
    for (prekeys, records) in [
        (&mut recorded, vec![[0; 16], first_id, [255; 16]]),
        (&mut full, records(8_192)),
    ] {
        for generation in prekeys.generations.iter_mut().skip(1) {
            generation.records.clone_from(&records);
            generation.records.sort_unstable();
        }
    }
    let broken = flip(&prefix, PREFIX - 1);
    let no_kem = put(&prefix, 8, &u32::to_be_bytes(9));
    let (replay, full_error) = (Some("ReplayedFirst"), Some("ReplayRecordFull"));
    for (id, comment, error, prekeys, prefix) in [
        (
            "replayed",
            "H(EK)[..16] is among the records of the generation of spk.id.",
            replay,
            &recorded,
            &prefix,
        ),
        (
            "replayed-altered",
            "That is found before anything is computed.",
            replay,
            &recorded,
            &broken,
        ),
        (
            "replayed-no-kem",
            "That a prekey is not there is found first.",
            Some("PrekeyGone"),
            &recorded,
            &no_kem,
        ),
        (
            "recorded-with-opk",
            "With a one-time key the record is not asked.",
            None,
            &recorded,
            &with_opk,
        ),
        (
            "recorded-with-kem",
            "A one-time KEM key alone is one.",
            None,
            &recorded,
            &with_kem,
        ),
        (
            "recorded-other-generation",
            "Nor is that of another generation.",
            None,
            &recorded,
            &replaced,
        ),
        (
            "record-full",
            "8,192 first messages.",
            full_error,
            &full,
            &prefix,
        ),
    ] {
        let case = Case {
            id,
            comment,
            error,
            prekeys,
            prefix,
            now: THEN,
        };
        add(cases, &bob.secrets, &case);
    }
}

fn put(prefix: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut prefix = prefix.to_vec();
    for (to, from) in prefix.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
    prefix
}

fn flip(prefix: &[u8], at: usize) -> Vec<u8> {
    let byte = prefix.get(at).copied().unwrap_or_default();
    put(prefix, at, &[byte ^ 1])
}

fn altered(cases: &mut Cases, bob: &Bob) {
    let Some((prefix, _)) = prefix_of(cases, bob, "altered", (7, 4, Some(3)), |_| ()) else {
        return;
    };
    let Some((last_resort, _)) = prefix_of(cases, bob, "altered", (7, 8, None), |_| ()) else {
        return;
    };
    let (malformed, unknown) = (Some("Malformed"), Some("UnknownVersion"));
    let other_ek = formula::public(&cases.array("respond other ek"));
    let mut list = vec![
        ("version-0", "", unknown, put(&prefix, 0, &[0])),
        ("version-255", "", unknown, put(&prefix, 0, &[255])),
        ("kind-0", "", Some("UnknownKind"), put(&prefix, 1, &[0])),
        ("kind-3", "", Some("UnknownKind"), put(&prefix, 1, &[3])),
        (
            "kind-2",
            "An ordinary message has no prefix.",
            malformed,
            put(&prefix, 1, &[2]),
        ),
        ("suite-0", "", unknown, put(&prefix, 2, &[0, 0])),
        ("suite-2", "", unknown, put(&prefix, 2, &[0, 2])),
        (
            "suite-2-flag-2",
            "Another suite, whatever follows.",
            unknown,
            put(&put(&prefix, 2, &[0, 2]), 12, &[2]),
        ),
        (
            "spk-other",
            "Another generation that is held.",
            malformed,
            put(&prefix, 4, &[0, 0, 0, 1]),
        ),
        (
            "kem-other",
            "Another KEM key that is held.",
            malformed,
            put(&prefix, 8, &[0, 0, 0, 6]),
        ),
        (
            "kem-last-resort",
            "The last-resort key in place of a one-time key.",
            malformed,
            put(&prefix, 8, &[0, 0, 0, 8]),
        ),
        (
            "has-opk-2",
            "A flag is 0 or 1.",
            malformed,
            put(&prefix, 12, &[2]),
        ),
        (
            "has-opk-0",
            "opk.id without OPK.",
            malformed,
            put(&prefix, 12, &[0]),
        ),
        (
            "opk-id-0",
            "OPK without opk.id.",
            malformed,
            put(&prefix, 13, &[0; 4]),
        ),
        (
            "opk-other",
            "Another OPK that is held.",
            malformed,
            put(&prefix, 13, &[0, 0, 0, 5]),
        ),
        (
            "opk-removed",
            "The OPK taken out.",
            malformed,
            put(&prefix, 12, &[0; 5]),
        ),
        (
            "opk-added",
            "An OPK put in.",
            malformed,
            put(&last_resort, 12, &[1, 0, 0, 0, 3]),
        ),
        (
            "no-flag-but-id",
            "",
            malformed,
            put(&last_resort, 13, &[0, 0, 0, 3]),
        ),
        ("ek-flipped", "", malformed, flip(&prefix, 17)),
        (
            "ek-other",
            "Another EK.",
            malformed,
            put(&prefix, 17, &other_ek),
        ),
        (
            "ek-p",
            "EK is not canonical.",
            malformed,
            put(&prefix, 17, &edge::p_plus(0)),
        ),
        (
            "ek-p-plus-18",
            "EK is not canonical.",
            malformed,
            put(&prefix, 17, &edge::p_plus(18)),
        ),
        (
            "ek-high-bit",
            "EK is not canonical.",
            malformed,
            put(&prefix, 48, &[0x80 | byte(&prefix, 48)]),
        ),
        ("ct-first", "", malformed, flip(&prefix, 49)),
        ("ct-last", "", malformed, flip(&prefix, 1_136)),
        ("encid-first", "", malformed, flip(&prefix, 1_137)),
        ("encid-middle", "", malformed, flip(&prefix, 1_300)),
        ("encid-tag", "", malformed, flip(&prefix, PREFIX - 1)),
    ];
    // The prekeys are looked for before anything is computed, and after the encoding was judged.
    let no_spk = put(&prefix, 4, &[0, 0, 0, 9]);
    let gone = Some("PrekeyGone");
    list.push((
        "no-spk-encid",
        "PrekeyGone comes first.",
        gone,
        flip(&no_spk, PREFIX - 1),
    ));
    list.push((
        "no-spk-ek-p",
        "The encoding comes first.",
        malformed,
        put(&no_spk, 17, &edge::p_plus(0)),
    ));
    for (id, comment, error, prefix) in &list {
        let case = Case {
            id: &format!("altered-{id}"),
            comment,
            error: *error,
            prekeys: &bob.prekeys,
            prefix,
            now: THEN,
        };
        add(cases, &bob.secrets, &case);
    }
    for (name, point) in edge::small_order() {
        let case = Case {
            id: &format!("ek-small-order-{name}"),
            comment: "The result of X25519 is zero (§3.3-R3).",
            error: malformed,
            prekeys: &bob.prekeys,
            prefix: &put(&prefix, 17, &point),
            now: THEN,
        };
        add(cases, &bob.secrets, &case);
    }
}

fn byte(prefix: &[u8], at: usize) -> u8 {
    prefix.get(at).copied().unwrap_or_default()
}

/// Initiators who encrypt what no honest one does.
fn hostile(cases: &mut Cases, bob: &Bob) {
    let alice = party(cases, "alice");
    let seed = &alice.seed;
    let genuine = formula::public(&alice.secret);
    let signed = |ikd: &[u8; 32]| formula::signed_identity(seed, ikd).unwrap_or_default();
    let identity = signed(&genuine);
    let plain = |identity: &[u8]| model::identity_plaintext(identity, THEN, 5, b"alice");
    let idpt = plain(&identity);
    let own_ikd = formula::public(&bob.secrets.secret);
    let own_iks = formula::signed_identity(&bob.secrets.seed, &genuine).unwrap_or_default();
    let torsion = EIGHT_TORSION.into_iter().nth(1).unwrap_or_default();
    let torsioned = (edge::point(&alice.secret) + torsion)
        .to_montgomery()
        .to_bytes();
    let bad_signature = |identity: &[u8]| flip(identity, 100);
    let (malformed, bad, own) = (Some("Malformed"), Some("BadSignature"), Some("OwnIdentity"));
    let mut list = vec![
        (
            "length-0",
            "",
            malformed,
            model::identity_plaintext(&identity, THEN, 0, b""),
        ),
        (
            "length-0-address",
            "",
            malformed,
            model::identity_plaintext(&identity, THEN, 0, b"alice"),
        ),
        (
            "length-48",
            "",
            malformed,
            model::identity_plaintext(&identity, THEN, 48, b"alice"),
        ),
        (
            "length-255",
            "",
            malformed,
            model::identity_plaintext(&identity, THEN, 255, b"alice"),
        ),
        (
            "length-short",
            "A byte of the address stands behind it.",
            malformed,
            model::identity_plaintext(&identity, THEN, 4, b"alice"),
        ),
        (
            "padding-first",
            "The first byte behind the address.",
            malformed,
            put(&idpt, 142, &[1]),
        ),
        (
            "padding-last",
            "The last byte.",
            malformed,
            put(&idpt, 183, &[1]),
        ),
        (
            "created-at-2-48",
            "",
            malformed,
            put(&idpt, 128, &(1u64 << 48).to_be_bytes()),
        ),
        ("created-at-max", "", malformed, put(&idpt, 128, &[255; 8])),
        ("bad-signature", "", bad, plain(&bad_signature(&identity))),
        (
            "other-iks",
            "The identity of another device, signed for Alice's.",
            bad,
            plain(&put(
                &identity,
                0,
                &formula::verifying_key(&cases.array("other iks")),
            )),
        ),
        (
            "ikd-not-canonical",
            "",
            malformed,
            plain(&signed(&edge::p_plus(1))),
        ),
        ("ikd-torsion", "", malformed, plain(&signed(&torsioned))),
        (
            "ikd-torsion-bad-signature",
            "The signature comes before the order of IKd.",
            bad,
            plain(&bad_signature(&signed(&torsioned))),
        ),
        (
            "padding-bad-signature",
            "The form comes before the signature.",
            malformed,
            put(&plain(&bad_signature(&identity)), 183, &[1]),
        ),
        ("own-iks", "The responder's own IKs.", own, plain(&own_iks)),
        (
            "own-ikd",
            "The responder's own IKd.",
            own,
            plain(&signed(&own_ikd)),
        ),
        (
            "own-ikd-bad-signature",
            "The signature comes before.",
            bad,
            plain(&bad_signature(&signed(&own_ikd))),
        ),
    ];
    for (name, point) in edge::small_order().into_iter().take(3) {
        let id = match name {
            "0" => "ikd-small-order-0",
            "1" => "ikd-small-order-1",
            _ => "ikd-small-order-p-minus-1",
        };
        list.push((id, "Of small order.", malformed, plain(&signed(&point))));
    }
    for (id, comment, error, idpt) in list {
        let made = prefix_of(cases, bob, id, (7, 4, Some(3)), |initiator| {
            initiator.idpt = idpt
        });
        if let Some((prefix, _)) = made {
            let case = Case {
                id: &format!("hostile-{id}"),
                comment,
                error,
                prekeys: &bob.prekeys,
                prefix: &prefix,
                now: THEN,
            };
            add(cases, &bob.secrets, &case);
        }
    }
}

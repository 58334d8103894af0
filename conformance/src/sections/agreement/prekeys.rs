//! SPEC §7.1, §7.6: prekeys are made, published, rotated, used up and deleted.

use serde_json::{Value, json};
use subrosa::hazmat::{self, Given};

use super::{ADDRESS, ID, NOW, SECRET, SEED, party, read_prekeys, with_secrets};
use crate::generate::{Answer, Cases};
use crate::model::prekeys::{DAY, Used};
use crate::model::stored::{Generation, Layout, OneTime, Prekeys};
use crate::op::{Field, Input, Kind, Op, Output, Refusal, field, refused};
use crate::sections::identity::device;

const PREKEYS: Field = field("prekeys", Kind::Hex);
const TIME: Field = field("now", Kind::Decimal);
const SPK: Field = field("spk", Kind::HexOf(32));
const KEM: Field = field("kem", Kind::HexOf(64));
const PAIR: &[Field] = &[field("opk", Kind::HexOf(32)), KEM];

pub(super) const OPS: &[Op] = &[
    Op {
        name: "agreement.generate",
        summary: "The first generation, from SPK's private half and the KEM key's seed. `prekeys` is everywhere the \
                  plaintext encoding of §12.3.",
        input: &[TIME, SPK, KEM],
        output: &[PREKEYS],
        trace: &[],
        errors: &[],
        run: |input| {
            let prekeys = hazmat::generate_prekeys(input.integer("now")?, &mut generation(input)?);
            written(&prekeys.map_err(refused)?)
        },
    },
    Op {
        name: "agreement.rotate",
        summary: "A further generation.",
        input: &[PREKEYS, TIME, SPK, KEM],
        output: &[PREKEYS],
        trace: &[],
        errors: &["PrekeysExhausted"],
        run: |input| {
            let mut prekeys = read_prekeys(input)?;
            hazmat::rotate(&mut prekeys, input.integer("now")?, &mut generation(input)?)
                .map_err(refused)?;
            written(&prekeys)
        },
    },
    Op {
        name: "agreement.rotation_due",
        summary: "Whether the device should rotate: the newest generation is 7 days old, or its record of first messages is full.",
        input: &[PREKEYS, TIME],
        output: &[field("due", Kind::Bool)],
        trace: &[],
        errors: &[],
        run: |input| {
            let due = read_prekeys(input)?.rotation_due(input.integer("now")?);
            Ok(Output::new().value("due", due))
        },
    },
    Op {
        name: "agreement.replenish",
        summary: "Asks for `count` pairs of one-time keys; `keys` has the private halves of those that are made.",
        input: &[
            ADDRESS,
            SEED,
            SECRET,
            PREKEYS,
            TIME,
            field("count", Kind::Integer(1 << 16)),
            field("keys", Kind::List(&Kind::Object(PAIR))),
        ],
        output: &[PREKEYS, field("bundles", Kind::List(&Kind::Hex))],
        trace: &[],
        errors: &["PrekeysExhausted"],
        run: replenish,
    },
    Op {
        name: "agreement.last_resort_bundle",
        summary: "The last-resort bundle.",
        input: &[ADDRESS, SEED, SECRET, PREKEYS],
        output: &[field("bundle", Kind::Hex)],
        trace: &[],
        errors: &[],
        run: |input| {
            let bundle = read_prekeys(input)?.last_resort_bundle(&device(input)?);
            Ok(Output::new().hex("bundle", bundle.map_err(refused)?))
        },
    },
    Op {
        name: "agreement.expire",
        summary: "Deletes the private halves whose time is over.",
        input: &[PREKEYS, TIME],
        output: &[PREKEYS],
        trace: &[],
        errors: &[],
        run: |input| {
            let mut prekeys = read_prekeys(input)?;
            prekeys.expire(input.integer("now")?);
            written(&prekeys)
        },
    },
    Op {
        name: "agreement.consume",
        summary: "What the app's verdict takes away (§7.6-R3): the one-time keys with these ids, or else a record of \
                  `first_id` = `H(EK)[..16]` is kept.",
        input: &[
            PREKEYS,
            field("spk_id", Kind::Integer(ID)),
            field("kem_id", Kind::Nullable(&Kind::Integer(ID))),
            field("opk_id", Kind::Nullable(&Kind::Integer(ID))),
            field("first_id", Kind::HexOf(16)),
        ],
        output: &[PREKEYS],
        trace: &[],
        errors: &["PrekeyGone", "ReplayedFirst", "ReplayRecordFull"],
        run: |input| {
            let mut prekeys = read_prekeys(input)?;
            let used = hazmat::used(
                input.integer("spk_id")?,
                input.nullable("kem_id", Input::integer)?,
                input.nullable("opk_id", Input::integer)?,
                input.array("first_id")?,
            );
            prekeys.consume(&used).map_err(refused)?;
            written(&prekeys)
        },
    },
];

fn generation(input: &Input<'_>) -> Result<Given, Refusal> {
    Ok(Given::new([input.bytes("spk")?, input.bytes("kem")?]))
}

fn written(prekeys: &subrosa::Prekeys) -> Result<Output, Refusal> {
    Ok(Output::new().hex("prekeys", hazmat::encode(prekeys).map_err(refused)?))
}

fn replenish(input: &Input<'_>) -> Result<Output, Refusal> {
    let mut values = Vec::new();
    for pair in input.objects("keys")? {
        values.push(pair.bytes("opk")?);
        values.push(pair.bytes("kem")?);
    }
    let mut given = Given::new(values);
    let mut prekeys = read_prekeys(input)?;
    let (count, now) = (input.integer("count")?, input.integer("now")?);
    let bundles = hazmat::replenish(&mut prekeys, &device(input)?, count, now, &mut given)
        .map_err(refused)?;
    match given.left() {
        0 => {
            let bundles: Vec<String> = bundles.iter().map(hex::encode).collect();
            Ok(written(&prekeys)?.value("bundles", bundles))
        }
        left => Err(Refusal::Invalid(format!(
            "keys: {left} values are not used"
        ))),
    }
}

/// The secrets of one generation.
pub(super) fn generation_secrets(cases: &Cases, name: &str) -> ([u8; 32], [u8; 64]) {
    (
        cases.array(&format!("{name} spk")),
        cases.array(&format!("{name} kem")),
    )
}

/// The secrets of one pair of one-time keys.
pub(super) fn pair_secrets(cases: &Cases, name: &str) -> ([u8; 32], [u8; 64]) {
    (
        cases.array(&format!("{name} opk")),
        cases.array(&format!("{name} one-time kem")),
    )
}

pub(super) fn cases(cases: &mut Cases) {
    let grown = life(cases);
    if let Some(prekeys) = grown {
        times(cases, &prekeys);
        consumed(cases, &prekeys);
    }
    full(cases);
    ids(cases);
}

/// Compares the prekeys of an answer with the model's.
fn same(cases: &mut Cases, id: &str, answer: &Answer, model: &Prekeys) {
    cases.same(
        &format!("{id}: prekeys"),
        answer.bytes("prekeys"),
        model.encode(),
    );
}

fn rotate_input(prekeys: &Prekeys, now: u64, (spk, kem): ([u8; 32], [u8; 64])) -> Value {
    json!({
        "prekeys": hex::encode(prekeys.encode()), "now": now.to_string(),
        "spk": hex::encode(spk), "kem": hex::encode(kem),
    })
}

/// A device's first weeks: two generations, two pairs of one-time keys of each.
fn life(cases: &mut Cases) -> Option<Prekeys> {
    let bob = party(cases, "bob");
    let (spk, kem) = generation_secrets(cases, "first");
    let generated = cases.accept(
        "generate",
        "generate",
        "Ids 1 and 2.",
        json!({"now": NOW.to_string(), "spk": hex::encode(spk), "kem": hex::encode(kem)}),
    );
    let mut model = cases.made("generate", Prekeys::generate(NOW, spk, kem))?;
    same(cases, "generate", &generated, &model);
    replenished(
        cases,
        "replenish-two",
        "Ids 3 to 6.",
        &mut model,
        NOW + 1,
        2,
        2,
    );
    last_resort(
        cases,
        "last-resort-bundle",
        "Of the newest generation.",
        &model,
    );
    let now = NOW + 7 * DAY;
    let secrets = generation_secrets(cases, "second");
    let rotated = cases.accept(
        "rotate",
        "rotate",
        "Ids 7 and 8.",
        rotate_input(&model, now, secrets),
    );
    let done = model.rotate(now, secrets.0, secrets.1);
    cases.made("rotate", done)?;
    same(cases, "rotate", &rotated, &model);
    last_resort(
        cases,
        "last-resort-bundle-rotated",
        "Of the newest generation.",
        &model,
    );
    replenished(
        cases,
        "replenish-rotated",
        "Bundles name the newest SPK.",
        &mut model,
        now,
        2,
        2,
    );
    let keys: Vec<Value> = Vec::new();
    cases.refuse(
        "replenish-none",
        "replenish",
        "PrekeysExhausted",
        "None is asked for, so none is made.",
        with_secrets(
            &bob,
            json!({"prekeys": hex::encode(model.encode()), "now": now.to_string(), "count": 0, "keys": keys}),
        ),
    );
    Some(model)
}

fn last_resort(cases: &mut Cases, id: &str, comment: &str, model: &Prekeys) {
    let bob = party(cases, "bob");
    let input = with_secrets(&bob, json!({"prekeys": hex::encode(model.encode())}));
    let answer = cases.accept(id, "last_resort_bundle", comment, input);
    let bundle = model.last_resort_bundle(&bob);
    cases.same(id, Ok(answer.bytes("bundle")), bundle);
}

/// Asks for `count` pairs, of which `made` are made.
fn replenished(
    cases: &mut Cases,
    id: &str,
    comment: &str,
    model: &mut Prekeys,
    now: u64,
    count: usize,
    made: usize,
) {
    let bob = party(cases, "bob");
    let keys: Vec<_> = (0..made)
        .map(|index| pair_secrets(cases, &format!("{id} {index}")))
        .collect();
    let given: Vec<Value> = keys
        .iter()
        .map(|(opk, kem)| json!({"opk": hex::encode(opk), "kem": hex::encode(kem)}))
        .collect();
    let input = json!({
        "prekeys": hex::encode(model.encode()), "now": now.to_string(), "count": count, "keys": given,
    });
    let answer = cases.accept_digest(id, "replenish", comment, with_secrets(&bob, input));
    cases.same(&format!("{id}: room"), model.room(count, now), made);
    let bundles = model.replenish(&bob, now, &keys);
    same(cases, id, &answer, model);
    let Some(bundles) = cases.made(id, bundles) else {
        return;
    };
    let bundles: Vec<String> = bundles.iter().map(hex::encode).collect();
    cases.same(
        &format!("{id}: bundles"),
        answer.get("bundles"),
        Some(&json!(bundles)),
    );
}

fn expired(cases: &mut Cases, id: &str, comment: &str, before: &Prekeys, now: u64) -> Prekeys {
    let input = json!({"prekeys": hex::encode(before.encode()), "now": now.to_string()});
    let answer = cases.accept(id, "expire", comment, input);
    let mut after = before.clone();
    after.expire(now);
    same(cases, id, &answer, &after);
    after
}

fn times(cases: &mut Cases, prekeys: &Prekeys) {
    let replaced = NOW + 7 * DAY;
    for (id, comment, now, (generations, opks)) in [
        ("nothing", "Nothing is past its time.", replaced, (2, 4)),
        (
            "grace-last",
            "The last moment of the replaced generation.",
            replaced + 30 * DAY - 1,
            (2, 4),
        ),
        (
            "grace-over",
            "30 days after the new one was made.",
            replaced + 30 * DAY,
            (1, 4),
        ),
        (
            "one-time-last",
            "37 + 30 days after the one-time keys were made, less a moment.",
            NOW + 67 * DAY,
            (1, 4),
        ),
        (
            "one-time-over",
            "One moment later.",
            NOW + 1 + 67 * DAY,
            (1, 2),
        ),
        (
            "all",
            "The newest generation stays, however old.",
            u64::MAX,
            (1, 0),
        ),
    ] {
        let after = expired(cases, &format!("expire-{id}"), comment, prekeys, now);
        let found = (after.generations.len(), after.opks.len());
        cases.same(
            &format!("expire-{id}: generations and one-time keys held"),
            found,
            (generations, opks),
        );
    }
    let made = replaced;
    for (id, now, due) in [
        ("at-once", made, false),
        ("almost", made + 7 * DAY - 1, false),
        ("after-7-days", made + 7 * DAY, true),
        ("clock-set-back", 0, false),
    ] {
        let input = json!({"prekeys": hex::encode(prekeys.encode()), "now": now.to_string()});
        let answer = cases.accept(&format!("rotation-due-{id}"), "rotation_due", "", input);
        cases.same(
            &format!("rotation-due-{id}"),
            answer.get("due"),
            Some(&json!(due)),
        );
    }
    let mut many = prekeys.clone();
    for index in 0u64..15 {
        let now = replaced + 1 + index;
        let (spk, kem) = generation_secrets(cases, &format!("rotation {index}"));
        let before = many.clone();
        let done = many.rotate(now, spk, kem);
        cases.made("rotations", done);
        if many.generations.len() == 16 && before.generations.len() == 16 {
            let input = rotate_input(&before, now, (spk, kem));
            let answer = cases.accept(
                "rotate-17th",
                "rotate",
                "At most 16 generations: the oldest goes.",
                input,
            );
            same(cases, "rotate-17th", &answer, &many);
        }
    }
    let now = replaced + 30 * DAY;
    let secrets = generation_secrets(cases, "third");
    let mut model = prekeys.clone();
    let done = model.rotate(now, secrets.0, secrets.1);
    cases.made("rotate-expires", done);
    let comment = "A rotation deletes what is past its time as well.";
    let answer = cases.accept(
        "rotate-expires",
        "rotate",
        comment,
        rotate_input(prekeys, now, secrets),
    );
    same(cases, "rotate-expires", &answer, &model);
    cases.same("rotate-expires: generations", model.generations.len(), 2);
}

fn consume_input(prekeys: &Prekeys, used: &Used) -> Value {
    json!({
        "prekeys": hex::encode(prekeys.encode()), "spk_id": used.spk_id, "kem_id": used.kem_id,
        "opk_id": used.opk_id, "first_id": hex::encode(used.first_id),
    })
}

fn consumed(cases: &mut Cases, prekeys: &Prekeys) {
    let first_id = cases.array("first id");
    let used = |spk_id, kem_id, opk_id| Used {
        spk_id,
        kem_id,
        opk_id,
        first_id,
    };
    for (id, comment, used) in [
        (
            "both",
            "Both one-time keys are gone; no record.",
            used(1, Some(4), Some(3)),
        ),
        ("opk", "The X25519 key alone.", used(7, None, Some(5))),
        ("kem", "The KEM key alone.", used(7, Some(6), None)),
        (
            "record",
            "No one-time key: a record of the generation of spk.id.",
            used(7, None, None),
        ),
        (
            "record-replaced",
            "The same of a generation that was replaced.",
            used(1, None, None),
        ),
    ] {
        let mut after = prekeys.clone();
        let done = after.consume(&used);
        cases.made(id, done);
        let id = format!("consume-{id}");
        let answer = cases.accept(&id, "consume", comment, consume_input(prekeys, &used));
        same(cases, &id, &answer, &after);
    }
    let mut recorded = prekeys.clone();
    for name in ["a", "b", "c", "d"] {
        let record = Used {
            first_id: cases.array(&format!("record {name}")),
            ..used(7, None, None)
        };
        let done = recorded.consume(&record);
        cases.made("records", done);
    }
    let mut after = recorded.clone();
    let done = after.consume(&used(7, None, None));
    cases.made("records", done);
    let input = consume_input(&recorded, &used(7, None, None));
    let answer = cases.accept(
        "consume-record-among-others",
        "consume",
        "Records ascend.",
        input,
    );
    same(cases, "consume-record-among-others", &answer, &after);
    for (id, error, comment, prekeys, used) in [
        (
            "twice",
            "ReplayedFirst",
            "A second copy of a message without one-time keys.",
            &after,
            used(7, None, None),
        ),
        (
            "no-generation",
            "PrekeyGone",
            "The generation is gone.",
            prekeys,
            used(9, None, None),
        ),
        (
            "no-kem",
            "PrekeyGone",
            "Another message took the KEM key.",
            prekeys,
            used(7, Some(60), Some(5)),
        ),
        (
            "no-opk",
            "PrekeyGone",
            "Another message took the X25519 key.",
            prekeys,
            used(7, Some(6), Some(50)),
        ),
    ] {
        let judged = prekeys.clone().consume(&used);
        cases.same(
            &format!("consume-{id}"),
            judged,
            Err(crate::model::error(error)),
        );
        let input = consume_input(prekeys, &used);
        cases.refuse(&format!("consume-{id}"), "consume", error, comment, input);
    }
    let mut full = prekeys.clone();
    for generation in full.generations.iter_mut().skip(1) {
        generation.records = records(8_192);
    }
    let input = consume_input(&full, &used(7, None, None));
    let comment = "8,192 records are held: another message came first.";
    cases.refuse(
        "consume-record-full",
        "consume",
        "ReplayRecordFull",
        comment,
        input,
    );
}

/// So many records, ascending.
pub(in crate::sections) fn records(count: u128) -> Vec<[u8; 16]> {
    (0..count)
        .map(|index| (index << 64).to_be_bytes())
        .collect()
}

/// Prekeys that hold so many pairs of one-time keys.
fn holding(cases: &Cases, pairs: u32) -> Prekeys {
    let (spk, kem) = generation_secrets(cases, "first");
    let (mut opks, mut kems) = (Vec::new(), Vec::new());
    for index in 0..pairs {
        let (opk, kem) = pair_secrets(cases, &format!("held {index}"));
        let id = index.saturating_mul(2).saturating_add(3);
        opks.push(OneTime {
            id,
            secret: opk,
            made_at: NOW,
        });
        kems.push(OneTime {
            id: id.saturating_add(1),
            secret: kem,
            made_at: NOW,
        });
    }
    Prekeys {
        next_id: pairs.saturating_mul(2).saturating_add(3),
        generations: vec![Generation {
            spk_id: 1,
            spk,
            kem_id: 2,
            kem,
            made_at: NOW,
            replaced_at: None,
            records: Vec::new(),
        }],
        opks,
        kems,
    }
}

fn full(cases: &mut Cases) {
    let mut almost = holding(cases, 499);
    let comment = "At most 500 of either sort are held: one of the three asked for is made.";
    replenished(cases, "replenish-one-left", comment, &mut almost, NOW, 3, 1);
    let mut full = holding(cases, 500);
    let bob = party(cases, "bob");
    let (opk, kem) = pair_secrets(cases, "too many");
    let pair = json!({"opk": hex::encode(opk), "kem": hex::encode(kem)});
    let input = json!({
        "prekeys": hex::encode(full.encode()), "now": NOW.to_string(), "count": 1, "keys": [pair],
    });
    cases.refuse(
        "replenish-full",
        "replenish",
        "PrekeysExhausted",
        "500 are held.",
        with_secrets(&bob, input),
    );
    // As many KEM keys would do.
    full.opks.truncate(1);
    let input = json!({
        "prekeys": hex::encode(full.encode()), "now": NOW.to_string(), "count": 1, "keys": [pair],
    });
    let comment = "500 are held of one sort.";
    cases.refuse(
        "replenish-full-of-one-sort",
        "replenish",
        "PrekeysExhausted",
        comment,
        with_secrets(&bob, input),
    );
    let comment = "Those held are past their time: they are deleted, and new ones are made.";
    replenished(
        cases,
        "replenish-expired",
        comment,
        &mut full,
        NOW + 67 * DAY,
        1,
        1,
    );
}

fn ids(cases: &mut Cases) {
    let bob = party(cases, "bob");
    let mut last = holding(cases, 0);
    last.next_id = u32::MAX - 2;
    let secrets = generation_secrets(cases, "last");
    let input = rotate_input(&last, NOW, secrets);
    let answer = cases.accept(
        "rotate-last-ids",
        "rotate",
        "The last two ids that are given out.",
        input,
    );
    let mut rotated = last.clone();
    let done = rotated.rotate(NOW, secrets.0, secrets.1);
    cases.made("rotate-last-ids", done);
    same(cases, "rotate-last-ids", &answer, &rotated);
    let mut one_left = last.clone();
    one_left.next_id = u32::MAX - 1;
    for (id, prekeys) in [("no-ids", &rotated), ("one-id", &one_left)] {
        let input = rotate_input(prekeys, NOW, secrets);
        let comment = "A generation takes two ids, and the counter must hold the next.";
        cases.refuse(
            &format!("rotate-{id}"),
            "rotate",
            "PrekeysExhausted",
            comment,
            input,
        );
    }
    let pairs: Vec<Value> = ["a", "b"]
        .iter()
        .map(|name| {
            let (opk, kem) = pair_secrets(cases, name);
            json!({"opk": hex::encode(opk), "kem": hex::encode(kem)})
        })
        .collect();
    let input = json!({
        "prekeys": hex::encode(last.encode()), "now": NOW.to_string(), "count": 2, "keys": pairs,
    });
    cases.refuse(
        "replenish-too-few-ids",
        "replenish",
        "PrekeysExhausted",
        "There are ids for one pair, and two are asked for: the call fails as a whole.",
        with_secrets(&bob, input),
    );
}

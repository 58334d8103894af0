//! One version behind the other (SPEC §21.5).

use serde_json::{Value, json};

use super::people::{first, keys, opened, publish, put, refuse, text, with};
use crate::generate::Cases;
use crate::model::pack::{Content, Held, Keys};
use crate::op::Refusal;

/// A manifest, and what is held of it.
#[derive(Clone)]
struct Version {
    sealed: Vec<u8>,
    held: Held,
}

pub fn cases(cases: &mut Cases) {
    let keys = keys(cases, "pack");
    let Some(history) = history(cases, &keys) else {
        return cases.fault("no history was made".to_owned());
    };
    updates(cases, &keys, &history);
    others(cases, &keys, &history);
    stored(cases, &history);
}

/// Publishes a version both ways.
fn published(
    cases: &mut Cases,
    id: &str,
    keys: &Keys,
    title: &str,
    version: Option<u64>,
    held: Option<Held>,
) -> Option<Version> {
    let content = Content {
        title: title.into(),
        ..first(cases, keys)
    };
    let id = format!("publish-{id}");
    let (input, expected) = publish(cases, &id, keys, &content, version, held);
    let answer = put(cases, &id, "publish", "", input, expected);
    Some(Version {
        sealed: answer.bytes("sealed"),
        held: cases.made(&id, Held::decode(&answer.bytes("held")))?,
    })
}

/// Three versions, two of another history behind the first one, and one that leaves numbers out.
struct History {
    first: Version,
    second: Version,
    third: Version,
    other_second: Version,
    other_third: Version,
    fifth: Version,
    last: Version,
}

fn history(cases: &mut Cases, keys: &Keys) -> Option<History> {
    let first = published(cases, "first", keys, "Owls", None, None)?;
    let behind = |version: &Version| Some(version.held);
    let second = published(cases, "second", keys, "More owls", None, behind(&first))?;
    let third = published(cases, "third", keys, "More owls", Some(3), behind(&second))?;
    let other_second = published(cases, "other-second", keys, "Crows", None, behind(&first))?;
    let other_third = published(
        cases,
        "other-third",
        keys,
        "Crows",
        None,
        behind(&other_second),
    )?;
    let fifth = published(cases, "fifth", keys, "Owls again", Some(5), behind(&third))?;
    let last = published(
        cases,
        "last",
        keys,
        "No more",
        Some(u64::MAX),
        behind(&fifth),
    )?;
    Some(History {
        first,
        second,
        third,
        other_second,
        other_third,
        fifth,
        last,
    })
}

fn update(held: &Held, link: &str, sealed: &[u8]) -> Result<Value, Refusal> {
    let next = held.update(&opened(link, sealed)?)?;
    Ok(json!({"held": next.map(|held| hex::encode(held.encode()))}))
}

fn input(held: &[u8], link: &str, sealed: &[u8]) -> Value {
    json!({"held": hex::encode(held), "link": link, "sealed": hex::encode(sealed)})
}

fn updates(cases: &mut Cases, keys: &Keys, history: &History) {
    let link = text(keys);
    let (first, second, third) = (&history.first, &history.second, &history.third);
    let (other_second, other_third) = (&history.other_second, &history.other_third);
    let (fifth, last) = (&history.fifth, &history.last);
    for (id, held, sealed) in [
        ("same", first, first),
        ("next", first, second),
        ("one-missed", first, third),
        ("one-missed-of-the-other-history", first, other_third),
        ("numbers-left-out", third, fifth),
        ("numbers-left-out-end-a-fork", other_third, fifth),
        ("last", fifth, last),
        ("last-again", last, last),
    ] {
        let expected = update(&held.held, &link, &sealed.sealed);
        let put_in = input(&held.held.encode(), &link, &sealed.sealed);
        put(
            cases,
            &format!("update-{id}"),
            "update",
            "",
            put_in,
            expected,
        );
    }
    for (id, held, sealed, error) in [
        ("same-number", second, other_second, "Fork"),
        ("same-number-later", third, other_third, "Fork"),
        ("next-of-another", second, other_third, "Fork"),
        ("next-of-another-the-other-way", other_second, third, "Fork"),
        ("older", second, first, "Rollback"),
        ("much-older", last, first, "Rollback"),
        ("older-of-another", third, other_second, "Rollback"),
    ] {
        let expected = update(&held.held, &link, &sealed.sealed);
        let put_in = input(&held.held.encode(), &link, &sealed.sealed);
        refuse(
            cases,
            &format!("update-{id}"),
            "update",
            error,
            "",
            put_in,
            expected,
        );
    }
}

/// Other packs, other authors, other bytes, in an update and in what is published.
fn others(cases: &mut Cases, keys: &Keys, history: &History) {
    let elsewhere = Keys {
        secret: cases.array("elsewhere secret"),
        ..*keys
    };
    let mallory = Keys {
        seed: cases.array("mallory seed"),
        ..*keys
    };
    let held = history.second.held;
    for (id, keys, error) in [
        ("another-pack", &elsewhere, "OtherPack"),
        ("another-author", &mallory, "OtherKey"),
    ] {
        let Some(other) = published(cases, id, keys, "Owls", None, None) else {
            continue;
        };
        let link = text(keys);
        let expected = update(&held, &link, &other.sealed);
        let put_in = input(&held.encode(), &link, &other.sealed);
        refuse(
            cases,
            &format!("update-{id}"),
            "update",
            error,
            "",
            put_in,
            expected,
        );
        let content = first(cases, keys);
        let id = format!("publish-behind-{id}");
        let (put_in, expected) = publish(cases, &id, keys, &content, None, Some(held));
        refuse(cases, &id, "publish", error, "", put_in, expected);
    }
    let link = text(keys);
    let third = &history.third.sealed;
    let mut altered = third.clone();
    altered.reverse();
    let mut forged = mallory
        .text(&first(cases, keys).encode())
        .unwrap_or_default();
    for (to, from) in forged.iter_mut().skip(1).zip(keys.author_key()) {
        *to = from;
    }
    let forged = keys.seal(&cases.bytes("forged salt", 24), &forged);
    for (id, sealed, error) in [
        ("altered", &altered, "Integrity"),
        ("forged", &forged, "BadSignature"),
    ] {
        let expected = update(&held, &link, sealed);
        let put_in = input(&held.encode(), &link, sealed);
        refuse(
            cases,
            &format!("update-{id}"),
            "update",
            error,
            "",
            put_in,
            expected,
        );
    }
    let cut = held.encode().into_iter().take(104).collect::<Vec<u8>>();
    let other_form = [&[2], held.encode().get(1..).unwrap_or_default()].concat();
    let content = first(cases, keys);
    for (id, bytes, error) in [
        ("cut", &cut, "Malformed"),
        ("of-another-form", &other_form, "UnknownVersion"),
    ] {
        let expected = Held::decode(bytes).map(|_| Value::Null);
        let put_in = input(bytes, &link, third);
        let name = format!("update-held-{id}");
        refuse(cases, &name, "update", error, "", put_in, expected.clone());
        let name = format!("publish-held-{id}");
        let (put_in, _) = publish(cases, &name, keys, &content, None, Some(held));
        let put_in = with(&put_in, "held", hex::encode(bytes).into());
        refuse(cases, &name, "publish", error, "", put_in, expected);
    }
    for (id, version, held, error) in [
        ("first-of-0", Some(0), None, "Rollback"),
        ("first-of-2", Some(2), None, "Rollback"),
        ("same-number", Some(2), Some(held), "Rollback"),
        ("lower-number", Some(1), Some(held), "Rollback"),
        (
            "behind-the-last",
            None,
            Some(history.last.held),
            "Exhausted",
        ),
    ] {
        let id = format!("publish-{id}");
        let (put_in, expected) = publish(cases, &id, keys, &content, version, held);
        refuse(cases, &id, "publish", error, "", put_in, expected);
    }
}

/// The stored form of what is held.
fn stored(cases: &mut Cases, history: &History) {
    let read = |bytes: &[u8]| {
        Held::decode(bytes).map(|held| {
            json!({
                "pack_id": hex::encode(held.pack_id),
                "author_key": hex::encode(held.author_key),
                "version": held.version.to_string(),
                "hash": hex::encode(held.hash),
            })
        })
    };
    let bytes = history.second.held.encode();
    let last = history.last.held.encode();
    for (id, bytes) in [("held", &bytes), ("held-last", &last)] {
        let put_in = json!({"held": hex::encode(bytes)});
        put(cases, id, "read_held", "", put_in, read(bytes));
    }
    let longer = [&bytes[..], &[0]].concat();
    let cut = bytes.get(..104).unwrap_or_default().to_vec();
    let behind = bytes.get(1..).unwrap_or_default();
    let mut no_version = bytes.clone();
    no_version
        .iter_mut()
        .skip(65)
        .take(8)
        .for_each(|byte| *byte = 0);
    for (id, bytes, error) in [
        ("empty", vec![], "Malformed"),
        ("cut", cut, "Malformed"),
        ("longer", longer, "Malformed"),
        ("of-version-0", no_version, "Malformed"),
        ("form-0", [&[0], behind].concat(), "UnknownVersion"),
        ("form-2", [&[2], behind].concat(), "UnknownVersion"),
    ] {
        let put_in = json!({"held": hex::encode(&bytes)});
        let id = format!("held-{id}");
        refuse(cases, &id, "read_held", error, "", put_in, read(&bytes));
    }
}

//! What secrets give, and links (SPEC §21.1, §21.4).

use serde_json::{Value, json};

use super::people::{keys, put, refuse, text};
use crate::generate::Cases;
use crate::model::pack::{self, Keys};
use crate::op::Refusal;

pub fn cases(cases: &mut Cases) {
    let keys = keys(cases, "pack");
    derived(cases, "derive", "", &keys);
    let example = Keys {
        secret: core::array::from_fn(|place| place as u8),
        seed: core::array::from_fn(|place| place as u8 + 32),
    };
    derived(cases, "derive-example", "SPEC §21.9.", &example);
    in_specification(cases, &example);
    authors(cases, &keys);
    written(cases, &keys);
    read(cases, &keys);
}

fn stored(keys: &Keys) -> Vec<u8> {
    [&[1], &keys.secret[..], &keys.seed].concat()
}

fn derived(cases: &mut Cases, id: &str, comment: &str, keys: &Keys) {
    let expected = json!({
        "pack_id": hex::encode(keys.pack_id()),
        "manifest_key": hex::encode(pack::manifest_key(&keys.secret)),
        "author_key": hex::encode(keys.author_key()),
        "author_hash": hex::encode(keys.author_hash()),
        "author": hex::encode(stored(keys)),
    });
    let input = json!({"secret": hex::encode(keys.secret), "seed": hex::encode(keys.seed)});
    put(cases, id, "derive", comment, input, Ok(expected));
}

/// The worked example of §21.9 is what the model makes.
fn in_specification(cases: &mut Cases, keys: &Keys) {
    const SPEC: &str = include_str!("../../../../SPEC.md");
    let section = SPEC.split("### 21.9").nth(1).unwrap_or_default();
    let values = [
        ("pack_id", hex::encode(keys.pack_id())),
        (
            "manifest_key",
            hex::encode(pack::manifest_key(&keys.secret)),
        ),
        ("author_key", hex::encode(keys.author_key())),
        ("author_hash", hex::encode(keys.author_hash())),
        ("link", text(keys)),
    ];
    for (name, value) in values {
        if !section.contains(&format!("{name:<12} = {value}\n")) {
            cases.fault(format!("SPEC.md §21.9: {name} is {value}"));
        }
    }
    let input = json!({
        "secret": hex::encode(keys.secret),
        "seed": hex::encode(keys.seed),
        "address": "https://example.org/p",
    });
    let expected = json!({"link": text(keys)});
    put(
        cases,
        "link-example",
        "link",
        "SPEC §21.9.",
        input,
        Ok(expected),
    );
}

fn authors(cases: &mut Cases, keys: &Keys) {
    let bytes = stored(keys);
    let expected = json!({
        "pack_id": hex::encode(keys.pack_id()),
        "author_key": hex::encode(keys.author_key()),
        "author": hex::encode(&bytes),
    });
    let input = |bytes: &[u8]| json!({"author": hex::encode(bytes)});
    put(
        cases,
        "author",
        "read_author",
        "",
        input(&bytes),
        Ok(expected),
    );
    let cut = bytes.get(..64).unwrap_or_default();
    let longer = [&bytes[..], &[0]].concat();
    let tail = bytes.get(1..).unwrap_or_default();
    for (id, bytes, error) in [
        ("empty", &[][..], "Malformed"),
        ("cut", cut, "Malformed"),
        ("longer", &longer, "Malformed"),
        ("version-0", &[&[0], tail].concat(), "UnknownVersion"),
        ("version-2", &[&[2], tail].concat(), "UnknownVersion"),
    ] {
        let id = format!("author-{id}");
        cases.refuse(&id, "read_author", error, "", input(bytes));
    }
}

fn written(cases: &mut Cases, keys: &Keys) {
    for (id, address) in [
        ("link", "https://example.org/p"),
        ("link-without-address", ""),
        ("link-behind-a-query", "https://example.org/?p=1&q=#"),
        ("link-of-any-text", "pack: ☂"),
    ] {
        let input = json!({
            "secret": hex::encode(keys.secret),
            "seed": hex::encode(keys.seed),
            "address": address,
        });
        let link = pack::link(address, &keys.secret, &keys.author_hash());
        let expected = link.map(|link| json!({"link": link}));
        if address.contains('#') {
            refuse(cases, id, "link", "Malformed", "", input, expected);
        } else {
            put(cases, id, "link", "", input, expected);
        }
    }
}

fn parts(link: &str) -> Result<Value, Refusal> {
    let (address, secret, author) = pack::parse_link(link)?;
    Ok(json!({
        "address": address,
        "secret": hex::encode(secret),
        "author_hash": hex::encode(author),
        "pack_id": hex::encode(pack::pack_id(&secret)),
    }))
}

fn read(cases: &mut Cases, keys: &Keys) {
    let link = text(keys);
    let address = link.split('#').next().unwrap_or_default().to_owned();
    let encoded = link.split("#v1.").nth(1).unwrap_or_default().to_owned();
    let front = |count: usize| encoded.get(..encoded.len() - count).unwrap_or_default();
    for (id, link) in [
        ("whole", link.clone()),
        ("without-address", format!("#v1.{encoded}")),
        ("any-address", format!("any text, \"so\"\n☂#v1.{encoded}")),
    ] {
        put(
            cases,
            &format!("read-link-{id}"),
            "read_link",
            "",
            json!({"link": link}),
            parts(&link),
        );
    }
    let zeros = "A".repeat(86);
    let ones = format!("{}w", "_".repeat(85));
    for (id, encoded) in [("all-zeros", zeros), ("all-ones", ones)] {
        let link = format!("#v1.{encoded}");
        put(
            cases,
            &format!("read-link-{id}"),
            "read_link",
            "",
            json!({"link": link}),
            parts(&link),
        );
    }
    let standard = encoded.replace('-', "+").replace('_', "/");
    let second = encoded.chars().nth(1).unwrap_or_default();
    let rest = encoded.get(2..).unwrap_or_default();
    let malformed = [
        ("empty", String::new()),
        ("without-fragment", address.clone()),
        ("empty-fragment", format!("{address}#")),
        ("without-version", format!("{address}#{encoded}")),
        ("without-number", format!("{address}#v.{encoded}")),
        ("version-0", format!("{address}#v0.{encoded}")),
        ("version-01", format!("{address}#v01.{encoded}")),
        ("version-with-sign", format!("{address}#v+1.{encoded}")),
        ("capital-version", format!("{address}#V1.{encoded}")),
        ("without-dot", format!("{address}#v1{encoded}")),
        ("nothing-encoded", format!("{address}#v1.")),
        ("a-character-less", format!("{address}#v1.{}", front(1))),
        ("two-characters-less", format!("{address}#v1.{}", front(2))),
        ("a-character-more", format!("{address}#v1.{encoded}A")),
        ("padded", format!("{address}#v1.{encoded}==")),
        ("bits-behind-the-end", format!("{address}#v1.{}_", front(1))),
        ("standard-alphabet", format!("{address}#v1.{standard}")),
        ("another-character", format!("{address}#v1.é{}", front(2))),
        ("space-behind", format!("{address}#v1.{encoded} ")),
        (
            "line-break-inside",
            format!("{address}#v1.{second}\n{rest}"),
        ),
        ("second-fragment", format!("{address}#top#v1.{encoded}")),
        ("parameter-behind", format!("{address}#v1.{encoded}&a=b")),
    ];
    for (id, link) in malformed {
        let id = format!("read-link-{id}");
        refuse(
            cases,
            &id,
            "read_link",
            "Malformed",
            "",
            json!({"link": link}),
            parts(&link),
        );
    }
    for (id, link) in [
        ("version-2", format!("{address}#v2.{encoded}")),
        ("version-10", format!("{address}#v10.{encoded}")),
        ("version-2-of-another-form", format!("{address}#v2.")),
        (
            "version-beyond-64-bits",
            format!("{address}#v18446744073709551617.{encoded}"),
        ),
    ] {
        let id = format!("read-link-{id}");
        refuse(
            cases,
            &id,
            "read_link",
            "UnknownVersion",
            "",
            json!({"link": link}),
            parts(&link),
        );
    }
}

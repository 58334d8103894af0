//! The packs of the cases, and the model's answers as vectors have them.

use serde_json::{Map, Value, json};

use crate::generate::{Answer, Cases};
use crate::model;
use crate::model::pack::{Content, Held, Keys, Opened, Sticker, link};
use crate::op::Refusal;

/// The secrets of a pack.
pub fn keys(cases: &Cases, name: &str) -> Keys {
    Keys {
        secret: cases.array(&format!("{name} secret")),
        seed: cases.array(&format!("{name} seed")),
    }
}

/// A sticker of its own.
pub fn sticker(cases: &Cases, name: &str, emoji: &[&str]) -> Sticker {
    Sticker {
        emoji: emoji
            .iter()
            .map(|emoji| emoji.as_bytes().to_vec())
            .collect(),
        id: cases.array(&format!("{name} id")),
        key: cases.array(&format!("{name} key")),
        length: 23_456,
        media_type: b"image/webp".to_vec(),
    }
}

/// The first version of a pack.
pub fn first(cases: &Cases, keys: &Keys) -> Content {
    Content {
        pack_id: keys.pack_id(),
        version: 1,
        previous: [0; 32],
        title: b"Owls".to_vec(),
        name: b"Bob".to_vec(),
        stickers: vec![
            sticker(cases, "one", &["🦉"]),
            sticker(cases, "two", &["🦉", "👩🏻‍❤️‍💋‍👩🏿"]),
        ],
    }
}

/// The link of a pack; never refused for this address.
pub fn text(keys: &Keys) -> String {
    link("https://example.org/p", &keys.secret, &keys.author_hash()).unwrap_or_default()
}

/// The manifest with this content, whatever it is.
pub fn sealed(cases: &Cases, name: &str, keys: &Keys, content: &[u8]) -> Vec<u8> {
    let text = keys.text(content).unwrap_or_default();
    keys.seal(&cases.bytes(&format!("{name} salt"), 24), &text)
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shown(sticker: &Sticker) -> Value {
    let emoji: Vec<String> = sticker.emoji.iter().map(|emoji| utf8(emoji)).collect();
    json!({
        "emoji": emoji,
        "id": hex::encode(sticker.id),
        "key": hex::encode(sticker.key),
        "length": sticker.length.to_string(),
        "media_type": utf8(&sticker.media_type),
    })
}

/// Puts a case: the library's output, or its error, is the model's.
pub fn put(
    cases: &mut Cases,
    id: &str,
    op: &str,
    comment: &str,
    input: Value,
    expected: Result<Value, Refusal>,
) -> Answer {
    match expected {
        Ok(expected) => {
            let answer = cases.accept(id, op, comment, input);
            let out = answer.out.clone();
            cases.same(id, Value::Object(out), expected);
            answer
        }
        Err(Refusal::Error(error)) => {
            cases.refuse(id, op, &error, comment, input);
            Answer::default()
        }
        Err(Refusal::Invalid(why)) => {
            cases.fault(format!("{id}: {why}"));
            Answer::default()
        }
    }
}

/// As [`put`], with an error that the rule is about.
pub fn refuse(
    cases: &mut Cases,
    id: &str,
    op: &str,
    error: &str,
    comment: &str,
    input: Value,
    expected: Result<Value, Refusal>,
) {
    cases.same(id, expected.clone().err(), Some(model::error(error)));
    put(cases, id, op, comment, input, expected);
}

/// What `pack.open` takes.
pub fn opening(link: &str, sealed: &[u8]) -> Value {
    json!({"link": link, "sealed": hex::encode(sealed)})
}

/// What the model opens.
pub fn opened(link: &str, sealed: &[u8]) -> Result<Opened, Refusal> {
    let (_, secret, author) = model::pack::parse_link(link)?;
    model::pack::open(&secret, &author, sealed)
}

/// The same as the output of `pack.open`.
pub fn open_output(link: &str, sealed: &[u8]) -> Result<Value, Refusal> {
    let opened = opened(link, sealed)?;
    let content = &opened.content;
    let stickers: Vec<Value> = content.stickers.iter().map(shown).collect();
    Ok(json!({
        "author_key": hex::encode(opened.author_key),
        "version": content.version.to_string(),
        "previous": hex::encode(content.previous),
        "hash": hex::encode(opened.hash),
        "title": utf8(&content.title),
        "name": utf8(&content.name),
        "stickers": stickers,
        "held": hex::encode(Held::of(&opened).encode()),
    }))
}

/// What `pack.publish` takes and gives.
pub fn publish(
    cases: &mut Cases,
    id: &str,
    keys: &Keys,
    content: &Content,
    version: Option<u64>,
    held: Option<Held>,
) -> (Value, Result<Value, Refusal>) {
    let salt = cases.bytes(&format!("{id} salt"), 24);
    let stickers: Vec<Value> = content.stickers.iter().map(shown).collect();
    let input = json!({
        "secret": hex::encode(keys.secret),
        "seed": hex::encode(keys.seed),
        "version": version.map(|version| version.to_string()),
        "held": held.map(|held| hex::encode(held.encode())),
        "title": utf8(&content.title),
        "name": utf8(&content.name),
        "stickers": stickers,
        "salt": hex::encode(&salt),
    });
    let published = model::pack::publish(keys, content, version, held, &salt);
    let output = published.map(
        |(sealed, held)| json!({"sealed": hex::encode(sealed), "held": hex::encode(held.encode())}),
    );
    (input, output)
}

/// `input` with another value of a field.
pub fn with(input: &Value, field: &str, value: Value) -> Value {
    let mut fields: Map<String, Value> = input.as_object().cloned().unwrap_or_default();
    fields.insert(field.to_owned(), value);
    Value::Object(fields)
}

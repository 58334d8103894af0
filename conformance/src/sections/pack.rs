//! SPEC §21: sticker packs.

use serde_json::{Value, json};
use subrosa::crypto::Secret;
use subrosa::file::pack::{Author, Contents, Held, Link, Manifest, Sticker, Update};
use subrosa::file::{Blob, BlobId, FileKey, MediaType};
use subrosa::hazmat::{self, Given};

use super::Section;
use crate::op::{Field, Input, Kind, Op, Output, Refusal, field, refused};

mod links;
mod manifests;
mod people;
mod versions;

pub(super) const SECTION: Section = Section {
    name: "pack",
    spec: "SPEC.md §21",
    description: "Sticker packs: what a pack secret gives; manifests that an author publishes, and manifests that are \
                  altered, cut, forged or against a rule; links; one version after another, forks and older ones.",
    ops: &[OPS],
    cases: |cases| {
        links::cases(cases);
        manifests::cases(cases);
        versions::cases(cases);
    },
};

const B32: Kind = Kind::HexOf(32);

const STICKER: Kind = Kind::Object(&[
    field("emoji", Kind::Texts),
    field("id", B32),
    field("key", B32),
    field("length", Kind::Decimal),
    field("media_type", Kind::Text),
]);

const SECRETS: [Field; 2] = [field("secret", B32), field("seed", B32)];

const OPS: &[Op] = &[
    Op {
        name: "pack.derive",
        summary: "What a pack secret and the seed of an author give.",
        input: &SECRETS,
        output: &[
            field("pack_id", B32),
            field("manifest_key", B32),
            field("author_key", B32),
            field("author_hash", B32),
            field("author", Kind::HexOf(65)),
        ],
        trace: &[],
        errors: &[],
        run: derive,
    },
    Op {
        name: "pack.read_author",
        summary: "What an author keeps, read, and written again.",
        input: &[field("author", Kind::Hex)],
        output: &[
            field("pack_id", B32),
            field("author_key", B32),
            field("author", Kind::HexOf(65)),
        ],
        trace: &[],
        errors: &["Malformed", "UnknownVersion"],
        run: read_author,
    },
    Op {
        name: "pack.link",
        summary: "The link of a pack behind an address.",
        input: &[
            field("secret", B32),
            field("seed", B32),
            field("address", Kind::Text),
        ],
        output: &[field("link", Kind::Text)],
        trace: &[],
        errors: &["Malformed"],
        run: |input| {
            let link = author(input)?.link();
            let text = link.to_text(input.text("address")?).map_err(refused)?;
            Ok(Output::new().value("link", text.as_str()))
        },
    },
    Op {
        name: "pack.read_link",
        summary: "A link, taken apart.",
        input: &[field("link", Kind::Text)],
        output: &[
            field("address", Kind::Text),
            field("secret", B32),
            field("author_hash", B32),
            field("pack_id", B32),
        ],
        trace: &[],
        errors: &["Malformed", "UnknownVersion"],
        run: read_link,
    },
    Op {
        name: "pack.publish",
        summary: "A version of a pack, the next one where `version` is null, behind what is held of the one before; the salt \
                  is given.",
        input: &[
            field("secret", B32),
            field("seed", B32),
            field("version", Kind::Nullable(&Kind::Decimal)),
            field("held", Kind::Nullable(&Kind::Hex)),
            field("title", Kind::Text),
            field("name", Kind::Text),
            field("stickers", Kind::List(&STICKER)),
            field("salt", Kind::HexOf(24)),
        ],
        output: &[field("sealed", Kind::Hex), field("held", Kind::HexOf(105))],
        trace: &[field("text", Kind::Hex)],
        errors: &[
            "Malformed",
            "UnknownVersion",
            "TooLong",
            "KeyInUse",
            "OtherPack",
            "OtherKey",
            "Rollback",
            "Exhausted",
        ],
        run: publish,
    },
    Op {
        name: "pack.open",
        summary: "A manifest, opened by a link, with all that is in it.",
        input: &[field("link", Kind::Text), field("sealed", Kind::Hex)],
        output: &[
            field("author_key", B32),
            field("version", Kind::Decimal),
            field("previous", B32),
            field("hash", B32),
            field("title", Kind::Text),
            field("name", Kind::Text),
            field("stickers", Kind::List(&STICKER)),
            field("held", Kind::HexOf(105)),
        ],
        trace: &[],
        errors: &[
            "Malformed",
            "Integrity",
            "UnknownVersion",
            "OtherKey",
            "BadSignature",
            "OtherPack",
        ],
        run: open,
    },
    Op {
        name: "pack.update",
        summary: "What is held from now on, where a manifest was opened by a link and another version is held: null if it \
                  is the same one.",
        input: &[
            field("held", Kind::Hex),
            field("link", Kind::Text),
            field("sealed", Kind::Hex),
        ],
        output: &[field("held", Kind::Nullable(&Kind::HexOf(105)))],
        trace: &[],
        errors: &[
            "Malformed",
            "UnknownVersion",
            "Integrity",
            "BadSignature",
            "OtherPack",
            "OtherKey",
            "Rollback",
            "Fork",
        ],
        run: update,
    },
    Op {
        name: "pack.read_held",
        summary: "What is held of a version, read.",
        input: &[field("held", Kind::Hex)],
        output: &[
            field("pack_id", B32),
            field("author_key", B32),
            field("version", Kind::Decimal),
            field("hash", B32),
        ],
        trace: &[],
        errors: &["Malformed", "UnknownVersion"],
        run: read_held,
    },
];

fn author(input: &Input<'_>) -> Result<Author, Refusal> {
    let [secret, seed]: [[u8; 32]; 2] = [input.array("secret")?, input.array("seed")?];
    Author::decode(&[&[1], &secret[..], &seed].concat()).map_err(refused)
}

fn derive(input: &Input<'_>) -> Result<Output, Refusal> {
    let author = author(input)?;
    let [_, author_hash, manifest_key] = hazmat::pack::secrets(&author.link());
    Ok(Output::new()
        .hex("pack_id", author.pack_id().as_bytes())
        .hex("manifest_key", manifest_key)
        .hex("author_key", author.author_key().as_bytes())
        .hex("author_hash", author_hash)
        .hex("author", author.encode().expose()))
}

fn read_author(input: &Input<'_>) -> Result<Output, Refusal> {
    let author = Author::decode(&input.bytes("author")?).map_err(refused)?;
    Ok(Output::new()
        .hex("pack_id", author.pack_id().as_bytes())
        .hex("author_key", author.author_key().as_bytes())
        .hex("author", author.encode().expose()))
}

fn read_link(input: &Input<'_>) -> Result<Output, Refusal> {
    let (address, link) = Link::parse(input.text("link")?).map_err(refused)?;
    let [secret, author_hash, _] = hazmat::pack::secrets(&link);
    Ok(Output::new()
        .value("address", address)
        .hex("secret", secret)
        .hex("author_hash", author_hash)
        .hex("pack_id", link.pack_id().as_bytes()))
}

fn sticker(input: &Input<'_>) -> Result<Sticker, Refusal> {
    let emoji = input.texts("emoji")?;
    let media_type = MediaType::new(input.text("media_type")?).map_err(refused)?;
    let blob = Blob::new(
        BlobId::from_bytes(input.array("id")?),
        FileKey::from_bytes(Secret::new(input.array("key")?)),
        input.integer("length")?,
        media_type,
    );
    Sticker::new(&emoji, blob.map_err(refused)?).map_err(refused)
}

fn publish(input: &Input<'_>) -> Result<Output, Refusal> {
    let author = author(input)?;
    let held = input.nullable("held", |input, name| input.bytes(name))?;
    let held = held.map(|bytes| Held::decode(&bytes)).transpose();
    let held = held.map_err(refused)?;
    let stickers = input.objects("stickers")?;
    let stickers: Result<Vec<Sticker>, Refusal> = stickers.iter().map(sticker).collect();
    let contents = Contents::new(input.text("title")?, input.text("name")?, stickers?);
    let contents = contents.map_err(refused)?;
    let version = input.nullable("version", |input, name| input.integer(name))?;
    let given = &mut Given::new([input.bytes("salt")?]);
    let published = match version {
        None => hazmat::pack::publish_next(&author, &contents, held.as_ref(), given),
        Some(version) => hazmat::pack::publish(&author, version, &contents, held.as_ref(), given),
    };
    let (sealed, held) = published.map_err(refused)?;
    let text = hazmat::pack::text(&author.link(), &sealed).map_err(refused)?;
    Ok(Output::new()
        .hex("sealed", sealed)
        .hex("held", held.encode())
        .trace_hex("text", text))
}

/// The manifest that a link opens.
fn manifest(input: &Input<'_>) -> Result<Manifest, Refusal> {
    let (_, link) = Link::parse(input.text("link")?).map_err(refused)?;
    link.open(&input.bytes("sealed")?).map_err(refused)
}

fn shown(sticker: &Sticker) -> Result<Value, Refusal> {
    let (emoji, blob) = (sticker.emoji().collect::<Vec<_>>(), sticker.blob());
    let fetch = blob.admit(|_| true).map_err(refused)?;
    Ok(json!({
        "emoji": emoji,
        "id": hex::encode(fetch.id().as_bytes()),
        "key": hex::encode(fetch.key().expose()),
        "length": blob.text_len().to_string(),
        "media_type": blob.media_type().as_str(),
    }))
}

fn open(input: &Input<'_>) -> Result<Output, Refusal> {
    let manifest = manifest(input)?;
    let contents = manifest.contents();
    let stickers = contents.stickers().iter().map(shown);
    let stickers: Vec<Value> = stickers.collect::<Result<_, _>>()?;
    Ok(Output::new()
        .hex("author_key", manifest.author_key().as_bytes())
        .value("version", manifest.version().to_string())
        .hex("previous", manifest.previous())
        .hex("hash", manifest.hash())
        .value("title", contents.title())
        .value("name", contents.name())
        .value("stickers", stickers)
        .hex("held", Held::new(&manifest).encode()))
}

fn update(input: &Input<'_>) -> Result<Output, Refusal> {
    let held = Held::decode(&input.bytes("held")?).map_err(refused)?;
    let held = match held.update(&manifest(input)?).map_err(refused)? {
        Update::Unchanged => Value::Null,
        Update::Newer(held) => hex::encode(held.encode()).into(),
    };
    Ok(Output::new().value("held", held))
}

fn read_held(input: &Input<'_>) -> Result<Output, Refusal> {
    let held = Held::decode(&input.bytes("held")?).map_err(refused)?;
    Ok(Output::new()
        .hex("pack_id", held.pack_id().as_bytes())
        .hex("author_key", held.author_key().as_bytes())
        .value("version", held.version().to_string())
        .hex("hash", held.hash()))
}

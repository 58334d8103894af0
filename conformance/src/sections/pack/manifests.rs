//! Manifests that are opened, or not (SPEC §21.2, §21.3).

use super::people::{
    first, keys, open_output, opening, publish, put, refuse, sealed, sticker, text,
};
use crate::generate::Cases;
use crate::model::pack::{Content, Keys, Sticker, padded};

pub fn cases(cases: &mut Cases) {
    let keys = keys(cases, "pack");
    good(cases, &keys);
    not_made(cases, &keys);
    sealed_wrongly(cases, &keys);
    wrong_texts(cases, &keys);
    wrong_contents(cases, &keys);
}

/// Packs as they may be, published and opened.
fn good(cases: &mut Cases, keys: &Keys) {
    let one = first(cases, keys);
    let named = |title: &str, name: &str| Content {
        title: title.into(),
        name: name.into(),
        stickers: vec![],
        ..one.clone()
    };
    let mut largest = sticker(cases, "largest", &["x"; 20]);
    largest.emoji = vec![vec![b'x'; 63]; 20];
    largest.length = 1 << 19;
    largest.media_type = [&[b'a'; 63][..], b"/", &[b'b'; 63]].concat();
    let mut empty = sticker(cases, "empty", &["\u{0}"]);
    (empty.length, empty.media_type) = (0, b"a/b".to_vec());
    let many = (0..120).map(|number| sticker(cases, &format!("many {number}"), &["🦉"]));
    let many = Content {
        stickers: many.collect(),
        ..one.clone()
    };
    let contents = [
        ("two-stickers", "", one.clone()),
        ("no-sticker", "", named("Owls", "")),
        (
            "longest-names",
            "",
            named(&"t".repeat(256), &"n".repeat(256)),
        ),
        (
            "padded-to-the-byte",
            "The text has 192 bytes without padding.",
            named(&"t".repeat(18), "nam"),
        ),
        (
            "extreme-stickers",
            "As much of everything as a sticker has, and as little.",
            Content {
                stickers: vec![largest, empty],
                ..one.clone()
            },
        ),
        ("most-stickers", "More than one chunk of the file.", many),
    ];
    for (name, comment, content) in contents {
        let id = format!("publish-{name}");
        let (input, expected) = publish(cases, &id, keys, &content, None, None);
        let answer = put(cases, &id, "publish", comment, input, expected);
        let sealed = answer.bytes("sealed");
        let link = text(keys);
        let input = opening(&link, &sealed);
        let expected = open_output(&link, &sealed);
        put(
            cases,
            &format!("open-{name}"),
            "open",
            comment,
            input,
            expected,
        );
    }
}

/// Changes the last sticker.
fn last(content: &mut Content, change: impl FnOnce(&mut Sticker)) {
    if let Some(sticker) = content.stickers.last_mut() {
        change(sticker);
    }
}

/// Gives the last sticker the key of the first one.
fn repeat_a_key(content: &mut Content) {
    let key = content.stickers.first().map(|sticker| sticker.key);
    last(content, |sticker| sticker.key = key.unwrap_or_default());
}

/// What no author can publish.
fn not_made(cases: &mut Cases, keys: &Keys) {
    let one = first(cases, keys);
    let change = |change: &dyn Fn(&mut Content)| {
        let mut content = one.clone();
        change(&mut content);
        content
    };
    let one_more = (0..121).map(|number| sticker(cases, &format!("many {number}"), &["🦉"]));
    let one_more: Vec<_> = one_more.collect();
    let contents = [
        (
            "without-title",
            "Malformed",
            change(&|content| content.title.clear()),
        ),
        (
            "title-too-long",
            "TooLong",
            change(&|content| content.title = vec![b't'; 257]),
        ),
        (
            "name-too-long",
            "TooLong",
            change(&|content| content.name = vec![b'n'; 257]),
        ),
        (
            "too-many-stickers",
            "TooLong",
            change(&|content| content.stickers.clone_from(&one_more)),
        ),
        (
            "without-emoji",
            "Malformed",
            change(&|content| last(content, |sticker| sticker.emoji.clear())),
        ),
        (
            "empty-emoji",
            "Malformed",
            change(&|content| last(content, |sticker| sticker.emoji.push(vec![]))),
        ),
        (
            "too-many-emoji",
            "TooLong",
            change(&|content| last(content, |sticker| sticker.emoji = vec![vec![b'x']; 21])),
        ),
        (
            "emoji-too-long",
            "TooLong",
            change(&|content| last(content, |sticker| sticker.emoji.push(vec![b'x'; 64]))),
        ),
        (
            "sticker-too-long",
            "TooLong",
            change(&|content| last(content, |sticker| sticker.length = (1 << 19) + 1)),
        ),
        ("a-key-twice", "KeyInUse", change(&repeat_a_key)),
    ];
    for (name, error, content) in contents {
        let id = format!("publish-{name}");
        let (input, expected) = publish(cases, &id, keys, &content, None, None);
        refuse(cases, &id, "publish", error, "", input, expected);
    }
}

/// Puts a manifest that is refused.
fn refused(cases: &mut Cases, name: &str, error: &str, comment: &str, keys: &Keys, sealed: &[u8]) {
    let link = text(keys);
    let expected = open_output(&link, sealed);
    let id = format!("open-{name}");
    let input = opening(&link, sealed);
    refuse(cases, &id, "open", error, comment, input, expected);
}

/// Files that are altered, or sealed for something else (§21.3-R1, R2).
fn sealed_wrongly(cases: &mut Cases, keys: &Keys) {
    let content = first(cases, keys).encode();
    let whole = sealed(cases, "whole", keys, &content);
    let altered = |place: usize| {
        let mut file = whole.clone();
        if let Some(byte) = file.get_mut(place) {
            *byte ^= 1;
        }
        file
    };
    let cut = |length: usize| whole.get(..length).unwrap_or_default().to_vec();
    let text = keys.text(&content).unwrap_or_default();
    let another = super::people::keys(cases, "another");
    let context = |name: &str, keys: &Keys| {
        let label = crate::model::formula::label(name);
        [&label[..], &keys.pack_id()].concat()
    };
    let salt = cases.bytes("wrong salt", 24);
    let own_key = crate::model::pack::manifest_key(&keys.secret);
    let as_file = |context: &[u8]| crate::model::file::seal(&own_key, context, &salt, &text);
    for (name, file) in [
        ("nothing", vec![]),
        ("half-a-header", cut(40)),
        ("cut", cut(whole.len() - 1)),
        ("longer", [&whole[..], &[0]].concat()),
        ("altered-salt", altered(0)),
        ("altered-commitment", altered(30)),
        ("altered-text", altered(100)),
        ("altered-tag", altered(whole.len() - 1)),
        ("of-another-pack", another.seal(&salt, &text)),
        ("without-context", as_file(&[])),
        (
            "context-of-another-pack",
            as_file(&context("pack file", &another)),
        ),
        ("another-context", as_file(&context("pack", keys))),
    ] {
        refused(cases, name, "Integrity", "", keys, &file);
    }
}

/// Texts that are sealed rightly (§21.3-R3 to R6).
fn wrong_texts(cases: &mut Cases, keys: &Keys) {
    let content = first(cases, keys).encode();
    let good = keys.text(&content).unwrap_or_default();
    let altered = |place: usize, mask: u8| {
        let mut text = good.clone();
        if let Some(byte) = text.get_mut(place) {
            *byte ^= mask;
        }
        text
    };
    let used = 1 + 32 + 64 + crate::model::formula::vector(&content).len();
    let unpadded = good.get(..used).unwrap_or_default();
    let resized = |length: usize| {
        let mut text = unpadded.to_vec();
        text.resize(length, 0);
        text
    };
    let long_form = {
        // The same length of the content, in four bytes.
        let length = (content.len() as u32 | 0x8000_0000).to_be_bytes();
        let head = unpadded.get(..97).unwrap_or_default();
        padded([head, &length, &content].concat())
    };
    let mallory = Keys {
        seed: cases.array("mallory seed"),
        ..*keys
    };
    let mut forged = mallory.text(&content).unwrap_or_default();
    let by_mallory = forged.clone();
    for (to, from) in forged.iter_mut().skip(1).zip(keys.author_key()) {
        *to = from;
    }
    let texts = [
        ("empty-text", "Malformed", vec![]),
        ("format-0", "UnknownVersion", altered(0, 1)),
        ("format-2", "UnknownVersion", altered(0, 3)),
        ("format-2-and-no-more", "UnknownVersion", vec![2]),
        ("only-a-format", "Malformed", vec![1]),
        (
            "without-content",
            "Malformed",
            good.get(..97).unwrap_or_default().to_vec(),
        ),
        ("without-padding", "Malformed", unpadded.to_vec()),
        ("padding-cut", "Malformed", resized(good.len() - 1)),
        ("padding-longer", "Malformed", resized(good.len() + 1)),
        ("padding-of-the-next-class", "Malformed", resized(1024)),
        ("padding-not-zero", "Malformed", altered(good.len() - 1, 1)),
        ("length-not-shortest", "Malformed", long_form),
        ("another-author", "OtherKey", by_mallory),
        ("altered-author", "OtherKey", altered(5, 1)),
        ("another-signature", "BadSignature", forged),
        ("altered-signature", "BadSignature", altered(40, 1)),
        ("altered-content", "BadSignature", altered(used - 1, 1)),
        ("altered-pack-id", "BadSignature", altered(99, 1)),
    ];
    for (name, error, text) in texts {
        let salt = cases.bytes(&format!("text {name}"), 24);
        refused(cases, name, error, "", keys, &keys.seal(&salt, &text));
    }
    // The author's signature of something else, under another label.
    let mut elsewhere = good.clone();
    let label = crate::model::formula::label("devices");
    let other = [&label[..], &[1], &keys.author_key(), &content].concat();
    let signature = crate::model::formula::sign(&keys.seed, &[&other]).unwrap_or([0; 64]);
    for (to, from) in elsewhere.iter_mut().skip(33).zip(signature) {
        *to = from;
    }
    let salt = cases.bytes("text another label", 24);
    let file = keys.seal(&salt, &elsewhere);
    refused(
        cases,
        "signed-with-another-label",
        "BadSignature",
        "",
        keys,
        &file,
    );
    let longest = vec![0; 1];
    let file = keys.seal(&salt, &longest);
    refused(cases, "one-zero", "UnknownVersion", "", keys, &file);
}

/// Contents that the author has signed (§21.3-R7 to R9).
fn wrong_contents(cases: &mut Cases, keys: &Keys) {
    let one = first(cases, keys);
    let good = one.encode();
    let change = |change: &dyn Fn(&mut Content)| {
        let mut content = one.clone();
        change(&mut content);
        content.encode()
    };
    let other = super::people::keys(cases, "another").pack_id();
    let id = "content another-pack-id";
    let content = change(&|content| content.pack_id = other);
    let file = sealed(cases, id, keys, &content);
    refused(cases, "another-pack-id", "OtherPack", "", keys, &file);
    let cut = |length: usize| good.get(..length).unwrap_or_default().to_vec();
    let one_more: Vec<_> = (0..121)
        .map(|number| sticker(cases, &format!("many {number}"), &["🦉"]))
        .collect();
    // Behind a title of 4 bytes and a name of 3: the number of stickers.
    let mut counted = good.clone();
    if let Some(count) = counted.get_mut(72 + 5 + 4) {
        *count += 1;
    }
    let put_in = |place: usize, bytes: &[u8]| {
        let (front, rest) = good.split_at_checked(place).unwrap_or_default();
        [front, bytes, rest.get(1..).unwrap_or_default()].concat()
    };
    let contents = [
        ("no-content", vec![]),
        ("half-a-pack-id", cut(16)),
        ("content-cut", cut(good.len() - 1)),
        ("content-without-stickers", cut(80)),
        ("content-longer", [&good[..], &[0]].concat()),
        ("version-0", change(&|content| content.version = 0)),
        (
            "version-1-behind-another",
            change(&|content| content.previous = [1; 32]),
        ),
        (
            "version-2-behind-none",
            change(&|content| content.version = 2),
        ),
        ("no-title", change(&|content| content.title.clear())),
        (
            "title-too-long",
            change(&|content| content.title = vec![b't'; 257]),
        ),
        (
            "title-not-utf8",
            change(&|content| content.title = vec![0xc0, 0x80]),
        ),
        ("title-length-not-shortest", put_in(72, &[0x40, 4])),
        (
            "name-too-long",
            change(&|content| content.name = vec![b'n'; 257]),
        ),
        (
            "name-not-utf8",
            change(&|content| content.name = vec![0xed, 0xa0, 0x80]),
        ),
        (
            "too-many-stickers",
            change(&|content| content.stickers.clone_from(&one_more)),
        ),
        ("fewer-stickers-than-counted", counted),
        (
            "no-emoji",
            change(&|content| last(content, |sticker| sticker.emoji.clear())),
        ),
        (
            "empty-emoji",
            change(&|content| last(content, |sticker| sticker.emoji.push(vec![]))),
        ),
        (
            "too-many-emoji",
            change(&|content| last(content, |sticker| sticker.emoji = vec![vec![b'x']; 21])),
        ),
        (
            "emoji-too-long",
            change(&|content| last(content, |sticker| sticker.emoji.push(vec![b'x'; 64]))),
        ),
        (
            "emoji-not-utf8",
            change(&|content| {
                last(content, |sticker| {
                    sticker.emoji.push(vec![0xf0, 0x9f, 0xa6])
                })
            }),
        ),
        (
            "sticker-too-long",
            change(&|content| last(content, |sticker| sticker.length = (1 << 19) + 1)),
        ),
        (
            "sticker-of-any-length",
            change(&|content| last(content, |sticker| sticker.length = u64::MAX)),
        ),
        (
            "no-media-type",
            change(&|content| last(content, |sticker| sticker.media_type.clear())),
        ),
        (
            "media-type-of-one-part",
            change(&|content| last(content, |sticker| sticker.media_type = b"webp".to_vec())),
        ),
        (
            "media-type-in-capitals",
            change(&|content| {
                last(content, |sticker| {
                    sticker.media_type = b"image/WebP".to_vec()
                })
            }),
        ),
        (
            "media-type-with-parameter",
            change(&|content| {
                last(content, |sticker| {
                    sticker.media_type = b"image/webp;q=1".to_vec()
                })
            }),
        ),
        (
            "media-type-too-long",
            change(&|content| {
                last(content, |sticker| {
                    sticker.media_type = [&[b'a'; 64][..], b"/b"].concat()
                });
            }),
        ),
        ("a-key-twice", change(&repeat_a_key)),
    ];
    for (name, content) in contents {
        let file = sealed(cases, &format!("content {name}"), keys, &content);
        refused(
            cases,
            &format!("signed-{name}"),
            "Malformed",
            "",
            keys,
            &file,
        );
    }
}

//! Targets `link` and `manifest`: what anybody can be given as a link, and what a server, somebody with the link, or an
//! author can give out as a manifest. Each is judged as the rules of SPEC §21 say that stand in `common::packs` once more.

use subrosa::file::HEADER;
use subrosa::file::pack::limits::{CONTENT_MAX, PADDED_MAX};
use subrosa::file::pack::{Author, Error, Held, Link, Manifest, Update};

use super::common::SeededRng;
use super::common::packs::{self, Entry, Fields, Keys, padded};

const KEYS: Keys = Keys::new(1);

/// Any text, as a link and as what stands behind a good beginning.
pub fn link(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for text in [text.clone().into_owned(), format!("a#v1.{text}")] {
        let parsed = Link::parse(&text);
        let (address, secret, author) = match packs::link(&text) {
            Ok(parts) => parts,
            Err(error) => {
                assert_eq!(parsed.err(), Some(error));
                continue;
            }
        };
        let (found, link) = parsed.expect("the rules accept it");
        assert_eq!(found, address);
        assert_eq!(*link.to_text(address).unwrap(), text);
        let [its_secret, its_author, _] = subrosa::hazmat::pack::secrets(&link);
        assert_eq!((its_secret, its_author), (secret, author));
        let keys = Keys { secret, ..KEYS };
        assert_eq!(link.pack_id().as_bytes(), &keys.pack_id());
    }
    // As what an author keeps, and what is held of a version.
    if let Ok(author) = Author::decode(data) {
        assert_eq!(author.encode().expose(), data);
    }
    if let Ok(held) = Held::decode(data) {
        assert_eq!(held.encode(), data);
        assert!(held.version() > 0);
    }
}

/// By its first byte: a file; a text that somebody with the link seals; a content that the author signs, as it is or in
/// the place of the start of a good one.
pub fn manifest(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    match kind % 4 {
        0 => as_file(data),
        1 => drop(judge(&padded_or_not(data))),
        2 => signed(data),
        _ => {
            let good = Fields::first(&KEYS, 3).next(&KEYS).content();
            let rest = good.get(data.len()..).unwrap_or_default();
            signed(&[data, rest].concat());
        }
    }
}

/// A file of the server's: without the manifest key there is none but the one that the harness gave away. As it is, and
/// behind that one's header.
fn as_file(data: &[u8]) {
    let good = KEYS.sealed(&Fields::first(&KEYS, 1));
    for file in [data.to_vec(), [&good[..HEADER], data].concat()] {
        match KEYS.link().open(&file) {
            Ok(_) => assert_eq!(file, good),
            Err(error) => assert!(matches!(error, Error::Integrity | Error::Malformed)),
        }
    }
}

/// A text that begins with a 0 is padded behind it.
fn padded_or_not(data: &[u8]) -> Vec<u8> {
    match data.split_first() {
        Some((0, text)) => padded(text.to_vec()),
        _ => data.to_vec(),
    }
}

/// Whether the library accepts the text, and rightly.
fn judge(text: &[u8]) -> Option<(Manifest, Fields)> {
    if text.len() > PADDED_MAX {
        return None;
    }
    let opened = KEYS.link().open(&KEYS.seal(text));
    match packs::check(text, &KEYS) {
        Ok((fields, hash)) => {
            let manifest = opened.expect("the rules accept it");
            assert_eq!(Fields::of(&manifest), fields);
            assert_eq!(*manifest.hash(), hash);
            Some((manifest, fields))
        }
        Err(error) => {
            assert_eq!(opened.map(drop), Err(error));
            None
        }
    }
}

/// What the author signs, whatever it is; if it is a manifest, it is made anew, and another one follows.
fn signed(content: &[u8]) {
    if content.len() > CONTENT_MAX {
        return;
    }
    let text = KEYS.text(content);
    let Some((manifest, fields)) = judge(&text) else {
        return;
    };
    assert_eq!(fields.content(), content);
    let held = Held::new(&manifest);
    assert_eq!(Held::decode(&held.encode()), Ok(held.clone()));
    assert_eq!(held.update(&manifest), Ok(Update::Unchanged));
    histories(&held, &fields);
    let (author, rng) = (KEYS.author(), &mut SeededRng(3));
    let contents = manifest.into_contents();
    let published = author.publish(&contents, Some(&held), rng);
    if fields.version == u64::MAX {
        assert_eq!(published.map(drop), Err(Error::Exhausted));
        return;
    }
    let (sealed, newer) = published.expect("what was read can be written");
    let next = author.link().open(&sealed).expect("what was published");
    assert_eq!(Fields::of(&next), fields.next(&KEYS));
    assert_eq!(held.update(&next), Ok(Update::Newer(newer)));
}

/// Against a history of the author's own: what SPEC §21.5 says, both ways.
fn histories(held: &Held, fields: &Fields) {
    let first = Fields::first(&KEYS, 3);
    let second = first.next(&KEYS);
    let far = Fields {
        version: 1 << 40,
        ..second.next(&KEYS)
    };
    for other in [first, second, far] {
        let manifest = KEYS.link().open(&KEYS.sealed(&other)).expect("a good one");
        let expected = update(fields, &other);
        let found = held.update(&manifest);
        assert_eq!(found.map(|update| update != Update::Unchanged), expected);
    }
}

/// Whether `next` is newer than `known`, which is held.
fn update(known: &Fields, next: &Fields) -> Result<bool, Error> {
    let hash = |fields: &Fields| KEYS.hash(&fields.content());
    match next.version.checked_sub(known.version) {
        None => Err(Error::Rollback),
        Some(0) if hash(next) == hash(known) => Ok(false),
        Some(0) => Err(Error::Fork),
        Some(1) if next.previous != hash(known) => Err(Error::Fork),
        Some(_) => Ok(true),
    }
}

/// Links that are good, and one of each sort that is not; the stored forms.
pub fn link_seeds() -> Vec<Vec<u8>> {
    let link = KEYS.link().to_text("https://example.org/p").unwrap();
    let other = |from, to| link.replacen(from, to, 1).into_bytes();
    let held = Held::new(
        &KEYS
            .link()
            .open(&KEYS.sealed(&Fields::first(&KEYS, 1)))
            .unwrap(),
    );
    vec![
        link.as_bytes().to_vec(),
        link.split_once("v1.").unwrap().1.into(),
        other("v1.", "v2."),
        other("v1.", "v01."),
        other("#", "##"),
        other("#", ""),
        other("_", "/"),
        [link.as_bytes(), b"="].concat(),
        [&link.as_bytes()[..link.len() - 1], b"9"].concat(),
        KEYS.author().encode().expose().to_vec(),
        held.encode(),
    ]
}

/// Manifests in each form, good and not.
pub fn manifest_seeds() -> Vec<Vec<u8>> {
    let first = Fields::first(&KEYS, 2);
    let second = first.next(&KEYS);
    let mut full = first.clone();
    full.stickers[0].emoji = vec![vec![b'x'; 63]; 20];
    full.stickers[1].length = 1 << 19;
    let many = Fields::first(&KEYS, 120);
    let empty = Fields {
        name: vec![],
        ..Fields::first(&KEYS, 0)
    };
    let mut wrong = vec![first.clone(); 5];
    wrong[0].version = 0;
    wrong[1].pack_id = [0; 32];
    wrong[2].stickers.push(Entry::new(0));
    wrong[3].stickers[1].media_type = b"image".to_vec();
    wrong[4].stickers[1].length += 1 << 40;
    let last = Fields {
        version: u64::MAX,
        ..second.clone()
    };
    let contents = [first.clone(), second, full, many, empty, last];
    let contents: Vec<Fields> = contents.into_iter().chain(wrong).collect();
    let mut seeds: Vec<Vec<u8>> = contents
        .iter()
        .map(|fields| [&[2], &fields.content()[..]].concat())
        .collect();
    let text = KEYS.text(&first.content());
    let sealed = KEYS.sealed(&Fields::first(&KEYS, 1));
    seeds.push([&[0], &sealed[..]].concat());
    seeds.push([&[0], &sealed[HEADER..]].concat());
    seeds.push([&[1], &text[..]].concat());
    // The same, cut where the padding begins, to be padded again; and less of it.
    let padding = text.iter().rev().take_while(|byte| **byte == 0).count();
    let front = &text[..text.len() - padding];
    seeds.push([&[1, 0], front].concat());
    seeds.push([&[1, 0], &front[..front.len() - 1]].concat());
    // Padding that is not zero, and more of it than is needed.
    seeds.push([&[1], &text[..text.len() - 1], &[1]].concat());
    seeds.push([&[1], &text[..], &vec![0; text.len()]].concat());
    // The pack id, a version, and the hash of another history.
    let start = [&KEYS.pack_id()[..], &[0, 0, 0, 0, 0, 0, 0, 2], &[7; 32]].concat();
    seeds.push([&[3], &start[..]].concat());
    seeds.push(vec![3]);
    seeds
}

//! Sticker packs (SPEC §21): manifests that somebody signs who has every key, held against the rules written down a second
//! time; links; one version after the other.

mod common;

use common::SeededRng;
use common::attack::{ConstantRng, FailingRng, flip};
use common::packs::{self, Entry, Fields, Keys, padded, seal};
use proptest::prelude::*;
use subrosa::crypto::Secret;
use subrosa::file::pack::limits::{
    CONTENT_MAX, EMOJI_BYTES_MAX, EMOJI_MAX, NAME_MAX, PADDED_MAX, SEALED_MAX, STICKER_MAX,
    STICKERS_MAX, TEXT_MAX, TITLE_MAX,
};
use subrosa::file::pack::{AUTHOR, Author, Contents, Error, HELD, Held, Link, Sticker, Update};
use subrosa::file::{Descriptor, FileKey, HEADER, sealed_len};
use subrosa::padding::padded_length;

const KEYS: Keys = Keys::new(1);
const ADDRESS: &str = "https://example.org/pack";

/// What the library makes of these fields, which is what the rules make of them.
#[track_caller]
fn judged(fields: &Fields) -> Result<Held, Error> {
    let content = fields.content();
    let text = KEYS.text(&content);
    let opened = KEYS.link().open(&KEYS.seal(&text));
    let expected = packs::check(&text, &KEYS);
    match (opened, expected) {
        (Ok(manifest), Ok((expected, hash))) => {
            assert_eq!(Fields::of(&manifest), expected);
            assert_eq!(expected, *fields);
            assert_eq!(*manifest.hash(), hash);
            assert_eq!(manifest.author_key().as_bytes(), &KEYS.author_key());
            Ok(Held::new(&manifest))
        }
        (opened, expected) => {
            let error = opened.expect_err("the rules refuse it");
            assert_eq!(expected.err(), Some(error));
            Err(error)
        }
    }
}

#[test]
fn what_an_author_publishes_is_what_the_rules_make() {
    for stickers in [0, 1, 3, STICKERS_MAX as u8] {
        let first = Fields::first(&KEYS, stickers);
        let second = first.next(&KEYS);
        let author = KEYS.author();
        let rng = &mut SeededRng(1);
        let mut held = None;
        for fields in [first, second] {
            let (sealed, now) = author
                .publish(&fields.contents(), held.as_ref(), rng)
                .unwrap();
            let manifest = author.link().open(&sealed).unwrap();
            assert_eq!(Fields::of(&manifest), fields);
            assert_eq!(Held::new(&manifest), now);
            assert_eq!(judged(&fields), Ok(now.clone()));
            assert_eq!(sealed.len(), KEYS.sealed(&fields).len());
            held = Some(now);
        }
    }
}

#[test]
fn lengths_tell_no_more_than_their_class() {
    let sealed = |title: &str| {
        let contents = Contents::new(title, "", vec![]).unwrap();
        KEYS.author()
            .publish(&contents, None, &mut SeededRng(1))
            .unwrap()
            .0
    };
    let one = sealed("x").len();
    assert_eq!(sealed(&"x".repeat(18)).len(), one);
    assert_eq!(one as u64, sealed_len(192).unwrap());
    assert_eq!(
        sealed(&"x".repeat(100)).len() as u64,
        sealed_len(512).unwrap()
    );
}

/// A pack that has as much of everything as it may is accepted, and anything more is refused.
#[test]
fn limits_are_met_and_not_passed() {
    let mut most = Fields::first(&KEYS, 0);
    most.version = 1;
    most.title = vec![b't'; TITLE_MAX];
    most.name = vec![b'n'; NAME_MAX];
    let media_type = format!("{}/{}", "a".repeat(63), "b".repeat(63));
    most.stickers = (0..STICKERS_MAX as u8)
        .map(|number| Entry {
            emoji: vec![vec![b'e'; EMOJI_BYTES_MAX]; EMOJI_MAX],
            length: STICKER_MAX,
            media_type: media_type.clone().into(),
            ..Entry::new(number)
        })
        .collect();
    assert_eq!(most.content().len(), CONTENT_MAX);
    assert_eq!(1 + 32 + 64 + 4 + CONTENT_MAX, TEXT_MAX);
    assert_eq!(padded_length(TEXT_MAX), Some(PADDED_MAX));
    assert_eq!(sealed_len(PADDED_MAX as u64), Some(SEALED_MAX));
    assert!(judged(&most).is_ok());
    assert_eq!(KEYS.sealed(&most).len() as u64, SEALED_MAX);
    let (sealed, _) = KEYS
        .author()
        .publish(&most.contents(), None, &mut SeededRng(1))
        .unwrap();
    assert_eq!(sealed.len() as u64, SEALED_MAX);

    let more: [&dyn Fn(&mut Fields); 7] = [
        &|fields| fields.title.push(b't'),
        &|fields| fields.name.push(b'n'),
        &|fields| fields.stickers.push(Entry::new(250)),
        &|fields| fields.stickers[5].emoji.push(b"e".to_vec()),
        &|fields| fields.stickers[119].emoji[19].push(b'e'),
        &|fields| fields.stickers[0].length += 1,
        &|fields| fields.stickers[7].media_type.push(b'b'),
    ];
    for (number, change) in more.iter().enumerate() {
        let small = Fields {
            stickers: most.stickers[..8].to_vec(),
            ..most.clone()
        };
        // Those that do not need so many stickers, also where a manifest is far from its greatest length.
        let bases = if [2, 4].contains(&number) {
            vec![most.clone()]
        } else {
            vec![most.clone(), small]
        };
        for mut fields in bases {
            change(&mut fields);
            assert_eq!(judged(&fields), Err(Error::Malformed), "{number}");
        }
    }
}

#[test]
fn what_breaks_a_rule_is_neither_read_nor_made() {
    let base = Fields::first(&KEYS, 3);
    assert!(judged(&base).is_ok());
    let mut other = base.clone();
    other.pack_id = Keys::new(2).pack_id();
    assert_eq!(judged(&other), Err(Error::OtherPack));
    let wrong: [&dyn Fn(&mut Fields); 12] = [
        &|fields| fields.version = 0,
        &|fields| fields.version = 2,
        &|fields| fields.previous = [1; 32],
        &|fields| fields.title.clear(),
        &|fields| fields.title = vec![0xff],
        &|fields| fields.name = vec![0xc3],
        &|fields| fields.stickers[1].emoji.clear(),
        &|fields| fields.stickers[1].emoji[0].clear(),
        &|fields| fields.stickers[1].emoji[0] = vec![0xf0, 0x9f],
        &|fields| fields.stickers[2].media_type = b"image".to_vec(),
        &|fields| fields.stickers[2].length = u64::MAX,
        &|fields| fields.stickers[2].key = fields.stickers[0].key,
    ];
    for (number, change) in wrong.iter().enumerate() {
        let mut fields = base.clone();
        change(&mut fields);
        assert_eq!(judged(&fields), Err(Error::Malformed), "{number}");
    }
    let blob = || Entry::new(1).blob();
    let sticker = || Entry::new(1).sticker();
    let long = "x".repeat(EMOJI_BYTES_MAX + 1);
    let refused = |emoji: &[&str]| Sticker::new(emoji, blob()).err();
    assert_eq!(refused(&[]), Some(Error::Malformed));
    assert_eq!(refused(&["x", ""]), Some(Error::Malformed));
    assert_eq!(refused(&["x", &long]), Some(Error::TooLong));
    assert_eq!(refused(&[&"x".repeat(300)]), Some(Error::TooLong));
    assert_eq!(refused(&["x"; EMOJI_MAX + 1]), Some(Error::TooLong));
    let mut large = Entry::new(1);
    large.length = STICKER_MAX + 1;
    assert_eq!(
        Sticker::new(&["x"], large.blob()).err(),
        Some(Error::TooLong)
    );
    let refused = |title: &str, name: &str, stickers| Contents::new(title, name, stickers).err();
    assert_eq!(refused("", "", vec![]), Some(Error::Malformed));
    let long = "x".repeat(257);
    assert_eq!(refused(&long, "", vec![]), Some(Error::TooLong));
    assert_eq!(refused("x", &long, vec![]), Some(Error::TooLong));
    let many = (0..=STICKERS_MAX as u8).map(|number| Entry::new(number).sticker());
    assert_eq!(refused("x", "", many.collect()), Some(Error::TooLong));
    let twice = vec![sticker(), Entry::new(2).sticker(), sticker()];
    assert_eq!(refused("x", "", twice), Some(Error::KeyInUse));
}

/// Every bit of a sealed manifest, of its text and of its content, each signed and sealed where that can be done.
#[test]
fn attack_every_altered_byte_is_refused() {
    let fields = Fields::first(&KEYS, 2);
    let link = KEYS.link();
    let content = fields.content();
    let text = KEYS.text(&content);
    let sealed = KEYS.seal(&text);
    assert!(link.open(&sealed).is_ok());
    for place in 0..sealed.len() {
        let altered = flip(&sealed, 8 * place + place % 8);
        assert_eq!(link.open(&altered).err(), Some(Error::Integrity), "{place}");
    }
    for bit in 0..8 * text.len() {
        let altered = flip(&text, bit);
        let error = link
            .open(&KEYS.seal(&altered))
            .expect_err("an altered text");
        assert_eq!(packs::check(&altered, &KEYS).err(), Some(error), "{bit}");
    }
    // Signed by the author: what is read then is what was signed.
    for place in 0..content.len() {
        let altered = KEYS.text(&flip(&content, 8 * place + place % 8));
        let opened = link.open(&KEYS.seal(&altered));
        let opened = opened.map(|manifest| (Fields::of(&manifest), *manifest.hash()));
        assert_eq!(opened, packs::check(&altered, &KEYS), "{place}");
        let opened = opened.map(|(opened, _)| opened);
        assert_ne!(opened, Ok(fields.clone()), "{place}");
    }
}

#[test]
fn attack_cut_or_lengthened_at_every_place() {
    let fields = Fields::first(&KEYS, 2);
    let link = KEYS.link();
    let content = fields.content();
    let text = KEYS.text(&content);
    let sealed = KEYS.seal(&text);
    for length in 0..sealed.len() {
        assert_eq!(link.open(&sealed[..length]).err(), Some(Error::Integrity));
    }
    for length in 0..text.len() {
        let error = link.open(&KEYS.seal(&text[..length])).err();
        assert_eq!(error, Some(Error::Malformed), "{length}");
    }
    for length in 0..content.len() {
        let cut = KEYS.seal(&KEYS.text(&content[..length]));
        assert_eq!(link.open(&cut).err(), Some(Error::Malformed), "{length}");
    }
    let longer = [&content[..], &[0]].concat();
    let longer = link.open(&KEYS.seal(&KEYS.text(&longer)));
    assert_eq!(longer.err(), Some(Error::Malformed));
    // More padding than the shortest, of which each length is one that some text has.
    let mut length = text.len();
    for _ in 0..8 {
        length = padded_length(length + 1).unwrap();
        let mut longer = text.clone();
        longer.resize(length, 0);
        let opened = link.open(&KEYS.seal(&longer));
        assert_eq!(opened.err(), Some(Error::Malformed), "{length}");
    }
    // Longer than any manifest: nothing of it is opened.
    let longest = KEYS.seal(&vec![0; PADDED_MAX + 1]);
    assert_eq!(link.open(&longest).err(), Some(Error::Malformed));
    let at_the_limit = vec![0; usize::try_from(SEALED_MAX).unwrap()];
    assert_eq!(link.open(&at_the_limit).err(), Some(Error::Integrity));
}

/// Who has the link, and nothing else, can seal whatever they like, and make no manifest.
#[test]
fn attack_somebody_with_the_link_publishes() {
    let (author, mallory) = (
        KEYS,
        Keys {
            seed: [9; 32],
            ..KEYS
        },
    );
    let fields = Fields::first(&author, 2);
    let link = author.link();
    let forged = mallory.sealed(&fields);
    assert_eq!(link.open(&forged).err(), Some(Error::OtherKey));
    // With the author's key in it, and another signature.
    let mut text = mallory.text(&fields.content());
    text[1..33].copy_from_slice(&author.author_key());
    let opened = link.open(&author.seal(&text));
    assert_eq!(opened.err(), Some(Error::BadSignature));
    // A manifest of another pack of the same author's.
    let other = Keys {
        secret: [3; 32],
        ..author
    };
    let elsewhere = Fields::first(&other, 2);
    assert_eq!(
        link.open(&other.sealed(&elsewhere)).err(),
        Some(Error::Integrity)
    );
    let moved = author.seal(&other.text(&elsewhere.content()));
    assert_eq!(link.open(&moved).err(), Some(Error::OtherPack));
    // A link to the same secret that names another author shows the other one, and replaces nothing that is held.
    let manifest = mallory.link().open(&forged).unwrap();
    let held = Held::new(&link.open(&author.sealed(&fields)).unwrap());
    assert_eq!(held.update(&manifest), Err(Error::OtherKey));
    // Sealed with the right key for something else.
    let key = FileKey::from_bytes(Secret::new(author.manifest_key()));
    let text = author.text(&fields.content());
    for context in [&b""[..], b"subrosa/1 pack file\0"] {
        let opened = link.open(&seal(&key, context, &text));
        assert_eq!(opened.err(), Some(Error::Integrity));
    }
}

fn opened(fields: &Fields) -> subrosa::file::pack::Manifest {
    KEYS.link().open(&KEYS.sealed(fields)).unwrap()
}

#[test]
fn attack_fork_and_rollback() {
    let first = Fields::first(&KEYS, 1);
    let second = first.next(&KEYS);
    let third = second.next(&KEYS);
    let other_second = Fields {
        title: b"another".to_vec(),
        ..second.clone()
    };
    let other_third = other_second.next(&KEYS);
    let all = [first, second, third, other_second, other_third];
    let held: Vec<Held> = all
        .iter()
        .map(|fields| Held::new(&opened(fields)))
        .collect();
    // Of each held version, what each manifest is: the first column is version 1, the last two the other history.
    use Error::{Fork, Rollback};
    let same = Ok(false);
    let newer = Ok(true);
    let expected = [
        [same, newer, newer, newer, newer],
        [Err(Rollback), same, newer, Err(Fork), Err(Fork)],
        [Err(Rollback), Err(Rollback), same, Err(Rollback), Err(Fork)],
        [Err(Rollback), Err(Fork), Err(Fork), same, newer],
        [Err(Rollback), Err(Rollback), Err(Fork), Err(Rollback), same],
    ];
    for (held, expected) in held.iter().zip(expected) {
        let before = held.encode();
        for (fields, expected) in all.iter().zip(expected) {
            let manifest = opened(fields);
            let update = held.update(&manifest);
            match expected {
                Ok(true) => assert_eq!(update, Ok(Update::Newer(Held::new(&manifest)))),
                Ok(false) => assert_eq!(update, Ok(Update::Unchanged)),
                Err(error) => assert_eq!(update, Err(error)),
            }
            assert_eq!(held.encode(), before);
        }
    }
    // Another pack of the same author's.
    let other = Keys {
        secret: [3; 32],
        ..KEYS
    };
    let manifest = other.link().open(&other.sealed(&Fields::first(&other, 1)));
    assert_eq!(held[0].update(&manifest.unwrap()), Err(Error::OtherPack));
}

/// Two devices have published a second version each. A version that leaves a number out is taken by all.
#[test]
fn a_fork_ends_with_a_version_left_out() {
    let author = KEYS.author();
    let rng = &mut SeededRng(5);
    let contents = |title| Contents::new(title, "", vec![]).unwrap();
    let (_, first) = author.publish(&contents("one"), None, rng).unwrap();
    let (left, at_left) = author.publish(&contents("l"), Some(&first), rng).unwrap();
    let (right, at_right) = author.publish(&contents("r"), Some(&first), rng).unwrap();
    let open = |sealed: &[u8]| author.link().open(sealed).unwrap();
    assert_eq!(at_left.update(&open(&right)), Err(Error::Fork));
    assert_eq!(at_right.update(&open(&left)), Err(Error::Fork));
    let (next, _) = author.publish(&contents("n"), Some(&at_left), rng).unwrap();
    assert_eq!(at_right.update(&open(&next)), Err(Error::Fork));
    let (end, at_end) = author
        .publish_version(4, &contents("e"), Some(&at_left), rng)
        .unwrap();
    for held in [&first, &at_left, &at_right] {
        assert_eq!(held.update(&open(&end)), Ok(Update::Newer(at_end.clone())));
    }
}

/// The emoji are the manifest's: with others, a sticker is the same blob, under the same key.
#[test]
fn other_emoji_leave_the_blob_as_it_is() {
    let (author, rng) = (KEYS.author(), &mut SeededRng(11));
    let first = Fields::first(&KEYS, 2);
    let (_, held) = author.publish(&first.contents(), None, rng).unwrap();
    let stickers = first.contents().into_stickers().into_iter();
    let stickers: Vec<_> = stickers
        .map(|sticker| Sticker::new(&["🌙"], sticker.into_blob()).unwrap())
        .collect();
    let contents = Contents::new("Owls", "Bob", stickers).unwrap();
    let (sealed, _) = author.publish(&contents, Some(&held), rng).unwrap();
    let manifest = author.link().open(&sealed).unwrap();
    let before = first.contents();
    assert_eq!(manifest.contents().stickers().len(), 2);
    for (now, before) in manifest.contents().stickers().iter().zip(before.stickers()) {
        assert!(now.emoji().eq(["🌙"]) && !before.emoji().eq(["🌙"]));
        let [now, before] = [now, before].map(|one| one.descriptor().to_bytes().unwrap());
        assert_eq!(now, before);
    }
}

#[test]
fn an_author_publishes_no_version_twice() {
    let author = KEYS.author();
    let rng = &mut SeededRng(5);
    let contents = Contents::new("x", "", vec![]).unwrap();
    let refused = |version, held: Option<&Held>| {
        let published = author.publish_version(version, &contents, held, &mut SeededRng(5));
        published.map(drop)
    };
    for version in [0, 2, u64::MAX] {
        assert_eq!(refused(version, None), Err(Error::Rollback));
    }
    let (_, held) = author.publish(&contents, None, rng).unwrap();
    for version in [0, 1] {
        assert_eq!(refused(version, Some(&held)), Err(Error::Rollback));
    }
    let (sealed, last) = author
        .publish_version(u64::MAX, &contents, Some(&held), rng)
        .unwrap();
    let manifest = author.link().open(&sealed).unwrap();
    assert_eq!(held.update(&manifest), Ok(Update::Newer(last.clone())));
    let further = author.publish(&contents, Some(&last), rng);
    assert_eq!(further.map(drop), Err(Error::Exhausted));
    let other = Keys {
        secret: [3; 32],
        ..KEYS
    };
    let published = other.author().publish(&contents, Some(&held), rng);
    assert_eq!(published.map(drop), Err(Error::OtherPack));
    let other = Keys {
        seed: [3; 32],
        ..KEYS
    };
    let published = other.author().publish(&contents, Some(&held), rng);
    assert_eq!(published.map(drop), Err(Error::OtherKey));
    let failing = |left| FailingRng {
        rng: SeededRng(1),
        left,
    };
    let published = author.publish(&contents, Some(&held), &mut failing(0));
    assert_eq!(published.map(drop), Err(Error::Rng));
    for left in [0, 1] {
        let generated = Author::generate(&mut failing(left));
        assert_eq!(generated.err(), Some(Error::Rng));
    }
}

/// A generator that repeats itself: two texts have two salts, and so two keys; the same text the same file.
#[test]
fn attack_repeated_randomness_repeats_no_salt() {
    let author = KEYS.author();
    let publish = |title: &str| {
        let contents = Contents::new(title, "", vec![]).unwrap();
        author
            .publish(&contents, None, &mut ConstantRng(7))
            .unwrap()
            .0
    };
    let (one, other) = (publish("one"), publish("two"));
    assert_ne!(one[..24], other[..24]);
    assert_eq!(one, publish("one"));
    // And another pack's salts are others.
    let elsewhere = Keys::new(2).author();
    let contents = Contents::new("one", "", vec![]).unwrap();
    let (sealed, _) = elsewhere
        .publish(&contents, None, &mut ConstantRng(7))
        .unwrap();
    assert_ne!(sealed[..24], one[..24]);
    // With a generator that works, the same text is another file each time.
    let (first, second) = (&mut SeededRng(1), &mut SeededRng(2));
    let contents = Contents::new("one", "", vec![]).unwrap();
    let [first, second] =
        [first, second].map(|rng| author.publish(&contents, None, rng).unwrap().0);
    assert_ne!(first[..HEADER], second[..HEADER]);
}

#[test]
fn links_are_taken_apart_and_written() {
    let link = KEYS.link();
    let parts = [KEYS.secret, KEYS.author_hash()].concat();
    for address in ["", "https://example.org/", "sub rosa:?/\u{1f339}", "#"] {
        let written = link.to_text(address);
        if address.contains('#') {
            assert_eq!(written.err(), Some(Error::Malformed));
            continue;
        }
        let written = written.unwrap();
        assert_eq!(*written, format!("{address}#v1.{}", packs::encoded(&parts)));
        let (found, parsed) = Link::parse(&written).unwrap();
        assert_eq!(found, address);
        assert_eq!(parsed.to_text(address).unwrap(), written);
        assert_eq!(parsed.pack_id().as_bytes(), &KEYS.pack_id());
        assert!(parsed.open(&KEYS.sealed(&Fields::first(&KEYS, 1))).is_ok());
        assert_eq!(
            packs::link(&written),
            Ok((address, KEYS.secret, KEYS.author_hash()))
        );
    }
}

/// Each character of a link replaced, left out and doubled; other versions.
#[test]
fn attack_altered_links() {
    let link = KEYS.link().to_text(ADDRESS).unwrap();
    let judge = |text: &str| {
        let parsed = Link::parse(text);
        let expected = packs::link(text);
        let found = parsed.as_ref().map(|(address, _)| *address);
        assert_eq!(
            found.map_err(|error| *error),
            expected.map(|(address, ..)| address),
            "{text}"
        );
        if let Ok((address, parsed)) = parsed {
            assert_eq!(*parsed.to_text(address).unwrap(), text);
            let opened = parsed.open(&KEYS.sealed(&Fields::first(&KEYS, 1)));
            assert!(text.ends_with(&link[ADDRESS.len()..]) || opened.is_err());
        }
        expected.err()
    };
    assert_eq!(judge(&link), None);
    for place in 0..link.len() {
        judge(&link[..place]);
        judge(&link[place..]);
        for new in [
            "", "A", "-", "_", "+", "/", "=", "#", ".", "v", "\u{e9}", " ", "\n", "\0",
        ] {
            judge(&format!("{}{new}{}", &link[..place], &link[place + 1..]));
            judge(&format!("{}{new}{}", &link[..place], &link[place..]));
        }
    }
    let secret = &link[ADDRESS.len() + 4..];
    for (fragment, error) in [
        ("v2.", Error::UnknownVersion),
        ("v10.", Error::UnknownVersion),
        (
            "v340282366920938463463374607431768211456.",
            Error::UnknownVersion,
        ),
        ("v0.", Error::Malformed),
        ("v01.", Error::Malformed),
        ("v.", Error::Malformed),
        ("v1", Error::Malformed),
        ("V1.", Error::Malformed),
        ("v1.v1.", Error::Malformed),
        ("", Error::Malformed),
    ] {
        assert_eq!(judge(&format!("{ADDRESS}#{fragment}{secret}")), Some(error));
    }
    for text in ["", "#", "##", "#v1.", "#v2.", "v1."] {
        judge(text);
    }
    // The last character has four bits that encode nothing.
    let (front, _) = link.split_at(link.len() - 1);
    let accepted =
        (b'A'..=b'z').filter(|last| judge(&format!("{front}{}", *last as char)).is_none());
    assert_eq!(accepted.count(), 4);
}

/// What is sent with one sticker opens it, and has nothing of the pack; nor has its key anything of the others.
#[test]
fn attack_a_sticker_that_is_sent_tells_nothing_of_its_pack() {
    let rng = &mut SeededRng(11);
    let author = Author::generate(rng).unwrap();
    let stickers: Vec<Sticker> = (0..20)
        .map(|number| {
            let mut entry = Entry::new(number);
            entry.key = *FileKey::generate(rng).unwrap().expose();
            entry.sticker()
        })
        .collect();
    let contents = Contents::new("x", "y", stickers).unwrap();
    let (sealed, _) = author.publish(&contents, None, rng).unwrap();
    let manifest = author.link().open(&sealed).unwrap();
    let [secret, author_hash, manifest_key] = subrosa::hazmat::pack::secrets(&author.link());
    let stored = author.encode();
    let pack: Vec<&[u8]> = vec![
        &secret,
        &author_hash,
        &manifest_key,
        manifest.pack_id().as_bytes(),
        manifest.author_key().as_bytes(),
        manifest.hash(),
        &stored.expose()[33..],
    ];
    let stickers = manifest.contents().stickers();
    for (number, sticker) in stickers.iter().enumerate() {
        let sent = sticker.descriptor().to_bytes().unwrap();
        let read = Descriptor::parse(&sent).unwrap().blob;
        let (blob, read) = (sticker.blob().admit(|_| true), read.admit(|_| true));
        let (blob, read) = (blob.unwrap(), read.unwrap());
        assert_eq!(read.id(), blob.id());
        assert_eq!(read.key().expose(), blob.key().expose());
        assert_eq!(read.shape(), blob.shape());
        let others = stickers
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != number);
        let others = others.map(|(_, other)| other.blob().admit(|_| true).unwrap());
        let others: Vec<_> = others.map(|other| *other.key().expose()).collect();
        for secret in pack
            .iter()
            .copied()
            .chain(others.iter().map(|key| &key[..]))
        {
            // Not even a piece of it: 8 bytes are the same by chance once in 2^50.
            let shared = secret
                .windows(8)
                .any(|piece| sent.windows(8).any(|part| part == piece));
            assert!(!shared);
        }
    }
}

#[test]
fn stored_forms_are_read_back_and_nothing_else() {
    let held = Held::new(&opened(&Fields::first(&KEYS, 1)));
    let bytes = held.encode();
    assert_eq!(bytes.len(), HELD);
    assert_eq!(Held::decode(&bytes), Ok(held.clone()));
    let author = KEYS.author();
    let stored = author.encode();
    assert_eq!(
        stored.expose()[..],
        [&[1][..], &KEYS.secret, &KEYS.seed].concat()
    );
    assert_eq!(stored.expose().len(), AUTHOR);
    for length in 0..HELD {
        assert_eq!(Held::decode(&bytes[..length]), Err(Error::Malformed));
    }
    for length in 0..AUTHOR {
        let cut = Author::decode(&stored.expose()[..length]);
        assert_eq!(cut.err(), Some(Error::Malformed));
    }
    for (bytes, version) in [(&bytes[..], 0), (&bytes[..], 2), (stored.expose(), 255)] {
        let other = [&[version], &bytes[1..]].concat();
        assert_eq!(Held::decode(&other), Err(Error::UnknownVersion));
        assert_eq!(Author::decode(&other).err(), Some(Error::UnknownVersion));
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Held::decode(&longer), Err(Error::Malformed));
    let longer = [&stored.expose()[..], &[0]].concat();
    assert_eq!(Author::decode(&longer).err(), Some(Error::Malformed));
    let mut no_version = bytes.clone();
    no_version[65..73].fill(0);
    assert_eq!(Held::decode(&no_version), Err(Error::Malformed));
    assert_eq!(padded(vec![1; 193]).len(), 256);
}

/// Nothing that holds a secret prints it.
#[test]
fn what_is_printed_has_no_secret() {
    let manifest = opened(&Fields::first(&KEYS, 2));
    let author = KEYS.author();
    let printed = format!("{author:?} {:?} {manifest:?}", author.link());
    let hex = |bytes: &[u8]| hex::encode(bytes);
    let list = |bytes: &[u8]| format!("{bytes:?}");
    for secret in [
        KEYS.secret,
        KEYS.seed,
        KEYS.manifest_key(),
        Entry::new(0).key,
        KEYS.author_hash(),
    ] {
        assert!(!printed.contains(&hex(&secret[..4])), "{printed}");
        assert!(!printed.contains(&list(&secret)[1..20]), "{printed}");
    }
    assert!(printed.contains(&hex(&KEYS.pack_id())));
}

fn entry() -> impl Strategy<Value = Entry> {
    let emoji = proptest::collection::vec("\\PC{1,5}".prop_map(String::into_bytes), 1..4);
    let media_type = "[a-z0-9][a-z0-9!#$&^_.+-]{0,20}/[a-z0-9][a-z0-9!#$&^_.+-]{0,20}";
    (
        emoji,
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
        0..=STICKER_MAX,
        media_type,
    )
        .prop_map(|(emoji, id, key, length, media_type)| Entry {
            emoji,
            id,
            key,
            length,
            media_type: media_type.into_bytes(),
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever an author can put together is published, opened, and the same again.
    #[test]
    fn any_pack_is_read_as_it_was_made(
        title in "\\PC{1,60}",
        name in "\\PC{0,60}",
        stickers in proptest::collection::vec(entry(), 0..6),
        version in 2u64..,
        seed: u64,
    ) {
        let fields = Fields {
            title: title.into_bytes(),
            name: name.into_bytes(),
            stickers,
            ..Fields::first(&KEYS, 0)
        };
        prop_assert!(judged(&fields).is_ok());
        let contents = fields.contents();
        let author = KEYS.author();
        let rng = &mut SeededRng(seed);
        let (_, held) = author.publish(&contents, None, rng).unwrap();
        let (sealed, newer) = author.publish_version(version, &contents, Some(&held), rng).unwrap();
        let manifest = author.link().open(&sealed).unwrap();
        let expected = Fields { version, previous: *held.hash(), ..fields };
        prop_assert_eq!(Fields::of(&manifest), expected);
        prop_assert_eq!(held.update(&manifest), Ok(Update::Newer(newer.clone())));
        prop_assert_eq!(Held::decode(&newer.encode()), Ok(newer));
    }

    /// Any bytes are no manifest, whether sealed, signed or neither; and any text is a link exactly if the rules say so.
    #[test]
    fn any_bytes_are_judged_by_the_rules(bytes in proptest::collection::vec(any::<u8>(), 0..300), text: String) {
        let link = KEYS.link();
        prop_assert!(link.open(&bytes).is_err());
        for text in [bytes.clone(), padded(bytes.clone()), KEYS.text(&bytes)] {
            let opened = link.open(&KEYS.seal(&text)).map(|manifest| Fields::of(&manifest));
            let expected = packs::check(&text, &KEYS).map(|(fields, _)| fields);
            prop_assert_eq!(opened, expected);
        }
        let parsed = Link::parse(&text).map(|(address, _)| address);
        prop_assert_eq!(parsed, packs::link(&text).map(|(address, ..)| address));
    }

    /// Any 64 bytes are a link.
    #[test]
    fn any_link_is_read_as_it_was_written(secret: [u8; 32], author: [u8; 32], address in "[^#]{0,20}") {
        let text = format!("{address}#v1.{}", packs::encoded(&[secret, author].concat()));
        let (found, link) = Link::parse(&text).unwrap();
        prop_assert_eq!(found, &address);
        prop_assert_eq!(&*link.to_text(&address).unwrap(), &text);
        let [its_secret, its_author, _] = subrosa::hazmat::pack::secrets(&link);
        prop_assert_eq!((its_secret, its_author), (secret, author));
    }
}

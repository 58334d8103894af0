//! Sticker packs: made, shared by link, opened, replaced; and every reason to refuse one.

mod common;

use std::ptr::{null, null_mut};

use common::files::*;
use common::source::Source;
use common::*;
use subrosa::crypto::Secret;
use subrosa::file::pack::Link;
use subrosa::file::{FileKey, Sealer};
use subrosa::hazmat;
use subrosa_capi::file::*;
use subrosa_capi::pack::*;
use subrosa_capi::status::*;

/// What a server is asked for, and the length of the address.
fn find(link: &[u8]) -> Result<([u8; 32], usize), subrosa_status> {
    let (mut id, mut len) = ([0; 32], 7);
    match unsafe { subrosa_pack_find(link.as_ptr(), link.len(), id.as_mut_ptr(), &mut len) } {
        SUBROSA_OK => Ok((id, len)),
        status => {
            assert_eq!((id, len), ([0; 32], 7));
            Err(status)
        }
    }
}

#[test]
fn a_pack_is_shared_by_link() {
    let author = author();
    let link = link(&author);
    assert!(link.starts_with(ADDRESS) && link[ADDRESS.len()..].starts_with(b"#v1."));
    let (id, address_len) = find(&link).unwrap();
    assert_eq!(address_len, ADDRESS.len());
    let (_, first) = seal_blob(b"image/webp", b"an owl");
    let (stored, second) = seal_blob(b"image/avif", b"another owl");
    let owl: &[&[u8]] = &["🦉".as_bytes(), "🌙".as_bytes()];
    let stickers = [(first, &owl[..1]), (second, owl)];
    let (manifest, held) = publish_pack(&author, None, 0, b"Owls", &stickers).unwrap();

    let (pack, theirs) = open_pack(&link, &manifest, None).unwrap();
    assert_eq!(theirs, held);
    let (title, name, info) = pack_info(pack);
    assert_eq!((&title[..], &name[..]), (&b"Owls"[..], &b"Bob"[..]));
    assert_eq!((info.stickers, info.version, info.id), (2, 1, id));
    assert_eq!(info.author_key, held[33..65]);
    let (mut count, mut blob) = (0, null_mut());
    ok!(unsafe { subrosa_pack_sticker(pack, 1, &mut count, &mut blob) });
    assert_eq!(count, 2);
    for (index, emoji) in owl.iter().enumerate() {
        let mut seen = view(b"");
        ok!(unsafe { subrosa_pack_emoji(pack, 1, index, &mut seen) });
        assert_eq!(shown(seen), *emoji);
    }
    // Type and length are known before anything is fetched.
    assert_eq!(id_and_key(blob), Err(SUBROSA_ERROR_FILE_NOT_ADMITTED));
    ok!(admit(blob, 1 << 19, &[b"image/"]));
    assert_eq!(id_and_key(blob), id_and_key(second));
    assert_eq!(
        opened(opener_blob(blob), &stored, 100),
        Ok(b"another owl".to_vec())
    );
    let sent = descriptor(blob, None).unwrap();
    assert_eq!(Ok(sent), descriptor(second, None));

    let (mut none, mut emoji) = (null_mut(), view(b""));
    fails!(SUBROSA_ERROR_RANGE, unsafe {
        subrosa_pack_sticker(pack, 2, null_mut(), &mut none)
    });
    fails!(SUBROSA_ERROR_RANGE, unsafe {
        subrosa_pack_emoji(pack, 2, 0, &mut emoji)
    });
    fails!(SUBROSA_ERROR_RANGE, unsafe {
        subrosa_pack_emoji(pack, 0, 1, &mut emoji)
    });
    assert!(none.is_null() && emoji.len == 0);
    ok!(subrosa_pack_free(pack));
    for blob in [first, second, blob] {
        ok!(subrosa_blob_free(blob));
    }
}

#[test]
fn a_version_takes_the_place_of_an_older_one_only() {
    let author = author();
    let link = link(&author);
    let (first, held) = publish_pack(&author, None, 0, b"Owls", &[]).unwrap();
    let (second, newer) = publish_pack(&author, Some(&held), 0, b"Many owls", &[]).unwrap();
    let opened = |manifest: &[u8], held: Option<&_>| {
        open_pack(&link, manifest, held).map(|(pack, next)| {
            let version = pack_info(pack).2.version;
            ok!(subrosa_pack_free(pack));
            (version, next)
        })
    };
    assert_eq!(opened(&first, None), Ok((1, held)));
    assert_eq!(opened(&first, Some(&held)), Ok((1, held)));
    assert_eq!(opened(&second, Some(&held)), Ok((2, newer)));
    assert_eq!(
        opened(&first, Some(&newer)),
        Err(SUBROSA_ERROR_PACK_ROLLBACK)
    );

    // Another second version, and one that ends the fork.
    let (other, others) = publish_pack(&author, Some(&held), 0, b"Eagles", &[]).unwrap();
    assert_eq!(opened(&other, Some(&newer)), Err(SUBROSA_ERROR_PACK_FORK));
    let (last, lasts) = publish_pack(&author, Some(&others), 4, b"Birds", &[]).unwrap();
    assert_eq!(opened(&last, Some(&newer)), Ok((4, lasts)));
    for version in [1, 4] {
        let refused = publish_pack(&author, Some(&lasts), version, b"Birds", &[]);
        assert_eq!(refused, Err(SUBROSA_ERROR_PACK_ROLLBACK));
    }
    let refused = publish_pack(&author, None, 2, b"Birds", &[]);
    assert_eq!(refused, Err(SUBROSA_ERROR_PACK_ROLLBACK));
    let mut at_the_end = lasts;
    at_the_end[65..73].copy_from_slice(&u64::MAX.to_be_bytes());
    let refused = publish_pack(&author, Some(&at_the_end), 0, b"Birds", &[]);
    assert_eq!(refused, Err(SUBROSA_ERROR_PACK_EXHAUSTED));
}

#[test]
fn a_manifest_of_somebody_else_is_refused() {
    let (author, other) = (author(), author());
    let (link, others) = (link(&author), link(&other));
    let (manifest, held) = publish_pack(&author, None, 0, b"Owls", &[]).unwrap();
    let (_, others_held) = publish_pack(&other, None, 0, b"Eagles", &[]).unwrap();
    let refused = |link: &[u8], manifest: &[u8], held: Option<&_>| {
        open_pack(link, manifest, held).map(|_| ()).unwrap_err()
    };
    assert_eq!(
        refused(&others, &manifest, None),
        SUBROSA_ERROR_PACK_INTEGRITY
    );
    assert_eq!(refused(&link, b"", None), SUBROSA_ERROR_PACK_INTEGRITY);
    let mut altered = manifest.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(refused(&link, &altered, None), SUBROSA_ERROR_PACK_INTEGRITY);
    let other_pack = Some(&others_held);
    assert_eq!(
        refused(&link, &manifest, other_pack),
        SUBROSA_ERROR_PACK_OTHER_PACK
    );
    let published = publish_pack(&author, other_pack, 0, b"Owls", &[]);
    assert_eq!(published, Err(SUBROSA_ERROR_PACK_OTHER_PACK));
    let mut by_another = held;
    by_another[33..65].copy_from_slice(&others_held[33..65]);
    let other_key = Some(&by_another);
    assert_eq!(
        refused(&link, &manifest, other_key),
        SUBROSA_ERROR_PACK_OTHER_KEY
    );
    let published = publish_pack(&author, other_key, 0, b"Owls", &[]);
    assert_eq!(published, Err(SUBROSA_ERROR_PACK_OTHER_KEY));

    // Who has the link and no seed seals what they like.
    let (_, opened) = Link::parse(std::str::from_utf8(&link).unwrap()).unwrap();
    let [.., key] = hazmat::pack::secrets(&opened);
    let context = [&b"subrosa/1 pack file\0"[..], opened.pack_id().as_bytes()].concat();
    let forged = |at: usize| {
        let mut text = hazmat::pack::text(&opened, &manifest).unwrap();
        text[at] ^= 1;
        let key = FileKey::from_bytes(Secret::new(key));
        let (mut sealer, header) = Sealer::new(&key, &context, &mut subrosa::os_rng()).unwrap();
        let mut rest = &text[..];
        assert!(sealer.feed(&mut rest).unwrap().is_none());
        [&header[..], sealer.finish().unwrap()].concat()
    };
    assert_eq!(refused(&link, &forged(0), None), SUBROSA_ERROR_PACK_VERSION);
    assert_eq!(
        refused(&link, &forged(1), None),
        SUBROSA_ERROR_PACK_OTHER_KEY
    );
    assert_eq!(
        refused(&link, &forged(33), None),
        SUBROSA_ERROR_PACK_SIGNATURE
    );
    let longer = vec![0; SUBROSA_MANIFEST_MAX + 1];
    assert_eq!(refused(&link, &longer, None), SUBROSA_ERROR_PACK_MALFORMED);
}

#[test]
fn what_a_pack_may_not_have() {
    let author = author();
    let (_, blob) = seal_blob(b"image/webp", b"an owl");
    let (_, large) = seal_blob(b"image/webp", &[0; (1 << 19) + 1]);
    let owl: &[&[u8]] = &["🦉".as_bytes()];
    let refused = |title: &[u8], stickers: Stickers<'_>| {
        publish_pack(&author, None, 0, title, stickers).unwrap_err()
    };
    let twice = [(blob, owl); 2];
    assert_eq!(refused(b"Owls", &twice), SUBROSA_ERROR_PACK_KEY_IN_USE);
    let too_long: [(&[u8], Stickers<'_>); 5] = [
        (&[b'x'; 257], &[]),
        (b"Owls", &[(blob, owl); SUBROSA_STICKERS_MAX + 1]),
        (b"Owls", &[(blob, &[&b"x"[..]; 21])]),
        (b"Owls", &[(blob, &[&[b'x'; 64]])]),
        (b"Owls", &[(large, owl)]),
    ];
    for (title, stickers) in too_long {
        assert_eq!(refused(title, stickers), SUBROSA_ERROR_PACK_TOO_LONG);
    }
    let malformed: [(&[u8], Stickers<'_>); 5] = [
        (b"", &[]),
        (b"\xff", &[]),
        (b"Owls", &[(blob, &[])]),
        (b"Owls", &[(blob, &[b""])]),
        (b"Owls", &[(blob, &[b"\xff"])]),
    ];
    for (title, stickers) in malformed {
        assert_eq!(refused(title, stickers), SUBROSA_ERROR_PACK_MALFORMED);
    }
    for blob in [blob, large] {
        ok!(subrosa_blob_free(blob));
    }
    assert_eq!(refused(b"Owls", &[(blob, owl)]), SUBROSA_ERROR_HANDLE);
}

#[test]
fn links_and_records_that_are_none() {
    let mut author = author();
    let link = link(&author);
    for wrong in [&b""[..], ADDRESS, &link[..link.len() - 1], b"\xff"] {
        assert_eq!(find(wrong), Err(SUBROSA_ERROR_PACK_MALFORMED));
        let opened = open_pack(wrong, b"", None);
        assert_eq!(opened, Err(SUBROSA_ERROR_PACK_MALFORMED));
    }
    assert_eq!(find(b"#v2.later"), Err(SUBROSA_ERROR_PACK_VERSION));
    let mut id = [0; 32];
    ok!(unsafe { subrosa_pack_find(link.as_ptr(), link.len(), id.as_mut_ptr(), null_mut()) });
    assert_eq!(find(&link[ADDRESS.len()..]), Ok((id, 0)));

    let (manifest, mut held) = publish_pack(&author, None, 0, b"Owls", &[]).unwrap();
    held[0] = 2;
    assert_eq!(
        open_pack(&link, &manifest, Some(&held)),
        Err(SUBROSA_ERROR_PACK_VERSION)
    );
    held[0] = 1;
    held[65..73].fill(0);
    assert_eq!(
        open_pack(&link, &manifest, Some(&held)),
        Err(SUBROSA_ERROR_PACK_MALFORMED)
    );
    let (mut text, mut len) = ([0; 200], 200);
    for address in [&b"a#b"[..], b"\xff"] {
        fails!(SUBROSA_ERROR_PACK_MALFORMED, unsafe {
            let (address, address_len) = (address.as_ptr(), address.len());
            subrosa_pack_link(
                author.as_ptr(),
                address,
                address_len,
                text.as_mut_ptr(),
                &mut len,
            )
        });
    }
    author[0] = 2;
    fails!(SUBROSA_ERROR_PACK_VERSION, unsafe {
        subrosa_pack_link(author.as_ptr(), null(), 0, text.as_mut_ptr(), &mut len)
    });
    assert_eq!((text, len), ([0; 200], 200));
    let refused = publish_pack(&author, None, 0, b"Owls", &[]);
    assert_eq!(refused, Err(SUBROSA_ERROR_PACK_VERSION));
}

#[test]
fn a_generator_that_fails_makes_nothing() {
    let source = Source::new(1);
    let rng = source.rng();
    let mut author = [0xee; SUBROSA_AUTHOR];
    for draw in 0..2 {
        source.fails_at.set(source.draws.get() + draw);
        fails!(SUBROSA_ERROR_RNG, unsafe {
            subrosa_pack_create(&rng, author.as_mut_ptr())
        });
    }
    assert_eq!(author, [0xee; SUBROSA_AUTHOR]);
    source.fails_at.set(usize::MAX);
    ok!(unsafe { subrosa_pack_create(&rng, author.as_mut_ptr()) });
    let contents = subrosa_contents {
        title: view(b"Owls"),
        ..new_contents()
    };
    let (mut manifest, mut held) = ([0xee; 2_000], [0xee; SUBROSA_HELD]);
    let mut len = manifest.len();
    let mut publish = || unsafe {
        let (to, held) = (manifest.as_mut_ptr(), held.as_mut_ptr());
        subrosa_pack_publish(
            author.as_ptr(),
            null(),
            0,
            &contents,
            &rng,
            to,
            &mut len,
            held,
        )
    };
    source.fails_at.set(source.draws.get());
    fails!(SUBROSA_ERROR_RNG, publish());
    source.fails_at.set(usize::MAX);
    ok!(publish());
    assert_ne!(held, [0xee; SUBROSA_HELD]);
    assert!(len < 2_000 && manifest[len..].iter().all(|byte| *byte == 0xee));
}

/// What the interface says of lengths is so.
#[test]
fn constants_are_those_of_the_core() {
    let author = author();
    let (mut link, mut len) = ([0; SUBROSA_LINK_BEHIND], SUBROSA_LINK_BEHIND);
    ok!(unsafe { subrosa_pack_link(author.as_ptr(), null(), 0, link.as_mut_ptr(), &mut len) });
    assert_eq!(len, SUBROSA_LINK_BEHIND);
}

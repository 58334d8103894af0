//! Files and blobs, sealed, opened and read in pieces; and every reason to refuse one.

mod common;

use std::ptr::{null, null_mut};

use common::files::*;
use common::source::Source;
use common::*;
use subrosa::crypto::Secret;
use subrosa::file::{FileKey, Opener, Sealer};
use subrosa_capi::file::*;
use subrosa_capi::status::*;
use subrosa_capi::value::*;

const CHUNK: usize = SUBROSA_OPEN_ROOM;

/// What the core makes of a sealed file.
fn opened_by_the_core(sealed: &[u8], key: [u8; 32]) -> Vec<u8> {
    let mut opener = Opener::new(FileKey::from_bytes(Secret::new(key)), CONTEXT);
    let (mut rest, mut text) = (sealed, Vec::new());
    while let Some(chunk) = opener.feed(&mut rest).unwrap() {
        text.extend_from_slice(chunk);
    }
    text.extend_from_slice(opener.finish().unwrap());
    text
}

#[test]
fn a_file_is_sealed_and_opened_in_pieces_of_any_length() {
    let mut keys = Vec::new();
    for (len, steps) in [
        (0, [1, 1]),
        (1, [1, 1]),
        (CHUNK - 1, [999, 50_000]),
        (CHUNK, [4_096, 50_000]),
        (CHUNK + 1, [CHUNK, 50_000]),
        (40_000, [16_400, 40_000]),
    ] {
        let text = pattern(len);
        for step in steps {
            let (sealed, key) = seal_file(&text, step);
            assert_eq!(sealed.len(), 56 + len + 16 * (len / CHUNK + 1));
            assert_eq!(opened_by_the_core(&sealed, key), text);
            let opener = opener_file(&key, CONTEXT);
            assert_eq!(opened(opener, &sealed, step).as_ref(), Ok(&text));
            keys.push(key);
        }
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 12, "a new key for each");
}

#[test]
fn a_file_that_is_not_whole_or_another_one_is_refused() {
    let text = pattern(40_000);
    let (sealed, key) = seal_file(&text, 7_000);
    let opens = |key: &[u8; 32], context: &[u8], sealed: &[u8]| {
        opened(opener_file(key, context), sealed, 10_000)
    };
    let nothing = Vec::new;
    let commitment = Err((SUBROSA_ERROR_FILE_COMMITMENT, nothing()));
    assert_eq!(opens(&[1; 32], CONTEXT, &sealed), commitment);
    assert_eq!(opens(&key, b"elsewhere", &sealed), commitment);
    for end in [0_usize, 55, 56, 56 + 16_400] {
        let before = text[..end.saturating_sub(56) / 16_400 * CHUNK].to_vec();
        let truncated = opens(&key, CONTEXT, &sealed[..end]);
        assert_eq!(truncated, Err((SUBROSA_ERROR_FILE_TRUNCATED, before)));
    }
    let mut altered = sealed.clone();
    altered[56 + 20_000] ^= 1;
    let refused = opens(&key, CONTEXT, &altered);
    let first = text[..CHUNK].to_vec();
    assert_eq!(refused, Err((SUBROSA_ERROR_FILE_CHUNK, first)));
}

#[test]
fn what_has_ended_takes_nothing_more() {
    let (sealer, key) = sealer_file(CONTEXT);
    let mut sealed = Vec::new();
    sealer_finish(sealer, &mut sealed);
    assert_eq!(sealed.len(), 56 + 16);
    // Asked again, it has nothing left.
    sealer_finish(sealer, &mut sealed);
    assert_eq!(sealed.len(), 56 + 16);
    fails!(
        SUBROSA_ERROR_FILE_ENDED,
        sealer_push(sealer, b"more", 4, &mut sealed)
    );
    let mut blob = null_mut();
    fails!(SUBROSA_ERROR_STEP, unsafe {
        subrosa_sealer_result(sealer, &mut blob)
    });
    ok!(subrosa_sealer_free(sealer));

    let opener = opener_file(&key, CONTEXT);
    let (mut text, mut taken, mut len) = ([0; CHUNK], 0, CHUNK);
    let to = text.as_mut_ptr();
    ok!(unsafe {
        subrosa_opener_push(
            opener,
            sealed.as_ptr(),
            sealed.len(),
            &mut taken,
            to,
            &mut len,
        )
    });
    assert_eq!((taken, len), (sealed.len(), 0));
    len = CHUNK;
    ok!(unsafe { subrosa_opener_finish(opener, to, &mut len) });
    assert_eq!(len, 0);
    len = CHUNK;
    fails!(SUBROSA_ERROR_FILE_ENDED, unsafe {
        subrosa_opener_finish(opener, to, &mut len)
    });
    ok!(subrosa_opener_free(opener));
}

fn reader(bytes: &Bytes, key: &[u8; 32]) -> Result<*mut subrosa_reader, subrosa_status> {
    let len = bytes.bytes.borrow().len() as u64;
    let mut reader = null_mut();
    let (context, context_len) = (CONTEXT.as_ptr(), CONTEXT.len());
    let status = unsafe {
        subrosa_reader_open(
            &bytes.source(),
            len,
            key.as_ptr(),
            context,
            context_len,
            &mut reader,
        )
    };
    assert_eq!(reader.is_null(), status != SUBROSA_OK);
    if status == SUBROSA_OK {
        Ok(reader)
    } else {
        Err(status)
    }
}

/// The text at a place, in a buffer that was not zero.
fn read_at(
    reader: *mut subrosa_reader,
    offset: u64,
    room: usize,
) -> (subrosa_status, usize, Vec<u8>) {
    let (mut text, mut len) = (vec![0xee; room], room);
    let status = unsafe { subrosa_reader_read(reader, offset, text.as_mut_ptr(), &mut len) };
    (status, len, text)
}

#[test]
fn a_file_is_read_at_any_place() {
    for len in [0, 1, CHUNK, 40_000] {
        let text = pattern(len);
        let (sealed, key) = seal_file(&text, 40_000);
        let bytes = Bytes::new(sealed);
        let reader = reader(&bytes, &key).unwrap();
        for (offset, room) in [
            (0, 10),
            (16_380, 8),
            (16_000, 20_000),
            (39_999, 2),
            (0, 50_000),
            (40_000, 1),
            (u64::MAX, 4),
        ] {
            let (status, count, got) = read_at(reader, offset, room);
            ok!(status);
            let start = usize::try_from(offset).unwrap().min(len);
            let end = (start + room).min(len);
            assert_eq!(got[..count], text[start..end], "{len}: {offset}, {room}");
            assert!(got[count..].iter().all(|byte| *byte == 0xee));
        }
        let (reads, mut length) = (bytes.reads.get(), 7);
        ok!(unsafe { subrosa_reader_len(reader, &mut length) });
        assert_eq!(length, len as u64);
        // The end was seen, and one chunk is held: nothing is read again.
        let (status, count, _) = read_at(reader, u64::MAX, 4);
        assert_eq!((status, count, bytes.reads.get()), (SUBROSA_OK, 0, reads));
        ok!(subrosa_reader_free(reader));
    }
}

#[test]
fn a_reader_refuses_what_is_not_its_file() {
    let text = pattern(40_000);
    let (sealed, key) = seal_file(&text, 40_000);
    let bytes = Bytes::new(sealed);
    assert_eq!(reader(&bytes, &[1; 32]), Err(SUBROSA_ERROR_FILE_COMMITMENT));
    bytes.fails.set(true);
    assert_eq!(reader(&bytes, &key), Err(SUBROSA_ERROR_SOURCE));
    bytes.fails.set(false);
    let reads = bytes.reads.get();
    let (source, mut none) = (bytes.source(), null_mut());
    for (len, status) in [
        (0, SUBROSA_ERROR_FILE_TRUNCATED),
        (71, SUBROSA_ERROR_FILE_TRUNCATED),
        (u64::MAX, SUBROSA_ERROR_FILE_TOO_LONG),
    ] {
        fails!(status, unsafe {
            subrosa_reader_open(&source, len, key.as_ptr(), null(), 0, &mut none)
        });
    }
    assert_eq!((none.is_null(), bytes.reads.get()), (true, reads));

    // A source that fails may work again; nothing but zeros is left of what was read before.
    let reader = self::reader(&bytes, &key).unwrap();
    bytes.fails.set(true);
    let (status, len, got) = read_at(reader, 5, 10);
    assert_eq!(
        (status, len, got),
        (SUBROSA_ERROR_SOURCE, 10, vec![0xee; 10])
    );
    let mut length = 7;
    fails!(SUBROSA_ERROR_SOURCE, unsafe {
        subrosa_reader_len(reader, &mut length)
    });
    assert_eq!(length, 7);
    bytes.fails.set(false);
    let (status, len, got) = read_at(reader, 5, 10);
    assert_eq!((status, len, got), (SUBROSA_OK, 10, text[5..15].to_vec()));

    // A chunk that is altered is refused for good, and with it all others.
    bytes.bytes.borrow_mut()[56 + 16_400 + 3] ^= 1;
    let (status, len, got) = read_at(reader, 16_380, 10);
    assert_eq!((status, len), (SUBROSA_ERROR_FILE_CHUNK, 10));
    assert_eq!(got, [0, 0, 0, 0, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee]);
    bytes.bytes.borrow_mut()[56 + 16_400 + 3] ^= 1;
    let (status, ..) = read_at(reader, 0, 10);
    assert_eq!(status, SUBROSA_ERROR_FILE_CHUNK);
    ok!(subrosa_reader_free(reader));

    // What was cut in front of a chunk looks like a shorter file, until its end is looked at.
    bytes.bytes.borrow_mut().truncate(56 + 16_400 + 20);
    let reader = self::reader(&bytes, &key).unwrap();
    assert_eq!(read_at(reader, 0, 4), (SUBROSA_OK, 4, text[..4].to_vec()));
    fails!(SUBROSA_ERROR_FILE_CHUNK, unsafe {
        subrosa_reader_len(reader, &mut length)
    });
    ok!(subrosa_reader_free(reader));
}

#[test]
fn a_blob_is_sealed_admitted_and_opened() {
    let text = pattern(40_000);
    let (stored, own) = seal_blob(b"video/mp4", &text);
    let told = blob_info(own);
    assert_eq!(
        (told.text_len, told.stored_len),
        (40_000, stored.len() as u64)
    );
    assert_eq!(shown(told.media_type), b"video/mp4");
    assert_eq!(told.thumbnail, SUBROSA_THUMBNAIL_NONE);
    assert_eq!((told.thumbnail_type.len, told.thumbnail_bytes.len), (0, 0));
    let [id, key] = id_and_key(own).unwrap();
    assert_eq!(proof(&stored, 0..1).0, id);
    assert_ne!(id, key);
    let message = descriptor(own, None).unwrap();

    let blob = parse(&message).unwrap();
    assert_eq!(blob_info(blob).stored_len, stored.len() as u64);
    // Nothing of it is there before the app has agreed.
    let (mut opener, mut piece) = (null_mut(), new_piece());
    let none = subrosa_bytes {
        data: null(),
        len: 0,
    };
    let refusals = |opener, piece| unsafe {
        let mut len = 0;
        [
            subrosa_opener_blob(blob, opener),
            subrosa_blob_piece(blob, 0, 1, piece),
            subrosa_blob_open_piece(blob, 0, 1, none.data, 0, none.data, 0, null_mut(), &mut len),
            id_and_key(blob).err().unwrap_or_default(),
        ]
    };
    assert_eq!(
        refusals(&mut opener, &mut piece),
        [SUBROSA_ERROR_FILE_NOT_ADMITTED; 4]
    );
    assert!(opener.is_null() && piece.len == 0);
    for (longest, types) in [
        (39_999, &[&b"video/mp4"[..]][..]),
        (u64::MAX, &[]),
        (
            u64::MAX,
            &[
                b"video",
                b"video/mp",
                b"ideo/",
                b"image/",
                b"",
                b"video/mp4/",
            ],
        ),
    ] {
        fails!(SUBROSA_ERROR_FILE_NOT_ADMITTED, admit(blob, longest, types));
    }
    assert_eq!(id_and_key(blob), Err(SUBROSA_ERROR_FILE_NOT_ADMITTED));
    ok!(admit(blob, 40_000, &[b"image/webp", b"video/"]));
    // Who changes their mind frees it.
    fails!(SUBROSA_ERROR_FILE_NOT_ADMITTED, admit(blob, 0, &[]));
    assert_eq!(id_and_key(blob), Ok([id, key]));
    let mut again = [0; 32];
    ok!(unsafe { subrosa_blob_id(blob, again.as_mut_ptr(), null_mut()) });
    assert_eq!(again, id);
    for step in [1_000, 100_000] {
        assert_eq!(opened(opener_blob(blob), &stored, step).as_ref(), Ok(&text));
    }
    assert_eq!(descriptor(blob, None), Ok(message));
    ok!(subrosa_blob_free(blob));
    ok!(subrosa_blob_free(own));
}

#[test]
fn a_blob_is_there_when_it_was_sealed_to_the_end() {
    let (sealer, mut blob, mut stored) = (sealer_blob(b"image/webp"), null_mut(), Vec::new());
    let mut result = || {
        let status = unsafe { subrosa_sealer_result(sealer, &mut blob) };
        assert_eq!(blob.is_null(), status != SUBROSA_OK);
        ok!(subrosa_blob_free(blob));
        blob = null_mut();
        status
    };
    fails!(SUBROSA_ERROR_FILE_TRUNCATED, result());
    ok!(sealer_push(sealer, b"text", 4, &mut stored));
    fails!(SUBROSA_ERROR_FILE_TRUNCATED, result());
    sealer_finish(sealer, &mut stored);
    // As often as it is asked for.
    ok!(result());
    ok!(result());
    fails!(
        SUBROSA_ERROR_FILE_ENDED,
        sealer_push(sealer, b"more", 4, &mut stored)
    );
    ok!(subrosa_sealer_free(sealer));
}

#[test]
fn a_blob_that_is_another_is_refused_at_the_end() {
    let text = pattern(20_000);
    let (stored, own) = seal_blob(b"video/mp4", &text);
    let message = descriptor(own, None).unwrap();
    let opens = |message: &[u8], stored: &[u8]| {
        let blob = parse(message).unwrap();
        ok!(admit(blob, u64::MAX, &[b"video/"]));
        let text = opened(opener_blob(blob), stored, 7_000);
        ok!(subrosa_blob_free(blob));
        text.map_err(|(status, _)| status)
    };
    let mut other = message.clone();
    other[1] ^= 1;
    assert_eq!(opens(&other, &stored), Err(SUBROSA_ERROR_FILE_ID));
    let longer = [&stored[..], &[0; 20_000]].concat();
    assert_eq!(opens(&message, &longer), Err(SUBROSA_ERROR_FILE_ENDED));
    let shorter = &stored[..56 + 16_400];
    assert_eq!(opens(&message, shorter), Err(SUBROSA_ERROR_FILE_TRUNCATED));

    // A sender who knows the key, and puts something behind the text.
    let [_, key] = id_and_key(own).unwrap();
    let key = FileKey::from_bytes(Secret::new(key));
    let mut rng = subrosa::os_rng();
    let (mut sealer, header) = Sealer::new(&key, b"subrosa/1 blob\0", &mut rng).unwrap();
    let (mut forged, mut padded) = (header.to_vec(), text.clone());
    padded.resize(stored.len() - 56 - 2 * 16, 7);
    let mut rest = &padded[..];
    while let Some(chunk) = sealer.feed(&mut rest).unwrap() {
        forged.extend_from_slice(chunk);
    }
    forged.extend_from_slice(sealer.finish().unwrap());
    assert_eq!(forged.len(), stored.len());
    let mut named = message.clone();
    named[1..33].copy_from_slice(&proof(&forged, 0..1).0);
    assert_eq!(opens(&named, &forged), Err(SUBROSA_ERROR_FILE_PADDING));
    let blob = parse(&named).unwrap();
    ok!(admit(blob, u64::MAX, &[b"video/"]));
    assert_eq!(
        open_piece(blob, &forged, 19_000, 100),
        Err(SUBROSA_ERROR_FILE_PADDING)
    );
    for blob in [own, blob] {
        ok!(subrosa_blob_free(blob));
    }
}

/// A piece of the text, from what is stored.
fn open_piece(
    blob: *mut subrosa_blob,
    stored: &[u8],
    offset: u64,
    len: u64,
) -> Result<Vec<u8>, subrosa_status> {
    let mut piece = new_piece();
    match unsafe { subrosa_blob_piece(blob, offset, len, &mut piece) } {
        SUBROSA_OK => {}
        status => return Err(status),
    }
    let (bytes, proof) = fetched(stored, &piece);
    let text = opened_piece(blob, offset, len, &bytes, &proof);
    assert!(text.as_ref().is_err() || text.as_ref().unwrap().len() as u64 == piece.text_len);
    text
}

fn opened_piece(
    blob: *mut subrosa_blob,
    offset: u64,
    len: u64,
    bytes: &[u8],
    proof: &[u8],
) -> Result<Vec<u8>, subrosa_status> {
    let mut text = vec![0; 60_000];
    let mut text_len = text.len();
    let status = unsafe {
        subrosa_blob_open_piece(
            blob,
            offset,
            len,
            bytes.as_ptr(),
            bytes.len(),
            proof.as_ptr(),
            proof.len(),
            text.as_mut_ptr(),
            &mut text_len,
        )
    };
    if status != SUBROSA_OK {
        assert!(text_len == 60_000 && text.iter().all(|byte| *byte == 0));
        return Err(status);
    }
    assert!(text[text_len..].iter().all(|byte| *byte == 0));
    text.truncate(text_len);
    Ok(text)
}

#[test]
fn any_piece_of_a_blob_is_checked_and_opened() {
    let text = pattern(50_000);
    let (stored, blob) = seal_blob(b"video/mp4", &text);
    for (offset, len) in [
        (0_u64, 1),
        (16_383, 2),
        (20_000, 4_096),
        (0, 50_000),
        (49_999, 9),
        (40_000, u64::MAX),
    ] {
        let end = offset.saturating_add(len).min(50_000) as usize;
        let wanted = &text[offset as usize..end];
        assert_eq!(
            open_piece(blob, &stored, offset, len).as_deref(),
            Ok(wanted)
        );
    }
    for (offset, len) in [(0, 0), (50_000, 1), (u64::MAX, u64::MAX)] {
        let refused = open_piece(blob, &stored, offset, len);
        assert_eq!(refused, Err(SUBROSA_ERROR_FILE_RANGE));
        let refused = opened_piece(blob, offset, len, &[], &[]);
        assert_eq!(refused, Err(SUBROSA_ERROR_FILE_RANGE));
    }
    let mut piece = new_piece();
    ok!(unsafe { subrosa_blob_piece(blob, 20_000, 4_096, &mut piece) });
    assert_eq!((piece.leaf, piece.leaves, piece.text_len), (1, 1, 4_096));
    assert_eq!((piece.offset, piece.len), (56 + 16_400, 16_400));
    let (bytes, proof) = fetched(&stored, &piece);
    let refused =
        |bytes: &[u8], proof: &[u8]| opened_piece(blob, 20_000, 4_096, bytes, proof).unwrap_err();
    for at in [0, 16_399] {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        assert_eq!(refused(&altered, &proof), SUBROSA_ERROR_FILE_PROOF);
    }
    let mut altered = proof.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(refused(&bytes, &altered), SUBROSA_ERROR_FILE_PROOF);
    assert_eq!(refused(&bytes, &proof[1..]), SUBROSA_ERROR_FILE_PROOF);
    assert_eq!(refused(&bytes[1..], &proof), SUBROSA_ERROR_FILE_TRUNCATED);
    ok!(subrosa_blob_free(blob));
}

#[test]
fn leaves_of_a_blob_are_checked_without_its_key() {
    let (stored, blob) = seal_blob(b"video/mp4", &pattern(50_000));
    let (id, stored_len) = (id_and_key(blob).unwrap()[0], stored.len() as u64);
    ok!(subrosa_blob_free(blob));
    let verify = |leaf, leaves, bytes: &[u8], proof: &[u8]| unsafe {
        let (proof, proof_len) = (proof.as_ptr(), proof.len());
        let (bytes, len) = (bytes.as_ptr(), bytes.len());
        subrosa_piece_verify(
            id.as_ptr(),
            stored_len,
            leaf,
            leaves,
            bytes,
            len,
            proof,
            proof_len,
        )
    };
    let mut end = 56;
    for (leaf, leaves) in [(0, 1), (1, 2), (3, 1)] {
        let mut piece = new_piece();
        ok!(unsafe { subrosa_piece_of_leaves(stored_len, leaf, leaves, &mut piece) });
        assert_eq!(
            (piece.leaf, piece.leaves, piece.text_len),
            (leaf, leaves, 0)
        );
        assert_eq!(piece.offset, end);
        end = piece.offset + piece.len;
        let (bytes, proof) = fetched(&stored, &piece);
        ok!(verify(leaf, leaves, &bytes, &proof));
        let mut altered = bytes.clone();
        altered[100] ^= 1;
        fails!(
            SUBROSA_ERROR_FILE_PROOF,
            verify(leaf, leaves, &altered, &proof)
        );
        fails!(
            SUBROSA_ERROR_FILE_TRUNCATED,
            verify(leaf, leaves, &bytes[1..], &proof)
        );
        let longer = [&bytes[..], b"x"].concat();
        fails!(
            SUBROSA_ERROR_FILE_ENDED,
            verify(leaf, leaves, &longer, &proof)
        );
    }
    assert_eq!(end, stored_len);
    let mut piece = new_piece();
    for (stored_len, leaf, leaves, status) in [
        (stored_len, 0, 0, SUBROSA_ERROR_FILE_RANGE),
        (stored_len, 4, 1, SUBROSA_ERROR_FILE_RANGE),
        (stored_len, 1, u64::MAX, SUBROSA_ERROR_FILE_RANGE),
        (71, 0, 1, SUBROSA_ERROR_FILE_TRUNCATED),
        (u64::MAX, 0, 1, SUBROSA_ERROR_FILE_TOO_LONG),
    ] {
        fails!(status, unsafe {
            subrosa_piece_of_leaves(stored_len, leaf, leaves, &mut piece)
        });
    }
    fails!(SUBROSA_ERROR_FILE_RANGE, verify(4, 1, &[], &[]));
    assert_eq!(piece.len, 0);
}

#[test]
fn a_thumbnail_lies_in_the_message_or_is_a_blob() {
    let (_, blob) = seal_blob(b"video/mp4", b"a film");
    let (_, small) = seal_blob(b"image/webp", b"a picture");
    let picture = pattern(SUBROSA_OPEN_ROOM + 1);
    let inline = |name: &[u8], bytes: &[u8]| subrosa_thumbnail {
        media_type: view(name),
        bytes: view(bytes),
        ..new_thumbnail()
    };
    let message = descriptor(blob, Some(&inline(b"image/avif", &picture[1..]))).unwrap();
    let read = parse(&message).unwrap();
    let info = blob_info(read);
    assert_eq!(info.thumbnail, SUBROSA_THUMBNAIL_INLINE);
    assert_eq!(shown(info.thumbnail_type), b"image/avif");
    assert_eq!(shown(info.thumbnail_bytes), &picture[1..]);
    let mut other = null_mut();
    fails!(SUBROSA_ERROR_RANGE, unsafe {
        subrosa_blob_thumbnail(read, &mut other)
    });
    ok!(subrosa_blob_free(read));

    let of_blob = subrosa_thumbnail {
        blob: small,
        ..new_thumbnail()
    };
    let read = parse(&descriptor(blob, Some(&of_blob)).unwrap()).unwrap();
    assert_eq!(blob_info(read).thumbnail, SUBROSA_THUMBNAIL_BLOB);
    ok!(unsafe { subrosa_blob_thumbnail(read, &mut other) });
    assert_eq!(shown(blob_info(other).media_type), b"image/webp");
    // Consent to the one is none to the other.
    ok!(admit(read, 100, &[b"video/"]));
    assert_eq!(id_and_key(other), Err(SUBROSA_ERROR_FILE_NOT_ADMITTED));
    ok!(admit(other, 100, &[b"image/"]));
    assert_eq!(id_and_key(other), id_and_key(small));

    for (wrong, status) in [
        (inline(b"image/avif", &picture), SUBROSA_ERROR_FILE_TOO_LONG),
        (inline(b"image/avif", b""), SUBROSA_ERROR_FILE_MALFORMED),
        (inline(b"Image/avif", b"x"), SUBROSA_ERROR_FILE_MALFORMED),
        (inline(b"", b""), SUBROSA_ERROR_FILE_MALFORMED),
        (
            subrosa_thumbnail {
                blob: small,
                ..inline(b"", b"x")
            },
            SUBROSA_ERROR_ARGUMENT,
        ),
        (
            subrosa_thumbnail {
                blob: small,
                ..inline(b"image/avif", b"")
            },
            SUBROSA_ERROR_ARGUMENT,
        ),
        (
            subrosa_thumbnail {
                struct_size: 8,
                ..of_blob
            },
            SUBROSA_ERROR_ARGUMENT,
        ),
    ] {
        assert_eq!(descriptor(blob, Some(&wrong)), Err(status));
    }
    for blob in [blob, small, read, other] {
        ok!(subrosa_blob_free(blob));
    }
    assert_eq!(descriptor(blob, None), Err(SUBROSA_ERROR_HANDLE));
    assert_eq!(descriptor(read, Some(&of_blob)), Err(SUBROSA_ERROR_HANDLE));
}

#[test]
fn descriptors_and_media_types_that_are_none() {
    let (_, blob) = seal_blob(b"video/mp4", b"a film");
    let message = descriptor(blob, None).unwrap();
    ok!(subrosa_blob_free(blob));
    assert_eq!(parse(b""), Err(SUBROSA_ERROR_FILE_MALFORMED));
    assert_eq!(
        parse(&message[..message.len() - 1]),
        Err(SUBROSA_ERROR_FILE_MALFORMED)
    );
    let mut other = message.clone();
    other[0] = 2;
    assert_eq!(parse(&other), Err(SUBROSA_ERROR_FILE_VERSION));
    other = message;
    other.resize(SUBROSA_DESCRIPTOR_MAX + 1, 0);
    assert_eq!(parse(&other), Err(SUBROSA_ERROR_FILE_TOO_LONG));
    let mut sealer = null_mut();
    for name in [
        &b"video"[..],
        b"",
        b"video/mp4; codecs=x",
        b"\xff/a",
        b"Video/mp4",
    ] {
        fails!(SUBROSA_ERROR_FILE_MALFORMED, unsafe {
            subrosa_sealer_blob(name.as_ptr(), name.len(), null(), 0, null(), &mut sealer)
        });
    }
    assert!(sealer.is_null());
}

#[test]
fn a_generator_that_fails_begins_nothing() {
    let source = Source::new(1);
    let rng = source.rng();
    let (mut sealer, mut key) = (null_mut(), [0xee; 32]);
    for draw in 0..2 {
        source.fails_at.set(source.draws.get() + draw);
        fails!(SUBROSA_ERROR_RNG, unsafe {
            subrosa_sealer_file(null(), 0, &rng, &mut sealer, key.as_mut_ptr())
        });
    }
    source.fails_at.set(source.draws.get());
    let name = b"video/mp4";
    let mut blob = |apart: &[u8]| unsafe {
        let (apart, len) = (apart.as_ptr(), apart.len());
        subrosa_sealer_blob(name.as_ptr(), name.len(), apart, len, &rng, &mut sealer)
    };
    fails!(SUBROSA_ERROR_RNG, blob(b""));
    source.fails_at.set(usize::MAX);
    ok!(blob(b""));
    ok!(subrosa_sealer_free(sealer));
    assert_eq!(key, [0xee; 32]);
}

/// A generator that repeats itself: what tells texts apart gives each a key of its own.
#[test]
fn texts_that_are_told_apart_have_other_keys() {
    let key = |apart: &[u8]| {
        let (source, name) = (Source::new(9), b"video/mp4");
        let (mut sealer, mut blob) = (null_mut(), null_mut());
        let (rng, len) = (source.rng(), apart.len());
        ok!(unsafe {
            subrosa_sealer_blob(name.as_ptr(), 9, apart.as_ptr(), len, &rng, &mut sealer)
        });
        sealer_finish(sealer, &mut Vec::new());
        ok!(unsafe { subrosa_sealer_result(sealer, &mut blob) });
        let [_, key] = id_and_key(blob).unwrap();
        ok!(subrosa_blob_free(blob));
        ok!(subrosa_sealer_free(sealer));
        key
    };
    assert_eq!(key(b"one"), key(b"one"));
    assert_ne!(key(b"one"), key(b"two"));
}

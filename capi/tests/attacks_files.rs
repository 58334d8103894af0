//! What must fail with files, blobs and packs: pointers and lengths (I1), buffers (I4), callbacks that call again (I6); and
//! what must not where an output lies in an input (I2). Single pointers are in attacks_arguments.rs, objects in
//! attacks_handles.rs.

mod common;

use std::cell::RefCell;
use std::ptr::{null, null_mut};
use std::rc::Rc;

use common::files::*;
use common::mem::Mem;
use common::scene::Files;
use common::*;
use subrosa_capi::file::*;
use subrosa_capi::pack::*;
use subrosa_capi::status::*;
use subrosa_capi::value::*;

#[test]
fn attack_i1_lengths_of_files_that_cannot_be() {
    let (files, mem) = (Files::new(), Mem::new());
    let (blob, key) = (files.blob, files.key.as_ptr());
    let (author, source) = (files.author.as_ptr(), files.sealed.source());
    let some = mem.at::<u8>(0).cast_const();
    let (out, room, held) = (mem.at::<u8>(1024), mem.at::<usize>(512), mem.at::<u8>(1200));
    let handle = 256;
    let huge = isize::MAX.unsigned_abs() + 1;
    for (data, len) in [
        (null(), 1),
        (null(), huge),
        (some, huge),
        (some, usize::MAX),
        (null(), usize::MAX),
    ] {
        let odd = subrosa_bytes { data, len };
        let publish = |contents: &subrosa_contents| unsafe {
            subrosa_pack_publish(author, null(), 0, contents, null(), out, room, held)
        };
        let sticker = subrosa_sticker {
            blob,
            emoji: &odd,
            count: 1,
        };
        let thumbnail = |media_type, bytes| subrosa_thumbnail {
            media_type,
            bytes,
            ..new_thumbnail()
        };
        let described = |thumbnail: &subrosa_thumbnail| unsafe {
            subrosa_blob_descriptor(blob, thumbnail, out, room)
        };
        for status in unsafe {
            [
                subrosa_sealer_file(data, len, null(), mem.at(handle), out),
                subrosa_sealer_blob(data, len, null(), 0, null(), mem.at(handle)),
                subrosa_sealer_blob(some, 1, data, len, null(), mem.at(handle)),
                subrosa_sealer_push(files.sealer, data, len, mem.at(handle), out, room),
                subrosa_opener_file(key, data, len, mem.at(handle)),
                subrosa_opener_push(files.opener, data, len, mem.at(handle), out, room),
                subrosa_reader_open(&source, 78, key, data, len, mem.at(handle)),
                subrosa_blob_parse(data, len, mem.at(handle)),
                subrosa_blob_admit(blob, 1, &odd, 1),
                subrosa_blob_open_piece(blob, 0, 1, data, len, some, 1, out, room),
                subrosa_blob_open_piece(blob, 0, 1, some, 1, data, len, out, room),
                subrosa_piece_verify(key, 72, 0, 1, data, len, some, 1),
                subrosa_piece_verify(key, 72, 0, 1, some, 1, data, len),
                subrosa_pack_link(author, data, len, out, room),
                subrosa_pack_find(data, len, out, null_mut()),
                subrosa_pack_open(data, len, some, 1, null(), mem.at(handle), held),
                subrosa_pack_open(some, 1, data, len, null(), mem.at(handle), held),
                described(&thumbnail(odd, view(b"x"))),
                described(&thumbnail(view(b"image/webp"), odd)),
                publish(&subrosa_contents {
                    title: odd,
                    ..new_contents()
                }),
                publish(&subrosa_contents {
                    name: odd,
                    ..new_contents()
                }),
                publish(&subrosa_contents {
                    stickers: &sticker,
                    count: 1,
                    ..new_contents()
                }),
            ]
        } {
            assert_eq!(status, SUBROSA_ERROR_ARGUMENT, "{data:?}, {len}");
        }
    }
    // Lists of something that has an alignment, and of which fewer fit.
    let odd = some.wrapping_add(1);
    for (data, len) in [(null(), 1), (odd, 1), (some, usize::MAX / 8 + 2)] {
        let contents = subrosa_contents {
            stickers: data.cast(),
            count: len,
            ..new_contents()
        };
        let sticker = subrosa_sticker {
            blob,
            emoji: data.cast(),
            count: len,
        };
        let with_sticker = subrosa_contents {
            stickers: &sticker,
            count: 1,
            ..new_contents()
        };
        for status in unsafe {
            [
                subrosa_blob_admit(blob, 1, data.cast(), len),
                subrosa_pack_publish(author, null(), 0, &contents, null(), out, room, held),
                subrosa_pack_publish(author, null(), 0, &with_sticker, null(), out, room, held),
            ]
        } {
            assert_eq!(status, SUBROSA_ERROR_ARGUMENT, "{data:?}, {len}");
        }
    }
    assert!(mem.take(0, 2_048).iter().all(|byte| *byte == 0));
    files.end();
}

#[test]
fn attack_i1_structures_of_files_of_another_size_are_refused() {
    let files = Files::new();
    for wrong in [-1, 1] {
        let (mut told, mut piece, mut info) = (new_blob_info(), new_piece(), new_pack_info());
        let (mut contents, mut thumbnail) = (new_contents(), new_thumbnail());
        let mut source = files.sealed.source();
        for size in [
            &mut told.struct_size,
            &mut piece.struct_size,
            &mut info.struct_size,
            &mut contents.struct_size,
            &mut thumbnail.struct_size,
            &mut source.struct_size,
        ] {
            *size = size.wrapping_add_signed(wrong);
        }
        let (mut reader, mut len, mut held) = (null_mut(), 0, [0; SUBROSA_HELD]);
        let (key, author) = (files.key.as_ptr(), files.author.as_ptr());
        let to = held.as_mut_ptr();
        for status in unsafe {
            [
                subrosa_blob_read(files.blob, &mut told),
                subrosa_blob_piece(files.blob, 0, 1, &mut piece),
                subrosa_piece_of_leaves(72, 0, 1, &mut piece),
                subrosa_pack_read(files.pack, &mut info),
                subrosa_blob_descriptor(files.blob, &thumbnail, null_mut(), &mut len),
                subrosa_pack_publish(
                    author,
                    null(),
                    0,
                    &contents,
                    null(),
                    null_mut(),
                    &mut len,
                    to,
                ),
                subrosa_reader_open(&source, 78, key, null(), 0, &mut reader),
            ]
        } {
            assert_eq!(status, SUBROSA_ERROR_ARGUMENT);
        }
        assert!(told.text_len == 0 && piece.len == 0 && info.version == 0);
        assert!(reader.is_null() && len == 0 && held == [0; SUBROSA_HELD]);
    }
    let source = subrosa_source {
        read: None,
        ..files.sealed.source()
    };
    let mut reader = null_mut();
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_reader_open(&source, 78, files.key.as_ptr(), null(), 0, &mut reader)
    });
    files.end();
}

/// Calls with every room that is too short, of which no byte may be written, and then with what they ask for.
fn short(needed: usize, step: usize, call: &mut dyn FnMut(*mut u8, &mut usize) -> subrosa_status) {
    let mut bytes = vec![0xee; needed + 1];
    for room in (0..needed).step_by(step).chain([needed - 1]) {
        let mut len = room;
        assert_eq!(call(bytes.as_mut_ptr(), &mut len), SUBROSA_ERROR_BUFFER);
        assert_eq!(len, needed);
        assert!(bytes.iter().all(|byte| *byte == 0xee));
    }
    let mut len = 0;
    assert_eq!(call(null_mut(), &mut len), SUBROSA_ERROR_BUFFER);
    assert_eq!(len, needed);
    len = needed;
    ok!(call(bytes.as_mut_ptr(), &mut len));
    assert!(len <= needed && bytes[needed] == 0xee);
    assert!(bytes[..len].iter().any(|byte| *byte != 0xee));
}

#[test]
fn attack_i4_short_buffers_take_and_give_nothing() {
    let files = Files::new();
    let text = pattern(SUBROSA_OPEN_ROOM);
    let mut taken = 77;
    let (sealer, key) = sealer_file(CONTEXT);
    short(SUBROSA_SEAL_ROOM, 4_001, &mut |to, len| unsafe {
        assert_eq!(taken, 77);
        subrosa_sealer_push(sealer, text.as_ptr(), text.len(), &mut taken, to, len)
    });
    assert_eq!(taken, text.len());
    short(SUBROSA_SEAL_ROOM, 4_001, &mut |to, len| unsafe {
        subrosa_sealer_finish(sealer, to, len)
    });
    ok!(subrosa_sealer_free(sealer));
    let (sealed, other) = seal_file(&text, text.len());
    assert_ne!(key, other);
    let opener = opener_file(&other, CONTEXT);
    taken = 77;
    short(SUBROSA_OPEN_ROOM, 4_001, &mut |to, len| unsafe {
        assert_eq!(taken, 77);
        subrosa_opener_push(opener, sealed.as_ptr(), sealed.len(), &mut taken, to, len)
    });
    assert_eq!(taken, sealed.len() - 16);
    ok!(subrosa_opener_free(opener));
    let opener = opener_file(&other, CONTEXT);
    let mut room = SUBROSA_OPEN_ROOM - 1;
    fails!(SUBROSA_ERROR_BUFFER, unsafe {
        subrosa_opener_finish(opener, vec![0; room].as_mut_ptr(), &mut room)
    });
    assert_eq!(room, SUBROSA_OPEN_ROOM);
    ok!(subrosa_opener_free(opener));

    let (stored, blob) = seal_blob(b"image/webp", b"an owl");
    let needed = descriptor(blob, None).unwrap().len();
    short(needed, 11, &mut |to, len| unsafe {
        subrosa_blob_descriptor(blob, null(), to, len)
    });
    let mut piece = new_piece();
    ok!(unsafe { subrosa_blob_piece(blob, 2, 9, &mut piece) });
    let (bytes, proof) = fetched(&stored, &piece);
    short(4, 1, &mut |to, len| unsafe {
        let (proof, proof_len) = (proof.as_ptr(), proof.len());
        subrosa_blob_open_piece(
            blob,
            2,
            9,
            bytes.as_ptr(),
            bytes.len(),
            proof,
            proof_len,
            to,
            len,
        )
    });
    ok!(subrosa_blob_free(blob));

    let author = files.author.as_ptr();
    short(SUBROSA_LINK_BEHIND, 7, &mut |to, len| unsafe {
        subrosa_pack_link(author, null(), 0, to, len)
    });
    let contents = subrosa_contents {
        title: view(b"Owls"),
        ..new_contents()
    };
    let mut held = [0; SUBROSA_HELD];
    let needed = publish_pack(&files.author, None, 0, b"Owls", &[])
        .unwrap()
        .0
        .len();
    short(needed, 101, &mut |to, len| unsafe {
        assert_eq!(held, [0; SUBROSA_HELD]);
        subrosa_pack_publish(
            author,
            null(),
            0,
            &contents,
            null(),
            to,
            len,
            held.as_mut_ptr(),
        )
    });
    assert_ne!(held, [0; SUBROSA_HELD]);
    // A reader takes any room, and none.
    let mut len = 0;
    ok!(unsafe { subrosa_reader_read(files.reader, 0, null_mut(), &mut len) });
    len = usize::MAX;
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_reader_read(files.reader, 0, [0; 1].as_mut_ptr(), &mut len)
    });
    assert_eq!(len, usize::MAX);
    files.end();
}

#[test]
fn attack_i2_files_are_sealed_and_opened_where_they_lie() {
    let text = pattern(20_000);
    let (sealer, key) = sealer_file(CONTEXT);
    let mut place = text.clone();
    place.resize(2 * SUBROSA_SEAL_ROOM, 0);
    let at = place.as_mut_ptr();
    // The text, and over it the chunk that is made of its front: the rest was taken out of the way.
    let rest = place.split_off(SUBROSA_SEAL_ROOM)[..20_000 - SUBROSA_SEAL_ROOM].to_vec();
    let (mut taken, mut len) = (0, SUBROSA_SEAL_ROOM);
    ok!(unsafe { subrosa_sealer_push(sealer, at, SUBROSA_SEAL_ROOM, &mut taken, at, &mut len) });
    assert_eq!((taken, len), (SUBROSA_OPEN_ROOM, SUBROSA_SEAL_ROOM));
    let mut sealed = place[..len].to_vec();
    let behind = &text[taken..SUBROSA_SEAL_ROOM];
    ok!(sealer_push(sealer, behind, 100, &mut sealed));
    ok!(sealer_push(sealer, &rest, 100, &mut sealed));
    sealer_finish(sealer, &mut sealed);
    ok!(subrosa_sealer_free(sealer));
    assert_eq!(
        opened(opener_file(&key, CONTEXT), &sealed, 9_000),
        Ok(text.clone())
    );

    let (opener, at) = (opener_file(&key, CONTEXT), sealed.as_mut_ptr());
    let (mut taken, mut len) = (0, SUBROSA_OPEN_ROOM);
    ok!(unsafe { subrosa_opener_push(opener, at, SUBROSA_SEAL_ROOM, &mut taken, at, &mut len) });
    assert_eq!((taken, len), (SUBROSA_SEAL_ROOM, SUBROSA_OPEN_ROOM));
    assert_eq!(sealed[..len], text[..len]);
    ok!(subrosa_opener_free(opener));

    let (mut stored, blob) = seal_blob(b"image/webp", b"an owl");
    let mut piece = new_piece();
    ok!(unsafe { subrosa_blob_piece(blob, 0, 6, &mut piece) });
    let (_, proof) = fetched(&stored, &piece);
    let (at, mut len) = (stored.as_mut_ptr(), 6);
    let bytes = at.wrapping_add(piece.offset as usize);
    ok!(unsafe {
        let (proof, proof_len) = (proof.as_ptr(), proof.len());
        let stored_len = piece.len as usize;
        subrosa_blob_open_piece(
            blob, 0, 6, bytes, stored_len, proof, proof_len, bytes, &mut len,
        )
    });
    assert_eq!(stored[56..62], *b"an owl");
    ok!(subrosa_blob_free(blob));
}

#[test]
fn attack_i2_blobs_and_packs_go_where_their_inputs_lay() {
    let mem = Mem::with(CONTEXT);
    // The key over the context; the handle over the key.
    let context = mem.at::<u8>(0);
    ok!(unsafe { subrosa_sealer_file(context, CONTEXT.len(), null(), mem.at(512), context) });
    let (sealer, mut sealed) = (mem.read(512), Vec::new());
    sealer_finish(sealer, &mut sealed);
    ok!(subrosa_sealer_free(sealer));
    let key: [u8; 32] = mem.take(0, 32).try_into().unwrap();
    assert_eq!(
        opened(opener_file(&key, CONTEXT), &sealed, 100),
        Ok(Vec::new())
    );
    ok!(unsafe { subrosa_opener_file(context, null(), 0, mem.at(8)) });
    ok!(subrosa_opener_free(mem.read(8)));
    let bytes = Bytes::new(sealed);
    mem.put(0, &key);
    mem.put(32, CONTEXT);
    unsafe { mem.at::<subrosa_source>(64).write(bytes.source()) };
    ok!(unsafe {
        let context = mem.at::<u8>(32);
        subrosa_reader_open(
            mem.at(64),
            72,
            context.wrapping_sub(32),
            context,
            16,
            mem.at(64),
        )
    });
    ok!(subrosa_reader_free(mem.read(64)));
    mem.put(0, b"image/webp");
    ok!(unsafe { subrosa_sealer_blob(context, 10, context, 10, null(), mem.at(0)) });
    let (sealer, mut blob) = (mem.read(0), null_mut());
    sealer_finish(sealer, &mut Vec::new());
    ok!(unsafe { subrosa_sealer_result(sealer, &mut blob) });
    ok!(subrosa_sealer_free(sealer));

    let message = descriptor(blob, None).unwrap();
    mem.put(0, &message);
    ok!(unsafe { subrosa_blob_parse(mem.at(0), message.len(), mem.at(0)) });
    let read: *mut subrosa_blob = mem.read(0);
    assert_eq!(descriptor(read, None), Ok(message.clone()));
    let thumbnail = subrosa_thumbnail {
        blob: read,
        ..new_thumbnail()
    };
    unsafe { mem.at::<subrosa_thumbnail>(0).write(thumbnail) };
    unsafe { mem.at::<usize>(512).write(400) };
    ok!(unsafe { subrosa_blob_descriptor(blob, mem.at(0), mem.at(0), mem.at(512)) });
    let with_thumbnail = descriptor(blob, Some(&thumbnail)).unwrap();
    assert_eq!(mem.take(0, mem.read(512)), with_thumbnail);
    for blob in [blob, read] {
        ok!(subrosa_blob_free(blob));
    }

    // The link over the author; the id over the link, and the length of its address.
    let author = author();
    mem.put(0, &author);
    mem.put(512, ADDRESS);
    unsafe { mem.at::<usize>(480).write(200) };
    ok!(unsafe {
        subrosa_pack_link(
            mem.at(0),
            mem.at(512),
            ADDRESS.len(),
            mem.at(512),
            mem.at(480),
        )
    });
    let link = mem.take(512, mem.read(480));
    assert_eq!(link, self::link(&author));
    mem.put(0, &link);
    ok!(unsafe { subrosa_pack_find(mem.at(0), link.len(), mem.at(32), mem.at(64)) });
    assert_eq!(mem.read::<usize>(64), ADDRESS.len());
    let id = mem.take(32, 32);

    // What is held next over what is held, and over the author; the manifest over the title.
    let (first, held) = publish_pack(&author, None, 0, b"Owls", &[]).unwrap();
    mem.put(0, &held);
    mem.put(256, &author);
    mem.put(512, b"Many owls");
    let contents = subrosa_contents {
        title: subrosa_bytes {
            data: mem.at(512),
            len: 9,
        },
        ..new_contents()
    };
    unsafe { mem.at::<subrosa_contents>(640).write(contents) };
    unsafe { mem.at::<usize>(480).write(1_500) };
    ok!(unsafe {
        let (held, contents) = (mem.at::<u8>(0), mem.at(640));
        let (manifest, len) = (mem.at(512), mem.at(480));
        subrosa_pack_publish(mem.at(256), held, 0, contents, null(), manifest, len, held)
    });
    let second = mem.take(512, mem.read(480));
    assert_ne!(mem.take(0, SUBROSA_HELD), held);
    mem.put(0, &held);
    mem.put(256, &link);
    ok!(unsafe {
        let (manifest, len) = (mem.at::<u8>(512), second.len());
        let (held, handle) = (mem.at::<u8>(0), mem.at(256));
        subrosa_pack_open(mem.at(256), link.len(), manifest, len, held, handle, held)
    });
    let pack = mem.read(256);
    let (title, _, info) = pack_info(pack);
    assert_eq!(
        (&title[..], info.version, info.id.to_vec()),
        (&b"Many owls"[..], 2, id)
    );
    ok!(subrosa_pack_free(pack));
    let newer: [u8; SUBROSA_HELD] = mem.take(0, SUBROSA_HELD).try_into().unwrap();
    let refused = open_pack(&link, &first, Some(&newer));
    assert_eq!(refused, Err(SUBROSA_ERROR_PACK_ROLLBACK));
}

#[test]
fn attack_i6_a_source_that_calls_again_is_told_so() {
    let files = Files::new();
    let (reader, blob) = (files.reader, files.blob);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&seen);
    *files.sealed.hook.borrow_mut() = Some(Box::new(move || {
        let (mut text, mut len, mut text_len) = ([0; 4], 4, 7);
        told.borrow_mut().extend(unsafe {
            [
                subrosa_reader_read(reader, 0, text.as_mut_ptr(), &mut len),
                subrosa_reader_len(reader, &mut text_len),
                subrosa_reader_free(reader),
            ]
        });
        assert_eq!((text, len, text_len), ([0; 4], 4, 7));
        // Other objects are free.
        assert_eq!(blob_info(blob).text_len, 6);
    }));
    let (mut text, mut len) = ([0; 6], 6);
    ok!(unsafe { subrosa_reader_read(reader, 0, text.as_mut_ptr(), &mut len) });
    assert_eq!(text, *b"a text");
    *files.sealed.hook.borrow_mut() = None;
    assert_eq!(*seen.borrow(), [SUBROSA_ERROR_BUSY; 3]);
    files.end();
}

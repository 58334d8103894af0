//! What must fail with pointers and lengths (I1, I4), and what must not where an output lies in an input (I2).

mod common;
mod attacks_arguments {
    pub mod rows;
}

use std::ffi::c_void;
use std::ptr::{null, null_mut, without_provenance_mut};

use attacks_arguments::rows::{At, Wrong, rows};
use common::disk::Disk;
use common::mem::{Mem, ROOM};
use common::scene::Scene;
use common::*;
use subrosa_capi::device::*;
use subrosa_capi::emoji::*;
use subrosa_capi::list::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::value::*;

#[test]
fn attack_i1_a_pointer_that_is_null_or_askew_changes_nothing() {
    let (scene, mem) = (Scene::new(), Mem::new());
    let rows = rows(&scene, &mem);
    // Where outputs go, and nothing between that has holes.
    let region = || [mem.take(256, 768), mem.take(1456, ROOM - 1456)].concat();
    let before = (scene.state(), region(), scene.source.draws.get());
    for (name, pointers, aligned, call) in &rows {
        for at in 0..*pointers {
            let status = call(At(at, Wrong::Null));
            assert_eq!(
                status, SUBROSA_ERROR_ARGUMENT,
                "{name}: pointer {at} is NULL"
            );
        }
        for at in 0..*aligned {
            let status = call(At(at, Wrong::Odd));
            assert_eq!(
                status, SUBROSA_ERROR_ARGUMENT,
                "{name}: pointer {at} is askew"
            );
        }
    }
    let mut after = region();
    // What functions were told of their room.
    after[24..32].copy_from_slice(&before.1[24..32]);
    assert!(after == before.1);
    assert_eq!(
        (scene.state(), scene.source.draws.get()),
        (before.0, before.2)
    );
    assert_eq!(scene.disk.released.get(), 1);
    drop(rows);
    scene.end();
}

/// A list of bytes that can be NULL, of no length that there is, or askew.
#[test]
fn attack_i1_lengths_that_cannot_be_change_nothing() {
    let (scene, mem) = (Scene::new(), Mem::new());
    let alice = scene.pair.alice;
    let to = scene.pair.to_bob.as_ptr();
    let before = scene.state();
    let huge = isize::MAX.unsigned_abs() + 1;
    let some = mem.at::<u8>(0).cast_const();
    let handle = mem.at::<c_void>(256);
    // Bytes.
    for (data, len) in [
        (null(), 1),
        (null(), huge),
        (some, huge),
        (some, usize::MAX),
        (null(), usize::MAX),
    ] {
        for status in unsafe {
            [
                subrosa_list_parse(data, len, handle.cast()),
                subrosa_device_link(alice, data, len, handle.cast()),
                subrosa_device_scan(alice, to, data, len, handle.cast()),
                subrosa_device_send(alice, to, data, len, some, 1, 0, NOW, handle.cast()),
                subrosa_device_send(alice, to, some, 1, data, len, 0, NOW, handle.cast()),
                subrosa_device_retry(alice, data, len, handle.cast()),
                subrosa_device_refuse(alice, data, len, NOW),
                subrosa_device_group_send(alice, to, data, len, some, 1, handle.cast()),
                subrosa_device_group_send(alice, to, some, 1, data, len, handle.cast()),
                subrosa_device_group_leave(alice, to, data, len, handle.cast()),
                subrosa_device_group_retry(alice, data, len, handle.cast()),
                change(alice, to, (data, len), (null(), 0), (null(), 0), handle),
            ]
        } {
            assert_eq!(status, SUBROSA_ERROR_ARGUMENT, "{data:?}, {len}");
        }
        // A view among others.
        let good = view(b"1");
        let views = [good, subrosa_bytes { data, len }];
        for status in unsafe { of_views(alice, to, views.as_ptr(), 2, handle) } {
            assert_eq!(status, SUBROSA_ERROR_ARGUMENT, "{data:?}, {len}");
        }
    }
    // Lists of something that has an alignment, and of which fewer fit.
    let some = mem.at::<c_void>(0);
    let odd = some.wrapping_byte_add(1);
    for (data, len) in [
        (null_mut(), 1),
        (odd, 1),
        (some, isize::MAX.unsigned_abs() / 2),
        (some, usize::MAX),
        (some, usize::MAX / 8 + 2),
        (null_mut(), usize::MAX),
    ] {
        let views = data.cast::<subrosa_bytes>().cast_const();
        for status in unsafe { of_views(alice, to, views, len, handle) } {
            assert_eq!(status, SUBROSA_ERROR_ARGUMENT, "{data:?}, {len}");
        }
        let next = mem.at::<u8>(512);
        for status in unsafe {
            [
                subrosa_device_read(alice, data.cast(), len),
                subrosa_device_replace_keys(alice, to, data.cast(), len, NOW, handle.cast(), next),
                change(alice, to, (to, 1), (null(), 0), (data.cast(), len), handle),
            ]
        } {
            assert_eq!(status, SUBROSA_ERROR_ARGUMENT, "{data:?}, {len}");
        }
    }
    // A flag that there is not.
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_device_send(alice, to, to, 1, to, 1, 2, NOW, handle.cast())
    });
    // An account, where a device is asked for.
    let nobody = subrosa_address {
        account: [1; 32],
        device: 0,
    };
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        change(alice, to, (to, 1), (null(), 0), (&nobody, 1), handle)
    });
    assert!(mem.read::<*mut c_void>(256).is_null());
    assert_eq!(scene.state(), before);
    scene.end();
}

/// A change of a group, with a name, key packages, and devices.
unsafe fn change(
    alice: *mut subrosa_device,
    group: *const u8,
    (id, id_len): (*const u8, usize),
    (add, add_count): (*const subrosa_bytes, usize),
    (remove, remove_count): (*const subrosa_address, usize),
    handle: *mut c_void,
) -> subrosa_status {
    unsafe {
        subrosa_device_group_change(
            alice,
            group,
            id,
            id_len,
            add,
            add_count,
            remove,
            remove_count,
            NOW,
            handle.cast(),
        )
    }
}

/// What takes a list of bytes.
unsafe fn of_views(
    alice: *mut subrosa_device,
    to: *const u8,
    views: *const subrosa_bytes,
    len: usize,
    handle: *mut c_void,
) -> [subrosa_status; 7] {
    unsafe {
        [
            subrosa_device_update_list(alice, to, views, len, NOW, handle.cast()),
            subrosa_device_begin(alice, views, len, NOW, handle.cast()),
            subrosa_device_receive(alice, views, len, NOW, handle.cast()),
            subrosa_device_sent(alice, views, len),
            subrosa_device_group_receive(alice, views, len, NOW, handle.cast()),
            subrosa_device_group_sent(alice, views, len),
            change(alice, to, (to, 1), (views, len), (null(), 0), handle),
        ]
    }
}

#[test]
fn attack_i1_no_bytes_may_lie_nowhere() {
    let pair = Pair::talking(memory(), memory());
    let (alice, to) = (pair.alice, pair.to_bob.as_ptr());
    let askew = without_provenance_mut::<c_void>(3);
    for nowhere in [null_mut(), askew] {
        let bytes = nowhere.cast::<u8>().cast_const();
        let mut list = null_mut();
        fails!(SUBROSA_ERROR_LIST_MALFORMED, unsafe {
            subrosa_list_parse(bytes, 0, &mut list)
        });
        fails!(SUBROSA_ERROR_LIST_MALFORMED, unsafe {
            subrosa_device_link(alice, bytes, 0, &mut list)
        });
        fails!(SUBROSA_ERROR_MALFORMED, unsafe {
            subrosa_device_refuse(alice, bytes, 0, NOW)
        });
        let mut outbox = null_mut();
        fails!(SUBROSA_ERROR_CLIENT_ID, unsafe {
            subrosa_device_send(alice, to, bytes, 0, bytes, 0, 0, NOW, &mut outbox)
        });
        let id = [b'n', nowhere.is_null().into()];
        ok!(unsafe {
            subrosa_device_send(alice, to, id.as_ptr(), 2, bytes, 0, 0, NOW, &mut outbox)
        });
        let message = sealed(outbox).remove(0).copies.remove(0).1;
        assert_eq!(read_one(pair.bob, message), b"");
        let views = nowhere.cast::<subrosa_bytes>().cast_const();
        let (mut events, mut begun) = (null_mut(), null_mut());
        ok!(unsafe { subrosa_device_receive(alice, views, 0, NOW, &mut events) });
        assert_eq!(told(events), []);
        ok!(unsafe { subrosa_device_begin(alice, views, 0, NOW, &mut begun) });
        assert_eq!(addresses(begun), []);
        ok!(unsafe { subrosa_device_sent(alice, views, 0) });
        ok!(unsafe { subrosa_device_read(alice, nowhere.cast(), 0) });
        // A view of nothing is an envelope of nothing.
        let nothing = subrosa_bytes {
            data: bytes,
            len: 0,
        };
        ok!(unsafe { subrosa_device_receive(alice, &nothing, 1, NOW, &mut events) });
        assert_eq!(told(events)[0].status, SUBROSA_ERROR_MALFORMED);
    }
    pair.free();
}

#[test]
fn attack_i1_structures_of_another_size_are_refused() {
    let scene = Scene::new();
    let before = scene.state();
    for wrong in [-1, 1] {
        let (mut event, mut sent, mut copy) = (new_event(), new_sent(), new_copy());
        let (mut list, mut bundles, mut shown) = (new_list_info(), new_bundles_info(), new_shown());
        let mut rng = scene.source.rng();
        for size in [
            &mut event.struct_size,
            &mut sent.struct_size,
            &mut copy.struct_size,
            &mut list.struct_size,
            &mut bundles.struct_size,
            &mut shown.struct_size,
            &mut rng.struct_size,
        ] {
            *size = size.wrapping_add_signed(wrong);
        }
        let (mut device, mut out) = (null_mut(), [0; 32]);
        for status in unsafe {
            [
                subrosa_events_get(scene.events, 0, &mut event),
                subrosa_outbox_get(scene.outbox, 0, &mut sent),
                subrosa_outbox_copy(scene.outbox, 0, 0, &mut copy),
                subrosa_list_read(scene.list, &mut list),
                subrosa_bundles_read(scene.bundles, &mut bundles),
                subrosa_emoji_reveal(scene.emoji, KEY.as_ptr(), out.as_mut_ptr(), &mut shown),
                subrosa_emoji_finish(scene.emoji, KEY.as_ptr(), &mut shown),
                subrosa_device_open(scene.store, KEY.as_ptr(), &rng, null(), &mut device),
            ]
        } {
            assert_eq!(status, SUBROSA_ERROR_ARGUMENT);
        }
        assert!(event.kind == 0 && list.version == 0 && bundles.one_time == 0 && sent.copies == 0);
        assert!(shown.numbers == [0; 7] && copy.message.len == 0 && out == [0; 32]);
    }
    let mut rng = scene.source.rng();
    rng.fill = None;
    let mut device = null_mut();
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_device_open(scene.store, KEY.as_ptr(), &rng, null(), &mut device)
    });
    let nobody = subrosa_address {
        account: [1; 32],
        device: 0,
    };
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_device_create_linked(scene.store, KEY.as_ptr(), null(), &nobody, NOW, &mut device)
    });
    assert!(device.is_null());
    assert_eq!(scene.state(), before);
    scene.end();
}

#[test]
fn attack_i4_a_short_buffer_changes_nothing() {
    let disk = Disk::new();
    let (alice, _) = create(disk.store());
    let state = || (disk.contents(), generation(alice), disk.commits.get());
    let before = state();
    let request = |room: usize| {
        let mut bytes = [0xee; SUBROSA_LINK_REQUEST + 1];
        let mut len = room;
        let status = unsafe { subrosa_device_link_request(alice, bytes.as_mut_ptr(), &mut len) };
        (status, len, bytes)
    };
    let (status, needed, whole) = request(SUBROSA_LINK_REQUEST);
    assert_eq!((status, needed), (SUBROSA_OK, SUBROSA_LINK_REQUEST));
    assert_eq!(whole[SUBROSA_LINK_REQUEST], 0xee);
    for room in (0..needed).step_by(if cfg!(miri) { 41 } else { 1 }) {
        let (status, len, bytes) = request(room);
        assert_eq!((status, len), (SUBROSA_ERROR_BUFFER, needed));
        assert_eq!(bytes, [0xee; SUBROSA_LINK_REQUEST + 1]);
    }
    // To ask for the length takes no buffer; more room than needed is left as it is.
    let mut len = 0;
    fails!(SUBROSA_ERROR_BUFFER, unsafe {
        subrosa_device_link_request(alice, null_mut(), &mut len)
    });
    assert_eq!(len, needed);
    let (status, len, bytes) = request(needed + 1);
    assert_eq!((status, len, bytes), (SUBROSA_OK, needed, whole));
    let mut len = usize::MAX;
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_device_link_request(alice, [0; 1].as_mut_ptr(), &mut len)
    });
    assert_eq!(len, usize::MAX);
    assert_eq!(state(), before);
    ok!(subrosa_device_free(alice));
}

#[test]
fn attack_i2_a_device_is_made_where_its_inputs_lay() {
    // The recovery key over the app key; the handle over the address, the anchor, and the app key.
    let mem = Mem::with(&KEY);
    let disk = Disk::new();
    ok!(unsafe {
        subrosa_device_create(disk.store(), mem.at(0), null(), NOW, mem.at(256), mem.at(0))
    });
    let alice: *mut subrosa_device = mem.read(256);
    assert_ne!(mem.take(0, 32), KEY);
    let to_alice = account(alice);
    ok!(subrosa_device_free(alice));

    mem.put(256, &1_u64.to_ne_bytes());
    ok!(unsafe {
        subrosa_device_open(disk.store(), KEY.as_ptr(), null(), mem.at(256), mem.at(256))
    });
    let alice: *mut subrosa_device = mem.read(256);
    assert_eq!(account(alice), to_alice);

    let recovery = mem.take(0, 32);
    let mut list = null_mut();
    ok!(unsafe { subrosa_device_list(alice, to_alice.as_ptr(), &mut list) });
    ok!(unsafe {
        // The next recovery key where the present one is, the handle where the app key was.
        let key = Mem::with(&KEY);
        let status = subrosa_device_recover(
            memory(),
            key.at(0),
            null(),
            list,
            mem.at(0),
            NOW,
            key.at(0),
            mem.at(0),
        );
        ok!(subrosa_device_free(key.read(0)));
        status
    });
    assert_ne!(mem.take(0, 32), recovery);
    ok!(subrosa_list_free(list));

    let wanted = subrosa_address {
        account: to_alice,
        device: 2,
    };
    unsafe { mem.at::<subrosa_address>(0).write(wanted) };
    ok!(unsafe {
        subrosa_device_create_linked(memory(), KEY.as_ptr(), null(), mem.at(0), NOW, mem.at(0))
    });
    let tablet: *mut subrosa_device = mem.read(0);
    assert_eq!(address(tablet), wanted);

    let (mut request, mut len) = ([0; SUBROSA_LINK_REQUEST], SUBROSA_LINK_REQUEST);
    ok!(unsafe { subrosa_device_link_request(tablet, request.as_mut_ptr(), &mut len) });
    mem.put(0, &request);
    ok!(unsafe { subrosa_device_link(alice, mem.at(0), len, mem.at(8)) });
    let bytes = list_bytes(mem.read(8));
    mem.put(0, &bytes);
    ok!(unsafe { subrosa_list_parse(mem.at(0), bytes.len(), mem.at(0)) });
    assert_eq!(list_bytes(mem.read(0)), bytes);

    // What is removed lies where the next recovery key comes to lie; the list where it does, too.
    mem.put(128, &recovery);
    mem.put(0, &2_u32.to_ne_bytes());
    ok!(unsafe {
        subrosa_device_replace_keys(
            alice,
            mem.at(128),
            mem.at(0),
            1,
            NOW,
            mem.at(128),
            mem.at(0),
        )
    });
    let replaced = list_bytes(mem.read(128));
    assert_eq!(replaced, known_list(alice, &to_alice));
    assert_ne!(mem.take(0, 4), 2_u32.to_ne_bytes());
    mem.put(0, &to_alice);
    ok!(unsafe { subrosa_device_unlink(alice, 1, NOW, mem.at(0)) });
    ok!(subrosa_list_free(mem.read(0)));
    ok!(subrosa_device_free(tablet));
    ok!(subrosa_device_free(alice));
}

#[test]
fn attack_i2_messages_go_where_their_inputs_lay() {
    let pair = Pair::talking(memory(), memory());
    let (alice, bob) = (pair.alice, pair.bob);
    let mem = Mem::new();
    // The handle over the account, the name, and the text in turn.
    let mut messages = Vec::new();
    for (round, at) in [0, 32, 64].into_iter().enumerate() {
        mem.put(0, &pair.to_bob);
        mem.put(32, &[round as u8; 16]);
        mem.put(64, b"this is the text");
        ok!(unsafe {
            subrosa_device_send(
                alice,
                mem.at(0),
                mem.at(32),
                16,
                mem.at(64),
                16,
                0,
                NOW,
                mem.at(at),
            )
        });
        let sent = sealed(mem.read(at)).remove(0);
        assert_eq!(
            (sent.to, &sent.id[..]),
            (pair.to_bob, &[round as u8; 16][..])
        );
        messages.push(sent.copies[0].1.clone());
        mem.put(32, &[round as u8; 16]);
        ok!(unsafe { subrosa_device_retry(alice, mem.at(32), 16, mem.at(32)) });
        assert_eq!(sealed(mem.read(32)), [sent]);
    }
    // Over the envelope, and over the view of it.
    for (message, at) in messages.iter().zip([0, 512, 520]) {
        mem.put(0, message);
        unsafe {
            mem.at::<subrosa_bytes>(512).write(subrosa_bytes {
                data: mem.at::<u8>(0),
                len: message.len(),
            });
        }
        ok!(unsafe { subrosa_device_receive(bob, mem.at(512), 1, NOW, mem.at(at)) });
        let events = told(mem.read(at));
        assert_eq!(events[0].text, b"this is the text");
    }
    for at in [0, 8, 24] {
        mem.put(0, &pair.to_bob);
        ok!(unsafe { subrosa_device_unreached(alice, mem.at(0), NOW, mem.at(at)) });
        assert_eq!(addresses(mem.read(at)), []);
        mem.put(0, &pair.to_bob);
        ok!(unsafe { subrosa_device_list(alice, mem.at(0), mem.at(at)) });
        assert_eq!(list_bytes(mem.read(at)), known_list(alice, &pair.to_bob));
    }
    let list = known_list(alice, &pair.to_bob);
    for at in [0, 32, 512, 520] {
        mem.put(0, &pair.to_bob);
        mem.put(32, &list);
        unsafe {
            mem.at::<subrosa_bytes>(512).write(subrosa_bytes {
                data: mem.at::<u8>(32),
                len: list.len(),
            });
        }
        let (account, lists) = (mem.at(0), mem.at(512));
        ok!(unsafe { subrosa_device_update_list(alice, account, lists, 1, NOW, mem.at(at)) });
        assert_eq!(told(mem.read(at)), []);
    }
    let bundle = view(b"");
    unsafe { mem.at::<subrosa_bytes>(0).write(bundle) };
    ok!(unsafe { subrosa_device_begin(alice, mem.at(0), 1, NOW, mem.at(8)) });
    assert_eq!(addresses(mem.read(8)), [Err(SUBROSA_ERROR_MALFORMED)]);
    pair.free();
}

#[test]
fn attack_i2_comparisons_go_where_their_inputs_lay() {
    let pair = Pair::new(memory(), memory());
    let (alice, bob) = (pair.alice, pair.bob);
    let mem = Mem::with(&pair.to_bob);
    ok!(unsafe { subrosa_device_digits(alice, mem.at(0), mem.at(0)) });
    let digits = mem.take(0, SUBROSA_DIGITS);
    mem.put(20, &pair.to_alice);
    ok!(unsafe { subrosa_device_digits(bob, mem.at(20), mem.at(0)) });
    assert_eq!(mem.take(0, SUBROSA_DIGITS), digits);
    mem.put(0, &pair.to_bob);
    ok!(unsafe { subrosa_device_qr(alice, mem.at(0), mem.at(7)) });
    for at in [0, 40, 104] {
        let code = mem.take(7, SUBROSA_QR);
        mem.put(200, &code);
        mem.put(300, &pair.to_alice);
        let (account, out) = (mem.at(300), mem.at::<bool>(196 + at));
        ok!(unsafe { subrosa_device_scan(bob, account, mem.at(200), SUBROSA_QR, out) });
        assert_eq!(mem.take(196 + at, 1), [1]);
    }

    // The commitment over the account, the answer over the commitment, the key over the answer, the emoji over the key.
    mem.put(0, &pair.to_bob);
    ok!(unsafe { subrosa_emoji_start(alice, mem.at(0), mem.at(512), mem.at(0)) });
    ok!(unsafe {
        subrosa_emoji_answer(
            bob,
            pair.to_alice.as_ptr(),
            mem.at(0),
            mem.at(520),
            mem.at(0),
        )
    });
    let shown = new_shown();
    unsafe { mem.at::<subrosa_emoji_shown>(544).write(shown) };
    let (started, answered): (*mut subrosa_emoji, *mut subrosa_emoji) =
        (mem.read(512), mem.read(520));
    ok!(unsafe { subrosa_emoji_reveal(started, mem.at(0), mem.at(0), mem.at(544)) });
    let seen: subrosa_emoji_shown = mem.read(544);
    let reveal = mem.take(0, 32);
    unsafe { mem.at::<subrosa_emoji_shown>(544).write(shown) };
    // Behind the size that the structure says.
    mem.put(552, &reveal);
    ok!(unsafe { subrosa_emoji_finish(answered, mem.at(552), mem.at(544)) });
    assert_eq!(mem.read::<subrosa_emoji_shown>(544).numbers, seen.numbers);
    ok!(subrosa_emoji_free(started));
    ok!(subrosa_emoji_free(answered));
    pair.free();
}

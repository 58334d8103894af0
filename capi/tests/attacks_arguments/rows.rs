//! Every function, with one of its pointers wrong.

use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut};

use subrosa_capi::device::*;
use subrosa_capi::emoji::*;
use subrosa_capi::file::*;
use subrosa_capi::list::*;
use subrosa_capi::memory::*;
use subrosa_capi::pack::*;
use subrosa_capi::result::*;
use subrosa_capi::rng::subrosa_rng;
use subrosa_capi::status::*;
use subrosa_capi::store::*;
use subrosa_capi::value::*;

use crate::common::files::new_contents;
use crate::common::mem::Mem;
use crate::common::scene::Scene;
use crate::common::{NOW, new_shown};

/// What is wrong with one pointer of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Null,
    /// One byte beside where it could be.
    Odd,
}

/// The pointer with this number is wrong.
#[derive(Clone, Copy)]
pub struct At(pub usize, pub Wrong);

impl At {
    fn p<T>(self, number: usize, pointer: *mut T) -> *mut T {
        match self {
            At(at, _) if at != number => pointer,
            At(_, Wrong::Null) => null_mut(),
            At(_, Wrong::Odd) => pointer.wrapping_byte_add(1),
        }
    }
}

/// A call with its name, how many pointers it has that must not be NULL, and of how many of the first of those the type has
/// an alignment.
pub type Row = (
    &'static str,
    usize,
    usize,
    Box<dyn Fn(At) -> subrosa_status>,
);

/// Every function that takes pointers to anything but objects. Pointers to structures and to handles come first.
pub fn rows(scene: &Scene, mem: &Mem) -> Vec<Row> {
    let (alice, store, list) = (scene.pair.alice, scene.store, scene.list);
    let (events, outbox, bundles) = (scene.events, scene.outbox, scene.bundles);
    let (addresses, emoji) = (scene.addresses, scene.emoji);
    mem.put(0, &scene.pair.to_bob);
    let account = mem.at::<u8>(0);
    let bytes = mem.at::<u8>(64);
    let (handle, number, out) = (
        mem.at::<c_void>(256),
        mem.at::<c_void>(272),
        mem.at::<u8>(288),
    );
    let room = mem.at::<usize>(280);
    let size = |offset: usize, size: usize| {
        unsafe { mem.at::<usize>(offset).write(size) };
        mem.at::<c_void>(offset)
    };
    let vtable = mem.at::<subrosa_store_vtable>(832);
    unsafe { vtable.write(scene.disk.vtable()) };
    let rng = mem.at::<subrosa_rng>(896);
    unsafe { rng.write(scene.source.rng()) };
    let allocator = size(928, size_of::<subrosa_allocator>());
    let address = mem.at::<subrosa_address>(960);
    unsafe {
        address.write(subrosa_address {
            account: [1; 32],
            device: 1,
        })
    };
    let info = size(400, size_of::<subrosa_list_info>());
    let event = size(480, size_of::<subrosa_event>());
    let sent = size(640, size_of::<subrosa_sent>());
    let copy = size(704, size_of::<subrosa_copy>());
    let published = size(768, size_of::<subrosa_bundles_info>());
    let shown = mem.at::<subrosa_emoji_shown>(1024);
    unsafe { shown.write(new_shown()) };
    let mut all: Vec<Row> = Vec::new();
    macro_rules! row {
        ($name:ident, $count:expr, $aligned:expr, |$at:ident| $call:expr) => {
            all.push((
                stringify!($name),
                $count,
                $aligned,
                Box::new(move |$at: At| unsafe { $call }),
            ));
        };
    }
    row!(subrosa_set_allocator, 1, 1, |a| subrosa_set_allocator(
        a.p(0, allocator.cast())
    ));
    row!(subrosa_store_memory, 1, 1, |a| subrosa_store_memory(
        a.p(0, handle.cast())
    ));
    row!(subrosa_store_sqlite, 2, 1, |a| {
        let path = c"/nowhere/at/all".as_ptr().cast_mut();
        subrosa_store_sqlite(a.p(1, path), null(), null_mut(), a.p(0, handle.cast()))
    });
    row!(subrosa_store_custom, 2, 2, |a| subrosa_store_custom(
        a.p(0, vtable),
        a.p(1, handle.cast())
    ));
    row!(subrosa_list_parse, 1, 1, |a| subrosa_list_parse(
        bytes,
        64,
        a.p(0, handle.cast())
    ));
    row!(subrosa_list_read, 1, 1, |a| subrosa_list_read(
        list,
        a.p(0, info.cast())
    ));
    row!(subrosa_list_device, 1, 1, |a| subrosa_list_device(
        list,
        0,
        a.p(0, number.cast())
    ));
    row!(subrosa_events_get, 1, 1, |a| subrosa_events_get(
        events,
        0,
        a.p(0, event.cast())
    ));
    row!(subrosa_outbox_get, 1, 1, |a| subrosa_outbox_get(
        outbox,
        0,
        a.p(0, sent.cast())
    ));
    row!(subrosa_outbox_copy, 1, 1, |a| subrosa_outbox_copy(
        outbox,
        0,
        0,
        a.p(0, copy.cast())
    ));
    row!(subrosa_bundles_read, 1, 1, |a| subrosa_bundles_read(
        bundles,
        a.p(0, published.cast())
    ));
    row!(
        subrosa_bundles_one_time,
        1,
        1,
        |a| subrosa_bundles_one_time(bundles, 0, a.p(0, number.cast()))
    );
    row!(subrosa_addresses_get, 1, 1, |a| subrosa_addresses_get(
        addresses,
        0,
        a.p(0, number.cast())
    ));
    row!(subrosa_device_create, 3, 1, |a| subrosa_device_create(
        store,
        a.p(1, bytes),
        null(),
        NOW,
        a.p(0, handle.cast()),
        a.p(2, out)
    ));
    row!(subrosa_device_create_linked, 3, 2, |a| {
        subrosa_device_create_linked(
            store,
            a.p(2, bytes),
            null(),
            a.p(1, address),
            NOW,
            a.p(0, handle.cast()),
        )
    });
    row!(subrosa_device_recover, 4, 1, |a| {
        subrosa_device_recover(
            store,
            a.p(1, bytes),
            null(),
            list,
            a.p(2, bytes),
            NOW,
            a.p(0, handle.cast()),
            a.p(3, out),
        )
    });
    row!(subrosa_device_open, 2, 1, |a| subrosa_device_open(
        store,
        a.p(1, bytes),
        null(),
        null(),
        a.p(0, handle.cast())
    ));
    row!(subrosa_device_restore, 2, 1, |a| subrosa_device_restore(
        store,
        a.p(1, bytes),
        null(),
        NOW,
        a.p(0, handle.cast())
    ));
    row!(subrosa_device_address, 1, 1, |a| subrosa_device_address(
        alice,
        a.p(0, number.cast())
    ));
    row!(subrosa_device_generation, 1, 1, |a| {
        subrosa_device_generation(alice, a.p(0, number.cast()))
    });
    // With room for something, the buffer must be there as well.
    row!(subrosa_device_link_request, 2, 1, |a| {
        room.write(8);
        subrosa_device_link_request(alice, a.p(1, out), a.p(0, room))
    });
    row!(subrosa_device_update_list, 2, 1, |a| {
        subrosa_device_update_list(
            alice,
            a.p(1, account),
            null(),
            0,
            NOW,
            a.p(0, handle.cast()),
        )
    });
    row!(subrosa_device_list, 2, 1, |a| subrosa_device_list(
        alice,
        a.p(1, account),
        a.p(0, handle.cast())
    ));
    row!(subrosa_device_approve, 1, 0, |a| subrosa_device_approve(
        alice,
        a.p(0, account)
    ));
    row!(subrosa_device_forget, 1, 0, |a| subrosa_device_forget(
        alice,
        a.p(0, account),
        NOW
    ));
    row!(subrosa_device_link, 1, 1, |a| subrosa_device_link(
        alice,
        bytes,
        64,
        a.p(0, handle.cast())
    ));
    row!(subrosa_device_unlink, 1, 1, |a| subrosa_device_unlink(
        alice,
        1,
        NOW,
        a.p(0, handle.cast())
    ));
    row!(subrosa_device_replace_keys, 3, 1, |a| {
        subrosa_device_replace_keys(
            alice,
            a.p(1, bytes),
            null(),
            0,
            NOW,
            a.p(0, handle.cast()),
            a.p(2, out),
        )
    });
    row!(subrosa_device_digits, 2, 0, |a| subrosa_device_digits(
        alice,
        a.p(0, account),
        a.p(1, out.cast::<c_char>())
    ));
    row!(subrosa_device_qr, 2, 0, |a| subrosa_device_qr(
        alice,
        a.p(0, account),
        a.p(1, out)
    ));
    row!(subrosa_device_scan, 2, 0, |a| subrosa_device_scan(
        alice,
        a.p(0, account),
        bytes,
        64,
        a.p(1, out.cast())
    ));
    row!(subrosa_emoji_start, 3, 1, |a| subrosa_emoji_start(
        alice,
        a.p(1, account),
        a.p(0, handle.cast()),
        a.p(2, out)
    ));
    row!(subrosa_emoji_answer, 4, 1, |a| {
        subrosa_emoji_answer(
            alice,
            a.p(1, account),
            a.p(2, bytes),
            a.p(0, handle.cast()),
            a.p(3, out),
        )
    });
    row!(subrosa_emoji_reveal, 3, 1, |a| subrosa_emoji_reveal(
        emoji,
        a.p(1, bytes),
        a.p(2, out),
        a.p(0, shown)
    ));
    row!(subrosa_emoji_finish, 2, 1, |a| subrosa_emoji_finish(
        emoji,
        a.p(1, bytes),
        a.p(0, shown)
    ));
    row!(subrosa_device_publish_due, 1, 0, |a| {
        subrosa_device_publish_due(alice, NOW, a.p(0, out.cast()))
    });
    row!(subrosa_device_publish, 1, 1, |a| subrosa_device_publish(
        alice,
        1,
        NOW,
        a.p(0, handle.cast())
    ));
    row!(
        subrosa_device_unreached,
        2,
        1,
        |a| subrosa_device_unreached(alice, a.p(1, account), NOW, a.p(0, handle.cast()))
    );
    row!(subrosa_device_begin, 1, 1, |a| subrosa_device_begin(
        alice,
        null(),
        0,
        NOW,
        a.p(0, handle.cast())
    ));
    row!(subrosa_device_send, 2, 1, |a| {
        subrosa_device_send(
            alice,
            a.p(1, account),
            bytes,
            8,
            bytes,
            8,
            0,
            NOW,
            a.p(0, handle.cast()),
        )
    });
    row!(subrosa_device_retry, 1, 1, |a| subrosa_device_retry(
        alice,
        bytes,
        8,
        a.p(0, handle.cast())
    ));
    row!(subrosa_device_outbox, 1, 1, |a| subrosa_device_outbox(
        alice,
        0,
        1,
        null_mut(),
        a.p(0, handle.cast())
    ));
    row!(subrosa_device_receive, 1, 1, |a| subrosa_device_receive(
        alice,
        null(),
        0,
        NOW,
        a.p(0, handle.cast())
    ));
    row!(subrosa_device_inbox, 1, 1, |a| subrosa_device_inbox(
        alice,
        0,
        1,
        a.p(0, handle.cast())
    ));
    group_rows(scene, mem, &mut all);
    file_rows(scene, mem, &mut all);
    all
}

/// Those of groups.
fn group_rows(scene: &Scene, mem: &Mem, all: &mut Vec<Row>) {
    let alice = scene.pair.alice;
    let bytes = mem.at::<u8>(64);
    let (handle, number, out) = (
        mem.at::<c_void>(256),
        mem.at::<c_void>(272),
        mem.at::<u8>(288),
    );
    let room = mem.at::<usize>(280);
    macro_rules! row {
        ($name:ident, $count:expr, $aligned:expr, |$at:ident| $call:expr) => {
            all.push((
                stringify!($name),
                $count,
                $aligned,
                Box::new(move |$at: At| unsafe { $call }),
            ));
        };
    }
    row!(subrosa_device_publish_key_packages, 1, 1, |a| {
        subrosa_device_publish_key_packages(alice, 1, NOW, a.p(0, handle.cast()))
    });
    row!(subrosa_device_group_create, 1, 0, |a| {
        subrosa_device_group_create(alice, NOW, a.p(0, out))
    });
    // With room for something, the buffer must be there as well.
    row!(subrosa_device_group_list, 2, 1, |a| {
        room.write(8);
        subrosa_device_group_list(alice, a.p(1, out), a.p(0, room))
    });
    row!(subrosa_device_group_members, 2, 1, |a| {
        subrosa_device_group_members(alice, a.p(1, bytes), a.p(0, handle.cast()))
    });
    row!(subrosa_device_group_epoch, 3, 1, |a| {
        let epoch = a.p(0, number.cast());
        subrosa_device_group_epoch(alice, a.p(1, bytes), epoch, a.p(2, out))
    });
    row!(subrosa_device_group_change, 2, 1, |a| {
        let (group, to) = (a.p(1, bytes), a.p(0, handle.cast()));
        subrosa_device_group_change(alice, group, bytes, 8, null(), 0, null(), 0, NOW, to)
    });
    row!(subrosa_device_group_withdraw, 1, 0, |a| {
        subrosa_device_group_withdraw(alice, a.p(0, bytes))
    });
    row!(subrosa_device_group_send, 2, 1, |a| {
        let (group, to) = (a.p(1, bytes), a.p(0, handle.cast()));
        subrosa_device_group_send(alice, group, bytes, 8, bytes, 8, to)
    });
    row!(subrosa_device_group_leave, 2, 1, |a| {
        let (group, to) = (a.p(1, bytes), a.p(0, handle.cast()));
        subrosa_device_group_leave(alice, group, bytes, 8, to)
    });
    row!(subrosa_device_group_forget, 1, 0, |a| {
        subrosa_device_group_forget(alice, a.p(0, bytes))
    });
    row!(subrosa_device_group_retry, 1, 1, |a| {
        subrosa_device_group_retry(alice, bytes, 8, a.p(0, handle.cast()))
    });
    row!(subrosa_device_group_outbox, 1, 1, |a| {
        subrosa_device_group_outbox(alice, 0, 1, null_mut(), a.p(0, handle.cast()))
    });
    row!(subrosa_device_group_receive, 1, 1, |a| {
        subrosa_device_group_receive(alice, null(), 0, NOW, a.p(0, handle.cast()))
    });
}

/// Those of files and packs.
fn file_rows(scene: &Scene, mem: &Mem, all: &mut Vec<Row>) {
    let files = &scene.files;
    let (sealer, opener, reader) = (files.sealer, files.opener, files.reader);
    let (blob, pack) = (files.blob, files.pack);
    let bytes = mem.at::<u8>(64);
    let (handle, number, out) = (
        mem.at::<c_void>(256),
        mem.at::<c_void>(272),
        mem.at::<u8>(288),
    );
    let room = mem.at::<usize>(280);
    let size = |offset: usize, size: usize| {
        unsafe { mem.at::<usize>(offset).write(size) };
        mem.at::<c_void>(offset)
    };
    let author = mem.at::<u8>(1280);
    mem.put(1280, &files.author);
    let source = mem.at::<subrosa_source>(1360);
    unsafe { source.write(files.sealed.source()) };
    let contents = mem.at::<subrosa_contents>(1392);
    unsafe { contents.write(new_contents()) };
    let told = size(1456, size_of::<subrosa_blob_info>());
    let piece = size(1536, size_of::<subrosa_piece>());
    let info = size(1600, size_of::<subrosa_pack_info>());
    let held = mem.at::<u8>(1728);
    macro_rules! row {
        ($name:ident, $count:expr, $aligned:expr, |$at:ident| $call:expr) => {
            all.push((
                stringify!($name),
                $count,
                $aligned,
                Box::new(move |$at: At| unsafe { $call }),
            ));
        };
    }
    row!(subrosa_sealer_file, 2, 1, |a| {
        subrosa_sealer_file(bytes, 8, null(), a.p(0, handle.cast()), a.p(1, out))
    });
    row!(subrosa_sealer_blob, 1, 1, |a| {
        let name = c"image/webp".as_ptr().cast();
        subrosa_sealer_blob(name, 10, bytes, 8, null(), a.p(0, handle.cast()))
    });
    // With room for something, the buffer must be there as well.
    row!(subrosa_sealer_push, 3, 2, |a| {
        room.write(8);
        let taken = a.p(0, number.cast());
        subrosa_sealer_push(sealer, bytes, 8, taken, a.p(2, out), a.p(1, room))
    });
    row!(subrosa_sealer_finish, 2, 1, |a| {
        room.write(8);
        subrosa_sealer_finish(sealer, a.p(1, out), a.p(0, room))
    });
    row!(subrosa_sealer_result, 1, 1, |a| {
        subrosa_sealer_result(sealer, a.p(0, handle.cast()))
    });
    row!(subrosa_opener_file, 2, 1, |a| {
        subrosa_opener_file(a.p(1, bytes), bytes, 8, a.p(0, handle.cast()))
    });
    row!(subrosa_opener_blob, 1, 1, |a| {
        subrosa_opener_blob(blob, a.p(0, handle.cast()))
    });
    row!(subrosa_opener_push, 3, 2, |a| {
        room.write(8);
        let taken = a.p(0, number.cast());
        subrosa_opener_push(opener, bytes, 8, taken, a.p(2, out), a.p(1, room))
    });
    row!(subrosa_opener_finish, 2, 1, |a| {
        room.write(8);
        subrosa_opener_finish(opener, a.p(1, out), a.p(0, room))
    });
    row!(subrosa_reader_open, 3, 2, |a| {
        let (source, handle) = (a.p(0, source), a.p(1, handle.cast()));
        subrosa_reader_open(source, 78, a.p(2, bytes), bytes, 8, handle)
    });
    row!(subrosa_reader_len, 1, 1, |a| {
        subrosa_reader_len(reader, a.p(0, number.cast()))
    });
    row!(subrosa_reader_read, 2, 1, |a| {
        room.write(8);
        subrosa_reader_read(reader, 0, a.p(1, out), a.p(0, room))
    });
    row!(subrosa_blob_parse, 1, 1, |a| {
        subrosa_blob_parse(bytes, 64, a.p(0, handle.cast()))
    });
    row!(subrosa_blob_read, 1, 1, |a| {
        subrosa_blob_read(blob, a.p(0, told.cast()))
    });
    row!(subrosa_blob_thumbnail, 1, 1, |a| {
        subrosa_blob_thumbnail(blob, a.p(0, handle.cast()))
    });
    row!(subrosa_blob_id, 1, 0, |a| {
        subrosa_blob_id(blob, a.p(0, out), null_mut())
    });
    row!(subrosa_blob_descriptor, 2, 1, |a| {
        room.write(8);
        subrosa_blob_descriptor(blob, null(), a.p(1, out), a.p(0, room))
    });
    row!(subrosa_blob_piece, 1, 1, |a| {
        subrosa_blob_piece(blob, 0, 1, a.p(0, piece.cast()))
    });
    row!(subrosa_blob_open_piece, 2, 1, |a| {
        room.write(8);
        let (out, room) = (a.p(1, out), a.p(0, room));
        subrosa_blob_open_piece(blob, 0, 1, bytes, 8, bytes, 8, out, room)
    });
    row!(subrosa_piece_of_leaves, 1, 1, |a| {
        subrosa_piece_of_leaves(72, 0, 1, a.p(0, piece.cast()))
    });
    row!(subrosa_piece_verify, 1, 0, |a| {
        subrosa_piece_verify(a.p(0, bytes), 72, 0, 1, bytes, 8, bytes, 8)
    });
    row!(subrosa_pack_create, 1, 0, |a| {
        subrosa_pack_create(null(), a.p(0, out))
    });
    row!(subrosa_pack_link, 3, 1, |a| {
        room.write(8);
        subrosa_pack_link(a.p(1, author), bytes, 0, a.p(2, out), a.p(0, room))
    });
    row!(subrosa_pack_publish, 5, 2, |a| {
        room.write(8);
        subrosa_pack_publish(
            a.p(2, author),
            null(),
            0,
            a.p(0, contents),
            null(),
            a.p(3, out),
            a.p(1, room),
            a.p(4, held),
        )
    });
    row!(subrosa_pack_find, 1, 0, |a| {
        subrosa_pack_find(bytes, 8, a.p(0, out), null_mut())
    });
    row!(subrosa_pack_open, 2, 1, |a| {
        let (handle, held) = (a.p(0, handle.cast()), a.p(1, held));
        subrosa_pack_open(bytes, 8, bytes, 8, null(), handle, held)
    });
    row!(subrosa_pack_read, 1, 1, |a| {
        subrosa_pack_read(pack, a.p(0, info.cast()))
    });
    row!(subrosa_pack_sticker, 1, 1, |a| {
        subrosa_pack_sticker(pack, 0, null_mut(), a.p(0, handle.cast()))
    });
    row!(subrosa_pack_emoji, 1, 1, |a| {
        subrosa_pack_emoji(pack, 0, 0, a.p(0, number.cast()))
    });
}

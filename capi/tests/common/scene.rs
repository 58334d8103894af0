//! One object of each type, and everything that can be handed in beside it.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::rc::Rc;

use subrosa_capi::device::*;
use subrosa_capi::emoji::*;
use subrosa_capi::file::*;
use subrosa_capi::list::*;
use subrosa_capi::pack::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::store::*;
use subrosa_capi::value::*;

use super::disk::{Contents, Disk};
use super::files::{self, Bytes, CONTEXT};
use super::mem::Mem;
use super::source::Source;
use super::*;
use crate::ok;

/// The types of objects, in the order of `Scene::objects`.
pub const TYPES: [&str; 13] = [
    "store",
    "device",
    "list",
    "events",
    "outbox",
    "bundles",
    "addresses",
    "emoji",
    "sealer",
    "opener",
    "reader",
    "blob",
    "pack",
];

/// Alice, who talks with Bob, and one object of each type.
pub struct Scene {
    pub disk: Rc<Disk>,
    pub source: Rc<Source>,
    pub pair: Pair,
    pub store: *mut subrosa_store,
    pub list: *mut subrosa_list,
    pub events: *mut subrosa_events,
    pub outbox: *mut subrosa_outbox,
    pub bundles: *mut subrosa_bundles,
    pub addresses: *mut subrosa_addresses,
    pub emoji: *mut subrosa_emoji,
    pub files: Files,
}

/// What was sealed, and one object of each type that seals and opens.
pub struct Files {
    /// What the reader reads.
    pub sealed: Rc<Bytes>,
    pub key: [u8; 32],
    /// What the opener is to be given.
    stored: Vec<u8>,
    pub author: [u8; SUBROSA_AUTHOR],
    pub link: Vec<u8>,
    pub manifest: Vec<u8>,
    pub sealer: *mut subrosa_sealer,
    pub opener: *mut subrosa_opener,
    pub reader: *mut subrosa_reader,
    pub blob: *mut subrosa_blob,
    pub pack: *mut subrosa_pack,
}

impl Files {
    pub fn new() -> Self {
        let (sealed, key) = files::seal_file(b"a text", 6);
        let sealed = Bytes::new(sealed);
        let mut reader = null_mut();
        let (source, len) = (sealed.source(), sealed.bytes.borrow().len() as u64);
        let (context, context_len) = (CONTEXT.as_ptr(), CONTEXT.len());
        ok!(unsafe {
            subrosa_reader_open(
                &source,
                len,
                key.as_ptr(),
                context,
                context_len,
                &mut reader,
            )
        });
        let (stored, blob) = files::seal_blob(b"image/webp", b"an owl");
        let author = files::author();
        let link = files::link(&author);
        let stickers: files::Stickers<'_> = &[(blob, &["\u{1f989}".as_bytes()])];
        let (manifest, _) = files::publish_pack(&author, None, 0, b"Owls", stickers).unwrap();
        Self {
            sealed,
            key,
            stored,
            author,
            sealer: files::sealer_blob(b"image/webp"),
            opener: files::opener_blob(blob),
            reader,
            blob,
            pack: files::open_pack(&link, &manifest, None).unwrap().0,
            link,
            manifest,
        }
    }

    fn objects(&self) -> [*mut c_void; 5] {
        [
            self.sealer.cast(),
            self.opener.cast(),
            self.reader.cast(),
            self.blob.cast(),
            self.pack.cast(),
        ]
    }

    /// Every object works, and is then freed.
    pub fn end(self) {
        files::sealer_finish(self.sealer, &mut Vec::new());
        let mut blob = null_mut();
        ok!(unsafe { subrosa_sealer_result(self.sealer, &mut blob) });
        assert_eq!(files::blob_info(blob).text_len, 0);
        assert_eq!(
            files::opened(self.opener, &self.stored, 100),
            Ok(b"an owl".to_vec())
        );
        let (mut text, mut len) = ([0; 10], 10);
        ok!(unsafe { subrosa_reader_read(self.reader, 2, text.as_mut_ptr(), &mut len) });
        assert_eq!(text[..len], *b"text");
        assert_eq!(files::blob_info(self.blob).text_len, 6);
        assert_eq!(files::pack_info(self.pack).0, b"Owls");
        ok!(subrosa_sealer_free(self.sealer));
        ok!(subrosa_reader_free(self.reader));
        ok!(subrosa_pack_free(self.pack));
        ok!(subrosa_blob_free(self.blob));
        ok!(subrosa_blob_free(blob));
    }
}

impl Scene {
    pub fn new() -> Self {
        let (disk, source) = (Disk::new(), Source::new(1));
        ok!(subrosa_device_free(create(disk.store()).0));
        let mut alice = null_mut();
        let rng = source.rng();
        ok!(unsafe { subrosa_device_open(disk.store(), KEY.as_ptr(), &rng, null(), &mut alice) });
        let (bob, _) = create(memory());
        introduce(alice, bob);
        introduce(bob, alice);
        let bobs = super::publish(bob, 1, NOW);
        begin(alice, &bobs[1..], NOW);
        let pair = Pair {
            alice,
            bob,
            to_alice: account(alice),
            to_bob: account(bob),
        };
        assert_eq!(pair.to_bob(b"1", b"there"), b"there");
        assert_eq!(pair.to_alice(b"1", b"back"), b"back");

        let to = pair.to_bob.as_ptr();
        let mut list = null_mut();
        ok!(unsafe { subrosa_device_list(alice, to, &mut list) });
        let mut events = null_mut();
        ok!(unsafe { subrosa_device_inbox(alice, 0, 1, &mut events) });
        let mut outbox = null_mut();
        ok!(unsafe { subrosa_device_outbox(alice, 0, 1, null_mut(), &mut outbox) });
        let mut bundles = null_mut();
        ok!(unsafe { subrosa_device_publish(alice, 1, NOW, &mut bundles) });
        let mut addresses = null_mut();
        let bundle = view(&bobs[0]);
        ok!(unsafe { subrosa_device_begin(pair.bob, &bundle, 1, NOW, &mut addresses) });
        let (mut emoji, mut commitment) = (null_mut(), [0; 32]);
        ok!(unsafe { subrosa_emoji_start(alice, to, &mut emoji, commitment.as_mut_ptr()) });
        Self {
            disk,
            source,
            pair,
            store: memory(),
            list,
            events,
            outbox,
            bundles,
            addresses,
            emoji,
            files: Files::new(),
        }
    }

    /// Everything that a call of Alice's could change.
    pub fn state(&self) -> (Contents, u64) {
        (self.disk.contents(), generation(self.pair.alice))
    }

    pub fn objects(&self) -> [*mut c_void; 13] {
        let [sealer, opener, reader, blob, pack] = self.files.objects();
        [
            self.store.cast(),
            self.pair.alice.cast(),
            self.list.cast(),
            self.events.cast(),
            self.outbox.cast(),
            self.bundles.cast(),
            self.addresses.cast(),
            self.emoji.cast(),
            sealer,
            opener,
            reader,
            blob,
            pack,
        ]
    }

    /// Every object works, and is then freed.
    pub fn end(self) {
        assert_eq!(self.pair.to_bob(b"end", b"end"), b"end");
        assert_eq!(self.pair.to_alice(b"end", b"end"), b"end");
        assert_eq!(told(self.events).len(), 1);
        assert_eq!(sealed(self.outbox).len(), 1);
        assert_eq!(super::addresses(self.addresses).len(), 1);
        assert!(!list_bytes(self.list).is_empty());
        let mut info = new_bundles_info();
        ok!(unsafe { subrosa_bundles_read(self.bundles, &mut info) });
        assert_eq!(info.one_time, 1);
        ok!(subrosa_bundles_free(self.bundles));
        let (mut reveal, mut shown) = ([0; 32], new_shown());
        ok!(unsafe {
            subrosa_emoji_reveal(
                self.emoji,
                [1; 32].as_ptr(),
                reveal.as_mut_ptr(),
                &mut shown,
            )
        });
        ok!(subrosa_emoji_free(self.emoji));
        ok!(subrosa_store_free(self.store));
        self.files.end();
        self.pair.free();
    }
}

/// A function with an object, and which type it should be.
pub type Call = (
    &'static str,
    usize,
    Box<dyn Fn(*mut c_void) -> subrosa_status>,
);

/// Every function with an object, called with this one instead, and which type it should be. All else is as it should be; what
/// is written goes to `mem`.
pub fn calls(scene: &Scene, mem: &Mem) -> Vec<Call> {
    let account = mem.at::<u8>(0);
    mem.put(0, &scene.pair.to_bob);
    let bytes = mem.at::<u8>(64);
    mem.put(64, &[1; 64]);
    let out = mem.at::<u8>(512);
    let handle = mem.at::<c_void>(768);
    let key = mem.at::<u8>(128);
    let count = mem.at::<usize>(192);
    let (list, alice) = (scene.list, scene.pair.alice);
    let sized = move |len: usize| {
        // Every structure begins with its size.
        unsafe { out.cast::<usize>().write(len) };
        out
    };
    let mut all: Vec<Call> = Vec::new();
    macro_rules! call {
        ($type:expr, $name:ident, |$object:ident| $call:expr) => {
            all.push((
                stringify!($name),
                $type,
                Box::new(move |$object: *mut c_void| $call),
            ));
        };
    }
    call!(0, subrosa_store_free, |o| subrosa_store_free(o.cast()));
    call!(0, subrosa_device_create, |o| unsafe {
        subrosa_device_create(o.cast(), key, null(), NOW, handle.cast(), out)
    });
    call!(0, subrosa_device_create_linked, |o| {
        let address = subrosa_address {
            account: [1; 32],
            device: 1,
        };
        unsafe { subrosa_device_create_linked(o.cast(), key, null(), &address, NOW, handle.cast()) }
    });
    call!(0, subrosa_device_recover, |o| unsafe {
        subrosa_device_recover(o.cast(), key, null(), list, bytes, NOW, handle.cast(), out)
    });
    call!(0, subrosa_device_open, |o| unsafe {
        subrosa_device_open(o.cast(), key, null(), null(), handle.cast())
    });
    call!(0, subrosa_device_restore, |o| unsafe {
        subrosa_device_restore(o.cast(), key, null(), NOW, handle.cast())
    });
    call!(0, subrosa_device_reopen_with, |o| {
        subrosa_device_reopen_with(alice, o.cast())
    });
    call!(1, subrosa_device_free, |o| subrosa_device_free(o.cast()));
    call!(1, subrosa_device_address, |o| unsafe {
        subrosa_device_address(o.cast(), out.cast())
    });
    call!(1, subrosa_device_generation, |o| unsafe {
        subrosa_device_generation(o.cast(), out.cast())
    });
    call!(1, subrosa_device_link_request, |o| unsafe {
        subrosa_device_link_request(o.cast(), out, count)
    });
    call!(1, subrosa_device_reopen, |o| subrosa_device_reopen(
        o.cast()
    ));
    let store = scene.store;
    call!(1, subrosa_device_reopen_with, |o| {
        subrosa_device_reopen_with(o.cast(), store)
    });
    call!(1, subrosa_device_update_list, |o| unsafe {
        subrosa_device_update_list(o.cast(), account, null(), 0, NOW, handle.cast())
    });
    call!(1, subrosa_device_list, |o| unsafe {
        subrosa_device_list(o.cast(), account, handle.cast())
    });
    call!(1, subrosa_device_approve, |o| unsafe {
        subrosa_device_approve(o.cast(), account)
    });
    call!(1, subrosa_device_forget, |o| unsafe {
        subrosa_device_forget(o.cast(), account, NOW)
    });
    call!(1, subrosa_device_link, |o| unsafe {
        subrosa_device_link(o.cast(), bytes, 64, handle.cast())
    });
    call!(1, subrosa_device_unlink, |o| unsafe {
        subrosa_device_unlink(o.cast(), 1, NOW, handle.cast())
    });
    call!(1, subrosa_device_replace_keys, |o| unsafe {
        subrosa_device_replace_keys(o.cast(), bytes, null(), 0, NOW, handle.cast(), out)
    });
    call!(1, subrosa_device_digits, |o| unsafe {
        subrosa_device_digits(o.cast(), account, out.cast())
    });
    call!(1, subrosa_device_qr, |o| unsafe {
        subrosa_device_qr(o.cast(), account, out)
    });
    call!(1, subrosa_device_scan, |o| unsafe {
        subrosa_device_scan(o.cast(), account, bytes, 64, out.cast())
    });
    call!(1, subrosa_emoji_start, |o| unsafe {
        subrosa_emoji_start(o.cast(), account, handle.cast(), out)
    });
    call!(1, subrosa_emoji_answer, |o| unsafe {
        subrosa_emoji_answer(o.cast(), account, bytes, handle.cast(), out)
    });
    call!(1, subrosa_device_publish_due, |o| unsafe {
        subrosa_device_publish_due(o.cast(), NOW, out.cast())
    });
    call!(1, subrosa_device_publish, |o| unsafe {
        subrosa_device_publish(o.cast(), 1, NOW, handle.cast())
    });
    call!(1, subrosa_device_unreached, |o| unsafe {
        subrosa_device_unreached(o.cast(), account, NOW, handle.cast())
    });
    call!(1, subrosa_device_begin, |o| unsafe {
        subrosa_device_begin(o.cast(), null(), 0, NOW, handle.cast())
    });
    call!(1, subrosa_device_send, |o| unsafe {
        subrosa_device_send(
            o.cast(),
            account,
            bytes,
            8,
            bytes,
            64,
            0,
            NOW,
            handle.cast(),
        )
    });
    call!(1, subrosa_device_retry, |o| unsafe {
        subrosa_device_retry(o.cast(), bytes, 8, handle.cast())
    });
    call!(1, subrosa_device_outbox, |o| unsafe {
        subrosa_device_outbox(o.cast(), 0, 1, out.cast(), handle.cast())
    });
    call!(1, subrosa_device_sent, |o| unsafe {
        subrosa_device_sent(o.cast(), null(), 0)
    });
    call!(1, subrosa_device_receive, |o| unsafe {
        subrosa_device_receive(o.cast(), null(), 0, NOW, handle.cast())
    });
    call!(1, subrosa_device_refuse, |o| unsafe {
        subrosa_device_refuse(o.cast(), bytes, 64, NOW)
    });
    call!(1, subrosa_device_inbox, |o| unsafe {
        subrosa_device_inbox(o.cast(), 0, 1, handle.cast())
    });
    call!(1, subrosa_device_read, |o| unsafe {
        subrosa_device_read(o.cast(), null(), 0)
    });
    call!(1, subrosa_device_publish_key_packages, |o| unsafe {
        subrosa_device_publish_key_packages(o.cast(), 1, NOW, handle.cast())
    });
    call!(1, subrosa_device_group_create, |o| unsafe {
        subrosa_device_group_create(o.cast(), NOW, out)
    });
    call!(1, subrosa_device_group_list, |o| unsafe {
        subrosa_device_group_list(o.cast(), out, count)
    });
    call!(1, subrosa_device_group_members, |o| unsafe {
        subrosa_device_group_members(o.cast(), bytes, handle.cast())
    });
    call!(1, subrosa_device_group_epoch, |o| unsafe {
        subrosa_device_group_epoch(o.cast(), bytes, mem_reveal(out).cast(), out)
    });
    call!(1, subrosa_device_group_change, |o| unsafe {
        let sealed = handle.cast();
        subrosa_device_group_change(o.cast(), bytes, bytes, 8, null(), 0, null(), 0, NOW, sealed)
    });
    call!(1, subrosa_device_group_withdraw, |o| unsafe {
        subrosa_device_group_withdraw(o.cast(), bytes)
    });
    call!(1, subrosa_device_group_send, |o| unsafe {
        subrosa_device_group_send(o.cast(), bytes, bytes, 8, bytes, 64, handle.cast())
    });
    call!(1, subrosa_device_group_leave, |o| unsafe {
        subrosa_device_group_leave(o.cast(), bytes, bytes, 8, handle.cast())
    });
    call!(1, subrosa_device_group_forget, |o| unsafe {
        subrosa_device_group_forget(o.cast(), bytes)
    });
    call!(1, subrosa_device_group_retry, |o| unsafe {
        subrosa_device_group_retry(o.cast(), bytes, 8, handle.cast())
    });
    call!(1, subrosa_device_group_outbox, |o| unsafe {
        subrosa_device_group_outbox(o.cast(), 0, 1, out.cast(), handle.cast())
    });
    call!(1, subrosa_device_group_sent, |o| unsafe {
        subrosa_device_group_sent(o.cast(), null(), 0)
    });
    call!(1, subrosa_device_group_receive, |o| unsafe {
        subrosa_device_group_receive(o.cast(), null(), 0, NOW, handle.cast())
    });
    call!(2, subrosa_list_free, |o| subrosa_list_free(o.cast()));
    call!(2, subrosa_list_read, |o| unsafe {
        subrosa_list_read(o.cast(), sized(size_of::<subrosa_list_info>()).cast())
    });
    call!(2, subrosa_list_device, |o| unsafe {
        subrosa_list_device(o.cast(), 0, out.cast())
    });
    call!(2, subrosa_device_recover, |o| unsafe {
        subrosa_device_recover(store, key, null(), o.cast(), bytes, NOW, handle.cast(), out)
    });
    call!(3, subrosa_events_free, |o| subrosa_events_free(o.cast()));
    call!(3, subrosa_events_get, |o| unsafe {
        subrosa_events_get(o.cast(), 0, sized(size_of::<subrosa_event>()).cast())
    });
    call!(4, subrosa_outbox_free, |o| subrosa_outbox_free(o.cast()));
    call!(4, subrosa_outbox_get, |o| unsafe {
        subrosa_outbox_get(o.cast(), 0, sized(size_of::<subrosa_sent>()).cast())
    });
    call!(4, subrosa_outbox_copy, |o| unsafe {
        subrosa_outbox_copy(o.cast(), 0, 0, sized(size_of::<subrosa_copy>()).cast())
    });
    call!(5, subrosa_bundles_free, |o| subrosa_bundles_free(o.cast()));
    call!(5, subrosa_bundles_read, |o| unsafe {
        subrosa_bundles_read(o.cast(), sized(size_of::<subrosa_bundles_info>()).cast())
    });
    call!(5, subrosa_bundles_one_time, |o| unsafe {
        subrosa_bundles_one_time(o.cast(), 0, out.cast())
    });
    call!(6, subrosa_addresses_free, |o| subrosa_addresses_free(
        o.cast()
    ));
    call!(6, subrosa_addresses_get, |o| unsafe {
        subrosa_addresses_get(o.cast(), 0, out.cast())
    });
    call!(7, subrosa_emoji_free, |o| subrosa_emoji_free(o.cast()));
    call!(7, subrosa_emoji_reveal, |o| unsafe {
        subrosa_emoji_reveal(
            o.cast(),
            bytes,
            mem_reveal(out),
            sized(size_of::<subrosa_emoji_shown>()).cast(),
        )
    });
    call!(7, subrosa_emoji_finish, |o| unsafe {
        subrosa_emoji_finish(
            o.cast(),
            bytes,
            sized(size_of::<subrosa_emoji_shown>()).cast(),
        )
    });
    let number = mem.at::<usize>(200);
    call!(8, subrosa_sealer_free, |o| subrosa_sealer_free(o.cast()));
    call!(8, subrosa_sealer_push, |o| unsafe {
        subrosa_sealer_push(o.cast(), bytes, 64, number, out, count)
    });
    call!(8, subrosa_sealer_finish, |o| unsafe {
        subrosa_sealer_finish(o.cast(), out, count)
    });
    call!(8, subrosa_sealer_result, |o| unsafe {
        subrosa_sealer_result(o.cast(), handle.cast())
    });
    call!(9, subrosa_opener_free, |o| subrosa_opener_free(o.cast()));
    call!(9, subrosa_opener_push, |o| unsafe {
        subrosa_opener_push(o.cast(), bytes, 64, number, out, count)
    });
    call!(9, subrosa_opener_finish, |o| unsafe {
        subrosa_opener_finish(o.cast(), out, count)
    });
    call!(10, subrosa_reader_free, |o| subrosa_reader_free(o.cast()));
    call!(10, subrosa_reader_len, |o| unsafe {
        subrosa_reader_len(o.cast(), out.cast())
    });
    call!(10, subrosa_reader_read, |o| unsafe {
        subrosa_reader_read(o.cast(), 0, out, count)
    });
    call!(11, subrosa_blob_free, |o| subrosa_blob_free(o.cast()));
    call!(11, subrosa_opener_blob, |o| unsafe {
        subrosa_opener_blob(o.cast(), handle.cast())
    });
    call!(11, subrosa_blob_read, |o| unsafe {
        subrosa_blob_read(o.cast(), sized(size_of::<subrosa_blob_info>()).cast())
    });
    call!(11, subrosa_blob_thumbnail, |o| unsafe {
        subrosa_blob_thumbnail(o.cast(), handle.cast())
    });
    call!(11, subrosa_blob_admit, |o| unsafe {
        subrosa_blob_admit(o.cast(), 1, null(), 0)
    });
    call!(11, subrosa_blob_id, |o| unsafe {
        subrosa_blob_id(o.cast(), out, null_mut())
    });
    call!(11, subrosa_blob_descriptor, |o| unsafe {
        subrosa_blob_descriptor(o.cast(), null(), out, count)
    });
    call!(11, subrosa_blob_piece, |o| unsafe {
        subrosa_blob_piece(o.cast(), 0, 1, sized(size_of::<subrosa_piece>()).cast())
    });
    call!(11, subrosa_blob_open_piece, |o| unsafe {
        subrosa_blob_open_piece(o.cast(), 0, 1, bytes, 64, bytes, 64, out, count)
    });
    let author = mem.at::<u8>(1280);
    mem.put(1280, &scene.files.author);
    call!(11, subrosa_pack_publish, |o| {
        let sticker = subrosa_sticker {
            blob: o.cast_const().cast(),
            emoji: null(),
            count: 0,
        };
        let contents = subrosa_contents {
            stickers: &sticker,
            count: 1,
            ..files::new_contents()
        };
        unsafe { subrosa_pack_publish(author, null(), 0, &contents, null(), out, count, out) }
    });
    call!(12, subrosa_pack_free, |o| subrosa_pack_free(o.cast()));
    call!(12, subrosa_pack_read, |o| unsafe {
        subrosa_pack_read(o.cast(), sized(size_of::<subrosa_pack_info>()).cast())
    });
    call!(12, subrosa_pack_sticker, |o| unsafe {
        subrosa_pack_sticker(o.cast(), 0, number, handle.cast())
    });
    call!(12, subrosa_pack_emoji, |o| unsafe {
        subrosa_pack_emoji(o.cast(), 0, 0, out.cast())
    });
    all
}

/// Where `reveal` goes: beside the structure.
const fn mem_reveal(out: *mut u8) -> *mut u8 {
    out.wrapping_sub(64)
}

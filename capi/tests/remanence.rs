//! What is freed holds no text, no app key and no recovery key; no key of a file, no secret of a pack, and none of a group (I7).
//!
//! The allocator of this program looks into every block that is given back. SQLite has an allocator of its own.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::disk::{Disk, Fate};
use common::files::*;
use common::groups::{Circle, try_tell};
use common::insider::member;
use common::*;
use subrosa::mls::hazmat::Insider;
use subrosa_capi::device::*;
use subrosa_capi::file::*;
use subrosa_capi::pack::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;

/// Half of a key is enough to be found.
const NEEDLE: usize = 16;

/// What is looked for: written before it is counted, read by the allocator only.
struct Needles {
    bytes: [[AtomicUsize; NEEDLE / size_of::<usize>()]; 24],
    count: AtomicUsize,
    found: AtomicUsize,
}

static NEEDLES: Needles = Needles {
    bytes: [const { [const { AtomicUsize::new(0) }; NEEDLE / size_of::<usize>()] }; 24],
    count: AtomicUsize::new(0),
    found: AtomicUsize::new(0),
};

/// One test at a time: their needles are the same.
static TURN: Mutex<()> = Mutex::new(());

impl Needles {
    fn add(&self, secret: &[u8]) {
        for half in secret.as_chunks::<NEEDLE>().0 {
            assert!(half.iter().any(|byte| *byte != half[0]));
            let place = self.count.load(Ordering::SeqCst);
            let words = half.as_chunks::<{ size_of::<usize>() }>().0;
            for (to, word) in self.bytes[place].iter().zip(words) {
                to.store(usize::from_ne_bytes(*word), Ordering::SeqCst);
            }
            self.count.store(place + 1, Ordering::SeqCst);
        }
    }

    /// How often something was found since the last time; from now on, nothing is looked for.
    fn found(&self) -> usize {
        self.count.store(0, Ordering::SeqCst);
        self.found.swap(0, Ordering::SeqCst)
    }

    fn look_into(&self, block: *const u8, size: usize) {
        let count = self.count.load(Ordering::SeqCst);
        for needle in &self.bytes[..count] {
            let words = needle.each_ref().map(|word| word.load(Ordering::SeqCst));
            for at in 0..(size + 1).saturating_sub(NEEDLE) {
                let window = block
                    .wrapping_add(at)
                    .cast::<[usize; NEEDLE / size_of::<usize>()]>();
                // A block may hold what nobody has written: that is not asked for.
                let read = unsafe { window.read_unaligned() };
                if read == words {
                    self.found.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }
}

struct Watched;

unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // So that there is something to read everywhere.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        NEEDLES.look_into(block, layout.size());
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static WATCHED: Watched = Watched;

/// Text and keys that are in no memory that is ever freed.
static TEXT: [u8; 48] = *b"the text that nobody else should ever read again";
static APP_KEY: [u8; 32] = *b"the key of everything in a store";

#[test]
fn what_is_looked_for_is_found() {
    let _turn = TURN.lock().unwrap();
    NEEDLES.add(&TEXT);
    drop(TEXT.to_vec());
    // Growing frees as well.
    let mut grown = Vec::with_capacity(64);
    grown.extend_from_slice(&TEXT);
    grown.reserve(1_000);
    grown.fill(0);
    drop(grown);
    assert_eq!(NEEDLES.found(), 6);
}

#[test]
fn attack_i7_freed_objects_leave_nothing_behind() {
    let _turn = TURN.lock().unwrap();
    NEEDLES.add(&TEXT);
    NEEDLES.add(&APP_KEY);
    let (mut alice, mut recovery) = (null_mut(), [0; 32]);
    let store = memory();
    ok!(unsafe {
        let to = recovery.as_mut_ptr();
        subrosa_device_create(store, APP_KEY.as_ptr(), null(), NOW, &mut alice, to)
    });
    NEEDLES.add(&recovery);
    let (bob, _) = create(memory());
    introduce(alice, bob);
    introduce(bob, alice);
    let bundles = publish(bob, 1, NOW);
    begin(alice, &bundles[1..], NOW);
    let message = send(alice, &account(bob), b"1", &TEXT);

    // Nothing of the test's own may hold the text: it is looked at where it is.
    let envelope = view(&message);
    let mut events = null_mut();
    ok!(unsafe { subrosa_device_receive(bob, &envelope, 1, NOW, &mut events) });
    let mut kept = null_mut();
    ok!(unsafe { subrosa_device_inbox(bob, 0, 1, &mut kept) });
    for events in [events, kept] {
        let mut event = new_event();
        ok!(unsafe { subrosa_events_get(events, 0, &mut event) });
        let text = unsafe { std::slice::from_raw_parts(event.text.data, event.text.len) };
        assert!(text == TEXT);
        ok!(subrosa_events_free(events));
    }
    let second = send(alice, &account(bob), b"2", &TEXT);
    let (mut list, mut next) = (null_mut(), [0; 32]);
    ok!(unsafe {
        let (from, to) = (recovery.as_ptr(), next.as_mut_ptr());
        subrosa_device_replace_keys(alice, from, null(), 0, NOW, &mut list, to)
    });
    NEEDLES.add(&next);
    assert!(!list_bytes(list).is_empty());
    fails!(SUBROSA_ERROR_MALFORMED, unsafe {
        subrosa_device_refuse(bob, second.as_ptr(), 1, NOW)
    });
    ok!(subrosa_device_free(alice));
    ok!(subrosa_device_free(bob));
    assert_eq!(NEEDLES.found(), 0);
}

#[test]
fn attack_i7_a_call_that_fails_leaves_nothing_behind() {
    let _turn = TURN.lock().unwrap();
    let disk = Disk::new();
    let pair = Pair::talking(memory(), disk.store());
    let message = send(pair.alice, &pair.to_bob, b"2", &TEXT);
    let envelope = view(&message);
    NEEDLES.add(&TEXT);
    let mut events = null_mut();
    for fate in [Fate::Failed, Fate::Stale] {
        disk.fate.set(fate);
        let status = unsafe { subrosa_device_receive(pair.bob, &envelope, 1, NOW, &mut events) };
        assert_ne!(status, SUBROSA_OK);
    }
    disk.fate.set(Fate::Done);
    ok!(unsafe { subrosa_device_receive(pair.bob, &envelope, 1, NOW, &mut events) });
    ok!(subrosa_events_free(events));
    // Another process has changed the store while the inbox was read.
    let twin = open(disk.store());
    publish(twin, 0, NOW);
    ok!(subrosa_device_free(twin));
    fails!(SUBROSA_ERROR_STALE, unsafe {
        subrosa_device_inbox(pair.bob, 0, 10, &mut events)
    });
    ok!(unsafe { subrosa_device_inbox(pair.bob, 0, 10, &mut events) });
    assert_eq!(subrosa_events_count(events), 2);
    ok!(subrosa_events_free(events));
    pair.free();
    assert_eq!(NEEDLES.found(), 0);
}

#[test]
fn attack_i7_freed_files_leave_nothing_behind() {
    let _turn = TURN.lock().unwrap();
    // Not over what the test has on its stack.
    let (mut out, mut taken, mut len) = ([0; SUBROSA_SEAL_ROOM], 0, SUBROSA_SEAL_ROOM);
    let to = out.as_mut_ptr();
    NEEDLES.add(&TEXT);
    let (sealer, key) = sealer_file(CONTEXT);
    NEEDLES.add(&key);
    let text = TEXT.as_ptr();
    ok!(unsafe { subrosa_sealer_push(sealer, text, TEXT.len(), &mut taken, to, &mut len) });
    let mut sealed = Vec::new();
    sealer_finish(sealer, &mut sealed);
    ok!(subrosa_sealer_free(sealer));
    let opener = opener_file(&key, CONTEXT);
    len = SUBROSA_SEAL_ROOM;
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
    len = SUBROSA_SEAL_ROOM;
    ok!(unsafe { subrosa_opener_finish(opener, to, &mut len) });
    assert!(out[..len] == TEXT);
    ok!(subrosa_opener_free(opener));
    let sealed = Bytes::new(sealed);
    let (source, length) = (sealed.source(), sealed.bytes.borrow().len() as u64);
    let (mut reader, context) = (null_mut(), CONTEXT.as_ptr());
    ok!(unsafe {
        let key = key.as_ptr();
        subrosa_reader_open(&source, length, key, context, CONTEXT.len(), &mut reader)
    });
    len = SUBROSA_SEAL_ROOM;
    ok!(unsafe { subrosa_reader_read(reader, 0, to, &mut len) });
    ok!(subrosa_reader_free(reader));

    let sealer = sealer_blob(b"image/webp");
    len = SUBROSA_SEAL_ROOM;
    ok!(unsafe { subrosa_sealer_push(sealer, text, TEXT.len(), &mut taken, to, &mut len) });
    let (mut stored, mut blob) = (Vec::new(), null_mut());
    sealer_finish(sealer, &mut stored);
    ok!(unsafe { subrosa_sealer_result(sealer, &mut blob) });
    ok!(subrosa_sealer_free(sealer));
    let [_, key] = id_and_key(blob).unwrap();
    NEEDLES.add(&key);
    let mut piece = new_piece();
    ok!(unsafe { subrosa_blob_piece(blob, 0, 48, &mut piece) });
    let (bytes, proof) = fetched(&stored, &piece);
    len = SUBROSA_SEAL_ROOM;
    ok!(unsafe {
        let (proof, proof_len) = (proof.as_ptr(), proof.len());
        let (bytes, stored_len) = (bytes.as_ptr(), bytes.len());
        subrosa_blob_open_piece(
            blob, 0, 48, bytes, stored_len, proof, proof_len, to, &mut len,
        )
    });
    assert!(out[..len] == TEXT);
    // The message that carries the key is nobody's but the app's, which overwrites it.
    len = SUBROSA_SEAL_ROOM;
    ok!(unsafe { subrosa_blob_descriptor(blob, null(), to, &mut len) });
    let mut parsed = null_mut();
    ok!(unsafe { subrosa_blob_parse(to, len, &mut parsed) });

    let author = author();
    NEEDLES.add(&author[1..]);
    let (mut link, mut link_len) = ([0; SUBROSA_LINK_BEHIND], SUBROSA_LINK_BEHIND);
    let at = link.as_mut_ptr();
    ok!(unsafe { subrosa_pack_link(author.as_ptr(), null(), 0, at, &mut link_len) });
    NEEDLES.add(&link[4..47]);
    let owl: &[&[u8]] = &[b"owl"];
    let (manifest, held) = publish_pack(&author, None, 0, b"Owls", &[(parsed, owl)]).unwrap();
    let (pack, _) = open_pack(&link, &manifest, Some(&held)).unwrap();
    let mut sticker = null_mut();
    ok!(unsafe { subrosa_pack_sticker(pack, 0, null_mut(), &mut sticker) });
    for blob in [blob, parsed, sticker] {
        ok!(subrosa_blob_free(blob));
    }
    ok!(subrosa_pack_free(pack));
    assert_eq!(NEEDLES.found(), 0);
}

#[test]
fn attack_i7_freed_groups_leave_nothing_behind() {
    let _turn = TURN.lock().unwrap();
    let circle = Circle::new(2);
    let [alice, bob] = circle.phones[..] else {
        panic!("two");
    };
    // The secrets of the epoch. The authenticator is given out.
    let alices = member(&circle.disks[0], &circle.group);
    for (name, secret) in Insider::new(&alices).secrets() {
        if name != "epoch_authenticator" {
            NEEDLES.add(&secret);
        }
    }
    NEEDLES.add(&TEXT);
    let sent = try_tell(alice, &circle.group, b"1", &TEXT).unwrap();
    // Nothing of the test's own may hold the text: it is looked at where it is.
    let message = view(&sent.copies[0].1);
    let mut events = null_mut();
    for fate in [Fate::Failed, Fate::Stale] {
        circle.disks[1].fate.set(fate);
        let status = unsafe { subrosa_device_group_receive(bob, &message, 1, NOW, &mut events) };
        assert_ne!(status, SUBROSA_OK);
    }
    circle.disks[1].fate.set(Fate::Done);
    ok!(unsafe { subrosa_device_group_receive(bob, &message, 1, NOW, &mut events) });
    let mut kept = null_mut();
    ok!(unsafe { subrosa_device_inbox(bob, 0, 1, &mut kept) });
    for events in [events, kept] {
        let mut event = new_event();
        ok!(unsafe { subrosa_events_get(events, 0, &mut event) });
        let text = unsafe { std::slice::from_raw_parts(event.text.data, event.text.len) };
        assert!(text == TEXT);
        ok!(subrosa_events_free(events));
    }
    circle.change(1, &[0]);
    ok!(unsafe { subrosa_device_group_forget(alice, circle.group.as_ptr()) });
    drop(alices);
    circle.free();
    assert_eq!(NEEDLES.found(), 0);
}

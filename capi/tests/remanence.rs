//! What is freed holds no text, no app key and no recovery key (I7).
//!
//! The allocator of this program looks into every block that is given back. SQLite has an allocator of its own.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::disk::{Disk, Fate};
use common::*;
use subrosa_capi::device::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;

/// Half of a key is enough to be found.
const NEEDLE: usize = 16;

/// What is looked for: written before it is counted, read by the allocator only.
struct Needles {
    bytes: [[AtomicUsize; NEEDLE / size_of::<usize>()]; 16],
    count: AtomicUsize,
    found: AtomicUsize,
}

static NEEDLES: Needles = Needles {
    bytes: [const { [const { AtomicUsize::new(0) }; NEEDLE / size_of::<usize>()] }; 16],
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

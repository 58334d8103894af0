//! Stores: in memory, and of functions of the app.

mod common;

use std::ptr::{null, null_mut};

use common::disk::{Disk, Fate};
use common::*;
use subrosa_capi::device::*;
use subrosa_capi::status::*;
use subrosa_capi::store::*;
use subrosa_capi::value::*;

#[test]
fn a_store_in_memory_takes_one_device() {
    let store = memory();
    let mut device = null_mut();
    fails!(SUBROSA_ERROR_EMPTY, unsafe {
        subrosa_device_open(store, KEY.as_ptr(), null(), null(), &mut device)
    });
    // What failed has left it to its handle.
    let (device, _) = create(store);
    fails!(SUBROSA_ERROR_HANDLE, subrosa_store_free(store));
    ok!(subrosa_device_free(device));
}

#[test]
fn a_custom_store_is_used_and_released_once() {
    let disk = Disk::new();
    let store = disk.store();
    assert_eq!((disk.gets.get(), disk.commits.get()), (0, 0));
    let (device, _) = create(store);
    assert_eq!(disk.commits.get(), 1);
    assert_eq!(generation(device), 1);
    assert_eq!(disk.contents().generation, 1);
    publish(device, 1, NOW);
    assert_eq!(generation(device), 2);
    assert_eq!(disk.released.get(), 0);
    ok!(subrosa_device_free(device));
    assert_eq!(disk.released.get(), 1);
    fails!(SUBROSA_ERROR_HANDLE, subrosa_device_free(device));
    assert_eq!(disk.released.get(), 1);

    let store = disk.store();
    ok!(subrosa_store_free(store));
    assert_eq!(disk.released.get(), 2);
    fails!(SUBROSA_ERROR_HANDLE, subrosa_store_free(store));
    assert_eq!(disk.released.get(), 2);
}

#[test]
fn a_custom_store_need_not_be_released() {
    let disk = Disk::new();
    let mut vtable = disk.vtable();
    vtable.release = None;
    let mut store = null_mut();
    ok!(unsafe { subrosa_store_custom(&vtable, &mut store) });
    let (device, _) = create(store);
    ok!(subrosa_device_free(device));
    assert_eq!(disk.released.get(), 0);
}

#[test]
fn a_store_that_was_not_made_is_not_released() {
    let disk = Disk::new();
    let mut store = null_mut();
    let whole = disk.vtable();
    let wrong = [
        subrosa_store_vtable { get: None, ..whole },
        subrosa_store_vtable {
            commit: None,
            ..whole
        },
        subrosa_store_vtable {
            struct_size: whole.struct_size + 1,
            ..whole
        },
        subrosa_store_vtable {
            struct_size: 0,
            ..whole
        },
    ];
    for vtable in &wrong {
        fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
            subrosa_store_custom(vtable, &mut store)
        });
    }
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_store_custom(&whole, null_mut())
    });
    assert!(store.is_null());
    assert_eq!(disk.released.get(), 0);
}

#[test]
fn a_long_value_is_asked_for_again() {
    let (a, b) = (Disk::new(), Disk::new());
    let pair = Pair::new(a.store(), b.store());
    let text = vec![7; 100_000];
    let message = send(pair.alice, &pair.to_bob, b"long", &text);
    assert!(
        a.contents()
            .values
            .values()
            .any(|value| value.len() > text.len())
    );
    let before = a.gets.get();
    let mut retried = null_mut();
    ok!(unsafe { subrosa_device_retry(pair.alice, b"long".as_ptr(), 4, &mut retried) });
    assert_eq!(sealed(retried)[0].copies[0].1, message);
    // The entry twice, and the root.
    assert_eq!(a.gets.get(), before + 3);
    assert_eq!(read_one(pair.bob, message), text);
    pair.free();
}

#[test]
fn a_value_that_keeps_growing_cannot_be_read() {
    let disk = Disk::new();
    let pair = Pair::talking(disk.store(), memory());
    let text = vec![7; 5_000];
    send(pair.alice, &pair.to_bob, b"long", &text);
    let mut retried = null_mut();
    for step in [5_000, 1 << 27] {
        disk.grows_by.set(step);
        let before = disk.gets.get();
        fails!(SUBROSA_ERROR_UNREADABLE, unsafe {
            subrosa_device_retry(pair.alice, b"long".as_ptr(), 4, &mut retried)
        });
        assert!(disk.gets.get() - before < 20);
        assert!(retried.is_null());
    }
    disk.heal();
    ok!(unsafe { subrosa_device_retry(pair.alice, b"long".as_ptr(), 4, &mut retried) });
    assert_eq!(sealed(retried).len(), 1);
    pair.free();
}

#[test]
fn a_commit_of_which_nothing_is_known_is_found_out() {
    for fate in [Fate::UnknownStored, Fate::UnknownLost, Fate::Nonsense] {
        let disk = Disk::new();
        let pair = Pair::talking(disk.store(), memory());
        let counted = generation(pair.alice);
        disk.fate.set(fate);
        assert_eq!(
            try_send(pair.alice, &pair.to_bob, b"2", b"2", NOW),
            Err(SUBROSA_ERROR_UNKNOWN)
        );
        disk.fate.set(Fate::Done);
        // Nothing is done before it is known what is stored.
        assert_eq!(
            try_send(pair.alice, &pair.to_bob, b"2", b"2", NOW),
            Err(SUBROSA_ERROR_UNKNOWN)
        );
        ok!(subrosa_device_reopen(pair.alice));
        let stored = u64::from(fate == Fate::UnknownStored);
        assert_eq!(generation(pair.alice), counted + stored);
        assert_eq!(outbox(pair.alice).len() as u64, 1 + stored);
        assert_eq!(pair.to_bob(b"2", b"2"), b"2");
        pair.free();
    }
}

#[test]
fn a_device_goes_on_with_another_store() {
    let (disk, other) = (Disk::new(), Disk::new());
    let pair = Pair::talking(disk.store(), memory());
    *other.contents.borrow_mut() = disk.contents();
    ok!(subrosa_device_reopen_with(pair.alice, other.store()));
    assert_eq!((disk.released.get(), other.released.get()), (1, 0));
    let before = disk.contents();
    assert_eq!(pair.to_bob(b"2", b"2"), b"2");
    assert_eq!(disk.contents(), before);
    assert_eq!(other.contents().generation, before.generation + 1);
    pair.free();
    assert_eq!((disk.released.get(), other.released.get()), (1, 1));
}

#[test]
fn a_device_keeps_its_store_where_another_is_refused() {
    let disk = Disk::new();
    let pair = Pair::talking(disk.store(), memory());
    let old = Disk::with(disk.contents());
    assert_eq!(pair.to_bob(b"2", b"2"), b"2");
    let before = disk.contents();

    let empty = Disk::new();
    let (altered, broken) = (Disk::with(disk.contents()), Disk::with(disk.contents()));
    for value in altered.contents.borrow_mut().values.values_mut() {
        value[0] ^= 1;
    }
    broken.unreadable.set(true);
    for (wrong, status) in [
        (&old, SUBROSA_ERROR_ROLLED_BACK),
        (&empty, SUBROSA_ERROR_EMPTY),
        (&altered, SUBROSA_ERROR_INTEGRITY),
        (&broken, SUBROSA_ERROR_UNREADABLE),
    ] {
        let store = wrong.store();
        fails!(status, subrosa_device_reopen_with(pair.alice, store));
        // It is the caller's, and nobody else's.
        assert_eq!((wrong.released.get(), disk.released.get()), (0, 0));
        ok!(subrosa_store_free(store));
        assert_eq!(wrong.released.get(), 1);
    }
    assert_eq!(disk.contents(), before);
    assert_eq!(pair.to_bob(b"3", b"3"), b"3");
    assert_eq!(disk.contents().generation, before.generation + 1);
    pair.free();
    assert_eq!(disk.released.get(), 1);
}

#[test]
fn another_process_is_noticed() {
    let disk = Disk::new();
    let pair = Pair::talking(disk.store(), memory());
    // Two handles of one store: only one may commit.
    let twin = open(disk.store());
    let sent = send(twin, &pair.to_bob, b"2", b"by the twin");
    assert_eq!(
        try_send(pair.alice, &pair.to_bob, b"3", b"3", NOW),
        Err(SUBROSA_ERROR_STALE)
    );
    assert_eq!(
        subrosa_status_action(SUBROSA_ERROR_STALE),
        SUBROSA_ACTION_CALL_AGAIN
    );
    assert_eq!(read_one(pair.bob, sent), b"by the twin");
    assert_eq!(pair.to_bob(b"3", b"3"), b"3");
    ok!(subrosa_device_free(twin));
    pair.free();
}

#[test]
fn an_anchor_and_another_key_refuse_a_store() {
    let disk = Disk::new();
    let (device, _) = create(disk.store());
    ok!(subrosa_device_free(device));
    let before = disk.contents();
    let store = disk.store();
    let mut device = null_mut();
    fails!(SUBROSA_ERROR_ROLLED_BACK, unsafe {
        subrosa_device_open(store, KEY.as_ptr(), null(), &2, &mut device)
    });
    // Everything is under keys that another app key does not derive.
    fails!(SUBROSA_ERROR_EMPTY, unsafe {
        subrosa_device_open(store, [8; 32].as_ptr(), null(), null(), &mut device)
    });
    fails!(SUBROSA_ERROR_OCCUPIED, unsafe {
        subrosa_device_create(
            store,
            KEY.as_ptr(),
            null(),
            NOW,
            &mut device,
            [0; SUBROSA_SEED].as_mut_ptr(),
        )
    });
    assert!(device.is_null());
    assert_eq!(disk.contents(), before);
    assert_eq!(disk.released.get(), 1);
    ok!(unsafe { subrosa_device_open(store, KEY.as_ptr(), null(), &1, &mut device) });
    ok!(subrosa_device_free(device));
    assert_eq!(disk.released.get(), 2);
}

//! The layer between C and Rust without a device above it, so that it ends in seconds under Miri: lengths, types, double
//! frees, and callbacks that call again.

mod common;

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

use common::*;
use subrosa_capi::device::*;
use subrosa_capi::emoji::*;
use subrosa_capi::list::*;
use subrosa_capi::result::*;
use subrosa_capi::rng::subrosa_rng;
use subrosa_capi::status::*;
use subrosa_capi::store::*;

fn memory_store() -> *mut subrosa_store {
    let mut store = null_mut();
    assert_eq!(unsafe { subrosa_store_memory(&raw mut store) }, SUBROSA_OK);
    store
}

#[test]
fn attack_i1_lengths_of_a_list() {
    let bytes = [0_u8; 64];
    let mut list: *mut subrosa_list = null_mut();
    for (data, len, expected) in [
        (null(), 0, SUBROSA_ERROR_LIST_MALFORMED),
        (bytes.as_ptr(), 0, SUBROSA_ERROR_LIST_MALFORMED),
        (bytes.as_ptr(), 1, SUBROSA_ERROR_LIST_VERSION),
        (bytes.as_ptr(), 64, SUBROSA_ERROR_LIST_VERSION),
        (null(), 1, SUBROSA_ERROR_ARGUMENT),
        (null(), usize::MAX, SUBROSA_ERROR_ARGUMENT),
        (bytes.as_ptr(), usize::MAX, SUBROSA_ERROR_ARGUMENT),
        (
            bytes.as_ptr(),
            isize::MAX.unsigned_abs() + 1,
            SUBROSA_ERROR_ARGUMENT,
        ),
    ] {
        let status = unsafe { subrosa_list_parse(data, len, &raw mut list) };
        assert_eq!(status, expected, "{data:?}, {len}");
        assert!(list.is_null());
    }
    let status = unsafe { subrosa_list_parse(bytes.as_ptr(), 64, null_mut()) };
    assert_eq!(status, SUBROSA_ERROR_ARGUMENT);
}

#[test]
fn attack_i3_a_store_is_nothing_else() {
    let store = memory_store();
    let other: *mut c_void = store.cast();
    for status in [
        subrosa_list_free(other.cast()),
        subrosa_events_free(other.cast()),
        subrosa_outbox_free(other.cast()),
        subrosa_bundles_free(other.cast()),
        subrosa_addresses_free(other.cast()),
        subrosa_device_free(other.cast()),
        subrosa_emoji_free(other.cast()),
        subrosa_device_reopen(other.cast()),
        subrosa_device_reopen_with(other.cast(), store),
    ] {
        assert_eq!(status, SUBROSA_ERROR_HANDLE);
    }
    let counts = [
        subrosa_events_count(other.cast()),
        subrosa_outbox_count(other.cast()),
        subrosa_addresses_count(other.cast()),
    ];
    assert_eq!(counts, [0; 3]);
    let mut generation = 7;
    let status = unsafe { subrosa_device_generation(other.cast(), &raw mut generation) };
    assert_eq!((status, generation), (SUBROSA_ERROR_HANDLE, 7));
    let mut len = 0;
    let status = unsafe { subrosa_device_link_request(other.cast(), null_mut(), &raw mut len) };
    assert_eq!((status, len), (SUBROSA_ERROR_HANDLE, 0));

    assert_eq!(subrosa_store_free(store), SUBROSA_OK);
    assert_eq!(subrosa_store_free(store), SUBROSA_ERROR_HANDLE);
    assert_eq!(subrosa_store_free(null_mut()), SUBROSA_OK);
}

/// What the callbacks of a store were told when they called again.
struct Again {
    store: Cell<*mut subrosa_store>,
    told: Cell<[subrosa_status; 3]>,
    asked: Cell<usize>,
}

impl Again {
    /// Frees the store that this call is of, makes a device over it, and frees what was never there.
    fn call(&self) {
        self.asked.set(self.asked.get() + 1);
        let store = self.store.get();
        let mut device = null_mut();
        let key = [1; 32];
        let opened =
            unsafe { subrosa_device_open(store, key.as_ptr(), null(), null(), &raw mut device) };
        assert!(device.is_null());
        self.told.set([
            subrosa_store_free(store),
            opened,
            subrosa_device_free(null_mut()),
        ]);
    }
}

unsafe extern "C" fn get(
    context: *mut c_void,
    _: *const subrosa_key,
    _: *mut u8,
    _: *mut usize,
) -> i32 {
    unsafe { &*context.cast::<Again>() }.call();
    SUBROSA_GET_ABSENT
}

unsafe extern "C" fn commit(
    _: *mut c_void,
    _: u64,
    _: *const subrosa_put,
    _: usize,
    _: *const subrosa_key,
    _: usize,
) -> i32 {
    SUBROSA_COMMIT_FAILED
}

unsafe extern "C" fn dry(_: *mut c_void, _: *mut u8, _: usize) -> i32 {
    1
}

#[test]
fn attack_i6_a_store_that_calls_again_is_told_so() {
    let again = Again {
        store: Cell::new(null_mut()),
        told: Cell::new([-1; 3]),
        asked: Cell::new(0),
    };
    let vtable = subrosa_store_vtable {
        struct_size: size_of::<subrosa_store_vtable>(),
        context: (&raw const again).cast_mut().cast(),
        get: Some(get),
        commit: Some(commit),
        release: None,
    };
    let mut store = null_mut();
    let status = unsafe { subrosa_store_custom(&raw const vtable, &raw mut store) };
    assert_eq!(status, SUBROSA_OK);
    again.store.set(store);

    let (key, mut device) = ([1; 32], null_mut());
    let opened =
        unsafe { subrosa_device_open(store, key.as_ptr(), null(), null(), &raw mut device) };
    assert_eq!(opened, SUBROSA_ERROR_EMPTY);
    assert!(device.is_null());
    assert_eq!(again.asked.get(), 1);
    let told = [SUBROSA_ERROR_BUSY, SUBROSA_ERROR_BUSY, SUBROSA_OK];
    assert_eq!(again.told.get(), told);

    // A generator that gives nothing: the store stays with its handle, and nothing was written.
    let rng = subrosa_rng {
        struct_size: size_of::<subrosa_rng>(),
        context: null_mut(),
        fill: Some(dry),
    };
    let mut recovery = [9; 32];
    let created = unsafe {
        subrosa_device_create(
            store,
            key.as_ptr(),
            &raw const rng,
            NOW,
            &raw mut device,
            recovery.as_mut_ptr(),
        )
    };
    assert_eq!(created, SUBROSA_ERROR_RNG);
    assert!(device.is_null());
    assert_eq!(recovery, [9; 32]);
    assert_eq!(subrosa_store_free(store), SUBROSA_OK);
}

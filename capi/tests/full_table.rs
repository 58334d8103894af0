//! As many objects as there can be: in a program of its own, where no other test wants one.

mod common;

use std::ptr::null_mut;

use common::disk::Disk;
use common::*;
use subrosa_capi::status::*;
use subrosa_capi::store::*;

#[test]
fn attack_i6_a_full_table_fails_calls_before_they_change_anything() {
    let disk = Disk::new();
    let pair = Pair::talking(disk.store(), memory());
    let mut stores = Vec::new();
    let mut store = null_mut();
    let status = loop {
        let status = unsafe { subrosa_store_memory(&mut store) };
        if status != SUBROSA_OK {
            break status;
        }
        stores.push(store);
        store = null_mut();
    };
    assert_eq!(status, SUBROSA_ERROR_HANDLES);
    assert!(store.is_null());
    let promised = if usize::BITS == 64 { 65_000 } else { 4_000 };
    assert!(stores.len() >= promised, "{}", stores.len());

    let before = (disk.contents(), generation(pair.alice));
    assert_eq!(
        try_send(pair.alice, &pair.to_bob, b"2", b"2", NOW),
        Err(SUBROSA_ERROR_HANDLES)
    );
    let unmade = Disk::new();
    fails!(SUBROSA_ERROR_HANDLES, unsafe {
        subrosa_store_custom(&unmade.vtable(), &mut store)
    });
    // Neither stored nor released.
    assert_eq!(before, (disk.contents(), generation(pair.alice)));
    assert_eq!(unmade.released.get(), 0);
    #[cfg(feature = "sqlite")]
    {
        let file = std::env::temp_dir().join(format!("subrosa-capi-{}-full", std::process::id()));
        let path = std::ffi::CString::new(file.to_str().unwrap()).unwrap();
        fails!(SUBROSA_ERROR_HANDLES, unsafe {
            subrosa_store_sqlite(path.as_ptr(), std::ptr::null(), null_mut(), &mut store)
        });
        assert!(!file.exists());
    }
    assert!(store.is_null());

    // One place is enough.
    let last = stores.pop().unwrap();
    ok!(subrosa_store_free(last));
    let message = send(pair.alice, &pair.to_bob, b"2", b"2");
    for store in stores {
        ok!(subrosa_store_free(store));
    }
    fails!(SUBROSA_ERROR_HANDLE, subrosa_store_free(last));
    assert_eq!(read_one(pair.bob, message), b"2");
    pair.free();
}

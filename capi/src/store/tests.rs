//! A store of the library's own that is at fault.

use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::device::{
    subrosa_device, subrosa_device_address, subrosa_device_create, subrosa_device_free,
    subrosa_device_publish, subrosa_device_reopen,
};
use crate::result::subrosa_bundles;
use crate::status::{SUBROSA_ERROR_HANDLE, SUBROSA_ERROR_INTERNAL, SUBROSA_OK};
use crate::value::subrosa_address;

/// Panics in the midst of a call.
struct Faulty {
    values: MemoryStore,
    panics: Arc<AtomicBool>,
    dropped: Arc<AtomicUsize>,
}

impl Store for Faulty {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        assert!(!self.panics.load(Ordering::SeqCst), "at fault");
        self.values.get(key)
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        self.values.commit(base, puts, deletes)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// Creates a device.
fn create(store: *mut subrosa_store, device: &mut *mut subrosa_device) -> subrosa_status {
    let mut recovery = [0; 32];
    // SAFETY: everything shows memory of the length that it should have.
    unsafe {
        subrosa_device_create(
            store,
            [1; 32].as_ptr(),
            null(),
            0,
            device,
            recovery.as_mut_ptr(),
        )
    }
}

#[test]
fn a_panic_becomes_a_status_and_its_object_can_only_be_freed() {
    let (panics, dropped) = (Arc::new(AtomicBool::new(true)), Arc::default());
    let faulty = || {
        let faulty = Faulty {
            values: MemoryStore::new(),
            panics: Arc::clone(&panics),
            dropped: Arc::clone(&dropped),
        };
        handle::reserve().unwrap().fill(subrosa_store {
            store: Kept::new(faulty),
            may_have_lost: false,
        })
    };
    let mut device = null_mut();
    let store = faulty();
    assert_eq!(create(store, &mut device), SUBROSA_ERROR_INTERNAL);
    assert!(device.is_null());
    assert_eq!(create(store, &mut device), SUBROSA_ERROR_INTERNAL);
    assert_eq!(subrosa_store_free(store), SUBROSA_OK);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert_eq!(subrosa_store_free(store), SUBROSA_ERROR_HANDLE);

    panics.store(false, Ordering::SeqCst);
    assert_eq!(create(faulty(), &mut device), SUBROSA_OK);
    panics.store(true, Ordering::SeqCst);
    let mut bundles: *mut subrosa_bundles = null_mut();
    // SAFETY: the output may be written.
    let status = unsafe { subrosa_device_publish(device, 1, 0, &raw mut bundles) };
    assert_eq!(status, SUBROSA_ERROR_INTERNAL);
    assert!(bundles.is_null());
    panics.store(false, Ordering::SeqCst);
    assert_eq!(subrosa_device_reopen(device), SUBROSA_ERROR_INTERNAL);
    let mut address = subrosa_address::NONE;
    // SAFETY: the output may be written.
    let status = unsafe { subrosa_device_address(device, &raw mut address) };
    assert_eq!(
        (status, address),
        (SUBROSA_ERROR_INTERNAL, subrosa_address::NONE)
    );
    assert_eq!(subrosa_device_free(device), SUBROSA_OK);
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    assert_eq!(subrosa_device_free(device), SUBROSA_ERROR_HANDLE);
}

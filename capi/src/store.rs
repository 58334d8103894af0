//! Where a device keeps its state.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
#[cfg(feature = "sqlite")]
use core::ffi::CStr;
use core::ffi::c_char;
use core::sync::atomic::{AtomicBool, Ordering};

use subrosa::device::store::{Key, Unreadable};
use subrosa::device::{Commit, MemoryStore, Store};

use crate::args::{self, Out};
use crate::call::call;
use crate::handle::{self, Object, Reserved};
use crate::status::{Status, subrosa_status};

mod custom;

pub use custom::{
    SUBROSA_COMMIT_DONE, SUBROSA_COMMIT_FAILED, SUBROSA_COMMIT_STALE, SUBROSA_COMMIT_UNKNOWN,
    SUBROSA_GET_ABSENT, SUBROSA_GET_FAILED, SUBROSA_GET_FOUND, subrosa_key, subrosa_put,
    subrosa_store_vtable,
};

/// A store that no device has taken.
pub struct subrosa_store {
    pub(crate) store: Shared,
    /// Commits may be missing: it is to be restored.
    pub(crate) may_have_lost: bool,
}

impl Object for subrosa_store {
    const KIND: usize = 1;
}

/// A store that its handle and a device hold until the device is there: what fails leaves it to the handle.
#[derive(Clone)]
pub struct Shared(Arc<Lock>);

struct Lock {
    taken: AtomicBool,
    store: UnsafeCell<Box<dyn Store + Send>>,
}

// SAFETY: `store` is reached by who has changed `taken` from false to true.
unsafe impl Sync for Lock {}

impl Shared {
    fn new(store: impl Store + Send + 'static) -> Self {
        Self(Arc::new(Lock {
            taken: AtomicBool::new(false),
            store: UnsafeCell::new(Box::new(store)),
        }))
    }

    /// Runs one call of the store; nothing while another runs, which no device does.
    fn with<T>(&self, work: impl FnOnce(&mut dyn Store) -> T) -> Option<T> {
        if self.0.taken.swap(true, Ordering::Acquire) {
            return None;
        }
        let held = Held(&self.0.taken);
        // SAFETY: taken.
        let store = unsafe { &mut *self.0.store.get() };
        let result = work(store.as_mut());
        drop(held);
        Some(result)
    }
}

/// Lets go when it is dropped.
struct Held<'a>(&'a AtomicBool);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Store for Shared {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        self.with(|store| store.get(key)).ok_or(Unreadable)?
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        self.with(|store| store.commit(base, puts, deletes))
            .unwrap_or(Commit::Failed)
    }
}

/// Gives out a store, for which there is a place: what is made before, and then finds none, would be released.
fn give(
    to: Out<*mut subrosa_store>,
    place: Reserved<subrosa_store>,
    store: impl Store + Send + 'static,
    may_have_lost: bool,
) {
    to.write(place.fill(subrosa_store {
        store: Shared::new(store),
        may_have_lost,
    }));
}

/// A store in memory.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_store_memory(store: *mut *mut subrosa_store) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(store) }?;
        give(to, handle::reserve()?, MemoryStore::new(), false);
        Ok(())
    })
}

/// A store in one SQLite file.
///
/// # Safety
/// As the [crate](crate#safety); `path` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_store_sqlite(
    path: *const c_char,
    boot: *const u8,
    may_have_lost: *mut bool,
    store: *mut *mut subrosa_store,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(store) }?;
        // SAFETY: the caller's promise.
        let lost_to = unsafe { args::out_or_null(may_have_lost) }?;
        if path.is_null() {
            return Err(Status::ARGUMENT);
        }
        // SAFETY: the caller's promise.
        let file = unsafe { File::new(path, boot) }?;
        file.open(to, lost_to)
    })
}

/// A file to be opened.
#[cfg(feature = "sqlite")]
struct File<'a> {
    path: &'a str,
    durability: subrosa_sqlite::Durability,
}

#[cfg(feature = "sqlite")]
impl File<'_> {
    /// # Safety
    /// As [`subrosa_store_sqlite`]; `path` is not NULL.
    unsafe fn new(path: *const c_char, boot: *const u8) -> Result<Self, Status> {
        use subrosa_sqlite::Durability;

        // SAFETY: not NULL, and it ends with a NUL.
        let path = unsafe { CStr::from_ptr(path) };
        let path = path.to_str().map_err(|_| Status::ARGUMENT)?;
        let durability = if boot.is_null() {
            Durability::Full
        } else {
            // SAFETY: the caller's promise.
            let boot = *unsafe { args::array(boot) }?;
            Durability::Normal { boot }
        };
        Ok(Self { path, durability })
    }

    fn open(self, to: Out<*mut subrosa_store>, lost_to: Option<Out<bool>>) -> Result<(), Status> {
        use subrosa_sqlite::{Opened, SqliteStore};

        let place = handle::reserve()?;
        let (store, lost) = match SqliteStore::open(self.path, self.durability)? {
            Opened::Whole(store) => (store, false),
            Opened::MayHaveLost(store) => (store, true),
        };
        give(to, place, store, lost);
        if let Some(lost_to) = lost_to {
            lost_to.write(lost);
        }
        Ok(())
    }
}

/// No file can be opened.
#[cfg(not(feature = "sqlite"))]
enum File {}

#[cfg(not(feature = "sqlite"))]
impl File {
    /// # Safety
    /// None: nothing is read.
    unsafe fn new(_: *const c_char, _: *const u8) -> Result<Self, Status> {
        Err(Status::UNSUPPORTED)
    }

    fn open(self, _: Out<*mut subrosa_store>, _: Option<Out<bool>>) -> Result<(), Status> {
        match self {}
    }
}

/// A store of the app's own.
///
/// # Safety
/// As the [crate](crate#safety); the functions keep what the header says of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_store_custom(
    vtable: *const subrosa_store_vtable,
    store: *mut *mut subrosa_store,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(store) }?;
        // SAFETY: the caller's promise.
        let vtable = unsafe { args::structure(vtable) }?;
        let place = handle::reserve()?;
        give(to, place, custom::CustomStore::new(&vtable)?, false);
        Ok(())
    })
}

/// Frees a store that no device has taken.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_store_free(store: *mut subrosa_store) -> subrosa_status {
    call(|| handle::free(store))
}

#[cfg(test)]
mod tests;

//! Where a device keeps its state.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
#[cfg(feature = "sqlite")]
use core::ffi::CStr;
use core::ffi::c_char;

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
    pub(crate) store: Kept,
    /// Commits may be missing: it is to be restored.
    pub(crate) may_have_lost: bool,
}

impl Object for subrosa_store {
    const KIND: usize = 1;
}

/// A store that its handle keeps until a device has it: what fails leaves it to the handle.
pub struct Kept(Arc<UnsafeCell<dyn Store + Send>>);

// SAFETY: what is kept is not used, but for `lend`, for which nobody else may hold it.
unsafe impl Send for Kept {}
// SAFETY: a shared one gives nothing out.
unsafe impl Sync for Kept {}

impl Kept {
    fn new(store: impl Store + Send + 'static) -> Self {
        Self(Arc::new(UnsafeCell::new(store)))
    }

    /// Lends the store to a device; not while another has it.
    pub fn lend(&mut self) -> Result<Lent, Status> {
        match Arc::get_mut(&mut self.0) {
            Some(_) => Ok(Lent(Arc::clone(&self.0))),
            None => Err(Status::BUSY),
        }
    }
}

/// A store that a device has.
pub struct Lent(Arc<UnsafeCell<dyn Store + Send>>);

// SAFETY: it is the only one that reaches its store (`Kept::lend`), which may be sent.
unsafe impl Send for Lent {}
// SAFETY: a shared one reaches nothing.
unsafe impl Sync for Lent {}

impl Lent {
    fn store(&mut self) -> &mut (dyn Store + Send) {
        // SAFETY: nobody else reaches it, and this one is held alone.
        unsafe { &mut *self.0.get() }
    }
}

impl Store for Lent {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        self.store().get(key)
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        self.store().commit(base, puts, deletes)
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
        store: Kept::new(store),
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

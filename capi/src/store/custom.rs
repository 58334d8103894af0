//! A store that the app has made of functions.

use alloc::vec::Vec;
use core::ffi::c_void;

use subrosa::device::store::{Key, Unreadable};
use subrosa::device::{Commit, Store};

use crate::args::Structure;
use crate::status::Status;
use crate::value::{SUBROSA_KEY, subrosa_bytes};

/// There is a value.
pub const SUBROSA_GET_FOUND: i32 = 0;
/// There is none.
pub const SUBROSA_GET_ABSENT: i32 = 1;
/// It is not known whether there is a value.
pub const SUBROSA_GET_FAILED: i32 = 2;

/// All of it is stored for good.
pub const SUBROSA_COMMIT_DONE: i32 = 0;
/// Nothing is stored: the store is of another generation.
pub const SUBROSA_COMMIT_STALE: i32 = 1;
/// Nothing is stored.
pub const SUBROSA_COMMIT_FAILED: i32 = 2;
/// All of it may be stored, or nothing.
pub const SUBROSA_COMMIT_UNKNOWN: i32 = 3;

/// The key of a stored value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_key {
    /// Its bytes.
    pub bytes: [u8; SUBROSA_KEY],
}

// A slice of the one is handed out as the other.
const _: () = assert!(size_of::<subrosa_key>() == size_of::<Key>());
const _: () = assert!(align_of::<subrosa_key>() == align_of::<Key>());

/// A value to be stored.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_put {
    /// Its key.
    pub key: subrosa_key,
    /// The value.
    pub value: subrosa_bytes,
}

type Get = unsafe extern "C" fn(
    context: *mut c_void,
    key: *const subrosa_key,
    value: *mut u8,
    len: *mut usize,
) -> i32;

type Commits = unsafe extern "C" fn(
    context: *mut c_void,
    base: u64,
    puts: *const subrosa_put,
    puts_len: usize,
    deletes: *const subrosa_key,
    deletes_len: usize,
) -> i32;

type Release = unsafe extern "C" fn(context: *mut c_void);

/// A store of the app's own.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_store_vtable {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// What the functions are called with.
    pub context: *mut c_void,
    /// Copies a value.
    pub get: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            key: *const subrosa_key,
            value: *mut u8,
            len: *mut usize,
        ) -> i32,
    >,
    /// Stores a batch.
    pub commit: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            base: u64,
            puts: *const subrosa_put,
            puts_len: usize,
            deletes: *const subrosa_key,
            deletes_len: usize,
        ) -> i32,
    >,
    /// The store is no longer used.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_store_vtable {}

/// Room for a value at first: most are shorter.
const ROOM: usize = 4096;
/// The longest value that is asked for: none of a device is longer.
const VALUE_MAX: usize = 1 << 26;
/// How often a value may grow between two calls.
const TRIES: usize = 8;

/// A store of functions.
pub struct CustomStore {
    context: *mut c_void,
    get: Get,
    commit: Commits,
    release: Option<Release>,
    /// Where values are copied to.
    room: Vec<u8>,
}

// SAFETY: the header says that the functions may be called from any thread, one at a time.
unsafe impl Send for CustomStore {}

impl CustomStore {
    pub fn new(vtable: &subrosa_store_vtable) -> Result<Self, Status> {
        Ok(Self {
            context: vtable.context,
            get: vtable.get.ok_or(Status::ARGUMENT)?,
            commit: vtable.commit.ok_or(Status::ARGUMENT)?,
            release: vtable.release,
            room: Vec::new(),
        })
    }
}

impl Drop for CustomStore {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the promise of who made the structure.
            unsafe { release(self.context) }
        }
    }
}

impl Store for CustomStore {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        if self.room.is_empty() {
            self.room.resize(ROOM, 0);
        }
        let key = subrosa_key { bytes: *key };
        for _ in 0..TRIES {
            let mut len = self.room.len();
            // SAFETY: there is room for `len` bytes; the rest is the promise of who made the structure.
            let got = unsafe { (self.get)(self.context, &key, self.room.as_mut_ptr(), &mut len) };
            match got {
                SUBROSA_GET_FOUND => {
                    if let Some(value) = self.room.get(..len) {
                        return Ok(Some(value.to_vec()));
                    }
                }
                SUBROSA_GET_ABSENT => return Ok(None),
                _ => return Err(Unreadable),
            }
            if len > VALUE_MAX {
                return Err(Unreadable);
            }
            self.room.resize(len, 0);
        }
        Err(Unreadable)
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        let puts: Vec<subrosa_put> = puts
            .iter()
            .map(|(key, value)| subrosa_put {
                key: subrosa_key { bytes: *key },
                value: subrosa_bytes::of(value),
            })
            .collect();
        // SAFETY: slices of the lengths that stand beside them; the rest is the promise of who made the structure.
        let done = unsafe {
            (self.commit)(
                self.context,
                base,
                puts.as_ptr(),
                puts.len(),
                deletes.as_ptr().cast(),
                deletes.len(),
            )
        };
        match done {
            SUBROSA_COMMIT_DONE => Commit::Committed,
            SUBROSA_COMMIT_STALE => Commit::Stale,
            SUBROSA_COMMIT_FAILED => Commit::Failed,
            _ => Commit::Unknown,
        }
    }
}

//! A store of the app's own.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;

use subrosa_capi::store::*;

/// What a commit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    Stale,
    Failed,
    /// It is not known, and was stored.
    UnknownStored,
    /// It is not known, and was not stored.
    UnknownLost,
    /// What no store may return.
    Nonsense,
}

/// What a store holds: to be copied, compared and put back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    pub generation: u64,
    pub values: BTreeMap<[u8; 16], Vec<u8>>,
}

/// Where a device keeps its state. What moves is a count of owners: C's pointers to it stay good.
pub struct Disk {
    pub contents: RefCell<Contents>,
    pub fate: Cell<Fate>,
    /// Reading fails.
    pub unreadable: Cell<bool>,
    /// Every value is so much longer whenever its length is asked for.
    pub grows_by: Cell<usize>,
    grown: Cell<usize>,
    pub gets: Cell<usize>,
    pub commits: Cell<usize>,
    pub released: Cell<usize>,
    /// What it does besides, whichever function is called.
    pub hook: RefCell<Option<Box<dyn Fn()>>>,
}

impl Disk {
    pub fn new() -> Rc<Self> {
        Self::with(Contents::default())
    }

    pub fn with(contents: Contents) -> Rc<Self> {
        Rc::new(Self {
            contents: RefCell::new(contents),
            fate: Cell::new(Fate::Done),
            unreadable: Cell::new(false),
            grows_by: Cell::new(0),
            grown: Cell::new(0),
            gets: Cell::new(0),
            commits: Cell::new(0),
            released: Cell::new(0),
            hook: RefCell::new(None),
        })
    }

    /// A copy of what is stored.
    pub fn contents(&self) -> Contents {
        self.contents.borrow().clone()
    }

    pub fn vtable(&self) -> subrosa_store_vtable {
        subrosa_store_vtable {
            struct_size: size_of::<subrosa_store_vtable>(),
            context: std::ptr::from_ref(self).cast_mut().cast(),
            get: Some(get),
            commit: Some(commit),
            release: Some(release),
        }
    }

    pub fn store(&self) -> *mut subrosa_store {
        let mut store = null_mut();
        crate::ok!(unsafe { subrosa_store_custom(&self.vtable(), &mut store) });
        store
    }

    /// Values are as long as they are.
    pub fn heal(&self) {
        self.grows_by.set(0);
        self.grown.set(0);
    }

    fn call_hook(&self) {
        if let Some(hook) = &*self.hook.borrow() {
            hook();
        }
    }
}

unsafe extern "C" fn get(
    context: *mut c_void,
    key: *const subrosa_key,
    value: *mut u8,
    len: *mut usize,
) -> i32 {
    let disk = unsafe { &*context.cast::<Disk>() };
    disk.gets.set(disk.gets.get() + 1);
    disk.call_hook();
    if disk.unreadable.get() {
        return SUBROSA_GET_FAILED;
    }
    let contents = disk.contents.borrow();
    let Some(stored) = contents.values.get(&unsafe { *key }.bytes) else {
        return SUBROSA_GET_ABSENT;
    };
    let room = unsafe { *len };
    disk.grown.set(disk.grown.get() + disk.grows_by.get());
    unsafe { *len = stored.len() + disk.grown.get() };
    if disk.grown.get() == 0 && stored.len() <= room {
        unsafe { value.copy_from_nonoverlapping(stored.as_ptr(), stored.len()) };
    }
    SUBROSA_GET_FOUND
}

unsafe extern "C" fn commit(
    context: *mut c_void,
    base: u64,
    puts: *const subrosa_put,
    puts_len: usize,
    deletes: *const subrosa_key,
    deletes_len: usize,
) -> i32 {
    let disk = unsafe { &*context.cast::<Disk>() };
    disk.commits.set(disk.commits.get() + 1);
    disk.call_hook();
    let mut contents = disk.contents.borrow_mut();
    let answer = match disk.fate.get() {
        Fate::Done if base == contents.generation => SUBROSA_COMMIT_DONE,
        Fate::Done | Fate::Stale => return SUBROSA_COMMIT_STALE,
        Fate::Failed => return SUBROSA_COMMIT_FAILED,
        Fate::UnknownLost => return SUBROSA_COMMIT_UNKNOWN,
        Fate::UnknownStored => SUBROSA_COMMIT_UNKNOWN,
        Fate::Nonsense => return 77,
    };
    for at in 0..deletes_len {
        contents.values.remove(&unsafe { *deletes.add(at) }.bytes);
    }
    for at in 0..puts_len {
        let put = unsafe { *puts.add(at) };
        let value = super::shown(put.value);
        contents.values.insert(put.key.bytes, value);
    }
    contents.generation += 1;
    answer
}

unsafe extern "C" fn release(context: *mut c_void) {
    let disk = unsafe { &*context.cast::<Disk>() };
    disk.released.set(disk.released.get() + 1);
    disk.call_hook();
}

//! Names of objects: pointers that C holds and that are never followed.
//!
//! A handle is a number in the shape of a pointer: the kind of its object, a place in a table, and how often that place
//! was used before. The table says whether the object is there, and who uses it: one call that may change it, or any number
//! of calls that read. A place whose uses can no longer be told apart is not used again, so a handle that was freed
//! never names anything else. There is no lock: one atomic word of each place says all of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::status::Status;

/// What a handle can name.
pub trait Object: Any + Send + Sync {
    /// The number of its type in handles, from 1 to 15.
    const KIND: usize;
}

/// Bits of a handle that say how often its place was used before: the lowest ones.
const USES: u32 = usize::BITS / 2;
/// Bits of a handle that say its place, above.
const PLACE: u32 = USES - 4;
/// The greatest number of uses.
const USES_MAX: usize = (1 << USES) - 1;

/// A place's word, above its uses: nothing is there.
const VACANT: usize = USES_MAX;
/// One call has the object to itself.
const EXCLUSIVE: usize = USES_MAX - 1;
/// A panic went through a call that had the object to itself.
const SPOILT: usize = USES_MAX - 2;
/// More readers than this are not let in.
const READERS_MAX: usize = USES_MAX - 3;

const fn word(uses: usize, state: usize) -> usize {
    uses << USES | state
}

const fn state_of(word: usize) -> usize {
    word & USES_MAX
}

const fn uses_of(word: usize) -> usize {
    word >> USES
}

/// A place of the table.
struct Place {
    /// How often it was used before, and what is there.
    word: AtomicUsize,
    object: UnsafeCell<Option<Box<dyn Any + Send + Sync>>>,
}

// SAFETY: `object` is reached only by who has moved `word` to EXCLUSIVE, or, to read, has raised the number of readers.
unsafe impl Sync for Place {}

/// Places of the first block; each further block is twice as long as the one before.
const FIRST: usize = 64;
/// Blocks of the table: some 4,000 places, 65,000 where a pointer has 64 bits.
const BLOCKS: usize = if usize::BITS == 64 { 10 } else { 6 };
const _: () = assert!(FIRST << BLOCKS <= 1 << PLACE);

/// The table. A block that was made stays.
static TABLE: [AtomicPtr<Place>; BLOCKS] = [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS];
/// How many blocks there are.
static MADE: AtomicUsize = AtomicUsize::new(0);
/// The place that was vacated last: where to look for a vacant one first. It is in the processor's cache.
static LAST: AtomicUsize = AtomicUsize::new(0);
/// Where to look after that.
static NEXT: AtomicUsize = AtomicUsize::new(0);
/// Places that are looked at before the table grows.
const LOOKS: usize = 16;

/// Places of so many blocks.
const fn places(blocks: usize) -> usize {
    (FIRST << blocks).saturating_sub(FIRST)
}

/// Makes the next block, unless another thread does.
fn grow(blocks: usize) -> Result<(), Status> {
    let block = TABLE.get(blocks).ok_or(Status::HANDLES)?;
    if block.load(Ordering::Acquire).is_null() {
        let length = FIRST << blocks;
        let mut places = Vec::with_capacity(length);
        places.resize_with(length, || Place {
            word: AtomicUsize::new(word(1, VACANT)),
            object: UnsafeCell::new(None),
        });
        let made = Box::into_raw(places.into_boxed_slice());
        let first = made.cast::<Place>();
        let placed =
            block.compare_exchange(ptr::null_mut(), first, Ordering::AcqRel, Ordering::Acquire);
        if placed.is_err() {
            // SAFETY: it comes from a box, and nobody has seen it.
            drop(unsafe { Box::from_raw(made) });
        }
    }
    MADE.fetch_max(blocks.saturating_add(1), Ordering::AcqRel);
    Ok(())
}

/// The place with this number.
fn place(number: usize) -> Option<&'static Place> {
    let shifted = number.checked_add(FIRST)?;
    let block = (shifted / FIRST).checked_ilog2()?;
    let offset = shifted.checked_sub(FIRST << block)?;
    let first = TABLE
        .get(usize::try_from(block).ok()?)?
        .load(Ordering::Acquire);
    if first.is_null() {
        return None;
    }
    // SAFETY: a block has `FIRST << block` places, and `offset` is less.
    let place = unsafe { first.add(offset) };
    // SAFETY: a block that was made stays for ever, and its places are only ever shared.
    Some(unsafe { &*place })
}

/// The number of the place that a handle names, whatever it is.
const fn place_number(handle: usize) -> usize {
    handle >> USES & ((1 << PLACE) - 1)
}

/// A handle, taken apart: the place, and how often it was used before.
fn find<T: Object>(handle: *const T) -> Result<(&'static Place, usize), Status> {
    let number = handle.addr();
    let kind = number >> (USES + PLACE);
    let uses = number & USES_MAX;
    if kind != T::KIND || uses == 0 {
        return Err(Status::HANDLE);
    }
    let place = place(place_number(number)).ok_or(Status::HANDLE)?;
    Ok((place, uses))
}

/// Why a place whose word is this one cannot be had.
const fn refused(word: usize, uses: usize) -> Status {
    if uses_of(word) != uses || state_of(word) == VACANT {
        Status::HANDLE
    } else if state_of(word) == SPOILT {
        Status::INTERNAL
    } else {
        Status::BUSY
    }
}

/// An object that other calls may read, too.
#[must_use]
pub struct Shared<T> {
    place: &'static Place,
    object: *const T,
}

/// Holds an object to read it.
pub fn shared<T: Object>(handle: *const T) -> Result<Shared<T>, Status> {
    let (place, uses) = find(handle)?;
    let held = place
        .word
        .fetch_update(Ordering::Acquire, Ordering::Relaxed, |word| {
            let free = uses_of(word) == uses && state_of(word) < READERS_MAX;
            free.then(|| word.saturating_add(1))
        });
    if let Err(word) = held {
        return Err(refused(word, uses));
    }
    // SAFETY: held to read.
    let object = unsafe { &*place.object.get() };
    let object = object.as_ref().and_then(|object| object.downcast_ref());
    match object {
        Some(object) => Ok(Shared {
            place,
            object: ptr::from_ref(object),
        }),
        None => {
            place.word.fetch_sub(1, Ordering::Release);
            Err(Status::HANDLE)
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: while it is held to be read, nobody changes it; `shared` gives none out without an object.
        unsafe { &*self.object }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        self.place.word.fetch_sub(1, Ordering::Release);
    }
}

/// A place that this call has to itself.
struct Held {
    place: &'static Place,
    uses: usize,
}

impl Held {
    /// Takes the object out, and leaves the place vacant, for another use if there can be one.
    fn vacate(self) -> Option<Box<dyn Any + Send + Sync>> {
        // SAFETY: this call has the place to itself.
        let object = unsafe { &mut *self.place.object.get() };
        let object = object.take();
        let uses = self.uses.saturating_add(1).min(USES_MAX);
        self.place.word.store(word(uses, VACANT), Ordering::Release);
        object
    }
}

/// An object that this call has to itself.
#[must_use]
pub struct Exclusive<T> {
    held: Held,
    object: *mut T,
    /// A panic went through this thread already when the call began: it is not of this call.
    panicked: bool,
}

/// Holds an object alone.
pub fn exclusive<T: Object>(handle: *mut T) -> Result<Exclusive<T>, Status> {
    let (place, uses) = find(handle.cast_const())?;
    let held = place.word.compare_exchange(
        word(uses, 0),
        word(uses, EXCLUSIVE),
        Ordering::Acquire,
        Ordering::Relaxed,
    );
    if let Err(word) = held {
        return Err(refused(word, uses));
    }
    // SAFETY: held alone.
    let object = unsafe { &mut *place.object.get() };
    let object = object.as_mut().and_then(|object| object.downcast_mut());
    match object {
        Some(object) => Ok(Exclusive {
            held: Held { place, uses },
            object: ptr::from_mut(object),
            panicked: panics(),
        }),
        None => {
            place.word.store(word(uses, 0), Ordering::Release);
            Err(Status::HANDLE)
        }
    }
}

impl<T> Exclusive<T> {
    /// Ends the handle, and drops the object.
    pub fn end(self) {
        let held = Held {
            place: self.held.place,
            uses: self.held.uses,
        };
        core::mem::forget(self);
        drop(held.vacate());
    }
}

impl<T> Deref for Exclusive<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this call has it to itself; `exclusive` gives none out without an object.
        unsafe { &*self.object }
    }
}

impl<T> DerefMut for Exclusive<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.object }
    }
}

impl<T> Drop for Exclusive<T> {
    fn drop(&mut self) {
        let spoilt = panics() && !self.panicked;
        let state = if spoilt { SPOILT } else { 0 };
        let word = word(self.held.uses, state);
        self.held.place.word.store(word, Ordering::Release);
    }
}

/// Whether a panic goes through this thread.
#[cfg(feature = "std")]
fn panics() -> bool {
    std::thread::panicking()
}

/// Whether a panic goes through this thread: it has ended the program.
#[cfg(not(feature = "std"))]
const fn panics() -> bool {
    false
}

/// A handle whose object is still to come: what a call gives out is stored by then, so there must be room before.
#[must_use]
pub struct Reserved<T> {
    held: Option<Held>,
    number: usize,
    of: PhantomData<T>,
}

/// Takes a place for an object.
pub fn reserve<T: Object>() -> Result<Reserved<T>, Status> {
    let last = LAST.load(Ordering::Relaxed);
    if let Some(held) = place(last).and_then(try_take) {
        return Ok(Reserved::new(held, last));
    }
    loop {
        let made = MADE.load(Ordering::Acquire);
        let places = places(made);
        // Once there is no further block, a vacant place is found wherever it is.
        let looks = if made < BLOCKS {
            LOOKS.min(places)
        } else {
            places.saturating_mul(2)
        };
        for _ in 0..looks {
            let turn = NEXT.fetch_add(1, Ordering::Relaxed);
            let number = turn.checked_rem(places).unwrap_or_default();
            if let Some(held) = place(number).and_then(try_take) {
                return Ok(Reserved::new(held, number));
            }
        }
        grow(made)?;
    }
}

/// Takes a place if it is vacant.
fn try_take(place: &'static Place) -> Option<Held> {
    let vacant = place.word.load(Ordering::Relaxed);
    let uses = uses_of(vacant);
    // The last number of uses is given to none: the place would look like another.
    if state_of(vacant) != VACANT || uses >= USES_MAX {
        return None;
    }
    let taken = word(uses, EXCLUSIVE);
    let exchanged =
        place
            .word
            .compare_exchange(vacant, taken, Ordering::Acquire, Ordering::Relaxed);
    exchanged.ok().map(|_| Held { place, uses })
}

impl<T: Object> Reserved<T> {
    const fn new(held: Held, place: usize) -> Self {
        Self {
            number: T::KIND << (USES + PLACE) | place << USES | held.uses,
            held: Some(held),
            of: PhantomData,
        }
    }

    /// Puts the object there, and gives its handle.
    pub fn fill(mut self, object: T) -> *mut T {
        if let Some(held) = self.held.take() {
            // SAFETY: this call has the place to itself.
            let empty = unsafe { &mut *held.place.object.get() };
            *empty = Some(Box::new(object));
            held.place.word.store(word(held.uses, 0), Ordering::Release);
        }
        ptr::without_provenance_mut(self.number)
    }
}

impl<T> Drop for Reserved<T> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            drop(held.vacate());
        }
    }
}

/// Ends a handle and drops its object, a spoilt one as well; NULL is fine.
pub fn free<T: Object>(handle: *mut T) -> Result<(), Status> {
    if handle.is_null() {
        return Ok(());
    }
    match exclusive(handle) {
        Ok(object) => object.end(),
        Err(Status::INTERNAL) => drop(take_spoilt(handle.cast_const())?.vacate()),
        Err(status) => return Err(status),
    }
    LAST.store(place_number(handle.addr()), Ordering::Relaxed);
    Ok(())
}

/// Holds a spoilt object, to drop it and for nothing else: however far it was changed, its secrets are overwritten.
fn take_spoilt<T: Object>(handle: *const T) -> Result<Held, Status> {
    let (place, uses) = find(handle)?;
    let held = place.word.compare_exchange(
        word(uses, SPOILT),
        word(uses, EXCLUSIVE),
        Ordering::Acquire,
        Ordering::Relaxed,
    );
    if let Err(word) = held {
        return Err(refused(word, uses));
    }
    // SAFETY: held alone.
    let object = unsafe { &*place.object.get() };
    if object.as_ref().is_some_and(|object| object.is::<T>()) {
        return Ok(Held { place, uses });
    }
    place.word.store(word(uses, SPOILT), Ordering::Release);
    Err(Status::HANDLE)
}

#[cfg(test)]
mod tests;

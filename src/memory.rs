//! The ground, below floor 0: vectors that grow without a panic and leave nothing behind.
//!
//! `Vec` panics where a capacity overflows or an index is out of range, and its growing, shifting and removing leave
//! copies of what it moved in memory that nobody overwrites. Here a size that no memory can hold goes where an
//! allocator that has none left goes, to [`handle_alloc_error`], and what a vector held before it moved is overwritten.

use alloc::alloc::handle_alloc_error;
use alloc::vec::Vec;
use core::alloc::Layout;

use zeroize::Zeroize;

/// Makes room for `more` values behind those that are there. When the values move, their old place is overwritten.
///
/// Inlined, so that the compiler sees in the caller that what follows does not grow.
#[inline(always)]
fn reserve<T>(values: &mut Vec<T>, more: usize) {
    if room(values) < more {
        grow(values, more);
    }
    require_room(values, more);
}

/// Moves the values to at least twice the room that they take.
fn grow<T>(values: &mut Vec<T>, more: usize) {
    let least = values.len().saturating_add(more);
    move_to(values, least.max(values.len().saturating_mul(2)));
}

/// How many values fit behind the last one.
fn room<T>(values: &Vec<T>) -> usize {
    values.capacity().wrapping_sub(values.len())
}

/// Shows the compiler that what follows does not grow: never more than one comparison, and often none.
#[inline]
fn require_room<T>(values: &Vec<T>, more: usize) {
    if room(values) < more {
        exhausted::<T>();
    }
}

fn exhausted<T>() -> ! {
    handle_alloc_error(Layout::new::<T>())
}

/// Moves the values to room for `capacity` of them, at least as many as there are.
fn move_to<T>(values: &mut Vec<T>, capacity: usize) {
    let mut grown = with_capacity(capacity);
    require_room(&grown, values.len());
    grown.append(values);
    wipe_spare(values);
    *values = grown;
}

/// An empty vector with room for `capacity` values.
pub(crate) fn with_capacity<T>(capacity: usize) -> Vec<T> {
    let mut values = Vec::new();
    if values.try_reserve_exact(capacity).is_err() {
        exhausted::<T>();
    }
    values
}

/// A copy of `values`.
pub(crate) fn copied<T: Copy>(values: &[T]) -> Vec<T> {
    let mut copy = with_capacity(values.len());
    require_room(&copy, values.len());
    copy.extend_from_slice(values);
    copy
}

/// Adds `value` behind the last one.
pub(crate) fn push<T>(values: &mut Vec<T>, value: T) {
    reserve(values, 1);
    values.push(value);
}

/// Adds `more` behind the last value.
pub(crate) fn extend<T: Copy>(values: &mut Vec<T>, more: &[T]) {
    reserve(values, more.len());
    values.extend_from_slice(more);
}

/// Takes all of `more` over, behind the last value, with no more room than they need.
pub(crate) fn append<T>(values: &mut Vec<T>, more: &mut Vec<T>) {
    let least = values.len().saturating_add(more.len());
    if room(values) < more.len() {
        move_to(values, least);
    }
    require_room(values, more.len());
    values.append(more);
    wipe_spare(more);
}

/// Lengthens `bytes` to `length` with zeros; a longer one stays as it is.
pub(crate) fn lengthen(bytes: &mut Vec<u8>, length: usize) {
    let more = length.saturating_sub(bytes.len());
    reserve(bytes, more);
    bytes.extend(core::iter::repeat_n(0, more));
}

/// Puts `value` in front of the one at `position`, or behind the last one.
pub(crate) fn insert<T>(values: &mut Vec<T>, position: usize, value: T) {
    reserve(values, 1);
    values.insert(position.min(values.len()), value);
}

/// Drops the value at `position`, if there is one; the later ones move down.
pub(crate) fn remove<T>(values: &mut Vec<T>, position: usize) {
    // `Vec::remove` keeps a panic that the compiler does not see to be unreachable.
    let mut places = 0..values.len();
    retain(values, |_| places.next() != Some(position));
}

/// Drops all values but those that `keep` says.
pub(crate) fn retain<T>(values: &mut Vec<T>, keep: impl FnMut(&T) -> bool) {
    let before = values.len();
    values.retain(keep);
    if values.len() < before {
        wipe_spare(values);
    }
}

/// Drops all values, and overwrites where they lay: an enum keeps bytes of the variants that it had before.
pub(crate) fn clear<T>(values: &mut Vec<T>) {
    values.clear();
    wipe_spare(values);
}

/// Overwrites the room behind the last value, where moved values may have left their bytes.
fn wipe_spare<T>(values: &mut Vec<T>) {
    values.spare_capacity_mut().zeroize();
}

#[cfg(test)]
mod tests;

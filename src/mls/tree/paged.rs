//! A list in pages that are shared between its copies until one of them changes a page.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::memory;

/// Values in a page, and pages below a branch.
const WIDTH: usize = 32;
const BITS: u32 = WIDTH.trailing_zeros();

/// A list of values. A copy costs nothing; a change costs the pages above the value.
#[derive(Clone)]
pub(super) struct Paged<T> {
    root: Arc<Branch<T>>,
    /// Branches above each page.
    height: u32,
    length: usize,
}

#[derive(Clone)]
enum Branch<T> {
    Inner(Vec<Arc<Branch<T>>>),
    Page(Vec<T>),
}

/// Which child of a branch of this height leads to a place.
const fn child(place: usize, height: u32) -> usize {
    place.unbounded_shr(height.saturating_mul(BITS)) % WIDTH
}

impl<T: Clone + Default> Paged<T> {
    pub(super) fn new() -> Self {
        Self {
            root: Arc::new(Branch::Page(Vec::new())),
            height: 0,
            length: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    pub(super) fn get(&self, place: usize) -> Option<&T> {
        if place >= self.length {
            return None;
        }
        let mut branch = &self.root;
        let mut height = self.height;
        loop {
            match &**branch {
                Branch::Page(values) => return values.get(child(place, 0)),
                Branch::Inner(branches) => branch = branches.get(child(place, height))?,
            }
            height = height.saturating_sub(1);
        }
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        if place >= self.length {
            return None;
        }
        let mut branch = &mut self.root;
        let mut height = self.height;
        loop {
            match Arc::make_mut(branch) {
                Branch::Page(values) => return values.get_mut(child(place, 0)),
                Branch::Inner(branches) => branch = branches.get_mut(child(place, height))?,
            }
            height = height.saturating_sub(1);
        }
    }

    /// Puts default values behind the last one, until there are `length`.
    pub(super) fn extend_to(&mut self, length: usize) {
        while self.length < length {
            self.push(T::default());
        }
    }

    fn push(&mut self, value: T) {
        let room = WIDTH.unbounded_shl(self.height.saturating_mul(BITS));
        if self.length == room {
            let mut branches = memory::with_capacity(WIDTH);
            memory::push(&mut branches, self.root.clone());
            self.root = Arc::new(Branch::Inner(branches));
            self.height = self.height.saturating_add(1);
        }
        let mut branch = &mut self.root;
        let mut height = self.height;
        loop {
            match Arc::make_mut(branch) {
                Branch::Page(values) => {
                    memory::push(values, value);
                    self.length = self.length.saturating_add(1);
                    return;
                }
                Branch::Inner(branches) => {
                    let place = child(self.length, height);
                    height = height.saturating_sub(1);
                    if branches.len() == place {
                        let empty = match height {
                            0 => Branch::Page(Vec::new()),
                            _ => Branch::Inner(Vec::new()),
                        };
                        memory::push(branches, Arc::new(empty));
                    }
                    let Some(next) = branches.get_mut(place) else {
                        return;
                    };
                    branch = next;
                }
            }
        }
    }

    /// Lets go of all values but the first `length`, of which there is at least one.
    pub(super) fn truncate(&mut self, length: usize) {
        if length == 0 || length >= self.length {
            return;
        }
        self.length = length;
        let mut last = length.saturating_sub(1);
        let mut branch = &mut self.root;
        let mut height = self.height;
        loop {
            let kept = child(last, height);
            match Arc::make_mut(branch) {
                Branch::Page(values) => {
                    values.truncate(kept.saturating_add(1));
                    break;
                }
                Branch::Inner(branches) => {
                    branches.truncate(kept.saturating_add(1));
                    let Some(next) = branches.get_mut(kept) else {
                        break;
                    };
                    branch = next;
                }
            }
            last = last.checked_rem(span(height)).unwrap_or_default();
            height = height.saturating_sub(1);
        }
        while let Branch::Inner(branches) = &*self.root {
            let [only] = branches.as_slice() else { break };
            self.root = only.clone();
            self.height = self.height.saturating_sub(1);
        }
    }
}

/// Values below each child of a branch of this height.
const fn span(height: u32) -> usize {
    1usize.unbounded_shl(height.saturating_mul(BITS))
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn all(list: &Paged<u32>) -> Vec<u32> {
        (0..list.len())
            .map(|place| *list.get(place).unwrap())
            .collect()
    }

    /// Every length up to three levels, shortened to many others, against a plain vector; copies stay what they were.
    #[test]
    fn it_is_a_list() {
        let mut list = Paged::new();
        let mut plain: Vec<u32> = Vec::new();
        let mut copies = Vec::new();
        for length in [
            1, 2, 31, 32, 33, 63, 64, 65, 1_000, 1_023, 1_024, 1_025, 5_000, 32_768, 32_800,
        ] {
            list.extend_to(length);
            while plain.len() < length {
                let place = plain.len();
                *list.get_mut(place).unwrap() = place as u32 * 3 + 1;
                plain.push(place as u32 * 3 + 1);
            }
            assert_eq!(all(&list), plain);
            assert_eq!(list.get(length), None);
            assert_eq!(list.get_mut(length), None);
            copies.push((list.clone(), plain.clone()));
            *list.get_mut(length / 2).unwrap() += 7;
            plain[length / 2] += 7;
        }
        for length in [32_769, 32_768, 32_767, 1_025, 1_024, 1_000, 33, 32, 7, 1] {
            list.truncate(length);
            plain.truncate(length);
            assert_eq!(all(&list), plain);
            // And grows again.
            let mut again = list.clone();
            again.extend_to(length + 40);
            let mut zeros = plain.clone();
            zeros.resize(length + 40, 0);
            assert_eq!(all(&again), zeros);
        }
        list.truncate(0);
        assert_eq!(list.len(), 1);
        for (copy, plain) in copies {
            assert_eq!(all(&copy), plain);
        }
    }
}

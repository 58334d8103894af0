//! A list in pages that are shared between its copies until one of them changes a page.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::memory;

/// Values in a page: few, as a change copies them all.
const PAGE: usize = 8;
const PAGE_BITS: u32 = PAGE.trailing_zeros();

/// Pages or branches below a branch.
const WIDTH: usize = 16;
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

/// Which child of a branch of this height leads to a place; of a page, which of its values.
const fn child(place: usize, height: u32) -> usize {
    match height.checked_sub(1) {
        None => place % PAGE,
        Some(above) => place.unbounded_shr(shift(above)) % WIDTH,
    }
}

/// Of how many values a branch of this height is, as a power of 2.
const fn shift(height: u32) -> u32 {
    height.saturating_mul(BITS).saturating_add(PAGE_BITS)
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
        let room = 1usize.unbounded_shl(shift(self.height));
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
                            0 => Branch::Page(memory::with_capacity(PAGE)),
                            _ => Branch::Inner(memory::with_capacity(WIDTH)),
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
            height = height.saturating_sub(1);
            last = last
                .checked_rem(1usize.unbounded_shl(shift(height)))
                .unwrap_or_default();
        }
        while let Branch::Inner(branches) = &*self.root {
            let [only] = branches.as_slice() else { break };
            self.root = only.clone();
            self.height = self.height.saturating_sub(1);
        }
    }
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

    /// Every length up to four levels, shortened to many others, against a plain vector; copies stay what they were.
    #[test]
    fn it_is_a_list() {
        let mut list = Paged::new();
        let mut plain: Vec<u32> = Vec::new();
        let mut copies = Vec::new();
        for length in [
            1, 2, 7, 8, 9, 15, 16, 17, 127, 128, 129, 1_000, 2_047, 2_048, 2_049, 5_000, 32_768,
            32_800,
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
        for length in [
            32_769, 32_768, 32_767, 2_049, 2_048, 1_000, 129, 128, 9, 8, 7, 1,
        ] {
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

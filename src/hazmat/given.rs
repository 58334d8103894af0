//! Random values given in advance.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::crypto::hedge::Entropy;
use crate::crypto::{self, Secret};

/// Random values given in advance, in the order of their use; each is what the hedged generator would have given
/// (SPEC §3.6), or the `r32` of a salt.
#[derive(Default)]
pub struct Given {
    values: VecDeque<Vec<u8>>,
}

impl Given {
    /// These values, the first one first.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self {
            values: values.into_iter().collect(),
        }
    }

    /// How many values were not used.
    #[must_use]
    pub fn left(&self) -> usize {
        self.values.len()
    }

    fn take<const N: usize>(&mut self) -> Result<Secret<N>, crypto::Error> {
        let value = self.values.pop_front().ok_or(crypto::Error::Rng)?;
        let bytes = <[u8; N]>::try_from(value).map_err(|_| crypto::Error::Rng)?;
        Ok(Secret::new(bytes))
    }
}

impl Entropy for Given {
    fn derive<const N: usize>(
        &mut self,
        _purpose: &'static [u8],
        _context: &[&[u8]],
    ) -> Result<Secret<N>, crypto::Error> {
        self.take()
    }

    fn fresh(&mut self) -> Result<Secret<32>, crypto::Error> {
        self.take()
    }
}

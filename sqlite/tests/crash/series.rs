//! A series of batches that a seed gives, and what a store holds after each of them.

use std::collections::BTreeMap;

use subrosa::device::store::Key;

use super::random::Random;

/// How many keys there are.
const KEYS: usize = 40;

/// Lengths about which values are found: slots of few sizes, some longer than a page.
const LENGTHS: [usize; 8] = [0, 1, 40, 200, 900, 2_500, 2_700, 9_000];

/// What a store holds.
pub type Contents = BTreeMap<Key, Vec<u8>>;

/// What is committed at once.
pub struct Batch {
    pub puts: Vec<(Key, Vec<u8>)>,
    pub deletes: Vec<Key>,
}

/// The batches that a seed gives, one for each generation.
#[derive(Clone, Copy)]
pub struct Series {
    pub seed: u64,
}

impl Series {
    /// The key of a number.
    pub fn key(number: usize) -> Key {
        let mut random = Random::from_seed(u64::try_from(number).unwrap());
        random.bytes(16).try_into().expect("16 bytes")
    }

    /// What is committed on `generation`. Each has at least one put, and each value is another.
    pub fn batch(self, generation: u64) -> Batch {
        let mut random =
            Random::from_seed(self.seed ^ generation.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let mut numbers: Vec<usize> = (0..KEYS).collect();
        let mut batch = Batch {
            puts: Vec::new(),
            deletes: Vec::new(),
        };
        for place in 0..=random.below(8) {
            let key = Self::key(numbers.swap_remove(random.below(numbers.len())));
            if place > 0 && random.below(3) == 0 {
                batch.deletes.push(key);
            } else {
                let length = LENGTHS[random.below(LENGTHS.len())] + random.below(30);
                // Which generation it is of, and then what is its own.
                let mut value = generation.to_le_bytes().to_vec();
                value.extend(random.bytes(length));
                batch.puts.push((key, value));
            }
        }
        batch
    }

    /// What the store holds at each generation up to `last`.
    pub fn contents(self, last: u64) -> Vec<Contents> {
        let mut all = vec![Contents::new()];
        for generation in 0..last {
            let mut contents = all[all.len() - 1].clone();
            let batch = self.batch(generation);
            for key in &batch.deletes {
                contents.remove(key);
            }
            contents.extend(batch.puts);
            all.push(contents);
        }
        all
    }
}

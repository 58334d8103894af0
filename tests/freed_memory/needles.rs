//! Secrets to be searched for.

use std::collections::HashMap;

/// Bytes of a needle: half of a key is enough to be found.
const NEEDLE: usize = 16;

/// What two chunks of memory have to share, so that no needle between them is missed.
pub const OVERLAP: usize = NEEDLE - 1;

/// Bits of the table that answers for nearly all places that there is nothing.
const TABLE_BITS: u32 = 22;

pub struct Needles {
    known: HashMap<[u8; NEEDLE], &'static str>,
    table: Vec<u64>,
}

impl Needles {
    pub fn new() -> Self {
        Self {
            known: HashMap::new(),
            table: vec![0; 1 << (TABLE_BITS - 6)],
        }
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn add(&mut self, what: &'static str, secret: &[u8]) {
        let (halves, _) = secret.as_chunks::<NEEDLE>();
        for half in halves {
            assert!(
                half.iter().any(|byte| *byte != half[0]),
                "{what} is no secret"
            );
            self.known.entry(*half).or_insert(what);
            let bit = place(half);
            self.table[bit >> 6] |= 1 << (bit & 63);
        }
    }

    pub fn find(&self, memory: &[u8], mut found: impl FnMut(usize, &'static str)) {
        for (at, window) in memory.windows(NEEDLE).enumerate() {
            let Ok(window) = window.try_into() else {
                continue;
            };
            let bit = place(window);
            if self.table[bit >> 6] >> (bit & 63) & 1 == 1
                && let Some(what) = self.known.get(window)
            {
                found(at, what);
            }
        }
    }
}

fn place(needle: &[u8; NEEDLE]) -> usize {
    let [front, ..] = needle.as_chunks::<8>().0 else {
        return 0;
    };
    let mixed = u64::from_le_bytes(*front).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - TABLE_BITS)) as usize
}

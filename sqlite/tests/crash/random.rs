//! Numbers that a seed gives: SplitMix64.

use std::env;

pub struct Random(u64);

impl Random {
    /// Another one for each `name`, and for each seed that is asked for.
    pub fn new(name: &str) -> Self {
        let mut random = Self(number("SUBROSA_SEED", 1));
        for byte in name.bytes() {
            random.0 ^= u64::from(byte);
            random.next();
        }
        random
    }

    pub fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = len.div_ceil(8);
        let mut bytes: Vec<u8> = (0..words).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(len);
        bytes
    }
}

/// How many times `rounds` are asked for.
pub fn rounds(rounds: usize) -> usize {
    rounds * usize::try_from(number("SUBROSA_CRASHES", 1)).unwrap()
}

fn number(variable: &str, unless: u64) -> u64 {
    let told = env::var(variable).ok();
    told.map_or(unless, |told| told.parse().expect("a number"))
}

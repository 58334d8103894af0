//! A mixing of bytes that is cheap, repeatable and good enough to tell inputs apart. It hides nothing.

/// The 64-bit digest of `parts`, each with its length.
pub(crate) fn mix(parts: &[&[u8]]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for part in parts {
        state = step(state, part.len() as u64);
        let (words, rest) = part.as_chunks::<8>();
        for word in words {
            state = step(state, u64::from_le_bytes(*word));
        }
        for byte in rest {
            state = step(state, u64::from(*byte));
        }
    }
    state
}

/// The 64-bit digest of `parts` behind each other, wherever they meet.
pub(crate) fn mix_joined(seed: u64, parts: &[&[u8]]) -> u64 {
    let mut joined = Joined::new(seed);
    for part in parts {
        joined.update(part);
    }
    joined.finish()
}

/// The same of parts that come one by one.
#[derive(Clone)]
pub(crate) struct Joined {
    state: u64,
    word: u64,
    filled: u64,
}

impl Joined {
    pub(crate) const fn new(seed: u64) -> Self {
        Self {
            state: seed,
            word: 0,
            filled: 0,
        }
    }

    pub(crate) fn update(&mut self, part: &[u8]) {
        for byte in part {
            self.word |= u64::from(*byte) << self.filled;
            self.filled += 8;
            if self.filled == 64 {
                self.state = step(self.state, self.word);
                (self.word, self.filled) = (0, 0);
            }
        }
    }

    pub(crate) const fn finish(&self) -> u64 {
        // The bits in use tell a last zero from none.
        step(step(self.state, self.word), self.filled)
    }
}

/// Fills `out` with bytes that follow from `seed`.
pub(crate) fn spread(seed: u64, out: &mut [u8]) {
    let mut state = seed;
    for chunk in out.chunks_mut(8) {
        state = step(state, 1);
        for (to, from) in chunk.iter_mut().zip(state.to_le_bytes()) {
            *to = from;
        }
    }
}

/// `N` bytes that follow from `parts`.
pub(crate) fn digest<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    spread(mix(parts), &mut out);
    out
}

/// One round of SplitMix64 over both; a bijection of each for a fixed other one.
const fn step(state: u64, word: u64) -> u64 {
    let z = state.rotate_left(23) ^ word;
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

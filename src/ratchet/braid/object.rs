//! The four things that one exchange sends (SPEC §10.2).

use super::code::SYMBOL;
use crate::crypto::kem::{KEM_CT1, KEM_CT2, KEM_VECTOR};

/// Bytes of a MAC.
pub(crate) const MAC: usize = 32;
/// Bytes of `hdr`: `ek_seed || H3(ek) || MAC`.
pub(crate) const HEADER: usize = 32 + 32 + MAC;
/// Bytes of `ct2` as it is sent: the ciphertext's second part and its MAC.
pub(crate) const CT2: usize = KEM_CT2 + MAC;

/// What a run of symbols belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// `hdr`, 96 bytes.
    Header,
    /// `ek_vector`, 1,152 bytes.
    Vector,
    /// `ct1`, 960 bytes.
    Ct1,
    /// `ct2` and its MAC, 160 bytes.
    Ct2,
}

impl Object {
    /// The type in a frame.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Header => 1,
            Self::Vector => 2,
            Self::Ct1 => 3,
            Self::Ct2 => 4,
        }
    }

    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Header),
            2 => Some(Self::Vector),
            3 => Some(Self::Ct1),
            4 => Some(Self::Ct2),
            _ => None,
        }
    }

    /// `k`: the symbols that give it.
    pub(crate) const fn symbols(self) -> u8 {
        match self {
            Self::Header => count(HEADER),
            Self::Vector => count(KEM_VECTOR),
            Self::Ct1 => count(KEM_CT1),
            Self::Ct2 => count(CT2),
        }
    }

    /// `3k`: what one sending chain carries at most.
    pub(crate) const fn most_in_a_chain(self) -> u8 {
        self.symbols().saturating_mul(3)
    }

    /// `ceil(1.5 k) + 1`: how many of a chain may make messages longer.
    pub(crate) const fn worth_a_step(self) -> u8 {
        let k = self.symbols();
        k.saturating_add(k.div_ceil(2)).saturating_add(1)
    }

    /// `k + 2`: what one message carries at most.
    pub(crate) const fn most_in_a_message(self) -> u8 {
        self.symbols().saturating_add(2)
    }
}

/// At most 72 for the sizes above.
#[expect(
    clippy::cast_possible_truncation,
    reason = "no conversion is const; checked below"
)]
const fn count(bytes: usize) -> u8 {
    (bytes / SYMBOL) as u8
}

const _: () = assert!(
    HEADER.is_multiple_of(SYMBOL)
        && KEM_VECTOR.is_multiple_of(SYMBOL)
        && KEM_CT1.is_multiple_of(SYMBOL)
        && CT2.is_multiple_of(SYMBOL)
        && KEM_VECTOR / SYMBOL <= 84
);

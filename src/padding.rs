//! Floor 0: the lengths that a padded text may have, and its padding (SPEC §5).
//!
//! 192, 256, 512 or 1,024 bytes, above that Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files
//! and Communication with PURBs", PETS 2019, §4.3): at most 12 % more bytes, O(log log n) bits of the length seen.

use core::fmt;

/// The lengths below Padmé's.
const BUCKETS: [u64; 4] = [192, 256, 512, 1024];

/// The padding is not zero, or the length is none that a sender produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPadding;

impl fmt::Display for BadPadding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the padding is malformed")
    }
}

impl core::error::Error for BadPadding {}

/// The smallest allowed length that holds `content` bytes (SPEC §5-R1); `None` where it would not fit a `usize`.
#[must_use]
pub fn padded_length(content: usize) -> Option<usize> {
    usize::try_from(padded_file_length(u64::try_from(content).ok()?)?).ok()
}

/// The same for what need not be in memory; `None` where it would not fit a `u64`.
#[must_use]
pub fn padded_file_length(content: u64) -> Option<u64> {
    for bucket in BUCKETS {
        if content <= bucket {
            return Some(bucket);
        }
    }
    padme(content)
}

/// Whether a sender ever produces `length` (SPEC §5-R2).
#[must_use]
pub fn is_padded_length(length: usize) -> bool {
    padded_length(length) == Some(length)
}

/// Accepts the bytes behind the content: all zero (SPEC §5-R3).
///
/// # Errors
/// [`BadPadding`].
pub fn require_zeros(padding: &[u8]) -> Result<(), BadPadding> {
    // Every byte is read, whatever the first ones are.
    if padding.iter().fold(0, |all, byte| all | byte) == 0 {
        Ok(())
    } else {
        Err(BadPadding)
    }
}

/// Padmé: with e = floor(log2 n) and s = floor(log2 e) + 1, the lowest e - s bits of the length are zero.
fn padme(length: u64) -> Option<u64> {
    let exponent = length.checked_ilog2()?;
    let significant = exponent.checked_ilog2()?.checked_add(1)?;
    let zeros = exponent.checked_sub(significant)?;
    let mask = 1u64.checked_shl(zeros)?.checked_sub(1)?;
    Some(length.checked_add(mask)? & !mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_then_padme() {
        for (content, padded) in [
            (0, 192),
            (192, 192),
            (193, 256),
            (257, 512),
            (513, 1024),
            (1025, 1088),
            (1088, 1088),
            (1089, 1152),
            (9, 192),
            (1 << 20, 1 << 20),
            ((1 << 20) + 1, (1 << 20) + (1 << 15)),
            (1_032_192, 1_032_192),
            (1_032_193, 1 << 20),
        ] {
            assert_eq!(padded_length(content), Some(padded), "{content}");
        }
        assert_eq!(padded_length(usize::MAX), None);
    }

    #[test]
    fn padding_is_idempotent_monotonic_and_small() {
        let mut last = 0;
        for content in 0..70_000 {
            let padded = padded_length(content).unwrap();
            assert!(padded >= content && padded >= last);
            assert_eq!(padded_length(padded), Some(padded));
            assert!(
                content <= 1024 || padded * 100 <= content * 112,
                "{content}"
            );
            last = padded;
        }
    }

    #[test]
    fn only_zeros_pad() {
        assert_eq!(require_zeros(&[]), Ok(()));
        assert_eq!(require_zeros(&[0; 100]), Ok(()));
        for position in 0..100 {
            let mut padding = [0; 100];
            padding[position] = 1;
            assert_eq!(require_zeros(&padding), Err(BadPadding));
        }
    }
}

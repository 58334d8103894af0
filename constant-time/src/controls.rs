//! Faults that have to be reported, or the check sees nothing: run with the scenarios, judged the other way round.

use std::hint::black_box;

use crate::scenarios::{Done, Scenario};
use crate::secret::{SecretRng, watched};

pub const ALL: &[Scenario] = &[
    ("planted-branch", planted_branch),
    ("planted-lookup", planted_lookup),
    ("planted-comparison", planted_comparison),
];

fn planted_branch() -> Done {
    let [secret] = SecretRng(1).bytes();
    watched(|| {
        if secret & 1 == 1 {
            black_box("odd");
        }
    });
    Ok(())
}

fn planted_lookup() -> Done {
    let [secret] = SecretRng(2).bytes();
    let table: [u8; 256] = std::array::from_fn(|index| index as u8);
    watched(|| black_box(black_box(&table)[usize::from(secret)]));
    Ok(())
}

/// A tag compared as no tag should be: to the first byte that differs.
fn planted_comparison() -> Done {
    let (tag, other): ([u8; 16], [u8; 16]) = (SecretRng(3).bytes(), black_box([7; 16]));
    watched(|| {
        if tag == other {
            black_box("equal");
        }
    });
    Ok(())
}

use std::vec;
use std::vec::Vec;

use super::hash::{HASH, HmacKey};
use super::{Error, labels};

#[test]
fn expand_gives_255_blocks_and_no_more() {
    let key = HmacKey::new(b"key");
    let mut longest = vec![0; 255 * HASH];
    key.expand(&[b"in", b"fo"], &mut longest).unwrap();
    let mut previous = Vec::new();
    for (counter, block) in (1..=255).zip(longest.chunks(HASH)) {
        let expected = key.mac(&[&previous, b"info", &[counter]]);
        assert_eq!(block, expected.expose());
        previous = block.to_vec();
    }
    for length in [0, 1, 31, 32, 33, 8159] {
        let mut shorter = vec![0; length];
        key.expand(&[b"info"], &mut shorter).unwrap();
        assert_eq!(shorter, longest[..length]);
    }
    let mut untouched = vec![7; 255 * HASH + 1];
    assert_eq!(key.expand(&[], &mut untouched), Err(Error::TooLong));
    assert!(untouched.iter().all(|byte| *byte == 7));
}

#[test]
fn no_label_is_a_prefix_of_another() {
    for (name, label) in labels::ALL {
        assert!(
            label.starts_with(b"subrosa/1 ") && label.ends_with(b"\0"),
            "{name}"
        );
        for (other, longer) in labels::ALL {
            assert!(
                name == other || !longer.starts_with(label),
                "{name}, {other}"
            );
        }
    }
    for (index, purpose) in labels::purpose::ALL.iter().enumerate() {
        assert!(!labels::purpose::ALL[..index].contains(purpose));
    }
}

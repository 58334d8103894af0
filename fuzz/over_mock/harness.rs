//! The harness over the stand-ins of `fuzz/mock`: the same targets, and what only the stand-ins show.

use std::collections::BTreeMap;

use subrosa::crypto::aead::{sealings, watch};

#[path = "behind_aead.rs"]
mod behind_aead;
#[path = "../harness.rs"]
mod harness;

pub use behind_aead::behind_aead;
pub use harness::*;

/// Every target of this package, by the name of its binary and of its corpus.
pub const TARGETS_OVER_MOCK: &[(&str, Target)] = &[
    ("behind_aead", behind_aead),
    ("decode_content", decode_content),
    ("decode_state", decode_state),
    ("device_list", device_list),
    ("hostile_group", hostile_group),
    ("hostile_network", hostile_network),
    ("hostile_peer", hostile_peer),
    ("mls_tree", mls_tree),
    ("restart", restart),
];

/// The first inputs of `target`, always the same.
pub fn seeds_over_mock(target: &str) -> Vec<Vec<u8>> {
    match target {
        "behind_aead" => behind_aead::seeds(),
        shared => harness::seeds(shared),
    }
}

/// As over the library, and no key of the AEAD meets a nonce twice.
pub fn restart(data: &[u8]) {
    without_repeats(harness::restart, data);
}

/// As over the library, and no key of the AEAD meets a nonce twice.
pub fn hostile_network(data: &[u8]) {
    without_repeats(harness::hostile_network, data);
}

/// What was sealed under one key and nonce is one plaintext, with one set of associated data.
fn without_repeats(target: Target, data: &[u8]) {
    watch();
    target(data);
    let mut contents = BTreeMap::new();
    for sealing in sealings() {
        let content = contents
            .entry(sealing.key_and_nonce)
            .or_insert(sealing.content);
        assert_eq!(
            *content, sealing.content,
            "a key and a nonce were used twice"
        );
    }
    assert!(!contents.is_empty(), "nothing was sealed");
}

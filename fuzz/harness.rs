//! What the fuzz targets run: one function a target, over any bytes. It panics where the library breaks a promise.
//!
//! The targets link this file as a library; `tests/fuzz_corpus.rs` includes it and replays the corpora.

#[path = "../tests/common/mod.rs"]
mod common;

#[path = "harness/agreement.rs"]
mod agreement;
#[path = "harness/braid.rs"]
mod braid;
#[path = "harness/conversation.rs"]
mod conversation;
#[path = "harness/framing.rs"]
mod framing;
#[path = "harness/script.rs"]
mod script;
#[path = "harness/seeds.rs"]
mod seeds;
#[path = "harness/stored.rs"]
mod stored;

pub use agreement::{bundle, first_message};
pub use braid::{braid_frame, braid_peer};
pub use conversation::message;
pub use framing::{envelope, wire};
pub use seeds::seeds;
pub use stored::state_import;

/// A target, as it is run.
pub type Target = fn(&[u8]);

/// Every target, by the name of its binary and of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("braid_frame", braid_frame),
    ("braid_peer", braid_peer),
    ("bundle", bundle),
    ("envelope", envelope),
    ("first_message", first_message),
    ("message", message),
    ("state_import", state_import),
    ("wire", wire),
];

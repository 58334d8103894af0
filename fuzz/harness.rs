//! What the fuzz targets run: one function a target, over any bytes. It panics where the library breaks a promise.
//!
//! The targets link this file as a library; `tests/fuzz_corpus.rs` includes it and replays the corpora. `over_mock` does
//! the same over stand-ins for the primitives.

#[path = "../tests/common/mod.rs"]
pub mod common;

#[path = "harness/agreement.rs"]
pub mod agreement;
#[path = "harness/blob.rs"]
mod blob;
#[path = "harness/braid.rs"]
mod braid;
#[path = "harness/conversation.rs"]
pub mod conversation;
#[path = "harness/decoders.rs"]
mod decoders;
#[path = "harness/device.rs"]
mod device;
#[path = "harness/device_list.rs"]
mod device_list;
#[path = "harness/framing.rs"]
mod framing;
#[path = "harness/group_fixture.rs"]
mod group_fixture;
#[path = "harness/group_state.rs"]
mod group_state;
#[path = "harness/groups.rs"]
mod groups;
#[path = "harness/hostile_group.rs"]
mod hostile_group;
#[path = "harness/hostile_peer.rs"]
mod hostile_peer;
#[path = "harness/network.rs"]
mod network;
#[path = "harness/packs.rs"]
mod packs;
#[path = "harness/restart.rs"]
mod restart;
#[path = "harness/script.rs"]
pub mod script;
#[path = "harness/seeds.rs"]
mod seeds;
#[path = "harness/stored.rs"]
mod stored;

pub use agreement::bundle;
pub use blob::{blob_chunks, blob_proof, descriptor};
pub use braid::{braid_frame, braid_peer};
pub use decoders::{
    decode_bundle, decode_content, decode_first, decode_message, decode_state, padding,
};
pub use device::{device_body, device_value};
pub use device_list::device_list;
pub use framing::{envelope, wire};
pub use group_state::mls_state;
pub use groups::{mls_message, mls_structure, mls_tree};
pub use hostile_group::hostile_group;
pub use hostile_peer::hostile_peer;
pub use network::hostile_network;
pub use packs::{link, manifest};
pub use restart::restart;
pub use seeds::seeds;
pub use stored::state_import;

/// A target, as it is run.
pub type Target = fn(&[u8]);

/// Every target, by the name of its binary and of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("blob_chunks", blob_chunks),
    ("blob_proof", blob_proof),
    ("braid_frame", braid_frame),
    ("braid_peer", braid_peer),
    ("bundle", bundle),
    ("decode_bundle", decode_bundle),
    ("decode_content", decode_content),
    ("decode_first", decode_first),
    ("decode_message", decode_message),
    ("decode_state", decode_state),
    ("descriptor", descriptor),
    ("device_body", device_body),
    ("device_list", device_list),
    ("device_value", device_value),
    ("envelope", envelope),
    ("hostile_group", hostile_group),
    ("hostile_network", hostile_network),
    ("hostile_peer", hostile_peer),
    ("link", link),
    ("manifest", manifest),
    ("mls_message", mls_message),
    ("mls_state", mls_state),
    ("mls_structure", mls_structure),
    ("mls_tree", mls_tree),
    ("padding", padding),
    ("restart", restart),
    ("state_import", state_import),
    ("wire", wire),
];

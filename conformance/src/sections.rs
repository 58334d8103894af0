//! The sections of SPEC.md that have vectors: a file each.

use crate::generate::Cases;
use crate::op::Op;

/// A section: the operations that its vectors use, and the generator of its cases.
pub struct Section {
    /// Its name, that of its file, and the first part of its operations' names.
    pub name: &'static str,
    /// Where SPEC.md specifies it.
    pub spec: &'static str,
    /// What the cases cover.
    pub description: &'static str,
    /// The operations, in groups.
    pub ops: &'static [&'static [Op]],
    /// Makes the cases.
    pub cases: fn(&mut Cases),
}

impl Section {
    /// The operations.
    pub fn ops(&self) -> impl Iterator<Item = &'static Op> {
        self.ops.iter().copied().flatten()
    }
}

mod account;
mod agreement;
mod blob;
mod braid;
mod crypto;
mod device;
mod envelope;
mod file;
mod identity;
mod labels;
mod mls;
mod pack;
mod padding;
mod ratchet;
mod session;
mod state;
mod wire;

/// Every section, in the order of SPEC.md.
pub const ALL: &[Section] = &[
    labels::SECTION,
    crypto::SECTION,
    wire::SECTION,
    padding::SECTION,
    identity::SECTION,
    account::SECTION,
    agreement::SECTION,
    envelope::SECTION,
    ratchet::SECTION,
    braid::SECTION,
    session::SECTION,
    state::SECTION,
    device::SECTION,
    file::SECTION,
    blob::SECTION,
    pack::SECTION,
    mls::SECTION,
];

/// The operation `name`.
#[must_use]
pub fn op(name: &str) -> Option<&'static Op> {
    ALL.iter().flat_map(Section::ops).find(|op| op.name == name)
}

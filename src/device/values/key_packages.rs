//! The private keys of the key packages that a device has published.

use alloc::vec::Vec;

use super::integrity;
use crate::crypto::Secret;
use crate::device::limits::KEY_PACKAGES;
use crate::memory;
use crate::session::{Encoding, Error};
use crate::wire::{Reader, Writer};

/// Longest key package of a device, far above what it makes.
const KEY_PACKAGE_MAX: usize = 4_096;

/// A key package that others may use, and its private keys.
pub(in crate::device) struct HeldKeyPackage {
    /// `KeyPackageRef`, by which a Welcome names it.
    pub(in crate::device) reference: [u8; 32],
    /// Whether it is used more than once.
    pub(in crate::device) last_resort: bool,
    /// The first second and the last one of its lifetime, since 1970.
    pub(in crate::device) lifetime: (u64, u64),
    /// In its `MLSMessage`.
    pub(in crate::device) message: Vec<u8>,
    pub(in crate::device) init: Secret<32>,
    pub(in crate::device) encryption: Secret<32>,
}

/// All of them, the oldest first.
#[derive(Default)]
pub(in crate::device) struct HeldKeyPackages(pub(in crate::device) Vec<HeldKeyPackage>);

impl Encoding for HeldKeyPackages {
    const KIND: u16 = 15;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.vector_length(self.0.len()).map_err(integrity)?;
        for held in &self.0 {
            writer
                .bytes(&held.reference)
                .flag(held.last_resort)
                .u64(held.lifetime.0)
                .u64(held.lifetime.1)
                .vector(&held.message)
                .map_err(integrity)?
                .bytes(held.init.expose())
                .bytes(held.encryption.expose());
        }
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let count = reader.vector_length().map_err(integrity)?;
        if count > KEY_PACKAGES {
            return Err(Error::Integrity);
        }
        let mut all = memory::with_capacity(count);
        for _ in 0..count {
            let held = HeldKeyPackage {
                reference: *reader.array().map_err(integrity)?,
                last_resort: reader.flag().map_err(integrity)?,
                lifetime: (
                    reader.u64().map_err(integrity)?,
                    reader.u64().map_err(integrity)?,
                ),
                message: memory::copied(reader.vector(KEY_PACKAGE_MAX).map_err(integrity)?),
                init: Secret::new(*reader.array().map_err(integrity)?),
                encryption: Secret::new(*reader.array().map_err(integrity)?),
            };
            memory::push(&mut all, held);
        }
        Ok(Self(all))
    }

    fn size_hint(&self) -> usize {
        self.0
            .iter()
            .map(|held| held.message.len().saturating_add(120))
            .fold(4, usize::saturating_add)
    }
}

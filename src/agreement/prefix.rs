//! What a first message carries in front of its ordinary part (SPEC §7.5).

use super::Error;
use super::limits::SUITE;
use crate::crypto::dh::DhPublic;
use crate::crypto::hash::sha256;
use crate::crypto::kem::KEM_CIPHERTEXT;
use crate::envelope::{ENVELOPE, Kind};
use crate::wire::{self, Reader, Writer};

use super::transcript::ENCRYPTED_IDENTITY;

/// Bytes of a first message in front of its ordinary part, version and kind included.
pub const PREFIX: usize = ENVELOPE + 2 + 4 + 4 + 1 + 4 + 32 + KEM_CIPHERTEXT + ENCRYPTED_IDENTITY;

/// The prefix of a first message:
///
/// ```text
/// 0x01 || 0x01 || suite u16 || spk.id u32 || kem.id u32 || has_opk u8 || opk.id u32 (zero exactly if has_opk = 0)
/// || EK 32 || CT 1088 || encid 200
/// ```
#[derive(Clone)]
pub struct FirstPrefix<'a> {
    pub(crate) signed_id: u32,
    pub(crate) kem_id: u32,
    pub(crate) one_time_id: Option<u32>,
    pub(crate) ephemeral: DhPublic,
    pub(crate) ciphertext: &'a [u8; KEM_CIPHERTEXT],
    pub(crate) encrypted_identity: &'a [u8; ENCRYPTED_IDENTITY],
}

impl<'a> FirstPrefix<'a> {
    /// Reads the prefix behind the envelope's two bytes.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`] for another suite, else [`Error::Malformed`].
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        if reader.u16()? != SUITE {
            return Err(Error::UnknownVersion);
        }
        let signed_id = reader.u32()?;
        let kem_id = reader.u32()?;
        let one_time_id = match (reader.flag()?, reader.u32()?) {
            (false, 0) => None,
            (true, id) if id != 0 => Some(id),
            _ => return Err(wire::Error::Value.into()),
        };
        Ok(Self {
            signed_id,
            kem_id,
            one_time_id,
            ephemeral: DhPublic::from_bytes(reader.array()?)?,
            ciphertext: reader.array()?,
            encrypted_identity: reader.array()?,
        })
    }

    /// Writes the prefix, the envelope's two bytes included.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer
            .bytes(&Kind::First.header())
            .u16(SUITE)
            .u32(self.signed_id)
            .u32(self.kem_id)
            .flag(self.one_time_id.is_some())
            .u32(self.one_time_id.unwrap_or(0))
            .bytes(self.ephemeral.as_bytes())
            .bytes(self.ciphertext)
            .bytes(self.encrypted_identity);
    }

    /// What the first messages of one agreement have in common: `H(EK)[..16]`.
    #[must_use]
    pub fn first_id(&self) -> [u8; 16] {
        first_id(&self.ephemeral)
    }
}

/// `H(EK)[..16]`: finds the conversation that a repeated first message belongs to, and is the replay record.
#[must_use]
pub fn first_id(ephemeral: &DhPublic) -> [u8; 16] {
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(sha256(&[ephemeral.as_bytes()])) {
        *to = from;
    }
    id
}

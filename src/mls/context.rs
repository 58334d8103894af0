//! What all members of an epoch agree on (RFC 9420 §8.1), and the hashes over all that led to it (§8.2).

use alloc::vec::Vec;

use super::capabilities::MLS10;
use super::codec::{Codec, read_bytes};
use super::extension::Extensions;
use super::suite::CipherSuite;
use crate::crypto::hash::{HASH, sha256};
use crate::wire::{self, Reader, Writer};

/// `GroupContext`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupContext {
    /// The cipher suite.
    pub cipher_suite: CipherSuite,
    /// The group's id.
    pub group_id: Vec<u8>,
    /// The number of the epoch.
    pub epoch: u64,
    /// The hash of the ratchet tree.
    pub tree_hash: Vec<u8>,
    /// The hash of all commits so far; empty in epoch 0.
    pub confirmed_transcript_hash: Vec<u8>,
    /// The group's extensions.
    pub extensions: Extensions,
}

impl Codec for GroupContext {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        if reader.u16()? != MLS10 {
            return Err(wire::Error::Value);
        }
        Ok(Self {
            cipher_suite: Codec::read(reader)?,
            group_id: read_bytes(reader)?,
            epoch: reader.u64()?,
            tree_hash: read_bytes(reader)?,
            confirmed_transcript_hash: read_bytes(reader)?,
            extensions: Codec::read(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.u16(MLS10);
        self.cipher_suite.write(writer)?;
        writer
            .vector(&self.group_id)?
            .u64(self.epoch)
            .vector(&self.tree_hash)?
            .vector(&self.confirmed_transcript_hash)?;
        self.extensions.write(writer)
    }
}

/// `confirmed_transcript_hash`: `input` is the commit's `ConfirmedTranscriptHashInput`.
pub(super) fn confirmed_transcript_hash(interim: &[u8], input: &[u8]) -> [u8; HASH] {
    sha256(&[interim, input])
}

/// `interim_transcript_hash`.
pub(super) fn interim_transcript_hash(
    confirmed: &[u8],
    confirmation_tag: &[u8],
) -> Result<[u8; HASH], wire::Error> {
    let mut input = Writer::new();
    input.vector(confirmation_tag)?;
    Ok(sha256(&[confirmed, input.as_bytes()]))
}

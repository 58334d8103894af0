//! Pre-shared keys (RFC 9420 §8.4).
//!
//! ```text
//! psk_[i]  --> Extract(0) --> ExpandWithLabel("derived psk", PSKLabel) --> Extract = psk_secret_[i+1]
//!                                                                            ^
//!                                                        psk_secret_[i], at first 0
//! ```

use alloc::vec::Vec;

use super::codec::{Codec, read_bytes};
use super::error::{Error, Rule};
use super::labels::derive;
use super::suite::Prk;
use crate::crypto::Secret;
use crate::crypto::hash::{HASH, extract};
use crate::wire::{self, Reader, Writer};

/// What a resumption secret is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResumptionUsage {
    /// What the app likes.
    Application,
    /// To begin the group that was proposed in another one's place.
    ReInit,
    /// To begin a group of some of another one's members.
    Branch,
}

/// Which key is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Psk {
    /// One of the app's, by the app's name for it.
    External(Vec<u8>),
    /// The resumption secret of a group's epoch.
    Resumption {
        /// What it is used for.
        usage: ResumptionUsage,
        /// The group.
        group_id: Vec<u8>,
        /// The epoch.
        epoch: u64,
    },
}

/// `PreSharedKeyID`: which key, and the nonce of this use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PreSharedKeyId {
    /// Which key.
    pub psk: Psk,
    /// A random value, new for each use.
    pub nonce: Vec<u8>,
}

impl PreSharedKeyId {
    /// RFC 9420 §12.1.4: the nonce has the length of a hash.
    pub(super) fn require_nonce(&self) -> Result<(), Error> {
        if self.nonce.len() == HASH {
            Ok(())
        } else {
            Err(Rule::PskNonce.into())
        }
    }

    /// What it is used for, if it is a resumption secret.
    pub(super) const fn usage(&self) -> Option<ResumptionUsage> {
        match &self.psk {
            Psk::Resumption { usage, .. } => Some(*usage),
            Psk::External(_) => None,
        }
    }
}

impl Codec for PreSharedKeyId {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let psk = match reader.u8()? {
            1 => Psk::External(read_bytes(reader)?),
            2 => Psk::Resumption {
                usage: match reader.u8()? {
                    1 => ResumptionUsage::Application,
                    2 => ResumptionUsage::ReInit,
                    3 => ResumptionUsage::Branch,
                    _ => return Err(wire::Error::Value),
                },
                group_id: read_bytes(reader)?,
                epoch: reader.u64()?,
            },
            _ => return Err(wire::Error::Value),
        };
        Ok(Self {
            psk,
            nonce: read_bytes(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        match &self.psk {
            Psk::External(id) => {
                writer.u8(1).vector(id)?;
            }
            Psk::Resumption {
                usage,
                group_id,
                epoch,
            } => {
                let usage = match usage {
                    ResumptionUsage::Application => 1,
                    ResumptionUsage::ReInit => 2,
                    ResumptionUsage::Branch => 3,
                };
                writer.u8(2).u8(usage).vector(group_id)?.u64(*epoch);
            }
        }
        self.nonce.write(writer)
    }
}

/// Where pre-shared keys come from. The library finds a group's own resumption secrets by itself.
pub trait PskSource {
    /// The key, of any length, or nothing if it is not there.
    fn psk(&self, psk: &Psk) -> Option<zeroize::Zeroizing<Vec<u8>>>;
}

/// None at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPsks;

impl PskSource for NoPsks {
    fn psk(&self, _: &Psk) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        None
    }
}

/// `psk_secret` of keys in their order, each with its id (RFC 9420 §8.4).
pub(super) fn psk_secret<'a>(
    psks: impl ExactSizeIterator<Item = (&'a PreSharedKeyId, &'a [u8])>,
) -> Result<Secret<HASH>, Error> {
    let count = u16::try_from(psks.len()).map_err(|_| Error::TooLong)?;
    let mut secret = Secret::zero();
    for ((id, psk), index) in psks.zip(0u16..) {
        let mut label = Writer::new();
        id.write(&mut label)?;
        label.u16(index).u16(count);
        let extracted = extract(&[0; HASH], &[psk]);
        let input: Secret<HASH> =
            Prk::new(&extracted).expand(derive::DERIVED_PSK, label.as_bytes())?;
        secret = extract(input.expose(), &[secret.expose()]);
    }
    Ok(secret)
}

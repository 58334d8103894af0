//! The random values of one commit, out of one that was drawn: its path, and the ephemeral key of each encryption.

use crate::crypto::Secret;
use crate::crypto::hash::HmacKey;
use crate::mls::error::Error;
use crate::mls::suite::Suite;
use crate::mls::tree::PathSecrets;

/// Random values, by their use and number.
pub(super) struct Stream(HmacKey);

/// What a value is for.
#[derive(Clone, Copy)]
pub(super) enum Use {
    LeafKey = 0,
    Path = 1,
    PathEncryption = 2,
    Welcome = 3,
    ExternalKey = 4,
    PskNonce = 5,
}

impl Stream {
    pub(super) fn new(random: &Secret<32>) -> Self {
        Self(HmacKey::new(random.expose()))
    }

    /// The value of a use and its number.
    pub(super) fn value(&self, what: Use, number: u32) -> Secret<32> {
        self.0
            .expand_secret(&[&[what as u8], &number.to_be_bytes()])
    }

    /// The secrets of a new path (RFC 9420 §7.4).
    pub(super) fn path(&self, suite: &Suite) -> Result<PathSecrets, Error> {
        let leaf = self.value(Use::LeafKey, 0);
        Ok(PathSecrets {
            leaf_key: suite.hpke.kem.derive_key_pair(leaf.expose())?,
            first: self.value(Use::Path, 0),
        })
    }

    /// The values for the encryptions of a path, one after the other.
    pub(super) fn path_encryptions(&self) -> impl FnMut() -> Result<Secret<32>, Error> {
        let mut numbers = 0u32..;
        move || {
            let number = numbers.next().ok_or(Error::TooLong)?;
            Ok(self.value(Use::PathEncryption, number))
        }
    }
}

//! The devices of an account, in a list that the account key signs (SPEC §6.4).
//!
//! ```text
//! content = u8 1 || u8 n || entry_0 || (n - 1) * ( entry_i || recovery_sig_i 64 )
//!           || u64 version || prev_hash 32 || u32 next_id || list<32>: u32 device id || IKs 32 || IKd 32
//! devices = content || Sign(account_key of the last entry, L("devices") || content)
//! hash    = H(L("devices") || content)
//! ```

use alloc::vec::Vec;
use core::fmt;

use super::account::{AccountId, AccountKeys};
use super::error::Error;
use crate::crypto::hash::sha256;
use crate::crypto::labels;
use crate::crypto::sign::{SIGNATURE, Signature};
use crate::memory;

mod content;
mod own;
mod succession;

use content::Content;
pub use content::ListedDevice;
pub use succession::Change;

/// A device list whose signatures were verified, or that this account made itself.
#[derive(PartialEq, Eq)]
pub struct DeviceList {
    account_id: AccountId,
    content: Content,
    hash: [u8; 32],
    /// `devices`: the content and its signature.
    bytes: Vec<u8>,
}

impl DeviceList {
    /// Reads a list and checks all that it shows by itself (SPEC §6.4-R1 to R3). Whose it is, ask
    /// [`require_account`](Self::require_account), or [`succession`](Self::succession) if a list of the account is known.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::Malformed`], [`Error::BadSignature`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let list = Self::from_trusted(bytes)?;
        list.verify()?;
        Ok(list)
    }

    /// Reads a list that was verified before it was stored where nobody can change it: its form only (R1, R2).
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::Malformed`].
    pub(crate) fn from_trusted(bytes: &[u8]) -> Result<Self, Error> {
        content::require_version(bytes)?;
        let (signed, _) = split(bytes)?;
        let content = Content::read(signed)?;
        Ok(Self {
            account_id: content.account_id(),
            content,
            hash: sha256(&[labels::DEVICES, signed]),
            bytes: memory::copied(bytes),
        })
    }

    /// SPEC §6.4-R3.
    fn verify(&self) -> Result<(), Error> {
        self.content.verify_replacements(&self.account_id)?;
        let (content, signature) = split(&self.bytes)?;
        let message = content::signed(content);
        Ok(self.keys().account_key().verify(&message, &signature)?)
    }

    /// SPEC §6.4-R4, for an account of which no list is known yet.
    ///
    /// # Errors
    /// [`Error::OtherAccount`].
    pub fn require_account(&self, id: &AccountId) -> Result<(), Error> {
        if self.account_id == *id {
            Ok(())
        } else {
            Err(Error::OtherAccount)
        }
    }

    /// The encoding, as it was read or made.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whose devices these are.
    #[must_use]
    pub const fn account_id(&self) -> &AccountId {
        &self.account_id
    }

    /// 1 for the first list of an account, and one more with each.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.content.version
    }

    /// What the next list names as the one before it: a hash of everything but the signature.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The hash of the list before; zero in the first.
    #[must_use]
    pub const fn prev_hash(&self) -> &[u8; 32] {
        &self.content.prev_hash
    }

    /// How many keys the account has had, the present ones included.
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.content.replacements.len().saturating_add(1)
    }

    /// The present keys of the account: those of the last entry.
    #[must_use]
    pub fn keys(&self) -> &AccountKeys {
        self.content.keys()
    }

    /// The id that the next device gets.
    #[must_use]
    pub const fn next_id(&self) -> u32 {
        self.content.next_id
    }

    /// The devices, by ascending id. None: the account is closed.
    #[must_use]
    pub fn devices(&self) -> &[ListedDevice] {
        &self.content.devices
    }

    /// The device with this id.
    #[must_use]
    pub fn device(&self, id: u32) -> Option<&ListedDevice> {
        self.devices().iter().find(|device| device.id() == id)
    }
}

/// `devices` as content and signature.
fn split(devices: &[u8]) -> Result<(&[u8], Signature), Error> {
    let (content, signature) = devices
        .split_last_chunk::<SIGNATURE>()
        .ok_or(Error::Malformed)?;
    Ok((content, Signature(*signature)))
}

impl Clone for DeviceList {
    fn clone(&self) -> Self {
        Self {
            account_id: self.account_id,
            content: self.content.clone(),
            hash: self.hash,
            bytes: memory::copied(&self.bytes),
        }
    }
}

impl fmt::Debug for DeviceList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account_id,
            content,
            hash: _,
            bytes: _,
        } = self;
        f.debug_struct("DeviceList")
            .field("account_id", account_id)
            .field("content", content)
            .finish_non_exhaustive()
    }
}

//! Who somebody is: an account id and the keys behind it (SPEC §6.3).

use core::fmt;

use super::address::Address;
use super::error::Error;
use crate::crypto::hash::sha256;
use crate::crypto::hedge::fresh;
use crate::crypto::hex::write_hex;
use crate::crypto::sign::{Signature, SigningKey, VerifyingKey};
use crate::crypto::{Secret, TryCryptoRng, labels};
use crate::wire::{self, Reader, Writer};

/// Bytes of the address of an account's device: the account id and a device id.
const DEVICE_ADDRESS: usize = 36;

/// The name of an account: a hash of its first keys. It never changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 32]);

impl AccountId {
    /// The account id with these bytes. Whether there is such an account, only a device list shows.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The address of the account's device `id`: `account_id || u32 id`, 36 bytes.
    #[must_use]
    pub fn device(&self, id: u32) -> Address {
        let mut bytes = [0; DEVICE_ADDRESS];
        for (to, from) in bytes
            .iter_mut()
            .zip(self.0.into_iter().chain(id.to_be_bytes()))
        {
            *to = from;
        }
        Address::of_length(bytes)
    }

    /// The account and the device id of an address: of 36 bytes, and an id that is not 0. Of any other, nothing.
    #[must_use]
    pub fn of(address: &Address) -> Option<(Self, u32)> {
        let bytes: &[u8; DEVICE_ADDRESS] = address.as_bytes().try_into().ok()?;
        let (account, id) = bytes.split_first_chunk()?;
        match u32::from_be_bytes(*id.first_chunk()?) {
            0 => None,
            id => Some((Self(*account), id)),
        }
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, "AccountId", &self.0)
    }
}

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name(SigningKey);

        impl $name {
            /// A new one: 32 bytes straight from the generator (SPEC §3.6-R1).
            ///
            /// # Errors
            /// [`Error::Rng`].
            pub fn generate(rng: &mut (impl TryCryptoRng + ?Sized)) -> Result<Self, Error> {
                Ok(Self::from_seed(&fresh(rng)?))
            }

            /// The one with this seed.
            #[must_use]
            pub fn from_seed(seed: &Secret<32>) -> Self {
                Self(SigningKey::from_seed(seed))
            }

            /// The seed, from which it can be made again.
            #[must_use]
            pub fn seed(&self) -> Secret<32> {
                self.0.seed()
            }

            /// The public half.
            #[must_use]
            pub fn verifying_key(&self) -> VerifyingKey {
                self.0.verifying_key()
            }

            /// Signs bytes that begin with a label (SPEC §3.1-R1).
            pub(super) fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
                Ok(self.0.sign(message)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

secrets! {
    /// The private half of an account key: signs device lists. One device of the account holds it, the primary.
    AccountSecret;
    /// The private half of a recovery key: signs the keys that replace an account's. No device holds it: its owner is
    /// shown the seed once, and keeps it offline.
    RecoverySecret;
}

/// An entry of an account: `account_key || recovery_key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountKeys {
    account: VerifyingKey,
    recovery: VerifyingKey,
}

impl AccountKeys {
    /// The public halves of these two.
    #[must_use]
    pub fn new(account: &AccountSecret, recovery: &RecoverySecret) -> Self {
        Self {
            account: account.verifying_key(),
            recovery: recovery.verifying_key(),
        }
    }

    /// Verifies device lists.
    #[must_use]
    pub const fn account_key(&self) -> &VerifyingKey {
        &self.account
    }

    /// Verifies the entry that replaces this one.
    #[must_use]
    pub const fn recovery_key(&self) -> &VerifyingKey {
        &self.recovery
    }

    /// The id of the account of which these are the first keys.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        let Self { account, recovery } = self;
        AccountId(sha256(&[
            labels::ACCOUNT,
            account.as_bytes(),
            recovery.as_bytes(),
        ]))
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            account: VerifyingKey(*reader.array()?),
            recovery: VerifyingKey(*reader.array()?),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer
            .bytes(self.account.as_bytes())
            .bytes(self.recovery.as_bytes());
    }
}

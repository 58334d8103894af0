//! Floor 1: who a device is, and who somebody with several devices is (SPEC §6).

use alloc::vec::Vec;
use core::fmt;

use crate::crypto::dh::{DhKeyPair, DhPoint, DhPublic};
use crate::crypto::hedge::{Hedge, fresh};
use crate::crypto::sign::{Signature, SigningKey, Verifier, VerifyingKey};
use crate::crypto::{Secret, TryCryptoRng, labels};
use crate::wire::{self, Reader, Writer};

mod account;
mod address;
mod devices;
mod emoji;
mod error;
mod fingerprint;
pub mod limits;
mod state;

pub use account::{AccountId, AccountKeys, AccountSecret, RecoverySecret};
pub use address::{ADDRESS_MAX, Address};
pub use devices::{Change, DeviceList, ListedDevice};
pub use emoji::{Emoji, EmojiInitiator, EmojiResponder};
pub use error::Error;
pub use fingerprint::{Digits, Fingerprint};

/// The two public identity keys of a device, `IKs || IKd`.
///
/// Exists only after `sig_id` was verified, as the device's own, or as an account lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityKeys {
    /// `IKs`: verifies everything that the device signs.
    pub(crate) signing: VerifyingKey,
    /// `IKd`: takes part in every key agreement.
    pub(crate) dh: DhPublic,
}

impl IdentityKeys {
    /// The keys of an identity that was verified before it was stored.
    pub(crate) const fn from_pinned(signing: VerifyingKey, dh: DhPublic) -> Self {
        Self { signing, dh }
    }

    /// `IKs`, Ed25519.
    #[must_use]
    pub const fn signing_key(&self) -> &VerifyingKey {
        &self.signing
    }

    /// `IKd`, X25519.
    #[must_use]
    pub const fn dh_key(&self) -> &DhPublic {
        &self.dh
    }

    /// Whether either key is also a key of `other` (SPEC §6.2-R4).
    pub(crate) fn shares_a_key(&self, other: &Self) -> bool {
        self.signing == other.signing || self.dh == other.dh
    }
}

/// A device as others know it: its address and its verified identity keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(crate) address: Address,
    pub(crate) keys: IdentityKeys,
}

impl Identity {
    /// An identity that was verified before it was stored.
    pub(crate) const fn from_pinned(address: Address, keys: IdentityKeys) -> Self {
        Self { address, keys }
    }

    /// The address that the device claims. Whether it is true is for the app to decide.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The identity keys.
    #[must_use]
    pub const fn keys(&self) -> &IdentityKeys {
        &self.keys
    }
}

/// `IKs || IKd || sig_id` as it arrives: nothing verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignedIdentity {
    pub(crate) signing: VerifyingKey,
    pub(crate) dh: [u8; 32],
    pub(crate) signature: Signature,
}

impl SignedIdentity {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            signing: VerifyingKey(*reader.array()?),
            dh: *reader.array()?,
            signature: Signature(*reader.array()?),
        })
    }

    /// SPEC §6.2-R2 and R3: both keys valid, `IKd` of prime order, `sig_id` holds.
    pub(crate) fn verify(&self) -> Result<VerifiedKeys, Error> {
        let keys = IdentityKeys {
            signing: self.signing,
            dh: DhPublic::from_bytes(&self.dh)?,
        };
        let verifier = Verifier::new(&self.signing)?;
        verifier.verify(&signed_bytes(&keys), &self.signature)?;
        let dh_point = DhPoint::new(&keys.dh);
        dh_point.require_prime_order()?;
        Ok(VerifiedKeys {
            keys,
            verifier,
            dh_point,
        })
    }
}

/// Identity keys that were verified, and both in the form in which they are used next.
pub(crate) struct VerifiedKeys {
    pub(crate) keys: IdentityKeys,
    pub(crate) verifier: Verifier,
    pub(crate) dh_point: DhPoint,
}

/// What `sig_id` signs: `L("identity") || IKs || IKd`.
fn signed_bytes(keys: &IdentityKeys) -> Vec<u8> {
    [
        labels::IDENTITY,
        keys.signing.as_bytes(),
        keys.dh.as_bytes(),
    ]
    .concat()
}

/// The device's own identity, with its private keys and the hedging key that is made from them.
pub struct DeviceIdentity {
    public: Identity,
    signing: SigningKey,
    dh: DhKeyPair,
    signature: Signature,
    hedge: Hedge,
}

impl DeviceIdentity {
    /// Makes a new identity for `address`.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn generate(
        address: Address,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Self, Error> {
        let seed = fresh(rng)?;
        let dh = fresh(rng)?;
        Self::from_secrets(address, &seed, dh)
    }

    /// The identity with these private keys: the seed of `IKs` and the private half of `IKd`, 32 random bytes each.
    ///
    /// # Errors
    /// None with the present primitives; a signing backend may refuse.
    pub fn from_secrets(
        address: Address,
        signing_seed: &Secret<32>,
        dh_secret: Secret<32>,
    ) -> Result<Self, Error> {
        let hedge = Hedge::new(signing_seed, &dh_secret);
        let signing = SigningKey::from_seed(signing_seed);
        let dh = DhKeyPair::from_secret(dh_secret);
        let keys = IdentityKeys {
            signing: signing.verifying_key(),
            dh: *dh.public(),
        };
        let signature = signing.sign(&signed_bytes(&keys))?;
        Ok(Self {
            public: Identity { address, keys },
            signing,
            dh,
            signature,
            hedge,
        })
    }

    /// Address and public keys.
    #[must_use]
    pub const fn public(&self) -> &Identity {
        &self.public
    }

    /// Writes `IKs || IKd || sig_id`.
    pub(crate) fn write_signed(&self, writer: &mut Writer) {
        writer
            .bytes(self.public.keys.signing.as_bytes())
            .bytes(self.public.keys.dh.as_bytes())
            .bytes(&self.signature.0);
    }

    /// Signs bytes that begin with a label.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        Ok(self.signing.sign(message)?)
    }

    /// The seed of `IKs`, for groups: what is signed there begins with the length of an MLS label, below 64, and what is signed
    /// elsewhere with a letter.
    pub(crate) fn signing_seed(&self) -> Secret<32> {
        self.signing.seed()
    }

    /// The private half of `IKd` in use.
    pub(crate) const fn dh(&self) -> &DhKeyPair {
        &self.dh
    }

    /// The hedging key.
    pub(crate) const fn hedge(&self) -> &Hedge {
        &self.hedge
    }
}

impl fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            public,
            signing: _,
            dh: _,
            signature: _,
            hedge: _,
        } = self;
        f.debug_struct("DeviceIdentity")
            .field("public", public)
            .finish_non_exhaustive()
    }
}

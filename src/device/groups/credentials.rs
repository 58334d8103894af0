//! Who a member of a group is: a device of an account, by the device's own signing key (SPEC §19.9-R1).

use alloc::vec::Vec;

use crate::crypto::TryCryptoRng;
use crate::device::Error;
use crate::device::batch::Batch;
use crate::device::store::Store;
use crate::identity::{AccountId, Address, DeviceIdentity};
use crate::memory;
use crate::mls::{CipherSuite, Client, Credential, NewCredential, SignaturePublicKey, Signer};
use crate::session;

/// The cipher suite of all groups of devices: a device signs with Ed25519.
pub(super) const SUITE: CipherSuite = CipherSuite::X25519_AES128;

/// What this device says of itself.
pub(super) fn client(identity: &DeviceIdentity) -> Client {
    Client::basic(identity.public().address().as_bytes())
}

/// The device's own signing key.
pub(super) fn signer(identity: &DeviceIdentity) -> Result<Signer, Error> {
    Ok(Signer::from_secret(SUITE, &identity.signing_seed())?)
}

/// The device that a credential names.
pub(super) fn address_of(credential: &Credential) -> Option<Address> {
    match credential {
        Credential::Basic(identity) => Address::new(identity).ok(),
        _ => None,
    }
}

/// When a credential comes into a group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// By a commit or a proposal, now.
    Added,
    /// It was there when this device joined: its device may have been taken off the list since.
    Joining,
}

/// What is to be asked about credentials.
pub(super) struct Claim {
    address: Option<Address>,
    key: SignaturePublicKey,
    continues: bool,
}

impl Claim {
    pub(super) fn of(new: &NewCredential<'_>) -> Self {
        let address = address_of(new.credential).filter(|_| !new.is_external_sender);
        Self {
            // SPEC §19.9-R2: a device stays itself.
            continues: new.replaces.is_none_or(|old| old == new.credential),
            address,
            key: new.signature_key.clone(),
        }
    }
}

/// What is known of all of them.
pub(super) enum Verdict {
    /// Each is what it says.
    True,
    /// One is not.
    False,
    /// These accounts' lists, or newer ones, have to be known first.
    Unknown(Vec<AccountId>),
}

enum One {
    True,
    False,
    Unknown(AccountId),
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// Holds credentials against the accounts' device lists.
    pub(super) fn judge(&mut self, claims: &[Claim], when: When) -> Result<Verdict, Error> {
        let mut unknown = Vec::new();
        for claim in claims {
            match self.judge_one(claim, when)? {
                One::True => {}
                One::False => return Ok(Verdict::False),
                One::Unknown(account) => {
                    if !unknown.contains(&account) {
                        memory::push(&mut unknown, account);
                    }
                }
            }
        }
        if unknown.is_empty() {
            Ok(Verdict::True)
        } else {
            Ok(Verdict::Unknown(unknown))
        }
    }

    fn judge_one(&mut self, claim: &Claim, when: When) -> Result<One, Error> {
        let device = claim.address.as_ref().and_then(AccountId::of);
        let Some((account, id)) = device.filter(|_| claim.continues) else {
            return Ok(One::False);
        };
        let Some(known) = self.account(&account)? else {
            return Ok(One::Unknown(account));
        };
        Ok(match known.list.device(id) {
            Some(listed) if claim.key.0 == listed.keys().signing_key().as_bytes() => One::True,
            Some(_) => One::False,
            // Of a device that is on no list known yet.
            None if id >= known.list.next_id() => One::Unknown(account),
            None if when == When::Joining => One::True,
            None => One::False,
        })
    }

    /// The device that a key package is of; its account's keys are those that the user agreed to.
    pub(super) fn require_device(&mut self, claim: &Claim) -> Result<Address, Error> {
        let address = claim
            .address
            .ok_or(Error::Session(session::Error::Malformed))?;
        let (account, _) =
            AccountId::of(&address).ok_or(Error::Session(session::Error::Malformed))?;
        self.approved(&account)?;
        match self.judge_one(claim, When::Added)? {
            One::True => Ok(address),
            One::Unknown(_) => Err(Error::UnknownAccount),
            One::False => Err(Error::Session(session::Error::IdentityChanged)),
        }
    }
}

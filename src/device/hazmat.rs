//! Encodings of a device by themselves, for conformance vectors, fuzzing and ports. No app needs any of it.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::batch::unseal;
use super::body::{self, Views};
use super::keys::Keys;
use super::mail::Content;
use super::store::Key;
use super::values::{
    Account, AccountSeed, GroupEntry, GroupList, GroupOutboxEntry, GroupRecord, HeldKeyPackages,
    InboxEntry, Index, OutboxEntry, OutboxOrder, Peer, Root,
};
use crate::agreement::Prekeys;
use crate::crypto::TryCryptoRng;
use crate::crypto::hedge::{Entropy, Hedged};
use crate::device;
use crate::identity::DeviceIdentity;
use crate::memory;
use crate::session::{Encoding, Error, decode, encode, export_with};
use crate::state::{AppKey, Slot};

/// The key of a value in the store (SPEC §19.3).
#[must_use]
pub fn store_key(app_key: &[u8; 32], kind: u16, name: &[u8]) -> Key {
    Keys::new(AppKey::new(*app_key)).derive(kind, name)
}

/// Reads the plaintext of a stored value of kinds 4 to 16 (SPEC §19.4) and writes it again.
///
/// # Errors
/// [`Error::Integrity`] for anything but the one encoding of a value, and for another kind.
pub fn rewrite(kind: u16, plaintext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    match kind {
        Root::KIND => again::<Root>(plaintext),
        Peer::KIND => again::<Peer>(plaintext),
        Account::KIND => again::<Account>(plaintext),
        Index::KIND => again::<Index>(plaintext),
        OutboxEntry::KIND => again::<OutboxEntry>(plaintext),
        OutboxOrder::KIND => again::<OutboxOrder>(plaintext),
        InboxEntry::KIND => again::<InboxEntry>(plaintext),
        AccountSeed::KIND => again::<AccountSeed>(plaintext),
        GroupEntry::KIND => again::<GroupEntry>(plaintext),
        GroupRecord::KIND => again::<GroupRecord>(plaintext),
        GroupList::KIND => again::<GroupList>(plaintext),
        HeldKeyPackages::KIND => again::<HeldKeyPackages>(plaintext),
        GroupOutboxEntry::KIND => again::<GroupOutboxEntry>(plaintext),
        _ => Err(Error::Integrity),
    }
}

/// Opens a value of kinds 1, 2 and 4 to 16 as the store has it (SPEC §19.3): its generation, and the plaintext.
///
/// # Errors
/// [`Error::Integrity`], also for another kind, [`Error::UnknownVersion`].
pub fn open_value(
    app_key: &[u8; 32],
    kind: u16,
    name: &[u8],
    value: &[u8],
) -> Result<(u64, Zeroizing<Vec<u8>>), Error> {
    let keys = Keys::new(AppKey::new(*app_key));
    let key = keys.derive(kind, name);
    match kind {
        DeviceIdentity::KIND => opened::<DeviceIdentity>(value, &keys, &key),
        Prekeys::KIND => opened::<Prekeys>(value, &keys, &key),
        Root::KIND => opened::<Root>(value, &keys, &key),
        Peer::KIND => opened::<Peer>(value, &keys, &key),
        Account::KIND => opened::<Account>(value, &keys, &key),
        Index::KIND => opened::<Index>(value, &keys, &key),
        OutboxEntry::KIND => opened::<OutboxEntry>(value, &keys, &key),
        OutboxOrder::KIND => opened::<OutboxOrder>(value, &keys, &key),
        InboxEntry::KIND => opened::<InboxEntry>(value, &keys, &key),
        AccountSeed::KIND => opened::<AccountSeed>(value, &keys, &key),
        GroupEntry::KIND => opened::<GroupEntry>(value, &keys, &key),
        GroupRecord::KIND => opened::<GroupRecord>(value, &keys, &key),
        GroupList::KIND => opened::<GroupList>(value, &keys, &key),
        HeldKeyPackages::KIND => opened::<HeldKeyPackages>(value, &keys, &key),
        GroupOutboxEntry::KIND => opened::<GroupOutboxEntry>(value, &keys, &key),
        _ => Err(Error::Integrity),
    }
}

fn opened<T: Encoding>(
    value: &[u8],
    keys: &Keys,
    key: &Key,
) -> Result<(u64, Zeroizing<Vec<u8>>), Error> {
    match unseal::<T>(value, keys, key) {
        Ok((generation, value)) => Ok((generation, encode(&value)?)),
        Err(device::Error::Session(error)) => Err(error),
        Err(_) => Err(Error::Integrity),
    }
}

/// Writes a value of kinds 1, 2 and 4 to 16 as the store has it, from its plaintext: the other way round of [`open_value`].
/// `device` hedges the salt.
///
/// # Errors
/// [`Error::Integrity`], also for another kind, [`Error::Rng`].
pub fn seal_value(
    app_key: &[u8; 32],
    place: Place<'_>,
    plaintext: &[u8],
    device: &DeviceIdentity,
    rng: &mut (impl TryCryptoRng + ?Sized),
) -> Result<Vec<u8>, Error> {
    let keys = &Keys::new(AppKey::new(*app_key));
    let entropy = &mut Hedged::new(device.hedge(), rng);
    match place.kind {
        DeviceIdentity::KIND => sealed::<DeviceIdentity>(plaintext, &place, keys, entropy),
        Prekeys::KIND => sealed::<Prekeys>(plaintext, &place, keys, entropy),
        Root::KIND => sealed::<Root>(plaintext, &place, keys, entropy),
        Peer::KIND => sealed::<Peer>(plaintext, &place, keys, entropy),
        Account::KIND => sealed::<Account>(plaintext, &place, keys, entropy),
        Index::KIND => sealed::<Index>(plaintext, &place, keys, entropy),
        OutboxEntry::KIND => sealed::<OutboxEntry>(plaintext, &place, keys, entropy),
        OutboxOrder::KIND => sealed::<OutboxOrder>(plaintext, &place, keys, entropy),
        InboxEntry::KIND => sealed::<InboxEntry>(plaintext, &place, keys, entropy),
        AccountSeed::KIND => sealed::<AccountSeed>(plaintext, &place, keys, entropy),
        GroupEntry::KIND => sealed::<GroupEntry>(plaintext, &place, keys, entropy),
        GroupRecord::KIND => sealed::<GroupRecord>(plaintext, &place, keys, entropy),
        GroupList::KIND => sealed::<GroupList>(plaintext, &place, keys, entropy),
        HeldKeyPackages::KIND => sealed::<HeldKeyPackages>(plaintext, &place, keys, entropy),
        GroupOutboxEntry::KIND => sealed::<GroupOutboxEntry>(plaintext, &place, keys, entropy),
        _ => Err(Error::Integrity),
    }
}

/// Where a value is stored, and since when.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What it is.
    pub kind: u16,
    /// Which one of those.
    pub name: &'a [u8],
    /// The generation of the store in which it was written.
    pub generation: u64,
}

fn sealed<T: Encoding>(
    plaintext: &[u8],
    place: &Place<'_>,
    keys: &Keys,
    entropy: &mut impl Entropy,
) -> Result<Vec<u8>, Error> {
    let slot = Slot {
        store_key: &keys.derive(place.kind, place.name),
        generation: place.generation,
    };
    let exported = export_with(&decode::<T>(plaintext)?, slot, &keys.app, entropy)?;
    let mut value = memory::copied(&place.generation.to_be_bytes());
    memory::extend(&mut value, &exported);
    Ok(value)
}

/// The id of the message whose inbox entry is `plaintext` and lies at `sequence` (SPEC §19.4-R4).
///
/// # Errors
/// [`Error::Integrity`].
pub fn message_id(plaintext: &[u8], sequence: u64) -> Result<u64, Error> {
    Ok(decode::<InboxEntry>(plaintext)?.id(sequence))
}

fn again<T: Encoding>(plaintext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    encode(&decode::<T>(plaintext)?)
}

/// A body, taken apart (SPEC §19.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Version and hash of the sender's list and of the receiver's, as the sender knows them.
    pub views: Option<[(u64, [u8; 32]); 2]>,
    /// What it is.
    pub content: Content,
    /// The text.
    pub text: Vec<u8>,
}

impl Body {
    /// The bytes that are sealed. What is unknown is written as it was read.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        if self.content == Content::Unknown {
            return self.text.clone();
        }
        let view = |(version, hash)| body::View { version, hash };
        let body = body::Body {
            views: self.views.map(|[sender, receiver]| Views {
                sender: view(sender),
                receiver: view(receiver),
            }),
            content: self.content,
            text: &self.text,
        };
        body.write()
    }

    /// Takes a body apart.
    ///
    /// # Errors
    /// [`Error::Malformed`] for one that ends early.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let body = body::Body::parse(bytes).map_err(|_| Error::Malformed)?;
        let view = |view: body::View| (view.version, view.hash);
        Ok(Self {
            views: body
                .views
                .map(|views| [view(views.sender), view(views.receiver)]),
            content: body.content,
            text: body.text.to_vec(),
        })
    }
}

//! Encodings of a device by themselves, for conformance vectors, fuzzing and ports. No app needs any of it.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::body::{self, Views};
use super::keys::Keys;
use super::mail::Content;
use super::store::Key;
use super::values::{
    Account, AccountSeed, InboxEntry, Index, OutboxEntry, OutboxOrder, Peer, Root,
};
use crate::session::{Encoding, Error, decode, encode};
use crate::state::AppKey;

/// The key of a value in the store (SPEC §19.3).
#[must_use]
pub fn store_key(app_key: &[u8; 32], kind: u16, name: &[u8]) -> Key {
    Keys::new(AppKey::new(*app_key)).derive(kind, name)
}

/// Reads the plaintext of a stored value of kinds 4 to 11 (SPEC §19.4) and writes it again.
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
        _ => Err(Error::Integrity),
    }
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

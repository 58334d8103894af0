//! Beginning conversations, and sending to every device of an account at once.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::batch::Batch;
use super::body::{Body, View, Views};
use super::limits::{CLIENT_ID_MAX, TELLING};
use super::mail::{Content, Outgoing, Sealed, Sent};
use super::store::Store;
use super::values::{Account, OutboxEntry, OutboxOrder};
use super::{Device, Error, TEXT_MAX};
use crate::agreement::Bundle;
use crate::crypto::TryCryptoRng;
use crate::identity::{AccountId, Address};
use crate::memory;
use crate::session;

/// The device that a bundle is of, or why the bundle was refused.
pub type Begun = Result<Address, Error>;

impl<S: Store> Device<S> {
    /// The devices that a message to the account would not reach: those of the account and one's own others, with which
    /// no conversation is begun, or which must be begun anew. Fetch a bundle of each and call [`begin`](Self::begin).
    ///
    /// # Errors
    /// [`Error::UnknownAccount`], [`Error::NotLinked`], and those of the store.
    pub fn unreached<R: TryCryptoRng + ?Sized>(
        &mut self,
        account: &AccountId,
        now: u64,
        rng: &mut R,
    ) -> Result<Vec<Address>, Error> {
        self.transact(rng, |batch| {
            let mut unreached = Vec::new();
            for address in batch.recipients(account)? {
                let peer = batch.take_peer(&address, now)?;
                if peer.as_ref().is_none_or(|loaded| {
                    loaded.peer.begin_anew || loaded.peer.conversation.must_begin(now)
                }) {
                    memory::push(&mut unreached, address);
                }
                if let Some(peer) = peer {
                    batch.put_back(address, peer);
                }
            }
            Ok(unreached)
        })
    }

    /// Begins conversations, or begins them anew, with the devices whose bundles these are: for each its address, or why
    /// its bundle was refused.
    ///
    /// # Errors
    /// Those of the store and of the generator.
    pub fn begin<R: TryCryptoRng + ?Sized>(
        &mut self,
        bundles: &[&[u8]],
        now: u64,
        rng: &mut R,
    ) -> Result<Vec<Begun>, Error> {
        self.transact(rng, |batch| {
            let mut begun = memory::with_capacity(bundles.len());
            for bundle in bundles {
                let outcome = match batch.begin(bundle, now) {
                    Ok(begun) => Ok(begun),
                    Err(error) if error.is_refusal() => Err(error),
                    Err(error) => return Err(error),
                };
                memory::push(&mut begun, outcome);
            }
            Ok(begun)
        })
    }

    /// Seals a message for every device of an account, and a copy of it for one's own other devices. It is in the outbox
    /// until [`sent`](Self::sent) says that the server has it.
    ///
    /// # Errors
    /// [`Error::Unreached`] if some device cannot be reached and the message is not to be sent in part;
    /// [`Error::KeyChanged`], [`Error::UnknownAccount`], [`Error::NotLinked`], [`Error::ClientId`];
    /// [`session::Error::TooLong`]; those of the store and of the generator.
    pub fn send<R: TryCryptoRng + ?Sized>(
        &mut self,
        message: &Outgoing<'_>,
        now: u64,
        rng: &mut R,
    ) -> Result<Sent, Error> {
        self.transact(rng, |batch| {
            if message.id.is_empty() || message.id.len() > CLIENT_ID_MAX {
                return Err(Error::ClientId);
            }
            if message.text.len() > TEXT_MAX {
                return Err(Error::Session(session::Error::TooLong));
            }
            if let Some(sent) = batch.outbox_entry(message.id)? {
                return Ok(sent);
            }
            let copies = batch.seal_copies(message, now)?;
            let order = batch.root.outbox.take()?;
            let entry = OutboxEntry {
                order,
                to: message.to,
                copies,
            };
            batch.put(message.id, &entry)?;
            let id = memory::copied(message.id);
            batch.put(&order.to_be_bytes(), &OutboxOrder(id))?;
            Ok(Sent {
                id: memory::copied(message.id),
                to: message.to,
                copies: entry.copies,
            })
        })
    }
}

impl Error {
    /// Whether a bundle was at fault, and not this device.
    const fn is_refusal(self) -> bool {
        match self {
            Self::Session(error) => !matches!(error.action(), session::Action::Local),
            Self::Identity(_) | Self::UnknownAccount | Self::KeyChanged => true,
            _ => false,
        }
    }
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// An account that may be written to.
    pub(super) fn approved(&mut self, id: &AccountId) -> Result<&Account, Error> {
        let account = self.account(id)?.ok_or(Error::UnknownAccount)?;
        if !account.is_approved() {
            return Err(Error::KeyChanged);
        }
        Ok(account)
    }

    /// Every device that a message to the account is sealed for: those of the account, then one's own others.
    fn recipients(&mut self, to: &AccountId) -> Result<Vec<Address>, Error> {
        let (own, own_id) = self.own()?;
        self.own_account()?;
        let mut addresses = Vec::new();
        for id in [*to, own] {
            for device in self.approved(&id)?.list.devices() {
                let address = id.device(device.id());
                let own_device = id == own && device.id() == own_id;
                if !own_device && !addresses.contains(&address) {
                    memory::push(&mut addresses, address);
                }
            }
        }
        Ok(addresses)
    }

    fn begin(&mut self, bundle: &[u8], now: u64) -> Result<Address, Error> {
        let bundle = Bundle::parse(bundle)?.verify(now)?;
        let identity = *bundle.identity();
        let address = *identity.address();
        let (account, id) =
            AccountId::of(&address).ok_or(Error::Session(session::Error::Malformed))?;
        let listed = self.approved(&account)?.list.device(id);
        if listed.is_none_or(|listed| listed.keys() != identity.keys()) {
            return Err(Error::Session(session::Error::IdentityChanged));
        }
        let mut loaded = self.take_or_new_peer(identity, now)?;
        let peer = &mut loaded.peer;
        let identity = self.identity;
        let begun = peer.conversation.begin(identity, &bundle, now, self.rng);
        if let Err(error) = begun {
            self.put_back(address, loaded);
            return Err(error.into());
        }
        peer.begin_anew = false;
        peer.told = [0; 2];
        self.put_peer(address, loaded)?;
        Ok(address)
    }

    fn seal_copies(&mut self, message: &Outgoing<'_>, now: u64) -> Result<Vec<Sealed>, Error> {
        let recipients = self.recipients(&message.to)?;
        let own = self.own()?.0;
        let mut copies = memory::with_capacity(recipients.len());
        let mut missing = false;
        for address in recipients {
            let account = AccountId::of(&address).map_or(message.to, |(account, _)| account);
            // A note to oneself is a message; what went to others is a copy.
            let content = if account == own && message.to != own {
                Content::Copy { to: message.to }
            } else {
                Content::Message
            };
            match self.seal_for(&address, &account, content, message, now)? {
                Some(sealed) => memory::push(&mut copies, sealed),
                None => missing = true,
            }
        }
        if missing && (!message.partial || copies.is_empty()) {
            return Err(Error::Unreached);
        }
        Ok(copies)
    }

    /// One copy; `None` if the device cannot be reached.
    fn seal_for(
        &mut self,
        address: &Address,
        account: &AccountId,
        content: Content,
        message: &Outgoing<'_>,
        now: u64,
    ) -> Result<Option<Sealed>, Error> {
        let views = Views {
            sender: View::of(&self.own_account()?.list),
            receiver: View::of(&self.approved(account)?.list),
        };
        let Some(mut loaded) = self.take_peer(address, now)? else {
            return Ok(None);
        };
        let peer = &mut loaded.peer;
        let waits = peer.begin_anew && !message.partial;
        if waits || peer.conversation.must_begin(now) {
            self.put_back(*address, loaded);
            return Ok(None);
        }
        let told = [views.sender.version, views.receiver.version];
        if peer.told != told {
            peer.told = told;
            peer.telling = TELLING;
        }
        let body = Body {
            views: (peer.telling > 0).then_some(views),
            content,
            text: message.text,
        };
        let body = Zeroizing::new(body.write());
        let identity = self.identity;
        let sealed = peer.conversation.seal(identity, &body, now, self.rng)?;
        self.put_peer(*address, loaded)?;
        Ok(Some(Sealed {
            to: *address,
            message: sealed,
        }))
    }
}

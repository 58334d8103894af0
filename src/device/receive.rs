//! Receiving: any number of envelopes in one call and one commit.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::batch::{Batch, LoadedPeer};
use super::body::Body;
use super::event::Event;
use super::mail::{Content, Notices};
use super::store::Store;
use super::values::InboxEntry;
use super::{Device, Error};
use crate::crypto::TryCryptoRng;
use crate::identity::{AccountId, Address};
use crate::memory;
use crate::session::{self, Action, Incoming, Opened, StagedFirst};

impl<S: Store> Device<S> {
    /// Reads envelopes, in the order in which they came, and says what became of each. All of it is one commit: once
    /// the call has succeeded, the server may forget every envelope but those of [`Event::ListNeeded`].
    ///
    /// # Errors
    /// Those of the store and of the generator: nothing was read, hand in all envelopes again.
    pub fn receive<R: TryCryptoRng + ?Sized>(
        &mut self,
        envelopes: &[&[u8]],
        now: u64,
        rng: &mut R,
    ) -> Result<Vec<Event>, Error> {
        let mut events = memory::with_capacity(envelopes.len());
        let received = self.transact(rng, |batch| {
            for (envelope, message) in envelopes.iter().enumerate() {
                batch.receive(envelope, message, now, &mut events)?;
            }
            Ok(())
        });
        if received.is_err() {
            for event in &mut events {
                if let Event::Message(received) = event {
                    received.forget();
                }
            }
        }
        received.map(|()| events)
    }

    /// Gives up a first message whose sender is on no device list ([`Event::ListNeeded`]): its one-time prekeys are
    /// deleted, and the same message is refused from now on.
    ///
    /// # Errors
    /// [`Error::Session`] if the message can be refused for another reason anyway; those of the store and of the generator.
    pub fn refuse<R: TryCryptoRng + ?Sized>(
        &mut self,
        envelope: &[u8],
        now: u64,
        rng: &mut R,
    ) -> Result<(), Error> {
        self.transact(rng, |batch| {
            let incoming = Incoming::parse(envelope)?;
            let identity = batch.identity;
            let staged = StagedFirst::stage(&incoming, identity, batch.prekeys()?, now)?;
            batch.refuse(staged)
        })
    }
}

/// Why a message was refused, and in whose conversation.
struct Refused {
    from: Option<Address>,
    error: session::Error,
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// One envelope. What is refused is an event; an error is of this device.
    fn receive(
        &mut self,
        envelope: usize,
        message: &[u8],
        now: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let refused = match Incoming::parse(message) {
            Ok(incoming) => self.open(envelope, &incoming, now, events)?,
            Err(error) => Some(Refused { from: None, error }),
        };
        if let Some(Refused { from, error }) = refused {
            let action = match (from, error.action()) {
                // SPEC §14.1-R2: there is nobody to begin anew with.
                (None, Action::BeginAnew | Action::FetchBundle) => Action::Drop,
                (_, action) => action,
            };
            memory::push(
                events,
                Event::Rejected {
                    envelope,
                    from,
                    error,
                    action,
                },
            );
        }
        Ok(())
    }

    fn open(
        &mut self,
        envelope: usize,
        incoming: &Incoming<'_>,
        now: u64,
        events: &mut Vec<Event>,
    ) -> Result<Option<Refused>, Error> {
        let mut refused = Refused {
            from: None,
            error: session::Error::NoSession,
        };
        let mut known = false;
        for address in self.find(incoming)? {
            let Some(mut loaded) = self.take_peer(&address, now)? else {
                continue;
            };
            loaded.peer.conversation.expire(now);
            if let Some(id) = incoming.first_id()
                && !loaded
                    .peer
                    .conversation
                    .first_ids()
                    .any(|known| *known == id)
            {
                // The state is gone: the message is as new (SPEC §11.3-R7).
                self.put_back(address, loaded);
                continue;
            }
            known = true;
            let our_turn = loaded.peer.conversation.begins_chain();
            match loaded.peer.conversation.open(incoming, now) {
                Ok(opened) => {
                    let answered = !our_turn && loaded.peer.conversation.begins_chain();
                    if answered {
                        loaded.peer.telling = loaded.peer.telling.saturating_sub(1);
                    }
                    return self.deliver(address, loaded, opened, now, events);
                }
                Err(error) => {
                    refused = Refused {
                        from: Some(address),
                        error,
                    };
                    self.put_refused(address, loaded, incoming, error, events)?;
                    // Only where tags are equal by chance is it another's.
                    if !matches!(error, session::Error::NoSession | session::Error::Malformed) {
                        break;
                    }
                }
            }
        }
        if !known && incoming.first_id().is_some() {
            return self.open_first(envelope, incoming, now, events);
        }
        Ok(Some(refused))
    }

    /// A message of this conversation was refused: it stays as it is, but may have to be begun anew.
    fn put_refused(
        &mut self,
        address: Address,
        mut loaded: LoadedPeer,
        incoming: &Incoming<'_>,
        error: session::Error,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        if error == session::Error::Forked {
            memory::push(events, Event::ForkSuspected(address));
        }
        // SPEC §19.5-R4: what was still under way when it was begun anew does not ask for it once more.
        let conversation = &loaded.peer.conversation;
        let begun_since = conversation.can_send() && !conversation.is_of_sending_state(incoming);
        if error.action() != Action::BeginAnew || loaded.peer.begin_anew || begun_since {
            self.put_back(address, loaded);
            return Ok(());
        }
        loaded.peer.begin_anew = true;
        memory::push(events, Event::BeginAnew(address));
        self.put_peer(address, loaded)
    }

    /// A first message that begins something new.
    fn open_first(
        &mut self,
        envelope: usize,
        incoming: &Incoming<'_>,
        now: u64,
        events: &mut Vec<Event>,
    ) -> Result<Option<Refused>, Error> {
        let identity = self.identity;
        let staged = match StagedFirst::stage(incoming, identity, self.prekeys()?, now) {
            Ok(staged) => staged,
            Err(error) => {
                self.note_missing_prekey(error);
                return Ok(Some(Refused { from: None, error }));
            }
        };
        let sender = *staged.peer();
        let address = *sender.address();
        let refused = |error| {
            Ok(Some(Refused {
                from: Some(address),
                error,
            }))
        };
        let Some((account, id)) = AccountId::of(&address) else {
            self.refuse(staged)?;
            return refused(session::Error::Malformed);
        };
        let listed = self
            .account(&account)?
            .and_then(|account| account.list.device(id))
            .map(|listed| listed.keys() == sender.keys());
        match listed {
            Some(true) => {}
            // The list says whose address it is, and an id is never given twice (SPEC §6.4-R8).
            Some(false) => {
                self.refuse(staged)?;
                return refused(session::Error::IdentityChanged);
            }
            None => {
                memory::push(events, Event::ListNeeded { envelope, account });
                return Ok(None);
            }
        }
        let mut loaded = self.take_or_new_peer(sender, now)?;
        match staged.accept(&mut loaded.peer.conversation, self.prekeys()?, now) {
            Ok(opened) => {
                self.prekeys_changed();
                // Whoever begins anew knows nothing of what was told before.
                loaded.peer.told = [0; 2];
                self.deliver(address, loaded, opened, now, events)
            }
            Err(error) => {
                self.put_back(address, loaded);
                refused(error)
            }
        }
    }

    /// The verdict on a staged message is no.
    fn refuse(&mut self, staged: StagedFirst) -> Result<(), Error> {
        staged.refuse(self.prekeys()?)?;
        self.prekeys_changed();
        Ok(())
    }

    /// Puts a message that was opened into the inbox, and its conversation back.
    fn deliver(
        &mut self,
        from: Address,
        mut loaded: LoadedPeer,
        mut opened: Opened,
        now: u64,
        events: &mut Vec<Event>,
    ) -> Result<Option<Refused>, Error> {
        let notices = Notices::of(&opened);
        let text = Zeroizing::new(core::mem::take(&mut opened.text));
        if notices.forked {
            memory::push(events, Event::ForkSuspected(from));
        }
        // SPEC §19.5-R4: what was late when it was begun anew does not ask for it once more within a day.
        let only_late = !notices.forked && !notices.pq_broken;
        let heeded = !only_late || !loaded.peer.conversation.has_changed_over(now);
        if opened.action == Action::BeginAnew && heeded && !loaded.peer.begin_anew {
            loaded.peer.begin_anew = true;
            memory::push(events, Event::BeginAnew(from));
        }
        self.put_peer(from, loaded)?;
        let malformed = Refused {
            from: Some(from),
            error: session::Error::Malformed,
        };
        let Ok(body) = Body::parse(&text) else {
            return Ok(Some(malformed));
        };
        let Some((sender, _)) = AccountId::of(&from) else {
            return Ok(Some(malformed));
        };
        // Nobody else sends for this account.
        if matches!(body.content, Content::Copy { .. }) && sender != self.own()?.0 {
            return Ok(Some(malformed));
        }
        if let Some(views) = &body.views {
            self.compare(views, &sender, events)?;
        }
        let received = self.put_inbox(&InboxEntry {
            incarnation: self.root.incarnation,
            from,
            received_at: now,
            notices,
            content: body.content,
            text: Zeroizing::new(memory::copied(body.text)),
        })?;
        memory::push(events, Event::Message(received));
        Ok(None)
    }
}

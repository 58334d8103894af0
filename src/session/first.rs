//! A first message, processed and held until the app has decided about its sender (SPEC §11.2).

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::conversation::State;
use super::{Conversation, Error, Incoming, Opened};
use crate::agreement::{OneTimeUse, Prekeys, Used, respond};
use crate::identity::{DeviceIdentity, Identity};
use crate::ratchet::{Notices, Ratchet};

/// A first message that was opened. Neither its text nor its conversation exists for the app before
/// [`accept`](Self::accept); nothing was changed by staging it.
pub struct StagedFirst {
    peer: Identity,
    used: Used,
    state: State,
    text: Zeroizing<Vec<u8>>,
    notices: Notices,
}

impl StagedFirst {
    /// Answers the agreement of a first message and opens it, without changing anything.
    ///
    /// # Errors
    /// [`Error::Malformed`] (also for an ordinary message), [`Error::PrekeyGone`], [`Error::ReplayedFirst`],
    /// [`Error::ReplayRecordFull`], [`Error::BadSignature`], [`Error::OwnIdentity`]; [`Error::GapTooLarge`] and
    /// [`Error::ChainExhausted`] where so many first messages were sent before this one. Whatever the error, nobody is
    /// known to begin anew with: the message is dropped (SPEC §14.1-R2).
    pub fn stage(
        message: &Incoming<'_>,
        device: &DeviceIdentity,
        prekeys: &Prekeys,
        now: u64,
    ) -> Result<Self, Error> {
        let first = message.first.as_ref().ok_or(Error::Malformed)?;
        let response = respond(device, prekeys, &first.prefix, now)?;
        let (ratchet, opening) = Ratchet::respond(
            &response.shared,
            &response.ratchet_key,
            message.envelope(),
            &message.frame,
        )?;
        let state =
            State::responder(message, response.created_at, ratchet).ok_or(Error::Malformed)?;
        Ok(Self {
            peer: response.peer,
            used: response.used,
            state,
            text: Zeroizing::new(opening.text),
            notices: opening.notices,
        })
    }

    /// Who claims to write, with keys that were verified to be its own. Whether the identity belongs to the address
    /// is what the app must decide now.
    #[must_use]
    pub const fn peer(&self) -> &Identity {
        &self.peer
    }

    /// When the sender began, by its own clock, Unix milliseconds.
    #[must_use]
    pub const fn created_at(&self) -> u64 {
        self.state.created_at
    }

    /// Which one-time keys the message used.
    #[must_use]
    pub const fn one_time(&self) -> OneTimeUse {
        self.used.one_time()
    }

    /// The app's verdict is yes: the conversation that is pinned to this very identity takes the message, and the
    /// one-time keys are gone. Commit `conversation` and `prekeys` together before the text is shown.
    ///
    /// # Errors
    /// [`Error::IdentityChanged`] if the conversation is pinned to another identity; [`Error::PrekeyGone`],
    /// [`Error::ReplayedFirst`], [`Error::ReplayRecordFull`] if another message was accepted meanwhile. Both states
    /// are what they were.
    pub fn accept(
        mut self,
        conversation: &mut Conversation,
        prekeys: &mut Prekeys,
        now: u64,
    ) -> Result<Opened, Error> {
        if *conversation.peer() != self.peer {
            return Err(Error::IdentityChanged);
        }
        prekeys.consume(&self.used)?;
        let id = self.state.ratchet.session_id;
        conversation.add(self.state, now);
        let old_state = !conversation.sends_in(&id);
        let text = core::mem::take(&mut *self.text);
        Ok(Opened::new(text, self.notices, old_state, false))
    }

    /// The app's verdict is no: the text is erased, the one-time keys are gone, and the message cannot be staged
    /// again. Commit `prekeys`.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub fn refuse(self, prekeys: &mut Prekeys) -> Result<(), Error> {
        Ok(prekeys.consume(&self.used)?)
    }
}

impl fmt::Debug for StagedFirst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            peer,
            used,
            state,
            text: _,
            notices,
        } = self;
        f.debug_struct("StagedFirst")
            .field("peer", peer)
            .field("used", used)
            .field("created_at", &state.created_at)
            .field("notices", notices)
            .finish_non_exhaustive()
    }
}

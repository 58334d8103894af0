//! Floor 2: the Double Ratchet with encrypted headers (Signal, "The Double Ratchet Algorithm", rev. 4, §4;
//! SPEC §9, §11).
//!
//! ```text
//!                       ┌──────────────── a message under NHKr: new chain ───────────────┐
//!                       ▼                                                                │
//!        Turn::Ours ── seal: new key pair, DH, new sending chain ──► Turn::Theirs ───────┘
//!   (we owe a new key;                                        (we hold a private key
//!    no private key)                                           and a sending chain)
//!          │ stop_sending                                            │ stop_sending
//!          ▼                                                         ▼
//!      Turn::Ended ◄──── a message under NHKr: new chain ──── Turn::Theirs without sending chain
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::crypto::Secret;
use crate::crypto::dh::{DhKeyPair, DhPublic};
use crate::crypto::hedge::Entropy;
use crate::crypto::labels::purpose;
use crate::crypto::{SharedSecret, hash, labels};

mod chain;
mod error;
mod frame;
mod keys;
pub mod limits;
mod message;
mod open;
mod state;
mod stored_keys;

pub use error::Error;
pub use frame::{FRAME_OVERHEAD, Frame, HEADER, TEXT_MAX};
pub use keys::TAG;
pub use open::{Notices, Opening};

pub(crate) use chain::{ClosedChain, ReceivingChain, SendingChain};
pub(crate) use keys::{ChainKey, HeaderKey, MessageKey, RootKey};
pub(crate) use open::Candidate;
pub(crate) use state::Bounds;
#[cfg(feature = "hazmat")]
pub(crate) use {
    message::Binding, message::Header, message::open_body, message::open_header, message::seal,
};

/// Whose ratchet key comes next, and what is held until then.
pub(crate) enum Turn {
    /// The peer's: it answers to our newest key.
    Theirs {
        own: DhKeyPair,
        root: RootKey,
        /// `None` once the state is receive-only.
        sending: Option<Box<SendingChain>>,
    },
    /// Ours: the next message begins a chain with a new key.
    Ours {
        root: RootKey,
        /// `NHKs`, the header key of that chain.
        next_header_key: HeaderKey,
        /// Messages in our last chain: the next `PN`.
        previous_count: u32,
    },
    /// Nobody's: receive-only, and what was needed for another step is gone.
    Ended,
}

/// One state of a conversation.
pub struct Ratchet {
    /// `sid`, in every associated data.
    pub(crate) session_id: [u8; 32],
    /// `DHr`, the peer's newest ratchet key.
    pub(crate) peer_public: DhPublic,
    /// `NHKr`, the header key of the peer's next chain.
    pub(crate) next_header_key: HeaderKey,
    /// The peer's newest chain; `None` until its first message.
    pub(crate) receiving: Option<ReceivingChain>,
    /// The chains before it, oldest first.
    pub(crate) closed: Vec<ClosedChain>,
    pub(crate) turn: Turn,
}

/// `RK0 || HKa || NHKb`: what both sides begin with (SPEC §9.1).
pub(crate) struct InitialKeys {
    pub(crate) root: RootKey,
    /// `HKa`: the initiator's first chain.
    pub(crate) initiator: HeaderKey,
    /// `NHKb`: the responder's first chain.
    pub(crate) responder: HeaderKey,
}

impl InitialKeys {
    pub(crate) fn new(shared: &SharedSecret) -> Self {
        let okm: Secret<96> =
            hash::expand(shared.key.expose(), &[labels::SESSION, &shared.session_id]);
        let (root, initiator, responder) = keys::split_96(&okm);
        Self {
            root: RootKey::new(root),
            initiator: HeaderKey::new(initiator),
            responder: HeaderKey::new(responder),
        }
    }
}

impl Ratchet {
    /// The initiator's state: one sending chain towards the responder's signed prekey (SPEC §9.2-R1).
    ///
    /// # Errors
    /// [`Error::Malformed`] for a prekey of small order, [`Error::Rng`].
    pub(crate) fn initiate(
        shared: &SharedSecret,
        signed_prekey: DhPublic,
        entropy: &mut impl Entropy,
    ) -> Result<Self, Error> {
        let initial = InitialKeys::new(shared);
        let turn = begin_chain(&initial.root, &signed_prekey, initial.initiator, 0, entropy)?;
        Ok(Self {
            session_id: shared.session_id,
            peer_public: signed_prekey,
            next_header_key: initial.responder,
            receiving: None,
            closed: Vec::new(),
            turn,
        })
    }

    /// Encrypts `text` behind `prefix`, whose first two bytes are version and kind.
    ///
    /// # Errors
    /// [`Error::ChainExhausted`], [`Error::TooLong`], [`Error::Rng`], [`Error::ReceiveOnly`]; the state is what it was.
    pub(crate) fn seal(
        &mut self,
        prefix: &[u8],
        text: &[u8],
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, Error> {
        let new_turn = match &self.turn {
            Turn::Ours {
                root,
                next_header_key,
                previous_count,
            } => Some(begin_chain(
                root,
                &self.peer_public,
                next_header_key.duplicate(),
                *previous_count,
                entropy,
            )?),
            Turn::Theirs { .. } | Turn::Ended => None,
        };
        let turn = new_turn.as_ref().unwrap_or(&self.turn);
        let Turn::Theirs {
            own,
            sending: Some(chain),
            ..
        } = turn
        else {
            return Err(Error::ReceiveOnly);
        };
        let (message, next_chain_key) = chain.seal(
            &self.session_id,
            own.public(),
            prefix,
            text,
            entropy.fresh()?,
        )?;

        if let Some(turn) = new_turn {
            self.turn = turn;
        }
        if let Turn::Theirs {
            sending: Some(chain),
            ..
        } = &mut self.turn
        {
            chain.advance(next_chain_key);
        }
        Ok(message)
    }

    /// Erases everything that sending needs: the state is receive-only for ever (SPEC §11.3-R4).
    pub(crate) fn stop_sending(&mut self) {
        match &mut self.turn {
            Turn::Theirs { sending, .. } => *sending = None,
            Turn::Ours { .. } => self.turn = Turn::Ended,
            Turn::Ended => {}
        }
    }

    /// Whether the state can still send.
    pub(crate) const fn can_send(&self) -> bool {
        matches!(
            self.turn,
            Turn::Ours { .. }
                | Turn::Theirs {
                    sending: Some(_),
                    ..
                }
        )
    }

    /// Message keys held for messages that have not arrived.
    pub(crate) fn stored_keys(&self) -> usize {
        let closed: usize = self.closed.iter().map(|chain| chain.keys.len()).sum();
        let open = self.receiving.as_ref().map_or(0, |chain| chain.keys.len());
        closed.saturating_add(open)
    }

    /// Deletes up to `count` message keys, those of the oldest chain and the lowest number first (SPEC §11.4-R2).
    pub(crate) fn forget_keys(&mut self, count: usize) -> usize {
        let mut left = count;
        let closed = self.closed.iter_mut().map(|chain| &mut chain.keys);
        let open = self.receiving.iter_mut().map(|chain| &mut chain.keys);
        for keys in closed.chain(open) {
            let forgotten = keys.len().min(left);
            keys.forget_first(forgotten);
            left = left.saturating_sub(forgotten);
        }
        count.saturating_sub(left)
    }
}

/// One step of the root key with a new key pair: a new sending chain (SPEC §9.2-R3).
fn begin_chain(
    root: &RootKey,
    peer_public: &DhPublic,
    header_key: HeaderKey,
    previous_count: u32,
    entropy: &mut impl Entropy,
) -> Result<Turn, Error> {
    let own = DhKeyPair::from_secret(entropy.derive(
        purpose::RATCHET_KEY,
        &[
            root.expose(),
            peer_public.as_bytes(),
            &previous_count.to_be_bytes(),
        ],
    )?);
    let step = root.step(&own.agree(peer_public)?);
    Ok(Turn::Theirs {
        own,
        root: step.root,
        sending: Some(Box::new(SendingChain {
            header_key,
            next_header_key: step.next_header_key,
            chain_key: step.chain_key,
            number: 0,
            previous_count,
        })),
    })
}

#[cfg(test)]
mod tests;

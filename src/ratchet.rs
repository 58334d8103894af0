//! Floor 2: the Double Ratchet with encrypted headers (Signal, "The Double Ratchet Algorithm", rev. 4, §4;
//! SPEC §9), and beside it the ML-KEM Braid (`braid`, SPEC §10).
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

use self::braid::Braid;
use self::epochs::{EpochRoot, EpochSeeds, SeedStep, Seeds};
use self::limits::CHAIN_MAX;
use crate::crypto::Secret;
use crate::crypto::dh::{DhKeyPair, DhPoint, DhPublic};
use crate::crypto::hedge::Entropy;
use crate::crypto::labels::purpose;
use crate::crypto::{SharedSecret, hash, labels};

pub(crate) mod braid;
mod chain;
pub(crate) mod epochs;
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
pub(crate) use keys::{ChainKey, ChainKeys, HeaderKey, MessageKey, RootKey};
pub(crate) use message::Content;
#[cfg(any(test, feature = "hazmat"))]
pub(crate) use message::content_length;
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
    /// The same, prepared when its first message came, for the key pair that will answer. Not stored.
    pub(crate) peer_point: Option<DhPoint>,
    /// `NHKr`, the header key of the peer's next chain.
    pub(crate) next_header_key: HeaderKey,
    /// The peer's newest chain; `None` until its first message.
    pub(crate) receiving: Option<ReceivingChain>,
    /// The chains before it, oldest first.
    pub(crate) closed: Vec<ClosedChain>,
    pub(crate) turn: Turn,
    pub(crate) quantum: Quantum,
}

/// The post-quantum half, as far as the state still needs it.
#[expect(
    clippy::large_enum_variant,
    reason = "most conversations have one state, and it is whole"
)]
pub(crate) enum Quantum {
    /// A state that can send.
    Whole {
        /// `S` of our direction.
        own: Seeds,
        /// `S` of the peer's.
        peer: Seeds,
        braid: Braid,
    },
    /// Receive-only, while the peer may begin one more chain.
    Receiving { peer: Seeds },
    /// Receive-only, for messages of the chains that there are.
    Ended,
}

impl Quantum {
    pub(crate) const fn peer(&self) -> Option<&Seeds> {
        match self {
            Self::Whole { peer, .. } | Self::Receiving { peer } => Some(peer),
            Self::Ended => None,
        }
    }

    /// Takes in the seeds of a new epoch.
    fn emit(&mut self, seeds: EpochSeeds) {
        if let Self::Whole { own, peer, braid } = self {
            let (ours, theirs) = braid.directions(seeds);
            own.push(ours);
            peer.push(theirs);
        }
    }
}

/// `RK0 || HKa || NHKb || PQ0 || BA`: what both sides begin with (SPEC §9.1).
pub(crate) struct InitialKeys {
    pub(crate) root: RootKey,
    /// `HKa`: the initiator's first chain.
    pub(crate) initiator: HeaderKey,
    /// `NHKb`: the responder's first chain.
    pub(crate) responder: HeaderKey,
    /// `PQ0`: the secret of epoch 0.
    pub(crate) quantum: Secret<32>,
    /// `BA`: what the Braid's authenticator begins with.
    pub(crate) authenticator: Secret<32>,
}

impl InitialKeys {
    pub(crate) fn new(shared: &SharedSecret) -> Self {
        let okm: Secret<160> =
            hash::expand(shared.key.expose(), &[labels::SESSION, &shared.session_id]);
        let [root, initiator, responder, quantum, authenticator] = keys::split(&okm);
        Self {
            root: RootKey::new(root),
            initiator: HeaderKey::new(initiator),
            responder: HeaderKey::new(responder),
            quantum,
            authenticator,
        }
    }

    /// Epoch 0, and the exchange of epoch 1.
    pub(crate) fn quantum(&self, initiator: bool) -> Quantum {
        let (root, seeds) = EpochRoot::start(&self.quantum);
        let braid = Braid::start(root, &self.authenticator, initiator);
        let (own, peer) = braid.directions(seeds);
        Quantum::Whole {
            own: Seeds::new(0, own),
            peer: Seeds::new(0, peer),
            braid,
        }
    }
}

impl Ratchet {
    /// The initiator's state: one sending chain towards the responder's signed prekey (SPEC §9.2-R1), given also
    /// prepared.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a prekey of small order, [`Error::Rng`].
    pub(crate) fn initiate(
        shared: &SharedSecret,
        signed_prekey: DhPublic,
        signed_point: &DhPoint,
        entropy: &mut impl Entropy,
    ) -> Result<Self, Error> {
        let initial = InitialKeys::new(shared);
        let mut quantum = initial.quantum(true);
        let Quantum::Whole { own, braid, .. } = &mut quantum else {
            return Err(Error::ReceiveOnly);
        };
        let start = ChainStart {
            root: &initial.root,
            peer_public: &signed_prekey,
            peer_point: signed_point,
            header_key: initial.initiator,
            previous_count: 0,
        };
        let (turn, step) = start.begin(own, braid.chain_epoch(), entropy)?;
        own.take(step);
        Ok(Self {
            session_id: shared.session_id,
            peer_public: signed_prekey,
            peer_point: None,
            next_header_key: initial.responder,
            receiving: None,
            closed: Vec::new(),
            turn,
            quantum,
        })
    }

    /// Encrypts `text` behind `prefix`, whose first two bytes are version and kind.
    ///
    /// # Errors
    /// [`Error::ReceiveOnly`], [`Error::ChainExhausted`], [`Error::TooLong`], [`Error::Rng`]; the state is what it was.
    pub(crate) fn seal(
        &mut self,
        prefix: &[u8],
        text: &[u8],
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, Error> {
        let exhausted = self.is_exhausted();
        let Quantum::Whole {
            own: seeds, braid, ..
        } = &mut self.quantum
        else {
            return Err(Error::ReceiveOnly);
        };
        if exhausted {
            return Err(Error::ChainExhausted);
        }
        if text.len() > TEXT_MAX {
            return Err(Error::TooLong);
        }
        let begun = match &self.turn {
            Turn::Ours {
                root,
                next_header_key,
                previous_count,
            } => {
                let prepared;
                let peer_point = match &self.peer_point {
                    Some(point) => point,
                    None => {
                        prepared = DhPoint::new(&self.peer_public);
                        &prepared
                    }
                };
                let start = ChainStart {
                    root,
                    peer_public: &self.peer_public,
                    peer_point,
                    header_key: next_header_key.duplicate(),
                    previous_count: *previous_count,
                };
                Some(start.begin(seeds, braid.chain_epoch(), entropy)?)
            }
            Turn::Theirs { .. } | Turn::Ended => None,
        };
        let turn = begun.as_ref().map_or(&self.turn, |(turn, _)| turn);
        let Turn::Theirs {
            own,
            sending: Some(chain),
            ..
        } = turn
        else {
            return Err(Error::ReceiveOnly);
        };
        let placement = braid.place(message::content_length(text), entropy)?;
        let fresh = entropy.fresh()?;
        braid.prepare();
        let content = Content {
            text,
            frame: braid.outgoing(&placement, braid.chain_epoch() > chain.epoch),
            padded: placement.padded,
        };
        let (message, next_keys) =
            chain.seal(&self.session_id, own.public(), prefix, content, &fresh)?;

        if let Some((turn, step)) = begun {
            seeds.take(step);
            self.turn = turn;
            self.peer_point = None;
        }
        if let Turn::Theirs {
            sending: Some(chain),
            ..
        } = &mut self.turn
        {
            chain.advance(next_keys);
        }
        if let Some(emitted) = braid.placed(placement) {
            self.quantum.emit(emitted);
        }
        Ok(message)
    }

    /// Erases everything that sending needs: the state is receive-only for ever (SPEC §11.3-R4).
    pub(crate) fn stop_sending(&mut self) {
        let quantum = core::mem::replace(&mut self.quantum, Quantum::Ended);
        match &mut self.turn {
            Turn::Theirs { sending, .. } => {
                *sending = None;
                self.quantum = match quantum {
                    Quantum::Whole { peer, .. } | Quantum::Receiving { peer } => {
                        Quantum::Receiving { peer }
                    }
                    Quantum::Ended => Quantum::Ended,
                };
            }
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

    /// Whether the sending chain has no further number.
    pub(crate) fn is_exhausted(&self) -> bool {
        matches!(
            &self.turn,
            Turn::Theirs { sending: Some(chain), .. } if chain.number >= CHAIN_MAX
        )
    }

    /// Our own epoch of the Braid; `None` in a receive-only state.
    pub(crate) const fn pq_epoch(&self) -> Option<u32> {
        match &self.quantum {
            Quantum::Whole { braid, .. } => Some(braid.epoch()),
            Quantum::Receiving { .. } | Quantum::Ended => None,
        }
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

/// What a new sending chain begins from.
struct ChainStart<'a> {
    root: &'a RootKey,
    peer_public: &'a DhPublic,
    /// The same, prepared.
    peer_point: &'a DhPoint,
    header_key: HeaderKey,
    previous_count: u32,
}

impl ChainStart<'_> {
    /// One step of the root key with a new key pair, and one of the epoch's seed (SPEC §9.2-R3, R4).
    fn begin(
        self,
        seeds: &Seeds,
        epoch: u32,
        entropy: &mut impl Entropy,
    ) -> Result<(Turn, SeedStep), Error> {
        let Self {
            root,
            peer_public,
            peer_point,
            header_key,
            previous_count,
        } = self;
        // Never missing: the epoch before our own has been emitted.
        let (quantum, seed_step) = seeds.open(epoch).ok_or(Error::ReceiveOnly)?;
        let own = DhKeyPair::from_secret(entropy.derive(
            purpose::RATCHET_KEY,
            &[
                root.expose(),
                peer_public.as_bytes(),
                &previous_count.to_be_bytes(),
            ],
        )?);
        let step = root.step(&own.agree_at(peer_point)?);
        let turn = Turn::Theirs {
            own,
            root: step.root,
            sending: Some(Box::new(SendingChain {
                header_key,
                next_header_key: step.next_header_key,
                chain_keys: ChainKeys {
                    classical: step.chain_key,
                    quantum,
                },
                epoch,
                number: 0,
                previous_count,
            })),
        };
        Ok((turn, seed_step))
    }
}

#[cfg(test)]
mod tests;

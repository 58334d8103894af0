//! The ML-KEM Braid: a new post-quantum secret once in a while, its pieces in the padding of ordinary messages
//! (Signal, "The ML-KEM Braid Protocol"; SPEC §10).
//!
//! ```text
//!             EK side of epoch e                                              CT side of epoch e
//!
//!         ┌──► KeysUnsampled ◄──────────────── a frame of epoch e+1 ───────────── Ct2Sampled
//!         │         │ a symbol of hdr is placed                                   ▲        ▲
//!         │         ▼                                                       ack   │        │ ek complete
//!         │    KeysSampled                                      EkReceivedCt1Sampled    Ct1Acknowledged
//!         │         │ a symbol of ct1 arrives                           ▲                  ▲
//!         │         ▼                                       ek complete │                  │ ack
//!         │    HeaderSent                                               └─── Ct1Sampled ───┘
//!         │         │ ct1 complete                                               ▲
//!         │         ▼                                                            │ a symbol of ct1 is placed
//!         │    Ct1Received                                                 HeaderReceived
//!         │         │ a symbol of ct2 arrives                                    ▲
//!         │         ▼                                                            │ hdr complete
//!         │    EkSentCt1Received ───────────── ct2 complete: epoch e+1 ────► NoHeaderReceived
//!      epoch 1                                                                epoch 1
//!    (initiator)                                                            (responder)
//! ```
//!
//! Every arrow is a function that takes one state and gives the next one; a state holds what its arrows need and
//! nothing else. Whatever goes wrong leads to [`Braid::Broken`], and never costs a text.

use self::authenticator::Authenticator;
use self::ct_side::{
    Ct1Acknowledged, Ct1Sampled, Ct2Sampled, EkReceivedCt1Sampled, HeaderReceived, NoHeaderReceived,
};
use self::ek_side::{Ct1Received, EkSentCt1Received, HeaderSent, KeysSampled, KeysUnsampled};
use self::frame::Run;
use self::object::Object;
use self::progress::{Breach, Progress};
use super::Error;
use super::epochs::{EpochRoot, EpochSeeds};
use super::limits::EPOCH_MAX;
use crate::crypto::Secret;
use crate::crypto::hedge::Entropy;

pub(crate) mod authenticator;
pub(crate) mod code;
mod ct_side;
mod ek_side;
pub(crate) mod frame;
pub(crate) mod object;
mod progress;
mod send;
mod state;

pub(crate) use frame::{FRAME_MIN, Frame, Outgoing};

/// The exchange of one state of a conversation.
#[expect(
    clippy::large_enum_variant,
    reason = "a conversation has one, nearly always live; a box would be an allocation for each step"
)]
pub(crate) enum Braid {
    Live(Live),
    /// The exchange went wrong: no new secrets any more, those there are stay in use.
    Broken {
        epoch: u32,
    },
}

/// An exchange under way.
pub(crate) struct Live {
    /// From 1; at most [`EPOCH_MAX`].
    epoch: u32,
    root: EpochRoot,
    authenticator: Authenticator,
    /// The last message that had something to send found no room for it.
    starved: bool,
    state: State,
}

/// Where in its epoch the exchange is.
pub(crate) enum State {
    KeysUnsampled(KeysUnsampled),
    KeysSampled(KeysSampled),
    HeaderSent(HeaderSent),
    Ct1Received(Ct1Received),
    EkSentCt1Received(EkSentCt1Received),
    NoHeaderReceived(NoHeaderReceived),
    HeaderReceived(HeaderReceived),
    Ct1Sampled(Ct1Sampled),
    EkReceivedCt1Sampled(EkReceivedCt1Sampled),
    Ct1Acknowledged(Ct1Acknowledged),
    Ct2Sampled(Ct2Sampled),
}

/// What a frame led to.
pub(crate) enum Outcome {
    /// Nothing that concerns the message keys.
    Quiet,
    /// Our own epoch's secret is known to both sides.
    Emitted(EpochSeeds),
    /// The exchange is broken from now on.
    Broke,
}

/// What a frame makes of a state.
pub(crate) enum Step {
    /// Still the same epoch.
    Within(State),
    /// ct2 is complete: the ciphertext's shared secret, and what its MAC is about.
    Completed(ek_side::Completed),
}

impl Step {
    /// SPEC §10.7-R7: what symbols of ct2 lead to. The acknowledgement that may come with them says nothing here.
    fn of_ct2(state: EkSentCt1Received, run: &Run<'_>) -> Result<Self, Breach> {
        Ok(match state.take(run)? {
            Progress::Waiting(state) => Self::Within(State::EkSentCt1Received(state)),
            Progress::Complete(completed) => Self::Completed(completed),
        })
    }
}

impl Braid {
    /// Epoch 1. The initiator of the state is the EK side.
    pub(crate) fn start(root: EpochRoot, key: &Secret<32>, initiator: bool) -> Self {
        Self::Live(Live {
            epoch: 1,
            root,
            authenticator: Authenticator::start(key),
            starved: false,
            state: if initiator {
                State::KeysUnsampled(KeysUnsampled)
            } else {
                State::NoHeaderReceived(NoHeaderReceived::new())
            },
        })
    }

    /// Our own epoch.
    pub(crate) const fn epoch(&self) -> u32 {
        match self {
            Self::Live(live) => live.epoch,
            Self::Broken { epoch } => *epoch,
        }
    }

    /// The epoch of a sending chain that begins now (SPEC §9.2-R4).
    pub(crate) const fn chain_epoch(&self) -> u32 {
        self.epoch().saturating_sub(1)
    }

    /// Takes a frame of `epoch` (SPEC §10.7). `highest` is what our own epoch may become.
    pub(crate) fn receive(&mut self, epoch: u32, frame: &Frame<'_>, highest: u32) -> Outcome {
        let own = self.epoch();
        let Self::Live(live) = self else {
            return Outcome::Quiet;
        };
        if epoch < own || (epoch == own && !live.state.is_moved_by(frame)) {
            return Outcome::Quiet;
        }
        let Self::Live(live) = core::mem::replace(self, Self::Broken { epoch: own }) else {
            return Outcome::Quiet;
        };
        let highest = highest.min(EPOCH_MAX);
        let moved = if epoch == own {
            live.within(frame, highest)
        } else {
            live.next_epoch(epoch, highest)
                .map(|live| (live, Outcome::Quiet))
        };
        match moved {
            Ok((live, outcome)) => {
                *self = Self::Live(live);
                outcome
            }
            Err(Breach) => Outcome::Broke,
        }
    }

    /// The turn is ours: the next chain has carried nothing yet.
    pub(crate) const fn end_chain(&mut self) {
        if let Self::Live(live) = self
            && let Some(cursor) = live.state.cursor_mut()
        {
            cursor.placed = 0;
        }
    }
}

impl Live {
    /// Whether we began the state: the sides change with each epoch.
    const fn is_initiator(&self) -> bool {
        self.state.is_ek_side() == (self.epoch % 2 == 1)
    }

    /// SPEC §10.7-R1: the peer has completed our epoch.
    fn next_epoch(mut self, epoch: u32, highest: u32) -> Result<Self, Breach> {
        let expected = self.epoch.saturating_add(1);
        match self.state {
            State::Ct2Sampled(_) if epoch == expected && epoch <= highest => {
                self.epoch = epoch;
                self.state = State::KeysUnsampled(KeysUnsampled);
                Ok(self)
            }
            _ => Err(Breach),
        }
    }

    /// SPEC §10.7-R2 to R7: a frame of our own epoch.
    fn within(self, frame: &Frame<'_>, highest: u32) -> Result<(Self, Outcome), Breach> {
        let Self {
            epoch,
            root,
            authenticator,
            starved,
            state,
        } = self;
        match state.take(epoch, &authenticator, frame)? {
            Step::Within(state) => Ok((
                Self {
                    epoch,
                    root,
                    authenticator,
                    starved,
                    state,
                },
                Outcome::Quiet,
            )),
            Step::Completed(completed) => {
                let next = epoch.saturating_add(1);
                if next > highest {
                    return Err(Breach);
                }
                let (secret, authenticator) = completed.verify(epoch, &authenticator)?;
                let (root, seeds) = root.step(epoch, &secret);
                Ok((
                    Self {
                        epoch: next,
                        root,
                        authenticator,
                        starved,
                        state: State::NoHeaderReceived(NoHeaderReceived::new()),
                    },
                    Outcome::Emitted(seeds),
                ))
            }
        }
    }
}

impl State {
    const fn is_ek_side(&self) -> bool {
        match self {
            Self::KeysUnsampled(_)
            | Self::KeysSampled(_)
            | Self::HeaderSent(_)
            | Self::Ct1Received(_)
            | Self::EkSentCt1Received(_) => true,
            Self::NoHeaderReceived(_)
            | Self::HeaderReceived(_)
            | Self::Ct1Sampled(_)
            | Self::EkReceivedCt1Sampled(_)
            | Self::Ct1Acknowledged(_)
            | Self::Ct2Sampled(_) => false,
        }
    }

    /// Whether the secret of our own epoch has been emitted.
    const fn has_emitted(&self) -> bool {
        matches!(
            self,
            Self::Ct1Sampled(_)
                | Self::EkReceivedCt1Sampled(_)
                | Self::Ct1Acknowledged(_)
                | Self::Ct2Sampled(_)
        )
    }

    /// The object whose symbols are taken (SPEC §10.7-R2).
    const fn awaits(&self) -> Option<Object> {
        match self {
            Self::NoHeaderReceived(_) => Some(Object::Header),
            Self::KeysSampled(_) | Self::HeaderSent(_) => Some(Object::Ct1),
            Self::Ct1Sampled(_) | Self::Ct1Acknowledged(_) => Some(Object::Vector),
            Self::Ct1Received(_) | Self::EkSentCt1Received(_) => Some(Object::Ct2),
            Self::KeysUnsampled(_)
            | Self::HeaderReceived(_)
            | Self::EkReceivedCt1Sampled(_)
            | Self::Ct2Sampled(_) => None,
        }
    }

    /// Whether the state waits for the peer to have all of ct1.
    const fn awaits_ack(&self) -> bool {
        matches!(self, Self::Ct1Sampled(_) | Self::EkReceivedCt1Sampled(_))
    }

    /// Whether a frame of our own epoch can change anything.
    fn is_moved_by(&self, frame: &Frame<'_>) -> bool {
        let run = frame.run.as_ref().map(|run| run.object);
        (run.is_some() && run == self.awaits()) || (frame.ack && self.awaits_ack())
    }

    /// Takes the symbols that the state waits for, then the acknowledgement.
    fn take(
        self,
        epoch: u32,
        authenticator: &Authenticator,
        frame: &Frame<'_>,
    ) -> Result<Step, Breach> {
        let awaited = self.awaits();
        let run = frame.run.as_ref().filter(|run| awaited == Some(run.object));
        let state = match (run, self) {
            (Some(run), Self::NoHeaderReceived(state)) => {
                match state.take(epoch, authenticator, run)? {
                    Progress::Waiting(state) => Self::NoHeaderReceived(state),
                    Progress::Complete(state) => Self::HeaderReceived(state),
                }
            }
            (Some(run), Self::KeysSampled(state)) => Self::take_ct1(state.begin_ct1(), run)?,
            (Some(run), Self::HeaderSent(state)) => Self::take_ct1(state, run)?,
            (Some(run), Self::Ct1Received(state)) => return Step::of_ct2(state.begin_ct2(), run),
            (Some(run), Self::EkSentCt1Received(state)) => return Step::of_ct2(state, run),
            (Some(run), Self::Ct1Sampled(state)) => match state.take(epoch, authenticator, run)? {
                Progress::Waiting(state) => Self::Ct1Sampled(state),
                Progress::Complete(state) => Self::EkReceivedCt1Sampled(state),
            },
            (Some(run), Self::Ct1Acknowledged(state)) => {
                match state.take(epoch, authenticator, run)? {
                    Progress::Waiting(state) => Self::Ct1Acknowledged(state),
                    Progress::Complete(state) => Self::Ct2Sampled(state),
                }
            }
            (_, state) => state,
        };
        Ok(Step::Within(if frame.ack {
            state.acknowledge()
        } else {
            state
        }))
    }

    /// SPEC §10.7-R4.
    fn take_ct1(state: HeaderSent, run: &Run<'_>) -> Result<Self, Breach> {
        Ok(match state.take(run)? {
            Progress::Waiting(state) => Self::HeaderSent(state),
            Progress::Complete(state) => Self::Ct1Received(state),
        })
    }

    /// SPEC §10.7-R6.
    fn acknowledge(self) -> Self {
        match self {
            Self::Ct1Sampled(state) => Self::Ct1Acknowledged(state.acknowledge()),
            Self::EkReceivedCt1Sampled(state) => Self::Ct2Sampled(state.acknowledge()),
            other => other,
        }
    }
}

/// Secrets that a state draws when the first symbol of its object is placed (SPEC §10.6-R3).
fn draw<const N: usize>(
    purpose: &'static [u8],
    root: &EpochRoot,
    epoch: u32,
    context: &[&[u8]; 2],
    entropy: &mut impl Entropy,
) -> Result<Secret<N>, Error> {
    let [first, second] = context;
    let epoch = epoch.to_be_bytes();
    Ok(entropy.derive(purpose, &[root.expose(), &epoch, first, second])?)
}

#[cfg(test)]
mod tests;

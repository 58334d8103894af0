//! What a message takes along of the exchange, and how long that makes it (SPEC §10.6).

use super::authenticator::Authenticator;
use super::ct_side::{Ct1Sampled, Encapsulation};
use super::ek_side::{KeysSampled, KeysUnsampled};
use super::frame::{Outgoing, OutgoingRun, room};
use super::object::Object;
use super::progress::Cursor;
use super::{Braid, EpochRoot, EpochSeeds, Live, State, draw};
use crate::crypto::hedge::Entropy;
use crate::crypto::labels::purpose;
use crate::padding::padded_length;
use crate::ratchet::Error;
use crate::ratchet::limits::PADDED_MAX;

/// What one message carries, computed before anything changes.
pub(crate) struct Placement {
    /// Length of the padded content.
    pub(crate) padded: usize,
    /// Symbols.
    count: u8,
    /// Whether there was no room for any; `None` without an object to send.
    starved: Option<bool>,
    sampled: Option<Sampled>,
}

/// The object did not exist before this message.
enum Sampled {
    Keys(KeysSampled),
    Ct1 {
        state: Ct1Sampled,
        authenticator: Authenticator,
        root: EpochRoot,
        seeds: EpochSeeds,
    },
}

impl Braid {
    /// Computes again what follows from the stored seeds and is not stored. Changes nothing that can be seen.
    pub(crate) fn prepare(&mut self) {
        let Self::Live(live) = self else {
            return;
        };
        match &mut live.state {
            State::HeaderSent(state) => state.vector.prepare(&state.seed),
            State::Ct1Received(state) => state.vector.prepare(&state.seed),
            State::Ct1Sampled(state) => state.ct1.prepare(&state.key, &state.m),
            _ => {}
        }
    }

    /// Decides what goes with `content` bytes of text and frame, and draws what is due.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Rng`]; nothing has changed.
    pub(crate) fn place(
        &self,
        content: usize,
        entropy: &mut impl Entropy,
    ) -> Result<Placement, Error> {
        let padded = padded_length(content).ok_or(Error::TooLong)?;
        let mut placement = Placement {
            padded,
            count: 0,
            starved: None,
            sampled: None,
        };
        let Self::Live(live) = self else {
            return Ok(placement);
        };
        let Some(object) = live.state.sends() else {
            return Ok(placement);
        };
        let cursor = live.state.cursor().copied().unwrap_or_default();
        let fit = Fit {
            content,
            padded,
            object,
            cursor,
        };
        (placement.padded, placement.count) = fit.decide(live.starved);
        placement.starved = Some(placement.count == 0 && fit.room(placement.padded) == 0);
        if placement.count > 0 {
            placement.sampled = live.sample(entropy)?;
        }
        Ok(placement)
    }

    /// The frame of `placement`. [`prepare`](Self::prepare) was called before.
    pub(crate) fn outgoing<'a>(&'a self, placement: &'a Placement, delta: bool) -> Outgoing<'a> {
        let Self::Live(live) = self else {
            return Outgoing {
                ack: false,
                delta,
                run: None,
            };
        };
        let source = match &placement.sampled {
            Some(Sampled::Keys(state)) => Some((Object::Header, state.header.as_slice())),
            Some(Sampled::Ct1 { state, .. }) => Some((Object::Ct1, state.ct1.bytes())),
            None => live.state.object(),
        };
        let first = live.state.cursor().map_or(0, |cursor| cursor.next);
        let run = source
            .filter(|_| placement.count > 0)
            .map(|(object, bytes)| OutgoingRun {
                object,
                bytes,
                first,
                count: placement.count,
            });
        Outgoing {
            ack: live.state.acknowledges(),
            delta,
            run,
        }
    }

    /// Takes over that the message exists. Gives the seeds of our own epoch, if they came to be with it.
    pub(crate) fn placed(&mut self, placement: Placement) -> Option<EpochSeeds> {
        let Self::Live(live) = self else {
            return None;
        };
        let mut emitted = None;
        match placement.sampled {
            Some(Sampled::Keys(state)) => live.state = State::KeysSampled(state),
            Some(Sampled::Ct1 {
                state,
                authenticator,
                root,
                seeds,
            }) => {
                live.state = State::Ct1Sampled(state);
                live.authenticator = authenticator;
                live.root = root;
                emitted = Some(seeds);
            }
            None => {}
        }
        if let Some(starved) = placement.starved {
            live.starved = starved;
        }
        if let Some(cursor) = live.state.cursor_mut() {
            cursor.next = cursor.next.wrapping_add(u16::from(placement.count));
            cursor.placed = cursor.placed.saturating_add(placement.count);
        }
        emitted
    }

    /// `S` of our own direction and of the peer's, from those of initiator and responder.
    pub(crate) fn directions(
        &self,
        seeds: EpochSeeds,
    ) -> (crate::crypto::Secret<32>, crate::crypto::Secret<32>) {
        let EpochSeeds {
            initiator,
            responder,
        } = seeds;
        match self {
            Self::Live(live) if live.is_initiator() => (initiator, responder),
            _ => (responder, initiator),
        }
    }
}

/// Bytes by which a message may become longer without the one before having waited.
const SMALL_STEP: usize = 64;

/// What length and number of symbols are decided by.
struct Fit {
    /// Bytes of the text and of the shortest frame.
    content: usize,
    /// Their padded length.
    padded: usize,
    object: Object,
    cursor: Cursor,
}

impl Fit {
    /// Symbols that `padded` bytes have room for.
    const fn room(&self, padded: usize) -> usize {
        room(padded.saturating_sub(self.content))
    }

    /// SPEC §10.6-R1 and R2.
    fn decide(&self, starved: bool) -> (usize, u8) {
        if self.room(self.padded) == 0
            && self.cursor.placed < self.object.worth_a_step()
            && let Some(longer) = padded_length(self.padded.saturating_add(1))
            && longer <= PADDED_MAX
            && (starved || longer.saturating_sub(self.padded) <= SMALL_STEP)
        {
            return (longer, self.symbols(longer));
        }
        (self.padded, self.symbols(self.padded))
    }

    fn symbols(&self, padded: usize) -> u8 {
        let left = self
            .object
            .most_in_a_chain()
            .saturating_sub(self.cursor.placed);
        let before_wrap = (1usize << 16).saturating_sub(usize::from(self.cursor.next));
        let limit = usize::from(self.object.most_in_a_message().min(left)).min(before_wrap);
        // The limit is a u8.
        u8::try_from(self.room(padded).min(limit)).unwrap_or(u8::MAX)
    }
}

impl Live {
    /// What has to be drawn before the first symbol of an object goes out.
    fn sample(&self, entropy: &mut impl Entropy) -> Result<Option<Sampled>, Error> {
        match &self.state {
            State::KeysUnsampled(KeysUnsampled) => {
                let context: [&[u8]; 2] = [&[], &[]];
                let seed = draw(
                    purpose::BRAID_SEED,
                    &self.root,
                    self.epoch,
                    &context,
                    entropy,
                )?;
                let state = KeysUnsampled::sample(seed, self.epoch, &self.authenticator);
                Ok(Some(Sampled::Keys(state)))
            }
            State::HeaderReceived(received) => {
                let context: [&[u8]; 2] = [&received.key.seed, &received.key.hash];
                let m = draw(purpose::BRAID_M, &self.root, self.epoch, &context, entropy)?;
                let Encapsulation {
                    state,
                    secret,
                    authenticator,
                } = received.sample(m, self.epoch, &self.authenticator);
                let (root, seeds) = self.root.step(self.epoch, &secret);
                Ok(Some(Sampled::Ct1 {
                    state,
                    authenticator,
                    root,
                    seeds,
                }))
            }
            _ => Ok(None),
        }
    }
}

impl State {
    /// The object that messages carry, also one that is drawn with its first symbol.
    const fn sends(&self) -> Option<Object> {
        match self {
            Self::KeysUnsampled(_) | Self::KeysSampled(_) => Some(Object::Header),
            Self::HeaderSent(_) | Self::Ct1Received(_) => Some(Object::Vector),
            Self::HeaderReceived(_) | Self::Ct1Sampled(_) | Self::EkReceivedCt1Sampled(_) => {
                Some(Object::Ct1)
            }
            Self::Ct2Sampled(_) => Some(Object::Ct2),
            Self::EkSentCt1Received(_) | Self::NoHeaderReceived(_) | Self::Ct1Acknowledged(_) => {
                None
            }
        }
    }

    /// The object with its bytes, if it exists.
    fn object(&self) -> Option<(Object, &[u8])> {
        let bytes: &[u8] = match self {
            Self::KeysSampled(state) => &state.header,
            Self::HeaderSent(state) => state.vector.bytes(),
            Self::Ct1Received(state) => state.vector.bytes(),
            Self::Ct1Sampled(state) => state.ct1.bytes(),
            Self::EkReceivedCt1Sampled(state) => state.ct1.as_slice(),
            Self::Ct2Sampled(state) => state.ct2.as_slice(),
            _ => return None,
        };
        Some((self.sends()?, bytes))
    }

    /// Whether the state tells the peer that ct1 is there.
    const fn acknowledges(&self) -> bool {
        matches!(self, Self::Ct1Received(_) | Self::EkSentCt1Received(_))
    }

    pub(super) const fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::KeysSampled(state) => Some(&state.cursor),
            Self::HeaderSent(state) => Some(&state.cursor),
            Self::Ct1Received(state) => Some(&state.cursor),
            Self::Ct1Sampled(state) => Some(&state.cursor),
            Self::EkReceivedCt1Sampled(state) => Some(&state.cursor),
            Self::Ct2Sampled(state) => Some(&state.cursor),
            _ => None,
        }
    }

    pub(super) const fn cursor_mut(&mut self) -> Option<&mut Cursor> {
        match self {
            Self::KeysSampled(state) => Some(&mut state.cursor),
            Self::HeaderSent(state) => Some(&mut state.cursor),
            Self::Ct1Received(state) => Some(&mut state.cursor),
            Self::Ct1Sampled(state) => Some(&mut state.cursor),
            Self::EkReceivedCt1Sampled(state) => Some(&mut state.cursor),
            Self::Ct2Sampled(state) => Some(&mut state.cursor),
            _ => None,
        }
    }
}

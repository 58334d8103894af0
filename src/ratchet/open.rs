//! Opening a message: find the key that the tag names, open the header, bound the work, derive on copies, open the
//! body, and only then change the state (SPEC §9.4).

use alloc::vec::Vec;

use super::braid::{self, Outcome};
use super::chain::{ClosedChain, ReceivingChain, Skip, require_reach};
use super::epochs::{SeedStep, Seeds};
use super::limits::GAP_MAX;
use super::message::{Binding, Header, OpenedBody, open_body, open_header};
use super::stored_keys::StoredKeys;
use super::{
    ChainKeys, Error, Frame, HeaderKey, InitialKeys, Quantum, Ratchet, RootKey, TAG, Turn,
};
use crate::crypto::SharedSecret;
use crate::crypto::dh::{DhKeyPair, DhPoint, DhPublic};
use crate::crypto::hash;
use crate::envelope::ENVELOPE;
use crate::memory;

/// What the app should know about a message besides its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// The peer's new chain counts fewer messages in its last chain than were read of it: the peer was set back
    /// to an older state. Begin anew.
    pub forked: bool,
    /// The peer's new chain counts over 2,000 messages of its last chain that have not arrived; their keys were
    /// not kept.
    pub gap_dropped: bool,
    /// The post-quantum exchange went wrong with this message: no new secrets come of it. Begin anew.
    pub pq_broken: bool,
}

/// A message opened.
pub struct Opening {
    /// The text.
    pub text: Vec<u8>,
    /// What came with it.
    pub notices: Notices,
}

/// A chain of a state whose header key has the tag of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// The peer's present chain.
    Current,
    /// The peer's next chain.
    Next,
    /// The closed chain at this position.
    Closed(usize),
}

impl Ratchet {
    /// Every chain, with its tag. The tags are what an index of conversations is made of.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (Candidate, &[u8; TAG])> {
        let current = self
            .receiving
            .iter()
            .map(|chain| (Candidate::Current, chain.header_key.tag()));
        let next = core::iter::once((Candidate::Next, self.next_header_key.tag()));
        let closed = self
            .closed
            .iter()
            .enumerate()
            .map(|(position, chain)| (Candidate::Closed(position), chain.header_key.tag()));
        current.chain(next).chain(closed)
    }

    /// Tries the header key of `candidate`: `None` if the header does not open under it.
    pub(crate) fn open_header(
        &self,
        candidate: Candidate,
        envelope: [u8; ENVELOPE],
        frame: &Frame<'_>,
        body_hash: &[u8; hash::HASH],
    ) -> Option<Result<Header, Error>> {
        let header_key = match candidate {
            Candidate::Current => &self.receiving.as_ref()?.header_key,
            Candidate::Next => &self.next_header_key,
            Candidate::Closed(position) => &self.closed.get(position)?.header_key,
        };
        open_header(self.binding(envelope), header_key, frame, body_hash)
    }

    /// Opens the message whose header was opened as `candidate`. On error the state is what it was.
    pub(crate) fn open(
        &mut self,
        candidate: Candidate,
        header: &Header,
        envelope: [u8; ENVELOPE],
        frame: &Frame<'_>,
    ) -> Result<Opening, Error> {
        match candidate {
            Candidate::Current => self.open_current(header, envelope, frame),
            Candidate::Closed(position) => self.open_closed(position, header, envelope, frame),
            Candidate::Next => self.open_next(header, envelope, frame),
        }
    }

    const fn binding(&self, envelope: [u8; ENVELOPE]) -> Binding<'_> {
        Binding {
            session_id: &self.session_id,
            envelope,
        }
    }

    /// A message of the peer's present chain (SPEC §9.4-R4 to R6).
    fn open_current(
        &mut self,
        header: &Header,
        envelope: [u8; ENVELOPE],
        frame: &Frame<'_>,
    ) -> Result<Opening, Error> {
        let binding = Binding {
            session_id: &self.session_id,
            envelope,
        };
        let chain = self.receiving.as_mut().ok_or(Error::Malformed)?;
        if header.public != self.peer_public || header.epoch != chain.epoch {
            return Err(Error::Forked);
        }
        let body = if header.number < chain.number {
            let Some(key) = chain.keys.get(header.number) else {
                return Err(chain.window.judge(header.number, chain.number, frame.salt));
            };
            let body = open_body(binding, key, header, frame)?;
            chain.use_stored(header.number, frame.salt);
            body
        } else {
            require_reach(header.number, chain.number)?;
            let skip = chain.skip_to(header.number);
            let (key, next) = skip.chain_keys.step();
            let body = open_body(binding, &key, header, frame)?;
            chain.advance(skip, next, header.number, frame.salt);
            body
        };
        Ok(self.deliver(body, header, Notices::default()))
    }

    /// A late message of a closed chain (SPEC §9.4-R7).
    fn open_closed(
        &mut self,
        position: usize,
        header: &Header,
        envelope: [u8; ENVELOPE],
        frame: &Frame<'_>,
    ) -> Result<Opening, Error> {
        let binding = Binding {
            session_id: &self.session_id,
            envelope,
        };
        let chain = self.closed.get_mut(position).ok_or(Error::Malformed)?;
        if header.public != chain.public || header.epoch != chain.epoch {
            return Err(Error::Forked);
        }
        let key = chain.keys.get(header.number).ok_or(Error::Duplicate)?;
        let body = open_body(binding, key, header, frame)?;
        chain.keys.remove(header.number);
        Ok(self.deliver(body, header, Notices::default()))
    }

    /// The first message of a new chain of the peer (SPEC §9.4-R3).
    fn open_next(
        &mut self,
        header: &Header,
        envelope: [u8; ENVELOPE],
        frame: &Frame<'_>,
    ) -> Result<Opening, Error> {
        let Turn::Theirs { own, root, sending } = &self.turn else {
            // The peer answers to a key of ours that this state has not made: we are the copy.
            return Err(Error::Forked);
        };
        if header.public == self.peer_public {
            return Err(Error::Malformed);
        }
        let seeds = self.quantum.peer().ok_or(Error::Forked)?;
        let step = NewChain::open(
            self.binding(envelope),
            &self.next_header_key,
            root,
            own,
            seeds,
            header,
            frame,
        )?;
        let (closing, notices) = self.closing_keys(header.previous_count);

        let next_turn = match sending {
            Some(chain) => Turn::Ours {
                root: step.root,
                next_header_key: chain.next_header_key.duplicate(),
                previous_count: chain.number,
            },
            None => Turn::Ended,
        };
        if let Some(chain) = self.receiving.take() {
            memory::push(&mut self.closed, chain.close(self.peer_public, closing));
        }
        self.receiving = Some(step.chain);
        self.peer_public = header.public;
        self.peer_point = Some(step.point);
        self.next_header_key = step.next_header_key;
        self.turn = next_turn;
        self.quantum.open_chain(step.seed_step);
        Ok(self.deliver(step.body, header, notices))
    }

    /// Hands the frame to the Braid, now that everything else is taken over (SPEC §10.7). It never costs the text.
    fn deliver(&mut self, body: OpenedBody, header: &Header, mut notices: Notices) -> Opening {
        let highest = match &self.turn {
            Turn::Theirs {
                sending: Some(chain),
                ..
            } => chain.epoch.saturating_add(2),
            Turn::Theirs { sending: None, .. } | Turn::Ours { .. } | Turn::Ended => u32::MAX,
        };
        if let Some(frame) = body.frame() {
            notices.pq_broken = self.quantum.receive(header.epoch, &frame, highest);
        }
        Opening {
            text: body.into_text(),
            notices,
        }
    }

    /// The keys that the present chain still owes when it is closed at `previous_count` (SPEC §9.5-R3).
    fn closing_keys(&self, previous_count: u32) -> (StoredKeys, Notices) {
        let mut notices = Notices::default();
        let Some(chain) = &self.receiving else {
            return (StoredKeys::new(), notices);
        };
        notices.forked = previous_count < chain.number;
        notices.gap_dropped = previous_count.saturating_sub(chain.number) > GAP_MAX;
        if notices.forked || notices.gap_dropped {
            return (StoredKeys::new(), notices);
        }
        (chain.skip_to(previous_count).skipped, notices)
    }

    /// The responder's state, from the first message of the initiator's first chain (SPEC §9.2-R2): `None` if the
    /// header does not open.
    pub(crate) fn respond(
        shared: &SharedSecret,
        signed_prekey: &DhKeyPair,
        envelope: [u8; ENVELOPE],
        frame: &Frame<'_>,
    ) -> Result<(Self, Opening), Error> {
        let initial = InitialKeys::new(shared);
        let binding = Binding {
            session_id: &shared.session_id,
            envelope,
        };
        if initial.initiator.tag() != frame.tag {
            return Err(Error::Malformed);
        }
        let body_hash = hash::sha256(&[frame.body]);
        let header = open_header(binding, &initial.initiator, frame, &body_hash)
            .ok_or(Error::Malformed)??;
        let mut quantum = initial.quantum(false);
        let step = NewChain::open(
            binding,
            &initial.initiator,
            &initial.root,
            signed_prekey,
            quantum.peer().ok_or(Error::Malformed)?,
            &header,
            frame,
        )
        // There is nothing yet that the message could contradict.
        .map_err(|error| match error {
            Error::Forked => Error::Malformed,
            other => other,
        })?;
        quantum.open_chain(step.seed_step);
        let mut ratchet = Self {
            session_id: shared.session_id,
            peer_public: header.public,
            peer_point: Some(step.point),
            next_header_key: step.next_header_key,
            receiving: Some(step.chain),
            closed: Vec::new(),
            turn: Turn::Ours {
                root: step.root,
                next_header_key: initial.responder,
                previous_count: 0,
            },
            quantum,
        };
        let opening = ratchet.deliver(step.body, &header, Notices::default());
        Ok((ratchet, opening))
    }
}

impl Quantum {
    /// Takes over that the peer began a chain: the seeds' step, and that the next chain is ours.
    fn open_chain(&mut self, step: SeedStep) {
        match self {
            Self::Whole { peer, braid, .. } => {
                peer.take(step);
                braid.end_chain();
            }
            // It was the last one.
            Self::Receiving { .. } => *self = Self::Ended,
            Self::Ended => {}
        }
    }

    /// Whether the frame of a message in a chain of `epoch` broke the exchange.
    fn receive(&mut self, epoch: u32, frame: &braid::Frame<'_>, highest: u32) -> bool {
        let Self::Whole { braid, .. } = self else {
            return false;
        };
        let epoch = epoch.saturating_add(1).saturating_add(frame.delta);
        match braid.receive(epoch, frame, highest) {
            Outcome::Quiet => false,
            Outcome::Emitted(seeds) => {
                self.emit(seeds);
                false
            }
            Outcome::Broke => true,
        }
    }
}

/// Everything that a new chain of the peer brings, computed before anything changes.
struct NewChain {
    root: RootKey,
    chain: ReceivingChain,
    next_header_key: HeaderKey,
    seed_step: SeedStep,
    /// The peer's new key, prepared.
    point: DhPoint,
    body: OpenedBody,
}

impl NewChain {
    fn open(
        binding: Binding<'_>,
        header_key: &HeaderKey,
        root: &RootKey,
        own: &DhKeyPair,
        seeds: &Seeds,
        header: &Header,
        frame: &Frame<'_>,
    ) -> Result<Self, Error> {
        require_other(&header.public, own.public())?;
        if !(seeds.first()..=seeds.last()).contains(&header.epoch) {
            return Err(Error::Forked);
        }
        require_reach(header.number, 0)?;
        // Only now, so that a number out of reach costs nothing.
        let (quantum, seed_step) = seeds.open(header.epoch).ok_or(Error::Forked)?;
        let point = DhPoint::new(&header.public);
        let step = root.step(&own.agree_at(&point)?);
        let keys = ChainKeys {
            classical: step.chain_key,
            quantum,
        };
        let mut chain = ReceivingChain::begin(header_key.duplicate(), keys, header.epoch);
        let skip: Skip = chain.skip_to(header.number);
        let (key, next) = skip.chain_keys.step();
        let body = open_body(binding, &key, header, frame)?;
        chain.advance(skip, next, header.number, frame.salt);
        Ok(Self {
            root: step.root,
            chain,
            next_header_key: step.next_header_key,
            seed_step,
            point,
            body,
        })
    }
}

/// A peer that sends our own key back is not a peer.
fn require_other(public: &DhPublic, own: &DhPublic) -> Result<(), Error> {
    if public == own {
        return Err(Error::Malformed);
    }
    Ok(())
}

impl ClosedChain {
    /// Whether late messages can still be read in it.
    pub(crate) const fn is_spent(&self) -> bool {
        self.keys.is_empty()
    }
}

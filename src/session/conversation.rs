//! The conversation with one device of a peer: up to four states, one of which sends (SPEC §11).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;

use super::limits::{
    CHANGEOVER, CLOSED_CHAINS, HEADER_TRIALS, RECEIVE_ONLY, SPENT_CHAINS, STATES, STORED_KEYS,
    UNANSWERED,
};
use super::{Action, Error, Incoming};
use crate::agreement::{PREFIX, VerifiedBundle, initiate, limits::CREATED_AT_MAX};
use crate::crypto::TryCryptoRng;
use crate::crypto::hash::sha256;
use crate::crypto::hedge::{Entropy, Hedged};
use crate::envelope::Kind;
use crate::identity::{DeviceIdentity, Identity};
use crate::memory;
use crate::ratchet::{Candidate, Notices, Opening, Ratchet, TAG, Turn};

/// A message read.
#[derive(PartialEq, Eq)]
pub struct Opened {
    /// The text.
    pub text: Vec<u8>,
    /// The peer was set back to an older state of itself (SPEC §9.5-R3).
    pub forked: bool,
    /// Over 2,000 messages of the peer's last chain are missing, and were given up.
    pub gap_dropped: bool,
    /// The post-quantum exchange went wrong with this message: no new secrets come of it (SPEC §10.7).
    pub pq_broken: bool,
    /// The message came in a state that no longer sends.
    pub old_state: bool,
    /// What to do: [`Action::Nothing`] or [`Action::BeginAnew`].
    pub action: Action,
}

/// What a state that we began needs until the peer answers.
pub(super) struct Unanswered {
    /// Goes in front of every message.
    pub(super) prefix: Box<[u8; PREFIX]>,
    /// The last moment to send it, Unix milliseconds.
    pub(super) deadline: u64,
}

/// How a state came to be.
pub(super) enum Origin {
    /// We began; `None` once the peer has answered, or the state is receive-only.
    Initiator { unanswered: Option<Unanswered> },
    /// The peer began; what names its first messages.
    Responder {
        first_id: [u8; 16],
        prefix_hash: [u8; 16],
    },
}

/// Whether a state sends.
pub(super) enum Standing {
    Sending,
    ReceiveOnly {
        /// Unix milliseconds.
        since: u64,
        /// Unix milliseconds.
        last_used: u64,
        /// A message was read in it more than a day after `since`.
        late: bool,
    },
}

/// One state of a conversation.
pub(super) struct State {
    pub(super) created_at: u64,
    pub(super) origin: Origin,
    pub(super) standing: Standing,
    pub(super) ratchet: Ratchet,
}

impl State {
    /// The state with the greatest rank sends, on both sides alike (SPEC §11.3-R1).
    pub(super) const fn rank(&self) -> (u64, Reverse<[u8; 32]>) {
        (self.created_at, Reverse(self.ratchet.session_id))
    }

    /// A state of which the first message was opened.
    pub(super) fn responder(
        incoming: &Incoming<'_>,
        created_at: u64,
        ratchet: Ratchet,
    ) -> Option<Self> {
        let first = incoming.first.as_ref()?;
        Some(Self {
            created_at,
            origin: Origin::Responder {
                first_id: first.prefix.first_id(),
                prefix_hash: first.hash(),
            },
            standing: Standing::Sending,
            ratchet,
        })
    }

    fn is_live(&self, now: u64) -> bool {
        match self.standing {
            Standing::Sending => true,
            Standing::ReceiveOnly { last_used, .. } => now < last_used.saturating_add(RECEIVE_ONLY),
        }
    }

    /// SPEC §11.3-R4: nothing that sending needs is kept.
    fn stop_sending(&mut self, now: u64) {
        if matches!(self.standing, Standing::Sending) {
            self.ratchet.stop_sending();
            if let Origin::Initiator { unanswered } = &mut self.origin {
                *unanswered = None;
            }
            self.standing = Standing::ReceiveOnly {
                since: now,
                last_used: now,
                late: false,
            };
        }
    }

    /// Takes note of a message opened in this state: whether it is an old one, and whether to begin anew.
    fn opened(&mut self, now: u64) -> (bool, bool) {
        if let Origin::Initiator { unanswered } = &mut self.origin {
            *unanswered = None;
        }
        match &mut self.standing {
            Standing::Sending => (false, false),
            Standing::ReceiveOnly {
                since,
                last_used,
                late,
            } => {
                *last_used = now.max(*last_used);
                let is_late = now > since.saturating_add(CHANGEOVER);
                let begin_anew = is_late && *late;
                *late |= is_late;
                (true, begin_anew)
            }
        }
    }
}

/// The conversation with one device.
///
/// A plain value. Store it ([`export`](super::export)) after every call that changed it and *before* what the call
/// returned is sent or shown: then a crash loses nothing and repeats nothing.
pub struct Conversation {
    /// Whom it is pinned to.
    pub(super) peer: Identity,
    /// The greatest `created_at` used or seen; 0 if none.
    pub(super) last_created_at: u64,
    /// By ascending rank; only the last one may send.
    pub(super) states: Vec<State>,
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // Secrets are overwritten where they are; a state also has bytes where they were.
        memory::clear(&mut self.states);
    }
}

impl Conversation {
    /// A conversation without messages. **This pins the identity**: the caller says that it belongs to the address.
    #[must_use]
    pub const fn new(peer: Identity) -> Self {
        Self {
            peer,
            last_created_at: 0,
            states: Vec::new(),
        }
    }

    /// Whom the conversation is pinned to.
    #[must_use]
    pub const fn peer(&self) -> &Identity {
        &self.peer
    }

    /// Whether [`seal`](Self::seal) has a state to send in; if not, [`begin`](Self::begin).
    #[must_use]
    pub fn can_send(&self) -> bool {
        self.sending().is_some()
    }

    /// Whether the peer has answered in the state that sends: until then every message is a first message.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.sending().is_some_and(|state| {
            !matches!(
                state.origin,
                Origin::Initiator {
                    unanswered: Some(_)
                }
            )
        })
    }

    /// The epoch of the post-quantum exchange, in the state that sends: it grows with every new secret (SPEC §10).
    #[must_use]
    pub fn pq_epoch(&self) -> Option<u32> {
        self.sending().and_then(|state| state.ratchet.pq_epoch())
    }

    /// Begins the conversation, or begins it anew: a fresh agreement, in which every later message is sent. Older
    /// states only read from now on.
    ///
    /// # Errors
    /// [`Error::IdentityChanged`] if the bundle is not the pinned identity's, [`Error::StaleBundle`] if it has expired
    /// since it was verified, [`Error::OwnIdentity`], [`Error::Malformed`], [`Error::Rng`]; the state is what it was.
    pub fn begin(
        &mut self,
        device: &DeviceIdentity,
        bundle: &VerifiedBundle,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(), Error> {
        self.begin_with(device, bundle, now, &mut Hedged::new(device.hedge(), rng))
    }

    pub(crate) fn begin_with(
        &mut self,
        device: &DeviceIdentity,
        bundle: &VerifiedBundle,
        now: u64,
        entropy: &mut impl Entropy,
    ) -> Result<(), Error> {
        if *bundle.identity() != self.peer {
            return Err(Error::IdentityChanged);
        }
        bundle.require_current(now)?;
        let created_at = now
            .max(self.last_created_at.saturating_add(1))
            .min(CREATED_AT_MAX);
        let initiation = initiate(device, bundle, created_at, entropy)?;
        let ratchet = Ratchet::initiate(
            &initiation.shared,
            initiation.ratchet_key,
            &initiation.ratchet_point,
            entropy,
        )?;
        let state = State {
            created_at,
            origin: Origin::Initiator {
                unanswered: Some(Unanswered {
                    prefix: initiation.prefix,
                    // SPEC §11.3-R6
                    deadline: now.saturating_add(UNANSWERED).min(bundle.not_after()),
                }),
            },
            standing: Standing::Sending,
            ratchet,
        };
        self.add(state, now);
        Ok(())
    }

    /// Encrypts `text`, at most 1,032,187 bytes.
    ///
    /// # Errors
    /// [`Error::NoSession`] before the conversation is begun; [`Error::Unanswered`] and [`Error::ChainExhausted`]
    /// when it must be begun anew; [`Error::TooLong`], [`Error::Rng`]; the state is what it was.
    pub fn seal(
        &mut self,
        device: &DeviceIdentity,
        text: &[u8],
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, Error> {
        self.seal_with(text, now, &mut Hedged::new(device.hedge(), rng))
    }

    pub(crate) fn seal_with(
        &mut self,
        text: &[u8],
        now: u64,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, Error> {
        let state = self
            .states
            .last_mut()
            .filter(|state| matches!(state.standing, Standing::Sending))
            .ok_or(Error::NoSession)?;
        let header = Kind::Message.header();
        let prefix: &[u8] = match &state.origin {
            Origin::Initiator {
                unanswered: Some(unanswered),
            } => {
                // SPEC §11.3-R6
                if now > unanswered.deadline {
                    return Err(Error::Unanswered);
                }
                unanswered.prefix.as_slice()
            }
            _ => &header,
        };
        let message = state.ratchet.seal(prefix, text, entropy)?;
        self.expire(now);
        Ok(message)
    }

    /// Decrypts a message of this conversation. A first message is read here only if it repeats one that was
    /// accepted; else it is for [`StagedFirst::stage`](super::StagedFirst::stage).
    ///
    /// # Errors
    /// [`Error::NoSession`], [`Error::Malformed`], [`Error::Duplicate`], [`Error::Forked`],
    /// [`Error::GapTooLarge`], [`Error::ChainExhausted`]; the state is bit for bit what it was.
    pub fn open(&mut self, message: &Incoming<'_>, now: u64) -> Result<Opened, Error> {
        let (position, opening) = self.open_in_state(message, now)?;
        let (old_state, late) = self
            .states
            .get_mut(position)
            .map_or((false, false), |state| state.opened(now));
        self.expire(now);
        self.enforce_limits();
        Ok(Opened::new(opening.text, opening.notices, old_state, late))
    }

    /// The one look at the tags, the one trial of a header key, and the message in its state.
    fn open_in_state(
        &mut self,
        message: &Incoming<'_>,
        now: u64,
    ) -> Result<(usize, Opening), Error> {
        let only = self.repeated_first(message, now)?;
        let mut candidates: [Option<(usize, Candidate)>; HEADER_TRIALS] = [None; HEADER_TRIALS];
        let matching = self
            .states
            .iter()
            .enumerate()
            .filter(|(position, state)| {
                state.is_live(now) && only.is_none_or(|only| only == *position)
            })
            .flat_map(|(position, state)| {
                state
                    .ratchet
                    .tags()
                    .filter(|(_, tag)| *tag == message.tag())
                    .map(move |(candidate, _)| (position, candidate))
            });
        for (slot, found) in candidates.iter_mut().zip(matching) {
            *slot = Some(found);
        }
        if candidates.iter().all(Option::is_none) {
            return Err(Error::NoSession);
        }
        let frame = &message.frame;
        let body_hash = sha256(&[frame.body]);
        for (position, candidate) in candidates.into_iter().flatten() {
            let Some(state) = self.states.get_mut(position) else {
                continue;
            };
            let ratchet = &mut state.ratchet;
            let Some(header) =
                ratchet.open_header(candidate, message.envelope(), frame, &body_hash)
            else {
                continue;
            };
            let opening = ratchet.open(candidate, &header?, message.envelope(), frame)?;
            return Ok((position, opening));
        }
        Err(Error::Malformed)
    }

    /// The position of the state that a first message repeats; `None` for an ordinary message (SPEC §11.2-R2).
    fn repeated_first(&self, message: &Incoming<'_>, now: u64) -> Result<Option<usize>, Error> {
        let Some(first) = &message.first else {
            return Ok(None);
        };
        let id = first.prefix.first_id();
        for (position, state) in self.states.iter().enumerate() {
            if let Origin::Responder {
                first_id,
                prefix_hash,
            } = &state.origin
                && *first_id == id
                && state.is_live(now)
            {
                return if *prefix_hash == first.hash() {
                    Ok(Some(position))
                } else {
                    Err(Error::Malformed)
                };
            }
        }
        Err(Error::NoSession)
    }

    /// Adds a state and decides anew which one sends (SPEC §11.3). Of five states the lowest goes, be it the new one:
    /// so both sides keep the same four, whatever the order of arrival.
    pub(super) fn add(&mut self, state: State, now: u64) {
        self.expire(now);
        self.last_created_at = self.last_created_at.max(state.created_at);
        let position = self
            .states
            .partition_point(|other| other.rank() < state.rank());
        memory::insert(&mut self.states, position, state);
        let best = self.states.len().saturating_sub(1);
        for state in self.states.iter_mut().take(best) {
            state.stop_sending(now);
        }
        if self.states.len() > STATES {
            memory::remove(&mut self.states, 0);
        }
        self.enforce_limits();
    }

    /// Deletes receive-only states that were not used for 30 days. Every successful call does it as well.
    pub fn expire(&mut self, now: u64) {
        memory::retain(&mut self.states, |state| state.is_live(now));
    }

    /// Whether a message can be sealed only after the conversation was begun, or begun anew: no state sends, it was not
    /// answered for too long, or its chain has no further number.
    #[must_use]
    pub fn must_begin(&self, now: u64) -> bool {
        self.sending().is_none_or(|state| {
            let late = matches!(
                &state.origin,
                Origin::Initiator { unanswered: Some(unanswered) } if now > unanswered.deadline
            );
            late || state.ratchet.is_exhausted()
        })
    }

    /// Makes every state receive-only, for a device that was set back to an older state of itself (SPEC §19.6): the next
    /// message needs [`begin`](Self::begin).
    pub fn stop_sending(&mut self, now: u64) {
        for state in &mut self.states {
            state.stop_sending(now);
        }
    }

    /// Whether the next message sealed begins a chain: the peer has read one of the chain before.
    pub(crate) fn begins_chain(&self) -> bool {
        self.sending()
            .is_some_and(|state| matches!(state.ratchet.turn, Turn::Ours { .. }))
    }

    /// Whether some state became receive-only within the last day: messages of it may still be under way.
    pub(crate) fn has_changed_over(&self, now: u64) -> bool {
        self.states.iter().any(|state| match state.standing {
            Standing::Sending => false,
            Standing::ReceiveOnly { since, .. } => now < since.saturating_add(CHANGEOVER),
        })
    }

    /// Whether a message has a tag of the state that sends.
    pub(crate) fn is_of_sending_state(&self, message: &Incoming<'_>) -> bool {
        self.sending()
            .is_some_and(|state| state.ratchet.tags().any(|(_, tag)| tag == message.tag()))
    }

    /// The tags under which messages of this conversation arrive: at most 24.
    pub fn tags(&self) -> impl Iterator<Item = &[u8; TAG]> {
        self.states
            .iter()
            .flat_map(|state| state.ratchet.tags().map(|(_, tag)| tag))
    }

    /// `H(EK)[..16]` of the first messages that began a state of this conversation.
    pub fn first_ids(&self) -> impl Iterator<Item = &[u8; 16]> {
        self.states.iter().filter_map(|state| match &state.origin {
            Origin::Responder { first_id, .. } => Some(first_id),
            Origin::Initiator { .. } => None,
        })
    }

    /// Whether the state with this session id is the one that sends.
    pub(super) fn sends_in(&self, session_id: &[u8; 32]) -> bool {
        self.sending()
            .is_some_and(|state| state.ratchet.session_id == *session_id)
    }

    fn sending(&self) -> Option<&State> {
        self.states
            .last()
            .filter(|state| matches!(state.standing, Standing::Sending))
    }

    /// SPEC §11.4: message keys first, then closed chains, the oldest of each.
    fn enforce_limits(&mut self) {
        let held: usize = self
            .states
            .iter()
            .map(|state| state.ratchet.stored_keys())
            .sum();
        let mut excess = held.saturating_sub(STORED_KEYS);
        for state in &mut self.states {
            excess = excess.saturating_sub(state.ratchet.forget_keys(excess));
        }
        let spent = self.count_closed(true);
        self.forget_closed(spent.saturating_sub(SPENT_CHAINS), true);
        let all = self.count_closed(false);
        let excess = all.saturating_sub(CLOSED_CHAINS);
        let spent = self.count_closed(true).min(excess);
        self.forget_closed(spent, true);
        self.forget_closed(excess.saturating_sub(spent), false);
    }

    fn count_closed(&self, only_spent: bool) -> usize {
        self.states
            .iter()
            .flat_map(|state| &state.ratchet.closed)
            .filter(|chain| !only_spent || chain.is_spent())
            .count()
    }

    /// Deletes the `count` oldest closed chains, among those without keys or among all.
    fn forget_closed(&mut self, count: usize, only_spent: bool) {
        let mut left = count;
        for state in &mut self.states {
            memory::retain(&mut state.ratchet.closed, |chain| {
                let forget = left > 0 && (!only_spent || chain.is_spent());
                left = left.saturating_sub(usize::from(forget));
                !forget
            });
        }
    }
}

impl Opened {
    pub(super) fn new(text: Vec<u8>, notices: Notices, old_state: bool, late: bool) -> Self {
        let Notices {
            forked,
            gap_dropped,
            pq_broken,
        } = notices;
        Self {
            text,
            forked,
            gap_dropped,
            pq_broken,
            old_state,
            action: if forked || pq_broken || late {
                Action::BeginAnew
            } else {
                Action::Nothing
            },
        }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            text,
            forked,
            gap_dropped,
            pq_broken,
            old_state,
            action,
        } = self;
        f.debug_struct("Opened")
            .field("text", &format_args!("{} bytes", text.len()))
            .field("forked", forked)
            .field("gap_dropped", gap_dropped)
            .field("pq_broken", pq_broken)
            .field("old_state", old_state)
            .field("action", action)
            .finish()
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            peer,
            last_created_at,
            states,
        } = self;
        f.debug_struct("Conversation")
            .field("peer", peer)
            .field("last_created_at", last_created_at)
            .field("states", &states.len())
            .finish()
    }
}

//! What conversations and prekeys do, by SPEC §7, §9 and §11, with names in the place of keys: a second
//! implementation, without cryptography, that says of every genuine message what becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use subrosa::agreement::limits::{GENERATIONS, GRACE, VALIDITY};
use subrosa::ratchet::limits::{GAP_MAX, WINDOW};
use subrosa::session::limits::{
    CHANGEOVER, CLOSED_CHAINS, RECEIVE_ONLY, SPENT_CHAINS, STATES, STORED_KEYS, UNANSWERED,
};
use subrosa::{Action, Error};

/// A name that nothing else has.
pub type Name = usize;

/// A header key, and with it a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderKey {
    Initiator(Name),
    Responder(Name),
    /// The one that a chain's step of the root key gave for the chain after it.
    After(Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    Initial(Name),
    After(Name),
}

/// A ratchet key, by what it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Public {
    Prekey(Name),
    Chain(Name),
}

/// What a chain was made from.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    pub name: Name,
    header_key: HeaderKey,
    root: Root,
    answers: Public,
}

/// A numbered key and its name: after a device was set back, two keys have one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prekey {
    pub id: u32,
    pub name: Name,
}

/// One agreement.
#[derive(Clone, Debug)]
pub struct Session {
    pub name: Name,
    pub created_at: u64,
    pub responder: Name,
    pub bundle: BundleModel,
}

#[derive(Clone, Debug)]
pub struct BundleModel {
    pub owner: Name,
    signed: Prekey,
    signed_not_after: u64,
    kem: Prekey,
    kem_not_after: u64,
    one_time: Option<Prekey>,
}

impl BundleModel {
    pub fn is_stale(&self, now: u64) -> bool {
        self.not_after() <= now
    }

    fn not_after(&self) -> u64 {
        self.signed_not_after.min(self.kem_not_after)
    }
}

/// A message as the model sees it.
#[derive(Clone, Debug)]
pub struct Message {
    pub name: Name,
    /// Index of the agreement.
    pub session: Session,
    pub is_first: bool,
    chain: Chain,
    number: u32,
    previous_count: u32,
}

/// What reading a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub forked: bool,
    pub gap_dropped: bool,
    pub old_state: bool,
    pub action: Action,
}

impl Reading {
    /// The same, with the advice to begin anew.
    pub fn with_advice(self) -> Self {
        Self {
            action: Action::BeginAnew,
            ..self
        }
    }
}

/// Gives names.
#[derive(Default)]
pub struct Names(Name);

impl Names {
    pub fn next(&mut self) -> Name {
        self.0 += 1;
        self.0
    }
}

#[derive(Clone)]
struct Sending {
    chain: Chain,
    number: u32,
    previous_count: u32,
}

#[derive(Clone)]
struct Receiving {
    chain: Name,
    header_key: HeaderKey,
    number: u32,
    keys: BTreeSet<u32>,
    /// The messages read among the last 32 numbers.
    window: BTreeMap<u32, Name>,
}

#[derive(Clone)]
struct Closed {
    chain: Name,
    header_key: HeaderKey,
    keys: BTreeSet<u32>,
}

#[derive(Clone)]
enum Turn {
    Theirs {
        own: Public,
        root: Root,
        sending: Option<Sending>,
    },
    Ours {
        root: Root,
        next_header_key: HeaderKey,
        previous_count: u32,
    },
    Ended,
}

#[derive(Clone)]
enum Origin {
    /// Unanswered until when, or answered.
    Initiator {
        deadline: Option<u64>,
    },
    Responder,
}

#[derive(Clone)]
enum Standing {
    Sending,
    ReceiveOnly {
        since: u64,
        last_used: u64,
        late: bool,
    },
}

#[derive(Clone)]
struct State {
    session: Session,
    origin: Origin,
    standing: Standing,
    peer_public: Public,
    next_header_key: HeaderKey,
    receiving: Option<Receiving>,
    closed: Vec<Closed>,
    turn: Turn,
}

/// The model of a conversation.
#[derive(Clone)]
pub struct ConversationModel {
    /// Whom it is pinned to.
    pub peer: Name,
    pub last_created_at: u64,
    states: Vec<State>,
}

impl ConversationModel {
    pub fn new(peer: Name) -> Self {
        Self {
            peer,
            last_created_at: 0,
            states: Vec::new(),
        }
    }

    pub fn can_send(&self) -> bool {
        self.sending().is_some()
    }

    pub fn is_answered(&self) -> bool {
        self.sending()
            .is_some_and(|state| !matches!(state.origin, Origin::Initiator { deadline: Some(_) }))
    }

    fn sending(&self) -> Option<&State> {
        let last = self.states.last()?;
        matches!(last.standing, Standing::Sending).then_some(last)
    }

    /// Until when the state that sends may be unanswered, if it is.
    pub fn deadline(&self) -> Option<u64> {
        match self.sending()?.origin {
            Origin::Initiator { deadline } => deadline,
            Origin::Responder => None,
        }
    }

    /// From when on whatever is read in an old state is late.
    pub fn all_is_late(&self) -> Option<u64> {
        let since = self.states.iter().filter_map(|state| match state.standing {
            Standing::Sending => None,
            Standing::ReceiveOnly { since, .. } => Some(since),
        });
        Some(since.max()? + CHANGEOVER)
    }

    /// Whether an agreement that is begun now ranks above one of that time.
    pub fn would_outrank(&self, created_at: u64, now: u64) -> bool {
        now.max(self.last_created_at + 1) > created_at
    }

    /// Whether `message` would begin a chain, and if so, whether in the state that sends.
    pub fn begins_chain(&self, message: &Message, now: u64) -> Option<bool> {
        let mut live = self.states.iter().filter(|state| state.is_live(now));
        let state = live.find(|state| state.next_header_key == message.chain.header_key)?;
        Some(matches!(state.standing, Standing::Sending))
    }

    pub fn tags(&self) -> usize {
        self.states.iter().map(|state| state.tags().count()).sum()
    }

    pub fn has_tag_of(&self, message: &Message) -> bool {
        let mut tags = self.states.iter().flat_map(State::tags);
        tags.any(|tag| tag == message.chain.header_key)
    }

    /// Whether a state began with this agreement of the peer's.
    pub fn has_first(&self, session: Name) -> bool {
        self.states
            .iter()
            .any(|state| state.session.name == session && matches!(state.origin, Origin::Responder))
    }

    pub fn begin(&mut self, bundle: BundleModel, now: u64, names: &mut Names) -> Result<(), Error> {
        if bundle.owner != self.peer {
            return Err(Error::IdentityChanged);
        }
        let session = Session {
            name: names.next(),
            created_at: now.max(self.last_created_at + 1),
            responder: bundle.owner,
            bundle,
        };
        let name = session.name;
        let deadline = (now + UNANSWERED).min(session.bundle.not_after());
        let answers = Public::Prekey(session.bundle.signed.name);
        let chain = Chain {
            name: names.next(),
            header_key: HeaderKey::Initiator(name),
            root: Root::Initial(name),
            answers,
        };
        let state = State {
            session,
            origin: Origin::Initiator {
                deadline: Some(deadline),
            },
            standing: Standing::Sending,
            peer_public: answers,
            next_header_key: HeaderKey::Responder(name),
            receiving: None,
            closed: Vec::new(),
            turn: Turn::begun(chain, 0),
        };
        self.add(state, now);
        Ok(())
    }

    pub fn seal(&mut self, now: u64, names: &mut Names) -> Result<Message, Error> {
        let state = self
            .states
            .last_mut()
            .filter(|state| matches!(state.standing, Standing::Sending))
            .ok_or(Error::NoSession)?;
        let deadline = match state.origin {
            Origin::Initiator { deadline } => deadline,
            Origin::Responder => None,
        };
        if deadline.is_some_and(|deadline| now > deadline) {
            return Err(Error::Unanswered);
        }
        let is_first = deadline.is_some();
        if let Turn::Ours {
            root,
            next_header_key,
            previous_count,
        } = state.turn
        {
            let chain = Chain {
                name: names.next(),
                header_key: next_header_key,
                root,
                answers: state.peer_public,
            };
            state.turn = Turn::begun(chain, previous_count);
        }
        let Turn::Theirs {
            sending: Some(sending),
            ..
        } = &mut state.turn
        else {
            unreachable!("a state that sends has a chain to send in");
        };
        let message = Message {
            name: names.next(),
            session: state.session.clone(),
            is_first,
            chain: sending.chain,
            number: sending.number,
            previous_count: sending.previous_count,
        };
        sending.number += 1;
        self.expire(now);
        Ok(message)
    }

    pub fn open(&mut self, message: &Message, now: u64) -> Result<Reading, Error> {
        let tag = message.chain.header_key;
        let position = if message.is_first {
            self.states.iter().position(|state| {
                matches!(state.origin, Origin::Responder)
                    && state.session.name == message.session.name
                    && state.is_live(now)
            })
        } else {
            self.states
                .iter()
                .position(|state| state.is_live(now) && state.tags().any(|held| held == tag))
        };
        let state = &mut self.states[position.ok_or(Error::NoSession)?];
        let (forked, gap_dropped) = if state.tags().all(|held| held != tag) {
            return Err(Error::NoSession);
        } else if state
            .receiving
            .as_ref()
            .is_some_and(|chain| chain.header_key == tag)
        {
            state.open_current(message)?;
            (false, false)
        } else if state.next_header_key == tag {
            state.open_next(message)?
        } else {
            state.open_closed(message)?;
            (false, false)
        };
        let (old_state, late) = state.opened(now);
        self.expire(now);
        self.enforce_limits();
        Ok(Reading {
            forked,
            gap_dropped,
            old_state,
            action: match forked || late {
                true => Action::BeginAnew,
                false => Action::Nothing,
            },
        })
    }

    /// Takes the first message of a new agreement, which `Prekeys` let through.
    pub fn accept(&mut self, message: &Message, now: u64) -> Reading {
        let chain = message.chain;
        let mut receiving = Receiving {
            chain: chain.name,
            header_key: chain.header_key,
            number: 0,
            keys: BTreeSet::new(),
            window: BTreeMap::new(),
        };
        receiving.advance(message);
        let name = message.session.name;
        let state = State {
            session: message.session.clone(),
            origin: Origin::Responder,
            standing: Standing::Sending,
            peer_public: Public::Chain(chain.name),
            next_header_key: HeaderKey::After(chain.name),
            receiving: Some(receiving),
            closed: Vec::new(),
            turn: Turn::Ours {
                root: Root::After(chain.name),
                next_header_key: HeaderKey::Responder(name),
                previous_count: 0,
            },
        };
        self.add(state, now);
        let sends = self.sending().is_some_and(|last| last.session.name == name);
        Reading {
            forked: false,
            gap_dropped: false,
            old_state: !sends,
            action: Action::Nothing,
        }
    }

    fn add(&mut self, state: State, now: u64) {
        self.expire(now);
        let created_at = state.session.created_at;
        self.last_created_at = self.last_created_at.max(created_at);
        let ties = self
            .states
            .iter()
            .filter(|other| other.session.created_at == created_at);
        assert_eq!(ties.count(), 0, "the model does not know who wins a tie");
        self.states.push(state);
        self.states.sort_by_key(|state| state.session.created_at);
        let (_, others) = self.states.split_last_mut().unwrap();
        for state in others {
            state.stop_sending(now);
        }
        // Of five the lowest goes, be it the new one.
        if self.states.len() > STATES {
            self.states.remove(0);
        }
        self.enforce_limits();
    }

    fn expire(&mut self, now: u64) {
        self.states.retain(|state| state.is_live(now));
    }

    /// The oldest keys go first, then the oldest chains, those without keys before the others.
    fn enforce_limits(&mut self) {
        let held = |states: &[State]| -> usize { states.iter().flat_map(State::key_counts).sum() };
        while held(&self.states) > STORED_KEYS {
            let mut keys = self.states.iter_mut().flat_map(State::key_sets);
            let oldest = keys.find(|keys| !keys.is_empty()).unwrap();
            oldest.pop_first();
        }
        while self.closed(true) > SPENT_CHAINS {
            self.forget_chain(true);
        }
        while self.closed(false) > CLOSED_CHAINS {
            let spent = self.closed(true) > 0;
            self.forget_chain(spent);
        }
    }

    fn closed(&self, only_spent: bool) -> usize {
        let chains = self.states.iter().flat_map(|state| &state.closed);
        chains
            .filter(|chain| !only_spent || chain.keys.is_empty())
            .count()
    }

    fn forget_chain(&mut self, spent: bool) {
        for state in &mut self.states {
            let mut chains = state.closed.iter();
            if let Some(position) = chains.position(|chain| !spent || chain.keys.is_empty()) {
                state.closed.remove(position);
                return;
            }
        }
    }
}

impl Turn {
    fn begun(chain: Chain, previous_count: u32) -> Self {
        Self::Theirs {
            own: Public::Chain(chain.name),
            root: Root::After(chain.name),
            sending: Some(Sending {
                chain,
                number: 0,
                previous_count,
            }),
        }
    }
}

impl Receiving {
    /// Opens `message`, at or above `number`.
    fn advance(&mut self, message: &Message) {
        self.keys.extend(self.number..message.number);
        self.number = message.number + 1;
        self.record(message);
    }

    fn record(&mut self, message: &Message) {
        self.window.insert(message.number, message.name);
        let oldest = self.number.saturating_sub(WINDOW);
        self.window.retain(|number, _| *number >= oldest);
    }
}

impl State {
    fn is_live(&self, now: u64) -> bool {
        match self.standing {
            Standing::Sending => true,
            Standing::ReceiveOnly { last_used, .. } => now < last_used + RECEIVE_ONLY,
        }
    }

    fn tags(&self) -> impl Iterator<Item = HeaderKey> {
        let current = self.receiving.iter().map(|chain| chain.header_key);
        let closed = self.closed.iter().map(|chain| chain.header_key);
        current.chain([self.next_header_key]).chain(closed)
    }

    fn key_counts(&self) -> impl Iterator<Item = usize> {
        let current = self.receiving.iter().map(|chain| chain.keys.len());
        let closed = self.closed.iter().map(|chain| chain.keys.len());
        closed.chain(current)
    }

    fn key_sets(&mut self) -> impl Iterator<Item = &mut BTreeSet<u32>> {
        let current = self.receiving.iter_mut().map(|chain| &mut chain.keys);
        let closed = self.closed.iter_mut().map(|chain| &mut chain.keys);
        closed.chain(current)
    }

    fn stop_sending(&mut self, now: u64) {
        if !matches!(self.standing, Standing::Sending) {
            return;
        }
        match &mut self.turn {
            Turn::Theirs { sending, .. } => *sending = None,
            turn => *turn = Turn::Ended,
        }
        if let Origin::Initiator { deadline } = &mut self.origin {
            *deadline = None;
        }
        self.standing = Standing::ReceiveOnly {
            since: now,
            last_used: now,
            late: false,
        };
    }

    /// Whether the state is an old one, and whether to begin anew because of it.
    fn opened(&mut self, now: u64) -> (bool, bool) {
        if let Origin::Initiator { deadline } = &mut self.origin {
            *deadline = None;
        }
        let Standing::ReceiveOnly {
            since,
            last_used,
            late,
        } = &mut self.standing
        else {
            return (false, false);
        };
        *last_used = now.max(*last_used);
        let was_late = *late;
        let is_late = now > *since + CHANGEOVER;
        *late = was_late || is_late;
        (true, was_late && is_late)
    }

    fn open_current(&mut self, message: &Message) -> Result<(), Error> {
        if self.peer_public != Public::Chain(message.chain.name) {
            return Err(Error::Forked);
        }
        let chain = self.receiving.as_mut().unwrap();
        if message.number >= chain.number {
            if message.number - chain.number > GAP_MAX {
                return Err(Error::GapTooLarge);
            }
            chain.advance(message);
            return Ok(());
        }
        if chain.keys.remove(&message.number) {
            chain.record(message);
            return Ok(());
        }
        match chain.window.get(&message.number) {
            Some(read) if *read != message.name => Err(Error::Forked),
            _ => Err(Error::Duplicate),
        }
    }

    fn open_closed(&mut self, message: &Message) -> Result<(), Error> {
        let mut chains = self.closed.iter_mut();
        let chain = chains
            .find(|chain| chain.header_key == message.chain.header_key)
            .unwrap();
        if chain.chain != message.chain.name {
            return Err(Error::Forked);
        }
        match chain.keys.remove(&message.number) {
            true => Ok(()),
            false => Err(Error::Duplicate),
        }
    }

    fn open_next(&mut self, message: &Message) -> Result<(bool, bool), Error> {
        let Turn::Theirs { own, root, sending } = &self.turn else {
            return Err(Error::Forked);
        };
        let chain = message.chain;
        if message.number > GAP_MAX {
            return Err(Error::GapTooLarge);
        }
        if chain.root != *root || chain.answers != *own {
            return Err(Error::Forked);
        }
        let (mut forked, mut gap_dropped) = (false, false);
        if let Some(mut old) = self.receiving.take() {
            forked = message.previous_count < old.number;
            gap_dropped = message.previous_count.saturating_sub(old.number) > GAP_MAX;
            if !forked && !gap_dropped {
                old.keys.extend(old.number..message.previous_count);
            }
            self.closed.push(Closed {
                chain: old.chain,
                header_key: old.header_key,
                keys: old.keys,
            });
        }
        let mut receiving = Receiving {
            chain: chain.name,
            header_key: chain.header_key,
            number: 0,
            keys: BTreeSet::new(),
            window: BTreeMap::new(),
        };
        receiving.advance(message);
        self.receiving = Some(receiving);
        self.peer_public = Public::Chain(chain.name);
        self.next_header_key = HeaderKey::After(chain.name);
        self.turn = match sending {
            Some(own_chain) => Turn::Ours {
                root: Root::After(chain.name),
                next_header_key: HeaderKey::After(own_chain.chain.name),
                previous_count: own_chain.number,
            },
            None => Turn::Ended,
        };
        Ok((forked, gap_dropped))
    }
}

#[derive(Clone)]
struct Generation {
    signed: Prekey,
    kem: Prekey,
    made_at: u64,
    replaced_at: Option<u64>,
    firsts: BTreeSet<Name>,
}

impl Generation {
    fn is_live(&self, now: u64) -> bool {
        self.replaced_at
            .is_none_or(|replaced_at| now < replaced_at + GRACE)
    }
}

#[derive(Clone, Copy)]
struct OneTime {
    dh: Option<Prekey>,
    kem: Option<Prekey>,
    made_at: u64,
}

/// The model of a device's prekeys.
#[derive(Clone)]
pub struct PrekeysModel {
    owner: Name,
    next_id: u32,
    generations: Vec<Generation>,
    one_time: Vec<OneTime>,
}

impl PrekeysModel {
    pub fn new(owner: Name, now: u64, names: &mut Names) -> Self {
        let mut prekeys = Self {
            owner,
            next_id: 1,
            generations: Vec::new(),
            one_time: Vec::new(),
        };
        prekeys.rotate(now, names);
        prekeys
    }

    fn make(&mut self, names: &mut Names) -> Prekey {
        let id = self.next_id;
        self.next_id += 1;
        Prekey {
            id,
            name: names.next(),
        }
    }

    pub fn rotate(&mut self, now: u64, names: &mut Names) {
        let (signed, kem) = (self.make(names), self.make(names));
        self.expire(now);
        if let Some(newest) = self.generations.last_mut() {
            newest.replaced_at = Some(now);
        }
        if self.generations.len() == GENERATIONS {
            self.generations.remove(0);
        }
        self.generations.push(Generation {
            signed,
            kem,
            made_at: now,
            replaced_at: None,
            firsts: BTreeSet::new(),
        });
    }

    pub fn expire(&mut self, now: u64) {
        self.generations
            .retain(|generation| generation.is_live(now));
        self.one_time
            .retain(|keys| now < keys.made_at + VALIDITY + GRACE);
    }

    pub fn one_time_bundle(&mut self, now: u64, names: &mut Names) -> BundleModel {
        let (dh, kem) = (self.make(names), self.make(names));
        self.expire(now);
        self.one_time.push(OneTime {
            dh: Some(dh),
            kem: Some(kem),
            made_at: now,
        });
        BundleModel {
            kem,
            kem_not_after: now + VALIDITY,
            one_time: Some(dh),
            ..self.last_resort_bundle()
        }
    }

    pub fn last_resort_bundle(&self) -> BundleModel {
        let newest = self.generations.last().unwrap();
        BundleModel {
            owner: self.owner,
            signed: newest.signed,
            signed_not_after: newest.made_at + VALIDITY,
            kem: newest.kem,
            kem_not_after: newest.made_at + VALIDITY,
            one_time: None,
        }
    }

    /// Whether a first message can be staged at `now`.
    pub fn stage(&self, own: Name, message: &Message, now: u64) -> Result<(), Error> {
        let bundle = &message.session.bundle;
        let generations = || {
            self.generations
                .iter()
                .filter(|generation| generation.is_live(now))
        };
        let signed = generations()
            .find(|generation| generation.signed.id == bundle.signed.id)
            .ok_or(Error::PrekeyGone)?;
        let live = || {
            let keys = self.one_time.iter();
            keys.filter(|keys| now < keys.made_at + VALIDITY + GRACE)
        };
        let one_time_kem = live()
            .filter_map(|keys| keys.kem)
            .find(|key| key.id == bundle.kem.id);
        let last_resort = generations()
            .map(|generation| generation.kem)
            .find(|key| key.id == bundle.kem.id);
        let kem = one_time_kem.or(last_resort).ok_or(Error::PrekeyGone)?;
        let mut dh = None;
        if let Some(wanted) = bundle.one_time {
            let mut keys = live().filter_map(|keys| keys.dh);
            dh = Some(
                keys.find(|key| key.id == wanted.id)
                    .ok_or(Error::PrekeyGone)?,
            );
        }
        if one_time_kem.is_none() && dh.is_none() && signed.firsts.contains(&message.session.name) {
            return Err(Error::ReplayedFirst);
        }
        // The right numbers, but of a device or a time that is no more.
        if own != message.session.responder
            || signed.signed != bundle.signed
            || kem != bundle.kem
            || dh != bundle.one_time
        {
            return Err(Error::Malformed);
        }
        // As far as the header, the session is genuine.
        match message.number > GAP_MAX {
            true => Err(Error::GapTooLarge),
            false => Ok(()),
        }
    }

    /// Takes the keys of a message that was staged.
    pub fn consume(&mut self, message: &Message) {
        let bundle = &message.session.bundle;
        for keys in &mut self.one_time {
            keys.kem = keys.kem.filter(|key| key.id != bundle.kem.id);
            keys.dh = keys
                .dh
                .filter(|key| Some(key.id) != bundle.one_time.map(|dh| dh.id));
        }
        let last_resort = self
            .generations
            .iter()
            .any(|generation| generation.kem == bundle.kem);
        if last_resort && bundle.one_time.is_none() {
            let mut generations = self.generations.iter_mut();
            let signed = generations.find(|generation| generation.signed == bundle.signed);
            signed.unwrap().firsts.insert(message.session.name);
        }
    }
}

//! Conversations (SPEC.md §11).

use super::agreement::{Bundle, Initiator, PREFIX, Prefix, Response, Secrets};
use super::braid::Drawn;
use super::formula::{Bytes32, hash, tag};
use super::prekeys::DAY;
use super::ratchet::Frame;
use super::stored::{Conversation, Origin, Ratchet, Standing, State};
use super::{Answer, array, error, require};

/// A message split into its parts (§8).
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The prefix of a first message: its fields and its bytes.
    pub prefix: Option<(Prefix, Vec<u8>)>,
    /// The frame.
    pub frame: Frame,
}

impl Incoming {
    /// §8.1-R1, §7.5-R1, §8.2-R1.
    ///
    /// # Errors
    /// `Malformed`, `UnknownVersion`, `UnknownKind`.
    pub fn parse(message: &[u8]) -> Answer<Self> {
        let kind: [u8; 2] = array(message)?;
        let front = match kind {
            [1, 1] => PREFIX,
            [1, 2] => 2,
            [1, _] => return Err(error("UnknownKind")),
            _ => return Err(error("UnknownVersion")),
        };
        let prefix = match kind {
            [1, 1] => Some(Prefix::parse(message)?),
            _ => None,
        };
        let (bytes, frame) = message.split_at_checked(front).ok_or(error("Malformed"))?;
        Ok(Self {
            prefix: prefix.map(|prefix| (prefix, bytes.to_vec())),
            frame: Frame::parse(kind, frame)?,
        })
    }
}

/// What the app learns of an opened message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The text.
    pub text: Vec<u8>,
    /// §9.5-R3
    pub forked: bool,
    /// §9.5-R3
    pub gap_dropped: bool,
    /// §10.7
    pub pq_broken: bool,
    /// §11.2-R1, §11.3-R5
    pub old_state: bool,
    /// The advice to begin anew.
    pub begin_anew: bool,
}

impl State {
    /// §11.3-R7.
    #[must_use]
    pub const fn is_live(&self, now: u64) -> bool {
        match self.standing {
            Standing::Sends => true,
            Standing::ReceiveOnly { last_used, .. } => now < last_used.saturating_add(30 * DAY),
        }
    }

    /// §11.3-R1: whether this state ranks above the other.
    #[must_use]
    pub fn outranks(&self, other: &Self) -> bool {
        (self.created_at, &other.ratchet.sid) > (other.created_at, &self.ratchet.sid)
    }

    fn stop_sending(&mut self, now: u64) {
        if self.standing == Standing::Sends {
            self.ratchet.stop_sending();
            if matches!(self.origin, Origin::Unanswered { .. }) {
                self.origin = Origin::Answered;
            }
            self.standing = Standing::ReceiveOnly {
                since: now,
                last_used: now,
                late: false,
            };
        }
    }
}

impl Conversation {
    /// Every header key of the states that are live, in age order (§9.4-R1).
    fn candidates(&self, now: u64) -> Vec<(usize, super::ratchet::Chain, Bytes32)> {
        let states = self.states.iter().enumerate();
        let live = states.filter(|(_, state)| state.is_live(now));
        live.flat_map(|(position, state)| {
            let chains = state.ratchet.chains().into_iter();
            chains.map(move |(chain, hk)| (position, chain, hk))
        })
        .collect()
    }

    /// Whether a message is looked up as one of this conversation (§11.1).
    #[must_use]
    pub fn is_found(&self, message: &Incoming, now: u64) -> bool {
        match &message.prefix {
            Some((prefix, _)) => self.state_begun_by(prefix, now).is_some(),
            None => {
                let mut candidates = self.candidates(now).into_iter();
                candidates.any(|(_, _, hk)| tag(&hk) == message.frame.tag)
            }
        }
    }

    fn state_begun_by(&self, prefix: &Prefix, now: u64) -> Option<usize> {
        let id = prefix.first_id().ok()?;
        self.states.iter().position(|state| {
            state.is_live(now)
                && matches!(&state.origin, Origin::Peer { first_id, .. } if *first_id == id)
        })
    }

    /// Begins, or begins anew.
    ///
    /// # Errors
    /// `IdentityChanged`, `OwnIdentity`, `Malformed`.
    pub fn begin(
        &mut self,
        secrets: &Secrets,
        bundle: &Bundle,
        now: u64,
        (ek, m, ratchet): (Bytes32, Bytes32, Bytes32),
    ) -> Answer<()> {
        let peer = &bundle.identity;
        let pinned = (&self.address, &self.iks, &self.ikd);
        require(
            pinned == (&peer.address, &peer.iks, &peer.ikd),
            "IdentityChanged",
        )?;
        // §11.3-R2
        let created_at = now
            .max(self.last_created_at.saturating_add(1))
            .min((1 << 48) - 1);
        let initiator = Initiator::honest(secrets, bundle, created_at, ek, m)?;
        let (prefix, agreement) = initiator.initiate(bundle)?;
        let (_, spk) = &bundle.spk;
        let ratchet = Ratchet::initiate(&agreement.sk, &agreement.sid, spk, &ratchet)?;
        // §11.3-R6
        let ends = bundle.not_after.into_iter().flatten();
        let origin = Origin::Unanswered {
            deadline: ends.fold(now.saturating_add(30 * DAY), u64::min),
            prefix,
        };
        self.add(created_at, origin, ratchet, now);
        Ok(())
    }

    /// §11.3-R1, R7, §11.4.
    fn add(&mut self, created_at: u64, origin: Origin, ratchet: Ratchet, now: u64) {
        self.expire(now);
        self.last_created_at = self.last_created_at.max(created_at);
        let state = State {
            created_at,
            origin,
            standing: Standing::Sends,
            ratchet,
        };
        let above = self.states.iter().position(|other| other.outranks(&state));
        self.states
            .insert(above.unwrap_or(self.states.len()), state);
        let others = self.states.len().saturating_sub(1);
        for state in self.states.iter_mut().take(others) {
            state.stop_sending(now);
        }
        if self.states.len() == 5 {
            self.states.remove(0);
        }
        self.enforce_limits();
    }

    /// §11.2-R1: the verdict was yes. Gives whether the new state is an old one at once.
    ///
    /// # Errors
    /// None.
    pub fn accept(
        &mut self,
        response: &Response,
        prefix: &[u8],
        ratchet: Ratchet,
        now: u64,
    ) -> Answer<bool> {
        let origin = Origin::Peer {
            first_id: response.used.first_id,
            prefix_hash: array(&hash(&[prefix]))?,
        };
        let sid = ratchet.sid;
        self.add(response.created_at, origin, ratchet, now);
        let sending = self
            .states
            .last()
            .filter(|state| state.standing == Standing::Sends);
        Ok(sending.is_none_or(|state| state.ratchet.sid != sid))
    }

    /// Seals in the state that sends.
    ///
    /// # Errors
    /// `NoSession`, `Unanswered`, and those of the ratchet.
    pub fn seal(
        &mut self,
        text: &[u8],
        now: u64,
        drawn: (Option<&Bytes32>, Drawn),
        r32: &Bytes32,
    ) -> Answer<Vec<u8>> {
        let sending = self.states.last_mut();
        let state = sending.filter(|state| state.standing == Standing::Sends);
        let state = state.ok_or(error("NoSession"))?;
        // §11.3-R6
        let prefix = match &state.origin {
            Origin::Unanswered { deadline, prefix } => {
                require(now <= *deadline, "Unanswered")?;
                prefix.clone()
            }
            _ => vec![1, 2],
        };
        let message = state.ratchet.seal(&prefix, text, drawn, r32)?;
        self.expire(now);
        Ok(message)
    }

    /// §9.4, §11.2-R2, §11.3-R5.
    ///
    /// # Errors
    /// Every one of §9.4.
    pub fn open(&mut self, message: &Incoming, now: u64) -> Answer<Opened> {
        let only = match &message.prefix {
            None => None,
            Some((prefix, bytes)) => {
                let position = self.state_begun_by(prefix, now).ok_or(error("NoSession"))?;
                let state = self.states.get(position).ok_or(error("NoSession"))?;
                let hash: [u8; 16] = array(&hash(&[bytes]))?;
                match state.origin {
                    Origin::Peer { prefix_hash, .. } => require(prefix_hash == hash, "Malformed")?,
                    _ => return Err(error("NoSession")),
                }
                Some(position)
            }
        };
        let mut candidates = self.candidates(now);
        candidates.retain(|(position, _, hk)| {
            tag(hk) == message.frame.tag && only.is_none_or(|only| only == *position)
        });
        require(!candidates.is_empty(), "NoSession")?;
        for (position, chain, hk) in candidates.into_iter().take(2) {
            let state = self.states.get_mut(position).ok_or(error("NoSession"))?;
            let Some(header) = state.ratchet.open_header(&hk, &message.frame)? else {
                continue;
            };
            let opening = state.ratchet.open(chain, &header, &message.frame)?;
            state.ratchet = opening.after;
            // §11.3-R6
            if matches!(state.origin, Origin::Unanswered { .. }) {
                state.origin = Origin::Answered;
            }
            let (mut old_state, mut begin_anew) = (false, opening.forked || opening.pq_broken);
            if let Standing::ReceiveOnly {
                since,
                last_used,
                late,
            } = &mut state.standing
            {
                old_state = true;
                *last_used = now.max(*last_used);
                if now > since.saturating_add(DAY) {
                    begin_anew |= *late;
                    *late = true;
                }
            }
            self.expire(now);
            self.enforce_limits();
            return Ok(Opened {
                text: opening.text,
                forked: opening.forked,
                gap_dropped: opening.gap_dropped,
                pq_broken: opening.pq_broken,
                old_state,
                begin_anew,
            });
        }
        Err(error("Malformed"))
    }

    /// §11.3-R7.
    pub fn expire(&mut self, now: u64) {
        self.states.retain(|state| state.is_live(now));
    }

    /// §11.4.
    fn enforce_limits(&mut self) {
        while self.stored_keys() > 2_000 {
            let states = self.states.iter_mut();
            let mut lists = states.flat_map(|state| {
                let closed = state.ratchet.closed.iter_mut().map(|chain| &mut chain.keys);
                closed.chain(
                    state
                        .ratchet
                        .receiving
                        .iter_mut()
                        .map(|chain| &mut chain.keys),
                )
            });
            if let Some(oldest) = lists.find(|keys| !keys.is_empty()) {
                oldest.remove(0);
            }
        }
        while self.count_closed(true) > 3 {
            self.forget_closed(true);
        }
        while self.count_closed(false) > 16 {
            let spent = self.count_closed(true) > 0;
            self.forget_closed(spent);
        }
    }

    fn stored_keys(&self) -> usize {
        let chains = self.states.iter().map(|state| {
            let closed = state.ratchet.closed.iter().map(|chain| chain.keys.len());
            let open = state.ratchet.receiving.iter().map(|chain| chain.keys.len());
            closed.chain(open).sum::<usize>()
        });
        chains.sum()
    }

    fn count_closed(&self, spent: bool) -> usize {
        let chains = self.states.iter().flat_map(|state| &state.ratchet.closed);
        chains
            .filter(|chain| !spent || chain.keys.is_empty())
            .count()
    }

    /// Deletes the oldest closed chain, or the oldest that is spent.
    fn forget_closed(&mut self, spent: bool) {
        for state in &mut self.states {
            let mut chains = state.ratchet.closed.iter();
            if let Some(oldest) = chains.position(|chain| !spent || chain.keys.is_empty()) {
                state.ratchet.closed.remove(oldest);
                return;
            }
        }
    }
}

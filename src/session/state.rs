//! The stored form of a conversation (SPEC §12.5).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::conversation::{Origin, Standing, State, Unanswered};
use super::limits::{CLOSED_CHAINS, SPENT_CHAINS, STATES, STORED_KEYS};
use super::{Conversation, Error};
use crate::agreement::limits::CREATED_AT_MAX;
use crate::agreement::{FirstPrefix, PREFIX};
use crate::crypto::dh::DhPublic;
use crate::crypto::sign::VerifyingKey;
use crate::envelope::Kind;
use crate::identity::{Address, Identity, IdentityKeys};
use crate::memory;
use crate::ratchet::{Bounds, Ratchet};
use crate::wire::{self, Reader, Writer};

const INITIATOR: u8 = 0;
const INITIATOR_ANSWERED: u8 = 1;
const RESPONDER: u8 = 2;

const SENDING: u8 = 0;
const RECEIVE_ONLY: u8 = 1;

/// What stands in for [`Error::Malformed`] while reading.
fn integrity(_: wire::Error) -> Error {
    Error::Integrity
}

impl Conversation {
    pub(crate) fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        self.peer.address().write(writer);
        writer
            .bytes(self.peer.keys().signing_key().as_bytes())
            .bytes(self.peer.keys().dh_key().as_bytes())
            .u64(self.last_created_at)
            .vector_length(self.states.len())
            .map_err(integrity)?;
        for state in &self.states {
            state.write(writer)?;
        }
        Ok(())
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let address = Address::read(reader).map_err(integrity)?;
        let signing = VerifyingKey(*reader.array().map_err(integrity)?);
        let dh = DhPublic::from_bytes(reader.array().map_err(integrity)?)
            .map_err(|_| Error::Integrity)?;
        let last_created_at = reader.u64().map_err(integrity)?;
        let count = reader.vector_length().map_err(integrity)?;
        if count > STATES {
            return Err(Error::Integrity);
        }
        let mut states: Vec<State> = memory::with_capacity(count);
        for _ in 0..count {
            memory::push(&mut states, State::read(reader)?);
        }
        let conversation = Self {
            peer: Identity::from_pinned(address, IdentityKeys::from_pinned(signing, dh)),
            last_created_at,
            states,
        };
        conversation.require_invariants()?;
        Ok(conversation)
    }

    /// SPEC §12.5-R2: what no sequence of calls leads to is refused.
    fn require_invariants(&self) -> Result<(), Error> {
        let states = &self.states;
        let ordered = states.is_sorted_by(|a, b| a.rank() < b.rank());
        let below = states.len().saturating_sub(1);
        let only_last_sends = states
            .iter()
            .take(below)
            .all(|state| matches!(state.standing, Standing::ReceiveOnly { .. }));
        let times = states
            .iter()
            .all(|state| state.created_at <= self.last_created_at)
            && self.last_created_at <= CREATED_AT_MAX;
        let stored: usize = states.iter().map(|state| state.ratchet.stored_keys()).sum();
        let closed = states.iter().flat_map(|state| &state.ratchet.closed);
        let spent = closed.clone().filter(|chain| chain.is_spent()).count();
        let bounded =
            stored <= STORED_KEYS && closed.count() <= CLOSED_CHAINS && spent <= SPENT_CHAINS;
        if ordered && only_last_sends && times && bounded {
            Ok(())
        } else {
            Err(Error::Integrity)
        }
    }

    /// An upper bound of the bytes that [`write`](Self::write) takes, so that no secret is copied by growing.
    pub(super) fn size_hint(&self) -> usize {
        let keys: usize = self
            .states
            .iter()
            .map(|state| {
                state
                    .ratchet
                    .stored_keys()
                    .saturating_add(state.ratchet.closed.len().saturating_mul(2))
            })
            .sum();
        keys.saturating_mul(36)
            .saturating_add(self.states.len().saturating_mul(4_400))
            .saturating_add(256)
    }
}

impl State {
    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.u64(self.created_at);
        match &self.origin {
            Origin::Initiator { unanswered: None } => writer.u8(INITIATOR_ANSWERED),
            Origin::Initiator {
                unanswered: Some(Unanswered { prefix, deadline }),
            } => writer.u8(INITIATOR).u64(*deadline).bytes(prefix.as_slice()),
            Origin::Responder {
                first_id,
                prefix_hash,
            } => writer.u8(RESPONDER).bytes(first_id).bytes(prefix_hash),
        };
        match &self.standing {
            Standing::Sending => writer.u8(SENDING),
            Standing::ReceiveOnly {
                since,
                last_used,
                late,
            } => writer
                .u8(RECEIVE_ONLY)
                .u64(*since)
                .u64(*last_used)
                .flag(*late),
        };
        Ok(self.ratchet.write(writer)?)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let created_at = reader.u64().map_err(integrity)?;
        let origin = read_origin(reader).map_err(integrity)?;
        let standing = read_standing(reader).map_err(integrity)?;
        let bounds = Bounds {
            closed_chains: CLOSED_CHAINS,
            stored_keys: STORED_KEYS,
        };
        let ratchet = Ratchet::read(reader, bounds).map_err(|_| Error::Integrity)?;
        let sends = matches!(standing, Standing::Sending);
        let answered = ratchet.receiving.is_some();
        // A prefix is there exactly while a state that sends waits for its first answer; a responder has read something.
        let fits = match &origin {
            Origin::Initiator { unanswered } => unanswered.is_some() == (sends && !answered),
            Origin::Responder { .. } => answered,
        };
        // A state that sends has what sending needs, another one has not.
        if sends != ratchet.can_send() || !fits {
            return Err(Error::Integrity);
        }
        Ok(Self {
            created_at,
            origin,
            standing,
            ratchet,
        })
    }
}

fn read_origin(reader: &mut Reader<'_>) -> Result<Origin, wire::Error> {
    Ok(match reader.u8()? {
        INITIATOR => Origin::Initiator {
            unanswered: Some(Unanswered {
                deadline: reader.u64()?,
                prefix: read_prefix(reader)?,
            }),
        },
        INITIATOR_ANSWERED => Origin::Initiator { unanswered: None },
        RESPONDER => Origin::Responder {
            first_id: *reader.array()?,
            prefix_hash: *reader.array()?,
        },
        _ => return Err(wire::Error::Value),
    })
}

/// The prefix is sent as it is stored, so it has to be one (SPEC §12.5-R2).
fn read_prefix(reader: &mut Reader<'_>) -> Result<Box<[u8; PREFIX]>, wire::Error> {
    let prefix: &[u8; PREFIX] = reader.array()?;
    let mut parts = Reader::new(prefix);
    if *parts.array()? != Kind::First.header() {
        return Err(wire::Error::Value);
    }
    FirstPrefix::read(&mut parts).map_err(|_| wire::Error::Value)?;
    parts.finish()?;
    Ok(Box::new(*prefix))
}

fn read_standing(reader: &mut Reader<'_>) -> Result<Standing, wire::Error> {
    Ok(match reader.u8()? {
        SENDING => Standing::Sending,
        RECEIVE_ONLY => Standing::ReceiveOnly {
            since: reader.u64()?,
            last_used: reader.u64()?,
            late: reader.flag()?,
        },
        _ => return Err(wire::Error::Value),
    })
}

//! The layout of stored state (SPEC.md §12.2 to §12.5) as plain fields, which may hold what no state may.

use subrosa::wire::{Error, Reader};

use super::formula::{Bytes32, header, vector};
use super::{Answer, error};

mod braid;

pub use braid::{Braid, Cursor, Epochs, Live, Own, Phase};

type Read<T> = Result<T, Error>;

/// §12.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The address.
    pub address: Vec<u8>,
    /// `IKs.seed`
    pub seed: Bytes32,
    /// `IKd.secret`
    pub secret: Bytes32,
}

/// §12.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prekeys {
    /// The next id.
    pub next_id: u32,
    /// Oldest first.
    pub generations: Vec<Generation>,
    /// One-time X25519 keys.
    pub opks: Vec<OneTime<32>>,
    /// One-time KEM keys.
    pub kems: Vec<OneTime<64>>,
}

/// A signed prekey and the last-resort KEM key beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// `spk.id`
    pub spk_id: u32,
    /// SPK's private half.
    pub spk: Bytes32,
    /// `kem.id`
    pub kem_id: u32,
    /// The KEM key's seed.
    pub kem: [u8; 64],
    /// When both were made.
    pub made_at: u64,
    /// When the next generation was made.
    pub replaced_at: Option<u64>,
    /// `H(EK)[..16]` of first messages.
    pub records: Vec<[u8; 16]>,
}

/// A one-time key: its private half, or its seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTime<const N: usize> {
    /// Its id.
    pub id: u32,
    /// The secret.
    pub secret: [u8; N],
    /// When it was made.
    pub made_at: u64,
}

/// §12.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The peer's address.
    pub address: Vec<u8>,
    /// The peer's `IKs`.
    pub iks: Bytes32,
    /// The peer's `IKd`.
    pub ikd: Bytes32,
    /// The greatest `created_at` used or seen.
    pub last_created_at: u64,
    /// By ascending rank.
    pub states: Vec<State>,
}

/// One state of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// `created_at`
    pub created_at: u64,
    /// How it came to be.
    pub origin: Origin,
    /// Whether it sends.
    pub standing: Standing,
    /// Its ratchet.
    pub ratchet: Ratchet,
}

/// How a state came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// We began, unanswered.
    Unanswered {
        /// `deadline`
        deadline: u64,
        /// The prefix.
        prefix: Vec<u8>,
    },
    /// We began, answered.
    Answered,
    /// The peer began.
    Peer {
        /// `H(EK)[..16]`
        first_id: [u8; 16],
        /// `H(prefix)[..16]`
        prefix_hash: [u8; 16],
    },
}

/// Whether a state sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Sends,
    /// It does not.
    ReceiveOnly {
        /// When it became receive-only.
        since: u64,
        /// `since`, or the last time that a message was opened.
        last_used: u64,
        /// A message was opened more than a day after `since`.
        late: bool,
    },
}

/// §12.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratchet {
    /// `sid`
    pub sid: Bytes32,
    /// `DHr`
    pub dhr: Bytes32,
    /// `NHKr`
    pub nhkr: Bytes32,
    /// The turn.
    pub turn: Turn,
    /// Nothing, if the turn is *ended*.
    pub epochs: Option<Epochs>,
    /// The receiving chain.
    pub receiving: Option<Receiving>,
    /// Oldest first.
    pub closed: Vec<Closed>,
}

/// Whose ratchet key comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The peer's.
    Theirs {
        /// `DHs`, the private half.
        secret: Bytes32,
        /// `DHs`, the public half.
        public: Bytes32,
        /// `RK`
        rk: Bytes32,
        /// The sending chain.
        sending: Option<Sending>,
    },
    /// Ours.
    Ours {
        /// `RK`
        rk: Bytes32,
        /// `NHKs`
        nhks: Bytes32,
        /// `PN`
        pn: u32,
    },
    /// Nobody's.
    Ended,
}

/// The sending chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// `HKs`
    pub hks: Bytes32,
    /// `NHKs`
    pub nhks: Bytes32,
    /// `CKs`
    pub cks: Bytes32,
    /// `PCKs`
    pub pcks: Bytes32,
    /// `e_s`
    pub e_s: u32,
    /// `Ns`
    pub ns: u32,
    /// `PN`
    pub pn: u32,
}

/// Message keys by their numbers.
pub type Keys = Vec<(u32, Bytes32)>;

/// The receiving chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiving {
    /// `HKr`
    pub hkr: Bytes32,
    /// `CKr`
    pub ckr: Bytes32,
    /// `PCKr`
    pub pckr: Bytes32,
    /// `e_r`
    pub e_r: u32,
    /// `Nr`
    pub nr: u32,
    /// Stored keys.
    pub keys: Keys,
    /// The window's 32 slots.
    pub window: [Option<[u8; 4]>; 32],
}

/// A closed chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// `HK`
    pub hk: Bytes32,
    /// The ratchet key of the chain.
    pub dh: Bytes32,
    /// Its epoch.
    pub epoch: u32,
    /// Stored keys.
    pub keys: Keys,
}

/// A stored value: read as far as the layout goes, written whatever it holds.
pub trait Layout: Sized {
    /// Reads the fields.
    ///
    /// # Errors
    /// That of the reader.
    fn fields(reader: &mut Reader<'_>) -> Read<Self>;

    /// Writes the fields.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads a plaintext.
    ///
    /// # Errors
    /// `Integrity` if it does not have this layout.
    fn decode(plaintext: &[u8]) -> Answer<Self> {
        let mut reader = Reader::new(plaintext);
        let value = Self::fields(&mut reader);
        let value = value.and_then(|value| reader.finish().map(|()| value));
        value.map_err(|_| error("Integrity"))
    }

    /// The plaintext.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

fn list<T>(
    reader: &mut Reader<'_>,
    mut item: impl FnMut(&mut Reader<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let count = reader.vector_length()?;
    (0..count).map(|_| item(reader)).collect()
}

fn write_list<T: Layout>(items: &[T], out: &mut Vec<u8>) {
    out.extend(header(items.len()));
    for item in items {
        item.write(out);
    }
}

fn optional<T>(
    reader: &mut Reader<'_>,
    value: impl FnOnce(&mut Reader<'_>) -> Read<T>,
) -> Read<Option<T>> {
    match reader.flag()? {
        true => value(reader).map(Some),
        false => Ok(None),
    }
}

fn write_optional<T: Layout>(value: Option<&T>, out: &mut Vec<u8>) {
    out.push(value.is_some().into());
    if let Some(value) = value {
        value.write(out);
    }
}

impl Layout for u64 {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        reader.u64()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }
}

impl<const N: usize> Layout for [u8; N] {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        reader.array().copied()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self);
    }
}

impl Layout for Identity {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            address: reader.vector(usize::MAX)?.to_vec(),
            seed: *reader.array()?,
            secret: *reader.array()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(vector(&self.address));
        out.extend(self.seed);
        out.extend(self.secret);
    }
}

impl Layout for Prekeys {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            next_id: reader.u32()?,
            generations: list(reader, Generation::fields)?,
            opks: list(reader, OneTime::fields)?,
            kems: list(reader, OneTime::fields)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.next_id.to_be_bytes());
        write_list(&self.generations, out);
        write_list(&self.opks, out);
        write_list(&self.kems, out);
    }
}

impl Layout for Generation {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            spk_id: reader.u32()?,
            spk: *reader.array()?,
            kem_id: reader.u32()?,
            kem: *reader.array()?,
            made_at: reader.u64()?,
            replaced_at: optional(reader, u64::fields)?,
            records: list(reader, <[u8; 16]>::fields)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.spk_id.to_be_bytes());
        out.extend(self.spk);
        out.extend(self.kem_id.to_be_bytes());
        out.extend(self.kem);
        self.made_at.write(out);
        write_optional(self.replaced_at.as_ref(), out);
        write_list(&self.records, out);
    }
}

impl<const N: usize> Layout for OneTime<N> {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            id: reader.u32()?,
            secret: *reader.array()?,
            made_at: reader.u64()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.id.to_be_bytes());
        out.extend(self.secret);
        self.made_at.write(out);
    }
}

impl Layout for Conversation {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            address: reader.vector(usize::MAX)?.to_vec(),
            iks: *reader.array()?,
            ikd: *reader.array()?,
            last_created_at: reader.u64()?,
            states: list(reader, State::fields)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(vector(&self.address));
        out.extend(self.iks);
        out.extend(self.ikd);
        self.last_created_at.write(out);
        write_list(&self.states, out);
    }
}

impl Layout for State {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            created_at: reader.u64()?,
            origin: Origin::fields(reader)?,
            standing: Standing::fields(reader)?,
            ratchet: Ratchet::fields(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.created_at.write(out);
        self.origin.write(out);
        self.standing.write(out);
        self.ratchet.write(out);
    }
}

impl Layout for Origin {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(match reader.u8()? {
            0 => Self::Unanswered {
                deadline: reader.u64()?,
                prefix: reader.take(1_337)?.to_vec(),
            },
            1 => Self::Answered,
            2 => Self::Peer {
                first_id: *reader.array()?,
                prefix_hash: *reader.array()?,
            },
            _ => return Err(Error::Value),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Unanswered { deadline, prefix } => {
                out.push(0);
                deadline.write(out);
                out.extend(prefix);
            }
            Self::Answered => out.push(1),
            Self::Peer {
                first_id,
                prefix_hash,
            } => {
                out.push(2);
                out.extend(first_id);
                out.extend(prefix_hash);
            }
        }
    }
}

impl Layout for Standing {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(match reader.u8()? {
            0 => Self::Sends,
            1 => Self::ReceiveOnly {
                since: reader.u64()?,
                last_used: reader.u64()?,
                late: reader.flag()?,
            },
            _ => return Err(Error::Value),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sends => out.push(0),
            Self::ReceiveOnly {
                since,
                last_used,
                late,
            } => {
                out.push(1);
                since.write(out);
                last_used.write(out);
                out.push((*late).into());
            }
        }
    }
}

impl Layout for Ratchet {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let (sid, dhr, nhkr) = (*reader.array()?, *reader.array()?, *reader.array()?);
        let turn = Turn::fields(reader)?;
        let epochs = match turn {
            Turn::Ended => None,
            _ => Some(Epochs::read(reader, turn.can_send())?),
        };
        Ok(Self {
            sid,
            dhr,
            nhkr,
            turn,
            epochs,
            receiving: optional(reader, Receiving::fields)?,
            closed: list(reader, Closed::fields)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.sid);
        out.extend(self.dhr);
        out.extend(self.nhkr);
        self.turn.write(out);
        if let Some(epochs) = &self.epochs {
            epochs.write(out);
        }
        write_optional(self.receiving.as_ref(), out);
        write_list(&self.closed, out);
    }
}

impl Turn {
    /// Whether a state in this turn can send (§12.4).
    #[must_use]
    pub const fn can_send(&self) -> bool {
        match self {
            Self::Theirs { sending, .. } => sending.is_some(),
            Self::Ours { .. } => true,
            Self::Ended => false,
        }
    }
}

impl Layout for Turn {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(match reader.u8()? {
            0 => Self::Theirs {
                secret: *reader.array()?,
                public: *reader.array()?,
                rk: *reader.array()?,
                sending: optional(reader, Sending::fields)?,
            },
            1 => Self::Ours {
                rk: *reader.array()?,
                nhks: *reader.array()?,
                pn: reader.u32()?,
            },
            2 => Self::Ended,
            _ => return Err(Error::Value),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Theirs {
                secret,
                public,
                rk,
                sending,
            } => {
                out.push(0);
                out.extend(secret);
                out.extend(public);
                out.extend(rk);
                write_optional(sending.as_ref(), out);
            }
            Self::Ours { rk, nhks, pn } => {
                out.push(1);
                out.extend(rk);
                out.extend(nhks);
                out.extend(pn.to_be_bytes());
            }
            Self::Ended => out.push(2),
        }
    }
}

impl Layout for Sending {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            hks: *reader.array()?,
            nhks: *reader.array()?,
            cks: *reader.array()?,
            pcks: *reader.array()?,
            e_s: reader.u32()?,
            ns: reader.u32()?,
            pn: reader.u32()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.hks);
        out.extend(self.nhks);
        out.extend(self.cks);
        out.extend(self.pcks);
        out.extend(self.e_s.to_be_bytes());
        out.extend(self.ns.to_be_bytes());
        out.extend(self.pn.to_be_bytes());
    }
}

impl Layout for (u32, Bytes32) {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok((reader.u32()?, *reader.array()?))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_be_bytes());
        out.extend(self.1);
    }
}

impl Layout for Receiving {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let (hkr, ckr, pckr) = (*reader.array()?, *reader.array()?, *reader.array()?);
        let (e_r, nr) = (reader.u32()?, reader.u32()?);
        let keys = list(reader, <(u32, Bytes32)>::fields)?;
        let filled = reader.u32()?;
        let mut window = [None; 32];
        for (index, slot) in window.iter_mut().enumerate() {
            if filled >> index & 1 == 1 {
                *slot = Some(*reader.array()?);
            }
        }
        Ok(Self {
            hkr,
            ckr,
            pckr,
            e_r,
            nr,
            keys,
            window,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.hkr);
        out.extend(self.ckr);
        out.extend(self.pckr);
        out.extend(self.e_r.to_be_bytes());
        out.extend(self.nr.to_be_bytes());
        write_list(&self.keys, out);
        let slots = self.window.iter().enumerate();
        let filled = slots.fold(0u32, |filled, (index, slot)| {
            filled | u32::from(slot.is_some()) << index
        });
        out.extend(filled.to_be_bytes());
        out.extend(self.window.iter().flatten().flatten());
    }
}

impl Layout for Closed {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            hk: *reader.array()?,
            dh: *reader.array()?,
            epoch: reader.u32()?,
            keys: list(reader, <(u32, Bytes32)>::fields)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.hk);
        out.extend(self.dh);
        out.extend(self.epoch.to_be_bytes());
        write_list(&self.keys, out);
    }
}

//! The stored form of a ratchet (SPEC §12.4).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::braid::Braid;
use super::chain::{ClosedChain, ReceivingChain, SendingChain, Window};
use super::epochs::Seeds;
use super::keys::read_secret;
use super::limits::{CHAIN_MAX, EPOCHS, WINDOW};
use super::stored_keys::StoredKeys;
use super::{ChainKey, ChainKeys, Error, HeaderKey, MessageKey, Quantum, Ratchet, RootKey, Turn};
use crate::crypto::dh::{DhKeyPair, DhPublic};
use crate::memory;
use crate::wire::{Reader, Writer};

/// Bounds on what a stored ratchet may hold; the conversation that owns it enforces them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) closed_chains: usize,
    pub(crate) stored_keys: usize,
}

const THEIRS: u8 = 0;
const OURS: u8 = 1;
const ENDED: u8 = 2;

impl Ratchet {
    pub(crate) fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer
            .bytes(&self.session_id)
            .bytes(self.peer_public.as_bytes())
            .bytes(self.next_header_key.expose());
        self.turn.write(writer);
        self.quantum.write(writer)?;
        writer.flag(self.receiving.is_some());
        if let Some(chain) = &self.receiving {
            chain.write(writer)?;
        }
        writer.vector_length(self.closed.len())?;
        for chain in &self.closed {
            writer
                .bytes(chain.header_key.expose())
                .bytes(chain.public.as_bytes())
                .u32(chain.epoch);
            chain.keys.write(writer)?;
        }
        Ok(())
    }

    pub(crate) fn read(reader: &mut Reader<'_>, bounds: Bounds) -> Result<Self, Error> {
        let session_id = *reader.array()?;
        let peer_public = DhPublic::from_bytes(reader.array()?)?;
        let next_header_key = HeaderKey::new(read_secret(reader)?);
        let turn = Turn::read(reader)?;
        let quantum = Quantum::read(reader, &turn)?;
        let receiving = match reader.flag()? {
            true => Some(ReceivingChain::read(reader, bounds)?),
            false => None,
        };
        // The responder's side and every answered state have a receiving chain (SPEC §12.4-R2).
        if receiving.is_none() && !matches!(turn, Turn::Theirs { .. }) {
            return Err(Error::Malformed);
        }
        let count = reader.vector_length()?;
        if count > bounds.closed_chains || (count > 0 && receiving.is_none()) {
            return Err(Error::Malformed);
        }
        let mut closed = Vec::new();
        for _ in 0..count {
            let chain = ClosedChain {
                header_key: HeaderKey::new(read_secret(reader)?),
                public: DhPublic::from_bytes(reader.array()?)?,
                epoch: reader.u32()?,
                keys: StoredKeys::read(reader, CHAIN_MAX, bounds)?,
            };
            memory::push(&mut closed, chain);
        }
        let ratchet = Self {
            session_id,
            peer_public,
            peer_point: None,
            next_header_key,
            receiving,
            closed,
            turn,
            quantum,
        };
        ratchet.require_epochs()?;
        Ok(ratchet)
    }

    /// SPEC §12.4-R3: the epochs of a direction's chains do not fall, and its seeds begin with the newest one's.
    fn require_epochs(&self) -> Result<(), Error> {
        let received = self.receiving.as_ref().map_or(0, |chain| chain.epoch);
        let closed = self.closed.iter().map(|chain| chain.epoch);
        let ascend = closed.chain([received]).is_sorted();
        let seeds = self
            .quantum
            .peer()
            .is_none_or(|peer| peer.first() == received);
        if ascend && seeds {
            Ok(())
        } else {
            Err(Error::Malformed)
        }
    }
}

impl Quantum {
    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        let Some(peer) = self.peer() else {
            return Ok(());
        };
        writer.u32(peer.last());
        peer.write(writer)?;
        if let Self::Whole { own, braid, .. } = self {
            own.write(writer)?;
            braid.write(writer)?;
        }
        Ok(())
    }

    /// What there is follows from the turn.
    fn read(reader: &mut Reader<'_>, turn: &Turn) -> Result<Self, Error> {
        let chain = match turn {
            Turn::Ended => return Ok(Self::Ended),
            Turn::Theirs { sending, .. } => sending.as_ref(),
            Turn::Ours { .. } => None,
        };
        let emitted = reader.u32()?;
        let peer = Seeds::read(reader, emitted)?;
        if matches!(turn, Turn::Theirs { sending: None, .. }) {
            return Ok(Self::Receiving { peer });
        }
        let own = Seeds::read(reader, emitted)?;
        let braid = Braid::read(reader)?;
        // SPEC §12.4-R4.
        let next_epoch = braid.chain_epoch();
        let in_chain = chain.is_none_or(|chain| {
            chain.epoch == own.first() && matches!(next_epoch.checked_sub(chain.epoch), Some(0 | 1))
        });
        if in_chain && own.first() <= next_epoch && braid.fits(emitted, chain.is_some()) {
            Ok(Self::Whole { own, peer, braid })
        } else {
            Err(Error::Malformed)
        }
    }
}

impl Seeds {
    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.vector_length(self.iter().len())?;
        for seed in self.iter() {
            writer.bytes(seed.expose());
        }
        Ok(())
    }

    /// One to three, the last one that of the epoch `emitted`.
    fn read(reader: &mut Reader<'_>, emitted: u32) -> Result<Self, Error> {
        let count = reader.vector_length()?;
        if count == 0 || count > EPOCHS {
            return Err(Error::Malformed);
        }
        let above = u32::try_from(count.saturating_sub(1)).map_err(|_| Error::Malformed)?;
        let first = emitted.checked_sub(above).ok_or(Error::Malformed)?;
        let mut seeds = Self::new(first, read_secret(reader)?);
        for _ in 1..count {
            seeds.push(read_secret(reader)?);
        }
        Ok(seeds)
    }
}

impl Turn {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Theirs { own, root, sending } => {
                writer
                    .u8(THEIRS)
                    .bytes(own.secret().expose())
                    .bytes(own.public().as_bytes())
                    .bytes(root.expose())
                    .flag(sending.is_some());
                if let Some(chain) = sending {
                    writer
                        .bytes(chain.header_key.expose())
                        .bytes(chain.next_header_key.expose())
                        .bytes(chain.chain_keys.classical.expose())
                        .bytes(chain.chain_keys.quantum.expose())
                        .u32(chain.epoch)
                        .u32(chain.number)
                        .u32(chain.previous_count);
                }
            }
            Self::Ours {
                root,
                next_header_key,
                previous_count,
            } => {
                writer
                    .u8(OURS)
                    .bytes(root.expose())
                    .bytes(next_header_key.expose())
                    .u32(*previous_count);
            }
            Self::Ended => {
                writer.u8(ENDED);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        match reader.u8()? {
            THEIRS => {
                let secret = read_secret(reader)?;
                let public = DhPublic::from_bytes(reader.array()?)?;
                let root = RootKey::new(read_secret(reader)?);
                let sending = match reader.flag()? {
                    true => Some(Box::new(SendingChain {
                        header_key: HeaderKey::new(read_secret(reader)?),
                        next_header_key: HeaderKey::new(read_secret(reader)?),
                        chain_keys: ChainKeys::read(reader)?,
                        epoch: reader.u32()?,
                        number: read_count(reader)?,
                        previous_count: read_count(reader)?,
                    })),
                    false => None,
                };
                Ok(Self::Theirs {
                    own: DhKeyPair::from_stored(secret, public),
                    root,
                    sending,
                })
            }
            OURS => Ok(Self::Ours {
                root: RootKey::new(read_secret(reader)?),
                next_header_key: HeaderKey::new(read_secret(reader)?),
                previous_count: read_count(reader)?,
            }),
            ENDED => Ok(Self::Ended),
            _ => Err(Error::Malformed),
        }
    }
}

impl ReceivingChain {
    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer
            .bytes(self.header_key.expose())
            .bytes(self.chain_keys.classical.expose())
            .bytes(self.chain_keys.quantum.expose())
            .u32(self.epoch)
            .u32(self.number);
        self.keys.write(writer)?;
        self.window.write(writer);
        Ok(())
    }

    fn read(reader: &mut Reader<'_>, bounds: Bounds) -> Result<Self, Error> {
        let header_key = HeaderKey::new(read_secret(reader)?);
        let chain_keys = ChainKeys::read(reader)?;
        let epoch = reader.u32()?;
        let number = read_count(reader)?;
        // A chain is opened by a message.
        if number == 0 {
            return Err(Error::Malformed);
        }
        let keys = StoredKeys::read(reader, number, bounds)?;
        let window = Window::read(reader)?;
        // No slot beyond the numbers there were.
        if window.filled.checked_shr(number).unwrap_or(0) != 0 {
            return Err(Error::Malformed);
        }
        Ok(Self {
            header_key,
            chain_keys,
            epoch,
            number,
            keys,
            window,
        })
    }
}

impl ChainKeys {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            classical: ChainKey::new(read_secret(reader)?),
            quantum: ChainKey::new(read_secret(reader)?),
        })
    }
}

impl StoredKeys {
    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.vector_length(self.len())?;
        for stored in self.iter() {
            writer.u32(stored.number).bytes(stored.key.expose());
        }
        Ok(())
    }

    /// Numbers ascend and stay below `end`.
    fn read(reader: &mut Reader<'_>, end: u32, bounds: Bounds) -> Result<Self, Error> {
        let count = reader.vector_length()?;
        if count > bounds.stored_keys {
            return Err(Error::Malformed);
        }
        let mut bytes = Reader::new(reader.take(count.saturating_mul(36))?);
        let mut keys = Self::with_capacity(count);
        let mut least = 0;
        for _ in 0..count {
            let number = bytes.u32()?;
            if number < least || number >= end {
                return Err(Error::Malformed);
            }
            least = number.saturating_add(1);
            keys.push(number, MessageKey::new(read_secret(&mut bytes)?));
        }
        Ok(keys)
    }
}

impl Window {
    /// The mask, then the filled slots in ascending order.
    fn write(&self, writer: &mut Writer) {
        writer.u32(self.filled);
        for (index, salt) in (0..WINDOW).zip(&self.salts) {
            if self.is_filled(index) {
                writer.bytes(salt);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut window = Self::new();
        window.filled = reader.u32()?;
        for index in 0..WINDOW {
            if window.is_filled(index)
                && let Some(salt) = window
                    .salts
                    .get_mut(usize::try_from(index).unwrap_or(usize::MAX))
            {
                *salt = *reader.array()?;
            }
        }
        Ok(window)
    }

    fn is_filled(&self, index: u32) -> bool {
        self.filled.checked_shr(index).unwrap_or(0) & 1 == 1
    }
}

/// A number of messages in a chain.
fn read_count(reader: &mut Reader<'_>) -> Result<u32, Error> {
    match reader.u32()? {
        count if count <= CHAIN_MAX => Ok(count),
        _ => Err(Error::Malformed),
    }
}

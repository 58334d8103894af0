//! Sending, receiving and closed chains (SPEC §9.2, §9.5).

use alloc::vec::Vec;

use super::keys::SALT;
use super::limits::{CHAIN_MAX, GAP_MAX, WINDOW};
use super::message::{self, Content, Header};
use super::stored_keys::StoredKeys;
use super::{ChainKeys, Error, HeaderKey};
use crate::crypto::Secret;
use crate::crypto::dh::DhPublic;

/// The chain in which we send.
pub(crate) struct SendingChain {
    /// `HKs`
    pub(crate) header_key: HeaderKey,
    /// `NHKs`
    pub(crate) next_header_key: HeaderKey,
    /// `CKs` and `PCKs`
    pub(crate) chain_keys: ChainKeys,
    /// `e_s`: the epoch of the Braid that `PCKs` comes from.
    pub(crate) epoch: u32,
    /// `Ns`: number of the next message.
    pub(crate) number: u32,
    /// `PN`: messages in the chain before.
    pub(crate) previous_count: u32,
}

impl SendingChain {
    /// The message and the next chain key; the chain is moved on by [`advance`](Self::advance).
    pub(super) fn seal(
        &self,
        session_id: &[u8; 32],
        public: &DhPublic,
        prefix: &[u8],
        content: Content<'_>,
        fresh: &Secret<32>,
    ) -> Result<(Vec<u8>, ChainKeys), Error> {
        let header = Header {
            public: *public,
            number: self.number,
            previous_count: self.previous_count,
            epoch: self.epoch,
        };
        let (message_key, next) = self.chain_keys.step();
        let message = message::seal(
            session_id,
            &self.header_key,
            &message_key,
            header,
            prefix,
            content,
            fresh,
        )?;
        Ok((message, next))
    }

    pub(super) fn advance(&mut self, next: ChainKeys) {
        self.chain_keys = next;
        // Below 2^20, or the message would not have been sealed.
        self.number = self.number.saturating_add(1);
    }
}

/// The chain in which the peer sends.
pub(crate) struct ReceivingChain {
    /// `HKr`
    pub(crate) header_key: HeaderKey,
    /// `CKr` and `PCKr`
    pub(crate) chain_keys: ChainKeys,
    /// `e_r`: the epoch of the Braid that `PCKr` comes from.
    pub(crate) epoch: u32,
    /// `Nr`: number of the next message.
    pub(crate) number: u32,
    /// Keys of messages below `Nr` that have not arrived.
    pub(crate) keys: StoredKeys,
    pub(crate) window: Window,
}

/// A chain key moved on to some number, the keys on the way kept.
pub(super) struct Skip {
    pub(super) skipped: StoredKeys,
    pub(super) chain_keys: ChainKeys,
}

impl ReceivingChain {
    pub(super) const fn begin(header_key: HeaderKey, chain_keys: ChainKeys, epoch: u32) -> Self {
        Self {
            header_key,
            chain_keys,
            epoch,
            number: 0,
            keys: StoredKeys::new(),
            window: Window::new(),
        }
    }

    /// The keys of `Nr..number`, and the chain key of `number`. Nothing changes.
    ///
    /// The caller has checked that at most 2,000 are skipped.
    pub(super) fn skip_to(&self, number: u32) -> Skip {
        let gap = number.saturating_sub(self.number).min(GAP_MAX);
        let mut skipped = StoredKeys::with_capacity(usize::try_from(gap).unwrap_or(0));
        let mut chain_keys = self.chain_keys.duplicate();
        for number in (self.number..).take(usize::try_from(gap).unwrap_or(0)) {
            let (key, next) = chain_keys.step();
            skipped.push(number, key);
            chain_keys = next;
        }
        Skip {
            skipped,
            chain_keys,
        }
    }

    /// Takes over what opening message `number` gave: `Nr` is the number after it.
    pub(super) fn advance(&mut self, skip: Skip, next: ChainKeys, number: u32, salt: &[u8; SALT]) {
        self.keys.append(skip.skipped);
        self.chain_keys = next;
        let received = number.saturating_add(1);
        self.window.advance(self.number, received);
        self.number = received;
        self.window.record(number, received, salt);
    }

    /// Takes over that stored message `number` was opened.
    pub(super) fn use_stored(&mut self, number: u32, salt: &[u8; SALT]) {
        self.keys.remove(number);
        self.window.record(number, self.number, salt);
    }

    /// Closes the chain: the keys up to `previous_count` are kept, everything that could make more is erased.
    pub(super) fn close(self, public: DhPublic, kept: StoredKeys) -> ClosedChain {
        let mut keys = self.keys;
        keys.append(kept);
        ClosedChain {
            header_key: self.header_key,
            public,
            epoch: self.epoch,
            keys,
        }
    }
}

/// A chain that the peer has left. Accepts its stored keys and nothing else.
pub(crate) struct ClosedChain {
    /// `HK`
    pub(crate) header_key: HeaderKey,
    /// The ratchet key of the chain.
    pub(crate) public: DhPublic,
    /// The epoch of the chain.
    pub(crate) epoch: u32,
    pub(crate) keys: StoredKeys,
}

/// The first four bytes of the salts of the messages read among the last 32 numbers: slot N mod 32.
pub(crate) struct Window {
    /// Bit i: slot i is filled.
    pub(crate) filled: u32,
    pub(crate) salts: [[u8; 4]; WINDOW as usize],
}

impl Window {
    pub(crate) const fn new() -> Self {
        Self {
            filled: 0,
            salts: [[0; 4]; WINDOW as usize],
        }
    }

    /// Empties the slots of the numbers from `from` up to `to`.
    fn advance(&mut self, from: u32, to: u32) {
        if to.saturating_sub(from) >= WINDOW {
            *self = Self::new();
            return;
        }
        for number in from..to {
            let slot = slot(number);
            self.filled &= !bit(slot);
            if let Some(salt) = self.salts.get_mut(slot) {
                *salt = [0; 4];
            }
        }
    }

    /// Fills the slot of `number`, if it is one of the last 32 below `received` (`Nr`).
    fn record(&mut self, number: u32, received: u32, salt: &[u8; SALT]) {
        if received.saturating_sub(number) > WINDOW {
            return;
        }
        let slot = slot(number);
        self.filled |= bit(slot);
        if let Some(kept) = self.salts.get_mut(slot) {
            *kept = first_four(salt);
        }
    }

    /// What a message with a used `number` below `received` is (SPEC §9.4-R6).
    pub(super) fn judge(&self, number: u32, received: u32, salt: &[u8; SALT]) -> Error {
        let slot = slot(number);
        let recent = received.saturating_sub(number) <= WINDOW && self.filled & bit(slot) != 0;
        if recent && self.salts.get(slot) != Some(&first_four(salt)) {
            return Error::Forked;
        }
        Error::Duplicate
    }
}

fn first_four(salt: &[u8; SALT]) -> [u8; 4] {
    let [a, b, c, d, ..] = *salt;
    [a, b, c, d]
}

fn slot(number: u32) -> usize {
    usize::try_from(number % WINDOW).unwrap_or(0)
}

fn bit(slot: usize) -> u32 {
    u32::try_from(slot)
        .ok()
        .and_then(|slot| 1u32.checked_shl(slot))
        .unwrap_or(0)
}

/// Whether `number` is within reach of a chain that expects `received`.
pub(super) const fn require_reach(number: u32, received: u32) -> Result<(), Error> {
    if number >= CHAIN_MAX {
        return Err(Error::ChainExhausted);
    }
    if number.saturating_sub(received) > GAP_MAX {
        return Err(Error::GapTooLarge);
    }
    Ok(())
}

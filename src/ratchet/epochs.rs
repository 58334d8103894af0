//! The secrets of the Braid's epochs, and the chains' share of them (SPEC §10.1).

use alloc::vec::Vec;

use super::ChainKey;
use super::keys::split;
use super::limits::EPOCHS;
use crate::crypto::Secret;
use crate::crypto::hash::{HmacKey, expand, extract};
use crate::crypto::labels;
use crate::memory;

/// `PQROOT`: what the secret of the next epoch is mixed into.
pub(crate) struct EpochRoot(Secret<32>);

/// What an epoch gives to the two directions.
pub(crate) struct EpochSeeds {
    /// `S_a[e]`: the chains of the state's initiator.
    pub(crate) initiator: Secret<32>,
    /// `S_b[e]`: the chains of the responder.
    pub(crate) responder: Secret<32>,
}

impl EpochRoot {
    pub(crate) const fn new(key: Secret<32>) -> Self {
        Self(key)
    }

    pub(crate) const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Epoch 0: `PQROOT || S_a || S_b = Expand(Extract(Z, PQ0), L("pq start"), 96)`.
    pub(crate) fn start(pq0: &Secret<32>) -> (Self, EpochSeeds) {
        let prk = extract(&[0; 32], &[pq0.expose()]);
        Self::split(&expand(prk.expose(), &[labels::PQ_START]))
    }

    /// Epoch e: `Expand(Extract(PQROOT, secret), L("pq epoch") || u32 e, 96)`.
    pub(crate) fn step(&self, epoch: u32, secret: &Secret<32>) -> (Self, EpochSeeds) {
        let prk = extract(self.expose(), &[secret.expose()]);
        Self::split(&expand(
            prk.expose(),
            &[labels::PQ_EPOCH, &epoch.to_be_bytes()],
        ))
    }

    fn split(okm: &Secret<96>) -> (Self, EpochSeeds) {
        let [root, initiator, responder] = split(okm);
        let seeds = EpochSeeds {
            initiator,
            responder,
        };
        (Self(root), seeds)
    }
}

/// `S[e]` of one direction, for each epoch that its next chain may have: consecutive ones, at most three.
pub(crate) struct Seeds {
    first: u32,
    /// Never empty. The room for all three is there from the start, so that growing leaves no copy behind.
    seeds: Vec<Secret<32>>,
}

/// What opening one chain makes of the seeds, computed before anything changes.
pub(crate) struct SeedStep {
    epoch: u32,
    next: Secret<32>,
}

impl Seeds {
    /// Of `first` only; more are added in ascending order.
    pub(crate) fn new(first: u32, seed: Secret<32>) -> Self {
        let mut seeds = memory::with_capacity(EPOCHS);
        memory::push(&mut seeds, seed);
        Self { first, seeds }
    }

    /// The lowest epoch that the next chain may have.
    pub(crate) const fn first(&self) -> u32 {
        self.first
    }

    /// The greatest one.
    pub(crate) fn last(&self) -> u32 {
        let above = u32::try_from(self.seeds.len().saturating_sub(1)).unwrap_or(0);
        self.first.saturating_add(above)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Secret<32>> {
        self.seeds.iter()
    }

    /// Adds that of the next epoch.
    pub(crate) fn push(&mut self, seed: Secret<32>) {
        // A fourth never comes: a frame is at most two epochs above the chain that it arrives in (SPEC §10.1-R2).
        if self.seeds.len() >= EPOCHS {
            self.forget(1);
        }
        memory::push(&mut self.seeds, seed);
    }

    /// `PCK = HMAC(S[e], 0x01)`, `S[e]' = HMAC(S[e], 0x02)`; `None` for an epoch without a seed.
    pub(crate) fn open(&self, epoch: u32) -> Option<(ChainKey, SeedStep)> {
        let position = usize::try_from(epoch.checked_sub(self.first)?).ok()?;
        let key = HmacKey::new(self.seeds.get(position)?.expose());
        let step = SeedStep {
            epoch,
            next: key.mac(&[&[2]]),
        };
        Some((ChainKey::new(key.mac(&[&[1]])), step))
    }

    /// Takes over that a chain was opened, and erases the seeds of lower epochs.
    pub(crate) fn take(&mut self, step: SeedStep) {
        let below = step.epoch.saturating_sub(self.first);
        self.forget(usize::try_from(below).unwrap_or(usize::MAX));
        if let Some(seed) = self.seeds.first_mut() {
            *seed = step.next;
        }
    }

    fn forget(&mut self, count: usize) {
        let count = count.min(self.seeds.len().saturating_sub(1));
        // They move to the end and are overwritten there.
        self.seeds.rotate_left(count);
        self.seeds.truncate(self.seeds.len().saturating_sub(count));
        self.first = self.first.saturating_add(u32::try_from(count).unwrap_or(0));
    }
}

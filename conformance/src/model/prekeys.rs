//! The private prekeys (SPEC.md §7.1, §7.6).

use super::agreement::{Published, Secrets};
use super::formula::Bytes32;
use super::stored::{Generation, OneTime, Prekeys};
use super::{Answer, error, require};

/// A day in milliseconds.
pub const DAY: u64 = 86_400_000;

/// §7.1-R1.
const GRACE: u64 = 30 * DAY;
/// §7.1-R2.
const VALIDITY: u64 = 37 * DAY;

/// Which private prekeys a first message used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// `spk.id`
    pub spk_id: u32,
    /// `kem.id`, if it is a one-time key.
    pub kem_id: Option<u32>,
    /// `opk.id`
    pub opk_id: Option<u32>,
    /// `H(EK)[..16]`
    pub first_id: [u8; 16],
}

/// The private halves that a first message names.
#[derive(Clone, Debug)]
pub struct Found {
    /// SPK's private half.
    pub spk: Bytes32,
    /// The KEM key's seed.
    pub kem: [u8; 64],
    /// Whether it is a last-resort key.
    pub last_resort: bool,
    /// OPK's private half.
    pub opk: Option<Bytes32>,
    /// What is taken away.
    pub used: Used,
}

impl Generation {
    fn is_held(&self, now: u64) -> bool {
        match self.replaced_at {
            None => true,
            Some(replaced_at) => now < replaced_at.saturating_add(GRACE),
        }
    }
}

impl<const N: usize> OneTime<N> {
    fn is_held(&self, now: u64) -> bool {
        now < self.made_at.saturating_add(VALIDITY).saturating_add(GRACE)
    }
}

impl Prekeys {
    /// The first generation.
    ///
    /// # Errors
    /// None.
    pub fn generate(now: u64, spk: Bytes32, kem: [u8; 64]) -> Answer<Self> {
        let mut prekeys = Self {
            next_id: 1,
            generations: Vec::new(),
            opks: Vec::new(),
            kems: Vec::new(),
        };
        prekeys.rotate(now, spk, kem)?;
        Ok(prekeys)
    }

    /// Two ids from the counter.
    fn take_ids(&mut self) -> Answer<(u32, u32)> {
        let first = self.next_id;
        let next = first.checked_add(2).ok_or(error("PrekeysExhausted"))?;
        self.next_id = next;
        Ok((first, first.saturating_add(1)))
    }

    /// A new generation.
    ///
    /// # Errors
    /// `PrekeysExhausted`.
    pub fn rotate(&mut self, now: u64, spk: Bytes32, kem: [u8; 64]) -> Answer<()> {
        let (spk_id, kem_id) = self.take_ids()?;
        self.expire(now);
        if let Some(last) = self.generations.last_mut() {
            last.replaced_at = Some(now);
        }
        self.generations.push(Generation {
            spk_id,
            spk,
            kem_id,
            kem,
            made_at: now,
            replaced_at: None,
            records: Vec::new(),
        });
        let surplus = self.generations.len().saturating_sub(16);
        self.generations.drain(..surplus);
        Ok(())
    }

    /// How many pairs of one-time keys are made where `count` are asked for.
    #[must_use]
    pub fn room(&self, count: usize, now: u64) -> usize {
        let opks = self.opks.iter().filter(|key| key.is_held(now)).count();
        let kems = self.kems.iter().filter(|key| key.is_held(now)).count();
        count.min(500usize.saturating_sub(opks.max(kems)))
    }

    /// New pairs of one-time keys, and a bundle for each.
    ///
    /// # Errors
    /// `PrekeysExhausted`.
    pub fn replenish(
        &mut self,
        secrets: &Secrets,
        now: u64,
        keys: &[(Bytes32, [u8; 64])],
    ) -> Answer<Vec<Vec<u8>>> {
        let mut after = self.clone();
        after.expire(now);
        let mut bundles = Vec::new();
        for (opk, kem) in keys {
            let (opk_id, kem_id) = after.take_ids()?;
            after.opks.push(OneTime {
                id: opk_id,
                secret: *opk,
                made_at: now,
            });
            after.kems.push(OneTime {
                id: kem_id,
                secret: *kem,
                made_at: now,
            });
            let kem = (kem_id, *kem, now.saturating_add(VALIDITY), false);
            let keys = after.published(kem, Some((opk_id, *opk)))?;
            bundles.push(keys.bundle(secrets)?.bundle);
        }
        require(!bundles.is_empty(), "PrekeysExhausted")?;
        *self = after;
        Ok(bundles)
    }

    /// The last-resort bundle.
    ///
    /// # Errors
    /// `PrekeyGone` if there is no generation.
    pub fn last_resort_bundle(&self, secrets: &Secrets) -> Answer<Vec<u8>> {
        let newest = self.generations.last().ok_or(error("PrekeyGone"))?;
        let not_after = newest.made_at.saturating_add(VALIDITY);
        let keys = self.published((newest.kem_id, newest.kem, not_after, true), None)?;
        Ok(keys.bundle(secrets)?.bundle)
    }

    fn published(
        &self,
        kem: (u32, [u8; 64], u64, bool),
        opk: Option<(u32, Bytes32)>,
    ) -> Answer<Published> {
        let newest = self.generations.last().ok_or(error("PrekeyGone"))?;
        let not_after = newest.made_at.saturating_add(VALIDITY);
        Ok(Published {
            spk: (newest.spk_id, newest.spk, not_after),
            kem,
            opk,
        })
    }

    /// Deletes what is past its time.
    pub fn expire(&mut self, now: u64) {
        self.generations
            .retain(|generation| generation.is_held(now));
        self.opks.retain(|key| key.is_held(now));
        self.kems.retain(|key| key.is_held(now));
    }

    /// The private halves with these ids (§7.5-R3), and the replay check.
    ///
    /// # Errors
    /// `PrekeyGone`, `ReplayedFirst`, `ReplayRecordFull`.
    pub fn find(
        &self,
        spk_id: u32,
        kem_id: u32,
        opk_id: Option<u32>,
        first_id: [u8; 16],
        now: u64,
    ) -> Answer<Found> {
        let gone = || error("PrekeyGone");
        let mut held = self.generations.iter().filter(|old| old.is_held(now));
        let spk = held.clone().find(|old| old.spk_id == spk_id);
        let spk = spk.ok_or_else(gone)?.spk;
        let one_time = self.kems.iter().find(|key| key.id == kem_id);
        let one_time = one_time.filter(|key| key.is_held(now));
        let kem = match one_time {
            Some(key) => key.secret,
            None => held.find(|old| old.kem_id == kem_id).ok_or_else(gone)?.kem,
        };
        let opk = match opk_id {
            None => None,
            Some(id) => {
                let key = self.opks.iter().find(|key| key.id == id);
                let key = key.filter(|key| key.is_held(now)).ok_or_else(gone)?;
                Some(key.secret)
            }
        };
        let used = Used {
            spk_id,
            kem_id: one_time.map(|key| key.id),
            opk_id,
            first_id,
        };
        self.require_fresh(&used)?;
        Ok(Found {
            spk,
            kem,
            last_resort: one_time.is_none(),
            opk,
            used,
        })
    }

    /// §7.6-R2, and at the moment of the verdict also what R3 says of one-time keys.
    fn require_fresh(&self, used: &Used) -> Answer<()> {
        let generation = self
            .generations
            .iter()
            .find(|old| old.spk_id == used.spk_id);
        let generation = generation.ok_or(error("PrekeyGone"))?;
        let kem = used
            .kem_id
            .is_none_or(|id| self.kems.iter().any(|key| key.id == id));
        let opk = used
            .opk_id
            .is_none_or(|id| self.opks.iter().any(|key| key.id == id));
        require(kem && opk, "PrekeyGone")?;
        if used.kem_id.is_none() && used.opk_id.is_none() {
            require(
                !generation.records.contains(&used.first_id),
                "ReplayedFirst",
            )?;
            require(generation.records.len() < 8_192, "ReplayRecordFull")?;
        }
        Ok(())
    }

    /// §7.6-R3.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn consume(&mut self, used: &Used) -> Answer<()> {
        self.require_fresh(used)?;
        self.kems.retain(|key| Some(key.id) != used.kem_id);
        self.opks.retain(|key| Some(key.id) != used.opk_id);
        if used.kem_id.is_none() && used.opk_id.is_none() {
            for generation in &mut self.generations {
                if generation.spk_id == used.spk_id {
                    generation.records.push(used.first_id);
                    generation.records.sort_unstable();
                }
            }
        }
        Ok(())
    }
}

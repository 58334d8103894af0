//! The responder's private prekeys: made, published, rotated, used up (SPEC §7.1, §7.6).

use alloc::vec::Vec;

use super::bundle::{Bundle, KemPrekey, OneTimePrekey, SignedPrekey};
use super::limits::{
    GENERATIONS, GRACE, LEFT_OUT, ONE_TIME_KEYS, REPLAY_RECORDS, ROTATION, VALIDITY,
};
use super::{Error, FirstPrefix, Used};
use crate::crypto::dh::DhKeyPair;
use crate::crypto::hedge::{Entropy, Hedged, fresh};
use crate::crypto::kem::{KEM_SEED, KemKeyPair};
use crate::crypto::labels::purpose;
use crate::crypto::{Secret, TryCryptoRng};
use crate::identity::DeviceIdentity;
use crate::memory;

/// A signed prekey and the last-resort KEM key that rotates with it.
pub(super) struct Generation {
    pub(super) signed_id: u32,
    pub(super) signed: DhKeyPair,
    pub(super) kem_id: u32,
    pub(super) kem_seed: Secret<KEM_SEED>,
    pub(super) made_at: u64,
    /// When a successor took its place; its private halves go [`GRACE`] later.
    pub(super) replaced_at: Option<u64>,
    /// `H(EK)[..16]` of every first message that used no one-time key, ascending.
    pub(super) first_ids: Vec<[u8; 16]>,
}

impl Generation {
    fn is_live(&self, now: u64) -> bool {
        self.replaced_at
            .is_none_or(|replaced_at| now < replaced_at.saturating_add(GRACE))
    }

    fn not_after(&self) -> u64 {
        self.made_at.saturating_add(VALIDITY)
    }
}

/// A one-time X25519 key. Its public half is computed where it is needed.
pub(super) struct OneTimeDh {
    pub(super) id: u32,
    pub(super) secret: Secret<32>,
    pub(super) made_at: u64,
}

/// A one-time KEM key.
pub(super) struct OneTimeKem {
    pub(super) id: u32,
    pub(super) seed: Secret<KEM_SEED>,
    pub(super) made_at: u64,
}

/// Whether a one-time key made at `made_at` is still held: until a bundle with it is stale, and a grace longer.
fn one_time_is_live(made_at: u64, now: u64) -> bool {
    now < made_at.saturating_add(VALIDITY).saturating_add(GRACE)
}

/// Every private prekey of a device.
///
/// A plain value: export it in the same commit as the conversation that used one of its keys, and *before* a
/// bundle made from it leaves the device, so that no id is ever used twice.
pub struct Prekeys {
    /// The id that the next key gets. Ids begin at 1 and are never reused.
    pub(super) next_id: u32,
    /// Oldest first; the last one is the newest and the only one that is published.
    pub(super) generations: Vec<Generation>,
    /// By ascending id.
    pub(super) one_time_dh: Vec<OneTimeDh>,
    /// By ascending id.
    pub(super) one_time_kem: Vec<OneTimeKem>,
}

impl Prekeys {
    /// Makes the first signed prekey and last-resort KEM key of a device.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn generate(
        device: &DeviceIdentity,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Self, Error> {
        Self::generate_with(now, &mut Hedged::new(device.hedge(), rng))
    }

    pub(crate) fn generate_with(now: u64, entropy: &mut impl Entropy) -> Result<Self, Error> {
        let mut prekeys = Self {
            next_id: 1,
            generations: Vec::new(),
            one_time_dh: Vec::new(),
            one_time_kem: Vec::new(),
        };
        prekeys.rotate_with(now, entropy)?;
        Ok(prekeys)
    }

    /// Whether the newest signed prekey is older than [`ROTATION`], or has taken so many first messages that its
    /// replay record is full.
    #[must_use]
    pub fn rotation_due(&self, now: u64) -> bool {
        self.generations.last().is_none_or(|newest| {
            now >= newest.made_at.saturating_add(ROTATION)
                || newest.first_ids.len() >= REPLAY_RECORDS
        })
    }

    /// Makes a new signed prekey and last-resort KEM key; the old ones stay readable for [`GRACE`]. Publish
    /// [`last_resort_bundle`](Self::last_resort_bundle) and fresh one-time bundles afterwards.
    ///
    /// # Errors
    /// [`Error::PrekeysExhausted`], [`Error::Rng`]; the state is what it was.
    pub fn rotate(
        &mut self,
        device: &DeviceIdentity,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(), Error> {
        self.rotate_with(now, &mut Hedged::new(device.hedge(), rng))
    }

    pub(crate) fn rotate_with(
        &mut self,
        now: u64,
        entropy: &mut impl Entropy,
    ) -> Result<(), Error> {
        let signed_id = self.next_id;
        let kem_id = next(signed_id)?;
        let next_id = next(kem_id)?;
        let made_at = now.to_be_bytes();
        let signed = entropy.derive(
            purpose::SIGNED_PREKEY,
            &[&signed_id.to_be_bytes(), &made_at],
        )?;
        let kem_seed = entropy.derive(purpose::KEM_SEED, &[&kem_id.to_be_bytes(), &made_at])?;

        self.expire(now);
        if let Some(newest) = self.generations.last_mut() {
            newest.replaced_at = Some(now);
        }
        if self.generations.len() >= GENERATIONS {
            memory::remove(&mut self.generations, 0);
        }
        let generation = Generation {
            signed_id,
            signed: DhKeyPair::from_secret(signed),
            kem_id,
            kem_seed,
            made_at: now,
            replaced_at: None,
            first_ids: Vec::new(),
        };
        memory::push(&mut self.generations, generation);
        self.next_id = next_id;
        Ok(())
    }

    /// For a device that was set back to an older state of itself (SPEC §19.6): no one-time key is held any more, the next
    /// [`LEFT_OUT`] ids and up to 2^24 more, at random, are left out, and there is a new generation. Publish everything anew afterwards.
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate); the state is what it was.
    pub fn restart(
        &mut self,
        device: &DeviceIdentity,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(), Error> {
        let before = self.next_id;
        // At random, so that one backup that is restored twice does not give its ids twice.
        let [_, a, b, c, ..] = *fresh(rng)?.expose();
        let more = u32::from_be_bytes([0, a, b, c]);
        self.next_id = before
            .checked_add(LEFT_OUT)
            .and_then(|id| id.checked_add(more))
            .ok_or(Error::PrekeysExhausted)?;
        if let Err(error) = self.rotate(device, now, rng) {
            self.next_id = before;
            return Err(error);
        }
        memory::clear(&mut self.one_time_dh);
        memory::clear(&mut self.one_time_kem);
        Ok(())
    }

    /// Makes up to `count` pairs of one-time keys and a bundle for each, to be handed out once. Fewer come when
    /// [`ONE_TIME_KEYS`] would be passed: keys that a server claims to have lost are still held here.
    ///
    /// # Errors
    /// [`Error::PrekeysExhausted`] if none can be made, [`Error::Rng`]; the state is what it was.
    pub fn replenish(
        &mut self,
        device: &DeviceIdentity,
        count: usize,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<Vec<u8>>, Error> {
        let entropy = &mut Hedged::new(device.hedge(), rng);
        self.replenish_with(device, count, now, entropy)
    }

    pub(crate) fn replenish_with(
        &mut self,
        device: &DeviceIdentity,
        count: usize,
        now: u64,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let held = self
            .one_time_dh
            .iter()
            .filter(|key| one_time_is_live(key.made_at, now))
            .count()
            .max(
                self.one_time_kem
                    .iter()
                    .filter(|key| one_time_is_live(key.made_at, now))
                    .count(),
            );
        let count = count.min(ONE_TIME_KEYS.saturating_sub(held));
        if count == 0 {
            return Err(Error::PrekeysExhausted);
        }
        let newest = self.generations.last().ok_or(Error::PrekeyGone)?;
        let signed = SignedPrekey {
            id: newest.signed_id,
            key: *newest.signed.public(),
            not_after: newest.not_after(),
        };
        let made_at = now.to_be_bytes();
        let mut next_id = self.next_id;
        let mut bundles = memory::with_capacity(count);
        let mut dh_keys = memory::with_capacity(count);
        let mut kem_keys = memory::with_capacity(count);
        for _ in 0..count {
            let dh_id = next_id;
            let kem_id = next(dh_id)?;
            next_id = next(kem_id)?;
            let secret =
                entropy.derive(purpose::ONE_TIME_PREKEY, &[&dh_id.to_be_bytes(), &made_at])?;
            let seed = entropy.derive(purpose::KEM_SEED, &[&kem_id.to_be_bytes(), &made_at])?;
            let pair = DhKeyPair::from_secret(secret);
            let kem = KemPrekey {
                id: kem_id,
                last_resort: false,
                not_after: now.saturating_add(VALIDITY),
                key: KemKeyPair::from_seed(&seed).public().clone(),
            };
            let one_time = OneTimePrekey {
                id: dh_id,
                key: *pair.public(),
            };
            let bundle = Bundle::encode(device, &signed, &kem, Some(&one_time))?;
            memory::push(&mut bundles, bundle);
            let dh_key = OneTimeDh {
                id: dh_id,
                secret: pair.secret().duplicate(),
                made_at: now,
            };
            memory::push(&mut dh_keys, dh_key);
            let kem_key = OneTimeKem {
                id: kem_id,
                seed,
                made_at: now,
            };
            memory::push(&mut kem_keys, kem_key);
        }
        self.expire(now);
        memory::append(&mut self.one_time_dh, &mut dh_keys);
        memory::append(&mut self.one_time_kem, &mut kem_keys);
        self.next_id = next_id;
        Ok(bundles)
    }

    /// The bundle that is handed out when no one-time bundle is left; good for any number of initiators.
    ///
    /// # Errors
    /// None with the present primitives; a signing backend may refuse.
    pub fn last_resort_bundle(&self, device: &DeviceIdentity) -> Result<Vec<u8>, Error> {
        let newest = self.generations.last().ok_or(Error::PrekeyGone)?;
        let signed = SignedPrekey {
            id: newest.signed_id,
            key: *newest.signed.public(),
            not_after: newest.not_after(),
        };
        let kem = KemPrekey {
            id: newest.kem_id,
            last_resort: true,
            not_after: newest.not_after(),
            key: KemKeyPair::from_seed(&newest.kem_seed).public().clone(),
        };
        Bundle::encode(device, &signed, &kem, None)
    }

    /// Deletes the private halves whose time is over. Every other call does it as well.
    pub fn expire(&mut self, now: u64) {
        memory::retain(&mut self.generations, |generation| generation.is_live(now));
        memory::retain(&mut self.one_time_dh, |key| {
            one_time_is_live(key.made_at, now)
        });
        memory::retain(&mut self.one_time_kem, |key| {
            one_time_is_live(key.made_at, now)
        });
    }

    /// How many one-time keys are held, unused: X25519 and ML-KEM.
    #[must_use]
    pub fn one_time_keys(&self) -> (usize, usize) {
        (self.one_time_dh.len(), self.one_time_kem.len())
    }

    /// Finds the private keys that a first message names, and refuses a replay (SPEC §7.6).
    pub(super) fn find(&self, first: &FirstPrefix<'_>, now: u64) -> Result<Found<'_>, Error> {
        let generation = self
            .generations
            .iter()
            .find(|generation| generation.signed_id == first.signed_id && generation.is_live(now))
            .ok_or(Error::PrekeyGone)?;
        let one_time_kem = self
            .one_time_kem
            .iter()
            .find(|key| key.id == first.kem_id && one_time_is_live(key.made_at, now));
        let last_resort = self
            .generations
            .iter()
            .find(|generation| generation.kem_id == first.kem_id && generation.is_live(now));
        let kem = match (one_time_kem, last_resort) {
            (Some(key), _) => FoundKem::OneTime(key),
            (None, Some(generation)) => FoundKem::LastResort(generation),
            (None, None) => return Err(Error::PrekeyGone),
        };
        let one_time_dh = match first.one_time_id {
            None => None,
            Some(id) => Some(
                self.one_time_dh
                    .iter()
                    .find(|key| key.id == id && one_time_is_live(key.made_at, now))
                    .ok_or(Error::PrekeyGone)?,
            ),
        };
        let found = Found {
            generation,
            kem,
            one_time_dh,
            first_id: first.first_id(),
        };
        self.require_fresh(&found.used())?;
        Ok(found)
    }

    /// Without a one-time key the record decides whether the message is a replay (SPEC §7.6-R3).
    fn require_fresh(&self, used: &Used) -> Result<(), Error> {
        let generation = self
            .generations
            .iter()
            .find(|generation| generation.signed_id == used.signed_id)
            .ok_or(Error::PrekeyGone)?;
        if let Some(id) = used.one_time_kem {
            self.one_time_kem
                .iter()
                .find(|key| key.id == id)
                .ok_or(Error::PrekeyGone)?;
        }
        if let Some(id) = used.one_time_dh {
            self.one_time_dh
                .iter()
                .find(|key| key.id == id)
                .ok_or(Error::PrekeyGone)?;
        }
        if used.one_time().last_resort_only() {
            if generation.first_ids.binary_search(&used.first_id).is_ok() {
                return Err(Error::ReplayedFirst);
            }
            if generation.first_ids.len() >= REPLAY_RECORDS {
                return Err(Error::ReplayRecordFull);
            }
        }
        Ok(())
    }

    /// Takes away the one-time keys of a first message, or records it (SPEC §7.6-R3). Two messages staged with the
    /// same one-time key meet here: the second is refused.
    ///
    /// # Errors
    /// [`Error::PrekeyGone`], [`Error::ReplayedFirst`], [`Error::ReplayRecordFull`]; the state is what it was.
    pub fn consume(&mut self, used: &Used) -> Result<(), Error> {
        self.require_fresh(used)?;
        memory::retain(&mut self.one_time_kem, |key| {
            Some(key.id) != used.one_time_kem
        });
        memory::retain(&mut self.one_time_dh, |key| {
            Some(key.id) != used.one_time_dh
        });
        if used.one_time().last_resort_only() {
            for generation in &mut self.generations {
                if generation.signed_id == used.signed_id
                    && let Err(position) = generation.first_ids.binary_search(&used.first_id)
                {
                    memory::insert(&mut generation.first_ids, position, used.first_id);
                }
            }
        }
        Ok(())
    }
}

/// The id after `id` (SPEC §7.1-R3).
fn next(id: u32) -> Result<u32, Error> {
    id.checked_add(1).ok_or(Error::PrekeysExhausted)
}

enum FoundKem<'a> {
    OneTime(&'a OneTimeKem),
    LastResort(&'a Generation),
}

/// The private keys that one first message names.
pub(crate) struct Found<'a> {
    generation: &'a Generation,
    kem: FoundKem<'a>,
    one_time_dh: Option<&'a OneTimeDh>,
    first_id: [u8; 16],
}

impl Found<'_> {
    pub(super) const fn signed_pair(&self) -> &DhKeyPair {
        &self.generation.signed
    }

    pub(super) fn signed_prekey(&self) -> SignedPrekey {
        SignedPrekey {
            id: self.generation.signed_id,
            key: *self.generation.signed.public(),
            not_after: self.generation.not_after(),
        }
    }

    pub(super) fn kem_pair(&self) -> KemKeyPair {
        KemKeyPair::from_seed(match self.kem {
            FoundKem::OneTime(key) => &key.seed,
            FoundKem::LastResort(generation) => &generation.kem_seed,
        })
    }

    pub(super) fn kem_prekey(&self, pair: &KemKeyPair) -> KemPrekey {
        let (id, last_resort, made_at) = match self.kem {
            FoundKem::OneTime(key) => (key.id, false, key.made_at),
            FoundKem::LastResort(generation) => (generation.kem_id, true, generation.made_at),
        };
        KemPrekey {
            id,
            last_resort,
            not_after: made_at.saturating_add(VALIDITY),
            key: pair.public().clone(),
        }
    }

    pub(super) fn one_time_pair(&self) -> Option<DhKeyPair> {
        self.one_time_dh
            .map(|key| DhKeyPair::from_secret(key.secret.duplicate()))
    }

    pub(super) fn one_time_prekey(&self, pair: Option<&DhKeyPair>) -> Option<OneTimePrekey> {
        Some(OneTimePrekey {
            id: self.one_time_dh?.id,
            key: *pair?.public(),
        })
    }

    pub(super) fn used(&self) -> Used {
        Used {
            signed_id: self.generation.signed_id,
            one_time_kem: match self.kem {
                FoundKem::OneTime(key) => Some(key.id),
                FoundKem::LastResort(_) => None,
            },
            one_time_dh: self.one_time_dh.map(|key| key.id),
            first_id: self.first_id,
        }
    }
}

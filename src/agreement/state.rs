//! The stored form of the private prekeys (SPEC §12.3).

use alloc::vec::Vec;

use super::Error;
use super::limits::{GENERATIONS, ONE_TIME_KEYS, REPLAY_RECORDS};
use super::prekeys::{Generation, OneTimeDh, OneTimeKem, Prekeys};
use crate::crypto::Secret;
use crate::crypto::dh::DhKeyPair;
use crate::memory;
use crate::wire::{Reader, Writer};

impl Prekeys {
    /// Writes the stored form.
    pub(crate) fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.u32(self.next_id);
        writer.vector_length(self.generations.len())?;
        for generation in &self.generations {
            writer
                .u32(generation.signed_id)
                .bytes(generation.signed.secret().expose())
                .u32(generation.kem_id)
                .bytes(generation.kem_seed.expose())
                .u64(generation.made_at)
                .flag(generation.replaced_at.is_some());
            if let Some(replaced_at) = generation.replaced_at {
                writer.u64(replaced_at);
            }
            writer.vector_length(generation.first_ids.len())?;
            for first_id in &generation.first_ids {
                writer.bytes(first_id);
            }
        }
        writer.vector_length(self.one_time_dh.len())?;
        for key in &self.one_time_dh {
            writer
                .u32(key.id)
                .bytes(key.secret.expose())
                .u64(key.made_at);
        }
        writer.vector_length(self.one_time_kem.len())?;
        for key in &self.one_time_kem {
            writer.u32(key.id).bytes(key.seed.expose()).u64(key.made_at);
        }
        Ok(())
    }

    /// An upper bound of the bytes that [`write`](Self::write) takes.
    pub(crate) fn size_hint(&self) -> usize {
        let records: usize = self
            .generations
            .iter()
            .map(|generation| generation.first_ids.len())
            .sum();
        let keys = self
            .generations
            .len()
            .saturating_add(self.one_time_dh.len())
            .saturating_add(self.one_time_kem.len());
        records
            .saturating_mul(16)
            .saturating_add(keys.saturating_mul(128))
            .saturating_add(64)
    }

    /// Reads the stored form; whatever no sequence of calls leads to is refused (SPEC §12.3-R2).
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let next_id = reader.u32()?;
        let mut ids = Vec::new();
        let mut generations = Vec::new();
        let count = count(reader, GENERATIONS)?;
        for index in 0..count {
            let generation = read_generation(reader)?;
            memory::extend(&mut ids, &[generation.signed_id, generation.kem_id]);
            // Exactly the newest one has no successor.
            if generation.replaced_at.is_none() != (index.checked_add(1) == Some(count)) {
                return Err(Error::Malformed);
            }
            memory::push(&mut generations, generation);
        }
        require_ascending(ids.iter().copied())?;
        let mut one_time_dh = Vec::new();
        for _ in 0..self::count(reader, ONE_TIME_KEYS)? {
            let key = OneTimeDh {
                id: reader.u32()?,
                secret: Secret::new(*reader.array()?),
                made_at: reader.u64()?,
            };
            memory::push(&mut one_time_dh, key);
        }
        let mut one_time_kem = Vec::new();
        for _ in 0..self::count(reader, ONE_TIME_KEYS)? {
            let key = OneTimeKem {
                id: reader.u32()?,
                seed: Secret::new(*reader.array()?),
                made_at: reader.u64()?,
            };
            memory::push(&mut one_time_kem, key);
        }
        let dh_ids = || one_time_dh.iter().map(|key: &OneTimeDh| key.id);
        let kem_ids = || one_time_kem.iter().map(|key: &OneTimeKem| key.id);
        require_ascending(dh_ids())?;
        require_ascending(kem_ids())?;
        // No id twice, none zero, none that would be given out again.
        let is_prekey = |id| ids.binary_search(&id).is_ok();
        let is_dh = |id| one_time_dh.binary_search_by_key(&id, |key| key.id).is_ok();
        let twice = dh_ids().any(is_prekey) || kem_ids().any(|id| is_prekey(id) || is_dh(id));
        let mut all = ids.iter().copied().chain(dh_ids()).chain(kem_ids());
        if twice || all.any(|id| id == 0 || id >= next_id) {
            return Err(Error::Malformed);
        }
        if generations.is_empty() {
            return Err(Error::Malformed);
        }
        Ok(Self {
            next_id,
            generations,
            one_time_dh,
            one_time_kem,
        })
    }
}

fn read_generation(reader: &mut Reader<'_>) -> Result<Generation, Error> {
    let signed_id = reader.u32()?;
    let signed = DhKeyPair::from_secret(Secret::new(*reader.array()?));
    let kem_id = reader.u32()?;
    let kem_seed = Secret::new(*reader.array()?);
    let made_at = reader.u64()?;
    let replaced_at = match reader.flag()? {
        true => Some(reader.u64()?),
        false => None,
    };
    let mut first_ids: Vec<[u8; 16]> = Vec::new();
    for _ in 0..count(reader, REPLAY_RECORDS)? {
        memory::push(&mut first_ids, *reader.array()?);
    }
    require_ascending(first_ids.iter())?;
    Ok(Generation {
        signed_id,
        signed,
        kem_id,
        kem_seed,
        made_at,
        replaced_at,
        first_ids,
    })
}

/// The number of elements of a list, at most `max`.
fn count(reader: &mut Reader<'_>, max: usize) -> Result<usize, Error> {
    match reader.vector_length()? {
        count if count <= max => Ok(count),
        _ => Err(Error::Malformed),
    }
}

fn require_ascending<T: Ord>(values: impl Iterator<Item = T>) -> Result<(), Error> {
    if values.is_sorted_by(|a, b| a < b) {
        Ok(())
    } else {
        Err(Error::Malformed)
    }
}

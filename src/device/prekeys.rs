//! What a device publishes, so that others can write to it.

use alloc::vec::Vec;

use super::batch::Batch;
use super::limits::REPUBLISH;
use super::store::Store;
use super::{Device, Error};
use crate::agreement::limits::ONE_TIME_KEYS;
use crate::crypto::TryCryptoRng;
use crate::session;

/// Bundles for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Replaces the one that the server has; handed out when no other is left.
    pub last_resort: Vec<u8>,
    /// Each is handed out once.
    pub one_time: Vec<Vec<u8>>,
    /// The server forgets all one-time bundles that it had of this device: their prekeys were replaced, or are lost.
    pub replaces: bool,
}

impl<S: Store> Device<S> {
    /// Whether [`publish`](Self::publish) should be called: a rotation is due, or a first message could not be read.
    ///
    /// # Errors
    /// Those of the store.
    pub fn publish_due<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: u64,
        rng: &mut R,
    ) -> Result<bool, Error> {
        self.transact(rng, |batch| {
            let last = batch.root.published_at;
            // A clock that was set back does not keep it waiting.
            let waited = now < last || now >= last.saturating_add(REPUBLISH);
            let asked = batch.root.publish_due && waited;
            Ok(asked || batch.prekeys()?.rotation_due(now))
        })
    }

    /// Makes bundles to be published: the last-resort one, and up to `count` one-time bundles, as many as may be held.
    /// Rotates the signed prekey if that is due.
    ///
    /// # Errors
    /// Those of the store and of the generator, and [`session::Error::PrekeysExhausted`] after 2^32 ids.
    pub fn publish<R: TryCryptoRng + ?Sized>(
        &mut self,
        count: usize,
        now: u64,
        rng: &mut R,
    ) -> Result<Published, Error> {
        self.transact(rng, |batch| {
            let identity = batch.identity;
            // SPEC §19.5-R4
            let is_first = batch.root.published_at == 0;
            let (prekeys, rng) = batch.prekeys_and_rng()?;
            let rotates = prekeys.rotation_due(now);
            if rotates {
                prekeys.rotate(identity, now, rng)?;
            }
            prekeys.expire(now);
            let held = prekeys.one_time_keys();
            let room = ONE_TIME_KEYS.saturating_sub(held.0.max(held.1));
            let one_time = match count.min(room) {
                0 => Vec::new(),
                count => prekeys.replenish(identity, count, now, rng)?,
            };
            let published = Published {
                last_resort: prekeys.last_resort_bundle(identity)?,
                one_time,
                replaces: rotates || is_first,
            };
            batch.prekeys_changed();
            batch.root.publish_due = false;
            batch.root.published_at = now;
            Ok(published)
        })
    }
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// SPEC §19.6-R3
    pub(super) fn restart_prekeys(&mut self, now: u64) -> Result<(), Error> {
        let identity = self.identity;
        let (prekeys, rng) = self.prekeys_and_rng()?;
        prekeys.restart(identity, now, rng)?;
        self.prekeys_changed();
        Ok(())
    }

    /// A first message was refused for want of a prekey, or of room to remember it: others are to be published.
    pub(super) fn note_missing_prekey(&mut self, error: session::Error) {
        if error.action() == session::Action::RotatePrekeys {
            self.root.publish_due = true;
        }
    }
}

//! Key packages: what a device publishes so that others can add it to their groups.

use alloc::vec::Vec;

use super::credentials::{SUITE, client, signer};
use super::time::seconds;
use crate::crypto::TryCryptoRng;
use crate::device::batch::Batch;
use crate::device::group_mail::PublishedKeyPackages;
use crate::device::limits::{KEY_PACKAGE_LIFETIME, KEY_PACKAGES, LAST_RESORT_LIFETIME};
use crate::device::store::Store;
use crate::device::values::{HeldKeyPackage, HeldKeyPackages};
use crate::device::{Device, Error};
use crate::memory;
use crate::mls::{ExtensionType, Extensions, KeyPackage, Lifetime, Message};

impl<S: Store> Device<S> {
    /// Makes key packages to be published: up to `count` that are used once, as many as may be held, and one of last resort
    /// if it is due. Those that have run out are deleted.
    ///
    /// # Errors
    /// Those of the store and of the generator.
    pub fn publish_key_packages<R: TryCryptoRng + ?Sized>(
        &mut self,
        count: usize,
        now: u64,
        rng: &mut R,
    ) -> Result<PublishedKeyPackages, Error> {
        self.transact(rng, |batch| {
            let mut held = batch.read::<HeldKeyPackages>(&[])?.unwrap_or_default();
            let at = seconds(now);
            memory::retain(&mut held.0, |held| at <= held.lifetime.1);
            let newest = held.0.iter().rev().find(|held| held.last_resort);
            let due = newest.is_none_or(|newest| {
                at < newest.lifetime.0
                    || at.saturating_sub(newest.lifetime.0) >= LAST_RESORT_LIFETIME
            });
            let last_resort = if due {
                // The one before may still be used by who has fetched it.
                let mut left = held.0.iter().filter(|held| held.last_resort).count();
                memory::retain(&mut held.0, |held| {
                    let keep = !held.last_resort || left <= 1;
                    if held.last_resort {
                        left = left.saturating_sub(1);
                    }
                    keep
                });
                Some(batch.key_package(&mut held, true, at)?)
            } else {
                None
            };
            let room = KEY_PACKAGES.saturating_sub(held.0.len().max(2));
            let mut one_time = Vec::new();
            for _ in 0..count.min(room) {
                memory::push(&mut one_time, batch.key_package(&mut held, false, at)?);
            }
            batch.put(&[], &held)?;
            Ok(PublishedKeyPackages {
                last_resort,
                one_time,
            })
        })
    }
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// Makes a key package, and keeps its private keys.
    fn key_package(
        &mut self,
        held: &mut HeldKeyPackages,
        last_resort: bool,
        now: u64,
    ) -> Result<Vec<u8>, Error> {
        let lifetime = Lifetime::from_now(now, KEY_PACKAGE_LIFETIME);
        let mut extensions = Extensions::new();
        if last_resort {
            extensions = extensions.with(ExtensionType::LAST_RESORT, Vec::new());
        }
        let (key_package, secrets) = KeyPackage::generate(
            SUITE,
            &signer(self.identity)?,
            client(self.identity),
            lifetime,
            extensions,
            self.rng,
        )?;
        let [init, encryption] = secrets.secrets();
        let reference = key_package.reference()?;
        let message = Message::KeyPackage(key_package).encode()?;
        let new = HeldKeyPackage {
            reference,
            last_resort,
            lifetime: (lifetime.not_before, lifetime.not_after),
            message: memory::copied(&message),
            init,
            encryption,
        };
        memory::push(&mut held.0, new);
        Ok(message)
    }
}

//! A device with its prekeys and its random number generator.

use core::convert::Infallible;

use alloc::vec::Vec;

use subrosa::crypto::{TryCryptoRng, TryRng};
use subrosa::session::Stored;
use subrosa::{
    Address, AppKey, Bundle, DeviceIdentity, Error, Prekeys, Slot, VerifiedBundle, export, import,
};

/// Unix milliseconds at which the program begins: 2026-01-01. The board has no clock that would know.
pub const NOW: u64 = 1_767_225_600_000;

const SLOT: Slot<'static> = Slot {
    store_key: b"value",
    generation: 1,
};

/// SplitMix64, so that every run is the same run. A product draws from the chip's true random number generator.
pub struct SeededRng(pub u64);

impl SeededRng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

impl TryRng for SeededRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for SeededRng {}

pub struct Device {
    pub identity: DeviceIdentity,
    pub prekeys: Prekeys,
    pub rng: SeededRng,
}

impl Device {
    pub fn new(name: &str, seed: u64) -> Result<Self, Error> {
        let mut rng = SeededRng(seed);
        let address = Address::new(name.as_bytes())?;
        let identity = DeviceIdentity::generate(address, &mut rng)?;
        let prekeys = Prekeys::generate(&identity, NOW, &mut rng)?;
        Ok(Self {
            identity,
            prekeys,
            rng,
        })
    }

    /// A bundle with one-time keys, as the server would hand it out.
    pub fn bundle(&mut self) -> Result<Vec<u8>, Error> {
        let Self {
            identity,
            prekeys,
            rng,
        } = self;
        let mut bundles = prekeys.replenish(identity, 1, NOW, rng)?;
        Ok(bundles.remove(0))
    }

    /// What the device stores of a value. The salt is always the same, so that equal states give equal bytes: a
    /// product draws it anew each time.
    pub fn stored<T: Stored>(&self, value: &T) -> Result<Vec<u8>, Error> {
        export(value, &self.identity, SLOT, &app_key(), &mut SeededRng(1))
    }
}

pub fn loaded<T: Stored>(stored: &[u8]) -> Result<T, Error> {
    import(stored, SLOT, &app_key())
}

pub fn verified(bundle: &[u8]) -> Result<VerifiedBundle, Error> {
    Ok(Bundle::parse(bundle)?.verify(NOW)?)
}

const fn app_key() -> AppKey {
    AppKey::new([7; 32])
}

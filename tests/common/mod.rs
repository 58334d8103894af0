//! What several integration tests share: a seeded generator, and two devices.
#![allow(dead_code, reason = "not every test file uses everything")]

pub mod attack;
pub mod lists;
pub mod packs;
pub mod server;

use std::convert::Infallible;

use subrosa::crypto::{TryCryptoRng, TryRng};
use subrosa::{
    Address, AppKey, Bundle, Conversation, DeviceIdentity, Incoming, Prekeys, Slot, StagedFirst,
    VerifiedBundle, export,
};

/// SplitMix64: repeatable, and good enough where only tests look at it.
#[derive(Clone)]
pub struct SeededRng(pub u64);

impl SeededRng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
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

/// Unix milliseconds at which tests begin: 2026-01-01.
pub const NOW: u64 = 1_767_225_600_000;
pub const DAY: u64 = 24 * 60 * 60 * 1000;

/// A device with its prekeys.
pub struct Device {
    pub identity: DeviceIdentity,
    pub prekeys: Prekeys,
    pub rng: SeededRng,
}

impl Device {
    pub fn new(name: &str, seed: u64) -> Self {
        let mut rng = SeededRng(seed);
        let address = Address::new(name.as_bytes()).unwrap();
        let identity = DeviceIdentity::generate(address, &mut rng).unwrap();
        let prekeys = Prekeys::generate(&identity, NOW, &mut rng).unwrap();
        Self {
            identity,
            prekeys,
            rng,
        }
    }

    /// A one-time bundle, verified.
    pub fn bundle(&mut self, now: u64) -> VerifiedBundle {
        let bundles = self
            .prekeys
            .replenish(&self.identity, 1, now, &mut self.rng)
            .unwrap();
        Bundle::parse(&bundles[0]).unwrap().verify(now).unwrap()
    }

    pub fn last_resort_bundle(&self, now: u64) -> VerifiedBundle {
        let bundle = self.prekeys.last_resort_bundle(&self.identity).unwrap();
        Bundle::parse(&bundle).unwrap().verify(now).unwrap()
    }

    /// A conversation that this device has begun with `peer`.
    pub fn begin(&mut self, peer: &mut Self, now: u64) -> Conversation {
        let bundle = peer.bundle(now);
        let mut conversation = Conversation::new(*bundle.identity());
        conversation
            .begin(&self.identity, &bundle, now, &mut self.rng)
            .unwrap();
        conversation
    }

    pub fn seal(&mut self, conversation: &mut Conversation, text: &[u8], now: u64) -> Vec<u8> {
        conversation
            .seal(&self.identity, text, now, &mut self.rng)
            .unwrap()
    }

    /// Accepts a first message into a new conversation.
    pub fn accept(&mut self, message: &[u8], now: u64) -> (Conversation, Vec<u8>) {
        let incoming = Incoming::parse(message).unwrap();
        let staged = StagedFirst::stage(&incoming, &self.identity, &self.prekeys, now).unwrap();
        let mut conversation = Conversation::new(*staged.peer());
        let opened = staged
            .accept(&mut conversation, &mut self.prekeys, now)
            .unwrap();
        (conversation, opened.text)
    }
}

/// A conversation on both sides, each having read a message of the other.
pub fn pair(seed: u64) -> (Device, Conversation, Device, Conversation) {
    let mut alice = Device::new("alice", seed);
    let mut bob = Device::new("bob", seed + 1);
    let mut at_alice = alice.begin(&mut bob, NOW);
    let first = alice.seal(&mut at_alice, b"hello", NOW);
    let (mut at_bob, text) = bob.accept(&first, NOW);
    assert_eq!(text, b"hello");
    let answer = bob.seal(&mut at_bob, b"hi", NOW);
    assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"hi".to_vec()));
    (alice, at_alice, bob, at_bob)
}

pub fn open(
    conversation: &mut Conversation,
    message: &[u8],
    now: u64,
) -> Result<Vec<u8>, subrosa::Error> {
    let incoming = Incoming::parse(message)?;
    conversation.open(&incoming, now).map(|opened| opened.text)
}

pub const APP_KEY: [u8; 32] = [7; 32];

pub const SLOT: Slot<'static> = Slot {
    store_key: b"test",
    generation: 1,
};

/// The exported state, always with the same salt: equal states give equal bytes.
pub fn snapshot<T: subrosa::session::Stored>(value: &T, device: &DeviceIdentity) -> Vec<u8> {
    export(
        value,
        device,
        SLOT,
        &AppKey::new(APP_KEY),
        &mut SeededRng(1),
    )
    .unwrap()
}

//! What the tests of attacks share: messages and bundles taken apart, and a look at the whole state before and after.

use std::ops::Range;

use subrosa::crypto::sign::SigningKey;
use subrosa::crypto::{Secret, TryCryptoRng, TryRng};
use subrosa::{Conversation, Error, Incoming, StagedFirst};

use super::{Device, SeededRng, snapshot};

/// `bytes` with one bit turned over.
pub fn flip(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// `bytes` with other bytes at `range`.
pub fn patch(bytes: &[u8], range: Range<usize>, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[range].copy_from_slice(with);
    bytes
}

/// Where the parts of `FIRST` lie; its frame begins at `FRAME`.
pub mod first {
    use std::ops::Range;

    pub const SUITE: Range<usize> = 2..4;
    pub const SIGNED_ID: Range<usize> = 4..8;
    pub const KEM_ID: Range<usize> = 8..12;
    pub const HAS_ONE_TIME: usize = 12;
    pub const ONE_TIME_ID: Range<usize> = 13..17;
    pub const EPHEMERAL: Range<usize> = 17..49;
    pub const CIPHERTEXT: Range<usize> = 49..1137;
    pub const ENCRYPTED_IDENTITY: Range<usize> = 1137..1337;
    pub const FRAME: usize = 1337;
}

/// Where the parts of `MSG` lie.
pub mod msg {
    use std::ops::{Range, RangeFrom};

    pub const FRAME: usize = 2;
    pub const TAG: Range<usize> = 2..10;
    pub const SALT: Range<usize> = 10..26;
    pub const HEADER: Range<usize> = 26..86;
    pub const BODY: RangeFrom<usize> = 86..;
}

/// Where the parts of a bundle lie, behind an address of three bytes.
pub mod bundle {
    use std::ops::Range;

    pub const SUITE: Range<usize> = 0..2;
    pub const ADDRESS: Range<usize> = 3..6;
    pub const SIGNING_KEY: Range<usize> = 6..38;
    pub const DH_KEY: Range<usize> = 38..70;
    pub const IDENTITY_SIGNATURE: Range<usize> = 70..134;
    pub const SIGNED_ID: Range<usize> = 134..138;
    pub const SIGNED_KEY: Range<usize> = 138..170;
    pub const SIGNED_NOT_AFTER: Range<usize> = 170..178;
    pub const SIGNED_SIGNATURE: Range<usize> = 178..242;
    pub const KEM_ID: Range<usize> = 242..246;
    pub const LAST_RESORT: usize = 246;
    pub const KEM_NOT_AFTER: Range<usize> = 247..255;
    pub const KEM_KEY: Range<usize> = 255..1439;
    pub const KEM_SIGNATURE: Range<usize> = 1439..1503;
    pub const HAS_ONE_TIME: usize = 1503;
    pub const ONE_TIME_ID: Range<usize> = 1504..1508;
    pub const ONE_TIME_KEY: Range<usize> = 1508..1540;
    pub const LENGTH: usize = 1540;
}

/// The state of one side, to be compared after an attack.
#[derive(PartialEq, Eq)]
pub struct Whole {
    conversation: Option<Vec<u8>>,
    prekeys: Vec<u8>,
}

impl Whole {
    pub fn of(device: &Device, conversation: Option<&Conversation>) -> Self {
        Self {
            conversation: conversation.map(|value| snapshot(value, &device.identity)),
            prekeys: snapshot(&device.prekeys, &device.identity),
        }
    }

    /// Byte for byte what it was.
    #[track_caller]
    pub fn assert_same(&self, device: &Device, conversation: Option<&Conversation>) {
        assert!(*self == Self::of(device, conversation), "the state changed");
    }
}

/// Stages a first message and drops it.
pub fn stage(device: &Device, message: &[u8], now: u64) -> Result<(), Error> {
    let incoming = Incoming::parse(message)?;
    StagedFirst::stage(&incoming, &device.identity, &device.prekeys, now).map(|_| ())
}

/// The one-time bundle of a device, as bytes.
pub fn one_time_bundle(device: &mut Device, now: u64) -> Vec<u8> {
    let bundles = device
        .prekeys
        .replenish(&device.identity, 1, now, &mut device.rng);
    bundles.unwrap().remove(0)
}

/// The signing key of the device that `Device::new` makes from `seed`.
pub fn signing_key(seed: u64) -> SigningKey {
    let mut bytes = [0; 32];
    SeededRng(seed).try_fill_bytes(&mut bytes).unwrap();
    SigningKey::from_seed(&Secret::new(bytes))
}

/// Works `left` times, then fails for ever.
pub struct FailingRng {
    pub rng: SeededRng,
    pub left: usize,
}

#[derive(Debug)]
pub struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

impl TryRng for FailingRng {
    type Error = Broken;

    fn try_next_u32(&mut self) -> Result<u32, Broken> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Broken> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Broken> {
        self.left = self.left.checked_sub(1).ok_or(Broken)?;
        let Ok(()) = self.rng.try_fill_bytes(dst);
        Ok(())
    }
}

impl TryCryptoRng for FailingRng {}

/// Always the same byte: a generator that has died without a word.
pub struct ConstantRng(pub u8);

impl TryRng for ConstantRng {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_ne_bytes([self.0; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_ne_bytes([self.0; 8]))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        dst.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for ConstantRng {}

//! What two people compare to know that each has the other's account (SPEC §6.5).

use core::fmt;

use super::devices::DeviceList;
use super::error::Error;
use crate::crypto::hash::sha256;
use crate::crypto::hex::write_hex;
use crate::crypto::{labels, secret};
use crate::wire::Reader;

/// The version of what a camera reads.
const VERSION: u8 = 1;

/// Digits of one account.
const DIGITS: usize = 30;

/// Digits that are made from 5 bytes, and shown together.
const GROUP: usize = 5;

/// A hash of an account and its present keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of the list's account. It changes only with the account's keys, not with its devices.
    #[must_use]
    pub fn of(list: &DeviceList) -> Self {
        let keys = list.keys();
        Self(sha256(&[
            labels::FINGERPRINT,
            list.account_id().as_bytes(),
            keys.account_key().as_bytes(),
            keys.recovery_key().as_bytes(),
        ]))
    }

    /// The fingerprint with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 60 digits that two people read to each other: the same on both sides.
    #[must_use]
    pub fn digits(own: &Self, peer: &Self) -> Digits {
        let mut digits = [0; 2 * DIGITS];
        let ordered = own.min(peer).groups().chain(own.max(peer).groups());
        for (to, number) in digits.chunks_exact_mut(GROUP).zip(ordered) {
            let mut number = number;
            for digit in to.iter_mut().rev() {
                // Below 10.
                *digit = b'0' | (number % 10) as u8;
                number /= 10;
            }
        }
        Digits(digits)
    }

    /// Six numbers below 100,000, each of five bytes.
    fn groups(&self) -> impl Iterator<Item = u64> {
        let chunks = self.0.chunks_exact(GROUP);
        chunks.map(|five| {
            let number = five.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            number % 100_000
        })
    }

    /// What a camera of the peer's reads: `u8 1 || f(own) || f(peer)`.
    #[must_use]
    pub fn qr(own: &Self, peer: &Self) -> [u8; 65] {
        let mut code = [VERSION; 65];
        let bytes = own.0.iter().chain(&peer.0);
        for (to, from) in code.iter_mut().skip(1).zip(bytes) {
            *to = *from;
        }
        code
    }

    /// Whether `scanned` is the code that the peer's device shows, if both have the same two accounts.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is no such code, [`Error::UnknownVersion`].
    pub fn matches(own: &Self, peer: &Self, scanned: &[u8]) -> Result<bool, Error> {
        let scanned: &[u8; 65] = scanned.try_into().map_err(|_| Error::Malformed)?;
        if Reader::new(scanned).u8()? != VERSION {
            return Err(Error::UnknownVersion);
        }
        // The peer's own half comes first.
        Ok(secret::equal(&Self::qr(peer, own), scanned))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, "Fingerprint", &self.0)
    }
}

/// Sixty decimal digits. Displayed in twelve groups of five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits([u8; 2 * DIGITS]);

impl Digits {
    /// The digits in ASCII, without anything between them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 60] {
        &self.0
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, group) in self.0.chunks_exact(GROUP).enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            for digit in group {
                write!(f, "{}", char::from(*digit))?;
            }
        }
        Ok(())
    }
}

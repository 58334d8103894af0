//! What memcheck is told: a secret is undefined from where it begins, and defined again where it is published.

use std::convert::Infallible;
use std::hint::black_box;

use crabgrind::memcheck::{MemState, Memcheck};
use crabgrind::valgrind::{disable_error_reporting, enable_error_reporting};
use subrosa::crypto::{TryCryptoRng, TryRng};
use subrosa::hazmat;
use subrosa::session::{self, Stored};

use crate::stored::Secrets;

/// From now on whatever depends on these bytes is watched.
pub fn classify(bytes: &mut [u8]) {
    mark(bytes, MemState::Undefined);
}

/// A secret text of `length` bytes.
pub fn text(length: usize) -> Vec<u8> {
    let mut text = vec![b'x'; length];
    classify(&mut text);
    text
}

/// The bytes leave the device here. They have to be made of secrets, or the scenario would show nothing.
pub fn publish(mut bytes: Vec<u8>) -> Vec<u8> {
    assert!(is_secret(&bytes), "nothing in it depends on a secret");
    mark(&mut bytes, MemState::Defined);
    bytes
}

/// Whether any of the bytes depends on a secret.
pub fn is_secret(bytes: &[u8]) -> bool {
    // Not `check_defined`, which is itself reported.
    let mut undefined = vec![0; bytes.len()];
    let asked = black_box(bytes).vbits(&mut undefined);
    asked.is_ok() && undefined.iter().any(|bits| *bits != 0)
}

/// Runs one operation of the library; only what happens in here is reported.
pub fn watched<T>(operation: impl FnOnce() -> T) -> T {
    enable_error_reporting();
    let result = operation();
    disable_error_reporting();
    result
}

/// The same value with nothing secret but its secrets: what an operation read from under a key is structure now.
pub fn settled<T: Stored + Secrets>(value: &T) -> Result<T, session::Error> {
    let mut bytes = hazmat::encode(value)?;
    mark(&mut bytes, MemState::Defined);
    let start = bytes.as_ptr() as usize;
    let mut secrets = Vec::new();
    T::secrets(&bytes, &mut |_, secret| {
        let at = secret.as_ptr() as usize - start;
        secrets.push(at..at + secret.len());
    });
    assert!(!secrets.is_empty());
    for secret in secrets {
        classify(&mut bytes[secret]);
    }
    hazmat::decode(&bytes)
}

/// The compiler may keep no copy of the bytes from before.
fn mark(bytes: &mut [u8], state: MemState) {
    black_box(&mut *bytes)
        .mark(state)
        .expect("valgrind runs this");
    black_box(bytes);
}

/// SplitMix64, whose every output is a secret.
pub struct SecretRng(pub u64);

impl SecretRng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let Ok(()) = self.try_fill_bytes(&mut bytes);
        bytes
    }
}

impl TryRng for SecretRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        classify(dst);
        Ok(())
    }
}

impl TryCryptoRng for SecretRng {}

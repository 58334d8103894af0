//! The signature keys of those who spoke lately, ready for what they say next: to take a key apart is a seventh of verifying a
//! message.

use alloc::vec::Vec;

use crate::memory;
use crate::mls::signature::{ReadyKey, SignaturePublicKey};

/// How many are held: some 200 bytes each.
const HELD: usize = 128;

/// A speaker's key.
pub(super) struct Speaker {
    pub(super) key: SignaturePublicKey,
    pub(super) ready: ReadyKey,
}

/// Those who spoke lately, in the order of their keys.
#[derive(Default)]
pub(super) struct Speakers(Vec<Speaker>);

impl Speakers {
    fn place(&self, key: &SignaturePublicKey) -> Result<usize, usize> {
        self.0.binary_search_by(|speaker| speaker.key.cmp(key))
    }

    pub(super) fn find(&self, key: &SignaturePublicKey) -> Option<&ReadyKey> {
        let speaker = self.0.get(self.place(key).ok()?)?;
        Some(&speaker.ready)
    }

    /// Holds a key. If there are too many, the one whose key is next to it goes: any of them, as keys are.
    pub(super) fn keep(&mut self, speaker: Speaker) {
        let Err(place) = self.place(&speaker.key) else {
            return;
        };
        if self.0.len() < HELD {
            memory::insert(&mut self.0, place, speaker);
        } else if let Some(other) = self.0.get_mut(place.min(HELD - 1)) {
            *other = speaker;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::crypto::Secret;
    use crate::mls::signature::Signer;
    use crate::mls::suite::{CipherSuite, Suite};

    #[test]
    fn as_many_as_may_be_are_held_in_their_order() {
        let suite = Suite::of(CipherSuite::X25519_AES128).unwrap();
        let signers: Vec<_> = (0..HELD as u32 + 40)
            .map(|number| {
                let mut seed = [5; 32];
                seed[..4].copy_from_slice(&number.to_be_bytes());
                Signer::from_secret(suite.id, &Secret::new(seed)).unwrap()
            })
            .collect();
        let mut speakers = Speakers::default();
        for (number, signer) in signers.iter().enumerate() {
            let key = signer.public().clone();
            assert!(speakers.find(&key).is_none());
            for _ in 0..2 {
                let ready = ReadyKey::new(suite, &key).unwrap();
                let key = key.clone();
                speakers.keep(Speaker { key, ready });
            }
            assert_eq!(speakers.0.len(), HELD.min(number + 1));
            assert!(speakers.0.is_sorted_by(|one, next| one.key < next.key));
            let signature = signer.sign(b"label", b"content").unwrap();
            let ready = speakers.find(&key).unwrap();
            assert!(ready.verify(b"label", b"content", &signature).is_ok());
            assert!(ready.verify(b"label", b"another", &signature).is_err());
        }
    }
}

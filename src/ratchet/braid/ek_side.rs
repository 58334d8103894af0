//! The side that makes the key pair (SPEC §10.5, left column).

use alloc::boxed::Box;

use super::authenticator::{Authenticator, epoch_secret, fits};
use super::code::Decoder;
use super::frame::Run;
use super::object::{CT2, HEADER, MAC, Object};
use super::progress::{Breach, Cursor, Progress};
use crate::crypto::Secret;
use crate::crypto::kem::{KEM_CIPHERTEXT, KEM_CT1, KEM_CT2, KEM_SEED, KEM_VECTOR, KemKeyPair};

/// Nothing is drawn before a symbol can go out: a key pair that waits for nobody is not worth stealing.
pub(crate) struct KeysUnsampled;

/// `hdr` is being sent.
pub(crate) struct KeysSampled {
    pub(super) seed: Secret<KEM_SEED>,
    pub(super) header: [u8; HEADER],
    pub(super) cursor: Cursor,
}

/// The peer has `hdr`: `ek` is being sent while ct1 arrives.
pub(crate) struct HeaderSent {
    pub(super) seed: Secret<KEM_SEED>,
    pub(super) vector: KeyVector,
    pub(super) ct1: Decoder,
    pub(super) cursor: Cursor,
}

/// `ek` is being sent, with the acknowledgement of ct1.
pub(crate) struct Ct1Received {
    pub(super) seed: Secret<KEM_SEED>,
    pub(super) vector: KeyVector,
    pub(super) ct1: Box<[u8; KEM_CT1]>,
    pub(super) cursor: Cursor,
}

/// The peer has `ek`: only the acknowledgement is sent while ct2 arrives.
pub(crate) struct EkSentCt1Received {
    pub(super) seed: Secret<KEM_SEED>,
    pub(super) ct1: Box<[u8; KEM_CT1]>,
    pub(super) ct2: Decoder,
}

/// `ek_vector`, which follows from the seed: computed when it is first needed, and not stored.
#[derive(Default)]
pub(crate) struct KeyVector(Option<Box<[u8; KEM_VECTOR]>>);

impl KeyVector {
    pub(super) fn prepare(&mut self, seed: &Secret<KEM_SEED>) {
        if self.0.is_none() {
            let pair = KemKeyPair::from_seed(seed);
            self.0 = Some(Box::new(*pair.public().vector()));
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |vector| vector.as_slice())
    }
}

impl KeysUnsampled {
    pub(super) fn sample(
        seed: Secret<KEM_SEED>,
        epoch: u32,
        authenticator: &Authenticator,
    ) -> KeysSampled {
        let pair = KemKeyPair::from_seed(&seed);
        let (key_seed, hash) = (pair.public().seed(), pair.public_hash());
        let mac = authenticator.header(epoch, key_seed, &hash);
        let mut header = [0; HEADER];
        let (fields, _) = header.as_chunks_mut::<32>();
        for (to, from) in fields.iter_mut().zip([key_seed, &hash, &mac]) {
            *to = *from;
        }
        KeysSampled {
            seed,
            header,
            cursor: Cursor::default(),
        }
    }
}

impl KeysSampled {
    pub(super) fn begin_ct1(self) -> HeaderSent {
        HeaderSent {
            seed: self.seed,
            vector: KeyVector::default(),
            ct1: Decoder::new(usize::from(Object::Ct1.symbols())),
            cursor: Cursor::default(),
        }
    }
}

impl HeaderSent {
    pub(super) fn take(mut self, run: &Run<'_>) -> Result<Progress<Self, Ct1Received>, Breach> {
        if !self.ct1.take(run)? {
            return Ok(Progress::Waiting(self));
        }
        let ct1 = self.ct1.array().ok_or(Breach)?;
        Ok(Progress::Complete(Ct1Received {
            seed: self.seed,
            vector: self.vector,
            ct1,
            cursor: self.cursor,
        }))
    }
}

impl Ct1Received {
    pub(super) fn begin_ct2(self) -> EkSentCt1Received {
        EkSentCt1Received {
            seed: self.seed,
            ct1: self.ct1,
            ct2: Decoder::new(usize::from(Object::Ct2.symbols())),
        }
    }
}

impl EkSentCt1Received {
    pub(super) fn take(mut self, run: &Run<'_>) -> Result<Progress<Self, Completed>, Breach> {
        if !self.ct2.take(run)? {
            return Ok(Progress::Waiting(self));
        }
        Ok(Progress::Complete(Completed {
            seed: self.seed,
            ct1: self.ct1,
            ct2: self.ct2.array().ok_or(Breach)?,
        }))
    }
}

/// A whole ciphertext and the key pair that it is for.
pub(crate) struct Completed {
    seed: Secret<KEM_SEED>,
    ct1: Box<[u8; KEM_CT1]>,
    ct2: Box<[u8; CT2]>,
}

impl Completed {
    /// SPEC §10.7-R7: the epoch's secret and the authenticator behind it, if the MAC fits.
    pub(super) fn verify(
        self,
        epoch: u32,
        authenticator: &Authenticator,
    ) -> Result<(Secret<32>, Authenticator), Breach> {
        let (ct2, mac) = self.ct2.split_last_chunk::<MAC>().ok_or(Breach)?;
        let mut ciphertext = Box::new([0; KEM_CIPHERTEXT]);
        let (first, second) = ciphertext.split_at_mut(KEM_CT1);
        first.copy_from_slice(self.ct1.as_slice());
        second.copy_from_slice(ct2);
        let shared = KemKeyPair::from_seed(&self.seed).decapsulate(&ciphertext);
        let secret = epoch_secret(epoch, &shared);
        let next = authenticator.update(epoch, &secret);
        let expected = next.ciphertext(epoch, &[self.ct1.as_slice(), ct2]);
        if !fits(&expected, mac) {
            return Err(Breach);
        }
        Ok((secret, next))
    }
}

const _: () = assert!(KEM_CT1 + KEM_CT2 == KEM_CIPHERTEXT && KEM_CT2 + MAC == CT2);

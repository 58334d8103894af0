//! The side that answers with a ciphertext (SPEC §10.5, right column).

use alloc::boxed::Box;

use super::authenticator::{Authenticator, epoch_secret, fits};
use super::code::Decoder;
use super::frame::Run;
use super::object::{CT2, HEADER, Object};
use super::progress::{Breach, Cursor, Progress};
use crate::crypto::Secret;
use crate::crypto::kem::{KEM_CT1, KEM_VECTOR, KemPublic, encapsulate_first};

/// `hdr` arrives.
pub(crate) struct NoHeaderReceived {
    pub(super) header: Decoder,
}

/// What the peer's key is known by before it is there: `ek_seed` and `H3(ek)`.
pub(crate) struct KeyHeader {
    pub(super) seed: [u8; 32],
    pub(super) hash: [u8; 32],
}

/// Nothing is drawn before a symbol can go out.
pub(crate) struct HeaderReceived {
    pub(super) key: KeyHeader,
}

/// ct1 is being sent while `ek` arrives. The epoch's secret is known.
pub(crate) struct Ct1Sampled {
    pub(super) key: KeyHeader,
    pub(super) m: Secret<32>,
    pub(super) ct1: FirstPart,
    pub(super) vector: Decoder,
    pub(super) cursor: Cursor,
}

/// ct1 is being sent; ct2 is ready.
pub(crate) struct EkReceivedCt1Sampled {
    pub(super) ct1: Box<[u8; KEM_CT1]>,
    pub(super) ct2: Box<[u8; CT2]>,
    pub(super) cursor: Cursor,
}

/// The peer has ct1: nothing is sent while `ek` arrives.
pub(crate) struct Ct1Acknowledged {
    pub(super) key: KeyHeader,
    pub(super) m: Secret<32>,
    pub(super) vector: Decoder,
}

/// ct2 is being sent.
pub(crate) struct Ct2Sampled {
    pub(super) ct2: Box<[u8; CT2]>,
    pub(super) cursor: Cursor,
}

/// ct1, which follows from the key's header and m: computed when it is first needed, and not stored.
#[derive(Default)]
pub(crate) struct FirstPart(Option<Box<[u8; KEM_CT1]>>);

impl FirstPart {
    pub(super) fn prepare(&mut self, key: &KeyHeader, m: &Secret<32>) {
        if self.0.is_none() {
            let (ct1, _) = encapsulate_first(&key.seed, &key.hash, m);
            self.0 = Some(ct1);
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |ct1| ct1.as_slice())
    }
}

/// What drawing m gives.
pub(super) struct Encapsulation {
    pub(super) state: Ct1Sampled,
    pub(super) secret: Secret<32>,
    pub(super) authenticator: Authenticator,
}

impl NoHeaderReceived {
    pub(super) fn new() -> Self {
        Self {
            header: Decoder::new(usize::from(Object::Header.symbols())),
        }
    }

    /// SPEC §10.7-R3.
    pub(super) fn take(
        mut self,
        epoch: u32,
        authenticator: &Authenticator,
        run: &Run<'_>,
    ) -> Result<Progress<Self, HeaderReceived>, Breach> {
        if !self.header.take(run)? {
            return Ok(Progress::Waiting(self));
        }
        let header: Box<[u8; HEADER]> = self.header.array().ok_or(Breach)?;
        let ([seed, hash, mac], _) = header.as_chunks::<32>() else {
            return Err(Breach);
        };
        if !fits(&authenticator.header(epoch, seed, hash), mac) {
            return Err(Breach);
        }
        Ok(Progress::Complete(HeaderReceived {
            key: KeyHeader {
                seed: *seed,
                hash: *hash,
            },
        }))
    }
}

impl HeaderReceived {
    pub(super) fn sample(
        &self,
        m: Secret<32>,
        epoch: u32,
        authenticator: &Authenticator,
    ) -> Encapsulation {
        let key = KeyHeader {
            seed: self.key.seed,
            hash: self.key.hash,
        };
        let (ct1, shared) = encapsulate_first(&key.seed, &key.hash, &m);
        let secret = epoch_secret(epoch, &shared);
        let authenticator = authenticator.update(epoch, &secret);
        Encapsulation {
            state: Ct1Sampled {
                key,
                m,
                ct1: FirstPart(Some(ct1)),
                vector: Decoder::new(usize::from(Object::Vector.symbols())),
                cursor: Cursor::default(),
            },
            secret,
            authenticator,
        }
    }
}

impl Ct1Sampled {
    pub(super) fn take(
        mut self,
        epoch: u32,
        authenticator: &Authenticator,
        run: &Run<'_>,
    ) -> Result<Progress<Self, EkReceivedCt1Sampled>, Breach> {
        if !self.vector.take(run)? {
            return Ok(Progress::Waiting(self));
        }
        let (ct1, ct2) = finish(&self.key, &self.m, &self.vector, epoch, authenticator)?;
        Ok(Progress::Complete(EkReceivedCt1Sampled {
            ct1,
            ct2,
            cursor: self.cursor,
        }))
    }

    pub(super) fn acknowledge(self) -> Ct1Acknowledged {
        Ct1Acknowledged {
            key: self.key,
            m: self.m,
            vector: self.vector,
        }
    }
}

impl EkReceivedCt1Sampled {
    pub(super) fn acknowledge(self) -> Ct2Sampled {
        Ct2Sampled {
            ct2: self.ct2,
            cursor: Cursor::default(),
        }
    }
}

impl Ct1Acknowledged {
    pub(super) fn take(
        mut self,
        epoch: u32,
        authenticator: &Authenticator,
        run: &Run<'_>,
    ) -> Result<Progress<Self, Ct2Sampled>, Breach> {
        if !self.vector.take(run)? {
            return Ok(Progress::Waiting(self));
        }
        let (_, ct2) = finish(&self.key, &self.m, &self.vector, epoch, authenticator)?;
        Ok(Progress::Complete(Ct2Sampled {
            ct2,
            cursor: Cursor::default(),
        }))
    }
}

/// ct1, and ct2 with its MAC.
type Ciphertext = (Box<[u8; KEM_CT1]>, Box<[u8; CT2]>);

/// SPEC §10.7-R5: the whole ciphertext, once the key is there, and its MAC.
fn finish(
    key: &KeyHeader,
    m: &Secret<32>,
    vector: &Decoder,
    epoch: u32,
    authenticator: &Authenticator,
) -> Result<Ciphertext, Breach> {
    let vector: Box<[u8; KEM_VECTOR]> = vector.array().ok_or(Breach)?;
    let public = KemPublic::from_parts(&vector, &key.seed, &key.hash).map_err(|_| Breach)?;
    let (ciphertext, _) = public.encapsulate(m);
    let (first, second) = ciphertext.split_first_chunk::<KEM_CT1>().ok_or(Breach)?;
    let mac = authenticator.ciphertext(epoch, &[first, second]);
    let mut ct2 = Box::new([0; CT2]);
    let bytes = second.iter().chain(&mac);
    for (to, from) in ct2.iter_mut().zip(bytes) {
        *to = *from;
    }
    Ok((Box::new(*first), ct2))
}

//! Cipher suites as data, and the labelled functions of RFC 9420 over their primitives (§§5.1, 5.2, 8).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::codec::numbers;
use super::error::Error;
use super::labels::{self, derive};
use crate::crypto::Secret;
use crate::crypto::hash::{HASH, HmacKey, sha256};
use crate::crypto::hpke::{Aead, Hpke, Info, Kem, KeyPair};
use crate::memory;
use crate::wire::{self, Writer};

/// The name of a cipher suite (RFC 9420 §17.1), known to this library or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// `MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519`.
    pub const X25519_AES128: Self = Self(1);
    /// `MLS_128_DHKEMP256_AES128GCM_SHA256_P256`.
    pub const P256_AES128: Self = Self(2);
    /// `MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519`.
    pub const X25519_CHACHA20: Self = Self(3);

    /// Every suite of this library.
    pub const ALL: [Self; 3] = [
        Self::X25519_AES128,
        Self::P256_AES128,
        Self::X25519_CHACHA20,
    ];
}

numbers!(CipherSuite);

/// How a suite signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Ed25519,
    EcdsaP256,
}

/// The primitives of a suite. Every suite here hashes with SHA-256: `KDF.Nh` is 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    pub(super) id: CipherSuite,
    pub(super) hpke: Hpke,
    pub(super) scheme: Scheme,
}

/// The suites of this library (RFC 9420 §17.1).
const SUITES: [Suite; 3] = [
    Suite {
        id: CipherSuite::X25519_AES128,
        hpke: Hpke {
            kem: Kem::X25519,
            aead: Aead::Aes128Gcm,
        },
        scheme: Scheme::Ed25519,
    },
    Suite {
        id: CipherSuite::P256_AES128,
        hpke: Hpke {
            kem: Kem::P256,
            aead: Aead::Aes128Gcm,
        },
        scheme: Scheme::EcdsaP256,
    },
    Suite {
        id: CipherSuite::X25519_CHACHA20,
        hpke: Hpke {
            kem: Kem::X25519,
            aead: Aead::ChaCha20Poly1305,
        },
        scheme: Scheme::Ed25519,
    },
];

/// `SealBase`'s two outputs.
pub(super) struct Sealed {
    pub(super) kem_output: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
}

impl Suite {
    pub(super) fn of(id: CipherSuite) -> Result<&'static Self, Error> {
        let mut suites = SUITES.iter();
        suites
            .find(|suite| suite.id == id)
            .ok_or(Error::UnsupportedSuite)
    }

    pub(super) const fn aead(&self) -> Aead {
        self.hpke.aead
    }

    /// The `info` of `EncryptWithLabel` (RFC 9420 §5.1.3), for one recipient or for many.
    pub(super) fn encrypt_info(&self, label: &[u8], context: &[u8]) -> Result<Info, Error> {
        let label_header = label_header(label)?;
        let header = vector_header(context.len())?;
        Ok(self.hpke.info(&[
            label_header.as_bytes(),
            labels::PREFIX,
            label,
            header.as_bytes(),
            context,
        ]))
    }

    /// `EncryptWithLabel` with a hashed context and the randomness of the ephemeral key.
    pub(super) fn encrypt(
        &self,
        public: &[u8],
        info: &Info,
        text: &[u8],
        random: &Secret<32>,
    ) -> Result<Sealed, Error> {
        let ephemeral = self.hpke.kem.derive_key_pair(random.expose())?;
        Ok(Sealed {
            ciphertext: self.hpke.seal(public, info, text, &ephemeral)?,
            kem_output: memory::copied(ephemeral.public()),
        })
    }

    /// `DecryptWithLabel` with a hashed context.
    pub(super) fn decrypt(
        &self,
        own: &KeyPair,
        info: &Info,
        kem_output: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.hpke.open(own, kem_output, info, ciphertext)?)
    }
}

/// The length in front of a vector.
struct Header {
    bytes: [u8; 4],
    length: usize,
}

impl Header {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn vector_header(length: usize) -> Result<Header, Error> {
    if length > wire::VECTOR_MAX {
        return Err(Error::TooLong);
    }
    let number = u32::try_from(length).map_err(|_| Error::TooLong)?;
    let [first, second, third, last] = number.to_be_bytes();
    let bytes = match length {
        0..0x40 => [last, 0, 0, 0],
        0x40..0x4000 => [third | 0x40, last, 0, 0],
        _ => [first | 0x80, second, third, last],
    };
    Ok(Header {
        bytes,
        length: wire::header_length(length),
    })
}

/// The length in front of a label with its prefix.
fn label_header(label: &[u8]) -> Result<Header, Error> {
    vector_header(labels::PREFIX.len().saturating_add(label.len()))
}

/// A secret from which others are derived.
pub(super) struct Prk(HmacKey);

impl Prk {
    pub(super) fn new(secret: &Secret<HASH>) -> Self {
        Self(HmacKey::new(secret.expose()))
    }

    /// `ExpandWithLabel` (RFC 9420 §8) of as many bytes as `out` has.
    pub(super) fn expand_into(
        &self,
        label: &[u8],
        context: &[u8],
        out: &mut [u8],
    ) -> Result<(), Error> {
        let length = u16::try_from(out.len()).map_err(|_| Error::TooLong)?;
        let label_header = label_header(label)?;
        let header = vector_header(context.len())?;
        self.0.expand(
            &[
                &length.to_be_bytes(),
                label_header.as_bytes(),
                labels::PREFIX,
                label,
                header.as_bytes(),
                context,
            ],
            out,
        )?;
        Ok(())
    }

    /// `ExpandWithLabel` of `N` bytes.
    pub(super) fn expand<const N: usize>(
        &self,
        label: &[u8],
        context: &[u8],
    ) -> Result<Secret<N>, Error> {
        let mut secret = Secret::zero();
        self.expand_into(label, context, secret.expose_mut())?;
        Ok(secret)
    }

    /// `DeriveSecret` (RFC 9420 §8).
    pub(super) fn derive(&self, label: &[u8]) -> Result<Secret<HASH>, Error> {
        self.expand(label, &[])
    }

    /// A key of the suite's AEAD: the first `Nk` bytes, the others zero.
    pub(super) fn key(
        &self,
        aead: Aead,
        label: &[u8],
        context: &[u8],
    ) -> Result<Secret<32>, Error> {
        let mut key = Secret::<32>::zero();
        if let Some(front) = key.expose_mut().get_mut(..aead.key_length()) {
            self.expand_into(label, context, front)?;
        }
        Ok(key)
    }
}

/// `MLS-Exporter` (RFC 9420 §8.5) of as many bytes as `out` has.
pub(super) fn export(
    exporter_secret: &Secret<HASH>,
    label: &[u8],
    context: &[u8],
    out: &mut [u8],
) -> Result<(), Error> {
    let secret = Prk::new(exporter_secret).derive(label)?;
    Prk::new(&secret).expand_into(derive::EXPORTED, &sha256(&[context]), out)
}

/// `RefHash` (RFC 9420 §5.2).
pub(super) fn reference(label: &[u8], value: &[u8]) -> Result<[u8; HASH], Error> {
    let label_header = vector_header(label.len())?;
    let header = vector_header(value.len())?;
    Ok(sha256(&[
        label_header.as_bytes(),
        label,
        header.as_bytes(),
        value,
    ]))
}

/// `MAC(key, content)`.
pub(super) fn mac(key: &Secret<HASH>, content: &[&[u8]]) -> [u8; HASH] {
    *HmacKey::new(key.expose()).mac(content).expose()
}

/// `SignContent` (RFC 9420 §5.1.2): what is signed under a label.
pub(super) fn sign_content(label: &[u8], content: &[u8]) -> Result<Vec<u8>, wire::Error> {
    let room = content.len().saturating_add(label.len());
    let mut writer = Writer::with_capacity(room.saturating_add(16));
    writer.vector_length(labels::PREFIX.len().saturating_add(label.len()))?;
    writer.bytes(labels::PREFIX).bytes(label).vector(content)?;
    Ok(writer.into_bytes())
}

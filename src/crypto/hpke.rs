//! HPKE, RFC 9180, in its base mode with HKDF-SHA-256: single messages and the export of a secret, as RFC 9420 uses it.
//!
//! ```text
//! enc, shared_secret = Encap(pkR)                                             RFC 9180 §4.1
//! context = 0 || LabeledExtract("", "psk_id_hash", "") || LabeledExtract("", "info_hash", info)      §5.1
//! secret  = LabeledExtract(shared_secret, "secret", "")
//! key, base_nonce, exporter_secret = LabeledExpand(secret, "key" / "base_nonce" / "exp", context)
//! ```
//!
//! `info` is hashed apart ([`Info`]): a group that encrypts one path secret to ten thousand members hashes its context once.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::aead::{Aes128Gcm, ChaCha20Poly1305, NONCE, TAG};
use super::dh::{DH, DhKeyPair, DhPublic};
use super::hash::{HASH, HmacKey, extract};
use super::{Error, Secret, p256};
use crate::memory;

/// `I2OSP(1, 2)`: HKDF-SHA256 (RFC 9180 §7.2).
const KDF_ID: [u8; 2] = [0, 1];
const VERSION: &[u8] = b"HPKE-v1";

/// Tries of `DeriveKeyPair` with P-256, each of which fails with probability 2^-32 (RFC 9180 §7.1.3).
const CANDIDATES: u8 = u8::MAX;

/// A key encapsulation mechanism (RFC 9180 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kem {
    /// DHKEM(X25519, HKDF-SHA256). Public keys are canonical ones only (SPEC §3.3-R1).
    X25519,
    /// DHKEM(P-256, HKDF-SHA256).
    P256,
}

impl Kem {
    const fn id(self) -> [u8; 2] {
        match self {
            Self::X25519 => [0x00, 0x20],
            Self::P256 => [0x00, 0x10],
        }
    }

    /// Bytes of a public key and of `enc`.
    #[must_use]
    pub const fn public_key_length(self) -> usize {
        match self {
            Self::X25519 => DH,
            Self::P256 => p256::PUBLIC_KEY,
        }
    }

    /// The key pair with this private key.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if it is none of this mechanism.
    pub fn key_pair(self, secret: &Secret<32>) -> Result<KeyPair, Error> {
        match self {
            Self::X25519 => Ok(KeyPair::X25519(DhKeyPair::from_secret(secret.duplicate()))),
            Self::P256 => {
                let pair = p256::KeyPair::from_secret(secret)?;
                Ok(KeyPair::P256(Box::new(pair)))
            }
        }
    }

    /// `DeriveKeyPair` (RFC 9180 §7.1.3).
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if no candidate is a key, which nobody will ever see.
    pub fn derive_key_pair(self, ikm: &[u8]) -> Result<KeyPair, Error> {
        let prk = self.labeled_extract(b"dkp_prk", ikm);
        match self {
            Self::X25519 => self.key_pair(&self.labeled_expand(&prk, b"sk", &[])),
            Self::P256 => (0..CANDIDATES)
                .find_map(|counter| {
                    let candidate = self.labeled_expand(&prk, b"candidate", &[&[counter]]);
                    self.key_pair(&candidate).ok()
                })
                .ok_or(Error::InvalidKey),
        }
    }

    fn labeled_extract(self, label: &[u8], ikm: &[u8]) -> HmacKey {
        let id = self.id();
        let prk = extract(&[], &[VERSION, b"KEM", &id, label, ikm]);
        HmacKey::new(prk.expose())
    }

    /// `LabeledExpand` to 32 bytes, with an `info` of at most two parts.
    fn labeled_expand(self, prk: &HmacKey, label: &[u8], info: &[&[u8]]) -> Secret<32> {
        let id = self.id();
        let first = info.first().copied().unwrap_or_default();
        let second = info.get(1).copied().unwrap_or_default();
        prk.expand_secret(&[&[0, 32], VERSION, b"KEM", &id, label, first, second])
    }

    /// `ExtractAndExpand` (RFC 9180 §4.1).
    fn shared_secret(self, dh: &Secret<32>, enc: &[u8], public: &[u8]) -> Secret<32> {
        let prk = self.labeled_extract(b"eae_prk", dh.expose());
        self.labeled_expand(&prk, b"shared_secret", &[enc, public])
    }

    /// `Encap` with the ephemeral key given.
    fn encapsulate(self, ephemeral: &KeyPair, public: &[u8]) -> Result<Secret<32>, Error> {
        let dh = match (self, ephemeral) {
            (Self::X25519, KeyPair::X25519(own)) => own.agree(&x25519_public(public)?)?,
            (Self::P256, KeyPair::P256(own)) => own.agree(&p256::PublicKey::from_bytes(public)?),
            _ => return Err(Error::InvalidKey),
        };
        Ok(self.shared_secret(&dh, ephemeral.public(), public))
    }

    /// `Decap`.
    fn decapsulate(self, own: &KeyPair, enc: &[u8]) -> Result<Secret<32>, Error> {
        let dh = match (self, own) {
            (Self::X25519, KeyPair::X25519(own)) => own.agree(&x25519_public(enc)?)?,
            (Self::P256, KeyPair::P256(own)) => own.agree(&p256::PublicKey::from_bytes(enc)?),
            _ => return Err(Error::InvalidKey),
        };
        Ok(self.shared_secret(&dh, enc, own.public()))
    }

    /// Whether `public` is a public key of this mechanism.
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub fn check_public_key(self, public: &[u8]) -> Result<(), Error> {
        match self {
            Self::X25519 => x25519_public(public).map(drop),
            Self::P256 => p256::PublicKey::from_bytes(public).map(drop),
        }
    }
}

fn x25519_public(bytes: &[u8]) -> Result<DhPublic, Error> {
    let bytes: &[u8; DH] = bytes.try_into().map_err(|_| Error::InvalidKey)?;
    DhPublic::from_bytes(bytes)
}

/// A private key with its public half.
pub enum KeyPair {
    /// Of DHKEM(X25519).
    X25519(DhKeyPair),
    /// Of DHKEM(P-256). In a box: the smaller kind would be kept in as many bytes, and the rest of them be whatever lay there before.
    P256(Box<p256::KeyPair>),
}

impl KeyPair {
    /// The public half, as `SerializePublicKey` gives it.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        match self {
            Self::X25519(pair) => pair.public().as_bytes(),
            Self::P256(pair) => pair.public().as_bytes(),
        }
    }

    /// The private half, as `SerializePrivateKey` gives it.
    #[must_use]
    pub fn secret(&self) -> Secret<32> {
        match self {
            Self::X25519(pair) => pair.secret().duplicate(),
            Self::P256(pair) => pair.secret(),
        }
    }

    /// A second instance.
    #[must_use]
    pub(crate) fn duplicate(&self) -> Self {
        match self {
            Self::X25519(pair) => Self::X25519(pair.duplicate()),
            Self::P256(pair) => Self::P256(Box::new(pair.duplicate())),
        }
    }
}

/// An AEAD of HPKE (RFC 9180 §7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aead {
    /// AES-128-GCM.
    Aes128Gcm,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
}

impl Aead {
    const fn id(self) -> [u8; 2] {
        match self {
            Self::Aes128Gcm => [0, 1],
            Self::ChaCha20Poly1305 => [0, 3],
        }
    }

    /// `Nk`: bytes of a key.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::Aes128Gcm => Aes128Gcm::KEY,
            Self::ChaCha20Poly1305 => ChaCha20Poly1305::KEY,
        }
    }

    /// Encrypts `text` in place, with the first [`key_length`](Self::key_length) bytes of `key`, and returns its tag.
    ///
    /// # Errors
    /// [`Error::TooLong`].
    pub fn seal(
        self,
        key: &Secret<32>,
        nonce: &[u8; NONCE],
        ad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG], Error> {
        match self {
            Self::Aes128Gcm => Aes128Gcm::seal(front(key)?, nonce, ad, text),
            Self::ChaCha20Poly1305 => ChaCha20Poly1305::seal(key.expose(), nonce, ad, text),
        }
    }

    /// Decrypts `text || tag`.
    ///
    /// # Errors
    /// [`Error::Decryption`].
    pub fn open(
        self,
        key: &Secret<32>,
        nonce: &[u8; NONCE],
        ad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (text, tag) = sealed.split_last_chunk().ok_or(Error::Decryption)?;
        let mut text = Zeroizing::new(memory::copied(text));
        match self {
            Self::Aes128Gcm => Aes128Gcm::open(front(key)?, nonce, ad, &mut text, tag)?,
            Self::ChaCha20Poly1305 => {
                ChaCha20Poly1305::open(key.expose(), nonce, ad, &mut text, tag)?;
            }
        }
        Ok(text)
    }
}

fn front(key: &Secret<32>) -> Result<&[u8; Aes128Gcm::KEY], Error> {
    key.expose().first_chunk().ok_or(Error::InvalidKey)
}

/// `key_schedule_context` (RFC 9180 §5.1): an `info` that was hashed.
pub struct Info([u8; 1 + 2 * HASH]);

/// A suite: mechanism and AEAD, with HKDF-SHA256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hpke {
    /// The mechanism.
    pub kem: Kem,
    /// The AEAD.
    pub aead: Aead,
}

/// What both sides derive.
struct Context {
    secret: HmacKey,
}

impl Hpke {
    /// Hashes `info`, for one message or for many.
    #[must_use]
    pub fn info(&self, info: &[&[u8]]) -> Info {
        let mut context = [0; 1 + 2 * HASH];
        let psk_id_hash = self.labeled_extract(&[], b"psk_id_hash", &[]);
        let info_hash = self.labeled_extract(&[], b"info_hash", info);
        let hashes = psk_id_hash.expose().iter().chain(info_hash.expose());
        // The first byte is the mode, base.
        for (to, from) in context.iter_mut().skip(1).zip(hashes) {
            *to = *from;
        }
        Info(context)
    }

    /// `SealBase` without associated data (RFC 9180 §6.1), with the ephemeral key given: `enc` is its public half.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::NonContributory`] of the recipient's key; [`Error::TooLong`].
    pub fn seal(
        &self,
        public: &[u8],
        info: &Info,
        text: &[u8],
        ephemeral: &KeyPair,
    ) -> Result<Vec<u8>, Error> {
        let shared = self.kem.encapsulate(ephemeral, public)?;
        let (key, nonce) = self.context(&shared).key(self, info);
        let mut sealed = memory::with_capacity(text.len().saturating_add(TAG));
        memory::extend(&mut sealed, text);
        let tag = self.aead.seal(&key, nonce.expose(), &[], &mut sealed)?;
        memory::extend(&mut sealed, &tag);
        Ok(sealed)
    }

    /// `OpenBase` without associated data.
    ///
    /// # Errors
    /// [`Error::Decryption`], whatever the reason.
    pub fn open(
        &self,
        own: &KeyPair,
        enc: &[u8],
        info: &Info,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let shared = self.kem.decapsulate(own, enc);
        let shared = shared.map_err(|_| Error::Decryption)?;
        let (key, nonce) = self.context(&shared).key(self, info);
        self.aead.open(&key, nonce.expose(), &[], sealed)
    }

    /// `SendExportBase` (RFC 9180 §6.2) of 32 bytes, with the ephemeral key given.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::NonContributory`].
    pub fn send_export(
        &self,
        public: &[u8],
        info: &Info,
        exporter_context: &[u8],
        ephemeral: &KeyPair,
    ) -> Result<Secret<32>, Error> {
        let shared = self.kem.encapsulate(ephemeral, public)?;
        Ok(self.context(&shared).export(self, info, exporter_context))
    }

    /// `ReceiveExportBase` of 32 bytes.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::NonContributory`].
    pub fn receive_export(
        &self,
        own: &KeyPair,
        enc: &[u8],
        info: &Info,
        exporter_context: &[u8],
    ) -> Result<Secret<32>, Error> {
        let shared = self.kem.decapsulate(own, enc)?;
        Ok(self.context(&shared).export(self, info, exporter_context))
    }

    fn context(&self, shared: &Secret<32>) -> Context {
        let secret = self.labeled_extract(shared.expose(), b"secret", &[]);
        Context {
            secret: HmacKey::new(secret.expose()),
        }
    }

    fn suite_id(&self) -> [u8; 10] {
        let ([a, b], [c, d], [e, f]) = (self.kem.id(), KDF_ID, self.aead.id());
        [b'H', b'P', b'K', b'E', a, b, c, d, e, f]
    }

    fn labeled_extract(&self, salt: &[u8], label: &[u8], ikm: &[&[u8]]) -> Secret<HASH> {
        let id = self.suite_id();
        let mut parts = memory::with_capacity(ikm.len().saturating_add(3));
        memory::extend(&mut parts, &[VERSION, &id, label]);
        memory::extend(&mut parts, ikm);
        extract(salt, &parts)
    }
}

impl Context {
    fn key(&self, suite: &Hpke, info: &Info) -> (Secret<32>, Secret<NONCE>) {
        let id = suite.suite_id();
        let key = match suite.aead {
            // The second half stays zero, and is not used.
            Aead::Aes128Gcm => {
                let short: Secret<16> =
                    self.secret
                        .expand_secret(&[&[0, 16], VERSION, &id, b"key", &info.0]);
                let mut key = Secret::zero();
                for (to, from) in key.expose_mut().iter_mut().zip(short.expose()) {
                    *to = *from;
                }
                key
            }
            Aead::ChaCha20Poly1305 => {
                self.secret
                    .expand_secret(&[&[0, 32], VERSION, &id, b"key", &info.0])
            }
        };
        let nonce = self
            .secret
            .expand_secret(&[&[0, 12], VERSION, &id, b"base_nonce", &info.0]);
        (key, nonce)
    }

    fn export(&self, suite: &Hpke, info: &Info, exporter_context: &[u8]) -> Secret<32> {
        let id = suite.suite_id();
        let exporter: Secret<32> =
            self.secret
                .expand_secret(&[&[0, 32], VERSION, &id, b"exp", &info.0]);
        HmacKey::new(exporter.expose()).expand_secret(&[
            &[0, 32],
            VERSION,
            &id,
            b"sec",
            exporter_context,
        ])
    }
}

//! Floor 1: the container of stored state: magic, kind, version, encrypted and key-committing (SPEC §12.1).
//!
//! ```text
//! "SRS1" || u16 kind || u16 version || salt 32 || commit 32 || GCM(K, N, plaintext, AD)
//! K 32 || N 12 || commit 32 = Expand(Extract(salt, app_key), L("export") || kind || version, 76)
//! AD = "SRS1" || kind || version || vec(store key) || u64 generation
//! ```

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::crypto::aead::{Aes256Gcm, NONCE, TAG};
use crate::crypto::hash::{HmacKey, extract, sha256};
use crate::crypto::hedge::Entropy;
use crate::crypto::labels::{self, purpose};
use crate::crypto::{self, Secret, secret};
use crate::memory;
use crate::wire::{self, Reader, Writer};

/// The first four bytes of every exported state.
const MAGIC: &[u8; 4] = b"SRS1";

/// Bytes that the container adds to the plaintext.
pub const OVERHEAD: usize = 88;

/// Longest store key.
const STORE_KEY_MAX: usize = 1024;

/// What a stored state is, and the version of its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Number of the machine whose state it is.
    pub kind: u16,
    /// Version of that machine's encoding.
    pub version: u16,
}

impl Format {
    fn write(self, writer: &mut Writer) {
        writer.bytes(MAGIC).u16(self.kind).u16(self.version);
    }
}

/// Where a value is stored: bound into its encryption, so that a value moved or rolled back does not open.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    /// The store's key of the value, at most 1,024 bytes.
    pub store_key: &'a [u8],
    /// The generation of the store in which the value was written.
    pub generation: u64,
}

/// The app's key for exported state: exactly 32 random bytes, never a password.
pub struct AppKey(Secret<32>);

impl AppKey {
    /// Takes over 32 bytes from a random number generator or a key store.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The key.
    pub(crate) const fn secret(&self) -> &Secret<32> {
        &self.0
    }
}

/// Why a stored state was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Not a state of this kind, or made under another key, for another slot, or altered since.
    Integrity,
    /// A version that this release does not know.
    UnknownVersion,
    /// The store key is over 1,024 bytes, or the state too long for the cipher.
    TooLong,
    /// The caller's random number generator failed.
    Rng,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integrity => "the stored state is not intact",
            Self::UnknownVersion => "the stored state has a version that is not known",
            Self::TooLong => "the stored state or its key is too long",
            Self::Rng => "the random number generator failed",
        })
    }
}

impl core::error::Error for Error {}

impl From<crypto::Error> for Error {
    fn from(error: crypto::Error) -> Self {
        match error {
            crypto::Error::Rng => Self::Rng,
            crypto::Error::TooLong => Self::TooLong,
            _ => Self::Integrity,
        }
    }
}

impl From<wire::Error> for Error {
    fn from(_: wire::Error) -> Self {
        Self::Integrity
    }
}

/// Encrypts `plaintext` for `slot`.
///
/// # Errors
/// [`Error::Rng`], [`Error::TooLong`].
pub fn seal(
    format: Format,
    slot: Slot<'_>,
    plaintext: &[u8],
    app_key: &AppKey,
    entropy: &mut impl Entropy,
) -> Result<Vec<u8>, Error> {
    let associated = associated_data(format, slot)?;
    // The slot is in it, too: the same state exported twice under a generator that repeats must not give two tags
    // under one key and nonce.
    let context: [&[u8]; 2] = [&associated, &sha256(&[plaintext])];
    let salt: Secret<32> = entropy.derive(purpose::EXPORT_SALT, &context)?;
    let keys = Keys::derive(format, salt.expose(), app_key)?;
    let mut writer = Writer::with_capacity(plaintext.len().saturating_add(OVERHEAD));
    format.write(&mut writer);
    writer.bytes(salt.expose()).bytes(keys.commit.expose());
    let mut text = Zeroizing::new(memory::copied(plaintext));
    let tag = Aes256Gcm::seal(
        keys.key.expose(),
        keys.nonce.expose(),
        &associated,
        &mut text,
    )?;
    writer.bytes(&text).bytes(&tag);
    Ok(writer.into_bytes())
}

/// Decrypts what [`seal`] made for the same kind, slot and key; gives the version and the plaintext.
///
/// # Errors
/// [`Error::UnknownVersion`] if the version is above `format.version`, else [`Error::Integrity`].
pub fn open(
    format: Format,
    slot: Slot<'_>,
    exported: &[u8],
    app_key: &AppKey,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut reader = Reader::new(exported);
    if reader.array()? != MAGIC || reader.u16()? != format.kind {
        return Err(Error::Integrity);
    }
    if reader.u16()? != format.version {
        return Err(Error::UnknownVersion);
    }
    let salt = reader.array()?;
    let commit: &[u8; 32] = reader.array()?;
    let (ciphertext, tag) = reader
        .rest()
        .split_last_chunk::<TAG>()
        .ok_or(Error::Integrity)?;
    let keys = Keys::derive(format, salt, app_key)?;
    if !secret::equal(commit, keys.commit.expose()) {
        return Err(Error::Integrity);
    }
    let associated = associated_data(format, slot)?;
    let mut text = Zeroizing::new(memory::copied(ciphertext));
    Aes256Gcm::open(
        keys.key.expose(),
        keys.nonce.expose(),
        &associated,
        &mut text,
        tag,
    )?;
    Ok(text)
}

fn associated_data(format: Format, slot: Slot<'_>) -> Result<Vec<u8>, Error> {
    if slot.store_key.len() > STORE_KEY_MAX {
        return Err(Error::TooLong);
    }
    let mut writer = Writer::new();
    format.write(&mut writer);
    writer.vector(slot.store_key)?.u64(slot.generation);
    Ok(writer.into_bytes())
}

/// `K || N || commit`.
struct Keys {
    key: Secret<32>,
    nonce: Secret<NONCE>,
    commit: Secret<32>,
}

impl Keys {
    fn derive(format: Format, salt: &[u8; 32], app_key: &AppKey) -> Result<Self, Error> {
        let prk = extract(salt, &[app_key.0.expose()]);
        let okm: Secret<76> = HmacKey::new(prk.expose()).expand_secret(&[
            labels::EXPORT,
            &format.kind.to_be_bytes(),
            &format.version.to_be_bytes(),
        ]);
        let mut reader = Reader::new(okm.expose());
        Ok(Self {
            key: Secret::new(*reader.array()?),
            nonce: Secret::new(*reader.array()?),
            commit: Secret::new(*reader.array()?),
        })
    }
}

#[cfg(test)]
mod tests;

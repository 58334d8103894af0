//! A file's keys, and one chunk of it.

use super::Error;
use super::limits::{CHUNKS_MAX, TEXT_MAX};
use crate::crypto::aead::{NONCE, ReadyAes256Gcm, TAG};
use crate::crypto::{Secret, TryCryptoRng, hash512, hedge};

/// Bytes of text in every chunk but the last.
pub const CHUNK: usize = 16 * 1024;
/// The same as a power of two.
pub(super) const CHUNK_BITS: u32 = CHUNK.ilog2();
const _: () = assert!(TEXT_MAX == CHUNKS_MAX * CHUNK as u64 - 1);
/// Bytes of every sealed chunk but the last.
pub const SEALED_CHUNK: usize = CHUNK + TAG;
/// Bytes of a salt.
pub const SALT: usize = 24;
/// Bytes of a commitment to the key.
const COMMITMENT: usize = 32;
/// Bytes in front of the first chunk: salt and commitment.
pub const HEADER: usize = SALT + COMMITMENT;

/// What the keys are derived with, in front of salt and context (C2SP chunked-encryption, "Key derivation").
const INFO: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// The key of one sealed file. Each file that is sealed has a new one.
pub struct FileKey(Secret<32>);

impl FileKey {
    /// A new key.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn generate(rng: &mut (impl TryCryptoRng + ?Sized)) -> Result<Self, Error> {
        Ok(Self(hedge::fresh(rng)?))
    }

    /// The key with these bytes, as a descriptor has them.
    #[must_use]
    pub const fn from_bytes(bytes: Secret<32>) -> Self {
        Self(bytes)
    }

    /// A second instance.
    pub(super) const fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }

    /// The bytes, for whoever may read the file.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

/// What a file's key, context and salt give.
pub(crate) struct Derived {
    pub(crate) key: Secret<32>,
    pub(crate) base: Secret<NONCE>,
    pub(crate) commitment: Secret<COMMITMENT>,
}

impl Derived {
    pub(crate) fn new(key: &FileKey, context: &[u8], salt: &[u8; SALT]) -> Self {
        let info = [INFO, salt.as_slice(), context];
        let output: Secret<{ 32 + NONCE + COMMITMENT }> = hash512::expand(key.expose(), &info);
        let mut derived = Self {
            key: Secret::zero(),
            base: Secret::zero(),
            commitment: Secret::zero(),
        };
        let key = derived.key.expose_mut().iter_mut();
        let base = derived.base.expose_mut();
        let commitment = derived.commitment.expose_mut();
        for (to, from) in key.chain(base).chain(commitment).zip(output.expose()) {
            *to = *from;
        }
        derived
    }
}

/// What seals and opens the chunks of one file.
pub(super) struct Chunks {
    cipher: ReadyAes256Gcm,
    base: Secret<NONCE>,
}

impl Chunks {
    /// The keys of a file and the commitment to them.
    pub fn derive(key: &FileKey, context: &[u8], salt: &[u8; SALT]) -> (Self, Secret<COMMITMENT>) {
        let Derived {
            key,
            base,
            commitment,
        } = Derived::new(key, context, salt);
        let chunks = Self {
            cipher: ReadyAes256Gcm::new(key.expose()),
            base,
        };
        (chunks, commitment)
    }

    /// The nonce of a chunk.
    fn nonce(&self, number: u64) -> Result<[u8; NONCE], Error> {
        if number >= CHUNKS_MAX {
            return Err(Error::TooLong);
        }
        let mut nonce = *self.base.expose();
        let end = nonce.iter_mut().rev();
        for (byte, number) in end.zip(number.to_be_bytes().into_iter().rev()) {
            *byte ^= number;
        }
        Ok(nonce)
    }

    /// Seals a chunk in place: its text, and behind it room for the tag.
    pub fn seal(&self, number: u64, chunk: &mut [u8]) -> Result<(), Error> {
        let nonce = self.nonce(number)?;
        let (text, tag) = chunk.split_last_chunk_mut().ok_or(Error::Truncated)?;
        *tag = self.cipher.seal(&nonce, text)?;
        Ok(())
    }

    /// Seals a text into `chunk`, which has room for its tag, too.
    pub fn seal_into(&self, number: u64, text: &[u8], chunk: &mut [u8]) -> Result<(), Error> {
        let nonce = self.nonce(number)?;
        let (sealed, tag) = chunk.split_last_chunk_mut().ok_or(Error::Truncated)?;
        *tag = self.cipher.seal_into(&nonce, text, sealed)?;
        Ok(())
    }

    /// Opens a chunk into `text`, which has room for the text and nothing else. On failure it is all zero.
    pub fn open_into(&self, number: u64, chunk: &[u8], text: &mut [u8]) -> Result<(), Error> {
        let nonce = self.nonce(number)?;
        let (sealed, tag) = chunk.split_last_chunk().ok_or(Error::Truncated)?;
        Ok(self.cipher.open_into(&nonce, sealed, text, tag)?)
    }

    /// Opens a chunk in place and gives its text. On failure its text is all zero.
    pub fn open<'a>(&self, number: u64, sealed: &'a mut [u8]) -> Result<&'a mut [u8], Error> {
        let nonce = self.nonce(number)?;
        let (text, tag) = sealed.split_last_chunk_mut().ok_or(Error::Truncated)?;
        self.cipher.open(&nonce, text, tag)?;
        Ok(text)
    }
}

/// The length of a file that was sealed, from that of its text; nothing for a text that is too long.
#[must_use]
pub const fn sealed_len(text: u64) -> Option<u64> {
    if text > TEXT_MAX {
        return None;
    }
    let chunks = (text >> CHUNK_BITS).saturating_add(1);
    Some(
        text.saturating_add(chunks.saturating_mul(TAG as u64))
            .saturating_add(HEADER as u64),
    )
}

/// How many whole sealed chunks so many bytes are, and how many bytes are left.
const fn whole_chunks(bytes: u64) -> (u64, u64) {
    const SEALED: u64 = SEALED_CHUNK as u64;
    match (bytes.checked_div(SEALED), bytes.checked_rem(SEALED)) {
        (Some(chunks), Some(rest)) => (chunks, rest),
        _ => (0, bytes),
    }
}

/// The length of the text of a sealed file, from that of the file: what it is if the file is genuine.
///
/// # Errors
/// [`Error::Truncated`], [`Error::TooLong`]: no file has this length.
pub const fn text_len(sealed: u64) -> Result<u64, Error> {
    let Some(behind) = sealed.checked_sub(HEADER as u64) else {
        return Err(Error::Truncated);
    };
    let (full, rest) = whole_chunks(behind);
    let Some(last) = rest.checked_sub(TAG as u64) else {
        return Err(Error::Truncated);
    };
    if full >= CHUNKS_MAX {
        return Err(Error::TooLong);
    }
    Ok(full.saturating_mul(CHUNK as u64).saturating_add(last))
}

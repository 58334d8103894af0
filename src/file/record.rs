//! What an upload keeps secret, so that it can go on after the app has died (SPEC §20.4).

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::Error;
use super::blob::MediaType;
use super::chunk::{FileKey, SALT};
use super::limits::MEDIA_TYPE_MAX;
use crate::crypto::hash::{HmacKey, expand};
use crate::crypto::hedge::{self, Entropy, Hedge, Hedged};
use crate::crypto::{Secret, TryCryptoRng, labels};
use crate::state::{self, AppKey, Format, Slot};
use crate::wire::{self, Reader, Writer};

/// Kind and version in the container of stored state (SPEC §12.1).
const FORMAT: Format = Format {
    kind: 12,
    version: 1,
};

/// Where a blob's keys and salt come from, and what it holds. One record is for one text.
///
/// An app that wants to go on with an interrupted upload exports it before the first chunk leaves. It opens the blob:
/// it is deleted when the blob is complete.
pub struct Record {
    seed: Secret<32>,
    media_type: MediaType,
}

impl Record {
    /// A new one. `apart` is whatever tells this text from others: its length, its time, a hash of it; or nothing. It
    /// counts only if the generator repeats itself, as that of a machine which was copied does: then two texts with the
    /// same first 16 KiB have different keys if `apart` is different.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn new(
        media_type: MediaType,
        apart: &[u8],
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Self, Error> {
        let random = hedge::fresh(rng)?;
        Ok(Self::from_random(media_type, apart, &random))
    }

    pub(crate) fn from_random(media_type: MediaType, apart: &[u8], random: &Secret<32>) -> Self {
        let seed = HmacKey::new(random.expose()).mac(&[labels::BLOB_SEED, apart]);
        Self { seed, media_type }
    }

    /// What the text is, as it was said to [`new`](Self::new).
    #[must_use]
    pub const fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The key of the blob.
    pub(crate) fn key(&self) -> FileKey {
        FileKey::from_bytes(expand(self.seed.expose(), &[labels::BLOB_KEY]))
    }

    /// The salt of a blob whose first chunk has this text.
    pub(crate) fn salt(&self, text: &[u8]) -> [u8; SALT] {
        let mac = HmacKey::new(self.seed.expose()).mac(&[labels::BLOB_SALT, text]);
        let mut salt = [0; SALT];
        for (to, from) in salt.iter_mut().zip(mac.expose()) {
            *to = *from;
        }
        salt
    }

    /// Encrypts it for its slot in the app's store.
    ///
    /// # Errors
    /// [`state::Error::TooLong`] for a store key over 1,024 bytes, [`state::Error::Rng`].
    pub fn export(
        &self,
        slot: Slot<'_>,
        app_key: &AppKey,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<Vec<u8>, state::Error> {
        let hedge = Hedge::of(&self.seed);
        self.export_with(slot, app_key, &mut Hedged::new(&hedge, rng))
    }

    pub(crate) fn export_with(
        &self,
        slot: Slot<'_>,
        app_key: &AppKey,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, state::Error> {
        state::seal(FORMAT, slot, &self.encode()?, app_key, entropy)
    }

    /// `opaque seed[32]; opaque media_type<V>`
    pub(crate) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, wire::Error> {
        let mut writer = Writer::with_capacity(32 + 2 + MEDIA_TYPE_MAX);
        writer.bytes(self.seed.expose());
        self.media_type.write(&mut writer)?;
        Ok(Zeroizing::new(writer.into_bytes()))
    }

    pub(crate) fn decode(plaintext: &[u8]) -> Result<Self, wire::Error> {
        let mut reader = Reader::new(plaintext);
        let seed = Secret::new(*reader.array()?);
        let media_type = MediaType::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { seed, media_type })
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

/// A record that was stored: what its blob has so far, another file says.
/// [`BlobSealer::resume`](super::BlobSealer::resume) takes both.
pub struct Interrupted(pub(crate) Record);

impl Interrupted {
    /// Decrypts what [`Record::export`] made for the same slot and key.
    ///
    /// # Errors
    /// [`state::Error::UnknownVersion`] for a record of a newer release, else [`state::Error::Integrity`].
    pub fn import(exported: &[u8], slot: Slot<'_>, app_key: &AppKey) -> Result<Self, state::Error> {
        let plaintext = state::open(FORMAT, slot, exported, app_key)?;
        Ok(Self(Record::decode(&plaintext)?))
    }

    /// What the text is.
    #[must_use]
    pub const fn media_type(&self) -> &MediaType {
        &self.0.media_type
    }
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interrupted").field(&self.0).finish()
    }
}

//! Export and import of everything that an app stores (SPEC §12).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{Conversation, Error};
use crate::agreement::Prekeys;
use crate::crypto::TryCryptoRng;
use crate::crypto::hedge::{Entropy, Hedged};
use crate::identity::DeviceIdentity;
use crate::state::{self, AppKey, Format, Slot};
use crate::wire::{Reader, Writer};

/// The version of every stored encoding. (0 was a draft without the post-quantum ratchet, never released.)
const VERSION: u16 = 1;

pub(crate) use sealed::Encoding;

mod sealed {
    use super::{Error, Reader, Writer};

    /// The plaintext encoding of a stored value.
    pub trait Encoding: Sized {
        /// Number of the kind in the container.
        const KIND: u16;

        fn write(&self, writer: &mut Writer) -> Result<(), Error>;

        fn read(reader: &mut Reader<'_>) -> Result<Self, Error>;

        /// An upper bound of the written length.
        fn size_hint(&self) -> usize;
    }
}

/// What can be exported: [`DeviceIdentity`], [`Prekeys`], [`Conversation`], and what a device stores besides.
pub trait Stored: sealed::Encoding {}

impl<T: sealed::Encoding> Stored for T {}

impl sealed::Encoding for DeviceIdentity {
    const KIND: u16 = 1;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        self.write(writer);
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Self::read(reader).map_err(|_| Error::Integrity)
    }

    fn size_hint(&self) -> usize {
        128
    }
}

impl sealed::Encoding for Prekeys {
    const KIND: u16 = 2;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        self.write(writer).map_err(|_| Error::Integrity)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Self::read(reader).map_err(|_| Error::Integrity)
    }

    fn size_hint(&self) -> usize {
        self.size_hint()
    }
}

impl sealed::Encoding for Conversation {
    const KIND: u16 = 3;

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        self.write(writer)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Self::read(reader)
    }

    fn size_hint(&self) -> usize {
        self.size_hint()
    }
}

/// Encrypts `value` for its slot in the app's store (SPEC §12.1). `device` hedges the salt.
///
/// # Errors
/// [`Error::TooLong`] for a store key over 1,024 bytes, [`Error::Rng`].
pub fn export<T: Stored>(
    value: &T,
    device: &DeviceIdentity,
    slot: Slot<'_>,
    app_key: &AppKey,
    rng: &mut (impl TryCryptoRng + ?Sized),
) -> Result<Vec<u8>, Error> {
    export_with(value, slot, app_key, &mut Hedged::new(device.hedge(), rng))
}

pub(crate) fn export_with<T: Stored>(
    value: &T,
    slot: Slot<'_>,
    app_key: &AppKey,
    entropy: &mut impl Entropy,
) -> Result<Vec<u8>, Error> {
    let plaintext = encode(value)?;
    Ok(state::seal(
        format::<T>(),
        slot,
        &plaintext,
        app_key,
        entropy,
    )?)
}

/// Decrypts what [`export`] made for the same slot and key.
///
/// # Errors
/// [`Error::UnknownVersion`] for a state of a newer release, else [`Error::Integrity`].
pub fn import<T: Stored>(exported: &[u8], slot: Slot<'_>, app_key: &AppKey) -> Result<T, Error> {
    decode(&state::open(format::<T>(), slot, exported, app_key)?)
}

const fn format<T: Stored>() -> Format {
    Format {
        kind: T::KIND,
        version: VERSION,
    }
}

/// The plaintext encoding.
pub(crate) fn encode<T: Stored>(value: &T) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut writer = Writer::with_capacity(value.size_hint());
    value.write(&mut writer)?;
    Ok(Zeroizing::new(writer.into_bytes()))
}

/// Reads a plaintext encoding. Only the one encoding of a value is accepted: what was read is written again and
/// must be the same bytes.
pub(crate) fn decode<T: Stored>(plaintext: &[u8]) -> Result<T, Error> {
    let mut reader = Reader::new(plaintext);
    let value = T::read(&mut reader)?;
    reader.finish().map_err(|_| Error::Integrity)?;
    if encode(&value)?.as_slice() != plaintext {
        return Err(Error::Integrity);
    }
    Ok(value)
}

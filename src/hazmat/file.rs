//! Files with a salt that is given (SPEC §20.1), and blobs with the random values given (§20.4).

use alloc::vec::Vec;

use super::Given;
use crate::crypto::Secret;
use crate::file::{Derived, Error, FileKey, HEADER, Interrupted, MediaType, Record, SALT, Sealer};
use crate::state::{self, AppKey, Slot};

/// Begins a file with this salt, which no other file may have under its key, and gives its header.
#[must_use]
pub fn sealer(key: &FileKey, context: &[u8], salt: &[u8; SALT]) -> (Sealer, [u8; HEADER]) {
    Sealer::with_salt(key, context, salt)
}

/// What a file is sealed with: the chunk key, the base nonce, the commitment.
#[must_use]
pub fn derived(key: &FileKey, context: &[u8], salt: &[u8; SALT]) -> [Vec<u8>; 3] {
    let Derived {
        key,
        base,
        commitment,
    } = Derived::new(key, context, salt);
    [bytes(&key), bytes(&base), bytes(&commitment)]
}

fn bytes<const N: usize>(secret: &Secret<N>) -> Vec<u8> {
    crate::memory::copied(secret.expose())
}

/// [`Record::new`] with the 32 random bytes given.
#[must_use]
pub fn record(media_type: MediaType, apart: &[u8], random: [u8; 32]) -> Record {
    Record::from_random(media_type, apart, &Secret::new(random))
}

/// The key of a record's blob, and its salt if the first chunk has this text.
#[must_use]
pub fn record_keys(record: &Record, first: &[u8]) -> ([u8; 32], [u8; SALT]) {
    (*record.key().expose(), record.salt(first))
}

/// The plaintext of a stored record.
///
/// # Errors
/// None for a record that there is.
pub fn encode_record(record: &Record) -> Result<Vec<u8>, Error> {
    Ok(crate::memory::copied(&record.encode()?))
}

/// A record from the plaintext of a stored one.
///
/// # Errors
/// [`Error::Malformed`].
pub fn decode_record(plaintext: &[u8]) -> Result<Record, Error> {
    Ok(Record::decode(plaintext)?)
}

/// A record as it comes out of a store.
#[must_use]
pub const fn interrupted(record: Record) -> Interrupted {
    Interrupted(record)
}

/// What a stored record has.
#[must_use]
pub fn into_record(interrupted: Interrupted) -> Record {
    interrupted.0
}

/// [`Record::export`] with the salt given.
///
/// # Errors
/// As [`Record::export`].
pub fn export_record(
    record: &Record,
    slot: Slot<'_>,
    app_key: &AppKey,
    given: &mut Given,
) -> Result<Vec<u8>, state::Error> {
    record.export_with(slot, app_key, given)
}

//! A device in a directory: the library's reference store, and a key beside it, for want of a key store.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use subrosa::crypto::TryRng;
use subrosa::{AppKey, Device, os_rng, system_now};
use subrosa_sqlite::{Durability, Opened, SqliteStore};

use crate::Result;

/// Opens the device in a directory, or makes one there.
pub fn open(directory: &Path) -> Result<Device<SqliteStore>> {
    fs::create_dir_all(directory)?;
    let app_key = AppKey::new(key(&directory.join("key"))?);
    let (now, rng) = (system_now(), &mut os_rng());
    let path = directory.join("device.sqlite");
    let (mut store, is_whole) = match SqliteStore::open(path, Durability::Full)? {
        Opened::Whole(store) => (store, true),
        Opened::MayHaveLost(store) => (store, false),
    };
    if store.generation()? == 0 {
        // The recovery key is for paper. This account is gone with its directory.
        return Ok(Device::create(store, app_key, now, rng)?.0);
    }
    Ok(if is_whole {
        Device::open(store, app_key, None)?
    } else {
        Device::restore(store, app_key, now, rng)?
    })
}

fn key(path: &Path) -> Result<[u8; 32]> {
    match fs::read(path) {
        Ok(key) => Ok(key.try_into().map_err(|_| "the key has another length")?),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key = [0; 32];
            os_rng().try_fill_bytes(&mut key)?;
            fs::write(path, key)?;
            Ok(key)
        }
        Err(error) => Err(error.into()),
    }
}

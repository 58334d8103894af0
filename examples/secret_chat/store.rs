//! The state of a peer in a directory: one file of the library's reference store, and a key.
//!
//! ```text
//! device.sqlite   everything that the device holds: identity, prekeys, conversations, inbox, outbox
//! key             32 random bytes, made once; the values in the file are encrypted under them
//! ```
//! The key stands beside what it encrypts, for want of a key store: a real app asks the operating system's.
//!
//! What makes a crash harmless, at whatever instant it comes, is the device's doing:
//!
//! - Each of its calls is one commit, which holds *everything* that the call changed: the ratchets that moved on and the
//!   lines that they opened; the line that was sealed and the chain keys after it.
//! - Nothing is given out before it is on the disk: no ciphertext, no line, no bundle. So no message key is ever used
//!   for two messages, and a line that was shown is stored.
//! - What was stored but not yet sent or shown when the crash came is in the outbox or in the inbox.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use subrosa::crypto::TryRng;
use subrosa::device::store::{Key, Unreadable};
use subrosa::device::{Commit, Store};
use subrosa::identity::AccountId;
use subrosa::{AppKey, Device, os_rng, system_now};
use subrosa_sqlite::{Durability, Opened, SqliteStore};

use crate::Result;

/// The account that a new device belongs to, and its id there; `None`: an account of its own.
pub type Link = Option<(AccountId, u32)>;

/// A device as this example has it.
pub type StoredDevice = Device<Measured<SqliteStore>>;

/// A store that notes how long it takes, for the closing table.
pub struct Measured<S> {
    store: S,
    clock: Clock,
}

/// What a store has noted, for who has given it away.
#[derive(Clone, Default)]
pub struct Clock(Rc<RefCell<Spent>>);

#[derive(Clone, Default)]
pub struct Spent {
    /// In all of the store's calls.
    pub total: Duration,
    pub commits: Vec<Duration>,
}

impl<S> Measured<S> {
    pub fn new(store: S) -> (Self, Clock) {
        let clock = Clock::default();
        let store = Self {
            store,
            clock: clock.clone(),
        };
        (store, clock)
    }
}

impl Clock {
    /// What was spent since the last time.
    pub fn take(&self) -> Spent {
        self.0.take()
    }
}

impl<S: Store> Store for Measured<S> {
    fn get(&mut self, key: &Key) -> std::result::Result<Option<Vec<u8>>, Unreadable> {
        let started = Instant::now();
        let value = self.store.get(key);
        self.clock.0.borrow_mut().total += started.elapsed();
        value
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        let started = Instant::now();
        let outcome = self.store.commit(base, puts, deletes);
        let took = started.elapsed();
        let mut spent = self.clock.0.borrow_mut();
        spent.total += took;
        spent.commits.push(took);
        outcome
    }
}

/// Opens the device in `directory`, or makes one there.
pub fn open(directory: &Path, link: Link) -> Result<(StoredDevice, Clock)> {
    create_private_directory(directory)?;
    let app_key = AppKey::new(load_or_make_key(directory)?);
    let (now, rng) = (system_now(), &mut os_rng());
    let (mut store, is_whole) =
        match SqliteStore::open(directory.join("device.sqlite"), Durability::Full)? {
            Opened::Whole(store) => (store, true),
            Opened::MayHaveLost(store) => (store, false),
        };
    let is_new = store.generation()? == 0;
    let (store, clock) = Measured::new(store);
    let device = match (is_new, link) {
        // The recovery key is for paper. This account is gone with its directory.
        (true, None) => Device::create(store, app_key, now, rng)?.0,
        (true, Some((account, id))) => {
            Device::create_linked(store, app_key, &account, id, now, rng)?
        }
        (false, _) if is_whole => Device::open(store, app_key, None)?,
        (false, _) => Device::restore(store, app_key, now, rng)?,
    };
    Ok((device, clock))
}

fn load_or_make_key(directory: &Path) -> Result<[u8; 32]> {
    if let Some(key) = read_if_there(&directory.join("key"))? {
        return key
            .try_into()
            .map_err(|_| "the key file is not 32 bytes long".into());
    }
    let mut key = [0; 32];
    os_rng().try_fill_bytes(&mut key)?;
    replace(directory, "key", &key)?;
    Ok(key)
}

pub fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whoever reads `name` finds all of the old bytes or all of `bytes`, and after the return only these.
pub fn replace(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = directory.join(format!("{name}.new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, directory.join(name))?;
    sync_directory(directory)
}

/// Makes the rename durable. Elsewhere than on Unix a directory cannot be opened for that.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// Makes the directory, for its owner only; it may be there already.
pub fn create_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::{env, process};

    use super::*;

    fn directory(name: &str) -> PathBuf {
        let directory = env::temp_dir().join(format!("secret_chat-store-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&directory);
        directory
    }

    #[test]
    fn a_directory_keeps_its_device() {
        let directory = directory("kept");
        let (device, clock) = open(&directory, None).unwrap();
        assert_eq!(clock.take().commits.len(), 1);
        let address = *device.address();
        drop(device);
        // A write that a crash cut short.
        fs::write(directory.join("key.new"), b"half").unwrap();
        let (device, clock) = open(&directory, None).unwrap();
        assert_eq!(*device.address(), address);
        assert_eq!(clock.take().commits.len(), 0);
        drop(device);
        fs::write(directory.join("key"), [0; 32]).unwrap();
        assert!(open(&directory, None).is_err());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_directory_without_its_log_is_restored() {
        let directory = directory("restored");
        let (device, clock) = open(&directory, None).unwrap();
        // As a process that ends without a word leaves it.
        for name in ["device.sqlite", "key"] {
            let copies = directory.join("copy");
            create_private_directory(&copies).unwrap();
            fs::copy(directory.join(name), copies.join(name)).unwrap();
        }
        drop((device, clock));
        let (device, clock) = open(&directory.join("copy"), None).unwrap();
        assert_eq!(clock.take().commits.len(), 1, "that of `restore`");
        drop(device);
        fs::remove_dir_all(directory).unwrap();
    }
}

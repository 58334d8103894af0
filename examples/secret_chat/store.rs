//! The state of a peer in a directory: one key file, and one state file that is replaced as a whole.
//!
//! ```text
//! key     32 random bytes, made once
//! state   "secret_chat 1\n" || generation u64 || vec(identity) || vec(prekeys) || vec(conversation) || vec(app)
//! ```
//! The first three values are exported by the library; `app` is what the app itself must not lose, in the same
//! container. Each is encrypted under the key and bound to its name and to the generation, so that a value of another
//! commit does not open. The app key stands beside what it encrypts, for want of a key store: a real app asks the
//! operating system's.
//!
//! What makes a crash harmless, at whatever instant it comes:
//!
//! - One commit holds *everything* that one step changed: the ratchet that moved on and the line that it opened; the
//!   one-time key that is gone and the conversation that it began; the line that was sealed and the chain key after
//!   it. There is no moment at which one is stored without the other.
//! - It is written to a second file, made durable (`fsync`), and renamed over the first; then the directory is made
//!   durable. A reader finds the old state or the new one.
//! - Nothing is released before: no ciphertext is sent, no line is shown, nothing is published. So no message number
//!   is ever used for two messages, and a line that was shown is stored.
//! - What was stored but not released when the crash came is not lost: a line to be shown stays in the inbox until
//!   the screen has confirmed it, and a ciphertext that was never sent is to the peer like one that the network lost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use subrosa::crypto::hedge::Entropy;
use subrosa::crypto::{self, Secret, TryRng};
use subrosa::state::{self, Format};
use subrosa::wire::{Reader, Writer};
use subrosa::{AppKey, Conversation, DeviceIdentity, Prekeys, Slot, export, import, os_rng};

use crate::Result;

const MAGIC: &[u8] = b"secret_chat 1\n";

/// The app's own value. The library numbers its kinds from 1.
const APP: Format = Format {
    kind: 0x8000,
    version: 1,
};

/// Longest stored value: far above what the limits of inbox and outbox allow.
const VALUE_MAX: usize = 1 << 29;

pub struct Store {
    directory: PathBuf,
    app_key: AppKey,
    generation: u64,
}

/// What a commit holds.
pub struct Contents<'a> {
    pub identity: &'a DeviceIdentity,
    pub prekeys: &'a Prekeys,
    pub conversation: Option<&'a Conversation>,
    pub app: &'a [u8],
}

/// What the last commit held.
pub struct Loaded {
    pub identity: DeviceIdentity,
    pub prekeys: Prekeys,
    pub conversation: Option<Conversation>,
    pub app: Vec<u8>,
}

impl Store {
    /// Opens the store in `directory`, or makes a new one there.
    pub fn open(directory: &Path) -> Result<(Self, Option<Loaded>)> {
        create_private_directory(directory)?;
        let mut store = Self {
            directory: directory.to_owned(),
            app_key: AppKey::new(load_or_make_key(directory)?),
            generation: 0,
        };
        let loaded = store.load()?;
        Ok((store, loaded))
    }

    /// Counts the commits; 0 before the first.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Replaces the state. After an error the process must end: nobody knows which of the two states is stored.
    pub fn commit(&mut self, contents: &Contents<'_>) -> Result<()> {
        let generation = self.generation + 1;
        let Contents {
            identity,
            prekeys,
            conversation,
            app,
        } = contents;
        let (key, rng) = (&self.app_key, &mut os_rng());
        let slot = |name: &'static str| slot(name, generation);
        let conversation = match conversation {
            Some(conversation) => export(*conversation, identity, slot("conversation"), key, rng)?,
            None => Vec::new(),
        };
        let mut writer = Writer::new();
        writer
            .bytes(MAGIC)
            .u64(generation)
            .vector(&export(*identity, identity, slot("identity"), key, rng)?)?
            .vector(&export(*prekeys, identity, slot("prekeys"), key, rng)?)?
            .vector(&conversation)?
            .vector(&state::seal(APP, slot("app"), app, key, &mut OsEntropy)?)?;
        if self.stored_generation()? != self.generation {
            return Err("another process uses the same state".into());
        }
        replace(&self.directory, "state", &writer.into_bytes())?;
        self.generation = generation;
        Ok(())
    }

    fn load(&mut self) -> Result<Option<Loaded>> {
        let Some(bytes) = read_if_there(&self.directory.join("state"))? else {
            return Ok(None);
        };
        let mut reader = Reader::new(&bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err("the state file was not written by this program".into());
        }
        let generation = reader.u64()?;
        let slot = |name| slot(name, generation);
        let key = &self.app_key;
        let identity = import(reader.vector(VALUE_MAX)?, slot("identity"), key)?;
        let prekeys = import(reader.vector(VALUE_MAX)?, slot("prekeys"), key)?;
        let conversation = match reader.vector(VALUE_MAX)? {
            [] => None,
            exported => Some(import(exported, slot("conversation"), key)?),
        };
        let app = state::open(APP, slot("app"), reader.vector(VALUE_MAX)?, key)?.to_vec();
        reader.finish()?;
        self.generation = generation;
        Ok(Some(Loaded {
            identity,
            prekeys,
            conversation,
            app,
        }))
    }

    /// The generation of the file as it is now: two processes that share a directory by mistake must not both write.
    fn stored_generation(&self) -> Result<u64> {
        let Some(bytes) = read_if_there(&self.directory.join("state"))? else {
            return Ok(0);
        };
        let mut reader = Reader::new(&bytes);
        reader.take(MAGIC.len())?;
        Ok(reader.u64()?)
    }
}

const fn slot(name: &'static str, generation: u64) -> Slot<'static> {
    Slot {
        store_key: name.as_bytes(),
        generation,
    }
}

/// The salts of the app's own value, from the operating system.
struct OsEntropy;

impl Entropy for OsEntropy {
    fn derive<const N: usize>(
        &mut self,
        _: &'static [u8],
        _: &[&[u8]],
    ) -> std::result::Result<Secret<N>, crypto::Error> {
        random().map(Secret::new)
    }

    fn fresh(&mut self) -> std::result::Result<Secret<32>, crypto::Error> {
        random().map(Secret::new)
    }
}

fn random<const N: usize>() -> std::result::Result<[u8; N], crypto::Error> {
    let mut bytes = [0; N];
    os_rng()
        .try_fill_bytes(&mut bytes)
        .map_err(|_| crypto::Error::Rng)?;
    Ok(bytes)
}

fn load_or_make_key(directory: &Path) -> Result<[u8; 32]> {
    if let Some(key) = read_if_there(&directory.join("key"))? {
        return key
            .try_into()
            .map_err(|_| "the key file is not 32 bytes long".into());
    }
    let key = random()?;
    replace(directory, "key", &key)?;
    Ok(key)
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whoever reads `name` finds all of the old bytes or all of `bytes`, and after the return only these.
fn replace(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
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
    use std::{env, process};

    use subrosa::{Address, system_now};

    use super::*;

    fn directory(name: &str) -> PathBuf {
        let directory = env::temp_dir().join(format!("secret_chat-store-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&directory);
        directory
    }

    fn device() -> (DeviceIdentity, Prekeys) {
        let address = Address::new(b"alice").unwrap();
        let identity = DeviceIdentity::generate(address, &mut os_rng()).unwrap();
        let prekeys = Prekeys::generate(&identity, system_now(), &mut os_rng()).unwrap();
        (identity, prekeys)
    }

    fn commit(store: &mut Store, device: &(DeviceIdentity, Prekeys), app: &[u8]) -> Result<()> {
        store.commit(&Contents {
            identity: &device.0,
            prekeys: &device.1,
            conversation: None,
            app,
        })
    }

    #[test]
    fn what_was_committed_last_is_loaded() {
        let directory = directory("loaded");
        let device = device();
        let (mut store, loaded) = Store::open(&directory).unwrap();
        assert!(loaded.is_none());
        for generation in 1..=3u8 {
            commit(&mut store, &device, &[generation]).unwrap();
            // A write that a crash cut short.
            fs::write(directory.join("state.new"), b"secret_chat 1\n").unwrap();
            let (again, loaded) = Store::open(&directory).unwrap();
            let loaded = loaded.unwrap();
            assert_eq!(again.generation(), u64::from(generation));
            assert_eq!(loaded.app, [generation]);
            assert_eq!(loaded.identity.public(), device.0.public());
        }
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn two_processes_on_one_state_do_not_both_write() {
        let directory = directory("stale");
        let device = device();
        let (mut first, _) = Store::open(&directory).unwrap();
        commit(&mut first, &device, b"").unwrap();
        let (mut second, _) = Store::open(&directory).unwrap();
        commit(&mut second, &device, b"second").unwrap();
        assert!(commit(&mut first, &device, b"first").is_err());
        assert_eq!(Store::open(&directory).unwrap().1.unwrap().app, b"second");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn an_altered_state_is_not_loaded() {
        let directory = directory("altered");
        let (mut store, _) = Store::open(&directory).unwrap();
        commit(&mut store, &device(), b"app").unwrap();
        let file = directory.join("state");
        let genuine = fs::read(&file).unwrap();
        for position in 0..genuine.len() {
            let mut altered = genuine.clone();
            altered[position] ^= 1;
            fs::write(&file, &altered).unwrap();
            assert!(Store::open(&directory).is_err(), "{position}");
        }
        fs::write(&file, &genuine[..genuine.len() - 1]).unwrap();
        assert!(Store::open(&directory).is_err());
        fs::write(&file, &genuine).unwrap();
        assert!(Store::open(&directory).unwrap().1.is_some());
        fs::write(directory.join("key"), [0; 32]).unwrap();
        assert!(Store::open(&directory).is_err());
        fs::remove_dir_all(directory).unwrap();
    }
}

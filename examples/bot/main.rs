//! A bot that rolls dice, with two people who use it: `cargo run --release --example bot`
//!
//! [`bot`] is what to copy. Here is the world around it: a server in memory, Alice and Bob, and a store that ends the bot
//! at every few commits, half of the time before and half of the time after, so that it has to be opened again. It keeps
//! its state in an SQLite file.

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use bot::{Bot, Past};
use common::server::{Server, messages, receive, register, send};
use common::{NOW, SeededRng};
use subrosa::device::store::{Key, Unreadable};
use subrosa::device::{self, Commit, MemoryStore, Sent, Store};
use subrosa::identity::{AccountId, RecoverySecret};
use subrosa::{AppKey, Device};
use subrosa_sqlite::{Durability, Opened, SqliteStore};

mod bot;
#[path = "../../tests/common/mod.rs"]
mod common;

/// Whatever goes wrong ends the bot.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A real one comes from where the system keeps secrets, not from the program.
const APP_KEY: [u8; 32] = [7; 32];

/// Turns after which nobody waits any longer.
const PATIENCE: u32 = 100;

fn main() -> Result<()> {
    let mut world = World::new(2)?;
    world.talk()?;
    println!("{}", world.lines.join("\n"));
    println!(
        "-- the bot was ended {} times, at one commit or another",
        world.deaths
    );
    Ok(())
}

/// A store under which the process ends at one commit: just before it, or just after.
struct Mortal {
    store: SqliteStore,
    commits_left: u32,
    before: bool,
}

impl Store for Mortal {
    fn get(&mut self, key: &Key) -> std::result::Result<Option<Vec<u8>>, Unreadable> {
        self.store.get(key)
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        match self.commits_left.checked_sub(1) {
            Some(left) => self.commits_left = left,
            None if self.before => return Commit::Failed,
            // It is stored, and nobody has learnt so.
            None => {
                let _ = self.store.commit(base, puts, deletes);
                return Commit::Unknown;
            }
        }
        self.store.commit(base, puts, deletes)
    }
}

/// Somebody who uses the bot.
struct Person {
    name: &'static str,
    device: Device<MemoryStore>,
    recovery: RecoverySecret,
    /// Messages written so far.
    written: u32,
}

struct World {
    server: Server,
    file: Scratch,
    /// `None` until the bot was started for the first time.
    bot: Option<AccountId>,
    /// The bot is ended when it has made so many commits.
    life: u32,
    deaths: u32,
    rng: SeededRng,
    lines: Vec<String>,
}

impl World {
    fn new(life: u32) -> Result<Self> {
        Ok(Self {
            server: Server::default(),
            file: Scratch::new()?,
            bot: None,
            life,
            deaths: 0,
            rng: SeededRng(1),
            lines: Vec::new(),
        })
    }

    fn talk(&mut self) -> Result<()> {
        self.run_bot()?;
        let mut alice = self.person("alice");
        let mut bob = self.person("bob");
        self.write(&mut alice, "hello")?;
        self.write(&mut bob, "roll 6")?;
        self.write(&mut bob, "roll 100")?;
        self.run_bot()?;
        self.read(&mut alice)?;
        self.read(&mut bob)?;

        self.note("alice writes to bob, and the server hands it to the bot as well");
        let to_bob = bob.device.account()?;
        let sent = self.send(&mut alice, &to_bob, "between you and me")?;
        let bot = self.bot.ok_or("the bot was never started")?.device(1);
        let queue = self.server.queues.entry(bot).or_default();
        queue.extend(sent.copies.into_iter().map(|copy| copy.message));
        self.run_bot()?;
        self.read(&mut bob)?;

        self.note("alice replaces her account's keys with her recovery key");
        let now = NOW;
        let (list, _) = alice
            .device
            .replace_keys(&alice.recovery, &[], now, &mut self.rng)?;
        self.server.publish_list(&list);
        self.write(&mut alice, "roll 6")?;
        self.run_bot()?;
        self.read(&mut alice)?;

        // He should have called `restore`: then nothing would be lost.
        self.note("bob goes on from a backup without telling anybody");
        let backup = bob.device.into_store();
        bob.device = Device::open(backup.clone(), AppKey::new(APP_KEY), None)?;
        self.write(&mut bob, "roll 6")?;
        self.run_bot()?;
        self.read(&mut bob)?;
        bob.device = Device::open(backup, AppKey::new(APP_KEY), None)?;
        self.write(&mut bob, "roll 12")?;
        self.run_bot()?;
        self.read(&mut bob)?;
        self.write(&mut bob, "roll 12")?;
        self.run_bot()?;
        self.read(&mut bob)
    }

    fn note(&mut self, text: &str) {
        self.lines.push(format!("-- {text}"));
    }

    fn person(&mut self, name: &'static str) -> Person {
        let store = MemoryStore::new();
        let (device, recovery) = register(&mut self.server, store, APP_KEY, NOW, &mut self.rng);
        Person {
            name,
            device,
            recovery,
            written: 0,
        }
    }

    /// Writes to the bot.
    fn write(&mut self, person: &mut Person, text: &str) -> Result<()> {
        let bot = self.bot.ok_or("the bot was never started")?;
        self.lines
            .push(format!("{} to the bot: {text}", person.name));
        self.send(person, &bot, text).map(|_| ())
    }

    fn send(&mut self, person: &mut Person, to: &AccountId, text: &str) -> Result<Sent> {
        person.written += 1;
        let id = person.written.to_be_bytes();
        let (server, rng) = (&mut self.server, &mut self.rng);
        let text = text.as_bytes();
        Ok(send(server, &mut person.device, to, &id, text, NOW, rng)?)
    }

    fn read(&mut self, person: &mut Person) -> Result<()> {
        let events = receive(&mut self.server, &mut person.device, NOW, &mut self.rng)?;
        for message in messages(&mut person.device, &events, &mut self.rng) {
            let by_bot = message.account() == self.bot;
            let from = if by_bot { "the bot" } else { "alice" };
            let text = String::from_utf8_lossy(&message.text);
            self.lines
                .push(format!("{from} to {}: {text}", person.name));
        }
        Ok(())
    }

    /// Lets the bot do what there is to do, starting it as often as that takes.
    fn run_bot(&mut self) -> Result<()> {
        for _ in 0..PATIENCE {
            let Err(error) = self.live() else {
                return Ok(());
            };
            match error.downcast_ref() {
                Some(device::Error::Failed | device::Error::Unknown) => self.deaths += 1,
                _ => return Err(error),
            }
        }
        Err("the bot does not come to an end".into())
    }

    /// One life of the bot.
    fn live(&mut self) -> Result<()> {
        let (mut store, whole) = match SqliteStore::open(self.file.path(), Durability::Full)? {
            Opened::Whole(store) => (store, true),
            Opened::MayHaveLost(store) => (store, false),
        };
        let past = match (store.generation()?, whole) {
            (0, _) => Past::None,
            (_, true) => Past::Whole,
            (_, false) => Past::MayHaveLost,
        };
        let mortal = Mortal {
            store,
            commits_left: self.life,
            before: self.deaths.is_multiple_of(2),
        };
        let mut bot = Bot::start(mortal, past, AppKey::new(APP_KEY), NOW)?;
        self.bot = Some(bot.account()?);
        bot.turn(&mut self.server, NOW)
    }
}

/// A folder for the bot's file, gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("subrosa-bot-{}-{count}", process::id()));
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self) -> PathBuf {
        self.0.join("bot.sqlite")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Where it fails, the operating system tidies up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without what was rolled.
    fn talk(life: u32) -> (Vec<String>, u32) {
        let mut world = World::new(life).unwrap();
        world.talk().unwrap();
        let lines = world
            .lines
            .iter()
            .map(|line| match line.split_once(": a ") {
                Some((before, rolled)) => {
                    let (value, sides) = rolled.split_once(" of ").unwrap();
                    let (value, sides): (u32, u32) =
                        (value.parse().unwrap(), sides.parse().unwrap());
                    assert!((1..=sides).contains(&value), "{line}");
                    format!("{before}: one of {sides}")
                }
                None => line.clone(),
            });
        (lines.collect(), world.deaths)
    }

    #[test]
    fn everybody_is_answered_once_wherever_the_bot_ends() {
        let (undisturbed, deaths) = talk(u32::MAX);
        assert_eq!(deaths, 0);
        let expected = [
            "alice to the bot: hello",
            "bob to the bot: roll 6",
            "bob to the bot: roll 100",
            "the bot to alice: I know one thing: roll 6",
            "the bot to bob: one of 6",
            "the bot to bob: one of 100",
            "-- alice writes to bob, and the server hands it to the bot as well",
            "alice to bob: between you and me",
            "-- alice replaces her account's keys with her recovery key",
            "alice to the bot: roll 6",
            "the bot to alice: one of 6",
            "-- bob goes on from a backup without telling anybody",
            "bob to the bot: roll 6",
            "the bot to bob: one of 6",
            "bob to the bot: roll 12",
            "the bot to bob: I could not read that. Say it again, please.",
            "bob to the bot: roll 12",
            "the bot to bob: one of 12",
        ];
        assert_eq!(undisturbed, expected);
        // Whoever dies at every commit never publishes anything.
        for life in 1..8 {
            let (lines, deaths) = talk(life);
            assert!(deaths > 0);
            assert_eq!(lines, undisturbed, "ended after {life} commits each");
        }
    }
}

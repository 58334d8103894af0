//! The command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use subrosa::identity::AccountId;

use crate::faults::Faults;
use crate::store::Link;

pub const HELP: &str = "\
Two devices talk, end-to-end encrypted, over a relay that can be as bad as one likes.

secret_chat [demo] [--seed N] [--drop %] [--duplicate %] [--delay %] [--lines N] [--kills N]
    A demonstration: starts a relay, Alice, her laptop and Bob as processes of their own, lets Alice and Bob send each
    other this repository's SPEC.md line by line, all of which her laptop reads as well, kills Bob in the middle
    (--kills: as often), lets him go on from what he had stored, and compares what arrived. Ends with status 0 only if
    nothing was lost, altered or shown twice.
    Defaults: --seed 1 --drop 10 --duplicate 10 --delay 20 --kills 1, all lines.

secret_chat relay ADDRESS [--seed N] [--drop %] [--duplicate %] [--delay %]
    A relay for people, e.g. at 127.0.0.1:4000. Prints all that it can see. Without options it loses nothing.

secret_chat chat --state DIRECTORY --relay ADDRESS [--peer ACCOUNT]
    A chat. What you type is sent, line by line; the end of the input (Ctrl-D) ends it. Everything is kept in
    the directory, and the next start goes on from there. Without --peer your account is made and shown, and that is
    all: the other needs to know it, and you the other's. An account is a hash of its keys, so nobody can pretend to
    be it; sixty digits, to be compared, show that you were told the right one. If the keys are replaced later, you are
    told, and nothing more is sent.

Two people, three terminals:
    secret_chat relay 127.0.0.1:4000
    secret_chat chat --state alice --relay 127.0.0.1:4000 --peer (what bob sees as his account)
    secret_chat chat --state bob --relay 127.0.0.1:4000 --peer (what alice sees as hers)
";

pub enum Command {
    Help,
    Demo(Demo),
    Relay {
        address: String,
        faults: Faults,
    },
    Chat(Chat),
    /// A relay that the demonstration started; removes the directory should the demonstration vanish.
    RelayActor {
        faults: Faults,
        scratch: PathBuf,
    },
    /// A peer that the demonstration started.
    PeerActor(Actor),
}

pub struct Demo {
    pub faults: Faults,
    pub lines: usize,
    pub kills: usize,
}

pub struct Chat {
    pub peer: Option<AccountId>,
    pub relay: String,
    pub state: PathBuf,
}

pub struct Actor {
    pub relay: String,
    pub state: PathBuf,
    /// Lines to be sent.
    pub lines: usize,
    pub link: Link,
}

impl Command {
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Arguments::read(arguments)?;
        let command = match arguments.word().as_deref() {
            Some("help") => Self::Help,
            _ if arguments.help => return Ok(Self::Help),
            None | Some("demo") => Self::Demo(Demo {
                faults: arguments.faults(Faults::DEMO)?,
                lines: arguments.optional("lines", usize::MAX)?,
                kills: arguments.optional("kills", 1)?,
            }),
            Some("relay") => Self::Relay {
                address: arguments.word().ok_or("the relay needs an address")?,
                faults: arguments.faults(Faults::NONE)?,
            },
            Some("chat") => Self::Chat(Chat {
                peer: arguments.account("peer")?,
                relay: arguments.needed("relay")?,
                state: arguments.needed("state")?,
            }),
            Some("relay-actor") => Self::RelayActor {
                faults: arguments.faults(Faults::NONE)?,
                scratch: arguments.needed("scratch")?,
            },
            Some("peer-actor") => Self::PeerActor(Actor {
                relay: arguments.needed("relay")?,
                state: arguments.needed("state")?,
                lines: arguments.needed("lines")?,
                link: match arguments.account("account")? {
                    Some(account) => Some((account, arguments.needed("device")?)),
                    None => None,
                },
            }),
            Some(other) => return Err(format!("there is no `{other}`")),
        };
        arguments.finish()?;
        Ok(command)
    }
}

/// What [`Command::RelayActor`] is read from.
pub fn relay_arguments(faults: &Faults, scratch: &Path) -> Vec<String> {
    let Faults {
        seed,
        drop,
        duplicate,
        delay,
    } = faults;
    [
        ("seed", seed.to_string()),
        ("drop", drop.to_string()),
        ("duplicate", duplicate.to_string()),
        ("delay", delay.to_string()),
        ("scratch", scratch.display().to_string()),
    ]
    .into_iter()
    .fold(vec!["relay-actor".to_owned()], with_option)
}

/// What [`Command::PeerActor`] is read from.
pub fn peer_arguments(relay: &str, state: &Path, lines: usize, link: Link) -> Vec<String> {
    let linked = link.map(|(account, device)| {
        [
            ("account", hex::encode(account.as_bytes())),
            ("device", device.to_string()),
        ]
    });
    [
        ("relay", relay.to_owned()),
        ("state", state.display().to_string()),
        ("lines", lines.to_string()),
    ]
    .into_iter()
    .chain(linked.into_iter().flatten())
    .fold(vec!["peer-actor".to_owned()], with_option)
}

fn with_option(mut arguments: Vec<String>, (name, value): (&str, String)) -> Vec<String> {
    arguments.extend([format!("--{name}"), value]);
    arguments
}

/// Words, and options with a value each.
struct Arguments {
    words: std::vec::IntoIter<String>,
    options: BTreeMap<String, String>,
    help: bool,
}

impl Arguments {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut words, mut options, mut help) = (Vec::new(), BTreeMap::new(), false);
        while let Some(argument) = arguments.next() {
            if argument == "--help" || argument == "-h" {
                help = true;
            } else if let Some(name) = argument.strip_prefix("--") {
                let value = arguments
                    .next()
                    .ok_or_else(|| format!("--{name} needs a value"))?;
                options.insert(name.to_owned(), value);
            } else {
                words.push(argument);
            }
        }
        Ok(Self {
            words: words.into_iter(),
            options,
            help,
        })
    }

    fn word(&mut self) -> Option<String> {
        self.words.next()
    }

    fn optional<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        match self.options.remove(name) {
            None => Ok(default),
            Some(value) => parse(name, &value),
        }
    }

    fn needed<T: FromStr>(&mut self, name: &str) -> Result<T, String> {
        let value = self.options.remove(name);
        parse(name, &value.ok_or_else(|| format!("--{name} is needed"))?)
    }

    fn account(&mut self, name: &str) -> Result<Option<AccountId>, String> {
        let Some(value) = self.options.remove(name) else {
            return Ok(None);
        };
        let bytes = hex::decode(&value)
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        match bytes {
            Some(bytes) => Ok(Some(AccountId::from_bytes(bytes))),
            None => Err(format!("--{name} {value} is no account")),
        }
    }

    fn faults(&mut self, default: Faults) -> Result<Faults, String> {
        let faults = Faults {
            seed: self.optional("seed", default.seed)?,
            drop: self.optional("drop", default.drop)?,
            duplicate: self.optional("duplicate", default.duplicate)?,
            delay: self.optional("delay", default.delay)?,
        };
        if faults.drop > 90 || faults.duplicate > 100 || faults.delay > 100 {
            return Err("percentages are at most 100, and --drop at most 90".to_owned());
        }
        Ok(faults)
    }

    fn finish(mut self) -> Result<(), String> {
        if let Some(word) = self.words.next() {
            return Err(format!("`{word}` is not understood here"));
        }
        match self.options.into_keys().next() {
            Some(name) => Err(format!("--{name} is not understood here")),
            None => Ok(()),
        }
    }
}

fn parse<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("--{name} {value} is not understood"))
}

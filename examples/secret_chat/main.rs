//! Two people talk over a relay that loses, doubles and reorders what it carries. One of them has two devices, and the
//! other is killed on the way.
//!
//! ```text
//!   alice ══ packets (link) ══►┐                                           processes
//!   alice's laptop ═══════════►┼── relay: faults ──┬◄══ packets ══ bob      over TCP
//!     │                                                            │
//!     │ lines, reports (protocol)                                  │
//!   Device: conversations, inbox, outbox                        Device
//!     │ one commit a call                                          │
//!   store: SQLite, key                                           store
//! ```
//! `--help` says how two people use it. To see how an app uses the library, read `store` (how a device is opened, and
//! why a crash loses nothing), `peer` (what happens to messages, lists and bundles) and `node` (the loop around it).

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use options::Command;
use records::Record;
use relay::Relay;

mod actors;
mod chat;
mod counts;
mod course;
mod demo;
mod dice;
mod faults;
mod limits;
mod link;
mod node;
mod options;
mod peer;
mod protocol;
mod reading;
mod records;
mod relay;
mod reporter;
mod screen;
mod sending;
mod store;
mod summary;
mod text;

/// Whatever goes wrong ends the process, with a word about it.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let command = match Command::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("secret_chat: {error}; --help says more");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("secret_chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Help => print!("{}", options::HELP),
        Command::Demo(demo) => return demo::run(&demo),
        Command::Chat(chat) => chat::run(&chat)?,
        Command::PeerActor(actor) => reporter::run(&actor)?,
        Command::Relay { address, faults } => {
            let listener = TcpListener::bind(&address)?;
            println!("relay at {}", listener.local_addr()?);
            Relay::new(faults, Box::new(print_sight)).serve(&listener);
        }
        Command::RelayActor { faults, scratch } => {
            let listener = TcpListener::bind(("127.0.0.1", 0))?;
            tell(&Record::Address {
                address: listener.local_addr()?.to_string(),
            })?;
            let relay = Relay::new(faults, Box::new(|record| drop(tell(&record))));
            let serving = Arc::clone(&relay);
            thread::spawn(move || serving.serve(&listener));
            let mut word = String::new();
            io::stdin().lock().read_line(&mut word)?;
            if word != "stop\n" {
                // The demonstration has vanished. The peers go as well; then nobody uses the directory.
                thread::sleep(Duration::from_secs(1));
                fs::remove_dir_all(scratch)?;
                return Ok(ExitCode::FAILURE);
            }
            for (name, count) in relay.totals().iter() {
                let name = name.to_owned();
                tell(&Record::Count { name, count })?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(record: &Record) -> io::Result<()> {
    writeln!(io::stdout(), "{record}")
}

/// All that a relay can see.
fn print_sight(record: Record) {
    // The first bytes of the account, and the number of the device.
    let name = |mailbox: &[u8]| match mailbox.split_last_chunk() {
        Some((account, id)) => format!(
            "{}/{}",
            hex::encode(account.get(..6).unwrap_or(account)),
            u32::from_be_bytes(*id)
        ),
        None => hex::encode(mailbox),
    };
    match record {
        Record::Saw {
            mailbox,
            fate,
            length,
            head,
            ..
        } => println!(
            "for {:<14} {length:>6} B  {}… {fate}",
            name(&mailbox),
            hex::encode(head)
        ),
        Record::Listens { mailbox, waiting } => println!(
            "{} is here; {waiting} messages were waiting",
            name(&mailbox)
        ),
        _ => {}
    }
}

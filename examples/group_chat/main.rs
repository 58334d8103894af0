//! People talk in a group, each a process with a device in a directory of its own, over a delivery service that is a process as
//! well and reads nothing of what they say. They join and leave while it runs.
//!
//! ```text
//! cargo run --release --example group_chat                        four people, one of whom is killed, all by itself
//! cargo run --release --example group_chat -- serve ADDRESS       a service, for instance at 127.0.0.1:7000
//! cargo run --release --example group_chat -- member NAME ADDRESS DIRECTORY
//! ```
//!
//! A member reads its user's lines: `create`, `invite NAME`, `remove NAME`, `say TEXT`, `leave`, `quit`. To see how an app uses
//! the library, read `member`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

mod client;
mod demo;
mod disk;
mod member;
mod service;

/// Whatever goes wrong ends the process, with a word about it.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        [] => demo::run(),
        ["serve", address] => service::run(address),
        ["member", name, address, directory] => {
            member::run(name, address, &PathBuf::from(directory))
        }
        _ => Err("serve ADDRESS, or member NAME ADDRESS DIRECTORY, or nothing".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("group_chat: {error}");
            ExitCode::FAILURE
        }
    }
}

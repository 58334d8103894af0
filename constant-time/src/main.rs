//! Looks for branches and addresses that depend on a secret: valgrind's memcheck runs the library with every secret
//! marked as undefined, and reports where undefined bytes decide on a jump or an address.
//!
//! ```text
//! subrosa-constant-time                   runs every scenario and every control under valgrind, and judges
//! subrosa-constant-time features          what this processor can do, one word each
//! subrosa-constant-time scenario NAME     one scenario by itself, for valgrind
//! ```

use std::process::ExitCode;

use crabgrind::valgrind::{disable_error_reporting, enable_error_reporting};

mod controls;
mod declassified;
mod features;
mod files;
mod report;
mod run;
mod scenarios;
mod secret;
/// Where in a stored form the secrets are: the same file by which `tests/freed_memory.rs` knows them.
#[path = "../../tests/freed_memory/stored.rs"]
mod stored;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => run::all(),
        ["features"] => {
            println!("{}", features::here());
            Ok(())
        }
        ["scenario", name] => scenario(name),
        _ => Err("usage: subrosa-constant-time [features | scenario NAME]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

fn scenario(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let both = scenarios::ALL.iter().chain(controls::ALL);
    let (_, run) = both
        .into_iter()
        .find(|(known, _)| *known == name)
        .ok_or("no such scenario")?;
    // Until an operation is watched.
    disable_error_reporting();
    let done = run();
    enable_error_reporting();
    done
}

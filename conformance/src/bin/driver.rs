//! The library behind the line protocol of `test-vectors/README.md`: what `verify --exec` drives.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use subrosa_conformance::exec::serve;
use subrosa_conformance::target::Subrosa;

fn main() -> ExitCode {
    match serve(&mut Subrosa, io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("subrosa-driver: {why}");
            ExitCode::FAILURE
        }
    }
}

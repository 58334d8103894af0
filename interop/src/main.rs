//! Prints the table of README.md: `cargo run --release -p subrosa-interop [ROUNDS]`
//!
//! Runs the bench `pairwise` some times, five unless told otherwise, and takes the median of the rounds. A ratio is that of
//! two works that were measured one right after the other, in one process. Only the table goes to the standard output.

#![forbid(unsafe_code)]

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use subrosa_interop::estimates::Times;
use subrosa_interop::sizes::Sizes;
use subrosa_interop::table::Report;

const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let rounds = match arguments.as_slice() {
        [] => Some(ROUNDS),
        [rounds] => rounds.parse().ok().filter(|rounds| *rounds > 0),
        _ => None,
    };
    let Some(rounds) = rounds else {
        eprintln!("usage: subrosa-interop [ROUNDS]");
        return ExitCode::from(2);
    };
    match measure(rounds) {
        Ok(report) => {
            eprintln!("\nThe ratios of {rounds} rounds:\n{}", report.spread());
            print!("{}\n{}", report.markdown(), report.promises());
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(rounds: usize) -> Result<Report, String> {
    let results = results().map_err(|why| format!("a place for the results: {why}"))?;
    let mut times = Vec::with_capacity(rounds);
    for round in 1..=rounds {
        eprintln!("\nround {round} of {rounds}");
        times.push(one_round(&results.join(round.to_string()))?);
    }
    Report::new(&times, Sizes::count())
}

/// An empty folder beside this program: no figure of an earlier run can get in.
fn results() -> io::Result<PathBuf> {
    let folder = env::current_exe()?.with_file_name("interop-rounds");
    match fs::remove_dir_all(&folder) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => Ok(folder),
    }
}

fn one_round(folder: &Path) -> Result<Times, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["bench", "-p", "subrosa-interop", "--bench", "pairwise"])
        .args(["--", "--noplot", "--quiet"])
        .env("CRITERION_HOME", folder)
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()
        .map_err(|why| format!("cargo bench: {why}"))?;
    if !status.success() {
        return Err(format!("cargo bench: {status}"));
    }
    Times::read(folder)
}

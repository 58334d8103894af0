//! Builds the programs, runs them on an emulated Cortex-M4, and says what flash and RAM they take.
//!
//! With `--planted-fault` the programs are built with a fault, and each has to fail at the very place of it.

#![forbid(unsafe_code)]

mod board;
mod emulator;
mod image;
mod report;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;

use emulator::Run;
use image::Image;

const TARGET: &str = "thumbv7em-none-eabihf";
const PLANTED: &str = "--planted-fault";
const USAGE: &str = "usage: measure [--planted-fault] [conversation] [vectors]";

/// A program for the board.
struct Program {
    /// Its package.
    name: &'static str,
    /// The line that it ends with if all is well.
    last_line: String,
    /// What its output says of the planted fault, and nothing else does.
    of_fault: String,
    /// How long it may take.
    timeout: Duration,
}

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), String> {
    let mut names: Vec<String> = env::args().skip(1).collect();
    let arguments = names.len();
    names.retain(|name| name != PLANTED);
    let planted = names.len() < arguments;
    let mut programs = programs()?;
    if names
        .iter()
        .any(|name| programs.iter().all(|program| program.name != name))
    {
        return Err(USAGE.to_owned());
    }
    programs.retain(|program| names.is_empty() || names.iter().any(|name| name == program.name));
    emulator::require()?;
    for program in programs {
        let elf = build(program.name, planted)?;
        let image = Image::read(&elf)?;
        println!("\n== {} on {}", program.name, emulator::MACHINE);
        let run = emulator::run(&elf, &image, program.timeout)?;
        if planted {
            program.found_fault(&run)?;
            println!("{}: the planted fault was found", program.name);
        } else {
            program.succeeded(&run)?;
            report::print(&image, &run);
        }
    }
    Ok(())
}

impl Program {
    fn succeeded(&self, run: &Run) -> Result<(), String> {
        if !run.success {
            return Err(format!("{} ended as a failure", self.name));
        }
        match run.lines.last() {
            Some(line) if *line == self.last_line => Ok(()),
            other => Err(format!(
                "{} ended with the line {:?}, not with {:?}",
                self.name,
                other.map_or("", String::as_str),
                self.last_line
            )),
        }
    }

    /// The run is judged a failure, and its output names the fault.
    fn found_fault(&self, run: &Run) -> Result<(), String> {
        let named = run.lines.iter().any(|line| line.contains(&self.of_fault));
        match self.succeeded(run) {
            Err(_) if named => Ok(()),
            Err(why) => Err(format!("no line says {:?}, but {why}", self.of_fault)),
            Ok(()) => Err(format!("{}: the planted fault was NOT found", self.name)),
        }
    }
}

fn programs() -> Result<Vec<Program>, String> {
    let path = workspace().join("../test-vectors/session.json");
    let text = fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
    let file: Value = serde_json::from_str(&text).map_err(|why| why.to_string())?;
    let cases = file["cases"].as_array().ok_or("the file has no cases")?;
    let middle = cases.get(cases.len() / 2);
    let middle = middle.and_then(|case| case["id"].as_str());
    Ok(vec![
        Program {
            name: "conversation",
            last_line: "conversation: everything held".to_owned(),
            of_fault: "message 100".to_owned(),
            timeout: Duration::from_secs(600),
        },
        Program {
            name: "vectors",
            last_line: format!("session.json: {} passed, 0 failed", cases.len()),
            of_fault: format!("FAILED {}:", middle.ok_or("the case has no id")?),
            timeout: Duration::from_secs(1_800),
        },
    ])
}

/// Where Cargo.toml of the workspace is.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds a program, and gives its file.
fn build(package: &str, planted: bool) -> Result<PathBuf, String> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    cargo.args([
        "build",
        "--locked",
        "--release",
        "--target",
        TARGET,
        "--package",
        package,
    ]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    if planted {
        cargo.args(["--features", "planted-fault"]);
    }
    let output = cargo.stderr(Stdio::inherit()).output();
    let output = output.map_err(|why| format!("cargo: {why}"))?;
    if !output.status.success() {
        return Err(format!("{package} cannot be built"));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| format!("cargo built no program for {package}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Program {
        Program {
            name: "program",
            last_line: "all well".to_owned(),
            of_fault: "message 100".to_owned(),
            timeout: Duration::from_secs(1),
        }
    }

    fn run(success: bool, lines: &[&str]) -> Run {
        Run {
            success,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            phases: Vec::new(),
            arena: 0,
        }
    }

    #[test]
    fn success_takes_the_status_and_the_last_line() {
        let program = program();
        assert!(program.succeeded(&run(true, &["x", "all well"])).is_ok());
        assert!(program.succeeded(&run(false, &["x", "all well"])).is_err());
        assert!(program.succeeded(&run(true, &["all well", "x"])).is_err());
        assert!(program.succeeded(&run(true, &[])).is_err());
    }

    #[test]
    fn a_fault_is_found_where_it_was_planted() {
        let program = program();
        assert!(
            program
                .found_fault(&run(false, &["at message 100"]))
                .is_ok()
        );
        assert!(program.found_fault(&run(false, &["at message 7"])).is_err());
        assert!(
            program
                .found_fault(&run(true, &["message 100", "all well"]))
                .is_err()
        );
    }
}

//! Verifies an implementation against vectors, and makes this library's own.

#![forbid(unsafe_code)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use subrosa_conformance::exec::{Exec, TIMEOUT};
use subrosa_conformance::report::Report;
use subrosa_conformance::target::{Subrosa, Target};
use subrosa_conformance::{cctv, example, file, generate, mls, wycheproof};

const USAGE: &str = "\
usage: subrosa-conformance verify [DIR] [OPTION…]
       subrosa-conformance generate [DIR]
       subrosa-conformance example [blob]

verify checks this library, or any other implementation, against the vectors in DIR (this repository's
test-vectors/ unless given) and closes with `N passed, M failed`.

  --section NAME              only the vectors of one section
  --exec CMD                  checks the program CMD, which speaks the line protocol of test-vectors/README.md
  --timeout SECONDS           how long one response of CMD may take (30)
  --allow-unsupported         operations that CMD does not have are no failure

  --wycheproof DIR            Wycheproof's files for the primitives of this library
  --cctv FILE                 CCTV's ed25519vectors.json
  --mls DIR                   the MLS working group's files, put to this library
  --mls-deserialization FILE  its deserialization.json, put to any implementation
                              (with one of these, DIR is checked only if it is given)

generate makes the files of DIR anew. example prints the worked example of SPEC.md §15, that of §20.5 with `blob`.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((command, rest)) if command == "verify" => verify(rest),
        Some((command, rest)) if command == "generate" => make(rest),
        Some((command, [])) if command == "example" => show(),
        Some((command, [what])) if command == "example" && what == "blob" => show_blob(),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

#[derive(Default)]
struct Options {
    folder: Option<PathBuf>,
    section: Option<String>,
    exec: Option<String>,
    timeout: Option<Duration>,
    allow_unsupported: bool,
    wycheproof: Option<PathBuf>,
    cctv: Option<PathBuf>,
    mls: Option<PathBuf>,
    mls_deserialization: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("{argument}: its value is missing\n\n{USAGE}"))
            };
            match argument.as_str() {
                "--section" => options.section = Some(value()?.clone()),
                "--exec" => options.exec = Some(value()?.clone()),
                "--timeout" => options.timeout = Some(seconds(value()?)?),
                "--allow-unsupported" => options.allow_unsupported = true,
                "--wycheproof" => options.wycheproof = Some(value()?.into()),
                "--cctv" => options.cctv = Some(value()?.into()),
                "--mls" => options.mls = Some(value()?.into()),
                "--mls-deserialization" => options.mls_deserialization = Some(value()?.into()),
                other if other.starts_with('-') || options.folder.is_some() => {
                    return Err(format!("{other}: unknown\n\n{USAGE}"));
                }
                folder => options.folder = Some(folder.into()),
            }
        }
        Ok(options)
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("--timeout: {text:?} is no number of seconds"))
}

fn verify(arguments: &[String]) -> Result<bool, String> {
    let options = Options::parse(arguments)?;
    let mut library = Subrosa;
    let mut program;
    let target: &mut dyn Target = match &options.exec {
        Some(command) => {
            program = Exec::start(command, options.timeout.unwrap_or(TIMEOUT))?;
            &mut program
        }
        None => &mut library,
    };
    let mut report = Report::default();
    if let Some(folder) = &options.wycheproof {
        report.append(wycheproof::verify(folder, target));
    }
    if let Some(path) = &options.cctv {
        report.push(cctv::verify(path, target));
    }
    if let Some(folder) = &options.mls {
        if options.exec.is_some() {
            return Err("--mls is put to this library, not to a program".to_owned());
        }
        report.append(mls::verify(folder));
    }
    if let Some(path) = &options.mls_deserialization {
        report.push(mls::verify_deserialization(path, target));
    }
    if report.files.is_empty() || options.folder.is_some() {
        let folder = options.folder.unwrap_or_else(default_folder);
        report.append(file::verify_folder(
            &folder,
            options.section.as_deref(),
            target,
        ));
    }
    println!("{report}");
    Ok(report.is_success(options.allow_unsupported))
}

fn make(arguments: &[String]) -> Result<bool, String> {
    let folder = match arguments {
        [] => default_folder(),
        [folder] if !folder.starts_with('-') => folder.into(),
        _ => return Err(USAGE.to_owned()),
    };
    let files = generate::write(&folder)?;
    println!("{files} files made in {}", folder.display());
    Ok(true)
}

fn show() -> Result<bool, String> {
    print!("{}", example::page().map_err(|error| error.to_string())?);
    Ok(true)
}

fn show_blob() -> Result<bool, String> {
    let page = example::blob::page().map_err(|error| format!("{error:?}"))?;
    print!("{page}");
    Ok(true)
}

/// The repository's vectors where Cargo runs this program, else those of the current folder.
fn default_folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .map(|package| Path::new(&package).join("../test-vectors"))
        .filter(|folder| folder.is_dir())
        .unwrap_or_else(|| "test-vectors".into())
}

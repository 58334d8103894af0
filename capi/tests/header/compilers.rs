//! C compilers, and what they say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::declarations::Declarations;

/// The folder of the headers.
fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include")
}

/// A folder for this file's programs.
fn scratch() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// Runs a compiler; what it says if it refuses. One that is not there is no refusal.
fn run(compiler: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(compiler).args(args).output();
    let output = output.unwrap_or_else(|why| {
        panic!("this test needs the compiler `{compiler}`, which does not start: {why}")
    });
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Checks a program; what the compiler says if it refuses it.
pub fn check(compiler: &str, args: &[&str], file: &str, program: &str) -> Result<(), String> {
    let path = scratch().join(format!("{compiler}-{file}"));
    fs::write(&path, program).expect("the target folder can be written");
    let (include, path) = (include().display().to_string(), path.display().to_string());
    let mut all = vec![
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsyntax-only",
        "-I",
        &include,
    ];
    all.extend(args);
    all.push(&path);
    run(compiler, &all)
}

/// The compiler takes the program without a warning.
#[track_caller]
pub fn accepts(compiler: &str, args: &[&str], file: &str, program: &str) {
    if let Err(why) = check(compiler, args, file, program) {
        panic!("{compiler} {args:?} refuses {file}: {why}");
    }
}

/// Imports a header with this text as a module that has to say of every pointer whether it may be NULL.
pub fn module(name: &str, header: &str) -> Result<(), String> {
    let folder = scratch().join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    let write = |file: &str, text: &str| {
        fs::write(folder.join(file), text).expect("the target folder can be written")
    };
    write("subrosa.h", header);
    write(
        "module.modulemap",
        include_str!("../../include/module.modulemap"),
    );
    write(
        "import.c",
        "#pragma clang module import CSubrosa\nuint32_t version(void);\n\
         uint32_t version(void) { subrosa_store *store = 0; (void)store; return subrosa_abi_version(); }\n",
    );
    let path = |file: &str| folder.join(file).display().to_string();
    let (map, cache) = (
        format!("-fmodule-map-file={}", path("module.modulemap")),
        format!("-fmodules-cache-path={}", path("cache")),
    );
    let args = [
        "-fmodules",
        &map,
        &cache,
        "-Wall",
        "-Wextra",
        "-Wnullability-completeness",
        "-Werror",
    ];
    run(
        "clang",
        &[&args[..], &["-fsyntax-only", &path("import.c")]].concat(),
    )
}

/// A call with NULL for one pointer.
#[derive(Debug)]
pub struct Call {
    /// What is called.
    pub text: String,
    /// Whether the header allows it.
    pub nullable: bool,
}

/// A call for every pointer of every function.
pub fn calls_with_null(header: &Declarations) -> Vec<Call> {
    let mut calls = Vec::new();
    for (name, function) in &header.functions {
        for (place, nullable) in function.nullable.iter().enumerate() {
            let Some(nullable) = *nullable else { continue };
            let arguments = function
                .nullable
                .iter()
                .enumerate()
                .map(|(other, pointer)| match pointer {
                    _ if other == place => "NULL",
                    Some(_) => "somewhere",
                    None => "0",
                });
            let arguments: Vec<&str> = arguments.collect();
            let text = format!("(void){name}({});", arguments.join(", "));
            calls.push(Call { text, nullable });
        }
    }
    calls
}

/// Which of the calls clang refuses for their NULL, when each is a program of its own line.
pub fn refused_nulls(header: &str, calls: &[Call]) -> BTreeSet<usize> {
    let before = format!(
        "#include \"{header}\"\nextern void *_Nonnull const somewhere;\nvoid call(void);\nvoid call(void) {{\n"
    );
    let first_line = before.lines().count() + 1;
    let lines: Vec<&str> = calls.iter().map(|call| call.text.as_str()).collect();
    let program = format!("{before}{}\n}}\n", lines.join("\n"));
    let args = ["-std=c11", "-Werror=nonnull", "-ferror-limit=0"];
    let said = check("clang", &args, &format!("null-{header}.c"), &program)
        .expect_err("some are not allowed");
    let errors: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(": error: "))
        .collect();
    let refused = errors.iter().map(|line| {
        assert!(line.contains("-Wnonnull"), "for another reason: {line}");
        let number = line
            .rsplit(".c:")
            .next()
            .and_then(|rest| rest.split(':').next());
        let number: usize = number
            .and_then(|number| number.parse().ok())
            .expect("clang names the line");
        number - first_line
    });
    refused.collect()
}

//! No function and no status of the header is left out by the tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const HEADER: &str = include_str!("../include/subrosa.h");

/// This file, and the table of all statuses.
const NOT_COUNTED: [&str; 2] = ["covered.rs", "status_table.rs"];

/// The header without its comments.
fn code() -> String {
    HEADER
        .split("/*")
        .map(|part| part.split_once("*/").map_or(part, |(_, code)| code))
        .collect()
}

/// The words of a text, with what stands behind each.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(is_part)?;
        let from = &rest[start..];
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        rest = &from[end..];
        Some((&from[..end], rest))
    })
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// What the tests say, without comments.
fn tests() -> Vec<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&here.join("tests"), &mut files);
    rust_files(&here.join("src"), &mut files);
    let is_test = |path: &&PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap();
        let in_crate = path.starts_with(here.join("src"));
        !NOT_COUNTED.contains(&name) && (!in_crate || name == "tests.rs")
    };
    files
        .iter()
        .filter(is_test)
        .map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let lines = text.lines().filter(|line| {
                let line = line.trim_start();
                !line.starts_with("//") && !line.starts_with("use ")
            });
            lines.flat_map(|line| [line, "\n"]).collect()
        })
        .collect()
}

/// Functions that are called in a text.
fn called(text: &str) -> BTreeSet<&str> {
    words(text)
        .filter(|(word, rest)| word.starts_with("subrosa_") && rest.starts_with('('))
        .map(|(word, _)| word)
        .collect()
}

/// What stands behind a status, without a number that is added to it: one of a range.
fn behind(rest: &str) -> &str {
    let rest = rest.trim_start();
    let number = rest.strip_prefix("+ ").map(|rest| {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.trim_start()
    });
    number.unwrap_or(rest)
}

/// Statuses that a text names as what comes out of a call: in `fails!(STATUS, …)`, in `Err(STATUS)`, or as the last thing
/// of an assertion or of a pair.
fn expected(text: &str) -> BTreeSet<&str> {
    let mut before = "";
    let mut found = BTreeSet::new();
    for (word, rest) in words(text) {
        if word.starts_with("SUBROSA_ERROR_")
            && (["fails", "Err"].contains(&before) || behind(rest).starts_with(')'))
        {
            found.insert(word);
        }
        before = word;
    }
    found
}

#[test]
fn every_function_is_called() {
    let (header, tests) = (code(), tests());
    let functions = called(&header);
    assert!(functions.contains("subrosa_device_replace_keys"));
    assert!(functions.len() > 110, "{}", functions.len());
    let called: BTreeSet<_> = tests.iter().flat_map(|text| called(text)).collect();
    let missing: Vec<_> = functions.difference(&called).collect();
    assert_eq!(missing, Vec::<&&str>::new());
}

#[test]
fn every_status_comes_out_of_a_call() {
    let (header, tests) = (code(), tests());
    let statuses: BTreeSet<_> = words(&header)
        .map(|(word, _)| word)
        .filter(|word| word.starts_with("SUBROSA_ERROR_"))
        .collect();
    assert!(statuses.len() > 108, "{}", statuses.len());
    let expected: BTreeSet<_> = tests.iter().flat_map(|text| expected(text)).collect();
    let missing: Vec<_> = statuses.difference(&expected).collect();
    assert_eq!(missing, Vec::<&&str>::new());
}

#[test]
fn what_is_looked_for_is_found() {
    let text = "fails!(SUBROSA_ERROR_A, f()); x = SUBROSA_ERROR_B; Err(SUBROSA_ERROR_C) (1, SUBROSA_ERROR_D) \
        (1, SUBROSA_ERROR_E + 41) SUBROSA_ERROR_F + 1;";
    let found: Vec<_> = expected(text).into_iter().collect();
    assert_eq!(
        found,
        ["A", "C", "D", "E"].map(|name| format!("SUBROSA_ERROR_{name}"))
    );
    let found: Vec<_> = called("subrosa_a(); use subrosa_b; f(subrosa_c)")
        .into_iter()
        .collect();
    assert_eq!(found, ["subrosa_a"]);
}

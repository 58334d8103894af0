//! Other programs behind the line protocol: the real driver, and drivers that answer wrong, die, hang or talk nonsense.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Map;
use subrosa_conformance::exec::{Exec, serve};
use subrosa_conformance::file::verify_folder;
use subrosa_conformance::generate;
use subrosa_conformance::report::Report;
use subrosa_conformance::target::{Response, Subrosa, Target};

const DRIVER: &str = env!("CARGO_BIN_EXE_subrosa-driver");

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors")
}

fn quoted(path: &str) -> String {
    format!("\"{path}\"")
}

/// Runs the program with these arguments: whether it succeeded, and what it wrote.
fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_subrosa-conformance"))
        .args(arguments)
        .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap()
}

#[test]
fn the_real_driver_passes_and_tells_what_the_library_tells() {
    let (in_process, expected) = run(&["verify"]);
    let (driven, found) = run(&["verify", "--exec", &quoted(DRIVER)]);
    assert!(in_process && driven, "{found}");
    assert_eq!(found, expected);
    assert!(last_line(&found).ends_with(" passed, 0 failed"), "{found}");
    assert!(!last_line(&found).starts_with("0 "), "{found}");
}

#[test]
fn a_corrupted_file_fails_behind_the_driver_as_well() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exec-corrupted");
    generate::write(&folder).unwrap();
    let path = folder.join("wire.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replacen("\"error\": \"Length\"", "\"error\": \"Truncated\"", 1),
    )
    .unwrap();
    let (success, found) = run(&[
        "verify",
        folder.to_str().unwrap(),
        "--exec",
        &quoted(DRIVER),
    ]);
    assert!(!success);
    assert!(last_line(&found).ends_with(" passed, 1 failed"), "{found}");
    assert!(
        found.contains("expected error Truncated, found error Length"),
        "{found}"
    );
}

fn sh(script: &str) -> String {
    format!("sh -c '{script}'")
}

/// Answers each request, by its number `$n`, with the given JSON fields.
fn answering(fields: &str) -> String {
    sh(&format!(
        r#"n=0; while read line; do printf "{{\"id\":%d,{fields}}}\n" $n; n=$((n+1)); done"#
    ))
}

fn drive(command: &str, timeout: Duration) -> Report {
    let mut exec = Exec::start(command, timeout).unwrap();
    verify_folder(&vectors(), Some("padding"), &mut exec)
}

#[cfg(unix)]
#[test]
fn a_driver_that_answers_wrong_fails_case_by_case() {
    let report = drive(
        &answering(r#"\"error\":\"Malformed\""#),
        Duration::from_secs(30),
    );
    assert!(!report.is_success(true));
    assert_eq!(report.passed(), 0);
    assert_eq!(report.files[0].not_asked, 0);
    for expected in ["an output", "error BadPadding"] {
        let failure = format!("expected {expected}, found error Malformed");
        let mut failures = report.files[0].failures.iter();
        assert!(failures.any(|found| found.ends_with(&failure)), "{report}");
    }
}

#[cfg(unix)]
#[test]
fn a_driver_that_supports_nothing_is_no_success_unless_something_else_passed() {
    let command = answering(r#"\"unsupported\":true"#);
    let report = drive(&command, Duration::from_secs(30));
    assert_eq!((report.passed(), report.failed()), (0, 0));
    assert!(report.unsupported() > 0);
    assert!(!report.is_success(false) && !report.is_success(true));
    let (success, text) = run(&["verify", "--exec", &command, "--allow-unsupported"]);
    assert!(!success);
    assert_eq!(last_line(&text), "0 passed, 0 failed");
}

#[cfg(unix)]
#[test]
fn a_driver_that_dies_fails_every_case_from_there() {
    let command =
        sh(r#"read line; printf "{\"id\":0,\"out\":{\"length\":192}}\n"; read line; exit 3"#);
    let report = drive(&command, Duration::from_secs(30));
    assert!(!report.is_success(true));
    assert_eq!(report.passed(), 1, "{report}");
    let file = &report.files[0];
    assert_eq!(file.failures.len(), 1, "{report}");
    assert!(
        file.failures[0].contains("the program ended (exit status: 3)"),
        "{report}"
    );
    assert!(file.not_asked > 50);
    assert_eq!(report.failed(), file.not_asked + 1);
}

#[cfg(unix)]
#[test]
fn a_driver_that_hangs_fails_after_the_timeout_and_once() {
    let started = Instant::now();
    let report = drive("sleep 600", Duration::from_millis(200));
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(!report.is_success(true));
    assert_eq!(report.passed(), 0);
    assert!(
        report.files[0].failures[0].contains("no response within 0.2 seconds"),
        "{report}"
    );
    let (success, text) = run(&["verify", "--exec", "sleep 600", "--timeout", "0.2"]);
    assert!(!success);
    assert!(last_line(&text).starts_with("0 passed, "), "{text}");
    assert!(!last_line(&text).ends_with(" 0 failed"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_driver_that_neither_reads_nor_stops_writing_fails() {
    let report = drive("yes", Duration::from_secs(30));
    assert_eq!(report.passed(), 0);
    assert!(report.files[0].failures[0].contains("no JSON"), "{report}");
    // A request larger than any pipe, to a program that never reads it.
    let mut deaf = Exec::start("sleep 600", Duration::from_millis(200)).unwrap();
    let mut input = Map::new();
    input.insert("padding".to_owned(), "00".repeat(1 << 20).into());
    assert!(matches!(
        deaf.call("padding.require_zeros", &input),
        Response::Failed(_)
    ));
    assert_eq!(
        deaf.call("padding.require_zeros", &input),
        Response::NotAsked
    );
}

#[cfg(unix)]
#[test]
fn a_driver_that_answers_another_request_fails() {
    let command =
        sh(r#"while read line; do printf "{\"id\":77,\"out\":{\"length\":192}}\n"; done"#);
    let report = drive(&command, Duration::from_secs(30));
    assert_eq!(report.passed(), 0);
    assert!(
        report.files[0].failures[0].contains("in place of 0"),
        "{report}"
    );
}

#[test]
fn a_program_that_does_not_exist_is_an_error() {
    assert!(Exec::start("no-such-program-anywhere", Duration::from_secs(1)).is_err());
    assert!(Exec::start("", Duration::from_secs(1)).is_err());
    assert!(!run(&["verify", "--exec", "no-such-program-anywhere"]).0);
    assert!(!run(&["verify", "--no-such-option"]).0);
    assert!(!run(&["verify", "--timeout", "soon"]).0);
    assert!(!run(&[]).0);
}

#[test]
fn the_driver_survives_requests_that_are_none() {
    let requests = "\n{\nnull\n{\"id\":3}\n{\"id\":4,\"op\":\"x\",\"in\":{}}\n\
                    {\"id\":5,\"op\":\"wire.read_flag\",\"in\":{\"bytes\":\"0x\"}}\n\
                    {\"id\":6,\"op\":\"wire.read_flag\",\"in\":{\"bytes\":\"01\",\"more\":1}}\n\
                    {\"id\":7,\"op\":\"wire.read_flag\",\"in\":{\"bytes\":\"01\"}}\n";
    let mut responses = Vec::new();
    serve(&mut Subrosa, requests.as_bytes(), &mut responses).unwrap();
    let responses = String::from_utf8(responses).unwrap();
    let responses: Vec<&str> = responses.lines().collect();
    assert_eq!(responses.len(), 8);
    for response in &responses[..4] {
        assert!(response.contains("\"invalid\""), "{response}");
    }
    assert_eq!(responses[4], r#"{"id":4,"unsupported":true}"#);
    assert!(
        responses[5].starts_with(r#"{"id":5,"invalid":"bytes: "#),
        "{}",
        responses[5]
    );
    assert!(
        responses[6].starts_with(r#"{"id":6,"invalid":"more: "#),
        "{}",
        responses[6]
    );
    assert_eq!(responses[7], r#"{"id":7,"out":{"value":true}}"#);
}

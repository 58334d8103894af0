//! The driver in C, and every vector through it: the interface gives what the library gives. It is linked against the shared
//! library beside this test, which has to have the feature `conformance`: give its builds a target folder of their own.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, fs, thread};

use serde_json::Value;
use subrosa_conformance::exec::{Exec, TIMEOUT};
use subrosa_conformance::file::verify_folder;
use subrosa_conformance::report::Report;
use subrosa_conformance::target::Subrosa;

/// Operations that functions for apps answer as well, and the section of each.
const ANSWERED_TWICE: &[(&str, &str)] = &[
    ("account", "account.parse"),
    ("account", "account.succession"),
    ("account", "account.address"),
    ("account", "account.scan"),
    ("agreement", "agreement.verify_bundle"),
    ("envelope", "envelope.parse"),
    ("device", "device.store_key"),
    ("device", "device.open"),
];

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The driver, compiled once.
fn driver() -> &'static Path {
    static DRIVER: OnceLock<PathBuf> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let test = env::current_exe().expect("a test knows where it is");
        let libraries = test.parent().expect("it is in a folder");
        let driver = Path::new(env!("CARGO_TARGET_TMPDIR")).join("driver");
        let examples = package().join("examples");
        let status = Command::new("cc")
            .args([
                "-std=c99",
                "-O1",
                "-Wall",
                "-Wextra",
                "-Wpedantic",
                "-Werror",
                "-I",
            ])
            .arg(package().join("include"))
            .args(["driver.c", "driver/json.c", "driver/direct.c"].map(|file| examples.join(file)))
            // By its path, and looked for there first: cargo has tests look into another folder, where an older one may lie.
            .arg(libraries.join("libsubrosa_capi.so"))
            .arg("-Wl,--disable-new-dtags")
            .arg(format!("-Wl,-rpath,{}", libraries.display()))
            .arg("-o")
            .arg(&driver)
            .status();
        let status = status.unwrap_or_else(|why| {
            panic!("this test needs a C compiler, `cc`, which does not start: {why}")
        });
        assert!(status.success(), "the driver is not compiled");
        driver
    })
}

/// What the vectors say of the driver.
fn verify(section: Option<&str>, arguments: &str) -> Report {
    let command = format!("\"{}\" {arguments}", driver().display());
    let mut exec = Exec::start(&command, TIMEOUT).expect("the driver starts");
    verify_folder(&package().join("../test-vectors"), section, &mut exec)
}

#[test]
fn every_vector_passes_through_the_interface() {
    let library = verify_folder(&package().join("../test-vectors"), None, &mut Subrosa);
    let report = verify(None, "");
    assert!(report.is_success(false), "{report}");
    assert!(report.passed() > 2000, "{report}");
    assert_eq!(report.passed(), library.passed());
}

/// Of each operation that functions for apps answer as well, what they say is compared.
#[test]
fn functions_for_apps_that_contradict_are_noticed() {
    for (section, op) in ANSWERED_TWICE {
        let report = verify(Some(section), &format!("--planted-fault {op}"));
        let text = report.to_string();
        assert!(!report.is_success(false), "{op}: {text}");
        assert!(text.contains("the program ended"), "{op}: {text}");
    }
}

/// Whatever a line is, it gets one response, and the next line is answered as if it had not been there.
#[test]
fn no_line_harms_the_driver() {
    let mut lines: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"\0{}".to_vec(),
        b"[".repeat(100_000),
        b"{\"a\":".repeat(50_000),
        br#"{"id":1,"op":"\ud800","in":{}}"#.to_vec(),
        br#"{"id":1,"op":"\ud83d\ude00\n","in":{}}"#.to_vec(),
        br#"{"id":1,"op":"wire.read_flag","in":[]}"#.to_vec(),
        br#"{"id":1,"op":7,"in":{}}"#.to_vec(),
    ];
    let mut seed = 1_u32;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for _ in 0..20_000 {
        let mut line = PROBE.as_bytes().to_vec();
        for _ in 0..=random(6) {
            let place = random(line.len());
            match random(3) {
                0 => line[place] = b"{}[]\",:\\u0e-. \0\xff"[random(16)],
                1 => drop(line.drain(place..(place + random(9)).min(line.len() - 1).max(place))),
                _ => drop(line.splice(place..place, *b"\\ud83d\"[{")),
            }
        }
        lines.push(line);
    }
    let mut input = Vec::new();
    for line in &lines {
        input.extend(line);
        let _ = write!(input, "\n{PROBE}\n");
    }
    // The last line does not end.
    input.extend(b"{\"id\":");
    let output = run(input);
    let responses: Vec<&str> = output.lines().collect();
    assert_eq!(responses.len(), 2 * lines.len() + 1);
    for (number, response) in responses.iter().enumerate() {
        let parsed: Result<Value, _> = serde_json::from_str(response);
        let id = parsed.as_ref().ok().and_then(|response| response.get("id"));
        assert!(id.is_some(), "line {number}: {response}");
        if number % 2 == 1 {
            assert_eq!(*response, ANSWER, "after {:?}", lines[number / 2]);
        }
    }
}

const PROBE: &str =
    r#"{"id":7,"op":"wire.read_vector_length","in":{"bytes":"4040"},"more":[true,null,-1.5e3]}"#;
const ANSWER: &str = r#"{"id":7,"out":{"length":64}}"#;

/// Runs the driver on an input to its end.
fn run(input: Vec<u8>) -> String {
    let mut child = Command::new(driver())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the driver starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the driver ends");
    writer
        .join()
        .expect("it is written")
        .expect("the driver reads all");
    let mut said = String::new();
    let _ = write!(said, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    for (_, op) in ANSWERED_TWICE {
        assert!(said.contains(op), "{op} is not in {said}");
    }
    String::from_utf8(output.stdout).expect("responses in UTF-8")
}

/// Else the driver would be compiled without one of its files.
#[test]
fn driver_has_these_files() {
    let folder = fs::read_dir(package().join("examples/driver")).expect("the folder is readable");
    assert_eq!(folder.count(), 4);
}

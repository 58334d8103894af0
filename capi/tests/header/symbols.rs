//! What the shared library exports.

use std::env;
use std::process::Command;

/// The functions for apps, a line each, sorted.
pub const APPS: &str = include_str!("../../symbols.txt");
/// The functions for conformance vectors.
pub const CONFORMANCE: &str = include_str!("../../symbols-conformance.txt");

/// The names of a list.
pub fn listed(list: &str) -> Vec<&str> {
    list.lines().collect()
}

/// What the shared library beside this test's program exports.
pub fn exported() -> Vec<String> {
    let test = env::current_exe().expect("a test knows where it is");
    let name = format!(
        "{}subrosa_capi{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    );
    let library = test.with_file_name(name);
    assert!(
        library.is_file(),
        "cargo has built no {}",
        library.display()
    );
    let nm = Command::new("nm")
        .args(["-D", "--defined-only", "--format=posix"])
        .arg(&library)
        .output();
    let nm = nm.unwrap_or_else(|why| {
        panic!("this test needs the program `nm`, which does not start: {why}")
    });
    assert!(
        nm.status.success(),
        "{}",
        String::from_utf8_lossy(&nm.stderr)
    );
    let text = String::from_utf8(nm.stdout).expect("names in UTF-8");
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

//! The linker's scripts, and the vectors as lines: one case at a time is all that the program holds in memory.

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

const FILE: &str = "../../test-vectors/session.json";

fn main() {
    println!("cargo:rustc-link-search={}", env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-changed={FILE}");

    let text = fs::read_to_string(FILE).expect("the vectors are there");
    let mut file: Value = serde_json::from_str(&text).expect("the vectors are JSON");
    let cases = file["cases"].as_array_mut().expect("the file has cases");
    if env::var_os("CARGO_FEATURE_PLANTED_FAULT").is_some() {
        plant(cases);
    }
    let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let out = env::var_os("OUT_DIR").expect("Cargo says where to write");
    fs::write(Path::new(&out).join("cases.jsonl"), lines).expect("the lines can be written");
}

/// Changes one bit of one expected message, in the middle of the file.
fn plant(cases: &mut [Value]) {
    let middle = cases.len() / 2;
    let results = cases[middle]["out"]["results"].as_array_mut();
    let results = results.expect("a script has results").iter_mut();
    let mut messages = results.filter_map(|result| result.get_mut("message"));
    let message = messages.next().expect("a script seals a message");
    let text = message.as_str().expect("a message is hex");
    let (head, last) = text.split_at(text.len() - 1);
    let digit = u8::from_str_radix(last, 16).expect("hex");
    *message = format!("{head}{:x}", digit ^ 1).into();
}

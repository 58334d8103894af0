//! Programs in C that assert the layouts which the library asserts in Rust.

use std::fmt::Write;

use subrosa_capi::layout::{Layout, Numbers};

use super::declarations::Declarations;

/// Targets, and the place of their numbers.
pub const TARGETS: &[(&str, usize)] = &[
    ("x86_64-unknown-linux-gnu", 0),
    ("aarch64-unknown-linux-gnu", 0),
    ("aarch64-linux-android", 0),
    ("x86_64-linux-android", 0),
    ("aarch64-apple-ios", 0),
    ("x86_64-pc-windows-msvc", 0),
    ("armv7-linux-androideabi", 1),
    ("thumbv7em-none-eabihf", 1),
    ("wasm32-unknown-unknown", 1),
    ("i686-unknown-linux-gnu", 2),
];

/// Structures and fields that the list and the header do not both have, in the same order.
pub fn differences(header: &Declarations, layouts: &[Layout]) -> Vec<String> {
    let mut found = Vec::new();
    for layout in layouts {
        let Some(fields) = header.structs.get(layout.name) else {
            found.push(format!("{}: not in the header", layout.name));
            continue;
        };
        let declared: Vec<&str> = fields.iter().map(|field| name(field)).collect();
        let listed: Vec<&str> = layout.fields.iter().map(|(name, _)| *name).collect();
        if declared != listed {
            found.push(format!("{}: {declared:?} / {listed:?}", layout.name));
        }
    }
    let unlisted = header
        .structs
        .keys()
        .filter(|name| layouts.iter().all(|layout| layout.name != **name));
    found.extend(unlisted.map(|name| format!("{name}: no layout")));
    found
}

/// The name of a field: that of a function stands in brackets, that of an array before them.
fn name(field: &str) -> &str {
    let declarator = match field.split_once("( *") {
        Some((_, declarator)) => declarator.split(')').next(),
        None => field.split('[').next(),
    };
    declarator
        .unwrap_or_default()
        .split(' ')
        .rfind(|word| !word.is_empty())
        .unwrap_or_default()
}

/// A program that compiles if every layout has these numbers.
pub fn program(layouts: &[Layout], headers: &[&str], number: impl Fn(Numbers) -> usize) -> String {
    let mut program = String::new();
    for header in headers {
        let _ = writeln!(program, "#include \"{header}\"");
    }
    let mut claim = |claim: String| {
        let _ = writeln!(program, "_Static_assert({claim}, \"{claim}\");");
    };
    for layout in layouts {
        let name = layout.name;
        claim(format!("sizeof({name}) == {}", number(layout.size)));
        claim(format!("_Alignof({name}) == {}", number(layout.align)));
        for (field, offset) in layout.fields {
            claim(format!("offsetof({name}, {field}) == {}", number(*offset)));
        }
    }
    program
}

//! The declarations that cbindgen makes of the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cbindgen::{Builder, Config, ExportConfig, Language};

use subrosa_capi::result::SUBROSA_NO_ENVELOPE;

use super::declarations::Declarations;

/// What a bare build takes from the system.
const FOREIGN: &[&str] = &["abort", "malloc", "posix_memalign", "free"];

/// A constant that is no literal, which cbindgen passes over: its name, and its value in C.
const NOT_LITERAL: (&str, &str) = ("SUBROSA_NO_ENVELOPE", "SIZE_MAX");
const _: () = assert!(SUBROSA_NO_ENVELOPE == usize::MAX);

/// What the whole source declares, but for what is for conformance vectors.
pub fn for_apps() -> Declarations {
    let mut all = read("lib.rs");
    all.remove(&for_conformance());
    let (name, value) = NOT_LITERAL;
    let passed_over = all.constants.insert(name.to_owned(), value.to_owned());
    assert_eq!(passed_over, None, "cbindgen has learned it");
    all
}

/// The constants of the source by their names alone, so that none is passed over that nobody has thought of.
pub fn constants() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut names,
    );
    names
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in folder.read_dir().expect("the source is readable") {
        let path = entry.expect("the source is readable").path();
        if path.is_dir() {
            collect(&path, names);
            continue;
        }
        let text = fs::read_to_string(path).expect("a source file is text");
        let constants = text
            .lines()
            .filter_map(|line| line.strip_prefix("pub const "));
        let named = constants.filter_map(|line| line.split(':').next());
        names.extend(
            named
                .filter(|name| name.starts_with("SUBROSA_"))
                .map(str::to_owned),
        );
    }
}

/// What is declared for conformance vectors.
pub fn for_conformance() -> Declarations {
    read("conformance.rs")
}

/// What a file and its modules declare.
fn read(file: &str) -> Declarations {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    let config = Config {
        language: Language::C,
        usize_is_size_t: true,
        documentation: false,
        export: ExportConfig {
            exclude: FOREIGN.iter().map(|name| (*name).to_owned()).collect(),
            ..ExportConfig::default()
        },
        ..Config::default()
    };
    let bindings = Builder::new().with_src(path).with_config(config).generate();
    let mut text = Vec::new();
    bindings
        .expect("cbindgen reads the source")
        .write(&mut text);
    let text = String::from_utf8(text).expect("a header in UTF-8");
    Declarations::read(&text)
        .unwrap_or_else(|why| panic!("{why}, in what cbindgen writes:\n{text}"))
}

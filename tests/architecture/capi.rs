//! The C interface is the one place with a reason for `unsafe`: nothing of the repository stands on it, it stands on little,
//! and each of its blocks says why it is sound.

use super::house::{Sources, has_ident, inner_lints};

const PACKAGE: &str = "subrosa-capi";
const CRATE: &str = "subrosa_capi";

/// What the interface may depend on, and what of it only a feature brings in.
const DEPENDENCIES: &[(&str, bool)] = &[
    ("getrandom", true),
    ("rand_core", false),
    ("subrosa", false),
    ("subrosa-conformance", true),
    ("subrosa-sqlite", true),
    ("zeroize", false),
];

/// Lints that are denied in all of its targets, by its manifest or by its root.
const LINTS: &[&str] = &[
    "missing_docs",
    "unsafe_op_in_unsafe_fn",
    "clippy::undocumented_unsafe_blocks",
];

/// Manifests and sources, by their paths: no package depends on the interface, and no code names it but its own tests.
pub fn nobody_reaches_the_interface(files: Sources<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in files {
        let reaches = if name.ends_with("Cargo.toml") {
            dependencies(text).any(|(_, line)| line.contains(PACKAGE) || line.contains("capi\""))
        } else {
            !name.starts_with("capi/") && has_ident(text, CRATE)
        };
        if reaches {
            found.push(format!("{name}: reaches {PACKAGE}"));
        }
    }
    found
}

/// The manifest of the interface: its dependencies are those of the table, and no others.
pub fn interface_stands_on_little(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (section, line) in dependencies(manifest) {
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        match DEPENDENCIES.iter().find(|(listed, _)| *listed == name) {
            _ if section == "[dev-dependencies]" => {}
            _ if section != "[dependencies]" => found.push(format!("{section}: {name}")),
            None => found.push(format!("{name}: not listed")),
            Some((_, optional)) if line.contains("optional = true") != *optional => {
                found.push(format!("{name}: optional, or not"));
            }
            Some(_) => {}
        }
    }
    found
}

/// The manifest and every source file of the interface: it denies what would leave an `unsafe` block without its reason, and
/// no file takes that back.
pub fn every_block_says_why(manifest: &str, sources: Sources<'_>) -> Vec<String> {
    let mut denied = denied_by_manifest(manifest);
    let mut found = Vec::new();
    for (name, text) in sources {
        if *name == "capi/src/lib.rs" {
            let file = syn::parse_file(text).expect("a source file parses");
            denied.extend(inner_lints(&file.attrs));
        }
        let names = LINTS.iter().filter_map(|lint| lint.rsplit("::").next());
        for lint in names.filter(|lint| takes_back(text, lint)) {
            found.push(format!("{name}: takes back {lint}"));
        }
    }
    let lacking = LINTS
        .iter()
        .filter(|lint| !denied.contains(&format!("deny({lint})")));
    found.extend(lacking.map(|lint| format!("capi: lacks deny({lint})")));
    found
}

/// Whether a list of lints that are allowed, expected or only warned of has this one.
fn takes_back(text: &str, lint: &str) -> bool {
    ["allow(", "expect(", "warn("].iter().any(|level| {
        let mut lists = text.split(level).skip(1);
        lists.any(|list| {
            list.split(')')
                .next()
                .is_some_and(|list| list.contains(lint))
        })
    })
}

/// The lints that a manifest denies, as a root would.
fn denied_by_manifest(manifest: &str) -> Vec<String> {
    let mut prefix = None;
    let mut denied = Vec::new();
    for line in manifest.lines() {
        match line.trim() {
            "[lints.rust]" => prefix = Some(""),
            "[lints.clippy]" => prefix = Some("clippy::"),
            heading if heading.starts_with('[') => prefix = None,
            line => {
                let lint = line.strip_suffix(" = \"deny\"");
                if let (Some(prefix), Some(lint)) = (prefix, lint) {
                    denied.push(format!("deny({prefix}{lint})"));
                }
            }
        }
    }
    denied
}

/// The lines of all tables of dependencies, each with the heading of its table. A dependency that has a table of its own
/// is the last part of the heading.
fn dependencies(manifest: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut heading = "";
    manifest.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with('[') {
            heading = line;
            let own = line.contains("dependencies.");
            return own.then_some((heading, line));
        }
        let within = heading.contains("dependencies");
        (within && !line.is_empty() && !line.starts_with('#')).then_some((heading, line))
    })
}

/// Planted faults.
mod planted {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"subrosa-capi\"\n[dependencies]\n# So.\n\
        getrandom = { workspace = true, optional = true }\nrand_core = \"1\"\nsubrosa = { path = \"..\" }\n\
        subrosa-conformance = { path = \"../conformance\", optional = true }\n\
        [dev-dependencies]\ncbindgen = \"1\"\n[lib]\nname = \"subrosa_capi\"\n";

    #[test]
    fn package_on_top_of_the_interface() {
        let finds = |name: &str, text: &str, wanted: &[&str]| {
            assert_eq!(
                nobody_reaches_the_interface(&[(name, text)]),
                wanted,
                "{text}"
            );
        };
        let root = "[workspace]\nmembers = [\".\", \"capi\"]\n[dependencies]\nsha2 = \"1\"\n";
        finds("Cargo.toml", root, &[]);
        finds("capi/Cargo.toml", MANIFEST, &[]);
        for line in [
            "[dependencies]\nsubrosa-capi = \"1\"",
            "[dev-dependencies]\nsubrosa-capi.workspace = true",
            "[build-dependencies]\nc = { package = \"subrosa-capi\", version = \"1\" }",
            "[target.'cfg(unix)'.dependencies]\nc = { path = \"../capi\" }",
            "[dependencies.subrosa-capi]\nversion = \"1\"",
            "[workspace.dependencies]\nsubrosa-capi = { path = \"capi\" }",
        ] {
            let found = ["sqlite/Cargo.toml: reaches subrosa-capi"];
            finds("sqlite/Cargo.toml", &format!("[package]\n{line}\n"), &found);
        }
        let code = "use subrosa_capi::list;";
        finds(
            "sqlite/src/lib.rs",
            code,
            &["sqlite/src/lib.rs: reaches subrosa-capi"],
        );
        finds("capi/tests/list.rs", code, &[]);
        finds("sqlite/src/lib.rs", "//! Not subrosa_capi.", &[]);
    }

    #[test]
    fn interface_with_another_dependency() {
        assert_eq!(interface_stands_on_little(MANIFEST), [""; 0]);
        for (from, to, wanted) in [
            ("rand_core", "libc", "libc: not listed"),
            (
                "rand_core = \"1\"",
                "libc.workspace = true",
                "libc: not listed",
            ),
            (
                "conformance\", optional = true",
                "conformance\"",
                "subrosa-conformance: optional, or not",
            ),
            (
                "rand_core = \"1\"",
                "rand_core = { version = \"1\", optional = true }",
                "rand_core: optional, or not",
            ),
            (
                "[dev-dependencies]",
                "[build-dependencies]",
                "[build-dependencies]: cbindgen",
            ),
            (
                "[dev-dependencies]",
                "[target.'cfg(unix)'.dependencies]",
                "[target.'cfg(unix)'.dependencies]: cbindgen",
            ),
        ] {
            assert!(MANIFEST.contains(from));
            assert_eq!(
                interface_stands_on_little(&MANIFEST.replace(from, to)),
                [wanted],
                "{to}"
            );
        }
    }

    #[test]
    fn block_without_its_reason() {
        let manifest = "[lints.rust]\nunsafe_op_in_unsafe_fn = \"deny\"\nmissing_docs = \"deny\"\n\
            [lints.clippy]\nundocumented_unsafe_blocks = \"deny\"\n";
        let finds = |manifest: &str, root: &str, list: &str, wanted: &[&str]| {
            let files = [("capi/src/lib.rs", root), ("capi/src/list.rs", list)];
            let found = every_block_says_why(manifest, &files);
            assert_eq!(found, wanted, "{manifest} {root} {list}");
        };
        finds(manifest, "", "", &[]);
        let root = format!("#![allow(unused)]\n#![deny({})]", LINTS.join(", "));
        finds("", &root, "", &[]);
        for lint in LINTS {
            let name = lint.rsplit("::").next().expect("a name");
            let wanted = format!("capi: lacks deny({lint})");
            let denied = format!("{name} = \"deny\"");
            let warned = format!("{name} = \"warn\"");
            finds(&manifest.replace(&denied, &warned), "", "", &[&wanted]);
            finds(&manifest.replace(&denied, ""), "", "", &[&wanted]);
            finds("", &root.replace(lint, "other"), "", &[&wanted]);
        }
        let elsewhere = manifest.replace("[lints.clippy]", "[features]");
        finds(
            &elsewhere,
            "",
            "",
            &["capi: lacks deny(clippy::undocumented_unsafe_blocks)"],
        );
        for fault in [
            "#![allow(clippy::undocumented_unsafe_blocks)]",
            "#[expect(clippy::undocumented_unsafe_blocks)] fn f() {}",
            "mod a { #![warn(unused, clippy::undocumented_unsafe_blocks)] }",
        ] {
            let wanted = "list.rs: takes back undocumented_unsafe_blocks";
            finds(manifest, "", fault, &[&format!("capi/src/{wanted}")]);
            let wanted = "lib.rs: takes back undocumented_unsafe_blocks";
            finds(manifest, fault, "", &[&format!("capi/src/{wanted}")]);
        }
    }
}

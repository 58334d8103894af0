//! The rules of the house, proved from the syntax of `src/`.
//!
//! A rule is a function from (module name, source text) pairs to its findings. So each is run on the tree as it is, and
//! on planted faults (`planted.rs`) that it has to find. Code under `#[cfg(test)]` is not judged.

use std::collections::{BTreeMap, BTreeSet};
use std::{fs, path::Path};

use syn::Item;

mod architecture {
    pub mod capi;
    pub mod house;
    mod planted;
    pub mod stand_ins;
}
use architecture::capi::*;
use architecture::house::*;
use architecture::stand_ins::*;

/// The floors: an arrow runs only to a lower one, never along its own. `lib` may name everything.
const FLOORS: &[(i8, &[&str])] = &[
    // The ground.
    (-1, &["memory"]),
    (0, &["crypto", "wire", "padding"]),
    (1, &["identity", "state", "envelope"]),
    (2, &["agreement", "ratchet"]),
    (3, &["session", "mls", "channel", "file"]),
    (4, &["device"]),
    (5, &["hazmat", "os"]),
    (6, &["lib"]),
];

/// Modules that never import each other, whatever floors they stand on.
const APART: &[&[&str]] = &[
    &["crypto", "wire"],
    &["agreement", "ratchet"],
    &["session", "mls", "channel", "file"],
];

/// Modules that only `lib` names.
const ROOF: &[&str] = &["device", "hazmat", "os"];

/// Every crate that `src/` may name, and the modules that may name it; an empty list stands for all of them.
const CRATES: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("alloc", &[]),
    ("zeroize", &[]),
    ("std", &["lib", "os", "file::io", "file::parallel"]),
    ("getrandom", &["os"]),
    ("aes_gcm", &["crypto"]),
    ("base64ct", &["file::pack::link"]),
    ("chacha20poly1305", &["crypto"]),
    ("curve25519_dalek", &["crypto"]),
    ("ed25519_dalek", &["crypto"]),
    // With the feature `fast`; what it computes, `crypto::backend` says.
    ("graviola", &["crypto::backend::fast"]),
    ("hkdf", &["crypto"]),
    ("hmac", &["crypto"]),
    ("libcrux_ml_kem", &["crypto::kem"]),
    ("p256", &["crypto::p256"]),
    ("rand_core", &["crypto"]),
    ("sha2", &["crypto"]),
    ("sha3", &["crypto"]),
    ("subtle", &["crypto"]),
    ("x25519_dalek", &["crypto"]),
];

const DENIED_LINTS: &[&str] = &[
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::panic",
    "clippy::indexing_slicing",
    "clippy::arithmetic_side_effects",
];

const MAX_PRODUCTION_LINES: usize = 800;
const LABEL_PREFIX: &[u8] = b"subrosa/";
const LABELS: &str = "crypto::labels";

type Rule = fn(Sources<'_>) -> Vec<String>;

fn every_top_level_module_has_a_floor(sources: Sources<'_>) -> Vec<String> {
    let house = House::read(sources);
    let mut found = BTreeSet::new();
    for (name, _) in house.production() {
        if floor(top(name)).is_none() {
            found.insert(format!("{}: has no floor", top(name)));
        }
    }
    found.into_iter().collect()
}

/// A file is reached by a `mod` line of its parent, and a `mod` line by its file: nothing in `src/` is dead, and
/// nothing comes from a place where these rules do not look (`#[path]`).
fn every_file_is_reachable(sources: Sources<'_>) -> Vec<String> {
    let house = House::read(sources);
    let mut found = Vec::new();
    for (name, module) in &house.modules {
        if module.has_text && !module.declared {
            found.push(format!("{name}: no `mod` line leads to this file"));
        }
        if module.declared && !module.has_text {
            found.push(format!("{name}: declared, but its file is not there"));
        }
    }
    found
}

fn arrows_run_downward(sources: Sources<'_>) -> Vec<String> {
    findings(sources, |from, to| {
        let (Some(from_floor), Some(to_floor)) = (floor(from), floor(to)) else {
            return None;
        };
        (from_floor <= to_floor)
            .then(|| format!("an arrow from floor {from_floor} to floor {to_floor}"))
    })
}

fn modules_stay_apart(sources: Sources<'_>) -> Vec<String> {
    findings(sources, |from, to| {
        let apart = APART
            .iter()
            .any(|set| set.contains(&from) && set.contains(&to));
        apart.then(|| format!("{from} and {to} never import each other"))
    })
}

fn only_lib_names_the_roof(sources: Sources<'_>) -> Vec<String> {
    findings(sources, |_, to| {
        ROOF.contains(&to)
            .then(|| format!("only lib may name {to}"))
    })
}

/// What `lib.rs` re-exports is for users; inside, a thing is named where it lives.
fn nobody_imports_from_the_root(sources: Sources<'_>) -> Vec<String> {
    findings(sources, |_, to| {
        (to == "lib").then(|| "nobody imports from the crate root".to_owned())
    })
}

/// No cycle among the files of one top-level module.
///
/// At each module M the graph has as its nodes M's own text and each child with all that lies below it. Edges:
/// * a name counts where it is *defined*: `use super::Peer`, where the parent only says `pub use peer::Peer`, is an
///   arrow to `peer` and not to the parent;
/// * `mod x;` and `pub use x::…` of a parent are its table of contents and no arrows. A private `use x::…` of a
///   parent is one, and so is each place in its code that names what it re-exports;
/// * an item defined in the parent's own text is the parent's: a child that uses it cannot be used by the parent.
///
/// A glob import from a surrounding module would hide its arrows, and is refused.
fn no_cycles(sources: Sources<'_>) -> Vec<String> {
    let house = House::read(sources);
    let mut found = Vec::new();
    let mut edges = BTreeMap::new();
    for (name, mention) in house.production_mentions() {
        let Target::Inside(module, rest) = house.resolve(name, &mention.path) else {
            continue;
        };
        let around = is_within(name, &module);
        if around && mention.kind == Kind::Glob && rest.is_empty() {
            found.push(format!(
                "{name}: glob import of {module}, which surrounds it"
            ));
            continue;
        }
        // Naming a surrounding module is naming a namespace; what is taken out of it is a mention of its own.
        if around && rest.is_empty() {
            continue;
        }
        let Target::Inside(home, _) = house.home(module, rest) else {
            continue;
        };
        let contents = mention.public && is_within(&home, name);
        if home != name && top(&home) == top(name) && !contents {
            edges.insert((name, home), mention.path.join("::"));
        }
    }
    for around in house.modules.keys().filter(|name| !name.is_empty()) {
        let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut witnesses = BTreeMap::new();
        for ((file, home), path) in &edges {
            if let (Some(from), Some(to)) = (child_at(around, file), child_at(around, home))
                && from != to
            {
                graph.entry(from).or_default().insert(to);
                witnesses.insert((from, to), format!("{file} names `{path}`"));
            }
        }
        // One cycle at a time: its last arrow is taken out, and what still goes round is another.
        while let Some(cycle) = cycle(&graph) {
            let steps = cycle
                .windows(2)
                .map(|step| &*witnesses[&(step[0], step[1])]);
            let steps: Vec<_> = steps.collect();
            found.push(format!(
                "cycle: {}: {}",
                cycle.join(" -> "),
                steps.join(", ")
            ));
            if let [.., from, to] = cycle[..] {
                graph.entry(from).or_default().remove(to);
            }
        }
    }
    found
}

/// Primitives are named in `crypto`, `std` and the OS's randomness in their adapter, and no crate is named unlisted.
fn crates_are_named_where_they_belong(sources: Sources<'_>) -> Vec<String> {
    let house = House::read(sources);
    let mut found = BTreeSet::new();
    for (name, mention) in house.production_mentions() {
        let Target::Outside(krate) = house.resolve(name, &mention.path) else {
            continue;
        };
        match CRATES.iter().find(|(listed, _)| *listed == krate) {
            Some((_, homes)) => {
                let at_home = homes.iter().any(|home| is_within(label(name), home));
                if !homes.is_empty() && !at_home {
                    found.insert(format!("{}: names {krate}", label(name)));
                }
            }
            // An inline path may begin with any local name; a `use` that leads out of the crate begins with a crate.
            None if mention.kind == Kind::Inline => {}
            None => {
                found.insert(format!(
                    "{}: names {krate}, which is not listed",
                    label(name)
                ));
            }
        }
    }
    found.into_iter().collect()
}

fn no_unsafe(sources: Sources<'_>) -> Vec<String> {
    let hit = sources.iter().filter(|(_, text)| has_ident(text, "unsafe"));
    hit.map(|(name, _)| format!("{name}: `unsafe`")).collect()
}

fn lib_states_its_lints(sources: Sources<'_>) -> Vec<String> {
    let (_, text) = sources
        .iter()
        .find(|(name, _)| *name == "lib")
        .expect("lib.rs");
    let mut found = lints_not_stated(text);
    if !stated_lints(text).contains(&"no_std".to_owned()) {
        found.push("no_std".to_owned());
    }
    let lacks = found.iter().map(|want| format!("lib: lacks #![{want}]"));
    lacks.collect()
}

fn stated_lints(text: &str) -> Vec<String> {
    inner_lints(&syn::parse_file(text).expect("a root parses").attrs)
}

/// What the root of a library has to forbid and deny, and this one does not.
fn lints_not_stated(root: &str) -> Vec<String> {
    let stated = stated_lints(root);
    let mut wanted = vec!["forbid(unsafe_code)".to_owned()];
    wanted.extend(DENIED_LINTS.iter().map(|lint| format!("deny({lint})")));
    wanted.retain(|want| !stated.contains(want));
    wanted
}

fn no_mod_rs(sources: Sources<'_>) -> Vec<String> {
    let hit = sources.iter().filter(|(name, _)| leaf(name) == "mod");
    hit.map(|(name, _)| format!("{name}: `foo.rs` stands beside `foo/`, never `foo/mod.rs`"))
        .collect()
}

/// Production lines are those above the file's `#[cfg(test)]` module, which therefore comes last.
fn files_stay_short(sources: Sources<'_>) -> Vec<String> {
    let house = House::read(sources);
    let mut found = Vec::new();
    for (name, text) in sources {
        let file = syn::parse_file(text).expect("source text parses");
        let is_tests = |item: &Item| matches!(item, Item::Mod(module) if module.content.is_some() && is_test(&module.attrs));
        let after = file.items.iter().skip_while(|item| !is_tests(item));
        if after.skip(1).count() > 0 {
            found.push(format!("{name}: items after the test module"));
        }
        let lines = production_lines(text);
        if !house.is_test_code(name) && lines > MAX_PRODUCTION_LINES {
            found.push(format!("{name}: {lines} production lines"));
        }
    }
    found
}

fn labels_stand_in_one_file(sources: Sources<'_>) -> Vec<String> {
    let house = House::read(sources);
    let mut found = Vec::new();
    for (name, module) in house.production() {
        let labels = module
            .literals
            .iter()
            .filter(|text| text.starts_with(LABEL_PREFIX));
        if !is_within(name, LABELS) {
            found.extend(
                labels.map(|text| format!("{}: {:?}", label(name), String::from_utf8_lossy(text))),
            );
        }
    }
    found
}

/// Every dependency of the manifest stands in `CRATES`, those of single targets as well: a new one is given its place before
/// it is used.
fn every_dependency_has_a_place(manifest: &str) -> Vec<String> {
    let mut within = false;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            let target = line.starts_with("[target.") && line.trim().ends_with(".dependencies]");
            within = line.trim() == "[dependencies]" || target;
            return false;
        }
        within
    });
    let names = lines.filter_map(|line| line.split_once(['=', '.']));
    let crates = names
        .map(|(name, _)| name.trim().replace('-', "_"))
        .filter(|name| !name.starts_with('#'));
    let unlisted = crates.filter(|name| !CRATES.iter().any(|(listed, _)| listed == name));
    unlisted
        .map(|name| format!("{name}: has no place in CRATES"))
        .collect()
}

/// Nobody gets the feature `fast` who did not ask for it: no default turns it on, and no dependency. A feature of the same
/// name may pass it on.
fn nobody_is_made_fast(manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        let name = name.trim();
        let turns_on = match section {
            "[features]" => {
                name != "fast" && (value.contains("\"fast\"") || value.contains("subrosa/fast"))
            }
            _ => name.starts_with("subrosa") && value.contains("\"fast\""),
        };
        if turns_on && !name.starts_with('#') {
            found.push(format!("{section} {line}"));
        }
    }
    found
}

/// Judges each arrow between two top-level modules.
fn findings(sources: Sources<'_>, judge: impl Fn(&str, &str) -> Option<String>) -> Vec<String> {
    let house = House::read(sources);
    let mut found = BTreeSet::new();
    for (name, mention) in house.production_mentions() {
        let Target::Inside(to, _) = house.resolve(name, &mention.path) else {
            continue;
        };
        if top(name) == "lib" || top(name) == top(&to) {
            continue;
        }
        if let Some(why) = judge(top(name), top(&to)) {
            found.insert(format!("{name}: `{}`: {why}", mention.path.join("::")));
        }
    }
    found.into_iter().collect()
}

fn floor(top: &str) -> Option<i8> {
    let hit = FLOORS.iter().find(|(_, modules)| modules.contains(&top));
    hit.map(|(floor, _)| *floor)
}

/// The node of the graph at `around` that `module` belongs to: `around` itself, or one of its children.
fn child_at<'a>(around: &str, module: &'a str) -> Option<&'a str> {
    if !is_within(module, around) || around.is_empty() {
        return None;
    }
    let below = module[around.len()..]
        .strip_prefix("::")
        .unwrap_or_default();
    let child = below.split("::").next().unwrap_or_default();
    Some(if child.is_empty() {
        &module[..around.len()]
    } else {
        &module[..around.len() + 2 + child.len()]
    })
}

/// Some cycle of the graph, its first node repeated at the end.
fn cycle<'a>(graph: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Option<Vec<&'a str>> {
    fn walk<'a>(
        graph: &BTreeMap<&'a str, BTreeSet<&'a str>>,
        path: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
        node: &'a str,
    ) -> Option<Vec<&'a str>> {
        if let Some(start) = path.iter().position(|seen| *seen == node) {
            let mut cycle = path[start..].to_vec();
            cycle.push(node);
            return Some(cycle);
        }
        if done.contains(node) {
            return None;
        }
        path.push(node);
        let next = graph.get(node).into_iter().flatten();
        let found = next
            .into_iter()
            .find_map(|next| walk(graph, path, done, next));
        path.pop();
        done.insert(node);
        found
    }
    let mut done = BTreeSet::new();
    graph
        .keys()
        .find_map(|node| walk(graph, &mut Vec::new(), &mut done, node))
}

/// The lines above the first test module that stands in the file itself.
fn production_lines(text: &str) -> usize {
    let lines: Vec<_> = text.lines().collect();
    let opens_tests = |start: &usize| {
        let attrs = lines[*start..]
            .iter()
            .take_while(|line| line.starts_with("#["));
        let attrs: Vec<_> = attrs.copied().collect();
        let next = lines.get(start + attrs.len()).copied().unwrap_or_default();
        let module = format!("{} mod tests;", attrs.concat());
        let opens = !attrs.is_empty() && next.starts_with("mod ") && next.ends_with('{');
        opens && syn::parse_str::<syn::ItemMod>(&module).is_ok_and(|module| is_test(&module.attrs))
    };
    (0..lines.len()).find(opens_tests).unwrap_or(lines.len())
}

fn tree() -> Vec<(String, String)> {
    fn read(folder: &Path, module: &str, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("src is readable") {
            let path = entry.expect("src is readable").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let name = join(module, stem.expect("a name in UTF-8"));
            if path.is_dir() {
                read(&path, &name, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push((name, fs::read_to_string(&path).expect("src is readable")));
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    read(&src, "", &mut files);
    files
}

macro_rules! the_tree_obeys {
    ($($rule:ident)*) => {
        mod tree_obeys {
            $(
                #[test]
                fn $rule() {
                    let tree = super::tree();
                    let sources: Vec<_> = tree.iter().map(|(name, text)| (&**name, &**text)).collect();
                    let found = super::$rule(&sources);
                    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
                }
            )*
        }
    };
}

the_tree_obeys! {
    every_top_level_module_has_a_floor
    every_file_is_reachable
    arrows_run_downward
    modules_stay_apart
    only_lib_names_the_roof
    nobody_imports_from_the_root
    no_cycles
    crates_are_named_where_they_belong
    no_unsafe
    lib_states_its_lints
    no_mod_rs
    files_stay_short
    labels_stand_in_one_file
    stand_ins_have_one_place
}

#[test]
fn manifest_gives_every_dependency_a_place() {
    let found = every_dependency_has_a_place(include_str!("../Cargo.toml"));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn manifests_make_nobody_fast() {
    let manifests = files_of(Path::new(env!("CARGO_MANIFEST_DIR")), "Cargo.toml");
    assert!(manifests.len() > 5, "those of the members were read");
    for (name, text) in manifests {
        assert_eq!(nobody_is_made_fast(&text), [""; 0], "{name}");
    }
}

/// Programs, benches and tests beside the core keep to it as well: only a C interface, `capi/`, has a reason for it.
#[test]
fn unsafe_stands_in_capi_alone() {
    let mut found = Vec::new();
    let mut read = 0;
    for (name, text) in repository() {
        read += 1;
        if !name.starts_with("capi/") && has_ident(&text, "unsafe") {
            found.push(name);
        }
    }
    assert!(found.is_empty(), "{found:?}");
    assert!(read > tree().len(), "more than src/ was read");
}

#[test]
fn interface_stands_above_everything() {
    let mut files = repository();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    files.extend(files_of(root, "Cargo.toml"));
    let manifest = files.iter().find(|(name, _)| name == "capi/Cargo.toml");
    let (_, manifest) = manifest.expect("the interface has a manifest");
    let manifest = manifest.clone();
    assert_eq!(interface_stands_on_little(&manifest), [""; 0]);
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    assert_eq!(nobody_reaches_the_interface(&files), [""; 0]);
    let own = |(name, _): &&(&str, &str)| name.starts_with("capi/") && name.ends_with(".rs");
    let sources: Vec<_> = files.iter().filter(own).copied().collect();
    assert!(sources.len() > 20, "all of it was read");
    assert_eq!(every_block_says_why(&manifest, &sources), [""; 0]);
}

/// The reference store is a library that apps run: it panics no more than the core does.
#[test]
fn store_states_its_lints() {
    let root = include_str!("../sqlite/src/lib.rs");
    assert_eq!(lints_not_stated(root), Vec::<String>::new());
    let without = root.replace("clippy::unwrap_used,", "");
    assert_eq!(lints_not_stated(&without), ["deny(clippy::unwrap_used)"]);
}

/// One storage engine, in the store alone: everything else knows the trait.
#[test]
fn only_the_store_names_its_engine() {
    let engine = |text: &str| has_ident(text, "rusqlite");
    let (store, others): (Vec<_>, Vec<_>) = repository()
        .into_iter()
        .partition(|(name, _)| name.starts_with("sqlite/"));
    assert!(
        store.iter().any(|(_, text)| engine(text)),
        "the rule sees it"
    );
    let found: Vec<_> = others.iter().filter(|(_, text)| engine(text)).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// Every source file of the repository, by its path.
fn repository() -> Vec<(String, String)> {
    files_of(Path::new(env!("CARGO_MANIFEST_DIR")), ".rs")
}

/// The files whose names end like this, by their paths.
fn files_of(root: &Path, end: &str) -> Vec<(String, String)> {
    fn read(root: &Path, folder: &Path, end: &str, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("the repository is readable") {
            let path = entry.expect("the repository is readable").path();
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.expect("a name in UTF-8");
            if path.is_dir() {
                // What is built, and what is not the project's.
                if name != "target" && !name.starts_with('.') {
                    read(root, &path, end, files);
                }
            } else if name.ends_with(end) {
                let place = path.strip_prefix(root).expect("it is within");
                let text = fs::read_to_string(&path).expect("a source file is text");
                files.push((place.display().to_string(), text));
            }
        }
    }
    let mut files = Vec::new();
    read(root, root, end, &mut files);
    files
}

/// Of every package of this workspace, and of all that they depend on.
#[test]
fn manifests_know_no_stand_ins() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let members = include_str!("../Cargo.toml")
        .lines()
        .find_map(|line| line.strip_prefix("members = [")?.strip_suffix(']'));
    let members = members.expect("the workspace lists its members").split(',');
    let folders: Vec<_> = members.map(|name| name.trim().trim_matches('"')).collect();
    assert!(folders.contains(&".") && folders.iter().all(|folder| !folder.contains("fuzz")));
    let manifests = folders
        .iter()
        .map(|folder| root.join(folder).join("Cargo.toml"));
    for file in manifests.chain([root.join("Cargo.lock")]) {
        let text = fs::read_to_string(&file).expect("a manifest is readable");
        let found = manifest_knows_no_stand_ins(&text);
        assert!(found.is_empty(), "{}: {found:?}", file.display());
    }
}

#[test]
fn package_is_published_without_stand_ins() {
    let found = package_holds_no_stand_ins(include_str!("../Cargo.toml"));
    assert!(found.is_empty(), "{found:?}");
    let manifest = include_str!("../fuzz/mock/Cargo.toml");
    assert!(manifest.contains("publish = false") && manifest.contains("mock-crypto = []"));
}

/// Else the rules above would hold of nothing.
#[test]
fn tree_holds_the_files_that_rules_name() {
    let tree = tree();
    for module in ["lib", "crypto", LABELS] {
        assert!(tree.iter().any(|(name, _)| name == module), "{module}");
    }
}

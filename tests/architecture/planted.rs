//! Planted faults: each rule has to find its own, and to leave the nearest lawful text alone.

use crate::*;

/// Reads lines `module: text`; lines of one module follow each other in its text.
fn modules(lines: &str) -> Vec<(String, String)> {
    let mut modules: Vec<(String, String)> = Vec::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, text) = line
            .split_once(": ")
            .unwrap_or((line.trim_end_matches(':'), ""));
        match modules.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => known.extend(["\n", text]),
            None => modules.push((name.to_owned(), text.to_owned())),
        }
    }
    modules
}

/// `wanted` holds the beginning of each finding, in order.
#[track_caller]
fn finds(rule: Rule, lines: &str, wanted: &[&str]) {
    let modules = modules(lines);
    let sources: Vec<_> = modules
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    finds_in(rule, &sources, wanted);
}

#[track_caller]
fn finds_in(rule: Rule, sources: Sources<'_>, wanted: &[&str]) {
    let found = rule(sources);
    let mut pairs = found.iter().zip(wanted);
    let same =
        found.len() == wanted.len() && pairs.all(|(found, wanted)| found.starts_with(wanted));
    assert!(
        same,
        "found {found:#?}, wanted {wanted:#?}, in {sources:#?}"
    );
}

#[test]
fn module_without_a_floor() {
    let lines = "
        lib: pub mod crypto; pub mod helpers; #[cfg(test)] mod kit;
        crypto:
        helpers:
        kit:";
    finds(every_top_level_module_has_a_floor, lines, &["helpers"]);
}

#[test]
fn file_that_nothing_declares() {
    let lines = "
        lib: mod crypto; mod wire { mod inner; }
        crypto: #[cfg(test)] mod tests;
        crypto::aead:
        wire::inner:";
    let wanted = [
        "crypto::aead: no `mod` line",
        "crypto::tests: declared, but",
    ];
    finds(every_file_is_reachable, lines, &wanted);
}

/// A house of four storeys, and what `identity` holds.
fn with_identity(text: &str) -> String {
    format!(
        "lib: mod crypto; mod state; mod identity; mod session; pub use session::Session;
        crypto:
        state:
        session: use crate::identity::Key; use crate::state::Kind;
        identity: {text}"
    )
}

#[test]
fn arrow_that_does_not_run_downward() {
    for fault in [
        "use crate::session::Session;",
        "use super::session;",
        "use crate::{crypto::Key, state::Kind};",
        "pub(crate) use crate::state::*;",
        "#[cfg(any(test, feature = \"std\"))] use crate::session::Session;",
        "fn f() -> crate::session::Session { g() }",
        "fn f() { super::session::open::<u8>() }",
        "fn f() { use crate::session; }",
        "fn f() { assert!(crate::session::is_open()) }",
        "impl<T: crate::session::Read> Trait for T {}",
        "#[derive(crate::session::Derive)] struct A;",
        "macro_rules! m { () => { $crate::session::open() } }",
        "mod inner { use super::super::session::Session; }",
    ] {
        finds(arrows_run_downward, &with_identity(fault), &["identity"]);
    }
    for lawful in [
        "use crate::crypto::Key;",
        "fn f() { super::crypto::open() }",
        "//! [`crate::session`] stands above.",
        "pub(in crate::identity) struct A;",
        "#[cfg(test)] use crate::session::Session;",
        "#[cfg(test)] mod tests { use crate::session::Session; }",
        "#[cfg(all(test, feature = \"std\"))] fn f() { crate::session::open() }",
        "#[test] fn f() { crate::session::open() }",
        "struct A; impl A { #[cfg(test)] fn f() { crate::session::open() } }",
    ] {
        finds(arrows_run_downward, &with_identity(lawful), &[]);
    }
    let renamed = with_identity("use super as root; fn f() { root::session::open() }");
    finds(
        arrows_run_downward,
        &renamed,
        &["identity: `root::session::open`", "identity: `super`"],
    );
    let in_child = with_identity("mod list;") + "\nidentity::list: use super::super::session::A;";
    finds(arrows_run_downward, &in_child, &["identity::list"]);
}

#[test]
fn arrow_between_separate_modules() {
    for (from, text, is_fault) in [
        ("crypto", "use crate::wire::Reader;", true),
        ("wire", "use crate::crypto;", true),
        ("agreement", "use crate::ratchet::Root;", true),
        ("ratchet", "fn f() { crate::agreement::f() }", true),
        ("session", "use crate::channel;", true),
        (
            "session",
            "use crate::{agreement, crypto, ratchet, wire};",
            false,
        ),
    ] {
        let lines =
            "lib: mod crypto; mod wire; mod agreement; mod ratchet; mod session; mod channel;
            crypto:\n wire:\n agreement:\n ratchet:\n session:\n channel:";
        let lines = format!("{lines}\n{from}: {text}");
        let wanted = [from];
        finds(
            modules_stay_apart,
            &lines,
            if is_fault { &wanted } else { &[] },
        );
    }
}

#[test]
fn arrow_to_the_roof() {
    let lines = "
        lib: pub mod device; pub mod hazmat; pub mod os; pub use device::Device; pub use os::rng;
        device: use crate::os;
        hazmat: use crate::device::Device;
        os:";
    finds(only_lib_names_the_roof, lines, &["device", "hazmat"]);
}

#[test]
fn arrow_to_the_root() {
    for fault in [
        "use crate::Session;",
        "use super::Session;",
        "use crate::*;",
        "use crate as root;",
        "fn f(_: crate::Session) {}",
    ] {
        finds(
            nobody_imports_from_the_root,
            &with_identity(fault),
            &["identity"],
        );
    }
    let lawful = with_identity("use crate::{crypto, crypto::Key};");
    finds(nobody_imports_from_the_root, &lawful, &[]);
}

/// `session` with two children, and what each of the three holds.
fn session(parent: &str, peer: &str, state: &str) -> String {
    format!(
        "lib: mod session;
        session: mod peer; mod state; {parent}
        session::peer: {peer}
        session::state: {state}"
    )
}

#[test]
fn cycle_of_two_children() {
    for (parent, peer, state) in [
        (
            "",
            "use super::state::State;",
            "use crate::session::peer::Peer;",
        ),
        ("", "use super::state;", "fn f() { super::peer::f() }"),
        (
            "",
            "use super::peer::Peer;",
            "use super::*; fn f() { peer::f() }",
        ),
        (
            "",
            "use crate::session; fn f() { session::state::f() }",
            "use super::peer::Peer;",
        ),
        (
            "",
            "fn f() { vec![super::state::A] }",
            "use super::peer::Peer;",
        ),
        // The arrow runs to the text that defines the name, not to the one that passes it on.
        (
            "pub use peer::Peer; pub use self::state::State;",
            "use super::State;",
            "use super::Peer;",
        ),
        (
            "pub use peer::*; pub use state::*;",
            "pub struct Peer; use super::State;",
            "pub struct State; fn f(_: super::Peer) {}",
        ),
    ] {
        let lines = session(parent, peer, state);
        if state.contains('*') {
            finds(
                no_cycles,
                &lines,
                &["session::state: glob import of session"],
            );
        } else {
            finds(
                no_cycles,
                &lines,
                &["cycle: session::peer -> session::state -> session::peer"],
            );
        }
    }
    for (parent, peer, state) in [
        ("", "use super::state::State;", ""),
        ("", "use crate::session; fn f() { session::state::f() }", ""),
        (
            "pub use peer::Peer; pub use state::State;",
            "use super::State;",
            "use crate::crypto;",
        ),
        (
            "#[cfg(test)] mod tests { use super::*; }",
            "use super::state::A;",
            "",
        ),
        (
            "",
            "use super::state::State;",
            "#[cfg(test)] use super::peer::Peer;",
        ),
    ] {
        finds(no_cycles, &session(parent, peer, state), &[]);
    }
}

#[test]
fn cycle_of_parent_and_child() {
    for parent in [
        "use peer::Peer;",
        "pub use peer::Peer; fn f(_: Peer) {}",
        "pub use peer::open; fn f() { open() }",
        "pub use peer::Peer as Friend; fn f() { assert!(Friend::is_known()) }",
        "fn f() { peer::open() }",
    ] {
        let parent = format!("pub enum Error {{}} {parent}");
        let wanted = "cycle: session -> session::peer -> session";
        finds(
            no_cycles,
            &session(&parent, "use super::Error;", ""),
            &[wanted],
        );
        finds(no_cycles, &session(&parent, "", "use super::Error;"), &[]);
    }
    let passes_on = "pub enum Error {} pub use peer::Peer; pub(crate) use self::peer::open;";
    finds(
        no_cycles,
        &session(passes_on, "use super::Error;", "use super::Error;"),
        &[],
    );
}

#[test]
fn every_cycle_is_told() {
    let lines = "
        lib: mod session;
        session: mod a; mod b; mod c; mod d;
        session::a: use super::b::B;
        session::b: use super::c::C;
        session::c: use super::a::A; use super::d::D;
        session::d: use super::c::C;";
    let wanted = [
        "cycle: session::a -> session::b -> session::c -> session::a",
        "cycle: session::c -> session::d -> session::c",
    ];
    finds(no_cycles, lines, &wanted);
}

/// `a::x -> b::y` and `b::z -> a::w`: no two files go round, but `a` and `b` do.
#[test]
fn cycle_of_folders() {
    let lines = "
        lib: mod session;
        session: mod a; mod b;
        session::a: mod x; mod w;
        session::a::x: use super::super::b::y::Y;
        session::a::w:
        session::b: mod y; mod z;
        session::b::y:
        session::b::z: use crate::session::a::w::W;";
    finds(
        no_cycles,
        lines,
        &["cycle: session::a -> session::b -> session::a"],
    );
}

/// A small house, and what `module` holds besides.
fn with(module: &str, text: &str) -> String {
    format!(
        "lib: mod crypto; mod os; mod wire; mod session;
        crypto: mod aead; mod kem; mod subtle;
        crypto::aead:\ncrypto::kem:\ncrypto::subtle:\nos:\nwire:\nsession:
        {module}: {text}"
    )
}

#[test]
fn crate_named_out_of_place() {
    for fault in [
        "use sha2::Sha256;",
        "use rand_core::{CryptoRng, TryRng};",
        "fn f() { ::aes_gcm::Aes256Gcm::new() }",
        "fn f() { x25519_dalek::x25519() }",
        "fn f() { assert!(bool::from(subtle::ConstantTimeEq::ct_eq(a, b))) }",
        "#[derive(subtle::Ct)] struct A;",
        "extern crate hmac;",
        "use ml_kem::MlKem768;",
        "use std::vec::Vec;",
        "fn f() { std::eprintln!() }",
        "impl std::error::Error for Error {}",
        "#[cfg(feature = \"std\")] use std::time::SystemTime;",
        "use getrandom::SysRng;",
    ] {
        finds(
            crates_are_named_where_they_belong,
            &with("wire", fault),
            &["wire: names"],
        );
    }
    for (module, text, wanted) in [
        ("lib", "use sha2::Sha256;", "lib: names sha2"),
        ("crypto", "use std::vec::Vec;", "crypto: names std"),
        ("file::seal", "use std::io::Write;", "file::seal: names std"),
        (
            "crypto::aead",
            "use libcrux_ml_kem::mlkem768;",
            "crypto::aead: names libcrux_ml_kem",
        ),
        (
            "crypto::backend",
            "use graviola::aead::AesGcm;",
            "crypto::backend: names graviola",
        ),
    ] {
        finds(
            crates_are_named_where_they_belong,
            &with(module, text),
            &[wanted],
        );
    }
    for (module, text) in [
        ("lib", "extern crate alloc; extern crate std;"),
        ("os", "use std::time::SystemTime; use getrandom::SysRng;"),
        ("file::io::writer", "use std::io::Write;"),
        (
            "crypto::kem",
            "use libcrux_ml_kem::mlkem768; use sha2::Sha256;",
        ),
        (
            "session",
            "use crate::crypto::subtle; fn f() { subtle::equal() }",
        ),
        (
            "wire",
            "use alloc::vec::Vec; use core::fmt; use zeroize::Zeroize; enum A { B } use A::B;",
        ),
        (
            "wire",
            "#[cfg(test)] mod tests { use std::vec::Vec; use hex::decode; }",
        ),
    ] {
        finds(crates_are_named_where_they_belong, &with(module, text), &[]);
    }
}

#[test]
fn dependency_without_a_place() {
    let manifest = "[features]\nfast = []\n\n[dependencies]\n# blake3 = \"1\"\naes-gcm = \"1\"\n\
        blake2 = { version = \"1\" }\nserde.workspace = true\n\n[dev-dependencies]\nhex = \"1\"\n\n\
        [target.'cfg(unix)'.dependencies]\nring = \"1\"\ngraviola = \"1\"\n\n\
        [target.'cfg(unix)'.dev-dependencies]\nlibc = \"1\"\n";
    let found = every_dependency_has_a_place(manifest);
    assert_eq!(
        found,
        [
            "blake2: has no place in CRATES",
            "serde: has no place in CRATES",
            "ring: has no place in CRATES"
        ]
    );
}

#[test]
fn feature_that_was_not_asked_for() {
    let manifest = |section: &str, line: &str| format!("[package]\n[{section}]\n{line}\n");
    for (section, fault) in [
        ("features", "default = [\"std\", \"fast\"]"),
        ("features", "std = [\"subrosa/std\", \"subrosa/fast\"]"),
        ("features", "threads = [\"fast\"]"),
        (
            "dependencies",
            "subrosa = { path = \"..\", features = [\"fast\"] }",
        ),
        (
            "dev-dependencies",
            "subrosa = { path = \"..\", features = [\"std\", \"fast\"] }",
        ),
    ] {
        let found = nobody_is_made_fast(&manifest(section, fault));
        assert_eq!(found, [format!("[{section}] {fault}")]);
    }
    for (section, lawful) in [
        ("features", "fast = [\"subrosa/fast\"]"),
        ("features", "fast = [\"std\", \"dep:graviola\"]"),
        ("features", "default = [\"std\"]"),
        (
            "dependencies",
            "ed25519-dalek = { version = \"3\", features = [\"fast\"] }",
        ),
    ] {
        assert_eq!(nobody_is_made_fast(&manifest(section, lawful)), [""; 0]);
    }
}

#[test]
fn unsafe_anywhere() {
    for fault in [
        "fn f() { unsafe { g() } }",
        "#[unsafe(no_mangle)] fn f() {}",
        "#[cfg(test)] mod tests { macro_rules! m { () => { unsafe {} } } }",
    ] {
        finds(no_unsafe, &with("wire", fault), &["wire"]);
    }
    finds(
        no_unsafe,
        &with(
            "wire",
            "/// Nothing unsafe.\nwire: const A: &str = \"unsafe\";",
        ),
        &[],
    );
    finds(no_unsafe, "lib: #![forbid(unsafe_code)]", &[]);
}

#[test]
fn root_without_its_lints() {
    let lints = DENIED_LINTS.join(", ");
    let whole =
        format!("#![no_std]\n#![forbid(unsafe_code)]\n#![cfg_attr(not(test), deny({lints}))]");
    let with = |from: &str, to: &str, wanted: &[&str]| {
        assert!(whole.contains(from));
        finds_in(
            lib_states_its_lints,
            &[("lib", &whole.replace(from, to))],
            wanted,
        );
    };
    with("#![no_std]", "#![no_std]", &[]);
    with("#![no_std]", "", &["lib: lacks #![no_std]"]);
    with(
        "#![no_std]",
        "#![cfg_attr(not(test), no_std)]",
        &["lib: lacks #![no_std]"],
    );
    with("forbid", "deny", &["lib: lacks #![forbid(unsafe_code)]"]);
    with("deny", "warn", &["lib: lacks #![deny(clippy::"; 5]);
    with(
        "not(test)",
        "not(feature = \"std\")",
        &["lib: lacks #![deny(clippy::"; 5],
    );
    for lint in DENIED_LINTS {
        with(
            lint,
            "clippy::all",
            &[&format!("lib: lacks #![deny({lint})]")],
        );
    }
}

#[test]
fn mod_rs() {
    let lines = "lib: mod wire;\n wire:\n wire::mod:\n wire::model:";
    finds(no_mod_rs, lines, &["wire::mod: "]);
}

#[test]
fn long_file() {
    let full = "const A: u8 = 0;\n".repeat(MAX_PRODUCTION_LINES);
    for (text, wanted) in [
        (full.clone(), None),
        (
            format!("{full}const B: u8 = 0;\n"),
            Some("wire: 801 production lines"),
        ),
        (
            format!("{full}#[cfg(test)]\nmod tests {{\n{full}}}\n"),
            None,
        ),
        (
            format!("#[cfg(test)]\nuse a::b;\n{full}"),
            Some("wire: 802 production lines"),
        ),
        (
            format!("#[cfg(test)]\nmod tests {{\n}}\n{full}"),
            Some("wire: items after the test module"),
        ),
    ] {
        let wanted: Vec<_> = wanted.into_iter().collect();
        finds_in(
            files_stay_short,
            &[("lib", "mod wire;"), ("wire", &text)],
            &wanted,
        );
    }
    let long = format!("{full}const B: u8 = 0;\n");
    let sources = |declaration| {
        [
            ("lib", "mod wire;"),
            ("wire", declaration),
            ("wire::tests", &*long),
        ]
    };
    finds_in(files_stay_short, &sources("#[cfg(test)] mod tests;"), &[]);
    finds_in(
        files_stay_short,
        &sources("mod tests;"),
        &["wire::tests: 801 production lines"],
    );
}

#[test]
fn label_elsewhere() {
    let crypto =
        "lib: mod crypto;\ncrypto: mod labels; mod hash;\ncrypto::labels:\ncrypto::hash:\n";
    for fault in [
        "const A: &[u8] = b\"subrosa/1 root\\0\";",
        "const A: &[u8] = br#\"subrosa/1 root\"#;",
        "const A: &str = \"subrosa/1 root\";",
        "const A: &str = concat!(\"subrosa/1 \", \"root\");",
    ] {
        let rule = labels_stand_in_one_file;
        finds(
            rule,
            &format!("{crypto}crypto::hash: {fault}"),
            &["crypto::hash: "],
        );
        finds(rule, &format!("{crypto}crypto::labels: {fault}"), &[]);
        finds(
            rule,
            &format!("{crypto}crypto::hash: #[cfg(test)] mod tests {{ {fault} }}"),
            &[],
        );
    }
    let mention = "/// subrosa/1 begins every label.\ncrypto::hash: const A: u8 = 0;";
    finds(
        labels_stand_in_one_file,
        &format!("{crypto}crypto::hash: {mention}"),
        &[],
    );
}

/// The block of `crypto`, for one primitive.
const BLOCK: &str = r#"
    #[cfg(not(feature = "mock-crypto"))]
    pub mod aead;
    #[cfg(feature = "mock-crypto")]
    #[path = "../fuzz/mock/aead.rs"]
    pub mod aead;
"#;

#[test]
fn stand_in_in_the_library() {
    let finds = |module: &str, text: &str, wanted: &[&str]| {
        finds_in(stand_ins_have_one_place, &[(module, text)], wanted);
    };
    finds("crypto", BLOCK, &[]);
    finds("crypto", "#[cfg(feature = \"hazmat\")] pub mod aead;", &[]);
    // What only the real ones stand on is left out with them, and is nowhere else.
    let behind = r#"#[cfg(not(feature = "mock-crypto"))] mod backend;"#;
    finds("crypto", &format!("{BLOCK} {behind}"), &[]);
    finds("ratchet", behind, &["ratchet: names mock-crypto"]);
    let hedge = behind.replace("backend", "hedge");
    finds("crypto", &hedge, &["crypto: names mock-crypto"]);
    let turned = behind
        .replace("not(", "")
        .replace("\"))]", "\")] #[path = \"../fuzz/mock/backend.rs\"]");
    finds(
        "crypto",
        &turned,
        &[
            "crypto: `backend` comes from a path",
            "crypto: names mock-crypto",
        ],
    );
    // Always on, or under another condition, or in the place of something else.
    let other = ["crypto: `aead` comes from a path"];
    let path = r#"#[path = "../fuzz/mock/aead.rs"] pub mod aead;"#;
    finds("crypto", path, &other);
    finds("crypto", &format!("#[cfg(test)] {path}"), &other);
    let wider = format!(r#"#[cfg(any(feature = "mock-crypto", feature = "std"))] {path}"#);
    finds("crypto", &wider, &[other[0], "crypto: names mock-crypto"]);
    let elsewhere = BLOCK.replace("/fuzz/mock/aead", "/fuzz/mock/dh");
    finds(
        "crypto",
        &elsewhere,
        &[other[0], "crypto: names mock-crypto"],
    );
    let hidden = r#"#[cfg_attr(feature = "std", path = "other.rs")] mod hedge;"#;
    finds("crypto", hidden, &["crypto: `hedge` comes from a path"]);
    let inner = format!("mod inner {{ {path} }}");
    finds("crypto", &inner, &other);
    // Without the real one beside it; in another module; in other code.
    let alone = BLOCK.replace("not(feature = \"mock-crypto\")", "test");
    finds(
        "crypto",
        &alone,
        &["crypto: a stand-in for `aead`, and no real one"],
    );
    finds(
        "ratchet",
        BLOCK,
        &[
            "ratchet: a stand-in for `aead`",
            "ratchet: names mock-crypto",
        ],
    );
    let code = format!("{BLOCK} fn f() -> bool {{ cfg!(feature = \"mock-crypto\") }}");
    finds("crypto", &code, &["crypto: names mock-crypto"]);
    let code = r#"#[cfg(not(feature = "mock-crypto"))] fn verify() {}"#;
    finds("agreement", code, &["agreement: names mock-crypto"]);
}

#[test]
fn stand_in_in_a_manifest() {
    let lint = r#"unexpected_cfgs = { level = "warn", check-cfg = ['cfg(feature, values("mock-crypto"))'] }"#;
    assert_eq!(manifest_knows_no_stand_ins(lint), [""; 0]);
    for line in [
        "mock-crypto = []",
        "fast = [\"mock-crypto\"]",
        "subrosa-mock = { path = \"fuzz/mock\" }",
        "subrosa = { package = \"subrosa-mock\", path = \"../fuzz/mock\" }",
        "path = \"fuzz/mock/aead.rs\"",
        "name = \"subrosa-mock\"",
    ] {
        let manifest = format!("[features]\n{line}\n{lint}\n");
        assert_eq!(manifest_knows_no_stand_ins(&manifest).len(), 1, "{line}");
    }
}

#[test]
fn stand_in_in_what_is_published() {
    let publishes =
        |list: &str| package_holds_no_stand_ins(&format!("[package]\ninclude = [{list}]\n"));
    assert_eq!(publishes(r#""/src", "/README.md""#), [""; 0]);
    for entry in [
        "/fuzz",
        "/fuzz/mock/aead.rs",
        "fuzz",
        "/*",
        "**",
        "/",
        "src",
    ] {
        let found = publishes(&format!(r#""/src", "{entry}""#));
        assert_eq!(found, [format!("publishes {entry:?}")]);
    }
    assert_eq!(package_holds_no_stand_ins("[package]\n").len(), 1);
}

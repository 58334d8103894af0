//! The headers and the library say the same: prototypes, constants, layouts, exported symbols. And C, C++ and Swift take in
//! what the headers say.
//!
//! What needs clang, or the shared library as it was built last, is for `cargo test -p subrosa-capi --test header --
//! --include-ignored`.

mod header {
    pub mod compilers;
    pub mod declarations;
    pub mod generated;
    pub mod layouts;
    mod planted;
    pub mod symbols;
}

use std::collections::BTreeSet;
use std::ffi::CStr;

use header::declarations::Declarations;
use header::{compilers, generated, layouts, symbols};
use subrosa::mls::Rule;
use subrosa_capi::layout::{LAYOUTS, Layout};
use subrosa_capi::status::{subrosa_status_action, subrosa_status_str};

/// The header for apps.
const HEADER: &str = include_str!("../include/subrosa.h");
/// The header for conformance vectors.
const CONFORMANCE: &str = include_str!("../include/subrosa_conformance.h");

fn declared(header: &str) -> Declarations {
    Declarations::read(header).expect("a header that can be read")
}

#[test]
fn header_declares_what_the_source_defines() {
    let source = generated::for_apps();
    let header = declared(HEADER);
    assert!(header.functions.len() > 110, "{}", header.functions.len());
    assert_eq!(header.differences(&source), [""; 0]);
}

#[test]
fn header_for_vectors_declares_what_the_source_defines() {
    let source = generated::for_conformance();
    let header = declared(CONFORMANCE);
    assert_eq!(header.functions.len(), 3);
    assert_eq!(header.differences(&source), [""; 0]);
}

#[test]
fn headers_have_every_constant_of_the_source() {
    let mut declared = declared(HEADER).constants;
    declared.extend(self::declared(CONFORMANCE).constants);
    let declared: BTreeSet<String> = declared.into_keys().collect();
    assert_eq!(declared, generated::constants());
}

/// Every status of the header is one of the library, and the other way round; so is every action.
#[test]
fn every_status_has_a_name_a_text_and_an_action() {
    let header = declared(HEADER);
    let statuses = header.numbers("SUBROSA_ERROR_");
    let actions: BTreeSet<i64> = header.numbers("SUBROSA_ACTION_").into_values().collect();
    let text = |status: i32| {
        let text = subrosa_status_str(status);
        // SAFETY: the function never returns NULL, and its texts stay for ever.
        let text = unsafe { CStr::from_ptr(text) };
        text.to_str().expect("a text in UTF-8")
    };
    let unknown = text(-1);
    let numbers: BTreeSet<i64> = statuses.values().copied().chain([0]).collect();
    assert_eq!(numbers.len(), statuses.len() + 1, "no number occurs twice");
    // The rules of groups have the name of their first number.
    let rules: BTreeSet<i64> = (1..=Rule::ALL.len() as i64)
        .map(|rule| statuses["SUBROSA_ERROR_GROUP_RULE"] + rule)
        .collect();
    let known: BTreeSet<i64> = (-1000..=1000)
        .filter(|status| text(*status) != unknown)
        .map(i64::from)
        .collect();
    assert_eq!(&numbers | &rules, known);
    let texts: BTreeSet<&str> = (-1000..=1000).map(text).collect();
    assert_eq!(texts.len(), numbers.len() + 1, "no text occurs twice");
    for status in -1000..=1000 {
        let action = i64::from(subrosa_status_action(status));
        assert!(actions.contains(&action), "{status}: {action}");
    }
    assert_eq!(actions.len(), header.numbers("SUBROSA_ACTION_").len());
}

#[test]
fn header_states_its_version() {
    let header = declared(HEADER);
    let numbers = header.numbers("SUBROSA_ABI_");
    let version = numbers["SUBROSA_ABI_MAJOR"] << 16 | numbers["SUBROSA_ABI_MINOR"];
    assert_eq!(
        i64::from(subrosa_capi::version::subrosa_abi_version()),
        version
    );
}

/// What the library asserts of itself wherever it is built is listed for every structure.
#[test]
fn every_structure_has_a_layout() {
    assert_eq!(layouts::differences(&declared(HEADER), LAYOUTS), [""; 0]);
    #[cfg(feature = "conformance")]
    {
        let listed = subrosa_capi::conformance::LAYOUTS;
        assert_eq!(
            layouts::differences(&declared(CONFORMANCE), listed),
            [""; 0]
        );
    }
}

fn all_layouts() -> (Vec<Layout>, Vec<&'static str>) {
    #[cfg_attr(not(feature = "conformance"), expect(unused_mut))]
    let (mut all, mut headers) = (LAYOUTS.to_vec(), vec!["subrosa.h"]);
    #[cfg(feature = "conformance")]
    {
        all.extend(subrosa_capi::conformance::LAYOUTS);
        headers.push("subrosa_conformance.h");
    }
    (all, headers)
}

#[test]
fn layouts_are_those_of_the_c_compiler() {
    let (all, headers) = all_layouts();
    let program = layouts::program(&all, &headers, subrosa_capi::layout::here);
    compilers::accepts("cc", &["-std=c11"], "layout-here.c", &program);
}

#[test]
#[ignore = "needs clang"]
fn layouts_are_those_of_c_on_every_target() {
    let (all, headers) = all_layouts();
    for (target, model) in layouts::TARGETS {
        let program = layouts::program(&all, &headers, |numbers| numbers[*model]);
        let target_argument = format!("--target={target}");
        let args = ["-std=c11", "-ffreestanding", &target_argument];
        compilers::accepts("clang", &args, &format!("layout-{target}.c"), &program);
    }
}

#[test]
#[ignore = "needs clang"]
fn every_compiler_takes_the_headers() {
    let program =
        "#include \"subrosa.h\"\n#include \"subrosa_conformance.h\"\n#include \"subrosa.h\"\n";
    for (compiler, standards, file) in [
        ("gcc", ["c99", "c11", "c17"], "headers.c"),
        ("clang", ["c99", "c11", "c17"], "headers.c"),
        ("g++", ["c++11", "c++17", "c++20"], "headers.cpp"),
        ("clang++", ["c++11", "c++17", "c++20"], "headers.cpp"),
    ] {
        for standard in standards {
            let standard = format!("-std={standard}");
            compilers::accepts(compiler, &[&standard, "-Wpedantic"], file, program);
        }
    }
}

#[test]
#[ignore = "needs clang"]
fn module_says_of_every_pointer_whether_it_may_be_null() {
    let whole = compilers::module("module", HEADER);
    assert!(whole.is_ok(), "{whole:?}");
    let silent = HEADER.replace(
        "subrosa_list *SUBROSA_NULLABLE *SUBROSA_NONNULL list",
        "subrosa_list **list",
    );
    assert_ne!(silent, HEADER);
    let refused = compilers::module("module-planted", &silent).expect_err("a pointer is silent");
    assert!(refused.contains("-Wnullability-completeness"), "{refused}");
}

/// NULL where it is not allowed, argument by argument.
#[test]
#[ignore = "needs clang"]
fn null_is_refused_where_the_header_does_not_allow_it() {
    for (name, text) in [
        ("subrosa.h", HEADER),
        ("subrosa_conformance.h", CONFORMANCE),
    ] {
        let calls = compilers::calls_with_null(&declared(text));
        assert!(calls.len() >= 5, "{name}: {}", calls.len());
        assert!(calls.iter().any(|call| call.nullable) && calls.iter().any(|call| !call.nullable));
        let refused = compilers::refused_nulls(name, &calls);
        for (line, call) in calls.iter().enumerate() {
            assert_eq!(refused.contains(&line), !call.nullable, "{}", call.text);
        }
    }
}

#[test]
fn symbols_are_those_of_the_headers() {
    for (list, header) in [(symbols::APPS, HEADER), (symbols::CONFORMANCE, CONFORMANCE)] {
        let declared = declared(header);
        let declared: Vec<&str> = declared.functions.keys().map(String::as_str).collect();
        assert_eq!(symbols::listed(list), declared, "the list is sorted");
    }
}

/// The library that lies beside this test: cargo builds it first.
#[test]
#[ignore = "another build may have replaced the library"]
fn library_exports_the_listed_symbols_and_no_other() {
    let mut wanted: BTreeSet<&str> = symbols::listed(symbols::APPS).into_iter().collect();
    if cfg!(feature = "conformance") {
        wanted.extend(symbols::listed(symbols::CONFORMANCE));
    }
    let exported = symbols::exported();
    let exported: BTreeSet<&str> = exported.iter().map(String::as_str).collect();
    assert_eq!(exported, wanted);
}

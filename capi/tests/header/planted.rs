//! Headers with a fault each, which has to be found; and texts that are no headers.

use subrosa_capi::layout::{LAYOUTS, Layout, here};

use super::compilers;
use super::declarations::Declarations;
use super::generated;
use super::layouts;

const HEADER: &str = include_str!("../../include/subrosa.h");

/// What is found in a header that has `to` in the place of `from`.
#[track_caller]
fn finds(from: &str, to: &str, wanted: &[&str]) {
    assert_eq!(HEADER.matches(from).count(), 1, "{from}");
    let altered = Declarations::read(&HEADER.replace(from, to)).expect("still a header");
    let source = generated::for_apps();
    let found = altered.differences(&source);
    let begins = |(found, wanted): (&String, &&str)| found.starts_with(wanted);
    let same = found.len() == wanted.len() && found.iter().zip(wanted).all(begins);
    assert!(same, "found {found:#?}, wanted {wanted:#?}");
}

#[test]
fn function_that_differs() {
    for (from, to, function) in [
        // Constness, of the object and of an input.
        (
            "subrosa_list_read(const subrosa_list *list",
            "subrosa_list_read(subrosa_list *list",
            "subrosa_list_read",
        ),
        (
            "subrosa_store_sqlite(const char *path",
            "subrosa_store_sqlite(char *path",
            "subrosa_store_sqlite",
        ),
        (
            "const char *subrosa_status_str",
            "char *subrosa_status_str",
            "subrosa_status_str",
        ),
        // Parameters that changed places.
        (
            "subrosa_device_unlink(subrosa_device *device, uint32_t id, uint64_t now,",
            "subrosa_device_unlink(subrosa_device *device, uint64_t now, uint32_t id,",
            "subrosa_device_unlink",
        ),
        (
            "subrosa_outbox_copy(const subrosa_outbox *outbox, size_t index, size_t copy,",
            "subrosa_outbox_copy(const subrosa_outbox *outbox, size_t copy, size_t index,",
            "subrosa_outbox_copy",
        ),
        // Another type, one parameter less, another result.
        (
            "subrosa_list_device(const subrosa_list *list, size_t index",
            "subrosa_list_device(const subrosa_list *list, uint32_t index",
            "subrosa_list_device",
        ),
        (
            "const uint8_t *account, char *digits",
            "const uint8_t *account, uint8_t *digits",
            "subrosa_device_digits",
        ),
        (
            "subrosa_device_address(const subrosa_device *device, subrosa_address *address)",
            "subrosa_device_address(subrosa_address *address)",
            "subrosa_device_address",
        ),
        (
            "size_t subrosa_events_count",
            "uint32_t subrosa_events_count",
            "subrosa_events_count",
        ),
        (
            "uint32_t subrosa_abi_version(void)",
            "uint32_t subrosa_abi_version(int version)",
            "subrosa_abi_version",
        ),
    ] {
        finds(from, to, &[&format!("function {function}: ")]);
    }
}

#[test]
fn function_on_one_side() {
    finds(
        "subrosa_status subrosa_list_free(subrosa_list *SUBROSA_NULLABLE list);",
        "",
        &["function subrosa_list_free: not in the header"],
    );
    finds(
        "uint32_t subrosa_abi_version(void);",
        "uint32_t subrosa_abi_version(void); void subrosa_other(void);",
        &["function subrosa_other: not in the source"],
    );
    finds(
        "subrosa_abi_version(void)",
        "subrosa_abi_versions(void)",
        &[
            "function subrosa_abi_version: not in the header",
            "function subrosa_abi_versions: not in the source",
        ],
    );
}

#[test]
fn structure_that_differs() {
    for (from, to, name) in [
        ("size_t devices;", "uint32_t devices;", "subrosa_list_info"),
        (
            "  subrosa_action action;   /* REJECTED: what to do. */\n",
            "",
            "subrosa_event",
        ),
        (
            "uint8_t to[SUBROSA_ACCOUNT]; /* COPY",
            "uint8_t to[SUBROSA_KEY]; /* COPY",
            "subrosa_event",
        ),
        (
            "  subrosa_key key;\n  subrosa_bytes value;",
            "  subrosa_bytes value;\n  subrosa_key key;",
            "subrosa_put",
        ),
        (
            "size_t len;\n} subrosa_bytes;",
            "size_t length;\n} subrosa_bytes;",
            "subrosa_bytes",
        ),
        (
            "context, uint64_t base,",
            "context, uint32_t base,",
            "subrosa_store_vtable",
        ),
        (
            "const uint8_t *SUBROSA_NULLABLE data;",
            "uint8_t *SUBROSA_NULLABLE data;",
            "subrosa_bytes",
        ),
        (
            "uint8_t numbers[7];",
            "uint8_t numbers[8];",
            "subrosa_emoji_shown",
        ),
    ] {
        finds(from, to, &[&format!("structure {name}: ")]);
    }
}

#[test]
fn name_that_differs() {
    finds(
        "typedef struct subrosa_outbox subrosa_outbox;",
        "",
        &["object subrosa_outbox: not in the header"],
    );
    finds(
        "typedef int32_t subrosa_action;",
        "typedef int64_t subrosa_action;",
        &["type subrosa_action: "],
    );
    for (from, to, name) in [
        (
            "#define SUBROSA_ERROR_STEP 6 ",
            "#define SUBROSA_ERROR_STEP 16 ",
            "SUBROSA_ERROR_STEP",
        ),
        (
            "#define SUBROSA_TEXT_MAX 1032074",
            "#define SUBROSA_TEXT_MAX 1032075",
            "SUBROSA_TEXT_MAX",
        ),
        (
            "#define SUBROSA_SEND_PARTIAL 1u",
            "#define SUBROSA_SEND_PARTIAL 2u",
            "SUBROSA_SEND_PARTIAL",
        ),
        (
            "#define SUBROSA_NO_ENVELOPE SIZE_MAX",
            "#define SUBROSA_NO_ENVELOPE 0",
            "SUBROSA_NO_ENVELOPE",
        ),
    ] {
        finds(from, to, &[&format!("constant {name}: ")]);
    }
    finds(
        "#define SUBROSA_NOTICE_OLD_STATE 8",
        "#define SUBROSA_NOTICE_NEW_STATE 8",
        &[
            "constant SUBROSA_NOTICE_NEW_STATE: not in the source",
            "constant SUBROSA_NOTICE_OLD_STATE: not in the header",
        ],
    );
}

/// Comments, marks and lines may be what they like.
#[test]
fn layout_on_the_page() {
    finds(
        "uint32_t subrosa_abi_version(void);",
        "uint32_t /* so */\n\nsubrosa_abi_version (void) ;",
        &[],
    );
    finds(
        "const subrosa_rng *SUBROSA_NULLABLE rng, const subrosa_list *list,",
        "const subrosa_rng *rng, const subrosa_list *SUBROSA_NULLABLE list,",
        &[],
    );
}

#[test]
fn text_that_is_no_header() {
    for text in [
        "int a;",
        "int f(void",
        "int f(void));",
        "/* int f(void);",
        "struct a { int b; };",
        "typedef struct a { int b; } c;",
        "int f(int a = 3);",
        "enum a { B };",
        "int f(void); int f(int a);",
        "#define A 1\n#define A 2",
        "typedef struct a a; typedef struct a a;",
        "int f(void) { return 1; }",
    ] {
        let read = Declarations::read(text);
        assert!(read.is_err(), "{text}: {read:?}");
    }
}

#[test]
fn layout_that_is_missing_or_wrong() {
    let header = Declarations::read(HEADER).expect("a header");
    assert_eq!(
        layouts::differences(&header, &LAYOUTS[1..]),
        [format!("{}: no layout", LAYOUTS[0].name)]
    );
    let shorter = [
        &[Layout {
            fields: &LAYOUTS[0].fields[1..],
            ..LAYOUTS[0]
        }],
        &LAYOUTS[1..],
    ]
    .concat();
    assert_eq!(layouts::differences(&header, &shorter).len(), 1);
    let other = [
        &[Layout {
            name: "subrosa_other",
            ..LAYOUTS[0]
        }],
        LAYOUTS,
    ]
    .concat();
    assert_eq!(
        layouts::differences(&header, &other),
        ["subrosa_other: not in the header"]
    );

    let event = LAYOUTS
        .iter()
        .find(|layout| layout.name == "subrosa_event")
        .expect("events");
    let larger = Layout {
        size: event.size.map(|size| size + 8),
        ..*event
    };
    let stricter = Layout {
        align: event.align.map(|align| align * 2),
        ..*event
    };
    let moved = Layout {
        fields: &[("status", [16; 3])],
        ..*event
    };
    for (name, wrong) in [("size", larger), ("align", stricter), ("offset", moved)] {
        let program = layouts::program(&[wrong], &["subrosa.h"], here);
        let refused = compilers::check("cc", &["-std=c11"], &format!("layout-{name}.c"), &program);
        let why = refused.expect_err("a compiler sees it");
        assert!(
            why.contains("static assertion failed") || why.contains("static_assert failed"),
            "{why}"
        );
    }
}

#[test]
#[should_panic(expected = "this test needs the compiler `no-such-compiler`")]
fn compiler_that_is_not_there() {
    compilers::accepts("no-such-compiler", &[], "nothing.c", "");
}

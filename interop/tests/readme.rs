//! README.md shows the table that the command prints: the same rows and columns, other figures.

use subrosa_interop::estimates::Times;
use subrosa_interop::library::Library as _;
use subrosa_interop::olm::Vodozemac;
use subrosa_interop::ours::Subrosa;
use subrosa_interop::sizes::Sizes;
use subrosa_interop::table::{Report, shape, table_of};
use subrosa_interop::work;

const README: &str = include_str!("../../README.md");

/// The report of made-up times: each is `scale` times another one.
fn report(scale: f64) -> Report {
    let mut times = Times::default();
    for (work, nanoseconds) in work::BOTH
        .into_iter()
        .zip([5e5, 4e5, 7e3, 1e4, 2e5, 1e5, 5e3, 6e3, 7e3])
    {
        times.insert(work, Subrosa::NAME, nanoseconds * scale);
        times.insert(work, Vodozemac::NAME, nanoseconds);
    }
    times.insert(work::LONG_REVERSE, Subrosa::NAME, 4e3 * scale);
    let sizes = Sizes {
        ordinary: 294,
        first: 1_629,
        state: 1_999,
        read_in_reverse: 1_000,
    };
    Report::new(&[times], [sizes, sizes]).unwrap()
}

#[test]
fn readme_has_the_rows_of_the_table() {
    let table = table_of(README).unwrap();
    assert_eq!(shape(&table), shape(&report(0.5).markdown()));
}

#[test]
fn the_shape_does_not_depend_on_the_figures() {
    let shapes = [0.001, 0.5, 20.0, 1_000.0].map(|scale| shape(&report(scale).markdown()));
    assert!(shapes.iter().all(|shape| *shape == shapes[0]));
}

/// Negative controls.
#[test]
fn another_table_has_another_shape() {
    let table = report(0.5).markdown();
    let printed = shape(&table);
    for (from, to) in [
        (
            "| first message, responder |",
            "| first message, recipient |",
        ),
        ("seal and open 64 B in", "seal and open 65 B in"),
        (" read, the rest lost", " read"),
        (" of vodozemac |", " |"),
        ("| subrosa |", "|"),
    ] {
        let changed = table.replacen(from, to, 1);
        assert_ne!(changed, table, "{from}");
        assert_ne!(shape(&changed), printed, "{from}");
    }
    for left_out in 0..table.lines().count() {
        let rest: Vec<_> = { table.lines().enumerate() }
            .filter_map(|(number, line)| (number != left_out).then_some(line))
            .collect();
        assert_ne!(shape(&rest.join("\n")), printed, "line {left_out}");
    }
    assert!(table_of("# A text\n\n| another | table |\n").is_err());
}

#[test]
fn a_time_that_was_not_measured_is_missed() {
    let sizes = Sizes::count();
    for left_out in work::BOTH {
        let mut times = Times::default();
        for work in work::BOTH.into_iter().filter(|work| *work != left_out) {
            times.insert(work, Subrosa::NAME, 1.0);
            times.insert(work, Vodozemac::NAME, 1.0);
        }
        times.insert(work::LONG_REVERSE, Subrosa::NAME, 1.0);
        let refused = Report::new(&[times], sizes).map(|report| report.markdown());
        assert!(refused.is_err_and(|why| why.starts_with(left_out)));
    }
}

/// What the table compares is real: each library reads its own messages, in reverse as far as it does.
#[test]
fn both_libraries_do_the_work() {
    let [ours, theirs] = Sizes::count();
    assert_eq!(ours.read_in_reverse, work::LONG_REVERSED);
    assert_eq!(theirs.read_in_reverse, work::REVERSED);
    assert!(ours.first > ours.ordinary && theirs.first > theirs.ordinary);
    assert!(ours.ordinary > 64 && theirs.ordinary > 64);
}

//! The table of README.md, in Markdown.

use std::fmt::Write as _;

use crate::estimates::Times;
use crate::library::Library as _;
use crate::olm::Vodozemac;
use crate::ours::Subrosa;
use crate::quoted::{self, Quoted};
use crate::sizes::Sizes;
use crate::work;

/// The first line of the table.
fn header() -> String {
    format!(
        "| | subrosa | vodozemac 0.11.1 | subrosa to vodozemac | {} |",
        quoted::LABEL
    )
}

const NONE: &str = "";

/// A work that both libraries do, with the times of every round.
struct Row {
    name: &'static str,
    ours: Vec<f64>,
    theirs: Vec<f64>,
    quoted: Option<Quoted>,
}

impl Row {
    fn new(
        rounds: &[Times],
        name: &'static str,
        works: &[&str],
        quoted: Option<Quoted>,
    ) -> Result<Self, String> {
        let times = |library: &str| -> Result<Vec<f64>, String> {
            let of_round = |round: &Times| -> Result<f64, String> {
                works.iter().map(|work| round.of(work, library)).sum()
            };
            rounds.iter().map(of_round).collect()
        };
        Ok(Self {
            name,
            ours: times(Subrosa::NAME)?,
            theirs: times(Vodozemac::NAME)?,
            quoted,
        })
    }

    /// The ratio of each round.
    fn ratios(&self) -> Vec<f64> {
        let pairs = self.ours.iter().zip(&self.theirs);
        pairs.map(|(ours, theirs)| ours / theirs).collect()
    }

    fn ratio(&self) -> f64 {
        median(&self.ratios())
    }

    fn line(&self) -> String {
        let quoted = self.quoted.map_or(NONE.to_owned(), |quoted| {
            format!("{:.2} of vodozemac", quoted.ratio())
        });
        line(&[
            self.name,
            &time(median(&self.ours)),
            &time(median(&self.theirs)),
            &format!("{:.2}", self.ratio()),
            &quoted,
        ])
    }
}

/// What the command prints.
pub struct Report {
    rows: Vec<Row>,
    /// Each of 1,000 messages in reverse.
    long_reverse: f64,
    sizes: [Sizes; 2],
}

const FIRST_MESSAGE: &str = "first message, both sides";

impl Report {
    /// From the times of some rounds and what was counted.
    ///
    /// # Errors
    /// A time is missing.
    pub fn new(rounds: &[Times], sizes: [Sizes; 2]) -> Result<Self, String> {
        let mut rows = vec![
            Row::new(
                rounds,
                work::INITIATOR,
                &[work::INITIATOR],
                Some(quoted::INITIATOR),
            )?,
            Row::new(
                rounds,
                work::RESPONDER,
                &[work::RESPONDER],
                Some(quoted::RESPONDER),
            )?,
            Row::new(
                rounds,
                FIRST_MESSAGE,
                &[work::INITIATOR, work::RESPONDER],
                Some(quoted::FIRST_MESSAGE),
            )?,
        ];
        for ((name, _), quoted) in work::IN_CHAIN.into_iter().zip(quoted::IN_CHAIN) {
            rows.push(Row::new(rounds, name, &[name], quoted)?);
        }
        rows.push(Row::new(
            rounds,
            work::TURN,
            &[work::TURN],
            Some(quoted::TURN),
        )?);
        for name in [work::REVERSE, work::EXPORT, work::IMPORT] {
            rows.push(Row::new(rounds, name, &[name], None)?);
        }
        let long_reverse = { rounds.iter() }
            .map(|round| round.of(work::LONG_REVERSE, Subrosa::NAME))
            .collect::<Result<Vec<f64>, String>>()?;
        Ok(Self {
            rows,
            long_reverse: median(&long_reverse),
            sizes,
        })
    }

    /// The table.
    #[must_use]
    pub fn markdown(&self) -> String {
        let [ours, theirs] = &self.sizes;
        let mut lines = vec![header(), "|---|---|---|---|---|".to_owned()];
        for row in &self.rows {
            lines.push(row.line());
            if row.name == work::REVERSE {
                lines.push(self.long_reverse_line());
            }
        }
        let bytes = |name: &str, ours: usize, theirs: usize, quoted: &str| {
            let ratio = ours as f64 / theirs as f64;
            line(&[
                name,
                &format!("{} B", thousands(ours)),
                &format!("{} B", thousands(theirs)),
                &format!("{ratio:.2}"),
                quoted,
            ])
        };
        let libsignal = quoted::ADDED.map(|added| format!("{} B", thousands(added as usize)));
        lines.push(bytes(
            "bytes beyond 64 B of text, ordinary message",
            ours.added()[0],
            theirs.added()[0],
            &libsignal[0],
        ));
        lines.push(bytes(
            "bytes beyond 64 B of text, first message",
            ours.added()[1],
            theirs.added()[1],
            &libsignal[1],
        ));
        lines.push(bytes(
            "bytes of a state, encrypted",
            ours.state,
            theirs.state,
            &format!("{} B, not encrypted", thousands(quoted::STATE as usize)),
        ));
        lines.join("\n") + "\n"
    }

    fn long_reverse_line(&self) -> String {
        let [ours, theirs] = &self.sizes;
        line(&[
            work::LONG_REVERSE,
            &format!(
                "{}, {} read",
                time(self.long_reverse),
                thousands(ours.read_in_reverse)
            ),
            &format!("{} read, the rest lost", theirs.read_in_reverse),
            NONE,
            &format!("{}, all read", time(quoted::LONG_REVERSE * 1_000.0)),
        ])
    }

    /// What the project promises of its speed, from the same figures.
    #[must_use]
    pub fn promises(&self) -> String {
        let ratio = |name: &str| {
            let row = self.rows.iter().find(|row| row.name == name);
            row.map_or(f64::NAN, Row::ratio)
        };
        let first = quoted::FIRST_MESSAGE;
        format!(
            "A ratchet turn is {:.2} times as fast as vodozemac's, a first message on both sides {:.2} times as fast as \
             libsignal's\n(quoted: {} µs where vodozemac took {} µs).\n",
            1.0 / ratio(work::TURN),
            first.ratio() / ratio(FIRST_MESSAGE),
            first.libsignal,
            first.vodozemac,
        )
    }

    /// How far the rounds are apart: the least and the greatest ratio of each row.
    #[must_use]
    pub fn spread(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let ratios = row.ratios();
            let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let _ = writeln!(text, "{:50} {least:.2} to {greatest:.2}", row.name);
        }
        text
    }
}

/// A row of a table.
#[must_use]
pub fn line(cells: &[&str]) -> String {
    let mut line = "|".to_owned();
    for cell in cells {
        let _ = match cell.is_empty() {
            true => write!(line, " |"),
            false => write!(line, " {cell} |"),
        };
    }
    line
}

/// The middle value, or the mean of the two in the middle.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => f64::NAN,
        1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// A time with three digits.
#[must_use]
pub fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        time if time < 1e3 => (time, "ns"),
        time if time < 1e6 => (time / 1e3, "µs"),
        time => (time / 1e6, "ms"),
    };
    match value {
        value if value < 10.0 => format!("{value:.2} {unit}"),
        value if value < 100.0 => format!("{value:.1} {unit}"),
        value => format!("{value:.0} {unit}"),
    }
}

/// A number with a comma behind the thousands.
#[must_use]
pub fn thousands(number: usize) -> String {
    match number {
        ..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    }
}

/// The tables of a text without their figures: the first cell of a row as it is, of the others the words only. Two
/// printings of one table have the same shape, whatever was measured.
#[must_use]
pub fn shape(text: &str) -> Vec<String> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let without_figures = |cell: &str| {
        let words = cell.split_whitespace().map(|word| match word {
            "ns" | "µs" | "ms" => "TIME".to_owned(),
            "ns," | "µs," | "ms," => "TIME,".to_owned(),
            word if word.starts_with(|first: char| first.is_ascii_digit()) => {
                let after =
                    word.trim_start_matches(|c: char| c.is_ascii_digit() || ",.".contains(c));
                format!("N{after}")
            }
            word => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    };
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|');
        let name = cells.next().unwrap_or_default().trim().to_owned();
        let rest: Vec<_> = cells.map(without_figures).collect();
        format!("{name} | {}", rest.join(" | "))
    })
    .collect()
}

/// The rows of `readme` that begin with the header of this table, up to the end of that table.
///
/// # Errors
/// There is no such table.
pub fn table_of(readme: &str) -> Result<String, String> {
    let header = header();
    let lines: Vec<_> = { readme.lines() }
        .skip_while(|line| *line != header)
        .take_while(|line| line.starts_with('|'))
        .collect();
    if lines.is_empty() {
        return Err(format!("there is no table with the header {header}"));
    }
    Ok(lines.join("\n") + "\n")
}

//! The table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use subrosa_interop::table::{line, thousands, time};

use crate::library::Library as _;
use crate::ours::Ours;
use crate::theirs::Theirs;
use crate::work::{TIMES, UPDATE_BYTES};

/// Everything that was measured: nanoseconds or bytes, by work, library and members.
#[derive(Default)]
pub struct Report(BTreeMap<(&'static str, &'static str, u32), f64>);

impl Report {
    pub fn time(&mut self, work: &'static str, of: &'static str, members: u32, time: Duration) {
        self.0.insert((work, of, members), time.as_secs_f64() * 1e9);
    }

    pub fn bytes(&mut self, work: &'static str, of: &'static str, members: u32, bytes: usize) {
        self.0.insert((work, of, members), bytes as f64);
    }

    /// The table, in Markdown: in each cell this library's figure, the peer's, and theirs divided by ours.
    pub fn markdown(&self) -> String {
        let all: BTreeSet<u32> = self.0.keys().map(|(_, _, members)| *members).collect();
        let mut header = vec![format!("{}; {}; ratio", Ours::NAME, Theirs::NAME)];
        header.extend(
            all.iter()
                .map(|members| format!("n = {}", thousands(*members as usize))),
        );
        let mut text = row(&header) + "\n" + &"|---".repeat(header.len()) + "|\n";
        for work in TIMES.into_iter().chain([UPDATE_BYTES]) {
            let mut cells = vec![work.to_owned()];
            cells.extend(all.iter().map(|members| self.cell(work, *members)));
            text += &(row(&cells) + "\n");
        }
        text
    }

    fn cell(&self, work: &'static str, members: u32) -> String {
        let figure = |of| self.0.get(&(work, of, members)).copied();
        let shown = |figure: f64| match work {
            UPDATE_BYTES => thousands(figure as usize),
            _ => time(figure),
        };
        match (figure(Ours::NAME), figure(Theirs::NAME)) {
            (Some(ours), Some(theirs)) => {
                let (ratio, ours, theirs) = (theirs / ours, shown(ours), shown(theirs));
                match ratio {
                    ratio if ratio < 10.0 => format!("{ours}; {theirs}; {ratio:.1}"),
                    ratio => format!("{ours}; {theirs}; {ratio:.0}"),
                }
            }
            (Some(ours), None) => shown(ours),
            (None, _) => String::new(),
        }
    }
}

fn row(cells: &[String]) -> String {
    line(&cells.iter().map(String::as_str).collect::<Vec<_>>())
}

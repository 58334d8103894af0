//! The closing table: what was counted and measured, by whoever saw it.

use subrosa::crypto::hash::sha256;
use subrosa::envelope::ENVELOPE;
use subrosa::ratchet::FRAME_OVERHEAD;

use crate::actors::Role;
use crate::counts::Counts;
use crate::course::{Course, Verdict, median};
use crate::screen::thousands;

/// Where the numbers come from: the texts that were shown, the counters that the peers keep in their stored states (so
/// that a kill takes nothing away), and the relay's own.
pub struct Summary<'a> {
    pub lines: &'a [&'static [u8]],
    pub courses: &'a [Course; 2],
    pub totals: &'a [Counts; 3],
}

/// A name, and a value for each direction.
pub type TableRow = (String, [String; 2]);

/// Who counted.
enum By {
    Sender,
    Relay,
    Recipient,
}

const COUNTED: &[(&str, By, &str)] = &[
    ("messages sealed", By::Sender, "sealed"),
    ("  lines", By::Sender, "lines"),
    ("  lines again, asked for", By::Sender, "lines_asked"),
    ("  lines again, unasked", By::Sender, "lines_probed"),
    ("  reports: read, missing", By::Sender, "reports"),
    ("conversations begun", By::Sender, "begun"),
    ("ratchet turns: new chains", By::Sender, "turns"),
    ("taken by the relay", By::Relay, "taken"),
    ("  dropped", By::Relay, "dropped"),
    ("  doubled", By::Relay, "doubled"),
    ("  held back", By::Relay, "delayed"),
    ("  copies overtaken by later ones", By::Relay, "overtaken"),
    ("opened", By::Recipient, "opened"),
    (
        "  in the agreement that lost",
        By::Recipient,
        "opened_in_old_state",
    ),
    (
        "  lines that were there already",
        By::Recipient,
        "lines_known",
    ),
];

impl Summary<'_> {
    pub fn rows(&self, verdicts: &[Verdict; 2]) -> Vec<TableRow> {
        let row = |name: &str, values: [String; 2]| (name.to_owned(), values);
        let number = |name: &str, values: [u64; 2]| row(name, values.map(thousands));
        let verdict = |name: &str, of: fn(&Verdict) -> usize| {
            number(name, [0, 1].map(|way| of(&verdicts[way]) as u64))
        };
        let text = self.lines.concat();
        let mut rows = vec![
            row("", ["alice → bob".to_owned(), "bob → alice".to_owned()]),
            number("lines", [self.lines.len() as u64; 2]),
            verdict("  lost", |verdict| verdict.lost),
            verdict("  altered", |verdict| verdict.altered),
            verdict("  shown twice", |verdict| verdict.twice),
            row("SHA-256 of the text", [0, 1].map(|_| short_hash(&text))),
            row(
                "SHA-256 of what was read",
                [0, 1].map(|way| short_hash(&self.courses[way].text())),
            ),
        ];
        for (name, by, key) in COUNTED {
            rows.push(number(name, self.count(by, key)));
        }
        for kind in self.refusals() {
            let count = self.count(&By::Recipient, &format!("refused:{kind}"));
            rows.push(number(&format!("refused: {kind}"), count));
        }
        let sealed = self.count(&By::Sender, "sealed");
        let taken = self.count(&By::Relay, "taken");
        let unsent = [0, 1].map(|way| sealed[way].saturating_sub(taken[way]));
        rows.push(number("stored and not sent: the kill", unsent));
        let (ordinary, firsts) = (self.overhead("ordinary"), self.overhead("firsts"));
        let fixed = (ENVELOPE + FRAME_OVERHEAD) as f64;
        rows.extend([
            number("bytes of text", [text.len() as u64; 2]),
            number("bytes on the wire", self.count(&By::Sender, "wire_bytes")),
            row("overhead a message, mean", ordinary.map(bytes)),
            row(
                "  of it padding",
                ordinary.map(|mean| bytes(mean.map(|mean| mean - fixed))),
            ),
            number(
                "messages with a key agreement",
                self.count(&By::Sender, "firsts"),
            ),
            row("  overhead, mean", firsts.map(bytes)),
            row(
                "to seal a line, median",
                [0, 1].map(|way| time(&self.courses[way].seal_nanos)),
            ),
            row(
                "to open a message, median",
                [0, 1].map(|way| time(&self.courses[way].open_nanos)),
            ),
            number("commits of the sender", self.count(&By::Sender, "commits")),
            row(
                "  one commit, median",
                [0, 1].map(|way| time(&self.courses[way].commit_nanos)),
            ),
        ]);
        rows
    }

    fn count(&self, by: &By, key: &str) -> [u64; 2] {
        let of = |role: Role, key: &str| self.totals[role as usize].of(key);
        match by {
            By::Sender => [of(Role::Alice, key), of(Role::Bob, key)],
            By::Recipient => [of(Role::Bob, key), of(Role::Alice, key)],
            By::Relay => {
                ["bob", "alice"].map(|mailbox| of(Role::Relay, &format!("{mailbox}:{key}")))
            }
        }
    }

    /// Every kind of refusal that anybody counted.
    fn refusals(&self) -> Vec<String> {
        let all = self.totals.iter().flat_map(Counts::iter);
        let kinds = all.filter_map(|(name, _)| name.strip_prefix("refused:"));
        let mut kinds: Vec<String> = kinds.map(str::to_owned).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// Bytes of a message that are not the app's text, on average over one kind of messages.
    fn overhead(&self, kind: &str) -> [Option<f64>; 2] {
        let messages = self.count(&By::Sender, kind);
        let bytes = self.count(&By::Sender, &format!("overhead_of_{kind}"));
        [0, 1].map(|way| (messages[way] > 0).then(|| bytes[way] as f64 / messages[way] as f64))
    }
}

fn short_hash(text: &[u8]) -> String {
    format!("{}…", hex::encode(&sha256(&[text])[..7]))
}

fn bytes(mean: Option<f64>) -> String {
    mean.map_or("-".to_owned(), |mean| format!("{mean:.0} B"))
}

fn time(nanos: &[u64]) -> String {
    match median(nanos) {
        None => "-".to_owned(),
        Some(nanos) if nanos < 1_000_000 => format!("{:.1} µs", nanos as f64 / 1e3),
        Some(nanos) => format!("{:.1} ms", nanos as f64 / 1e6),
    }
}

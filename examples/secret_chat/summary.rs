//! The closing table: what was counted and measured, by whoever saw it.

use std::collections::BTreeMap;

use subrosa::crypto::hash::sha256;
use subrosa::envelope::ENVELOPE;
use subrosa::ratchet::FRAME_OVERHEAD;

use crate::actors::Role;
use crate::counts::Counts;
use crate::course::{Course, Verdict, median};
use crate::screen::thousands;

/// What a device puts in front of a text, without device lists.
const HEAD: usize = 1;

/// What each process has counted and measured. They tell it as they go, so that a kill takes away what one of them
/// counted since it last did, and no more.
#[derive(Default)]
pub struct Counted(BTreeMap<Role, Numbers>);

#[derive(Default)]
pub struct Numbers {
    pub counts: Counts,
    /// To seal one copy, and to open one message: with what is decrypted and encrypted for the store, and without the
    /// store's own time; one commit.
    pub seal_nanos: Vec<u64>,
    pub open_nanos: Vec<u64>,
    pub commit_nanos: Vec<u64>,
}

impl Counted {
    pub fn of(&mut self, role: Role) -> &mut Numbers {
        self.0.entry(role).or_default()
    }

    fn count(&self, role: Role, name: &str) -> u64 {
        self.0
            .get(&role)
            .map_or(0, |numbers| numbers.counts.of(name))
    }

    /// How often somebody has seen a device that was set back.
    pub fn forks(&self) -> u64 {
        let forks = ["forks", "opened_forked", "refused:Forked"];
        let of = |numbers: &Numbers| {
            forks
                .map(|name| numbers.counts.of(name))
                .iter()
                .sum::<u64>()
        };
        self.0.values().map(of).sum()
    }
}

/// Where the numbers come from: the texts that were shown, and what the processes have counted.
pub struct Summary<'a> {
    pub lines: &'a [&'static [u8]],
    /// From Alice and from Bob: to each other, then to Alice's laptop.
    pub courses: &'a [Course; 4],
    pub counted: &'a Counted,
    /// The addresses of Alice and Bob, as the relay counts.
    pub senders: [String; 2],
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
    ("  lines, a copy for each device", By::Sender, "lines"),
    ("  reports: read, missing", By::Sender, "reports"),
    ("sent again, asked for", By::Sender, "lines_asked"),
    ("sent again, unasked", By::Sender, "lines_probed"),
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
];

impl Summary<'_> {
    pub fn rows(&self, verdicts: &[Verdict; 4]) -> Vec<TableRow> {
        let row = |name: &str, values: [String; 2]| (name.to_owned(), values);
        let number = |name: &str, values: [u64; 2]| row(name, values.map(thousands));
        let verdict = |name: &str, ways: [usize; 2], of: fn(&Verdict) -> usize| {
            number(name, ways.map(|way| of(&verdicts[way]) as u64))
        };
        let text = self.lines.concat();
        let (across, laptop) = ([0, 1], [2, 3]);
        let read = |ways: [usize; 2]| ways.map(|way| short_hash(&self.courses[way].text()));
        let mut rows = vec![
            row("", ["alice → bob".to_owned(), "bob → alice".to_owned()]),
            number("lines", [self.lines.len() as u64; 2]),
            verdict("  lost", across, |verdict| verdict.lost),
            verdict("  altered", across, |verdict| verdict.altered),
            verdict("  shown twice", across, |verdict| verdict.twice),
            number(
                "lines on alice's laptop",
                laptop.map(|way| self.courses[way].shown.len() as u64),
            ),
            verdict("  lost", laptop, |verdict| verdict.lost),
            verdict("  altered", laptop, |verdict| verdict.altered),
            verdict("  shown twice", laptop, |verdict| verdict.twice),
            row("SHA-256 of the text", [0, 1].map(|_| short_hash(&text))),
            row("SHA-256 of what was read", read(across)),
            row("  on the laptop", read(laptop)),
        ];
        for (name, by, key) in COUNTED {
            rows.push(number(name, self.count(by, key)));
        }
        for kind in self.refusals() {
            let count = self.count(&By::Recipient, &format!("refused:{kind}"));
            rows.push(number(&format!("refused: {kind}"), count));
        }
        let (ordinary, firsts) = (self.overhead("ordinary"), self.overhead("firsts"));
        let fixed = (ENVELOPE + FRAME_OVERHEAD + HEAD) as f64;
        let median = |of: fn(&Numbers) -> &Vec<u64>, roles: [Role; 2]| {
            roles.map(|role| time(self.counted.0.get(&role).map_or(&[], |numbers| of(numbers))))
        };
        let (senders, recipients) = ([Role::Alice, Role::Bob], [Role::Bob, Role::Alice]);
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
                "to seal a message, median",
                median(|numbers| &numbers.seal_nanos, senders),
            ),
            row(
                "to open a message, median",
                median(|numbers| &numbers.open_nanos, recipients),
            ),
            number("commits of the sender", self.count(&By::Sender, "commits")),
            row(
                "  one commit, median",
                median(|numbers| &numbers.commit_nanos, senders),
            ),
        ]);
        rows
    }

    fn count(&self, by: &By, key: &str) -> [u64; 2] {
        let of = |role| self.counted.count(role, key);
        match by {
            By::Sender => [of(Role::Alice), of(Role::Bob)],
            By::Recipient => [of(Role::Bob), of(Role::Alice)],
            By::Relay => [0, 1].map(|way| {
                let key = format!("{}:{key}", self.senders[way]);
                self.counted.count(Role::Relay, &key)
            }),
        }
    }

    /// Every kind of refusal that Alice or Bob has counted.
    fn refusals(&self) -> Vec<String> {
        let all = self.counted.0.values();
        let names = all.flat_map(|numbers| numbers.counts.iter());
        let kinds = names.filter_map(|(name, _)| name.strip_prefix("refused:"));
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

//! The same work in groups of subrosa and of OpenMLS, in one process and one run: `cargo bench -p subrosa-interop --bench groups`
//! prints the table.
//!
//! Numbers behind `--` say how large the groups are: `-- 100000`. Some works of the peer grow with the square of that: it is left
//! out of groups of more than 10,000 members, unless `--peer=100000` says otherwise.
//!
//! What is counted is CPU time of the process: the peer has threads. Criterion does a work eleven times at least, and some take
//! a minute; here a work is done until it has taken a third of a second, three times at least, and once if it takes seconds.
//! As with criterion, without `--bench` everything is done once.

#[path = "groups/group.rs"]
mod group;
#[path = "groups/library.rs"]
mod library;
#[path = "groups/ours.rs"]
mod ours;
#[path = "groups/report.rs"]
mod report;
#[path = "groups/theirs.rs"]
mod theirs;
#[path = "groups/work.rs"]
mod work;

use std::env;

use ours::Ours;
use report::Report;
use theirs::Theirs;
use work::Patience;

/// The groups that are measured.
const MEMBERS: [u32; 5] = [2, 10, 100, 1_000, 10_000];

/// Members up to which the peer does the same.
const PEER: u32 = 10_000;

/// What is asked for.
struct Asked {
    measured: bool,
    members: Vec<u32>,
    peer: u32,
}

impl Asked {
    fn read(arguments: impl Iterator<Item = String>) -> Self {
        let mut asked = Self {
            measured: false,
            members: Vec::new(),
            peer: PEER,
        };
        let mut is_test = false;
        for argument in arguments {
            match (argument.as_str(), argument.strip_prefix("--peer=")) {
                (_, Some(peer)) => asked.peer = number(peer),
                ("--bench", _) => asked.measured = true,
                ("--test", _) => is_test = true,
                (members, _) => asked.members.push(number(members)),
            }
        }
        asked.measured &= !is_test;
        if asked.members.is_empty() {
            let count = if asked.measured { MEMBERS.len() } else { 2 };
            asked.members.extend(&MEMBERS[..count]);
        }
        asked
    }
}

fn number(text: &str) -> u32 {
    let number = text.replace(['_', ','], "").parse();
    number.unwrap_or_else(|why| panic!("{text}: no number of members: {why}"))
}

fn main() {
    let asked = Asked::read(env::args().skip(1));
    let patience = match asked.measured {
        true => Patience::UNTIL_KNOWN,
        false => Patience::ONCE,
    };
    let mut report = Report::default();
    for members in asked.members {
        eprintln!("{members} members");
        let with_peer = members <= asked.peer;
        work::founded::<Ours>(members, patience, &mut report);
        if with_peer {
            work::founded::<Theirs>(members, patience, &mut report);
        }
        let (ours, theirs) = group::filled(members, with_peer, &mut report);
        work::lived_in(ours, members, patience, &mut report);
        if let Some(theirs) = theirs {
            work::lived_in(theirs, members, patience, &mut report);
        }
    }
    print!("{}", report.markdown());
}

//! The same work in groups of subrosa and of OpenMLS, in one process and one run: `cargo bench -p subrosa-interop --bench groups`
//! prints the table.
//!
//! `MEMBERS=10,100000` says how large the groups are. Some works of the peer grow with the square of that: adding all in one
//! commit is left out in groups of more than `PEER_ADDS` members, 10,000 unless said otherwise, where it takes a minute.
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

/// A number of members, or many of them, by the name of a variable.
fn numbers(variable: &str, otherwise: &[u32]) -> Vec<u32> {
    let Ok(text) = env::var(variable) else {
        return otherwise.to_vec();
    };
    let number = |text: &str| text.trim().replace('_', "").parse();
    let all: Result<Vec<u32>, _> = text.split(',').map(number).collect();
    all.unwrap_or_else(|why| panic!("{variable}={text}: {why}"))
}

fn main() {
    let measured = env::args().any(|argument| argument == "--bench")
        && env::args().all(|argument| argument != "--test");
    let (patience, otherwise) = match measured {
        true => (Patience::UNTIL_KNOWN, &MEMBERS[..]),
        false => (Patience::ONCE, &MEMBERS[..2]),
    };
    let peer_adds = numbers("PEER_ADDS", &[10_000])[0];
    let mut report = Report::default();
    for members in numbers("MEMBERS", otherwise) {
        eprintln!("{members} members");
        work::founded::<Ours>(members, patience, &mut report);
        if members <= peer_adds {
            work::founded::<Theirs>(members, patience, &mut report);
        }
        let (ours, theirs) = group::filled(members, &mut report);
        work::lived_in(ours, members, patience, &mut report);
        work::lived_in(theirs, members, patience, &mut report);
    }
    print!("{}", report.markdown());
}

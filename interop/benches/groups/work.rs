//! What is measured.

use std::hint::black_box;
use std::time::Duration;

use subrosa_interop::cpu_time;
use subrosa_interop::table::median;

use crate::group::Two;
use crate::library::{Change, Library};
use crate::ours::Ours;
use crate::report::Report;

pub const ADD_ALL: &str = "all others added by one commit, tree in the Welcome";
pub const JOIN: &str = "joined by that Welcome, all signatures verified";
pub const JOIN_FILLED: &str = "the same, every parent with a key";
pub const UPDATE: &str = "update commit, made and merged";
pub const PROCESS: &str = "update commit, processed and merged";
pub const ADD_ONE: &str = "commit that adds one, tree apart";
pub const REMOVE_ONE: &str = "commit that removes one";
pub const SEAL: &str = "message of 64 B, sealed";
pub const OPEN: &str = "message of 64 B, opened";
/// All that take time, in the order of the table.
pub const TIMES: [&str; 9] = [
    ADD_ALL,
    JOIN,
    JOIN_FILLED,
    UPDATE,
    PROCESS,
    ADD_ONE,
    REMOVE_ONE,
    SEAL,
    OPEN,
];
pub const UPDATE_BYTES: &str = "bytes of an update commit";

/// Messages that are sealed, and then opened, without a look at the clock.
const BURST: u32 = 16;

/// How often a work is done.
#[derive(Clone, Copy)]
pub struct Patience {
    least: usize,
    until: Duration,
}

impl Patience {
    pub const ONCE: Self = Self {
        least: 1,
        until: Duration::ZERO,
    };
    pub const UNTIL_KNOWN: Self = Self {
        least: 3,
        until: Duration::from_millis(300),
    };

    /// After which time once is enough.
    const LONG: Duration = Duration::from_secs(3);

    /// The median times of the parts of a work.
    fn medians<const N: usize>(self, mut work: impl FnMut() -> [Duration; N]) -> [Duration; N] {
        let mut samples = Vec::new();
        let mut spent = Duration::ZERO;
        while spent < Self::LONG && (samples.len() < self.least || spent < self.until) {
            let sample = work();
            spent += sample.iter().sum();
            samples.push(sample);
        }
        std::array::from_fn(|part| {
            let times = samples.iter().map(|sample| sample[part].as_secs_f64());
            Duration::from_secs_f64(median(&times.collect::<Vec<_>>()))
        })
    }
}

/// What `work` gives, and the CPU time that it takes in all threads.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = cpu_time::of_process();
    let result = black_box(work());
    (result, cpu_time::of_process() - start)
}

/// A group of `members` that its founder makes by one commit, and that one of them joins.
pub fn founded<L: Library>(members: u32, patience: Patience, report: &mut Report) {
    let others = (2..members).map(|number| Ours::newcomer(&format!("member {number}")));
    let mut key_packages: Vec<_> = others.map(|other| Ours::key_package(&other)).collect();
    key_packages.push(Vec::new());
    let [add_all, join] = patience.medians(|| {
        let mut founder = L::create("founder");
        let joiner = L::newcomer("who joins");
        if let Some(last) = key_packages.last_mut() {
            *last = L::key_package(&joiner);
        }
        let (sent, add_all) = timed(|| {
            let sent = L::commit(&mut founder, &Change::Add(&key_packages, true));
            L::merge(&mut founder);
            sent
        });
        let welcome = sent.welcome.expect("a Welcome");
        let (member, join) = timed(|| L::join(joiner, &welcome));
        assert_eq!(L::authenticator(&member), L::authenticator(&founder));
        [add_all, join]
    });
    report.time(ADD_ALL, L::NAME, members, add_all);
    report.time(JOIN, L::NAME, members, join);
}

/// What two members of a large group do.
pub fn lived_in<L: Library>(two: Two<L>, members: u32, patience: Patience, report: &mut Report) {
    let Two {
        mut speaker,
        mut reader,
    } = two;
    let mut bytes = 0;
    let [update, process] = patience.medians(|| {
        let (sent, update) = timed(|| {
            let sent = L::commit(&mut speaker, &Change::Nothing);
            L::merge(&mut speaker);
            sent
        });
        bytes = sent.commit.len();
        let ((), process) = timed(|| L::take(&mut reader, &sent.commit));
        [update, process]
    });
    assert_eq!(L::authenticator(&speaker), L::authenticator(&reader));
    report.time(UPDATE, L::NAME, members, update);
    report.time(PROCESS, L::NAME, members, process);
    report.bytes(UPDATE_BYTES, L::NAME, members, bytes);

    let text = [b'x'; 64];
    let [seal, open] = patience.medians(|| {
        let mut seal = || L::seal(&mut speaker, black_box(&text));
        let (messages, seal) = timed(|| (0..BURST).map(|_| seal()).collect::<Vec<_>>());
        let open = |message: &Vec<u8>| L::open(&mut reader, message);
        let (texts, open) = timed(|| messages.iter().map(open).collect::<Vec<_>>());
        assert!(texts.iter().all(|read| *read == text));
        [seal / BURST, open / BURST]
    });
    report.time(SEAL, L::NAME, members, seal);
    report.time(OPEN, L::NAME, members, open);

    let key_packages = [L::key_package(&L::newcomer("one more"))];
    let changes = [
        (ADD_ONE, Change::Add(&key_packages, false)),
        (REMOVE_ONE, Change::Remove(members.saturating_sub(3).max(1))),
    ];
    for (name, change) in changes {
        let [time] = patience.medians(|| {
            let (_, time) = timed(|| L::commit(&mut speaker, &change));
            L::clear(&mut speaker);
            [time]
        });
        report.time(name, L::NAME, members, time);
    }
}

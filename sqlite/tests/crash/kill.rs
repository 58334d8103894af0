//! S1 and S2: the process ends. Every commit that was reported is there, with at most the one that was under way, whole.

use std::thread;
use std::time::{Duration, Instant};

use subrosa_sqlite::Durability;

use super::child::{Child, RESTING, Report, STEPS, Task};
use super::folder::Folder;
use super::judge::{DURABILITIES, judge, open};
use super::random::{Random, rounds};
use super::series::{Contents, Series};

fn task(durability: Durability, seed: u64) -> Task {
    Task {
        durability,
        series: Series { seed },
        last: 40,
        rest: 7,
        rival: false,
    }
}

/// What a copy of what is left holds: the next process finds the original as the last one has left it.
fn judge_copy(folder: &Folder, durability: Durability, expected: &[Contents]) -> u64 {
    let copy = Folder::with(&folder.read());
    let mut store = open(&copy, durability);
    match judge(&copy, &mut store, expected) {
        Ok(generation) => generation,
        Err(why) => panic!("{durability:?}: {why}"),
    }
}

/// The generation that was reported last.
fn reported(before: u64, reports: &[Report]) -> u64 {
    let last = reports.iter().rev().find_map(|report| match report {
        Report::Opened(generation) | Report::Committed(generation) => Some(*generation),
        Report::Closed => None,
        other => panic!("{other:?}"),
    });
    last.unwrap_or(before)
}

/// One file lives through many processes.
#[test]
fn attack_s2_process_is_killed_at_any_moment() {
    let mut random = Random::new("killed at any moment");
    let (mut kills, mut under_way) = (0, 0);
    for round in 0..rounds(12) {
        let durability = DURABILITIES[round % 2];
        let task = Task {
            last: 120,
            ..task(durability, random.next())
        };
        let expected = task.series.contents(task.last);
        let folder = Folder::new();
        let mut generation = 0;
        while generation < task.last {
            let mut child = Child::start(&folder.file(), task);
            let mut reports = vec![child.report().expect("it is not killed before")];
            assert_eq!(
                reports,
                [Report::Opened(generation)],
                "it finds what was judged"
            );
            for _ in 0..random.below(4) {
                reports.extend(child.report());
            }
            let moment = Duration::from_micros(random.next() % 600);
            let since = Instant::now();
            // A sleep would be as long as the system likes.
            while since.elapsed() < moment {
                thread::yield_now();
            }
            child.kill();
            reports.extend(child.reports());
            let closed = reports.last() == Some(&Report::Closed);
            let killed = !child.wait().success();
            let known = reported(generation, &reports);
            generation = judge_copy(&folder, durability, &expected);
            assert!(
                generation == known || generation == known + 1,
                "generation {generation}, {known} was reported"
            );
            assert!(killed || closed);
            kills += usize::from(killed);
            under_way += usize::from(generation > known);
        }
        assert_eq!(generation, task.last);
    }
    println!("{kills} kills, {under_way} of them between a commit and its report");
    assert!(kills >= rounds(60), "only {kills} kills");
}

#[test]
fn attack_s2_process_ends_at_every_step() {
    let mut ends = 0;
    for durability in DURABILITIES {
        for rest in [1, 3] {
            let task = Task {
                rest,
                last: 9,
                ..task(durability, rest)
            };
            let expected = task.series.contents(task.last);
            for generation in 0..task.last {
                let rests = (generation + 1).is_multiple_of(rest);
                let steps = STEPS.iter().chain(RESTING.iter().filter(|_| rests));
                for step in steps {
                    let folder = Folder::new();
                    let mut child = Child::start_to_end(&folder.file(), task, step, generation);
                    let reports = child.reports();
                    assert!(
                        !child.wait().success(),
                        "{step} {generation}: it did not end"
                    );
                    let after = generation + u64::from(*step != STEPS[0]);
                    let known = after - u64::from(*step == STEPS[1]);
                    assert_eq!(reported(0, &reports), known, "{step} {generation}");
                    assert_eq!(
                        judge_copy(&folder, durability, &expected),
                        after,
                        "{step} {generation}"
                    );
                    ends += 1;
                }
            }
        }
    }
    println!("{ends} ends");
    assert!(ends > 150, "only {ends} ends");
}

/// The system kills the process in the middle of a write, of which a part is written: to the log, and to the file while the
/// log is moved into it.
#[test]
fn attack_s1_torn_write_ends_the_process() {
    const BLOCK: usize = 512;
    let mut random = Random::new("torn write");
    let (mut early, mut in_log, mut in_file) = (0, 0, 0);
    for round in 0..rounds(160) {
        let durability = DURABILITIES[round % 2];
        // A log that is never emptied gets longer than the file; one that is emptied in every generation does not.
        let (rest, blocks) = match round / 2 % 2 {
            0 => (0, random.below(900)),
            _ => (1, 70 + random.below(250)),
        };
        let task = Task {
            rest,
            ..task(durability, random.next())
        };
        let expected = task.series.contents(task.last);
        let folder = Folder::new();
        let mut child = Child::start_with_limit(&folder.file(), task, blocks, false);
        let reports = child.reports();
        if child.wait().success() {
            assert_eq!(
                reports.last(),
                Some(&Report::Closed),
                "no file became that long"
            );
            continue;
        }
        let known = reported(0, &reports);
        let files = folder.try_read();
        let copy = Folder::with(&files);
        let mut store = open(&copy, durability);
        let generation = judge(&copy, &mut store, &expected).expect("whole");
        assert!(
            generation == known || generation == known + 1,
            "generation {generation}, {known} was reported"
        );
        match blocks * BLOCK {
            limit if files.log.len() == limit => in_log += 1,
            limit if files.file.len() == limit => in_file += 1,
            _ => early += 1,
        }
    }
    println!("ended in the log {in_log}, in the file {in_file}, before there was either {early}");
    assert!(in_log >= rounds(60) && in_file >= rounds(20));
}

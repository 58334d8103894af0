//! S6: two processes on one file.

use subrosa_sqlite::Durability;

use super::child::{Child, Report, Task};
use super::folder::Folder;
use super::judge::{DURABILITIES, judge, open};
use super::random::{Random, rounds};
use super::series::Series;

fn task(durability: Durability, seed: u64) -> Task {
    Task {
        durability,
        series: Series { seed },
        last: u64::MAX,
        rest: 0,
        rival: true,
    }
}

#[test]
fn attack_s6_two_processes_commit_on_one_generation() {
    const COMMITS: u64 = 60;
    let mut random = Random::new("rivals");
    let mut won = [0; 2];
    for round in 0..rounds(4) {
        let durability = DURABILITIES[round % 2];
        let folder = Folder::new();
        let tasks = [
            task(durability, random.next()),
            task(durability, random.next()),
        ];
        // They make the file together.
        let mut children = tasks.map(|task| Child::start(&folder.file(), task));
        for child in &mut children {
            assert_eq!(child.report(), Some(Report::Opened(0)));
        }
        let mut contents = std::collections::BTreeMap::new();
        for base in 0..COMMITS {
            children.iter_mut().for_each(|child| child.order(base));
            let reports = children
                .each_mut()
                .map(|child| child.report().expect("it goes on"));
            let stale = Report::Refused("Stale".to_owned());
            let winner = match &reports {
                [Report::Committed(generation), other] if *other == stale => (0, *generation),
                [other, Report::Committed(generation)] if *other == stale => (1, *generation),
                other => panic!("{other:?}"),
            };
            assert_eq!(winner.1, base + 1);
            won[winner.0] += 1;
            let batch = tasks[winner.0].series.batch(base);
            for key in &batch.deletes {
                contents.remove(key);
            }
            contents.extend(batch.puts);
            // Of the other one nothing is stored.
            let expected: Vec<_> = (0..=base)
                .map(|_| Default::default())
                .chain([contents.clone()])
                .collect();
            let mut store = open(&folder, durability);
            assert_eq!(judge(&folder, &mut store, &expected), Ok(base + 1));
        }
        for child in children {
            assert!(child.wait().success());
        }
    }
    println!("won: {won:?}");
    assert!(won.iter().all(|won| *won > 0), "they were rivals: {won:?}");
}

/// One of two processes on a file is killed; the other one goes on.
#[test]
fn attack_s6_rival_is_killed() {
    let mut random = Random::new("a rival is killed");
    for round in 0..rounds(20) {
        let durability = DURABILITIES[round % 2];
        let folder = Folder::new();
        let seed = random.next();
        let task = task(durability, seed);
        let mut children = [
            Child::start(&folder.file(), task),
            Child::start(&folder.file(), task),
        ];
        for child in &mut children {
            assert_eq!(child.report(), Some(Report::Opened(0)));
        }
        let [mut killed, mut other] = children;
        let rounds = 2 + random.next() % 6;
        for base in 0..rounds {
            killed.order(base);
            assert_eq!(killed.report(), Some(Report::Committed(base + 1)));
        }
        // In the middle of a commit, perhaps.
        killed.order(rounds);
        for _ in 0..random.below(2_000) {
            std::hint::spin_loop();
        }
        killed.kill();
        let done = killed.reports().len();
        assert!(!killed.wait().success());
        // The same batch: whoever of them it was that committed it.
        other.order(rounds);
        match other.report() {
            Some(Report::Committed(generation)) => assert_eq!((generation, done), (rounds + 1, 0)),
            Some(Report::Refused(how)) => assert_eq!(how, "Stale"),
            report => panic!("{report:?}"),
        }
        let expected = task.series.contents(rounds + 2);
        other.order(rounds + 1);
        assert_eq!(other.report(), Some(Report::Committed(rounds + 2)));
        let mut store = open(&folder, durability);
        assert_eq!(judge(&folder, &mut store, &expected), Ok(rounds + 2));
        assert!(other.wait().success());
    }
}

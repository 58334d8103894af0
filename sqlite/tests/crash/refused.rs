//! S7: what cannot be stored is refused, and changes nothing.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use subrosa::device::store::{Commit, Store};
use subrosa_sqlite::{Durability, Error};

use super::child::{Child, Report, Task};
use super::folder::Folder;
use super::judge::{DURABILITIES, commit, judge, open};
use super::random::{Random, rounds};
use super::series::Series;

/// The system refuses any write beyond a length: in the log, or in the file while the log is moved into it.
#[test]
fn attack_s7_file_cannot_grow() {
    const BLOCKS: usize = 900;
    let mut random = Random::new("cannot grow");
    let mut outcomes = [0; 3];
    for round in 0..rounds(60) {
        let task = Task {
            durability: DURABILITIES[round % 2],
            series: Series {
                seed: random.next(),
            },
            last: 40,
            rest: 0,
            rival: false,
        };
        let expected = task.series.contents(task.last);
        let folder = Folder::new();
        let blocks = 64 + random.below(BLOCKS);
        let mut child = Child::start_with_limit(&folder.file(), task, blocks, true);
        let reports = child.reports();
        assert!(child.wait().success());
        let mut known = 0;
        let mut refused = None;
        for report in &reports {
            match report {
                Report::Opened(generation) | Report::Committed(generation) => known = *generation,
                Report::Refused(how) => refused = Some(&**how),
                Report::NotOpened { unsuitable } => assert!(!unsuitable),
                other => panic!("{other:?}"),
            }
        }
        let copy = Folder::with(&folder.try_read());
        let mut store = open(&copy, task.durability);
        let generation = judge(&copy, &mut store, &expected).expect("whole");
        let outcome = match refused {
            // The file could not even be made.
            None => {
                assert_eq!((generation, known), (0, 0));
                0
            }
            Some("Failed") => {
                assert_eq!(generation, known);
                1
            }
            Some("Unknown") => {
                assert!(
                    generation == known || generation == known + 1,
                    "{generation}, {known}"
                );
                2
            }
            other => panic!("{other:?}"),
        };
        outcomes[outcome] += 1;
    }
    println!(
        "not made {}, Failed {}, Unknown {}",
        outcomes[0], outcomes[1], outcomes[2]
    );
    assert!(outcomes[2] > 0, "{outcomes:?}");
}

#[test]
fn attack_s7_store_that_is_locked_for_too_long() {
    for durability in DURABILITIES {
        let series = Series { seed: 5 };
        let expected = series.contents(6);
        let folder = Folder::new();
        let mut store = open(&folder, durability);
        store.set_busy_timeout(Duration::from_millis(20)).unwrap();
        let mut other = Connection::open(folder.file()).unwrap();
        // Before the mark is written, and after it.
        for base in [0, 1, 5] {
            while store.generation() != Ok(base) {
                let next = store.generation().unwrap();
                commit(&mut store, series, next..next + 1);
            }
            let lock = other
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .unwrap();
            let batch = series.batch(base);
            assert_eq!(
                store.commit(base, &batch.puts, &batch.deletes),
                Commit::Failed
            );
            assert_eq!(
                judge(&folder, &mut store, &expected),
                Ok(base),
                "it can be read meanwhile"
            );
            drop(lock);
            assert_eq!(judge(&folder, &mut store, &expected), Ok(base));
            commit(&mut store, series, base..base + 1);
        }
        assert_eq!(judge(&folder, &mut store, &expected), Ok(6));
    }
}

/// A reader keeps the log from being emptied, and nothing else from being done.
#[test]
fn store_that_others_read_goes_on() {
    let series = Series { seed: 6 };
    let expected = series.contents(5);
    let folder = Folder::new();
    let mut store = open(&folder, Durability::Full);
    commit(&mut store, series, 0..2);
    let mut other = Connection::open(folder.file()).unwrap();
    let reading = other.transaction().unwrap();
    let of = |reading: &Connection| {
        reading.query_row("SELECT generation FROM store", [], |row| row.get(0))
    };
    assert_eq!(of(&reading), Ok(2));
    store.set_busy_timeout(Duration::from_millis(20)).unwrap();
    commit(&mut store, series, 2..4);
    assert!(matches!(store.checkpoint(), Err(Error::Busy)));
    assert_eq!(of(&reading), Ok(2));
    commit(&mut store, series, 4..5);
    assert_eq!(judge(&folder, &mut store, &expected), Ok(5));
    drop(reading);
    store.checkpoint().unwrap();
    assert!(folder.read().log.is_empty());
}

/// Seen by a process that may read the file, and not write it.
#[test]
fn attack_s7_file_that_must_not_be_written() {
    let series = Series { seed: 7 };
    let folder = Folder::new();
    let mut store = open(&folder, Durability::Full);
    commit(&mut store, series, 0..3);
    store.close().unwrap();
    let before = folder.read();
    let root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    // Whoever the other process is, it can read this program. (Written by this process, it would be busy: others are
    // started meanwhile, and have what this one has open.)
    let program = folder.path().join("program");
    let copied = Command::new("cp")
        .arg(env::current_exe().unwrap())
        .arg(&program)
        .status();
    assert!(copied.unwrap().success());
    for name in ["store", "store-wal", "store-shm"] {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o444)).unwrap();
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new(program);
    if root {
        command.uid(65_534).gid(65_534);
    }
    let task = Task {
        durability: Durability::Full,
        series,
        last: 5,
        rest: 0,
        rival: false,
    };
    let mut child = Child::run(command, &folder.file(), task, "");
    assert_eq!(child.reports(), [Report::NotOpened { unsuitable: true }]);
    assert!(child.wait().success());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(folder.read() == before);
}

/// A file system that is full; there is none of its own for tests.
#[test]
#[ignore = "SUBROSA_SMALL_DISK names a folder on an empty file system of a megabyte or so"]
fn attack_s7_full_disk() {
    let place = env::var_os("SUBROSA_SMALL_DISK").expect("SUBROSA_SMALL_DISK names a folder");
    let place = std::path::PathBuf::from(place);
    let mut outcomes = Vec::new();
    for durability in DURABILITIES {
        for filling in (0..60).map(|number| 300_000 + number * 5_000) {
            let folder = Folder::within(&place);
            let series = Series {
                seed: filling as u64,
            };
            let expected = series.contents(300);
            let mut store = open(&folder, durability);
            commit(&mut store, series, 0..2);
            let stone = folder.path().join("stone");
            fs::write(&stone, vec![1; filling]).unwrap();
            let mut generation = 2;
            let outcome = loop {
                let batch = series.batch(generation);
                match store.commit(generation, &batch.puts, &batch.deletes) {
                    Commit::Committed => generation += 1,
                    outcome => break outcome,
                }
            };
            outcomes.push(outcome);
            match outcome {
                Commit::Failed => {
                    assert_eq!(judge(&folder, &mut store, &expected), Ok(generation));
                    // Whoever recovers the log finds the same.
                    let copy = Folder::with(&folder.read());
                    let mut recovered = open(&copy, durability);
                    assert_eq!(judge(&copy, &mut recovered, &expected), Ok(generation));
                    // Somebody makes room, and it goes on.
                    fs::remove_file(&stone).unwrap();
                    commit(&mut store, series, generation..generation + 1);
                    assert_eq!(judge(&folder, &mut store, &expected), Ok(generation + 1));
                }
                Commit::Unknown => {
                    let batch = series.batch(generation);
                    assert_eq!(
                        store.commit(generation, &batch.puts, &batch.deletes),
                        Commit::Failed
                    );
                    assert!(store.generation().is_err() && store.get(&Series::key(0)).is_err());
                    drop(store);
                    fs::remove_file(&stone).unwrap();
                    let mut store = open(&folder, durability);
                    let found = judge(&folder, &mut store, &expected).expect("whole");
                    assert!(found == generation || found == generation + 1);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let failed = outcomes
        .iter()
        .filter(|outcome| **outcome == Commit::Failed)
        .count();
    println!("Failed {failed}, Unknown {}", outcomes.len() - failed);
}

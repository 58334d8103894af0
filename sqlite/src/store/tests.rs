//! Outcomes that need a hand on the connection, and every case of the mark.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const FULL: Durability = Durability::Full;
const EARLIER: Durability = Durability::Normal { boot: [1; 16] };
const NOW: Durability = Durability::Normal { boot: [2; 16] };

/// A folder that is gone with its value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("subrosa-sqlite-unit-{}-{number}", process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("store")
    }

    fn log(&self) -> PathBuf {
        self.0.join("store-wal")
    }

    /// As a process that was killed leaves them: a copy of the files as they are.
    fn copy(&self) -> Self {
        let copy = Self::new();
        for (from, to) in [(self.file(), copy.file()), (self.log(), copy.log())] {
            fs::copy(from, to).unwrap();
        }
        copy
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn whole(opened: Opened) -> SqliteStore {
    match opened {
        Opened::Whole(store) => store,
        Opened::MayHaveLost(_) => panic!("nothing was lost"),
    }
}

fn may_have_lost(opened: Opened) -> SqliteStore {
    match opened {
        Opened::Whole(_) => panic!("something may have been lost"),
        Opened::MayHaveLost(store) => store,
    }
}

fn open(folder: &Folder, durability: Durability) -> SqliteStore {
    whole(SqliteStore::open(folder.file(), durability).unwrap())
}

fn value(n: u8) -> (Key, Vec<u8>) {
    ([n; 16], vec![n; 100])
}

fn number(store: &SqliteStore, pragma: &str) -> i64 {
    let connection = store.connection.as_ref().unwrap();
    connection
        .pragma_query_value(None, pragma, |row| row.get(0))
        .unwrap()
}

fn mark(store: &SqliteStore) -> Mark {
    state(store.connection.as_ref().unwrap()).unwrap().1
}

#[test]
fn values_are_stored_replaced_and_deleted() {
    let folder = Folder::new();
    let mut store = open(&folder, FULL);
    assert_eq!(store.generation(), Ok(0));
    assert_eq!(
        store.commit(0, &[value(1), value(2)], &[]),
        Commit::Committed
    );
    assert_eq!(
        store.commit(1, &[([1; 16], vec![])], &[[2; 16], [3; 16]]),
        Commit::Committed
    );
    let check = |store: &mut SqliteStore| {
        assert_eq!(store.generation(), Ok(2));
        assert_eq!(store.get(&[1; 16]), Ok(Some(vec![])));
        assert_eq!(store.get(&[2; 16]), Ok(None));
        assert_eq!(store.get(&[3; 16]), Ok(None));
    };
    check(&mut store);
    store.close().unwrap();
    assert_eq!(
        fs::metadata(folder.log()).unwrap().len(),
        0,
        "all is in the file"
    );
    check(&mut open(&folder, FULL));
}

#[test]
fn commit_of_another_generation_is_stale_and_changes_nothing() {
    let folder = Folder::new();
    let (mut one, mut other) = (open(&folder, FULL), open(&folder, FULL));
    assert_eq!(one.commit(0, &[value(1)], &[]), Commit::Committed);
    for base in [0, 2, u64::MAX] {
        assert_eq!(other.commit(base, &[value(2)], &[[1; 16]]), Commit::Stale);
    }
    assert_eq!(other.generation(), Ok(1));
    assert_eq!(other.get(&[1; 16]), Ok(Some(vec![1; 100])));
    assert_eq!(other.get(&[2; 16]), Ok(None));
    assert_eq!(other.commit(1, &[value(2)], &[[1; 16]]), Commit::Committed);
    assert_eq!(one.get(&[1; 16]), Ok(None));
}

#[test]
fn last_generation_is_not_left() {
    let folder = Folder::new();
    let mut store = open(&folder, FULL);
    let last = i64::MAX.unsigned_abs();
    let connection = store.connection.as_ref().unwrap();
    execute(connection, ADVANCE, (last, Mark::Full)).unwrap();
    assert_eq!(store.commit(last, &[value(1)], &[]), Commit::Failed);
    assert_eq!(store.generation(), Ok(last));
    assert_eq!(store.get(&[1; 16]), Ok(None));
}

#[test]
fn connection_waits_for_the_disk_as_it_is_told() {
    const WAITS: i64 = 2;
    const WAITS_NOT: i64 = 1;
    let folder = Folder::new();
    let mut store = open(&folder, FULL);
    assert_eq!(store.commit(0, &[value(1)], &[]), Commit::Committed);
    assert_eq!(number(&store, "synchronous"), WAITS);
    assert_eq!(number(&store, "fullfsync"), 1);
    assert_eq!(number(&store, "checkpoint_fullfsync"), 1);
    drop(store);

    let mut store = open(&folder, NOW);
    assert_eq!(
        number(&store, "synchronous"),
        WAITS,
        "the mark is still to be written"
    );
    assert_eq!(mark(&store), Mark::Closed);
    assert_eq!(store.commit(1, &[value(1)], &[]), Commit::Committed);
    assert_eq!(number(&store, "synchronous"), WAITS_NOT);
    assert_eq!(mark(&store), Mark::Normal([2; 16]));
}

/// The mark is in the file itself, and not only in the log, before the first commit that it speaks of is anywhere.
#[test]
fn mark_is_in_the_file_before_the_first_commit() {
    for (durability, expected) in [(FULL, Mark::Full), (NOW, Mark::Normal([2; 16]))] {
        let folder = Folder::new();
        let mut store = open(&folder, durability);
        assert_eq!(store.commit(0, &[value(1)], &[]), Commit::Committed);
        let copy = folder.copy();
        fs::remove_file(copy.log()).unwrap();
        let connection = Connection::open(copy.file()).unwrap();
        assert_eq!(state(&connection).unwrap(), (0, expected));
    }
}

#[test]
fn store_that_was_closed_opens_whole_whatever_is_asked_for() {
    for first in [FULL, EARLIER] {
        for second in [FULL, EARLIER, NOW] {
            let folder = Folder::new();
            let mut store = open(&folder, first);
            assert_eq!(store.commit(0, &[value(1)], &[]), Commit::Committed);
            store.close().unwrap();
            let without_log = folder.copy();
            fs::remove_file(without_log.log()).unwrap();
            for folder in [folder, without_log] {
                let mut store = open(&folder, second);
                assert_eq!(store.commit(1, &[value(2)], &[]), Commit::Committed);
            }
        }
    }
}

#[test]
fn store_that_was_not_closed_opens_as_its_mark_says() {
    for (first, second, lost) in [
        (FULL, FULL, false),
        (FULL, NOW, false),
        (NOW, NOW, false),
        (EARLIER, NOW, true),
        (EARLIER, FULL, true),
    ] {
        let folder = Folder::new();
        let mut store = open(&folder, first);
        assert_eq!(store.commit(0, &[value(1)], &[]), Commit::Committed);
        let copy = folder.copy();
        let opened = SqliteStore::open(copy.file(), second).unwrap();
        let context = format!("{first:?}, then {second:?}");
        assert_eq!(matches!(opened, Opened::MayHaveLost(_)), lost, "{context}");
        drop(opened);

        // The power failed, and nothing is left of the log.
        let empty = folder.copy();
        fs::write(empty.log(), []).unwrap();
        let opened = SqliteStore::open(empty.file(), second).unwrap();
        assert_eq!(
            matches!(opened, Opened::MayHaveLost(_)),
            lost,
            "{context}, empty log"
        );
        drop(opened);

        // Somebody took the log away.
        fs::remove_file(copy.log()).unwrap();
        let without = folder.copy();
        fs::remove_file(without.log()).unwrap();
        for _ in 0..2 {
            let mut store = may_have_lost(SqliteStore::open(without.file(), second).unwrap());
            assert_eq!(store.generation(), Ok(0));
        }
    }
}

#[test]
fn store_that_may_have_lost_says_so_until_its_first_commit() {
    for second in [FULL, NOW] {
        let folder = Folder::new();
        let mut store = open(&folder, EARLIER);
        assert_eq!(store.commit(0, &[value(1)], &[]), Commit::Committed);
        let copy = folder.copy();
        // Neither to look at it nor to close it helps, nor does a commit that is refused.
        for _ in 0..2 {
            let mut store = may_have_lost(SqliteStore::open(copy.file(), second).unwrap());
            assert_eq!(store.get(&[1; 16]), Ok(Some(vec![1; 100])));
            assert_eq!(store.commit(7, &[value(2)], &[]), Commit::Stale);
            store.close().unwrap();
        }
        let mut store = may_have_lost(SqliteStore::open(copy.file(), second).unwrap());
        let killed = copy.copy();
        assert_eq!(store.commit(1, &[value(2)], &[]), Commit::Committed);
        assert_eq!(mark(&store), Mark::from(second));
        drop(may_have_lost(
            SqliteStore::open(killed.file(), second).unwrap(),
        ));
        drop(open(&copy.copy(), second));
        store.close().unwrap();
        drop(open(&copy, second));
    }
}

/// Two processes restore; the one whose commit is stale finds what the other one made of it.
#[test]
fn second_to_restore_is_stale_and_opens_whole() {
    let folder = Folder::new();
    let mut store = open(&folder, EARLIER);
    assert_eq!(store.commit(0, &[value(1)], &[]), Commit::Committed);
    let copy = folder.copy();
    let mut one = may_have_lost(SqliteStore::open(copy.file(), NOW).unwrap());
    let mut other = may_have_lost(SqliteStore::open(copy.file(), NOW).unwrap());
    assert_eq!(one.commit(1, &[value(2)], &[]), Commit::Committed);
    assert_eq!(other.commit(1, &[value(3)], &[]), Commit::Stale);
    drop(other);
    assert_eq!(
        open(&copy, NOW).commit(2, &[value(3)], &[]),
        Commit::Committed
    );
}

/// Else what the one that goes on commits would be lost without a word.
#[test]
fn store_that_goes_on_marks_the_file_anew_after_another_was_closed() {
    for durability in [FULL, NOW] {
        let folder = Folder::new();
        let mut goes_on = open(&folder, durability);
        assert_eq!(goes_on.commit(0, &[value(1)], &[]), Commit::Committed);
        for base in [1, 3] {
            let mut other = open(&folder, durability);
            assert_eq!(other.commit(base, &[value(2)], &[]), Commit::Committed);
            other.close().unwrap();
            assert_eq!(mark(&goes_on), Mark::Closed);
            assert_eq!(
                goes_on.commit(base + 1, &[value(3)], &[]),
                Commit::Committed
            );
            assert_eq!(mark(&goes_on), Mark::from(durability));
        }
        assert_eq!(goes_on.generation(), Ok(5));
    }
}

#[test]
fn file_of_somebody_else_is_refused_and_left_alone() {
    let folder = Folder::new();
    fs::write(
        folder.file(),
        b"This is a text, and it is longer than a header. ".repeat(100),
    )
    .unwrap();
    refused_unchanged(&folder, |error| matches!(error, Error::NotAStore));

    let folder = Folder::new();
    let connection = Connection::open(folder.file()).unwrap();
    connection
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);")
        .unwrap();
    drop(connection);
    refused_unchanged(&folder, |error| matches!(error, Error::NotAStore));

    // Marked by another program, and empty.
    let folder = Folder::new();
    let connection = Connection::open(folder.file()).unwrap();
    connection.pragma_update(None, "application_id", 7).unwrap();
    drop(connection);
    refused_unchanged(&folder, |error| matches!(error, Error::NotAStore));
}

#[test]
fn store_that_was_added_to_is_refused() {
    for sql in [
        "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END",
        "CREATE TABLE more (x)",
        "CREATE VIEW v AS SELECT * FROM entry",
        "DROP TABLE entry",
        "ALTER TABLE entry ADD COLUMN more ANY",
        "PRAGMA user_version = 0",
    ] {
        let folder = Folder::new();
        open(&folder, FULL).close().unwrap();
        let connection = Connection::open(folder.file()).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        refused_unchanged(&folder, |error| matches!(error, Error::NotAStore));
    }
}

#[test]
fn attack_s8_newer_format_is_refused_and_left_alone() {
    for format in [2_i32, 7, -1] {
        let folder = Folder::new();
        let mut store = open(&folder, FULL);
        assert_eq!(store.commit(0, &[value(1)], &[]), Commit::Committed);
        store.close().unwrap();
        let connection = Connection::open(folder.file()).unwrap();
        connection
            .pragma_update(None, "user_version", format)
            .unwrap();
        drop(connection);
        let number = u32::from_ne_bytes(format.to_ne_bytes());
        refused_unchanged(
            &folder,
            |error| matches!(error, Error::NewerFormat(found) if *found == number),
        );
    }
}

fn refused_unchanged(folder: &Folder, expected: impl Fn(&Error) -> bool) {
    let before = fs::read(folder.file()).unwrap();
    let error = SqliteStore::open(folder.file(), FULL).unwrap_err();
    assert!(expected(&error), "{error:?}");
    assert!(
        fs::read(folder.file()).unwrap() == before,
        "the file is as it was"
    );
}

/// Nothing can be stored, and what there is can be read: until there is room again.
#[test]
fn attack_s7_file_is_full() {
    for durability in [FULL, NOW] {
        let folder = Folder::new();
        let mut store = open(&folder, durability);
        assert_eq!(
            store.commit(0, &[value(1), value(2)], &[]),
            Commit::Committed
        );
        let pages = number(&store, "page_count");
        let limit = |store: &SqliteStore, pages: i64| {
            let connection = store.connection.as_ref().unwrap();
            let set =
                connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0));
            assert_eq!(set, Ok(pages));
        };
        limit(&store, pages);
        let large = ([3; 16], vec![3; 50_000]);
        // The first of the batch would fit.
        for _ in 0..2 {
            assert_eq!(
                store.commit(1, &[([1; 16], vec![9; 100]), large.clone()], &[[2; 16]]),
                Commit::Failed
            );
            assert_eq!(store.generation(), Ok(1));
            assert_eq!(store.get(&[1; 16]), Ok(Some(vec![1; 100])));
            assert_eq!(store.get(&[2; 16]), Ok(Some(vec![2; 100])));
            assert_eq!(store.get(&[3; 16]), Ok(None));
        }
        limit(&store, pages + 100);
        assert_eq!(store.commit(1, &[large], &[[2; 16]]), Commit::Committed);
        assert_eq!(store.generation(), Ok(2));
        assert_eq!(store.get(&[2; 16]), Ok(None));
    }
}

/// A store that does not know whether its last commit is stored says nothing.
#[test]
fn attack_s7_after_unknown_nothing_is_said() {
    let folder = Folder::new();
    let mut store = open(&folder, FULL);
    assert_eq!(store.commit(0, &[value(1)], &[]), Commit::Committed);
    // No transaction can be ended: SQLite says of that what it says of a disk that fails.
    let connection = store.connection.as_mut().unwrap();
    connection.commit_hook(Some(|| true)).unwrap();
    assert_eq!(store.commit(1, &[value(2)], &[]), Commit::Unknown);
    assert_eq!(store.get(&[1; 16]), Err(Unreadable));
    assert_eq!(store.generation(), Err(Unreadable));
    assert_eq!(store.commit(1, &[value(2)], &[]), Commit::Failed);
    assert_eq!(store.commit(2, &[value(2)], &[]), Commit::Failed);
    assert!(store.checkpoint().is_ok() && store.close().is_ok());
    let mut store = open(&folder, FULL);
    assert_eq!(store.generation(), Ok(1));
    assert_eq!(store.commit(1, &[value(2)], &[]), Commit::Committed);
}

//! Opens what is left, and says what it is.

use std::ops::Range;

use rusqlite::Connection;
use subrosa::device::store::{Commit, Store};
use subrosa_sqlite::{Durability, Opened, SqliteStore};

use super::folder::Folder;
use super::series::{Contents, Series};

/// The boot that everything here is of, unless it says so.
pub const BOOT: [u8; 16] = [7; 16];
pub const NORMAL: Durability = Durability::Normal { boot: BOOT };

/// Both ways to commit.
pub const DURABILITIES: [Durability; 2] = [Durability::Full, NORMAL];

/// A store of which every commit is there.
pub fn open(folder: &Folder, durability: Durability) -> SqliteStore {
    match SqliteStore::open(folder.file(), durability) {
        Ok(Opened::Whole(store)) => store,
        other => panic!("{other:?}"),
    }
}

/// Commits the batches of `generations`.
pub fn commit(store: &mut SqliteStore, series: Series, generations: Range<u64>) {
    for generation in generations {
        let batch = series.batch(generation);
        let outcome = store.commit(generation, &batch.puts, &batch.deletes);
        assert_eq!(outcome, Commit::Committed, "generation {generation}");
    }
}

/// The generation of a store, if it holds what `expected` has for it and nothing else, and SQLite finds no fault.
pub fn judge(
    folder: &Folder,
    store: &mut SqliteStore,
    expected: &[Contents],
) -> Result<u64, String> {
    let generation = store.generation().map_err(|error| error.to_string())?;
    let place = usize::try_from(generation).expect("it fits");
    let contents = expected
        .get(place)
        .ok_or_else(|| format!("generation {generation}"))?;
    for (key, value) in contents {
        let found = store.get(key).map_err(|error| error.to_string())?;
        if found.as_ref() != Some(value) {
            let of = found.map(|found| found.first_chunk().copied().map(u64::from_le_bytes));
            return Err(format!(
                "generation {generation}: a value is of {of:?}, or altered"
            ));
        }
    }
    let connection = Connection::open(folder.file()).map_err(|error| error.to_string())?;
    let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0));
    let one = |sql: &str| one(sql).map_err(|error| error.to_string());
    let (entries, check) = (
        one("SELECT CAST(count(*) AS TEXT) FROM entry")?,
        one("PRAGMA integrity_check")?,
    );
    // A slot belongs to one key or to none.
    let slots =
        one("SELECT CAST((SELECT count(*) FROM slot) - (SELECT count(*) FROM free) AS TEXT)")?;
    let used = one("SELECT CAST(count(DISTINCT slot) AS TEXT) FROM entry")?;
    if entries != contents.len().to_string() || used != entries || slots != entries || check != "ok"
    {
        return Err(format!(
            "generation {generation}: {entries} keys, {used} of {slots} slots; SQLite says {check}"
        ));
    }
    Ok(generation)
}

/// Else everything here would show nothing.
#[test]
fn judge_finds_what_is_mixed() {
    let series = Series { seed: 3 };
    let expected = series.contents(20);
    let (key, old) = expected[19]
        .iter()
        .find(|(key, value)| expected[20].get(*key).is_some_and(|new| new != *value))
        .expect("a value was replaced");
    let other = expected[20]
        .keys()
        .find(|other| *other != key)
        .expect("there are several");
    let blob = |bytes: &[u8]| {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("x'{digits}'")
    };
    let length = u32::try_from(old.len()).unwrap().to_le_bytes();
    let (old, key, other) = (blob(&[&length, &old[..]].concat()), blob(key), blob(other));
    for change in [
        // The value of the generation before, a value too many, one too few, a slot of two keys, a slot of none, another
        // generation.
        format!(
            "UPDATE slot SET content = {old} WHERE id = (SELECT slot FROM entry WHERE key = {key})"
        ),
        format!("INSERT INTO entry SELECT zeroblob(16), slot, size FROM entry WHERE key = {key}"),
        format!("DELETE FROM entry WHERE key = {key}"),
        format!(
            "UPDATE entry SET slot = (SELECT slot FROM entry WHERE key = {other}) WHERE key = {key}"
        ),
        "INSERT INTO slot (content) VALUES (zeroblob(64))".to_owned(),
        "UPDATE store SET generation = generation - 1".to_owned(),
        "UPDATE store SET generation = generation + 1".to_owned(),
    ] {
        let folder = Folder::new();
        let mut store = open(&folder, Durability::Full);
        commit(&mut store, series, 0..20);
        assert_eq!(judge(&folder, &mut store, &expected), Ok(20));
        let connection = Connection::open(folder.file()).unwrap();
        assert_eq!(connection.execute(&change, []), Ok(1), "{change}");
        assert!(judge(&folder, &mut store, &expected).is_err(), "{change}");
    }
}

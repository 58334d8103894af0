//! Values lie in slots of few sizes, and a slot never moves: so what is overwritten is gone.
//!
//! `secure_delete` alone does not do that. Where SQLite moves rows from page to page, because others were deleted or grew,
//! copies of them stay in the unused parts of pages, and are still there when the rows are overwritten. Here no row of
//! `slot` is ever deleted or changes its length. A new one is appended behind the others, which moves none; an old one is
//! overwritten where it is: with another value, or with zeros until another value needs one of its size.
//!
//! ```text
//! entry: key → slot, size       slot: id → length 4 || value || zeros, of `size` bytes       free: size, slot
//! ```

use rusqlite::{Connection, OptionalExtension, Params, Result};
use subrosa::device::store::Key;

pub const ENTRY: &str = "CREATE TABLE entry (key BLOB NOT NULL PRIMARY KEY, slot INTEGER NOT NULL, \
                         size INTEGER NOT NULL) STRICT, WITHOUT ROWID";
pub const SLOT: &str = "CREATE TABLE slot (id INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT";
pub const FREE: &str = "CREATE TABLE free (size INTEGER NOT NULL, slot INTEGER NOT NULL, PRIMARY KEY (size, slot)) \
                        STRICT, WITHOUT ROWID";

const GET: &str = "SELECT content FROM entry JOIN slot ON slot.id = entry.slot WHERE key = ?1";
const FIND: &str = "SELECT slot, size FROM entry WHERE key = ?1";
const ENTER: &str = "INSERT OR REPLACE INTO entry (key, slot, size) VALUES (?1, ?2, ?3)";
const REMOVE: &str = "DELETE FROM entry WHERE key = ?1";
const WRITE: &str = "UPDATE slot SET content = ?2 WHERE id = ?1";
const APPEND: &str = "INSERT INTO slot (content) VALUES (?1)";
const ZERO: &str = "UPDATE slot SET content = zeroblob(?2) WHERE id = ?1";
const FREED: &str = "INSERT INTO free (size, slot) VALUES (?1, ?2)";
const TAKE: &str = "SELECT slot FROM free WHERE size = ?1 LIMIT 1";
const TAKEN: &str = "DELETE FROM free WHERE size = ?1 AND slot = ?2";

/// Bytes of the length before a value.
const LENGTH: usize = 4;

/// Of the smallest slot.
const SMALLEST: usize = 64;

/// Steps from one power of two to the next: a slot is at most a quarter longer than it has to be.
const STEPS: usize = 4;

/// The value under `key`.
pub fn get(connection: &Connection, key: &Key) -> Result<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached(GET)?;
    let mut rows = statement.query([key])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let content = row.get_ref(0)?.as_blob()?;
    let value = content.split_first_chunk().and_then(|(length, rest)| {
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        rest.get(..length)
    });
    match value {
        Some(value) => Ok(Some(value.to_vec())),
        None => Err(rusqlite::Error::InvalidQuery),
    }
}

/// Stores `value` under `key`, within a transaction. `content` is room to work in.
pub fn put(connection: &Connection, key: &Key, value: &[u8], content: &mut Vec<u8>) -> Result<()> {
    let size = fill(content, value).ok_or(rusqlite::Error::InvalidQuery)?;
    let content = content.as_slice();
    let old = find(connection, key)?;
    if let Some((slot, old_size)) = old {
        if old_size == size {
            return overwrite(connection, WRITE, (slot, content));
        }
        free(connection, slot, old_size)?;
    }
    let mut take = connection.prepare_cached(TAKE)?;
    let found: Option<i64> = take.query_row([size], |row| row.get(0)).optional()?;
    let slot = match found {
        Some(slot) => {
            execute(connection, TAKEN, (size, slot))?;
            overwrite(connection, WRITE, (slot, content))?;
            slot
        }
        None => connection.prepare_cached(APPEND)?.insert([content])?,
    };
    execute(connection, ENTER, (key, slot, size))
}

/// Removes the value under `key`, if there is one, within a transaction.
pub fn delete(connection: &Connection, key: &Key) -> Result<()> {
    let Some((slot, size)) = find(connection, key)? else {
        return Ok(());
    };
    free(connection, slot, size)?;
    execute(connection, REMOVE, [key])
}

fn find(connection: &Connection, key: &Key) -> Result<Option<(i64, u64)>> {
    let mut statement = connection.prepare_cached(FIND)?;
    let found = statement.query_row([key], |row| Ok((row.get(0)?, row.get(1)?)));
    found.optional()
}

fn free(connection: &Connection, slot: i64, size: u64) -> Result<()> {
    overwrite(connection, ZERO, (slot, size))?;
    execute(connection, FREED, (size, slot))
}

pub fn execute(connection: &Connection, sql: &str, values: impl Params) -> Result<()> {
    connection.prepare_cached(sql)?.execute(values).map(|_| ())
}

/// Changes one slot, which is there.
fn overwrite(connection: &Connection, sql: &str, values: impl Params) -> Result<()> {
    match connection.prepare_cached(sql)?.execute(values)? {
        1 => Ok(()),
        rows => Err(rusqlite::Error::StatementChangedRows(rows)),
    }
}

/// Makes `content` what is stored for `value`, and gives its size.
fn fill(content: &mut Vec<u8>, value: &[u8]) -> Option<u64> {
    let length = u32::try_from(value.len()).ok()?;
    let size = size(value.len().checked_add(LENGTH)?)?;
    content.clear();
    content.extend_from_slice(&length.to_le_bytes());
    content.extend_from_slice(value);
    content.resize(size, 0);
    u64::try_from(size).ok()
}

/// The size of the slot that `bytes` lie in.
fn size(bytes: usize) -> Option<usize> {
    let power = bytes.max(SMALLEST).checked_ilog2()?;
    let step = 1_usize.checked_shl(power)?.checked_div(STEPS)?;
    bytes.max(SMALLEST).checked_next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_at_most_a_quarter_too_long() {
        let mut sizes = Vec::new();
        for bytes in 0..100_000 {
            let size = size(bytes).unwrap();
            assert!(
                size >= bytes && (size <= SMALLEST || 4 * size <= 5 * bytes),
                "{bytes}: {size}"
            );
            if sizes.last() != Some(&size) {
                sizes.push(size);
            }
        }
        assert_eq!(sizes[..10], [64, 80, 96, 112, 128, 160, 192, 224, 256, 320]);
        assert!(sizes.is_sorted());
        assert_eq!(sizes.len(), 44);
        assert_eq!(size(usize::MAX), None);
    }

    #[test]
    fn content_is_length_value_and_zeros() {
        let mut content = vec![9; 1000];
        assert_eq!(fill(&mut content, &[7; 70]), Some(80));
        assert_eq!(content, [&[70, 0, 0, 0][..], &[7; 70], &[0; 6]].concat());
    }
}

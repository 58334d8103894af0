//! The file: its format, and how a connection to it is set up.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::Error;
use crate::log::Log;
use crate::mark::Mark;
use crate::slots;

/// "sbrs": the `application_id` in the header of the file.
const APPLICATION: i32 = 0x7362_7273;

/// The `user_version` in the header of the file.
const FORMAT: u32 = 1;

/// Longer than any commit or checkpoint of another connection takes.
pub const BUSY: Duration = Duration::from_secs(5);

/// One row, with how many commits there were.
const STORE: &str = "CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 0), generation INTEGER NOT NULL, mark BLOB, \
                     touched INTEGER NOT NULL) STRICT";

const SCHEMA: [&str; 4] = [STORE, slots::ENTRY, slots::SLOT, slots::FREE];

/// More than there are: each is prepared once.
const STATEMENTS: usize = 32;

/// How hard SQLite tries that a commit survives the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    Full,
    Normal,
}

/// A connection to a store of this format.
#[derive(Debug)]
pub struct File {
    pub connection: Connection,
    pub log: Log,
    /// Whether that was there before: SQLite makes one as soon as it reads.
    pub had_log: bool,
}

impl File {
    /// Opens the file at `path`, and makes it a store if it is new or empty.
    pub fn open(path: &Path) -> Result<Self, Error> {
        // An absolute path is no URI, which SQLite would read options from.
        let path = std::path::absolute(path).map_err(|_| Error::Unsuitable)?;
        // SQLite puts the log beside what a symbolic link leads to.
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let log = Log::of(&real);
        let had_log = log.exists();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // The log stays when the last connection is closed: so its absence means something.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // SQLite falls back to reading.
        if connection.is_readonly("main")? {
            return Err(Error::Unsuitable);
        }
        // What is there is looked at before anything is changed.
        let new = is_new(&connection)?;
        if !new {
            check(&connection)?;
        }
        set_up(&connection)?;
        if new {
            create(&mut connection)?;
            check(&connection)?;
        }
        Ok(Self {
            connection,
            log,
            had_log: had_log || new,
        })
    }
}

fn set_up(connection: &Connection) -> Result<(), Error> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    to_wal(connection)?;
    // Checkpoints are this crate's own: `SqliteStore::checkpoint`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // What a page no longer holds is overwritten; `slots` says why that does not suffice.
    connection.pragma_update(None, "secure_delete", true)?;
    // Nor does it get into temporary files.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // On Apple's systems `fsync` does not reach the disk; elsewhere these say nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    set_sync(connection, Sync::Full)
}

/// A change to this mode needs the file for itself, and does not wait for it.
fn to_wal(connection: &Connection) -> Result<(), Error> {
    const WAIT: Duration = Duration::from_millis(5);
    let mut waited = Duration::ZERO;
    loop {
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        match mode {
            Ok(mode) => {
                let mode: String = mode;
                // A file system without shared memory, or a file that must not be written.
                return if mode == "wal" {
                    Ok(())
                } else {
                    Err(Error::Unsuitable)
                };
            }
            Err(error) if waited < BUSY && is_busy(&error) => {
                std::thread::sleep(WAIT);
                waited = waited.saturating_add(WAIT);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Says how hard SQLite tries; not within a transaction.
pub fn set_sync(connection: &Connection, sync: Sync) -> Result<(), Error> {
    let name = match sync {
        Sync::Full => "FULL",
        Sync::Normal => "NORMAL",
    };
    Ok(connection.pragma_update(None, "synchronous", name)?)
}

pub fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Whether nobody has put anything into the file.
fn is_new(connection: &Connection) -> Result<bool, Error> {
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let (application, format) = header(connection)?;
    Ok(objects == 0 && application == 0 && format == 0)
}

fn header(connection: &Connection) -> Result<(i32, u32), Error> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok((application, u32::from_ne_bytes(format.to_ne_bytes())))
}

/// Whether the file is a store of this format, with nothing else in it: neither triggers nor views, for example.
fn check(connection: &Connection) -> Result<(), Error> {
    let (application, format) = header(connection)?;
    if application != APPLICATION {
        return Err(Error::NotAStore);
    }
    if format > FORMAT {
        return Err(Error::NewerFormat(format));
    }
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let found = statement.query_map([], |row| row.get(0))?;
    let found: Vec<String> = found.collect::<Result<_, _>>()?;
    let as_written = SCHEMA.iter().all(|sql| found.iter().any(|is| is == sql));
    if format != FORMAT || found.len() != SCHEMA.len() || !as_written {
        return Err(Error::NotAStore);
    }
    Ok(())
}

fn create(connection: &mut Connection) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Somebody else may have been first.
    if is_new(&transaction)? {
        for sql in SCHEMA {
            transaction.execute(sql, [])?;
        }
        transaction.execute("INSERT INTO store VALUES (0, 0, ?1, 0)", [Mark::Closed])?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
    }
    Ok(transaction.commit()?)
}

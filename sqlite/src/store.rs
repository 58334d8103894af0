//! The store: what a commit is, and when the log is emptied.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use subrosa::device::store::{Commit, Key, Store, Unreadable};

use crate::error::Error;
use crate::file::{BUSY, File, Sync, set_sync};
use crate::log::{self, Log};
use crate::mark::{Durability, Mark};
use crate::slots::{self, execute};

/// How often a commit finds the mark to be another than it left: once if another connection was closed meanwhile.
const ATTEMPTS: usize = 8;

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";
const STATE: &str = "SELECT generation, mark FROM store WHERE id = 0";
const ADVANCE: &str = "UPDATE store SET generation = ?1, mark = ?2 WHERE id = 0";
const MARK: &str = "UPDATE store SET mark = ?1 WHERE id = 0";
const TOUCH: &str = "UPDATE store SET touched = touched + 1 WHERE id = 0";

/// A file that was opened, and what became of it since.
#[derive(Debug)]
#[must_use]
pub enum Opened {
    /// Every commit is there.
    Whole(SqliteStore),
    /// Commits that were called [`Commit::Committed`] may be missing: this is to be treated as a restored backup. It is
    /// opened like this again until the first commit, which is therefore to be the one that does so.
    MayHaveLost(SqliteStore),
}

/// The state of one device in one SQLite file.
///
/// The file is made with the permissions that the process's umask leaves: a process that wants it to be its own sets it
/// first, or has the folder for itself. Beside it lie `-wal`, the log, which is part of the store and belongs to it
/// wherever it goes, and `-shm`, which does not. They are on a file system of this machine: over a network, SQLite's
/// log does not work.
///
/// A store that is dropped is closed as [`SqliteStore::close`] does.
#[derive(Debug)]
pub struct SqliteStore {
    /// None after a commit of which it is not known whether it is stored: nothing is read then that might mislead.
    connection: Option<Connection>,
    log: Log,
    durability: Durability,
    /// What the connection is set to.
    sync: Sync,
    busy: Duration,
    /// Commits may be missing, and the first commit is still to come.
    missing: bool,
}

/// A transaction that was begun, or why there is none.
enum Begun {
    At(Mark),
    Stale,
    Failed,
}

impl SqliteStore {
    /// Opens the store at `path`, and makes it if there is no file or an empty one.
    ///
    /// All processes that use a file at the same time give the same `durability`. It may be another one the next time,
    /// if the store was closed. If it was not, and was [`Durability::Normal`], it takes the name of the boot to tell
    /// whether commits may be missing: [`Durability::Full`] knows none, and says so.
    ///
    /// # Errors
    /// [`Error::NotAStore`], [`Error::NewerFormat`]: nothing was changed. [`Error::Unsuitable`], [`Error::Busy`],
    /// [`Error::Sqlite`]: the file is as it was, or new.
    pub fn open(path: impl AsRef<Path>, durability: Durability) -> Result<Opened, Error> {
        let file = File::open(path.as_ref())?;
        let connection = file.connection;
        // A process may have ended between writing a commit and waiting for the disk: whoever reads it has to wait.
        match log::empty(&connection) {
            Ok(true) => {}
            Ok(false) => execute(&connection, TOUCH, [])?,
            // SQLite has waited for the log before it found no room in the file. What is stored can still be read.
            Err(error) if is_full(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let (_, mut mark) = state(&connection)?;
        if mark != Mark::Closed && !file.had_log {
            // The log was taken away. There is one now, so the next to open the file would not notice.
            mark = Mark::Missing;
            connection.execute(MARK, [mark])?;
        }
        let missing = mark.may_have_lost(durability);
        let store = Self {
            connection: Some(connection),
            log: file.log,
            durability,
            sync: Sync::Full,
            busy: BUSY,
            missing,
        };
        Ok(if missing {
            Opened::MayHaveLost(store)
        } else {
            Opened::Whole(store)
        })
    }

    /// How long this store waits for others that hold the file, 5 seconds unless told otherwise.
    ///
    /// # Errors
    /// [`Error::Sqlite`]
    pub fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), Error> {
        if let Some(connection) = &self.connection {
            connection.busy_timeout(timeout)?;
            self.busy = timeout;
        }
        Ok(())
    }

    /// How many commits there were.
    ///
    /// # Errors
    /// [`Unreadable`], as [`Store::get`].
    pub fn generation(&mut self) -> Result<u64, Unreadable> {
        let connection = self.connection.as_ref().ok_or(Unreadable)?;
        state(connection)
            .map(|(generation, _)| generation)
            .map_err(|_| Unreadable)
    }

    /// Moves the log into the file and empties it. Whatever was replaced or deleted before this call is in neither of them
    /// after it. An app calls it when it has nothing else to do, and before it is put aside.
    ///
    /// # Errors
    /// [`Error::Busy`]: others read or write; [`Error::Sqlite`]. The store can be used as before.
    pub fn checkpoint(&mut self) -> Result<(), Error> {
        match &self.connection {
            Some(connection) if !log::empty(connection)? => Err(Error::Busy),
            _ => Ok(()),
        }
    }

    /// Moves the log into the file, empties it, and marks the file as closed: from then on it may be opened with another
    /// durability and after another boot, and copied by itself.
    ///
    /// # Errors
    /// The file is still marked as in use: as if the process had ended without a word.
    pub fn close(mut self) -> Result<(), Error> {
        self.shut()
    }

    fn shut(&mut self) -> Result<(), Error> {
        let Some(connection) = self.connection.take() else {
            return Ok(());
        };
        set_sync(&connection, Sync::Full)?;
        // Another process that goes on finds this mark before its next commit, and marks the file anew.
        if !self.missing && state(&connection)?.1 != Mark::Closed {
            connection.execute(MARK, [Mark::Closed])?;
        }
        log::empty(&connection)?;
        connection.close().map_err(|(_, error)| error.into())
    }

    /// Begins a transaction that can write, on the generation `base`.
    fn begin(connection: &Connection, base: u64) -> Begun {
        if run(connection, BEGIN).is_err() {
            return Begun::Failed;
        }
        match state(connection) {
            Ok((generation, mark)) if generation == base => Begun::At(mark),
            Ok(_) => Begun::Stale,
            Err(_) => Begun::Failed,
        }
    }

    /// Ends a transaction that stored nothing. A connection that cannot do that is not used again.
    fn roll_back(&mut self) {
        let ended = self.connection.as_ref().is_some_and(|connection| {
            // Some errors end it by themselves.
            connection.is_autocommit() || run(connection, ROLLBACK).is_ok()
        });
        if !ended {
            self.connection = None;
        }
    }

    /// Ends a transaction that is to be stored.
    fn end(&mut self) -> Commit {
        let Some(connection) = &self.connection else {
            return Commit::Failed;
        };
        let Err(error) = run(connection, COMMIT) else {
            return Commit::Committed;
        };
        if !connection.is_autocommit() {
            // It had to wait before it wrote anything.
            self.roll_back();
            return Commit::Failed;
        }
        // The disk was full before the last page was whole. If that can be seen, the other pages mean nothing.
        if is_full(&error) && !self.log.may_hold_refused_commit(connection) {
            return Commit::Failed;
        }
        self.connection = None;
        Commit::Unknown
    }

    /// One round of a commit: `None` if the mark had to be dealt with first.
    fn attempt(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Option<Commit> {
        let Some(connection) = &self.connection else {
            return Some(Commit::Failed);
        };
        let mark = match Self::begin(connection, base) {
            Begun::At(mark) => mark,
            Begun::Stale => {
                self.roll_back();
                return Some(Commit::Stale);
            }
            Begun::Failed => {
                self.roll_back();
                return Some(Commit::Failed);
            }
        };
        let own = Mark::from(self.durability);
        let marked = match self.durability {
            Durability::Full => mark != Mark::Closed,
            Durability::Normal { .. } => mark == own,
        };
        if !marked && !self.missing {
            return self.announce(own);
        }
        // Whoever was told that commits may be missing has dealt with it in this very commit.
        let mark = if self.missing { own } else { mark };
        if apply(connection, base, mark, puts, deletes).is_err() {
            self.roll_back();
            return Some(Commit::Failed);
        }
        let outcome = self.end();
        if outcome == Commit::Committed {
            self.missing = false;
            self.relax();
            self.keep_log_short();
        }
        Some(outcome)
    }

    /// Marks the file as in use, in the transaction that was begun, before anything is committed that the mark speaks of.
    fn announce(&mut self, own: Mark) -> Option<Commit> {
        if self.sync != Sync::Full {
            // This cannot be set within a transaction.
            self.roll_back();
            let set = self
                .connection
                .as_ref()
                .map(|connection| set_sync(connection, Sync::Full));
            if !matches!(set, Some(Ok(()))) {
                return Some(Commit::Failed);
            }
            self.sync = Sync::Full;
            return None;
        }
        let written = self
            .connection
            .as_ref()
            .is_some_and(|connection| execute(connection, MARK, [own]).is_ok());
        if !written {
            self.roll_back();
            return Some(Commit::Failed);
        }
        // Of the batch nothing is stored so far, whatever became of the mark.
        if self.end() != Commit::Committed {
            return Some(Commit::Failed);
        }
        // The mark gets into the file itself, so that it stays if the log is taken away. Readers may prevent that.
        if let Some(connection) = &self.connection {
            let _ = log::empty(connection);
        }
        self.relax();
        None
    }

    /// Stops waiting for the disk, if the file is marked for that.
    fn relax(&mut self) {
        if self.sync == Sync::Full
            && let (Durability::Normal { .. }, Some(connection)) =
                (self.durability, &self.connection)
            && set_sync(connection, Sync::Normal).is_ok()
        {
            self.sync = Sync::Normal;
        }
    }

    /// Empties the log if it is long, and waits for nobody: else the next commit does.
    fn keep_log_short(&mut self) {
        let long = self.log.is_long();
        if let (true, Some(connection)) = (long, &self.connection)
            && connection.busy_timeout(Duration::ZERO).is_ok()
        {
            let _ = log::empty(connection);
            if connection.busy_timeout(self.busy).is_err() {
                self.connection = None;
            }
        }
    }
}

impl Store for SqliteStore {
    /// As [`Store::get`]; after a [`Commit::Unknown`] always [`Unreadable`].
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        let connection = self.connection.as_ref().ok_or(Unreadable)?;
        slots::get(connection, key).map_err(|_| Unreadable)
    }

    /// As [`Store::commit`].
    ///
    /// [`Commit::Failed`]: others held the file for too long, the disk is full, or something cannot be read or written.
    /// [`Commit::Unknown`]: the disk did not take the last step, or not for certain. This store then does nothing any
    /// more (reads are [`Unreadable`], commits [`Commit::Failed`]); drop it, and open the file again.
    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        let outcome = (0..ATTEMPTS).find_map(|_| self.attempt(base, puts, deletes));
        outcome.unwrap_or(Commit::Failed)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // What fails here is found by who opens the file.
        let _ = self.shut();
    }
}

fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    execute(connection, sql, [])
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// The generation, and the mark.
fn state(connection: &Connection) -> rusqlite::Result<(u64, Mark)> {
    connection
        .prepare_cached(STATE)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Makes the changes of a batch in the transaction that was begun.
fn apply(
    connection: &Connection,
    base: u64,
    mark: Mark,
    puts: &[(Key, Vec<u8>)],
    deletes: &[Key],
) -> rusqlite::Result<()> {
    for key in deletes {
        slots::delete(connection, key)?;
    }
    let mut content = Vec::new();
    for (key, value) in puts {
        slots::put(connection, key, value, &mut content)?;
    }
    // Beyond what SQLite counts to, the conversion is an error.
    execute(connection, ADVANCE, (base.saturating_add(1), mark))
}

#[cfg(test)]
mod tests;

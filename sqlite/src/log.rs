//! The log that SQLite writes commits to before they get into the file (<https://sqlite.org/fileformat2.html#walformat>).

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Result};

/// The log is emptied by the commit that makes it longer than this many bytes. Deleted values are readable in it until
/// then, so it is short; each time costs two waits for the disk more, so it is not shorter.
const LONG: u64 = 4 << 20;

/// Bytes before the first frame, and of a frame before its page.
const HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// Where in a frame's header it says whether the frame ends a commit: 0 if not.
const COMMIT: std::ops::Range<usize> = 4..8;

const EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
const LOOK: &str = "PRAGMA wal_checkpoint(NOOP)";

/// The log of a file.
#[derive(Debug)]
pub struct Log(PathBuf);

impl Log {
    pub fn of(file: &Path) -> Self {
        let mut name = OsString::from(file);
        name.push("-wal");
        Self(PathBuf::from(name))
    }

    pub fn exists(&self) -> bool {
        self.0.exists()
    }

    pub fn is_long(&self) -> bool {
        fs::metadata(&self.0).is_ok_and(|log| log.len() > LONG)
    }

    /// Whether a commit that found the disk full ends in a frame that is whole, as far as lengths tell: then whoever
    /// reads the log anew may find that commit. If it cannot be read, it may.
    pub fn may_hold_refused_commit(&self, connection: &Connection) -> bool {
        self.whole_end_behind(connection).unwrap_or(true)
    }

    /// Whether there is a whole frame that ends a commit behind those that are valid. It need not be one of this log: that
    /// is not asked.
    fn whole_end_behind(&self, connection: &Connection) -> io::Result<bool> {
        let unknown = |_| io::Error::other("SQLite does not say");
        let page: u64 = connection
            .pragma_query_value(None, "page_size", |row| row.get(0))
            .map_err(unknown)?;
        let valid: u64 = connection
            .query_row(LOOK, [], |row| row.get(1))
            .map_err(unknown)?;
        let frame = page.saturating_add(FRAME_HEADER);
        let mut log = File::open(&self.0)?;
        let length = log.metadata()?.len();
        let mut at = frame.saturating_mul(valid).saturating_add(HEADER);
        loop {
            let end = at.saturating_add(frame);
            if end > length {
                return Ok(false);
            }
            let mut header = [0; 8];
            log.seek(SeekFrom::Start(at))?;
            log.read_exact(&mut header)?;
            if header.get(COMMIT) != Some(&[0; 4]) {
                return Ok(true);
            }
            at = end;
        }
    }
}

/// Moves the log into the file and empties it; false if others prevent it.
pub fn empty(connection: &Connection) -> Result<bool> {
    let mut statement = connection.prepare_cached(EMPTY)?;
    let busy: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(busy == 0)
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::io::Write;
    use std::process;

    use super::*;

    #[test]
    fn refused_commit_is_seen_if_its_end_is_whole() {
        let folder = env::temp_dir().join(format!("subrosa-sqlite-log-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("file");
        let connection = Connection::open(&file).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)",
            )
            .unwrap();
        let log = Log::of(&file);
        let frame = |ends: u8| {
            let mut frame = [0; 24 + 4_096];
            frame[7] = ends;
            frame
        };
        let append = |bytes: &[u8]| {
            let file = fs::OpenOptions::new().append(true).open(&log.0);
            file.unwrap().write_all(bytes).unwrap();
        };
        assert!(
            log.exists() && !log.may_hold_refused_commit(&connection),
            "both commits are valid"
        );
        append(&frame(0));
        assert!(!log.may_hold_refused_commit(&connection), "it ends nothing");
        append(&frame(1)[..4_119]);
        assert!(!log.may_hold_refused_commit(&connection), "it is not whole");
        append(&[0]);
        assert!(log.may_hold_refused_commit(&connection));
        empty(&connection).unwrap();
        assert!(
            !log.may_hold_refused_commit(&connection),
            "nothing is there"
        );
        append(&[0; 32]);
        append(&frame(3));
        assert!(
            log.may_hold_refused_commit(&connection),
            "the first of a log"
        );
        fs::remove_file(&log.0).unwrap();
        assert!(
            log.may_hold_refused_commit(&connection),
            "it cannot be read"
        );
        drop(connection);
        fs::remove_dir_all(&folder).unwrap();
    }
}

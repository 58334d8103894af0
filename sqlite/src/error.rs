//! Why a file cannot be opened or closed.

use std::fmt;

use rusqlite::ErrorCode;

/// Why a store cannot be opened, or a call beside [`subrosa::device::store::Store`] does nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The file is something else than a store of this crate. Nothing in it was changed.
    NotAStore,
    /// A later version of this crate has written the file, in the format of this number. Nothing in it was changed.
    NewerFormat(u32),
    /// Others held the file for longer than this connection waits.
    Busy,
    /// The file or its file system cannot have a write-ahead log: it must not be written, or memory cannot be shared.
    Unsuitable,
    /// SQLite, or the system below it, refused.
    Sqlite(Cause),
}

/// What SQLite said.
#[derive(Debug)]
pub struct Cause(rusqlite::Error);

impl Cause {
    /// SQLite's extended result code, if it is SQLite that refused.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.0.sqlite_error().map(|error| error.extended_code)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Cause {}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotAStore,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Sqlite(Cause(error)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAStore => f.write_str("the file is no store of this kind"),
            Self::NewerFormat(format) => {
                write!(
                    f,
                    "the store is of format {format}, which is newer than this program"
                )
            }
            Self::Unsuitable => f.write_str("a write-ahead log is not possible here"),
            Self::Busy => f.write_str("others hold the store"),
            Self::Sqlite(cause) => write!(f, "SQLite: {cause}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sqlite(cause) => Some(cause),
            _ => None,
        }
    }
}

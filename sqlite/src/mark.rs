//! What the file says of its own durability: whether it is in use, and how.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

/// Bytes of the name of a boot.
pub const BOOT: usize = 16;

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, and of the machine: each commit waits for the disk.
    #[default]
    Full,
    /// The end of the process only: a commit does not wait for the disk, and the last ones may be lost when the machine
    /// loses its power or crashes. The file then says so when it is opened.
    Normal {
        /// A name of the machine's present boot, another for every boot: on Linux the UUID in
        /// `/proc/sys/kernel/random/boot_id`. Where there is nothing of the kind, [`Durability::Full`] is the choice.
        boot: [u8; BOOT],
    },
}

/// What the file is marked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Closed: everything that was committed is on the disk, in the file itself.
    Closed,
    /// In use: whatever was committed is on the disk, some of it perhaps in the log.
    Full,
    /// In use: what was committed since this boot may not be on the disk.
    Normal([u8; BOOT]),
    /// Commits may be missing, and nobody has done yet what there is to do about it.
    Missing,
}

impl From<Durability> for Mark {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Full => Self::Full,
            Durability::Normal { boot } => Self::Normal(boot),
        }
    }
}

/// NULL, an empty blob, the name of a boot, or one byte.
impl ToSql for Mark {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Closed => ToSqlOutput::Owned(Value::Null),
            Self::Full => ToSqlOutput::Borrowed(ValueRef::Blob(&[])),
            Self::Normal(boot) => ToSqlOutput::Borrowed(ValueRef::Blob(boot)),
            Self::Missing => ToSqlOutput::Borrowed(ValueRef::Blob(&[0])),
        })
    }
}

impl FromSql for Mark {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(Self::Closed),
            ValueRef::Blob([]) => Ok(Self::Full),
            ValueRef::Blob([0]) => Ok(Self::Missing),
            ValueRef::Blob(boot) => <[u8; BOOT]>::try_from(boot)
                .map(Self::Normal)
                .map_err(|_| FromSqlError::InvalidType),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl Mark {
    /// Whether commits may have been lost, if the file was in use like this and is opened for `durability`.
    pub fn may_have_lost(self, durability: Durability) -> bool {
        match self {
            Self::Closed | Self::Full => false,
            Self::Missing => true,
            // While the machine runs, the system holds what the disk does not. Without the present boot's name nobody
            // knows whether it ran on.
            Self::Normal(_) => self != Self::from(durability),
        }
    }
}

//! Files over [`std::io`]: what is written is sealed, what is read was opened, and any place of it can be read alone.
//!
//! A stream that is interrupted is asked again; one that gives or takes less than it was asked for is asked for the rest.
//! What a stream fails with is passed on, and the call can be repeated: nothing that was accepted is lost. A file that
//! is refused stays refused: its [`file::Error`](super::Error) lies in the [`std::io::Error`] of each call.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! # use std::io::{Cursor, Read, Write};
//! use subrosa::file::FileKey;
//! use subrosa::file::io::{Reader, SeekReader, Writer};
//!
//! let rng = &mut subrosa::os_rng();
//! let key = FileKey::generate(rng)?;
//! let mut writer = Writer::new(Vec::new(), &key, b"where it belongs", rng)?;
//! writer.write_all(&[7; 100_000])?;
//! let sealed = writer.finish()?;
//!
//! let mut film = SeekReader::new(Cursor::new(&sealed), &key, b"where it belongs")?;
//! let mut scene = [0; 4_096];
//! assert_eq!(film.read_at(50_000, &mut scene)?, 4_096);
//!
//! let mut text = Vec::new();
//! Reader::new(&sealed[..], key, b"where it belongs").read_to_end(&mut text)?;
//! assert_eq!(text, [7; 100_000]);
//! # Ok(())
//! # }
//! ```

use std::io;

use super::Error;

mod reader;
mod seek_reader;
pub(super) mod stream;
mod writer;

pub use reader::Reader;
pub use seek_reader::SeekReader;
pub use writer::Writer;

/// A refusal among the errors of files and sockets.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Truncated => io::ErrorKind::UnexpectedEof,
            Error::Ended | Error::OutOfRange => io::ErrorKind::InvalidInput,
            Error::Rng => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests;

//! What a stream may do: be interrupted, give or take less than it was asked for, and claim more.

use std::io::{self, ErrorKind, Read, Write};

use crate::file::buffer::Buffer;

/// What `call` gives when it is not interrupted.
pub(in crate::file) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Reads at least one byte, or finds the end: then it is 0, if there was room for one.
pub(in crate::file) fn read(
    stream: &mut (impl Read + ?Sized),
    into: &mut [u8],
) -> io::Result<usize> {
    let count = uninterrupted(|| stream.read(into))?;
    possible(count, into)
}

/// Reads until so many bytes are in the buffer, or the stream is at its end; whether they are. What came before an error is
/// in the buffer, too.
pub(in crate::file) fn fill(
    buffer: &mut Buffer,
    wanted: usize,
    stream: &mut (impl Read + ?Sized),
) -> io::Result<bool> {
    while buffer.filled() < wanted {
        let count = read(stream, buffer.free(wanted))?;
        if count == 0 {
            return Ok(false);
        }
        buffer.add(count);
    }
    Ok(true)
}

/// Writes at least one of the bytes, of which there are some.
pub(in crate::file) fn write(
    stream: &mut (impl Write + ?Sized),
    bytes: &[u8],
) -> io::Result<usize> {
    match uninterrupted(|| stream.write(bytes))? {
        0 => Err(ErrorKind::WriteZero.into()),
        count => possible(count, bytes),
    }
}

/// Writes all of the bytes.
#[cfg(feature = "threads")]
pub(in crate::file) fn write_all(
    stream: &mut (impl Write + ?Sized),
    mut bytes: &[u8],
) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = write(stream, bytes)?;
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// Refuses a number of bytes that there was no room for.
fn possible(count: usize, room: &[u8]) -> io::Result<usize> {
    if count > room.len() {
        let why = "a stream claims more bytes than it was given room for";
        return Err(io::Error::other(why));
    }
    Ok(count)
}

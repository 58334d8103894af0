//! Threads that work on chunks, a row of them at a time.
//!
//! ```text
//!   calling thread   fill 0  fill 1  fill 2  fill 3  write 0  fill 4  write 1  fill 5  …
//!   thread 0                 work on 0       work on 2        work on 4
//!   thread 1                         work on 1       work on 3        work on 5
//! ```
//!
//! Row n is the work of thread n modulo their number, and each thread gives back its rows in the order in which it got
//! them: nothing is ever out of order, and the first error that is seen is the first in the file.

use alloc::vec::Vec;
use core::num::NonZeroUsize;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

use crate::file::Error;
use crate::file::buffer::Buffer;
use crate::file::io::stream;
use crate::memory;

/// Chunks of a row: work enough for handing it over to be little beside it.
const CHUNKS: usize = 4;
/// Rows of a thread: it works on one, while the other is filled or written, or waits.
pub(super) const ROWS: usize = 2;

/// Some chunks that follow one another, and what the work on each of them came to.
pub(super) struct Row<T> {
    /// The number of the first one.
    first: u64,
    chunks: Vec<(Buffer, T)>,
    /// How many of them are there.
    used: usize,
    /// Why there are not more, if that is no end.
    refused: Option<Error>,
}

impl<T: Default> Row<T> {
    fn new() -> Self {
        let mut chunks = memory::with_capacity(CHUNKS);
        for _ in 0..CHUNKS {
            memory::push(&mut chunks, (Buffer::new(), T::default()));
        }
        Self {
            first: 0,
            chunks,
            used: 0,
            refused: None,
        }
    }

    /// Fills each chunk with `wanted` bytes, the last one of the stream with what is left; whether there may be more. After an
    /// error the chunks are there that were filled before.
    pub fn fill(&mut self, wanted: usize, from: &mut impl Read) -> io::Result<bool> {
        (self.used, self.refused) = (0, None);
        for (chunk, _) in &mut self.chunks {
            chunk.take_filled();
            let whole = stream::fill(chunk, wanted, from)?;
            self.used = self.used.saturating_add(1);
            if !whole {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn chunks(&self) -> impl Iterator<Item = &(Buffer, T)> {
        self.chunks.iter().take(self.used)
    }

    /// Bytes in the chunks.
    pub fn bytes(&self) -> u64 {
        let each = self.chunks().map(|(chunk, _)| chunk.filled() as u64);
        each.fold(0, u64::saturating_add)
    }

    /// Works on one chunk after the other, up to the first that is refused.
    pub fn each(&mut self, work: impl Fn(u64, &mut Buffer) -> Result<T, Error>) {
        let numbered = (self.first..).zip(&mut self.chunks).take(self.used);
        for (place, (number, (chunk, made))) in numbered.enumerate() {
            match work(number, chunk) {
                Ok(done) => *made = done,
                Err(error) => {
                    (self.used, self.refused) = (place, Some(error));
                    return;
                }
            }
        }
    }

    /// Gives the chunks, and then says why there are not more.
    pub fn give(&self, mut to: impl FnMut(&[u8], &T) -> io::Result<()>) -> io::Result<()> {
        for (chunk, made) in self.chunks() {
            to(chunk.front(chunk.filled()), made)?;
        }
        self.refused.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Writes the chunks, and then says why there are not more.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        self.give(|chunk, _| stream::write_all(to, chunk))
    }
}

/// A thread, and the way to it and back.
struct Worker<'scope, T> {
    rows: SyncSender<Row<T>>,
    done: Receiver<Row<T>>,
    thread: ScopedJoinHandle<'scope, ()>,
}

impl<'scope, T: Send + 'scope> Worker<'scope, T> {
    fn start(
        scope: &'scope Scope<'scope, '_>,
        work: &'scope (impl Fn(&mut Row<T>) + Sync),
    ) -> io::Result<Self> {
        let (rows, given) = sync_channel::<Row<T>>(ROWS);
        let (give, done) = sync_channel(ROWS);
        let thread = thread::Builder::new().spawn_scoped(scope, move || {
            for mut row in given {
                work(&mut row);
                if give.send(row).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { rows, done, thread })
    }
}

/// Fills one row after the other until `fill` says that there is no more, works on them in `threads` threads, and writes them
/// in order. An error of `fill` is the last thing that is seen: what came before it is written. An error of `write`
/// ends everything. A panic of a thread goes on in this one.
pub(super) fn run<T: Default + Send>(
    threads: NonZeroUsize,
    fill: impl FnMut(&mut Row<T>) -> io::Result<bool>,
    work: impl Fn(&mut Row<T>) + Sync,
    write: impl FnMut(&Row<T>) -> io::Result<()>,
) -> io::Result<()> {
    thread::scope(|scope| {
        let mut workers = Vec::new();
        let start = || Worker::start(scope, &work);
        let result = pass(threads, &mut workers, start, fill, write);
        for Worker { rows, done, thread } in workers {
            // Without them it comes to its end.
            drop((rows, done));
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        result
    })
}

fn pass<'scope, T: Default + Send + 'scope>(
    threads: NonZeroUsize,
    workers: &mut Vec<Worker<'scope, T>>,
    start: impl Fn() -> io::Result<Worker<'scope, T>>,
    mut fill: impl FnMut(&mut Row<T>) -> io::Result<bool>,
    mut write: impl FnMut(&Row<T>) -> io::Result<()>,
) -> io::Result<()> {
    let most = (threads.get() as u64).saturating_mul(ROWS as u64);
    let (mut given, mut written): (u64, u64) = (0, 0);
    let mut end = None;
    while end.is_none() {
        let mut row = if given.saturating_sub(written) < most {
            Row::new()
        } else {
            let row = take(workers, threads, written)?;
            write(&row)?;
            written = written.saturating_add(1);
            row
        };
        row.first = given.saturating_mul(CHUNKS as u64);
        end = match fill(&mut row) {
            Ok(true) => None,
            Ok(false) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        };
        if given < threads.get() as u64 {
            memory::push(workers, start()?);
        }
        let worker = worker(workers, threads, given).ok_or_else(stopped)?;
        worker.rows.send(row).map_err(|_| stopped())?;
        given = given.saturating_add(1);
    }
    while written < given {
        write(&take(workers, threads, written)?)?;
        written = written.saturating_add(1);
    }
    end.unwrap_or(Ok(()))
}

/// The thread that works on this row.
fn worker<'a, 'scope, T>(
    workers: &'a [Worker<'scope, T>],
    threads: NonZeroUsize,
    row: u64,
) -> Option<&'a Worker<'scope, T>> {
    let place = row.checked_rem(threads.get() as u64)?;
    workers.get(usize::try_from(place).ok()?)
}

/// Waits for a row that was worked on.
fn take<T>(workers: &[Worker<'_, T>], threads: NonZeroUsize, row: u64) -> io::Result<Row<T>> {
    let worker = worker(workers, threads, row).ok_or_else(stopped)?;
    worker.done.recv().map_err(|_| stopped())
}

/// A thread is gone, which it is after a panic only: `run` goes on with that.
fn stopped() -> io::Error {
    io::Error::other("a thread has stopped")
}

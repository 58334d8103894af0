//! Threads that work on chunks, a row of them at a time. The calling one is among them.
//!
//! ```text
//!   calling thread   fill 0  fill 1  fill 2  fill 3  work on 2  write 0  fill 4  write 1, 2  fill 5, 6  work on 3  …
//!   another                  work on 0       work on 1                           work on 4
//! ```
//!
//! Rows are written in the order in which they were filled: nothing is ever out of order, and the first error that is seen is
//! the first in the file. The calling thread begins a row of its own only when each of the others has one to do and one more,
//! so that none of them waits for it.

use alloc::vec::Vec;
use core::num::NonZeroUsize;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

use crate::file::Error;
use crate::file::buffer::Buffer;
use crate::file::io::stream;
use crate::memory;

/// Chunks of a row: work enough for handing it over to be little beside it.
const CHUNKS: usize = 4;
/// Rows of a thread: it works on one, while the other is filled or written, or waits for it.
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
    /// Rows that it has, or has done and not given back.
    has: usize,
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
        Ok(Self {
            rows,
            done,
            thread,
            has: 0,
        })
    }
}

/// Where a row is that was filled and not yet written.
enum Place<T> {
    /// At the thread with this number.
    Other(usize),
    Own(Row<T>),
    Done(Row<T>),
}

/// Fills one row after the other until `fill` says that there is no more, works on them in `threads` threads, of which this is
/// one, and writes them in order. An error of `fill` is the last thing that is seen: what came before it is written. An error
/// of `write` ends everything. A panic of another thread goes on in this one.
pub(super) fn run<T: Default + Send>(
    threads: NonZeroUsize,
    mut fill: impl FnMut(&mut Row<T>) -> io::Result<bool>,
    work: impl Fn(&mut Row<T>) + Sync,
    mut write: impl FnMut(&Row<T>) -> io::Result<()>,
) -> io::Result<()> {
    thread::scope(|scope| {
        let mut hands = Hands {
            threads,
            others: Vec::new(),
            line: Vec::new(),
            start: || Worker::start(scope, &work),
        };
        let result = pass(&mut hands, &mut fill, &work, &mut write);
        for worker in hands.others {
            // Without them it comes to its end.
            drop((worker.rows, worker.done));
            if let Err(panic) = worker.thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        result
    })
}

fn pass<'scope, T: Default + Send + 'scope>(
    hands: &mut Hands<'scope, T, impl Fn() -> io::Result<Worker<'scope, T>>>,
    fill: &mut impl FnMut(&mut Row<T>) -> io::Result<bool>,
    work: &impl Fn(&mut Row<T>),
    write: &mut impl FnMut(&Row<T>) -> io::Result<()>,
) -> io::Result<()> {
    let mut free = Vec::new();
    let mut filled: u64 = 0;
    let mut end = None;
    loop {
        // Waits for another thread only if there is nothing else to do.
        let idle = hands.is_full() || end.is_some();
        let idle = idle && !hands.work_on_own(work);
        while let Some(row) = hands.first_done(idle)? {
            write(&row)?;
            memory::push(&mut free, row);
            if idle {
                break;
            }
        }
        while end.is_none() && !hands.is_full() {
            let mut row = free.pop().unwrap_or_else(Row::new);
            row.first = filled.saturating_mul(CHUNKS as u64);
            filled = filled.saturating_add(1);
            end = match fill(&mut row) {
                Ok(true) => None,
                Ok(false) => Some(Ok(())),
                Err(error) => Some(Err(error)),
            };
            hands.give(row)?;
        }
        if hands.line.is_empty()
            && let Some(end) = end
        {
            return end;
        }
    }
}

/// The threads, and what they have.
struct Hands<'scope, T, S> {
    /// How many there are, this one included.
    threads: NonZeroUsize,
    /// The others, as far as they are started.
    others: Vec<Worker<'scope, T>>,
    /// Rows that are not yet written, the first one first.
    line: Vec<Place<T>>,
    start: S,
}

impl<'scope, T, S> Hands<'scope, T, S>
where
    T: Send + 'scope,
    S: Fn() -> io::Result<Worker<'scope, T>>,
{
    /// Whether there are as many rows as there may be.
    fn is_full(&self) -> bool {
        self.line.len() >= self.threads.get().saturating_mul(ROWS)
    }

    /// Gives a row to the first of the other threads that has few, or keeps it.
    fn give(&mut self, row: Row<T>) -> io::Result<()> {
        let few = |worker: &Worker<'_, T>| worker.has < ROWS;
        let mut other = self.others.iter().position(few);
        let started = self.others.len();
        if other.is_none() && started < self.threads.get().saturating_sub(1) {
            memory::push(&mut self.others, (self.start)()?);
            other = Some(started);
        }
        let place = match other.and_then(|other| Some((other, self.others.get_mut(other)?))) {
            Some((other, worker)) => {
                worker.has = worker.has.saturating_add(1);
                worker.rows.send(row).map_err(|_| stopped())?;
                Place::Other(other)
            }
            None => Place::Own(row),
        };
        memory::push(&mut self.line, place);
        Ok(())
    }

    /// Works on the first row of this thread; whether there was one.
    fn work_on_own(&mut self, work: &impl Fn(&mut Row<T>)) -> bool {
        let own = |place: &&mut Place<T>| matches!(place, Place::Own(_));
        let Some(place) = self.line.iter_mut().find(own) else {
            return false;
        };
        // It is nowhere else while it is worked on.
        if let Place::Own(mut row) = core::mem::replace(place, Place::Other(usize::MAX)) {
            work(&mut row);
            *place = Place::Done(row);
        }
        true
    }

    /// Takes the first row out of the line if it is done, or waits until it is.
    fn first_done(&mut self, wait: bool) -> io::Result<Option<Row<T>>> {
        let row = match self.line.first_mut() {
            None | Some(Place::Own(_)) => return Ok(None),
            Some(Place::Other(other)) => {
                let worker = self.others.get_mut(*other).ok_or_else(stopped)?;
                let row = match wait {
                    true => worker.done.recv().map_err(|_| stopped())?,
                    false => match worker.done.try_recv() {
                        Ok(row) => row,
                        Err(TryRecvError::Empty) => return Ok(None),
                        Err(TryRecvError::Disconnected) => return Err(stopped()),
                    },
                };
                worker.has = worker.has.saturating_sub(1);
                row
            }
            Some(place) => match core::mem::replace(place, Place::Other(usize::MAX)) {
                Place::Done(row) => row,
                Place::Own(_) | Place::Other(_) => return Err(stopped()),
            },
        };
        memory::remove(&mut self.line, 0);
        Ok(Some(row))
    }
}

/// A thread is gone, which it is after a panic only: `run` goes on with that.
fn stopped() -> io::Error {
    io::Error::other("a thread has stopped")
}

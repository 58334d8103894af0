//! Memory that is given out once, and what is found in it.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use static_alloc::Bump;

use super::needles::{Needles, OVERLAP};

const SIZE: usize = 1 << 28;

#[global_allocator]
static ARENA: Bump<[u8; SIZE]> = Bump::uninit();

/// Watches what is allocated from its beginning on.
pub struct Watch {
    begin: usize,
    /// What the test allocates to know the secrets: not searched.
    own: Vec<Range<usize>>,
    /// Where each step of the test begins.
    steps: Vec<(usize, &'static str)>,
    needles: Needles,
}

/// A secret in memory.
pub struct Finding {
    pub what: &'static str,
    /// What the test was doing when the block was allocated.
    pub step: &'static str,
    /// Where it is in the arena.
    pub offset: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, step, offset } = self;
        write!(
            f,
            "{what}, {offset} bytes into the arena, allocated in: {step}"
        )
    }
}

/// How much was looked at.
#[derive(Debug)]
pub struct Searched {
    pub needles: usize,
    pub bytes: usize,
}

impl Watch {
    pub fn begin() -> Self {
        Self {
            own: Vec::with_capacity(1 << 16),
            steps: Vec::with_capacity(64),
            needles: Needles::new(),
            begin: level(),
        }
    }

    pub fn step(&mut self, name: &'static str) {
        self.steps.push((level(), name));
    }

    pub fn add(&mut self, what: &'static str, secret: &[u8]) {
        self.aside(|needles| needles.add(what, secret));
    }

    /// Work of the test itself, whose memory may hold secrets.
    pub fn aside<T>(&mut self, work: impl FnOnce(&mut Needles) -> T) -> T {
        let begin = level();
        let result = work(&mut self.needles);
        let end = level();
        match self.own.last_mut() {
            Some(last) if last.end == begin => last.end = end,
            _ => self.own.push(begin..end),
        }
        result
    }

    /// Searches all that was allocated and freed since the watch began. Nothing else may be alive.
    pub fn search(&self) -> (Vec<Finding>, Searched) {
        let end = level();
        let mut found = Vec::new();
        let mut bytes = 0;
        let mut from = self.begin;
        for own in &self.own {
            bytes += own.start - from;
            self.search_range(from..own.start, &mut found);
            from = own.end;
        }
        bytes += end - from;
        self.search_range(from..end, &mut found);
        let searched = Searched {
            needles: self.needles.len(),
            bytes,
        };
        (found, searched)
    }

    fn search_range(&self, range: Range<usize>, found: &mut Vec<Finding>) {
        const CHUNK: usize = 1 << 16;
        let memory = File::open("/proc/self/mem").expect("the process may read itself");
        let base = ARENA.data_ptr().as_ptr() as usize;
        let mut buffer = [0; CHUNK + OVERLAP];
        for start in range.clone().step_by(CHUNK) {
            let length = (range.end - start).min(buffer.len());
            let address = base + start;
            memory
                .read_exact_at(&mut buffer[..length], address as u64)
                .expect("the arena is mapped");
            self.needles.find(&buffer[..length], |at, what| {
                found.push(Finding {
                    what,
                    step: self.step_of(start + at),
                    offset: start + at,
                });
            });
        }
    }

    fn step_of(&self, offset: usize) -> &'static str {
        let before = self.steps.iter().take_while(|(begin, _)| *begin <= offset);
        before.last().map_or("the beginning", |(_, name)| name)
    }
}

fn level() -> usize {
    ARENA.level().byte_offset()
}

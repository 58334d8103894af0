//! What one device writes, as it arrives: put in order for the screen.
//!
//! ```text
//!  0 ........ confirmed ........ released ........ complete ........ end
//!  shown, and     shown, perhaps     to be shown    the first one      behind the
//!  forgotten                                        that is missing    greatest that came
//! ```
//! Nothing of this is stored: what is not confirmed is in the device's inbox, and how much was shown the screen says at
//! the start.

use std::collections::BTreeMap;

use crate::limits::{AHEAD, LINE_MAX, MISSING};
use crate::protocol::{Heard, Line};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    confirmed: u32,
    released: u32,
    complete: u32,
    /// What is not confirmed, with its id in the inbox.
    lines: BTreeMap<u32, (u64, Vec<u8>)>,
}

impl Reading {
    /// Goes on behind the lines that were shown.
    pub const fn from(shown: u32) -> Self {
        Self {
            confirmed: shown,
            released: shown,
            complete: shown,
            lines: BTreeMap::new(),
        }
    }

    /// Keeps a line that the inbox has under `id`; false if it is of no use there: shown already, there already, or
    /// further ahead than any honest peer sends.
    pub fn take(&mut self, line: Line, id: u64) -> bool {
        let Line { number, content } = line;
        let is_known = number < self.complete || self.lines.contains_key(&number);
        if is_known || number - self.complete >= AHEAD || content.len() > LINE_MAX {
            return false;
        }
        self.lines.insert(number, (id, content));
        while self.lines.contains_key(&self.complete) {
            self.complete += 1;
        }
        true
    }

    /// Lines that are there without a gap from the first one on.
    pub const fn complete(&self) -> u32 {
        self.complete
    }

    pub fn is_missing_any(&self) -> bool {
        self.end() > self.complete
    }

    fn end(&self) -> u32 {
        self.lines
            .last_key_value()
            .map_or(self.complete, |(last, _)| self.complete.max(last + 1))
    }

    pub fn heard(&self) -> Heard {
        let mut end = self.end();
        let gaps = (self.complete..end).filter(|number| !self.lines.contains_key(number));
        let mut missing: Vec<u32> = gaps.take(MISSING + 1).collect();
        if missing.len() > MISSING {
            // Nothing is said about what does not fit.
            end = missing.pop().unwrap_or(end);
        }
        Heard { end, missing }
    }

    /// The lines to be shown next, each once.
    pub fn release(&mut self) -> Vec<(u32, Vec<u8>)> {
        let range = self.released..self.complete;
        self.released = self.complete;
        self.lines
            .range(range)
            .map(|(number, (_, content))| (*number, content.clone()))
            .collect()
    }

    /// The screen has shown the lines below `shown`: their ids, for the inbox to forget them.
    pub fn confirm(&mut self, shown: u32) -> Vec<u64> {
        self.confirmed = self.confirmed.max(shown.min(self.released));
        let kept = self.lines.split_off(&self.confirmed);
        let forgotten = std::mem::replace(&mut self.lines, kept);
        forgotten.into_values().map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u32) -> Line {
        Line {
            number,
            content: number.to_string().into_bytes(),
        }
    }

    fn numbers(reading: &mut Reading) -> Vec<u32> {
        let released = reading.release();
        released.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn every_line_is_shown_once_and_in_order() {
        let mut reading = Reading::default();
        assert!(reading.take(line(2), 10));
        assert_eq!(numbers(&mut reading), []);
        assert_eq!(reading.heard().missing, [0, 1]);
        assert!(reading.take(line(0), 11));
        assert!(!reading.take(line(0), 12));
        assert!(!reading.take(line(2), 13));
        assert_eq!(numbers(&mut reading), [0]);
        assert!(reading.take(line(1), 14));
        assert_eq!(numbers(&mut reading), [1, 2]);
        assert_eq!(numbers(&mut reading), []);
        let all = Heard {
            end: 3,
            missing: vec![],
        };
        assert_eq!(reading.heard(), all);
        assert_eq!(reading.confirm(2), [11, 14]);
        assert_eq!(reading.confirm(9), [10]);
        assert_eq!(reading.heard(), all);
    }

    #[test]
    fn after_a_crash_the_screen_goes_on_where_it_was() {
        for shown in 0..=3 {
            // Whatever is in the inbox is given out again.
            let mut again = Reading::from(shown);
            let taken = [0, 1, 2, 4].map(|number| again.take(line(number), number.into()));
            assert_eq!(taken, [shown < 1, shown < 2, shown < 3, true]);
            assert_eq!(numbers(&mut again), (shown..3).collect::<Vec<_>>());
            assert_eq!(again.heard().missing, [3]);
        }
    }

    #[test]
    fn what_an_unfair_peer_can_make_us_hold_is_bounded() {
        let mut reading = Reading::default();
        assert!(!reading.take(line(AHEAD), 0));
        assert!(!reading.take(line(u32::MAX), 0));
        let long = Line {
            number: 0,
            content: vec![0; LINE_MAX + 1],
        };
        assert!(!reading.take(long, 0));
        assert_eq!(reading, Reading::default());
        assert!(reading.take(line(AHEAD - 1), 0));
        let heard = reading.heard();
        assert_eq!(heard.missing.len(), MISSING);
        assert_eq!(heard.end, u32::try_from(MISSING).unwrap());
    }
}

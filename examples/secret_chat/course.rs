//! The text from one device to another, as it was followed from outside: what the sender said it sent, what the relay
//! said it saw, what the recipient said it read. The three are different processes, and meet only here.

use std::collections::{BTreeMap, HashMap};

use crate::faults::DROPPED;
use crate::relay::MessageId;

/// A message as the relay saw it, once for each time that it was sent.
#[derive(Clone)]
pub struct Saw {
    pub fate: String,
    pub length: u64,
    pub head: Vec<u8>,
}

impl Saw {
    pub fn is_dropped(&self) -> bool {
        self.fate == DROPPED
    }
}

#[derive(Default)]
pub struct Course {
    /// Each line is one message, however often it is sent.
    pub sent: HashMap<u64, MessageId>,
    pub saw: HashMap<MessageId, Vec<Saw>>,
    pub shown: BTreeMap<u64, Vec<u8>>,
    /// Lines shown although they had been shown.
    pub twice: usize,
}

/// What the comparison of the texts found.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub lost: usize,
    pub altered: usize,
    pub twice: usize,
    /// Lines that nobody wrote.
    pub invented: usize,
}

impl Course {
    pub fn show(&mut self, number: u64, content: Vec<u8>) {
        if self.shown.insert(number, content).is_some() {
            self.twice += 1;
        }
    }

    /// Compares with what should have come, byte by byte.
    pub fn verdict(&self, lines: &[&[u8]]) -> Verdict {
        let mut verdict = Verdict {
            lost: 0,
            altered: 0,
            twice: self.twice,
            invented: self.shown.range(lines.len() as u64..).count(),
        };
        for (number, line) in (0..).zip(lines) {
            match self.shown.get(&number) {
                None => verdict.lost += 1,
                Some(shown) if shown != line => verdict.altered += 1,
                Some(_) => {}
            }
        }
        verdict
    }

    /// What was shown, put together again.
    pub fn text(&self) -> Vec<u8> {
        self.shown.values().flatten().copied().collect()
    }
}

impl Verdict {
    pub const fn is_good(&self) -> bool {
        self.lost == 0 && self.altered == 0 && self.twice == 0 && self.invented == 0
    }
}

pub fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&[u8]; 3] = [b"one\n", b"two\n", b"three"];

    fn course(shown: &[(u64, &[u8])]) -> Verdict {
        let mut course = Course::default();
        for (number, content) in shown {
            course.show(*number, content.to_vec());
        }
        course.verdict(&LINES)
    }

    #[test]
    fn every_fault_is_seen() {
        let good = [(0, LINES[0]), (1, LINES[1]), (2, LINES[2])];
        assert!(course(&good).is_good());
        assert_eq!(course(&good[..2]).lost, 1);
        assert_eq!(course(&[good[0], good[1], good[2], good[1]]).twice, 1);
        assert_eq!(course(&[good[0], good[1], (2, b"Three")]).altered, 1);
        assert_eq!(
            course(&[good[0], good[1], good[2], (3, b"four")]).invented,
            1
        );
    }
}

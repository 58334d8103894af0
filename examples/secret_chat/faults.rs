//! What the relay does to the messages that it carries, by chance but repeatably.

use std::time::Duration;

use crate::dice::Dice;
use crate::limits::HELD_BACK;

/// How often in a hundred cases.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    pub seed: u64,
    pub drop: u64,
    pub duplicate: u64,
    pub delay: u64,
}

impl Faults {
    /// A relay that does what it should.
    pub const NONE: Self = Self {
        seed: 1,
        drop: 0,
        duplicate: 0,
        delay: 0,
    };

    /// The relay of the demonstration.
    pub const DEMO: Self = Self {
        seed: 1,
        drop: 10,
        duplicate: 10,
        delay: 20,
    };
}

/// The word for a message that goes no further. It never has another word beside it.
pub const DROPPED: &str = "dropped";

/// What becomes of one message: a delay for every copy that goes on.
#[derive(Debug, PartialEq, Eq)]
pub struct Fate {
    pub copies: Vec<Duration>,
}

impl Fate {
    pub fn is_dropped(&self) -> bool {
        self.copies.is_empty()
    }

    pub fn is_duplicated(&self) -> bool {
        self.copies.len() > 1
    }

    pub fn is_delayed(&self) -> bool {
        self.copies.iter().any(|delay| !delay.is_zero())
    }

    /// One word for each thing that went wrong.
    pub fn words(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        if self.is_dropped() {
            words.push(DROPPED);
        }
        if self.is_duplicated() {
            words.push("twice");
        }
        if self.is_delayed() {
            words.push("late");
        }
        words
    }
}

/// Draws one fate after the other.
pub struct Fates {
    faults: Faults,
    dice: Dice,
}

impl Fates {
    pub const fn new(faults: Faults) -> Self {
        Self {
            faults,
            dice: Dice(faults.seed),
        }
    }

    pub fn draw(&mut self) -> Fate {
        let mut copies = Vec::new();
        if !self.dice.percent(self.faults.drop) {
            let count = if self.dice.percent(self.faults.duplicate) {
                2
            } else {
                1
            };
            for _ in 0..count {
                copies.push(self.delay());
            }
        }
        Fate { copies }
    }

    fn delay(&mut self) -> Duration {
        if !self.dice.percent(self.faults.delay) {
            return Duration::ZERO;
        }
        let span = HELD_BACK.end() - HELD_BACK.start() + 1;
        Duration::from_millis(HELD_BACK.start() + self.dice.below(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_as_often_as_asked_for() {
        let mut fates = Fates::new(Faults::DEMO);
        let drawn: Vec<Fate> = (0..10_000).map(|_| fates.draw()).collect();
        let count = |test: fn(&Fate) -> bool| drawn.iter().filter(|fate| test(fate)).count();
        assert!((900..1_100).contains(&count(Fate::is_dropped)));
        assert!((800..1_000).contains(&count(Fate::is_duplicated)));
        assert!((1_700..2_200).contains(&count(Fate::is_delayed)));
    }

    #[test]
    fn without_faults_every_message_passes_once_and_at_once() {
        let mut fates = Fates::new(Faults::NONE);
        for _ in 0..1_000 {
            assert_eq!(fates.draw().copies, [Duration::ZERO]);
        }
    }
}

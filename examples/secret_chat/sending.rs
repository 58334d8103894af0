//! Our own lines on their way: who has not reported them yet, and when they are sent again.
//!
//! The sealed messages themselves are in the device's outbox, where a restart finds them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use subrosa::Address;

use crate::limits::{PATIENCE, PROBE, PROBE_MAX, PROBES, WINDOW};
use crate::protocol::Heard;

#[derive(Debug, Default)]
pub struct Sending {
    lines: BTreeMap<u32, Pending>,
    probe: Probe,
}

#[derive(Debug)]
struct Pending {
    /// Who has not reported it.
    waiting: BTreeSet<Address>,
    /// Who has reported it missing.
    asked: BTreeSet<Address>,
    /// How often it was sent.
    times: u32,
    /// Nobody knows after a restart.
    last_sent: Option<Instant>,
}

impl Pending {
    /// Whether the copy that was sent last may still arrive.
    fn is_under_way(&self, now: Instant) -> bool {
        self.last_sent
            .is_some_and(|sent| now.duration_since(sent) < PATIENCE)
    }
}

/// When nothing is heard of anybody.
#[derive(Debug, Default)]
struct Probe {
    at: Option<Instant>,
    /// Probes without an answer.
    unanswered: u32,
}

impl Probe {
    /// Some probes may be lost; if they are many, the peer is away.
    fn pause(&self) -> Duration {
        let doublings = self.unanswered.saturating_sub(PROBES).min(16);
        (PROBE * 2u32.pow(doublings)).min(PROBE_MAX)
    }
}

/// Why a line is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody asked for it.
    Asked,
    /// Nobody was heard of: they may know neither this line nor any before it.
    Probe,
}

/// A line to be sent again, and to whom.
#[derive(Debug, PartialEq, Eq)]
pub struct Again {
    pub number: u32,
    pub cause: Cause,
    pub to: Vec<Address>,
}

impl Sending {
    /// A line is in the outbox, sealed for these devices. Without a time: it was found there after a restart.
    pub fn sealed(&mut self, number: u32, to: impl Iterator<Item = Address>, now: Option<Instant>) {
        let pending = Pending {
            waiting: to.collect(),
            asked: BTreeSet::new(),
            times: 1,
            last_sent: now,
        };
        self.lines.insert(number, pending);
        if let Some(now) = now
            && self.probe.at.is_none()
        {
            self.probe.at = Some(now + self.probe.pause());
        }
    }

    /// How many lines may be sealed now.
    pub fn room(&self) -> usize {
        WINDOW.saturating_sub(self.lines.len())
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn due(&self, now: Instant) -> Vec<Again> {
        let again = |number: u32, cause, to: &BTreeSet<Address>| Again {
            number,
            cause,
            to: to.iter().copied().collect(),
        };
        let asked = self.lines.iter().filter(|(_, line)| {
            let is_asked = !line.asked.is_empty();
            is_asked && !line.is_under_way(now)
        });
        let mut due: Vec<_> = asked
            .map(|(number, line)| again(*number, Cause::Asked, &line.asked))
            .collect();
        if due.is_empty()
            && self.probe.at.is_some_and(|at| now >= at)
            && let Some((newest, line)) = self.lines.last_key_value()
        {
            due.push(again(*newest, Cause::Probe, &line.waiting));
        }
        due
    }

    /// A line was sent again; returns how often it was by now.
    pub fn sent(&mut self, again: &Again, now: Instant) -> u32 {
        if again.cause == Cause::Probe {
            self.probe.unanswered += 1;
            self.probe.at = Some(now + self.probe.pause());
        }
        let Some(line) = self.lines.get_mut(&again.number) else {
            return 0;
        };
        line.times += 1;
        line.last_sent = Some(now);
        line.asked.clear();
        line.times
    }

    /// A device reports: notes what it misses, and returns the lines that everybody has.
    pub fn reported(&mut self, by: &Address, heard: &Heard, now: Instant) -> Vec<u32> {
        for (number, line) in self.lines.range_mut(..heard.end) {
            if heard.missing.binary_search(number).is_err() {
                line.waiting.remove(by);
                line.asked.remove(by);
            } else if line.waiting.contains(by) {
                line.asked.insert(*by);
            }
        }
        self.settle(now)
    }

    /// A device is gone: nobody waits for it. Returns the lines that everybody else has.
    pub fn gone(&mut self, device: &Address, now: Instant) -> Vec<u32> {
        for line in self.lines.values_mut() {
            line.waiting.remove(device);
            line.asked.remove(device);
        }
        self.settle(now)
    }

    fn settle(&mut self, now: Instant) -> Vec<u32> {
        let done = self
            .lines
            .iter()
            .filter(|(_, line)| line.waiting.is_empty());
        let done: Vec<u32> = done.map(|(number, _)| *number).collect();
        for number in &done {
            self.lines.remove(number);
        }
        self.heard(now);
        done
    }

    /// Somebody is there.
    pub fn heard(&mut self, now: Instant) {
        self.probe = Probe {
            at: (!self.lines.is_empty()).then(|| now + PROBE),
            unanswered: 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str) -> Address {
        Address::new(name.as_bytes()).unwrap()
    }

    fn sending(lines: u32, now: Instant) -> Sending {
        let mut sending = Sending::default();
        for number in 0..lines {
            sending.sealed(number, ["bob", "laptop"].map(device).into_iter(), Some(now));
        }
        sending
    }

    fn send(sending: &mut Sending, now: Instant) -> Vec<(u32, Cause, usize)> {
        let due = sending.due(now);
        for again in &due {
            sending.sent(again, now);
        }
        due.iter()
            .map(|again| (again.number, again.cause, again.to.len()))
            .collect()
    }

    fn heard(end: u32, missing: &[u32]) -> Heard {
        Heard {
            end,
            missing: missing.to_vec(),
        }
    }

    #[test]
    fn what_is_missing_is_sent_again_once_it_cannot_be_under_way() {
        let start = Instant::now();
        let mut sending = sending(4, start);
        let [bob, laptop] = ["bob", "laptop"].map(device);
        assert_eq!(sending.reported(&bob, &heard(3, &[1]), start), []);
        assert_eq!(sending.reported(&laptop, &heard(3, &[1, 2]), start), [0]);
        assert_eq!(send(&mut sending, start), [], "it may still arrive");
        let later = start + PATIENCE;
        let again = [(1, Cause::Asked, 2), (2, Cause::Asked, 1)];
        assert_eq!(send(&mut sending, later), again);
        assert_eq!(send(&mut sending, later), []);
        assert_eq!(sending.reported(&bob, &heard(4, &[]), later), []);
        assert_eq!(sending.reported(&laptop, &heard(3, &[]), later), [1, 2]);
        assert_eq!(sending.gone(&laptop, later), [3]);
        assert_eq!(sending.len(), 0);
    }

    #[test]
    fn no_more_lines_than_the_window_are_under_way() {
        let start = Instant::now();
        let mut sending = sending(10, start);
        assert_eq!(sending.room(), WINDOW - 10);
        sending.reported(&device("bob"), &heard(10, &[]), start);
        assert_eq!(sending.room(), WINDOW - 10, "the laptop has none");
        sending.reported(&device("laptop"), &heard(4, &[]), start);
        assert_eq!(sending.room(), WINDOW - 6);
    }

    #[test]
    fn a_silent_peer_is_probed_ever_more_rarely() {
        let mut now = Instant::now();
        let mut sending = sending(3, now);
        let doubling = [1, 2, 4, 8].map(|times| PROBE * times);
        for pause in [PROBE; PROBES as usize].into_iter().chain(doubling) {
            now += pause - Duration::from_millis(1);
            assert_eq!(send(&mut sending, now), []);
            now += Duration::from_millis(1);
            assert_eq!(send(&mut sending, now), [(2, Cause::Probe, 2)]);
        }
        sending.reported(&device("bob"), &heard(3, &[0, 1]), now);
        let again = [(0, Cause::Asked, 1), (1, Cause::Asked, 1)];
        assert_eq!(send(&mut sending, now), again);
    }

    #[test]
    fn what_is_found_in_the_outbox_is_sent_when_it_is_asked_for() {
        let start = Instant::now();
        let mut sending = Sending::default();
        for number in [3, 5] {
            sending.sealed(number, [device("bob")].into_iter(), None);
        }
        sending.heard(start);
        assert_eq!(send(&mut sending, start), []);
        sending.reported(&device("bob"), &heard(5, &[3]), start);
        assert_eq!(send(&mut sending, start), [(3, Cause::Asked, 1)]);
        assert_eq!(send(&mut sending, start + PROBE), [(5, Cause::Probe, 1)]);
    }

    #[test]
    fn a_report_of_somebody_else_or_about_lines_never_sent_forgets_nothing() {
        let start = Instant::now();
        let mut sending = sending(2, start);
        assert_eq!(
            sending.reported(&device("carol"), &heard(1_000, &[]), start),
            []
        );
        assert_eq!(
            sending.reported(&device("bob"), &heard(1_000, &[]), start),
            []
        );
        assert_eq!(sending.len(), 2);
    }
}

//! Our own lines, kept until the peer has reported them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use subrosa::wire::{self, Reader, Writer};

use crate::limits::{LINE_MAX, PATIENCE, PROBE, PROBE_MAX, PROBES, WINDOW};
use crate::protocol::Report;

#[derive(Debug, Default)]
pub struct Outbox {
    /// The number that the next line gets.
    next: u32,
    /// What was not reported yet.
    lines: BTreeMap<u32, Pending>,
    probe: Probe,
}

#[derive(Debug, Default)]
struct Pending {
    content: Vec<u8>,
    /// How often it was sealed.
    times: u32,
    /// Not stored: after a restart nobody knows.
    last_sent: Option<Instant>,
    /// The last report says that it is missing.
    asked: bool,
}

impl Pending {
    /// Whether the copy that was sent last may still arrive.
    fn is_under_way(&self, now: Instant) -> bool {
        self.last_sent
            .is_some_and(|sent| now.duration_since(sent) < PATIENCE)
    }
}

/// When nothing is heard of the peer.
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

/// Why a line is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// For the first time.
    First,
    /// The peer asked for it.
    Asked,
    /// The peer has not been heard of: it may know neither this line nor any before it.
    Probe,
}

impl Outbox {
    pub fn push(&mut self, content: Vec<u8>) {
        let pending = Pending {
            content,
            ..Pending::default()
        };
        self.lines.insert(self.next, pending);
        self.next += 1;
    }

    /// How many lines were ever pushed.
    pub const fn next(&self) -> u32 {
        self.next
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn content(&self, number: u32) -> Option<&[u8]> {
        Some(&self.lines.get(&number)?.content)
    }

    /// Which lines are to be sealed now.
    pub fn due(&self, now: Instant) -> Vec<(u32, Cause)> {
        let mut under_way = self.lines.values().filter(|line| line.times > 0).count();
        let mut due = Vec::new();
        for (number, line) in &self.lines {
            if line.asked && !line.is_under_way(now) {
                due.push((*number, Cause::Asked));
            } else if line.times == 0 && under_way < WINDOW {
                under_way += 1;
                due.push((*number, Cause::First));
            }
        }
        if due.is_empty()
            && self.probe.at.is_some_and(|at| now >= at)
            && let Some((newest, _)) = self.lines.iter().rfind(|(_, line)| line.times > 0)
        {
            due.push((*newest, Cause::Probe));
        }
        due
    }

    /// A line was sealed; returns how often it was by now.
    pub fn sealed(&mut self, number: u32, cause: Cause, now: Instant) -> u32 {
        if cause == Cause::Probe {
            self.probe.unanswered += 1;
        }
        if cause == Cause::Probe || self.probe.at.is_none() {
            self.probe.at = Some(now + self.probe.pause());
        }
        let Some(line) = self.lines.get_mut(&number) else {
            return 0;
        };
        line.times += 1;
        line.last_sent = Some(now);
        line.asked = false;
        line.times
    }

    /// Forgets what the peer has, and notes what it misses.
    pub fn reported(&mut self, report: &Report, now: Instant) {
        self.lines.retain(|number, line| {
            *number >= report.end || line.times == 0 || report.missing.binary_search(number).is_ok()
        });
        for (_, line) in self.lines.range_mut(..report.end) {
            line.asked = line.times > 0;
        }
        self.heard(now);
    }

    /// The peer is there.
    pub fn heard(&mut self, now: Instant) {
        let waiting = self.lines.values().any(|line| line.times > 0);
        self.probe = Probe {
            at: waiting.then(|| now + PROBE),
            unanswered: 0,
        };
    }

    pub fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.u32(self.next);
        writer.u32(u32::try_from(self.lines.len()).map_err(|_| wire::Error::TooLong)?);
        for (number, line) in &self.lines {
            writer.u32(*number).u32(line.times).vector(&line.content)?;
        }
        Ok(())
    }

    pub fn read(reader: &mut Reader<'_>, now: Instant) -> Result<Self, wire::Error> {
        let mut outbox = Self {
            next: reader.u32()?,
            ..Self::default()
        };
        for _ in 0..reader.u32()? {
            let number = reader.u32()?;
            let pending = Pending {
                times: reader.u32()?,
                content: reader.vector(LINE_MAX)?.to_vec(),
                ..Pending::default()
            };
            outbox.lines.insert(number, pending);
        }
        outbox.heard(now);
        Ok(outbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(lines: u32) -> Outbox {
        let mut outbox = Outbox::default();
        for number in 0..lines {
            outbox.push(number.to_string().into_bytes());
        }
        outbox
    }

    fn seal(outbox: &mut Outbox, now: Instant) -> Vec<(u32, Cause)> {
        let due = outbox.due(now);
        for (number, cause) in &due {
            outbox.sealed(*number, *cause, now);
        }
        due
    }

    fn report(end: u32, missing: &[u32]) -> Report {
        Report {
            end,
            missing: missing.to_vec(),
        }
    }

    #[test]
    fn what_is_missing_is_sealed_again_once_it_cannot_be_under_way() {
        let start = Instant::now();
        let mut outbox = outbox(4);
        assert_eq!(seal(&mut outbox, start).len(), 4);
        assert_eq!(seal(&mut outbox, start), []);
        outbox.reported(&report(3, &[1]), start);
        assert_eq!(seal(&mut outbox, start), [], "it may still arrive");
        assert_eq!(outbox.len(), 2, "lines 1 and 3");
        let later = start + PATIENCE;
        assert_eq!(seal(&mut outbox, later), [(1, Cause::Asked)]);
        outbox.reported(&report(4, &[]), later);
        assert!(outbox.is_empty());
    }

    #[test]
    fn no_more_lines_than_the_window_are_under_way() {
        let start = Instant::now();
        let mut outbox = outbox(1_000);
        assert_eq!(seal(&mut outbox, start).len(), WINDOW);
        assert_eq!(seal(&mut outbox, start), []);
        outbox.reported(&report(10, &[]), start);
        assert_eq!(seal(&mut outbox, start).len(), 10);
    }

    #[test]
    fn a_silent_peer_is_probed_ever_more_rarely() {
        let mut now = Instant::now();
        let mut outbox = outbox(3);
        seal(&mut outbox, now);
        let doubling = [1, 2, 4, 8].map(|times| PROBE * times);
        for pause in [PROBE; PROBES as usize].into_iter().chain(doubling) {
            now += pause - Duration::from_millis(1);
            assert_eq!(seal(&mut outbox, now), []);
            now += Duration::from_millis(1);
            assert_eq!(seal(&mut outbox, now), [(2, Cause::Probe)]);
        }
        outbox.reported(&report(3, &[0, 1]), now);
        assert_eq!(
            seal(&mut outbox, now),
            [(0, Cause::Asked), (1, Cause::Asked)]
        );
    }

    #[test]
    fn a_restart_keeps_what_was_not_reported() {
        let start = Instant::now();
        let mut outbox = outbox(3);
        seal(&mut outbox, start);
        outbox.push(b"never sealed".to_vec());
        let mut writer = Writer::new();
        outbox.write(&mut writer).unwrap();
        let bytes = writer.into_bytes();
        let mut again = Outbox::read(&mut Reader::new(&bytes), start).unwrap();
        assert_eq!(again.next(), 4);
        assert_eq!(seal(&mut again, start), [(3, Cause::First)]);
        again.reported(&report(3, &[1]), start);
        assert_eq!(seal(&mut again, start), [(1, Cause::Asked)]);
    }

    #[test]
    fn a_report_about_lines_never_sent_forgets_nothing() {
        let mut outbox = outbox(2);
        outbox.reported(&report(1_000, &[]), Instant::now());
        assert_eq!(outbox.len(), 2);
    }
}

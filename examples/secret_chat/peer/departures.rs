//! Messages that go: lines, and reports about the others' lines.

use subrosa::device::{Error, Outgoing, Sealed, Sent};
use subrosa::identity::AccountId;
use subrosa::{Incoming, os_rng};

use super::{Now, Peer, Question, nanos};
use crate::Result;
use crate::limits::{PROBE_MAX, REPORT};
use crate::link::Packet;
use crate::protocol::{Line, Text};
use crate::records::Record;
use crate::relay::message_id;
use crate::sending::{Again, Cause};

const LINE: u8 = b'L';
const REPORTED: u8 = b'R';

/// The name of a line in the outbox.
fn line_id(number: u32) -> Vec<u8> {
    [&[LINE][..], &number.to_be_bytes()].concat()
}

/// The number of a line, if it is the name of one.
pub(super) fn line_number(id: &[u8]) -> Option<u32> {
    let (kind, number) = id.split_first()?;
    let number = number.try_into().ok()?;
    (*kind == LINE).then(|| u32::from_be_bytes(number))
}

impl Peer {
    /// Lines that are due again, then as many new ones as may be under way.
    pub(super) fn send_lines(&mut self, now: Now) -> Result<()> {
        for again in self.sending.due(now.instant) {
            self.send_again(&again, now)?;
        }
        for _ in 0..self.sending.room() {
            let Some(content) = self.unsealed.front().cloned() else {
                break;
            };
            let number = self.next;
            let line = Line { number, content };
            let Some(sent) = self.seal(&line_id(number), &Text::Line(line), now)? else {
                break;
            };
            self.next += 1;
            self.unsealed.pop_front();
            self.counts.add("lines", sent.copies.len());
            let to = sent.copies.iter().map(|copy| copy.to);
            self.sending.sealed(number, to, Some(now.instant));
            for copy in sent.copies {
                self.show_sent(&copy, number, 1);
                self.post(copy);
            }
        }
        Ok(())
    }

    /// What is in the outbox, once more: the same bytes. (Where a device may lose its state, an app with a history seals
    /// the text anew after a while: nobody can read the bytes any more.)
    fn send_again(&mut self, again: &Again, now: Now) -> Result<()> {
        let id = line_id(again.number);
        let Some(sent) = self.device.retry(&id, &mut os_rng())? else {
            return Ok(());
        };
        let times = self.sending.sent(again, now.instant);
        let copies = sent.copies.into_iter();
        for copy in copies.filter(|copy| again.to.contains(&copy.to)) {
            let name = match again.cause {
                Cause::Asked => "lines_asked",
                Cause::Probe => "lines_probed",
            };
            self.counts.add(name, 1);
            self.show_sent(&copy, again.number, times);
            self.post(copy);
        }
        Ok(())
    }

    fn show_sent(&mut self, copy: &Sealed, number: u32, times: u32) {
        self.show(Record::Sent {
            to: copy.to.as_bytes().to_vec(),
            number: number.into(),
            times: times.into(),
            message: message_id(&copy.message),
        });
    }

    pub(super) fn report_is_due(&self, now: Now) -> bool {
        let pause = if self.reporting.wanted {
            REPORT
        } else if self.is_missing_any() {
            self.reporting.pause
        } else {
            return false;
        };
        self.reporting
            .last
            .is_none_or(|last| now.instant.duration_since(last) >= pause)
    }

    /// To the other account; one's own other devices get a copy, as of everything, and find themselves in it.
    pub(super) fn send_report(&mut self, now: Now) -> Result<()> {
        let readings = self.readings.iter();
        let heard = readings.map(|(address, reading)| (*address, reading.heard()));
        let report = Text::Report(heard.collect());
        // No two reports have the same name: each is a commit.
        let id = [&[REPORTED][..], &self.device.generation().to_be_bytes()].concat();
        let Some(sent) = self.seal(&id, &report, now)? else {
            return Ok(());
        };
        if !self.reporting.wanted {
            self.reporting.pause = (self.reporting.pause * 2).min(PROBE_MAX);
        }
        self.reporting.wanted = false;
        self.reporting.last = Some(now.instant);
        self.counts.add("reports", sent.copies.len());
        for copy in sent.copies {
            self.post(copy);
        }
        // One that is lost is not sent again: there will be newer ones.
        self.sent.push(id);
        Ok(())
    }

    /// `None` if there are devices that cannot be reached yet.
    fn seal(&mut self, id: &[u8], text: &Text, now: Now) -> Result<Option<Sent>> {
        let text = text.encode()?;
        let message = Outgoing {
            id,
            to: self.other,
            text: &text,
            partial: false,
        };
        let time = now.unix_millis;
        let (sent, took) = self.timed(|device| device.send(&message, time, &mut os_rng()));
        let sent = match sent {
            Ok(sent) => sent,
            Err(Error::Unreached) => {
                self.reach(now)?;
                return Ok(None);
            }
            Err(Error::KeyChanged) => {
                self.announce_change();
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let each = nanos(took) / sent.copies.len().max(1) as u64;
        for copy in &sent.copies {
            self.show(Record::Sealed { nanos: each });
            self.count(copy, text.len())?;
        }
        Ok(Some(sent))
    }

    fn count(&mut self, copy: &Sealed, text: usize) -> Result<()> {
        let incoming = Incoming::parse(&copy.message)?;
        let newest = self.newest_tags.insert(copy.to, *incoming.tag());
        let turned = newest != Some(*incoming.tag());
        self.counts.add("turns", turned.into());
        self.counts.add("sealed", 1);
        let is_copy = AccountId::of(&copy.to).is_none_or(|(account, _)| account == self.account);
        let (kind, overhead) = match (incoming.first_id(), is_copy) {
            (Some(_), _) => ("firsts", "overhead_of_firsts"),
            (None, true) => ("copies", "overhead_of_copies"),
            (None, false) => ("ordinary", "overhead_of_ordinary"),
        };
        self.counts.add(kind, 1);
        self.counts.add(overhead, copy.message.len() - text);
        Ok(())
    }

    /// Fetches the bundles of the devices with which there is no conversation to send in.
    fn reach(&mut self, now: Now) -> Result<()> {
        let unreached = self
            .device
            .unreached(&self.other, now.unix_millis, &mut os_rng())?;
        for address in unreached {
            self.ask(Question::Bundle(address), now)?;
        }
        Ok(())
    }

    /// Everybody has these lines.
    pub(super) fn let_go(&mut self, lines: &[u32]) {
        self.sent
            .extend(lines.iter().map(|number| line_id(*number)));
    }

    fn post(&mut self, sealed: Sealed) {
        self.counts.add("wire_bytes", sealed.message.len());
        self.send(Packet::Send {
            mailbox: sealed.to.as_bytes().to_vec(),
            message: sealed.message,
        });
    }
}

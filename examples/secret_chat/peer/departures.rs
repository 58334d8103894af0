//! Messages that go: lines, and reports about the peer's lines.

use std::time::Instant;

use subrosa::{Action, Incoming, os_rng};

use super::{Now, Peer, nanos_since};
use crate::Result;
use crate::inbox::MessageId;
use crate::limits::{PROBE_MAX, REPORT};
use crate::link::Packet;
use crate::outbox::Cause;
use crate::protocol::{Line, Text};
use crate::records::Record;
use crate::relay::message_id;

struct Sealed {
    id: MessageId,
    nanos: u64,
    message: Vec<u8>,
}

impl Peer {
    pub(super) fn send_line(&mut self, number: u32, cause: Cause, now: Now) -> Result<()> {
        let Some(content) = self.outbox.content(number) else {
            return Ok(());
        };
        let content = content.to_vec();
        let text = Text::Line(Line {
            number,
            content: content.clone(),
        });
        let Some(sealed) = self.seal(&text, now)? else {
            return Ok(());
        };
        let times = self.outbox.sealed(number, cause, now.instant);
        self.counts.add(
            match cause {
                Cause::First => "lines",
                Cause::Asked => "lines_asked",
                Cause::Probe => "lines_probed",
            },
            1,
        );
        self.show(Record::Sent {
            number: number.into(),
            times: times.into(),
            message: sealed.id,
            nanos: sealed.nanos,
            content,
        });
        self.post(sealed);
        Ok(())
    }

    pub(super) fn report_is_due(&self, now: Now) -> bool {
        let pause = if self.reporting.wanted {
            REPORT
        } else if self.inbox.is_missing_any() {
            self.reporting.pause
        } else {
            return false;
        };
        self.reporting
            .last
            .is_none_or(|last| now.instant.duration_since(last) >= pause)
    }

    pub(super) fn send_report(&mut self, now: Now) -> Result<()> {
        let report = Text::Report(self.inbox.report());
        let Some(sealed) = self.seal(&report, now)? else {
            return Ok(());
        };
        if !self.reporting.wanted {
            self.reporting.pause = (self.reporting.pause * 2).min(PROBE_MAX);
        }
        self.reporting.wanted = false;
        self.reporting.last = Some(now.instant);
        self.counts.add("reports", 1);
        self.post(sealed);
        Ok(())
    }

    /// `None` if the conversation has to be begun anew first.
    fn seal(&mut self, text: &Text, now: Now) -> Result<Option<Sealed>> {
        let Some(conversation) = &mut self.conversation else {
            return Ok(None);
        };
        let text = text.encode();
        let started = Instant::now();
        let sealed = conversation.seal(&self.identity, &text, now.unix_millis, &mut os_rng());
        let nanos = nanos_since(started);
        let message = match sealed {
            Ok(message) => message,
            Err(error) if error.action() == Action::BeginAnew => {
                self.begin_anew = true;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        self.changed = true;
        let incoming = Incoming::parse(&message)?;
        let turned = *incoming.tag() != self.newest_tag;
        self.newest_tag = *incoming.tag();
        self.counts.add("turns", turned.into());
        let (kind, overhead) = match incoming.first_id() {
            Some(_) => ("firsts", "overhead_of_firsts"),
            None => ("ordinary", "overhead_of_ordinary"),
        };
        self.counts.add("sealed", 1);
        self.counts.add(kind, 1);
        self.counts.add(overhead, message.len() - text.len());
        self.counts.add("wire_bytes", message.len());
        Ok(Some(Sealed {
            id: message_id(&message),
            nanos,
            message,
        }))
    }

    fn post(&mut self, sealed: Sealed) {
        self.send(Packet::Send {
            mailbox: self.peer_address.as_bytes().to_vec(),
            message: sealed.message,
        });
    }
}

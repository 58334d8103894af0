//! Messages that come: read or refused, and what follows from either.

use subrosa::device::{Content, Error, Event, Received};
use subrosa::identity::AccountId;
use subrosa::{Action, os_rng, session};

use super::{Now, Peer, Question, nanos};
use crate::Result;
use crate::limits::{HELD, REPORT_MISSING};
use crate::protocol::Text;
use crate::records::Record;

impl Peer {
    /// Reads messages, all in one commit.
    pub(super) fn take_messages(&mut self, messages: &[Vec<u8>], now: Now) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let envelopes: Vec<_> = messages.iter().map(Vec::as_slice).collect();
        let time = now.unix_millis;
        let (events, took) = self.timed(|device| device.receive(&envelopes, time, &mut os_rng()));
        let each = nanos(took) / messages.len() as u64;
        for event in events? {
            match event {
                Event::Message(received) => {
                    self.show(Record::Opened { nanos: each });
                    self.counts.add("opened", 1);
                    let notices = received.notices;
                    self.counts
                        .add("opened_in_old_state", notices.old_state.into());
                    self.counts.add("opened_forked", notices.forked.into());
                    self.take_text(received, now);
                }
                Event::ListNeeded { envelope, account } => {
                    self.hold(account, &messages[envelope], now)?;
                }
                event => self.take_event(event, now)?,
            }
        }
        Ok(())
    }

    /// What the inbox has: it stays there until it was shown, or is of no more use.
    pub(super) fn take_text(&mut self, received: Received, now: Now) {
        let Received {
            id,
            from,
            content,
            text,
            ..
        } = received;
        let account = AccountId::of(&from).map(|(account, _)| account);
        let is_ours = account == Some(self.account) || account == Some(self.other);
        // Copies of what another device of ours has sent are shown here as well.
        let text = match content {
            Content::Message | Content::Copy { .. } if is_ours => Text::decode(&text).ok(),
            _ => None,
        };
        match text {
            Some(Text::Line(line)) => {
                // Also for a line that is known: the writer cannot know that.
                self.reporting.wanted = true;
                self.reporting.pause = REPORT_MISSING;
                if self.readings.entry(from).or_default().take(line, id) {
                    return;
                }
                self.counts.add("lines_known", 1);
            }
            Some(Text::Report(heard)) => {
                let own = *self.address();
                for (_, heard) in heard.iter().filter(|(writer, _)| *writer == own) {
                    let done = self.sending.reported(&from, heard, now.instant);
                    self.let_go(&done);
                }
            }
            // An app that speaks another language; its lines are not lost by that.
            None => self.counts.add("not_understood", 1),
        }
        self.read.push(id);
    }

    /// What is told of devices and lists.
    pub(super) fn take_event(&mut self, event: Event, now: Now) -> Result<()> {
        match event {
            Event::Rejected { error, action, .. } => {
                self.counts.add(&format!("refused:{error:?}"), 1);
                self.show(Record::Refused {
                    error: error.to_string(),
                });
                if error == session::Error::Duplicate {
                    // Whoever sends a line again may have missed the report of it.
                    self.reporting.wanted = true;
                }
                match action {
                    // A report names all that is missing.
                    Action::AskAgain => self.reporting.wanted = true,
                    // Fresh bundles, and other prekeys if it is time for them; not more often than the library says.
                    Action::RotatePrekeys => self.publish_if_due(now)?,
                    // Of a conversation that is to be begun anew, `unreached` knows.
                    _ => {}
                }
            }
            Event::ListBehind { account, .. } => self.ask(Question::Lists(account), now)?,
            Event::DeviceRemoved(address) => {
                let done = self.sending.gone(&address, now.instant);
                self.let_go(&done);
            }
            Event::KeyChanged { .. } => self.announce_change(),
            Event::Unlinked => return Err("this device was taken off its account's list".into()),
            Event::ForkSuspected(_) => self.counts.add("forks", 1),
            Event::Equivocation { .. } => self.counts.add("equivocations", 1),
            _ => {}
        }
        Ok(())
    }

    /// A first message of a device that no known list has: it waits for the newest list, if it can be one of us.
    fn hold(&mut self, account: AccountId, message: &[u8], now: Now) -> Result<()> {
        let may_be_ours = account == self.account || account == self.other;
        if may_be_ours && self.held.len() < HELD {
            self.held.push((account, message.to_vec()));
            return self.ask(Question::Lists(account), now);
        }
        self.show(Record::Stranger {
            account: account.as_bytes().to_vec(),
        });
        self.give_up(message, now)
    }

    /// The newest list of an account is known: what has waited for it is read, or refused for good.
    pub(super) fn take_held(&mut self, account: &AccountId, now: Now) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let (ready, waiting): (Vec<_>, _) = held.into_iter().partition(|(of, _)| of == account);
        self.held = waiting;
        for (_, message) in ready {
            let events = self
                .device
                .receive(&[&message], now.unix_millis, &mut os_rng())?;
            for event in events {
                match event {
                    Event::Message(received) => {
                        self.counts.add("opened", 1);
                        self.take_text(received, now);
                    }
                    Event::ListNeeded { .. } => self.give_up(&message, now)?,
                    event => self.take_event(event, now)?,
                }
            }
        }
        Ok(())
    }

    fn give_up(&mut self, message: &[u8], now: Now) -> Result<()> {
        match self.device.refuse(message, now.unix_millis, &mut os_rng()) {
            Ok(()) => {}
            // It cannot be read for another reason.
            Err(Error::Session(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.counts.add("refused:ListNeeded", 1);
        Ok(())
    }

    pub(super) fn announce_change(&mut self) {
        if !self.change_announced {
            self.change_announced = true;
            self.show(Record::Changed {});
        }
    }
}

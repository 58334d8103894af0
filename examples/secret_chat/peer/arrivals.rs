//! Messages that come: opened or refused, and what follows from either.

use std::time::Instant;

use subrosa::{Action, Error, Incoming, Opened, StagedFirst};

use super::{Now, Peer, nanos_since};
use crate::Result;
use crate::inbox::{Arrival, MessageId};
use crate::limits::{REMEDY, REPORT_MISSING};
use crate::protocol::{Line, Text};
use crate::records::Record;
use crate::relay::message_id;

impl Peer {
    pub(super) fn take_message(&mut self, message: &[u8], now: Now) -> Result<()> {
        let started = Instant::now();
        let opened = match self.open(message, now) {
            Ok(opened) => opened,
            Err(error) => return self.refuse(error, now),
        };
        let nanos = nanos_since(started);
        self.changed = true;
        self.show(Record::Opened { nanos });
        self.counts.add("opened", 1);
        self.counts
            .add("opened_in_old_state", opened.old_state.into());
        self.counts.add("opened_forked", opened.forked.into());
        self.counts
            .add("opened_after_gap", opened.gap_dropped.into());
        self.advise(opened.action, now)?;
        match Text::decode(&opened.text) {
            Ok(Text::Line(line)) => self.take_line(line, message_id(message)),
            Ok(Text::Report(report)) => self.outbox.reported(&report, now.instant),
            // The peer's app speaks another language; its lines are not lost by that.
            Err(_) => self.counts.add("not_understood", 1),
        }
        Ok(())
    }

    /// Which of the two ways a message goes: into the conversation that knows it, or, as the first message of another
    /// agreement, through the decision about its sender.
    fn open(&mut self, message: &[u8], now: Now) -> std::result::Result<Opened, Error> {
        let incoming = Incoming::parse(message)?;
        let Some(conversation) = &mut self.conversation else {
            return Err(Error::NoSession);
        };
        let is_known = |id| conversation.first_ids().any(|known| *known == id);
        if incoming.first_id().is_none_or(is_known) {
            return conversation.open(&incoming, now.unix_millis);
        }
        let staged = StagedFirst::stage(&incoming, &self.identity, &self.prekeys, now.unix_millis)?;
        let (pinned, sender) = (*conversation.peer(), *staged.peer());
        if sender != pinned {
            staged.refuse(&mut self.prekeys)?;
            self.changed = true;
            if sender.address() == pinned.address() {
                self.announce_changed(pinned, sender);
            } else {
                self.announce_stranger(sender);
            }
            return Err(Error::IdentityChanged);
        }
        let opened = staged.accept(conversation, &mut self.prekeys, now.unix_millis)?;
        self.counts.add("accepted", 1);
        self.show(Record::Accepted {});
        Ok(opened)
    }

    fn take_line(&mut self, line: Line, message: MessageId) {
        match self.inbox.take(line, message) {
            Arrival::New => {}
            Arrival::Known => self.counts.add("lines_known", 1),
            Arrival::Refused => self.counts.add("lines_refused", 1),
        }
        // Also for a line that is known: the peer cannot know that.
        self.reporting.wanted = true;
        self.reporting.pause = REPORT_MISSING;
    }

    /// Does with a refusal what the library advises.
    pub(super) fn refuse(&mut self, error: Error, now: Now) -> Result<()> {
        self.counts.add(&format!("refused:{error:?}"), 1);
        self.untidy = true;
        self.show(Record::Refused {
            error: error.to_string(),
        });
        if error.action() == Action::Local {
            return Err(error.into());
        }
        self.advise(error.action(), now)
    }

    fn advise(&mut self, action: Action, now: Now) -> Result<()> {
        match action {
            // A report names all that is missing.
            Action::AskAgain if self.may_remedy(action, now) => self.reporting.wanted = true,
            Action::BeginAnew if self.may_remedy(action, now) => self.begin_anew = true,
            // Fresh bundles, and other prekeys if it is time for them.
            Action::RotatePrekeys if self.may_remedy(action, now) => self.publish(0, now)?,
            // Bundles are fetched again anyway, and of a changed identity the user was told.
            _ => {}
        }
        Ok(())
    }

    /// Whether `action` was not taken for a while: nobody makes us work by sending rubbish.
    fn may_remedy(&mut self, action: Action, now: Now) -> bool {
        self.remedies
            .retain(|(_, at)| now.instant.duration_since(*at) < REMEDY);
        let may = self.remedies.iter().all(|(taken, _)| *taken != action);
        if may {
            self.remedies.push((action, now.instant));
        }
        may
    }
}

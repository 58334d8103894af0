//! The peer's lines as they arrive: each is kept once, and shown in order.
//!
//! ```text
//!  0 ........ confirmed ........ released ........ complete ........ end
//!  shown, and     shown, perhaps;    to be shown    the first one      behind the
//!  forgotten      kept till then     after the      that is missing    greatest that came
//!                                    next commit
//! ```
//! A line stays stored until the screen has confirmed it, so that a crash after the commit and before the screen
//! loses nothing; and the screen says at the start how far it is, so that it shows nothing twice.

use std::collections::BTreeMap;

use subrosa::wire::{self, Reader, Writer};

use crate::limits::{AHEAD, LINE_MAX, MISSING};
use crate::protocol::{Line, Report};

/// Eight bytes of the hash of a message: names it on the screen.
pub type MessageId = [u8; 8];

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inbox {
    confirmed: u32,
    /// Not stored: the screen says it.
    released: u32,
    complete: u32,
    /// What is not confirmed, with the message that brought it.
    lines: BTreeMap<u32, (MessageId, Vec<u8>)>,
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    New,
    /// It was there already: the peer sealed it again although it had only been late.
    Known,
    /// Further ahead than any honest peer sends.
    Refused,
}

impl Inbox {
    pub fn take(&mut self, line: Line, message: MessageId) -> Arrival {
        let Line { number, content } = line;
        if number < self.complete || self.lines.contains_key(&number) {
            return Arrival::Known;
        }
        if number - self.complete >= AHEAD || content.len() > LINE_MAX {
            return Arrival::Refused;
        }
        self.lines.insert(number, (message, content));
        while self.lines.contains_key(&self.complete) {
            self.complete += 1;
        }
        Arrival::New
    }

    /// Lines that are stored without a gap from the first one on.
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

    pub fn report(&self) -> Report {
        let mut end = self.end();
        let gaps = (self.complete..end).filter(|number| !self.lines.contains_key(number));
        let mut missing: Vec<u32> = gaps.take(MISSING + 1).collect();
        if missing.len() > MISSING {
            // Nothing is said about what does not fit.
            end = missing.pop().unwrap_or(end);
        }
        Report { end, missing }
    }

    /// The lines to be shown next, each once.
    pub fn release(&mut self) -> Vec<(u32, MessageId, Vec<u8>)> {
        let range = self.released..self.complete;
        self.released = self.complete;
        self.lines
            .range(range)
            .map(|(number, (message, content))| (*number, *message, content.clone()))
            .collect()
    }

    /// How far the screen is when it begins.
    pub fn resume(&mut self, shown: u32) -> Result<(), String> {
        if shown > self.complete {
            return Err(format!(
                "{shown} lines were shown, but only {} are stored",
                self.complete
            ));
        }
        if shown < self.confirmed {
            return Err(format!(
                "only {shown} lines were shown, but {} were confirmed",
                self.confirmed
            ));
        }
        self.released = shown;
        self.confirm(shown);
        Ok(())
    }

    /// The screen has shown the lines below `shown`.
    pub fn confirm(&mut self, shown: u32) {
        let shown = shown.min(self.released);
        self.confirmed = self.confirmed.max(shown);
        self.lines = self.lines.split_off(&self.confirmed);
    }

    pub const fn confirmed(&self) -> u32 {
        self.confirmed
    }

    pub fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.u32(self.confirmed).u32(self.complete);
        writer.u32(u32::try_from(self.lines.len()).map_err(|_| wire::Error::TooLong)?);
        for (number, (message, content)) in &self.lines {
            writer.u32(*number).bytes(message).vector(content)?;
        }
        Ok(())
    }

    pub fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let confirmed = reader.u32()?;
        let complete = reader.u32()?;
        let mut lines = BTreeMap::new();
        for _ in 0..reader.u32()? {
            let number = reader.u32()?;
            let message = *reader.array()?;
            lines.insert(number, (message, reader.vector(LINE_MAX)?.to_vec()));
        }
        Ok(Self {
            confirmed,
            released: confirmed,
            complete,
            lines,
        })
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

    fn numbers(inbox: &mut Inbox) -> Vec<u32> {
        inbox.release().iter().map(|(number, ..)| *number).collect()
    }

    fn stored(inbox: &Inbox) -> Inbox {
        let mut writer = Writer::new();
        inbox.write(&mut writer).unwrap();
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes);
        let read = Inbox::read(&mut reader).unwrap();
        reader.finish().unwrap();
        read
    }

    #[test]
    fn every_line_is_shown_once_and_in_order() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.take(line(2), [0; 8]), Arrival::New);
        assert_eq!(numbers(&mut inbox), []);
        assert_eq!(inbox.report().missing, [0, 1]);
        assert_eq!(inbox.take(line(0), [0; 8]), Arrival::New);
        assert_eq!(inbox.take(line(0), [0; 8]), Arrival::Known);
        assert_eq!(inbox.take(line(2), [0; 8]), Arrival::Known);
        assert_eq!(numbers(&mut inbox), [0]);
        assert_eq!(inbox.take(line(1), [0; 8]), Arrival::New);
        assert_eq!(numbers(&mut inbox), [1, 2]);
        assert_eq!(inbox.take(line(1), [0; 8]), Arrival::Known);
        assert_eq!(numbers(&mut inbox), []);
        let all_read = Report {
            end: 3,
            missing: vec![],
        };
        assert_eq!(inbox.report(), all_read);
    }

    #[test]
    fn after_a_crash_the_screen_goes_on_where_it_was() {
        let mut inbox = Inbox::default();
        for number in [0, 1, 2, 4] {
            inbox.take(line(number), [7; 8]);
        }
        assert_eq!(numbers(&mut inbox), [0, 1, 2]);
        inbox.confirm(1);
        for shown in 1..=3 {
            let mut again = stored(&inbox);
            again.resume(shown).unwrap();
            assert_eq!(numbers(&mut again), (shown..3).collect::<Vec<_>>());
            assert_eq!(again.report().missing, [3]);
        }
        assert!(stored(&inbox).resume(0).is_err());
        assert!(stored(&inbox).resume(4).is_err());
    }

    #[test]
    fn what_an_unfair_peer_can_make_us_hold_is_bounded() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.take(line(AHEAD), [0; 8]), Arrival::Refused);
        assert_eq!(inbox.take(line(u32::MAX), [0; 8]), Arrival::Refused);
        let long = Line {
            number: 0,
            content: vec![0; LINE_MAX + 1],
        };
        assert_eq!(inbox.take(long, [0; 8]), Arrival::Refused);
        assert_eq!(inbox, Inbox::default());
        inbox.take(line(AHEAD - 1), [0; 8]);
        let report = inbox.report();
        assert_eq!(report.missing.len(), MISSING);
        assert_eq!(report.end, u32::try_from(MISSING).unwrap());
    }
}

//! What the actors tell, and the rows that come of it.

use super::{Demo, FOR_LAPTOP, Fate, PendingRow, Shows, WAYS, way};
use crate::Result;
use crate::actors::{Role, Told};
use crate::course::Saw;
use crate::records::Record;
use crate::relay::MessageId;
use crate::screen::Row;

impl Demo {
    pub(super) fn take(&mut self, told: Told) -> Result<()> {
        let Told { role, record } = told;
        let name = role.name();
        let Some(record) = record else {
            return self.take_end(role);
        };
        match record {
            Record::Saw {
                mailbox,
                message,
                fate,
                length,
                head,
            } => {
                let saw = Saw { fate, length, head };
                self.take_sight(&mailbox, message, saw);
            }
            Record::Listens { mailbox, waiting } => self.take_listener(&mailbox, waiting)?,
            // After its first commit, and on the telephone the second, that of the laptop's entry.
            Record::Loaded { generation: ..=2, .. } => {}
            Record::Loaded {
                generation,
                read,
                written,
            } => self.screen.event(&format!(
                "{name} has loaded commit {generation} of his state: {read} lines read, {written} of his own written"
            ))?,
            Record::Contact { digits } => self.take_digits(role, digits)?,
            Record::Begun { address } => {
                let with = self.role_at(&address).map_or("somebody", Role::name);
                self.screen
                    .event(&format!("{name} begins a conversation with {with}"))?;
            }
            Record::Sent {
                to,
                number,
                message,
                ..
            } => {
                if let Some(way) = self.role_at(&to).and_then(|to| way(role, to)) {
                    let course = &mut self.courses[way];
                    let is_first = course.sent.insert(number, message).is_none();
                    let sights = course.saw.get(&message).map_or(0, Vec::len);
                    for sight in (0..sights).filter(|_| is_first) {
                        self.sample_dropped(way, number, sight);
                    }
                }
            }
            Record::Sealed { nanos } => self.counted.of(role).seal_nanos.push(nanos),
            Record::Opened { nanos } => self.counted.of(role).open_nanos.push(nanos),
            Record::Committed { nanos } => self.counted.of(role).commit_nanos.push(nanos),
            Record::Line {
                from,
                number,
                content,
            } => self.take_line(role, &from, number, content),
            Record::Delivered {} => {
                for peer in self.peers.iter_mut().filter(|peer| peer.role == role) {
                    peer.delivered = true;
                }
            }
            Record::Count { name, count } => self.counted.of(role).counts.increase(&name, count),
            Record::Changed { .. } | Record::Stranger { .. } => {
                return Err(format!("{name} has met somebody else's keys").into());
            }
            // Refusals are counted where they happen, and printed at the end.
            Record::Refused { .. }
            | Record::Own { .. }
            | Record::Linked {}
            | Record::Absent {}
            | Record::Connected {}
            | Record::Disconnected {}
            | Record::Address { .. } => {}
        }
        Ok(())
    }

    /// The sixty digits are the same on all devices, or somebody sits between them.
    fn take_digits(&mut self, role: Role, digits: String) -> Result<()> {
        if self.digits.values().any(|others| *others != digits) {
            return Err(format!("{} sees other digits than the others", role.name()).into());
        }
        self.digits.insert(role, digits.clone());
        if self.digits.len() == self.peers.len() {
            self.screen
                .event("alice, on both devices, and bob compare what they see:")?;
            self.screen.event(&digits)?;
        }
        Ok(())
    }

    fn take_end(&mut self, role: Role) -> Result<()> {
        match &mut self.fate {
            Fate::Dead(_, heard) if role == Role::Bob && !*heard => *heard = true,
            _ if self.stopping => {}
            _ => return Err(format!("{} has ended before its time", role.name()).into()),
        }
        Ok(())
    }

    fn take_sight(&mut self, mailbox: &[u8], message: MessageId, saw: Saw) {
        let to = self.role_at(mailbox);
        for (way, _) in WAYS
            .iter()
            .enumerate()
            .filter(|(_, way)| Some(way.to) == to)
        {
            // Of which way it is, the sender says, sooner or later.
            let course = &mut self.courses[way];
            let sights = course.saw.entry(message).or_default();
            sights.push(saw.clone());
            let sight = sights.len() - 1;
            let line = course.sent.iter().find(|(_, sent)| **sent == message);
            if let Some(number) = line.map(|(number, _)| *number) {
                self.sample_dropped(way, number, sight);
            }
        }
    }

    fn take_listener(&mut self, mailbox: &[u8], waiting: u64) -> Result<()> {
        let is_bob = self.role_at(mailbox) == Some(Role::Bob);
        if is_bob && matches!(self.fate, Fate::Arriving) {
            self.fate = Fate::Alive;
            if self.killed > 0 {
                self.screen.event(&format!(
                    "bob is at the relay again, where {waiting} messages were waiting for him"
                ))?;
            }
        }
        Ok(())
    }

    fn take_line(&mut self, role: Role, from: &[u8], number: u64, content: Vec<u8>) {
        let Some(way) = self.role_at(from).and_then(|from| way(from, role)) else {
            return;
        };
        if self.is_sampled(way, number) {
            self.rows.push_back(PendingRow {
                way,
                number,
                what: Shows::Read(content.clone()),
            });
        }
        self.courses[way].show(number, content);
        if number % 64 == 63 {
            let line = format!("shown {} {}", hex::encode(from), number + 1);
            for peer in self.peers.iter_mut().filter(|peer| peer.role == role) {
                // Who was killed meanwhile hears it on coming back.
                let _ = peer.actor.tell(&line);
            }
        }
    }

    fn is_sampled(&self, way: usize, number: u64) -> bool {
        let place = self.samples.iter().position(|sample| *sample == number);
        place.is_some_and(|place| WAYS[way].to != Role::Laptop || place % FOR_LAPTOP == 0)
    }

    /// A message that was dropped gets a row, if its line is one of those that are printed.
    fn sample_dropped(&mut self, way: usize, number: u64, sight: usize) {
        let course = &self.courses[way];
        let sights = course
            .sent
            .get(&number)
            .and_then(|sent| course.saw.get(sent));
        let saw = sights.and_then(|sights| sights.get(sight));
        if self.is_sampled(way, number) && saw.is_some_and(Saw::is_dropped) {
            self.rows.push_back(PendingRow {
                way,
                number,
                what: Shows::Dropped(sight),
            });
        }
    }

    pub(super) fn print_rows(&mut self) -> Result<()> {
        while let Some(row) = self.rows.front() {
            let course = &self.courses[row.way];
            let sights = course
                .sent
                .get(&row.number)
                .and_then(|sent| course.saw.get(sent));
            let Some(sights) = sights else {
                break;
            };
            let sight = match row.what {
                Shows::Dropped(sight) => Some(sight),
                // The first that went on, most likely.
                Shows::Read(_) => sights.iter().position(|saw| !saw.is_dropped()),
            };
            let Some((sight, saw)) = sight.and_then(|sight| Some((sight, sights.get(sight)?)))
            else {
                break;
            };
            let fate = match (sight, saw.fate.as_str()) {
                (0, fate) => fate.to_owned(),
                (_, "") => "again".to_owned(),
                (_, fate) => format!("again+{fate}"),
            };
            let number = usize::try_from(row.number)?;
            self.screen.row(&Row {
                direction: WAYS[row.way].arrow,
                number: row.number,
                sent: self.lines.get(number).copied().unwrap_or_default(),
                head: &saw.head,
                length: saw.length,
                fate: &fate,
                read: match &row.what {
                    Shows::Read(content) => Ok(content),
                    Shows::Dropped(_) => Err("lost"),
                },
            })?;
            self.rows.pop_front();
        }
        Ok(())
    }
}

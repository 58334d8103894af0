//! One device of the conversation: what it does with packets and lines, as a machine without sockets.
//!
//! Every call of the [`Device`] is stored when it returns. What a call of this machine wants to send or show waits in a
//! list until whoever drives it comes for it; should that never happen, it is in the outbox or in the inbox.
//!
//! ```text
//!   Welcome ──► publish bundles, own list ──► fetch the device lists of both accounts ──► Listen
//!
//!   line ──► Device::send ──► outbox ──► every device of the other account, and one's own others
//!               │ Unreached                          │ reports
//!            fetch bundles, Device::begin         Device::sent
//!
//!   Deliver ──► Device::receive ──► inbox ──► in order ──► the screen ──► Device::read
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use subrosa::device::Error;
use subrosa::identity::{AccountId, Fingerprint};
use subrosa::{Address, os_rng, system_now};

use crate::Result;
use crate::counts::Counts;
use crate::limits::{ACKNOWLEDGE, BATCH_EVENTS, FETCH, REPORT_MISSING};
use crate::link::Packet;
use crate::reading::Reading;
use crate::records::Record;
use crate::sending::Sending;
use crate::store::{Clock, StoredDevice};

mod arrivals;
mod departures;
mod directory;
#[cfg(test)]
mod tests;

/// The time, twice: what the library is told, and what the pauses are measured with.
#[derive(Clone, Copy)]
pub struct Now {
    pub unix_millis: u64,
    pub instant: Instant,
}

impl Now {
    pub fn read() -> Self {
        Self {
            unix_millis: system_now(),
            instant: Instant::now(),
        }
    }
}

/// What leaves a peer.
pub enum Release {
    Show(Record),
    Send(Packet),
}

/// What the screen knows when a peer begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Lines of our own that were given out.
    pub written: u32,
    /// Lines of each device that were shown.
    pub read: BTreeMap<Address, u32>,
}

pub struct Peer {
    device: StoredDevice,
    clock: Clock,
    account: AccountId,
    other: AccountId,

    /// The number that the next line gets.
    next: u32,
    /// Lines that are not sealed yet.
    unsealed: VecDeque<Vec<u8>>,
    sending: Sending,
    /// By the device that writes.
    readings: BTreeMap<Address, Reading>,

    online: bool,
    offline_announced: bool,
    listening: bool,
    /// This device is on its account's list.
    listed: bool,
    /// The other account's list is known.
    acquainted: bool,
    /// Its digits were not shown yet.
    contact_due: bool,
    questions: BTreeMap<Question, Asked>,
    /// Messages that nobody has looked at.
    arrived: Vec<Vec<u8>>,
    /// First messages whose senders were on no list that is known, with their accounts.
    held: Vec<(AccountId, Vec<u8>)>,
    reporting: Reporting,
    /// What was said of the other's keys.
    change_announced: bool,
    /// The tag of our newest message to each device: another one means that the ratchet has turned.
    newest_tags: BTreeMap<Address, [u8; 8]>,

    /// What inbox and outbox may forget, when there is time.
    read: Vec<u64>,
    sent: Vec<Vec<u8>>,
    /// Since they were last told.
    counts: Counts,
    releases: Vec<Release>,
}

/// What the relay is asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Bundle(Address),
    Lists(AccountId),
}

/// A question that was asked.
struct Asked {
    /// There is no answer yet.
    waiting: bool,
    not_before: Instant,
    /// Until it is asked again after an answer of no use.
    pause: Duration,
}

impl Asked {
    fn is_first(&self) -> bool {
        self.pause == FETCH
    }
}

/// When the others are told which of their lines are here.
struct Reporting {
    wanted: bool,
    last: Option<Instant>,
    /// Until what is missing is asked for again.
    pause: Duration,
}

impl Peer {
    /// Goes on with what is stored.
    pub fn new(
        device: StoredDevice,
        clock: Clock,
        other: AccountId,
        progress: &Progress,
        now: Now,
    ) -> Result<Self> {
        let readings = progress.read.iter();
        let mut peer = Self {
            account: device.account()?,
            device,
            clock,
            other,
            next: progress.written,
            unsealed: VecDeque::new(),
            sending: Sending::default(),
            readings: readings
                .map(|(address, shown)| (*address, Reading::from(*shown)))
                .collect(),
            online: false,
            offline_announced: false,
            listening: false,
            listed: false,
            acquainted: false,
            contact_due: false,
            questions: BTreeMap::new(),
            arrived: Vec::new(),
            held: Vec::new(),
            reporting: Reporting {
                wanted: false,
                last: None,
                pause: REPORT_MISSING,
            },
            change_announced: false,
            newest_tags: BTreeMap::new(),
            read: Vec::new(),
            sent: Vec::new(),
            counts: Counts::default(),
            releases: Vec::new(),
        };
        peer.look_into_inbox(now)?;
        peer.look_into_outbox(now)?;
        peer.look_at_lists()?;
        Ok(peer)
    }

    /// Where this device is reached.
    pub const fn address(&self) -> &Address {
        self.device.address()
    }

    /// Our own account, and the other one.
    pub const fn accounts(&self) -> (&AccountId, &AccountId) {
        (&self.account, &self.other)
    }

    /// Lines that were said so far.
    pub fn said(&self) -> usize {
        self.unsealed.len() + self.next as usize
    }

    /// Lines of our own that are sealed so far.
    pub const fn written(&self) -> u32 {
        self.next
    }

    /// Lines of others that are here without a gap.
    pub fn complete(&self) -> u64 {
        self.readings
            .values()
            .map(|reading| u64::from(reading.complete()))
            .sum()
    }

    /// Lines that not everybody has reported.
    pub fn undelivered(&self) -> usize {
        self.unsealed.len() + self.sending.len()
    }

    /// Lines that are in no store yet.
    pub fn unsealed(&self) -> usize {
        self.unsealed.len()
    }

    /// What may leave.
    pub fn releases(&mut self) -> Vec<Release> {
        let counts = std::mem::take(&mut self.counts);
        for (name, count) in counts.iter() {
            let name = name.to_owned();
            self.show(Record::Count { name, count });
        }
        std::mem::take(&mut self.releases)
    }

    /// Whether something may be due soon.
    pub fn is_busy(&self) -> bool {
        self.online
            && (!self.listening
                || self.reporting.wanted
                || self.undelivered() > 0
                || self.is_missing_any())
    }

    fn is_missing_any(&self) -> bool {
        self.readings.values().any(Reading::is_missing_any)
    }

    /// The screen has shown the lines of a device below `shown`.
    pub fn confirm(&mut self, from: &Address, shown: u32) {
        if let Some(reading) = self.readings.get_mut(from) {
            self.read.extend(reading.confirm(shown));
        }
    }

    /// Says a line.
    pub fn say(&mut self, content: Vec<u8>) {
        self.unsealed.push_back(content);
    }

    /// There is a connection to the relay.
    pub fn connected(&mut self) {
        self.online = true;
        self.offline_announced = false;
        self.show(Record::Connected {});
        self.send(Packet::Hello {
            address: self.address().as_bytes().to_vec(),
        });
    }

    /// There is no connection, or none any longer. What waits to be sent is lost, like anything on the network: another
    /// connection begins with `Hello`.
    pub fn disconnected(&mut self) {
        if !self.offline_announced {
            self.show(Record::Disconnected {});
        }
        self.offline_announced = true;
        self.online = false;
        self.listening = false;
        self.questions.clear();
        self.releases
            .retain(|release| matches!(release, Release::Show(_)));
    }

    /// A packet of the relay.
    pub fn receive(&mut self, packet: Packet, now: Now) -> Result<()> {
        match packet {
            Packet::Welcome { one_time_left } => self.publish(one_time_left, now),
            Packet::Bundle { address, bundle } => self.take_bundle(&address, bundle, now),
            Packet::Lists { account, lists } => {
                self.take_lists(AccountId::from_bytes(account), &lists, now)
            }
            // All that come together are read together.
            Packet::Deliver { message } => {
                self.arrived.push(message);
                Ok(())
            }
            // What only a peer says.
            Packet::Hello { .. }
            | Packet::Publish { .. }
            | Packet::Fetch { .. }
            | Packet::PublishList { .. }
            | Packet::FetchLists { .. }
            | Packet::Listen
            | Packet::Send { .. } => Ok(()),
        }
    }

    /// Whatever is due: messages are read, lines shown, lists and bundles fetched, lines and a report sent.
    pub fn work(&mut self, now: Now) -> Result<()> {
        let arrived = std::mem::take(&mut self.arrived);
        self.take_messages(&arrived, now)?;
        self.release_lines();
        if !self.online {
            return Ok(());
        }
        let (account, other) = (self.account, self.other);
        if !self.listed {
            self.ask(Question::Lists(account), now)?;
        }
        if !self.acquainted {
            self.ask(Question::Lists(other), now)?;
        }
        if self.listed && self.acquainted {
            // Not before, so that whoever writes first is known.
            self.listen();
            self.send_lines(now)?;
            if self.report_is_due(now) {
                self.send_report(now)?;
            }
        }
        self.tidy(ACKNOWLEDGE)
    }

    /// Lets inbox and outbox forget what they may, if that is as much as `least`: a commit each.
    pub fn tidy(&mut self, least: usize) -> Result<()> {
        if !self.read.is_empty() && self.read.len() >= least {
            self.device.read(&self.read, &mut os_rng())?;
            self.read.clear();
        }
        if !self.sent.is_empty() && self.sent.len() >= least {
            let ids: Vec<_> = self.sent.iter().map(Vec::as_slice).collect();
            self.device.sent(&ids, &mut os_rng())?;
            self.sent.clear();
        }
        self.note_commits();
        Ok(())
    }

    /// After a restart: what was received and not shown.
    fn look_into_inbox(&mut self, now: Now) -> Result<()> {
        let mut from = 0;
        loop {
            let messages = self.device.inbox(from, BATCH_EVENTS, &mut os_rng())?;
            let Some(last) = messages.last() else {
                return Ok(());
            };
            from = last.id + 1;
            for message in messages {
                self.take_text(message, now);
            }
        }
    }

    /// After a restart: what was sealed and is not known to have arrived.
    fn look_into_outbox(&mut self, now: Now) -> Result<()> {
        let mut from = 0;
        loop {
            let (messages, next) = self.device.outbox(from, BATCH_EVENTS, &mut os_rng())?;
            if messages.is_empty() {
                self.sending.heard(now.instant);
                return Ok(());
            }
            from = next;
            for message in messages {
                match departures::line_number(&message.id) {
                    Some(number) => {
                        let to = message.copies.iter().map(|copy| copy.to);
                        self.sending.sealed(number, to, None);
                        self.next = self.next.max(number + 1);
                    }
                    // There will be newer reports.
                    None => self.sent.push(message.id),
                }
            }
        }
    }

    fn release_lines(&mut self) {
        let mut lines = Vec::new();
        for (address, reading) in &mut self.readings {
            let released = reading.release();
            lines.extend(released.into_iter().map(|(number, content)| Record::Line {
                from: address.as_bytes().to_vec(),
                number: number.into(),
                content,
            }));
        }
        for line in lines {
            self.show(line);
        }
    }

    /// Asks the relay, unless it was asked just now.
    fn ask(&mut self, question: Question, now: Now) -> Result<()> {
        let asked = self.questions.entry(question).or_insert(Asked {
            waiting: false,
            not_before: now.instant,
            pause: FETCH,
        });
        if asked.waiting || now.instant < asked.not_before {
            return Ok(());
        }
        asked.waiting = true;
        let packet = match question {
            Question::Bundle(address) => Packet::Fetch {
                address: address.as_bytes().to_vec(),
            },
            Question::Lists(account) => {
                let list = self.device.list(&account, &mut os_rng())?;
                Packet::FetchLists {
                    account: *account.as_bytes(),
                    known: list.map(|list| list.version()),
                }
            }
        };
        self.send(packet);
        Ok(())
    }

    /// A call of the device, and how long it took without the store.
    fn timed<T>(
        &mut self,
        call: impl FnOnce(&mut StoredDevice) -> std::result::Result<T, Error>,
    ) -> (std::result::Result<T, Error>, Duration) {
        self.note_commits();
        let started = Instant::now();
        let result = call(&mut self.device);
        let took = started.elapsed();
        (result, took.saturating_sub(self.note_commits()))
    }

    /// Tells what the store was asked for; returns how long it took.
    fn note_commits(&mut self) -> Duration {
        let spent = self.clock.take();
        self.counts.add("commits", spent.commits.len());
        for commit in spent.commits {
            self.show(Record::Committed {
                nanos: nanos(commit),
            });
        }
        spent.total
    }

    fn listen(&mut self) {
        if !self.listening {
            self.listening = true;
            self.send(Packet::Listen);
        }
    }

    fn send(&mut self, packet: Packet) {
        self.releases.push(Release::Send(packet));
    }

    fn show(&mut self, record: Record) {
        self.releases.push(Release::Show(record));
    }

    /// The sixty digits that two people compare.
    fn digits(&mut self) -> Result<String> {
        let (own, other) = self.device.fingerprints(&self.other, &mut os_rng())?;
        Ok(Fingerprint::digits(&own, &other).to_string())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

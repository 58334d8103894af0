//! The relay: bundles, mailboxes, and a network between them that can be as bad as one likes.
//!
//! It knows nothing of the library but a hash function, to name the messages that it has seen. A thread for each
//! connection reads packets, another one writes them; one thread delivers what is due.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use subrosa::crypto::hash::sha256;

use crate::counts::Counts;
use crate::faults::{Fates, Faults};
use crate::limits::{BUNDLES, LISTS, MAILBOX};
use crate::link::Packet;
use crate::records::Record;

/// Eight bytes of the hash of a message: names it on the screen.
pub type MessageId = [u8; 8];

/// Where the relay tells what it sees.
pub type Witness = Box<dyn Fn(Record) + Send>;

/// Names a message without showing it.
pub fn message_id(message: &[u8]) -> MessageId {
    let mut id = MessageId::default();
    id.copy_from_slice(&sha256(&[message])[..8]);
    id
}

pub struct Relay {
    office: Mutex<Office>,
    /// Something new is under way.
    changed: Condvar,
}

impl Relay {
    pub fn new(faults: Faults, witness: Witness) -> Arc<Self> {
        let relay = Arc::new(Self {
            office: Mutex::new(Office {
                fates: Fates::new(faults),
                mailboxes: HashMap::new(),
                lists: HashMap::new(),
                under_way: BinaryHeap::new(),
                taken: 0,
                connections: 0,
                counts: Counts::default(),
                witness,
            }),
            changed: Condvar::new(),
        });
        let deliverer = Arc::clone(&relay);
        thread::spawn(move || deliverer.deliver());
        relay
    }

    /// Serves whoever connects, for ever.
    pub fn serve(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            let relay = Arc::clone(&self);
            // A peer that goes away, however it does, only ends its own connection.
            thread::spawn(move || relay.attend(stream));
        }
    }

    /// What was counted, and how many messages are still here.
    pub fn totals(&self) -> Counts {
        let office = self.office();
        let mut counts = office.counts.clone();
        counts.add("still_here", office.under_way.len());
        for mailbox in office.mailboxes.values() {
            counts.add("still_here", mailbox.waiting.len());
        }
        counts
    }

    fn office(&self) -> MutexGuard<'_, Office> {
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self) {
        let mut office = self.office();
        loop {
            let now = Instant::now();
            while let Some(parcel) = office.next_due(now) {
                office.put(parcel);
            }
            let next = office.under_way.peek().map(|Reverse(parcel)| parcel.due);
            office = match next {
                Some(due) => {
                    let pause = due.saturating_duration_since(now);
                    let woken = self.changed.wait_timeout(office, pause);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let woken = self.changed.wait(office);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    fn attend(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let (answers, outgoing) = channel();
        let writing = stream.try_clone()?;
        thread::spawn(move || write_packets(writing, &outgoing));
        let Some(Packet::Hello { address }) = Packet::read(&mut stream)? else {
            return Ok(());
        };
        let connection = self.office().welcome(&address, &answers);
        let served = self.serve_packets(&mut stream, connection, &address, &answers);
        self.office().leave(&address, connection);
        served
    }

    fn serve_packets(
        &self,
        stream: &mut TcpStream,
        connection: u64,
        address: &[u8],
        answers: &Sender<Packet>,
    ) -> std::io::Result<()> {
        while let Some(packet) = Packet::read(stream)? {
            let mut office = self.office();
            match packet {
                Packet::Publish { one_time, bundle } => office.publish(address, one_time, bundle),
                Packet::Fetch { address } => {
                    let bundle = office.hand_out(&address);
                    // Whoever has gone away does not miss the answer.
                    let _ = answers.send(Packet::Bundle { address, bundle });
                }
                Packet::PublishList {
                    account,
                    version,
                    list,
                } => office.publish_list(account, version, list),
                Packet::FetchLists { account, known } => {
                    let lists = office.lists_above(&account, known);
                    let _ = answers.send(Packet::Lists { account, lists });
                }
                Packet::Listen => office.listen(address, connection, answers),
                Packet::Send { mailbox, message } => {
                    office.take(address, mailbox, message);
                    self.changed.notify_one();
                }
                Packet::Hello { .. }
                | Packet::Welcome { .. }
                | Packet::Bundle { .. }
                | Packet::Lists { .. }
                | Packet::Deliver { .. } => return Ok(()),
            }
        }
        Ok(())
    }
}

fn write_packets(mut stream: TcpStream, outgoing: &Receiver<Packet>) {
    for packet in outgoing {
        if packet.write(&mut stream).is_err() {
            return;
        }
    }
}

/// Everything that the relay holds.
struct Office {
    fates: Fates,
    mailboxes: HashMap<Vec<u8>, Mailbox>,
    /// The device lists of each account, by their versions.
    lists: HashMap<[u8; 32], BTreeMap<u64, Vec<u8>>>,
    under_way: BinaryHeap<Reverse<Parcel>>,
    /// Copies of messages that were taken so far.
    taken: u64,
    connections: u64,
    counts: Counts,
    witness: Witness,
}

#[derive(Default)]
struct Mailbox {
    last_resort: Option<Vec<u8>>,
    one_time: VecDeque<Vec<u8>>,
    waiting: VecDeque<Vec<u8>>,
    /// The connection that listens, and the way to it.
    listener: Option<(u64, Sender<Packet>)>,
    /// The newest message that was delivered.
    newest: u64,
}

/// One copy of a message, on its way. Ordered by when it is due, then by arrival.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Parcel {
    due: Instant,
    /// Counts the copies in the order of their arrival.
    number: u64,
    sender: Vec<u8>,
    mailbox: Vec<u8>,
    message: Vec<u8>,
}

impl Office {
    fn welcome(&mut self, address: &[u8], answers: &Sender<Packet>) -> u64 {
        self.connections += 1;
        let mailbox = self.mailboxes.entry(address.to_vec()).or_default();
        let one_time_left = u32::try_from(mailbox.one_time.len()).unwrap_or(u32::MAX);
        let _ = answers.send(Packet::Welcome { one_time_left });
        self.connections
    }

    fn leave(&mut self, address: &[u8], connection: u64) {
        if let Some(mailbox) = self.mailboxes.get_mut(address)
            && matches!(&mailbox.listener, Some((listening, _)) if *listening == connection)
        {
            mailbox.listener = None;
        }
    }

    fn publish(&mut self, address: &[u8], one_time: bool, bundle: Vec<u8>) {
        let mailbox = self.mailboxes.entry(address.to_vec()).or_default();
        if one_time {
            mailbox.one_time.push_back(bundle);
            while mailbox.one_time.len() > BUNDLES {
                mailbox.one_time.pop_front();
            }
        } else {
            mailbox.last_resort = Some(bundle);
        }
    }

    /// The first list of a version stays. Whether they hold, the peers see: the relay knows no key.
    fn publish_list(&mut self, account: [u8; 32], version: u64, list: Vec<u8>) {
        let lists = self.lists.entry(account).or_default();
        if lists.len() < LISTS {
            lists.entry(version).or_insert(list);
        }
    }

    fn lists_above(&self, account: &[u8; 32], known: Option<u64>) -> Vec<Vec<u8>> {
        let Some(lists) = self.lists.get(account) else {
            return Vec::new();
        };
        match known {
            Some(known) => lists
                .range(known.saturating_add(1)..)
                .map(|(_, list)| list.clone())
                .collect(),
            None => lists.values().next_back().cloned().into_iter().collect(),
        }
    }

    fn hand_out(&mut self, address: &[u8]) -> Option<Vec<u8>> {
        let mailbox = self.mailboxes.get_mut(address)?;
        let one_time = mailbox.one_time.pop_front();
        one_time.or_else(|| mailbox.last_resort.clone())
    }

    fn listen(&mut self, address: &[u8], connection: u64, answers: &Sender<Packet>) {
        let mailbox = self.mailboxes.entry(address.to_vec()).or_default();
        mailbox.listener = Some((connection, answers.clone()));
        (self.witness)(Record::Listens {
            mailbox: address.to_vec(),
            waiting: mailbox.waiting.len() as u64,
        });
        for message in mailbox.waiting.drain(..) {
            let _ = answers.send(Packet::Deliver { message });
        }
    }

    /// A message arrives, and its fate is drawn.
    fn take(&mut self, sender: &[u8], mailbox: Vec<u8>, message: Vec<u8>) {
        let fate = self.fates.draw();
        let name = hex::encode(sender);
        let counts = &mut self.counts;
        counts.add(&format!("{name}:taken"), 1);
        counts.add(&format!("{name}:bytes"), message.len());
        counts.add(&format!("{name}:dropped"), usize::from(fate.is_dropped()));
        counts.add(
            &format!("{name}:doubled"),
            usize::from(fate.is_duplicated()),
        );
        counts.add(&format!("{name}:delayed"), usize::from(fate.is_delayed()));
        (self.witness)(Record::Saw {
            mailbox: mailbox.clone(),
            message: message_id(&message),
            fate: fate.words().join("+"),
            length: message.len() as u64,
            head: message.iter().take(16).copied().collect(),
        });
        let now = Instant::now();
        for delay in fate.copies {
            self.taken += 1;
            self.under_way.push(Reverse(Parcel {
                due: now + delay,
                number: self.taken,
                sender: sender.to_vec(),
                mailbox: mailbox.clone(),
                message: message.clone(),
            }));
        }
    }

    fn next_due(&mut self, now: Instant) -> Option<Parcel> {
        if self.under_way.peek()?.0.due > now {
            return None;
        }
        self.under_way.pop().map(|Reverse(parcel)| parcel)
    }

    fn put(&mut self, parcel: Parcel) {
        let mailbox = self.mailboxes.entry(parcel.mailbox.clone()).or_default();
        let name = hex::encode(&parcel.sender);
        let overtaken = parcel.number < mailbox.newest;
        self.counts
            .add(&format!("{name}:overtaken"), usize::from(overtaken));
        mailbox.newest = mailbox.newest.max(parcel.number);
        let mut packet = Packet::Deliver {
            message: parcel.message,
        };
        if let Some((_, listener)) = &mailbox.listener {
            match listener.send(packet) {
                Ok(()) => return,
                Err(returned) => packet = returned.0,
            }
            mailbox.listener = None;
        }
        if let Packet::Deliver { message } = packet {
            mailbox.waiting.push_back(message);
        }
        if mailbox.waiting.len() > MAILBOX {
            mailbox.waiting.pop_front();
        }
    }
}

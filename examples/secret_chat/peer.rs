//! One side of the conversation: what it does with packets and lines, as a machine without I/O.
//!
//! Whatever a call changes is only in memory, and whatever it wants to send or show waits in a list until
//! [`Peer::commit`] has stored the change: see [`Store`].
//!
//! ```text
//!   Welcome ──► publish bundles ──► no conversation yet: fetch the peer's bundle ──► pin its identity ──┐
//!                      │                                                                                │
//!                      └──────────────── conversation there ────────────────────────────────────────────┴─► Listen
//! ```
//! Nothing is listened to before the peer is pinned, so that a first message always meets a name that the relay has
//! answered for (trust on first use), and is accepted only from that very identity.

use std::time::{Duration, Instant};

use subrosa::crypto::hash::sha256;
use subrosa::wire::{self, Reader, Writer};
use subrosa::{
    Action, Address, Conversation, DeviceIdentity, Identity, Prekeys, os_rng, system_now,
};

use crate::Result;
use crate::counts::Counts;
use crate::inbox::Inbox;
use crate::limits::{FETCH, REPORT_MISSING};
use crate::link::Packet;
use crate::outbox::Outbox;
use crate::records::Record;
use crate::store::{Contents, Loaded, Store};

mod arrivals;
mod bundles;
mod departures;
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

/// What leaves a peer, after a commit and not before.
pub enum Release {
    Show(Record),
    Send(Packet),
}

pub struct Peer {
    // Stored, all in one commit.
    identity: DeviceIdentity,
    prekeys: Prekeys,
    /// `None` until the peer's identity is pinned.
    conversation: Option<Conversation>,
    inbox: Inbox,
    outbox: Outbox,
    counts: Counts,
    /// The tag of our newest message: another one means that the ratchet has turned.
    newest_tag: [u8; 8],

    // Not stored.
    peer_address: Address,
    online: bool,
    offline_announced: bool,
    listening: bool,
    begin_anew: bool,
    fetch: Fetch,
    reporting: Reporting,
    remedies: Vec<(Action, Instant)>,
    /// Somebody else under the peer's name, of whom the user was told.
    announced: Option<Identity>,
    /// Must be stored before anything is released.
    changed: bool,
    /// Should be stored when there is nothing else to do.
    untidy: bool,
    releases: Vec<Release>,
}

/// The question for a bundle.
struct Fetch {
    /// It was asked, and not answered.
    asked: bool,
    not_before: Option<Instant>,
    /// Until it is asked again.
    pause: Duration,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            asked: false,
            not_before: None,
            pause: FETCH,
        }
    }
}

/// When the peer is told which of its lines are here.
struct Reporting {
    wanted: bool,
    last: Option<Instant>,
    /// Until what is missing is asked for again.
    pause: Duration,
}

impl Peer {
    /// Goes on with what was stored, or begins as a new device.
    pub fn new(
        loaded: Option<Loaded>,
        address: Address,
        peer_address: Address,
        now: Now,
    ) -> Result<Self> {
        let peer = match loaded {
            Some(loaded) => Self::from_loaded(loaded, peer_address, now)?,
            None => Self::generate(address, peer_address, now)?,
        };
        if *peer.identity.public().address() != address {
            return Err("the stored state belongs to another name".into());
        }
        if let Some(conversation) = &peer.conversation
            && *conversation.peer().address() != peer_address
        {
            return Err("the stored conversation is with somebody else".into());
        }
        Ok(peer)
    }

    fn generate(address: Address, peer_address: Address, now: Now) -> Result<Self> {
        let rng = &mut os_rng();
        let identity = DeviceIdentity::generate(address, rng)?;
        let prekeys = Prekeys::generate(&identity, now.unix_millis, rng)?;
        let loaded = Loaded {
            identity,
            prekeys,
            conversation: None,
            app: Vec::new(),
        };
        let mut peer = Self::from_loaded(loaded, peer_address, now)?;
        peer.changed = true;
        Ok(peer)
    }

    fn from_loaded(loaded: Loaded, peer_address: Address, now: Now) -> Result<Self> {
        let mut peer = Self {
            identity: loaded.identity,
            prekeys: loaded.prekeys,
            conversation: loaded.conversation,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            counts: Counts::default(),
            newest_tag: [0; 8],
            peer_address,
            online: false,
            offline_announced: false,
            listening: false,
            begin_anew: false,
            fetch: Fetch::default(),
            reporting: Reporting {
                wanted: false,
                last: None,
                pause: REPORT_MISSING,
            },
            remedies: Vec::new(),
            announced: None,
            changed: false,
            untidy: false,
            releases: Vec::new(),
        };
        if !loaded.app.is_empty() {
            peer.read_app(&mut Reader::new(&loaded.app), now)?;
        }
        Ok(peer)
    }

    fn read_app(
        &mut self,
        reader: &mut Reader<'_>,
        now: Now,
    ) -> std::result::Result<(), wire::Error> {
        self.inbox = Inbox::read(reader)?;
        self.outbox = Outbox::read(reader, now.instant)?;
        self.counts = Counts::read(reader)?;
        self.newest_tag = *reader.array()?;
        reader.clone().finish()
    }

    fn write_app(&self) -> std::result::Result<Vec<u8>, wire::Error> {
        let mut writer = Writer::new();
        self.inbox.write(&mut writer)?;
        self.outbox.write(&mut writer)?;
        self.counts.write(&mut writer)?;
        writer.bytes(&self.newest_tag);
        Ok(writer.into_bytes())
    }

    /// Stores everything, as one change.
    pub fn commit(&mut self, store: &mut Store) -> Result<()> {
        self.counts.set("commits", store.generation() + 1);
        store.commit(&Contents {
            identity: &self.identity,
            prekeys: &self.prekeys,
            conversation: self.conversation.as_ref(),
            app: &self.write_app()?,
        })?;
        self.changed = false;
        self.untidy = false;
        Ok(())
    }

    /// Whether a commit must come before what is released next.
    pub const fn has_changed(&self) -> bool {
        self.changed
    }

    /// Whether a commit would be good, when there is time.
    pub const fn is_untidy(&self) -> bool {
        self.untidy
    }

    /// What may leave. Only after [`commit`](Self::commit), if the state has changed.
    pub fn releases(&mut self) -> Vec<Release> {
        std::mem::take(&mut self.releases)
    }

    pub const fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    pub const fn own(&self) -> &Identity {
        self.identity.public()
    }

    /// Whose identity is pinned.
    pub fn pinned(&self) -> Option<&Identity> {
        self.conversation.as_ref().map(Conversation::peer)
    }

    /// Whether something may be due soon.
    pub fn is_busy(&self) -> bool {
        self.online
            && (!self.listening
                || self.reporting.wanted
                || !self.outbox.is_empty()
                || self.inbox.is_missing_any())
    }

    /// How many lines the screen has shown when it begins.
    pub fn resume(&mut self, shown: u32) -> Result<()> {
        Ok(self.inbox.resume(shown)?)
    }

    /// The screen has shown the lines below `shown`.
    pub fn confirm(&mut self, shown: u32) {
        self.inbox.confirm(shown);
        self.untidy = true;
    }

    /// Says a line.
    pub fn say(&mut self, content: Vec<u8>) {
        self.outbox.push(content);
        self.changed = true;
    }

    /// There is a connection to the relay.
    pub fn connected(&mut self) {
        self.online = true;
        self.offline_announced = false;
        self.show(Record::Connected {});
        self.send(Packet::Hello {
            address: self.identity.public().address().as_bytes().to_vec(),
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
        self.fetch = Fetch::default();
        self.releases
            .retain(|release| matches!(release, Release::Show(_)));
    }

    /// A packet of the relay.
    pub fn receive(&mut self, packet: Packet, now: Now) -> Result<()> {
        match packet {
            Packet::Welcome { one_time_left } => {
                self.publish(one_time_left, now)?;
                if self.conversation.is_some() {
                    self.listen();
                }
                Ok(())
            }
            Packet::Bundle { bundle } => self.take_bundle(bundle, now),
            Packet::Deliver { message } => self.take_message(&message, now),
            // What only a peer says.
            Packet::Hello { .. }
            | Packet::Publish { .. }
            | Packet::Fetch { .. }
            | Packet::Listen
            | Packet::Send { .. } => Ok(()),
        }
    }

    /// Whatever is due: a bundle is fetched, lines and a report are sealed, lines are shown.
    pub fn work(&mut self, now: Now) -> Result<()> {
        for (number, message, content) in self.inbox.release() {
            self.show(Record::Line {
                number: number.into(),
                message,
                content,
            });
        }
        if !self.online {
            return Ok(());
        }
        let lines = self.outbox.due(now.instant);
        let report = self.report_is_due(now);
        let has_to_say = !lines.is_empty() || report;
        if self.conversation.is_none() || (has_to_say && self.has_to_begin()) {
            self.ask_for_bundle(now);
        } else if self.listening {
            for (number, cause) in lines {
                self.send_line(number, cause, now)?;
            }
            if report {
                self.send_report(now)?;
            }
        }
        Ok(())
    }

    /// Whether there is nothing to send in, or it is not to be used any longer.
    fn has_to_begin(&self) -> bool {
        self.begin_anew
            || !self
                .conversation
                .as_ref()
                .is_some_and(Conversation::can_send)
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
}

/// The first half of the hash of both identity keys: what two people compare.
pub fn fingerprint(identity: &Identity) -> Vec<u8> {
    let keys = identity.keys();
    let hash = sha256(&[keys.signing_key().as_bytes(), keys.dh_key().as_bytes()]);
    hash[..16].to_vec()
}

fn nanos_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

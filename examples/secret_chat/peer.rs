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
    Action, Address, Bundle, Conversation, DeviceIdentity, Error, Identity, Incoming, Opened,
    Prekeys, StagedFirst, VerifiedBundle, os_rng, system_now,
};

use crate::Result;
use crate::counts::Counts;
use crate::inbox::{Arrival, Inbox, MessageId};
use crate::limits::{
    FETCH, ONE_TIME_BATCH, ONE_TIME_LOW, PROBE_MAX, REMEDY, REPORT, REPORT_MISSING,
};
use crate::link::Packet;
use crate::outbox::{Cause, Outbox};
use crate::protocol::{Line, Text};
use crate::records::Record;
use crate::relay::message_id;
use crate::store::{Contents, Loaded, Store};

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
#[derive(Default)]
struct Fetch {
    asked: bool,
    not_before: Option<Instant>,
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
        self.send(Packet::Hello {
            address: self.identity.public().address().as_bytes().to_vec(),
        });
    }

    /// There is no connection, or none any longer; what was not yet released with it is lost like anything on the network.
    pub fn disconnected(&mut self) {
        if !self.offline_announced {
            self.show(Record::Disconnected {});
        }
        self.offline_announced = true;
        self.online = false;
        self.listening = false;
        self.fetch = Fetch::default();
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

/// Bundles: our own and the peer's.
impl Peer {
    fn publish(&mut self, one_time_left: u32, now: Now) -> Result<()> {
        let rng = &mut os_rng();
        let mut one_time_left = one_time_left;
        if self.prekeys.rotation_due(now.unix_millis) {
            self.prekeys.rotate(&self.identity, now.unix_millis, rng)?;
            one_time_left = 0;
        }
        let bundle = self.prekeys.last_resort_bundle(&self.identity)?;
        self.send(Packet::Publish {
            one_time: false,
            bundle,
        });
        if one_time_left < ONE_TIME_LOW {
            let made = self
                .prekeys
                .replenish(&self.identity, ONE_TIME_BATCH, now.unix_millis, rng);
            match made {
                Ok(bundles) => {
                    for bundle in bundles {
                        self.send(Packet::Publish {
                            one_time: true,
                            bundle,
                        });
                    }
                }
                // The relay has lost too many of them. The last-resort bundle has to do for a while.
                Err(subrosa::agreement::Error::PrekeysExhausted) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.changed = true;
        Ok(())
    }

    fn ask_for_bundle(&mut self, now: Now) {
        let too_early = self.fetch.not_before.is_some_and(|at| now.instant < at);
        if self.fetch.asked || too_early {
            return;
        }
        self.fetch.asked = true;
        self.send(Packet::Fetch {
            address: self.peer_address.as_bytes().to_vec(),
        });
    }

    fn take_bundle(&mut self, bundle: Option<Vec<u8>>, now: Now) -> Result<()> {
        let is_first_answer = self.fetch.not_before.is_none();
        self.fetch.asked = false;
        self.fetch.not_before = Some(now.instant + FETCH);
        let Some(bundle) = bundle else {
            if is_first_answer {
                self.show(Record::Absent {});
            }
            return Ok(());
        };
        let verified = Bundle::parse(&bundle).and_then(|bundle| bundle.verify(now.unix_millis));
        let bundle = match verified {
            Ok(bundle) => bundle,
            Err(error) => return self.refuse(error.into(), now),
        };
        let identity = *bundle.identity();
        if *identity.address() != self.peer_address {
            self.announce_stranger(identity);
            return Ok(());
        }
        let pinned = self.pin(identity);
        if pinned != identity {
            self.announce_changed(pinned, identity);
            // Until the user has decided, nobody is asked again.
            self.fetch.not_before = Some(now.instant + REMEDY);
            return Ok(());
        }
        if self.has_to_begin() && !self.outbox.is_empty() {
            self.begin(&bundle, now)?;
        }
        self.listen();
        Ok(())
    }

    /// The first identity under the peer's name is believed, and the user told so.
    fn pin(&mut self, identity: Identity) -> Identity {
        if let Some(pinned) = self.pinned() {
            return *pinned;
        }
        self.conversation = Some(Conversation::new(identity));
        self.changed = true;
        self.show(Record::Contact {
            own: fingerprint(self.own()),
            peer: fingerprint(&identity),
        });
        identity
    }

    fn begin(&mut self, bundle: &VerifiedBundle, now: Now) -> Result<()> {
        let Some(conversation) = &mut self.conversation else {
            return Ok(());
        };
        let begun = conversation.begin(&self.identity, bundle, now.unix_millis, &mut os_rng());
        if let Err(error) = begun {
            return self.refuse(error, now);
        }
        self.begin_anew = false;
        self.changed = true;
        self.counts.add("begun", 1);
        self.show(Record::Begun {});
        Ok(())
    }

    fn announce_changed(&mut self, pinned: Identity, other: Identity) {
        if self.announced.replace(other) != Some(other) {
            self.show(Record::Changed {
                pinned: fingerprint(&pinned),
                other: fingerprint(&other),
            });
        }
    }

    fn announce_stranger(&mut self, stranger: Identity) {
        if self.announced.replace(stranger) != Some(stranger) {
            self.show(Record::Stranger {
                name: stranger.address().as_bytes().to_vec(),
            });
        }
    }
}

/// Messages that come.
impl Peer {
    fn take_message(&mut self, message: &[u8], now: Now) -> Result<()> {
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
    fn refuse(&mut self, error: Error, now: Now) -> Result<()> {
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

/// Messages that go.
impl Peer {
    fn send_line(&mut self, number: u32, cause: Cause, now: Now) -> Result<()> {
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

    fn report_is_due(&self, now: Now) -> bool {
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

    fn send_report(&mut self, now: Now) -> Result<()> {
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
        self.counts
            .add("firsts", incoming.first_id().is_some().into());
        self.counts.add("sealed", 1);
        self.counts.add("sealed_bytes", text.len());
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

struct Sealed {
    id: MessageId,
    nanos: u64,
    message: Vec<u8>,
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

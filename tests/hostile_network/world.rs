//! Devices, their apps and the network between them: every step is carried out, and compared with the model.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use subrosa::{
    Action, Address, AppKey, Bundle, Conversation, DeviceIdentity, Directory, Error, Identity,
    Incoming, Prekeys, StagedFirst, import,
};

use super::common::{APP_KEY, NOW, SLOT, SeededRng, snapshot};
use super::model::{BundleModel, ConversationModel, Message, Name, Names, PrekeysModel, Reading};

#[path = "heal.rs"]
mod heal;

/// No conversation takes more, exported, whatever arrives.
const CEILING: usize = 96 * 1024;

/// One thing that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub enum Op {
    /// A burst of messages.
    Send {
        from: u8,
        to: u8,
        count: u8,
    },
    /// Messages that are lost, with one after them that is not.
    Lose {
        from: u8,
        to: u8,
        count: u16,
    },
    Deliver {
        pick: u16,
    },
    /// The oldest ones, in order.
    DeliverMany {
        count: u8,
    },
    /// The device stops before anything of it was stored; the message arrives again later.
    DeliverAndCrash {
        pick: u16,
    },
    SendAndCrash {
        from: u8,
        to: u8,
    },
    /// Any message ever sent, again.
    Replay {
        pick: u16,
    },
    Drop {
        pick: u16,
    },
    Corrupt {
        pick: u16,
        other: u16,
        how: Corruption,
    },
    /// To somebody else, the sender included.
    Misdeliver {
        pick: u16,
        to: u8,
    },
    Begin {
        from: u8,
        to: u8,
        one_time: bool,
    },
    BothBegin {
        from: u8,
        to: u8,
        one_time: bool,
    },
    /// Export and import of all that a device has.
    Store {
        who: u8,
    },
    Rotate {
        who: u8,
    },
    /// The server takes a last-resort bundle, and hands it out until it gets another one.
    Publish {
        who: u8,
    },
    /// Minutes for everybody.
    Wait {
        minutes: u16,
    },
    /// A clock is set, hours from the true time.
    SetClock {
        who: u8,
        hours: i16,
    },
    /// The app is installed again: a new identity at the same address.
    Reinstall {
        who: u8,
    },
    /// A snapshot of the whole device, and its return without anybody's knowledge.
    Save {
        who: u8,
    },
    SetBack {
        who: u8,
    },
}

#[derive(Clone, Debug)]
pub enum Corruption {
    FlipBit {
        at: u16,
    },
    Truncate {
        to: u16,
    },
    Extend {
        by: u8,
    },
    /// The front of one message, the rest of another: cut at a border of the format, or anywhere.
    Splice {
        cut: u16,
        from_the_end: bool,
    },
    /// A first message without its agreement, or another message's agreement in front.
    Regraft,
}

/// What a set of operations may lead to.
#[derive(Clone, Copy)]
pub struct Rules {
    pub peers: usize,
    /// Every message that arrives for the first time is read: the network is at most this many messages late, each
    /// pair has no more than four agreements, and no device is set back.
    pub late_by: Option<usize>,
    /// Hours between rounds when the storm is over.
    pub pause: u64,
    /// Rounds until everybody can talk to everybody.
    pub rounds: usize,
}

/// A message on its way, or long arrived.
pub struct Sent {
    pub from: usize,
    pub to: usize,
    sender: Identity,
    bytes: Rc<[u8]>,
    text: Vec<u8>,
    model: Message,
    /// Where its sender was in the Braid.
    pq_epoch: Option<u32>,
}

/// What is stored, in one commit, and what the model has in its place.
#[derive(Clone)]
struct Stored {
    prekeys: Vec<u8>,
    conversations: BTreeMap<usize, Vec<u8>>,
    prekeys_model: PrekeysModel,
    models: BTreeMap<usize, ConversationModel>,
    read: BTreeSet<usize>,
    begin_anew: BTreeSet<usize>,
    /// Of which installation.
    name: Name,
}

/// One device, and the app on it.
struct Peer {
    name: Name,
    identity: DeviceIdentity,
    prekeys: Prekeys,
    conversations: BTreeMap<usize, Conversation>,
    directory: Directory<usize>,
    rng: SeededRng,
    /// Milliseconds ahead of the true time.
    ahead: i64,
    prekeys_model: PrekeysModel,
    models: BTreeMap<usize, ConversationModel>,
    /// Messages read, by their place in the log.
    read: BTreeSet<usize>,
    /// Peers with whom the library said to begin anew.
    begin_anew: BTreeSet<usize>,
    saved: Option<Stored>,
    /// Messages sent since then to each peer.
    sent_since: BTreeMap<usize, usize>,
    published: Option<(Vec<u8>, BundleModel)>,
    rotations: usize,
    /// Messages that broke the Braid.
    pq_broken: usize,
    was_set_back: bool,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Read(Reading),
    Refused(Error),
    /// A first message, before the library names its sender.
    FirstRefused(Error),
    /// The app did not believe the sender.
    Declined,
}

/// How often what happened.
#[derive(Default, Debug)]
pub struct Tally {
    pub sent: usize,
    pub read: usize,
    pub refused: BTreeMap<String, usize>,
    pub begun: usize,
    /// Messages whose reading said to begin anew.
    pub told_to_begin: usize,
    pub begun_after_the_storm: usize,
    /// Without those that `stalls` counts.
    pub rounds_after_the_storm: usize,
    pub stalls: usize,
    pub largest: usize,
}

pub struct World {
    rules: Rules,
    peers: Vec<Peer>,
    names: Names,
    now: u64,
    rng: SeededRng,
    log: Vec<Sent>,
    in_flight: VecDeque<usize>,
    /// Agreements of each pair.
    agreements: BTreeMap<(usize, usize), usize>,
    /// Some device was set back.
    set_back: bool,
    /// Of a first message with too great a gap before it the library names no sender. Some apps drop it (SPEC
    /// §14.1-R2), others believe the network who sent it, and begin anew.
    drops_far_firsts: bool,
    /// When each agreement was made.
    created: BTreeSet<u64>,
    /// What happened after the storm.
    course: Vec<String>,
    /// For each pair, the texts after the storm that nobody could read yet (`outlast`).
    stalls: BTreeMap<(usize, usize), usize>,
    pub tally: Tally,
}

impl World {
    pub fn new(rules: Rules, seed: u64) -> Self {
        let mut rng = SeededRng(seed);
        let mut names = Names::default();
        let peers = (0..rules.peers)
            .map(|index| Peer::install(index, NOW, SeededRng(rng.next()), &mut names))
            .collect();
        Self {
            rules,
            peers,
            names,
            now: NOW,
            rng,
            log: Vec::new(),
            in_flight: VecDeque::new(),
            agreements: BTreeMap::new(),
            set_back: false,
            drops_far_firsts: seed >> 10 & 1 == 1,
            created: BTreeSet::new(),
            course: Vec::new(),
            stalls: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    pub fn step(&mut self, op: &Op) {
        self.now += 1 + self.rng.below(1000);
        match *op {
            Op::Send { from, to, count } => {
                let (from, to) = self.pair(from, to);
                for _ in 0..=count % 8 {
                    self.send(from, to);
                }
            }
            Op::Lose { from, to, count } => {
                let (from, to) = self.pair(from, to);
                for _ in 0..count % 2_200 {
                    if self.send(from, to) {
                        self.in_flight.pop_back();
                    }
                }
                self.send(from, to);
            }
            Op::Deliver { pick } => {
                if let Some(place) = self.pick(pick) {
                    let message = self.in_flight.remove(place).unwrap();
                    self.deliver(message);
                }
            }
            Op::DeliverMany { count } => {
                for _ in 0..=count % 32 {
                    if let Some(message) = self.in_flight.pop_front() {
                        self.deliver(message);
                    }
                }
            }
            Op::DeliverAndCrash { pick } => {
                if let Some(place) = self.pick(pick) {
                    let message = self.in_flight[place];
                    let who = self.log[message].to;
                    let stored = self.peers[who].store();
                    self.deliver(message);
                    self.peers[who].load(stored);
                }
            }
            Op::SendAndCrash { from, to } => {
                let (from, to) = self.pair(from, to);
                let stored = self.peers[from].store();
                if self.send(from, to) {
                    self.in_flight.pop_back();
                    self.log.pop();
                    self.peers[from].load(stored);
                }
            }
            Op::Replay { pick } => {
                if let Some(message) = choose(pick, self.log.len()) {
                    // What was lost would be later than the rules allow.
                    let was_lost = !self.peers[self.log[message].to].read.contains(&message)
                        && !self.in_flight.contains(&message);
                    if !was_lost || self.rules.late_by.is_none() {
                        self.in_flight.retain(|other| *other != message);
                        self.deliver(message);
                    }
                }
            }
            Op::Drop { pick } => {
                if let Some(place) = self.pick(pick) {
                    self.in_flight.remove(place);
                }
            }
            Op::Corrupt {
                pick,
                other,
                ref how,
            } => {
                if let (Some(message), Some(other)) =
                    (choose(pick, self.log.len()), choose(other, self.log.len()))
                {
                    let bytes = self.corrupt(message, other, how);
                    self.deliver_corrupted(message, &bytes);
                }
            }
            Op::Misdeliver { pick, to } => {
                if let Some(message) = choose(pick, self.log.len()) {
                    let to = usize::from(to) % self.peers.len();
                    if to != self.log[message].to {
                        let outcome = self.receive(to, message);
                        assert!(!matches!(outcome, Outcome::Read(_)));
                    }
                }
            }
            Op::Begin { from, to, one_time } => {
                let (from, to) = self.pair(from, to);
                self.begin(from, to, one_time);
            }
            Op::BothBegin { from, to, one_time } => {
                let (from, to) = self.pair(from, to);
                self.begin(from, to, one_time);
                self.begin(to, from, !one_time);
                self.send(from, to);
                self.send(to, from);
            }
            Op::Store { who } => {
                let peer = self.peer(who);
                let stored = peer.store();
                peer.load(stored);
            }
            Op::Rotate { who } => {
                let who = usize::from(who) % self.peers.len();
                let now = self.clock(who);
                // Beyond sixteen generations the oldest is dropped before its grace is over.
                if self.rules.late_by.is_none() || self.peers[who].rotations < 14 {
                    self.peers[who].rotate(now, &mut self.names);
                }
            }
            Op::Publish { who } => {
                let peer = self.peer(who);
                let bundle = peer.prekeys.last_resort_bundle(&peer.identity).unwrap();
                peer.published = Some((bundle, peer.prekeys_model.last_resort_bundle()));
            }
            Op::Wait { minutes } => self.now += u64::from(minutes) * 60_000,
            Op::SetClock { who, hours } => self.peer(who).ahead = i64::from(hours) * 3_600_000,
            Op::Reinstall { who } => self.reinstall(usize::from(who) % self.peers.len()),
            Op::Save { who } => {
                let peer = self.peer(who);
                peer.saved = Some(peer.store());
                peer.sent_since.clear();
            }
            Op::SetBack { who } => {
                let peer = self.peer(who);
                if let Some(saved) = peer.saved.clone()
                    && saved.name == peer.name
                {
                    self.set_back = true;
                    let peer = self.peer(who);
                    peer.was_set_back = true;
                    peer.load(saved);
                    // Numbers that come again are told from repeated messages within a window of 32. An app that may
                    // be set back further has to notice it by itself, and then begins anew.
                    let far = peer.sent_since.iter().filter(|(_, sent)| **sent > 32);
                    peer.begin_anew.extend(far.map(|(to, _)| *to));
                }
            }
        }
        self.deliver_what_is_too_late();
    }

    /// Where the network is late by a bounded number of messages, the oldest arrive now.
    fn deliver_what_is_too_late(&mut self) {
        let Some(late_by) = self.rules.late_by else {
            return;
        };
        while self.in_flight.len() > late_by {
            let message = self.in_flight.pop_front().unwrap();
            self.deliver(message);
        }
    }

    fn peer(&mut self, who: u8) -> &mut Peer {
        let count = self.peers.len();
        &mut self.peers[usize::from(who) % count]
    }

    /// Two different peers.
    fn pair(&self, from: u8, to: u8) -> (usize, usize) {
        let count = self.peers.len();
        let from = usize::from(from) % count;
        (from, (from + 1 + usize::from(to) % (count - 1)) % count)
    }

    fn pick(&self, pick: u16) -> Option<usize> {
        choose(pick, self.in_flight.len())
    }

    fn clock(&self, who: usize) -> u64 {
        self.now.saturating_add_signed(self.peers[who].ahead)
    }

    /// Sends one message; begins where there is nothing to send in. Whether it was sent.
    fn send(&mut self, from: usize, to: usize) -> bool {
        let can_send = self.peers[from]
            .conversations
            .get(&to)
            .is_some_and(Conversation::can_send);
        if !can_send && !self.begin(from, to, true) {
            return false;
        }
        self.seal(from, to).is_ok()
    }

    fn seal(&mut self, from: usize, to: usize) -> Result<usize, Error> {
        let now = self.clock(from);
        let place = self.log.len();
        let length = match self.rng.below(8) {
            0 => self.rng.below(1_500),
            _ => self.rng.below(160),
        };
        let padding = vec![b'.'; usize::try_from(length).unwrap()];
        let text = [format!("{from} to {to}, {place}").as_bytes(), &padding].concat();
        let peer = &mut self.peers[from];
        let conversation = peer.conversations.get_mut(&to).unwrap();
        let model = peer.models.get_mut(&to).unwrap();
        let before = snapshot(conversation, &peer.identity);
        let sealed = conversation.seal(&peer.identity, &text, now, &mut peer.rng);
        let bytes = match (sealed, model.seal(now, &mut self.names)) {
            (Ok(bytes), Ok(model)) => {
                self.log.push(Sent {
                    from,
                    to,
                    sender: *peer.identity.public(),
                    bytes: bytes.into(),
                    text,
                    model,
                    pq_epoch: conversation.pq_epoch(),
                });
                *peer.sent_since.entry(to).or_default() += 1;
                self.in_flight.push_back(place);
                self.tally.sent += 1;
                Ok(place)
            }
            (Err(error), Err(expected)) => {
                assert_eq!(error, expected);
                assert_eq!(snapshot(conversation, &peer.identity), before);
                Err(error)
            }
            (sealed, expected) => panic!(
                "sealed: {:?}, expected: {:?}",
                sealed.map(|_| ()),
                expected.map(|_| ())
            ),
        };
        peer.compare(to);
        bytes
    }

    /// Fetches a bundle and begins, anew if need be. Whether it was done.
    fn begin(&mut self, from: usize, to: usize, one_time: bool) -> bool {
        let agreements = self
            .agreements
            .entry((from.min(to), from.max(to)))
            .or_default();
        if self.rules.late_by.is_some() && *agreements == 4 {
            return false;
        }
        let Some((bundle, bundle_model)) = self.fetch(to, one_time) else {
            return false;
        };
        let now = self.untied(from, to);
        let parsed = Bundle::parse(&bundle).unwrap();
        let verified = match parsed.verify(now) {
            Ok(verified) => verified,
            Err(error) => {
                assert_eq!(error, subrosa::agreement::Error::StaleBundle);
                assert!(bundle_model.is_stale(now));
                return false;
            }
        };
        assert!(!bundle_model.is_stale(now));
        let peer = &mut self.peers[from];
        let owner = bundle_model.owner;
        let conversation = peer
            .conversations
            .entry(to)
            .or_insert_with(|| Conversation::new(*verified.identity()));
        let model = peer
            .models
            .entry(to)
            .or_insert_with(|| ConversationModel::new(owner));
        let before = snapshot(conversation, &peer.identity);
        let mut begun = conversation.begin(&peer.identity, &verified, now, &mut peer.rng);
        let mut expected = model.begin(bundle_model.clone(), now, &mut self.names);
        assert_eq!(begun, expected);
        if begun == Err(Error::IdentityChanged) {
            // The user is asked, and consents.
            assert_eq!(snapshot(conversation, &peer.identity), before);
            *conversation = Conversation::new(*verified.identity());
            *model = ConversationModel::new(owner);
            begun = conversation.begin(&peer.identity, &verified, now, &mut peer.rng);
            expected = model.begin(bundle_model, now, &mut self.names);
        }
        assert_eq!((begun, expected), (Ok(()), Ok(())));
        peer.begin_anew.remove(&to);
        peer.compare(to);
        *self
            .agreements
            .entry((from.min(to), from.max(to)))
            .or_default() += 1;
        self.tally.begun += 1;
        true
    }

    /// A bundle as the server has it: a one-time one, made now, or the last-resort one.
    fn fetch(&mut self, owner: usize, one_time: bool) -> Option<(Vec<u8>, BundleModel)> {
        let now = self.clock(owner);
        let peer = &mut self.peers[owner];
        if let (false, Some(published)) = (one_time, &peer.published) {
            return Some(published.clone());
        }
        let made = one_time.then(|| {
            peer.prekeys
                .replenish(&peer.identity, 1, now, &mut peer.rng)
        });
        let Some(Ok(mut bundles)) = made else {
            // Who does not rotate may have given out a thousand bundles that nobody can begin with.
            let error = made.and_then(Result::err);
            assert!(error.is_none_or(|error| error == subrosa::agreement::Error::PrekeysExhausted));
            let bundle = peer.prekeys.last_resort_bundle(&peer.identity).unwrap();
            return Some((bundle, peer.prekeys_model.last_resort_bundle()));
        };
        let bundle = bundles.remove(0);
        let model = peer.prekeys_model.one_time_bundle(now, &mut self.names);
        Some((bundle, model))
    }

    /// The time at which `from` begins: its clock, or a little later where the agreement would be made in the same
    /// millisecond as another one. (Which of two wins a tie follows from hashes that the model does not have;
    /// `simultaneous.rs` has ties.)
    fn untied(&mut self, from: usize, to: usize) -> u64 {
        let model = self.peers[from].models.get(&to);
        let least = model.map_or(0, |model| model.last_created_at + 1);
        let mut now = self.clock(from);
        while self.created.contains(&now) || self.created.contains(&now.max(least)) {
            now = now.max(least) + 1;
        }
        self.created.extend([now, now.max(least)]);
        now
    }

    fn reinstall(&mut self, who: usize) {
        let now = self.clock(who);
        let seed = SeededRng(self.rng.next());
        let ahead = self.peers[who].ahead;
        self.peers[who] = Peer {
            ahead,
            ..Peer::install(who, now, seed, &mut self.names)
        };
    }

    /// Delivers a genuine message to its addressee.
    fn deliver(&mut self, message: usize) -> Outcome {
        let to = self.log[message].to;
        let is_new = !self.peers[to].read.contains(&message);
        let outcome = self.receive(to, message);
        match &outcome {
            Outcome::Read(reading) => {
                assert!(is_new, "a message was read twice");
                let sent = &self.log[message];
                self.peers[to].read.insert(message);
                if reading.action == Action::BeginAnew {
                    self.peers[to].begin_anew.insert(sent.from);
                    self.tally.told_to_begin += 1;
                }
                self.tally.read += 1;
            }
            Outcome::Refused(error) | Outcome::FirstRefused(error) => {
                if is_new {
                    let from = self.log[message].from;
                    assert!(
                        self.rules.late_by.is_none(),
                        "a message was not read: {error:?}"
                    );
                    if self.heeded(&outcome) == Action::BeginAnew {
                        self.peers[to].begin_anew.insert(from);
                    }
                }
                *self.tally.refused.entry(format!("{error:?}")).or_default() += 1;
            }
            Outcome::Declined => assert!(self.rules.late_by.is_none()),
        }
        outcome
    }

    /// What the app does after a refusal.
    fn heeded(&self, outcome: &Outcome) -> Action {
        match outcome {
            Outcome::FirstRefused(Error::GapTooLarge) if self.drops_far_firsts => Action::Drop,
            Outcome::Refused(error) | Outcome::FirstRefused(error) => error.action(),
            Outcome::Read(_) | Outcome::Declined => Action::Nothing,
        }
    }

    /// What the app of `to` does with a genuine message, compared with the model at each step.
    fn receive(&mut self, to: usize, message: usize) -> Outcome {
        let now = self.clock(to);
        let current: Vec<(Identity, Name)> = self
            .peers
            .iter()
            .map(|peer| (*peer.identity.public(), peer.name))
            .collect();
        let sent = &self.log[message];
        let peer = &mut self.peers[to];
        let incoming = Incoming::parse(&sent.bytes).unwrap();
        let found: Vec<usize> = peer.directory.find(&incoming).copied().collect();
        let expected: Vec<usize> = peer
            .models
            .iter()
            .filter(|(_, model)| match sent.model.is_first {
                true => model.has_first(sent.model.session.name),
                false => model.has_tag_of(&sent.model),
            })
            .map(|(key, _)| *key)
            .collect();
        assert_eq!(found, expected);
        assert!(found.len() <= 1);

        let mut refusal = Error::NoSession;
        if let Some(key) = found.first() {
            match peer.open(*key, sent, &incoming, now) {
                Ok(reading) => {
                    assert_eq!(*peer.conversations[key].peer(), sent.sender);
                    self.tally.largest = self.tally.largest.max(peer.size(*key));
                    return Outcome::Read(reading);
                }
                Err(error) => refusal = error,
            }
        } else {
            // What no index leads to, no conversation reads.
            for key in peer.conversations.keys().copied().collect::<Vec<_>>() {
                assert_eq!(peer.open(key, sent, &incoming, now), Err(Error::NoSession));
            }
        }
        if refusal != Error::NoSession || !sent.model.is_first {
            return Outcome::Refused(refusal);
        }
        peer.stage(sent, &incoming, now, &current, &mut self.tally)
    }

    fn corrupt(&mut self, message: usize, other: usize, how: &Corruption) -> Vec<u8> {
        let mut bytes = self.log[message].bytes.to_vec();
        let other = &self.log[other].bytes;
        match *how {
            Corruption::FlipBit { at } => {
                let bit = usize::from(at) % (bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            Corruption::Truncate { to } => bytes.truncate(usize::from(to) % bytes.len()),
            Corruption::Extend { by } => bytes.extend(vec![0; usize::from(by) + 1]),
            Corruption::Splice { cut, from_the_end } => {
                // Behind the envelope, the tag, the salt, the header, or anywhere.
                let first = bytes[1] == 1;
                let start = if first { subrosa::agreement::PREFIX } else { 2 };
                let cut = match cut % 6 {
                    0 => start,
                    1 => start + 8,
                    2 => start + 24,
                    3 => start + subrosa::ratchet::FRAME_OVERHEAD - 16,
                    _ => usize::from(cut) % bytes.len(),
                };
                let from = match from_the_end {
                    true => (other.len() + cut).saturating_sub(bytes.len()),
                    false => cut.min(other.len()),
                };
                bytes.truncate(cut);
                bytes.extend_from_slice(&other[from..]);
            }
            Corruption::Regraft => {
                let prefix = subrosa::agreement::PREFIX;
                let start = |bytes: &[u8]| if bytes[1] == 1 { prefix } else { 2 };
                bytes = [&other[..start(other)], &bytes[start(&bytes)..]].concat();
            }
        }
        bytes
    }

    /// Whatever was altered is refused, and nothing changes: in the conversation, in any other, in the prekeys.
    fn deliver_corrupted(&mut self, message: usize, bytes: &[u8]) {
        if self.log.iter().any(|sent| *sent.bytes == *bytes) {
            return;
        }
        let to = self.log[message].to;
        let now = self.clock(to);
        let peer = &mut self.peers[to];
        let Ok(incoming) = Incoming::parse(bytes) else {
            return;
        };
        for key in peer.conversations.keys().copied().collect::<Vec<_>>() {
            let conversation = peer.conversations.get_mut(&key).unwrap();
            let before = snapshot(conversation, &peer.identity);
            assert!(conversation.open(&incoming, now).is_err());
            assert_eq!(snapshot(conversation, &peer.identity), before);
        }
        assert!(StagedFirst::stage(&incoming, &peer.identity, &peer.prekeys, now).is_err());
    }
}

fn choose(pick: u16, count: usize) -> Option<usize> {
    (count > 0).then(|| usize::from(pick) % count)
}

impl Peer {
    fn install(index: usize, now: u64, mut rng: SeededRng, names: &mut Names) -> Self {
        let address = Address::new(format!("device {index}").as_bytes()).unwrap();
        let identity = DeviceIdentity::generate(address, &mut rng).unwrap();
        let prekeys = Prekeys::generate(&identity, now, &mut rng).unwrap();
        let name = names.next();
        Self {
            name,
            identity,
            prekeys,
            conversations: BTreeMap::new(),
            directory: Directory::new(),
            rng,
            ahead: 0,
            prekeys_model: PrekeysModel::new(name, now, names),
            models: BTreeMap::new(),
            read: BTreeSet::new(),
            begin_anew: BTreeSet::new(),
            saved: None,
            sent_since: BTreeMap::new(),
            published: None,
            rotations: 0,
            pq_broken: 0,
            was_set_back: false,
        }
    }

    fn rotate(&mut self, now: u64, names: &mut Names) {
        self.prekeys
            .rotate(&self.identity, now, &mut self.rng)
            .unwrap();
        self.prekeys_model.rotate(now, names);
        self.rotations += 1;
    }

    fn store(&self) -> Stored {
        let conversations = self.conversations.iter();
        Stored {
            prekeys: snapshot(&self.prekeys, &self.identity),
            conversations: conversations
                .map(|(key, conversation)| (*key, snapshot(conversation, &self.identity)))
                .collect(),
            prekeys_model: self.prekeys_model.clone(),
            models: self.models.clone(),
            read: self.read.clone(),
            begin_anew: self.begin_anew.clone(),
            name: self.name,
        }
    }

    fn load(&mut self, stored: Stored) {
        let key = AppKey::new(APP_KEY);
        self.prekeys = import(&stored.prekeys, SLOT, &key).unwrap();
        self.directory = Directory::new();
        self.conversations.clear();
        for (index, bytes) in &stored.conversations {
            assert!(bytes.len() < CEILING);
            let conversation: Conversation = import(bytes, SLOT, &key).unwrap();
            assert_eq!(snapshot(&conversation, &self.identity), *bytes);
            self.directory.update(index, &conversation);
            self.conversations.insert(*index, conversation);
        }
        self.prekeys_model = stored.prekeys_model;
        self.models = stored.models;
        self.read = stored.read;
        self.begin_anew = stored.begin_anew;
    }

    fn size(&self, key: usize) -> usize {
        let size = snapshot(&self.conversations[&key], &self.identity).len();
        assert!(size < CEILING, "{size}");
        size
    }

    /// What can be seen of a conversation is what the model says; its new tags go into the index.
    fn compare(&mut self, key: usize) {
        let (conversation, model) = (&self.conversations[&key], &self.models[&key]);
        assert_eq!(conversation.can_send(), model.can_send());
        assert_eq!(conversation.is_answered(), model.is_answered());
        assert_eq!(conversation.tags().count(), model.tags());
        assert!(model.tags() <= 24);
        self.directory.update(&key, conversation);
    }

    fn open(
        &mut self,
        key: usize,
        sent: &Sent,
        incoming: &Incoming<'_>,
        now: u64,
    ) -> Result<Reading, Error> {
        let conversation = self.conversations.get_mut(&key).unwrap();
        let before = snapshot(conversation, &self.identity);
        let model = self.models.get_mut(&key).unwrap();
        let model_before = self.was_set_back.then(|| model.clone());
        let mut expected = model.open(&sent.model, now);
        let opened = conversation.open(incoming, now);
        // The model has no Braid: a device that was set back may not have the epoch any more of which its peer's next
        // chain is (SPEC §9.4-R3).
        if let (Some(model_before), Err(Error::Forked)) = (model_before, &opened)
            && let Some(sends) = model_before.begins_chain(&sent.model, now)
            && (!sends || sent.pq_epoch > conversation.pq_epoch())
        {
            *model = model_before;
            expected = Err(Error::Forked);
        }
        let reading = match opened {
            Ok(opened) => {
                assert_eq!(opened.text, sent.text);
                // The model has no Braid.
                if opened.pq_broken {
                    self.pq_broken += 1;
                    expected = expected.map(Reading::with_advice);
                }
                Ok(Reading {
                    forked: opened.forked,
                    gap_dropped: opened.gap_dropped,
                    old_state: opened.old_state,
                    action: opened.action,
                })
            }
            Err(error) => {
                assert_eq!(snapshot(conversation, &self.identity), before);
                Err(error)
            }
        };
        assert_eq!(reading, expected);
        self.compare(key);
        reading
    }

    /// A first message of an agreement that is not known. `current` is what the app believes of each address.
    fn stage(
        &mut self,
        sent: &Sent,
        incoming: &Incoming<'_>,
        now: u64,
        current: &[(Identity, Name)],
        tally: &mut Tally,
    ) -> Outcome {
        let before = snapshot(&self.prekeys, &self.identity);
        let expected = self.prekeys_model.stage(self.name, &sent.model, now);
        let stage =
            |prekeys: &Prekeys, identity| StagedFirst::stage(incoming, identity, prekeys, now);
        let staged = match stage(&self.prekeys, &self.identity) {
            Ok(staged) => staged,
            Err(error) => {
                assert_eq!(Err(error), expected);
                assert_eq!(snapshot(&self.prekeys, &self.identity), before);
                return Outcome::FirstRefused(error);
            }
        };
        assert_eq!(expected, Ok(()));
        assert_eq!(*staged.peer(), sent.sender);
        assert_eq!(staged.created_at(), sent.model.session.created_at);
        self.prekeys_model.consume(&sent.model);

        let (believed, name) = current[sent.from];
        if *staged.peer() != believed {
            // Somebody who was replaced since: not believed.
            staged.refuse(&mut self.prekeys).unwrap();
            return Outcome::Declined;
        }
        let key = sent.from;
        let conversation = self
            .conversations
            .entry(key)
            .or_insert_with(|| Conversation::new(believed));
        let model = self
            .models
            .entry(key)
            .or_insert_with(|| ConversationModel::new(name));
        let mut staged = staged;
        if model.peer != name {
            let state = snapshot(conversation, &self.identity);
            let refusal = staged.accept(conversation, &mut self.prekeys, now);
            assert_eq!(refusal, Err(Error::IdentityChanged));
            assert_eq!(snapshot(conversation, &self.identity), state);
            assert_eq!(snapshot(&self.prekeys, &self.identity), before);
            // The user is asked, and consents.
            *conversation = Conversation::new(believed);
            *model = ConversationModel::new(name);
            staged = stage(&self.prekeys, &self.identity).unwrap();
        }
        let opened = staged.accept(conversation, &mut self.prekeys, now).unwrap();
        let expected = model.accept(&sent.model, now);
        assert_eq!(opened.text, sent.text);
        let reading = Reading {
            forked: opened.forked,
            gap_dropped: opened.gap_dropped,
            old_state: opened.old_state,
            action: opened.action,
        };
        assert_eq!(reading, expected);
        self.compare(key);
        tally.largest = tally.largest.max(self.size(key));
        Outcome::Read(reading)
    }
}

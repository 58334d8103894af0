//! Target `hostile_group`: members of one group, a delivery service that does what it likes with their messages, and members that
//! keep no rule, step by step as the fuzzer's bytes say.
//!
//! Each member has a history: the commits that it merged. Whoever has the same history is in the same epoch, whoever has not is in
//! another one. What a member accepts from another is what that one sent, or the work of a member that was made hostile, under
//! its own name. Whatever is refused changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use subrosa::crypto::hash::sha256;
use subrosa::mls::{
    CipherSuite, Client, Error, ExtensionType, Extensions, ExternalCommit, JoinOptions, LeafIndex,
    LeafNode, Member, Processed, Psk, RecordName, Signer, WireFormat,
};
use zeroize::Zeroizing;

use super::common::SeededRng;
use super::group_fixture::{Keys, NOW, Newcomer, group_of};
use super::script::Script;

#[path = "hostile_group/insider.rs"]
mod insider;

/// Steps of one input.
const STEPS: usize = 24;
/// Members that there may be.
const MEMBERS: usize = 6;

type History = [u8; 32];

/// A member, its store, and what it went through.
struct Peer {
    member: Member,
    store: BTreeMap<RecordName, Zeroizing<Vec<u8>>>,
    history: History,
    /// The commit that waits.
    pending: Option<Vec<u8>>,
    /// The messages that it has opened.
    opened: BTreeSet<Vec<u8>>,
}

/// What is on its way.
struct Sent {
    bytes: Vec<u8>,
    /// Whether it is the work of a member that keeps no rule.
    hostile: bool,
}

/// Data of the app that was sent.
struct Text {
    history: History,
    sender: LeafIndex,
    text: Vec<u8>,
}

struct World {
    suite: CipherSuite,
    rng: SeededRng,
    peers: Vec<Peer>,
    network: Vec<Sent>,
    texts: BTreeMap<Vec<u8>, Text>,
    /// Each with where it leads to, and for whom it is.
    welcomes: Vec<(Vec<u8>, History, Vec<Newcomer>)>,
    /// Each history's epoch authenticator and tree.
    epochs: BTreeMap<History, ([u8; 32], Vec<u8>)>,
    /// Leaves whose member has been hostile.
    hostile: BTreeSet<LeafIndex>,
    /// What hostile members have said.
    forged: BTreeSet<Vec<u8>>,
    names: u8,
}

fn after(history: &History, commit: &[u8]) -> History {
    sha256(&[history, commit])
}

fn leaves(member: &Member) -> BTreeMap<LeafIndex, LeafNode> {
    let leaves = member.leaves();
    leaves.map(|(index, leaf)| (index, leaf.clone())).collect()
}

impl Peer {
    fn new(member: Member, history: History) -> Self {
        let mut peer = Self {
            member,
            store: BTreeMap::new(),
            history,
            pending: None,
            opened: BTreeSet::new(),
        };
        peer.save();
        peer
    }

    /// Stores what has changed.
    fn save(&mut self) {
        let changes = self.member.changes().unwrap();
        for (name, content) in changes.puts {
            self.store.insert(name, content);
        }
        for name in changes.deletes {
            self.store.remove(&name);
        }
        self.member.were_stored().unwrap();
        self.require_unchanged();
    }

    /// Nothing of the member has changed since it was stored.
    #[track_caller]
    fn require_unchanged(&self) {
        let changes = self.member.changes().unwrap();
        assert!(changes.puts.is_empty() && changes.deletes.is_empty());
    }

    /// A restart. What was stored bit by bit is what is stored at once.
    fn restart(&mut self) {
        self.save();
        let load = |name: &RecordName| Ok::<_, Error>(self.store.get(name).cloned());
        let mut member = Member::load(load).expect("what was stored is read");
        member.store_anew();
        let all: BTreeMap<_, _> = member.changes().unwrap().puts.into_iter().collect();
        assert_eq!(all, self.store);
        member.were_stored().unwrap();
        self.member = member;
    }

    fn lives(&self) -> bool {
        !self.member.is_removed() && self.member.reinitialized().is_none()
    }
}

impl World {
    fn new(suite: CipherSuite) -> Self {
        let mut rng = SeededRng(u64::from(suite.0));
        let group = group_of(suite, 3, &mut rng);
        let peers = group.into_iter().map(|member| Peer::new(member, [0; 32]));
        let mut world = Self {
            suite,
            peers: peers.collect(),
            rng,
            network: Vec::new(),
            texts: BTreeMap::new(),
            welcomes: Vec::new(),
            epochs: BTreeMap::new(),
            hostile: BTreeSet::new(),
            forged: BTreeSet::new(),
            names: 0,
        };
        (0..3).for_each(|place| world.agrees(place));
        world
    }

    fn newcomer(&mut self) -> Newcomer {
        self.names = self.names.wrapping_add(1);
        Newcomer::new(self.suite, &[200, self.names], &mut self.rng)
    }

    /// Whoever has the same history has the same epoch.
    fn agrees(&mut self, place: usize) {
        let peer = &self.peers[place];
        if peer.member.is_removed() {
            return;
        }
        let now = (
            *peer.member.epoch_authenticator(),
            peer.member.ratchet_tree().unwrap(),
        );
        let known = self
            .epochs
            .entry(peer.history)
            .or_insert_with(|| now.clone());
        assert_eq!(*known, now, "one history, two epochs");
        let alike = self.epochs.values().filter(|(held, _)| *held == now.0);
        assert_eq!(alike.count(), 1, "two histories, one epoch");
    }

    fn step(&mut self, script: &mut Script<'_>) {
        self.peers.iter_mut().for_each(Peer::save);
        let kind = script.below(20);
        let place = script.below(self.peers.len());
        match kind {
            0..=2 => self.seal(place, script),
            3 | 4 => self.propose(place, script),
            5..=7 => self.commit(place, script),
            8..=11 => {
                let genuine: Vec<_> = self.network.iter().map(|sent| sent.bytes.clone()).collect();
                if let Some(message) = genuine.get(script.below(genuine.len().max(1))) {
                    self.deliver(place, message, script.u8() % 16 == 15);
                }
            }
            // To everybody, in order or the last one first: so that groups go on together.
            12 | 13 => {
                if let Some(sent) = self.network.last() {
                    let message = sent.bytes.clone();
                    for place in 0..self.peers.len() {
                        self.deliver(place, &message, false);
                    }
                }
            }
            14 | 15 => {
                let genuine: Vec<_> = self.network.iter().map(|sent| &sent.bytes[..]).collect();
                let message = script.message(&genuine);
                self.deliver(place, &message, false);
            }
            16 => self.join(script),
            17 => self.join_by_commit(place, script),
            18 => match script.u8() % 6 {
                0 => self.peers[place].member.keep_past_epochs(script.below(5)),
                1 => self.peers[place].member.clear_proposals(),
                2 => self.drop_pending(place),
                3 | 4 => self.peers[place].restart(),
                _ => self.merge_pending(place),
            },
            _ => self.insider(place, script),
        }
    }

    fn send(&mut self, bytes: Vec<u8>, hostile: bool) {
        self.network.push(Sent { bytes, hostile });
    }

    fn seal(&mut self, place: usize, script: &mut Script<'_>) {
        let mut text = bytes(script);
        text.extend((self.texts.len() as u32).to_be_bytes());
        let peer = &mut self.peers[place];
        match peer.member.seal(&text, b"in clear", &mut self.rng) {
            Ok(message) => {
                let text = Text {
                    history: peer.history,
                    sender: peer.member.leaf(),
                    text,
                };
                self.texts.insert(message.clone(), text);
                self.send(message, false);
            }
            Err(error) => {
                assert!(matches!(error, Error::Over | Error::ProposalsWait));
                peer.require_unchanged();
            }
        }
    }

    fn propose(&mut self, place: usize, script: &mut Script<'_>) {
        let newcomer = self.newcomer();
        let format = format(script);
        let Self { peers, rng, .. } = self;
        let member = &mut peers[place].member;
        let sent = match script.below(7) {
            0 => member.propose_add(newcomer.key_package.clone(), format, NOW, rng),
            1 => member.propose_update(None, None, format, rng),
            2 => {
                let signer = Signer::generate(self.suite, rng).unwrap();
                let client = Client::basic(script.take(3));
                member.propose_update(Some(client), Some(signer), format, rng)
            }
            3 => member.propose_remove(LeafIndex(u32::from(script.u8() % 8)), format, rng),
            4 => member.propose_psk(Psk::External(script.take(2).to_vec()), format, rng),
            5 => member.propose_extensions(extensions(script), format, rng),
            _ => member.propose_reinit(b"next", self.suite, extensions(script), format, rng),
        };
        match sent {
            Ok(message) => self.send(message, false),
            Err(_) => self.peers[place].require_unchanged(),
        }
    }

    fn commit(&mut self, place: usize, script: &mut Script<'_>) {
        let flags = script.u8();
        let mut newcomers = Vec::new();
        if flags & 1 == 1 && self.peers.len() < MEMBERS {
            newcomers.push(self.newcomer());
        }
        let format = format(script);
        let Self { peers, rng, .. } = self;
        let peer = &mut peers[place];
        let mut commit = peer.member.commit().wire_format(format);
        commit = commit.with_received(flags & 2 == 0);
        if flags & 4 == 4 {
            commit = commit.with_path();
        }
        if flags & 24 == 24 {
            commit = commit.remove_member(LeafIndex(u32::from(script.u8() % 8)));
        }
        if flags & 32 == 32 {
            commit = commit.psk(Psk::External(script.take(2).to_vec()));
        }
        if flags & 192 == 192 {
            commit = commit.extensions(extensions(script));
        }
        for newcomer in &newcomers {
            commit = commit.add_client(newcomer.key_package.clone());
        }
        match commit.build(&Keys, NOW, rng) {
            Ok(messages) => {
                peer.pending = Some(messages.commit.clone());
                if let Some(welcome) = messages.welcome {
                    let history = after(&peer.history, &messages.commit);
                    self.welcomes.push((welcome, history, newcomers));
                }
                self.send(messages.commit, false);
            }
            Err(error) => {
                assert!(!matches!(
                    error,
                    Error::Rng | Error::Stale | Error::Decryption
                ));
                peer.require_unchanged();
            }
        }
    }

    fn drop_pending(&mut self, place: usize) {
        let peer = &mut self.peers[place];
        peer.member.clear_pending();
        peer.pending = None;
    }

    fn merge_pending(&mut self, place: usize) {
        let peer = &mut self.peers[place];
        assert_eq!(peer.pending.is_some(), peer.member.has_pending_commit());
        match peer.pending.take() {
            Some(commit) => {
                peer.member.merge_pending().unwrap();
                peer.history = after(&peer.history, &commit);
                self.agrees(place);
            }
            None => assert_eq!(peer.member.merge_pending(), Err(Error::NoCommitWaits)),
        }
    }

    /// What a member makes of a message.
    fn deliver(&mut self, place: usize, message: &[u8], refuse: bool) {
        let sent = self.network.iter().find(|sent| sent.bytes == message);
        let (genuine, hostile) = match sent {
            Some(sent) => (true, sent.hostile),
            None => (false, false),
        };
        let peer = &mut self.peers[place];
        peer.save();
        let processed = peer.member.process(message, &Keys, NOW);
        peer.require_unchanged();
        match processed {
            Err(error) => {
                assert!(!matches!(error, Error::Rng | Error::Stale));
                // The other way to the same end.
                assert!(peer.member.open(message).is_err());
                peer.require_unchanged();
                let expected = self.texts.get(message);
                if let Some(text) = expected
                    && text.history == peer.history
                    && text.sender != peer.member.leaf()
                    && !peer.member.is_removed()
                    && !peer.opened.contains(message)
                {
                    // Only who sent it can have used its key up.
                    assert!(self.hostile.contains(&text.sender), "{error:?}");
                }
            }
            Ok(Processed::OwnCommit) => {
                assert_eq!(peer.pending.as_deref(), Some(message));
                self.merge_pending(place);
            }
            Ok(Processed::Application(read)) => {
                let sender = read.sender;
                let epoch = read.epoch();
                let in_clear = read.authenticated_data.clone();
                let data = peer.member.take(*read).unwrap();
                assert!(peer.opened.insert(message.to_vec()), "read twice");
                let again = peer.member.open(message).err();
                assert!(matches!(again, Some(Error::GenerationUsed)));
                if let Some(text) = self.texts.get(message) {
                    assert_eq!((text.sender, &text.text), (sender, &data));
                    assert_eq!(in_clear, b"in clear");
                } else {
                    assert!(
                        hostile && self.hostile.contains(&sender),
                        "forged in {epoch}"
                    );
                }
            }
            Ok(Processed::Proposal(staged)) => {
                assert!(genuine, "a proposal that nobody sent");
                if refuse {
                    let asked = staged.credentials().count() > 0;
                    let refused = staged.approve(|_| false);
                    assert_eq!(refused.is_err(), asked);
                    peer.require_unchanged();
                    return;
                }
                let kept = staged.approve(|_| true).unwrap();
                peer.member.keep_proposal(kept).unwrap();
            }
            Ok(Processed::Commit(staged)) => {
                assert!(genuine, "a commit that nobody sent");
                if refuse {
                    let asked = staged.credentials().count() > 0;
                    assert_eq!(staged.approve(|_| false).is_err(), asked);
                    peer.require_unchanged();
                    return;
                }
                let old = leaves(&peer.member);
                let effects = staged.effects().clone();
                let approved = staged.approve(|_| true).unwrap();
                peer.member.merge(approved).unwrap();
                peer.pending = None;
                peer.history = after(&peer.history, message);
                assert_eq!(peer.member.is_removed(), effects.removes_oneself);
                if !peer.member.is_removed() {
                    told(&old, &leaves(&peer.member), &effects);
                }
                self.agrees(place);
            }
        }
    }

    /// Somebody joins by a Welcome: by that which is its own, or by one that was altered.
    fn join(&mut self, script: &mut Script<'_>) {
        if self.welcomes.is_empty() {
            return;
        }
        let choice = script.below(self.welcomes.len());
        let genuine: Vec<&[u8]> = self.welcomes.iter().map(|(bytes, ..)| &bytes[..]).collect();
        let bytes = match script.u8() % 4 {
            0 => script.message(&genuine),
            _ => genuine[choice].to_vec(),
        };
        let (own, history, newcomers) = &self.welcomes[choice];
        let Some(newcomer) = newcomers.first() else {
            return;
        };
        let joined = newcomer.join(&bytes);
        if bytes != *own {
            // What is for others may be altered on the way.
            if let Ok(joined) = joined {
                let genuine = newcomer.join(own).unwrap();
                let (altered, genuine) = (joined.changes(), genuine.changes());
                assert_eq!(altered.unwrap().puts, genuine.unwrap().puts);
            }
            return;
        }
        let history = *history;
        let joined = joined.unwrap();
        if self.peers.len() < MEMBERS {
            self.peers.push(Peer::new(joined, history));
            self.agrees(self.peers.len() - 1);
        }
        // Its secrets are deleted.
        self.welcomes[choice].2.clear();
    }

    /// Somebody joins by a commit, perhaps in a member's place.
    fn join_by_commit(&mut self, place: usize, script: &mut Script<'_>) {
        if self.peers.len() >= MEMBERS {
            return;
        }
        let peer = &self.peers[place];
        let Ok(info) = peer.member.group_info(true, true) else {
            assert!(!peer.lives());
            return;
        };
        let history = peer.history;
        let flags = script.u8();
        let mut external = ExternalCommit::new(
            Signer::generate(self.suite, &mut self.rng).unwrap(),
            Client::basic(&[flags]),
        );
        if flags % 4 == 1 {
            external.resync = Some(LeafIndex(u32::from(script.u8() % 8)));
        }
        if flags % 4 == 2 {
            external.psks.push(Psk::External(script.take(2).to_vec()));
        }
        let shown = match flags % 8 {
            7 => script.message(&[&info]),
            _ => info.clone(),
        };
        let options = JoinOptions::default();
        let joined = Member::join_by_commit(&shown, external, &options, &Keys, NOW, &mut self.rng);
        if let Ok(joined) = joined {
            assert_eq!(shown, info, "altered information of a group");
            let history = after(&history, &joined.commit);
            let member = joined.joining.approve(|_| true).unwrap();
            self.peers.push(Peer::new(member, history));
            self.agrees(self.peers.len() - 1);
            self.send(joined.commit, false);
        }
    }

    /// Everybody who is where the first living member is goes on with it, whatever was sent before.
    fn heal(mut self) {
        let Some(first) = self.peers.iter().position(Peer::lives) else {
            return;
        };
        let history = self.peers[first].history;
        for place in 0..self.peers.len() {
            self.drop_pending(place);
            self.peers[place].member.clear_proposals();
        }
        let commit = self.peers[first].member.commit();
        let built = commit.with_path().build(&Keys, NOW, &mut self.rng);
        let commit = match built {
            Ok(messages) => messages.commit,
            Err(error) => panic!("{error:?}"),
        };
        self.peers[first].pending = Some(commit.clone());
        self.send(commit.clone(), false);
        let suspect = self.hostile.contains(&self.peers[first].member.leaf());
        for place in 0..self.peers.len() {
            let peer = &self.peers[place];
            if peer.history != history || peer.member.is_removed() {
                continue;
            }
            self.deliver(place, &commit, false);
            let peer = &self.peers[place];
            // A hostile member may have used its own key up for something else, or have none for the leaf that it proposed.
            let suspect = suspect || self.hostile.contains(&peer.member.leaf());
            assert!(suspect || peer.history == after(&history, &commit));
        }
        let now = self.peers[first].history;
        let mut rng = self.rng.clone();
        for sender in 0..self.peers.len() {
            if self.peers[sender].history != now || self.peers[sender].member.is_removed() {
                continue;
            }
            let message = self.peers[sender]
                .member
                .seal(b"well", b"", &mut rng)
                .unwrap();
            let leaf = self.peers[sender].member.leaf();
            for reader in 0..self.peers.len() {
                let peer = &mut self.peers[reader];
                if reader != sender && peer.history == now && !peer.member.is_removed() {
                    assert_eq!(peer.member.open(&message), Ok((leaf, b"well".to_vec())));
                }
            }
        }
    }
}

/// What a commit did is what it said (see `attack_g2` in `tests/mls/attacks`).
fn told(
    before: &BTreeMap<LeafIndex, LeafNode>,
    after: &BTreeMap<LeafIndex, LeafNode>,
    effects: &subrosa::mls::Effects,
) {
    for (leaf, node) in after {
        let old = before.get(leaf);
        match old.filter(|_| !effects.removed.contains(leaf)) {
            None => assert!(effects.added.contains(leaf), "hidden"),
            Some(old) if old != node => {
                assert!(effects.updated.contains(leaf) || effects.committer == *leaf);
            }
            Some(_) => {}
        }
    }
    assert_eq!(
        after.len() + effects.removed.len(),
        before.len() + effects.added.len()
    );
}

/// Up to 99 bytes.
fn bytes(script: &mut Script<'_>) -> Vec<u8> {
    let length = usize::from(script.u8() % 100);
    script.take(length).to_vec()
}

fn format(script: &mut Script<'_>) -> WireFormat {
    match script.u8() % 2 {
        0 => WireFormat::PublicMessage,
        _ => WireFormat::PrivateMessage,
    }
}

/// Extensions of a group, some of which nobody has, or are malformed.
fn extensions(script: &mut Script<'_>) -> Extensions {
    let mut extensions = Extensions::new();
    for _ in 0..script.below(3) {
        let number = u16::from(script.u8() % 12);
        let length = script.below(16);
        let data = script.take(length).to_vec();
        extensions = extensions.with(ExtensionType(number), data);
    }
    extensions
}

/// Up to 24 steps in a group of three, with any of the suites.
pub fn hostile_group(data: &[u8]) {
    let mut script = Script::new(data);
    let mut world = World::new(CipherSuite::ALL[script.below(3)]);
    for _ in 0..STEPS {
        if script.is_empty() {
            break;
        }
        world.step(&mut script);
    }
    world.heal();
}

/// Each suite in a few storms, and what an insider can do, one thing at a time.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut rng = SeededRng(900);
    let mut seeds = vec![Vec::new()];
    for suite in 0..3 {
        for length in [60, 120, 240] {
            let bytes = (0..length).map(|_| rng.below(256) as u8);
            seeds.push([suite].into_iter().chain(bytes).collect());
        }
        // A message; an update, a commit of it; who is added, and who joins; all delivered.
        seeds.push(vec![
            suite, 0, 0, 5, 1, 2, 3, 4, 5, 12, 0, 3, 1, 0, 1, 12, 0, 5, 0, 0, 1, 12, 0,
        ]);
        seeds.push(vec![
            suite, 5, 0, 5, 1, 12, 0, 16, 0, 0, 1, 0, 3, 2, 7, 7, 12, 0, 17, 0, 0, 12, 0,
        ]);
        seeds.push(vec![
            suite, 3, 2, 0, 3, 1, 12, 0, 5, 0, 4, 0, 12, 0, 17, 1, 1, 1, 12, 0,
        ]);
        // In the name of the second: data of the app, a remove of the third, and an empty commit; in the clear and encrypted.
        for content in [&[0, 1, b'x'][..], &[1, 2, 2], &[3, 2, 0, 0]] {
            for format in 0..2 {
                let front = [&[suite, 19, 0, 0], content].concat();
                let named = [0, 1, 2, 1, format, 0, 1, 3, 7, 5, 12, 0];
                seeds.push([&front[..], &named].concat());
            }
        }
        for what in 0..8 {
            let bytes = (0..24).map(|_| rng.below(256) as u8);
            let bytes: Vec<u8> = bytes.collect();
            seeds.push([&[suite, 19, what % 3, what][..], &bytes, &[12, 0, 12, 0]].concat());
        }
    }
    seeds
}

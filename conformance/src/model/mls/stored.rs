//! What is stored of a member that only listens (SPEC §22.6), from what happened to its group.

use std::collections::BTreeMap;

use super::client::Client;
use super::commit::{Made, node_key};
use super::group::Group;
use super::message::{Format, Sender, Signed};
use super::tree::{Tree, children, encode_node, leaves_below, level};
use super::{HASH, Hash, Pair, expand, vector};
use crate::model::{Answer, array, error};

/// Contents by name.
pub type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// Levels in a record of the tree.
const LEVELS: u32 = 3;
/// Positions in a record of skipped keys.
const PAGE: u32 = 8;
/// Positions whose keys are held.
const HELD: u32 = 2_000;
/// Resumption secrets.
const RESUMPTION: usize = 8;
/// Seconds that a lifetime may span.
const LIFETIME: u64 = 31_708_800;

/// A secret of the tree of secrets, or who was reached from there.
enum Slot {
    Secret(Hash),
    Sender(u32),
}

impl Slot {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Secret(secret) => [&[0], secret.as_slice()].concat(),
            Self::Sender(leaf) => [&[1], leaf.to_be_bytes().as_slice()].concat(),
        }
    }
}

/// A ratchet, and the keys that were skipped, by their positions.
struct Ratchet {
    next: u32,
    secret: Hash,
    skipped: u32,
    held: BTreeMap<u32, (u32, Vec<u8>)>,
}

impl Ratchet {
    const fn new(secret: Hash) -> Self {
        Self {
            next: 0,
            secret,
            skipped: 0,
            held: BTreeMap::new(),
        }
    }

    fn hear(&mut self, generation: u32, key_length: usize) -> Answer<()> {
        if generation < self.next {
            self.held.retain(|_, (held, _)| *held != generation);
            return Ok(());
        }
        while self.next <= generation {
            let number = self.next.to_be_bytes();
            if self.next < generation {
                let mut key = expand(&self.secret, "key", &number, key_length)?;
                key.resize(32, 0);
                key.extend(expand(&self.secret, "nonce", &number, 12)?);
                self.held.insert(self.skipped, (self.next, key));
                self.skipped += 1;
            }
            self.secret = array(&expand(&self.secret, "secret", &number, HASH)?)?;
            self.next += 1;
        }
        let oldest = self.skipped.saturating_sub(HELD);
        self.held.retain(|position, _| *position >= oldest);
        Ok(())
    }

    fn encode(&self) -> Vec<u8> {
        let oldest = self.held.keys().next().unwrap_or(&self.skipped);
        [
            self.next.to_be_bytes().as_slice(),
            &self.secret,
            &self.skipped.to_be_bytes(),
            &oldest.to_be_bytes(),
            &(self.held.len() as u16).to_be_bytes(),
        ]
        .concat()
    }

    /// The skipped keys, by their records' numbers.
    fn pages(&self) -> BTreeMap<u32, Vec<u8>> {
        let mut pages = BTreeMap::<u32, Vec<u8>>::new();
        for (position, (generation, key)) in &self.held {
            let page = pages.entry(position / PAGE).or_default();
            page.extend(position.to_be_bytes());
            page.extend(generation.to_be_bytes());
            page.extend(key);
        }
        pages
    }
}

/// A sender, the level of the node where its path began, and its two ratchets.
struct Reached {
    level: u32,
    ratchets: [Ratchet; 2],
}

/// An epoch, and the keys of its messages.
struct Epoch {
    group: Group,
    slots: BTreeMap<usize, Slot>,
    reached: BTreeMap<u32, Reached>,
}

impl Epoch {
    fn new(group: &Group) -> Self {
        let secret = Slot::Secret(group.secrets.encryption);
        Self {
            slots: BTreeMap::from([(group.tree.root(), secret)]),
            reached: BTreeMap::new(),
            group: group.clone(),
        }
    }

    const fn number(&self) -> u64 {
        self.group.context.epoch
    }

    fn reach(&mut self, leaf: u32) -> Answer<Reached> {
        let path = self.group.tree.path(leaf);
        let above = path.iter().rev().map(|(node, _)| *node);
        let mut nodes = above.chain([leaf as usize * 2]);
        let begins = nodes.find(|node| matches!(self.slots.get(node), Some(Slot::Secret(_))));
        let mut node = begins.ok_or(error("UnknownSender"))?;
        let from = level(node);
        let Some(Slot::Secret(mut secret)) = self.slots.insert(node, Slot::Sender(leaf)) else {
            return Err(error("UnknownSender"));
        };
        while level(node) > 0 {
            let (left, right) = children(node);
            let left_secret: Hash = array(&expand(&secret, "tree", b"left", HASH)?)?;
            let right_secret: Hash = array(&expand(&secret, "tree", b"right", HASH)?)?;
            let other = match leaf <= leaves_below(left).1 {
                true => {
                    (node, secret) = (left, left_secret);
                    (right, right_secret)
                }
                false => {
                    (node, secret) = (right, right_secret);
                    (left, left_secret)
                }
            };
            self.slots.insert(other.0, Slot::Secret(other.1));
        }
        let ratchet =
            |label| -> Answer<_> { Ok(Ratchet::new(array(&expand(&secret, label, &[], HASH)?)?)) };
        Ok(Reached {
            level: from,
            ratchets: [ratchet("handshake")?, ratchet("application")?],
        })
    }

    fn hear(&mut self, leaf: u32, application: bool, generation: u32) -> Answer<()> {
        if !self.reached.contains_key(&leaf) {
            let reached = self.reach(leaf)?;
            self.reached.insert(leaf, reached);
        }
        let key_length = self.group.suite.key_length();
        let reached = self.reached.get_mut(&leaf);
        let ratchets = &mut reached.ok_or(error("UnknownSender"))?.ratchets;
        let [handshakes, applications] = ratchets;
        match application {
            true => applications.hear(generation, key_length),
            false => handshakes.hear(generation, key_length),
        }
    }

    /// `base`
    fn base(&self) -> Vec<u8> {
        let width = self.group.tree.width() as u32;
        [self.group.context.encode(), width.to_be_bytes().to_vec()].concat()
    }

    fn name(&self, kind: u8, rest: &[u8]) -> Vec<u8> {
        [&[kind], self.number().to_be_bytes().as_slice(), rest].concat()
    }

    fn keys(&self, records: &mut Records) {
        let root = self.slots.get(&self.group.tree.root());
        let root = root.map(Slot::encode).unwrap_or_default();
        records.insert(self.name(6, &[]), root);
        for (leaf, reached) in &self.reached {
            let name = leaf.to_be_bytes();
            let ratchets: Vec<_> = reached.ratchets.iter().map(Ratchet::encode).collect();
            records.insert(self.name(7, &name), ratchets.concat());
            let beside = self.group.tree.path(*leaf).into_iter();
            let beside = beside.take(reached.level as usize);
            let slots = beside.filter_map(|(_, other)| Some(self.slots.get(&other)?.encode()));
            records.insert(self.name(8, &name), slots.flatten().collect());
            for (kind, ratchet) in (0u8..).zip(&reached.ratchets) {
                for (page, content) in ratchet.pages() {
                    let name = [name.as_slice(), &[kind], &page.to_be_bytes()].concat();
                    records.insert(self.name(9, &name), content);
                }
            }
        }
    }

    fn tree(&self, records: &mut Records) {
        let tree = &self.group.tree;
        let mut hashes = vec![[0; HASH]; tree.0.len()];
        fill_hashes(tree, tree.root(), &mut hashes);
        pages(tree, tree.root(), &hashes, records);
    }
}

/// The tree hashes of a node and all below it.
fn fill_hashes(tree: &Tree, node: usize, hashes: &mut [Hash]) -> Hash {
    let hash = match level(node) {
        0 => tree.hash_of(node),
        _ => {
            let (left, right) = children(node);
            let left = fill_hashes(tree, left, hashes);
            let right = fill_hashes(tree, right, hashes);
            tree.joined(node, &left, &right)
        }
    };
    if let Some(place) = hashes.get_mut(node) {
        *place = hash;
    }
    hash
}

/// The records of a tree from a highest node on (§22.6-R3); its name.
fn pages(tree: &Tree, top: usize, hashes: &[Hash], records: &mut Records) -> Option<Hash> {
    let (first, last) = leaves_below(top);
    (first..=last).find(|leaf| tree.leaf(*leaf).is_some())?;
    let bottom = level(top) / LEVELS * LEVELS;
    let below = first as usize * 2..=last as usize * 2;
    let of_level = |node: &usize, levels: core::ops::Range<u32>| levels.contains(&level(*node));
    let mut content: Vec<u8> = Vec::new();
    for node in below
        .clone()
        .filter(|node| of_level(node, bottom..level(top) + 1))
    {
        content.extend(encode_node(tree.node(node)));
    }
    for node in below.filter(|node| of_level(node, bottom.saturating_sub(1)..bottom)) {
        match pages(tree, node, hashes, records) {
            Some(name) => content.extend([&[1], name.as_slice()].concat()),
            None => content.push(0),
        }
    }
    let name = *hashes.get(top)?;
    records.insert([&[10], name.as_slice()].concat(), content);
    Some(name)
}

/// A member that only listens.
pub struct Listener {
    signer: Pair,
    leaf: u32,
    leaf_key: Hash,
    /// Private keys of parents, by their nodes.
    parents: BTreeMap<usize, Pair>,
    epoch: Epoch,
    past: Vec<Epoch>,
    past_epochs: u64,
    resumption: Vec<(u64, Hash)>,
    proposals: Vec<Vec<u8>>,
    removed: bool,
}

impl Listener {
    /// A client that has joined, at this leaf; the Welcome had this path secret, of this node.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn joined(
        client: &Client,
        group: &Group,
        leaf: u32,
        path_secret: Option<(usize, Hash)>,
    ) -> Answer<Self> {
        let mut listener = Self {
            signer: client.signer.clone(),
            leaf,
            leaf_key: client.encryption.secret,
            parents: BTreeMap::new(),
            epoch: Epoch::new(group),
            past: Vec::new(),
            past_epochs: 3,
            resumption: vec![(group.context.epoch, group.secrets.resumption)],
            proposals: Vec::new(),
            removed: false,
        };
        if let Some((lowest, mut secret)) = path_secret {
            for (node, _) in group.tree.path(leaf) {
                if level(node) >= level(lowest) && group.tree.parent(node).is_some() {
                    let key = node_key(group.suite, &secret)?;
                    listener.parents.insert(node, key);
                    secret = super::derive(&secret, "path")?;
                }
            }
        }
        Ok(listener)
    }

    /// A message of the app was read.
    ///
    /// # Errors
    /// `EpochGone`.
    pub fn hear(&mut self, epoch: u64, leaf: u32, generation: u32) -> Answer<()> {
        let mut epochs = self.past.iter_mut().chain([&mut self.epoch]);
        let epoch = epochs.find(|held| held.number() == epoch);
        epoch
            .ok_or(error("EpochGone"))?
            .hear(leaf, true, generation)
    }

    /// A proposal was kept; `generation` is that of its key if it was encrypted.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn keep(&mut self, signed: &Signed, generation: u32) -> Answer<()> {
        self.handshake(signed, generation)?;
        let content = [
            signed.reference().to_vec(),
            signed.sender.encode(),
            signed.content.encode(),
        ];
        self.proposals.push(content.concat());
        Ok(())
    }

    fn handshake(&mut self, signed: &Signed, generation: u32) -> Answer<()> {
        match (signed.format, signed.sender) {
            (Format::Private, Sender::Member(leaf)) => self.epoch.hear(leaf, false, generation),
            _ => Ok(()),
        }
    }

    /// A commit was merged; `generation` is that of its key if it was encrypted.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn merge(&mut self, made: &Made, generation: u32) -> Answer<()> {
        self.handshake(&made.signed, generation)?;
        self.proposals.clear();
        let next = &made.next;
        if next.tree.leaf(self.leaf).is_none() {
            self.removed = true;
            return Ok(());
        }
        for (node, secret) in &made.path {
            let (first, last) = leaves_below(*node);
            if (first..=last).contains(&self.leaf) {
                self.parents.insert(*node, node_key(next.suite, secret)?);
            }
        }
        let tree = &next.tree;
        self.parents
            .retain(|node, key| tree.key(*node) == Some(&key.public));
        let over = core::mem::replace(&mut self.epoch, Epoch::new(next));
        self.past.push(over);
        self.resumption
            .push((next.context.epoch, next.secrets.resumption));
        let over = self.resumption.len().saturating_sub(RESUMPTION);
        self.resumption.drain(..over);
        self.keep_past_epochs(self.past_epochs);
        Ok(())
    }

    /// The app says how many past epochs to keep.
    pub fn keep_past_epochs(&mut self, epochs: u64) {
        self.past_epochs = epochs;
        let over = self.past.len().saturating_sub(epochs as usize);
        self.past.drain(..over);
    }

    fn head(&self) -> Vec<u8> {
        let Epoch { group, .. } = &self.epoch;
        let secrets = &group.secrets;
        let mut head = vec![0, 1];
        head.extend(group.suite.id.to_be_bytes());
        head.extend(self.signer.secret);
        head.push(u8::from(self.removed));
        head.extend(self.past_epochs.to_be_bytes());
        head.extend(LIFETIME.to_be_bytes());
        head.push(0);
        head.push(self.resumption.len() as u8);
        for (epoch, secret) in &self.resumption {
            head.extend(epoch.to_be_bytes());
            head.extend(secret);
        }
        head.extend((self.past.len() as u32).to_be_bytes());
        for past in &self.past {
            head.extend(past.number().to_be_bytes());
        }
        head.extend(self.epoch.base());
        head.extend(vector(&group.tag));
        head.extend(secrets.init);
        head.extend(secrets.sender_data);
        head.extend(secrets.exporter);
        head.extend(secrets.external);
        head.extend(secrets.confirmation);
        head.extend(secrets.membership);
        head.extend(secrets.resumption);
        head.extend(secrets.authenticator);
        head.extend(self.leaf.to_be_bytes());
        head.extend(self.leaf_key);
        head.push(self.parents.len() as u8);
        let mut parents: Vec<_> = self.parents.iter().collect();
        parents.sort_by_key(|(node, _)| level(**node));
        for (node, key) in parents {
            head.push(level(*node) as u8);
            head.extend(key.secret);
        }
        head
    }

    /// All records.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn records(&self) -> Answer<Records> {
        let mut records = Records::new();
        records.insert(vec![0], self.head());
        let proposals = self.proposals.len() as u16;
        let counts = [proposals.to_be_bytes(), [0, 0]].concat();
        records.insert(vec![2], counts);
        for (number, proposal) in (0u16..).zip(&self.proposals) {
            let name = [&[3], number.to_be_bytes().as_slice()].concat();
            records.insert(name, proposal.clone());
        }
        for past in &self.past {
            let sender_data = past.group.secrets.sender_data;
            let content = [past.base(), sender_data.to_vec()].concat();
            records.insert(past.name(5, &[]), content);
        }
        for epoch in self.past.iter().chain([&self.epoch]) {
            epoch.keys(&mut records);
            epoch.tree(&mut records);
        }
        Ok(records)
    }
}

//! The keys of an epoch's messages (RFC 9420 §9): a tree of secrets, of which only the frontier is held, and a ratchet of
//! keys for each sender and kind of content once it is reached.
//!
//! ```text
//! encryption_secret            held at first
//!        |
//!   +----+----+                leaf 2 is reached: its path is derived and let go of,
//!   |         |                the other child of each step is held
//!  [*]    +---+---+
//!         |       |
//!       leaf 2   [*]
//!         |
//!   handshake, application     ratchet_secret_[j] -> key_[j], nonce_[j], ratchet_secret_[j+1]
//! ```
//!
//! Nothing here changes on the way to a message: [`SecretTree::find`] gives a key and the [`Step`] that will have been
//! taken, and only [`SecretTree::take`] takes it, when the message was accepted whole.

use alloc::boxed::Box;
use alloc::vec::Vec;

mod item;
mod stored;

pub(super) use item::{Item, RatchetKind};

use super::error::Error;
use super::labels::derive;
use super::limits::{FORWARD_MAX, SKIPPED_MAX};
use super::math::{LeafIndex, NodeIndex, TreeSize};
use super::suite::Prk;
use crate::crypto::Secret;
use crate::crypto::aead::NONCE;
use crate::crypto::hash::HASH;
use crate::crypto::hpke::Aead;
use crate::memory;

/// Key and nonce of one message.
pub(super) struct MessageKey {
    pub(super) key: Secret<32>,
    pub(super) nonce: Secret<NONCE>,
}

impl MessageKey {
    const fn duplicate(&self) -> Self {
        Self {
            key: self.key.duplicate(),
            nonce: self.nonce.duplicate(),
        }
    }
}

/// A key that was passed over.
struct Skipped {
    generation: u32,
    /// How many were passed over in this ratchet before it.
    position: u32,
    key: MessageKey,
}

/// A sender's chain of keys.
struct Ratchet {
    /// The generation that `secret` gives next; nothing is left behind the last one.
    next: u32,
    secret: Secret<HASH>,
    /// How many keys were passed over so far.
    passed: u32,
    /// Those of the last [`SKIPPED_MAX`] passed over that were not used, the oldest first.
    skipped: Vec<Skipped>,
}

impl Ratchet {
    /// The first position of which the key is still held, if it was not used.
    fn oldest(&self) -> u32 {
        let most = u32::try_from(SKIPPED_MAX).unwrap_or(u32::MAX);
        self.passed.saturating_sub(most)
    }

    const fn new(secret: Secret<HASH>) -> Self {
        Self {
            next: 0,
            secret,
            passed: 0,
            skipped: Vec::new(),
        }
    }
}

/// The two ratchets of a sender.
struct Sender {
    /// The node whose secret its path began with.
    from: NodeIndex,
    handshake: Ratchet,
    application: Ratchet,
}

impl Sender {
    const fn ratchet(&self, kind: RatchetKind) -> &Ratchet {
        match kind {
            RatchetKind::Handshake => &self.handshake,
            RatchetKind::Application => &self.application,
        }
    }

    /// A second instance of one that has not sent yet.
    const fn begun(&self) -> Self {
        Self {
            from: self.from,
            handshake: Ratchet::new(self.handshake.secret.duplicate()),
            application: Ratchet::new(self.application.secret.duplicate()),
        }
    }

    const fn ratchet_mut(&mut self, kind: RatchetKind) -> &mut Ratchet {
        match kind {
            RatchetKind::Handshake => &mut self.handshake,
            RatchetKind::Application => &mut self.application,
        }
    }
}

/// A secret of the tree that no path was taken through.
struct Held {
    node: NodeIndex,
    /// The sender on whose way it was derived; none for the root.
    owner: Option<LeafIndex>,
    secret: Secret<HASH>,
}

impl Held {
    const fn duplicate(&self) -> Self {
        Self {
            node: self.node,
            owner: self.owner,
            secret: self.secret.duplicate(),
        }
    }
}

/// The keys of one epoch.
pub(super) struct SecretTree {
    aead: Aead,
    size: TreeSize,
    /// In the order of their nodes.
    held: Vec<Held>,
    /// Who was reached, in the order of the leaves, and where that is in `senders`.
    places: Vec<(LeafIndex, usize)>,
    senders: Vec<Sender>,
    /// Where each path began, in the order of the nodes, and who was reached from there.
    begun: Vec<(NodeIndex, LeafIndex)>,
    /// What is to be stored anew, in its order.
    changed: Vec<Item>,
}

/// What becomes of a sender's ratchets when a message is accepted. Its secrets lie in a box, out of which nothing is moved: whoever
/// holds a step may move it, and leaves no copy behind.
pub(super) struct Step(Box<Found>);

struct Found {
    leaf: LeafIndex,
    kind: RatchetKind,
    /// Where the ratchet was.
    base: u32,
    /// Of a sender that was not reached before: the secret that its path begins with goes, these come.
    reached: Option<Reached>,
    advance: Advance,
}

struct Reached {
    /// Whose way the secret was on.
    owner: Option<LeafIndex>,
    held: Vec<Held>,
    sender: Sender,
}

enum Advance {
    /// A key that was passed over is used.
    Skipped(u32),
    /// The ratchet goes on, past those that are skipped now.
    To {
        next: u32,
        secret: Secret<HASH>,
        skipped: Vec<Skipped>,
    },
}

impl SecretTree {
    pub(super) fn new(aead: Aead, size: TreeSize, encryption_secret: Secret<HASH>) -> Self {
        let mut held = Vec::new();
        let root = Held {
            node: size.root(),
            owner: None,
            secret: encryption_secret,
        };
        memory::push(&mut held, root);
        let mut tree = Self {
            held,
            ..Self::empty(aead, size)
        };
        tree.mark(Item::Root);
        tree
    }

    /// Without any secret.
    const fn empty(aead: Aead, size: TreeSize) -> Self {
        Self {
            aead,
            size,
            held: Vec::new(),
            places: Vec::new(),
            senders: Vec::new(),
            begun: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// What is to be stored anew.
    fn mark(&mut self, item: Item) {
        if let Err(place) = self.changed.binary_search(&item) {
            memory::insert(&mut self.changed, place, item);
        }
    }

    /// The next generation that the ratchet gives: what a member sends with.
    pub(super) fn next_generation(&self, leaf: LeafIndex, kind: RatchetKind) -> u32 {
        self.sender(leaf)
            .map_or(0, |sender| sender.ratchet(kind).next)
    }

    fn place(&self, leaf: LeafIndex) -> Result<usize, usize> {
        self.places.binary_search_by_key(&leaf, |(leaf, _)| *leaf)
    }

    fn sender(&self, leaf: LeafIndex) -> Option<&Sender> {
        let (_, place) = self.places.get(self.place(leaf).ok()?)?;
        self.senders.get(*place)
    }

    fn sender_mut(&mut self, leaf: LeafIndex) -> Option<&mut Sender> {
        let (_, place) = self.places.get(self.place(leaf).ok()?)?;
        self.senders.get_mut(*place)
    }

    fn held_at(&self, node: NodeIndex) -> Option<&Held> {
        let place = self.held.binary_search_by_key(&node, |held| held.node);
        self.held.get(place.ok()?)
    }

    /// The key of a generation, and what has to be done once its message is accepted.
    pub(super) fn find(
        &self,
        leaf: LeafIndex,
        kind: RatchetKind,
        generation: u32,
    ) -> Result<(MessageKey, Step), Error> {
        let (base, reached, (key, advance)) = match self.sender(leaf) {
            Some(sender) => {
                let ratchet = sender.ratchet(kind);
                (ratchet.next, None, self.advance(ratchet, generation)?)
            }
            None => {
                let reached = self.reach(leaf)?;
                let found = self.advance(reached.sender.ratchet(kind), generation)?;
                (0, Some(reached), found)
            }
        };
        let found = Found {
            leaf,
            kind,
            base,
            reached,
            advance,
        };
        Ok((key, Step(Box::new(found))))
    }

    /// Derives the way from the held secret above a leaf down to it.
    fn reach(&self, leaf: LeafIndex) -> Result<Reached, Error> {
        if !self.size.has(leaf) {
            return Err(Error::UnknownSender);
        }
        let above = match self.held_at(leaf.node()) {
            Some(held) => Some(held),
            None => {
                let mut path = self.size.direct_path(leaf.node());
                path.find_map(|(node, _)| self.held_at(node))
            }
        };
        let above = above.ok_or(Error::UnknownSender)?;
        let (from, owner) = (above.node, above.owner);
        let mut node = from;
        let mut secret = above.secret.duplicate();
        let mut held = Vec::new();
        while let Some((left, right)) = node.children() {
            let prk = Prk::new(&secret);
            let left_secret = prk.expand(derive::TREE, derive::LEFT)?;
            let right_secret = prk.expand(derive::TREE, derive::RIGHT)?;
            let (next, next_secret, other, other_secret) = if left.covers(leaf) {
                (left, left_secret, right, right_secret)
            } else {
                (right, right_secret, left, left_secret)
            };
            let other = Held {
                node: other,
                owner: Some(leaf),
                secret: other_secret,
            };
            memory::push(&mut held, other);
            node = next;
            secret = next_secret;
        }
        let prk = Prk::new(&secret);
        Ok(Reached {
            owner,
            held,
            sender: Sender {
                from,
                handshake: Ratchet::new(prk.derive(derive::HANDSHAKE)?),
                application: Ratchet::new(prk.derive(derive::APPLICATION)?),
            },
        })
    }

    fn advance(&self, ratchet: &Ratchet, generation: u32) -> Result<(MessageKey, Advance), Error> {
        let Some(ahead) = generation.checked_sub(ratchet.next) else {
            let mut skipped = ratchet.skipped.iter();
            let found = skipped.find(|skipped| skipped.generation == generation);
            let found = found.ok_or(Error::GenerationUsed)?;
            return Ok((found.key.duplicate(), Advance::Skipped(generation)));
        };
        if ahead > FORWARD_MAX {
            return Err(Error::GenerationTooFar);
        }
        let next = generation.checked_add(1).ok_or(Error::RatchetExhausted)?;
        let mut secret = ratchet.secret.duplicate();
        let mut skipped = Vec::new();
        for passed in ratchet.next..generation {
            let (key, following) = self.step(&secret, passed)?;
            let number = u32::try_from(skipped.len()).unwrap_or(u32::MAX);
            let key = Skipped {
                generation: passed,
                position: ratchet.passed.saturating_add(number),
                key,
            };
            memory::push(&mut skipped, key);
            secret = following;
        }
        let (key, secret) = self.step(&secret, generation)?;
        let advance = Advance::To {
            next,
            secret,
            skipped,
        };
        Ok((key, advance))
    }

    fn step(
        &self,
        secret: &Secret<HASH>,
        generation: u32,
    ) -> Result<(MessageKey, Secret<HASH>), Error> {
        let prk = Prk::new(secret);
        let generation = generation.to_be_bytes();
        let key = MessageKey {
            key: prk.key(self.aead, derive::KEY, &generation)?,
            nonce: prk.expand(derive::NONCE, &generation)?,
        };
        Ok((key, prk.expand(derive::SECRET, &generation)?))
    }

    /// Every secret that is held, and every key that was passed over.
    #[cfg(feature = "hazmat")]
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret<HASH>> {
        let ratchets = self.senders.iter();
        let ratchets = ratchets.flat_map(|sender| [&sender.handshake, &sender.application]);
        let secrets = ratchets.flat_map(|ratchet| {
            let skipped = ratchet.skipped.iter().map(|skipped| &skipped.key.key);
            core::iter::once(&ratchet.secret).chain(skipped)
        });
        self.held.iter().map(|held| &held.secret).chain(secrets)
    }

    /// Does what was found.
    ///
    /// # Errors
    /// [`Error::Stale`] if it was found before another step was taken that is in its way; nothing is done.
    pub(super) fn take(&mut self, step: Step) -> Result<(), Error> {
        let Step(mut found) = step;
        let Found {
            leaf,
            kind,
            base,
            reached,
            advance,
        } = &mut *found;
        let (leaf, kind, base) = (*leaf, *kind, *base);
        match (reached, self.place(leaf)) {
            (None, Ok(_)) => {}
            (Some(reached), Err(place)) => self.enter(leaf, place, reached)?,
            _ => return Err(Error::Stale),
        }
        let sender = self.sender_mut(leaf).ok_or(Error::Stale)?;
        let ratchet = sender.ratchet_mut(kind);
        let mut moved: Vec<u32> = Vec::new();
        match advance {
            Advance::Skipped(generation) => {
                let mut skipped = ratchet.skipped.iter();
                let place = skipped
                    .position(|held| held.generation == *generation)
                    .ok_or(Error::Stale)?;
                if let Some(used) = ratchet.skipped.get(place) {
                    memory::push(&mut moved, used.position);
                }
                memory::remove(&mut ratchet.skipped, place);
            }
            Advance::To { .. } if ratchet.next != base => return Err(Error::Stale),
            Advance::To {
                next,
                secret,
                skipped,
            } => {
                ratchet.next = *next;
                ratchet.secret = secret.duplicate();
                for new in &*skipped {
                    memory::push(&mut moved, new.position);
                    ratchet.passed = new.position.saturating_add(1);
                }
                if !skipped.is_empty() {
                    memory::append(&mut ratchet.skipped, skipped);
                }
                let oldest = ratchet.oldest();
                if ratchet
                    .skipped
                    .first()
                    .is_some_and(|first| first.position < oldest)
                {
                    for over in &ratchet.skipped {
                        if over.position < oldest {
                            memory::push(&mut moved, over.position);
                        }
                    }
                    memory::retain(&mut ratchet.skipped, |held| held.position >= oldest);
                }
            }
        }
        self.mark(Item::Sender(leaf));
        for position in moved {
            self.mark(Item::Skipped(leaf, kind, item::page_of(position)));
        }
        Ok(())
    }

    /// A sender is reached: the secret that its path began with goes, those beside the path come.
    fn enter(&mut self, leaf: LeafIndex, place: usize, reached: &Reached) -> Result<(), Error> {
        let Reached {
            owner,
            held,
            sender,
        } = reached;
        let from = sender.from;
        let Ok(gone) = self.held.binary_search_by_key(&from, |held| held.node) else {
            return Err(Error::Stale);
        };
        memory::remove(&mut self.held, gone);
        for new in held {
            let place = self.held.partition_point(|old| old.node < new.node);
            memory::insert(&mut self.held, place, new.duplicate());
        }
        memory::insert(&mut self.places, place, (leaf, self.senders.len()));
        memory::push(&mut self.senders, sender.begun());
        let place = self.begun.partition_point(|(node, _)| *node < from);
        memory::insert(&mut self.begun, place, (from, leaf));
        self.mark(owner.map_or(Item::Root, Item::Path));
        self.mark(Item::Path(leaf));
        Ok(())
    }
}

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

use alloc::vec::Vec;

use super::error::Error;
use super::framing::ContentType;
use super::labels::derive;
use super::limits::{FORWARD_MAX, SKIPPED_MAX};
use super::math::{LeafIndex, NodeIndex, TreeSize};
use super::suite::Prk;
use crate::crypto::Secret;
use crate::crypto::aead::NONCE;
use crate::crypto::hash::HASH;
use crate::crypto::hpke::Aead;
use crate::memory;

/// Which of a sender's two ratchets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RatchetKind {
    Handshake,
    Application,
}

impl From<ContentType> for RatchetKind {
    fn from(content_type: ContentType) -> Self {
        match content_type {
            ContentType::Application => Self::Application,
            ContentType::Proposal | ContentType::Commit => Self::Handshake,
        }
    }
}

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
    key: MessageKey,
}

/// A sender's chain of keys.
struct Ratchet {
    /// The generation that `secret` gives next; nothing is left behind the last one.
    next: u32,
    secret: Secret<HASH>,
    /// Passed over, the oldest first.
    skipped: Vec<Skipped>,
}

impl Ratchet {
    const fn new(secret: Secret<HASH>) -> Self {
        Self {
            next: 0,
            secret,
            skipped: Vec::new(),
        }
    }
}

/// The two ratchets of a sender.
struct Sender {
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
    secret: Secret<HASH>,
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
}

/// What becomes of a sender's ratchets when a message is accepted.
pub(super) struct Step {
    leaf: LeafIndex,
    kind: RatchetKind,
    /// Where the ratchet was.
    base: u32,
    /// Of a sender that was not reached before: the secret that its path begins with goes, these come.
    reached: Option<Reached>,
    advance: Advance,
}

struct Reached {
    from: NodeIndex,
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
            secret: encryption_secret,
        };
        memory::push(&mut held, root);
        Self {
            aead,
            size,
            held,
            places: Vec::new(),
            senders: Vec::new(),
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
        let step = Step {
            leaf,
            kind,
            base,
            reached,
            advance,
        };
        Ok((key, step))
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
        let from = above.node;
        let mut node = above.node;
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
                secret: other_secret,
            };
            memory::push(&mut held, other);
            node = next;
            secret = next_secret;
        }
        let prk = Prk::new(&secret);
        Ok(Reached {
            from,
            held,
            sender: Sender {
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
            let key = Skipped {
                generation: passed,
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
        let Step {
            leaf,
            kind,
            base,
            reached,
            advance,
        } = step;
        match (reached, self.place(leaf)) {
            (None, Ok(_)) => {}
            (Some(Reached { from, held, sender }), Err(place)) => {
                let Ok(gone) = self.held.binary_search_by_key(&from, |held| held.node) else {
                    return Err(Error::Stale);
                };
                memory::remove(&mut self.held, gone);
                for new in held {
                    let place = self.held.partition_point(|old| old.node < new.node);
                    memory::insert(&mut self.held, place, new);
                }
                memory::insert(&mut self.places, place, (leaf, self.senders.len()));
                memory::push(&mut self.senders, sender);
            }
            _ => return Err(Error::Stale),
        }
        let sender = self.sender_mut(leaf).ok_or(Error::Stale)?;
        let ratchet = sender.ratchet_mut(kind);
        match advance {
            Advance::Skipped(generation) => {
                let mut skipped = ratchet.skipped.iter();
                let place = skipped
                    .position(|held| held.generation == generation)
                    .ok_or(Error::Stale)?;
                memory::remove(&mut ratchet.skipped, place);
            }
            Advance::To { .. } if ratchet.next != base => return Err(Error::Stale),
            Advance::To {
                next,
                secret,
                mut skipped,
            } => {
                ratchet.next = next;
                ratchet.secret = secret;
                if !skipped.is_empty() {
                    memory::append(&mut ratchet.skipped, &mut skipped);
                }
                let over = ratchet.skipped.len().saturating_sub(SKIPPED_MAX);
                if over > 0 {
                    let mut places = 0..over;
                    memory::retain(&mut ratchet.skipped, |_| places.next().is_none());
                }
            }
        }
        Ok(())
    }
}

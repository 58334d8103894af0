//! The records of an epoch's message keys (SPEC §22.6.3): small ones, of which a message changes one or two.
//!
//! ```text
//! root:    the encryption secret, or who was reached first
//!            │
//! path of that sender: for each level below its beginning a secret, or who was reached from there
//!            │                                                          │
//!       (a secret)                                               path of that sender ...
//! ```
//!
//! So the records themselves say which others there are.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::item::{Item, RatchetKind, page_of};
use super::{Held, MessageKey, Ratchet, SecretTree, Sender, Skipped};
use crate::crypto::Secret;
use crate::crypto::aead::NONCE;
use crate::crypto::hash::HASH;
use crate::crypto::hpke::Aead;
use crate::memory;
use crate::mls::error::Error;
use crate::mls::limits::SKIPPED_MAX;
use crate::mls::math::{LeafIndex, NodeIndex, TreeSize};
use crate::wire::{self, Reader, Writer};

/// What lies where a path may begin.
enum Slot {
    Secret(Secret<HASH>),
    Sender(LeafIndex),
}

impl Slot {
    fn write(self, writer: &mut Writer) {
        match self {
            Self::Secret(secret) => writer.u8(0).bytes(secret.expose()),
            Self::Sender(leaf) => writer.u8(1).u32(leaf.0),
        };
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(match reader.u8()? {
            0 => Self::Secret(Secret::new(*reader.array()?)),
            1 => Self::Sender(LeafIndex(reader.u32()?)),
            _ => return Err(wire::Error::Value),
        })
    }
}

/// A sender whose records are to be read.
struct Open {
    leaf: LeafIndex,
    from: NodeIndex,
}

type Record = Zeroizing<Vec<u8>>;

impl SecretTree {
    /// Every record that is there.
    pub(in crate::mls) fn items(&self) -> Vec<Item> {
        let mut items = Vec::new();
        memory::push(&mut items, Item::Root);
        for (leaf, place) in &self.places {
            memory::push(&mut items, Item::Sender(*leaf));
            memory::push(&mut items, Item::Path(*leaf));
            let Some(sender) = self.senders.get(*place) else {
                continue;
            };
            for kind in [RatchetKind::Handshake, RatchetKind::Application] {
                let mut last = None;
                for skipped in &sender.ratchet(kind).skipped {
                    let page = page_of(skipped.position);
                    if last.replace(page) != Some(page) {
                        memory::push(&mut items, Item::Skipped(*leaf, kind, page));
                    }
                }
            }
        }
        items
    }

    /// The records that have changed since [`were_stored`](Self::were_stored), in their order.
    pub(in crate::mls) fn changed(&self) -> &[Item] {
        &self.changed
    }

    /// All records are to be stored.
    pub(in crate::mls) fn store_anew(&mut self) {
        self.changed = self.items();
        self.changed.sort_unstable();
    }

    /// What has changed is stored.
    pub(in crate::mls) fn were_stored(&mut self) {
        memory::clear(&mut self.changed);
    }

    /// The content of a record; none if nothing is left of it.
    pub(in crate::mls) fn record(&self, item: Item) -> Option<Record> {
        let mut writer = Writer::with_capacity(512);
        match item {
            Item::Root => self.slot(self.size.root())?.write(&mut writer),
            Item::Sender(leaf) => {
                let sender = self.sender(leaf)?;
                sender.handshake.write(&mut writer);
                sender.application.write(&mut writer);
            }
            Item::Path(leaf) => {
                for node in self.beside(self.sender(leaf)?.from, leaf) {
                    self.slot(node)?.write(&mut writer);
                }
            }
            Item::Skipped(leaf, kind, page) => {
                let ratchet = self.sender(leaf)?.ratchet(kind);
                let first = ratchet
                    .skipped
                    .partition_point(|held| page_of(held.position) < page);
                let mut held = ratchet.skipped.iter().skip(first);
                let mut any = false;
                while let Some(held) = held.next().filter(|held| page_of(held.position) == page) {
                    any = true;
                    held.write(&mut writer);
                }
                if !any {
                    return None;
                }
            }
        }
        Some(Zeroizing::new(writer.into_bytes()))
    }

    /// The encryption secret, while no key was taken.
    pub(in crate::mls) fn unused_root(&self) -> Option<&Secret<HASH>> {
        Some(&self.held_at(self.size.root())?.secret)
    }

    /// What is held at a node, or who was reached from it.
    fn slot(&self, node: NodeIndex) -> Option<Slot> {
        if let Some(held) = self.held_at(node) {
            return Some(Slot::Secret(held.secret.duplicate()));
        }
        let place = self.begun.binary_search_by_key(&node, |(node, _)| *node);
        let (_, leaf) = self.begun.get(place.ok()?)?;
        Some(Slot::Sender(*leaf))
    }

    /// The nodes beside the way from `from` down to a leaf, the lowest first.
    fn beside(&self, from: NodeIndex, leaf: LeafIndex) -> impl Iterator<Item = NodeIndex> {
        let levels = usize::try_from(from.level()).unwrap_or_default();
        let path = self.size.direct_path(leaf.node()).take(levels);
        path.map(|(_, beside)| beside)
    }

    /// Puts together what was stored.
    pub(in crate::mls) fn load<E: From<Error>>(
        aead: Aead,
        size: TreeSize,
        mut read: impl FnMut(Item) -> Result<Option<Record>, E>,
    ) -> Result<Self, E> {
        let mut tree = Self::empty(aead, size);
        let mut open = Vec::new();
        let root = read(Item::Root)?.ok_or(Error::Integrity)?;
        let mut reached = tree.read_slots(&root, None, core::iter::once(size.root()))?;
        memory::append(&mut open, &mut reached);
        while let Some(Open { leaf, from }) = open.pop() {
            let Err(place) = tree.place(leaf) else {
                return Err(Error::Integrity.into());
            };
            let record = read(Item::Sender(leaf))?.ok_or(Error::Integrity)?;
            let (mut sender, held) = Sender::read(from, &record)?;
            for (kind, held) in [RatchetKind::Handshake, RatchetKind::Application]
                .into_iter()
                .zip(held)
            {
                let ratchet = sender.ratchet_mut(kind);
                held.load(ratchet, |page| read(Item::Skipped(leaf, kind, page)))?;
            }
            memory::insert(&mut tree.places, place, (leaf, tree.senders.len()));
            memory::push(&mut tree.senders, sender);
            let record = read(Item::Path(leaf))?.ok_or(Error::Integrity)?;
            let mut nodes = Vec::new();
            for node in tree.beside(from, leaf) {
                memory::push(&mut nodes, node);
            }
            let mut reached = tree.read_slots(&record, Some(leaf), nodes.into_iter())?;
            memory::append(&mut open, &mut reached);
        }
        Ok(tree)
    }

    /// Reads what lies at these nodes; gives who was reached from there.
    fn read_slots(
        &mut self,
        record: &[u8],
        owner: Option<LeafIndex>,
        nodes: impl Iterator<Item = NodeIndex>,
    ) -> Result<Vec<Open>, Error> {
        let mut reader = Reader::new(record);
        let mut open = Vec::new();
        for node in nodes {
            match Slot::read(&mut reader).map_err(integrity)? {
                Slot::Secret(secret) => {
                    let held = Held {
                        node,
                        owner,
                        secret,
                    };
                    let place = self.held.partition_point(|old| old.node < node);
                    memory::insert(&mut self.held, place, held);
                }
                Slot::Sender(leaf) => {
                    if !node.covers(leaf) {
                        return Err(Error::Integrity);
                    }
                    let place = self.begun.partition_point(|(old, _)| *old < node);
                    memory::insert(&mut self.begun, place, (node, leaf));
                    memory::push(&mut open, Open { leaf, from: node });
                }
            }
        }
        reader.finish().map_err(integrity)?;
        Ok(open)
    }
}

/// What stands in for the reader's errors.
fn integrity(_: wire::Error) -> Error {
    Error::Integrity
}

/// Which keys a ratchet's records have to have.
struct HeldKeys {
    first: u32,
    count: u16,
}

impl Sender {
    fn read(from: NodeIndex, record: &[u8]) -> Result<(Self, [HeldKeys; 2]), Error> {
        let mut reader = Reader::new(record);
        let (handshake, first) = Ratchet::read(&mut reader)?;
        let (application, second) = Ratchet::read(&mut reader)?;
        reader.finish().map_err(integrity)?;
        let sender = Self {
            from,
            handshake,
            application,
        };
        Ok((sender, [first, second]))
    }
}

impl Ratchet {
    /// The first position of which a key is held, or the next one.
    fn first(&self) -> u32 {
        let first = self.skipped.first();
        first.map_or(self.passed, |held| held.position)
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .u32(self.next)
            .bytes(self.secret.expose())
            .u32(self.passed)
            .u32(self.first())
            .u16(u16::try_from(self.skipped.len()).unwrap_or(u16::MAX));
    }

    fn read(reader: &mut Reader<'_>) -> Result<(Self, HeldKeys), Error> {
        let next = reader.u32().map_err(integrity)?;
        let mut ratchet = Self::new(Secret::new(*reader.array().map_err(integrity)?));
        ratchet.next = next;
        ratchet.passed = reader.u32().map_err(integrity)?;
        let held = HeldKeys {
            first: reader.u32().map_err(integrity)?,
            count: reader.u16().map_err(integrity)?,
        };
        let fits = ratchet.passed <= ratchet.next
            && ratchet.oldest() <= held.first
            && held.first <= ratchet.passed
            && usize::from(held.count) <= SKIPPED_MAX;
        if fits {
            Ok((ratchet, held))
        } else {
            Err(Error::Integrity)
        }
    }
}

impl HeldKeys {
    /// Reads the keys.
    fn load<E: From<Error>>(
        &self,
        ratchet: &mut Ratchet,
        mut read: impl FnMut(u32) -> Result<Option<Record>, E>,
    ) -> Result<(), E> {
        if self.count == 0 {
            return Ok(());
        }
        for page in page_of(self.first)..=page_of(ratchet.passed.saturating_sub(1)) {
            let Some(record) = read(page)? else { continue };
            let mut reader = Reader::new(&record);
            while !reader.rest().is_empty() {
                let held = Skipped::read(&mut reader).map_err(integrity)?;
                let last = ratchet.skipped.last();
                let follows = last.is_none_or(|last| {
                    last.position < held.position && last.generation < held.generation
                });
                let fits = page_of(held.position) == page
                    && held.position >= self.first
                    && held.position < ratchet.passed
                    && held.generation < ratchet.next
                    && follows;
                if !fits {
                    return Err(Error::Integrity.into());
                }
                memory::push(&mut ratchet.skipped, held);
            }
        }
        if ratchet.skipped.len() == usize::from(self.count) && ratchet.first() == self.first {
            Ok(())
        } else {
            Err(Error::Integrity.into())
        }
    }
}

impl Skipped {
    fn write(&self, writer: &mut Writer) {
        writer
            .u32(self.position)
            .u32(self.generation)
            .bytes(self.key.key.expose())
            .bytes(self.key.nonce.expose());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            position: reader.u32()?,
            generation: reader.u32()?,
            key: MessageKey {
                key: Secret::new(*reader.array()?),
                nonce: Secret::new(*reader.array::<NONCE>()?),
            },
        })
    }
}

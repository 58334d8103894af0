//! The records of a ratchet tree (SPEC §22.6.4): subtrees of three levels, each named by the tree hash of its highest node.
//!
//! ```text
//! level 5        o            a record: 7 parents, and the names of the 8 records below
//!              /   \
//!       4     o     o
//!            / \   / \
//!       3   o   o o   o
//!          /\  /\ ..
//!       2  o                  a record: 3 parents and 4 leaves
//! ```
//!
//! What two epochs have in common has the same names: a commit stores the records on the way from the leaves that it
//! changes to the root, and no others. Whatever is read is held against the hash that names it.

use alloc::vec::Vec;

use super::node::Node;
use super::ratchet_tree::RatchetTree;
use crate::crypto::hash::HASH;
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::error::Error;
use crate::mls::math::{NodeIndex, TreeSize};
use crate::wire::{self, Reader, Writer};

/// Levels of nodes in a record.
const LEVELS: u32 = 3;

/// The name of a record: the tree hash of its highest node.
pub(in crate::mls) type PageName = [u8; HASH];

/// The nodes of one record, and the highest ones of those below.
struct Page {
    top: NodeIndex,
    /// The lowest level in it.
    bottom: u32,
}

impl Page {
    const fn new(top: NodeIndex) -> Self {
        let over = top.level() % LEVELS;
        Self {
            top,
            bottom: top.level().saturating_sub(over),
        }
    }

    /// Every `step`th node from the leftmost of a level below the top on.
    fn nodes(&self, level: u32, step: u32, count: u32) -> impl Iterator<Item = NodeIndex> {
        let left = 1u32
            .unbounded_shl(self.top.level())
            .saturating_sub(1u32.unbounded_shl(level));
        let first = self.top.0.saturating_sub(left);
        (0..count).map(move |number| NodeIndex(first.saturating_add(number.saturating_mul(step))))
    }

    const fn height(&self) -> u32 {
        self.top.level().saturating_sub(self.bottom)
    }

    /// The nodes of the record, from left to right.
    fn own(&self) -> impl Iterator<Item = NodeIndex> {
        let count = 2u32.unbounded_shl(self.height()).saturating_sub(1);
        self.nodes(self.bottom, 1u32.unbounded_shl(self.bottom), count)
    }

    /// The highest nodes of the records below, from left to right.
    fn below(&self) -> impl Iterator<Item = NodeIndex> {
        let (level, count) = match self.bottom.checked_sub(1) {
            Some(level) => (level, 2u32.unbounded_shl(self.height())),
            None => (0, 0),
        };
        self.nodes(level, 1u32.unbounded_shl(self.bottom), count)
    }
}

impl RatchetTree {
    /// The name of the record whose highest node this is, if anybody is below.
    fn page(&self, top: NodeIndex) -> Option<PageName> {
        let is_top = top == self.size().root() || top.level() % LEVELS == LEVELS.saturating_sub(1);
        if !self.size().has_node(top) || !is_top || self.members_below(top) == 0 {
            return None;
        }
        self.record(top)?.hash
    }

    /// The records of this tree that none of the others has, each with its highest node. The hashes of all are known.
    pub(in crate::mls) fn pages_beyond(&self, others: &[&Self]) -> Vec<(PageName, NodeIndex)> {
        let mut beyond = Vec::new();
        let mut open = Vec::new();
        memory::push(&mut open, self.size().root());
        while let Some(top) = open.pop() {
            let Some(name) = self.page(top) else {
                continue;
            };
            let mut others = others.iter();
            if others.any(|other| other.page(top) == Some(name)) {
                continue;
            }
            memory::push(&mut beyond, (name, top));
            for below in Page::new(top).below() {
                memory::push(&mut open, below);
            }
        }
        beyond
    }

    /// The content of a record.
    pub(in crate::mls) fn encode_page(&self, top: NodeIndex) -> Result<Vec<u8>, wire::Error> {
        let page = Page::new(top);
        let mut writer = Writer::with_capacity(2_048);
        for node in page.own() {
            self.node(node).write(&mut writer)?;
        }
        for below in page.below() {
            match self.page(below) {
                Some(name) => writer.u8(1).bytes(&name),
                None => writer.u8(0),
            };
        }
        Ok(writer.into_bytes())
    }

    /// Puts together what was stored, and holds it against its hash.
    pub(in crate::mls) fn load<E: From<Error>, B: AsRef<[u8]>>(
        size: TreeSize,
        hash: &PageName,
        mut read: impl FnMut(&PageName) -> Result<Option<B>, E>,
    ) -> Result<Self, E> {
        let mut tree = Self::empty(size);
        let mut open = Vec::new();
        memory::push(&mut open, (size.root(), *hash));
        while let Some((top, name)) = open.pop() {
            let record = read(&name)?.ok_or(Error::Integrity)?;
            let mut below = tree.read_page(top, record.as_ref())?;
            memory::append(&mut open, &mut below);
        }
        tree.count_all();
        match tree.tree_hash() {
            Ok(found) if found == *hash => Ok(tree),
            _ => Err(Error::Integrity.into()),
        }
    }

    /// Puts the nodes of a record in their places; gives the records below.
    fn read_page(
        &mut self,
        top: NodeIndex,
        record: &[u8],
    ) -> Result<Vec<(NodeIndex, PageName)>, Error> {
        let page = Page::new(top);
        let mut reader = Reader::new(record);
        for index in page.own() {
            let node = Node::read(&mut reader).map_err(|_| Error::Integrity)?;
            self.put(index, node).map_err(|_| Error::Integrity)?;
        }
        let mut open = Vec::new();
        for below in page.below() {
            if reader.flag().map_err(|_| Error::Integrity)? {
                let name = *reader.array().map_err(|_| Error::Integrity)?;
                memory::push(&mut open, (below, name));
            }
        }
        reader.finish().map_err(|_| Error::Integrity)?;
        Ok(open)
    }
}

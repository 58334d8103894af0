//! The tree itself: its nodes, who is added, updated and removed (RFC 9420 §§7.7, 12.1).

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::keys::{KeyKind, Keys};
use super::node::{Node, ParentNode, Record};
use super::paged::Paged;
use super::support::{Kind, Support};
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::error::{Error, Rule};
use crate::mls::leaf_node::LeafNode;
use crate::mls::limits::LEAVES_MAX;
use crate::mls::math::{LeafIndex, NodeIndex, TreeSize};
use crate::wire::{self, Reader, VECTOR_MAX, Writer};

/// A ratchet tree with its indexes. A copy shares what neither of the two changes.
#[derive(Clone)]
pub(in crate::mls) struct RatchetTree {
    nodes: Paged<Record>,
    size: TreeSize,
    keys: Keys,
    support: Support,
}

/// Where a node lies in the list.
fn place(node: NodeIndex) -> usize {
    usize::try_from(node.0).unwrap_or(usize::MAX)
}

impl RatchetTree {
    /// The tree of a group of one (RFC 9420 §11).
    pub(in crate::mls) fn new(creator: Arc<LeafNode>) -> Result<Self, Error> {
        let mut tree = Self::empty(TreeSize::ONE);
        tree.set_leaf(LeafIndex(0), Some(creator))?;
        Ok(tree)
    }

    /// A tree of blank nodes.
    pub(super) fn empty(size: TreeSize) -> Self {
        let mut nodes = Paged::new();
        nodes.extend_to(place(NodeIndex(size.nodes())));
        Self {
            nodes,
            size,
            keys: Keys::default(),
            support: Support::default(),
        }
    }

    pub(in crate::mls) const fn size(&self) -> TreeSize {
        self.size
    }

    /// How many members there are.
    pub(in crate::mls) fn members(&self) -> u32 {
        self.members_below(self.size.root())
    }

    /// Every member with its leaf, in their order.
    pub(in crate::mls) fn leaves(&self) -> impl Iterator<Item = (LeafIndex, &Arc<LeafNode>)> {
        (0..self.size.leaves())
            .map(LeafIndex)
            .filter_map(|leaf| Some((leaf, self.leaf(leaf)?)))
    }

    /// The leaves of members that another tree does not have there, by their credentials. The hashes of both trees are known:
    /// what is the same in both is not looked at.
    pub(in crate::mls) fn members_beyond(&self, other: &Self) -> Vec<LeafIndex> {
        let mut beyond = Vec::new();
        let mut open = Vec::new();
        memory::push(&mut open, self.size.root());
        while let Some(node) = open.pop() {
            let hash = self.record(node).and_then(|record| record.hash);
            let others = other.record(node).and_then(|record| record.hash);
            if self.members_below(node) == 0 || (hash.is_some() && hash == others) {
                continue;
            }
            match (node.children(), node.leaf()) {
                (Some((left, right)), _) => {
                    memory::push(&mut open, right);
                    memory::push(&mut open, left);
                }
                (None, Some(leaf)) => {
                    let credential =
                        |tree: &Self| tree.leaf(leaf).map(|leaf| leaf.credential.clone());
                    if credential(self) != credential(other) {
                        memory::push(&mut beyond, leaf);
                    }
                }
                (None, None) => {}
            }
        }
        beyond
    }

    /// A member's leaf.
    pub(in crate::mls) fn leaf(&self, leaf: LeafIndex) -> Option<&Arc<LeafNode>> {
        match self.node(leaf.node()) {
            Node::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }

    /// Whether every member has it.
    pub(in crate::mls) fn supported_by_everybody(&self, kind: Kind, value: u16) -> bool {
        self.support.by_everybody(kind, value)
    }

    /// The types of the credentials that members have.
    pub(in crate::mls) fn credentials_in_use(&self) -> impl Iterator<Item = u16> {
        self.support.credentials_in_use()
    }

    /// Whether a member signs with this key.
    pub(in crate::mls) fn has_signature_key(&self, key: &[u8]) -> bool {
        self.keys.contains(KeyKind::Signature, key)
    }

    /// Whether any node has this key.
    pub(in crate::mls) fn has_encryption_key(&self, key: &[u8]) -> bool {
        self.keys.contains(KeyKind::Encryption, key)
    }

    pub(super) fn record(&self, node: NodeIndex) -> Option<&Record> {
        self.nodes.get(place(node))
    }

    pub(super) fn record_mut(&mut self, node: NodeIndex) -> Option<&mut Record> {
        self.nodes.get_mut(place(node))
    }

    pub(super) fn node(&self, node: NodeIndex) -> &Node {
        self.record(node)
            .map_or(&Node::Blank, |record| &record.node)
    }

    pub(super) fn parent_node(&self, node: NodeIndex) -> Option<&Arc<ParentNode>> {
        match self.node(node) {
            Node::Parent(parent) => Some(parent),
            _ => None,
        }
    }

    /// The public key of a node that has one.
    pub(super) fn encryption_key(&self, node: NodeIndex) -> Option<&[u8]> {
        match self.node(node) {
            Node::Blank => None,
            Node::Leaf(leaf) => Some(&leaf.encryption_key),
            Node::Parent(parent) => Some(&parent.encryption_key),
        }
    }

    pub(super) fn members_below(&self, node: NodeIndex) -> u32 {
        self.record(node).map_or(0, |record| record.members)
    }

    /// Lets go of the hashes of a node and of all above it. Above a node without one there is none.
    fn touch(&mut self, node: NodeIndex) {
        let mut next = Some(node);
        while let Some(node) = next {
            let Some(record) = self.record_mut(node) else {
                return;
            };
            if record.hash.take().is_none() && node != self.size.root() {
                // A new leaf has none; those above it may.
                let parent = self.size.parent(node);
                let above = parent.and_then(|parent| self.record(parent));
                if above.is_none_or(|above| above.hash.is_none()) {
                    return;
                }
            }
            next = self.size.parent(node);
        }
    }

    /// Puts a leaf in the place of another one or of none, with its keys and capabilities.
    pub(super) fn set_leaf(
        &mut self,
        leaf: LeafIndex,
        new: Option<Arc<LeafNode>>,
    ) -> Result<(), Error> {
        if !self.size.has(leaf) {
            return Err(Error::UnknownSender);
        }
        let old = self.leaf(leaf).cloned();
        if let Some(old) = &old {
            self.keys.remove(KeyKind::Encryption, &old.encryption_key);
            self.keys.remove(KeyKind::Signature, &old.signature_key.0);
            self.support.remove(old);
        }
        if let Some(new) = &new {
            let unique = self.keys.insert(KeyKind::Encryption, &new.encryption_key)
                && self.keys.insert(KeyKind::Signature, &new.signature_key.0);
            if !unique {
                return Err(Rule::DuplicateKey.into());
            }
            self.support.add(new);
        }
        let (came, went) = (u32::from(new.is_some()), u32::from(old.is_some()));
        if came != went {
            self.count(leaf, came, went);
        }
        self.touch(leaf.node());
        if let Some(record) = self.record_mut(leaf.node()) {
            record.node = new.map_or(Node::Blank, Node::Leaf);
        }
        Ok(())
    }

    /// Counts a member that came or went, at its leaf and above.
    fn count(&mut self, leaf: LeafIndex, came: u32, went: u32) {
        let path = self.size.direct_path(leaf.node());
        for node in core::iter::once(leaf.node()).chain(path.map(|(node, _)| node)) {
            if let Some(record) = self.record_mut(node) {
                record.members = record.members.saturating_add(came).saturating_sub(went);
            }
        }
    }

    /// Puts a parent in the place of another one or of none.
    pub(super) fn set_parent(
        &mut self,
        node: NodeIndex,
        new: Option<ParentNode>,
    ) -> Result<(), Error> {
        let old = match self.node(node) {
            Node::Parent(old) => Some(old.clone()),
            _ => None,
        };
        if old.is_none() && new.is_none() {
            return Ok(());
        }
        if let Some(old) = old {
            self.keys.remove(KeyKind::Encryption, &old.encryption_key);
        }
        if let Some(new) = &new
            && !self.keys.insert(KeyKind::Encryption, &new.encryption_key)
        {
            return Err(Rule::PathKey.into());
        }
        self.touch(node);
        if let Some(record) = self.record_mut(node) {
            record.node = new.map_or(Node::Blank, |new| Node::Parent(Arc::new(new)));
        }
        Ok(())
    }

    /// Blanks all parents above a leaf.
    pub(super) fn blank_path(&mut self, leaf: LeafIndex) -> Result<(), Error> {
        let size = self.size;
        for (node, _) in size.direct_path(leaf.node()) {
            self.set_parent(node, None)?;
        }
        Ok(())
    }

    /// The leftmost blank leaf (RFC 9420 §12.1.1), in a tree twice as large if there is none.
    fn make_room(&mut self) -> Result<LeafIndex, Error> {
        if self.members() == self.size.leaves() {
            let members = self.members();
            self.size = self.size.doubled().ok_or(Error::GroupFull)?;
            self.nodes.extend_to(place(NodeIndex(self.size.nodes())));
            if let Some(root) = self.record_mut(self.size.root()) {
                root.members = members;
            }
        }
        let mut node = self.size.root();
        while let Some((left, right)) = node.children() {
            let (first, last) = left.leaves();
            let room = last.0.saturating_sub(first.0).saturating_add(1);
            node = if self.members_below(left) < room {
                left
            } else {
                right
            };
        }
        node.leaf().ok_or(Error::GroupFull)
    }

    /// Adds a member (RFC 9420 §12.1.1).
    pub(in crate::mls) fn add(&mut self, new: Arc<LeafNode>) -> Result<LeafIndex, Error> {
        let leaf = self.make_room()?;
        let size = self.size;
        for (node, _) in size.direct_path(leaf.node()) {
            if let Some(Record {
                node: Node::Parent(parent),
                ..
            }) = self.record_mut(node)
            {
                let unmerged = &mut Arc::make_mut(parent).unmerged_leaves;
                let place = unmerged.partition_point(|other| *other < leaf.0);
                memory::insert(unmerged, place, leaf.0);
            }
        }
        self.set_leaf(leaf, Some(new))?;
        Ok(leaf)
    }

    /// The place of who joins by an external commit: a leaf to be set, which counts as no new one.
    pub(in crate::mls) fn add_by_commit(&mut self) -> Result<LeafIndex, Error> {
        self.make_room()
    }

    /// Replaces a member's leaf (RFC 9420 §12.1.2).
    pub(in crate::mls) fn update(
        &mut self,
        leaf: LeafIndex,
        new: Arc<LeafNode>,
    ) -> Result<(), Error> {
        self.set_leaf(leaf, Some(new))?;
        self.blank_path(leaf)
    }

    /// Removes a member (RFC 9420 §12.1.3).
    pub(in crate::mls) fn remove(&mut self, leaf: LeafIndex) -> Result<(), Error> {
        if self.leaf(leaf).is_none() {
            return Err(Rule::RemoveOfNobody.into());
        }
        self.set_leaf(leaf, None)?;
        self.blank_path(leaf)
    }

    /// Halves the tree while nobody is in its right half (RFC 9420 §7.7). After all removes of a commit: what is left
    /// is the same in whichever order they came.
    pub(in crate::mls) fn shrink(&mut self) -> Result<(), Error> {
        while let Some((_, right)) = self.size.root().children()
            && self.members_below(right) == 0
        {
            let root = self.size.root();
            self.set_parent(root, None)?;
            self.size = self.size.halved();
            self.nodes.truncate(place(NodeIndex(self.size.nodes())));
        }
        Ok(())
    }

    /// The resolution of a node (RFC 9420 §4.1.1), of at most `most` nodes.
    pub(super) fn resolution(&self, node: NodeIndex, most: usize) -> Vec<NodeIndex> {
        let mut found = Vec::new();
        let mut open = Vec::new();
        memory::push(&mut open, node);
        // The left child is taken first.
        while let Some(node) = open.pop()
            && found.len() < most
        {
            match (self.node(node), node.children()) {
                (Node::Leaf(_), _) => memory::push(&mut found, node),
                (Node::Parent(parent), _) => {
                    memory::push(&mut found, node);
                    for leaf in &parent.unmerged_leaves {
                        memory::push(&mut found, LeafIndex(*leaf).node());
                    }
                }
                (Node::Blank, Some((left, right))) if self.members_below(node) > 0 => {
                    memory::push(&mut open, right);
                    memory::push(&mut open, left);
                }
                (Node::Blank, _) => {}
            }
        }
        found
    }

    /// The filtered direct path of a leaf (RFC 9420 §4.1.2), the lowest node first, each with the other child.
    pub(super) fn filtered_path(&self, leaf: LeafIndex) -> Vec<(NodeIndex, NodeIndex)> {
        let mut path = Vec::new();
        for (node, copath) in self.size.direct_path(leaf.node()) {
            if self.members_below(copath) > 0 {
                memory::push(&mut path, (node, copath));
            }
        }
        path
    }

    /// `ratchet_tree` (RFC 9420 §12.4.3.3).
    pub(in crate::mls) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut outer = Reader::new(bytes);
        let mut reader = Reader::new(outer.vector(VECTOR_MAX)?);
        outer.finish()?;
        let mut nodes: Vec<Node> = Vec::new();
        while !reader.rest().is_empty() {
            memory::push(&mut nodes, Node::read(&mut reader)?);
        }
        if nodes.last().is_none_or(|last| *last == Node::Blank) {
            return Err(Rule::TreeShape.into());
        }
        // n leaves have 2n - 1 nodes; a parent behind the last leaf asks for one more.
        let leaves = u32::try_from(nodes.len() / 2).map_err(|_| Error::GroupFull)?;
        let leaves = leaves.saturating_add(1).min(LEAVES_MAX.saturating_add(1));
        let mut tree = Self::empty(TreeSize::for_leaves(leaves).ok_or(Error::GroupFull)?);
        for (node, index) in nodes.into_iter().zip((0u32..).map(NodeIndex)) {
            tree.put(index, node)?;
        }
        tree.count_all();
        Ok(tree)
    }

    /// Puts a node that was read in its place, which is blank. Behind the last one, [`count_all`](Self::count_all) is called.
    pub(super) fn put(&mut self, index: NodeIndex, node: Node) -> Result<(), Error> {
        let (unique, members) = match (&node, index.leaf()) {
            (Node::Blank, _) => return Ok(()),
            (Node::Leaf(leaf), Some(_)) => {
                self.support.add(leaf);
                let unique = self.keys.insert(KeyKind::Encryption, &leaf.encryption_key)
                    && self.keys.insert(KeyKind::Signature, &leaf.signature_key.0);
                (unique, 1)
            }
            (Node::Parent(parent), None) => {
                let key = &parent.encryption_key;
                (self.keys.insert(KeyKind::Encryption, key), 0)
            }
            (Node::Leaf(_), None) | (Node::Parent(_), Some(_)) => {
                return Err(Rule::TreeShape.into());
            }
        };
        if !unique {
            return Err(Rule::DuplicateKey.into());
        }
        if let Some(record) = self.record_mut(index) {
            *record = Record {
                node,
                members,
                ..Record::default()
            };
        }
        Ok(())
    }

    /// Counts the members below every parent, from those of the leaves on.
    pub(super) fn count_all(&mut self) {
        for level in 1..=self.size.root().level() {
            let mut node = NodeIndex(1u32.unbounded_shl(level).saturating_sub(1));
            while let Some((left, right)) = node.children()
                && self.size.has_node(node)
            {
                let members = self.members_below(left);
                let members = members.saturating_add(self.members_below(right));
                if let Some(record) = self.record_mut(node) {
                    record.members = members;
                }
                node.0 = node.0.saturating_add(2u32.unbounded_shl(level));
            }
        }
    }

    /// `ratchet_tree`, without the blank nodes behind the last one.
    pub(in crate::mls) fn encode(&self) -> Result<Vec<u8>, wire::Error> {
        let mut length = self.nodes.len();
        while let Some(last) = length.checked_sub(1)
            && let Some(record) = self.nodes.get(last)
            && record.node == Node::Blank
        {
            length = last;
        }
        let mut writer = Writer::new();
        for place in 0..length {
            match self.nodes.get(place) {
                Some(record) => record.node.write(&mut writer)?,
                None => Node::Blank.write(&mut writer)?,
            }
        }
        let inner = writer.into_bytes();
        let mut writer = Writer::with_capacity(inner.len().saturating_add(4));
        writer.vector(&inner)?;
        Ok(writer.into_bytes())
    }
}

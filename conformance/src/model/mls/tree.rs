//! Ratchet trees as lists of nodes (§§4, 7, Appendix C).

use subrosa::crypto::hash::sha256;

use super::client::Leaf;
use super::{Hash, list, optional, vector};

/// A node that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A member.
    Leaf(Leaf),
    /// A parent.
    Parent(Parent),
}

/// `ParentNode`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parent {
    /// `encryption_key`
    pub key: Vec<u8>,
    /// `parent_hash`
    pub parent_hash: Vec<u8>,
    /// `unmerged_leaves`
    pub unmerged: Vec<u32>,
}

impl Parent {
    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let unmerged = self.unmerged.iter().map(|leaf| leaf.to_be_bytes().to_vec());
        [vector(&self.key), vector(&self.parent_hash), list(unmerged)].concat()
    }
}

/// A ratchet tree; the length is one less than a power of two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(pub Vec<Option<Node>>);

/// How far a node is above the leaves.
#[must_use]
pub const fn level(node: usize) -> u32 {
    node.trailing_ones()
}

/// Left and right child of a parent.
#[must_use]
pub const fn children(node: usize) -> (usize, usize) {
    let below = level(node).saturating_sub(1);
    (node ^ (1 << below), node ^ (3 << below))
}

/// First and last leaf below a node.
#[must_use]
pub const fn leaves_below(node: usize) -> (u32, u32) {
    let half = (1 << level(node)) - 1;
    (((node - half) / 2) as u32, ((node + half) / 2) as u32)
}

impl Tree {
    /// A tree of these leaves and no parents.
    #[must_use]
    pub fn of(leaves: &[Leaf]) -> Self {
        let mut nodes = vec![None; leaves.len().next_power_of_two() * 2 - 1];
        for (place, leaf) in nodes.iter_mut().step_by(2).zip(leaves) {
            *place = Some(Node::Leaf(leaf.clone()));
        }
        Self(nodes)
    }

    /// Leaves, blank ones included.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.0.len().div_ceil(2)
    }

    /// The root.
    #[must_use]
    pub const fn root(&self) -> usize {
        self.0.len() / 2
    }

    /// A node, if it is not blank.
    #[must_use]
    pub fn node(&self, node: usize) -> Option<&Node> {
        self.0.get(node)?.as_ref()
    }

    /// A member's leaf.
    #[must_use]
    pub fn leaf(&self, leaf: u32) -> Option<&Leaf> {
        match self.node(leaf as usize * 2) {
            Some(Node::Leaf(leaf)) => Some(leaf),
            _ => None,
        }
    }

    /// A parent that is not blank.
    #[must_use]
    pub fn parent(&self, node: usize) -> Option<&Parent> {
        match self.node(node) {
            Some(Node::Parent(parent)) => Some(parent),
            _ => None,
        }
    }

    /// Puts a node in a place.
    pub fn set(&mut self, node: usize, value: Option<Node>) {
        if let Some(place) = self.0.get_mut(node) {
            *place = value;
        }
    }

    /// The parents above a leaf, the lowest first, each with the child that is not above the leaf.
    #[must_use]
    pub fn path(&self, leaf: u32) -> Vec<(usize, usize)> {
        let mut path = Vec::new();
        let mut node = self.root();
        while level(node) > 0 {
            let (left, right) = children(node);
            let (next, other) = match leaf <= leaves_below(left).1 {
                true => (left, right),
                false => (right, left),
            };
            path.push((node, other));
            node = next;
        }
        path.reverse();
        path
    }

    /// The filtered direct path (§4.1.2), likewise.
    #[must_use]
    pub fn filtered(&self, leaf: u32) -> Vec<(usize, usize)> {
        let mut path = self.path(leaf);
        path.retain(|(_, other)| !self.resolution(*other).is_empty());
        path
    }

    /// The resolution of a node (§4.1.1).
    #[must_use]
    pub fn resolution(&self, node: usize) -> Vec<usize> {
        match self.node(node) {
            Some(Node::Leaf(_)) => vec![node],
            Some(Node::Parent(parent)) => {
                let unmerged = parent.unmerged.iter().map(|leaf| *leaf as usize * 2);
                core::iter::once(node).chain(unmerged).collect()
            }
            None if level(node) == 0 => Vec::new(),
            None => {
                let (left, right) = children(node);
                [self.resolution(left), self.resolution(right)].concat()
            }
        }
    }

    /// The public key of a node.
    #[must_use]
    pub fn key(&self, node: usize) -> Option<&[u8]> {
        match self.node(node)? {
            Node::Leaf(leaf) => Some(&leaf.encryption_key),
            Node::Parent(parent) => Some(&parent.key),
        }
    }

    /// The tree hash of a node (§7.8).
    #[must_use]
    pub fn hash_of(&self, node: usize) -> Hash {
        if level(node) == 0 {
            let index = (node / 2) as u32;
            let leaf = self.leaf(index).map(Leaf::encode);
            return sha256(&[&[1], &index.to_be_bytes(), &optional(leaf)]);
        }
        let (left, right) = children(node);
        self.joined(node, &self.hash_of(left), &self.hash_of(right))
    }

    /// The tree hash of a parent whose children have these.
    #[must_use]
    pub fn joined(&self, node: usize, left: &Hash, right: &Hash) -> Hash {
        let parent = optional(self.parent(node).map(Parent::encode));
        sha256(&[&[2], &parent, &vector(left), &vector(right)])
    }

    /// The tree hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash_of(self.root())
    }

    /// Blanks all parents above a leaf.
    pub fn blank_path(&mut self, leaf: u32) {
        for (node, _) in self.path(leaf) {
            self.set(node, None);
        }
    }

    /// The leftmost blank leaf, in a tree twice as large if there is none.
    pub fn room(&mut self) -> u32 {
        let mut leaves = 0..self.width() as u32;
        if let Some(free) = leaves.find(|leaf| self.leaf(*leaf).is_none()) {
            return free;
        }
        let free = self.width();
        self.0.resize(self.0.len() * 2 + 1, None);
        free as u32
    }

    /// Adds a member (§12.1.1).
    pub fn add(&mut self, leaf: Leaf) -> u32 {
        let index = self.room();
        for (node, _) in self.path(index) {
            if let Some(Some(Node::Parent(parent))) = self.0.get_mut(node) {
                parent.unmerged.push(index);
                parent.unmerged.sort_unstable();
            }
        }
        self.set(index as usize * 2, Some(Node::Leaf(leaf)));
        index
    }

    /// Replaces a member's leaf (§12.1.2).
    pub fn update(&mut self, index: u32, leaf: Leaf) {
        self.blank_path(index);
        self.set(index as usize * 2, Some(Node::Leaf(leaf)));
    }

    /// Removes a member (§12.1.3).
    pub fn remove(&mut self, index: u32) {
        self.blank_path(index);
        self.set(index as usize * 2, None);
    }

    /// Cuts the right half off while nobody is in it (§7.7).
    pub fn shrink(&mut self) {
        while self.width() > 1 {
            let right = self.0.iter().skip(self.root() + 1).step_by(2);
            if right.flatten().next().is_some() {
                return;
            }
            self.0.truncate(self.root());
        }
    }

    /// Members.
    #[must_use]
    pub fn members(&self) -> usize {
        self.0.iter().step_by(2).flatten().count()
    }

    /// `ratchet_tree` (§12.4.3.3).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let last = self.0.iter().rposition(Option::is_some);
        let nodes = self.0.iter().take(last.map_or(0, |last| last + 1));
        encode_nodes(nodes)
    }
}

/// A list of nodes, whatever stands at its end.
pub fn encode_nodes<'a>(nodes: impl Iterator<Item = &'a Option<Node>>) -> Vec<u8> {
    list(nodes.map(|node| encode_node(node.as_ref())))
}

/// `optional<Node>`
#[must_use]
pub fn encode_node(node: Option<&Node>) -> Vec<u8> {
    optional(node.map(|node| match node {
        Node::Leaf(leaf) => [vec![1], leaf.encode()].concat(),
        Node::Parent(parent) => [vec![2], parent.encode()].concat(),
    }))
}

/// `ParentHashInput`'s hash (§7.9).
#[must_use]
pub fn parent_hash(key: &[u8], parent_hash: &[u8], sibling: &Hash) -> Hash {
    sha256(&[&vector(key), &vector(parent_hash), &vector(sibling)])
}

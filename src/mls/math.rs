//! Array-based trees (RFC 9420 Appendix C): where the nodes of a full binary tree lie in a list.
//!
//! ```text
//!                              7
//!                    .---------+---------.
//!                   3                    11
//!               .---+---.             .---+---.
//!              1         5           9        13
//!             / \       / \         / \       / \
//! node       0   2     4   6       8  10    12  14
//! leaf       0   1     2   3       4   5     6   7
//! ```

use super::limits::LEAVES_MAX;

/// The place of a member among the leaves of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(pub u32);

impl LeafIndex {
    /// The leaf as a node. An index that no tree has gives a node that no tree has.
    #[must_use]
    pub const fn node(self) -> NodeIndex {
        NodeIndex(self.0.saturating_mul(2))
    }
}

/// The place of a node in the list of a tree's nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u32);

impl NodeIndex {
    /// 0 for a leaf; one more than its children's otherwise.
    #[must_use]
    pub const fn level(self) -> u32 {
        self.0.trailing_ones()
    }

    /// The leaf, if it is one.
    #[must_use]
    pub const fn leaf(self) -> Option<LeafIndex> {
        match self.level() {
            0 => Some(LeafIndex(self.0 >> 1)),
            _ => None,
        }
    }

    /// Left and right child, unless it is a leaf.
    #[must_use]
    pub const fn children(self) -> Option<(Self, Self)> {
        match self.level().checked_sub(1) {
            Some(below) => Some((Self(self.0 ^ (1 << below)), Self(self.0 ^ (3 << below)))),
            None => None,
        }
    }

    /// The node above, in a tree that is large enough.
    const fn above(self) -> Self {
        let level = self.level();
        let bit = match level.checked_add(1) {
            Some(above) => 1u32.unbounded_shl(above),
            None => 0,
        };
        Self((self.0 | 1u32.unbounded_shl(level)) & !bit)
    }

    /// First and last leaf below, itself included.
    #[must_use]
    pub const fn leaves(self) -> (LeafIndex, LeafIndex) {
        let half = 1u32.unbounded_shl(self.level()).wrapping_sub(1);
        (
            LeafIndex(self.0.wrapping_sub(half) >> 1),
            LeafIndex(self.0.wrapping_add(half) >> 1),
        )
    }

    /// Whether `leaf` is below, or is itself.
    #[must_use]
    pub const fn covers(self, leaf: LeafIndex) -> bool {
        let (first, last) = self.leaves();
        first.0 <= leaf.0 && leaf.0 <= last.0
    }

    /// The lowest node above both leaves.
    #[must_use]
    pub const fn common_ancestor(one: LeafIndex, other: LeafIndex) -> Self {
        let level = 32u32.wrapping_sub((one.0 ^ other.0).leading_zeros());
        let front = 1u32.unbounded_shl(level);
        // The common bits of both, in front of as many ones as there are levels.
        Self((one.node().0 & !front.wrapping_mul(2).wrapping_sub(1)) | front.wrapping_sub(1))
    }
}

/// How many leaves a tree has, blank ones included: a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeSize(u32);

impl TreeSize {
    /// One leaf.
    pub const ONE: Self = Self(1);

    /// The smallest tree with so many leaves, if one may be so large.
    #[must_use]
    pub const fn for_leaves(leaves: u32) -> Option<Self> {
        match leaves {
            0 => None,
            1..=LEAVES_MAX => Some(Self(leaves.next_power_of_two())),
            _ => None,
        }
    }

    /// The leaves.
    #[must_use]
    pub const fn leaves(self) -> u32 {
        self.0
    }

    /// The nodes.
    #[must_use]
    pub const fn nodes(self) -> u32 {
        self.0.wrapping_mul(2).wrapping_sub(1)
    }

    /// The node above all others.
    #[must_use]
    pub const fn root(self) -> NodeIndex {
        NodeIndex(self.0.wrapping_sub(1))
    }

    /// Whether the tree has the leaf.
    #[must_use]
    pub const fn has(self, leaf: LeafIndex) -> bool {
        leaf.0 < self.0
    }

    /// Whether the tree has the node.
    #[must_use]
    pub const fn has_node(self, node: NodeIndex) -> bool {
        node.0 < self.nodes()
    }

    /// Twice as large, if a tree may be.
    #[must_use]
    pub const fn doubled(self) -> Option<Self> {
        match self.0 < LEAVES_MAX {
            true => Some(Self(self.0.wrapping_mul(2))),
            false => None,
        }
    }

    /// Half as large; a tree of one leaf stays.
    #[must_use]
    pub const fn halved(self) -> Self {
        match self.0 {
            1 => self,
            leaves => Self(leaves >> 1),
        }
    }

    /// The parent, unless the node is the root or beyond the tree.
    #[must_use]
    pub fn parent(self, node: NodeIndex) -> Option<NodeIndex> {
        (node != self.root() && self.has_node(node)).then(|| node.above())
    }

    /// The other child of the parent.
    #[must_use]
    pub fn sibling(self, node: NodeIndex) -> Option<NodeIndex> {
        let (left, right) = self.parent(node)?.children()?;
        Some(if node == left { right } else { left })
    }

    /// The direct path of a node: its ancestors, the lowest first, each with the child that is not on the path (the
    /// copath).
    pub fn direct_path(self, from: NodeIndex) -> impl Iterator<Item = (NodeIndex, NodeIndex)> {
        let mut node = from;
        core::iter::from_fn(move || {
            let parent = self.parent(node)?;
            let sibling = self.sibling(node)?;
            node = parent;
            Some((parent, sibling))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    /// Every relation of every tree of up to 1,024 leaves against its definition: the root of a range is its middle.
    fn walk(
        size: TreeSize,
        first: u32,
        last: u32,
        parent: Option<NodeIndex>,
        seen: &mut Vec<(u32, u32)>,
    ) -> NodeIndex {
        let node = NodeIndex((first + last) / 2);
        assert_eq!(size.parent(node), parent);
        let (one, other) = node.leaves();
        assert_eq!((one.node().0, other.node().0), (first, last));
        let level = if first == last {
            assert_eq!(node.children(), None);
            assert_eq!(node.leaf().map(LeafIndex::node), Some(node));
            0
        } else {
            let left = walk(size, first, node.0 - 1, Some(node), seen);
            let right = walk(size, node.0 + 1, last, Some(node), seen);
            assert_eq!(node.children(), Some((left, right)));
            assert_eq!(size.sibling(left), Some(right));
            assert_eq!(size.sibling(right), Some(left));
            let (a, b) = (left.leaves(), right.leaves());
            assert_eq!(NodeIndex::common_ancestor(a.0, b.0), node);
            assert_eq!(NodeIndex::common_ancestor(b.1, a.1), node);
            left.level() + 1
        };
        assert_eq!(node.level(), level);
        seen.push((node.0, level));
        node
    }

    #[test]
    fn every_node_of_small_trees() {
        for depth in 0..=10 {
            let size = TreeSize::for_leaves(1 << depth).unwrap();
            let mut seen = Vec::new();
            let root = walk(size, 0, size.nodes() - 1, None, &mut seen);
            assert_eq!(size.root(), root);
            assert_eq!(seen.len(), size.nodes() as usize);
            for leaf in 0..size.leaves() {
                let path: Vec<_> = size.direct_path(LeafIndex(leaf).node()).collect();
                assert_eq!(path.len(), depth);
                for (place, (node, copath)) in path.iter().enumerate() {
                    assert_eq!(node.level() as usize, place + 1);
                    assert!(node.covers(LeafIndex(leaf)) && !copath.covers(LeafIndex(leaf)));
                    assert_eq!(size.parent(*copath), Some(*node));
                }
            }
            assert_eq!(
                NodeIndex::common_ancestor(LeafIndex(0), LeafIndex(0)),
                NodeIndex(0)
            );
        }
    }

    #[test]
    fn sizes_have_their_bounds() {
        assert_eq!(TreeSize::for_leaves(0), None);
        assert_eq!(TreeSize::for_leaves(LEAVES_MAX + 1), None);
        assert_eq!(TreeSize::for_leaves(5).map(TreeSize::leaves), Some(8));
        let most = TreeSize::for_leaves(LEAVES_MAX).unwrap();
        assert_eq!(most.doubled(), None);
        assert_eq!(most.halved().doubled(), Some(most));
        assert_eq!(TreeSize::ONE.halved(), TreeSize::ONE);
        for far in [LEAVES_MAX, 1 << 31, u32::MAX] {
            assert!(!most.has(LeafIndex(far)));
            assert!(!most.has_node(LeafIndex(far).node()));
            assert_eq!(most.parent(LeafIndex(far).node()), None);
        }
    }
}

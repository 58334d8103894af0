//! A node of the tree that has all its leaves, and where it is stored.

use super::super::limits::LEVELS_MAX;

/// A node over `1 << level` leaves, all of them there, the first of which is leaf `index << level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// How far it is above the leaves: at most [`LEVELS_MAX`].
    pub level: u32,
    /// How many nodes of its level stand left of it.
    pub index: u64,
}

impl Node {
    /// Its number among all nodes, in the order in which [`push`](super::TreeHasher::push) gives them: as C2SP's and Go's
    /// transparency logs store them, each right behind its right child. A file of nodes has it at 32 times this number.
    #[must_use]
    pub const fn place(self) -> u64 {
        let last = leaves_through(self);
        // Leaf n stands behind n leaves and n minus the ones of n in binary inner nodes; its ancestors stand behind it.
        stored_nodes(last).saturating_add(self.level as u64)
    }
}

/// The number of the last leaf below a node.
const fn leaves_through(node: Node) -> u64 {
    let level = if node.level < LEVELS_MAX {
        node.level
    } else {
        LEVELS_MAX
    };
    let end = node.index.saturating_add(1).saturating_mul(1 << level);
    end.saturating_sub(1)
}

/// How many nodes are stored for so many leaves: less than twice as many.
#[must_use]
pub const fn stored_nodes(leaves: u64) -> u64 {
    leaves
        .saturating_mul(2)
        .saturating_sub(leaves.count_ones() as u64)
}

//! Groups of any size out of a seed (SPEC §22.7): the tree after every second member has sent a commit, from the right
//! to the left.

use subrosa::crypto::hash::sha256;

use super::client::{Capabilities, Client, KeyPackage, Leaf, Source};
use super::commit::node_key;
use super::tree::{Node, Parent, Tree, children, leaves_below, level, parent_hash};
use super::{Hash, Pair, Suite, derive};
use crate::model::Answer;

/// What such a group is made of.
#[derive(Clone, Copy, Debug)]
pub struct Wide<'a> {
    /// The suite.
    pub suite: Suite,
    /// The group's id.
    pub group_id: &'a [u8],
    /// The seed.
    pub seed: &'a [u8],
    /// The members.
    pub members: u32,
    /// First and last second of the leaves that are of key packages.
    pub lifetime: (u64, u64),
}

/// What a secret is for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// The signature key.
    Signature = 0,
    /// The leaf's encryption key.
    Encryption = 1,
    /// The init key.
    Init = 2,
    /// The first path secret.
    Path = 3,
}

impl Wide<'_> {
    fn secret(&self, leaf: u32, purpose: Purpose) -> Hash {
        sha256(&[self.seed, &leaf.to_be_bytes(), &[purpose as u8]])
    }

    /// A member's signature key.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn signer(&self, leaf: u32) -> Answer<Pair> {
        self.suite.signer(self.secret(leaf, Purpose::Signature))
    }

    fn encryption(&self, leaf: u32) -> Answer<Pair> {
        self.suite.pair(&self.secret(leaf, Purpose::Encryption))
    }

    fn leaf(&self, leaf: u32, source: Source) -> Answer<(Leaf, Pair)> {
        let signer = self.signer(leaf)?;
        let mut made = Leaf {
            encryption_key: self.encryption(leaf)?.public,
            signature_key: signer.public.clone(),
            credential: (1, leaf.to_be_bytes().to_vec()),
            capabilities: Capabilities::default(),
            source,
            extensions: Vec::new(),
            signature: Vec::new(),
        };
        made.sign(self.suite, &signer, self.group_id, leaf)?;
        Ok((made, signer))
    }

    /// A member with an odd number, as it was before it was added.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn client(&self, leaf: u32) -> Answer<Client> {
        let (from, to) = self.lifetime;
        let (leaf_node, signer) = self.leaf(leaf, Source::KeyPackage(from, to))?;
        let init = self.suite.pair(&self.secret(leaf, Purpose::Init))?;
        let mut package = KeyPackage {
            version: 1,
            suite: self.suite.id,
            init_key: init.public.clone(),
            leaf: leaf_node,
            extensions: Vec::new(),
            signature: Vec::new(),
        };
        package.sign(self.suite, &signer)?;
        Ok(Client {
            suite: self.suite,
            encryption: self.encryption(leaf)?,
            signer,
            init,
            package,
        })
    }

    /// The path secret of the node above leaves 0 and 1.
    #[must_use]
    pub fn lowest_path_secret(&self) -> Hash {
        self.secret(0, Purpose::Path)
    }

    /// The tree.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn tree(&self) -> Answer<Tree> {
        let width = self.members.next_power_of_two() as usize;
        let mut tree = Tree(vec![None; width * 2 - 1]);
        self.fill(&mut tree, width - 1, Vec::new())?;
        Ok(tree)
    }

    /// Fills in a node and all below it; gives its tree hash.
    fn fill(&self, tree: &mut Tree, node: usize, above: Vec<u8>) -> Answer<Hash> {
        let (first, _) = leaves_below(node);
        if first >= self.members {
            return Ok(tree.hash_of(node));
        }
        if level(node) == 0 {
            let (from, to) = self.lifetime;
            let source = match first % 2 {
                0 => Source::Commit(above),
                _ => Source::KeyPackage(from, to),
            };
            let (leaf, _) = self.leaf(first, source)?;
            tree.set(node, Some(Node::Leaf(leaf)));
            return Ok(tree.hash_of(node));
        }
        let (left, right) = children(node);
        let (right_first, _) = leaves_below(right);
        // A parent with nobody on its right is on no filtered path: blank.
        if right_first >= self.members {
            let left = self.fill(tree, left, above)?;
            let right = tree.hash_of(right);
            return Ok(tree.joined(node, &left, &right));
        }
        let right = self.fill(tree, right, Vec::new())?;
        let key = node_key(self.suite, &self.path_secret(tree, node)?)?.public;
        let below = parent_hash(&key, &above, &right);
        let parent = Parent {
            key,
            parent_hash: above,
            unmerged: Vec::new(),
        };
        tree.set(node, Some(Node::Parent(parent)));
        let left = self.fill(tree, left, below.to_vec())?;
        Ok(tree.joined(node, &left, &right))
    }

    /// The path secret of a parent: of the path of its leftmost leaf.
    fn path_secret(&self, tree: &Tree, node: usize) -> Answer<Hash> {
        let (leaf, _) = leaves_below(node);
        let mut secret = self.secret(leaf, Purpose::Path);
        for (above, copath) in tree.path(leaf) {
            if above == node {
                break;
            }
            let (first, _) = leaves_below(copath);
            if first < self.members {
                secret = derive(&secret, "path")?;
            }
        }
        Ok(secret)
    }
}

//! Commits and their paths (§§7.4 to 7.6, 12.4).

use subrosa::crypto::hash::sha256;

use super::client::{Client, Leaf, Source};
use super::group::Group;
use super::message::{Content, Encryption, Format, Sender, Signed};
use super::proposal::{Listed, Proposal};
use super::schedule::{Secrets, joiner, psk_secret};
use super::tree::{Node, Parent, Tree, leaves_below, parent_hash};
use super::{Draw, Hash, Pair, Suite, derive, list, optional, vector};
use crate::model::{Answer, error};

/// Who commits.
#[derive(Clone, Copy, Debug)]
pub enum Committer<'a> {
    /// A member.
    Member(u32),
    /// Who joins.
    Joiner(&'a Client),
}

/// A node of a path.
#[derive(Clone, Debug)]
pub struct PathNode {
    /// Its public key.
    pub key: Vec<u8>,
    /// `HPKECiphertext`s.
    pub sealed: Vec<Vec<u8>>,
}

/// A commit as it is wanted, true to the standard or not.
pub struct Plan<'a> {
    /// Who commits.
    pub committer: Committer<'a>,
    /// The proposals.
    pub listed: Vec<Listed>,
    /// Whether there is a path.
    pub path: bool,
    /// How it is sent.
    pub format: Format,
    /// The init secret of an external commit.
    pub init: Option<Hash>,
    /// Changes the leaf of the path before it is signed.
    pub leaf: &'a dyn Fn(&mut Leaf),
    /// Changes it afterwards.
    pub signed_leaf: &'a dyn Fn(&mut Leaf),
    /// Changes the public key of the n-th node.
    pub key: &'a dyn Fn(usize, &mut Vec<u8>),
    /// Changes the path secret of the n-th node as it is sent.
    pub sent: &'a dyn Fn(usize, &mut Hash),
    /// Changes the nodes as they are sent.
    pub nodes: &'a dyn Fn(&mut Vec<PathNode>),
}

impl<'a> Plan<'a> {
    /// A commit of a member, with a path.
    #[must_use]
    pub fn by(leaf: u32, listed: Vec<Listed>) -> Self {
        Self::of(Committer::Member(leaf), listed)
    }

    /// A commit by which a client joins.
    #[must_use]
    pub fn joining(client: &'a Client, listed: Vec<Listed>, init: Hash) -> Self {
        Self {
            init: Some(init),
            ..Self::of(Committer::Joiner(client), listed)
        }
    }

    fn of(committer: Committer<'a>, listed: Vec<Listed>) -> Self {
        Self {
            committer,
            listed,
            path: true,
            format: Format::Public,
            init: None,
            leaf: &|_| {},
            signed_leaf: &|_| {},
            key: &|_, _| {},
            sent: &|_, _| {},
            nodes: &|_| {},
        }
    }
}

/// Nodes of a path with their path secrets, their public keys, and the path secret behind the last.
#[derive(Default)]
struct NewPath {
    nodes: Vec<(usize, Hash)>,
    keys: Vec<Vec<u8>>,
    commit_secret: Hash,
}

/// A commit that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The commit, with its confirmation tag.
    pub signed: Signed,
    /// The group after it.
    pub next: Group,
    /// Nodes of the path, with their path secrets.
    pub path: Vec<(usize, Hash)>,
    secrets: Secrets,
    tree: Tree,
}

impl Made {
    /// The commit as a message in the clear.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        self.signed
            .public(&self.signed.membership_tag(&self.secrets))
    }

    /// The commit encrypted.
    ///
    /// # Errors
    /// None.
    pub fn private(&self, generation: u32) -> Answer<Vec<u8>> {
        let with = Encryption::of(generation);
        self.signed.private(&self.secrets, &self.tree, &with)
    }

    /// The path secret of the lowest node above both the committer and a leaf.
    #[must_use]
    pub fn path_secret(&self, leaf: u32) -> Option<Hash> {
        let covers = |node: usize| {
            let (first, last) = leaves_below(node);
            first <= leaf && leaf <= last
        };
        let mut path = self.path.iter();
        Some(path.find(|(node, _)| covers(*node))?.1)
    }
}
impl Group {
    /// Applies proposals (§12.3), and gives the new leaves.
    fn apply(&mut self, listed: &[Listed]) -> Vec<u32> {
        for one in listed {
            match &one.proposal {
                Proposal::Extensions(all) => self.context.extensions.clone_from(all),
                Proposal::Update(leaf) => self.tree.update(one.sender, (**leaf).clone()),
                _ => {}
            }
        }
        for one in listed {
            if let Proposal::Remove(leaf) = one.proposal {
                self.tree.remove(leaf);
            }
        }
        self.tree.shrink();
        let mut added = Vec::new();
        for one in listed {
            if let Proposal::Add(package) = &one.proposal {
                added.push(self.tree.add(package.leaf.clone()));
            }
        }
        added
    }

    /// Makes a commit.
    ///
    /// # Errors
    /// `UnknownSender`, `InvalidKey`.
    pub fn commit(&mut self, plan: &Plan<'_>) -> Answer<Made> {
        let mut next = self.clone();
        next.draw = Draw::new(&hex::encode(self.draw()));
        let added = next.apply(&plan.listed);
        let (leaf, signer, sender) = match plan.committer {
            Committer::Member(leaf) => (leaf, self.signer(leaf)?, Sender::Member(leaf)),
            Committer::Joiner(client) => {
                next.know(&client.signer);
                let leaf = next.tree.room();
                (leaf, client.signer.clone(), Sender::NewMemberCommit)
            }
        };
        let mut path = NewPath::default();
        let mut new_leaf = None;
        if plan.path {
            let old = match plan.committer {
                Committer::Member(leaf) => self.tree.leaf(leaf).cloned(),
                Committer::Joiner(client) => Some(client.package.leaf.clone()),
            };
            let mut made = old.ok_or(error("UnknownSender"))?;
            path = next.new_path(leaf, plan)?;
            let parent_hash = next.set_path(leaf, &path.keys);
            made.encryption_key = self.suite.pair(&self.draw())?.public;
            made.source = Source::Commit(parent_hash);
            (plan.leaf)(&mut made);
            made.sign(self.suite, &signer, &self.context.group_id, leaf)?;
            (plan.signed_leaf)(&mut made);
            next.tree
                .set(leaf as usize * 2, Some(Node::Leaf(made.clone())));
            new_leaf = Some(made);
        }
        next.context.epoch += 1;
        next.context.tree_hash = next.tree.hash().to_vec();
        let update_path = match new_leaf {
            Some(leaf_node) => {
                let sealed = self.seal_path(&next, leaf, &path, &added, plan)?;
                let nodes = sealed
                    .into_iter()
                    .map(|node| [vector(&node.key), list(node.sealed)].concat());
                Some([leaf_node.encode(), list(nodes)].concat())
            }
            None => None,
        };
        let listed = list(plan.listed.iter().map(Listed::encode));
        let commit = [listed, optional(update_path)].concat();
        let content = Content::Commit(commit);
        let mut signed = Signed::new(
            self.suite,
            &self.context,
            plan.format,
            sender,
            content,
            &signer,
        )?;
        next.context.confirmed = sha256(&[&self.interim, &signed.transcript_input()]).to_vec();
        let mut keys = Vec::new();
        for one in &plan.listed {
            if let Proposal::Psk(id, key) = &one.proposal {
                keys.push((id.encode(), key.clone()));
            }
        }
        let context = next.context.encode();
        let init = plan.init.unwrap_or(self.secrets.init);
        let joiner = joiner(&init, &path.commit_secret, &context)?;
        next.secrets = Secrets::new(joiner, psk_secret(&keys)?, &context)?;
        next.confirm();
        signed.tag = Some(next.tag.clone());
        Ok(Made {
            signed,
            next,
            path: path.nodes,
            secrets: self.secrets.clone(),
            tree: self.tree.clone(),
        })
    }

    /// What a leaf's filtered direct path gets (§7.4).
    fn new_path(&mut self, leaf: u32, plan: &Plan<'_>) -> Answer<NewPath> {
        let mut new = NewPath {
            commit_secret: self.draw(),
            ..NewPath::default()
        };
        for (number, (node, _)) in self.tree.filtered(leaf).into_iter().enumerate() {
            let secret = new.commit_secret;
            new.nodes.push((node, secret));
            let mut key = node_key(self.suite, &secret)?.public;
            (plan.key)(number, &mut key);
            new.keys.push(key);
            new.commit_secret = derive(&secret, "path")?;
        }
        Ok(new)
    }

    /// Puts public keys on a leaf's filtered direct path, blanks the others above it; gives the leaf's parent hash
    /// (§7.5).
    fn set_path(&mut self, leaf: u32, keys: &[Vec<u8>]) -> Vec<u8> {
        let filtered = self.tree.filtered(leaf);
        self.tree.blank_path(leaf);
        let mut above = Vec::new();
        for ((node, copath), key) in filtered.into_iter().zip(keys).rev() {
            let hash = parent_hash(key, &above, &self.tree.hash_of(copath));
            let parent = Parent {
                key: key.clone(),
                parent_hash: above,
                unmerged: Vec::new(),
            };
            self.tree.set(node, Some(Node::Parent(parent)));
            above = hash.to_vec();
        }
        above
    }

    /// Encrypts path secrets to the resolution of the copath, but for new leaves (§7.5).
    fn seal_path(
        &mut self,
        next: &Self,
        leaf: u32,
        path: &NewPath,
        added: &[u32],
        plan: &Plan<'_>,
    ) -> Answer<Vec<PathNode>> {
        let context = next.context.encode();
        let mut nodes = Vec::new();
        let filtered = next.tree.filtered(leaf);
        let secrets = path.nodes.iter().map(|(_, secret)| *secret);
        let lines = filtered.into_iter().zip(secrets).zip(&path.keys);
        for (number, (((_, copath), mut secret), key)) in lines.enumerate() {
            (plan.sent)(number, &mut secret);
            let mut sealed = Vec::new();
            for recipient in next.tree.resolution(copath) {
                let is_new = added.iter().any(|new| *new as usize * 2 == recipient);
                if let (Some(public), false) = (next.tree.key(recipient), is_new) {
                    let random = self.draw();
                    let label = "UpdatePathNode";
                    sealed.push(
                        self.suite
                            .encrypt(public, label, &context, &secret, &random)?,
                    );
                }
            }
            nodes.push(PathNode {
                key: key.clone(),
                sealed,
            });
        }
        (plan.nodes)(&mut nodes);
        Ok(nodes)
    }
}

/// The key pair of a node with this path secret (§7.4).
///
/// # Errors
/// None that anybody will see.
pub fn node_key(suite: Suite, path_secret: &Hash) -> Answer<Pair> {
    suite.pair(&derive(path_secret, "node")?)
}

//! Commits that are made by no rule.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::invitation::Invitation;
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::commit::{Commit, UpdatePath};
use crate::mls::context::{GroupContext, confirmed_transcript_hash};
use crate::mls::error::Error;
use crate::mls::extension::Extensions;
use crate::mls::framing::{AuthenticatedContent, Content, FramedContent, Sender, WireFormat};
use crate::mls::group::{Inside, Member};
use crate::mls::hazmat::tree::Tree;
use crate::mls::labels::{EXTERNAL_INIT, encrypt};
use crate::mls::leaf_node::{LeafNode, Place};
use crate::mls::math::LeafIndex;
use crate::mls::proposal::{Proposal, ProposalOrRef, ProposalRef};
use crate::mls::schedule::Joiner;
use crate::mls::signature::Signer;
use crate::mls::suite::Prk;
use crate::mls::tree::{PathSecrets, RatchetTree};

/// A commit that is made by no rule. Its confirmation tag is the one of who has the same tree, extensions and secrets: what is
/// broken is what was changed on purpose.
pub struct Forgery<'a> {
    inside: Inside<'a>,
    before: GroupContext,
    /// How it is sent: signed and hashed along.
    pub wire_format: WireFormat,
    /// Who signs it, and its leaf.
    pub signer: &'a Signer,
    /// Whom it names.
    pub sender: Sender,
    /// Whose path it has.
    pub leaf: LeafIndex,
    /// What it lists.
    pub proposals: Vec<ProposalOrRef>,
    /// What was applied to the tree, with its senders.
    applied: Vec<(Sender, Proposal)>,
    /// The next epoch's tree.
    pub tree: Tree,
    /// Leaves that this commit adds: no path secret is encrypted to them.
    pub new: Vec<LeafIndex>,
    /// The next epoch's extensions.
    pub extensions: Extensions,
    /// The path.
    pub path: Option<UpdatePath>,
    /// The path secret for each of those who are new.
    pub path_secrets: Vec<(LeafIndex, [u8; HASH])>,
    /// `init_secret` of the epoch before.
    pub init_secret: [u8; HASH],
    /// `commit_secret`.
    pub commit_secret: [u8; HASH],
    /// `psk_secret` (see [`psk_secret`](crate::mls::hazmat::psk_secret)).
    pub psk_secret: [u8; HASH],
}

impl<'a> Forgery<'a> {
    pub(super) fn new(inside: Inside<'a>, member: &Member) -> Self {
        let context = member.context();
        Self {
            inside,
            before: context.clone(),
            wire_format: WireFormat::PublicMessage,
            signer: inside.signer,
            sender: Sender::Member(member.leaf()),
            leaf: member.leaf(),
            proposals: Vec::new(),
            applied: Vec::new(),
            tree: Tree(inside.tree.clone()),
            new: Vec::new(),
            extensions: context.extensions.clone(),
            path: None,
            path_secrets: Vec::new(),
            init_secret: *inside.secrets.init.expose(),
            commit_secret: [0; HASH],
            psk_secret: [0; HASH],
        }
    }

    /// Lists a proposal, and applies it as far as that is possible.
    pub fn propose(&mut self, proposal: Proposal) {
        let listed = ProposalOrRef::Proposal(proposal.clone());
        memory::push(&mut self.proposals, listed);
        memory::push(&mut self.applied, (self.sender, proposal));
        self.apply();
    }

    /// Lists a proposal that somebody sent, and applies it as far as that is possible.
    pub fn refer(&mut self, reference: ProposalRef, sender: Sender, proposal: Proposal) {
        memory::push(&mut self.proposals, ProposalOrRef::Reference(reference));
        memory::push(&mut self.applied, (sender, proposal));
        self.apply();
    }

    /// The tree and the extensions, in the order of RFC 9420 §12.3.
    fn apply(&mut self) {
        let mut tree = self.inside.tree.clone();
        self.new = Vec::new();
        for (sender, proposal) in &self.applied {
            match (proposal, sender) {
                (Proposal::Update(leaf_node), Sender::Member(leaf)) => {
                    let new = Arc::new(leaf_node.as_ref().clone());
                    attempt(&mut tree, |tree| tree.update(*leaf, new));
                }
                (Proposal::GroupContextExtensions(extensions), _) => {
                    self.extensions = extensions.clone();
                }
                _ => {}
            }
        }
        for (_, proposal) in &self.applied {
            if let Proposal::Remove(leaf) = proposal {
                attempt(&mut tree, |tree| tree.remove(*leaf));
            }
        }
        attempt(&mut tree, RatchetTree::shrink);
        for (_, proposal) in &self.applied {
            if let Proposal::Add(key_package) = proposal {
                let new = Arc::new(key_package.leaf_node.clone());
                if let Some(leaf) = attempt(&mut tree, |tree| tree.add(new)) {
                    memory::push(&mut self.new, leaf);
                }
            }
        }
        self.new.sort_unstable();
        if self.sender == Sender::NewMemberCommit
            && let Some(leaf) = attempt(&mut tree, RatchetTree::add_by_commit)
        {
            self.leaf = leaf;
        }
        self.tree = Tree(tree);
    }

    /// Makes it the commit of a client that joins, and signs with this key: lists an external init for the group's key.
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub fn external(&mut self, random: [u8; 32]) -> Result<(), Error> {
        let hpke = self.inside.suite.hpke;
        let pair = self.inside.secrets.external_key_pair(self.inside.suite)?;
        let ephemeral = hpke.kem.derive_key_pair(&random)?;
        let init = hpke.send_export(pair.public(), &hpke.info(&[]), EXTERNAL_INIT, &ephemeral)?;
        self.init_secret = *init.expose();
        self.sender = Sender::NewMemberCommit;
        self.propose(Proposal::ExternalInit(memory::copied(ephemeral.public())));
        Ok(())
    }

    /// The next epoch's context but for its transcript: what path secrets are encrypted under.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn provisional(&self) -> Result<GroupContext, Error> {
        let mut context = self.before.clone();
        context.epoch = context.epoch.saturating_add(1);
        context.extensions = self.extensions.clone();
        context.tree_hash = memory::copied(&self.tree.clone().hash()?);
        Ok(context)
    }

    /// Makes a path, when everything else is there. `leaf_node` is what becomes of the leaf: its encryption key, source and
    /// signature are made. Then `alter` may change it: it stands so in the tree that the path is encrypted under.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::Malformed`].
    pub fn path(
        &mut self,
        leaf_node: LeafNode,
        random: [u8; 32],
        alter: impl FnOnce(&mut LeafNode),
    ) -> Result<(), Error> {
        let suite = self.inside.suite;
        let random = Prk::new(&Secret::new(random));
        let leaf_key = random.derive(b"leaf")?;
        let secrets = PathSecrets {
            leaf_key: suite.hpke.kem.derive_key_pair(leaf_key.expose())?,
            first: random.derive(b"path")?,
        };
        let place = Place {
            group_id: &self.before.group_id,
            leaf: self.leaf,
        };
        let tree = &mut self.tree.0;
        let mut sent = tree.make_path(suite, place, leaf_node, secrets, self.signer)?;
        let mut altered = sent.leaf_node().clone();
        alter(&mut altered);
        if altered != *sent.leaf_node() {
            sent.replace_leaf(tree, altered);
        }
        self.commit_secret = *sent.commit_secret.expose();
        self.path_secrets = Vec::new();
        for leaf in &self.new {
            if let Some(secret) = sent.secret_for(*leaf) {
                memory::push(&mut self.path_secrets, (*leaf, *secret.expose()));
            }
        }
        let context = self.provisional()?.to_bytes()?;
        let mut number = 0u32;
        let draw = || {
            number = number.saturating_add(1);
            random.expand(b"encryption", &number.to_be_bytes())
        };
        let (path, _) = sent.encrypt(suite, &self.tree.0, &context, &self.new, draw)?;
        self.path = Some(path);
        Ok(())
    }

    /// The next epoch with another path secret in one ciphertext of the path: the `place`th of the `level`th node. Whoever it is
    /// for gets a secret that is none of the tree.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if there is no such ciphertext, or `public` is no key.
    pub fn mislead(
        &mut self,
        level: usize,
        place: usize,
        public: &[u8],
        secret: &[u8],
    ) -> Result<(), Error> {
        let suite = self.inside.suite;
        let context = self.provisional()?.to_bytes()?;
        let info = suite.encrypt_info(encrypt::UPDATE_PATH_NODE, &context)?;
        let sealed = suite.encrypt(public, &info, secret, &Secret::new([3; 32]))?;
        let path = self.path.as_mut().ok_or(Error::InvalidKey)?;
        let node = path.nodes.get_mut(level).ok_or(Error::InvalidKey)?;
        let held = node.encrypted_path_secret.get_mut(place);
        let held = held.ok_or(Error::InvalidKey)?;
        held.kem_output = sealed.kem_output;
        held.ciphertext = sealed.ciphertext;
        Ok(())
    }

    /// Signs the commit, and makes the epoch that it would begin.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn finish(&self) -> Result<Forged, Error> {
        let commit = Commit {
            proposals: self.proposals.clone(),
            path: self.path.clone(),
        };
        let content = FramedContent {
            group_id: self.before.group_id.clone(),
            epoch: self.before.epoch,
            sender: self.sender,
            authenticated_data: Vec::new(),
            content: Content::Commit(Box::new(commit)),
        };
        let mut signed =
            AuthenticatedContent::sign(self.wire_format, content, &self.before, self.signer)?;
        let transcript = signed.transcript_input()?;
        let confirmed = confirmed_transcript_hash(self.inside.interim_transcript_hash, &transcript);
        let mut context = self.provisional()?;
        context.confirmed_transcript_hash = memory::copied(&confirmed);
        let joiner = Joiner::advance(
            &Secret::new(self.init_secret),
            &Secret::new(self.commit_secret),
            &Secret::new(self.psk_secret),
            &context.to_bytes()?,
        )?;
        let mut invitation = Invitation::new(context, *joiner.joiner_secret().expose())?;
        invitation.psk_secret = self.psk_secret;
        signed.auth.confirmation_tag = Some(memory::copied(&invitation.confirmation_tag()?));
        Ok(Forged {
            signed,
            tree: self.tree.clone(),
            invitation,
        })
    }
}

/// Changes a tree, or leaves it as it is.
fn attempt<T>(
    tree: &mut RatchetTree,
    change: impl FnOnce(&mut RatchetTree) -> Result<T, Error>,
) -> Option<T> {
    let mut with = tree.clone();
    let changed = change(&mut with).ok()?;
    *tree = with;
    Some(changed)
}

/// A forged commit.
pub struct Forged {
    /// The commit, to be sent by [`Insider`](super::Insider) as it was signed to be sent.
    pub signed: AuthenticatedContent,
    /// The tree of the epoch that it begins.
    pub tree: Tree,
    /// The way into that epoch.
    pub invitation: Invitation,
}

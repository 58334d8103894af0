//! The proposals of a commit: whether they may stand together, and what they make of the tree (RFC 9420 §§12.2, 12.3).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::credentials::Credentials;
use crate::memory;
use crate::mls::context::GroupContext;
use crate::mls::error::{Error, Rule};
use crate::mls::extension::{ExtensionType, Extensions, ProposalType};
use crate::mls::framing::Sender;
use crate::mls::key_package::KeyPackage;
use crate::mls::leaf_node::{LeafNode, LeafNodeSource, Place, Validity};
use crate::mls::math::LeafIndex;
use crate::mls::proposal::{Proposal, ReInit};
use crate::mls::psk::{PreSharedKeyId, ResumptionUsage};
use crate::mls::suite::Suite;
use crate::mls::tree::{Kind, RatchetTree};

/// A proposal and who sent it.
pub(super) struct Sent {
    pub(super) sender: Sender,
    pub(super) proposal: Proposal,
}

/// Who commits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Committer {
    Member(LeafIndex),
    /// One who joins by the commit.
    External,
}

/// Proposals of one commit, sorted by what they do, each list in the commit's order.
#[derive(Default)]
pub(super) struct Changes {
    extensions: Option<Extensions>,
    updates: Vec<(LeafIndex, Box<LeafNode>)>,
    pub(super) removes: Vec<LeafIndex>,
    adds: Vec<KeyPackage>,
    pub(super) psks: Vec<PreSharedKeyId>,
    pub(super) external_init: Option<Vec<u8>>,
    pub(super) reinit: Option<ReInit>,
    pub(super) others: Vec<(ProposalType, Vec<u8>)>,
    pub(super) requires_path: bool,
}

/// What the proposals make of a group.
pub(super) struct Applied {
    pub(super) tree: RatchetTree,
    pub(super) extensions: Extensions,
    /// The new leaves, in their order, each with its key package.
    pub(super) added: Vec<(LeafIndex, KeyPackage)>,
    pub(super) updated: Vec<LeafIndex>,
    pub(super) credentials: Credentials,
}

impl Applied {
    /// The new leaves in the order of the tree: not that in which they came, if some filled a gap behind others.
    pub(super) fn new_leaves(&self) -> Vec<LeafIndex> {
        let mut new = memory::with_capacity(self.added.len());
        for (leaf, _) in &self.added {
            memory::push(&mut new, *leaf);
        }
        new.sort_unstable();
        new
    }

    /// The provisional context of the next epoch (RFC 9420 §12.4.1): all of it but the transcript.
    pub(super) fn next_context(&mut self, context: &GroupContext) -> Result<GroupContext, Error> {
        let mut next = context.clone();
        next.epoch = context.epoch.checked_add(1).ok_or(Error::Over)?;
        next.extensions = self.extensions.clone();
        next.tree_hash = memory::copied(&self.tree.tree_hash()?);
        Ok(next)
    }
}

/// The group in which a commit is made.
pub(super) struct Before<'a> {
    pub(super) suite: &'a Suite,
    pub(super) context: &'a GroupContext,
    pub(super) tree: &'a RatchetTree,
}

impl Changes {
    /// Sorts the proposals of a commit, and refuses a list that is not valid (RFC 9420 §12.2), as far as the tree has no part in
    /// it. `initial` allows the pre-shared key of a reinitialization or a branch.
    pub(super) fn sort(
        proposals: Vec<Sent>,
        committer: Committer,
        initial: bool,
    ) -> Result<Self, Error> {
        let mut changes = Self {
            requires_path: proposals.is_empty(),
            ..Self::default()
        };
        let alone = proposals.len() == 1;
        let mut leaves = Vec::new();
        for Sent { sender, proposal } in proposals {
            changes.requires_path |= proposal.requires_path();
            if committer == Committer::External {
                require_external(&proposal)?;
            }
            match proposal {
                Proposal::Add(key_package) => memory::push(&mut changes.adds, *key_package),
                Proposal::Update(leaf_node) => {
                    let Sender::Member(leaf) = sender else {
                        return Err(Rule::SenderContent.into());
                    };
                    if committer == Committer::Member(leaf) {
                        return Err(Rule::UpdateByCommitter.into());
                    }
                    memory::push(&mut leaves, leaf);
                    memory::push(&mut changes.updates, (leaf, leaf_node));
                }
                Proposal::Remove(leaf) => {
                    if committer == Committer::Member(leaf) {
                        return Err(Rule::RemoveOfCommitter.into());
                    }
                    memory::push(&mut leaves, leaf);
                    memory::push(&mut changes.removes, leaf);
                }
                Proposal::PreSharedKey(id) => {
                    id.require_nonce()?;
                    let elsewhere = matches!(
                        id.usage(),
                        Some(ResumptionUsage::ReInit | ResumptionUsage::Branch)
                    );
                    if elsewhere && !initial {
                        return Err(Rule::PskUsage.into());
                    }
                    memory::push(&mut changes.psks, id);
                }
                Proposal::ReInit(reinit) => {
                    if !alone {
                        return Err(Rule::ReInitWithOthers.into());
                    }
                    // RFC 9420 §12.1.5: 1 is the oldest version.
                    if reinit.version < 1 {
                        return Err(Rule::ReInitVersion.into());
                    }
                    changes.reinit = Some(reinit);
                }
                Proposal::ExternalInit(kem_output) => {
                    if committer != Committer::External {
                        return Err(Rule::ExternalInitByMember.into());
                    }
                    if changes.external_init.replace(kem_output).is_some() {
                        return Err(Rule::ExternalInitCount.into());
                    }
                }
                Proposal::GroupContextExtensions(extensions) => {
                    if changes.extensions.replace(extensions).is_some() {
                        return Err(Rule::ExtensionsTwice.into());
                    }
                }
                Proposal::Other(proposal_type, data) => {
                    memory::push(&mut changes.others, (proposal_type, data));
                }
            }
        }
        if has_twice(leaves) {
            return Err(Rule::SameLeafTwice.into());
        }
        if has_twice(changes.psks.clone()) {
            return Err(Rule::SamePskTwice.into());
        }
        if committer == Committer::External {
            if changes.external_init.is_none() {
                return Err(Rule::ExternalInitCount.into());
            }
            if changes.removes.len() > 1 {
                return Err(Rule::ExternalCommitProposal.into());
            }
        }
        Ok(changes)
    }

    /// Applies them to a copy of the tree, in the order of RFC 9420 §12.3.
    pub(super) fn apply(
        &mut self,
        before: &Before<'_>,
        validity: Validity,
    ) -> Result<Applied, Error> {
        let suite = before.suite;
        let mut credentials = Credentials::default();
        let extensions = match self.extensions.take() {
            Some(extensions) => {
                extensions.require_unique()?;
                if extensions.find(ExtensionType::EXTERNAL_SENDERS)
                    != before
                        .context
                        .extensions
                        .find(ExtensionType::EXTERNAL_SENDERS)
                {
                    for sender in extensions.external_senders()?.0 {
                        credentials.external_sender(sender);
                    }
                }
                extensions
            }
            None => before.context.extensions.clone(),
        };
        let required = extensions.required_capabilities()?;
        let mut tree = before.tree.clone();
        let mut updated = Vec::new();
        for (leaf, leaf_node) in core::mem::take(&mut self.updates) {
            let old = tree.leaf(leaf).ok_or(Error::UnknownSender)?.clone();
            if leaf_node.source != LeafNodeSource::Update {
                return Err(Rule::LeafSource.into());
            }
            require_successor(&old, &leaf_node)?;
            leaf_node.require(suite, &required, &extensions)?;
            leaf_node.verify(suite, place(before.context, leaf))?;
            let new = Arc::new(*leaf_node);
            tree.update(leaf, new.clone())?;
            credentials.leaf(Some(leaf), new, Some(old));
            memory::push(&mut updated, leaf);
        }
        for leaf in &self.removes {
            tree.remove(*leaf)?;
        }
        tree.shrink()?;
        for (proposal_type, _) in &self.others {
            if !tree.supported_by_everybody(Kind::Proposal, proposal_type.0) {
                return Err(Rule::UnsupportedProposal.into());
            }
        }
        let mut added = memory::with_capacity(self.adds.len());
        let adds = core::mem::take(&mut self.adds);
        KeyPackage::verify_all(&adds, suite, validity)?;
        for key_package in adds {
            let leaf_node = &key_package.leaf_node;
            leaf_node.require(suite, &required, &extensions)?;
            if tree.has_signature_key(&leaf_node.signature_key.0) {
                return Err(Rule::SameClientTwice.into());
            }
            let new = Arc::new(leaf_node.clone());
            let leaf = tree.add(new.clone())?;
            credentials.leaf(Some(leaf), new, None);
            memory::push(&mut added, (leaf, key_package));
        }
        tree.require_credentials()?;
        if extensions != before.context.extensions {
            require_support(&tree, &extensions)?;
        }
        Ok(Applied {
            tree,
            extensions,
            added,
            updated,
            credentials,
        })
    }
}

/// Where a leaf stands in a group.
pub(super) fn place(context: &GroupContext, leaf: LeafIndex) -> Place<'_> {
    Place {
        group_id: &context.group_id,
        leaf,
    }
}

/// RFC 9420 §7.3: a leaf that replaces another has another encryption key.
pub(super) fn require_successor(old: &LeafNode, new: &LeafNode) -> Result<(), Error> {
    if old.encryption_key == new.encryption_key {
        return Err(Rule::LeafOldKey.into());
    }
    Ok(())
}

/// RFC 9420 §12.1.7 and §13.4: every member supports what is required and what is in use.
fn require_support(tree: &RatchetTree, extensions: &Extensions) -> Result<(), Error> {
    let required = extensions.required_capabilities()?;
    let everybody = |kind, value| tree.supported_by_everybody(kind, value);
    let mut required_extensions = required.extensions.iter();
    let mut required_proposals = required.proposals.iter();
    let mut required_credentials = required.credentials.iter();
    let holds = required_extensions
        .all(|wanted| wanted.is_default() || everybody(Kind::Extension, wanted.0))
        && required_proposals
            .all(|wanted| wanted.is_default() || everybody(Kind::Proposal, wanted.0))
        && required_credentials.all(|wanted| everybody(Kind::Credential, wanted.0));
    if !holds {
        return Err(Rule::RequiredCapabilities.into());
    }
    let mut in_use = extensions.iter().map(|extension| extension.extension_type);
    if in_use.all(|used| used.is_default() || everybody(Kind::Extension, used.0)) {
        Ok(())
    } else {
        Err(Rule::UnsupportedExtension.into())
    }
}

/// RFC 9420 §12.2: what an external commit may have.
fn require_external(proposal: &Proposal) -> Result<(), Error> {
    match proposal {
        Proposal::ExternalInit(_) | Proposal::Remove(_) | Proposal::PreSharedKey(_) => Ok(()),
        _ => Err(Rule::ExternalCommitProposal.into()),
    }
}

fn has_twice<T: Ord>(mut values: Vec<T>) -> bool {
    values.sort_unstable();
    let mut pairs = values.iter().zip(values.iter().skip(1));
    pairs.any(|(one, next)| one == next)
}

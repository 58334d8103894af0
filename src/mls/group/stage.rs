//! Processing a commit (RFC 9420 §12.4.2): all of the next epoch, beside the present one.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::changes::{Applied, Before, Changes, Committer, Sent, place, require_successor};
use super::credentials::{Credentials, NewCredential};
use super::epoch::{Begun, Inputs};
use super::member::{Life, Member, Next};
use crate::crypto::hash::HASH;
use crate::crypto::hpke::Info;
use crate::crypto::{Secret, secret};
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::commit::{Commit, UpdatePath};
use crate::mls::context::GroupContext;
use crate::mls::error::{Error, Rule};
use crate::mls::extension::ProposalType;
use crate::mls::framing::{AuthenticatedContent, Content, Sender};
use crate::mls::labels::EXTERNAL_INIT;
use crate::mls::math::LeafIndex;
use crate::mls::proposal::{ProposalOrRef, ReInit};
use crate::mls::psk::{PreSharedKeyId, PskSource};
use crate::mls::secret_tree::Step;
use crate::mls::signature::Signer;
use crate::mls::suite::Suite;
use crate::mls::tree::{PrivateTree, Recipient};

/// What a commit does to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Who committed; one who joins by the commit is in `added`, too.
    pub committer: LeafIndex,
    /// Who becomes a member.
    pub added: Vec<LeafIndex>,
    /// Who is no member any more, by the place in the old tree.
    pub removed: Vec<LeafIndex>,
    /// Whose leaf is replaced by its own proposal.
    pub updated: Vec<LeafIndex>,
    /// The pre-shared keys that go into the next epoch.
    pub psks: Vec<PreSharedKeyId>,
    /// Whether the group's extensions change.
    pub extensions_changed: bool,
    /// The group that takes this one's place.
    pub reinit: Option<ReInit>,
    /// Proposals of types that this library does not know.
    pub others: Vec<(ProposalType, Vec<u8>)>,
    /// Whether one is removed oneself.
    pub removes_oneself: bool,
}

/// A commit that was checked whole, and of which nothing was done.
pub struct StagedCommit {
    step: Option<Step>,
    effects: Effects,
    credentials: Credentials,
    /// None for who is removed.
    next: Option<Next>,
    epoch: u64,
    authenticator: [u8; HASH],
}

/// A commit whose credentials the app has approved.
pub struct ApprovedCommit(StagedCommit);

impl StagedCommit {
    /// What it does.
    #[must_use]
    pub const fn effects(&self) -> &Effects {
        &self.effects
    }

    /// The group's context after it; the present one's for who is removed.
    #[must_use]
    pub fn context(&self) -> Option<&GroupContext> {
        self.next.as_ref().map(|next| &next.epoch.context)
    }

    /// The credentials that come into the group.
    pub fn credentials(&self) -> impl Iterator<Item = NewCredential<'_>> {
        self.credentials.iter()
    }

    /// Asks the app about each of the credentials. It has to say yes to all.
    ///
    /// # Errors
    /// [`Error::Refused`]: the commit is let go of.
    pub fn approve(
        self,
        decide: impl FnMut(NewCredential<'_>) -> bool,
    ) -> Result<ApprovedCommit, Error> {
        self.credentials.approve(decide)?;
        Ok(ApprovedCommit(self))
    }
}

impl ApprovedCommit {
    /// What it does.
    #[must_use]
    pub const fn effects(&self) -> &Effects {
        &self.0.effects
    }
}

impl Member {
    /// Goes on to the epoch that a commit begins. What the member itself waited to commit is let go of.
    ///
    /// # Errors
    /// [`Error::Stale`] if the group has gone on since the commit was staged; nothing else can fail.
    pub fn merge(&mut self, commit: ApprovedCommit) -> Result<(), Error> {
        let ApprovedCommit(staged) = commit;
        if staged.epoch != self.epoch() || staged.authenticator != *self.epoch_authenticator() {
            return Err(Error::Stale);
        }
        if let Some(step) = staged.step {
            self.epoch.messages.take(step)?;
        }
        match staged.next {
            Some(next) => self.go_on(next),
            None => {
                self.life = Life::Removed;
                self.clear_proposals();
                self.pending = None;
            }
        }
        Ok(())
    }

    /// Checks a commit whose signature is still to be verified, and makes the epoch that it begins.
    pub(super) fn stage_commit(
        &self,
        received: &AuthenticatedContent,
        step: Option<Step>,
        psks: &impl PskSource,
        now: u64,
    ) -> Result<StagedCommit, Error> {
        let Content::Commit(commit) = &received.content.content else {
            return Err(Rule::SenderContent.into());
        };
        let committer = self.verify_committer(received, commit)?;
        let tag = received
            .auth
            .confirmation_tag
            .as_deref()
            .ok_or(Error::Malformed)?;
        let mut changes = Changes::sort(self.resolve(commit, committer)?, committer, false)?;
        if changes.requires_path && commit.path.is_none() {
            return Err(Rule::PathMissing.into());
        }
        let context = self.context();
        let mut applied = changes.apply(&self.before(), self.validity(now))?;
        let mut effects = Effects {
            removed: changes.removes.clone(),
            updated: applied.updated.clone(),
            psks: changes.psks.clone(),
            extensions_changed: applied.extensions != context.extensions,
            reinit: changes.reinit.clone(),
            others: core::mem::take(&mut changes.others),
            removes_oneself: changes.removes.contains(&self.leaf()),
            ..Effects::default()
        };
        let new = applied.new_leaves();
        for (leaf, _) in &applied.added {
            memory::push(&mut effects.added, *leaf);
        }
        effects.committer = match committer {
            Committer::Member(leaf) => leaf,
            Committer::External => {
                let leaf = applied.tree.add_by_commit()?;
                memory::push(&mut effects.added, leaf);
                leaf
            }
        };
        if let Some(path) = &commit.path {
            let removed = changes.removes.first().copied();
            self.take_path_in(&mut applied, path, committer, effects.committer, removed)?;
        }
        let provisional = applied.next_context(context)?;
        let next = if effects.removes_oneself {
            None
        } else {
            let mut private = self.epoch.private.duplicate();
            let signer = self.take_update(&applied, &mut private);
            let commit_secret = match &commit.path {
                Some(path) => {
                    let recipient = Recipient {
                        suite: self.suite,
                        tree: &applied.tree,
                        context: &provisional.to_bytes()?,
                        new: &new,
                    };
                    private.prune(&applied.tree);
                    recipient.take(effects.committer, path, &mut private)?.1
                }
                None => Secret::zero(),
            };
            let external;
            let init_secret = match &changes.external_init {
                Some(kem_output) => {
                    external = self.external_init_secret(kem_output)?;
                    &external
                }
                None => &self.epoch.secrets.init,
            };
            let begun = Begun::new(
                provisional,
                &self.epoch.interim_transcript_hash,
                &received.transcript_input()?,
                &Inputs {
                    init_secret,
                    commit_secret: &commit_secret,
                    psk_secret: &self.psk_secret(&changes.psks, psks)?,
                },
            )?;
            if !secret::equal(&begun.confirmation_tag, tag) {
                return Err(Error::BadTag);
            }
            let (epoch, _) = begun.finish(self.suite, applied.tree, private)?;
            Some(Next {
                epoch: Box::new(epoch),
                signer,
                reinit: changes.reinit.take(),
            })
        };
        Ok(StagedCommit {
            step,
            effects,
            credentials: applied.credentials,
            next,
            epoch: self.epoch(),
            authenticator: *self.epoch_authenticator(),
        })
    }

    /// The group as it is, for the proposals of a commit.
    pub(super) fn before(&self) -> Before<'_> {
        Before {
            suite: self.suite,
            context: self.context(),
            tree: &self.epoch.tree,
        }
    }

    /// RFC 9420 §6.1: the signature, by the key of the leaf, or of the path's leaf where somebody joins.
    fn verify_committer(
        &self,
        received: &AuthenticatedContent,
        commit: &Commit,
    ) -> Result<Committer, Error> {
        received.require_sender()?;
        match received.content.sender {
            Sender::Member(leaf) => {
                let key = &self.epoch.tree.leaf(leaf).ok_or(Error::UnknownSender)?;
                received.verify(self.suite, self.context(), &key.signature_key)?;
                Ok(Committer::Member(leaf))
            }
            Sender::NewMemberCommit => {
                let path = commit.path.as_ref().ok_or(Rule::PathMissing)?;
                let key = &path.leaf_node.signature_key;
                received.verify(self.suite, self.context(), key)?;
                Ok(Committer::External)
            }
            Sender::External(_) | Sender::NewMemberProposal => Err(Rule::SenderContent.into()),
        }
    }

    /// The proposals of a commit with their senders; those by reference are looked up.
    fn resolve(&self, commit: &Commit, committer: Committer) -> Result<Vec<Sent>, Error> {
        let mut proposals = memory::with_capacity(commit.proposals.len());
        for proposal in &commit.proposals {
            let sent = match (proposal, committer) {
                (ProposalOrRef::Proposal(proposal), _) => Sent {
                    sender: match committer {
                        Committer::Member(leaf) => Sender::Member(leaf),
                        Committer::External => Sender::NewMemberCommit,
                    },
                    proposal: proposal.clone(),
                },
                (ProposalOrRef::Reference(_), Committer::External) => {
                    return Err(Rule::ExternalCommitReference.into());
                }
                (ProposalOrRef::Reference(reference), Committer::Member(_)) => {
                    let mut kept = self.kept.iter();
                    let kept = kept
                        .find(|kept| kept.reference == *reference)
                        .ok_or(Error::UnknownProposal)?;
                    Sent {
                        sender: kept.sender,
                        proposal: kept.proposal.clone(),
                    }
                }
            };
            memory::push(&mut proposals, sent);
        }
        Ok(proposals)
    }

    /// Puts the path of another member's commit into the tree: its leaf is checked, then its keys.
    fn take_path_in(
        &self,
        applied: &mut Applied,
        path: &UpdatePath,
        committer: Committer,
        leaf: LeafIndex,
        removed: Option<LeafIndex>,
    ) -> Result<(), Error> {
        let leaf_node = &path.leaf_node;
        let required = applied.extensions.required_capabilities()?;
        leaf_node.require(self.suite, &required, &applied.extensions)?;
        leaf_node.verify(self.suite, place(self.context(), leaf))?;
        let old = match committer {
            Committer::Member(_) => {
                Some(applied.tree.leaf(leaf).ok_or(Error::UnknownSender)?.clone())
            }
            // An old appearance of who joins.
            Committer::External => {
                removed.and_then(|removed| self.epoch.tree.leaf(removed).cloned())
            }
        };
        if let Some(old) = &old {
            require_successor(old, leaf_node)?;
        }
        applied.tree.apply_path(leaf, path)?;
        applied.tree.require_credentials()?;
        let new = Arc::new(leaf_node.clone());
        applied.credentials.leaf(Some(leaf), new, old);
        Ok(())
    }

    /// The private keys of one's own update, if it is the one that was committed.
    fn take_update(&self, applied: &Applied, private: &mut PrivateTree) -> Option<Arc<Signer>> {
        let own = applied.tree.leaf(self.leaf())?;
        let mut updates = self.updates.iter();
        let update = updates.find(|update| update.encryption_key.public() == own.encryption_key)?;
        private.leaf_key = update.encryption_key.duplicate();
        update.signer.clone()
    }

    /// The init secret that who joins has sent (RFC 9420 §8.3).
    fn external_init_secret(&self, kem_output: &[u8]) -> Result<Secret<HASH>, Error> {
        let pair = self.epoch.secrets.external_key_pair(self.suite)?;
        let hpke = self.suite.hpke;
        Ok(hpke.receive_export(&pair, kem_output, &no_info(self.suite), EXTERNAL_INIT)?)
    }
}

/// The empty `info` of an external init.
pub(super) fn no_info(suite: &Suite) -> Info {
    suite.hpke.info(&[])
}

//! Messages that arrive: read, and not yet acted upon.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::changes::place;
use super::credentials::{Credentials, NewCredential};
use super::member::{Kept, Member};
use super::speakers::Speaker;
use super::stage::StagedCommit;
use crate::crypto::hash::sha256;
use crate::mls::error::{Error, Rule};
use crate::mls::framing::{
    AuthenticatedContent, Content, ContentType, PrivateMessage, PublicMessage, Sender,
};
use crate::mls::leaf_node::LeafNodeSource;
use crate::mls::math::LeafIndex;
use crate::mls::message::Message;
use crate::mls::proposal::Proposal;
use crate::mls::psk::PskSource;
use crate::mls::secret_tree::{SecretTree, Step};
use crate::mls::signature::ReadyKey;

/// A message of the app that was read, and whose key is still there.
pub struct Application {
    step: Step,
    /// Who has not spoken lately.
    speaker: Option<Speaker>,
    epoch: u64,
    /// Who sent it, by the place in the tree of that epoch.
    pub sender: LeafIndex,
    /// What was said in the clear, and authenticated.
    pub authenticated_data: Vec<u8>,
    data: Vec<u8>,
}

/// A message that was decrypted; verified, if it is the app's.
struct Unprotected {
    received: AuthenticatedContent,
    step: Step,
    speaker: Option<Speaker>,
}

/// A proposal that was checked, and not kept.
pub struct StagedProposal {
    step: Option<Step>,
    epoch: u64,
    kept: Kept,
    credentials: Credentials,
}

/// A proposal whose credential the app has approved.
pub struct ApprovedProposal(StagedProposal);

/// What a message is.
pub enum Processed {
    /// Data of the app.
    Application(Box<Application>),
    /// A proposal.
    Proposal(Box<StagedProposal>),
    /// A commit of another member, or of one who joins.
    Commit(Box<StagedCommit>),
    /// One's own commit that waits: [`Member::merge_pending`] goes on to it.
    OwnCommit,
}

impl Application {
    /// The epoch in which it was sent.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl StagedProposal {
    /// Who sent it.
    #[must_use]
    pub const fn sender(&self) -> Sender {
        self.kept.sender
    }

    /// The proposal.
    #[must_use]
    pub const fn proposal(&self) -> &Proposal {
        &self.kept.proposal
    }

    /// The credentials that it would bring into the group.
    pub fn credentials(&self) -> impl Iterator<Item = NewCredential<'_>> {
        self.credentials.iter()
    }

    /// Asks the app about the credentials, if there are any.
    ///
    /// # Errors
    /// [`Error::Refused`]: the proposal is let go of.
    pub fn approve(
        self,
        decide: impl FnMut(NewCredential<'_>) -> bool,
    ) -> Result<ApprovedProposal, Error> {
        self.credentials.approve(decide)?;
        Ok(ApprovedProposal(self))
    }
}

impl Member {
    /// Reads a message of the group. Nothing changes: what comes back is acted upon by [`take`](Self::take),
    /// [`keep_proposal`](Self::keep_proposal) or [`merge`](Self::merge). `now` is in seconds since 1970.
    ///
    /// # Errors
    /// As the message deserves; the group is what it was.
    pub fn process(
        &self,
        message: &[u8],
        psks: &impl PskSource,
        now: u64,
    ) -> Result<Processed, Error> {
        if let Some(pending) = &self.pending
            && pending.message == sha256(&[message])
        {
            return Ok(Processed::OwnCommit);
        }
        match Message::decode(message)? {
            Message::Public(message) => self.process_public(message, psks, now),
            Message::Private(message) => self.process_private(message, psks, now),
            Message::Welcome(_) | Message::GroupInfo(_) | Message::KeyPackage(_) => {
                Err(Error::Malformed)
            }
        }
    }

    /// Uses the key of a message up, and gives what it says.
    ///
    /// # Errors
    /// [`Error::GenerationUsed`] if the same message was taken already; [`Error::EpochGone`], [`Error::Stale`] if the group
    /// has changed since it was read.
    pub fn take(&mut self, message: Application) -> Result<Vec<u8>, Error> {
        self.messages_mut(message.epoch)?.take(message.step)?;
        if let Some(speaker) = message.speaker {
            self.speakers.keep(speaker);
        }
        Ok(message.data)
    }

    /// Keeps a proposal until it is committed, or the epoch ends.
    ///
    /// # Errors
    /// [`Error::Stale`] if the group has changed since; [`Error::TooManyProposals`].
    pub fn keep_proposal(&mut self, proposal: ApprovedProposal) -> Result<(), Error> {
        let ApprovedProposal(staged) = proposal;
        if staged.epoch != self.epoch() {
            return Err(Error::Stale);
        }
        if let Some(step) = staged.step {
            self.epoch.messages.take(step)?;
        }
        self.keep(staged.kept)
    }

    /// [`process`](Self::process) and [`take`](Self::take) of a message of the app.
    ///
    /// # Errors
    /// As for the two; [`Error::Malformed`] for any other kind of message.
    pub fn open(&mut self, message: &[u8]) -> Result<(LeafIndex, Vec<u8>), Error> {
        let Message::Private(message) = Message::decode(message)? else {
            return Err(Error::Malformed);
        };
        if message.content_type != ContentType::Application {
            return Err(Error::Malformed);
        }
        let application = application(self.unprotect(message)?)?;
        let sender = application.sender;
        Ok((sender, self.take(application)?))
    }

    fn messages_mut(&mut self, epoch: u64) -> Result<&mut SecretTree, Error> {
        if epoch == self.epoch() {
            return Ok(&mut self.epoch.messages);
        }
        let mut past = self.past.iter_mut();
        let past = past.find(|past| past.context.epoch == epoch);
        Ok(&mut past.ok_or(Error::EpochGone)?.messages)
    }

    fn process_public(
        &self,
        message: PublicMessage,
        psks: &impl PskSource,
        now: u64,
    ) -> Result<Processed, Error> {
        self.require_active()?;
        let context = self.context();
        if message.content.group_id != context.group_id {
            return Err(Error::WrongGroup);
        }
        if message.content.epoch != context.epoch {
            return Err(Error::WrongEpoch);
        }
        let received = message.unprotect(&self.epoch.secrets.membership, context)?;
        if received.content.sender == Sender::Member(self.leaf()) {
            return Err(Error::OwnMessage);
        }
        self.act(received, None, psks, now)
    }

    fn process_private(
        &self,
        message: PrivateMessage,
        psks: &impl PskSource,
        now: u64,
    ) -> Result<Processed, Error> {
        let unprotected = self.unprotect(message)?;
        match unprotected.received.content.content.content_type() {
            ContentType::Application => {
                Ok(Processed::Application(Box::new(application(unprotected)?)))
            }
            ContentType::Proposal | ContentType::Commit => {
                self.act(unprotected.received, Some(unprotected.step), psks, now)
            }
        }
    }

    /// Decrypts a message of this epoch or of one before, and verifies it, if it is the app's.
    fn unprotect(&self, message: PrivateMessage) -> Result<Unprotected, Error> {
        let now = &self.epoch;
        if message.group_id != now.context.group_id {
            return Err(Error::WrongGroup);
        }
        let (context, tree, sender_data, messages) = if message.epoch == now.context.epoch {
            (
                &now.context,
                &now.tree,
                &now.secrets.sender_data,
                &now.messages,
            )
        } else if message.epoch > now.context.epoch {
            return Err(Error::WrongEpoch);
        } else if message.content_type != ContentType::Application {
            // RFC 9420 §12.1, §12.4.2: handshake messages are of the present epoch.
            return Err(Error::WrongEpoch);
        } else {
            let mut past = self.past.iter();
            let past = past
                .find(|past| past.context.epoch == message.epoch)
                .ok_or(Error::EpochGone)?;
            (&past.context, &past.tree, &past.sender_data, &past.messages)
        };
        if message.content_type != ContentType::Application {
            self.require_active()?;
        }
        let aead = self.suite.aead();
        let sender = message.sender_data(aead, sender_data)?;
        // RFC 9420 §6.3.2: before anything is derived.
        let leaf = tree.leaf(sender.leaf).ok_or(Error::UnknownSender)?;
        if sender.leaf == now.private.leaf {
            return Err(Error::OwnMessage);
        }
        let kind = message.content_type.into();
        let (key, step) = messages.find(sender.leaf, kind, sender.generation)?;
        let received = message.unprotect(aead, sender, (&key.key, &key.nonce))?;
        let mut speaker = None;
        if matches!(received.content.content, Content::Application(_)) {
            let key = &leaf.signature_key;
            match self.speakers.find(key) {
                Some(ready) => received.verify_ready(context, ready)?,
                None => {
                    let ready = ReadyKey::new(self.suite, key).map_err(|_| Error::BadSignature)?;
                    received.verify_ready(context, &ready)?;
                    let key = key.clone();
                    speaker = Some(Speaker { key, ready });
                }
            }
        }
        Ok(Unprotected {
            received,
            step,
            speaker,
        })
    }

    /// A proposal or a commit of the present epoch.
    fn act(
        &self,
        received: AuthenticatedContent,
        step: Option<Step>,
        psks: &impl PskSource,
        now: u64,
    ) -> Result<Processed, Error> {
        match received.content.content {
            Content::Commit(_) => {
                let staged = self.stage_commit(&received, step, psks, now)?;
                Ok(Processed::Commit(Box::new(staged)))
            }
            Content::Proposal(_) => {
                let staged = self.stage_proposal(received, step, now)?;
                Ok(Processed::Proposal(Box::new(staged)))
            }
            Content::Application(_) => Err(Rule::ApplicationInClear.into()),
        }
    }

    /// Checks a proposal (RFC 9420 §12.1), as far as it can be checked without the others of its commit.
    fn stage_proposal(
        &self,
        received: AuthenticatedContent,
        step: Option<Step>,
        now: u64,
    ) -> Result<StagedProposal, Error> {
        received.require_sender()?;
        let context = self.context();
        let reference = received.proposal_reference()?;
        let sender = received.content.sender;
        let Content::Proposal(proposal) = &received.content.content else {
            return Err(Rule::SenderContent.into());
        };
        let tree = &self.epoch.tree;
        match (sender, proposal) {
            (Sender::Member(leaf), _) => {
                let key = &tree.leaf(leaf).ok_or(Error::UnknownSender)?.signature_key;
                received.verify(self.suite, context, key)?;
            }
            (Sender::External(index), _) => {
                let senders = context.extensions.external_senders()?.0;
                let index = usize::try_from(index).map_err(|_| Error::UnknownSender)?;
                let key = &senders
                    .get(index)
                    .ok_or(Error::UnknownSender)?
                    .signature_key;
                received.verify(self.suite, context, key)?;
            }
            (Sender::NewMemberProposal, Proposal::Add(key_package)) => {
                let key = &key_package.leaf_node.signature_key;
                received.verify(self.suite, context, key)?;
            }
            (Sender::NewMemberProposal | Sender::NewMemberCommit, _) => {
                return Err(Rule::SenderContent.into());
            }
        }
        let mut credentials = Credentials::default();
        match (proposal, sender) {
            (Proposal::Add(key_package), _) => {
                key_package.verify(self.suite, self.validity(now))?;
                let leaf = Arc::new(key_package.leaf_node.clone());
                credentials.leaf(None, leaf, None);
            }
            (Proposal::Update(leaf_node), Sender::Member(leaf)) => {
                if leaf_node.source != LeafNodeSource::Update {
                    return Err(Rule::LeafSource.into());
                }
                leaf_node.require_alone(self.suite)?;
                leaf_node.verify(self.suite, place(context, leaf))?;
                let new = Arc::new(leaf_node.as_ref().clone());
                credentials.leaf(Some(leaf), new, tree.leaf(leaf).cloned());
            }
            (Proposal::Remove(leaf), _) if tree.leaf(*leaf).is_none() => {
                return Err(Rule::RemoveOfNobody.into());
            }
            (Proposal::PreSharedKey(id), _) => id.require_nonce()?,
            (Proposal::GroupContextExtensions(extensions), _) => extensions.require_unique()?,
            _ => {}
        }
        Ok(StagedProposal {
            step,
            epoch: context.epoch,
            kept: Kept {
                reference,
                sender,
                proposal: proposal.clone(),
            },
            credentials,
        })
    }
}

fn application(unprotected: Unprotected) -> Result<Application, Error> {
    let Unprotected {
        received,
        step,
        speaker,
    } = unprotected;
    match (received.content.content, received.content.sender) {
        (Content::Application(data), Sender::Member(sender)) => Ok(Application {
            step,
            speaker,
            epoch: received.content.epoch,
            sender,
            authenticated_data: received.content.authenticated_data,
            data,
        }),
        _ => Err(Rule::SenderContent.into()),
    }
}

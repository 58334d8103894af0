//! What comes from a group: any number of messages in one call and one commit.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::credentials::{Claim, SUITE, Verdict, When, address_of, signer};
use super::time::seconds;
use crate::crypto::TryCryptoRng;
use crate::device::batch::Batch;
use crate::device::body::Body;
use crate::device::group_id::GroupId;
use crate::device::group_mail::GroupEvent;
use crate::device::mail::{Content, Notices};
use crate::device::store::Store;
use crate::device::values::{HeldKeyPackage, HeldKeyPackages, InboxEntry};
use crate::device::{Device, Error};
use crate::identity::{AccountId, Address};
use crate::memory;
use crate::mls::{
    self, Application, Credential, JoinOptions, KeyPackageSecrets, LeafIndex, Member, Message,
    NewCredential, NoPsks, Processed, Sender, StagedCommit, StagedProposal, Welcome,
};
use crate::session;

impl<S: Store> Device<S> {
    /// Reads messages of groups and Welcomes, in the order in which they came, and says what became of each. All of it is one
    /// commit: once the call has succeeded, the server may forget every message but those of
    /// [`GroupEvent::ListsNeeded`].
    ///
    /// # Errors
    /// Those of the store and of the generator: nothing was read, hand in all messages again.
    pub fn receive_groups<R: TryCryptoRng + ?Sized>(
        &mut self,
        messages: &[&[u8]],
        now: u64,
        rng: &mut R,
    ) -> Result<Vec<GroupEvent>, Error> {
        let mut events = memory::with_capacity(messages.len());
        let received = self.transact(rng, |batch| {
            let mut waiting = Waiting::default();
            for (number, message) in messages.iter().enumerate() {
                let outcome = batch.receive_one(message, now, &mut waiting)?;
                memory::push(&mut events, outcome.event(number));
            }
            Ok(())
        });
        if received.is_err() {
            for event in &mut events {
                if let GroupEvent::Message(received) = event {
                    received.forget();
                }
            }
        }
        received.map(|()| events)
    }
}

/// What waits for device lists in one call: what comes behind it in the same group waits, too.
#[derive(Default)]
struct Waiting {
    groups: Vec<(GroupId, Vec<AccountId>)>,
    /// Of a Welcome, whose group is not known yet.
    welcome: Option<Vec<AccountId>>,
}

/// What became of one message.
enum Outcome {
    Event(GroupEvent),
    Early(GroupId),
    ListsNeeded(Vec<AccountId>),
    Rejected(Option<GroupId>, Error),
}

impl Outcome {
    fn event(self, message: usize) -> GroupEvent {
        match self {
            Self::Event(event) => event,
            Self::Early(group) => GroupEvent::Early { message, group },
            Self::ListsNeeded(accounts) => GroupEvent::ListsNeeded { message, accounts },
            Self::Rejected(group, error) => GroupEvent::Rejected {
                message,
                group,
                error,
            },
        }
    }
}

/// The claims of credentials.
fn claims<'a>(credentials: impl Iterator<Item = NewCredential<'a>>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for credential in credentials {
        memory::push(&mut claims, Claim::of(&credential));
    }
    claims
}

/// The devices at these places.
fn addresses(member: &Member, leaves: &[LeafIndex]) -> Vec<Address> {
    let mut found = memory::with_capacity(leaves.len());
    for leaf in leaves {
        let credential = member.leaf_node(*leaf).map(|leaf| &leaf.credential);
        if let Some(address) = credential.and_then(address_of) {
            memory::push(&mut found, address);
        }
    }
    found
}

/// Whose credential it is. Every member's was held against a device list.
fn device(credential: Option<&Credential>) -> Result<Address, Error> {
    credential
        .and_then(address_of)
        .ok_or(Error::Session(session::Error::Integrity))
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// One message. What is refused is an outcome; an error is of this device.
    fn receive_one(
        &mut self,
        message: &[u8],
        now: u64,
        waiting: &mut Waiting,
    ) -> Result<Outcome, Error> {
        let (group_id, epoch) = match Message::decode(message) {
            Ok(Message::Public(public)) => (public.content.group_id, public.content.epoch),
            Ok(Message::Private(private)) => (private.group_id, private.epoch),
            Ok(Message::Welcome(welcome)) => {
                let outcome = self.join(message, &welcome, now)?;
                if let Outcome::ListsNeeded(accounts) = &outcome {
                    waiting.welcome = Some(accounts.clone());
                }
                return Ok(outcome);
            }
            Ok(_) => return Ok(Outcome::Rejected(None, mls::Error::Malformed.into())),
            Err(error) => return Ok(Outcome::Rejected(None, error.into())),
        };
        let id = <[u8; 32]>::try_from(group_id.as_slice()).map(GroupId::from_bytes);
        let id = match (id, &waiting.welcome) {
            (Ok(id), _) if self.has_group(&id)? => id,
            (Ok(_), Some(accounts)) => return Ok(Outcome::ListsNeeded(accounts.clone())),
            _ => return Ok(Outcome::Rejected(None, mls::Error::WrongGroup.into())),
        };
        let mut before = waiting.groups.iter();
        if let Some((_, accounts)) = before.find(|(group, _)| *group == id) {
            return Ok(Outcome::ListsNeeded(accounts.clone()));
        }
        let outcome = self.process(id, epoch, message, now)?;
        if let Outcome::ListsNeeded(accounts) = &outcome {
            memory::push(&mut waiting.groups, (id, accounts.clone()));
        }
        Ok(outcome)
    }

    /// A message of a group.
    fn process(
        &mut self,
        id: GroupId,
        epoch: u64,
        message: &[u8],
        now: u64,
    ) -> Result<Outcome, Error> {
        let member = &self.group(&id)?.member;
        if epoch > member.epoch() {
            return Ok(Outcome::Early(id));
        }
        match member.process(message, &NoPsks, seconds(now)) {
            Ok(Processed::Application(application)) => self.read_message(id, *application, now),
            Ok(Processed::Proposal(staged)) => self.propose(id, *staged),
            Ok(Processed::Commit(staged)) => self.take_commit(id, staged),
            Ok(Processed::OwnCommit) => self.take_own_commit(id),
            Err(error) => Ok(Outcome::Rejected(Some(id), error.into())),
        }
    }

    fn read_message(
        &mut self,
        id: GroupId,
        application: Application,
        now: u64,
    ) -> Result<Outcome, Error> {
        let group = self.group_mut(&id)?;
        let leaf = group
            .member
            .leaf_node_in(application.epoch(), application.sender);
        let from = device(leaf.map(|leaf| &leaf.credential))?;
        let text = match group.member.take(application) {
            Ok(text) => Zeroizing::new(text),
            Err(error) => return Ok(Outcome::Rejected(Some(id), error.into())),
        };
        let malformed = Error::Session(session::Error::Malformed);
        let Ok(body) = Body::parse(&text) else {
            return Ok(Outcome::Rejected(Some(id), malformed));
        };
        let content = match body.content {
            Content::Message if body.views.is_none() => Content::Group { group: id },
            Content::Unknown => Content::Unknown,
            _ => return Ok(Outcome::Rejected(Some(id), malformed)),
        };
        let received = self.put_inbox(&InboxEntry {
            incarnation: self.root.incarnation,
            from,
            received_at: now,
            notices: Notices::default(),
            content,
            text: Zeroizing::new(memory::copied(body.text)),
        })?;
        Ok(Outcome::Event(GroupEvent::Message(received)))
    }

    /// What becomes of a message whose credentials are not all true, as far as it is known.
    fn hold_up(
        &mut self,
        claims: &[Claim],
        when: When,
        group: Option<GroupId>,
    ) -> Result<Option<Outcome>, Error> {
        Ok(match self.judge(claims, when)? {
            Verdict::True => None,
            Verdict::False => Some(Outcome::Rejected(group, mls::Error::Refused.into())),
            Verdict::Unknown(accounts) => Some(Outcome::ListsNeeded(accounts)),
        })
    }

    fn propose(&mut self, id: GroupId, staged: StagedProposal) -> Result<Outcome, Error> {
        let claims = claims(staged.credentials());
        if let Some(outcome) = self.hold_up(&claims, When::Added, Some(id))? {
            return Ok(outcome);
        }
        let Sender::Member(leaf) = staged.sender() else {
            // Groups of devices have no external senders, and nobody proposes oneself.
            return Ok(Outcome::Rejected(Some(id), mls::Error::Refused.into()));
        };
        let member = &mut self.group_mut(&id)?.member;
        let by = device(member.leaf_node(leaf).map(|leaf| &leaf.credential))?;
        let kept = staged
            .approve(|_| true)
            .and_then(|approved| member.keep_proposal(approved));
        Ok(match kept {
            Ok(()) => Outcome::Event(GroupEvent::Proposed { group: id, by }),
            Err(error) => Outcome::Rejected(Some(id), error.into()),
        })
    }

    fn take_commit(&mut self, id: GroupId, staged: Box<StagedCommit>) -> Result<Outcome, Error> {
        let claims = claims(staged.credentials());
        if let Some(outcome) = self.hold_up(&claims, When::Added, Some(id))? {
            return Ok(outcome);
        }
        let member = &mut self.group_mut(&id)?.member;
        let effects = staged.effects().clone();
        let removed = addresses(member, &effects.removed);
        let committer = member.leaf_node(effects.committer);
        let before = committer.and_then(|leaf| address_of(&leaf.credential));
        let approved = staged.approve(|_| true)?;
        member.merge(approved)?;
        if effects.removes_oneself {
            self.commit_is_over(&id)?;
            return Ok(Outcome::Event(GroupEvent::Left { group: id }));
        }
        // Who joins by a commit is there only afterwards.
        let after = member.leaf_node(effects.committer);
        let by = match before {
            Some(by) => by,
            None => device(after.map(|leaf| &leaf.credential))?,
        };
        let event = GroupEvent::Changed {
            group: id,
            epoch: member.epoch(),
            by,
            added: addresses(member, &effects.added),
            removed,
        };
        self.commit_is_over(&id)?;
        Ok(Outcome::Event(event))
    }

    fn take_own_commit(&mut self, id: GroupId) -> Result<Outcome, Error> {
        let incarnation = self.root.incarnation;
        let by = *self.identity.public().address();
        let group = self.group_mut(&id)?;
        let (added, removed) = group.member.pending_members();
        let removed = addresses(&group.member, &removed);
        group.member.merge_pending()?;
        group.entry.incarnation = incarnation;
        group.entry_changed = true;
        let event = GroupEvent::Changed {
            group: id,
            epoch: group.member.epoch(),
            by,
            added: addresses(&group.member, &added),
            removed,
        };
        self.commit_is_over(&id)?;
        Ok(Outcome::Event(event))
    }

    /// Joins a group by a Welcome, if it is for one of this device's key packages.
    fn join(&mut self, message: &[u8], welcome: &Welcome, now: u64) -> Result<Outcome, Error> {
        let mut held = self.read::<HeldKeyPackages>(&[])?.unwrap_or_default();
        let place = held.0.iter().position(|held| {
            let mut secrets = welcome.secrets.iter();
            secrets.any(|secrets| secrets.new_member == held.reference)
        });
        let Some((place, own)) = place.and_then(|place| Some((place, held.0.get(place)?))) else {
            let error = mls::Error::NotForThisKeyPackage.into();
            return Ok(Outcome::Rejected(None, error));
        };
        let joining = self.stage_join(message, own, now)?;
        let joining = match joining {
            Ok(joining) => joining,
            Err(error) => return Ok(Outcome::Rejected(None, error.into())),
        };
        let group_id = joining.context().group_id.as_slice();
        let Ok(id) = <[u8; 32]>::try_from(group_id).map(GroupId::from_bytes) else {
            return Ok(Outcome::Rejected(None, mls::Error::Refused.into()));
        };
        if self.has_group(&id)? {
            return Ok(Outcome::Rejected(Some(id), Error::Occupied));
        }
        let claims = claims(joining.credentials());
        if let Some(outcome) = self.hold_up(&claims, When::Joining, None)? {
            return Ok(outcome);
        }
        let member = joining.approve(|_| true)?;
        if !own.last_resort {
            memory::remove(&mut held.0, place);
            self.put(&[], &held)?;
        }
        self.enter_group(id, member)?;
        Ok(Outcome::Event(GroupEvent::Joined { group: id }))
    }

    /// What a Welcome says, or why it is refused; an error is of this device.
    fn stage_join(
        &self,
        message: &[u8],
        own: &HeldKeyPackage,
        now: u64,
    ) -> Result<Result<mls::Joining, mls::Error>, Error> {
        let Message::KeyPackage(key_package) = Message::decode(&own.message)? else {
            return Err(Error::Session(session::Error::Integrity));
        };
        let secrets = KeyPackageSecrets::from_secrets(SUITE, &own.init, &own.encryption)?;
        let options = JoinOptions {
            // A member whose key package has run out is a member.
            allow_expired: true,
            ..JoinOptions::default()
        };
        let signer = signer(self.identity)?;
        let at = seconds(now);
        Ok(Member::join(
            message,
            &key_package,
            &secrets,
            signer,
            &options,
            &NoPsks,
            at,
        ))
    }
}

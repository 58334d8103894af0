//! What this device sends to a group: texts, proposals, commits.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::credentials::{Claim, address_of};
use super::time::seconds;
use crate::crypto::TryCryptoRng;
use crate::device::batch::Batch;
use crate::device::body::Body;
use crate::device::group_id::GroupId;
use crate::device::group_mail::{GroupChange, GroupContent, GroupOutgoing, GroupSent};
use crate::device::mail::Content;
use crate::device::store::Store;
use crate::device::{Device, Error, TEXT_MAX};
use crate::identity::Address;
use crate::memory;
use crate::mls::{
    self, CommitBuilder, KeyPackage, LeafIndex, Member, Message, NewCredential, NoPsks, Proposal,
    WireFormat,
};
use crate::session;

impl<S: Store> Device<S> {
    /// Seals a message for a group. It is in the outbox until [`group_sent`](Self::group_sent) says that the delivery service
    /// has it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::ClientId`]; [`Error::GroupSetBack`]; [`Error::Group`] with
    /// [`mls::Error::ProposalsWait`]: change the group first; [`session::Error::TooLong`]; those of the store and of the
    /// generator.
    pub fn send_to_group<R: TryCryptoRng + ?Sized>(
        &mut self,
        message: &GroupOutgoing<'_>,
        rng: &mut R,
    ) -> Result<GroupSent, Error> {
        self.transact(rng, |batch| {
            if let Some(sent) = batch.named(message.id, &message.group)? {
                return Ok(sent);
            }
            if message.text.len() > TEXT_MAX {
                return Err(Error::Session(session::Error::TooLong));
            }
            batch.require_present(&message.group)?;
            let body = Body {
                views: None,
                content: Content::Message,
                text: message.text,
            };
            let body = Zeroizing::new(body.write());
            let sealed =
                batch.with_group(&message.group, |member, rng| member.seal(&body, &[], rng))?;
            batch.put_group_entry(message.id, message.group, sealed, GroupContent::Message)
        })
    }

    /// Makes a commit: of what was proposed, as far as it can be committed, and of what is asked for here. The group stays what it
    /// is until the commit comes back by [`receive_groups`](Self::receive_groups), or is withdrawn.
    ///
    /// # Errors
    /// [`Error::NotFound`]: no such group, or a device to be removed is no member; [`Error::ClientId`];
    /// [`Error::UnknownAccount`], [`Error::KeyChanged`] for the device of a key package, and [`Error::Session`] with
    /// [`session::Error::IdentityChanged`] if it is not the account's; [`Error::Group`], of which
    /// [`mls::Error::CommitWaits`] says that another change waits; those of the store and of the generator.
    pub fn change_group<R: TryCryptoRng + ?Sized>(
        &mut self,
        change: &GroupChange<'_>,
        now: u64,
        rng: &mut R,
    ) -> Result<GroupSent, Error> {
        self.transact(rng, |batch| {
            if let Some(sent) = batch.named(change.id, &change.group)? {
                return Ok(sent);
            }
            let mut packages = memory::with_capacity(change.add.len());
            let mut added = memory::with_capacity(change.add.len());
            for key_package in change.add {
                let key_package = decode(key_package)?;
                let claim = claim_of(&key_package);
                memory::push(&mut added, batch.require_device(&claim)?);
                memory::push(&mut packages, key_package);
            }
            let present = batch.is_present(&change.group)?;
            let mut removed = leaves(&batch.group(&change.group)?.member, change.remove)?;
            let made = batch.with_group(&change.group, |member, rng| {
                let at = seconds(now);
                let commit = commit_of(member, &packages, &removed, present);
                match commit.build(&NoPsks, at, rng) {
                    Err(mls::Error::Invalid(_) | mls::Error::UnknownPsk)
                        if member.proposals().next().is_some() =>
                    {
                        // SPEC §19.9-R8: nobody holds the group up by what cannot be committed.
                        remove_proposed(member, &mut removed);
                        let commit = commit_of(member, &packages, &removed, present);
                        commit.with_received(false).build(&NoPsks, at, rng)
                    }
                    made => {
                        add_proposed(member, &mut added);
                        made
                    }
                }
            })?;
            let group = batch.group_mut(&change.group)?;
            group.entry.commit = memory::copied(change.id);
            group.entry_changed = true;
            let content = GroupContent::Commit {
                welcome: made.welcome,
                added,
            };
            batch.put_group_entry(change.id, change.group, made.commit, content)
        })
    }

    /// Withdraws a change that waits: the delivery service has not taken it, and will not.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Group`] with [`mls::Error::NoCommitWaits`]; those of the store and of the generator.
    pub fn withdraw_change<R: TryCryptoRng + ?Sized>(
        &mut self,
        group: &GroupId,
        rng: &mut R,
    ) -> Result<(), Error> {
        self.transact(rng, |batch| {
            if !batch.group(group)?.member.has_pending_commit() {
                return Err(mls::Error::NoCommitWaits.into());
            }
            batch.group_mut(group)?.member.clear_pending();
            batch.commit_is_over(group)
        })
    }

    /// Proposes that this device leaves: another member has to commit it. It is in the outbox like a message.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::ClientId`], [`Error::GroupSetBack`], [`Error::Group`]; those of the store and of the
    /// generator.
    pub fn leave_group<R: TryCryptoRng + ?Sized>(
        &mut self,
        id: &[u8],
        group: &GroupId,
        rng: &mut R,
    ) -> Result<GroupSent, Error> {
        self.transact(rng, |batch| {
            if let Some(sent) = batch.named(id, group)? {
                return Ok(sent);
            }
            batch.require_present(group)?;
            let message = batch.with_group(group, |member, rng| {
                let own = member.leaf();
                member.propose_remove(own, WireFormat::PrivateMessage, rng)
            })?;
            batch.put_group_entry(id, *group, message, GroupContent::Proposal)
        })
    }
}

fn decode(key_package: &[u8]) -> Result<KeyPackage, Error> {
    match Message::decode(key_package)? {
        Message::KeyPackage(key_package) => Ok(key_package),
        _ => Err(mls::Error::Malformed.into()),
    }
}

fn claim_of(key_package: &KeyPackage) -> Claim {
    let leaf = &key_package.leaf_node;
    Claim::of(&NewCredential {
        leaf: None,
        credential: &leaf.credential,
        signature_key: &leaf.signature_key,
        replaces: None,
        is_external_sender: false,
    })
}

/// A commit that adds and removes these, and gives oneself new keys.
fn commit_of<'a>(
    member: &'a mut Member,
    packages: &[KeyPackage],
    removed: &[LeafIndex],
    present: bool,
) -> CommitBuilder<'a> {
    let mut commit = member.commit().with_path();
    if !present {
        // SPEC §19.9-R5: no key of this epoch is used.
        commit = commit.wire_format(WireFormat::PublicMessage);
    }
    for key_package in packages {
        commit = commit.add_client(key_package.clone());
    }
    for leaf in removed {
        commit = commit.remove_member(*leaf);
    }
    commit
}

/// Those whom others have proposed to remove, themselves above all.
fn remove_proposed(member: &Member, removed: &mut Vec<LeafIndex>) {
    for (_, proposal) in member.proposals() {
        if let Proposal::Remove(leaf) = proposal
            && *leaf != member.leaf()
            && !removed.contains(leaf)
        {
            memory::push(removed, *leaf);
        }
    }
}

/// Those whom others have proposed to add: they come in by the same commit.
fn add_proposed(member: &Member, added: &mut Vec<Address>) {
    for (_, proposal) in member.proposals() {
        if let Proposal::Add(key_package) = proposal
            && let Some(address) = address_of(&key_package.leaf_node.credential)
            && !added.contains(&address)
        {
            memory::push(added, address);
        }
    }
}

/// Where these devices stand.
fn leaves(member: &Member, addresses: &[Address]) -> Result<Vec<LeafIndex>, Error> {
    let mut found = memory::with_capacity(addresses.len());
    if addresses.is_empty() {
        return Ok(found);
    }
    for (leaf, node) in member.leaves() {
        if address_of(&node.credential).is_some_and(|address| addresses.contains(&address)) {
            memory::push(&mut found, leaf);
        }
    }
    if found.len() == addresses.len() {
        Ok(found)
    } else {
        Err(Error::NotFound)
    }
}

impl<S: Store, R: TryCryptoRng + ?Sized> Batch<'_, S, R> {
    /// Works on a group's member with the generator.
    fn with_group<T>(
        &mut self,
        id: &GroupId,
        work: impl FnOnce(&mut Member, &mut R) -> Result<T, mls::Error>,
    ) -> Result<T, Error> {
        let (group, rng) = self.group_and_rng(id)?;
        Ok(work(&mut group.member, rng)?)
    }

    /// Whether this device was not set back since it came into the group's epoch.
    fn is_present(&mut self, id: &GroupId) -> Result<bool, Error> {
        let incarnation = self.root.incarnation;
        Ok(self.group(id)?.entry.incarnation == incarnation)
    }

    fn require_present(&mut self, id: &GroupId) -> Result<(), Error> {
        if self.is_present(id)? {
            Ok(())
        } else {
            Err(Error::GroupSetBack)
        }
    }

    /// The commit that waited does so no more: it was taken, or another one was, or it was withdrawn.
    pub(super) fn commit_is_over(&mut self, id: &GroupId) -> Result<(), Error> {
        let group = self.group(id)?;
        if group.entry.commit.is_empty() {
            return Ok(());
        }
        let commit = core::mem::take(&mut group.entry.commit);
        group.entry_changed = true;
        self.drop_outbox_entry(&commit)
    }
}

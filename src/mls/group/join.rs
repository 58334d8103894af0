//! Joining by a Welcome (RFC 9420 §12.4.3.1).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::create::OfGroup;
use super::credentials::{Credentials, NewCredential};
use super::epoch::Epoch;
use super::member::{Member, tree_of};
use crate::crypto::secret;
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::context::GroupContext;
use crate::mls::error::{Error, Rule};
use crate::mls::group_info::GroupInfo;
use crate::mls::key_package::{KeyPackage, KeyPackageSecrets};
use crate::mls::leaf_node::{LeafNode, Validity};
use crate::mls::limits::LIFETIME_MAX;
use crate::mls::message::Message;
use crate::mls::psk::{PreSharedKeyId, Psk, PskSource, ResumptionUsage, psk_secret};
use crate::mls::schedule::Joiner;
use crate::mls::signature::Signer;
use crate::mls::suite::{self, Suite};
use crate::mls::tree::{PrivateTree, RatchetTree};

/// What joining needs besides the Welcome.
#[derive(Clone, Copy)]
pub struct JoinOptions<'a> {
    /// The ratchet tree, where the Welcome does not have it.
    pub ratchet_tree: Option<&'a [u8]>,
    /// The group that the new one takes the place of, or branches from, if it does.
    pub old_group: Option<&'a Member>,
    /// Members whose key package has run out since they were added, and who have not sent a commit since, are let be. By
    /// default they are refused (RFC 9420 §7.3).
    pub allow_expired: bool,
    /// How many seconds the lifetime of a key package may span (RFC 9420 §7.2), now and for the member that joins.
    pub longest_lifetime: u64,
}

impl Default for JoinOptions<'_> {
    /// The tree is in the Welcome, no old group, nothing expired, and at most [`LIFETIME_MAX`].
    fn default() -> Self {
        Self {
            ratchet_tree: None,
            old_group: None,
            allow_expired: false,
            longest_lifetime: LIFETIME_MAX,
        }
    }
}

/// A group that one can join, once the app has approved the credentials of its members.
pub struct Joining {
    member: Member,
    credentials: Credentials,
}

impl Joining {
    pub(super) fn new(member: Member) -> Self {
        let mut credentials = Credentials::default();
        let own = member.leaf();
        for (leaf, leaf_node) in member.epoch.tree.leaves() {
            if leaf != own {
                credentials.leaf(Some(leaf), leaf_node.clone(), None);
            }
        }
        let senders = member.context().extensions.external_senders();
        for sender in senders.unwrap_or_default().0 {
            credentials.external_sender(sender);
        }
        Self {
            member,
            credentials,
        }
    }

    /// What the members agree on.
    #[must_use]
    pub fn context(&self) -> &GroupContext {
        self.member.context()
    }

    /// The credentials of all others, and of the group's external senders.
    pub fn credentials(&self) -> impl Iterator<Item = NewCredential<'_>> {
        self.credentials.iter()
    }

    /// Asks the app about each of the credentials. It has to say yes to all.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn approve(self, decide: impl FnMut(NewCredential<'_>) -> bool) -> Result<Member, Error> {
        self.credentials.approve(decide)?;
        Ok(self.member)
    }
}

/// A tree and a context that were received, and belong together.
pub(super) struct Received {
    pub(super) tree: RatchetTree,
    pub(super) info: GroupInfo,
}

/// Checks a group's information and its tree, as who joins either way has to (RFC 9420 §12.4.3.1).
pub(super) fn receive(
    suite: &Suite,
    info: GroupInfo,
    client: &LeafNode,
    options: &JoinOptions<'_>,
    now: u64,
) -> Result<Received, Error> {
    let context = &info.group_context;
    if context.cipher_suite != suite.id {
        return Err(Rule::WelcomeSuite.into());
    }
    info.extensions.require_unique()?;
    context.extensions.require_unique()?;
    context.extensions.external_senders()?;
    // RFC 9420 §13.4: every extension of the group is one that oneself supports.
    let mut in_use = context.extensions.iter();
    if !in_use.all(|used| client.capabilities.supports_extension(used.extension_type)) {
        return Err(Rule::UnsupportedExtension.into());
    }
    let mut tree = RatchetTree::decode(&tree_of(&info, options.ratchet_tree)?)?;
    let signer = tree.leaf(info.signer).ok_or(Rule::WelcomeSigner)?;
    info.verify(suite, &signer.signature_key)?;
    let validity = (!options.allow_expired).then_some(Validity {
        now,
        longest: options.longest_lifetime,
    });
    tree.validate(suite, context, validity)?;
    Ok(Received { tree, info })
}

impl Member {
    /// Joins a group by a Welcome. `now` is in seconds since 1970.
    ///
    /// The secrets of the key package are used up: unless it is a last resort, they are to be deleted. That the client is not
    /// in a group of this id already is for the app to see to (RFC 9420 §12.4.3.1).
    ///
    /// # Errors
    /// [`Error::NotForThisKeyPackage`]; [`Error::InvalidKey`] if secrets and signer are not those of the key package;
    /// [`Error::UnknownPsk`]; [`Error::Decryption`], [`Error::BadSignature`], [`Error::BadTag`], [`Error::Invalid`].
    pub fn join(
        welcome: &[u8],
        key_package: &KeyPackage,
        secrets: &KeyPackageSecrets,
        signer: Signer,
        options: &JoinOptions<'_>,
        psks: &impl PskSource,
        now: u64,
    ) -> Result<Joining, Error> {
        let Message::Welcome(welcome) = Message::decode(welcome)? else {
            return Err(Error::Malformed);
        };
        let suite = Suite::of(welcome.cipher_suite)?;
        let own_keys = secrets.belong_to(key_package)
            && *signer.public() == key_package.leaf_node.signature_key;
        if !own_keys {
            return Err(Error::InvalidKey);
        }
        let group_secrets = welcome.open_secrets(suite, key_package, secrets)?;
        let mut keys = memory::with_capacity(group_secrets.psks.len());
        for id in &group_secrets.psks {
            id.require_nonce()?;
            let of_group = options
                .old_group
                .and_then(|group| OfGroup(group).psk(&id.psk));
            let key = of_group.or_else(|| psks.psk(&id.psk));
            memory::push(&mut keys, key.ok_or(Error::UnknownPsk)?);
        }
        let ids = group_secrets.psks.iter();
        let psk_secret = psk_secret(ids.zip(keys.iter().map(|key| key.as_slice())))?;
        let joiner = Joiner::new(group_secrets.joiner_secret, &psk_secret);
        let info = welcome.open_group_info(suite, &joiner.welcome_secret()?)?;
        let received = receive(suite, info, &key_package.leaf_node, options, now)?;
        let Received { tree, info } = received;
        require_origin(&group_secrets.psks, &info.group_context, &tree, options)?;
        let own = tree
            .leaves()
            .find(|(_, leaf)| ***leaf == key_package.leaf_node)
            .map(|(index, _)| index);
        let own = own.ok_or(Rule::WelcomeLeaf)?;
        let mut private = PrivateTree::new(own, secrets.encryption.duplicate());
        if let Some(path_secret) = group_secrets.path_secret {
            private.take_welcome(suite, &tree, info.signer, path_secret)?;
        }
        let context = info.group_context;
        let epoch_secrets = joiner.epoch(&context.to_bytes()?)?;
        let confirmed = &context.confirmed_transcript_hash;
        let tag = suite::mac(&epoch_secrets.confirmation, &[confirmed]);
        if !secret::equal(&tag, &info.confirmation_tag) {
            return Err(Error::BadTag);
        }
        let epoch = Epoch::new(
            suite,
            context,
            tree,
            private,
            epoch_secrets,
            info.confirmation_tag,
        )?;
        let mut member = Self::new(suite, Arc::new(signer), Box::new(epoch));
        member.allow_lifetimes_of(options.longest_lifetime);
        Ok(Joining::new(member))
    }
}

/// RFC 9420 §§11.2, 11.3, 12.4.3.1: a group that stands on another one is the one that was announced.
fn require_origin(
    psks: &[PreSharedKeyId],
    context: &GroupContext,
    tree: &RatchetTree,
    options: &JoinOptions<'_>,
) -> Result<(), Error> {
    let mut origins: Vec<(ResumptionUsage, &[u8], u64)> = Vec::new();
    for id in psks {
        if let Psk::Resumption {
            usage: usage @ (ResumptionUsage::ReInit | ResumptionUsage::Branch),
            group_id,
            epoch,
        } = &id.psk
        {
            memory::push(&mut origins, (*usage, group_id, *epoch));
        }
    }
    let (usage, group_id, epoch) = match origins.as_slice() {
        [] => return Ok(()),
        [only] if context.epoch == 1 => *only,
        _ => return Err(Rule::WelcomePsk.into()),
    };
    let old = options
        .old_group
        .filter(|old| old.group_id() == group_id)
        .ok_or(Error::UnknownPsk)?;
    match usage {
        ResumptionUsage::ReInit => {
            let reinit = old.reinitialized().ok_or(Rule::ReInitMismatch)?;
            // Of the epoch that its last commit began.
            let same = epoch == old.epoch()
                && reinit.group_id == context.group_id
                && reinit.cipher_suite == context.cipher_suite
                && reinit.extensions == context.extensions
                && tree.members() == old.members();
            if !same {
                return Err(Rule::ReInitMismatch.into());
            }
        }
        ResumptionUsage::Branch | ResumptionUsage::Application => {
            if old.cipher_suite() != context.cipher_suite || tree.members() > old.members() {
                return Err(Rule::BranchMismatch.into());
            }
        }
    }
    Ok(())
}

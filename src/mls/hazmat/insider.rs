//! A hostile member: it knows what a member knows, and keeps no rule.
//!
//! ```text
//! Insider ── framed, sign ──> AuthenticatedContent ── public, private ──> message
//!    │
//!    └─ commit ──> Forgery ── propose, refer, path ── finish ──> Forged ── group_info, welcome
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::tree::Tree;
use super::{Bytes, bytes};
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::commit::{Commit, UpdatePath};
use crate::mls::context::{GroupContext, confirmed_transcript_hash};
use crate::mls::error::Error;
use crate::mls::extension::Extensions;
use crate::mls::framing::{
    AuthenticatedContent, Content, ContentType, FramedContent, Plain, PrivateMessage,
    PublicMessage, Sender, SenderData, WireFormat,
};
use crate::mls::group::{Inside, Member};
use crate::mls::group_info::GroupInfo;
use crate::mls::key_package::KeyPackage;
use crate::mls::labels::{EXTERNAL_INIT, encrypt};
use crate::mls::leaf_node::{LeafNode, Place};
use crate::mls::math::LeafIndex;
use crate::mls::message::Message;
use crate::mls::proposal::{Proposal, ProposalOrRef, ProposalRef};
use crate::mls::psk::PreSharedKeyId;
use crate::mls::schedule::Joiner;
use crate::mls::secret_tree::Step;
use crate::mls::signature::Signer;
use crate::mls::suite::{self, Prk, Suite};
use crate::mls::tree::{PathSecrets, RatchetTree};
use crate::mls::welcome::{GroupSecrets, Welcome, encrypt_group_info, encrypt_secrets};

/// A member that keeps no rule.
pub struct Insider<'a> {
    member: &'a Member,
    inside: Inside<'a>,
}

/// As whom, and with which key, a message is encrypted.
#[derive(Clone, Copy, Debug)]
pub struct SentAs {
    /// The sender that it names.
    pub leaf: LeafIndex,
    /// Its key; the next one of the sender, as far as the member knows, unless it is given.
    pub generation: Option<u32>,
    /// What is mixed into the nonce.
    pub reuse_guard: [u8; 4],
}

impl<'a> Insider<'a> {
    /// What this member knows.
    #[must_use]
    pub fn new(member: &'a Member) -> Self {
        Self {
            member,
            inside: member.inside(),
        }
    }

    /// Its signature key.
    #[must_use]
    pub const fn signer(&self) -> &'a Signer {
        self.inside.signer
    }

    /// Its ratchet tree.
    #[must_use]
    pub fn tree(&self) -> Tree {
        Tree(self.inside.tree.clone())
    }

    /// The confirmation tag of the commit that began the epoch.
    #[must_use]
    pub const fn confirmation_tag(&self) -> &'a [u8] {
        self.inside.confirmation_tag
    }

    /// The secrets of the epoch (RFC 9420 §8) that a member holds, by their names.
    #[must_use]
    pub fn secrets(&self) -> Vec<(&'static str, Bytes)> {
        let secrets = self.inside.secrets;
        let mut named = Vec::new();
        for (name, secret) in [
            ("init_secret", &secrets.init),
            ("sender_data_secret", &secrets.sender_data),
            ("exporter_secret", &secrets.exporter),
            ("external_secret", &secrets.external),
            ("confirmation_key", &secrets.confirmation),
            ("membership_key", &secrets.membership),
            ("resumption_psk", &secrets.resumption),
            ("epoch_authenticator", &secrets.authenticator),
        ] {
            memory::push(&mut named, (name, bytes(secret)));
        }
        named
    }

    /// A content of this member in this epoch, to be changed at will.
    #[must_use]
    pub fn framed(&self, content: Content) -> FramedContent {
        let context = self.member.context();
        FramedContent {
            group_id: context.group_id.clone(),
            epoch: context.epoch,
            sender: Sender::Member(self.member.leaf()),
            authenticated_data: Vec::new(),
            content,
        }
    }

    /// Signs any content with any key; a commit's confirmation tag is zeros.
    ///
    /// # Errors
    /// [`Error::Malformed`] if a field is longer than the encoding allows.
    pub fn sign(
        &self,
        wire_format: WireFormat,
        content: FramedContent,
        signer: &Signer,
    ) -> Result<AuthenticatedContent, Error> {
        let commit = matches!(content.content, Content::Commit(_));
        let context = self.member.context();
        let mut signed = AuthenticatedContent::sign(wire_format, content, context, signer)?;
        signed.auth.confirmation_tag = commit.then(|| memory::copied(&[0; HASH]));
        Ok(signed)
    }

    /// `ProposalRef` of a proposal that was signed.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn reference(&self, signed: &AuthenticatedContent) -> Result<ProposalRef, Error> {
        signed.proposal_reference()
    }

    /// In the clear; what names a member as its sender has a membership tag that holds.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn public(&self, signed: AuthenticatedContent) -> Result<Vec<u8>, Error> {
        let key = &self.inside.secrets.membership;
        let tag = signed.membership_tag(key, self.member.context())?;
        let from_member = matches!(signed.content.sender, Sender::Member(_));
        Message::Public(PublicMessage {
            membership_tag: from_member.then(|| memory::copied(&tag)),
            content: signed.content,
            auth: signed.auth,
        })
        .encode()
    }

    /// Encrypted, in anybody's name, with so many zeros behind it.
    ///
    /// # Errors
    /// [`Error::UnknownSender`], [`Error::GenerationUsed`], [`Error::GenerationTooFar`].
    pub fn private(
        &self,
        signed: &AuthenticatedContent,
        sent_as: SentAs,
        padding: usize,
    ) -> Result<Vec<u8>, Error> {
        let content_type = signed.content.content.content_type();
        let (sender, (key, nonce)) = self.keys(content_type, sent_as)?;
        let message = PrivateMessage::protect(
            Plain { signed, padding },
            self.inside.suite.aead(),
            &self.inside.secrets.sender_data,
            sender,
            (&key, &nonce),
        )?;
        Message::Private(message).encode()
    }

    /// Encrypted, in anybody's name: any bytes in the place of `PrivateMessageContent`.
    ///
    /// # Errors
    /// As for [`private`](Self::private).
    pub fn private_text(
        &self,
        content_type: ContentType,
        authenticated_data: &[u8],
        text: &[u8],
        sent_as: SentAs,
    ) -> Result<Vec<u8>, Error> {
        let (sender, (key, nonce)) = self.keys(content_type, sent_as)?;
        let header = PrivateMessage {
            group_id: self.member.context().group_id.clone(),
            epoch: self.member.epoch(),
            content_type,
            authenticated_data: memory::copied(authenticated_data),
            encrypted_sender_data: Vec::new(),
            ciphertext: Vec::new(),
        };
        let message = header.seal(
            memory::copied(text),
            self.inside.suite.aead(),
            &self.inside.secrets.sender_data,
            sender,
            (&key, &nonce),
        )?;
        Message::Private(message).encode()
    }

    /// Key and nonce of a message, and what it says of them.
    fn keys(
        &self,
        content_type: ContentType,
        sent_as: SentAs,
    ) -> Result<(SenderData, (Secret<32>, Secret<12>)), Error> {
        let messages = self.inside.messages;
        let kind = content_type.into();
        let leaf = sent_as.leaf;
        let next = messages.next_generation(leaf, kind);
        let sender = SenderData {
            leaf,
            generation: sent_as.generation.unwrap_or(next),
            reuse_guard: sent_as.reuse_guard,
        };
        let (key, _): (_, Step) = messages.find(leaf, kind, sender.generation)?;
        Ok((sender, (key.key, key.nonce)))
    }

    /// Begins a commit: nothing in it, sent in the clear.
    #[must_use]
    pub fn commit(&self) -> Forgery<'a> {
        let context = self.member.context();
        Forgery {
            inside: self.inside,
            before: context.clone(),
            wire_format: WireFormat::PublicMessage,
            signer: self.inside.signer,
            sender: Sender::Member(self.member.leaf()),
            leaf: self.member.leaf(),
            proposals: Vec::new(),
            applied: Vec::new(),
            tree: self.tree(),
            new: Vec::new(),
            extensions: context.extensions.clone(),
            path: None,
            path_secrets: Vec::new(),
            init_secret: *self.inside.secrets.init.expose(),
            commit_secret: [0; HASH],
            psk_secret: [0; HASH],
        }
    }
}

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
    /// `psk_secret` (see [`psk_secret`](super::psk_secret)).
    pub psk_secret: [u8; HASH],
}

impl Forgery<'_> {
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
        let forged = Invitation {
            suite: self.inside.suite,
            joiner_secret: *joiner.joiner_secret().expose(),
            psk_secret: self.psk_secret,
            context,
        };
        signed.auth.confirmation_tag = Some(memory::copied(&forged.confirmation_tag()?));
        Ok(Forged {
            signed,
            tree: self.tree.clone(),
            invitation: forged,
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
    /// The commit, for [`Insider::public`] or [`Insider::private`], as it was signed to be sent.
    pub signed: AuthenticatedContent,
    /// The tree of the epoch that it begins.
    pub tree: Tree,
    /// The way into that epoch.
    pub invitation: Invitation,
}

/// The way into an epoch of anybody's making.
#[derive(Clone)]
pub struct Invitation {
    suite: &'static Suite,
    /// `joiner_secret`.
    pub joiner_secret: [u8; HASH],
    /// `psk_secret`.
    pub psk_secret: [u8; HASH],
    /// The epoch's context.
    pub context: GroupContext,
}

impl Invitation {
    /// Into an epoch with this context, by a `joiner_secret` of one's own choice.
    ///
    /// # Errors
    /// [`Error::UnsupportedSuite`].
    pub fn new(context: GroupContext, joiner_secret: [u8; HASH]) -> Result<Self, Error> {
        Ok(Self {
            suite: Suite::of(context.cipher_suite)?,
            joiner_secret,
            psk_secret: [0; HASH],
            context,
        })
    }

    fn joiner(&self) -> Joiner {
        let joiner_secret = Secret::new(self.joiner_secret);
        Joiner::new(joiner_secret, &Secret::new(self.psk_secret))
    }

    /// The confirmation tag that holds in the epoch.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn confirmation_tag(&self) -> Result<[u8; HASH], Error> {
        let epoch = self.joiner().epoch(&self.context.to_bytes()?)?;
        let confirmed = &self.context.confirmed_transcript_hash;
        Ok(suite::mac(&epoch.confirmation, &[confirmed]))
    }

    /// The epoch's information, its confirmation tag right, signed in the name of `leaf`.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn group_info(
        &self,
        extensions: Extensions,
        leaf: LeafIndex,
        signer: &Signer,
    ) -> Result<GroupInfo, Error> {
        let tag = memory::copied(&self.confirmation_tag()?);
        GroupInfo::sign(self.context.clone(), extensions, tag, leaf, signer)
    }

    /// A Welcome with this information for these clients, each with the path secret that it gets, and naming these
    /// pre-shared keys.
    ///
    /// # Errors
    /// [`Error::InvalidKey`], [`Error::Malformed`].
    pub fn welcome(
        &self,
        info: &GroupInfo,
        psks: &[PreSharedKeyId],
        invited: &[(&KeyPackage, Option<[u8; HASH]>)],
        random: [u8; 32],
    ) -> Result<Vec<u8>, Error> {
        let suite = self.suite;
        let encrypted_group_info =
            encrypt_group_info(suite, &self.joiner().welcome_secret()?, info)?;
        let context = suite.encrypt_info(encrypt::WELCOME, &encrypted_group_info)?;
        let random = Prk::new(&Secret::new(random));
        let mut secrets = Vec::new();
        for ((key_package, path_secret), number) in invited.iter().zip(0u32..) {
            let group_secrets = GroupSecrets {
                joiner_secret: Secret::new(self.joiner_secret),
                path_secret: path_secret.map(Secret::new),
                psks: psks.to_vec(),
            };
            let random = random.expand(b"welcome", &number.to_be_bytes())?;
            let encrypted = encrypt_secrets(suite, &context, key_package, &group_secrets, &random)?;
            memory::push(&mut secrets, encrypted);
        }
        Message::Welcome(Welcome {
            cipher_suite: self.context.cipher_suite,
            secrets,
            encrypted_group_info,
        })
        .encode()
    }
}

//! Making a commit (RFC 9420 §12.4.1).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::changes::{Applied, Changes, Committer, Sent, place};
use super::epoch::{Begun, Inputs};
use super::member::{Member, Next, Pending, group_info};
use super::select::select;
use super::stream::{Stream, Use};
use crate::crypto::hash::{HASH, sha256};
use crate::crypto::{Secret, TryCryptoRng};
use crate::memory;
use crate::mls::capabilities::MLS10;
use crate::mls::codec::Codec;
use crate::mls::commit::Commit;
use crate::mls::error::Error;
use crate::mls::extension::Extensions;
use crate::mls::framing::{Content, Sender, WireFormat};
use crate::mls::group_info::GroupInfo;
use crate::mls::key_package::{Client, KeyPackage};
use crate::mls::labels::encrypt;
use crate::mls::math::LeafIndex;
use crate::mls::message::Message;
use crate::mls::proposal::{Proposal, ProposalOrRef, ReInit};
use crate::mls::psk::{PreSharedKeyId, Psk, PskSource};
use crate::mls::schedule::Joiner;
use crate::mls::secret_tree::Step;
use crate::mls::signature::Signer;
use crate::mls::suite::{CipherSuite, Suite};
use crate::mls::welcome::{GroupSecrets, Welcome, encrypt_group_info, encrypt_secrets};

/// A commit under construction. Without anything in it, it gives the member new keys.
pub struct CommitBuilder<'a> {
    member: &'a mut Member,
    proposals: Vec<Proposal>,
    psks: Vec<Psk>,
    received: bool,
    force_path: bool,
    client: Option<Client>,
    signer: Option<Arc<Signer>>,
    authenticated_data: Vec<u8>,
    wire_format: WireFormat,
    tree_in_welcome: bool,
    external_pub: bool,
    pub(super) initial: bool,
}

/// What a commit is for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMessages {
    /// For all members.
    pub commit: Vec<u8>,
    /// For those who were added, if there are any: to be sent once the commit was taken.
    pub welcome: Option<Vec<u8>>,
}

impl Member {
    /// Begins a commit. By default it has all proposals of this epoch, is encrypted, and its Welcome has the tree.
    pub fn commit(&mut self) -> CommitBuilder<'_> {
        CommitBuilder {
            member: self,
            proposals: Vec::new(),
            psks: Vec::new(),
            received: true,
            force_path: false,
            client: None,
            signer: None,
            authenticated_data: Vec::new(),
            wire_format: WireFormat::PrivateMessage,
            tree_in_welcome: true,
            external_pub: false,
            initial: false,
        }
    }
}

impl CommitBuilder<'_> {
    /// Adds a client. That its credential is true is the app's word.
    #[must_use]
    pub fn add_client(mut self, key_package: KeyPackage) -> Self {
        memory::push(&mut self.proposals, Proposal::Add(Box::new(key_package)));
        self
    }

    /// Removes a member.
    #[must_use]
    pub fn remove_member(mut self, leaf: LeafIndex) -> Self {
        memory::push(&mut self.proposals, Proposal::Remove(leaf));
        self
    }

    /// Puts a pre-shared key into the next epoch's keys.
    #[must_use]
    pub fn psk(mut self, psk: Psk) -> Self {
        memory::push(&mut self.psks, psk);
        self
    }

    /// Replaces the group's extensions.
    #[must_use]
    pub fn extensions(mut self, extensions: Extensions) -> Self {
        let proposal = Proposal::GroupContextExtensions(extensions);
        memory::push(&mut self.proposals, proposal);
        self
    }

    /// Ends the group, for another one to take its place.
    #[must_use]
    pub fn reinit(
        mut self,
        group_id: &[u8],
        cipher_suite: CipherSuite,
        extensions: Extensions,
    ) -> Self {
        let reinit = ReInit {
            group_id: memory::copied(group_id),
            version: MLS10,
            cipher_suite,
            extensions,
        };
        memory::push(&mut self.proposals, Proposal::ReInit(reinit));
        self
    }

    /// A proposal of any kind.
    #[must_use]
    pub fn proposal(mut self, proposal: Proposal) -> Self {
        memory::push(&mut self.proposals, proposal);
        self
    }

    /// Whether the proposals that were received and sent in this epoch are committed: yes, unless said otherwise.
    #[must_use]
    pub const fn with_received(mut self, received: bool) -> Self {
        self.received = received;
        self
    }

    /// Gives the member new keys, where that is not needed for what is committed.
    #[must_use]
    pub const fn with_path(mut self) -> Self {
        self.force_path = true;
        self
    }

    /// Changes what one says of oneself.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self.force_path = true;
        self
    }

    /// Changes one's own signature key.
    #[must_use]
    pub fn signer(mut self, signer: Signer) -> Self {
        self.signer = Some(Arc::new(signer));
        self.force_path = true;
        self
    }

    /// What goes along in the clear, authenticated.
    #[must_use]
    pub fn authenticated_data(mut self, data: &[u8]) -> Self {
        self.authenticated_data = memory::copied(data);
        self
    }

    /// How the commit is protected.
    #[must_use]
    pub const fn wire_format(mut self, wire_format: WireFormat) -> Self {
        self.wire_format = wire_format;
        self
    }

    /// Whether the Welcome has the tree, or who joins gets it otherwise.
    #[must_use]
    pub const fn tree_in_welcome(mut self, yes: bool) -> Self {
        self.tree_in_welcome = yes;
        self
    }

    /// Makes the commit. It waits until it is merged or cleared: until then the group is what it was, but for the key that an
    /// encrypted commit has used up.
    ///
    /// # Errors
    /// [`Error::Over`], [`Error::CommitWaits`]; [`Error::Invalid`] if the proposals may not stand together;
    /// [`Error::UnknownPsk`]; [`Error::Rng`].
    pub fn build(
        self,
        psks: &impl PskSource,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<CommitMessages, Error> {
        let member = &*self.member;
        member.require_active()?;
        if member.pending.is_some() {
            return Err(Error::CommitWaits);
        }
        let own = Sender::Member(member.leaf());
        let mut listed = Vec::new();
        let mut sent = Vec::new();
        if self.received {
            for kept in select(&member.kept, member.leaf(), &self.proposals) {
                memory::push(&mut listed, ProposalOrRef::Reference(kept.reference));
                let proposal = Sent {
                    sender: kept.sender,
                    proposal: kept.proposal.clone(),
                };
                memory::push(&mut sent, proposal);
            }
        }
        let mut proposals = self.proposals;
        for psk in self.psks {
            let id = member.psk_id(psk, rng)?;
            memory::push(&mut proposals, Proposal::PreSharedKey(id));
        }
        for proposal in proposals {
            memory::push(&mut listed, ProposalOrRef::Proposal(proposal.clone()));
            let proposal = Sent {
                sender: own,
                proposal,
            };
            memory::push(&mut sent, proposal);
        }
        let mut changes = Changes::sort(sent, Committer::Member(member.leaf()), self.initial)?;
        let applied = changes.apply(&member.before(), member.validity(now))?;
        let plan = Plan {
            with_path: self.force_path || changes.requires_path,
            client: self.client,
            signer: self.signer.clone(),
            proposals: listed,
            authenticated_data: self.authenticated_data,
            wire_format: self.wire_format,
        };
        let psk_secret = member.psk_secret(&changes.psks, psks)?;
        let made = member.make(plan, applied, &psk_secret, rng)?;
        let signer = self.signer.as_deref().unwrap_or(&member.signer);
        let welcome = Invitation {
            suite: member.suite,
            joiner: &made.joiner,
            psks: &changes.psks,
            added: &made.added,
            random: &made.random,
        };
        let welcome = if made.added.is_empty() {
            None
        } else {
            let info = group_info(
                member.suite,
                &made.next.epoch,
                signer,
                self.tree_in_welcome,
                self.external_pub,
            )?;
            Some(Message::Welcome(welcome.encrypt(&info)?).encode()?)
        };
        let member = self.member;
        if let Some(step) = made.step {
            member.epoch.messages.take(step)?;
        }
        member.pending = Some(Box::new(Pending {
            message: sha256(&[&made.message]),
            next: Next {
                signer: self.signer,
                reinit: changes.reinit,
                ..made.next
            },
        }));
        Ok(CommitMessages {
            commit: made.message,
            welcome,
        })
    }

    /// Whether the Welcome has the public key for external commits.
    #[must_use]
    pub const fn external_pub_in_welcome(mut self, yes: bool) -> Self {
        self.external_pub = yes;
        self
    }
}

/// A commit as it was asked for.
struct Plan {
    with_path: bool,
    client: Option<Client>,
    signer: Option<Arc<Signer>>,
    proposals: Vec<ProposalOrRef>,
    authenticated_data: Vec<u8>,
    wire_format: WireFormat,
}

/// A new member, and the path secret that it gets.
pub(super) struct Invited {
    key_package: KeyPackage,
    path_secret: Option<Secret<HASH>>,
}

/// A commit that was made.
struct MadeCommit {
    message: Vec<u8>,
    step: Option<Step>,
    next: Next,
    joiner: Joiner,
    added: Vec<Invited>,
    random: Stream,
}

impl Member {
    fn make(
        &self,
        plan: Plan,
        mut applied: Applied,
        psk_secret: &Secret<HASH>,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<MadeCommit, Error> {
        let context = self.context();
        let random = Stream::new(&self.random(b"commit", rng)?);
        let new = applied.new_leaves();
        let path = if plan.with_path {
            let leaf_node = self.successor(plan.client, plan.signer.as_deref())?;
            let required = applied.extensions.required_capabilities()?;
            leaf_node.require(self.suite, &required, &applied.extensions)?;
            let secrets = random.path(self.suite)?;
            let signer = plan.signer.as_deref().unwrap_or(&self.signer);
            Some(applied.tree.make_path(
                self.suite,
                place(context, self.leaf()),
                leaf_node,
                secrets,
                signer,
            )?)
        } else {
            None
        };
        applied.tree.require_credentials()?;
        let provisional = applied.next_context(context)?;
        let mut added = memory::with_capacity(applied.added.len());
        for (leaf, key_package) in applied.added {
            let path_secret = path
                .as_ref()
                .and_then(|path| path.secret_for(leaf))
                .map(Secret::duplicate);
            let invited = Invited {
                key_package,
                path_secret,
            };
            memory::push(&mut added, invited);
        }
        let (path, private, commit_secret) = match path {
            Some(path) => {
                let commit_secret = path.commit_secret.duplicate();
                let draw = random.path_encryptions();
                let encoded = provisional.to_bytes()?;
                let (path, private) =
                    path.encrypt(self.suite, &applied.tree, &encoded, &new, draw)?;
                (Some(path), private, commit_secret)
            }
            None => (None, self.epoch.private.duplicate(), Secret::zero()),
        };
        let commit = Commit {
            proposals: plan.proposals,
            path,
        };
        let content = self.framed(Content::Commit(Box::new(commit)), &plan.authenticated_data);
        let mut signed = self.sign(plan.wire_format, content)?;
        let begun = Begun::new(
            provisional,
            &self.epoch.interim_transcript_hash,
            &signed.transcript_input()?,
            &Inputs {
                init_secret: &self.epoch.secrets.init,
                commit_secret: &commit_secret,
                psk_secret,
            },
        )?;
        signed.auth.confirmation_tag = Some(memory::copied(&begun.confirmation_tag));
        let made = self.protect(signed, rng)?;
        let (epoch, joiner) = begun.finish(self.suite, applied.tree, private)?;
        Ok(MadeCommit {
            message: made.message,
            step: made.step,
            next: Next {
                epoch: Box::new(epoch),
                signer: None,
                reinit: None,
            },
            joiner,
            added,
            random,
        })
    }
}

/// A Welcome for all who were added.
struct Invitation<'a> {
    suite: &'a Suite,
    joiner: &'a Joiner,
    psks: &'a [PreSharedKeyId],
    added: &'a [Invited],
    random: &'a Stream,
}

impl Invitation<'_> {
    fn encrypt(&self, info: &GroupInfo) -> Result<Welcome, Error> {
        let suite = self.suite;
        let welcome_secret = self.joiner.welcome_secret()?;
        let encrypted_group_info = encrypt_group_info(suite, &welcome_secret, info)?;
        let context = suite.encrypt_info(encrypt::WELCOME, &encrypted_group_info)?;
        let mut secrets = memory::with_capacity(self.added.len());
        for (invited, number) in self.added.iter().zip(0u32..) {
            let group_secrets = GroupSecrets {
                joiner_secret: self.joiner.joiner_secret().duplicate(),
                path_secret: invited.path_secret.as_ref().map(Secret::duplicate),
                psks: self.psks.to_vec(),
            };
            let encrypted = encrypt_secrets(
                suite,
                &context,
                &invited.key_package,
                &group_secrets,
                &self.random.value(Use::Welcome, number),
            )?;
            memory::push(&mut secrets, encrypted);
        }
        Ok(Welcome {
            cipher_suite: suite.id,
            secrets,
            encrypted_group_info,
        })
    }
}

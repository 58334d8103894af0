//! Joining without being added (RFC 9420 §12.4.3.2), and proposals from outside (§12.1.8).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::changes::{Before, Changes, Committer, Sent, place, require_successor};
use super::epoch::{Begun, Inputs};
use super::join::{JoinOptions, Joining, Received, receive};
use super::member::Member;
use super::stage::no_info;
use super::stream::{Stream, Use};
use crate::crypto::hedge::Hedge;
use crate::crypto::labels::purpose;
use crate::crypto::{Secret, TryCryptoRng};
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::commit::Commit;
use crate::mls::context::{GroupContext, interim_transcript_hash};
use crate::mls::error::Error;
use crate::mls::extension::Extensions;
use crate::mls::framing::{
    AuthenticatedContent, Content, FramedContent, PublicMessage, Sender, WireFormat,
};
use crate::mls::key_package::{Client, KeyPackage};
use crate::mls::labels::EXTERNAL_INIT;
use crate::mls::leaf_node::{LeafNode, LeafNodeSource, Validity};
use crate::mls::math::LeafIndex;
use crate::mls::message::Message;
use crate::mls::proposal::{Proposal, ProposalOrRef};
use crate::mls::psk::{PreSharedKeyId, Psk, PskSource, psk_secret};
use crate::mls::signature::Signer;
use crate::mls::suite::{CipherSuite, Suite};

/// A commit by which one joins, and the group as it will be once that is taken.
pub struct ExternalJoin {
    /// The commit, for all members.
    pub commit: Vec<u8>,
    /// The group, once the app has approved the credentials of its members.
    pub joining: Joining,
}

/// Who joins by a commit of its own, and what that does besides.
#[derive(Debug)]
pub struct ExternalCommit {
    /// One's own signature key.
    pub signer: Signer,
    /// What one says of oneself.
    pub client: Client,
    /// An appearance of oneself that is removed.
    pub resync: Option<LeafIndex>,
    /// Pre-shared keys that go into the epoch's keys.
    pub psks: Vec<Psk>,
    /// What goes along in the clear, authenticated.
    pub authenticated_data: Vec<u8>,
}

impl ExternalCommit {
    /// One that does nothing but join.
    #[must_use]
    pub const fn new(signer: Signer, client: Client) -> Self {
        Self {
            signer,
            client,
            resync: None,
            psks: Vec::new(),
            authenticated_data: Vec::new(),
        }
    }
}

impl Member {
    /// Joins a group by a commit of one's own, from its information with the public key for that.
    ///
    /// # Errors
    /// [`Error::Invalid`], among others with [`Rule::NoExternalPub`](crate::mls::Rule::NoExternalPub); [`Error::BadSignature`], [`Error::UnknownPsk`],
    /// [`Error::Rng`].
    pub fn join_by_commit(
        group_info: &[u8],
        external: ExternalCommit,
        options: &JoinOptions<'_>,
        psks: &impl PskSource,
        now: u64,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<ExternalJoin, Error> {
        let Message::GroupInfo(info) = Message::decode(group_info)? else {
            return Err(Error::Malformed);
        };
        let suite = Suite::of(info.group_context.cipher_suite)?;
        let ExternalCommit {
            signer,
            client,
            resync,
            psks: wanted,
            authenticated_data,
        } = external;
        signer.require(suite)?;
        let external_pub = info.extensions.external_pub()?;
        let mut leaf_node = LeafNode {
            encryption_key: Vec::new(),
            signature_key: signer.public().clone(),
            credential: client.credential,
            capabilities: client.capabilities,
            source: LeafNodeSource::Update,
            extensions: client.extensions,
            signature: Vec::new(),
        };
        let validity = Validity {
            now,
            longest: options.longest_lifetime,
        };
        let Received { tree, info } = receive(suite, info, &leaf_node, options, now)?;
        let context = &info.group_context;

        let mut random = Secret::<32>::zero();
        let epoch = context.epoch.to_be_bytes();
        Hedge::of(&signer.secret()).fill(
            purpose::MLS_STEP,
            &[&context.group_id, &epoch, b"external commit"],
            random.expose_mut(),
            rng,
        )?;
        let random = Stream::new(&random);
        let ephemeral = suite
            .hpke
            .kem
            .derive_key_pair(random.value(Use::ExternalKey, 0).expose())?;
        let init_secret =
            suite
                .hpke
                .send_export(&external_pub, &no_info(suite), EXTERNAL_INIT, &ephemeral)?;

        let mut proposals = Vec::new();
        let kem_output = memory::copied(ephemeral.public());
        memory::push(&mut proposals, Proposal::ExternalInit(kem_output));
        if let Some(leaf) = resync {
            memory::push(&mut proposals, Proposal::Remove(leaf));
        }
        let mut keys = Vec::new();
        let mut ids = Vec::new();
        for (psk, number) in wanted.into_iter().zip(0u32..) {
            memory::push(&mut keys, psks.psk(&psk).ok_or(Error::UnknownPsk)?);
            let id = PreSharedKeyId {
                psk,
                nonce: memory::copied(random.value(Use::PskNonce, number).expose()),
            };
            memory::push(&mut ids, id.clone());
            memory::push(&mut proposals, Proposal::PreSharedKey(id));
        }
        let psk_secret = psk_secret(ids.iter().zip(keys.iter().map(|key| key.as_slice())))?;
        let mut listed = Vec::new();
        let mut sent = Vec::new();
        for proposal in proposals {
            memory::push(&mut listed, ProposalOrRef::Proposal(proposal.clone()));
            let proposal = Sent {
                sender: Sender::NewMemberCommit,
                proposal,
            };
            memory::push(&mut sent, proposal);
        }
        let before = Before {
            suite,
            context,
            tree: &tree,
        };
        let mut applied =
            Changes::sort(sent, Committer::External, false)?.apply(&before, validity)?;
        let own = applied.tree.add_by_commit()?;

        let secrets = random.path(suite)?;
        leaf_node.encryption_key = memory::copied(secrets.leaf_key.public());
        let required = context.extensions.required_capabilities()?;
        leaf_node.require(suite, &required, &context.extensions)?;
        if let Some(old) = resync.and_then(|leaf| tree.leaf(leaf)) {
            require_successor(old, &leaf_node)?;
        }
        let path =
            applied
                .tree
                .make_path(suite, place(context, own), leaf_node, secrets, &signer)?;
        applied.tree.require_credentials()?;
        let provisional = applied.next_context(context)?;
        let commit_secret = path.commit_secret.duplicate();
        let draw = random.path_encryptions();
        let encoded = provisional.to_bytes()?;
        let (path, private) = path.encrypt(suite, &applied.tree, &encoded, &[], draw)?;
        let content = FramedContent {
            group_id: context.group_id.clone(),
            epoch: context.epoch,
            sender: Sender::NewMemberCommit,
            authenticated_data,
            content: Content::Commit(Box::new(Commit {
                proposals: listed,
                path: Some(path),
            })),
        };
        let mut signed =
            AuthenticatedContent::sign(WireFormat::PublicMessage, content, context, &signer)?;
        let interim =
            interim_transcript_hash(&context.confirmed_transcript_hash, &info.confirmation_tag)?;
        let begun = Begun::new(
            provisional,
            &interim,
            &signed.transcript_input()?,
            &Inputs {
                init_secret: &init_secret,
                commit_secret: &commit_secret,
                psk_secret: &psk_secret,
            },
        )?;
        signed.auth.confirmation_tag = Some(memory::copied(&begun.confirmation_tag));
        // Who is no member has no membership key, and needs none.
        let message = PublicMessage::protect(signed, &Secret::zero(), context)?;
        let commit = Message::Public(message).encode()?;
        let (epoch, _) = begun.finish(suite, applied.tree, private)?;
        let mut member = Self::new(suite, Arc::new(signer), Box::new(epoch));
        member.allow_lifetimes_of(options.longest_lifetime);
        Ok(ExternalJoin {
            commit,
            joining: Joining::new(member),
        })
    }
}

/// A proposal of one of the group's external senders, by its place in the list of them (RFC 9420 §12.1.8).
///
/// # Errors
/// [`Error::Invalid`] if such a sender may not send it.
pub fn propose_from_outside(
    cipher_suite: CipherSuite,
    group_id: &[u8],
    epoch: u64,
    sender_index: u32,
    signer: &Signer,
    proposal: Proposal,
) -> Result<Vec<u8>, Error> {
    let sender = Sender::External(sender_index);
    from_outside(cipher_suite, group_id, epoch, sender, signer, proposal)
}

/// Asks to be added (RFC 9420 §12.1.8). The key package is one's own.
///
/// # Errors
/// [`Error::InvalidKey`] if `signer` is not that of the key package.
pub fn propose_oneself(
    group_id: &[u8],
    epoch: u64,
    key_package: KeyPackage,
    signer: &Signer,
) -> Result<Vec<u8>, Error> {
    if *signer.public() != key_package.leaf_node.signature_key {
        return Err(Error::InvalidKey);
    }
    let cipher_suite = key_package.cipher_suite;
    let proposal = Proposal::Add(Box::new(key_package));
    let sender = Sender::NewMemberProposal;
    from_outside(cipher_suite, group_id, epoch, sender, signer, proposal)
}

fn from_outside(
    cipher_suite: CipherSuite,
    group_id: &[u8],
    epoch: u64,
    sender: Sender,
    signer: &Signer,
    proposal: Proposal,
) -> Result<Vec<u8>, Error> {
    signer.require(Suite::of(cipher_suite)?)?;
    let context = outside(cipher_suite, group_id, epoch);
    let content = FramedContent {
        group_id: context.group_id.clone(),
        epoch,
        sender,
        authenticated_data: Vec::new(),
        content: Content::Proposal(proposal),
    };
    let signed = AuthenticatedContent::sign(WireFormat::PublicMessage, content, &context, signer)?;
    signed.require_sender()?;
    let message = PublicMessage::protect(signed, &Secret::zero(), &context)?;
    Message::Public(message).encode()
}

/// A context in which nobody is a member: all that a proposal from outside is signed with is in its content.
fn outside(cipher_suite: CipherSuite, group_id: &[u8], epoch: u64) -> GroupContext {
    GroupContext {
        cipher_suite,
        group_id: memory::copied(group_id),
        epoch,
        tree_hash: Vec::new(),
        confirmed_transcript_hash: Vec::new(),
        extensions: Extensions::new(),
    }
}

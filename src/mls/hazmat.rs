//! The named intermediate values of RFC 9420, for conformance vectors and ports. No app needs any of it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::codec::{Codec, read_list, write_list};
use super::commit::{Commit, UpdatePath};
use super::context::{self, GroupContext};
use super::error::{Error, Rule};
use super::framing::{
    AuthenticatedContent, Content, ContentType, FramedContent, Plain, PrivateMessage,
    PublicMessage, Sender, SenderData, WireFormat, sender_data_key,
};
use super::group_info::GroupInfo;
use super::key_package::{KeyPackage, KeyPackageSecrets};
use super::leaf_node::Place;
use super::math::{LeafIndex, NodeIndex, TreeSize};
use super::message::Message;
use super::proposal::Proposal;
use super::psk::PreSharedKeyId;
use super::schedule::Joiner;
use super::secret_tree::{RatchetKind, SecretTree};
use super::signature::{SignaturePublicKey, Signer};
use super::suite::{self, CipherSuite, Prk, Suite};
use super::tree::{PathSecrets, PrivateTree, RatchetTree, Recipient};
use super::welcome::{GroupSecrets, Welcome};
use crate::crypto::Secret;
use crate::memory;
use crate::wire::{Reader, Writer};

type Bytes = Zeroizing<Vec<u8>>;

fn secret(bytes: &[u8]) -> Result<Secret<32>, Error> {
    Ok(Secret::new(bytes.try_into().map_err(|_| Error::TooLong)?))
}

fn bytes<const N: usize>(secret: &Secret<N>) -> Bytes {
    Zeroizing::new(memory::copied(secret.expose()))
}

/// `RefHash` (RFC 9420 §5.2).
///
/// # Errors
/// [`Error::TooLong`].
pub fn ref_hash(label: &[u8], value: &[u8]) -> Result<[u8; 32], Error> {
    suite::reference(label, value)
}

/// `ExpandWithLabel` (RFC 9420 §8).
///
/// # Errors
/// [`Error::TooLong`].
pub fn expand_with_label(
    from: &[u8],
    label: &[u8],
    context: &[u8],
    length: u16,
) -> Result<Bytes, Error> {
    let mut out = Vec::new();
    memory::lengthen(&mut out, usize::from(length));
    let mut out = Zeroizing::new(out);
    Prk::new(&secret(from)?).expand_into(label, context, &mut out)?;
    Ok(out)
}

/// `DeriveSecret` (RFC 9420 §8).
///
/// # Errors
/// [`Error::TooLong`].
pub fn derive_secret(from: &[u8], label: &[u8]) -> Result<Bytes, Error> {
    expand_with_label(from, label, &[], 32)
}

/// `SignWithLabel` (RFC 9420 §5.1.2).
///
/// # Errors
/// [`Error::TooLong`].
pub fn sign_with_label(signer: &Signer, label: &[u8], content: &[u8]) -> Result<Vec<u8>, Error> {
    signer.sign(label, content)
}

/// `VerifyWithLabel` (RFC 9420 §5.1.2).
///
/// # Errors
/// [`Error::BadSignature`], [`Error::InvalidKey`], [`Error::UnsupportedSuite`].
pub fn verify_with_label(
    cipher_suite: CipherSuite,
    key: &SignaturePublicKey,
    label: &[u8],
    content: &[u8],
    signature: &[u8],
) -> Result<(), Error> {
    key.verify(Suite::of(cipher_suite)?, label, content, signature)
}

/// `EncryptWithLabel` (RFC 9420 §5.1.3), with the randomness of the ephemeral key: `kem_output` and `ciphertext`.
///
/// # Errors
/// [`Error::InvalidKey`], [`Error::UnsupportedSuite`].
pub fn encrypt_with_label(
    cipher_suite: CipherSuite,
    public: &[u8],
    label: &[u8],
    context: &[u8],
    text: &[u8],
    random: [u8; 32],
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let suite = Suite::of(cipher_suite)?;
    let info = suite.encrypt_info(label, context)?;
    let sealed = suite.encrypt(public, &info, text, &Secret::new(random))?;
    Ok((sealed.kem_output, sealed.ciphertext))
}

/// `DecryptWithLabel` (RFC 9420 §5.1.3).
///
/// # Errors
/// [`Error::Decryption`], [`Error::InvalidKey`], [`Error::UnsupportedSuite`].
pub fn decrypt_with_label(
    cipher_suite: CipherSuite,
    private: &[u8],
    label: &[u8],
    context: &[u8],
    kem_output: &[u8],
    ciphertext: &[u8],
) -> Result<Bytes, Error> {
    let suite = Suite::of(cipher_suite)?;
    let own = suite.hpke.kem.key_pair(&secret(private)?)?;
    let info = suite.encrypt_info(label, context)?;
    suite.decrypt(&own, &info, kem_output, ciphertext)
}

/// The public key of a private one of HPKE.
///
/// # Errors
/// [`Error::InvalidKey`], [`Error::UnsupportedSuite`].
pub fn public_key(cipher_suite: CipherSuite, private: &[u8]) -> Result<Vec<u8>, Error> {
    let kem = Suite::of(cipher_suite)?.hpke.kem;
    Ok(memory::copied(kem.key_pair(&secret(private)?)?.public()))
}

/// `sender_data_key` and `sender_data_nonce` (RFC 9420 §6.3.2).
///
/// # Errors
/// [`Error::UnsupportedSuite`].
pub fn sender_data(
    cipher_suite: CipherSuite,
    sender_data_secret: &[u8],
    ciphertext: &[u8],
) -> Result<(Bytes, Bytes), Error> {
    let aead = Suite::of(cipher_suite)?.aead();
    let (key, nonce) = sender_data_key(aead, &secret(sender_data_secret)?, ciphertext)?;
    Ok((front(&key, aead.key_length()), bytes(&nonce)))
}

fn front(key: &Secret<32>, length: usize) -> Bytes {
    Zeroizing::new(memory::copied(
        key.expose().get(..length).unwrap_or_default(),
    ))
}

/// The keys of an epoch's messages (RFC 9420 §9).
pub struct MessageKeys {
    suite: &'static Suite,
    tree: SecretTree,
}

impl MessageKeys {
    /// Of a group with so many leaves, blank ones included.
    ///
    /// # Errors
    /// [`Error::UnsupportedSuite`], [`Error::GroupFull`].
    pub fn new(
        cipher_suite: CipherSuite,
        leaves: u32,
        encryption_secret: &[u8],
    ) -> Result<Self, Error> {
        let suite = Suite::of(cipher_suite)?;
        let size = TreeSize::for_leaves(leaves).ok_or(Error::GroupFull)?;
        Ok(Self {
            suite,
            tree: SecretTree::new(suite.aead(), size, secret(encryption_secret)?),
        })
    }

    /// Takes the key and the nonce of a generation.
    ///
    /// # Errors
    /// [`Error::GenerationUsed`], [`Error::GenerationTooFar`], [`Error::RatchetExhausted`], [`Error::UnknownSender`].
    pub fn take(
        &mut self,
        leaf: LeafIndex,
        handshake: bool,
        generation: u32,
    ) -> Result<(Bytes, Bytes), Error> {
        let kind = if handshake {
            RatchetKind::Handshake
        } else {
            RatchetKind::Application
        };
        let (key, step) = self.tree.find(leaf, kind, generation)?;
        self.tree.take(step)?;
        let length = self.suite.aead().key_length();
        Ok((front(&key.key, length), bytes(&key.nonce)))
    }
}

/// Messages of one sender of a group whose secrets are given (RFC 9420 §6).
pub struct Protection {
    /// What is signed along.
    pub context: GroupContext,
    /// `membership_key`.
    pub membership_key: [u8; 32],
    /// `sender_data_secret`.
    pub sender_data_secret: [u8; 32],
    /// The sender.
    pub sender: LeafIndex,
    /// Its key.
    pub signer: Signer,
}

impl Protection {
    fn signed(
        &self,
        wire_format: WireFormat,
        content: Content,
    ) -> Result<AuthenticatedContent, Error> {
        let commit = matches!(content, Content::Commit(_));
        let content = FramedContent {
            group_id: self.context.group_id.clone(),
            epoch: self.context.epoch,
            sender: Sender::Member(self.sender),
            authenticated_data: Vec::new(),
            content,
        };
        let mut signed =
            AuthenticatedContent::sign(wire_format, content, &self.context, &self.signer)?;
        if commit {
            signed.auth.confirmation_tag = Some(memory::copied(&[0; 32]));
        }
        Ok(signed)
    }

    /// A `PublicMessage`.
    ///
    /// # Errors
    /// [`Rule::ApplicationInClear`].
    pub fn protect_public(&self, content: Content) -> Result<Vec<u8>, Error> {
        let signed = self.signed(WireFormat::PublicMessage, content)?;
        let key = Secret::new(self.membership_key);
        let message = PublicMessage::protect(signed, &key, &self.context)?;
        Message::Public(message).encode()
    }

    /// A `PrivateMessage` with a key of the given generation.
    ///
    /// # Errors
    /// As for [`MessageKeys::take`].
    pub fn protect_private(
        &self,
        content: Content,
        keys: &MessageKeys,
        generation: u32,
        reuse_guard: [u8; 4],
        padding: usize,
    ) -> Result<Vec<u8>, Error> {
        let signed = self.signed(WireFormat::PrivateMessage, content)?;
        let kind = signed.content.content.content_type().into();
        let (key, _) = keys.tree.find(self.sender, kind, generation)?;
        let sender = SenderData {
            leaf: self.sender,
            generation,
            reuse_guard,
        };
        let message = PrivateMessage::protect(
            Plain {
                signed: &signed,
                padding,
            },
            keys.suite.aead(),
            &Secret::new(self.sender_data_secret),
            sender,
            (&key.key, &key.nonce),
        )?;
        Message::Private(message).encode()
    }

    /// The content of either, its signature and membership tag verified.
    ///
    /// # Errors
    /// As a member would refuse it.
    pub fn unprotect(&self, message: &[u8], keys: &MessageKeys) -> Result<Content, Error> {
        let suite = keys.suite;
        let received = match Message::decode(message)? {
            Message::Public(message) => {
                message.unprotect(&Secret::new(self.membership_key), &self.context)?
            }
            Message::Private(message) => {
                let sender =
                    message.sender_data(suite.aead(), &Secret::new(self.sender_data_secret))?;
                let kind = message.content_type.into();
                let (key, _) = keys.tree.find(sender.leaf, kind, sender.generation)?;
                message.unprotect(suite.aead(), sender, (&key.key, &key.nonce))?
            }
            _ => return Err(Error::Malformed),
        };
        if received.content.sender != Sender::Member(self.sender) {
            return Err(Error::UnknownSender);
        }
        received.verify(suite, &self.context, self.signer.public())?;
        Ok(received.content.content)
    }
}

/// `GroupContext` as bytes.
///
/// # Errors
/// [`Error::Malformed`].
pub fn encode_context(context: &GroupContext) -> Result<Vec<u8>, Error> {
    Ok(context.to_bytes()?)
}

/// The secrets of an epoch (RFC 9420 §8), by their names.
///
/// # Errors
/// [`Error::UnsupportedSuite`], [`Error::TooLong`].
pub fn key_schedule(
    cipher_suite: CipherSuite,
    init_secret: &[u8],
    commit_secret: &[u8],
    psk_secret: &[u8],
    context: &[u8],
) -> Result<Vec<(&'static str, Bytes)>, Error> {
    let joiner = Joiner::advance(
        &secret(init_secret)?,
        &secret(commit_secret)?,
        &secret(psk_secret)?,
        context,
    )?;
    let epoch = joiner.epoch(context)?;
    let external = epoch.external_key_pair(Suite::of(cipher_suite)?)?;
    let mut named = Vec::new();
    for (name, secret) in [
        ("joiner_secret", joiner.joiner_secret()),
        ("welcome_secret", &joiner.welcome_secret()?),
        ("init_secret", &epoch.init),
        ("sender_data_secret", &epoch.sender_data),
        ("encryption_secret", &epoch.encryption),
        ("exporter_secret", &epoch.exporter),
        ("external_secret", &epoch.external),
        ("confirmation_key", &epoch.confirmation),
        ("membership_key", &epoch.membership),
        ("resumption_psk", &epoch.resumption),
        ("epoch_authenticator", &epoch.authenticator),
    ] {
        memory::push(&mut named, (name, bytes(secret)));
    }
    let external_pub = Zeroizing::new(memory::copied(external.public()));
    memory::push(&mut named, ("external_pub", external_pub));
    Ok(named)
}

/// `MLS-Exporter` (RFC 9420 §8.5).
///
/// # Errors
/// [`Error::TooLong`].
pub fn export(
    exporter_secret: &[u8],
    label: &[u8],
    context: &[u8],
    length: usize,
) -> Result<Bytes, Error> {
    let mut out = Vec::new();
    memory::lengthen(&mut out, length);
    let mut out = Zeroizing::new(out);
    suite::export(&secret(exporter_secret)?, label, context, &mut out)?;
    Ok(out)
}

/// `psk_secret` (RFC 9420 §8.4).
///
/// # Errors
/// [`Error::TooLong`].
pub fn psk_secret(psks: &[(PreSharedKeyId, Vec<u8>)]) -> Result<Bytes, Error> {
    let psks = psks.iter().map(|(id, psk)| (id, psk.as_slice()));
    Ok(bytes(&super::psk::psk_secret(psks)?))
}

/// The transcript hashes after a commit, confirmed and interim, and whether its confirmation tag holds (RFC 9420 §8.2).
///
/// # Errors
/// [`Error::Malformed`] if it is no commit.
pub fn transcript_hashes(
    interim_before: &[u8],
    authenticated_content: &[u8],
    confirmation_key: &[u8],
) -> Result<([u8; 32], [u8; 32], bool), Error> {
    let content = AuthenticatedContent::from_bytes(authenticated_content)?;
    let tag = content.auth.confirmation_tag.as_deref();
    let tag = tag.ok_or(Error::Malformed)?;
    let confirmed =
        context::confirmed_transcript_hash(interim_before, &content.transcript_input()?);
    let interim = context::interim_transcript_hash(&confirmed, tag)?;
    let expected = suite::mac(&secret(confirmation_key)?, &[&confirmed]);
    Ok((confirmed, interim, expected.as_slice() == tag))
}

/// Opens a Welcome without the group's tree (RFC 9420 §12.4.3.1): whether the signature of its `GroupInfo` holds under this
/// key, and its confirmation tag.
///
/// # Errors
/// [`Error::Decryption`], [`Error::NotForThisKeyPackage`], [`Error::Malformed`].
pub fn open_welcome(
    welcome: &[u8],
    key_package: &[u8],
    init_private: &[u8],
    signer: &SignaturePublicKey,
) -> Result<(bool, bool), Error> {
    let (Message::Welcome(welcome), Message::KeyPackage(key_package)) =
        (Message::decode(welcome)?, Message::decode(key_package)?)
    else {
        return Err(Error::Malformed);
    };
    let suite = Suite::of(welcome.cipher_suite)?;
    let init = secret(init_private)?;
    // The leaf's private key has no part in it.
    let own = KeyPackageSecrets::from_secrets(welcome.cipher_suite, &init, &init)?;
    let secrets = welcome.open_secrets(suite, &key_package, &own)?;
    let joiner = Joiner::new(secrets.joiner_secret, &Secret::zero());
    let info = welcome.open_group_info(suite, &joiner.welcome_secret()?)?;
    let epoch = joiner.epoch(&info.group_context.to_bytes()?)?;
    let confirmed = &info.group_context.confirmed_transcript_hash;
    let tag = suite::mac(&epoch.confirmation, &[confirmed]);
    Ok((
        info.verify(suite, signer).is_ok(),
        tag.as_slice() == info.confirmation_tag,
    ))
}

/// Which structure an encoding is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// `MLSMessage`.
    Message,
    /// `optional<Node> ratchet_tree<V>`.
    RatchetTree,
    /// `GroupSecrets`.
    GroupSecrets,
    /// `Add`.
    Add,
    /// `Update`.
    Update,
    /// `Remove`.
    Remove,
    /// `PreSharedKey`.
    PreSharedKey,
    /// `ReInit`.
    ReInit,
    /// `ExternalInit`.
    ExternalInit,
    /// `GroupContextExtensions`.
    GroupContextExtensions,
    /// `Commit`.
    Commit,
    /// `KeyPackage`.
    KeyPackage,
    /// `GroupInfo`.
    GroupInfo,
    /// `Welcome`.
    Welcome,
}

/// Reads a structure and writes it again.
///
/// # Errors
/// [`Error::Malformed`] if the bytes are no encoding of it.
pub fn recode(structure: Structure, bytes: &[u8]) -> Result<Bytes, Error> {
    fn again<T: Codec>(bytes: &[u8]) -> Result<Bytes, Error> {
        Ok(Zeroizing::new(T::from_bytes(bytes)?.to_bytes()?))
    }
    // A proposal without its type in front.
    fn proposal(number: u16, bytes: &[u8]) -> Result<Bytes, Error> {
        let mut whole = Writer::new();
        whole.u16(number).bytes(bytes);
        let again = Proposal::from_bytes(whole.as_bytes())?.to_bytes()?;
        let (_, rest) = again.split_at_checked(2).ok_or(Error::Malformed)?;
        Ok(Zeroizing::new(memory::copied(rest)))
    }
    match structure {
        Structure::Message => again::<Message>(bytes),
        Structure::RatchetTree => {
            let mut reader = Reader::new(bytes);
            let nodes: Vec<super::tree::Node> = read_list(&mut reader)?;
            reader.finish()?;
            let mut writer = Writer::new();
            write_list(&nodes, &mut writer)?;
            Ok(Zeroizing::new(writer.into_bytes()))
        }
        Structure::GroupSecrets => again::<GroupSecrets>(bytes),
        Structure::Add => proposal(1, bytes),
        Structure::Update => proposal(2, bytes),
        Structure::Remove => proposal(3, bytes),
        Structure::PreSharedKey => proposal(4, bytes),
        Structure::ReInit => proposal(5, bytes),
        Structure::ExternalInit => proposal(6, bytes),
        Structure::GroupContextExtensions => proposal(7, bytes),
        Structure::Commit => again::<Commit>(bytes),
        Structure::KeyPackage => again::<KeyPackage>(bytes),
        Structure::GroupInfo => again::<GroupInfo>(bytes),
        Structure::Welcome => again::<Welcome>(bytes),
    }
}

/// The content that bytes are, of the given kind, without anything around it.
///
/// # Errors
/// [`Error::Malformed`].
pub fn decode_content(kind: ContentType, bytes: &[u8]) -> Result<Content, Error> {
    Ok(match kind {
        ContentType::Application => Content::Application(memory::copied(bytes)),
        ContentType::Proposal => Content::Proposal(Proposal::from_bytes(bytes)?),
        ContentType::Commit => Content::Commit(Box::new(Commit::from_bytes(bytes)?)),
    })
}

/// A ratchet tree by itself.
#[derive(Clone)]
pub struct Tree(RatchetTree);

impl Tree {
    /// Reads a `ratchet_tree`.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Invalid`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self(RatchetTree::decode(bytes)?))
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        Ok(self.0.encode()?)
    }

    /// The tree hash of every node.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn hashes(&mut self) -> Result<Vec<[u8; 32]>, Error> {
        self.0.all_hashes()
    }

    /// The tree hash.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn hash(&mut self) -> Result<[u8; 32], Error> {
        Ok(self.0.tree_hash()?)
    }

    /// The resolution of every node.
    #[must_use]
    pub fn resolutions(&self) -> Vec<Vec<NodeIndex>> {
        self.0.all_resolutions()
    }

    /// Members that are no blank leaves.
    #[must_use]
    pub fn members(&self) -> Vec<LeafIndex> {
        let mut members = Vec::new();
        for (leaf, _) in self.0.leaves() {
            memory::push(&mut members, leaf);
        }
        members
    }

    /// Parent hashes, unmerged leaves and the signatures of all leaves, as who joins checks them.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn verify(&mut self, cipher_suite: CipherSuite, group_id: &[u8]) -> Result<(), Error> {
        let suite = Suite::of(cipher_suite)?;
        self.0.validate_structure(suite)?;
        self.0.verify_signatures(suite, group_id)
    }

    /// Applies an Add, an Update or a Remove of a sender.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Invalid`].
    pub fn apply(&mut self, proposal: &[u8], sender: LeafIndex) -> Result<(), Error> {
        match Proposal::from_bytes(proposal)? {
            Proposal::Add(key_package) => {
                self.0.add(Arc::new(key_package.leaf_node))?;
            }
            Proposal::Update(leaf_node) => self.0.update(sender, Arc::from(leaf_node))?,
            Proposal::Remove(leaf) => {
                self.0.remove(leaf)?;
                self.0.shrink()?;
            }
            _ => return Err(Error::Malformed),
        }
        Ok(())
    }

    /// Puts the path of a commit in, and gives the tree hash after it.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn apply_path(&mut self, sender: LeafIndex, path: &[u8]) -> Result<[u8; 32], Error> {
        self.0.apply_path(sender, &UpdatePath::from_bytes(path)?)?;
        Ok(self.0.tree_hash()?)
    }

    /// Makes a new path for a member; puts it in. Gives the path and the commit secret.
    ///
    /// # Errors
    /// [`Error::UnknownSender`], [`Error::UnsupportedSuite`].
    pub fn make_path(
        &mut self,
        context: &GroupContext,
        sender: LeafIndex,
        signer: &Signer,
        random: [u8; 32],
    ) -> Result<(Vec<u8>, Bytes), Error> {
        let suite = Suite::of(context.cipher_suite)?;
        let leaf_node = self.0.leaf(sender).ok_or(Error::UnknownSender)?;
        let leaf_node = leaf_node.as_ref().clone();
        let random = Secret::new(random);
        let secrets = PathSecrets {
            leaf_key: suite.hpke.kem.derive_key_pair(random.expose())?,
            first: Prk::new(&random).derive(b"path")?,
        };
        let place = Place {
            group_id: &context.group_id,
            leaf: sender,
        };
        let sent = self.0.make_path(suite, place, leaf_node, secrets, signer)?;
        let commit_secret = bytes(&sent.commit_secret);
        let mut context = context.clone();
        context.tree_hash = memory::copied(&self.0.tree_hash()?);
        let mut number = 0u32;
        let draw = || {
            number = number.saturating_add(1);
            Prk::new(&random).expand(b"encryption", &number.to_be_bytes())
        };
        let (path, _) = sent.encrypt(suite, &self.0, &context.to_bytes()?, &[], draw)?;
        Ok((path.to_bytes()?, commit_secret))
    }
}

/// The private keys that a member has of a tree.
pub struct TreeKeys {
    suite: &'static Suite,
    private: PrivateTree,
}

impl TreeKeys {
    /// The leaf's private key, and path secrets of nodes above it. Each key has to be the one of the tree.
    ///
    /// # Errors
    /// [`Error::Invalid`] if one is not; [`Error::InvalidKey`].
    pub fn new(
        cipher_suite: CipherSuite,
        tree: &Tree,
        leaf: LeafIndex,
        leaf_private: &[u8],
        path_secrets: &[(NodeIndex, Vec<u8>)],
    ) -> Result<Self, Error> {
        let suite = Suite::of(cipher_suite)?;
        let key = suite.hpke.kem.key_pair(&secret(leaf_private)?)?;
        let leaf_node = tree.0.leaf(leaf).ok_or(Error::UnknownSender)?;
        if leaf_node.encryption_key != key.public() {
            return Err(Rule::PathSecret.into());
        }
        let mut private = PrivateTree::new(leaf, key);
        for (node, path_secret) in path_secrets {
            private.take_one(suite, &tree.0, *node, secret(path_secret)?)?;
        }
        Ok(Self { suite, private })
    }

    /// Takes its path secret out of a path that was put into `after`; gives the path secret and the commit secret.
    ///
    /// # Errors
    /// [`Error::Decryption`], [`Error::Invalid`].
    pub fn take(
        &self,
        after: &mut Tree,
        context: &GroupContext,
        sender: LeafIndex,
        path: &[u8],
    ) -> Result<(Bytes, Bytes), Error> {
        let mut context = context.clone();
        context.tree_hash = memory::copied(&after.0.tree_hash()?);
        let recipient = Recipient {
            suite: self.suite,
            tree: &after.0,
            context: &context.to_bytes()?,
            new: &[],
        };
        let mut private = self.private.duplicate();
        let path = UpdatePath::from_bytes(path)?;
        let (path_secret, commit_secret) = recipient.take(sender, &path, &mut private)?;
        Ok((bytes(&path_secret), bytes(&commit_secret)))
    }
}

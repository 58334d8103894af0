//! The named intermediate values of RFC 9420, for conformance vectors and ports. No app needs any of it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::codec::{Codec, read_list, write_list};
use super::commit::Commit;
use super::context::{self, GroupContext};
use super::error::Error;
use super::framing::{AuthenticatedContent, Content, ContentType, sender_data_key};
use super::group_info::GroupInfo;
use super::key_package::{KeyPackage, KeyPackageSecrets};
use super::message::Message;
use super::proposal::Proposal;
use super::psk::PreSharedKeyId;
use super::schedule::Joiner;
use super::signature::{SignaturePublicKey, Signer};
use super::suite::{self, CipherSuite, Prk, Suite};
use super::welcome::{GroupSecrets, Welcome};
use crate::crypto::Secret;
use crate::memory;
use crate::wire::{Reader, Writer};

mod history;
mod insider;
mod messages;
mod nodes;
mod sign;
mod tree;

pub use history::History;
pub use insider::{Forged, Forgery, Insider, Invitation, SentAs};
pub use messages::{MessageKeys, Protection};
pub use nodes::{TreeNode, read_nodes, write_nodes};
pub use sign::{sign_group_info, sign_key_package, sign_leaf};
pub use tree::{Tree, TreeKeys};

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

/// A content without anything around it.
///
/// # Errors
/// [`Error::Malformed`] if a field is longer than the encoding allows.
pub fn encode_content(content: &Content) -> Result<Vec<u8>, Error> {
    Ok(match content {
        Content::Application(data) => memory::copied(data),
        Content::Proposal(proposal) => proposal.to_bytes()?,
        Content::Commit(commit) => commit.to_bytes()?,
    })
}

//! The key schedule and the secret tree (§§8, 9).

use super::tree::{Tree, children, leaves_below, level};
use super::{Extensions, HASH, Hash, Suite, derive, expand, extensions, extract, vector};
use crate::model::{Answer, array};

/// `GroupContext`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// `cipher_suite`
    pub suite: u16,
    /// `group_id`
    pub group_id: Vec<u8>,
    /// `epoch`
    pub epoch: u64,
    /// `tree_hash`
    pub tree_hash: Vec<u8>,
    /// `confirmed_transcript_hash`
    pub confirmed: Vec<u8>,
    /// `extensions`
    pub extensions: Extensions,
}

impl Context {
    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [
            vec![0, 1],
            self.suite.to_be_bytes().to_vec(),
            vector(&self.group_id),
            self.epoch.to_be_bytes().to_vec(),
            vector(&self.tree_hash),
            vector(&self.confirmed),
            extensions(&self.extensions),
        ]
        .concat()
    }
}

/// The secrets of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// `joiner_secret`
    pub joiner: Hash,
    /// `psk_secret`
    pub psk: Hash,
    /// `welcome_secret`
    pub welcome: Hash,
    /// `init_secret`
    pub init: Hash,
    /// `sender_data_secret`
    pub sender_data: Hash,
    /// `encryption_secret`
    pub encryption: Hash,
    /// `exporter_secret`
    pub exporter: Hash,
    /// `external_secret`
    pub external: Hash,
    /// `confirmation_key`
    pub confirmation: Hash,
    /// `membership_key`
    pub membership: Hash,
    /// `resumption_psk`
    pub resumption: Hash,
    /// `epoch_authenticator`
    pub authenticator: Hash,
}

/// `joiner_secret` of the next epoch.
///
/// # Errors
/// None.
pub fn joiner(init: &Hash, commit: &Hash, context: &[u8]) -> Answer<Hash> {
    array(&expand(&extract(init, commit), "joiner", context, HASH)?)
}

impl Secrets {
    /// What follows from the joiner secret.
    ///
    /// # Errors
    /// None.
    pub fn new(joiner: Hash, psk: Hash, context: &[u8]) -> Answer<Self> {
        let member = extract(&joiner, &psk);
        let epoch = expand(&member, "epoch", context, HASH)?;
        Ok(Self {
            joiner,
            psk,
            welcome: derive(&member, "welcome")?,
            init: derive(&epoch, "init")?,
            sender_data: derive(&epoch, "sender data")?,
            encryption: derive(&epoch, "encryption")?,
            exporter: derive(&epoch, "exporter")?,
            external: derive(&epoch, "external")?,
            confirmation: derive(&epoch, "confirm")?,
            membership: derive(&epoch, "membership")?,
            resumption: derive(&epoch, "resumption")?,
            authenticator: derive(&epoch, "authentication")?,
        })
    }
}

/// `psk_secret` (§8.4): each key with its encoded `PreSharedKeyID`.
///
/// # Errors
/// None.
pub fn psk_secret(keys: &[(Vec<u8>, Vec<u8>)]) -> Answer<Hash> {
    let mut secret = [0; HASH];
    for (index, (id, key)) in keys.iter().enumerate() {
        let label = [
            id.as_slice(),
            &(index as u16).to_be_bytes(),
            &(keys.len() as u16).to_be_bytes(),
        ]
        .concat();
        let input = expand(&extract(&[0; HASH], key), "derived psk", &label, HASH)?;
        secret = extract(&input, &secret);
    }
    Ok(secret)
}

/// Key and nonce of a message (§9).
///
/// # Errors
/// None.
pub fn message_key(
    suite: Suite,
    encryption_secret: &Hash,
    tree: &Tree,
    leaf: u32,
    handshake: bool,
    generation: u32,
) -> Answer<(Vec<u8>, Vec<u8>)> {
    let mut secret = encryption_secret.to_vec();
    let mut node = tree.root();
    while level(node) > 0 {
        let (left, right) = children(node);
        let (next, side) = match leaf <= leaves_below(left).1 {
            true => (left, "left"),
            false => (right, "right"),
        };
        secret = expand(&secret, "tree", side.as_bytes(), HASH)?;
        node = next;
    }
    let ratchet = match handshake {
        true => "handshake",
        false => "application",
    };
    secret = expand(&secret, ratchet, &[], HASH)?;
    for number in 0..generation {
        secret = expand(&secret, "secret", &number.to_be_bytes(), HASH)?;
    }
    let number = generation.to_be_bytes();
    Ok((
        expand(&secret, "key", &number, suite.key_length())?,
        expand(&secret, "nonce", &number, 12)?,
    ))
}

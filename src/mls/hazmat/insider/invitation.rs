//! Ways into an epoch of anybody's making.

use alloc::vec::Vec;

use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::memory;
use crate::mls::codec::Codec;
use crate::mls::context::GroupContext;
use crate::mls::error::Error;
use crate::mls::extension::Extensions;
use crate::mls::group_info::GroupInfo;
use crate::mls::key_package::KeyPackage;
use crate::mls::labels::encrypt;
use crate::mls::math::LeafIndex;
use crate::mls::message::Message;
use crate::mls::psk::PreSharedKeyId;
use crate::mls::schedule::Joiner;
use crate::mls::signature::Signer;
use crate::mls::suite::{self, Prk, Suite};
use crate::mls::welcome::{GroupSecrets, Welcome, encrypt_group_info, encrypt_secrets};

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

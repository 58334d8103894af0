//! What a new member gets (RFC 9420 §12.4.3.1).

use alloc::vec::Vec;

use super::codec::{Codec, read_bytes, read_list, write_list};
use super::commit::HpkeCiphertext;
use super::error::{Error, Rule};
use super::group_info::GroupInfo;
use super::key_package::{KeyPackage, KeyPackageSecrets};
use super::labels::{derive, encrypt};
use super::psk::PreSharedKeyId;
use super::suite::{CipherSuite, Prk, Suite};
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::crypto::hpke::Info;
use crate::memory;
use crate::wire::{self, Reader, VECTOR_MAX, Writer};

/// The secrets of the epoch for one new member, encrypted to its init key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedGroupSecrets {
    /// `KeyPackageRef` of its key package.
    pub new_member: Vec<u8>,
    /// The secrets.
    pub encrypted_group_secrets: HpkeCiphertext,
}

impl Codec for EncryptedGroupSecrets {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            new_member: read_bytes(reader)?,
            encrypted_group_secrets: Codec::read(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.new_member.write(writer)?;
        self.encrypted_group_secrets.write(writer)
    }
}

/// What new members get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The cipher suite.
    pub cipher_suite: CipherSuite,
    /// The secrets, for each of the new members.
    pub secrets: Vec<EncryptedGroupSecrets>,
    /// The group's state, for all of them.
    pub encrypted_group_info: Vec<u8>,
}

impl Codec for Welcome {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            cipher_suite: Codec::read(reader)?,
            secrets: read_list(reader)?,
            encrypted_group_info: read_bytes(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.cipher_suite.write(writer)?;
        write_list(&self.secrets, writer)?;
        self.encrypted_group_info.write(writer)
    }
}

/// `GroupSecrets`.
pub(super) struct GroupSecrets {
    pub(super) joiner_secret: Secret<HASH>,
    pub(super) path_secret: Option<Secret<HASH>>,
    pub(super) psks: Vec<PreSharedKeyId>,
}

/// `opaque x<V>` of the length of a hash.
fn read_secret(reader: &mut Reader<'_>) -> Result<Secret<HASH>, wire::Error> {
    let bytes = reader.vector(VECTOR_MAX)?;
    Ok(Secret::new(
        bytes.try_into().map_err(|_| wire::Error::Value)?,
    ))
}

impl Codec for GroupSecrets {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            joiner_secret: read_secret(reader)?,
            path_secret: reader.flag()?.then(|| read_secret(reader)).transpose()?,
            psks: read_list(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.vector(self.joiner_secret.expose())?;
        writer.flag(self.path_secret.is_some());
        if let Some(secret) = &self.path_secret {
            writer.vector(secret.expose())?;
        }
        write_list(&self.psks, writer)
    }
}

/// Encrypts the state of a group for its new members (RFC 9420 §12.4.3.1).
pub(super) fn encrypt_group_info(
    suite: &Suite,
    welcome_secret: &Secret<HASH>,
    info: &GroupInfo,
) -> Result<Vec<u8>, Error> {
    let (key, nonce) = welcome_key(suite, welcome_secret)?;
    let mut sealed = info.to_bytes()?;
    let tag = suite.aead().seal(&key, nonce.expose(), &[], &mut sealed)?;
    memory::extend(&mut sealed, &tag);
    Ok(sealed)
}

fn welcome_key(
    suite: &Suite,
    welcome_secret: &Secret<HASH>,
) -> Result<(Secret<32>, Secret<12>), Error> {
    let secret = Prk::new(welcome_secret);
    Ok((
        secret.key(suite.aead(), derive::KEY, &[])?,
        secret.expand(derive::NONCE, &[])?,
    ))
}

/// Encrypts the secrets for one new member; `info` is that of the encrypted group information.
pub(super) fn encrypt_secrets(
    suite: &Suite,
    info: &Info,
    key_package: &KeyPackage,
    secrets: &GroupSecrets,
    random: &Secret<32>,
) -> Result<EncryptedGroupSecrets, Error> {
    let mut text = Writer::with_capacity(128);
    secrets.write(&mut text)?;
    let text = zeroize::Zeroizing::new(text.into_bytes());
    let sealed = suite.encrypt(&key_package.init_key, info, &text, random)?;
    Ok(EncryptedGroupSecrets {
        new_member: memory::copied(&key_package.reference()?),
        encrypted_group_secrets: HpkeCiphertext {
            kem_output: sealed.kem_output,
            ciphertext: sealed.ciphertext,
        },
    })
}

impl Welcome {
    /// The secrets for the client with this key package.
    pub(super) fn open_secrets(
        &self,
        suite: &Suite,
        key_package: &KeyPackage,
        own: &KeyPackageSecrets,
    ) -> Result<GroupSecrets, Error> {
        if key_package.cipher_suite != self.cipher_suite {
            return Err(Rule::WelcomeSuite.into());
        }
        let reference = key_package.reference()?;
        let mut entries = self.secrets.iter();
        let entry = entries
            .find(|entry| entry.new_member == reference)
            .ok_or(Error::NotForThisKeyPackage)?;
        let HpkeCiphertext {
            kem_output,
            ciphertext,
        } = &entry.encrypted_group_secrets;
        let info = suite.encrypt_info(encrypt::WELCOME, &self.encrypted_group_info)?;
        let text = suite.decrypt(&own.init, &info, kem_output, ciphertext)?;
        Ok(GroupSecrets::from_bytes(&text)?)
    }

    /// The group's state; its signature is still to be verified.
    pub(super) fn open_group_info(
        &self,
        suite: &Suite,
        welcome_secret: &Secret<HASH>,
    ) -> Result<GroupInfo, Error> {
        let (key, nonce) = welcome_key(suite, welcome_secret)?;
        let text = suite
            .aead()
            .open(&key, nonce.expose(), &[], &self.encrypted_group_info)?;
        Ok(GroupInfo::from_bytes(&text)?)
    }
}

//! Key packages: what a client publishes so that others can add it to a group (RFC 9420 §10).

use alloc::vec::Vec;
use core::fmt;

use super::capabilities::{Capabilities, MLS10};
use super::codec::{Codec, read_bytes};
use super::credential::Credential;
use super::error::{Error, Rule};
use super::extension::Extensions;
use super::labels::{reference, sign};
use super::leaf_node::{LeafNode, LeafNodeSource, Lifetime, Place, Validity};
use super::math::LeafIndex;
use super::signature::Signer;
use super::suite::{self, CipherSuite, Scheme, Suite, sign_content};
use crate::crypto::hash::HASH;
use crate::crypto::hedge::Hedge;
use crate::crypto::hpke::KeyPair;
use crate::crypto::labels::purpose;
use crate::crypto::sign::Batch;
use crate::crypto::{Secret, TryCryptoRng};
use crate::memory;
use crate::wire::{self, Reader, Writer};

/// What a client publishes so that others can add it to a group, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPackage {
    /// The protocol version, 1.
    pub version: u16,
    /// The cipher suite.
    pub cipher_suite: CipherSuite,
    /// The public key that a Welcome is encrypted to.
    pub init_key: Vec<u8>,
    /// The leaf that will stand in the tree.
    pub leaf_node: LeafNode,
    /// Its extensions.
    pub extensions: Extensions,
    /// Its signature.
    pub signature: Vec<u8>,
}

/// The private keys of a key package, until it is used.
pub struct KeyPackageSecrets {
    /// Of the init key.
    pub(super) init: KeyPair,
    /// Of the leaf's encryption key.
    pub(super) encryption: KeyPair,
}

/// What a client says of itself, in a key package or in a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Who it is.
    pub credential: Credential,
    /// What it supports.
    pub capabilities: Capabilities,
    /// The extensions of its leaf.
    pub extensions: Extensions,
}

impl Client {
    /// One with a basic credential and all that this library supports.
    #[must_use]
    pub fn basic(identity: &[u8]) -> Self {
        Self {
            credential: Credential::Basic(memory::copied(identity)),
            capabilities: Capabilities::default(),
            extensions: Extensions::new(),
        }
    }
}

impl KeyPackage {
    /// Makes a key package and its private keys.
    ///
    /// # Errors
    /// [`Error::UnsupportedSuite`], [`Error::InvalidKey`] if `signer` is of another suite, [`Error::Invalid`] if what the
    /// client says of itself contradicts itself, [`Error::Rng`].
    pub fn generate(
        cipher_suite: CipherSuite,
        signer: &Signer,
        client: Client,
        lifetime: Lifetime,
        extensions: Extensions,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Self, KeyPackageSecrets), Error> {
        let suite = Suite::of(cipher_suite)?;
        signer.require(suite)?;
        let hedge = Hedge::of(&signer.secret());
        let mut random = Secret::<64>::zero();
        hedge.fill(
            purpose::MLS_KEY_PACKAGE,
            &[&signer.public().0],
            random.expose_mut(),
            rng,
        )?;
        let (init, encryption) = random.expose().split_at(32);
        let init = suite.hpke.kem.derive_key_pair(init)?;
        let encryption = suite.hpke.kem.derive_key_pair(encryption)?;
        let Client {
            credential,
            capabilities,
            extensions: leaf_extensions,
        } = client;
        let mut leaf_node = LeafNode {
            encryption_key: memory::copied(encryption.public()),
            signature_key: signer.public().clone(),
            credential,
            capabilities,
            source: LeafNodeSource::KeyPackage(lifetime),
            extensions: leaf_extensions,
            signature: Vec::new(),
        };
        leaf_node.require_alone(suite)?;
        if !leaf_node.capabilities.supports_suite(cipher_suite) {
            return Err(Rule::LeafSuite.into());
        }
        leaf_node.sign(NOWHERE, signer)?;
        extensions.require_unique()?;
        let mut key_package = Self {
            version: MLS10,
            cipher_suite,
            init_key: memory::copied(init.public()),
            leaf_node,
            extensions,
            signature: Vec::new(),
        };
        key_package.signature = signer.sign(sign::KEY_PACKAGE, &key_package.signed_bytes()?)?;
        Ok((key_package, KeyPackageSecrets { init, encryption }))
    }

    fn write_unsigned(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.u16(self.version);
        self.cipher_suite.write(writer)?;
        self.init_key.write(writer)?;
        self.leaf_node.write(writer)?;
        self.extensions.write(writer)
    }

    /// `KeyPackageTBS`.
    pub(super) fn signed_bytes(&self) -> Result<Vec<u8>, wire::Error> {
        let mut writer = Writer::with_capacity(512);
        self.write_unsigned(&mut writer)?;
        Ok(writer.into_bytes())
    }

    /// `KeyPackageRef` (RFC 9420 §5.2).
    ///
    /// # Errors
    /// [`Error::Malformed`] if a field is longer than the encoding allows.
    pub fn reference(&self) -> Result<[u8; HASH], Error> {
        suite::reference(reference::KEY_PACKAGE, &self.to_bytes()?)
    }

    /// RFC 9420 §10.1, all that needs no group: suite and version, both signatures, the leaf's source and lifetime, the keys.
    pub(super) fn verify(&self, suite: &Suite, validity: Validity) -> Result<(), Error> {
        self.require_alone(suite, validity)?;
        self.leaf_node.verify(suite, NOWHERE)?;
        let content = self.signed_bytes()?;
        self.leaf_node
            .signature_key
            .verify(suite, sign::KEY_PACKAGE, &content, &self.signature)
            .map_err(|_| Rule::KeyPackageSignature)?;
        Ok(())
    }

    /// [`verify`](Self::verify) of many: their signatures together, where the scheme allows it.
    pub(super) fn verify_all(
        key_packages: &[Self],
        suite: &Suite,
        validity: Validity,
    ) -> Result<(), Error> {
        if key_packages.len() < 2 || suite.scheme != Scheme::Ed25519 {
            let mut all = key_packages.iter();
            return all.try_for_each(|key_package| key_package.verify(suite, validity));
        }
        let mut batch = Batch::new();
        for key_package in key_packages {
            key_package.require_alone(suite, validity)?;
            let leaf_node = &key_package.leaf_node;
            leaf_node.add_to(&mut batch, NOWHERE)?;
            let content = sign_content(sign::KEY_PACKAGE, &key_package.signed_bytes()?)?;
            leaf_node
                .signature_key
                .add_to(&mut batch, &content, &key_package.signature)
                .map_err(|_| Rule::KeyPackageSignature)?;
        }
        if batch.verify().is_ok() {
            return Ok(());
        }
        // Which of them does not hold is not known.
        let mut all = key_packages.iter();
        all.try_for_each(|key_package| key_package.verify(suite, validity))
    }

    /// [`verify`](Self::verify) but for the signatures.
    fn require_alone(&self, suite: &Suite, validity: Validity) -> Result<(), Error> {
        if self.version != MLS10 || self.cipher_suite != suite.id {
            return Err(Rule::KeyPackageVersion.into());
        }
        if !matches!(self.leaf_node.source, LeafNodeSource::KeyPackage(_)) {
            return Err(Rule::LeafSource.into());
        }
        self.leaf_node.require_alone(suite)?;
        self.leaf_node.require_lifetime(validity)?;
        self.extensions.require_unique()?;
        suite.hpke.kem.check_public_key(&self.init_key)?;
        if self.init_key == self.leaf_node.encryption_key {
            return Err(Rule::KeyPackageInitKey.into());
        }
        Ok(())
    }
}

/// A key package's leaf is signed for no group.
const NOWHERE: Place<'static> = Place {
    group_id: &[],
    leaf: LeafIndex(0),
};

impl Codec for KeyPackage {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            version: reader.u16()?,
            cipher_suite: Codec::read(reader)?,
            init_key: read_bytes(reader)?,
            leaf_node: Codec::read(reader)?,
            extensions: Codec::read(reader)?,
            signature: read_bytes(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.write_unsigned(writer)?;
        self.signature.write(writer)
    }
}

impl KeyPackageSecrets {
    /// The private keys of the init key and of the leaf, from where they were kept.
    ///
    /// # Errors
    /// [`Error::UnsupportedSuite`], [`Error::InvalidKey`].
    pub fn from_secrets(
        cipher_suite: CipherSuite,
        init: &Secret<32>,
        encryption: &Secret<32>,
    ) -> Result<Self, Error> {
        let kem = Suite::of(cipher_suite)?.hpke.kem;
        Ok(Self {
            init: kem.key_pair(init)?,
            encryption: kem.key_pair(encryption)?,
        })
    }

    /// The private keys of the init key and of the leaf.
    #[must_use]
    pub fn secrets(&self) -> [Secret<32>; 2] {
        [self.init.secret(), self.encryption.secret()]
    }

    /// Whether these are the private keys of `key_package`.
    #[must_use]
    pub fn belong_to(&self, key_package: &KeyPackage) -> bool {
        self.init.public() == key_package.init_key
            && self.encryption.public() == key_package.leaf_node.encryption_key
    }
}

impl fmt::Debug for KeyPackageSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            init: _,
            encryption: _,
        } = self;
        f.debug_struct("KeyPackageSecrets").finish_non_exhaustive()
    }
}

//! Extensions: a list of typed values, of which this library knows five (RFC 9420 §§13.4, 17.3).

use alloc::vec::Vec;

use super::codec::{Codec, numbers, read_bytes, read_list, write_list};
use super::credential::{Credential, CredentialType};
use super::error::{Error, Rule};
use super::signature::SignaturePublicKey;
use crate::memory;
use crate::wire::{self, Reader, Writer};

/// The type of an extension (RFC 9420 §17.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionType(pub u16);

impl ExtensionType {
    /// The app's own name of a client.
    pub const APPLICATION_ID: Self = Self(1);
    /// The ratchet tree of a group.
    pub const RATCHET_TREE: Self = Self(2);
    /// What every member has to support.
    pub const REQUIRED_CAPABILITIES: Self = Self(3);
    /// The public key for external commits.
    pub const EXTERNAL_PUB: Self = Self(4);
    /// Who may send proposals from outside.
    pub const EXTERNAL_SENDERS: Self = Self(5);
    /// A key package that may be used more than once (draft-ietf-mls-extensions).
    pub const LAST_RESORT: Self = Self(10);

    /// Whether every client has it, so that no capabilities list it (RFC 9420 §7.2).
    #[must_use]
    pub const fn is_default(self) -> bool {
        matches!(self.0, 1..=5)
    }
}

/// The type of a proposal (RFC 9420 §17.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalType(pub u16);

impl ProposalType {
    /// Whether every client has it, so that no capabilities list it (RFC 9420 §7.2).
    #[must_use]
    pub const fn is_default(self) -> bool {
        matches!(self.0, 1..=7)
    }
}

numbers!(ExtensionType, ProposalType);

/// A typed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its type.
    pub extension_type: ExtensionType,
    /// Its value, in the encoding of its type.
    pub data: Vec<u8>,
}

impl Codec for Extension {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            extension_type: Codec::read(reader)?,
            data: read_bytes(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.extension_type.write(writer)?;
        self.data.write(writer)
    }
}

/// A list of extensions, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions(Vec<Extension>);

impl Extensions {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Puts an extension behind the others, in the place of one of its type if there is one.
    #[must_use]
    pub fn with(mut self, extension_type: ExtensionType, data: Vec<u8>) -> Self {
        memory::retain(&mut self.0, |held| held.extension_type != extension_type);
        let extension = Extension {
            extension_type,
            data,
        };
        memory::push(&mut self.0, extension);
        self
    }

    /// The value of a type.
    #[must_use]
    pub fn find(&self, extension_type: ExtensionType) -> Option<&[u8]> {
        let mut list = self.0.iter();
        let found = list.find(|extension| extension.extension_type == extension_type)?;
        Some(&found.data)
    }

    /// All of them.
    pub fn iter(&self) -> core::slice::Iter<'_, Extension> {
        self.0.iter()
    }

    /// RFC 9420 §13.4: at most one of each type.
    pub(super) fn require_unique(&self) -> Result<(), Error> {
        let mut types = memory::with_capacity(self.0.len());
        for extension in &self.0 {
            memory::push(&mut types, extension.extension_type);
        }
        types.sort_unstable();
        let pairs = types.iter().zip(types.iter().skip(1));
        for (one, next) in pairs {
            if one == next {
                return Err(Rule::DuplicateExtension.into());
            }
        }
        Ok(())
    }

    /// The value of a type, decoded.
    fn typed<T: Codec>(&self, extension_type: ExtensionType) -> Result<Option<T>, Error> {
        let value = self.find(extension_type).map(T::from_bytes).transpose()?;
        Ok(value)
    }

    /// What every member has to support.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn required_capabilities(&self) -> Result<RequiredCapabilities, Error> {
        let required = self.typed(ExtensionType::REQUIRED_CAPABILITIES)?;
        Ok(required.unwrap_or_default())
    }

    /// Who may send proposals from outside.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn external_senders(&self) -> Result<ExternalSenders, Error> {
        let senders = self.typed(ExtensionType::EXTERNAL_SENDERS)?;
        Ok(senders.unwrap_or_default())
    }

    /// The public key for external commits.
    pub(super) fn external_pub(&self) -> Result<Vec<u8>, Error> {
        let key = self.typed(ExtensionType::EXTERNAL_PUB)?;
        key.ok_or(Rule::NoExternalPub.into())
    }
}

impl Codec for Extensions {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self(read_list(reader)?))
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        write_list(&self.0, writer)
    }
}

/// `required_capabilities` (RFC 9420 §11.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredCapabilities {
    /// Extensions.
    pub extensions: Vec<ExtensionType>,
    /// Proposals.
    pub proposals: Vec<ProposalType>,
    /// Credentials.
    pub credentials: Vec<CredentialType>,
}

impl RequiredCapabilities {
    /// The extension's value.
    ///
    /// # Errors
    /// [`Error::Malformed`] over 2^30 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        Ok(self.to_bytes()?)
    }
}

impl Codec for RequiredCapabilities {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            extensions: read_list(reader)?,
            proposals: read_list(reader)?,
            credentials: read_list(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        write_list(&self.extensions, writer)?;
        write_list(&self.proposals, writer)?;
        write_list(&self.credentials, writer)
    }
}

/// One who may send proposals from outside (RFC 9420 §12.1.8.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalSender {
    /// The key that the proposals are signed with.
    pub signature_key: SignaturePublicKey,
    /// Who that is.
    pub credential: Credential,
}

impl Codec for ExternalSender {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            signature_key: Codec::read(reader)?,
            credential: Codec::read(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.signature_key.write(writer)?;
        self.credential.write(writer)
    }
}

/// `external_senders` (RFC 9420 §12.1.8.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalSenders(pub Vec<ExternalSender>);

impl ExternalSenders {
    /// The extension's value.
    ///
    /// # Errors
    /// [`Error::Malformed`] over 2^30 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        Ok(self.to_bytes()?)
    }
}

impl Codec for ExternalSenders {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self(read_list(reader)?))
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        write_list(&self.0, writer)
    }
}

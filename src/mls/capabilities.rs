//! What a client says that it supports (RFC 9420 §7.2).

use alloc::vec::Vec;

use super::codec::{Codec, read_list, write_list};
use super::credential::{Credential, CredentialType};
use super::error::{Error, Rule};
use super::extension::{ExtensionType, Extensions, ProposalType, RequiredCapabilities};
use super::limits::CAPABILITIES_MAX;
use super::suite::CipherSuite;
use crate::memory;
use crate::wire::{self, Reader, Writer};

/// `mls10`.
pub(super) const MLS10: u16 = 1;

/// Values that mean nothing and are to be ignored by everybody (RFC 9420 §13.5).
pub(super) const GREASE: [u16; 15] = [
    0x0a0a, 0x1a1a, 0x2a2a, 0x3a3a, 0x4a4a, 0x5a5a, 0x6a6a, 0x7a7a, 0x8a8a, 0x9a9a, 0xaaaa, 0xbaba,
    0xcaca, 0xdada, 0xeaea,
];

/// What a client supports. Types that every client has are not listed (RFC 9420 §7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Protocol versions.
    pub versions: Vec<u16>,
    /// Cipher suites.
    pub cipher_suites: Vec<CipherSuite>,
    /// Extensions.
    pub extensions: Vec<ExtensionType>,
    /// Proposals.
    pub proposals: Vec<ProposalType>,
    /// Credentials.
    pub credentials: Vec<CredentialType>,
}

impl Default for Capabilities {
    /// What this library supports: MLS 1.0, its suites, basic and X.509 credentials, last-resort key packages.
    fn default() -> Self {
        Self {
            versions: memory::copied(&[MLS10]),
            cipher_suites: memory::copied(&CipherSuite::ALL),
            extensions: memory::copied(&[ExtensionType::LAST_RESORT]),
            proposals: Vec::new(),
            credentials: memory::copied(&[CredentialType::BASIC, CredentialType::X509]),
        }
    }
}

impl Capabilities {
    /// Adds one of the values that everybody has to ignore to each list that may have one (RFC 9420 §13.5).
    #[must_use]
    pub fn with_grease(mut self, random: [u8; 4]) -> Self {
        let pick = |byte: u8| {
            let place = usize::from(byte).checked_rem(GREASE.len());
            GREASE.get(place.unwrap_or_default()).copied()
        };
        let [a, b, c, d] = random.map(pick);
        if let Some(value) = a {
            memory::push(&mut self.cipher_suites, CipherSuite(value));
        }
        if let Some(value) = b {
            memory::push(&mut self.extensions, ExtensionType(value));
        }
        if let Some(value) = c {
            memory::push(&mut self.proposals, ProposalType(value));
        }
        if let Some(value) = d {
            memory::push(&mut self.credentials, CredentialType(value));
        }
        self
    }

    pub(super) fn supports_suite(&self, suite: CipherSuite) -> bool {
        self.versions.contains(&MLS10) && self.cipher_suites.contains(&suite)
    }

    pub(super) fn supports_extension(&self, extension_type: ExtensionType) -> bool {
        extension_type.is_default() || self.extensions.contains(&extension_type)
    }

    pub(super) fn supports_proposal(&self, proposal_type: ProposalType) -> bool {
        proposal_type.is_default() || self.proposals.contains(&proposal_type)
    }

    pub(super) fn supports_credential(&self, credential_type: CredentialType) -> bool {
        self.credentials.contains(&credential_type)
    }

    /// RFC 9420 §7.3, what concerns the group: version and suite, required capabilities, every extension in use (§13.4).
    pub(super) fn require(
        &self,
        suite: CipherSuite,
        required: &RequiredCapabilities,
        extensions: &Extensions,
    ) -> Result<(), Error> {
        if !self.supports_suite(suite) {
            return Err(Rule::LeafSuite.into());
        }
        let holds = required
            .extensions
            .iter()
            .all(|wanted| self.supports_extension(*wanted))
            && required
                .proposals
                .iter()
                .all(|wanted| self.supports_proposal(*wanted))
            && required
                .credentials
                .iter()
                .all(|wanted| self.supports_credential(*wanted));
        if !holds {
            return Err(Rule::LeafRequiredCapabilities.into());
        }
        let mut in_use = extensions.iter();
        if !in_use.all(|extension| self.supports_extension(extension.extension_type)) {
            return Err(Rule::UnsupportedExtension.into());
        }
        Ok(())
    }

    /// RFC 9420 §7.3, what a leaf can be asked alone: its extensions and its own credential's type are listed.
    pub(super) fn require_own(
        &self,
        extensions: &Extensions,
        credential: &Credential,
    ) -> Result<(), Error> {
        let mut own = extensions.iter();
        if !own.all(|extension| self.supports_extension(extension.extension_type)) {
            return Err(Rule::LeafExtension.into());
        }
        if !self.supports_credential(credential.credential_type()) {
            return Err(Rule::LeafCredential.into());
        }
        Ok(())
    }
}

/// A list of at most [`CAPABILITIES_MAX`].
fn read_bounded<T: Codec>(reader: &mut Reader<'_>) -> Result<Vec<T>, wire::Error> {
    let list = read_list(reader)?;
    if list.len() > CAPABILITIES_MAX {
        return Err(wire::Error::TooLong);
    }
    Ok(list)
}

impl Codec for Capabilities {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self {
            versions: read_bounded(reader)?,
            cipher_suites: read_bounded(reader)?,
            extensions: read_bounded(reader)?,
            proposals: read_bounded(reader)?,
            credentials: read_bounded(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        write_list(&self.versions, writer)?;
        write_list(&self.cipher_suites, writer)?;
        write_list(&self.extensions, writer)?;
        write_list(&self.proposals, writer)?;
        write_list(&self.credentials, writer)
    }
}

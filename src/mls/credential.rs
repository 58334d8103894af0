//! Credentials: who a member says that it is (RFC 9420 §5.3).

use alloc::vec::Vec;

use super::codec::{Codec, numbers, read_bytes, read_list, write_list};
use crate::wire::{self, Reader, Writer};

/// The type of a credential (RFC 9420 §17.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialType(pub u16);

impl CredentialType {
    /// An identity and nothing else.
    pub const BASIC: Self = Self(1);
    /// A chain of X.509 certificates.
    pub const X509: Self = Self(2);
}

numbers!(CredentialType);

/// Who a member says that it is. Whether that is true, and whether one credential may follow another, is for the app to
/// decide; this library asks it wherever RFC 9420 §5.3.1 says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// An identity, in an encoding of the app.
    Basic(Vec<u8>),
    /// A chain of certificates in DER, the member's own first. This library carries them; the app reads them.
    X509(Vec<Vec<u8>>),
    /// A credential of a type that this library does not know. As for every credential, one vector of bytes is assumed.
    Other(CredentialType, Vec<u8>),
}

impl Credential {
    /// Its type.
    #[must_use]
    pub const fn credential_type(&self) -> CredentialType {
        match self {
            Self::Basic(_) => CredentialType::BASIC,
            Self::X509(_) => CredentialType::X509,
            Self::Other(credential_type, _) => *credential_type,
        }
    }
}

impl Codec for Credential {
    fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(match CredentialType::read(reader)? {
            CredentialType::BASIC => Self::Basic(read_bytes(reader)?),
            CredentialType::X509 => Self::X509(read_list(reader)?),
            other => Self::Other(other, read_bytes(reader)?),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        self.credential_type().write(writer)?;
        match self {
            Self::Basic(bytes) | Self::Other(_, bytes) => bytes.write(writer),
            Self::X509(chain) => write_list(chain, writer),
        }
    }
}

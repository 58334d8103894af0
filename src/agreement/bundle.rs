//! What a device publishes so that others can write to it (SPEC §7.2).

use alloc::vec::Vec;

use super::Error;
use super::limits::{BUNDLE_MAX, SUITE};
use crate::crypto::dh::{DhPoint, DhPublic};
use crate::crypto::kem::KemPublic;
use crate::crypto::labels;
use crate::crypto::sign::Signature;
use crate::identity::{Address, DeviceIdentity, Identity, SignedIdentity, VerifiedKeys};
use crate::memory;
use crate::wire::{self, Reader, Writer};

/// The public half of a signed prekey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedPrekey {
    /// Its id, never reused by the device.
    pub id: u32,
    /// The X25519 key.
    pub key: DhPublic,
    /// Last moment of use, Unix milliseconds, exclusive.
    pub not_after: u64,
}

impl SignedPrekey {
    /// `L("spk") || IKs || suite || id || not_after || key`.
    pub(crate) fn signed_bytes(&self, identity: &Identity) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .bytes(labels::SPK)
            .bytes(identity.keys().signing_key().as_bytes())
            .u16(SUITE)
            .u32(self.id)
            .u64(self.not_after)
            .bytes(self.key.as_bytes());
        writer.into_bytes()
    }
}

/// The public half of a KEM prekey.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KemPrekey {
    pub(crate) id: u32,
    pub(crate) last_resort: bool,
    pub(crate) not_after: u64,
    pub(crate) key: KemPublic,
}

impl KemPrekey {
    /// `L("kem") || IKs || suite || id || last_resort || not_after || key`.
    pub(crate) fn signed_bytes(&self, identity: &Identity) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .bytes(labels::KEM)
            .bytes(identity.keys().signing_key().as_bytes())
            .u16(SUITE)
            .u32(self.id)
            .flag(self.last_resort)
            .u64(self.not_after)
            .bytes(self.key.as_bytes());
        writer.into_bytes()
    }
}

/// The public half of a one-time prekey, unsigned: it only adds to what the signed ones give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneTimePrekey {
    /// Its id, never zero and never reused by the device.
    pub id: u32,
    /// The X25519 key.
    pub key: DhPublic,
}

/// A bundle as it arrives: its encoding holds, its signatures are not yet verified.
///
/// ```text
/// suite u16 || vec(address) || IKs 32 || IKd 32 || sig_id 64
/// || spk: id u32 || key 32 || not_after u64 || signature 64
/// || kem: id u32 || last_resort u8 || not_after u64 || key 1184 || signature 64
/// || has_opk u8 || [ id u32 || key 32 ]
/// ```
pub struct Bundle {
    encoded: Vec<u8>,
    address: Address,
    identity: SignedIdentity,
    signed: SignedPrekey,
    signed_signature: Signature,
    kem: KemPrekey,
    kem_signature: Signature,
    one_time: Option<OneTimePrekey>,
}

impl Bundle {
    /// Parses a bundle (SPEC §7.2-R1).
    ///
    /// # Errors
    /// [`Error::UnknownVersion`] for another suite, [`Error::Malformed`] for everything else.
    pub fn parse(encoded: &[u8]) -> Result<Self, Error> {
        if encoded.len() > BUNDLE_MAX {
            return Err(Error::Malformed);
        }
        let mut reader = Reader::new(encoded);
        if reader.u16()? != SUITE {
            return Err(Error::UnknownVersion);
        }
        let address = Address::read(&mut reader)?;
        let identity = SignedIdentity::read(&mut reader)?;
        let signed = SignedPrekey {
            id: reader.u32()?,
            key: DhPublic::from_bytes(reader.array()?)?,
            not_after: reader.u64()?,
        };
        let signed_signature = Signature(*reader.array()?);
        let kem = KemPrekey {
            id: reader.u32()?,
            last_resort: reader.flag()?,
            not_after: reader.u64()?,
            key: KemPublic::from_bytes(reader.array()?)?,
        };
        let kem_signature = Signature(*reader.array()?);
        let one_time = read_one_time(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            encoded: memory::copied(encoded),
            address,
            identity,
            signed,
            signed_signature,
            kem,
            kem_signature,
            one_time,
        })
    }

    /// Verifies everything before any key of the bundle is used (SPEC §7.2-R2 to R4).
    ///
    /// # Errors
    /// [`Error::BadSignature`], [`Error::Malformed`] for an identity key outside the prime-order group,
    /// [`Error::StaleBundle`] where `not_after <= now`.
    pub fn verify(self, now: u64) -> Result<VerifiedBundle, Error> {
        let VerifiedKeys {
            keys,
            verifier,
            dh_point,
        } = self.identity.verify()?;
        let identity = Identity {
            address: self.address,
            keys,
        };
        verifier.verify(&self.signed.signed_bytes(&identity), &self.signed_signature)?;
        verifier.verify(&self.kem.signed_bytes(&identity), &self.kem_signature)?;
        let verified = VerifiedBundle {
            encoded: self.encoded,
            identity,
            identity_point: dh_point,
            signed: self.signed,
            kem: self.kem,
            one_time: self.one_time,
        };
        verified.require_current(now)?;
        Ok(verified)
    }

    /// The encoding, as it was parsed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.encoded
    }

    /// Makes the bundle of `device` with these keys, signed.
    pub(crate) fn encode(
        device: &DeviceIdentity,
        signed: &SignedPrekey,
        kem: &KemPrekey,
        one_time: Option<&OneTimePrekey>,
    ) -> Result<Vec<u8>, Error> {
        let identity = device.public();
        let signed_signature = device.sign(&signed.signed_bytes(identity))?;
        let kem_signature = device.sign(&kem.signed_bytes(identity))?;
        let mut writer = Writer::with_capacity(1_700);
        writer.u16(SUITE);
        identity.address().write(&mut writer);
        device.write_signed(&mut writer);
        writer
            .u32(signed.id)
            .bytes(signed.key.as_bytes())
            .u64(signed.not_after)
            .bytes(&signed_signature.0)
            .u32(kem.id)
            .flag(kem.last_resort)
            .u64(kem.not_after)
            .bytes(kem.key.as_bytes())
            .bytes(&kem_signature.0)
            .flag(one_time.is_some());
        if let Some(key) = one_time {
            writer.u32(key.id).bytes(key.key.as_bytes());
        }
        Ok(writer.into_bytes())
    }
}

fn read_one_time(reader: &mut Reader<'_>) -> Result<Option<OneTimePrekey>, Error> {
    if !reader.flag()? {
        return Ok(None);
    }
    let id = reader.u32()?;
    if id == 0 {
        return Err(wire::Error::Value.into());
    }
    let key = DhPublic::from_bytes(reader.array()?)?;
    Ok(Some(OneTimePrekey { id, key }))
}

/// A bundle whose every signature and key was checked.
pub struct VerifiedBundle {
    pub(crate) encoded: Vec<u8>,
    pub(crate) identity: Identity,
    /// `IKd` of the identity.
    pub(crate) identity_point: DhPoint,
    pub(crate) signed: SignedPrekey,
    pub(crate) kem: KemPrekey,
    pub(crate) one_time: Option<OneTimePrekey>,
}

impl VerifiedBundle {
    /// Whose bundle it is. That the identity belongs to the address is for the app to decide.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// A bundle may be verified long before it is used: its end is looked at both times (SPEC §7.2-R4).
    pub(crate) fn require_current(&self, now: u64) -> Result<(), Error> {
        if self.not_after() <= now {
            return Err(Error::StaleBundle);
        }
        Ok(())
    }

    /// When the first of its two keys with an end ends, Unix milliseconds.
    pub(crate) fn not_after(&self) -> u64 {
        self.signed.not_after.min(self.kem.not_after)
    }

    /// Whether neither a one-time DH key nor a one-time KEM key is in it: the first messages have forward secrecy
    /// only once the responder deletes its signed prekey and last-resort KEM key.
    #[must_use]
    pub const fn is_last_resort(&self) -> bool {
        self.kem.last_resort && self.one_time.is_none()
    }
}

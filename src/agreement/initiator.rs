//! The side that begins (SPEC §7.4).

use alloc::boxed::Box;

use zeroize::Zeroizing;

use super::transcript::{
    ENCRYPTED_IDENTITY, IDENTITY_PLAINTEXT, Secrets, Transcript, identity_plaintext,
};
use super::{Error, FirstPrefix, PREFIX, VerifiedBundle};
use crate::crypto::dh::{DhKeyPair, DhPoint, DhPublic};
use crate::crypto::hedge::Entropy;
use crate::crypto::kem::KEM_CIPHERTEXT;
use crate::crypto::labels::purpose;
use crate::crypto::{Secret, SharedSecret};
use crate::identity::DeviceIdentity;
use crate::wire::Writer;

/// An agreement begun: what the first ratchet state is made from.
pub struct Initiation {
    /// The bytes in front of every message until the first answer, the envelope's two included.
    pub(crate) prefix: Box<[u8; PREFIX]>,
    /// `SK` and `th2`.
    pub(crate) shared: SharedSecret,
    /// `SPK`, the responder's first ratchet key.
    pub(crate) ratchet_key: DhPublic,
    /// The same, prepared.
    pub(crate) ratchet_point: DhPoint,
}

/// Everything that the initiator computes.
pub(crate) struct InitiatorWork {
    /// `idpt`
    pub(crate) identity: Zeroizing<[u8; IDENTITY_PLAINTEXT]>,
    pub(crate) ephemeral: DhKeyPair,
    pub(crate) ciphertext: Box<[u8; KEM_CIPHERTEXT]>,
    pub(crate) secrets: Secrets,
    pub(crate) transcript: Transcript,
    /// SPK, prepared: the ratchet begins with it as well.
    signed_point: DhPoint,
    /// `encid`
    pub(crate) encrypted_identity: [u8; ENCRYPTED_IDENTITY],
}

impl InitiatorWork {
    pub(crate) fn new(
        device: &DeviceIdentity,
        bundle: &VerifiedBundle,
        created_at: u64,
        entropy: &mut impl Entropy,
    ) -> Result<Self, Error> {
        let responder = &bundle.identity;
        if responder.keys().shares_a_key(device.public().keys()) {
            return Err(Error::OwnIdentity);
        }
        let identity = identity_plaintext(device, created_at)?;
        let context: [&[u8]; 2] = [&bundle.encoded, identity.as_slice()];
        let ephemeral = DhKeyPair::from_secret(entropy.derive(purpose::EPHEMERAL_KEY, &context)?);
        let message: Secret<32> = entropy.derive(purpose::KEM_MESSAGE, &context)?;
        let (ciphertext, ss) = bundle.kem.key.encapsulate(&message);

        let one_time = bundle.one_time.as_ref();
        let signed_point = DhPoint::new(&bundle.signed.key);
        let secrets = Secrets {
            dh1: Some(device.dh().agree_at(&signed_point)?),
            dh2: ephemeral.agree_at(&bundle.identity_point)?,
            dh3: ephemeral.agree_at(&signed_point)?,
            dh4: one_time.map(|key| ephemeral.agree(&key.key)).transpose()?,
            ss,
        };
        let transcript = Transcript::new(
            responder,
            &bundle.signed,
            &bundle.kem,
            one_time,
            ephemeral.public(),
            &ciphertext,
        );
        let encrypted_identity = transcript.seal_identity(&secrets, &identity)?;
        Ok(Self {
            identity,
            ephemeral,
            ciphertext,
            secrets,
            transcript,
            signed_point,
            encrypted_identity,
        })
    }

    pub(crate) fn finish(&self, bundle: &VerifiedBundle) -> Result<Initiation, Error> {
        let mut writer = Writer::with_capacity(PREFIX);
        FirstPrefix {
            signed_id: bundle.signed.id,
            kem_id: bundle.kem.id,
            one_time_id: bundle.one_time.as_ref().map(|key| key.id),
            ephemeral: *self.ephemeral.public(),
            ciphertext: &self.ciphertext,
            encrypted_identity: &self.encrypted_identity,
        }
        .write(&mut writer);
        let prefix = writer.into_bytes().into_boxed_slice();
        Ok(Initiation {
            prefix: prefix.try_into().map_err(|_| Error::Malformed)?,
            shared: self
                .transcript
                .finish(&self.secrets, &self.encrypted_identity, &self.identity),
            ratchet_key: bundle.signed.key,
            ratchet_point: self.signed_point.clone(),
        })
    }
}

/// Begins an agreement with the device that `bundle` belongs to.
///
/// `created_at` is in Unix milliseconds and above that of every earlier state of the same conversation.
///
/// # Errors
/// [`Error::OwnIdentity`], [`Error::Malformed`] for a key of small order, [`Error::Rng`].
pub fn initiate(
    device: &DeviceIdentity,
    bundle: &VerifiedBundle,
    created_at: u64,
    entropy: &mut impl Entropy,
) -> Result<Initiation, Error> {
    InitiatorWork::new(device, bundle, created_at, entropy)?.finish(bundle)
}

//! The side that begins (SPEC §7.4).

use alloc::boxed::Box;

use super::transcript::{Secrets, Transcript, identity_plaintext};
use super::{Error, FirstPrefix, PREFIX, VerifiedBundle};
use crate::crypto::dh::{DhKeyPair, DhPublic};
use crate::crypto::hedge::Entropy;
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
    let secrets = Secrets {
        dh1: Some(device.dh().agree(&bundle.signed.key)?),
        dh2: ephemeral.agree(responder.keys().dh_key())?,
        dh3: ephemeral.agree(&bundle.signed.key)?,
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
    let mut writer = Writer::with_capacity(PREFIX);
    FirstPrefix {
        signed_id: bundle.signed.id,
        kem_id: bundle.kem.id,
        one_time_id: one_time.map(|key| key.id),
        ephemeral: *ephemeral.public(),
        ciphertext: &ciphertext,
        encrypted_identity: &encrypted_identity,
    }
    .write(&mut writer);
    let prefix = writer.into_bytes().into_boxed_slice();
    Ok(Initiation {
        prefix: prefix.try_into().map_err(|_| Error::Malformed)?,
        shared: transcript.finish(&secrets, &encrypted_identity, &identity),
        ratchet_key: bundle.signed.key,
    })
}

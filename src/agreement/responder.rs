//! The side that answers (SPEC §7.5).

use zeroize::Zeroizing;

use super::prekeys::Found;
use super::transcript::{IDENTITY_PLAINTEXT, Secrets, Transcript, read_identity};
use super::{Error, FirstPrefix, Prekeys, Used};
use crate::crypto::SharedSecret;
use crate::crypto::dh::{DhKeyPair, DhPoint};
use crate::identity::{DeviceIdentity, Identity};

/// An agreement answered. Nothing of it is believed before the body of the first message was opened.
pub struct Response {
    /// Who begins.
    pub(crate) peer: Identity,
    /// When, by its own clock.
    pub(crate) created_at: u64,
    /// `SK` and `th2`.
    pub(crate) shared: SharedSecret,
    /// The signed prekey in its role as the first ratchet key.
    pub(crate) ratchet_key: DhKeyPair,
    /// What to take away.
    pub(crate) used: Used,
}

/// Everything that the responder computes.
pub(crate) struct ResponderWork<'a> {
    found: Found<'a>,
    pub(crate) secrets: Secrets,
    pub(crate) transcript: Transcript,
    /// `idpt`
    pub(crate) identity: Zeroizing<[u8; IDENTITY_PLAINTEXT]>,
    pub(crate) peer: Identity,
    pub(crate) created_at: u64,
}

impl<'a> ResponderWork<'a> {
    pub(crate) fn new(
        device: &DeviceIdentity,
        prekeys: &'a Prekeys,
        first: &FirstPrefix<'_>,
        now: u64,
    ) -> Result<Self, Error> {
        let found = prekeys.find(first, now)?;
        let kem_pair = found.kem_pair();
        let one_time_pair = found.one_time_pair();
        let ephemeral = DhPoint::new(&first.ephemeral);
        let mut secrets = Secrets {
            dh1: None,
            dh2: device.dh().agree_at(&ephemeral)?,
            dh3: found.signed_pair().agree_at(&ephemeral)?,
            dh4: one_time_pair
                .as_ref()
                .map(|pair| pair.agree_at(&ephemeral))
                .transpose()?,
            ss: kem_pair.decapsulate(first.ciphertext),
        };
        let transcript = Transcript::new(
            device.public(),
            &found.signed_prekey(),
            &found.kem_prekey(&kem_pair),
            found.one_time_prekey(one_time_pair.as_ref()).as_ref(),
            &first.ephemeral,
            first.ciphertext,
        );
        let identity = transcript.open_identity(&secrets, first.encrypted_identity)?;
        let (peer, peer_point, created_at) = read_identity(&identity)?;
        if peer.keys().shares_a_key(device.public().keys()) {
            return Err(Error::OwnIdentity);
        }
        secrets.dh1 = Some(found.signed_pair().agree_at(&peer_point)?);
        Ok(Self {
            found,
            secrets,
            transcript,
            identity,
            peer,
            created_at,
        })
    }

    pub(crate) fn finish(&self, first: &FirstPrefix<'_>) -> Response {
        Response {
            peer: self.peer,
            created_at: self.created_at,
            shared: self
                .transcript
                .finish(&self.secrets, first.encrypted_identity, &self.identity),
            ratchet_key: self.found.signed_pair().duplicate(),
            used: self.found.used(),
        }
    }
}

/// Answers the agreement of a first message; changes nothing.
///
/// # Errors
/// [`Error::PrekeyGone`], [`Error::ReplayedFirst`], [`Error::ReplayRecordFull`] before any computation with keys;
/// [`Error::Malformed`], [`Error::BadSignature`], [`Error::OwnIdentity`] after it.
pub fn respond(
    device: &DeviceIdentity,
    prekeys: &Prekeys,
    first: &FirstPrefix<'_>,
    now: u64,
) -> Result<Response, Error> {
    Ok(ResponderWork::new(device, prekeys, first, now)?.finish(first))
}

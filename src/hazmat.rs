//! The named intermediate values of the protocol, for conformance vectors and for those who write a port.
//!
//! Nothing here is needed to use the library, and most of it breaks every promise of the library when it is used
//! for anything else: it gives out keys, and it takes randomness as given. Names are those of SPEC.md.
//! What concerns the Braid is in [`braid`], the comparison of emoji in [`emoji`], files in [`mod@file`], packs in
//! [`pack`], and what a device stores in [`device::hazmat`](crate::device::hazmat).

use alloc::vec::Vec;

use crate::agreement::{
    Bundle, FirstPrefix, InitiatorWork, KemPrekey, OneTimePrekey, PREFIX, Prekeys, ResponderWork,
    Secrets, SignedPrekey, Used, VerifiedBundle,
};
use crate::crypto::dh::DhKeyPair;
use crate::crypto::hash::sha256;
use crate::crypto::hedge::Hedge;
use crate::crypto::kem::KemKeyPair;
use crate::crypto::{self, Secret, SharedSecret};
use crate::envelope::{ENVELOPE, Envelope, Kind};
use crate::identity::DeviceIdentity;
use crate::ratchet::{
    Binding, ChainKey, ChainKeys, Content, Frame, Header, HeaderKey, InitialKeys, MessageKey,
    RootKey, TAG, open_body, open_header, seal as seal_frame,
};
use crate::session::{self, Conversation, Error, Incoming, Stored};
use crate::state::{AppKey, Slot};
use crate::wire::{Reader, Writer};

pub mod braid;
pub mod emoji;
pub mod file;
mod given;
pub mod pack;

pub use given::Given;

/// The hedging key of a device (SPEC §3.6), in use.
#[must_use]
pub const fn hedge(device: &DeviceIdentity) -> &Hedge {
    device.hedge()
}

/// `IKs || IKd || sig_id` of a device (SPEC §6.2).
#[must_use]
pub fn signed_identity(device: &DeviceIdentity) -> Vec<u8> {
    let mut writer = Writer::new();
    device.write_signed(&mut writer);
    writer.into_bytes()
}

/// Verifies `IKs || IKd || sig_id`.
///
/// # Errors
/// [`Error::Malformed`], [`Error::BadSignature`].
pub fn verify_identity(bytes: &[u8]) -> Result<(), Error> {
    let mut reader = Reader::new(bytes);
    let signed =
        crate::identity::SignedIdentity::read(&mut reader).map_err(|_| Error::Malformed)?;
    reader.finish().map_err(|_| Error::Malformed)?;
    signed.verify()?;
    Ok(())
}

/// The private keys of one bundle.
pub struct BundleKeys {
    /// Id, private half and `not_after` of the signed prekey.
    pub signed: (u32, [u8; 32], u64),
    /// Id, seed, `not_after` and `last_resort` of the KEM prekey.
    pub kem: (u32, [u8; 64], u64, bool),
    /// Id and private half of the one-time prekey.
    pub one_time: Option<(u32, [u8; 32])>,
}

/// A bundle with what its two signatures sign.
pub struct BundleTrace {
    /// The bundle.
    pub bundle: Vec<u8>,
    /// What the signature of the signed prekey covers.
    pub signed_bytes: Vec<u8>,
    /// What the signature of the KEM prekey covers.
    pub kem_bytes: Vec<u8>,
}

/// The bundle of `device` with these keys (SPEC §7.2).
///
/// # Errors
/// None with the present primitives.
pub fn bundle(device: &DeviceIdentity, keys: &BundleKeys) -> Result<BundleTrace, Error> {
    let (id, secret, not_after) = keys.signed;
    let signed = SignedPrekey {
        id,
        key: *DhKeyPair::from_secret(Secret::new(secret)).public(),
        not_after,
    };
    let (id, seed, not_after, last_resort) = keys.kem;
    let kem = KemPrekey {
        id,
        last_resort,
        not_after,
        key: KemKeyPair::from_seed(&Secret::new(seed)).public().clone(),
    };
    let one_time = keys.one_time.map(|(id, secret)| OneTimePrekey {
        id,
        key: *DhKeyPair::from_secret(Secret::new(secret)).public(),
    });
    Ok(BundleTrace {
        bundle: Bundle::encode(device, &signed, &kem, one_time.as_ref())?,
        signed_bytes: signed.signed_bytes(device.public()),
        kem_bytes: kem.signed_bytes(device.public()),
    })
}

/// Prekeys with random values given: the secret of the signed prekey, then the seed of the last-resort KEM key.
///
/// # Errors
/// [`Error::Rng`] if a value is missing or has another length.
pub fn generate_prekeys(now: u64, given: &mut Given) -> Result<Prekeys, Error> {
    Ok(Prekeys::generate_with(now, given)?)
}

/// Rotation with random values given, in the same order.
///
/// # Errors
/// [`Error::Rng`], [`Error::PrekeysExhausted`].
pub fn rotate(prekeys: &mut Prekeys, now: u64, given: &mut Given) -> Result<(), Error> {
    Ok(prekeys.rotate_with(now, given)?)
}

/// One-time keys with random values given: for each the X25519 secret, then the KEM seed.
///
/// # Errors
/// [`Error::Rng`], [`Error::PrekeysExhausted`].
pub fn replenish(
    prekeys: &mut Prekeys,
    device: &DeviceIdentity,
    count: usize,
    now: u64,
    given: &mut Given,
) -> Result<Vec<Vec<u8>>, Error> {
    Ok(prekeys.replenish_with(device, count, now, given)?)
}

/// Every value of an agreement (SPEC §7.3, §7.4).
pub struct AgreementTrace {
    /// `idpt`
    pub identity_plaintext: Vec<u8>,
    /// `DH1`
    pub dh1: [u8; 32],
    /// `DH2`
    pub dh2: [u8; 32],
    /// `DH3`
    pub dh3: [u8; 32],
    /// `DH4`
    pub dh4: Option<[u8; 32]>,
    /// `SS`
    pub ss: [u8; 32],
    /// `th1`
    pub th1: [u8; 32],
    /// `Kid`
    pub identity_key: [u8; 32],
    /// `SK`
    pub shared_key: [u8; 32],
    /// `th2`, the session id.
    pub session_id: [u8; 32],
}

impl AgreementTrace {
    fn new(secrets: &Secrets, th1: [u8; 32], identity: &[u8], shared: &SharedSecret) -> Self {
        let bytes = |secret: &Secret<32>| *secret.expose();
        Self {
            identity_plaintext: identity.to_vec(),
            dh1: secrets.dh1.as_ref().map(bytes).unwrap_or_default(),
            dh2: bytes(&secrets.dh2),
            dh3: bytes(&secrets.dh3),
            dh4: secrets.dh4.as_ref().map(bytes),
            ss: bytes(&secrets.ss),
            th1,
            identity_key: bytes(&secrets.identity_key(&th1)),
            shared_key: bytes(&shared.key),
            session_id: shared.session_id,
        }
    }
}

/// The initiator's agreement with `EK` and `m` given, in this order: the prefix and every value.
///
/// # Errors
/// [`Error::OwnIdentity`], [`Error::Malformed`], [`Error::Rng`].
pub fn initiate(
    device: &DeviceIdentity,
    bundle: &VerifiedBundle,
    created_at: u64,
    given: &mut Given,
) -> Result<([u8; PREFIX], AgreementTrace), Error> {
    let work = InitiatorWork::new(device, bundle, created_at, given)?;
    let initiation = work.finish(bundle)?;
    let trace = AgreementTrace::new(
        &work.secrets,
        work.transcript.th1,
        work.identity.as_slice(),
        &initiation.shared,
    );
    Ok((*initiation.prefix, trace))
}

/// What a responder learns from a prefix: the initiator, the prekeys used, and every value.
pub struct ResponseTrace {
    /// The initiator's address.
    pub address: Vec<u8>,
    /// `IKs_A`
    pub signing_key: [u8; 32],
    /// `IKd_A`
    pub dh_key: [u8; 32],
    /// `created_at`
    pub created_at: u64,
    /// What accepting the message takes away: for [`Prekeys::consume`].
    pub used: Used,
    /// Every value.
    pub values: AgreementTrace,
}

/// The responder's agreement over the prefix at the front of a first message.
///
/// # Errors
/// As [`StagedFirst::stage`](session::StagedFirst::stage), also [`Error::Malformed`] for an ordinary message.
pub fn respond(
    device: &DeviceIdentity,
    prekeys: &Prekeys,
    message: &[u8],
    now: u64,
) -> Result<ResponseTrace, Error> {
    let envelope = Envelope::parse(message)?;
    if envelope.kind != Kind::First {
        return Err(Error::Malformed);
    }
    let first = FirstPrefix::read(&mut Reader::new(envelope.body))?;
    let work = ResponderWork::new(device, prekeys, &first, now)?;
    let response = work.finish(&first);
    Ok(ResponseTrace {
        address: work.peer.address().as_bytes().to_vec(),
        signing_key: *work.peer.keys().signing_key().as_bytes(),
        dh_key: *work.peer.keys().dh_key().as_bytes(),
        created_at: work.created_at,
        used: response.used,
        values: AgreementTrace::new(
            &work.secrets,
            work.transcript.th1,
            work.identity.as_slice(),
            &response.shared,
        ),
    })
}

/// What [`Prekeys::consume`] takes away, by its ids: the signed prekey, a one-time KEM key, a one-time prekey; and
/// `H(EK)[..16]`.
#[must_use]
pub const fn used(
    signed_id: u32,
    one_time_kem: Option<u32>,
    one_time_dh: Option<u32>,
    first_id: [u8; 16],
) -> Used {
    Used {
        signed_id,
        one_time_kem,
        one_time_dh,
        first_id,
    }
}

/// A message split into its fields (SPEC §8); nothing of it is authenticated.
pub struct MessageFields {
    /// What a first message carries in front of its frame; `None` for an ordinary message.
    pub prefix: Option<PrefixFields>,
    /// `tag`
    pub tag: [u8; TAG],
    /// `salt`
    pub salt: [u8; 16],
    /// `ench`
    pub encrypted_header: Vec<u8>,
    /// `body`
    pub body: Vec<u8>,
}

/// The fields of a prefix (SPEC §7.5).
pub struct PrefixFields {
    /// `spk.id`
    pub signed_id: u32,
    /// `kem.id`
    pub kem_id: u32,
    /// `opk.id`, if `has_opk` is 1.
    pub one_time_id: Option<u32>,
    /// `EK`
    pub ephemeral: [u8; 32],
    /// `CT`
    pub ciphertext: Vec<u8>,
    /// `encid`
    pub encrypted_identity: Vec<u8>,
    /// `H(EK)[..16]`
    pub first_id: [u8; 16],
}

/// The fields of the prefix at the front of a first message.
///
/// # Errors
/// As [`Incoming::parse`].
pub fn prefix(message: &[u8]) -> Result<PrefixFields, Error> {
    let envelope = Envelope::parse(message)?;
    let prefix = FirstPrefix::read(&mut Reader::new(envelope.body))?;
    Ok(PrefixFields {
        signed_id: prefix.signed_id,
        kem_id: prefix.kem_id,
        one_time_id: prefix.one_time_id,
        ephemeral: *prefix.ephemeral.as_bytes(),
        ciphertext: prefix.ciphertext.to_vec(),
        encrypted_identity: prefix.encrypted_identity.to_vec(),
        first_id: prefix.first_id(),
    })
}

/// The fields of a message.
///
/// # Errors
/// As [`Incoming::parse`].
pub fn parse(message: &[u8]) -> Result<MessageFields, Error> {
    let incoming = Incoming::parse(message)?;
    let (prefix, length) = match incoming.first_id() {
        None => (None, ENVELOPE),
        Some(_) => (Some(self::prefix(message)?), PREFIX),
    };
    let framed = message.get(length..).ok_or(Error::Malformed)?;
    let frame = Frame::read(Reader::new(framed))?;
    Ok(MessageFields {
        prefix,
        tag: *frame.tag,
        salt: *frame.salt,
        encrypted_header: frame.header.to_vec(),
        body: frame.body.to_vec(),
    })
}

/// `RK0`, `HKa`, `NHKb`, `PQ0`, `BA` (SPEC §9.1).
#[must_use]
pub fn initial_keys(shared_key: [u8; 32], session_id: [u8; 32]) -> [[u8; 32]; 5] {
    let keys = InitialKeys::new(&SharedSecret::new(Secret::new(shared_key), session_id));
    [
        *keys.root.expose(),
        *keys.initiator.expose(),
        *keys.responder.expose(),
        *keys.quantum.expose(),
        *keys.authenticator.expose(),
    ]
}

/// `RK'`, `CK`, `NHK` (SPEC §9.2).
#[must_use]
pub fn root_step(root_key: [u8; 32], dh: [u8; 32]) -> [[u8; 32]; 3] {
    let step = RootKey::new(Secret::new(root_key)).step(&Secret::new(dh));
    [
        *step.root.expose(),
        *step.chain_key.expose(),
        *step.next_header_key.expose(),
    ]
}

/// `mk`, `CK'`, `PCK'` of `CK` and `PCK` (SPEC §9.2).
#[must_use]
pub fn chain_step(chain_key: [u8; 32], quantum_chain_key: [u8; 32]) -> [[u8; 32]; 3] {
    let keys = ChainKeys {
        classical: ChainKey::new(Secret::new(chain_key)),
        quantum: ChainKey::new(Secret::new(quantum_chain_key)),
    };
    let (message_key, next) = keys.step();
    [
        *message_key.expose(),
        *next.classical.expose(),
        *next.quantum.expose(),
    ]
}

/// The tag that names a header key (SPEC §8.2).
#[must_use]
pub fn tag(header_key: [u8; 32]) -> [u8; TAG] {
    *HeaderKey::new(Secret::new(header_key)).tag()
}

/// The keys and the number of one message.
pub struct MessageParts {
    /// `sid`
    pub session_id: [u8; 32],
    /// `HK`
    pub header_key: [u8; 32],
    /// `mk`
    pub message_key: [u8; 32],
    /// `DHs`
    pub ratchet_key: [u8; 32],
    /// `N`
    pub number: u32,
    /// `PN`
    pub previous_count: u32,
    /// `pq_epoch`
    pub epoch: u32,
}

/// A sealed message with what it was made from (SPEC §9.3).
pub struct MessageTrace {
    /// The whole message.
    pub message: Vec<u8>,
    /// `salt`
    pub salt: [u8; 16],
    /// `hp`
    pub header: Vec<u8>,
    /// `Kb`, `Nb`
    pub body_key: ([u8; 32], [u8; 12]),
    /// `Kh`, `Nh`
    pub header_key: ([u8; 32], [u8; 12]),
    /// `H(body)`
    pub body_hash: [u8; 32],
}

/// Seals one message under given keys; `prefix` is everything in front of the tag. With `frame` and its text the
/// content is padded to `padded` bytes.
///
/// # Errors
/// [`Error::TooLong`], [`Error::Malformed`].
pub fn seal_message(
    parts: &MessageParts,
    prefix: &[u8],
    text: &[u8],
    frame: &braid::FrameParts,
    padded: usize,
    r32: [u8; 32],
) -> Result<MessageTrace, Error> {
    let header_key = HeaderKey::new(Secret::new(parts.header_key));
    let message_key = MessageKey::new(Secret::new(parts.message_key));
    let header = Header {
        public: crypto::dh::DhPublic::from_bytes(&parts.ratchet_key)
            .map_err(|_| Error::Malformed)?,
        number: parts.number,
        previous_count: parts.previous_count,
        epoch: parts.epoch,
    };
    let content = Content {
        text,
        frame: frame.outgoing()?,
        padded,
    };
    if content.shortest() > padded {
        return Err(Error::TooLong);
    }
    let message = seal_frame(
        &parts.session_id,
        &header_key,
        &message_key,
        header,
        prefix,
        content,
        &Secret::new(r32),
    )?;
    let framed = message.get(prefix.len()..).ok_or(Error::Malformed)?;
    let frame = Frame::read(Reader::new(framed))?;
    let (salt, body_hash) = (*frame.salt, sha256(&[frame.body]));
    let body = message_key.prepare().body(&salt);
    let head = header_key.header(&salt);
    Ok(MessageTrace {
        salt,
        header: header.to_bytes().to_vec(),
        body_key: (*body.key.expose(), *body.nonce.expose()),
        header_key: (*head.key.expose(), *head.nonce.expose()),
        body_hash,
        message,
    })
}

/// A message opened under given keys.
pub struct OpenedParts {
    /// `DHs`
    pub ratchet_key: [u8; 32],
    /// `N`
    pub number: u32,
    /// `PN`
    pub previous_count: u32,
    /// `pq_epoch`
    pub epoch: u32,
    /// The Braid's frame, without padding.
    pub frame: Vec<u8>,
    /// The text.
    pub text: Vec<u8>,
}

/// Opens one message under given keys; `prefix` bytes stand in front of its tag.
///
/// # Errors
/// [`Error::Malformed`], [`Error::Forked`].
pub fn open_message(
    session_id: [u8; 32],
    header_key: [u8; 32],
    message_key: [u8; 32],
    message: &[u8],
    prefix: usize,
) -> Result<OpenedParts, Error> {
    let envelope = *message.first_chunk().ok_or(Error::Malformed)?;
    let frame = Frame::read(Reader::new(message.get(prefix..).ok_or(Error::Malformed)?))?;
    let binding = Binding {
        session_id: &session_id,
        envelope,
    };
    let header_key = HeaderKey::new(Secret::new(header_key));
    if header_key.tag() != frame.tag {
        return Err(Error::NoSession);
    }
    let header = open_header(binding, &header_key, &frame, &sha256(&[frame.body]))
        .ok_or(Error::Malformed)??;
    let message_key = MessageKey::new(Secret::new(message_key));
    let body = open_body(binding, &message_key, &header, &frame)?;
    Ok(OpenedParts {
        ratchet_key: *header.public.as_bytes(),
        number: header.number,
        previous_count: header.previous_count,
        epoch: header.epoch,
        frame: body.frame_bytes().to_vec(),
        text: body.into_text(),
    })
}

/// [`Conversation::begin`] with `EK`, `m` and the first ratchet key given, in this order.
///
/// # Errors
/// As [`Conversation::begin`].
pub fn begin(
    conversation: &mut Conversation,
    device: &DeviceIdentity,
    bundle: &VerifiedBundle,
    now: u64,
    given: &mut Given,
) -> Result<(), Error> {
    conversation.begin_with(device, bundle, now, given)
}

/// [`Conversation::seal`] with the values of SPEC §3.6-R2 given in their order.
///
/// # Errors
/// As [`Conversation::seal`].
pub fn seal(
    conversation: &mut Conversation,
    text: &[u8],
    now: u64,
    given: &mut Given,
) -> Result<Vec<u8>, Error> {
    conversation.seal_with(text, now, given)
}

/// [`session::export`] with the salt given.
///
/// # Errors
/// As [`session::export`].
pub fn export<T: Stored>(
    value: &T,
    slot: Slot<'_>,
    app_key: &AppKey,
    given: &mut Given,
) -> Result<Vec<u8>, Error> {
    session::export_with(value, slot, app_key, given)
}

/// The plaintext of a stored state (SPEC §12).
///
/// # Errors
/// None for a value that the library made.
pub fn encode<T: Stored>(value: &T) -> Result<Vec<u8>, Error> {
    Ok(session::encode(value)?.to_vec())
}

/// A value from the plaintext of its stored state.
///
/// # Errors
/// [`Error::Integrity`].
pub fn decode<T: Stored>(plaintext: &[u8]) -> Result<T, Error> {
    session::decode(plaintext)
}

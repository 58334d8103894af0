//! Attacks on the agreement that need its inner values: what is bound, what an initiator may claim, what prekeys keep.

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use super::bundle::KemPrekey;
use super::limits::{CREATED_AT_MAX, GENERATIONS, GRACE, REPLAY_RECORDS, ROTATION};
use super::transcript::{IDENTITY_PLAINTEXT, Secrets, Transcript, identity_plaintext};
use super::{
    Bundle, Error, FirstPrefix, OneTimePrekey, Prekeys, Response, SignedPrekey, VerifiedBundle,
    initiate, respond,
};
use crate::crypto::count::{Op, cost};
use crate::crypto::dh::{DhKeyPair, DhPublic};
use crate::crypto::hash::{expand, sha256};
use crate::crypto::hedge::Entropy;
use crate::crypto::kem::KemKeyPair;
use crate::crypto::sign::SigningKey;
use crate::crypto::{self, Secret, SharedSecret, labels};
use crate::identity::{Address, DeviceIdentity, Identity};
use crate::wire::{Reader, Writer};

const NOW: u64 = 1_767_225_600_000;

/// Values by number: repeatable, none twice.
struct Numbered(u64);

impl Numbered {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.0 += 1;
        let mut bytes = [0; N];
        for (part, count) in bytes.chunks_mut(32).zip(0u8..) {
            let hash = sha256(&[&self.0.to_be_bytes(), &[count]]);
            part.copy_from_slice(&hash[..part.len()]);
        }
        bytes
    }
}

impl Entropy for Numbered {
    fn derive<const N: usize>(
        &mut self,
        _: &'static [u8],
        context: &[&[u8]],
    ) -> Result<Secret<N>, crypto::Error> {
        assert!(context.iter().any(|part| !part.is_empty()));
        Ok(Secret::new(self.bytes()))
    }

    fn fresh(&mut self) -> Result<Secret<32>, crypto::Error> {
        Ok(Secret::new(self.bytes()))
    }
}

/// No generator has anything left.
struct Empty;

impl Entropy for Empty {
    fn derive<const N: usize>(
        &mut self,
        _: &'static [u8],
        _: &[&[u8]],
    ) -> Result<Secret<N>, crypto::Error> {
        Err(crypto::Error::Rng)
    }

    fn fresh(&mut self) -> Result<Secret<32>, crypto::Error> {
        Err(crypto::Error::Rng)
    }
}

/// The private identity keys of `name`.
fn secrets(name: &str) -> (Secret<32>, Secret<32>) {
    let of = |which: &[u8]| Secret::new(sha256(&[name.as_bytes(), which]));
    (of(b"seed"), of(b"dh"))
}

fn device(name: &str) -> DeviceIdentity {
    let (seed, dh) = secrets(name);
    DeviceIdentity::from_secrets(Address::new(name.as_bytes()).unwrap(), &seed, dh).unwrap()
}

fn encoding(prekeys: &Prekeys) -> Vec<u8> {
    let mut writer = Writer::new();
    prekeys.write(&mut writer).unwrap();
    writer.into_bytes()
}

fn copy(prekeys: &Prekeys) -> Prekeys {
    let encoded = encoding(prekeys);
    let mut reader = Reader::new(&encoded);
    let copy = Prekeys::read(&mut reader).unwrap();
    reader.finish().unwrap();
    assert!(encoding(&copy) == encoded);
    copy
}

/// Bob with prekeys, and a bundle of his.
struct Bob {
    device: DeviceIdentity,
    prekeys: Prekeys,
    entropy: Numbered,
}

impl Bob {
    fn new() -> Self {
        let mut entropy = Numbered(1_000_000);
        Self {
            device: device("bob"),
            prekeys: Prekeys::generate_with(NOW, &mut entropy).unwrap(),
            entropy,
        }
    }

    fn one_time(&mut self) -> VerifiedBundle {
        let made = self
            .prekeys
            .replenish_with(&self.device, 1, NOW, &mut self.entropy);
        Bundle::parse(&made.unwrap()[0])
            .unwrap()
            .verify(NOW)
            .unwrap()
    }

    fn last_resort(&self, now: u64) -> VerifiedBundle {
        let bundle = self.prekeys.last_resort_bundle(&self.device).unwrap();
        Bundle::parse(&bundle).unwrap().verify(now).unwrap()
    }

    fn respond(&self, prefix: &[u8], now: u64) -> Result<Response, Error> {
        let mut reader = Reader::new(&prefix[2..]);
        let first = FirstPrefix::read(&mut reader)?;
        reader.finish()?;
        respond(&self.device, &self.prekeys, &first, now)
    }

    /// The error of a prefix that must be refused without a trace.
    #[track_caller]
    fn refused(&self, prefix: &[u8], now: u64) -> Error {
        let before = encoding(&self.prekeys);
        let error = self
            .respond(prefix, now)
            .err()
            .expect("the agreement was answered");
        assert!(encoding(&self.prekeys) == before);
        error
    }
}

/// A genuine beginning by `device`.
fn begin(device: &DeviceIdentity, bundle: &VerifiedBundle, number: u64) -> (Vec<u8>, SharedSecret) {
    let initiation = initiate(device, bundle, NOW, &mut Numbered(number)).unwrap();
    (initiation.prefix.to_vec(), initiation.shared)
}

/// A beginning with any `idpt`, computed with the private key `dh`.
fn forge(
    dh: &DhKeyPair,
    identity: &[u8; IDENTITY_PLAINTEXT],
    bundle: &VerifiedBundle,
    number: u64,
) -> (Vec<u8>, SharedSecret) {
    let mut numbers = Numbered(number);
    let ephemeral = DhKeyPair::from_secret(Secret::new(numbers.bytes()));
    let (ciphertext, ss) = bundle.kem.key.encapsulate(&Secret::new(numbers.bytes()));
    let one_time = bundle.one_time.as_ref();
    let secrets = Secrets {
        dh1: Some(dh.agree(&bundle.signed.key).unwrap()),
        dh2: ephemeral.agree(bundle.identity.keys().dh_key()).unwrap(),
        dh3: ephemeral.agree(&bundle.signed.key).unwrap(),
        dh4: one_time.map(|key| ephemeral.agree(&key.key).unwrap()),
        ss,
    };
    let transcript = Transcript::new(
        &bundle.identity,
        &bundle.signed,
        &bundle.kem,
        one_time,
        ephemeral.public(),
        &ciphertext,
    );
    let encrypted_identity = transcript.seal_identity(&secrets, identity).unwrap();
    let mut writer = Writer::new();
    FirstPrefix {
        signed_id: bundle.signed.id,
        kem_id: bundle.kem.id,
        one_time_id: one_time.map(|key| key.id),
        ephemeral: *ephemeral.public(),
        ciphertext: &ciphertext,
        encrypted_identity: &encrypted_identity,
    }
    .write(&mut writer);
    let shared = transcript.finish(&secrets, &encrypted_identity, identity);
    (writer.into_bytes(), shared)
}

/// `idpt` with any keys, signed by `signing`.
fn claim(signing: &SigningKey, dh: [u8; 32], created_at: u64, address: &[u8]) -> [u8; 184] {
    let signing_key = signing.verifying_key();
    let signed = [labels::IDENTITY, signing_key.as_bytes(), &dh].concat();
    let mut writer = Writer::new();
    writer
        .bytes(signing_key.as_bytes())
        .bytes(&dh)
        .bytes(&signing.sign(&signed).unwrap().0)
        .u64(created_at)
        .u8(address.len() as u8)
        .bytes(address);
    let mut bytes = writer.into_bytes();
    bytes.resize(IDENTITY_PLAINTEXT, 0);
    bytes.try_into().unwrap()
}

fn dh_pair(name: &str) -> DhKeyPair {
    DhKeyPair::from_secret(secrets(name).1)
}

fn signing(name: &str) -> SigningKey {
    SigningKey::from_seed(&secrets(name).0)
}

#[test]
fn the_forger_begins_as_the_library_does() {
    let mut bob = Bob::new();
    let bundle = bob.one_time();
    let alice = dh_pair("alice");
    let identity = claim(&signing("alice"), *alice.public().as_bytes(), 7, b"alice");
    let genuine = identity_plaintext(&device("alice"), 7).unwrap();
    assert_eq!(identity, *genuine);
    let (prefix, shared) = forge(&alice, &identity, &bundle, 1);
    let response = bob.respond(&prefix, NOW).unwrap();
    assert!(response.shared.key == shared.key);
    assert_eq!(response.shared.session_id, shared.session_id);
    assert_eq!(response.peer, *device("alice").public());
    assert_eq!(response.created_at, 7);
}

/// A KEM that does not bind its key: the same ciphertext and shared secret under another encapsulation key. All keys
/// and the session id still differ, for the transcript has the key and the ciphertext in it.
#[test]
fn attack_h4_kem_that_does_not_bind_its_key() {
    let mut bob = Bob::new();
    let bundle = bob.one_time();
    let other = bob.one_time();
    let alice = device("alice");
    let identity = identity_plaintext(&alice, NOW).unwrap();
    let ephemeral = DhKeyPair::from_secret(Secret::new([1; 32]));
    let one_time = bundle.one_time.as_ref();
    let with = |key: &KemPrekey, ciphertext: &[u8; 1088]| {
        // The same results of every operation, whatever the key.
        let secrets = Secrets {
            dh1: Some(Secret::new([2; 32])),
            dh2: Secret::new([3; 32]),
            dh3: Secret::new([4; 32]),
            dh4: Some(Secret::new([5; 32])),
            ss: Secret::new([6; 32]),
        };
        let transcript = Transcript::new(
            &bundle.identity,
            &bundle.signed,
            key,
            one_time,
            ephemeral.public(),
            ciphertext,
        );
        let encrypted = transcript.seal_identity(&secrets, &identity).unwrap();
        let shared = transcript.finish(&secrets, &encrypted, &identity);
        let okm: Secret<96> = expand(shared.key.expose(), &[labels::SESSION, &shared.session_id]);
        (transcript, secrets, encrypted, shared, *okm.expose())
    };
    let mut substituted = bundle.kem.clone();
    substituted.key = other.kem.key.clone();
    let (one, one_secrets, one_encrypted, one_shared, one_keys) = with(&bundle.kem, &[7; 1088]);
    let (again, _, _, _, again_keys) = with(&bundle.kem, &[7; 1088]);
    assert_eq!((one.th1, one_keys), (again.th1, again_keys));
    for (key, ciphertext) in [(&substituted, &[7; 1088]), (&bundle.kem, &[8; 1088])] {
        let (two, two_secrets, two_encrypted, two_shared, two_keys) = with(key, ciphertext);
        assert_ne!(one.th1, two.th1);
        let kid = |transcript: &Transcript, secrets: &Secrets| {
            *secrets.identity_key(&transcript.th1).expose()
        };
        assert_ne!(kid(&one, &one_secrets), kid(&two, &two_secrets));
        assert_ne!(one_encrypted, two_encrypted);
        assert!(two.open_identity(&one_secrets, &one_encrypted).is_err());
        assert_ne!(one_shared.session_id, two_shared.session_id);
        for (one, two) in one_keys.chunks(32).zip(two_keys.chunks(32)) {
            assert_ne!(one, two);
        }
    }
}

/// Everything that `th1` must bind, altered one by one.
#[test]
fn attack_h4_every_input_of_the_transcript() {
    let mut bob = Bob::new();
    let bundle = bob.one_time();
    let other = bob.one_time();
    let carol = device("carol");
    let ephemeral = *DhKeyPair::from_secret(Secret::new([1; 32])).public();
    let one_time = bundle.one_time.unwrap();
    let th1 = |responder: &Identity,
               signed: &SignedPrekey,
               kem: &KemPrekey,
               one_time: Option<&OneTimePrekey>,
               ephemeral: &DhPublic,
               ciphertext: &[u8; 1088]| {
        Transcript::new(responder, signed, kem, one_time, ephemeral, ciphertext).th1
    };
    let who = bundle.identity;
    let (signed, kem) = (&bundle.signed, &bundle.kem);
    let ct = &[7; 1088];
    let mut seen = vec![th1(&who, signed, kem, Some(&one_time), &ephemeral, ct)];
    for (address, signing_key, dh) in [
        (carol.public(), &who, &who),
        (&who, carol.public(), &who),
        (&who, &who, carol.public()),
    ] {
        let identity = Identity::from_pinned(
            *address.address(),
            crate::identity::IdentityKeys::from_pinned(
                *signing_key.keys().signing_key(),
                *dh.keys().dh_key(),
            ),
        );
        seen.push(th1(&identity, signed, kem, Some(&one_time), &ephemeral, ct));
    }
    let altered = SignedPrekey { id: 99, ..*signed };
    seen.push(th1(&who, &altered, kem, Some(&one_time), &ephemeral, ct));
    let altered = SignedPrekey {
        key: one_time.key,
        ..*signed
    };
    seen.push(th1(&who, &altered, kem, Some(&one_time), &ephemeral, ct));
    for alter in [
        (|kem: &mut KemPrekey, _: &KemPrekey| kem.id = 99) as fn(&mut KemPrekey, &KemPrekey),
        |kem, _| kem.last_resort = !kem.last_resort,
        |kem, other| kem.key = other.key.clone(),
    ] {
        let mut altered = kem.clone();
        alter(&mut altered, &other.kem);
        seen.push(th1(&who, signed, &altered, Some(&one_time), &ephemeral, ct));
    }
    seen.push(th1(&who, signed, kem, None, &ephemeral, ct));
    for altered in [
        OneTimePrekey { id: 99, ..one_time },
        OneTimePrekey {
            key: signed.key,
            ..one_time
        },
    ] {
        seen.push(th1(&who, signed, kem, Some(&altered), &ephemeral, ct));
    }
    seen.push(th1(&who, signed, kem, Some(&one_time), &signed.key, ct));
    seen.push(th1(
        &who,
        signed,
        kem,
        Some(&one_time),
        &ephemeral,
        &[8; 1088],
    ));
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((seen.len(), all), (14, 14));
}

/// Mallory signs Carol's `IKd` as her own: the claim is well formed, but the secret needs Carol's private key.
#[test]
fn attack_h5_foreign_dh_key_in_a_claimed_identity() {
    let mut bob = Bob::new();
    let bundle = bob.one_time();
    let carol = *device("carol").public().keys().dh_key();
    let identity = claim(&signing("mallory"), *carol.as_bytes(), NOW, b"mallory");
    let (prefix, guess) = forge(&dh_pair("mallory"), &identity, &bundle, 1);
    let response = bob.respond(&prefix, NOW).unwrap();
    assert_eq!(response.shared.session_id, guess.session_id);
    assert!(response.shared.key != guess.key);
    // With Carol's key it would be right: nothing else stands in the way.
    let (prefix, known) = forge(&dh_pair("carol"), &identity, &bundle, 1);
    assert!(bob.respond(&prefix, NOW).unwrap().shared.key == known.key);
}

/// What an initiator may not claim, though every decryption holds.
#[test]
fn attack_h5_claims_that_are_refused() {
    let mut bob = Bob::new();
    let bundle = bob.one_time();
    let alice = dh_pair("alice");
    let key = *alice.public().as_bytes();
    let good = |created_at, address: &[u8]| claim(&signing("alice"), key, created_at, address);
    let answer = |identity: &[u8; 184]| {
        let (prefix, _) = forge(&alice, identity, &bundle, 1);
        let before = encoding(&bob.prekeys);
        let result = bob.respond(&prefix, NOW).map(|_| ());
        assert!(encoding(&bob.prekeys) == before);
        result
    };
    assert_eq!(answer(&good(NOW, b"alice")), Ok(()));
    assert_eq!(answer(&good(0, &[0xff; 47])), Ok(()));
    assert_eq!(CREATED_AT_MAX, 0xffff_ffff_ffff);
    assert_eq!(answer(&good(CREATED_AT_MAX, b"a")), Ok(()));
    for created_at in [CREATED_AT_MAX + 1, 1 << 63, u64::MAX] {
        assert_eq!(answer(&good(created_at, b"a")), Err(Error::Malformed));
    }
    // No address, one that is too long, and padding that is not zero.
    let genuine = good(NOW, b"alice");
    assert_eq!(answer(&good(NOW, b"")), Err(Error::Malformed));
    for length in [48, 49, 128, 255] {
        let mut identity = genuine;
        identity[136] = length;
        assert_eq!(answer(&identity), Err(Error::Malformed), "{length}");
    }
    for length in 0..5 {
        let mut identity = genuine;
        identity[136] = length;
        assert_eq!(answer(&identity), Err(Error::Malformed), "{length}");
    }
    for position in 142..184 {
        let mut identity = genuine;
        identity[position] = 1;
        assert_eq!(answer(&identity), Err(Error::Malformed), "{position}");
    }
    // A signature that is not there, another's, or over another key.
    for (position, bits) in [(0, 1), (40, 1), (64, 1), (100, 1), (127, 0x10)] {
        let mut identity = genuine;
        identity[position] ^= bits;
        assert_eq!(answer(&identity), Err(Error::BadSignature), "{position}");
    }
    let mut identity = genuine;
    identity[64..128].fill(0);
    assert_eq!(answer(&identity), Err(Error::BadSignature));
    let by_mallory = claim(&signing("mallory"), key, NOW, b"alice");
    identity[64..128].copy_from_slice(&by_mallory[64..128]);
    assert_eq!(answer(&identity), Err(Error::BadSignature));
    // An X25519 key of small order, with a torsion component, or with a second encoding.
    let mut torsion = [0; 32];
    torsion[0] = (2..)
        .find(|low| {
            let mut bytes = [0; 32];
            bytes[0] = *low;
            let key = DhPublic::from_bytes(&bytes).unwrap();
            key.require_prime_order().is_err() && alice.agree(&key).is_ok()
        })
        .unwrap();
    let mut one = [0; 32];
    one[0] = 1;
    let mut second = key;
    second[31] |= 0x80;
    for bytes in [torsion, one, [0; 32], second, [0xff; 32]] {
        let identity = claim(&signing("alice"), bytes, NOW, b"alice");
        assert_eq!(answer(&identity), Err(Error::Malformed));
    }
    assert_eq!(answer(&genuine), Ok(()));
}

/// An initiator that has one of the responder's own keys, or both.
#[test]
fn attack_h14_initiator_with_a_key_of_the_responder() {
    let mut bob = Bob::new();
    let bundle = bob.one_time();
    let bobs = *bob.device.public().keys().dh_key().as_bytes();
    let mallorys = *dh_pair("mallory").public().as_bytes();
    for (signer, dh, address) in [
        ("mallory", bobs, &b"mallory"[..]),
        ("bob", mallorys, b"mallory"),
        ("bob", bobs, b"bob"),
        ("bob", bobs, b"mallory"),
    ] {
        let identity = claim(&signing(signer), dh, NOW, address);
        let (prefix, _) = forge(&dh_pair("mallory"), &identity, &bundle, 1);
        assert_eq!(bob.refused(&prefix, NOW), Error::OwnIdentity);
    }
    let (prefix, shared) = begin(&device("alice"), &bundle, 5);
    let response = bob.respond(&prefix, NOW).unwrap();
    assert!(response.shared.key == shared.key);
}

/// 8,192 first messages without a one-time key fill the record of a signed prekey. The next one is refused before any
/// key is used; what is recorded stays recorded; a rotation mends it.
#[test]
fn attack_h6_full_replay_record() {
    let mut bob = Bob::new();
    let alice = device("alice");
    let last_resort = bob.last_resort(NOW);
    let (recorded, _) = begin(&alice, &last_resort, 1);
    let used = bob.respond(&recorded, NOW).unwrap().used;
    bob.prekeys.consume(&used).unwrap();
    let (staged, _) = begin(&alice, &last_resort, 10);
    let staged = bob.respond(&staged, NOW).unwrap().used;
    assert!(!bob.prekeys.rotation_due(NOW));
    // As if so many had written.
    let mut numbers = Numbered(5_000_000);
    let record = &mut bob.prekeys.generations[0].first_ids;
    while record.len() < REPLAY_RECORDS {
        record.push(numbers.bytes());
    }
    record.sort_unstable();
    bob.prekeys = copy(&bob.prekeys);
    assert!(bob.prekeys.rotation_due(NOW));

    let (next, _) = begin(&alice, &last_resort, 20);
    let (error, cost) = cost(|| bob.refused(&next, NOW));
    assert_eq!(error, Error::ReplayRecordFull);
    assert_eq!(cost.total(), cost.of(Op::Hash) + cost.of(Op::DhKey));
    assert_eq!(bob.refused(&recorded, NOW), Error::ReplayedFirst);
    // One that was staged while there was room.
    let before = encoding(&bob.prekeys);
    assert_eq!(bob.prekeys.consume(&staged), Err(Error::ReplayRecordFull));
    assert!(encoding(&bob.prekeys) == before);
    // With a one-time key there is still room.
    let bundle = bob.one_time();
    let (one_time, _) = begin(&alice, &bundle, 30);
    let used = bob.respond(&one_time, NOW).unwrap().used;
    bob.prekeys.consume(&used).unwrap();
    assert_eq!(bob.refused(&one_time, NOW), Error::PrekeyGone);

    bob.prekeys.rotate_with(NOW + 1, &mut bob.entropy).unwrap();
    assert!(!bob.prekeys.rotation_due(NOW + 1));
    let fresh = bob.last_resort(NOW + 1);
    let (message, shared) = begin(&alice, &fresh, 40);
    let response = bob.respond(&message, NOW + 1).unwrap();
    assert!(response.shared.key == shared.key);
    bob.prekeys.consume(&response.used).unwrap();
    assert_eq!(bob.refused(&message, NOW + 1), Error::ReplayedFirst);
    // The old record is as good as ever, until its key is gone.
    bob.prekeys = copy(&bob.prekeys);
    assert_eq!(bob.refused(&recorded, NOW + 1), Error::ReplayedFirst);
    assert_eq!(bob.refused(&next, NOW + 1), Error::ReplayRecordFull);
    assert_eq!(bob.refused(&recorded, NOW + 1 + GRACE), Error::PrekeyGone);
    bob.prekeys.expire(NOW + 1 + GRACE);
    assert_eq!(bob.refused(&recorded, NOW), Error::PrekeyGone);
}

/// The record belongs to the signed prekey that the message names, and to no other.
#[test]
fn attack_h6_record_of_each_signed_prekey() {
    let mut bob = Bob::new();
    let alice = device("alice");
    let mut messages = Vec::new();
    for round in 0..4 {
        let now = NOW + round * ROTATION;
        if round > 0 {
            bob.prekeys.rotate_with(now, &mut bob.entropy).unwrap();
        }
        let (message, _) = begin(&alice, &bob.last_resort(now), 100 * (round + 1));
        let used = bob.respond(&message, now).unwrap().used;
        assert!(used.one_time().last_resort_only());
        bob.prekeys.consume(&used).unwrap();
        messages.push(message);
        bob.prekeys = copy(&bob.prekeys);
        for message in &messages {
            assert_eq!(bob.refused(message, now), Error::ReplayedFirst);
        }
    }
    // The first one's key leaves a grace after it was replaced.
    let now = NOW + ROTATION + GRACE;
    assert_eq!(bob.refused(&messages[0], now), Error::PrekeyGone);
    assert_eq!(bob.refused(&messages[1], now), Error::ReplayedFirst);
}

/// A message staged, its signed prekey deleted, then accepted: too late.
#[test]
fn attack_h12_prekey_deleted_between_staging_and_accepting() {
    let mut bob = Bob::new();
    let (message, _) = begin(&device("alice"), &bob.last_resort(NOW), 1);
    let used = bob.respond(&message, NOW).unwrap().used;
    bob.prekeys.rotate_with(NOW, &mut bob.entropy).unwrap();
    bob.prekeys.expire(NOW + GRACE);
    let before = encoding(&bob.prekeys);
    assert_eq!(bob.prekeys.consume(&used), Err(Error::PrekeyGone));
    assert!(encoding(&bob.prekeys) == before);
}

/// Rotations one after the other: never more than sixteen generations, the oldest leave, the newest is published.
#[test]
fn attack_h6_forced_rotations() {
    let mut bob = Bob::new();
    let alice = device("alice");
    let mut messages = Vec::new();
    for round in 0..2 * GENERATIONS {
        let (message, _) = begin(&alice, &bob.last_resort(NOW), 10 * (round as u64 + 1));
        messages.push(message);
        bob.prekeys.rotate_with(NOW, &mut bob.entropy).unwrap();
        assert!(bob.prekeys.generations.len() <= GENERATIONS);
    }
    bob.prekeys = copy(&bob.prekeys);
    for (round, message) in messages.iter().enumerate() {
        // The newest generation has no message yet: fifteen older ones are held.
        if round < GENERATIONS + 1 {
            assert_eq!(bob.refused(message, NOW), Error::PrekeyGone, "{round}");
        } else {
            assert!(bob.respond(message, NOW).is_ok(), "{round}");
        }
    }
}

/// Ids end before they wrap, and the prekeys that are there stay usable.
#[test]
fn attack_h8_prekey_ids_end_before_they_wrap() {
    let alice = device("alice");
    for (next_id, rotations, pairs) in [
        (u32::MAX, 0, 0),
        (u32::MAX - 1, 0, 0),
        (u32::MAX - 2, 1, 1),
        (u32::MAX - 3, 1, 1),
        (u32::MAX - 6, 3, 3),
    ] {
        for rotate in [true, false] {
            let mut bob = Bob::new();
            bob.prekeys.next_id = next_id;
            let mut made = 0;
            let mut last_id = 0;
            loop {
                let before = encoding(&bob.prekeys);
                let result = if rotate {
                    bob.prekeys.rotate_with(NOW, &mut bob.entropy)
                } else {
                    bob.prekeys
                        .replenish_with(&bob.device, 1, NOW, &mut bob.entropy)
                        .map(|_| ())
                };
                if result.is_err() {
                    assert_eq!(result, Err(Error::PrekeysExhausted));
                    assert!(encoding(&bob.prekeys) == before);
                    break;
                }
                made += 1;
                assert!(bob.prekeys.next_id > last_id);
                last_id = bob.prekeys.next_id;
                bob.prekeys = copy(&bob.prekeys);
            }
            assert_eq!(made, if rotate { rotations } else { pairs }, "{next_id}");
            // Several at once: all or none.
            let before = encoding(&bob.prekeys);
            assert_eq!(
                bob.prekeys
                    .replenish_with(&bob.device, 5, NOW, &mut bob.entropy)
                    .err(),
                Some(Error::PrekeysExhausted)
            );
            assert!(encoding(&bob.prekeys) == before);
            let (message, shared) = begin(&alice, &bob.last_resort(NOW), 1);
            let response = bob.respond(&message, NOW).unwrap();
            assert!(response.shared.key == shared.key);
        }
    }
}

/// A stored state in which an id is there twice, is zero, or would be given out again.
#[test]
fn attack_h8_ids_that_are_not_imported() {
    let mut bob = Bob::new();
    bob.one_time();
    bob.one_time();
    let read = |prekeys: &Prekeys| {
        let encoded = encoding(prekeys);
        Prekeys::read(&mut Reader::new(&encoded)).map(|_| ()).err()
    };
    assert_eq!(read(&bob.prekeys), None);
    for alter in [
        (|prekeys: &mut Prekeys| prekeys.next_id = 0) as fn(&mut Prekeys),
        |prekeys| prekeys.next_id = 6,
        |prekeys| prekeys.one_time_dh[0].id = prekeys.one_time_dh[1].id,
        |prekeys| prekeys.one_time_dh[0].id = prekeys.one_time_kem[0].id,
        |prekeys| prekeys.one_time_kem[1].id = prekeys.generations[0].kem_id,
        |prekeys| prekeys.one_time_dh[0].id = 0,
        |prekeys| prekeys.one_time_dh.swap(0, 1),
        |prekeys| prekeys.generations[0].signed_id = prekeys.generations[0].kem_id,
        |prekeys| prekeys.generations[0].replaced_at = Some(NOW),
        |prekeys| prekeys.generations[0].first_ids = vec![[2; 16], [1; 16]],
        |prekeys| prekeys.generations[0].first_ids = vec![[1; 16], [1; 16]],
        |prekeys| prekeys.generations.clear(),
    ] {
        let mut altered = copy(&bob.prekeys);
        alter(&mut altered);
        assert_eq!(read(&altered), Some(Error::Malformed));
    }
}

/// One-time private keys are not in the state any more once their message was accepted, nor replaced ones past their
/// grace.
#[test]
fn attack_r18_used_prekeys_are_not_in_the_state() {
    let mut bob = Bob::new();
    let bundle = bob.one_time();
    let (message, _) = begin(&device("alice"), &bundle, 1);
    let gone: [Vec<u8>; 2] = [
        bob.prekeys.one_time_dh[0].secret.expose().to_vec(),
        bob.prekeys.one_time_kem[0].seed.expose().to_vec(),
    ];
    let holds = |prekeys: &Prekeys, secret: &[u8]| {
        let encoded = encoding(prekeys);
        encoded.windows(secret.len()).any(|part| part == secret)
    };
    let used = bob.respond(&message, NOW).unwrap().used;
    for secret in &gone {
        assert!(holds(&bob.prekeys, secret));
    }
    bob.prekeys.consume(&used).unwrap();
    for secret in &gone {
        assert!(!holds(&bob.prekeys, secret));
    }
    let replaced: [Vec<u8>; 2] = [
        bob.prekeys.generations[0].signed.secret().expose().to_vec(),
        bob.prekeys.generations[0].kem_seed.expose().to_vec(),
    ];
    bob.prekeys.rotate_with(NOW, &mut bob.entropy).unwrap();
    bob.prekeys.expire(NOW + GRACE - 1);
    for secret in &replaced {
        assert!(holds(&bob.prekeys, secret));
    }
    bob.prekeys.expire(NOW + GRACE);
    for secret in &replaced {
        assert!(!holds(&bob.prekeys, secret));
    }
}

/// A KEM ciphertext that was not made for the key: no error of its own, and no key in common.
#[test]
fn attack_p8_mauled_ciphertext_is_only_malformed() {
    let mut bob = Bob::new();
    let bundle = bob.one_time();
    let (message, _) = begin(&device("alice"), &bundle, 1);
    for byte in (49..1_137).step_by(7) {
        let mut mauled = message.clone();
        mauled[byte] ^= 1 << (byte % 8);
        assert_eq!(bob.refused(&mauled, NOW), Error::Malformed, "{byte}");
    }
    let pair = KemKeyPair::from_seed(&Secret::new([9; 64]));
    let (ciphertext, secret) = pair.public().encapsulate(&Secret::new([8; 32]));
    let mut mauled: Box<[u8; 1088]> = ciphertext.clone();
    mauled[500] ^= 1;
    assert!(pair.decapsulate(&ciphertext) == secret);
    assert!(pair.decapsulate(&mauled) != secret);
    assert!(bob.respond(&message, NOW).is_ok());
}

#[test]
fn attack_p15_no_entropy_no_change() {
    let mut bob = Bob::new();
    let bundle = bob.one_time();
    assert_eq!(
        initiate(&device("alice"), &bundle, NOW, &mut Empty).err(),
        Some(Error::Rng)
    );
    let before = encoding(&bob.prekeys);
    assert_eq!(
        bob.prekeys.rotate_with(NOW + 100 * GRACE, &mut Empty),
        Err(Error::Rng)
    );
    assert_eq!(
        bob.prekeys
            .replenish_with(&bob.device, 1, NOW + 100 * GRACE, &mut Empty)
            .err(),
        Some(Error::Rng)
    );
    assert!(encoding(&bob.prekeys) == before);
    bob.one_time();
}

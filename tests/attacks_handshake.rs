//! Attacks on bundles and first messages. Every case: the exact error, the state byte for byte what it was, and the
//! genuine message still works.

mod common;

use common::attack::{
    FailingRng, Whole, bundle, first, flip, one_time_bundle, patch, signing_key, stage,
};
use common::{APP_KEY, DAY, Device, NOW, SLOT, SeededRng, open, snapshot};
use subrosa::agreement::limits::{GRACE, ONE_TIME_KEYS, VALIDITY};
use subrosa::agreement::{self, Bundle, VerifiedBundle};
use subrosa::crypto::Secret;
use subrosa::crypto::kem::KemPublic;
use subrosa::crypto::labels;
use subrosa::{
    Address, AppKey, Conversation, DeviceIdentity, Error, Incoming, Prekeys, StagedFirst, import,
};

fn verify(bytes: &[u8], now: u64) -> Result<VerifiedBundle, agreement::Error> {
    Bundle::parse(bytes)?.verify(now)
}

#[track_caller]
fn refused(bytes: &[u8]) -> agreement::Error {
    verify(bytes, NOW).err().expect("the bundle was accepted")
}

/// A conversation that `alice` begins with `bundle`, and its first message.
fn begin_with(alice: &mut Device, bytes: &[u8], text: &[u8]) -> (Conversation, Vec<u8>) {
    let bundle = verify(bytes, NOW).unwrap();
    let mut conversation = Conversation::new(*bundle.identity());
    conversation
        .begin(&alice.identity, &bundle, NOW, &mut alice.rng)
        .unwrap();
    let message = alice.seal(&mut conversation, text, NOW);
    (conversation, message)
}

/// The genuine bundle still begins a conversation.
#[track_caller]
fn assert_begins(alice: &mut Device, bob: &mut Device, bytes: &[u8]) {
    let (mut at_alice, message) = begin_with(alice, bytes, b"genuine");
    let (mut at_bob, text) = bob.accept(&message, NOW);
    assert_eq!(text, b"genuine");
    let answer = bob.seal(&mut at_bob, b"answer", NOW);
    assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"answer".to_vec()));
}

fn devices(seed: u64) -> (Device, Device) {
    (Device::new("alice", seed), Device::new("bob", seed + 1))
}

#[test]
fn attack_h1_every_altered_bit_of_a_bundle() {
    use agreement::Error::{BadSignature, Malformed, UnknownVersion};
    let (mut alice, mut bob) = devices(100);
    let genuine = one_time_bundle(&mut bob, NOW);
    assert_eq!(genuine.len(), bundle::LENGTH);
    let before = Whole::of(&bob, None);
    for (range, error) in [
        (bundle::SUITE, UnknownVersion),
        (bundle::SIGNING_KEY, BadSignature),
        (bundle::DH_KEY, BadSignature),
        (bundle::IDENTITY_SIGNATURE, BadSignature),
        (bundle::SIGNED_ID, BadSignature),
        (bundle::SIGNED_KEY, BadSignature),
        (bundle::SIGNED_NOT_AFTER, BadSignature),
        (bundle::SIGNED_SIGNATURE, BadSignature),
        (bundle::KEM_ID, BadSignature),
        (bundle::KEM_NOT_AFTER, BadSignature),
        (bundle::KEM_SIGNATURE, BadSignature),
    ] {
        for bit in range.start * 8..range.end * 8 {
            // The highest bit of an X25519 key makes it no key at all.
            let no_key = [bundle::DH_KEY, bundle::SIGNED_KEY]
                .iter()
                .any(|key| bit == key.end * 8 - 1);
            let expected = if no_key { Malformed } else { error };
            assert_eq!(refused(&flip(&genuine, bit)), expected, "{bit}");
        }
    }
    for bit in 0..8 {
        let expected = if bit == 0 { BadSignature } else { Malformed };
        assert_eq!(
            refused(&flip(&genuine, bundle::LAST_RESORT * 8 + bit)),
            expected
        );
        let altered = flip(&genuine, bundle::HAS_ONE_TIME * 8 + bit);
        assert_eq!(refused(&altered), Malformed, "{bit}");
    }
    let mut invalid = 0;
    for bit in (bundle::KEM_KEY.start * 8..bundle::KEM_KEY.end * 8).step_by(13) {
        let altered = flip(&genuine, bit);
        let key: &[u8; 1184] = altered[bundle::KEM_KEY].try_into().unwrap();
        let expected = if KemPublic::from_bytes(key).is_ok() {
            BadSignature
        } else {
            invalid += 1;
            Malformed
        };
        assert_eq!(refused(&altered), expected, "{bit}");
    }
    assert!(invalid > 0, "no flip left the modulus");
    before.assert_same(&bob, None);
    assert_begins(&mut alice, &mut bob, &genuine);
}

#[test]
fn attack_h1_signed_prekey_with_an_absent_or_foreign_signature() {
    let (mut alice, mut bob) = devices(110);
    let genuine = one_time_bundle(&mut bob, NOW);
    let mut mallory = Device::new("mal", 112);
    let foreign = one_time_bundle(&mut mallory, NOW);
    for range in [
        bundle::IDENTITY_SIGNATURE,
        bundle::SIGNED_SIGNATURE,
        bundle::KEM_SIGNATURE,
    ] {
        let mut content = genuine.clone();
        for other in [vec![0; 64], vec![0xff; 64], foreign[range.clone()].to_vec()] {
            content = patch(&content, range.clone(), &other);
            assert_eq!(refused(&content), agreement::Error::BadSignature);
        }
    }
    // Mallory signs Bob's own prekey: the content is right, the signer is not.
    let content = [
        labels::SPK,
        &genuine[bundle::SIGNING_KEY],
        &1u16.to_be_bytes(),
        &genuine[bundle::SIGNED_ID],
        &genuine[bundle::SIGNED_NOT_AFTER],
        &genuine[bundle::SIGNED_KEY],
    ]
    .concat();
    let by_mallory = signing_key(112).sign(&content).unwrap();
    let altered = patch(&genuine, bundle::SIGNED_SIGNATURE, &by_mallory.0);
    assert_eq!(refused(&altered), agreement::Error::BadSignature);
    let by_bob = signing_key(111).sign(&content).unwrap();
    assert_eq!(
        patch(&genuine, bundle::SIGNED_SIGNATURE, &by_bob.0),
        genuine
    );
    assert_begins(&mut alice, &mut bob, &genuine);
}

#[test]
fn attack_h1_bundle_cut_or_continued() {
    let (mut alice, mut bob) = devices(120);
    let genuine = one_time_bundle(&mut bob, NOW);
    for length in 0..genuine.len() {
        assert_eq!(
            refused(&genuine[..length]),
            agreement::Error::Malformed,
            "{length}"
        );
    }
    for extra in [1, 2, 36, 6_652, 6_653, 100_000] {
        let longer = [genuine.clone(), vec![0; extra]].concat();
        assert_eq!(refused(&longer), agreement::Error::Malformed, "{extra}");
    }
    assert_begins(&mut alice, &mut bob, &genuine);
}

#[test]
fn attack_h2_kem_prekey_substituted() {
    use agreement::Error::BadSignature;
    let (mut alice, mut bob) = devices(130);
    let mut mallory = Device::new("mal", 132);
    let genuine = one_time_bundle(&mut bob, NOW);
    let other = one_time_bundle(&mut bob, NOW);
    let foreign = one_time_bundle(&mut mallory, NOW);
    let before = Whole::of(&bob, None);
    let mallorys_key = patch(&genuine, bundle::KEM_KEY, &foreign[bundle::KEM_KEY]);
    // Under Bob's signature of his own KEM key, of his signed prekey, of his identity.
    assert_eq!(refused(&mallorys_key), BadSignature);
    for signature in [bundle::SIGNED_SIGNATURE, bundle::IDENTITY_SIGNATURE] {
        let altered = patch(&mallorys_key, bundle::KEM_SIGNATURE, &genuine[signature]);
        assert_eq!(refused(&altered), BadSignature);
    }
    // The whole KEM prekey of Mallory, id, key and her signature of it.
    let range = bundle::KEM_ID.start..bundle::KEM_SIGNATURE.end;
    assert_eq!(
        refused(&patch(&genuine, range.clone(), &foreign[range])),
        BadSignature
    );
    // Mallory signs her key in Bob's name.
    let content = [
        labels::KEM,
        &genuine[bundle::SIGNING_KEY],
        &1u16.to_be_bytes(),
        &genuine[bundle::KEM_ID],
        &[0],
        &genuine[bundle::KEM_NOT_AFTER],
        &foreign[bundle::KEM_KEY],
    ]
    .concat();
    let signature = signing_key(132).sign(&content).unwrap();
    let altered = patch(&mallorys_key, bundle::KEM_SIGNATURE, &signature.0);
    assert_eq!(refused(&altered), BadSignature);
    // Bob's own other key, without the signature that belongs to it.
    let altered = patch(&genuine, bundle::KEM_KEY, &other[bundle::KEM_KEY]);
    assert_eq!(refused(&altered), BadSignature);
    before.assert_same(&bob, None);
    assert_begins(&mut alice, &mut bob, &genuine);
}

#[test]
fn attack_h3_typed_fields_swapped() {
    use agreement::Error::{BadSignature, Malformed};
    let (mut alice, mut bob) = devices(140);
    let genuine = one_time_bundle(&mut bob, NOW);
    let signatures = [
        bundle::IDENTITY_SIGNATURE,
        bundle::SIGNED_SIGNATURE,
        bundle::KEM_SIGNATURE,
    ];
    for to in &signatures {
        for from in &signatures {
            let altered = patch(&genuine, to.clone(), &genuine[from.clone()]);
            if to == from {
                assert_eq!(altered, genuine);
            } else {
                assert_eq!(refused(&altered), BadSignature);
            }
        }
    }
    // An X25519 key where another one belongs.
    let keys = [bundle::DH_KEY, bundle::SIGNED_KEY, bundle::ONE_TIME_KEY];
    for to in &keys[..2] {
        for from in keys.iter().filter(|from| *from != to) {
            let altered = patch(&genuine, to.clone(), &genuine[from.clone()]);
            assert_eq!(refused(&altered), BadSignature);
        }
    }
    // An X25519 key as a KEM key, and the front of a KEM key as an X25519 key.
    let mut short = genuine[bundle::SIGNED_KEY].to_vec();
    short.resize(1184, 0);
    let expected = match KemPublic::from_bytes(short.as_slice().try_into().unwrap()) {
        Ok(_) => BadSignature,
        Err(_) => Malformed,
    };
    assert_eq!(refused(&patch(&genuine, bundle::KEM_KEY, &short)), expected);
    let mut front = genuine[bundle::KEM_KEY][..32].to_vec();
    front[31] &= 0x7f;
    assert_eq!(
        refused(&patch(&genuine, bundle::SIGNED_KEY, &front)),
        BadSignature
    );
    // Bob himself signs the right content under the label of the other type: still refused.
    let bobs = signing_key(141);
    let suite = 1u16.to_be_bytes();
    let signed = [
        &genuine[bundle::SIGNING_KEY],
        &suite,
        &genuine[bundle::SIGNED_ID],
        &genuine[bundle::SIGNED_NOT_AFTER],
        &genuine[bundle::SIGNED_KEY],
    ]
    .concat();
    let kem = [
        &genuine[bundle::SIGNING_KEY],
        &suite,
        &genuine[bundle::KEM_ID],
        &[0],
        &genuine[bundle::KEM_NOT_AFTER],
        &genuine[bundle::KEM_KEY],
    ]
    .concat();
    for (range, content, right) in [
        (bundle::SIGNED_SIGNATURE, signed, labels::SPK),
        (bundle::KEM_SIGNATURE, kem, labels::KEM),
    ] {
        for label in [labels::SPK, labels::KEM, labels::IDENTITY, b""] {
            let signature = bobs.sign(&[label, &content].concat()).unwrap();
            let altered = patch(&genuine, range.clone(), &signature.0);
            if label == right {
                assert_eq!(altered, genuine);
            } else {
                assert_eq!(refused(&altered), BadSignature);
            }
        }
    }
    assert_begins(&mut alice, &mut bob, &genuine);
}

/// The server lists Bob's keys under Mallory's address. Alice means to write to Mallory; Bob must not take it.
#[test]
fn attack_h5_keys_of_another_under_an_address() {
    let (mut alice, mut bob) = devices(150);
    let genuine = one_time_bundle(&mut bob, NOW);
    let misbound = patch(&genuine, bundle::ADDRESS, b"mal");
    let (_, message) = begin_with(&mut alice, &misbound, b"for mallory");
    let before = Whole::of(&bob, None);
    assert_eq!(stage(&bob, &message, NOW), Err(Error::Malformed));
    before.assert_same(&bob, None);

    // A conversation that is pinned to Bob does not take the misbound bundle, and the other way round.
    let verified = verify(&genuine, NOW).unwrap();
    let mut pinned = Conversation::new(*verified.identity());
    let state = snapshot(&pinned, &alice.identity);
    let misbound = verify(&misbound, NOW).unwrap();
    assert_eq!(misbound.identity().keys(), verified.identity().keys());
    assert_eq!(
        pinned.begin(&alice.identity, &misbound, NOW, &mut alice.rng),
        Err(Error::IdentityChanged)
    );
    assert_eq!(snapshot(&pinned, &alice.identity), state);
    assert_begins(&mut alice, &mut bob, &genuine);
}

/// A first message, once read, is never a new conversation again: `replays` times, before and after a restart.
fn replay(bob: &mut Device, conversation: &mut Option<Conversation>, message: &[u8], gone: Error) {
    let before = Whole::of(bob, conversation.as_ref());
    for round in 0..1_000 {
        if round == 500 {
            let key = AppKey::new(APP_KEY);
            let exported = snapshot(&bob.prekeys, &bob.identity);
            bob.prekeys = import(&exported, SLOT, &key).unwrap();
            if let Some(value) = conversation {
                *value = import(&snapshot(value, &bob.identity), SLOT, &key).unwrap();
            }
        }
        assert_eq!(stage(bob, message, NOW), Err(gone));
        if let Some(conversation) = conversation {
            assert_eq!(open(conversation, message, NOW), Err(Error::Duplicate));
        }
    }
    before.assert_same(bob, conversation.as_ref());
}

#[test]
fn attack_h6_first_message_replay() {
    for (seed, last_resort) in [(160, false), (170, true)] {
        for accepted in [true, false] {
            let (mut alice, mut bob) = devices(seed);
            let bytes = if last_resort {
                bob.prekeys.last_resort_bundle(&bob.identity).unwrap()
            } else {
                one_time_bundle(&mut bob, NOW)
            };
            let gone = if last_resort {
                Error::ReplayedFirst
            } else {
                Error::PrekeyGone
            };
            let (mut at_alice, message) = begin_with(&mut alice, &bytes, b"once");
            // Staging alone changes nothing, however often.
            let before = Whole::of(&bob, None);
            for _ in 0..3 {
                assert_eq!(stage(&bob, &message, NOW), Ok(()));
            }
            before.assert_same(&bob, None);
            let mut at_bob = None;
            if accepted {
                at_bob = Some(bob.accept(&message, NOW).0);
            } else {
                let incoming = Incoming::parse(&message).unwrap();
                StagedFirst::stage(&incoming, &bob.identity, &bob.prekeys, NOW)
                    .unwrap()
                    .refuse(&mut bob.prekeys)
                    .unwrap();
            }
            replay(&mut bob, &mut at_bob, &message, gone);
            // The second first message belongs to the conversation, and to nothing else.
            let second = alice.seal(&mut at_alice, b"second", NOW);
            assert_eq!(stage(&bob, &second, NOW), Err(gone));
            if let Some(at_bob) = &mut at_bob {
                assert_eq!(open(at_bob, &second, NOW), Ok(b"second".to_vec()));
                let answer = bob.seal(at_bob, b"answer", NOW);
                assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"answer".to_vec()));
            }
            replay(&mut bob, &mut at_bob, &message, gone);
            // Others can still begin.
            let fresh = one_time_bundle(&mut bob, NOW);
            assert_begins(&mut alice, &mut bob, &fresh);
        }
    }
}

/// Two messages are staged with the same one-time key; the first that is accepted or refused takes it away.
#[test]
fn attack_h6_two_staged_with_one_key() {
    for accept_first in [true, false] {
        let (mut alice, mut bob) = devices(180);
        let mut carol = Device::new("carol", 182);
        let bytes = one_time_bundle(&mut bob, NOW);
        let (mut at_alice, from_alice) = begin_with(&mut alice, &bytes, b"alice");
        let (_, from_carol) = begin_with(&mut carol, &bytes, b"carol");
        let (one, two) = (
            Incoming::parse(&from_alice).unwrap(),
            Incoming::parse(&from_carol).unwrap(),
        );
        let one = StagedFirst::stage(&one, &bob.identity, &bob.prekeys, NOW).unwrap();
        let two = StagedFirst::stage(&two, &bob.identity, &bob.prekeys, NOW).unwrap();
        let mut at_bob = Conversation::new(*one.peer());
        let mut with_carol = Conversation::new(*two.peer());
        if accept_first {
            let opened = one.accept(&mut at_bob, &mut bob.prekeys, NOW).unwrap();
            assert_eq!(opened.text, b"alice");
        } else {
            one.refuse(&mut bob.prekeys).unwrap();
        }
        let before = Whole::of(&bob, Some(&with_carol));
        assert_eq!(
            two.accept(&mut with_carol, &mut bob.prekeys, NOW).err(),
            Some(Error::PrekeyGone)
        );
        before.assert_same(&bob, Some(&with_carol));
        if accept_first {
            let answer = bob.seal(&mut at_bob, b"yes", NOW);
            assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"yes".to_vec()));
        }
    }
}

/// Two first messages of one agreement are staged before either is accepted.
#[test]
fn attack_h6_one_agreement_staged_twice() {
    for (seed, last_resort) in [(190, false), (192, true)] {
        let (mut alice, mut bob) = devices(seed);
        let bytes = if last_resort {
            bob.prekeys.last_resort_bundle(&bob.identity).unwrap()
        } else {
            one_time_bundle(&mut bob, NOW)
        };
        let (mut at_alice, first) = begin_with(&mut alice, &bytes, b"one");
        let second = alice.seal(&mut at_alice, b"two", NOW);
        let (one, two) = (
            Incoming::parse(&first).unwrap(),
            Incoming::parse(&second).unwrap(),
        );
        let staged = StagedFirst::stage(&one, &bob.identity, &bob.prekeys, NOW).unwrap();
        let again = StagedFirst::stage(&two, &bob.identity, &bob.prekeys, NOW).unwrap();
        let mut at_bob = Conversation::new(*staged.peer());
        staged.accept(&mut at_bob, &mut bob.prekeys, NOW).unwrap();
        let before = Whole::of(&bob, Some(&at_bob));
        let gone = if last_resort {
            Error::ReplayedFirst
        } else {
            Error::PrekeyGone
        };
        assert_eq!(
            again.accept(&mut at_bob, &mut bob.prekeys, NOW).err(),
            Some(gone)
        );
        before.assert_same(&bob, Some(&at_bob));
        assert_eq!(open(&mut at_bob, &second, NOW), Ok(b"two".to_vec()));
    }
}

#[test]
fn attack_h7_one_time_keys_run_out() {
    let (mut alice, mut bob) = devices(200);
    let plenty = bob
        .prekeys
        .replenish(&bob.identity, ONE_TIME_KEYS + 50, NOW, &mut bob.rng)
        .unwrap();
    assert_eq!(plenty.len(), ONE_TIME_KEYS);
    // A server that claims to have none cannot make the device hold more.
    let before = Whole::of(&bob, None);
    assert_eq!(
        bob.prekeys
            .replenish(&bob.identity, 1, NOW, &mut bob.rng)
            .err(),
        Some(agreement::Error::PrekeysExhausted)
    );
    before.assert_same(&bob, None);
    // Without a one-time key conversations still begin, and both sides see what they rest on.
    let last_resort = bob.prekeys.last_resort_bundle(&bob.identity).unwrap();
    assert!(verify(&last_resort, NOW).unwrap().is_last_resort());
    assert!(!verify(&plenty[0], NOW).unwrap().is_last_resort());
    for seed in 0..20 {
        let mut initiator = Device::new("initiator", 210 + seed);
        let (_, message) = begin_with(&mut initiator, &last_resort, b"text");
        let incoming = Incoming::parse(&message).unwrap();
        let staged = StagedFirst::stage(&incoming, &bob.identity, &bob.prekeys, NOW).unwrap();
        assert!(staged.one_time().last_resort_only());
        let mut conversation = Conversation::new(*staged.peer());
        staged
            .accept(&mut conversation, &mut bob.prekeys, NOW)
            .unwrap();
    }
    assert_eq!(bob.prekeys.one_time_keys(), (ONE_TIME_KEYS, ONE_TIME_KEYS));
    assert_begins(&mut alice, &mut bob, &plenty[0]);
    assert_eq!(
        bob.prekeys.one_time_keys(),
        (ONE_TIME_KEYS - 1, ONE_TIME_KEYS - 1)
    );
}

/// The server leaves out the unsigned one-time key, or adds it to the last-resort bundle. The agreement holds, and the
/// receiver sees what it rests on; a replay is refused either way.
#[test]
fn attack_h7_server_strips_or_adds_the_one_time_key() {
    let (mut alice, mut bob) = devices(230);
    let one_time = one_time_bundle(&mut bob, NOW);
    let last_resort = bob.prekeys.last_resort_bundle(&bob.identity).unwrap();
    let mut stripped = one_time[..bundle::HAS_ONE_TIME].to_vec();
    stripped.push(0);
    let mut added = last_resort[..bundle::HAS_ONE_TIME].to_vec();
    added.push(1);
    added.extend_from_slice(&one_time[bundle::ONE_TIME_ID.start..]);
    for (bytes, dh, kem) in [(stripped, false, true), (added, true, false)] {
        assert!(!verify(&bytes, NOW).unwrap().is_last_resort());
        let (mut at_alice, message) = begin_with(&mut alice, &bytes, b"text");
        let incoming = Incoming::parse(&message).unwrap();
        let staged = StagedFirst::stage(&incoming, &bob.identity, &bob.prekeys, NOW).unwrap();
        assert_eq!((staged.one_time().dh, staged.one_time().kem), (dh, kem));
        assert!(!staged.one_time().last_resort_only());
        let mut at_bob = Conversation::new(*staged.peer());
        staged.accept(&mut at_bob, &mut bob.prekeys, NOW).unwrap();
        assert_eq!(stage(&bob, &message, NOW), Err(Error::PrekeyGone));
        let answer = bob.seal(&mut at_bob, b"yes", NOW);
        assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"yes".to_vec()));
    }
}

#[test]
fn attack_h8_prekey_ids_are_disjoint_after_import() {
    let mut bob = Device::new("bob", 240);
    let id = |bundle: &[u8], range: std::ops::Range<usize>| {
        u32::from_be_bytes(bundle[range].try_into().unwrap())
    };
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..10 {
        let exported = snapshot(&bob.prekeys, &bob.identity);
        let bundles = bob
            .prekeys
            .replenish(&bob.identity, 5, NOW, &mut bob.rng)
            .unwrap();
        for bundle in &bundles {
            assert!(seen.insert(id(bundle, bundle::KEM_ID)), "{round}");
            assert!(seen.insert(id(bundle, bundle::ONE_TIME_ID)), "{round}");
        }
        // Used keys and rotations do not bring an id back.
        let mut initiator = Device::new("initiator", 250 + round);
        let (_, message) = begin_with(&mut initiator, &bundles[0], b"text");
        bob.accept(&message, NOW);
        if round % 3 == 0 {
            bob.prekeys
                .rotate(&bob.identity, NOW, &mut bob.rng)
                .unwrap();
            let bundle = bob.prekeys.last_resort_bundle(&bob.identity).unwrap();
            assert!(seen.insert(id(&bundle, bundle::KEM_ID)), "{round}");
            assert!(seen.insert(id(&bundle, bundle::SIGNED_ID)), "{round}");
        }
        let now_exported = snapshot(&bob.prekeys, &bob.identity);
        assert_ne!(exported, now_exported);
        bob.prekeys = import(&now_exported, SLOT, &AppKey::new(APP_KEY)).unwrap();
    }
}

/// Every field of a first message that could be negotiated, stripped or altered.
#[test]
fn attack_h9_downgrade_of_a_first_message() {
    let (mut alice, mut bob) = devices(260);
    let other = one_time_bundle(&mut bob, NOW);
    let bytes = one_time_bundle(&mut bob, NOW);
    let last_resort = bob.prekeys.last_resort_bundle(&bob.identity).unwrap();
    let id = |from: &[u8], range: std::ops::Range<usize>| from[range].to_vec();
    let absent = 77u32.to_be_bytes();

    let (_, message) = begin_with(&mut alice, &bytes, b"one-time");
    let has = first::HAS_ONE_TIME..first::HAS_ONE_TIME + 1;
    let stripped = patch(
        &message,
        first::HAS_ONE_TIME..first::ONE_TIME_ID.end,
        &[0; 5],
    );
    let mut without_kem = message.clone();
    without_kem.drain(first::CIPHERTEXT);
    let cases: Vec<(&str, Vec<u8>, Error)> = vec![
        (
            "version 0",
            patch(&message, 0..1, &[0]),
            Error::UnknownVersion,
        ),
        (
            "version 2",
            patch(&message, 0..1, &[2]),
            Error::UnknownVersion,
        ),
        (
            "version 255",
            patch(&message, 0..1, &[255]),
            Error::UnknownVersion,
        ),
        ("kind MSG", patch(&message, 1..2, &[2]), Error::Malformed),
        ("kind 0", patch(&message, 1..2, &[0]), Error::UnknownKind),
        ("kind 3", patch(&message, 1..2, &[3]), Error::UnknownKind),
        (
            "suite 0",
            patch(&message, first::SUITE, &[0, 0]),
            Error::UnknownVersion,
        ),
        (
            "suite 2",
            patch(&message, first::SUITE, &[0, 2]),
            Error::UnknownVersion,
        ),
        (
            "suite 257",
            patch(&message, first::SUITE, &[1, 1]),
            Error::UnknownVersion,
        ),
        (
            "no such signed prekey",
            patch(&message, first::SIGNED_ID, &absent),
            Error::PrekeyGone,
        ),
        (
            "no such KEM key",
            patch(&message, first::KEM_ID, &absent),
            Error::PrekeyGone,
        ),
        (
            "last-resort KEM key",
            patch(&message, first::KEM_ID, &id(&last_resort, bundle::KEM_ID)),
            Error::Malformed,
        ),
        (
            "other KEM key",
            patch(&message, first::KEM_ID, &id(&other, bundle::KEM_ID)),
            Error::Malformed,
        ),
        ("no one-time key", stripped, Error::Malformed),
        (
            "flag 0 with an id",
            patch(&message, has.clone(), &[0]),
            Error::Malformed,
        ),
        ("flag 2", patch(&message, has, &[2]), Error::Malformed),
        (
            "id 0",
            patch(&message, first::ONE_TIME_ID, &[0; 4]),
            Error::Malformed,
        ),
        (
            "no such one-time key",
            patch(&message, first::ONE_TIME_ID, &absent),
            Error::PrekeyGone,
        ),
        (
            "other one-time key",
            patch(
                &message,
                first::ONE_TIME_ID,
                &id(&other, bundle::ONE_TIME_ID),
            ),
            Error::Malformed,
        ),
        ("without the KEM ciphertext", without_kem, Error::Malformed),
        (
            "zero KEM ciphertext",
            patch(&message, first::CIPHERTEXT, &[0; 1088]),
            Error::Malformed,
        ),
        (
            "zero ephemeral key",
            patch(&message, first::EPHEMERAL, &[0; 32]),
            Error::Malformed,
        ),
        (
            "zero identity",
            patch(&message, first::ENCRYPTED_IDENTITY, &[0; 200]),
            Error::Malformed,
        ),
    ];
    let before = Whole::of(&bob, None);
    for (name, altered, error) in &cases {
        assert_eq!(stage(&bob, altered, NOW), Err(*error), "{name}");
    }
    before.assert_same(&bob, None);
    let (mut at_bob, text) = bob.accept(&message, NOW);
    assert_eq!(text, b"one-time");

    // The same message again, with the accepted conversation: any other prefix under its EK is refused there.
    let before = Whole::of(&bob, Some(&at_bob));
    for (name, altered, error) in &cases {
        let found = match Incoming::parse(altered) {
            Ok(incoming) => at_bob.open(&incoming, NOW).map(|_| ()),
            Err(error) => Err(error),
        };
        let keeps_the_key = altered.len() == message.len()
            && altered[first::EPHEMERAL] == message[first::EPHEMERAL];
        let expected = match (Incoming::parse(altered).is_ok(), keeps_the_key) {
            (true, true) => Error::Malformed,
            (true, false) => Error::NoSession,
            (false, _) => *error,
        };
        assert_eq!(found, Err(expected), "{name}");
    }
    before.assert_same(&bob, Some(&at_bob));

    // A last-resort message that claims one-time keys.
    let (_, message) = begin_with(&mut alice, &last_resort, b"last resort");
    let claims = [&[1], &other[bundle::ONE_TIME_ID]].concat();
    let before = Whole::of(&bob, None);
    for altered in [
        patch(&message, first::KEM_ID, &id(&other, bundle::KEM_ID)),
        patch(
            &message,
            first::HAS_ONE_TIME..first::ONE_TIME_ID.end,
            &claims,
        ),
    ] {
        assert_eq!(stage(&bob, &altered, NOW), Err(Error::Malformed));
    }
    before.assert_same(&bob, None);
    assert_eq!(bob.accept(&message, NOW).1, b"last resort");
}

/// Every field of a bundle that could be negotiated: what is signed cannot be altered, what is not signed makes the
/// agreement fail.
#[test]
fn attack_h9_downgrade_of_a_bundle() {
    let (mut alice, mut bob) = devices(270);
    let genuine = one_time_bundle(&mut bob, NOW);
    let last_resort = bob.prekeys.last_resort_bundle(&bob.identity).unwrap();
    for suite in [0u16, 2, 0x101, 0xffff] {
        assert_eq!(
            refused(&patch(&genuine, bundle::SUITE, &suite.to_be_bytes())),
            agreement::Error::UnknownVersion
        );
    }
    // No encoding is without a KEM key.
    let mut without_kem = genuine.clone();
    without_kem.drain(bundle::KEM_ID.start..bundle::KEM_SIGNATURE.end);
    assert_eq!(refused(&without_kem), agreement::Error::Malformed);
    for (bytes, flag) in [(&genuine, 1), (&last_resort, 0)] {
        let altered = patch(bytes, bundle::LAST_RESORT..bundle::LAST_RESORT + 1, &[flag]);
        assert_eq!(refused(&altered), agreement::Error::BadSignature);
    }
    let zero_id = patch(&genuine, bundle::ONE_TIME_ID, &[0; 4]);
    assert_eq!(refused(&zero_id), agreement::Error::Malformed);

    // The one-time key is not signed: whatever the server puts there, Bob does not take the message.
    let other = one_time_bundle(&mut bob, NOW);
    let before = Whole::of(&bob, None);
    for (altered, error) in [
        (
            patch(
                &genuine,
                bundle::ONE_TIME_ID,
                &u32::to_be_bytes(0x1234_5678),
            ),
            Error::PrekeyGone,
        ),
        (
            patch(&genuine, bundle::ONE_TIME_ID, &other[bundle::ONE_TIME_ID]),
            Error::Malformed,
        ),
        (
            patch(&genuine, bundle::ONE_TIME_KEY, &other[bundle::ONE_TIME_KEY]),
            Error::Malformed,
        ),
    ] {
        let (_, message) = begin_with(&mut alice, &altered, b"text");
        assert_eq!(stage(&bob, &message, NOW), Err(error));
    }
    before.assert_same(&bob, None);
    // A key of small order there is refused before anything is sent.
    for small in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let bundle = verify(&patch(&genuine, bundle::ONE_TIME_KEY, &small), NOW).unwrap();
        let mut conversation = Conversation::new(*bundle.identity());
        let state = snapshot(&conversation, &alice.identity);
        assert_eq!(
            conversation.begin(&alice.identity, &bundle, NOW, &mut alice.rng),
            Err(Error::Malformed)
        );
        assert_eq!(snapshot(&conversation, &alice.identity), state);
    }
    assert_begins(&mut alice, &mut bob, &genuine);
}

#[test]
fn attack_h12_bundle_is_refused_when_it_expires() {
    let (mut alice, mut bob) = devices(280);
    let bytes = one_time_bundle(&mut bob, NOW);
    let end = NOW + VALIDITY;
    assert!(verify(&bytes, end - 1).is_ok());
    for now in [end, end + 1, u64::MAX] {
        assert_eq!(
            verify(&bytes, now).err(),
            Some(agreement::Error::StaleBundle)
        );
    }
    // Verified in time, used too late.
    let verified = verify(&bytes, end - 1).unwrap();
    let mut conversation = Conversation::new(*verified.identity());
    let state = snapshot(&conversation, &alice.identity);
    for now in [end, end + DAY] {
        assert_eq!(
            conversation.begin(&alice.identity, &verified, now, &mut alice.rng),
            Err(Error::StaleBundle)
        );
        assert_eq!(snapshot(&conversation, &alice.identity), state);
    }
    assert_begins(&mut alice, &mut bob, &bytes);
}

#[test]
fn attack_h12_replaced_prekey_only_within_its_grace() {
    let (mut alice, mut bob) = devices(290);
    let bytes = bob.prekeys.last_resort_bundle(&bob.identity).unwrap();
    let (_, message) = begin_with(&mut alice, &bytes, b"late");
    let rotated = NOW + 7 * DAY;
    bob.prekeys
        .rotate(&bob.identity, rotated, &mut bob.rng)
        .unwrap();
    assert_eq!(stage(&bob, &message, rotated), Ok(()));
    assert_eq!(stage(&bob, &message, rotated + GRACE - 1), Ok(()));
    let before = Whole::of(&bob, None);
    for now in [rotated + GRACE, rotated + GRACE + DAY, u64::MAX] {
        assert_eq!(stage(&bob, &message, now), Err(Error::PrekeyGone));
    }
    before.assert_same(&bob, None);
    assert_eq!(bob.accept(&message, rotated + GRACE - 1).1, b"late");
    // Past the grace the private halves are deleted, and a clock set back does not bring them.
    bob.prekeys.expire(rotated + GRACE);
    assert_eq!(stage(&bob, &message, NOW), Err(Error::PrekeyGone));
    let now = rotated + GRACE;
    let bytes = bob.prekeys.last_resort_bundle(&bob.identity).unwrap();
    assert!(verify(&bytes, rotated + VALIDITY - 1).is_ok());
    let verified = verify(&bytes, now).unwrap();
    let mut conversation = Conversation::new(*verified.identity());
    conversation
        .begin(&alice.identity, &verified, now, &mut alice.rng)
        .unwrap();
    let message = alice.seal(&mut conversation, b"new", now);
    assert_eq!(bob.accept(&message, now).1, b"new");
}

#[test]
fn attack_h12_one_time_key_only_within_its_time() {
    let (mut alice, mut bob) = devices(300);
    let bytes = one_time_bundle(&mut bob, NOW);
    let (_, message) = begin_with(&mut alice, &bytes, b"late");
    // The signed prekey stays: nobody rotates here.
    let end = NOW + VALIDITY + GRACE;
    assert_eq!(stage(&bob, &message, end - 1), Ok(()));
    let before = Whole::of(&bob, None);
    assert_eq!(stage(&bob, &message, end), Err(Error::PrekeyGone));
    before.assert_same(&bob, None);
    assert_eq!(bob.accept(&message, end - 1).1, b"late");
}

/// Bob is replaced by another Bob at the same address: never silently.
#[test]
fn attack_h13_identity_key_change() {
    let (mut alice, mut bob) = devices(310);
    let mut impostor = Device::new("bob", 999);
    let genuine = one_time_bundle(&mut bob, NOW);
    let (mut at_alice, message) = begin_with(&mut alice, &genuine, b"hello");
    let (mut at_bob, _) = bob.accept(&message, NOW);

    // The server gives out the impostor's bundle.
    let bytes = one_time_bundle(&mut impostor, NOW);
    let bundle = verify(&bytes, NOW).unwrap();
    let before = Whole::of(&alice, Some(&at_alice));
    assert_eq!(
        at_alice.begin(&alice.identity, &bundle, NOW, &mut alice.rng),
        Err(Error::IdentityChanged)
    );
    before.assert_same(&alice, Some(&at_alice));

    // The impostor writes first.
    let bytes = one_time_bundle(&mut alice, NOW);
    let (_, message) = begin_with(&mut impostor, &bytes, b"it is me");
    let before = Whole::of(&alice, Some(&at_alice));
    let incoming = Incoming::parse(&message).unwrap();
    let staged = StagedFirst::stage(&incoming, &alice.identity, &alice.prekeys, NOW).unwrap();
    assert_eq!(staged.peer().address(), at_alice.peer().address());
    assert_ne!(staged.peer(), at_alice.peer());
    assert_eq!(
        staged.accept(&mut at_alice, &mut alice.prekeys, NOW).err(),
        Some(Error::IdentityChanged)
    );
    before.assert_same(&alice, Some(&at_alice));

    // Bob's own device under another address is another identity too.
    let moved = DeviceIdentity::from_secrets(
        Address::new(b"bob/2").unwrap(),
        &secrets(311).0,
        secrets(311).1,
    )
    .unwrap();
    assert_eq!(moved.public().keys(), bob.identity.public().keys());
    let mut rng = SeededRng(1);
    let bundle = verify(&one_time_bundle(&mut alice, NOW), NOW).unwrap();
    let mut from_moved = Conversation::new(*bundle.identity());
    from_moved.begin(&moved, &bundle, NOW, &mut rng).unwrap();
    let message = from_moved.seal(&moved, b"moved", NOW, &mut rng).unwrap();
    let before = Whole::of(&alice, Some(&at_alice));
    let incoming = Incoming::parse(&message).unwrap();
    let staged = StagedFirst::stage(&incoming, &alice.identity, &alice.prekeys, NOW).unwrap();
    assert_eq!(
        staged.accept(&mut at_alice, &mut alice.prekeys, NOW).err(),
        Some(Error::IdentityChanged)
    );
    before.assert_same(&alice, Some(&at_alice));

    let answer = bob.seal(&mut at_bob, b"still me", NOW);
    assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"still me".to_vec()));
}

/// The private identity keys of the device that `Device::new` makes from `seed`.
fn secrets(seed: u64) -> (Secret<32>, Secret<32>) {
    use subrosa::crypto::TryRng;
    let mut rng = SeededRng(seed);
    let mut bytes = [[0; 32]; 2];
    for part in &mut bytes {
        rng.try_fill_bytes(part).unwrap();
    }
    (Secret::new(bytes[0]), Secret::new(bytes[1]))
}

#[test]
fn attack_h14_own_first_message_and_own_bundle() {
    let (mut alice, mut bob) = devices(320);
    // Ids of the two devices are the same numbers, so that only keys tell them apart.
    let own = one_time_bundle(&mut alice, NOW);
    for last_resort in [true, false] {
        let bytes = if last_resort {
            bob.prekeys.last_resort_bundle(&bob.identity).unwrap()
        } else {
            one_time_bundle(&mut bob, NOW)
        };
        let (mut at_alice, message) = begin_with(&mut alice, &bytes, b"to bob");
        let before = Whole::of(&alice, Some(&at_alice));
        assert_eq!(stage(&alice, &message, NOW), Err(Error::Malformed));
        assert_eq!(open(&mut at_alice, &message, NOW), Err(Error::NoSession));
        before.assert_same(&alice, Some(&at_alice));
        assert_eq!(bob.accept(&message, NOW).1, b"to bob");
    }
    let bundle = verify(&own, NOW).unwrap();
    let mut with_self = Conversation::new(*bundle.identity());
    let before = Whole::of(&alice, Some(&with_self));
    assert_eq!(
        with_self.begin(&alice.identity, &bundle, NOW, &mut alice.rng),
        Err(Error::OwnIdentity)
    );
    before.assert_same(&alice, Some(&with_self));
}

/// A peer whose identity has one of our two keys is not a peer.
#[test]
fn attack_h14_peer_with_one_of_our_keys() {
    let (mut alice, mut bob) = devices(330);
    let half_alice = [
        (secrets(330).0, Secret::new([0x5a; 32])),
        (Secret::new([0xa5; 32]), secrets(330).1),
    ];
    for (seed, dh) in half_alice {
        let address = Address::new(b"mal").unwrap();
        let identity = DeviceIdentity::from_secrets(address, &seed, dh).unwrap();
        let mut rng = SeededRng(5);
        let prekeys = Prekeys::generate(&identity, NOW, &mut rng).unwrap();
        let mut mallory = Device {
            identity,
            prekeys,
            rng,
        };
        let bundle = verify(&one_time_bundle(&mut mallory, NOW), NOW).unwrap();
        let mut conversation = Conversation::new(*bundle.identity());
        let state = snapshot(&conversation, &alice.identity);
        assert_eq!(
            conversation.begin(&alice.identity, &bundle, NOW, &mut alice.rng),
            Err(Error::OwnIdentity)
        );
        assert_eq!(snapshot(&conversation, &alice.identity), state);
    }
    let bytes = one_time_bundle(&mut bob, NOW);
    assert_begins(&mut alice, &mut bob, &bytes);
}

/// One bit of every byte of a first message, each bit in turn over the whole of it.
#[test]
fn attack_r1_first_message_bit_flips() {
    let (mut alice, mut bob) = devices(340);
    let bytes = one_time_bundle(&mut bob, NOW);
    let (_, message) = begin_with(&mut alice, &bytes, b"text");
    let before = Whole::of(&bob, None);
    let refused = |bit: usize| {
        let altered = flip(&message, bit);
        let error = stage(&bob, &altered, NOW).unwrap_err();
        let byte = bit / 8;
        let expected: &[Error] = match byte {
            0 => &[Error::UnknownVersion],
            1 => &[Error::UnknownKind, Error::Malformed],
            2..4 => &[Error::UnknownVersion],
            4..8 => &[Error::PrekeyGone],
            // Another id that is held, or none.
            8..17 => &[Error::PrekeyGone, Error::Malformed],
            _ => &[Error::Malformed],
        };
        assert!(expected.contains(&error), "{bit}: {error:?}");
        before.assert_same(&bob, None);
    };
    // The fields in front: every bit.
    for bit in 0..first::EPHEMERAL.start * 8 {
        refused(bit);
    }
    for byte in first::EPHEMERAL.start..message.len() {
        refused(byte * 8 + byte % 8);
    }
    assert_eq!(bob.accept(&message, NOW).1, b"text");
}

#[test]
fn attack_r8_first_message_cut_or_continued() {
    let (mut alice, mut bob) = devices(350);
    let bytes = one_time_bundle(&mut bob, NOW);
    let (_, message) = begin_with(&mut alice, &bytes, b"text");
    let before = Whole::of(&bob, None);
    for length in 0..message.len() {
        assert_eq!(
            stage(&bob, &message[..length], NOW),
            Err(Error::Malformed),
            "{length}"
        );
    }
    for extra in 1..=64 {
        let longer = [message.clone(), vec![0; extra]].concat();
        assert_eq!(stage(&bob, &longer, NOW), Err(Error::Malformed), "{extra}");
    }
    before.assert_same(&bob, None);
    assert_eq!(bob.accept(&message, NOW).1, b"text");
}

/// The generator fails at each of its calls: the error, an unchanged state, and the next call works.
#[test]
fn attack_p15_begin_and_prekeys_with_a_failing_generator() {
    let (mut alice, mut bob) = devices(360);
    let bundle = verify(&one_time_bundle(&mut bob, NOW), NOW).unwrap();
    let mut conversation = Conversation::new(*bundle.identity());
    let mut calls = 0;
    loop {
        let before = Whole::of(&alice, Some(&conversation));
        let mut rng = FailingRng {
            rng: SeededRng(1),
            left: calls,
        };
        let begun = conversation.begin(&alice.identity, &bundle, NOW, &mut rng);
        if begun.is_ok() {
            break;
        }
        assert_eq!(begun, Err(Error::Rng));
        before.assert_same(&alice, Some(&conversation));
        calls += 1;
    }
    assert_eq!(calls, 3, "ephemeral key, encapsulation, ratchet key");
    let message = alice.seal(&mut conversation, b"text", NOW);
    assert_eq!(bob.accept(&message, NOW).1, b"text");

    let mut counts = [0; 2];
    for (count, replenish) in counts.iter_mut().zip([true, false]) {
        loop {
            let before = Whole::of(&bob, None);
            let mut rng = FailingRng {
                rng: SeededRng(2),
                left: *count,
            };
            let later = NOW + 40 * DAY;
            let result = if replenish {
                bob.prekeys
                    .replenish(&bob.identity, 3, later, &mut rng)
                    .map(|bundles| assert_eq!(bundles.len(), 3))
            } else {
                bob.prekeys.rotate(&bob.identity, later, &mut rng)
            };
            if result.is_ok() {
                break;
            }
            assert_eq!(result, Err(agreement::Error::Rng));
            before.assert_same(&bob, None);
            *count += 1;
        }
    }
    assert_eq!(counts, [6, 2]);

    for left in 0..2 {
        let mut rng = FailingRng {
            rng: SeededRng(3),
            left,
        };
        let address = Address::new(b"new").unwrap();
        assert_eq!(
            DeviceIdentity::generate(address, &mut rng).err(),
            Some(subrosa::identity::Error::Rng)
        );
        let mut rng = FailingRng {
            rng: SeededRng(3),
            left,
        };
        assert_eq!(
            Prekeys::generate(&bob.identity, NOW, &mut rng).err(),
            Some(agreement::Error::Rng)
        );
    }
}

//! Attacks on stored state, and states that exist twice.

mod common;

use std::collections::BTreeMap;

use common::attack::{ConstantRng, FailingRng, Whole, bundle, first, flip, msg};
use common::{APP_KEY, Device, NOW, SLOT, SeededRng, open, pair, snapshot};
use subrosa::session::Stored;
use subrosa::{
    Action, AppKey, Conversation, DeviceIdentity, Error, Incoming, Prekeys, Slot, export, import,
};

const OVERHEAD: usize = subrosa::state::OVERHEAD;

fn key() -> AppKey {
    AppKey::new(APP_KEY)
}

#[track_caller]
fn refused<T: Stored>(exported: &[u8], slot: Slot<'_>, app_key: &AppKey) -> Error {
    import::<T>(exported, slot, app_key)
        .err()
        .expect("the state was imported")
}

/// A second instance of the same state.
fn copy<T: Stored>(value: &T, device: &DeviceIdentity) -> T {
    import(&snapshot(value, device), SLOT, &key()).unwrap()
}

/// A torn write: every prefix of every kind of state.
#[test]
fn attack_s1_prefix_of_an_export() {
    let (alice, at_alice, _, _) = pair(300);
    let conversation = snapshot(&at_alice, &alice.identity);
    for length in 0..conversation.len() {
        assert_eq!(
            refused::<Conversation>(&conversation[..length], SLOT, &key()),
            Error::Integrity
        );
    }
    let prekeys = snapshot(&alice.prekeys, &alice.identity);
    for length in 0..prekeys.len() {
        assert_eq!(
            refused::<Prekeys>(&prekeys[..length], SLOT, &key()),
            Error::Integrity
        );
    }
    let identity = snapshot(&alice.identity, &alice.identity);
    for length in 0..identity.len() {
        assert_eq!(
            refused::<DeviceIdentity>(&identity[..length], SLOT, &key()),
            Error::Integrity
        );
    }
    // One that was written over a longer one, or before one.
    for extra in 1..100 {
        let longer = [conversation.as_slice(), &vec![0; extra]].concat();
        assert_eq!(
            refused::<Conversation>(&longer, SLOT, &key()),
            Error::Integrity
        );
    }
    let twice = [conversation.clone(), conversation.clone()].concat();
    assert_eq!(
        refused::<Conversation>(&twice, SLOT, &key()),
        Error::Integrity
    );
    // The front of the new and the end of the old one.
    let old = snapshot(&Conversation::new(*at_alice.peer()), &alice.identity);
    for at in (0..old.len()).step_by(16).skip(1) {
        let torn = [&conversation[..at], &old[at..]].concat();
        assert_eq!(
            refused::<Conversation>(&torn, SLOT, &key()),
            Error::Integrity
        );
    }
    assert!(import::<Conversation>(&conversation, SLOT, &key()).is_ok());
}

#[test]
fn attack_s4_every_bit_of_an_export() {
    let (mut alice, mut at_alice, _, mut at_bob) = pair(310);
    let exports = [
        snapshot(&at_alice, &alice.identity),
        snapshot(&alice.prekeys, &alice.identity),
        snapshot(&alice.identity, &alice.identity),
    ];
    type Import = fn(&[u8]) -> Option<Error>;
    let imports: [Import; 3] = [
        |bytes| import::<Conversation>(bytes, SLOT, &key()).err(),
        |bytes| import::<Prekeys>(bytes, SLOT, &key()).err(),
        |bytes| import::<DeviceIdentity>(bytes, SLOT, &key()).err(),
    ];
    for (kind, exported) in exports.iter().enumerate() {
        for bit in 0..exported.len() * 8 {
            let expected = match bit / 8 {
                6 | 7 => Error::UnknownVersion,
                _ => Error::Integrity,
            };
            assert_eq!(imports[kind](&flip(exported, bit)), Some(expected), "{bit}");
        }
        // As another kind than it is, with its own header and with that of the other.
        for (other, import) in imports.iter().enumerate() {
            if other == kind {
                assert_eq!(import(exported), None);
            } else {
                assert_eq!(import(exported), Some(Error::Integrity));
                let mut renamed = exported.clone();
                renamed[4..6].copy_from_slice(&exports[other][4..6]);
                assert_eq!(import(&renamed), Some(Error::Integrity));
            }
        }
    }
    let message = alice.seal(&mut at_alice, b"text", NOW);
    assert_eq!(open(&mut at_bob, &message, NOW), Ok(b"text".to_vec()));
}

/// Another key, another place, another generation.
#[test]
fn attack_s5_state_swapped_between_places() {
    let (alice, at_alice, bob, at_bob) = pair(320);
    let mut rng = SeededRng(322);
    let slot = |store_key, generation| Slot {
        store_key,
        generation,
    };
    let (here, there) = (slot(b"conversation/1", 7), slot(b"conversation/2", 7));
    let one = export(&at_alice, &alice.identity, here, &key(), &mut rng).unwrap();
    let two = export(&at_alice, &alice.identity, there, &key(), &mut rng).unwrap();
    assert!(import::<Conversation>(&one, here, &key()).is_ok());
    assert!(import::<Conversation>(&two, there, &key()).is_ok());
    for (exported, place) in [(&one, there), (&two, here)] {
        assert_eq!(
            refused::<Conversation>(exported, place, &key()),
            Error::Integrity
        );
    }
    // A value of an older generation does not pass for the newest one.
    for generation in [0, 6, 8, u64::MAX] {
        let place = slot(b"conversation/1", generation);
        assert_eq!(
            refused::<Conversation>(&one, place, &key()),
            Error::Integrity
        );
    }
    // Another user's app key, to the bit.
    for bit in 0..256 {
        let other: [u8; 32] = flip(&APP_KEY, bit).try_into().unwrap();
        assert_eq!(
            refused::<Conversation>(&one, here, &AppKey::new(other)),
            Error::Integrity
        );
    }
    let foreign = export(
        &at_bob,
        &bob.identity,
        here,
        &AppKey::new([1; 32]),
        &mut rng,
    )
    .unwrap();
    assert_eq!(
        refused::<Conversation>(&foreign, here, &key()),
        Error::Integrity
    );
    let long = [0; 1025];
    let result = export(&at_alice, &alice.identity, slot(&long, 0), &key(), &mut rng);
    assert_eq!(result.err(), Some(Error::TooLong));
}

/// A state of a newer release is refused as such, and not taken for a broken one.
#[test]
fn attack_s8_newer_version() {
    let (alice, at_alice, _, _) = pair(330);
    let exported = snapshot(&at_alice, &alice.identity);
    assert_eq!(exported[6..8], [0, 1]);
    // Version 0 was a draft, and is not read.
    for version in [0u16, 2, 0x100, 0x101, 0xffff] {
        let mut newer = exported.clone();
        newer[6..8].copy_from_slice(&version.to_be_bytes());
        assert_eq!(
            refused::<Conversation>(&newer, SLOT, &key()),
            Error::UnknownVersion
        );
        assert_eq!(Error::UnknownVersion.action(), Action::Drop);
    }
    assert!(import::<Conversation>(&exported, SLOT, &key()).is_ok());
}

/// Salt and body of an ordinary message.
fn parts(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (message[msg::SALT].to_vec(), message[msg::BODY].to_vec())
}

/// A machine is cloned with its generator: both copies seal, in the same chains, with the same numbers. The body key
/// and nonce follow from message key and salt: no salt repeats, but with the very same message.
#[test]
fn attack_s3_clone_with_its_generator() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(340);
    // Where a chain begins, and then within it.
    for _ in 0..2 {
        let mut twin = copy(&at_alice, &alice.identity);
        let mut twin_rng = alice.rng.clone();
        let mut salts = BTreeMap::new();
        let mut last = Vec::new();
        for number in 0..20u8 {
            // Every third text is the same in both copies. The first ones leave the same room for the Braid; after
            // texts of other lengths the copies are at other symbols, and equal texts make other messages, too.
            let mine = [&[number][..], b"mine"].concat();
            let other = match (number % 3, number) {
                (0, _) => mine.clone(),
                (2, 9..) => vec![number; 400],
                _ => [&[number][..], b"other"].concat(),
            };
            let one = alice.seal(&mut at_alice, &mine, NOW);
            let two = twin
                .seal(&alice.identity, &other, NOW, &mut twin_rng)
                .unwrap();
            assert!(one != two || mine == other);
            assert!(one == two || mine != other || number > 11);
            for (message, text) in [(&one, &mine), (&two, &other)] {
                let (salt, body) = parts(message);
                let earlier = salts.entry(salt).or_insert((body.clone(), text.clone()));
                assert_eq!(*earlier, (body, text.clone()), "one salt, two bodies");
            }
            last.push((one, two));
        }
        // Bob reads one of each number; of the other he says what it is.
        for (number, (one, two)) in last.iter().enumerate() {
            assert!(open(&mut at_bob, one, NOW).is_ok());
            let before = Whole::of(&bob, Some(&at_bob));
            let expected = if one == two {
                Error::Duplicate
            } else {
                Error::Forked
            };
            assert_eq!(open(&mut at_bob, two, NOW), Err(expected), "{number}");
            before.assert_same(&bob, Some(&at_bob));
        }
        assert_eq!(Error::Forked.action(), Action::BeginAnew);
    }
    let answer = bob.seal(&mut at_bob, b"your turn", NOW);
    assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"your turn".to_vec()));
}

/// The same with a generator that gives the same bytes for ever, and with one device that is cloned before it begins.
#[test]
fn attack_p15_generator_that_repeats() {
    let (alice, mut at_alice, _, mut at_bob) = pair(350);
    let mut salts = BTreeMap::new();
    for number in 0..200u32 {
        let text = (number / 2).to_be_bytes();
        let message = at_alice
            .seal(&alice.identity, &text, NOW, &mut ConstantRng(0))
            .unwrap();
        let (salt, _) = parts(&message);
        assert_eq!(salts.insert(salt, number), None, "a salt repeats");
        assert_eq!(open(&mut at_bob, &message, NOW), Ok(text.to_vec()));
    }
    assert_eq!(salts.len(), 200);

    // Two conversations begun by a dead generator: the bundle and the time keep them apart; the same of both gives
    // the same bytes, and the texts in it still have salts of their own.
    let mut bob = Device::new("bob", 353);
    let bundles: Vec<_> = (0..2).map(|_| bob.bundle(NOW)).collect();
    let begin = |bundle: usize, now: u64, text: &[u8]| {
        let mut conversation = Conversation::new(*bundles[bundle].identity());
        let mut rng = ConstantRng(7);
        conversation
            .begin(&alice.identity, &bundles[bundle], now, &mut rng)
            .unwrap();
        conversation
            .seal(&alice.identity, text, now, &mut rng)
            .unwrap()
    };
    let one = begin(0, NOW, b"text");
    assert_eq!(one, begin(0, NOW, b"text"));
    let other_text = begin(0, NOW, b"texts");
    assert_eq!(one[..first::FRAME], other_text[..first::FRAME]);
    assert_ne!(
        one[first::FRAME + 8..first::FRAME + 24],
        other_text[first::FRAME + 8..first::FRAME + 24]
    );
    for other in [begin(1, NOW, b"text"), begin(0, NOW + 1, b"text")] {
        assert_ne!(one[first::EPHEMERAL], other[first::EPHEMERAL]);
        assert_ne!(one[first::CIPHERTEXT], other[first::CIPHERTEXT]);
    }
    // One-time keys, rotations and exports.
    let made = bob
        .prekeys
        .replenish(&bob.identity, 3, NOW, &mut ConstantRng(0))
        .unwrap();
    assert_ne!(made[0][bundle::ONE_TIME_KEY], made[1][bundle::ONE_TIME_KEY]);
    assert_ne!(made[1][bundle::KEM_KEY], made[2][bundle::KEM_KEY]);
    let slot = |generation| Slot {
        store_key: b"test",
        generation,
    };
    let exported = |generation| {
        export(
            &bob.prekeys,
            &bob.identity,
            slot(generation),
            &key(),
            &mut ConstantRng(0),
        )
        .unwrap()
    };
    assert_ne!(exported(1)[8..40], exported(2)[8..40], "a salt repeats");
    assert_eq!(exported(1), exported(1));
}

/// Alice goes back to a state of before: what each side says, and that beginning anew mends it.
#[test]
fn attack_s3_restored_backup() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(360);
    let sent: Vec<_> = (0..3u8)
        .map(|n| alice.seal(&mut at_alice, &[n], NOW))
        .collect();
    let backup = copy(&at_alice, &alice.identity);
    for message in &sent {
        open(&mut at_bob, message, NOW).unwrap();
    }
    for n in 3..6u8 {
        let message = alice.seal(&mut at_alice, &[n], NOW);
        assert_eq!(open(&mut at_bob, &message, NOW), Ok(vec![n]));
    }
    let answer = bob.seal(&mut at_bob, b"answer", NOW);
    open(&mut at_alice, &answer, NOW).unwrap();
    let message = alice.seal(&mut at_alice, b"next chain", NOW);
    open(&mut at_bob, &message, NOW).unwrap();
    let late = bob.seal(&mut at_bob, b"to the next chain", NOW);

    // Back: the numbers 3, 4, 5 are used again. Bob has closed the chain, and takes them for repeated.
    at_alice = backup;
    let again = alice.seal(&mut at_alice, b"again", NOW);
    let before = Whole::of(&bob, Some(&at_bob));
    assert_eq!(open(&mut at_bob, &again, NOW), Err(Error::Duplicate));
    before.assert_same(&bob, Some(&at_bob));
    // What Bob answered to a key that is lost is nobody's here.
    let before = Whole::of(&alice, Some(&at_alice));
    assert_eq!(open(&mut at_alice, &late, NOW), Err(Error::NoSession));
    before.assert_same(&alice, Some(&at_alice));
    assert_eq!(Error::NoSession.action(), Action::AskAgain);
    // What he answered to the key of the backup is read once more.
    assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"answer".to_vec()));
    // And the next chain of the backup contradicts the one that Bob knows.
    let message = alice.seal(&mut at_alice, b"other chain", NOW);
    let before = Whole::of(&bob, Some(&at_bob));
    assert_eq!(open(&mut at_bob, &message, NOW), Err(Error::Forked));
    before.assert_same(&bob, Some(&at_bob));
    let before = Whole::of(&alice, Some(&at_alice));
    assert_eq!(open(&mut at_alice, &late, NOW), Err(Error::Forked));
    before.assert_same(&alice, Some(&at_alice));

    // Beginning anew mends it on both sides.
    let bundle = bob.bundle(NOW);
    at_alice
        .begin(&alice.identity, &bundle, NOW, &mut alice.rng)
        .unwrap();
    let first = alice.seal(&mut at_alice, b"anew", NOW);
    let incoming = Incoming::parse(&first).unwrap();
    let staged = subrosa::StagedFirst::stage(&incoming, &bob.identity, &bob.prekeys, NOW).unwrap();
    let opened = staged.accept(&mut at_bob, &mut bob.prekeys, NOW).unwrap();
    assert!(!opened.old_state);
    let answer = bob.seal(&mut at_bob, b"well", NOW);
    assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"well".to_vec()));
}

/// Set back within a chain that Bob still reads: he sees the number used twice.
#[test]
fn attack_s3_restored_within_a_chain() {
    let (mut alice, mut at_alice, bob, mut at_bob) = pair(370);
    let message = alice.seal(&mut at_alice, b"0", NOW);
    open(&mut at_bob, &message, NOW).unwrap();
    let backup = snapshot(&at_alice, &alice.identity);
    for text in [b"1", b"2"] {
        let message = alice.seal(&mut at_alice, text, NOW);
        open(&mut at_bob, &message, NOW).unwrap();
    }
    at_alice = import(&backup, SLOT, &key()).unwrap();
    for _ in 1..=2 {
        let message = alice.seal(&mut at_alice, b"again", NOW);
        let before = Whole::of(&bob, Some(&at_bob));
        assert_eq!(open(&mut at_bob, &message, NOW), Err(Error::Forked));
        before.assert_same(&bob, Some(&at_bob));
    }
    // From the first number that is new, texts arrive again.
    let message = alice.seal(&mut at_alice, b"3", NOW);
    assert_eq!(open(&mut at_bob, &message, NOW), Ok(b"3".to_vec()));
}

/// Bob goes back to a state of before: messages that he has read, he reads again; the rest is as it was.
#[test]
fn attack_s3_restored_reader() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(380);
    let backup = snapshot(&at_bob, &bob.identity);
    let sent: Vec<_> = (0..3u8)
        .map(|n| alice.seal(&mut at_alice, &[n], NOW))
        .collect();
    for message in &sent {
        open(&mut at_bob, message, NOW).unwrap();
    }
    at_bob = import(&backup, SLOT, &key()).unwrap();
    for (n, message) in sent.iter().enumerate() {
        assert_eq!(open(&mut at_bob, message, NOW), Ok(vec![n as u8]));
        assert_eq!(open(&mut at_bob, message, NOW), Err(Error::Duplicate));
    }
    let answer = bob.seal(&mut at_bob, b"answer", NOW);
    assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"answer".to_vec()));
}

#[test]
fn attack_p15_export_with_a_failing_generator() {
    let (alice, at_alice, _, _) = pair(390);
    let mut rng = FailingRng {
        rng: SeededRng(1),
        left: 0,
    };
    let before = Whole::of(&alice, Some(&at_alice));
    for _ in 0..2 {
        let results = [
            export(&at_alice, &alice.identity, SLOT, &key(), &mut rng),
            export(&alice.prekeys, &alice.identity, SLOT, &key(), &mut rng),
            export(&alice.identity, &alice.identity, SLOT, &key(), &mut rng),
        ];
        for result in results {
            assert_eq!(result, Err(Error::Rng));
        }
    }
    before.assert_same(&alice, Some(&at_alice));
    rng.left = 1;
    let exported = export(&at_alice, &alice.identity, SLOT, &key(), &mut rng).unwrap();
    assert!(exported.len() > OVERHEAD);
    assert!(import::<Conversation>(&exported, SLOT, &key()).is_ok());
}

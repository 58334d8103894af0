//! Attacks on accounts: lists that a server changes, holds back, shows twice or sets back; lists of thieves; and what
//! somebody does who stands between two people that compare. Every case: the exact error, and the genuine list is still
//! taken.

mod common;

use std::collections::BTreeSet;

use common::SeededRng;
use common::attack::{FailingRng, flip, patch};
use common::lists::{self, Fields, Keys, Listed};
use subrosa::crypto::Secret;
use subrosa::identity::{
    AccountSecret, DeviceList, EmojiInitiator, EmojiResponder, Error, Fingerprint, IdentityKeys,
    RecoverySecret,
};
use subrosa::{Address, DeviceIdentity};

/// Numbers of `Keys`: those of the account, those that replace them, and others.
const ACCOUNT: u8 = 0;
const RECOVERY: u8 = 1;
const NEW_ACCOUNT: u8 = 2;
const NEW_RECOVERY: u8 = 3;
const THIEF: u8 = 4;
const THIEF_RECOVERY: u8 = 5;
const DEVICE: u8 = 10;

fn account_secret(number: u8) -> AccountSecret {
    AccountSecret::from_seed(&Keys::seed(number))
}

fn recovery_secret(number: u8) -> RecoverySecret {
    RecoverySecret::from_seed(&Keys::seed(number))
}

fn device(number: u8) -> DeviceIdentity {
    let address = Address::new(b"somewhere").unwrap();
    let dh = Secret::new([number; 32]);
    DeviceIdentity::from_secrets(address, &Keys::seed(number), dh).unwrap()
}

fn keys(number: u8) -> IdentityKeys {
    *device(number).public().keys()
}

fn listed(id: u32, number: u8) -> Listed {
    Listed {
        id,
        signing: *keys(number).signing_key().as_bytes(),
        dh: *keys(number).dh_key().as_bytes(),
    }
}

/// Three genuine lists of one account: two devices, then a third, then new keys without the first device.
fn genuine() -> [DeviceList; 3] {
    let account = account_secret(ACCOUNT);
    let first = DeviceList::first(&account, &recovery_secret(RECOVERY), &keys(DEVICE)).unwrap();
    let known = first.with_device(&keys(DEVICE + 1), &account).unwrap();
    let next = known.with_device(&keys(DEVICE + 2), &account).unwrap();
    let replaced = next.with_keys(
        &recovery_secret(RECOVERY),
        &account_secret(NEW_ACCOUNT),
        &recovery_secret(NEW_RECOVERY),
        |id| id != 1,
        None,
    );
    [known, next, replaced.unwrap()]
}

fn fields(list: &DeviceList) -> Fields {
    Fields::read(list.as_bytes()).unwrap()
}

/// What `change` makes of a list, signed by whoever has all keys.
fn forged(list: &DeviceList, change: impl FnOnce(&mut Fields)) -> Vec<u8> {
    let mut fields = fields(list);
    change(&mut fields);
    fields.sign(&Keys::new(40), 1);
    fields.bytes()
}

/// A list that follows `known`, likewise.
fn heir(known: &DeviceList, change: impl FnOnce(&mut Fields)) -> Vec<u8> {
    forged(known, |fields| {
        fields.version += 1;
        fields.prev_hash = *known.hash();
        change(fields);
    })
}

#[track_caller]
fn refused(bytes: &[u8]) -> Error {
    DeviceList::parse(bytes).expect_err("the list was accepted")
}

/// The list by itself is one, but not after `known`.
#[track_caller]
fn refused_after(known: &DeviceList, bytes: &[u8]) -> Error {
    let before = known.clone();
    let next = DeviceList::parse(bytes).unwrap();
    let refused = known.succession(&next).expect_err("the list was taken");
    assert_eq!(*known, before);
    refused
}

#[track_caller]
fn assert_taken(known: &DeviceList, next: &DeviceList) {
    let next = DeviceList::parse(next.as_bytes()).unwrap();
    assert!(known.succession(&next).unwrap().is_some());
}

#[test]
fn attack_h5_every_altered_bit_of_a_list() {
    let [_, next, list] = genuine();
    let bytes = list.as_bytes();
    // version, n, entry 0; entry 1 with its signature; version, prev_hash, next_id; two devices; the signature.
    assert_eq!(bytes.len(), 66 + 128 + 44 + 1 + 2 * 68 + 64);
    let (mut errors, mut malformed) = (BTreeSet::new(), BTreeSet::new());
    for bit in 0..bytes.len() * 8 {
        let altered = flip(bytes, bit);
        let error = refused(&altered);
        assert_eq!(Err(error), lists::check(&altered).map(drop), "{bit}");
        errors.insert(error.to_string());
        if error == Error::Malformed {
            malformed.insert(bit / 8);
        }
    }
    assert_eq!(errors.len(), 3);
    // By their form: the number of entries, a version that becomes 0, next_id, the number of devices, ids, and the
    // highest bits of X25519 keys. Everything else is a matter of signatures.
    let (version, next_id, devices) = (66 + 128, 66 + 128 + 40, 66 + 128 + 44);
    let ids = [devices + 1, devices + 1 + 68];
    let mut expected: BTreeSet<usize> = [1, version + 7, next_id + 3, devices].into();
    expected.extend(
        ids.iter()
            .flat_map(|id| [*id, id + 1, id + 2, id + 3, id + 67]),
    );
    assert_eq!(malformed, expected);
    assert_taken(&next, &list);
}

#[test]
fn attack_h5_every_truncation_and_every_surplus() {
    let [known, next, list] = genuine();
    for bytes in [next.as_bytes(), list.as_bytes()] {
        for length in 0..bytes.len() {
            assert_eq!(refused(&bytes[..length]), Error::Malformed, "{length}");
        }
        let surplus = [bytes, &[0]].concat();
        assert_eq!(refused(&surplus), Error::Malformed);
        // Twice as long, and none the better for it.
        assert_eq!(refused(&[bytes, bytes].concat()), Error::Malformed);
    }
    // The version comes first, whatever follows.
    assert_eq!(refused(&[0]), Error::UnknownVersion);
    assert_eq!(refused(&[2; 5000]), Error::UnknownVersion);
    assert_taken(&known, &next);
}

#[test]
fn attack_h5_a_number_in_another_than_its_shortest_form() {
    let [_, list, _] = genuine();
    let at = 66 + 44;
    assert_eq!(list.as_bytes()[at], 3);
    for header in [&[0x40, 3][..], &[0x80, 0, 0, 3], &[0xc0]] {
        let (front, back) = list.as_bytes().split_at(at);
        let altered = [front, header, &back[1..]].concat();
        assert_eq!(refused(&altered), Error::Malformed, "{header:?}");
    }
}

/// SPEC §6.4-R1, R2, by somebody who has every key.
#[test]
fn attack_h5_forms_that_no_account_makes() {
    let [known, _, list] = genuine();
    let mut bad: Vec<Vec<u8>> = Vec::new();
    let mut forge = |list: &DeviceList, change: &dyn Fn(&mut Fields)| {
        bad.push(forged(list, change));
    };
    // Versions and hashes.
    forge(&known, &|fields| fields.version = 0);
    forge(&known, &|fields| fields.version = 1);
    forge(&known, &|fields| fields.prev_hash = [0; 32]);
    forge(&list, &|fields| {
        (fields.version, fields.prev_hash) = (1, [0; 32]);
    });
    // Entries.
    forge(&known, &|fields| fields.entries.clear());
    forge(&known, &|fields| {
        let entry = |n: u8| {
            let mut entry = fields.entries[0].clone();
            entry.account = Keys::new(200).public(60 + usize::from(n));
            entry.recovery = Keys::new(200).public(80 + usize::from(n));
            entry
        };
        let more: Vec<_> = (1..=16).map(entry).collect();
        fields.entries.extend(more);
    });
    // Ids.
    forge(&known, &|fields| fields.devices[0].id = 0);
    forge(&known, &|fields| fields.devices[0].id = 2);
    forge(&known, &|fields| fields.devices.swap(0, 1));
    forge(&known, &|fields| fields.next_id = 2);
    forge(&known, &|fields| {
        fields.devices.clear();
        fields.next_id = 0;
    });
    // Thirty-three devices.
    forge(&known, &|fields| {
        fields.devices = (1..=33).map(|n| listed(n, 39 + n as u8)).collect();
        fields.next_id = 34;
    });
    // Keys that are none, or occur twice.
    forge(&known, &|fields| fields.devices[0].dh[31] |= 0x80);
    forge(&known, &|fields| fields.devices[0].dh = [0xff; 32]);
    forge(&known, &|fields| {
        fields.devices[1].signing = fields.devices[0].signing;
    });
    forge(&known, &|fields| {
        fields.devices[1].dh = fields.devices[0].dh;
    });
    forge(&known, &|fields| {
        fields.devices[1].signing = fields.entries[0].account;
    });
    forge(&known, &|fields| {
        fields.devices[1].signing = fields.entries[0].recovery;
    });
    forge(&known, &|fields| {
        fields.entries[0].recovery = fields.entries[0].account;
    });
    forge(&list, &|fields| {
        fields.entries[1].recovery = fields.entries[0].recovery;
    });
    forge(&list, &|fields| {
        fields.entries[1].account = fields.entries[0].account;
    });
    for (number, bytes) in bad.iter().enumerate() {
        assert_eq!(refused(bytes), Error::Malformed, "{number}");
        assert_eq!(lists::check(bytes), Err(Error::Malformed), "{number}");
    }
    // The same hand makes good ones.
    let bytes = forged(&list, |fields| {
        fields.devices.clear();
        fields.next_id = u32::MAX;
    });
    assert_eq!(DeviceList::parse(&bytes).unwrap().as_bytes(), bytes);
}

/// SPEC §6.4-R3.
#[test]
fn attack_h5_a_list_signed_by_somebody_else() {
    let [known, next, list] = genuine();
    // The list's signature by a device, by the recovery key, by the replaced account key, by nobody.
    let sign_as = |number: u8| {
        let mut fields = fields(&list);
        fields.entries[1].account = Keys::new(40).public(usize::from(number));
        fields.sign(&Keys::new(40), 2);
        let end = list.as_bytes().len();
        patch(list.as_bytes(), end - 64..end, &fields.signature)
    };
    for number in [ACCOUNT, NEW_RECOVERY, DEVICE + 1, THIEF] {
        assert_eq!(refused(&sign_as(number)), Error::BadSignature);
    }
    let end = list.as_bytes().len();
    for signature in [[0; 64], [0xff; 64]] {
        let altered = patch(list.as_bytes(), end - 64..end, &signature);
        assert_eq!(refused(&altered), Error::BadSignature);
    }
    // A signature of another list of the same account.
    let end = next.as_bytes().len();
    let other = known.as_bytes().last_chunk::<64>().unwrap();
    let altered = patch(next.as_bytes(), end - 64..end, other);
    assert_eq!(refused(&altered), Error::BadSignature);
    // A new entry without the recovery key: the account key alone replaces nothing.
    let mut stolen = fields(&list);
    stolen.entries[1].account = Keys::new(40).public(usize::from(THIEF));
    stolen.sign(&Keys::new(40), 2);
    assert_eq!(refused(&stolen.bytes()), Error::BadSignature);
    // The recovery signature is bound to its account and its place.
    let mut moved = fields(&list);
    moved.entries[0].account = Keys::new(40).public(usize::from(THIEF));
    moved.sign(&Keys::new(40), 2);
    assert_eq!(refused(&moved.bytes()), Error::BadSignature);
    assert_taken(&next, &list);
}

#[test]
fn attack_h5_a_small_order_key_signs_for_anybody() {
    let [_, _, list] = genuine();
    // The neutral element as account key, with which R = identity and S = 0 would fit every message.
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut fields = fields(&list);
    fields.entries[1].account = identity;
    fields.sign(&Keys::new(40), 1);
    fields.signature = [0; 64];
    fields.signature[0] = 1;
    assert_eq!(refused(&fields.bytes()), Error::BadSignature);
}

/// SPEC §6.4-R4, R5.
#[test]
fn attack_h5_the_list_of_another_account() {
    let [known, next, _] = genuine();
    let other = DeviceList::first(
        &account_secret(THIEF),
        &recovery_secret(THIEF_RECOVERY),
        &keys(DEVICE),
    );
    let other = other.unwrap();
    let id = *known.account_id();
    let read = DeviceList::parse(other.as_bytes()).unwrap();
    assert_eq!(read.require_account(&id), Err(Error::OtherAccount));
    assert_eq!(known.require_account(&id), Ok(()));
    assert_eq!(refused_after(&known, other.as_bytes()), Error::OtherAccount);
    // Also as if it followed: the name is looked at first.
    let heir = heir(&known, |fields| {
        fields.entries[0].recovery = Keys::new(40).public(usize::from(THIEF_RECOVERY));
    });
    assert_eq!(refused_after(&known, &heir), Error::OtherAccount);
    assert_taken(&known, &next);
}

/// SPEC §6.4-R6.
#[test]
fn attack_h5_a_list_is_set_back() {
    let [known, next, list] = genuine();
    let old = refused_after(&next, known.as_bytes());
    assert_eq!(old, Error::OldList);
    assert_eq!(refused_after(&list, known.as_bytes()), Error::OldList);
    // An older version with other devices is old, not a contradiction: it is looked at no further.
    let other = forged(&known, |fields| fields.devices.clear());
    assert_eq!(refused_after(&next, &other), Error::OldList);
    // Shown again, it changes nothing.
    let same = DeviceList::parse(next.as_bytes()).unwrap();
    assert_eq!(next.succession(&same), Ok(None));
    assert_taken(&next, &list);
}

/// SPEC §6.4-R6, R7: the owner, or a thief of the account key, tells two people different things.
#[test]
fn attack_h5_two_lists_of_one_version() {
    let [known, next, list] = genuine();
    let account = account_secret(ACCOUNT);
    let fork = known.with_device(&keys(30), &account).unwrap();
    assert_eq!(fork.version(), next.version());
    assert_eq!(refused_after(&next, fork.as_bytes()), Error::Equivocation);
    assert_eq!(refused_after(&fork, next.as_bytes()), Error::Equivocation);
    // A list behind a fork names another one before it.
    assert_eq!(refused_after(&fork, list.as_bytes()), Error::Equivocation);
    // One bit of the hash is enough.
    for bit in [0, 7, 100, 255] {
        let heir = heir(&known, |fields| {
            fields.prev_hash = flip(&fields.prev_hash, bit).try_into().unwrap();
        });
        assert_eq!(refused_after(&known, &heir), Error::Equivocation, "{bit}");
    }
    assert_taken(&known, &next);
}

/// SPEC §6.4-R7.
#[test]
fn attack_h5_lists_in_between_are_held_back() {
    let [known, next, list] = genuine();
    let behind = refused_after(&known, list.as_bytes());
    assert_eq!(behind, Error::MissingLists);
    let last = heir(&known, |fields| fields.version = u64::MAX);
    assert_eq!(refused_after(&known, &last), Error::MissingLists);
    assert_taken(&known, &next);
    assert_taken(&next, &list);
    // The last list of all has none behind it, and makes none.
    let last = DeviceList::parse(&last).unwrap();
    let account = account_secret(ACCOUNT);
    let after = last.with_device(&keys(30), &account);
    assert_eq!(after, Err(Error::Exhausted));
    assert_eq!(last.without_device(1, &account), Err(Error::Exhausted));
    assert_eq!(last.succession(&known), Err(Error::OldList));
    assert_eq!(last.succession(&last), Ok(None));
}

/// SPEC §6.4-R8. A thief of the old account key, or of the old recovery key, after both were replaced.
#[test]
fn attack_h13_a_replaced_key_signs_nothing() {
    let [_, next, list] = genuine();
    let account = account_secret(ACCOUNT);
    // The old account key goes on by itself: as if the keys had never been replaced.
    let heir_of_list = heir(&list, |fields| {
        fields.entries.truncate(1);
    });
    let error = refused_after(&list, &heir_of_list);
    assert_eq!(error, Error::BadSignature);
    // From the list before, it is a contradiction.
    let fork = next.with_device(&keys(30), &account).unwrap();
    assert_eq!(refused_after(&list, fork.as_bytes()), Error::Equivocation);
    // The old recovery key names another heir.
    let other_heir = heir(&list, |fields| {
        fields.entries[1].account = Keys::new(40).public(usize::from(THIEF));
        fields.entries[1].recovery = Keys::new(40).public(usize::from(THIEF_RECOVERY));
    });
    assert_eq!(refused_after(&list, &other_heir), Error::BadSignature);
    // Also if only the recovery key is another one.
    let other_heir = heir(&list, |fields| {
        fields.entries[1].recovery = Keys::new(40).public(usize::from(THIEF_RECOVERY));
    });
    assert_eq!(refused_after(&list, &other_heir), Error::BadSignature);
    let genuine = list.with_device(&keys(30), &account_secret(NEW_ACCOUNT));
    assert_taken(&list, &genuine.unwrap());
}

/// SPEC §6.4-R8: a server with the account key cannot exchange the keys of a device without a new device showing.
#[test]
fn attack_h13_device_with_other_keys() {
    let [known, next, _] = genuine();
    let other_signing = heir(&known, |fields| {
        fields.devices[0].signing = *keys(30).signing_key().as_bytes();
    });
    assert_eq!(refused_after(&known, &other_signing), Error::Malformed);
    let other_dh = heir(&known, |fields| {
        fields.devices[0].dh = *keys(30).dh_key().as_bytes();
    });
    assert_eq!(refused_after(&known, &other_dh), Error::Malformed);
    let swapped = heir(&known, |fields| {
        fields.devices = vec![listed(1, DEVICE + 1), listed(2, DEVICE)];
    });
    assert_eq!(refused_after(&known, &swapped), Error::Malformed);
    // Under a new id, it shows.
    let bytes = heir(&known, |fields| {
        fields.devices.remove(0);
        fields.devices.push(listed(3, 30));
        fields.next_id = 4;
    });
    let shown = DeviceList::parse(&bytes).unwrap();
    let change = known.succession(&shown).unwrap().unwrap();
    assert_eq!((change.added, change.removed), (vec![3], vec![1]));
    assert_taken(&known, &next);
}

/// SPEC §6.4-R8.
#[test]
fn attack_h13_an_id_given_twice() {
    let [known, _, _] = genuine();
    let account = account_secret(ACCOUNT);
    let without = known.without_device(1, &account).unwrap();
    assert_taken(&known, &without);
    // The id of the device that left, for another one and for the same.
    for number in [30, DEVICE] {
        let again = heir(&without, |fields| {
            fields.devices.insert(0, listed(1, number))
        });
        assert_eq!(refused_after(&without, &again), Error::Malformed);
    }
    // First the counter is set back, so that the next list could.
    let back = heir(&without, |fields| {
        fields.devices.clear();
        fields.next_id = 2;
    });
    assert_eq!(refused_after(&without, &back), Error::Malformed);
    let good = without.with_device(&keys(30), &account).unwrap();
    assert_eq!(good.devices()[1].id(), 3);
    assert_taken(&without, &good);
}

/// The last id is given out once, and then no more.
#[test]
fn attack_h13_ids_run_out() {
    let [known, _, _] = genuine();
    let account = account_secret(ACCOUNT);
    let bytes = heir(&known, |fields| fields.next_id = u32::MAX - 1);
    let list = DeviceList::parse(&bytes).unwrap();
    let last = list.with_device(&keys(30), &account).unwrap();
    assert_eq!(last.devices()[2].id(), u32::MAX - 1);
    assert_taken(&list, &last);
    assert_eq!(last.with_device(&keys(31), &account), Err(Error::Exhausted));
    assert!(last.without_device(1, &account).is_ok());
}

/// Who has the recovery key can replace the account key, and nobody overlooks it.
#[test]
fn attack_h13_account_key_replaced_is_told() {
    let [known, next, list] = genuine();
    let change = next.succession(&list).unwrap().unwrap();
    assert!(change.keys_changed);
    assert_eq!((change.added, change.removed), (vec![], vec![1]));
    assert_ne!(Fingerprint::of(&list), Fingerprint::of(&next));
    assert_eq!(list.account_id(), known.account_id());
    // With the same devices, and nothing else, it is told as well.
    let taken_over = known.with_keys(
        &recovery_secret(RECOVERY),
        &account_secret(THIEF),
        &recovery_secret(THIEF_RECOVERY),
        |_| true,
        None,
    );
    let change = known.succession(&taken_over.unwrap()).unwrap().unwrap();
    assert!(change.keys_changed);
    assert_eq!((change.added, change.removed), (vec![], vec![]));
    // Two replacements in one list are told once.
    let twice = heir(&known, |fields| {
        for number in [NEW_ACCOUNT, THIEF] {
            let mut entry = fields.entries[0].clone();
            entry.account = Keys::new(40).public(usize::from(number));
            entry.recovery = Keys::new(40).public(usize::from(number) + 1);
            fields.entries.push(entry);
        }
    });
    let twice = DeviceList::parse(&twice).unwrap();
    assert_eq!(twice.entries(), 3);
    assert!(known.succession(&twice).unwrap().unwrap().keys_changed);
    // A change of devices alone is not.
    assert!(!known.succession(&next).unwrap().unwrap().keys_changed);
}

fn fingerprints() -> [Fingerprint; 3] {
    [ACCOUNT, NEW_ACCOUNT, THIEF].map(|number| {
        let (account, recovery) = (account_secret(number), recovery_secret(number + 1));
        let list = DeviceList::first(&account, &recovery, &keys(DEVICE)).unwrap();
        Fingerprint::of(&list)
    })
}

/// SPEC §6.6: r_A is fixed before r_B is known.
#[test]
fn attack_h13_emoji_with_another_r_than_was_committed_to() {
    let [a, b, _] = fingerprints();
    let (at_alice, at_bob) = (device(DEVICE), device(DEVICE + 1));
    let mut rng = SeededRng(1);
    let start = |rng: &mut SeededRng| EmojiInitiator::start(&a, &b, &at_alice, rng).unwrap();
    let answer =
        |commit, rng: &mut SeededRng| EmojiResponder::answer(&b, &a, commit, &at_bob, rng).unwrap();
    for bit in 0..256 {
        let (initiator, commit) = start(&mut rng);
        let (responder, r_b) = answer(commit, &mut rng);
        let (r_a, _) = initiator.reveal(&r_b);
        let other: [u8; 32] = flip(&r_a, bit).try_into().unwrap();
        assert_eq!(responder.finish(&other), Err(Error::BadCommitment));
    }
    // Of another run.
    let ((first, commit), (second, _)) = (start(&mut rng), start(&mut rng));
    let (responder, r_b) = answer(commit, &mut rng);
    let (r_a, _) = second.reveal(&r_b);
    assert_eq!(responder.finish(&r_a), Err(Error::BadCommitment));
    let (responder, r_b) = answer(commit, &mut rng);
    let (r_a, shown) = first.reveal(&r_b);
    assert_eq!(responder.finish(&r_a), Ok(shown));
}

/// Somebody between the two plays each against the other, with his account in the place of theirs: what he passes on
/// does not fit, and what he makes himself shows other emoji.
#[test]
fn attack_h13_emoji_with_somebody_in_between() {
    let [a, b, m] = fingerprints();
    let (at_alice, at_bob, at_mallory) = (device(DEVICE), device(DEVICE + 1), device(DEVICE + 2));
    let mut rng = SeededRng(2);
    // Passed on: the commitment names the accounts.
    let (initiator, commit) = EmojiInitiator::start(&a, &m, &at_alice, &mut rng).unwrap();
    let (responder, r_b) = EmojiResponder::answer(&b, &m, commit, &at_bob, &mut rng).unwrap();
    let (r_a, _) = initiator.reveal(&r_b);
    assert_eq!(responder.finish(&r_a), Err(Error::BadCommitment));
    // Two runs of his own.
    let (alice, commit) = EmojiInitiator::start(&a, &m, &at_alice, &mut rng).unwrap();
    let (to_bob, own) = EmojiInitiator::start(&m, &b, &at_mallory, &mut rng).unwrap();
    let (bob, r_b) = EmojiResponder::answer(&b, &m, own, &at_bob, &mut rng).unwrap();
    let (to_alice, r_m) = EmojiResponder::answer(&m, &a, commit, &at_mallory, &mut rng).unwrap();
    let (r_a, at_alice) = alice.reveal(&r_m);
    let (r_m, seen) = to_bob.reveal(&r_b);
    let at_bob = bob.finish(&r_m).unwrap();
    assert_eq!((to_alice.finish(&r_a), seen), (Ok(at_alice), at_bob));
    assert_ne!(at_alice, at_bob);
    // Roles are bound: A's commitment sent back to A is none of B's.
    let (initiator, commit) = EmojiInitiator::start(&a, &b, &device(DEVICE), &mut rng).unwrap();
    let (responder, r_b) =
        EmojiResponder::answer(&a, &b, commit, &device(DEVICE), &mut rng).unwrap();
    let (r_a, _) = initiator.reveal(&r_b);
    assert_eq!(responder.finish(&r_a), Err(Error::BadCommitment));
}

/// SPEC §3.6: under a generator that repeats, r still differs by device, by role and by peer.
#[test]
fn attack_h13_emoji_under_a_generator_that_repeats() {
    let [a, b, m] = fingerprints();
    let (at_alice, at_bob) = (device(DEVICE), device(DEVICE + 1));
    let r = |own, peer, device| {
        let commit = [0; 32];
        let rng = &mut SeededRng(3);
        EmojiResponder::answer(own, peer, commit, device, rng)
            .unwrap()
            .1
    };
    let (initiator, _) = EmojiInitiator::start(&a, &b, &at_alice, &mut SeededRng(3)).unwrap();
    let (r_a, _) = initiator.reveal(&[0; 32]);
    // The same device, purpose and context: one value, whatever the role.
    assert_eq!(r(&a, &b, &at_alice), r_a);
    let all = [
        r_a,
        r(&a, &m, &at_alice),
        r(&b, &a, &at_bob),
        r(&a, &b, &at_bob),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn attack_h13_a_generator_that_fails_makes_nothing() {
    let [a, b, _] = fingerprints();
    let mut broken = FailingRng {
        rng: SeededRng(4),
        left: 0,
    };
    assert_eq!(AccountSecret::generate(&mut broken).err(), Some(Error::Rng));
    assert_eq!(
        RecoverySecret::generate(&mut broken).err(),
        Some(Error::Rng)
    );
    let at_alice = device(DEVICE);
    let start = EmojiInitiator::start(&a, &b, &at_alice, &mut broken);
    assert_eq!(start.err(), Some(Error::Rng));
    let answer = EmojiResponder::answer(&a, &b, [0; 32], &at_alice, &mut broken);
    assert_eq!(answer.err(), Some(Error::Rng));
    assert!(EmojiInitiator::start(&a, &b, &at_alice, &mut SeededRng(4)).is_ok());
}

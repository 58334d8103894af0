//! Accounts and their device lists (SPEC §6.3, §6.4), as an app uses them; fingerprints and emoji (§6.5, §6.6).

mod common;

use common::SeededRng;
use subrosa::crypto::Secret;
use subrosa::crypto::hash::sha256;
use subrosa::identity::limits::{DEVICE_LIST_MAX, DEVICES_MAX, ENTRIES_MAX};
use subrosa::identity::{
    AccountId, AccountKeys, AccountSecret, Change, DeviceList, EmojiInitiator, EmojiResponder,
    Error, Fingerprint, IdentityKeys, RecoverySecret,
};
use subrosa::{Address, DeviceIdentity};

fn device(seed: u64) -> DeviceIdentity {
    let address = Address::new(b"somewhere").unwrap();
    DeviceIdentity::generate(address, &mut SeededRng(seed)).unwrap()
}

fn keys(seed: u64) -> IdentityKeys {
    *device(seed).public().keys()
}

fn secrets(seed: u64) -> (AccountSecret, RecoverySecret) {
    let mut rng = SeededRng(seed);
    let account = AccountSecret::generate(&mut rng).unwrap();
    (account, RecoverySecret::generate(&mut rng).unwrap())
}

/// A new account with one device.
fn account(seed: u64) -> (AccountSecret, RecoverySecret, DeviceList) {
    let (account, recovery) = secrets(seed);
    let list = DeviceList::first(&account, &recovery, &keys(seed + 1)).unwrap();
    (account, recovery, list)
}

fn ids(list: &DeviceList) -> Vec<u32> {
    list.devices().iter().map(|device| device.id()).collect()
}

/// Others read it, and see what its maker has.
#[track_caller]
fn assert_read_by_others(list: &DeviceList) {
    let read = DeviceList::parse(list.as_bytes()).unwrap();
    assert_eq!(read, *list);
    assert_eq!(read.require_account(list.account_id()), Ok(()));
}

#[test]
fn a_first_list_has_one_device_and_its_own_name() {
    let (account, recovery, list) = account(1);
    assert_read_by_others(&list);
    assert_eq!((list.version(), list.entries(), list.next_id()), (1, 1, 2));
    assert_eq!(ids(&list), [1]);
    assert_eq!(list.device(1).unwrap().keys(), &keys(2));
    assert_eq!(list.device(2), None);
    assert_eq!(*list.keys(), AccountKeys::new(&account, &recovery));
    // By the formulas of SPEC §6.3 and §6.4.
    let (public, offline) = (account.verifying_key(), recovery.verifying_key());
    let label = b"subrosa/1 account\0";
    let id = sha256(&[label, public.as_bytes(), offline.as_bytes()]);
    assert_eq!(list.account_id().as_bytes(), &id);
    assert_eq!(AccountId::from_bytes(id), list.keys().account_id());
    let expected = [
        &[1, 1][..],
        public.as_bytes(),
        offline.as_bytes(),
        &1u64.to_be_bytes(),
        &[0; 32],
        &[0, 0, 0, 2],
        &[1, 0, 0, 0, 1],
        keys(2).signing_key().as_bytes(),
        keys(2).dh_key().as_bytes(),
    ]
    .concat();
    assert_eq!(list.as_bytes()[..expected.len()], expected);
    assert_eq!(list.as_bytes().len(), expected.len() + 64);
    let signed = [&b"subrosa/1 devices\0"[..], &expected].concat();
    assert_eq!(*list.hash(), sha256(&[&signed]));
}

#[test]
fn devices_come_and_go_and_no_id_comes_back() {
    let (account, _, first) = account(10);
    let second = first.with_device(&keys(20), &account).unwrap();
    let third = second.without_device(1, &account).unwrap();
    let fourth = third.with_device(&keys(21), &account).unwrap();
    // A device that left joins again, under a new id.
    let fifth = fourth.with_device(&keys(11), &account).unwrap();
    let lists = [first, second, third, fourth, fifth];
    let expected: [&[u32]; 5] = [&[1], &[1, 2], &[2], &[2, 3], &[2, 3, 4]];
    for (version, (list, expected)) in (1..).zip(lists.iter().zip(expected)) {
        assert_eq!((list.version(), &ids(list)[..]), (version, expected));
        assert_read_by_others(list);
        assert_eq!(list.succession(list), Ok(None));
    }
    let change = |added: &[u32], removed: &[u32]| {
        Ok(Some(Change {
            added: added.to_vec(),
            removed: removed.to_vec(),
            keys_changed: false,
        }))
    };
    assert_eq!(lists[0].succession(&lists[1]), change(&[2], &[]));
    assert_eq!(lists[1].succession(&lists[2]), change(&[], &[1]));
    assert_eq!(lists[2].succession(&lists[3]), change(&[3], &[]));
    assert_eq!(lists[3].succession(&lists[4]), change(&[4], &[]));
}

#[test]
fn an_account_without_devices_is_closed_and_opens_again() {
    let (account, _, first) = account(30);
    let closed = first.without_device(1, &account).unwrap();
    assert_read_by_others(&closed);
    assert_eq!(closed.devices(), []);
    let opened = closed.with_device(&keys(32), &account).unwrap();
    assert_eq!(ids(&opened), [2]);
    assert!(closed.succession(&opened).unwrap().is_some());
}

#[test]
fn the_recovery_key_replaces_a_lost_primary_in_one_list() {
    let (account, recovery, first) = account(40);
    let list = first.with_device(&keys(50), &account).unwrap();
    // Device 1 is lost with the account key. What is left: the seed on paper, and a new device.
    let recovery = RecoverySecret::from_seed(&Secret::new(*recovery.seed().expose()));
    let (new, next_recovery) = secrets(60);
    let added = keys(51);
    let next = list
        .with_keys(&recovery, &new, &next_recovery, |id| id != 1, Some(&added))
        .unwrap();
    assert_read_by_others(&next);
    assert_eq!(next.account_id(), list.account_id());
    assert_eq!(*next.keys(), AccountKeys::new(&new, &next_recovery));
    assert_eq!((next.entries(), &ids(&next)[..]), (2, &[2, 3][..]));
    let change = list.succession(&next).unwrap().unwrap();
    assert_eq!((change.added, change.removed), (vec![3], vec![1]));
    assert!(change.keys_changed);
    // The old key signs nothing any more, the new one does; so with the recovery keys.
    let old = next.with_device(&keys(52), &account);
    assert_eq!(old, Err(Error::WrongKey));
    let old = next.without_device(2, &account);
    assert_eq!(old, Err(Error::WrongKey));
    let after = next.with_device(&keys(52), &new).unwrap();
    assert_eq!(ids(&after), [2, 3, 4]);
    assert!(!next.succession(&after).unwrap().unwrap().keys_changed);
    let (last, last_recovery) = secrets(61);
    let replace = |recovery| after.with_keys(recovery, &last, &last_recovery, |_| true, None);
    assert_eq!(replace(&recovery), Err(Error::WrongKey));
    let after_all = replace(&next_recovery).unwrap();
    assert_read_by_others(&after_all);
    assert_eq!(
        (after_all.entries(), ids(&after_all)),
        (3, ids(&after)),
        "all devices stay"
    );
}

#[test]
fn an_account_is_bounded() {
    let (account, recovery, mut list) = account(70);
    for seed in 1..DEVICES_MAX as u64 {
        list = list.with_device(&keys(100 + seed), &account).unwrap();
    }
    assert_eq!(list.devices().len(), DEVICES_MAX);
    let one_more = list.with_device(&keys(99), &account);
    assert_eq!(one_more, Err(Error::TooManyDevices));
    let mut recovery = recovery;
    for seed in 1..ENTRIES_MAX as u64 {
        let (account, next) = secrets(200 + seed);
        let too_many = list.with_keys(&recovery, &account, &next, |_| true, Some(&keys(98)));
        assert_eq!(too_many, Err(Error::TooManyDevices));
        list = list
            .with_keys(&recovery, &account, &next, |_| true, None)
            .unwrap();
        recovery = next;
    }
    assert_read_by_others(&list);
    assert_eq!(list.entries(), ENTRIES_MAX);
    assert_eq!(list.as_bytes().len(), DEVICE_LIST_MAX);
    let (account, next) = secrets(300);
    let one_more = list.with_keys(&recovery, &account, &next, |_| true, None);
    assert_eq!(one_more, Err(Error::TooManyKeys));
}

#[test]
fn an_account_makes_no_list_that_others_refuse() {
    let (account, recovery, list) = account(400);
    let known = keys(401);
    assert_eq!(list.with_device(&known, &account), Err(Error::KeyInUse));
    assert_eq!(list.without_device(2, &account), Err(Error::UnknownDevice));
    let (other, other_recovery) = secrets(402);
    let refused = list.with_device(&keys(403), &other);
    assert_eq!(refused, Err(Error::WrongKey));
    let with = |account, next| list.with_keys(&recovery, account, next, |_| true, None);
    assert_eq!(with(&account, &other_recovery), Err(Error::KeyInUse));
    assert_eq!(with(&other, &recovery), Err(Error::KeyInUse));
    // The same seed for both.
    let same = RecoverySecret::from_seed(&other.seed());
    assert_eq!(with(&other, &same), Err(Error::KeyInUse));
    let first = DeviceList::first(&other, &same, &known);
    assert_eq!(first, Err(Error::KeyInUse));
    // A key of the account cannot be that of a device.
    let identity = DeviceIdentity::from_secrets(
        Address::new(b"x").unwrap(),
        &other.seed(),
        Secret::new([9; 32]),
    );
    let identity = identity.unwrap();
    let both = DeviceList::first(&other, &other_recovery, identity.public().keys());
    assert_eq!(both, Err(Error::KeyInUse));
    assert_read_by_others(&with(&other, &other_recovery).unwrap());
}

#[test]
fn an_address_names_the_account_and_the_device() {
    let (_, _, list) = account(500);
    let id = *list.account_id();
    for device in [1, 2, 0x0102_0304, u32::MAX] {
        let address = id.device(device);
        let bytes = [&id.as_bytes()[..], &device.to_be_bytes()].concat();
        assert_eq!(address.as_bytes(), bytes);
        assert_eq!(AccountId::of(&address), Some((id, device)));
    }
    assert_eq!(AccountId::of(&id.device(0)), None);
    let bytes = [id.device(1).as_bytes(), b"x"].concat();
    for length in (1..36).chain([37]) {
        let address = Address::new(&bytes[..length]).unwrap();
        assert_eq!(AccountId::of(&address), None, "{length}");
    }
}

/// SPEC §6.5, by its definition.
fn thirty_digits(fingerprint: &Fingerprint) -> String {
    let groups = fingerprint.as_bytes()[..30].chunks(5).map(|five| {
        let number = five
            .iter()
            .fold(0u64, |sum, byte| sum * 256 + u64::from(*byte));
        format!("{:05}", number % 100_000)
    });
    groups.collect()
}

#[test]
fn both_sides_read_the_same_digits_and_scan_each_other() {
    let ((_, _, alice), (_, _, bob)) = (account(600), account(610));
    let (a, b) = (Fingerprint::of(&alice), Fingerprint::of(&bob));
    let label = b"subrosa/1 fingerprint\0";
    let keys = alice.keys();
    let parts: [&[u8]; 4] = [
        label,
        alice.account_id().as_bytes(),
        keys.account_key().as_bytes(),
        keys.recovery_key().as_bytes(),
    ];
    assert_eq!(*a.as_bytes(), sha256(&parts));
    let digits = Fingerprint::digits(&a, &b);
    assert_eq!(digits, Fingerprint::digits(&b, &a));
    let (low, high) = (a.min(b), a.max(b));
    let expected = thirty_digits(&low) + &thirty_digits(&high);
    assert_eq!(digits.as_bytes(), expected.as_bytes());
    let shown = digits.to_string();
    assert_eq!(shown.replace(' ', ""), expected);
    assert!(shown.split(' ').all(|group| group.len() == 5));
    // Leading zeros are shown.
    let zeros = Fingerprint::from_bytes([0; 32]);
    let digits = Fingerprint::digits(&zeros, &zeros);
    assert_eq!(digits.as_bytes(), &[b'0'; 60]);

    let at_alice = Fingerprint::qr(&a, &b);
    let expected = [&[1][..], a.as_bytes(), b.as_bytes()].concat();
    assert_eq!(at_alice[..], expected);
    assert_eq!(Fingerprint::matches(&b, &a, &at_alice), Ok(true));
    // The own code, held before the own camera.
    assert_eq!(Fingerprint::matches(&a, &b, &at_alice), Ok(false));
    for bit in 0..at_alice.len() * 8 {
        let altered = common::attack::flip(&at_alice, bit);
        let expected = if bit < 8 {
            Err(Error::UnknownVersion)
        } else {
            Ok(false)
        };
        assert_eq!(Fingerprint::matches(&b, &a, &altered), expected, "{bit}");
    }
    for length in 0..65 {
        let short = Fingerprint::matches(&b, &a, &at_alice[..length]);
        assert_eq!(short, Err(Error::Malformed));
    }
    let long = [&at_alice[..], &[0]].concat();
    assert_eq!(Fingerprint::matches(&b, &a, &long), Err(Error::Malformed));
}

#[test]
fn a_fingerprint_changes_with_the_keys_and_not_with_the_devices() {
    let (account, recovery, list) = account(620);
    let more = list.with_device(&keys(630), &account).unwrap();
    assert_eq!(Fingerprint::of(&more), Fingerprint::of(&list));
    let (new, next) = secrets(640);
    let replaced = more
        .with_keys(&recovery, &new, &next, |_| true, None)
        .unwrap();
    assert_ne!(Fingerprint::of(&replaced), Fingerprint::of(&list));
}

#[test]
fn both_sides_see_the_same_emoji() {
    let ((_, _, alice), (_, _, bob)) = (account(700), account(710));
    let (a, b) = (Fingerprint::of(&alice), Fingerprint::of(&bob));
    let (at_alice, at_bob) = (device(701), device(711));
    let mut seen = Vec::new();
    for seed in 0..20 {
        let mut rng = SeededRng(seed);
        let (initiator, commit) = EmojiInitiator::start(&a, &b, &at_alice, &mut rng).unwrap();
        let (responder, r_b) = EmojiResponder::answer(&b, &a, commit, &at_bob, &mut rng).unwrap();
        let (r_a, shown) = initiator.reveal(&r_b);
        assert_ne!(r_a, r_b);
        assert_eq!(responder.finish(&r_a), Ok(shown));
        let label = b"subrosa/1 emoji commit\0";
        let parts: [&[u8]; 4] = [label, a.as_bytes(), b.as_bytes(), &r_a];
        assert_eq!(commit, sha256(&parts));
        assert!(!seen.contains(&shown), "{shown:?}");
        assert!(
            shown
                .symbols()
                .iter()
                .chain(&shown.names())
                .all(|text| !text.is_empty())
        );
        seen.push(shown);
    }
}

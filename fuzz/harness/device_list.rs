//! Target `device_list`: lists of an account, as bytes, as bytes that somebody signs who has the keys, and one after the
//! other. Each is judged as the rules of SPEC §6.4 say that stand in `common::lists` once more.

use std::sync::OnceLock;

use subrosa::identity::limits::{DEVICE_LIST_MAX, DEVICES_MAX};
use subrosa::identity::{AccountSecret, DeviceList, Error, Fingerprint};
use subrosa::{Address, DeviceIdentity};

use super::common::SeededRng;
use super::common::lists::{self, Fields, Keys};
use super::script::Script;

/// The keys of which the private halves are known.
fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys::new(40))
}

/// A device that joins.
fn newcomer() -> &'static DeviceIdentity {
    static DEVICE: OnceLock<DeviceIdentity> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let address = Address::new(b"new").unwrap();
        DeviceIdentity::generate(address, &mut SeededRng(9)).unwrap()
    })
}

/// By its first byte: a list; a list to be signed; a history.
pub fn device_list(data: &[u8]) {
    let mut script = Script::new(data);
    match script.u8() % 3 {
        0 => drop(judge(script.rest())),
        1 => {
            let Some(mut fields) = Fields::read(&[script.rest(), &[0; 64]].concat()) else {
                return;
            };
            if fields.entries.is_empty() {
                return;
            }
            fields.sign(keys(), 1);
            if let Some(list) = judge(&fields.bytes()) {
                both_ways(&Fields::first(keys()), &fields);
                goes_on(&list, &fields);
            }
        }
        _ => history(script),
    }
}

/// Whether the library accepts `bytes`, and rightly.
fn judge(bytes: &[u8]) -> Option<DeviceList> {
    let expected = lists::check(bytes);
    let list = DeviceList::parse(bytes);
    let fields = match expected {
        Ok(fields) => fields,
        Err(error) => {
            assert_eq!(list, Err(error));
            return None;
        }
    };
    let list = list.expect("the rules accept it");
    assert!(bytes.len() <= DEVICE_LIST_MAX);
    assert_eq!(list.as_bytes(), bytes);
    assert_eq!(fields.bytes(), bytes);
    assert_eq!(list.account_id().as_bytes(), &fields.account_id());
    assert_eq!(list.hash(), &fields.hash());
    assert_eq!(list.version(), fields.version);
    assert_eq!(list.next_id(), fields.next_id);
    assert_eq!(list.entries(), fields.entries.len());
    let last = &fields.entries[fields.entries.len() - 1];
    assert_eq!(list.keys().account_key().as_bytes(), &last.account);
    assert_eq!(list.keys().recovery_key().as_bytes(), &last.recovery);
    assert_eq!(list.devices().len(), fields.devices.len());
    for listed in &fields.devices {
        let device = list.device(listed.id).expect("it is listed");
        assert_eq!(device.keys().signing_key().as_bytes(), &listed.signing);
        assert_eq!(device.keys().dh_key().as_bytes(), &listed.dh);
    }
    let own = Fingerprint::of(&list);
    assert_eq!(
        Fingerprint::matches(&own, &own, &Fingerprint::qr(&own, &own)),
        Ok(true)
    );
    Some(list)
}

/// Two lists that are both accepted, either as the known one.
fn both_ways(one: &Fields, other: &Fields) -> bool {
    let [first, second] = [one, other].map(|fields| DeviceList::parse(&fields.bytes()).unwrap());
    let found = first.succession(&second);
    assert_eq!(found, lists::succession(one, other));
    assert_eq!(second.succession(&first), lists::succession(other, one));
    assert_eq!(second.succession(&second), Ok(None));
    matches!(found, Ok(Some(_)))
}

/// The account of an accepted list, whose key is known, adds a device: the next list is that of the rules, and taken.
fn goes_on(list: &DeviceList, fields: &Fields) {
    let last = &fields.entries[fields.entries.len() - 1];
    let Some(number) = keys().number(&last.account) else {
        return;
    };
    let account = AccountSecret::from_seed(&Keys::seed(number));
    let device = newcomer().public().keys();
    let next = list.with_device(device, &account);
    let mut expected = fields.heir();
    expected.devices.push(lists::Listed {
        id: fields.next_id,
        signing: *device.signing_key().as_bytes(),
        dh: *device.dh_key().as_bytes(),
    });
    expected.next_id = expected.next_id.wrapping_add(1);
    let end = fields.version == u64::MAX || fields.next_id == u32::MAX;
    let next = match next {
        Ok(next) => next,
        Err(error) => {
            match error {
                Error::Exhausted => assert!(end),
                Error::TooManyDevices => assert_eq!(fields.devices.len(), DEVICES_MAX),
                // The newcomer is there already.
                _ => assert_eq!(error, Error::KeyInUse),
            }
            return;
        }
    };
    assert!(!end);
    expected.sign(keys(), expected.entries.len());
    assert_eq!(next.as_bytes(), expected.bytes());
    assert!(both_ways(fields, &expected));
}

/// Lists that are made from each other by changes of one to four things.
fn history(mut script: Script<'_>) {
    let mut known = Fields::first(keys());
    for _ in 0..16 {
        if script.is_empty() {
            return;
        }
        let mut next = known.heir();
        let how = script.u8();
        for _ in 0..=how % 4 {
            next.change(keys(), &known, &mut |bound| script.u8() as u64 % bound);
        }
        // Sometimes a signature is that of before.
        let from = if how & 0x10 == 0 {
            1
        } else {
            next.entries.len()
        };
        next.sign(keys(), from);
        if how & 0x20 != 0 {
            next.signature = known.signature;
        }
        if let Some(list) = judge(&next.bytes()) {
            let taken = both_ways(&known, &next);
            if how & 0x40 != 0 {
                goes_on(&list, &next);
            }
            if taken {
                known = next;
            }
        }
    }
}

/// A genuine list in each form, and histories of each change.
pub fn seeds() -> Vec<Vec<u8>> {
    let first = Fields::first(keys());
    let mut more = first.heir();
    for choices in [[15, 0, 0, 5], [15, 0, 0, 6], [11, 0, 0, 20]] {
        let mut choices = choices.into_iter().chain([21]);
        more.change(keys(), &first, &mut |bound| {
            choices.next().unwrap_or(0) % bound
        });
    }
    more.sign(keys(), 1);
    let mut seeds = Vec::new();
    for fields in [&first, &more] {
        seeds.push([&[0][..], &fields.bytes()].concat());
        seeds.push([&[1][..], &fields.content()].concat());
    }
    seeds.push([&[0, 2][..], &first.bytes()[1..]].concat());
    // A good list with one more device each time, then each change in turn.
    let honest = |key: u8| [0x40, 15, 0, 0, key];
    for kind in 0..16 {
        for how in [0x40, 0x50, 0x60] {
            let one = [how, kind, 1, 0, 30, 1, 2, 3];
            seeds.push([&[2][..], &honest(5), &honest(6), &one, &honest(8)].concat());
        }
    }
    // As many devices as there may be and one more, and likewise entries.
    let some = |some: &[u8]| -> Vec<u8> {
        let changes = some.iter().flat_map(|key| [15, 0, 0, *key]);
        [0x3f + some.len() as u8]
            .into_iter()
            .chain(changes)
            .collect()
    };
    let devices = (3..38u8).collect::<Vec<_>>();
    let (three, others) = devices.split_at(3);
    let lists = [three].into_iter().chain(others.chunks_exact(4));
    seeds.push([2].into_iter().chain(lists.flat_map(some)).collect());
    let entries = (0..16).flat_map(|n| [0x40, 11, 0, 0, 2 * n + 3, 2 * n + 4]);
    seeds.push([2].into_iter().chain(entries).collect());
    seeds
}

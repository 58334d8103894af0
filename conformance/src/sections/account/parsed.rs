//! SPEC §6.4: lists as others read them; R1 and R2.

use serde_json::{Value, json};

use super::people::{Account, all_listed, listed, signature};
use crate::generate::Cases;
use crate::model::account::{Content, Listed};
use crate::model::formula::{Bytes32, label};
use crate::op::Refusal;
use crate::sections::crypto::edge;

mod signed;

/// What the library shows of a list.
fn shown(content: &Content) -> Value {
    let devices = content.devices.iter().map(|device| {
        json!({"id": device.id, "iks": hex::encode(device.iks), "ikd": hex::encode(device.ikd)})
    });
    let last = content.last();
    json!({
        "account_id": hex::encode(content.account_id()), "entries": content.entries().len(),
        "account_key": hex::encode(last.account), "recovery_key": hex::encode(last.recovery),
        "version": content.version.to_string(), "prev_hash": hex::encode(content.prev_hash),
        "hash": hex::encode(content.hash()), "next_id": content.next_id, "devices": devices.collect::<Vec<_>>(),
    })
}

/// Adds a list that is accepted, or refused as `error`; the model must judge alike.
fn parse(
    cases: &mut Cases,
    id: &str,
    comment: &str,
    devices: &[u8],
    asked: Option<&Bytes32>,
    error: Option<&str>,
) {
    let id = format!("parse-{id}");
    let input = json!({"devices": hex::encode(devices), "account_id": asked.map(hex::encode)});
    match (Content::check(devices, asked), error) {
        (Ok(content), None) => {
            let answer = cases.accept(&id, "parse", comment, input);
            cases.same(&id, Value::Object(answer.out), shown(&content));
        }
        (Err(Refusal::Error(found)), Some(error)) if found == error => {
            cases.refuse(&id, "parse", error, comment, input);
        }
        (found, _) => cases.fault(format!("{id}: the model gives {found:?}")),
    }
}

fn accepted(cases: &mut Cases, id: &str, comment: &str, devices: &[u8]) {
    parse(cases, id, comment, devices, None, None);
}

fn refused(cases: &mut Cases, id: &str, error: &str, comment: &str, devices: &[u8]) {
    parse(cases, id, comment, devices, None, Some(error));
}

fn malformed(cases: &mut Cases, id: &str, comment: &str, devices: &[u8]) {
    refused(cases, id, "Malformed", comment, devices);
}

/// The list with other bytes at a place; if they are of the content, it is signed anew.
fn patched(alice: &Account, content: &Content, at: usize, skip: usize, with: &[u8]) -> Vec<u8> {
    let content = content.encode();
    let (front, behind) = content.split_at_checked(at).unwrap_or_default();
    resigned(
        alice,
        &[front, with, behind.get(skip..).unwrap_or_default()].concat(),
    )
}

/// Any content, signed with the account key of the account's last entry.
fn resigned(alice: &Account, content: &[u8]) -> Vec<u8> {
    let [account, _] = alice.seeds(alice.seeds.len().saturating_sub(1));
    let signed = [&label("devices")[..], content].concat();
    [content, &signature(&account, &signed)].concat()
}

fn changed(content: &Content, change: impl FnOnce(&mut Content)) -> Content {
    let mut other = content.clone();
    change(&mut other);
    other
}

pub(super) fn cases(cases: &mut Cases) {
    valid(cases);
    form(cases);
    numbers(cases);
    keys(cases);
    signed::cases(cases);
}

fn valid(cases: &mut Cases) {
    let (alice, twice) = (
        Account::new(cases, "alice", 1),
        Account::new(cases, "alice", 2),
    );
    let first = alice.content(1, all_listed(cases, [1]));
    accepted(cases, "first", "", &alice.sign(&first));
    let none = alice.content(1, Vec::new());
    accepted(
        cases,
        "first-closed",
        "Nothing asks for a device.",
        &alice.sign(&none),
    );
    let three = twice.content(9, all_listed(cases, [2, 3, 77]));
    accepted(
        cases,
        "replaced",
        "Two entries, three devices, ids left out.",
        &twice.sign(&three),
    );
    let closed = changed(&three, |list| list.devices.clear());
    accepted(
        cases,
        "closed",
        "No device: the account is closed.",
        &twice.sign(&closed),
    );
    let later = changed(&first, |list| (list.version, list.prev_hash) = (2, [1; 32]));
    accepted(cases, "second", "", &alice.sign(&later));
    let last = changed(&later, |list| list.version = u64::MAX);
    accepted(cases, "last-version", "", &alice.sign(&last));
    let high = changed(&later, |list| {
        list.devices = all_listed(cases, [u32::MAX - 1]);
        list.next_id = u32::MAX;
    });
    accepted(cases, "last-id", "", &alice.sign(&high));
    let none = changed(&later, |list| {
        list.devices.clear();
        list.next_id = u32::MAX;
    });
    accepted(cases, "no-id-left", "", &alice.sign(&none));
    let sixteen = Account::new(cases, "many", 16);
    let most = sixteen.content(60, all_listed(cases, 1..=32));
    let comment = "16 entries and 32 devices: 4,271 bytes.";
    let devices = sixteen.sign(&most);
    cases.same("the longest list", devices.len(), 4_271);
    accepted(cases, "longest", comment, &devices);
    let odd = [
        (
            "ikd-0",
            "Of small order: that is looked at in a bundle (§6.2-R3).",
            edge::small(0),
            None,
        ),
        (
            "ikd-p-minus-1",
            "The highest canonical value.",
            edge::p_minus(1),
            None,
        ),
        (
            "iks-no-point",
            "Whether a key is a point shows when it verifies something.",
            [2; 32],
            edge::no_point(),
        ),
    ];
    for (id, comment, ikd, iks) in odd {
        let list = changed(&first, |list| {
            for device in &mut list.devices {
                (device.ikd, device.iks) = (ikd, iks.unwrap_or(device.iks));
            }
        });
        accepted(cases, id, comment, &alice.sign(&list));
    }
    let same = changed(&first, |list| {
        for device in &mut list.devices {
            device.iks = device.ikd;
        }
    });
    let comment = "IKs and IKd are the same bytes: they are not compared with each other.";
    accepted(cases, "iks-is-ikd", comment, &alice.sign(&same));
}

/// §6.4-R1.
fn form(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 2);
    let list = alice.content(9, all_listed(cases, [2, 3]));
    let devices = alice.sign(&list);
    for version in [0u8, 2, 255] {
        let other = patched(&alice, &list, 0, 1, &[version]);
        refused(
            cases,
            &format!("version-{version}"),
            "UnknownVersion",
            "",
            &other,
        );
    }
    let comment = "Nothing behind the first byte is looked at.";
    refused(cases, "version-2-alone", "UnknownVersion", comment, &[2]);
    let content = list.encode().len();
    for length in [
        0,
        1,
        2,
        65,
        66,
        193,
        194,
        202,
        234,
        238,
        239,
        240,
        content - 1,
        content,
        content + 63,
    ] {
        let short = devices.get(..length).unwrap_or_default();
        malformed(cases, &format!("truncated-{length}"), "", short);
    }
    malformed(
        cases,
        "trailing",
        "A byte behind the signature.",
        &[&devices[..], &[0]].concat(),
    );
    let comment = "A byte between the list and the signature, which covers it.";
    malformed(
        cases,
        "trailing-signed",
        comment,
        &resigned(&alice, &[&list.encode()[..], &[0]].concat()),
    );
    malformed(
        cases,
        "n-0",
        "No entry.",
        &patched(&alice, &list, 1, 1, &[0]),
    );
    let comment = "Fewer entries announced than there are.";
    malformed(cases, "n-1", comment, &patched(&alice, &list, 1, 1, &[1]));
    let comment = "More entries announced than there are.";
    malformed(cases, "n-3", comment, &patched(&alice, &list, 1, 1, &[3]));
    let seventeen = Account::new(cases, "many", 17);
    let many = seventeen.content(60, all_listed(cases, [1]));
    malformed(cases, "n-17", "At most 16.", &seventeen.sign(&many));
    // The first byte, n, two entries and a signature, version, prev_hash, next_id.
    let count = 2 + 64 + 128 + 8 + 32 + 4;
    for (id, comment, with) in [
        ("1", "Fewer devices announced than there are.", &[1][..]),
        ("3", "More devices announced than there are.", &[3]),
        (
            "long-form",
            "The number is not in its shortest form.",
            &[0x40, 2],
        ),
        ("reserved", "", &[0xc2]),
        ("huge", "", &[0xbf, 0xff, 0xff, 0xff]),
    ] {
        let other = patched(&alice, &list, count, 1, with);
        malformed(cases, &format!("count-{id}"), comment, &other);
    }
    let many = alice.content(9, all_listed(cases, 1..=33));
    malformed(cases, "33-devices", "At most 32.", &alice.sign(&many));
}

/// §6.4-R2: versions and ids.
fn numbers(cases: &mut Cases) {
    let (once, twice) = (
        Account::new(cases, "alice", 1),
        Account::new(cases, "alice", 2),
    );
    let first = once.content(1, all_listed(cases, [1, 2, 3]));
    let later = once.content(5, all_listed(cases, [1, 2, 3]));
    let with_ids = |ids: [u32; 3]| {
        changed(&later, |list| {
            for (device, id) in list.devices.iter_mut().zip(ids) {
                device.id = id;
            }
        })
    };
    let list: Vec<(&str, &str, Content)> = vec![
        (
            "version-zero",
            "Without a hash.",
            changed(&first, |list| list.version = 0),
        ),
        (
            "version-zero-hash",
            "With a hash.",
            changed(&later, |list| list.version = 0),
        ),
        (
            "first-with-hash",
            "The first list has none before it.",
            changed(&first, |list| list.prev_hash = [1; 32]),
        ),
        (
            "first-with-last-bit",
            "One bit of a hash.",
            changed(&first, |list| {
                list.prev_hash = edge::map_ends([0; 32], |first, _| (first, 1));
            }),
        ),
        (
            "later-without-hash",
            "Only the first list has none before it.",
            changed(&later, |list| list.prev_hash = [0; 32]),
        ),
        ("id-0", "No id is 0.", with_ids([0, 2, 3])),
        ("ids-equal", "Ids ascend strictly.", with_ids([1, 2, 2])),
        ("ids-descend", "", with_ids([2, 1, 3])),
        ("ids-descend-last", "", with_ids([1, 3, 2])),
        (
            "id-next",
            "The last id is `next_id`.",
            changed(&later, |list| list.next_id = 3),
        ),
        (
            "id-above-next",
            "The last id is above `next_id`.",
            changed(&later, |list| list.next_id = 2),
        ),
        ("id-max", "", with_ids([1, 2, u32::MAX])),
        ("next-id-0", "", changed(&later, |list| list.next_id = 0)),
        (
            "next-id-0-closed",
            "Also where there is no device.",
            changed(&later, |list| {
                (list.devices, list.next_id) = (Vec::new(), 0);
            }),
        ),
    ];
    for (id, comment, content) in list {
        malformed(cases, id, comment, &once.sign(&content));
    }
    let replaced = twice.content(1, all_listed(cases, [1]));
    malformed(
        cases,
        "first-with-two-entries",
        "A first list has one.",
        &twice.sign(&replaced),
    );
    let two = changed(&replaced, |list| list.prev_hash = [1; 32]);
    malformed(
        cases,
        "first-with-two-entries-and-hash",
        "",
        &twice.sign(&two),
    );
}

/// §6.4-R2: keys.
fn keys(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 2);
    let list = alice.content(9, all_listed(cases, [2, 3]));
    let mut keys: Vec<(String, Bytes32)> = [0, 1, 18]
        .map(|offset| (format!("p-plus-{offset}"), edge::p_plus(offset)))
        .to_vec();
    keys.push((
        "high-bit".to_owned(),
        edge::with_high_bit(listed(cases, 2).ikd),
    ));
    for (id, ikd) in keys {
        for place in 0..2 {
            let other = changed(&list, |list| at(list, place, |device| device.ikd = ikd));
            let id = format!("ikd-{id}-{place}");
            malformed(cases, &id, "Not canonical.", &alice.sign(&other));
        }
    }
    let (first, second) = (alice.entry(0), alice.entry(1));
    let [one, two] = [2, 3].map(|id| listed(cases, id));
    for (id, key) in [
        ("account-key-0", first.account),
        ("recovery-key-0", first.recovery),
        ("account-key-1", second.account),
        ("recovery-key-1", second.recovery),
        ("iks", one.iks),
    ] {
        let other = changed(&list, |list| at(list, 1, |device| device.iks = key));
        let comment = "A key that signs occurs twice.";
        malformed(cases, &format!("iks-is-{id}"), comment, &alice.sign(&other));
    }
    let other = changed(&list, |list| at(list, 0, |device| device.ikd = two.ikd));
    malformed(
        cases,
        "ikd-twice",
        "An IKd occurs twice.",
        &alice.sign(&other),
    );
    // Of two entries of two keys each pair that can be the same.
    let [[a0, r0], [a1, r1]] = [alice.seeds(0), alice.seeds(1)];
    for (id, seeds) in [
        ("account-0-recovery-0", [[a0, a0], [a1, r1]]),
        ("account-0-account-1", [[a0, r0], [a0, r1]]),
        ("account-0-recovery-1", [[a0, r0], [a1, a0]]),
        ("recovery-0-account-1", [[a0, r0], [r0, r1]]),
        ("recovery-0-recovery-1", [[a0, r0], [a1, r0]]),
        ("account-1-recovery-1", [[a0, r0], [a1, a1]]),
    ] {
        let double = Account {
            seeds: seeds.to_vec(),
        };
        let other = double.content(9, all_listed(cases, [2, 3]));
        malformed(
            cases,
            &format!("one-key-{id}"),
            "All signatures hold.",
            &double.sign(&other),
        );
    }
}

fn at(list: &mut Content, place: usize, change: impl FnOnce(&mut Listed)) {
    if let Some(device) = list.devices.get_mut(place) {
        change(device);
    }
}

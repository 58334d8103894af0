//! Kinds 6 and 11: what is known of an account, and the seed of one's own account key.

use super::{ACCOUNT, SEED, invalid, not_whole, refused, valid};
use crate::generate::Cases;
use crate::model::account::Content;
use crate::model::values::{Account, AccountSeed};
use crate::sections::account::people;
use crate::sections::crypto::edge;

pub(super) fn accounts(cases: &mut Cases) {
    let [once, twice, most] = [("alice", 1), ("alice", 2), ("many", 16)]
        .map(|(name, entries)| people::Account::new(cases, name, entries));
    let of = |approved, owner: &people::Account, content: &Content| Account {
        approved,
        devices: owner.sign(content),
    };
    let one = once.content(1, people::all_listed(cases, [1]));
    let two = twice.content(9, people::all_listed(cases, [2, 5]));
    let longest = most.content(60, people::all_listed(cases, 1..=32));
    valid(cases, "account", ACCOUNT, "", &of(1, &once, &one));
    valid(
        cases,
        "account-replaced",
        ACCOUNT,
        "The user has not agreed to the new keys yet.",
        &of(1, &twice, &two),
    );
    valid(cases, "account-approved", ACCOUNT, "", &of(2, &twice, &two));
    for approved in [1, 16] {
        let id = format!("account-longest-{approved}");
        valid(
            cases,
            &id,
            ACCOUNT,
            "16 entries and 32 devices.",
            &of(approved, &most, &longest),
        );
    }
    let closed = Content {
        devices: Vec::new(),
        ..two.clone()
    };
    valid(
        cases,
        "account-closed",
        ACCOUNT,
        "",
        &of(2, &twice, &closed),
    );
    let unsigned = Account {
        approved: 1,
        devices: [&one.encode()[..], &[0; 64]].concat(),
    };
    let comment = "Signatures are not looked at: they were checked before the list was stored.";
    valid(cases, "account-unsigned", ACCOUNT, comment, &unsigned);
    let mut heir = two.clone();
    for later in &mut heir.later {
        later.1 = [0; 64];
    }
    valid(
        cases,
        "account-unsigned-heir",
        ACCOUNT,
        comment,
        &of(2, &twice, &heir),
    );

    not_whole(
        cases,
        "account",
        ACCOUNT,
        &of(1, &once, &one),
        &[0, 1, 2, 3, 100],
    );
    for (id, value) in [
        ("0", of(0, &once, &one)),
        ("2-of-1", of(2, &once, &one)),
        ("3-of-2", of(3, &twice, &two)),
        ("0-of-2", of(0, &twice, &two)),
        ("17-of-16", of(17, &most, &longest)),
        ("255", of(255, &twice, &two)),
    ] {
        let comment = "1 <= approved <= n of the list.";
        invalid(
            cases,
            &format!("account-approved-{id}"),
            ACCOUNT,
            comment,
            &value,
        );
    }
    let change = |change: &dyn Fn(&mut Content)| {
        let mut other = two.clone();
        change(&mut other);
        other
    };
    let many = people::all_listed(cases, 1..=33);
    for (id, comment, content) in [
        ("version", "Version 0.", change(&|list| list.version = 0)),
        (
            "hash",
            "A later list without a hash.",
            change(&|list| list.prev_hash = [0; 32]),
        ),
        (
            "first",
            "A first list with two entries.",
            change(&|list| (list.version, list.prev_hash) = (1, [0; 32])),
        ),
        (
            "next-id",
            "An id that is not below `next_id`.",
            change(&|list| list.next_id = 5),
        ),
        (
            "ids",
            "Ids that descend.",
            change(&|list| list.devices.reverse()),
        ),
        (
            "ikd",
            "An IKd that is not canonical.",
            change(&|list| {
                list.devices
                    .iter_mut()
                    .take(1)
                    .for_each(|device| device.ikd = edge::p_plus(1));
            }),
        ),
        (
            "key-twice",
            "A key that occurs twice.",
            change(&|list| {
                let account = list.first.account;
                list.devices
                    .iter_mut()
                    .take(1)
                    .for_each(|device| device.iks = account);
            }),
        ),
        (
            "33-devices",
            "",
            change(&|list| (list.devices, list.next_id) = (many.clone(), 34)),
        ),
    ] {
        let comment = format!("The list is none: {comment}");
        invalid(
            cases,
            &format!("account-list-{id}"),
            ACCOUNT,
            &comment,
            &of(1, &twice, &content),
        );
    }
    let seventeen = people::Account::new(cases, "many", 17);
    let many = seventeen.content(60, people::all_listed(cases, [1]));
    invalid(
        cases,
        "account-17-entries",
        ACCOUNT,
        "At most 16.",
        &of(1, &seventeen, &many),
    );
    let devices = twice.sign(&two);
    let mut other = devices.clone();
    for version in other.iter_mut().take(1) {
        *version = 2;
    }
    let comment = "A list of another version: `Integrity` as everything here.";
    invalid(
        cases,
        "account-list-version-2",
        ACCOUNT,
        comment,
        &Account {
            approved: 1,
            devices: other,
        },
    );
    let trailing = Account {
        approved: 1,
        devices: [&devices[..], &[0]].concat(),
    };
    invalid(
        cases,
        "account-list-trailing",
        ACCOUNT,
        "A byte is left over in the list.",
        &trailing,
    );
    let short = devices.get(1..).unwrap_or_default().to_vec();
    invalid(
        cases,
        "account-list-short",
        ACCOUNT,
        "",
        &Account {
            approved: 1,
            devices: short,
        },
    );
    invalid(
        cases,
        "account-list-empty",
        ACCOUNT,
        "",
        &Account {
            approved: 1,
            devices: Vec::new(),
        },
    );
    let [.., high, low] = u32::try_from(devices.len())
        .unwrap_or_default()
        .to_be_bytes();
    let long_form = [&[1, 0x80, 0, high, low][..], &devices].concat();
    let comment = "The length of the list is not in its shortest form.";
    refused(cases, "account-long-form", ACCOUNT, comment, &long_form);
}

pub(super) fn seeds(cases: &mut Cases) {
    let seed = AccountSeed(cases.array("seed"));
    valid(cases, "account-seed", SEED, "", &seed);
    valid(
        cases,
        "account-seed-zero",
        SEED,
        "Whatever it is.",
        &AccountSeed([0; 32]),
    );
    not_whole(cases, "account-seed", SEED, &seed, &[0, 1]);
}

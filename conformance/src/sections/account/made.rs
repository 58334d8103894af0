//! SPEC §6.4, §14.1-R5: the lists that an account makes.

use serde_json::{Value, json};

use super::people::{Account, all_listed, device, listed};
use crate::generate::Cases;
use crate::model::Answer;
use crate::model::account::{Content, Entry};
use crate::model::formula::{Bytes32, public, verifying_key};

/// Makes a list both ways: the library's bytes are the model's, signed with `account`, and others accept them.
fn accept(
    cases: &mut Cases,
    id: &str,
    op: &str,
    input: Value,
    list: Answer<Content>,
    account: &Bytes32,
) {
    let Some(list) = cases.made(id, list) else {
        return;
    };
    let answer = cases.accept(id, op, "", input);
    let devices = answer.bytes("devices");
    cases.same(id, Ok(devices.clone()), list.sign(account));
    cases.same(
        &format!("{id}: hash"),
        answer.bytes("hash"),
        list.hash().to_vec(),
    );
    cases.same(
        &format!("{id}: read"),
        Content::check(&devices, None),
        Ok(list),
    );
}

fn refuse(
    cases: &mut Cases,
    id: &str,
    op: &str,
    comment: &str,
    input: Value,
    list: Answer<Content>,
) {
    match list {
        Err(crate::op::Refusal::Error(error)) => cases.refuse(id, op, &error, comment, input),
        other => cases.fault(format!("{id}: the model gives {other:?}")),
    }
}

fn private(halves: &[Bytes32; 2]) -> Value {
    let [seed, secret] = halves.map(hex::encode);
    json!({"signing_seed": seed, "dh_secret": secret})
}

pub(super) fn cases(cases: &mut Cases) {
    first(cases);
    with_device(cases);
    without_device(cases);
    with_keys(cases);
}

fn first(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 1);
    let [account, recovery] = alice.seeds(0);
    let one = device(cases, "1");
    let [seed, _] = one;
    let keys = listed(cases, 1);
    let input = |recovery: &Bytes32, device: &[Bytes32; 2]| {
        json!({
            "account_seed": hex::encode(account), "recovery_seed": hex::encode(recovery), "device": private(device),
        })
    };
    let list =
        |recovery: &Bytes32, iks| Content::initial(Entry::of(&account, recovery), iks, keys.ikd);
    let made = list(&recovery, keys.iks);
    accept(
        cases,
        "first",
        "first",
        input(&recovery, &one),
        made,
        &account,
    );
    let made = list(&account, keys.iks);
    let comment = "The recovery key is the account key.";
    refuse(
        cases,
        "first-one-key",
        "first",
        comment,
        input(&account, &one),
        made,
    );
    let made = list(&seed, keys.iks);
    let comment = "The recovery key is the device's.";
    refuse(
        cases,
        "first-recovery-is-device",
        "first",
        comment,
        input(&seed, &one),
        made,
    );
    let [_, secret] = one;
    let made = list(&recovery, alice.entry(0).account);
    let comment = "The account key is the device's.";
    let input = input(&recovery, &[account, secret]);
    refuse(
        cases,
        "first-account-is-device",
        "first",
        comment,
        input,
        made,
    );
}

fn with_device(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 2);
    let [account, recovery] = alice.seeds(1);
    let add = |cases: &mut Cases,
               id: &str,
               comment: &str,
               before: &Content,
               seed: &Bytes32,
               halves: &[Bytes32; 2]| {
        let [iks, ikd] = halves;
        let (iks, ikd) = (verifying_key(iks), public(ikd));
        let list = before.with_device(seed, iks, ikd);
        let id = format!("with-device-{id}");
        let input = json!({
            "devices": hex::encode(alice.sign(before)), "account_seed": hex::encode(seed), "device": private(halves),
        });
        match &list {
            Ok(_) => accept(cases, &id, "with_device", input, list, seed),
            Err(_) => refuse(cases, &id, "with_device", comment, input, list),
        }
    };
    let before = |cases: &Cases, ids: &[u32]| alice.content(7, all_listed(cases, ids.to_vec()));
    let [first, second] = [device(cases, "1"), device(cases, "2")];
    let new = device(cases, "new");
    let one = before(cases, &[1]);
    add(cases, "second", "", &one, &account, &second);
    let closed = Content {
        next_id: 5,
        ..before(cases, &[])
    };
    add(cases, "opened", "", &closed, &account, &first);
    let gone = Content {
        next_id: 9,
        ..before(cases, &[3, 5])
    };
    add(cases, "again", "", &gone, &account, &first);
    let full: Vec<u32> = (1..=31).collect();
    add(cases, "32nd", "", &before(cases, &full), &account, &new);
    let last_id = Content {
        next_id: u32::MAX - 1,
        ..one.clone()
    };
    add(cases, "last-id", "", &last_id, &account, &new);
    let last_version = Content {
        version: u64::MAX - 1,
        ..one.clone()
    };
    add(cases, "last-version", "", &last_version, &account, &new);

    let full: Vec<u32> = (1..=32).collect();
    add(cases, "33rd", "", &before(cases, &full), &account, &new);
    let id = Content {
        next_id: u32::MAX,
        ..one.clone()
    };
    add(
        cases,
        "id-exhausted",
        "2^32 - 1 is never given out.",
        &id,
        &account,
        &new,
    );
    let version = Content {
        version: u64::MAX,
        ..one.clone()
    };
    add(cases, "version-exhausted", "", &version, &account, &new);
    let [old, old_recovery] = alice.seeds(0);
    add(
        cases,
        "replaced-key",
        "The account key of an entry before.",
        &one,
        &old,
        &new,
    );
    add(
        cases,
        "recovery-key",
        "The recovery key is none that signs lists.",
        &one,
        &recovery,
        &new,
    );
    let [new_seed, new_secret] = new;
    let ([first_seed, first_secret], comment) = (first, "A key that is in the list.");
    for (id, halves) in [
        ("same-device", first),
        ("same-iks", [first_seed, new_secret]),
        ("same-ikd", [new_seed, first_secret]),
        ("account-key", [account, new_secret]),
        ("recovery-key-as-iks", [recovery, new_secret]),
        ("old-recovery-key-as-iks", [old_recovery, new_secret]),
    ] {
        add(cases, id, comment, &one, &account, &halves);
    }
}

fn without_device(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 2);
    let ([account, _], [old, _]) = (alice.seeds(1), alice.seeds(0));
    let three = alice.content(7, all_listed(cases, [1, 4, 6]));
    let one = alice.content(2, all_listed(cases, [1]));
    let last = Content {
        version: u64::MAX,
        ..three.clone()
    };
    for (id, comment, before, device, seed) in [
        ("first", "", &three, 1, account),
        ("middle", "", &three, 4, account),
        ("last", "", &three, 6, account),
        ("closed", "", &one, 1, account),
        (
            "unknown",
            "An id that was never there, or is there no longer.",
            &three,
            2,
            account,
        ),
        ("next-id", "", &three, 7, account),
        ("zero", "", &three, 0, account),
        (
            "replaced-key",
            "The account key of an entry before.",
            &three,
            1,
            old,
        ),
        ("version-exhausted", "", &last, 1, account),
    ] {
        let list = before.without_device(&seed, device);
        let id = format!("without-device-{id}");
        let input = json!({
            "devices": hex::encode(alice.sign(before)), "account_seed": hex::encode(seed), "id": device,
        });
        match &list {
            Ok(_) => accept(cases, &id, "without_device", input, list, &seed),
            Err(_) => refuse(cases, &id, "without_device", comment, input, list),
        }
    }
}

/// What a list with new keys is made from.
struct NewKeys<'a> {
    alice: &'a Account,
    before: &'a Content,
    recovery: Bytes32,
    account: Bytes32,
    next_recovery: Bytes32,
    keep: &'a [u32],
    added: Option<[Bytes32; 2]>,
}

impl NewKeys<'_> {
    fn make(&self, cases: &mut Cases, id: &str, comment: &str) {
        let entry = Entry::of(&self.account, &self.next_recovery);
        let added = self.added.map(|[seed, secret]| {
            let (iks, ikd) = (&seed, &secret);
            (verifying_key(iks), public(ikd))
        });
        let list = self
            .before
            .with_keys(&self.recovery, entry, self.keep, added);
        let id = format!("with-keys-{id}");
        let input = json!({
            "devices": hex::encode(self.alice.sign(self.before)), "recovery_seed": hex::encode(self.recovery),
            "account_seed": hex::encode(self.account), "next_recovery_seed": hex::encode(self.next_recovery),
            "keep": self.keep, "added": self.added.as_ref().map(private),
        });
        match &list {
            Ok(_) => accept(cases, &id, "with_keys", input, list, &self.account),
            Err(_) => refuse(cases, &id, "with_keys", comment, input, list),
        }
    }
}

fn with_keys(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 2);
    let [old_account, old_recovery] = alice.seeds(0);
    let [present_account, recovery] = alice.seeds(1);
    let next = Account::new(cases, "next", 1);
    let [account, next_recovery] = next.seeds(0);
    let before = alice.content(7, all_listed(cases, [1, 4, 6]));
    let new = device(cases, "new");
    let [new_seed, _] = new;
    let base = || NewKeys {
        alice: &alice,
        before: &before,
        recovery,
        account,
        next_recovery,
        keep: &[1, 4, 6],
        added: None,
    };
    base().make(cases, "all-stay", "");
    NewKeys {
        keep: &[],
        ..base()
    }
    .make(cases, "closed", "");
    NewKeys {
        keep: &[4, 99],
        added: Some(new),
        ..base()
    }
    .make(cases, "new-primary", "");
    let first = Account::new(cases, "alice", 1);
    let one = first.content(1, all_listed(cases, [1]));
    NewKeys {
        alice: &first,
        before: &one,
        recovery: old_recovery,
        ..base()
    }
    .make(cases, "second-entry", "");
    let fifteen = Account::new(cases, "many", 15);
    let many = fifteen.content(40, all_listed(cases, [1]));
    let [_, of_15] = fifteen.seeds(14);
    NewKeys {
        alice: &fifteen,
        before: &many,
        recovery: of_15,
        ..base()
    }
    .make(cases, "16th-entry", "");

    let sixteen = Account::new(cases, "many", 16);
    let many = sixteen.content(40, all_listed(cases, [1]));
    let [_, of_16] = sixteen.seeds(15);
    NewKeys {
        alice: &sixteen,
        before: &many,
        recovery: of_16,
        ..base()
    }
    .make(cases, "17th-entry", "");
    let full = alice.content(7, all_listed(cases, 1..=32));
    let all: Vec<u32> = (1..=32).collect();
    NewKeys {
        before: &full,
        keep: &all,
        added: Some(new),
        ..base()
    }
    .make(cases, "33rd-device", "");
    let others = all.get(1..).unwrap_or_default();
    NewKeys {
        before: &full,
        keep: others,
        added: Some(new),
        ..base()
    }
    .make(cases, "32nd-device", "");
    let exhausted = Content {
        version: u64::MAX,
        ..before.clone()
    };
    NewKeys {
        before: &exhausted,
        ..base()
    }
    .make(cases, "version-exhausted", "");
    let exhausted = Content {
        next_id: u32::MAX,
        ..before.clone()
    };
    NewKeys {
        before: &exhausted,
        added: Some(new),
        ..base()
    }
    .make(cases, "id-exhausted", "");
    NewKeys {
        before: &exhausted,
        ..base()
    }
    .make(cases, "no-id-needed", "");
    for (id, recovery) in [
        ("replaced-recovery-key", old_recovery),
        ("account-key", present_account),
        ("other-recovery-key", next_recovery),
    ] {
        let comment = "Not the recovery key of the last entry.";
        NewKeys { recovery, ..base() }.make(cases, id, comment);
    }
    let [device_seed, _] = device(cases, "4");
    for (id, account, next_recovery) in [
        ("same-account-key", present_account, next_recovery),
        ("old-account-key", old_account, next_recovery),
        ("same-recovery-key", account, recovery),
        ("swapped", recovery, present_account),
        ("one-key", account, account),
        ("device-key", account, device_seed),
    ] {
        let comment = "A key that is in the list, or twice the same.";
        NewKeys {
            account,
            next_recovery,
            ..base()
        }
        .make(cases, id, comment);
    }
    NewKeys {
        account: new_seed,
        added: Some(new),
        ..base()
    }
    .make(
        cases,
        "added-key",
        "The device that is added has the new account key.",
    );
    let comment = "A device that does not stay may leave its key to the account.";
    NewKeys {
        account: device_seed,
        keep: &[1],
        ..base()
    }
    .make(cases, "gone-device-key", comment);
}

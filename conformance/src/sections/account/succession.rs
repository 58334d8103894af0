//! SPEC §6.4-R5 to R8: a list held against one that is known.

use serde_json::{Value, json};

use super::people::{Account, all_listed, listed};
use crate::generate::Cases;
use crate::model::account::{Change, Content, Listed};
use crate::op::Refusal;
use crate::sections::crypto::edge;

/// Holds one list against another, both ways the same.
fn succeed(cases: &mut Cases, id: &str, comment: &str, known: &[u8], next: &[u8]) {
    let id = format!("succession-{id}");
    let read = |devices: &[u8]| Content::check(devices, None);
    let (Some(before), Some(after)) = (cases.made(&id, read(known)), cases.made(&id, read(next)))
    else {
        return;
    };
    let input = json!({"known": hex::encode(known), "next": hex::encode(next)});
    match before.succession(&after) {
        Ok(change) => {
            let answer = cases.accept(&id, "succession", comment, input);
            let change = change.map(
                |Change {
                     added,
                     removed,
                     keys_changed,
                 }| {
                    json!({"added": added, "removed": removed, "keys_changed": keys_changed})
                },
            );
            cases.same(
                &id,
                answer.get("change").cloned(),
                Some(change.unwrap_or(Value::Null)),
            );
        }
        Err(Refusal::Error(error)) => cases.refuse(&id, "succession", &error, comment, input),
        Err(other) => cases.fault(format!("{id}: {other:?}")),
    }
}

/// The list that follows `known`, with these devices and one more id given out.
fn following(known: &Content, devices: Vec<Listed>) -> Content {
    let last = devices.last().map_or(0, |last| last.id.saturating_add(1));
    Content {
        version: known.version.saturating_add(1),
        prev_hash: known.hash(),
        next_id: known.next_id.max(last),
        devices,
        ..known.clone()
    }
}

/// The same with all entries that the account has now.
fn with_entries(account: &Account, list: Content) -> Content {
    let full = account.content(2, Vec::new());
    Content {
        later: full.later,
        ..list
    }
}

pub(super) fn cases(cases: &mut Cases) {
    changes(cases);
    order(cases);
    keys(cases);
    ids(cases);
}

/// What changed.
fn changes(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 2);
    let known = Content {
        next_id: 8,
        ..alice.content(7, all_listed(cases, [2, 3, 5]))
    };
    let known_bytes = alice.sign(&known);
    succeed(cases, "same", "The same list.", &known_bytes, &known_bytes);
    let [account, _] = alice.seeds(1);
    let message = [
        &crate::model::formula::label("devices")[..],
        &known.encode(),
    ]
    .concat();
    let again = [
        &known.encode()[..],
        &edge::sign_with_nonce(&account, &cases.array("nonce"), &message),
    ]
    .concat();
    let comment = "Another signature, which holds as well: the hash is without it.";
    succeed(cases, "same-other-signature", comment, &known_bytes, &again);
    let lists: [(&str, &str, &[u32]); 7] = [
        ("added", "", &[2, 3, 5, 8]),
        ("removed", "", &[2, 5]),
        ("replaced", "One is gone, two are new.", &[2, 5, 8, 9]),
        ("skipped", "Ids may be left out.", &[2, 3, 5, 100]),
        ("nothing", "A version more, and nothing else.", &[2, 3, 5]),
        ("closed", "", &[]),
        ("all-new", "", &[8]),
    ];
    for (id, comment, ids) in lists {
        let next = following(&known, all_listed(cases, ids.to_vec()));
        succeed(cases, id, comment, &known_bytes, &alice.sign(&next));
    }
    let raised = Content {
        next_id: 50,
        ..following(&known, known.devices.clone())
    };
    succeed(
        cases,
        "next-id-raised",
        "",
        &known_bytes,
        &alice.sign(&raised),
    );
    let closed = following(&known, Vec::new());
    let opened = following(&closed, all_listed(cases, [8]));
    succeed(
        cases,
        "opened",
        "",
        &alice.sign(&closed),
        &alice.sign(&opened),
    );
    let heirs = Account::new(cases, "alice", 4);
    for (id, comment, ids) in [
        (
            "keys",
            "Two new entries at once, the devices stay.",
            &[2, 3, 5][..],
        ),
        ("keys-and-devices", "New keys, and a new primary.", &[3, 8]),
    ] {
        let next = with_entries(&heirs, following(&known, all_listed(cases, ids.to_vec())));
        succeed(cases, id, comment, &known_bytes, &heirs.sign(&next));
    }
    let first = Account::new(cases, "alice", 1);
    let one = first.content(1, all_listed(cases, [1]));
    let next = following(&one, all_listed(cases, [1, 2]));
    succeed(
        cases,
        "second",
        "The second list of an account.",
        &first.sign(&one),
        &first.sign(&next),
    );
    let late = Content {
        version: u64::MAX - 1,
        ..known.clone()
    };
    let last = following(&late, known.devices.clone());
    succeed(
        cases,
        "last",
        "The last version there is.",
        &alice.sign(&late),
        &alice.sign(&last),
    );
}

/// R5 to R7, and which is first.
fn order(cases: &mut Cases) {
    let (alice, bob) = (
        Account::new(cases, "alice", 2),
        Account::new(cases, "bob", 2),
    );
    let known = alice.content(7, all_listed(cases, [2, 3, 5]));
    let known_bytes = alice.sign(&known);
    for version in [6, 7, 8, 9] {
        let other = bob.content(version, all_listed(cases, [2, 3, 5]));
        let comment = "Whatever its version is: R5 is first.";
        succeed(
            cases,
            &format!("other-account-{version}"),
            comment,
            &known_bytes,
            &bob.sign(&other),
        );
    }
    let fork = alice.content(7, all_listed(cases, [2, 3, 6]));
    succeed(
        cases,
        "fork",
        "Another list of the same version.",
        &known_bytes,
        &alice.sign(&fork),
    );
    let fork = Content {
        prev_hash: [0xa6; 32],
        ..known.clone()
    };
    succeed(
        cases,
        "fork-before",
        "The same, but for the list before it.",
        &known_bytes,
        &alice.sign(&fork),
    );
    let before = alice.content(6, all_listed(cases, [2, 3]));
    succeed(
        cases,
        "old",
        "One version lower.",
        &known_bytes,
        &alice.sign(&before),
    );
    let once = Account::new(cases, "alice", 1);
    let first = once.content(1, all_listed(cases, [1]));
    let comment = "The first list: fewer entries, another device.";
    succeed(cases, "oldest", comment, &known_bytes, &once.sign(&first));
    let highest = alice.content(u64::MAX, known.devices.clone());
    succeed(
        cases,
        "old-of-highest",
        "",
        &alice.sign(&highest),
        &known_bytes,
    );
    succeed(
        cases,
        "highest-of-old",
        "",
        &known_bytes,
        &alice.sign(&highest),
    );
    let next = following(&known, known.devices.clone());
    let after = following(&next, known.devices.clone());
    succeed(
        cases,
        "missing",
        "Two versions higher.",
        &known_bytes,
        &alice.sign(&after),
    );
    let broken = Content {
        version: 9,
        prev_hash: known.hash(),
        next_id: 6,
        ..fork.clone()
    };
    let comment = "Two versions higher, whatever it names as the list before.";
    succeed(
        cases,
        "missing-hash",
        comment,
        &known_bytes,
        &alice.sign(&broken),
    );
    let heir = with_entries(
        &Account::new(cases, "alice", 2),
        alice.content(9, Vec::new()),
    );
    let comment = "Two versions higher, and not of the known devices: R7 is before R8.";
    let lowered = Content { next_id: 1, ..heir };
    succeed(
        cases,
        "missing-lowered",
        comment,
        &known_bytes,
        &alice.sign(&lowered),
    );
    for (id, comment, hash) in [
        (
            "before",
            "It names the list before the known one.",
            known.prev_hash,
        ),
        (
            "flipped",
            "One bit of the hash is another.",
            edge::map_ends(known.hash(), |first, last| (first, last ^ 0x80)),
        ),
        (
            "of-fork",
            "It follows another list of the same version.",
            fork.hash(),
        ),
    ] {
        let other = Content {
            prev_hash: hash,
            ..next.clone()
        };
        succeed(
            cases,
            &format!("equivocation-{id}"),
            comment,
            &known_bytes,
            &alice.sign(&other),
        );
    }
    let other = Content {
        prev_hash: fork.hash(),
        next_id: 1,
        devices: Vec::new(),
        ..next
    };
    let comment = "Another hash, and a lower `next_id`: R7 is before R8.";
    succeed(
        cases,
        "equivocation-lowered",
        comment,
        &known_bytes,
        &alice.sign(&other),
    );
}

/// R8: entries.
fn keys(cases: &mut Cases) {
    let (once, alice) = (
        Account::new(cases, "alice", 1),
        Account::new(cases, "alice", 2),
    );
    let known = alice.content(7, all_listed(cases, [2, 3, 5]));
    let known_bytes = alice.sign(&known);
    let next = following(&known, known.devices.clone());
    let dropped = Content {
        later: Vec::new(),
        ..next.clone()
    };
    let comment = "Signed with the key that was replaced, as if it never had been.";
    succeed(
        cases,
        "replaced-key",
        comment,
        &known_bytes,
        &once.sign(&dropped),
    );
    let mallory = Account {
        seeds: vec![alice.seeds(0), Account::new(cases, "mallory", 1).seeds(0)],
    };
    let other = with_entries(&mallory, next.clone());
    let comment = "The replaced recovery key signs another heir of its entry.";
    succeed(
        cases,
        "other-heir",
        comment,
        &known_bytes,
        &mallory.sign(&other),
    );
    let mut longer = Account::new(cases, "mallory", 2);
    longer.seeds.splice(..1, mallory.seeds.iter().copied());
    let other = with_entries(&longer, next.clone());
    let comment = "More entries than are known, but not behind the known ones.";
    succeed(
        cases,
        "other-heirs",
        comment,
        &known_bytes,
        &longer.sign(&other),
    );
    let [_, recovery] = alice.seeds(0);
    let signed = alice.entry(1).signed(&known.account_id(), 1);
    let another = edge::sign_with_nonce(&recovery, &cases.array("nonce"), &signed);
    let again = Content {
        later: vec![(alice.entry(1), another)],
        ..next.clone()
    };
    let comment = "The known keys with another `recovery_sig`, which holds as well.";
    succeed(
        cases,
        "other-recovery-sig",
        comment,
        &known_bytes,
        &alice.sign(&again),
    );
    let both = Content {
        later: Vec::new(),
        next_id: 1,
        devices: Vec::new(),
        ..next
    };
    let comment = "Also a lower `next_id`: the entries come first.";
    succeed(
        cases,
        "replaced-key-lowered",
        comment,
        &known_bytes,
        &once.sign(&both),
    );
}

/// R8: ids and devices.
fn ids(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 2);
    let known = Content {
        next_id: 8,
        ..alice.content(7, all_listed(cases, [2, 3, 5]))
    };
    let known_bytes = alice.sign(&known);
    let next = following(&known, known.devices.clone());
    let (new, gone) = (listed(cases, 9), listed(cases, 4));
    let with = |devices: &[Listed]| Content {
        devices: devices.to_vec(),
        ..next.clone()
    };
    let [two, three, five] = [2, 3, 5].map(|id| listed(cases, id));
    let list: Vec<(&str, &str, Content)> = vec![
        (
            "next-id-lowered",
            "",
            Content {
                next_id: 7,
                ..next.clone()
            },
        ),
        (
            "next-id-lowered-closed",
            "",
            Content {
                next_id: 1,
                ..with(&[])
            },
        ),
        (
            "other-iks",
            "A known device has another IKs.",
            with(&[
                two,
                Listed {
                    iks: new.iks,
                    ..three
                },
                five,
            ]),
        ),
        (
            "other-ikd",
            "A known device has another IKd.",
            with(&[
                two,
                three,
                Listed {
                    ikd: new.ikd,
                    ..five
                },
            ]),
        ),
        (
            "other-device",
            "A known id has another device.",
            with(&[two, Listed { id: 3, ..new }, five]),
        ),
        (
            "swapped",
            "Two devices have each other's ids.",
            with(&[Listed { id: 2, ..three }, Listed { id: 3, ..two }, five]),
        ),
        (
            "id-again",
            "An id that was given out and is not there any more.",
            with(&[two, three, gone, five]),
        ),
        (
            "id-before-all",
            "The same, below all others.",
            with(&[Listed { id: 1, ..new }, two]),
        ),
        (
            "id-below-next",
            "An id that was given out last and is not there any more.",
            with(&[two, three, five, Listed { id: 7, ..new }]),
        ),
    ];
    for (id, comment, content) in list {
        succeed(cases, id, comment, &known_bytes, &alice.sign(&content));
    }
    let removed = following(&known, all_listed(cases, [2, 5]));
    let back = following(&removed, all_listed(cases, [2, 3, 5]));
    let comment = "A device comes back under its id, with its keys.";
    succeed(
        cases,
        "back",
        comment,
        &alice.sign(&removed),
        &alice.sign(&back),
    );
    let renamed = following(&removed, vec![two, five, Listed { id: 8, ..three }]);
    let comment = "It may come back under a new one.";
    succeed(
        cases,
        "back-renamed",
        comment,
        &alice.sign(&removed),
        &alice.sign(&renamed),
    );
    let moved = following(&known, vec![two, five, Listed { id: 8, ..three }]);
    let comment = "A device that is there gets a new id: one removed, one added.";
    succeed(cases, "renamed", comment, &known_bytes, &alice.sign(&moved));
}

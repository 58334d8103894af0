//! SPEC §6.4-R3 and R4: signatures, and whose list it is; and which rule comes first.

use curve25519_dalek::edwards::EdwardsPoint;

use super::super::people::{Account, all_listed, signature};
use super::{accepted, changed, parse, refused};
use crate::generate::Cases;
use crate::model::account::{Content, Entry};
use crate::model::formula::{Bytes32, label};
use crate::sections::crypto::edge;

pub(super) fn cases(cases: &mut Cases) {
    signatures(cases);
    whose(cases);
    order(cases);
}

fn flipped(bytes: &[u8], from_end: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for byte in bytes.iter_mut().rev().skip(from_end).take(1) {
        *byte ^= 1;
    }
    bytes
}

/// §6.4-R3.
fn signatures(cases: &mut Cases) {
    let error = "BadSignature";
    let alice = Account::new(cases, "alice", 3);
    let list = Content {
        next_id: 9,
        ..alice.content(9, all_listed(cases, [2, 4]))
    };
    let devices = alice.sign(&list);
    accepted(cases, "three-entries", "", &devices);
    for from_end in [0, 31, 32, 63] {
        let comment = "One bit of the list's signature is another.";
        refused(
            cases,
            &format!("signature-flipped-{from_end}"),
            error,
            comment,
            &flipped(&devices, from_end),
        );
    }
    for (id, place) in [("ikd", 64), ("iks", 64 + 32), ("id", 64 + 64)] {
        let comment = "One bit of what is signed is another.";
        refused(
            cases,
            &format!("{id}-flipped"),
            error,
            comment,
            &flipped(&devices, place),
        );
    }
    for entry in [0, 1] {
        let comment = "Signed with an account key that was replaced.";
        refused(
            cases,
            &format!("signed-by-{entry}"),
            error,
            comment,
            &alice.sign_by(&list, entry),
        );
    }
    let content = list.encode();
    let signed = |seed: &Bytes32, name: &str| {
        let signed = [&label(name)[..], &content].concat();
        [&content[..], &signature(seed, &signed)].concat()
    };
    let [account, recovery] = alice.seeds(2);
    let comment = "A recovery key signs no list.";
    refused(
        cases,
        "signed-by-recovery-key",
        error,
        comment,
        &signed(&recovery, "devices"),
    );
    refused(
        cases,
        "signed-with-other-label",
        error,
        "",
        &signed(&account, "account key"),
    );
    let bare = [&content[..], &signature(&account, &content)].concat();
    refused(cases, "signed-without-label", error, "", &bare);
    let whole = devices
        .last_chunk::<64>()
        .and_then(|signature| edge::add_order(signature, 1));
    match whole {
        Some(malleated) => {
            let other = [&content[..], &malleated].concat();
            refused(
                cases,
                "s-plus-order",
                error,
                "S + L: the signature malleated.",
                &other,
            );
        }
        None => cases.fault("account: S + L does not fit".to_owned()),
    }
    small_order(cases);
    heirs(cases);
}

/// An account key of small order needs no private half: the equation holds for every message.
fn small_order(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 1);
    let list = alice.content(1, all_listed(cases, [1]));
    let other = changed(&list, |list| list.first.account = edge::small(1));
    let nonce = edge::Forger::new(&[0; 32], &cases.array("small nonce")).nonce;
    let r = EdwardsPoint::mul_base(&nonce).compress().0;
    let forged = [&other.encode()[..], &edge::join(&r, nonce.as_bytes())].concat();
    refused(
        cases,
        "small-order-account-key",
        "BadSignature",
        "R = [S]B, and the key is the neutral element.",
        &forged,
    );
}

/// Signatures of the entries.
fn heirs(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 3);
    let list = alice.content(9, all_listed(cases, [2, 3]));
    let account_id = list.account_id();
    let [[a0, r0], [a1, r1], [_, r2]] = [0, 1, 2].map(|index| alice.seeds(index));
    let entries = [1, 2].map(|index| alice.entry(index));
    let [first, second] = &entries;
    let other_account: Bytes32 = cases.array("other account");
    let bare = |entry: &Entry| [entry.account, entry.recovery].concat();
    let by = |seed: &Bytes32, signed: Vec<u8>| signature(seed, &signed);
    for (id, comment, index, signature) in [
        (
            "by-account-key",
            "Signed with the account key.",
            0,
            by(&a0, first.signed(&account_id, 1)),
        ),
        (
            "by-itself",
            "Signed with the new recovery key.",
            0,
            by(&r1, first.signed(&account_id, 1)),
        ),
        (
            "number-0",
            "Signed as entry 0.",
            0,
            by(&r0, first.signed(&account_id, 0)),
        ),
        (
            "number-2",
            "Signed as entry 2.",
            0,
            by(&r0, first.signed(&account_id, 2)),
        ),
        (
            "other-account",
            "Signed for another account.",
            0,
            by(&r0, first.signed(&other_account, 1)),
        ),
        (
            "other-entry",
            "The signature of entry 2 in both places.",
            0,
            by(&r1, second.signed(&account_id, 2)),
        ),
        (
            "without-label",
            "Signed without a label.",
            0,
            by(&r0, [&account_id[..], &[1], &bare(first)].concat()),
        ),
        (
            "second-by-first",
            "Entry 2 signed with the recovery key of entry 0.",
            1,
            by(&r0, second.signed(&account_id, 2)),
        ),
        (
            "second-by-account-key",
            "Entry 2 signed with the account key of entry 1.",
            1,
            by(&a1, second.signed(&account_id, 2)),
        ),
        (
            "second-by-itself",
            "Entry 2 signed with its own recovery key.",
            1,
            by(&r2, second.signed(&account_id, 2)),
        ),
        (
            "second-number-1",
            "Entry 2 signed as entry 1.",
            1,
            by(&r1, second.signed(&account_id, 1)),
        ),
    ] {
        let other = changed(&list, |list| {
            for later in list.later.iter_mut().skip(index).take(1) {
                later.1 = signature;
            }
        });
        refused(
            cases,
            &format!("heir-{id}"),
            "BadSignature",
            comment,
            &alice.sign(&other),
        );
    }
    let swapped = changed(&list, |list| list.later.reverse());
    let comment = "The entries in another order, with their signatures.";
    refused(
        cases,
        "heir-swapped",
        "BadSignature",
        comment,
        &alice.sign_by(&swapped, 1),
    );
}

/// §6.4-R4.
fn whose(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 2);
    let list = alice.content(9, all_listed(cases, [2, 3]));
    let (devices, own) = (alice.sign(&list), list.account_id());
    parse(cases, "asked", "", &devices, Some(&own), None);
    let other = edge::map_ends(own, |first, last| (first, last ^ 1));
    let comment = "Every signature holds.";
    parse(
        cases,
        "other-account",
        comment,
        &devices,
        Some(&other),
        Some("OtherAccount"),
    );
    let heir = alice.entry(1).account_id();
    let comment = "The id that would follow from the last entry.";
    parse(
        cases,
        "other-account-last-entry",
        comment,
        &devices,
        Some(&heir),
        Some("OtherAccount"),
    );
}

/// Where two rules are broken.
fn order(cases: &mut Cases) {
    let alice = Account::new(cases, "alice", 2);
    let list = alice.content(9, all_listed(cases, [2, 3]));
    let other: Bytes32 = cases.array("somebody");
    let no_ids = changed(&list, |list| list.next_id = 0);
    let broken = flipped(&alice.sign(&no_ids), 0);
    let mut version = broken.clone();
    for first in version.iter_mut().take(1) {
        *first = 2;
    }
    let unsigned = flipped(&alice.sign(&list), 0);
    for (id, comment, devices, error) in [
        (
            "version",
            "Another version, ids, signature, account: R1 is first.",
            version,
            "UnknownVersion",
        ),
        (
            "form",
            "Ids, signature, account: R2 is before R3.",
            broken,
            "Malformed",
        ),
        (
            "ids-account",
            "Ids, account: R2 is before R4.",
            alice.sign(&no_ids),
            "Malformed",
        ),
        (
            "signature",
            "Signature, account: R3 is before R4.",
            unsigned,
            "BadSignature",
        ),
    ] {
        parse(
            cases,
            &format!("order-{id}"),
            comment,
            &devices,
            Some(&other),
            Some(error),
        );
    }
}

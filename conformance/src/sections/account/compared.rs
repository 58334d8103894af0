//! SPEC §6.5 and §6.6: fingerprints and emoji.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::people::{Account, all_listed};
use crate::generate::Cases;
use crate::model::account::{code, commit, digits, emoji, emoji_table, fingerprint, scan};
use crate::model::formula::Bytes32;
use crate::op::Refusal;
use crate::sections::crypto::edge;

pub(super) fn cases(cases: &mut Cases) {
    fingerprints(cases);
    read_aloud(cases);
    scanned(cases);
    exchanges(cases);
    every_emoji(cases);
    not_committed(cases);
}

fn fingerprints(cases: &mut Cases) {
    for (id, entries, ids, comment) in [
        ("first", 1, &[1][..], ""),
        ("other-devices", 1, &[2, 3], "Devices do not matter."),
        ("replaced", 2, &[1], "New keys are another fingerprint."),
        ("closed", 2, &[], ""),
    ] {
        let alice = Account::new(cases, "alice", entries);
        let list = alice.content(4, all_listed(cases, ids.to_vec()));
        let id = format!("fingerprint-{id}");
        let input = json!({"devices": hex::encode(alice.sign(&list))});
        let answer = cases.accept(&id, "fingerprint", comment, input);
        let expected = fingerprint(&list.account_id(), &list.last());
        cases.same(&id, answer.bytes("fingerprint"), expected.to_vec());
    }
}

fn two(own: &Bytes32, peer: &Bytes32) -> Value {
    json!({"own": hex::encode(own), "peer": hex::encode(peer)})
}

fn with(mut input: Value, name: &str, bytes: &[u8]) -> Value {
    if let Value::Object(fields) = &mut input {
        fields.insert(name.to_owned(), hex::encode(bytes).into());
    }
    input
}

fn read_aloud(cases: &mut Cases) {
    let (one, other): (Bytes32, Bytes32) = (cases.array("f one"), cases.array("f other"));
    let last = edge::map_ends(one, |first, last| (first, last ^ 1));
    let first = edge::map_ends(one, |first, last| (first ^ 0x80, last));
    for (id, comment, a, b) in [
        ("usual", "The same on both sides.", one, other),
        ("zeros", "Every group has five digits.", [0; 32], one),
        (
            "ones",
            "Five bytes 0xFF are 27,775 modulo 100,000.",
            [0xff; 32],
            [0; 32],
        ),
        (
            "last-byte",
            "The last two bytes are in no digit.",
            one,
            last,
        ),
        (
            "first-bit",
            "The order is that of unsigned bytes.",
            one,
            first,
        ),
        ("equal", "", one, one),
    ] {
        for (way, own, peer) in [("a", a, b), ("b", b, a)] {
            let id = format!("digits-{id}-{way}");
            let answer = cases.accept(&id, "digits", comment, two(&own, &peer));
            let expected = Value::from(digits(&own, &peer));
            cases.same(&id, answer.get("digits").cloned(), Some(expected));
        }
    }
}

fn scanned(cases: &mut Cases) {
    let (own, peer): (Bytes32, Bytes32) = (cases.array("f one"), cases.array("f other"));
    let third: Bytes32 = cases.array("f third");
    for (id, own, peer) in [("own", own, peer), ("peer", peer, own)] {
        let id = format!("code-{id}");
        let answer = cases.accept(&id, "code", "", two(&own, &peer));
        cases.same(&id, answer.bytes("code"), code(&own, &peer));
    }
    let right = code(&peer, &own);
    let flip = |place: usize| {
        let mut bytes = right.clone();
        for byte in bytes.iter_mut().skip(place).take(1) {
            *byte ^= 1;
        }
        bytes
    };
    let version = |version: u8| [&[version], right.get(1..).unwrap_or_default()].concat();
    let list: Vec<(&str, &str, Vec<u8>)> = vec![
        (
            "equal",
            "The peer's code: its own half comes first.",
            right.clone(),
        ),
        (
            "own-code",
            "One's own code is not the peer's.",
            code(&own, &peer),
        ),
        (
            "other-peer",
            "Somebody else's code for us.",
            code(&third, &own),
        ),
        (
            "for-other",
            "The peer's code for somebody else.",
            code(&peer, &third),
        ),
        ("both-other", "", code(&third, &third)),
        ("flipped-first", "", flip(1)),
        ("flipped-32", "", flip(32)),
        ("flipped-33", "", flip(33)),
        ("flipped-last", "", flip(64)),
        ("empty", "", Vec::new()),
        ("short", "", right.get(..64).unwrap_or_default().to_vec()),
        ("long", "", [&right[..], &[0]].concat()),
        ("version-0", "", version(0)),
        ("version-2", "", version(2)),
        (
            "version-2-other",
            "Another version, and another account.",
            [&[2], &third[..], &own].concat(),
        ),
        (
            "version-2-short",
            "The length comes before the version.",
            version(2).get(..64).unwrap_or_default().to_vec(),
        ),
        ("version-2-long", "", [&version(2)[..], &[0]].concat()),
    ];
    for (id, comment, scanned) in list {
        let id = format!("scan-{id}");
        let input = with(two(&own, &peer), "scanned", &scanned);
        match scan(&own, &peer, &scanned) {
            Ok(equal) => {
                let answer = cases.accept(&id, "scan", comment, input);
                cases.same(&id, answer.get("equal").cloned(), Some(equal.into()));
            }
            Err(Refusal::Error(error)) => cases.refuse(&id, "scan", &error, comment, input),
            Err(other) => cases.fault(format!("{id}: {other:?}")),
        }
    }
}

/// One comparison: what each of the two sends and shows.
struct Exchange {
    f_a: Bytes32,
    f_b: Bytes32,
    r_a: Bytes32,
    r_b: Bytes32,
}

impl Exchange {
    fn new(cases: &Cases, name: &str) -> Self {
        let of = |what: &str| cases.array(&format!("{name} {what}"));
        Self {
            f_a: of("f a"),
            f_b: of("f b"),
            r_a: of("r a"),
            r_b: of("r b"),
        }
    }

    fn numbers(&self) -> Vec<u8> {
        emoji(&self.f_a, &self.f_b, &self.r_a, &self.r_b)
    }

    /// What A has, and is given.
    fn of_initiator(&self) -> Value {
        let input = with(two(&self.f_a, &self.f_b), "r_a", &self.r_a);
        with(input, "r_b", &self.r_b)
    }

    /// What B has, and is given.
    fn of_responder(&self, commit: &Bytes32) -> Value {
        let input = with(two(&self.f_b, &self.f_a), "commit", commit);
        with(with(input, "r_b", &self.r_b), "r_a", &self.r_a)
    }

    fn commit(&self) -> Bytes32 {
        commit(&self.f_a, &self.f_b, &self.r_a)
    }

    /// Both sides to the end.
    fn run(&self, cases: &mut Cases, id: &str, comment: &str) {
        let id = format!("emoji-{id}");
        let committed = with(two(&self.f_a, &self.f_b), "r_a", &self.r_a);
        let answer = cases.accept(&format!("{id}-commit"), "emoji_commit", comment, committed);
        cases.same(&id, answer.bytes("commit"), self.commit().to_vec());
        let [a, b] = [
            ("initiator", "emoji_initiator", self.of_initiator()),
            (
                "responder",
                "emoji_responder",
                self.of_responder(&self.commit()),
            ),
        ]
        .map(|(role, op, input)| cases.accept(&format!("{id}-{role}"), op, comment, input));
        let numbers = self.numbers();
        let table = emoji_table();
        let entries: Vec<_> = numbers
            .iter()
            .filter_map(|number| table.get(usize::from(*number)))
            .collect();
        let symbols: Vec<&str> = entries.iter().map(|entry| entry.0).collect();
        let names: Vec<&str> = entries.iter().map(|entry| entry.1).collect();
        let expected = json!({"numbers": numbers, "symbols": symbols, "names": names});
        for (role, answer) in [("initiator", a), ("responder", b)] {
            cases.same(
                &format!("{id}: {role}"),
                Value::Object(answer.out),
                expected.clone(),
            );
        }
    }
}

fn exchanges(cases: &mut Cases) {
    let usual = Exchange::new(cases, "usual");
    usual.run(cases, "usual", "");
    let swapped = Exchange {
        f_a: usual.f_b,
        f_b: usual.f_a,
        ..Exchange::new(cases, "usual")
    };
    swapped.run(
        cases,
        "other-roles",
        "The same people and values, but the other one initiates.",
    );
    let own = Exchange {
        f_b: usual.f_a,
        ..Exchange::new(cases, "usual")
    };
    own.run(cases, "one-account", "Both have the same account.");
    let equal = Exchange {
        r_b: usual.r_a,
        ..Exchange::new(cases, "usual")
    };
    equal.run(cases, "one-r", "B answers with what A drew.");
}

/// Exchanges in which every emoji of the table occurs.
fn every_emoji(cases: &mut Cases) {
    let mut left: BTreeSet<u8> = (0..64).collect();
    let mut made = 0;
    for attempt in 0..100_000 {
        if left.is_empty() {
            return;
        }
        let exchange = Exchange::new(cases, &format!("attempt {attempt}"));
        let new: BTreeSet<u8> = exchange
            .numbers()
            .into_iter()
            .filter(|number| left.contains(number))
            .collect();
        if new.len() >= left.len().div_ceil(8).min(7) {
            left.retain(|number| !new.contains(number));
            exchange.run(cases, &format!("table-{made}"), "");
            made += 1;
        }
    }
    cases.fault(format!("account: no exchange shows {left:?}"));
}

/// What B refuses.
fn not_committed(cases: &mut Cases) {
    let usual = Exchange::new(cases, "usual");
    let genuine = usual.commit();
    let third: Bytes32 = cases.array("f third");
    let changed = |change: &dyn Fn(&mut Exchange)| {
        let mut other = Exchange::new(cases, "usual");
        change(&mut other);
        other
    };
    let flip =
        |bytes: &mut Bytes32| *bytes = edge::map_ends(*bytes, |first, last| (first, last ^ 1));
    let list: Vec<(&str, &str, Exchange, Bytes32)> = vec![
        (
            "other-r",
            "Another r_A is revealed.",
            changed(&|it| it.r_a = third),
            genuine,
        ),
        ("flipped-r", "", changed(&|it| flip(&mut it.r_a)), genuine),
        (
            "r-b",
            "r_B is revealed as r_A.",
            changed(&|it| it.r_a = it.r_b),
            genuine,
        ),
        (
            "flipped-commit-last",
            "",
            changed(&|_| ()),
            edge::map_ends(genuine, |first, last| (first, last ^ 0x80)),
        ),
        (
            "flipped-commit-first",
            "",
            changed(&|_| ()),
            edge::map_ends(genuine, |first, last| (first ^ 1, last)),
        ),
        ("zero-commit", "", changed(&|_| ()), [0; 32]),
        (
            "other-initiator",
            "A has another account than B thinks.",
            changed(&|it| it.f_a = third),
            genuine,
        ),
        (
            "other-responder",
            "A compares with another account than B's.",
            changed(&|it| it.f_b = third),
            genuine,
        ),
        (
            "other-order",
            "The commitment has the fingerprints in the other order.",
            changed(&|_| ()),
            commit(&usual.f_b, &usual.f_a, &usual.r_a),
        ),
    ];
    for (id, comment, exchange, commit) in list {
        cases.same(id, exchange.commit() == commit, false);
        let id = format!("emoji-refused-{id}");
        let input = exchange.of_responder(&commit);
        cases.refuse(&id, "emoji_responder", "BadCommitment", comment, input);
    }
}

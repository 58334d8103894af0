//! Trees, proofs, and what is none.

use serde_json::{Value, json};

use super::super::tree::in_hex;
use super::{HEADER, Hash, SEALED};
use crate::generate::Cases;
use crate::model::blob as model;

pub(super) fn trees(cases: &mut Cases) {
    for count in [0, 1, 2, 3, 4, 5, 7, 8, 13] {
        let leaves = hashes(cases, count);
        let id = format!("tree-{count}");
        let answer = cases.accept(&id, "tree", "", json!({"leaves": in_hex(&leaves)}));
        let nodes = in_hex(&model::nodes(&leaves));
        cases.same(&id, answer.get("nodes"), Some(&nodes.into()));
        let root = (count > 0).then(|| hex::encode(model::root(&leaves)));
        cases.same(&id, answer.get("root"), Some(&root.into()));
    }
    let header = cases.hex("header", HEADER);
    let header_bytes = cases.bytes("header", HEADER);
    let input = |leaves: &[Hash], length: u64| json!({"header": header, "length": length.to_string(), "leaves": in_hex(leaves)});
    for (count, length) in [
        (1, 72),
        (1, 16_455),
        (5, length_of(5)),
        (5, length_of(5) + 9),
    ] {
        let leaves = hashes(cases, count);
        let id = format!("id-{count}-{length}");
        let answer = cases.accept(&id, "id", "", input(&leaves, length));
        let model = model::id(&header_bytes, length, &leaves);
        cases.same(&id, answer.bytes("id").as_slice(), &model);
    }
    for (id, count, length, error) in [
        ("no-leaf", 0, 72, "Truncated"),
        ("fewer-leaves", 4, length_of(5), "Truncated"),
        ("more-leaves", 6, length_of(5), "TooLong"),
        ("no-length", 1, 71, "Truncated"),
        ("length-of-a-full-chunk", 1, 16_456, "Truncated"),
        ("length-above-all", 1, u64::MAX, "TooLong"),
    ] {
        let leaves = hashes(cases, count);
        cases.refuse(&format!("id-{id}"), "id", error, "", input(&leaves, length));
    }
}

fn hashes(cases: &Cases, count: usize) -> Vec<Hash> {
    let numbers = 0..count;
    numbers
        .map(|number| cases.array(&format!("leaf {number}")))
        .collect()
}

/// Bytes of a blob with so many leaves, the last of them as short as it may be.
fn length_of(leaves: u64) -> u64 {
    (HEADER as u64 + 16).saturating_add((leaves - 1).saturating_mul(SEALED as u64))
}

/// Every run of some small trees, and what is none.
pub(super) fn runs(cases: &mut Cases) {
    let header = cases.bytes("header", HEADER);
    for count in [1u64, 2, 5, 7] {
        let leaves = hashes(cases, count as usize);
        let length = length_of(count);
        let id = model::id(&header, length, &leaves);
        for from in 0..count {
            for to in from + 1..=count {
                let name = format!("{count}-{from}-{to}");
                let run = (from, to);
                let input = json!({
                    "header": hex::encode(&header),
                    "length": length.to_string(),
                    "nodes": in_hex(&model::nodes(&leaves)),
                    "from": from.to_string(),
                    "to": to.to_string(),
                });
                let proof = cases.accept(&format!("prove-{name}"), "prove", "", input);
                let proof = proof.bytes("proof");
                cases.same(&name, &proof, &model::proof(&header, &leaves, run));
                let inside = leaves.get(from as usize..to as usize).unwrap_or_default();
                let input = verification(&id, length, run, inside, &proof);
                cases.accept(&format!("verify-{name}"), "verify", "", input);
                let holds = model::verifies(&id, length, count, run, inside, &proof);
                cases.same(&name, holds, true);
            }
        }
    }
    no_runs(cases);
    runs_of_bytes(cases);
}

fn verification(id: &Hash, length: u64, run: (u64, u64), leaves: &[Hash], proof: &[u8]) -> Value {
    json!({
        "id": hex::encode(id),
        "length": length.to_string(),
        "from": run.0.to_string(),
        "to": run.1.to_string(),
        "leaves": in_hex(leaves),
        "proof": hex::encode(proof),
    })
}

fn no_runs(cases: &mut Cases) {
    let header = cases.bytes("header", HEADER);
    let leaves = hashes(cases, 7);
    let (length, run) = (length_of(7), (2, 4));
    let id = model::id(&header, length, &leaves);
    let inside = leaves.get(2..4).unwrap_or_default();
    let proof = model::proof(&header, &leaves, run);
    let altered = |place: usize| {
        let mut proof = proof.clone();
        if let Some(byte) = proof.get_mut(place) {
            *byte ^= 1;
        }
        proof
    };
    let swapped = [
        proof.get(..HEADER).unwrap_or_default(),
        proof.get(HEADER + 32..HEADER + 64).unwrap_or_default(),
        proof.get(HEADER..HEADER + 32).unwrap_or_default(),
        proof.get(HEADER + 64..).unwrap_or_default(),
    ]
    .concat();
    let other = hashes(cases, 6);
    let exchanged: Vec<Hash> = inside.iter().rev().copied().collect();
    let with =
        |length, run, leaves: &[Hash], proof: &[u8]| verification(&id, length, run, leaves, proof);
    let longer = [&proof[..], &[0; 32]].concat();
    let shorter = proof.get(..proof.len() - 32).unwrap_or_default();
    let refusals = [
        (
            "altered-header",
            with(length, run, inside, &altered(3)),
            "Proof",
        ),
        (
            "altered-left-node",
            with(length, run, inside, &altered(HEADER)),
            "Proof",
        ),
        (
            "altered-right-node",
            with(length, run, inside, &altered(proof.len() - 1)),
            "Proof",
        ),
        (
            "swapped-nodes",
            with(length, run, inside, &swapped),
            "Proof",
        ),
        ("longer-proof", with(length, run, inside, &longer), "Proof"),
        ("shorter-proof", with(length, run, inside, shorter), "Proof"),
        (
            "byte-behind-the-proof",
            with(length, run, inside, &[&proof[..], &[0]].concat()),
            "Proof",
        ),
        ("no-proof", with(length, run, inside, &[]), "Proof"),
        (
            "exchanged-leaves",
            with(length, run, &exchanged, &proof),
            "Proof",
        ),
        (
            "another-length",
            with(length + 1, run, inside, &proof),
            "Proof",
        ),
        ("another-run", with(length, (4, 6), inside, &proof), "Proof"),
        (
            "one-leaf-less",
            with(length, run, inside.get(..1).unwrap_or_default(), &proof),
            "Truncated",
        ),
        (
            "one-leaf-more",
            with(length, run, &[inside, inside].concat(), &proof),
            "Ended",
        ),
        ("empty-run", with(length, (3, 3), &[], &proof), "OutOfRange"),
        (
            "run-behind-the-end",
            with(length, (6, 8), inside, &proof),
            "OutOfRange",
        ),
        (
            "run-backwards",
            with(length, (4, 2), inside, &proof),
            "OutOfRange",
        ),
        (
            "length-of-no-blob",
            with(71, run, inside, &proof),
            "Truncated",
        ),
        (
            "length-above-all",
            with(u64::MAX, run, inside, &proof),
            "TooLong",
        ),
    ];
    for (name, input, error) in refusals {
        cases.refuse(&format!("verify-{name}"), "verify", error, "", input);
    }
    cases.same(
        "another tree",
        model::verifies(&id, length, 7, run, &exchanged, &proof),
        false,
    );
    let six = model::proof(&header, &other, (0, 1));
    let input = with(length, (0, 1), other.get(..1).unwrap_or_default(), &six);
    cases.refuse(
        "verify-proof-of-a-shorter-tree",
        "verify",
        "Proof",
        "",
        input,
    );
    let prove = |length: u64, nodes: &[Hash], run: (u64, u64)| {
        json!({
            "header": hex::encode(&header),
            "length": length.to_string(),
            "nodes": in_hex(nodes),
            "from": run.0.to_string(),
            "to": run.1.to_string(),
        })
    };
    let nodes = model::nodes(&leaves);
    for (name, input, error) in [
        ("empty-run", prove(length, &nodes, (1, 1)), "OutOfRange"),
        (
            "run-behind-the-end",
            prove(length, &nodes, (0, 8)),
            "OutOfRange",
        ),
        (
            "length-of-no-blob",
            prove(16_456, &nodes, (0, 1)),
            "Truncated",
        ),
        (
            "length-above-all",
            prove(u64::MAX, &nodes, (0, 1)),
            "TooLong",
        ),
    ] {
        cases.refuse(&format!("prove-{name}"), "prove", error, "", input);
    }
}

/// A blob of bytes that nobody has sealed: the tree asks for no key.
fn runs_of_bytes(cases: &mut Cases) {
    let mut stored = cases.bytes("header", HEADER);
    stored.extend((0..2 * SEALED + 100).map(|place| (place / 64 % 251) as u8));
    let leaves = model::leaves(&stored);
    let answer = cases.accept("hash", "hash", "", json!({"stored": hex::encode(&stored)}));
    let (header, body) = stored.split_at(HEADER);
    let length = stored.len() as u64;
    let id = model::id(header, length, &leaves);
    cases.same("hash", answer.bytes("id").as_slice(), &id);
    let nodes = in_hex(&model::nodes(&leaves));
    cases.same("hash", answer.get("nodes"), Some(&nodes.into()));
    for (name, length) in [
        ("nothing", 0),
        ("header", 56),
        ("half-a-tag", 71),
        ("full-chunk", HEADER + SEALED),
    ] {
        let part = stored.get(..length).unwrap_or_default();
        let input = json!({"stored": hex::encode(part)});
        cases.refuse(&format!("hash-{name}"), "hash", "Truncated", "", input);
    }
    let proof = model::proof(header, &leaves, (1, 3));
    let bytes = body.get(SEALED..).unwrap_or_default();
    let input = |bytes: &[u8]| {
        json!({
            "id": hex::encode(id),
            "length": length.to_string(),
            "from": "1",
            "to": "3",
            "bytes": hex::encode(bytes),
            "proof": hex::encode(&proof),
        })
    };
    cases.accept("verify-bytes", "verify_bytes", "", input(bytes));
    let mut altered = bytes.to_vec();
    if let Some(byte) = altered.get_mut(SEALED) {
        *byte ^= 0x80;
    }
    let short = bytes.get(..bytes.len() - 1).unwrap_or_default();
    for (name, bytes, error) in [
        ("altered", altered, "Proof"),
        ("byte-more", [bytes, &[0]].concat(), "Ended"),
        ("byte-less", short.to_vec(), "Truncated"),
        ("none", vec![], "Truncated"),
    ] {
        cases.refuse(
            &format!("verify-bytes-{name}"),
            "verify_bytes",
            error,
            "",
            input(&bytes),
        );
    }
}

//! SPEC §10.1 to §10.4: secrets, objects, symbols, frames.

use serde_json::{Value, json};

use crate::generate::Cases;
use crate::model::braid::{self, BraidFrame};
use crate::model::formula::{self, Bytes32};
use crate::model::keccak::{sha3_256, sha3_512};
use crate::model::symbols::{self, Symbol, Taken};

pub(super) fn cases(cases: &mut Cases) {
    epochs(cases);
    authenticator(cases);
    kem(cases);
    for (name, k) in [("hdr", 6), ("ct2", 10), ("ct1", 60), ("ek", 72)] {
        code(cases, name, k);
    }
    frames(cases);
}

fn epochs(cases: &mut Cases) {
    let pq0: Bytes32 = cases.array("pq0");
    let started = cases.accept(
        "epoch-start",
        "epoch_start",
        "",
        json!({"pq0": hex::encode(pq0)}),
    );
    let Some(mut values) = cases.made("epoch-start", formula::epoch_start(&pq0)) else {
        return;
    };
    for (name, value) in ["pqroot", "s_a", "s_b"].iter().zip(values) {
        cases.same("epoch-start", started.bytes(name), value.to_vec());
    }
    for epoch in [1, 2, 3, u32::MAX - 1] {
        let secret: Bytes32 = cases.array(&format!("secret {epoch}"));
        let id = format!("epoch-step-{epoch}");
        let [root, ..] = values;
        let comment = "Each step goes on from the one before.";
        let input =
            json!({"pqroot": hex::encode(root), "epoch": epoch, "secret": hex::encode(secret)});
        let stepped = cases.accept(&id, "epoch_step", comment, input);
        let Some(next) = cases.made(&id, formula::epoch_step(&root, epoch, &secret)) else {
            return;
        };
        for (name, value) in ["pqroot", "s_a", "s_b"].iter().zip(next) {
            cases.same(&id, stepped.bytes(name), value.to_vec());
        }
        values = next;
    }
}

fn authenticator(cases: &mut Cases) {
    let mut ar: Bytes32 = [0; 32];
    for epoch in [1, 2, u32::MAX - 1] {
        let (k, ss): (Bytes32, Bytes32) = (
            cases.array(&format!("k {epoch}")),
            cases.array(&format!("ss {epoch}")),
        );
        let id = format!("update-{epoch}");
        let input = json!({"ar": hex::encode(ar), "epoch": epoch, "k": hex::encode(k)});
        let comment =
            "The first one with AR = Z, each of the others with the AR of the one before.";
        let updated = cases.accept(&id, "update", comment, input);
        let Some((next, am)) = cases.made(&id, braid::update(&ar, epoch, &k)) else {
            return;
        };
        cases.same(&id, updated.bytes("ar"), next.to_vec());
        cases.same(&id, updated.bytes("am"), am.to_vec());
        ar = next;
        let id = format!("secret-{epoch}");
        let made = cases.accept(
            &id,
            "secret",
            "",
            json!({"epoch": epoch, "ss": hex::encode(ss)}),
        );
        cases.same(
            &id,
            made.bytes("secret"),
            braid::secret(epoch, &ss).to_vec(),
        );
        let (ek_seed, h3) = (cases.array("ek seed"), cases.array("h3"));
        let id = format!("header-mac-{epoch}");
        let input = json!({
            "am": hex::encode(am), "epoch": epoch, "ek_seed": hex::encode(ek_seed), "h3": hex::encode(h3),
        });
        let made = cases.accept(&id, "header_mac", "", input);
        let mac = braid::header_mac(&am, epoch, &ek_seed, &h3);
        cases.same(&id, made.bytes("mac"), mac.to_vec());
        let (ct1, ct2) = (cases.bytes("ct1", 960), cases.bytes("ct2", 128));
        let id = format!("ciphertext-mac-{epoch}");
        let input = json!({
            "am": hex::encode(am), "epoch": epoch, "ct1": hex::encode(&ct1), "ct2": hex::encode(&ct2),
        });
        let made = cases.accept(&id, "ciphertext_mac", "", input);
        let mac = braid::ciphertext_mac(&am, epoch, &ct1, &ct2);
        cases.same(&id, made.bytes("mac"), mac.to_vec());
    }
}

/// A key that fails the modulus check: its first coefficient is 4,095.
pub(super) fn unreduced(vector: &[u8]) -> Vec<u8> {
    let mut vector = vector.to_vec();
    for (byte, value) in vector.iter_mut().zip([0xff, 0x0f]) {
        *byte |= value;
    }
    vector
}

fn kem(cases: &mut Cases) {
    for index in 0..3 {
        let seed: [u8; 64] = cases.array(&format!("kem seed {index}"));
        let m: Bytes32 = cases.array(&format!("m {index}"));
        let id = format!("key-parts-{index}");
        let input = json!({"seed": hex::encode(seed)});
        let parts = cases.accept(&id, "key_parts", "", input);
        let Some((ek_seed, h3, vector)) = cases.made(&id, braid::key_parts(&seed)) else {
            return;
        };
        cases.same(&id, parts.bytes("ek_seed"), ek_seed.to_vec());
        cases.same(&id, parts.bytes("h3"), h3.to_vec());
        cases.same(&id, parts.bytes("ek_vector"), vector.clone());
        let id = format!("encapsulate-1-{index}");
        let input = json!({
            "ek_seed": hex::encode(ek_seed), "h3": hex::encode(h3), "m": hex::encode(m),
        });
        let first = cases.accept(&id, "encapsulate_1", "", input);
        let whole = formula::encapsulate(&[&vector[..], &ek_seed].concat(), &m);
        let Some((ct, ss)) = cases.made(&id, whole) else {
            return;
        };
        let (ct1, ct2) = ct.split_at_checked(960).unwrap_or_default();
        cases.same(&id, first.bytes("ct1"), ct1.to_vec());
        cases.same(&id, first.bytes("ss"), ss.to_vec());
        let g = sha3_512(&[m, h3].concat());
        cases.same(&id, g.starts_with(&ss), true);
        let second = |vector: &[u8], h3: &Bytes32| {
            json!({
                "ek_seed": hex::encode(ek_seed), "h3": hex::encode(h3), "ek_vector": hex::encode(vector),
                "m": hex::encode(m),
            })
        };
        let id = format!("encapsulate-2-{index}");
        let made = cases.accept(&id, "encapsulate_2", "", second(&vector, &h3));
        cases.same(&id, made.bytes("ct2"), ct2.to_vec());
        let mut other = vector.clone();
        other.iter_mut().take(1).for_each(|byte| *byte ^= 1);
        let unreduced = unreduced(&vector);
        let its_hash = sha3_256(&[&unreduced[..], &ek_seed].concat());
        for (name, comment, input) in [
            (
                "other-vector",
                "Another vector than that of `h3`.",
                second(&other, &h3),
            ),
            ("other-hash", "", second(&vector, &its_hash)),
            (
                "unreduced",
                "A coefficient is not reduced; the hash is that of this key (§3.7-R1).",
                second(&unreduced, &its_hash),
            ),
        ] {
            cases.refuse(
                &format!("{id}-{name}"),
                "encapsulate_2",
                "Malformed",
                comment,
                input,
            );
        }
    }
}

fn code(cases: &mut Cases, name: &str, k: u16) {
    let object = cases.bytes(&format!("object {name}"), usize::from(k) * 16);
    let mut all: Vec<Symbol> = symbols::cut(&object);
    let short = u8::try_from(k).unwrap_or_default();
    for (part, comment, first, count) in [
        (
            "systematic",
            "The first k symbols are the object.",
            0,
            short,
        ),
        (
            "across",
            "The last symbol of the object and the first repair symbols.",
            k - 1,
            4,
        ),
        ("repair", "", k, 8),
        ("middle", "", 32_768, 3),
        ("last", "The symbol of the last index.", u16::MAX, 1),
        ("at-the-end", "", u16::MAX - 5, 6),
    ] {
        let id = format!("symbols-{name}-{part}");
        let input = json!({"object": hex::encode(&object), "first": first, "count": count});
        let made = cases.accept(&id, "symbols", comment, input);
        let run = symbols::run(&object, first, count.into());
        cases.same(&id, made.bytes("symbols"), run.concat());
        all.extend((first..=u16::MAX).zip(run));
    }
    all.sort_unstable();
    all.dedup();
    let of = |indices: &[u16]| -> Vec<Symbol> {
        let indices = indices.iter();
        let found =
            indices.map(|index| (*index, symbols::value_at(*index, &symbols::cut(&object))));
        found.collect()
    };
    let half = k / 2;
    let mixed: Vec<u16> = (0..half).rev().chain(k..2 * k - half).collect();
    let repair: Vec<u16> = (1_000..1_000 + k).collect();
    let with_ends: Vec<u16> = [u16::MAX, k, 0].into_iter().chain(2..k - 1).collect();
    let mut twice = of(&mixed);
    twice.extend(of(&[mixed.first().copied().unwrap_or_default()]));
    twice.rotate_right(1);
    let mut conflict = of(&mixed);
    conflict.truncate(usize::from(k) - 1);
    if let Some((index, symbol)) = conflict.first().copied() {
        let [first, rest @ ..] = symbol;
        let mut other = [0; 16];
        for (to, from) in other.iter_mut().zip([first ^ 1].iter().chain(&rest)) {
            *to = *from;
        }
        conflict.push((index, other));
    }
    let fewer = of(mixed.get(1..).unwrap_or_default());
    let systematic: Vec<u16> = (0..k).collect();
    for (part, comment, list) in [
        ("systematic", "", of(&systematic)),
        (
            "mixed",
            "Half of the object's own symbols, in descending order, and repair symbols.",
            of(&mixed),
        ),
        ("repair-only", "", of(&repair)),
        ("ends", "With the symbols 0, k and 65,535.", of(&with_ends)),
        (
            "twice",
            "One symbol comes twice, with the same value.",
            twice,
        ),
        ("too-few", "One symbol is missing.", fewer),
        ("none", "", Vec::new()),
        ("conflict", "One index has two values.", conflict),
    ] {
        decoded(
            cases,
            &format!("decode-{name}-{part}"),
            comment,
            k,
            &list,
            &object,
        );
    }
}

fn decoded(cases: &mut Cases, id: &str, comment: &str, k: u16, list: &[Symbol], object: &[u8]) {
    let values: Vec<Value> = list
        .iter()
        .map(|(index, symbol)| json!({"index": index, "symbol": hex::encode(symbol)}))
        .collect();
    let input = json!({"k": k, "symbols": values});
    match symbols::take(&[], k.into(), list) {
        Taken::Conflict => cases.refuse(id, "decode", "Malformed", comment, input),
        Taken::Held(_) => {
            let answer = cases.accept(id, "decode", comment, input);
            cases.same(id, answer.get("object"), Some(&Value::Null));
        }
        Taken::Complete(found) => {
            cases.same(id, &found[..], object);
            let answer = cases.accept(id, "decode", comment, input);
            cases.same(id, answer.bytes("object"), found);
        }
    }
}

/// Frames that no sender makes, with what is wrong with each (§10.4-R1). Behind them there is room for any.
pub(in crate::sections) fn malformed_frames() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let symbols = |count: usize| vec![0x5a; 16 * count];
    let with = |front: &[u8], count: usize| [front, &symbols(count)].concat();
    vec![
        ("type-5", "There are four types.", with(&[0xa0, 0, 0, 1], 1)),
        ("type-6", "There are four types.", with(&[0xc0, 0, 0, 1], 1)),
        ("type-7", "There are four types.", with(&[0xe0, 0, 0, 1], 1)),
        ("bit-0", "The lowest bits are zero.", vec![0x01]),
        ("bit-1", "The lowest bits are zero.", vec![0x02]),
        ("bit-2", "The lowest bits are zero.", vec![0x04]),
        (
            "bit-0-with-symbols",
            "The lowest bits are zero.",
            with(&[0x21, 0, 0, 1], 1),
        ),
        ("count-0", "A type without symbols.", vec![0x20, 0, 0, 0]),
        (
            "behind-the-last-index",
            "65,535 + 2 is above 65,536.",
            with(&[0x40, 0xff, 0xff, 2], 2),
        ),
        (
            "far-behind-the-last-index",
            "",
            with(&[0x60, 0xff, 0xff, 255], 255),
        ),
    ]
}

fn frames(cases: &mut Cases) {
    for (id, comment, bytes) in malformed_frames() {
        let id = format!("read-frame-{id}");
        cases.refuse(
            &id,
            "read_frame",
            "Malformed",
            comment,
            json!({"bytes": hex::encode(&bytes)}),
        );
        let mut reader = subrosa::wire::Reader::new(&bytes);
        let model = BraidFrame::read(&mut reader).map(drop);
        cases.same(&id, model, Err(crate::model::error("Malformed")));
    }
    let symbols = cases.bytes("frame symbols", 16 * 255);
    let some = |count: usize| symbols.get(..16 * count).unwrap_or_default();
    let whole = [&[0x60, 0, 57, 3][..], some(3)].concat();
    for length in [0usize, 1, 2, 3, 4, 20, 51] {
        let short = whole.get(..length).unwrap_or_default();
        let id = format!("read-frame-truncated-{length}");
        let input = json!({"bytes": hex::encode(short)});
        cases.refuse(
            &id,
            "read_frame",
            "Malformed",
            "Fewer bytes than count symbols.",
            input,
        );
    }
    for (id, comment, bytes) in [
        ("empty", "No symbols, no flags.", vec![0]),
        ("ack", "", vec![0x10]),
        ("delta", "", vec![0x08]),
        ("both", "", vec![0x18, 0, 0]),
        ("hdr", "", [&[0x20, 0, 0, 1][..], some(1)].concat()),
        ("ek", "", [&[0x58, 0, 70, 5][..], some(5), &[0; 9]].concat()),
        ("ct1", "", whole.clone()),
        ("ct2", "", [&[0x80, 0x12, 0x34, 2][..], some(2)].concat()),
        (
            "last-index",
            "65,535 + 1 is 65,536.",
            [&[0x20, 0xff, 0xff, 1][..], some(1)].concat(),
        ),
        (
            "255-symbols",
            "As many as a frame may have.",
            [&[0x40, 0xff, 0x01, 255][..], some(255)].concat(),
        ),
    ] {
        let id = format!("read-frame-{id}");
        let answer = cases.accept(
            &id,
            "read_frame",
            comment,
            json!({"bytes": hex::encode(&bytes)}),
        );
        let mut reader = subrosa::wire::Reader::new(&bytes);
        let Some(frame) = cases.made(&id, BraidFrame::read(&mut reader)) else {
            continue;
        };
        let rest = reader.rest().to_vec();
        cases.same(&id, [frame.encode(), rest.clone()].concat(), bytes);
        cases.same(&id, answer.bytes("rest"), rest);
        cases.same(&id, answer.get("ack"), Some(&frame.ack.into()));
        cases.same(
            &id,
            answer.get("delta"),
            Some(&json!(u8::from(frame.delta))),
        );
        let (number, run) = frame.run.unwrap_or_default();
        cases.same(&id, answer.get("type"), Some(&json!(number)));
        let values: Vec<Value> = run
            .iter()
            .map(|(index, symbol)| json!({"index": index, "symbol": hex::encode(symbol)}))
            .collect();
        cases.same(&id, answer.get("symbols"), Some(&json!(values)));
    }
}

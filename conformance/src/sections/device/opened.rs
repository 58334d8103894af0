//! SPEC §19.3: keys of a store, and values as they lie in it.

use serde_json::{Value, json};

use super::stored::Whole;
use crate::generate::Cases;
use crate::model::formula::{Bytes32, Container};
use crate::model::values;

pub(super) fn store_keys(cases: &mut Cases) {
    let (one, other): (Bytes32, Bytes32) = (cases.array("app key"), cases.array("other app key"));
    let (address, longest) = (cases.bytes("address", 36), cases.bytes("name", 64));
    let account_id: Bytes32 = cases.array("account id");
    let first_id: [u8; 16] = cases.array("first id");
    let number = 0x0102_0304_0506u64.to_be_bytes();
    let mut list: Vec<(String, &str, Bytes32, u16, &[u8])> = Vec::new();
    for kind in [1, 2, 4, 11] {
        list.push((
            format!("kind-{kind}"),
            "The one value of its kind.",
            one,
            kind,
            &[],
        ));
    }
    let named: [(&str, &str, u16, &[u8]); 9] = [
        ("peer", "The name is an address.", 5, &address),
        ("account", "The name is an account id.", 6, &account_id),
        ("tag", "The name is a tag.", 7, &first_id[..8]),
        ("first", "The name is H(EK)[..16].", 7, &first_id),
        ("outbox", "The name is the app's.", 8, b"a"),
        ("outbox-longest", "", 8, &longest),
        ("outbox-order", "The name is a number.", 9, &number),
        ("inbox", "The same number, another kind.", 10, &number),
        (
            "high-kind",
            "No such kind: its number has two bytes.",
            0x0102,
            &[3],
        ),
    ];
    for (id, comment, kind, name) in named {
        list.push((id.to_owned(), comment, one, kind, name));
    }
    list.push(("other-app-key".to_owned(), "", other, 4, &[]));
    for (id, comment, app_key, kind, name) in list {
        let id = format!("store-key-{id}");
        let input =
            json!({"app_key": hex::encode(app_key), "kind": kind, "name": hex::encode(name)});
        let answer = cases.accept(&id, "store_key", comment, input);
        let expected = values::store_key(&app_key, kind, name);
        cases.same(&id, answer.bytes("key"), expected);
    }
}

/// A value of a store, as it is made.
struct Stored {
    app_key: Bytes32,
    kind: u16,
    name: Vec<u8>,
    generation: u64,
    version: u16,
    /// For which kind its store key is made.
    keyed: u16,
    /// The generation in front of it.
    shown: u64,
}

impl Stored {
    fn seal(&self, cases: &mut Cases, plaintext: &[u8]) -> Vec<u8> {
        let container = Container {
            kind: self.kind,
            version: self.version,
            store_key: values::store_key(&self.app_key, self.keyed, &self.name),
            generation: self.generation,
            app_key: self.app_key,
        };
        let salt = cases.array(&format!("salt {} {}", self.kind, self.generation));
        let sealed = cases.made("value", container.seal(&salt, plaintext));
        let exported = sealed.map(|sealed| sealed.exported).unwrap_or_default();
        [&self.shown.to_be_bytes()[..], &exported].concat()
    }

    fn input(&self, value: &[u8]) -> Value {
        json!({
            "app_key": hex::encode(self.app_key), "kind": self.kind, "name": hex::encode(&self.name),
            "value": hex::encode(value),
        })
    }

    fn new(cases: &Cases, whole: &Whole, generation: u64) -> Self {
        Self {
            app_key: cases.array("app key"),
            kind: whole.kind,
            name: whole.name.clone(),
            generation,
            version: 1,
            keyed: whole.kind,
            shown: generation,
        }
    }
}

pub(super) fn cases(cases: &mut Cases) {
    let Some(wholes) = Whole::all(cases) else {
        cases.fault("device: there is no conversation".to_owned());
        return;
    };
    for (generation, whole) in (1..).zip(&wholes) {
        for generation in [generation, u64::MAX - generation] {
            let stored = Stored::new(cases, whole, generation);
            let value = stored.seal(cases, &whole.plaintext);
            let id = format!("open-{}-{generation}", whole.id);
            let answer = cases.accept(&id, "open", "", stored.input(&value));
            cases.same(&id, answer.bytes("plaintext"), whole.plaintext.clone());
            let shown = answer.get("generation").cloned();
            cases.same(&id, shown, Some(generation.to_string().into()));
        }
    }
    if let Some(root) = wholes.iter().find(|whole| whole.id == "root") {
        refused(cases, root);
    }
    if let Some(peer) = wholes.iter().find(|whole| whole.id == "peer") {
        let stored = Stored::new(cases, peer, 7);
        let value = stored.seal(cases, &peer.plaintext);
        let moved = Stored {
            name: b"another".to_vec(),
            ..Stored::new(cases, peer, 7)
        };
        let comment = "The value of another name.";
        cases.refuse(
            "open-moved",
            "open",
            "Integrity",
            comment,
            moved.input(&value),
        );
    }
}

fn refused(cases: &mut Cases, root: &Whole) {
    let base = || Stored::new(cases, root, 7);
    let other = |change: &dyn Fn(&mut Stored)| {
        let mut stored = base();
        change(&mut stored);
        stored
    };
    let short = root.plaintext.get(1..).unwrap_or_default();
    let changes: Vec<(&str, &str, Stored, &[u8], &str)> = vec![
        (
            "shown-lower",
            "Set back: another generation in front.",
            other(&|it| it.shown = 6),
            &root.plaintext,
            "Integrity",
        ),
        (
            "shown-higher",
            "",
            other(&|it| it.shown = 8),
            &root.plaintext,
            "Integrity",
        ),
        (
            "keyed",
            "Its store key is that of another kind.",
            other(&|it| it.keyed = 11),
            &root.plaintext,
            "Integrity",
        ),
        (
            "version-0",
            "",
            other(&|it| it.version = 0),
            &root.plaintext,
            "UnknownVersion",
        ),
        (
            "version-2",
            "",
            other(&|it| it.version = 2),
            &root.plaintext,
            "UnknownVersion",
        ),
        (
            "plaintext",
            "Genuine, but no root.",
            base(),
            short,
            "Integrity",
        ),
        (
            "plaintext-empty",
            "Genuine, but no root.",
            base(),
            &[],
            "Integrity",
        ),
    ];
    let (base, seed) = (base(), other(&|it| it.kind = 11));
    let other_key = other(&|it| it.app_key = [0; 32]);
    let mut list: Vec<(String, &str, Value, &str)> = Vec::new();
    for (id, comment, stored, plaintext, error) in changes {
        let value = stored.seal(cases, plaintext);
        list.push((id.to_owned(), comment, stored.input(&value), error));
    }
    let value = base.seal(cases, &root.plaintext);
    list.push((
        "other-app-key".to_owned(),
        "",
        other_key.input(&value),
        "Integrity",
    ));
    list.push((
        "other-kind".to_owned(),
        "It says another kind than is asked for.",
        seed.input(&value),
        "Integrity",
    ));
    for length in [0, 7, 8, 11, 14, 15, 16, 47, 48, 80, 95, value.len() - 1] {
        let short = value.get(..length).unwrap_or_default();
        list.push((
            format!("truncated-{length}"),
            "",
            base.input(short),
            "Integrity",
        ));
    }
    let long = [&value[..], &[0]].concat();
    list.push(("trailing".to_owned(), "", base.input(&long), "Integrity"));
    // Generation, magic, kind, salt, commitment, ciphertext, tag.
    for place in [0, 7, 8, 13, 16, 48, 80, value.len() - 1] {
        let mut flipped = value.clone();
        for byte in flipped.iter_mut().skip(place).take(1) {
            *byte ^= 1;
        }
        list.push((
            format!("flipped-{place}"),
            "",
            base.input(&flipped),
            "Integrity",
        ));
    }
    for (id, comment, input, error) in list {
        cases.refuse(&format!("open-{id}"), "open", error, comment, input);
    }
}

//! SPEC §12: the container of stored state, and what may stand in it.

use serde_json::{Value, json};
use subrosa::hazmat::{self, Given};
use subrosa::state::{self, Format};
use subrosa::{AppKey, Conversation, DeviceIdentity, Prekeys, Slot};

use super::Section;
use crate::generate::Cases;
use crate::model::formula::Container;
use crate::op::{Field, Input, Kind, Op, Output, Refusal, field, refused};

mod braid;
mod conversation;
mod prekeys;

pub(super) const SECTION: Section = Section {
    name: "state",
    spec: "SPEC.md §12",
    description: "The container, sealed and opened; and the plaintext of every kind: states that are written again as the \
                  same bytes, and every breach of an invariant.",
    ops: &[OPS],
    cases,
};

const IDENTITY: u16 = 1;
const PREKEYS: u16 = 2;
const CONVERSATION: u16 = 3;

const U16: u64 = u16::MAX as u64;
const STORE_KEY: Field = field("store_key", Kind::Hex);
const GENERATION: Field = field("generation", Kind::Decimal);
const APP_KEY: Field = field("app_key", Kind::HexOf(32));

const OPS: &[Op] = &[
    Op {
        name: "state.seal",
        summary: "The container of a plaintext (§12.1), with its salt given.",
        input: &[
            field("kind", Kind::Integer(U16)),
            field("version", Kind::Integer(U16)),
            STORE_KEY,
            GENERATION,
            APP_KEY,
            field("salt", Kind::HexOf(32)),
            field("plaintext", Kind::Hex),
        ],
        output: &[field("exported", Kind::Hex)],
        trace: &[
            field("key", Kind::HexOf(32)),
            field("nonce", Kind::HexOf(12)),
            field("commit", Kind::HexOf(32)),
            field("ad", Kind::Hex),
        ],
        errors: &["TooLong"],
        run: seal,
    },
    Op {
        name: "state.open",
        summary: "Opens a container of version 1 for one kind and one place in the store.",
        input: &[
            field("kind", Kind::Integer(U16)),
            STORE_KEY,
            GENERATION,
            APP_KEY,
            field("exported", Kind::Hex),
        ],
        output: &[field("plaintext", Kind::Hex)],
        trace: &[],
        errors: &["Integrity", "UnknownVersion", "TooLong"],
        run: open,
    },
    Op {
        name: "state.decode",
        summary: "Reads the plaintext of kind 1, 2 or 3 (§12.2 to §12.5) and writes it again.",
        input: &[
            field("kind", Kind::Integer(3)),
            field("plaintext", Kind::Hex),
        ],
        output: &[field("plaintext", Kind::Hex)],
        trace: &[],
        errors: &["Integrity"],
        run: decode,
    },
];

fn format(input: &Input<'_>, version: u16) -> Result<Format, Refusal> {
    Ok(Format {
        kind: input.integer("kind")?,
        version,
    })
}

fn seal(input: &Input<'_>) -> Result<Output, Refusal> {
    let format = format(input, input.integer("version")?)?;
    let (store_key, salt) = (input.bytes("store_key")?, input.array("salt")?);
    let slot = Slot {
        store_key: &store_key,
        generation: input.integer("generation")?,
    };
    let app_key = input.array("app_key")?;
    let plaintext = input.bytes("plaintext")?;
    let mut given = Given::new([salt.to_vec()]);
    let exported = state::seal(format, slot, &plaintext, &AppKey::new(app_key), &mut given);
    let output = Output::new().hex("exported", exported.map_err(refused)?);
    // The steps once more, by the formula of SPEC §12.1.
    let container = Container {
        kind: format.kind,
        version: format.version,
        store_key: store_key.clone(),
        generation: slot.generation,
        app_key,
    };
    let steps = container.seal(&salt, &plaintext)?;
    Ok(output
        .trace_hex("key", steps.key)
        .trace_hex("nonce", steps.nonce)
        .trace_hex("commit", steps.commit)
        .trace_hex("ad", steps.ad))
}

fn open(input: &Input<'_>) -> Result<Output, Refusal> {
    let store_key = input.bytes("store_key")?;
    let slot = Slot {
        store_key: &store_key,
        generation: input.integer("generation")?,
    };
    let app_key = AppKey::new(input.array("app_key")?);
    let plaintext = state::open(format(input, 1)?, slot, &input.bytes("exported")?, &app_key);
    Ok(Output::new().hex("plaintext", plaintext.map_err(refused)?.as_slice()))
}

fn decode(input: &Input<'_>) -> Result<Output, Refusal> {
    let plaintext = input.bytes("plaintext")?;
    let again = match input.integer("kind")? {
        IDENTITY => {
            hazmat::decode::<DeviceIdentity>(&plaintext).and_then(|value| hazmat::encode(&value))
        }
        PREKEYS => hazmat::decode::<Prekeys>(&plaintext).and_then(|value| hazmat::encode(&value)),
        CONVERSATION => {
            hazmat::decode::<Conversation>(&plaintext).and_then(|value| hazmat::encode(&value))
        }
        other => return Err(Refusal::Invalid(format!("kind: {other} is none"))),
    };
    Ok(Output::new().hex("plaintext", again.map_err(refused)?))
}

fn cases(cases: &mut Cases) {
    containers(cases);
    identities(cases);
    prekeys::cases(cases);
    conversation::cases(cases);
}

/// A plaintext that is written again as the same bytes.
fn valid(cases: &mut Cases, id: &str, kind: u16, comment: &str, plaintext: &[u8]) {
    let id = format!("decode-{id}");
    let input = json!({"kind": kind, "plaintext": hex::encode(plaintext)});
    let answer = cases.accept_digest(&id, "decode", comment, input);
    let same = answer.bytes("plaintext") == plaintext;
    cases.same(
        &format!("{id}: written again as the same bytes"),
        same,
        true,
    );
}

/// A plaintext that is refused.
fn invalid(cases: &mut Cases, id: &str, kind: u16, comment: &str, plaintext: &[u8]) {
    let input = json!({"kind": kind, "plaintext": hex::encode(plaintext)});
    cases.refuse(
        &format!("decode-{id}"),
        "decode",
        "Integrity",
        comment,
        input,
    );
}

/// The plaintext cut short at these lengths, and with a byte behind it.
fn not_whole(cases: &mut Cases, id: &str, kind: u16, plaintext: &[u8], lengths: &[usize]) {
    for length in lengths.iter().chain([&plaintext.len().saturating_sub(1)]) {
        let short = plaintext.get(..*length).unwrap_or_default();
        invalid(cases, &format!("{id}-truncated-{length}"), kind, "", short);
    }
    let long = [plaintext, &[0]].concat();
    invalid(
        cases,
        &format!("{id}-trailing"),
        kind,
        "A byte is left over.",
        &long,
    );
}

fn identities(cases: &mut Cases) {
    let secrets = cases.bytes("identity", 64);
    let of = |address: &[u8]| [&crate::model::formula::vector(address)[..], &secrets].concat();
    for (id, length) in [("1", 1), ("47", 47)] {
        let address = cases.bytes("address", length);
        valid(
            cases,
            &format!("identity-address-{id}"),
            IDENTITY,
            "",
            &of(&address),
        );
    }
    let plaintext = of(b"alice");
    valid(cases, "identity", IDENTITY, "", &plaintext);
    not_whole(cases, "identity", IDENTITY, &plaintext, &[0, 1, 6, 38]);
    for length in [0usize, 48] {
        let address = cases.bytes("address", length);
        invalid(
            cases,
            &format!("identity-address-{length}"),
            IDENTITY,
            "",
            &of(&address),
        );
    }
    let long_form = [&[0x40, 5][..], b"alice", &secrets].concat();
    let comment = "The length of the address is not in its shortest form.";
    invalid(
        cases,
        "identity-address-long-form",
        IDENTITY,
        comment,
        &long_form,
    );
}

fn seal_input(container: &Container, salt: &[u8], plaintext: &[u8]) -> Value {
    json!({
        "kind": container.kind, "version": container.version, "store_key": hex::encode(&container.store_key),
        "generation": container.generation.to_string(), "app_key": hex::encode(container.app_key),
        "salt": hex::encode(salt), "plaintext": hex::encode(plaintext),
    })
}

fn open_input(container: &Container, exported: &[u8]) -> Value {
    json!({
        "kind": container.kind, "store_key": hex::encode(&container.store_key),
        "generation": container.generation.to_string(), "app_key": hex::encode(container.app_key),
        "exported": hex::encode(exported),
    })
}

/// Seals both ways, and opens if it is of this version.
fn sealed(
    cases: &mut Cases,
    id: &str,
    comment: &str,
    container: &Container,
    plaintext: &[u8],
) -> Vec<u8> {
    let salt = cases.array(&format!("{id} salt"));
    let seal_id = format!("seal-{id}");
    let answer = cases.accept(
        &seal_id,
        "seal",
        comment,
        seal_input(container, &salt, plaintext),
    );
    let exported = answer.bytes("exported");
    let model = container.seal(&salt, plaintext);
    cases.same(
        &seal_id,
        Ok(exported.clone()),
        model.map(|model| model.exported),
    );
    if container.version == 1 {
        let open_id = format!("open-{id}");
        let opened = cases.accept(&open_id, "open", comment, open_input(container, &exported));
        cases.same(&open_id, opened.bytes("plaintext"), plaintext.to_vec());
    }
    exported
}

fn containers(cases: &mut Cases) {
    let base = Container {
        kind: CONVERSATION,
        version: 1,
        store_key: b"conversation/bob".to_vec(),
        generation: 17,
        app_key: cases.array("app key"),
    };
    let plaintext = cases.bytes("plaintext", 100);
    for kind in [IDENTITY, PREKEYS, CONVERSATION, 0, u16::MAX] {
        let container = Container {
            kind,
            ..base.clone()
        };
        sealed(cases, &format!("kind-{kind}"), "", &container, &plaintext);
    }
    sealed(cases, "empty", "An empty plaintext.", &base, &[]);
    for length in [0usize, 63, 64, 1_024] {
        let container = Container {
            store_key: cases.bytes("store key", length),
            ..base.clone()
        };
        sealed(
            cases,
            &format!("store-key-{length}"),
            "",
            &container,
            &plaintext,
        );
    }
    for generation in [0, u64::MAX] {
        let container = Container {
            generation,
            ..base.clone()
        };
        sealed(
            cases,
            &format!("generation-{generation}"),
            "",
            &container,
            &plaintext,
        );
    }
    let container = Container {
        store_key: cases.bytes("store key", 1_025),
        ..base.clone()
    };
    let input = seal_input(&container, &[0; 32], &plaintext);
    cases.refuse("seal-store-key-1025", "seal", "TooLong", "", input);
    for version in [0u16, 2, u16::MAX] {
        let container = Container {
            version,
            ..base.clone()
        };
        let id = format!("version-{version}");
        let exported = sealed(cases, &id, "Another version.", &container, &plaintext);
        let input = open_input(&container, &exported);
        cases.refuse(
            &format!("open-{id}"),
            "open",
            "UnknownVersion",
            "Another version.",
            input,
        );
    }
    misplaced(cases, &base, &plaintext);
}

/// One container, altered, cut, and opened where it does not belong.
fn misplaced(cases: &mut Cases, base: &Container, plaintext: &[u8]) {
    let salt = cases.array("misplaced salt");
    let Some(made) = cases.made("misplaced", base.seal(&salt, plaintext)) else {
        return;
    };
    let exported = made.exported;
    let refused = |cases: &mut Cases,
                   id: &str,
                   error: &str,
                   comment: &str,
                   place: &Container,
                   exported: &[u8]| {
        cases.refuse(
            &format!("open-{id}"),
            "open",
            error,
            comment,
            open_input(place, exported),
        );
    };
    let elsewhere = |change: &dyn Fn(&mut Container)| {
        let mut place = base.clone();
        change(&mut place);
        place
    };
    for (id, comment, place) in [
        (
            "other-app-key",
            "",
            elsewhere(&|place| place.app_key = [7; 32]),
        ),
        (
            "other-kind",
            "Asked for another kind.",
            elsewhere(&|place| place.kind = PREKEYS),
        ),
        (
            "other-store-key",
            "Moved.",
            elsewhere(&|place| place.store_key = b"conversation/carol".to_vec()),
        ),
        (
            "no-store-key",
            "Moved.",
            elsewhere(&|place| place.store_key.clear()),
        ),
        (
            "longer-store-key",
            "Moved.",
            elsewhere(&|place| place.store_key.push(0)),
        ),
        (
            "earlier-generation",
            "Set back.",
            elsewhere(&|place| place.generation = 18),
        ),
        (
            "later-generation",
            "",
            elsewhere(&|place| place.generation = 16),
        ),
    ] {
        refused(cases, id, "Integrity", comment, &place, &exported);
    }
    let place = elsewhere(&|place| place.store_key = vec![0; 1_025]);
    refused(
        cases,
        "store-key-1025",
        "TooLong",
        "No value is stored there.",
        &place,
        &exported,
    );
    let flip = |at: usize| {
        let mut other = exported.clone();
        for byte in other.iter_mut().skip(at).take(1) {
            *byte ^= 1;
        }
        other
    };
    let last = exported.len().saturating_sub(1);
    for (id, at) in [
        ("magic-first", 0),
        ("magic-last", 3),
        ("kind", 5),
        ("salt-first", 8),
        ("salt-last", 39),
        ("commit-first", 40),
        ("commit-last", 71),
        ("ciphertext-first", 72),
        ("ciphertext-last", 171),
        ("tag-first", 172),
        ("tag-last", last),
    ] {
        refused(
            cases,
            &format!("flipped-{id}"),
            "Integrity",
            "",
            base,
            &flip(at),
        );
    }
    refused(
        cases,
        "flipped-version",
        "UnknownVersion",
        "",
        base,
        &flip(7),
    );
    let mut other = flip(7);
    for byte in other.iter_mut().skip(5).take(1) {
        *byte ^= 1;
    }
    let comment = "The kind comes before the version.";
    refused(
        cases,
        "flipped-kind-and-version",
        "Integrity",
        comment,
        base,
        &other,
    );
    for length in [0usize, 3, 4, 5, 7, 8, 40, 71, 72, 87, 88, 187] {
        let short = exported.get(..length).unwrap_or_default();
        refused(
            cases,
            &format!("truncated-{length}"),
            "Integrity",
            "",
            base,
            short,
        );
    }
    let version = flip(7);
    let short = version.get(..8).unwrap_or_default();
    let comment = "Another version, whatever follows.";
    refused(
        cases,
        "version-alone",
        "UnknownVersion",
        comment,
        base,
        short,
    );
    let long = [&exported[..], &[0]].concat();
    refused(cases, "trailing", "Integrity", "", base, &long);
    // A genuine ciphertext under a commitment to another key.
    let other = elsewhere(&|place| place.app_key = [7; 32]);
    if let Some(other) = cases.made("misplaced", other.seal(&salt, plaintext)) {
        let parts = [
            exported.get(..40).unwrap_or_default(),
            &other.commit,
            exported.get(72..).unwrap_or_default(),
        ];
        let comment = "The ciphertext is genuine, the commitment is to another key.";
        refused(
            cases,
            "other-commit",
            "Integrity",
            comment,
            base,
            &parts.concat(),
        );
    }
}

//! SPEC §9.1 to §9.3, §9.4-R2, R8: the keys of the ratchet, and one message under known keys.

use serde_json::{Value, json};
use subrosa::hazmat::{self, MessageParts};

use super::Section;
use super::agreement::ID;
use super::crypto::edge;
use crate::generate::Cases;
use crate::model::agreement::PREFIX;
use crate::model::formula::{self, Bytes32, Message, Sealed};
use crate::op::{Field, Input, Kind, Op, Output, Refusal, field, refused};

pub(super) const SECTION: Section = Section {
    name: "ratchet",
    spec: "SPEC.md §8.2, §9",
    description: "The steps from key to key; one message sealed and opened under known keys, with every value on the \
                  way; and authentic messages whose content no sender makes. How a ratchet moves is in session.json.",
    ops: &[OPS],
    cases,
};

const KEY: Kind = Kind::HexOf(32);
/// Longest text.
const TEXT_MAX: u64 = 1_032_188;

const N: Field = field("n", Kind::Integer(ID));
const PN: Field = field("pn", Kind::Integer(ID));

const OPS: &[Op] = &[
    Op {
        name: "ratchet.initial_keys",
        summary: "What both sides begin with (§9.1).",
        input: &[field("sk", KEY), field("sid", KEY)],
        output: &[field("rk0", KEY), field("hka", KEY), field("nhkb", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let [rk0, hka, nhkb] = hazmat::initial_keys(input.array("sk")?, input.array("sid")?);
            Ok(Output::new()
                .hex("rk0", rk0)
                .hex("hka", hka)
                .hex("nhkb", nhkb))
        },
    },
    Op {
        name: "ratchet.root_step",
        summary: "`KDF_RK(RK, dh)` (§9.2).",
        input: &[field("rk", KEY), field("dh", KEY)],
        output: &[field("rk", KEY), field("ck", KEY), field("nhk", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let [rk, ck, nhk] = hazmat::root_step(input.array("rk")?, input.array("dh")?);
            Ok(Output::new().hex("rk", rk).hex("ck", ck).hex("nhk", nhk))
        },
    },
    Op {
        name: "ratchet.chain_step",
        summary: "A chain step (§9.2).",
        input: &[field("ck", KEY)],
        output: &[field("mk", KEY), field("ck", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let [mk, ck] = hazmat::chain_step(input.array("ck")?);
            Ok(Output::new().hex("mk", mk).hex("ck", ck))
        },
    },
    Op {
        name: "ratchet.tag",
        summary: "The tag of a header key (§8.2).",
        input: &[field("hk", KEY)],
        output: &[field("tag", Kind::HexOf(8))],
        trace: &[],
        errors: &[],
        run: |input| Ok(Output::new().hex("tag", hazmat::tag(input.array("hk")?))),
    },
    Op {
        name: "ratchet.seal_message",
        summary: "Seals one message (§9.3). `prefix` is everything in front of the tag: `0002`, or the prefix of a FIRST.",
        input: &[
            field("sid", KEY),
            field("hk", KEY),
            field("mk", KEY),
            field("dhs", KEY),
            N,
            PN,
            field("prefix", Kind::Hex),
            field("text", Kind::Hex),
            field("r32", KEY),
        ],
        output: &[field("message", Kind::Hex)],
        trace: &[
            field("hp", Kind::HexOf(40)),
            field("bp", Kind::Hex),
            field("salt", Kind::HexOf(16)),
            field("kb", KEY),
            field("nb", Kind::HexOf(12)),
            field("kh", KEY),
            field("nh", Kind::HexOf(12)),
            field("body_hash", KEY),
        ],
        errors: &[],
        run: seal_message,
    },
    Op {
        name: "ratchet.message_length",
        summary: "The length of a message with a text of so many bytes, behind a prefix of so many.",
        input: &[
            field("text", Kind::Integer(1 << 21)),
            field("prefix", Kind::Integer(PREFIX as u64)),
        ],
        output: &[field("message", Kind::Integer(1 << 21))],
        trace: &[],
        errors: &["TooLong"],
        run: message_length,
    },
    Op {
        name: "ratchet.open_message",
        summary: "Opens one message under known keys (§9.4-R2, R8); its tag stands behind `prefix` bytes. `NoSession` is a \
                  tag that is not that of `hk`.",
        input: &[
            field("sid", KEY),
            field("hk", KEY),
            field("mk", KEY),
            field("message", Kind::Hex),
            field("prefix", Kind::Integer(PREFIX as u64)),
        ],
        output: &[field("dhs", KEY), N, PN, field("text", Kind::Hex)],
        trace: &[],
        errors: &["NoSession", "Malformed", "Forked"],
        run: open_message,
    },
];

fn seal_message(input: &Input<'_>) -> Result<Output, Refusal> {
    let parts = MessageParts {
        session_id: input.array("sid")?,
        header_key: input.array("hk")?,
        message_key: input.array("mk")?,
        ratchet_key: input.array("dhs")?,
        number: input.integer("n")?,
        previous_count: input.integer("pn")?,
    };
    let text = input.bytes("text")?;
    let sealed = hazmat::seal_message(&parts, &input.bytes("prefix")?, &text, input.array("r32")?);
    let sealed = sealed.map_err(refused)?;
    Ok(Output::new()
        .hex("message", sealed.message)
        .trace_hex("hp", sealed.header)
        .trace_hex("bp", formula::body_plaintext(&text)?)
        .trace_hex("salt", sealed.salt)
        .trace_hex("kb", sealed.body_key.0)
        .trace_hex("nb", sealed.body_key.1)
        .trace_hex("kh", sealed.header_key.0)
        .trace_hex("nh", sealed.header_key.1)
        .trace_hex("body_hash", sealed.body_hash))
}

fn message_length(input: &Input<'_>) -> Result<Output, Refusal> {
    let parts = MessageParts {
        session_id: [0; 32],
        header_key: [0; 32],
        message_key: [0; 32],
        ratchet_key: [9; 32],
        number: 0,
        previous_count: 0,
    };
    let text = vec![0; input.integer("text")?];
    let prefix = vec![0; input.integer("prefix")?];
    let sealed = hazmat::seal_message(&parts, &prefix, &text, [0; 32]).map_err(refused)?;
    Ok(Output::new().value("message", sealed.message.len()))
}

fn open_message(input: &Input<'_>) -> Result<Output, Refusal> {
    let (sid, hk, mk) = (input.array("sid")?, input.array("hk")?, input.array("mk")?);
    let message = input.bytes("message")?;
    let opened =
        hazmat::open_message(sid, hk, mk, &message, input.integer("prefix")?).map_err(refused)?;
    Ok(Output::new()
        .hex("dhs", opened.ratchet_key)
        .value("n", opened.number)
        .value("pn", opened.previous_count)
        .hex("text", opened.text))
}

fn cases(cases: &mut Cases) {
    steps(cases);
    texts(cases);
    bindings(cases);
    flipped(cases);
    contents(cases);
}

fn steps(cases: &mut Cases) {
    let (sk, sid): (Bytes32, Bytes32) = (cases.array("sk"), cases.array("sid"));
    let input = json!({"sk": hex::encode(sk), "sid": hex::encode(sid)});
    let initial = cases.accept("initial-keys", "initial_keys", "", input);
    let Ok([rk0, hka, nhkb]) = formula::initial_keys(&sk, &sid) else {
        return;
    };
    for (name, value) in [("rk0", rk0), ("hka", hka), ("nhkb", nhkb)] {
        cases.same("initial-keys", initial.bytes(name), value.to_vec());
    }
    let (mut rk, mut ck) = (rk0, [0; 32]);
    for step in 0..3 {
        let dh: Bytes32 = cases.array(&format!("dh {step}"));
        let id = format!("root-step-{step}");
        let input = json!({"rk": hex::encode(rk), "dh": hex::encode(dh)});
        let comment = "Each step goes on from the one before.";
        let stepped = cases.accept(&id, "root_step", comment, input);
        let Ok([next, chain, nhk]) = formula::root_step(&rk, &dh) else {
            return;
        };
        for (name, value) in [("rk", next), ("ck", chain), ("nhk", nhk)] {
            cases.same(&id, stepped.bytes(name), value.to_vec());
        }
        (rk, ck) = (next, chain);
    }
    for step in 0..3 {
        let id = format!("chain-step-{step}");
        let comment = "Each step goes on from the one before.";
        let stepped = cases.accept(&id, "chain_step", comment, json!({"ck": hex::encode(ck)}));
        let (mk, next) = formula::chain_step(&ck);
        cases.same(&id, stepped.bytes("mk"), mk.to_vec());
        cases.same(&id, stepped.bytes("ck"), next.to_vec());
        ck = next;
    }
    for (id, hk) in [("hka", hka), ("nhkb", nhkb), ("zero", [0; 32])] {
        let id = format!("tag-{id}");
        let answer = cases.accept(&id, "tag", "", json!({"hk": hex::encode(hk)}));
        cases.same(&id, answer.bytes("tag"), formula::tag(&hk).to_vec());
    }
}

/// A message of the cases; `hp` and `bp` may be anything.
fn message(cases: &Cases, prefix: &[u8], hp: Vec<u8>, bp: Vec<u8>) -> Message {
    Message {
        sid: cases.array("sid"),
        hk: cases.array("hk"),
        mk: cases.array("mk"),
        prefix: prefix.to_vec(),
        hp,
        bp,
    }
}

fn dhs(cases: &Cases) -> Bytes32 {
    formula::public(&cases.array("dhs"))
}

/// The prefix of a FIRST: nothing of it but its first two bytes matters here.
fn first_prefix(cases: &Cases) -> Vec<u8> {
    [&[0, 1][..], &cases.bytes("prefix", PREFIX - 2)].concat()
}

/// What goes into `open_message`.
fn open_input(cases: &Cases, message: &[u8], prefix: usize) -> Value {
    json!({
        "sid": cases.hex("sid", 32), "hk": cases.hex("hk", 32), "mk": cases.hex("mk", 32),
        "message": hex::encode(message), "prefix": prefix,
    })
}

/// Seals, holds every value against the model's, and opens again.
fn sealed(
    cases: &mut Cases,
    id: &str,
    comment: &str,
    prefix: &[u8],
    (n, pn): (u32, u32),
    text: &[u8],
) -> Option<Sealed> {
    let dhs = dhs(cases);
    let r32: Bytes32 = cases.array(&format!("{id} r32"));
    let hp = formula::header_plaintext(&dhs, n, pn);
    let bp = cases.made(id, formula::body_plaintext(text))?;
    let model = message(cases, prefix, hp.clone(), bp.clone());
    let model = cases.made(id, model.seal(&r32))?;
    let input = json!({
        "sid": cases.hex("sid", 32), "hk": cases.hex("hk", 32), "mk": cases.hex("mk", 32),
        "dhs": hex::encode(dhs), "n": n, "pn": pn, "prefix": hex::encode(prefix), "text": hex::encode(text),
        "r32": hex::encode(r32),
    });
    let seal_id = format!("seal-{id}");
    let answer = match text.len() {
        0..2_000 => cases.accept(&seal_id, "seal_message", comment, input),
        _ => cases.accept_digest(&seal_id, "seal_message", comment, input),
    };
    for (name, value) in [
        ("message", &model.message[..]),
        ("hp", &hp),
        ("bp", &bp),
        ("salt", &model.salt),
        ("kb", &model.body_key.0),
        ("nb", &model.body_key.1),
        ("kh", &model.header_key.0),
        ("nh", &model.header_key.1),
        ("body_hash", &model.body_hash),
    ] {
        cases.same(
            &format!("{seal_id}: {name}"),
            &answer.bytes(name)[..],
            value,
        );
    }
    if text.len() < 2_000 {
        let input = open_input(cases, &model.message, prefix.len());
        let open_id = format!("open-{id}");
        let opened = cases.accept(&open_id, "open_message", comment, input);
        cases.same(&open_id, opened.bytes("text"), text.to_vec());
        cases.same(&open_id, opened.bytes("dhs"), dhs.to_vec());
        let numbers = (opened.get("n").cloned(), opened.get("pn").cloned());
        cases.same(&open_id, numbers, (Some(json!(n)), Some(json!(pn))));
    }
    Some(model)
}

fn texts(cases: &mut Cases) {
    let prefix = first_prefix(cases);
    for length in [
        0usize, 1, 62, 63, 64, 189, 190, 191, 253, 254, 255, 509, 510, 511, 1_021, 1_022, 1_023,
        1_085, 1_086, 1_087, 16_379, 16_380, 16_383, 16_384,
    ] {
        let text = cases.bytes("text", length);
        let id = format!("text-{length}");
        sealed(cases, &id, "", &[0, 2], (0, 0), &text);
    }
    for length in [0usize, 190, 191] {
        let text = cases.bytes("text", length);
        let id = format!("first-text-{length}");
        sealed(cases, &id, "", &prefix, (0, 0), &text);
    }
    for (id, n, pn) in [
        ("1", 1, 0),
        ("pn", 5, 7),
        ("last", (1 << 20) - 1, 1 << 20),
        ("max", u32::MAX, 1 << 20),
    ] {
        let comment = "Under known keys any N is opened, and PN up to 2^20.";
        sealed(
            cases,
            &format!("number-{id}"),
            comment,
            &[0, 2],
            (n, pn),
            b"text",
        );
    }
    let text = [0; 190];
    let comment = "A text of zeros is told from its padding by its length.";
    sealed(cases, "text-of-zeros", comment, &[0, 2], (0, 0), &text);
    for (text, message) in [
        (0, 290),
        (190, 290),
        (191, 354),
        (254, 354),
        (255, 610),
        (510, 610),
        (511, 1_122),
        (1_022, 1_122),
        (1_023, 1_186),
        (1_086, 1_186),
        (1_087, 1_250),
        (16_382, 16_482),
        (16_383, 17_506),
        (16_384, 17_506),
        (1_000_000, 1_015_906),
        (TEXT_MAX, 1_032_290),
    ] {
        for (name, prefix) in [("message", 2), ("first", PREFIX)] {
            let id = format!("length-{name}-{text}");
            let answer = cases.accept(
                &id,
                "message_length",
                "",
                json!({"text": text, "prefix": prefix}),
            );
            let expected = message - 2 + prefix;
            cases.same(&id, answer.get("message"), Some(&json!(expected)));
        }
    }
    for text in [TEXT_MAX + 1, 1 << 20, 1 << 21] {
        let id = format!("length-message-{text}");
        let input = json!({"text": text, "prefix": 2});
        cases.refuse(&id, "message_length", "TooLong", "§9.3-R1", input);
    }
}

/// The same text under other inputs: everything that a message is bound to changes it.
fn bindings(cases: &mut Cases) {
    let hp = formula::header_plaintext(&dhs(cases), 3, 0);
    let Some(bp) = cases.made("bindings", formula::body_plaintext(b"bound")) else {
        return;
    };
    let genuine = message(cases, &[0, 2], hp.clone(), bp.clone());
    let as_first = message(cases, &first_prefix(cases), hp, bp);
    let r32: Bytes32 = cases.array("bindings r32");
    let (Ok(sealed), Ok(first)) = (genuine.seal(&r32), as_first.seal(&r32)) else {
        cases.fault("bindings: no message".to_owned());
        return;
    };
    let other = cases.hex("other key", 32);
    for (id, field, error, comment) in [
        (
            "sid",
            "sid",
            "Malformed",
            "Another session: the header does not open.",
        ),
        (
            "hk",
            "hk",
            "NoSession",
            "Another header key has another tag.",
        ),
        (
            "mk",
            "mk",
            "Forked",
            "Another message key: the header opens and the body does not.",
        ),
    ] {
        let mut input = open_input(cases, &sealed.message, 2);
        if let Some(value) = input.get_mut(field) {
            *value = other.clone().into();
        }
        cases.refuse(
            &format!("open-other-{id}"),
            "open_message",
            error,
            comment,
            input,
        );
    }
    // The frame of one kind of message under the other kind.
    let moved = [
        &first_prefix(cases)[..],
        sealed.message.get(2..).unwrap_or_default(),
    ]
    .concat();
    let input = open_input(cases, &moved, PREFIX);
    let comment =
        "The frame of a MSG behind a prefix: version and kind stand in the associated data.";
    cases.refuse(
        "open-message-as-first",
        "open_message",
        "Malformed",
        comment,
        input,
    );
    let moved = [&[0, 2][..], first.message.get(PREFIX..).unwrap_or_default()].concat();
    let input = open_input(cases, &moved, 2);
    let comment = "The frame of a FIRST as a MSG.";
    cases.refuse(
        "open-first-as-message",
        "open_message",
        "Malformed",
        comment,
        input,
    );
}

fn flipped(cases: &mut Cases) {
    let hp = formula::header_plaintext(&dhs(cases), 3, 0);
    let Some(bp) = cases.made("flipped", formula::body_plaintext(b"flipped")) else {
        return;
    };
    let r32: Bytes32 = cases.array("flipped r32");
    let sealed = message(cases, &[0, 2], hp.clone(), bp.clone()).seal(&r32);
    let Some(sealed) = cases.made("flipped", sealed) else {
        return;
    };
    for (name, at, error) in [
        ("version", 0, "Malformed"),
        ("kind", 1, "Malformed"),
        ("tag-first", 2, "NoSession"),
        ("tag-last", 9, "NoSession"),
        ("salt-first", 10, "Malformed"),
        ("salt-last", 25, "Malformed"),
        ("header-dhs", 26, "Malformed"),
        ("header-n", 61, "Malformed"),
        ("header-pn", 65, "Malformed"),
        ("header-tag", 81, "Malformed"),
        ("body-first", 82, "Malformed"),
        ("body-last", 273, "Malformed"),
        ("body-tag", 289, "Malformed"),
    ] {
        let mut other = sealed.message.clone();
        for byte in other.iter_mut().skip(at).take(1) {
            *byte ^= 1;
        }
        let comment = match error {
            "NoSession" => "No key has this tag.",
            _ => "The header's tag covers every byte of the frame: nothing else is opened.",
        };
        let input = open_input(cases, &other, 2);
        cases.refuse(
            &format!("open-flipped-{name}"),
            "open_message",
            error,
            comment,
            input,
        );
    }
    for length in [0usize, 1, 2, 81, 82, 289] {
        let short = sealed.message.get(..length).unwrap_or_default();
        let input = open_input(cases, short, 2);
        cases.refuse(
            &format!("open-truncated-{length}"),
            "open_message",
            "Malformed",
            "",
            input,
        );
    }
    let long = [&sealed.message[..], &[0]].concat();
    let input = open_input(cases, &long, 2);
    cases.refuse("open-trailing", "open_message", "Malformed", "", input);
    // A genuine header on another genuine body.
    let mut other = message(cases, &[0, 2], hp, bp);
    other.mk = cases.array("other key");
    if let Some(other) = cases.made("flipped", other.seal(&r32)) {
        let mixed = [
            sealed.message.get(..82).unwrap_or_default(),
            other.message.get(82..).unwrap_or_default(),
        ];
        let input = open_input(cases, &mixed.concat(), 2);
        let comment = "A genuine header on another genuine body (§9.3-R3).";
        cases.refuse(
            "open-other-body",
            "open_message",
            "Malformed",
            comment,
            input,
        );
    }
}

/// What only a holder of the keys can send, and no honest one does.
fn contents(cases: &mut Cases) {
    let header = |dhs: &Bytes32| formula::header_plaintext(dhs, 0, 0);
    let honest = header(&dhs(cases));
    let body = |content: &[u8], length: usize| {
        let mut body = content.to_vec();
        body.resize(length, 0);
        body
    };
    let Some(text) = cases.made("contents", formula::body_plaintext(b"text")) else {
        return;
    };
    let at = |position: usize, value: u8| {
        let mut body = body(b"\x04text", 192);
        for byte in body.iter_mut().skip(position).take(1) {
            *byte = value;
        }
        body
    };
    let full: Vec<u8> = [formula::header(190), cases.bytes("text", 190)].concat();
    for (id, error, comment, hp, bp) in [
        (
            "padding-first",
            true,
            "The first byte of padding is not zero.",
            &honest,
            at(5, 1),
        ),
        (
            "padding-last",
            true,
            "The last byte of padding is not zero.",
            &honest,
            at(191, 0x80),
        ),
        (
            "iso-7816-padding",
            true,
            "Padding of another scheme.",
            &honest,
            at(5, 0x80),
        ),
        (
            "length-in-two-bytes",
            true,
            "The length is not in its shortest form.",
            &honest,
            body(b"\x40\x04text", 192),
        ),
        (
            "length-in-four-bytes",
            true,
            "The length is not in its shortest form.",
            &honest,
            body(b"\x80\x00\x00\x04text", 192),
        ),
        ("length-reserved", true, "", &honest, body(b"\xc0", 192)),
        (
            "length-behind-end",
            true,
            "One byte longer than there is.",
            &honest,
            body(b"\x40\xbf", 192),
        ),
        (
            "length-far-behind-end",
            true,
            "",
            &honest,
            body(b"\xbf\xff\xff\xff", 192),
        ),
        (
            "padded-too-much",
            false,
            "A receiver takes any padded length (§5-R2).",
            &honest,
            body(b"\x04text", 1_088),
        ),
        ("exactly-full", false, "No padding at all.", &honest, full),
        (
            "dhs-p",
            true,
            "DHs is not canonical.",
            &header(&edge::p_plus(0)),
            text.clone(),
        ),
        (
            "dhs-high-bit",
            true,
            "DHs is not canonical.",
            &header(&edge::with_high_bit(dhs(cases))),
            text.clone(),
        ),
        (
            "pn-2-20-plus-1",
            true,
            "PN is at most 2^20.",
            &formula::header_plaintext(&dhs(cases), 0, (1 << 20) + 1),
            text.clone(),
        ),
        (
            "pn-max",
            true,
            "PN is at most 2^20.",
            &formula::header_plaintext(&dhs(cases), 0, u32::MAX),
            text.clone(),
        ),
        (
            "dhs-small-order",
            false,
            "DHs is canonical: one of small order is refused when it is used (§9.4-R3).",
            &header(&edge::small(1)),
            text,
        ),
    ] {
        let made = message(cases, &[0, 2], hp.clone(), bp).seal(&cases.array(id));
        let Some(sealed) = cases.made(id, made) else {
            continue;
        };
        let input = open_input(cases, &sealed.message, 2);
        let id = format!("open-content-{id}");
        match error {
            true => cases.refuse(&id, "open_message", "Malformed", comment, input),
            false => drop(cases.accept(&id, "open_message", comment, input)),
        }
    }
}

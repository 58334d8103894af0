//! SPEC §9.1 to §9.3, §9.4-R2, R8: the keys of the ratchet, and one message under known keys.

use serde_json::{Value, json};
use subrosa::hazmat::braid::{Exchange, FrameParts};
use subrosa::hazmat::{self, Given, MessageParts};

use super::Section;
use super::agreement::ID;
use super::braid::objects::malformed_frames;
use super::crypto::edge;
use crate::generate::Cases;
use crate::model::agreement::PREFIX;
use crate::model::braid::BraidFrame;
use crate::model::formula::{self, Bytes32, Message};
use crate::model::symbols;
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
const TEXT_MAX: u64 = 1_032_187;

const N: Field = field("n", Kind::Integer(ID));
const PN: Field = field("pn", Kind::Integer(ID));
const PQ_EPOCH: Field = field("pq_epoch", Kind::Integer(ID));

/// A run of symbols: those of an object from `first` on.
const RUN: &[Field] = &[
    field("type", Kind::Integer(4)),
    field("object", Kind::Hex),
    field("first", Kind::Integer(u16::MAX as u64)),
    field("count", Kind::Integer(u8::MAX as u64)),
];

const OPS: &[Op] = &[
    Op {
        name: "ratchet.initial_keys",
        summary: "What both sides begin with (§9.1).",
        input: &[field("sk", KEY), field("sid", KEY)],
        output: &[
            field("rk0", KEY),
            field("hka", KEY),
            field("nhkb", KEY),
            field("pq0", KEY),
            field("ba", KEY),
        ],
        trace: &[],
        errors: &[],
        run: |input| {
            let [rk0, hka, nhkb, pq0, ba] =
                hazmat::initial_keys(input.array("sk")?, input.array("sid")?);
            Ok(Output::new()
                .hex("rk0", rk0)
                .hex("hka", hka)
                .hex("nhkb", nhkb)
                .hex("pq0", pq0)
                .hex("ba", ba))
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
        input: &[field("ck", KEY), field("pck", KEY)],
        output: &[field("mk", KEY), field("ck", KEY), field("pck", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let [mk, ck, pck] = hazmat::chain_step(input.array("ck")?, input.array("pck")?);
            Ok(Output::new().hex("mk", mk).hex("ck", ck).hex("pck", pck))
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
        summary: "Seals one message (§9.3). `prefix` is everything in front of the tag: `0102`, or the prefix of a FIRST. \
                  `bp` has the length `padded`; its frame (§10.4) has the symbols of `run`, or none.",
        input: &[
            field("sid", KEY),
            field("hk", KEY),
            field("mk", KEY),
            field("dhs", KEY),
            N,
            PN,
            PQ_EPOCH,
            field("prefix", Kind::Hex),
            field("text", Kind::Hex),
            field("ack", Kind::Bool),
            field("delta", Kind::Bool),
            field("run", Kind::Nullable(&Kind::Object(RUN))),
            field("padded", Kind::Integer(1 << 20)),
            field("r32", KEY),
        ],
        output: &[field("message", Kind::Hex)],
        trace: &[
            field("hp", Kind::HexOf(44)),
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
        summary: "The length of a message with a text of so many bytes, behind a prefix of so many, if the Braid has no \
                  symbols to send (§10.6-R2).",
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
                  tag that is not that of `hk`. `frame` is the Braid's, without padding.",
        input: &[
            field("sid", KEY),
            field("hk", KEY),
            field("mk", KEY),
            field("message", Kind::Hex),
            field("prefix", Kind::Integer(PREFIX as u64)),
        ],
        output: &[
            field("dhs", KEY),
            N,
            PN,
            PQ_EPOCH,
            field("text", Kind::Hex),
            field("frame", Kind::Hex),
        ],
        trace: &[],
        errors: &["NoSession", "Malformed", "Forked"],
        run: open_message,
    },
];

fn frame(input: &Input<'_>) -> Result<FrameParts, Refusal> {
    let run = input.nullable("run", Input::object)?;
    let run = run.map(|run| {
        let (number, object) = (run.integer("type")?, run.bytes("object")?);
        Ok((number, object, run.integer("first")?, run.integer("count")?))
    });
    Ok(FrameParts {
        ack: input.flag("ack")?,
        delta: input.flag("delta")?,
        run: run.transpose()?,
    })
}

fn seal_message(input: &Input<'_>) -> Result<Output, Refusal> {
    let parts = MessageParts {
        session_id: input.array("sid")?,
        header_key: input.array("hk")?,
        message_key: input.array("mk")?,
        ratchet_key: input.array("dhs")?,
        number: input.integer("n")?,
        previous_count: input.integer("pn")?,
        epoch: input.integer("pq_epoch")?,
    };
    let (prefix, text) = (input.bytes("prefix")?, input.bytes("text")?);
    let (padded, r32) = (input.integer("padded")?, input.array("r32")?);
    let sealed = hazmat::seal_message(&parts, &prefix, &text, &frame(input)?, padded, r32);
    let sealed = sealed.map_err(refused)?;
    let (bkey, bnonce) = sealed.body_key;
    let body = sealed.message.get(prefix.len().saturating_add(FRONT)..);
    let ad = [
        &parts.session_id[..],
        prefix.get(..2).unwrap_or_default(),
        &sealed.salt,
        &sealed.header,
    ];
    let bp = formula::open_gcm(&bkey, &bnonce, body.unwrap_or_default(), &ad);
    Ok(Output::new()
        .hex("message", sealed.message)
        .trace_hex("hp", sealed.header)
        .trace_hex("bp", bp.unwrap_or_default())
        .trace_hex("salt", sealed.salt)
        .trace_hex("kb", bkey)
        .trace_hex("nb", bnonce)
        .trace_hex("kh", sealed.header_key.0)
        .trace_hex("nh", sealed.header_key.1)
        .trace_hex("body_hash", sealed.body_hash))
}

/// Bytes of a frame in front of its body.
const FRONT: usize = 8 + 16 + 60;
/// A Braid in Broken of epoch 1 (§12.4).
const BROKEN: [u8; 5] = [11, 0, 0, 0, 1];

fn message_length(input: &Input<'_>) -> Result<Output, Refusal> {
    let parts = MessageParts {
        session_id: [0; 32],
        header_key: [0; 32],
        message_key: [0; 32],
        ratchet_key: [9; 32],
        number: 0,
        previous_count: 0,
        epoch: 0,
    };
    let text = vec![0; input.integer("text")?];
    let prefix = vec![0; input.integer("prefix")?];
    let mut exchange = Exchange::decode(&BROKEN).map_err(refused)?;
    let sent = exchange.send(&text, 0, &mut Given::default());
    let padded = sent.map_err(refused)?.padded;
    let frame = FrameParts::default();
    let sealed = hazmat::seal_message(&parts, &prefix, &text, &frame, padded, [0; 32]);
    Ok(Output::new().value("message", sealed.map_err(refused)?.message.len()))
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
        .value("pq_epoch", opened.epoch)
        .hex("text", opened.text)
        .hex("frame", opened.frame))
}

fn cases(cases: &mut Cases) {
    steps(cases);
    texts(cases);
    frames(cases);
    bindings(cases);
    flipped(cases);
    contents(cases);
    malformed(cases);
}

fn steps(cases: &mut Cases) {
    let (sk, sid): (Bytes32, Bytes32) = (cases.array("sk"), cases.array("sid"));
    let input = json!({"sk": hex::encode(sk), "sid": hex::encode(sid)});
    let initial = cases.accept("initial-keys", "initial_keys", "", input);
    let Ok([rk0, hka, nhkb, pq0, ba]) = formula::initial_keys(&sk, &sid) else {
        return;
    };
    for (name, value) in [
        ("rk0", rk0),
        ("hka", hka),
        ("nhkb", nhkb),
        ("pq0", pq0),
        ("ba", ba),
    ] {
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
    let mut pck: Bytes32 = cases.array("pck");
    for step in 0..3 {
        let id = format!("chain-step-{step}");
        let comment = "Each step goes on from the one before.";
        let input = json!({"ck": hex::encode(ck), "pck": hex::encode(pck)});
        let stepped = cases.accept(&id, "chain_step", comment, input);
        let mk;
        (mk, ck, pck) = formula::chain_step(&ck, &pck);
        for (name, value) in [("mk", mk), ("ck", ck), ("pck", pck)] {
            cases.same(&id, stepped.bytes(name), value.to_vec());
        }
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
    [&[1, 1][..], &cases.bytes("prefix", PREFIX - 2)].concat()
}

/// What goes into `open_message`.
fn open_input(cases: &Cases, message: &[u8], prefix: usize) -> Value {
    json!({
        "sid": cases.hex("sid", 32), "hk": cases.hex("hk", 32), "mk": cases.hex("mk", 32),
        "message": hex::encode(message), "prefix": prefix,
    })
}

/// What one message says, and in which place.
#[derive(Clone, Copy)]
struct Says<'a> {
    prefix: &'a [u8],
    numbers: [u32; 3],
    text: &'a [u8],
    frame: Carried<'a>,
}

/// The frame of the Braid: ack, delta, and type, object, first index and count of a run; and the length of it all.
#[derive(Clone, Copy, Default)]
struct Carried<'a> {
    ack: bool,
    delta: bool,
    run: Option<(u8, &'a [u8], u16, u8)>,
    padded: Option<usize>,
}

impl Carried<'_> {
    /// The bytes by the model.
    fn encode(&self) -> Vec<u8> {
        let run = self.run.map(|(number, object, first, count)| {
            let values = symbols::run(object, first, count.into());
            (number, (first..=u16::MAX).zip(values).collect())
        });
        let frame = BraidFrame {
            ack: self.ack,
            delta: self.delta,
            run,
        };
        frame.encode()
    }
}

/// A MSG without symbols.
const fn says(text: &[u8]) -> Says<'_> {
    Says {
        prefix: &[1, 2],
        numbers: [0; 3],
        text,
        frame: Carried {
            ack: false,
            delta: false,
            run: None,
            padded: None,
        },
    }
}

/// Seals, holds every value against the model's, and opens again.
fn sealed(cases: &mut Cases, id: &str, comment: &str, says: Says<'_>) {
    let Says {
        prefix,
        numbers: [n, pn, pq_epoch],
        text,
        frame,
    } = says;
    let dhs = dhs(cases);
    let r32: Bytes32 = cases.array(&format!("{id} r32"));
    let hp = formula::header_plaintext(&dhs, n, pn, pq_epoch);
    let Some(shortest) = cases.made(id, formula::body_without_symbols(text)) else {
        return;
    };
    let padded = frame.padded.unwrap_or(shortest.len());
    let encoded = frame.encode();
    let bp = formula::body_plaintext(text, &encoded, padded);
    let model = message(cases, prefix, hp.clone(), bp.clone());
    let Some(model) = cases.made(id, model.seal(&r32)) else {
        return;
    };
    let run = frame.run.map(|(number, object, first, count)| {
        json!({"type": number, "object": hex::encode(object), "first": first, "count": count})
    });
    let input = json!({
        "sid": cases.hex("sid", 32), "hk": cases.hex("hk", 32), "mk": cases.hex("mk", 32),
        "dhs": hex::encode(dhs), "n": n, "pn": pn, "pq_epoch": pq_epoch, "prefix": hex::encode(prefix),
        "text": hex::encode(text), "ack": frame.ack, "delta": frame.delta, "run": run, "padded": padded,
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
        cases.same(&open_id, opened.bytes("frame"), encoded);
        cases.same(&open_id, opened.bytes("dhs"), dhs.to_vec());
        let numbers = ["n", "pn", "pq_epoch"].map(|name| opened.get(name).cloned());
        cases.same(
            &open_id,
            numbers,
            says.numbers.map(|number| Some(json!(number))),
        );
    }
}

/// What the Braid adds: the flags, and runs of every object.
fn frames(cases: &mut Cases) {
    let object = cases.bytes("object", 1_152);
    let run = |number, bytes: usize, first, count| {
        Some((
            number,
            object.get(..bytes).unwrap_or_default(),
            first,
            count,
        ))
    };
    for (id, comment, frame) in [
        (
            "ack",
            "",
            Carried {
                ack: true,
                ..Carried::default()
            },
        ),
        (
            "delta",
            "",
            Carried {
                delta: true,
                ..Carried::default()
            },
        ),
        (
            "hdr",
            "The whole of an hdr, and two symbols more.",
            Carried {
                run: run(1, 96, 0, 8),
                ..Carried::default()
            },
        ),
        (
            "ct1",
            "11 symbols fill what a short text leaves of 192 bytes.",
            Carried {
                delta: true,
                run: run(3, 960, 57, 11),
                ..Carried::default()
            },
        ),
        (
            "ek",
            "All flags, in a longer message.",
            Carried {
                ack: true,
                delta: true,
                run: run(2, 1_152, 70, 10),
                padded: Some(256),
            },
        ),
        (
            "last-index",
            "The last symbol that there is.",
            Carried {
                run: run(4, 160, u16::MAX, 1),
                ..Carried::default()
            },
        ),
        (
            "padded-too-much",
            "A receiver takes any padded length (§9.4-R8).",
            Carried {
                padded: Some(1_088),
                ..Carried::default()
            },
        ),
    ] {
        let says = Says {
            frame,
            ..says(b"text")
        };
        sealed(cases, &format!("frame-{id}"), comment, says);
    }
}

fn texts(cases: &mut Cases) {
    let prefix = first_prefix(cases);
    for length in [
        0usize, 1, 62, 63, 64, 188, 189, 190, 252, 253, 254, 508, 509, 510, 1_020, 1_021, 1_022,
        1_084, 1_085, 1_086, 16_378, 16_379, 16_382, 16_383, 16_384,
    ] {
        let text = cases.bytes("text", length);
        sealed(cases, &format!("text-{length}"), "", says(&text));
    }
    for length in [0usize, 189, 190] {
        let text = cases.bytes("text", length);
        let says = Says {
            prefix: &prefix,
            ..says(&text)
        };
        sealed(cases, &format!("first-text-{length}"), "", says);
    }
    for (id, n, pn, pq_epoch) in [
        ("1", 1, 0, 0),
        ("pn", 5, 7, 0),
        ("epoch", 5, 7, 9),
        ("last", (1 << 20) - 1, 1 << 20, u32::MAX - 2),
        ("max", u32::MAX, 1 << 20, u32::MAX),
    ] {
        let comment = "Under known keys any N and any epoch is opened, and PN up to 2^20.";
        let says = Says {
            numbers: [n, pn, pq_epoch],
            ..says(b"text")
        };
        sealed(cases, &format!("number-{id}"), comment, says);
    }
    let text = [0; 189];
    let comment = "A text of zeros is told from its padding by its length.";
    sealed(cases, "text-of-zeros", comment, says(&text));
    for (text, message) in [
        (0, 294),
        (189, 294),
        (190, 358),
        (253, 358),
        (254, 614),
        (509, 614),
        (510, 1_126),
        (1_021, 1_126),
        (1_022, 1_190),
        (1_085, 1_190),
        (1_086, 1_254),
        (16_381, 16_486),
        (16_382, 17_510),
        (16_383, 17_510),
        (16_384, 17_510),
        (1_000_000, 1_015_910),
        (TEXT_MAX, 1_032_294),
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
    let hp = formula::header_plaintext(&dhs(cases), 3, 0, 0);
    let Some(bp) = cases.made("bindings", formula::body_without_symbols(b"bound")) else {
        return;
    };
    let genuine = message(cases, &[1, 2], hp.clone(), bp.clone());
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
    let moved = [&[1, 2][..], first.message.get(PREFIX..).unwrap_or_default()].concat();
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
    let hp = formula::header_plaintext(&dhs(cases), 3, 0, 0);
    let Some(bp) = cases.made("flipped", formula::body_without_symbols(b"flipped")) else {
        return;
    };
    let r32: Bytes32 = cases.array("flipped r32");
    let sealed = message(cases, &[1, 2], hp.clone(), bp.clone()).seal(&r32);
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
        ("header-pq-epoch", 69, "Malformed"),
        ("header-tag", 85, "Malformed"),
        ("body-first", 86, "Malformed"),
        ("body-last", 277, "Malformed"),
        ("body-tag", 293, "Malformed"),
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
    for length in [0usize, 1, 2, 85, 86, 293] {
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
    let mut other = message(cases, &[1, 2], hp, bp);
    other.mk = cases.array("other key");
    if let Some(other) = cases.made("flipped", other.seal(&r32)) {
        let mixed = [
            sealed.message.get(..86).unwrap_or_default(),
            other.message.get(86..).unwrap_or_default(),
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

/// Frames of the Braid that no sender makes, each in a message that is otherwise genuine (§10.4-R1).
fn malformed(cases: &mut Cases) {
    let hp = formula::header_plaintext(&dhs(cases), 0, 0, 0);
    let mut bodies = Vec::new();
    for (id, comment, frame) in malformed_frames() {
        let length = subrosa::padding::padded_length(5 + frame.len()).unwrap_or_default();
        let bp = formula::body_plaintext(b"text", &frame, length);
        bodies.push((id, comment, bp));
    }
    let text = |length: usize| [formula::header(length), cases.bytes("text", length)].concat();
    bodies.push(("none", "The text leaves no room for a frame.", text(190)));
    for (id, length, frame) in [
        ("type-only", 189, &[0x20][..]),
        ("no-count", 187, &[0x20, 0, 0]),
        ("short-of-a-byte", 171, &[0x20, 0, 0, 1]),
    ] {
        let mut bp = [text(length), frame.to_vec()].concat();
        bp.resize(192, 0);
        bodies.push((id, "The message ends within the frame.", bp));
    }
    for (id, comment, bp) in bodies {
        let made = message(cases, &[1, 2], hp.clone(), bp).seal(&cases.array(id));
        let Some(sealed) = cases.made(id, made) else {
            continue;
        };
        let input = open_input(cases, &sealed.message, 2);
        let id = format!("open-frame-{id}");
        cases.refuse(&id, "open_message", "Malformed", comment, input);
    }
}

/// What only a holder of the keys can send, and no honest one does.
fn contents(cases: &mut Cases) {
    let header = |dhs: &Bytes32| formula::header_plaintext(dhs, 0, 0, 0);
    let honest = header(&dhs(cases));
    let body = |content: &[u8], length: usize| {
        let mut body = content.to_vec();
        body.resize(length, 0);
        body
    };
    let Some(text) = cases.made("contents", formula::body_without_symbols(b"text")) else {
        return;
    };
    let at = |position: usize, value: u8| {
        let mut body = body(b"\x04text", 192);
        for byte in body.iter_mut().skip(position).take(1) {
            *byte = value;
        }
        body
    };
    let full: Vec<u8> = [formula::header(189), cases.bytes("text", 189), vec![0]].concat();
    for (id, error, comment, hp, bp) in [
        (
            "padding-first",
            true,
            "The first byte of padding is not zero.",
            &honest,
            at(6, 1),
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
            at(6, 0x80),
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
            &formula::header_plaintext(&dhs(cases), 0, (1 << 20) + 1, 0),
            text.clone(),
        ),
        (
            "pn-max",
            true,
            "PN is at most 2^20.",
            &formula::header_plaintext(&dhs(cases), 0, u32::MAX, 0),
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
        let made = message(cases, &[1, 2], hp.clone(), bp).seal(&cases.array(id));
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

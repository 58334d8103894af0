//! SPEC §10: the ML-KEM Braid.

use serde_json::{Value, json};
use subrosa::hazmat::Given;
use subrosa::hazmat::braid::{self, Exchange, Received};

use super::Section;
use super::agreement::ID;
use crate::generate::Cases;
use crate::op::{Field, Input, Kind, Op, Output, Refusal, field, refused};

pub(in crate::sections) mod moves;
pub(in crate::sections) mod objects;
pub(in crate::sections) mod sending;

pub(super) const SECTION: Section = Section {
    name: "braid",
    spec: "SPEC.md §10, with the stored form of §12.4",
    description: "Epoch secrets, objects, symbols and frames; the sending rules; and every arrow between the states, as \
                  stored form and input in, stored form and what it emitted out. Whole conversations are in session.json.",
    ops: &[KEYS, OBJECTS, EXCHANGE],
    cases,
};

const KEY: Kind = Kind::HexOf(32);
const SEED: Kind = Kind::HexOf(64);
const EPOCH: Field = field("epoch", Kind::Integer(ID));
const BRAID: Field = field("braid", Kind::Hex);
const INDEX: Kind = Kind::Integer(u16::MAX as u64);

const SYMBOL: &[Field] = &[field("index", INDEX), field("symbol", Kind::HexOf(16))];
const SEEDS: &[Field] = &[field("s_a", KEY), field("s_b", KEY)];
const EMITTED: Kind = Kind::Nullable(&Kind::Object(SEEDS));
/// The epoch of the sending chain.
const CHAIN: Kind = Kind::Integer(ID);

const KEYS: &[Op] = &[
    Op {
        name: "braid.epoch_start",
        summary: "What epoch 0 begins with (§10.1).",
        input: &[field("pq0", KEY)],
        output: &[field("pqroot", KEY), field("s_a", KEY), field("s_b", KEY)],
        trace: &[],
        errors: &[],
        run: |input| Ok(epoch(braid::epoch_start(input.array("pq0")?))),
    },
    Op {
        name: "braid.epoch_step",
        summary: "Takes in an epoch (§10.1).",
        input: &[field("pqroot", KEY), EPOCH, field("secret", KEY)],
        output: &[field("pqroot", KEY), field("s_a", KEY), field("s_b", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let (root, secret) = (input.array("pqroot")?, input.array("secret")?);
            Ok(epoch(braid::epoch_step(
                root,
                input.integer("epoch")?,
                secret,
            )))
        },
    },
    Op {
        name: "braid.secret",
        summary: "`secret_e` of ML-KEM's shared secret (§10.2).",
        input: &[EPOCH, field("ss", KEY)],
        output: &[field("secret", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let secret = braid::secret(input.integer("epoch")?, input.array("ss")?);
            Ok(Output::new().hex("secret", secret))
        },
    },
    Op {
        name: "braid.update",
        summary: "`update(e, k)` of the authenticator (§10.2).",
        input: &[field("ar", KEY), EPOCH, field("k", KEY)],
        output: &[field("ar", KEY), field("am", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let (ar, k) = (input.array("ar")?, input.array("k")?);
            let [ar, am] = braid::update(ar, input.integer("epoch")?, k);
            Ok(Output::new().hex("ar", ar).hex("am", am))
        },
    },
    Op {
        name: "braid.header_mac",
        summary: "The MAC of `hdr` (§10.2).",
        input: &[
            field("am", KEY),
            EPOCH,
            field("ek_seed", KEY),
            field("h3", KEY),
        ],
        output: &[field("mac", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let (seed, hash) = (input.array("ek_seed")?, input.array("h3")?);
            let mac = braid::header_mac(input.array("am")?, input.integer("epoch")?, seed, hash);
            Ok(Output::new().hex("mac", mac))
        },
    },
    Op {
        name: "braid.ciphertext_mac",
        summary: "The MAC of `ct2` (§10.2).",
        input: &[
            field("am", KEY),
            EPOCH,
            field("ct1", Kind::HexOf(960)),
            field("ct2", Kind::HexOf(128)),
        ],
        output: &[field("mac", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let (ct1, ct2) = (input.bytes("ct1")?, input.bytes("ct2")?);
            let epoch = input.integer("epoch")?;
            let mac = braid::ciphertext_mac(input.array("am")?, epoch, &ct1, &ct2);
            Ok(Output::new().hex("mac", mac))
        },
    },
];

const OBJECTS: &[Op] = &[
    Op {
        name: "braid.key_parts",
        summary: "The parts of the encapsulation key of a seed d || z.",
        input: &[field("seed", SEED)],
        output: &[
            field("ek_seed", KEY),
            field("h3", KEY),
            field("ek_vector", Kind::HexOf(1_152)),
        ],
        trace: &[],
        errors: &[],
        run: |input| {
            let (seed, hash, vector) = braid::key_parts(input.array("seed")?);
            let output = Output::new().hex("ek_seed", seed).hex("h3", hash);
            Ok(output.hex("ek_vector", vector))
        },
    },
    Op {
        name: "braid.encapsulate_1",
        summary: "`ct1` and SS, before the vector is there (§10.2).",
        input: &[field("ek_seed", KEY), field("h3", KEY), field("m", KEY)],
        output: &[field("ct1", Kind::HexOf(960)), field("ss", KEY)],
        trace: &[],
        errors: &[],
        run: |input| {
            let (seed, hash) = (input.array("ek_seed")?, input.array("h3")?);
            let (ct1, ss) = braid::encapsulate_1(seed, hash, input.array("m")?);
            Ok(Output::new().hex("ct1", ct1).hex("ss", ss))
        },
    },
    Op {
        name: "braid.encapsulate_2",
        summary: "The 128 bytes of `ct2` once the vector is there. `Malformed` is a key that is not the one of `h3`, or \
                  none at all (§10.7-R5).",
        input: &[
            field("ek_seed", KEY),
            field("h3", KEY),
            field("ek_vector", Kind::HexOf(1_152)),
            field("m", KEY),
        ],
        output: &[field("ct2", Kind::HexOf(128))],
        trace: &[],
        errors: &["Malformed"],
        run: |input| {
            let (seed, hash, m) = (
                input.array("ek_seed")?,
                input.array("h3")?,
                input.array("m")?,
            );
            let vector = input.bytes("ek_vector")?;
            let ct2 = braid::encapsulate_2(seed, hash, &vector, m).map_err(refused)?;
            Ok(Output::new().hex("ct2", ct2))
        },
    },
    Op {
        name: "braid.symbols",
        summary: "`count` symbols of an object from index `first` on (§10.3), joined.",
        input: &[
            field("object", Kind::Hex),
            field("first", INDEX),
            field("count", Kind::Integer(u8::MAX as u64)),
        ],
        output: &[field("symbols", Kind::Hex)],
        trace: &[],
        errors: &[],
        run: |input| {
            let (first, count) = (input.integer("first")?, input.integer("count")?);
            let symbols = braid::symbols(&input.bytes("object")?, first, count);
            Ok(Output::new().hex("symbols", symbols))
        },
    },
    Op {
        name: "braid.decode",
        summary: "The object of k symbols from symbols that came in this order; `null` while there are fewer than k. \
                  `Malformed` is an index with two values.",
        input: &[
            field("k", Kind::Integer(72)),
            field("symbols", Kind::List(&Kind::Object(SYMBOL))),
        ],
        output: &[field("object", Kind::Nullable(&Kind::Hex))],
        trace: &[],
        errors: &["Malformed"],
        run: |input| {
            let symbols: Result<Vec<_>, Refusal> =
                input.objects("symbols")?.iter().map(symbol).collect();
            let object = braid::decode(input.integer("k")?, &symbols?).map_err(refused)?;
            Ok(Output::new().value("object", object.map(hex::encode)))
        },
    },
    Op {
        name: "braid.read_frame",
        summary: "Reads a frame from the front of `bytes` (§10.4); type 0 has no symbols. `rest` is what is behind it.",
        input: &[field("bytes", Kind::Hex)],
        output: &[
            field("type", Kind::Integer(4)),
            field("ack", Kind::Bool),
            field("delta", Kind::Integer(1)),
            field("symbols", Kind::List(&Kind::Object(SYMBOL))),
            field("rest", Kind::Hex),
        ],
        trace: &[],
        errors: &["Malformed"],
        run: |input| {
            let fields = braid::read_frame(&input.bytes("bytes")?).map_err(refused)?;
            let (number, symbols) = fields.run.unwrap_or_default();
            let symbols: Vec<Value> = symbols
                .iter()
                .map(|(index, symbol)| json!({"index": index, "symbol": hex::encode(symbol)}))
                .collect();
            Ok(Output::new()
                .value("type", number)
                .value("ack", fields.ack)
                .value("delta", fields.delta)
                .value("symbols", symbols)
                .hex("rest", fields.rest))
        },
    },
];

const EXCHANGE: &[Op] = &[
    Op {
        name: "braid.start",
        summary: "The Braid of a new state (§10.2, §10.5), in the stored form of §12.4.",
        input: &[
            field("pq0", KEY),
            field("ba", KEY),
            field("initiator", Kind::Bool),
        ],
        output: &[BRAID],
        trace: &[],
        errors: &[],
        run: |input| {
            let (pq0, ba) = (input.array("pq0")?, input.array("ba")?);
            stored(&Exchange::start(pq0, ba, input.flag("initiator")?))
        },
    },
    Op {
        name: "braid.send",
        summary: "What a message with a text of `text` bytes takes along in a sending chain of epoch `e_s` (§10.6): the \
                  length of `bp`, the frame, and the epoch that is taken in with it. `braid_seed` (d, z) or `braid_m` is \
                  what is drawn, else `null`.",
        input: &[
            BRAID,
            field("text", Kind::Integer(1 << 20)),
            field("e_s", CHAIN),
            field("braid_seed", Kind::Nullable(&SEED)),
            field("braid_m", Kind::Nullable(&KEY)),
        ],
        output: &[
            BRAID,
            field("padded", Kind::Integer(1 << 20)),
            field("frame", Kind::Hex),
            field("emitted", EMITTED),
        ],
        trace: &[],
        errors: &[],
        run: send,
    },
    Op {
        name: "braid.receive",
        summary: "A frame that came in a chain of epoch `pq_epoch` (§10.7), while our sending chain has the epoch `e_s`; \
                  `null` is no sending chain.",
        input: &[
            BRAID,
            field("pq_epoch", Kind::Integer(ID)),
            field("frame", Kind::Hex),
            field("e_s", Kind::Nullable(&CHAIN)),
        ],
        output: &[
            BRAID,
            field("emitted", EMITTED),
            field("pq_broken", Kind::Bool),
        ],
        trace: &[],
        errors: &["Malformed"],
        run: receive,
    },
    Op {
        name: "braid.end_chain",
        summary: "The turn becomes ours: `placed` begins anew (§10.5).",
        input: &[BRAID],
        output: &[BRAID],
        trace: &[],
        errors: &[],
        run: |input| {
            let mut exchange = exchange(input)?;
            exchange.end_chain();
            stored(&exchange)
        },
    },
];

fn epoch([root, initiator, responder]: [[u8; 32]; 3]) -> Output {
    Output::new()
        .hex("pqroot", root)
        .hex("s_a", initiator)
        .hex("s_b", responder)
}

fn symbol(input: &Input<'_>) -> Result<(u16, [u8; 16]), Refusal> {
    Ok((input.integer("index")?, input.array("symbol")?))
}

fn exchange(input: &Input<'_>) -> Result<Exchange, Refusal> {
    let exchange = Exchange::decode(&input.bytes("braid")?);
    exchange.map_err(|_| Refusal::Invalid("braid: not a stored form".to_owned()))
}

fn stored(exchange: &Exchange) -> Result<Output, Refusal> {
    Ok(Output::new().hex("braid", exchange.encode().map_err(refused)?))
}

fn emitted(seeds: Option<[[u8; 32]; 2]>) -> Value {
    seeds.map_or(
        Value::Null,
        |[s_a, s_b]| json!({"s_a": hex::encode(s_a), "s_b": hex::encode(s_b)}),
    )
}

fn send(input: &Input<'_>) -> Result<Output, Refusal> {
    let mut exchange = exchange(input)?;
    let seed = input.nullable("braid_seed", Input::array::<64>)?;
    let m = input.nullable("braid_m", Input::array::<32>)?;
    let values = [seed.map(|seed| seed.to_vec()), m.map(|m| m.to_vec())];
    let mut given = Given::new(values.into_iter().flatten());
    let text = vec![0; input.integer("text")?];
    let sent = exchange.send(&text, input.integer("e_s")?, &mut given);
    let sent = sent.map_err(refused)?;
    if given.left() > 0 {
        return Err(Refusal::Invalid(
            "a value that was given is not drawn".to_owned(),
        ));
    }
    Ok(stored(&exchange)?
        .value("padded", sent.padded)
        .hex("frame", sent.frame)
        .value("emitted", emitted(sent.emitted)))
}

fn receive(input: &Input<'_>) -> Result<Output, Refusal> {
    let mut exchange = exchange(input)?;
    let (chain, frame) = (input.integer("pq_epoch")?, input.bytes("frame")?);
    // §10.7-R8: two above the sending chain that there is.
    let sending = input.nullable("e_s", Input::integer::<u32>)?;
    let highest = sending.map_or(u32::MAX, |epoch| epoch.saturating_add(2));
    let received = exchange.receive(chain, &frame, highest).map_err(refused)?;
    let seeds = match received {
        Received::Emitted(seeds) => Some(seeds),
        Received::Quiet | Received::Broken => None,
    };
    Ok(stored(&exchange)?
        .value("emitted", emitted(seeds))
        .value("pq_broken", received == Received::Broken))
}

fn cases(cases: &mut Cases) {
    objects::cases(cases);
    moves::cases(cases);
    sending::cases(cases);
}

//! SPEC §10.5, §10.7: every arrow between the states, what leads to Broken, and what is ignored.

use serde_json::{Value, json};

use super::objects::unreduced;
use crate::generate::Cases;
use crate::model::braid::{self, BraidFrame, Draw, Drawn, Received};
use crate::model::formula::Bytes32;
use crate::model::keccak::sha3_256;
use crate::model::stored::{Braid, Layout, Live, Phase};
use crate::model::symbols;

/// The number of Broken among the states.
pub(super) const BROKEN: u8 = 11;

pub(super) fn cases(cases: &mut Cases) {
    let Some(walk) = Walk::new(cases) else {
        cases.fault("braid: the exchange does not come to its end".to_owned());
        return;
    };
    matrix(cases, &walk);
    conflicts(cases, &walk);
    forged(cases, &walk);
    epochs(cases, &walk);
    repeated(cases, &walk);
}

/// The number of a state.
pub(in crate::sections) fn number(braid: &Braid) -> u8 {
    braid
        .live
        .as_ref()
        .map_or(BROKEN, |live| live.phase.number())
}

/// Puts one message to the library and to the model; `braid` goes on.
pub(super) fn sends(
    cases: &mut Cases,
    id: &str,
    comment: &str,
    braid: &mut Braid,
    (text, e_s): (usize, u32),
) -> Vec<u8> {
    let c = crate::model::formula::header(text).len() + text + 1;
    let due = braid.draws(c);
    let drawn = Drawn {
        seed: (due == Some(Draw::Seed)).then(|| cases.array(&format!("{id} seed"))),
        m: (due == Some(Draw::M)).then(|| cases.array(&format!("{id} m"))),
    };
    let id = format!("send-{id}");
    let input = json!({
        "braid": hex::encode(braid.encode()), "text": text, "e_s": e_s,
        "braid_seed": drawn.seed.map(hex::encode), "braid_m": drawn.m.map(hex::encode),
    });
    let answer = cases.accept(&id, "send", comment, input);
    let Some(sent) = cases.made(&id, braid.send(c, e_s, drawn)) else {
        return Vec::new();
    };
    cases.same(&id, answer.bytes("braid"), braid.encode());
    cases.same(&id, answer.bytes("frame"), sent.frame.clone());
    cases.same(&id, answer.get("padded"), Some(&json!(sent.padded)));
    cases.same(&id, answer.get("emitted"), Some(&emitted(sent.emitted)));
    sent.frame
}

fn emitted(seeds: Option<[Bytes32; 2]>) -> Value {
    seeds.map_or(
        Value::Null,
        |[s_a, s_b]| json!({"s_a": hex::encode(s_a), "s_b": hex::encode(s_b)}),
    )
}

/// Where a frame arrives: the epoch of its chain, and that of our own sending chain.
type Place = (u32, Option<u32>);

/// Puts one frame to the library and to the model, and holds the state afterwards against the expected number.
pub(super) fn receives(
    cases: &mut Cases,
    id: &str,
    comment: &str,
    braid: &mut Braid,
    frame: &[u8],
    (pq_epoch, e_s): Place,
    expected: u8,
) {
    let id = format!("receive-{id}");
    let input = json!({
        "braid": hex::encode(braid.encode()), "pq_epoch": pq_epoch, "frame": hex::encode(frame), "e_s": e_s,
    });
    let before = number(braid);
    let answer = cases.accept(&id, "receive", comment, input);
    let mut reader = subrosa::wire::Reader::new(frame);
    let read = BraidFrame::read(&mut reader);
    let received = read.and_then(|frame| braid.receive(pq_epoch, &frame, e_s));
    let Some(received) = cases.made(&id, received) else {
        return;
    };
    let seeds = match received {
        Received::Emitted(seeds) => Some(seeds),
        Received::Quiet | Received::Broken => None,
    };
    cases.same(&id, answer.bytes("braid"), braid.encode());
    cases.same(&id, answer.get("emitted"), Some(&emitted(seeds)));
    let broke = received == Received::Broken;
    cases.same(&id, answer.get("pq_broken"), Some(&json!(broke)));
    cases.same(&id, number(braid), expected);
    cases.same(&id, broke, expected == BROKEN && before != BROKEN);
}

/// Every state of one exchange, and the frames that led from one to the next.
pub(super) struct Walk {
    /// By the number of the state; Broken comes last.
    pub(super) states: Vec<Braid>,
    /// The objects by their type, less one.
    objects: [Vec<u8>; 4],
    /// The frame of the next epoch.
    next: Vec<u8>,
}

/// A frame with a run of an object.
pub(super) fn run(object: &[u8], number: u8, first: u16, count: usize, ack: bool) -> Vec<u8> {
    let values = symbols::run(object, first, count);
    let frame = BraidFrame {
        ack,
        delta: false,
        run: Some((number, (first..=u16::MAX).zip(values).collect())),
    };
    frame.encode()
}

const ACK: [u8; 1] = [0x10];

impl Walk {
    fn new(cases: &mut Cases) -> Option<Self> {
        let (pq0, ba): (Bytes32, Bytes32) = (cases.array("pq0"), cases.array("ba"));
        let mut sides = Vec::new();
        for (id, initiator) in [("initiator", true), ("responder", false)] {
            let id = format!("start-{id}");
            let input = json!({
                "pq0": hex::encode(pq0), "ba": hex::encode(ba), "initiator": initiator,
            });
            let answer = cases.accept(&id, "start", "", input);
            let model = cases.made(&id, Braid::start(&pq0, &ba, initiator))?;
            cases.same(&id, answer.bytes("braid"), model.encode());
            sides.push(model);
        }
        let [mut a, mut b]: [Braid; 2] = sides.try_into().ok()?;
        let mut states = vec![None; 12];
        let mut keep = |braid: &Braid| {
            if let Some(place) = states.get_mut(usize::from(number(braid))) {
                *place = Some(braid.clone());
            }
        };
        keep(&a);
        keep(&b);
        let place = (0, Some(0));

        // hdr in two parts of four symbols.
        let comment = "The first symbol of hdr is placed: the key pair is drawn.";
        let one = sends(cases, "hdr", comment, &mut a, (120, 0));
        keep(&a);
        let two = sends(cases, "hdr-goes-on", "", &mut a, (120, 0));
        receives(
            cases,
            "hdr-in-part",
            "Four of six symbols.",
            &mut b,
            &one,
            place,
            5,
        );
        let comment = "hdr is complete and its MAC fits; the rest of the run is ignored.";
        receives(cases, "hdr-complete", comment, &mut b, &two, place, 6);
        keep(&b);

        // ct1, 60 symbols.
        let comment = "The first symbol of ct1 is placed: m is drawn, epoch 1 is taken in.";
        let one = sends(cases, "ct1", comment, &mut b, (5, 0));
        keep(&b);
        let comment = "The first symbol of ct1 arrives.";
        receives(cases, "ct1-first", comment, &mut a, &one, place, 2);
        keep(&a);
        let before_ct1 = a.clone();

        // ek goes out while ct1 still arrives: 30 symbols a message.
        let mut early = a.clone();
        let early: Vec<Vec<u8>> = (0..3)
            .map(|index| {
                sends(
                    cases,
                    &format!("ek-before-ct1-{index}"),
                    "",
                    &mut early,
                    (530, 0),
                )
            })
            .collect();
        let one = sends(cases, "ct1-goes-on", "", &mut b, (530, 0));
        let two = sends(
            cases,
            "ct1-with-repair",
            "Symbols behind the last of the object.",
            &mut b,
            (530, 0),
        );
        let sampled = b.clone();
        receives(cases, "ct1-in-part", "", &mut a, &one, place, 2);
        receives(cases, "ct1-complete", "", &mut a, &two, place, 3);
        keep(&a);
        let received = a.clone();

        // First way: all of ek, then the acknowledgement.
        let mut first = sampled.clone();
        for (index, frame) in early.iter().enumerate() {
            let last = index == 2;
            let (id, expected) = (format!("ek-before-ack-{index}"), if last { 8 } else { 7 });
            let comment = if last {
                "ek is complete: ct2 is made, m is erased."
            } else {
                ""
            };
            receives(cases, &id, comment, &mut first, frame, place, expected);
        }
        keep(&first);
        receives(cases, "ack-after-ek", "", &mut first, &ACK, place, 10);

        // Second way: the acknowledgement, with the first symbols of ek.
        let mut acked = b;
        for index in 0..3 {
            let id = format!("ek-with-ack-{index}");
            let frame = sends(
                cases,
                &id,
                "ct1 is there: the frames acknowledge it.",
                &mut a,
                (530, 0),
            );
            let expected = if index == 2 { 10 } else { 9 };
            receives(cases, &id, "", &mut acked, &frame, place, expected);
            if index < 2 {
                keep(&acked);
            }
        }
        keep(&acked);
        cases.same(
            "braid: both ways lead to one state",
            acked.encode(),
            first.encode(),
        );

        // ct2, 10 symbols, in parts of four; a chain ends in between.
        let one = sends(cases, "ct2", "", &mut acked, (120, 0));
        let input = json!({"braid": hex::encode(acked.encode())});
        let answer = cases.accept("end-chain", "end_chain", "", input);
        acked.end_chain();
        cases.same("end-chain", answer.bytes("braid"), acked.encode());
        let two = sends(cases, "ct2-goes-on", "", &mut acked, (120, 0));
        let three = sends(cases, "ct2-at-its-end", "", &mut acked, (120, 0));
        receives(cases, "ct2-first", "", &mut a, &one, place, 4);
        keep(&a);
        let comment = "ct1 is there, and nothing is left to send: an acknowledgement alone.";
        sends(cases, "ack-alone", comment, &mut a, (120, 0));
        receives(cases, "ct2-in-part", "", &mut a, &two, place, 4);
        let comment = "ct2 is complete and its MAC fits: epoch 1 is taken in, epoch 2 begins.";
        receives(cases, "ct2-complete", comment, &mut a, &three, place, 5);
        let comment = "A frame of epoch 2 in a chain of epoch 0.";
        let next = sends(cases, "delta", comment, &mut a, (5, 0));
        let mut b = acked.clone();
        receives(cases, "next-epoch", comment, &mut b, &next, place, 0);
        let comment = "In epoch 2 the responder is the EK side.";
        let frame = sends(cases, "hdr-of-epoch-2", comment, &mut b, (5, 0));
        receives(cases, "hdr-of-epoch-2", comment, &mut a, &frame, place, 6);
        sends(cases, "ct1-of-epoch-2", comment, &mut a, (5, 0));

        keep(&Braid {
            epoch: 1,
            live: None,
        });
        let object = |braid: &Braid, number: u8| match &braid.live.as_ref()?.phase {
            Phase::Ct1Received { ct1, .. } if number == 3 => Some(ct1.to_vec()),
            Phase::Ct1Received { seed, .. } => Some(braid::key_parts(seed).ok()?.2),
            Phase::Ct2Sampled { ct2, .. } => Some(ct2.to_vec()),
            Phase::KeysSampled { hdr, .. } => Some(hdr.to_vec()),
            _ => None,
        };
        let states: Option<Vec<Braid>> = states.into_iter().collect();
        let states = states?;
        cases.same("braid: ek is not complete yet", number(&before_ct1), 2);
        Some(Self {
            objects: [
                object(states.get(1)?, 1)?,
                object(&received, 2)?,
                object(&received, 3)?,
                object(states.get(10)?, 4)?,
            ],
            states,
            next,
        })
    }

    pub(super) fn state(&self, number: u8) -> Braid {
        let found = self.states.get(usize::from(number));
        found.cloned().unwrap_or(Braid {
            epoch: 0,
            live: None,
        })
    }

    fn object(&self, number: u8) -> &[u8] {
        let place = usize::from(number).saturating_sub(1);
        self.objects.get(place).map_or(&[], Vec::as_slice)
    }
}

/// The names of the states, for ids.
pub(in crate::sections) const NAMES: [&str; 12] = [
    "keys-unsampled",
    "keys-sampled",
    "header-sent",
    "ct1-received",
    "ek-sent-ct1-received",
    "no-header-received",
    "header-received",
    "ct1-sampled",
    "ek-received-ct1-sampled",
    "ct1-acknowledged",
    "ct2-sampled",
    "broken",
];

/// The type of the object that a state waits for.
const fn awaits(number: u8) -> u8 {
    match number {
        5 => 1,
        7 | 9 => 2,
        1 | 2 => 3,
        3 | 4 => 4,
        _ => 0,
    }
}

/// Every state with every sort of frame.
fn matrix(cases: &mut Cases, walk: &Walk) {
    for (state, name) in (0..).zip(NAMES) {
        for (kind, object) in [(1, "hdr"), (2, "ek"), (3, "ct1"), (4, "ct2")] {
            let mut braid = walk.state(state);
            // Symbols that nobody holds yet, and too few for any object.
            let frame = run(walk.object(kind), kind, 200, 2, false);
            let expected = match (state, awaits(state) == kind) {
                (1, true) => 2,
                (3, true) => 4,
                _ => state,
            };
            let comment = if awaits(state) == kind {
                ""
            } else {
                "Not waited for."
            };
            let id = format!("{name}-{object}");
            receives(
                cases,
                &id,
                comment,
                &mut braid,
                &frame,
                (0, Some(0)),
                expected,
            );
        }
        let expected = match state {
            7 => 9,
            8 => 10,
            other => other,
        };
        let mut braid = walk.state(state);
        let id = format!("{name}-ack");
        receives(cases, &id, "", &mut braid, &ACK, (0, None), expected);
        let mut braid = walk.state(state);
        let id = format!("{name}-nothing");
        receives(cases, &id, "", &mut braid, &[0], (0, None), state);
        // In epoch 2, a frame of epoch 1; then frames of epochs 3 and 4.
        let later = || {
            let mut braid = walk.state(state);
            braid.epoch = 2;
            braid
        };
        let lower = run(
            walk.object(awaits(state).max(1)),
            awaits(state).max(1),
            0,
            4,
            true,
        );
        let id = format!("{name}-lower-epoch");
        let comment = "A frame of a lower epoch is ignored.";
        receives(
            cases,
            &id,
            comment,
            &mut later(),
            &lower,
            (0, Some(1)),
            state,
        );
        let expected = match state {
            10 => 0,
            _ => BROKEN,
        };
        let id = format!("{name}-next-epoch");
        receives(
            cases,
            &id,
            "A frame of the next epoch.",
            &mut later(),
            &[0],
            (2, Some(1)),
            expected,
        );
        let id = format!("{name}-epoch-after-next");
        receives(cases, &id, "", &mut later(), &[0x08], (2, Some(1)), BROKEN);
    }
}

/// One symbol with another value than the one that is held.
fn conflicts(cases: &mut Cases, walk: &Walk) {
    for (state, name) in (0..).zip(NAMES) {
        let kind = awaits(state);
        if kind == 0 {
            continue;
        }
        let object = walk.object(kind);
        let mut braid = walk.state(state);
        let frame = run(object, kind, 300, 3, true);
        let held = match state {
            1 => 2,
            3 => 4,
            7 => 9,
            other => other,
        };
        let id = format!("{name}-before-conflict");
        receives(cases, &id, "", &mut braid, &frame, (0, None), held);
        let again = braid.clone();
        let id = format!("{name}-same-again");
        let comment = "The same symbols once more.";
        receives(cases, &id, comment, &mut braid, &frame, (0, None), held);
        cases.same(&id, braid.encode(), again.encode());
        let mut other = frame;
        for byte in other.iter_mut().skip(4 + 16 + 7).take(1) {
            *byte ^= 0x40;
        }
        let id = format!("{name}-conflict");
        let comment = "The second symbol has another value than before.";
        receives(cases, &id, comment, &mut braid, &other, (0, None), BROKEN);
    }
}

/// An object with one byte changed.
fn flipped(object: &[u8], at: usize) -> Vec<u8> {
    let mut object = object.to_vec();
    for byte in object.iter_mut().skip(at).take(1) {
        *byte ^= 1;
    }
    object
}

/// Whole objects that are not genuine.
fn forged(cases: &mut Cases, walk: &Walk) {
    let place = (0, None);
    for (part, at) in [("ek-seed", 0), ("h3", 40), ("mac", 95)] {
        let frame = run(&flipped(walk.object(1), at), 1, 0, 6, false);
        let id = format!("hdr-other-{part}");
        receives(
            cases,
            &id,
            "The MAC does not fit.",
            &mut walk.state(5),
            &frame,
            place,
            BROKEN,
        );
    }
    for (part, at) in [("ct2", 3), ("mac", 159)] {
        let frame = run(&flipped(walk.object(4), at), 4, 0, 10, false);
        let id = format!("ct2-other-{part}");
        receives(
            cases,
            &id,
            "The MAC does not fit.",
            &mut walk.state(3),
            &frame,
            place,
            BROKEN,
        );
    }
    let frame = run(&flipped(walk.object(3), 500), 3, 0, 60, false);
    let mut braid = walk.state(1);
    let comment = "Nothing tells yet that ct1 is another one.";
    receives(cases, "ct1-other", comment, &mut braid, &frame, place, 3);
    let frame = run(walk.object(4), 4, 0, 10, false);
    let comment = "The secret is another one, and so the MAC does not fit.";
    receives(
        cases,
        "ct2-after-other-ct1",
        comment,
        &mut braid,
        &frame,
        place,
        BROKEN,
    );
    for (name, state) in [("ct1-sampled", 7), ("ct1-acknowledged", 9)] {
        let mut braid = walk.state(state);
        forget_symbols(&mut braid);
        let frame = run(&flipped(walk.object(2), 77), 2, 0, 72, false);
        let id = format!("{name}-ek-other");
        receives(
            cases,
            &id,
            "H3(ek) is another one.",
            &mut braid.clone(),
            &frame,
            place,
            BROKEN,
        );
        // A key that fails the modulus check, announced as it is.
        let vector = unreduced(walk.object(2));
        if let Some(Live {
            phase:
                Phase::Ct1Sampled { ek_seed, h3, .. } | Phase::Ct1Acknowledged { ek_seed, h3, .. },
            ..
        }) = &mut braid.live
        {
            *h3 = sha3_256(&[&vector[..], &ek_seed[..]].concat());
        }
        let frame = run(&vector, 2, 0, 72, false);
        let id = format!("{name}-ek-unreduced");
        let comment = "H3(ek) is that of this key, which fails the modulus check.";
        receives(cases, &id, comment, &mut braid, &frame, place, BROKEN);
    }
    // All of an object at once, with what goes beyond it.
    for (id, state, kind, count, expected) in [
        ("hdr-whole", 5, 1, 8, 6),
        ("ct1-whole", 1, 3, 62, 3),
        ("ek-whole-from-sampled", 7, 2, 74, 8),
        ("ek-whole-from-acknowledged", 9, 2, 74, 10),
        ("ct2-whole", 3, 4, 12, 5),
    ] {
        let mut braid = walk.state(state);
        forget_symbols(&mut braid);
        let mut frame = run(walk.object(kind), kind, 0, count, false);
        for byte in frame.iter_mut().rev().take(1) {
            *byte ^= 1;
        }
        let comment =
            "The whole object in one message; the last symbol, which is wrong, is not looked at.";
        receives(cases, id, comment, &mut braid, &frame, place, expected);
    }
    let mut braid = walk.state(7);
    forget_symbols(&mut braid);
    let frame = run(walk.object(2), 2, 0, 72, true);
    let comment = "ek is complete, and the acknowledgement comes with it.";
    receives(cases, "ek-and-ack", comment, &mut braid, &frame, place, 10);
}

fn forget_symbols(braid: &mut Braid) {
    if let Some(Live {
        phase: Phase::Ct1Sampled { ek, .. } | Phase::Ct1Acknowledged { ek, .. },
        ..
    }) = &mut braid.live
    {
        ek.clear();
    }
}

/// §10.7-R8: how far the own epoch may go.
fn epochs(cases: &mut Cases, walk: &Walk) {
    let ct2 = |epoch: u32| {
        let mut braid = walk.state(3);
        braid.epoch = epoch;
        braid
    };
    // The MAC of ct2 in another epoch, under the keys of that one.
    let genuine = |braid: &Braid| {
        let live = braid.live.as_ref()?;
        let Phase::Ct1Received { seed, ct1, .. } = &live.phase else {
            return None;
        };
        let ct2 = walk.object(4).get(..128)?;
        let ss = crate::model::formula::decapsulate(seed, &[&ct1[..], ct2].concat()).ok()?;
        let secret = braid::secret(braid.epoch, &ss);
        let (_, am) = braid::update(&live.ar, braid.epoch, &secret).ok()?;
        let mac = braid::ciphertext_mac(&am, braid.epoch, ct1, ct2);
        Some(run(&[ct2, &mac].concat(), 4, 0, 10, false))
    };
    let next = |epoch: u32| {
        let mut braid = walk.state(10);
        braid.epoch = epoch;
        braid
    };
    let last = u32::MAX - 1;
    for (id, epoch, e_s, expected) in [
        ("2-above", 5, Some(4), 5),
        ("3-above", 5, Some(3), BROKEN),
        ("no-chain", 5, None, 5),
        ("to-2-32-minus-2", last - 1, Some(last - 2), 5),
        ("to-2-32-minus-1", last, Some(last - 1), BROKEN),
        ("to-2-32-minus-1-no-chain", last, None, BROKEN),
    ] {
        let comment = "The step to the next epoch against the epoch of the sending chain.";
        let mut braid = ct2(epoch);
        let frame = genuine(&braid).unwrap_or_default();
        let place = (epoch - 1, e_s);
        receives(
            cases,
            &format!("ct2-{id}"),
            comment,
            &mut braid,
            &frame,
            place,
            expected,
        );
        let expected = if expected == BROKEN { BROKEN } else { 0 };
        let place = (epoch, e_s);
        let id = format!("next-epoch-{id}");
        receives(cases, &id, comment, &mut next(epoch), &[0], place, expected);
    }
}

/// Whatever arrives in Broken, and once more.
fn repeated(cases: &mut Cases, walk: &Walk) {
    let mut broken = walk.state(11);
    for (id, frame, pq_epoch) in [
        ("next", walk.next.clone(), 0),
        ("symbols", run(walk.object(2), 2, 0, 40, true), 0),
        ("far", vec![0x08], 7),
    ] {
        let id = format!("broken-{id}");
        let comment = "In Broken nothing changes any more, and no event is told.";
        receives(
            cases,
            &id,
            comment,
            &mut broken,
            &frame,
            (pq_epoch, None),
            BROKEN,
        );
    }
    let mut braid = walk.state(10);
    let comment = "A frame of epoch 2 in a chain of epoch 0, then one of epoch 1 behind it.";
    receives(
        cases,
        "late-epoch",
        comment,
        &mut braid,
        &walk.next,
        (0, Some(0)),
        0,
    );
    let late = run(walk.object(2), 2, 0, 40, true);
    receives(
        cases,
        "late-frame",
        comment,
        &mut braid,
        &late,
        (0, Some(0)),
        0,
    );
    let malformed = json!({
        "braid": hex::encode(walk.state(5).encode()), "pq_epoch": 0, "frame": "20000000", "e_s": null,
    });
    cases.refuse(
        "receive-malformed",
        "receive",
        "Malformed",
        "§10.4-R1",
        malformed,
    );
}

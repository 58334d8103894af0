//! SPEC §10.6: what a message takes along, and when it grows for it.

use super::moves::{NAMES, number, sends};
use crate::generate::Cases;
use crate::model::formula::Bytes32;
use crate::model::stored::{Braid, Cursor, Live, Phase};

/// The states that send symbols with the k of their object.
const SENDING: [(u8, u8); 8] = [
    (0, 6),
    (1, 6),
    (2, 72),
    (3, 72),
    (6, 60),
    (7, 60),
    (8, 60),
    (10, 10),
];

/// A state of epoch 1 with fields that hold anything; its last message had no room for a symbol.
pub(in crate::sections) fn state(cases: &Cases, number: u8, cursor: Cursor) -> Braid {
    let key = |name: &str| -> Bytes32 { cases.array(name) };
    let seed: [u8; 64] = cases.array("a seed");
    let (ek_seed, h3, m) = (key("an ek seed"), key("a hash"), key("an m"));
    let (ct1, ct2) = (cases.array("a ct1"), cases.array("a ct2"));
    let symbol = |index: u16| vec![(index, [7; 16])];
    let phase = match number {
        0 => Phase::KeysUnsampled,
        1 => Phase::KeysSampled {
            seed,
            hdr: cases.array("a hdr"),
            cursor,
        },
        2 => Phase::HeaderSent {
            seed,
            ct1: symbol(3),
            cursor,
        },
        3 => Phase::Ct1Received { seed, ct1, cursor },
        4 => Phase::EkSentCt1Received {
            seed,
            ct1,
            ct2: symbol(4),
        },
        5 => Phase::NoHeaderReceived { hdr: Vec::new() },
        6 => Phase::HeaderReceived { ek_seed, h3 },
        7 => Phase::Ct1Sampled {
            ek_seed,
            h3,
            m,
            ek: Vec::new(),
            cursor,
        },
        8 => Phase::EkReceivedCt1Sampled { ct1, ct2, cursor },
        9 => Phase::Ct1Acknowledged {
            ek_seed,
            h3,
            m,
            ek: symbol(5),
        },
        10 => Phase::Ct2Sampled { ct2, cursor },
        _ => {
            return Braid {
                epoch: 1,
                live: None,
            };
        }
    };
    Braid {
        epoch: 1,
        live: Some(Live {
            pqroot: key("a pqroot"),
            ar: key("an ar"),
            am: key("an am"),
            starved: true,
            phase,
        }),
    }
}

const fn at(next: u16, placed: u8) -> Cursor {
    Cursor { next, placed }
}

pub(super) fn cases(cases: &mut Cases) {
    slack(cases);
    chains(cases);
    wraps(cases);
    starving(cases);
    nothing_fits(cases);
    nothing_to_send(cases);
}

/// Number of symbols in a frame.
fn count(frame: &[u8]) -> u8 {
    frame.get(3).copied().unwrap_or_default()
}

/// Sends a message and holds the number of its symbols against the expected one.
fn carries(
    cases: &mut Cases,
    id: &str,
    comment: &str,
    braid: &mut Braid,
    text: usize,
    expected: u8,
) {
    let frame = sends(cases, id, comment, braid, (text, 0));
    cases.same(&format!("send-{id}: symbols"), count(&frame), expected);
}

/// How many symbols the padding has room for, and where a message begins to grow.
fn slack(cases: &mut Cases) {
    for (text, comment, expected) in [
        (
            0,
            "192 bytes have room for 11 symbols beside no text.",
            11u8,
        ),
        (11, "", 11),
        (12, "", 10),
        (170, "One symbol fits exactly.", 1),
        (171, "Not any more: 256 bytes.", 4),
        (189, "Exactly full without symbols: 256 bytes.", 3),
        (190, "", 3),
        (234, "", 1),
        (235, "512 bytes.", 16),
        (490, "", 1),
        (491, "1,024 bytes.", 32),
        (509, "", 31),
        (510, "", 31),
        (1_002, "", 1),
        (1_003, "1,088 bytes.", 4),
        (1_085, "1,152 bytes.", 3),
        (1_200, "1,216 bytes have no room: 1,280.", 4),
        (16_000, "", 23),
    ] {
        let mut braid = state(cases, 7, at(0, 0));
        carries(
            cases,
            &format!("slack-{text}"),
            comment,
            &mut braid,
            text,
            expected,
        );
    }
    for (state_number, k) in SENDING {
        let name = NAMES
            .get(usize::from(state_number))
            .copied()
            .unwrap_or_default();
        // 11 in a message without a text, k + 2 at most.
        let mut braid = state(cases, state_number, at(0, 0));
        carries(
            cases,
            &format!("{name}-short"),
            "",
            &mut braid,
            0,
            11.min(k + 2),
        );
        let mut braid = state(cases, state_number, at(0, 0));
        let comment = "A message carries k + 2 symbols at most.";
        carries(
            cases,
            &format!("{name}-long"),
            comment,
            &mut braid,
            33_000,
            k + 2,
        );
        let mut braid = state(cases, state_number, at(0, 0));
        let comment = "Nothing fits: the next length is taken.";
        carries(cases, &format!("{name}-grows"), comment, &mut braid, 180, 4);
    }
}

/// §10.6-R1, R2 over a sending chain: 3k symbols, of them 1.5k + 1 in messages that grew.
fn chains(cases: &mut Cases) {
    for (state_number, k) in SENDING {
        if matches!(state_number, 0 | 6) {
            continue;
        }
        let name = NAMES
            .get(usize::from(state_number))
            .copied()
            .unwrap_or_default();
        let enough = (3 * k).div_ceil(2) + 1;
        for (part, comment, placed, text, expected) in [
            (
                "one-less-than-enough",
                "placed is below ceil(1.5k) + 1: the message grows.",
                enough - 1,
                180,
                4,
            ),
            (
                "enough",
                "placed is ceil(1.5k) + 1: the message does not grow, and has no symbols.",
                enough,
                180,
                0,
            ),
            ("enough-with-room", "Room there is is used.", enough, 150, 2),
            ("two-left", "Up to 3k.", 3 * k - 2, 0, 2),
            ("none-left", "3k symbols were placed.", 3 * k, 0, 0),
            ("none-left-no-room", "", 3 * k, 180, 0),
        ] {
            let mut braid = state(cases, state_number, at(9, placed));
            let id = format!("{name}-{part}");
            carries(cases, &id, comment, &mut braid, text, expected);
        }
    }
    for (name, comment, list) in [
        (
            "short-steps",
            "One chain of messages: ct2 has k = 10. A step of 64 bytes is always taken, up to 16 symbols.",
            &[
                (0, 11),
                (180, 4),
                (180, 4),
                (180, 0),
                (0, 11),
                (0, 0),
                (180, 0),
            ][..],
        ),
        (
            "long-steps",
            "One chain of messages: ct2 has k = 10. A step of 256 bytes is taken by the second in a row without room.",
            &[
                (150, 2),
                (245, 0),
                (245, 12),
                (245, 0),
                (245, 12),
                (245, 0),
                (245, 0),
                (150, 2),
                (245, 0),
                (150, 2),
            ],
        ),
    ] {
        let mut braid = state(cases, 10, at(0, 0));
        for (index, (text, expected)) in list.iter().enumerate() {
            let id = format!("chain-{name}-{index}");
            carries(cases, &id, comment, &mut braid, *text, *expected);
        }
    }
}

/// The cursor goes round.
fn wraps(cases: &mut Cases) {
    for (state_number, name) in [(1, "hdr"), (3, "ek"), (8, "ct1"), (10, "ct2")] {
        let mut braid = state(cases, state_number, at(u16::MAX - 1, 0));
        let comment = "Up to the last index, 65,535; then from 0 again.";
        carries(cases, &format!("wrap-{name}-0"), comment, &mut braid, 0, 2);
        let expected = if state_number == 1 { 8 } else { 11 };
        carries(
            cases,
            &format!("wrap-{name}-1"),
            comment,
            &mut braid,
            0,
            expected,
        );
    }
    let mut braid = state(cases, 10, at(u16::MAX, 0));
    carries(cases, "wrap-last", "", &mut braid, 180, 1);
}

/// `starved` before and after a message of each sort (§10.6-R2, R4).
fn starving(cases: &mut Cases) {
    for (state_number, k) in SENDING {
        let name = NAMES
            .get(usize::from(state_number))
            .copied()
            .unwrap_or_default();
        for (part, comment, before, placed, text, expected, after) in [
            ("fed", "There is room.", false, 0, 150, 2, false),
            ("fed-again", "There is room.", true, 0, 150, 2, false),
            (
                "short-step",
                "No room: a step of 64 bytes is taken.",
                false,
                0,
                180,
                4,
                false,
            ),
            (
                "short-step-again",
                "No room once more.",
                true,
                0,
                180,
                4,
                false,
            ),
            (
                "short-step-1088",
                "No room: from 1,024 to 1,088 bytes.",
                false,
                0,
                1_003,
                4,
                false,
            ),
            (
                "first",
                "No room: a step of 256 bytes is not taken at once.",
                false,
                0,
                245,
                0,
                true,
            ),
            (
                "second",
                "No room once more: it is taken.",
                true,
                0,
                245,
                16.min(k + 2),
                false,
            ),
            (
                "first-128",
                "Nor is one of 128 bytes.",
                false,
                0,
                2_042,
                0,
                true,
            ),
            ("second-128", "It is taken now.", true, 0, 2_042, 8, false),
            (
                "placed-enough",
                "No message grows any more.",
                true,
                216,
                180,
                0,
                true,
            ),
            (
                "placed-enough-first",
                "No message grows any more.",
                false,
                216,
                180,
                0,
                true,
            ),
            (
                "placed-all",
                "There is room, and nothing to place.",
                true,
                216,
                150,
                0,
                false,
            ),
        ] {
            if placed > 0 && !matches!(state_number, 2 | 3) {
                continue;
            }
            let mut braid = state(cases, state_number, at(0, placed));
            if let Some(live) = &mut braid.live {
                live.starved = before;
            }
            let id = format!("{name}-starved-{part}");
            carries(cases, &id, comment, &mut braid, text, expected);
            let found = braid.live.is_some_and(|live| live.starved);
            cases.same(&id, found, after);
        }
    }
    for state_number in [4, 5, 9] {
        let name = NAMES
            .get(usize::from(state_number))
            .copied()
            .unwrap_or_default();
        for before in [false, true] {
            let mut braid = state(cases, state_number, at(0, 0));
            if let Some(live) = &mut braid.live {
                live.starved = before;
            }
            let id = format!("{name}-starved-{before}");
            let comment = "Without an object to send nothing changes.";
            carries(cases, &id, comment, &mut braid, 180, 0);
            let found = braid.live.is_some_and(|live| live.starved);
            cases.same(&id, found, before);
        }
    }
}

/// The longest texts: there is no longer length to grow to.
fn nothing_fits(cases: &mut Cases) {
    for (text, comment, expected) in [
        (
            1_032_187usize,
            "The longest text: nothing is drawn, and the state stays.",
            0u8,
        ),
        (1_032_170, "", 0),
        (1_032_169, "", 0),
        (1_032_168, "One symbol fits.", 1),
    ] {
        for state_number in [0, 6, 7] {
            let name = NAMES
                .get(usize::from(state_number))
                .copied()
                .unwrap_or_default();
            let mut braid = state(cases, state_number, at(0, 0));
            let id = format!("{name}-longest-{text}");
            carries(cases, &id, comment, &mut braid, text, expected);
            let stays = number(&braid) == state_number;
            cases.same(&id, stays, expected == 0 || state_number == 7);
        }
    }
}

/// States without an object: the message does not grow.
fn nothing_to_send(cases: &mut Cases) {
    for state_number in [4, 5, 9, 11] {
        let name = NAMES
            .get(usize::from(state_number))
            .copied()
            .unwrap_or_default();
        for text in [0, 180, 1_032_187] {
            let mut braid = state(cases, state_number, at(0, 0));
            let id = format!("{name}-nothing-{text}");
            carries(
                cases,
                &id,
                "There are no symbols to send.",
                &mut braid,
                text,
                0,
            );
        }
    }
    // Flags: ack in two states, delta where the chain is an epoch behind.
    for (state_number, pq) in [(4u8, 0x18u8), (5, 0x08), (9, 0x08), (11, 0x08), (3, 0x58)] {
        let name = NAMES
            .get(usize::from(state_number))
            .copied()
            .unwrap_or_default();
        let mut braid = state(cases, state_number, at(0, 0));
        braid.epoch = 2;
        let id = format!("{name}-delta");
        let comment = "A chain that began an epoch ago.";
        let frame = sends(cases, &id, comment, &mut braid, (5, 0));
        cases.same(&id, frame.first().copied(), Some(pq));
    }
}

//! Target `hostile_network`: two or three devices and everything that the network can do to them, step by step beside
//! the model of `tests/hostile_network`, which says of every genuine message what becomes of it.

use super::common;
use super::script::Script;

#[path = "../../tests/hostile_network/model.rs"]
mod model;
#[path = "../../tests/hostile_network/world.rs"]
mod world;

use world::{Corruption, Op, Rules, World};

/// Steps of one input.
const STEPS: usize = 32;
/// Messages that are sent for nothing, in one input; in one of 64 enough to pass the limit of a gap once.
const LOST: [u16; 2] = [40, 2_300];

/// The network is late by a few messages, alters some and repeats others: every message is read exactly once. The last
/// two sets of rules also lose messages, and the last one sets devices back to old states of themselves: each message
/// is read once or refused for the reason that the model names. Whatever is refused changes nothing. In the end
/// everybody talks to everybody.
pub fn hostile_network(data: &[u8]) {
    let mut script = Script::new(data);
    let rules = [
        (2, Some(12), 0, 3),
        (3, Some(24), 0, 3),
        (2, None, 0, 3),
        (2, None, 25, 12),
    ];
    let kind = script.below(rules.len());
    let (peers, late_by, pause, rounds) = rules[kind];
    let rules = Rules {
        peers,
        late_by,
        pause,
        rounds,
    };
    let seed = script.u16() as u64;
    let mut world = World::new(rules, seed);
    let mut left = LOST[usize::from(seed % 64 == 63)];
    for _ in 0..STEPS {
        if script.is_empty() {
            break;
        }
        let mut op = step(&mut script, kind);
        if let Op::Lose { count, .. } = &mut op {
            *count = (*count).min(left);
            left -= *count;
        }
        world.step(&op);
    }
    world.heal();
}

/// The steps that each set of rules allows: orderly ones, then those that lose messages, then those that set back.
fn step(script: &mut Script<'_>, kind: usize) -> Op {
    let kinds = [17, 17, 21, 23][kind];
    let (a, b) = (script.below(kinds), script);
    let number = |script: &mut Script<'_>| script.u16() as u16;
    match a {
        0 | 1 => Op::Send {
            from: b.u8(),
            to: b.u8(),
            count: b.u8(),
        },
        2 | 3 => Op::Deliver { pick: number(b) },
        4 => Op::DeliverMany { count: b.u8() },
        5 => Op::DeliverAndCrash { pick: number(b) },
        6 => Op::SendAndCrash {
            from: b.u8(),
            to: b.u8(),
        },
        7 => Op::Replay { pick: number(b) },
        8 => Op::Drop { pick: number(b) },
        9 => Op::Corrupt {
            pick: number(b),
            other: number(b),
            how: corruption(b),
        },
        10 => Op::Misdeliver {
            pick: number(b),
            to: b.u8(),
        },
        11 => Op::Begin {
            from: b.u8(),
            to: b.u8(),
            one_time: b.u8().is_multiple_of(2),
        },
        12 => Op::BothBegin {
            from: b.u8(),
            to: b.u8(),
            one_time: b.u8().is_multiple_of(2),
        },
        13 => Op::Store { who: b.u8() },
        14 => Op::Rotate { who: b.u8() },
        15 => Op::Publish { who: b.u8() },
        16 => match b.u8() % 2 {
            0 => Op::Wait {
                minutes: number(b) % 60,
            },
            _ => Op::SetClock {
                who: b.u8(),
                hours: i16::from(b.u8() as i8) % 72,
            },
        },
        17 => Op::Lose {
            from: b.u8(),
            to: b.u8(),
            count: u16::from(b.u8()) % 40,
        },
        18 => Op::Lose {
            from: b.u8(),
            to: b.u8(),
            count: number(b) % 2_200,
        },
        19 => Op::Wait {
            minutes: number(b) % (7 * 24 * 60),
        },
        20 => Op::Reinstall { who: b.u8() },
        21 => Op::Save { who: b.u8() },
        _ => Op::SetBack { who: b.u8() },
    }
}

fn corruption(script: &mut Script<'_>) -> Corruption {
    let number = |script: &mut Script<'_>| script.u16() as u16;
    match script.u8() % 5 {
        0 => Corruption::FlipBit { at: number(script) },
        1 => Corruption::Truncate { to: number(script) },
        2 => Corruption::Extend { by: script.u8() },
        3 => Corruption::Splice {
            cut: number(script),
            from_the_end: script.u8().is_multiple_of(2),
        },
        _ => Corruption::Regraft,
    }
}

/// Each set of rules in a few storms.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut rng = common::SeededRng(800);
    let mut seeds = vec![Vec::new()];
    for kind in 0..4 {
        for length in [60, 120, 200, 200] {
            let bytes = (0..length).map(|_| rng.below(256) as u8);
            seeds.push([kind].into_iter().chain(bytes).collect());
        }
    }
    seeds
}

//! Conversations over a network that loses, repeats, delays, reorders and alters messages, between devices whose
//! clocks jump, that stop at any moment, and that are set back or installed again.
//!
//! Each step is compared with a model of the protocol without cryptography (`model.rs`), which says of every genuine
//! message what becomes of it: read, with which notices, or refused, with which error. Beside the model stand the
//! promises: nothing is read twice, altered, or from somebody else; whatever is refused leaves the state as it was;
//! nobody is ever stuck.
//!
//! `SUBROSA_SOAK=N` runs N times as many cases.

mod common;
mod hostile_network {
    use super::common;

    pub mod model;
    pub mod simultaneous;
    pub mod world;
}

use hostile_network::world;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use world::{Corruption, Op, Rules, Tally, World};

/// Every first delivery is read.
const LATE: Rules = Rules {
    peers: 2,
    late_by: Some(24),
    pause: 0,
    rounds: 3,
};

/// Messages may be too late, states too old; nobody is set back.
const LAWLESS: Rules = Rules {
    peers: 2,
    late_by: None,
    pause: 0,
    rounds: 3,
};

/// Devices are set back as well. What the library says about old states it says after a day of the reader's clock,
/// which may have been six days ahead.
const SET_BACK: Rules = Rules {
    peers: 2,
    late_by: None,
    pause: 25,
    rounds: 12,
};

/// Everything that leaves each message readable.
fn orderly() -> BoxedStrategy<Op> {
    let minutes = 0..60u16;
    prop_oneof![
        12 => send(),
        16 => any::<u16>().prop_map(|pick| Op::Deliver { pick }),
        6 => any::<u8>().prop_map(|count| Op::DeliverMany { count }),
        2 => any::<u16>().prop_map(|pick| Op::DeliverAndCrash { pick }),
        1 => any::<(u8, u8)>().prop_map(|(from, to)| Op::SendAndCrash { from, to }),
        3 => any::<u16>().prop_map(|pick| Op::Replay { pick }),
        2 => any::<u16>().prop_map(|pick| Op::Drop { pick }),
        4 => corrupt(),
        1 => any::<(u16, u8)>().prop_map(|(pick, to)| Op::Misdeliver { pick, to }),
        1 => begin(),
        1 => any::<u8>().prop_map(|who| Op::Store { who }),
        1 => any::<u8>().prop_map(|who| Op::Rotate { who }),
        1 => any::<u8>().prop_map(|who| Op::Publish { who }),
        2 => minutes.prop_map(|minutes| Op::Wait { minutes }),
        1 => (any::<u8>(), -72..72i16).prop_map(|(who, hours)| Op::SetClock { who, hours }),
    ]
    .boxed()
}

/// Also what makes messages unreadable.
fn lawless() -> BoxedStrategy<Op> {
    let lose = (
        any::<(u8, u8)>(),
        prop_oneof![4 => 0..40u16, 1 => 0..2_200u16],
    );
    prop_oneof![
        200 => orderly(),
        5 => begin(),
        3 => lose.prop_map(|((from, to), count)| Op::Lose { from, to, count }),
        4 => any::<u16>().prop_map(|pick| Op::Drop { pick }),
        2 => (0..7 * 24 * 60u16).prop_map(|minutes| Op::Wait { minutes }),
        1 => any::<u8>().prop_map(|who| Op::Reinstall { who }),
    ]
    .boxed()
}

fn set_back() -> BoxedStrategy<Op> {
    prop_oneof![
        60 => lawless(),
        1 => any::<u8>().prop_map(|who| Op::Save { who }),
        1 => any::<u8>().prop_map(|who| Op::SetBack { who }),
    ]
    .boxed()
}

fn send() -> impl Strategy<Value = Op> {
    any::<(u8, u8, u8)>().prop_map(|(from, to, count)| Op::Send { from, to, count })
}

fn begin() -> impl Strategy<Value = Op> {
    any::<(u8, u8, bool, bool)>().prop_map(|(from, to, one_time, both)| match both {
        false => Op::Begin { from, to, one_time },
        true => Op::BothBegin { from, to, one_time },
    })
}

fn corrupt() -> impl Strategy<Value = Op> {
    let how = prop_oneof![
        4 => any::<u16>().prop_map(|at| Corruption::FlipBit { at }),
        1 => any::<u16>().prop_map(|to| Corruption::Truncate { to }),
        1 => any::<u8>().prop_map(|by| Corruption::Extend { by }),
        4 => any::<(u16, bool)>().prop_map(|(cut, from_the_end)| Corruption::Splice { cut, from_the_end }),
        2 => Just(Corruption::Regraft),
    ];
    (any::<(u16, u16)>(), how).prop_map(|((pick, other), how)| Op::Corrupt { pick, other, how })
}

/// Runs `cases` storms of up to `length` steps, always the same ones.
fn storms(name: &str, rules: Rules, op: BoxedStrategy<Op>, cases: u32, length: usize) {
    let soak: u32 = std::env::var("SUBROSA_SOAK").map_or(1, |times| times.parse().unwrap());
    let config = ProptestConfig {
        cases: cases * soak,
        rng_seed: RngSeed::Fixed(0),
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    let total = std::cell::RefCell::new(Tally::default());
    let ops = (any::<u64>(), vec(op, length / 2..length));
    runner
        .run(&ops, |(seed, ops)| {
            let mut world = World::new(rules, seed);
            for op in &ops {
                world.step(op);
            }
            world.heal();
            add(&mut total.borrow_mut(), &world.tally);
            Ok(())
        })
        .unwrap();
    println!("{name}, {} cases: {:#?}", cases * soak, total.borrow());
}

/// Sums, and the greatest of what has a greatest.
fn add(total: &mut Tally, other: &Tally) {
    total.sent += other.sent;
    total.read += other.read;
    for (error, count) in &other.refused {
        *total.refused.entry(error.clone()).or_default() += count;
    }
    total.begun += other.begun;
    total.told_to_begin += other.told_to_begin;
    total.begun_after_the_storm += other.begun_after_the_storm;
    total.rounds_after_the_storm = total
        .rounds_after_the_storm
        .max(other.rounds_after_the_storm);
    total.largest = total.largest.max(other.largest);
}

#[test]
fn attack_r6_two_peers_read_everything_that_arrives() {
    storms("two", LATE, orderly(), 24, 400);
}

#[test]
fn attack_r6_three_peers_read_everything_that_arrives() {
    let rules = Rules { peers: 3, ..LATE };
    storms("three", rules, orderly(), 12, 500);
}

#[test]
fn attack_r13_nobody_is_stuck_whatever_is_lost() {
    storms("lawless", LAWLESS, lawless(), 24, 400);
}

#[test]
fn attack_r13_three_peers_are_not_stuck_whatever_is_lost() {
    let rules = Rules {
        peers: 3,
        ..LAWLESS
    };
    storms("lawless three", rules, lawless(), 12, 500);
}

#[test]
fn attack_r13_nobody_is_stuck_though_devices_are_set_back() {
    storms("set back", SET_BACK, set_back(), 24, 400);
}

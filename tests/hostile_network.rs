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
    total.stalls += other.stalls;
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

/// A burst of first messages is lost, and with it when its agreement was made: whoever reads the next one cannot know
/// what ranks above it.
fn burst_is_lost(world: &mut World, from: u8) {
    world.step(&Op::Lose {
        from,
        to: 0,
        count: 2_050,
    });
}

/// An app that begins anew at each refusal, and one that drops first messages of nobody.
const APPS: [u64; 2] = [0, 1 << 10];

#[test]
fn attack_r13_a_clock_is_behind_and_a_burst_is_lost() {
    for (seed, stalls) in APPS.into_iter().zip([1, 3]) {
        let mut world = World::new(LAWLESS, seed);
        world.step(&Op::SetClock { who: 1, hours: -1 });
        burst_is_lost(&mut world, 0);
        world.heal();
        let tally = &world.tally;
        assert_eq!((tally.stalls, tally.rounds_after_the_storm), (stalls, 1));
    }
}

/// Who knows the agreement of the burst has nothing to wait for, whatever the clock says.
#[test]
fn attack_r13_a_clock_is_behind_and_a_later_burst_is_lost() {
    for seed in APPS {
        let mut world = World::new(LAWLESS, seed);
        world.step(&Op::SetClock { who: 1, hours: -1 });
        world.step(&Op::Send {
            from: 0,
            to: 0,
            count: 0,
        });
        world.step(&Op::Deliver { pick: 0 });
        burst_is_lost(&mut world, 0);
        world.heal();
        let tally = &world.tally;
        assert_eq!((tally.stalls, tally.rounds_after_the_storm), (0, 2));
    }
}

#[test]
fn attack_r13_the_bursts_of_both_are_lost() {
    for (seed, stalls) in APPS.into_iter().zip([0, 7]) {
        let mut world = World::new(LAWLESS, seed);
        burst_is_lost(&mut world, 0);
        burst_is_lost(&mut world, 1);
        world.heal();
        let tally = &world.tally;
        assert_eq!((tally.stalls, tally.rounds_after_the_storm), (stalls, 1));
    }
}

#[test]
fn a_clock_that_goes_back_shortens_nothing() {
    let mut world = World::new(LAWLESS, 0);
    let deliver = Op::Deliver { pick: 0 };
    let clock = |hours| Op::SetClock { who: 1, hours };
    let from_device_0 = Op::Send {
        from: 0,
        to: 0,
        count: 3,
    };
    let begin_anew = Op::Begin {
        from: 1,
        to: 0,
        one_time: true,
    };
    // The third message is opened earlier than the second, by the reader's clock; thirty days after the third the fourth
    // is read all the same (SPEC §11.3-R5, R7).
    let thirty_days = Op::Wait {
        minutes: 30 * 24 * 60,
    };
    for op in [from_device_0, deliver.clone(), begin_anew, clock(71)] {
        world.step(&op);
    }
    for op in [deliver.clone(), clock(-71), deliver.clone(), thirty_days] {
        world.step(&op);
    }
    world.step(&deliver);
    assert_eq!(world.tally.read, 4);
    world.heal();
}

/// The Braid's epoch ends with a message that `who` reads, and forgets again: the next chain of its peer belongs to an
/// epoch that it does not have (SPEC §9.4-R3).
#[test]
fn attack_r13_an_epoch_is_forgotten() {
    for (seed, turns, who) in [(8, 11, 0), (9, 30, 1)] {
        let mut world = World::new(SET_BACK, seed);
        let peer = 1 - who;
        let all = Op::DeliverMany { count: 31 };
        let send = |from, count| Op::Send { from, to: 0, count };
        for turn in 0..turns {
            world.step(&send(turn % 2, 1));
            world.step(&all);
        }
        for op in [send(who, 0), all.clone(), send(peer, 3)] {
            world.step(&op);
        }
        for op in [
            Op::DeliverMany { count: 0 },
            send(who, 0),
            Op::Save { who },
            Op::DeliverMany { count: 2 },
            send(who, 0),
            all.clone(),
        ] {
            world.step(&op);
        }
        assert!(world.tally.refused.is_empty());
        for op in [Op::SetBack { who }, send(peer, 0), all] {
            world.step(&op);
        }
        assert_eq!(world.tally.refused.get("Forked"), Some(&1));
        world.heal();
    }
}

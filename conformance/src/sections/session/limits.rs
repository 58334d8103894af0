//! The bounds: gaps, chains, stored keys, states.

use super::play::Play;
use crate::generate::Cases;
use crate::model::stored::Turn;

pub(super) fn cases(cases: &mut Cases) {
    gap_in_a_chain(cases);
    gap_in_a_new_chain(cases);
    gap_of_a_first_message(cases);
    gap_in_a_closed_chain(cases);
    chain_exhausted(cases);
    stored_keys(cases);
    closed_chains(cases);
    five_states(cases);
    lowest_arrives_last(cases);
}

fn gap_in_a_chain(cases: &mut Cases) {
    let comment = "2,000 numbers skipped are read; 2,001 are not, and nothing changes.";
    let mut play = Play::of_two_in_touch(cases, "gap-in-a-chain", comment);
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    play.lose("alice", "bob", 1_000);
    play.seal("alice", "bob", "a1001");
    play.lose("alice", "bob", 999);
    play.seal("alice", "bob", "a2001");
    play.reads("bob", "a2001");
    play.holds("bob", "alice", (1, 1, 2_000));
    play.reads("bob", "a1001");
    play.lose("alice", "bob", 2_001);
    play.seal("alice", "bob", "a4003");
    play.open_fails("bob", "a4003", "GapTooLarge");
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    play.seal("alice", "bob", "anew");
    play.takes("bob", "anew");
    play.show("alice", "bob");
    play.end_with_digests();
}

fn gap_in_a_new_chain(cases: &mut Cases) {
    let comment = "The first message of a new chain that arrives skips 2,000, and 2,001.";
    for (id, count, refused) in [("2000", 1_999, false), ("2001", 2_000, true)] {
        let mut play = Play::of_two_in_touch(cases, &format!("gap-in-a-new-chain-{id}"), comment);
        play.seal("alice", "bob", "a0");
        play.lose("alice", "bob", count);
        play.seal("alice", "bob", "last");
        match refused {
            true => {
                play.open_fails("bob", "last", "GapTooLarge");
                play.reads("bob", "a0");
                // Now it is 2,000 numbers ahead.
                play.reads("bob", "last");
            }
            false => {
                play.reads("bob", "last");
                play.reads("bob", "a0");
            }
        }
        play.show("alice", "bob");
        play.end_with_digests();
    }
}

fn gap_of_a_first_message(cases: &mut Cases) {
    let comment = "The first message that arrives at all skips 2,000, and 2,001: then another one completes the agreement.";
    for (id, count, refused) in [("2000", 1_999, false), ("2001", 2_000, true)] {
        let mut play = Play::of_two(cases, &format!("gap-of-a-first-message-{id}"), comment);
        play.bundle("bob", "bundle");
        play.begin("alice", "bundle");
        play.seal("alice", "bob", "a0");
        play.lose("alice", "bob", count);
        play.seal("alice", "bob", "last");
        match refused {
            true => {
                play.open_fails("bob", "last", "GapTooLarge");
                play.takes("bob", "a0");
                // Now it is 2,000 numbers ahead.
                play.reads("bob", "last");
            }
            false => {
                play.takes("bob", "last");
                play.reads("bob", "a0");
            }
        }
        play.show("alice", "bob");
        play.end_with_digests();
    }
}

fn gap_in_a_closed_chain(cases: &mut Cases) {
    let comment = "A new chain says that 2,000, and 2,001, messages of the one before are missing: up to 2,000 keys are \
                   stored, more are given up with the event gap_dropped.";
    for (id, count, dropped) in [("2000", 1_998, false), ("2001", 1_999, true)] {
        let mut play =
            Play::of_two_in_touch(cases, &format!("gap-in-a-closed-chain-{id}"), comment);
        play.seal("alice", "bob", "a0");
        play.reads("bob", "a0");
        play.seal("alice", "bob", "a1");
        play.lose("alice", "bob", count);
        play.seal("alice", "bob", "last");
        play.seal("bob", "alice", "b0");
        play.reads("alice", "b0");
        play.seal("alice", "bob", "next");
        match dropped {
            true => {
                play.reads_with("bob", "next", &["gap_dropped"], false);
                play.holds("bob", "alice", (1, 2, 0));
                play.open_fails("bob", "a1", "Duplicate");
                play.open_fails("bob", "last", "Duplicate");
            }
            false => {
                play.reads("bob", "next");
                play.holds("bob", "alice", (1, 2, 2_000));
                play.reads("bob", "last");
                play.reads("bob", "a1");
            }
        }
        play.show("alice", "bob");
        play.end_with_digests();
    }
}

fn chain_exhausted(cases: &mut Cases) {
    let comment = "The last number of a chain, 2^20 - 1; Alice's state and Bob's are set there. Then a new chain.";
    let mut play = Play::of_two_in_touch(cases, "chain-exhausted", comment);
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    let last = (1 << 20) - 1;
    play.change("alice", "bob", |ratchet| {
        if let Turn::Theirs {
            sending: Some(chain),
            ..
        } = &mut ratchet.turn
        {
            chain.ns = last;
        }
    });
    play.change("bob", "alice", |ratchet| {
        if let Some(chain) = &mut ratchet.receiving {
            chain.nr = last;
        }
    });
    play.seal("alice", "bob", "last");
    play.seal_fails("alice", "bob", "ChainExhausted");
    play.reads("bob", "last");
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.seal("alice", "bob", "next");
    play.reads("bob", "next");
    play.show("alice", "bob");
    play.end();
}

fn stored_keys(cases: &mut Cases) {
    let comment =
        "1,500 keys in a closed chain and 1,500 in the next one: 2,000 are kept, the oldest go.";
    let mut play = Play::of_two_in_touch(cases, "limit-of-stored-keys", comment);
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    play.lose("alice", "bob", 999);
    play.seal("alice", "bob", "gone");
    play.seal("alice", "bob", "kept");
    play.lose("alice", "bob", 499);
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.seal("alice", "bob", "a1");
    play.lose("alice", "bob", 1_499);
    play.seal("alice", "bob", "a2");
    play.reads("bob", "a2");
    play.holds("bob", "alice", (1, 2, 2_000));
    play.open_fails("bob", "gone", "Duplicate");
    play.reads("bob", "kept");
    play.reads("bob", "a1");
    play.show("alice", "bob");
    play.end_with_digests();
}

fn closed_chains(cases: &mut Cases) {
    let comment = "19 chains, of nearly each of which a message is missing: 16 closed ones are kept. Those without keys \
                   leave first, though they are not the oldest, then the oldest.";
    let mut play = Play::of_two_in_touch(cases, "limit-of-closed-chains", comment);
    let round = |play: &mut Play<'_>, round: usize| {
        if round != 5 {
            play.seal("alice", "bob", &format!("missing{round}"));
        }
        if round == 0 {
            play.seal("alice", "bob", "late0");
        }
        play.seal("alice", "bob", &format!("a{round}"));
        play.reads("bob", &format!("a{round}"));
        play.seal("bob", "alice", &format!("b{round}"));
        play.reads("alice", &format!("b{round}"));
    };
    for index in 0..18 {
        round(&mut play, index);
    }
    play.holds("bob", "alice", (1, 16, 18));
    // The first chain of all and the fifth, which had no keys, are gone.
    play.open_fails("bob", "hello", "NoSession");
    play.open_fails("bob", "a5", "NoSession");
    play.reads("bob", "late0");
    round(&mut play, 18);
    play.holds("bob", "alice", (1, 16, 17));
    play.open_fails("bob", "missing0", "NoSession");
    for index in (1..19).filter(|index| *index != 5) {
        play.reads("bob", &format!("missing{index}"));
    }
    play.holds("bob", "alice", (1, 3, 0));
    play.show("alice", "bob");
    play.end_with_digests();
}

fn five_states(cases: &mut Cases) {
    let comment = "Alice begins anew five times: four states are kept, the lowest goes.";
    let mut play = Play::of_two(cases, "five-states", comment);
    for index in 0..5 {
        let (bundle, first, second) = (
            format!("bundle {index}"),
            format!("a{index}"),
            format!("more{index}"),
        );
        play.bundle("bob", &bundle);
        play.wait(1);
        play.begin("alice", &bundle);
        play.seal("alice", "bob", &first);
        play.seal("alice", "bob", &second);
        play.takes("bob", &first);
    }
    play.holds("alice", "bob", (4, 0, 0));
    play.holds("bob", "alice", (4, 0, 0));
    play.open_fails("bob", "more0", "PrekeyGone");
    for index in 1..4 {
        play.reads_with("bob", &format!("more{index}"), &["old_state"], false);
    }
    play.reads("bob", "more4");
    play.show("alice", "bob");
    play.end_with_digests();
}

fn lowest_arrives_last(cases: &mut Cases) {
    let comment =
        "The fifth state is the lowest of the five: its text is delivered, the state is not kept.";
    let mut play = Play::of_two(cases, "lowest-state-arrives-last", comment);
    for index in 0..5 {
        let (bundle, first) = (format!("bundle {index}"), format!("a{index}"));
        play.bundle("bob", &bundle);
        play.wait(1);
        play.begin("alice", &bundle);
        play.seal("alice", "bob", &first);
        if index == 0 {
            play.seal("alice", "bob", "more0");
        }
    }
    play.takes("bob", "a1");
    for index in 2..5 {
        play.takes("bob", &format!("a{index}"));
    }
    play.stages("bob", "a0");
    play.accepts_with("bob", "a0", &["old_state"]);
    play.holds("bob", "alice", (4, 0, 0));
    play.open_fails("bob", "more0", "PrekeyGone");
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.show("alice", "bob");
    play.end_with_digests();
}

//! The ordinary course: exchange, order, loss, repetition.

use super::play::Play;
use crate::generate::Cases;
use crate::model::agreement::PREFIX;

pub(super) fn cases(cases: &mut Cases) {
    exchange(cases);
    last_resort_exchange(cases);
    first_out_of_order(cases);
    first_after_answer(cases);
    reorder(cases);
    duplicates(cases);
    several(cases);
}

fn exchange(cases: &mut Cases) {
    let comment = "Alice begins with a one-time bundle; messages both ways, each read at once; both restart in between.";
    let mut play = Play::of_two(cases, "exchange", comment);
    play.bundle("bob", "bundle");
    play.seal_fails("alice", "bob", "NoSession");
    play.begin("alice", "bundle");
    play.seal("alice", "bob", "a0");
    play.is_first("a0", true);
    play.restart("alice");
    play.stages("bob", "a0");
    play.accepts("bob", "a0");
    play.show_prekeys("bob");
    play.seal("alice", "bob", "a1");
    play.is_first("a1", true);
    play.reads("bob", "a1");
    play.restart("bob");
    play.wait(1_000);
    play.seal("bob", "alice", "b0");
    play.is_first("b0", false);
    play.seal("bob", "alice", "b1");
    play.reads("alice", "b0");
    play.reads("alice", "b1");
    play.restart("alice");
    play.seal("alice", "bob", "a2");
    play.is_first("a2", false);
    play.reads("bob", "a2");
    for round in 0..4 {
        let (question, answer) = (format!("question{round}"), format!("answer{round}"));
        play.seal("alice", "bob", &question);
        play.reads("bob", &question);
        play.seal("bob", "alice", &answer);
        play.reads("alice", &answer);
    }
    play.same_state("alice", "bob");
    play.holds("alice", "bob", (1, 3, 0));
    play.show("alice", "bob");
    play.end();
}

fn last_resort_exchange(cases: &mut Cases) {
    let comment = "The same from the last-resort bundle: a record is kept, and the prekeys stay.";
    let mut play = Play::of_two(cases, "exchange-last-resort", comment);
    play.last_resort("bob", "bundle");
    play.begin("alice", "bundle");
    play.seal("alice", "bob", "hello");
    play.takes("bob", "hello");
    play.show_prekeys("bob");
    play.seal("bob", "alice", "hi");
    play.reads("alice", "hi");
    play.show("alice", "bob");
    play.end();
}

fn first_out_of_order(cases: &mut Cases) {
    let comment = "Five first messages; the fourth arrives first and completes the agreement.";
    let mut play = Play::of_two(cases, "first-messages-out-of-order", comment);
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    for name in ["a0", "a1", "a2", "a3", "a4"] {
        play.seal("alice", "bob", name);
        play.is_first(name, true);
    }
    play.takes("bob", "a3");
    play.holds("bob", "alice", (1, 0, 3));
    for name in ["a1", "a0", "a4"] {
        play.reads("bob", name);
    }
    play.restart("bob");
    play.reads("bob", "a2");
    play.holds("bob", "alice", (1, 0, 0));
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.show("alice", "bob");
    play.end();
}

fn first_after_answer(cases: &mut Cases) {
    let comment = "First messages that arrive after the answer, and after Alice's next chain: they are found by EK, and \
                   opened in the present and in the closed chain.";
    let mut play = Play::of_two(cases, "first-messages-late", comment);
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    for name in ["a0", "a1", "a2", "a3"] {
        play.seal("alice", "bob", name);
    }
    play.takes("bob", "a0");
    play.seal("bob", "alice", "b0");
    play.reads("bob", "a2");
    play.reads("alice", "b0");
    play.seal("alice", "bob", "a4");
    play.is_first("a4", false);
    play.reads("bob", "a4");
    play.holds("bob", "alice", (1, 1, 2));
    play.reads("bob", "a3");
    play.reads("bob", "a1");
    play.open_fails("bob", "a1", "Duplicate");
    play.open_fails("bob", "a0", "Duplicate");
    play.show("alice", "bob");
    play.end();
}

fn reorder(cases: &mut Cases) {
    let comment = "Loss and reordering over several chains: keys are stored in the present chain, then in closed chains; \
                   both devices restart in between.";
    let mut play = Play::of_two_in_touch(cases, "loss-and-reordering", comment);
    for name in ["a0", "a1", "a2", "a3", "a4"] {
        play.seal("alice", "bob", name);
    }
    play.reads("bob", "a2");
    play.holds("bob", "alice", (1, 1, 2));
    for name in ["b0", "b1", "b2"] {
        play.seal("bob", "alice", name);
    }
    play.reads("alice", "b1");
    play.holds("alice", "bob", (1, 1, 1));
    for name in ["a5", "a6", "a7"] {
        play.seal("alice", "bob", name);
    }
    play.reads("bob", "a6");
    play.holds("bob", "alice", (1, 2, 5));
    play.restart("alice");
    play.restart("bob");
    play.seal("bob", "alice", "b3");
    play.reads("alice", "b3");
    play.seal("alice", "bob", "a8");
    play.reads("bob", "a8");
    play.holds("bob", "alice", (1, 3, 6));
    for name in ["a0", "a7", "a4", "a3"] {
        play.reads("bob", name);
    }
    for name in ["b2", "b0"] {
        play.reads("alice", name);
    }
    play.holds("bob", "alice", (1, 3, 2));
    play.show("alice", "bob");
    play.reads("bob", "a1");
    play.reads("bob", "a5");
    play.show("alice", "bob");
    play.end();
}

fn duplicates(cases: &mut Cases) {
    let comment = "Every message again: in the present chain, behind the window, from stored keys, in closed chains, \
                   and in a chain that is no longer kept. Altered copies.";
    let mut play = Play::of_two(cases, "duplicates", comment);
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    play.seal("alice", "bob", "a0");
    play.seal("alice", "bob", "a1");
    play.takes("bob", "a0");
    play.open_fails("bob", "a0", "Duplicate");
    play.reads("bob", "a1");
    play.open_fails("bob", "a1", "Duplicate");
    for (at, name, error) in [
        (17, "ek", "Malformed"),
        (49, "ct", "Malformed"),
        (1_300, "encid", "Malformed"),
        (PREFIX, "tag", "NoSession"),
        (PREFIX + 8, "salt", "Malformed"),
        (PREFIX + 24, "header", "Malformed"),
        (PREFIX + 84, "body", "Malformed"),
    ] {
        let altered = format!("a1 with another {name}");
        play.alter("a1", at, &altered);
        // Another EK is another agreement, whose one-time keys are gone.
        let error = if name == "ek" { "PrekeyGone" } else { error };
        play.open_fails("bob", &altered, error);
    }
    play.seal("bob", "alice", "b0");
    play.seal("bob", "alice", "b1");
    play.reads("alice", "b1");
    play.open_fails("alice", "b1", "Duplicate");
    play.reads("alice", "b0");
    play.open_fails("alice", "b0", "Duplicate");
    for index in 2..40 {
        let name = format!("b{index}");
        play.seal("bob", "alice", &name);
        play.reads("alice", &name);
    }
    for name in ["b0", "b7", "b8", "b39"] {
        play.open_fails("alice", name, "Duplicate");
    }
    play.seal("alice", "bob", "a2");
    play.reads("bob", "a2");
    play.open_fails("bob", "a0", "Duplicate");
    for round in 0..4 {
        let (answer, question) = (format!("answer{round}"), format!("question{round}"));
        play.seal("bob", "alice", &answer);
        play.reads("alice", &answer);
        play.open_fails("alice", &answer, "Duplicate");
        play.seal("alice", "bob", &question);
        play.reads("bob", &question);
    }
    // Three closed chains without keys are kept: the older ones are nobody's any more.
    for name in ["answer3", "answer2", "answer1", "answer0"] {
        play.open_fails("alice", name, "Duplicate");
    }
    play.open_fails("alice", "b0", "NoSession");
    play.open_fails("bob", "a2", "NoSession");
    play.open_fails("bob", "a0", "NoSession");
    for (at, name, error) in [
        (0, "version", "UnknownVersion"),
        (2, "tag", "NoSession"),
        (10, "salt", "Malformed"),
        (26, "header", "Malformed"),
        (86, "body", "Malformed"),
    ] {
        let altered = format!("answer3 with another {name}");
        play.alter("answer3", at, &altered);
        play.open_fails("alice", &altered, error);
    }
    play.inject(&[1, 3, 0], "unknown kind");
    play.open_fails("alice", "unknown kind", "UnknownKind");
    play.seal("bob", "alice", "end");
    play.reads("alice", "end");
    play.show("alice", "bob");
    play.end_with_digests();
}

fn several(cases: &mut Cases) {
    let comment = "A device with two conversations: each message finds its own. What is for another device is nobody's.";
    let mut play = Play::of_two(cases, "two-conversations", comment);
    play.device("carol");
    play.rotate("carol");
    play.bundle("bob", "for alice");
    play.bundle("bob", "for carol");
    play.begin("alice", "for alice");
    play.begin("carol", "for carol");
    play.seal("alice", "bob", "a0");
    play.seal("carol", "bob", "c0");
    play.takes("bob", "c0");
    play.takes("bob", "a0");
    play.seal("bob", "alice", "to-alice");
    play.seal("bob", "carol", "to-carol");
    play.open_fails("alice", "to-carol", "NoSession");
    play.open_fails("carol", "to-alice", "NoSession");
    play.open_fails("carol", "a0", "PrekeyGone");
    play.open_fails("bob", "to-alice", "NoSession");
    play.reads("alice", "to-alice");
    play.reads("carol", "to-carol");
    play.seal("alice", "bob", "a1");
    play.seal("carol", "bob", "c1");
    play.reads("bob", "a1");
    play.reads("bob", "c1");
    play.end();
}

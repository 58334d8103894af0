//! One side set back, or there twice.

use super::play::Play;
use crate::generate::Cases;

pub(super) fn cases(cases: &mut Cases) {
    set_back_in_a_chain(cases);
    window(cases);
    set_back_a_turn(cases);
    counts_fewer(cases);
    clones_begin(cases);
    receiver_set_back(cases);
}

fn set_back_in_a_chain(cases: &mut Cases) {
    let comment = "Alice is restored from a backup and seals the same numbers once more: with another salt the window tells, \
                   with the same it is the same message. Behind the window, and for what was not read, nothing tells.";
    let mut play = Play::of_two_in_touch(cases, "fork-same-number", comment);
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    play.save("alice", "backup");
    play.seal("alice", "bob", "a1");
    play.seal_as("alice", "bob", "a2", "a2", &"07".repeat(32));
    play.seal("alice", "bob", "a3");
    play.reads("bob", "a1");
    play.reads("bob", "a2");
    play.restore("alice", "backup");
    play.seal("alice", "bob", "a1-again");
    play.seal_as("alice", "bob", "a2", "a2 again", &"07".repeat(32));
    play.seal("alice", "bob", "a3-again");
    play.open_fails("bob", "a1-again", "Forked");
    // State and r32 repeated: the same message, byte for byte.
    play.open_fails("bob", "a2 again", "Duplicate");
    play.reads("bob", "a3-again");
    play.open_fails("bob", "a3", "Forked");
    for index in 4..37 {
        let name = format!("a{index}");
        play.seal("alice", "bob", &name);
        play.reads("bob", &name);
    }
    play.open_fails("bob", "a3", "Duplicate");
    play.show("alice", "bob");
    play.end_with_digests();
}

fn window(cases: &mut Cases) {
    let comment = "The window ends 32 numbers behind Nr: a message read there by its stored key is remembered, one \
                   before it is not, nor is it mistaken for the one whose slot it would share.";
    let mut play = Play::of_two_in_touch(cases, "fork-at-the-windows-end", comment);
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    play.save("alice", "backup");
    play.device_with("clone", "alice", "alice");
    play.restore("clone", "backup");
    for name in ["a1", "a2", "a3"] {
        play.seal("alice", "bob", name);
    }
    for name in ["c1", "c2", "c3"] {
        play.seal("clone", "bob", name);
    }
    play.lose("alice", "bob", 29);
    play.seal("alice", "bob", "a33");
    play.reads("bob", "a33");
    for name in ["a1", "a2", "a3"] {
        play.reads("bob", name);
    }
    play.open_fails("bob", "c1", "Duplicate");
    play.open_fails("bob", "c2", "Forked");
    play.open_fails("bob", "c3", "Forked");
    play.seal("alice", "bob", "a34");
    play.reads("bob", "a34");
    play.open_fails("bob", "c2", "Duplicate");
    play.open_fails("bob", "c3", "Forked");
    play.show("alice", "bob");
    play.end_with_digests();
}

fn set_back_a_turn(cases: &mut Cases) {
    let comment = "Alice is restored to a time before her last chain: Bob's answer is to a key that she has not made, so \
                   she learns that she is the copy.";
    let mut play = Play::of_two_in_touch(cases, "fork-answer-to-unknown-key", comment);
    play.save("alice", "backup");
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    play.seal("bob", "alice", "b0");
    play.restore("alice", "backup");
    play.open_fails("alice", "b0", "Forked");
    // She begins the chain anew, with another key: Bob has seen the first one.
    play.seal("alice", "bob", "a0-again");
    play.open_fails("bob", "a0-again", "Forked");
    // Its header opens, its body does not: the answer is to the key of before.
    play.open_fails("alice", "b0", "Forked");
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    play.seal("alice", "bob", "a1");
    play.takes("bob", "a1");
    play.show("alice", "bob");
    play.end();
}

fn counts_fewer(cases: &mut Cases) {
    let comment = "Alice is set back within a chain, and her next chain counts fewer messages than Bob has read: PN < Nr. \
                   The message is delivered with the event forked, and the advice to begin anew.";
    let mut play = Play::of_two_in_touch(cases, "fork-pn-below-nr", comment);
    play.seal("alice", "bob", "a0");
    play.save("alice", "backup");
    play.seal("alice", "bob", "a1");
    play.seal("alice", "bob", "a2");
    play.reads("bob", "a0");
    play.reads("bob", "a2");
    play.seal("bob", "alice", "b0");
    play.restore("alice", "backup");
    play.reads("alice", "b0");
    play.seal("alice", "bob", "a3");
    play.reads_with("bob", "a3", &["forked"], true);
    play.holds("bob", "alice", (1, 2, 1));
    play.reads("bob", "a1");
    play.seal("bob", "alice", "b1");
    play.reads("alice", "b1");
    play.show("alice", "bob");
    play.end();
}

fn clones_begin(cases: &mut Cases) {
    let comment = "Two copies of Alice begin a chain under one header key with two ratchet keys: whichever is read first \
                   counts, in the present chain and when it is closed.";
    let mut play = Play::of_two_in_touch(cases, "fork-two-ratchet-keys", comment);
    play.save("alice", "backup");
    play.device_with("clone", "alice", "alice");
    play.restore("clone", "backup");
    play.seal("alice", "bob", "a0");
    play.seal("clone", "bob", "c0");
    play.seal("clone", "bob", "c1");
    play.reads("bob", "a0");
    play.open_fails("bob", "c0", "Forked");
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.open_fails("clone", "b0", "Forked");
    play.seal("alice", "bob", "a1");
    play.reads("bob", "a1");
    play.open_fails("bob", "c1", "Forked");
    play.show("alice", "bob");
    play.end();
}

fn receiver_set_back(cases: &mut Cases) {
    let comment = "Bob is restored from a backup: what he has read since is read once more, and what he answered then is \
                   answered with another key.";
    let mut play = Play::of_two_in_touch(cases, "fork-receiver-set-back", comment);
    play.seal("alice", "bob", "a0");
    play.seal("alice", "bob", "a1");
    play.save("bob", "backup");
    play.reads("bob", "a0");
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.seal("alice", "bob", "a2");
    play.restore("bob", "backup");
    play.reads("bob", "a0");
    play.reads("bob", "a1");
    // Alice's new chain answers to a key that this Bob has not made.
    play.open_fails("bob", "a2", "Forked");
    play.seal("bob", "alice", "b0-again");
    play.open_fails("alice", "b0-again", "Forked");
    play.show("alice", "bob");
    play.end();
}

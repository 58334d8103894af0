//! What only a holder of the keys can send: authentic, and refused without a trace.

use super::play::Play;
use crate::generate::Cases;
use crate::model::formula::{self, Bytes32};
use crate::model::stored::{Ratchet, Turn};
use crate::sections::crypto::edge;

pub(super) fn cases(cases: &mut Cases) {
    present_chain(cases);
    next_chain(cases);
    closed_chain(cases);
    bodies(cases);
    first(cases);
}

fn own_key(ratchet: Option<&Ratchet>) -> Bytes32 {
    match ratchet.map(|ratchet| &ratchet.turn) {
        Some(Turn::Theirs { public, .. }) => *public,
        _ => [0; 32],
    }
}

fn present_chain(cases: &mut Cases) {
    let comment = "Headers under HKr that no honest sender makes. None changes anything: the next honest message is read.";
    let mut play = Play::of_two_in_touch(cases, "hostile-present-chain", comment);
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    let dhs = own_key(play.ratchet("alice", "bob").as_ref());
    let other = formula::public(&play.secret("other ratchet key"));
    for (name, dhs, n, pn, error) in [
        ("not-canonical", edge::p_plus(1), 1, 0, "Malformed"),
        ("high-bit", edge::with_high_bit(dhs), 1, 0, "Malformed"),
        ("other-key", other, 1, 0, "Forked"),
        ("small-order", edge::small(1), 1, 0, "Forked"),
        ("number-2-20", dhs, 1 << 20, 0, "ChainExhausted"),
        ("number-max", dhs, u32::MAX, 0, "ChainExhausted"),
        ("gap-2001", dhs, 2_002, 0, "GapTooLarge"),
        ("number-before-2-20", dhs, (1 << 20) - 1, 0, "GapTooLarge"),
        // The body's key is that of number 1.
        ("gap-2000-other-body", dhs, 2_001, 0, "Forked"),
        ("used-number", dhs, 0, 0, "Forked"),
    ] {
        play.forge("alice", "bob", name, |message| {
            message.hp = formula::header_plaintext(&dhs, n, pn, 0);
        });
        play.open_fails("bob", name, error);
    }
    for (name, pn) in [("pn-2-20-plus-1", (1 << 20) + 1), ("pn-max", u32::MAX)] {
        play.forge("alice", "bob", name, |message| {
            message.hp = formula::header_plaintext(&dhs, 1, pn, 0);
        });
        play.open_fails("bob", name, "Malformed");
    }
    play.forge("alice", "bob", "pn-2-20", |message| {
        message.hp = formula::header_plaintext(&dhs, 1, 1 << 20, 0);
    });
    // Within its bound PN is looked at in a new chain only.
    play.reads("bob", "pn-2-20");
    play.seal("alice", "bob", "a1");
    play.open_fails("bob", "a1", "Forked");
    play.seal("alice", "bob", "a2");
    play.reads("bob", "a2");
    play.show("alice", "bob");
    play.end();
}

fn next_chain(cases: &mut Cases) {
    let comment = "Headers under NHKr that no honest sender makes, while the turn is Alice's; then under the next one, \
                   while it is Bob's. None changes anything.";
    let mut play = Play::of_two_in_touch(cases, "hostile-next-chain", comment);
    let before = play.ratchet("bob", "alice");
    let hk = before
        .as_ref()
        .map(|ratchet| ratchet.nhkr)
        .unwrap_or_default();
    let dhr = before
        .as_ref()
        .map(|ratchet| ratchet.dhr)
        .unwrap_or_default();
    let own = own_key(before.as_ref());
    play.seal("alice", "bob", "a0");
    let dhs = own_key(play.ratchet("alice", "bob").as_ref());
    let other = formula::public(&play.secret("other ratchet key"));
    for (name, dhs, n, error) in [
        ("not-canonical", edge::p_plus(18), 0, "Malformed"),
        ("peers-last-key", dhr, 0, "Malformed"),
        ("our-own-key", own, 0, "Malformed"),
        ("small-order-0", edge::small(0), 0, "Malformed"),
        ("small-order-1", edge::small(1), 0, "Malformed"),
        ("small-order-p-minus-1", edge::p_minus(1), 0, "Malformed"),
        ("number-2-20", dhs, 1 << 20, "ChainExhausted"),
        ("gap-2001", dhs, 2_001, "GapTooLarge"),
        ("gap-2000-other-body", dhs, 2_000, "Forked"),
        ("other-key", other, 0, "Forked"),
    ] {
        play.forge("alice", "bob", name, |message| {
            message.hk = hk;
            message.hp = formula::header_plaintext(&dhs, n, 0, 0);
        });
        play.open_fails("bob", name, error);
    }
    play.restart("bob");
    play.reads("bob", "a0");
    // Bob's turn now: whatever answers, answers to a key that he has not made.
    let hk = play
        .ratchet("bob", "alice")
        .map(|ratchet| ratchet.nhkr)
        .unwrap_or_default();
    for (name, dhs) in [
        ("too-early", other),
        ("too-early-small-order", edge::small(1)),
        ("too-early-own-key", own),
    ] {
        play.forge("alice", "bob", name, |message| {
            message.hk = hk;
            message.hp = formula::header_plaintext(&dhs, 0, 0, 0);
        });
        play.open_fails("bob", name, "Forked");
    }
    play.seal("alice", "bob", "a1");
    play.reads("bob", "a1");
    play.end();
}

fn closed_chain(cases: &mut Cases) {
    let comment =
        "Headers under the key of a closed chain: it takes its stored keys and nothing else.";
    let mut play = Play::of_two_in_touch(cases, "hostile-closed-chain", comment);
    for name in ["a0", "a1", "a2"] {
        play.seal("alice", "bob", name);
    }
    play.reads("bob", "a0");
    play.save("alice", "in-the-chain");
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.seal("alice", "bob", "a3");
    play.reads("bob", "a3");
    play.device_with("clone", "alice", "alice");
    play.restore("clone", "in-the-chain");
    let dhs = own_key(play.ratchet("clone", "bob").as_ref());
    let other = formula::public(&play.secret("other ratchet key"));
    for (name, dhs, n, error) in [
        ("not-canonical", edge::p_plus(0), 1, "Malformed"),
        ("other-key", other, 1, "Forked"),
        ("used-number", dhs, 0, "Duplicate"),
        ("number-behind-pn", dhs, 3, "Duplicate"),
        ("number-max", dhs, u32::MAX, "Duplicate"),
        ("stored-number-other-body", dhs, 1, "Forked"),
    ] {
        play.forge("clone", "bob", name, |message| {
            message.hp = formula::header_plaintext(&dhs, n, 0, 0);
        });
        play.open_fails("bob", name, error);
    }
    play.reads("bob", "a1");
    play.open_fails("bob", "a1", "Duplicate");
    play.reads("bob", "a2");
    play.end();
}

fn bodies(cases: &mut Cases) {
    let comment = "Authentic bodies that hold no text: the number is not used up.";
    let mut play = Play::of_two_in_touch(cases, "hostile-bodies", comment);
    let body = |content: &[u8]| {
        let mut body = content.to_vec();
        body.resize(192, 0);
        body
    };
    let mut padded = body(b"\x01a");
    for byte in padded.iter_mut().rev().take(1) {
        *byte = 1;
    }
    let contents = [
        ("padding", padded),
        ("long-form", body(b"\x40\x01a")),
        ("too-long", body(b"\x40\xbf")),
        ("reserved", body(b"\xc0")),
    ];
    let forged = |play: &mut Play<'_>, place: &str| {
        for (name, bp) in &contents {
            let name = format!("{place}-{name}");
            play.forge("alice", "bob", &name, |message| message.bp.clone_from(bp));
        }
    };
    let refused = |play: &mut Play<'_>, place: &str| {
        for (name, _) in &contents {
            play.open_fails("bob", &format!("{place}-{name}"), "Malformed");
        }
    };
    play.seal("alice", "bob", "a0");
    forged(&mut play, "new-chain");
    refused(&mut play, "new-chain");
    play.reads("bob", "a0");
    forged(&mut play, "present-chain");
    refused(&mut play, "present-chain");
    play.seal("alice", "bob", "a1");
    play.reads("bob", "a1");
    forged(&mut play, "stored-key");
    play.seal("alice", "bob", "a2");
    play.seal("alice", "bob", "a3");
    play.reads("bob", "a3");
    refused(&mut play, "stored-key");
    play.restart("bob");
    play.reads("bob", "a2");
    forged(&mut play, "closed-chain");
    play.seal("alice", "bob", "a4");
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.seal("alice", "bob", "a5");
    play.reads("bob", "a5");
    refused(&mut play, "closed-chain");
    play.reads("bob", "a4");
    play.show("alice", "bob");
    play.end();
}

fn first(cases: &mut Cases) {
    let comment = "First messages with content that no sender makes: nothing is staged and nothing used up. The bounds on \
                   numbers hold here as well.";
    let mut play = Play::of_two(cases, "hostile-first", comment);
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    let prefix = play.prefix("alice", "bob");
    let dhs = own_key(play.ratchet("alice", "bob").as_ref());
    let spk = play
        .ratchet("alice", "bob")
        .map(|ratchet| ratchet.dhr)
        .unwrap_or_default();
    for (name, dhs, n, error) in [
        ("not-canonical", edge::p_plus(0), 0, "Malformed"),
        ("small-order", edge::small(1), 0, "Malformed"),
        ("spk", spk, 0, "Malformed"),
        ("other-body", dhs, 1, "Malformed"),
        ("gap-2001", dhs, 2_001, "GapTooLarge"),
        ("number-2-20", dhs, 1 << 20, "ChainExhausted"),
    ] {
        play.forge("alice", "bob", name, |message| {
            message.prefix.clone_from(&prefix);
            message.hp = formula::header_plaintext(&dhs, n, 0, 0);
        });
        play.open_fails("bob", name, error);
    }
    for (name, epoch) in [("epoch-1", 1), ("epoch-max", u32::MAX)] {
        play.forge("alice", "bob", name, |message| {
            message.prefix.clone_from(&prefix);
            message.hp = formula::header_plaintext(&dhs, 0, 0, epoch);
        });
        play.open_fails("bob", name, "Malformed");
    }
    play.forge("alice", "bob", "padding", |message| {
        message.prefix.clone_from(&prefix);
        message
            .bp
            .iter_mut()
            .rev()
            .take(1)
            .for_each(|byte| *byte = 1);
    });
    play.open_fails("bob", "padding", "Malformed");
    let other = play.secret("other header key");
    play.forge("alice", "bob", "other-tag", |message| {
        message.prefix.clone_from(&prefix);
        message.hk = other;
    });
    play.open_fails("bob", "other-tag", "Malformed");
    play.seal("alice", "bob", "a0");
    play.takes("bob", "a0");
    play.end();
}

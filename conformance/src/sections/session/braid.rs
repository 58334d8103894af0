//! The Braid in whole conversations (SPEC §10): epochs over a bad network, what breaks it, what its frames may be, and
//! the epoch in a header.

use super::long::Dice;
use super::play::Play;
use crate::generate::Cases;
use crate::model::formula;
use crate::model::stored::Turn;
use crate::sections::braid::objects::malformed_frames;

pub(super) fn cases(cases: &mut Cases) {
    at_once(cases);
    five_epochs(cases);
    one_sided(cases);
    broken(cases);
    broken_by_a_first_message(cases);
    broken_and_old(cases);
    broken_receive_only(cases);
    frames(cases);
    new_chain(cases);
    chains_of_an_epoch(cases);
}

fn at_once(cases: &mut Cases) {
    let comment =
        "Two epochs of the Braid with long texts, each read at once; both restart in each state.";
    let mut play = Play::of_two_in_touch(cases, "braid-two-epochs", comment);
    for index in 0..16 {
        let (question, answer) = (format!("question{index}"), format!("answer{index}"));
        play.seal_long("alice", "bob", &question, 300 + 40 * index);
        play.restart("alice");
        play.reads("bob", &question);
        play.restart("bob");
        play.seal_long("bob", "alice", &answer, 530);
        play.restart("bob");
        play.reads("alice", &answer);
        play.restart("alice");
    }
    play.both_in_epoch("alice", "bob", 3);
    play.show("alice", "bob");
    play.end_with_digests();
}

/// Messages on their way, and those that arrived.
struct Network<'a> {
    dice: Dice,
    under_way: Vec<(&'a str, String)>,
    arrived: Vec<(&'a str, String)>,
}

fn five_epochs(cases: &mut Cases) {
    let comment = "A whole conversation of five epochs over a network that loses, delays, reorders and repeats messages; \
                   texts of all lengths; both restart now and then.";
    let mut play = Play::of_two_in_touch(cases, "braid-five-epochs", comment);
    let mut network = Network {
        dice: Dice::new(play.secret("dice")),
        under_way: Vec::new(),
        arrived: Vec::new(),
    };
    let mut index = 0;
    while play.epoch("alice", "bob").min(play.epoch("bob", "alice")) < 6 && index < 900 {
        step(&mut play, &mut network, index);
        index += 1;
    }
    for (to, name) in network.under_way {
        play.arrives(to, &name);
    }
    play.seal("alice", "bob", "end");
    play.reads("bob", "end");
    play.seal("bob", "alice", "the-end");
    play.reads("alice", "the-end");
    if play.epoch("alice", "bob").min(play.epoch("bob", "alice")) < 6 {
        play.both_in_epoch("alice", "bob", 6);
    }
    play.show("alice", "bob");
    play.end_with_digests();
}

fn step(play: &mut Play<'_>, network: &mut Network<'_>, index: u32) {
    let dice = &mut network.dice;
    let lengths = [0usize, 7, 40, 120, 172, 180, 300, 490, 530, 1_000, 1_090];
    let (from, to) = match dice.below(2) {
        0 => ("alice", "bob"),
        _ => ("bob", "alice"),
    };
    let name = format!("m{index}");
    let length = lengths.get(dice.index(lengths.len()));
    play.seal_long(from, to, &name, length.copied().unwrap_or_default());
    // One in ten is lost.
    if dice.below(10) != 0 {
        network.under_way.push((to, name));
    }
    while network.under_way.len() > 6 || (dice.below(3) != 0 && !network.under_way.is_empty()) {
        let (to, name) = network
            .under_way
            .swap_remove(dice.index(network.under_way.len()));
        play.arrives(to, &name);
        network.arrived.push((to, name));
    }
    if dice.below(12) == 0
        && let Some((to, name)) = network.arrived.get(dice.index(network.arrived.len()))
    {
        play.repeats(to, name);
    }
    if dice.below(20) == 0 {
        play.restart(if dice.below(2) == 0 { "alice" } else { "bob" });
    }
}

fn one_sided(cases: &mut Cases) {
    let comment = "Bob answers seldom and in short words: what Alice has to send waits in her chain, which carries an \
                   object up to three times, and goes on in the next one.";
    let mut play = Play::of_two_in_touch(cases, "braid-one-sided", comment);
    for round in 0..4 {
        for index in 0..10 {
            let name = format!("a{round}-{index}");
            play.seal_long("alice", "bob", &name, 500);
            if index % 3 != 0 {
                play.reads("bob", &name);
            }
        }
        let name = format!("b{round}");
        play.seal("bob", "alice", &name);
        play.reads("alice", &name);
    }
    play.show("alice", "bob");
    play.end_with_digests();
}

/// The run of one symbol of ek that Bob holds, with another value.
const OTHER_SYMBOL: [u8; 20] = {
    let mut frame = [0xee; 20];
    let (front, _) = frame.split_at_mut(4);
    front.copy_from_slice(&[0x40, 0, 0, 1]);
    frame
};

/// Alice's next message with a frame that contradicts what she sent before; then hers is lost.
fn contradicts(play: &mut Play<'_>, device: &str, name: &str) {
    play.forge(device, "bob", name, |message| {
        message.bp = formula::body_plaintext(name.as_bytes(), &OTHER_SYMBOL, 192);
    });
    play.lose(device, "bob", 1);
}

fn broken(cases: &mut Cases) {
    let comment = "A symbol with two values: Bob's Braid breaks, with the event pq_broken and the advice to begin anew. \
                   Texts go on, over restarts as well, until Alice begins anew.";
    let mut play = Play::of_two_in_touch(cases, "braid-broken", comment);
    play.converse_until("alice", "bob", 2);
    play.converse_until("alice", "bob", 3);
    play.seal("alice", "bob", "hdr");
    play.reads("bob", "hdr");
    play.seal("bob", "alice", "ct1");
    play.reads("alice", "ct1");
    play.seal("alice", "bob", "ek");
    play.reads("bob", "ek");
    contradicts(&mut play, "alice", "other");
    play.reads_with("bob", "other", &["pq_broken"], true);
    for round in 0..3 {
        let (question, answer) = (format!("question{round}"), format!("answer{round}"));
        play.restart("bob");
        play.seal_long("bob", "alice", &answer, 530);
        play.reads("alice", &answer);
        play.seal_long("alice", "bob", &question, 530);
        // No event any more.
        play.reads("bob", &question);
    }
    if play
        .braid("bob", "alice")
        .is_none_or(|braid| braid.live.is_some())
    {
        play.both_in_epoch("bob", "alice", 0);
    }
    play.show("alice", "bob");
    play.bundle("bob", "anew");
    play.wait(1);
    play.begin("alice", "anew");
    play.seal("alice", "bob", "new");
    play.takes("bob", "new");
    play.converse_until("alice", "bob", 2);
    play.show("alice", "bob");
    play.end_with_digests();
}

fn broken_by_a_first_message(cases: &mut Cases) {
    let comment = "A first message with an hdr whose MAC does not fit: its text is given out with the event pq_broken.";
    let mut play = Play::of_two(cases, "braid-broken-by-a-first-message", comment);
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    play.seal("alice", "bob", "lost");
    let prefix = play.prefix("alice", "bob");
    let frame = [&[0x20, 0, 0, 6][..], &[0x5a; 96]].concat();
    play.forge("alice", "bob", "first", |message| {
        message.prefix.clone_from(&prefix);
        message.bp = formula::body_plaintext(b"first", &frame, 192);
    });
    play.lose("alice", "bob", 1);
    play.stages("bob", "first");
    play.accepts_with("bob", "first", &["pq_broken"]);
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    play.show("alice", "bob");
    play.end();
}

fn broken_and_old(cases: &mut Cases) {
    let comment = "The same where the new state is receive-only at once, since a newer one is there: both events.";
    let mut play = Play::of_two(cases, "braid-broken-in-an-old-state", comment);
    play.bundle("bob", "bundle");
    play.bundle("bob", "anew");
    play.begin("alice", "bundle");
    let prefix = play.prefix("alice", "bob");
    let frame = [&[0x20, 0, 0, 6][..], &[0x5a; 96]].concat();
    play.forge("alice", "bob", "first", |message| {
        message.prefix.clone_from(&prefix);
        message.bp = formula::body_plaintext(b"first", &frame, 192);
    });
    play.wait(1);
    play.begin("alice", "anew");
    play.seal("alice", "bob", "new");
    play.takes("bob", "new");
    play.stages("bob", "first");
    play.accepts_with("bob", "first", &["pq_broken", "old_state"]);
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.show("alice", "bob");
    play.end();
}

fn broken_receive_only(cases: &mut Cases) {
    let comment = "The same contradiction in a receive-only state, which has no Braid any more: nothing breaks. A frame \
                   that is none is refused there as well.";
    let mut play = Play::of_two_in_touch(cases, "braid-receive-only", comment);
    play.seal("alice", "bob", "ek");
    play.reads("bob", "ek");
    play.save("alice", "before");
    play.device_with("clone", "alice", "alice");
    play.restore("clone", "before");
    play.bundle("bob", "anew");
    play.wait(1);
    play.begin("alice", "anew");
    play.seal("alice", "bob", "new");
    play.takes("bob", "new");
    play.forge("clone", "bob", "no-frame", |message| {
        message.bp = formula::body_plaintext(b"no-frame", &[0xa0], 192);
    });
    play.open_fails("bob", "no-frame", "Malformed");
    contradicts(&mut play, "clone", "other");
    play.reads_with("bob", "other", &["old_state"], false);
    play.seal_long("clone", "bob", "old", 530);
    play.reads_with("bob", "old", &["old_state"], false);
    play.show("alice", "bob");
    play.end();
}

fn frames(cases: &mut Cases) {
    let comment = "Frames that no sender makes, in messages that are otherwise genuine: refused, and the number is not \
                   used up. What is wrong with a frame that is one never costs the text.";
    let mut play = Play::of_two_in_touch(cases, "braid-malformed-frames", comment);
    play.seal("alice", "bob", "a0");
    for (id, _, frame) in malformed_frames() {
        play.forge("alice", "bob", id, |message| {
            message.bp = formula::body_plaintext(id.as_bytes(), &frame, 4_352);
        });
    }
    play.reads("bob", "a0");
    for (id, _, _) in malformed_frames() {
        play.open_fails("bob", id, "Malformed");
    }
    // Symbols of ct2 that nobody waits for, in an epoch that is not there yet; then Bob's Braid is broken already.
    let too_early = [&[0x98, 0, 9, 1][..], &[3; 16]].concat();
    for (name, frame, broken) in [("too-early", too_early, true), ("flags", vec![0x18], false)] {
        play.forge("alice", "bob", name, |message| {
            message.bp = formula::body_plaintext(name.as_bytes(), &frame, 192);
        });
        play.lose("alice", "bob", 1);
        let events: &[&str] = if broken { &["pq_broken"] } else { &[] };
        play.reads_with("bob", name, events, broken);
    }
    play.seal("alice", "bob", "a1");
    play.reads("bob", "a1");
    play.show("alice", "bob");
    play.end_with_digests();
}

fn new_chain(cases: &mut Cases) {
    let comment = "The epoch in the header of a new chain: not below that of the chain before, not above E, and the one \
                   whose PCK it is. The epoch is looked at after the ratchet key and before the number.";
    let mut play = Play::of_two_in_touch(cases, "hostile-pq-epoch-new-chain", comment);
    play.converse_until("alice", "bob", 2);
    play.converse_until("alice", "bob", 3);
    let before = play.ratchet("bob", "alice");
    let e = before
        .as_ref()
        .and_then(|ratchet| ratchet.epochs.as_ref().map(|epochs| epochs.e));
    let chain = before
        .as_ref()
        .and_then(|ratchet| ratchet.receiving.as_ref());
    let e_r = chain.map_or(0, |chain| chain.e_r);
    let (hk, dhr) = before
        .as_ref()
        .map(|ratchet| (ratchet.nhkr, ratchet.dhr))
        .unwrap_or_default();
    let e = e.unwrap_or_default();
    play.seal("alice", "bob", "a0");
    let Some((dhs, e_s)) = sending(&play, "alice") else {
        return;
    };
    let mut named = vec![
        ("below", dhs, e_r.wrapping_sub(1), 0, "Forked"),
        ("zero", dhs, 0, 0, "Forked"),
        ("above", dhs, e + 1, 0, "Forked"),
        ("greatest", dhs, u32::MAX, 0, "Forked"),
        ("above-and-number", dhs, e + 1, 1 << 20, "Forked"),
        ("above-and-gap", dhs, e + 1, 2_001, "Forked"),
        ("above-and-last-key", dhr, e + 1, 0, "Malformed"),
    ];
    for epoch in (e_r..=e).filter(|epoch| *epoch != e_s) {
        named.push(("other", dhs, epoch, 0, "Forked"));
    }
    for (name, dhs, epoch, n, error) in named {
        play.forge("alice", "bob", name, |message| {
            message.hk = hk;
            message.hp = formula::header_plaintext(&dhs, n, 0, epoch);
        });
        play.open_fails("bob", name, error);
    }
    play.reads("bob", "a0");
    play.show("alice", "bob");
    play.end_with_digests();
}

/// The ratchet key and the epoch of Alice's sending chain.
fn sending(play: &Play<'_>, device: &str) -> Option<([u8; 32], u32)> {
    match play.ratchet(device, "bob")?.turn {
        Turn::Theirs {
            public,
            sending: Some(chain),
            ..
        } => Some((public, chain.e_s)),
        _ => None,
    }
}

fn chains_of_an_epoch(cases: &mut Cases) {
    let comment =
        "The epoch in a header of the present chain, and of a closed one: it is that of the chain.";
    let mut play = Play::of_two_in_touch(cases, "hostile-pq-epoch-of-a-chain", comment);
    play.converse_until("alice", "bob", 2);
    for name in ["a0", "a1", "a2"] {
        play.seal("alice", "bob", name);
    }
    play.reads("bob", "a0");
    play.save("alice", "in-the-chain");
    play.device_with("clone", "alice", "alice");
    play.restore("clone", "in-the-chain");
    let Some((dhs, e_s)) = sending(&play, "alice") else {
        return;
    };
    let epochs = [
        ("lower", e_s.wrapping_sub(1)),
        ("higher", e_s + 1),
        ("greatest", u32::MAX),
    ];
    for (name, epoch) in epochs {
        for (what, n, error) in [
            ("next", 1, "Forked"),
            ("far", 1 << 20, "Forked"),
            ("used", 0, "Forked"),
        ] {
            let name = format!("{name}-{what}");
            play.forge("clone", "bob", &name, |message| {
                message.hp = formula::header_plaintext(&dhs, n, 0, epoch);
            });
            play.open_fails("bob", &name, error);
        }
    }
    play.seal("bob", "alice", "b0");
    play.reads("alice", "b0");
    play.seal("alice", "bob", "a3");
    play.reads("bob", "a3");
    for (name, epoch) in epochs {
        for (what, n) in [("stored", 1), ("used", 0)] {
            let name = format!("closed-{name}-{what}");
            play.forge("clone", "bob", &name, |message| {
                message.hp = formula::header_plaintext(&dhs, n, 0, epoch);
            });
            play.open_fails("bob", &name, "Forked");
        }
    }
    play.reads("bob", "a1");
    play.reads("bob", "a2");
    play.show("alice", "bob");
    play.end_with_digests();
}

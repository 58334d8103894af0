//! Beginning: both at once, anew, in vain, with other identities; first messages staged, accepted and refused.

use super::play::{HOUR, NOW, Play};
use crate::generate::Cases;
use crate::model::agreement::{Bundle, Initiator, Secrets, identity_plaintext};
use crate::model::formula::{self, Message};
use crate::model::prekeys::DAY;
use crate::model::stored::Origin;

pub(super) fn cases(cases: &mut Cases) {
    both_at_once(cases);
    tie(cases);
    anew(cases);
    answer_under_way(cases);
    late(cases);
    clock_set_back(cases);
    equal_times(cases);
    unanswered(cases);
    deadlines(cases);
    stored_deadline(cases);
    staged_twice(cases);
    refused(cases);
    last_resort_record(cases);
    replayed_later(cases);
    identity_changed(cases);
    own_identity(cases);
    impersonated(cases);
}

/// Both have a bundle of the other.
fn with_bundles(play: &mut Play<'_>) {
    play.bundle("alice", "of alice");
    play.bundle("bob", "of bob");
}

fn both_at_once(cases: &mut Cases) {
    for (id, alice_at, bob_at) in [("later-alice", 1, 0), ("later-bob", 0, 1)] {
        let comment = "Both begin before either has read anything: the state with the later created_at sends on both \
                       sides, the other one only receives.";
        let mut play = Play::of_two(cases, &format!("both-at-once-{id}"), comment);
        with_bundles(&mut play);
        play.at(NOW + alice_at);
        play.begin("alice", "of bob");
        play.seal("alice", "bob", "a0");
        play.at(NOW + bob_at);
        play.begin("bob", "of alice");
        play.seal("bob", "alice", "b0");
        play.at(NOW + HOUR);
        let (winner, loser) = if alice_at > bob_at {
            ("alice", "bob")
        } else {
            ("bob", "alice")
        };
        let (won, lost) = if winner == "alice" {
            ("a0", "b0")
        } else {
            ("b0", "a0")
        };
        play.stages(winner, lost);
        play.accepts_with(winner, lost, &["old_state"]);
        play.takes(loser, won);
        play.same_state("alice", "bob");
        play.seal("alice", "bob", "a1");
        play.is_first("a1", winner == "alice");
        play.reads("bob", "a1");
        play.seal("bob", "alice", "b1");
        play.reads("alice", "b1");
        play.seal("alice", "bob", "a2");
        play.is_first("a2", false);
        play.reads("bob", "a2");
        play.restart("alice");
        play.restart("bob");
        // Who did not begin the state has read two chains of the one who did.
        play.holds(loser, winner, (2, 1, 0));
        play.show("alice", "bob");
        play.end();
    }
}

fn tie(cases: &mut Cases) {
    for (id, lower) in [("lower-alice", "alice"), ("lower-bob", "bob")] {
        let comment = "Both begin in the same millisecond: the state with the lower sid sends.";
        // Which sid is the lower one hangs on all values: some variant has it as wanted.
        let found = (0..20).find(|variant| {
            let mut play = Play::variant(cases, &format!("tie-{id}"), comment, *variant).with_two();
            begin_both(&mut play);
            let sid = |device, peer| play.ratchet(device, peer).map(|ratchet| ratchet.sid);
            let (alice, bob) = (sid("alice", "bob"), sid("bob", "alice"));
            (alice < bob) == (lower == "alice")
        });
        let Some(variant) = found else {
            cases.fault("tie: no variant".to_owned());
            return;
        };
        let mut play = Play::variant(cases, &format!("tie-{id}"), comment, variant).with_two();
        begin_both(&mut play);
        let (other, first, second) = if lower == "alice" {
            ("bob", "a0", "b0")
        } else {
            ("alice", "b0", "a0")
        };
        play.takes(other, first);
        play.stages(lower, second);
        play.accepts_with(lower, second, &["old_state"]);
        play.same_state("alice", "bob");
        play.seal("alice", "bob", "a1");
        play.reads("bob", "a1");
        play.seal("bob", "alice", "b1");
        play.reads("alice", "b1");
        play.show("alice", "bob");
        play.end();
    }
}

fn begin_both(play: &mut Play<'_>) {
    with_bundles(play);
    play.begin("alice", "of bob");
    play.seal("alice", "bob", "a0");
    play.begin("bob", "of alice");
    play.seal("bob", "alice", "b0");
}

fn anew(cases: &mut Cases) {
    let comment = "Alice begins anew: Bob's messages under way come in the old state, as do Alice's at Bob's; both go on \
                   in the new one. After 30 days unused the old state is gone.";
    let mut play = Play::of_two_in_touch(cases, "begin-anew", comment);
    play.seal("alice", "bob", "a0");
    play.seal("bob", "alice", "b0");
    play.seal("bob", "alice", "b1");
    play.bundle("bob", "second");
    play.wait(HOUR);
    play.begin("alice", "second");
    play.seal("alice", "bob", "a1");
    play.is_first("a1", true);
    play.reads_with("alice", "b0", &["old_state"], false);
    play.takes("bob", "a1");
    play.reads_with("bob", "a0", &["old_state"], false);
    play.seal("bob", "alice", "b2");
    play.reads("alice", "b2");
    play.reads_with("alice", "b1", &["old_state"], false);
    play.open_fails("alice", "b1", "Duplicate");
    play.show("alice", "bob");
    play.wait(30 * DAY - 1);
    play.seal("alice", "bob", "a2");
    play.reads("bob", "a2");
    play.holds("alice", "bob", (2, 0, 0));
    play.wait(1);
    play.open_fails("alice", "b1", "NoSession");
    play.holds("alice", "bob", (2, 0, 0));
    play.seal("alice", "bob", "a3");
    play.reads("bob", "a3");
    play.holds("alice", "bob", (1, 0, 0));
    play.holds("bob", "alice", (1, 1, 0));
    play.end();
}

fn answer_under_way(cases: &mut Cases) {
    let comment = "A state that became receive-only in the turn of the peer still reads one new chain, and then no other: \
                   the turn has ended.";
    let mut play = Play::of_two_in_touch(cases, "answer-under-way", comment);
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    play.seal("bob", "alice", "b0");
    play.seal("bob", "alice", "b1");
    play.bundle("bob", "second");
    play.save("alice", "before");
    play.begin("alice", "second");
    play.reads_with("alice", "b1", &["old_state"], false);
    play.reads_with("alice", "b0", &["old_state"], false);
    play.show("alice", "bob");
    // A copy of Alice goes on in the old state, so that Bob makes one chain more in it.
    play.device_with("clone", "alice", "alice");
    play.restore("clone", "before");
    play.reads("clone", "b0");
    play.seal("clone", "bob", "c0");
    play.reads("bob", "c0");
    play.seal("bob", "alice", "b2");
    play.open_fails("alice", "b2", "Forked");
    play.reads("clone", "b2");
    play.end();
}

fn late(cases: &mut Cases) {
    let comment = "Messages in the old state a day and more after the change: from the second one on, the advice is to \
                   begin anew. Each keeps the state for 30 days more.";
    let mut play = Play::of_two_in_touch(cases, "late-messages", comment);
    for name in ["b0", "b1", "b2", "b3", "b4"] {
        play.seal("bob", "alice", name);
    }
    play.bundle("bob", "second");
    play.begin("alice", "second");
    play.wait(DAY);
    play.reads_with("alice", "b0", &["old_state"], false);
    play.wait(1);
    play.reads_with("alice", "b1", &["old_state"], false);
    play.restart("alice");
    play.reads_with("alice", "b2", &["old_state"], true);
    play.wait(29 * DAY);
    play.reads_with("alice", "b3", &["old_state"], true);
    play.show("alice", "bob");
    play.wait(30 * DAY);
    play.open_fails("alice", "b4", "NoSession");
    play.expire("alice");
    play.holds("alice", "bob", (1, 0, 0));
    play.end();
}

fn clock_set_back(cases: &mut Cases) {
    let comment = "Clocks that differ or go back: created_at is above everything that was used or seen, so that a new \
                   beginning always ranks first.";
    let mut play = Play::of_two(cases, "clock-set-back", comment);
    with_bundles(&mut play);
    play.at(NOW + 10 * DAY);
    play.begin("alice", "of bob");
    play.seal("alice", "bob", "a0");
    play.at(NOW);
    play.takes("bob", "a0");
    play.begin("bob", "of alice");
    play.seal("bob", "alice", "b0");
    play.takes("alice", "b0");
    play.same_state("alice", "bob");
    play.bundle("bob", "second");
    play.at(1);
    play.begin("alice", "second");
    play.seal("alice", "bob", "a1");
    play.takes("bob", "a1");
    play.same_state("alice", "bob");
    play.at(0);
    play.seal("bob", "alice", "b1");
    play.reads("alice", "b1");
    play.show("alice", "bob");
    play.end();
}

fn equal_times(cases: &mut Cases) {
    for (id, sends) in [("sends", true), ("receives-only", false)] {
        let comment = "created_at cannot rise above 2^48 - 1: of two states begun there the lower sid sends, be it the one \
                       that is not the newer one. Sealing goes on in whichever sends.";
        let id = format!("equal-times-newer-{id}");
        let begun = |play: &mut Play<'_>| {
            for name in ["first", "second", "third"] {
                play.bundle("bob", name);
            }
            play.begin("alice", "first");
            if let Some(mut conversation) = play.conversation("alice", "bob") {
                conversation.last_created_at = (1 << 48) - 2;
                play.set("alice", &conversation);
            }
            play.begin("alice", "second");
            let older = play.ratchet("alice", "bob").map(|ratchet| ratchet.sid);
            play.begin("alice", "third");
            play.ratchet("alice", "bob").map(|ratchet| ratchet.sid) != older
        };
        let found = (0..20).find(|variant| {
            let mut play = Play::variant(cases, &id, comment, *variant).with_two();
            begun(&mut play) == sends
        });
        let Some(variant) = found else {
            cases.fault("equal times: no variant".to_owned());
            return;
        };
        let mut play = Play::variant(cases, &id, comment, variant).with_two();
        begun(&mut play);
        play.seal("alice", "bob", "a0");
        play.takes("bob", "a0");
        play.seal("bob", "alice", "b0");
        play.reads("alice", "b0");
        play.holds("alice", "bob", (3, 0, 0));
        play.show("alice", "bob");
        play.end();
    }
}

fn unanswered(cases: &mut Cases) {
    let comment =
        "The prefix is repeated for 30 days and no longer; then the conversation is begun anew.";
    let mut play = Play::of_two(cases, "unanswered", comment);
    play.bundle("bob", "first");
    play.bundle("bob", "second");
    play.begin("alice", "first");
    play.seal("alice", "bob", "a0");
    play.wait(30 * DAY);
    play.seal("alice", "bob", "a1");
    play.wait(1);
    play.seal_fails("alice", "bob", "Unanswered");
    play.begin("alice", "second");
    play.seal("alice", "bob", "a2");
    play.takes("bob", "a2");
    play.stages("bob", "a0");
    play.accepts_with("bob", "a0", &["old_state"]);
    play.reads_with("bob", "a1", &["old_state"], false);
    play.bundle("bob", "third");
    play.wait(37 * DAY);
    play.begin_fails("alice", "third", "StaleBundle");
    play.end();
}

/// The prefix is sent until `end`, and not a moment longer.
fn ends_at(mut play: Play<'_>, bundle: &str, end: u64) {
    play.begin("alice", bundle);
    play.seal("alice", "bob", "a0");
    play.at(end);
    play.seal("alice", "bob", "a1");
    play.show_one("alice", "bob");
    play.restart("alice");
    if let Some(over) = end.checked_add(1) {
        play.at(over);
        play.seal_fails("alice", "bob", "Unanswered");
    }
    play.at(end);
    play.seal("alice", "bob", "a2");
    play.is_first("a2", true);
    play.end();
}

fn deadlines(cases: &mut Cases) {
    let comment =
        "The SPK ends before the 30 days are over: it is older than the one-time KEM key.";
    let mut play = Play::of_two(cases, "unanswered-spk-not-after", comment);
    play.wait(10 * DAY);
    play.bundle("bob", "bundle");
    ends_at(play, "bundle", NOW + 37 * DAY);

    let comment = "The KEM key ends before the 30 days are over, and before the SPK: Bob's clock was ahead when he rotated.";
    let mut play = Play::of_two(cases, "unanswered-kem-not-after", comment);
    play.wait(5 * DAY);
    play.rotate("bob");
    play.at(NOW);
    play.bundle("bob", "bundle");
    play.wait(10 * DAY);
    ends_at(play, "bundle", NOW + 37 * DAY);

    let comment =
        "Both end before the 30 days are over: a last-resort bundle that is fetched late.";
    let mut play = Play::of_two(cases, "unanswered-both-not-after", comment);
    play.last_resort("bob", "bundle");
    play.wait(37 * DAY - 1);
    ends_at(play, "bundle", NOW + 37 * DAY);

    let comment = "30 days from the beginning, not from created_at: Alice's clock was ahead when she began before.";
    let mut play = Play::of_two(cases, "unanswered-created-at-ahead", comment);
    play.bundle("bob", "first");
    play.bundle("bob", "bundle");
    play.wait(20 * DAY);
    play.begin("alice", "first");
    play.at(NOW);
    ends_at(play, "bundle", NOW + 30 * DAY);

    let comment = "No sum is over 2^64 - 1.";
    let mut play = Play::of_two(cases, "unanswered-end-of-time", comment);
    play.at(u64::MAX - DAY);
    play.rotate("bob");
    play.bundle("bob", "bundle");
    ends_at(play, "bundle", u64::MAX);
}

fn stored_deadline(cases: &mut Cases) {
    let comment = "The deadline is the one that is stored, whatever else the state says.";
    let mut play = Play::of_two(cases, "unanswered-stored", comment);
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    for deadline in [NOW + 5, NOW + 365 * DAY] {
        if let Some(mut conversation) = play.conversation("alice", "bob") {
            for state in &mut conversation.states {
                if let Origin::Unanswered { deadline: kept, .. } = &mut state.origin {
                    *kept = deadline;
                }
            }
            play.set("alice", &conversation);
        }
        play.at(deadline);
        play.seal("alice", "bob", &format!("until {deadline}"));
        play.wait(1);
        play.seal_fails("alice", "bob", "Unanswered");
    }
    play.show_one("alice", "bob");
    play.end();
}

fn staged_twice(cases: &mut Cases) {
    let comment = "Two messages of one agreement are staged before either is accepted: the one-time keys go with the \
                   first verdict, and the second message is read in the state that began.";
    let mut play = Play::of_two(cases, "staged-twice", comment);
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    for name in ["a0", "a1", "a2"] {
        play.seal("alice", "bob", name);
    }
    play.stages("bob", "a1");
    play.stages("bob", "a0");
    play.stages("bob", "a2");
    play.accepts("bob", "a0");
    play.accept_fails("bob", "a1", "PrekeyGone");
    play.refuse_fails("bob", "a2", "PrekeyGone");
    play.reads("bob", "a1");
    play.reads("bob", "a2");
    play.end();
    let comment = "The same without one-time keys: the record refuses the second verdict.";
    let mut play = Play::of_two(cases, "staged-twice-last-resort", comment);
    play.last_resort("bob", "bundle");
    play.begin("alice", "bundle");
    play.seal("alice", "bob", "a0");
    play.seal("alice", "bob", "a1");
    play.stages("bob", "a1");
    play.stages("bob", "a0");
    play.accepts("bob", "a1");
    play.accept_fails("bob", "a0", "ReplayedFirst");
    play.reads("bob", "a0");
    play.show_prekeys("bob");
    play.end();
}

fn refused(cases: &mut Cases) {
    let comment = "A staged message is forgotten by a restart, and staged again. Refused, it is used up: neither it nor \
                   another of the same agreement is staged again.";
    let mut play = Play::of_two(cases, "refused", comment);
    play.bundle("bob", "bundle");
    play.begin("alice", "bundle");
    play.seal("alice", "bob", "a0");
    play.seal("alice", "bob", "a1");
    play.stages("bob", "a0");
    play.restart("bob");
    play.stages("bob", "a0");
    play.refuses("bob", "a0");
    play.open_fails("bob", "a0", "PrekeyGone");
    play.open_fails("bob", "a1", "PrekeyGone");
    play.show_prekeys("bob");
    play.last_resort("bob", "last resort");
    play.begin("alice", "last resort");
    play.seal("alice", "bob", "a2");
    play.stages("bob", "a2");
    play.refuses("bob", "a2");
    play.open_fails("bob", "a2", "ReplayedFirst");
    play.show_prekeys("bob");
    play.end();
}

fn last_resort_record(cases: &mut Cases) {
    let comment = "Two initiators use one last-resort bundle, before and after a rotation; each has its record, which \
                   goes with the generation.";
    let mut play = Play::of_two(cases, "last-resort-record", comment);
    play.device("carol");
    play.rotate("carol");
    play.last_resort("bob", "bundle");
    play.begin("alice", "bundle");
    play.begin("carol", "bundle");
    play.seal("alice", "bob", "a0");
    play.seal("carol", "bob", "c0");
    play.takes("bob", "a0");
    play.wait(7 * DAY);
    play.rotate("bob");
    play.takes("bob", "c0");
    play.show_prekeys("bob");
    play.last_resort("bob", "rotated");
    play.begin("carol", "rotated");
    play.seal("carol", "bob", "c1");
    play.takes("bob", "c1");
    play.show_prekeys("bob");
    play.wait(30 * DAY);
    play.expire("bob");
    play.show_prekeys("bob");
    play.end();
}

fn replayed_later(cases: &mut Cases) {
    let comment =
        "The first message again when the state that it began is gone: refused by what it used.";
    let mut play = Play::of_two(cases, "replayed-when-gone", comment);
    play.last_resort("bob", "last resort");
    play.bundle("bob", "one-time");
    play.begin("alice", "last resort");
    play.seal("alice", "bob", "a0");
    play.takes("bob", "a0");
    play.begin("alice", "one-time");
    play.seal("alice", "bob", "a1");
    play.takes("bob", "a1");
    play.bundle("bob", "another");
    play.begin("alice", "another");
    play.seal("alice", "bob", "a2");
    play.takes("bob", "a2");
    play.open_fails("bob", "a0", "Duplicate");
    play.wait(30 * DAY);
    play.open_fails("bob", "a0", "ReplayedFirst");
    play.open_fails("bob", "a1", "PrekeyGone");
    play.expire("bob");
    play.open_fails("bob", "a0", "ReplayedFirst");
    play.open_fails("bob", "a1", "PrekeyGone");
    play.open_fails("bob", "a2", "Duplicate");
    play.end();
}

fn identity_changed(cases: &mut Cases) {
    let comment = "Another device claims Bob's address: a conversation that is pinned refuses its bundle and its first \
                   message, and nothing changes. A device that does not know Bob takes it for him.";
    let mut play = Play::of_two_in_touch(cases, "identity-changed", comment);
    play.device_with("new bob", "bob", "new bob");
    play.rotate("new bob");
    play.bundle("new bob", "of new bob");
    play.bundle("alice", "of alice");
    play.begin_fails("alice", "of new bob", "IdentityChanged");
    play.begin("new bob", "of alice");
    play.seal("new bob", "alice", "b0");
    play.stages("alice", "b0");
    play.accept_fails("alice", "b0", "IdentityChanged");
    play.stages("alice", "b0");
    play.refuses("alice", "b0");
    play.open_fails("alice", "b0", "PrekeyGone");
    play.seal("alice", "bob", "a0");
    play.reads("bob", "a0");
    play.device("carol");
    play.rotate("carol");
    play.bundle("carol", "of carol");
    play.begin("new bob", "of carol");
    play.seal("new bob", "carol", "b1");
    play.takes("carol", "b1");
    play.end();
}

fn own_identity(cases: &mut Cases) {
    let comment = "A bundle and a first message with a key of our own, under whatever address.";
    let mut play = Play::of_two(cases, "own-identity", comment);
    play.device_with("mirror", "mirror", "alice");
    play.rotate("mirror");
    play.bundle("alice", "of alice");
    play.bundle("mirror", "of mirror");
    play.begin_fails("alice", "of alice", "OwnIdentity");
    play.begin_fails("alice", "of mirror", "OwnIdentity");
    // A device with Alice's keys would refuse as well: only a hostile one goes on.
    let secrets = Secrets {
        address: b"mirror".to_vec(),
        seed: play.secret("alice signing seed"),
        secret: play.secret("alice dh secret"),
    };
    let idpt = secrets.identity_plaintext(NOW).unwrap_or_default();
    hostile_first(&mut play, "of alice", "from mirror", &secrets.secret, idpt);
    play.open_fails("alice", "from mirror", "OwnIdentity");
    play.end();
}

fn impersonated(cases: &mut Cases) {
    let comment = "First messages in Alice's name by who has not her private keys: her identity is public, but SK hangs \
                   on IKd's private half; and a claim with a signature that does not hold. They use nothing up.";
    let mut play = Play::of_two(cases, "impersonated", comment);
    play.bundle("bob", "bundle");
    let alice = Secrets {
        address: b"alice".to_vec(),
        seed: play.secret("alice signing seed"),
        secret: play.secret("alice dh secret"),
    };
    let genuine = alice.identity_plaintext(NOW).unwrap_or_default();
    let secret = play.secret("mallory");
    hostile_first(
        &mut play,
        "bundle",
        "from mallory",
        &secret,
        genuine.clone(),
    );
    play.open_fails("bob", "from mallory", "Malformed");
    let identity = genuine.get(..128).unwrap_or_default();
    let mut forged = identity.to_vec();
    for byte in forged.iter_mut().skip(100).take(1) {
        *byte ^= 1;
    }
    let idpt = identity_plaintext(&forged, NOW, 5, b"alice");
    hostile_first(&mut play, "bundle", "from nobody", &alice.secret, idpt);
    play.open_fails("bob", "from nobody", "BadSignature");
    play.begin("alice", "bundle");
    play.seal("alice", "bob", "a0");
    play.takes("bob", "a0");
    play.end();
}

/// A first message whose initiator encrypts any identity, and makes DH1 with any private half.
fn hostile_first(play: &mut Play<'_>, bundle: &str, name: &str, secret: &[u8; 32], idpt: Vec<u8>) {
    let ek = play.secret(&format!("{name} ek"));
    let initiator = Initiator {
        secret: *secret,
        idpt,
        ek,
        sent_ek: formula::public(&ek),
        m: play.secret(&format!("{name} m")),
    };
    let ratchet = play.secret(&format!("{name} ratchet"));
    let made = Bundle::verify(&play.bundle_bytes(bundle), NOW).and_then(|bundle| {
        let (prefix, agreement) = initiator.initiate(&bundle)?;
        let [rk0, hka, _, pq0, _] = formula::initial_keys(&agreement.sk, &agreement.sid)?;
        let [_, ck, _] = formula::root_step(&rk0, &formula::dh(&ratchet, &bundle.spk.1)?)?;
        let [_, s_a, _] = formula::epoch_start(&pq0)?;
        let (pck, _) = formula::chain_of_epoch(&s_a);
        let message = Message {
            sid: agreement.sid,
            hk: hka,
            mk: formula::chain_step(&ck, &pck).0,
            prefix,
            hp: formula::header_plaintext(&formula::public(&ratchet), 0, 0, 0),
            bp: formula::body_without_symbols(name.as_bytes())?,
        };
        message.seal(&ek)
    });
    play.inject(&made.map(|sealed| sealed.message).unwrap_or_default(), name);
}

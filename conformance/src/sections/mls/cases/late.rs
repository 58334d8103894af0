//! Messages that come late, out of order, twice, or too early (§§22.3-R7, R8, 22.4).

use super::*;

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    for suite in 1..=3 {
        epochs(cases, suite)?;
        order(cases, suite)?;
        handshakes(cases, suite)?;
    }
    forged(cases)?;
    limits(cases)
}

fn hears(s: &mut Setting, group: &Group, text: &str, generation: u32) -> Answer<()> {
    let message = group.say(2, text, generation)?;
    let expected = Expected::Text(2, text.to_owned());
    s.scene.process("group", &message, expected);
    Ok(())
}

fn refuses(s: &mut Setting, group: &Group, generation: u32, error: &str) -> Answer<()> {
    let message = group.say(2, "refused", generation)?;
    s.refuse(&message, error);
    Ok(())
}

/// Past epochs: three stay readable, by their own trees and keys.
fn epochs(cases: &mut Cases, suite: u16) -> Answer<()> {
    let mut s = Setting::with(suite, Vec::new())?;
    let mut past = vec![s.group.clone()];
    for committer in [3, 4, 2] {
        s.commit(&Plan::by(committer, Vec::new()))?;
        past.push(s.group.clone());
    }
    let [zero, one, two, three] = past.as_slice() else {
        return Ok(());
    };
    let name = |generation| format!("late {generation}");
    hears(&mut s, zero, &name(0), 0)?;
    hears(&mut s, two, &name(0), 0)?;
    hears(&mut s, three, &name(0), 0)?;
    hears(&mut s, one, &name(1), 1)?;
    s.restart();
    hears(&mut s, one, &name(0), 0)?;
    refuses(&mut s, one, 0, "GenerationUsed")?;
    hears(&mut s, zero, &name(3), 3)?;
    // Member 2 is removed: what it sent before can be read, by the tree of its epoch.
    s.commit(&Plan::by(3, vec![Listed::value(Proposal::Remove(2))]))?;
    refuses(&mut s, zero, 1, "EpochGone")?;
    refuses(&mut s, zero, 0, "EpochGone")?;
    s.restart();
    hears(&mut s, one, &name(2), 2)?;
    hears(&mut s, three, &name(1), 1)?;
    // Member 3 writes under the new epoch, and 2 no more.
    let message = s.group.say(3, "now", 0)?;
    let expected = Expected::Text(3, "now".to_owned());
    s.scene.process("group", &message, expected);
    // The app wants one past epoch, then none.
    s.keep_past_epochs(1);
    refuses(&mut s, two, 1, "EpochGone")?;
    hears(&mut s, three, &name(2), 2)?;
    s.keep_past_epochs(0);
    refuses(&mut s, three, 3, "EpochGone")?;
    s.commit(&Plan::by(3, Vec::new()))?;
    let gone = s.group.clone();
    s.keep_past_epochs(5);
    s.commit(&Plan::by(4, Vec::new()))?;
    let message = gone.say(3, "before", 0)?;
    let expected = Expected::Text(3, "before".to_owned());
    s.scene.process("group", &message, expected);
    let comment = "Messages of three past epochs, out of order; of a fourth; of a member that was removed since; with \
                   one past epoch, none and five.";
    s.done(cases, &format!("late-epochs-suite-{suite}"), comment);
    Ok(())
}

/// Generations in any order, each once.
fn order(cases: &mut Cases, suite: u16) -> Answer<()> {
    let mut s = Setting::with(suite, Vec::new())?;
    let group = s.group.clone();
    for generation in [0, 5, 3, 1, 9, 2, 4, 8, 6, 7, 10] {
        hears(&mut s, &group, &format!("number {generation}"), generation)?;
    }
    for generation in 0..=10 {
        refuses(&mut s, &group, generation, "GenerationUsed")?;
    }
    // Every member has ratchets of its own, and one for handshakes beside.
    for leaf in [0, 3, 4] {
        let message = group.say(leaf, "each", 1)?;
        let expected = Expected::Text(leaf, "each".to_owned());
        s.scene.process("group", &message, expected);
    }
    let plan = Plan {
        format: Format::Private,
        ..Plan::by(2, Vec::new())
    };
    let made = s.group.commit(&plan)?;
    let state = Expected::State(made.next.secrets.authenticator);
    s.scene.process("group", &made.private(0)?, state);
    let comment = "One sender's messages out of order, all of them once more, other senders', and a commit from the \
                   other ratchet.";
    s.done(cases, &format!("late-order-suite-{suite}"), comment);
    Ok(())
}

/// Proposals and commits, encrypted, out of order.
fn handshakes(cases: &mut Cases, suite: u16) -> Answer<()> {
    let mut s = Setting::with(suite, Vec::new())?;
    let mut messages = Vec::new();
    let mut listed = Vec::new();
    for (generation, leaf) in [(0, 3), (1, 4)] {
        let proposal = Proposal::Remove(leaf);
        let signed = s
            .group
            .signed(2, Format::Private, Content::Proposal(proposal.clone()))?;
        messages.push(s.group.private(&signed, &Encryption::of(generation))?);
        listed.push(Listed {
            proposal,
            sender: 2,
            reference: Some(signed.reference()),
        });
    }
    let plan = Plan {
        format: Format::Private,
        ..Plan::by(2, listed)
    };
    let made = s.group.commit(&plan)?;
    let commit = made.private(2)?;
    // Before both, and before one of what it commits: its key is not used up by that.
    s.refuse(&commit, "UnknownProposal");
    for (number, message) in messages.iter().rev().enumerate() {
        s.pass(message);
        s.restart();
        s.refuse(message, "GenerationUsed");
        if number == 0 {
            s.refuse(&commit, "UnknownProposal");
        }
    }
    let state = Expected::State(made.next.secrets.authenticator);
    s.scene.process("group", &commit, state);
    let comment =
        "Two proposals and their commit, the commit first, the second proposal before the first.";
    s.done(cases, &format!("late-handshakes-suite-{suite}"), comment);
    Ok(())
}

/// A forgery with the key of a real message does not use it up.
fn forged(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let group = s.group.clone();
    let content = Content::Application(b"forged".to_vec());
    let mut signed = group.signed(2, Format::Private, content)?;
    signed.sign(&group.signer(3)?)?;
    for generation in [0, 7] {
        let message = group.private(&signed, &Encryption::of(generation))?;
        s.refuse(&message, "BadSignature");
        s.refuse(&flipped(&message), "Decryption");
        // Its sender's data hold, and say another generation than the key's.
        let with = Encryption {
            sender_data: Some((2, generation + 1)),
            ..Encryption::of(generation)
        };
        s.refuse(&group.private(&signed, &with)?, "Decryption");
    }
    for generation in [0, 1, 7, 8, 2] {
        hears(&mut s, &group, "real", generation)?;
    }
    let comment = "Messages under the keys of others that are not signed by their sender, or are altered; then those \
                   others.";
    s.done(cases, "late-forged", comment);
    Ok(())
}

fn limits(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let group = s.group.clone();
    for generation in [2_001, 2_002, 1 << 20, u32::MAX] {
        // Nobody derives so many keys: what the sender's data say is enough.
        let content = Content::Application(b"far".to_vec());
        let signed = group.signed(2, Format::Private, content)?;
        let with = Encryption {
            sender_data: Some((2, generation)),
            ..Encryption::of(0)
        };
        s.refuse(&group.private(&signed, &with)?, "GenerationTooFar");
    }
    hears(&mut s, &group, "as far as may be", 2_000)?;
    // The keys of the 2,000 before are held, wherever some of them are used.
    for generation in (0..50).chain(1_000..1_010) {
        hears(&mut s, &group, "held", generation)?;
    }
    // Of the last 2,000 that were passed over: 100 more, so that the first 100 go, the used ones among them.
    hears(&mut s, &group, "a hundred more", 2_101)?;
    s.restart();
    for generation in [0, 49, 50, 99, 1_005, 2_000, 2_101] {
        refuses(&mut s, &group, generation, "GenerationUsed")?;
    }
    for generation in [100, 101, 999, 1_999, 2_001, 2_100] {
        hears(&mut s, &group, "held", generation)?;
    }
    hears(&mut s, &group, "as far again", 4_102)?;
    for generation in [102, 1_998, 2_099] {
        refuses(&mut s, &group, generation, "GenerationUsed")?;
    }
    for generation in [2_102, 4_101] {
        hears(&mut s, &group, "held", generation)?;
    }
    let comment = "The greatest number of generations that a message may skip, and more; the keys of the 2,000 that \
                   were skipped last are held, whether others of them were used or not.";
    s.done(cases, "late-limits", comment);
    Ok(())
}

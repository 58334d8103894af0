//! What is stored of a member, and what each step changes of it (§22.6).

use serde_json::json;
use subrosa::crypto::hash::sha256;

use super::*;
use crate::model::mls::stored::{Listener, Records};
use crate::model::mls::vector;
use crate::model::mls::wide::Wide;

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    for suite in 1..=3 {
        everything(cases, suite)?;
    }
    large(cases)
}

/// A script after each step of which everything that is stored is compared.
struct Watched {
    s: Setting,
    listener: Listener,
    shown: Records,
}

impl Watched {
    fn new(s: Setting, path_secret: Option<(usize, Hash)>) -> Answer<Self> {
        let listener = Listener::joined(&s.us, &s.group, US, path_secret)?;
        Ok(Self {
            s,
            listener,
            shown: Records::new(),
        })
    }

    /// Everything is compared; `changes` says whether what changed is told one by one.
    fn stored(&mut self, changes: bool) -> Answer<()> {
        let now = self.listener.records()?;
        let mut all = Vec::new();
        for (name, content) in &now {
            all.extend(vector(name));
            all.extend(vector(content));
        }
        let mut names: Vec<_> = now.keys().chain(self.shown.keys()).collect();
        names.sort();
        names.dedup();
        names.retain(|name| now.get(*name) != self.shown.get(*name));
        let change = |name: &Vec<u8>| json!({"name": hex::encode(name), "content": now.get(name).map(hex::encode)});
        let told: Vec<Value> = names.into_iter().map(change).collect();
        let expected = json!({
            "records": now.len(),
            "sha256": hex::encode(sha256(&[&all])),
            "changes": changes.then_some(told),
        });
        let step = json!({"do": "stored", "group": "group", "changes": changes});
        self.s.scene.push(step, Expected::Result(expected));
        self.shown = now;
        Ok(())
    }

    /// A message of an epoch arrives.
    fn hear(&mut self, of: &Group, leaf: u32, generation: u32) -> Answer<()> {
        let text = format!("number {generation} of {leaf}");
        let message = of.say(leaf, &text, generation)?;
        let expected = Expected::Text(leaf, text);
        self.s.scene.process("group", &message, expected);
        self.listener.hear(of.context.epoch, leaf, generation)?;
        self.stored(true)
    }

    /// A proposal arrives, encrypted with the key of a generation.
    fn propose(&mut self, leaf: u32, proposal: Proposal, generation: u32) -> Answer<Listed> {
        let content = Content::Proposal(proposal.clone());
        let signed = self.s.group.signed(leaf, Format::Private, content)?;
        let message = self.s.group.private(&signed, &Encryption::of(generation))?;
        self.s.pass(&message);
        self.listener.keep(&signed, generation)?;
        self.stored(true)?;
        Ok(Listed {
            proposal,
            sender: leaf,
            reference: Some(signed.reference()),
        })
    }

    /// A commit arrives, encrypted with the key of a generation if it is encrypted.
    fn commit(&mut self, plan: &Plan<'_>, generation: u32) -> Answer<()> {
        let made = self.s.group.commit(plan)?;
        let message = match plan.format {
            Format::Public => made.public(),
            Format::Private => made.private(generation)?,
        };
        self.listener.merge(&made, generation)?;
        // Who is removed stays in the epoch before.
        if made.next.tree.leaf(US).is_some() {
            self.s.group = made.next;
        }
        let state = Expected::State(self.s.group.secrets.authenticator);
        self.s.scene.process("group", &message, state);
        self.stored(true)
    }

    fn restart(&mut self) -> Answer<()> {
        self.s.restart();
        self.stored(true)
    }

    fn keep_past_epochs(&mut self, epochs: u32) -> Answer<()> {
        self.s.keep_past_epochs(epochs);
        self.listener.keep_past_epochs(epochs.into());
        self.stored(true)
    }
}

fn private(committer: u32, listed: Vec<Listed>) -> Plan<'static> {
    Plan {
        format: Format::Private,
        ..Plan::by(committer, listed)
    }
}

/// Every kind of record that is not of what one sends.
fn everything(cases: &mut Cases, suite: u16) -> Answer<()> {
    let mut w = Watched::new(Setting::with(suite, Vec::new())?, None)?;
    w.stored(true)?;
    let first = w.s.group.clone();
    // Skipped keys of two records, one of them used late; then senders beside that one's way, and beside theirs.
    for (leaf, generation) in [(2, 0), (2, 12), (2, 3), (4, 0), (3, 1), (0, 0), (2, 13)] {
        w.hear(&first, leaf, generation)?;
    }
    w.restart()?;
    let five = able(suite, "five")?;
    w.s.group.know(&five.signer);
    let adds = Proposal::Add(Box::new(five.package));
    let listed = vec![
        w.propose(2, adds, 1)?,
        w.propose(4, Proposal::Remove(3), 0)?,
    ];
    w.commit(&private(2, listed), 0)?;
    // Late ones of the epoch before, one of them of a member that is gone.
    w.hear(&first, 2, 5)?;
    w.hear(&first, 3, 0)?;
    w.restart()?;
    // Who came sends a path; a commit has none; the tree grows, and the first epoch is let go of.
    w.commit(&Plan::by(3, Vec::new()), 0)?;
    let mut more = Vec::new();
    for name in ["six", "seven", "eight", "nine"] {
        let client = able(suite, name)?;
        w.s.group.know(&client.signer);
        more.push(add(&client));
    }
    let plan = Plan {
        path: false,
        ..Plan::by(4, more)
    };
    w.commit(&plan, 0)?;
    let second = w.s.group.clone();
    w.commit(&private(8, Vec::new()), 0)?;
    w.hear(&second, 7, 2)?;
    w.restart()?;
    w.keep_past_epochs(1)?;
    // The tree shrinks to what it was, and we are let go of.
    let removes = [8, 7, 6, 5].map(|leaf| Listed::value(Proposal::Remove(leaf)));
    w.commit(&Plan::by(0, removes.to_vec()), 0)?;
    w.keep_past_epochs(0)?;
    let removes = vec![Listed::value(Proposal::Remove(US))];
    w.commit(&private(4, removes), 2)?;
    w.restart()?;
    let comment = "Everything that is stored of a member, and what each step changes of it: messages out of order and \
                   of a past epoch, proposals, commits with and without a path, epochs let go of, our removal.";
    w.s.done(cases, &format!("stored-suite-{suite}"), comment);
    Ok(())
}

/// What a step changes is small, however large the group is.
fn large(cases: &mut Cases) -> Answer<()> {
    let members = 1_000;
    let seed = cases.bytes("stored 1000", 32);
    let wide = Wide {
        suite: Suite::of(1),
        group_id: b"a stored group of 1000",
        seed: &seed,
        members,
        lifetime: LIFETIME,
    };
    let (middle, last) = (members / 2, members - 1);
    let s = wide::join(&wide, &[0, 2, middle, last])?;
    // The lowest node above the committer and us.
    let mut w = Watched::new(s, Some((1, wide.lowest_path_secret())))?;
    w.stored(false)?;
    let first = w.s.group.clone();
    w.hear(&first, last, 0)?;
    w.hear(&first, middle, 1)?;
    w.hear(&first, middle, 2)?;
    w.commit(&Plan::by(last, Vec::new()), 0)?;
    w.commit(&private(2, Vec::new()), 0)?;
    let removes = vec![Listed::value(Proposal::Remove(last))];
    w.commit(&Plan::by(middle, removes), 0)?;
    let one = plain(1, "one more")?;
    w.s.group.know(&one.signer);
    w.commit(&Plan::by(0, vec![add(&one)]), 0)?;
    // The first epoch is gone by now; its message is not read, and nothing of it is stored.
    let gone = first.say(middle, "gone", 0)?;
    w.s.refuse(&gone, "EpochGone");
    w.restart()?;
    let comment = "Of everything that is stored of a member of a group of 1,000 the hash; of each step what it changes.";
    w.s.done(cases, "stored-1000-suite-1", comment);
    Ok(())
}

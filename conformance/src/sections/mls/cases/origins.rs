//! Rules 47, 49 and 50: groups that stem from another one.

use subrosa::mls::Rule;

use super::*;
use crate::model::mls::schedule::{Secrets, psk_secret};

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    reinit(cases)?;
    branch(cases)?;
    psks(cases)
}

const REINIT: u8 = 2;
const BRANCH: u8 = 3;

/// A group that stems from others.
struct Stem<'a> {
    suite: u16,
    id: &'a [u8],
    epoch: u64,
    extensions: Extensions,
    members: u32,
    psks: Vec<(PskId, Hash)>,
}

/// Its Welcome for us, who are its leaf 1, and its authenticator.
fn welcomed(stem: &Stem<'_>, us: &Client) -> Answer<(Vec<u8>, Hash)> {
    let founder = able(stem.suite, "founder of the next")?;
    let mut clients = vec![founder, us.clone()];
    for number in 2..stem.members {
        clients.push(able(stem.suite, &format!("member {number} of the next"))?);
    }
    let clients: Vec<&Client> = clients.iter().collect();
    let mut group = Group::of_clients(stem.id, &clients, stem.extensions.clone())?;
    group.context.epoch = stem.epoch;
    let ids: Vec<PskId> = stem.psks.iter().map(|(id, _)| id.clone()).collect();
    let keys: Vec<(Vec<u8>, Vec<u8>)> = stem
        .psks
        .iter()
        .map(|(id, key)| (id.encode(), key.to_vec()))
        .collect();
    group.again(psk_secret(&keys)?)?;
    let info = group.info(0, true, false)?;
    let secrets: &Secrets = &group.secrets;
    let invited = [(&us.package, None)];
    let welcome = welcome(group.suite, secrets, &info, &ids, &invited)?;
    Ok((welcome, secrets.authenticator))
}

/// We join it, with the old group at hand.
fn join(s: &mut Setting, stem: &Stem<'_>, us: &Client, rule: Option<Rule>) -> Answer<()> {
    let (message, authenticator) = welcomed(stem, us)?;
    let name = format!("us in {}", stem.suite);
    s.scene.client(&name, us);
    let joined = Joined {
        group: "next",
        client: &name,
        old_group: Some("group"),
        ..Joined::new(&message)
    };
    let expected = match rule {
        Some(rule) => Expected::Error(invalid(rule)),
        None => Expected::State(authenticator),
    };
    s.scene.join(&joined, expected);
    Ok(())
}

/// A resumption secret of the present epoch.
fn origin(group: &Group, usage: u8) -> (PskId, Hash) {
    let epoch = group.context.epoch;
    let id = PskId::Resumption(usage, GROUP.to_vec(), epoch, vec![usage; 32]);
    (id, group.secrets.resumption)
}

fn reinit(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::ReInitMismatch;
    let mut s = Setting::new()?;
    let extensions = || vec![(EXTENSION, b"of the next".to_vec())];
    let us = able(3, "us in the next")?;
    let stem = |psk: (PskId, Hash)| Stem {
        suite: 3,
        id: b"the next",
        epoch: 1,
        extensions: extensions(),
        members: 5,
        psks: vec![psk],
    };
    // It was not proposed yet.
    let before = origin(&s.group, REINIT);
    join(&mut s, &stem(before.clone()), &us, Some(rule))?;
    let proposal = Proposal::ReInit(b"the next".to_vec(), 1, 3, extensions());
    let plan = Plan {
        path: false,
        ..Plan::by(2, vec![Listed::value(proposal)])
    };
    s.commit(&plan)?;
    let psk = || origin(&s.group, REINIT);
    let (now, same_suite) = (psk(), able(1, "us in the next")?);
    let wrong = [
        stem(before),
        Stem {
            id: b"another one",
            ..stem(now.clone())
        },
        Stem {
            extensions: Vec::new(),
            ..stem(now.clone())
        },
        Stem {
            members: 4,
            ..stem(now.clone())
        },
        Stem {
            members: 6,
            ..stem(now.clone())
        },
    ];
    for wrong in wrong {
        join(&mut s, &wrong, &us, Some(rule))?;
    }
    let suite = Stem {
        suite: 1,
        ..stem(now.clone())
    };
    join(&mut s, &suite, &same_suite, Some(rule))?;
    join(&mut s, &stem(now), &us, None)?;
    let comment = "Before it was proposed; with the secret of the epoch before, another id, other extensions, fewer \
                   and more members, another suite; then as it was proposed, of suite 3 in place of one of suite 1.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn branch(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::BranchMismatch;
    let mut s = Setting::new()?;
    let psk = origin(&s.group, BRANCH);
    let stem = |suite, members| Stem {
        suite,
        id: b"a branch",
        epoch: 1,
        extensions: Vec::new(),
        members,
        psks: vec![psk.clone()],
    };
    let us = able(1, "us in the branch")?;
    for suite in [2, 3] {
        let other = able(suite, "us in the branch")?;
        join(&mut s, &stem(suite, 3), &other, Some(rule))?;
    }
    join(&mut s, &stem(1, 6), &us, Some(rule))?;
    join(&mut s, &stem(1, 3), &us, None)?;
    join(&mut s, &stem(1, 5), &us, None)?;
    let comment = "Other suites, more members than the group has; then three, and all.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn psks(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::WelcomePsk;
    let mut s = Setting::new()?;
    let (branch, reinit) = (origin(&s.group, BRANCH), origin(&s.group, REINIT));
    let mut again = branch.clone();
    if let PskId::Resumption(_, _, _, nonce) = &mut again.0 {
        *nonce = vec![1; 32];
    }
    let stem = |epoch, psks: &[&(PskId, Hash)]| Stem {
        suite: 1,
        id: b"a branch",
        epoch,
        extensions: Vec::new(),
        members: 3,
        psks: psks.iter().map(|psk| (*psk).clone()).collect(),
    };
    let us = able(1, "us in the branch")?;
    for psks in [[&branch, &again], [&branch, &reinit], [&reinit, &branch]] {
        join(&mut s, &stem(1, &psks), &us, Some(rule))?;
    }
    for epoch in [0, 2] {
        join(&mut s, &stem(epoch, &[&branch]), &us, Some(rule))?;
    }
    // One that the app uses may stand beside it.
    let app = origin(&s.group, 1);
    join(&mut s, &stem(1, &[&branch, &app]), &us, None)?;
    let comment = "Two of a branch, one of each, in either order; epochs 0 and 2. Then beside one that the app uses.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

//! Rules 44 to 46, 48 and 52: Welcomes.

use serde_json::json;
use subrosa::mls::Rule;

use super::*;
use crate::model::mls::client::Source;
use crate::model::mls::tree::Node;

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    suite(cases)?;
    secret(cases)?;
    leaf(cases)?;
    signer(cases)?;
    tree_missing(cases)?;
    added(cases)
}

fn refused(rule: Rule) -> Expected {
    Expected::Error(invalid(rule))
}

fn suite(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::WelcomeSuite;
    let mut s = Setting::new()?;
    let invited = [(&s.us.package, None)];
    let good = s.group.welcome(0, &invited)?;
    for suite in [2, 3] {
        let mut other = good.clone();
        if let Some(place) = other.get_mut(5) {
            *place = suite;
        }
        s.scene.join(&Joined::new(&other), refused(rule));
        // The group's own suite is another one.
        let mut group = s.group.clone();
        group.context.suite = u16::from(suite);
        group.again([0; 32])?;
        let other = group.welcome(0, &[(&s.us.package, None)])?;
        s.scene.join(&Joined::new(&other), refused(rule));
    }
    let state = Expected::State(s.group.secrets.authenticator);
    s.scene.join(&Joined::new(&good), state);
    let comment = "In front of the Welcome, and in the group's context.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

/// A group of four members of whom all have sent commits, to which one is added in the place of leaf 1.
fn filled(suite: u16) -> Answer<(Group, Made, Client)> {
    let mut clients = Vec::new();
    for name in ["founder", "one", "two", "three"] {
        clients.push(able(suite, name)?);
    }
    let members: Vec<&Client> = clients.iter().collect();
    let mut group = Group::of_clients(GROUP, &members, Vec::new())?;
    for leaf in [3, 2, 1, 0] {
        group = group.commit(&Plan::by(leaf, Vec::new()))?.next;
    }
    let removes = Listed::value(Proposal::Remove(1));
    group = group.commit(&Plan::by(0, vec![removes]))?.next;
    let us = able(suite, "us")?;
    group.know(&us.signer);
    let made = group.commit(&Plan::by(3, vec![add(&us)]))?;
    Ok((made.next.clone(), made, us))
}

fn secret(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::WelcomeSecret;
    let (group, made, us) = filled(1)?;
    let mut scene = Scene::default();
    scene.client("us", &us);
    let right = made.path_secret(US);
    // The secret of a node below, or above, or none of either.
    let below = made.path.first().map(|(_, secret)| *secret);
    for wrong in [Some([9; 32]), below] {
        let welcome = group.welcome(3, &[(&us.package, wrong)])?;
        scene.join(&Joined::new(&welcome), refused(rule));
    }
    let welcome = group.welcome(3, &[(&us.package, right)])?;
    let state = Expected::State(group.secrets.authenticator);
    scene.join(&Joined::new(&welcome), state);
    let mut s = Setting { scene, group, us };
    s.commit(&Plan::by(2, Vec::new()))?;
    s.commit(&Plan::by(0, Vec::new()))?;
    let comment =
        "Of no node, and of a node that is not ours; then the right one, with which we follow.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn leaf(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::WelcomeLeaf;
    let mut s = Setting::new()?;
    // Somebody else stands in our place, or our own key package with another leaf, or ourselves as we are after a
    // commit.
    let other = able(1, "other")?;
    let again = able_with(1, "us", |leaf| leaf.extensions = vec![(1, vec![1])])?;
    let mut later = s.us.package.leaf.clone();
    later.source = Source::Update;
    later.sign(s.group.suite, &s.us.signer, GROUP, US)?;
    for leaf in [
        other.package.leaf.clone(),
        again.package.leaf.clone(),
        later,
    ] {
        let mut group = s.group.clone();
        group.know(&other.signer);
        group.tree.set(2, Some(Node::Leaf(leaf)));
        group.again([0; 32])?;
        let welcome = group.welcome(0, &[(&s.us.package, None)])?;
        s.scene.join(&Joined::new(&welcome), refused(rule));
    }
    let mut group = s.group.clone();
    group.tree.remove(US);
    group.again([0; 32])?;
    let welcome = group.welcome(0, &[(&s.us.package, None)])?;
    s.scene.join(&Joined::new(&welcome), refused(rule));
    s.commit_list(Vec::new())?;
    let comment =
        "Another one in our place, our leaf of another key package and of an update, nobody.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn signer(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::WelcomeSigner;
    let mut s = Setting::new()?;
    let founder = s.group.signer(0)?;
    for leaf in [5, 7, 8, 1 << 30, u32::MAX] {
        let mut info = s.group.info(0, true, false)?;
        info.signer = leaf;
        info.sign(s.group.suite, &founder)?;
        let invited = [(&s.us.package, None)];
        let welcome = welcome(s.group.suite, &s.group.secrets, &info, &[], &invited)?;
        s.scene.join(&Joined::new(&welcome), refused(rule));
    }
    let welcome = s.group.welcome(4, &[(&s.us.package, None)])?;
    let state = Expected::State(s.group.secrets.authenticator);
    s.scene.join(&Joined::new(&welcome), state);
    s.done_rule(
        cases,
        rule,
        "Blank leaves and leaves of no tree; then a member.",
    );
    Ok(())
}

fn tree_missing(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::TreeMissing;
    let mut s = Setting::new()?;
    let info = s.group.info(0, false, false)?;
    let invited = [(&s.us.package, None)];
    let message = welcome(s.group.suite, &s.group.secrets, &info, &[], &invited)?;
    s.scene.join(&Joined::new(&message), refused(rule));
    s.scene.tree("the tree", &s.group.tree.encode());
    let joined = Joined {
        tree: Some("the tree"),
        ..Joined::new(&message)
    };
    let state = Expected::State(s.group.secrets.authenticator);
    s.scene.join(&joined, state);
    let new = able(1, "new")?;
    let mut outside = Scene::default();
    outside.client("us", &new);
    let info = s.group.info(0, false, true)?;
    outside.join_by_commit(&info, None, refused(rule));
    outside.tree("the tree", &s.group.tree.encode());
    outside.join_by_commit(&info, Some("the tree"), Expected::Done);
    s.done_rule(
        cases,
        rule,
        "A Welcome without the tree; then the tree beside it.",
    );
    outside.done(
        cases,
        "tree-missing-external",
        "§22.2 rule 52. A `GroupInfo` without the tree for an external commit; then the tree beside it.",
    );
    Ok(())
}

/// Ordinary joining with every suite, into a tree whose parents have keys.
fn added(cases: &mut Cases) -> Answer<()> {
    for suite in 1..=3 {
        let (group, made, us) = filled(suite)?;
        let mut scene = Scene::default();
        scene.client("us", &us);
        let message = group.welcome(3, &[(&us.package, made.path_secret(US))])?;
        let state = Expected::State(group.secrets.authenticator);
        scene.join(&Joined::new(&message), state);
        let mut s = Setting { scene, group, us };
        let new = able(suite, "new")?;
        s.commit(&Plan::by(2, vec![add(&new)]))?;
        s.group.know(&new.signer);
        s.restart();
        s.commit(&Plan::by(4, Vec::new()))?;
        s.commit(&Plan::by(0, vec![Listed::value(Proposal::Remove(2))]))?;
        let removes = Listed::value(Proposal::Remove(US));
        let made = s.group.commit(&Plan::by(3, vec![removes]))?;
        // Of the epoch in which we are no more, we know nothing.
        let state = Expected::State(s.group.secrets.authenticator);
        s.scene.process("group", &made.public(), state);
        s.group = made.next;
        let next = s.group.commit(&Plan::by(3, Vec::new()))?;
        s.refuse(&next.public(), "Over");
        s.scene
            .push(json!({"do": "restart", "group": "group"}), Expected::Done);
        s.refuse(&next.public(), "Over");
        let comment = "We join a tree in which every parent had a key, follow commits that add and remove others, \
                       also from what was stored, and are removed.";
        s.done(cases, &format!("joined-suite-{suite}"), comment);
    }
    Ok(())
}

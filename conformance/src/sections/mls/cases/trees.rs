//! Rules 34 to 37, and those of joining that concern the tree.

use subrosa::mls::Rule;

use super::*;
use crate::model::mls::group::RATCHET_TREE;
use crate::model::mls::schedule::Secrets;
use crate::model::mls::tree::{Node, Parent, encode_nodes};

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    hash(cases)?;
    shape(cases)?;
    unmerged(cases)
}

/// A Welcome with these bytes as its tree.
fn with_tree(s: &Setting, tree: Vec<u8>) -> Answer<Vec<u8>> {
    let group = &s.group;
    let mut info = group.info(0, false, false)?;
    info.extensions.push((RATCHET_TREE, tree));
    info.sign(group.suite, &group.signer(0)?)?;
    let invited = [(&s.us.package, None)];
    welcome(group.suite, &group.secrets, &info, &[], &invited)
}

fn refused(rule: Rule) -> Expected {
    Expected::Error(invalid(rule))
}

/// Trees in which a parent hash does not hold; the group's tree has some.
pub(super) fn parent_hashes(s: &mut Setting) -> Answer<()> {
    // Member 2 has sent a commit: 5, 3 and 7 are its nodes.
    let changes: [(usize, Change<'_, Parent>); 5] = [
        // The parent hash of a node, which the one above it has.
        (5, &|parent| parent.parent_hash = vec![7; 32]),
        (3, &|parent| parent.parent_hash.clear()),
        // A key, which is in the hash that the one below has.
        (3, &|parent| parent.key = other_key()),
        (7, &|parent| parent.key = other_key()),
        (7, &|parent| parent.parent_hash = vec![1; 32]),
    ];
    for (node, change) in changes {
        let mut group = s.group.clone();
        let mut parent = group.tree.parent(node).cloned().unwrap_or_default();
        change(&mut parent);
        group.tree.set(node, Some(Node::Parent(parent)));
        join(s, group, refused(Rule::ParentHash))?;
    }
    // Another leaf beside a node's path, and a parent that nobody has set.
    let mut group = s.group.clone();
    let another = able(1, "another one")?;
    group.know(&another.signer);
    let leaf = another.package.leaf.clone();
    group.tree.set(6, Some(Node::Leaf(leaf)));
    join(s, group, refused(Rule::ParentHash))?;
    let mut group = s.group.clone();
    let parent = Parent {
        key: other_key(),
        ..Parent::default()
    };
    group.tree.set(1, Some(Node::Parent(parent)));
    join(s, group, refused(Rule::ParentHash))?;
    let group = s.group.clone();
    let state = Expected::State(group.secrets.authenticator);
    join(s, group, state)
}

fn other_key() -> Vec<u8> {
    Suite::of(1).pair(b"another key").unwrap_or_default().public
}

/// We join a group as it is, signed by its founder.
fn join(s: &mut Setting, mut group: Group, expected: Expected) -> Answer<()> {
    if matches!(expected, Expected::Error(_)) {
        group.again([0; 32])?;
    }
    let welcome = group.welcome(0, &[(&s.us.package, None)])?;
    let joined = Joined {
        group: "other",
        ..Joined::new(&welcome)
    };
    s.scene.join(&joined, expected);
    Ok(())
}

fn hash(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::TreeHash;
    let mut s = Setting::new()?;
    for hash in [vec![7; 32], Vec::new(), flipped(&s.group.context.tree_hash)] {
        let mut group = s.group.clone();
        group.context.tree_hash = hash;
        let context = group.context.encode();
        group.secrets = Secrets::new(group.secrets.joiner, [0; 32], &context)?;
        group.confirm();
        let welcome = group.welcome(0, &[(&s.us.package, None)])?;
        s.scene.join(&Joined::new(&welcome), refused(rule));
    }
    // A tree of another epoch that came otherwise.
    let made = s.group.clone().commit(&Plan::by(2, Vec::new()))?;
    s.scene.tree("the next", &made.next.tree.encode());
    s.scene.tree("the present", &s.group.tree.encode());
    let info = s.group.info(0, false, false)?;
    let invited = [(&s.us.package, None)];
    let message = welcome(s.group.suite, &s.group.secrets, &info, &[], &invited)?;
    for (tree, expected) in [
        ("the next", refused(rule)),
        (
            "the present",
            Expected::State(s.group.secrets.authenticator),
        ),
    ] {
        let joined = Joined {
            tree: Some(tree),
            ..Joined::new(&message)
        };
        s.scene.join(&joined, expected);
    }
    let comment =
        "Another hash in the group's context; the tree of another epoch; then the right one.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn shape(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::TreeShape;
    let mut s = Setting::new()?;
    s.commit_list(Vec::new())?;
    let nodes = |s: &Setting| {
        let mut nodes = s.group.tree.0.clone();
        nodes.truncate(9);
        nodes
    };
    let whole = nodes(&s);
    let blank_end = [whole.clone(), vec![None]].concat();
    let blanks = [whole.clone(), vec![None; 6]].concat();
    let leaf = whole.first().cloned().flatten();
    let parent = whole.get(5).cloned().flatten();
    let mut leaf_above = whole.clone();
    let mut parent_below = whole.clone();
    if let (Some(above), Some(below)) = (leaf_above.get_mut(1), parent_below.get_mut(6)) {
        above.clone_from(&leaf);
        below.clone_from(&parent);
    }
    for nodes in [
        Vec::new(),
        vec![None],
        blank_end,
        blanks,
        leaf_above,
        parent_below,
    ] {
        let welcome = with_tree(&s, encode_nodes(nodes.iter()))?;
        s.scene.join(&Joined::new(&welcome), refused(rule));
    }
    let welcome = with_tree(&s, encode_nodes(whole.iter()))?;
    let state = Expected::State(s.group.secrets.authenticator);
    s.scene.join(&Joined::new(&welcome), state);
    let comment = "Empty; one blank node; a blank node at the end, or as many as make it whole; a leaf where a parent \
                   stands; a parent where a leaf does.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

/// A group of the leaves 0 to 6 but 5 and of leaf 5, which came last, so that it is unmerged at 11 and 7.
fn with_unmerged() -> Answer<(Group, Client)> {
    let mut clients = Vec::new();
    for number in 0..7 {
        clients.push(able(1, &format!("member {number}"))?);
    }
    let members: Vec<&Client> = clients.iter().collect();
    let mut group = Group::of_clients(GROUP, &members, Vec::new())?;
    let removes = Listed::value(Proposal::Remove(5));
    group = group.commit(&Plan::by(6, vec![removes]))?.next;
    let us = able(1, "us")?;
    let other = able(1, "other")?;
    group.know(&us.signer);
    group.know(&other.signer);
    let plan = Plan {
        path: false,
        ..Plan::by(6, vec![add(&us), add(&other)])
    };
    Ok((group.commit(&plan)?.next, us))
}

fn unmerged(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::UnmergedLeaves;
    let (group, us) = with_unmerged()?;
    let mut scene = Scene::default();
    scene.client("us", &us);
    // Leaves 5 and 7 are unmerged at 11 and at 7, and 7 is below 13 as well, which has no key.
    let lists: [(usize, &[u32]); 8] = [
        (11, &[7, 5]),
        (11, &[5, 5, 7]),
        (7, &[7, 5]),
        (11, &[0, 5, 7]),
        (7, &[5, 7, 8]),
        (7, &[5, 7, u32::MAX]),
        (11, &[]),
        (11, &[7]),
    ];
    for (node, list) in lists {
        let mut group = group.clone();
        let mut parent = group.tree.parent(node).cloned().unwrap_or_default();
        parent.unmerged = list.to_vec();
        group.tree.set(node, Some(Node::Parent(parent)));
        group.again([0; 32])?;
        let welcome = group.welcome(0, &[(&us.package, None)])?;
        scene.join(&Joined::new(&welcome), refused(rule));
    }
    // One of them is blank.
    let mut blank = group.clone();
    blank.tree.set(14, None);
    blank.again([0; 32])?;
    let welcome = blank.welcome(0, &[(&us.package, None)])?;
    scene.join(&Joined::new(&welcome), refused(rule));
    let welcome = group.welcome(0, &[(&us.package, None)])?;
    let state = Expected::State(group.secrets.authenticator);
    scene.join(&Joined::new(&welcome), state);
    let comment = "Not sorted, twice one, leaves elsewhere and of no tree, lists that a parent between does not have, \
                   a blank leaf; then as it should be.";
    done_rule(scene, cases, rule, comment);
    Ok(())
}

//! Rules 30 to 34, and 41 to 43: paths and messages.

use subrosa::mls::Rule;

use super::*;
use crate::model::mls::client::Source;
use crate::model::mls::commit::PathNode;
use crate::model::mls::message::{Sender, Signed};

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    path_missing(cases)?;
    path_length(cases)?;
    path_key(cases)?;
    path_secret(cases)?;
    parent_hash(cases)?;
    application_in_clear(cases)?;
    sender_content(cases)?;
    padding(cases)
}

fn path_missing(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::PathMissing;
    let mut s = Setting::new()?;
    let leaf = s.group.updated(3, |_| {})?;
    let update = s.propose(3, Proposal::Update(Box::new(leaf)))?;
    let value = Listed::value;
    let new = add(&able(1, "new")?);
    let without = [
        Vec::new(),
        vec![value(Proposal::Remove(4))],
        vec![new.clone(), value(Proposal::Remove(4))],
        vec![update],
        vec![value(Proposal::Extensions(vec![(EXTENSION, vec![1])]))],
        vec![value(Proposal::Other(PROPOSAL, vec![1]))],
    ];
    for listed in without {
        let plan = Plan {
            path: false,
            ..Plan::by(2, listed)
        };
        s.refuse_commit(rule, &plan)?;
    }
    let joiner = able(1, "joiner")?;
    let (external, init) = s.group.external_init()?;
    let plan = Plan {
        path: false,
        ..Plan::joining(&joiner, vec![value(external)], init)
    };
    s.refuse_commit(rule, &plan)?;
    let plan = Plan {
        path: false,
        ..Plan::by(2, vec![new])
    };
    s.commit(&plan)?;
    s.commit_list(vec![value(Proposal::Remove(4))])?;
    let comment = "No proposals; a remove; with an Add; an update; extensions; a proposal of the app; an external \
                   commit. Then an Add, which needs none, and the remove with one.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn path_length(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::PathLength;
    let mut s = Setting::new()?;
    // Filtered: nobody is at the leaves 5 to 7.
    let changes: [Change<'_, Vec<PathNode>>; 6] = [
        &|nodes| drop(nodes.pop()),
        &|nodes| nodes.clear(),
        &|nodes| {
            let mut more = nodes.last().cloned();
            if let Some(node) = &mut more {
                node.key = Suite::of(1).pair(b"one more").unwrap_or_default().public;
            }
            nodes.extend(more);
        },
        &|nodes| each_node(nodes, |sealed| drop(sealed.pop())),
        &|nodes| {
            each_node(nodes, |sealed| {
                let more = sealed.last().cloned();
                sealed.extend(more);
            });
        },
        &|nodes| each_node(nodes, Vec::clear),
    ];
    for change in changes {
        let plan = Plan {
            nodes: change,
            ..Plan::by(2, Vec::new())
        };
        s.refuse_commit(rule, &plan)?;
    }
    // One for a leaf that is new in this commit is one too many.
    let new = able(1, "new")?;
    let last_twice = |nodes: &mut Vec<PathNode>| {
        if let Some(node) = nodes.last_mut() {
            let more = node.sealed.last().cloned();
            node.sealed.extend(more);
        }
    };
    let plan = Plan {
        nodes: &last_twice,
        ..Plan::by(2, vec![add(&new)])
    };
    s.refuse_commit(rule, &plan)?;
    s.commit_list(vec![add(&new)])?;
    let comment = "A node too few, none, one too many; a ciphertext too few, too many, none; one for a leaf that is \
                   new.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn each_node(nodes: &mut [PathNode], change: impl Fn(&mut Vec<Vec<u8>>)) {
    for node in nodes {
        change(&mut node.sealed);
    }
}

fn path_key(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::PathKey;
    let mut s = Setting::new()?;
    s.commit_list(Vec::new())?;
    // Of a leaf, of the node itself as it was, of another node, of a node that this path replaces.
    for (place, node) in [(0, 8), (0, 5), (0, 3), (1, 7)] {
        let taken = s.group.tree.key(node).unwrap_or_default().to_vec();
        let change = |number: usize, key: &mut Vec<u8>| {
            if number == place {
                key.clone_from(&taken);
            }
        };
        let plan = Plan {
            key: &change,
            ..Plan::by(2, Vec::new())
        };
        s.refuse_commit(rule, &plan)?;
    }
    // One key for two nodes.
    let same = s.group.suite.pair(b"the same")?.public;
    let change = |number: usize, key: &mut Vec<u8>| {
        if number > 0 {
            key.clone_from(&same);
        }
    };
    let plan = Plan {
        key: &change,
        ..Plan::by(2, Vec::new())
    };
    s.refuse_commit(rule, &plan)?;
    s.commit_list(Vec::new())?;
    let comment = "The key of a leaf, of the node that is replaced, of others above it; one key for two nodes.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn path_secret(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::PathSecret;
    let mut s = Setting::new()?;
    let wrong = |number: usize, secret: &mut Hash| {
        if number == 1 {
            *secret = [9; 32];
        }
    };
    let plan = Plan {
        sent: &wrong,
        ..Plan::by(2, Vec::new())
    };
    s.refuse_commit(rule, &plan)?;
    // Of a node above the one whose secret we get.
    let other = s.group.suite.pair(b"another one")?.public;
    let change = |number: usize, key: &mut Vec<u8>| {
        if number == 2 {
            key.clone_from(&other);
        }
    };
    let plan = Plan {
        key: &change,
        ..Plan::by(2, Vec::new())
    };
    s.refuse_commit(rule, &plan)?;
    s.commit_list(Vec::new())?;
    let comment = "Another secret for our node; another public key of the node above ours.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn parent_hash(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::ParentHash;
    let mut s = Setting::new()?;
    for hash in [vec![7; 32], Vec::new(), vec![7; 31]] {
        let plan = Plan {
            leaf: &|leaf| leaf.source = Source::Commit(hash.clone()),
            ..Plan::by(2, Vec::new())
        };
        s.refuse_commit(rule, &plan)?;
    }
    s.commit_list(Vec::new())?;
    super::trees::parent_hashes(&mut s)?;
    let comment = "Of a path's leaf: another one, none, one of another length. In trees: at a parent whose parent \
                   hash was altered, whose sibling was, or which nobody below has set.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn application_in_clear(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::ApplicationInClear;
    let mut s = Setting::new()?;
    let content = || Content::Application(b"hello".to_vec());
    let signed = s.group.signed(2, Format::Public, content())?;
    s.refuse(&s.group.public(&signed), &invalid(rule));
    let signed = s.group.signed(2, Format::Private, content())?;
    let message = s.group.private(&signed, &Encryption::of(0))?;
    let text = Expected::Text(2, "hello".to_owned());
    s.scene.process("group", &message, text);
    s.done_rule(
        cases,
        rule,
        "Signed and tagged as it should be; then encrypted.",
    );
    Ok(())
}

fn sender_content(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::SenderContent;
    let server = Suite::of(1).signer([0x5e; 32])?;
    let mut s = Setting::with(1, vec![super::lists::senders(&server)])?;
    let made = s.group.commit(&Plan::by(2, Vec::new()))?;
    let commit = || made.signed.content.clone();
    let new = able(1, "new")?;
    let adds = || Content::Proposal(Proposal::Add(Box::new(new.package.clone())));
    let removes = || Content::Proposal(Proposal::Remove(4));
    let may_not = [
        (Sender::External(0), commit(), &server),
        (Sender::NewMemberProposal, commit(), &new.signer),
        (Sender::NewMemberProposal, removes(), &new.signer),
        (Sender::NewMemberCommit, adds(), &new.signer),
    ];
    let context = s.group.context.clone();
    let suite = s.group.suite;
    for (sender, content, signer) in may_not {
        let is_commit = matches!(content, Content::Commit(_));
        let mut signed = Signed::new(suite, &context, Format::Public, sender, content, signer)?;
        signed.tag = is_commit.then(|| vec![0; 32]);
        s.refuse(&signed.public(&[]), &invalid(rule));
    }
    let sender = Sender::NewMemberProposal;
    let signed = Signed::new(suite, &context, Format::Public, sender, adds(), &new.signer)?;
    s.pass(&signed.public(&[]));
    let listed = Listed {
        reference: Some(signed.reference()),
        ..add(&new)
    };
    s.commit_list(vec![listed])?;
    let comment = "A commit of an external sender, and of who asks to be added; a remove of the latter; a proposal of \
                   who joins by a commit. Then somebody asks to be added, and is.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn padding(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::Padding;
    let mut s = Setting::new()?;
    let text = s
        .group
        .signed(2, Format::Private, Content::Application(b"hello".to_vec()))?;
    let proposal = s
        .group
        .signed(2, Format::Private, Content::Proposal(Proposal::Remove(4)))?;
    let plan = Plan {
        format: Format::Private,
        ..Plan::by(2, Vec::new())
    };
    let made = s.group.commit(&plan)?;
    for padding in [
        vec![1],
        vec![0, 0, 1],
        vec![0x80, 0],
        [vec![1], vec![0; 99]].concat(),
    ] {
        for signed in [&text, &proposal, &made.signed] {
            let with = Encryption {
                padding: padding.clone(),
                ..Encryption::of(0)
            };
            let message = s.group.private(signed, &with)?;
            s.refuse(&message, &invalid(rule));
        }
    }
    for (generation, length) in [(0, 0), (1, 1), (2, 1_000)] {
        let with = Encryption {
            padding: vec![0; length],
            ..Encryption::of(generation)
        };
        let message = s.group.private(&text, &with)?;
        let text = Expected::Text(2, "hello".to_owned());
        s.scene.process("group", &message, text);
    }
    let with = Encryption::of(0);
    s.pass(&s.group.private(&proposal, &with)?);
    let state = Expected::State(made.next.secrets.authenticator);
    s.scene.process("group", &made.private(1)?, state);
    let comment = "Paddings that are not zero, of data, a proposal and a commit; then of 0, 1 and 1,000 zeros, with \
                   the keys that the others would have used up.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

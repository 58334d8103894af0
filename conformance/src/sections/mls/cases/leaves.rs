//! Rules 1 to 11: leaves, in key packages, updates, paths and trees.

use subrosa::mls::Rule;

use super::*;
use crate::model::mls::client::Source;
use crate::model::mls::tree::Node;
use crate::model::mls::vector;

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    signature(cases)?;
    source(cases)?;
    required_capabilities(cases)?;
    credential(cases)?;
    lifetime(cases)?;
    extension(cases)?;
    suite(cases)?;
    old_key(cases)?;
    duplicate_key(cases)?;
    duplicate_extension(cases)?;
    unsupported_extension(cases)
}

/// The client of a change to its leaf.
fn changed(name: &str, change: impl FnOnce(&mut Leaf)) -> Answer<Client> {
    able_with(1, name, change)
}

/// An update of member 3 with a change, as a proposal.
fn update(setting: &mut Setting, change: impl FnOnce(&mut Leaf)) -> Answer<Proposal> {
    Ok(Proposal::Update(Box::new(
        setting.group.updated(3, change)?,
    )))
}

/// Adds of a leaf, updates to it that are seen through only when they are committed, and paths with it, all of them
/// refused.
fn refuse_everywhere(
    setting: &mut Setting,
    rule: Rule,
    name: &str,
    change: Change<'_, Leaf>,
) -> Answer<()> {
    let client = changed(name, change)?;
    setting.refuse_list(rule, vec![add(&client)])?;
    let proposal = update(setting, change)?;
    let listed = setting.propose(3, proposal)?;
    setting.refuse_list(rule, vec![listed])?;
    let plan = Plan {
        leaf: change,
        ..Plan::by(2, Vec::new())
    };
    setting.refuse_commit(rule, &plan)
}

/// A Welcome to a group in which the leaf of member 3 was replaced.
fn join_with(setting: &mut Setting, leaf: &Client, expected: Option<Rule>) -> Answer<()> {
    let mut group = setting.group.clone();
    group.know(&leaf.signer);
    let node = Node::Leaf(leaf.package.leaf.clone());
    group.tree.set(6, Some(node));
    group.again([0; 32])?;
    let welcome = group.welcome(0, &[(&setting.us.package, None)])?;
    let joined = Joined {
        group: "other",
        ..Joined::new(&welcome)
    };
    let expected = match expected {
        Some(rule) => Expected::Error(invalid(rule)),
        None => Expected::State(group.secrets.authenticator),
    };
    setting.scene.join(&joined, expected);
    Ok(())
}

fn signature(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::LeafSignature;
    let mut s = Setting::new()?;
    let (good, other) = (able(1, "new")?, able(1, "newer")?);
    let mut bad = good.clone();
    bad.package = good.package_with(|package| {
        package.leaf.signature = flipped(&package.leaf.signature);
    })?;
    s.refuse_list(rule, vec![add(&bad)])?;
    // Where several are verified together.
    s.refuse_list(rule, vec![add(&other), add(&bad)])?;
    let mut leaf = s.group.updated(3, |_| {})?;
    leaf.signature = flipped(&leaf.signature);
    s.refuse_proposal(rule, 3, Proposal::Update(Box::new(leaf)))?;
    // Of another place, and of another group.
    let signer = s.group.signer(3)?;
    for (group, place) in [(GROUP, 2), (b"another group".as_slice(), 3)] {
        let mut leaf = s.group.updated(3, |_| {})?;
        leaf.sign(s.group.suite, &signer, group, place)?;
        s.refuse_proposal(rule, 3, Proposal::Update(Box::new(leaf)))?;
    }
    let plan = Plan {
        signed_leaf: &|leaf| leaf.signature = flipped(&leaf.signature),
        ..Plan::by(2, Vec::new())
    };
    s.refuse_commit(rule, &plan)?;
    let mut three = able(1, "three again")?;
    join_with(&mut s, &three, None)?;
    three.package.leaf.signature = flipped(&three.package.leaf.signature);
    join_with(&mut s, &three, Some(rule))?;
    let proposal = update(&mut s, |_| {})?;
    let update = s.propose(3, proposal)?;
    s.commit_list(vec![update, add(&good), add(&other)])?;
    let comment = "An Add, two of which one is bad, updates (altered, for another place, for another group), the leaf \
                   of a path, a tree.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn source(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::LeafSource;
    let mut s = Setting::new()?;
    let of_commit = Source::Commit(vec![7; 32]);
    let of_package = Source::KeyPackage(LIFETIME.0, LIFETIME.1);
    for (number, source) in [Source::Update, of_commit.clone()].into_iter().enumerate() {
        let name = format!("new {number}");
        let client = changed(&name, |leaf| leaf.source = source)?;
        s.refuse_list(rule, vec![add(&client)])?;
    }
    for source in [of_package.clone(), of_commit] {
        let proposal = update(&mut s, |leaf| leaf.source = source)?;
        s.refuse_proposal(rule, 3, proposal)?;
    }
    for source in [of_package, Source::Update] {
        let plan = Plan {
            leaf: &|leaf| leaf.source = source.clone(),
            ..Plan::by(2, Vec::new())
        };
        s.refuse_commit(rule, &plan)?;
    }
    s.commit_list(vec![add(&able(1, "new")?)])?;
    let comment = "An Add of a leaf of an update and of a commit; an update and a path with leaves of others.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn required_capabilities(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::LeafRequiredCapabilities;
    let mut s = Setting::with(1, vec![required(&[EXTENSION], &[PROPOSAL], &[1])])?;
    let changes: [(&str, Change<'_, Leaf>); 2] = [
        ("no extension", &|leaf| {
            leaf.capabilities.extensions = vec![10]
        }),
        ("no proposal", &|leaf| leaf.capabilities.proposals.clear()),
    ];
    for (name, change) in changes {
        refuse_everywhere(&mut s, rule, name, change)?;
        let client = changed(&format!("three, {name}"), change)?;
        join_with(&mut s, &client, Some(rule))?;
    }
    let proposal = update(&mut s, |_| {})?;
    let update = s.propose(3, proposal)?;
    s.commit_list(vec![update, add(&able(1, "new")?)])?;
    let comment = "The group requires an extension and a proposal: leaves that lack one of them in Adds, updates, \
                   paths, trees.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn credential(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::LeafCredential;
    let mut s = Setting::new()?;
    let x509 = || (2, vector(b"a certificate"));
    // Its own type is not listed.
    let own = changed("own", |leaf| {
        leaf.credential = x509();
        leaf.capabilities.credentials = vec![1];
    })?;
    s.refuse_list(rule, vec![add(&own)])?;
    join_with(&mut s, &own, Some(rule))?;
    // A type that the others do not know; one that knows no type of the others.
    let strange = |leaf: &mut Leaf| {
        leaf.credential = (STRANGE_CREDENTIAL, b"strange".to_vec());
        leaf.capabilities.credentials.push(STRANGE_CREDENTIAL);
    };
    let narrow = |leaf: &mut Leaf| {
        leaf.credential = x509();
        leaf.capabilities.credentials = vec![2];
    };
    let changes: [(&str, Change<'_, Leaf>); 2] = [("strange", &strange), ("narrow", &narrow)];
    for (name, change) in changes {
        refuse_everywhere(&mut s, rule, name, change)?;
        let client = changed(&format!("three, {name}"), change)?;
        join_with(&mut s, &client, Some(rule))?;
    }
    let good = changed("x509", |leaf| leaf.credential = x509())?;
    s.commit_list(vec![add(&good)])?;
    let comment = "A credential that the leaf itself does not list, one that the others do not, a leaf that does not \
                   list that of the others; then an X.509 credential that all list.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn lifetime(cases: &mut Cases) -> Answer<()> {
    const LONGEST: u64 = 31_708_800;
    let rule = Rule::LeafLifetime;
    let mut s = Setting::new()?;
    let client = |name: &str, lifetime| Client::new(Suite::of(1), name, lifetime);
    let bad = [
        (NOW - 10, NOW - 1),
        (NOW + 1, NOW + 10),
        (NOW, NOW + LONGEST + 1),
        (0, u64::MAX),
        (NOW + 1, NOW - 1),
    ];
    for (number, lifetime) in bad.into_iter().enumerate() {
        let bad = client(&format!("bad {number}"), lifetime)?;
        s.refuse_list(rule, vec![add(&bad)])?;
        let (message, _) = s
            .group
            .propose(3, Proposal::Add(Box::new(bad.package.clone())))?;
        s.refuse(&message, &invalid(rule));
        join_with(&mut s, &bad, Some(rule))?;
    }
    let now = client("now", (NOW, NOW))?;
    join_with(&mut s, &now, None)?;
    let long = client("long", (NOW, NOW + LONGEST))?;
    let past = client("past", (NOW - LONGEST, NOW))?;
    s.commit_list(vec![add(&now), add(&long), add(&past)])?;
    let comment = "Over, not begun, a second too long, endless, backward: in an Add and in a tree; then one of a \
                   single second, and two of the greatest length, at their first and at their last second.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn extension(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::LeafExtension;
    let mut s = Setting::new()?;
    let has = |leaf: &mut Leaf| leaf.extensions = vec![(STRANGE_EXTENSION, vec![1])];
    s.refuse_list(rule, vec![add(&changed("new", has)?)])?;
    let proposal = update(&mut s, has)?;
    s.refuse_proposal(rule, 3, proposal)?;
    let plan = Plan {
        leaf: &has,
        ..Plan::by(2, Vec::new())
    };
    s.refuse_commit(rule, &plan)?;
    join_with(&mut s, &changed("three again", has)?, Some(rule))?;
    let lists = |leaf: &mut Leaf| {
        leaf.extensions = vec![(STRANGE_EXTENSION, vec![1]), (1, b"the app's id".to_vec())];
        leaf.capabilities.extensions.push(STRANGE_EXTENSION);
    };
    let proposal = update(&mut s, lists)?;
    let update = s.propose(3, proposal)?;
    s.commit_list(vec![update, add(&changed("newer", lists)?)])?;
    let comment = "An extension of a leaf that it does not list; then one that it lists, and `application_id`, which \
                   nobody does.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn suite(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::LeafSuite;
    let mut s = Setting::new()?;
    let changes: [(&str, Change<'_, Leaf>); 2] = [
        ("suite", &|leaf| leaf.capabilities.suites = vec![2, 3]),
        ("version", &|leaf| leaf.capabilities.versions = vec![2]),
    ];
    for (name, change) in changes {
        refuse_everywhere(&mut s, rule, name, change)?;
        let client = changed(&format!("three, {name}"), change)?;
        join_with(&mut s, &client, Some(rule))?;
    }
    let client = changed("new", |leaf| {
        leaf.capabilities.suites = vec![0x0a0a, 1, 77];
        leaf.capabilities.versions = vec![1, 0x5a5a];
    })?;
    s.commit_list(vec![add(&client)])?;
    let comment =
        "Capabilities without the group's suite or version; then with it among unknown ones.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn old_key(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::LeafOldKey;
    let mut s = Setting::new()?;
    let key = |s: &Setting, leaf| {
        let leaf = s.group.tree.leaf(leaf);
        leaf.map(|leaf| leaf.encryption_key.clone())
            .unwrap_or_default()
    };
    let (two, three) = (key(&s, 2), key(&s, 3));
    let proposal = update(&mut s, |leaf| leaf.encryption_key = three)?;
    let listed = s.propose(3, proposal)?;
    s.refuse_list(rule, vec![listed])?;
    let plan = Plan {
        leaf: &|leaf| leaf.encryption_key.clone_from(&two),
        ..Plan::by(2, Vec::new())
    };
    s.refuse_commit(rule, &plan)?;
    let proposal = update(&mut s, |_| {})?;
    let listed = s.propose(3, proposal)?;
    s.commit_list(vec![listed])?;
    s.done_rule(
        cases,
        rule,
        "An update and a path that leave the leaf's key as it is.",
    );
    Ok(())
}

fn duplicate_key(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::DuplicateKey;
    let mut s = Setting::new()?;
    s.commit_list(Vec::new())?;
    let key = |s: &Setting, node| s.group.tree.key(node).unwrap_or_default().to_vec();
    let (leaf, parent, signature) = (key(&s, 8), key(&s, 3), s.group.signer(4)?);
    for (name, taken) in [("leaf", &leaf), ("parent", &parent)] {
        let client = changed(name, |leaf| leaf.encryption_key.clone_from(taken))?;
        s.refuse_list(rule, vec![add(&client)])?;
    }
    let one = able(1, "one")?;
    let same = changed("same", |leaf| {
        leaf.encryption_key.clone_from(&one.encryption.public);
    })?;
    s.refuse_list(rule, vec![add(&one), add(&same)])?;
    // An update and a path with the encryption key of another member, and with its signature key.
    let proposal = update(&mut s, |new| new.encryption_key.clone_from(&leaf))?;
    let listed = s.propose(3, proposal)?;
    s.refuse_list(rule, vec![listed])?;
    let plan = Plan {
        leaf: &|new| new.encryption_key.clone_from(&leaf),
        ..Plan::by(2, Vec::new())
    };
    s.refuse_commit(rule, &plan)?;
    let suite = s.group.suite;
    let mut taking = s.group.updated(3, |_| {})?;
    taking.signature_key.clone_from(&signature.public);
    taking.sign(suite, &signature, GROUP, 3)?;
    let listed = s.propose(3, Proposal::Update(Box::new(taking)))?;
    s.refuse_list(rule, vec![listed])?;
    let plan = Plan {
        signed_leaf: &|leaf| {
            leaf.signature_key.clone_from(&signature.public);
            // A leaf that is not signed is refused for that, and the case with it.
            let _ = leaf.sign(suite, &signature, GROUP, 2);
        },
        ..Plan::by(2, Vec::new())
    };
    s.refuse_commit(rule, &plan)?;
    let three = changed("three", |new| new.encryption_key.clone_from(&leaf))?;
    join_with(&mut s, &three, Some(rule))?;
    let mut three = able(1, "three")?;
    three.signer.clone_from(&signature);
    three
        .package
        .leaf
        .signature_key
        .clone_from(&signature.public);
    three.sign()?;
    join_with(&mut s, &three, Some(rule))?;
    s.commit_list(vec![add(&one), add(&able(1, "newer")?)])?;
    let comment = "The encryption key of a leaf or of a parent once more in an Add, two Adds with one, an update or a \
                   path with another member's encryption or signature key, and trees with either.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn duplicate_extension(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::DuplicateExtension;
    let mut s = Setting::new()?;
    let twice = || vec![(EXTENSION, vec![1]), (EXTENSION, vec![2])];
    let has = |leaf: &mut Leaf| leaf.extensions = twice();
    s.refuse_list(rule, vec![add(&changed("new", has)?)])?;
    let mut client = able(1, "newer")?;
    client.package = client.package_with(|package| package.extensions = twice())?;
    s.refuse_list(rule, vec![add(&client)])?;
    let proposal = update(&mut s, has)?;
    s.refuse_proposal(rule, 3, proposal)?;
    s.refuse_proposal(rule, 3, Proposal::Extensions(twice()))?;
    s.refuse_list(rule, vec![Listed::value(Proposal::Extensions(twice()))])?;
    let plan = Plan {
        leaf: &has,
        ..Plan::by(2, Vec::new())
    };
    s.refuse_commit(rule, &plan)?;
    join_with(&mut s, &changed("three again", has)?, Some(rule))?;
    // Of the group's context, and of its information.
    let mut group = s.group.clone();
    group.context.extensions = twice();
    group.again([0; 32])?;
    let welcome = group.welcome(0, &[(&s.us.package, None)])?;
    let refused = || Expected::Error(invalid(rule));
    s.scene.join(&Joined::new(&welcome), refused());
    let group = s.group.clone();
    let mut info = group.info(0, true, false)?;
    info.extensions.extend(twice());
    info.sign(group.suite, &group.signer(0)?)?;
    let invited = [(&s.us.package, None)];
    let welcome = super::welcome(group.suite, &group.secrets, &info, &[], &invited)?;
    s.scene.join(&Joined::new(&welcome), refused());
    let one = Proposal::Extensions(vec![(EXTENSION, vec![1])]);
    s.commit_list(vec![Listed::value(one)])?;
    let comment = "Two extensions of one type in a leaf, a key package, a proposal, a tree, the group's context and \
                   its information.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn unsupported_extension(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::UnsupportedExtension;
    let mut s = Setting::with(1, vec![(EXTENSION, Vec::new())])?;
    let strange = Proposal::Extensions(vec![(STRANGE_EXTENSION, vec![1])]);
    s.refuse_list(rule, vec![Listed::value(strange)])?;
    let lacks: Change<'_, Leaf> = &|leaf| leaf.capabilities.extensions = vec![10];
    refuse_everywhere(&mut s, rule, "lacks", lacks)?;
    join_with(&mut s, &changed("three, lacks", lacks)?, Some(rule))?;
    // We ourselves lack it.
    let (founder, us) = (able(1, "founder")?, plain(1, "plain")?);
    let other = Group::of_clients(b"other", &[&founder, &us], vec![(EXTENSION, Vec::new())])?;
    let welcome = other.welcome(0, &[(&us.package, None)])?;
    s.scene.client("plain", &us);
    let joined = Joined {
        client: "plain",
        group: "other",
        ..Joined::new(&welcome)
    };
    s.scene.join(&joined, Expected::Error(invalid(rule)));
    let known = vec![(EXTENSION, vec![2]), (1, vec![3])];
    s.commit_list(vec![Listed::value(Proposal::Extensions(known))])?;
    let comment = "The group's extensions replaced by one that nobody supports; leaves that do not support the one in \
                   use; then another value of it, and one of a type that everybody has.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

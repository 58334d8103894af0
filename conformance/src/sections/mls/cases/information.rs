//! What a client refuses that joins by a commit, and Welcomes with pre-shared keys.

use subrosa::mls::Rule;

use super::*;
use crate::model::mls::group::{EXTERNAL_PUB, RATCHET_TREE};
use crate::model::mls::schedule::{Secrets, psk_secret};
use crate::model::mls::tree::{Node, encode_nodes};
use crate::model::mls::vector;

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    for suite in 1..=3 {
        external(cases, suite)?;
    }
    with_psks(cases)?;
    capabilities(cases)?;
    over(cases)
}

/// A group that a client wants to join by a commit, and what it is told instead.
struct Outside {
    scene: Scene,
    group: Group,
}

impl Outside {
    /// The information with a change, signed by the founder.
    fn refuse(&mut self, error: &str, change: impl FnOnce(&mut Info)) -> Answer<()> {
        let mut info = self.group.info(0, true, true)?;
        change(&mut info);
        info.sign(self.group.suite, &self.group.signer(0)?)?;
        let expected = Expected::Error(error.to_owned());
        self.scene.join_by_commit(&info, None, expected);
        Ok(())
    }

    /// The information of a group with a change.
    fn refuse_group(&mut self, rule: Rule, change: impl FnOnce(&mut Group)) -> Answer<()> {
        let mut group = self.group.clone();
        change(&mut group);
        group.again([0; 32])?;
        let info = group.info(0, true, true)?;
        let expected = Expected::Error(invalid(rule));
        self.scene.join_by_commit(&info, None, expected);
        Ok(())
    }
}

fn replace(info: &mut Info, kind: u16, value: Vec<u8>) {
    info.extensions.retain(|(other, _)| *other != kind);
    info.extensions.push((kind, value));
}

fn external(cases: &mut Cases, suite: u16) -> Answer<()> {
    let mut clients = Vec::new();
    for name in ["founder", "one", "two"] {
        clients.push(able(suite, name)?);
    }
    let members: Vec<&Client> = clients.iter().collect();
    let group = Group::of_clients(GROUP, &members, Vec::new())?;
    let us = plain(suite, "us")?;
    let mut out = Outside {
        scene: Scene::default(),
        group,
    };
    out.scene.client("us", &us);
    // The information itself.
    let mut info = out.group.info(0, true, true)?;
    let right = info.signature.clone();
    for signature in [flipped(&right), Vec::new()] {
        info.signature = signature;
        let expected = Expected::Error("BadSignature".to_owned());
        out.scene.join_by_commit(&info, None, expected);
    }
    for signer in [3, 8, u32::MAX] {
        let error = invalid(Rule::WelcomeSigner);
        out.refuse(&error, |info| info.signer = signer)?;
    }
    out.refuse("UnsupportedSuite", |info| info.context.suite = 77)?;
    let error = invalid(Rule::DuplicateExtension);
    let external_pub = vector(&us.init.public);
    out.refuse(&error, |info| {
        info.extensions.push((EXTERNAL_PUB, external_pub));
    })?;
    let error = invalid(Rule::TreeHash);
    out.refuse(&error, |info| info.context.tree_hash = vec![1; 32])?;
    let tree = encode_nodes([None].iter());
    let error = invalid(Rule::TreeShape);
    out.refuse(&error, |info| replace(info, RATCHET_TREE, tree))?;
    // External keys that are none, and no encoding of one.
    for (key, error) in [
        (vector(&[0xff; 31]), "InvalidKey"),
        (vector(&[0xff; 65]), "InvalidKey"),
        (vector(&[]), "InvalidKey"),
        (vec![0x20, 1], "Malformed"),
        (Vec::new(), "Malformed"),
    ] {
        out.refuse(error, |info| replace(info, EXTERNAL_PUB, key))?;
    }
    // The group.
    out.refuse_group(Rule::UnsupportedExtension, |group| {
        group.context.extensions.push((EXTENSION, Vec::new()));
    })?;
    out.refuse_group(Rule::LeafRequiredCapabilities, |group| {
        let required = required(&[], &[PROPOSAL], &[]);
        group.context.extensions.push(required);
    })?;
    // Its tree.
    let mut two = out.group.tree.leaf(2).cloned();
    if let Some(leaf) = &mut two {
        leaf.signature = flipped(&leaf.signature);
    }
    let unsigned = two.map(Node::Leaf);
    out.refuse_group(Rule::LeafSignature, |group| group.tree.set(4, unsigned))?;
    let late = Client::new(Suite::of(suite), "two", (NOW - 9, NOW - 1))?;
    let late = Some(Node::Leaf(late.package.leaf));
    out.refuse_group(Rule::LeafLifetime, |group| group.tree.set(4, late))?;
    // Somebody in it has our signature key.
    let ourselves = Some(Node::Leaf(us.package.leaf.clone()));
    out.refuse_group(Rule::DuplicateKey, |group| group.tree.set(4, ourselves))?;
    let info = out.group.info(2, true, true)?;
    out.scene.join_by_commit(&info, None, Expected::Done);
    let comment = "A client wants to join by a commit. The group's information is not signed by its signer, or by \
                   nobody, is of an unknown suite, has an extension twice, another tree hash, no tree, no external \
                   key; the group has an extension or requires a proposal that we do not support; a leaf is not \
                   signed, has run out, has our signature key. Then as it should be.";
    out.scene
        .done(cases, &format!("error-group-info-suite-{suite}"), comment);
    Ok(())
}

fn with_psks(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    s.scene.psk(b"shared", b"a pre-shared key");
    s.scene.psk(b"empty", b"");
    s.scene.psk(b"long", &[7; 300]);
    let ids = [
        PskId::External(b"shared".to_vec(), vec![1; 32]),
        PskId::External(b"empty".to_vec(), vec![2; 32]),
        PskId::External(b"long".to_vec(), vec![3; 32]),
    ];
    let keys: [&[u8]; 3] = [b"a pre-shared key", b"", &[7; 300]];
    let encoded: Vec<(Vec<u8>, Vec<u8>)> = ids
        .iter()
        .zip(keys)
        .map(|(id, key)| (id.encode(), key.to_vec()))
        .collect();
    let mut group = s.group.clone();
    group.again(psk_secret(&encoded)?)?;
    let secrets: &Secrets = &group.secrets;
    let info = group.info(0, true, false)?;
    let invited = [(&s.us.package, None)];
    let of = |ids: &[PskId]| welcome(group.suite, secrets, &info, ids, &invited);
    // In another order, and one too few, another secret comes out: the information does not open.
    let [one, two, three] = ids.clone();
    for ids in [vec![two, one.clone(), three], vec![one], Vec::new()] {
        let message = of(&ids)?;
        let expected = Expected::Error("Decryption".to_owned());
        s.scene.join(&Joined::new(&message), expected);
    }
    let mut short = ids.clone();
    if let Some(PskId::External(_, nonce)) = short.last_mut() {
        nonce.pop();
    }
    let message = of(&short)?;
    let expected = Expected::Error(invalid(Rule::PskNonce));
    s.scene.join(&Joined::new(&message), expected);
    let state = Expected::State(group.secrets.authenticator);
    s.scene.join(&Joined::new(&of(&ids)?), state);
    // The same keys in a commit.
    let listed = ids.into_iter().zip(keys).map(|(id, key)| {
        let proposal = Proposal::Psk(id, key.to_vec());
        Listed::value(proposal)
    });
    let listed = listed.collect();
    s.group = group;
    let plan = Plan {
        path: false,
        ..Plan::by(2, listed)
    };
    s.commit(&plan)?;
    let comment = "Three pre-shared keys, one of them empty and one long: in another order, too few, none, with a short \
                   nonce (rule 26), then as they are, in a Welcome and in a commit without a path.";
    s.done(cases, "joined-with-psks", comment);
    Ok(())
}

/// §22.4: values in each list of a leaf's capabilities.
fn capabilities(cases: &mut Cases) -> Answer<()> {
    const MOST: u16 = 256;
    let mut s = Setting::new()?;
    let lists: [Change<'_, Leaf>; 2] =
        [&|leaf| leaf.capabilities.suites.extend(2..=MOST), &|leaf| {
            leaf.capabilities.credentials = (1..=MOST + 1).collect()
        }];
    for change in lists {
        let client = able_with(1, "new", change)?;
        let made = s.group.commit(&Plan::by(2, vec![add(&client)]))?;
        s.refuse(&made.public(), "Malformed");
    }
    let client = able_with(1, "new", |leaf| {
        leaf.capabilities.suites = (1..=MOST).collect();
        leaf.capabilities.proposals = (0xf100..0xf100 + MOST).collect();
    })?;
    s.commit_list(vec![add(&client)])?;
    let comment = "257 and more values in a list of a leaf's capabilities, which is no encoding here; then 256.";
    s.done(cases, "limit-capabilities", comment);
    Ok(())
}

/// A group that was reinitialized takes no handshake any more; what was said in it can be read.
fn over(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let before = s.group.clone();
    let proposal = Proposal::ReInit(b"the next".to_vec(), 1, 1, Vec::new());
    s.commit_list(vec![Listed::value(proposal)])?;
    for restarted in [false, true] {
        if restarted {
            s.restart();
        }
        let (proposal, _) = s.group.propose(2, Proposal::Remove(4))?;
        s.refuse(&proposal, "Over");
        let plan = Plan {
            format: Format::Private,
            ..Plan::by(2, Vec::new())
        };
        let made = s.group.commit(&plan)?;
        s.refuse(&made.private(0)?, "Over");
        let made = s.group.commit(&Plan::by(2, Vec::new()))?;
        s.refuse(&made.public(), "Over");
        for (group, text) in [(&before, "before"), (&s.group, "behind")] {
            let generation = u32::from(restarted);
            let message = group.say(3, text, generation)?;
            let expected = Expected::Text(3, text.to_owned());
            s.scene.process("group", &message, expected);
        }
    }
    let comment = "Proposals and commits after a reinitialization; messages of the app from before and behind it.";
    s.done(cases, "over-after-reinitialization", comment);
    Ok(())
}

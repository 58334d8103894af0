//! Rules 15 to 29: proposals, and which of them may stand together.

use subrosa::mls::Rule;

use super::*;
use crate::model::mls::message::{Sender, Signed};
use crate::model::mls::{Pair, list, vector};

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    of_committer(cases)?;
    same_leaf(cases)?;
    same_client(cases)?;
    same_psk(cases)?;
    extensions_twice(cases)?;
    reinit(cases)?;
    external_init(cases)?;
    unsupported_proposal(cases)?;
    remove_of_nobody(cases)?;
    psk_usage(cases)?;
    psk_nonce(cases)?;
    required_capabilities(cases)?;
    external_proposal(cases)
}

fn remove(leaf: u32) -> Listed {
    Listed::value(Proposal::Remove(leaf))
}

fn of_committer(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let rule = Rule::UpdateByCommitter;
    let update = |s: &mut Setting| -> Answer<Proposal> {
        Ok(Proposal::Update(Box::new(s.group.updated(2, |_| {})?)))
    };
    let proposal = update(&mut s)?;
    let by_value = Listed {
        sender: 2,
        ..Listed::value(proposal)
    };
    s.refuse_list(rule, vec![by_value])?;
    let proposal = update(&mut s)?;
    let by_reference = s.propose(2, proposal)?;
    s.refuse_list(rule, vec![by_reference.clone()])?;
    s.refuse_list(rule, vec![by_reference.clone(), remove(3)])?;
    // Somebody else may commit it.
    s.commit(&Plan::by(3, vec![by_reference]))?;
    s.done_rule(
        cases,
        rule,
        "By value and by reference; then another member commits it.",
    );

    let mut s = Setting::new()?;
    let rule = Rule::RemoveOfCommitter;
    s.refuse_list(rule, vec![remove(2)])?;
    let by_reference = s.propose(3, Proposal::Remove(2))?;
    s.refuse_list(rule, vec![by_reference.clone()])?;
    let own = s.propose(2, Proposal::Remove(2))?;
    s.refuse_list(rule, vec![own])?;
    s.commit(&Plan::by(3, vec![by_reference]))?;
    let comment =
        "By value and by reference, of its own and of another one; then another member commits it.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn same_leaf(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::SameLeafTwice;
    let mut s = Setting::new()?;
    s.refuse_list(rule, vec![remove(4), remove(4)])?;
    s.refuse_list(rule, vec![remove(4), remove(3), remove(4)])?;
    let mut updates = Vec::new();
    for _ in 0..2 {
        let leaf = s.group.updated(3, |_| {})?;
        updates.push(s.propose(3, Proposal::Update(Box::new(leaf)))?);
    }
    s.refuse_list(rule, updates.clone())?;
    updates.truncate(1);
    let by_reference = s.propose(4, Proposal::Remove(3))?;
    for removed in [remove(3), by_reference.clone()] {
        s.refuse_list(rule, [updates.clone(), vec![removed]].concat())?;
    }
    s.refuse_list(rule, vec![by_reference, remove(3)])?;
    s.commit_list([updates, vec![remove(4)]].concat())?;
    let comment = "Two removes, two updates, an update and a remove of one leaf; then of two.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn same_client(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::SameClientTwice;
    let mut s = Setting::new()?;
    let (one, other) = (able(1, "one")?, able(1, "other")?);
    // Another key package of a client: other keys, the same signature key.
    let again = |of: &Pair, name: &str| -> Answer<Client> {
        let mut client = able(1, name)?;
        client.signer = of.clone();
        client.package.leaf.signature_key.clone_from(&of.public);
        client.sign()?;
        Ok(client)
    };
    s.refuse_list(rule, vec![add(&one), add(&one)])?;
    let second = again(&one.signer, "one again")?;
    s.refuse_list(rule, vec![add(&one), add(&other), add(&second)])?;
    let by_reference = s.propose(3, Proposal::Add(Box::new(one.package.clone())))?;
    s.refuse_list(rule, vec![by_reference.clone(), add(&second)])?;
    let member = again(&s.group.signer(4)?, "four again")?;
    s.refuse_list(rule, vec![add(&member)])?;
    // Who goes out by the same commit may come in again.
    s.commit_list(vec![by_reference, remove(4), add(&member)])?;
    let comment = "One key package twice; two of one client; one of a member. Then that of a member that is removed \
                   by the same commit.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

const SECRET: &[u8] = b"a pre-shared key";

fn psk(nonce: Vec<u8>) -> Proposal {
    Proposal::Psk(PskId::External(b"shared".to_vec(), nonce), SECRET.to_vec())
}

fn same_psk(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::SamePskTwice;
    let mut s = Setting::new()?;
    s.scene.psk(b"shared", SECRET);
    let one = || Listed::value(psk(vec![1; 32]));
    let other = || Listed::value(psk(vec![2; 32]));
    s.refuse_list(rule, vec![one(), one()])?;
    s.refuse_list(rule, vec![one(), other(), one()])?;
    let by_reference = s.propose(3, psk(vec![1; 32]))?;
    s.refuse_list(rule, vec![by_reference.clone(), one()])?;
    let plan = Plan {
        path: false,
        ..Plan::by(2, vec![by_reference, other()])
    };
    s.commit(&plan)?;
    let comment = "One id with one nonce twice, also by reference; then with two nonces.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn extensions_twice(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::ExtensionsTwice;
    let mut s = Setting::new()?;
    let of = |value| Proposal::Extensions(vec![(EXTENSION, vec![value])]);
    let value = |number| Listed::value(of(number));
    s.refuse_list(rule, vec![value(1), value(2)])?;
    s.refuse_list(rule, vec![value(1), value(1)])?;
    let by_reference = s.propose(3, of(3))?;
    s.refuse_list(rule, vec![by_reference.clone(), value(1)])?;
    s.commit_list(vec![by_reference])?;
    s.done_rule(
        cases,
        rule,
        "Two that differ, two alike, one of them by reference.",
    );
    Ok(())
}

fn reinit(cases: &mut Cases) -> Answer<()> {
    let of = |version| Proposal::ReInit(b"the next".to_vec(), version, 3, Vec::new());
    let rule = Rule::ReInitWithOthers;
    let mut s = Setting::new()?;
    s.scene.psk(b"shared", SECRET);
    let value = |version| Listed::value(of(version));
    s.refuse_list(rule, vec![value(1), remove(4)])?;
    s.refuse_list(rule, vec![remove(4), value(1)])?;
    s.refuse_list(rule, vec![value(1), value(1)])?;
    s.refuse_list(rule, vec![Listed::value(psk(vec![1; 32])), value(1)])?;
    let by_reference = s.propose(3, of(1))?;
    s.refuse_list(rule, vec![by_reference.clone(), add(&able(1, "new")?)])?;
    let plan = Plan {
        path: false,
        ..Plan::by(2, vec![by_reference])
    };
    s.commit(&plan)?;
    let comment = "With a remove in front or behind, with another one, with a pre-shared key, with an Add; then alone.";
    s.done_rule(cases, rule, comment);

    let rule = Rule::ReInitVersion;
    let mut s = Setting::new()?;
    for path in [false, true] {
        let plan = Plan {
            path,
            ..Plan::by(2, vec![value(0)])
        };
        s.refuse_commit(rule, &plan)?;
    }
    s.commit(&Plan::by(2, vec![value(1)]))?;
    s.done_rule(cases, rule, "Version 0, without and with a path; then 1.");
    Ok(())
}

fn external_init(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::ExternalInitByMember;
    let mut s = Setting::new()?;
    let (proposal, init) = s.group.external_init()?;
    for init in [None, Some(init)] {
        let plan = Plan {
            init,
            ..Plan::by(2, vec![Listed::value(proposal.clone())])
        };
        s.refuse_commit(rule, &plan)?;
    }
    let listed = vec![Listed::value(proposal), remove(4)];
    s.refuse_list(rule, listed)?;
    s.commit_list(vec![remove(4)])?;
    let comment =
        "Its keys from the present init secret, from the external one, and beside a remove.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn unsupported_proposal(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::UnsupportedProposal;
    let mut s = Setting::new()?;
    let strange = || Proposal::Other(STRANGE_PROPOSAL, b"?".to_vec());
    s.refuse_list(rule, vec![Listed::value(strange())])?;
    let by_reference = s.propose(3, strange())?;
    s.refuse_list(rule, vec![by_reference])?;
    let known = Listed::value(Proposal::Other(PROPOSAL, b"!".to_vec()));
    s.commit_list(vec![known.clone()])?;
    // Who comes in may not support it; who goes out need not.
    s.commit_list(vec![add(&plain(1, "plain")?)])?;
    s.refuse_list(rule, vec![known.clone()])?;
    s.commit_list(vec![known, remove(5)])?;
    let comment = "A type that nobody supports, and one that one member does not; then with all of them, and with the \
                   remove of the one.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn remove_of_nobody(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::RemoveOfNobody;
    let mut s = Setting::new()?;
    for leaf in [5, 7, 8, 1 << 20, 1 << 30, 1 << 31, u32::MAX] {
        s.refuse_list(rule, vec![remove(leaf)])?;
        s.refuse_proposal(rule, 3, Proposal::Remove(leaf))?;
    }
    s.commit_list(vec![remove(3)])?;
    s.refuse_list(rule, vec![remove(3)])?;
    s.commit_list(vec![remove(4)])?;
    let comment = "Blank leaves, leaves behind the tree, one that was removed before.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn psk_usage(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::PskUsage;
    let mut s = Setting::new()?;
    let secret = s.group.secrets.resumption;
    let of = |usage| {
        let id = PskId::Resumption(usage, GROUP.to_vec(), 1, vec![1; 32]);
        Listed::value(Proposal::Psk(id, secret.to_vec()))
    };
    for usage in [2, 3] {
        s.refuse_list(rule, vec![of(usage)])?;
        s.refuse_list(rule, vec![remove(4), of(usage)])?;
    }
    s.commit_list(vec![of(1)])?;
    // The secret of an epoch that is over.
    s.commit_list(vec![of(1)])?;
    let comment = "The usages of a reinitialization and of a branch in a commit that begins no group; then the app's.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn psk_nonce(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::PskNonce;
    let mut s = Setting::new()?;
    s.scene.psk(b"shared", SECRET);
    for length in [0, 1, 31, 33, 64] {
        let proposal = psk(vec![1; length]);
        s.refuse_proposal(rule, 3, proposal.clone())?;
        s.refuse_list(rule, vec![Listed::value(proposal)])?;
    }
    s.commit_list(vec![Listed::value(psk(vec![1; 32]))])?;
    s.done_rule(
        cases,
        rule,
        "Nonces of 0, 1, 31, 33 and 64 bytes; then of 32.",
    );
    Ok(())
}

fn required_capabilities(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::RequiredCapabilities;
    let (founder, us) = (able(1, "founder")?, able(1, "us")?);
    let two = able_with(1, "two", |leaf| {
        leaf.capabilities.extensions.push(STRANGE_EXTENSION);
        leaf.capabilities.proposals.push(STRANGE_PROPOSAL);
        leaf.capabilities.credentials.push(STRANGE_CREDENTIAL);
    })?;
    let three = able(1, "three")?;
    let mut s = Setting::of(&[&founder, &us, &two, &three], Vec::new())?;
    let of = |required| Listed::value(Proposal::Extensions(vec![required]));
    let bad = [
        required(&[STRANGE_EXTENSION], &[], &[]),
        required(&[], &[STRANGE_PROPOSAL], &[]),
        required(&[], &[], &[STRANGE_CREDENTIAL]),
        required(&[EXTENSION, STRANGE_EXTENSION], &[PROPOSAL], &[1]),
    ];
    for bad in bad {
        s.refuse_list(rule, vec![of(bad)])?;
    }
    // Those that everybody has need not be listed.
    let good = required(&[1, 3, 5, EXTENSION], &[1, 7, PROPOSAL], &[1, 2]);
    s.commit_list(vec![of(good)])?;
    let comment = "An extension, a proposal, a credential that only the committer supports; then what all do.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

/// The type of `external_senders`.
pub(super) const EXTERNAL_SENDERS: u16 = 5;

/// `external_senders` of one.
pub(super) fn senders(signer: &Pair) -> (u16, Vec<u8>) {
    let sender = [vector(&signer.public), vec![0, 1], vector(b"the server")].concat();
    (EXTERNAL_SENDERS, list([sender]))
}

/// What an external sender sends.
pub(super) fn from_outside(
    s: &Setting,
    index: u32,
    content: Content,
    signer: &Pair,
) -> Answer<Signed> {
    let sender = Sender::External(index);
    let context = &s.group.context;
    Signed::new(
        s.group.suite,
        context,
        Format::Public,
        sender,
        content,
        signer,
    )
}

fn external_proposal(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::ExternalProposalType;
    let server = Suite::of(1).signer([0x5e; 32])?;
    let mut s = Setting::with(1, vec![senders(&server)])?;
    let update = Proposal::Update(Box::new(s.group.updated(3, |_| {})?));
    let (external_init, _) = s.group.external_init()?;
    let other = Proposal::Other(PROPOSAL, Vec::new());
    for proposal in [update, external_init, other] {
        let signed = from_outside(&s, 0, Content::Proposal(proposal), &server)?;
        s.refuse(&signed.public(&[]), &invalid(rule));
    }
    let mut listed = Vec::new();
    let new = able(1, "new")?;
    for proposal in [Proposal::Add(Box::new(new.package)), Proposal::Remove(4)] {
        let signed = from_outside(&s, 0, Content::Proposal(proposal.clone()), &server)?;
        s.pass(&signed.public(&[]));
        listed.push(Listed {
            proposal,
            sender: u32::MAX,
            reference: Some(signed.reference()),
        });
    }
    s.commit_list(listed)?;
    let comment = "An update, an external init and one of the app's; then an Add and a remove, which are committed.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

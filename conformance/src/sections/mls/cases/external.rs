//! Rules 38 to 40 and 51: external commits.

use subrosa::mls::Rule;

use super::*;
use crate::model::mls::group::EXTERNAL_PUB;

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    init_count(cases)?;
    proposals(cases)?;
    reference(cases)?;
    no_external_pub(cases)?;
    again(cases)
}

/// An external commit with these proposals behind the external init.
fn joining<'a>(s: &mut Setting, client: &'a Client, more: Vec<Listed>) -> Answer<Plan<'a>> {
    let (external, init) = s.group.external_init()?;
    let listed = [vec![Listed::value(external)], more].concat();
    Ok(Plan::joining(client, listed, init))
}

fn remove(leaf: u32) -> Listed {
    Listed::value(Proposal::Remove(leaf))
}

fn init_count(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::ExternalInitCount;
    let mut s = Setting::new()?;
    let new = able(1, "new")?;
    let init = s.group.secrets.init;
    s.refuse_commit(rule, &Plan::joining(&new, Vec::new(), init))?;
    s.refuse_commit(rule, &Plan::joining(&new, vec![remove(4)], init))?;
    let (second, _) = s.group.external_init()?;
    let plan = joining(&mut s, &new, vec![Listed::value(second)])?;
    s.refuse_commit(rule, &plan)?;
    let plan = joining(&mut s, &new, Vec::new())?;
    s.commit(&plan)?;
    let comment = "None, none beside a remove, two; then one.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn proposals(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::ExternalCommitProposal;
    let mut s = Setting::new()?;
    s.scene.psk(b"shared", b"a pre-shared key");
    let (new, other) = (able(1, "new")?, able(1, "other")?);
    let leaf = s.group.updated(3, |_| {})?;
    let update = Listed {
        sender: 3,
        ..Listed::value(Proposal::Update(Box::new(leaf)))
    };
    let value = Listed::value;
    let may_not = [
        vec![add(&other)],
        vec![update],
        vec![value(Proposal::Extensions(vec![(EXTENSION, vec![1])]))],
        vec![value(Proposal::Other(PROPOSAL, vec![1]))],
        vec![remove(3), remove(4)],
    ];
    for more in may_not {
        let plan = joining(&mut s, &new, more)?;
        s.refuse_commit(rule, &plan)?;
    }
    let id = PskId::External(b"shared".to_vec(), vec![3; 32]);
    let psk = value(Proposal::Psk(id, b"a pre-shared key".to_vec()));
    let plan = joining(&mut s, &new, vec![psk, remove(4)])?;
    s.commit(&plan)?;
    let comment = "An Add, an update, extensions, a proposal of the app, two removes; then a pre-shared key and one \
                   remove.";
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn reference(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::ExternalCommitReference;
    let mut s = Setting::new()?;
    let new = able(1, "new")?;
    let listed = s.propose(3, Proposal::Remove(4))?;
    let plan = joining(&mut s, &new, vec![listed])?;
    s.refuse_commit(rule, &plan)?;
    let plan = joining(&mut s, &new, vec![remove(4)])?;
    s.commit(&plan)?;
    s.done_rule(cases, rule, "A remove by reference; then by value.");
    Ok(())
}

fn no_external_pub(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::NoExternalPub;
    let founder = able(1, "founder")?;
    let two = able(1, "two")?;
    let group = Group::of_clients(GROUP, &[&founder, &two], Vec::new())?;
    let mut scene = Scene::default();
    scene.client("us", &able(1, "us")?);
    let info = group.info(0, true, false)?;
    scene.join_by_commit(&info, None, Expected::Error(invalid(rule)));
    let mut info = group.info(0, true, true)?;
    scene.join_by_commit(&info, None, Expected::Done);
    info.extensions.retain(|(kind, _)| *kind != EXTERNAL_PUB);
    info.sign(group.suite, &group.signer(0)?)?;
    scene.join_by_commit(&info, None, Expected::Error(invalid(rule)));
    done_rule(scene, cases, rule, "Without the key, and with it.");
    Ok(())
}

/// Somebody who lost its state comes back in its own place, with its old signature key.
fn again(cases: &mut Cases) -> Answer<()> {
    for suite in 1..=3 {
        let mut s = Setting::with(suite, Vec::new())?;
        let four = able(suite, "four")?;
        let plan = joining(&mut s, &four, Vec::new())?;
        s.refuse_commit(Rule::DuplicateKey, &plan)?;
        let old_key = four.encryption.public.clone();
        let plan = Plan {
            leaf: &|leaf| leaf.encryption_key.clone_from(&old_key),
            ..joining(&mut s, &four, vec![remove(4)])?
        };
        s.refuse_commit(Rule::LeafOldKey, &plan)?;
        let plan = joining(&mut s, &four, vec![remove(4)])?;
        s.commit(&plan)?;
        s.commit_list(Vec::new())?;
        let comment = "A member joins again by an external commit that removes its old leaf: not without the remove \
                       (rule 9), not with its old encryption key (rule 8).";
        s.done(cases, &format!("external-again-suite-{suite}"), comment);
    }
    Ok(())
}

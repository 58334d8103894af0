//! Rules 12 to 14: key packages.

use subrosa::mls::Rule;

use super::*;
use crate::model::mls::client::KeyPackage;

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    let versions: [Change<'_, KeyPackage>; 4] = [
        &|package| package.version = 2,
        &|package| package.version = 0,
        &|package| package.suite = 3,
        &|package| package.suite = 0x0a0a,
    ];
    let comment = "Another version, another suite.";
    each(cases, Rule::KeyPackageVersion, &versions, comment)?;
    let init: [Change<'_, KeyPackage>; 1] =
        [&|package| package.init_key.clone_from(&package.leaf.encryption_key)];
    let comment = "The init key is the leaf's encryption key.";
    each(cases, Rule::KeyPackageInitKey, &init, comment)?;
    signature(cases)
}

/// Each change is refused as a proposal that arrives, in a commit, and in one that adds another client as well.
fn each(
    cases: &mut Cases,
    rule: Rule,
    changes: &[Change<'_, KeyPackage>],
    comment: &str,
) -> Answer<()> {
    let mut s = Setting::new()?;
    let (good, other) = (able(1, "new")?, able(1, "newer")?);
    for change in changes {
        let mut bad = good.clone();
        bad.package = good.package_with(change)?;
        refuse(&mut s, rule, &bad, &other)?;
    }
    s.commit_list(vec![add(&good), add(&other)])?;
    s.done_rule(cases, rule, comment);
    Ok(())
}

fn refuse(s: &mut Setting, rule: Rule, bad: &Client, other: &Client) -> Answer<()> {
    s.refuse_proposal(rule, 3, Proposal::Add(Box::new(bad.package.clone())))?;
    s.refuse_list(rule, vec![add(bad)])?;
    s.refuse_list(rule, vec![add(other), add(bad)])
}

fn signature(cases: &mut Cases) -> Answer<()> {
    let rule = Rule::KeyPackageSignature;
    let mut s = Setting::new()?;
    let (good, other) = (able(1, "new")?, able(1, "newer")?);
    let mut bad = good.clone();
    bad.package.signature = flipped(&good.package.signature);
    refuse(&mut s, rule, &bad, &other)?;
    bad.package.sign(good.suite, &other.signer)?;
    refuse(&mut s, rule, &bad, &other)?;
    bad.package.signature.clear();
    refuse(&mut s, rule, &bad, &other)?;
    s.commit_list(vec![add(&good), add(&other)])?;
    s.done_rule(
        cases,
        rule,
        "A signature that is altered, another one's, and none.",
    );
    Ok(())
}

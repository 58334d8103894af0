//! Tags of every length from 0 to 33, and altered ones (§22.1-R6).

use super::*;

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    membership(cases)?;
    confirmation(cases)?;
    of_information(cases)
}

/// A tag of each length, and one of the right length with a bit turned over.
fn wrong(tag: &[u8]) -> Vec<Vec<u8>> {
    let longer = [tag, &[0]].concat();
    let cut = (0..=33).filter(|length| *length != 32);
    let mut all: Vec<Vec<u8>> = cut
        .map(|length| longer.get(..length).unwrap_or_default().to_vec())
        .collect();
    all.push(flipped(tag));
    all.push(vec![0; 32]);
    all
}

fn membership(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let content = Content::Proposal(Proposal::Remove(4));
    let signed = s.group.signed(2, Format::Public, content)?;
    let tag = signed.membership_tag(&s.group.secrets);
    for tag in wrong(&tag) {
        s.refuse(&signed.public(&tag), "BadTag");
    }
    s.pass(&signed.public(&tag));
    let comment =
        "Membership tags of 0 to 33 bytes, each the front of the right one; an altered one; zeros.";
    s.done(cases, "error-membership-tag", comment);
    Ok(())
}

fn confirmation(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let plan = Plan {
        path: false,
        ..Plan::by(2, vec![add(&able(1, "new")?)])
    };
    let made = s.group.commit(&plan)?;
    let mut signed = made.signed.clone();
    for tag in wrong(&made.next.tag) {
        signed.tag = Some(tag);
        s.refuse(&s.group.public(&signed), "BadTag");
    }
    let state = Expected::State(made.next.secrets.authenticator);
    s.scene.process("group", &made.public(), state);
    let comment = "The same of a commit's confirmation tag.";
    s.done(cases, "error-confirmation-tag", comment);
    Ok(())
}

fn of_information(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let package = s.us.package.clone();
    let invited: [Invited<'_>; 1] = [(&package, None)];
    s.scene.tree("the tree", &s.group.tree.encode());
    for tag in wrong(&s.group.tag) {
        let mut info = s.group.info(0, false, false)?;
        info.tag = tag;
        info.sign(s.group.suite, &s.group.signer(0)?)?;
        let message = welcome(s.group.suite, &s.group.secrets, &info, &[], &invited)?;
        let joined = Joined {
            tree: Some("the tree"),
            ..Joined::new(&message)
        };
        s.scene.join(&joined, Expected::Error("BadTag".to_owned()));
    }
    let message = s.group.welcome(0, &invited)?;
    let state = Expected::State(s.group.secrets.authenticator);
    s.scene.join(&Joined::new(&message), state);
    let comment = "The same of the confirmation tag in a Welcome.";
    s.done(cases, "error-confirmation-tag-welcome", comment);
    Ok(())
}

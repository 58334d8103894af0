//! Groups of 250, 1,000 and 10,000 (§22.7).

use serde_json::json;

use super::*;
use crate::model::mls::wide::Wide;

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    // P-256 is slow: whoever verifies the vectors makes two keys and a signature for each leaf.
    for (suite, members) in [(1, 1_000), (2, 250), (3, 1_000), (1, 10_000)] {
        wide(cases, suite, members)?;
    }
    Ok(())
}

/// We join such a group, whose signature keys are known of these members.
pub(super) fn join(wide: &Wide<'_>, known: &[u32]) -> Answer<Setting> {
    let us = wide.client(US)?;
    let mut group = Group::of(wide.suite, wide.group_id, 7, wide.tree()?, Vec::new())?;
    for leaf in known {
        group.know(&wide.signer(*leaf)?);
    }
    let mut scene = Scene::default();
    scene.client("us", &us);
    let (not_before, not_after) = wide.lifetime;
    let step = json!({
        "do": "wide_tree", "as": "the tree", "cipher_suite": wide.suite.id, "group_id": hex::encode(wide.group_id),
        "seed": hex::encode(wide.seed), "members": wide.members, "not_before": not_before.to_string(),
        "not_after": not_after.to_string(),
    });
    scene.push(step, Expected::Done);
    let info = group.info(0, false, false)?;
    let secret = Some(wide.lowest_path_secret());
    let message = welcome(
        wide.suite,
        &group.secrets,
        &info,
        &[],
        &[(&us.package, secret)],
    )?;
    let joined = Joined {
        tree: Some("the tree"),
        ..Joined::new(&message)
    };
    scene.join(&joined, Expected::State(group.secrets.authenticator));
    Ok(Setting { scene, group, us })
}

fn wide(cases: &mut Cases, suite: u16, members: u32) -> Answer<()> {
    let seed = cases.bytes(&format!("wide {suite} {members}"), 32);
    let group_id = format!("a group of {members}").into_bytes();
    let wide = Wide {
        suite: Suite::of(suite),
        group_id: &group_id,
        seed: &seed,
        members,
        lifetime: LIFETIME,
    };
    let (middle, gone, last) = (members / 2, members / 2 + 1, members - 1);
    let mut s = join(&wide, &[0, 2, middle, last])?;
    // From the other end of the tree, beside us, and in the middle.
    s.commit(&Plan::by(last, Vec::new()))?;
    s.commit(&Plan::by(2, Vec::new()))?;
    let removes = Listed::value(Proposal::Remove(gone));
    s.commit(&Plan::by(middle, vec![removes]))?;
    let (one, other) = (plain(suite, "one more")?, plain(suite, "another more")?);
    s.group.know(&one.signer);
    s.commit(&Plan::by(0, vec![add(&one), add(&other)]))?;
    // The one that came takes the place of who was removed.
    s.commit(&Plan::by(gone, Vec::new()))?;
    for leaf in [0, last] {
        let text = format!("from {leaf}");
        let message = s.group.say(leaf, &text, 3)?;
        s.scene
            .process("group", &message, Expected::Text(leaf, text));
    }
    let removes = Listed::value(Proposal::Remove(last));
    let made = s.group.commit(&Plan::by(2, vec![removes]))?;
    s.refuse(&flipped(&made.public()), "BadTag");
    let state = Expected::State(made.next.secrets.authenticator);
    s.scene.process("group", &made.public(), state);
    let comment =
        "We join a group whose tree is made by §22.7, and follow commits from all over it.";
    s.done(cases, &format!("wide-{members}-suite-{suite}"), comment);
    Ok(())
}

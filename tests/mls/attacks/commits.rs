//! Commits that do more than they say (G2), and commits that not everybody can follow (G10).

use subrosa::mls::hazmat::Insider;
use subrosa::mls::{LeafNode, SignaturePublicKey};

use super::insider::{agree_among, own_leaf};
use super::*;

fn leaves(member: &Member) -> BTreeMap<LeafIndex, LeafNode> {
    let leaves = member.leaves();
    leaves.map(|(index, leaf)| (index, leaf.clone())).collect()
}

/// Takes a commit: what it does to the members is what was told before, and the app was asked about everything that is new.
fn told(member: &mut Member, message: &[u8]) {
    let (before, state) = (leaves(member), seen(member));
    let stage = |member: &Member| match member.process(message, &Shared, NOW) {
        Ok(Processed::Commit(staged)) => staged,
        _ => panic!("no commit"),
    };
    let staged = stage(member);
    let effects = staged.effects().clone();
    let asked: Vec<(Option<LeafIndex>, Credential, SignaturePublicKey)> = staged
        .credentials()
        .map(|new| (new.leaf, new.credential.clone(), new.signature_key.clone()))
        .collect();
    // Each alone is enough to say no.
    for refused in 0..asked.len() {
        let mut place = 0..;
        let answer = stage(member).approve(|_| place.next() != Some(refused));
        assert_eq!(answer.err(), Some(Error::Refused));
    }
    assert_eq!(seen(member), state);
    member.merge(staged.approve(|_| true).unwrap()).unwrap();
    assert_eq!(member.is_removed(), effects.removes_oneself);
    if member.is_removed() {
        assert!(effects.removed.contains(&member.leaf()));
        return;
    }
    let after = leaves(member);
    let asked_about = |leaf: LeafIndex, node: &LeafNode| {
        let expected = (
            Some(leaf),
            node.credential.clone(),
            node.signature_key.clone(),
        );
        asked.contains(&expected)
    };
    for (leaf, node) in &after {
        let old = before.get(leaf).filter(|_| !effects.removed.contains(leaf));
        match old {
            None => {
                assert!(effects.added.contains(leaf), "{leaf:?} is hidden");
                assert!(asked_about(*leaf, node), "{leaf:?} was not asked about");
            }
            Some(old) if old != node => {
                assert!(effects.updated.contains(leaf) || effects.committer == *leaf);
                let same =
                    old.credential == node.credential && old.signature_key == node.signature_key;
                assert!(same || asked_about(*leaf, node));
            }
            Some(_) => {}
        }
    }
    // And nothing was told that is not so.
    for leaf in &effects.added {
        assert!(after.contains_key(leaf));
    }
    for leaf in &effects.removed {
        assert!(before.contains_key(leaf));
    }
    for leaf in &effects.updated {
        assert_ne!(before[leaf].encryption_key, after[leaf].encryption_key);
    }
    assert_eq!(
        after.len() + effects.removed.len(),
        before.len() + effects.added.len()
    );
}

/// Random commits of proposals of all, by value and by reference, and of who joins by a commit.
fn ghosts(suite: CipherSuite, seed: u64, steps: usize) {
    println!("suite {}, seed {seed}", suite.0);
    let rng = &mut Rng(seed);
    let mut group = group_of(suite, 4, rng);
    for step in 0..steps {
        let format = FORMATS[rng.below(2) as usize];
        if rng.below(6) == 0 {
            let info = group[0].group_info(true, true).unwrap();
            let mut external = ExternalCommit::new(
                Signer::generate(suite, rng).unwrap(),
                Client::basic(format!("external {step}").as_bytes()),
            );
            let replaced = (rng.below(2) == 0).then(|| group.len() - 1);
            external.resync = replaced.map(|place| group[place].leaf());
            let options = JoinOptions::default();
            let joined =
                Member::join_by_commit(&info, external, &options, &NoPsks, NOW, rng).unwrap();
            for member in &mut group {
                told(member, &joined.commit);
            }
            group.retain(|member| !member.is_removed());
            group.push(joined.joining.approve(|_| true).unwrap());
            agree(&mut group);
            continue;
        }
        let mut newcomers = Vec::new();
        for number in 0..3 {
            let newcomer = Newcomer::new(suite, &format!("{step}, {number}"), rng);
            newcomers.push(newcomer);
        }
        for (sender, newcomer) in (0..group.len()).zip(newcomers.iter().cycle()) {
            let key_package = newcomer.key_package.clone();
            let leaf = group[rng.below(group.len() as u64) as usize].leaf();
            let few = group.len() < 5;
            let own = leaf == group[sender].leaf();
            let message = match rng.below(6) {
                0 if group.len() < 9 => group[sender].propose_add(key_package, format, NOW, rng),
                1 if !few && !own => group[sender].propose_remove(leaf, format, rng),
                2 => group[sender].propose_update(None, None, format, rng),
                3 => {
                    let signer = Signer::generate(suite, rng).unwrap();
                    let client = Client::basic(format!("renamed {step}").as_bytes());
                    group[sender].propose_update(Some(client), Some(signer), format, rng)
                }
                _ => continue,
            };
            let message = message.unwrap();
            for (place, member) in group.iter_mut().enumerate() {
                if place != sender {
                    keep(member, &message).unwrap();
                }
            }
        }
        let committer = rng.below(group.len() as u64) as usize;
        let mut commit = group[committer].commit().wire_format(format);
        let by_value = Newcomer::new(suite, &format!("{step}, by value"), rng);
        if rng.below(3) == 0 {
            commit = commit.add_client(by_value.key_package.clone());
            newcomers.push(by_value);
        }
        let messages = commit.build(&Shared, NOW, rng).unwrap();
        for (place, member) in group.iter_mut().enumerate() {
            match place == committer {
                true => member.merge_pending().unwrap(),
                false => told(member, &messages.commit),
            }
        }
        group.retain(|member| !member.is_removed());
        for newcomer in newcomers {
            let Some(welcome) = &messages.welcome else {
                break;
            };
            let Newcomer {
                key_package,
                secrets,
                signer,
            } = newcomer;
            let joining = Member::join(
                welcome,
                &key_package,
                &secrets,
                signer,
                &JoinOptions::default(),
                &Shared,
                NOW,
            );
            let Ok(joining) = joining else {
                assert_eq!(joining.err(), Some(Error::NotForThisKeyPackage));
                continue;
            };
            // Who joins is asked about everybody.
            let asked: Vec<_> = joining.credentials().filter_map(|new| new.leaf).collect();
            let joined = joining.approve(|_| true).unwrap();
            let others: Vec<_> = leaves(&joined).into_keys().collect();
            let others: Vec<_> = others
                .into_iter()
                .filter(|leaf| *leaf != joined.leaf())
                .collect();
            assert_eq!(asked, others);
            group.push(joined);
        }
        agree(&mut group);
    }
}

#[test]
fn attack_g2_nobody_is_hidden() {
    ghosts(CipherSuite::X25519_AES128, 280, 30);
    ghosts(CipherSuite::X25519_CHACHA20, 281, 30);
    ghosts(CipherSuite::P256_AES128, 282, 5);
}

/// A committer that sends a wrong path secret to one member only: that one sees it, stays where it was, and comes back.
#[test]
fn attack_g10_a_path_that_leaves_one_behind() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(290 + u64::from(suite.0));
        let mut group = group_of(suite, 4, rng);
        let insider = Insider::new(&group[0]);
        let victim = group[3].leaf();
        let public = own_leaf(&group[3]).encryption_key;
        let forge = |how: u8| {
            let mut forgery = insider.commit();
            forgery
                .path(own_leaf(&group[0]), [how; 32], |_| ())
                .unwrap();
            // The second node is for the leaves 2 and 3, of which there is no parent yet.
            match how {
                1 => forgery.mislead(1, 1, &public, &[8; 32]).unwrap(),
                2 => forgery.mislead(1, 1, &public, &[8; 31]).unwrap(),
                3 => {
                    let path = forgery.path.as_mut().unwrap();
                    let sealed = &mut path.nodes[1].encrypted_path_secret[1];
                    *sealed.ciphertext.last_mut().unwrap() ^= 1;
                }
                4 => {
                    let path = forgery.path.as_mut().unwrap();
                    path.nodes[1].encrypted_path_secret[1].kem_output = vec![0; 32];
                }
                _ => {
                    let path = forgery.path.as_mut().unwrap();
                    path.nodes[1].encrypted_path_secret.swap(0, 1);
                }
            }
            insider.public(forgery.finish().unwrap().signed).unwrap()
        };
        let commits = [1, 2, 3, 4, 5].map(forge);
        let before = seen(&group[3]);
        let expected = [
            Error::Invalid(Rule::PathSecret),
            Error::Decryption,
            Error::Decryption,
            Error::Decryption,
            Error::Decryption,
        ];
        for (commit, expected) in commits.iter().zip(expected) {
            let refused = group[3].process(commit, &NoPsks, NOW).err();
            assert_eq!(refused, Some(expected));
            assert_eq!(seen(&group[3]), before);
        }
        // The fifth is for nobody on that side; the others reach who is beside the victim.
        let refused = group[2].process(&commits[4], &NoPsks, NOW).err();
        assert_eq!(refused, Some(Error::Decryption));
        merge(&mut group[1], &commits[0]).unwrap();
        merge(&mut group[2], &commits[0]).unwrap();
        agree_among(&group[1..3]);
        // It knows that it is apart.
        assert_ne!(
            group[3].epoch_authenticator(),
            group[1].epoch_authenticator()
        );
        let message = group[1].seal(b"who is there?", b"", rng).unwrap();
        assert_eq!(group[3].open(&message), Err(Error::WrongEpoch));
        assert!(group[2].open(&message).is_ok());
        // What the others sent before is still read.
        let info = group[1].group_info(true, true).unwrap();
        let mut back = ExternalCommit::new(
            Signer::generate(suite, rng).unwrap(),
            Client::basic(b"member 3"),
        );
        back.resync = Some(victim);
        let options = JoinOptions::default();
        let back = Member::join_by_commit(&info, back, &options, &NoPsks, NOW, rng).unwrap();
        for member in &mut group[1..3] {
            merge(member, &back.commit).unwrap();
        }
        group[3] = back.joining.approve(|_| true).unwrap();
        agree_among(&group[1..]);
    }
}

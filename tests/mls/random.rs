//! Groups that do what comes, from a seed that is printed.

use crate::*;

/// One seed's group: adds, removes, updates, keys mixed in, joins by commit, in both framings, and messages between.
fn run(suite: CipherSuite, seed: u64, steps: usize) {
    println!("suite {}, seed {seed}", suite.0);
    let rng = &mut Rng(seed);
    let mut group = group_of(suite, 3, rng);
    let mut stores = super::stored::Stores::default();
    let mut names = 0u32;
    let below = |most: usize, rng: &mut Rng| {
        use subrosa::crypto::TryRng;
        (rng.try_next_u64().unwrap() % most as u64) as usize
    };
    for _ in 0..steps {
        let committer = below(group.len(), rng);
        let format = FORMATS[below(2, rng)];
        match below(9, rng) {
            0 | 1 if group.len() < 14 => {
                let mut newcomers = Vec::new();
                let mut commit = group[committer].commit().wire_format(format);
                if below(2, rng) == 0 {
                    commit = commit.with_path();
                }
                for _ in 0..=below(4, rng) {
                    names += 1;
                    let newcomer = Newcomer::new(suite, &format!("n{names}"), rng);
                    commit = commit.add_client(newcomer.key_package.clone());
                    newcomers.push(newcomer);
                }
                let by_hand = below(2, rng) == 0;
                let messages = commit
                    .tree_in_welcome(!by_hand)
                    .build(&NoPsks, NOW, rng)
                    .unwrap();
                everybody_but_new(&mut group, committer, &messages.commit);
                let tree = group[0].ratchet_tree().unwrap();
                let options = JoinOptions {
                    ratchet_tree: by_hand.then_some(&tree),
                    ..JoinOptions::default()
                };
                let welcome = messages.welcome.unwrap();
                for newcomer in newcomers {
                    group.push(newcomer.join(&welcome, &options).unwrap());
                }
            }
            2 | 3 if group.len() > 3 => {
                let mut gone = Vec::new();
                for _ in 0..=below(3, rng) {
                    let place = below(group.len(), rng);
                    if place != committer && !gone.contains(&place) && gone.len() + 2 < group.len()
                    {
                        gone.push(place);
                    }
                }
                let leaves: Vec<_> = gone.iter().map(|place| group[*place].leaf()).collect();
                let mut commit = group[committer].commit().wire_format(format);
                for leaf in leaves {
                    commit = commit.remove_member(leaf);
                }
                let messages = commit.build(&NoPsks, NOW, rng).unwrap();
                everybody_but_new(&mut group, committer, &messages.commit);
                let mut place = 0;
                group.retain(|member| {
                    place += 1;
                    assert_eq!(member.is_removed(), gone.contains(&(place - 1)));
                    !member.is_removed()
                });
            }
            4 | 5 => {
                // Updates of some, committed by another.
                let mut messages = Vec::new();
                for (place, member) in group.iter_mut().enumerate() {
                    if place != committer && below(3, rng) == 0 {
                        let signer =
                            (below(2, rng) == 0).then(|| Signer::generate(suite, rng).unwrap());
                        let message = member.propose_update(None, signer, format, rng);
                        messages.push((place, message.unwrap()));
                    }
                }
                for (sender, message) in &messages {
                    for (place, member) in group.iter_mut().enumerate() {
                        if place != *sender {
                            keep(member, message).unwrap();
                        }
                    }
                }
                let messages = group[committer].commit().build(&NoPsks, NOW, rng).unwrap();
                everybody_but_new(&mut group, committer, &messages.commit);
            }
            6 => {
                let psk = Psk::External(b"shared".to_vec());
                let commit = group[committer].commit().wire_format(format).psk(psk);
                let messages = commit.build(&Shared, NOW, rng).unwrap();
                everybody_but_new(&mut group, committer, &messages.commit);
            }
            7 if group.len() < 14 => {
                names += 1;
                let info = group[committer].group_info(true, true).unwrap();
                let external = ExternalCommit::new(
                    Signer::generate(suite, rng).unwrap(),
                    Client::basic(format!("e{names}").as_bytes()),
                );
                let options = JoinOptions::default();
                let joined =
                    Member::join_by_commit(&info, external, &options, &NoPsks, NOW, rng).unwrap();
                for member in &mut group {
                    merge(member, &joined.commit).unwrap();
                }
                group.push(joined.joining.approve(|_| true).unwrap());
            }
            _ => {
                let messages = group[committer].commit().wire_format(format);
                let messages = messages.build(&NoPsks, NOW, rng).unwrap();
                everybody_but_new(&mut group, committer, &messages.commit);
            }
        }
        agree(&mut group);
        if below(2, rng) == 0 {
            stores.restart(&mut group);
        }
        let sender = below(group.len(), rng);
        let message = group[sender].seal(b"now and then", b"", rng).unwrap();
        for (place, member) in group.iter_mut().enumerate() {
            if place != sender {
                assert!(member.open(&message).is_ok());
            }
        }
    }
    stores.restart(&mut group);
    talk(&mut group, rng);
}

#[test]
fn random_groups() {
    for seed in 1..=4 {
        run(CipherSuite::X25519_AES128, seed, 40);
    }
    run(CipherSuite::P256_AES128, 5, 15);
    run(CipherSuite::X25519_CHACHA20, 6, 40);
}

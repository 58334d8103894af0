//! What a delivery service and an insider may try (G1 to G19 of the list of attacks).

use crate::*;

mod commits;
mod extensions;
mod insider;
mod joining;
mod keys;
mod proposals;
mod trees;

fn first_commit(group: &mut [Member], rng: &mut Rng) -> Vec<u8> {
    let built = group[0].commit().wire_format(FORMATS[0]);
    built.build(&NoPsks, NOW, rng).unwrap().commit
}

/// The state that anybody can see, to be compared.
fn seen(member: &Member) -> (Vec<u8>, [u8; 32], usize, bool) {
    (
        member.ratchet_tree().unwrap(),
        *member.epoch_authenticator(),
        member.proposals().count(),
        member.has_pending_commit(),
    )
}

#[test]
fn attack_g4_old_commits_and_other_groups() {
    let rng = &mut Rng(101);
    let mut group = group_of(CipherSuite::X25519_AES128, 2, rng);
    let mut other = create(CipherSuite::X25519_AES128, Extensions::new(), rng);
    let elsewhere = Member::create(
        CipherSuite::X25519_AES128,
        b"another group",
        Extensions::new(),
        founder(CipherSuite::X25519_AES128, "x", rng),
        rng,
    );
    let foreign = elsewhere
        .unwrap()
        .commit()
        .build(&NoPsks, NOW, rng)
        .unwrap();
    let same_name = other.commit().build(&NoPsks, NOW, rng).unwrap();
    let mut old = Vec::new();
    for _ in 0..4 {
        let commit = first_commit(&mut group, rng);
        everybody(&mut group, 0, &commit);
        old.push(commit);
    }
    let before = seen(&group[1]);
    for commit in &old {
        assert_eq!(
            group[1].process(commit, &NoPsks, NOW).err(),
            Some(Error::WrongEpoch)
        );
    }
    let process = |message: &[u8]| group[1].process(message, &NoPsks, NOW).err();
    assert_eq!(process(&foreign.commit), Some(Error::WrongGroup));
    assert_eq!(process(&same_name.commit), Some(Error::WrongEpoch));
    assert_eq!(seen(&group[1]), before);
    let commit = first_commit(&mut group, rng);
    everybody(&mut group, 0, &commit);
}

/// Every byte of a commit in clear, of one encrypted, and of a message: refused, nothing changed, and the genuine one is taken
/// afterwards. So a forged message burns no key.
#[test]
fn attack_g14_every_byte() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(102);
        let mut group = group_of(suite, 3, rng);
        for format in FORMATS {
            let built = group[0].commit().wire_format(format);
            let commit = built.build(&NoPsks, NOW, rng).unwrap().commit;
            let before = seen(&group[1]);
            // P-256 is slow without optimisation.
            let step = if suite == CipherSuite::P256_AES128 {
                17
            } else {
                3
            };
            for place in (0..commit.len()).step_by(step) {
                let mut altered = commit.clone();
                altered[place] ^= 1 << (place % 8);
                assert!(group[1].process(&altered, &NoPsks, NOW).is_err(), "{place}");
            }
            for length in (0..commit.len()).step_by(7) {
                assert!(group[1].process(&commit[..length], &NoPsks, NOW).is_err());
            }
            assert_eq!(seen(&group[1]), before);
            everybody(&mut group, 0, &commit);
        }
        let message = group[0].seal(b"genuine", b"aad", rng).unwrap();
        for place in 0..message.len() {
            let mut altered = message.clone();
            altered[place] ^= 1 << (place % 8);
            assert!(group[1].open(&altered).is_err(), "{place}");
        }
        assert_eq!(
            group[1].open(&message),
            Ok((LeafIndex(0), b"genuine".to_vec()))
        );
    }
}

#[test]
fn attack_g13_removed_member_reads_nothing() {
    let rng = &mut Rng(103);
    let mut group = group_of(CipherSuite::X25519_AES128, 3, rng);
    let leaf = group[2].leaf();
    let messages = group[0]
        .commit()
        .remove_member(leaf)
        .build(&NoPsks, NOW, rng)
        .unwrap();
    let mut twin = group.pop().unwrap();
    everybody(&mut group, 0, &messages.commit);
    let secret = group[0].seal(b"without you", b"", rng).unwrap();
    let next = first_commit(&mut group, rng);
    // Before it takes the commit, after, and without ever taking it.
    assert_eq!(twin.open(&secret), Err(Error::WrongEpoch));
    assert_eq!(
        twin.process(&next, &NoPsks, NOW).err(),
        Some(Error::WrongEpoch)
    );
    merge(&mut twin, &messages.commit).unwrap();
    assert_eq!(twin.open(&secret), Err(Error::WrongEpoch));
    assert_eq!(twin.process(&next, &NoPsks, NOW).err(), Some(Error::Over));
    for built in [
        twin.propose_remove(LeafIndex(0), FORMATS[0], rng),
        twin.group_info(true, true),
    ] {
        assert_eq!(built, Err(Error::Over));
    }
}

#[test]
fn attack_g11_the_same_key_twice() {
    let suite = CipherSuite::X25519_AES128;
    let rng = &mut Rng(104);
    let mut group = group_of(suite, 2, rng);
    let newcomer = Newcomer::new(suite, "new", rng);
    let twice = group[0]
        .commit()
        .add_client(newcomer.key_package.clone())
        .add_client(newcomer.key_package.clone());
    assert_eq!(
        twice.build(&NoPsks, NOW, rng).err(),
        Some(Error::Invalid(Rule::SameClientTwice))
    );
    // Another key package of who is a member.
    let lifetime = Lifetime::from_now(NOW, 1_000);
    let signer = Signer::generate(suite, &mut Rng(5)).unwrap();
    let (one, _) = key_package(suite, &signer, Client::basic(b"m"), lifetime, rng);
    let (other, _) = key_package(suite, &signer, Client::basic(b"m"), lifetime, rng);
    let messages = group[0]
        .commit()
        .add_client(one)
        .build(&NoPsks, NOW, rng)
        .unwrap();
    everybody_but_new(&mut group, 0, &messages.commit);
    let again = group[0].commit().add_client(other).build(&NoPsks, NOW, rng);
    assert_eq!(again.err(), Some(Error::Invalid(Rule::SameClientTwice)));
}

#[test]
fn attack_g12_leaves_that_no_tree_has() {
    let rng = &mut Rng(105);
    let mut group = group_of(CipherSuite::X25519_AES128, 3, rng);
    for leaf in [3, 4, 1 << 20, 1 << 30, 1 << 31, u32::MAX] {
        let leaf = LeafIndex(leaf);
        let removed = group[0]
            .commit()
            .remove_member(leaf)
            .build(&NoPsks, NOW, rng);
        assert_eq!(removed.err(), Some(Error::Invalid(Rule::RemoveOfNobody)));
        assert_eq!(
            group[0].propose_remove(leaf, FORMATS[0], rng),
            Err(Error::Invalid(Rule::RemoveOfNobody))
        );
        assert_eq!(group[0].leaf_node(leaf), None);
        // As the sender of a message: where the sender's leaf is written.
        let commit = group[0]
            .commit()
            .wire_format(FORMATS[0])
            .build(&NoPsks, NOW, rng);
        let Ok(Message::Public(mut message)) = Message::decode(&commit.unwrap().commit) else {
            panic!("a public message");
        };
        group[0].clear_pending();
        message.content.sender = subrosa::mls::Sender::Member(leaf);
        let message = Message::Public(message).encode().unwrap();
        assert_eq!(
            group[1].process(&message, &NoPsks, NOW).err(),
            Some(Error::BadTag)
        );
    }
}

#[test]
fn attack_g15_lists_that_are_not_valid() {
    let rng = &mut Rng(106);
    let mut group = group_of(CipherSuite::X25519_AES128, 4, rng);
    let (own, other) = (group[0].leaf(), group[1].leaf());
    let refused = |member: &mut Member, proposals: Vec<Proposal>, rng: &mut Rng| {
        let commit = member.commit().with_received(false);
        let commit = proposals
            .into_iter()
            .fold(commit, |commit, one| commit.proposal(one));
        match commit.build(&Shared, NOW, rng) {
            Err(Error::Invalid(rule)) => rule,
            other => panic!("{other:?}"),
        }
    };
    let psk = |nonce: usize| {
        Proposal::PreSharedKey(subrosa::mls::PreSharedKeyId {
            psk: Psk::External(b"shared".to_vec()),
            nonce: vec![9; nonce],
        })
    };
    let reinit = || {
        Proposal::ReInit(subrosa::mls::ReInit {
            group_id: b"r".to_vec(),
            version: 1,
            cipher_suite: CipherSuite::X25519_AES128,
            extensions: Extensions::new(),
        })
    };
    let mut older = reinit();
    if let Proposal::ReInit(reinit) = &mut older {
        reinit.version = 0;
    }
    let extensions = || Proposal::GroupContextExtensions(Extensions::new());
    let leaf = group[0].leaf_node(own).unwrap().clone();
    for (proposals, rule) in [
        (vec![Proposal::Remove(own)], Rule::RemoveOfCommitter),
        (
            vec![Proposal::Update(Box::new(leaf))],
            Rule::UpdateByCommitter,
        ),
        (
            vec![Proposal::Remove(other), Proposal::Remove(other)],
            Rule::SameLeafTwice,
        ),
        (vec![psk(32), psk(32)], Rule::SamePskTwice),
        (vec![psk(31)], Rule::PskNonce),
        (vec![psk(0)], Rule::PskNonce),
        (vec![extensions(), extensions()], Rule::ExtensionsTwice),
        (
            vec![reinit(), Proposal::Remove(other)],
            Rule::ReInitWithOthers,
        ),
        (vec![older], Rule::ReInitVersion),
        (
            vec![Proposal::ExternalInit(vec![1; 32])],
            Rule::ExternalInitByMember,
        ),
    ] {
        let before = seen(&group[0]);
        assert_eq!(refused(&mut group[0], proposals, rng), rule);
        assert_eq!(seen(&group[0]), before);
    }
    talk(&mut group, rng);
}

#[test]
fn attack_g16_late_messages_are_verified_by_their_own_epoch() {
    let rng = &mut Rng(107);
    let suite = CipherSuite::X25519_AES128;
    let mut group = group_of(suite, 2, rng);
    let late = group[0].seal(b"under the old key", b"", rng).unwrap();
    let signer = Signer::generate(suite, rng).unwrap();
    let messages = group[0]
        .commit()
        .signer(signer)
        .build(&NoPsks, NOW, rng)
        .unwrap();
    let staged = match group[1].process(&messages.commit, &NoPsks, NOW).unwrap() {
        Processed::Commit(staged) => staged,
        _ => panic!("a commit"),
    };
    // A new key under an old name is for the app to judge: it may say no.
    let staged_again = match group[1].process(&messages.commit, &NoPsks, NOW).unwrap() {
        Processed::Commit(staged) => staged,
        _ => panic!("a commit"),
    };
    assert_eq!(staged_again.approve(|_| false).err(), Some(Error::Refused));
    let approved = staged.approve(|new| {
        assert_eq!(new.replaces, Some(new.credential));
        true
    });
    group[0].merge_pending().unwrap();
    group[1].merge(approved.unwrap()).unwrap();
    assert_eq!(
        group[1].open(&late),
        Ok((LeafIndex(0), b"under the old key".to_vec()))
    );
    let message = group[0].seal(b"under the new one", b"", rng).unwrap();
    assert!(group[1].open(&message).is_ok());
}

#[test]
fn attack_g19_lifetimes() {
    let suite = CipherSuite::X25519_CHACHA20;
    let rng = &mut Rng(108);
    let mut group = group_of(suite, 2, rng);
    let with = |not_before, not_after| Lifetime {
        not_before,
        not_after,
    };
    for (lifetime, good) in [
        (with(NOW, NOW), true),
        (with(NOW - 10, NOW - 1), false),
        (with(NOW + 1, NOW + 10), false),
        (with(NOW, NOW + limits::LIFETIME_MAX), true),
        (with(NOW, NOW + limits::LIFETIME_MAX + 1), false),
        (with(0, u64::MAX), false),
        (with(NOW + 1, NOW - 1), false),
    ] {
        let signer = Signer::generate(suite, rng).unwrap();
        let (key_package, _) = key_package(suite, &signer, Client::basic(b"x"), lifetime, rng);
        let built = group[0]
            .commit()
            .add_client(key_package)
            .build(&NoPsks, NOW, rng);
        group[0].clear_pending();
        match good {
            true => assert!(built.is_ok()),
            false => assert_eq!(built.err(), Some(Error::Invalid(Rule::LeafLifetime))),
        }
    }
    // Whoever joins late is told that a member's key package has run out, and may let it be.
    let newcomer = Newcomer::with(suite, Client::basic(b"late"), rng);
    let messages = group[0]
        .commit()
        .add_client(newcomer.key_package.clone())
        .build(&NoPsks, NOW, rng)
        .unwrap();
    let later = NOW + 91 * 86_400;
    let join = |allow_expired| {
        let options = JoinOptions {
            allow_expired,
            ..JoinOptions::default()
        };
        Member::join(
            messages.welcome.as_ref().unwrap(),
            &newcomer.key_package,
            &newcomer.secrets,
            Signer::from_secret(suite, &newcomer.signer.secret()).unwrap(),
            &options,
            &NoPsks,
            later,
        )
        .map(drop)
    };
    assert_eq!(join(false), Err(Error::Invalid(Rule::LeafLifetime)));
    assert_eq!(join(true), Ok(()));
}

#[test]
fn attack_g6_welcomes_for_others() {
    let suite = CipherSuite::X25519_AES128;
    let rng = &mut Rng(109);
    let mut first = create(suite, Extensions::new(), rng);
    let (one, other) = (
        Newcomer::new(suite, "one", rng),
        Newcomer::new(suite, "other", rng),
    );
    let built = first.commit().add_client(one.key_package.clone());
    let messages = built.build(&NoPsks, NOW, rng).unwrap();
    let welcome = messages.welcome.unwrap();
    let options = JoinOptions::default();
    assert_eq!(
        other.join(&welcome, &options).err(),
        Some(Error::NotForThisKeyPackage)
    );
    for place in (0..welcome.len()).step_by(5) {
        let mut altered = welcome.clone();
        altered[place] ^= 0x10;
        assert!(one.again().join(&altered, &options).is_err(), "{place}");
    }
    let mut mixed = one;
    mixed.signer = Signer::generate(suite, rng).unwrap();
    assert_eq!(
        mixed.join(&welcome, &options).err(),
        Some(Error::InvalidKey)
    );
}

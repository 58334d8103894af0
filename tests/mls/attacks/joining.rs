//! Ways into a group that are not for everybody: old Welcomes (G5), and external commits (G7).

use subrosa::mls::hazmat::{Forgery, Insider, sign_group_info};
use subrosa::mls::{GroupInfo, ProposalRef};

use super::insider::own_leaf;
use super::*;

#[test]
fn attack_g5_old_welcomes() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(240 + u64::from(suite.0));
        let mut first = create(suite, Extensions::new(), rng);
        let newcomer = Newcomer::new(suite, "second", rng);
        let built = first.commit().add_client(newcomer.key_package.clone());
        let welcome = built.build(&NoPsks, NOW, rng).unwrap().welcome.unwrap();
        first.merge_pending().unwrap();
        let options = JoinOptions::default();
        let joined = newcomer.again().join(&welcome, &options).unwrap();
        let mut group = vec![first, joined];
        let used = group[1].seal(b"the first message", b"", rng).unwrap();
        assert!(group[0].open(&used).is_ok());

        // The secrets were deleted with the first use: those of another key package do not serve.
        let other = Newcomer::new(suite, "second", rng);
        let join = |key_package, secrets, signer: &Signer| {
            let signer = Signer::from_secret(suite, &signer.secret()).unwrap();
            let joined = Member::join(
                &welcome,
                key_package,
                secrets,
                signer,
                &options,
                &NoPsks,
                NOW,
            );
            joined.map(drop)
        };
        let key_package = &newcomer.key_package;
        assert_eq!(
            join(key_package, &other.secrets, &newcomer.signer),
            Err(Error::InvalidKey)
        );
        assert_eq!(
            join(&other.key_package, &newcomer.secrets, &other.signer),
            Err(Error::InvalidKey)
        );
        assert_eq!(
            join(&other.key_package, &other.secrets, &other.signer),
            Err(Error::NotForThisKeyPackage)
        );

        // To a member it is no message.
        let before = seen(&group[1]);
        let refused = group[1].process(&welcome, &NoPsks, NOW).err();
        assert_eq!(refused, Some(Error::Malformed));
        assert_eq!(group[1].open(&welcome), Err(Error::Malformed));
        assert_eq!(seen(&group[1]), before);

        // Whoever kept the secrets has the old epoch again, and nothing of the present one.
        let mut ghost = newcomer.join(&welcome, &options).unwrap();
        assert_eq!(ghost.epoch_authenticator(), group[1].epoch_authenticator());
        for _ in 0..2 {
            let messages = group[1].commit().build(&NoPsks, NOW, rng).unwrap();
            everybody(&mut group, 1, &messages.commit);
        }
        let replayed = ghost.seal(b"the first message, again", b"", rng).unwrap();
        assert_eq!(group[0].open(&replayed), Err(Error::GenerationUsed));
        for _ in 0..2 {
            let messages = group[0].commit().build(&NoPsks, NOW, rng).unwrap();
            assert_eq!(
                ghost.process(&messages.commit, &NoPsks, NOW).err(),
                Some(Error::WrongEpoch)
            );
            everybody(&mut group, 0, &messages.commit);
        }
        assert_eq!(group[0].open(&replayed), Err(Error::EpochGone));
        let present = group[0].seal(b"of today", b"", rng).unwrap();
        assert_eq!(ghost.open(&present), Err(Error::WrongEpoch));
        let before = seen(&group[0]);
        for format in FORMATS {
            let proposal = ghost.propose_remove(LeafIndex(0), format, rng).unwrap();
            let commit = ghost.commit().wire_format(format);
            let commit = commit.build(&NoPsks, NOW, rng).unwrap().commit;
            for message in [proposal, commit] {
                let refused = group[0].process(&message, &NoPsks, NOW).err();
                assert_eq!(refused, Some(Error::WrongEpoch));
            }
            ghost.clear_pending();
        }
        assert_eq!(seen(&group[0]), before);
        talk(&mut group, rng);
    }
}

fn outsider(suite: CipherSuite, name: &[u8], rng: &mut Rng) -> ExternalCommit {
    ExternalCommit::new(Signer::generate(suite, rng).unwrap(), Client::basic(name))
}

fn decoded(info: &[u8]) -> GroupInfo {
    match Message::decode(info) {
        Ok(Message::GroupInfo(info)) => info,
        other => panic!("{other:?}"),
    }
}

#[test]
fn attack_g7_forged_information_of_a_group() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(250 + u64::from(suite.0));
        let mut group = group_of(suite, 3, rng);
        let info = group[0].group_info(true, true).unwrap();
        let join = |info: &[u8], rng: &mut Rng| {
            let options = JoinOptions::default();
            let external = outsider(suite, b"outsider", rng);
            Member::join_by_commit(info, external, &options, &NoPsks, NOW, rng)
        };
        // P-256 is slow without optimisation.
        let step = match suite {
            CipherSuite::P256_AES128 => 23,
            _ => 1,
        };
        for place in (0..info.len()).step_by(step) {
            let mut altered = info.clone();
            altered[place] ^= 1 << (place % 8);
            assert!(join(&altered, rng).is_err(), "{place}");
        }
        for length in (0..info.len()).step_by(11) {
            assert!(join(&info[..length], rng).is_err(), "{length}");
        }

        // Signed by a member, and not true: who believes it gets nowhere.
        let insider = Insider::new(&group[1]);
        let foreign = subrosa::crypto::hpke::Kem::X25519;
        let foreign = match suite {
            CipherSuite::P256_AES128 => subrosa::crypto::hpke::Kem::P256,
            _ => foreign,
        };
        let foreign = foreign.derive_key_pair(&[9; 32]).unwrap();
        let external_pub = |key: &[u8]| {
            let mut writer = subrosa::wire::Writer::new();
            writer.vector(key).unwrap();
            writer.into_bytes()
        };
        type Lie<'a> = Box<dyn Fn(&mut GroupInfo) + 'a>;
        let with = |info: &mut GroupInfo, extension, data| {
            info.extensions = info.extensions.clone().with(extension, data);
        };
        let lies: [(Lie<'_>, Result<Error, Error>); 7] = [
            (
                Box::new(|info| {
                    with(
                        info,
                        ExtensionType::EXTERNAL_PUB,
                        external_pub(foreign.public()),
                    );
                }),
                Ok(Error::BadTag),
            ),
            (
                Box::new(|info| with(info, ExtensionType::EXTERNAL_PUB, external_pub(&[9; 31]))),
                Err(Error::InvalidKey),
            ),
            (
                Box::new(|info| with(info, ExtensionType::EXTERNAL_PUB, vec![3])),
                Err(Error::Malformed),
            ),
            (
                Box::new(|info| info.confirmation_tag[0] ^= 1),
                Ok(Error::BadTag),
            ),
            (
                Box::new(|info| info.group_context.epoch += 1),
                Ok(Error::WrongEpoch),
            ),
            (
                Box::new(|info| info.group_context.group_id.push(0)),
                // The leaves that were signed for the group's true name.
                Err(Error::BadSignature),
            ),
            (
                Box::new(|info| info.group_context.confirmed_transcript_hash[0] ^= 1),
                Ok(Error::BadSignature),
            ),
        ];
        let before = seen(&group[2]);
        for (place, (lie, expected)) in lies.into_iter().enumerate() {
            let mut info = decoded(&info);
            info.signer = group[1].leaf();
            lie(&mut info);
            sign_group_info(&mut info, insider.signer()).unwrap();
            let info = Message::GroupInfo(info).encode().unwrap();
            let joined = join(&info, rng);
            let refused = match (joined, expected) {
                (Ok(joined), Ok(_)) => Ok(group[2]
                    .process(&joined.commit, &NoPsks, NOW)
                    .err()
                    .unwrap()),
                // A key package's leaf is signed for no group: all of this group's are.
                (Ok(joined), Err(Error::BadSignature)) => {
                    let refused = group[2].process(&joined.commit, &NoPsks, NOW).err();
                    assert_eq!(refused, Some(Error::WrongGroup));
                    Err(Error::BadSignature)
                }
                (joined, _) => Err(joined.err().unwrap()),
            };
            assert_eq!(refused, expected, "{place}");
        }
        let mut without = decoded(&info);
        without.signer = group[1].leaf();
        let tree = without.extensions.find(ExtensionType::RATCHET_TREE);
        without.extensions =
            Extensions::new().with(ExtensionType::RATCHET_TREE, tree.unwrap().to_vec());
        sign_group_info(&mut without, insider.signer()).unwrap();
        let without = Message::GroupInfo(without).encode().unwrap();
        assert_eq!(
            join(&without, rng).err(),
            Some(Error::Invalid(Rule::NoExternalPub))
        );
        assert_eq!(seen(&group[2]), before);

        let joined = join(&info, rng).unwrap();
        for member in &mut group {
            merge(member, &joined.commit).unwrap();
        }
        group.push(joined.joining.approve(|_| true).unwrap());
        agree(&mut group);
    }
}

/// Somebody who was removed comes back, or somebody takes a member's place: the app is told whose, and decides.
#[test]
fn attack_g7_who_comes_back_by_a_commit() {
    let suite = CipherSuite::X25519_AES128;
    let rng = &mut Rng(260);
    let mut group = group_of(suite, 4, rng);
    let removed = group.pop().unwrap();
    let (gone, old_info) = (removed.leaf(), removed.group_info(true, true).unwrap());
    let built = group[0].commit().remove_member(gone);
    let commit = built.build(&NoPsks, NOW, rng).unwrap().commit;
    everybody(&mut group, 0, &commit);
    let signer = |member: &Member| {
        let secret = Insider::new(member).signer().secret();
        Signer::from_secret(suite, &secret).unwrap()
    };
    let join = |info: &[u8], external, rng: &mut Rng| {
        Member::join_by_commit(info, external, &JoinOptions::default(), &NoPsks, NOW, rng)
    };
    // From what it knew.
    let again = |resync| ExternalCommit {
        resync,
        ..ExternalCommit::new(signer(&removed), Client::basic(b"member 3"))
    };
    let stale = join(&old_info, again(Some(gone)), rng).unwrap();
    let before = seen(&group[1]);
    let process = |member: &Member, message: &[u8]| match member.process(message, &NoPsks, NOW) {
        Ok(Processed::Commit(staged)) => Ok(staged),
        Ok(_) => panic!("no commit"),
        Err(error) => Err(error),
    };
    let refused = process(&group[1], &stale.commit).err();
    assert_eq!(refused, Some(Error::WrongEpoch));
    // From what anybody knows: a place that is nobody's is not taken over.
    let info = group[0].group_info(true, true).unwrap();
    let nobody = join(&info, again(Some(gone)), rng).err();
    assert_eq!(nobody, Some(Error::Invalid(Rule::RemoveOfNobody)));
    // As somebody new, it is for the app to say.
    let anew = join(&info, again(None), rng).unwrap();
    let staged = process(&group[1], &anew.commit).unwrap();
    assert_eq!(staged.effects().added, [gone]);
    let asked: Vec<_> = staged
        .credentials()
        .map(|new| (new.leaf, new.replaces.is_some(), new.is_external_sender))
        .collect();
    assert_eq!(asked, [(Some(gone), false, false)]);
    let banned = Credential::Basic(b"member 3".to_vec());
    let refused = staged.approve(|new| *new.credential != banned);
    assert_eq!(refused.err(), Some(Error::Refused));
    // In the place of another: whose it is, is told.
    let victim = group[2].leaf();
    let mut hijack = outsider(suite, b"member 2, really", rng);
    hijack.resync = Some(victim);
    let hijack = join(&info, hijack, rng).unwrap();
    let staged = process(&group[1], &hijack.commit).unwrap();
    assert_eq!(staged.effects().removed, [victim]);
    let same_identity = |staged: subrosa::mls::StagedCommit| {
        staged.approve(|new| new.replaces.is_none_or(|old| old == new.credential))
    };
    assert_eq!(same_identity(*staged).err(), Some(Error::Refused));
    // The same name under another key is told as well.
    let mut named = outsider(suite, b"member 2", rng);
    named.resync = Some(victim);
    let key = named.signer.public().clone();
    let named = join(&info, named, rng).unwrap();
    let staged = process(&group[1], &named.commit).unwrap();
    let mut asked = staged.credentials();
    let new = asked.next().unwrap();
    assert_eq!(
        (new.leaf, new.replaces),
        (Some(victim), Some(new.credential))
    );
    assert_eq!(*new.signature_key, key);
    assert!(asked.next().is_none());
    drop(asked);
    assert_eq!(staged.approve(|_| false).err(), Some(Error::Refused));
    assert_eq!(seen(&group[1]), before);
    talk(&mut group, rng);
}

/// What an external commit may have, and nothing else (RFC 9420 §12.2).
#[test]
fn attack_g7_what_an_external_commit_may_not_do() {
    let suite = CipherSuite::X25519_CHACHA20;
    let rng = &mut Rng(270);
    let mut group = group_of(suite, 4, rng);
    let insider = Insider::new(&group[0]);
    let signer = Signer::generate(suite, rng).unwrap();
    let newcomer = Newcomer::new(suite, "with me", rng);
    let mut leaf_node = own_leaf(&group[0]);
    leaf_node.signature_key = signer.public().clone();
    let kept = {
        let proposal = subrosa::mls::Content::Proposal(Proposal::Remove(LeafIndex(3)));
        let framed = insider.framed(proposal);
        let signed = insider.sign(FORMATS[0], framed, insider.signer()).unwrap();
        let reference = insider.reference(&signed).unwrap();
        (insider.public(signed).unwrap(), reference)
    };
    let reinit = Proposal::ReInit(subrosa::mls::ReInit {
        group_id: b"r".to_vec(),
        version: 1,
        cipher_suite: suite,
        extensions: Extensions::new(),
    });
    type Do<'a> = Box<dyn Fn(&mut Forgery<'_>) + 'a>;
    let invalid = |rule| Some(Error::Invalid(rule));
    let proposes = |proposals: Vec<Proposal>| -> Do<'_> {
        Box::new(move |forgery| {
            for proposal in &proposals {
                forgery.propose(proposal.clone());
            }
        })
    };
    let remove = |leaf| Proposal::Remove(LeafIndex(leaf));
    let cases: Vec<(Do<'_>, Option<Error>)> = vec![
        (proposes(vec![]), None),
        (proposes(vec![remove(3)]), None),
        (
            proposes(vec![remove(3), remove(2)]),
            invalid(Rule::ExternalCommitProposal),
        ),
        (
            proposes(vec![Proposal::Add(Box::new(newcomer.key_package.clone()))]),
            invalid(Rule::ExternalCommitProposal),
        ),
        (
            proposes(vec![Proposal::Update(Box::new(leaf_node.clone()))]),
            invalid(Rule::ExternalCommitProposal),
        ),
        (
            proposes(vec![Proposal::GroupContextExtensions(Extensions::new())]),
            invalid(Rule::ExternalCommitProposal),
        ),
        (
            proposes(vec![reinit]),
            invalid(Rule::ExternalCommitProposal),
        ),
        (
            proposes(vec![Proposal::ExternalInit(vec![1; 32])]),
            invalid(Rule::ExternalInitCount),
        ),
        (
            Box::new(|forgery| forgery.proposals.clear()),
            invalid(Rule::ExternalInitCount),
        ),
        (
            Box::new(|forgery| {
                let sender = subrosa::mls::Sender::Member(LeafIndex(0));
                forgery.refer(kept.1, sender, remove(3));
            }),
            invalid(Rule::ExternalCommitReference),
        ),
        (
            Box::new(|forgery| {
                let sender = subrosa::mls::Sender::NewMemberCommit;
                forgery.refer(ProposalRef([9; 32]), sender, remove(3));
            }),
            invalid(Rule::ExternalCommitReference),
        ),
    ];
    let mut commits = Vec::new();
    for (act, expected) in cases {
        let mut forgery = insider.commit();
        forgery.signer = &signer;
        forgery.external([5; 32]).unwrap();
        act(&mut forgery);
        forgery.path(leaf_node.clone(), [6; 32], |_| ()).unwrap();
        commits.push((forgery.finish().unwrap(), expected));
        forgery.path = None;
        commits.push((forgery.finish().unwrap(), invalid(Rule::PathMissing)));
    }
    let commits: Vec<_> = commits
        .into_iter()
        .map(|(forged, expected)| (insider.public(forged.signed).unwrap(), expected))
        .collect();
    keep(&mut group[1], &kept.0).unwrap();
    let before = seen(&group[1]);
    for (place, (commit, expected)) in commits.iter().enumerate() {
        let refused = group[1].process(commit, &NoPsks, NOW).err();
        assert_eq!(refused, *expected, "{place}");
        assert_eq!(seen(&group[1]), before);
    }
    merge(&mut group[1], &commits[0].0).unwrap();
    merge(&mut group[2], &commits[0].0).unwrap();
    super::insider::agree_among(&group[1..3]);
}

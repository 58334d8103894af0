//! Groups of this library's own members: everything that RFC 9420 lets them do, and that they agree after each step.

use std::collections::BTreeMap;

use subrosa::mls::{
    ApprovedCommit, Capabilities, CipherSuite, Client, Credential, CredentialType, Error,
    ExtensionType, Extensions, ExternalCommit, ExternalSender, ExternalSenders, Founder,
    JoinOptions, KeyPackage, KeyPackageSecrets, LeafIndex, Lifetime, Member, Message, NoPsks,
    Processed, Proposal, ProposalType, Psk, PskSource, RequiredCapabilities, ResumptionUsage, Rule,
    Signer, WireFormat, limits, propose_from_outside, propose_oneself,
};
use zeroize::Zeroizing;

use common::SeededRng as Rng;

mod common;
mod mls {
    mod attacks;
    #[cfg(feature = "hazmat")]
    mod history;
    mod random;
    mod stored;
}

const NOW: u64 = 1_800_000_000;

fn key_package(
    suite: CipherSuite,
    signer: &Signer,
    client: Client,
    lifetime: Lifetime,
    rng: &mut Rng,
) -> (KeyPackage, KeyPackageSecrets) {
    KeyPackage::generate(suite, signer, client, lifetime, Extensions::new(), rng).unwrap()
}

/// A client that may be added.
struct Newcomer {
    key_package: KeyPackage,
    secrets: KeyPackageSecrets,
    signer: Signer,
}

impl Newcomer {
    fn new(suite: CipherSuite, name: &str, rng: &mut Rng) -> Self {
        Self::with(suite, Client::basic(name.as_bytes()), rng)
    }

    fn with(suite: CipherSuite, client: Client, rng: &mut Rng) -> Self {
        let signer = Signer::generate(suite, rng).unwrap();
        let lifetime = Lifetime::from_now(NOW, 90 * 86_400);
        let (key_package, secrets) = key_package(suite, &signer, client, lifetime, rng);
        let bytes = Message::KeyPackage(key_package.clone()).encode().unwrap();
        assert_eq!(
            Message::decode(&bytes),
            Ok(Message::KeyPackage(key_package.clone()))
        );
        Self {
            key_package,
            secrets,
            signer,
        }
    }

    /// The same client once more, as it is after a restart.
    fn again(&self) -> Self {
        let suite = self.key_package.cipher_suite;
        let [init, encryption] = self.secrets.secrets();
        Self {
            key_package: self.key_package.clone(),
            secrets: KeyPackageSecrets::from_secrets(suite, &init, &encryption).unwrap(),
            signer: Signer::from_secret(suite, &self.signer.secret()).unwrap(),
        }
    }

    fn join(self, welcome: &[u8], options: &JoinOptions<'_>) -> Result<Member, Error> {
        let Self {
            key_package,
            secrets,
            signer,
        } = self;
        Member::join(
            welcome,
            &key_package,
            &secrets,
            signer,
            options,
            &Shared,
            NOW,
        )?
        .approve(|_| true)
    }
}

fn founder(suite: CipherSuite, name: &str, rng: &mut Rng) -> Founder {
    Founder {
        signer: Signer::generate(suite, rng).unwrap(),
        client: Client::basic(name.as_bytes()),
        lifetime: Lifetime::from_now(NOW, 90 * 86_400),
    }
}

/// The app's pre-shared keys.
struct Shared;

impl PskSource for Shared {
    fn psk(&self, psk: &Psk) -> Option<Zeroizing<Vec<u8>>> {
        match psk {
            Psk::External(id) if id == b"shared" => Some(Zeroizing::new(b"a secret".to_vec())),
            _ => None,
        }
    }
}

fn create(suite: CipherSuite, extensions: Extensions, rng: &mut Rng) -> Member {
    Member::create(
        suite,
        b"the group",
        extensions,
        founder(suite, "founder", rng),
        rng,
    )
    .unwrap()
}

fn approved(member: &Member, message: &[u8]) -> Result<ApprovedCommit, Error> {
    match member.process(message, &Shared, NOW)? {
        Processed::Commit(staged) => staged.approve(|_| true),
        _ => panic!("not a commit"),
    }
}

fn merge(member: &mut Member, message: &[u8]) -> Result<(), Error> {
    let commit = approved(member, message)?;
    member.merge(commit)
}

fn keep(member: &mut Member, message: &[u8]) -> Result<(), Error> {
    match member.process(message, &Shared, NOW)? {
        Processed::Proposal(staged) => member.keep_proposal(staged.approve(|_| true)?),
        _ => panic!("not a proposal"),
    }
}

/// All members but the committer take a commit; it merges its own.
fn everybody(group: &mut [Member], committer: usize, commit: &[u8]) {
    for (place, member) in group.iter_mut().enumerate() {
        if place == committer {
            assert!(matches!(
                member.process(commit, &Shared, NOW),
                Ok(Processed::OwnCommit)
            ));
            member.merge_pending().unwrap();
        } else {
            merge(member, commit).unwrap();
        }
    }
    agree(group);
}

/// All are in the same epoch, have the same tree, and read each other.
fn agree(group: &mut [Member]) {
    let (context, authenticator) = (group[0].context().clone(), *group[0].epoch_authenticator());
    let tree = group[0].ratchet_tree().unwrap();
    for member in group.iter() {
        assert_eq!(*member.context(), context);
        assert_eq!(*member.epoch_authenticator(), authenticator);
        assert_eq!(member.ratchet_tree().unwrap(), tree);
        assert_eq!(member.members() as usize, group.len());
        assert_eq!(
            *member.export_secret(b"label", b"context", 77).unwrap(),
            *group[0].export_secret(b"label", b"context", 77).unwrap()
        );
    }
}

fn talk(group: &mut [Member], rng: &mut Rng) {
    for sender in 0..group.len() {
        let text = format!("from {sender}");
        let message = group[sender]
            .seal(text.as_bytes(), b"in clear", rng)
            .unwrap();
        let leaf = group[sender].leaf();
        for (place, member) in group.iter_mut().enumerate() {
            let read = member.open(&message);
            if place == sender {
                assert_eq!(read, Err(Error::OwnMessage));
            } else {
                assert_eq!(read, Ok((leaf, text.clone().into_bytes())));
                assert_eq!(member.open(&message), Err(Error::GenerationUsed));
            }
        }
    }
}

/// A group of so many, added by one commit.
fn group_of(suite: CipherSuite, members: usize, rng: &mut Rng) -> Vec<Member> {
    let mut first = create(suite, Extensions::new(), rng);
    let mut commit = first.commit();
    let mut newcomers = Vec::new();
    for number in 1..members {
        let newcomer = Newcomer::new(suite, &format!("member {number}"), rng);
        commit = commit.add_client(newcomer.key_package.clone());
        newcomers.push(newcomer);
    }
    let messages = commit.build(&Shared, NOW, rng).unwrap();
    first.merge_pending().unwrap();
    let welcome = messages.welcome.unwrap();
    let mut group = vec![first];
    for newcomer in newcomers {
        group.push(newcomer.join(&welcome, &JoinOptions::default()).unwrap());
    }
    agree(&mut group);
    group
}

const FORMATS: [WireFormat; 2] = [WireFormat::PublicMessage, WireFormat::PrivateMessage];

#[test]
fn commits_of_every_kind() {
    for suite in CipherSuite::ALL {
        for format in FORMATS {
            let rng = &mut Rng(u64::from(suite.0));
            let mut group = group_of(suite, 5, rng);
            talk(&mut group, rng);
            // New keys of one's own, of each.
            for place in 0..group.len() {
                let built = group[place].commit().wire_format(format);
                let messages = built.build(&NoPsks, NOW, rng).unwrap();
                assert_eq!(messages.welcome, None);
                everybody(&mut group, place, &messages.commit);
            }
            talk(&mut group, rng);
            // One goes, two come, and a key is mixed in.
            let leaving = group[2].leaf();
            let newcomers = ["x", "y"].map(|name| Newcomer::new(suite, name, rng));
            let mut commit = group[1].commit().wire_format(format).remove_member(leaving);
            for newcomer in &newcomers {
                commit = commit.add_client(newcomer.key_package.clone());
            }
            let messages = commit
                .psk(Psk::External(b"shared".to_vec()))
                .build(&Shared, NOW, rng)
                .unwrap();
            let mut removed = group.remove(2);
            let staged = approved(&removed, &messages.commit).unwrap();
            assert!(staged.effects().removes_oneself);
            removed.merge(staged).unwrap();
            assert!(removed.is_removed());
            assert_eq!(removed.seal(b"x", b"", rng), Err(Error::Over));
            let staged = approved(&group[0], &messages.commit).unwrap();
            assert_eq!(staged.effects().removed, [leaving]);
            assert_eq!(staged.effects().added, [leaving, LeafIndex(5)]);
            assert_eq!(staged.effects().committer, group[1].leaf());
            assert_eq!(staged.effects().psks.len(), 1);
            for (place, member) in group.iter_mut().enumerate() {
                match place {
                    1 => member.merge_pending().unwrap(),
                    _ => merge(member, &messages.commit).unwrap(),
                }
            }
            for newcomer in newcomers {
                let welcome = messages.welcome.as_deref().unwrap();
                group.push(newcomer.join(welcome, &JoinOptions::default()).unwrap());
            }
            agree(&mut group);
            talk(&mut group, rng);
        }
    }
}

#[test]
fn proposals_by_reference() {
    for (suite, format) in [
        (CipherSuite::X25519_AES128, FORMATS[0]),
        (CipherSuite::P256_AES128, FORMATS[1]),
    ] {
        let rng = &mut Rng(7);
        let mut group = group_of(suite, 6, rng);
        let newcomer = Newcomer::new(suite, "new", rng);
        let leaving = group[5].leaf();
        let extensions = Extensions::new().with(
            ExtensionType::EXTERNAL_SENDERS,
            ExternalSenders::default().encode().unwrap(),
        );
        let messages = [
            group[1].propose_add(newcomer.key_package.clone(), format, NOW, rng),
            group[2].propose_update(None, None, format, rng),
            {
                let signer = Signer::generate(suite, rng).unwrap();
                let client = Client::basic(b"another name");
                group[3].propose_update(Some(client), Some(signer), format, rng)
            },
            group[1].propose_remove(leaving, format, rng),
            group[4].propose_psk(Psk::External(b"shared".to_vec()), format, rng),
            group[0].propose_extensions(extensions.clone(), format, rng),
        ]
        .map(Result::unwrap);
        for (sender, message) in [1, 2, 3, 1, 4, 0].into_iter().zip(&messages) {
            for (place, member) in group.iter_mut().enumerate() {
                if place == sender {
                    assert!(matches!(
                        member.process(message, &Shared, NOW),
                        Err(Error::OwnMessage)
                    ));
                } else {
                    keep(member, message).unwrap();
                }
            }
        }
        // What was proposed is committed first (RFC 9420 §12.4).
        assert_eq!(group[0].seal(b"x", b"", rng), Err(Error::ProposalsWait));
        assert_eq!(group[0].proposals().count(), 6);
        let messages = group[0].commit().build(&Shared, NOW, rng).unwrap();
        group.remove(5);
        everybody_but_new(&mut group, 0, &messages.commit);
        let welcome = messages.welcome.unwrap();
        group.push(newcomer.join(&welcome, &JoinOptions::default()).unwrap());
        for member in &group {
            assert_eq!(member.context().extensions, extensions);
            assert_eq!(member.proposals().count(), 0);
        }
        let renamed = group[3].leaf_node(group[3].leaf()).unwrap();
        assert_eq!(
            renamed.credential,
            Credential::Basic(b"another name".to_vec())
        );
        agree(&mut group);
        talk(&mut group, rng);
        let messages = group[3].commit().build(&NoPsks, NOW, rng).unwrap();
        everybody(&mut group, 3, &messages.commit);
    }
}

#[test]
fn joining_by_a_commit_and_again() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(11);
        let mut group = group_of(suite, 4, rng);
        let client = || {
            ExternalCommit::new(
                Signer::generate(suite, &mut Rng(u64::from(suite.0) + 40)).unwrap(),
                Client::basic(b"outsider"),
            )
        };
        let info = group[2].group_info(true, true).unwrap();
        let join = |external, info: &[u8], rng: &mut Rng| {
            Member::join_by_commit(info, external, &JoinOptions::default(), &Shared, NOW, rng)
        };
        let mut external = client();
        external.psks.push(Psk::External(b"shared".to_vec()));
        let joined = join(external, &info, rng).unwrap();
        for member in &mut group {
            merge(member, &joined.commit).unwrap();
        }
        let outsider = joined
            .joining
            .approve(|credential| credential.leaf.is_some())
            .unwrap();
        let old_leaf = outsider.leaf();
        assert_eq!(old_leaf, LeafIndex(4));
        group.push(outsider);
        agree(&mut group);
        talk(&mut group, rng);
        // It lost its state, and comes back in its own place: signature key and all.
        group.pop();
        let info = group[0].group_info(true, true).unwrap();
        assert_eq!(
            join(client(), &info, rng).err(),
            Some(Error::Invalid(Rule::DuplicateKey))
        );
        let mut external = client();
        external.resync = Some(old_leaf);
        let joined = join(external, &info, rng).unwrap();
        for member in &mut group {
            let staged = match member.process(&joined.commit, &Shared, NOW).unwrap() {
                Processed::Commit(staged) => staged,
                _ => panic!("a commit"),
            };
            // The app is told whose place it takes.
            let replaced: Vec<_> = staged
                .credentials()
                .map(|credential| credential.replaces.is_some())
                .collect();
            assert!(replaced.iter().all(|replaced| *replaced));
            member.merge(staged.approve(|_| true).unwrap()).unwrap();
        }
        group.push(joined.joining.approve(|_| true).unwrap());
        agree(&mut group);
        talk(&mut group, rng);
        // Without the group's key nobody joins.
        let info = group[0].group_info(true, false).unwrap();
        assert_eq!(
            join(client(), &info, rng).err(),
            Some(Error::Invalid(Rule::NoExternalPub))
        );
    }
}

#[test]
fn proposals_from_outside() {
    let suite = CipherSuite::X25519_CHACHA20;
    let rng = &mut Rng(13);
    let server = Signer::generate(suite, rng).unwrap();
    let senders = ExternalSenders(vec![ExternalSender {
        signature_key: server.public().clone(),
        credential: Credential::Basic(b"server".to_vec()),
    }]);
    let extensions =
        Extensions::new().with(ExtensionType::EXTERNAL_SENDERS, senders.encode().unwrap());
    let mut group = vec![create(suite, extensions, rng)];
    let newcomer = Newcomer::new(suite, "second", rng);
    let messages = group[0]
        .commit()
        .add_client(newcomer.key_package.clone())
        .build(&NoPsks, NOW, rng)
        .unwrap();
    group[0].merge_pending().unwrap();
    group.push(
        newcomer
            .join(&messages.welcome.unwrap(), &JoinOptions::default())
            .unwrap(),
    );

    let third = Newcomer::new(suite, "third", rng);
    let (group_id, epoch) = (group[0].group_id().to_vec(), group[0].epoch());
    let asks = propose_oneself(&group_id, epoch, third.key_package.clone(), &third.signer).unwrap();
    let removes = |index, signer: &Signer| {
        let proposal = Proposal::Remove(LeafIndex(1));
        propose_from_outside(suite, &group_id, epoch, index, signer, proposal).unwrap()
    };
    let process = |message: &[u8]| group[0].process(message, &NoPsks, NOW).err();
    assert_eq!(process(&removes(1, &server)), Some(Error::UnknownSender));
    let another = Signer::generate(suite, rng).unwrap();
    assert_eq!(process(&removes(0, &another)), Some(Error::BadSignature));
    let update = Proposal::ExternalInit(vec![1; 32]);
    assert_eq!(
        propose_from_outside(suite, &group_id, epoch, 0, &server, update),
        Err(Error::Invalid(Rule::ExternalProposalType))
    );
    keep(&mut group[0], &asks).unwrap();
    keep(&mut group[0], &removes(0, &server)).unwrap();
    let messages = group[0].commit().build(&NoPsks, NOW, rng).unwrap();
    group[0].merge_pending().unwrap();
    group.pop();
    group.push(
        third
            .join(&messages.welcome.unwrap(), &JoinOptions::default())
            .unwrap(),
    );
    agree(&mut group);
    talk(&mut group, rng);
}

#[test]
fn a_group_in_another_ones_place_and_a_branch() {
    let rng = &mut Rng(17);
    let (old_suite, new_suite) = (CipherSuite::X25519_AES128, CipherSuite::P256_AES128);
    let mut group = group_of(old_suite, 3, rng);
    // A branch of two of them.
    let newcomer = Newcomer::new(old_suite, "member 1", rng);
    let founder_of = |name: &str, suite, rng: &mut Rng| founder(suite, name, rng);
    let own = founder_of("founder", old_suite, rng);
    let others = vec![newcomer.key_package.clone()];
    let (branch, messages) = group[0].branch(b"branch", own, others, NOW, rng).unwrap();
    let welcome = messages.welcome.unwrap();
    let options = JoinOptions {
        old_group: Some(&group[1]),
        ..JoinOptions::default()
    };
    let stranger = newcomer.again();
    assert_eq!(
        stranger.join(&welcome, &JoinOptions::default()).err(),
        Some(Error::UnknownPsk)
    );
    let mut pair = [branch, newcomer.join(&welcome, &options).unwrap()];
    agree(&mut pair);
    talk(&mut pair, rng);

    // The whole group, anew, with another suite.
    let messages = group[2]
        .commit()
        .reinit(b"new group", new_suite, Extensions::new())
        .build(&NoPsks, NOW, rng)
        .unwrap();
    everybody(&mut group, 2, &messages.commit);
    for member in &mut group {
        assert!(member.reinitialized().is_some());
        assert_eq!(member.seal(b"x", b"", rng), Err(Error::Over));
    }
    let newcomers = ["a", "b"].map(|name| Newcomer::new(new_suite, name, rng));
    let others: Vec<_> = newcomers
        .iter()
        .map(|one| one.key_package.clone())
        .collect();
    let own = founder_of("founder", new_suite, rng);
    let too_few = group[0].reinitialize(own, others[..1].to_vec(), NOW, rng);
    assert_eq!(too_few.err(), Some(Error::Invalid(Rule::ReInitMismatch)));
    let own = founder_of("founder", new_suite, rng);
    let (first, messages) = group[0].reinitialize(own, others, NOW, rng).unwrap();
    let welcome = messages.welcome.unwrap();
    let mut new = vec![first];
    for (newcomer, old) in newcomers.into_iter().zip(&group[1..]) {
        let options = JoinOptions {
            old_group: Some(old),
            ..JoinOptions::default()
        };
        new.push(newcomer.join(&welcome, &options).unwrap());
    }
    assert_eq!(new[0].cipher_suite(), new_suite);
    assert_eq!(new[0].group_id(), b"new group");
    agree(&mut new);
    talk(&mut new, rng);
}

/// One's own commit lost against another one: it is let go of, and made again in the next epoch.
#[test]
fn attack_g3_conflicting_commits() {
    let rng = &mut Rng(19);
    let mut group = group_of(CipherSuite::X25519_AES128, 3, rng);
    let before = *group[0].epoch_authenticator();
    let lost = group[0].commit().build(&NoPsks, NOW, rng).unwrap();
    assert_eq!(
        group[0].commit().build(&NoPsks, NOW, rng).err(),
        Some(Error::CommitWaits)
    );
    assert_eq!(*group[0].epoch_authenticator(), before);
    let won = group[1].commit().build(&NoPsks, NOW, rng).unwrap();
    group[1].merge_pending().unwrap();
    merge(&mut group[0], &won.commit).unwrap();
    merge(&mut group[2], &won.commit).unwrap();
    assert!(!group[0].has_pending_commit());
    agree(&mut group);
    for member in &group {
        assert_eq!(
            member.process(&lost.commit, &NoPsks, NOW).err(),
            Some(Error::WrongEpoch)
        );
    }
    let again = group[0].commit().build(&NoPsks, NOW, rng).unwrap();
    group[0].clear_pending();
    assert_eq!(group[0].merge_pending(), Err(Error::NoCommitWaits));
    // Who took it all the same is in an epoch of its own, and everybody sees that.
    merge(&mut group[2], &again.commit).unwrap();
    assert_ne!(
        group[2].epoch_authenticator(),
        group[0].epoch_authenticator()
    );
}

#[test]
fn messages_of_past_epochs() {
    let rng = &mut Rng(23);
    let mut group = group_of(CipherSuite::X25519_AES128, 3, rng);
    let mut late = Vec::new();
    for _ in 0..5 {
        late.push(group[0].seal(b"late", b"", rng).unwrap());
        let messages = group[1].commit().build(&NoPsks, NOW, rng).unwrap();
        everybody(&mut group, 1, &messages.commit);
    }
    let expected = [false, false, true, true, true];
    for (message, readable) in late.iter().zip(expected) {
        let read = group[2].open(message);
        match readable {
            true => assert_eq!(read, Ok((LeafIndex(0), b"late".to_vec()))),
            false => assert_eq!(read, Err(Error::EpochGone)),
        }
    }
    group[1].keep_past_epochs(1);
    assert_eq!(group[1].open(&late[3]), Err(Error::EpochGone));
    assert!(group[1].open(&late[4]).is_ok());
}

#[test]
fn messages_out_of_order() {
    let rng = &mut Rng(29);
    let mut group = group_of(CipherSuite::X25519_CHACHA20, 2, rng);
    let mut sent: BTreeMap<usize, Vec<u8>> = (0..60)
        .map(|number| (number, group[0].seal(&[number as u8; 3], b"", rng).unwrap()))
        .collect();
    let mut order: Vec<usize> = (0..60).map(|number| number * 37 % 60).collect();
    order.rotate_left(11);
    for number in order {
        let message = sent.remove(&number).unwrap();
        assert_eq!(
            group[1].open(&message),
            Ok((LeafIndex(0), vec![number as u8; 3]))
        );
        assert_eq!(group[1].open(&message), Err(Error::GenerationUsed));
    }
    let mut last = Vec::new();
    for _ in 0..=limits::FORWARD_MAX + 1 {
        last = group[0].seal(b"far", b"", rng).unwrap();
    }
    assert_eq!(group[1].open(&last), Err(Error::GenerationTooFar));
}

#[test]
fn what_a_group_requires_is_asked_of_everybody() {
    let suite = CipherSuite::X25519_AES128;
    let rng = &mut Rng(31);
    let own = ExtensionType(0xf001);
    let capable = |name: &str| {
        let mut client = Client::basic(name.as_bytes());
        client.capabilities.extensions.push(own);
        client.capabilities.proposals.push(ProposalType(0xf002));
        client
    };
    let founder = Founder {
        signer: Signer::generate(suite, rng).unwrap(),
        client: capable("founder"),
        lifetime: Lifetime::from_now(NOW, 1_000),
    };
    let mut group = vec![Member::create(suite, b"g", Extensions::new(), founder, rng).unwrap()];
    let second = Newcomer::with(suite, capable("second"), rng);
    let messages = group[0]
        .commit()
        .add_client(second.key_package.clone())
        .build(&NoPsks, NOW, rng)
        .unwrap();
    group[0].merge_pending().unwrap();
    group.push(
        second
            .join(&messages.welcome.unwrap(), &JoinOptions::default())
            .unwrap(),
    );
    let required = RequiredCapabilities {
        extensions: vec![own],
        proposals: vec![ProposalType(0xf002)],
        credentials: vec![CredentialType::BASIC],
    };
    let extensions = Extensions::new()
        .with(
            ExtensionType::REQUIRED_CAPABILITIES,
            required.encode().unwrap(),
        )
        .with(own, b"value".to_vec());
    let messages = group[0]
        .commit()
        .extensions(extensions.clone())
        .proposal(Proposal::Other(ProposalType(0xf002), b"ours".to_vec()))
        .build(&NoPsks, NOW, rng)
        .unwrap();
    let staged = approved(&group[1], &messages.commit).unwrap();
    assert_eq!(
        staged.effects().others,
        [(ProposalType(0xf002), b"ours".to_vec())]
    );
    assert!(staged.effects().extensions_changed);
    everybody(&mut group, 0, &messages.commit);
    let ordinary = Newcomer::new(suite, "ordinary", rng);
    let add = group[0].commit().add_client(ordinary.key_package.clone());
    assert_eq!(
        add.build(&NoPsks, NOW, rng).err(),
        Some(Error::Invalid(Rule::LeafRequiredCapabilities))
    );
    let other = Proposal::Other(ProposalType(0xf003), Vec::new());
    assert_eq!(
        group[0]
            .commit()
            .proposal(other)
            .build(&NoPsks, NOW, rng)
            .err(),
        Some(Error::Invalid(Rule::UnsupportedProposal))
    );
    let mut wanting = required.clone();
    wanting.extensions.push(ExtensionType(0xf009));
    let wanting = Extensions::new().with(
        ExtensionType::REQUIRED_CAPABILITIES,
        wanting.encode().unwrap(),
    );
    assert_eq!(
        group[0]
            .commit()
            .extensions(wanting)
            .build(&NoPsks, NOW, rng)
            .err(),
        Some(Error::Invalid(Rule::RequiredCapabilities))
    );
    // GREASE is nobody's business.
    let mut client = capable("third");
    client.capabilities = client.capabilities.with_grease([1, 2, 3, 4]);
    assert_ne!(client.capabilities, Capabilities::default());
    let third = Newcomer::with(suite, client, rng);
    let messages = group[1]
        .commit()
        .add_client(third.key_package.clone())
        .build(&NoPsks, NOW, rng)
        .unwrap();
    everybody_but_new(&mut group, 1, &messages.commit);
    group.push(
        third
            .join(&messages.welcome.unwrap(), &JoinOptions::default())
            .unwrap(),
    );
    agree(&mut group);
}

fn everybody_but_new(group: &mut [Member], committer: usize, commit: &[u8]) {
    for (place, member) in group.iter_mut().enumerate() {
        match place == committer {
            true => member.merge_pending().unwrap(),
            false => merge(member, commit).unwrap(),
        }
    }
}

#[test]
fn resumption_within_a_group() {
    let rng = &mut Rng(37);
    let mut group = group_of(CipherSuite::P256_AES128, 3, rng);
    let psk = |epoch| Psk::Resumption {
        usage: ResumptionUsage::Application,
        group_id: b"the group".to_vec(),
        epoch,
    };
    for epoch in [1, 2] {
        let messages = group[0]
            .commit()
            .psk(psk(epoch))
            .build(&NoPsks, NOW, rng)
            .unwrap();
        everybody(&mut group, 0, &messages.commit);
    }
    let unknown = group[0].commit().psk(psk(9)).build(&NoPsks, NOW, rng);
    assert_eq!(unknown.err(), Some(Error::UnknownPsk));
    let branch = Psk::Resumption {
        usage: ResumptionUsage::Branch,
        group_id: b"the group".to_vec(),
        epoch: 1,
    };
    let misplaced = group[0].commit().psk(branch).build(&NoPsks, NOW, rng);
    assert_eq!(misplaced.err(), Some(Error::Invalid(Rule::PskUsage)));
}

/// The profile of SPEC.md lists every rule, by its number, name, section and text, and its limits are the library's.
#[test]
fn the_profile_is_the_specification_s() {
    let spec = include_str!("../SPEC.md");
    for (place, rule) in Rule::ALL.iter().enumerate() {
        assert_eq!(usize::from(rule.number()), place + 1);
        let (number, section) = (rule.number(), rule.section());
        let line = format!("| {number} | `{rule:?}` | {section} | {rule} |");
        assert_eq!(
            spec.lines().filter(|other| *other == line).count(),
            1,
            "{line}"
        );
        assert_eq!(Error::Invalid(*rule).to_string(), rule.to_string());
    }
    for (what, value) in [
        (
            "leaves of a tree, blank ones included",
            u64::from(limits::LEAVES_MAX),
        ),
        (
            "generations that one message may skip",
            u64::from(limits::FORWARD_MAX),
        ),
        (
            "generations of one ratchet, skipped last, whose keys are held",
            limits::SKIPPED_MAX as u64,
        ),
        (
            "past epochs of which messages stay readable",
            limits::PAST_EPOCHS as u64,
        ),
        (
            "past epochs whose resumption secrets are held, the present one included",
            limits::RESUMPTION_EPOCHS as u64,
        ),
        ("proposals held in an epoch", limits::PROPOSALS_MAX as u64),
        (
            "values in each list of a leaf's capabilities",
            limits::CAPABILITIES_MAX as u64,
        ),
        ("seconds that a lifetime may span", limits::LIFETIME_MAX),
    ] {
        let start = format!("| {what} | ");
        let line = spec.lines().find(|line| line.starts_with(&start)).unwrap();
        let digits: String = line[start.len()..]
            .chars()
            .take_while(|letter| letter.is_ascii_digit() || *letter == ',')
            .filter(char::is_ascii_digit)
            .collect();
        assert_eq!(digits, value.to_string(), "{what}");
    }
}

/// Proposals that may not all stand together: the commit takes those that may, and all members agree.
#[test]
fn a_commit_takes_what_may_stand_together() {
    let rng = &mut Rng(41);
    let suite = CipherSuite::X25519_AES128;
    let mut group = group_of(suite, 5, rng);
    let format = WireFormat::PublicMessage;
    let newcomer = Newcomer::new(suite, "new", rng);
    let (own, leaving) = (group[0].leaf(), group[4].leaf());
    let extensions =
        |bytes: &[u8]| Extensions::new().with(ExtensionType::APPLICATION_ID, bytes.to_vec());
    let psk = || Psk::External(b"shared".to_vec());
    let proposals = [
        (4, group[4].propose_update(None, None, format, rng)),
        (1, group[1].propose_remove(leaving, format, rng)),
        (2, group[2].propose_remove(leaving, format, rng)),
        (2, group[2].propose_remove(own, format, rng)),
        (3, group[3].propose_update(None, None, format, rng)),
        (3, group[3].propose_update(None, None, format, rng)),
        (
            1,
            group[1].propose_add(newcomer.key_package.clone(), format, NOW, rng),
        ),
        (
            2,
            group[2].propose_add(newcomer.key_package.clone(), format, NOW, rng),
        ),
        (
            1,
            group[1].propose_extensions(extensions(b"first"), format, rng),
        ),
        (
            2,
            group[2].propose_extensions(extensions(b"last"), format, rng),
        ),
        (1, group[1].propose_psk(psk(), format, rng)),
        (
            1,
            group[1].propose_reinit(b"n", suite, Extensions::new(), format, rng),
        ),
        (0, group[0].propose_update(None, None, format, rng)),
    ];
    for (sender, message) in proposals {
        let message = message.unwrap();
        for (place, member) in group.iter_mut().enumerate() {
            if place != sender {
                keep(member, &message).unwrap();
            }
        }
    }
    let messages = group[0].commit().build(&Shared, NOW, rng).unwrap();
    let staged = approved(&group[1], &messages.commit).unwrap();
    let effects = staged.effects();
    assert_eq!(effects.removed, [leaving]);
    assert_eq!(effects.updated, [group[3].leaf()]);
    assert_eq!(effects.added, [leaving]);
    assert_eq!((effects.psks.len(), effects.reinit.is_some()), (1, false));
    group.pop();
    everybody_but_new(&mut group, 0, &messages.commit);
    group.push(
        newcomer
            .join(&messages.welcome.unwrap(), &JoinOptions::default())
            .unwrap(),
    );
    assert_eq!(group[0].context().extensions, extensions(b"last"));
    agree(&mut group);
    talk(&mut group, rng);
    // A reinitialization alone is taken.
    let message = group[1]
        .propose_reinit(b"n", suite, Extensions::new(), format, rng)
        .unwrap();
    for place in [0, 2, 3, 4] {
        keep(&mut group[place], &message).unwrap();
    }
    let messages = group[2].commit().build(&Shared, NOW, rng).unwrap();
    everybody(&mut group, 2, &messages.commit);
    assert!(group.iter().all(|member| member.reinitialized().is_some()));
}

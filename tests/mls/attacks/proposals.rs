//! Proposals from elsewhere, and groups that say that they stand on others (G17).

use subrosa::mls::hazmat::{self, Insider};
use subrosa::mls::{Content, PreSharedKeyId, ProposalRef, Sender};

use super::insider::own_leaf;
use super::*;

/// A remove of the last member, sent by this one: the message, and its reference.
fn removal(member: &Member) -> (Vec<u8>, ProposalRef) {
    let insider = Insider::new(member);
    let framed = insider.framed(Content::Proposal(Proposal::Remove(LeafIndex(2))));
    let signed = insider.sign(FORMATS[0], framed, insider.signer()).unwrap();
    let reference = insider.reference(&signed).unwrap();
    (insider.public(signed).unwrap(), reference)
}

/// A commit of this member that names a proposal.
fn naming(member: &Member, reference: ProposalRef) -> Vec<u8> {
    let insider = Insider::new(member);
    let mut forgery = insider.commit();
    let sender = Sender::Member(member.leaf());
    forgery.refer(reference, sender, Proposal::Remove(LeafIndex(2)));
    forgery.path(own_leaf(member), [1; 32], |_| ()).unwrap();
    insider.public(forgery.finish().unwrap().signed).unwrap()
}

#[test]
fn attack_g17_references_to_proposals_from_elsewhere() {
    let suite = CipherSuite::X25519_AES128;
    let rng = &mut Rng(300);
    let mut group = group_of(suite, 3, rng);
    let mut other = group_of(suite, 3, rng);
    let (old, old_reference) = removal(&group[1]);
    keep(&mut group[0], &old).unwrap();
    keep(&mut group[2], &old).unwrap();
    let commit = group[0].commit().with_received(false);
    let commit = commit.build(&NoPsks, NOW, rng).unwrap().commit;
    everybody(&mut group, 0, &commit);
    let (foreign, foreign_reference) = removal(&other[1]);
    keep(&mut other[0], &foreign).unwrap();
    let (present, reference) = removal(&group[1]);
    let unknown = naming(&group[1], reference);
    let before = seen(&group[0]);
    let refused = |member: &Member, message: &[u8]| member.process(message, &NoPsks, NOW).err();
    assert_eq!(
        refused(&group[0], &unknown),
        Some(Error::UnknownProposal),
        "it was not received yet"
    );
    let mut near = reference;
    near.0[31] ^= 1;
    for elsewhere in [old_reference, foreign_reference, near] {
        let commit = naming(&group[1], elsewhere);
        assert_eq!(refused(&group[0], &commit), Some(Error::UnknownProposal));
    }
    // The proposals themselves, and one of another group of the same name.
    for message in [&old, &foreign] {
        assert_eq!(refused(&group[0], message), Some(Error::WrongEpoch));
    }
    assert_eq!(seen(&group[0]), before);
    keep(&mut group[0], &present).unwrap();
    merge(&mut group[0], &unknown).unwrap();
    assert_eq!(group[0].members(), 2);
}

/// Messages of every kind, of two groups in two epochs each: read only in the group and the epoch that they are of.
#[test]
fn attack_g17_messages_of_every_kind_in_every_place() {
    let suite = CipherSuite::X25519_CHACHA20;
    // [group][epoch]: a reader as it was then, and what a sender sent then.
    let mut places = Vec::new();
    for name in [b"one group".as_slice(), b"the other"] {
        for epochs in [0, 1] {
            // The same members, and the same secrets where they may be the same.
            let rng = &mut Rng(311);
            let founder = founder(suite, "founder", rng);
            let mut first = Member::create(suite, name, Extensions::new(), founder, rng).unwrap();
            let second = Newcomer::new(suite, "second", rng);
            let built = first.commit().add_client(second.key_package.clone());
            let welcome = built.build(&NoPsks, NOW, rng).unwrap().welcome.unwrap();
            first.merge_pending().unwrap();
            let second = second.join(&welcome, &JoinOptions::default()).unwrap();
            let mut group = vec![first, second];
            for _ in 0..epochs {
                let commit = group[0].commit().build(&NoPsks, NOW, rng).unwrap().commit;
                everybody(&mut group, 0, &commit);
            }
            let mut messages = vec![("message", group[0].seal(b"text", b"", rng).unwrap())];
            for format in FORMATS {
                let commit = group[0].commit().wire_format(format);
                let commit = commit.build(&NoPsks, NOW, rng).unwrap().commit;
                group[0].clear_pending();
                messages.push(("commit", commit));
            }
            for format in FORMATS {
                let proposal = group[0].propose_update(None, None, format, rng);
                messages.push(("proposal", proposal.unwrap()));
                group[0].clear_proposals();
            }
            places.push((group.pop().unwrap(), messages));
        }
    }
    for (of, (_, messages)) in places.iter().enumerate() {
        for (at, (reader, _)) in places.iter().enumerate() {
            for (kind, message) in messages {
                let read = reader.process(message, &NoPsks, NOW).err();
                let expected = match (of == at, of / 2 == at / 2) {
                    (true, _) => None,
                    (false, false) => Some(Error::WrongGroup),
                    // Of the reader's past: what is kept of it reads data of the app.
                    (false, true) if *kind == "message" && of < at => None,
                    (false, true) => Some(Error::WrongEpoch),
                };
                assert_eq!(read, expected, "{kind} of {of} at {at}");
            }
        }
        for (kind, message) in messages {
            let Message::Private(mut moved) = Message::decode(message).unwrap() else {
                continue;
            };
            // The header says otherwise: it is authenticated.
            moved.group_id = b"the other".to_vec();
            moved.epoch = 2;
            let (reader, _) = &places[3];
            let moved = Message::Private(moved).encode().unwrap();
            let read = reader.process(&moved, &NoPsks, NOW).err();
            let genuine = of == 3;
            assert_eq!(read, (!genuine).then_some(Error::Decryption), "{kind}");
        }
    }
}

/// Gives any key: an app that does not look.
struct Anything([u8; 32]);

impl PskSource for Anything {
    fn psk(&self, _: &Psk) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(self.0.to_vec()))
    }
}

fn resumption(member: &Member) -> [u8; 32] {
    let secrets = Insider::new(member).secrets();
    let mut secrets = secrets.iter();
    let (_, secret) = secrets.find(|(name, _)| *name == "resumption_psk").unwrap();
    secret.as_slice().try_into().unwrap()
}

/// What a new group says of the one that it stands on.
struct Claim {
    usages: Vec<ResumptionUsage>,
    group_id: &'static [u8],
    old_epoch: u64,
    secret: [u8; 32],
    suite: CipherSuite,
    new_id: &'static [u8],
    extensions: Extensions,
    others: usize,
    epoch: u64,
}

impl Claim {
    fn of(usage: ResumptionUsage, old: &Member) -> Self {
        Self {
            usages: vec![usage],
            group_id: b"the group",
            old_epoch: old.epoch(),
            secret: resumption(old),
            suite: old.cipher_suite(),
            new_id: b"new",
            extensions: Extensions::new(),
            others: 2,
            epoch: 1,
        }
    }

    /// What becomes of who is invited by it, and was a member of `old`.
    fn made(self, old: &Member, rng: &mut Rng) -> Result<(), Error> {
        let founder = founder(self.suite, "founder", rng);
        let first = Member::create(self.suite, self.new_id, self.extensions, founder, rng).unwrap();
        let newcomer = Newcomer::new(self.suite, "one", rng);
        let insider = Insider::new(&first);
        let mut forgery = insider.commit();
        forgery.propose(Proposal::Add(Box::new(newcomer.key_package.clone())));
        for number in 1..self.others {
            let other = Newcomer::new(self.suite, &format!("other {number}"), rng);
            forgery.propose(Proposal::Add(Box::new(other.key_package.clone())));
        }
        let ids: Vec<_> = (0..)
            .zip(self.usages)
            .map(|(number, usage)| PreSharedKeyId {
                psk: Psk::Resumption {
                    usage,
                    group_id: self.group_id.to_vec(),
                    epoch: self.old_epoch,
                },
                nonce: vec![number; 32],
            })
            .collect();
        let key = self.secret.to_vec();
        let keys: Vec<_> = ids.iter().map(|id| (id.clone(), key.clone())).collect();
        for id in &ids {
            forgery.propose(Proposal::PreSharedKey(id.clone()));
        }
        forgery.psk_secret = hazmat::psk_secret(&keys).unwrap()[..].try_into().unwrap();
        let forged = forgery.finish().unwrap();
        let mut invitation = forged.invitation;
        invitation.context.epoch = self.epoch;
        let tree = forged.tree.encode().unwrap();
        let extensions = Extensions::new().with(ExtensionType::RATCHET_TREE, tree);
        let info = invitation.group_info(extensions, LeafIndex(0), insider.signer());
        let invited = [(&newcomer.key_package, None)];
        let welcome = invitation
            .welcome(&info.unwrap(), &ids, &invited, [1; 32])
            .unwrap();
        let options = JoinOptions {
            old_group: Some(old),
            ..JoinOptions::default()
        };
        let source = Anything(resumption(old));
        let Newcomer {
            key_package,
            secrets,
            signer,
        } = newcomer;
        Member::join(
            &welcome,
            &key_package,
            &secrets,
            signer,
            &options,
            &source,
            NOW,
        )
        .map(drop)
    }
}

#[test]
fn attack_g17_groups_that_claim_to_stand_on_others() {
    use ResumptionUsage::{Application, Branch, ReInit};
    let rng = &mut Rng(320);
    let suite = CipherSuite::X25519_AES128;
    let mut group = group_of(suite, 3, rng);
    let branch = |group: &[Member]| Claim::of(Branch, &group[1]);
    let reinit = |group: &[Member]| Claim::of(ReInit, &group[1]);
    let invalid = |rule| Err(Error::Invalid(rule));
    let check = |claim: Claim, group: &[Member], expected, rng: &mut Rng| {
        assert_eq!(claim.made(&group[1], rng), expected);
    };
    let group_ref = &group;
    check(branch(group_ref), group_ref, Ok(()), rng);
    let mut claim = branch(group_ref);
    claim.usages = vec![Application];
    check(claim, group_ref, Ok(()), rng);
    // A group that the other one never became.
    check(
        reinit(group_ref),
        group_ref,
        invalid(Rule::ReInitMismatch),
        rng,
    );
    let mut claim = branch(group_ref);
    claim.suite = CipherSuite::X25519_CHACHA20;
    check(claim, group_ref, invalid(Rule::BranchMismatch), rng);
    let mut claim = branch(group_ref);
    claim.others = 3;
    check(claim, group_ref, invalid(Rule::BranchMismatch), rng);
    let mut claim = branch(group_ref);
    claim.group_id = b"another group";
    check(claim, group_ref, Err(Error::UnknownPsk), rng);
    for usages in [vec![Branch, ReInit], vec![Branch, Branch]] {
        let mut claim = branch(group_ref);
        claim.usages = usages;
        check(claim, group_ref, invalid(Rule::WelcomePsk), rng);
    }
    let mut claim = branch(group_ref);
    claim.epoch = 2;
    check(claim, group_ref, invalid(Rule::WelcomePsk), rng);

    // In an ordinary commit such keys have no place, not even with the right secret.
    let insider = Insider::new(&group[0]);
    for usage in [Branch, ReInit] {
        let id = PreSharedKeyId {
            psk: Psk::Resumption {
                usage,
                group_id: b"the group".to_vec(),
                epoch: group[0].epoch(),
            },
            nonce: vec![5; 32],
        };
        let mut forgery = insider.commit();
        let keys = [(id.clone(), resumption(&group[0]).to_vec())];
        forgery.psk_secret = hazmat::psk_secret(&keys).unwrap()[..].try_into().unwrap();
        forgery.propose(Proposal::PreSharedKey(id));
        let commit = insider.public(forgery.finish().unwrap().signed).unwrap();
        let refused = group[1].process(&commit, &NoPsks, NOW).err();
        assert_eq!(refused, Some(Error::Invalid(Rule::PskUsage)));
    }

    // Once it was announced, it is this one and no other.
    let before = resumption(&group[0]);
    let commit = group[0].commit().reinit(b"new", suite, Extensions::new());
    let commit = commit.build(&NoPsks, NOW, rng).unwrap().commit;
    everybody(&mut group, 0, &commit);
    check(reinit(&group), &group, Ok(()), rng);
    type Lie = fn(&mut Claim);
    let lies: [Lie; 5] = [
        |claim| claim.new_id = b"newer",
        |claim| claim.suite = CipherSuite::X25519_CHACHA20,
        |claim| {
            claim.extensions = Extensions::new().with(ExtensionType::APPLICATION_ID, b"x".to_vec());
        },
        |claim| claim.others = 1,
        |claim| claim.others = 3,
    ];
    for lie in lies {
        let mut claim = reinit(&group);
        lie(&mut claim);
        check(claim, &group, invalid(Rule::ReInitMismatch), rng);
    }
    // Of the epoch in which it was announced, not of the one that ended with it.
    let mut claim = reinit(&group);
    (claim.old_epoch, claim.secret) = (claim.old_epoch - 1, before);
    check(claim, &group, invalid(Rule::ReInitMismatch), rng);
}

/// More proposals than a member holds: one more is refused, whoever sends it, and those that are held can be committed.
#[test]
fn attack_g17_a_flood_of_proposals() {
    let rng = &mut Rng(170);
    let mut group = group_of(CipherSuite::X25519_AES128, 3, rng);
    let psk = || Psk::External(b"shared".to_vec());
    for _ in 0..limits::PROPOSALS_MAX {
        let message = group[0].propose_psk(psk(), FORMATS[0], rng).unwrap();
        keep(&mut group[1], &message).unwrap();
    }
    let refused = group[0].propose_psk(psk(), FORMATS[0], rng);
    assert_eq!(refused, Err(Error::TooManyProposals));
    let one_more = group[2].propose_psk(psk(), FORMATS[0], rng).unwrap();
    let before = seen(&group[1]);
    assert_eq!(keep(&mut group[1], &one_more), Err(Error::TooManyProposals));
    assert_eq!(seen(&group[1]), before);
    group[2].clear_proposals();
    let messages = group[0].commit().build(&Shared, NOW, rng).unwrap();
    group[0].merge_pending().unwrap();
    merge(&mut group[1], &messages.commit).unwrap();
    assert_eq!(
        group[0].epoch_authenticator(),
        group[1].epoch_authenticator()
    );
    let message = group[0].seal(b"on", b"", rng).unwrap();
    assert!(group[1].open(&message).is_ok());
}

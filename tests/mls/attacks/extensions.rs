//! Extensions that not everybody supports, and clients that lack what a group requires (G17).

use subrosa::mls::hazmat::{Forgery, Insider, sign_leaf};
use subrosa::mls::{Content, GroupContext, LeafNodeSource, Sender};

use super::insider::own_leaf;
use super::*;

const OURS: ExtensionType = ExtensionType(0xf0f1);

/// A group whose members all support `OURS`, and require it.
fn demanding(suite: CipherSuite, rng: &mut Rng) -> Vec<Member> {
    let capable = |name: &str| {
        let mut client = Client::basic(name.as_bytes());
        client.capabilities.extensions.push(OURS);
        client
    };
    let required = RequiredCapabilities {
        extensions: vec![OURS],
        ..RequiredCapabilities::default()
    };
    let extensions = Extensions::new().with(
        ExtensionType::REQUIRED_CAPABILITIES,
        required.encode().unwrap(),
    );
    let founder = Founder {
        signer: Signer::generate(suite, rng).unwrap(),
        client: capable("founder"),
        lifetime: Lifetime::from_now(NOW, 1_000),
    };
    let mut first = Member::create(suite, b"g", extensions, founder, rng).unwrap();
    let newcomers = ["one", "two"].map(|name| Newcomer::with(suite, capable(name), rng));
    let mut commit = first.commit();
    for newcomer in &newcomers {
        commit = commit.add_client(newcomer.key_package.clone());
    }
    let welcome = commit.build(&NoPsks, NOW, rng).unwrap().welcome.unwrap();
    first.merge_pending().unwrap();
    let mut group = vec![first];
    for newcomer in newcomers {
        group.push(newcomer.join(&welcome, &JoinOptions::default()).unwrap());
    }
    group
}

#[test]
fn attack_g17_extensions_that_not_everybody_supports() {
    let suite = CipherSuite::X25519_AES128;
    let rng = &mut Rng(330);
    let mut group = demanding(suite, rng);
    let ordinary = Newcomer::new(suite, "ordinary", rng);
    let requiring = |required: RequiredCapabilities| {
        let extensions = Extensions::new().with(
            ExtensionType::REQUIRED_CAPABILITIES,
            required.encode().unwrap(),
        );
        Proposal::GroupContextExtensions(extensions)
    };
    let with = |extension, data: &[u8]| {
        let extensions = Extensions::new().with(extension, data.to_vec());
        Proposal::GroupContextExtensions(extensions)
    };
    let senders = {
        let sender = ExternalSender {
            signature_key: ordinary.signer.public().clone(),
            credential: Credential::Basic(b"server".to_vec()),
        };
        ExternalSenders(vec![sender]).encode().unwrap()
    };
    let insider = Insider::new(&group[0]);
    type Do<'a> = Box<dyn Fn(&mut Forgery<'_>) + 'a>;
    let proposes = |proposal: Proposal| -> Do<'_> {
        Box::new(move |forgery| forgery.propose(proposal.clone()))
    };
    let invalid = |rule| Some(Error::Invalid(rule));
    let add = Proposal::Add(Box::new(ordinary.key_package.clone()));
    let cases: Vec<(Do<'_>, Option<Error>)> = vec![
        (proposes(with(OURS, b"in use")), None),
        (
            proposes(with(ExtensionType::EXTERNAL_SENDERS, &senders)),
            None,
        ),
        (
            proposes(with(ExtensionType(0xf0f2), b"in use")),
            invalid(Rule::UnsupportedExtension),
        ),
        (
            proposes(requiring(RequiredCapabilities {
                extensions: vec![OURS, ExtensionType(0xf0f2)],
                ..RequiredCapabilities::default()
            })),
            // Of the path's own leaf, which is looked at as well.
            invalid(Rule::RequiredCapabilities),
        ),
        (
            proposes(requiring(RequiredCapabilities {
                proposals: vec![ProposalType(0xf0f2)],
                ..RequiredCapabilities::default()
            })),
            invalid(Rule::RequiredCapabilities),
        ),
        (
            proposes(requiring(RequiredCapabilities {
                credentials: vec![CredentialType(0xf0f2)],
                ..RequiredCapabilities::default()
            })),
            invalid(Rule::RequiredCapabilities),
        ),
        (
            proposes(with(ExtensionType::REQUIRED_CAPABILITIES, &[1])),
            Some(Error::Malformed),
        ),
        (
            proposes(with(ExtensionType::EXTERNAL_SENDERS, &[2, 0, 0, 0])),
            Some(Error::Malformed),
        ),
        (
            proposes(Proposal::Other(ProposalType(0xf0f2), vec![])),
            invalid(Rule::UnsupportedProposal),
        ),
        (
            proposes(add.clone()),
            invalid(Rule::LeafRequiredCapabilities),
        ),
        // What is required is what the commit itself says.
        (
            Box::new(|forgery| {
                forgery.propose(Proposal::GroupContextExtensions(Extensions::new()));
                forgery.propose(add.clone());
            }),
            None,
        ),
        (
            Box::new(|forgery| {
                forgery.propose(with(OURS, b"in use"));
                forgery.propose(add.clone());
            }),
            invalid(Rule::UnsupportedExtension),
        ),
    ];
    let mut commits = Vec::new();
    for (act, expected) in cases {
        let mut forgery = insider.commit();
        act(&mut forgery);
        forgery.path(own_leaf(&group[0]), [1; 32], |_| ()).unwrap();
        let signed = forgery.finish().unwrap().signed;
        commits.push((insider.public(signed).unwrap(), expected));
    }
    // The committer's own new leaf, and an update, without what is required.
    let incapable = |mut leaf: subrosa::mls::LeafNode| {
        leaf.capabilities.extensions.retain(|held| *held != OURS);
        leaf
    };
    let mut forgery = insider.commit();
    forgery
        .path(incapable(own_leaf(&group[0])), [1; 32], |_| ())
        .unwrap();
    let signed = forgery.finish().unwrap().signed;
    let required = invalid(Rule::LeafRequiredCapabilities);
    commits.push((insider.public(signed).unwrap(), required));

    let mut update = incapable(own_leaf(&group[2]));
    update.source = LeafNodeSource::Update;
    update.encryption_key = own_leaf(&group[1]).encryption_key;
    let other = Insider::new(&group[2]);
    let key = subrosa::crypto::hpke::Kem::X25519.derive_key_pair(&[3; 32]);
    update.encryption_key = key.unwrap().public().to_vec();
    sign_leaf(&mut update, b"g", group[2].leaf(), other.signer()).unwrap();
    let proposal = Proposal::Update(Box::new(update));
    let framed = other.framed(Content::Proposal(proposal.clone()));
    let signed = other.sign(FORMATS[0], framed, other.signer()).unwrap();
    let reference = other.reference(&signed).unwrap();
    let message = other.public(signed).unwrap();
    let mut forgery = insider.commit();
    forgery.refer(reference, Sender::Member(group[2].leaf()), proposal);
    forgery.path(own_leaf(&group[0]), [1; 32], |_| ()).unwrap();
    let signed = forgery.finish().unwrap().signed;
    commits.push((insider.public(signed).unwrap(), required));

    keep(&mut group[1], &message).unwrap();
    let before: (_, GroupContext) = (seen(&group[1]), group[1].context().clone());
    for (place, (commit, expected)) in commits.iter().enumerate() {
        let refused = group[1].process(commit, &NoPsks, NOW).err();
        assert_eq!(refused, *expected, "{place}");
        assert_eq!((seen(&group[1]), group[1].context().clone()), before);
    }
}

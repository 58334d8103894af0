//! Groups for the targets: their members, and genuine encodings of everything that they send.

use std::sync::OnceLock;

use subrosa::mls::hazmat::encode_content;
use subrosa::mls::{
    CipherSuite, Client, Content, ExtensionType, Extensions, ExternalCommit, ExternalSenders,
    Founder, JoinOptions, KeyPackage, KeyPackageSecrets, LeafIndex, LeafNode, Lifetime, Member,
    Message, NoPsks, Processed, Proposal, Psk, PskSource, ReInit, Signer, WireFormat,
};

use zeroize::Zeroizing;

use super::common::SeededRng;

/// Unix seconds.
pub const NOW: u64 = 1_800_000_000;

/// The app's keys: every name is one.
pub struct Keys;

impl PskSource for Keys {
    fn psk(&self, psk: &Psk) -> Option<Zeroizing<Vec<u8>>> {
        match psk {
            Psk::External(id) => Some(Zeroizing::new(id.clone())),
            Psk::Resumption { .. } => None,
        }
    }
}

/// A client that may be added.
pub struct Newcomer {
    pub key_package: KeyPackage,
    secrets: KeyPackageSecrets,
    signer: Signer,
}

impl Newcomer {
    pub fn new(suite: CipherSuite, name: &[u8], rng: &mut SeededRng) -> Self {
        let signer = Signer::generate(suite, rng).unwrap();
        let lifetime = Lifetime::from_now(NOW, 90 * 86_400);
        let client = Client::basic(name);
        let made = KeyPackage::generate(suite, &signer, client, lifetime, Extensions::new(), rng);
        let (key_package, secrets) = made.unwrap();
        Self {
            key_package,
            secrets,
            signer,
        }
    }

    pub fn join(&self, welcome: &[u8]) -> Result<Member, subrosa::mls::Error> {
        let suite = self.key_package.cipher_suite;
        let signer = Signer::from_secret(suite, &self.signer.secret()).unwrap();
        let options = JoinOptions::default();
        let (key_package, secrets) = (&self.key_package, &self.secrets);
        Member::join(welcome, key_package, secrets, signer, &options, &Keys, NOW)?.approve(|_| true)
    }
}

/// A group of its founder alone.
pub fn founded(suite: CipherSuite, rng: &mut SeededRng) -> Member {
    let founder = Founder {
        signer: Signer::generate(suite, rng).unwrap(),
        client: Client::basic(b"founder"),
        lifetime: Lifetime::from_now(NOW, 90 * 86_400),
    };
    Member::create(suite, GROUP, Extensions::new(), founder, rng).unwrap()
}

const GROUP: &[u8] = b"group";

/// A group of so many, in epoch 1.
pub fn group_of(suite: CipherSuite, members: usize, rng: &mut SeededRng) -> Vec<Member> {
    let mut first = founded(suite, rng);
    let newcomers: Vec<_> = (1..members)
        .map(|number| Newcomer::new(suite, &[number as u8], rng))
        .collect();
    let mut commit = first.commit();
    for newcomer in &newcomers {
        commit = commit.add_client(newcomer.key_package.clone());
    }
    let messages = commit.build(&NoPsks, NOW, rng).unwrap();
    first.merge_pending().unwrap();
    let mut group = vec![first];
    let welcome = messages.welcome.unwrap();
    group.extend(
        newcomers
            .iter()
            .map(|newcomer| newcomer.join(&welcome).unwrap()),
    );
    group
}

/// Genuine encodings of one suite.
pub struct Fixture {
    pub group_id: &'static [u8],
    /// A tree with parents, one whose last members are unmerged, one of a single member.
    pub trees: Vec<Vec<u8>>,
    pub messages: Vec<Vec<u8>>,
    /// Commits without anything around them.
    pub commits: Vec<Vec<u8>>,
    /// One of each type, its type in front.
    pub proposals: Vec<Vec<u8>>,
    newcomers: Vec<Newcomer>,
    leaf: LeafNode,
}

pub fn fixture(suite: CipherSuite) -> &'static Fixture {
    static FIXTURES: [OnceLock<Fixture>; 3] = [const { OnceLock::new() }; 3];
    FIXTURES[usize::from(suite.0 - 1)].get_or_init(|| Fixture::new(suite))
}

fn proposal(proposal: Proposal) -> Vec<u8> {
    encode_content(&Content::Proposal(proposal)).unwrap()
}

impl Fixture {
    fn new(suite: CipherSuite) -> Self {
        let rng = &mut SeededRng(u64::from(suite.0));
        let alone = founded(suite, rng).ratchet_tree().unwrap();
        let mut group = group_of(suite, 5, rng);
        let newcomers: Vec<_> = (0..4)
            .map(|number| Newcomer::new(suite, &[100 + number], rng))
            .collect();
        let key_package = |place: usize| newcomers[place].key_package.clone();
        let mut messages = vec![Message::KeyPackage(key_package(0)).encode().unwrap()];
        let mut commits = Vec::new();
        for (committer, format) in [
            (0, WireFormat::PublicMessage),
            (2, WireFormat::PrivateMessage),
            (4, WireFormat::PublicMessage),
        ] {
            let built = group[committer].commit().wire_format(format);
            let commit = built.build(&NoPsks, NOW, rng).unwrap().commit;
            take(&mut group, committer, &commit);
            if let Message::Public(message) = Message::decode(&commit).unwrap() {
                commits.push(encode_content(&message.content.content).unwrap());
            }
            messages.push(commit);
        }
        let grown = group[0].ratchet_tree().unwrap();
        messages.push(group[1].group_info(true, true).unwrap());
        messages.push(group[1].seal(b"text", b"in clear", rng).unwrap());
        let format = WireFormat::PublicMessage;
        for sent in [
            group[1].propose_update(None, None, format, rng),
            group[1].propose_remove(LeafIndex(3), format, rng),
            group[1].propose_psk(Psk::External(b"a key".to_vec()), format, rng),
            group[1].propose_remove(LeafIndex(2), WireFormat::PrivateMessage, rng),
        ] {
            messages.push(sent.unwrap());
        }
        group[1].clear_proposals();
        let built = group[0].commit().wire_format(format);
        let built = built
            .add_client(key_package(0))
            .add_client(key_package(1))
            .remove_member(LeafIndex(1));
        let built = built.build(&NoPsks, NOW, rng).unwrap();
        if let Message::Public(message) = Message::decode(&built.commit).unwrap() {
            commits.push(encode_content(&message.content.content).unwrap());
        }
        messages.push(built.commit);
        messages.push(built.welcome.unwrap());
        group[0].clear_pending();
        let external = ExternalCommit::new(
            Signer::generate(suite, rng).unwrap(),
            Client::basic(b"outsider"),
        );
        let info = group[0].group_info(true, true).unwrap();
        let options = JoinOptions::default();
        let joined = Member::join_by_commit(&info, external, &options, &NoPsks, NOW, rng);
        messages.push(joined.unwrap().commit);
        let added = group[0].commit();
        let added = added.add_client(key_package(2)).add_client(key_package(3));
        added.build(&NoPsks, NOW, rng).unwrap();
        group[0].merge_pending().unwrap();
        let leaf = group[0].leaf_node(LeafIndex(1)).unwrap().clone();
        let psk = |psk| {
            Proposal::PreSharedKey(subrosa::mls::PreSharedKeyId {
                psk,
                nonce: vec![3; 32],
            })
        };
        let extensions = Extensions::new().with(
            ExtensionType::EXTERNAL_SENDERS,
            ExternalSenders::default().encode().unwrap(),
        );
        let proposals = vec![
            proposal(Proposal::Add(Box::new(key_package(0)))),
            proposal(Proposal::Update(Box::new(leaf.clone()))),
            proposal(Proposal::Remove(LeafIndex(7))),
            proposal(psk(Psk::External(b"a key".to_vec()))),
            proposal(psk(Psk::Resumption {
                usage: subrosa::mls::ResumptionUsage::Branch,
                group_id: b"another".to_vec(),
                epoch: 5,
            })),
            proposal(Proposal::ReInit(ReInit {
                group_id: b"next".to_vec(),
                version: 1,
                cipher_suite: suite,
                extensions: extensions.clone(),
            })),
            proposal(Proposal::ExternalInit(vec![1; 32])),
            proposal(Proposal::GroupContextExtensions(extensions)),
        ];
        Self {
            group_id: GROUP,
            trees: vec![grown, group[0].ratchet_tree().unwrap(), alone],
            messages,
            commits,
            proposals,
            newcomers,
            leaf,
        }
    }

    pub fn remove(&self, leaf: LeafIndex) -> Vec<u8> {
        proposal(Proposal::Remove(leaf))
    }

    /// An Add of one of four clients.
    pub fn add(&self, number: u8) -> Vec<u8> {
        let newcomer = &self.newcomers[usize::from(number) % self.newcomers.len()];
        proposal(Proposal::Add(Box::new(newcomer.key_package.clone())))
    }

    /// An Update with keys of its own.
    pub fn update(&self, number: u8) -> Vec<u8> {
        let mut leaf = self.leaf.clone();
        leaf.encryption_key = vec![number; 32];
        leaf.signature_key.0 = vec![number; 33];
        proposal(Proposal::Update(Box::new(leaf)))
    }
}

/// Everybody takes a commit.
fn take(group: &mut [Member], committer: usize, commit: &[u8]) {
    for (place, member) in group.iter_mut().enumerate() {
        if place == committer {
            member.merge_pending().unwrap();
        } else if let Ok(Processed::Commit(staged)) = member.process(commit, &NoPsks, NOW) {
            member.merge(staged.approve(|_| true).unwrap()).unwrap();
        } else {
            panic!("a genuine commit was refused");
        }
    }
}

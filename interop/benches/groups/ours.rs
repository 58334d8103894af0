//! Groups of this library.

use std::time::{SystemTime, UNIX_EPOCH};

use subrosa::mls::{
    CipherSuite, Client, Extensions, Founder, JoinOptions, KeyPackage, KeyPackageSecrets,
    LeafIndex, Lifetime, Member, Message, NoPsks, Processed, Signer,
};
use subrosa::os_rng;

use crate::library::{Change, LIFETIME, Library, Sent};

pub const SUITE: CipherSuite = CipherSuite::X25519_AES128;

pub struct Ours;

pub struct Newcomer {
    pub key_package: KeyPackage,
    pub secrets: KeyPackageSecrets,
    pub signer: Signer,
}

/// Seconds since 1970: the peer reads the clock itself.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}

fn signer() -> Signer {
    Signer::generate(SUITE, &mut os_rng()).expect("a key")
}

/// The key package in a message.
pub fn decoded(message: &[u8]) -> KeyPackage {
    match Message::decode(message) {
        Ok(Message::KeyPackage(key_package)) => key_package,
        other => panic!("{other:?}"),
    }
}

impl Library for Ours {
    const NAME: &'static str = "subrosa";

    type Newcomer = Newcomer;
    type Member = Member;

    fn newcomer(name: &str) -> Newcomer {
        let (signer, client) = (signer(), Client::basic(name.as_bytes()));
        let lifetime = Lifetime::from_now(now(), LIFETIME);
        let none = Extensions::new();
        let made = KeyPackage::generate(SUITE, &signer, client, lifetime, none, &mut os_rng());
        let (key_package, secrets) = made.expect("a key package");
        Newcomer {
            key_package,
            secrets,
            signer,
        }
    }

    fn key_package(newcomer: &Newcomer) -> Vec<u8> {
        let message = Message::KeyPackage(newcomer.key_package.clone());
        message.encode().expect("an encoding")
    }

    fn join(newcomer: Newcomer, welcome: &[u8]) -> Member {
        let Newcomer {
            key_package,
            secrets,
            signer,
        } = newcomer;
        let options = JoinOptions::default();
        Member::join(
            welcome,
            &key_package,
            &secrets,
            signer,
            &options,
            &NoPsks,
            now(),
        )
        .and_then(|joining| joining.approve(|_| true))
        .expect("joined")
    }

    fn create(name: &str) -> Member {
        let founder = Founder {
            signer: signer(),
            client: Client::basic(name.as_bytes()),
            lifetime: Lifetime::from_now(now(), LIFETIME),
        };
        let none = Extensions::new();
        Member::create(SUITE, b"group", none, founder, &mut os_rng()).expect("a group")
    }

    fn commit(member: &mut Member, change: &Change<'_>) -> Sent {
        let mut commit = member.commit().with_path();
        match change {
            Change::Nothing => {}
            Change::Add(key_packages, tree) => {
                for key_package in *key_packages {
                    commit = commit.add_client(decoded(key_package));
                }
                commit = commit.tree_in_welcome(*tree);
            }
            Change::Remove(leaf) => commit = commit.remove_member(LeafIndex(*leaf)),
        }
        let messages = commit.build(&NoPsks, now(), &mut os_rng());
        let messages = messages.expect("a commit");
        Sent {
            commit: messages.commit,
            welcome: messages.welcome,
        }
    }

    fn merge(member: &mut Member) {
        member.merge_pending().expect("merged");
    }

    fn clear(member: &mut Member) {
        member.clear_pending();
    }

    fn take(member: &mut Member, commit: &[u8]) {
        let processed = member.process(commit, &NoPsks, now());
        let Processed::Commit(staged) = processed.expect("processed") else {
            panic!("another message");
        };
        let approved = staged.approve(|_| true).expect("approved");
        member.merge(approved).expect("merged");
    }

    fn seal(member: &mut Member, text: &[u8]) -> Vec<u8> {
        member.seal(text, &[], &mut os_rng()).expect("sealed")
    }

    fn open(member: &mut Member, message: &[u8]) -> Vec<u8> {
        member.open(message).expect("opened").1
    }

    fn authenticator(member: &Member) -> Vec<u8> {
        member.epoch_authenticator().to_vec()
    }
}

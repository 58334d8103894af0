//! Members of this library.

use subrosa::mls::{
    self, CipherSuite, Client, Extensions, ExternalCommit, Founder, JoinOptions, KeyPackage,
    KeyPackageSecrets, LeafIndex, Lifetime, Message, Processed, Psk, PskSource, Signer, WireFormat,
};

use crate::{Change, Member, Seeded, Sent, now};

pub struct Ours(mls::Member);

pub struct Newcomer {
    key_package: KeyPackage,
    secrets: KeyPackageSecrets,
    signer: Signer,
}

/// The pre-shared key that all have.
pub const PSK_ID: &[u8] = b"shared";
pub const PSK: &[u8] = b"a secret of both libraries";

struct Shared;

impl PskSource for Shared {
    fn psk(&self, psk: &Psk) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        (*psk == Psk::External(PSK_ID.to_vec())).then(|| zeroize::Zeroizing::new(PSK.to_vec()))
    }
}

fn lifetime() -> Lifetime {
    Lifetime::from_now(now(), 80 * 86_400)
}

impl Newcomer {
    pub fn new(suite: CipherSuite, name: &str, rng: &mut Seeded) -> Self {
        let signer = Signer::generate(suite, rng).expect("a key");
        let mut client = Client::basic(name.as_bytes());
        client.capabilities = client.capabilities.with_grease([1, 2, 3, 4]);
        let (key_package, secrets) =
            KeyPackage::generate(suite, &signer, client, lifetime(), Extensions::new(), rng)
                .expect("a key package");
        Self {
            key_package,
            secrets,
            signer,
        }
    }

    pub fn key_package(&self) -> Vec<u8> {
        let message = Message::KeyPackage(self.key_package.clone());
        message.encode().expect("an encoding")
    }

    pub fn join(self, welcome: &[u8]) -> Ours {
        let joining = mls::Member::join(
            welcome,
            &self.key_package,
            &self.secrets,
            self.signer,
            &JoinOptions::default(),
            &Shared,
            now(),
        );
        Ours(
            joining
                .and_then(|joining| joining.approve(|_| true))
                .expect("joined"),
        )
    }
}

impl Ours {
    pub fn create(suite: CipherSuite, name: &str, rng: &mut Seeded) -> Self {
        let founder = Founder {
            signer: Signer::generate(suite, rng).expect("a key"),
            client: Client::basic(name.as_bytes()),
            lifetime: lifetime(),
        };
        let group = mls::Member::create(suite, b"group", Extensions::new(), founder, rng);
        Self(group.expect("a group"))
    }

    pub fn join_by_commit(
        suite: CipherSuite,
        info: &[u8],
        name: &str,
        rng: &mut Seeded,
    ) -> (Vec<u8>, Self) {
        let signer = Signer::generate(suite, rng).expect("a key");
        let external = ExternalCommit::new(signer, Client::basic(name.as_bytes()));
        let options = JoinOptions::default();
        let joined = mls::Member::join_by_commit(info, external, &options, &Shared, now(), rng)
            .expect("joins");
        let member = joined.joining.approve(|_| true).expect("approved");
        (joined.commit, Self(member))
    }
}

impl Member for Ours {
    fn authenticator(&self) -> Vec<u8> {
        self.0.epoch_authenticator().to_vec()
    }

    fn tree(&self) -> Vec<u8> {
        self.0.ratchet_tree().expect("an encoding")
    }

    fn leaf(&self) -> u32 {
        self.0.leaf().0
    }

    fn exported(&self) -> Vec<u8> {
        let exported = self.0.export_secret(b"interop", b"context", 40);
        exported.expect("a secret").to_vec()
    }

    fn commit(&mut self, what: &Change, format: WireFormat, rng: &mut Seeded) -> Sent {
        let mut commit = self.0.commit().wire_format(format);
        match what {
            Change::Own | Change::Proposed => {}
            Change::Add(key_packages) => {
                for key_package in key_packages {
                    match Message::decode(key_package) {
                        Ok(Message::KeyPackage(key_package)) => {
                            commit = commit.add_client(key_package)
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            Change::Remove(leaves) => {
                for leaf in leaves {
                    commit = commit.remove_member(LeafIndex(*leaf));
                }
            }
            Change::Psk => commit = commit.psk(Psk::External(PSK_ID.to_vec())),
        }
        let messages = commit.build(&Shared, now(), rng).expect("a commit");
        Sent {
            commit: messages.commit,
            welcome: messages.welcome,
        }
    }

    fn propose(&mut self, what: &Change, format: WireFormat, rng: &mut Seeded) -> Vec<u8> {
        let proposed = match what {
            Change::Add(key_packages) => match Message::decode(&key_packages[0]) {
                Ok(Message::KeyPackage(key_package)) => {
                    self.0.propose_add(key_package, format, now(), rng)
                }
                other => panic!("{other:?}"),
            },
            _ => self.0.propose_update(None, None, format, rng),
        };
        proposed.expect("a proposal")
    }

    fn merge_own(&mut self) {
        self.0.merge_pending().expect("merged");
    }

    fn take(&mut self, message: &[u8]) {
        match self.0.process(message, &Shared, now()).expect("processed") {
            Processed::Commit(staged) => {
                let approved = staged.approve(|_| true).expect("approved");
                self.0.merge(approved).expect("merged");
            }
            Processed::Proposal(staged) => {
                let approved = staged.approve(|_| true).expect("approved");
                self.0.keep_proposal(approved).expect("kept");
            }
            Processed::Application(_) | Processed::OwnCommit => panic!("another message"),
        }
    }

    fn seal(&mut self, text: &[u8], rng: &mut Seeded) -> Vec<u8> {
        self.0.seal(text, b"in clear", rng).expect("sealed")
    }

    fn open(&mut self, message: &[u8]) -> Vec<u8> {
        self.0.open(message).expect("opened").1
    }

    fn group_info(&self) -> Vec<u8> {
        self.0
            .group_info(true, true)
            .expect("a group's information")
    }
}

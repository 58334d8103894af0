//! Groups: their members join, talk, change their keys, leave, and are refused.

use subrosa::crypto::TryRng as _;
use subrosa::mls::hazmat::{Insider, SentAs, decrypt_with_label};
use subrosa::mls::{
    CipherSuite, Client, ContentType, Extensions, ExternalCommit, Founder, JoinOptions, KeyPackage,
    KeyPackageSecrets, LeafIndex, Lifetime, Member, Message, NoPsks, Processed, Signer, WireFormat,
};
use zeroize::Zeroize;

use crate::Scene;

/// Unix seconds.
const NOW: u64 = 1_800_000_000;

struct Newcomer {
    key_package: KeyPackage,
    secrets: KeyPackageSecrets,
    signer: Signer,
}

impl Scene {
    /// Every secret that a member holds now.
    fn note_member(&mut self, member: &Member) {
        self.watch.aside(|needles| {
            let insider = Insider::new(member);
            for (name, secret) in insider.secrets() {
                // That one is for the eyes of users.
                if name != "epoch_authenticator" {
                    needles.add(name, &secret);
                }
            }
            for secret in insider.held() {
                // A key of AES-128 is half as long, the rest is zeros.
                let half = secret.iter().skip(16).all(|byte| *byte == 0);
                let length = if half { 16 } else { 32 };
                needles.add("a private key or a ratchet's secret", &secret[..length]);
            }
            let signer = insider.signer().secret();
            needles.add("a signature key", signer.expose());
        });
    }

    fn client(&mut self, suite: CipherSuite, name: &[u8]) -> Newcomer {
        let signer = Signer::generate(suite, &mut self.rng()).unwrap();
        let made = KeyPackage::generate(
            suite,
            &signer,
            Client::basic(name),
            Lifetime::from_now(NOW, 1_000),
            Extensions::new(),
            &mut self.rng(),
        );
        let (key_package, secrets) = made.unwrap();
        self.watch.aside(|needles| {
            for secret in secrets.secrets() {
                needles.add("a private key of a key package", secret.expose());
            }
        });
        Newcomer {
            key_package,
            secrets,
            signer,
        }
    }

    fn join_group(&mut self, newcomer: Newcomer, welcome: &[u8]) -> Member {
        let Newcomer {
            key_package,
            secrets,
            signer,
        } = newcomer;
        self.watch.aside(|needles| {
            let Ok(Message::Welcome(welcome)) = Message::decode(welcome) else {
                panic!("a Welcome");
            };
            let reference = key_package.reference().unwrap();
            let mut entries = welcome.secrets.iter();
            let entry = entries.find(|entry| entry.new_member == reference).unwrap();
            let sealed = &entry.encrypted_group_secrets;
            let [init, _] = secrets.secrets();
            let text = decrypt_with_label(
                welcome.cipher_suite,
                init.expose(),
                b"Welcome",
                &welcome.encrypted_group_info,
                &sealed.kem_output,
                &sealed.ciphertext,
            )
            .unwrap();
            needles.add("a joiner secret", &text[1..33]);
            if text[33] == 1 {
                needles.add("a path secret", &text[35..67]);
            }
        });
        let options = JoinOptions::default();
        let joining = Member::join(
            welcome,
            &key_package,
            &secrets,
            signer,
            &options,
            &NoPsks,
            NOW,
        );
        let member = joining.unwrap().approve(|_| true).unwrap();
        self.note_member(&member);
        member
    }

    /// Seals a text that nobody else has: it and the message's key are secrets.
    fn seal_in_group(&mut self, member: &mut Member) -> Vec<u8> {
        let mut text = [0; 48];
        let Ok(()) = self.rng.try_fill_bytes(&mut text);
        self.watch.add("a text", &text);
        self.watch.aside(|needles| {
            let sent_as = SentAs {
                leaf: member.leaf(),
                generation: None,
                reuse_guard: [0; 4],
            };
            let insider = Insider::new(member);
            let (key, _) = insider
                .message_key(ContentType::Application, sent_as)
                .unwrap();
            needles.add("a message key", &key);
        });
        let message = member.seal(&text, b"", &mut self.rng()).unwrap();
        self.note_member(member);
        message
    }

    fn open_in_group(&mut self, member: &mut Member, message: &[u8]) {
        let (_, mut text) = member.open(message).unwrap();
        // The text is the app's now, and so is its end.
        text.zeroize();
        self.note_member(member);
    }

    fn talk_in_group(&mut self, group: &mut [Member]) {
        for sender in 0..group.len() {
            let messages: Vec<_> = (0..3)
                .map(|_| self.seal_in_group(&mut group[sender]))
                .collect();
            for reader in (0..group.len()).filter(|reader| *reader != sender) {
                // One is passed over, and read later.
                for message in [&messages[2], &messages[0]] {
                    self.open_in_group(&mut group[reader], message);
                }
            }
        }
    }

    fn take_in_group(&mut self, member: &mut Member, message: &[u8]) {
        match member.process(message, &NoPsks, NOW).unwrap() {
            Processed::Commit(staged) => {
                member.merge(staged.approve(|_| true).unwrap()).unwrap();
            }
            Processed::Proposal(staged) => {
                let kept = staged.approve(|_| true).unwrap();
                member.keep_proposal(kept).unwrap();
            }
            Processed::OwnCommit => member.merge_pending().unwrap(),
            Processed::Application(_) => panic!("data of the app"),
        }
        self.note_member(member);
    }

    fn everybody(&mut self, group: &mut [Member], message: &[u8]) {
        for member in group {
            self.take_in_group(member, message);
        }
    }
}

pub fn groups(scene: &mut Scene) {
    for suite in CipherSuite::ALL {
        life(scene, suite);
    }
}

fn life(scene: &mut Scene, suite: CipherSuite) {
    scene.watch.step("a group is created");
    let signer = Signer::generate(suite, &mut scene.rng()).unwrap();
    let founder = Founder {
        signer,
        client: Client::basic(b"founder"),
        lifetime: Lifetime::from_now(NOW, 1_000),
    };
    let rng = &mut scene.rng();
    let first = Member::create(suite, b"group", Extensions::new(), founder, rng).unwrap();
    scene.note_member(&first);
    let mut group = vec![first];
    for name in [b"second", b"third_"] {
        scene.watch.step("a member is added");
        let newcomer = scene.client(suite, name);
        let commit = group[0].commit().add_client(newcomer.key_package.clone());
        let built = commit.with_path().build(&NoPsks, NOW, &mut scene.rng());
        let messages = built.unwrap();
        scene.everybody(&mut group, &messages.commit);
        scene.watch.step("a member joins");
        let joined = scene.join_group(newcomer, &messages.welcome.unwrap());
        group.push(joined);
    }
    scene.watch.step("messages");
    scene.talk_in_group(&mut group);

    for format in [WireFormat::PublicMessage, WireFormat::PrivateMessage] {
        for committer in 0..3 {
            scene.watch.step("an update");
            let update = group[(committer + 1) % 3]
                .propose_update(None, None, format, &mut scene.rng())
                .unwrap();
            for place in (0..3).filter(|place| *place != (committer + 1) % 3) {
                scene.take_in_group(&mut group[place], &update);
            }
            scene.watch.step("a commit");
            let commit = group[committer].commit().wire_format(format);
            let built = commit.build(&NoPsks, NOW, &mut scene.rng());
            let commit = built.unwrap().commit;
            scene.watch.step("a commit is taken");
            scene.everybody(&mut group, &commit);
        }
        scene.watch.step("more messages");
        scene.talk_in_group(&mut group);
    }
    scene.watch.step("a commit that is let go of");
    let commit = group[1].commit();
    commit.build(&NoPsks, NOW, &mut scene.rng()).unwrap();
    group[1].clear_pending();

    scene.watch.step("forged");
    let genuine = scene.seal_in_group(&mut group[0]);
    for place in [40, genuine.len() - 1] {
        let mut forged = genuine.clone();
        forged[place] ^= 1;
        assert!(group[1].open(&forged).is_err());
    }

    scene.watch.step("a member joins by a commit");
    let info = group[2].group_info(true, true).unwrap();
    let signer = Signer::generate(suite, &mut scene.rng()).unwrap();
    let mut external = ExternalCommit::new(signer, Client::basic(b"third again"));
    external.resync = Some(LeafIndex(2));
    let options = JoinOptions::default();
    let rng = &mut scene.rng();
    let joined = Member::join_by_commit(&info, external, &options, &NoPsks, NOW, rng).unwrap();
    scene.everybody(&mut group, &joined.commit);
    group[2] = joined.joining.approve(|_| true).unwrap();
    scene.note_member(&group[2]);
    scene.talk_in_group(&mut group);

    scene.watch.step("a group goes on alone");
    for removed in [1, 2] {
        let commit = group[0].commit().remove_member(LeafIndex(removed));
        let built = commit.build(&NoPsks, NOW, &mut scene.rng());
        let commit = built.unwrap().commit;
        scene.take_in_group(&mut group[0], &commit);
    }
    scene.watch.step("old epochs are let go of");
    group[0].keep_past_epochs(0);
    scene.watch.step("the end of a group");
    drop(group);
}

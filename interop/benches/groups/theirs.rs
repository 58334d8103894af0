//! Groups of OpenMLS, with the store in memory that it comes with.

use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::{
    BasicCredential, Ciphersuite, CredentialWithKey, GroupId, KeyPackage, KeyPackageBundle,
    LeafNodeIndex, Lifetime, MlsGroup, MlsGroupCreateConfig, MlsGroupJoinConfig, MlsMessageBodyIn,
    MlsMessageIn, MlsMessageOut, OpenMlsProvider as _, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY,
    ProcessedMessageContent, ProtocolVersion, StagedWelcome,
};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;

use crate::library::{Change, LIFETIME, Library, Sent};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

pub struct Theirs;

pub struct Newcomer {
    provider: OpenMlsRustCrypto,
    signer: SignatureKeyPair,
    bundle: KeyPackageBundle,
}

pub struct Member {
    provider: OpenMlsRustCrypto,
    signer: SignatureKeyPair,
    group: MlsGroup,
}

fn client(name: &str) -> (OpenMlsRustCrypto, SignatureKeyPair, CredentialWithKey) {
    let provider = OpenMlsRustCrypto::default();
    let signer = SignatureKeyPair::new(SUITE.signature_algorithm()).expect("a key");
    signer.store(provider.storage()).expect("stored");
    let credential = CredentialWithKey {
        credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
        signature_key: signer.to_public_vec().into(),
    };
    (provider, signer, credential)
}

fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .build()
}

fn bytes(message: &MlsMessageOut) -> Vec<u8> {
    message.to_bytes().expect("an encoding")
}

fn message(bytes: &[u8]) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact(bytes).expect("a message")
}

impl Member {
    fn processed(&mut self, bytes: &[u8]) -> ProcessedMessageContent {
        let message = message(bytes).try_into_protocol_message();
        let message = message.expect("a message of a group");
        let processed = self.group.process_message(&self.provider, message);
        processed.expect("processed").into_content()
    }
}

impl Library for Theirs {
    const NAME: &'static str = "OpenMLS 0.9.2";

    type Newcomer = Newcomer;
    type Member = Member;

    fn newcomer(name: &str) -> Newcomer {
        let (provider, signer, credential) = client(name);
        let bundle = KeyPackage::builder()
            .key_package_lifetime(Lifetime::new(LIFETIME))
            .build(SUITE, &provider, &signer, credential);
        Newcomer {
            bundle: bundle.expect("a key package"),
            provider,
            signer,
        }
    }

    fn key_package(newcomer: &Newcomer) -> Vec<u8> {
        bytes(&MlsMessageOut::from(newcomer.bundle.key_package().clone()))
    }

    fn join(newcomer: Newcomer, welcome: &[u8]) -> Member {
        let Newcomer {
            provider, signer, ..
        } = newcomer;
        let MlsMessageBodyIn::Welcome(welcome) = message(welcome).extract() else {
            panic!("another message");
        };
        let staged = StagedWelcome::new_from_welcome(&provider, &config(), welcome, None);
        let group = staged.expect("a Welcome that holds").into_group(&provider);
        Member {
            group: group.expect("joined"),
            provider,
            signer,
        }
    }

    fn create(name: &str) -> Member {
        let (provider, signer, credential) = client(name);
        let config = MlsGroupCreateConfig::builder()
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .ciphersuite(SUITE)
            .build();
        let id = GroupId::from_slice(b"group");
        let group = MlsGroup::new_with_group_id(&provider, &signer, &config, id, credential);
        Member {
            group: group.expect("a group"),
            provider,
            signer,
        }
    }

    fn commit(member: &mut Member, change: &Change<'_>) -> Sent {
        let Member {
            provider,
            signer,
            group,
        } = member;
        let mut commit = group.commit_builder().force_self_update(true);
        let mut tree_in_welcome = false;
        match change {
            Change::Nothing => {}
            Change::Add(key_packages, tree) => {
                let decoded = key_packages.iter().map(|key_package| {
                    let MlsMessageBodyIn::KeyPackage(key_package) = message(key_package).extract()
                    else {
                        panic!("another message");
                    };
                    let held = key_package.validate(provider.crypto(), ProtocolVersion::Mls10);
                    held.expect("a key package that holds")
                });
                commit = commit.propose_adds(decoded);
                tree_in_welcome = *tree;
            }
            Change::Remove(leaf) => {
                commit = commit.propose_removals([LeafNodeIndex::new(*leaf)]);
            }
        }
        let bundle = commit
            .load_psks(provider.storage())
            .expect("no keys")
            .use_ratchet_tree_extension(tree_in_welcome)
            .build(provider.rand(), provider.crypto(), signer, |_| true)
            .expect("a commit")
            .stage_commit(provider)
            .expect("staged");
        Sent {
            commit: bytes(bundle.commit()),
            welcome: bundle.to_welcome_msg().as_ref().map(bytes),
        }
    }

    fn merge(member: &mut Member) {
        let merged = member.group.merge_pending_commit(&member.provider);
        merged.expect("merged");
    }

    fn clear(member: &mut Member) {
        let storage = member.provider.storage();
        member.group.clear_pending_commit(storage).expect("cleared");
    }

    fn take(member: &mut Member, commit: &[u8]) {
        let ProcessedMessageContent::StagedCommitMessage(staged) = member.processed(commit) else {
            panic!("another message");
        };
        let merged = member.group.merge_staged_commit(&member.provider, *staged);
        merged.expect("merged");
    }

    fn seal(member: &mut Member, text: &[u8]) -> Vec<u8> {
        let Member {
            provider,
            signer,
            group,
        } = member;
        bytes(
            &group
                .create_message(provider, signer, text)
                .expect("sealed"),
        )
    }

    fn open(member: &mut Member, message: &[u8]) -> Vec<u8> {
        match member.processed(message) {
            ProcessedMessageContent::ApplicationMessage(message) => message.into_bytes(),
            _ => panic!("another message"),
        }
    }

    fn authenticator(member: &Member) -> Vec<u8> {
        member.group.epoch_authenticator().as_slice().to_vec()
    }
}

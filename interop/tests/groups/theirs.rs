//! Members of OpenMLS.

use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    BasicCredential, Ciphersuite, CredentialWithKey, GroupId, KeyPackage, KeyPackageBundle,
    LeafNodeIndex, LeafNodeParameters, MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY,
    MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupCreateConfig, MlsGroupJoinConfig,
    MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, OpenMlsProvider as _, ProcessedMessageContent,
    ProtocolVersion, SenderRatchetConfiguration, StagedWelcome,
};
use openmls::schedule::PreSharedKeyId;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use subrosa::mls::{CipherSuite, WireFormat};

use super::ours::{PSK, PSK_ID};
use crate::{Change, Member, Seeded, Sent};

pub struct Theirs {
    provider: OpenMlsRustCrypto,
    signer: SignatureKeyPair,
    group: MlsGroup,
}

pub struct Newcomer {
    provider: OpenMlsRustCrypto,
    signer: SignatureKeyPair,
    bundle: KeyPackageBundle,
}

fn suite_of(suite: CipherSuite) -> Ciphersuite {
    Ciphersuite::try_from(suite.0).expect("a suite of both")
}

fn client(
    suite: CipherSuite,
    name: &str,
) -> (OpenMlsRustCrypto, SignatureKeyPair, CredentialWithKey) {
    let provider = OpenMlsRustCrypto::default();
    let signer = SignatureKeyPair::new(suite_of(suite).signature_algorithm()).expect("a key");
    signer.store(provider.storage()).expect("stored");
    let psk = PreSharedKeyId::external(PSK_ID.to_vec(), Vec::new());
    psk.store(&provider, PSK).expect("stored");
    let credential = CredentialWithKey {
        credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
        signature_key: signer.to_public_vec().into(),
    };
    (provider, signer, credential)
}

fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(100, 2_000)
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .sender_ratchet_configuration(ratchets())
        .use_ratchet_tree_extension(true)
        .build()
}

fn bytes(message: &MlsMessageOut) -> Vec<u8> {
    message.to_bytes().expect("an encoding")
}

fn message(bytes: &[u8]) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact(bytes).expect("a message")
}

impl Newcomer {
    pub fn new(suite: CipherSuite, name: &str) -> Self {
        let (provider, signer, credential) = client(suite, name);
        let bundle = KeyPackage::builder()
            .build(suite_of(suite), &provider, &signer, credential)
            .expect("a key package");
        Self {
            provider,
            signer,
            bundle,
        }
    }

    pub fn key_package(&self) -> Vec<u8> {
        bytes(&MlsMessageOut::from(self.bundle.key_package().clone()))
    }

    pub fn join(self, welcome: &[u8]) -> Theirs {
        let MlsMessageBodyIn::Welcome(welcome) = message(welcome).extract() else {
            panic!("another message");
        };
        let staged = StagedWelcome::new_from_welcome(&self.provider, &join_config(), welcome, None);
        let group = staged
            .expect("a Welcome that holds")
            .into_group(&self.provider);
        Theirs {
            group: group.expect("joined"),
            provider: self.provider,
            signer: self.signer,
        }
    }
}

impl Theirs {
    pub fn create(suite: CipherSuite, name: &str) -> Self {
        let (provider, signer, credential) = client(suite, name);
        let config = MlsGroupCreateConfig::builder()
            .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .sender_ratchet_configuration(ratchets())
            .use_ratchet_tree_extension(true)
            .ciphersuite(suite_of(suite))
            .build();
        let id = GroupId::from_slice(b"group");
        let group = MlsGroup::new_with_group_id(&provider, &signer, &config, id, credential);
        Self {
            group: group.expect("a group"),
            provider,
            signer,
        }
    }

    pub fn join_by_commit(suite: CipherSuite, info: &[u8], name: &str) -> (Vec<u8>, Self) {
        let (provider, signer, credential) = client(suite, name);
        let MlsMessageBodyIn::GroupInfo(info) = message(info).extract() else {
            panic!("another message");
        };
        let (mut group, bundle) = MlsGroup::external_commit_builder()
            .with_config(join_config())
            .build_group(&provider, info, credential)
            .expect("a group")
            .load_psks(provider.storage())
            .expect("keys")
            .build(provider.rand(), provider.crypto(), &signer, |_| true)
            .expect("a commit")
            .finalize(&provider)
            .expect("joins");
        group.merge_pending_commit(&provider).expect("merged");
        let commit = bytes(bundle.commit());
        (
            commit,
            Self {
                provider,
                signer,
                group,
            },
        )
    }

    /// It sends in the format that its configuration says.
    fn set_format(&mut self, format: WireFormat) {
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(match format {
                WireFormat::PublicMessage => MIXED_PLAINTEXT_WIRE_FORMAT_POLICY,
                WireFormat::PrivateMessage => MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY,
            })
            .sender_ratchet_configuration(ratchets())
            .use_ratchet_tree_extension(true)
            .build();
        let storage = self.provider.storage();
        self.group
            .set_configuration(storage, &config)
            .expect("stored");
    }

    fn key_package_of(&self, bytes: &[u8]) -> KeyPackage {
        match message(bytes).extract() {
            MlsMessageBodyIn::KeyPackage(key_package) => key_package
                .validate(self.provider.crypto(), ProtocolVersion::Mls10)
                .expect("a key package that holds"),
            _ => panic!("another message"),
        }
    }
}

impl Member for Theirs {
    fn authenticator(&self) -> Vec<u8> {
        self.group.epoch_authenticator().as_slice().to_vec()
    }

    fn tree(&self) -> Vec<u8> {
        let tree = self.group.export_ratchet_tree();
        tree.tls_serialize_detached().expect("an encoding")
    }

    fn leaf(&self) -> u32 {
        self.group.own_leaf_index().u32()
    }

    fn exported(&self) -> Vec<u8> {
        let crypto = self.provider.crypto();
        let exported = self.group.export_secret(crypto, "interop", b"context", 40);
        exported.expect("a secret")
    }

    fn commit(&mut self, what: &Change, format: WireFormat, _: &mut Seeded) -> Sent {
        self.set_format(format);
        let mut adds = Vec::new();
        if let Change::Add(key_packages) = what {
            adds.extend(key_packages.iter().map(|bytes| self.key_package_of(bytes)));
        }
        let (provider, signer) = (&self.provider, &self.signer);
        let (commit, welcome) = match what {
            Change::Own => {
                let parameters = LeafNodeParameters::default();
                let bundle = self.group.self_update(provider, signer, parameters);
                let bundle = bundle.expect("a commit");
                (bundle.commit().clone(), bundle.to_welcome_msg())
            }
            Change::Add(_) => {
                let added = self.group.add_members(provider, signer, &adds);
                let (commit, welcome, _) = added.expect("a commit");
                (commit, Some(welcome))
            }
            Change::Remove(leaves) => {
                let leaves: Vec<_> = leaves
                    .iter()
                    .map(|leaf| LeafNodeIndex::new(*leaf))
                    .collect();
                let removed = self.group.remove_members(provider, signer, &leaves);
                let (commit, welcome, _) = removed.expect("a commit");
                (commit, welcome)
            }
            Change::Psk => {
                let nonce = vec![9; 32];
                let id = PreSharedKeyId::external(PSK_ID.to_vec(), nonce);
                let proposed = self
                    .group
                    .propose_pre_shared_key_by_value(provider, signer, id);
                proposed.expect("a proposal");
                let committed = self.group.commit_to_pending_proposals(provider, signer);
                let (commit, welcome, _) = committed.expect("a commit");
                (commit, welcome)
            }
            Change::Proposed => {
                let committed = self.group.commit_to_pending_proposals(provider, signer);
                let (commit, welcome, _) = committed.expect("a commit");
                (commit, welcome)
            }
        };
        Sent {
            commit: bytes(&commit),
            welcome: welcome.as_ref().map(bytes),
        }
    }

    fn propose(&mut self, what: &Change, format: WireFormat, _: &mut Seeded) -> Vec<u8> {
        self.set_format(format);
        let proposed = match what {
            Change::Add(key_packages) => {
                let key_package = self.key_package_of(&key_packages[0]);
                let (provider, signer) = (&self.provider, &self.signer);
                let proposed = self
                    .group
                    .propose_add_member(provider, signer, &key_package);
                proposed.expect("a proposal").0
            }
            _ => {
                let (provider, signer) = (&self.provider, &self.signer);
                let parameters = LeafNodeParameters::default();
                let proposed = self.group.propose_self_update(provider, signer, parameters);
                proposed.expect("a proposal").0
            }
        };
        bytes(&proposed)
    }

    fn merge_own(&mut self) {
        self.group
            .merge_pending_commit(&self.provider)
            .expect("merged");
    }

    fn take(&mut self, bytes: &[u8]) {
        let message = message(bytes)
            .try_into_protocol_message()
            .expect("a message");
        let processed = self.group.process_message(&self.provider, message);
        match processed.expect("processed").into_content() {
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let merged = self.group.merge_staged_commit(&self.provider, *staged);
                merged.expect("merged");
            }
            ProcessedMessageContent::ProposalMessage(proposal) => {
                let storage = self.provider.storage();
                self.group
                    .store_pending_proposal(storage, *proposal)
                    .expect("stored");
            }
            _ => panic!("another message"),
        }
    }

    fn seal(&mut self, text: &[u8], _: &mut Seeded) -> Vec<u8> {
        let message = self
            .group
            .create_message(&self.provider, &self.signer, text);
        bytes(&message.expect("sealed"))
    }

    fn open(&mut self, bytes: &[u8]) -> Vec<u8> {
        let message = message(bytes)
            .try_into_protocol_message()
            .expect("a message");
        let processed = self.group.process_message(&self.provider, message);
        match processed.expect("processed").into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => message.into_bytes(),
            _ => panic!("another message"),
        }
    }

    fn group_info(&self) -> Vec<u8> {
        let crypto = self.provider.crypto();
        let info = self.group.export_group_info(crypto, &self.signer, true);
        let info = info.expect("a group's information");
        info.tls_serialize_detached().expect("an encoding")
    }
}

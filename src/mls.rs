//! Floor 3: groups, by the Messaging Layer Security protocol, RFC 9420.
//!
//! [`Member`] is a full member of a group. SPEC.md §22 is this library's profile of the standard: what it refuses, by which
//! numbered rule, and every limit.

mod capabilities;
mod codec;
mod commit;
mod context;
mod credential;
mod error;
mod extension;
mod framing;
mod group;
mod group_info;
#[cfg(feature = "hazmat")]
#[cfg_attr(docsrs, doc(cfg(feature = "hazmat")))]
pub mod hazmat;
mod key_package;
mod labels;
mod leaf_node;
pub mod limits;
mod math;
mod message;
mod proposal;
mod psk;
mod schedule;
mod secret_tree;
mod signature;
mod suite;
mod tree;
mod welcome;

pub use capabilities::Capabilities;
pub use commit::{Commit, HpkeCiphertext, UpdatePath, UpdatePathNode};
pub use context::GroupContext;
pub use credential::{Credential, CredentialType};
pub use error::{Error, Rule};
pub use extension::{
    Extension, ExtensionType, Extensions, ExternalSender, ExternalSenders, ProposalType,
    RequiredCapabilities,
};
pub use framing::{
    AuthData, AuthenticatedContent, Content, ContentType, FramedContent, PrivateMessage,
    PublicMessage, Sender, WireFormat,
};
pub use group::{
    Application, ApprovedCommit, ApprovedProposal, Changes, CommitBuilder, CommitMessages, Effects,
    ExternalCommit, ExternalJoin, Founder, JoinOptions, Joining, Member, NewCredential, Processed,
    RecordName, StagedCommit, StagedProposal, propose_from_outside, propose_oneself,
};
pub use group_info::GroupInfo;
pub use key_package::{Client, KeyPackage, KeyPackageSecrets};
pub use leaf_node::{LeafNode, LeafNodeSource, Lifetime};
pub use math::{LeafIndex, NodeIndex, TreeSize};
pub use message::Message;
pub use proposal::{Proposal, ProposalOrRef, ProposalRef, ReInit};
pub use psk::{NoPsks, PreSharedKeyId, Psk, PskSource, ResumptionUsage};
pub use signature::{SignaturePublicKey, Signer};
pub use suite::CipherSuite;
pub use welcome::{EncryptedGroupSecrets, Welcome};

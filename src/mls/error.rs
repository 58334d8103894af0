//! Why a message, a proposal or a group was refused.

use core::fmt;

use crate::{crypto, wire};

/// Why something of a group was refused. The group is what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that are no encoding of what they should be.
    Malformed,
    /// A protocol version other than MLS 1.0.
    UnsupportedVersion,
    /// A cipher suite that this library does not have.
    UnsupportedSuite,
    /// A value longer than the protocol or this library allows.
    TooLong,
    /// A public or private key that is none of the suite.
    InvalidKey,
    /// The caller's random number generator failed.
    Rng,
    /// The message is of another group.
    WrongGroup,
    /// The message is of an epoch that is not the present one, where only that is allowed, or of one to come.
    WrongEpoch,
    /// The keys of the message's epoch are gone.
    EpochGone,
    /// An encrypted message, its sender's data or a path secret does not open. Nothing more is said.
    Decryption,
    /// A signature does not hold.
    BadSignature,
    /// A membership tag or a confirmation tag does not hold.
    BadTag,
    /// The sender is no member of the group in that epoch, or no external sender that the group knows.
    UnknownSender,
    /// The key of this generation was used: the message was received before.
    GenerationUsed,
    /// The message skips more generations than [`limits::FORWARD_MAX`](super::limits::FORWARD_MAX).
    GenerationTooFar,
    /// A sender's ratchet has given its last key of this epoch.
    RatchetExhausted,
    /// A commit refers to a proposal that was not received.
    UnknownProposal,
    /// A pre-shared key was asked for that is not there.
    UnknownPsk,
    /// No key package of a Welcome is the one given.
    NotForThisKeyPackage,
    /// A rule of RFC 9420 is broken.
    Invalid(Rule),
    /// The message is one's own.
    OwnMessage,
    /// Proposals of this epoch wait to be committed: nothing else may be sent before (RFC 9420 §12.4).
    ProposalsWait,
    /// A commit of one's own waits to be merged or cleared.
    CommitWaits,
    /// There is no commit of one's own that waits.
    NoCommitWaits,
    /// The group is over for this member: it was removed, or the group was reinitialized.
    Over,
    /// What was staged is not of the group's present state.
    Stale,
    /// The app refused a credential.
    Refused,
    /// The tree has as many leaves as it may.
    GroupFull,
    /// As many proposals of this epoch are held as may be.
    TooManyProposals,
    /// What was stored is not there, or not what it was.
    Integrity,
    /// What was stored is of a later release.
    UnknownVersion,
}

impl Error {
    /// The number of this error in logs and in other languages (SPEC §14.4). No release gives it to another one.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Malformed => 701,
            Self::UnsupportedVersion => 702,
            Self::UnsupportedSuite => 703,
            Self::TooLong => 704,
            Self::InvalidKey => 705,
            Self::WrongGroup => 706,
            Self::WrongEpoch => 707,
            Self::EpochGone => 708,
            Self::Decryption => 709,
            Self::BadSignature => 710,
            Self::BadTag => 711,
            Self::UnknownSender => 712,
            Self::GenerationUsed => 713,
            Self::GenerationTooFar => 714,
            Self::RatchetExhausted => 715,
            Self::UnknownProposal => 716,
            Self::UnknownPsk => 717,
            Self::NotForThisKeyPackage => 718,
            Self::OwnMessage => 719,
            Self::ProposalsWait => 720,
            Self::CommitWaits => 721,
            Self::NoCommitWaits => 722,
            Self::Over => 723,
            Self::Stale => 724,
            Self::Refused => 725,
            Self::GroupFull => 726,
            Self::TooManyProposals => 727,
            Self::Integrity => 728,
            Self::UnknownVersion => 729,
            Self::Invalid(rule) => RULES.saturating_add(rule.number() as u16),
            // That of a conversation's.
            Self::Rng => 220,
        }
    }
}

/// What the numbers of rules are added to.
const RULES: u16 = 800;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the message is malformed",
            Self::UnsupportedVersion => "the protocol version is not supported",
            Self::UnsupportedSuite => "the cipher suite is not supported",
            Self::TooLong => "a value is too long",
            Self::InvalidKey => "a key is not valid for the cipher suite",
            Self::Rng => "the random number generator failed",
            Self::WrongGroup => "the message is of another group",
            Self::WrongEpoch => "the message is of another epoch",
            Self::EpochGone => "the keys of the message's epoch are gone",
            Self::Decryption => "decryption failed",
            Self::BadSignature => "the signature is not valid",
            Self::BadTag => "the tag is not valid",
            Self::UnknownSender => "the sender is not known",
            Self::GenerationUsed => "the message was received before",
            Self::GenerationTooFar => "the message skips too many others",
            Self::RatchetExhausted => "the sender has no further key in this epoch",
            Self::UnknownProposal => "a proposal that is committed was not received",
            Self::UnknownPsk => "a pre-shared key is not there",
            Self::NotForThisKeyPackage => "the Welcome is not for this key package",
            Self::Invalid(rule) => return fmt::Display::fmt(rule, f),
            Self::OwnMessage => "the message is one's own",
            Self::ProposalsWait => "proposals wait to be committed",
            Self::CommitWaits => "a commit waits to be merged or cleared",
            Self::NoCommitWaits => "no commit waits",
            Self::Over => "the group is over for this member",
            Self::Stale => "the group has changed since",
            Self::Refused => "the app refused a credential",
            Self::GroupFull => "the group is full",
            Self::TooManyProposals => "too many proposals are held",
            Self::Integrity => "the stored state is not intact",
            Self::UnknownVersion => "the stored state has a version that is not known",
        })
    }
}

impl core::error::Error for Error {}

impl From<wire::Error> for Error {
    fn from(_: wire::Error) -> Self {
        Self::Malformed
    }
}

impl From<crypto::Error> for Error {
    fn from(error: crypto::Error) -> Self {
        match error {
            crypto::Error::Rng => Self::Rng,
            crypto::Error::TooLong => Self::TooLong,
            crypto::Error::BadSignature => Self::BadSignature,
            crypto::Error::Decryption => Self::Decryption,
            _ => Self::InvalidKey,
        }
    }
}

impl From<Rule> for Error {
    fn from(rule: Rule) -> Self {
        Self::Invalid(rule)
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $section:literal, $text:literal;)*) => {
        /// A rule of RFC 9420 that a message, a tree or a list of proposals breaks. SPEC.md's profile of the standard
        /// numbers them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = concat!("RFC 9420 §", $section, ": ", $text, ".")] $name,)*
        }

        impl Rule {
            /// Every rule, in the order of the profile.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its number in the profile.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self {
                    $(Self::$name => $number,)*
                }
            }

            /// The section of RFC 9420 that has it.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $(Self::$name => $section,)*
                }
            }
        }

        impl fmt::Display for Rule {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $text,)*
                })
            }
        }
    };
}

rules! {
    LeafSignature = 1, "7.3", "a leaf's signature does not hold";
    LeafSource = 2, "7.3", "a leaf's source is not that of the place where it stands";
    LeafRequiredCapabilities = 3, "7.3", "a leaf lacks a capability that the group requires";
    LeafCredential = 4, "7.3", "a credential's type is not supported by every member, or a leaf does not support one in use";
    LeafLifetime = 5, "7.3", "a leaf's lifetime is over, has not begun or is too long";
    LeafExtension = 6, "7.3", "a leaf has an extension that its capabilities do not list";
    LeafSuite = 7, "7.2", "a leaf's capabilities do not list the group's version and cipher suite";
    LeafOldKey = 8, "7.3", "a leaf's encryption key is the one that it replaces";
    DuplicateKey = 9, "7.3", "a signature key or an encryption key is in the tree twice";
    DuplicateExtension = 10, "13.4", "a list has two extensions of one type";
    UnsupportedExtension = 11, "13.4", "a group has an extension that a member does not support";
    KeyPackageVersion = 12, "10.1", "a key package's version or cipher suite is not the group's";
    KeyPackageSignature = 13, "10.1", "a key package's signature does not hold";
    KeyPackageInitKey = 14, "10.1", "a key package's init key is its encryption key";
    UpdateByCommitter = 15, "12.2", "a commit has an update of its committer";
    RemoveOfCommitter = 16, "12.2", "a commit removes its committer";
    SameLeafTwice = 17, "12.2", "a commit has two updates or removes of one leaf";
    SameClientTwice = 18, "12.2", "a commit adds one client twice, or one that is a member";
    SamePskTwice = 19, "12.2", "a commit has one pre-shared key twice";
    ExtensionsTwice = 20, "12.2", "a commit replaces the group's extensions twice";
    ReInitWithOthers = 21, "12.2", "a commit reinitializes the group and does something else";
    ExternalInitByMember = 22, "12.2", "a commit of a member has an external init";
    UnsupportedProposal = 23, "12.2", "a proposal's type is not supported by every member";
    RemoveOfNobody = 24, "12.1.3", "a remove is of a blank leaf";
    PskUsage = 25, "12.1.4", "a pre-shared key of a reinitialization or a branch stands elsewhere";
    PskNonce = 26, "12.1.4", "the nonce of a pre-shared key has not the length of a hash";
    ReInitVersion = 27, "12.1.5", "a reinitialization goes back to an older version";
    RequiredCapabilities = 28, "12.1.7", "required capabilities are not supported by every member";
    ExternalProposalType = 29, "12.1.8", "an external sender sent what only members may";
    PathMissing = 30, "12.4", "a commit lacks the path that its proposals require";
    PathLength = 31, "7.6", "an update path has not the length of the sender's filtered direct path, or a node not one ciphertext for each of its recipients";
    PathKey = 32, "12.4.2", "a public key of an update path is in the tree already";
    PathSecret = 33, "7.5", "a path secret does not give the path's public key";
    ParentHash = 34, "7.9", "a parent hash does not hold";
    TreeHash = 35, "12.4.3.1", "the tree is not the one whose hash is in the group's context";
    TreeShape = 36, "12.4.3.3", "a ratchet tree ends with a blank node, is empty, or has a leaf where a parent stands";
    UnmergedLeaves = 37, "12.4.3.1", "a list of unmerged leaves is not sorted, names a leaf that is blank or elsewhere, or is not in every parent between";
    ExternalInitCount = 38, "12.2", "an external commit has not exactly one external init";
    ExternalCommitProposal = 39, "12.2", "an external commit has a proposal that it may not have";
    ExternalCommitReference = 40, "12.4.3.2", "an external commit has a proposal by reference";
    ApplicationInClear = 41, "6", "an application message is not encrypted";
    SenderContent = 42, "6.1", "a sender may not send content of this kind";
    Padding = 43, "6.3.1", "a padding is not zero";
    WelcomeSuite = 44, "12.4.3.1", "a Welcome's cipher suite is not the key package's";
    WelcomeSecret = 45, "12.4.3.1", "a path secret of a Welcome does not give the tree's public keys";
    WelcomeLeaf = 46, "12.4.3.1", "the tree has not the key package's leaf";
    WelcomePsk = 47, "12.4.3.1", "a Welcome of a reinitialization or a branch has more than its one key, or is not of epoch 1";
    WelcomeSigner = 48, "12.4.3.1", "the signer of a group's information is a blank leaf";
    ReInitMismatch = 49, "11.2", "a new group is not the one that was proposed in its place";
    BranchMismatch = 50, "11.3", "a branch has another version or cipher suite than its group, or more members";
    NoExternalPub = 51, "12.4.3.2", "a group's information has no external public key";
    TreeMissing = 52, "12.4.3.3", "there is no ratchet tree";
}

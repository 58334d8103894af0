//! What the app reads of a refusal: a text of its own for every error, the layer's error carried upward, and what the
//! operating system's types make of it.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::io;

use subrosa::file::{self, pack};
use subrosa::mls::{self, Rule};
use subrosa::padding::BadPadding;
use subrosa::{
    Action, Error, agreement, crypto, device, envelope, identity, os_rng, ratchet, state,
    system_now, wire,
};

/// Every error of groups but `Rng` and the broken rules, in the order of the numbers.
const GROUP: [mls::Error; 29] = {
    use mls::Error::*;
    [
        Malformed,
        UnsupportedVersion,
        UnsupportedSuite,
        TooLong,
        InvalidKey,
        WrongGroup,
        WrongEpoch,
        EpochGone,
        Decryption,
        BadSignature,
        BadTag,
        UnknownSender,
        GenerationUsed,
        GenerationTooFar,
        RatchetExhausted,
        UnknownProposal,
        UnknownPsk,
        NotForThisKeyPackage,
        OwnMessage,
        ProposalsWait,
        CommitWaits,
        NoCommitWaits,
        Over,
        Stale,
        Refused,
        GroupFull,
        TooManyProposals,
        Integrity,
        UnknownVersion,
    ]
};

/// The texts, of which none may be empty or stand for two errors of one layer.
fn assert_distinct<T: std::error::Error>(errors: &[T]) {
    let texts: BTreeSet<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), errors.len(), "{texts:?}");
    for text in texts {
        assert!(text.len() > 10 && text.is_ascii(), "{text:?}");
    }
}

/// Every error of files but `Rng`, in the order of the numbers.
const FILE: [file::Error; 13] = {
    use file::Error::*;
    [
        Commitment,
        Chunk,
        Truncated,
        Proof,
        Id,
        Padding,
        Altered,
        NotAdmitted,
        UnknownVersion,
        TooLong,
        Ended,
        OutOfRange,
        Malformed,
    ]
};

/// The same of packs.
const PACK: [pack::Error; 11] = {
    use pack::Error::*;
    [
        Integrity,
        Malformed,
        UnknownVersion,
        OtherKey,
        BadSignature,
        OtherPack,
        Fork,
        Rollback,
        TooLong,
        KeyInUse,
        Exhausted,
    ]
};

#[test]
fn every_error_of_a_layer_has_its_text() {
    use subrosa::Error as Refusal;
    assert_distinct(&[
        wire::Error::Truncated,
        wire::Error::Trailing,
        wire::Error::Length,
        wire::Error::TooLong,
        wire::Error::Value,
    ]);
    assert_distinct(&[BadPadding]);
    assert_distinct(&[
        crypto::Error::NonContributory,
        crypto::Error::InvalidKey,
        crypto::Error::BadSignature,
        crypto::Error::Decryption,
        crypto::Error::TooLong,
        crypto::Error::Rng,
    ]);
    assert_distinct(&[
        identity::Error::Malformed,
        identity::Error::UnknownVersion,
        identity::Error::BadSignature,
        identity::Error::OtherAccount,
        identity::Error::Equivocation,
        identity::Error::OldList,
        identity::Error::MissingLists,
        identity::Error::BadCommitment,
        identity::Error::WrongKey,
        identity::Error::KeyInUse,
        identity::Error::UnknownDevice,
        identity::Error::TooManyDevices,
        identity::Error::TooManyKeys,
        identity::Error::Exhausted,
        identity::Error::Rng,
    ]);
    assert_distinct(&[&FILE[..], &[file::Error::Rng]].concat());
    assert_distinct(&[&PACK[..], &[pack::Error::Rng]].concat());
    let rules = Rule::ALL.iter().map(|rule| mls::Error::Invalid(*rule));
    let group: Vec<_> = GROUP
        .into_iter()
        .chain([mls::Error::Rng])
        .chain(rules)
        .collect();
    assert_distinct(&group);
    let all = [
        Refusal::Malformed,
        Refusal::UnknownVersion,
        Refusal::UnknownKind,
        Refusal::Duplicate,
        Refusal::ReplayedFirst,
        Refusal::NoSession,
        Refusal::GapTooLarge,
        Refusal::Forked,
        Refusal::ChainExhausted,
        Refusal::Unanswered,
        Refusal::PrekeyGone,
        Refusal::StaleBundle,
        Refusal::BadSignature,
        Refusal::ReplayRecordFull,
        Refusal::PrekeysExhausted,
        Refusal::IdentityChanged,
        Refusal::OwnIdentity,
        Refusal::TooLong,
        Refusal::Integrity,
        Refusal::Rng,
    ];
    assert_distinct(&all);
    // SPEC §14.1: what fails on this device alone is no fault of the data.
    for error in all {
        let local = matches!(error, Refusal::TooLong | Refusal::Integrity | Refusal::Rng);
        assert_eq!(error.action() == Action::Local, local, "{error}");
        let kind = io::Error::from(error).kind();
        assert_eq!(kind == io::ErrorKind::Other, local, "{error}");
        assert_eq!(kind == io::ErrorKind::InvalidData, !local, "{error}");
        let carried = io::Error::from(error);
        assert_eq!(carried.to_string(), error.to_string());
        assert!(error.source().is_none());
    }
}

/// The numbers are for ever: those that are given out stand here.
#[test]
fn every_error_keeps_its_number() {
    use device::Error as D;
    use identity::Error as I;
    let session = [
        Error::Malformed,
        Error::UnknownVersion,
        Error::UnknownKind,
        Error::Duplicate,
        Error::ReplayedFirst,
        Error::NoSession,
        Error::GapTooLarge,
        Error::Forked,
        Error::ChainExhausted,
        Error::Unanswered,
        Error::PrekeyGone,
        Error::StaleBundle,
        Error::BadSignature,
        Error::ReplayRecordFull,
        Error::PrekeysExhausted,
        Error::IdentityChanged,
        Error::OwnIdentity,
        Error::TooLong,
        Error::Integrity,
        Error::Rng,
    ];
    for (error, code) in session.into_iter().zip(201..) {
        assert_eq!((error.code(), D::Session(error).code()), (code, code));
    }
    let identity = [
        I::Malformed,
        I::UnknownVersion,
        I::BadSignature,
        I::OtherAccount,
        I::Equivocation,
        I::OldList,
        I::MissingLists,
        I::BadCommitment,
        I::WrongKey,
        I::KeyInUse,
        I::UnknownDevice,
        I::TooManyDevices,
        I::TooManyKeys,
        I::Exhausted,
    ];
    for (error, code) in identity.into_iter().zip(301..) {
        assert_eq!((error.code(), D::Identity(error).code()), (code, code));
    }
    // A generator that fails is the same error everywhere.
    assert_eq!(I::Rng.code(), Error::Rng.code());
    assert_eq!(file::Error::Rng.code(), Error::Rng.code());
    assert_eq!(pack::Error::Rng.code(), Error::Rng.code());
    let device = [
        D::UnknownAccount,
        D::KeyChanged,
        D::Unreached,
        D::NotLinked,
        D::NotPrimary,
        D::ListDue,
        D::ClientId,
        D::NotFound,
        D::Occupied,
        D::Empty,
        D::RolledBack,
        D::Stale,
        D::Failed,
        D::Unreadable,
        D::Unknown,
        D::GroupSetBack,
    ];
    for (error, code) in device.into_iter().zip(101..) {
        assert_eq!(error.code(), code);
    }
    for (error, code) in FILE.into_iter().zip(501..) {
        assert_eq!(error.code(), code);
    }
    for (error, code) in PACK.into_iter().zip(601..) {
        assert_eq!(error.code(), code);
    }
    for (error, code) in GROUP.into_iter().zip(701..) {
        assert_eq!(error.code(), code);
    }
    for (rule, code) in Rule::ALL.iter().zip(801..) {
        assert_eq!(mls::Error::Invalid(*rule).code(), code);
    }
    assert_eq!(mls::Error::Rng.code(), Error::Rng.code());
}

#[test]
fn an_error_of_a_lower_layer_keeps_its_meaning() {
    let envelopes = [
        (envelope::Error::Malformed, Error::Malformed),
        (envelope::Error::UnknownVersion, Error::UnknownVersion),
        (envelope::Error::UnknownKind, Error::UnknownKind),
    ];
    let identities = [
        (identity::Error::Malformed, Error::Malformed),
        (identity::Error::UnknownVersion, Error::UnknownVersion),
        (identity::Error::OtherAccount, Error::Malformed),
        (identity::Error::WrongKey, Error::Malformed),
        (identity::Error::BadSignature, Error::BadSignature),
        (identity::Error::Rng, Error::Rng),
    ];
    let agreements = [
        (agreement::Error::Malformed, Error::Malformed),
        (agreement::Error::UnknownVersion, Error::UnknownVersion),
        (agreement::Error::BadSignature, Error::BadSignature),
        (agreement::Error::OwnIdentity, Error::OwnIdentity),
        (agreement::Error::StaleBundle, Error::StaleBundle),
        (agreement::Error::PrekeyGone, Error::PrekeyGone),
        (agreement::Error::ReplayedFirst, Error::ReplayedFirst),
        (agreement::Error::ReplayRecordFull, Error::ReplayRecordFull),
        (agreement::Error::PrekeysExhausted, Error::PrekeysExhausted),
        (agreement::Error::Rng, Error::Rng),
    ];
    let ratchets = [
        (ratchet::Error::Malformed, Error::Malformed),
        (ratchet::Error::Duplicate, Error::Duplicate),
        (ratchet::Error::GapTooLarge, Error::GapTooLarge),
        (ratchet::Error::Forked, Error::Forked),
        (ratchet::Error::ChainExhausted, Error::ChainExhausted),
        (ratchet::Error::ReceiveOnly, Error::NoSession),
        (ratchet::Error::TooLong, Error::TooLong),
        (ratchet::Error::Rng, Error::Rng),
    ];
    let states = [
        (state::Error::Integrity, Error::Integrity),
        (state::Error::UnknownVersion, Error::UnknownVersion),
        (state::Error::TooLong, Error::TooLong),
        (state::Error::Rng, Error::Rng),
    ];
    assert_carried(&envelopes);
    assert_carried(&identities);
    assert_carried(&agreements);
    assert_carried(&ratchets);
    assert_carried(&states);
}

fn assert_carried<T: std::error::Error + Copy + Into<Error>>(pairs: &[(T, Error)]) {
    for (lower, upper) in pairs {
        assert_eq!((*lower).into(), *upper, "{lower}");
    }
    let lower: Vec<T> = pairs.iter().map(|(lower, _)| *lower).collect();
    assert_distinct(&lower);
}

/// Random bytes that repeat, or a clock that stands at its beginning, would be noticed nowhere else.
#[test]
fn the_operating_system_gives_random_bytes_and_the_time() {
    use subrosa::TryCryptoRng;
    fn draw(mut rng: impl TryCryptoRng) -> [u8; 32] {
        let mut bytes = [0; 32];
        assert!(rng.try_fill_bytes(&mut bytes).is_ok());
        bytes
    }
    assert_ne!(draw(os_rng()), draw(os_rng()));
    // The first of January 2024: the clock counts milliseconds since 1970.
    let now = system_now();
    assert!(
        (1_704_067_200_000..253_402_300_800_000).contains(&now),
        "{now}"
    );
}
